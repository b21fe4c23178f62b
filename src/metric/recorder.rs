//! The recorder: an observer that counts.

use serde::{Deserialize, Serialize};

use super::counts::{EdgeCounts, Window};
use super::fills::Fills;
use super::histogram::Histogram;
use super::measure::Measure;
use super::milestone::Progress;
use super::stay::Stays;
use super::tally::OutcomeCounts;
use crate::kernel::time::{Span, Time};
use crate::model::program::Program;
use crate::policy::Outcome;
use crate::system::fact::kind::{FactKinds, Hears, hears};
use crate::system::fact::{Asked, Deed, Fact, Pooling, REFUSALS, Request, Stay, Waiting, Work};
use crate::system::{Observer, Traffic};

/// The measurements of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct RunMetrics {
    /// Requests of all users.
    pub requests: u64,
    /// Those that were answered `ok`.
    pub ok: u64,
    /// Those answered otherwise, by how.
    pub failed: OutcomeCounts,
    /// Those without an answer at the end of the run.
    pub unanswered: u64,
    /// Requests that are measured: of the chosen operation, and asked after the warm-up.
    pub measured: u64,
    /// Those of them that were answered `ok`.
    pub measured_ok: u64,
    /// Those of them without an answer at the end of the run.
    pub unfinished: u64,
    /// Attempts that users' clients made for measured requests.
    pub user_attempts: u64,
    /// Attempts of the load on behalf of measured requests.
    pub attempts: u64,
    /// Attempts of the load between the warm-up and the last arrival, whenever their requests were
    /// asked.
    pub load_attempts: u64,
    /// Calls of the load on behalf of measured requests: first attempts, denied ones included.
    pub calls: u64,
    /// Attempts of the load on behalf of measured requests that timed out.
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
    /// What became of requests on their way to each milestone of the experiment.
    pub milestones: Vec<Progress>,
    /// What became of requests on their way to the answers that objectives are about.
    pub answers: Vec<Progress>,
    /// By edge of the program.
    pub edges: Vec<EdgeCounts>,
    /// Time spent on work on behalf of measured requests, in nanoseconds.
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
    /// No fact is counted for them: the books of the run say how many there were.
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
    /// How long handlers waited for a place of a pool, or in vain, on behalf of measured requests.
    pub pool_waits: Histogram,
    /// Waits of handlers for a place of a pool that were in vain.
    pub pool_timeouts: u64,
    /// Connections that processes opened.
    pub connections_opened: u64,
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
    /// Late replies that breakers did not hear because too many were expected.
    pub late_forgotten: u64,
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
    /// Reads of a user's own write on behalf of measured requests.
    pub reads_back: u64,
    /// Those that showed an older version, or nothing.
    pub stale_reads: u64,
    /// Reads of rows at databases, replicas and caches on behalf of measured requests.
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
    /// What readers brought to each cache of each table.
    pub fills: Vec<Fills>,
    /// Reads of what the user had been shown before, on behalf of measured requests.
    pub reads_again: u64,
    /// Those that showed an older version, or nothing.
    pub older_reads: u64,
    /// Users whom a fault made to be about the hot key.
    pub diverted: u64,
}

impl RunMetrics {
    /// Takes what the books of the run say of messages over links.
    pub fn count_messages(&mut self, messages: [Traffic; 2]) {
        self.sent = messages.map(|one| one.sent);
        self.duplicated = messages.map(|one| one.duplicated);
        self.lost = messages.map(|one| one.lost);
        self.arrived = messages.map(|one| one.arrived);
    }
}

/// Counts the facts of one run.
#[derive(Clone, Debug)]
pub struct Recorder {
    measure: Measure,
    /// For each edge, whether its attempts are the load.
    is_load: Vec<bool>,
    /// For each edge, whether users call by it.
    is_entry: Vec<bool>,
    /// The window that was looked for last, and when it begins: most of what is counted next is in
    /// it too, and a division takes longer than all else of it.
    last: (usize, Time),
    metrics: RunMetrics,
}

impl Recorder {
    /// A recorder for a run of this program.
    #[must_use]
    pub fn new(program: &Program, measure: Measure) -> Recorder {
        let is_entry: Vec<bool> = program.edges.iter().map(|edge| edge.is_entry).collect();
        let is_load = match measure.load {
            None => is_entry.clone(),
            Some(load) => program.edges_to(load),
        };
        let metrics = RunMetrics {
            edges: vec![EdgeCounts::default(); program.edges.len()],
            ..RunMetrics::default()
        };
        Recorder { is_load, is_entry, measure, last: (0, Time::ZERO), metrics }
    }

    /// What was measured, when the run is over.
    #[must_use]
    pub fn finish(self) -> RunMetrics {
        self.metrics
    }

