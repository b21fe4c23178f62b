//! Facts in plain words.

use super::{Mark, Teller};
use crate::model::program::{EdgeId, LabelId, NodeId, TableId};
use crate::policy::{Denial, Outcome};
use crate::report::number::{Unit, number};
use crate::system::fact::{Caching, Deed, Fact, Refusal, Work};

/// What an outcome is called.
pub(in crate::report) fn outcome(outcome: Outcome) -> String {
    outcome.to_string().replace('_', " ")
}

pub(in crate::report) fn refusal(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Full => "its waiting line is full",
        Refusal::Shed => "it waited too long in line and is shed",
        Refusal::Expired => "the caller would be gone before it is done",
        Refusal::RateLimit => "its rate limit is used up",
        Refusal::Limit => "as many are at work as its learned limit allows",
        Refusal::TooLong => "it waited for a worker as long as it may",
        Refusal::NoPlace => "it waited for a place of a pool as long as it may",
    }
}

impl Teller<'_> {
    /// Where a fact happened, what kind of thing it is, and what it says; nothing of facts that
    /// messages tell already, or that are of no concern to an order.
    pub(super) fn words(&self, fact: &Fact) -> Option<(Option<NodeId>, Mark, String)> {
        let words = self.of_users(fact).or_else(|| self.of_calls(fact));
        let words = words.or_else(|| self.of_writes(fact)).or_else(|| self.of_reads(fact));
        let (mark, text) = words.or_else(|| self.of_messages(fact)).or_else(|| of_others(fact))?;
        let node = match fact {
            // They concern the order as a whole.
            Fact::Outboxed { .. } | Fact::Unprocessed(_) => None,
            _ => fact.node(self.program).or(self.user),
        };
        Some((node, mark, text))
    }

    /// The name of a table without that of its database.
    fn table(&self, table: TableId) -> &str {
        let name = &self.program.tables[table.0 as usize].name;
        name.split_once('.').map_or(name.as_str(), |(_, short)| short)
    }

    /// What is asked for over an edge.
    fn operation(&self, edge: EdgeId) -> &str {
        &self.program.operation(self.program.edge(edge).operation).name
    }

    fn label(&self, label: LabelId) -> &str {
        &self.program.labels[label.0 as usize]
    }

    /// What users did and were told.
    fn of_users(&self, fact: &Fact) -> Option<Words> {
        match *fact {
            Fact::Requested(request) => {
                let name = &self.program.operation(request.operation).name;
                said(Mark::Telling, format!("a user asks for {name}"))
            }
            Fact::Answered { outcome, .. } if outcome.is_silence() => {
                said(Mark::Wrong, "the user gives up".to_owned())
            }
            Fact::Answered { request, outcome: answer, attempts } => {
                let of = &self.program.operation(request.operation).name;
                let after = if attempts > 1 {
                    format!(" after {attempts} attempts")
                } else {
                    String::new()
                };
                let mark = if answer == Outcome::Ok { Mark::Telling } else { Mark::Wrong };
                said(mark, format!("the user is told of {of}: {}{after}", outcome(answer)))
            }
            Fact::Unanswered(_) => {
                said(Mark::Wrong, "the user still waits when the run ends".to_owned())
            }
            Fact::TurnedAway { .. } => {
                let text = "the user finds the client down and leaves";
                said(Mark::Wrong, text.to_owned())
            }
            Fact::Diverted { .. } => {
                said(Mark::Fault, "a fault makes the user be about the hot key".to_owned())
            }
            Fact::ReadBack { seen, own, .. } if seen < own => said(
                Mark::Wrong,
                format!("the user is shown version {seen}, and knows of version {own}"),
            ),
            Fact::ReadAgain { seen, highest, .. } if seen < highest => said(
                Mark::Wrong,
                format!("the user is shown version {seen} after version {highest}"),
            ),
            _ => None,
        }
    }

    /// What became of calls, and of the work on them.
    fn of_calls(&self, fact: &Fact) -> Option<Words> {
        match *fact {
            Fact::Denied { edge, attempt, denial, .. } => {
                let of = self.operation(edge);
                let why = denied(denial);
                let text = format!("its policy denies attempt {attempt} at {of}: {why}");
                said(Mark::Wrong, text)
            }
            Fact::Settled { edge, attempt, outcome, .. } if outcome.is_silence() => {
                let of = self.operation(edge);
                let text = format!(
                    "attempt {attempt} at {of} times out: whether it was done, nobody here knows"
                );
                said(Mark::Wrong, text)
            }
            Fact::Stale { attempt, .. } => {
                let text = format!("the answer to attempt {attempt} comes too late to be heard");
                said(Mark::Wrong, text)
            }
            Fact::Refused { refusal: why, .. } => {
                said(Mark::Wrong, format!("refuses: {}", refusal(why)))
            }
            Fact::Worked(Work { span, awaited: false, .. }) => {
                let worked = number(span.seconds(), Unit::Seconds);
                let text = format!("ends {worked} of work for which nobody waits any more");
                said(Mark::Wrong, text)
            }
            Fact::NobodyThere { refused, .. } => {
                let text = if refused { "is down: its host refuses" } else { "is down: no answer" };
                said(Mark::Wrong, text.to_owned())
            }
            _ => None,
        }
    }

    /// What became of rows that were written.
    fn of_writes(&self, fact: &Fact) -> Option<Words> {
        match *fact {
            Fact::Committed { table: of, state, version, .. } => {
                let name = self.table(of);
                said(
                    Mark::Kept,
                    format!("commits {name} = {} (version {version})", self.label(state)),
                )
            }
            Fact::Repeated { .. } => {
                said(Mark::Telling, "has done this before: nothing changes".to_owned())
            }
            Fact::Conflict { .. } => {
                let text = "the row has changed since it was read: nothing is written";
                said(Mark::Wrong, text.to_owned())
            }
            Fact::StaleEpoch { accepted, .. } => {
                let text = match accepted {
                    true => "writes although a replica has taken its place: nothing fences it off",
                    false => "refuses to write: a replica has taken its place",
                };
                said(Mark::Wrong, text.to_owned())
            }
            Fact::Overwrote { table: of, is_lost: true, .. } => {
                let name = self.table(of);
                said(Mark::Wrong, format!("overwrites a version of {name} that was not read"))
            }
            Fact::CommitLost { .. } => {
                said(Mark::Wrong, "a committed transaction is gone".to_owned())
            }
            Fact::WriteLost { table: of, state, version, .. } => {
                let name = self.table(of);
                let text = format!("{name} = {} (version {version}) is gone", self.label(state));
                said(Mark::Wrong, text)
            }
            Fact::LogLost { transactions, .. } if transactions > 0 => {
                let text = format!("loses {transactions} transactions that were not on disk");
                said(Mark::Wrong, text)
            }
            _ => None,
        }
    }

    /// What was read, and what caches and replicas had.
    fn of_reads(&self, fact: &Fact) -> Option<Words> {
        match *fact {
            Fact::Read { table: of, seen, newest, .. } => {
                let name = self.table(of);
                let (mark, text) = match (seen, newest) {
                    (0, 0) => (Mark::Plain, format!("finds no {name}")),
                    (0, _) => (Mark::Wrong, format!("finds no {name}; there is version {newest}")),
                    _ if seen < newest => (
                        Mark::Wrong,
                        format!("reads {name} version {seen}; the newest is {newest}"),
                    ),
                    _ => (Mark::Plain, format!("reads {name} version {seen}")),
                };
                said(mark, text)
            }
            Fact::Caching(Caching { table: of, deed, .. }) => {
                let name = self.table(of);
                let (mark, text) = match deed {
                    Deed::Keeps(version) => {
                        (Mark::Plain, format!("keeps {name} version {version}"))
                    }
                    Deed::KeepsNothing => {
                        (Mark::Plain, format!("keeps that there is no {name} yet"))
                    }
                    Deed::FindsNothing => {
                        (Mark::Plain, format!("has nothing to keep: there is no {name} yet"))
                    }
                    Deed::Refuses => {
                        (Mark::Plain, format!("does not keep {name}: the lease is gone"))
                    }
                    Deed::Forgets => (Mark::Telling, format!("is told to forget {name}")),
                };
                said(mark, text)
            }
            Fact::CacheFlushed { rows, .. } => {
                said(Mark::Wrong, format!("is emptied of {rows} rows"))
            }
            Fact::Corrupted { rows, .. } => {
                said(Mark::Wrong, format!("{rows} rows fall back by one version"))
            }
            _ => None,
        }
    }

    /// What became of events and messages.
    fn of_messages(&self, fact: &Fact) -> Option<Words> {
        match *fact {
            Fact::Outboxed { event, .. } => {
                said(Mark::Telling, format!("outbox: event {} is written", self.label(event)))
            }
            Fact::Enqueued { .. } => said(Mark::Telling, "accepts the message".to_owned()),
            Fact::Acknowledged { .. } => said(Mark::Telling, "is done with the message".to_owned()),
            Fact::DeadLettered { .. } => {
                let text = "puts the message aside: received too often";
                said(Mark::Wrong, text.to_owned())
            }
            Fact::Expired { .. } => said(Mark::Wrong, "drops the message: too old".to_owned()),
            Fact::MessageLost { .. } => {
                said(Mark::Wrong, "loses the message: it was in memory only".to_owned())
            }
            Fact::Unprocessed(_) => {
                said(Mark::Telling, "when the run ends, work for this order is not done".to_owned())
            }
            _ => None,
        }
    }
}

