//! The story of an order as steps in plain words: a numbered timeline, a sequence diagram as SVG
//! and as Mermaid text.

mod mermaid;
mod picture;
mod point;
mod timeline;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use crate::experiment::run::story::Story;
use crate::fault::{FaultText, strengths};
use crate::kernel::time::Time;
use crate::model::program::{
    Kind, LabelId, NodeId, NodeStep, Program, ProviderStep, Step as ProgramStep,
};
use crate::system::fact::{Content, Direction, Fact, Transit};

pub use mermaid::mermaid;
pub use picture::picture;
pub use point::point;
pub(crate) use timeline::wrapped;
pub use timeline::{timeline, what_matters};
pub(super) use words::{denied, outcome, refusal};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct StoryStep {
    /// When.
    pub at: Time,
    pub what: What,
    /// What kind of thing it is.
    pub mark: Mark,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Somebody sent somebody a message.
    Message {
        from: NodeId,
        to: NodeId,
        /// What it says.
        text: String,
        /// When it arrived; `None` if it never did.
        arrived: Option<Time>,
    },
    /// Something happened at a node, or to the whole.
    Note { node: Option<NodeId>, text: String },
}

/// What kind of thing a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Nothing special: it belongs to every order.
    Plain,
    /// It decides what becomes of the order.
    Telling,
    /// Something went wrong: a loss, a timeout, a crash.
    Wrong,
    /// A fault began, acted or ended.
    Fault,
    /// It was written to stay.
    Kept,
    /// It cannot be undone.
    Effect,
}

impl Mark {
    fn at_least_telling(self) -> Mark {
        if self == Mark::Plain { Mark::Telling } else { self }
    }
}

/// The steps of a story. `faults` are those of its case, by number.
pub fn steps(program: &Program, faults: &[FaultText], story: &Story) -> Vec<StoryStep> {
    let facts = &story.facts;
    let mut teller = Teller {
        program,
        faults,
        order: story.order,
        begun: BTreeSet::new(),
        steps: Vec::new(),
        under_way: BTreeMap::new(),
        attempt: 1,
        receives: 1,
        effects: BTreeMap::new(),
        user: first_sender(facts),
    };
    for (at, fact) in facts {
        teller.tell(*at, fact);
    }
    if let Some(broken_at) = story.broken_at
        && facts.iter().all(|(at, _)| *at != broken_at)
    {
        teller.add_what_did_not_happen(broken_at);
    }
    teller.steps
}

/// Who sends first: the client of the user.
fn first_sender(facts: &[(Time, Fact)]) -> Option<NodeId> {
    facts.iter().find_map(|(_, fact)| match fact {
        Fact::Sent(transit) => Some(transit.from),
        _ => None,
    })
}

/// What names a message: its key, which way it goes, and who is to get it.
type MessageName = (u64, u8, NodeId);

fn name_of(transit: &Transit) -> MessageName {
    // What a worker says to its queue goes the way of requests under the key of its delivery.
    let way = match transit.content {
        Content::Call(_) | Content::Delivery => 0,
        Content::Answer(_) => 1,
        Content::GivenBack => 2,
        Content::StillHandled => 3,
    };
    (transit.key, way, transit.to)
}

/// Turns facts into steps one after the other.
struct Teller<'a> {
    program: &'a Program,
    faults: &'a [FaultText],
    /// Whose story it is.
    order: Option<u64>,
    /// The faults that have begun.
    begun: BTreeSet<u32>,
    steps: Vec<StoryStep>,
    /// The steps of messages that have not arrived.
    under_way: BTreeMap<MessageName, usize>,
    /// The attempt that is sent next.
    attempt: u32,
    /// Which time the next delivery is.
    receives: u32,
    /// How often each effect has happened.
    effects: BTreeMap<LabelId, u32>,
    user: Option<NodeId>,
}

