//! The event queue: events leave it in order of time, and of scheduling among equal times.
//!
//! Virtual time is cut into ticks of 2^16 ns, about a fifteenth of a millisecond. The events of the
//! current tick are one sorted run, popped from its end. Later events wait in radix-64 buckets by
//! the highest digit in which their tick differs from the current one, as in a radix heap (Ahuja,
//! Mehlhorn, Orlin, Tarjan: "Faster algorithms for the shortest path problem", JACM 1990). Equal
//! times always share a bucket and every move keeps their order, so ties stay in schedule order
//! without a sequence number.
//!
//! An event that falls into the current tick goes into the run, if that moves few others. Else it
//! goes into a heap beside the run, and so do all that follow until the heap is empty: what is in
//! the run was scheduled before what is in the heap. So any number of events may fall into one
//! tick, or one instant, at the price of a heap.
//!
//! A cancelled timer is recognised by its generation: it is dropped when its bucket is moved, and
//! a sweep drops all of them when they outnumber the live events, so garbage cannot grow.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::time::Time;

/// A handle to a scheduled timer, for cancelling it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerId {
    slot: u32,
    generation: u32,
}

impl TimerId {
    const NONE: TimerId = TimerId { slot: u32::MAX, generation: 0 };
}

#[derive(Clone, Copy, Debug)]
struct Entry<E> {
    time: u64,
    timer: TimerId,
    event: E,
}

/// An entry beside the run; the greatest is the earliest, and of equal times the first.
#[derive(Clone, Copy, Debug)]
struct Beside<E> {
    /// How many entries had come beside the run before it.
    number: u64,
    entry: Entry<E>,
}

impl<E> Beside<E> {
    fn key(&self) -> (u64, u64) {
        (self.entry.time, self.number)
    }
}

