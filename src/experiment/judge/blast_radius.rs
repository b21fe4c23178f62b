//! Blast radius: who fared worse for the faults of a run than under the same seed without them, and
//! when each node first did something else.
//!
//! The term is that of <https://principlesofchaos.org>: the part of a system that an experiment, or
//! a failure, hurts. Both runs are equal until the first fault acts, so every difference is due to
//! the faults: nothing is estimated, and a run without the cause differs by exactly nothing.

use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fault::FaultText;
use crate::invariant::slower_rule;
use crate::kernel::time::{Span, Time};
use crate::metric::{Arrived, Milestone};
use crate::model::document::Value;
use crate::model::problem::Problem;
use crate::model::program::{NodeId, OperationId, Program};
use crate::twin::{Asking, Calls, Fates, Harm, Reached, Rule, Trail, Way, compare};

/// `[blast_radius]`: each run is repeated without its faults, and compared with that.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct BlastRadiusText {
    /// Whose failure it is: nodes, `"zone a"` or `"region eu"`. Only faults are taken out that
    /// strike one of them or a link from or to it; without it, all are.
    pub of: Vec<String>,
    /// A request fares worse too if it takes more than so many times as long as without the faults,
    /// and more than `at_least` longer.
    pub slower: f64,
    /// See `slower`.
    pub at_least: Span,
}

impl Default for BlastRadiusText {
    fn default() -> BlastRadiusText {
        let Rule { slower, at_least } = Rule::default();
        BlastRadiusText { of: Vec::new(), slower, at_least }
    }
}

/// How the runs of one cell are compared with their twins.
#[derive(Clone, Debug, PartialEq)]
pub struct BlastRadiusRule {
    /// The nodes whose faults are taken out; `None` for all faults.
    of: Option<BTreeSet<NodeId>>,
    /// When a request fared worse.
    rule: Rule,
}

/// What a run came to beside its twin without the cause.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct BlastRadius {
    /// When the cause began and when it was over.
    pub acts: (Time, Time),
    /// Measured requests that were answered `ok` without the cause.
    pub requests: Parts,
    /// Those of them that were asked while it acted.
    pub during: Parts,
    /// The same as `requests`, by operation of the program; those that nobody asked for are left
    /// out.
    pub operations: Vec<(u16, OfOperation)>,
    /// Users with such requests, and those of them with one that fared worse.
    pub users: Part,
    /// Keys that such requests were about.
    pub keys: Part,
    /// For each milestone, orders that reached it in time without the cause, and those that did not
    /// with it, or later.
    pub milestones: Vec<Part>,
    /// For each promise, by how much more often it was broken than without the cause.
    pub promises: Vec<u64>,
    /// When each node was reached by a difference, by its index.
    pub nodes: Vec<Option<Reached>>,
    /// When the first call to each node, or request of these clients, was seen to fare worse.
    pub hurt: Vec<Option<Time>>,
    /// When the last request was asked that fared worse.
    pub last: Option<Time>,
}

/// Requests of which some fared worse, by the way in which they did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Parts {
    /// How many were good without the cause.
    pub of: u64,
    /// Those that were not answered `ok` with it, or whose users never came to ask.
    pub failed: u64,
    /// Those whose users were shown something old.
    pub older: u64,
    /// Those that took longer.
    pub slower: u64,
}

/// A part of a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Part {
    /// The whole.
    pub of: u64,
    /// What fared worse of it.
    pub worse: u64,
}

/// The requests for an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct OfOperation {
    /// How they fared.
    pub parts: Parts,
    /// When the first of them was seen to fare worse.
    pub first: Option<Time>,
}

/// What is kept of a run to compare it with its twin.
#[derive(Clone, Debug)]
pub struct Kept<'p> {
    /// What became of its requests.
    pub(in crate::experiment) fates: Fates,
    /// What became of its calls.
    pub(in crate::experiment) calls: Calls,
    /// What its nodes did.
    pub(in crate::experiment) trail: Trail<'p>,
    /// Which orders came to each milestone.
    pub(in crate::experiment) arrived: Vec<Vec<Arrived>>,
    /// How often each promise was broken.
    pub(in crate::experiment) violations: Vec<u64>,
    /// When it ended.
    pub(in crate::experiment) end: Time,
}

