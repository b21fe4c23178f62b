//! W3 as a program that reads what it simulates from tables: seven nodes, policies on each edge,
//! and all books kept. What a configurable simulator can reach with the heap of `std`.

use std::collections::VecDeque;

use crate::heap::{Events, Slots};
use crate::source::Source;
use crate::tables::{Books, Breaker, Edge, Node, Span, System, tables};

#[derive(Clone, Copy)]
enum Event {
    Arrive,
    Request(u32),
    Done(u32),
    Reply(u32),
    Refusal(u32),
    Timeout(u32),
    Retry(u32),
    Switch(u32),
}

/// Nobody's job: a user asked.
const USER: u32 = u32::MAX;

/// An attempt of a call, with what the call needs to go on.
#[derive(Clone, Copy)]
struct Attempt {
    since: u64,
    /// Which work it is for: a number that does not depend on slots.
    work: u64,
    owner: u32,
    edge: u8,
    number: u8,
    is_pending: bool,
    held: u8,
}

/// A request at a node.
#[derive(Clone, Copy)]
struct Job {
    attempt: u32,
    node: u8,
    step: u8,
}

#[derive(Default)]
struct Place {
    busy: u32,
    line: VecDeque<u32>,
    slow: u64,
}

struct Streams {
    arrivals: Source,
    shares: Source,
    service: Vec<Source>,
    request: Vec<Source>,
    reply: Vec<Source>,
    loss: Vec<Source>,
    jitter: Vec<Source>,
}

struct Loop {
    system: System,
    now: u64,
    events: Events<Event>,
    attempts: Slots<Attempt>,
    jobs: Slots<Job>,
    places: Vec<Place>,
    breakers: Vec<Option<Breaker>>,
    is_cut: Vec<bool>,
    streams: Streams,
    books: Books,
}

/// Runs for so many seconds of arrivals, and on until nothing is left.
pub(crate) fn run(seconds: u64) -> Books {
    let system = tables(seconds);
    let (nodes, edges) = (system.nodes.len() as u64, system.edges.len() as u64);
    let many = |first: u64, count: u64| -> Vec<Source> {
        (first..first + count).map(|stream| Source::new(42, stream)).collect()
    };
    let place = |_: &Node| Place { slow: 1, ..Place::default() };
    let mut all = Loop {
        now: 0,
        events: Events::new(),
        attempts: Slots::new(),
        jobs: Slots::new(),
        places: system.nodes.iter().map(place).collect(),
        breakers: system.edges.iter().map(|edge| edge.breaker.map(Breaker::new)).collect(),
        is_cut: vec![false; system.edges.len()],
        streams: Streams {
            arrivals: Source::new(42, 1),
            shares: Source::new(42, 2),
            service: many(10, nodes),
            request: many(100, edges),
            reply: many(200, edges),
            loss: many(300, edges),
            jitter: many(400, edges),
        },
        books: Books::new(system.edges.len()),
        system,
    };
    for (index, switch) in all.system.switches.iter().enumerate() {
        all.events.push(switch.at, Event::Switch(index as u32));
    }
    all.arrive_later();
    while let Some((now, event)) = all.events.pop() {
        all.now = now;
        all.dispatch(event);
    }
    all.books
}

impl Loop {
    fn dispatch(&mut self, event: Event) {
        match event {
            Event::Arrive => {
                let work = self.books.arrive(self.now);
                self.call(0, USER, work);
                self.arrive_later();
            }
            Event::Request(slot) => self.serve(slot),
            Event::Done(job) => self.finish(job),
            Event::Reply(slot) => self.answer(slot, true),
            Event::Refusal(slot) => self.answer(slot, false),
            Event::Timeout(slot) => {
                let attempt = *self.attempts.get(slot);
                if attempt.is_pending {
                    self.books.fold(self.now, 5, attempt.work);
                    self.books.timeouts += 1;
                    self.settle(slot, false);
                }
                self.release(slot);
            }
            Event::Retry(slot) => {
                let work = self.attempts.get(slot).work;
                self.books.fold(self.now, 6, work);
                self.attempt(slot);
            }
            Event::Switch(index) => {
                let switch = self.system.switches[index as usize];
                self.books.fold(self.now, 7, u64::from(index));
                if let Some((node, factor)) = switch.slow {
                    self.places[node].slow = factor;
                }
                if let Some((edge, is_cut)) = switch.cut {
                    self.is_cut[edge] = is_cut;
                }
            }
        }
    }

    fn arrive_later(&mut self) {
        let pieces = self.system.rates.iter();
        let rate = pieces.rev().find(|piece| piece.0 <= self.now).expect("it begins at 0").1;
        let at = self.now + self.streams.arrivals.span(1e9 / rate);
        if at < self.system.arrivals_end {
            self.events.push(at, Event::Arrive);
        }
    }

    /// Begins a call; says whether its owner has to wait for it.
    fn call(&mut self, edge: u8, owner: u32, work: u64) -> bool {
        let slot = self.attempts.insert(Attempt {
            since: self.now,
            work,
            owner,
            edge,
            number: 1,
            is_pending: true,
            held: 0,
        });
        self.attempt_or_refuse(slot)
    }

    fn attempt(&mut self, slot: u32) {
        let owner = self.attempts.get(slot).owner;
        if !self.attempt_or_refuse(slot) {
            self.go_on(owner, false);
        }
    }

