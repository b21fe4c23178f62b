//! Bulkheads: how many jobs of an instance are in calls to one node at once.

use std::collections::VecDeque;

use super::super::call::Call;
use super::super::{Event, World};
use super::Station;
use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::model::program::Bulkhead;
use crate::policy::bulkhead::{self, BulkheadState};

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

impl World<'_> {
    /// The bulkhead that a call passes, and where its room is.
    pub(in crate::system) fn bulkhead(&self, call: &Call) -> Option<(Bulkhead, usize, usize)> {
        let edge = self.cx.program().edge(call.edge());
        let bulkheads = &self.cx.program().node(edge.caller).station.bulkheads;
        let number = bulkheads.iter().position(|bulkhead| bulkhead.target == edge.target)?;
        Some((bulkheads[number], self.station_index(edge.caller, call.process), number))
    }

    /// Asks for room for a call; says whether it may go on, must wait, or is refused.
    pub(in crate::system) fn ask_room(&mut self, handle: Handle) -> bulkhead::Room {
        let Some(call) = self.calls.get(handle) else { return bulkhead::Room::Full };
        let Some((bulkhead, station, number)) = self.bulkhead(call) else {
            return bulkhead::Room::Enter;
        };
        let room = &mut self.stations[station].rooms[number];
        let answer = bulkhead.rule.enter(&mut room.state, false);
        let place = match answer {
            bulkhead::Room::Enter => Place::Inside,
            bulkhead::Room::Full => Place::Outside,
            bulkhead::Room::Queue => {
                room.waiting.push_back(handle);
                Place::Waiting
            }
        };
        let patience = bulkhead.max_wait.map_or(Time::NEVER, |span| self.cx.now() + span);
        let until = self.deadline_of(call).min(patience);
        let Some(call) = self.calls.get_mut(handle) else { return answer };
        call.place = place;
        if place == Place::Waiting {
            self.set_call_timer(handle, until, Event::Retry(handle));
        }
        answer
    }

    /// Gives back what a call that has ended held of a bulkhead; the next one may go on.
    pub(in crate::system) fn leave_room(&mut self, handle: Handle, call: &Call) {
        if call.place == Place::Outside {
            return;
        }
        let Some((bulkhead, station, number)) = self.bulkhead(call) else { return };
        let room = &mut self.stations[station].rooms[number];
        if call.place == Place::Waiting {
            // The first gives up first, as a rule. Any other place is skipped when it is its turn.
            match room.waiting.front() {
                Some(&first) if first == handle => drop(room.waiting.pop_front()),
                _ => room.gone += 1,
            }
            if room.gone >= GONE_MIN && room.gone > room.waiting.len() / 2 {
                room.waiting.retain(|&waiting| self.calls.get(waiting).is_some());
                room.gone = 0;
            }
            return bulkhead.rule.give_up(&mut room.state);
        }
        bulkhead.rule.leave(&mut room.state);
        while let Some(next) = room.waiting.pop_front() {
            let Some(call) = self.calls.get_mut(next) else {
                room.gone -= 1;
                continue;
            };
            bulkhead.rule.enter(&mut room.state, true);
            call.place = Place::Inside;
            return self.set_call_timer(next, self.cx.now(), Event::Retry(next));
        }
    }
}
