//! `pairs.csv` and the comparison of `summary.json`, again.

use super::statistics::{
    deviation, holm, is_share, mcnemar, mean, near, newcombe, number, t_area, t_critical,
};
use super::{Row, Written, value};

pub(super) fn check(written: &Written) {
    for pair in &written.pairs {
        match pair["method"].as_str() {
            "paired t" => check_amount(written, pair),
            "mcnemar" => check_event(written, pair),
            "sign-flip" => check_signs(written, pair),
            other => panic!("no such method: {other}"),
        }
    }
    corrections(written);
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
    if arm.len() < 3 {
        assert_eq!((&*pair["low"], &*pair["p"]), ("", ""));
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
    let error = (sd / (differences.len() as f64).sqrt()).max(chance(written, pair));
    let most = if is_share(name) { 1.0 } else { f64::INFINITY };
    close("low", (middle - t_critical(freedom) * error).max(-most));
    close("high", (middle + t_critical(freedom) * error).min(most));
    if sd > 1e-9 * scale {
        near(number(&pair["effect_size"]).unwrap(), middle / sd, "effect size");
        let edge = number(&pair["equivalent_high"]).unwrap();
        let one_sided = |distance: f64| 0.5 - t_area(distance.abs(), freedom) * distance.signum();
        let outside = [edge - middle, edge + middle].map(|it| one_sided(it / error));
        let p = (2.0 * outside[0].max(outside[1])).min(1.0);
        let p = doubted(written, pair, (&arm, &baseline), p);
        match (number(&pair["p_equivalent"]), p) {
            (Some(found), Some(p)) => assert!((found - p).abs() < 1e-5, "{name}: {found}, {p}"),
            (found, p) => assert_eq!(found, p, "{name}"),
        }
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

/// The p-value of equivalence of a share: none where a few pairs differ only and, where all shares
/// are 0 or all are 1, no less than with the spread of the measured requests by chance, two more of
/// each outcome added.
fn doubted(
    written: &Written,
    pair: &Row,
    (arm, baseline): (&[f64], &[f64]),
    p: f64,
) -> Option<f64> {
    if !is_share(&pair["metric"]) {
        return Some(p);
    }
    let differ = arm.iter().zip(baseline).filter(|(a, b)| a != b).count();
    if (1..10.min(arm.len())).contains(&differ) {
        return None;
    }
    let end = arm[0];
    let nothing_happened = arm.iter().chain(baseline).all(|share| *share == end);
    if !nothing_happened || (end != 0.0 && end != 1.0) {
        return Some(p);
    }
    let variance = |cell: &str, shares: &[f64]| {
        let runs = written.of_cell(cell, &pair["point"]);
        let requests: f64 = runs.iter().map(|run| number(&run["measured"]).unwrap()).sum();
        let share = (mean(shares) * requests + 2.0) / (requests + 4.0);
        share * (1.0 - share) / (requests + 4.0)
    };
    let error = (variance(&pair["arm"], arm) + variance(&pair["baseline"], baseline)).sqrt();
    let middle = mean(arm) - mean(baseline);
    let edge = number(&pair["equivalent_high"]).unwrap();
    // Student's distribution with so many degrees of freedom is the normal one.
    let beyond = [edge - middle, edge + middle]
        .map(|distance| 0.5 - t_area((distance / error).abs(), 1e7) * distance.signum());
    Some((2.0 * beyond[0].max(beyond[1])).min(1.0).max(p))
}

/// The standard error of the difference of two rates, if every operation broke the promise or kept
/// it by chance alone; 0 of what is no rate.
fn chance(written: &Written, pair: &Row) -> f64 {
    let Some(name) = pair["metric"].strip_suffix("_per_10000") else { return 0.0 };
    let runs = [&pair["arm"], &pair["baseline"]].map(|arm| written.of_cell(arm, &pair["point"]));
    let of = |run: &Row| {
        let count = |what: &str| number(&run[&format!("{name}_{what}")]).unwrap();
        (count("violations"), count("exposure"))
    };
    let both: Vec<[(f64, f64); 2]> =
        runs[0].iter().zip(&runs[1]).map(|(a, b)| [of(a), of(b)]).collect();
    let both: Vec<&[(f64, f64); 2]> =
        both.iter().filter(|pair| pair.iter().all(|(_, exposure)| *exposure > 0.0)).collect();
    let variance =
        |(count, of): &(f64, f64)| count * (1.0 - count / (of + 1.0)).max(0.0) * 1e8 / of / of;
    let sum: f64 = both.iter().flat_map(|pair| pair.iter()).map(variance).sum();
    sum.sqrt() / both.len().max(1) as f64
}

/// Few runs broke the promise: how many of all signs of their differences are as far from none.
fn check_signs(written: &Written, pair: &Row) {
    let (arm, baseline) = both(written, pair);
    assert_eq!((&*pair["low"], &*pair["p_equivalent"]), ("", ""));
    let differences: Vec<f64> = arm.iter().zip(&baseline).map(|(a, b)| a - b).collect();
    let seen: f64 = differences.iter().sum();
    let mut sums = vec![0.0];
    for size in differences.iter().filter(|it| **it != 0.0) {
        sums = sums.iter().flat_map(|sum: &f64| [sum + size, sum - size]).collect();
    }
    let far = sums.iter().filter(|sum| sum.abs() >= seen.abs() * (1.0 - 1e-9)).count();
    near(number(&pair["p"]).unwrap(), far as f64 / sums.len() as f64, "signs");
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
    for (raw, corrected) in [("p", "p_holm"), ("p_equivalent", "p_equivalent_holm")] {
        let p_values: Vec<f64> =
            primary.iter().map(|pair| number(&pair[raw]).unwrap_or(1.0)).collect();
        for (pair, expected) in primary.iter().zip(holm(&p_values)) {
            assert_eq!(pair[raw].is_empty(), pair[corrected].is_empty());
            let found = number(&pair[corrected]).unwrap_or(expected);
            assert!((found - expected).abs() < 1e-9, "{}: {found}, {expected}", pair["metric"]);
        }
    }
    assert!(!primary.is_empty());
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
