//! The messages of a queue that one group of consumers is not done with, and which of them may be
//! delivered.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::kernel::queue::TimerId;
use crate::kernel::time::Time;
use crate::system::job::Subject;

/// A message in a queue, as one group of consumers sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Queued {
    pub(super) subject: Subject,
    pub(super) key: u64,
    /// The place of its event in the outbox, from 1; 0 if no relay brought it.
    pub(super) event: u64,
    /// The partition that it belongs to; 0 if there are none.
    pub(super) partition: u32,
    /// When the queue forgets it.
    pub(super) expires: Time,
    /// How often it was delivered.
    pub(super) receives: u32,
    /// The stable key of its newest delivery: an older receiver can no longer give it back.
    pub(super) delivery: u64,
    /// Until when it is hidden; `None` while it may be delivered.
    pub(super) hidden: Option<TimerId>,
}

impl Queued {
    /// Whether a consumer has it, or the queue waits before it delivers it again.
    fn is_in_flight(&self) -> bool {
        self.receives > 0 && self.hidden.is_some()
    }
}

/// The messages that one group of consumers is not done with.
///
/// With partitions, only the first message of a partition may be delivered; it keeps its place, and
/// so blocks those behind it, until it is done with.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    /// Every message that is not done with, by its number: one that stays for long keeps no place
    /// for those after it that are done with.
    messages: BTreeMap<u64, Queued>,
    /// The number that the next message gets.
    next: u64,
    /// Numbers of messages that may be delivered; those done with are skipped.
    ready: VecDeque<u64>,
    /// The numbers of each partition in order; those done with are skipped. Empty without them.
    partitions: Vec<VecDeque<u64>>,
    /// When which message expires, if any does.
    expiries: BTreeSet<(Time, u64)>,
    /// How many messages are not done with.
    pub(super) length: u32,
    /// How many of them were delivered and are hidden.
    pub(super) in_flight: u32,
    /// The consumer that is asked first.
    pub(super) turn: usize,
    /// When which message was acknowledged, while it may be asked for again.
    pub(super) acknowledged: VecDeque<(Time, Queued)>,
}

impl Group {
    /// A group without messages; no partitions let every message go its own way.
    pub(super) fn new(partitions: u32) -> Group {
        Group { partitions: vec![VecDeque::new(); partitions as usize], ..Group::default() }
    }

    /// The number that the next message gets.
    pub(super) fn next_number(&self) -> u64 {
        self.next
    }

    /// A message that is not done with.
    pub(super) fn get(&self, number: u64) -> Option<&Queued> {
        self.messages.get(&number)
    }

    fn get_mut(&mut self, number: u64) -> Option<&mut Queued> {
        self.messages.get_mut(&number)
    }

    /// Every message that is not done with, oldest first.
    pub(super) fn messages(&self) -> impl Iterator<Item = &Queued> {
        self.messages.values()
    }

    /// Adds a message at the end.
    pub(super) fn push(&mut self, queued: Queued) {
        let number = self.next_number();
        if queued.expires < Time::NEVER {
            self.expiries.insert((queued.expires, number));
        }
        if let Some(partition) = self.partitions.get_mut(queued.partition as usize) {
            partition.push_back(number);
        }
        let is_visible = queued.hidden.is_none();
        self.messages.insert(number, queued);
        self.next += 1;
        self.length += 1;
        if is_visible {
            self.make_ready(number);
        }
    }

    /// Removes a message; the next one of its partition may be delivered then.
    pub(super) fn take(&mut self, number: u64) -> Option<Queued> {
        let queued = self.messages.remove(&number)?;
        self.length -= 1;
        self.in_flight -= u32::from(queued.is_in_flight());
        if queued.expires < Time::NEVER {
            self.expiries.remove(&(queued.expires, number));
        }
        if self.is_head(queued.partition, number) {
            self.advance(queued.partition);
        }
        Some(queued)
    }

    /// Whether a message is the first of its partition.
    fn is_head(&self, partition: u32, number: u64) -> bool {
        let partition = self.partitions.get(partition as usize);
        partition.is_some_and(|numbers| numbers.front() == Some(&number))
    }

    /// Lets the next message of a partition be its first.
    fn advance(&mut self, partition: u32) {
        loop {
            let numbers = &mut self.partitions[partition as usize];
            numbers.pop_front();
            let Some(&next) = numbers.front() else { return };
            if let Some(queued) = self.get(next) {
                if queued.hidden.is_none() {
                    self.ready.push_back(next);
                }
                return;
            }
        }
    }

    /// A visible message may be delivered, unless it waits behind another of its partition.
    fn make_ready(&mut self, number: u64) {
        let Some(partition) = self.get(number).map(|queued| queued.partition) else { return };
        if self.partitions.is_empty() || self.is_head(partition, number) {
            self.ready.push_back(number);
        }
    }

