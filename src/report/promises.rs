//! What people call the invariants.

/// The short name of what is counted when an invariant breaks.
#[must_use]
pub fn label(invariant: &str) -> &str {
    match invariant {
        "one_charge" => "double charges",
        "paid_has_payment" => "paid without record",
        "charge_has_order" => "charge without order",
        "accepted_order_kept" => "accepted orders lost",
        other => other,
    }
}
