//! Reproduction files: one violation with everything that it takes to see it again.

use serde::{Deserialize, Serialize};

use super::minimize::{Minimal, Target};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::case::Case;
use crate::experiment::run::result::RunResult;
use crate::fault::FaultText;
use crate::invariant::Violation;
use crate::kernel::digest::{Checkpoint, digest_of};
use crate::kernel::time::{Span, Time};
use crate::model::document::{Location, Value};
use crate::model::problem::Problem;
use crate::model::read;

/// The version of the format of reproduction files.
pub const FORMAT: u32 = 1;

/// A reproduction as it is written.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Reproduction {
    /// The version of this format.
    pub format: u32,
    /// The version of what a seed means.
    pub trace: u32,
    /// What is to be seen again.
    pub expected: Expected,
    /// Which run shows it.
    pub run: RunText,
    /// Everything that goes wrong in it.
    #[serde(default)]
    pub faults: Vec<FaultText>,
    /// Digests of parts of the run.
    #[serde(default)]
    pub checkpoints: Vec<CheckpointText>,
    /// The experiment.
    pub experiment: Inlined,
    /// The model.
    pub model: Inlined,
    /// The files that the model names.
    #[serde(default)]
    pub files: Vec<Inlined>,
}

/// What is to be seen again.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The invariant that is broken.
    pub invariant: String,
    /// The order for which it is broken first, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<u64>,
    /// When.
    pub at: Span,
    /// How many events the run has.
    pub events: u64,
    /// The digest of the run.
    pub digest: String,
}

/// Which run shows it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RunText {
    /// The seed.
    pub seed: u64,
    /// The arm.
    pub arm: String,
    /// The point: `factor=level` for each factor; empty without.
    #[serde(default)]
    pub point: String,
    /// What the command line had set: `PATH=VALUE`.
    #[serde(default)]
    pub set: Vec<String>,
    /// Users arrive until then.
    pub arrivals_until: Span,
    /// The run ends then.
    pub ends_at: Span,
    /// The orders that are kept; without it, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders: Option<Vec<u64>>,
    /// What the faults were called in the whole run.
    #[serde(default)]
    pub faults_were: Vec<String>,
}

/// The digest after so many events.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointText {
    /// How many events.
    pub events: u64,
    /// The virtual time of the last of them.
    pub at: Span,
    /// The digest of all of them.
    pub digest: String,
}

/// A file with its text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Inlined {
    /// Its path where the reproduction was made.
    pub path: String,
    /// The digest of its text.
    pub digest: String,
    /// Its text.
    pub text: String,
}

impl Inlined {
    /// A file and its text.
    #[must_use]
    pub fn new(path: &str, text: &str) -> Inlined {
        let digest = digest_of(text).to_string();
        Inlined { path: path.to_owned(), digest, text: text.to_owned() }
    }

    /// Whether the text is what it was when the reproduction was made.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        digest_of(&self.text).to_string() == self.digest
    }
}

impl Reproduction {
    /// Reads a reproduction.
    ///
    /// # Errors
    /// If it is none, or one of another version, with the place of what is wrong.
    pub fn read(document: &Value) -> Result<Reproduction, Problem> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let wrong = |message: String, expected: String, path: &[&str]| {
            Problem::new(message).expected(expected).located(document, path)
        };
        if document.find(&["format".to_owned()]).is_none() {
            let at = document.locate(&[]);
            let problem = Problem::new("this file is no reproduction");
            let problem = problem.at(Location { end: at.start, ..at });
            return Err(problem.expected("a file that `stormglass minimize` wrote"));
        }
        let Version { format } = read(document)?;
        if format != FORMAT {
            return Err(wrong(
                format!("this reproduction has format {format}"),
                format!("format {FORMAT}, that of this version of stormglass"),
                &["format"],
            ));
        }
        read(document)
    }

    /// The file's text.
    ///
    /// # Panics
    /// Never: a reproduction is plain data.
    #[must_use]
    pub fn text(&self) -> String {
        let text = toml::to_string_pretty(self).expect("a reproduction is plain data");
        format!(
            "# See it again: stormglass replay FILE. Its story: stormglass explain FILE.\n\n{text}"
        )
    }

    /// The case that it describes.
    #[must_use]
    pub fn case(&self) -> Case {
        Case {
            seed: self.run.seed,
            faults: self.faults.clone(),
            orders: self.run.orders.clone().map(|mut orders| {
                orders.sort_unstable();
                orders
            }),
            arrivals_end: Time(self.run.arrivals_until.0),
            horizon: Time(self.run.ends_at.0),
            redraw: None,
            watch: 0..0,
        }
    }

    /// What is to be seen again; `None` if the cell watches no promise of that name.
    #[must_use]
    pub fn target(&self, cell: &Cell) -> Option<Target> {
        let Expected { invariant, order, .. } = &self.expected;
        let place = cell.invariants.place(invariant)?;
        let at_end = cell.invariants.get(place)?.kind.is_judged_at_end();
        Some(Target { invariant: invariant.clone(), place, order: *order, at_end })
    }

    /// The index of its cell in a campaign.
    #[must_use]
    pub fn cell(&self, campaign: &Campaign) -> Option<usize> {
        let is_it = |cell: &Cell| cell.arm == self.run.arm && cell.point == self.run.point;
        campaign.cells.iter().position(is_it)
    }
}

