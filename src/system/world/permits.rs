//! What calls and jobs hold of what they share: permits of policies, places in bulkheads and pools.
//! Those that go on must hold all that was lent. One that ended without giving back what it held
//! would leave the others less for ever, and a run that does not recover for that reason is a
//! mistake of ours.

use crate::policy::Holdings;
use crate::system::World;
use crate::system::fleet::{Passed, Place};

impl<'p> World<'p> {
    /// What states of policies and bulkheads have lent that no open call holds, or the other way
    /// round.
    pub(in crate::system) fn lost_permits(&self) -> Option<&'static str> {
        // A state that a call has for itself is of no concern once the call has left it.
        let known = self.cx.core.program().scopes.iter().map(|&policy| Some(policy));
        let mut policies: Vec<Option<u16>> = known.collect();
        policies.resize(self.cx.calls.policies().len(), None);
        let mut held = vec![Holdings::default(); self.cx.calls.policies().len()];
        let rooms = self.cx.fleet.stations().map(|station| vec![[0; 2]; station.rooms()]);
        let mut places: Vec<Vec<[u32; 2]>> = rooms.collect();
        for (_, call) in self.cx.calls.iter() {
            let scope = call.scope as usize;
            let state = self.cx.calls.state_of(scope);
            let own =
                state.held_by(&call.progress).and(self.cx.calls.held_by_copies(call.hedged, state));
            held[scope] = held[scope].and(own);
            policies[scope] = Some(self.cx.core.program().edge(call.edge).policy);
            let side = match call.place {
                Place::Outside => continue,
                Place::Inside => 0,
                Place::Waiting => 1,
            };
            if let Some(Passed { station, number, .. }) =
                self.cx.fleet.bulkhead(&self.cx.core, call)
            {
                places[station][number][side] += 1;
            }
        }
        let agree = policies.into_iter().zip(held).enumerate().all(|(scope, (policy, held))| {
            let policy = policy.filter(|_| !self.cx.calls.policies().is_own(scope));
            policy.is_none_or(|policy| {
                let state = self.cx.calls.state_of(scope);
                self.cx.core.program().policies[policy as usize].1.agrees(state, held)
            })
        });
        if !agree {
            return Some("a policy has lent permits that no open call holds");
        }
        let stations = self.cx.fleet.stations().zip(&places);
        let agree = stations.into_iter().all(|(station, places)| station.rooms_hold(places));
        if !agree {
            return Some("places in a bulkhead are taken by no open call");
        }
        self.lost_places()
    }

    /// What pools have lent that no job holds, or the other way round.
    fn lost_places(&self) -> Option<&'static str> {
        let pools = self.cx.fleet.stations().map(|station| vec![[0; 2]; station.pools()]);
        let mut held: Vec<Vec<[u32; 2]>> = pools.collect();
        for (_, job) in self.cx.jobs.iter() {
            if let Some(extra) = &job.extra {
                extra.holds.count(&mut held[self.cx.fleet.index(job.node, job.instance)]);
            }
        }
        let agree =
            self.cx.fleet.stations().zip(&held).all(|(station, held)| station.pools_hold(held));
        (!agree).then_some("places of a pool are taken or waited for by no job")
    }
}
