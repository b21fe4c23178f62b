//! The books of a run: whatever came in has gone out or is still there. A mistake of ours that
//! drops a message or a call silently would make every number wrong; this is where it shows.

use crate::kernel::limit::Ending;
use crate::model::program::NodeId;
use crate::system::World;
use crate::system::job::Origin;
use crate::system::ledger::{Account, Ledger};
use crate::system::network::Message;
use crate::system::node::Local;

/// How many events there are at least before a debug build looks at each node again. It also waits
/// for as many events as there are things to look at: looking never costs more than running.
const EACH: u64 = 1_000;

impl<'p> World<'p> {
    /// In debug builds, checks the books after an event.
    ///
    /// # Panics
    /// If they do not agree.
    pub(in crate::system) fn check_books(&mut self) {
        if !cfg!(debug_assertions) {
            return;
        }
        assert_eq!(self.imbalance_in_all(), None, "after an event at {}", self.cx.core.now());
        let events = self.cx.core.events();
        if events >= self.cx.core.ledger().look_again {
            assert_eq!(self.imbalance_of_each(), None, "after an event at {}", self.cx.core.now());
            let permits = self.cx.calls.len() + self.cx.calls.policies().len();
            let things = self.cx.jobs.len() + self.cx.network.len() + self.nodes.queued + permits;
            self.cx.core.ledger_mut().look_again = events + EACH.max(things as u64);
        }
    }

    /// The ending of a run whose books do not agree.
    ///
    /// # Panics
    /// In debug builds, instead of that.
    pub(in crate::system) fn audit(&self) -> Option<Ending> {
        let wrong = self.imbalance_in_all().or_else(|| self.imbalance_of_each());
        debug_assert_eq!(wrong, None, "at the end of the run");
        wrong.map(|_| Ending::Imbalance)
    }

    /// What does not agree in all nodes together; takes the same time however large the run is.
    fn imbalance_in_all(&self) -> Option<&'static str> {
        let Ledger { messages: [requests, replies], calls, queued, .. } = *self.cx.core.ledger();
        let (requests, replies) = (requests.account(), replies.account());
        let entered = requests.entered + replies.entered;
        let messages = Account { entered, left: requests.left + replies.left };
        if !messages.agrees(self.cx.network.len()) {
            return Some(
                "messages sent and duplicated are not those lost, arrived or on their way",
            );
        }
        if !calls.agrees(self.cx.calls.len()) {
            return Some("calls begun are not those answered, given up or in progress");
        }
        let agree = queued.agrees(self.nodes.queued);
        (!agree).then_some("messages accepted by queues are not those done with or present")
    }

    /// What does not agree in one direction, queue or station.
    fn imbalance_of_each(&self) -> Option<&'static str> {
        let mut present = [0; 2];
        // Jobs that hold a worker or wait for one, and workers that are kept for a delivery.
        let mut holders = vec![0; self.cx.fleet.len()];
        for (_, message) in self.cx.network.iter() {
            present[message.direction() as usize] += 1;
            if let Message::Delivery { worker, instance, deaths, .. } = *message
                && deaths == self.cx.fleet.life(worker, instance).deaths()
            {
                holders[self.cx.fleet.index(worker, instance)] += 1;
            }
        }
        for (_, job) in self.cx.jobs.iter() {
            match job.origin {
                // A branch runs on its parent's worker; a relay has none.
                Origin::Nobody | Origin::User(_) | Origin::Fork { .. } | Origin::Publish { .. } => {
                }
                Origin::Call { .. } | Origin::Delivery { .. } => {
                    holders[self.cx.fleet.index(job.node, job.instance)] += 1;
                }
            }
        }
        let traffic = self.cx.core.ledger().messages.iter().zip(present);
        if traffic.into_iter().any(|(traffic, present)| !traffic.account().agrees(present)) {
            return Some("requests and replies are mixed up");
        }
        let queues = self.cx.core.ledger().queues.iter().zip(&self.nodes.locals);
        let disagrees = |(account, local): (&Account, &Local)| match local {
            Local::Queue(queue) => !account.agrees(queue.len()),
            _ => false,
        };
        if queues.into_iter().any(disagrees) {
            return Some("messages accepted by a queue are not those done with or present");
        }
        for (index, node) in self.cx.core.program().nodes.iter().enumerate() {
            for instance in 0..node.station.instances {
                let index = self.cx.fleet.index(NodeId(index as u16), instance);
                let (station, held) = (self.cx.fleet.station(index), holders[index]);
                let (busy, waiting) = (station.busy as usize, station.waiting());
                if busy + waiting + station.ahead as usize != held {
                    return Some("workers are taken by nobody, or jobs run without a worker");
                }
                let is_within = station.busy <= node.station.workers
                    && station.in_hand.len() <= station.ahead as usize
                    && waiting <= node.station.queue_limit as usize;
                if !is_within {
                    return Some("more work or wait at an instance than its limits say");
                }
            }
        }
        self.lost_permits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::limit::Limits;
    use crate::kernel::time::{Span, Time};
    use crate::model::compile::compile;
    use crate::model::document::{Sources, Value};
    use crate::model::problem::Problem;
    use crate::model::program::Program;
    use crate::system::fact::Fact;

    const MODEL: &str = r#"
