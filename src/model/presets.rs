//! What real client libraries and proxies do, by name and version: the files of `presets/`.
//!
//! A preset is a policy in the language of models with its provenance: for every number that
//! decides anything, where it was read. Its file is called `NAME@VERSION.toml`.

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::document::{Sources, Value};
use super::policy;
use super::problem::Problem;
use crate::policy::{OutcomeSet, Policy, Scope};

/// Each file of `presets/` with its name, without `.toml`, and its text, from `presets/list.rs`.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/presets.rs"));

/// How far the numbers of a preset have been proven: its delays, budgets, breakers and limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// Replays recorded decisions of the real library without a difference
    /// (`tests/data/policy-vectors`).
    ConformanceTested,
    /// Read in the source or on an official page.
    SourceDerived,
    /// Taken from a book or paper, not from a program.
    Published,
}

/// How it is known what a preset retries.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retried {
    /// It retries nothing and sends no copies.
    Nothing,
    /// The library was run after each outcome: a file of `tests/data/retried`.
    Tested(String),
    /// Read in the source or on an official page.
    Read(String),
    /// The caller chooses, and these are an example; where the choice is usually made.
    Chosen(String),
}

/// One number of a preset and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// What it is.
    pub name: String,
    /// Its value, with unit.
    pub value: String,
    /// Where it was read.
    pub source: String,
}

/// A named policy of a real library.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// The name of the library and mode.
    pub name: &'static str,
    /// The version of the behaviour.
    pub version: &'static str,
    /// How far its numbers have been proven.
    pub label: Label,
    /// How it is known what it retries.
    pub retried: Retried,
    /// The package, repository or page.
    pub source: String,
    /// To what its shared state belongs.
    pub scope: Scope,
    /// Every number and where it comes from.
    pub numbers: Vec<Number>,
    /// What differs from what one might expect.
    pub note: String,
    /// The policy.
    pub policy: Policy,
}

/// A preset as its file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PresetText {
    source: String,
    /// Whether this version is meant by the name alone. Its place in [`FILES`] says so already.
    #[serde(default, rename = "newest")]
    _newest: bool,
    label: Label,
    retried: Retried,
    scope: Scope,
    note: String,
    /// Read by itself, as policies of models are.
    #[serde(rename = "policy")]
    _policy: IgnoredAny,
    /// Numbers by what they are, and under `source` where these were read.
    numbers: Vec<IndexMap<String, String>>,
}

impl Preset {
    /// The parts that have numbers, by name.
    pub fn parts(&self) -> Vec<&'static str> {
        let policy = &self.policy;
        let parts = [
            (policy.retry.is_some(), "delays"),
            (policy.budget.is_some(), "budget"),
            (policy.breaker.is_some(), "breaker"),
            (policy.bulkhead.is_some(), "bulkhead"),
            (policy.rate_limit.is_some(), "rate limit"),
            (policy.throttling.is_some(), "throttling"),
            (policy.adaptive.is_some(), "adaptive rate"),
            (policy.hedge.is_some(), "copies"),
            (policy.limit.is_some(), "limit"),
            (policy.outlier.is_some(), "ejection"),
        ];
        let has_none = parts.iter().all(|(is_there, _)| !is_there);
        let named = parts.into_iter().filter(|(is_there, _)| *is_there).map(|(_, name)| name);
        named.chain(has_none.then_some("timeouts")).collect()
    }

    /// What is retried, or after what a copy is sent at once.
    pub fn retried_outcomes(&self) -> OutcomeSet {
        let hedged = self.policy.hedge.map_or(OutcomeSet::NONE, |hedge| hedge.at_once_on);
        self.policy.retry.map_or(hedged, |retry| retry.on)
    }
}

/// Every preset, in the order of names; the newest version of a name first.
pub fn all() -> impl Iterator<Item = Preset> {
    FILES.iter().map(embedded)
}

/// The name and version of every preset, in the same order.
pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().map(|(file, _)| parts_of(file))
}

/// The preset with this name and version; without a version the newest.
pub fn find(name: &str, version: Option<&str>) -> Option<Preset> {
    let is_meant = |file: &'static str| {
        let (own, its) = parts_of(file);
        own == name && version.is_none_or(|version| its == version)
    };
    FILES.iter().find(|entry| is_meant(entry.0)).map(embedded)
}

