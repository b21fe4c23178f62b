//! What became of each request of a run.

use std::collections::BTreeMap;

use crate::kernel::time::Time;
use crate::model::program::{NodeId, OperationId};
use crate::policy::Outcome;
use crate::system::Observer;
use crate::system::fact::kind::{FactKinds, Hears, hears};
use crate::system::fact::{self, Fact, Request};

/// Which request it is, by what is the same in both runs of a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asking {
    /// To which clients its user came.
    pub clients: NodeId,
    /// Which user, or which round of which one: see [`fact::Came::work`].
    pub work: u64,
    /// What was asked for.
    pub operation: OperationId,
    /// How often this user had asked for the same before.
    pub nth: u32,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    /// The order that it is about, as its own run numbers orders.
    pub order: u64,
    /// The key that it is about.
    pub key: u32,
    /// When it was asked.
    pub started: Time,
    /// When it was answered, or its user gave up; never if neither had happened when the run ended.
    pub ended: Time,
    /// Whether it was answered `ok`.
    pub is_ok: bool,
    /// Whether its user was shown what was older than the newest there was, or than what the user
    /// had written or seen.
    pub is_old: bool,
}

/// Notes what becomes of each request.
#[derive(Clone, Debug, Default)]
pub struct Fates {
    /// Of each order, whose it is.
    users: Vec<(NodeId, u64)>,
    requests: Vec<(Asking, Fate)>,
    /// The place of each request among those, by order, operation, time and number.
    places: BTreeMap<(u64, OperationId, Time, u32), usize>,
}

impl Fates {
    /// Every request, in the order of what is the same in both runs.
    pub fn requests(&self) -> Vec<(Asking, Fate)> {
        let mut requests = self.requests.clone();
        requests.sort_unstable_by_key(|(asking, _)| *asking);
        requests
    }

    /// Whose an order is: to which clients its user came, and which user it is.
    pub fn user(&self, order: u64) -> Option<(NodeId, u64)> {
        self.users.get(order as usize).copied()
    }

    fn came(&mut self, came: fact::Came) {
        let index = came.order as usize;
        if self.users.len() <= index {
            self.users.resize(index + 1, (came.clients, came.work));
        }
        self.users[index] = (came.clients, came.work);
    }

    fn asked(&mut self, request: Request) {
        let Request { operation, order, key, started } = request;
        let Some(&(clients, work)) = self.users.get(order as usize) else { return };
        let before = self.last(order, operation, Time::NEVER);
        let nth = before.map_or(0, |place| self.requests[place].0.nth + 1);
        let fate = Fate { order, key, started, ended: Time::NEVER, is_ok: false, is_old: false };
        self.places.insert((order, operation, started, nth), self.requests.len());
        self.requests.push((Asking { clients, work, operation, nth }, fate));
    }

    fn answered(&mut self, now: Time, request: Request, outcome: Outcome) {
        let Request { operation, order, started, .. } = request;
        let of_then = (order, operation, started, 0)..=(order, operation, started, u32::MAX);
        let is_open = |place: &usize| self.requests[*place].1.ended == Time::NEVER;
        let place = self.places.range(of_then).map(|(_, place)| *place).find(is_open);
        if let Some(place) = place {
            let fate = &mut self.requests[place].1;
            (fate.ended, fate.is_ok) = (now, outcome == Outcome::Ok);
        }
    }

    /// The last request for an operation and an order up to a time.
    fn last(&self, order: u64, operation: OperationId, until: Time) -> Option<usize> {
        let until_then = (order, operation, Time::ZERO, 0)..=(order, operation, until, u32::MAX);
        self.places.range(until_then).next_back().map(|(_, place)| *place)
    }

    fn shown_old(&mut self, order: u64, operation: OperationId) {
        if let Some(place) = self.last(order, operation, Time::NEVER) {
            self.requests[place].1.is_old = true;
        }
    }
}

hears!(Fates: Came, Requested, Answered, ReadBack, ReadAgain, Read);

impl Observer for Fates {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Came(came) => self.came(came),
            Requested(request) => self.asked(request),
            Answered { request, outcome, .. } => self.answered(now, request, outcome),
            ReadBack { operation, order, seen, own, .. } if seen < own => {
                self.shown_old(order, operation);
            }
            ReadAgain { operation, order, seen, highest, .. } if seen < highest => {
                self.shown_old(order, operation);
            }
            // What is read after the answer, nobody is shown.
            Read { order, asked, seen, newest, .. } if seen < newest && asked.is_by_a_user() => {
                let place = self.last(order, asked.operation, asked.at);
                if let Some(place) = place
                    && self.requests[place].1.ended == Time::NEVER
                {
                    self.requests[place].1.is_old = true;
                }
            }
            _ => {}
        }
    }

    fn hears(&self) -> FactKinds {
        Fates::HEARS
    }
}
