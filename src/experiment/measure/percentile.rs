//! Percentiles of a cell: of all of its runs together, since a short run has none of its own; and
//! which times to milestones have no mean.

use super::metrics::{Metric, Origin};
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::kernel::time::Span;
use crate::metric::{Histogram, MetricId, Progress, RunMetrics, Stays};
use crate::statistics::bounded::Averaged;
use crate::statistics::quantile::{effective_n, least_n_for_quantile, quantile_shares};
use crate::statistics::{CONFIDENCE, Interval};

/// A percentile of spans that runs recorded.
#[derive(Clone, Copy)]
struct Percentile {
    /// Which, from 0 to 1.
    p: f64,
    /// Of what: of spans, or of the times to the milestone of this place.
    of: Recorded,
}

/// What runs recorded.
#[derive(Clone, Copy)]
enum Recorded {
    Spans(fn(&RunMetrics) -> Histogram),
    Milestone(usize),
}

impl Percentile {
    /// The percentile that a metric is, if it is one.
    fn of(metric: &Metric) -> Option<Percentile> {
        let p = metric.percentile()?;
        if let Origin::Milestone(place) = metric.origin {
            return Some(Percentile { p, of: Recorded::Milestone(place) });
        }
        let spans: fn(&RunMetrics) -> Histogram = match metric.id {
            MetricId::WaitP99Ms => |metrics| metrics.stays.waits(),
            MetricId::StalenessP99Ms => |metrics| metrics.staleness.clone(),
            MetricId::LatencyP50Ms | MetricId::LatencyP99Ms | MetricId::LatencyP999Ms => {
                |metrics| metrics.latency.clone()
            }
            _ => return None,
        };
        Some(Percentile { p, of: Recorded::Spans(spans) })
    }

    /// What a run recorded. Spans are times of which none is unfinished.
    fn times(&self, run: &RunResult) -> Progress {
        match self.of {
            Recorded::Spans(spans) => {
                Progress { latency: spans(&run.metrics), ..Progress::default() }
            }
            Recorded::Milestone(place) => Progress::times_of(run.metrics.milestones.get(place)),
        }
    }
}

/// The estimate of a percentile over all of these runs together; `None` if the metric is none. The
/// inner one is `None` where it cannot be estimated from what the runs recorded. So is that of the
/// mean time to a milestone where a run has unfinished requests: runs without are the fast ones.
///
/// The interval is that of the share of spans below it, whose variance is that between runs, turned
/// around: see [`effective_n`] and [`quantile_shares`]. It holds the whole bucket of the estimate.
/// A mean of percentiles of runs would have the bias of a single run, however many runs there are.
pub(in crate::experiment) fn pooled(
    metric: &Metric,
    runs: &[&RunResult],
) -> Option<Option<Averaged>> {
    if has_no_mean(metric, runs.iter().copied()) {
        return Some(None);
    }
    let percentile = Percentile::of(metric)?;
    if metric.id == MetricId::WaitP99Ms && is_open(percentile.p, runs) {
        return Some(None);
    }
    let times: Vec<Progress> = runs.iter().map(|run| percentile.times(run)).collect();
    Some(of_all(&times, percentile.p))
}

/// Whether a metric is the mean time to a milestone, and some requests are unfinished.
fn has_no_mean<'a>(metric: &Metric, runs: impl IntoIterator<Item = &'a RunResult>) -> bool {
    let Some(place) = metric.mean_time() else { return false };
    let times = runs.into_iter().filter_map(|run| run.metrics.milestones.get(place));
    times.map(|times| times.unfinished_age.total()).any(|unfinished| unfinished > 0)
}

/// The `p` quantile of all of these times together, in milliseconds.
fn of_all(times: &[Progress], p: f64) -> Option<Averaged> {
    let all = Progress::times_of(times);
    let (spread, value) = (all.spread_quantile(p)?, all.quantile(p)?);
    let seen: Vec<&Progress> = times.iter().filter(|own| own.followed() > 0).collect();
    let n = seen.len() as u64;
    let own: Vec<f64> = seen.iter().filter_map(|own| own.quantile(p)).map(Span::millis).collect();
    let averaged = |value: Span, interval: Option<Interval>| Averaged {
        mean: value.millis(),
        interval,
        least: own.iter().copied().fold(f64::INFINITY, f64::min),
        greatest: own.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        n,
    };
    if n == 1 {
        // How spans of one run depend on each other nobody knows.
        let enough = all.followed() >= least_n_for_quantile(p, CONFIDENCE).ok()?;
        return enough.then_some(averaged(value, None));
    }
    let below: Vec<(f64, f64)> = seen.iter().map(|own| own.within(spread)).collect();
    let worth = effective_n(&below, p, CONFIDENCE).ok()?;
    let shares = quantile_shares(worth, p, CONFIDENCE).ok()??;
    let [low, high] = [shares.low, shares.high].map(|share| all.at_share(share));
    // Where in its bucket the percentile lies, no number of requests says.
    let (least, most) = all.latency.resolved(spread);
    let interval = Interval { low: low?.min(least).millis(), high: high?.max(most).millis() };
    Some(averaged(value, Some(interval)))
}

