//! From faults to controls of a compiled model.

use super::instances;
use super::language::{FaultKind, FaultText};
use super::target::{find, links, partition};
use crate::kernel::draw::Probability;
use crate::kernel::time::{Span, Time};
use crate::model::language::Failure;
use crate::model::problem::Problem;
use crate::model::program::{self, Arrivals, Kind, NodeId, Program, Spike};
use crate::model::quantity::Share;
use crate::policy::Outcome;
use crate::system::control::{Action, Control, Surge};

/// Users do not arrive faster: virtual time has no more than this many instants a second.
const RATE_MAX: f64 = 1e9;

/// Everything that goes wrong in a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// What is switched on and off.
    pub controls: Vec<Control>,
    /// Clients at which users arrive at another rate for a while, in the order of the faults.
    pub spikes: Vec<(NodeId, Spike)>,
    /// When those other rates count, by the number of the fault.
    pub surges: Vec<Surge>,
    /// Every fault, by its number.
    pub faults: Vec<FaultText>,
    /// When the first fault begins and the last one ends.
    pub acts: Option<(Time, Time)>,
}

impl Plan {
    /// The plan of these faults for a program.
    ///
    /// # Errors
    /// Every fault that does not fit, by its position in the list.
    pub fn new(faults: &[FaultText], program: &Program) -> Result<Plan, Vec<(usize, Problem)>> {
        let mut plan = Plan::default();
        let mut problems = Vec::new();
        for (index, fault) in faults.iter().enumerate() {
            if let Err(problem) = plan.add(fault, program) {
                problems.push((index, problem));
            }
            plan.faults.push(fault.clone());
        }
        if problems.is_empty() { Ok(plan) } else { Err(problems) }
    }

    /// The same with these faults alone. They keep their numbers: the others stand in the list and
    /// do nothing.
    pub fn only(&self, keeps: impl Fn(usize) -> bool) -> Plan {
        let is_kept = |fault: u32| keeps(fault as usize);
        let spikes = self.spikes.iter().zip(&self.surges);
        Plan {
            controls: self.controls.iter().filter(|it| is_kept(it.fault)).cloned().collect(),
            spikes: spikes.filter(|(_, it)| is_kept(it.fault)).map(|(it, _)| *it).collect(),
            surges: self.surges.iter().filter(|it| is_kept(it.fault)).copied().collect(),
            faults: self.faults.clone(),
            acts: self.acts_of(&keeps),
        }
    }

    /// When the first of these faults begins and the last one ends.
    pub fn acts_of(&self, is_one: impl Fn(usize) -> bool) -> Option<(Time, Time)> {
        let faults = self.faults.iter().enumerate().filter(|(index, _)| is_one(*index));
        let acts = faults.map(|(_, fault)| fault.acts());
        acts.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
    }

    fn add(&mut self, fault: &FaultText, program: &Program) -> Result<(), Problem> {
        check_strengths(fault)?;
        if fault.lasts == Span::ZERO && !fault.kind.is_at_once() {
            return Err(Problem::new("this fault ends when it begins")
                .expected("more than 0s")
                .inside("for"));
        }
        let (from, until) = fault.acts();
        let (first, last) = self.acts.unwrap_or((from, until));
        self.acts = Some((first.min(from), last.max(until)));
        match action(fault, program)? {
            Some(action) => {
                let fault = self.faults.len() as u32;
                self.controls.push(Control { fault, from, until, action });
                Ok(())
            }
            None if fault.kind == FaultKind::PrimaryFailover => {
                self.add_failover(fault, program, from, until)
            }
            None if fault.kind == FaultKind::TrafficSpike => {
                self.add_spike(fault, program, from, until)
            }
            None => {
                let number = self.faults.len() as u32;
                self.controls.extend(instances::restarts(fault, number, program, from)?);
                Ok(())
            }
        }
    }

