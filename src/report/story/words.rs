//! Facts in plain words.

use super::{Mark, Teller};
use crate::model::program::{LabelId, NodeId, TableId};
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
    pub(super) fn words(&self, fact: &Fact) -> Option<Words> {
        self.of_users(fact)
            .or_else(|| self.of_calls(fact))
            .or_else(|| self.of_writes(fact))
            .or_else(|| self.of_reads(fact))
            .or_else(|| self.of_messages(fact))
            .or_else(|| of_others(fact))
    }

    /// The database of a table, and its name without that.
    fn table(&self, table: TableId) -> (NodeId, &str) {
        let table = &self.program.tables[table.0 as usize];
        let short = table.name.split_once('.').map_or(table.name.as_str(), |(_, short)| short);
        (table.database, short)
    }

    fn label(&self, label: LabelId) -> &str {
        &self.program.labels[label.0 as usize]
    }

    /// What users did and were told.
    fn of_users(&self, fact: &Fact) -> Option<Words> {
        let told = |mark: Mark, text: String| Some((self.user, mark, text));
        match *fact {
            Fact::Requested(request) => {
                let name = &self.program.operation(request.operation).name;
                told(Mark::Telling, format!("a user asks for {name}"))
            }
            Fact::Answered { outcome, .. } if outcome.is_silence() => {
                told(Mark::Wrong, "the user gives up".to_owned())
            }
            Fact::Answered { request, outcome: answer, attempts } => {
                let of = &self.program.operation(request.operation).name;
                let after = if attempts > 1 {
                    format!(" after {attempts} attempts")
                } else {
                    String::new()
                };
                let mark = if answer == Outcome::Ok { Mark::Telling } else { Mark::Wrong };
                told(mark, format!("the user is told of {of}: {}{after}", outcome(answer)))
            }
            Fact::Unanswered(_) => {
                told(Mark::Wrong, "the user still waits when the run ends".to_owned())
            }
            Fact::TurnedAway { clients, .. } => {
                let text = "the user finds the client down and leaves";
                said(clients, Mark::Wrong, text.to_owned())
            }
            Fact::Diverted { clients, .. } => {
                said(clients, Mark::Fault, "a fault makes the user be about the hot key".to_owned())
            }
            Fact::ReadBack { seen, own, .. } if seen < own => told(
                Mark::Wrong,
                format!("the user is shown version {seen}, and knows of version {own}"),
            ),
            Fact::ReadAgain { seen, highest, .. } if seen < highest => told(
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
                let edge = self.program.edge(edge);
                let of = operation(&edge.name);
                let why = denied(denial);
                let text = format!("its policy denies attempt {attempt} at {of}: {why}");
                said(edge.caller, Mark::Wrong, text)
            }
            Fact::Settled { edge, attempt, outcome, .. } if outcome.is_silence() => {
                let edge = self.program.edge(edge);
                let of = operation(&edge.name);
                let text = format!(
                    "attempt {attempt} at {of} times out: whether it was done, nobody here knows"
                );
                said(edge.caller, Mark::Wrong, text)
            }
            Fact::Stale { edge, attempt, .. } => {
                let edge = self.program.edge(edge);
                let text = format!("the answer to attempt {attempt} comes too late to be heard");
                said(edge.caller, Mark::Wrong, text)
            }
            Fact::Refused { node, refusal: why, .. } => {
                said(node, Mark::Wrong, format!("refuses: {}", refusal(why)))
            }
            Fact::Worked(Work { node, span, awaited: false, .. }) => {
                let worked = number(span.seconds(), Unit::Seconds);
                let text = format!("ends {worked} of work for which nobody waits any more");
                said(node, Mark::Wrong, text)
            }
            Fact::NobodyThere { node, refused, .. } => {
                let text = if refused { "is down: its host refuses" } else { "is down: no answer" };
                said(node, Mark::Wrong, text.to_owned())
            }
            _ => None,
        }
    }

    /// What became of rows that were written.
    fn of_writes(&self, fact: &Fact) -> Option<Words> {
        match *fact {
            Fact::Committed { table: of, state, version, .. } => {
                let (node, name) = self.table(of);
                said(
                    node,
                    Mark::Kept,
                    format!("commits {name} = {} (version {version})", self.label(state)),
                )
            }
            Fact::Repeated { database, .. } => {
                said(database, Mark::Telling, "has done this before: nothing changes".to_owned())
            }
            Fact::Conflict { database, .. } => {
                let text = "the row has changed since it was read: nothing is written";
                said(database, Mark::Wrong, text.to_owned())
            }
            Fact::StaleEpoch { database, accepted, .. } => {
                let text = match accepted {
                    true => "writes although a replica has taken its place: nothing fences it off",
                    false => "refuses to write: a replica has taken its place",
                };
                said(database, Mark::Wrong, text.to_owned())
            }
            Fact::Overwrote { table: of, is_lost: true, .. } => {
                let (node, name) = self.table(of);
                said(node, Mark::Wrong, format!("overwrites a version of {name} that was not read"))
            }
            Fact::CommitLost { database, .. } => {
                said(database, Mark::Wrong, "a committed transaction is gone".to_owned())
            }
            Fact::WriteLost { table: of, state, version, .. } => {
                let (node, name) = self.table(of);
                let text = format!("{name} = {} (version {version}) is gone", self.label(state));
                said(node, Mark::Wrong, text)
            }
            Fact::LogLost { database, transactions, .. } if transactions > 0 => {
                let text = format!("loses {transactions} transactions that were not on disk");
                said(database, Mark::Wrong, text)
            }
            _ => None,
        }
    }

    /// What was read, and what caches and replicas had.
    fn of_reads(&self, fact: &Fact) -> Option<Words> {
        match *fact {
            Fact::Read { node, table: of, seen, newest, .. } => {
                let (_, name) = self.table(of);
                let (mark, text) = match (seen, newest) {
                    (0, 0) => (Mark::Plain, format!("finds no {name}")),
                    (0, _) => (Mark::Wrong, format!("finds no {name}; there is version {newest}")),
                    _ if seen < newest => (
                        Mark::Wrong,
                        format!("reads {name} version {seen}; the newest is {newest}"),
                    ),
                    _ => (Mark::Plain, format!("reads {name} version {seen}")),
                };
                said(node, mark, text)
            }
            Fact::Caching(Caching { cache, table: of, deed, .. }) => {
                let (_, name) = self.table(of);
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
                said(cache, mark, text)
            }
            Fact::CacheFlushed { cache, rows } => {
                said(cache, Mark::Wrong, format!("is emptied of {rows} rows"))
            }
            Fact::Corrupted { node, rows } => {
                said(node, Mark::Wrong, format!("{rows} rows fall back by one version"))
            }
            _ => None,
        }
    }

    /// What became of events and messages.
    fn of_messages(&self, fact: &Fact) -> Option<Words> {
        match *fact {
            Fact::Outboxed { event, .. } => {
                told_of(None, format!("outbox: event {} is written", self.label(event)))
            }
            Fact::Enqueued { queue, .. } => {
                said(queue, Mark::Telling, "accepts the message".to_owned())
            }
            Fact::Acknowledged { queue, .. } => {
                said(queue, Mark::Telling, "is done with the message".to_owned())
            }
            Fact::DeadLettered { queue, .. } => {
                let text = "puts the message aside: received too often";
                said(queue, Mark::Wrong, text.to_owned())
            }
            Fact::Expired { queue, .. } => {
                said(queue, Mark::Wrong, "drops the message: too old".to_owned())
            }
            Fact::MessageLost { queue, .. } => {
                said(queue, Mark::Wrong, "loses the message: it was in memory only".to_owned())
            }
            Fact::Unprocessed(_) => {
                told_of(None, "when the run ends, work for this order is not done".to_owned())
            }
            _ => None,
        }
    }
}

