//! What is measured of each run of a campaign.

mod renamed;

use std::borrow::Cow;
use std::ops::Deref;

use crate::experiment::price::language::PriceText;
use crate::metric::catalogue::{MetricRow, OF_MILESTONES, OF_OBJECTIVES, of_runs, of_twins};
use crate::metric::{MetricId, Unit};
use crate::statistics::verdict::Direction;
pub(in crate::experiment) use renamed::{now_called, renamed};

/// Whose number a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// That of what an experiment measures: of replies, or of a milestone in their place.
    Measured,
    /// That of replies, where a milestone has taken their place.
    Replies,
    /// That of the milestone of this place in the experiment.
    Milestone(usize),
    /// That of the objective of this place in the experiment.
    Objective(usize),
    /// That of the price of this place in the experiment.
    Price(usize),
}

/// A number of a run that is averaged over seeds.
#[derive(Clone, Debug)]
pub struct Metric {
    /// Which one it is.
    pub id: MetricId,
    /// Whose.
    pub of: Of,
    /// Its name in results, with its unit.
    pub name: Cow<'static, str>,
    /// What it is.
    pub meaning: Cow<'static, str>,
    /// Which way it is good.
    pub better: Direction,
    /// What it is in.
    pub unit: Unit,
    /// From what it is measured.
    pub(in crate::experiment) origin: Origin,
}

/// From what a metric is measured when a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::experiment) enum Origin {
    /// From the run itself, as by its replies.
    Run,
    /// From what became of the requests on their way to the milestone of this place.
    Milestone(usize),
    /// From what the run comes to by the objective of this place.
    Objective(usize),
    /// From the prices: that of this place, or all of them.
    Price(Option<usize>),
}

/// Every number of a campaign's runs that is averaged over seeds, in the order of the columns.
#[derive(Clone, Debug)]
pub struct Metrics(Vec<Metric>);

impl Metrics {
    /// Those of runs with these milestones, of which one may take the place of replies, and these
    /// objectives.
    #[must_use]
    pub fn new(milestones: &[&str], measured: Option<usize>, objectives: &[&str]) -> Metrics {
        let own = |row: &'static MetricRow| match (measured, of_a_milestone(row.id)) {
            (Some(place), Some(meaning)) => Metric {
                origin: Origin::Milestone(place),
                meaning: Cow::Owned(format!("{meaning}, of {}", milestones[place])),
                ..Metric::of_run(row)
            },
            _ => Metric::of_run(row),
        };
        let mut list: Vec<Metric> = of_runs().iter().map(own).collect();
        if measured.is_some() {
            let replaced = of_runs().iter().filter(|row| of_a_milestone(row.id).is_some());
            list.extend(replaced.map(|row| Metric {
                of: Of::Replies,
                name: Cow::Owned(format!("{REPLY}.{}", row.name)),
                ..Metric::of_run(row)
            }));
        }
        for (place, milestone) in milestones.iter().enumerate() {
            let (of, origin) = (Of::Milestone(place), Origin::Milestone(place));
            list.extend(
                OF_MILESTONES.iter().map(|row| Metric::beside(of, origin, milestone, *row)),
            );
        }
        for (place, objective) in objectives.iter().enumerate() {
            let (of, origin) = (Of::Objective(place), Origin::Objective(place));
            list.extend(
                OF_OBJECTIVES.iter().map(|row| Metric::beside(of, origin, objective, *row)),
            );
        }
        Metrics(list)
    }

    /// These, and those of runs that are compared with their twins, if they are.
    #[must_use]
    pub fn with_twins(mut self, are_compared: bool) -> Metrics {
        self.0.extend(of_twins().iter().filter(|_| are_compared).map(Metric::of_run));
        self
    }

    /// These, and what runs cost, if there are prices.
    #[must_use]
    pub fn with_prices(mut self, price: Option<&PriceText>) -> Metrics {
        let Some(PriceText { currency, each, .. }) = price else { return self };
        let cost = MetricId::Cost.row();
        self.0.push(Metric {
            origin: Origin::Price(None),
            meaning: Cow::Owned(format!("{}, in {currency}", cost.meaning)),
            ..Metric::of_run(cost)
        });
        self.0.extend(each.keys().enumerate().map(|(place, name)| Metric {
            of: Of::Price(place),
            origin: Origin::Price(Some(place)),
            name: Cow::Owned(format!("{}.{name}", cost.name)),
            meaning: Cow::Owned(format!("what of that is {name}, in {currency}")),
            ..Metric::of_run(cost)
        }));
        self
    }

    /// Those that every run has.
    #[must_use]
    pub fn of_runs() -> Metrics {
        Metrics::new(&[], None, &[])
    }

    /// The place of the metric of this name, or of the one that was called so.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        let name = now_called(name).unwrap_or(name);
        self.iter().position(|metric| metric.name == name)
    }

    /// The place of this metric.
    #[must_use]
    pub fn place(&self, of: Of, id: MetricId) -> Option<usize> {
        self.iter().position(|metric| (metric.of, metric.id) == (of, id))
    }
}

