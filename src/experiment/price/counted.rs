//! What can have a price: what is counted in a run.

use crate::experiment::run::result::RunResult;
use crate::metric::{Account, Progress};

/// Something that is counted in a run, by the names of a program.
#[derive(Clone, Debug)]
pub enum Counted {
    /// For how long users arrive, in nanoseconds.
    Time,
    /// The same, for each of so many instances.
    Instances(u64),
    /// From the first fault until what is measured fares as before, in nanoseconds; to the last
    /// arrival, if it never does.
    UntilRecovered,
    /// Attempts at these edges.
    Attempts(Vec<usize>),
    /// Violations of the promise at this place.
    Violations(usize),
    /// Requests on their way to the milestone at this place.
    Milestone(usize, fn(&Progress) -> u64),
    /// Events of the objective at this place.
    Objective(usize, fn(&Account) -> u64),
    /// A whole number of the run.
    Count(fn(&RunResult) -> u64),
}

impl Counted {
    /// Whether it is a length of time, in nanoseconds.
    #[must_use]
    pub fn is_time(&self) -> bool {
        matches!(self, Counted::Time | Counted::Instances(_) | Counted::UntilRecovered)
    }

    /// Whether it counts what went wrong, so that who does less does not pay less.
    #[must_use]
    pub fn is_loss(&self, what: &str) -> bool {
        const LOSSES: [&str; 7] =
            ["failed", "unanswered", "late", "bad", "unhandled", "commits_lost", "dead_letters"];
        let name = what.rsplit_once('.').map_or(what, |(_, name)| name);
        matches!(self, Counted::Violations(_)) || LOSSES.contains(&name)
    }
}
