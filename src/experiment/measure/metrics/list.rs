//! The list of what is measured of each run of a campaign.

use std::borrow::Cow;
use std::ops::Deref;

use super::blast_radius::BLAST_ROWS;
use super::milestone::{MILESTONE_ROWS, MilestoneRow};
use super::objective::{OBJECTIVE_ROWS, ObjectiveRow};
use super::renamed::now_called;
use super::{ROWS, Row};
use crate::experiment::plan::cell::Cell;
use crate::experiment::price::language::PriceText;
use crate::experiment::run::RunResult;
use crate::metric::{Account, Progress};
use crate::statistics::verdict::Direction;

/// Which number of a run a metric is, whatever results call it. In the order of the columns; what
/// only milestones and objectives have is last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricId {
    /// `amplification`.
    Amplification,
    /// `edge_amplification`.
    EdgeAmplification,
    /// `user_amplification`.
    UserAmplification,
    /// `success_ratio`.
    SuccessRatio,
    /// `unfinished_ratio`.
    UnfinishedRatio,
    /// `goodput_before_per_s`.
    GoodputBeforePerS,
    /// `goodput_during_per_s`.
    GoodputDuringPerS,
    /// `goodput_after_per_s`.
    GoodputAfterPerS,
    /// `goodput_per_s`.
    GoodputPerS,
    /// `latency_mean_ms`.
    LatencyMeanMs,
    /// `latency_p50_ms`.
    LatencyP50Ms,
    /// `latency_p99_ms`.
    LatencyP99Ms,
    /// `latency_p999_ms`.
    LatencyP999Ms,
    /// `last_answer_s`.
    LastAnswerS,
    /// `timeouts_per_request`.
    TimeoutsPerRequest,
    /// `wait_mean_ms`.
    WaitMeanMs,
    /// `wait_p99_ms`.
    WaitP99Ms,
    /// `queued_ratio`.
    QueuedRatio,
    /// `refused_first_ratio`.
    RefusedFirstRatio,
    /// `refused_again_ratio`.
    RefusedAgainRatio,
    /// `waiting_mean`.
    WaitingMean,
    /// `working_mean`.
    WorkingMean,
    /// `in_flight_mean`.
    InFlightMean,
    /// `recovery_s`.
    RecoveryS,
    /// `wasted_work`.
    WastedWork,
    /// `ejections`.
    Ejections,
    /// `panics`.
    Panics,
    /// `oldest_message_s`.
    OldestMessageS,
    /// `dead_letters`.
    DeadLetters,
    /// `unprocessed`.
    Unprocessed,
    /// `read_your_writes_violation_ratio`.
    ReadYourWritesViolationRatio,
    /// `stale_row_ratio`.
    StaleRowRatio,
    /// `staleness_p99_ms`.
    StalenessP99Ms,
    /// `updates_lost`.
    UpdatesLost,
    /// `commits_lost`.
    CommitsLost,
    /// `monotonic_reads_violation_ratio`.
    MonotonicReadsViolationRatio,
    /// `worst_amplification`.
    WorstAmplification,
    /// `peak_load_per_s`.
    PeakLoadPerS,
    /// `unhandled`.
    Unhandled,
    /// `pool_wait_p99_ms`.
    PoolWaitP99Ms,
    /// `pool_timeouts`.
    PoolTimeouts,
    /// `connections_opened`.
    ConnectionsOpened,
    /// `unfinished`, of a milestone only.
    Unfinished,
    /// `good_ratio`, of an objective only, as all that follow.
    GoodRatio,
    /// `bad_events`.
    BadEvents,
    /// `budget_consumed`.
    BudgetConsumed,
    /// `burn_rate_max`.
    BurnRateMax,
    /// `time_to_exhaustion_s`.
    TimeToExhaustionS,
    /// `degraded_ratio`.
    DegradedRatio,
    /// `worse_ratio`, with a blast radius only, as those that follow.
    WorseRatio,
    /// `worse_in_fault_ratio`.
    WorseInFaultRatio,
    /// `worse_users_ratio`.
    WorseUsersRatio,
    /// `worse_keys_ratio`.
    WorseKeysRatio,
    /// `worse_for_s`.
    WorseForS,
    /// `nodes_reached`.
    NodesReached,
    /// `spread_s`.
    SpreadS,
    /// `cost`, with prices only: of a run, or of one price.
    Cost,
}

