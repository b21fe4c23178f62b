//! How many runs a search will take, before it has any.

use super::track::{Rule, Track};
use crate::experiment::search::searching::Searching;

/// So many places of a jump are looked at, evenly over the grid.
const JUMPS: usize = 16;

impl Searching {
    /// How many runs it takes where the share jumps from 0% to 100% between two values at every arm
    /// and point, on average over where that may be: the search itself is made for them. A share
    /// that rises slowly takes more.
    #[must_use]
    pub fn runs_of_jump(&self) -> usize {
        let places = self.rule.grid.len();
        let jumps = (0..JUMPS).map(|jump| (2 * jump + 1) * places / (2 * JUMPS));
        let runs: usize = jumps.map(|first| runs_of(&self.rule, first)).sum();
        self.tracks.len() * runs.div_ceil(JUMPS)
    }
}

/// How many runs it takes at one arm and point where it happens in every run from this place on,
/// and in none before.
fn runs_of(rule: &Rule, first: usize) -> usize {
    let mut track = Track::default();
    loop {
        let wanted = track.next(rule);
        if wanted.is_empty() {
            return track.probes.values().map(|probe| probe.outcomes.len()).sum();
        }
        for (place, seeds) in wanted {
            let outcomes = &mut track.probes.entry(place).or_default().outcomes;
            outcomes.resize(seeds as usize, Some(place >= first));
        }
    }
}
