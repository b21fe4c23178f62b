//! What one visit of an operation takes and whom it calls, by walking through its steps.

use std::collections::{BTreeMap, BTreeSet};

use super::NodeLoad;
use super::call::{CallMeans, call};
use super::holding::hold;
use super::means::{Relay, Visit};
use super::moments::Moments;
use super::phase::Phase;
use crate::kernel::time::Span;
use crate::model::language::Flush;
use crate::model::program::{
    Call, ChanceOf, Condition, DataStep, Fork, Kind, LabelId, Node, NodeId, NodeStep, OperationId,
    Outbox, Program, ProviderStep, QueueStep, RelayStep, RepeatId, Step, Token,
};
use crate::policy::Outcome;

/// The visits of every operation under the faults of one phase.
pub(super) struct Visits<'a> {
    pub(super) program: &'a Program,
    phase: &'a Phase,
    known: BTreeMap<OperationId, Visit>,
    /// The visits as they are if every node serves all that comes: how many attempts there are, and
    /// how long they take. Empty until some node is known to be full.
    free: BTreeMap<OperationId, Visit>,
    /// By node, the share of what comes to it that it serves.
    served: Vec<f64>,
    /// The chances of the operation that is walked through which have the same draw in each
    /// attempt, with how likely they are, by their steps.
    asked: BTreeMap<u32, f64>,
    /// What is drawn for them, if that is looked at.
    drawn: BTreeMap<u32, bool>,
    /// Operations that are being walked through: one that calls itself has no end.
    open: Vec<OperationId>,
    /// What was assumed because no mean says it.
    pub(super) assumptions: Vec<String>,
    /// Whether users who come back are left out.
    pub(super) leaves_closed_out: bool,
}

/// How often the lists of one walk have been done again, and how often all of them together.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    pub(super) each: BTreeMap<RepeatId, u32>,
    pub(super) all: u32,
}

