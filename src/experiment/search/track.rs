//! What a search does at one arm and point: which seeds of which values run next, and why no more.
//!
//! Everything here follows from the outcomes so far, so a search that was interrupted, or had more
//! workers, goes the same way. First a coarse sweep; then a test whether the share rises all the
//! way; then, for each level, bisection between the last value that is clearly below it and the
//! first that is clearly above.

use std::collections::BTreeMap;

use super::SEEDS_MIN;
use super::grid::Grid;
use crate::statistics::distribution::{binomial_cdf, normal_critical};
use crate::statistics::isotonic::isotonic;
use crate::statistics::proportion::wilson;
use crate::statistics::{CONFIDENCE, Estimate};

/// What is looked for, and how hard.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The values.
    pub grid: Grid,
    /// How many of them are tried first.
    pub sweep: u64,
    /// The most seeds of one value.
    pub seeds: u64,
    /// The shares whose values are looked for.
    pub levels: Vec<f64>,
}

/// Parts of the most seeds after which a value is looked at.
const LOOKS: [u64; 4] = [10, 4, 2, 1];

/// The probability that a share that rises all the way is said not to, at one arm and point.
const FALSE_ALARM: f64 = 0.05;

/// What came of the runs at one value, by seed; `None` of a run of which nothing can be said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    /// The outcomes, in the order of the seeds.
    pub outcomes: Vec<Option<bool>>,
}

/// Which way the share goes as the value grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It rises.
    Rises,
    /// It falls.
    Falls,
}

/// Two values between which the share clearly goes the wrong way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turn {
    /// The place of the value with the larger share.
    pub from: usize,
    /// The place of the value with the smaller share.
    pub to: usize,
}

/// What is clear of a share beside a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// It is below.
    Below,
    /// It is above.
    Above,
    /// All seeds have run, and it is neither.
    Near,
    /// More seeds may tell.
    Open,
}

/// The search at one arm and point.
#[derive(Clone, Debug, Default)]
pub struct Track {
    /// What was tried, by the place in the grid.
    pub probes: BTreeMap<usize, Probe>,
}

impl Probe {
    /// In how many runs it happened, and of how many that can be told.
    #[must_use]
    pub fn count(&self) -> (u64, u64) {
        let told = self.outcomes.iter().flatten();
        (told.clone().filter(|happened| **happened).count() as u64, told.count() as u64)
    }

    /// The share with its Wilson interval; `None` where nothing can be said.
    #[must_use]
    pub fn share(&self, confidence: f64) -> Option<Estimate> {
        let (count, of) = self.count();
        wilson(count, of, confidence).ok()
    }

    fn side(&self, level: f64, rule: &Rule) -> Side {
        let share = self.share(rule.confidence());
        match share.map(|share| share.interval) {
            Some(interval) if interval.high < level => Side::Below,
            Some(interval) if interval.low > level => Side::Above,
            _ if self.is_full(rule) => Side::Near,
            _ => Side::Open,
        }
    }

    fn is_full(&self, rule: &Rule) -> bool {
        self.outcomes.len() as u64 >= rule.seeds
    }

    fn seeds(&self) -> u64 {
        self.outcomes.len() as u64
    }
}

impl Rule {
    /// How sure a decision is: 95% over all looks at one value, by Bonferroni.
    #[must_use]
    pub fn confidence(&self) -> f64 {
        1.0 - (1.0 - CONFIDENCE) / LOOKS.len() as f64
    }

    /// The fewest seeds with which a share of 0% or 100%, whichever is nearer, is clearly not this
    /// level: those whose Wilson interval, z² / (n + z²) wide there, ends before it.
    #[must_use]
    pub fn seeds_to_tell(&self, level: f64) -> u64 {
        let nearer = level.min(1.0 - level);
        let z = normal_critical(self.confidence()).unwrap_or(f64::INFINITY);
        (z * z * (1.0 - nearer) / nearer) as u64 + 1
    }

    /// How many seeds the next look has.
    fn look_after(&self, seeds: u64) -> u64 {
        let look = |part: u64| self.seeds.div_ceil(part).max(SEEDS_MIN).min(self.seeds);
        LOOKS.into_iter().map(look).find(|&look| look > seeds).unwrap_or(self.seeds)
    }

    /// The last place of the grid.
    fn last(&self) -> usize {
        self.grid.len() - 1
    }
}

/// A value to try: its place in the grid, and how many seeds it is to have.
pub type Wanted = (usize, u64);

