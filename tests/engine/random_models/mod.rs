//! Random valid models, each with a random fault plan and every promise that it has names for, run
//! to their end, or to a limit that has a name, and twice the same. The books balance, whoever died
//! has given back what it held of a shared policy, and no promise is both exposed and unjudged.
//!
//! `cargo test` tries some hundreds. `cargo test --test engine random_models` with
//! `STORMGLASS_RANDOM_MODELS=100000` tries as many as one likes, and with `17..18` one again;
//! docs/model.md has when that was last done. In debug builds the books are checked as a run goes
//! on, and in all builds when it ends: messages, calls, workers, and what states of policies and
//! bulkheads have lent to calls that are still open, and to no others.

mod attributed;
mod copied;
mod dice;
mod faults;
mod generate;
mod pinned;
mod promises;
mod sharing;
mod skeleton;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use dice::Dice;
use generate::{Generator, compile, everything};
use serde_json::{Map, Value, json};
use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::plan::documents::Documents;
use stormglass::experiment::run::result::RunResult;
use stormglass::fault::FaultKind;
use stormglass::kernel::digest::Digest;
use stormglass::kernel::limit::Ending;
use stormglass::model::document::{Sources, Value as Document};
use stormglass::model::problem::Problem;
use stormglass::model::show::MODEL_SCHEMA;

/// Parts of the language that need files, which these models have not.
const NEEDS_FILES: [&str; 12] = [
    "Arrivals.trace",
    "Trace.path",
    "Trace.column",
    "Trace.size",
    "Trace.speed",
    "Trace.copies",
    "Trace.rate",
    "Size.column",
    "Size.unit",
    "Recording.path",
    "Recording.column",
    "Recording.unit",
];

/// Which models are tried, by their seeds.
#[expect(clippy::disallowed_methods, reason = "how much is tried, not what comes out")]
fn seeds() -> Range<u64> {
    let number = |text: &str| text.parse().expect("a number of models, or a range of seeds");
    match std::env::var("STORMGLASS_RANDOM_MODELS") {
        Ok(text) => match text.split_once("..") {
            Some((first, end)) => number(first)..number(end),
            None => 0..number(&text),
        },
        Err(_) => 0..600,
    }
}

/// A random model and what is done to it.
struct Subject {
    model: Value,
    faults: Map<String, Value>,
    promises: Map<String, Value>,
    /// How much time promises have in the second run, and whether it begins after all faults.
    within: (&'static str, bool),
}

impl Subject {
    fn campaign(&self, promises: &Map<String, Value>) -> Result<Campaign, Vec<Problem>> {
        let mut experiment = json!({
            "name": "random",
            "model": "inline",
            "arrivals": "2s",
            "drain": "3s",
            "seeds": "1..2",
            "limits": { "events": 200_000, "pending": 20_000 },
            "invariants": promises,
        });
        for (key, value) in &self.faults {
            experiment[key] = value.clone();
        }
        let mut sources = Sources::default();
        let mut parse = |name: &str, text: &Value| {
            let source = sources.add(name, &text.to_string());
            Document::parse(&sources, source).expect("a document")
        };
        let documents = Documents {
            experiment: parse("experiment.json", &experiment),
            model: parse("model.json", &self.model),
            overrides: Vec::new(),
        };
        let no_files = |name: &str| Err(Problem::new(format!("no file {name} in this test")));
        Campaign::new(&documents, &no_files)
    }

    /// Takes away the promises about states that no step writes: such an experiment is refused.
    fn drop_misspelt(&mut self) {
        if self.campaign(&self.promises).is_ok() {
            return;
        }
        let mut promises = std::mem::take(&mut self.promises);
        promises.retain(|name, promise| {
            self.campaign(&Map::from_iter([(name.clone(), promise.clone())])).is_ok()
        });
        self.promises = promises;
    }

