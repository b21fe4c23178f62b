//! Whether one choice is worse than another by one criterion, as far as paired runs tell.

use crate::experiment::comparison::{Margin, Measured};
use crate::experiment::statistics::CONFIDENCE;
use crate::experiment::statistics::bounded::RUNS_MIN;
use crate::experiment::statistics::distribution::normal_quantile;
use crate::experiment::statistics::moments::moments;
use crate::experiment::statistics::multiplicity::simultaneous_confidence;
use crate::experiment::statistics::paired::{PairedT, paired_t};

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
    let (first, second) = both(choice, best);
    let (Ok(own), Ok(other)) = (moments(&first), moments(&second)) else {
        return Weighed::Undecided { seeds: None };
    };
    let margin = match criterion.equivalent {
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
            Weighed::Undecided { seeds: Some(RUNS_MIN) }
        };
    };
    let interval = paired.difference.interval;
    match interval.contains(0.0) {
        _ if interval.low >= -margin && interval.high <= margin => Weighed::Equal,
        false if difference > margin => Weighed::Worse,
        _ => Weighed::Undecided { seeds: Some(seeds_needed(&paired, margin, first.len())) },
    }
}

/// Whether the interval of the paired difference of two choices of so many lies beyond 0.
pub(super) fn is_told_apart(choice: &[Option<f64>], best: &[Option<f64>], of: usize) -> bool {
    let (first, second) = both(choice, best);
    compared(&first, &second, of).is_some_and(|it| !it.difference.interval.contains(0.0))
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
