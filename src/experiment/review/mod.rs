//! Which failure a design chooses: each part of a model that contains a failure is left out, and
//! both models meet that failure and the one that the part introduces.
//!
//! Every part is an experiment of its own, and so is its check: what a review prints is what
//! `stormglass run` and `stormglass check` say of these files.

mod failure;
mod part;
mod steps;
mod verification;

use toml::{Table, Value};

use crate::kernel::time::Span;
use crate::model::quantity::parse_duration;
pub use failure::Failure;
use failure::{ALL_DOWN, When, all_down, failures};
pub use part::PartKind;
use part::{Part, parts};
use steps::Edit;
use verification::{Expected, FRESH, verification};

/// The arm of the model as it is.
pub const AS_IT_IS: &str = "as_it_is";
/// The arm without the part.
pub const WITHOUT: &str = "without";
/// The arm of a check that has what makes it pass.
pub const REMEDIED: &str = "with_remedy";
/// The arm of a check that has nothing that makes it pass.
pub const BARE: &str = "without_remedy";
/// The factor whose levels are the failures.
pub const FAILURE: &str = "failure";
/// The level without a fault.
pub const CALM: &str = "calm";

/// What a review is made of: an experiment and its model.
#[derive(Clone, Debug)]
pub struct Base {
    /// The experiment, of which the load, the promises and what is measured count.
    pub experiment: Table,
    /// The model.
    pub model: Table,
    /// The model's file, as the experiments of a review name it.
    pub model_file: String,
}

/// A part of the model under review.
#[derive(Clone, Debug)]
pub struct Reviewed {
    /// What it is.
    pub kind: PartKind,
    /// The node; of a call `SERVICE -> NODE.OPERATION`.
    pub name: String,
    /// The name of its experiment.
    pub experiment: String,
    /// How the model does without it; or why it cannot be said.
    pub without: Result<String, String>,
    /// The failure that it contains.
    pub contained: Failure,
    /// The failure that it introduces.
    pub introduced: Failure,
    part: Part,
    when: When,
}

/// The check of a part.
#[derive(Clone, Debug)]
pub struct Check {
    /// The name of its experiment.
    pub experiment: String,
    /// What is expected, in words.
    pub expected: String,
    /// What makes it pass, in words; `None` if the model as it is has it.
    pub remedy: Option<String>,
    /// What the model is without that, in words; `None` if that is the model as it is.
    pub bare: Option<String>,
    /// The text of the experiment.
    pub text: String,
}

impl Reviewed {
    /// Says why the model cannot do without the part.
    pub fn keep(&mut self, why: String) {
        self.part.without = Err(why.clone());
        self.without = Err(why);
    }
}

/// What of an experiment a review keeps.
const KEPT: [&str; 8] =
    ["starts_at", "arrivals", "drain", "measure", "milestone", "slo", "limits", "invariants"];

impl Base {
    /// The parts of the model, in the order of the language.
    #[must_use]
    pub fn parts(&self) -> Vec<Reviewed> {
        let when = self.when();
        let reviewed = |part: Part| {
            let [contained, introduced] = failures(&part, when);
            Reviewed {
                kind: part.kind,
                name: part.name.clone(),
                experiment: format!("{}-{}", short(part.kind), plain(&part.name)),
                without: part.without.as_ref().map(|it| it.0.clone()).map_err(Clone::clone),
                contained,
                introduced,
                part,
                when,
            }
        };
        parts(&self.model, &self.projections()).into_iter().map(reviewed).collect()
    }

    /// Failures begin after a third of the time, and last for twenty seconds, or a third of it.
    fn when(&self) -> When {
        let arrivals = self.experiment.get("arrivals").and_then(Value::as_str);
        let arrivals = arrivals.and_then(parse_duration).unwrap_or(Span(60_000_000_000));
        let third = Span(arrivals.0 / 3 / 1_000_000 * 1_000_000);
        When { at: third, lasts: third.min(Span(20_000_000_000)) }
    }

    /// The projections and sources that promises name.
    fn projections(&self) -> Vec<(String, String)> {
        let promises = self.experiment.get("invariants").and_then(Value::as_table);
        let named = promises.into_iter().flatten().filter_map(|(name, text)| {
            let kind = text.get("promise").and_then(Value::as_str).unwrap_or(name);
            let of = |key| Some(text.get(key)?.as_str()?.to_owned());
            (kind == PROJECTION).then(|| Some((of("projection")?, of("source")?)))?
        });
        named.collect()
    }

    /// The experiment of a part: the model as it is and without it, without a fault, under the
    /// failure that the part contains, and under the one that it introduces.
    #[must_use]
    pub fn experiment_of(&self, reviewed: &Reviewed) -> String {
        let name = &reviewed.name;
        let title = format!("What the {} {name} is good for", reviewed.kind.name());
        let question = "Which failure does it contain, and which one does it introduce?";
        let mut text = self.begun(&reviewed.experiment, &title, question, &KEPT);
        let mut arms = Table::new();
        arms.insert(AS_IT_IS.to_owned(), arm("as it is", &[]));
        if let Ok((label, edits)) = &reviewed.part.without {
            arms.insert(WITHOUT.to_owned(), arm(label, edits));
        }
        text.insert("arms".to_owned(), Value::Table(arms));
        let compare = Table::from_iter([("baseline".to_owned(), AS_IT_IS.into())]);
        text.insert("compare".to_owned(), Value::Table(compare));
        let mut levels = Table::new();
        levels.insert(CALM.to_owned(), level("without any fault", &[]));
        for failure in [&reviewed.contained, &reviewed.introduced] {
            levels.insert(failure.level.to_owned(), level(&failure.label, &failure.faults));
        }
        if reviewed.contained.level_without == ALL_DOWN {
            let faults = all_down(&reviewed.part, reviewed.when);
            levels.insert(ALL_DOWN.to_owned(), level("every region gone", &faults));
        }
        let factors = Table::from_iter([(FAILURE.to_owned(), Value::Table(levels))]);
        text.insert("factors".to_owned(), Value::Table(factors));
        text.to_string()
    }

