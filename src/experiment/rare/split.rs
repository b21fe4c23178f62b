//! Multilevel splitting with fixed effort: a pure machine over runs that can be begun again.
//!
//! A run that has come to a level is begun again from there many times, and what comes of it is
//! weighed by how many did. The product of the shares that pass each level is an estimate without
//! bias of the probability to pass all of them, whatever the levels (Garvels, *The splitting method
//! in rare event simulation*, 2000; L'Ecuyer, Demers and Tuffin, "Rare events, splitting, and
//! quasi-Monte Carlo", ACM TOMACS 17, 2007, section 3).

use crate::kernel::draw::key_of;
use crate::kernel::time::Time;

/// A run by its draws: its seed, and from when on it is drawn from which other seed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineage {
    /// Its first seed.
    pub seed: u64,
    /// After which time all is drawn from which seed, in the order of time.
    pub redraws: Vec<(Time, u64)>,
}

/// How far a run has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// Each new most, and when it was reached.
    pub records: Vec<(u64, Time)>,
    /// How many events it took, those that repeat the past included.
    pub events: u64,
}

impl Course {
    /// When it came to a level; `None` if it did not.
    #[must_use]
    pub fn reached(&self, level: u64) -> Option<Time> {
        self.records.iter().find(|(most, _)| *most >= level).map(|(_, at)| *at)
    }
}

/// What one replication has found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replication {
    /// The estimate.
    pub probability: f64,
    /// How many runs began before each level, and how many came to it.
    pub passed: Vec<(u64, u64)>,
    /// The events of all runs, and of those that began at the beginning.
    pub events: u64,
    /// The events of the runs that began at the beginning.
    pub plain_events: u64,
}

/// Estimates the probability to come to the last of these levels. `run` runs a lineage until it
/// comes to a level or its time is over.
pub fn replicate(
    levels: &[u64],
    effort: u64,
    seed: u64,
    run: impl Fn(&Lineage, u64) -> Course,
) -> Replication {
    let mut told = Replication { probability: 1.0, ..Replication::default() };
    let mut entrances: Vec<Lineage> = Vec::new();
    for (stage, &level) in levels.iter().enumerate() {
        let mut passed = Vec::new();
        for number in 0..effort {
            let key = key_of(key_of(seed, stage as u64), number);
            let begun = begin(&entrances, stage, number, key);
            let course = run(&begun, level);
            told.events += course.events;
            told.plain_events += if stage == 0 { course.events } else { 0 };
            if let Some(at) = course.reached(level) {
                passed.push((begun, at));
            }
        }
        told.passed.push((effort, passed.len() as u64));
        told.probability *= passed.len() as f64 / effort as f64;
        if passed.is_empty() {
            break;
        }
        entrances = passed.into_iter().map(|(lineage, at)| split(lineage, at)).collect();
    }
    told
}

/// The run of this number: a new one, or one that goes on from an entrance. Each entrance has as
/// many, or one more.
fn begin(entrances: &[Lineage], stage: usize, number: u64, key: u64) -> Lineage {
    if stage == 0 {
        return Lineage { seed: key, redraws: Vec::new() };
    }
    // The first ones have one more: they are no better than others, as they come in no order.
    let mut lineage = entrances[number as usize % entrances.len()].clone();
    if let Some(last) = lineage.redraws.last_mut() {
        last.1 = key;
    }
    lineage
}

/// A lineage that is split at a time; the seed of what follows is set when it goes on.
fn split(mut lineage: Lineage, at: Time) -> Lineage {
    lineage.redraws.push((at, 0));
    lineage
}

/// The part of runs that passes each level at best: e^-2 (Villén-Altamirano, 1991).
const PASSES: f64 = 0.135_335_283_236_612_7;

/// Levels on the way to `reaches` that about one in seven of the runs of a pilot pass, and the
/// events that it took.
pub fn levels(
    reaches: u64,
    effort: u64,
    seed: u64,
    run: impl Fn(&Lineage, u64) -> Course,
) -> (Vec<u64>, u64) {
    let (mut levels, mut events) = (Vec::new(), 0);
    let mut entrances: Vec<Lineage> = Vec::new();
    let mut before = 0;
    while before < reaches {
        let courses: Vec<(Lineage, Course)> = (0..effort)
            .map(|number| {
                let key = key_of(key_of(seed, levels.len() as u64), number);
                let begun = begin(&entrances, levels.len(), number, key);
                let course = run(&begun, reaches);
                (begun, course)
            })
            .collect();
        events += courses.iter().map(|(_, course)| course.events).sum::<u64>();
        let most = |course: &Course| course.records.last().map_or(0, |(most, _)| *most);
        let mut mosts: Vec<u64> = courses.iter().map(|(_, course)| most(course)).collect();
        mosts.sort_unstable_by(|a, b| b.cmp(a));
        let place = ((effort as f64 * PASSES) as usize).min(mosts.len() - 1);
        let level = mosts[place].max(before + 1).min(reaches);
        levels.push(level);
        let passed = courses.into_iter().filter_map(|(lineage, course)| {
            let at = course.reached(level)?;
            Some(split(lineage, at))
        });
        entrances = passed.collect();
        if entrances.is_empty() && level < reaches {
            // Nobody came further: the rest of the way has steps as long as the last one.
            let step = level - before;
            let more = (1..).map(|number| level + number * step);
            levels.extend(more.take_while(|more| *more < reaches));
            levels.push(reaches);
            break;
        }
        before = level;
    }
    (levels, events)
}