impl Track {
    /// What to run next; nothing if all is found.
    #[must_use]
    pub fn next(&self, rule: &Rule) -> Vec<Wanted> {
        let swept = self.sweep(rule);
        if !swept.is_empty() {
            return swept;
        }
        let doubted = self.doubted(rule);
        if !doubted.is_empty() {
            return doubted;
        }
        let part = self.part(rule);
        let mut wanted: BTreeMap<usize, u64> = BTreeMap::new();
        for &level in &rule.levels {
            for (place, seeds) in self.bisect(level, &part, rule) {
                let most = wanted.entry(place).or_default();
                *most = seeds.max(*most);
            }
        }
        wanted.into_iter().collect()
    }

    /// Whether the share rises or falls over the sweep: the way that is nearer to what was seen.
    #[must_use]
    pub fn direction(&self, rule: &Rule) -> Direction {
        let (shares, weights) = self.swept_shares(rule);
        let flipped: Vec<f64> = shares.iter().map(|share| 1.0 - share).collect();
        let away = |shares: &[f64]| -> f64 {
            let fit = isotonic(shares, &weights);
            let squares = shares.iter().zip(fit).zip(&weights);
            squares.map(|((share, fit), weight)| weight * (share - fit) * (share - fit)).sum()
        };
        match away(&flipped) < away(&shares) && self.turn_going(Direction::Falls, rule).is_none() {
            true => Direction::Falls,
            false => Direction::Rises,
        }
    }

    /// Where the share clearly goes the wrong way.
    #[must_use]
    pub fn turn(&self, rule: &Rule) -> Option<Turn> {
        self.turn_going(self.direction(rule), rule)
    }

    /// What the search has come to, in the places of the grid in which the share goes one way.
    #[must_use]
    pub fn part(&self, rule: &Rule) -> Part {
        let direction = self.direction(rule);
        let last = match self.turn_going(direction, rule) {
            None => rule.last(),
            Some(turn) => self.peak(turn.from, rule),
        };
        Part { direction, last }
    }

    /// The value with the largest share of the sweep up to a place; the first of equals.
    fn peak(&self, until: usize, rule: &Rule) -> usize {
        let places = rule.grid.spread(rule.sweep).into_iter().filter(|place| *place <= until);
        let share = |place: usize| self.mean(place).unwrap_or(0.0);
        places.fold(0, |peak, place| if share(place) > share(peak) { place } else { peak })
    }

    fn mean(&self, place: usize) -> Option<f64> {
        Some(self.probes.get(&place)?.share(CONFIDENCE)?.mean)
    }

    /// The coarse sweep: every value of it runs until it is clear on which side of one half it is.
    fn sweep(&self, rule: &Rule) -> Vec<Wanted> {
        let wanted = |place: usize| match self.probes.get(&place) {
            None => Some((place, rule.look_after(0))),
            Some(probe) if probe.side(0.5, rule) == Side::Open => {
                Some((place, rule.look_after(probe.seeds())))
            }
            Some(_) => None,
        };
        rule.grid.spread(rule.sweep).into_iter().filter_map(wanted).collect()
    }

    /// The shares of the sweep, and how many runs each is of.
    fn swept_shares(&self, rule: &Rule) -> (Vec<f64>, Vec<f64>) {
        let places = rule.grid.spread(rule.sweep).into_iter();
        let counted = places.filter_map(|place| {
            let (count, of) = self.probes.get(&place)?.count();
            (of > 0).then(|| (count as f64 / of as f64, of as f64))
        });
        counted.unzip()
    }

    /// Pairs of values of the sweep whose shares seem to go the wrong way: all their seeds run
    /// before anything is said of it.
    fn doubted(&self, rule: &Rule) -> Vec<Wanted> {
        let direction = self.direction(rule);
        let pairs = self.pairs(direction, rule).into_iter();
        let doubted = pairs.filter(|(_, chance)| *chance < FALSE_ALARM).map(|(turn, _)| turn);
        let mut places: Vec<usize> = doubted.flat_map(|turn| [turn.from, turn.to]).collect();
        places.sort_unstable();
        places.dedup();
        places.retain(|place| !self.probes[place].is_full(rule));
        places.into_iter().map(|place| (place, rule.seeds)).collect()
    }

