//! What must happen at least once in a campaign, or the campaign has shown less than it seems to.

use std::fmt;
use std::str::FromStr;

use crate::experiment::measure::count::{Count, count};
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::fault::FaultKind;
use crate::metric::{Recovery, RunMetrics};
use crate::policy::OutcomeKind;

/// Something that must happen in at least one run of a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sometimes {
    /// Something that is counted: its place in the list of them.
    Counted(usize),
    /// A fault of this kind, listed or drawn, has an effect.
    Fault(FaultKind),
}

fn ended(metrics: &RunMetrics, kind: OutcomeKind) -> u64 {
    metrics.edges.iter().map(|edge| edge.outcomes.of_kind(kind)).sum()
}

const RECOVERY: &str = "recovery";

/// Every name but those of faults.
const COUNTED: [Count; 30] = [
    count("request_failed", |run| run.metrics.failed.total()),
    count("attempt_timed_out", |run| ended(&run.metrics, OutcomeKind::TimedOut)),
    count("attempt_denied", |run| run.metrics.edges.iter().map(|edge| edge.denied).sum()),
    count("attempt_repeated", |run| {
        run.metrics.edges.iter().map(|edge| (edge.attempts + edge.denied) - edge.calls).sum()
    }),
    count("late_reply", |run| run.metrics.edges.iter().map(|edge| edge.stale).sum()),
    count("request_refused", |run| run.metrics.refused),
    count("request_lost", |run| run.metrics.lost[0]),
    count("reply_lost", |run| run.metrics.lost[1]),
    count("message_duplicated", |run| run.metrics.duplicated.iter().sum()),
    count("message_redelivered", |run| run.metrics.redelivered),
    count("message_dead_lettered", |run| run.metrics.dead_letters),
    count("message_expired", |run| run.metrics.expired),
    count("message_lost", |run| run.metrics.lost_messages),
    count("effect", |run| run.metrics.effects),
    count("effect_replayed", |run| run.metrics.replayed.iter().sum()),
    count("effect_then_error", |run| run.metrics.made_to_fail[1]),
    count("error_before_effect", |run| run.metrics.made_to_fail[0]),
    count("throttled", |run| run.metrics.throttled),
    count("key_mismatch", |run| run.metrics.mismatched),
    count("stale_read", |run| run.metrics.stale_reads),
    count("older_read", |run| run.metrics.older_reads),
    count("update_lost", |run| run.metrics.updates_lost),
    count("conflict", |run| run.metrics.conflicts),
    count("commit_lost", |run| run.metrics.commits_lost),
    count("log_lost", |run| run.metrics.lost_transactions),
    count("crash", |run| run.metrics.crashes),
    count("kill", |run| run.metrics.kills),
    count("pause", |run| run.metrics.pauses),
    count("nobody_there", |run| run.metrics.nobody_there.iter().sum()),
    count(RECOVERY, |run| u64::from(matches!(run.recovery, Recovery::After(_)))),
];

impl Sometimes {
    /// Every name.
    #[must_use]
    pub fn names() -> Vec<String> {
        let counted = COUNTED.iter().map(|counted| counted.name.to_owned());
        counted.chain(FaultKind::ALL.map(|kind| format!("fault {}", kind.name()))).collect()
    }

    /// Whether it is that a run recovers.
    #[must_use]
    pub fn is_of_recovery(&self) -> bool {
        matches!(self, Sometimes::Counted(index) if COUNTED[*index].name == RECOVERY)
    }

    /// Whether it happened in a run of a cell.
    #[must_use]
    pub fn happened(self, cell: &Cell, run: &RunResult) -> bool {
        match self {
            Sometimes::Counted(index) => (COUNTED[index].value)(run) > 0,
            Sometimes::Fault(kind) => {
                let listed = cell.plan.faults.iter();
                let faults = listed.chain(run.drawn.iter().map(|drawn| &drawn.fault));
                let mut numbered = faults.enumerate();
                numbered.any(|(number, fault)| {
                    fault.kind == kind && run.metrics.times_fired(number) > 0
                })
            }
        }
    }
}

impl fmt::Display for Sometimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sometimes::Counted(index) => f.write_str(COUNTED[*index].name),
            Sometimes::Fault(kind) => write!(f, "fault {}", kind.name()),
        }
    }
}

impl FromStr for Sometimes {
    type Err = ();

    fn from_str(text: &str) -> Result<Sometimes, ()> {
        if let Some(kind) = text.strip_prefix("fault ") {
            let kind = FaultKind::ALL.into_iter().find(|known| known.name() == kind.trim());
            return kind.map(Sometimes::Fault).ok_or(());
        }
        let place = COUNTED.iter().position(|counted| counted.name == text);
        place.map(Sometimes::Counted).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_as_what_it_names() {
        let names = Sometimes::names();
        assert_eq!(names.len(), COUNTED.len() + FaultKind::ALL.len());
        for name in names {
            assert_eq!(name.parse::<Sometimes>().map(|read| read.to_string()), Ok(name));
        }
        assert_eq!("fault love".parse::<Sometimes>(), Err(()));
    }
}
