//! Ejection: a process leaves instances of a target out of its balancing that fail it, for a while.
//!
//! Whoever has a policy state with `outlier` has a detector for each target with several instances.
//! It hears what attempts came to at which instance, and is asked where an instance is chosen.

use std::collections::BTreeMap;

use super::fact::Fact;
use super::fleet::Choice;
use super::trace::TraceKind;
use super::{Event, World};
use crate::kernel::draw::{Draws, Purpose, key_of};
use crate::kernel::time::Span;
use crate::model::program::{EdgeId, NodeId, Program, StateOf};
use crate::policy::Outcome;
use crate::policy::outlier::{Change, Outlier, OutlierState};

/// An instance that a process leaves out of its balancing, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ejection {
    /// Whose process: of a policy that all callers share, the first of them.
    pub caller: NodeId,
    /// Which one, from 0.
    pub process: u32,
    /// Whose instance.
    pub target: NodeId,
    /// Which one, from 0.
    pub instance: u32,
}

/// The index of a detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DetectorId(u32);

/// What one process knows of the instances of one target.
#[derive(Clone, Debug)]
struct Detector {
    /// The first of the edges that have it in common.
    edge: EdgeId,
    process: u32,
    /// When its first sweep is: processes have not started together.
    phase: Span,
    state: OutlierState,
    /// Whether its next sweep is in the queue of events.
    is_awake: bool,
}

/// Where the detectors of the processes of an edge are.
#[derive(Clone, Copy, Debug)]
struct Row {
    first: u32,
    /// How many detectors lie between those of two processes: none if all processes share one.
    step: u32,
}

/// The detectors of all processes.
#[derive(Clone, Debug, Default)]
pub(super) struct Detectors {
    /// By edge the detector of the caller's first process; empty if there are none at all.
    by_edge: Vec<Option<Row>>,
    all: Vec<Detector>,
    /// What a sweep has changed, kept for the room that it has.
    changes: Vec<(usize, Change)>,
}

impl Detectors {
    /// The detectors of a program, which know nothing yet.
    pub(super) fn new(program: &Program, draws: &mut Draws) -> Detectors {
        let mut detectors = Detectors::default();
        if program.edges.iter().all(|edge| rule_of(program, edge.policy).is_none()) {
            return detectors;
        }
        let mut known = BTreeMap::new();
        for (index, edge) in program.edges.iter().enumerate() {
            let row = program.detecting(edge).map(|(rule, hosts, processes)| {
                *known.entry((edge.scope, edge.target)).or_insert_with(|| {
                    let first = detectors.all.len() as u32;
                    let site = program.node(edge.target).id;
                    let detector = |process| {
                        let work = key_of(u64::from(edge.id), u64::from(process));
                        let draw = draws.draw(Purpose::Policy, site, work, 0);
                        Detector {
                            edge: EdgeId(index as u16),
                            process,
                            phase: Span(draw.below(rule.interval.0)),
                            state: rule.state(hosts as usize),
                            is_awake: false,
                        }
                    };
                    detectors.all.extend((0..processes).map(detector));
                    Row { first, step: u32::from(edge.state_of == StateOf::Process) }
                })
            });
            detectors.by_edge.push(row);
        }
        detectors
    }

    /// The detector of a process for the calls of an edge, if it has one.
    pub(super) fn of(&self, edge: EdgeId, process: u32) -> Option<DetectorId> {
        let row = (*self.by_edge.get(edge.0 as usize)?)?;
        Some(DetectorId(row.first + row.step * process))
    }

    /// Whether a process has ejected every instance, and none gets attempts all the same.
    pub(super) fn leave_nobody(&self, program: &Program, id: Option<DetectorId>) -> bool {
        let Some(detector) = id.map(|id| &self.all[id.0 as usize]) else { return false };
        let rule = rule_of(program, program.edge(detector.edge).policy);
        rule.is_some_and(|rule| rule.leaves_nobody(&detector.state))
    }

    /// Whether a process leaves an instance out.
    pub(super) fn eject(&self, id: Option<DetectorId>, instance: u32) -> bool {
        id.is_some_and(|id| self.all[id.0 as usize].state.is_ejected(instance as usize))
    }

    /// Whether a process leaves any instance out.
    pub(super) fn eject_any(&self, id: Option<DetectorId>) -> bool {
        id.is_some_and(|id| self.all[id.0 as usize].state.ejected() > 0)
    }

