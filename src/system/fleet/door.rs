//! What stands before the waiting line: a rate limit, and a limit of requests at once that learns
//! from how long they take.

use super::{Fleet, Station};
use crate::kernel::draw::{Draw, Purpose};
use crate::kernel::time::{Span, Time};
use crate::model::program;
use crate::policy::Outcome;
use crate::policy::limit::Limit;
use crate::system::core::Core;
use crate::system::fact::Refusal;
use crate::system::job::{Job, Origin};

impl Station {
    /// Asks the limits at the door; says why a job may not come in.
    #[inline]
    pub(super) fn ask_door(&mut self, rules: &program::Station, now: Time) -> Option<Refusal> {
        if let (Some(rule), Some(state)) = (&rules.rate_limit, &mut self.rate_limit)
            && rule.acquire(state, 1, now).is_none()
        {
            return Some(Refusal::RateLimit);
        }
        let limit = self.limit.as_ref()?.limit() as usize;
        (self.outstanding() >= limit).then_some(Refusal::Limit)
    }
}

impl Fleet {
    /// Tells the learned limit of an instance what a job came to. A job whose caller had gone, or
    /// that was refused in the line, is a drop; one that failed says nothing about the load.
    #[inline]
    pub(in crate::system) fn teach_limit(
        &mut self,
        core: &mut Core<'_>,
        job: &Job,
        outcome: Outcome,
    ) {
        let node = core.program().node(job.node);
        let Some(rule) = &node.station.limit else { return };
        if !matches!(job.origin, Origin::Call { .. }) {
            return;
        }
        let dropped = outcome == Outcome::Rejected || core.now() >= job.deadline;
        if !dropped && outcome != Outcome::Ok {
            return;
        }
        let draw = match rule {
            Limit::Vegas(_) => core.draw(Purpose::Policy, node.id, job.key, 0),
            Limit::Aimd(_) | Limit::Gradient2(_) => Draw(0),
        };
        let index = self.index(job.node, job.instance);
        if let Some(state) = &mut self.station_mut(index).limit {
            let took = core.now().since(job.entered).max(Span(1));
            rule.update(state, took, job.beside, dropped, draw);
        }
    }
}