impl MetricId {
    /// Its name in results, with its unit.
    #[must_use]
    pub fn name(self) -> &'static str {
        let milestone = || MilestoneRow::of(self).map(|row| row.name);
        let objective = || ObjectiveRow::of(self).map(|row| row.name);
        let mut rows = ROWS.iter().chain(&BLAST_ROWS);
        let row = rows.find(|row| row.id == self).map(|row| row.name);
        let cost = || (self == MetricId::Cost).then_some(COST);
        let row = row.or_else(milestone).or_else(objective).or_else(cost);
        row.expect("every metric is of runs, twins, milestones, objectives or prices")
    }

    /// Its place among the [`Metrics`] of every campaign, of what is measured.
    #[must_use]
    pub fn place(self) -> usize {
        self as usize
    }
}

/// Whose number a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// That of what an experiment measures: of replies, or of a milestone in their place.
    Measured,
    /// That of replies, where a milestone has taken their place.
    Replies,
    /// That of the milestone of this place in the experiment.
    Milestone(usize),
    /// That of the objective of this place in the experiment.
    Objective(usize),
    /// That of the price of this place in the experiment.
    Price(usize),
}

/// A number of a run that is averaged over seeds.
#[derive(Clone, Debug)]
pub struct Metric {
    /// Which one it is.
    pub id: MetricId,
    /// Whose.
    pub of: Of,
    /// Its name in results, with its unit.
    pub name: Cow<'static, str>,
    /// What it is.
    pub meaning: Cow<'static, str>,
    /// Which way it is good.
    pub better: Direction,
    /// Whether it is a share, from 0 to 1.
    pub is_share: bool,
    measure: How,
}

/// How a metric is measured when a run ends; `None` where there is no such number.
#[derive(Clone, Copy, Debug)]
enum How {
    Run(fn(&Cell, &RunResult) -> Option<f64>),
    /// From what became of the requests on their way to the milestone of this place.
    Milestone(usize, fn(&Cell, &RunResult, &Progress) -> Option<f64>),
    /// From what the run comes to by the objective of this place.
    Objective(usize, fn(&Account) -> Option<f64>),
    /// From the prices: that of this place, or all of them.
    Price(Option<usize>),
}

/// Every number of a campaign's runs that is averaged over seeds, in the order of the columns.
#[derive(Clone, Debug)]
pub struct Metrics(Vec<Metric>);

impl Metrics {
    /// Those of runs with these milestones, of which one may take the place of replies, and these
    /// objectives.
    #[must_use]
    pub fn new(milestones: &[&str], measured: Option<usize>, objectives: &[&str]) -> Metrics {
        let own = |row: &Row| match (measured, MilestoneRow::of(row.id)) {
            (Some(place), Some(reached)) => {
                let meaning = format!("{}, of {}", reached.meaning, milestones[place]);
                let name = Cow::Borrowed(row.name);
                reached.metric((Of::Measured, place), name, Cow::Owned(meaning))
            }
            _ => row.metric(Of::Measured, Cow::Borrowed(row.name)),
        };
        let mut list: Vec<Metric> = ROWS.iter().map(own).collect();
        if measured.is_some() {
            let replaced = ROWS.iter().filter(|row| MilestoneRow::of(row.id).is_some());
            list.extend(
                replaced.map(|row| {
                    row.metric(Of::Replies, Cow::Owned(format!("{REPLY}.{}", row.name)))
                }),
            );
        }
        for (place, milestone) in milestones.iter().enumerate() {
            list.extend(MILESTONE_ROWS.iter().map(|row| {
                let name = Cow::Owned(format!("{milestone}.{}", row.name));
                row.metric((Of::Milestone(place), place), name, Cow::Borrowed(row.meaning))
            }));
        }
        for (place, objective) in objectives.iter().enumerate() {
            list.extend(OBJECTIVE_ROWS.iter().map(|row| row.metric(place, objective)));
        }
        Metrics(list)
    }