    fn add_failover(
        &mut self,
        fault: &FaultText,
        program: &Program,
        from: Time,
        until: Time,
    ) -> Result<(), Problem> {
        let is_database = |kind: &Kind| matches!(kind, Kind::Database(_));
        let database = find(fault, program, "database", is_database)?;
        let to = fault.to.as_deref().unwrap_or_default();
        let replica = program
            .find_node_of(to, "replica", is_replica)
            .map_err(|problem| problem.inside("to"))?;
        let Kind::Replica(program::Replica { of, .. }) = program.node(replica).kind else {
            return Err(Problem::new("only a replica takes a database's place"));
        };
        if of != database {
            return Err(Problem::new(format!("`{to}` does not follow `{}`", fault.target))
                .expected(format!("a replica of `{}`", fault.target))
                .inside("to"));
        }
        let near = Probability::new(fault.share.unwrap_or_default().0);
        let action = Action::CutOff { node: database, near };
        let number = self.faults.len() as u32;
        self.controls.push(Control { fault: number, from, until, action });
        let from = from + fault.after.unwrap_or_default();
        if from < until {
            let action = Action::Promote { database, replica };
            self.controls.push(Control { fault: number, from, until, action });
        }
        Ok(())
    }

    fn add_spike(
        &mut self,
        fault: &FaultText,
        program: &Program,
        from: Time,
        until: Time,
    ) -> Result<(), Problem> {
        let is_clients = |kind: &Kind| matches!(kind, Kind::Clients(_));
        let node = find(fault, program, "group of clients", is_clients)?;
        let Kind::Clients(clients) = &program.node(node).kind else {
            return Err(Problem::new("a spike strikes clients"));
        };
        if !matches!(clients.arrivals, Arrivals::Poisson(_) | Arrivals::Bursts(_)) {
            return Err(Problem::new("only Poisson arrivals can have a spike")
                .expected("clients whose arrivals are `poisson`, `profile`, `daily` or `bursts`")
                .inside("target"));
        }
        let rate = fault.rate.map_or(0.0, |rate| rate.per_second);
        if rate > RATE_MAX {
            return Err(Problem::new("more users than one a nanosecond")
                .expected("at most 1e9/s")
                .inside("rate"));
        }
        self.spikes.push((node, Spike { from, until, rate }));
        let fault = self.faults.len() as u32;
        self.surges.push(Surge { fault, clients: node, from, until });
        Ok(())
    }
}

/// What a fault does from its beginning to its end; `None` of one that is more than that.
fn action(fault: &FaultText, program: &Program) -> Result<Option<Action>, Problem> {
    let share = Probability::new(fault.share.unwrap_or_default().0);
    Ok(Some(match fault.kind {
        FaultKind::Slow => slow(fault, program)?,
        FaultKind::Errors => errors(fault, program)?,
        FaultKind::RequestLoss => Action::RequestLoss { links: links(fault, program)?, share },
        FaultKind::ReplyLoss => Action::ReplyLoss { links: links(fault, program)?, share },
        FaultKind::Latency => Action::Latency {
            links: links(fault, program)?,
            added: fault.added.unwrap_or_default(),
        },
        FaultKind::Duplicate => Action::Duplicate { links: links(fault, program)?, share },
        FaultKind::Reorder => Action::Reorder {
            links: links(fault, program)?,
            share,
            added: fault.added.unwrap_or_default(),
        },
        FaultKind::Partition => partition(fault, program)?,
        FaultKind::LinkClog => Action::Clog { links: links(fault, program)? },
        FaultKind::ReplicaLag => Action::ReplicaLag {
            node: find(fault, program, "replica", is_replica)?,
            added: fault.added.unwrap_or_default(),
        },
        FaultKind::ReplicaStop => {
            Action::StopReplica { node: find(fault, program, "replica", is_replica)? }
        }
        FaultKind::CacheFlush => {
            Action::FlushCache { node: find(fault, program, "cache", is_cache)? }
        }
        FaultKind::CacheStale => {
            Action::StaleCache { node: find(fault, program, "cache", is_cache)? }
        }
        FaultKind::ReadModelCorruption => {
            let is_copy = |kind: &Kind| is_replica(kind) || is_cache(kind);
            Action::Corrupt { node: find(fault, program, "replica or cache", is_copy)?, share }
        }
        FaultKind::Crash | FaultKind::Pause => instances::action(fault, program)?,
        FaultKind::WorkerKill | FaultKind::RelayCrash => instances::kill(fault, program)?,
        FaultKind::DiskFull => {
            let is_database = |kind: &Kind| matches!(kind, Kind::Database(_));
            Action::DiskFull { node: find(fault, program, "database", is_database)? }
        }
        FaultKind::ClockSkew => Action::ClockSkew {
            node: find(fault, program, "node", |_| true)?,
            by: fault.by.map_or(0, |by| by.0),
        },
        FaultKind::QueueStall => Action::QueueStall { node: queue(fault, program)? },
        FaultKind::RedeliveryBurst => Action::Redelivery {
            node: queue(fault, program)?,
            since: fault.since.unwrap_or(Span::ZERO),
        },
        FaultKind::HotKey => Action::HotKey { node: with_keys(fault, program)?, share },
        FaultKind::PrimaryFailover | FaultKind::Restart | FaultKind::TrafficSpike => {
            return Ok(None);
        }
    }))
}

