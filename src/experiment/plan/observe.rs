//! `[observe]`: what is seen of runs beside what is measured of every run: the moments of an
//! incident, where the time of requests went, and what nodes and operations did in the course of
//! time.
//!
//! All of it is told by facts that are there anyway: a run is the same with and without it.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fault::Plan;
use crate::invariant::operation;
use crate::kernel::time::{Span, Time};
use crate::metric::{Incident, IncidentRule, IncidentWatch, PathWatch, Paths};
use crate::model::document::Value;
use crate::model::problem::Problem;
use crate::model::program::{OperationId, Program};
use crate::model::quantity::Share;
use crate::system::{Audience, Observer};

/// `[observe]`: what is seen of runs beside what is measured of every run.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ObserveText {
    /// Whether the first seed is told node by node and operation by operation, window by window.
    pub nodes: bool,
    /// The moments of the incident that the faults are.
    pub incident: Option<IncidentText>,
    /// Where the time of requests goes.
    pub requests: Option<RequestsText>,
}

/// `[observe.incident]`: who is hit, and what shows it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct IncidentText {
    /// Users are hit whose requests for this operation, `NODE.OPERATION`, are bad.
    pub hit: String,
    /// The operation whose bad requests are a sign, such as that of a probe; none without it.
    #[serde(default)]
    pub sign: Option<String>,
    /// A request is bad that is not answered `ok` within this time; whenever, without it.
    #[serde(default)]
    pub within: Option<Span>,
    /// So many bad signs in a row are an alarm; 3 without it.
    #[serde(default)]
    pub in_a_row: Option<u32>,
}

/// `[observe.requests]`: whose time is told.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RequestsText {
    /// The operation whose requests are followed, `NODE.OPERATION`.
    pub of: String,
    /// The share of them that are the slowest; 1% without it.
    #[serde(default)]
    pub slowest: Option<Share>,
}

/// What is seen of the runs of a cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observing {
    /// Whether the first seed is told node by node.
    pub nodes: bool,
    /// Whose incident it is.
    pub incident: Option<IncidentRule>,
    /// Whose requests are followed, and the share of them that are the slowest.
    pub requests: Option<(OperationId, f64)>,
}

/// What was seen of a run.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Observed {
    /// The moments of its incident; `None` unless the experiment asks, and without a fault.
    pub incident: Option<Incident>,
    /// Where the time of its requests went; `None` unless the experiment asks.
    pub paths: Option<Paths>,
}

/// So many failed probes in a row are an outage by default: `failureThreshold` of a Kubernetes
/// probe (kubernetes.io, "Configure Liveness, Readiness and Startup Probes").
const IN_A_ROW: u32 = 3;
/// The slowest of a hundred: those above the 99th percentile.
const SLOWEST: f64 = 0.01;

/// What is seen of the runs of a program; notes what does not fit.
pub(in crate::experiment) fn compiled(
    text: Option<&ObserveText>,
    program: &Program,
    (document, problems): (&Value, &mut Vec<Problem>),
) -> Observing {
    let Some(text) = text else { return Observing::default() };
    let found = Observing::new(text, program);
    let placed = |problem: Problem| problems.push(problem.located(document, &["observe"]));
    found.map_err(placed).unwrap_or_default()
}

impl Observing {
    /// Checks `[observe]` against a program.
    ///
    /// # Errors
    /// An operation that there is not, or a number without meaning, with its key.
    fn new(text: &ObserveText, program: &Program) -> Result<Observing, Problem> {
        let inside = |section: &'static str, key: &'static str| {
            move |problem: Problem| problem.inside(key).inside(section)
        };
        let find =
            |name: &str, section, key| operation(name, program).map_err(inside(section, key));
        let incident = text.incident.as_ref().map(|it| {
            let sign = it.sign.as_ref().map(|sign| find(sign, "incident", "sign"));
            let in_a_row = it.in_a_row.unwrap_or(IN_A_ROW);
            if in_a_row == 0 {
                let problem = Problem::new("an alarm without a sign").expected("at least 1");
                return Err(inside("incident", "in_a_row")(problem));
            }
            let hit = find(&it.hit, "incident", "hit")?;
            let sign = sign.transpose()?;
            if sign == Some(hit) {
                let problem = Problem::new("users who are hit are no sign of that");
                let expected = "another operation, such as that of a probe";
                return Err(inside("incident", "sign")(problem.expected(expected)));
            }
            Ok(IncidentRule { hit, sign, within: it.within, in_a_row })
        });
        let requests = text.requests.as_ref().map(|it| {
            let slowest = it.slowest.map_or(SLOWEST, |share| share.0);
            if slowest <= 0.0 {
                let problem = Problem::new("nothing is the slowest").expected("more than 0%");
                return Err(inside("requests", "slowest")(problem));
            }
            Ok((find(&it.of, "requests", "of")?, slowest))
        });
        Ok(Observing {
            nodes: text.nodes,
            incident: incident.transpose()?,
            requests: requests.transpose()?,
        })
    }

    /// Those who watch a run under a plan, of requests that are asked after the warm-up.
    pub(in crate::experiment) fn watch<'p>(
        &self,
        program: &'p Program,
        warm_up: Time,
        plan: &Plan,
    ) -> Watching<'p> {
        let incident = |rule| Some(IncidentWatch::new(rule, plan.acts?));
        let follow = |(of, slowest)| PathWatch::new(program, of, slowest, warm_up);
        Watching { incident: self.incident.and_then(incident), paths: self.requests.map(follow) }
    }
}

/// Those who watch a run.
#[derive(Clone, Debug)]
pub(in crate::experiment) struct Watching<'p> {
    incident: Option<IncidentWatch>,
    paths: Option<PathWatch<'p>>,
}

impl Watching<'_> {
    /// Who is told what happens.
    pub(in crate::experiment) fn observers(&mut self) -> Audience<'_> {
        let incident = self.incident.as_mut().map(|watch| watch as &mut dyn Observer);
        let paths = self.paths.as_mut().map(|watch| watch as &mut dyn Observer);
        Audience::new(incident.into_iter().chain(paths).collect())
    }

    /// What was seen; `None` if nobody watched.
    pub(in crate::experiment) fn finish(self) -> Option<Observed> {
        let incident = self.incident.map(IncidentWatch::finish);
        let paths = self.paths.map(PathWatch::finish);
        (incident.is_some() || paths.is_some()).then_some(Observed { incident, paths })
    }
}
