//! Users: they arrive, go through their flow, and some come back.

use std::collections::BTreeMap;

use crate::kernel::draw::{Purpose, key_of};
use crate::kernel::sample::unit_exponential;
use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::model::program::{self, Arrivals, Kind, Memory, NodeId, OperationId, Spike, TableId};
use crate::system::context::Context;
use crate::system::event::Event;
use crate::system::fact::{Came, Fact};
use crate::system::job::{Job, Origin, Shown, Subject, row_of};
use crate::system::node::arrival::{State, next_arrival, stretch_of, stretch_of_bursts};
use crate::system::node::{Local, Nodes};

/// A user remembers so many rows; what it was not shown for longest is forgotten.
const ROWS_REMEMBERED: usize = 16;

/// What clients keep.
#[derive(Clone, Debug)]
pub(in crate::system) struct Clients {
    /// How many users have arrived.
    arrived: u64,
    /// The number and the size of the next user of an open loop.
    next: (u64, f32),
    /// The line of a trace that comes next, and how many users it has had.
    line: (usize, u32),
    /// Where a process with two states is.
    state: State,
    /// Other rates than the model's.
    pub(in crate::system) spikes: Vec<Spike>,
    /// How many rounds each user of a closed loop has begun.
    rounds: Vec<u32>,
    /// What users were shown, the newest last: by the order, or by the user of a closed loop.
    memories: BTreeMap<u64, Vec<Seen>>,
}

/// A row that a user was shown.
#[derive(Clone, Copy, Debug)]
struct Seen {
    table: TableId,
    row: u64,
    /// The highest version.
    version: u64,
}

impl Clients {
    pub(in crate::system) fn new(clients: &program::Clients) -> Clients {
        let users = match &clients.arrivals {
            Arrivals::Closed(closed) => closed.users,
            _ => 0,
        };
        Clients {
            arrived: 0,
            next: (0, 1.0),
            line: (0, 0),
            state: State::default(),
            spikes: Vec::new(),
            rounds: vec![0; users as usize],
            memories: BTreeMap::new(),
        }
    }
}

impl Nodes {
    /// A user of an open loop arrives and starts its flow.
    pub(in crate::system) fn arrive(&mut self, cx: &mut Context<'_>, node: NodeId) {
        let clients = self.clients(node);
        let (number, size) = clients.next;
        clients.arrived += 1;
        self.start_flow(cx, node, number, number, size, None);
        self.schedule_arrival(cx, node);
    }

    /// A user of a closed loop begins its next round.
    pub(in crate::system) fn return_to(&mut self, cx: &mut Context<'_>, node: NodeId, user: u32) {
        let rounds = &mut self.clients(node).rounds[user as usize];
        let round = *rounds;
        *rounds += 1;
        let work = key_of(u64::from(user), u64::from(round));
        self.start_flow(cx, node, work, u64::from(user), 1.0, Some(user));
    }

    /// Starts a flow: what it is about is drawn for this work, the process for this user.
    fn start_flow(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        work: u64,
        user: u64,
        size: f32,
        back: Option<u32>,
    ) {
        let description = cx.core.program().node(node);
        let clients = cx.clients_rules(node);
        let site = description.id;
        let order = self.orders;
        self.orders += 1;
        if self.kept_orders.as_ref().is_some_and(|kept| kept.binary_search(&order).is_err()) {
            return self.end_flow(cx, node, &Subject { order, ..Subject::default() }, back);
        }
        cx.core.tell(Fact::Came(Came { clients: node, order, work }));
        let key = cx.choose_key(node, clients, work, order);
        let process = if clients.processes == 1 {
            0
        } else {
            let draw = cx.core.draw(Purpose::Process, site, user, 0);
            draw.below(u64::from(clients.processes)) as u32
        };
        let (_, flow) = match &clients.flows[..] {
            [only] => *only,
            flows => {
                let draw = cx.core.draw(Purpose::Choice, site, work, 0);
                flows[flows.partition_point(|&(last, _)| last < draw.0)]
            }
        };
        let subkey = cx.choose_subkey(node, clients, work);
        let subject =
            Subject { order, key, subkey, size, since: cx.core.now(), ..Subject::default() };
        if cx.fleet.is_down(node, process, cx.core.now()) {
            cx.core.tell(Fact::TurnedAway { clients: node, order });
            return self.end_flow(cx, node, &subject, back);
        }
        cx.start_own(flow, key_of(u64::from(site), work), process, subject, back);
    }