impl Deref for Metrics {
    type Target = [Metric];

    fn deref(&self) -> &[Metric] {
        &self.0
    }
}

impl Metric {
    fn of_run(row: &'static MetricRow) -> Metric {
        Metric {
            id: row.id,
            of: Of::Measured,
            name: Cow::Borrowed(row.name),
            meaning: Cow::Borrowed(row.meaning),
            better: row.better,
            unit: row.unit,
            origin: Origin::Run,
        }
    }

    /// That of a milestone or an objective of this name.
    fn beside(
        of: Of,
        origin: Origin,
        name: &str,
        (id, meaning): (MetricId, &'static str),
    ) -> Metric {
        let name = Cow::Owned(format!("{name}.{}", id.name()));
        Metric { of, origin, name, meaning: Cow::Borrowed(meaning), ..Metric::of_run(id.row()) }
    }

    /// Which percentile it is, from 0 to 1, if it is one of all runs of a cell together.
    #[must_use]
    pub fn percentile(&self) -> Option<f64> {
        let is_of_times = matches!(self.origin, Origin::Run | Origin::Milestone(_));
        self.id.percentile().filter(|_| is_of_times)
    }

    /// Of the mean time to a milestone, the place of that.
    pub(in crate::experiment) fn mean_time(&self) -> Option<usize> {
        match self.origin {
            Origin::Milestone(place) if self.id == MetricId::LatencyMeanMs => Some(place),
            Origin::Run | Origin::Milestone(_) | Origin::Objective(_) | Origin::Price(_) => None,
        }
    }
}

/// What a metric means of a milestone, if milestones have it.
fn of_a_milestone(id: MetricId) -> Option<&'static str> {
    OF_MILESTONES.iter().find(|(own, _)| *own == id).map(|(_, meaning)| *meaning)
}

/// What the metrics of replies are called where a milestone has taken their place.
pub const REPLY: &str = "reply";

/// Whether the metric of this name is a share, from 0 to 1.
#[must_use]
pub fn is_share(name: &str) -> bool {
    let name = name.rsplit_once('.').map_or(name, |(_, name)| name);
    MetricId::named(name).is_some_and(|id| id.row().unit == Unit::Share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_stands_at_the_place_of_its_id() {
        for metrics in [Metrics::of_runs(), Metrics::new(&["paid", "sent"], Some(1), &["slo"])] {
            for (place, row) in of_runs().iter().enumerate() {
                assert_eq!((metrics[place].id, row.id.place()), (row.id, place), "{}", row.name);
                assert_eq!(metrics.place(Of::Measured, row.id), Some(place));
            }
        }
    }

    #[test]
    fn what_a_milestone_replaces_stands_beside_it_as_that_of_replies() {
        let metrics = Metrics::new(&["paid", "sent"], Some(1), &[]);
        let shown = |name: &str| metrics.find(name).map(|place| metrics[place].meaning.clone());
        assert!(shown("success_ratio").is_some_and(|meaning| meaning.ends_with("of sent")));
        assert!(shown("reply.success_ratio").is_some_and(|meaning| meaning.contains("answered")));
        assert!(shown("paid.latency_p99_ms").is_some() && shown("sent.unfinished").is_some());
        assert_eq!(shown("reply.unfinished"), None);
        assert!(is_share("paid.unfinished_ratio") && !is_share("paid.unfinished"));
        assert_eq!(Metrics::new(&["paid"], None, &[]).find("reply.success_ratio"), None);
    }
}
