//! Critical paths: where the time of a request went, backwards from its answer.
//!
//! From the end of a request back, the call that ended last is the one that was waited for; before
//! that call began, the next one is (Zhang et al., "CRISP: Critical Path Analysis of Large-Scale
//! Microservice Architectures", USENIX ATC 2022). What lies between two calls is the caller's own.
//! The parts of a request add up to its latency.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::kernel::time::{Span, Time};
use crate::model::program::{EdgeId, NodeId, OperationId, Program};
use crate::system::Observer;
use crate::system::fact::{Asked, Fact, Request, Stay};

/// What a request waited for at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub enum Where {
    /// On the way to it and back.
    Network,
    /// In line for a worker.
    Queue,
    /// Its own work, and what it waits between its calls.
    Work,
    /// An answer that did not come in time: the caller gave up.
    NoAnswer,
}

impl Where {
    /// The name used in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Where::Network => "network",
            Where::Queue => "queue",
            Where::Work => "work",
            Where::NoAnswer => "no answer",
        }
    }
}

/// A part of the critical path of some requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Part {
    /// The index of the node.
    pub node: u16,
    /// What was waited for there.
    pub at: Where,
    /// How long, over all requests, in nanoseconds.
    pub all: u64,
    /// How long, over the slowest of them, in nanoseconds.
    pub slow: u64,
    /// Of how many of the slowest it was the longest part.
    pub longest: u64,
}

/// Where the time of the requests for one operation went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Paths {
    /// How many requests were followed.
    pub requests: u64,
    /// How many of them are the slowest.
    pub slowest: u64,
    /// The shortest latency of these.
    pub bound: Span,
    /// The parts, by node.
    pub parts: Vec<Part>,
}

/// The observer that follows requests.
#[derive(Clone, Debug)]
pub struct PathWatch<'p> {
    program: &'p Program,
    of: OperationId,
    /// The share of requests that are the slowest.
    slowest: f64,
    since: Time,
    open: BTreeMap<(u64, u64), Vec<Attempt>>,
    /// Which order asked at a time.
    orders: BTreeMap<u64, Vec<u64>>,
    followed: Vec<(Span, Shares)>,
}

/// How long a request waited for what, in nanoseconds.
type Shares = BTreeMap<(NodeId, Where), u64>;

/// An attempt of a call on behalf of a request.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    edge: EdgeId,
    number: u32,
    made: Time,
    /// When it came to its node, was taken up, and left.
    stay: Option<(Time, Time, Time)>,
    settled: Option<Time>,
}

impl<'p> PathWatch<'p> {
    /// A watch of the requests for an operation that are asked from a time on.
    #[must_use]
    pub fn new(program: &'p Program, of: OperationId, slowest: f64, since: Time) -> Self {
        PathWatch {
            program,
            of,
            slowest,
            since,
            open: BTreeMap::new(),
            orders: BTreeMap::new(),
            followed: Vec::new(),
        }
    }

    /// Where the time went.
    #[must_use]
    pub fn finish(self) -> Paths {
        let mut followed = self.followed;
        followed.sort_by_key(|(latency, _)| std::cmp::Reverse(*latency));
        let slowest = (followed.len() as f64 * self.slowest).ceil() as usize;
        let mut parts: BTreeMap<(NodeId, Where), Part> = BTreeMap::new();
        for (place, (_, shares)) in followed.iter().enumerate() {
            let is_slow = place < slowest;
            let longest = shares.iter().max_by_key(|(_, span)| **span).map(|(key, _)| *key);
            for (&key, &span) in shares {
                let part = parts.entry(key).or_insert(Part {
                    node: key.0.0,
                    at: key.1,
                    all: 0,
                    slow: 0,
                    longest: 0,
                });
                part.all += span;
                part.slow += if is_slow { span } else { 0 };
                part.longest += u64::from(is_slow && longest == Some(key));
            }
        }
        let bound = slowest.checked_sub(1).and_then(|last| followed.get(last));
        Paths {
            requests: followed.len() as u64,
            slowest: slowest as u64,
            bound: bound.map(|(latency, _)| *latency).unwrap_or_default(),
            parts: parts.into_values().collect(),
        }
    }

    fn is_followed(&self, asked: Asked) -> bool {
        asked.operation == self.of && asked.at >= self.since && asked.is_by_a_user()
    }

