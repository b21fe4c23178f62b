//! What a part of a model meets: the failure that it contains, and the one that it brings in.

use toml::{Table, Value};

use super::part::{Part, PartKind};
use crate::kernel::time::Span;
use crate::metric::MetricId;

/// A failure that runs are given, and what tells how they fare.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The name of its level in experiments.
    pub level: &'static str,
    /// That of the level at which the model without the part meets the same: of a region without
    /// the other one all is lost.
    pub level_without: &'static str,
    /// What happens, in words.
    pub label: String,
    /// What tells how runs fare under it.
    pub metrics: &'static [MetricId],
    pub(super) faults: Vec<Table>,
}

/// How much slower something gets: a dependency that answers, but as if it did not.
const SLOWER: i64 = 200;
/// How much later a replica applies what it hears.
const LATER: &str = "10s";

const ANSWERS: &[MetricId] =
    &[MetricId::SuccessRatio, MetricId::LatencyMeanMs, MetricId::LatencyP99Ms];
const BACKLOG: &[MetricId] = &[MetricId::OldestMessageS, MetricId::Unhandled];
const STALE: &[MetricId] = &[MetricId::StaleRowRatio, MetricId::StalenessP99Ms];
const OWN: &[MetricId] = &[MetricId::StaleRowRatio, MetricId::ReadYourWritesViolationRatio];

/// When failures begin, and for how long they last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct When {
    pub(super) at: Span,
    pub(super) lasts: Span,
}

/// The failure that a part contains, and the one that it introduces.
pub(super) fn failures(part: &Part, when: When) -> [Failure; 2] {
    let struck = part.struck.join("`, `");
    let slow = |metrics| Failure {
        level: "slow",
        level_without: "slow",
        label: format!("`{struck}` {SLOWER} times slower for {}", when.lasts),
        metrics,
        faults: part
            .struck
            .iter()
            .map(|target| fault("slow", target, when, &[("factor", SLOWER.into())]))
            .collect(),
    };
    let down = |what: &str, metrics| Failure {
        level: "down",
        level_without: "down",
        label: format!("{what} gone for {}", when.lasts),
        metrics,
        faults: part
            .struck
            .iter()
            .map(|target| fault("crash", target, when, &[("unreachable", true.into())]))
            .collect(),
    };
    let calm = |metrics| Failure {
        level: "calm",
        level_without: "calm",
        label: "without any fault".to_owned(),
        metrics,
        faults: Vec::new(),
    };
    let behind = part.is_behind_a_queue;
    match part.kind {
        PartKind::Call if behind => [calm(&[]), slow(BACKLOG)],
        PartKind::Call => [calm(&[]), slow(ANSWERS)],
        PartKind::Queue => {
            let consumers = format!("`{struck}`");
            [down(&consumers, ANSWERS), down(&consumers, BACKLOG)]
        }
        PartKind::Cache => [slow(ANSWERS), calm(STALE)],
        PartKind::Replica => [slow(ANSWERS), late(part, when)],
        PartKind::Projection => [slow(ANSWERS), again(part, when)],
        PartKind::Region => {
            let region = format!("region `{}`", part.name);
            let lost = Failure { level_without: ALL_DOWN, ..down(&region, ANSWERS) };
            [lost, calm(ANSWERS)]
        }
    }
}

/// The level at which every place that has a region is lost.
pub(super) const ALL_DOWN: &str = "all_down";

/// The loss of the only region, where there is no second one.
pub(super) fn all_down(part: &Part, when: When) -> Vec<Table> {
    let targets = part.struck.iter().chain(&part.beside);
    targets.map(|target| fault("crash", target, when, &[("unreachable", true.into())])).collect()
}

fn late(part: &Part, when: When) -> Failure {
    Failure {
        level: "late",
        level_without: "late",
        label: format!("`{}` {LATER} later for {}", part.name, when.lasts),
        metrics: OWN,
        faults: vec![fault("replica_lag", &part.name, when, &[("added", LATER.into())])],
    }
}

fn again(part: &Part, when: When) -> Failure {
    let since = Value::String(when.lasts.to_string());
    let burst = |queue: &String| {
        let mut fault = fault("redelivery_burst", queue, when, &[("since", since.clone())]);
        fault.remove("for");
        fault
    };
    Failure {
        level: "again",
        level_without: "again",
        label: format!("`{}` delivers {} again", part.beside.join("`, `"), when.lasts),
        metrics: &[],
        faults: part.beside.iter().map(burst).collect(),
    }
}

fn fault(kind: &str, target: &str, when: When, strength: &[(&str, Value)]) -> Table {
    let mut fault = Table::new();
    fault.insert("kind".to_owned(), kind.into());
    fault.insert("target".to_owned(), target.into());
    fault.insert("at".to_owned(), when.at.to_string().into());
    fault.insert("for".to_owned(), when.lasts.to_string().into());
    fault.extend(strength.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
    fault
}
