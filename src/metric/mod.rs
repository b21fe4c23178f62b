//! Counters, histograms and time series of one run: integers until the report.

pub mod catalogue;
mod counts;
mod fills;
mod histogram;
mod measure;
mod milestone;
mod objective;
mod observed;
mod presence;
mod ratios;
mod recorder;
mod recovery;
mod stay;
mod tally;
mod timeline;

pub use catalogue::{MetricId, Unit};
pub use counts::{EdgeCounts, Window};
pub use fills::Fills;
pub use histogram::Histogram;
pub use measure::Measure;
pub use milestone::{Arrived, Followers, Milestone, MilestoneText, MilestoneWindow, Progress};
pub use objective::{Account, BudgetingMethod, Events, Objective, Objectives, Slices, SloText};
pub use observed::{
    Incident, IncidentRule, IncidentWatch, NodeSeries, NodeWatch, OperationSeries, Part, PathWatch,
    Paths, Where,
};
pub use presence::Presence;
pub use recorder::{Recorder, RunMetrics};
pub use recovery::{Recovery, RecoveryRule};
pub use stay::Stays;
pub use tally::OutcomeCounts;
pub use timeline::{Backlog, Causes, Counts, Timeline, TimelineRecorder, Trouble};
