//! What can have a price: what is counted in a run.

use crate::experiment::measure::count::{COUNTS, Count};
use crate::experiment::plan::cell::Cell;
use crate::experiment::plan::language::Experiment;
use crate::experiment::run::result::RunResult;
use crate::kernel::time::Time;
use crate::metric::{Account, Progress, Recovery};
use crate::model::problem::{Problem, shortened};
use crate::model::program::{Extent, Kind, Program};

/// Something that is counted in a run, by the names of a program.
#[derive(Clone, Debug)]
pub enum Counted {
    /// For how long users arrive, in nanoseconds.
    Time,
    /// The same, for each of so many instances.
    Instances(u64),
    /// From the first fault until what is measured fares as before, in nanoseconds; to the last
    /// arrival, if it never does.
    UntilRecovered,
    /// Attempts at these edges.
    Attempts(Vec<usize>),
    /// Violations of the promise at this place.
    Violations(usize),
    /// Requests on their way to the milestone at this place.
    Milestone(usize, fn(&Progress) -> u64),
    /// Events of the objective at this place.
    Objective(usize, fn(&Account) -> u64),
    /// A whole number of the run.
    Count(fn(&RunResult) -> u64),
}

/// Whole numbers of a run beside [`COUNTS`] that can have a price.
const MORE: [Count; 7] = [
    Count { name: "dead_letters", value: |run| run.metrics.dead_letters },
    Count { name: "unprocessed", value: |run| run.metrics.unprocessed },
    Count { name: "unhandled", value: |run| run.metrics.unhandled() },
    Count { name: "updates_lost", value: |run| run.metrics.updates_lost },
    Count { name: "commits_lost", value: |run| run.metrics.commits_lost },
    Count { name: "pool_timeouts", value: |run| run.metrics.pool_timeouts },
    Count { name: "connections_opened", value: |run| run.metrics.connections_opened },
];

/// Those of [`COUNTS`] that nobody pays for: they are what the simulator did.
const OF_THE_SIMULATOR: [&str; 2] = ["events", "fault_fired"];

