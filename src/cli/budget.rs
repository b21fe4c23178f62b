//! `stormglass budget`: which failure spends an error budget, and which change buys it back.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use annotate_snippets::Level;
use indexmap::IndexMap;

use super::extends::folder;
use super::load::{Amend, Input, Read, read_amended, read_text, render};
use super::reach::Reach;
use super::write::Folder;
use super::{Failure, output, parse_seeds, parse_workers, progress, workers};
use crate::experiment::budget::found::{Asked, found};
use crate::experiment::budget::language::BudgetText;
use crate::experiment::budget::{Arm, Kind, Simulated, arms};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::seeds::Seeds;
use crate::experiment::run::result::{RunResult, digest_of_runs};
use crate::metric::Objective;
use crate::model::document::{Data, Sources, Value};
use crate::model::problem::Problem;
use crate::report::budget::{Report, days};
use crate::report::number::several;
use crate::report::outputs::{BUDGET_OUTPUTS, BudgetSources};
use crate::report::table::wrap;

/// What `budget` is told.
#[derive(Debug, clap::Args)]
pub(super) struct BudgetArguments {
    /// The kinds of incident, such as experiments/budgets/shop.toml.
    budget: PathBuf,
    /// The seeds from A up to, but without, B instead of the file's own.
    #[arg(long, value_name = "A..B", value_parser = parse_seeds)]
    seeds: Option<Seeds>,
    /// How many runs at once; all cores by default. No result depends on it.
    #[arg(long, value_name = "N", value_parser = parse_workers)]
    workers: Option<u16>,
    /// Let paths in the files lead into this folder too. Can be given more than once.
    #[arg(long, value_name = "DIR")]
    allow_outside: Vec<PathBuf>,
    /// Write results to this folder instead of out/NAME.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the summary as JSON on standard output, and nothing else.
    #[arg(long)]
    json: bool,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
    /// Print every table with its intervals, as in budget.md.
    #[arg(long)]
    full: bool,
}

/// Everything that runs.
struct Loaded {
    text: BudgetText,
    kinds: Vec<Kind>,
    /// Runs in which nothing goes wrong: first those of the experiment of the file.
    calm: Vec<Campaign>,
    /// Runs of each kind, and which of the calm ones are theirs.
    with: Vec<(Campaign, usize)>,
    objective: Objective,
    /// Name and text of every file that was read.
    files: Vec<(String, String)>,
}

/// Simulates each kind of incident, draws windows from what they cost, and tells what that is.
pub(super) fn budget(arguments: &BudgetArguments) -> Result<(), Failure> {
    let mut sources = Sources::default();
    let loaded = load(arguments, &mut sources)
        .map_err(|problems| Failure::Input(render(&problems, &sources, &Level::ERROR)))?;
    let name = Path::new("out").join(&loaded.text.name);
    let folder = Folder::prepare(arguments.out.as_ref().unwrap_or(&name))?;
    let (arms, runs) = simulated(arguments, &loaded)?;
    let asked = Asked {
        kinds: loaded.kinds.clone(),
        days: days(loaded.objective.window),
        windows: loaded.text.windows,
        seed: loaded.text.calendar_seed,
        policy: loaded.text.policy,
    };
    let report = Report {
        text: &loaded.text,
        asked: &asked,
        objective: &loaded.objective,
        prices: loaded.calm[0].cells[0].prices.as_ref(),
        found: &found(&asked, &arms),
        arms: &arms,
        runs: runs.len() as u64,
        digest: digest_of_runs(runs.iter().map(|run| (run.seed, run.digest))),
    };
    let written = write_all(folder, &BudgetSources { report: &report, files: &loaded.files })?;
    if arguments.json {
        return output::print_exactly(&report.summary_json());
    }
    if !arguments.quiet {
        output::print(&told(&report, arguments.full, &written))?;
    }
    Ok(())
}

/// The answer, the table, what cannot be seen, and what was written.
fn told(report: &Report<'_>, full: bool, written: &[PathBuf]) -> String {
    let (width, colour) = (output::width(), output::colour_out());
    let lines = |texts: Vec<String>| -> String {
        texts.iter().flat_map(|text| wrap(text, width)).map(|line| line + "\n").collect()
    };
    let mut text = format!("{}\n{}", lines(report.answer()), report.short().text(width, colour));
    match full {
        true => {
            let tables = report.tables();
            text.extend(tables.iter().map(|table| format!("\n{}", table.text(width, colour))));
            text.push_str(&format!("\n{}", lines(report.notes())));
        }
        false => text.push_str(&lines(report.short_notes())),
    }
    let folder = written.first().and_then(|path| path.parent());
    let folder = folder.map(|folder| folder.display().to_string()).unwrap_or_default();
    let count = several(written.len() as u64, "file");
    text + &format!("every number with its interval: {folder}/budget.md; wrote {count}\n")
}

