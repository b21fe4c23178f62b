//! `[invariants]` of an experiment: which promises are watched, by the names of the model.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::model::program::{Kind, LabelId, NodeId, OperationId, Program, Step, TableId};
use crate::model::quantity::Share;

/// The promises that an experiment watches.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InvariantTexts {
    /// At most one charge per order.
    pub one_charge: Option<OneChargeText>,
    /// No order is paid without a durable payment record.
    pub paid_has_payment: Option<PaidHasPaymentText>,
    /// No charge without an order.
    pub charge_has_order: Option<ChargeHasOrderText>,
    /// Every accepted order is settled, or cancelled and paid back.
    pub settled_or_compensated: Option<SettledOrCompensatedText>,
    /// No accepted order is lost.
    pub accepted_order_kept: Option<AcceptedOrderKeptText>,
    /// No message is about an order that was never committed.
    pub no_phantom_event: Option<NoPhantomEventText>,
    /// What was committed is published.
    pub no_lost_event: Option<NoLostEventText>,
    /// Events are delivered in the order of their commits.
    pub event_order: Option<EventOrderText>,
    /// A message is applied once.
    pub applied_once: Option<AppliedOnceText>,
    /// Everything that happened has exactly one entry in the audit log, and the other way round.
    pub audit_complete: Option<AuditCompleteText>,
    /// A projection is what a rebuild from its source's log would be.
    pub projection_matches: Option<ProjectionMatchesText>,
    /// Retries are bounded.
    pub retries_bounded: Option<RetriesBoundedText>,
}

impl InvariantTexts {
    /// Whether an experiment declares the invariant of this name.
    #[must_use]
    pub fn is_declared(&self, name: &str) -> bool {
        let texts = serde_json::to_value(self).unwrap_or_default();
        texts.get(name).is_some_and(|text| !text.is_null())
    }
}

/// `one_charge = { effect = "charge" }`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneChargeText {
    /// The effect that must not be repeated.
    pub effect: String,
}

/// `paid_has_payment = { paid = "orders.order = paid", payment = "orders.payment = recorded" }`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaidHasPaymentText {
    /// The row and state of an order that is paid.
    pub paid: String,
    /// The row and state of its payment record.
    pub payment: String,
}

/// `charge_has_order = { effect = "charge", order = "orders.order" }`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChargeHasOrderText {
    /// The effect.
    pub effect: String,
    /// The row without which it must not be.
    pub order: String,
}

/// `settled_or_compensated = { accepted = "api.place_order", settled = "orders.order = paid",
/// cancelled = "orders.order = cancelled", effect = "charge", refund = "refund", within = "30s" }`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettledOrCompensatedText {
    /// The operation whose `ok` tells the user that the order is accepted.
    pub accepted: String,
    /// The row and state of an order that is settled.
    pub settled: String,
    /// The row and state of an order that is cancelled.
    pub cancelled: String,
    /// The effect that costs the user money.
    pub effect: String,
    /// The effect that gives it back.
    pub refund: String,
    /// How long after its acceptance and the end of all faults it must be one or the other.
    pub within: Span,
}

/// `accepted_order_kept = { accepted = "api.place_order", order = "orders.order" }`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptedOrderKeptText {
    /// The operation whose `ok` tells the user that the order is accepted.
    pub accepted: String,
    /// The row that an accepted order has.
    pub order: String,
    /// The row and state of an order that is settled.
    pub settled: String,
}

/// `no_phantom_event = { queue = "payments", committed = "orders.order" }`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoPhantomEventText {
    /// The queue that accepts the messages.
    pub queue: String,
    /// The row without which there must be no message about an order.
    pub committed: String,
}

/// `no_lost_event = { committed = "orders.order = accepted", queue = "payments", within = "30s" }`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoLostEventText {
    /// The row and state that must be published.
    pub committed: String,
    /// The queue that must accept the message.
    pub queue: String,
    /// How long after the commit and the end of all faults.
    pub within: Span,
}

/// `event_order = { queue = "events", per = "order" }`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventOrderText {
    /// The queue that delivers the events.
    pub queue: String,
    /// Which events are ordered among each other: those of one order, or of one key.
    #[serde(default)]
    pub per: Per,
}

/// Which events are ordered among each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Those of one order.
    #[default]
    Order,
    /// Those of all orders about one key.
    Key,
}

