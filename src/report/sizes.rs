//! How large pictures are.

/// How wide pictures are, in pixels.
pub(super) const WIDTH: f64 = 1040.0;

/// How many points of an experiment stand side by side in one picture.
pub(super) const COLUMNS_MAX: usize = 4;
