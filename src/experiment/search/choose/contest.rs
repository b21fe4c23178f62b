//! Who is the best of several, decided while the observations come: a pure machine.
//!
//! With a guarantee, the fully sequential procedure of Kim and Nelson (2001) with the feasibility
//! check of Andradóttir and Kim (2010) beside it: half of the error probability goes to each where
//! there are constraints. With a budget, the optimal computing budget allocation of Chen and others
//! (2000), without a guarantee. Costs are compared: lower is better.

use std::collections::BTreeSet;

use crate::statistics::moments::moments;
use crate::statistics::selection::{KimNelson, feasibility, kim_nelson, ocba, probability_of_best};

/// How a contest is decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The difference of two means that does not matter.
    pub indifference: f64,
    /// For each constraint, how far from its bound a mean may be told wrong.
    pub tolerances: Vec<f64>,
    /// The probability of a wrong choice.
    pub error: f64,
    /// The observations of each at first.
    pub first: u64,
    /// The most observations of each.
    pub most: u64,
    /// The observations of all, if they are a budget.
    pub budget: Option<u64>,
}

/// What one run says of an alternative.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// What it costs, lower is better; `None` if the run has no such number.
    pub cost: Option<f64>,
    /// For each constraint, by how much it is beyond its bound: below 0 it is met.
    pub beyond: Vec<f64>,
    /// The first promise that it has broken, by its place among the promises.
    pub broken: Option<usize>,
}

/// Why an alternative is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Out {
    /// It broke the promise of this place in a run.
    Broken(usize),
    /// A run has no such number, such as a recovery where it never recovered.
    Missing,
    /// It does not meet the constraint of this place.
    Beyond(usize),
    /// It is behind this alternative.
    Behind(usize),
}

/// An alternative in a contest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alternative {
    /// What its runs say, in the order of the seeds.
    pub observed: Vec<Observed>,
    /// Why it is out; `None` if it is not.
    pub out: Option<Out>,
    /// For each constraint, whether it is known to be met.
    pub met: Vec<bool>,
}

/// A contest on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Contest {
    /// The alternatives.
    pub alternatives: Vec<Alternative>,
    /// Who is known to be ahead of whom, whether it meets its constraints or not.
    ahead: BTreeSet<(usize, usize)>,
    /// How many observations of each have been judged.
    judged: u64,
}

/// What a contest has come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// The best; `None` if nobody is left.
    pub best: Option<usize>,
    /// Those that are not told from it; none where the choice is sure.
    pub open: Vec<usize>,
    /// With a budget, the probability that it is the best, at least and about.
    pub probability: Option<f64>,
}

impl Contest {
    /// A contest of so many.
    #[must_use]
    pub fn new(alternatives: usize, rule: &Rule) -> Contest {
        let met = vec![false; rule.tolerances.len()];
        let alternative = Alternative { met, ..Alternative::default() };
        Contest { alternatives: vec![alternative; alternatives], ahead: BTreeSet::new(), judged: 0 }
    }

    /// How many observations each alternative is to have next; nothing if all is decided.
    #[must_use]
    pub fn next(&self, rule: &Rule) -> Vec<(usize, u64)> {
        let seeds = |index: usize| self.alternatives[index].observed.len() as u64;
        let wants = |index: usize, most: u64| (index, most.min(rule.most));
        let first = rule.first;
        let all = 0..self.alternatives.len();
        let wanted: Vec<(usize, u64)> = if all.clone().any(|index| seeds(index) < first) {
            all.map(|index| wants(index, first)).collect()
        } else if let Some(budget) = rule.budget {
            self.shares(rule, budget)
        } else if self.is_decided(rule) {
            Vec::new()
        } else {
            self.left().map(|index| wants(index, seeds(index) + 1)).collect()
        };
        wanted.into_iter().filter(|&(index, most)| most > seeds(index)).collect()
    }

    /// Takes an observation of an alternative; those of its seeds come in their order.
    pub fn take(&mut self, index: usize, observed: Observed) {
        let alternative = &mut self.alternatives[index];
        if let Some(place) = observed.broken {
            alternative.out.get_or_insert(Out::Broken(place));
        } else if observed.cost.is_none() {
            alternative.out.get_or_insert(Out::Missing);
        }
        alternative.observed.push(observed);
    }

    /// Judges what has come, once all that was asked for has.
    ///
    /// # Panics
    /// If the rule has an error of 0 or 1.
    pub fn judge(&mut self, rule: &Rule) {
        let seeds = |it: &Alternative| it.observed.len() as u64;
        let common = self.left().map(|index| seeds(&self.alternatives[index])).min().unwrap_or(0);
        if rule.budget.is_some() || rule.first < 2 || common < rule.first {
            return;
        }
        for runs in (self.judged + 1).max(rule.first)..=common {
            self.screen(rule, runs);
            self.judged = runs;
        }
    }

