//! An error budget policy: what is frozen when over a rolling window too much of the budget is
//! gone.
//!
//! The rule is that of the SRE workbook, appendix B: "If the service has exceeded its error budget
//! for the preceding four-week window, we will halt all changes", and "If a single incident
//! consumes more than 20% of error budget over four weeks, then the team must conduct a
//! postmortem". The window here is that of the objective.

use std::collections::VecDeque;

use super::language::PolicyText;

/// The whole budget of a window, as a whole number: all sums are exact.
pub const WHOLE: i64 = 1_000_000_000;

/// The whole days before today, as many as a window has, with what was spent on each.
#[derive(Clone, Debug)]
pub struct Rolling {
    days: VecDeque<i64>,
    length: usize,
    spent: i64,
    freeze_above: i64,
    post_mortem_above: i64,
}

impl Rolling {
    /// Before the first day, over a window of so many days.
    #[must_use]
    pub fn new(policy: PolicyText, days: u32) -> Rolling {
        let part = |share: f64| (share * WHOLE as f64).round() as i64;
        Rolling {
            days: VecDeque::new(),
            length: days as usize,
            spent: 0,
            freeze_above: part(policy.freeze_above.0),
            post_mortem_above: part(policy.post_mortem_above.0),
        }
    }

    /// Whether changes are frozen today: the days before have spent more than they may.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.spent > self.freeze_above
    }

    /// Whether an incident that spent so much needs a post-mortem.
    #[must_use]
    pub fn needs_post_mortem(&self, spent: i64) -> bool {
        spent > self.post_mortem_above
    }

    /// A day is over, on which so much was spent.
    pub fn end_day(&mut self, spent: i64) {
        self.days.push_back(spent);
        self.spent += spent;
        if self.days.len() > self.length {
            self.spent -= self.days.pop_front().unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::quantity::Share;

    fn percent(share: i64) -> i64 {
        share * WHOLE / 100
    }

    fn frozen(policy: PolicyText, days: u32, series: &[i64]) -> Vec<usize> {
        let mut rolling = Rolling::new(policy, days);
        let mut frozen = Vec::new();
        for (day, spent) in series.iter().enumerate() {
            if rolling.is_frozen() {
                frozen.push(day);
            }
            rolling.end_day(percent(*spent));
        }
        frozen
    }

    /// Four weeks: 60% on the third day and 50% on the tenth are too much from the eleventh on,
    /// until the third day is more than 28 days ago.
    #[test]
    fn changes_are_frozen_until_what_was_spent_has_left_the_window() {
        let mut series = vec![0; 60];
        (series[2], series[9]) = (60, 50);
        let policy = PolicyText::default();
        assert_eq!(frozen(policy, 28, &series), (10..=30).collect::<Vec<_>>());
        series[9] = 40;
        assert!(frozen(policy, 28, &series).is_empty(), "all of it, and not more");
        let strict = PolicyText { freeze_above: Share(0.5), ..policy };
        assert_eq!(frozen(strict, 28, &series), (3..=30).collect::<Vec<_>>());
        let near = |second: usize| {
            let mut series = [50, 0, 0, 0, 0, 0, 0, 0];
            series[second] = 60;
            frozen(policy, 5, &series)
        };
        assert!(near(5).is_empty(), "the first has left by then");
        assert_eq!(near(4), [5], "and here on the day after");
    }

    /// 3% a day are 84% in four weeks, 4% are 112%: frozen from the 27th day on.
    #[test]
    fn a_steady_burn_freezes_when_its_sum_is_more_than_all() {
        let policy = PolicyText::default();
        assert!(frozen(policy, 28, &[3; 60]).is_empty());
        assert_eq!(frozen(policy, 28, &[4; 60]), (26..60).collect::<Vec<_>>());
    }

    #[test]
    fn one_incident_of_more_than_a_fifth_needs_a_post_mortem() {
        let rolling = Rolling::new(PolicyText::default(), 28);
        assert!(rolling.needs_post_mortem(percent(21)) && !rolling.needs_post_mortem(percent(20)));
    }
}