/// What providers answered, and what happened to nodes.
fn of_others(fact: &Fact) -> Option<Words> {
    match *fact {
        Fact::Replayed { provider, outcome: answer, .. } => {
            let answer = outcome(answer);
            let text = format!("knows the key: answers {answer} as before and does nothing");
            said(provider, Mark::Telling, text)
        }
        Fact::Throttled { provider, .. } => {
            said(provider, Mark::Wrong, "is called more often than it allows".to_owned())
        }
        Fact::Mismatched { provider, .. } => {
            said(provider, Mark::Wrong, "knows the key from another order".to_owned())
        }
        Fact::Failed { node, after_effect, .. } => {
            let when = if after_effect { "after the effect" } else { "before any effect" };
            said(node, Mark::Wrong, format!("fails {when}"))
        }
        Fact::Crashed { node, instance } => {
            said(node, Mark::Wrong, format!("instance {instance} crashes: its memory is gone"))
        }
        Fact::Restarted { node, instance } => {
            said(node, Mark::Fault, format!("instance {instance} starts again"))
        }
        Fact::Paused { node, instance, span } => {
            let text = format!("instance {instance} stands still for {:.0} ms", span.millis());
            said(node, Mark::Wrong, text)
        }
        _ => None,
    }
}

/// Where, what kind of thing, and what.
type Words = (Option<NodeId>, Mark, String);

fn said(node: NodeId, mark: Mark, text: String) -> Option<Words> {
    Some((Some(node), mark, text))
}

/// The operation at the end of an edge's name.
fn operation(name: &str) -> String {
    name.split_once("-> ").map_or(name, |(_, to)| to).to_owned()
}

/// What concerns the order as a whole.
fn told_of(node: Option<NodeId>, text: String) -> Option<Words> {
    Some((node, Mark::Telling, text))
}

/// Why an attempt was not made.
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
