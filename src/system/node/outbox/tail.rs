//! A relay that follows the log of its database: no asking, one event after the other in the order
//! of commits, or all that are there at once. It stores how far it has come now and then, after
//! publishing.

use crate::kernel::draw::key_of;
use crate::kernel::slab::Handle;
use crate::kernel::time::{Span, Time};
use crate::model::program::NodeId;
use crate::system::context::Context;
use crate::system::event::Event;
use crate::system::job::Progress;
use crate::system::node::Nodes;

impl Nodes {
    /// Turns to the next event of the log, or goes on at another step to store how far it is.
    pub(super) fn follow_log(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        store: u32,
    ) -> Progress {
        let (node, instance) = cx.relay_of(handle);
        let rules = cx.relay_rules(node);
        let tail = rules.tail.expect("who follows the log has rules for it");
        let publishes_all = rules.publish.is_some();
        let sent = self.outbox_of(cx, node).sent as u64;
        let mut start = self.relay(node, instance).position.unwrap_or(sent);
        let mut ahead = std::mem::take(&mut self.relay(node, instance).ahead);
        let table = self.outbox_of(cx, node);
        while let Some(event) = table.outbox.get(start as usize)
            && (ahead.remove(&start) || event.is_lost)
        {
            start += 1;
        }
        let event = table.outbox.get(start as usize);
        let seen_at = event.map(|event| event.subject.since + tail.latency);
        let now = cx.core.now();
        let relay = self.relay(node, instance);
        relay.ahead = ahead;
        // A commit must not wake it while it does something else.
        relay.waiting = None;
        if relay.position.is_none() {
            // It starts from what is durable.
            relay.stored = (start, now);
        }
        relay.position = Some(start);
        let (stored, stored_at) = relay.stored;
        let store_at = if start > stored { stored_at + tail.checkpoint } else { Time::NEVER };
        if now >= store_at {
            if let Some(job) = cx.jobs.get_mut(handle) {
                (job.step, job.value) = (store, start);
            }
            return Progress::GoesOn;
        }
        match seen_at {
            Some(at) if at <= now && publishes_all => {
                self.read_log(cx, handle, start, tail.latency);
                return Progress::GoesOn;
            }
            Some(at) if at <= now => {
                self.turn_to(cx, handle, start);
                return Progress::GoesOn;
            }
            Some(at) => self.look_again(cx, handle, at.min(store_at), false),
            None => self.look_again(cx, handle, store_at, true),
        }
        Progress::Repeats
    }

    /// Takes the events of the log from a place on that are seen by now: the batch of a new round.
    fn read_log(&mut self, cx: &mut Context<'_>, handle: Handle, start: u64, latency: Span) {
        let (node, instance) = cx.relay_of(handle);
        let base = cx.relay_key(node, instance);
        let most = cx.relay_rules(node).batch as usize;
        let now = cx.core.now();
        let ahead = std::mem::take(&mut self.relay(node, instance).ahead);
        let events = self.outbox_of(cx, node).outbox.iter().enumerate().skip(start as usize);
        let batch: Vec<u64> = events
            .take_while(|(_, event)| event.subject.since + latency <= now)
            .filter(|(row, event)| !event.is_lost && !ahead.contains(&(*row as u64)))
            .map(|(row, _)| row as u64)
            .take(most)
            .collect();
        let relay = self.relay(node, instance);
        (relay.ahead, relay.batch, relay.done) = (ahead, batch, Some(0));
        relay.round += 1;
        let round = relay.round;
        if let Some(job) = cx.jobs.get_mut(handle) {
            job.key = key_of(base, round);
        }
    }

    /// Lets a relay look at the log again at a time, or when an event is committed.
    fn look_again(&mut self, cx: &mut Context<'_>, handle: Handle, at: Time, or_at_commit: bool) {
        let (node, instance) = cx.relay_of(handle);
        let timer = (at < Time::NEVER).then(|| cx.core.schedule_timer(at, Event::Resume(handle)));
        self.relay(node, instance).waiting = or_at_commit.then_some((handle, timer));
    }

    /// Lets the relays that follow a database's log see that there is a new event.
    pub(in crate::system) fn wake_followers(&mut self, cx: &mut Context<'_>, database: NodeId) {
        let rules = cx.database_rules(database);
        for &node in &rules.tailed_by {
            let Some((handle, timer)) = self.relay(node, 0).waiting.take() else { continue };
            if let Some(timer) = timer {
                cx.core.cancel(timer);
            }
            cx.jobs.make_ready(handle);
        }
    }

    /// Notes that the position which the relay came to is stored.
    pub(super) fn pass_stored(&mut self, cx: &mut Context<'_>, handle: Handle) {
        let (node, instance) = cx.relay_of(handle);
        let now = cx.core.now();
        let relay = self.relay(node, instance);
        if let Some(position) = relay.position {
            relay.stored = (position, now);
        }
    }
}
