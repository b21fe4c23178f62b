//! Stormglass as a library: read an experiment, run it, ask for what it came to.

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::load::{Input, Loaded, load_input, render};
use super::{Failure, workers};
use crate::experiment::compare::answer::Answer;
use crate::experiment::compare::{compare, next_seeds};
use crate::experiment::measure::summary::{CellSummary, summarise};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::documents::Documents;
use crate::experiment::plan::seeds::Seeds;
use crate::experiment::run::result::RunResult;
use crate::model::document::Sources;
use crate::model::problem::Problem;
use crate::model::renamed;
use crate::policy::custom::Custom;
use crate::report::{answer, files};
use crate::statistics::Interval;

/// An experiment that is ready to run.
#[derive(Debug)]
pub struct Experiment {
    campaign: Campaign,
}

/// What an experiment came to.
#[derive(Debug)]
pub struct Results {
    campaign: Campaign,
    runs: Vec<RunResult>,
    summaries: Vec<CellSummary>,
    arms: Vec<Arm>,
    answer: Answer,
    sentences: Vec<String>,
}

/// What an arm came to at one point.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// Its name in the experiment.
    pub name: String,
    /// What tables call it.
    pub label: String,
    /// The point: `factor=level` for each factor, with spaces between; empty without.
    pub point: String,
    /// The promises that the experiment watches, in the order of its results.
    pub promises: Vec<Promise>,
    metrics: Vec<(String, Estimate)>,
}

/// The mean of a metric over the seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean, in the unit of the metric's name.
    pub mean: f64,
    /// Its 95% interval; `None` where too few seeds tell.
    pub interval: Option<Interval>,
}

/// How a promise was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Its name in the experiment.
    pub name: String,
    /// What tables call what is counted when it breaks.
    pub label: String,
    /// Violations of all runs.
    pub violations: u64,
    /// How often it could have been broken, and was judged: nothing passes that was not exercised.
    pub exposure: u64,
}

/// Why an experiment cannot be read or run: every problem with its place, as the command line
/// shows it.
#[derive(Debug)]
pub struct Error(String);

impl Experiment {
    /// Reads an experiment with its model and what they name.
    ///
    /// # Errors
    /// Everything that is wrong with the files, each with its place.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Experiment, Error> {
        let experiment = path.as_ref();
        let input = Input { experiment, seeds: None, set: &[], allowed: &[], quiet: true };
        let Loaded { campaign, .. } = load_input(input)?;
        Ok(Experiment { campaign })
    }

    /// Reads an experiment and its model from texts in TOML; `model` in the experiment is only a
    /// name then, and neither may name further files.
    ///
    /// # Errors
    /// Everything that is wrong with the texts, each with its place.
    pub fn from_texts(experiment: &str, model: &str) -> Result<Experiment, Error> {
        let mut sources = Sources::default();
        let campaign = read(&mut sources, experiment, model);
        let campaign = campaign.map_err(|problems| {
            Error(render(&problems, &sources, &annotate_snippets::Level::ERROR))
        })?;
        Ok(Experiment { campaign })
    }

    /// The same under other seeds.
    ///
    /// # Errors
    /// If there is no seed in the range, or there would be too many runs.
    pub fn with_seeds(mut self, seeds: Range<u64>) -> Result<Experiment, Error> {
        let text = format!("{}..{}", seeds.start, seeds.end);
        let seeds = Seeds::parse(&text);
        let seeds = seeds.ok_or_else(|| Problem::new(text).expected(Seeds::EXPECTED))?;
        self.campaign.set_seeds(&seeds)?;
        Ok(self)
    }

    /// Lets a policy of one's own decide in an arm wherever its model names this one, and calls the
    /// arm by this label from then on.
    ///
    /// # Errors
    /// If there is no such arm, or its model has no policy of this name.
    pub fn with_policy(
        mut self,
        (arm, label): (&str, &str),
        policy: &str,
        own: &Arc<dyn Custom>,
    ) -> Result<Experiment, Error> {
        self.campaign.replace_policy(arm, policy, own)?;
        for cell in self.campaign.cells.iter_mut().filter(|cell| cell.arm == arm) {
            label.clone_into(&mut cell.arm_label);
        }
        let arms = self.campaign.experiment.arms.iter_mut();
        arms.filter(|known| known.name == arm).for_each(|known| label.clone_into(&mut known.label));
        Ok(self)
    }

    /// Runs every arm at every point under every seed, on all cores. The same experiment has the
    /// same results, however many there are.
    ///
    /// # Errors
    /// If it is a search, or the machine refuses to start threads.
    pub fn run(mut self) -> Result<Results, Error> {
        if self.campaign.experiment.explores().is_some() {
            let what = "error: this experiment is a search\nhelp: `stormglass run` runs searches";
            return Err(Error(what.to_owned()));
        }
        workers::find_warm_up(&mut self.campaign, None)?;
        let mut known: Vec<Option<RunResult>> = Vec::new();
        let runs = loop {
            known.resize_with(self.campaign.runs(), || None);
            let campaign = &self.campaign;
            let run = |(number, known): (usize, Option<RunResult>)| {
                known.unwrap_or_else(|| campaign.run(number))
            };
            let runs: Vec<RunResult> =
                std::mem::take(&mut known).into_par_iter().enumerate().map(run).collect();
            match next_seeds(campaign, &runs) {
                Some(seeds) => known = self.campaign.grow(seeds, runs),
                None => break runs,
            }
        };
        Ok(Results::new(self.campaign, runs))
    }
}