/// The preset of this name, `NAME` or `NAME@VERSION`; without a version the newest.
///
/// # Errors
/// If there is none; the nearest is named.
pub fn named(text: &str) -> Result<Preset, Problem> {
    let (name, version) = match text.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (text, None),
    };
    if let Some(preset) = find(name, version) {
        return Ok(preset);
    }
    let of_name = names().filter(|(own, _)| *own == name);
    let versions: Vec<&str> = of_name.map(|(_, version)| version).collect();
    if let (Some(version), false) = (version, versions.is_empty()) {
        return Err(Problem::unknown("version", version, &versions));
    }
    let mut all: Vec<&str> = Vec::new();
    for (own, _) in names() {
        if !all.contains(&own) {
            all.push(own);
        }
    }
    Err(Problem::unknown("preset", name, &all))
}

/// The name and the version that a file is called after.
fn parts_of(file: &'static str) -> (&'static str, &'static str) {
    file.split_once('@').unwrap_or((file, ""))
}

/// Reads an embedded file: a test reads each of them.
fn embedded(&(file, text): &(&'static str, &'static str)) -> Preset {
    read(file, text).unwrap_or_else(|problems| panic!("presets/{file}.toml: {problems:?}"))
}

/// Reads a preset as policies of models are read.
fn read(file: &'static str, text: &str) -> Result<Preset, Vec<Problem>> {
    let mut sources = Sources::default();
    let source = sources.add(file, text);
    let value = Value::parse(&sources, source)?;
    let text: PresetText = super::read(&value).map_err(|problem| vec![problem])?;
    let policy = policy::read(value.find(&["policy".to_owned()]).expect("it was read"));
    let policy = policy.map_err(|problem| vec![problem])?.policy;
    let mut numbers = Vec::new();
    for mut group in text.numbers {
        let missing = || Problem::new("`source` is missing").expected("where these were read");
        let source = group.shift_remove("source").ok_or_else(|| vec![missing()])?;
        let number = |(name, value)| Number { name, value, source: source.clone() };
        numbers.extend(group.into_iter().map(number));
    }
    let (name, version) = parts_of(file);
    let PresetText { source, label, retried, scope, note, .. } = text;
    Ok(Preset { name, version, label, retried, source, scope, numbers, note, policy })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_versions_are_unique_and_explained() {
        let mut seen: Vec<(&str, &str)> = Vec::new();
        for preset in all() {
            assert!(!seen.contains(&(preset.name, preset.version)), "{} twice", preset.name);
            assert!(!preset.version.is_empty(), "{} has no version", preset.name);
            seen.push((preset.name, preset.version));
            assert!(!preset.numbers.is_empty(), "{} has no numbers", preset.name);
            assert!(!preset.source.is_empty() && !preset.note.is_empty(), "{}", preset.name);
            for number in &preset.numbers {
                let told = [&number.name, &number.value, &number.source];
                assert!(told.iter().all(|text| !text.is_empty()), "{}: {number:?}", preset.name);
            }
        }
    }

    #[test]
    fn without_a_version_the_newest_is_found() {
        for (name, _) in names() {
            let versions = FILES.iter().filter(|(file, _)| parts_of(file).0 == name);
            let is_newest =
                |(_, text): &(&str, &str)| text.lines().any(|line| line == "newest = true");
            let newest: Vec<bool> = versions.map(is_newest).collect();
            let several = newest.len() > 1;
            assert_eq!(newest[0], several, "{name}: which of {} is the newest?", newest.len());
            assert!(!newest[1..].contains(&true), "{name} has two newest versions");
        }
        assert_eq!(find("aws-standard", None).map(|preset| preset.version), Some("2.1"));
        assert_eq!(find("aws-standard", Some("1.0")), None);
    }

    #[test]
    fn a_file_is_read_as_policies_are_and_says_where_its_numbers_were_read() {
        let whole = "source = \"s\"\nlabel = \"published\"\nretried = \"nothing\"\n\
                     scope = \"target\"\nnote = \"n\"\n[policy]\ntimeout = \"1s\"\n\
                     [[numbers]]\nsource = \"chapter 2\"\ntimeout = \"1s\"\n";
        let preset = read("a@1", whole).expect("it is right");
        let number = |name: &str| Number {
            name: name.to_owned(),
            value: "1s".to_owned(),
            source: "chapter 2".to_owned(),
        };
        assert_eq!(
            (preset.name, preset.version, preset.numbers),
            ("a", "1", vec![number("timeout")])
        );
        for (right, wrong) in
            [("timeout = \"1s\"\n[[", "timeuot = \"1s\"\n[["), ("source = \"chapter 2\"\n", "")]
        {
            assert!(read("a@1", &whole.replace(right, wrong)).is_err(), "{wrong}");
        }
    }
}
