//! The recorder: an observer that counts.

use serde::{Deserialize, Serialize};

use super::histogram::Histogram;
use super::recovery::{Recovery, RecoveryRule};
use super::stay::{Stay, Stays};
use crate::kernel::time::{Span, Time};
use crate::model::program::{OperationId, Program};
use crate::policy::{OUTCOMES, Outcome};
use crate::system::fact::{Direction, Fact, Observer, REFUSALS, Request, Transit};

/// What is measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// The requests that count; `None` counts every request of every user.
    pub operation: Option<OperationId>,
    /// Attempts at this operation are the load; `None` counts the attempts of the users.
    pub load: Option<OperationId>,
    /// The width of a window of the time series.
    pub window: Span,
    /// What counts as recovered.
    pub recovery: RecoveryRule,
    /// When the first fault began and the last one ended.
    pub faults: Option<(Time, Time)>,
    /// Users arrive until then.
    pub arrivals_end: Time,
    /// Requests asked before this time do not count: the system was still filling.
    pub warm_up: Time,
}

/// What happened in one window of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Window {
    /// Requests first asked in it.
    pub asked: u64,
    /// Those of them that succeeded in the end.
    pub succeeded: u64,
    /// Requests answered `ok` in it, whenever they were asked.
    pub answered: u64,
    /// Attempts of the load in it.
    pub attempts: u64,
}

/// What happened at one call edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct EdgeCounts {
    /// Calls: first attempts, denied ones included.
    pub calls: u64,
    /// Attempts that were sent.
    pub attempts: u64,
    /// Attempts that the caller's own policy denied.
    pub denied: u64,
    /// Attempts by how they ended for the caller, by the number of the outcome.
    pub outcomes: [u64; OUTCOMES],
    /// Replies that came when nobody waited for them any more.
    pub stale: u64,
}

/// The measurements of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct RunMetrics {
    /// Requests of all users.
    pub requests: u64,
    /// Those that were answered `ok`.
    pub ok: u64,
    /// Those answered otherwise, by the number of the outcome.
    pub failed: [u64; OUTCOMES],
    /// Those without an answer at the end of the run.
    pub unanswered: u64,
    /// Requests that are measured: of the chosen operation.
    pub measured: u64,
    /// Those of them that were answered `ok`.
    pub measured_ok: u64,
    /// Attempts that users' clients made for measured requests.
    pub user_attempts: u64,
    /// Attempts of the load: at the measured operation.
    pub attempts: u64,
    /// Calls of the load: its first attempts, denied ones included.
    pub calls: u64,
    /// Attempts of the load that timed out.
    pub timeouts: u64,
    /// How many attempts users' clients made for each measured request that was answered; each is
    /// recorded as a nanosecond.
    pub attempts_each: Histogram,
    /// How long `ok` answers took, from the first attempt on.
    pub latency: Histogram,
    /// When the last answer to a measured request came; the start of the run without any.
    pub last_answer: Time,
    /// The sum of the latencies, in nanoseconds.
    pub latency_total: u128,
    /// How long attempts of the load were at their nodes.
    pub stays: Stays,
    /// By window, from the start of the run.
    pub windows: Vec<Window>,
    /// By edge of the program.
    pub edges: Vec<EdgeCounts>,
    /// Time spent on work, in nanoseconds.
    pub worked: u128,
    /// Of that, on work for which nobody waited any more, in nanoseconds.
    pub wasted: u128,
    /// The longest time that the work of a message was due before it was done with.
    pub oldest_message: Span,
    /// Deliveries of messages that had been delivered before.
    pub redelivered: u64,
    /// Messages that were put aside as dead letters.
    pub dead_letters: u64,
    /// Messages that were older than their queue keeps messages.
    pub expired: u64,
    /// Events that transactions put into an outbox.
    pub outboxed: u64,
    /// Messages that queues accepted from relays.
    pub relayed: u64,
    /// Messages and outbox events that were not done with at the end.
    pub unprocessed: u64,
    /// Messages over links: sent, duplicated, lost and arrived, requests first and replies second.
    pub sent: [u64; 2],
    /// See `sent`: second copies, which are not counted there.
    pub duplicated: [u64; 2],
    /// See `sent`.
    pub lost: [u64; 2],
    /// See `sent`.
    pub arrived: [u64; 2],
    /// Requests that nodes refused.
    pub refused: u64,
    /// These by why, by the number of the refusal.
    pub refused_by: [u64; REFUSALS],
    /// Calls that were made to fail, before and after their effect.
    pub made_to_fail: [u64; 2],
    /// How often each fault fired, by its number in the plan; those after the last that did are
    /// left out.
    pub fired: Vec<u64>,
    /// Instances that died.
    pub crashes: u64,
    /// Those of them that died at a step named by a fault.
    pub kills: u64,
    /// Times that an instance stood still.
    pub pauses: u64,
    /// Requests that came to an instance that was down: refused by its host, and not answered.
    pub nobody_there: [u64; 2],
    /// Users who came while their client process was down.
    pub turned_away: u64,
    /// Instances that processes left out of their balancing; that would have been, but too many
    /// were already; and that were let back.
    pub ejections: u64,
    /// See `ejections`.
    pub ejections_refused: u64,
    /// See `ejections`.
    pub returns: u64,
    /// Requests that went to any instance because too few were healthy.
    pub panics: u64,
    /// Transactions that crashes lost because they were not on disk.
    pub lost_transactions: u64,
    /// Messages that were lost because their queue kept them in memory only.
    pub lost_messages: u64,
    /// Effects, repeated ones included.
    pub effects: u64,
    /// Calls that a provider answered as it had before, with `ok` and with an error.
    pub replayed: [u64; 2],
    /// Calls beyond the rate that a provider allows.
    pub throttled: u64,
    /// Calls whose idempotency key had been used for another order.
    pub mismatched: u64,
    /// Reads of a user's own write.
    pub reads_back: u64,
    /// Those that showed an older version, or nothing.
    pub stale_reads: u64,
    /// Reads of rows at databases, replicas and caches.
    pub row_reads: u64,
    /// Those that showed an older version than the newest one committed, or nothing.
    pub old_row_reads: u64,
    /// How long the newest version had been there when a row was read; 0 if it was shown.
    pub staleness: Histogram,
    /// Transactions that overwrote a version that their handlers had not read.
    pub updates_lost: u64,
    /// Transactions that wrote nothing because a row had changed.
    pub conflicts: u64,
    /// Committed transactions that a failover lost.
    pub commits_lost: u64,
    /// Writes that a replaced primary refused and accepted.
    pub stale_epochs: [u64; 2],
    /// Reads that waited at a replica: in vain, and with success.
    pub replica_waits: [u64; 2],
    /// Transactions answered before a replica had applied them, although they should wait.
    pub answered_alone: u64,
    /// Rows that a cache did not keep because their readers had lost the lease.
    pub fills_refused: u64,
    /// Reads of what the user had been shown before.
    pub reads_again: u64,
    /// Those that showed an older version, or nothing.
    pub older_reads: u64,
    /// Users whom a fault made to be about the hot key.
    pub diverted: u64,
}

