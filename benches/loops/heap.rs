//! The queue of the loops written by hand: the heap of the standard library, entries of 24 bytes.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

struct Entry<E> {
    time: u64,
    number: u64,
    event: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Entry<E>) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Entry<E>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Entry<E>) -> Ordering {
        (other.time, other.number).cmp(&(self.time, self.number))
    }
}

/// Events in order of time, and of scheduling among equal times.
pub(crate) struct Events<E> {
    heap: BinaryHeap<Entry<E>>,
    scheduled: u64,
}

impl<E: Copy> Events<E> {
    pub(crate) fn new() -> Events<E> {
        Events { heap: BinaryHeap::new(), scheduled: 0 }
    }

    pub(crate) fn push(&mut self, time: u64, event: E) {
        self.heap.push(Entry { time, number: self.scheduled, event });
        self.scheduled += 1;
    }

    pub(crate) fn pop(&mut self) -> Option<(u64, E)> {
        self.heap.pop().map(|entry| (entry.time, entry.event))
    }
}

/// Values in slots that are used again.
pub(crate) struct Slots<T> {
    values: Vec<T>,
    free: Vec<u32>,
}

impl<T> Slots<T> {
    pub(crate) fn new() -> Slots<T> {
        Slots { values: Vec::new(), free: Vec::new() }
    }

    pub(crate) fn insert(&mut self, value: T) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.values[slot as usize] = value;
            return slot;
        }
        self.values.push(value);
        (self.values.len() - 1) as u32
    }

    pub(crate) fn get(&mut self, slot: u32) -> &mut T {
        &mut self.values[slot as usize]
    }

    pub(crate) fn remove(&mut self, slot: u32) {
        self.free.push(slot);
    }
}