/// `applied_once = { applied = "orders.payment = recorded" }`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppliedOnceText {
    /// The row and the state into which it is brought once for each order.
    pub applied: String,
}

/// `audit_complete = { of = "orders.order = paid", entry = "paid" }`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditCompleteText {
    /// A row and its state, or an effect.
    pub of: String,
    /// The entry in the audit log of any database that tells of it.
    pub entry: String,
}

/// `projection_matches = { source = "orders.order", projection = "views.summary" }`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectionMatchesText {
    /// The table that is the truth.
    pub source: String,
    /// The table that follows it, with the same names of states, or the same table at a replica.
    pub projection: String,
}

/// `retries_bounded = { operation = "payment.charge", attempts = 4, ratio = 0.2, per = "10s" }`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetriesBoundedText {
    /// The operation that is attempted.
    pub operation: String,
    /// The most attempts of one call, the first one included.
    pub attempts: u32,
    /// The most attempts for one order, whoever makes them; any number if it is left out.
    #[serde(default)]
    pub attempts_per_order: Option<u32>,
    /// The most retries of all callers together, as a share of their first tries; any number if it
    /// is left out.
    #[serde(default)]
    pub ratio: Option<Share>,
    /// How many retries there may be beyond the ratio in each window: what budgets hold when it
    /// begins.
    #[serde(default)]
    pub reserve: u32,
    /// How long a window is, the first from the start of the run; the whole run if it is left out.
    #[serde(default)]
    pub per: Option<Span>,
}

/// A queue of the program by name.
pub(super) fn queue(name: &str, program: &Program) -> Result<NodeId, Problem> {
    program.find_node_of(name, "queue", |kind| matches!(kind, Kind::Queue(_)))
}

/// The database whose outbox feeds a queue, if any does.
pub(super) fn fed_by(queue: NodeId, program: &Program) -> Result<Option<NodeId>, Problem> {
    let mut databases =
        program.edges.iter().filter(|edge| edge.target == queue).filter_map(|edge| match &program
            .node(edge.caller)
            .kind
        {
            Kind::Outbox(outbox) => Some(outbox.database),
            _ => None,
        });
    let first = databases.next();
    if databases.any(|other| Some(other) != first) {
        let name = &program.node(queue).name;
        let problem = Problem::new(format!("`{name}` is fed by the outboxes of several databases"));
        return Err(problem.expected("a queue whose events have one order of commits"));
    }
    Ok(first)
}

/// An effect of the program by name.
pub(super) fn effect(name: &str, program: &Program) -> Result<LabelId, Problem> {
    let effects = program.steps.iter().filter_map(|step| match step {
        Step::Effect(label) => Some(*label),
        _ => None,
    });
    let name_of = |label: LabelId| program.labels[label.0 as usize].as_str();
    effects.clone().find(|&label| name_of(label) == name).ok_or_else(|| {
        let known: Vec<&str> = effects.map(name_of).collect();
        Problem::unknown("effect", name, &known)
    })
}

/// An operation of the program by name.
pub(super) fn operation(name: &str, program: &Program) -> Result<OperationId, Problem> {
    program.find_operation(name).ok_or_else(|| {
        let known: Vec<&str> = program.operations.iter().map(|o| o.name.as_str()).collect();
        Problem::unknown("operation", name, &known)
    })
}

/// A table and its database, by name.
pub(super) fn table(name: &str, program: &Program) -> Result<(TableId, NodeId), Problem> {
    let id = program.find_table(name).ok_or_else(|| {
        let known: Vec<&str> = program.tables.iter().map(|table| table.name.as_str()).collect();
        Problem::unknown("table", name, &known)
    })?;
    Ok((id, program.tables[id.0 as usize].database))
}

/// A table and a state of its rows, written `database.table = state`. A state that this program
/// never writes is no error: another arm may.
pub(super) fn row_state(
    text: &str,
    program: &Program,
) -> Result<(TableId, NodeId, Option<LabelId>), Problem> {
    let (name, state) = text.split_once('=').ok_or_else(|| {
        Problem::new(format!("`{text}` names no state"))
            .expected("a table and a state, such as \"orders.order = paid\"")
    })?;
    let (table, database) = table(name.trim(), program)?;
    Ok((table, database, program.find_label(state.trim())))
}