    /// The turn with the largest difference of those that are beyond chance, all pairs of the sweep
    /// considered (Bonferroni): [`FALSE_ALARM`] over all of them.
    fn turn_going(&self, direction: Direction, rule: &Rule) -> Option<Turn> {
        let pairs = self.pairs(direction, rule);
        let chance = FALSE_ALARM / pairs.len().max(1) as f64;
        let clear = pairs.into_iter().filter(|(turn, p)| {
            *p < chance && [turn.from, turn.to].iter().all(|place| self.probes[place].is_full(rule))
        });
        let difference = |turn: &Turn| {
            let share = |place| self.mean(place).unwrap_or(0.0);
            (share(turn.from) - share(turn.to)).abs()
        };
        let turns: Vec<Turn> = clear.map(|(turn, _)| turn).collect();
        turns.into_iter().reduce(|largest, turn| {
            if difference(&turn) > difference(&largest) { turn } else { largest }
        })
    }

    /// Every pair of values of the sweep, with the one-sided probability that chance alone makes
    /// the share go the wrong way as far: the exact McNemar test on the seeds that both have.
    fn pairs(&self, direction: Direction, rule: &Rule) -> Vec<(Turn, f64)> {
        let places = rule.grid.spread(rule.sweep);
        let mut pairs = Vec::new();
        for (index, &from) in places.iter().enumerate() {
            for &to in &places[index + 1..] {
                let (Some(first), Some(second)) = (self.probes.get(&from), self.probes.get(&to))
                else {
                    continue;
                };
                let both = || first.outcomes.iter().zip(&second.outcomes);
                let only_first = both().filter(|pair| *pair == (&Some(true), &Some(false))).count();
                let only_second =
                    both().filter(|pair| *pair == (&Some(false), &Some(true))).count();
                let wrong = match direction {
                    Direction::Rises => only_first,
                    Direction::Falls => only_second,
                } as u64;
                let differ = (only_first + only_second) as u64;
                let chance = binomial_cdf(differ - wrong, differ, 0.5).unwrap_or(1.0);
                pairs.push((Turn { from, to }, chance));
            }
        }
        pairs
    }

    /// What is still to run for one level.
    fn bisect(&self, level: f64, part: &Part, rule: &Rule) -> Vec<Wanted> {
        let sides = self.sides(level, part, rule);
        let ends = Ends::of(&sides);
        let inside = || sides.iter().filter(|(at, _)| ends.holds(*at));
        let fit = self.curve(part, rule);
        let is_low = |at: usize| fit.iter().any(|(place, share)| *place == at && *share < level);
        let is_open = |(_, side): &&(usize, Side)| *side == Side::Open;
        let nearest = [
            inside().filter(is_open).rfind(|(at, _)| is_low(*at)),
            inside().filter(is_open).find(|(at, _)| !is_low(*at)),
        ];
        let open: Vec<Wanted> = nearest
            .into_iter()
            .flatten()
            .map(|(at, _)| {
                let place = part.place(*at, rule);
                (place, rule.look_after(self.probes[&place].seeds()))
            })
            .collect();
        if !open.is_empty() {
            return open;
        }
        // What is tried between the ends is near the level: both gaps beside the ends get smaller.
        let first = inside().map(|(at, _)| *at).next().or(ends.above);
        let last = inside().map(|(at, _)| *at).next_back().or(ends.below);
        let middle = |gap: (Option<usize>, Option<usize>)| match gap {
            (Some(low), Some(high)) if high - low > 1 => Some(usize::midpoint(low, high)),
            _ => None,
        };
        let mut middles: Vec<usize> =
            [(ends.below, first), (last, ends.above)].into_iter().filter_map(middle).collect();
        middles.dedup();
        middles.into_iter().map(|at| (part.place(at, rule), rule.look_after(0))).collect()
    }

    /// What is clear of each value of a part beside a level, as the share rises.
    fn sides(&self, level: f64, part: &Part, rule: &Rule) -> Vec<(usize, Side)> {
        let side = |place: usize| self.probes[&place].side(level, rule);
        self.along(part, rule).into_iter().map(|(at, place)| (at, side(place))).collect()
    }

    /// The values that were tried in a part, as the share rises: how many steps along, and where in
    /// the grid.
    fn along(&self, part: &Part, rule: &Rule) -> Vec<(usize, usize)> {
        let places = self.probes.keys().copied().filter(|place| *place <= part.last);
        let mut along: Vec<(usize, usize)> =
            places.map(|place| (part.place(place, rule), place)).collect();
        along.sort_unstable();
        along
    }