    fn window(&mut self, at: Time) -> &mut Window {
        let width = self.measure.window.0;
        let (mut index, begins) = self.last;
        if at < begins || at.since(begins).0 >= width {
            index = (at.0 / width) as usize;
            self.last = (index, Time(index as u64 * width));
        }
        let windows = &mut self.metrics.windows;
        if windows.len() <= index {
            windows.resize(index + 1, Window::default());
        }
        &mut windows[index]
    }

    fn asked(&mut self, request: &Request) {
        self.metrics.requests += 1;
        if self.measure.counts(request.asked()) {
            self.metrics.measured += 1;
            self.window(request.started).asked += 1;
        }
    }

    fn answered(&mut self, now: Time, request: &Request, outcome: Outcome, attempts: u32) {
        if outcome == Outcome::Ok {
            self.metrics.ok += 1;
        } else {
            self.metrics.failed.add(outcome);
        }
        let asked = request.asked();
        if self.measure.is_about(asked) {
            self.metrics.stays.count_request(&self.measure, request.started, now);
            if outcome == Outcome::Ok && now >= self.measure.warm_up {
                self.window(now).answered += 1;
            }
        }
        if !self.measure.counts(asked) {
            return;
        }
        self.metrics.last_answer = now;
        self.metrics.attempts_each.record(Span(u64::from(attempts)));
        if outcome != Outcome::Ok {
            return;
        }
        self.metrics.measured_ok += 1;
        let latency = now.since(request.started);
        self.metrics.latency.record(latency);
        self.metrics.latency_total += u128::from(latency.0);
        self.window(request.started).succeeded += 1;
    }

    /// An attempt was made, or denied.
    fn attempted(&mut self, now: Time, edge: usize, attempt: u32, asked: Asked, denied: bool) {
        let (sent, first) = (u64::from(!denied), u64::from(attempt == 1));
        let counts = &mut self.metrics.edges[edge];
        counts.attempts += sent;
        counts.denied += u64::from(denied);
        counts.calls += first;
        let (is_load, is_entry) = (self.is_load[edge], self.is_entry[edge]);
        if self.measure.counts(asked) {
            self.metrics.user_attempts += sent * u64::from(is_entry);
            self.metrics.attempts += sent * u64::from(is_load);
            self.metrics.calls += first * u64::from(is_load);
        }
        if !denied && is_load && self.measure.is_about(asked) && now >= self.measure.warm_up {
            self.window(now).attempts += 1;
            self.metrics.load_attempts += u64::from(now < self.measure.arrivals_end);
        }
    }

    /// Somebody was still without an answer when the run ended.
    fn unanswered(&mut self, now: Time, request: &Request) {
        let asked = request.asked();
        self.metrics.unanswered += 1;
        self.metrics.unfinished += u64::from(self.measure.counts(asked));
        if self.measure.is_about(asked) {
            self.metrics.stays.count_request(&self.measure, request.started, now);
        }
    }

    fn worked(&mut self, work: Work) {
        if self.measure.counts(work.asked) {
            self.metrics.worked += u128::from(work.span.0);
            self.metrics.wasted += if work.awaited { 0 } else { u128::from(work.span.0) };
        }
    }

    /// What a caller asked for has left the node that it came to, or is there when the run ends.
    fn stayed(&mut self, now: Time, stay: &Stay, is_there: bool) {
        if self.is_load[stay.edge.0 as usize] {
            self.metrics.stays.count(&self.measure, now, stay, is_there);
        }
    }

    /// A handler got a place of a pool, or waited in vain.
    fn pooled(&mut self, pooling: &Pooling) {
        self.metrics.pool_timeouts += u64::from(!pooling.got);
        if self.measure.counts(pooling.asked) {
            self.metrics.pool_waits.record(pooling.waited);
        }
    }

    fn done_with(&mut self, now: Time, since: Time) {
        let age = now.since(since);
        self.metrics.oldest_message = self.metrics.oldest_message.max(age);
    }

    /// Counts what queues and processes did.
    fn count_at_nodes(&mut self, now: Time, fact: &Fact) {
        let metrics = &mut self.metrics;
        match *fact {
            Outboxed { .. } => metrics.outboxed += 1,
            Enqueued { event, .. } => metrics.relayed += u64::from(event > 0),
            Acknowledged { since, .. } => self.done_with(now, since),
            Delivered { receives, .. } => metrics.redelivered += u64::from(receives > 1),
            DeadLettered { since, .. } => {
                metrics.dead_letters += 1;
                self.done_with(now, since);
            }
            Crashed { .. } => metrics.crashes += 1,
            Killed { .. } => metrics.kills += 1,
            Paused { .. } => metrics.pauses += 1,
            NobodyThere { refused, .. } => metrics.nobody_there[usize::from(!refused)] += 1,
            TurnedAway { .. } => metrics.turned_away += 1,
            LogLost { transactions, .. } => metrics.lost_transactions += transactions,
            MessageLost { .. } => metrics.lost_messages += 1,
            Expired { since, .. } => {
                metrics.expired += 1;
                self.done_with(now, since);
            }
            Unprocessed(Waiting { since, .. }) => {
                metrics.unprocessed += 1;
                self.done_with(now, since);
            }
            _ => self.count_data(fact),
        }
    }

