//! The jobs of a run, and which of them may go on now.

use std::collections::VecDeque;

use super::core::Core;
use super::event::Event;
use super::job::Job;
use crate::kernel::slab::{Handle, Slab};
use crate::kernel::time::Span;

/// Every job that has not ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Jobs {
    all: Slab<Job>,
    /// Jobs that may go on now; one after the other, never inside each other.
    ready: VecDeque<Handle>,
}

impl Jobs {
    /// A new job, which waits for its turn.
    pub(super) fn insert(&mut self, job: Job) -> Handle {
        self.all.insert(job)
    }

    /// A new job, which may begin now.
    pub(super) fn begin(&mut self, job: Job) -> Handle {
        let handle = self.all.insert(job);
        self.make_ready(handle);
        handle
    }

    /// A job that may have ended.
    #[inline]
    pub(super) fn get(&self, handle: Handle) -> Option<&Job> {
        self.all.get(handle)
    }

    /// The same, to change it.
    #[inline]
    pub(super) fn get_mut(&mut self, handle: Handle) -> Option<&mut Job> {
        self.all.get_mut(handle)
    }

    /// A job that is at work or waits.
    ///
    /// # Panics
    /// If it has ended.
    #[inline]
    #[track_caller]
    pub(super) fn at(&self, handle: Handle) -> &Job {
        self.all.get(handle).expect("a job at work has not ended")
    }

    /// The same, to change it.
    ///
    /// # Panics
    /// If it has ended.
    #[inline]
    #[track_caller]
    pub(super) fn at_mut(&mut self, handle: Handle) -> &mut Job {
        self.all.get_mut(handle).expect("a job at work has not ended")
    }

    pub(super) fn remove(&mut self, handle: Handle) -> Option<Job> {
        self.all.remove(handle)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Handle, &Job)> {
        self.all.iter()
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Lets a job go on when those before it have had their turn.
    #[inline]
    pub(super) fn make_ready(&mut self, handle: Handle) {
        self.ready.push_back(handle);
    }

    /// The job whose turn it is.
    #[inline]
    pub(super) fn next_ready(&mut self) -> Option<Handle> {
        self.ready.pop_front()
    }

    /// Lets a job that waits go on now: it takes its step again.
    pub(super) fn wake(&mut self, core: &mut Core<'_>, handle: Handle) {
        let timer = self.all.get_mut(handle).and_then(|job| job.timer.take());
        if let Some(timer) = timer {
            core.cancel(timer);
            self.make_ready(handle);
        }
    }

    /// Lets a job wait so long, or until it is woken.
    pub(super) fn park(&mut self, core: &mut Core<'_>, handle: Handle, span: Span) {
        let timer = core.schedule_timer(core.now() + span, Event::Resume(handle));
        self.at_mut(handle).timer = Some(timer);
    }
}
