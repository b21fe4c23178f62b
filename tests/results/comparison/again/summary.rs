//! `summary.json`, again.

use serde_json::Value;

use super::statistics::{bounded, exact, is_share, mean, mean_interval, near, number, wilson};
use super::{Row, Written, collapsed, value};

pub(super) fn check(written: &Written) {
    for cell in written.cells() {
        let runs = written.of(cell);
        assert_eq!(cell["runs"], runs.len());
        assert_eq!(cell["unknown"], runs.iter().filter(|run| run["ending"] != "complete").count());
        assert_eq!(cell["requests"], total(&runs, "requests"));
        metrics(&cell["metrics"], &runs);
        let judged = |is: &str| runs.iter().filter(|run| run["recovered"] == is).count();
        let (never, after) = (judged("false"), judged("true"));
        share(&cell["never_recovered"], never, never + after);
        labels(cell, &runs);
        modes(written, cell, &runs);
        faults(written, cell);
        invariants(&cell["invariants"], &runs);
        expectations(&cell["expectations"], &runs);
    }
    precision(written);
    front(written);
}

fn total(runs: &[&Row], column: &str) -> u64 {
    runs.iter().map(|run| run[column].parse::<u64>().unwrap()).sum()
}

fn sample(runs: &[&Row], column: &str) -> Vec<f64> {
    runs.iter().filter_map(|run| number(&run[column])).collect()
}

/// Every metric of which any run has a value, and no other.
fn metrics(found: &Value, runs: &[&Row]) {
    let found = found.as_object().unwrap();
    // Percentiles are those of all runs together, which no file has.
    for (name, found) in found.iter().filter(|(name, _)| !is_percentile(name)) {
        estimate(found, &sample(runs, name), name);
    }
    for name in ["amplification", "goodput_after_per_s", "latency_mean_ms", "recovery_s"] {
        assert_eq!(found.contains_key(name), !sample(runs, name).is_empty(), "{name}");
    }
}

fn is_percentile(name: &str) -> bool {
    ["_p50_", "_p99_", "_p999_"].iter().any(|part| name.contains(part))
}

fn estimate(found: &Value, sample: &[f64], name: &str) {
    averaged(found, sample, bounded(sample, is_share(name), 0.0), name);
}

/// A mean, the values that it is of, and its interval.
fn averaged(found: &Value, sample: &[f64], interval: Option<(f64, f64)>, name: &str) {
    assert_eq!(found["n"], sample.len(), "{name}");
    near(found["mean"].as_f64().unwrap(), mean(sample), name);
    let end = |of: fn(f64, f64) -> f64| sample.iter().copied().reduce(of).unwrap();
    near(found["least"].as_f64().unwrap(), end(f64::min), name);
    near(found["greatest"].as_f64().unwrap(), end(f64::max), name);
    match interval {
        Some(interval) => ends(found, interval, name),
        None => assert!(found["low"].is_null() && found["high"].is_null(), "{name}: {found}"),
    }
}

fn ends(found: &Value, (low, high): (f64, f64), name: &str) {
    let scale = low.abs().max(high.abs()).max(1e-9);
    for (end, expected) in [("low", low), ("high", high)] {
        let found = found[end].as_f64().unwrap();
        assert!((found - expected).abs() < 1e-6 * scale, "{name} {end}: {found}, {expected}");
    }
}

fn share(found: &Value, count: usize, of: usize) {
    if of == 0 {
        assert!(found.is_null(), "{found}");
        return;
    }
    assert_eq!((&found["count"], &found["of"]), (&count.into(), &of.into()));
    let (low, high) = wilson(count as f64, of as f64);
    ends(found, (low.max(0.0), high.min(1.0)), "Wilson");
}

fn labels(cell: &Value, runs: &[&Row]) {
    let listed = cell["labels"].as_array().unwrap();
    let labelled = runs.iter().filter(|run| !run["label"].is_empty()).count();
    assert_eq!(listed.len(), if labelled > 0 { 4 } else { 0 });
    for found in listed {
        let count = runs.iter().filter(|run| found["label"] == run["label"].as_str()).count();
        share(&found["runs"], count, labelled);
    }
    let rule = &cell["metastability"];
    let drains = sample(runs, "drain_s");
    if !drains.is_empty() {
        let longest = drains.iter().copied().fold(0.0, f64::max);
        near(rule["longest_drain_s"].as_f64().unwrap(), longest, "drain");
        let horizon = rule["horizon_s"].as_f64().unwrap();
        let short = drains.iter().filter(|drain| **drain * 10.0 > horizon).count();
        assert_eq!(rule["runs_with_short_horizon"], short);
    }
}