fn write_all(mut folder: Folder, of: &BudgetSources<'_>) -> Result<Vec<PathBuf>, Failure> {
    for output in &BUDGET_OUTPUTS {
        if let Some(bytes) = (output.make)(of) {
            folder.write(output, &bytes)?;
        }
    }
    folder.publish()
}

/// Runs everything; returns what each arm spends, and all runs in their order.
fn simulated(
    arguments: &BudgetArguments,
    loaded: &Loaded,
) -> Result<(Vec<Arm>, Vec<RunResult>), Failure> {
    let campaigns = || loaded.calm.iter().chain(loaded.with.iter().map(|(with, _)| with));
    let runs = campaigns().map(Campaign::runs).sum();
    let bar = progress::bar(runs, 0, arguments.quiet || arguments.json);
    let pool = workers::pool(arguments.workers)?;
    let run = |campaign: &Campaign| {
        workers::run_while(campaign, &pool, &bar, Vec::new(), || false).unwrap_or_default()
    };
    let calm: Vec<Vec<RunResult>> = loaded.calm.iter().map(run).collect();
    let with: Vec<Vec<RunResult>> = loaded.with.iter().map(|(with, _)| run(with)).collect();
    bar.finish_and_clear();
    let kinds: Vec<(&Kind, Simulated<'_>, Simulated<'_>)> = (0..loaded.kinds.len())
        .map(|kind| {
            let (campaign, own) = (&loaded.with[kind].0, loaded.with[kind].1);
            let without = Simulated { campaign: &loaded.calm[own], results: &calm[own] };
            (&loaded.kinds[kind], Simulated { campaign, results: &with[kind] }, without)
        })
        .collect();
    let base = Simulated { campaign: &loaded.calm[0], results: &calm[0] };
    let arms = arms(&loaded.objective.name, base, &kinds)?;
    Ok((arms, calm.into_iter().chain(with).flatten().collect()))
}

/// What a budget leaves out of an experiment: it looks at objectives and prices alone.
const LEFT_OUT: [&str; 6] =
    ["attribution", "metastability", "blast_radius", "compare", "expect", "sometimes"];

/// Reads the file, and every experiment that it names, with and without what goes wrong.
fn load(arguments: &BudgetArguments, sources: &mut Sources) -> Result<Loaded, Vec<Problem>> {
    let path = &arguments.budget;
    let source = read_text(path, sources)?;
    let document = Value::parse(sources, source)?;
    let text = BudgetText::read(&document)?;
    let reach = Reach::new(path, &arguments.allow_outside, &[]);
    let named = RefCell::new(IndexMap::new());
    let mut reader = Reader { arguments, document: &document, reach, sources, named: &named };
    let seeds = arguments.seeds.as_ref().or(text.seeds.as_ref());
    let none = Value { data: Data::List(Vec::new()), at: document.at };
    let mut base = reader.experiment(&text.experiment, &["experiment"], Some(&none), true)?;
    let at = |path: &[&str], problem: Problem| vec![problem.located(&document, path)];
    let seeds = seeds.unwrap_or(&base.experiment.seeds).clone();
    let objective = objective(&base, text.objective.as_deref())
        .map_err(|problem| at(&["objective"], problem))?;
    fits(&base, &base, &objective).map_err(|problem| at(&["experiment"], problem))?;
    base.set_seeds(&seeds).map_err(|problem| at(&["seeds"], problem))?;
    let (mut calm, mut with, mut kinds) = (vec![base], Vec::new(), Vec::new());
    for (name, own) in &text.incident {
        let path = ["incident", name.as_str(), "faults"];
        let faults = document.find(&path.map(str::to_owned));
        let path = ["incident", name.as_str(), "experiment"];
        let file = own.experiment.as_ref().unwrap_or(&text.experiment);
        let mut campaign = reader.experiment(file, &path, faults, own.experiment.is_none())?;
        fits(&campaign, &calm[0], &objective).map_err(|problem| at(&path, problem))?;
        campaign.set_seeds(&seeds).map_err(|problem| at(&["seeds"], problem))?;
        let own_calm = match own.experiment {
            None => 0,
            Some(_) => {
                let mut without = reader.experiment(file, &path, Some(&none), true)?;
                without.set_seeds(&seeds).map_err(|problem| at(&["seeds"], problem))?;
                calm.push(without);
                calm.len() - 1
            }
        };
        with.push((campaign, own_calm));
        kinds.push(Kind {
            name: name.clone(),
            label: own.label.clone().unwrap_or_else(|| name.replace('_', " ")),
            per_month: own.per_month,
            is_change: own.change,
        });
    }
    let documents = sources.iter().map(|(name, text)| (name.to_owned(), text.to_owned()));
    let mut files: Vec<(String, String)> = Vec::new();
    for file in documents.chain(named.into_inner().into_iter().map(|(name, it)| (name, it.text))) {
        if !files.contains(&file) {
            files.push(file);
        }
    }
    Ok(Loaded { text, kinds, calm, with, objective, files })
}

