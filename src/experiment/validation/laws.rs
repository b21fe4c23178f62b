//! Whether runs bear a closed form out.

use super::observed::{is_share, value};
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::statistics::Estimate;
use crate::statistics::interval::mean_interval;
use crate::theory::{Quantity, Theory};

/// The confidence of the intervals that a closed form has to lie in.
pub const CONFIDENCE: f64 = 0.999;

/// What runs say of a closed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// It lies in their interval, which is narrow enough.
    Inside,
    /// It lies in their interval, which says little because it is wide.
    Imprecise,
    /// It does not lie in their interval.
    Outside,
}

impl Fit {
    /// What reports call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Fit::Inside => "inside",
            Fit::Imprecise => "imprecise",
            Fit::Outside => "OUTSIDE",
        }
    }
}

/// A closed form beside what runs show.
#[derive(Clone, Debug, PartialEq)]
pub struct LawComparison {
    /// What is compared.
    pub quantity: Quantity,
    /// Its mean over the runs with their 99.9% interval; `None` if no run has a value.
    pub simulated: Option<Estimate>,
    /// Half of the interval, as a share of the theory.
    pub half_width: f64,
    /// What follows.
    pub verdict: Fit,
}

/// Compares a quantity with its value in each of several independent runs. Where all runs agree,
/// their value has to be that of the theory, to the last digits; only a share of which no run saw
/// anything may be as great as 1 - 0.001^(1 / runs).
#[must_use]
pub fn compare(quantity: Quantity, sample: &[f64]) -> LawComparison {
    let Ok(mut estimate) = mean_interval(sample, CONFIDENCE) else {
        let verdict = Fit::Outside;
        return LawComparison { quantity, simulated: None, half_width: f64::INFINITY, verdict };
    };
    let theory = quantity.value;
    let is_share = quantity.measured.is_some_and(is_share);
    if is_share && theory > 0.0 && sample.iter().all(|share| *share == 0.0) {
        estimate.interval.high = share_unseen_max(sample.len());
    }
    let wide = estimate.interval.half_width();
    let half_width = if wide == 0.0 { 0.0 } else { wide / theory.abs() };
    let rounding = 1e-9 * theory.abs();
    let is_inside =
        estimate.interval.low - rounding <= theory && theory <= estimate.interval.high + rounding;
    let verdict = match (is_inside, half_width <= quantity.precision) {
        (false, _) => Fit::Outside,
        (true, true) => Fit::Inside,
        (true, false) => Fit::Imprecise,
    };
    LawComparison { quantity, simulated: Some(estimate), half_width, verdict }
}

/// The greatest share of which so many independent runs see nothing with a probability of at least
/// 1 - [`CONFIDENCE`]: whatever stays in a run that has any of it, a share s is seen in a run with
/// a probability of at least s.
fn share_unseen_max(runs: usize) -> f64 {
    1.0 - libm::pow(1.0 - CONFIDENCE, 1.0 / runs as f64)
}

/// Every compared quantity of a cell in one of its runs; none without a theory.
#[must_use]
pub fn values(cell: &Cell, run: &RunResult) -> Vec<Option<f64>> {
    let quantities = cell.theory.iter().flat_map(|theory| &theory.quantities);
    quantities.map(|quantity| value(quantity.measured?, cell, run)).collect()
}

/// Compares every quantity of a cell with its values in the cell's runs. A run without a value
/// makes the comparison impossible: the average of the others would be that of another system.
#[must_use]
pub fn compare_all(theory: &Theory, runs: &[Vec<Option<f64>>]) -> Vec<LawComparison> {
    let compare_one = |(index, quantity): (usize, &Quantity)| {
        let sample: Option<Vec<f64>> = runs.iter().map(|values| values[index]).collect();
        compare(quantity.clone(), &sample.unwrap_or_default())
    };
    theory.quantities.iter().enumerate().map(compare_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::Observable;

    #[test]
    fn an_interval_has_to_hold_the_theory_and_to_be_narrow() {
        let verdict = |theory: f64, sample: &[f64]| {
            let quantity = Quantity::shown("W", theory, Observable::Present);
            compare(quantity, sample).verdict
        };
        assert_eq!(verdict(5.0, &[4.999, 5.001, 5.0, 5.0005]), Fit::Inside);
        assert_eq!(verdict(5.0, &[4.0, 6.0, 5.5, 4.5]), Fit::Imprecise);
        assert_eq!(verdict(5.1, &[4.999, 5.001, 5.0, 5.0005]), Fit::Outside);
        assert_eq!(verdict(64.0, &[64.0, 64.0]), Fit::Inside);
        assert_eq!(verdict(64.0, &[64.1, 64.1]), Fit::Outside);
        assert_eq!(verdict(0.0, &[0.0, 0.0]), Fit::Inside);
        assert_eq!(verdict(1.0, &[]), Fit::Outside);
    }

    /// By hand: 1 - 0.001^(1/20) is 0.292.
    #[test]
    fn runs_that_saw_nothing_of_a_share_say_little_of_it() {
        let compared = |theory| {
            let quantity = Quantity::shown("P(idle)", theory, Observable::Found(1));
            compare(quantity, &[0.0; 20])
        };
        let rare = compared(5.7e-8);
        assert_eq!(rare.verdict, Fit::Imprecise, "{rare:?}");
        let interval = rare.simulated.unwrap().interval;
        assert!((interval.high - 0.292_054).abs() < 1e-6, "{interval:?}");
        assert_eq!(compared(0.3).verdict, Fit::Outside);
        assert_eq!(compared(0.0).verdict, Fit::Inside);
    }
}
