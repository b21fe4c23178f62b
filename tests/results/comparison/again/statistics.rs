//! Statistics from their definitions, by code that shares nothing with the crate's.

use std::cell::RefCell;
use std::collections::BTreeMap;

pub(super) fn number(text: &str) -> Option<f64> {
    (!text.is_empty()).then(|| text.parse().expect(text))
}

pub(super) fn mean(sample: &[f64]) -> f64 {
    sample.iter().sum::<f64>() / sample.len() as f64
}

pub(super) fn deviation(sample: &[f64]) -> f64 {
    let middle = mean(sample);
    let squares: f64 = sample.iter().map(|value| (value - middle) * (value - middle)).sum();
    (squares / (sample.len() - 1) as f64).sqrt()
}

/// The area of Student's density from 0 to `t`, with x = tan(u) so that the range is finite, by the
/// midpoint rule, and scaled by the area of the whole half.
pub(super) fn t_area(t: f64, freedom: f64) -> f64 {
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
pub(super) fn t_critical(freedom: f64) -> f64 {
    thread_local! {
        static FOUND: RefCell<BTreeMap<u64, f64>> = const { RefCell::new(BTreeMap::new()) };
    }
    FOUND.with_borrow_mut(|found| *found.entry(freedom as u64).or_insert_with(|| search(freedom)))
}

pub(super) fn search(freedom: f64) -> f64 {
    let (mut low, mut high) = (0.0, 50.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if t_area(middle, freedom) < 0.475 { low = middle } else { high = middle }
    }
    low
}

const Z: f64 = 1.959_963_984_540_054;

pub(super) fn wilson(count: f64, of: f64) -> (f64, f64) {
    wilson_at(Z, count, of)
}

/// Wilson's interval that is `z` standard errors wide to each side.
pub(super) fn wilson_at(z: f64, count: f64, of: f64) -> (f64, f64) {
    let p = count / of;
    let centre = (p + z * z / 2.0 / of) / (1.0 + z * z / of);
    let half = z / (1.0 + z * z / of) * (p * (1.0 - p) / of + z * z / 4.0 / of / of).sqrt();
    (centre - half, centre + half)
}

/// The z between whose negative and itself a normal number lies with this probability.
pub(super) fn z_of(confidence: f64) -> f64 {
    let (mut low, mut high) = (0.0, 10.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        let inside = libm::erf(middle / std::f64::consts::SQRT_2);
        if inside < confidence { low = middle } else { high = middle }
    }
    low
}

/// Twice the smaller tail of a fair coin.
pub(super) fn mcnemar(one: u64, other: u64) -> f64 {
    let n = one + other;
    let choose = |k: u64| (0..k).fold(1.0, |c, i| c * (n - i) as f64 / (i + 1) as f64);
    let tail: f64 = (0..=one.min(other)).map(choose).sum::<f64>() / libm::pow(2.0, n as f64);
    (2.0 * tail).min(1.0)
}

/// Newcombe's method 10 for paired proportions.
pub(super) fn newcombe(both: f64, first: f64, second: f64, neither: f64) -> (f64, f64) {
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

pub(super) fn holm(p_values: &[f64]) -> Vec<f64> {
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
pub(super) fn near(found: f64, expected: f64, what: &str) {
    let scale = expected.abs().max(1e-9);
    assert!((found - expected).abs() <= 1e-6 * scale, "{what}: {found}, expected {expected}");
}

/// A Student's t interval of the mean; unbounded for one value.
pub(super) fn mean_interval(sample: &[f64]) -> (f64, f64, f64) {
    let middle = mean(sample);
    let half = match sample.len() {
        1 => f64::INFINITY,
        n => t_critical((n - 1) as f64) * deviation(sample) / (n as f64).sqrt(),
    };
    (middle, middle - half, middle + half)
}

/// The interval of a mean of amounts or of shares, as `docs/results.md` says: on the scale of
/// logarithms or of odds; `None` where it has none. The standard error is at least `least`.
pub(super) fn bounded(sample: &[f64], is_share: bool, least: f64) -> Option<(f64, f64)> {
    let (n, middle) = (sample.len(), mean(sample));
    let end = if is_share && middle > 0.5 { 1.0 } else { 0.0 };
    let at_end = sample.iter().filter(|value| **value == end).count();
    if n < 3 || (at_end > 0 && at_end < n && n - at_end < 10) {
        return None;
    }
    let error = (deviation(sample) / (n as f64).sqrt()).max(least);
    let half = t_critical((n - 1) as f64) * error;
    if half == 0.0 || at_end == n {
        return Some((middle, middle));
    }
    let ends = [-1.0, 1.0].map(|sign| match is_share {
        false => libm::exp(libm::log(middle) + sign * half / middle),
        true => {
            let logit = libm::log(middle / (1.0 - middle));
            1.0 / (1.0 + libm::exp(-logit - sign * half / middle / (1.0 - middle)))
        }
    });
    Some((ends[0], ends[1]))
}

/// Whether a metric of `runs.csv` is a share.
pub(super) fn is_share(metric: &str) -> bool {
    metric.ends_with("_ratio") || metric == "wasted_work"
}

/// The interval of so many runs in which something happened: between the probabilities at which so
/// many, or so few, would be seen in one of forty cases; of none, the one at which none would be
/// seen in one of twenty.
pub(super) fn exact(count: usize, of: usize) -> (f64, f64) {
    let choose = |k: usize| (0..k).fold(1.0, |c, i| c * (of - i) as f64 / (i + 1) as f64);
    let term =
        |k: usize, p: f64| choose(k) * libm::pow(p, k as f64) * libm::pow(1.0 - p, (of - k) as f64);
    let at_most = |k: usize, p: f64| (0..=k).map(|k| term(k, p)).sum::<f64>();
    let root = |is_above: &dyn Fn(f64) -> bool| {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..60 {
            let middle = (low + high) / 2.0;
            if is_above(middle) { high = middle } else { low = middle }
        }
        low
    };
    let tail = if count == 0 { 0.05 } else { 0.025 };
    let low = if count == 0 { 0.0 } else { root(&|p| 1.0 - at_most(count - 1, p) > 0.025) };
    let high = if count == of { 1.0 } else { root(&|p| at_most(count, p) < tail) };
    (low, high)
}
