//! A campaign: every (arm, point, seed) of an experiment, compiled before the first one runs.

use std::borrow::Cow;
use std::sync::Arc;

use super::chosen::Chosen;
pub use super::documents::Documents;
use super::language::{Experiment, Factor, Seeds, Variant};
use super::late::late_faults;
use super::milestones;
use super::objectives;
use super::observe::{self, Observing};
use super::patch::{beside_a_ramp, overruled};
use super::point;
use super::unwritten::{out_of_reach, unwritten};
use crate::experiment::compare::Declared;
use crate::experiment::judge::attribution::{self, AttributionText};
use crate::experiment::judge::blast_radius::{self, BlastRadiusRule};
use crate::experiment::judge::expect::Expectation;
use crate::experiment::judge::metastability::{self, MetastabilityRule};
use crate::experiment::judge::watch::other_promises;
use crate::experiment::measure::metrics::Metrics;
use crate::experiment::measure::metrics::renamed;
use crate::experiment::measure::ramp::Ramp;
use crate::experiment::measure::warm_up::{FoundWarmUp, WarmUp};
use crate::experiment::price::{self, Prices};
use crate::experiment::run::{RunResult, run};
use crate::experiment::search::limit;
use crate::experiment::search::wrong::Wrong;
use crate::fault::{DrawnFault, Plan, RandomPlan, RandomText};
use crate::invariant::{Invariants, WatchList, unbreakable};
use crate::kernel::limit::Limits;
use crate::kernel::time::Time;
use crate::metric::{Measure, Milestone, Objectives};
use crate::model::compile;
use crate::model::compile::check_top;
use crate::model::document::Value;
use crate::model::problem::Problem;
use crate::model::program::Program;
use crate::model::recording::ReadFile;
use crate::model::{doubtful, unused};
use crate::policy::custom::Custom;
use crate::theory::{MeanField, Theory};

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
    /// What goes wrong at random beside that.
    pub random: Option<RandomPlan>,
    /// What is measured.
    pub measure: Measure,
    /// Whether pilots say when requests begin to count; until they have, all do.
    pub finds_warm_up: bool,
    /// Whether a run ends before its horizon when nothing is left to do.
    pub ends_when_done: bool,
    /// The numbers that are measured of each run.
    pub metrics: Metrics,
    /// What requests are followed to.
    pub milestones: Vec<Milestone>,
    /// How many events may be bad.
    pub objectives: Objectives,
    /// What things cost that are counted in a run; `None` if nothing has a price.
    pub prices: Option<Prices>,
    /// The place of the milestone that is measured instead of replies.
    pub measured: Option<usize>,
    /// How runs are labelled; `None` if they are not.
    pub metastability: Option<MetastabilityRule>,
    /// Whether each run is repeated without each of its causes, and how.
    pub attribution: Option<AttributionText>,
    /// How runs are compared with their twins; `None` if they are not.
    pub blast_radius: Option<BlastRadiusRule>,
    /// What is seen of runs beside what is measured of every run.
    pub observing: Observing,
    /// Which promises are watched.
    pub invariants: WatchList,
    /// What the metrics of every run must be.
    pub expect: Vec<Expectation>,
    /// When a run is given up.
    pub limits: Limits,
    /// What theory says of it.
    pub theory: Option<Theory>,
    /// The mean field whose boundaries a search draws.
    pub mean_field: Option<MeanField>,
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

/// The most runs of a campaign: their results are kept in memory.
pub const RUNS_MAX: usize = 1_000_000;

