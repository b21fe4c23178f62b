//! One run: a program, a seed, and everything that is going on.

mod audit;
mod call;
mod crash;
mod delivery;
mod finish;
pub mod fork;
mod hedge;
mod job;
mod pause;
mod permits;
mod pool;
mod quality;
mod rerun;
mod stand_in;
mod switch;
mod work;

use crate::kernel::digest::Digester;
use crate::kernel::draw::{Draws, key_of};
use crate::kernel::limit::{Ending, Limits};
use crate::kernel::time::Time;
use crate::model::program::{Kind, NodeId, Program, Spike};
use crate::system::calls::Calls;
use crate::system::context::Context;
use crate::system::control::{Control, Surge};
use crate::system::core::Core;
use crate::system::event::Event;
use crate::system::fact::{Fact, Waiting};
use crate::system::fleet::Fleet;
use crate::system::jobs::Jobs;
use crate::system::network::Network;
use crate::system::node::{Local, Nodes};
use crate::system::remembered::Remembered;
use crate::system::trace::TraceKind;
use crate::system::{Observer, Traffic};

/// One run: a program, a seed, and everything that is going on.
pub struct World<'p> {
    cx: Context<'p>,
    nodes: Nodes,
    rerun: rerun::Rerun,
    finish: finish::Finish,
    quality: quality::Quality,
}

/// What a run leaves behind, beside what its observer saw.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// The digest of every event, with checkpoints.
    pub digester: Digester,
    /// Digests of the draws, by purpose.
    pub draws: Draws,
    /// The virtual time at the end.
    pub end: Time,
    /// Messages over links: requests first, replies second.
    pub messages: [Traffic; 2],
}

