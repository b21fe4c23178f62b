//! What an arm throws away, and the metrics that look better for it.
//!
//! A breaker in front of a queue lets messages run out of deliveries: those left are young, and the
//! oldest message looks better; and what they would have asked of others nobody does, so that waits
//! and attempts look better too. A metric that is taken of what is left is no metric of the arm,
//! unless no more was thrown away than in the other.

use super::measured::{Measured, Source};
use crate::experiment::measure::metrics::{Metric, Of};
use crate::experiment::plan::cell::Cell;
use crate::invariant::Watched;
use crate::metric::{MetricId, Unit};
use crate::statistics::CONFIDENCE;
use crate::statistics::bounded::RUNS_MIN;
use crate::statistics::moments::moments;
use crate::statistics::paired::paired_t;
use crate::statistics::verdict::Direction;

/// Something of which one arm lost more than the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Lost {
    /// The metric that counts it.
    pub metric: String,
    /// What tables call what is counted, of a promise.
    pub label: Option<String>,
    /// What the experiment calls it.
    pub own_label: Option<String>,
    /// The arm's mean.
    pub mean: f64,
    /// The baseline's.
    pub baseline_mean: f64,
    /// Which way the metric is good.
    pub better: Direction,
    /// Of what is only open: by how much it could move what is compared at the most, had all of it
    /// gone badly. `None` of what is thrown away.
    pub open: Option<f64>,
}

impl Lost {
    /// Whether the arm lost more; otherwise the baseline did.
    #[must_use]
    pub fn is_more(&self) -> bool {
        match self.better {
            Direction::Lower => self.mean > self.baseline_mean,
            Direction::Higher => self.mean < self.baseline_mean,
        }
    }

    /// Whether it takes away that the arm that lost more looks better by `gap`: what was thrown
    /// away always does, what is only open if all of it gone badly would leave no more than
    /// `margin`.
    pub(super) fn outweighs(&self, gap: f64, margin: f64) -> bool {
        self.open.is_none_or(|open| gap - open <= margin)
    }

    /// What is a share of cases that are open, each of which counts for so much.
    fn left_open(self, unit: f64) -> Lost {
        let open = Some((self.mean - self.baseline_mean).abs() * unit);
        Lost { open, ..self }
    }
}

/// What can be thrown away so that a metric looks better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// Requests that were not answered `ok`, or not at all: what is refused at once waits nowhere.
    Requests,
    /// Messages put aside and transactions lost: what is gone does not grow old.
    Messages,
    /// Orders that were accepted, and of which nothing came.
    Orders,
    /// Requests of which nobody knows yet what becomes of them: success is that of the others.
    Unfinished,
    /// Runs that never recovered: they have no time to recovery.
    Runs,
}

/// All that can be thrown away: what is gone is answered at once, waits nowhere and asks nobody.
const WORK: &[Loss] = &[Loss::Requests, Loss::Messages, Loss::Orders];

/// What must not be lost more often, that less of a metric is better. Nothing for what is counted
/// of all requests whatever becomes of them, and for what counts their losses itself.
fn losses(id: MetricId) -> &'static [Loss] {
    match id {
        MetricId::LatencyMeanMs
        | MetricId::LatencyP50Ms
        | MetricId::LatencyP99Ms
        | MetricId::LatencyP999Ms
        | MetricId::LastAnswerS
        | MetricId::Amplification
        | MetricId::EdgeAmplification
        | MetricId::UserAmplification
        | MetricId::WorstAmplification
        | MetricId::PeakLoadPerS
        | MetricId::TimeoutsPerRequest
        | MetricId::WaitMeanMs
        | MetricId::PoolWaitP99Ms
        | MetricId::PoolTimeouts
        | MetricId::ConnectionsOpened
        | MetricId::WaitP99Ms
        | MetricId::QueuedRatio
        | MetricId::WaitingMean
        | MetricId::WorkingMean
        | MetricId::InFlightMean
        | MetricId::WastedWork
        | MetricId::Unfinished
        | MetricId::UnfinishedRatio
        | MetricId::OldestMessageS
        | MetricId::Unprocessed
        | MetricId::ReadYourWritesViolationRatio
        | MetricId::StaleRowRatio
        | MetricId::StalenessP99Ms
        | MetricId::MonotonicReadsViolationRatio
        | MetricId::UpdatesLost
        | MetricId::CommitsLost
        | MetricId::DeadLetters => WORK,
        MetricId::RecoveryS => &[Loss::Runs, Loss::Requests, Loss::Messages, Loss::Orders],
        MetricId::SuccessRatio
        | MetricId::GoodRatio
        | MetricId::BadEvents
        | MetricId::BudgetConsumed
        | MetricId::BurnRateMax
        | MetricId::TimeToExhaustionS
        | MetricId::DegradedRatio => &[Loss::Unfinished],
        MetricId::GoodputBeforePerS
        | MetricId::GoodputDuringPerS
        | MetricId::GoodputAfterPerS
        | MetricId::GoodputPerS
        | MetricId::RefusedFirstRatio
        | MetricId::RefusedAgainRatio
        | MetricId::Ejections
        | MetricId::Panics
        | MetricId::Unhandled
        | MetricId::WorseRatio
        | MetricId::WorseInFaultRatio
        | MetricId::WorseUsersRatio
        | MetricId::WorseKeysRatio
        | MetricId::WorseForS
        | MetricId::NodesReached
        | MetricId::SpreadS
        // What is lost costs what it is priced at.
        | MetricId::Cost => &[],
    }
}

