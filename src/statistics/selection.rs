//! Choosing the best of several arms.

use super::error::{Error, check_open_unit, check_sample, require};

/// The constants of the fully sequential procedure of Kim and Nelson.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KimNelson {
    /// The constant eta.
    pub eta: f64,
    /// The constant h^2 = 2 eta (n0 - 1): an arm stays while it is behind by less than
    /// (h^2 S^2 / delta - delta r) / 2 per observation, r observations so far.
    pub h_squared: f64,
}

/// The constants for `arms` arms, `first_stage` observations each and error probability `alpha`.
///
/// Kim and Nelson, "A fully sequential procedure for indifference-zone selection in simulation",
/// ACM TOMACS 11 (2001), section 3, with c = 1:
/// eta = ((2 alpha / (arms - 1))^(-2 / (n0 - 1)) - 1) / 2.
///
/// # Errors
/// [`Error::TooFew`] for fewer than two arms or two observations, [`Error::OutOfRange`] unless
/// `alpha` is strictly between 0 and 1.
pub fn kim_nelson(arms: u64, first_stage: u64, alpha: f64) -> Result<KimNelson, Error> {
    for given in [arms, first_stage] {
        if given < 2 {
            return Err(Error::TooFew { needed: 2, given });
        }
    }
    check_open_unit("alpha", alpha)?;
    let freedom = (first_stage - 1) as f64;
    let share = 2.0 * alpha / (arms - 1) as f64;
    let eta = 0.5 * (libm::pow(share, -2.0 / freedom) - 1.0);
    Ok(KimNelson { eta, h_squared: 2.0 * eta * freedom })
}

impl KimNelson {
    /// How far the sum of `runs` differences with this variance may be from 0 and still decide
    /// nothing: max(0, h^2 S^2 / (2 delta) - delta r / 2), the triangular region of the procedure.
    pub fn undecided_within(&self, variance: f64, delta: f64, runs: u64) -> f64 {
        (self.h_squared * variance / (2.0 * delta) - delta * runs as f64 / 2.0).max(0.0)
    }
}

/// The constants for telling on which side of a bound a mean is, with error probability `alpha`.
///
/// Andradóttir and Kim, "Fully sequential procedures for comparing constrained systems via
/// simulation", Naval Research Logistics 57 (2010), section 3, with c = 1: g(eta) = alpha, which is
/// the procedure of Kim and Nelson for two arms of which one is the bound.
///
/// # Errors
/// As [`kim_nelson`].
pub fn feasibility(first_stage: u64, alpha: f64) -> Result<KimNelson, Error> {
    kim_nelson(2, first_stage, alpha)
}

/// The probability, at least, that the arm `best` of these means (lower is better) and standard
/// errors is the best: 1 - sum of Phi(-(m_i - m_b) / sqrt(e_i^2 + e_b^2)).
///
/// Bonferroni's bound, of means that are normal and independent: Chen, Lin, Yücesan and Chick,
/// Discrete Event Dynamic Systems 10 (2000), equation 3.
///
/// # Errors
/// As [`ocba`], without its demand that means differ.
pub fn probability_of_best(means: &[f64], errors: &[f64], best: usize) -> Result<f64, Error> {
    super::moments::check_pairs(means, errors, 1)?;
    require(best < means.len(), "best", best as f64, "the position of an arm")?;
    let mut wrong = 0.0;
    for (arm, mean) in means.iter().enumerate().filter(|(arm, _)| *arm != best) {
        let error = libm::hypot(errors[arm], errors[best]);
        let behind = mean - means[best];
        wrong += match error > 0.0 {
            true => super::distribution::normal_cdf(-behind / error),
            false if behind > 0.0 => 0.0,
            false => 0.5,
        };
    }
    Ok((1.0 - wrong).max(0.0))
}

/// How to share `budget` runs among arms so that the arm `best` is told apart from the rest.
///
/// The optimal computing budget allocation of Chen, Lin, Yücesan and Chick, "Simulation budget
/// allocation for further enhancing the efficiency of ordinal optimization", Discrete Event Dynamic
/// Systems 10 (2000), theorem 1: shares that sum to `budget`, not rounded to whole runs. Arms
/// without any spread share equally.
///
/// # Errors
/// [`Error::Unpaired`] if `means` and `deviations` differ in length, [`Error::TooFew`] for fewer
/// than two arms, [`Error::NotFinite`], [`Error::OutOfRange`] for a negative deviation, a `best`
/// that is no arm, or an arm whose mean equals that of the best.
pub fn ocba(
    means: &[f64],
    deviations: &[f64],
    best: usize,
    budget: f64,
) -> Result<Vec<f64>, Error> {
    super::moments::check_pairs(means, deviations, 2)?;
    check_sample(&[budget], 1)?;
    require(best < means.len(), "best", best as f64, "the position of an arm")?;
    let mut weights = vec![0.0; means.len()];
    let mut behind = 0.0;
    for (arm, deviation) in deviations.iter().enumerate() {
        require(*deviation >= 0.0, "deviation", *deviation, "a number from 0")?;
        let distance = means[arm] - means[best];
        if arm == best {
            continue;
        }
        require(distance != 0.0, "distance from the best", distance, "a number other than 0")?;
        let ratio = deviation / distance;
        weights[arm] = ratio * ratio;
        behind += ratio * ratio / distance / distance;
    }
    weights[best] = deviations[best] * behind.sqrt();
    let sum: f64 = weights.iter().sum();
    if sum == 0.0 {
        return Ok(vec![budget / means.len() as f64; means.len()]);
    }
    Ok(weights.into_iter().map(|weight| budget * weight / sum).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allocation_spends_the_budget() {
        let shares = ocba(&[3.0, 1.0, 2.0], &[0.5, 1.0, 0.1], 1, 480.0).unwrap();
        assert!((shares.iter().sum::<f64>() - 480.0).abs() < 1e-9);
        assert_eq!(ocba(&[1.0, 2.0], &[0.0, 0.0], 0, 10.0).unwrap(), vec![5.0, 5.0]);
    }

    #[test]
    fn selection_without_a_choice_is_refused() {
        assert!(kim_nelson(1, 10, 0.05).is_err());
        assert!(kim_nelson(2, 1, 0.05).is_err());
        assert!(ocba(&[1.0, 1.0], &[1.0, 1.0], 0, 10.0).is_err());
        assert!(ocba(&[1.0, 2.0], &[1.0, 1.0], 2, 10.0).is_err());
        assert!(ocba(&[1.0, 2.0], &[1.0], 0, 10.0).is_err());
    }
}
