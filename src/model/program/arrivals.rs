//! When users arrive, in the form in which it runs.

use std::sync::Arc;

use crate::kernel::draw::Probability;
use crate::kernel::sample::Distribution;
use crate::kernel::time::{Span, Time};

/// When users arrive.
#[derive(Clone, Debug)]
pub enum Arrivals {
    /// A Poisson process whose rate changes with time.
    Poisson(Rates),
    /// A Poisson process whose rate changes at random between two values.
    Bursts(Bursts),
    /// Equal gaps.
    Constant(Span),
    /// At recorded times.
    Trace(Trace),
    /// Always the same users, who come back.
    Closed(Closed),
}

/// A rate that changes with time, in pieces on which it is linear.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    /// In order; the first one is from zero on. The last one ends with the period, or never.
    pub pieces: Vec<Piece>,
    /// After how long it begins again.
    pub period: Option<Span>,
    /// How much of the period is over when the run starts.
    pub start: Span,
}

/// A rate that changes by the same amount each second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// From when on.
    pub from: Time,
    /// The rate then, per second.
    pub rate: f64,
    /// By how much it changes each second, per second.
    pub slope: f64,
}

/// Another rate for a while, whatever the rate would be otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spike {
    /// From when on.
    pub from: Time,
    /// Until when.
    pub until: Time,
    /// The rate, per second.
    pub rate: f64,
}

/// A process with two states, calm first and burst second: a Markov-modulated Poisson process.
#[derive(Clone, Copy, Debug)]
pub struct Bursts {
    /// The rate in each state, per second.
    pub rates: [f64; 2],
    /// The mean of the exponential time that each state lasts.
    pub means: [Span; 2],
}

/// Recorded arrivals.
#[derive(Clone, Debug)]
pub struct Trace {
    /// When, in order.
    pub times: Arc<[Time]>,
    /// The size of each, 1 being the unit; empty if they have none.
    pub sizes: Arc<[f32]>,
    /// How many users arrive for each, at least.
    pub copies: u32,
    /// How often there is one more.
    pub extra: Probability,
}

/// Users who think, go through their flow, and do so again.
#[derive(Clone, Debug)]
pub struct Closed {
    /// How many.
    pub users: u32,
    /// How long each thinks before a round, the first one included.
    pub think: Distribution,
}