    /// Those that are not out, in their order.
    pub fn left(&self) -> impl Iterator<Item = usize> + use<> {
        let alternatives = self.alternatives.iter().enumerate();
        let left: Vec<usize> =
            alternatives.filter(|(_, it)| it.out.is_none()).map(|(index, _)| index).collect();
        left.into_iter()
    }

    fn is_feasible(&self, index: usize) -> bool {
        self.alternatives[index].met.iter().all(|met| *met)
    }

    fn is_decided(&self, rule: &Rule) -> bool {
        let left: Vec<usize> = self.left().collect();
        match left[..] {
            [] => true,
            [only] => self.is_feasible(only) || self.judged >= rule.most,
            _ => self.judged >= rule.most,
        }
    }

    /// The part of the error that each check and each comparison may have.
    fn errors(&self, rule: &Rule) -> (f64, f64) {
        let (arms, checks) = (self.alternatives.len(), rule.tolerances.len());
        match checks {
            0 => (rule.error, rule.error),
            _ => (rule.error / 2.0 / (arms * checks) as f64, rule.error / 2.0),
        }
    }

    /// Judges the first so many observations of all who are left.
    fn screen(&mut self, rule: &Rule, runs: u64) {
        let first = rule.first;
        let (of_check, of_choice) = self.errors(rule);
        let arms = (self.alternatives.len() as u64).max(2);
        let constants = |wrong| panic!("a rule that was checked: {wrong:?}");
        let check: KimNelson = feasibility(first, of_check).unwrap_or_else(constants);
        let choice: KimNelson = kim_nelson(arms, first, of_choice).unwrap_or_else(constants);
        for index in self.left() {
            for (place, &tolerance) in rule.tolerances.iter().enumerate() {
                if self.alternatives[index].met[place] {
                    continue;
                }
                let beyond = |it: &Observed| it.beyond[place];
                let observed = &self.alternatives[index].observed[..runs as usize];
                let values: Vec<f64> = observed.iter().map(beyond).collect();
                let sum: f64 = values.iter().sum();
                let within =
                    check.undecided_within(variance(&values[..first as usize]), tolerance, runs);
                if sum > within {
                    self.alternatives[index].out = Some(Out::Beyond(place));
                } else if sum <= -within {
                    self.alternatives[index].met[place] = true;
                }
            }
        }
        let left: Vec<usize> = self.left().collect();
        for &index in &left {
            for &other in left.iter().filter(|other| **other != index) {
                let differences = self.differences(index, other, runs);
                let sum: f64 = differences.iter().sum();
                let spread = variance(&differences[..first as usize]);
                let within = choice.undecided_within(spread, rule.indifference, runs);
                // Of equals that nothing will tell apart the first stays.
                if sum > within || (within == 0.0 && sum == 0.0 && other < index) {
                    self.ahead.insert((other, index));
                }
            }
        }
        for &index in &left {
            let ahead = self
                .left()
                .find(|&other| self.is_feasible(other) && self.ahead.contains(&(other, index)));
            if let Some(ahead) = ahead {
                self.alternatives[index].out = Some(Out::Behind(ahead));
            }
        }
    }

    /// By how much one costs more than another, run by run under equal seeds.
    fn differences(&self, one: usize, other: usize, runs: u64) -> Vec<f64> {
        let costs = |index: usize| {
            let observed = &self.alternatives[index].observed[..runs as usize];
            observed.iter().map(|it| it.cost.unwrap_or(f64::NAN))
        };
        costs(one).zip(costs(other)).map(|(one, other)| one - other).collect()
    }

    /// The mean and the standard deviation of what an alternative costs.
    fn cost(&self, index: usize) -> Option<(f64, f64)> {
        let observed = &self.alternatives[index].observed;
        let costs: Vec<f64> = observed.iter().map(|it| it.cost).collect::<Option<_>>()?;
        let moments = moments(&costs).ok()?;
        Some((moments.mean, moments.sd))
    }

    /// Whether its means meet all constraints so far.
    fn seems_feasible(&self, index: usize) -> bool {
        let it = &self.alternatives[index];
        (0..it.met.len())
            .all(|place| it.observed.iter().map(|seen| seen.beyond[place]).sum::<f64>() <= 0.0)
    }

