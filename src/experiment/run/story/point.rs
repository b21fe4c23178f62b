//! The point of no return: from when on a violation comes whatever chance does.
//!
//! What was drawn up to a moment is kept and the rest is drawn again, several times. Draws are
//! named by what they are for, so nothing before the moment changes.

use std::collections::BTreeMap;

use crate::experiment::plan::cell::Cell;
use crate::experiment::run::case::Case;
use crate::experiment::run::run_case;
use crate::experiment::shrink::minimize::Target;
use crate::kernel::draw::key_of;
use crate::kernel::time::Time;

/// How many continuations of a moment end in the violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Everything after this time was drawn again.
    pub after: Time,
    /// How many continuations had the violation.
    pub violated: u32,
    /// How many there were.
    pub of: u32,
}

/// A moment from which on something holds of the continuations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// The moment.
    pub at: Time,
    /// A moment that was looked at and is not as one before it, or from it on, has to be.
    pub against: Option<Share>,
}

/// From when on a violation could no longer be avoided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoReturn {
    /// The first of the moments from which on most continuations have the violation.
    pub turns: Option<Point>,
    /// The first of the moments from which on every continuation has the violation; `None` if there
    /// is none, and the start of the run if chance never had a say.
    pub at: Option<Point>,
    /// The moments that were looked at, in order.
    pub shares: Vec<Share>,
    /// How many moments there are.
    pub moments: usize,
}

/// What names the seeds of continuations.
const CONTINUATION: u64 = 0x636f_6e74;

/// Looks for the point of no return among moments in ascending order.
#[must_use]
pub fn no_return(
    cell: &Cell,
    case: &Case,
    target: &Target,
    moments: &[Time],
    continuations: u32,
) -> NoReturn {
    // A case may end when its promise breaks: what breaks it a moment later has not prevented it.
    let horizon = if target.at_end { case.horizon } else { case.horizon.max(cell.limits.horizon) };
    let share = |after: Time| {
        let violates = |number: &u32| {
            let seed = key_of(case.seed ^ CONTINUATION, u64::from(*number));
            let case = Case { redraw: Some((after, seed)), horizon, ..case.clone() };
            target.found_in(&run_case(cell, 0, &case, &mut ()).0).is_some()
        };
        let violated = (0..continuations).filter(violates).count() as u32;
        Share { after, violated, of: continuations }
    };
    let mut all = vec![Time::ZERO];
    all.extend(moments.iter().copied().filter(|&at| at > Time::ZERO));
    Moments { all, looked: BTreeMap::new(), share }.no_return()
}

/// So many moments, or fewer, are all looked at.
const ALL_MAX: usize = 16;
/// So many moments before and after one that halving found are looked at, too.
const NEIGHBOURS: usize = 2;

/// The moments of a story, and what is known of them.
struct Moments<S> {
    all: Vec<Time>,
    /// By place.
    looked: BTreeMap<usize, Share>,
    /// Draws again from a moment on.
    share: S,
}

impl<S: FnMut(Time) -> Share> Moments<S> {
    /// Of few moments all are looked at. Of many those that halving comes to: it takes for granted
    /// that a moment later than another has the greater share, which is mostly so, for it leaves
    /// less to chance, and not always. An attempt that is lost may make a violation likely, and the
    /// next one may mend it.
    fn no_return(mut self) -> NoReturn {
        let is_whole = self.all.len() <= ALL_MAX;
        if is_whole {
            for place in 0..self.all.len() {
                self.look(place);
            }
        }
        let levels: [fn(&Share) -> bool; 2] =
            [|share| 2 * share.violated > share.of, |share| share.violated == share.of];
        let places = levels.map(|is_reached| match is_whole {
            true => self.since(is_reached),
            false => self.halved(is_reached),
        });
        let point = |place: usize, is_reached: fn(&Share) -> bool| {
            let is_against =
                |(own, share): &(&usize, &Share)| (**own >= place) != is_reached(share);
            // Of those that were all looked at, it is the first from which on it holds.
            let against = self.looked.iter().find(is_against).filter(|_| !is_whole);
            let against = against.map(|(_, share)| *share);
            self.all.get(place).map(|&at| Point { at, against })
        };
        let [turns, at] = [0, 1].map(|level| point(places[level], levels[level]));
        NoReturn { turns, at, moments: self.all.len(), shares: self.looked.into_values().collect() }
    }

    fn look(&mut self, place: usize) -> Share {
        let at = self.all[place];
        *self.looked.entry(place).or_insert_with(|| (self.share)(at))
    }

    /// The first place from which on all moments that were looked at reach a level.
    fn since(&self, is_reached: fn(&Share) -> bool) -> usize {
        let last = self.looked.iter().rev().find(|(_, share)| !is_reached(share));
        last.map_or(0, |(place, _)| place + 1)
    }

    /// The first place that reaches a level, by halving; those around it are looked at, too.
    fn halved(&mut self, is_reached: fn(&Share) -> bool) -> usize {
        let (mut low, mut high) = (0, self.all.len());
        while low < high {
            let middle = (low + high) / 2;
            if is_reached(&self.look(middle)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        let last = self.all.len().min(low + NEIGHBOURS + 1);
        for place in low.saturating_sub(NEIGHBOURS)..last {
            self.look(place);
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found where so many of 20 continuations of each moment have the violation.
    fn found(violated: &[u32]) -> NoReturn {
        let share = |after: Time| Share { after, violated: violated[after.0 as usize], of: 20 };
        let all = (0..violated.len() as u64).map(Time).collect();
        Moments { all, looked: BTreeMap::new(), share }.no_return()
    }

    fn point(at: u64) -> Option<Point> {
        Some(Point { at: Time(at), against: None })
    }

    #[test]
    fn of_few_moments_it_is_the_first_from_which_on_it_holds() {
        // What became likely at 2 was mended at 5.
        let fell = found(&[1, 2, 15, 15, 15, 3, 3, 3, 12, 20, 19, 20]);
        assert_eq!((fell.turns, fell.at), (point(8), point(11)));
        assert_eq!((fell.shares.len(), fell.moments), (12, 12));
        let never = found(&[1, 20, 3]);
        assert_eq!((never.turns, never.at), (None, None));
        assert_eq!(found(&[20, 20]).at, point(0));
    }

    #[test]
    fn of_many_halving_finds_it_and_says_what_speaks_against_it() {
        let mut violated = vec![2; 20];
        violated.extend([14; 10]);
        violated.extend([20; 10]);
        let rises = found(&violated);
        assert_eq!((rises.turns, rises.at), (point(20), point(30)));
        assert!(rises.shares.len() < rises.moments, "{rises:?}");
        violated[22] = 9;
        let falls = found(&violated);
        let against = Some(Share { after: Time(22), violated: 9, of: 20 });
        assert_eq!(falls.turns, Some(Point { at: Time(20), against }));
        assert_eq!(falls.at, point(30));
    }
}
