//! Every number of `summary.json` and `pairs.csv`, computed again from `runs.csv` by code that
//! shares nothing with the crate's.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;
use stormglass::experiment::comparison::compare;
use stormglass::experiment::summary::summarise;
use stormglass::report::{columns, comparison, files};

use crate::common::{run_all, shipped};

/// A row of a CSV, by column.
type Row = BTreeMap<String, String>;

fn rows(text: &str) -> Vec<Row> {
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let header = table.headers().unwrap().clone();
    let row = |record: csv::StringRecord| {
        header.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect()
    };
    table.records().map(|record| row(record.unwrap())).collect()
}

fn number(text: &str) -> Option<f64> {
    (!text.is_empty()).then(|| text.parse().expect(text))
}

fn mean(sample: &[f64]) -> f64 {
    sample.iter().sum::<f64>() / sample.len() as f64
}

fn deviation(sample: &[f64]) -> f64 {
    let middle = mean(sample);
    let squares: f64 = sample.iter().map(|value| (value - middle) * (value - middle)).sum();
    (squares / (sample.len() - 1) as f64).sqrt()
}

/// The area of Student's density from 0 to `t`, with x = tan(u) so that the range is finite, by the
/// midpoint rule, and scaled by the area of the whole half.
fn t_area(t: f64, freedom: f64) -> f64 {
    let density = |u: f64| {
        let (x, cosine) = (libm::tan(u), libm::cos(u));
        libm::pow(1.0 + x * x / freedom, -(freedom + 1.0) / 2.0) / (cosine * cosine)
    };
    let up_to = |end: f64| {
        let width = end / 3_000.0;
        (0..3_000).map(|i| density((f64::from(i) + 0.5) * width) * width).sum::<f64>()
    };
    up_to(libm::atan(t)) / up_to(std::f64::consts::FRAC_PI_2) / 2.0
}

/// The t with 2.5% of the area above it; there are few sizes of samples, so each is found once.
fn t_critical(freedom: f64) -> f64 {
    thread_local! {
        static FOUND: RefCell<BTreeMap<u64, f64>> = const { RefCell::new(BTreeMap::new()) };
    }
    FOUND.with_borrow_mut(|found| *found.entry(freedom as u64).or_insert_with(|| search(freedom)))
}

fn search(freedom: f64) -> f64 {
    let (mut low, mut high) = (0.0, 50.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if t_area(middle, freedom) < 0.475 { low = middle } else { high = middle }
    }
    low
}

const Z: f64 = 1.959_963_984_540_054;

fn wilson(count: f64, of: f64) -> (f64, f64) {
    let p = count / of;
    let centre = (p + Z * Z / 2.0 / of) / (1.0 + Z * Z / of);
    let half = Z / (1.0 + Z * Z / of) * (p * (1.0 - p) / of + Z * Z / 4.0 / of / of).sqrt();
    (centre - half, centre + half)
}

/// Twice the smaller tail of a fair coin.
fn mcnemar(one: u64, other: u64) -> f64 {
    let n = one + other;
    let choose = |k: u64| (0..k).fold(1.0, |c, i| c * (n - i) as f64 / (i + 1) as f64);
    let tail: f64 = (0..=one.min(other)).map(choose).sum::<f64>() / libm::pow(2.0, n as f64);
    (2.0 * tail).min(1.0)
}

/// Newcombe's method 10 for paired proportions.
fn newcombe(both: f64, first: f64, second: f64, neither: f64) -> (f64, f64) {
    let n = both + first + second + neither;
    let ((l1, u1), (l2, u2)) = (wilson(both + first, n), wilson(both + second, n));
    let (p1, p2) = ((both + first) / n, (both + second) / n);
    let margins = (both + first) * (second + neither) * (both + second) * (first + neither);
    let a = both * neither - first * second;
    let a = if a > 0.0 { (a - n / 2.0).max(0.0) } else { a };
    let phi = if margins > 0.0 { a / margins.sqrt() } else { 0.0 };
    let reach = |x: f64, y: f64| (x * x - 2.0 * phi * x * y + y * y).sqrt();
    (p1 - p2 - reach(p1 - l1, u2 - p2), p1 - p2 + reach(u1 - p1, p2 - l2))
}

fn holm(p_values: &[f64]) -> Vec<f64> {
    let count = |i: usize, p: f64| {
        let smaller = |j: usize| p_values[j] < p || (p_values[j] == p && j < i);
        (0..p_values.len()).filter(|&j| smaller(j)).count()
    };
    let times = |i: usize| (p_values.len() - count(i, p_values[i])) as f64 * p_values[i];
    let up_to = |i: usize| {
        let before = |j: &usize| count(*j, p_values[*j]) <= count(i, p_values[i]);
        (0..p_values.len()).filter(before).map(times).fold(0.0, f64::max)
    };
    (0..p_values.len()).map(|i| up_to(i).min(1.0)).collect()
}