fn modes(written: &Written, cell: &Value, runs: &[&Row]) {
    let of = |is: bool| runs.iter().filter(|run| collapsed(run) == Some(is)).count();
    share(&cell["collapsed"], of(true), of(true) + of(false));
    match written.modes(cell) {
        None => assert!(cell["modes"].is_null()),
        Some([yes, no]) => {
            metrics(&cell["modes"]["metrics_if_collapsed"], &yes);
            metrics(&cell["modes"]["metrics_if_not"], &no);
        }
    }
}

fn faults(written: &Written, cell: &Value) {
    let rows = || {
        let is_its = |row: &&Row| cell["arm"] == row["arm"].as_str();
        written.faults.iter().filter(is_its).filter(|row| cell["point"] == row["point"].as_str())
    };
    for found in cell["faults"].as_array().unwrap() {
        let is_it = |row: &&Row| match found["fault"].as_u64() {
            Some(number) => row["fault"] == number.to_string() && row["drawn"].is_empty(),
            None => found["kind"] == row["kind"].as_str() && !row["drawn"].is_empty(),
        };
        let fired = |row: &Row| row["fired"].parse::<u64>().unwrap();
        assert_eq!(found["fired"], rows().filter(is_it).map(fired).sum::<u64>());
        let mut seeds: Vec<&str> = rows()
            .filter(is_it)
            .filter(|row| fired(row) > 0)
            .map(|row| row["seed"].as_str())
            .collect();
        seeds.dedup();
        assert_eq!(found["runs_fired"], seeds.len());
    }
    for run in written.of(cell) {
        let of_run = rows().filter(|row| row["seed"] == run["seed"]);
        let fired: u64 = of_run.map(|row| row["fired"].parse::<u64>().unwrap()).sum();
        assert_eq!(run["fault_fired"], fired.to_string());
    }
}

fn invariants(found: &Value, runs: &[&Row]) {
    for found in found.as_array().unwrap() {
        let name = found["name"].as_str().unwrap();
        let column = |what: &str| format!("{name}_{what}");
        let violations = total(runs, &column("violations"));
        let exposure = total(runs, &column("exposure"));
        assert_eq!(
            (&found["violations"], &found["exposure"]),
            (&violations.into(), &exposure.into())
        );
        let exposed: Vec<&Row> =
            runs.iter().filter(|run| run[&column("exposure")] != "0").copied().collect();
        let broken = exposed.iter().filter(|run| run[&column("violations")] != "0").count();
        if exposed.is_empty() {
            assert!(found["per_run"].is_null() && found["per_10000"].is_null());
            assert!(found["runs_with_violation"].is_null());
            continue;
        }
        let share = &found["runs_with_violation"];
        assert_eq!((&share["count"], &share["of"]), (&broken.into(), &exposed.len().into()));
        ends(share, exact(broken, exposed.len()), "runs with a violation");
        let counts = sample(&exposed, &column("violations"));
        let of = sample(&exposed, &column("exposure"));
        let rates: Vec<f64> = counts.iter().zip(&of).map(|(count, of)| count / of * 1e4).collect();
        // If every operation broke the promise by chance alone, the counts would vary as much.
        let chance = |scale: &dyn Fn(f64) -> f64| {
            let variance = |(count, of): (&f64, &f64)| {
                count * (1.0 - count / (of + 1.0)).max(0.0) * scale(*of) * scale(*of)
            };
            counts.iter().zip(&of).map(variance).sum::<f64>().sqrt() / counts.len() as f64
        };
        for (key, sample, least) in
            [("per_run", &counts, chance(&|_| 1.0)), ("per_10000", &rates, chance(&|of| 1e4 / of))]
        {
            let interval = bounded(sample, false, least).filter(|_| violations > 0);
            let of_all = key == "per_10000" && sample.iter().all(|rate| *rate <= 1e4);
            let interval =
                interval.map(|(low, high)| (low, if of_all { high.min(1e4) } else { high }));
            averaged(&found[key], sample, interval, name);
        }
    }
}

fn expectations(found: &Value, runs: &[&Row]) {
    for found in found.as_array().unwrap() {
        let words: Vec<&str> = found["expected"].as_str().unwrap().split(' ').collect();
        let column = format!("expect_{}", words[0]);
        let count = |is: &str| runs.iter().filter(|run| run[&column] == is).count();
        assert_eq!(
            (&found["met"], &found["unmet"]),
            (&count("met").into(), &count("unmet").into())
        );
        for run in runs.iter().filter(|run| !run[&column].is_empty()) {
            let is_met = match words[..] {
                ["amplification", "<=", bound] => {
                    number(&run["amplification"]).unwrap() <= bound.parse().unwrap()
                }
                ["success_ratio", ">=", bound] => {
                    let bound = bound.strip_suffix('%').unwrap().parse::<f64>().unwrap();
                    number(&run["success_ratio"]).unwrap() >= bound / 100.0
                }
                ["recovers", "within", bound] => {
                    let bound = bound.strip_suffix('s').unwrap().parse::<f64>().unwrap();
                    number(&run["recovery_s"]).is_some_and(|recovery| recovery <= bound)
                }
                _ => panic!("no such expectation: {words:?}"),
            };
            assert_eq!(run[&column] == "met", is_met, "{words:?}");
        }
    }
}

