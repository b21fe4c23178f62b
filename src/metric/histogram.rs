//! A histogram of lengths of time with a relative error of at most 0.4%.

use serde::{Deserialize, Serialize};

use crate::kernel::time::Span;

/// Buckets of each power of two; the lowest powers are counted exactly.
const STEPS: u64 = 128;
const STEP_BITS: u32 = STEPS.trailing_zeros();

/// Counts of spans in buckets whose width grows with the span (log-linear). Counts of two
/// histograms can be added in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "Vec<(usize, u32)>", into = "Vec<(usize, u32)>")]
pub struct Histogram {
    counts: Vec<u32>,
    total: u64,
}

impl Histogram {
    /// Counts a span.
    pub fn record(&mut self, span: Span) {
        let bucket = bucket_of(span.0);
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.total += 1;
    }

    /// How many spans were counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The smallest recorded span, to the precision of its bucket, that at least a share `p` of
    /// all spans do not exceed (nearest rank); `None` if nothing was recorded.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<Span> {
        let rank = (libm::ceil(p * self.total as f64) as u64).clamp(1, self.total.max(1));
        let mut before = 0_u64;
        for (bucket, &count) in self.counts.iter().enumerate() {
            let count = u64::from(count);
            if before + count >= rank {
                let (low, width) = bounds_of(bucket);
                // Spread evenly over the bucket: half a step for each rank.
                let part = (2 * (rank - before) - 1) as f64 / (2 * count) as f64;
                return Some(Span(low + (width as f64 * part) as u64));
            }
            before += count;
        }
        None
    }
}

/// Only the buckets in which something was counted, with their counts.
impl From<Histogram> for Vec<(usize, u32)> {
    fn from(histogram: Histogram) -> Vec<(usize, u32)> {
        histogram.counts.into_iter().enumerate().filter(|&(_, count)| count > 0).collect()
    }
}

impl TryFrom<Vec<(usize, u32)>> for Histogram {
    type Error = String;

    fn try_from(counted: Vec<(usize, u32)>) -> Result<Histogram, String> {
        let mut histogram = Histogram::default();
        for (bucket, count) in counted {
            if bucket > bucket_of(u64::MAX) || bucket < histogram.counts.len() || count == 0 {
                return Err(format!("{count} in bucket {bucket}, which comes after none or all"));
            }
            histogram.counts.resize(bucket + 1, 0);
            histogram.counts[bucket] = count;
            histogram.total += u64::from(count);
        }
        Ok(histogram)
    }
}

fn bucket_of(value: u64) -> usize {
    if value < STEPS {
        return value as usize;
    }
    let power = value.ilog2() - STEP_BITS;
    let step = (value >> power) - STEPS;
    ((u64::from(power) + 1) * STEPS + step) as usize
}

/// The lowest value of a bucket, and how many values it holds.
fn bounds_of(bucket: usize) -> (u64, u64) {
    let (power, step) = (bucket as u64 / STEPS, bucket as u64 % STEPS);
    match power {
        0 => (step, 1),
        _ => ((STEPS + step) << (power - 1), 1 << (power - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_its_bucket() {
        for value in (0..2000).chain([1 << 40, u64::MAX - 1, u64::MAX, 123_456_789]) {
            let (low, width) = bounds_of(bucket_of(value));
            assert!(low <= value && value - low < width, "{value}");
            assert!(width as f64 <= value as f64 / 128.0 + 1.0, "{value}");
        }
    }

    #[test]
    fn quantiles_are_nearest_ranks_within_the_error() {
        let mut histogram = Histogram::default();
        for millis in 1..=1000 {
            histogram.record(Span::from_millis(millis));
        }
        for (p, expected) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1000.0), (0.0, 1.0)] {
            let found = histogram.quantile(p).unwrap().millis();
            assert!((found / expected - 1.0).abs() < 0.008, "{p}: {found}");
        }
        assert_eq!(Histogram::default().quantile(0.5), None);
    }
}