    /// Lets the users of all clients come.
    pub(in crate::system) fn let_the_first_come(&mut self, cx: &mut Context<'_>) {
        for index in 0..cx.core.program().nodes.len() {
            if matches!(cx.core.program().nodes[index].kind, Kind::Clients(_)) {
                self.open(cx, NodeId(index as u16));
            }
        }
    }
}

impl Nodes {
    pub(in crate::system) fn clients(&mut self, node: NodeId) -> &mut Clients {
        match &mut self.locals[node.0 as usize] {
            Local::Clients(clients) => clients,
            other => unreachable!("users arrive at clients, not at {other:?}"),
        }
    }

    /// Lets users come: the first of an open loop, and all of a closed one.
    pub(in crate::system) fn open(&mut self, cx: &mut Context<'_>, node: NodeId) {
        for user in 0..self.clients(node).rounds.len() {
            self.schedule_return(cx, node, user as u32);
        }
        self.schedule_arrival(cx, node);
    }

    /// Schedules the next arrival, unless it would be after the last time of arrivals.
    pub(in crate::system) fn schedule_arrival(&mut self, cx: &mut Context<'_>, node: NodeId) {
        let description = cx.core.program().node(node);
        let clients = cx.clients_rules(node);
        let number = self.clients(node).arrived;
        self.clients(node).next = (number, 1.0);
        let at = match &clients.arrivals {
            Arrivals::Constant(gap) => cx.core.now() + *gap,
            Arrivals::Trace(trace) => self.next_of_trace(cx, node, trace),
            Arrivals::Poisson(_) | Arrivals::Bursts(_) => {
                let draw = cx.core.draw(Purpose::Arrival, description.id, number, 0);
                self.next_of_poisson(cx, node, &clients.arrivals, unit_exponential(draw))
            }
            Arrivals::Closed(_) => Time::NEVER,
        };
        if at < cx.core.arrivals_end() {
            cx.core.schedule(at, Event::Arrive(node));
        }
    }

    fn next_of_poisson(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        arrivals: &Arrivals,
        area: f64,
    ) -> Time {
        let (now, end, site) =
            (cx.core.now(), cx.core.arrivals_end(), cx.core.program().node(node).id);
        let clients = self.clients(node);
        let Clients { spikes, state, .. } = clients;
        match arrivals {
            Arrivals::Poisson(rates) => {
                next_arrival(|at| stretch_of(rates, at), spikes, now, end, area)
            }
            Arrivals::Bursts(bursts) => {
                let draws = cx.core.draws();
                let stretch = |at| stretch_of_bursts(bursts, state, draws, site, at);
                next_arrival(stretch, spikes, now, end, area)
            }
            _ => end,
        }
    }

    /// The time of the next line that still has a user; each line draws how many it has.
    fn next_of_trace(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        trace: &program::Trace,
    ) -> Time {
        let site = cx.core.program().node(node).id;
        let most = trace.copies + u32::from(!trace.extra.is_never());
        let (mut line, mut taken) = self.clients(node).line;
        while let Some(&at) = trace.times.get(line) {
            let is_extra = taken == trace.copies
                && !trace.extra.is_never()
                && trace.extra.happens(cx.core.draw(Purpose::Arrival, site, line as u64, 0));
            if taken < trace.copies || is_extra {
                let number = line as u64 * u64::from(most) + u64::from(taken);
                let clients = self.clients(node);
                clients.next = (number, trace.sizes.get(line).copied().unwrap_or(1.0));
                clients.line = (line, taken + 1);
                return at;
            }
            (line, taken) = (line + 1, 0);
        }
        Time::NEVER
    }

