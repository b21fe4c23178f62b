//! Connections of processes to targets, where a policy limits them: what one costs to open, where
//! it leads, and what breaks it.

use super::Calls;
use crate::kernel::draw::Purpose;
use crate::kernel::time::Span;
use crate::model::program::{NodeId, Program, StateOf};
use crate::policy::Policy;
use crate::policy::connections::Ride;
use crate::system::core::Core;
use crate::system::event::DetectorId;
use crate::system::fleet::{Choice, Fleet, instances_of};
use crate::system::job::Job;
use crate::system::network::Message;

/// The connection over which an attempt goes.
#[derive(Clone, Copy, Debug)]
pub(in crate::system) struct Connection {
    /// The policy state that it belongs to.
    scope: u32,
    number: u32,
    /// How many round trips the attempt waits until it is open.
    round_trips: u32,
    /// How long the target works on it before that.
    accept: Span,
    /// Whether it is opened for this attempt.
    pub(in crate::system) is_new: bool,
}

impl Connection {
    /// That of an attempt that is about to be sent, if its policy limits connections.
    pub(super) fn of(policy: &Policy, scope: u32, ride: Option<Ride>) -> Option<Connection> {
        let Ride { connection: number, is_new } = ride?;
        let rule = policy.connections.filter(|_| is_new);
        let (round_trips, accept) =
            rule.map_or((0, Span::ZERO), |rule| (rule.round_trips, rule.accept));
        Some(Connection { scope, number, round_trips, accept, is_new })
    }
}

/// The draws of a connection that is opened follow those of the message that waits for it.
const FIRST_TRIP: u16 = 4;

/// How long a message waits until its connection is open.
pub(in crate::system) fn connecting(
    core: &mut Core<'_>,
    link: usize,
    site: u32,
    message: &Message,
) -> Span {
    let Message::Request { key, connection: Some(connection), .. } = *message else {
        return Span::ZERO;
    };
    let latency = &core.program().links[link].latency;
    let added = core.link_condition(link).added_latency;
    let mut takes = Span::ZERO;
    for way in 0..2 * connection.round_trips as u16 {
        let draw = core.draw(Purpose::Latency, site, key, FIRST_TRIP + way);
        takes += latency.sample(draw) + added;
    }
    takes
}

impl Calls {
    /// Which instance a job comes to: the one that its connection leads to. Without a connection,
    /// or as the first one over it, it is balanced; on a new one there is work first.
    pub(in crate::system) fn admit_over(
        &mut self,
        core: &mut Core<'_>,
        fleet: &mut Fleet,
        job: &mut Job,
        (connection, detector): (Option<Connection>, Option<DetectorId>),
    ) -> u32 {
        let (node, work) = (job.node, job.key);
        let choice = Choice { node, work, detectors: &self.detectors, detector };
        let Some(Connection { scope, number, accept, .. }) = connection else {
            return fleet.choose(core, choice);
        };
        job.accepts = accept;
        let state = self.policies.state(scope as usize).connections.as_ref();
        if let Some(instance) = state.and_then(|state| state.instance(number)) {
            return instance;
        }
        let instance = fleet.choose(core, choice);
        if let Some(state) = &mut self.policies.state(scope as usize).connections {
            state.lead_to(number, instance);
        }
        instance
    }

    /// The connections of all callers to an instance of a node break, or to all of them; `leads`
    /// says which nodes those reach that call a database.
    pub(in crate::system) fn break_connections(
        &mut self,
        program: &Program,
        leads: impl Fn(NodeId) -> bool,
        instance: Option<u32>,
    ) {
        for edge in program.edges.iter().filter(|edge| leads(edge.target)) {
            let policy = &program.policies[edge.policy as usize].1;
            if policy.connections.is_none() || edge.state_of != StateOf::Process {
                continue;
            }
            for scope in edge.scope..edge.scope + instances_of(program.node(edge.caller)) {
                if let Some(state) = &mut self.policies.state(scope as usize).connections {
                    state.break_to(instance);
                }
            }
        }
    }
}
