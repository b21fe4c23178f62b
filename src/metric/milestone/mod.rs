//! Milestones: when the customer has what was promised, which is not when somebody answered.
//!
//! A milestone belongs to the order that a request began, so an order counts once, however often
//! its user asks. Answers belong to their request, and each of those counts.

mod follow;
mod progress;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::invariant::{can_happen, effect, is_fed, operation, queue, row_state};
use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::model::program::{Kind, LabelId, Node, NodeId, OperationId, Program, TableId};

pub use follow::{Arrived, Followers};
pub use progress::{MilestoneWindow, Progress};

/// `[milestone.NAME]`: what a user who asked for something is to have in the end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MilestoneText {
    /// The operation whose requests are followed, `NODE.OPERATION`.
    pub of: String,
    /// When it is reached: `"orders.order = paid"`, `"effect charge"`, `"delivered QUEUE"`,
    /// `"acknowledged QUEUE"`, `"answer ok"`, `"answer undegraded"`, which no degraded fallback
    /// has served, or `"answer"` for any answer.
    pub when: String,
    /// How long after the user's first attempt it is still in time; for ever without it.
    #[serde(default)]
    pub within: Option<Span>,
    /// What tables and pictures call it; its name without it.
    #[serde(default)]
    pub label: Option<String>,
}

/// A milestone, by the names of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Milestone {
    /// Its name in results.
    pub name: String,
    /// What tables and pictures call it.
    pub label: String,
    /// What it says in words: when it is reached.
    pub when: String,
    /// The operation whose requests are followed.
    pub of: OperationId,
    /// How long after the user's first attempt it is still in time; `None` for ever.
    pub within: Option<Span>,
    pub(super) goal: Goal,
}

/// What reaches a milestone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// A row of this table is in this state; `None` if the program never writes it.
    State { table: TableId, database: NodeId, state: Option<LabelId> },
    /// A provider did what cannot be undone.
    Effect(LabelId),
    /// A queue handed its message to a worker.
    Delivered(NodeId),
    /// Its message was done with.
    Acknowledged(NodeId),
    /// The user was answered so. Who gives up has no answer.
    Answer(Wanted),
}

/// Which answers are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Any.
    Any,
    /// `ok`.
    Ok,
    /// `ok`, with all that was asked for.
    Undegraded,
}

/// How the ways to reach a milestone are written.
const EXPECTED: &str = "\"DATABASE.TABLE = STATE\", \"effect NAME\", \"delivered QUEUE\", \
                        \"acknowledged QUEUE\", \"answer ok\", \"answer undegraded\" or \"answer\"";

impl Milestone {
    /// The milestone of this name for a program.
    ///
    /// # Errors
    /// A name that the program does not have, with its key.
    pub fn new(name: &str, text: &MilestoneText, program: &Program) -> Result<Milestone, Problem> {
        if text.within == Some(Span::ZERO) {
            let problem = Problem::new("nobody has anything at once").expected("more than 0s");
            return Err(problem.inside("within"));
        }
        Ok(Milestone {
            name: name.to_owned(),
            label: text.label.clone().unwrap_or_else(|| name.to_owned()),
            when: text.when.clone(),
            of: operation(&text.of, program).map_err(|problem| problem.inside("of"))?,
            within: text.within,
            goal: Goal::read(&text.when, program).map_err(|problem| problem.inside("when"))?,
        })
    }

    /// Why nothing in the program reaches it, if nothing does, and what would.
    #[must_use]
    pub fn out_of_reach(&self, program: &Program) -> Option<Problem> {
        let name = |node: NodeId| &program.node(node).name;
        let (is_reached, why, expected) = match self.goal {
            Goal::State { table, state, .. } => {
                let writes =
                    |write: &(TableId, LabelId)| write.0 == table && Some(write.1) == state;
                let mut transactions = program.transactions.iter();
                let is_written = transactions.any(|one| one.writes.iter().any(writes));
                let why = format!("no step brings a row to `{}`", self.when);
                (is_written, why, "a state that a transaction writes")
            }
            Goal::Effect(effect) => {
                let why = format!("no step calls for `{}`", self.when);
                (can_happen(effect, program), why, "an effect that a step calls for")
            }
            Goal::Delivered(queue) | Goal::Acknowledged(queue) => {
                let takes = |node: &Node| match &node.kind {
                    Kind::Queue(rules) => rules.groups.iter().any(|it| !it.consumers.is_empty()),
                    _ => false,
                };
                match is_fed(queue, program) {
                    true => {
                        let why = format!("nobody takes messages from `{}`", name(queue));
                        (takes(program.node(queue)), why, "a service that `takes` them")
                    }
                    false => {
                        let why = format!("nothing publishes to `{}`", name(queue));
                        (false, why, "a queue that something publishes to")
                    }
                }
            }
            Goal::Answer(_) => return None,
        };
        (!is_reached).then(|| Problem::new(why).expected(expected))
    }
}

impl Goal {
    fn read(text: &str, program: &Program) -> Result<Goal, Problem> {
        if text.contains('=') {
            let (table, database, state) = row_state(text, program)?;
            return Ok(Goal::State { table, database, state });
        }
        let text = text.trim();
        let (word, name) = text.split_once(' ').unwrap_or((text, ""));
        match (word, name.trim()) {
            ("effect", name) => Ok(Goal::Effect(effect(name, program)?)),
            ("delivered", name) => Ok(Goal::Delivered(queue(name, program)?)),
            ("acknowledged", name) => Ok(Goal::Acknowledged(queue(name, program)?)),
            ("answer", "") => Ok(Goal::Answer(Wanted::Any)),
            ("answer", "ok") => Ok(Goal::Answer(Wanted::Ok)),
            ("answer", "undegraded") => Ok(Goal::Answer(Wanted::Undegraded)),
            _ => {
                let problem = Problem::new(format!("`{text}` is nothing that is reached"));
                Err(problem.expected(EXPECTED))
            }
        }
    }
}
