//! A campaign: every (arm, point, seed) of an experiment, compiled before the first one runs.

use super::language::{Experiment, Factor, TOP, Variant};
use super::run::{RunResult, run};
use crate::fault::Plan;
use crate::invariant::Invariants;
use crate::kernel::limit::Limits;
use crate::kernel::time::Time;
use crate::metric::Measure;
use crate::model::compile::{self, ReadFile};
use crate::model::document::{Value, parse_path};
use crate::model::problem::Problem;
use crate::model::program::Program;

/// One arm at one point, ready to run under any seed.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The arm's name.
    pub arm: String,
    /// What pictures and tables call the arm.
    pub arm_label: String,
    /// The point's name: `factor=level` for each factor, with spaces between; empty without.
    pub point: String,
    /// What pictures and tables call the point.
    pub point_label: String,
    /// The compiled model.
    pub program: Program,
    /// What goes wrong.
    pub plan: Plan,
    /// What is measured.
    pub measure: Measure,
    /// Which promises are watched.
    pub invariants: Invariants,
    /// When a run is given up.
    pub limits: Limits,
}

/// All the runs of an experiment: each cell under each seed.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The experiment, without the patches of arms and levels.
    pub experiment: Experiment,
    /// The cells: every arm at the first point, then at the second, and so on.
    pub cells: Vec<Cell>,
    /// The seeds, in order.
    pub seeds: Vec<u64>,
}

/// The documents of an experiment and its model, with the patches of the command line.
#[derive(Clone, Debug)]
pub struct Documents {
    /// The experiment.
    pub experiment: Value,
    /// The model.
    pub model: Value,
    /// Paths and values that are set last, after those of arms and levels.
    pub overrides: Vec<(String, Value)>,
}

impl Campaign {
    /// Compiles a campaign. `read_file` reads a file that the model names.
    ///
    /// # Errors
    /// Everything that is wrong with the experiment, the model, or a patch; each thing once.
    pub fn new(documents: &Documents, read_file: ReadFile<'_>) -> Result<Campaign, Vec<Problem>> {
        let experiment = Experiment::read(&documents.patched_experiment()?)?;
        let mut cells = Vec::new();
        let mut problems: Vec<Problem> = Vec::new();
        for levels in points(&experiment.factors) {
            for arm in &experiment.arms {
                match cell(documents, arm, &levels, &experiment.factors, read_file) {
                    Ok(cell) => cells.push(cell),
                    Err(more) => {
                        for problem in more {
                            if !problems.contains(&problem) {
                                problems.push(problem);
                            }
                        }
                    }
                }
            }
        }
        let seeds = experiment.seeds.0.clone().collect();
        if problems.is_empty() { Ok(Campaign { experiment, cells, seeds }) } else { Err(problems) }
    }

    /// How many runs there are.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.cells.len() * self.seeds.len()
    }

    /// The run of this number: all seeds of the first cell, then of the second, and so on.
    #[must_use]
    pub fn run(&self, number: usize) -> RunResult {
        let cell = number / self.seeds.len();
        run(&self.cells[cell], cell, self.seeds[number % self.seeds.len()])
    }
}

impl Documents {
    /// The experiment with the overrides that concern it.
    fn patched_experiment(&self) -> Result<Value, Vec<Problem>> {
        let mut experiment = self.experiment.clone();
        let mut model = self.model.clone();
        patch(&mut experiment, &mut model, &self.overrides)?;
        Ok(experiment)
    }
}

/// Every combination of levels; the last factor changes fastest.
fn points(factors: &[Factor]) -> Vec<Vec<&Variant>> {
    factors.iter().fold(vec![Vec::new()], |points, factor| {
        let longer = |point: &Vec<_>, level| point.iter().copied().chain([level]).collect();
        points
            .iter()
            .flat_map(|point| factor.levels.iter().map(move |level| longer(point, level)))
            .collect()
    })
}

