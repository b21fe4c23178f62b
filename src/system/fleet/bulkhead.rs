//! Bulkheads: how many jobs of an instance are in calls to one node at once.

use std::collections::VecDeque;

use super::{Fleet, Station};
use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::model::program::Bulkhead;
use crate::policy::bulkhead;
use crate::policy::bulkhead::BulkheadState;
use crate::system::calls::{Call, Calls};
use crate::system::core::Core;

/// The calls of one instance to one node.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    state: BulkheadState,
    /// Calls that wait for room, and some that do no more.
    waiting: VecDeque<Handle>,
    /// How many of them do no more.
    gone: usize,
}

/// A line is not looked through for fewer calls than this that wait no more.
const GONE_MIN: usize = 64;

/// What a call holds of a bulkhead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::system) enum Place {
    /// Nothing: there is none, or it was full.
    #[default]
    Outside,
    /// A place in its queue.
    Waiting,
    /// A place inside.
    Inside,
}

impl Station {
    /// How many bulkheads it has.
    pub(in crate::system) fn rooms(&self) -> usize {
        self.rooms.len()
    }

    /// Whether of each bulkhead so many places are taken: inside, and in its queue.
    pub(in crate::system) fn rooms_hold(&self, places: &[[u32; 2]]) -> bool {
        let taken = self.rooms.iter().map(|room| [room.state.running(), room.state.waiting()]);
        taken.eq(places.iter().copied())
    }
}

/// Where the bulkhead is that a call passes.
#[derive(Clone, Copy, Debug)]
pub(in crate::system) struct Passed {
    rules: Bulkhead,
    /// Where the instance is kept that calls.
    pub(in crate::system) station: usize,
    /// Which one of the bulkheads of its node.
    pub(in crate::system) number: usize,
}

impl Fleet {
    /// The bulkhead that a call passes, if there is one.
    pub(in crate::system) fn bulkhead(&self, core: &Core<'_>, call: &Call) -> Option<Passed> {
        let edge = core.program().edge(call.edge);
        let bulkheads = &core.program().node(edge.caller).station.bulkheads;
        let number = bulkheads.iter().position(|bulkhead| bulkhead.target == edge.target)?;
        let station = self.index(edge.caller, call.process);
        Some(Passed { rules: bulkheads[number], station, number })
    }

    /// Asks for room for a call; says whether it may go on, must wait, or is refused, and for how
    /// long it may wait.
    pub(in crate::system) fn ask_room(
        &mut self,
        passed: Passed,
        now: Time,
        handle: Handle,
    ) -> (bulkhead::Permission, Time) {
        let Passed { rules, station, number } = passed;
        let room = &mut self.station_mut(station).rooms[number];
        let answer = rules.rule.enter(&mut room.state, false);
        if answer == bulkhead::Permission::Queue {
            room.waiting.push_back(handle);
        }
        (answer, rules.max_wait.map_or(Time::NEVER, |span| now + span))
    }

    /// Gives back what a call that has ended held of a bulkhead; the call that may go on instead,
    /// if one waits.
    pub(in crate::system) fn leave_room(
        &mut self,
        passed: Passed,
        (handle, place): (Handle, Place),
        calls: &Calls,
    ) -> Option<Handle> {
        let Passed { rules, station, number } = passed;
        let room = &mut self.station_mut(station).rooms[number];
        if place == Place::Waiting {
            // The first gives up first, as a rule. Any other place is skipped when it is its turn.
            match room.waiting.front() {
                Some(&first) if first == handle => drop(room.waiting.pop_front()),
                _ => room.gone += 1,
            }
            if room.gone >= GONE_MIN && room.gone > room.waiting.len() / 2 {
                room.waiting.retain(|&waiting| calls.get(waiting).is_some());
                room.gone = 0;
            }
            rules.rule.give_up(&mut room.state);
            return None;
        }
        rules.rule.leave(&mut room.state);
        while let Some(next) = room.waiting.pop_front() {
            if calls.get(next).is_some() {
                rules.rule.enter(&mut room.state, true);
                return Some(next);
            }
            room.gone -= 1;
        }
        None
    }
}