impl<E> PartialEq for Beside<E> {
    fn eq(&self, other: &Beside<E>) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Beside<E> {}

impl<E> PartialOrd for Beside<E> {
    fn partial_cmp(&self, other: &Beside<E>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Beside<E> {
    fn cmp(&self, other: &Beside<E>) -> Ordering {
        other.key().cmp(&self.key())
    }
}

const TICK_BITS: u32 = 16;
const DIGIT_BITS: u32 = 6;
const BUCKETS: usize = 1 << DIGIT_BITS;
const LEVELS: usize = (u64::BITS - TICK_BITS).div_ceil(DIGIT_BITS) as usize;
/// Up to this many events, all of them live in the sorted run.
const RUN_ONLY_MAX: usize = 32;
/// An event goes into the run if no more events than this make room for it.
const MOVED_MAX: usize = 64;
/// An emptied bucket keeps memory for at most this many events.
const BUCKET_KEPT_MAX: usize = 1024;
/// A sweep of cancelled timers is not worth it below this many.
const SWEEP_MIN: usize = 1024;

/// Events of type `E`, ordered by time and then by schedule order.
#[derive(Clone, Debug)]
pub struct EventQueue<E> {
    /// The next events, latest first.
    run: Vec<Entry<E>>,
    /// Events of the same tick that were scheduled after all those in the run.
    beside: BinaryHeap<Beside<E>>,
    /// How many events have come beside the run.
    besides: u64,
    /// Events up to this time belong to the run.
    run_last: u64,
    /// The tick of the run, while buckets are in use.
    tick: u64,
    buckets: Vec<Vec<Entry<E>>>,
    /// A bit for each bucket that is not empty, per level.
    occupied: [u64; LEVELS],
    bucketed: usize,
    generations: Vec<u32>,
    free_timers: Vec<u32>,
    /// Cancelled timers that still take a place in the run or a bucket.
    dead: usize,
    /// The time of the last event that left: nothing can be scheduled before it.
    now: u64,
    /// How many events have made room for others in the run.
    #[cfg(test)]
    moved: usize,
}

impl<E: Copy> Default for EventQueue<E> {
    fn default() -> Self {
        EventQueue::new()
    }
}

impl<E: Copy> EventQueue<E> {
    /// An empty queue at time zero.
    #[must_use]
    pub fn new() -> EventQueue<E> {
        EventQueue {
            run: Vec::new(),
            beside: BinaryHeap::new(),
            besides: 0,
            run_last: u64::MAX,
            tick: 0,
            buckets: (0..LEVELS * BUCKETS).map(|_| Vec::new()).collect(),
            occupied: [0; LEVELS],
            bucketed: 0,
            generations: Vec::new(),
            free_timers: Vec::new(),
            dead: 0,
            now: 0,
            #[cfg(test)]
            moved: 0,
        }
    }

    /// How many events are pending; cancelled timers do not count.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.run.len() + self.beside.len() + self.bucketed - self.dead
    }

    /// Whether nothing is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Schedules an event that cannot be cancelled. `at` must not be in the past.
    pub fn schedule(&mut self, at: Time, event: E) {
        self.push(Entry { time: at.0, timer: TimerId::NONE, event });
    }

    /// Schedules an event that can be cancelled until it is popped.
    pub fn schedule_timer(&mut self, at: Time, event: E) -> TimerId {
        let slot = self.free_timers.pop().unwrap_or_else(|| {
            self.generations.push(0);
            (self.generations.len() - 1) as u32
        });
        let timer = TimerId { slot, generation: self.generations[slot as usize] };
        self.push(Entry { time: at.0, timer, event });
        timer
    }

    /// Cancels a timer; says whether it was still pending.
    pub fn cancel(&mut self, timer: TimerId) -> bool {
        if self.generations[timer.slot as usize] != timer.generation {
            return false;
        }
        self.retire(timer);
        self.dead += 1;
        if self.dead >= SWEEP_MIN && self.dead > self.len() {
            self.sweep();
        }
        true
    }

    /// Removes and returns the next event if its time is at most `until`.
    #[inline]
    pub fn pop(&mut self, until: Time) -> Option<(Time, E)> {
        // As a rule it is at the end of the run.
        match self.run.last() {
            Some(&entry)
                if entry.time <= until.0 && self.beside.is_empty() && !self.is_dead(&entry) =>
            {
                self.run.pop();
                Some(self.leave(entry))
            }
            _ => self.look_for_next(until),
        }
    }

    /// An event leaves.
    #[inline]
    fn leave(&mut self, entry: Entry<E>) -> (Time, E) {
        if entry.timer != TimerId::NONE {
            self.retire(entry.timer);
        }
        self.now = entry.time;
        (Time(entry.time), entry.event)
    }

    /// The same as [`EventQueue::pop`], wherever the next event is.
    #[inline(never)]
    fn look_for_next(&mut self, until: Time) -> Option<(Time, E)> {
        loop {
            let (entry, is_beside) = match (self.run.last(), self.beside.peek()) {
                (Some(entry), None) => (*entry, false),
                // Of equal times, that of the run.
                (Some(entry), Some(beside)) if entry.time <= beside.entry.time => (*entry, false),
                (_, Some(beside)) => (beside.entry, true),
                (None, None) if self.bucketed == 0 => return None,
                (None, None) => {
                    self.refill();
                    continue;
                }
            };
            let is_dead = self.is_dead(&entry);
            if !is_dead && entry.time > until.0 {
                return None;
            }
            if is_beside {
                self.beside.pop();
            } else {
                self.run.pop();
            }
            if is_dead {
                self.dead -= 1;
                continue;
            }
            return Some(self.leave(entry));
        }
    }

    fn push(&mut self, entry: Entry<E>) {
        debug_assert!(entry.time >= self.now, "an event is scheduled in the past");
        if self.run_last == u64::MAX && self.run.len() >= RUN_ONLY_MAX {
            self.spill();
        }
        if entry.time > self.run_last {
            self.push_bucket(entry);
            return;
        }
        let place = self.run.partition_point(|other| other.time > entry.time);
        let is_far = self.run.len() - place > MOVED_MAX;
        if is_far || !self.beside.is_empty() {
            self.beside.push(Beside { number: self.besides, entry });
            self.besides += 1;
        } else {
            #[cfg(test)]
            (self.moved += self.run.len() - place);
            self.run.insert(place, entry);
        }
    }

    /// Puts an event of a later tick where its highest differing digit says.
    fn push_bucket(&mut self, entry: Entry<E>) {
        let tick = entry.time >> TICK_BITS;
        let level = (63 - (tick ^ self.tick).leading_zeros()) / DIGIT_BITS;
        let digit = (tick >> (level * DIGIT_BITS)) as usize % BUCKETS;
        self.occupied[level as usize] |= 1 << digit;
        self.buckets[level as usize * BUCKETS + digit].push(entry);
        self.bucketed += 1;
    }

    /// Starts to use buckets: the run keeps the tick of its first event only.
    fn spill(&mut self) {
        let first = self.run[self.run.len() - 1].time;
        self.tick = first >> TICK_BITS;
        self.run_last = last_of(self.tick);
        let kept = self.run.partition_point(|entry| entry.time > self.run_last);
        let mut later: Vec<Entry<E>> = self.run.drain(..kept).collect();
        while let Some(entry) = later.pop() {
            self.push_bucket(entry);
        }
    }

    /// Moves the earliest bucket towards the run, which is empty.
    fn refill(&mut self) {
        let level = self.occupied.iter().position(|&bits| bits != 0).unwrap_or(0);
        let digit = self.occupied[level].trailing_zeros();
        let shift = level as u32 * DIGIT_BITS;
        let above = self.tick >> shift >> DIGIT_BITS << DIGIT_BITS;
        self.tick = (above | u64::from(digit)) << shift;
        self.run_last = last_of(self.tick);
        self.occupied[level] &= !(1 << digit);
        let index = level * BUCKETS + digit as usize;
        let mut bucket = std::mem::take(&mut self.buckets[index]);
        self.bucketed -= bucket.len();
        for &entry in &bucket {
            if self.is_dead(&entry) {
                self.dead -= 1;
            } else if entry.time <= self.run_last {
                self.run.push(entry);
            } else {
                self.push_bucket(entry);
            }
        }
        bucket.clear();
        if bucket.capacity() <= BUCKET_KEPT_MAX {
            self.buckets[index] = bucket;
        }
        self.run.reverse();
        self.run.sort_by_key(|entry| std::cmp::Reverse(entry.time));
        if self.bucketed == 0 {
            self.run_last = u64::MAX;
        }
    }

    #[inline]
    fn is_dead(&self, entry: &Entry<E>) -> bool {
        let TimerId { slot, generation } = entry.timer;
        entry.timer != TimerId::NONE && self.generations[slot as usize] != generation
    }

    #[inline]
    fn retire(&mut self, timer: TimerId) {
        let generation = &mut self.generations[timer.slot as usize];
        *generation = generation.wrapping_add(1);
        self.free_timers.push(timer.slot);
    }

    /// Drops every cancelled timer.
    fn sweep(&mut self) {
        let generations = &self.generations;
        let live = |entry: &Entry<E>| {
            entry.timer == TimerId::NONE
                || generations[entry.timer.slot as usize] == entry.timer.generation
        };
        self.run.retain(live);
        self.beside.retain(|beside| live(&beside.entry));
        self.bucketed = 0;
        for (level, bits) in self.occupied.iter_mut().enumerate() {
            for digit in 0..BUCKETS {
                let bucket = &mut self.buckets[level * BUCKETS + digit];
                bucket.retain(live);
                self.bucketed += bucket.len();
                if bucket.is_empty() {
                    *bits &= !(1 << digit);
                }
            }
        }
        self.dead = 0;
    }
}

/// The last time of a tick.
fn last_of(tick: u64) -> u64 {
    tick << TICK_BITS | ((1 << TICK_BITS) - 1)
}

#[cfg(test)]
mod tests;