impl Campaign {
    /// Compiles a campaign. `read_file` reads a file that the model names.
    ///
    /// # Errors
    /// Everything that is wrong with the experiment, the model, or a patch; each thing once.
    pub fn new(documents: &Documents, read_file: ReadFile<'_>) -> Result<Campaign, Vec<Problem>> {
        let patched = documents.patched_experiment()?;
        let experiment = Experiment::read(&patched)?;
        let problems = check_top(&documents.model);
        if !problems.is_empty() {
            return Err(problems);
        }
        let experiment = experiment.with_losses(&patched, &documents.model, read_file)?;
        let mut cells = Vec::new();
        let mut wrong = Wrong::new(experiment.search.as_ref());
        let mut warnings: Option<Vec<Problem>> = None;
        let varied = experiment.varied();
        let factors: Vec<&Factor> = experiment.factors.iter().chain(varied).collect();
        let ramp = experiment.ramp.as_ref();
        let of_each = documents.of_each_cell();
        for levels in point::combined(&experiment, varied) {
            for arm in &experiment.arms {
                let swept = experiment.factors.len();
                match cell(&of_each, arm, (&levels, swept), &factors, ramp, read_file) {
                    Ok((cell, suspicious)) => {
                        cells.push(cell);
                        // What one arm leaves unused another may be about.
                        match &mut warnings {
                            Some(kept) => kept.retain(|warning| suspicious.contains(warning)),
                            None => warnings = Some(suspicious),
                        }
                    }
                    Err(more) => wrong.add(more, &levels),
                }
            }
        }
        let problems = wrong.all();
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut problems = other_promises(&cells, &patched);
        let (misspelt, missing) = unwritten(&cells, &patched);
        problems.extend(misspelt);
        problems.extend(out_of_reach(&cells, &patched));
        problems.extend(milestones::others(&cells, &patched));
        problems.extend(beside_a_ramp(&documents.overrides, &experiment));
        if !problems.is_empty() {
            return Err(problems);
        }
        let declared = Declared::new(&experiment.compare, &experiment.arms, &cells[0]);
        let declared = declared.map_err(|wrong| {
            let placed = |problem: Problem| problem.located(&patched, &["compare"]);
            wrong.into_iter().map(placed).collect::<Vec<_>>()
        })?;
        experiment.asks_for_what_is_there(&cells[0], &patched)?;
        let seeds = experiment.seeds_at_most();
        let mut warnings = warnings.unwrap_or_default();
        warnings.extend(missing.into_iter().chain(renamed(&patched)));
        warnings.extend(overruled(&documents.overrides, &experiment));
        let mut campaign = Campaign {
            experiment,
            cells,
            seeds: Vec::new(),
            chosen: Chosen::by(&documents.overrides),
            adds_seeds: false,
            declared,
            warm_up: None,
            warnings,
        };
        let section = campaign.experiment.explores();
        let path = section.into_iter().chain(["seeds"]).map(str::to_owned).collect::<Vec<_>>();
        let at = documents.experiment.locate(&path);
        campaign.set_seeds(&seeds).map_err(|problem| vec![problem.at(at)])?;
        campaign.adds_seeds =
            campaign.declared.precision.is_some() && campaign.experiment.explores().is_none();
        let published = campaign.experiment.published.as_ref();
        if let Some(published) = published.filter(|_| !campaign.chosen.is_part) {
            let placed = |problem: Problem| vec![problem.located(&patched, &["published"])];
            published.check(&campaign).map_err(placed)?;
        }
        Ok(campaign)
    }

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
    /// [`next_seeds`](super::comparison::next_seeds) asks for.
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

    /// The runs of a cell among the results of the whole campaign, in the order of the seeds.
    #[must_use]
    pub fn runs_of<'r>(&self, results: &'r [RunResult], cell: usize) -> &'r [RunResult] {
        let seeds = self.seeds.len();
        &results[cell * seeds..(cell + 1) * seeds]
    }

    /// Runs the run of this number.
    #[must_use]
    pub fn run(&self, number: usize) -> RunResult {
        let (cell, seed) = self.cell_and_seed(number);
        run(&self.cells[cell], cell, seed)
    }
}