    /// Sends an attempt if the breaker lets it; says whether the call goes on.
    fn attempt_or_refuse(&mut self, slot: u32) -> bool {
        let Attempt { edge: index, work, .. } = *self.attempts.get(slot);
        let edge = &self.system.edges[index as usize];
        if let Some(breaker) = &mut self.breakers[index as usize]
            && !breaker.admits(self.now)
        {
            self.books.deny(self.now, index);
            self.attempts.get(slot).is_pending = false;
            let goes_on = edge.retries_denied && self.retry(slot);
            self.attempts.remove(slot);
            return goes_on;
        }
        self.books.attempt(self.now, index);
        let attempt = self.attempts.get(slot);
        attempt.held = 2;
        attempt.work = work + 1;
        let is_lost = edge.loss > 0.0 && self.streams.loss[index as usize].unit() < edge.loss;
        if is_lost || self.is_cut[index as usize] {
            self.books.lost += 1;
            attempt.held = 1;
        } else {
            let travels = edge.latency.draw(&mut self.streams.request[index as usize]);
            self.books.sent += 1;
            self.events.push(self.now + travels, Event::Request(slot));
        }
        self.events.push(self.now + edge.timeout, Event::Timeout(slot));
        true
    }

    fn serve(&mut self, slot: u32) {
        let Attempt { edge, work, .. } = *self.attempts.get(slot);
        self.books.fold(self.now, 1, work);
        let node = self.system.edges[edge as usize].target;
        let (rules, place) = (&self.system.nodes[node], &mut self.places[node]);
        if place.busy < rules.workers {
            place.busy += 1;
            let job = self.jobs.insert(Job { attempt: slot, node: node as u8, step: 0 });
            self.begin(job);
        } else if place.line.len() < rules.line {
            let job = self.jobs.insert(Job { attempt: slot, node: node as u8, step: 0 });
            place.line.push_back(job);
        } else {
            self.books.refused += 1;
            self.reply(slot, Event::Refusal(slot));
        }
    }

    fn begin(&mut self, job: u32) {
        let node = self.jobs.get(job).node as usize;
        let span = self.system.nodes[node].service.draw(&mut self.streams.service[node]);
        self.events.push(self.now + span * self.places[node].slow, Event::Done(job));
    }

    fn finish(&mut self, job: u32) {
        let Job { attempt, node, .. } = *self.jobs.get(job);
        let work = self.attempts.get(attempt).work;
        self.books.fold(self.now, 2, work);
        let place = &mut self.places[node as usize];
        match place.line.pop_front() {
            Some(next) => self.begin(next),
            None => place.busy -= 1,
        }
        self.advance(job);
    }

    /// Lets a job take its next step, or answers.
    fn advance(&mut self, handle: u32) {
        loop {
            let job = self.jobs.get(handle);
            let Job { attempt, node, step } = *job;
            let steps = &self.system.nodes[node as usize].steps;
            let Some(&(share, edge)) = steps.get(step as usize) else {
                self.jobs.remove(handle);
                return self.reply(attempt, Event::Reply(attempt));
            };
            job.step += 1;
            let work = self.attempts.get(attempt).work;
            let is_taken = share >= 1.0 || self.streams.shares.unit() < share;
            if is_taken && self.call(edge, handle, work << 8 | u64::from(edge) << 4) {
                return;
            }
        }
    }

    fn reply(&mut self, slot: u32, event: Event) {
        let edge = self.attempts.get(slot).edge as usize;
        let travels = self.system.edges[edge].latency.draw(&mut self.streams.reply[edge]);
        self.books.sent += 1;
        self.events.push(self.now + travels, event);
    }

    fn answer(&mut self, slot: u32, is_ok: bool) {
        let Attempt { work, is_pending, .. } = *self.attempts.get(slot);
        self.books.fold(self.now, 3 + u64::from(is_ok), work);
        if is_pending {
            self.settle(slot, is_ok);
        } else {
            self.books.stale += 1;
        }
        self.release(slot);
    }

    /// An attempt has come to its end for its caller.
    fn settle(&mut self, slot: u32, is_ok: bool) {
        let attempt = self.attempts.get(slot);
        attempt.is_pending = false;
        let Attempt { since, owner, edge, .. } = *attempt;
        if let Some(breaker) = &mut self.breakers[edge as usize] {
            breaker.record(self.now, is_ok);
        }
        self.books.settle(self.now, edge, is_ok, self.now - since);
        if is_ok {
            if owner == USER {
                self.books.answer(since, self.now);
            }
            self.go_on(owner, true);
        } else if !self.retry(slot) {
            self.go_on(owner, false);
        }
    }

    /// Plans the next attempt of a call, if it has one left.
    fn retry(&mut self, slot: u32) -> bool {
        let old = *self.attempts.get(slot);
        let Edge { attempts, base, cap, .. } = self.system.edges[old.edge as usize];
        if old.number >= attempts {
            return false;
        }
        let most = base.checked_shl(u32::from(old.number) - 1).unwrap_or(cap).min(cap);
        let wait = (most as f64 * self.streams.jitter[old.edge as usize].unit()) as u64;
        let next = Attempt { number: old.number + 1, is_pending: true, held: 0, ..old };
        let next = self.attempts.insert(next);
        self.events.push(self.now + wait, Event::Retry(next));
        true
    }

    /// Lets whoever called go on.
    fn go_on(&mut self, owner: u32, is_ok: bool) {
        if owner != USER {
            self.advance(owner);
        } else if !is_ok {
            self.books.failed += 1;
        }
    }

    fn release(&mut self, slot: u32) {
        let attempt = self.attempts.get(slot);
        attempt.held -= 1;
        if attempt.held == 0 {
            self.attempts.remove(slot);
        }
    }
}

impl Span {
    fn draw(self, source: &mut Source) -> u64 {
        match self {
            Span::Exponential(mean) => source.span(mean),
            Span::Lognormal(median, sigma) => (median * (sigma * source.normal()).exp()) as u64,
        }
    }
}
