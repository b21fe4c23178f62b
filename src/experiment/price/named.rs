//! What a price is of, by the names of an experiment and its program.

use super::Counted;
use crate::experiment::measure::count::{COUNTS, Count, count};
use crate::experiment::plan::language::Experiment;
use crate::metric::{Account, Progress};
use crate::model::problem::{Problem, shortened};
use crate::model::program::{Extent, Kind, Program};

/// Whole numbers of a run beside [`COUNTS`] that can have a price.
const MORE: [Count; 7] = [
    count("dead_letters", |run| run.metrics.dead_letters),
    count("unprocessed", |run| run.metrics.unprocessed),
    count("unhandled", |run| run.metrics.unhandled()),
    count("updates_lost", |run| run.metrics.updates_lost),
    count("commits_lost", |run| run.metrics.commits_lost),
    count("pool_timeouts", |run| run.metrics.pool_timeouts),
    count("connections_opened", |run| run.metrics.connections_opened),
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
