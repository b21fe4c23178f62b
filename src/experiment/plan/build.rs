//! A campaign from its documents: every cell is compiled before the first run.

use super::campaign::{Campaign, Chosen};
use super::cell::{Cell, faults_act};
use super::documents::Documents;
use super::language::Experiment;
use super::measure::WarmUp;
use super::overrides::{beside_a_ramp, overruled};
use super::point::levels;
use super::unwritten::{out_of_reach, unwritten};
use super::variant::{Factor, Variant};
use super::{followed, milestones, objectives, observe};
use crate::experiment::compare::declared::Declared;
use crate::experiment::judge::watch::other_promises;
use crate::experiment::judge::{blast_radius, metastability};
use crate::experiment::measure::metrics::renamed;
use crate::experiment::measure::ramp::Ramp;
use crate::experiment::price;
use crate::experiment::search::limit::lose::lose;
use crate::experiment::search::wrong::Wrong;
use crate::fault::{Plan, RandomPlan, RandomText};
use crate::invariant::{Invariants, unbreakable};
use crate::model::compile;
use crate::model::compile::check_top;
use crate::model::document::{Patch, Value};
use crate::model::problem::Problem;
use crate::model::program::Program;
use crate::model::recording::ReadFile;
use crate::model::{doubtful, unused};
use crate::theory::{MeanField, Theory};

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
        let (cells, mut warnings) = cells(&experiment, documents, read_file)?;
        let mut problems = other_promises(&cells, &patched);
        let (misspelt, missing) = unwritten(&cells, &patched);
        problems.extend(misspelt);
        problems.extend(out_of_reach(&cells, &patched));
        problems.extend(followed::others(&cells, &patched));
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
}

/// Every cell: every arm at the first point, then at the second, and so on; with what is suspicious
/// about all of them.
fn cells(
    experiment: &Experiment,
    documents: &Documents,
    read_file: ReadFile<'_>,
) -> Result<(Vec<Cell>, Vec<Problem>), Vec<Problem>> {
    let mut cells = Vec::new();
    let mut wrong = Wrong::new(experiment.search.as_ref());
    let mut warnings: Option<Vec<Problem>> = None;
    let varied = experiment.varied();
    let factors: Vec<&Factor> = experiment.factors.iter().chain(varied).collect();
    let ramp = experiment.ramp.as_ref();
    let of_each = documents.of_each_cell();
    for levels in combined(experiment, varied) {
        for arm in &experiment.arms {
            let point =
                Point { levels: &levels, factors: &factors, swept: experiment.factors.len() };
            match cell(&of_each, arm, &point, ramp, read_file) {
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
    if problems.is_empty() { Ok((cells, warnings.unwrap_or_default())) } else { Err(problems) }
}

/// The levels at every point, at each of them with every value that a search varies.
fn combined<'e>(experiment: &'e Experiment, varied: Option<&'e Factor>) -> Vec<Vec<&'e Variant>> {
    let swept = experiment.points.iter().map(|point| levels(&experiment.factors, point));
    let Some(varied) = varied else { return swept.collect() };
    let with_value = |levels: Vec<&'e Variant>| {
        let longer = move |value| levels.iter().copied().chain([value]).collect();
        varied.levels.iter().map(longer).collect::<Vec<_>>()
    };
    swept.flat_map(with_value).collect()
}

/// A level of each factor.
struct Point<'e> {
    levels: &'e [&'e Variant],
    factors: &'e [&'e Factor],
    /// How many of them are no search's.
    swept: usize,
}

impl Point<'_> {
    /// What is set in a cell of an arm, in this order.
    fn sets<'s>(&'s self, arm: &'s Variant, ramp: Option<&'s Ramp>) -> Vec<&'s Patch> {
        let sets = self.levels.iter().map(|level| &level.set);
        // What a search varies is a value of what the arm has set.
        let varied = self.levels.get(self.swept).map(|level| &level.set);
        let sets = sets.take(self.swept).chain([&arm.set]).chain(varied);
        sets.flatten().chain(ramp.map(|ramp| &ramp.arrivals)).collect()
    }

    /// Its name: `factor=level` for each factor.
    fn name(&self) -> String {
        let levels = self.factors.iter().zip(self.levels);
        let names = levels.map(|(factor, level)| format!("{}={}", factor.name, level.name));
        names.collect::<Vec<_>>().join(" ")
    }

    /// What pictures and tables call it.
    fn label(&self) -> String {
        let labels = self.factors.iter().zip(self.levels).map(|(_, level)| level.label.as_str());
        labels.collect::<Vec<_>>().join(", ")
    }
}

/// What goes wrong in a cell, listed and drawn; notes what does not fit.
fn faults(
    experiment: &Experiment,
    program: &Program,
    (document, problems): (&Value, &mut Vec<Problem>),
) -> (Plan, Option<RandomPlan>) {
    let plan = Plan::new(&experiment.faults, program).unwrap_or_else(|wrong| {
        let placed = |(index, problem): (usize, Problem)| {
            problem.located(document, &["faults", &index.to_string()])
        };
        problems.extend(wrong.into_iter().map(placed));
        Plan::default()
    });
    let random = experiment.random_faults.as_ref().and_then(|text| {
        let placed = |problem: Problem| problem.located(document, &["random_faults"]);
        random_plan(text, experiment, program)
            .map_err(|wrong| problems.extend(wrong.into_iter().map(placed)))
            .ok()
    });
    (plan, random)
}

