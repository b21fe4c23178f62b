//! Lists of steps that are done again until they succeed.
//!
//! A round has draws of its own, and its calls are calls of their own; the first round has those
//! that it would have if there were no other, and so has what comes after the list, however many
//! rounds there were.

use crate::kernel::draw::Purpose;
use crate::kernel::sample::Distribution;
use crate::kernel::slab::Handle;
use crate::model::program::{RepeatId, RepeatStep};
use crate::policy::Outcome;
use crate::system::context::Context;
use crate::system::job::Progress;

impl Context<'_> {
    pub(in crate::system) fn take_repeat_step(
        &mut self,
        handle: Handle,
        step: RepeatStep,
    ) -> Progress {
        let job = self.jobs.at_mut(handle);
        match step {
            RepeatStep::Begin(_) => job.begin_rounds(self.core.now()),
            RepeatStep::Failed(repeat) => {
                let is_last =
                    !self.core.program().repeats[repeat.0 as usize].on.contains(job.heard);
                job.step += u32::from(is_last);
            }
            RepeatStep::Again(repeat) => return self.do_again(handle, repeat),
            RepeatStep::End => job.end_rounds(),
        }
        Progress::GoesOn
    }

    /// Begins the next round of a list, if there is one.
    fn do_again(&mut self, handle: Handle, id: RepeatId) -> Progress {
        let repeat = &self.core.program().repeats[id.0 as usize];
        let job = self.jobs.at(handle);
        let Some(round) = job.round() else { return Progress::GoesOn };
        let (node, key, drawn, limit) = (job.node, job.round_key(), job.drawn, self.limit_of(job));
        let persists = repeat.persistence.is_none_or(|share| {
            share.happens(self.core.draw(Purpose::Choice, repeat.site, key, 0))
        });
        let span = match &repeat.between {
            Distribution::Constant(span) => *span,
            varied => {
                let site = self.core.program().node(node).id;
                varied.sample(self.core.draw(Purpose::Think, site, key, drawn))
            }
        };
        let at = self.core.now() + span;
        let is_late = repeat.patience.is_some_and(|patience| at > round.began + patience);
        let job = self.jobs.at_mut(handle);
        if round.number + 1 >= repeat.times || !persists || is_late || at >= limit {
            // A list that is not done has failed, although its last call may not have.
            if job.heard == Outcome::Ok {
                job.heard = Outcome::Failed;
            }
            return Progress::GoesOn;
        }
        job.begin_next_round();
        job.step = repeat.first;
        self.pass(handle, span)
    }
}
