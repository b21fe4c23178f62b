//! The coarse calendar: which incidents come in a window of the objective, and what a series of
//! windows spends.
//!
//! Every draw is named by the kind of incident, the window and the number of the incident in it, so
//! that all arms live through the same calendar, and a kind more or less leaves the others as they
//! were. Counts are Poisson's by inversion of one draw.

use super::language::PolicyText;
use super::policy::{Rolling, WHOLE};
use super::{Kind, Spent};
use crate::kernel::draw::{Draws, Purpose, name_id};

/// What comes, and when.
#[derive(Clone, Debug)]
pub struct Calendar {
    draws: Draws,
    kinds: Vec<(u32, f64, bool)>,
    days: u32,
    slots: u64,
    policy: Option<PolicyText>,
}

/// One incident of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Incident {
    /// On which day of the window.
    pub day: u32,
    /// Of which kind.
    pub kind: usize,
    /// As in which of the simulated runs it goes.
    pub slot: usize,
}

/// One window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// As in which of the simulated runs a calm day goes.
    pub calm: usize,
    /// What happens, in its order.
    pub incidents: Vec<Incident>,
}

/// The site of draws about the days on which nothing happens.
const CALM: u32 = name_id("calm");
/// More incidents of one kind in a window than this are not drawn: 300 in 30 days are 3,650 in a
/// year.
const INCIDENTS_MAX: u64 = 65_535;

impl Calendar {
    /// A calendar of windows of so many days, in which incidents go as in one of so many runs.
    #[must_use]
    pub fn new(
        seed: u64,
        kinds: &[Kind],
        (days, slots): (u32, usize),
        policy: Option<PolicyText>,
    ) -> Calendar {
        let kind = |kind: &Kind| {
            let rate = kind.per_month * f64::from(days) / 30.0;
            (name_id(&kind.name), rate, kind.is_change)
        };
        let kinds = kinds.iter().map(kind).collect();
        Calendar { draws: Draws::new(seed), kinds, days, slots: slots as u64, policy }
    }

    /// The window of this number.
    #[must_use]
    pub fn window(&mut self, number: u64) -> Window {
        let Calendar { draws, kinds, days, slots, .. } = self;
        let mut draw = |site: u32, incident: u64, index: u16| {
            draws.draw(Purpose::Fault, site, number << 16 | incident, index)
        };
        let mut incidents = Vec::new();
        for (kind, &(site, rate, _)) in kinds.iter().enumerate() {
            for incident in 0..poisson(rate, draw(site, 0, 0).unit()) {
                let slot = draw(site, incident, 1).below(*slots) as usize;
                let day = draw(site, incident, 2).below(u64::from(*days)) as u32;
                incidents.push(Incident { day, kind, slot });
            }
        }
        incidents.sort_unstable();
        Window { calm: draw(CALM, 0, 1).below(*slots) as usize, incidents }
    }

    /// Which of the simulated runs stand in the place of which in a bootstrap of this number.
    #[must_use]
    pub fn resampled(&mut self, number: u64) -> Vec<usize> {
        let slots = self.slots;
        let mut pick =
            |slot: u64| self.draws.draw(Purpose::Fault, CALM, number << 16 | slot, 3).below(slots);
        (0..slots).map(|slot| pick(slot) as usize).collect()
    }

    /// What these windows, one after the other, spend in an arm whose incidents cost so much.
    #[must_use]
    pub fn live(&self, windows: &[Window], slots: &[usize], spent: &Spent) -> Lived {
        let mut lived = Lived {
            spent: Vec::new(),
            happened: vec![0; self.kinds.len()],
            frozen_out: vec![0; self.kinds.len()],
            frozen_days: 0,
            post_mortems: 0,
        };
        let mut rolling = self.policy.map(|policy| Rolling::new(policy, self.days));
        for window in windows {
            let calm = spent.calm[slots[window.calm]];
            let mut whole = calm;
            let until = |day: u32| calm * i64::from(day) / i64::from(self.days);
            let mut next = 0;
            // Without a policy the days of a window do not matter.
            for day in 0..if rolling.is_some() { self.days } else { 1 } {
                let is_frozen = rolling.as_ref().is_some_and(Rolling::is_frozen);
                lived.frozen_days += u64::from(is_frozen);
                let mut today = until(day + 1) - until(day);
                while let Some(incident) = window.incidents.get(next)
                    && (incident.day == day || rolling.is_none())
                {
                    next += 1;
                    if is_frozen && self.kinds[incident.kind].2 {
                        lived.frozen_out[incident.kind] += 1;
                        continue;
                    }
                    let cost = spent.kinds[incident.kind][slots[incident.slot]];
                    lived.happened[incident.kind] += 1;
                    let judged = rolling.as_ref();
                    lived.post_mortems +=
                        u64::from(judged.is_some_and(|it| it.needs_post_mortem(cost)));
                    today += cost;
                    whole += cost;
                }
                if let Some(rolling) = &mut rolling {
                    rolling.end_day(today);
                }
            }
            lived.spent.push(whole);
        }
        lived
    }
}

