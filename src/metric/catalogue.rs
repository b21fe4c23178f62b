//! Every metric: what it is called, what it is in, which way it is good, and what it means.

use crate::statistics::verdict::Direction;

/// What a metric is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number of things, or one number for each of another.
    Number,
    /// A share, from 0 to 1.
    Share,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// So many a second.
    PerSecond,
}

impl Unit {
    /// The factor to the unit in which numbers are shown and theory counts: that of milliseconds is
    /// the second.
    #[must_use]
    pub fn to_base(self) -> f64 {
        match self {
            Unit::Milliseconds => 1e-3,
            Unit::Number | Unit::Share | Unit::Seconds | Unit::PerSecond => 1.0,
        }
    }
}

/// A metric as tables know it.
#[derive(Clone, Copy, Debug)]
pub struct MetricRow {
    /// Which one it is.
    pub id: MetricId,
    /// Its name in results, which ends in its unit.
    pub name: &'static str,
    /// What it is in.
    pub unit: Unit,
    /// Which way it is good.
    pub better: Direction,
    /// What it is.
    pub meaning: &'static str,
}

macro_rules! metrics {
    ($($id:ident = $name:literal, $unit:ident, $better:ident, $meaning:literal;)*) => {
        /// Which number of a run a metric is, whatever results call it. In the order of the
        /// columns; what only milestones, objectives, twins and prices have is last.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum MetricId {
            $(#[doc = $meaning] $id,)*
        }

        /// Each at the place of its id.
        const ROWS: &[MetricRow] = &[
            $(MetricRow {
                id: MetricId::$id,
                name: $name,
                unit: Unit::$unit,
                better: Direction::$better,
                meaning: $meaning,
            },)*
        ];
    };
}

