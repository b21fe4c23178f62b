//! What a limit has found: which node is full first at it, and how much of it a loss leaves.

use super::busy::{Busy, busy};
use crate::capacity::in_calm;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::search::found::Found;
use crate::experiment::search::limit::lost::LOST;
use crate::experiment::search::searching::Searching;
use crate::experiment::search::track::Reached;
use crate::statistics::Interval;

/// What is known of one arm at one point beside its limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Limited {
    /// What is lost; `None` if nothing can be, or nothing is.
    pub lost: Option<String>,
    /// The rate at which the nodes were looked at: the largest one tried up to the limit.
    pub looked_at: f64,
    /// The busiest node there, as a run of the first seed shows; `None` if no node has a limit.
    pub measured: Option<Busy>,
    /// The busiest node there by visit counts and means (`stormglass plan`).
    pub computed: Option<Busy>,
    /// The limit as a share of that with nothing lost, and from the lowest to the highest that the
    /// intervals of both allow; `None` where one of both is not between two rates.
    pub of_whole: Option<(f64, Option<Interval>)>,
}

/// What is known of each arm at each point.
#[must_use]
pub fn limited(campaign: &Campaign, searching: &Searching, found: &[Found]) -> Vec<Limited> {
    let of = |one: &Found| {
        let tried = one.tried.iter().rev();
        let limit = one.boundaries[0].at.unwrap_or(f64::INFINITY);
        let is_below = |number: f64| match one.boundaries[0].reached {
            Reached::Already => false,
            Reached::Never | Reached::Between | Reached::Unclear => number <= limit,
        };
        let below = tried.clone().find(|tried| is_below(tried.number));
        let at = below.or_else(|| tried.clone().next_back());
        let (place, looked_at) = at.map_or((0, 0.0), |tried| (tried.place, tried.number));
        let index = searching.cell(one.track, place);
        let cell = &campaign.cells[index];
        let whole = whole_of(campaign, one, found);
        Limited {
            lost: lost(campaign, one),
            looked_at,
            measured: busy(cell, index, campaign.seeds[0]).into_iter().next(),
            computed: computed(campaign, index),
            of_whole: whole.and_then(|whole| of_whole(one, whole)),
        }
    };
    found.iter().map(of).collect()
}

/// The place of the factor of what is lost, which is the last one.
fn factor(campaign: &Campaign) -> Option<usize> {
    let factors = &campaign.experiment.factors;
    factors.len().checked_sub(1).filter(|&last| factors[last].name == LOST)
}

/// What is lost at the point of a track.
fn lost(campaign: &Campaign, found: &Found) -> Option<String> {
    let factor = factor(campaign)?;
    let arms = campaign.experiment.arms.len();
    let level = campaign.experiment.points[found.track / arms][factor];
    let level = &campaign.experiment.factors[factor].levels[level];
    (level.name != super::lost::NOTHING).then(|| level.label.clone())
}

/// The same arm at the same point with nothing lost.
fn whole_of<'f>(campaign: &Campaign, one: &Found, found: &'f [Found]) -> Option<&'f Found> {
    let factor = factor(campaign)?;
    let (arms, points) = (campaign.experiment.arms.len(), &campaign.experiment.points);
    let mut point = points[one.track / arms].clone();
    if point[factor] == 0 {
        return None;
    }
    point[factor] = 0;
    let is_same = |other: &&Found| {
        other.track % arms == one.track % arms && points[other.track / arms] == point
    };
    found.iter().find(is_same)
}

fn of_whole(one: &Found, whole: &Found) -> Option<(f64, Option<Interval>)> {
    let (one, whole) = (&one.boundaries[0], &whole.boundaries[0]);
    let share = one.at? / whole.at?;
    let ends = || Some(Interval { low: one.low? / whole.high?, high: one.high? / whole.low? });
    Some((share, ends()))
}

/// The busiest node of a cell by visit counts and means.
fn computed(campaign: &Campaign, index: usize) -> Option<Busy> {
    let cell = &campaign.cells[index];
    let capacity = in_calm(&cell.program, &cell.plan, cell.measure.arrivals_end);
    let nodes = capacity.phases.into_iter().next()?.nodes.into_iter();
    let asked = nodes.filter_map(|load| {
        let share = load.utilisation()?;
        Some(Busy { node: load.node, share })
    });
    asked.max_by(|a, b| a.share.total_cmp(&b.share))
}