    /// The message that is delivered next.
    pub(super) fn next_ready(&mut self) -> Option<u64> {
        while let Some(&number) = self.ready.front() {
            if self.get(number).is_some() {
                return Some(number);
            }
            self.ready.pop_front();
        }
        None
    }

    /// The message that is delivered next leaves the line of those that may be.
    pub(super) fn pop_ready(&mut self) {
        self.ready.pop_front();
    }

    /// Notes that a message is delivered and hidden.
    pub(super) fn deliver(&mut self, number: u64, delivery: u64, hidden: TimerId) {
        let Some(queued) = self.get_mut(number) else { return };
        queued.receives += 1;
        (queued.delivery, queued.hidden) = (delivery, Some(hidden));
        self.in_flight += 1;
    }

    /// The timer that hides a message, if this is its newest delivery.
    pub(super) fn timer_of(&self, number: u64, delivery: u64) -> Option<TimerId> {
        self.get(number).filter(|queued| queued.delivery == delivery)?.hidden
    }

    /// Hides a hidden message until another time.
    pub(super) fn hide(&mut self, number: u64, hidden: TimerId) {
        if let Some(queued) = self.get_mut(number) {
            queued.hidden = Some(hidden);
        }
    }

    /// Lets a hidden message be delivered; says what hid it.
    pub(super) fn show(&mut self, number: u64) -> Option<TimerId> {
        let queued = self.get_mut(number)?;
        let was_in_flight = queued.is_in_flight();
        let timer = queued.hidden.take();
        self.in_flight -= u32::from(was_in_flight);
        self.make_ready(number);
        timer
    }

    /// Forgets every message; the numbers go on.
    pub(super) fn clear(&mut self) -> Vec<Queued> {
        let (next, turn) = (self.next, self.turn);
        let lost = std::mem::take(&mut self.messages).into_values().collect();
        *self = Group { next, turn, ..Group::new(self.partitions.len() as u32) };
        lost
    }

    /// The numbers of the messages in flight, oldest first.
    pub(super) fn in_flight(&self) -> Vec<u64> {
        let in_flight = self.messages.iter().filter(|(_, queued)| queued.is_in_flight());
        in_flight.map(|(&number, _)| number).collect()
    }

    /// When the next message expires, and its number.
    pub(super) fn next_expiry(&self) -> Option<(Time, u64)> {
        self.expiries.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queued(partition: u32) -> Queued {
        Queued {
            subject: Subject::default(),
            key: 0,
            event: 0,
            partition,
            expires: Time::NEVER,
            receives: 0,
            delivery: 0,
            hidden: None,
        }
    }

    fn deliver_next(group: &mut Group) -> Option<u64> {
        let number = group.next_ready()?;
        group.pop_ready();
        Some(number)
    }

    #[test]
    fn a_partition_delivers_its_next_message_when_the_one_before_is_done_with() {
        let mut group = Group::new(2);
        for partition in [0, 0, 1, 0] {
            group.push(queued(partition));
        }
        assert_eq!(deliver_next(&mut group), Some(0));
        assert_eq!(deliver_next(&mut group), Some(2), "the first of the other partition");
        assert_eq!(deliver_next(&mut group), None, "the rest waits behind it");
        // One in the middle is done with out of order: it is skipped.
        group.take(1);
        assert_eq!(deliver_next(&mut group), None);
        group.take(0);
        assert_eq!(deliver_next(&mut group), Some(3));
        assert_eq!(group.length, 2);
    }

    #[test]
    fn without_partitions_nothing_waits_behind_anything() {
        let mut group = Group::new(0);
        for _ in 0..3 {
            group.push(queued(0));
        }
        let delivered: Vec<u64> = std::iter::from_fn(|| deliver_next(&mut group)).collect();
        assert_eq!(delivered, [0, 1, 2]);
        group.show(1);
        assert_eq!(group.next_ready(), Some(1), "it comes back");
        group.take(1);
        assert_eq!(group.next_ready(), None);
    }

    #[test]
    fn a_message_that_stays_keeps_no_place_for_those_that_are_done_with() {
        let mut group = Group::new(0);
        group.push(queued(0));
        assert_eq!(deliver_next(&mut group), Some(0), "a poison message");
        for number in 1..=10_000 {
            group.push(queued(0));
            assert_eq!(deliver_next(&mut group), Some(number));
            assert!(group.take(number).is_some());
            assert!(group.messages.len() + group.ready.len() <= 2);
        }
        assert_eq!((group.length, group.next_number()), (1, 10_001));
    }
}