    /// These, and those of runs that are compared with their twins, if they are.
    #[must_use]
    pub fn with_twins(mut self, are_compared: bool) -> Metrics {
        let rows = BLAST_ROWS.iter().filter(|_| are_compared);
        self.0.extend(rows.map(|row| row.metric(Of::Measured, Cow::Borrowed(row.name))));
        self
    }

    /// These, and what runs cost, if there are prices.
    #[must_use]
    pub fn with_prices(mut self, price: Option<&PriceText>) -> Metrics {
        let Some(PriceText { currency, each, .. }) = price else { return self };
        let metric = |of: Of, name: String, meaning: String, place| Metric {
            id: MetricId::Cost,
            of,
            name: Cow::Owned(name),
            meaning: Cow::Owned(meaning),
            better: Direction::Lower,
            is_share: false,
            measure: How::Price(place),
        };
        let whole = format!("what the run costs, in {currency}");
        self.0.push(metric(Of::Measured, COST.to_owned(), whole, None));
        self.0.extend(each.keys().enumerate().map(|(place, name)| {
            let part = format!("what of that is {name}, in {currency}");
            metric(Of::Price(place), format!("{COST}.{name}"), part, Some(place))
        }));
        self
    }

    /// Those that every run has.
    #[must_use]
    pub fn of_runs() -> Metrics {
        Metrics::new(&[], None, &[])
    }

    /// The place of the metric of this name, or of the one that was called so.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        let name = now_called(name).unwrap_or(name);
        self.iter().position(|metric| metric.name == name)
    }

    /// The place of this metric.
    #[must_use]
    pub fn place(&self, of: Of, id: MetricId) -> Option<usize> {
        self.iter().position(|metric| (metric.of, metric.id) == (of, id))
    }
}

impl Deref for Metrics {
    type Target = [Metric];

    fn deref(&self) -> &[Metric] {
        &self.0
    }
}

impl Metric {
    /// Whether it is measured from replies, and not from requests on their way to a milestone.
    #[must_use]
    pub fn is_of_replies(&self) -> bool {
        matches!(self.measure, How::Run(_))
    }

    /// Of a percentile of the time to a milestone, the place of that and which percentile it is.
    pub(in crate::experiment) fn percentile(&self) -> Option<(usize, f64)> {
        let How::Milestone(place, _) = self.measure else { return None };
        match self.id {
            MetricId::LatencyP50Ms => Some((place, 0.5)),
            MetricId::LatencyP99Ms => Some((place, 0.99)),
            MetricId::LatencyP999Ms => Some((place, 0.999)),
            _ => None,
        }
    }

    /// Of the mean time to a milestone, the place of that.
    pub(in crate::experiment) fn mean_time(&self) -> Option<usize> {
        match self.measure {
            How::Milestone(place, _) if self.id == MetricId::LatencyMeanMs => Some(place),
            How::Milestone(..) | How::Objective(..) | How::Run(_) | How::Price(_) => None,
        }
    }

    /// Its value in a run that has just ended.
    pub(super) fn value(&self, cell: &Cell, run: &RunResult) -> Option<f64> {
        match self.measure {
            How::Run(measure) => measure(cell, run),
            How::Milestone(place, measure) => {
                measure(cell, run, run.metrics.milestones.get(place)?)
            }
            How::Objective(place, measure) => {
                measure(&cell.objectives.list[place].account(&run.metrics, &cell.measure)?)
            }
            How::Price(None) => cell.prices.as_ref()?.total(cell, run),
            How::Price(Some(place)) => cell.prices.as_ref()?.part(place, cell, run),
        }
    }
}