#[track_caller]
fn near(found: f64, expected: f64, what: &str) {
    let scale = expected.abs().max(1e-9);
    assert!((found - expected).abs() <= 1e-6 * scale, "{what}: {found}, expected {expected}");
}

/// The value of a metric in a run, as `docs/results.md` says.
fn value(run: &Row, metric: &str) -> Option<f64> {
    if run["ending"] != "complete" {
        return None;
    }
    let count = |name: String| run[&name].parse::<f64>().unwrap();
    if let Some(name) = metric.strip_suffix("_violated") {
        return Some(f64::from(u8::from(count(format!("{name}_violations")) > 0.0)));
    }
    if let Some(name) = metric.strip_suffix("_per_10000") {
        let exposure = count(format!("{name}_exposure"));
        return (exposure > 0.0).then(|| count(format!("{name}_violations")) / exposure * 1e4);
    }
    match (metric, run["recovered"].as_str()) {
        ("never_recovered", "true") => Some(0.0),
        ("never_recovered", "false") => Some(1.0),
        ("never_recovered", _) => None,
        _ => number(&run[metric]),
    }
}

struct Written {
    runs: Vec<Row>,
    pairs: Vec<Row>,
    summary: Value,
}

impl Written {
    fn of_cell<'a>(&'a self, arm: &str, point: &str) -> Vec<&'a Row> {
        self.runs.iter().filter(|run| run["arm"] == arm && run["point"] == point).collect()
    }
}

fn written() -> Written {
    let campaign = shipped("payment-brownout", |text| {
        text.replace("arrivals = \"103s\"", "arrivals = \"8s\"")
            .replace("at = \"30s\"", "at = \"2s\"")
            .replace("for = \"20s\"", "for = \"3s\"")
            .replace("seeds = \"1..31\"", "seeds = \"1..6\"")
    });
    assert_eq!(campaign.seeds.len(), 5);
    let results = run_all(&campaign);
    let compared = compare(&campaign, &results);
    let summary = files::summary_json(&campaign, &summarise(&campaign, &results), &compared);
    Written {
        runs: rows(&files::runs_csv(&campaign, &results)),
        pairs: rows(&columns::csv(&comparison::pairs(&campaign, &compared.pairs))),
        summary: serde_json::from_str(&summary).unwrap(),
    }
}

#[test]
fn every_number_can_be_computed_again_from_the_runs() {
    let written = written();
    summaries(&written);
    let amounts = written.pairs.iter().filter(|pair| pair["method"] == "paired t");
    assert!(amounts.map(|pair| check_amount(&written, pair)).count() > 100);
    let events = written.pairs.iter().filter(|pair| pair["method"] == "mcnemar");
    assert!(events.map(|pair| check_event(&written, pair)).count() > 20);
    corrections(&written);
}

fn summaries(written: &Written) {
    let cells = written.summary["cells"].as_array().unwrap();
    for cell in cells {
        let runs = written.of_cell(cell["arm"].as_str().unwrap(), cell["point"].as_str().unwrap());
        assert_eq!(cell["runs"], runs.len());
        for (name, estimate) in cell["metrics"].as_object().unwrap() {
            let sample: Vec<f64> = runs.iter().filter_map(|run| number(&run[name])).collect();
            check_estimate(estimate, &sample, name);
        }
        let never = runs.iter().filter(|run| run["recovered"] == "false").count();
        let judged = runs.iter().filter(|run| !run["recovered"].is_empty()).count();
        let share = &cell["never_recovered"];
        assert_eq!((&share["count"], &share["of"]), (&never.into(), &judged.into()));
        let (low, high) = wilson(never as f64, judged as f64);
        near(share["low"].as_f64().unwrap() + 1.0, low.max(0.0) + 1.0, "Wilson");
        near(share["high"].as_f64().unwrap(), high.min(1.0), "Wilson");
    }
}

fn check_estimate(estimate: &Value, sample: &[f64], name: &str) {
    assert_eq!(estimate["n"], sample.len(), "{name}");
    near(estimate["mean"].as_f64().unwrap(), mean(sample), name);
    if sample.len() > 1 {
        let freedom = (sample.len() - 1) as f64;
        let half = t_critical(freedom) * deviation(sample) / (sample.len() as f64).sqrt();
        let scale = mean(sample).abs().max(half).max(1e-9);
        let low = estimate["low"].as_f64().unwrap();
        assert!((low - (mean(sample) - half)).abs() < 1e-6 * scale, "{name}");
    }
}

/// The values of both arms under the seeds where both have one.
fn both(written: &Written, pair: &Row) -> (Vec<f64>, Vec<f64>) {
    let values = |arm: &str| -> Vec<Option<f64>> {
        let runs = written.of_cell(arm, &pair["point"]);
        runs.iter().map(|run| value(run, &pair["metric"])).collect()
    };
    let (arm, baseline) = (values(&pair["arm"]), values(&pair["baseline"]));
    let whole = arm.iter().zip(&baseline).filter_map(|(a, b)| Some(((*a)?, (*b)?)));
    let (arm, baseline): (Vec<f64>, Vec<f64>) = whole.unzip();
    assert_eq!(pair["pairs"], arm.len().to_string());
    (arm, baseline)
}

