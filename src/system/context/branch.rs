//! Ways through a handler: conditions, and lists of steps that run at once.

use crate::kernel::draw::{Purpose, key_of};
use crate::kernel::slab::Handle;
use crate::model::program::{ChanceOf, Condition, ForkId};
use crate::policy::Outcome;
use crate::system::context::Context;
use crate::system::job::{Job, Origin, state};

/// Keys of branches are not those of calls, whose sites are below this.
const FIRST_BRANCH: u64 = 1 << 32;

impl Context<'_> {
    /// Whether something is so for a job.
    pub(in crate::system) fn holds(&mut self, handle: Handle, condition: Condition) -> bool {
        let job = self.jobs.at(handle);
        match condition {
            Condition::Found => job.value != 0,
            Condition::Missing => job.value == 0,
            Condition::State(wanted) => job.value != 0 && state(job.value) == wanted,
            Condition::Event(event) => job.subject.event == event,
            Condition::Heard(outcomes) => outcomes.contains(job.heard),
            Condition::NotState(unwanted) => job.value == 0 || state(job.value) != unwanted,
            Condition::Chance { share, of, site } => {
                let work = match of {
                    ChanceOf::Order => job.subject.order,
                    ChanceOf::Key => u64::from(job.subject.key),
                    ChanceOf::Request => job.subject.request,
                    ChanceOf::Attempt => job.round_key(),
                };
                share.happens(self.core.draw(Purpose::Choice, site, work, 0))
            }
        }
    }

    /// Starts the branches of a fork; the job waits for them.
    pub(in crate::system) fn fork(&mut self, handle: Handle, id: ForkId) {
        let fork = &self.core.program().forks[id.0 as usize];
        let job = self.jobs.at_mut(handle);
        let round = job.extra_mut().forked.begin(id);
        let first = FIRST_BRANCH + u64::from(round) * (1 << 16);
        for (index, &step) in fork.branches.iter().enumerate() {
            let job = self.jobs.at(handle);
            let key = key_of(job.round_key(), first + index as u64);
            let origin = Origin::Fork { parent: handle, round };
            let mut branch = Job::new(self.core.program(), job.operation, key, origin, job.subject);
            (branch.instance, branch.step) = (job.instance, step);
            (branch.value, branch.token) = (job.value, job.token);
            branch.notes = job.notes.as_ref().map(|notes| Box::new(notes.for_branch()));
            branch.deadline = job.deadline;
            self.jobs.begin(branch);
        }
    }

    /// A branch has ended, which ran on its parent's worker: its parent goes on if enough have
    /// succeeded, or if too many have failed. Says whether the parent fails with that.
    pub(in crate::system) fn join(
        &mut self,
        (parent, round): (Handle, u16),
        outcome: Outcome,
        branch: &Job,
    ) -> bool {
        let program = self.core.program();
        let Some(job) = self.jobs.get_mut(parent) else { return false };
        if let (Some(notes), Some(branch)) = (&mut job.notes, &branch.notes) {
            notes.take_over(branch);
        }
        let Some(forked) = job.extra.as_mut().map(|extra| &mut extra.forked) else { return false };
        let Some(id) = forked.waits_at(round) else { return false };
        let fork = &program.forks[id.0 as usize];
        let Some(decided) = forked.count(outcome, fork) else { return false };
        let next = match decided {
            Outcome::Ok => Some(fork.join),
            _ => fork.on_failure,
        };
        job.value = if decided == Outcome::Ok { branch.value } else { 0 };
        job.heard = decided;
        if let Some(step) = next {
            job.step = step;
            self.jobs.make_ready(parent);
        }
        next.is_none()
    }
}
