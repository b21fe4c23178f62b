//! What arms can be compared by: the metrics of a run, and whether something happened in it.

use super::language::{Margin, PrecisionText};
use crate::experiment::judge::metastability::Label;
use crate::experiment::measure::metrics::Of;
use crate::experiment::measure::rate::per_10_000;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::invariant::{CATALOGUE, Watched};
use crate::kernel::limit::Ending;
use crate::metric::Unit;
use crate::model::problem::Problem;
use crate::statistics::sequential::Precision;
use crate::statistics::verdict::Direction;

/// A number of a run that arms are compared by.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Its name in results.
    pub name: String,
    /// What tables call what is counted, of a promise.
    pub label: Option<String>,
    /// What the experiment calls it, in place of whatever else it would be called.
    pub own_label: Option<String>,
    /// Where it comes from.
    pub source: Source,
    /// Which way it is good.
    pub better: Direction,
    /// What it is in.
    pub unit: Unit,
    /// The differences that make no difference in practice.
    pub equivalent: Margin,
}

/// Where a number comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// One of the campaign's metrics, by its position.
    Metric(usize),
    /// Violations per 10,000 operations of the invariant of this position.
    Rate(usize),
    /// Whether the invariant of this position was broken, of a run that could have broken it.
    Violated(usize),
    /// The share of what could have broken the invariant of this position that was not judged.
    Unjudged(usize),
    /// Whether the run never recovered after the last fault.
    NeverRecovered(Of),
    /// Whether the run is labelled metastable.
    Metastable,
}

impl Measured {
    /// Everything that runs of this cell can be compared by, in the order of the columns.
    #[must_use]
    pub fn all(cell: &Cell) -> Vec<Measured> {
        let metrics = cell.metrics.iter().enumerate().map(|(index, metric)| Measured {
            name: metric.name.clone().into_owned(),
            label: None,
            own_label: cell.prices.as_ref().and_then(|prices| prices.called(metric)),
            source: Source::Metric(index),
            better: metric.better,
            unit: metric.unit,
            equivalent: match (metric.better, metric.unit == Unit::Share) {
                // Ground truth 3.2: 1% of goodput, 5% of amplification.
                (Direction::Higher, _) => Margin::Relative(0.01),
                (Direction::Lower, false) => Margin::Relative(0.05),
                (Direction::Lower, true) => Margin::Absolute(0.01),
            },
        });
        let event = |name: String, source: Source| Measured {
            name,
            label: None,
            own_label: None,
            source,
            better: Direction::Lower,
            unit: Unit::Share,
            equivalent: Margin::Absolute(0.02),
        };
        let mut all: Vec<Measured> = metrics.collect();
        for (index, Watched { name, label, .. }) in cell.invariants.iter().enumerate() {
            let label = Some(label.clone());
            all.push(Measured {
                label: label.clone(),
                ..event(format!("{name}_violated"), Source::Violated(index))
            });
            all.push(Measured {
                label,
                unit: Unit::Number,
                equivalent: Margin::Relative(0.05),
                ..event(format!("{name}_per_10000"), Source::Rate(index))
            });
        }
        if cell.faults_act().is_some() {
            all.push(event("never_recovered".to_owned(), Source::NeverRecovered(Of::Measured)));
            for (name, of) in cell.beside() {
                all.push(event(format!("{name}.never_recovered"), Source::NeverRecovered(of)));
            }
        }
        if cell.metastability.is_some() {
            all.push(event("metastable".to_owned(), Source::Metastable));
        }
        all
    }

    /// The share of a promise's cases that was not judged; nothing is compared by it for itself.
    pub(super) fn unjudged(promise: &Watched, index: usize) -> Measured {
        Measured {
            name: format!("{}_unjudged", promise.name),
            label: None,
            own_label: None,
            source: Source::Unjudged(index),
            better: Direction::Lower,
            unit: Unit::Share,
            equivalent: Margin::Absolute(0.01),
        }
    }

    /// Whether it says of a run that something happened or did not, and over runs is a probability.
    #[must_use]
    pub fn is_event(&self) -> bool {
        match self.source {
            Source::Metric(_) | Source::Rate(_) | Source::Unjudged(_) => false,
            Source::Violated(_) | Source::NeverRecovered(_) | Source::Metastable => true,
        }
    }

    /// Its value in a run, 1 or 0 for what happened or did not; `None` where there is none, and in
    /// a run that a limit ended.
    #[must_use]
    pub fn value(&self, run: &RunResult) -> Option<f64> {
        if run.ending != Ending::Complete {
            return None;
        }
        let yes = |happened: bool| Some(f64::from(u8::from(happened)));
        match self.source {
            Source::Metric(index) => run.values[index],
            Source::Rate(index) => {
                let verdict = run.invariants.get(index)?;
                (verdict.exposure > 0).then(|| per_10_000(verdict))
            }
            Source::Violated(index) => {
                let verdict = run.invariants.get(index)?;
                let is_broken = verdict.violations > 0;
                // A run in which nothing could have broken it has not kept it.
                (is_broken || verdict.exposure > 0).then(|| f64::from(u8::from(is_broken)))
            }
            Source::Unjudged(index) => {
                let verdict = run.invariants.get(index)?;
                let cases = verdict.exposure + verdict.unjudged;
                (cases > 0).then(|| verdict.unjudged as f64 / cases as f64)
            }
            Source::NeverRecovered(of) => yes(!run.recovery_of(of).came_back()?),
            Source::Metastable => yes(run.label? == Label::Metastable),
        }
    }

    /// How precise it has to be.
    #[must_use]
    pub fn precision(&self, text: PrecisionText) -> Precision {
        match self.unit == Unit::Share {
            true => Precision::Absolute(text.shares.0),
            false => Precision::Relative(text.amounts.0),
        }
    }
}

/// A name that nothing is measured by. What the experiment itself adds is listed first.
pub(in crate::experiment) fn unknown(kind: &str, name: &str, all: &[Measured]) -> Problem {
    let suffixes = ["_violated", "_per_10000"].into_iter();
    let invariant = suffixes.filter_map(|suffix| name.strip_suffix(suffix)).next();
    let is_known = |invariant: &&str| CATALOGUE.iter().any(|entry| entry.name == *invariant);
    if let Some(invariant) = invariant.filter(is_known) {
        let problem = Problem::new(format!("no run is watched for `{invariant}`"));
        let watched = all.iter().filter_map(|measured| measured.name.strip_suffix("_violated"));
        let own: Vec<String> =
            watched.filter(|name| !is_known(name)).map(|name| format!("`{name}`")).collect();
        let or_own = match own.is_empty() {
            true => String::new(),
            false => format!("; names of your own here: {}", own.join(", ")),
        };
        return problem.expected(format!("declare `{invariant}` under [invariants]{or_own}"));
    }
    let (events, others): (Vec<&Measured>, Vec<&Measured>) =
        all.iter().partition(|measured| measured.is_event());
    let known: Vec<&str> =
        events.into_iter().chain(others).map(|measured| measured.name.as_str()).collect();
    Problem::unknown(kind, name, &known)
}
