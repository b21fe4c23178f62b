//! Quantities of models as they are written: those of the kernel, and what only models have.

mod bandwidth;
mod distribution;
mod retry_after;
#[cfg(feature = "schema")]
mod schema;
mod shift;
mod time_of_day;
mod written;

use crate::kernel::quantity::{parse_number, parse_rate, parse_share, written};

pub use crate::kernel::quantity::{Count, Rate, Share, parse_duration};
pub use bandwidth::{Bandwidth, Size};
pub(super) use distribution::RECORDED_MAX;
pub use retry_after::RetryAfter;
pub use shift::Shift;
#[cfg(feature = "schema")]
pub use time_of_day::Moment;
pub use time_of_day::TimeOfDay;
