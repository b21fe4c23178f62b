//! The run digest: 128 bits folded over every dispatched event, with checkpoints.
//!
//! Only stable ids may be folded (node, request, attempt), never the slot of a slab: two runs are
//! equal when they did the same things, not when their memory looked alike.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::time::Time;

/// A 128-bit digest, shown as 32 hexadecimal digits.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize,
)]
pub struct Digest(pub u128);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The digest after so many events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many events had been folded.
    pub events: u64,
    /// The virtual time of the last of them.
    pub time: Time,
    /// The digest of all of them.
    pub digest: Digest,
}

/// A checkpoint is kept each time so many events have been folded.
pub const CHECKPOINT_EVENTS: u64 = 4096;

/// One event as it was folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Folded {
    /// How many events were folded before it.
    pub number: u64,
    /// When.
    pub time: Time,
    /// What and where.
    pub site: u64,
    /// For which work.
    pub work: u64,
}

/// Folds events into a digest.
#[derive(Clone, Debug)]
pub struct Digester {
    low: u64,
    high: u64,
    events: u64,
    /// After how many events there is something to keep.
    keep_at: u64,
    checkpoints: Vec<Checkpoint>,
    watch: Range<u64>,
    watched: Vec<Folded>,
}

impl Default for Digester {
    fn default() -> Self {
        Digester {
            low: 0x243F_6A88_85A3_08D3,
            high: 0x1319_8A2E_0370_7344,
            events: 0,
            keep_at: CHECKPOINT_EVENTS,
            checkpoints: Vec::new(),
            watch: 0..0,
            watched: Vec::new(),
        }
    }
}

impl Digester {
    /// Folds one event: when, what and where (`site`), and for which work.
    #[inline]
    pub fn fold(&mut self, time: Time, site: u64, work: u64) {
        self.low =
            multiply(self.low ^ time.0, site ^ 0xA409_3822_299F_31D0) ^ self.low.rotate_left(23);
        self.high = multiply(self.high ^ work, self.low ^ 0x082E_FA98_EC4E_6C89)
            ^ self.high.rotate_left(29);
        self.events += 1;
        if self.events == self.keep_at {
            self.keep(time, site, work);
        }
    }

    /// Keeps a checkpoint that is due, and the event if it is watched.
    #[cold]
    fn keep(&mut self, time: Time, site: u64, work: u64) {
        let number = self.events - 1;
        if self.watch.contains(&number) {
            self.watched.push(Folded { number, time, site, work });
        }
        if self.events.is_multiple_of(CHECKPOINT_EVENTS) {
            let checkpoint = Checkpoint { events: self.events, time, digest: self.digest() };
            self.checkpoints.push(checkpoint);
        }
        self.plan_to_keep();
    }

    fn plan_to_keep(&mut self) {
        let checkpoint = (self.events / CHECKPOINT_EVENTS + 1) * CHECKPOINT_EVENTS;
        let watched = self.watch.start.max(self.events) + 1;
        let is_watching = watched <= self.watch.end;
        self.keep_at = if is_watching { watched.min(checkpoint) } else { checkpoint };
    }

    /// Keeps the events with these numbers, from 0, to be compared with those of another run.
    pub fn watch(&mut self, events: Range<u64>) {
        self.watch = events;
        self.plan_to_keep();
    }

    /// The events that were watched.
    #[must_use]
    pub fn watched(&self) -> &[Folded] {
        &self.watched
    }

    /// The digest of everything folded so far.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let low = multiply(self.low ^ self.events, 0x4528_21E6_38D0_1377);
        Digest(u128::from(self.high) << 64 | u128::from(low ^ self.low))
    }

    /// How many events have been folded.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The checkpoints so far, one each [`CHECKPOINT_EVENTS`] events.
    #[must_use]
    pub fn checkpoints(&self) -> &[Checkpoint] {
        &self.checkpoints
    }
}

/// The digest of a text, to tell whether two are equal. Not safe against an adversary.
#[must_use]
pub fn digest_of(text: &str) -> Digest {
    let mut digester = Digester::default();
    for (index, chunk) in text.as_bytes().chunks(16).enumerate() {
        let mut block = [0; 16];
        block[..chunk.len()].copy_from_slice(chunk);
        let block = u128::from_le_bytes(block);
        digester.fold(Time(index as u64), block as u64, (block >> 64) as u64);
    }
    digester.fold(Time(text.len() as u64), 0, 0);
    digester.digest()
}

/// Both halves of the 128-bit product, folded into one word.
#[inline]
fn multiply(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(events: &[(u64, u64, u64)]) -> Digest {
        let mut digester = Digester::default();
        for &(time, site, work) in events {
            digester.fold(Time(time), site, work);
        }
        digester.digest()
    }

    #[test]
    fn every_word_and_the_order_count() {
        let base = digest(&[(1, 2, 3), (4, 5, 6)]);
        let others = [
            digest(&[(2, 2, 3), (4, 5, 6)]),
            digest(&[(1, 3, 3), (4, 5, 6)]),
            digest(&[(1, 2, 4), (4, 5, 6)]),
            digest(&[(4, 5, 6), (1, 2, 3)]),
            digest(&[(1, 2, 3)]),
            digest(&[(1, 2, 3), (4, 5, 6), (0, 0, 0)]),
        ];
        for (index, other) in others.iter().enumerate() {
            assert_ne!(base, *other, "case {index}");
        }
        assert_eq!(base, digest(&[(1, 2, 3), (4, 5, 6)]));
    }

    #[test]
    fn watched_events_are_kept_and_change_nothing() {
        let run = |watch: Range<u64>| {
            let mut digester = Digester::default();
            digester.watch(watch);
            for event in 0..3 * CHECKPOINT_EVENTS {
                digester.fold(Time(event), 7, event);
            }
            digester
        };
        let (plain, watched) = (run(0..0), run(4090..4100));
        assert_eq!(plain.digest(), watched.digest());
        assert_eq!(plain.checkpoints(), watched.checkpoints());
        assert_eq!(plain.checkpoints().len(), 3);
        let numbers: Vec<u64> = watched.watched().iter().map(|event| event.work).collect();
        assert_eq!(numbers, (4090..4100).collect::<Vec<_>>());
    }

    #[test]
    fn the_fold_is_pinned() {
        let digest = digest(&[(1, 2, 3), (4, 5, 6)]);
        assert_eq!(digest.to_string().len(), 32);
        insta::assert_snapshot!(digest, @"71789938574e1b8025b078352e9a3ddc");
    }
}