[clients.users]
arrivals = { constant = "100/s" }
flow = [{ call = "api.ask" }]
[service.api]
workers = 1
[service.api.on.ask]
steps = [{ work = "9ms" }, { reply = "ok" }]
[link.default]
latency = "15ms"
"#;

    fn program() -> Program {
        program_of(MODEL)
    }

    fn program_of(model: &str) -> Program {
        let mut sources = Sources::default();
        let source = sources.add("model.toml", model);
        let document = Value::parse(&sources, source).unwrap();
        compile(&document, &|_| Err(Problem::new("no file"))).unwrap()
    }

    /// A world in which a few messages, calls and jobs are under way.
    fn world(program: &Program) -> World<'_> {
        let end = Time::ZERO + Span::from_secs(1);
        let mut world =
            World::new(program, &[], 1, end, Limits::until(end), Box::leak(Box::new(())));
        world.nodes.let_the_first_come(&mut world.cx);
        while world.cx.jobs.iter().filter(|(_, job)| !matches!(job.origin, Origin::Nobody)).count()
            == 0
        {
            let (at, event) = world.cx.core.next().unwrap();
            world.cx.core.pass_until(at);
            world.dispatch(event);
            while let Some(job) = world.cx.jobs.next_ready() {
                world.run_job(job);
            }
            world.check_books();
        }
        world
    }

    #[test]
    fn the_books_of_a_right_run_agree() {
        let program = program();
        let world = world(&program);
        assert_eq!((world.imbalance_in_all(), world.imbalance_of_each()), (None, None));
        assert_eq!(world.audit(), None);
    }

    #[test]
    fn a_message_that_vanishes_is_missed() {
        let program = program();
        let mut world = world(&program);
        let (handle, _) = world.cx.network.iter().next().unwrap();
        world.cx.network.end(handle);
        assert!(world.imbalance_in_all().is_some_and(|what| what.starts_with("messages sent")));
    }

    #[test]
    fn a_call_that_vanishes_is_missed() {
        let program = program();
        let mut world = world(&program);
        world.cx.core.ledger_mut().calls.enter();
        assert!(world.imbalance_in_all().is_some_and(|what| what.starts_with("calls")));
    }

    #[test]
    fn a_worker_that_nobody_frees_is_missed() {
        let program = program();
        let mut world = world(&program);
        let busy = world.cx.fleet.stations().position(|station| station.busy == 1).unwrap();
        world.cx.fleet.station_mut(busy).busy = 0;
        assert!(world.imbalance_of_each().is_some_and(|what| what.starts_with("workers")));
        world.cx.fleet.station_mut(busy).busy = 2;
        assert!(world.imbalance_of_each().is_some());
    }

    #[test]
    fn a_permit_that_no_call_holds_is_missed() {
        let text = MODEL.replace("api.ask\"", "api.ask\", policy = \"p\"")
            + "[policy.p]\nscope = \"shared\"\nbulkhead = { limit = 100 }\n";
        let program = program_of(&text);
        let mut world = world(&program);
        let (handle, _) = world.cx.calls.iter().next().unwrap();
        let never = crate::policy::Progress::default();
        let ended = world.cx.calls.policies().never_asked(&never);
        world.close_call(handle, ended, crate::policy::Outcome::TimedOut);
        assert!(world.lost_permits().is_some_and(|what| what.starts_with("a policy")));
    }

    #[test]
    fn a_reply_that_is_booked_as_a_request_is_missed() {
        let program = program();
        let mut world = world(&program);
        world.cx.core.ledger_mut().messages[0].sent += 1;
        world.cx.core.ledger_mut().messages[1].arrived += 1;
        assert_eq!(world.imbalance_in_all(), None);
        assert_eq!(world.imbalance_of_each(), Some("requests and replies are mixed up"));
    }

    #[test]
    fn messages_of_a_queue_leave_it_once() {
        let program = program();
        let mut ledger = Ledger::new(&program);
        let queue = NodeId(1);
        ledger.accept(queue, 1);
        assert!(ledger.queued.agrees(1) && ledger.queues[1].agrees(1));
        ledger.book(&Fact::Acknowledged { queue, order: 0, since: Time::ZERO });
        assert!(ledger.queued.agrees(0));
        ledger.book(&Fact::Acknowledged { queue, order: 0, since: Time::ZERO });
        assert!(!ledger.queued.agrees(0));
    }
}
