//! `[sensitivity]`: which of my guesses matters?
//!
//! For every arm and point, the same designs over the ranges run under the same seeds; what counts
//! is the mean over these. Draws are named by what they are for, so the noise of the seeds is much
//! the same in each design and takes part in few differences.

pub mod language;
pub mod sensing;

use crate::experiment::compare::measured::{Measured, unknown};
use crate::experiment::plan::cell::Cell;
use crate::experiment::plan::quantity::{Design, designs, factor, name};
use crate::experiment::plan::variant::Factor;
use crate::model::document::Value;
use crate::model::problem::Problem;
use crate::model::read;
use crate::statistics::design::latin;
use crate::statistics::sensitivity::{Trajectory, trajectories};
use language::{SensitivityMethod, SensitivityText};

/// The factor of the designs.
pub const GUESS: &str = "guess";
/// The most designs: each is compiled and kept.
const DESIGNS_MAX: u64 = 20_000;
/// The seed of the designs: they are the same whatever seeds run.
const DESIGN_SEED: u64 = 1;

/// A question of sensitivity, as an experiment declares it.
#[derive(Clone, Debug)]
pub struct Sensitivity {
    /// What was written.
    pub text: SensitivityText,
    /// The designs as a factor, each once.
    pub factor: Factor,
    /// For each point of the plan, the level that it is.
    levels: Vec<usize>,
    plan: Plan,
}

/// Where the designs lie.
#[derive(Clone, Debug)]
enum Plan {
    /// Along trajectories, one after the other.
    Morris(Vec<Trajectory>),
    /// Two samples of so many rows, and then one for each quantity.
    Sobol(usize),
}

impl Sensitivity {
    /// Reads `[sensitivity]` of an experiment; `None` if it has none, or a wrong one.
    pub(in crate::experiment) fn read(
        experiment: &Value,
        problems: &mut Vec<Problem>,
    ) -> Option<Sensitivity> {
        let value = experiment.find(&["sensitivity".to_owned()])?;
        let text: SensitivityText = read(value).map_err(|problem| problems.push(problem)).ok()?;
        let wrong = check(&text);
        if !wrong.is_empty() {
            let placed = |one: Problem| one.located(experiment, &["sensitivity"]);
            problems.extend(wrong.into_iter().map(placed));
            return None;
        }
        let inputs = text.over.len();
        let (plan, points) = match text.method {
            SensitivityMethod::Morris => {
                let lines = trajectories(text.trajectories as usize, inputs, DESIGN_SEED);
                let points = lines.iter().flat_map(|it| it.points.clone()).collect();
                (Plan::Morris(lines), points)
            }
            SensitivityMethod::Sobol => {
                (Plan::Sobol(text.rows as usize), saltelli(text.rows as usize, inputs))
            }
        };
        let designs: Vec<Design> = designs(&text.over, &points);
        let at = |path: &str| experiment.locate(&["sensitivity", "over", path].map(str::to_owned));
        let factor = factor(GUESS, &text.over, &designs, at);
        let places: std::collections::BTreeMap<&str, usize> =
            factor.levels.iter().enumerate().map(|(at, level)| (level.name.as_str(), at)).collect();
        let levels = designs.iter().map(|design| places[name(design).as_str()]).collect();
        Some(Sensitivity { levels, plan, factor, text })
    }

    /// What is asked of runs, of what those of this cell have.
    ///
    /// # Errors
    /// If they have nothing of this name.
    pub fn outcome(&self, cell: &Cell) -> Result<Measured, Problem> {
        let all = Measured::all(cell);
        let found = all.iter().find(|measured| measured.name == self.text.outcome).cloned();
        found.ok_or_else(|| unknown("outcome", &self.text.outcome, &all).inside("outcome"))
    }
}

/// The points of a Saltelli design: two samples, then the first with each column of the second.
fn saltelli(rows: usize, inputs: usize) -> Vec<Vec<f64>> {
    let both = latin(rows, 2 * inputs, DESIGN_SEED);
    let part = |from: usize| both.iter().map(move |row| row[from..from + inputs].to_vec());
    let crossed = (0..inputs).flat_map(|input| {
        part(0).zip(part(inputs)).map(move |(mut first, second)| {
            first[input] = second[input];
            first
        })
    });
    part(0).chain(part(inputs)).chain(crossed).collect()
}

/// What is wrong with a question for itself.
fn check(text: &SensitivityText) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut number = |key: &str, value: u64, least: u64| {
        if value < least {
            let problem = Problem::new(format!("{value} is not possible here"));
            problems.push(problem.expected(format!("at least {least}")).inside(key.to_owned()));
        }
    };
    number("trajectories", text.trajectories, 2);
    number("rows", text.rows, 4);
    number("seeds", text.seeds, 1);
    if text.over.is_empty() {
        let problem = Problem::new("nothing is varied, so nothing matters");
        problems.push(problem.expected("paths with ranges: [sensitivity.over]").inside("over"));
    }
    let inputs = text.over.len() as u64;
    let (key, designs) = match text.method {
        SensitivityMethod::Morris => ("trajectories", text.trajectories.saturating_mul(inputs + 1)),
        SensitivityMethod::Sobol => ("rows", text.rows.saturating_mul(inputs + 2)),
    };
    if designs > DESIGNS_MAX {
        let problem = Problem::new(format!("{designs} designs are too many"));
        problems.push(problem.expected(format!("at most {DESIGNS_MAX}")).inside(key));
    }
    for (path, quantity) in &text.over {
        let placed = |problem: Problem| problem.inside(path.as_str()).inside("over");
        problems.extend(quantity.wrong().map(placed));
    }
    problems
}
