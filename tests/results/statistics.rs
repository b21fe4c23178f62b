//! The statistics against reference values, laws that hold for every input, and coverage.
//!
//! Every row of `tests/data/stats_vectors.csv` is computed and compared. A row names its test;
//! where a name ends in a level (`wilson95`, `t_ppf_0.975`, `min_n_for_two_sided_95ci_of_p99`), the
//! level is read from the name. A name that is not known here is a failure.

use std::cell::RefCell;

use proptest::prelude::*;
use serde_json::{Value, json};
use stormglass::kernel::draw::{Draws, Purpose};
use stormglass::statistics::bootstrap;
use stormglass::statistics::distribution;
use stormglass::statistics::interval;
use stormglass::statistics::multiplicity;
use stormglass::statistics::paired;
use stormglass::statistics::paired_proportion;
use stormglass::statistics::proportion;
use stormglass::statistics::quantile::{Sorted, least_n_for_quantile, rank_interval};
use stormglass::statistics::rare;
use stormglass::statistics::selection;
use stormglass::statistics::steady_state;
use stormglass::statistics::{Error, Estimate, Interval};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/stats_vectors.csv");

/// The file prints 12 significant digits: a unit of the last one is at most 1e-11 of the value.
const RELATIVE: f64 = 1e-11;

#[test]
fn every_row_of_the_reference_values_is_met() {
    let mut rows = csv::Reader::from_path(VECTORS).unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for row in rows.records() {
        let row = row.unwrap();
        let input: Value = serde_json::from_str(&row[1]).unwrap();
        let expected: Value = serde_json::from_str(&row[2]).unwrap();
        match compute(&row[0], &input) {
            Some(found) if agree(&found, &expected) => {}
            found => wrong.push(format!("{} {input}: {found:?}, not {expected}", &row[0])),
        }
        count += 1;
    }
    assert!(count > 0, "the file has no rows");
    assert!(wrong.is_empty(), "{} of {count} rows:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_row_with_an_unknown_name_is_not_met() {
    assert!(compute("median_of_means", &json!([1.0, 2.0])).is_none());
    assert!(compute("MSER5", &json!("another series")).is_none());
    assert!(!agree(&json!(0.100_000_000_01), &json!(0.1)));
    assert!(!agree(&json!(386), &json!(385)));
    assert!(!agree(&json!([1.0]), &json!([1.0, 2.0])));
}

/// Equal structure; whole numbers equal, others to the digits printed.
fn agree(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| agree(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && b.iter().all(|(key, b)| a.get(key).is_some_and(|a| agree(a, b)))
        }
        (Value::Number(a), Value::Number(b)) if a.is_u64() => a == b,
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= RELATIVE * b.abs()
        }
        _ => found == expected,
    }
}

/// What the library answers to a row, in the shape of its `output`.
fn compute(test: &str, input: &Value) -> Option<Value> {
    if let Some(level) = test.strip_prefix("t_ppf_") {
        return some(distribution::t_quantile(level.parse().ok()?, input.as_f64()?));
    }
    if let Some(percent) = test.strip_prefix("min_n_for_two_sided_95ci_of_p") {
        return some(least_n_for_quantile(percent.parse::<f64>().ok()? / 100.0, 0.95));
    }
    let list = numbers(input);
    let count = |index: usize| list.get(index).map(|value| *value as u64);
    let samples = |index: usize| input.get(index).map(numbers);
    Some(match test {
        "normal_ppf" => json!(distribution::normal_quantile(input.as_f64()?).ok()?),
        "wilson95" => ends(proportion::wilson(count(0)?, count(1)?, 0.95))?,
        "clopper_pearson95" => ends(proportion::clopper_pearson(count(0)?, count(1)?, 0.95))?,
        "zero_events_upper95_exact" => some(rare::zero_events_upper(input.as_u64()?, 0.95))?,
        "mcnemar_exact_two_sided" => {
            json!(paired_proportion::mcnemar_exact(count(0)?, count(1)?))
        }
        "holm_adjusted" => some(multiplicity::holm(&list))?,
        "quantile_ci_ranks_1based" => {
            let ranks = rank_interval(count(0)?, *list.get(1)?, 0.95).ok()?;
            json!([ranks.low, ranks.high, ranks.coverage])
        }
        "quantile_type7" => at_each(input, Sorted::type7)?,
        "paired_t" => paired_t(&samples(0)?, &samples(1)?)?,
        "MSER5" => mser5(input.as_str()?)?,
        _ => return compute_plan(test, input),
    })
}