/// A number of a milestone or an objective by its name.
type Named<T> = (&'static str, fn(&T) -> u64);

const OF_MILESTONES: [Named<Progress>; 4] = [
    ("asked", |progress| progress.asked),
    ("reached", |progress| progress.reached),
    ("failed", |progress| progress.failed),
    ("late", |progress| progress.late),
];

const OF_OBJECTIVES: [Named<Account>; 3] = [
    ("good", |account| account.good),
    ("bad", |account| account.bad),
    ("degraded", |account| account.degraded),
];

impl Counted {
    /// What is meant by this text.
    ///
    /// # Errors
    /// If that is not counted in runs of this experiment, with what is.
    pub(super) fn find(
        text: &str,
        experiment: &Experiment,
        program: &Program,
    ) -> Result<Counted, Problem> {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match words.as_str() {
            "time" => return Ok(Counted::Time),
            "time until recovered" => return Ok(Counted::UntilRecovered),
            "calls between zones" => return between(program, Extent::Zone),
            "calls between regions" => return between(program, Extent::Region),
            _ if words.starts_with("traffic") => return Err(traffic()),
            _ => {}
        }
        if let Some(nodes) = words.strip_prefix("instances of ") {
            return instances(nodes, program);
        }
        if let Some(called) = words.strip_prefix("attempts at ") {
            return attempts(called, program);
        }
        if let Some(name) = words.strip_prefix("violations of ") {
            let names = experiment.invariants.names();
            let place = names.iter().position(|known| *known == name);
            let unknown = || Problem::unknown("promise of [invariants]", name, &names);
            return place.map(Counted::Violations).ok_or_else(unknown);
        }
        column(&words, experiment).ok_or_else(|| not_counted(text, experiment))
    }

    /// Whether it is a length of time, in nanoseconds.
    #[must_use]
    pub fn is_time(&self) -> bool {
        matches!(self, Counted::Time | Counted::Instances(_) | Counted::UntilRecovered)
    }

    /// Whether it counts what went wrong, so that who does less does not pay less.
    #[must_use]
    pub fn is_loss(&self, what: &str) -> bool {
        const LOSSES: [&str; 7] =
            ["failed", "unanswered", "late", "bad", "unhandled", "commits_lost", "dead_letters"];
        let name = what.rsplit_once('.').map_or(what, |(_, name)| name);
        matches!(self, Counted::Violations(_)) || LOSSES.contains(&name)
    }

    /// How much of it there is in a run; `None` where that cannot be told.
    pub(super) fn in_run(&self, cell: &Cell, run: &RunResult) -> Option<u128> {
        let arrivals = u128::from(cell.measure.arrivals_end.since(Time::ZERO).0);
        Some(match self {
            Counted::Time => arrivals,
            Counted::Instances(instances) => arrivals * u128::from(*instances),
            Counted::UntilRecovered => u128::from(recovered_after(cell, run)?),
            Counted::Attempts(edges) => {
                let attempts = edges.iter().map(|&edge| run.metrics.edges[edge].attempts);
                u128::from(attempts.sum::<u64>())
            }
            Counted::Violations(place) => u128::from(run.invariants.get(*place)?.violations),
            Counted::Milestone(place, count) => {
                u128::from(count(run.metrics.milestones.get(*place)?))
            }
            Counted::Objective(place, count) => {
                let objective = &cell.objectives.list[*place];
                u128::from(count(&objective.account(&run.metrics, &cell.measure)?))
            }
            Counted::Count(count) => u128::from(count(run)),
        })
    }
}

/// From the first fault until what is measured fares as before, in nanoseconds.
fn recovered_after(cell: &Cell, run: &RunResult) -> Option<u64> {
    let Some((began, healed)) = run.faults_act else { return Some(0) };
    let end = cell.measure.arrivals_end;
    match run.recovery {
        Recovery::NoFault => Some(0),
        Recovery::After(span) => Some((healed + span).since(began).0),
        Recovery::Never | Recovery::Unsteady => Some(end.max(began).since(began).0),
        Recovery::Unseen => None,
    }
}

fn instances(text: &str, program: &Program) -> Result<Counted, Problem> {
    let (_, nodes) = program.find_nodes(text)?;
    let ours = nodes.iter().map(|&id| program.node(id));
    let ours = ours.filter(|node| !matches!(node.kind, Kind::Clients(_)));
    let count: u64 = ours.map(|node| u64::from(node.station.instances)).sum();
    match count {
        0 => Err(Problem::new(format!("`{}` are users, whom nobody pays for", shortened(text)))
            .expected("a node of the system, `zone NAME` or `region NAME`")),
        count => Ok(Counted::Instances(count)),
    }
}

fn attempts(called: &str, program: &Program) -> Result<Counted, Problem> {
    let is_it: Vec<bool> = match program.find_operation(called) {
        Some(operation) => program.edges_to(operation),
        None => {
            let node = program.nodes.iter().position(|node| node.name == called);
            let is_of = |target| Some(target as usize) == node;
            program.edges.iter().map(|edge| is_of(edge.target.0)).collect()
        }
    };
    let edges: Vec<usize> = (0..is_it.len()).filter(|&edge| is_it[edge]).collect();
    if edges.is_empty() {
        let nodes = program.nodes.iter().map(|node| node.name.as_str());
        let operations = program.operations.iter().map(|operation| operation.name.as_str());
        let mut known: Vec<&str> = nodes.chain(operations).collect();
        known.sort_unstable();
        known.dedup();
        return Err(Problem::unknown("operation or node that is called", called, &known));
    }
    Ok(Counted::Attempts(edges))
}

/// Attempts from one zone or region to another one. What lies in none is nowhere.
fn between(program: &Program, extent: Extent) -> Result<Counted, Problem> {
    let crosses = |edge: usize| {
        let ends = [program.edges[edge].caller, program.edges[edge].target];
        let [from, to] = ends.map(|id| program.node(id).place.name(extent));
        from.is_some() && to.is_some() && from != to
    };
    let edges: Vec<usize> = (0..program.edges.len()).filter(|&edge| crosses(edge)).collect();
    if edges.is_empty() {
        let kind = if extent == Extent::Zone { "zone" } else { "region" };
        return Err(Problem::new(format!("no call of this model leads to another {kind}"))
            .expected(format!("`{kind}` of two nodes, one of which calls the other")));
    }
    Ok(Counted::Attempts(edges))
}

/// Why traffic has no price.
fn traffic() -> Problem {
    Problem::new("a run counts calls and not bytes: nothing says how large an answer is")
        .expected("\"calls between zones\" or \"calls between regions\", at the price of one call")
}

/// A whole number of `runs.csv`.
fn column(name: &str, experiment: &Experiment) -> Option<Counted> {
    let known = COUNTS.iter().filter(|count| !OF_THE_SIMULATOR.contains(&count.name)).chain(&MORE);
    if let Some(count) = known.clone().find(|count| count.name == name) {
        return Some(Counted::Count(count.value));
    }
    let (of, name) = name.rsplit_once('.')?;
    if let Some(place) = experiment.milestones.get_index_of(of) {
        let (_, count) = OF_MILESTONES.iter().find(|(known, _)| *known == name)?;
        return Some(Counted::Milestone(place, *count));
    }
    let place = experiment.objectives.get_index_of(of)?;
    let (_, count) = OF_OBJECTIVES.iter().find(|(known, _)| *known == name)?;
    Some(Counted::Objective(place, *count))
}

/// Everything that can have a price in this experiment.
fn not_counted(text: &str, experiment: &Experiment) -> Problem {
    let mut known: Vec<String> = [
        "time",
        "instances of NODE",
        "time until recovered",
        "attempts at NODE.OPERATION",
        "calls between zones",
        "calls between regions",
    ]
    .map(str::to_owned)
    .to_vec();
    known.extend(experiment.invariants.names().iter().map(|it| format!("violations of {it}")));
    for name in experiment.milestones.keys() {
        known.extend(OF_MILESTONES.map(|(count, _)| format!("{name}.{count}")));
    }
    for name in experiment.objectives.keys() {
        known.extend(OF_OBJECTIVES.map(|(count, _)| format!("{name}.{count}")));
    }
    let counts = COUNTS.iter().chain(&MORE).map(|count| count.name);
    known.extend(counts.filter(|name| !OF_THE_SIMULATOR.contains(name)).map(str::to_owned));
    Problem::new(format!("no run counts `{}`, so it has no price", shortened(text)))
        .expected(format!("one of: {}", known.join(", ")))
}
