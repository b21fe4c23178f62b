//! A question of sensitivity on its way, and what was found.

use super::{Plan, Sensitivity};
use crate::experiment::compare::measured::Measured;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::run::result::RunResult;
use crate::statistics::CONFIDENCE;
use crate::statistics::sensitivity::{Effect, Shares, SobolOutputs, Trajectory, effects, sobol};

/// What came of the runs so far.
#[derive(Clone, Debug)]
pub struct Sensing {
    outcome: Measured,
    arms: usize,
    /// By cell, the values of its runs so far, and how many have none.
    values: Vec<(Vec<f64>, usize)>,
}

/// What each quantity does.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Its elementary effects.
    Effects(Vec<Effect>),
    /// Its shares of the variance.
    Shares(Vec<Shares>),
    /// Nothing: the outcome is the same everywhere, or has too few values.
    Nothing,
}

/// What was found of one arm at one point.
#[derive(Clone, Debug, PartialEq)]
pub struct Sensed {
    /// Its first cell.
    pub cell: usize,
    /// What each quantity does, in their order.
    pub found: Found,
    /// Trajectories or rows that count.
    pub of: usize,
    /// Those that do not, because a run of them has no value.
    pub left_out: usize,
}

impl Sensing {
    /// The beginning; `None` if the campaign has no such question.
    ///
    /// # Panics
    /// If runs have no such outcome: a campaign has refused that.
    #[must_use]
    pub fn new(campaign: &Campaign) -> Option<Sensing> {
        let sensitivity = campaign.experiment.explored.sensitivity.as_ref()?;
        let outcome = sensitivity.outcome(&campaign.cells[0]);
        Some(Sensing {
            outcome: outcome.unwrap_or_else(|problem| panic!("{problem}")),
            arms: campaign.experiment.arms.len(),
            values: vec![(Vec::new(), 0); campaign.cells.len()],
        })
    }

    /// The numbers of all runs; none once they have come.
    #[must_use]
    pub fn next(&self, campaign: &Campaign) -> Vec<usize> {
        let is_there = self.values.iter().any(|(values, none)| values.len() + none > 0);
        if is_there { Vec::new() } else { (0..campaign.runs()).collect() }
    }

    /// Takes the results of the runs.
    pub fn take(&mut self, results: &[RunResult]) {
        for run in results {
            let (values, none) = &mut self.values[run.cell];
            match self.outcome.value(run) {
                Some(value) => values.push(value),
                None => *none += 1,
            }
        }
    }

    /// What was found: every arm at the first point, then at the second.
    #[must_use]
    pub fn sensed(&self, campaign: &Campaign) -> Vec<Sensed> {
        let Some(sensitivity) = &campaign.experiment.explored.sensitivity else {
            return Vec::new();
        };
        let designs = sensitivity.factor.levels.len();
        let tracks = campaign.cells.len() / designs;
        let of_track = |track: usize| {
            let (point, arm) = (track / self.arms, track % self.arms);
            let cell = |level: usize| (point * designs + level) * self.arms + arm;
            let mean = |&level: &usize| {
                let (values, none) = &self.values[cell(level)];
                let is_known = *none == 0 && !values.is_empty();
                is_known.then(|| values.iter().sum::<f64>() / values.len() as f64)
            };
            let outputs: Vec<Option<f64>> = sensitivity.levels.iter().map(mean).collect();
            Sensed { cell: cell(0), ..sensitivity.found(&outputs) }
        };
        (0..tracks).map(of_track).collect()
    }
}

impl Sensitivity {
    /// What the outputs at the points of the plan say.
    fn found(&self, outputs: &[Option<f64>]) -> Sensed {
        let whole = |rows: usize, row: &dyn Fn(usize) -> Vec<usize>| -> Vec<usize> {
            let is_whole = |at: &usize| row(*at).iter().all(|&place| outputs[place].is_some());
            (0..rows).filter(is_whole).collect()
        };
        let value = |place: usize| outputs[place].unwrap_or_default();
        match &self.plan {
            Plan::Morris(lines) => {
                let points = self.text.over.len() + 1;
                let row = |line: usize| (line * points..(line + 1) * points).collect::<Vec<_>>();
                let kept = whole(lines.len(), &row);
                let own: Vec<Trajectory> = kept.iter().map(|&line| lines[line].clone()).collect();
                let values: Vec<f64> = kept.iter().flat_map(|&line| row(line)).map(value).collect();
                let found =
                    effects(&own, &values, CONFIDENCE).map_or(Found::Nothing, Found::Effects);
                Sensed { cell: 0, found, of: kept.len(), left_out: lines.len() - kept.len() }
            }
            Plan::Sobol(rows) => {
                let inputs = self.text.over.len();
                let row = |at: usize| (0..inputs + 2).map(|part| part * rows + at).collect();
                let kept = whole(*rows, &row);
                let part = |part: usize| -> Vec<f64> {
                    kept.iter().map(|&at| value(part * rows + at)).collect()
                };
                let crossed = (0..inputs).map(|input| part(input + 2)).collect();
                let all = SobolOutputs { first: part(0), second: part(1), crossed };
                let found = sobol(&all, CONFIDENCE).map_or(Found::Nothing, Found::Shares);
                Sensed { cell: 0, found, of: kept.len(), left_out: rows - kept.len() }
            }
        }
    }
}
