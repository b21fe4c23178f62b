//! A quantile of recent latencies from a histogram in two halves that are exchanged every period
//! (tower `tower/src/hedge/rotating_histogram.rs`).

use crate::kernel::time::{Span, Time};

/// Which quantile, and of what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantile {
    /// The quantile, in (0, 1].
    pub rank: f64,
    /// With fewer latencies than this there is no value.
    pub minimum: u32,
    /// How long one half collects; a value is of the last one to two periods.
    pub period: Span,
    /// The smallest value that is given.
    pub least: Span,
}

/// The latencies of one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantileState {
    counts: Box<[[u32; 2]]>,
    totals: [u32; 2],
    current: usize,
    turned: Time,
}

/// Each power of two is divided into this many buckets: the error is below 1/32.
const PARTS: u64 = 32;
const PART_BITS: u32 = 5;
const BUCKETS: usize = 60 * PARTS as usize;

impl Quantile {
    /// No latencies yet.
    #[must_use]
    pub fn state(&self) -> QuantileState {
        QuantileState {
            counts: vec![[0; 2]; BUCKETS].into_boxed_slice(),
            totals: [0; 2],
            current: 0,
            turned: Time::ZERO,
        }
    }

    /// Adds one latency.
    pub fn record(&self, state: &mut QuantileState, took: Span, now: Time) {
        let passed = now.since(state.turned);
        if passed >= self.period {
            let both = passed >= self.period + self.period;
            state.turn(now, both);
        }
        state.counts[bucket(took)][state.current] += 1;
        state.totals[state.current] += 1;
    }

    /// The value, or nothing if there is too little to tell.
    #[must_use]
    pub fn value(&self, state: &QuantileState) -> Option<Span> {
        let total = state.totals[0] + state.totals[1];
        if total < self.minimum.max(1) {
            return None;
        }
        let wanted = libm::ceil(self.rank * f64::from(total)) as u32;
        let mut seen = 0;
        let index = state.counts.iter().position(|halves| {
            seen += halves[0] + halves[1];
            seen >= wanted
        })?;
        Some(upper(index).max(self.least))
    }
}

impl QuantileState {
    /// Makes the older half the current one, empty; with `both` the other is emptied too.
    fn turn(&mut self, now: Time, both: bool) {
        self.turned = now;
        self.current = 1 - self.current;
        for half in [self.current, 1 - self.current] {
            if half == self.current || both {
                self.counts.iter_mut().for_each(|halves| halves[half] = 0);
                self.totals[half] = 0;
            }
        }
    }
}

/// The bucket of a latency.
fn bucket(took: Span) -> usize {
    let nanos = took.0;
    if nanos < PARTS {
        return nanos as usize;
    }
    let power = nanos.ilog2();
    let part = (nanos >> (power - PART_BITS)) & (PARTS - 1);
    (u64::from(power - PART_BITS + 1) * PARTS + part) as usize
}

/// The largest latency of a bucket.
fn upper(index: usize) -> Span {
    let (group, part) = (index as u64 / PARTS, index as u64 % PARTS);
    if group == 0 {
        return Span(part);
    }
    let shift = group - 1;
    Span(((u128::from(PARTS + part + 1) << shift) - 1) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_latency_is_in_its_bucket_and_within_one_part() {
        for nanos in [0, 1, 31, 32, 33, 63, 64, 1_000, 999_999, 1 << 40, u64::MAX >> 1] {
            let top = upper(bucket(Span(nanos))).0;
            assert!(top >= nanos && top - nanos <= nanos / PARTS, "{nanos} in ..={top}");
        }
    }

    #[test]
    fn the_quantile_forgets_after_two_periods() {
        let period = Span::from_secs(10);
        let rule = Quantile { rank: 0.9, minimum: 5, period, least: Span::ZERO };
        let mut state = rule.state();
        for millis in 1..=10 {
            assert_eq!(rule.value(&state).is_some(), millis > 5);
            rule.record(&mut state, Span::from_millis(millis), Time::ZERO);
        }
        let p90 = rule.value(&state).expect("there are ten latencies").millis();
        assert!((9.0..9.3).contains(&p90), "{p90}");
        let later = Time::ZERO + Span::from_secs(30);
        rule.record(&mut state, Span::from_millis(1), later);
        assert_eq!(rule.value(&state), None);
    }
}
