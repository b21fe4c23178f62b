//! W2, timeout and retry: 16 workers at 60% load, and a spike of three times the load for 10 s.

use std::collections::VecDeque;

use crate::heap::{Events, Slots};
use crate::source::Source;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;
const WORKERS: u32 = 16;
const LINE: usize = 1500;
const TIMEOUT: u64 = 100 * MS;
const ATTEMPTS: u8 = 3;

/// What becomes of a request that finds the line full.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenFull {
    /// It is dropped in silence, and its client waits for its timer.
    Dropped,
    /// It is answered at once, and its client retries as after a timeout.
    Refused,
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) attempts: u64,
    pub(crate) timeouts: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) full: u64,
    pub(crate) stale: u64,
    /// Events that did something: a cancelled timer is none.
    pub(crate) events: u64,
    latency: u128,
}

impl Counts {
    /// The mean time from first asking to success, in milliseconds.
    pub(crate) fn mean(&self) -> f64 {
        self.latency as f64 / self.succeeded as f64 / 1e6
    }
}

#[derive(Clone, Copy)]
enum Event {
    Arrive,
    Request(u32),
    Done(u32),
    Reply(u32),
    Refusal(u32),
    Timeout(u32),
    Retry(u32),
}

struct Attempt {
    since: u64,
    number: u8,
    is_pending: bool,
    /// The message on its way and the timer that is set.
    held: u8,
}

struct Loop {
    when_full: WhenFull,
    now: u64,
    events: Events<Event>,
    attempts: Slots<Attempt>,
    line: VecDeque<u32>,
    busy: u32,
    arrivals: Source,
    request: Source,
    service: Source,
    jitter: Source,
    reply: Source,
    counts: Counts,
}

/// Runs for so many seconds of arrivals, and on until nothing is left.
pub(crate) fn run(seconds: u64, when_full: WhenFull) -> Counts {
    let source = |stream| Source::new(42, stream);
    let mut all = Loop {
        when_full,
        now: 0,
        events: Events::new(),
        attempts: Slots::new(),
        line: VecDeque::new(),
        busy: 0,
        arrivals: source(1),
        request: source(2),
        service: source(3),
        jitter: source(4),
        reply: source(5),
        counts: Counts::default(),
    };
    let spike = seconds * 48 / 100 * SECOND;
    let end = seconds * SECOND;
    all.arrive_after(0, spike, end);
    while let Some((now, event)) = all.events.pop() {
        all.now = now;
        match event {
            Event::Arrive => {
                all.counts.requests += 1;
                all.counts.events += 1;
                let attempt = Attempt { since: now, number: 1, is_pending: true, held: 0 };
                let slot = all.attempts.insert(attempt);
                all.send(slot);
                all.arrive_after(now, spike, end);
            }
            Event::Request(slot) => all.serve(slot),
            Event::Done(slot) => all.finish(slot),
            Event::Reply(slot) => all.answer(slot, true),
            Event::Refusal(slot) => all.answer(slot, false),
            Event::Timeout(slot) => {
                if all.attempts.get(slot).is_pending {
                    all.counts.events += 1;
                    all.counts.timeouts += 1;
                    all.fail(slot);
                }
                all.release(slot);
            }
            Event::Retry(slot) => {
                all.counts.events += 1;
                all.send(slot);
            }
        }
    }
    all.counts
}

impl Loop {
    fn arrive_after(&mut self, now: u64, spike: u64, end: u64) {
        let is_spike = (spike..spike + 10 * SECOND).contains(&now);
        let rate = if is_spike { 28_800.0 } else { 9_600.0 };
        let at = now + self.arrivals.span(1e9 / rate);
        if at < end {
            self.events.push(at, Event::Arrive);
        }
    }

    fn send(&mut self, slot: u32) {
        self.counts.attempts += 1;
        self.attempts.get(slot).held = 2;
        self.events.push(self.now + self.request.span(0.5e6), Event::Request(slot));
        self.events.push(self.now + TIMEOUT, Event::Timeout(slot));
    }

    fn serve(&mut self, slot: u32) {
        self.counts.events += 1;
        if self.busy < WORKERS {
            self.busy += 1;
            self.events.push(self.now + self.service.span(1e6), Event::Done(slot));
        } else if self.line.len() < LINE {
            self.line.push_back(slot);
        } else {
            self.counts.full += 1;
            match self.when_full {
                WhenFull::Dropped => self.release(slot),
                WhenFull::Refused => {
                    self.events.push(self.now + self.reply.span(0.5e6), Event::Refusal(slot));
                }
            }
        }
    }

    fn finish(&mut self, slot: u32) {
        self.counts.events += 1;
        self.events.push(self.now + self.reply.span(0.5e6), Event::Reply(slot));
        match self.line.pop_front() {
            Some(next) => self.events.push(self.now + self.service.span(1e6), Event::Done(next)),
            None => self.busy -= 1,
        }
    }

    fn answer(&mut self, slot: u32, is_ok: bool) {
        self.counts.events += 1;
        let Attempt { since, is_pending, .. } = *self.attempts.get(slot);
        if !is_pending {
            self.counts.stale += 1;
        } else if is_ok {
            self.attempts.get(slot).is_pending = false;
            self.counts.succeeded += 1;
            self.counts.latency += u128::from(self.now - since);
        } else {
            self.fail(slot);
        }
        self.release(slot);
    }

    fn fail(&mut self, slot: u32) {
        let attempt = self.attempts.get(slot);
        attempt.is_pending = false;
        let Attempt { since, number, .. } = *attempt;
        if number == ATTEMPTS {
            self.counts.failed += 1;
            return;
        }
        let most = ((50 * MS) << (number - 1)).min(SECOND);
        let wait = (most as f64 * self.jitter.unit()) as u64;
        let next = Attempt { since, number: number + 1, is_pending: true, held: 0 };
        let next = self.attempts.insert(next);
        self.events.push(self.now + wait, Event::Retry(next));
    }

    fn release(&mut self, slot: u32) {
        let attempt = self.attempts.get(slot);
        attempt.held -= 1;
        if attempt.held == 0 {
            self.attempts.remove(slot);
        }
    }
}
