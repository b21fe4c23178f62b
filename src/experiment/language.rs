//! The language of `experiments/*.toml`, as it is written.

use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::fault::FaultText;
use crate::invariant::InvariantTexts;
use crate::kernel::time::Span;
use crate::metric::RecoveryRule;
use crate::model::document::{Data, Value};
use crate::model::problem::Problem;
use crate::model::{read, read_each};

/// The keys at the top of an experiment.
pub const TOP: [&str; 14] = [
    "name",
    "title",
    "question",
    "model",
    "seeds",
    "arrivals",
    "drain",
    "set",
    "measure",
    "faults",
    "invariants",
    "limits",
    "arms",
    "factors",
];

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
    /// For how long users arrive.
    pub arrivals: Span,
    /// How long a run goes on after the last arrival.
    pub drain: Span,
    /// What is measured.
    pub measure: MeasureText,
    /// What goes wrong.
    pub faults: Vec<FaultText>,
    /// Which promises are watched.
    pub invariants: InvariantTexts,
    /// When a run is given up.
    pub limits: LimitsText,
    /// The alternatives.
    pub arms: Vec<Variant>,
    /// What is swept, in the order of the file.
    pub factors: Vec<Factor>,
}

/// Seeds `first..end`: the last one is `end - 1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(pub Range<u64>);

/// `[measure]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MeasureText {
    /// The requests that count, `NODE.OPERATION`; without it, all.
    pub operation: Option<String>,
    /// The operation whose attempts are the load, `NODE.OPERATION`; without it, the users' calls.
    pub load: Option<String>,
    /// The width of a window of the time series.
    pub window: Span,
    /// Requests asked before do not count.
    pub warm_up: Span,
    /// What counts as recovered.
    pub recovery: RecoveryRule,
}

impl Default for MeasureText {
    fn default() -> MeasureText {
        MeasureText {
            operation: None,
            load: None,
            window: Span::from_secs(1),
            warm_up: Span::ZERO,
            recovery: RecoveryRule::default(),
        }
    }
}

/// `[limits]`: a run that reaches one ends with that as its verdict.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsText {
    /// Events in all.
    pub events: u64,
    /// Events, work and messages pending at once.
    pub pending: u64,
}

impl Default for LimitsText {
    fn default() -> LimitsText {
        LimitsText { events: 1_000_000_000, pending: 2_000_000 }
    }
}

/// An arm, or a level of a factor: a name and what it changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Its name in results.
    pub name: String,
    /// What pictures and tables call it.
    pub label: String,
    /// Paths and their new values.
    pub set: Vec<(String, Value)>,
}

/// A factor: what is swept.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    /// Its name.
    pub name: String,
    /// Its levels.
    pub levels: Vec<Variant>,
}

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
    let mut part = Parts { document, problems };
    let name: String = part.required("name").unwrap_or_default();
    if name.is_empty() || name.contains(['/', '\\', '.']) {
        part.problem(
            "name",
            Problem::new("the name of an experiment names a folder")
                .expected("a name without slashes and dots, such as \"payment-brownout\""),
        );
    }
    let experiment = Experiment {
        title: part.optional("title").unwrap_or_else(|| name.clone()),
        question: part.optional("question").unwrap_or_default(),
        model: part.required("model").unwrap_or_default(),
        seeds: part.optional("seeds").unwrap_or(Seeds(1..31)),
        arrivals: part.required("arrivals").unwrap_or_default(),
        drain: part.optional("drain").unwrap_or_default(),
        measure: part.optional("measure").unwrap_or_default(),
        faults: part.optional("faults").unwrap_or_default(),
        invariants: part.optional("invariants").unwrap_or_default(),
        limits: part.optional("limits").unwrap_or_default(),
        arms: part.variants("arms"),
        factors: part.factors(),
        name,
    };
    if experiment.measure.window == Span::ZERO {
        part.problem("measure", Problem::new("`window` is longer than 0s"));
    }
    if experiment.arrivals == Span::ZERO {
        part.problem("arrivals", Problem::new("users arrive for longer than 0s"));
    }
    experiment
}

/// Reads the parts of an experiment one by one, so that an error in one does not hide the others.
struct Parts<'a> {
    document: &'a Value,
    problems: &'a mut Vec<Problem>,
}

impl Parts<'_> {
    fn problem(&mut self, name: &str, problem: Problem) {
        let at = self.document.locate(&[name.to_owned()]);
        self.problems.push(problem.at(at));
    }

    fn optional<T: serde::de::DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.document.find(&[name.to_owned()])?;
        read(value).map_err(|problem| self.problems.push(problem)).ok()
    }

    fn required<T: serde::de::DeserializeOwned>(&mut self, name: &'static str) -> Option<T> {
        if self.document.find(&[name.to_owned()]).is_none() {
            // The file's first line is the place of what is nowhere.
            let mut at = self.document.at;
            at.end = at.start;
            self.problems.push(Problem::missing_field(name).at(at));
            return None;
        }
        self.optional(name)
    }

    fn variants(&mut self, name: &str) -> Vec<Variant> {
        let table = self.document.find(&[name.to_owned()]);
        let mut variants = read_variants(table, self.problems);
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
            self.problem("factors", Problem::new("expected a table of factors"));
            return Vec::new();
        };
        let factors = fields.iter().map(|(name, field)| Factor {
            name: name.clone(),
            levels: read_variants(Some(&field.value), self.problems),
        });
        factors.collect()
    }
}

/// The text of an arm or level.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VariantText {
    #[serde(default)]
    label: Option<String>,
    /// Read from the document instead, with the places of its values.
    #[serde(default, rename = "set")]
    _set: serde::de::IgnoredAny,
}

fn read_variants(table: Option<&Value>, problems: &mut Vec<Problem>) -> Vec<Variant> {
    let texts = read_each::<VariantText>(table, problems);
    let read = |(name, text): (String, VariantText)| {
        let set = table.and_then(|table| table.find(&[name.clone(), "set".to_owned()]));
        let label = text.label.unwrap_or_else(|| name.clone());
        Variant { name, label, set: read_set(set, problems) }
    };
    texts.into_iter().map(read).collect()
}

/// Paths and values of a `set` table.
pub fn read_set(set: Option<&Value>, problems: &mut Vec<Problem>) -> Vec<(String, Value)> {
    match set.map(|set| (&set.data, set.at)) {
        None => Vec::new(),
        Some((Data::Table(fields), _)) => {
            fields.iter().map(|(path, field)| (path.clone(), field.value.clone())).collect()
        }
        Some((_, at)) => {
            let problem = Problem::new("`set` is a table of paths and values").at(at);
            problems.push(problem.expected("set = { \"policy.checkout.timeout\" = \"1s\" }"));
            Vec::new()
        }
    }
}

impl Seeds {
    /// Reads `A..B`: from A up to, but without, B.
    #[must_use]
    pub fn parse(text: &str) -> Option<Seeds> {
        let (first, end) = text.split_once("..")?;
        let (first, end) = (first.trim().parse().ok()?, end.trim().parse().ok()?);
        (first < end).then_some(Seeds(first..end))
    }
}

impl<'de> Deserialize<'de> for Seeds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Seeds, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong =
            || D::Error::custom(format!("`{text}` is not a range of seeds such as \"1..31\""));
        Seeds::parse(&text).ok_or_else(wrong)
    }
}
