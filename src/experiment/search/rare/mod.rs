//! `[rare]`: the probability of something that is too rare to wait for.
//!
//! A run that has come to a level is copied there, and each copy goes on with draws of its own:
//! draws are named by what they are for, so that takes another seed and nothing else.

pub mod language;
pub mod split;

use std::collections::BTreeMap;

use crate::experiment::plan::cell::Cell;
use crate::kernel::draw::key_of;
use crate::kernel::time::Time;
use crate::model::document::Value;
use crate::model::problem::Problem;
use crate::model::program::{EdgeId, Kind, Node, NodeId, Program};
use crate::model::read;
use crate::statistics::interval::mean_interval;
use crate::statistics::{CONFIDENCE, Estimate};
use crate::system::Observer;
use crate::system::Sight;
use crate::system::World;
use crate::system::fact::{Content, Fact, Transit};
use crate::system::fork::Snapshot;
use language::{Before, RareText};
use split::{Course, Leg, Replication, Roulette, levels, replicate};

/// The question of a rare event, as an experiment declares it.
#[derive(Clone, Debug)]
pub struct Rare {
    /// What was written.
    pub text: RareText,
}

impl Rare {
    /// Reads `[rare]` of an experiment; `None` if it has none, or a wrong one.
    pub(in crate::experiment) fn read(
        experiment: &Value,
        problems: &mut Vec<Problem>,
    ) -> Option<Rare> {
        let value = experiment.find(&["rare".to_owned()])?;
        if experiment.find(&["random_faults".to_owned()]).is_some() {
            let problem =
                Problem::new("faults that are drawn before a run cannot be drawn again in it");
            let expected = "listed [[faults]] beside [rare]";
            problems.push(problem.expected(expected).located(experiment, &["random_faults"]));
        }
        let text: RareText = read(value).map_err(|problem| problems.push(problem)).ok()?;
        if let Some(wrong) = wrong(&text) {
            problems.push(wrong.located(experiment, &["rare"]));
            return None;
        }
        Some(Rare { text })
    }

    /// What grows, in this model.
    ///
    /// # Errors
    /// If there is no such node, or nothing of the kind is ever at it.
    pub fn grows(&self, program: &Program) -> Result<Grows, Problem> {
        let text = self.text.of.as_str();
        let read = text.strip_prefix("oldest in ").map(|node| (true, node));
        let read = read.or_else(|| text.strip_prefix("in ").map(|node| (false, node)));
        let (is_age, name) = read.ok_or_else(|| {
            Problem::new(format!("`{text}` is nothing that grows"))
                .expected("\"in NODE\" or \"oldest in NODE\"")
                .inside("of")
        })?;
        let is_one = |node: &&Node| !matches!(node.kind, Kind::Clients(_));
        let known: Vec<&str> =
            program.nodes.iter().filter(is_one).map(|node| node.name.as_str()).collect();
        if !known.contains(&name) {
            return Err(Problem::unknown("node", name, &known).inside("of"));
        }
        let place = program.nodes.iter().position(|node| node.name == name).unwrap_or_default();
        let is_queue = matches!(program.nodes[place].kind, Kind::Queue(_));
        if is_age && is_queue {
            let problem = Problem::new("how old the messages of a queue are is not followed here");
            return Err(problem.expected(format!("\"in {name}\", how many they are")).inside("of"));
        }
        let node = NodeId(place as u16);
        let to_it = |(_, edge): &(usize, &crate::model::program::Edge)| edge.target == node;
        let edges = program.edges.iter().enumerate().filter(to_it);
        let edges = edges.map(|(index, _)| EdgeId(index as u16)).collect();
        Ok(Grows { node, edges, is_queue, is_age })
    }
}