    /// Counts what became of rows, effects and copies of them, and what faults did.
    fn count_data(&mut self, fact: &Fact) {
        let metrics = &mut self.metrics;
        match *fact {
            Effect { .. } => metrics.effects += 1,
            Replayed { outcome, .. } => {
                metrics.replayed[usize::from(outcome != Outcome::Ok)] += 1;
            }
            Throttled { .. } => metrics.throttled += 1,
            Mismatched { .. } => metrics.mismatched += 1,
            Failed { after_effect: late, .. } => metrics.made_to_fail[usize::from(late)] += 1,
            ReadBack { seen, own, asked, .. } if self.measure.counts(asked) => {
                metrics.reads_back += 1;
                metrics.stale_reads += u64::from(seen < own);
            }
            Read { seen, newest, age, asked, .. } if self.measure.counts(asked) => {
                let is_old = seen < newest;
                metrics.row_reads += 1;
                metrics.old_row_reads += u64::from(is_old);
                metrics.staleness.record(if is_old { age } else { Span::ZERO });
            }
            Conflict { .. } => metrics.conflicts += 1,
            Overwrote { is_lost, .. } => metrics.updates_lost += u64::from(is_lost),
            CommitLost { .. } => metrics.commits_lost += 1,
            StaleEpoch { accepted, .. } => metrics.stale_epochs[usize::from(accepted)] += 1,
            WaitedForReplica { in_time, .. } => {
                metrics.replica_waits[usize::from(in_time)] += 1;
            }
            AnsweredAlone(_) => metrics.answered_alone += 1,
            Connected(_) => metrics.connections_opened += 1,
            Caching(caching) => {
                metrics.fills_refused += u64::from(caching.deed == Deed::Refuses);
                Fills::count(&mut metrics.fills, &caching);
            }
            FaultFired(fault, _) => metrics.count_fired(fault),
            ReadAgain { seen, highest, asked, .. } if self.measure.counts(asked) => {
                metrics.reads_again += 1;
                metrics.older_reads += u64::from(seen < highest);
            }
            Diverted { .. } => metrics.diverted += 1,
            _ => {}
        }
    }
}

hears!(
    Recorder: Outboxed, Enqueued, Acknowledged, Delivered, DeadLettered, Crashed, Killed, Paused,
    NobodyThere, TurnedAway, LogLost, MessageLost, Expired, Unprocessed, Effect, Replayed,
    Throttled, Mismatched, Failed, ReadBack, Read, Conflict, Overwrote, CommitLost, StaleEpoch,
    WaitedForReplica, AnsweredAlone, Connected, Caching, FaultFired, ReadAgain, Diverted,
    Requested, Answered, Attempted, Denied, Settled, Ejected, EjectionRefused, Returned,
    Panicked, Forgotten, Stale, Refused, Pooled, Left, Staying, Worked, Working, Unanswered
);

impl Observer for Recorder {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let metrics = &mut self.metrics;
        match *fact {
            Requested(request) => self.asked(&request),
            Answered { request, outcome, attempts } => {
                self.answered(now, &request, outcome, attempts);
            }
            Attempted { edge, attempt, asked, .. } => {
                self.attempted(now, edge.0 as usize, attempt, asked, false);
            }
            Denied { edge, attempt, asked, .. } => {
                self.attempted(now, edge.0 as usize, attempt, asked, true);
            }
            Settled { edge, outcome, asked, .. } => {
                metrics.edges[edge.0 as usize].outcomes.add(outcome);
                let is_load = self.is_load[edge.0 as usize] && self.measure.counts(asked);
                metrics.timeouts += u64::from(is_load && outcome.is_silence());
            }
            Ejected(_) => metrics.ejections += 1,
            EjectionRefused(_) => metrics.ejections_refused += 1,
            Returned(_) => metrics.returns += 1,
            Panicked(_) => metrics.panics += 1,
            Forgotten(_) => metrics.late_forgotten += 1,
            Stale { edge, .. } => metrics.edges[edge.0 as usize].stale += 1,
            Refused { refusal, .. } => {
                metrics.refused += 1;
                metrics.refused_by[refusal as usize] += 1;
            }
            Pooled(pooling) => self.pooled(&pooling),
            Left(stay) => self.stayed(now, &stay, false),
            Staying(stay) => self.stayed(now, &stay, true),
            Worked(work) | Working(work) => self.worked(work),
            Unanswered(request) => self.unanswered(now, &request),
            _ => self.count_at_nodes(now, fact),
        }
    }

    fn hears(&self) -> FactKinds {
        Recorder::HEARS
    }
}