/// What a series of windows came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lived {
    /// What each window spent of its budget, of which all is [`WHOLE`].
    pub spent: Vec<i64>,
    /// How many incidents of each kind there were.
    pub happened: Vec<u64>,
    /// How many did not come, because changes were frozen.
    pub frozen_out: Vec<u64>,
    /// Days on which changes were frozen.
    pub frozen_days: u64,
    /// Incidents that needed a post-mortem.
    pub post_mortems: u64,
}

impl Lived {
    /// The share of windows that spent more than there was.
    #[must_use]
    pub fn over(&self) -> f64 {
        self.spent.iter().filter(|spent| **spent > WHOLE).count() as f64 / self.spent.len() as f64
    }
}

/// Poisson's count of this mean under a uniform draw, by inversion.
fn poisson(mean: f64, unit: f64) -> u64 {
    let mut probability = libm::exp(-mean);
    let (mut sum, mut count) = (probability, 0);
    while unit >= sum && count < INCIDENTS_MAX {
        count += 1;
        probability *= mean / count as f64;
        let next = sum + probability;
        if next <= sum && count as f64 > mean {
            break;
        }
        sum = next;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(name: &str, per_month: f64, is_change: bool) -> Kind {
        Kind { name: name.to_owned(), label: name.to_owned(), per_month, is_change }
    }

    fn calendar(kinds: &[Kind], policy: Option<PolicyText>) -> Calendar {
        Calendar::new(7, kinds, (30, 4), policy)
    }

    /// Mean and variance of a Poisson count are its rate; the mean of 20,000 is off by 0.02.
    #[test]
    fn counts_are_poissons() {
        for rate in [0.1, 2.0, 40.0] {
            let mut calendar = calendar(&[kind("a", rate, false)], None);
            let counts: Vec<f64> =
                (0..20_000).map(|at| calendar.window(at).incidents.len() as f64).collect();
            let mean = counts.iter().sum::<f64>() / 2e4;
            let variance = counts.iter().map(|it| (it - mean) * (it - mean)).sum::<f64>() / 2e4;
            assert!((mean - rate).abs() < 0.03 * rate.max(1.0), "{rate}: {mean}");
            assert!((variance - rate).abs() < 0.05 * rate.max(1.0), "{rate}: {variance}");
        }
    }

    #[test]
    fn another_kind_leaves_the_incidents_of_a_kind_as_they_were() {
        let of_a = |kinds: &[Kind], place: usize| -> Vec<(u32, usize)> {
            let window = calendar(kinds, None).window(3);
            let own = window.incidents.iter().filter(|it| it.kind == place);
            own.map(|it| (it.day, it.slot)).collect()
        };
        let (a, b) = (kind("a", 9.0, false), kind("b", 5.0, false));
        assert!(!of_a(std::slice::from_ref(&a), 0).is_empty());
        assert_eq!(of_a(std::slice::from_ref(&a), 0), of_a(&[b, a], 1));
    }

    /// One incident of a tenth on each of 30 days at most: the sum is exact, and of changes only
    /// those come that are not frozen.
    #[test]
    fn a_window_spends_what_its_incidents_cost() {
        let kinds = [kind("outage", 1.0, false), kind("release", 1.0, true)];
        let incident = |day, kind| Incident { day, kind, slot: 0 };
        let incidents =
            vec![incident(0, 0), incident(1, 1), incident(2, 0), incident(9, 1), incident(29, 0)];
        let windows =
            [Window { calm: 0, incidents: incidents.clone() }, Window { calm: 0, incidents }];
        let spent = Spent { calm: vec![30_000], kinds: vec![vec![WHOLE / 2], vec![WHOLE / 4]] };
        let free = calendar(&kinds, None).live(&windows, &[0], &spent);
        assert_eq!(free.spent, [2 * WHOLE + 30_000; 2]);
        assert_eq!((free.happened.as_slice(), free.frozen_days), (&[6, 4][..], 0));
        assert_eq!(free.over(), 1.0);
        // From the fourth day on three quarters and a half are gone.
        let frozen = calendar(&kinds, Some(PolicyText::default())).live(&windows, &[0], &spent);
        assert_eq!((frozen.happened, frozen.frozen_out), (vec![6, 1], vec![0, 3]));
        assert_eq!(frozen.spent, [7 * WHOLE / 4 + 30_000, 6 * WHOLE / 4 + 30_000]);
        assert_eq!(frozen.post_mortems, 7, "each of them took more than a fifth");
    }

    #[test]
    fn a_resample_is_as_large_and_repeats_itself() {
        let mut calendar = calendar(&[kind("a", 1.0, false)], None);
        let first = calendar.resampled(1);
        assert_eq!((first.len(), calendar.resampled(1)), (4, first.clone()));
        assert!((0..20).any(|number| calendar.resampled(number) != first));
    }
}