/// What is wrong with it for itself.
fn wrong(text: &RareText) -> Option<Problem> {
    if text.reaches < 2 {
        let problem = Problem::new("nothing leads up to it");
        return Some(problem.expected("at least 2").inside("reaches"));
    }
    if text.effort < 2 {
        let problem = Problem::new("one run is no share");
        return Some(problem.expected("at least 2; 400 is usual").inside("effort"));
    }
    let levels = text.levels.as_deref()?;
    let rises = levels.windows(2).all(|pair| pair[0] < pair[1]);
    let is_below = levels.iter().all(|level| (1..text.reaches).contains(level));
    (!rises || !is_below).then(|| {
        let expected = format!("numbers below {}, ascending", text.reaches);
        Problem::new("these are no levels on the way").expected(expected).inside("levels")
    })
}

/// What grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grows {
    node: NodeId,
    /// By which requests come to it.
    edges: Vec<EdgeId>,
    is_queue: bool,
    is_age: bool,
}

/// What was found of one arm at one point.
#[derive(Clone, Debug, PartialEq)]
pub struct RareFound {
    /// The levels, the last of which is the event.
    pub levels: Vec<u64>,
    /// What each replication found.
    pub replications: Vec<Replication>,
    /// The probability with its interval over the replications.
    pub probability: Option<Estimate>,
    /// The events of the pilots that found the levels.
    pub pilot_events: u64,
    /// How many times as many events plain runs would take for an interval as wide.
    pub gain: f64,
}

/// The levels for a cell, and the events of the pilot that has found them.
///
/// # Panics
/// If the cell has no such node: a campaign has refused that.
#[must_use]
pub fn levels_of(rare: &Rare, cell: &Cell, seed: u64) -> (Vec<u64>, u64) {
    if let Some(given) = &rare.text.levels {
        return (given.iter().copied().chain([rare.text.reaches]).collect(), 0);
    }
    let run = runner(rare, cell);
    levels(rare.text.reaches, rare.text.effort, key_of(seed, u64::MAX), run)
}

/// One replication of a cell, independent of those of other seeds.
///
/// # Panics
/// If the cell has no such node: a campaign has refused that.
#[must_use]
pub fn replication(rare: &Rare, cell: &Cell, levels: &[u64], seed: u64) -> Replication {
    replicate(levels, rare.text.effort, seed, runner(rare, cell))
}

/// What replications come to.
#[must_use]
pub fn found(levels: Vec<u64>, pilot_events: u64, replications: Vec<Replication>) -> RareFound {
    let values: Vec<f64> = replications.iter().map(|one| one.probability).collect();
    let probability = mean_interval(&values, CONFIDENCE).ok();
    let gain = probability.map_or(f64::NAN, |estimate| gain(&replications, &estimate));
    RareFound { levels, replications, probability, pilot_events, gain }
}

/// How many times as many events plain runs take for the same standard error: (1 - p) / (p r^2) of
/// them for a relative one of r, each as long as chains of all stages together are at the least.
#[must_use]
pub fn gain(replications: &[Replication], estimate: &Estimate) -> f64 {
    let values: Vec<f64> = replications.iter().map(|one| one.probability).collect();
    let Ok(moments) = crate::statistics::moments::moments(&values) else { return f64::NAN };
    let relative = moments.standard_error() / estimate.mean;
    let runs = (1.0 - estimate.mean) / (estimate.mean * relative * relative);
    let plain: f64 = replications.iter().map(|one| one.plain_events).sum();
    let events: u64 = replications.iter().map(|one| one.events).sum();
    runs * (plain / replications.len() as f64) / events as f64
}

/// A run between two events, and what is seen in it.
#[derive(Debug)]
pub struct There<'c> {
    world: Snapshot<'c>,
    seen: Seen,
}