impl<'p> World<'p> {
    /// A world at time zero. Users arrive until `arrivals_end`; the run goes on to the horizon.
    pub fn new(
        program: &'p Program,
        controls: &'p [Control],
        seed: u64,
        arrivals_end: Time,
        limits: Limits,
        observer: &'p mut (dyn Observer + 'p),
    ) -> World<'p> {
        let mut core = Core::new(program, controls, seed, arrivals_end, limits, observer);
        let calls = Calls::new(program, core.draws());
        let (jobs, network) = (Jobs::default(), Network::new(program));
        let cx = Context { core, jobs, calls, fleet: Fleet::new(program), network };
        let mut world = World {
            cx,
            nodes: Nodes::new(program),
            rerun: rerun::Rerun::default(),
            finish: finish::Finish::default(),
            quality: quality::Quality::default(),
        };
        world.schedule_start();
        world.remember_for_faults();
        world
    }

    /// Lets users of these clients arrive at another rate than the model says for a while. A later
    /// spike wins over those before it.
    pub fn add_spike(&mut self, clients: NodeId, spike: Spike) {
        self.nodes.clients(clients).spikes.push(spike);
    }

    /// Says which faults change the rate of arrivals, so that the arrivals are counted.
    pub fn watch_surges(&mut self, surges: &[Surge]) {
        self.cx.core.watch_surges(surges);
    }

    /// Runs to the end and returns what is left, beside what its observer saw.
    pub fn run(mut self) -> Outcome {
        let ending = self.run_to_the_end();
        let ending = self.audit().unwrap_or(ending);
        let end = self.cx.core.now();
        self.tell_what_remains(ending);
        let messages = self.cx.core.ledger().messages;
        let (digester, draws) = self.cx.core.into_digests();
        Outcome { ending, digester, draws, end, messages }
    }

    /// Lets users arrive and time pass until nothing happens any more or a limit is reached.
    fn run_to_the_end(&mut self) -> Ending {
        self.run_until(|_| false)
    }

    /// The same, or until it is stopped after an event.
    fn run_until(&mut self, is_stopped: impl Fn(&mut Self) -> bool) -> Ending {
        if !std::mem::replace(&mut self.rerun.has_begun, true) {
            self.nodes.let_the_first_come(&mut self.cx);
        }
        while let Some((at, event)) = self.cx.core.next() {
            while at > self.rerun.redraw_after {
                self.redraw();
            }
            self.show_policies_until(at);
            self.cx.core.pass_until(at);
            self.dispatch(event);
            while let Some(job) = self.cx.jobs.next_ready() {
                if !self.cx.fleet.may_be_stopped(self.cx.core.now()) || !self.cx.put_job_off(job) {
                    self.run_job(job);
                }
            }
            self.check_books();
            // What waits in line has no event of its own, but takes memory all the same.
            let waiting = self.cx.calls.len() + self.cx.jobs.len() + self.nodes.queued;
            if let Some(limit) = self.cx.core.count(waiting) {
                return limit;
            }
            if self.is_finished() || is_stopped(self) {
                break;
            }
        }
        Ending::Complete
    }

    /// What happens without anybody's doing.
    fn schedule_start(&mut self) {
        for (index, control) in self.cx.core.controls().iter().enumerate() {
            let control_id = index as u32;
            self.cx.core.schedule(control.from, Event::Switch { control: control_id, on: true });
            self.cx.core.schedule(control.until, Event::Switch { control: control_id, on: false });
        }
        for index in 0..self.cx.core.program().nodes.len() {
            self.nodes.start(&mut self.cx, NodeId(index as u16));
        }
    }

    fn dispatch(&mut self, event: Event) {
        if self.cx.fleet.may_be_stopped(self.cx.core.now()) && self.put_off(event) {
            return;
        }
        match event {
            Event::Arrive(clients) => {
                self.cx.core.fold(TraceKind::Arrival, clients, self.nodes.orders);
                self.cx.core.fired_by_arrival(clients, self.nodes.orders);
                self.nodes.arrive(&mut self.cx, clients);
            }
            Event::Return { clients, user } => {
                self.cx.core.fold(TraceKind::Return, clients, u64::from(user));
                self.nodes.return_to(&mut self.cx, clients, user);
            }
            Event::Deliver(message) => self.deliver(message),
            Event::Resume(job) => {
                if let Some(job) = self.cx.jobs.get(job) {
                    self.cx.core.fold(TraceKind::Resume, job.node, job.key);
                }
                self.cx.jobs.make_ready(job);
            }
            Event::Timeout(call) => {
                self.cx.calls.fold(&mut self.cx.core, TraceKind::Timeout, call);
                self.time_out(call);
            }
            Event::Retry(call) => {
                self.cx.calls.fold(&mut self.cx.core, TraceKind::Retry, call);
                self.retry(call);
            }
            Event::Visible { queue, message } => {
                self.cx.core.fold(TraceKind::Visible, queue, message);
                self.nodes.make_visible(&mut self.cx, queue, message);
            }
            Event::Expire(queue) => {
                self.cx.core.fold(TraceKind::Expire, queue, 0);
                self.nodes.expire(&mut self.cx, queue);
            }
            Event::GiveUp(job) => {
                if let Some(job) = self.cx.jobs.get(job) {
                    self.cx.core.fold(TraceKind::GiveUp, job.node, job.key);
                }
                self.give_up(job);
            }
            Event::Heartbeat(job) => self.cx.beat(job),
            Event::Replicate(replica) => {
                self.cx.core.fold(TraceKind::Replicate, replica, 0);
                self.nodes.replicate(&mut self.cx, replica);
            }
            Event::Flush(database) => {
                self.cx.core.fold(TraceKind::Flush, database, 0);
                self.nodes.flush(&mut self.cx, database);
            }
            Event::Pause { node, instance, number } => {
                self.cx.core.fold(TraceKind::Pause, node, key_of(u64::from(instance), number));
                self.cx.begin_pause(node, instance, number);
            }
            Event::GoOn { node, instance } => {
                self.cx.core.fold(TraceKind::GoOn, node, u64::from(instance));
                self.go_on(node, instance);
            }
            Event::Sweep(detector) => self.cx.calls.sweep(&mut self.cx.core, detector),
            Event::Switch { control, on } => {
                self.cx.core.fold_switch(control, on);
                self.switch(control, on);
            }
        }
    }

    /// Shows what policies remember to an observer that has asked to see it by then.
    #[inline]
    fn show_policies_until(&mut self, until: Time) {
        while self.cx.core.looks_at() <= until {
            let (program, now) = (self.cx.core.program(), self.cx.core.looks_at());
            self.cx.core.show(&Remembered { program, policies: self.cx.calls.policies(), now });
            assert!(self.cx.core.looks_at() > now, "an observer looks once at a time");
        }
    }

    /// Tells the observer for which orders nodes were at work or messages on their way. What a
    /// relay does for itself is about no order: the events of its outbox are told apart.
    fn tell_what_is_under_way(&mut self) {
        let is_relay =
            |node: NodeId| matches!(self.cx.core.program().node(node).kind, Kind::Outbox(_));
        let at_work = self.cx.jobs.iter().filter(|(_, job)| !is_relay(job.node));
        let at_work = at_work.map(|(_, job)| job.subject.order);
        let messages =
            self.cx.network.iter().map(|(_, message)| message.transit(self.cx.core.program()));
        let messages = messages.filter(|sent| !is_relay(sent.from) && !is_relay(sent.to));
        let orders: Vec<u64> = at_work.chain(messages.map(|sent| sent.order)).collect();
        for order in orders {
            self.cx.core.tell(Fact::UnderWay(order));
        }
    }

    /// Tells the observer what was going on when the run ended.
    fn tell_what_remains(&mut self, ending: Ending) {
        self.tell_what_is_under_way();
        // The end of the run is no crash: what was committed will be on disk.
        for index in 0..self.nodes.locals.len() {
            let database = NodeId(index as u16);
            if matches!(self.nodes.locals[index], Local::Database(_)) {
                let leader = self.nodes.leaders[index];
                let position = self.nodes.store(leader).position;
                self.cx.core.tell(Fact::Flushed { database, position });
            }
        }
        if ending == Ending::Complete {
            // Who is there when the last thing has happened is there until the end.
            self.cx.core.pass_until_horizon();
        }
        self.tell_who_is_there();
        for index in 0..self.nodes.locals.len() {
            let node = NodeId(index as u16);
            if self.cx.is_dead_end(node) {
                continue;
            }
            for (order, since) in self.nodes.unprocessed(&mut self.cx, node) {
                self.cx.core.tell(Fact::Unprocessed(Waiting { node, order, since }));
            }
        }
    }

    /// Tells the observer who has no answer yet, what is at a node, and what it has worked on it.
    fn tell_who_is_there(&mut self) {
        let calls = self.cx.calls.iter().filter_map(|(_, call)| call.request());
        let fallbacks =
            self.cx.jobs.iter().filter_map(|(_, job)| job.extra.as_ref()?.stands_in_for.as_ref());
        let stood_in_for = fallbacks.map(|stood_in_for| stood_in_for.request);
        let waiting: Vec<Fact> = calls.chain(stood_in_for).map(Fact::Unanswered).collect();
        let jobs = self.cx.jobs.iter().flat_map(|(_, job)| {
            let work = job.work(self.cx.core.now(), self.cx.is_awaited(job.origin));
            [work.map(Fact::Working), job.stay().map(Fact::Staying)]
        });
        let there: Vec<Fact> = waiting.into_iter().chain(jobs.flatten()).collect();
        for fact in there {
            self.cx.core.tell(fact);
        }
    }
}