    /// Whether a process with so few healthy instances sends attempts to all.
    pub(super) fn panic(&self, program: &Program, id: Option<DetectorId>, healthy: u32) -> bool {
        let Some(detector) = id.map(|id| &self.all[id.0 as usize]) else { return false };
        let rule = rule_of(program, program.edge(detector.edge).policy);
        rule.is_some_and(|rule| rule.panics(healthy, detector.state.hosts()))
    }
}

impl World<'_> {
    /// Tells the detector of a process what an attempt came to at an instance. An attempt that was
    /// lost on its way counts for the instance that a balancer by chance would have chosen.
    pub(super) fn judge_instance(
        &mut self,
        id: Option<DetectorId>,
        instance: Option<u32>,
        work: u64,
        outcome: Outcome,
    ) {
        let Some(id) = id else { return };
        let program = self.cx.program();
        let edge = program.edge(self.detectors.all[id.0 as usize].edge);
        let Some(rule) = rule_of(program, edge.policy) else { return };
        let (node, detectors, detector) = (edge.target, &self.detectors, Some(id));
        let choice = Choice { node, work, detectors, detector };
        let instance =
            instance.unwrap_or_else(|| self.fleet.choose_by_chance(&mut self.cx, choice));
        let detector = &mut self.detectors.all[id.0 as usize];
        let change = rule.record(&mut detector.state, instance as usize, outcome, self.cx.now());
        if !detector.is_awake && (rule.judges_in_sweeps() || change == Some(Change::Ejected)) {
            detector.is_awake = true;
            let at = rule.sweep_after(self.cx.now(), detector.phase);
            self.cx.schedule(at, Event::Sweep(id));
        }
        if let Some(change) = change {
            self.tell_change(id, instance, change);
        }
    }

    /// A process lets instances come back and judges those that it knows enough of.
    pub(super) fn sweep(&mut self, id: DetectorId) {
        let program = self.cx.program();
        let detector = &mut self.detectors.all[id.0 as usize];
        let edge = program.edge(detector.edge);
        let Some(rule) = rule_of(program, edge.policy) else { return };
        let mut changes = std::mem::take(&mut self.detectors.changes);
        rule.sweep(&mut detector.state, self.cx.now(), |host, change| changes.push((host, change)));
        let (process, phase) = (detector.process, detector.phase);
        detector.is_awake = !detector.state.is_calm();
        if detector.is_awake {
            self.cx.schedule(rule.sweep_after(self.cx.now(), phase), Event::Sweep(id));
        }
        self.cx.fold(TraceKind::Sweep, edge.caller, key_of(u64::from(edge.id), u64::from(process)));
        for (host, change) in changes.drain(..) {
            self.tell_change(id, host as u32, change);
        }
        self.detectors.changes = changes;
    }

    /// A process dies: whom it had ejected nobody knows any more.
    pub(super) fn forget_ejections(&mut self, node: NodeId, process: u32) {
        for index in 0..self.detectors.all.len() {
            let detector = &self.detectors.all[index];
            let edge = self.cx.program().edge(detector.edge);
            let is_own = edge.caller == node && edge.state_of == StateOf::Process;
            if !is_own || detector.process != process {
                continue;
            }
            let hosts = detector.state.hosts();
            for host in 0..hosts {
                if self.detectors.all[index].state.is_ejected(host as usize) {
                    self.tell_change(DetectorId(index as u32), host, Change::Returned);
                }
            }
            if let Some(rule) = rule_of(self.cx.program(), edge.policy) {
                self.detectors.all[index].state = rule.state(hosts as usize);
            }
        }
    }

    fn tell_change(&mut self, id: DetectorId, instance: u32, change: Change) {
        let detector = &self.detectors.all[id.0 as usize];
        let edge = self.cx.program().edge(detector.edge);
        let (caller, target, process) = (edge.caller, edge.target, detector.process);
        let ejection = Ejection { caller, process, target, instance };
        self.cx.tell(match change {
            Change::Ejected => Fact::Ejected(ejection),
            Change::Refused => Fact::EjectionRefused(ejection),
            Change::Returned => Fact::Returned(ejection),
        });
    }
}

/// The rule of ejection of a policy.
fn rule_of(program: &Program, policy: u16) -> Option<&Outlier> {
    program.policies[policy as usize].1.outlier.as_ref()
}
