//! Jobs: operations being carried out, step by step.

use super::call::Resumption;
use crate::kernel::draw::Purpose;
use crate::kernel::slab::Handle;
use crate::kernel::time::Span;
use crate::model::program::{self, Memory, Step};
use crate::policy::Outcome;
use crate::system::World;
use crate::system::fact::{Fact, Work};
use crate::system::job::{Job, Origin, Progress, failed, version};
use crate::system::network::Message;

impl<'p> World<'p> {
    /// Carries a job out until it has to wait or ends.
    pub(in crate::system) fn run_job(&mut self, handle: Handle) {
        let program = self.cx.core.program();
        // Without it, its instance has died since it was its turn.
        let Some(job) = self.cx.jobs.get(handle) else { return };
        if job.extra.as_ref().is_some_and(|extra| extra.accepts > Span::ZERO) {
            match self.cx.accept(handle) {
                Progress::Ends(outcome) => return self.end_job(handle, outcome),
                Progress::GoesOn => {}
                _ => return,
            }
        }
        loop {
            let job = self.cx.jobs.at_mut(handle);
            if std::mem::take(&mut job.is_at_work) {
                let index = self.cx.fleet.index(job.node, job.instance);
                self.cx.fleet.station_mut(index).end_work();
            }
            let step = &program.steps[job.step as usize];
            job.step += 1;
            match self.take_step(handle, step) {
                Progress::GoesOn => {}
                Progress::Waits => return,
                Progress::Repeats => {
                    let job = self.cx.jobs.at_mut(handle);
                    job.step -= 1;
                    return;
                }
                Progress::Ends(outcome) => return self.end_job(handle, outcome),
            }
        }
    }

    fn take_step(&mut self, handle: Handle, step: &Step) -> Progress {
        let job = self.cx.jobs.at_mut(handle);
        match *step {
            Step::Work(ref time) => return self.cx.spend(handle, time, Purpose::Service, 1.0),
            Step::WorkPerSize(ref time) => {
                let size = f64::from(job.subject.size);
                return self.cx.spend(handle, time, Purpose::Service, size);
            }
            Step::Think(ref time) => return self.cx.spend(handle, time, Purpose::Think, 1.0),
            Step::Call(ref call) => {
                return match self.call(handle, call) {
                    Resumption::Later => Progress::Waits,
                    Resumption::Now => Progress::GoesOn,
                };
            }
            Step::Reply(outcome) => return Progress::Ends(outcome),
            Step::PassOn => return Progress::Ends(job.heard.passed_on()),
            Step::Finish => return Progress::Ends(Outcome::Ok),
            Step::Fail => return Progress::Ends(failed(job.heard)),
            Step::TakeAmount if job.value != 0 => job.subject.amount = version(job.value) as u32,
            Step::Jump(to) => job.step = to,
            Step::JumpIfFound(to) if job.value != 0 => job.step = to,
            Step::TakeAmount | Step::JumpIfFound(_) => {}
            Step::JumpIfToldWithin(span, to) => {
                let order = job.subject.order;
                if self.nodes.was_told_within(&self.cx, order, span) {
                    self.cx.jobs.at_mut(handle).step = to;
                }
            }
            Step::JumpUnless(condition, to) => {
                if !self.cx.holds(handle, condition) {
                    self.cx.jobs.at_mut(handle).step = to;
                }
            }
            Step::Fork(fork) => {
                self.cx.fork(handle, fork);
                return Progress::Waits;
            }
            Step::Repeat(step) => return self.cx.take_repeat_step(handle, step),
            Step::Lock(step) => self.nodes.take_lock_step(&mut self.cx, handle, step),
            Step::Hold(hold) => return self.cx.hold(handle, hold),
            Step::GiveBack => {
                self.cx.fleet.give_back_place(&mut self.cx.core, &mut self.cx.jobs, handle);
            }
            Step::AnswerUser => self.answer_user(handle),
            Step::Degrade => self.degrade(handle),
            Step::Node(ref step) => return self.nodes.take_step(&mut self.cx, handle, step),
        }
        Progress::GoesOn
    }

    /// Gives a job the answer to its call; says whether it can go on.
    pub(in crate::system) fn take_answer(
        &mut self,
        handle: Handle,
        call: &program::Call,
        outcome: Outcome,
        value: u64,
    ) -> bool {
        let shown = self.cx.take_shown(handle);
        if outcome == Outcome::Ok && call.memory != Memory::None {
            self.nodes.remember(&mut self.cx, handle, call, &shown, value);
        }
        let job = self.cx.jobs.at_mut(handle);
        job.heard = outcome;
        if call.keeps_value && (outcome == Outcome::Ok || call.on_failure.is_some()) {
            if let Some(to) = call.on_failure.filter(|_| outcome != Outcome::Ok) {
                job.step = to;
            }
            return true;
        }
        if outcome == Outcome::Ok {
            job.value = value;
            self.nodes.note_answer(&mut self.cx, handle, call, &shown, value);
            return true;
        }
        if let Some(to) = call.on_failure {
            job.value = 0;
            job.step = to;
            return true;
        }
        self.end_job(handle, failed(outcome));
        false
    }

    /// Ends a job: answers whoever asked for it and frees its worker.
    pub(in crate::system) fn end_job(&mut self, handle: Handle, outcome: Outcome) {
        // It stays where it was put: it is large.
        let removed = self.cx.jobs.remove(handle);
        let Some(job) = removed.as_ref() else { return };
        if job.holding > 0 {
            self.nodes.release_all(&mut self.cx, handle);
        }
        self.cx.end_fallback(job);
        self.pass_quality_on(handle, job, outcome);
        self.cx.fleet.give_back_all(&mut self.cx.core, &mut self.cx.jobs, job);
        if let Some(work) = job.work(self.cx.core.now(), true) {
            let awaited = self.cx.is_awaited(job.origin);
            self.cx.core.tell(Fact::Worked(Work { awaited, ..work }));
        }
        if let Some(stay) = job.stay() {
            self.cx.core.tell(Fact::Left(stay));
        }
        match job.origin {
            Origin::Nobody => {
                return self.nodes.end_flow(&mut self.cx, job.node, &job.subject, None);
            }
            Origin::User(user) => {
                return self.nodes.end_flow(&mut self.cx, job.node, &job.subject, Some(user));
            }
            Origin::Call { call, attempt, edge } => {
                let Job { node: from, key, value, .. } = *job;
                let (order, hint) = (job.subject.order, None);
                let outcome = self.cx.outcome_told(job, outcome);
                let reply =
                    Message::Reply { call, attempt, edge, from, order, outcome, value, key, hint };
                self.cx.send_reply(edge, from, call, reply);
            }
            Origin::Delivery { queue, message } => {
                if outcome != Outcome::Ok {
                    self.cx.give_back(job, queue, message);
                }
            }
            Origin::Fork { parent, round } => {
                if self.cx.join((parent, round), outcome, job) {
                    self.end_job(parent, Outcome::Failed);
                }
                return;
            }
            // The relay has no workers, and neither have its requests.
            Origin::Publish { relay, request } => {
                return self.nodes.end_publishing(
                    &mut self.cx,
                    relay,
                    request,
                    outcome == Outcome::Ok,
                );
            }
        }
        self.cx.fleet.teach_limit(&mut self.cx.core, job, outcome);
        self.nodes.leave(&mut self.cx, job.node, job.instance);
    }
}
