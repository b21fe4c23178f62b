//! Fault plans that are drawn: how often each kind strikes, for how long, where and how hard.
//!
//! Every draw is named by its kind and number, so a fault that is left out takes no luck from the
//! others. Plans that leave out whole kinds find more than plans that always mix all of them
//! (Groce, Zhang, Eide, Chen, Regehr: "Swarm testing", ISSTA'12).

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::language::{FaultKind, FaultText, Side};
use super::plan::Plan;
use crate::kernel::draw::{Draw, Draws, Probability, Purpose, name_id};
use crate::kernel::sample::{Distribution, unit_exponential};
use crate::kernel::time::{Span, Time};
use crate::model::language::Failure;
use crate::model::problem::Problem;
use crate::model::program::{Arrivals, Extent, Kind, NodeId, Program};
use crate::model::quantity::{Rate, Share, Shift};

/// `[random_faults]`: faults that each run draws from its seed.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RandomText {
    /// Before this time nothing goes wrong.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "crate::model::quantity::Moment"))]
    pub from: Span,
    /// At this time every drawn fault ends at the latest, and the recovery begins.
    #[cfg_attr(feature = "schema", schemars(with = "crate::model::quantity::Moment"))]
    pub until: Span,
    /// Whether each run leaves out each kind with probability one half; no if left out.
    #[serde(default)]
    pub swarm: bool,
    /// Drawn faults that do not happen, by kind and number, such as `"slow 2"`.
    #[serde(default)]
    pub without: Vec<String>,
    /// What can go wrong, and how often.
    pub kinds: IndexMap<FaultKind, RandomKind>,
}

/// How often faults of one kind strike, and how. A strength is a range from the weakest to the
/// strongest; all between are equally likely.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RandomKind {
    /// How often it strikes, a Poisson process.
    pub strikes: Rate,
    /// How long it lasts.
    #[serde(rename = "for")]
    pub lasts: Distribution,
    /// Whom it strikes, one of these each time; all that it can if left out.
    #[serde(default)]
    pub targets: Option<Vec<String>>,
    /// How many times as long work takes.
    #[serde(default)]
    pub factor: Option<[f64; 2]>,
    /// The share of calls or messages.
    #[serde(default)]
    pub share: Option<[Share; 2]>,
    /// The share of errors that come after the effect.
    #[serde(default)]
    pub after_effect: Option<[Share; 2]>,
    /// How much longer messages travel.
    #[serde(default)]
    pub added: Option<[Span; 2]>,
    /// Messages acknowledged within this span are delivered again too.
    #[serde(default)]
    pub since: Option<[Span; 2]>,
    /// The replica that takes a database's place.
    #[serde(default)]
    pub to: Option<String>,
    /// How long it takes until it does.
    #[serde(default)]
    pub after: Option<Span>,
    /// Whether only one direction is cut.
    #[serde(default)]
    pub one_way: Option<bool>,
    /// Whether the hosts of those who die are gone too.
    #[serde(default)]
    pub unreachable: Option<bool>,
    /// `errors`: what callers hear.
    #[serde(default)]
    pub status: Option<Failure>,
    /// The step at which they die.
    #[serde(default)]
    pub step: Option<String>,
    /// On which side of the step.
    #[serde(default)]
    pub when: Option<Side>,
    /// How long each is down.
    #[serde(default)]
    pub down: Option<Span>,
    /// How many die in all.
    #[serde(default)]
    pub times: Option<u32>,
    /// By how much the clock is fast, or with a minus slow.
    #[serde(default)]
    pub by: Option<Shift>,
    /// The rate of arrivals while it lasts.
    #[serde(default)]
    pub rate: Option<[Rate; 2]>,
}

/// A fault that was drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawnFault {
    /// Its kind and its number among the drawn faults of this kind, from 1.
    pub name: String,
    /// What it does.
    pub fault: FaultText,
}

/// The most faults that a plan may be expected to have.
const FAULTS_MAX: f64 = 1_000.0;
/// The draws of one fault.
const GAP: u16 = 0;
const LENGTH: u16 = 1;
const TARGET: u16 = 2;
const FACTOR: u16 = 3;
const SHARE: u16 = 4;
const AFTER_EFFECT: u16 = 5;
const ADDED: u16 = 6;
const RATE: u16 = 7;
const SINCE: u16 = 8;
/// The work that names the draw of whether a kind is left out.
const SWARM: u64 = u64::MAX;

/// A checked `[random_faults]` for one program: from it plans are drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct RandomPlan {
    text: RandomText,
    /// For each kind, in the order of the file, whom it can strike.
    targets: Vec<Vec<String>>,
}

