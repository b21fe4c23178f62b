//! Calls with several attempts in flight: which copy is heard, and when the next one is sent.

use super::call::Resumption;
use crate::kernel::slab::Handle;
use crate::policy::Response;
use crate::system::World;
use crate::system::calls::{CopyStep, NextCopy};

impl<'p> World<'p> {
    /// A reply to one of several copies has arrived.
    pub(in crate::system) fn take_copy(
        &mut self,
        handle: Handle,
        attempt: u32,
        response: Response,
        value: u64,
    ) {
        let index = self.cx.calls.copy(handle, attempt).expect("this attempt is expected");
        if self.copy_back(handle, index, response, value) {
            self.cx.calls.set_hedge_timer(&mut self.cx.core, handle);
        }
    }

    /// A copy has taken too long, or the next one is due.
    pub(in crate::system) fn hedge_tick(&mut self, handle: Handle) {
        self.cx.calls.at_mut(handle).timer = None;
        while let Some((index, silence)) = self.cx.calls.overdue_copy(&self.cx.core, handle) {
            if !self.copy_back(handle, index, Response::new(silence), 0) {
                return;
            }
        }
        if self.cx.calls.is_copy_due(&self.cx.core, handle) && !self.next_copy(handle) {
            return;
        }
        self.cx.calls.set_hedge_timer(&mut self.cx.core, handle);
    }

    /// One copy has come back; says whether the call goes on with its copies.
    fn copy_back(&mut self, handle: Handle, index: usize, response: Response, value: u64) -> bool {
        match self.cx.calls.copy_back(&mut self.cx.core, &self.cx.fleet, (handle, index), response)
        {
            CopyStep::Concludes => {
                self.conclude(handle, response, value);
                false
            }
            CopyStep::NextIsDue => self.next_copy(handle),
            CopyStep::GoesOn => true,
        }
    }

    /// Sends the next copy if the policy lets it; says whether the call goes on with its copies.
    fn next_copy(&mut self, handle: Handle) -> bool {
        match self.cx.calls.next_copy(&mut self.cx.core, handle) {
            NextCopy::Sends(message) => self.nodes.send_request(&mut self.cx, message),
            NextCopy::Waits => {}
            NextCopy::Concludes(response) => {
                self.conclude(handle, response, 0);
                return false;
            }
        }
        true
    }

    /// One copy has won, or all have failed: the call does what its policy says to that.
    fn conclude(&mut self, handle: Handle, response: Response, value: u64) {
        let owner = self.cx.calls.at(handle).owner;
        let decision = self.cx.calls.conclude(&mut self.cx.core, handle, response);
        if self.follow(handle, decision, response.outcome, value) == Resumption::Now {
            self.cx.jobs.make_ready(owner);
        }
    }
}
