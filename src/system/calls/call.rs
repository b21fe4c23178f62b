//! A call: what is known of it until it ends.

use crate::kernel::draw::key_of;
use crate::kernel::queue::TimerId;
use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::model::program::{self, EdgeId, OperationId, Program, Step, Token};
use crate::policy::{Denial, Policy, Progress};
use crate::system::fact::Request;
use crate::system::fleet::Place;
use crate::system::job::Subject;

/// A call that has not come to its end.
#[derive(Clone, Copy, Debug)]
pub(in crate::system) struct Call {
    /// The job that waits for it.
    pub(in crate::system) owner: Handle,
    pub(in crate::system) edge: EdgeId,
    pub(in crate::system) operation: OperationId,
    /// The step that makes it, by its place among all steps.
    pub(in crate::system) step: u32,
    /// A stable key of this call.
    pub(in crate::system) key: u64,
    /// The policy state that it shares.
    pub(in crate::system) scope: u32,
    /// The policy around it, by its index.
    pub(in crate::system) policy: u16,
    /// The caller's process: its instance.
    pub(in crate::system) process: u32,
    pub(in crate::system) progress: Progress,
    /// How many attempts were sent.
    pub(in crate::system) sent: u32,
    /// Whether the newest attempt is on its way.
    pub(in crate::system) running: bool,
    pub(in crate::system) started: Time,
    pub(in crate::system) attempt_started: Time,
    pub(in crate::system) timer: Option<TimerId>,
    /// The instance that the newest attempt came to, as far as an ejection asks for it.
    pub(in crate::system) instance: Option<u32>,
    /// When it must have ended: what the caller's own caller leaves it.
    pub(in crate::system) limit: Time,
    /// What its next attempt waits for, if its policy lets it wait.
    pub(in crate::system) waits_for: Option<Denial>,
    /// What it holds of a bulkhead.
    pub(in crate::system) place: Place,
    /// Its copies, if its policy hedges and an attempt runs.
    pub(in crate::system) hedged: Handle,
    pub(in crate::system) subject: Subject,
    pub(in crate::system) value: u64,
    /// What names the caller's own work: the message that it is handling, or the job itself.
    pub(in crate::system) work: u64,
    /// Whether a user asked.
    pub(in crate::system) is_request: bool,
}

impl Call {
    /// What the step says that makes it.
    pub(in crate::system) fn step<'p>(&self, program: &'p Program) -> &'p program::Call {
        match &program.steps[self.step as usize] {
            Step::Call(call) => call,
            other => unreachable!("a call is made by {other:?}"),
        }
    }

    /// Whether the caller waits for this attempt.
    #[inline]
    pub(in crate::system) fn waits_for(&self, attempt: u32) -> bool {
        self.running && self.sent == attempt
    }

    /// The word that makes an attempt the same work as others; 0 if nothing does.
    pub(in crate::system) fn token(&self, program: &Program, attempt_key: u64) -> u64 {
        match self.step(program).token {
            Token::None => 0,
            Token::Order => key_of(self.subject.order, 1) | 1,
            Token::Request => key_of(self.subject.request, 2) | 1,
            Token::Attempt => key_of(attempt_key, 3) | 1,
            Token::Key => key_of(u64::from(self.subject.key), 4) | 1,
            Token::Delivery | Token::Caller => self.work,
        }
    }

    /// The user's request, if this call is one.
    pub(in crate::system) fn request(&self) -> Option<Request> {
        let request = Request {
            operation: self.operation,
            order: self.subject.order,
            key: self.subject.key,
            started: self.started,
        };
        self.is_request.then_some(request)
    }

    /// What its caller does around it.
    #[inline]
    pub(in crate::system) fn policy<'p>(&self, program: &'p Program) -> &'p Policy {
        &program.policies[self.policy as usize].1
    }

    /// When it must have ended, retries included.
    #[inline]
    pub(in crate::system) fn deadline(&self, program: &Program) -> Time {
        let own = self.policy(program).deadline.map_or(Time::NEVER, |span| self.started + span);
        own.min(self.limit)
    }
}

/// The work and the index that name the draws of an attempt, one of them for each side of it. An
/// index counts to 2^16: attempts beyond are named like those of other work.
pub(super) fn draw_name(key: u64, attempts: u32, side: u16) -> (u64, u16) {
    let rounds = attempts >> 15;
    let work = if rounds == 0 { key } else { key_of(key, u64::from(rounds)) };
    (work, ((attempts & 0x7fff) as u16) << 1 | side)
}