fn read(sources: &mut Sources, experiment: &str, model: &str) -> Result<Campaign, Vec<Problem>> {
    let mut parse = |name: &str, text: &str| {
        let source = sources.add(name, text);
        renamed::parse(sources, source)
    };
    let documents = Documents {
        experiment: parse("the experiment", experiment)?,
        model: parse("the model", model)?,
        overrides: Vec::new(),
    };
    let no_files = |name: &str| {
        let problem = Problem::new(format!("`{name}` is a file, and this model is a text"));
        Err(problem.expected("`Experiment::from_path`, which reads files"))
    };
    Campaign::new(&documents, &no_files)
}

impl Results {
    fn new(campaign: Campaign, runs: Vec<RunResult>) -> Results {
        let summaries = summarise(&campaign, &runs);
        let answer = Answer::new(&campaign, &runs);
        let sentences = answer::sentences(&campaign, &summaries, &answer);
        let arms = (0..campaign.cells.len()).map(|cell| arm(&campaign, &summaries, cell)).collect();
        Results { campaign, runs, summaries, arms, answer, sentences }
    }

    /// The answer: what to take, what to avoid, and what the runs do not decide.
    #[must_use]
    pub fn answer(&self) -> &[String] {
        &self.sentences
    }

    /// Every arm at the first point, then at the second, and so on.
    #[must_use]
    pub fn arms(&self) -> &[Arm] {
        &self.arms
    }

    /// The arm of this name at the first point.
    #[must_use]
    pub fn arm(&self, name: &str) -> Option<&Arm> {
        self.arms.iter().find(|arm| arm.name == name)
    }

    /// The text of `summary.json`, which has all of it.
    #[must_use]
    pub fn summary_json(&self) -> String {
        let comparison = compare(&self.campaign, &self.runs);
        let answer = (&self.answer, self.sentences.as_slice());
        let runs = (self.runs.as_slice(), self.summaries.as_slice());
        files::summary_json(&self.campaign, runs, &comparison, answer)
    }

    /// The text of `runs.csv`: a row for each arm, point and seed.
    #[must_use]
    pub fn runs_csv(&self) -> String {
        files::runs_csv(&self.campaign, &self.runs)
    }
}

fn arm(campaign: &Campaign, summaries: &[CellSummary], index: usize) -> Arm {
    let (cell, summary) = (&campaign.cells[index], &summaries[index]);
    let metrics = campaign.metrics().iter().zip(&summary.metrics);
    let metrics = metrics.filter_map(|(metric, value)| {
        let value = value.as_ref()?;
        let estimate = Estimate { mean: value.mean, interval: value.interval };
        Some((metric.name.clone().into_owned(), estimate))
    });
    let promises = summary.invariants.iter().map(|it| Promise {
        name: it.name.clone(),
        label: it.label.clone(),
        violations: it.violations,
        exposure: it.exposure,
    });
    Arm {
        name: cell.arm.clone(),
        label: cell.arm_label.clone(),
        point: cell.point.clone(),
        promises: promises.collect(),
        metrics: metrics.collect(),
    }
}

impl Arm {
    /// A metric by its name, which docs/results.md lists; `None` where no run has a value.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<Estimate> {
        self.metrics.iter().find(|(known, _)| known == name).map(|&(_, estimate)| estimate)
    }

    /// A promise by its name.
    #[must_use]
    pub fn promise(&self, name: &str) -> Option<&Promise> {
        self.promises.iter().find(|promise| promise.name == name)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Error {
        match failure {
            Failure::Input(text) | Failure::Machine(text) => Error(text),
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Error {
        Error(format!("error: {problem}"))
    }
}
