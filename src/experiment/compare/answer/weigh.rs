//! Whether one choice is worse than another by one criterion, as far as paired runs tell.

use crate::experiment::compare::language::Margin;
use crate::experiment::compare::measured::Measured;
use crate::statistics::CONFIDENCE;
use crate::statistics::bounded::RUNS_MIN;
use crate::statistics::distribution::normal_quantile;
use crate::statistics::moments::moments;
use crate::statistics::multiplicity::simultaneous_confidence;
use crate::statistics::paired::{PairedT, paired_t};

/// What the runs say of a choice beside the best one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weighed {
    /// It is worse, and by more than makes no difference.
    Worse,
    /// It differs by no more than makes no difference.
    Equal,
    /// The runs do not tell.
    Undecided {
        /// About how many would; `None` where there are no numbers to compare.
        seeds: Option<u64>,
        /// Whether the means differ by no more than makes no difference.
        is_near: bool,
    },
}

/// How often a difference that is there is to be seen: the usual power of a plan of seeds.
const POWER: f64 = 0.8;

/// Weighs a choice against the best of so many.
pub(super) fn against(
    choice: &[Option<f64>],
    best: &[Option<f64>],
    criterion: &Measured,
    of: usize,
) -> Weighed {
    weighed(choice, best, criterion.equivalent, of)
}

/// The same by numbers of which a share of the best makes no difference.
pub(super) fn by_share(
    choice: &[Option<f64>],
    best: &[Option<f64>],
    share: f64,
    of: usize,
) -> Weighed {
    weighed(choice, best, Margin::Relative(share), of)
}

fn weighed(choice: &[Option<f64>], best: &[Option<f64>], equivalent: Margin, of: usize) -> Weighed {
    let (first, second) = both(choice, best);
    let (Ok(own), Ok(other)) = (moments(&first), moments(&second)) else {
        return Weighed::Undecided { seeds: None, is_near: true };
    };
    let margin = match equivalent {
        Margin::Relative(share) => share * other.mean.abs(),
        Margin::Absolute(margin) => margin,
    };
    let difference = (own.mean - other.mean).abs();
    if first == second {
        return Weighed::Equal;
    }
    let Some(paired) = compared(&first, &second, of) else {
        return if difference <= margin {
            Weighed::Equal
        } else {
            Weighed::Undecided { seeds: Some(RUNS_MIN), is_near: false }
        };
    };
    let interval = paired.difference.interval;
    match interval.contains(0.0) {
        _ if interval.low >= -margin && interval.high <= margin => Weighed::Equal,
        false if difference > margin => Weighed::Worse,
        _ => {
            let seeds = Some(seeds_needed(&paired, margin, first.len()));
            Weighed::Undecided { seeds, is_near: difference <= margin }
        }
    }
}

/// The mean of the values that there are.
pub(super) fn mean(values: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = values.iter().copied().flatten().collect();
    moments(&known).ok().map(|moments| moments.mean)
}

/// The values under the seeds for which both have one.
fn both(first: &[Option<f64>], second: &[Option<f64>]) -> (Vec<f64>, Vec<f64>) {
    first.iter().zip(second).filter_map(|(a, b)| Some(((*a)?, (*b)?))).unzip()
}

/// Student's test of a choice and the best one, at a confidence that holds for all the choices that
/// are weighed against it together.
fn compared(first: &[f64], second: &[f64], of: usize) -> Option<PairedT> {
    if (first.len() as u64) < RUNS_MIN {
        return None;
    }
    let confidence = simultaneous_confidence(CONFIDENCE, of.saturating_sub(1) as u64);
    paired_t(first, second, confidence).ok()
}

/// About how many pairs show a difference as large as the margin: ((z(1 - α/2) + z(power)) s / δ)²,
/// Chow, Shao and Wang, *Sample Size Calculations in Clinical Research* (2008), section 3.1.1.
fn seeds_needed(paired: &PairedT, margin: f64, seen: usize) -> u64 {
    let wanted = if margin > 0.0 { margin } else { paired.difference.mean.abs() };
    let quantile = |level| normal_quantile(level).expect("between 0 and 1");
    let sum = quantile(1.0 - (1.0 - CONFIDENCE) / 2.0) + quantile(POWER);
    let spread = sum * paired.sd / wanted;
    ((spread * spread).ceil() as u64).max(seen as u64 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weighed_against(best: f64, choice: [f64; 6]) -> Weighed {
        let best: Vec<Option<f64>> =
            (0..6).map(|seed| Some(best + f64::from(seed) * 1e-6)).collect();
        by_share(&choice.map(Some), &best, 0.01, 3)
    }

    #[test]
    fn a_choice_that_looks_worse_is_not_near_however_much_its_runs_differ() {
        let noisy = weighed_against(0.97, [0.97, 0.6, 0.97, 0.97, 0.65, 0.9]);
        assert!(matches!(noisy, Weighed::Undecided { is_near: false, .. }), "{noisy:?}");
        let noisy_and_as_good = weighed_against(0.8, [0.97, 0.63, 0.97, 0.63, 0.97, 0.63]);
        assert!(
            matches!(noisy_and_as_good, Weighed::Undecided { is_near: true, .. }),
            "{noisy_and_as_good:?}"
        );
        assert_eq!(weighed_against(0.97, [0.9; 6]), Weighed::Worse);
        assert_eq!(weighed_against(0.97, [0.969; 6]), Weighed::Equal);
        assert_eq!(weighed_against(200.0, [201.0; 6]), Weighed::Equal, "a share of the best");
        let between = weighed_against(1.0, [0.990, 0.994, 0.990, 0.994, 0.992, 0.992]);
        assert!(
            matches!(between, Weighed::Undecided { is_near: true, .. }),
            "surely worse, but perhaps by more than makes a difference: {between:?}"
        );
    }

    #[test]
    fn so_many_runs_tell_and_one_less_does_not() {
        let weighed = |runs: u64| {
            let of = |mean: f64| -> Vec<Option<f64>> {
                (0..runs).map(|seed| Some(mean + seed as f64 * 1e-6)).collect()
            };
            by_share(&of(0.5), &of(0.9), 0.01, 3)
        };
        assert_eq!(weighed(RUNS_MIN), Weighed::Worse);
        let few = Weighed::Undecided { seeds: Some(RUNS_MIN), is_near: false };
        assert_eq!(weighed(RUNS_MIN - 1), few);
    }

    #[test]
    fn the_seeds_that_would_tell_are_those_of_the_closed_form() {
        // Differences of 1 and 3: their mean is 2 and their standard deviation sqrt(8 / 7).
        let (first, second) = ([1.0, 3.0, 1.0, 3.0, 1.0, 3.0, 1.0, 3.0], [0.0; 8]);
        let paired = paired_t(&first, &second, CONFIDENCE).unwrap();
        // ((1.959964 + 0.841621) * 1.069045 / margin)^2
        assert_eq!(seeds_needed(&paired, 0.5, 8), 36);
        assert_eq!(seeds_needed(&paired, 0.1, 8), 898);
        assert_eq!(seeds_needed(&paired, 0.0, 1), 3, "the difference that was seen");
        assert_eq!(seeds_needed(&paired, 9.0, 8), 9, "one more than there were");
    }
}
