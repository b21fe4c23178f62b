//! Closed forms: our formulas against published numbers, the simulator against our formulas, and
//! intervals against what they promise.

mod coverage;
mod coverage_milestones;
mod formulas;
mod quick;
mod rates;
