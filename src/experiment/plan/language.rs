//! The language of `experiments/*.toml`, as it is written.

mod asked;
mod check;

use std::collections::BTreeSet;

use super::clock::since_the_start;
use super::documents::wrong_name;
use super::explored::Explored;
use super::limits::LimitsText;
use super::measure::MeasureText;
use super::milestones::{self, MilestoneTexts};
use super::objectives::{self, SloTexts};
use super::observe::ObserveText;
use super::point::{self, Point};
use super::seeds::Seeds;
use super::top::TOP;
use super::variant::{Factor, Variant, read_variants};
use crate::experiment::compare::language::CompareText;
use crate::experiment::judge::attribution::text::AttributionText;
use crate::experiment::judge::blast_radius::BlastRadiusText;
use crate::experiment::judge::expect::Expectation;
use crate::experiment::judge::metastability::MetastabilityText;
use crate::experiment::judge::sometimes::Sometimes;
use crate::experiment::measure::metrics::Metrics;
use crate::experiment::measure::ramp::Ramp;
use crate::experiment::price::language::{self as price, PriceText};
use crate::experiment::search::Search;
use crate::experiment::validation::language::PublishedText;
use crate::fault::{FaultText, RandomText};
use crate::invariant::WatchList;
use crate::kernel::time::Span;
use crate::metric::MetricId;
use crate::model::document::{Data, Value};
use crate::model::hidden::in_line;
use crate::model::problem::{Problem, shortened};
use crate::model::quantity::TimeOfDay;
use crate::model::{read, read_each};
use crate::theory::TheoryText;

/// An experiment, without its patches.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// Its name: results are written to `out/NAME`.
    pub name: String,
    /// What its pictures are called.
    pub title: String,
    /// What it answers.
    pub question: String,
    /// The model's file, relative to the experiment's.
    pub model: String,
    /// The seeds of its runs.
    pub seeds: Seeds,
    /// At which time of the day users begin to arrive, if it says so.
    pub starts_at: Option<TimeOfDay>,
    /// For how long users arrive.
    pub arrivals: Span,
    /// How long a run goes on after the last arrival, if anything is left to happen.
    pub drain: Span,
    /// Whether the experiment says so itself.
    pub states_drain: bool,
    /// What is measured.
    pub measure: MeasureText,
    /// What users are to have in the end.
    pub milestones: MilestoneTexts,
    /// How many events may be bad.
    pub objectives: SloTexts,
    /// What things cost that are counted in a run.
    pub price: Option<PriceText>,
    /// What goes wrong.
    pub faults: Vec<FaultText>,
    /// What goes wrong at random, drawn for each seed.
    pub random_faults: Option<RandomText>,
    /// Which promises are watched.
    pub invariants: WatchList,
    /// What is measured of every run.
    pub metrics: Metrics,
    /// What the metrics of every run must be.
    pub expect: Vec<Expectation>,
    /// What must happen in at least one run of the campaign.
    pub sometimes: Vec<Sometimes>,
    /// When a run is given up.
    pub limits: LimitsText,
    /// Each run is repeated without its faults, and labelled.
    pub metastability: Option<MetastabilityText>,
    /// Each run is repeated without each of its causes.
    pub attribution: Option<AttributionText>,
    /// Each run is repeated without its faults, and compared with that.
    pub blast_radius: Option<BlastRadiusText>,
    /// What is seen of runs beside what is measured of every run.
    pub observe: Option<ObserveText>,
    /// What arms are compared by.
    pub compare: CompareText,
    /// What is varied until the boundary is found.
    pub search: Option<Search>,
    /// What it asks beside that.
    pub explored: Explored,
    /// A load that goes up step by step, and down again.
    pub ramp: Option<Ramp>,
    /// The closed form that the model follows.
    pub theory: Option<TheoryText>,
    /// Figures of others that the runs are compared with.
    pub published: Option<PublishedText>,
    /// The alternatives.
    pub arms: Vec<Variant>,
    /// What is swept, in the order of the file.
    pub factors: Vec<Factor>,
    /// The combinations of levels at which every arm runs.
    pub points: Vec<Point>,
}

/// The least drain of an experiment that states none: a minute is longer than what a person waits.
const DRAIN_LEAST: Span = Span::from_secs(60);
/// The most combinations of arms and levels, and so the most arms: each is compiled and kept.
pub const CELLS_MAX: usize = 100_000;

impl Experiment {
    /// Reads an experiment.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(document: &Value) -> Result<Experiment, Vec<Problem>> {
        let mut problems = Vec::new();
        let experiment = read_parts(document, &mut problems);
        if problems.is_empty() { Ok(experiment) } else { Err(problems) }
    }
}

