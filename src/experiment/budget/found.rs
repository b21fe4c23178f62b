//! What a budget comes to: which kind of incident spends it, how often it is gone before the window
//! is over, and which arm buys it back.
//!
//! Means follow from frequencies and mean costs; how windows differ is drawn. Intervals are
//! percentiles of a bootstrap: the simulated runs are resampled by seed, the same in all arms and
//! kinds, and other windows are drawn, so that both kinds of chance are in them.

use super::calendar::{Calendar, Lived, Window};
use super::language::PolicyText;
use super::policy::WHOLE;
use super::{Arm, Kind};
use crate::statistics::interval::{Estimate, Interval};
use crate::statistics::quantile::Sorted;

/// How often runs are resampled, and in how many windows each time, at the most.
const RESAMPLES: u64 = 200;
const WINDOWS_OF_A_RESAMPLE: u64 = 1_000;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The kinds of incident.
    pub kinds: Vec<Kind>,
    /// How many whole days a window of the objective has.
    pub days: u32,
    /// How many windows are drawn.
    pub windows: u32,
    /// The seed of the calendar.
    pub seed: u64,
    /// What happens when a budget is spent.
    pub policy: Option<PolicyText>,
}

/// What one arm comes to in a window. Shares of the budget are 1 where all of it is gone.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// What calm days spend.
    pub calm: Estimate,
    /// What the incidents of each kind spend together.
    pub kinds: Vec<Estimate>,
    /// These as shares of all that is spent, calm days last.
    pub shares: Vec<Estimate>,
    /// What one incident of each kind spends.
    pub each: Vec<Estimate>,
    /// What all of it spends.
    pub all: Estimate,
    /// The share of windows that spend more than there is.
    pub over: Estimate,
    /// What is spent in the middle window, and in one of twenty.
    pub quantiles: [f64; 2],
    /// What it spends less than the first arm.
    pub bought: Estimate,
    /// What it costs; `None` without prices.
    pub cost: Option<Estimate>,
    /// What it costs more than the first arm.
    pub dearer: Option<Estimate>,
    /// With a policy: days on which changes are frozen, and incidents that need a post-mortem.
    pub policy: Option<[Estimate; 2]>,
}

/// The numbers of an arm, in one resample or in all.
#[derive(Clone, Debug, Default)]
struct Numbers {
    calm: f64,
    kinds: Vec<f64>,
    each: Vec<f64>,
    over: f64,
    cost: Option<f64>,
    policy: [f64; 2],
}

impl Numbers {
    fn all(&self) -> f64 {
        self.calm + self.kinds.iter().sum::<f64>()
    }

    fn shares(&self) -> Vec<f64> {
        let all = self.all();
        let share = |part: &f64| if all == 0.0 { 0.0 } else { part / all };
        self.kinds.iter().chain([&self.calm]).map(share).collect()
    }
}

/// What each arm comes to.
#[must_use]
pub fn found(asked: &Asked, arms: &[Arm]) -> Vec<Found> {
    let Some(first) = arms.first() else { return Vec::new() };
    let slots = first.spent.calm.len();
    let mut calendar = Calendar::new(asked.seed, &asked.kinds, (asked.days, slots), asked.policy);
    let drawn = u64::from(asked.windows);
    let windows: Vec<Window> = (0..drawn).map(|number| calendar.window(number)).collect();
    let everyone: Vec<usize> = (0..slots).collect();
    let lived: Vec<Lived> =
        arms.iter().map(|arm| calendar.live(&windows, &everyone, &arm.spent)).collect();
    let numbers: Vec<Numbers> =
        arms.iter().zip(&lived).map(|(arm, lived)| weighed(asked, arm, &everyone, lived)).collect();
    let resampled: Vec<Vec<Numbers>> = (0..RESAMPLES)
        .map(|resample| {
            let picked = calendar.resampled(resample);
            let some = drawn.min(WINDOWS_OF_A_RESAMPLE);
            let from = drawn + resample * some;
            let windows: Vec<Window> =
                (from..from + some).map(|number| calendar.window(number)).collect();
            let lived = |arm: &Arm| calendar.live(&windows, &picked, &arm.spent);
            arms.iter().map(|arm| weighed(asked, arm, &picked, &lived(arm))).collect()
        })
        .collect();
    (0..arms.len()).map(|arm| one(asked, arm, (&numbers, &resampled), &lived[arm])).collect()
}

