//! A choice on its way: which runs decide what comes next.

use super::contest::{Contest, Observed, Rule};
use super::{Choose, Judge};
use crate::experiment::compare::measured::Measured;
use crate::experiment::judge::expect::Expectation;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::run::result::RunResult;
use crate::statistics::verdict::Direction;

/// What came of the runs so far.
#[derive(Clone, Debug)]
pub struct Choosing {
    /// How it is decided.
    pub rule: Rule,
    /// What is compared, and what must hold.
    pub judge: Judge,
    /// A contest for each point of the experiment's own factors.
    pub contests: Vec<Contest>,
    /// How many alternatives each has: the cells of a point.
    pub of_each: usize,
}

impl Choosing {
    /// The beginning of a campaign's choice; `None` if it declares none.
    ///
    /// # Panics
    /// If runs do not have what is compared: a campaign has refused that.
    #[must_use]
    pub fn new(campaign: &Campaign) -> Option<Choosing> {
        let choose = campaign.experiment.explored.choose.as_ref()?;
        let judge = choose.judge(&campaign.cells[0]);
        let judge = judge.unwrap_or_else(|problem| panic!("{problem}"));
        let rule = choose.rule(&judge, campaign.seeds.len() as u64);
        let points = campaign.experiment.points.len();
        let of_each = campaign.cells.len() / points;
        let contests = vec![Contest::new(of_each, &rule); points];
        Some(Choosing { rule, judge, contests, of_each })
    }

    /// The numbers of the runs that decide what comes next, ascending; none if all is decided.
    #[must_use]
    pub fn next(&self, campaign: &Campaign) -> Vec<usize> {
        let mut numbers = Vec::new();
        for (point, contest) in self.contests.iter().enumerate() {
            for (index, most) in contest.next(&self.rule) {
                let done = contest.alternatives[index].observed.len();
                let cell = point * self.of_each + index;
                numbers.extend(campaign.numbers(cell, done..most as usize));
            }
        }
        numbers.sort_unstable();
        numbers
    }

    /// Takes the results of the runs that were asked for, in the order of their numbers.
    pub fn take(&mut self, results: &[RunResult]) {
        for run in results {
            let observed = self.judge.observe(run);
            self.contests[run.cell / self.of_each].take(run.cell % self.of_each, observed);
        }
        for contest in &mut self.contests {
            contest.judge(&self.rule);
        }
    }
}

impl Choose {
    /// The rule of a contest with these constraints.
    fn rule(&self, judge: &Judge, seeds: u64) -> Rule {
        let text = &self.text;
        let tolerance = |bound: &Expectation| {
            let scale = if bound.bound() == 0.0 { 1.0 } else { bound.bound().abs() };
            scale * text.tolerance.0
        };
        Rule {
            indifference: text.indifference,
            tolerances: judge.bounds.iter().map(tolerance).collect(),
            error: 1.0 - text.confidence.0,
            first: text.first.min(seeds),
            most: seeds,
            budget: text.budget,
        }
    }
}

impl Judge {
    /// What a run says.
    fn observe(&self, run: &RunResult) -> Observed {
        let cost = self.objective.value(run).map(|value| match self.objective.better {
            Direction::Lower => value,
            Direction::Higher => -value,
        });
        let beyond: Option<Vec<f64>> = self.bounds.iter().map(|bound| bound.beyond(run)).collect();
        let is_broken = |(_, promise): &(String, Measured)| promise.value(run) == Some(1.0);
        Observed {
            // A run without the number of a bound says nothing of it, and is out for that.
            cost: cost.filter(|_| beyond.is_some()),
            beyond: beyond.unwrap_or_else(|| vec![0.0; self.bounds.len()]),
            broken: self.promises.iter().position(is_broken),
        }
    }
}