metrics! {
    Amplification = "amplification", Number, Lower,
        "attempts of the load on behalf of measured requests, for each of these requests";
    EdgeAmplification = "edge_amplification", Number, Lower,
        "attempts of the load per call at its own edge, on behalf of measured requests";
    UserAmplification = "user_amplification", Number, Lower,
        "attempts that users' clients made per measured request";
    SuccessRatio = "success_ratio", Share, Higher,
        "measured requests answered ok in time, of all of them that were answered";
    UnfinishedRatio = "unfinished_ratio", Share, Lower,
        "measured requests without an answer when the run ended, of all measured requests";
    GoodputBeforePerS = "goodput_before_per_s", PerSecond, Higher,
        "requests answered ok a second before the first fault";
    GoodputDuringPerS = "goodput_during_per_s", PerSecond, Higher,
        "requests answered ok a second from the first fault to the end of the last";
    GoodputAfterPerS = "goodput_after_per_s", PerSecond, Higher,
        "requests answered ok a second from the end of the last fault to the last arrival";
    GoodputPerS = "goodput_per_s", PerSecond, Higher,
        "measured requests answered ok a second of the measured time";
    LatencyMeanMs = "latency_mean_ms", Milliseconds, Lower,
        "mean time from a request's first attempt to its ok answer";
    LatencyP50Ms = "latency_p50_ms", Milliseconds, Lower,
        "median time from a request's first attempt to its ok answer";
    LatencyP99Ms = "latency_p99_ms", Milliseconds, Lower, "99th percentile of that time";
    LatencyP999Ms = "latency_p999_ms", Milliseconds, Lower, "99.9th percentile of that time";
    LastAnswerS = "last_answer_s", Seconds, Lower,
        "time from the start of the run to the last answer to a measured request";
    TimeoutsPerRequest = "timeouts_per_request", Number, Lower,
        "attempts of the load that timed out, for each measured request";
    WaitMeanMs = "wait_mean_ms", Milliseconds, Lower,
        "mean time that attempts of the load waited for a worker";
    WaitP99Ms = "wait_p99_ms", Milliseconds, Lower, "99th percentile of that time";
    QueuedRatio = "queued_ratio", Share, Lower,
        "attempts of the load that had to wait for a worker, of all that came to a node";
    RefusedFirstRatio = "refused_first_ratio", Share, Lower,
        "first attempts of the load that no worker took up, of all that came to a node";
    RefusedAgainRatio = "refused_again_ratio", Share, Lower,
        "retries of the load that no worker took up, of all that came to a node";
    WaitingMean = "waiting_mean", Number, Lower,
        "attempts of the load that waited for a worker, averaged over the measured time";
    WorkingMean = "working_mean", Number, Lower,
        "workers taken by attempts of the load, averaged over the measured time";
    InFlightMean = "in_flight_mean", Number, Lower,
        "requests without an answer yet, averaged over the measured time";
    RecoveryS = "recovery_s", Seconds, Lower,
        "time from the end of the last fault until requests fare as before and stay so; only of \
         the runs that recovered";
    WastedWork = "wasted_work", Share, Lower,
        "share of service time spent on work for which nobody waited any more";
    Ejections = "ejections", Number, Lower,
        "instances that processes left out of their balancing because they failed";
    Panics = "panics", Number, Lower, "requests sent to any instance because too few were healthy";
    OldestMessageS = "oldest_message_s", Seconds, Lower,
        "longest time that a message's work was due before it was done with";
    DeadLetters = "dead_letters", Number, Lower,
        "messages put aside because they were received too often";
    Unprocessed = "unprocessed", Number, Lower,
        "messages and outbox events that were not done with when the run ended";
    ReadYourWritesViolationRatio = "read_your_writes_violation_ratio", Share, Lower,
        "reads of a user's own write that showed an older version, of all such reads";
    StaleRowRatio = "stale_row_ratio", Share, Lower,
        "rows read that were older than the newest version committed, of all rows read";
    StalenessP99Ms = "staleness_p99_ms", Milliseconds, Lower,
        "99th percentile of how long a newer version had been there when a row was read";
    UpdatesLost = "updates_lost", Number, Lower,
        "transactions that overwrote a version that their handlers had not read";
    CommitsLost = "commits_lost", Number, Lower, "committed transactions that a failover lost";
    MonotonicReadsViolationRatio = "monotonic_reads_violation_ratio", Share, Lower,
        "reads that showed an older version than the user had seen, of all that could";
    WorstAmplification = "worst_amplification", Number, Lower,
        "attempts at the edge where retries multiply most, for each without any retry";
    PeakLoadPerS = "peak_load_per_s", PerSecond, Lower,
        "the most attempts of the load a second, in one window";
    Unhandled = "unhandled", Number, Lower,
        "messages and outbox events whose work was not done: left over when the run ended, put \
         aside, expired or lost";
    PoolWaitP99Ms = "pool_wait_p99_ms", Milliseconds, Lower,
        "99th percentile of the time that handlers waited for a place of a pool";
    PoolTimeouts = "pool_timeouts", Number, Lower,
        "handlers that waited for a place of a pool in vain";
    ConnectionsOpened = "connections_opened", Number, Lower,
        "connections that processes opened, where their policies limit them";
    Unfinished = "unfinished", Number, Lower,
        "measured requests on their way to the milestone when the run ended";
    GoodRatio = "good_ratio", Share, Higher, "good events or slices of all that were good or bad";
    BadEvents = "bad_events", Number, Lower, "bad events or slices";
    BudgetConsumed = "budget_consumed", Number, Lower,
        "share of the error budget of the whole window that the run uses up";
    BurnRateMax = "burn_rate_max", Number, Lower,
        "greatest burn rate over a burn window: the share of bad events, divided by the share \
         that may be bad";
    TimeToExhaustionS = "time_to_exhaustion_s", Seconds, Higher,
        "how long a whole error budget lasts at that rate; none where nothing burns";
    DegradedRatio = "degraded_ratio", Share, Lower,
        "answers in time that a degraded fallback served, of all answers that are events";
    WorseRatio = "worse_ratio", Share, Lower,
        "requests that fared worse than without the cause, of all that were good without it";
    WorseInFaultRatio = "worse_in_fault_ratio", Share, Lower,
        "the same of the requests that were asked while the cause acted";
    WorseUsersRatio = "worse_users_ratio", Share, Lower,
        "users with a request that fared worse, of all with one that was good without the cause";
    WorseKeysRatio = "worse_keys_ratio", Share, Lower,
        "keys with a request that fared worse, of all with one that was good without the cause";
    WorseForS = "worse_for_s", Seconds, Lower,
        "for how long after the cause was over requests were asked that fared worse";
    NodesReached = "nodes_reached", Number, Lower,
        "nodes that did something else than without the cause, or at another time";
    SpreadS = "spread_s", Seconds, Lower,
        "time from the beginning of the cause until the last of these nodes did";
    Cost = "cost", Number, Lower, "what a run costs";
}

