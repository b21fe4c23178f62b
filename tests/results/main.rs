//! What numbers and comparisons say, against closed forms, published figures and computations of
//! other people.

mod answer;
mod blast_radius;
mod capacity;
#[path = "../common/mod.rs"]
mod common;
mod comparison;
mod ground_truth;
mod measured;
mod page;
mod published;
mod selection;
mod splitting;
mod statistics;
mod validation;
