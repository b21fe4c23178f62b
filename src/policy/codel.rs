//! Which requests of a standing queue are refused: controlled delay, in its two meanings.

use crate::kernel::time::{Span, Time};

/// The rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codel {
    /// The delay that is accepted for ever.
    pub target: Span,
    /// How long the smallest delay must stay above the target.
    pub interval: Span,
    /// Which of the two algorithms.
    pub law: Law,
}

/// How it refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// The next refusal comes `interval / sqrt(count)` after the last (Nichols, Jacobson:
    /// "Controlling Queue Delay", CACM 2012; RFC 8289).
    Control,
    /// An interval whose smallest delay was above the target makes the next one refuse whatever
    /// waited more than twice the target (folly `executors/Codel.cpp`; Maurer: "Fail at Scale").
    SloughOff,
}

/// The state of one queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodelState {
    /// Slough-off: when the interval ends. Control: since when the delay is above the target, plus
    /// one interval.
    until: Time,
    least: Span,
    overloaded: bool,
    above: bool,
    dropping: bool,
    count: u32,
    next: Time,
}

impl Codel {
    /// Facebook's numbers: 5 ms and 100 ms.
    pub const FOLLY: Codel = Codel {
        target: Span::from_millis(5),
        interval: Span::from_millis(100),
        law: Law::SloughOff,
    };

    /// Whether a request that is taken from the queue at `now`, having waited `delay`, is refused.
    pub fn refuses(&self, state: &mut CodelState, delay: Span, now: Time) -> bool {
        match self.law {
            Law::SloughOff => self.slough_off(state, delay, now),
            Law::Control => self.control(state, delay, now),
        }
    }

    fn slough_off(&self, state: &mut CodelState, delay: Span, now: Time) -> bool {
        if now > state.until {
            state.until = now + self.interval;
            state.overloaded = state.least > self.target;
            state.least = delay;
            return false;
        }
        state.least = state.least.min(delay);
        state.overloaded && delay.0 > 2 * self.target.0
    }

    fn control(&self, state: &mut CodelState, delay: Span, now: Time) -> bool {
        if delay < self.target {
            state.above = false;
            state.dropping = false;
            return false;
        }
        if !state.above {
            state.above = true;
            state.until = now + self.interval;
            return false;
        }
        if state.dropping {
            if now < state.next {
                return false;
            }
            state.count += 1;
            state.next = state.next + self.gap(state.count);
            return true;
        }
        if now < state.until {
            return false;
        }
        // A queue that was bad lately begins where it had stopped.
        let recent = now.since(state.next) < Span(self.interval.0 * 16);
        state.count = if recent && state.count > 2 { state.count - 2 } else { 1 };
        state.dropping = true;
        state.next = now + self.gap(state.count);
        true
    }

    fn gap(&self, count: u32) -> Span {
        self.interval.scaled(1.0 / libm::sqrt(f64::from(count)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::ZERO + Span::from_millis(millis)
    }

    #[test]
    fn folly_refuses_only_in_the_interval_after_a_bad_one() {
        let (rule, mut state) = (Codel::FOLLY, CodelState::default());
        let slow = Span::from_millis(11);
        let refused: Vec<bool> = [1, 50, 101, 102, 150, 201, 202, 203]
            .map(|millis| rule.refuses(&mut state, slow, at(millis)))
            .to_vec();
        assert_eq!(refused, [false, false, false, false, true, true, true, false]);
        assert!(!rule.refuses(&mut state, Span::from_millis(10), at(204)));
    }

    #[test]
    fn control_refuses_ever_faster_until_the_delay_is_back() {
        let rule = Codel { law: Law::Control, ..Codel::FOLLY };
        let mut state = CodelState::default();
        let slow = Span::from_millis(6);
        let refused: Vec<u64> =
            (0..500).filter(|&millis| rule.refuses(&mut state, slow, at(millis))).collect();
        assert_eq!(refused, [100, 200, 271, 329, 379, 424, 464]);
        assert!(!rule.refuses(&mut state, Span::from_millis(4), at(500)));
    }
}