fn is_event(metric: &str) -> bool {
    metric.ends_with("_violated") || metric.ends_with("never_recovered") || metric == "metastable"
}

fn precision(written: &Written) {
    let found = &written.summary["comparison"]["precision"];
    if found.is_null() {
        return;
    }
    let bound = |key: &str| found[key].as_f64().unwrap();
    let mut missed = Vec::new();
    let primary = written.summary["comparison"]["primary"].as_array().unwrap();
    let baseline = &written.summary["comparison"]["baseline"];
    for cell in written.cells() {
        for metric in primary.iter().map(|metric| metric.as_str().unwrap()) {
            let is_share = is_event(metric) || metric.ends_with("_ratio");
            let mut look = |against: Value, (means, low, high): ([f64; 2], f64, f64)| {
                let larger = means[0].abs().max(means[1].abs());
                let most = if is_share { bound("shares") } else { bound("amounts") * larger };
                let half = (high - low) / 2.0;
                if half > most {
                    missed.push((cell["arm"].clone(), against, metric.to_owned(), half));
                }
            };
            let runs = written.of(cell);
            let sample: Vec<f64> = runs.iter().filter_map(|run| value(run, metric)).collect();
            if sample.is_empty() {
                continue;
            }
            let (middle, low, high) = match is_event(metric) {
                true => {
                    let (low, high) = wilson(sample.iter().sum(), sample.len() as f64);
                    (mean(&sample), low.max(0.0), high.min(1.0))
                }
                false => mean_interval(&sample),
            };
            look(Value::Null, ([middle, middle], low, high));
            let is_it =
                |pair: &&Row| cell["arm"] == pair["arm"].as_str() && pair["metric"] == metric;
            if let Some(pair) = written.pairs.iter().find(is_it) {
                let of = |column: &str| number(&pair[column]).unwrap();
                let means = [of("mean"), of("baseline_mean")];
                look(baseline.clone(), (means, of("low"), of("high")));
            }
        }
    }
    let listed = found["missed"].as_array().unwrap();
    assert_eq!(listed.len(), missed.len(), "{listed:?} {missed:?}");
    assert_eq!(found["reached"], missed.is_empty());
    assert_eq!(found["seeds"], written.of(&written.cells()[0]).len());
    for (found, (arm, against, metric, half)) in listed.iter().zip(missed) {
        assert_eq!((&found["arm"], &found["metric"]), (&arm, &metric.as_str().into()));
        assert_eq!(found["against"], against);
        near(found["half_width"].as_f64().unwrap(), half, &metric);
    }
}

/// The front of amplification, of which less is better, and success, of which more is.
fn front(written: &Written) {
    let found = &written.summary["comparison"]["front"];
    if found.is_null() {
        return;
    }
    assert_eq!(found["order"], serde_json::json!(["amplification", "success_ratio"]));
    let values: Vec<[Vec<f64>; 2]> = written
        .cells()
        .iter()
        .map(|cell| {
            let of = |metric: &str, sign: f64| {
                let runs = written.of(cell);
                runs.iter().map(|run| value(run, metric).unwrap() * sign).collect()
            };
            [of("amplification", -1.0), of("success_ratio", 1.0)]
        })
        .collect();
    let beats = |rival: &[Vec<f64>; 2], arm: &[Vec<f64>; 2]| {
        let difference = |metric: usize| {
            let pairs = rival[metric].iter().zip(&arm[metric]);
            mean_interval(&pairs.map(|(a, b)| a - b).collect::<Vec<_>>())
        };
        let [first, second] = [0, 1].map(difference);
        first.0 >= 0.0 && second.0 >= 0.0 && (first.1 > 0.0 || second.1 > 0.0)
    };
    for (place, own) in found["places"].as_array().unwrap().iter().zip(&values) {
        for (metric, sign) in [(0, -1.0), (1, 1.0)] {
            near(place["means"][metric].as_f64().unwrap() * sign, mean(&own[metric]), "front");
            let better = |other: &&[Vec<f64>; 2]| mean(&other[metric]) > mean(&own[metric]);
            assert_eq!(place["ranks"][metric], values.iter().filter(better).count() + 1);
        }
        let rival = values.iter().position(|rival| beats(rival, own));
        let name = rival.map_or(Value::Null, |rival| written.cells()[rival]["arm"].clone());
        assert_eq!(place["dominated_by"], name);
    }
}
