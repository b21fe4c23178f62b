//! `stormglass review`: which failure each part of a model contains, and which one it introduces.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::json;

use super::load::{Input, Loaded, load_input, load_text};
use super::{Failure, choice, output, parse_seeds, parse_workers, progress, workers, write};
use crate::experiment::judge::check::{CheckVerdict, check_run, judge};
use crate::experiment::measure::summary::summarise;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::documents::Documents;
use crate::experiment::plan::seeds::Seeds;
use crate::experiment::plan::variant::Variant;
use crate::experiment::review::{Base, Reviewed};
use crate::model::document::{Sources, Value};
use crate::model::problem::Problem;
use crate::report::command::quoted;
use crate::report::number::several;
use crate::report::review::{self, Checked, PartRuns, markdown, text};

/// What `review` is told.
#[derive(Debug, clap::Args)]
pub(super) struct ReviewArguments {
    /// The model, such as models/checkout.toml.
    model: PathBuf,
    /// The experiment whose load, promises and measures count; without it, users arrive for 60 s
    /// and nothing is promised.
    #[arg(long, value_name = "FILE")]
    experiment: Option<PathBuf>,
    /// The arm of the experiment that is reviewed; without it, the first.
    #[arg(long, value_name = "NAME", requires = "experiment")]
    arm: Option<String>,
    /// The seeds from A up to, but without, B.
    #[arg(long, value_name = "A..B", value_parser = parse_seeds, default_value = "1..6")]
    seeds: Seeds,
    /// Write the review and its experiments to this folder instead of out/review-NAME.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How many runs at once; all cores by default. No result depends on it.
    #[arg(long, value_name = "N", value_parser = parse_workers)]
    workers: Option<u16>,
    /// Set any value of the model or the experiment, such as policy.checkout.timeout=1s. Can be
    /// given more than once.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Let paths in the experiment and the model lead into this folder too. Can be given more than
    /// once.
    #[arg(long, value_name = "DIR")]
    allow_outside: Vec<PathBuf>,
    /// Print JSON on standard output, and nothing else.
    #[arg(long)]
    json: bool,
}

/// The model's file in the folder of a review.
const MODEL: &str = "model.toml";

/// What a model is reviewed in that comes without an experiment.
const ALONE: &str = "\
name = \"review\"
title = \"A review\"
question = \"What does each part do?\"
model = \"model.toml\"
seeds = \"1..2\"
arrivals = \"60s\"
";

/// The width of a paragraph in Markdown.
const MARKDOWN_WIDTH: usize = 120;

/// Reviews a model.
pub(super) fn review(arguments: &ReviewArguments) -> Result<(), Failure> {
    let (base, loaded) = base(arguments)?;
    let name = arguments.model.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let folder = arguments.out.clone();
    let folder = folder.unwrap_or_else(|| Path::new("out").join(format!("review-{name}")));
    save(&folder, MODEL, &base.model.to_string())?;
    loaded.write_named(&folder)?;
    let mut parts = Vec::new();
    for reviewed in base.parts() {
        parts.push(runs_of(reviewed, &base, &loaded, &folder, arguments)?);
    }
    if parts.is_empty() {
        let problem = Problem::new("this model has no part that a review knows how to leave out");
        let expected = "a call between services, a queue, a cache, a replica, a projection that a \
                        promise names, or a second region";
        return Err(problem.expected(expected).into());
    }
    let title = format!("Review of {name}");
    save(&folder, "review.md", &markdown(&title, &parts, MARKDOWN_WIDTH))?;
    let text_of_json = format!("{:#}\n", json!({ "model": name, "parts": review::json(&parts) }));
    save(&folder, "review.json", &text_of_json)?;
    if arguments.json {
        return output::print_exactly(&text_of_json);
    }
    let seeds = several(arguments.seeds.0.clone().count() as u64, "seed");
    output::print(&format!("{title}: each number is of {seeds}\n\n"))?;
    output::print(&text(&parts, output::width()))?;
    output::print(&format!(
        "\nThe table is {}, and every line of it an experiment beside it.\n",
        quoted(&folder.join("review.md").display().to_string())
    ))
}

