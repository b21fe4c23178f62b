//! A campaign: every (arm, point, seed) of an experiment.

use std::ops::Range;
use std::sync::Arc;

use super::cell::Cell;
use super::documents::is_of_the_list;
use super::language::Experiment;
use super::seeds::Seeds;
use crate::experiment::compare::declared::Declared;
use crate::experiment::measure::metrics::Metrics;
use crate::experiment::measure::warm_up::found::FoundWarmUp;
use crate::experiment::run;
use crate::experiment::run::result::RunResult;
use crate::model::document::Patch;
use crate::model::problem::Problem;
use crate::policy::custom::Custom;

/// All the runs of an experiment: each cell under each seed.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The experiment, without the patches of arms and levels.
    pub experiment: Experiment,
    /// The cells: every arm at the first point, then at the second, and so on.
    pub cells: Vec<Cell>,
    /// The seeds, in order.
    pub seeds: Vec<u64>,
    /// What a command has chosen to run.
    pub chosen: Chosen,
    /// Whether seeds are added until the runs are precise.
    pub adds_seeds: bool,
    /// What arms are compared by.
    pub declared: Declared,
    /// The warm-up that pilots have found, once they have run.
    pub warm_up: Option<FoundWarmUp>,
    /// What is suspicious about the experiment or its model, in every cell alike.
    pub warnings: Vec<Problem>,
}

/// What a command runs of an experiment; everything where it chooses nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// The names of the arms; none if all run.
    pub arms: Vec<String>,
    /// The names of the points; none if all run.
    pub points: Vec<String>,
    /// The arm that the others would be compared with, if it does not run.
    pub without_baseline: Option<String>,
    /// Whether it may not be all of the experiment's own arms, factors and points.
    pub is_part: bool,
}

impl Chosen {
    /// Everything, where these overrides list no arms, factors or points.
    pub(in crate::experiment) fn by(overrides: &[Patch]) -> Chosen {
        Chosen { is_part: overrides.iter().any(is_of_the_list), ..Chosen::default() }
    }
}

/// The most runs of a campaign: their results are kept in memory.
pub const RUNS_MAX: usize = 1_000_000;

impl Campaign {
    /// Runs these seeds, and no others, instead of those of the experiment.
    ///
    /// # Errors
    /// If there would be too many runs.
    pub fn set_seeds(&mut self, seeds: &Seeds) -> Result<(), Problem> {
        self.seeds = seeds.0.clone().collect();
        self.adds_seeds = false;
        if self.runs() <= RUNS_MAX {
            return Ok(());
        }
        let (cells, seeds, runs) = (self.cells.len(), self.seeds.len(), self.runs());
        Err(Problem::new(format!(
            "{cells} combinations of arms and levels under {seeds} seeds are {runs} runs"
        ))
        .expected(format!("at most {RUNS_MAX} runs")))
    }

    /// Lets a policy of the user's own decide in an arm wherever its model names this one.
    ///
    /// # Errors
    /// If there is no such arm, or its model has no policy of this name.
    pub fn replace_policy(
        &mut self,
        arm: &str,
        policy: &str,
        own: &Arc<dyn Custom>,
    ) -> Result<(), Problem> {
        if !self.experiment.arms.iter().any(|known| known.name == arm) {
            return Err(Problem::unknown("arm", arm, &self.arms()));
        }
        for cell in self.cells.iter_mut().filter(|cell| cell.arm == arm) {
            cell.program.replace_policy(policy, own)?;
        }
        Ok(())
    }

    /// Runs so many seeds from the first one on, which
    /// [`next_seeds`](crate::experiment::compare::next_seeds) asks for.
    ///
    /// Returns the results there are at their new places, for the numbers that are left to run.
    #[must_use]
    pub fn grow(&mut self, seeds: u64, results: Vec<RunResult>) -> Vec<Option<RunResult>> {
        let before = self.seeds.len();
        let first = self.seeds[0];
        self.seeds = (first..first + seeds).collect();
        let mut results = results.into_iter();
        let place = |number: usize| match number % self.seeds.len() < before {
            true => results.next(),
            false => None,
        };
        (0..self.runs()).map(place).collect()
    }

    /// The names of the arms.
    #[must_use]
    pub fn arms(&self) -> Vec<&str> {
        self.experiment.arms.iter().map(|arm| arm.name.as_str()).collect()
    }

    /// The numbers that are measured of each run, the same in every cell.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.experiment.metrics
    }

    /// The names of the points, in order.
    #[must_use]
    pub fn points(&self) -> Vec<&str> {
        let of_one_arm = self.cells.iter().step_by(self.experiment.arms.len());
        of_one_arm.map(|cell| cell.point.as_str()).collect()
    }

    /// How many runs there are.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.cells.len() * self.seeds.len()
    }

    /// The cell and the seed of the run of this number: all seeds of the first cell, then of the
    /// second, and so on.
    #[must_use]
    pub fn cell_and_seed(&self, number: usize) -> (usize, u64) {
        (number / self.seeds.len(), self.seeds[number % self.seeds.len()])
    }

    /// The numbers of the runs of a cell under these seeds, which are counted from the first one.
    #[must_use]
    pub fn numbers(&self, cell: usize, seeds: Range<usize>) -> Range<usize> {
        let first = cell * self.seeds.len();
        first + seeds.start..first + seeds.end
    }

    /// The runs of a cell among the results of the whole campaign, in the order of the seeds.
    #[must_use]
    pub fn runs_of<'r>(&self, results: &'r [RunResult], cell: usize) -> &'r [RunResult] {
        &results[self.numbers(cell, 0..self.seeds.len())]
    }

    /// Runs the run of this number.
    #[must_use]
    pub fn run(&self, number: usize) -> RunResult {
        let (cell, seed) = self.cell_and_seed(number);
        run::run(&self.cells[cell], cell, seed)
    }
}
