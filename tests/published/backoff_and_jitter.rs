//! "Exponential Backoff And Jitter" (Brooker, AWS Architecture Blog, 2015).

use stormglass::experiment::campaign::{Campaign, Cell};
use stormglass::experiment::statistics::interval::mean_interval;
use stormglass::kernel::time::Time;
use stormglass::model::program::EdgeId;
use stormglass::system::World;
use stormglass::system::fact::{Fact, Observer};

use super::{published, reference};

/// How often writers called, and when the last of them was done.
#[derive(Default)]
struct Writers {
    /// The writers' own edge: the one of the first attempt.
    edge: Option<EdgeId>,
    calls: f64,
    done_ms: f64,
}

impl Observer for Writers {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match fact {
            Fact::Attempted { edge, .. } if *self.edge.get_or_insert(*edge) == *edge => {
                self.calls += 1.0;
            }
            Fact::Answered { .. } => self.done_ms = now.seconds() * 1e3,
            _ => {}
        }
    }
}

/// The arms as the reference calls them.
const ARMS: [(&str, &str); 5] = [
    ("exponential", "Exponential"),
    ("decorrelated", "Decorr"),
    ("equal", "EqualJitter"),
    ("full", "FullJitter"),
    ("none", "None"),
];

fn run(cell: &Cell, seed: u64) -> Writers {
    let end = cell.measure.arrivals_end;
    let world =
        World::new(&cell.program, &cell.plan.controls, seed, end, cell.limits, Writers::default());
    world.run().1
}

/// The calls and times of a cell over its seeds.
fn sample(campaign: &Campaign, arm: &str, writers: u32) -> (Vec<f64>, Vec<f64>) {
    let point = format!("writers={writers}");
    let is_wanted = |cell: &&Cell| cell.arm == arm && cell.point == point;
    let cell = campaign.cells.iter().find(is_wanted).expect("the arm at the point");
    campaign.seeds.iter().map(|&seed| run(cell, seed)).map(|run| (run.calls, run.done_ms)).unzip()
}

/// The reference has 1,000 repetitions, and we have 60. Each of 40 pairs of means differs by less
/// than 4.5 standard errors of their difference (by chance not so in 3e-4 of all choices of seeds).
#[test]
fn calls_and_times_are_those_of_the_reference() {
    let campaign = published("backoff-and-jitter", |text| text.replace("1..101", "1..61"));
    let cells = reference("aws_backoff");
    for writers in [10, 30, 60, 100] {
        for (arm, name) in ARMS {
            let row = cells.iter().find(|row| row[0] == writers.to_string() && row[1] == name);
            let row = row.expect("a row of the reference");
            let (calls, times) = sample(&campaign, arm, writers);
            let number = |column: usize| row[column].parse::<f64>().unwrap();
            agrees(&format!("calls of {writers}, {arm}"), &calls, number(3), number(4));
            agrees(&format!("time of {writers}, {arm}"), &times, number(9), number(10));
        }
    }
}

fn agrees(what: &str, sample: &[f64], mean: f64, deviation: f64) {
    let ours = mean_interval(sample, 0.95).unwrap().mean;
    let error = deviation * (1.0 / 1000.0 + 1.0 / sample.len() as f64).sqrt();
    let errors = (ours - mean) / error;
    assert!(errors.abs() < 4.5, "{what}: {ours} instead of {mean}, {errors} standard errors");
}