impl RandomPlan {
    /// Checks what could be drawn: each kind at each target, at its weakest and its strongest.
    ///
    /// # Errors
    /// What does not fit, with its place inside `[random_faults]`.
    pub fn new(text: &RandomText, program: &Program) -> Result<RandomPlan, Vec<Problem>> {
        let mut problems = Vec::new();
        if text.from >= text.until {
            let problem = Problem::new("there is no time between `from` and `until`");
            problems.push(problem.expected(format!("more than {}", text.from)).inside("until"));
        }
        let window = text.until.seconds() - text.from.seconds();
        let expected: f64 = text.kinds.values().map(|kind| kind.strikes.per_second * window).sum();
        if expected > FAULTS_MAX {
            let problem = Problem::new(format!("{expected:.0} faults are expected in each run"));
            problems.push(problem.expected(format!("at most {FAULTS_MAX}")).inside("kinds"));
        }
        let mut targets = Vec::new();
        for (&kind, random) in &text.kinds {
            let place = |problem: Problem| problem.inside(kind.name()).inside("kinds");
            let possible = match &random.targets {
                Some(named) => named.clone(),
                None => possible_targets(kind, program),
            };
            if possible.is_empty() {
                let problem =
                    Problem::new(format!("there is nothing that `{}` strikes", kind.name()));
                problems.push(place(problem.expected("a kind that fits the model")));
            }
            for (index, target) in possible.iter().enumerate() {
                let ends = [Draw(0), Draw(u64::MAX)];
                let wrong = ends.into_iter().find_map(|end| {
                    let fault = random.fault(kind, target.clone(), |_| end);
                    Plan::new(&[fault], program).err()?.pop()
                });
                let Some((_, mut problem)) = wrong else { continue };
                if problem.inside == ["target"] && random.targets.is_some() {
                    problem.inside = vec!["targets".to_owned(), index.to_string()];
                }
                problems.push(place(problem));
                break;
            }
            targets.push(possible);
        }
        let is_kind = |name: &str| text.kinds.keys().any(|kind| kind.name() == name);
        for (index, name) in text.without.iter().enumerate() {
            let parts = name.rsplit_once(' ');
            if !parts.is_some_and(|(kind, number)| is_kind(kind) && number.parse::<u64>().is_ok()) {
                let problem = Problem::new(format!("`{name}` is no drawn fault"))
                    .expected("a kind of `kinds` and a number, such as \"slow 2\"");
                problems.push(problem.inside(index.to_string()).inside("without"));
            }
        }
        if problems.is_empty() {
            Ok(RandomPlan { text: text.clone(), targets })
        } else {
            Err(problems)
        }
    }

    /// What can be drawn.
    pub fn kinds(&self) -> impl Iterator<Item = FaultKind> {
        self.text.kinds.keys().copied()
    }

    /// When the first drawn fault can begin, and when the last one ends at the latest.
    pub fn window(&self) -> (Time, Time) {
        (Time(self.text.from.0), Time(self.text.until.0))
    }

    /// The faults of the run with this seed, kind by kind, each in the order of its beginning.
    pub fn draw(&self, seed: u64) -> Vec<DrawnFault> {
        let mut draws = Draws::new(seed);
        let half = Probability::new(0.5);
        let mut drawn = Vec::new();
        for ((&kind, random), targets) in self.text.kinds.iter().zip(&self.targets) {
            let site = name_id(kind.name());
            let never = random.strikes.per_second <= 0.0;
            if never || self.text.swarm && half.happens(draws.draw(Purpose::Fault, site, SWARM, 0))
            {
                continue;
            }
            let mut at = self.text.from.seconds();
            // Twice as many as may be expected, and some: a Poisson process that goes on for longer
            // is cut.
            for number in 0..(3.0 * FAULTS_MAX) as u64 {
                let mut draw = |index: u16| draws.draw(Purpose::Fault, site, number, index);
                at += unit_exponential(draw(GAP)) / random.strikes.per_second;
                let begins = Span::from_secs_f64(at).max(self.text.from);
                if begins >= self.text.until {
                    break;
                }
                let lasts = random.lasts.sample(draw(LENGTH));
                let target = draw(TARGET).below(targets.len() as u64) as usize;
                let mut fault = random.fault(kind, targets[target].clone(), draw);
                fault.at = begins;
                fault.lasts = lasts.clamp(Span(1), self.text.until - begins);
                let name = format!("{} {}", kind.name(), number + 1);
                if !self.text.without.contains(&name) {
                    drawn.push(DrawnFault { name, fault });
                }
            }
        }
        drawn
    }
}

impl RandomKind {
    /// A fault of this kind with strengths that are drawn.
    fn fault(
        &self,
        kind: FaultKind,
        target: String,
        mut draw: impl FnMut(u16) -> Draw,
    ) -> FaultText {
        let mut between =
            |index: u16, [low, high]: [f64; 2]| low + (high - low) * draw(index).unit();
        let spans = |[low, high]: [Span; 2]| [low.0 as f64, high.0 as f64];
        let shares = |[low, high]: [Share; 2]| [low.0, high.0];
        FaultText {
            kind,
            target,
            at: Span::ZERO,
            lasts: Span(1),
            factor: self.factor.map(|range| between(FACTOR, range)),
            share: self.share.map(|range| Share(between(SHARE, shares(range)))),
            status: self.status,
            after_effect: self
                .after_effect
                .map(|range| Share(between(AFTER_EFFECT, shares(range)))),
            added: self.added.map(|range| Span::from_nanos_f64(between(ADDED, spans(range)))),
            since: self.since.map(|range| Span::from_nanos_f64(between(SINCE, spans(range)))),
            to: self.to.clone(),
            after: self.after,
            one_way: self.one_way,
            unreachable: self.unreachable,
            step: self.step.clone(),
            when: self.when,
            down: self.down,
            times: self.times,
            by: self.by,
            rate: self.rate.map(|[low, high]| {
                let per_second = between(RATE, [low.per_second, high.per_second]);
                Rate { per_second }
            }),
        }
    }
}