fn slow(fault: &FaultText, program: &Program) -> Result<Action, Problem> {
    let factor = fault.factor.unwrap_or_default();
    if !(factor > 0.0 && factor <= 1e6) {
        return Err(Problem::new(format!("work cannot take {factor} times as long"))
            .expected("more than 0 and at most 1e6")
            .inside("factor"));
    }
    Ok(Action::Slow { node: find(fault, program, "node", |_| true)?, factor })
}

fn errors(fault: &FaultText, program: &Program) -> Result<Action, Problem> {
    let is_called = |kind: &Kind| !matches!(kind, Kind::Clients(_) | Kind::Outbox(_));
    let node = find(fault, program, "node that is called", is_called)?;
    let Share(share) = fault.share.unwrap_or_default();
    let Share(after) = fault.after_effect.unwrap_or_default();
    let outcome = fault.status.map(|Failure(outcome)| outcome);
    if after > 0.0 && outcome.is_some_and(Outcome::is_never_taken) {
        return Err(Problem::new("a call that was never taken has no effect")
            .expected("another status such as 500 or \"reset\", or no `after_effect`")
            .inside("status"));
    }
    Ok(Action::Errors {
        node,
        before: Probability::new(share * (1.0 - after)),
        after: Probability::new(share * after),
        outcome,
    })
}

fn is_replica(kind: &Kind) -> bool {
    matches!(kind, Kind::Replica(_))
}

fn is_cache(kind: &Kind) -> bool {
    matches!(kind, Kind::Cache(_))
}

/// A fault has the strengths of its kind, and no others.
fn check_strengths(fault: &FaultText) -> Result<(), Problem> {
    let given = [
        ("factor", fault.factor.is_some()),
        ("share", fault.share.is_some()),
        ("after_effect", fault.after_effect.is_some()),
        ("status", fault.status.is_some()),
        ("added", fault.added.is_some()),
        ("one_way", fault.one_way.is_some()),
        ("to", fault.to.is_some()),
        ("after", fault.after.is_some()),
        ("since", fault.since.is_some()),
        ("rate", fault.rate.is_some()),
        ("unreachable", fault.unreachable.is_some()),
        ("step", fault.step.is_some()),
        ("when", fault.when.is_some()),
        ("down", fault.down.is_some()),
        ("times", fault.times.is_some()),
        ("by", fault.by.is_some()),
    ];
    let (kind, wanted) = (fault.kind.name(), fault.kind.strengths());
    for (name, is_given) in given {
        if is_given && !wanted.contains(&name) {
            let takes = match wanted {
                [] => "no strength".to_owned(),
                _ => format!("`{}`", wanted.join("` and `")),
            };
            return Err(Problem::new(format!("`{name}` does not go with `{kind}`"))
                .expected(format!("`{kind}` takes {takes}"))
                .inside(name));
        }
        if !is_given && wanted.contains(&name) && !fault.kind.optional().contains(&name) {
            return Err(Problem::new(format!("`{kind}` needs `{name}`")).expected(match name {
                "step" => "the name of the step at which it strikes".to_owned(),
                "to" => "the name of the replica that takes its place".to_owned(),
                "after" => "how long it takes until the replica leads".to_owned(),
                _ => format!("`{name}` says how strong it is"),
            }));
        }
    }
    Ok(())
}

fn queue(fault: &FaultText, program: &Program) -> Result<NodeId, Problem> {
    find(fault, program, "queue", |kind| matches!(kind, Kind::Queue(_)))
}

/// Clients whose users are about more than one key.
fn with_keys(fault: &FaultText, program: &Program) -> Result<NodeId, Problem> {
    let is_clients = |kind: &Kind| matches!(kind, Kind::Clients(_));
    let node = find(fault, program, "group of clients", is_clients)?;
    match &program.node(node).kind {
        Kind::Clients(clients) if clients.keys.is_empty() => {
            Err(Problem::new("all users of these clients are about the same key")
                .expected("clients with more than one of `keys`")
                .inside("target"))
        }
        _ => Ok(node),
    }
}