impl Cell {
    /// What goes wrong in a run, with these faults that were drawn for it.
    ///
    /// # Panics
    /// If a drawn fault does not fit the program: [`RandomPlan::new`] has refused those.
    #[must_use]
    pub fn plan_with(&self, drawn: &[DrawnFault]) -> Cow<'_, Plan> {
        if drawn.is_empty() {
            return Cow::Borrowed(&self.plan);
        }
        let mut faults = self.plan.faults.clone();
        faults.extend(drawn.iter().map(|drawn| drawn.fault.clone()));
        let plan = Plan::new(&faults, &self.program);
        Cow::Owned(plan.unwrap_or_else(|wrong| panic!("a drawn fault does not fit: {wrong:?}")))
    }

    /// What requests are followed to: milestones, and answers that objectives are about.
    #[must_use]
    pub fn followed(&self) -> Vec<Milestone> {
        [self.milestones.as_slice(), &self.objectives.answers].concat()
    }

    /// The names of the promises that are watched, in the order of the results.
    #[must_use]
    pub fn promises(&self) -> Vec<&str> {
        self.invariants.names()
    }

    /// When something can go wrong in a run.
    #[must_use]
    pub fn faults_act(&self) -> Option<(Time, Time)> {
        faults_act(&self.plan, self.random.as_ref())
    }
}

fn faults_act(plan: &Plan, random: Option<&RandomPlan>) -> Option<(Time, Time)> {
    match (plan.acts, random.map(RandomPlan::window)) {
        (Some(listed), Some(random)) => Some((listed.0.min(random.0), listed.1.max(random.1))),
        (listed, random) => listed.or(random),
    }
}

/// The drawn faults of an experiment, which end while users still arrive.
fn random_plan(
    text: &RandomText,
    experiment: &Experiment,
    program: &Program,
) -> Result<RandomPlan, Vec<Problem>> {
    if text.until >= experiment.arrivals {
        let problem =
            Problem::new("nobody arrives after the drawn faults, so no run recovers").expected(
                format!("less than {}, the time for which users arrive", experiment.arrivals),
            );
        return Err(vec![problem.inside("until")]);
    }
    RandomPlan::new(text, program)
}

/// The replicas that faults let take over.
fn promoted(experiment: &Experiment) -> Vec<&str> {
    let listed = experiment.faults.iter().filter_map(|fault| fault.to.as_deref());
    let drawn = experiment.random_faults.iter().flat_map(|text| text.kinds.values());
    listed.chain(drawn.filter_map(|kind| kind.to.as_deref())).collect()
}

/// What theory says of a cell with this model; notes what is wrong.
fn theories(
    experiment: &Experiment,
    model: &Value,
    (document, problems): (&Value, &mut Vec<Problem>),
) -> (Option<Theory>, Option<MeanField>) {
    let mut note = |problem: Problem, path: &[&str]| problems.push(problem.located(document, path));
    let theory = experiment.theory.as_ref().and_then(|text| {
        text.of(model, document).map_err(|problem| note(problem, &["theory"])).ok()
    });
    let mean_field = experiment.search.as_ref().and_then(|search| {
        let text = search.text.mean_field.as_ref()?;
        let path = ["search", "mean_field"];
        text.of(model, document).map_err(|problem| note(problem, &path)).ok()
    });
    (theory, mean_field)
}

