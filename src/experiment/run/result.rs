//! The result of a run.

use serde::{Deserialize, Serialize};

use crate::experiment::judge::attribution::harm::Attribution;
use crate::experiment::judge::blast_radius::BlastRadius;
use crate::experiment::judge::metastability::Label;
use crate::experiment::measure::metrics::Of;
use crate::experiment::plan::observe::Observed;
use crate::fault::DrawnFault;
use crate::invariant::Verdict;
use crate::kernel::digest::{Checkpoint, Digest, Digester};
use crate::kernel::draw::PURPOSES;
use crate::kernel::limit::Ending;
use crate::kernel::time::{Span, Time};
use crate::metric::{Histogram, Progress, Recovery, RunMetrics};

/// The result of one run.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct RunResult {
    /// The index of its cell in the campaign.
    pub cell: usize,
    /// Its seed.
    pub seed: u64,
    /// How it ended.
    pub ending: Ending,
    /// The digest of every event.
    pub digest: Digest,
    /// Digests of parts of the run, to find the first differing event of two runs. They are not
    /// stored: who looks for an event runs the seed again.
    #[serde(skip)]
    pub checkpoints: Vec<Checkpoint>,
    /// A digest of the draws for each purpose.
    pub draws: [u64; PURPOSES],
    /// How many events there were.
    pub events: u64,
    /// What was measured.
    pub metrics: RunMetrics,
    /// The value of each of the cell's metrics; `None` where there is none. They are not stored:
    /// they follow from what was measured.
    #[serde(skip)]
    pub values: Vec<Option<f64>>,
    /// Whether and when what is measured recovered.
    pub recovery: Recovery,
    /// Whether and when replies recovered.
    pub reply_recovery: Recovery,
    /// What became of it beside its control; `None` unless the experiment asks, in a run without a
    /// fault, and where a limit ended one of both.
    pub label: Option<Label>,
    /// How long its queues take to drain if they have filled for the time of the faults; `None`
    /// without a label, and where its system has no capacity to spare.
    pub drain: Option<Span>,
    /// What it came to beside its twin without the cause; `None` unless the experiment asks, in a
    /// run without a cause, and where a limit ended one of both.
    pub blast_radius: Option<BlastRadius>,
    /// When the first fault began and the last one ended.
    pub faults_act: Option<(Time, Time)>,
    /// The faults that were drawn for this run; their numbers follow those of the listed ones. They
    /// are not stored: the seed draws them again.
    #[serde(skip)]
    pub drawn: Vec<DrawnFault>,
    /// What went wrong in it without each of its causes; `None` unless the experiment asks, and
    /// where a limit ended it or one without a cause.
    pub attribution: Option<Attribution>,
    /// What was seen of it beside what is measured; `None` unless the experiment asks.
    pub observed: Option<Observed>,
    /// What the invariants say.
    pub invariants: Vec<Verdict>,
    /// Whether the metrics are as the experiment expects, in its order.
    pub expectations: Vec<Judged>,
}

/// Whether a run kept its promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunVerdict {
    /// Every invariant held, and every metric was as expected.
    Pass,
    /// At least one invariant was broken, or a metric was not as expected.
    Violation,
    /// A limit was reached: nothing can be said.
    Unknown,
}

impl RunVerdict {
    /// The name used in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RunVerdict::Pass => "pass",
            RunVerdict::Violation => "violation",
            RunVerdict::Unknown => "unknown",
        }
    }
}

/// Whether a run is as expected.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Whether it is; `None` if the run says nothing of it.
    pub met: Option<bool>,
    /// The value of the metric, where there is one.
    pub value: Option<f64>,
}

impl RunResult {
    /// Leaves out what no file of a campaign needs once the run has ended and is stored, and keeps
    /// small what percentiles over all runs are made of. It would be nine tenths of the memory of a
    /// large campaign.
    pub fn keep_what_is_written(&mut self) {
        self.checkpoints = Vec::new();
        self.metrics.attempts_each = Histogram::default();
        self.metrics.latency.make_compact();
        self.metrics.staleness.make_compact();
        self.metrics.stays.wait.make_compact();
        self.metrics.pool_waits.make_compact();
        self.metrics.stays.waits_so_far.make_compact();
        self.metrics.stays.found = Histogram::default();
        self.metrics.milestones.iter_mut().for_each(Progress::make_compact);
        self.metrics.answers.iter_mut().for_each(Progress::make_compact);
    }

    /// Whether and when it recovered, by replies or by a milestone.
    #[must_use]
    pub fn recovery_of(&self, of: Of) -> Recovery {
        match of {
            Of::Measured => self.recovery,
            Of::Replies => self.reply_recovery,
            Of::Milestone(place) => {
                let progress = self.metrics.milestones.get(place);
                progress.map_or(Recovery::Unseen, |progress| progress.recovery)
            }
            Of::Objective(_) | Of::Price(_) => Recovery::Unseen,
        }
    }

    /// Whether it collapsed: down to the end of what is judged. `None` where nothing can be said.
    #[must_use]
    pub fn collapsed(&self) -> Option<bool> {
        match (self.label, self.recovery) {
            (Some(Label::Metastable), _) => Some(true),
            (Some(Label::SlowRecovery | Label::Recovers), _) => Some(false),
            (Some(Label::Overload) | None, Recovery::Never) => Some(true),
            (Some(Label::Overload) | None, Recovery::After(_) | Recovery::Unsteady) => Some(false),
            (Some(Label::Overload) | None, Recovery::NoFault | Recovery::Unseen) => None,
        }
    }

    /// Whether the run kept its promises.
    #[must_use]
    pub fn verdict(&self) -> RunVerdict {
        let is_unmet = self.expectations.iter().any(|judged| judged.met == Some(false));
        if is_unmet || self.invariants.iter().any(|invariant| invariant.violations > 0) {
            RunVerdict::Violation
        } else if self.ending != Ending::Complete {
            RunVerdict::Unknown
        } else {
            RunVerdict::Pass
        }
    }
}

/// The digest of the digests of runs, with their seeds, in this order.
#[must_use]
pub fn digest_of_runs(runs: impl Iterator<Item = (u64, Digest)>) -> Digest {
    let mut digester = Digester::default();
    for (seed, Digest(digest)) in runs {
        digester.fold(Time(seed), digest as u64, (digest >> 64) as u64);
    }
    digester.digest()
}
