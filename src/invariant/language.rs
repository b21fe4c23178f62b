//! `[invariants]` of an experiment: which promises are watched, by the names of the model.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contained::ContainedText;
use super::honest_answer::HonestAnswerText;
use super::implies::ImpliesText;
use super::no_oversell::NoOversellText;
use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::model::program::{
    Kind, LabelId, NodeId, NodeStep, OperationId, Program, ProviderStep, Step, TableId,
};
use crate::model::quantity::Share;

/// What the promises of an experiment are about, by what they promise.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
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
    /// Users see what they wrote.
    pub read_your_writes: Option<ReadYourWritesText>,
    /// What a user is shown never becomes older.
    pub monotonic_reads: Option<MonotonicReadsText>,
    /// Reads are no older than a bound.
    pub bounded_staleness: Option<BoundedStalenessText>,
    /// Nothing is done with a right that was revoked.
    pub no_stale_authorisation: Option<NoStaleAuthorisationText>,
    /// The ledger balances.
    pub ledger_conserved: Option<LedgerConservedText>,
    /// An order is charged the amount at which it was accepted.
    pub amount_kept: Option<AmountKeptText>,
    /// An idempotency key has one answer.
    pub same_answer: Option<SameAnswerText>,
    /// Everything that happened has exactly one entry in the audit log, and the other way round.
    pub audit_complete: Option<AuditCompleteText>,
    /// A projection is what a rebuild from its source's log would be.
    pub projection_matches: Option<ProjectionMatchesText>,
    /// No update is lost.
    pub no_lost_update: Option<NoLostUpdateText>,
    /// Rows go from state to state as they may.
    pub legal_states: Option<LegalStatesText>,
    /// Nothing new is done for users who have given up.
    pub deadline_honest: Option<DeadlineHonestText>,
    /// A primary that was replaced writes nothing.
    pub fencing: Option<FencingText>,
    /// Retries are bounded.
    pub retries_bounded: Option<RetriesBoundedText>,
    /// What users are told is so.
    pub honest_answer: Option<HonestAnswerText>,
    /// Where one thing has happened, others have happened too.
    pub implies: Option<ImpliesText>,
    /// No more is sold than there was.
    pub no_oversell: Option<NoOversellText>,
    /// What befalls some nodes hurts nobody else.
    pub contained: Option<ContainedText>,
}

/// `one_charge = { effect = "charge" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OneChargeText {
    /// The effect that must not be repeated.
    pub effect: String,
}

/// `paid_has_payment = { paid = "orders.order = paid", payment = "orders.payment = recorded" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PaidHasPaymentText {
    /// The row and state of an order that is paid.
    pub paid: String,
    /// The row and state of its payment record.
    pub payment: String,
}

/// `charge_has_order = { effect = "charge", order = "orders.order" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChargeHasOrderText {
    /// The effect.
    pub effect: String,
    /// The row without which it must not be: `"db.table"`, or in a state, `"db.table = state"`.
    pub order: String,
    /// The effect that gives it back, if there is one: as many of them need no order.
    #[serde(default)]
    pub refund: Option<String>,
    /// How long after the effect; by the end of the run if it is left out.
    #[serde(default)]
    pub within: Option<Span>,
    /// Whether the time begins with the end of all faults if that is later.
    #[serde(default)]
    pub after_faults: bool,
}

/// `settled_or_compensated = { accepted = "api.place_order", settled = "orders.order = paid",
/// cancelled = "orders.order = cancelled", effect = "charge", refund = "refund", within = "30s" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SettledOrCompensatedText {
    /// The operation whose `ok` tells the user that the order is accepted.
    pub accepted: String,
    /// The row and state of an order that is settled.
    pub settled: String,
    /// The row and state of an order that is cancelled, if any can be.
    #[serde(default)]
    pub cancelled: Option<String>,
    /// The effect that costs the user money, if there is one.
    #[serde(default)]
    pub effect: Option<String>,
    /// The effect that gives it back, if there is one.
    #[serde(default)]
    pub refund: Option<String>,
    /// How long after its acceptance it must be one or the other, whatever goes wrong meanwhile.
    pub within: Span,
    /// Whether the time begins with the end of all faults if that is later.
    #[serde(default)]
    pub after_faults: bool,
}

/// `accepted_order_kept = { accepted = "api.place_order", order = "orders.order" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
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
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NoPhantomEventText {
    /// The queue that accepts the messages.
    pub queue: String,
    /// The row without which there must be no message about an order.
    pub committed: String,
}

/// `no_lost_event = { committed = "orders.order = accepted", queue = "payments", within = "30s" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NoLostEventText {
    /// The row and state that must be published.
    pub committed: String,
    /// The queue that must accept the message.
    pub queue: String,
    /// How long after the commit, whatever goes wrong meanwhile.
    pub within: Span,
    /// Whether the time begins with the end of all faults if that is later.
    #[serde(default)]
    pub after_faults: bool,
}

/// `event_order = { queue = "events", per = "order" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EventOrderText {
    /// The queue that delivers the events.
    pub queue: String,
    /// Which events are ordered among each other: those of one order, or of one key.
    #[serde(default)]
    pub per: Per,
}

/// Which events are ordered among each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Those of one order.
    #[default]
    Order,
    /// Those of all orders about one key.
    Key,
}