fn cell(
    documents: &Documents,
    arm: &Variant,
    levels: &[&Variant],
    factors: &[Factor],
    read_file: ReadFile<'_>,
) -> Result<Cell, Vec<Problem>> {
    let (mut experiment, mut model) = (documents.experiment.clone(), documents.model.clone());
    let mut problems = Vec::new();
    let own = experiment.find(&["set".to_owned()]).cloned();
    let own = super::language::read_set(own.as_ref(), &mut problems);
    let sets = [&own].into_iter().chain(levels.iter().map(|level| &level.set));
    for set in sets.chain([&arm.set, &documents.overrides]) {
        patch(&mut experiment, &mut model, set)?;
    }
    let experiment_document = experiment;
    let experiment = Experiment::read(&experiment_document)?;
    let program = compile::compile(&model, read_file)?;
    let place = |path: &[&str]| {
        let path: Vec<String> = path.iter().map(|&part| part.to_owned()).collect();
        experiment_document.locate(&path)
    };
    let plan = Plan::new(&experiment.faults, &program).unwrap_or_else(|wrong| {
        let placed =
            |(index, problem): (usize, Problem)| problem.at(place(&["faults", &index.to_string()]));
        problems.extend(wrong.into_iter().map(placed));
        Plan::default()
    });
    let invariants = Invariants::new(&experiment.invariants, &program).unwrap_or_else(|wrong| {
        let placed = |(name, problem): (&str, Problem)| problem.at(place(&["invariants", name]));
        problems.extend(wrong.into_iter().map(placed));
        Invariants::default()
    });
    let mut operation = |name: &Option<String>, key: &str| {
        let name = name.as_ref()?;
        let found = program.find_operation(name);
        if found.is_none() {
            let known: Vec<&str> = program.operations.iter().map(|o| o.name.as_str()).collect();
            let problem = Problem::unknown("operation", name, &known);
            problems.push(problem.at(place(&["measure", key])));
        }
        found
    };
    let text = &experiment.measure;
    let arrivals_end = Time(experiment.arrivals.0);
    let measure = Measure {
        operation: operation(&text.operation, "operation"),
        load: operation(&text.load, "load"),
        window: text.window,
        recovery: text.recovery,
        faults: plan.acts,
        arrivals_end,
        warm_up: Time(text.warm_up.0),
    };
    let limits = Limits {
        events: experiment.limits.events,
        pending: experiment.limits.pending as usize,
        ..Limits::until(arrivals_end + experiment.drain)
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    let names = |part: fn(&Variant) -> &str, join: &str, with_factor: bool| {
        let name = |(factor, level): (&Factor, &&Variant)| match with_factor {
            true => format!("{}={}", factor.name, part(level)),
            false => part(level).to_owned(),
        };
        factors.iter().zip(levels).map(name).collect::<Vec<_>>().join(join)
    };
    Ok(Cell {
        arm: arm.name.clone(),
        arm_label: arm.label.clone(),
        point: names(|level| &level.name, " ", true),
        point_label: names(|level| &level.label, ", ", false),
        program,
        plan,
        measure,
        invariants,
        limits,
    })
}

/// Sets values of the experiment or the model: the first key of a path tells which.
fn patch(
    experiment: &mut Value,
    model: &mut Value,
    set: &[(String, Value)],
) -> Result<(), Vec<Problem>> {
    let mut problems = Vec::new();
    for (path, value) in set {
        let result = parse_path(path).and_then(|path| match path[0].as_str() {
            top if compile::TOP.contains(&top) => model.set(&path, value.clone()),
            top if TOP.contains(&top) => experiment.set(&path, value.clone()),
            top => {
                let known: Vec<&str> = compile::TOP.into_iter().chain(TOP).collect();
                Err(Problem::unknown("key", top, &known))
            }
        });
        if let Err(problem) = result {
            problems.push(problem.at(value.at));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}
