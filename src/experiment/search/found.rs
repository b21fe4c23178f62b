//! What a search has found.

use super::track::{Boundary, Direction, Part};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::search::searching::Searching;
use crate::statistics::{CONFIDENCE, Estimate};

/// What was found at one arm and point.
#[derive(Clone, Debug)]
pub struct Found {
    /// The place of its track in the search.
    pub track: usize,
    /// The cell of its first value: the arm, and the model that it makes.
    pub cell: usize,
    /// The point, without the value that is varied.
    pub point: String,
    /// What pictures and tables call the point.
    pub point_label: String,
    /// Which way the share goes, and up to where.
    pub part: Part,
    /// Where the share clearly goes the other way; `None` if it does not.
    pub turn: Option<FoundTurn>,
    /// The value for each level.
    pub boundaries: Vec<Boundary>,
    /// Every value that was tried, ascending.
    pub tried: Vec<Tried>,
}

/// Which way a share goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trend {
    /// It rises with the value.
    Rises,
    /// It falls.
    Falls,
    /// It is the same at every value that was tried, such as 0% or 100%.
    Flat,
}

impl Trend {
    /// The word for tables and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Trend::Rises => "rises",
            Trend::Falls => "falls",
            Trend::Flat => "flat",
        }
    }
}

/// Two values between which the share clearly goes the wrong way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FoundTurn {
    /// The smaller value.
    pub from: Tried,
    /// The larger value.
    pub to: Tried,
}

/// A value that was tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tried {
    /// Its place in the grid.
    pub place: usize,
    /// The value: seconds of a length of time, times a second of a rate.
    pub number: f64,
    /// How many seeds ran.
    pub seeds: u64,
    /// In how many runs it happened.
    pub count: u64,
    /// Of how many it can be told.
    pub of: u64,
    /// The share with its interval; `None` where nothing can be told.
    pub share: Option<Estimate>,
    /// The rising curve nearest to all shares; `None` beyond the part in which it rises.
    pub fitted: Option<f64>,
}

impl Searching {
    /// What was found: every arm at the first point, then at the second, and so on.
    #[must_use]
    pub fn found(&self, campaign: &Campaign) -> Vec<Found> {
        (0..self.tracks.len()).map(|track| self.found_at(campaign, track)).collect()
    }

    fn found_at(&self, campaign: &Campaign, index: usize) -> Found {
        let (track, rule) = (&self.tracks[index], &self.rule);
        let part = track.part(rule);
        let curve = track.curve(&part, rule);
        let fitted = |place: usize| {
            let at = curve.iter().find(|(at, _)| part.place(*at, rule) == place);
            at.map(|(_, share)| *share)
        };
        let tried = |place: usize| {
            let probe = &track.probes[&place];
            let (count, of) = probe.count();
            Tried {
                place,
                number: rule.grid.values[place].number(),
                seeds: probe.outcomes.len() as u64,
                count,
                of,
                share: probe.share(CONFIDENCE),
                fitted: fitted(place),
            }
        };
        let turn = track.turn(rule);
        let cell = self.cell(index, 0);
        let (point, point_label) = without_value(&campaign.cells[cell], campaign);
        Found {
            track: index,
            cell,
            point,
            point_label,
            part,
            turn: turn.map(|turn| FoundTurn { from: tried(turn.from), to: tried(turn.to) }),
            boundaries: rule.levels.iter().map(|&l| track.boundary(l, &part, rule)).collect(),
            tried: track.probes.keys().map(|&place| tried(place)).collect(),
        }
    }
}

impl Found {
    /// How many runs it took.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.tried.iter().map(|tried| tried.seeds).sum()
    }

    /// Which way the share goes from the least value to the largest; `None` if nothing can be told
    /// at any.
    #[must_use]
    pub fn trend(&self) -> Option<Trend> {
        let mut shares = self.tried.iter().filter(|tried| tried.of > 0);
        let first = shares.next()?;
        let is_first = |tried: &Tried| tried.count * first.of == first.count * tried.of;
        Some(match (shares.all(is_first), self.part.direction) {
            (true, _) => Trend::Flat,
            (false, Direction::Rises) => Trend::Rises,
            (false, Direction::Falls) => Trend::Falls,
        })
    }

    /// Whether the search goes up with the value: it does where the share rises or is flat.
    #[must_use]
    pub fn rises(&self) -> bool {
        self.part.direction == Direction::Rises
    }
}

/// The point of the first value of a track without that value, which stands last.
fn without_value(cell: &Cell, campaign: &Campaign) -> (String, String) {
    let factor = campaign.experiment.search.as_ref().map(|search| &search.factor);
    let Some((factor, level)) = factor.and_then(|factor| Some((factor, factor.levels.first()?)))
    else {
        return (cell.point.clone(), cell.point_label.clone());
    };
    let without = |whole: &str, value: &str, between: &str| {
        let rest = whole.strip_suffix(value).unwrap_or(whole);
        rest.strip_suffix(between).unwrap_or(rest).to_owned()
    };
    let value = format!("{}={}", factor.name, level.name);
    (without(&cell.point, &value, " "), without(&cell.point_label, &level.label, ", "))
}
