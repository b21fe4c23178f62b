//! A closer look at one run: in each window of time what came to each node, which attempts failed
//! where and why, and what waited; and of every request that failed, what went wrong first.

mod backlog;
mod policies;
mod trouble;

use std::collections::BTreeMap;

use super::measure::Measure;
use super::milestone::{Followers, Milestone};
use crate::kernel::time::{Span, Time};
use crate::model::program::{EdgeId, Kind, NodeId, OperationId, Program};
use crate::policy::{Denial, Outcome};
use crate::system::Observer;
use crate::system::fact::{Content, Fact, Transit, Waiting};
use crate::system::remembered::{Breakers, Remembered};

pub use backlog::Backlog;
use policies::Watched;
use trouble::Troubles;
pub use trouble::{Causes, Trouble};

/// A count for each window of time, from the start of the run; windows after the last one in which
/// anything was counted are left out.
pub type Counts = Vec<u64>;

/// What one run came to, window by window.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// The width of a window.
    pub window: Span,
    /// Requests and messages that came to each node, by when they arrived.
    pub arrived: BTreeMap<NodeId, Counts>,
    /// Attempts that failed for their caller, by where and how, and by when they ended.
    pub failed: BTreeMap<(EdgeId, Outcome), Counts>,
    /// Attempts that the caller's own policy did not make, by where and by which part of it.
    pub denied: BTreeMap<(EdgeId, Denial), Counts>,
    /// The messages and outbox events of each queue, or of the database of an outbox, that were due
    /// and not done with.
    pub backlogs: BTreeMap<NodeId, Backlog>,
    /// At the end of each window, the circuit breakers of the processes that call at an edge.
    pub breakers: BTreeMap<EdgeId, Vec<Breakers>>,
    /// At the end of each window, the tokens in their retry budgets, the mean over processes.
    pub tokens: BTreeMap<EdgeId, Vec<f64>>,
    /// What went wrong first for the requests of each operation whose users were not answered `ok`.
    pub unanswered: BTreeMap<OperationId, Causes>,
    /// What went wrong first for the requests that did not reach each milestone in time.
    pub missed: Vec<Causes>,
}

/// The observer that makes a [`Timeline`].
#[derive(Clone, Debug)]
pub struct TimelineRecorder<'p> {
    program: &'p Program,
    measure: Measure,
    timeline: Timeline,
    watched: Watched,
    /// Since when each message waited that is done with, and until when.
    waited: BTreeMap<NodeId, Vec<(Time, Time)>>,
    troubles: Troubles,
    /// Orders whose users were not answered `ok`.
    refused: BTreeMap<OperationId, Vec<u64>>,
    followers: Followers,
}

impl<'p> TimelineRecorder<'p> {
    /// A recorder for a run in which this is measured.
    #[must_use]
    pub fn new(program: &'p Program, measure: &Measure, milestones: &[Milestone]) -> Self {
        TimelineRecorder {
            program,
            measure: measure.clone(),
            timeline: Timeline { window: measure.window, ..Timeline::default() },
            watched: Watched::new(program, measure.window),
            waited: BTreeMap::new(),
            troubles: Troubles::default(),
            refused: BTreeMap::new(),
            followers: Followers::new(milestones, measure),
        }
    }

    /// What was seen, when the run has ended at this time.
    #[must_use]
    pub fn finish(self, end: Time) -> Timeline {
        let TimelineRecorder { mut timeline, waited, troubles, refused, followers, .. } = self;
        let backlog = |(node, spans)| (node, Backlog::new(timeline.window, spans));
        timeline.backlogs = waited.into_iter().map(backlog).collect();
        let causes = |(operation, orders): (_, Vec<u64>)| (operation, troubles.causes(orders));
        timeline.unanswered = refused.into_iter().map(causes).collect();
        let missed = followers.missed(end).into_iter();
        timeline.missed = missed.map(|orders| troubles.causes(orders)).collect();
        timeline
    }

    fn count<K: Ord>(counts: &mut BTreeMap<K, Counts>, key: K, window: usize) {
        let counts = counts.entry(key).or_default();
        if counts.len() <= window {
            counts.resize(window + 1, 0);
        }
        counts[window] += 1;
    }

    fn count_in_window(&mut self, now: Time, fact: &Fact) {
        let window = (now.0 / self.measure.window.0) as usize;
        let timeline = &mut self.timeline;
        match *fact {
            Fact::Arrived(Transit {
                to, content: Content::Call(_) | Content::Delivery, ..
            }) => {
                Self::count(&mut timeline.arrived, to, window);
            }
            Fact::Settled { edge, outcome, .. } if outcome != Outcome::Ok => {
                Self::count(&mut timeline.failed, (edge, outcome), window);
            }
            Fact::Denied { edge, denial, .. } => {
                Self::count(&mut timeline.denied, (edge, denial), window);
            }
            _ => {}
        }
    }

    fn note_message(&mut self, now: Time, fact: &Fact) {
        let (node, since, until) = match *fact {
            Fact::Acknowledged { queue, since, .. }
            | Fact::DeadLettered { queue, since, .. }
            | Fact::Expired { queue, since, .. }
            | Fact::MessageLost { queue, since, .. } => (queue, since, now),
            Fact::Unprocessed(Waiting { node, since, .. }) => {
                (self.owner(node), since, Time::NEVER)
            }
            _ => return,
        };
        self.waited.entry(node).or_default().push((since, until));
    }

    /// Where a message is counted: what a relay has not passed on belongs to the queue that it
    /// publishes to, as it does once it is there.
    fn owner(&self, node: NodeId) -> NodeId {
        let program = self.program;
        let is_relay_of = |relay: NodeId| match &program.node(relay).kind {
            Kind::Outbox(outbox) => relay == node || outbox.database == node,
            _ => false,
        };
        let is_queue = |target: NodeId| matches!(program.node(target).kind, Kind::Queue(_));
        let mut edges = program.edges.iter();
        let publishes = edges.find(|edge| is_relay_of(edge.caller) && is_queue(edge.target));
        publishes.map_or(node, |edge| edge.target)
    }
}

impl Observer for TimelineRecorder<'_> {
    fn observe(&mut self, now: Time, fact: &Fact) {
        self.followers.observe(now, fact);
        self.count_in_window(now, fact);
        self.note_message(now, fact);
        match *fact {
            Fact::Answered { request, outcome, .. }
                if outcome != Outcome::Ok && self.measure.counts(request.asked()) =>
            {
                self.refused.entry(request.operation).or_default().push(request.order);
            }
            Fact::Unanswered(request) if self.measure.counts(request.asked()) => {
                self.refused.entry(request.operation).or_default().push(request.order);
            }
            _ => {}
        }
        if !fact.is_upkeep(self.program) {
            self.troubles.note(self.program, fact);
        }
    }

    fn looks_at(&self) -> Time {
        self.watched.next
    }

    fn look(&mut self, remembered: &Remembered<'_>) {
        self.watched.note(remembered, &mut self.timeline);
    }
}