    fn attempt(&mut self, now: Time, (edge, number): (EdgeId, u32), order: u64, asked: Asked) {
        if !self.is_followed(asked) {
            return;
        }
        let key = (order, asked.at.0);
        if !self.open.contains_key(&key) {
            self.orders.entry(asked.at.0).or_default().push(order);
        }
        let attempt = Attempt { edge, number, made: now, stay: None, settled: None };
        self.open.entry(key).or_default().push(attempt);
    }

    /// An attempt has left the node that it came to. Who asked is told by the time alone.
    fn leave(&mut self, now: Time, stay: &Stay) {
        if !self.is_followed(stay.asked) {
            return;
        }
        let at = stay.asked.at.0;
        for order in self.orders.get(&at).into_iter().flatten() {
            let mut attempts = self.open.get_mut(&(*order, at)).into_iter().flatten();
            let is_it = |it: &&mut Attempt| {
                let (edge, number) = (stay.edge, stay.attempt);
                (it.edge, it.number) == (edge, number)
                    && it.stay.is_none()
                    && it.made <= stay.arrived
            };
            if let Some(attempt) = attempts.find(is_it) {
                attempt.stay = Some((stay.arrived, stay.begun.unwrap_or(now), now));
                return;
            }
        }
    }

    fn settle(&mut self, now: Time, (edge, number): (EdgeId, u32), order: u64, asked: Asked) {
        let Some(attempts) = self.open.get_mut(&(order, asked.at.0)) else { return };
        let is_it = |it: &&mut Attempt| (it.edge, it.number) == (edge, number);
        let mut open = attempts.iter_mut().filter(is_it).filter(|it| it.settled.is_none());
        if let Some(attempt) = open.next() {
            attempt.settled = Some(now);
        }
    }

    fn answer(&mut self, now: Time, request: Request) {
        if !self.is_followed(request.asked()) {
            return;
        }
        let at = request.started.0;
        let attempts = self.open.remove(&(request.order, at)).unwrap_or_default();
        if let Some(orders) = self.orders.get_mut(&at) {
            orders.retain(|order| *order != request.order);
            if orders.is_empty() {
                self.orders.remove(&at);
            }
        }
        let Some(first) = attempts.first() else { return };
        let clients = self.program.edge(first.edge).caller;
        let mut shares = Shares::new();
        self.walk(&attempts, clients, (request.started, now), &mut shares);
        self.followed.push((now.since(request.started), shares));
    }

    /// Shares out what a node did for a request in a span of time, the last call first.
    fn walk(
        &self,
        attempts: &[Attempt],
        node: NodeId,
        (from, until): (Time, Time),
        shares: &mut Shares,
    ) {
        let mut end = until;
        let mut add = |key: (NodeId, Where), from: Time, until: Time| {
            *shares.entry(key).or_default() += until.0.saturating_sub(from.0);
        };
        let mut inside = Vec::new();
        loop {
            let waited_for = attempts.iter().filter(|it| {
                self.program.edge(it.edge).caller == node
                    && it.made >= from
                    && it.made < end
                    && it.settled.is_some_and(|settled| settled <= end)
            });
            let Some(last) = waited_for.max_by_key(|it| (it.settled, it.made)) else { break };
            let (target, settled) =
                (self.program.edge(last.edge).target, last.settled.unwrap_or(end));
            add((node, Where::Work), settled, end);
            match last.stay.filter(|(.., left)| *left <= settled) {
                None => add((target, Where::NoAnswer), last.made, settled),
                Some((arrived, begun, left)) => {
                    add((target, Where::Network), last.made, arrived);
                    add((target, Where::Queue), arrived, begun);
                    add((target, Where::Network), left, settled);
                    inside.push((target, begun, left));
                }
            }
            end = last.made;
        }
        add((node, Where::Work), from, end);
        for (target, begun, left) in inside {
            self.walk(attempts, target, (begun, left), shares);
        }
    }
}

impl Observer for PathWatch<'_> {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Fact::Attempted { edge, attempt, order, asked } => {
                self.attempt(now, (edge, attempt), order, asked);
            }
            Fact::Left(stay) => self.leave(now, &stay),
            Fact::Settled { edge, attempt, order, asked, .. } if self.is_followed(asked) => {
                self.settle(now, (edge, attempt), order, asked);
            }
            Fact::Answered { request, .. } => self.answer(now, request),
            _ => {}
        }
    }
}