fn check_amount(written: &Written, pair: &Row) {
    let name = &pair["metric"];
    let (arm, baseline) = both(written, pair);
    if arm.len() < 2 {
        assert_eq!(pair["low"], "");
        return;
    }
    let differences: Vec<f64> = arm.iter().zip(&baseline).map(|(a, b)| a - b).collect();
    let (middle, sd) = (mean(&differences), deviation(&differences));
    let scale = mean(&arm).abs().max(mean(&baseline).abs()).max(1e-9);
    let close = |column: &str, expected: f64| {
        let found = number(&pair[column]).unwrap_or_else(|| panic!("{name}: no {column}"));
        assert!((found - expected).abs() <= 1e-6 * scale, "{name} {column}: {found}, {expected}");
    };
    close("mean", mean(&arm));
    close("difference", middle);
    let freedom = (differences.len() - 1) as f64;
    let error = sd / (differences.len() as f64).sqrt();
    close("low", middle - t_critical(freedom) * error);
    close("high", middle + t_critical(freedom) * error);
    if sd > 1e-9 * scale {
        near(number(&pair["effect_size"]).unwrap(), middle / sd, "effect size");
        let p = 1.0 - 2.0 * t_area((middle / error).abs(), freedom);
        assert!((number(&pair["p"]).unwrap() - p).abs() < 1e-5, "{name}");
    }
    if let Some(ratio) = number(&pair["ratio"]) {
        near(ratio, mean(&arm) / mean(&baseline), "ratio");
    }
    if pair["role"] == "primary" && sd > 1e-9 * scale {
        // Another random stream: resampled ends agree to a tenth of the interval's width.
        let (low, high) = percentile_bootstrap(&differences);
        let width = high - low;
        let found =
            (number(&pair["bootstrap_low"]).unwrap(), number(&pair["bootstrap_high"]).unwrap());
        assert!((found.0 - low).abs() < 0.5 * width && (found.1 - high).abs() < 0.5 * width);
    }
}

/// Resampled means by a random number generator of its own; without BCa's corrections, so it is a
/// check of size and place only.
fn percentile_bootstrap(sample: &[f64]) -> (f64, f64) {
    let mut state: u64 = 88_172_645_463_325_252;
    let mut pick = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        sample[(state % sample.len() as u64) as usize]
    };
    let mut means: Vec<f64> =
        (0..4_000).map(|_| mean(&(0..sample.len()).map(|_| pick()).collect::<Vec<_>>())).collect();
    means.sort_by(f64::total_cmp);
    (means[100], means[3_899])
}

fn check_event(written: &Written, pair: &Row) {
    let name = &pair["metric"];
    let (arm, baseline) = both(written, pair);
    if arm.is_empty() {
        return;
    }
    let count = |a: f64, b: f64| {
        arm.iter().zip(&baseline).filter(|(x, y)| (**x, **y) == (a, b)).count() as u64
    };
    let [both, first, second, neither] =
        [count(1.0, 1.0), count(1.0, 0.0), count(0.0, 1.0), count(0.0, 0.0)];
    let (low, high) = newcombe(both as f64, first as f64, second as f64, neither as f64);
    let found = |column: &str| number(&pair[column]).unwrap();
    assert!((found("difference") - (mean(&arm) - mean(&baseline))).abs() < 1e-9, "{name}");
    assert!((found("low") - low.max(-1.0)).abs() < 1e-6, "{name}");
    assert!((found("high") - high.min(1.0)).abs() < 1e-6, "{name}");
    assert!((found("p") - mcnemar(first, second)).abs() < 1e-9, "{name}");
}

fn corrections(written: &Written) {
    let primary: Vec<&Row> =
        written.pairs.iter().filter(|pair| pair["role"] == "primary").collect();
    let p_values: Vec<f64> = primary.iter().map(|pair| number(&pair["p"]).unwrap_or(1.0)).collect();
    for (pair, expected) in primary.iter().zip(holm(&p_values)) {
        if let Some(found) = number(&pair["p_holm"]) {
            assert!((found - expected).abs() < 1e-9, "{}: {found}, {expected}", pair["metric"]);
        }
    }
    assert!(primary.len() > 20);
    let listed = written.summary["comparison"]["pairs"].as_array().unwrap();
    assert_eq!(listed.len(), primary.len());
    for (pair, listed) in primary.iter().zip(listed) {
        assert_eq!(listed["verdict"], pair["verdict"].as_str());
        for column in ["difference", "p_holm"] {
            // Reading JSON may round the last bit.
            let (json, csv) = (listed[column].as_f64(), number(&pair[column]));
            assert_eq!(json.is_some(), csv.is_some(), "{column}");
            near(json.unwrap_or(0.0), csv.unwrap_or(0.0), column);
        }
    }
}