impl Teller<'_> {
    fn note(&mut self, at: Time, node: Option<NodeId>, mark: Mark, text: String) {
        self.steps.push(StoryStep { at, what: What::Note { node, text }, mark });
    }

    /// A promise whose time is up is broken by nothing that happens: it is told where that is.
    fn add_what_did_not_happen(&mut self, at: Time) {
        let text = "what was promised by now has not come to be: the promise is broken".to_owned();
        let step = StoryStep { at, what: What::Note { node: None, text }, mark: Mark::Wrong };
        let place = self.steps.partition_point(|known| known.at <= at);
        self.steps.insert(place, step);
    }

    fn tell(&mut self, at: Time, fact: &Fact) {
        match *fact {
            Fact::Attempted { attempt, .. } => self.attempt = attempt,
            Fact::Sent(transit) => self.send(at, &transit, ""),
            Fact::Duplicated(transit) => self.send(at, &transit, ", a second copy"),
            Fact::Arrived(transit) => {
                let Some(step) = self.under_way.remove(&name_of(&transit)) else { return };
                if let What::Message { arrived, .. } = &mut self.steps[step].what {
                    *arrived = Some(at);
                }
            }
            Fact::Lost(transit) => {
                let Some(step) = self.under_way.remove(&name_of(&transit)) else { return };
                self.steps[step].mark = Mark::Wrong;
            }
            Fact::Delivered { receives, .. } => self.receives = receives,
            Fact::Effect { effect, .. } => self.take_effect(at, effect),
            // A failover has a second beginning: that of the replica's rule.
            Fact::FaultBegan(fault) => {
                let verb = if self.begun.insert(fault) { "begins" } else { "promotes the replica" };
                self.fault(at, fault, verb);
            }
            Fact::FaultFired(fault, _) => self.fault(at, fault, "acts here"),
            Fact::FaultEnded(fault) => {
                // It ends as a whole, once.
                if self.begun.remove(&fault) {
                    self.fault(at, fault, "ends");
                }
            }
            ref fact => {
                if let Some((node, mark, text)) = self.words(fact) {
                    let (mark, text) = match fact.order().filter(|_| self.order.is_some()) {
                        Some(other) if fact.order() != self.order => {
                            // The other side is told because it matters.
                            (mark.at_least_telling(), format!("for order {other}: {text}"))
                        }
                        _ => (mark, text),
                    };
                    self.note(at, node, mark, text);
                }
            }
        }
    }

    fn send(&mut self, at: Time, transit: &Transit, copy: &str) {
        let text = match transit.content {
            Content::Call(operation) => {
                let name = &self.program.operation(operation).name;
                let short = name.split_once('.').map_or(name.as_str(), |(_, short)| short);
                match std::mem::replace(&mut self.attempt, 1) {
                    1 => short.to_owned(),
                    attempt => format!("{short}, attempt {attempt}"),
                }
            }
            Content::Answer(outcome) => words::outcome(outcome),
            Content::Delivery => match std::mem::replace(&mut self.receives, 1) {
                1 => "message".to_owned(),
                receives => format!("message, delivery {receives}"),
            },
            Content::GivenBack => "cannot handle it".to_owned(),
            Content::StillHandled => "still working".to_owned(),
        };
        let mark = match transit.direction {
            Direction::Request => Mark::Telling,
            Direction::Reply => Mark::Plain,
        };
        self.under_way.insert(name_of(transit), self.steps.len());
        let Transit { from, to, .. } = *transit;
        let what = What::Message { from, to, text: format!("{text}{copy}"), arrived: None };
        self.steps.push(StoryStep { at, what, mark });
    }

    fn take_effect(&mut self, at: Time, effect: LabelId) {
        let count = self.effects.entry(effect).or_default();
        *count += 1;
        let count = *count;
        let label = &self.program.labels[effect.0 as usize];
        let text = match count {
            1 => format!("{label} happens: it cannot be undone"),
            _ => format!("{label} happens again: {count} times now"),
        };
        self.note(at, self.effect_node(effect), Mark::Effect, text);
    }

    /// The provider whose effect it is.
    fn effect_node(&self, effect: LabelId) -> Option<NodeId> {
        let steps = self.program.steps.iter();
        let step = steps
            .enumerate()
            .find(|(_, step)| match step {
                ProgramStep::Node(NodeStep::Provider(ProviderStep::Effect(label))) => {
                    *label == effect
                }
                _ => false,
            })?
            .0 as u32;
        let operations = self.program.operations.iter().filter(|operation| {
            operation.start <= step
                && matches!(self.program.node(operation.node).kind, Kind::Provider(_))
        });
        operations.max_by_key(|operation| operation.start).map(|operation| operation.node)
    }

    fn fault(&mut self, at: Time, fault: u32, verb: &str) {
        let text = match self.faults.get(fault as usize) {
            Some(text) => format!("fault {}: {} {verb}", fault + 1, described(text)),
            None => format!("fault {} {verb}", fault + 1),
        };
        self.note(at, None, Mark::Fault, text);
    }
}

/// A fault in one line: kind, target and strengths.
pub fn described(fault: &FaultText) -> String {
    let strengths = strengths(fault).split(", ").map(short).collect::<Vec<_>>().join(", ");
    let strengths = if strengths.is_empty() { strengths } else { format!(" ({strengths})") };
    format!("{} at {}{strengths}", fault.kind.name(), fault.target)
}

/// Every node that takes part, in the order of the model, in which who is asked stands at the right
/// of who asks.
pub(super) fn lanes(steps: &[StoryStep]) -> Vec<NodeId> {
    let nodes = steps.iter().flat_map(|step| match step.what {
        What::Message { from, to, .. } => [Some(from), Some(to)],
        What::Note { node, .. } => [node, None],
    });
    let mut lanes: Vec<NodeId> = nodes.flatten().collect();
    lanes.sort_unstable();
    lanes.dedup();
    lanes
}

/// A strength, `name = value`, whose number has at most four digits behind the point.
fn short(strength: &str) -> String {
    let number = strength.rsplit_once(' ').and_then(|(name, number)| {
        let number: f64 = number.parse().ok()?;
        Some((name, format!("{number:.4}")))
    });
    match number {
        Some((name, number)) => {
            format!("{name} {}", number.trim_end_matches('0').trim_end_matches('.'))
        }
        None => strength.to_owned(),
    }
}