    /// The rising curve nearest to the shares of a part, where anything can be said.
    #[must_use]
    pub fn curve(&self, part: &Part, rule: &Rule) -> Vec<(usize, f64)> {
        let counted = self.along(part, rule).into_iter().filter_map(|(at, place)| {
            let (count, of) = self.probes[&place].count();
            (of > 0).then(|| (at, count as f64 / of as f64, of as f64))
        });
        let (mut places, mut shares, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for (at, share, weight) in counted {
            places.push(at);
            shares.push(share);
            weights.push(weight);
        }
        places.into_iter().zip(isotonic(&shares, &weights)).collect()
    }

    /// The value at which the share reaches a level.
    #[must_use]
    pub fn boundary(&self, level: f64, part: &Part, rule: &Rule) -> Boundary {
        let sides = self.sides(level, part, rule);
        let ends = Ends::of(&sides);
        let along = self.along(part, rule);
        let (first, last) = match (along.first(), along.last()) {
            (Some(first), Some(last)) => (first.0, last.0),
            _ => return Boundary::default(),
        };
        let number = |at: usize| rule.grid.values[part.place(at, rule)].number();
        let (below, above) = (ends.below.map(number), ends.above.map(number));
        let (low, high) = match part.direction {
            Direction::Rises => (below, above),
            Direction::Falls => (above, below),
        };
        let within = |at: f64| at.max(low.unwrap_or(at)).min(high.unwrap_or(at));
        let at = self.crossing(level, part, rule).map(within);
        Boundary {
            level,
            reached: match (ends.below, ends.above) {
                (Some(below), _) if below == last => Reached::Never,
                (_, Some(above)) if above == first => Reached::Already,
                (None, None) if at.is_none() => Reached::Unclear,
                _ => Reached::Between,
            },
            at,
            low,
            high,
        }
    }

    /// Where the curve crosses a level, between two values that were tried.
    fn crossing(&self, level: f64, part: &Part, rule: &Rule) -> Option<f64> {
        let curve = self.curve(part, rule);
        let after = curve.iter().position(|(_, share)| *share >= level)?;
        let ((before, low), (place, high)) = (*curve.get(after.checked_sub(1)?)?, curve[after]);
        let (from, to) = (part.place(before, rule), part.place(place, rule));
        Some(rule.grid.between(from, to, (level - low) / (high - low)))
    }
}

/// The places of the grid in which the share goes one way: from the beginning to `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which way it goes.
    pub direction: Direction,
    /// The last place.
    pub last: usize,
}

impl Part {
    /// From a place in the grid to steps along the rise of the share, and back again.
    #[must_use]
    pub fn place(&self, at: usize, rule: &Rule) -> usize {
        match self.direction {
            Direction::Rises => at,
            Direction::Falls => rule.last() - at,
        }
    }
}

/// The last value that is clearly below a level and the first one after it that is clearly above.
struct Ends {
    below: Option<usize>,
    above: Option<usize>,
}

impl Ends {
    fn of(sides: &[(usize, Side)]) -> Ends {
        let above = sides.iter().find(|(_, side)| *side == Side::Above).map(|(at, _)| *at);
        let before = |at: usize| above.is_none_or(|above| at < above);
        let is_below = |(at, side): &&(usize, Side)| *side == Side::Below && before(*at);
        Ends { below: sides.iter().rfind(is_below).map(|(at, _)| *at), above }
    }

    fn holds(&self, at: usize) -> bool {
        self.below.is_none_or(|below| at > below) && self.above.is_none_or(|above| at < above)
    }
}

/// Whether a level is reached in the range of the search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reached {
    /// The share is below it throughout.
    Never,
    /// The share is above it throughout.
    Already,
    /// Somewhere in the range, or so near to an end that it cannot be said.
    Between,
    /// No value is clearly on either side, and the shares do not cross it.
    #[default]
    Unclear,
}

/// The value at which the share reaches a level.
///
/// The interval ends at the nearest values whose shares are clearly on either side of the level.
/// It holds for every share that rises, whatever its shape: a probit or logit curve, fitted over
/// all values, would give narrower intervals that are wrong where the boundary is no such curve.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Boundary {
    /// The level.
    pub level: f64,
    /// Whether it is reached.
    pub reached: Reached,
    /// Where the isotonic regression crosses the level; `None` if not between two values.
    pub at: Option<f64>,
    /// The largest value at which it is clearly not reached yet; `None` if there is none.
    pub low: Option<f64>,
    /// The least value at which it is clearly passed; `None` if there is none.
    pub high: Option<f64>,
}