/// Where a minimal case comes from.
#[derive(Clone, Debug)]
pub struct Origin<'a> {
    /// The version of what a seed means.
    pub trace: u32,
    /// The arm.
    pub arm: &'a str,
    /// The point.
    pub point: &'a str,
    /// What the command line had set.
    pub set: &'a [String],
    /// Path and text of the experiment, the model, and every file that the model names.
    pub files: &'a [(String, String)],
}

/// The reproduction of a minimal case; `None` if the files are not there.
#[must_use]
pub fn reproduction(minimal: &Minimal, origin: &Origin<'_>) -> Option<Reproduction> {
    let mut files = origin.files.iter().map(|(path, text)| Inlined::new(path, text));
    let Minimal { case, violation, result, .. } = minimal;
    Some(Reproduction {
        format: FORMAT,
        trace: origin.trace,
        expected: expected(&minimal.target.invariant, *violation, result),
        run: RunText {
            seed: case.seed,
            arm: origin.arm.to_owned(),
            point: origin.point.to_owned(),
            set: origin.set.to_vec(),
            arrivals_until: Span(case.arrivals_end.0),
            ends_at: Span(case.horizon.0),
            orders: case.orders.clone(),
            faults_were: minimal.names.clone(),
        },
        faults: case.faults.clone(),
        checkpoints: result.checkpoints.iter().map(checkpoint).collect(),
        experiment: files.next()?,
        model: files.next()?,
        files: files.collect(),
    })
}

fn expected(invariant: &str, violation: Violation, result: &RunResult) -> Expected {
    Expected {
        invariant: invariant.to_owned(),
        order: violation.order,
        at: Span(violation.at.0),
        events: result.events,
        digest: result.digest.to_string(),
    }
}

fn checkpoint(checkpoint: &Checkpoint) -> CheckpointText {
    let Checkpoint { events, time, digest } = *checkpoint;
    CheckpointText { events, at: Span(time.0), digest: digest.to_string() }
}

/// How a run differs from what a reproduction expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The violation that came back.
    pub violation: Option<Violation>,
    /// Whether it came at the same time for the same order.
    pub is_same_violation: bool,
    /// Whether the digest is the same.
    pub is_same_digest: bool,
    /// If it is not: after how many events both were still the same, and the next checkpoint.
    pub parted: Option<(u64, Option<u64>)>,
}

impl Replayed {
    /// Whether all is as expected.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.is_same_violation && self.is_same_digest
    }
}

/// Compares a run with what a reproduction expects, whose target is given.
#[must_use]
pub fn compare(expected: &Reproduction, target: &Target, run: &RunResult) -> Replayed {
    let violation = target.found_in(run);
    let Expected { at, order, digest, events, .. } = &expected.expected;
    let is_same_violation =
        violation.is_some_and(|found| found.at == Time(at.0) && found.order == *order);
    let is_same_digest = run.digest.to_string() == *digest && run.events == *events;
    let here: Vec<CheckpointText> = run.checkpoints.iter().map(checkpoint).collect();
    let pairs = || expected.checkpoints.iter().zip(&here);
    let same = pairs().take_while(|(one, other)| one == other).count();
    let parted = (!is_same_digest).then(|| {
        let before = same.checked_sub(1).map_or(0, |last| here[last].events);
        let next = expected.checkpoints.get(same).map(|checkpoint| checkpoint.events);
        (before, next)
    });
    Replayed { violation, is_same_violation, is_same_digest, parted }
}
