//! What one visit of an operation comes to, and one event at a relay.

use std::collections::BTreeMap;

use super::holding::Held;
use super::moments::Moments;
use crate::model::program::{NodeId, OperationId};

/// What one visit comes to, if nobody waits in a line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Visit {
    /// How long it holds its worker.
    pub(super) time: Moments,
    /// For how long of it it is at work, in seconds.
    pub(super) work: f64,
    /// How long its calls take, by the node that is called, in seconds.
    pub(super) calling: BTreeMap<NodeId, f64>,
    /// How long it holds places of the pools of its node.
    pub(super) held: Held,
    /// How likely it is to be answered `ok`.
    pub(super) success: f64,
    /// The parts of all requests that have the same draws in each attempt: how large each is, and
    /// how likely one of it is answered `ok`; empty if there is one part.
    pub(super) chances: Vec<(f64, f64)>,
    /// How often it brings a request to each operation.
    pub(super) calls: BTreeMap<OperationId, f64>,
    /// How many messages it puts into each queue or outbox.
    pub(super) messages: BTreeMap<NodeId, f64>,
}

impl Visit {
    /// The same of calls that fail with these probabilities as soon as they come, and when they
    /// have been done.
    pub(super) fn failing(mut self, [before, after]: [f64; 2]) -> Visit {
        let begun = 1.0 - before;
        if begun <= 0.0 {
            return Visit::default();
        }
        self.time = self.time.times(begun);
        self.work *= begun;
        self.calling.values_mut().for_each(|time| *time *= begun);
        self.calls.values_mut().for_each(|count| *count *= begun);
        self.messages.values_mut().for_each(|count| *count *= begun);
        let heard = (begun - after).max(0.0);
        self.success *= heard;
        self.chances.iter_mut().for_each(|(_, success)| *success *= heard);
        self
    }

    /// The parts of all requests by the draws that stay the same in each attempt: how large each
    /// is, and how likely one of it is answered `ok`.
    pub(super) fn parts(&self) -> Vec<(f64, f64)> {
        if self.chances.is_empty() { vec![(1.0, self.success)] } else { self.chances.clone() }
    }
}

/// What a relay does with one event.
#[derive(Clone, Debug, Default)]
pub(super) struct Relay {
    /// How long it holds the relay, in seconds.
    pub(super) held_s: f64,
    /// How often it brings a request to each operation.
    pub(super) calls: BTreeMap<OperationId, f64>,
}