/// The metrics of a milestone, in the order of the columns, and what they mean there.
pub const OF_MILESTONES: [(MetricId, &str); 12] = [
    (
        MetricId::SuccessRatio,
        "measured requests that reached the milestone in time, of all that did or failed",
    ),
    (MetricId::GoodputBeforePerS, "milestones reached in time a second before the first fault"),
    (
        MetricId::GoodputDuringPerS,
        "milestones reached in time a second from the first fault to the end of the last",
    ),
    (
        MetricId::GoodputAfterPerS,
        "milestones reached in time a second from the end of the last fault to the last arrival",
    ),
    (
        MetricId::GoodputPerS,
        "milestones reached in time a second, from the warm-up to the last arrival, whenever they \
         were asked for",
    ),
    (
        MetricId::LatencyMeanMs,
        "mean time from a request's first attempt to the milestone; none where any is unfinished",
    ),
    (MetricId::LatencyP50Ms, "median time from a request's first attempt to the milestone"),
    (MetricId::LatencyP99Ms, "99th percentile of the time to the milestone"),
    (MetricId::LatencyP999Ms, "99.9th percentile of the time to the milestone"),
    (
        MetricId::RecoveryS,
        "time from the end of the last fault until requests reach the milestone as before and \
         stay so; only of the runs that recovered",
    ),
    own(MetricId::Unfinished),
    (MetricId::UnfinishedRatio, "these, of all measured requests"),
];

/// The metrics of an objective, in the order of the columns, and what they mean there.
pub const OF_OBJECTIVES: [(MetricId, &str); 7] = [
    own(MetricId::GoodRatio),
    own(MetricId::BadEvents),
    own(MetricId::BudgetConsumed),
    own(MetricId::BurnRateMax),
    own(MetricId::TimeToExhaustionS),
    own(MetricId::DegradedRatio),
    (MetricId::UnfinishedRatio, "events or slices of which it is not known yet, of all"),
];

/// A metric that nothing else has.
const fn own(id: MetricId) -> (MetricId, &'static str) {
    (id, ROWS[id as usize].meaning)
}

/// The metrics that every run has, in the order of the columns.
#[must_use]
pub fn of_runs() -> &'static [MetricRow] {
    &ROWS[..=MetricId::ConnectionsOpened.place()]
}

/// The metrics of runs that are compared with their twins, in the order of the columns.
#[must_use]
pub fn of_twins() -> &'static [MetricRow] {
    &ROWS[MetricId::WorseRatio.place()..=MetricId::SpreadS.place()]
}

impl MetricId {
    /// What is known of it.
    #[must_use]
    pub fn row(self) -> &'static MetricRow {
        &ROWS[self as usize]
    }

    /// Its name in results, with its unit.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Its place among the metrics of every campaign, if every run has it.
    #[must_use]
    pub const fn place(self) -> usize {
        self as usize
    }

    /// The metric of this name, of whatever that is.
    #[must_use]
    pub fn named(name: &str) -> Option<MetricId> {
        ROWS.iter().find(|row| row.name == name).map(|row| row.id)
    }

    /// Which percentile it is, from 0 to 1, if it can be one of all runs of a cell together.
    #[must_use]
    pub fn percentile(self) -> Option<f64> {
        match self {
            MetricId::LatencyP50Ms => Some(0.5),
            MetricId::LatencyP99Ms | MetricId::WaitP99Ms | MetricId::StalenessP99Ms => Some(0.99),
            MetricId::LatencyP999Ms => Some(0.999),
            _ => None,
        }
    }
}
