//! What a campaign answers: which of its choices to take, which to avoid, and what its runs do not
//! decide. The rule is told in docs/results.md, "The answer".

mod weigh;

use crate::experiment::compare::measured::{Measured, Source};
use crate::experiment::measure::metrics::Of;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::variant::Factor;
use crate::experiment::run::result::RunResult;
use crate::kernel::limit::Ending;
use crate::metric::MetricId;
use crate::model::document::parse_path;
use weigh::{Weighed, against, mean};

/// The sections of a model that a team decides about. What users, links and providers do are
/// conditions under which a choice has to do well.
const CHOSEN: [&str; 7] = ["service", "database", "replica", "cache", "queue", "outbox", "policy"];

/// What a campaign answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Everything that can be chosen, in the order of the cells.
    pub choices: Vec<Choice>,
    /// What decides between choices that keep promises equally well, the first one first.
    pub criteria: Vec<Measured>,
    /// The choice to take; `None` if every one has a run that reached a limit.
    pub taken: Option<usize>,
    /// Choices that these runs do not tell from the taken one, or only by what makes no difference.
    pub equals: Vec<usize>,
    /// The choice that does worst; `None` if none is told from the taken one.
    pub avoided: Option<usize>,
    /// What would have to be known better to tell the taken choice from another.
    pub open: Option<Open>,
}

/// One arm at one level of every factor that a team decides about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The labels of the levels and of the arm.
    pub name: String,
    /// Its cells: one for each combination of the other factors' levels.
    pub cells: Vec<usize>,
    /// Whether it is what the others are compared with: the baseline at the first levels.
    pub is_baseline: bool,
}

/// Two choices that the runs do not tell apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The choice beside the taken one.
    pub other: usize,
    /// By which criterion; `None` for how often promises are broken.
    pub criterion: Option<usize>,
    /// About how many seeds tell them apart if they differ by as much as makes a difference, four
    /// times of five; `None` where one of them has no number.
    pub seeds: Option<u64>,
}

impl Answer {
    /// Weighs the choices of a campaign by its results, which are ordered by their numbers.
    #[must_use]
    pub fn new(campaign: &Campaign, results: &[RunResult]) -> Answer {
        let choices = choices(campaign);
        let criteria = criteria(campaign);
        let runs = Runs { campaign, results };
        let is_whole = |choice: &Choice| {
            let all = choice.cells.iter().flat_map(|&cell| runs.of(cell));
            all.into_iter().all(|run| run.ending == Ending::Complete)
        };
        let judged: Vec<usize> =
            (0..choices.len()).filter(|&index| is_whole(&choices[index])).collect();
        let broken: Vec<Vec<Option<f64>>> =
            choices.iter().map(|choice| runs.violations_per_request(choice)).collect();
        let is_baseline = |choice: usize| choices[choice].is_baseline;
        let (mut left, mut undecided) = keep_promises(&judged, &broken, is_baseline);
        left = keep_expectations(left, |choice| runs.misses(&choices[choice]));
        let mut last = None;
        for (index, criterion) in criteria.iter().enumerate() {
            let values: Vec<Vec<Option<f64>>> =
                choices.iter().map(|choice| runs.values(choice, criterion)).collect();
            let Some(best) = best(&left, &values, criterion) else {
                continue;
            };
            let of = left.len();
            left.retain(|&choice| match against(&values[choice], &values[best], criterion, of) {
                Weighed::Worse => false,
                Weighed::Equal => true,
                Weighed::Undecided { seeds, is_near } => {
                    undecided.push((best, Open { other: choice, criterion: Some(index), seeds }));
                    // What looks worse by more than makes no difference is not taken because its
                    // runs differ so much that nothing can be said of it.
                    is_near || is_baseline(choice)
                }
            });
            last = Some(best);
        }
        let baseline = left.iter().copied().find(|&choice| choices[choice].is_baseline);
        let taken = baseline.or(last.filter(|best| left.contains(best))).or(left.first().copied());
        let avoided = taken.and_then(|taken| {
            let is_open = |it: usize| undecided.iter().any(|(_, open)| open.other == it);
            let is_told = |it: &usize| *it != taken && !left.contains(it) && !is_open(*it);
            let told: Vec<usize> = (0..choices.len()).filter(is_told).collect();
            most_broken(&told, &broken).or_else(|| {
                let values = |choice: usize, by: &Measured| runs.values(&choices[choice], by);
                worst(&told, taken, &criteria, values)
            })
        });
        let of_taken = undecided.iter().find_map(|(best, open)| match taken? {
            taken if open.other == taken => Some(Open { other: *best, ..open.clone() }),
            taken if *best == taken => Some(open.clone()),
            _ => None,
        });
        let mut equals: Vec<usize> =
            left.into_iter().filter(|choice| Some(*choice) != taken).collect();
        let rate = |choice: usize| mean(&broken[choice]).unwrap_or(0.0);
        equals.sort_by(|&a, &b| rate(a).total_cmp(&rate(b)));
        Answer { choices, criteria, taken, equals, avoided, open: of_taken }
    }
}