/// A cell, and what is suspicious about it.
fn cell(
    documents: &Documents,
    arm: &Variant,
    point: &Point<'_>,
    ramp: Option<&Ramp>,
    read_file: ReadFile<'_>,
) -> Result<(Cell, Vec<Problem>), Vec<Problem>> {
    let mut problems = Vec::new();
    let (document, mut model) = documents.patched(&point.sets(arm, ramp), &mut problems)?;
    let mut experiment = Experiment::read(&document)?;
    lose(&mut experiment, &mut model, &document)?;
    let program = compile::compile(&model, read_file)?;
    let (plan, random) = faults(&experiment, &program, (&document, &mut problems));
    if let Err(wrong) = Invariants::new(&experiment.invariants, &program) {
        problems.extend(wrong.into_iter().map(|wrong| of_promise(&document, wrong)));
    }
    let (theory, mean_field) = theories(&experiment, &model, (&document, &mut problems));
    let milestones = followed::compiled(&experiment, &program, &document, &mut problems);
    let measured = milestones::measured(&experiment.measure, &experiment.milestones);
    let measure = followed::measure(&experiment, &program, &plan, (&document, &mut problems));
    let context = (&document, &mut problems);
    let objectives =
        objectives::compiled(&experiment.objectives, &milestones, (&program, &measure), context);
    let prices = price::build::compiled(&experiment, &program, (&document, &mut problems));
    let acts = faults_act(&plan, random.as_ref());
    let judged = (measure.window, acts, followed::judged_until(&experiment, measured));
    let text = experiment.metastability.as_ref();
    let metastability = metastability::compiled(text, judged, (&document, &mut problems));
    problems.extend(wrong_attribution(&experiment, acts.is_some(), &document));
    let text = experiment.blast_radius.as_ref();
    let blast_radius = blast_radius::compiled(text, &program, (&document, &mut problems));
    let observing =
        observe::compiled(experiment.observe.as_ref(), &program, (&document, &mut problems));
    if !problems.is_empty() {
        return Err(problems);
    }
    let suspicious = suspicious(&experiment, &document, &model, &program);
    let cell = Cell {
        arm: arm.name.clone(),
        arm_label: arm.label.clone(),
        point: point.name(),
        point_label: point.label(),
        limits: experiment.limits.until(measure.arrivals_end + experiment.drain),
        finds_warm_up: experiment.warm_up() == WarmUp::Auto,
        ends_when_done: !experiment.states_drain,
        metrics: experiment.metrics,
        attribution: experiment.attribution,
        invariants: experiment.invariants,
        expect: experiment.expect,
        program,
        plan,
        random,
        measure,
        milestones,
        objectives,
        prices,
        measured,
        metastability,
        blast_radius,
        observing,
        theory,
        mean_field,
    };
    Ok((cell, suspicious))
}

/// What of a cell is no mistake, and likely the sign of one.
fn suspicious(
    experiment: &Experiment,
    document: &Value,
    model: &Value,
    program: &Program,
) -> Vec<Problem> {
    let mut found = unused(model, program, &promoted(experiment));
    found.extend(doubtful(model, program));
    let unbreakable = unbreakable(&experiment.invariants, program).into_iter();
    found.extend(unbreakable.map(|promise| of_promise(document, promise)));
    found.extend(late_faults(experiment, document));
    found
}

/// What is wrong with a promise, where it is asked for.
fn of_promise(document: &Value, (name, problem): (String, Problem)) -> Problem {
    problem.located(document, &["invariants", &name])
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

/// The faults that begin when every run is over.
fn late_faults(experiment: &Experiment, document: &Value) -> Vec<Problem> {
    let end = experiment.arrivals + experiment.drain;
    let late = experiment.faults.iter().enumerate().filter(|(_, fault)| fault.at >= end);
    let problem = |(index, _): (usize, _)| {
        let problem = Problem::new("this fault begins after the end of the run")
            .expected(format!("less than {end}"));
        problem.located(document, &["faults", &index.to_string(), "at"])
    };
    late.map(problem).collect()
}

/// What is wrong with `[attribution]`: that nothing is counted, or nothing goes wrong.
fn wrong_attribution(
    experiment: &Experiment,
    goes_wrong: bool,
    document: &Value,
) -> Option<Problem> {
    experiment.attribution?;
    let is_counted = !experiment.objectives.is_empty() || experiment.invariants.iter().len() > 0;
    let (message, expected) = match (is_counted, goes_wrong) {
        (false, _) => (
            "nothing is counted that could be attributed to a cause",
            "[slo.NAME] or [invariants] beside it",
        ),
        (true, false) => {
            ("nothing goes wrong, so there is no cause", "[[faults]] or [random_faults] beside it")
        }
        (true, true) => return None,
    };
    Some(Problem::new(message).expected(expected).located(document, &["attribution"]))
}