    /// What seems to be the best of those that are left, with those that seem to meet their
    /// constraints.
    fn leaders(&self) -> (Option<usize>, Vec<usize>) {
        let feasible: Vec<usize> =
            self.left().filter(|&index| self.seems_feasible(index)).collect();
        let mean = |index: usize| self.cost(index).map_or(f64::INFINITY, |(mean, _)| mean);
        let best = feasible.iter().copied().min_by(|&a, &b| mean(a).total_cmp(&mean(b)));
        (best, feasible)
    }

    /// How many observations each is to have after the next part of a budget.
    fn shares(&self, rule: &Rule, budget: u64) -> Vec<(usize, u64)> {
        let spent: u64 = self.alternatives.iter().map(|it| it.observed.len() as u64).sum();
        let (Some(best), feasible) = self.leaders() else { return Vec::new() };
        let step = (feasible.len() as u64).max(PART).min(budget.saturating_sub(spent));
        if step == 0 {
            return Vec::new();
        }
        let seeds = |index: usize| self.alternatives[index].observed.len() as u64;
        let (lead, _) = self.cost(best).unwrap_or_default();
        // Whoever is behind by less than what matters is taken to be behind by that.
        let means: Vec<f64> = feasible
            .iter()
            .map(|&index| match self.cost(index) {
                _ if index == best => 0.0,
                Some((mean, _)) => (mean - lead).max(rule.indifference),
                None => f64::MAX,
            })
            .collect();
        let spreads: Vec<f64> = feasible
            .iter()
            .map(|&index| self.cost(index).map_or(0.0, |(_, spread)| spread))
            .collect();
        let place = feasible.iter().position(|&index| index == best).unwrap_or(0);
        let of_these: u64 = feasible.iter().map(|&index| seeds(index)).sum();
        let whole = (of_these + step) as f64;
        let Ok(shares) = ocba(&means, &spreads, place, whole) else {
            return vec![(best, (seeds(best) + step).min(rule.most))];
        };
        let behind = |(share, &index): (&f64, &usize)| (share - seeds(index) as f64).max(0.0);
        let missing: Vec<f64> = shares.iter().zip(&feasible).map(behind).collect();
        let all: f64 = missing.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let mut given = 0;
        let mut wanted: Vec<(usize, u64)> = feasible
            .iter()
            .zip(&missing)
            .map(|(&index, missing)| {
                let more = ((missing / all * step as f64) as u64).min(step - given);
                given += more;
                (index, seeds(index) + more)
            })
            .collect();
        // What rounding has left goes to whoever misses most.
        let most = (0..missing.len()).max_by(|&a, &b| missing[a].total_cmp(&missing[b]));
        if let Some(most) = most {
            wanted[most].1 += step - given;
        }
        wanted.into_iter().map(|(index, seeds)| (index, seeds.min(rule.most))).collect()
    }

    /// What it has come to.
    #[must_use]
    pub fn decided(&self, rule: &Rule) -> Decided {
        if rule.budget.is_some() {
            let (best, feasible) = self.leaders();
            let costs = feasible.iter().map(|&index| {
                let seeds = self.alternatives[index].observed.len() as f64;
                self.cost(index)
                    .map_or((f64::MAX, 0.0), |(mean, spread)| (mean, spread / seeds.sqrt()))
            });
            let (means, errors): (Vec<f64>, Vec<f64>) = costs.unzip();
            let place = best.and_then(|best| feasible.iter().position(|&index| index == best));
            let probability =
                place.and_then(|place| probability_of_best(&means, &errors, place).ok());
            return Decided { best, open: Vec::new(), probability };
        }
        let left: Vec<usize> = self.left().collect();
        let (seeming, _) = self.leaders();
        match left[..] {
            [only] if self.is_feasible(only) => {
                Decided { best: Some(only), open: Vec::new(), probability: None }
            }
            _ => {
                let open = left.into_iter().filter(|index| Some(*index) != seeming).collect();
                Decided { best: seeming, open, probability: None }
            }
        }
    }

    /// Whether the guarantee holds: nobody else is left, and the best is known to meet all.
    #[must_use]
    pub fn is_sure(&self, rule: &Rule) -> bool {
        let mut left = self.left();
        let only = left.next().is_some_and(|only| self.is_feasible(only)) && left.next().is_none();
        rule.budget.is_none() && only
    }
}

/// The runs of a part of a budget, after which it is shared anew. Chen and others (2000) advise 5%
/// to 10% of the runs so far, and parts smaller than 100.
const PART: u64 = 20;

/// The variance of a sample.
fn variance(sample: &[f64]) -> f64 {
    moments(sample).map_or(0.0, |moments| moments.sd * moments.sd)
}