/// The runs of a campaign by cell.
struct Runs<'a> {
    campaign: &'a Campaign,
    results: &'a [RunResult],
}

impl Runs<'_> {
    fn of(&self, cell: usize) -> &[RunResult] {
        self.campaign.runs_of(self.results, cell)
    }

    /// By seed, the mean over the cells of a choice; `None` if one has no value.
    fn values(&self, choice: &Choice, measured: &Measured) -> Vec<Option<f64>> {
        let of_seed = |seed: usize| {
            let values = choice.cells.iter().map(|&cell| measured.value(&self.of(cell)[seed]));
            let values: Option<Vec<f64>> = values.collect();
            values.map(|values| values.iter().sum::<f64>() / values.len() as f64)
        };
        (0..self.campaign.seeds.len()).map(of_seed).collect()
    }

    /// Whether any run of a choice is not as the experiment expects.
    fn misses(&self, choice: &Choice) -> bool {
        let mut runs = choice.cells.iter().flat_map(|&cell| self.of(cell));
        runs.any(|run| run.expectations.iter().any(|expected| expected.met == Some(false)))
    }

    /// By seed, how often any promise was broken for each request.
    fn violations_per_request(&self, choice: &Choice) -> Vec<Option<f64>> {
        let of_seed = |seed: usize| {
            let (mut violations, mut requests) = (0, 0);
            for run in choice.cells.iter().map(|&cell| &self.of(cell)[seed]) {
                violations += run.invariants.iter().map(|it| it.violations).sum::<u64>();
                requests += run.metrics.requests;
            }
            (requests > 0).then(|| violations as f64 / requests as f64)
        };
        (0..self.campaign.seeds.len()).map(of_seed).collect()
    }
}

/// What is not decided between a choice and the best one.
type Undecided = Vec<(usize, Open)>;

/// The choices that broke no promise in any run or, where every one broke some, the one that broke
/// the least and those that broke about as much; and those of which the runs do not tell.
fn keep_promises(
    judged: &[usize],
    broken: &[Vec<Option<f64>>],
    is_baseline: impl Fn(usize) -> bool,
) -> (Vec<usize>, Undecided) {
    let keeps = |choice: &usize| broken[*choice].iter().flatten().all(|rate| *rate == 0.0);
    let kept: Vec<usize> = judged.iter().copied().filter(keeps).collect();
    if !kept.is_empty() {
        return (kept, Vec::new());
    }
    let rate = |choice: &usize| mean(&broken[*choice]).unwrap_or(f64::INFINITY);
    let least = judged.iter().copied().min_by(|a, b| rate(a).total_cmp(&rate(b)));
    let Some(least) = least else { return (Vec::new(), Vec::new()) };
    let (mut left, mut undecided) = (Vec::new(), Vec::new());
    for &choice in judged {
        match weigh::by_share(&broken[choice], &broken[least], ABOUT, judged.len()) {
            Weighed::Worse => {}
            Weighed::Equal => left.push(choice),
            Weighed::Undecided { seeds, is_near } => {
                undecided.push((least, Open { other: choice, criterion: None, seeds }));
                if is_near || is_baseline(choice) {
                    left.push(choice);
                }
            }
        }
    }
    (left, undecided)
}

