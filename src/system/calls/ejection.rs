//! Ejection: a process leaves instances of a target out of its balancing that fail it, for a while.
//!
//! Whoever has a policy state with `outlier` has a detector for each target with several instances.
//! It hears what attempts came to at which instance, and is asked where an instance is chosen.

use std::collections::BTreeMap;

use crate::kernel::draw::{Draws, Purpose, key_of};
use crate::kernel::time::Span;
use crate::model::program::{EdgeId, NodeId, Program, StateOf};
use crate::policy::Outcome;
use crate::policy::outlier::{Change, Outlier, OutlierState};
use crate::system::core::Core;
use crate::system::event::{DetectorId, Event};
use crate::system::fact::Fact;
use crate::system::fact::ejection::Ejection;
use crate::system::fleet::{Choice, Fleet};
use crate::system::trace::TraceKind;

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
pub(in crate::system) struct Detectors {
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
    pub(in crate::system) fn of(&self, edge: EdgeId, process: u32) -> Option<DetectorId> {
        let row = (*self.by_edge.get(edge.0 as usize)?)?;
        Some(DetectorId(row.first + row.step * process))
    }

    /// Whether a process has ejected every instance, and none gets attempts all the same.
    pub(in crate::system) fn leave_nobody(
        &self,
        program: &Program,
        id: Option<DetectorId>,
    ) -> bool {
        let Some(detector) = id.map(|id| &self.all[id.0 as usize]) else { return false };
        let rule = rule_of(program, program.edge(detector.edge).policy);
        rule.is_some_and(|rule| rule.leaves_nobody(&detector.state))
    }

    /// Whether a process leaves an instance out.
    pub(in crate::system) fn eject(&self, id: Option<DetectorId>, instance: u32) -> bool {
        id.is_some_and(|id| self.all[id.0 as usize].state.is_ejected(instance as usize))
    }

    /// Whether a process leaves any instance out.
    pub(in crate::system) fn eject_any(&self, id: Option<DetectorId>) -> bool {
        id.is_some_and(|id| self.all[id.0 as usize].state.ejected() > 0)
    }

    /// Whether a process with so few healthy instances sends attempts to all.
    pub(in crate::system) fn panic(
        &self,
        program: &Program,
        id: Option<DetectorId>,
        healthy: u32,
    ) -> bool {
        let Some(detector) = id.map(|id| &self.all[id.0 as usize]) else { return false };
        let rule = rule_of(program, program.edge(detector.edge).policy);
        rule.is_some_and(|rule| rule.panics(healthy, detector.state.hosts()))
    }
}

/// What an attempt came to at an instance of its target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judged {
    /// Which one; none if the attempt was lost on its way.
    pub(super) instance: Option<u32>,
    /// The stable key of the attempt, which names draws.
    pub(super) work: u64,
    pub(super) outcome: Outcome,
}

impl Detectors {
    /// Tells the detector of a process what an attempt came to. One that was lost on its way counts
    /// for the instance that a balancer by chance would have chosen.
    pub(super) fn judge(
        &mut self,
        core: &mut Core<'_>,
        fleet: &Fleet,
        id: Option<DetectorId>,
        Judged { instance, work, outcome }: Judged,
    ) {
        let Some(id) = id else { return };
        let program = core.program();
        let edge = program.edge(self.all[id.0 as usize].edge);
        let rule = rule_of(program, edge.policy).expect("a detector has a rule");
        let choice = Choice { node: edge.target, work, detectors: self, detector: Some(id) };
        let instance = instance.unwrap_or_else(|| fleet.choose_by_chance(core, choice));
        let detector = &mut self.all[id.0 as usize];
        let change = rule.record(&mut detector.state, instance as usize, outcome, core.now());
        if !detector.is_awake && (rule.judges_in_sweeps() || change == Some(Change::Ejected)) {
            detector.is_awake = true;
            let at = rule.sweep_after(core.now(), detector.phase);
            core.schedule(at, Event::Sweep(id));
        }
        if let Some(change) = change {
            self.tell_change(core, id, instance, change);
        }
    }

    /// A process lets instances come back and judges those that it knows enough of.
    pub(super) fn sweep(&mut self, core: &mut Core<'_>, id: DetectorId) {
        let program = core.program();
        let detector = &mut self.all[id.0 as usize];
        let edge = program.edge(detector.edge);
        let rule = rule_of(program, edge.policy).expect("a detector has a rule");
        let mut changes = std::mem::take(&mut self.changes);
        rule.sweep(&mut detector.state, core.now(), |host, change| changes.push((host, change)));
        let (process, phase) = (detector.process, detector.phase);
        detector.is_awake = !detector.state.is_calm();
        if detector.is_awake {
            core.schedule(rule.sweep_after(core.now(), phase), Event::Sweep(id));
        }
        core.fold(TraceKind::Sweep, edge.caller, key_of(u64::from(edge.id), u64::from(process)));
        for (host, change) in changes.drain(..) {
            self.tell_change(core, id, host as u32, change);
        }
        self.changes = changes;
    }

    /// A process dies: whom it had ejected nobody knows any more.
    pub(super) fn forget(&mut self, core: &mut Core<'_>, node: NodeId, process: u32) {
        for index in 0..self.all.len() {
            let detector = &self.all[index];
            let edge = core.program().edge(detector.edge);
            let is_own = edge.caller == node && edge.state_of == StateOf::Process;
            if !is_own || detector.process != process {
                continue;
            }
            let hosts = detector.state.hosts();
            for host in 0..hosts {
                if self.all[index].state.is_ejected(host as usize) {
                    self.tell_change(core, DetectorId(index as u32), host, Change::Returned);
                }
            }
            if let Some(rule) = rule_of(core.program(), edge.policy) {
                self.all[index].state = rule.state(hosts as usize);
            }
        }
    }

    fn tell_change(&self, core: &mut Core<'_>, id: DetectorId, instance: u32, change: Change) {
        let detector = &self.all[id.0 as usize];
        let edge = core.program().edge(detector.edge);
        let (caller, target, process) = (edge.caller, edge.target, detector.process);
        let ejection = Ejection { caller, process, target, instance };
        core.tell(match change {
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
