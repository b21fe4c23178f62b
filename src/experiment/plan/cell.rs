//! A cell: one arm at one point, and all that its runs have in common.

use std::borrow::Cow;

use super::observe::Observing;
use crate::experiment::judge::attribution::text::AttributionText;
use crate::experiment::judge::blast_radius::BlastRadiusRule;
use crate::experiment::judge::expect::Expectation;
use crate::experiment::judge::metastability::MetastabilityRule;
use crate::experiment::measure::metrics::{Metrics, Of, REPLY};
use crate::experiment::price::Prices;
use crate::fault::{DrawnFault, Plan, RandomPlan};
use crate::invariant::WatchList;
use crate::kernel::limit::Limits;
use crate::kernel::time::Time;
use crate::metric::{Measure, Milestone, Objectives};
use crate::model::program::Program;
use crate::theory::{MeanField, Theory};

/// One arm at one point, ready to run under any seed.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The arm's name.
    pub arm: String,
    /// What pictures and tables call the arm.
    pub arm_label: String,
    /// The point's name: `factor=level` for each factor, with spaces between; empty without.
    pub point: String,
    /// What pictures and tables call the point.
    pub point_label: String,
    /// The compiled model.
    pub program: Program,
    /// What goes wrong.
    pub plan: Plan,
    /// What goes wrong at random beside that.
    pub random: Option<RandomPlan>,
    /// What is measured.
    pub measure: Measure,
    /// Whether pilots say when requests begin to count; until they have, all do.
    pub finds_warm_up: bool,
    /// Whether a run ends before its horizon when nothing is left to do.
    pub ends_when_done: bool,
    /// The numbers that are measured of each run.
    pub metrics: Metrics,
    /// What requests are followed to.
    pub milestones: Vec<Milestone>,
    /// How many events may be bad.
    pub objectives: Objectives,
    /// What things cost that are counted in a run; `None` if nothing has a price.
    pub prices: Option<Prices>,
    /// The place of the milestone that is measured instead of replies.
    pub measured: Option<usize>,
    /// How runs are labelled; `None` if they are not.
    pub metastability: Option<MetastabilityRule>,
    /// Whether each run is repeated without each of its causes, and how.
    pub attribution: Option<AttributionText>,
    /// How runs are compared with their twins; `None` if they are not.
    pub blast_radius: Option<BlastRadiusRule>,
    /// What is seen of runs beside what is measured of every run.
    pub observing: Observing,
    /// Which promises are watched.
    pub invariants: WatchList,
    /// What the metrics of every run must be.
    pub expect: Vec<Expectation>,
    /// When a run is given up.
    pub limits: Limits,
    /// What theory says of it.
    pub theory: Option<Theory>,
    /// The mean field whose boundaries a search draws.
    pub mean_field: Option<MeanField>,
}

impl Cell {
    /// What goes wrong in a run, with these faults that were drawn for it.
    ///
    /// # Panics
    /// If a drawn fault does not fit the program: [`RandomPlan::new`] has refused those.
    #[must_use]
    pub fn plan_with(&self, drawn: &[DrawnFault]) -> Cow<'_, Plan> {
        if drawn.is_empty() {
            return Cow::Borrowed(&self.plan);
        }
        let mut faults = self.plan.faults.clone();
        faults.extend(drawn.iter().map(|drawn| drawn.fault.clone()));
        let plan = Plan::new(&faults, &self.program);
        Cow::Owned(plan.unwrap_or_else(|wrong| panic!("a drawn fault does not fit: {wrong:?}")))
    }

    /// What requests are followed to: milestones, and answers that objectives are about.
    #[must_use]
    pub fn followed(&self) -> Vec<Milestone> {
        [self.milestones.as_slice(), &self.objectives.answers].concat()
    }

    /// What stands beside what is measured: each milestone, and replies if one is measured in their
    /// place.
    #[must_use]
    pub fn beside(&self) -> Vec<(&str, Of)> {
        let replies = self.measured.map(|_| (REPLY, Of::Replies));
        let milestones = self.milestones.iter().enumerate();
        let milestones = milestones.map(|(place, it)| (it.name.as_str(), Of::Milestone(place)));
        replies.into_iter().chain(milestones).collect()
    }

    /// The names of the promises that are watched, in the order of the results.
    #[must_use]
    pub fn promises(&self) -> Vec<&str> {
        self.invariants.names()
    }

    /// When something can go wrong in a run.
    #[must_use]
    pub fn faults_act(&self) -> Option<(Time, Time)> {
        faults_act(&self.plan, self.random.as_ref())
    }
}

/// When something can go wrong that is listed or drawn.
pub(super) fn faults_act(plan: &Plan, random: Option<&RandomPlan>) -> Option<(Time, Time)> {
    match (plan.acts, random.map(RandomPlan::window)) {
        (Some(listed), Some(random)) => Some((listed.0.min(random.0), listed.1.max(random.1))),
        (listed, random) => listed.or(random),
    }
}