/// How often promises are broken makes no difference within this share of the least.
pub const ABOUT: f64 = 0.05;

/// The choices whose runs are all as the experiment expects; all of them where none is.
fn keep_expectations(left: Vec<usize>, misses: impl Fn(usize) -> bool) -> Vec<usize> {
    let met: Vec<usize> = left.iter().copied().filter(|&choice| !misses(choice)).collect();
    if met.is_empty() { left } else { met }
}

/// The choice with the best mean by a criterion; `None` where none has one.
fn best(left: &[usize], values: &[Vec<Option<f64>>], criterion: &Measured) -> Option<usize> {
    let known =
        left.iter().filter_map(|&it| Some((it, criterion.better.badness(mean(&values[it])?))));
    known.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(choice, _)| choice)
}

/// The choice that broke promises most often; `None` if none did.
fn most_broken(told: &[usize], broken: &[Vec<Option<f64>>]) -> Option<usize> {
    let rate = |choice: usize| mean(&broken[choice]).unwrap_or(0.0);
    let most = told.iter().copied().max_by(|&a, &b| rate(a).total_cmp(&rate(b)));
    most.filter(|&most| rate(most) > 0.0)
}

/// The choice that does worst by the first criterion by which any is worse than the taken one, or
/// by the first of all where only what is expected tells them apart.
fn worst(
    told: &[usize],
    taken: usize,
    criteria: &[Measured],
    values: impl Fn(usize, &Measured) -> Vec<Option<f64>>,
) -> Option<usize> {
    let worst_of = |choices: Vec<usize>, criterion: &Measured| {
        let known = choices.into_iter().filter_map(|choice| {
            Some((choice, criterion.better.badness(mean(&values(choice, criterion))?)))
        });
        known.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(choice, _)| choice)
    };
    let by_difference = criteria.iter().find_map(|criterion| {
        let best = values(taken, criterion);
        let of = told.len() + 1;
        let badness = |values: &[Option<f64>]| Some(criterion.better.badness(mean(values)?));
        let is_worse = |choice: &usize| {
            let own = values(*choice, criterion);
            let is_told = against(&own, &best, criterion, of) == Weighed::Worse;
            is_told && badness(&own) > badness(&best)
        };
        worst_of(told.iter().copied().filter(is_worse).collect(), criterion)
    });
    by_difference.or_else(|| worst_of(told.to_vec(), criteria.first()?))
}

/// Every arm at every combination of the levels that a team decides about.
fn choices(campaign: &Campaign) -> Vec<Choice> {
    let experiment = &campaign.experiment;
    let arms = experiment.arms.len();
    let chosen: Vec<usize> = (0..experiment.factors.len())
        .filter(|&factor| is_chosen(&experiment.factors[factor]))
        .collect();
    let mut keys: Vec<(Vec<usize>, usize)> = Vec::new();
    let mut choices: Vec<Choice> = Vec::new();
    for cell in 0..campaign.cells.len() {
        let (point, arm) = (experiment.points.get(cell / arms), cell % arms);
        let levels: Vec<usize> =
            point.map_or(Vec::new(), |point| chosen.iter().map(|&factor| point[factor]).collect());
        let key = (levels, arm);
        if let Some(known) = keys.iter().position(|known| *known == key) {
            choices[known].cells.push(cell);
            continue;
        }
        let labels = chosen.iter().zip(&key.0);
        let mut parts: Vec<&str> = labels
            .map(|(&factor, &level)| experiment.factors[factor].levels[level].label.as_str())
            .collect();
        if arms > 1 || parts.is_empty() {
            parts.push(&campaign.cells[cell].arm_label);
        }
        let is_first = key.0.iter().all(|level| *level == 0);
        choices.push(Choice {
            name: parts.join(", "),
            cells: vec![cell],
            is_baseline: is_first && arm == campaign.declared.baseline,
        });
        keys.push(key);
    }
    choices
}

