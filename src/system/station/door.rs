//! What stands before the waiting line: a rate limit, and a limit of requests at once that learns
//! from how long they take.

use super::super::World;
use super::super::fact::Refusal;
use super::super::job::{Job, Origin};
use crate::kernel::draw::{Draw, Purpose};
use crate::kernel::time::Span;
use crate::model::program;
use crate::policy::Outcome;
use crate::policy::limit::Limit;

impl World<'_> {
    /// Asks the limits at the door; says why a job may not come in.
    pub(super) fn ask_door(&mut self, rules: &program::Station, index: usize) -> Option<Refusal> {
        let station = &mut self.stations[index];
        if let (Some(rule), Some(state)) = (&rules.rate_limit, &mut station.rate_limit)
            && rule.acquire(state, 1, self.cx.now()).is_none()
        {
            return Some(Refusal::RateLimit);
        }
        let limit = station.limit.as_ref()?.limit() as usize;
        (station.outstanding() >= limit).then_some(Refusal::Limit)
    }

    /// Tells the learned limit of an instance what a job came to. A job whose caller had gone, or
    /// that was refused in the line, is a drop; one that failed says nothing about the load.
    pub(in crate::system) fn teach_limit(&mut self, job: &Job, outcome: Outcome) {
        let node = self.cx.program().node(job.node);
        let Some(rule) = &node.station.limit else { return };
        if !matches!(job.origin, Origin::Call { .. }) {
            return;
        }
        let dropped = outcome == Outcome::Rejected || self.cx.now() >= job.deadline;
        if !dropped && outcome != Outcome::Ok {
            return;
        }
        let draw = match rule {
            Limit::Vegas { .. } => self.cx.draw(Purpose::Policy, node.id, job.key, 0),
            Limit::Aimd { .. } | Limit::Gradient2 { .. } => Draw(0),
        };
        let index = self.station_index(job.node, job.instance);
        if let Some(state) = &mut self.stations[index].limit {
            let took = self.cx.now().since(job.entered).max(Span(1));
            rule.update(state, took, job.beside, dropped, draw);
        }
    }
}
