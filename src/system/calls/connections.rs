//! Connections of processes to targets, where a policy limits them: what one costs to open, where
//! it leads, and what breaks it.

use super::Calls;
use crate::kernel::draw::Purpose;
use crate::kernel::time::Span;
use crate::model::program::{EdgeId, NodeId, Program, StateOf};
use crate::policy::connections::{Connections, Ride};
use crate::system::core::Core;
use crate::system::event::DetectorId;
use crate::system::fleet::{Choice, Fleet, instances_of};
use crate::system::job::{Job, Origin};
use crate::system::network::Message;

/// The connection over which an attempt goes.
#[derive(Clone, Copy, Debug)]
pub(in crate::system) struct Connection {
    /// The policy state that it belongs to.
    scope: u32,
    number: u32,
    /// Whether it is opened for this attempt.
    pub(in crate::system) is_new: bool,
}

impl Connection {
    /// That of an attempt that is about to be sent, if its policy limits connections.
    pub(super) fn of(scope: u32, ride: Option<Ride>) -> Option<Connection> {
        let Ride { connection: number, is_new } = ride?;
        Some(Connection { scope, number, is_new })
    }

    /// What it costs to open it, if it is opened for this attempt.
    fn cost(self, program: &Program, edge: EdgeId) -> Option<Connections> {
        let policy = &program.policies[program.edge(edge).policy as usize].1;
        policy.connections.filter(|_| self.is_new)
    }
}

/// The draws of a connection that is opened follow those of the message that waits for it.
const FIRST_TRIP: u16 = 4;

/// How long a message waits until its connection is open: so many round trips.
#[inline(always)]
pub(in crate::system) fn connecting(
    core: &mut Core<'_>,
    link: usize,
    site: u32,
    message: &Message,
) -> Span {
    match *message {
        Message::Request { edge, key, connection: Some(connection), .. } => {
            let cost = connection.cost(core.program(), edge);
            cost.map_or(Span::ZERO, |cost| round_trips(core, link, (site, key), cost.round_trips))
        }
        _ => Span::ZERO,
    }
}

fn round_trips(core: &mut Core<'_>, link: usize, (site, key): (u32, u64), count: u32) -> Span {
    let latency = &core.program().links[link].latency;
    let added = core.link_condition(link).added_latency;
    let mut takes = Span::ZERO;
    for way in 0..2 * count as u16 {
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
        let (Some(connection), Origin::Call { edge, .. }) = (connection, job.origin) else {
            return fleet.choose(core, choice);
        };
        let Connection { scope, number, .. } = connection;
        if let Some(cost) = connection.cost(core.program(), edge) {
            job.extra_mut().accepts = cost.accept;
        }
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