    /// Lets a user of a closed loop think and then begin its next round, unless that would be after
    /// the last time of arrivals.
    pub(in crate::system) fn schedule_return(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        user: u32,
    ) {
        let description = cx.core.program().node(node);
        let clients = cx.clients_rules(node);
        let Arrivals::Closed(closed) = &clients.arrivals else { return };
        let round = self.clients(node).rounds[user as usize];
        let work = key_of(u64::from(user), u64::from(round));
        let draw = cx.core.draw(Purpose::Think, description.id, work, 0);
        let at = cx.core.now() + closed.think.sample(draw);
        if at < cx.core.arrivals_end() {
            cx.core.schedule(at, Event::Return { clients: node, user });
        }
    }

    /// Ends the flow of a user, who may come back.
    pub(in crate::system) fn end_flow(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        subject: &Subject,
        back: Option<u32>,
    ) {
        if cx.core.program().has_sessions {
            self.sessions.remove(&subject.order);
        }
        match back {
            Some(user) => self.schedule_return(cx, node, user),
            None => {
                if let Local::Clients(clients) = &mut self.locals[node.0 as usize]
                    && !clients.memories.is_empty()
                {
                    clients.memories.remove(&subject.order);
                }
            }
        }
    }

    /// A user remembers an answer, and may compare it with what it was shown before: by the row
    /// that the answer carries, and by every other row that was read for it. An answer that shows
    /// no row is older than every row that is about the same. What is remembered is the row that
    /// it carries or, if it carries none, every row that was read for it.
    pub(in crate::system) fn remember(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        call: &program::Call,
        shown: &[Shown],
        value: u64,
    ) {
        let Some(job) = cx.jobs.get(handle) else { return };
        let (node, subject) = (job.node, job.subject);
        let Some(who) = cx.user_of(job) else { return };
        let row = |table: TableId, version: u64| {
            let row = cx.row_of_job(table, &subject);
            Seen { table, row, version }
        };
        let carried = row_of(value).map(|(table, version)| row(table, version));
        let beside = shown.iter().filter(|shown| carried.is_none_or(|it| it.table != shown.table));
        let beside: Vec<Seen> = beside.map(|shown| row(shown.table, shown.last)).collect();
        let mut seen = self.clients(node).memories.remove(&who).unwrap_or_default();
        if call.memory == Memory::Compared {
            let older = match carried.is_none() && beside.is_empty() {
                true => {
                    let is_same = |seen: &&Seen| cx.row_of_job(seen.table, &subject) == seen.row;
                    seen.iter().rev().find(is_same).map(|before| (0, before.version))
                }
                false => furthest_behind(&seen, carried.iter().chain(&beside)),
            };
            if let Some((seen, highest)) = older {
                let (operation, order, asked) = (call.operation, subject.order, subject.asked);
                cx.core.tell(Fact::ReadAgain { operation, order, asked, seen, highest });
            }
        }
        match carried {
            Some(carried) => seen = renewed(seen, carried),
            None => {
                for shown in beside.into_iter().filter(|shown| shown.version > 0) {
                    seen = renewed(seen, shown);
                }
            }
        }
        self.clients(node).memories.insert(who, seen);
    }
}