impl Row {
    fn metric(&self, of: Of, name: Cow<'static, str>) -> Metric {
        Metric {
            id: self.id,
            of,
            name,
            meaning: Cow::Borrowed(self.meaning),
            better: self.better,
            is_share: self.is_share,
            measure: How::Run(self.measure),
        }
    }
}

impl MilestoneRow {
    fn metric(
        &self,
        (of, place): (Of, usize),
        name: Cow<'static, str>,
        meaning: Cow<'static, str>,
    ) -> Metric {
        Metric {
            id: self.id,
            of,
            name,
            meaning,
            better: self.better,
            is_share: self.is_share,
            measure: How::Milestone(place, self.measure),
        }
    }
}

impl ObjectiveRow {
    fn metric(&self, place: usize, objective: &str) -> Metric {
        Metric {
            id: self.id,
            of: Of::Objective(place),
            name: Cow::Owned(format!("{objective}.{}", self.name)),
            meaning: Cow::Borrowed(self.meaning),
            better: self.better,
            is_share: self.is_share,
            measure: How::Objective(place, self.measure),
        }
    }
}

/// What the cost of a run is called, and what the names of its parts begin with.
pub const COST: &str = "cost";

/// What the metrics of replies are called where a milestone has taken their place.
pub const REPLY: &str = "reply";

/// Whether the metric of this name is a share, from 0 to 1.
#[must_use]
pub fn is_share(name: &str) -> bool {
    let name = name.rsplit_once('.').map_or(name, |(_, name)| name);
    let of_milestones = MILESTONE_ROWS.iter().map(|row| (row.name, row.is_share));
    let of_objectives = OBJECTIVE_ROWS.iter().map(|row| (row.name, row.is_share));
    let rows = ROWS.iter().chain(&BLAST_ROWS).map(|row| (row.name, row.is_share));
    let rows = rows.chain(of_milestones).chain(of_objectives);
    rows.filter(|(own, _)| *own == name).any(|(_, is_share)| is_share)
}

/// Whether a metric of every run, of twins, of milestones or of objectives has this name.
pub(in crate::experiment) fn is_metric(name: &str) -> bool {
    let rows = ROWS.iter().chain(&BLAST_ROWS).map(|row| row.name);
    let rows = rows.chain(MILESTONE_ROWS.iter().map(|row| row.name));
    rows.chain(OBJECTIVE_ROWS.iter().map(|row| row.name)).any(|own| own == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_stands_at_the_place_of_its_id() {
        for metrics in [Metrics::of_runs(), Metrics::new(&["paid", "sent"], Some(1), &["slo"])] {
            for (place, row) in ROWS.iter().enumerate() {
                assert_eq!((metrics[place].id, row.id.place()), (row.id, place), "{}", row.name);
                assert_eq!(metrics.place(Of::Measured, row.id), Some(place));
            }
        }
    }

    #[test]
    fn what_a_milestone_replaces_stands_beside_it_as_that_of_replies() {
        let metrics = Metrics::new(&["paid", "sent"], Some(1), &[]);
        let shown = |name: &str| metrics.find(name).map(|place| metrics[place].meaning.clone());
        assert!(shown("success_ratio").is_some_and(|meaning| meaning.ends_with("of sent")));
        assert!(shown("reply.success_ratio").is_some_and(|meaning| meaning.contains("answered")));
        assert!(shown("paid.latency_p99_ms").is_some() && shown("sent.unfinished").is_some());
        assert_eq!(shown("reply.unfinished"), None);
        assert!(is_share("paid.unfinished_ratio") && !is_share("paid.unfinished"));
        assert_eq!(Metrics::new(&["paid"], None, &[]).find("reply.success_ratio"), None);
    }
}