/// What the library answers to a row about how much to run.
fn compute_plan(test: &str, input: &Value) -> Option<Value> {
    let field = |name: &str| input.get(name).and_then(Value::as_f64);
    Some(match test {
        "KN_eta_h2" => {
            let (arms, stage) = (field("k")? as u64, field("n0")? as u64);
            let found = selection::kim_nelson(arms, stage, field("alpha")?).ok()?;
            json!([found.eta, found.h_squared])
        }
        "OCBA_allocation" => {
            let (means, deviations) = (numbers(input.get("mean")?), numbers(input.get("sd")?));
            let best = input.get("best")?.as_str()?.split_once('=')?.1.parse().ok()?;
            some(selection::ocba(&means, &deviations, best, field("budget")?))?
        }
        "bootstrap_note" => json!(format!(
            "percentile/BCa on replication-level paired differences, B={}, own RNG stream",
            bootstrap::RESAMPLES
        )),
        _ => return None,
    })
}

fn some(result: Result<impl serde::Serialize, Error>) -> Option<Value> {
    result.ok().map(|value| json!(value))
}

fn ends(estimate: Result<Estimate, Error>) -> Option<Value> {
    estimate.ok().map(|found| json!([found.interval.low, found.interval.high]))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

fn at_each(input: &Value, quantile: fn(&Sorted, f64) -> Result<f64, Error>) -> Option<Value> {
    let sorted = Sorted::new(&numbers(input.get(0)?)).ok()?;
    let levels = numbers(input.get(1)?);
    some(levels.into_iter().map(|p| quantile(&sorted, p)).collect::<Result<Vec<f64>, Error>>())
}

fn paired_t(first: &[f64], second: &[f64]) -> Option<Value> {
    let found = paired::paired_t(first, second, 0.95).ok()?;
    Some(json!({
        "mean_diff": found.difference.mean,
        "sd_diff": found.sd,
        "t": found.t,
        "p": found.p,
        "ci95": [found.difference.interval.low, found.difference.interval.high],
        "cohen_dz": found.effect_size,
    }))
}

/// The numbers in a sentence and the sentence with `#` for each of them.
fn parse_sentence(sentence: &str) -> (Vec<f64>, String) {
    let mut values = Vec::new();
    let mut pattern = String::new();
    let mut digits = String::new();
    for letter in sentence.chars().chain(std::iter::once('\n')) {
        let fraction = letter == '.' && !digits.is_empty() && !digits.contains('.');
        if letter.is_ascii_digit() || fraction {
            digits.push(letter);
            continue;
        }
        if !digits.is_empty() {
            let range = digits.ends_with('.');
            values.push(digits.trim_end_matches('.').parse().unwrap());
            pattern.push_str(if range { "#." } else { "#" });
            digits.clear();
        }
        pattern.push(letter);
    }
    (values, pattern.trim_end().to_string())
}

const SERIES: &str = "y_i=10+20exp(-i/50)+4*(s_i-0.5), i=0..999, s: LCG s=(1103515245 s+12345) \
                      mod 2^31, seed 12345, s_i=s/2^31";

/// The series that a sentence like [`SERIES`] describes, with its own numbers.
fn series(sentence: &str) -> Option<Vec<f64>> {
    let (values, pattern) = parse_sentence(sentence);
    if pattern != parse_sentence(SERIES).1 {
        return None;
    }
    let [level, start, decay, width, centre, from, to, multiplier, increment, ..] = values[..]
    else {
        return None;
    };
    let modulus = 1_u64 << values[10] as u32;
    let mut state = values[11] as u64;
    let draws = (from as u32..=to as u32).map(|i| {
        state = (multiplier as u64 * state + increment as u64) % modulus;
        let noise = width * (state as f64 / modulus as f64 - centre);
        level + start * libm::exp(-f64::from(i) / decay) + noise
    });
    Some(draws.collect())
}

fn mser5(sentence: &str) -> Option<Value> {
    let found = steady_state::mser5(&series(sentence)?).ok()?;
    Some(json!({
        "truncate_obs": found.truncate,
        "mean_after": found.mean_after,
        "mser_value": found.criterion,
        "mean_untruncated": found.mean_all,
    }))
}

fn sample(least: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-1e6..1e6, least..40)
}