/// Counts the facts of one run.
#[derive(Clone, Debug)]
pub struct Recorder {
    measure: Measure,
    /// For each edge, whether its attempts are the load.
    is_load: Vec<bool>,
    metrics: RunMetrics,
}

impl Recorder {
    /// A recorder for a run of this program.
    #[must_use]
    pub fn new(program: &Program, measure: Measure) -> Recorder {
        let is_load = program.edges.iter().map(|edge| match measure.load {
            None => edge.is_entry,
            Some(load) => edge.name.ends_with(&format!("-> {}", program.operation(load).name)),
        });
        let metrics = RunMetrics {
            edges: vec![EdgeCounts::default(); program.edges.len()],
            ..RunMetrics::default()
        };
        Recorder { is_load: is_load.collect(), measure, metrics }
    }

    /// What was measured, when the run is over.
    #[must_use]
    pub fn finish(self) -> RunMetrics {
        self.metrics
    }

    fn window(&mut self, at: Time) -> &mut Window {
        let index = (at.0 / self.measure.window.0) as usize;
        let windows = &mut self.metrics.windows;
        if windows.len() <= index {
            windows.resize(index + 1, Window::default());
        }
        &mut windows[index]
    }

    fn is_measured(&self, request: &Request) -> bool {
        self.measure.operation.is_none_or(|operation| operation == request.operation)
            && request.started >= self.measure.warm_up
    }

    fn asked(&mut self, request: &Request) {
        self.metrics.requests += 1;
        if self.is_measured(request) {
            self.metrics.measured += 1;
            self.window(request.started).asked += 1;
        }
    }

    fn answered(&mut self, now: Time, request: &Request, outcome: Outcome, attempts: u32) {
        if outcome == Outcome::Ok {
            self.metrics.ok += 1;
        } else {
            self.metrics.failed[outcome as usize] += 1;
        }
        if self.measure.operation.is_none_or(|operation| operation == request.operation) {
            self.metrics.stays.count_request(&self.measure, request.started, now);
        }
        if !self.is_measured(request) {
            return;
        }
        self.metrics.last_answer = now;
        self.metrics.user_attempts += u64::from(attempts);
        self.metrics.attempts_each.record(Span(u64::from(attempts)));
        if outcome != Outcome::Ok {
            return;
        }
        self.metrics.measured_ok += 1;
        let latency = now.since(request.started);
        self.metrics.latency.record(latency);
        self.metrics.latency_total += u128::from(latency.0);
        self.window(request.started).succeeded += 1;
        self.window(now).answered += 1;
    }

