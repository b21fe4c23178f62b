//! `[expect]` of an experiment: what the metrics of every run must be.

use std::fmt;

use crate::experiment::measure::metrics::{Metric, Metrics, Origin};
use crate::experiment::run::result::{Judged, RunResult};
use crate::kernel::limit::Ending;
use crate::kernel::time::Span;
use crate::metric::{Progress, Recovery, Unit};
use crate::model::problem::Problem;
use crate::model::quantity::parse_duration;

/// What a metric of a run must be.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// The name of the metric.
    pub name: String,
    /// What is measured, in words.
    pub meaning: String,
    what: What,
    /// Of a percentile of the time to a milestone, or its mean: the place of that, and what.
    time: Option<(usize, Statistic)>,
    /// Whether it is a percentile, of which few requests say nothing.
    pub is_percentile: bool,
    relation: Relation,
    /// In the unit of the metric.
    bound: f64,
    /// The bound as it was written.
    written: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// A metric, by its place in the list of the campaign.
    Metric(usize),
    /// How long after the last fault it takes to recover, in seconds; never is too long.
    Recovers,
}

/// What is said of the times to a milestone.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Statistic {
    Mean,
    Percentile(f64),
}

impl Statistic {
    fn of(metric: &Metric) -> Option<(usize, Statistic)> {
        let Origin::Milestone(place) = metric.origin else { return None };
        let percentile = metric.percentile().map(Statistic::Percentile);
        let mean = || metric.mean_time().map(|_| Statistic::Mean);
        Some((place, percentile.or_else(mean)?))
    }