/// Whether waits that went on at the ends of the runs leave the percentile open.
fn is_open(p: f64, runs: &[&RunResult]) -> bool {
    let mut all = Stays::default();
    for run in runs {
        all.wait.add(&run.metrics.stays.wait);
        all.waits_so_far.add(&run.metrics.stays.waits_so_far);
    }
    all.waits_so_far.total() > 0 && all.wait_quantile(p).is_none()
}

/// Why a percentile of a cell, or the mean time to a milestone, cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Its runs together are worth fewer independent requests than it takes, which are so many.
    Requests(u64),
    /// More requests are unfinished than lie beyond it.
    Finished,
    /// Some requests are unfinished, and a mean is of all.
    All,
}

/// What the percentile or mean lacks that a metric is, if there is no estimate of it though there
/// were requests.
#[must_use]
pub fn lacks(
    cell: &Cell,
    metric: usize,
    estimate: Option<&Averaged>,
    runs: &[RunResult],
) -> Option<Lack> {
    if estimate.is_some() {
        return None;
    }
    if has_no_mean(&cell.metrics[metric], runs) {
        return Some(Lack::All);
    }
    let percentile = Percentile::of(&cell.metrics[metric])?;
    let times: Vec<Progress> = runs.iter().map(|run| percentile.times(run)).collect();
    let all = Progress::times_of(&times);
    let needed = least_n_for_quantile(percentile.p, CONFIDENCE).ok()?;
    match all.quantile(percentile.p) {
        _ if all.followed() == 0 => None,
        None => Some(Lack::Finished),
        Some(_) => Some(Lack::Requests(needed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::draw::{Draws, Purpose};
    use crate::kernel::sample::unit_exponential;

    /// Runs of exponential spans with a mean of a second, each run `slower` times its own factor.
    fn runs(seed: u64, runs: usize, spans: usize, spread: f64) -> Vec<Progress> {
        let mut draws = Draws::new(seed);
        let mut number = 0;
        let mut exponential = || {
            number += 1;
            unit_exponential(draws.draw(Purpose::Service, 1, number, 0))
        };
        let run = |_| {
            let factor = 1.0 + spread * exponential();
            let mut latency = Histogram::default();
            (0..spans).for_each(|_| latency.record(Span::from_secs_f64(factor * exponential())));
            Progress { latency, ..Progress::default() }
        };
        (0..runs).map(run).collect()
    }

    #[test]
    fn a_percentile_of_too_few_requests_is_none() {
        assert!(of_all(&runs(1, 30, 10, 0.0), 0.99).is_none(), "300 requests");
        assert!(of_all(&runs(1, 30, 39, 0.0), 0.99).is_some(), "1,170 requests");
        assert!(of_all(&runs(1, 30, 39, 0.0), 0.999).is_none(), "as few of p99.9");
        assert!(of_all(&runs(1, 1, 300, 0.0), 0.99).is_none(), "one run");
        let one = of_all(&runs(1, 1, 400, 0.0), 0.99).unwrap();
        assert_eq!((one.interval, one.n), (None, 1));
        assert!(of_all(&[], 0.5).is_none());
    }

    #[test]
    fn unfinished_ones_leave_a_percentile_open_that_lies_beyond_them() {
        let mut times = runs(3, 30, 1_000, 0.0);
        let finished = of_all(&times, 0.5).unwrap();
        // A twentieth of each is unfinished after 10 s: they took longer than the median.
        for own in &mut times {
            (0..50).for_each(|_| own.unfinished_age.record(Span::from_secs(10)));
        }
        let median = of_all(&times, 0.5).unwrap();
        assert!(median.mean > finished.mean, "{} {}", median.mean, finished.mean);
        let interval = median.interval.unwrap();
        assert!(interval.low < median.mean && median.mean < interval.high, "{interval:?}");
        assert!(of_all(&times, 0.99).is_none(), "more are unfinished than take longer");
    }

    #[test]
    fn runs_that_differ_widen_the_interval() {
        let width = |spread| {
            let found = of_all(&runs(2, 30, 1_000, spread), 0.5).unwrap();
            let interval = found.interval.unwrap();
            (interval.high - interval.low) / interval.low
        };
        assert!(width(1.0) > 5.0 * width(0.0), "{} {}", width(1.0), width(0.0));
    }
}
