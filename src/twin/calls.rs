//! What became of each attempt of each call between nodes.

use std::collections::BTreeMap;

use super::fates::Fate;
use crate::kernel::draw::key_of;
use crate::kernel::time::Time;
use crate::model::program::EdgeId;
use crate::policy::Outcome;
use crate::system::Observer;
use crate::system::fact::Fact;
use crate::system::fact::kind::{FactKinds, Hears, hears};

/// Which attempt it is, by what is the same in both runs of a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Calling {
    /// Who calls whom.
    pub edge: EdgeId,
    /// On behalf of which user, as one number.
    pub user: u64,
    /// Which attempt of its call.
    pub attempt: u32,
    /// How many such attempts there were before for this user.
    pub nth: u32,
}

/// Notes what becomes of each attempt that is made from some time on.
#[derive(Clone, Debug)]
pub struct Calls {
    since: Time,
    /// Of each order, its user.
    users: Vec<u64>,
    made: Vec<(Calling, Fate)>,
    /// The places of those among them that have not ended, and how many there were, by edge, order
    /// and attempt.
    open: BTreeMap<(EdgeId, u64, u32), (Vec<usize>, u32)>,
}

impl Calls {
    /// Nothing yet; what is attempted before `since` is left out.
    pub fn new(since: Time) -> Calls {
        Calls { since, users: Vec::new(), made: Vec::new(), open: BTreeMap::new() }
    }

    /// Every attempt, in the order of what is the same in both runs.
    pub fn made(&self) -> Vec<(Calling, Fate)> {
        let mut made = self.made.clone();
        made.sort_unstable_by_key(|(calling, _)| *calling);
        made
    }

    fn attempted(&mut self, now: Time, (edge, order, attempt): (EdgeId, u64, u32)) {
        if now < self.since {
            return;
        }
        let user = self.users.get(order as usize).copied().unwrap_or_default();
        let (places, count) = self.open.entry((edge, order, attempt)).or_default();
        let calling = Calling { edge, user, attempt, nth: *count };
        *count += 1;
        places.push(self.made.len());
        let (started, ended) = (now, Time::NEVER);
        self.made
            .push((calling, Fate { order, key: 0, started, ended, is_ok: false, is_old: false }));
    }

    fn settled(&mut self, now: Time, which: (EdgeId, u64, u32), outcome: Outcome) {
        let Some((places, _)) = self.open.get_mut(&which) else { return };
        if places.is_empty() {
            return;
        }
        let fate = &mut self.made[places.remove(0)].1;
        (fate.ended, fate.is_ok) = (now, outcome == Outcome::Ok);
    }
}

hears!(Calls: Came, Attempted, Settled);

impl Observer for Calls {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Came(came) => {
                let index = came.order as usize;
                if self.users.len() <= index {
                    self.users.resize(index + 1, 0);
                }
                self.users[index] = key_of(u64::from(came.clients.0) + 1, came.work);
            }
            Attempted { edge, attempt, order, .. } => {
                self.attempted(now, (edge, order, attempt));
            }
            Settled { edge, attempt, order, outcome, .. } => {
                self.settled(now, (edge, order, attempt), outcome);
            }
            _ => {}
        }
    }

    fn hears(&self) -> FactKinds {
        Calls::HEARS
    }
}