fn cell(
    documents: &Documents,
    arm: &Variant,
    (levels, swept): (&[&Variant], usize),
    factors: &[&Factor],
    ramp: Option<&Ramp>,
    read_file: ReadFile<'_>,
) -> Result<(Cell, Vec<Problem>), Vec<Problem>> {
    let mut problems = Vec::new();
    let sets = levels.iter().map(|level| &level.set);
    // What a search varies is a value of what the arm has set.
    let varied = levels.get(swept).map(|level| &level.set);
    let sets = sets.take(swept).chain([&arm.set]).chain(varied);
    let sets: Vec<_> = sets.flatten().chain(ramp.map(|ramp| &ramp.arrivals)).collect();
    let (experiment_document, mut model) = documents.patched(&sets, &mut problems)?;
    let mut experiment = Experiment::read(&experiment_document)?;
    limit::lose(&mut experiment, &mut model, &experiment_document)?;
    let program = compile::compile(&model, read_file)?;
    let plan = Plan::new(&experiment.faults, &program).unwrap_or_else(|wrong| {
        let placed = |(index, problem): (usize, Problem)| {
            problem.located(&experiment_document, &["faults", &index.to_string()])
        };
        problems.extend(wrong.into_iter().map(placed));
        Plan::default()
    });
    let random = experiment.random_faults.as_ref().and_then(|text| {
        random_plan(text, &experiment, &program)
            .map_err(|wrong| {
                let placed =
                    |problem: Problem| problem.located(&experiment_document, &["random_faults"]);
                problems.extend(wrong.into_iter().map(placed));
            })
            .ok()
    });
    let of_promise = |(name, problem): (String, Problem)| {
        problem.located(&experiment_document, &["invariants", &name])
    };
    if let Err(wrong) = Invariants::new(&experiment.invariants, &program) {
        problems.extend(wrong.into_iter().map(of_promise));
    }
    let (theory, mean_field) = theories(&experiment, &model, (&experiment_document, &mut problems));
    let mut suspicious = unused(&model, &program, &promoted(&experiment));
    let milestones =
        milestones::compiled(&experiment, &program, &experiment_document, &mut problems);
    let measured = milestones::measured(&experiment.measure, &experiment.milestones);
    let measure =
        milestones::measure(&experiment, &program, &plan, (&experiment_document, &mut problems));
    let context = (&experiment_document, &mut problems);
    let objectives = objectives::compiled(&experiment, &milestones, (&program, &measure), context);
    let prices = price::compiled(&experiment, &program, (&experiment_document, &mut problems));
    let acts = faults_act(&plan, random.as_ref());
    let judged = (measure.window, acts, milestones::judged_until(&experiment, measured));
    let metastability =
        metastability::compiled(&experiment, judged, (&experiment_document, &mut problems));
    problems.extend(attribution::wrong(&experiment, acts.is_some(), &experiment_document));
    let blast_radius =
        blast_radius::compiled(&experiment, &program, (&experiment_document, &mut problems));
    let observing = observe::compiled(&experiment, &program, (&experiment_document, &mut problems));
    let limits = experiment.limits.until(measure.arrivals_end + experiment.drain);
    if !problems.is_empty() {
        return Err(problems);
    }
    let names = |part: fn(&Variant) -> &str, join: &str, with_factor: bool| {
        let name = |(factor, level): (&&Factor, &&Variant)| match with_factor {
            true => format!("{}={}", factor.name, part(level)),
            false => part(level).to_owned(),
        };
        factors.iter().zip(levels).map(name).collect::<Vec<_>>().join(join)
    };
    suspicious.extend(doubtful(&model, &program));
    suspicious.extend(unbreakable(&experiment.invariants, &program).into_iter().map(of_promise));
    suspicious.extend(late_faults(&experiment, &experiment_document));
    let cell = Cell {
        arm: arm.name.clone(),
        arm_label: arm.label.clone(),
        point: names(|level| &level.name, " ", true),
        point_label: names(|level| &level.label, ", ", false),
        program,
        plan,
        random,
        measure,
        finds_warm_up: experiment.warm_up() == WarmUp::Auto,
        ends_when_done: !experiment.states_drain,
        metrics: experiment.metrics,
        milestones,
        objectives,
        prices,
        measured,
        metastability,
        attribution: experiment.attribution,
        blast_radius,
        observing,
        invariants: experiment.invariants,
        expect: experiment.expect,
        limits,
        theory,
        mean_field,
    };
    Ok((cell, suspicious))
}
