//! `[invariants]` of an experiment: which promises are watched, by the names of the model.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::problem::Problem;
use crate::model::program::{LabelId, NodeId, OperationId, Program, Step, TableId};

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
    /// No accepted order is lost.
    pub accepted_order_kept: Option<AcceptedOrderKeptText>,
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
