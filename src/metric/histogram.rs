//! A histogram of lengths of time with a relative error of at most 0.4%, which knows the least and
//! the greatest exactly.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::kernel::time::Span;

/// Buckets of each power of two; the lowest powers are counted exactly.
const STEPS: u64 = 128;
const STEP_BITS: u32 = STEPS.trailing_zeros();

/// Counts of spans in buckets whose width grows with the span (log-linear). Counts of two
/// histograms can be added in any order.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(try_from = "Counted", into = "Counted")]
pub struct Histogram {
    counts: Vec<u32>,
    /// The same without empty buckets, when nothing more is to be counted.
    compact: Vec<(u16, u32)>,
    total: u64,
    /// The least and the greatest, if there is any.
    ends: Option<(Span, Span)>,
}

/// The least and the greatest in nanoseconds, and the buckets in which something was counted, with
/// their counts.
type Counted = (Option<(u64, u64)>, Vec<(usize, u32)>);

/// A quantile is estimated where at least so many spans lie beyond it on either side. The nearest
/// rank with k spans beyond it is then off by 1/(2k) of the mean length by which spans exceed it: a
/// twentieth (Rényi's representation of exponential order statistics).
const BEYOND_A_QUANTILE: f64 = 10.0;

impl Histogram {
    /// Counts a span.
    pub fn record(&mut self, span: Span) {
        let bucket = bucket_of(span.0);
        match self.counts.get_mut(bucket) {
            Some(count) if self.compact.is_empty() => {
                *count += 1;
                self.total += 1;
            }
            _ => self.count(bucket, 1),
        }
        self.reach((span, span));
    }

    /// Takes the ends of some spans for its own where they lie beyond them.
    fn reach(&mut self, (least, greatest): (Span, Span)) {
        self.ends = Some(match self.ends {
            None => (least, greatest),
            Some((own_least, own_greatest)) => (own_least.min(least), own_greatest.max(greatest)),
        });
    }

    fn count(&mut self, bucket: usize, count: u32) {
        for (bucket, count) in std::mem::take(&mut self.compact) {
            self.total -= u64::from(count);
            self.count(usize::from(bucket), count);
        }
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += count;
        self.total += u64::from(count);
    }

    /// Counts all spans of another one too.
    pub fn add(&mut self, other: &Histogram) {
        other.buckets().for_each(|(bucket, count)| self.count(bucket, count));
        other.ends.into_iter().for_each(|ends| self.reach(ends));
    }

    /// Takes no more memory than its buckets need that are not empty.
    pub fn make_compact(&mut self) {
        self.compact = self.buckets().map(|(bucket, count)| (bucket as u16, count)).collect();
        self.counts = Vec::new();
    }

    /// The buckets in which something was counted, in order, with their counts.
    fn buckets(&self) -> impl Iterator<Item = (usize, u32)> {
        let counted = self.counts.iter().copied().enumerate().filter(|&(_, count)| count > 0);
        let compact = self.compact.iter().map(|&(bucket, count)| (usize::from(bucket), count));
        counted.chain(compact)
    }

    /// How many spans were counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The share of spans that are longer than `span`, to the precision of its bucket; `None` if
    /// nothing was recorded.
    #[must_use]
    pub fn share_above(&self, span: Span) -> Option<f64> {
        let own = bucket_of(span.0);
        let counts = |is_meant: fn(usize, usize) -> bool| -> u64 {
            let meant = self.buckets().filter(|&(bucket, _)| is_meant(bucket, own));
            meant.map(|(_, count)| u64::from(count)).sum()
        };
        let above = counts(|bucket, own| bucket > own);
        let (low, width) = bounds_of(own);
        let inside = counts(|bucket, own| bucket == own) as f64;
        let part = 1.0 - (span.0 - low + 1) as f64 / width as f64;
        (self.total > 0).then(|| (above as f64 + inside * part) / self.total as f64)
    }