    /// The check of a part, given the 99th percentile of answers without a fault, in milliseconds.
    #[must_use]
    pub fn check_of(&self, reviewed: &Reviewed, p99_ms: Option<f64>) -> Option<Check> {
        let Reviewed { part, when, introduced, .. } = reviewed;
        let check = verification(&self.model, part, *when, p99_ms)?;
        let experiment = format!("{}-check", reviewed.experiment);
        let title = format!("The check of the {} {}", reviewed.kind.name(), reviewed.name);
        let struck = if part.kind == PartKind::Region { &reviewed.contained } else { introduced };
        let question = format!("Does it hold ({})?", struck.label);
        let kept: Vec<&str> = KEPT.into_iter().filter(|key| *key != "invariants").collect();
        let mut text = self.begun(&experiment, &title, &question, &kept);
        let expected = match &check.expected {
            Expected::Metric(metric, bound) => {
                let expect = Table::from_iter([((*metric).to_owned(), bound.clone().into())]);
                text.insert("expect".to_owned(), Value::Table(expect));
                format!("{metric} {bound}")
            }
            Expected::Fresh(tables) => {
                text.insert("invariants".to_owned(), Value::Table(fresh(tables)));
                format!("bounded_staleness of {} within {FRESH}", tables.join(", "))
            }
            Expected::Projection => {
                text.insert("invariants".to_owned(), Value::Table(self.only_projection(part)));
                format!("{PROJECTION} of {}", part.name)
            }
        };
        text.insert("faults".to_owned(), list(&struck.faults));
        let mut arms = Table::new();
        arms.insert(AS_IT_IS.to_owned(), arm("as it is", &[]));
        for (name, remedy) in [(REMEDIED, &check.with), (BARE, &check.without)] {
            if let Some(remedy) = remedy {
                arms.insert(name.to_owned(), arm(&remedy.label, &remedy.edits));
            }
        }
        text.insert("arms".to_owned(), Value::Table(arms));
        let [remedy, bare] = [check.with, check.without].map(|it| it.map(|it| it.label));
        Some(Check { experiment, expected, remedy, bare, text: text.to_string() })
    }

    /// The promise that a projection is what its source is.
    fn only_projection(&self, part: &Part) -> Table {
        let promises = self.experiment.get("invariants").and_then(Value::as_table);
        let is_this = |(_, text): &(&String, &Value)| {
            text.get("projection").and_then(Value::as_str) == Some(&part.name)
        };
        let own = promises.into_iter().flatten().filter(is_this);
        own.map(|(name, text)| (name.clone(), text.clone())).collect()
    }

    fn begun(&self, name: &str, title: &str, question: &str, kept: &[&str]) -> Table {
        let mut text = Table::new();
        for (key, value) in [("name", name), ("title", title), ("question", question)] {
            text.insert(key.to_owned(), value.into());
        }
        text.insert("model".to_owned(), self.model_file.clone().into());
        for key in ["seeds"].iter().chain(kept) {
            if let Some(value) = self.experiment.get(*key) {
                text.insert((*key).to_owned(), value.clone());
            }
        }
        text
    }
}

/// A promise for each table that reads of it miss nothing that is old.
fn fresh(tables: &[String]) -> Table {
    let promise = |table: &String| {
        let keys = [("promise", "bounded_staleness"), ("read", table), ("within", FRESH)];
        let text = keys.map(|(key, value)| (key.to_owned(), value.into()));
        (format!("fresh-{}", plain(table)), Value::Table(Table::from_iter(text)))
    };
    tables.iter().map(promise).collect()
}

/// The promise by which a projection is known.
const PROJECTION: &str = "projection_matches";

/// What the file of a part begins with.
fn short(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Call => "call",
        PartKind::Queue => "queue",
        PartKind::Cache => "cache",
        PartKind::Replica => "replica",
        PartKind::Projection => "projection",
        PartKind::Region => "region",
    }
}

/// A name as a file has it.
fn plain(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|it| !it.is_empty());
    words.collect::<Vec<_>>().join("-")
}

fn arm(label: &str, edits: &[Edit]) -> Value {
    let mut arm = Table::from_iter([("label".to_owned(), label.into())]);
    if !edits.is_empty() {
        arm.insert("set".to_owned(), Value::Table(edits.iter().cloned().collect()));
    }
    Value::Table(arm)
}

fn level(label: &str, faults: &[Table]) -> Value {
    let set = Table::from_iter([("faults".to_owned(), list(faults))]);
    let label = ("label".to_owned(), label.into());
    Value::Table(Table::from_iter([label, ("set".to_owned(), Value::Table(set))]))
}

fn list(tables: &[Table]) -> Value {
    Value::Array(tables.iter().cloned().map(Value::Table).collect())
}