/// What providers answered, and what happened to nodes.
fn of_others(fact: &Fact) -> Option<Words> {
    match *fact {
        Fact::Replayed { outcome: answer, .. } => {
            let answer = outcome(answer);
            let text = format!("knows the key: answers {answer} as before and does nothing");
            said(Mark::Telling, text)
        }
        Fact::Throttled { .. } => {
            said(Mark::Wrong, "is called more often than it allows".to_owned())
        }
        Fact::Mismatched { .. } => said(Mark::Wrong, "knows the key from another order".to_owned()),
        Fact::Failed { after_effect, .. } => {
            let when = if after_effect { "after the effect" } else { "before any effect" };
            said(Mark::Wrong, format!("fails {when}"))
        }
        Fact::Crashed { instance, .. } => {
            said(Mark::Wrong, format!("instance {instance} crashes: its memory is gone"))
        }
        Fact::Restarted { instance, .. } => {
            said(Mark::Fault, format!("instance {instance} starts again"))
        }
        Fact::Paused { instance, span, .. } => {
            let text = format!("instance {instance} stands still for {:.0} ms", span.millis());
            said(Mark::Wrong, text)
        }
        _ => None,
    }
}

/// What kind of thing it is, and what.
type Words = (Mark, String);

fn said(mark: Mark, text: String) -> Option<Words> {
    Some((mark, text))
}

/// Why a policy did not make an attempt.
pub(in crate::report) fn denied(denial: Denial) -> &'static str {
    match denial {
        Denial::BreakerOpen => "the breaker is open",
        Denial::Budget => "the budget is used up",
        Denial::Bulkhead => "the bulkhead has no room",
        Denial::NoConnection => "no connection is free",
        Denial::RateLimit => "the rate limit is reached",
        Denial::Throttling => "it throttles itself",
        Denial::Limit => "the concurrency limit is reached",
        Denial::NoInstance => "every instance is ejected",
        Denial::Deadline => "no time is left",
        Denial::CallerLost => "its process has died",
    }
}