/// What is reviewed, and what it was read from.
fn base(arguments: &ReviewArguments) -> Result<(Base, Loaded), Failure> {
    let model = toml::Value::String(arguments.model.display().to_string());
    let mut set = vec![format!("model={model}")];
    set.extend(arguments.set.iter().cloned());
    let experiment = arguments.experiment.as_deref().unwrap_or(Path::new("review.toml"));
    let allowed = &arguments.allow_outside;
    let input = Input { experiment, seeds: None, set: &set, allowed, quiet: true };
    let loaded = match arguments.experiment {
        Some(_) => load_input(input)?,
        None => load_text(ALONE, input)?,
    };
    let (experiment, model) = loaded.documents.of_arm(arm_of(&loaded, arguments)?)?;
    let mut experiment = table(&experiment);
    let seeds = &arguments.seeds.0;
    experiment.insert("seeds".to_owned(), format!("{}..{}", seeds.start, seeds.end).into());
    let base = Base { experiment, model: table(&model), model_file: MODEL.to_owned() };
    Ok((base, loaded))
}

fn arm_of<'l>(loaded: &'l Loaded, arguments: &ReviewArguments) -> Result<&'l Variant, Failure> {
    let campaign = &loaded.campaign;
    let arms = &campaign.experiment.arms;
    match &arguments.arm {
        None => Ok(&arms[0]),
        Some(name) => {
            let arm = arms.iter().find(|arm| arm.name == *name);
            arm.ok_or_else(|| Problem::unknown("arm", name, &campaign.arms()).into())
        }
    }
}

fn table(document: &Value) -> toml::Table {
    match document.toml() {
        toml::Value::Table(table) => table,
        _ => unreachable!("a document is a table at its top"),
    }
}

/// Runs the experiment of a part and its check, and writes both.
fn runs_of(
    mut reviewed: Reviewed,
    base: &Base,
    loaded: &Loaded,
    folder: &Path,
    arguments: &ReviewArguments,
) -> Result<PartRuns, Failure> {
    let mut text = base.experiment_of(&reviewed);
    let campaign = compiled(&text, base, loaded).or_else(|problems| {
        reviewed.keep(problems.first().map_or(String::new(), Problem::to_string));
        text = base.experiment_of(&reviewed);
        compiled(&text, base, loaded)
    });
    let mut campaign = campaign?;
    let file = save(folder, &format!("{}.toml", reviewed.experiment), &text)?;
    workers::find_warm_up(&mut campaign, arguments.workers)?;
    let bar = progress::bar(campaign.runs(), 0, arguments.json);
    let pool = workers::pool(arguments.workers)?;
    let results = workers::run_while(&campaign, &pool, &bar, Vec::new(), || false);
    bar.finish_and_clear();
    let results = results.expect("nothing stops the runs");
    let summaries = summarise(&campaign, &results);
    let mut part = PartRuns { reviewed, campaign, summaries, check: None, file };
    if let Some(check) = base.check_of(&part.reviewed, part.p99_ms()) {
        let campaign = compiled(&check.text, base, loaded)?;
        let file = save(folder, &format!("{}.toml", check.experiment), &check.text)?;
        let verdicts = verdicts(campaign, arguments)?;
        part.check = Some(Checked { check, verdicts, file });
    }
    Ok(part)
}

/// What `check` says of each arm of an experiment.
fn verdicts(
    mut campaign: Campaign,
    arguments: &ReviewArguments,
) -> Result<Vec<(String, CheckVerdict)>, Failure> {
    workers::find_warm_up(&mut campaign, arguments.workers)?;
    let pool = workers::pool(arguments.workers)?;
    let names: Vec<String> = campaign.arms().into_iter().map(str::to_owned).collect();
    let verdict = |name: String| {
        let mut own = campaign.clone();
        choice::keep_cells(&mut own, std::slice::from_ref(&name), &[])?;
        let runs = pool.install(|| {
            own.seeds.par_iter().map(|&seed| check_run(&own, 0, seed)).collect::<Vec<_>>()
        });
        Ok((name, judge(&own, &runs, true).verdict()))
    };
    names.into_iter().map(verdict).collect()
}

/// The campaign of an experiment of a review.
fn compiled(text: &str, base: &Base, loaded: &Loaded) -> Result<Campaign, Vec<Problem>> {
    let mut sources = Sources::default();
    let mut parse = |text: &str| {
        let source = sources.add("review", text);
        Value::parse(&sources, source)
    };
    let (experiment, model) = (parse(text)?, parse(&base.model.to_string())?);
    let documents = Documents { experiment, model, overrides: Vec::new() };
    Campaign::new(&documents, &|name| {
        let found = loaded.named().iter().find(|(known, _)| known == name);
        found
            .map(|(_, text)| text.clone())
            .ok_or_else(|| Problem::new(format!("there is no file `{name}`")))
    })
}

/// Writes a file of the review; returns its path.
fn save(folder: &Path, name: &str, text: &str) -> Result<String, Failure> {
    let path = folder.join(name);
    write::write_file(&path, text.as_bytes())?;
    Ok(quoted(&path.display().to_string()))
}
