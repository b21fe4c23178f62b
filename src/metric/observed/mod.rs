//! What is seen of a run that an experiment asks for by `[observe]`: the moments of an incident,
//! where the time of requests went, and what each node and operation did in the course of time.

mod incident;
mod nodes;
mod path;

pub use incident::{Incident, IncidentRule, IncidentWatch};
pub use nodes::{NodeSeries, NodeWatch, OperationSeries};
pub use path::{Part, PathWatch, Paths, Where};
