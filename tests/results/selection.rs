//! Contests whose truth is known: how often the best of them is chosen.
//! `STORMGLASS_SELECTION=400 cargo test --release --test results selection -- --nocapture` makes
//! the trials that docs/experiment.md tells of.

#![expect(clippy::print_stdout, reason = "it says how often it was right")]

use stormglass::experiment::search::choose::contest::{Contest, Observed, Out, Rule};
use stormglass::kernel::draw::{Draws, Purpose};
use stormglass::statistics::distribution::normal_quantile;

/// How many trials there are: `STORMGLASS_SELECTION=400` for those that the docs tell of.
#[expect(clippy::disallowed_methods, reason = "it says how much is tried, not what comes out")]
fn trials() -> u64 {
    std::env::var("STORMGLASS_SELECTION").map_or(60, |trials| trials.parse().expect("a number"))
}

fn rule(error: f64) -> Rule {
    Rule { indifference: 1.0, tolerances: Vec::new(), error, first: 10, most: 10_000, budget: None }
}

/// A contest of alternatives with these mean costs and spreads, and what a bound says of each.
/// Under the same seed all share half of their luck, as arms do.
fn hold(trial: u64, rule: &Rule, costs: &[(f64, f64)], beyond: &[f64]) -> (Contest, u64) {
    let mut draws = Draws::new(trial + 1);
    let mut normal = |place: u32, seed: u64| {
        let draw = draws.draw(Purpose::Service, place, seed, 0);
        normal_quantile(draw.unit().clamp(1e-12, 1.0 - 1e-12)).expect("inside")
    };
    let mut contest = Contest::new(costs.len(), rule);
    let mut runs = 0;
    loop {
        let wanted = contest.next(rule);
        if wanted.is_empty() {
            return (contest, runs);
        }
        for (index, most) in wanted {
            for seed in contest.alternatives[index].observed.len() as u64..most {
                let (mean, spread) = costs[index];
                let luck = (normal(999, seed) + normal(index as u32, seed)) * spread / 2_f64.sqrt();
                let beyond = beyond.get(index).map(|mean| mean + normal(500 + index as u32, seed));
                let beyond = beyond.into_iter().collect();
                contest.take(index, Observed { cost: Some(mean + luck), beyond, broken: None });
                runs += 1;
            }
        }
        contest.judge(rule);
    }
}

/// In how many trials the first alternative is chosen, and the mean number of runs.
fn chosen(rule: &Rule, costs: &[(f64, f64)], beyond: &[f64]) -> (u64, u64) {
    let mut all = (0, 0);
    for trial in 0..trials() {
        let (contest, runs) = hold(trial, rule, costs, beyond);
        all.0 += u64::from(contest.decided(rule).best == Some(0));
        all.1 += runs;
    }
    (all.0, all.1 / trials())
}

/// The slippage configuration, the hardest: all others are behind by just what matters. Then ones
/// of unequal spread, and ones far behind. At least 95% of the trials; fewer than 53 of 60 would be
/// 1 in 100 if it were exactly that.
#[test]
fn the_best_is_chosen_as_often_as_is_promised() {
    let least = if trials() < 400 { trials() * 88 / 100 } else { trials() * 95 / 100 };
    let slippage: Vec<(f64, f64)> =
        (0..10).map(|index| (f64::from(u8::from(index > 0)), 3.0)).collect();
    let unequal: Vec<(f64, f64)> =
        (0..5).map(|index| (f64::from(u8::from(index > 0)), 1.0 + f64::from(index))).collect();
    let apart: Vec<(f64, f64)> = (0..10).map(|index| (f64::from(index) * 2.0, 3.0)).collect();
    for (name, costs) in [("slippage", slippage), ("unequal", unequal), ("apart", apart)] {
        let (right, runs) = chosen(&rule(0.05), &costs, &[]);
        println!("{name}: the best in {right} of {} trials, {runs} runs each", trials());
        assert!(right >= least, "{name}: {right} of {}", trials());
    }
}

/// With a bound: the cheapest two do not meet it.
#[test]
fn the_best_of_those_that_meet_a_bound_is_chosen() {
    let least = if trials() < 400 { trials() * 88 / 100 } else { trials() * 95 / 100 };
    let rule = Rule { tolerances: vec![0.5], ..rule(0.05) };
    let costs = [(2.0, 2.0), (0.0, 2.0), (1.0, 2.0), (3.0, 2.0), (4.0, 2.0)];
    let (right, runs) = chosen(&rule, &costs, &[-0.5, 0.5, 0.5, -0.5, -0.5]);
    println!("bounded: the best in {right} of {} trials, {runs} runs each", trials());
    assert!(right >= least, "{right} of {}", trials());
}

/// A budget goes to the ones that are hard to tell apart: the same runs, more often right than if
/// each had as many.
#[test]
fn a_budget_goes_where_it_tells_most() {
    let costs: Vec<(f64, f64)> = (0..10).map(|index| (f64::from(index), 4.0)).collect();
    let budget = 400;
    let shared = Rule { budget: Some(budget), ..rule(0.05) };
    let evenly = Rule { budget: Some(budget), first: budget / 10, ..rule(0.05) };
    let (right, runs) = chosen(&shared, &costs, &[]);
    let (even, _) = chosen(&evenly, &costs, &[]);
    println!("budget: {right} of {} trials, evenly {even}, {runs} runs each", trials());
    assert_eq!(runs, budget);
    assert!(right >= even, "{right} against {even}");
    let (contest, _) = hold(0, &shared, &costs, &[]);
    let seeds = |index: usize| contest.alternatives[index].observed.len();
    assert!(seeds(0) + seeds(1) > 3 * (seeds(8) + seeds(9)));
    assert!(contest.decided(&shared).probability.is_some());
}

#[test]
fn who_breaks_a_promise_or_has_no_number_is_out_and_equals_end() {
    let rule = Rule { most: 30, ..rule(0.05) };
    let mut contest = Contest::new(4, &rule);
    loop {
        let wanted = contest.next(&rule);
        if wanted.is_empty() {
            break;
        }
        for (index, most) in wanted {
            for _ in contest.alternatives[index].observed.len() as u64..most {
                let cost = (index != 1).then_some(5.0);
                let broken = (index == 0).then_some(2);
                contest.take(index, Observed { cost, beyond: Vec::new(), broken });
            }
        }
        contest.judge(&rule);
    }
    let out: Vec<Option<Out>> = contest.alternatives.iter().map(|it| it.out).collect();
    assert_eq!(out, [Some(Out::Broken(2)), Some(Out::Missing), None, Some(Out::Behind(2))]);
    assert!(contest.is_sure(&rule));
}