/// Whom faults of a kind can strike in a model, as `target` names it.
fn possible_targets(kind: FaultKind, program: &Program) -> Vec<String> {
    let nodes = |is_right: fn(&Kind) -> bool| -> Vec<String> {
        let right = program.nodes.iter().filter(|node| is_right(&node.kind));
        right.map(|node| node.name.clone()).collect()
    };
    match kind {
        FaultKind::Slow => nodes(|kind| !matches!(kind, Kind::Clients(_) | Kind::Outbox(_))),
        FaultKind::Crash | FaultKind::Restart | FaultKind::Pause | FaultKind::ClockSkew => {
            nodes(|kind| !matches!(kind, Kind::Clients(_)))
        }
        FaultKind::WorkerKill => nodes(|kind| matches!(kind, Kind::Service(_))),
        FaultKind::RelayCrash => nodes(|kind| matches!(kind, Kind::Outbox(_))),
        FaultKind::DiskFull | FaultKind::PrimaryFailover => {
            nodes(|kind| matches!(kind, Kind::Database(_)))
        }
        FaultKind::QueueStall | FaultKind::RedeliveryBurst => {
            nodes(|kind| matches!(kind, Kind::Queue(_)))
        }
        FaultKind::ReplicaLag | FaultKind::ReplicaStop => {
            nodes(|kind| matches!(kind, Kind::Replica(_)))
        }
        FaultKind::CacheFlush | FaultKind::CacheStale => {
            nodes(|kind| matches!(kind, Kind::Cache(_)))
        }
        FaultKind::ReadModelCorruption => {
            nodes(|kind| matches!(kind, Kind::Replica(_) | Kind::Cache(_)))
        }
        FaultKind::Errors => nodes(|kind| matches!(kind, Kind::Provider(_))),
        FaultKind::HotKey => nodes(|kind| {
            let Kind::Clients(clients) = kind else { return false };
            !clients.keys.is_empty()
        }),
        FaultKind::TrafficSpike => nodes(|kind| {
            let Kind::Clients(clients) = kind else { return false };
            matches!(clients.arrivals, Arrivals::Poisson(_))
        }),
        FaultKind::RequestLoss
        | FaultKind::ReplyLoss
        | FaultKind::Latency
        | FaultKind::Duplicate
        | FaultKind::Reorder
        | FaultKind::LinkClog => links_in_use(program),
        FaultKind::Partition => {
            let mut targets = links_in_use(program);
            targets.extend(places(program, Extent::Zone, "zone"));
            targets.extend(places(program, Extent::Region, "region"));
            targets
        }
    }
}

/// The links over which messages go, `caller -> callee`, each once.
fn links_in_use(program: &Program) -> Vec<String> {
    let calls = program.edges.iter().map(|edge| (edge.caller, edge.target));
    let deliveries = program.nodes.iter().enumerate().flat_map(|(index, node)| {
        let consumers = match &node.kind {
            Kind::Queue(queue) => {
                queue.groups.iter().flat_map(|group| group.consumers.clone()).collect()
            }
            _ => Vec::new(),
        };
        consumers.into_iter().map(move |worker| (NodeId(index as u16), worker))
    });
    let mut links: Vec<(NodeId, NodeId)> = calls.chain(deliveries).collect();
    links.sort_unstable();
    links.dedup();
    let name = |id: NodeId| program.node(id).name.as_str();
    links.into_iter().map(|(from, to)| format!("{} -> {}", name(from), name(to))).collect()
}

/// All zones or regions, if there is more than one place in the system.
fn places(program: &Program, extent: Extent, word: &str) -> Vec<String> {
    let mut names: Vec<&str> =
        program.nodes.iter().filter_map(|node| node.place.name(extent)).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| format!("{word} {name}")).collect()
}

/// The strengths of a fault as text: `share = 0.05, added = 20ms`.
///
/// # Panics
/// Never: a fault is plain data.
pub fn strengths(fault: &FaultText) -> String {
    let value = serde_json::to_value(fault).expect("a fault is plain data");
    let given = value.as_object().into_iter().flatten();
    let strengths = given.filter(|(name, value)| {
        !["kind", "target", "at", "for"].contains(&name.as_str()) && !value.is_null()
    });
    let text = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name} = {text}"),
        other => format!("{name} = {other}"),
    };
    strengths.map(text).collect::<Vec<_>>().join(", ")
}