/// `applied_once = { applied = "orders.payment = recorded" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AppliedOnceText {
    /// The row and the state into which it is brought once for each order.
    pub applied: String,
}

/// `audit_complete = { of = "orders.order = paid", entry = "paid" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AuditCompleteText {
    /// A row and its state, or an effect.
    pub of: String,
    /// The entry in the audit log of any database that tells of it.
    pub entry: String,
}

/// `projection_matches = { source = "orders.order", projection = "views.summary" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProjectionMatchesText {
    /// The table that is the truth.
    pub source: String,
    /// The table that follows it, with the same names of states, or the same table at a replica.
    pub projection: String,
}

/// `retries_bounded = { operation = "payment.charge", attempts = 4, ratio = 0.2, per = "10s" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
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
pub(crate) fn queue(name: &str, program: &Program) -> Result<NodeId, Problem> {
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

/// For each label, whether a relay brings the event of that name to a queue.
pub(super) fn brought(queue: NodeId, program: &Program) -> Vec<bool> {
    let labels = 0..program.labels.len() as u16;
    labels.map(|label| program.brings(queue, LabelId(label))).collect()
}

/// An effect of the program by name.
pub(crate) fn effect(name: &str, program: &Program) -> Result<LabelId, Problem> {
    let effects = program.steps.iter().filter_map(|step| match step {
        Step::Node(NodeStep::Provider(ProviderStep::Effect(label))) => Some(*label),
        _ => None,
    });
    let name_of = |label: LabelId| program.labels[label.0 as usize].as_str();
    effects.clone().find(|&label| name_of(label) == name).ok_or_else(|| {
        let known: Vec<&str> = effects.map(name_of).collect();
        Problem::unknown("effect", name, &known)
    })
}

/// An operation of the program by name.
pub(crate) fn operation(name: &str, program: &Program) -> Result<OperationId, Problem> {
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
pub(crate) fn row_state(
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

/// `read_your_writes = { read = "api.order_status" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReadYourWritesText {
    /// The operation whose answers with `expect = "own write"` are judged.
    pub read: String,
}

/// `monotonic_reads = { read = "api.order_status" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MonotonicReadsText {
    /// The operation whose answers with `expect = "not older"` are judged.
    pub read: String,
}

/// `bounded_staleness = { read = "orders.order", within = "2s" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BoundedStalenessText {
    /// The table whose rows are read, wherever they are read.
    pub read: String,
    /// What was committed so long ago must be seen.
    pub within: Span,
}

/// `no_stale_authorisation = { revoked = "access.grant = revoked", protected = "api.open" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NoStaleAuthorisationText {
    /// The row and state of a right that was revoked.
    pub revoked: String,
    /// What must not be done then: an operation that is answered `ok`, or an effect.
    pub protected: String,
    /// How long after it was revoked a right may still be used.
    #[serde(default)]
    pub within: Span,
}

/// `ledger_conserved = { debit = "ledger.debit", credit = "ledger.credit" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LedgerConservedText {
    /// The rows of the debits.
    pub debit: String,
    /// The rows of the credits.
    pub credit: String,
    /// The rows of the balances to which each entry is added, if there are any.
    #[serde(default)]
    pub balance: Option<String>,
}

/// `amount_kept = { order = "shop.order = accepted", charge = "charge" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AmountKeptText {
    /// The row and state of an order that is accepted.
    pub order: String,
    /// The effect that charges it.
    pub charge: String,
    /// The effect that gives an amount back, if there is one.
    #[serde(default)]
    pub refund: Option<String>,
}

/// `same_answer = { operation = "payment.charge" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SameAnswerText {
    /// The operation of a provider that takes idempotency keys.
    pub operation: String,
}

/// `no_lost_update = { table = "stock.item" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NoLostUpdateText {
    /// The table whose rows are read and then written.
    pub table: String,
}

/// ```toml
/// legal_states = { table = "orders.order", allowed = ["-> accepted", "accepted -> paid"] }
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LegalStatesText {
    /// The table.
    pub table: String,
    /// The steps that its rows may take; without a state in front of the arrow, of a new row.
    pub allowed: Vec<String>,
}

/// `deadline_honest = { effect = "charge", operation = "api.pay", skew = "500ms" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeadlineHonestText {
    /// The effect.
    pub effect: String,
    /// The operation for which it is done while a user waits.
    pub operation: String,
    /// How long after the user has given up it may still happen: what is on its way arrives.
    pub skew: Span,
}

/// `fencing = { database = "orders" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FencingText {
    /// The database.
    pub database: String,
}

/// A database of the program by name.
pub(super) fn database(name: &str, program: &Program) -> Result<NodeId, Problem> {
    program.find_node_of(name, "database", |kind| matches!(kind, Kind::Database(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::example::outboxes;

    #[test]
    fn a_queue_is_fed_by_the_one_database_whose_outbox_brings_its_events() {
        let fed = |first: &str, second: &str| {
            let program = outboxes(first, second);
            let found = fed_by(queue("events", &program).unwrap(), &program);
            found.map(|node| node.map(|node| program.node(node).name.clone()))
        };
        assert_eq!(fed("events", "others").unwrap().unwrap(), "one");
        assert_eq!(fed("others", "events").unwrap().unwrap(), "two");
        assert_eq!(fed("others", "others").unwrap(), None);
        assert!(fed("events", "events").unwrap_err().message.contains("several databases"));
    }
}
