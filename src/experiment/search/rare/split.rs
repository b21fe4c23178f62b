//! Multilevel splitting with fixed effort: a pure machine over chains that can be copied.
//!
//! A chain that has come to a level is copied there many times, and what comes of it is weighed by
//! how many did. The product of the shares that pass each level is an estimate without bias of the
//! probability to pass all of them, whatever the levels (Garvels, *The splitting method in rare
//! event simulation*, 2000; L'Ecuyer, Demers and Tuffin, "Rare events, splitting, and quasi-Monte
//! Carlo", ACM TOMACS 17, 2007, section 3). A chain that falls back far is left to a toss, and
//! counts twice if it wins (the same, section 3.4, probabilistic truncation).

use crate::kernel::draw::key_of;

/// What a chain is to do: to go on until it comes to a level, or its time is over.
#[derive(Clone, Copy, Debug)]
pub struct Leg<'l> {
    /// From where it is on, all is drawn by this.
    pub key: u64,
    /// The level.
    pub level: u64,
    /// Levels behind it, ascending: below each of them a toss is due.
    pub floors: &'l [u64],
}

/// How far a chain has come.
#[derive(Clone, Debug)]
pub struct Course<S> {
    /// Where it is when it comes to the level; `None` if it did not.
    pub there: Option<S>,
    /// The most that it grew to.
    pub most: u64,
    /// For how many chains it counts: twice as many for each toss that it won.
    pub weight: u64,
    /// How many events it took.
    pub events: u64,
}

/// The tosses of a chain that falls back.
#[derive(Clone, Debug)]
pub struct Roulette<'l> {
    key: u64,
    floors: &'l [u64],
    weight: u64,
}

impl<'l> Roulette<'l> {
    /// No toss has been due yet.
    #[must_use]
    pub fn new(leg: Leg<'l>) -> Roulette<'l> {
        Roulette { key: leg.key, floors: leg.floors, weight: 1 }
    }

    /// Notes how far the chain has grown; whether it goes on.
    pub fn goes_on(&mut self, grown: u64) -> bool {
        while let Some((floor, below)) = self.floors.split_last() {
            if grown >= *floor {
                break;
            }
            self.floors = below;
            // The highest bit of a mixed key is a fair coin.
            if key_of(self.key, below.len() as u64) >> 63 == 0 {
                return false;
            }
            self.weight *= 2;
        }
        true
    }

    /// For how many chains it counts.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.weight
    }
}

/// What one replication has found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replication {
    /// The estimate.
    pub probability: f64,
    /// How many chains began before each level, and for how many those count that came to it.
    pub passed: Vec<(u64, u64)>,
    /// The events of all chains.
    pub events: u64,
    /// How many events a chain has from the beginning to its end, at the least: what those that
    /// lost a toss would have had is left out.
    pub plain_events: f64,
}

/// Chains that came to a level, each with its weight.
type Entrances<S> = Vec<(S, u64)>;

