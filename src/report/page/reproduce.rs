//! How to get the same results again, and what the arms differ in.

use serde::Serialize;

use super::Page;
use crate::experiment::plan::variant::Variant;
use crate::kernel::digest::digest_of;
use crate::model::document::Value;
use crate::report::command::command_line;
use crate::report::files::campaign_digest;
use crate::system::trace::TRACE;

/// How to get the same results again.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Reproduce {
    pub(super) command: String,
    pub(super) digest: String,
    pub(super) version: String,
    pub(super) seeds: String,
    /// The files that were read, with the digests of their texts.
    pub(super) files: Vec<(String, String)>,
    pub(super) differences: Vec<ArmDifference>,
}

/// What an arm sets that the baseline does not, and the other way round.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ArmDifference {
    pub(super) name: String,
    /// Lines with their signs: `+`, `-` or nothing.
    pub(super) lines: Vec<(&'static str, String)>,
}

pub(super) fn reproduce(page: &Page<'_>) -> Reproduce {
    let name = page.files.first().map_or("", |(name, _)| name.as_str());
    let seeds = &page.campaign.seeds;
    let (first, last) = (seeds[0], seeds[seeds.len() - 1]);
    let file = |(name, text): &(String, String)| (name.clone(), digest_of(text).to_string());
    Reproduce {
        command: command_line(name, seeds, page.overrides, &page.campaign.chosen),
        digest: campaign_digest(page.results).to_string(),
        version: format!("stormglass {}, trace {TRACE}", env!("CARGO_PKG_VERSION")),
        seeds: if first == last { first.to_string() } else { format!("{first} to {last}") },
        files: page.files.iter().map(file).collect(),
        differences: differences(page),
    }
}

/// What each arm differs in from the baseline, in the order of the experiment.
fn differences(page: &Page<'_>) -> Vec<ArmDifference> {
    let experiment = &page.campaign.experiment;
    let baseline = page.campaign.declared.baseline;
    let own = lines(&experiment.arms[baseline]);
    let difference = |(_, arm): (usize, &Variant)| {
        let other = lines(arm);
        let gone = own.iter().filter(|line| !other.contains(line)).map(|line| ("-", line.clone()));
        let new = other.iter().filter(|line| !own.contains(line)).map(|line| ("+", line.clone()));
        let same = own.iter().filter(|line| other.contains(line)).map(|line| ("", line.clone()));
        ArmDifference { name: arm.label.clone(), lines: same.chain(gone).chain(new).collect() }
    };
    let arms = experiment.arms.iter().enumerate().filter(|(index, _)| *index != baseline);
    arms.map(difference).collect()
}

/// What an arm sets, a line each.
fn lines(arm: &Variant) -> Vec<String> {
    arm.set.iter().map(|patch| format!("{} = {}", patch.path, written(&patch.value))).collect()
}

/// A value as TOML writes it in one line.
fn written(value: &Value) -> String {
    value.toml().to_string()
}