    fn done_with(&mut self, now: Time, since: Time) {
        let age = now.since(since);
        self.metrics.oldest_message = self.metrics.oldest_message.max(age);
    }
}

impl Observer for Recorder {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let metrics = &mut self.metrics;
        match *fact {
            Fact::Requested(request) => self.asked(&request),
            Fact::Answered { request, outcome, attempts } => {
                self.answered(now, &request, outcome, attempts);
            }
            Fact::Attempted { edge, attempt, .. } => {
                let counts = &mut metrics.edges[edge.0 as usize];
                counts.attempts += 1;
                counts.calls += u64::from(attempt == 1);
                if self.is_load[edge.0 as usize] && now >= self.measure.warm_up {
                    metrics.attempts += 1;
                    metrics.calls += u64::from(attempt == 1);
                    self.window(now).attempts += 1;
                }
            }
            Fact::Denied { edge, attempt, .. } => {
                let counts = &mut metrics.edges[edge.0 as usize];
                counts.denied += 1;
                counts.calls += u64::from(attempt == 1);
                if self.is_load[edge.0 as usize] && now >= self.measure.warm_up {
                    metrics.calls += u64::from(attempt == 1);
                }
            }
            Fact::Settled { edge, outcome, .. } => {
                metrics.edges[edge.0 as usize].outcomes[outcome as usize] += 1;
                let is_load = self.is_load[edge.0 as usize] && now >= self.measure.warm_up;
                metrics.timeouts += u64::from(is_load && outcome == Outcome::TimedOut);
            }
            Fact::Ejected(_) => metrics.ejections += 1,
            Fact::EjectionRefused(_) => metrics.ejections_refused += 1,
            Fact::Returned(_) => metrics.returns += 1,
            Fact::Panicked { .. } => metrics.panics += 1,
            Fact::Stale { edge, .. } => metrics.edges[edge.0 as usize].stale += 1,
            Fact::Sent(Transit { direction, .. }) => metrics.sent[side(direction)] += 1,
            Fact::Duplicated(Transit { direction, .. }) => metrics.duplicated[side(direction)] += 1,
            Fact::Lost(Transit { direction, .. }) => metrics.lost[side(direction)] += 1,
            Fact::Arrived(Transit { direction, .. }) => metrics.arrived[side(direction)] += 1,
            Fact::Refused { refusal, .. } => {
                metrics.refused += 1;
                metrics.refused_by[refusal as usize] += 1;
            }
            Fact::Left { edge, attempt, arrived, begun, found } => {
                if self.is_load[edge.0 as usize] {
                    let stay = Stay { attempt, arrived, begun, found };
                    metrics.stays.count(&self.measure, now, stay);
                }
            }
            Fact::Worked { span, awaited, .. } => {
                metrics.worked += u128::from(span.0);
                if !awaited {
                    metrics.wasted += u128::from(span.0);
                }
            }
            Fact::Outboxed { .. } => metrics.outboxed += 1,
            Fact::Enqueued { event, .. } => metrics.relayed += u64::from(event > 0),
            Fact::Acknowledged { since, .. } => self.done_with(now, since),
            Fact::Delivered { receives, .. } => metrics.redelivered += u64::from(receives > 1),
            Fact::DeadLettered { since, .. } => {
                metrics.dead_letters += 1;
                self.done_with(now, since);
            }
            Fact::Crashed { .. } => metrics.crashes += 1,
            Fact::Killed { .. } => metrics.kills += 1,
            Fact::Paused { .. } => metrics.pauses += 1,
            Fact::NobodyThere { refused, .. } => {
                metrics.nobody_there[usize::from(!refused)] += 1;
            }
            Fact::TurnedAway { .. } => metrics.turned_away += 1,
            Fact::LogLost { transactions, .. } => metrics.lost_transactions += transactions,
            Fact::MessageLost { .. } => metrics.lost_messages += 1,
            Fact::Expired { since, .. } => {
                metrics.expired += 1;
                self.done_with(now, since);
            }
            Fact::Effect { .. } => metrics.effects += 1,
            Fact::Replayed { outcome, .. } => {
                metrics.replayed[usize::from(outcome != Outcome::Ok)] += 1;
            }
            Fact::Throttled { .. } => metrics.throttled += 1,
            Fact::Mismatched { .. } => metrics.mismatched += 1,
            Fact::Failed { after_effect, .. } => {
                metrics.made_to_fail[usize::from(after_effect)] += 1;
            }
            Fact::ReadBack { seen, own, .. } => {
                metrics.reads_back += 1;
                metrics.stale_reads += u64::from(seen < own);
            }
            Fact::Read { seen, newest, age, .. } => {
                let is_old = seen < newest;
                metrics.row_reads += 1;
                metrics.old_row_reads += u64::from(is_old);
                metrics.staleness.record(if is_old { age } else { Span::ZERO });
            }
            Fact::Conflict { .. } => metrics.conflicts += 1,
            Fact::UpdateLost { .. } => metrics.updates_lost += 1,
            Fact::CommitLost { .. } => metrics.commits_lost += 1,
            Fact::StaleEpoch { accepted, .. } => {
                metrics.stale_epochs[usize::from(accepted)] += 1;
            }
            Fact::WaitedForReplica { in_time, .. } => {
                metrics.replica_waits[usize::from(in_time)] += 1;
            }
            Fact::AnsweredAlone { .. } => metrics.answered_alone += 1,
            Fact::FillRefused { .. } => metrics.fills_refused += 1,
            Fact::FaultFired(fault) => metrics.count_fired(fault),
            Fact::ReadAgain { seen, highest, .. } => {
                metrics.reads_again += 1;
                metrics.older_reads += u64::from(seen < highest);
            }
            Fact::Diverted { .. } => metrics.diverted += 1,
            Fact::Unanswered(_) => metrics.unanswered += 1,
            Fact::Unprocessed { since, .. } => {
                metrics.unprocessed += 1;
                self.done_with(now, since);
            }
            Fact::Committed { .. }
            | Fact::WriteLost { .. }
            | Fact::CacheFlushed { .. }
            | Fact::Corrupted { .. }
            | Fact::FellBack { .. }
            | Fact::Flushed { .. }
            | Fact::Repeated { .. }
            | Fact::KeyAnswered { .. }
            | Fact::Audited { .. }
            | Fact::Restarted { .. }
            | Fact::FaultBegan(_)
            | Fact::FaultEnded(_) => {}
        }
    }
}

