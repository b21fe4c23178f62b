//! Calls that wait for a state that policies share: in a line for room in a bulkhead, or for
//! anything else.

use std::collections::BTreeMap;

use crate::kernel::slab::Handle;

/// Who waits for one state.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiters {
    /// Calls that wait for room and were not woken, in the order in which they began to wait.
    line: BTreeMap<u64, Handle>,
    /// Calls that wait for anything else, in the same order.
    others: BTreeMap<u64, Handle>,
    /// The place of each call that waits; one that was woken for room keeps it until it has asked.
    places: BTreeMap<Handle, Place>,
    /// How many were woken for room and have not asked yet.
    woken: usize,
    /// How many places were given.
    given: u64,
}

/// Where a call waits.
#[derive(Clone, Copy, Debug)]
struct Place {
    number: u64,
    is_for_room: bool,
}

impl Waiters {
    /// A call waits. Who was woken for room in vain is where it was in the line.
    pub(super) fn wait(&mut self, call: Handle, is_for_room: bool) {
        let before = self.leave(call).filter(|before| is_for_room && before.is_for_room);
        let number = before.map_or(self.given, |before| before.number);
        self.given += u64::from(before.is_none());
        self.places.insert(call, Place { number, is_for_room });
        let line = if is_for_room { &mut self.line } else { &mut self.others };
        line.insert(number, call);
    }

    /// Whether nobody waits, and nobody was woken who has not asked.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// A call waits no more; says whether room was kept for it that it has not taken.
    pub(super) fn wait_no_more(&mut self, call: Handle) -> bool {
        let woken = self.woken;
        self.leave(call);
        self.woken < woken
    }

    fn leave(&mut self, call: Handle) -> Option<Place> {
        let place = self.places.remove(&call)?;
        if !place.is_for_room {
            self.others.remove(&place.number);
        } else if self.line.remove(&place.number).is_none() {
            self.woken -= 1;
        }
        Some(place)
    }

    /// Those who may ask again where so many have room: the first in line, as many as there is room
    /// for beside those who were woken before, and all who wait for anything else.
    pub(super) fn wake(&mut self, room: usize) -> Vec<Handle> {
        let mut woken: Vec<Handle> = std::mem::take(&mut self.others).into_values().collect();
        for call in &woken {
            self.places.remove(call);
        }
        while self.woken < room
            && let Some((_, call)) = self.line.pop_first()
        {
            self.woken += 1;
            woken.push(call);
        }
        woken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::slab::Slab;

    fn handles(count: usize) -> Vec<Handle> {
        let mut slab = Slab::default();
        (0..count).map(|_| slab.insert(())).collect()
    }

    #[test]
    fn as_many_are_woken_as_there_is_room_for_and_in_their_order() {
        let calls = handles(5);
        let mut waiters = Waiters::default();
        for &call in &calls {
            waiters.wait(call, true);
        }
        assert_eq!(waiters.wake(1), [calls[0]]);
        assert_eq!(waiters.wake(1), [], "the room is kept for the first");
        assert_eq!(waiters.wake(2), [calls[1]]);
        // The first takes it; the second finds it taken, and is the first again.
        assert!(waiters.wait_no_more(calls[0]));
        waiters.wait(calls[1], true);
        assert_eq!(waiters.wake(1), [calls[1]]);
        // One who leaves the line gets nothing, and one for whom room was kept frees it.
        assert!(!waiters.wait_no_more(calls[2]));
        assert!(waiters.wait_no_more(calls[1]));
        assert_eq!(waiters.wake(9), [calls[3], calls[4]]);
    }

    #[test]
    fn all_are_woken_who_wait_for_anything_else() {
        let calls = handles(3);
        let mut waiters = Waiters::default();
        waiters.wait(calls[0], false);
        waiters.wait(calls[1], true);
        waiters.wait(calls[2], false);
        assert_eq!(waiters.wake(0), [calls[0], calls[2]]);
        assert_eq!(waiters.wake(0), []);
        waiters.wait(calls[2], false);
        assert!(!waiters.wait_no_more(calls[2]));
        assert_eq!(waiters.wake(1), [calls[1]]);
    }
}