    /// The variance that the recorded spans are a sample of, in square seconds (over one less than
    /// their number), as if those of a bucket lay evenly in it; `None` of fewer than two.
    #[must_use]
    pub fn variance(&self) -> Option<f64> {
        let total = self.total as f64;
        let buckets = || {
            self.buckets().map(|(bucket, count)| {
                let (low, width) = bounds_of(bucket);
                let width = (width - 1) as f64;
                (f64::from(count), low as f64 + width / 2.0, width)
            })
        };
        let mean = buckets().map(|(count, middle, _)| count * middle).sum::<f64>() / total;
        let square = |(count, middle, width): (f64, f64, f64)| {
            count * ((middle - mean) * (middle - mean) + width * width / 12.0)
        };
        // In whole nanoseconds first, in which equal spans have a variance of exactly 0.
        (self.total > 1).then(|| buckets().map(square).sum::<f64>() / (total - 1.0) / 1e18)
    }

    /// The smallest recorded span, to the precision of its bucket, that at least a share `p` of
    /// all spans do not exceed (nearest rank); `None` if nothing was recorded. No less than the
    /// least and no more than the greatest.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<Span> {
        self.spread_quantile(p).map(|span| self.seen(span))
    }

    /// The same as if the spans of a bucket lay evenly in all of it, whatever was seen.
    fn spread_quantile(&self, p: f64) -> Option<Span> {
        self.at_rank((libm::ceil(p * self.total as f64) as u64).clamp(1, self.total.max(1)))
    }

    /// The span, or the end of what was recorded that it lies beyond.
    #[must_use]
    pub fn seen(&self, span: Span) -> Span {
        self.ends.map_or(span, |(least, greatest)| span.clamp(least, greatest))
    }

    /// Between which spans one lies that is known to be in the bucket of `span`.
    #[must_use]
    pub fn resolved(&self, span: Span) -> (Span, Span) {
        let (low, width) = bounds_of(bucket_of(span.0));
        (self.seen(Span(low)), self.seen(Span(low + (width - 1))))
    }

    /// The same, if it can be estimated: `None` if fewer than 10 spans lie beyond it on a side.
    #[must_use]
    pub fn estimate(&self, p: f64) -> Option<Span> {
        self.quantile(p).filter(|_| is_enough(self.total, p))
    }

    /// The span below which this share of all spans lie, interpolated between ranks: rank r is at
    /// r / (n + 1), as the mean of the r-th of n uniform numbers. `None` if nothing was recorded.
    #[must_use]
    pub fn at_share(&self, share: f64) -> Option<Span> {
        let rank = (share * (self.total + 1) as f64).clamp(1.0, self.total.max(1) as f64);
        let (below, part) = (rank as u64, rank - (rank as u64) as f64);
        let (low, high) = (self.at_rank(below)?, self.at_rank((below + 1).min(self.total))?);
        Some(self.seen(low + (high - low).scaled(part)))
    }

    /// The recorded span of this rank, from 1, as if those of a bucket lay evenly in it.
    fn at_rank(&self, rank: u64) -> Option<Span> {
        let mut before = 0_u64;
        for (bucket, count) in self.buckets() {
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

impl Histogram {
    /// The quantile of spans of which some are only known to be longer than those in `cut_off`: the
    /// product-limit estimator, as if the spans of a bucket lay evenly in it. `None` if it lies
    /// beyond what was seen.
    #[must_use]
    pub fn quantile_beside(&self, cut_off: &Histogram, p: f64) -> Option<Span> {
        if cut_off.total == 0 {
            return self.spread_quantile(p);
        }
        let mut seen = self.total + cut_off.total;
        let mut longer = 1.0;
        let mut both: BTreeMap<usize, (u32, u32)> = BTreeMap::new();
        self.buckets().for_each(|(bucket, count)| both.entry(bucket).or_default().0 = count);
        cut_off.buckets().for_each(|(bucket, count)| both.entry(bucket).or_default().1 = count);
        for (bucket, (count, cut)) in both {
            if count > 0 {
                let after = longer * (1.0 - f64::from(count) / seen as f64);
                if after <= 1.0 - p {
                    let (low, width) = bounds_of(bucket);
                    let part = ((longer - (1.0 - p)) / (longer - after)).clamp(0.0, 1.0);
                    return Some(Span(low + (width as f64 * part) as u64));
                }
                longer = after;
            }
            seen -= u64::from(count) + u64::from(cut);
        }
        None
    }
}

impl PartialEq for Histogram {
    fn eq(&self, other: &Histogram) -> bool {
        self.ends == other.ends && self.buckets().eq(other.buckets())
    }
}

impl Eq for Histogram {}

impl From<Histogram> for Counted {
    fn from(histogram: Histogram) -> Counted {
        let ends = histogram.ends.map(|(least, greatest)| (least.0, greatest.0));
        (ends, histogram.buckets().collect())
    }
}

impl TryFrom<Counted> for Histogram {
    type Error = String;

    fn try_from((ends, counted): Counted) -> Result<Histogram, String> {
        let mut histogram = Histogram::default();
        let outer = [counted.first(), counted.last()].map(|outer| outer.map(|&(bucket, _)| bucket));
        if [ends.map(|(least, _)| bucket_of(least)), ends.map(|(_, most)| bucket_of(most))] != outer
            || ends.is_some_and(|(least, greatest)| least > greatest)
        {
            return Err(format!("{ends:?} in buckets {outer:?}"));
        }
        histogram.ends = ends.map(|(least, greatest)| (Span(least), Span(greatest)));
        for (bucket, count) in counted {
            if bucket > bucket_of(u64::MAX) || bucket < histogram.counts.len() || count == 0 {
                return Err(format!("{count} in bucket {bucket}, which comes after none or all"));
            }
            histogram.count(bucket, count);
        }
        Ok(histogram)
    }
}

/// Whether of so many spans enough lie beyond a quantile on either side to estimate it.
pub(super) fn is_enough(total: u64, p: f64) -> bool {
    // 1 - 0.99 is a little more than 0.01.
    total as f64 * p.min(1.0 - p) > BEYOND_A_QUANTILE - 1e-6
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

    #[test]
    fn a_compact_histogram_says_the_same_and_a_small_one_estimates_nothing() {
        let mut histogram = Histogram::default();
        (1..=999).for_each(|millis| histogram.record(Span::from_millis(millis)));
        assert_eq!(histogram.estimate(0.99), None);
        histogram.record(Span::from_millis(1_000));
        let mut compact = histogram.clone();
        compact.make_compact();
        assert_eq!(compact, histogram);
        assert_eq!(compact.estimate(0.99), histogram.quantile(0.99));
        assert_eq!(
            compact.share_above(Span::from_millis(500)),
            histogram.share_above(Span::from_millis(500))
        );
        compact.add(&histogram);
        let median = compact.quantile(0.5).unwrap().millis();
        assert!(compact.total() == 2_000 && (median / 500.0 - 1.0).abs() < 0.008, "{median}");
        let half = histogram.at_share(500.5 / 1_001.0).unwrap().millis();
        assert!((half / 500.5 - 1.0).abs() < 0.004, "{half}");
    }

    #[test]
    fn shares_and_variances_are_those_of_the_spans() {
        let mut histogram = Histogram::default();
        (0..1000).for_each(|millis| histogram.record(Span::from_millis(millis)));
        for (millis, above) in [(0, 0.999), (499, 0.5), (998, 0.001), (5_000, 0.0)] {
            let found = histogram.share_above(Span::from_millis(millis)).unwrap();
            assert!((found - above).abs() < 0.004, "{millis}: {found}");
        }
        // Of 0, 1, ..., n - 1 it is n (n + 1) / 12.
        let variance = histogram.variance().unwrap() * 1e6;
        assert!((variance / (1_001_000.0 / 12.0) - 1.0).abs() < 1e-3, "{variance}");
        let mut small = Histogram::default();
        for found in [3, 3, 12] {
            small.record(Span(found));
        }
        assert_eq!(small.variance().map(|variance| variance * 1e18), Some(27.0));
        assert_eq!(small.share_above(Span(11)), Some(1.0 / 3.0));
        assert_eq!(small.share_above(Span(12)), Some(0.0));
        assert_eq!(
            (Histogram::default().variance(), small.share_above(Span(2))),
            (None, Some(1.0))
        );
    }
}
