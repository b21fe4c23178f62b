//! For how long a visit holds places of the pools of its node.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::model::program::{Program, Step};

/// How long places of each pool are held, in seconds: two places for a second are two.
pub(super) type Held = BTreeMap<u16, f64>;

/// Adds what the last of these steps takes to what is held by then; the others come before it in
/// the same list, and in the lists inside.
pub(super) fn hold(held: &mut Held, program: &Program, steps: Range<u32>, takes: f64) {
    if takes == 0.0 || takes.is_nan() {
        return;
    }
    let at = steps.end - 1;
    for step in &program.steps[steps.start as usize..steps.end as usize] {
        if let Step::Hold(hold) = step
            && hold.end > at
        {
            *held.entry(hold.pool).or_insert(0.0) += takes;
        }
    }
}