impl<'a> Visits<'a> {
    pub(super) fn new(program: &'a Program, phase: &'a Phase) -> Visits<'a> {
        Visits {
            program,
            phase,
            known: BTreeMap::new(),
            free: BTreeMap::new(),
            served: vec![1.0; program.nodes.len()],
            asked: BTreeMap::new(),
            drawn: BTreeMap::new(),
            open: Vec::new(),
            assumptions: Vec::new(),
            leaves_closed_out: false,
        }
    }

    /// The share of what comes to a node that it serves.
    pub(super) fn served(&self, node: NodeId) -> f64 {
        self.served[node.0 as usize]
    }

    /// Lets each node serve no more than it can of what comes to it; returns whether that is
    /// another share than before for any of them.
    pub(super) fn serve(&mut self, loads: &BTreeMap<u16, NodeLoad>) -> bool {
        let mut is_other = false;
        for (&node, load) in loads {
            let share = load.utilisation().map_or(1.0, |asked| (1.0 / asked).min(1.0));
            let served = &mut self.served[node as usize];
            is_other |= (share - *served).abs() > 1e-9;
            *served = share;
        }
        if is_other {
            let known = std::mem::take(&mut self.known);
            if self.free.is_empty() {
                self.free = known;
            }
        }
        is_other
    }

    /// Says of the nodes that are full what is assumed of them.
    pub(super) fn assume_of_full(&mut self, loads: &[NodeLoad]) {
        let is_full = |load: &&NodeLoad| load.utilisation().is_some_and(|asked| asked > 1.0);
        for NodeLoad { node, .. } in loads.iter().filter(is_full) {
            self.assume(format!(
                "`{node}` passes on what it can serve; retries of the rest are left out, and make \
                 its load more, not less"
            ));
        }
    }

    /// One visit of an operation if every node serves all that comes.
    pub(super) fn free(&mut self, operation: OperationId) -> Visit {
        match self.free.get(&operation) {
            Some(visit) => visit.clone(),
            None => self.of(operation).clone(),
        }
    }

    /// One visit of an operation.
    pub(super) fn of(&mut self, operation: OperationId) -> &Visit {
        if !self.known.contains_key(&operation) {
            let visit = if self.open.contains(&operation) {
                let name = &self.program.operation(operation).name;
                self.assume(format!("`{name}` calls itself: what it calls then is left out"));
                Visit { success: 1.0, ..Visit::default() }
            } else {
                self.open.push(operation);
                let at_the_door = self.phase.at_the_door(self.program, operation);
                let visit = self.walk_each(operation).failing(at_the_door);
                self.open.pop();
                visit
            };
            self.known.insert(operation, visit);
        }
        &self.known[&operation]
    }

    /// Walks through an operation as it is on average, and once for each set of draws that stay the
    /// same in each attempt.
    fn walk_each(&mut self, operation: OperationId) -> Visit {
        let start = self.program.operation(operation).start;
        let outside = (std::mem::take(&mut self.asked), std::mem::take(&mut self.drawn));
        let mut visit = self.walk(operation, start);
        let asked: Vec<(u32, f64)> = std::mem::take(&mut self.asked).into_iter().collect();
        if asked.len() > CHANCES_MAX {
            let name = &self.program.operation(operation).name;
            self.assume(format!("the many chances of `{name}` are drawn anew in each attempt"));
        } else if !asked.is_empty() {
            for set in 0..1_u32 << asked.len() {
                let is_drawn = |place: usize| set >> place & 1 == 1;
                let draws = asked.iter().enumerate();
                self.drawn = draws.map(|(place, &(site, _))| (site, is_drawn(place))).collect();
                let likely = |(place, &(_, share)): (usize, &(u32, f64))| {
                    if is_drawn(place) { share } else { 1.0 - share }
                };
                let share: f64 = asked.iter().enumerate().map(likely).product();
                let success = self.walk(operation, start).success;
                visit.chances.push((share, success));
            }
        }
        (self.asked, self.drawn) = outside;
        visit
    }

    /// These operations and all that they lead to, each before those that it calls.
    pub(super) fn order(&mut self, first: impl Iterator<Item = OperationId>) -> Vec<OperationId> {
        let (mut seen, mut done) = (BTreeSet::new(), Vec::new());
        for operation in first {
            self.called_first(operation, &mut seen, &mut done);
        }
        done.reverse();
        done
    }

    fn called_first(
        &mut self,
        operation: OperationId,
        seen: &mut BTreeSet<OperationId>,
        done: &mut Vec<OperationId>,
    ) {
        if !seen.insert(operation) {
            return;
        }
        let called: Vec<OperationId> = self.of(operation).calls.keys().copied().collect();
        for other in called {
            self.called_first(other, seen, done);
        }
        done.push(operation);
    }

    /// Notes what is assumed.
    pub(super) fn assume_all(&mut self, what: Vec<String>) {
        what.into_iter().for_each(|one| self.assume(one));
    }

    pub(super) fn assume(&mut self, what: String) {
        if !self.assumptions.contains(&what) {
            self.assumptions.push(what);
        }
    }

    /// Walks from a step on. Steps jump forwards only, but for the rounds of a list that is done
    /// again, so each is reached with all that comes to it before it is passed.
    pub(super) fn walk(&mut self, operation: OperationId, start: u32) -> Visit {
        let mut visit = Visit::default();
        let mut reached = BTreeMap::from([(start, 1.0)]);
        let mut rounds = Rounds::default();
        while let Some((at, share)) = reached.pop_first() {
            if share <= 0.0 {
                continue;
            }
            let mut go = |to: u32, share: f64| *reached.entry(to).or_insert(0.0) += share;
            let (step, before) = (&self.program.steps[at as usize], visit.time.mean);
            match step {
                Step::Reply(Outcome::Ok) | Step::Finish => visit.success += share,
                Step::Reply(_) | Step::PassOn | Step::Fail => {}
                Step::Repeat(step) => {
                    for (to, share) in self.repeat(*step, at, share, &mut rounds, &mut visit) {
                        go(to, share);
                    }
                }
                Step::Jump(to) => go(*to, share),
                Step::JumpUnless(condition, to) => {
                    let holds = self.holds(*condition);
                    go(at + 1, share * holds);
                    go(*to, share * (1.0 - holds));
                }
                Step::JumpIfToldWithin(_, to) => {
                    self.assume("half of the sticky reads go to the primary".to_owned());
                    go(at + 1, share / 2.0);
                    go(*to, share / 2.0);
                }
                Step::JumpIfFound(_) => {
                    self.assume("every look-up in a cache misses".to_owned());
                    go(at + 1, share);
                }
                Step::Call(step) => {
                    let CallMeans { arrivals, time, success } = self.call(operation, *step);
                    visit.time = visit.time.then(time.times(share));
                    *visit.calls.entry(step.operation).or_insert(0.0) += share * arrivals;
                    let target = self.program.edge(step.edge).target;
                    *visit.calling.entry(target).or_insert(0.0) += share * time.mean;
                    go(at + 1, share * success);
                    if let Some(to) = step.on_failure {
                        go(to, share * (1.0 - success));
                    }
                }
                Step::Fork(fork) => {
                    let &Fork { join, on_failure, .. } = &self.program.forks[fork.0 as usize];
                    let success = self.fork(operation, fork.0, share, &mut visit);
                    go(join, share * success);
                    if let Some(to) = on_failure {
                        go(to, share * (1.0 - success));
                    }
                }
                Step::Node(NodeStep::Provider(ProviderStep::Effect(_))) => {
                    let node = self.program.operation(operation).node;
                    go(at + 1, share * (1.0 - self.phase.nodes[node.0 as usize].fails()));
                }
                step => {
                    let time = self.time_of(operation, step);
                    visit.time = visit.time.then(time.times(share));
                    if matches!(step, Step::Work(_) | Step::WorkPerSize(_)) {
                        visit.work += share * time.mean;
                    }
                    self.put(operation, step, share, &mut visit);
                    go(at + 1, share);
                }
            }
            hold(&mut visit.held, self.program, start..at + 1, visit.time.mean - before);
        }
        visit
    }

    /// How likely a condition holds.
    fn holds(&mut self, condition: Condition) -> f64 {
        match condition {
            Condition::Found => 1.0,
            Condition::Missing => 0.0,
            Condition::Event(_) => {
                self.assume(EQUAL_EVENTS.to_owned());
                1.0 / self.program.events().len().max(1) as f64
            }
            Condition::Heard(outcomes) => f64::from(u8::from(outcomes.contains(Outcome::Ok))),
            Condition::Chance { share, of: ChanceOf::Attempt, .. } => share.value(),
            Condition::Chance { share, site, .. } => match self.drawn.get(&site) {
                Some(&is_drawn) => f64::from(u8::from(is_drawn)),
                None => {
                    self.asked.insert(site, share.value());
                    share.value()
                }
            },
            Condition::State(label) => self.share_in(label),
            Condition::NotState(label) => 1.0 - self.share_in(label),
        }
    }

    /// How likely a row is in a state. No mean says it, but for one that no row is ever in, and one
    /// that all rows are always in.
    fn share_in(&mut self, label: LabelId) -> f64 {
        if label.0 < self.program.numbers {
            self.assume("no stock is ever at a number that a step asks for".to_owned());
            return 0.0;
        }
        let states = self.program.states();
        match (states.contains(&label), states.len()) {
            (false, _) => 0.0,
            (true, 1) => 1.0,
            _ => {
                let state = &self.program.labels[label.0 as usize];
                self.assume(format!("a row is in the state `{state}` half of the time"));
                0.5
            }
        }
    }

    /// How long a step takes that calls nobody.
    fn time_of(&mut self, operation: OperationId, step: &Step) -> Moments {
        let node = self.program.operation(operation).node;
        let slow = self.phase.nodes[node.0 as usize].slow;
        match step {
            Step::Work(time) => Moments::of(time, slow),
            Step::WorkPerSize(time) => {
                self.assume("every request has size 1".to_owned());
                Moments::of(time, slow)
            }
            Step::Think(time) => Moments::of(time, 1.0),
            Step::Node(NodeStep::Data(DataStep::AwaitLock(_))) => {
                self.assume("no row is locked when a step asks for it".to_owned());
                Moments::default()
            }
            Step::Node(NodeStep::Data(DataStep::AwaitFlush)) => match &self.program.node(node).kind
            {
                // Who commits first waits for all of it, who comes last for nothing.
                Kind::Database(database) => match database.flush {
                    Flush::Group(span) => Moments::constant(span.seconds() / 2.0),
                    Flush::EachCommit | Flush::Every(_) => Moments::default(),
                },
                _ => Moments::default(),
            },
            Step::Node(NodeStep::Data(DataStep::AwaitReplica(timeout))) => {
                let Kind::Database(database) = &self.program.node(node).kind else {
                    return Moments::default();
                };
                let lag = |&replica: &NodeId| match &self.program.node(replica).kind {
                    Kind::Replica(replica) => replica.lag.mean().map(Span::seconds),
                    _ => None,
                };
                let soonest = database.replicas.iter().filter_map(lag).reduce(f64::min);
                Moments::constant(soonest.map_or(0.0, |lag| lag.min(timeout.seconds())))
            }
            _ => Moments::default(),
        }
    }

    /// Counts what a step puts into queues and outboxes.
    fn put(&self, operation: OperationId, step: &Step, share: f64, visit: &mut Visit) {
        let node = self.program.operation(operation).node;
        match step {
            Step::Node(NodeStep::Queue(QueueStep::Enqueue)) => {
                *visit.messages.entry(node).or_insert(0.0) += share;
            }
            Step::Node(NodeStep::Queue(QueueStep::EnqueueBatch)) => {
                let events = share * f64::from(self.batch_of(operation));
                *visit.messages.entry(node).or_insert(0.0) += events;
            }
            Step::Node(NodeStep::Data(DataStep::Commit(transaction))) => {
                let events = self.program.transactions[transaction.0 as usize].events.len();
                for (index, other) in self.program.nodes.iter().enumerate() {
                    let Kind::Outbox(outbox) = &other.kind else { continue };
                    if outbox.database == node && events > 0 {
                        let relay = NodeId(index as u16);
                        *visit.messages.entry(relay).or_insert(0.0) += share * events as f64;
                    }
                }
            }
            _ => {}
        }
    }

    /// A call by its policy, over its link.
    fn call(&mut self, caller: OperationId, step: Call) -> CallMeans {
        let edge = self.program.edge(step.edge);
        let link = self.program.link_index(edge.caller, edge.target);
        let policy = &self.program.policies[edge.policy as usize];
        if self.program.own_policy(edge.policy).is_some() {
            self.assume(format!("`{}` is a policy of its own: no retries", policy.0));
        }
        let keeps_back = policy.1.bulkhead.is_some()
            || policy.1.rate_limit.is_some()
            || policy.1.throttling.is_some()
            || policy.1.adaptive.is_some()
            || policy.1.limit.is_some();
        let is_narrow = self.program.links[link].transmission > Span::ZERO;
        for (is_there, what) in [
            (keeps_back, "the limits of policies keep no call back"),
            (is_narrow, "no message waits for the bandwidth of its link"),
            (policy.1.hedge.is_some(), "further copies of slow attempts are left out"),
            (policy.1.breaker.is_some(), "no breaker is open"),
            (policy.1.connections.is_some(), "connections are open already"),
        ] {
            if is_there {
                self.assume(what.to_owned());
            }
        }
        if matches!(step.token, Token::Order | Token::Request | Token::Key)
            && self.is_database(edge.target)
        {
            self.assume("what is done once is counted at every attempt".to_owned());
        }
        let latency = Moments::of(&self.program.links[link].latency, 1.0);
        let success = self.of(step.operation).success;
        let target = self.free(step.operation);
        let mut means = call(&policy.1, &self.phase.links[link], latency, &target);
        if target.success > 0.0 {
            means.success *= (success / target.success).min(1.0);
        }
        means.success *= self.served(edge.target);
        if !means.time.mean.is_finite() {
            let name = &self.program.operation(caller).name;
            self.assume(format!("`{name}` may wait for ever: its call has no timeout"));
        }
        means
    }

    /// Says that a relay does not rest, where a call that fails makes it do so.
    fn assume_no_rest(&mut self, outbox: &Outbox, means: &CallMeans) {
        if means.success < 1.0 - 1e-9 {
            let name = &self.program.node(self.program.operation(outbox.operation).node).name;
            self.assume(format!("`{name}` goes on at once after a call of it has failed"));
        }
    }

    fn is_database(&self, node: NodeId) -> bool {
        matches!(self.program.node(node).kind, Kind::Database(_))
    }

    /// How many events a full request carries to an operation of a queue.
    fn batch_of(&self, operation: OperationId) -> u32 {
        let publishes = |node: &Node| match &node.kind {
            Kind::Outbox(Outbox { publish: Some(publish), .. }) => {
                let start = self.program.operation(publish.operation).start;
                let call = call_of(&self.program.steps[start as usize]);
                call.filter(|call| call.operation == operation).map(|_| publish.batch)
            }
            _ => None,
        };
        self.program.nodes.iter().filter_map(publishes).max().unwrap_or(1)
    }

    /// What a relay does with one event of a full batch.
    pub(super) fn relay(&mut self, outbox: &Outbox) -> Relay {
        let start = self.program.operation(outbox.operation).start;
        let steps = &self.program.steps[start as usize..];
        // Its requests are an operation of their own, behind this one.
        let request = outbox.publish.map(|publish| self.program.operation(publish.operation).start);
        let own =
            steps.iter().take(request.map_or(RELAY_STEPS, |request| (request - start) as usize));
        let own = own.take_while(|step| {
            !matches!(step, Step::Node(NodeStep::Relay(RelayStep::NextRound(_))))
        });
        let mut calls: Vec<(Call, f64)> = own.filter_map(call_of).map(|call| (call, 1.0)).collect();
        if outbox.targets.len() > 1 {
            self.assume(EQUAL_EVENTS.to_owned());
            let share = 1.0 / outbox.targets.len() as f64;
            calls.extend(outbox.targets.iter().map(|target| (target.call, share)));
        }
        let mut relay = Relay::default();
        for (step, part) in calls {
            let means = self.call(outbox.operation, step);
            self.assume_no_rest(outbox, &means);
            let target = self.program.operation(step.operation).node;
            // It publishes each event by itself, and takes and marks a batch at once.
            let is_each = matches!(self.program.node(target).kind, Kind::Queue(_));
            let share = if is_each { part } else { 1.0 / f64::from(outbox.batch) };
            relay.held_s += means.time.mean * share;
            *relay.calls.entry(step.operation).or_insert(0.0) += means.arrivals * share;
        }
        if let (Some(publish), Some(request)) = (outbox.publish, request)
            && let Some(step) = call_of(&self.program.steps[request as usize])
        {
            let means = self.call(publish.operation, step);
            self.assume_no_rest(outbox, &means);
            let (at_once, each) = (f64::from(publish.in_flight), f64::from(publish.batch));
            relay.held_s += means.time.mean / (at_once * each);
            *relay.calls.entry(step.operation).or_insert(0.0) += means.arrivals / each;
        }
        relay
    }
}

/// The call of a step, if it is one.
fn call_of(step: &Step) -> Option<Call> {
    if let Step::Call(call) = step { Some(*call) } else { None }
}

/// The most chances of an operation that are looked at in every combination.
const CHANCES_MAX: usize = 4;

/// What is assumed where it matters which events there are.
const EQUAL_EVENTS: &str = "each event is as frequent as every other";

/// The most steps of a relay's round.
const RELAY_STEPS: usize = 9;
