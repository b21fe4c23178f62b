//! What befalls some nodes hurts nobody else: the run is compared with itself without the faults
//! that strike them.

use std::collections::BTreeSet;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::judge::{Compares, Invariant, Judgement, Tally};
use super::names::operation;
use super::promise::{Judged, Promise};
use crate::fault::FaultText;
use crate::kernel::time::{Span, Time};
use crate::model::problem::Problem;
use crate::model::program::{NodeId, OperationId, Program};
use crate::system::Observer;
use crate::system::fact::Fact;
use crate::system::fact::kind::{Hears, hears};
use crate::twin::{Asking, Fates, Harm, Rule, compare};

/// `contained = { in = ["hints"], but = ["shop.recommend"] }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ContainedText {
    /// The nodes whose failure it is about: nodes, `"zone a"` or `"region eu"`. A fault counts that
    /// strikes one of them or a link from or to it.
    #[serde(rename = "in")]
    within: Vec<String>,
    /// The operations of users that may fare worse all the same. Those of the nodes themselves may.
    #[serde(default)]
    but: Vec<String>,
    /// A request fares worse too if it takes more than so many times as long as without the faults,
    /// and more than `at_least` longer.
    #[serde(default = "slower")]
    slower: f64,
    /// See `slower`.
    #[serde(default = "at_least")]
    at_least: Span,
}

impl Promise for ContainedText {
    const NAME: &'static str = "contained";
    const SENTENCE: &'static str = "What befalls some nodes hurts nobody else.";
    const LABEL: &'static str = "hurt from outside";
    const JUDGED: Judged = Judged::AtEnd;
    const COMPARES: bool = true;

    type Judge = Contained;

    fn judge(&self, program: &Program) -> Result<Contained, Problem> {
        if self.within.is_empty() {
            let problem = Problem::new("no node fails").expected("the name of a node");
            return Err(problem.inside("in"));
        }
        let rule = rule(self.slower, self.at_least)?;
        let mut within = BTreeSet::new();
        for (index, name) in self.within.iter().enumerate() {
            let at = |problem: Problem| problem.inside(index.to_string()).inside("in");
            within.extend(program.find_nodes(name).map_err(at)?.1);
        }
        let mut but = BTreeSet::new();
        for (index, name) in self.but.iter().enumerate() {
            let at = |problem: Problem| problem.inside(index.to_string()).inside("but");
            but.insert(operation(name, program).map_err(at)?);
        }
        let own = program.operations.iter().zip(0..).filter(|(it, _)| within.contains(&it.node));
        but.extend(own.map(|(_, index)| OperationId(index)));
        Ok(Contained {
            within,
            but,
            rule,
            cause: BTreeSet::new(),
            has_fired: false,
            with: Fates::default(),
            without: Fates::default(),
        })
    }
}

/// Twice as long: half of the users' time is then due to the cause.
fn slower() -> f64 {
    2.0
}

/// What is faster than 0.1 s looks as if it happened at once: R. B. Miller, "Response time in
/// man-computer conversational transactions" (1968); J. Nielsen, "Usability Engineering" (1993).
fn at_least() -> Span {
    Span::from_millis(100)
}

impl Default for Rule {
    fn default() -> Rule {
        Rule { slower: slower(), at_least: at_least() }
    }
}

/// Counts requests that fared worse for a failure of other nodes. Exposure: requests outside that
/// were answered `ok` without it, in runs in which it had any effect.
#[derive(Clone, Debug)]
pub(super) struct Contained {
    within: BTreeSet<NodeId>,
    /// The operations that may fare worse.
    but: BTreeSet<OperationId>,
    rule: Rule,
    /// The numbers of the faults that are taken out.
    cause: BTreeSet<usize>,
    has_fired: bool,
    with: Fates,
    without: Fates,
}

impl Contained {
    /// Every request outside that was good without the cause.
    fn outside(&self) -> Vec<Harm<Asking>> {
        let (with, without) = (self.with.requests(), self.without.requests());
        let mut harms = compare(&self.rule, Time::ZERO, &with, &without);
        harms.retain(|harm| !self.but.contains(&harm.which.operation));
        harms
    }
}

/// When a request is slower.
///
/// # Errors
/// A factor that does not make it slower, with its key.
pub fn rule(slower: f64, at_least: Span) -> Result<Rule, Problem> {
    match slower >= 1.0 && slower.is_finite() {
        true => Ok(Rule { slower, at_least }),
        false => {
            let problem = Problem::new(format!("{slower} times as long is not slower"));
            Err(problem.expected("a number from 1, such as 2").inside("slower"))
        }
    }
}

hears!(Contained: FaultFired; Fates);

impl Invariant for Contained {
    fn observe(&mut self, now: Time, fact: &Fact) {
        if let FaultFired(fault, _) = *fact {
            self.has_fired |= self.cause.contains(&(fault as usize));
        }
        Fates::is_part_of::<Contained>();
        self.with.observe(now, fact);
    }

    fn tally(&self, _: Judgement) -> Tally {
        let mut tally = Tally::default();
        if !self.has_fired {
            return tally;
        }
        for harm in self.outside() {
            tally.exposed();
            if harm.way.is_some() {
                tally.broken(harm.at, Some(harm.order));
            }
        }
        tally
    }

    fn compares(&mut self) -> Option<&mut dyn Compares> {
        Some(self)
    }
}

impl Compares for Contained {
    fn cause(&mut self, faults: &[FaultText], program: &Program) -> BTreeSet<usize> {
        let is_in = |fault: &FaultText| !fault.struck(program).is_disjoint(&self.within);
        let numbered = faults.iter().enumerate();
        self.cause = numbered.filter(|(_, fault)| is_in(fault)).map(|(index, _)| index).collect();
        self.cause.clone()
    }

    fn without(&mut self) -> &mut dyn Observer {
        &mut self.without
    }
}