    /// What it is at the least, in milliseconds, however long the unfinished ones still take.
    fn at_least(self, times: &Progress) -> Option<f64> {
        match self {
            Statistic::Mean => times.mean_at_least().map(|seconds| seconds * 1e3),
            Statistic::Percentile(p) => times.quantile_at_least(p).map(Span::millis),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Within,
}

/// The key for how fast a run recovers.
const RECOVERS: &str = "recovers";
const RECOVERS_MEANING: &str = "time from the end of the last fault until requests fare as before";

impl Expectation {
    /// Reads `NAME = "RELATION BOUND"`.
    ///
    /// # Errors
    /// If there is no such metric, or the bound does not fit it.
    pub fn read(name: &str, text: &str, metrics: &Metrics) -> Result<Expectation, Problem> {
        let (what, unit, meaning) = match metrics.find(name) {
            Some(index) => {
                let metric = &metrics[index];
                (What::Metric(index), metric.unit, metric.meaning.clone().into_owned())
            }
            None if name == RECOVERS => {
                (What::Recovers, Unit::Seconds, RECOVERS_MEANING.to_owned())
            }
            None => {
                let mut known: Vec<&str> = metrics.iter().map(|metric| &*metric.name).collect();
                known.push(RECOVERS);
                return Err(Problem::unknown("metric", name, &known));
            }
        };
        let relations: &[(&str, Relation)] = match what {
            What::Recovers => &[("within", Relation::Within)],
            What::Metric(_) => &[
                ("<=", Relation::AtMost),
                (">=", Relation::AtLeast),
                ("<", Relation::Less),
                (">", Relation::Greater),
            ],
        };
        let text = text.trim();
        let read = relations.iter().find_map(|&(word, relation)| {
            let written = text.strip_prefix(word)?.trim();
            Some((relation, in_unit(what, unit, written)?, written))
        });
        let (relation, bound, written) = read.ok_or_else(|| {
            Problem::new(format!("`{text}` is no bound of `{name}`")).expected(example(what, unit))
        })?;
        let (time, is_percentile) = match what {
            What::Metric(index) => {
                (Statistic::of(&metrics[index]), metrics[index].percentile().is_some())
            }
            What::Recovers => (None, false),
        };
        let (name, written) = (name.to_owned(), written.to_owned());
        let read =
            Expectation { name, meaning, what, time, is_percentile, relation, bound, written };
        Ok(read)
    }

    /// Whether it is about when what is measured recovers.
    #[must_use]
    pub fn is_of_recovery(&self) -> bool {
        self.what == What::Recovers || self.name == "recovery_s"
    }

    /// Whether it is about a metric, of which runs have a mean.
    #[must_use]
    pub fn reads_a_metric(&self) -> bool {
        self.what != What::Recovers
    }

    /// The bound, in the unit of the metric.
    #[must_use]
    pub fn bound(&self) -> f64 {
        self.bound
    }

    /// By how much the metric of a run is on the wrong side of the bound, below 0 on the right one;
    /// `None` if the run has no such number.
    #[must_use]
    pub fn beyond(&self, run: &RunResult) -> Option<f64> {
        let value = self.judge(run).value?;
        Some(if self.is_least() { self.bound - value } else { value - self.bound })
    }

    /// The value of the metric that is so far on the wrong side.
    #[must_use]
    pub fn value_beyond(&self, beyond: f64) -> f64 {
        if self.is_least() { self.bound - beyond } else { self.bound + beyond }
    }

    /// Whether the bound is what there must be at the least.
    fn is_least(&self) -> bool {
        matches!(self.relation, Relation::Greater | Relation::AtLeast)
    }

    /// Judges a run. A run that reached a limit says nothing.
    #[must_use]
    pub fn judge(&self, run: &RunResult) -> Judged {
        if run.ending != Ending::Complete {
            return Judged { met: None, value: None };
        }
        let value = match self.what {
            What::Metric(index) => run.values[index].or_else(|| self.at_least(run)),
            What::Recovers => match run.recovery {
                Recovery::After(span) => Some(span.seconds()),
                Recovery::Never | Recovery::Unsteady => {
                    return Judged { met: Some(false), value: None };
                }
                Recovery::NoFault | Recovery::Unseen => None,
            },
        };
        let met = value.map(|value| match self.relation {
            Relation::Less => value < self.bound,
            Relation::AtMost | Relation::Within => value <= self.bound,
            Relation::Greater => value > self.bound,
            Relation::AtLeast => value >= self.bound,
        });
        Judged { met, value }
    }

    /// What a percentile or a mean that cannot be told is at the least, in milliseconds, if that is
    /// too much.
    fn at_least(&self, run: &RunResult) -> Option<f64> {
        let (place, statistic) = self.time?;
        let least = statistic.at_least(run.metrics.milestones.get(place)?)?;
        let is_too_much = match self.relation {
            Relation::Less => least >= self.bound,
            Relation::AtMost | Relation::Within => least > self.bound,
            Relation::Greater | Relation::AtLeast => false,
        };
        is_too_much.then_some(least)
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let relation = match self.relation {
            Relation::Less => "<",
            Relation::AtMost => "<=",
            Relation::Greater => ">",
            Relation::AtLeast => ">=",
            Relation::Within => "within",
        };
        write!(f, "{} {relation} {}", self.name, self.written)
    }
}

/// The number that a text means in the unit of a metric. How long a recovery may take is a time.
fn in_unit(what: What, unit: Unit, text: &str) -> Option<f64> {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    let bare = || number(text).filter(|_| what != What::Recovers);
    match unit {
        Unit::PerSecond => number(text.strip_suffix("/s").unwrap_or(text).trim_end()),
        Unit::Milliseconds => parse_duration(text).map(Span::millis).or_else(bare),
        Unit::Seconds => parse_duration(text).map(Span::seconds).or_else(bare),
        Unit::Number | Unit::Share => match text.strip_suffix('%') {
            Some(percent) => number(percent.trim_end()).map(|percent| percent / 100.0),
            None => number(text),
        },
    }
}

/// How a bound of a metric is written.
fn example(what: What, unit: Unit) -> &'static str {
    match unit {
        _ if what == What::Recovers => "a time such as \"within 30s\"",
        Unit::PerSecond => "<, <=, > or >= and a rate, such as \">= 190/s\"",
        Unit::Milliseconds | Unit::Seconds => "<, <=, > or >= and a time, such as \"< 300ms\"",
        Unit::Number | Unit::Share => {
            "<, <=, > or >= and a number or percentage, such as \"<= 1.3\" or \">= 99%\""
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_read_in_the_unit_of_their_metric() {
        let metrics = Metrics::of_runs();
        let read = |name, text| Expectation::read(name, text, &metrics);
        let bound = |name, text| read(name, text).map(|read| read.bound).ok();
        for (name, text, expected) in [
            ("amplification", "<= 1.3", Some(1.3)),
            ("success_ratio", ">= 99%", Some(0.99)),
            ("latency_p99_ms", "< 300ms", Some(300.0)),
            ("latency_p99_ms", "< 0.3s", Some(300.0)),
            ("latency_p99_ms", "< 300", Some(300.0)),
            ("oldest_message_s", "<5s", Some(5.0)),
            ("goodput_after_per_s", "> 190/s", Some(190.0)),
            ("recovers", "within 30s", Some(30.0)),
            ("recovers", "< 30s", None),
            ("recovers", "within 30", None),
            ("amplification", "1.3", None),
            ("amplification", "<= inf", None),
            ("latency", "< 300ms", None),
        ] {
            assert_eq!(bound(name, text), expected, "{name} {text}");
        }
        let each = |amount| format!(r#"{{"currency":"EUR","for":{{"wait_s":{amount}}}}}"#);
        let price = serde_json::from_str(&each(r#"{"what":"time","amount":1,"per":"1h"}"#));
        let priced = Metrics::of_runs().with_prices(Some(&price.expect("a price")));
        let bound = |text| Expectation::read("cost.wait_s", text, &priced).map(|read| read.bound);
        assert_eq!(bound("<= 3").ok(), Some(3.0), "what a price is called says no unit");
        assert!(bound("<= 3s").is_err());
        let shown = read("amplification", "<=1.3").map(|read| read.to_string());
        assert_eq!(shown.ok().as_deref(), Some("amplification <= 1.3"));
    }
}