    /// Runs it with promises that have no time and with promises that have some. Observers cannot
    /// act: everything else is the same.
    fn run(&self) -> [RunResult; 2] {
        let (within, after_faults) = self.within;
        let bounds = [(promises::NO_TIME, false), (within, after_faults)];
        bounds.map(|(within, after_faults)| {
            let promises = promises::within(&self.promises, within, after_faults);
            let campaign = self.campaign(&promises);
            campaign.unwrap_or_else(|problems| panic!("{problems:?}")).run(0)
        })
    }
}

/// What all models have seen together.
#[derive(Default)]
struct Seen {
    endings: BTreeMap<&'static str, u64>,
    requests: u64,
    crashes: u64,
    shared: usize,
    struck: BTreeSet<String>,
    /// For each promise, how many cases were judged and not judged.
    judged: BTreeMap<&'static str, (u64, u64)>,
    digests: BTreeMap<u64, Digest>,
    wrong: Vec<String>,
}

impl Seen {
    fn note(&mut self, subject: &Subject, [one, other]: [&RunResult; 2]) {
        *self.endings.entry(one.ending.name()).or_default() += 1;
        self.requests += one.metrics.requests;
        self.crashes += one.metrics.crashes;
        for fault in subject.faults.get("faults").and_then(Value::as_array).into_iter().flatten() {
            self.struck.insert(fault["kind"].as_str().unwrap_or_default().to_owned());
        }
        let names = promises::watched(&subject.promises);
        let both = [one, other].into_iter().flat_map(|run| names.iter().zip(&run.invariants));
        for (name, verdict) in both {
            let (exposure, unjudged) = self.judged.entry(name).or_default();
            *exposure += verdict.exposure;
            *unjudged += verdict.unjudged;
        }
    }
}

/// Runs a subject and says what is wrong with that, if anything is.
fn try_out(seed: u64, subject: &Subject, seen: &mut Seen) -> Result<(), String> {
    let [one, other] = catch_unwind(AssertUnwindSafe(|| subject.run())).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
    })?;
    for run in [&one, &other] {
        if run.ending == Ending::Imbalance {
            return Err("the books do not balance".to_owned());
        }
    }
    let same = RunResult { invariants: one.invariants.clone(), ..other.clone() };
    if one != same {
        return Err("it does not run the same twice".to_owned());
    }
    seen.note(subject, [&one, &other]);
    seen.digests.insert(seed, one.digest);
    let names = promises::watched(&subject.promises);
    promises::misjudged(&names, &one, &other, subject.within.0).map_or(Ok(()), Err)
}

fn subject(seed: u64, generator: &mut Generator, seen: &mut Seen) -> Subject {
    generator.restart(seed);
    let mut dice = Dice::new(seed);
    let mut model = generator.model();
    seen.shared += sharing::share(&mut model, &mut dice);
    sharing::hurry_relay(&mut model, &mut dice);
    sharing::hold(&mut model, &mut dice);
    sharing::connect(&mut model, &mut dice);
    generator.note_covered(&model);
    let program = compile(&model).expect("it was accepted before");
    let faults = faults::plan(&program, &mut dice);
    let times = [promises::SOME_TIME[dice.below(3)], promises::TOO_MUCH_TIME];
    let within = (dice.pick(&times), dice.is_one_in(2));
    let promises = promises::fitting(&program);
    let mut subject = Subject { model, faults, promises, within };
    subject.drop_misspelt();
    subject
}

#[test]
fn random_models_end_with_balanced_books_and_promises_that_are_judged_or_not() {
    let schema = serde_json::from_str(MODEL_SCHEMA).expect("a schema is JSON");
    let mut generator = Generator::new(&schema, 0);
    let mut seen = Seen::default();
    let seeds = seeds();
    for seed in seeds.clone() {
        let subject = subject(seed, &mut generator, &mut seen);
        if let Err(what) = try_out(seed, &subject, &mut seen) {
            let Subject { model, faults, within, .. } = subject;
            let faults = Value::Object(faults);
            seen.wrong.push(format!("model {seed}, {within:?}: {what}\n{faults}\n{model}\n"));
        }
        assert!(seen.wrong.len() < 10, "and so on:\n{}", seen.wrong.join("\n"));
    }
    assert!(seen.wrong.is_empty(), "{}", seen.wrong.join("\n"));
    pinned::assert_are_pinned(&seen.digests);
    let count = seeds.end - seeds.start;
    if count >= 600 {
        is_about_something(&seen, count);
        let mut missing = everything(&schema);
        missing.retain(|name| {
            !NEEDS_FILES.contains(&name.as_str()) && !generator.covered.contains(name)
        });
        assert!(missing.is_empty(), "no model had any of these: {missing:#?}");
    }
}

/// Some hundred models between them must have met everything that these tests are about.
fn is_about_something(seen: &Seen, count: u64) {
    let endings = &seen.endings;
    assert!(endings["complete"] * 2 > count, "most models come to their end: {endings:?}");
    assert!(seen.requests > 10 * count, "somebody asks: {}", seen.requests);
    assert!(seen.crashes > count, "somebody dies: {}", seen.crashes);
    assert!(seen.shared as u64 > count, "states are shared: {}", seen.shared);
    let spared = FaultKind::ALL.iter().filter(|kind| !seen.struck.contains(kind.name()));
    let spared: Vec<_> = spared.collect();
    assert!(spared.is_empty(), "nobody was struck by any of these: {spared:?}");
    let cases = |name: &str| seen.judged.get(name).copied().unwrap_or_default();
    let is_idle = |name: &&str| cases(name).0 == 0;
    let idle: Vec<_> = promises::names().filter(is_idle).collect();
    assert!(idle.is_empty(), "nothing could break any of these: {idle:?}");
    let is_undecided = |name: &&str| cases(name).1 > 0;
    let decided: Vec<_> = promises::TIMED.iter().filter(|&name| !is_undecided(name)).collect();
    assert!(decided.is_empty(), "no run was too short for any of these: {decided:?}");
}