fn read_parts(document: &Value, problems: &mut Vec<Problem>) -> Experiment {
    if let Data::Table(fields) = &document.data {
        for (name, field) in fields {
            if !TOP.contains(&name.as_str()) {
                problems.push(Problem::unknown("key", name, &TOP).at(field.key_at));
            }
        }
    }
    if let Some(extends) = document.find(&["extends".to_owned()]) {
        let problem = Problem::new("what an experiment extends is read before anything is set");
        problems.push(problem.at(extends.at).expected("`extends` in the file itself"));
    }
    let timed = since_the_start(document, problems);
    let mut part = Parts { document: &timed, problems };
    let name = part.name();
    let measure: MeasureText = part.optional("measure").unwrap_or_default();
    let milestones = part.milestones(&measure);
    let blast_radius: Option<BlastRadiusText> = part.optional("blast_radius");
    let (objectives, metrics) = part.objectives(&measure, &milestones);
    let price = part.price(milestones.keys().chain(objectives.keys()));
    let metrics = metrics.with_twins(blast_radius.is_some()).with_prices(price.as_ref());
    let drain: Option<Span> = part.optional("drain");
    let (search, explored) = Explored::read(document, part.problems);
    let mut experiment = Experiment {
        title: part.line("title").unwrap_or_else(|| name.clone()),
        question: part.line("question").unwrap_or_default(),
        model: part.required("model").unwrap_or_default(),
        seeds: part.optional("seeds").unwrap_or(Seeds(1..31)),
        starts_at: part.optional("starts_at"),
        arrivals: part.required("arrivals").unwrap_or_default(),
        drain: drain.unwrap_or_default(),
        states_drain: drain.is_some(),
        measure,
        milestones,
        objectives,
        price,
        faults: part.list("faults"),
        random_faults: part.optional("random_faults"),
        invariants: WatchList::read(document.find(&["invariants".to_owned()]), part.problems),
        expect: part.expectations(&metrics),
        metrics,
        sometimes: part.sometimes(),
        limits: part.optional("limits").unwrap_or_default(),
        metastability: part.optional("metastability"),
        attribution: part.optional("attribution"),
        blast_radius,
        observe: part.optional("observe"),
        compare: part.optional("compare").unwrap_or_default(),
        search,
        explored,
        ramp: Ramp::read(document, part.problems),
        theory: part.optional("theory"),
        published: part.optional("published"),
        arms: part.variants("arms"),
        factors: part.factors(),
        points: Vec::new(),
        name,
    };
    if !experiment.states_drain && !experiment.has_times_of_its_own() {
        experiment.drain = experiment.arrivals.max(DRAIN_LEAST);
    }
    if part.problems.is_empty() {
        check::check(&experiment, &mut part);
    }
    if part.problems.is_empty() {
        experiment.points = part.points(&experiment.factors);
    }
    experiment
}

/// Reads the parts of an experiment one by one, so that an error in one does not hide the others.
struct Parts<'a> {
    document: &'a Value,
    problems: &'a mut Vec<Problem>,
}