/// Begins runs of a cell, and goes on with copies of them.
fn runner<'c>(
    rare: &Rare,
    cell: &'c Cell,
) -> impl Fn(Option<&There<'c>>, Leg<'_>) -> Course<There<'c>> + use<'c> {
    let grows = rare.grows(&cell.program).unwrap_or_else(|problem| panic!("{problem}"));
    let before = rare.text.before;
    move |start, leg| {
        let (program, controls) = (&cell.program, &cell.plan.controls);
        let seen = start.map_or(Seen::default(), |there| there.seen.clone());
        let roulette = Roulette::new(leg);
        let level = leg.level;
        let mut watch = Watch { grows: &grows, before, level, roulette, seen, ends: Ends::Not };
        let mut world = match start {
            None => begun(cell, leg.key, &mut watch),
            Some(there) => there.world.go_on(program, controls, (leg.key, &mut watch)),
        };
        let before = world.events();
        let is_kept = world.run_until_seen();
        let events = world.events() - before;
        let world = is_kept.then(|| world.snapshot(program, controls));
        let Watch { seen, roulette, .. } = watch;
        let most = seen.most;
        let there = world.map(|world| There { world, seen });
        Course { there, most, weight: roulette.weight(), events }
    }
}

/// A run of a cell at its beginning.
fn begun<'w>(cell: &'w Cell, seed: u64, watch: &'w mut Watch<'_>) -> World<'w> {
    let (end, limits) = (cell.measure.arrivals_end, cell.limits);
    let mut world = World::new(&cell.program, &cell.plan.controls, seed, end, limits, watch);
    if cell.ends_when_done {
        world.end_when_done();
    }
    for &(clients, spike) in &cell.plan.spikes {
        world.add_spike(clients, spike);
    }
    world
}

/// What has been seen of what grows.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// How many came at each time and are still there.
    there: BTreeMap<Time, u32>,
    count: u64,
    /// The most that it grew to.
    most: u64,
}

/// How a leg ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// It has not.
    Not,
    /// At its level.
    Reached,
    /// Where it does not count any more, or by a toss.
    Lost,
}

/// The observer that sees how far it has grown.
#[derive(Debug)]
struct Watch<'g> {
    grows: &'g Grows,
    before: Before,
    level: u64,
    roulette: Roulette<'g>,
    seen: Seen,
    ends: Ends,
}

impl Watch<'_> {
    fn came(&mut self, at: Time) {
        *self.seen.there.entry(at).or_default() += 1;
        self.seen.count += 1;
    }

    fn left(&mut self, since: Time) {
        if let Some(there) = self.seen.there.get_mut(&since) {
            *there -= 1;
            if *there == 0 {
                self.seen.there.remove(&since);
            }
        }
        self.seen.count = self.seen.count.saturating_sub(1);
        if self.before == Before::Empty && self.seen.count == 0 && self.ends == Ends::Not {
            self.ends = Ends::Lost;
        }
    }

    /// Notes how far it has grown by now.
    fn look(&mut self, now: Time) {
        let grown = match (self.grows.is_age, self.seen.there.first_key_value()) {
            (true, Some((oldest, _))) => now.since(*oldest).millis() as u64,
            (true, None) => 0,
            (false, _) => self.seen.count,
        };
        self.seen.most = self.seen.most.max(grown);
        if self.ends != Ends::Not {
            return;
        }
        if grown >= self.level {
            self.ends = Ends::Reached;
        } else if !self.roulette.goes_on(grown) {
            self.ends = Ends::Lost;
        }
    }
}

impl Observer for Watch<'_> {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let Grows { node, edges, is_queue, .. } = self.grows;
        match *fact {
            Fact::Arrived(Transit { to, content: Content::Call(_), .. })
                if !is_queue && to == *node =>
            {
                self.came(now);
            }
            Fact::Left(stay) if !is_queue && edges.contains(&stay.edge) => self.left(stay.arrived),
            Fact::Enqueued { queue, .. } if queue == *node => self.came(now),
            Fact::Acknowledged { queue, .. }
            | Fact::DeadLettered { queue, .. }
            | Fact::Expired { queue, .. }
            | Fact::MessageLost { queue, .. }
                if queue == *node =>
            {
                // A queue says since when a message was due, which is not when it came.
                self.left(Time::NEVER);
            }
            _ => return,
        }
        self.look(now);
    }

    fn sight(&self) -> Sight {
        match self.ends {
            Ends::Not => Sight::More,
            Ends::Reached => Sight::Keep,
            Ends::Lost => Sight::Enough,
        }
    }
}
