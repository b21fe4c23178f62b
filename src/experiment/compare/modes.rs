//! Runs that collapsed apart from those that did not: a mean of both describes neither.

use super::measured::Measured;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::run::result::RunResult;
use crate::statistics::moments::moments;

/// A metric of a cell where some runs collapsed and others did not.
#[derive(Clone, Debug, PartialEq)]
pub struct Modes {
    /// How many runs collapsed.
    pub collapsed: u64,
    /// How many did not.
    pub others: u64,
    /// The mean over the runs that collapsed; `None` if none has a value.
    pub if_collapsed: Option<f64>,
    /// The mean over the others.
    pub if_not: Option<f64>,
}

/// The two kinds of runs of a cell apart; `None` if there is one kind only, or if what is measured
/// is whether something happened: that is a probability of all runs.
pub(super) fn modes(
    campaign: &Campaign,
    results: &[RunResult],
    cell: usize,
    measured: &Measured,
) -> Option<Modes> {
    let runs = campaign.runs_of(results, cell);
    let of = |collapsed: bool| runs.iter().filter(move |run| run.collapsed() == Some(collapsed));
    let (collapsed, others) = (of(true).count() as u64, of(false).count() as u64);
    if measured.is_event() || collapsed == 0 || others == 0 {
        return None;
    }
    let mean = |collapsed: bool| {
        let value = |run| measured.value(run);
        let values: Vec<f64> = of(collapsed).filter_map(value).collect();
        moments(&values).ok().map(|moments| moments.mean)
    };
    Some(Modes { collapsed, others, if_collapsed: mean(true), if_not: mean(false) })
}
