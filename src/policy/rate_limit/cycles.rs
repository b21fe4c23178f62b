//! resilience4j's `AtomicRateLimiter`: cycles with a number of permits each, borrowing from cycles
//! to come.

use crate::kernel::time::{Span, Time};

/// The rule: `permits` in each cycle of `period`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycles {
    /// Permits per cycle.
    pub permits: u32,
    /// The length of a cycle.
    pub period: Span,
}

/// The current cycle of one limiter; negative permits are borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CyclesState {
    cycle: u64,
    left: i64,
}

impl Cycles {
    /// A limiter in its first cycle, which begins at time zero.
    #[must_use]
    pub fn state(&self) -> CyclesState {
        CyclesState { cycle: 0, left: i64::from(self.permits) }
    }

    /// Takes `permits` and returns when they may be used, if within `patience`.
    pub fn reserve(
        &self,
        state: &mut CyclesState,
        permits: u32,
        now: Time,
        patience: Span,
    ) -> Option<Span> {
        let (each, wanted) = (i64::from(self.permits), i64::from(permits));
        let cycle = now.0 / self.period.0;
        let passed = i64::try_from(cycle - state.cycle).unwrap_or(i64::MAX);
        let left = passed.saturating_mul(each).saturating_add(state.left).min(each);
        let wait = if left >= wanted {
            Span::ZERO
        } else {
            let missing = wanted - (left + each);
            let whole = if missing > 0 { (missing + each - 1) / each } else { 0 };
            Span((cycle + 1 + whole as u64) * self.period.0 - now.0)
        };
        if wait > patience {
            return None;
        }
        *state = CyclesState { cycle, left: left - wanted };
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_borrowed_from_the_cycles_to_come() {
        let rule = Cycles { permits: 2, period: Span::from_secs(1) };
        let mut state = rule.state();
        let now = Time::ZERO + Span::from_millis(250);
        let waits: Vec<Option<f64>> = (0..6)
            .map(|_| rule.reserve(&mut state, 1, now, Span::from_secs(2)).map(Span::millis))
            .collect();
        let expected = [Some(0.0), Some(0.0), Some(750.0), Some(750.0), Some(1750.0), Some(1750.0)];
        assert_eq!(waits, expected);
        assert_eq!(rule.reserve(&mut state, 1, now, Span::from_secs(2)), None);
    }
}