/// The numbers of an arm whose simulated runs are these.
fn weighed(asked: &Asked, arm: &Arm, slots: &[usize], lived: &Lived) -> Numbers {
    let mean = |costs: &[i64]| mean(slots.iter().map(|&slot| costs[slot] as f64 / WHOLE as f64));
    let money = |costs: &[f64]| self::mean(slots.iter().map(|&slot| costs[slot]));
    // Of changes those come that are not frozen: as many of their frequency as of the drawn ones.
    let rate = |kind: usize| {
        let (came, frozen) = (lived.happened[kind] as f64, lived.frozen_out[kind] as f64);
        let share = if came + frozen == 0.0 { 1.0 } else { came / (came + frozen) };
        asked.kinds[kind].per_month * f64::from(asked.days) / 30.0 * share
    };
    let rates: Vec<f64> = (0..asked.kinds.len()).map(rate).collect();
    let each: Vec<f64> = arm.spent.kinds.iter().map(|costs| mean(costs)).collect();
    let windows = lived.spent.len() as f64;
    Numbers {
        calm: mean(&arm.spent.calm),
        kinds: rates.iter().zip(&each).map(|(rate, each)| rate * each).collect(),
        each,
        over: lived.over(),
        cost: arm.money.as_ref().map(|own| {
            let incidents = rates.iter().zip(&own.kinds).map(|(rate, costs)| rate * money(costs));
            money(&own.calm) + incidents.sum::<f64>()
        }),
        policy: [lived.frozen_days, lived.post_mortems].map(|count| count as f64 / windows),
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// An arm with the intervals of its numbers.
fn one(
    asked: &Asked,
    arm: usize,
    (numbers, resampled): (&[Numbers], &[Vec<Numbers>]),
    lived: &Lived,
) -> Found {
    let of = |value: &dyn Fn(&[Numbers]) -> f64| {
        let all: Vec<f64> = resampled.iter().map(|numbers| value(numbers)).collect();
        estimate(value(numbers), &all)
    };
    let own = |value: &dyn Fn(&Numbers) -> f64| of(&|numbers| value(&numbers[arm]));
    let kinds = numbers[arm].kinds.len();
    let cost = |at: usize| move |numbers: &[Numbers]| numbers[at].cost.unwrap_or(f64::NAN);
    let has_cost = numbers.iter().all(|numbers| numbers.cost.is_some());
    let spent: Vec<f64> = lived.spent.iter().map(|spent| *spent as f64 / WHOLE as f64).collect();
    let quantile = |p: f64| {
        let sorted = Sorted::new(&spent).and_then(|sorted| sorted.type7(p));
        sorted.unwrap_or(f64::NAN)
    };
    Found {
        calm: own(&|it| it.calm),
        kinds: (0..kinds).map(|kind| own(&|it| it.kinds[kind])).collect(),
        shares: (0..=kinds).map(|part| own(&|it| it.shares()[part])).collect(),
        each: (0..kinds).map(|kind| own(&|it| it.each[kind])).collect(),
        all: own(&Numbers::all),
        over: own(&|it| it.over),
        quantiles: [quantile(0.5), quantile(0.95)],
        bought: of(&|numbers| numbers[0].all() - numbers[arm].all()),
        cost: has_cost.then(|| of(&cost(arm))),
        dearer: has_cost.then(|| of(&|numbers| cost(arm)(numbers) - cost(0)(numbers))),
        policy: asked.policy.map(|_| [0, 1].map(|which| own(&|it| it.policy[which]))),
    }
}

/// A number with its percentile interval, which holds the number itself.
fn estimate(value: f64, resampled: &[f64]) -> Estimate {
    let sorted = Sorted::new(resampled);
    let end = |p: f64| sorted.as_ref().ok().and_then(|sorted| sorted.type7(p).ok());
    let interval = match (end(0.025), end(0.975)) {
        (Some(low), Some(high)) => Interval { low: low.min(value), high: high.max(value) },
        _ => Interval::UNBOUNDED,
    };
    Estimate { mean: value, interval, n: resampled.len() as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::budget::{Money, Spent};

    fn arm(name: &str, calm: i64, cost: i64, money: f64) -> Arm {
        Arm {
            name: name.to_owned(),
            label: name.to_owned(),
            spent: Spent { calm: vec![calm; 5], kinds: vec![vec![cost; 5]] },
            money: Some(Money { calm: vec![money; 5], kinds: vec![vec![1.0; 5]] }),
            unrecovered: vec![0],
            unfinished: vec![0],
        }
    }

    fn asked(per_month: f64) -> Asked {
        let name = "outage".to_owned();
        let kind = Kind { label: name.clone(), name, per_month, is_change: false };
        Asked { kinds: vec![kind], days: 30, windows: 4_000, seed: 1, policy: None }
    }

    /// Three outages a window of a fifth each, and a tenth on calm days: 70%. More than all is gone
    /// from the fifth outage on, 1 - P(Poisson(3) <= 4) = 18.47%.
    #[test]
    fn a_window_spends_frequency_times_cost_and_goes_over_as_poisson_says() {
        let arms = [arm("a", WHOLE / 10, WHOLE / 5, 100.0), arm("b", 0, WHOLE / 10, 130.0)];
        let found = found(&asked(3.0), &arms);
        let [a, b] = found.as_slice() else { panic!("two arms") };
        assert!((a.all.mean - 0.7).abs() < 1e-9 && (b.all.mean - 0.3).abs() < 1e-9);
        assert!((a.shares[0].mean - 6.0 / 7.0).abs() < 1e-9, "{:?}", a.shares);
        assert!((b.bought.mean - 0.4).abs() < 1e-9 && a.bought.mean == 0.0);
        assert!((a.cost.expect("prices").mean - 103.0).abs() < 1e-9);
        assert!((b.dearer.expect("prices").mean - 30.0).abs() < 1e-9);
        let more_than_all = 0.184_736_8;
        assert!((a.over.mean - more_than_all).abs() < 0.02, "{:?}", a.over);
        assert!(a.over.interval.contains(more_than_all), "{:?}", a.over);
        assert!(b.over.mean < 0.001);
        assert!((a.quantiles[0] - 0.7).abs() < 1e-9, "the middle window has three of them");
    }

    #[test]
    fn runs_that_differ_make_intervals_wide() {
        let mut uneven = arm("a", 0, 0, 0.0);
        uneven.spent.kinds[0] = vec![0, 0, 0, 0, WHOLE];
        let found = found(&asked(1.0), &[uneven]);
        let Interval { low, high } = found[0].all.interval;
        assert!(
            low < 0.05 && high > 0.35 && (found[0].all.mean - 0.2).abs() < 1e-9,
            "{low} {high}"
        );
    }
}