fn pairs(least: usize) -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    prop::collection::vec((-1e3..1e3, -1e3..1e3), least..40)
        .prop_map(|pairs| pairs.into_iter().unzip())
}

fn trials() -> impl Strategy<Value = (u64, u64)> {
    (1_u64..5_000).prop_flat_map(|n| (0..=n, Just(n)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn proportions_lie_in_their_intervals((x, n) in trials(), confidence in 0.5..0.999) {
        for method in [proportion::wilson, proportion::clopper_pearson] {
            let found = method(x, n, confidence).unwrap();
            prop_assert!(found.interval.contains(found.mean), "{:?}", found);
            prop_assert!(found.interval.low >= 0.0 && found.interval.high <= 1.0);
            let wider = method(x, n, 0.9995).unwrap().interval;
            prop_assert!(wider.low <= found.interval.low && wider.high >= found.interval.high);
        }
    }

    #[test]
    fn more_successes_move_both_ends_up((x, n) in trials()) {
        for method in [proportion::wilson, proportion::clopper_pearson] {
            let less = method(x, n + 1, 0.95).unwrap();
            let more = method(x + 1, n + 1, 0.95).unwrap();
            prop_assert!(less.interval.low < more.interval.low || x == n);
            prop_assert!(less.interval.high < more.interval.high || x == n);
            let mirrored = method(n + 1 - x, n + 1, 0.95).unwrap().interval;
            prop_assert!((less.interval.low - (1.0 - mirrored.high)).abs() < 1e-12);
        }
    }

    #[test]
    fn holm_lies_between_the_raw_values_and_bonferroni(
        p in prop::collection::vec(0.0..=1.0, 0..12),
    ) {
        let holm = multiplicity::holm(&p).unwrap();
        for i in 0..p.len() {
            let bonferroni = (p[i] * p.len() as f64).min(1.0);
            prop_assert!(p[i] <= holm[i] && holm[i] <= bonferroni);
            for j in 0..p.len() {
                prop_assert!(p[i] > p[j] || holm[i] <= holm[j]);
            }
        }
    }

    #[test]
    fn quantiles_stay_inside_and_rise(
        values in sample(1),
        p in 0.001..0.999_f64,
        q in 0.001..0.999_f64,
    ) {
        let sorted = Sorted::new(&values).unwrap();
        let (least, most) = (sorted.values()[0], sorted.values()[values.len() - 1]);
        let (a, b) = (sorted.type7(p.min(q)).unwrap(), sorted.type7(p.max(q)).unwrap());
        prop_assert!(least <= a && a <= b + 1e-9 * most.abs() && b <= most);
        let bounds = sorted.quantile_interval(p, 0.95).unwrap();
        let rank = (p * values.len() as f64).ceil() as usize;
        prop_assert!(bounds.contains(sorted.values()[rank - 1]));
    }

    #[test]
    fn ranks_cover_at_least_what_they_promise(n in 1_u64..3_000, p in 0.001..0.999) {
        let ranks = rank_interval(n, p, 0.95).unwrap();
        prop_assert!(ranks.low < ranks.high && ranks.high <= n + 1);
        prop_assert!(ranks.coverage >= 0.95 - 1e-12 && ranks.coverage <= 1.0);
    }

    #[test]
    fn an_arm_against_itself_differs_by_exactly_nothing(values in sample(2)) {
        let nothing = Interval { low: 0.0, high: 0.0 };
        let found = paired::paired_t(&values, &values, 0.95).unwrap();
        prop_assert_eq!((found.difference.mean, found.difference.interval), (0.0, nothing));
        prop_assert_eq!((found.t, found.p, found.effect_size, found.sd), (0.0, 1.0, 0.0, 0.0));
    }

    #[test]
    fn exchanged_arms_mirror_the_answer((a, b) in pairs(2)) {
        let (there, back) =
            (paired::paired_t(&a, &b, 0.95).unwrap(), paired::paired_t(&b, &a, 0.95).unwrap());
        prop_assert_eq!(there.difference.interval.low, -back.difference.interval.high);
        prop_assert_eq!(there.p, back.p);
        let sure = there.p < 0.05 - 1e-9;
        prop_assert!(!sure || !there.difference.interval.contains(0.0));
        prop_assert!(there.p < 0.05 + 1e-9 || there.difference.interval.contains(0.0));
    }

    #[test]
    fn a_scaled_arm_has_that_ratio(values in prop::collection::vec(1.0..1e3, 1..40), k in -9..9) {
        let scaled: Vec<f64> = values.iter().map(|value| value * f64::from(k)).collect();
        let ratio = paired::ratio_of_means(&scaled, &values).unwrap();
        prop_assert!((ratio - f64::from(k)).abs() < 1e-9);
    }

    #[test]
    fn paired_proportions_are_narrower_when_they_agree(n in 10_u64..500, x in 1_u64..9) {
        let agree = paired_proportion::PairedCounts { both: x, neither: n, ..Default::default() };
        let found = paired_proportion::newcombe_paired(agree, 0.95).unwrap();
        // No wider than for independent proportions of the same size, each with Wilson's interval.
        let one = proportion::wilson(x, n + x, 0.95).unwrap();
        let (below, above) = (one.mean - one.interval.low, one.interval.high - one.mean);
        prop_assert_eq!(found.mean, 0.0);
        prop_assert!(found.interval.contains(0.0));
        prop_assert!(found.interval.half_width() <= (below * below + above * above).sqrt());
    }

    #[test]
    fn p_values_are_probabilities(b in 0_u64..2_000, c in 0_u64..2_000) {
        let p = paired_proportion::mcnemar_exact(b, c);
        prop_assert!((0.0..=1.0).contains(&p));
        prop_assert_eq!(p, paired_proportion::mcnemar_exact(c, b));
        prop_assert!(b != c || p == 1.0);
    }
}

/// The share of trials whose interval holds the truth; 0.95 of 4,000 has standard error 0.0034.
fn covered(trials: u64, holds: impl Fn(&dyn Fn(u16) -> f64) -> bool) -> f64 {
    let draws = RefCell::new(Draws::new(2_024));
    let unit =
        |trial, index| draws.borrow_mut().draw(Purpose::Arrival, 0, trial, index).unit_open_zero();
    let hits = (0..trials).filter(|trial| holds(&|index| unit(*trial, index)));
    hits.count() as f64 / trials as f64
}

#[test]
fn t_intervals_cover_the_mean() {
    let share = covered(4_000, |unit| {
        let normal = |index| distribution::normal_quantile(unit(index).min(1.0 - 1e-16)).unwrap();
        let sample: Vec<f64> = (0..10).map(|index| 3.0 + 2.0 * normal(index)).collect();
        interval::mean_interval(&sample, 0.95).unwrap().interval.contains(3.0)
    });
    assert!((share - 0.95).abs() < 0.0105, "{share}");
}

/// The exact coverage at n = 60, p = 0.3 is 0.9420: the sum of the binomial terms whose interval
/// holds p.
#[test]
fn wilson_intervals_cover_the_proportion() {
    let wilson = |x: u64| proportion::wilson(x, 60, 0.95).unwrap().interval.contains(0.3);
    let cdf = |x: u64| distribution::binomial_cdf(x, 60, 0.3).unwrap();
    let term = |x: u64| if x == 0 { cdf(0) } else { cdf(x) - cdf(x - 1) };
    let exact: f64 = (0..=60).filter(|x| wilson(*x)).map(term).sum();
    assert!((0.93..0.97).contains(&exact), "{exact}");
    let share = covered(4_000, |unit| wilson((0..60).filter(|i| unit(*i) <= 0.3).count() as u64));
    assert!((share - exact).abs() < 0.0115, "{share}, not {exact}");
}

/// Skewed pairs, where the t interval is known to be too symmetric.
#[test]
fn bootstrap_intervals_cover_the_mean() {
    let share = covered(300, |unit| {
        let sample: Vec<f64> = (0..30).map(|index| -libm::log(unit(index))).collect();
        let stream = (unit(99) * 1e9) as u64 + 1;
        let source = bootstrap::Source { seed: 7, stream };
        bootstrap::mean(&sample, 0.95, source).unwrap().interval.contains(1.0)
    });
    assert!((0.90..0.98).contains(&share), "{share}");
}