impl Context<'_> {
    /// Starts a job that nobody asked for, or a user of a closed loop, who comes `back`.
    pub(in crate::system) fn start_own(
        &mut self,
        operation: OperationId,
        key: u64,
        instance: u32,
        subject: Subject,
        back: Option<u32>,
    ) {
        let origin = back.map_or(Origin::Nobody, Origin::User);
        let mut job = Job::new(self.core.program(), operation, key, origin, subject);
        job.instance = instance;
        self.jobs.begin(job);
    }

    /// The key that a user is about.
    fn choose_key(
        &mut self,
        node: NodeId,
        clients: &program::Clients,
        work: u64,
        order: u64,
    ) -> u32 {
        /// What a draw is for: any key, whether it is the hot one, which one is hot, whether it is
        /// that of a fault.
        const ANY: u16 = 0;
        const IS_HOT: u16 = 1;
        const HOT: u16 = 2;
        const BY_FAULT: u16 = 3;
        let count = clients.keys.len();
        if count == 0 {
            return 0;
        }
        let site = self.core.program().node(node).id;
        let by_fault = self.core.node_condition(node).hot_key;
        if !by_fault.is_never()
            && by_fault.happens(self.core.draw(Purpose::Key, site, work, BY_FAULT))
        {
            self.core.tell(Fact::Diverted { clients: node, order });
            self.core.fired_by_diversion(node, order);
            return count as u32 - 1;
        }
        if let Some(hot) = &clients.hot
            && hot.share.happens(self.core.draw(Purpose::Key, site, work, IS_HOT))
        {
            let turn = self.core.now().0 / hot.every.0;
            return self.core.draw(Purpose::Key, site, turn, HOT).below(count as u64) as u32;
        }
        let draw = self.core.draw(Purpose::Key, site, work, ANY);
        clients.keys.partition_point(|&end| end < draw.0).min(count - 1) as u32
    }

    /// The thing within its key that a user is about.
    fn choose_subkey(&mut self, node: NodeId, clients: &program::Clients, work: u64) -> u32 {
        /// What the draw is for, beside those for the key.
        const SUBKEY: u16 = 4;
        let count = clients.subkeys.len();
        if count == 0 {
            return 0;
        }
        let draw = self.core.draw(Purpose::Key, self.core.program().node(node).id, work, SUBKEY);
        clients.subkeys.partition_point(|&end| end < draw.0).min(count - 1) as u32
    }

    /// Which user of its clients a flow or a branch of it is of: one of a closed loop, or one for
    /// each order. A branch whose flow has ended is nobody's.
    fn user_of(&self, job: &Job) -> Option<u64> {
        match job.origin {
            Origin::User(user) => Some(u64::from(user)),
            Origin::Fork { parent, .. } => self.user_of(self.jobs.get(parent)?),
            _ => Some(job.subject.order),
        }
    }
}

/// Of the rows that are shown now and were shown before, the one that is older by the most
/// versions: the version shown and the highest before.
fn furthest_behind<'a>(seen: &[Seen], shown: impl Iterator<Item = &'a Seen>) -> Option<(u64, u64)> {
    let before = |now: &Seen| {
        let is_same = |seen: &&Seen| (seen.table, seen.row) == (now.table, now.row);
        seen.iter().find(is_same).map(|before| (now.version, before.version))
    };
    shown.filter_map(before).max_by_key(|&(now, before)| before.saturating_sub(now))
}

/// What is remembered after one more row.
fn renewed(mut seen: Vec<Seen>, mut newest: Seen) -> Vec<Seen> {
    let is_same = |seen: &Seen| (seen.table, seen.row) == (newest.table, newest.row);
    if let Some(index) = seen.iter().position(is_same) {
        newest.version = newest.version.max(seen.remove(index).version);
    } else if seen.len() == ROWS_REMEMBERED {
        seen.remove(0);
    }
    seen.push(newest);
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_versions_of_the_newest_rows_are_remembered() {
        let row = |row, version| Seen { table: TableId(0), row, version };
        let mut seen = Vec::new();
        for number in 0..20 {
            seen = renewed(seen, row(number, 7));
        }
        assert_eq!((seen.len(), seen[0].row), (ROWS_REMEMBERED, 4));
        seen = renewed(seen, row(4, 5));
        assert_eq!(seen.last().map(|seen| (seen.row, seen.version)), Some((4, 7)));
    }

    #[test]
    fn rows_are_compared_by_the_one_that_is_furthest_behind() {
        let row = |row, version| Seen { table: TableId(0), row, version };
        let seen = [row(1, 3), row(2, 9)];
        let behind = |shown: &[Seen]| furthest_behind(&seen, shown.iter());
        assert_eq!(behind(&[row(1, 4), row(2, 7)]), Some((7, 9)));
        assert_eq!(behind(&[row(1, 4)]), Some((4, 3)));
        assert_eq!(behind(&[row(3, 1)]), None, "it was never shown that");
    }
}