impl Parts {
    /// How many fared worse.
    #[must_use]
    pub fn worse(&self) -> u64 {
        self.failed + self.older + self.slower
    }

    /// The share that fared worse.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        (self.of > 0).then(|| self.worse() as f64 / self.of as f64)
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Parts) {
        self.of += other.of;
        self.failed += other.failed;
        self.older += other.older;
        self.slower += other.slower;
    }

    /// Counts a request that was good without the cause, and fared so with it.
    pub fn count(&mut self, way: Option<Way>) {
        self.of += 1;
        match way {
            None => {}
            Some(Way::Failed | Way::Never) => self.failed += 1,
            Some(Way::Older) => self.older += 1,
            Some(Way::Slower) => self.slower += 1,
        }
    }
}

impl Part {
    /// The share that fared worse.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        (self.of > 0).then(|| self.worse as f64 / self.of as f64)
    }

    /// How many of these fared worse.
    fn count(worse: impl Iterator<Item = bool>) -> Part {
        worse.fold(Part::default(), |part, is_worse| Part {
            of: part.of + 1,
            worse: part.worse + u64::from(is_worse),
        })
    }
}

/// The rule of an experiment for a program; notes what does not fit.
pub(in crate::experiment) fn compiled(
    text: Option<&BlastRadiusText>,
    program: &Program,
    (document, problems): (&Value, &mut Vec<Problem>),
) -> Option<BlastRadiusRule> {
    let rule = BlastRadiusRule::new(text?, program);
    rule.map_err(|wrong| problems.push(wrong.located(document, &["blast_radius"]))).ok()
}

impl BlastRadiusRule {
    /// Checks `[blast_radius]` against a program.
    ///
    /// # Errors
    /// A node that there is not, or a factor that makes nothing slower, with its key.
    pub fn new(text: &BlastRadiusText, program: &Program) -> Result<BlastRadiusRule, Problem> {
        let rule = slower_rule(text.slower, text.at_least)?;
        let mut of = BTreeSet::new();
        for (index, name) in text.of.iter().enumerate() {
            let found = program.find_nodes(name);
            let at = |problem: Problem| problem.inside(index.to_string()).inside("of");
            of.extend(found.map_err(at)?.1);
        }
        Ok(BlastRadiusRule { of: (!text.of.is_empty()).then_some(of), rule })
    }

    /// The numbers of the faults that are the cause.
    #[must_use]
    pub fn cause(&self, faults: &[FaultText], program: &Program) -> BTreeSet<usize> {
        let strikes = |fault: &FaultText| match &self.of {
            None => true,
            Some(nodes) => !fault.struck(program).is_disjoint(nodes),
        };
        let numbered = faults.iter().enumerate();
        numbered.filter(|(_, fault)| strikes(fault)).map(|(number, _)| number).collect()
    }