/// Reads experiments that a budget names.
struct Reader<'a> {
    arguments: &'a BudgetArguments,
    document: &'a Value,
    reach: Reach,
    sources: &'a mut Sources,
    named: &'a RefCell<IndexMap<String, Read>>,
}

impl Reader<'_> {
    /// An experiment with these faults in place of its own; with its own where there are none.
    /// Faults that are drawn stay only where nothing of its own is replaced.
    fn experiment(
        &mut self,
        name: &str,
        named_at: &[&str],
        faults: Option<&Value>,
        without_drawn: bool,
    ) -> Result<Campaign, Vec<Problem>> {
        let path = folder(&self.arguments.budget).join(name);
        let placed = |problem: Problem| vec![problem.located(self.document, named_at)];
        self.reach.check(&path, name).map_err(placed)?;
        let amend: &Amend = &|experiment: &mut Value| {
            let Data::Table(fields) = &mut experiment.data else { return };
            let is_left_out =
                |key: &str| LEFT_OUT.contains(&key) || (without_drawn && key == "random_faults");
            fields.retain(|key, _| !is_left_out(key));
            if let Some(faults) = faults {
                // A table takes a value under a new name.
                let _ = experiment.set(&["faults".to_owned()], faults.clone());
            }
        };
        let allowed = &self.arguments.allow_outside;
        let input = Input { experiment: &path, seeds: None, set: &[], allowed, quiet: true };
        let read = read_amended(input, self.sources, self.named, amend);
        read.map_err(|problems| {
            let at =
                self.document.locate(&named_at.iter().map(|&it| it.to_owned()).collect::<Vec<_>>());
            problems.into_iter().map(|problem| problem.at(at)).collect()
        })
    }
}

/// The objective whose budget is spent.
fn objective(base: &Campaign, name: Option<&str>) -> Result<Objective, Problem> {
    let list = &base.cells[0].objectives.list;
    let known: Vec<&str> = list.iter().map(|own| own.name.as_str()).collect();
    match (name, list.as_slice()) {
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err(Problem::new("the experiment has no objective, and so no budget")
            .expected("[slo.NAME] in the experiment")),
        (None, _) => Err(Problem::new("it is not said whose budget is spent")
            .expected(format!("`objective`, one of: {}", known.join(", ")))),
        (Some(name), _) => {
            let found = list.iter().find(|own| own.name == name);
            found.cloned().ok_or_else(|| Problem::unknown("objective", name, &known))
        }
    }
}

/// That an experiment can be compared with the first one.
fn fits(campaign: &Campaign, base: &Campaign, objective: &Objective) -> Result<(), Problem> {
    if let Some(section) = campaign.experiment.explores() {
        return Err(Problem::new(format!("an experiment with [{section}] compares no arms"))
            .expected("an experiment that runs every arm under every seed"));
    }
    if campaign.points().len() > 1 {
        return Err(Problem::new("a budget has arms, and this experiment has factors as well")
            .expected("an experiment without `factors`"));
    }
    if campaign.arms() != base.arms() {
        return Err(Problem::new("this experiment has other arms than the first one")
            .expected(format!("in this order: {}", base.arms().join(", "))));
    }
    for cell in &campaign.cells {
        let own = cell.objectives.list.iter().find(|own| own.name == objective.name);
        if own.is_none_or(|own| own.window != objective.window || own.target != objective.target) {
            let name = &objective.name;
            return Err(Problem::new(format!("`{}` has another objective `{name}`", cell.arm))
                .expected("the same target and window everywhere"));
        }
        if cell.finds_warm_up {
            return Err(Problem::new("runs with an incident and without begin to count together")
                .expected("a `warm_up` in [measure] of the experiment, such as \"0s\""));
        }
    }
    Ok(())
}