/// Estimates the probability to come to the last of these levels. `run` begins a chain, or goes on
/// with a copy of one.
pub fn replicate<S>(
    levels: &[u64],
    effort: u64,
    seed: u64,
    run: impl Fn(Option<&S>, Leg<'_>) -> Course<S>,
) -> Replication {
    let mut told = Replication { probability: 1.0, ..Replication::default() };
    let mut entrances: Entrances<S> = Vec::new();
    for (stage, &level) in levels.iter().enumerate() {
        let key = key_of(seed, stage as u64);
        let floors = floors(levels, &told.passed);
        let (mut passed, mut events) = (Vec::new(), 0);
        for (number, start) in starts(&entrances, effort, key).into_iter().enumerate() {
            let leg = Leg { key: key_of(key, number as u64), level, floors: &floors };
            let course = run(start, leg);
            events += course.events;
            passed.extend(course.there.map(|there| (there, course.weight)));
        }
        let weight: u64 = passed.iter().map(|(_, weight)| weight).sum();
        told.passed.push((effort, weight));
        told.events += events;
        told.plain_events += told.probability * events as f64 / effort as f64;
        told.probability *= weight as f64 / effort as f64;
        if passed.is_empty() {
            break;
        }
        entrances = passed;
    }
    told
}

/// A toss is due where a chain that falls there comes back with less than this probability: as it
/// then counts twice, what comes of tosses scatters the less the deeper they are.
const COMES_BACK: f64 = 0.3;

/// The levels, ascending, below which a chain of the next stage is left to a toss: what passed the
/// stages so far tells how likely it comes back. That the same replication tells it takes nothing
/// from the estimate, since a toss is fair wherever it is due.
fn floors(levels: &[u64], passed: &[(u64, u64)]) -> Vec<u64> {
    let mut floors = Vec::new();
    let mut comes_back = 1.0;
    // A chain of the next stage begins at the last of these levels.
    for (stage, (begun, weight)) in passed.iter().enumerate().skip(1).rev() {
        comes_back *= *weight as f64 / *begun as f64;
        if comes_back <= COMES_BACK {
            floors.push(levels[stage - 1]);
            comes_back = 1.0;
        }
    }
    floors.reverse();
    floors
}

/// Where each of so many chains begins: at the beginning without entrances, else at these in
/// proportion to their weights (systematic resampling; its offset is drawn by `key`).
fn starts<S>(entrances: &Entrances<S>, effort: u64, key: u64) -> Vec<Option<&S>> {
    if entrances.is_empty() {
        return (0..effort).map(|_| None).collect();
    }
    let weight: u128 = entrances.iter().map(|(_, weight)| u128::from(*weight)).sum();
    // In parts of which each chain takes `weight` and each entrance `effort` times its own.
    let offset = (u128::from(key_of(key, u64::MAX)) * weight) >> 64;
    let mut starts = Vec::new();
    let mut taken = 0;
    for (there, own) in entrances {
        taken += u128::from(*own) * u128::from(effort);
        while (starts.len() as u128) * weight + offset < taken {
            starts.push(Some(there));
        }
    }
    starts
}

/// The part of chains that passes each level: more than e^-2, which is best where a stage costs the
/// same at every height (Villén-Altamirano, 1991), as chains that fall back are left to tosses.
const PASSES: f64 = 0.5;

/// Levels on the way to `reaches` that about every second of the chains of a pilot passes, and the
/// events that it took.
pub fn levels<S>(
    reaches: u64,
    effort: u64,
    seed: u64,
    run: impl Fn(Option<&S>, Leg<'_>) -> Course<S>,
) -> (Vec<u64>, u64) {
    let (mut levels, mut events) = (Vec::new(), 0);
    let mut entrances: Entrances<S> = Vec::new();
    let mut before = 0;
    while before < reaches {
        let stage = key_of(seed, levels.len() as u64);
        let starts = starts(&entrances, effort, stage);
        let leg = |number: usize, level: u64| Leg {
            key: key_of(stage, number as u64),
            level,
            floors: &[],
        };
        let numbered = || starts.iter().enumerate();
        let mosts: Vec<u64> = numbered()
            .map(|(number, start)| {
                let course = run(*start, leg(number, reaches));
                events += course.events;
                course.most
            })
            .collect();
        let mut sorted = mosts.clone();
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        let place = ((effort as f64 * PASSES) as usize).min(sorted.len() - 1);
        // A level to which all come is none.
        let least = sorted[sorted.len() - 1];
        let level = sorted[place].max(before + 1).max(least + 1).min(reaches);
        levels.push(level);
        // Those that come to it once more, to be where they come to it.
        let come = numbered().filter(|(number, _)| mosts[*number] >= level);
        let passed: Entrances<S> = come
            .filter_map(|(number, start)| {
                let course = run(*start, leg(number, level));
                events += course.events;
                Some((course.there?, 1))
            })
            .collect();
        if passed.is_empty() && level < reaches {
            // Nobody came further: the rest of the way has steps as long as the last one.
            let step = level - before;
            let more = (1..).map(|number| level + number * step);
            levels.extend(more.take_while(|more| *more < reaches));
            levels.push(reaches);
            break;
        }
        entrances = passed;
        before = level;
    }
    (levels, events)
}