fn side(direction: Direction) -> usize {
    match direction {
        Direction::Request => 0,
        Direction::Reply => 1,
    }
}

impl RunMetrics {
    fn count_fired(&mut self, fault: u32) {
        let index = fault as usize;
        if self.fired.len() <= index {
            self.fired.resize(index + 1, 0);
        }
        self.fired[index] += 1;
    }

    /// How often the fault of this number fired.
    #[must_use]
    pub fn times_fired(&self, fault: usize) -> u64 {
        self.fired.get(fault).copied().unwrap_or(0)
    }

    /// Attempts of the load for each measured request: its amplification from end to end.
    #[must_use]
    pub fn amplification(&self) -> Option<f64> {
        ratio(self.attempts as f64, self.measured as f64)
    }

    /// Attempts of the load for each of its calls: its amplification at its own edge.
    #[must_use]
    pub fn edge_amplification(&self) -> Option<f64> {
        ratio(self.attempts as f64, self.calls as f64)
    }

    /// The share of measured requests that were answered `ok`.
    #[must_use]
    pub fn success_ratio(&self) -> Option<f64> {
        ratio(self.measured_ok as f64, self.measured as f64)
    }

    /// The share of work for which nobody waited any more.
    #[must_use]
    pub fn wasted_work(&self) -> Option<f64> {
        ratio(self.wasted as f64, self.worked as f64)
    }

    /// Requests answered `ok` a second in the whole windows between two times; `None` if there is
    /// no whole window.
    #[must_use]
    pub fn goodput(&self, window: Span, from: Time, until: Time) -> Option<f64> {
        let (first, end) = (from.0.div_ceil(window.0), until.0 / window.0);
        let whole = end.checked_sub(first).filter(|&windows| windows > 0)?;
        // Windows at the end in which nothing happened were never made.
        let windows = self.windows.iter().skip(first as usize).take(whole as usize);
        let answered: u64 = windows.map(|window| window.answered).sum();
        Some(answered as f64 / (whole as f64 * window.seconds()))
    }

    /// Whether and when the run recovered.
    #[must_use]
    pub fn recovery(&self, measure: &Measure) -> Recovery {
        match measure.faults {
            None => Recovery::NoFault,
            Some((began, healed)) => {
                measure.recovery.judge(&self.windows, measure.window, began, healed)
            }
        }
    }
}

/// A quotient, or `None` if there was nothing to divide by.
fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}
