//! A relay that publishes by several requests at once, or several events in one request.
//!
//! Each request is a job of its own, whose call has the relay's policy; the relay waits until all
//! of them have ended. After a failure it begins no more of them, unless it marks first: then every
//! event has its one chance.

use super::Window;
use crate::kernel::draw::key_of;
use crate::kernel::slab::Handle;
use crate::model::language::OrderingKey;
use crate::model::program::NodeId;
use crate::system::context::Context;
use crate::system::job::{Job, Origin, Progress};
use crate::system::node::Nodes;

/// What holds of every relay that publishes a batch in several requests.
const PUBLISHES: &str = "a relay with several requests has rules for them";

impl Nodes {
    /// Publishes the batch. If a request failed, the relay goes on at another step.
    pub(super) fn publish_all(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        on_failure: u32,
    ) -> Progress {
        let (node, instance) = cx.relay_of(handle);
        if self.relay(node, instance).window.is_none() {
            self.open_window(cx, handle);
        }
        if !self.send_requests(cx, handle) {
            return Progress::Repeats;
        }
        let relay = self.relay(node, instance);
        let window = relay.window.take().expect("a batch under way has a window");
        let has_failed = window.has_failed();
        let published = window.into_published();
        match &mut relay.position {
            None => relay.published = Some(published),
            Some(position) => {
                relay.done = None;
                relay.ahead.extend(published);
                while relay.ahead.remove(position) {
                    *position += 1;
                }
            }
        }
        if has_failed {
            cx.jobs.at_mut(handle).step = on_failure;
        }
        Progress::GoesOn
    }

    /// Sorts the batch by what its events have in common.
    fn open_window(&mut self, cx: &mut Context<'_>, handle: Handle) {
        self.read_batch(cx, handle);
        let (node, instance) = cx.relay_of(handle);
        let publish = cx.relay_rules(node).publish.expect(PUBLISHES);
        let batch = self.relay(node, instance).batch.clone();
        let outbox = &self.outbox_of(cx, node).outbox;
        let key_of_row = |row: u64| match (publish.ordering_key, outbox.get(row as usize)) {
            (OrderingKey::None, _) | (_, None) => row,
            (OrderingKey::Order, Some(event)) => event.subject.order,
            (OrderingKey::Key, Some(event)) => u64::from(event.subject.key),
        };
        let window = Window::new(batch.iter().map(|&row| (row, key_of_row(row))));
        self.relay(node, instance).window = Some(window);
    }

    /// Begins as many requests as may be under way; says whether all of them have ended.
    fn send_requests(&mut self, cx: &mut Context<'_>, handle: Handle) -> bool {
        let (node, instance) = cx.relay_of(handle);
        let rules = cx.relay_rules(node);
        let (publish, goes_on) = (rules.publish.expect(PUBLISHES), rules.mark_first);
        loop {
            let Some(window) = &mut self.relay(node, instance).window else { return true };
            let may_send = window.in_flight() < publish.in_flight as usize
                && (goes_on || !window.has_failed());
            let next = may_send.then(|| window.next_request(publish.batch as usize)).flatten();
            let Some((request, mut rows)) = next else { return window.in_flight() == 0 };
            // What a crash has undone since is not there any more.
            rows.retain(|&row| self.event_of(cx, node, row).is_some());
            match rows.first() {
                Some(&first) => self.send_rows(cx, handle, node, request, first, rows),
                None => self.note_landed(node, instance, request, true),
            }
        }
    }

    /// Begins a request.
    fn send_rows(
        &mut self,
        cx: &mut Context<'_>,
        relay: Handle,
        node: NodeId,
        request: u32,
        first: u64,
        rows: Vec<u64>,
    ) {
        let publish = cx.relay_rules(node).publish.expect(PUBLISHES);
        let event = self.event_of(cx, node, first).expect("what is sent has not been undone");
        let job = cx.jobs.at(relay);
        let (key, instance) = (job.key, job.instance);
        let value = match publish.batch {
            1 => first + 1,
            _ => self.list_rows(node, instance, rows),
        };
        let origin = Origin::Publish { relay, request };
        let key = key_of(key, event.key);
        let mut job = Job::new(cx.core.program(), publish.operation, key, origin, event.subject);
        (job.instance, job.value) = (instance, value);
        cx.jobs.begin(job);
    }

    fn note_landed(&mut self, node: NodeId, instance: u32, request: u32, is_published: bool) {
        if let Some(window) = &mut self.relay(node, instance).window {
            window.land(request, is_published);
        }
    }

    /// A request has ended: others may begin, and with the last of them the relay goes on.
    pub(in crate::system) fn end_publishing(
        &mut self,
        cx: &mut Context<'_>,
        relay: Handle,
        request: u32,
        is_published: bool,
    ) {
        let Some(&Job { node, instance, .. }) = cx.jobs.get(relay) else { return };
        self.note_landed(node, instance, request, is_published);
        if self.send_requests(cx, relay) {
            cx.jobs.make_ready(relay);
        }
    }
}
