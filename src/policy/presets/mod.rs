//! What real client libraries and proxies do, by name and version.
//!
//! A preset is a [`Policy`] with its provenance: for every number that decides anything, where it
//! was read.

mod aws;
mod aws_languages;
mod aws_modes;
mod envoy;
mod envoy_parts;
mod finagle;
mod grpc;
mod javascript;
mod javascript_parts;
mod jvm;
mod jvm_parts;
mod learned;
mod limiters;
mod linkerd;
mod overload;
mod polly;
mod python;
mod python_services;
mod queues;
mod retried;
mod rust;

use super::Policy;
use super::breaker::Breaker;
use super::outcome::OutcomeSet;
use super::retry::Retry;

/// How far the numbers of a preset have been proven: its delays, budgets, breakers and limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retried {
    /// It retries nothing and sends no copies.
    Nothing,
    /// The library was run after each outcome: a file of `tests/data/retried`.
    Tested(&'static str),
    /// Read in the source or on an official page.
    Read(&'static str),
    /// The caller chooses, and these are an example; where the choice is usually made.
    Chosen(&'static str),
}

/// To what one piece of a policy's state belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Each request has its own.
    Request,
    /// A process has one for all its targets.
    Process,
    /// A process has one for each target.
    ProcessAndTarget,
    /// Everybody shares one.
    Shared,
}

/// One number of a preset and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// What it is.
    pub name: &'static str,
    /// Its value, with unit.
    pub value: &'static str,
    /// Where it was read.
    pub source: &'static str,
}

/// A named policy of a real library.
#[derive(Clone, Copy, Debug, PartialEq)]
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
    pub source: &'static str,
    /// To what its shared state belongs.
    pub scope: Scope,
    /// Every number and where it comes from.
    pub numbers: &'static [Number],
    /// What differs from what one might expect.
    pub note: &'static str,
    /// The policy.
    pub policy: Policy,
}

impl Preset {
    /// The parts that have numbers, by name.
    #[must_use]
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
    #[must_use]
    pub fn retried_outcomes(&self) -> OutcomeSet {
        let hedged = self.policy.hedge.map_or(OutcomeSet::NONE, |hedge| hedge.at_once_on);
        self.policy.retry.map_or(hedged, |retry| retry.on)
    }
}

/// A number read at `source`.
const fn number(name: &'static str, value: &'static str, source: &'static str) -> Number {
    Number { name, value, source }
}

static FAMILIES: [&[Preset]; 20] = [
    &aws::PRESETS,
    &aws_modes::PRESETS,
    &aws_languages::PRESETS,
    &envoy::PRESETS,
    &envoy_parts::PRESETS,
    &finagle::PRESETS,
    &grpc::PRESETS,
    &javascript::PRESETS,
    &javascript_parts::PRESETS,
    &jvm::PRESETS,
    &jvm_parts::PRESETS,
    &learned::PRESETS,
    &limiters::PRESETS,
    &linkerd::PRESETS,
    &overload::PRESETS,
    &polly::PRESETS,
    &python::PRESETS,
    &python_services::PRESETS,
    &queues::PRESETS,
    &rust::PRESETS,
];

/// A policy that only retries.
const fn retrying(retry: Retry) -> Policy {
    Policy { retry: Some(retry), ..Policy::ONCE }
}

/// A policy that only breaks.
const fn breaking(breaker: Breaker) -> Policy {
    Policy { breaker: Some(breaker), ..Policy::ONCE }
}

/// Every preset, by family; the newest version of a name first.
pub fn all() -> impl Iterator<Item = &'static Preset> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// The preset with this name and version; without a version the newest.
#[must_use]
pub fn find(name: &str, version: Option<&str>) -> Option<&'static Preset> {
    all().find(|preset| {
        preset.name == name && version.is_none_or(|version| preset.version == version)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_versions_are_unique_and_explained() {
        let mut seen: Vec<(&str, &str)> = Vec::new();
        for preset in all() {
            assert!(!seen.contains(&(preset.name, preset.version)), "{} twice", preset.name);
            seen.push((preset.name, preset.version));
            assert!(!preset.numbers.is_empty(), "{} has no numbers", preset.name);
            assert!(!preset.source.is_empty() && !preset.note.is_empty(), "{}", preset.name);
            for number in preset.numbers {
                let told = [number.name, number.value, number.source];
                assert!(told.iter().all(|text| !text.is_empty()), "{}: {number:?}", preset.name);
            }
        }
    }

    #[test]
    fn without_a_version_the_newest_is_found() {
        assert_eq!(find("aws-standard", None).map(|preset| preset.version), Some("2.1"));
        assert_eq!(find("aws-standard", Some("1.0")), None);
    }
}
