//! R1, the reference collapse: one server at 90% load, a spike of 3 s, four attempts without a wait
//! between them. Nothing travels, so requests and replies are calls and no events.

use std::collections::VecDeque;

use crate::heap::{Events, Slots};
use crate::source::Source;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;
const LINE: usize = 1000;
const TIMEOUT: u64 = 100 * MS;
const ATTEMPTS: u8 = 4;
const ARRIVALS_END: u64 = 60 * SECOND;
const END: u64 = 65 * SECOND;
/// When the rate of arrivals changes, and what it was until then, per second.
const RATES: [(u64, f64); 3] = [(10 * SECOND, 900.0), (13 * SECOND, 2500.0), (u64::MAX, 900.0)];

#[derive(Clone, Copy)]
enum Event {
    Arrive,
    Done(u32),
    Timeout(u32),
}

struct Attempt {
    number: u8,
    is_pending: bool,
    /// The place at the server and the timer that is set.
    held: u8,
}

struct Loop {
    now: u64,
    events: Events<Event>,
    attempts: Slots<Attempt>,
    line: VecDeque<u32>,
    is_busy: bool,
    arrivals: Source,
    service: Source,
    made: u64,
}

/// How many attempts were made in a run.
pub(crate) fn run(seed: u64) -> u64 {
    let mut all = Loop {
        now: 0,
        events: Events::new(),
        attempts: Slots::new(),
        line: VecDeque::new(),
        is_busy: false,
        arrivals: Source::new(seed, 1),
        service: Source::new(seed, 2),
        made: 0,
    };
    all.arrive();
    while let Some((now, event)) = all.events.pop() {
        if now > END {
            break;
        }
        all.now = now;
        match event {
            Event::Arrive => {
                all.ask(1);
                all.arrive();
            }
            Event::Done(slot) => {
                all.attempts.get(slot).is_pending = false;
                all.release(slot);
                match all.line.pop_front() {
                    Some(next) => all.begin(next),
                    None => all.is_busy = false,
                }
            }
            Event::Timeout(slot) => {
                let attempt = all.attempts.get(slot);
                let is_over = std::mem::take(&mut attempt.is_pending) && attempt.number < ATTEMPTS;
                let next = attempt.number + 1;
                all.release(slot);
                if is_over {
                    all.ask(next);
                }
            }
        }
    }
    all.made
}

impl Loop {
    fn arrive(&mut self) {
        let mut area = self.arrivals.exponential();
        let mut at = self.now;
        for (until, rate) in RATES.into_iter().filter(|&(until, _)| until > self.now) {
            let reached = at.saturating_add((area / rate * 1e9) as u64);
            if reached < until {
                at = reached;
                break;
            }
            area -= (until - at) as f64 / 1e9 * rate;
            at = until;
        }
        if at < ARRIVALS_END {
            self.events.push(at, Event::Arrive);
        }
    }

    /// Makes attempts from this one on, until one is not refused.
    fn ask(&mut self, first: u8) {
        for number in first..=ATTEMPTS {
            self.made += 1;
            let slot = self.attempts.insert(Attempt { number, is_pending: true, held: 2 });
            self.events.push(self.now + TIMEOUT, Event::Timeout(slot));
            if !self.is_busy {
                self.is_busy = true;
                return self.begin(slot);
            }
            if self.line.len() < LINE {
                return self.line.push_back(slot);
            }
            self.attempts.get(slot).is_pending = false;
            self.release(slot);
        }
    }

    fn begin(&mut self, slot: u32) {
        self.events.push(self.now + self.service.span(1e6), Event::Done(slot));
    }

    fn release(&mut self, slot: u32) {
        let attempt = self.attempts.get(slot);
        attempt.held -= 1;
        if attempt.held == 0 {
            self.attempts.remove(slot);
        }
    }
}