impl Loss {
    /// Whether this is counted by `other`, which way it is good, and the difference that is none.
    /// What is lost of requests is that of the same milestone.
    fn counted_by(self, other: &Measured, cell: &Cell, of: Of) -> Option<(Direction, f64)> {
        let id = match other.source {
            // Messages are those of the whole run.
            Source::Metric(index) if self == Loss::Messages || cell.metrics[index].of == of => {
                Some(cell.metrics[index].id)
            }
            Source::NeverRecovered(whose) if whose != of => return None,
            _ => None,
        };
        match (self, id, &other.source) {
            (Loss::Requests, Some(MetricId::SuccessRatio), _) => Some((Direction::Higher, 0.01)),
            (Loss::Requests | Loss::Unfinished, Some(MetricId::UnfinishedRatio), _) => {
                Some((Direction::Lower, 0.01))
            }
            (Loss::Messages, Some(MetricId::DeadLetters | MetricId::CommitsLost), _) => {
                Some((Direction::Lower, 0.0))
            }
            (Loss::Orders, _, Source::Rate(place)) => {
                let is_kept = |one: &Watched| one.kind.is_loss;
                let promise = cell.invariants.get(*place);
                promise.is_some_and(is_kept).then_some((Direction::Lower, 0.0))
            }
            (Loss::Runs, _, Source::NeverRecovered(_)) => Some((Direction::Lower, 0.0)),
            _ => None,
        }
    }
}

/// Of what one arm lost more than the other, of all that makes `measured` look better. `values` are
/// those of a metric under every seed, of the arm and of the baseline.
pub(super) fn lost<'a>(
    measured: &Measured,
    others: &(impl Iterator<Item = &'a Measured> + Clone),
    cell: &Cell,
    values: impl Fn(&Measured) -> [Vec<Option<f64>>; 2],
) -> Vec<Lost> {
    let (losses, of) = match measured.source {
        Source::Metric(index) => {
            let Metric { id, of, better, .. } = cell.metrics[index];
            // Who asks for more of it does not find it better where less is left.
            let is_turned = measured.better != better;
            (if is_turned { &[] } else { losses(id) }, of)
        }
        // That its requests fare as before is what it says.
        Source::NeverRecovered(of) => (&[Loss::Messages, Loss::Orders][..], of),
        Source::Metastable => (&[Loss::Messages, Loss::Orders][..], Of::Measured),
        Source::Rate(promise) | Source::Violated(promise) => {
            let Some(watched) = cell.invariants.get(promise) else { return Vec::new() };
            let other = Measured::unjudged(watched, promise);
            // One case breaks a run; a rate it moves by its share.
            let unit = if measured.is_event() { f64::INFINITY } else { 1e4 };
            let found = differs(&other, Direction::Lower, 0.01, values(&other));
            return found.map(|lost| lost.left_open(unit)).into_iter().collect();
        }
        Source::Unjudged(_) => return Vec::new(),
    };
    let mut found = Vec::new();
    for loss in losses {
        for other in others.clone().filter(|other| other.source != measured.source) {
            if let Some((better, margin)) = loss.counted_by(other, cell, of) {
                let lost = differs(other, better, margin, values(other));
                // A share moves by its share; of a count it is not said by how much.
                let unit = if measured.unit == Unit::Share { 1.0 } else { f64::INFINITY };
                found.extend(lost.map(|lost| match loss {
                    Loss::Unfinished => lost.left_open(unit),
                    _ => lost,
                }));
            }
        }
    }
    found
}

/// More is lost if the mean difference is more than the margin, or clearly not 0.
fn differs(
    other: &Measured,
    better: Direction,
    margin: f64,
    [arm, baseline]: [Vec<Option<f64>>; 2],
) -> Option<Lost> {
    let whole = arm.iter().zip(&baseline).filter_map(|(a, b)| Some(((*a)?, (*b)?)));
    let (arm, baseline): (Vec<f64>, Vec<f64>) = whole.unzip();
    let (mean, baseline_mean) = (moments(&arm).ok()?.mean, moments(&baseline).ok()?.mean);
    let difference = mean - baseline_mean;
    let is_clear = arm.len() as u64 >= RUNS_MIN
        && paired_t(&arm, &baseline, CONFIDENCE)
            .is_ok_and(|paired| !paired.difference.interval.contains(0.0));
    let lost = Lost {
        metric: other.name.clone(),
        label: other.label.clone(),
        own_label: other.own_label.clone(),
        mean,
        baseline_mean,
        better,
        open: None,
    };
    (difference != 0.0 && (difference.abs() > margin || is_clear)).then_some(lost)
}