impl Parts<'_> {
    fn problem(&mut self, path: &[&str], problem: Problem) {
        self.problems.push(problem.located(self.document, path));
    }

    /// A list whose elements are read one by one.
    fn list<T: serde::de::DeserializeOwned>(&mut self, name: &str) -> Vec<T> {
        match self.document.find(&[name.to_owned()]).map(|value| (&value.data, value.at)) {
            None => Vec::new(),
            Some((Data::List(values), _)) => {
                let values = values.iter().map(read);
                values
                    .filter_map(|value| value.map_err(|wrong| self.problems.push(wrong)).ok())
                    .collect()
            }
            Some((other, at)) => {
                let problem = Problem::new(format!("expected a list, found {}", other.describe()));
                self.problems.push(problem.at(at).expected(format!("[[{name}]] for each element")));
                Vec::new()
            }
        }
    }

    fn optional<T: serde::de::DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.document.find(&[name.to_owned()])?;
        read(value).map_err(|problem| self.problems.push(problem)).ok()
    }

    /// A text of one line.
    fn line(&mut self, name: &str) -> Option<String> {
        let text: String = self.optional(name)?;
        if let Some(problem) = in_line(&text) {
            self.problem(&[name], problem);
        }
        Some(text)
    }

    fn required<T: serde::de::DeserializeOwned>(&mut self, name: &'static str) -> Option<T> {
        if self.document.find(&[name.to_owned()]).is_none() {
            // The file's first line is the place of what is nowhere.
            let mut at = self.document.at;
            at.end = at.start;
            let problem = Problem::new(format!("`{name}` is missing"));
            let expected = format!("`{name}` at the top of the experiment");
            self.problems.push(problem.expected(expected).at(at));
            return None;
        }
        self.optional(name)
    }

    fn milestones(&mut self, measure: &MeasureText) -> MilestoneTexts {
        let table = self.document.find(&["milestone".to_owned()]);
        let texts = read_each(table, self.problems);
        for (path, problem) in milestones::check(measure, &texts) {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            self.problem(&path, problem);
        }
        texts
    }

    /// The name, which must be that of a folder.
    fn name(&mut self) -> String {
        let name: Option<String> = self.required("name");
        if let Some(problem) = name.as_deref().and_then(wrong_name) {
            self.problem(&["name"], problem);
        }
        name.unwrap_or_default()
    }

    fn objectives(
        &mut self,
        measure: &MeasureText,
        milestones: &MilestoneTexts,
    ) -> (SloTexts, Metrics) {
        let texts = objectives::read(self.document, milestones, self.problems);
        let followed: Vec<&str> = milestones.keys().map(String::as_str).collect();
        let counted: Vec<&str> = texts.keys().map(String::as_str).collect();
        let measured = milestones::measured(measure, milestones);
        let metrics = Metrics::new(&followed, measured, &counted);
        (texts, metrics)
    }

    /// The prices; their column has a name that nothing else of these names has.
    fn price<'n>(&mut self, mut others: impl Iterator<Item = &'n String>) -> Option<PriceText> {
        let text: PriceText = self.optional("price")?;
        for problem in price::check(&text) {
            self.problem(&["price"], problem);
        }
        let cost = MetricId::Cost.name();
        if others.any(|name| name == cost) {
            let problem = Problem::new(format!("`{cost}` is also a milestone or an objective"));
            self.problem(&["price"], problem.expected("another name for that"));
        }
        Some(text)
    }

    fn expectations(&mut self, metrics: &Metrics) -> Vec<Expectation> {
        let mut expectations = Vec::new();
        let texts = milestones::flat(self.document, "expect", self.problems);
        for (name, text) in &texts {
            match Expectation::read(name, text, metrics) {
                Ok(expectation) => expectations.push(expectation),
                Err(problem) => self.problem(&["expect", name], problem),
            }
        }
        expectations
    }

    fn sometimes(&mut self) -> Vec<Sometimes> {
        let texts: Vec<String> = self.list("sometimes");
        let (mut sometimes, mut known) = (Vec::new(), BTreeSet::new());
        for (index, text) in texts.iter().enumerate() {
            if !known.insert(text) {
                let problem = Problem::new(format!("`{}` stands twice", shortened(text)));
                self.problem(&["sometimes", &index.to_string()], problem.expected("each once"));
                continue;
            }
            match text.parse() {
                Ok(named) => sometimes.push(named),
                Err(()) => {
                    let known = Sometimes::names();
                    let known: Vec<&str> = known.iter().map(String::as_str).collect();
                    let problem = Problem::unknown("happening", text, &known);
                    self.problem(&["sometimes", &index.to_string()], problem);
                }
            }
        }
        sometimes
    }

    fn variants(&mut self, name: &str) -> Vec<Variant> {
        let table = self.document.find(&[name.to_owned()]);
        let mut variants = read_variants("arm", table, self.problems);
        if variants.is_empty() && table.is_none() {
            // Without arms the model itself is the only one.
            let name = "model".to_owned();
            variants.push(Variant { label: name.clone(), name, set: Vec::new() });
        }
        variants
    }

    fn factors(&mut self) -> Vec<Factor> {
        let Some(value) = self.document.find(&["factors".to_owned()]) else { return Vec::new() };
        let Data::Table(fields) = &value.data else {
            let found = value.data.describe();
            let problem = Problem::new(format!("expected a table of factors, found {found}"))
                .expected("[factors.NAME.LEVEL] for each level");
            self.problem(&["factors"], problem);
            return Vec::new();
        };
        let factors = fields.iter().map(|(name, field)| Factor {
            name: name.clone(),
            levels: read_variants("level", Some(&field.value), self.problems),
        });
        factors.collect()
    }

    fn points(&mut self, factors: &[Factor]) -> Vec<Point> {
        let Some(texts) = self.optional::<Vec<String>>("points") else {
            return point::every(factors);
        };
        point::listed(&texts, factors).unwrap_or_else(|wrong| {
            wrong.into_iter().for_each(|problem| self.problem(&["points"], problem));
            Vec::new()
        })
    }
}
