//! What each node and each operation did in the course of a run: workers taken, requests and
//! messages waiting, and how requests fared by when they were asked.

use std::collections::BTreeMap;

use crate::kernel::time::{Span, Time};
use crate::metric::histogram::Histogram;
use crate::metric::presence::Presence;
use crate::model::program::{NodeId, OperationId, Program};
use crate::policy::Outcome;
use crate::system::Observer;
use crate::system::fact::{Fact, Request};

/// What a node did, window by window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeSeries {
    /// How many of its workers were taken, on average.
    pub working: Vec<f64>,
    /// How many requests waited for one, on average.
    pub waiting: Vec<f64>,
}

/// How the requests of users for an operation fared, by when they were asked.
#[derive(Clone, Debug, Default)]
pub struct OperationSeries {
    /// Those that were asked in each window.
    pub asked: Vec<u64>,
    /// Those of them that were answered `ok`.
    pub ok: Vec<u64>,
    /// How long these took.
    pub latency: Vec<Histogram>,
}

/// The observer that makes both.
#[derive(Clone, Debug)]
pub struct NodeWatch<'p> {
    program: &'p Program,
    window: Span,
    /// Requests at work by node, from when a worker took one up until it left.
    held: Vec<Presence>,
    /// Work alone, which is all that is told of messages.
    worked: Vec<Presence>,
    waiting: Vec<Presence>,
    operations: BTreeMap<OperationId, OperationSeries>,
}

impl<'p> NodeWatch<'p> {
    /// A watch in windows of this width, until `end`.
    #[must_use]
    pub fn new(program: &'p Program, window: Span, end: Time) -> NodeWatch<'p> {
        let none = vec![Presence::new(window, end); program.nodes.len()];
        NodeWatch {
            program,
            window,
            held: none.clone(),
            worked: none.clone(),
            waiting: none,
            operations: BTreeMap::new(),
        }
    }

    /// What each node did, by its index, and each operation.
    #[must_use]
    pub fn finish(self) -> (Vec<NodeSeries>, BTreeMap<OperationId, OperationSeries>) {
        let nodes = self.held.iter().zip(&self.worked).zip(&self.waiting);
        let series = |((held, worked), waiting): ((&Presence, &Presence), &Presence)| {
            let (held, worked) = (held.averages(), worked.averages());
            NodeSeries {
                working: held.iter().zip(&worked).map(|(held, worked)| held.max(*worked)).collect(),
                waiting: waiting.averages(),
            }
        };
        (nodes.map(series).collect(), self.operations)
    }

    fn ask(&mut self, request: Request, took: Option<Span>) {
        let window = (request.started.0 / self.window.0) as usize;
        let series = self.operations.entry(request.operation).or_default();
        if series.asked.len() <= window {
            series.asked.resize(window + 1, 0);
            series.ok.resize(window + 1, 0);
            series.latency.resize(window + 1, Histogram::default());
        }
        series.asked[window] += 1;
        if let Some(took) = took {
            series.ok[window] += 1;
            series.latency[window].record(took);
        }
    }

    fn place(node: NodeId) -> usize {
        usize::from(node.0)
    }
}

impl Observer for NodeWatch<'_> {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Fact::Left(stay) | Fact::Staying(stay) => {
                let node = Self::place(self.program.edge(stay.edge).target);
                self.waiting[node].stayed(stay.arrived, stay.begun.unwrap_or(now));
                if let Some(begun) = stay.begun {
                    self.held[node].stayed(begun, now);
                }
            }
            Fact::Worked(work) | Fact::Working(work) => {
                let begun = Time(now.0.saturating_sub(work.span.0));
                self.worked[Self::place(work.node)].stayed(begun, now);
            }
            Fact::Answered { request, outcome, .. } => {
                let took = now.since(request.started);
                self.ask(request, (outcome == Outcome::Ok).then_some(took));
            }
            Fact::Unanswered(request) => self.ask(request, None),
            _ => {}
        }
    }
}