    /// What a run came to beside its twin. Measured are requests from `warm_up` on; the cause acts
    /// from the first to the second of `acts`.
    #[must_use]
    pub fn compare(
        &self,
        with: &Kept<'_>,
        without: &Kept<'_>,
        milestones: &[Milestone],
        (warm_up, acts): (Time, (Time, Time)),
    ) -> BlastRadius {
        let harms = compare(&self.rule, warm_up, &with.fates.requests(), &without.fates.requests());
        let hurt = self.hurt_callees(with, without, acts.0);
        let mut found = BlastRadius { acts, hurt, ..BlastRadius::default() };
        let mut operations: BTreeMap<OperationId, OfOperation> = BTreeMap::new();
        let (mut users, mut keys) = (BTreeMap::new(), BTreeMap::new());
        for Harm { which: asking, without, way, at, .. } in harms {
            found.requests.count(way);
            if acts.0 <= without.started && without.started < acts.1 {
                found.during.count(way);
            }
            let of = operations.entry(asking.operation).or_default();
            of.parts.count(way);
            let is_worse = way.is_some();
            *users.entry((asking.clients, asking.work)).or_default() |= is_worse;
            *keys.entry(without.key).or_default() |= is_worse;
            if is_worse {
                of.first = earlier(of.first, at);
                let users = &mut found.hurt[usize::from(asking.clients.0)];
                *users = earlier(*users, at);
                found.last = found.last.max(Some(without.started));
            }
        }
        found.operations = operations.into_iter().map(|(id, of)| (id.0, of)).collect();
        (found.users, found.keys) =
            (Part::count(users.into_values()), Part::count(keys.into_values()));
        let numbered = milestones.iter().enumerate();
        found.milestones =
            numbered.map(|(place, one)| self.milestone(with, without, (place, one))).collect();
        let promises = with.violations.iter().zip(&without.violations);
        found.promises = promises.map(|(own, others)| own.saturating_sub(*others)).collect();
        found.nodes = with.trail.reached(&without.trail, with.end.min(without.end));
        found
    }

    /// Every request that was good without the cause, and how it fared with it.
    #[must_use]
    pub fn harms(&self, with: &Kept<'_>, without: &Kept<'_>) -> Vec<Harm<Asking>> {
        compare(&self.rule, Time::ZERO, &with.fates.requests(), &without.fates.requests())
    }

    /// When the first call to each node was seen to fare worse, by its index.
    fn hurt_callees(&self, with: &Kept<'_>, without: &Kept<'_>, since: Time) -> Vec<Option<Time>> {
        let program = with.trail.program();
        let mut hurt = vec![None; program.nodes.len()];
        let harms = compare(&self.rule, since, &with.calls.made(), &without.calls.made());
        // A call that was never made is no fault of whom it would have asked.
        let is_hurt = |harm: &&Harm<_>| harm.way.is_some_and(|way| way != Way::Never);
        for harm in harms.iter().filter(is_hurt) {
            let callee = &mut hurt[usize::from(program.edge(harm.which.edge).target.0)];
            *callee = earlier(*callee, harm.at);
        }
        hurt
    }

    /// Orders that came to a milestone in time without the cause, and those that did not with it.
    fn milestone(
        &self,
        with: &Kept<'_>,
        without: &Kept<'_>,
        (place, milestone): (usize, &Milestone),
    ) -> Part {
        let arrived = |kept: &Kept<'_>| -> BTreeMap<(NodeId, u64), Span> {
            let orders = kept.arrived.get(place).into_iter().flatten();
            let took = |one: &Arrived| {
                let took = one.reached?.since(one.asked);
                let is_late = milestone.within.is_some_and(|within| took > within);
                Some((kept.fates.user(one.order)?, took)).filter(|_| !is_late)
            };
            orders.filter_map(took).collect()
        };
        let (with, without) = (arrived(with), arrived(without));
        let is_worse = |(user, usual): (&(NodeId, u64), &Span)| match with.get(user) {
            None => true,
            Some(took) => self.rule.is_slower(*took, *usual),
        };
        Part::count(without.iter().map(is_worse))
    }
}

fn earlier(first: Option<Time>, at: Time) -> Option<Time> {
    Some(first.map_or(at, |first| first.min(at)))
}

impl BlastRadius {
    /// Over how many nodes a difference spread, those included where it began.
    #[must_use]
    pub fn nodes_reached(&self) -> u64 {
        self.nodes.iter().flatten().count() as u64
    }

    /// How long after the cause began the last node was reached.
    #[must_use]
    pub fn spread(&self) -> Option<Span> {
        let last = self.nodes.iter().flatten().map(|reached| reached.at).max();
        last.map(|at| at.since(self.acts.0))
    }

    /// For how long after the cause was over requests were asked that fared worse; no time at all
    /// if none was.
    #[must_use]
    pub fn worse_for(&self) -> Span {
        self.last.map_or(Span::ZERO, |last| last.since(self.acts.1))
    }
}
