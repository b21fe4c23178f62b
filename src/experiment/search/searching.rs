//! A search on its way: which runs decide what comes next.

use super::LookedFor;
use super::track::{Rule, Track};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::run::result::RunResult;

/// What came of the runs so far.
#[derive(Clone, Debug)]
pub struct Searching {
    /// What is looked for.
    pub rule: Rule,
    /// A track for each point and arm: every arm at the first point, then at the second.
    pub tracks: Vec<Track>,
    outcome: LookedFor,
    arms: usize,
}

impl Searching {
    /// The beginning of a campaign's search; `None` if it declares none.
    ///
    /// # Panics
    /// If no run has the outcome: a campaign has refused that.
    #[must_use]
    pub fn new(campaign: &Campaign) -> Option<Searching> {
        let search = campaign.experiment.search.as_ref()?;
        let rule = search.rule(campaign.seeds.len() as u64);
        let arms = campaign.experiment.arms.len();
        let tracks = vec![Track::default(); campaign.cells.len() / rule.grid.len()];
        let outcome = search.outcome(&campaign.cells[0]);
        let outcome = outcome.unwrap_or_else(|problem| panic!("{problem}"));
        Some(Searching { rule, tracks, outcome, arms })
    }

    /// The numbers of the runs that decide what comes next, ascending; none if all is found.
    #[must_use]
    pub fn next(&self, campaign: &Campaign) -> Vec<usize> {
        let mut numbers = Vec::new();
        for (index, track) in self.tracks.iter().enumerate() {
            for (place, seeds) in track.next(&self.rule) {
                let done = track.probes.get(&place).map_or(0, |probe| probe.outcomes.len());
                numbers.extend(campaign.numbers(self.cell(index, place), done..seeds as usize));
            }
        }
        numbers.sort_unstable();
        numbers
    }

    /// Takes the results of the runs that were asked for, in the order of their numbers.
    pub fn take(&mut self, results: &[RunResult]) {
        for run in results {
            let (index, place) = self.track_and_place(run.cell);
            let outcome = self.outcome.is_so(run);
            let probes = &mut self.tracks[index].probes;
            probes.entry(place).or_default().outcomes.push(outcome);
        }
    }

    /// The cell of a track at a place of the grid.
    #[must_use]
    pub fn cell(&self, track: usize, place: usize) -> usize {
        let (point, arm) = (track / self.arms, track % self.arms);
        (point * self.rule.grid.len() + place) * self.arms + arm
    }

    fn track_and_place(&self, cell: usize) -> (usize, usize) {
        let (group, arm) = (cell / self.arms, cell % self.arms);
        let (point, place) = (group / self.rule.grid.len(), group % self.rule.grid.len());
        (point * self.arms + arm, place)
    }
}