/// Whether a team decides about a factor: one of its levels sets something of its own system.
fn is_chosen(factor: &Factor) -> bool {
    let mut patches = factor.levels.iter().flat_map(|level| &level.set);
    patches
        .any(|patch| parse_path(&patch.path).is_ok_and(|path| CHOSEN.contains(&path[0].as_str())))
}

/// What decides after promises: what `primary` declares or else error budgets, finished work,
/// whether runs came back, what they cost, and load.
fn criteria(campaign: &Campaign) -> Vec<Measured> {
    let declared = campaign.declared.primary.iter();
    let is_promise = |it: &&Measured| matches!(it.source, Source::Rate(_) | Source::Violated(_));
    let others: Vec<Measured> = declared.filter(|it| !is_promise(it)).cloned().collect();
    if campaign.experiment.compare.primary.is_some() {
        return others;
    }
    let is = |place: usize, id: MetricId| campaign.metrics()[place].id == id;
    let rank = |it: &Measured| match it.source {
        Source::Metric(place) if is(place, MetricId::BudgetConsumed) => 0,
        Source::Metric(place) if place == MetricId::SuccessRatio.place() => 1,
        Source::Metric(place) if place == MetricId::Unhandled.place() => 2,
        Source::NeverRecovered(Of::Measured) => 3,
        Source::Metastable => 4,
        Source::Metric(place) if is(place, MetricId::Cost) => 5,
        _ => 6,
    };
    let mut usual = others;
    usual.sort_by_key(rank);
    usual
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: usize = usize::MAX;

    /// The same under eight seeds, or two values in turn.
    fn rates(odd: f64, even: f64) -> Vec<Option<f64>> {
        [odd, even].repeat(4).into_iter().map(Some).collect()
    }

    #[test]
    fn who_broke_no_promise_goes_on_and_nobody_else() {
        let broken = [rates(0.0, 0.1), rates(0.0, 0.0), rates(0.2, 0.2)];
        assert_eq!(keep_promises(&[0, 1, 2], &broken, |_| true), (vec![1], vec![]));
        assert_eq!(keep_promises(&[], &broken, |_| true), (vec![], vec![]), "all reached a limit");
    }

    /// The least, about as much, far more, twice more as far as one can tell, and as much so.
    #[test]
    fn where_all_broke_some_the_least_goes_on_with_those_that_may_be_as_good() {
        let broken = [
            rates(1.0, 1.000_001),
            rates(1.02, 1.02),
            rates(2.0, 2.0),
            rates(0.1, 3.0),
            rates(0.04, 2.0),
        ];
        let said = |judged: &[usize], baseline: usize| {
            let (left, undecided) = keep_promises(judged, &broken, |choice| choice == baseline);
            let undecided: Vec<(usize, usize)> =
                undecided.into_iter().map(|(least, open)| (least, open.other)).collect();
            (left, undecided)
        };
        let undecided = vec![(0, 3), (0, 4)];
        assert_eq!(said(&[0, 1, 2, 3, 4], NOBODY), (vec![0, 1, 4], undecided.clone()));
        assert_eq!(said(&[0, 1, 2, 3, 4], 3), (vec![0, 1, 3, 4], undecided), "it is the baseline");
        assert_eq!(said(&[0, 1, 2], 2), (vec![0, 1], vec![]), "and this one is surely worse");
        assert_eq!(said(&[1, 2], NOBODY), (vec![1], vec![]), "the least of those that are judged");
        assert_eq!(most_broken(&[0, 1, 2], &broken), Some(2));
        assert_eq!(most_broken(&[1, 0], &[rates(0.0, 0.0), rates(0.0, 0.0)]), None);
    }

    #[test]
    fn expectations_leave_out_who_misses_them_but_never_all() {
        assert_eq!(keep_expectations(vec![0, 1, 2], |choice| choice == 1), [0, 2]);
        assert_eq!(keep_expectations(vec![0, 1, 2], |_| true), [0, 1, 2]);
    }
}
