//! Splitting where the probability is known: the queue M/M/1 as a walk.
//! `STORMGLASS_SPLITTING=300 cargo test --release --test results splitting -- --nocapture` makes
//! the repetitions that docs/experiment.md tells of.

#![expect(clippy::print_stdout, reason = "it says how often it was right")]

use stormglass::experiment::rare::gain;
use stormglass::experiment::rare::split::{Course, Lineage, Replication, levels, replicate};
use stormglass::experiment::statistics::CONFIDENCE;
use stormglass::experiment::statistics::interval::mean_interval;
use stormglass::kernel::draw::{Draws, Purpose, key_of};
use stormglass::kernel::time::Time;

/// M/M/1 from its first customer on, event by event: up with lambda / (lambda + mu).
fn queue(load: f64) -> impl Fn(&Lineage, u64) -> Course {
    let up = load / (1.0 + load);
    move |lineage: &Lineage, level: u64| {
        let (mut draws, mut redraws) = (Draws::new(lineage.seed), lineage.redraws.iter());
        let mut next = redraws.next();
        let mut course = Course { records: vec![(1, Time(0))], events: 0 };
        let (mut there, mut most) = (1_u64, 1);
        while there > 0 && most < level {
            if let Some((_, seed)) = next.filter(|(after, _)| course.events >= after.0) {
                draws.reseed(*seed);
                next = redraws.next();
            }
            let draw = draws.draw(Purpose::Service, 0, course.events, 0);
            course.events += 1;
            if draw.unit() < up {
                there += 1;
            } else {
                there -= 1;
            }
            if there > most {
                most = there;
                course.records.push((most, Time(course.events)));
            }
        }
        course
    }
}

/// The gambler's ruin: ((mu/lambda) - 1) / ((mu/lambda)^L - 1).
fn ruin(load: f64, level: u64) -> f64 {
    (1.0 / load - 1.0) / (libm::pow(1.0 / load, level as f64) - 1.0)
}

/// How many repetitions: `STORMGLASS_SPLITTING=300` for those that the docs tell of.
#[expect(clippy::disallowed_methods, reason = "it says how much is tried, not what comes out")]
fn repetitions() -> u64 {
    std::env::var("STORMGLASS_SPLITTING").map_or(4, |count| count.parse().expect("a number"))
}

/// The truth is inside of 93% to 97% of the 95% intervals, at less work than plain runs.
#[test]
fn rare_events_of_a_queue_are_inside_their_intervals_and_cheap() {
    for (load, level, seeds) in [(0.5, 20, 30), (0.8, 50, 30)] {
        let effort = if repetitions() < 300 { 60 } else { 300 };
        let run = queue(load);
        let truth = ruin(load, level);
        let (mut inside, mut all) = (0, Vec::new());
        for repetition in 0..repetitions() {
            let base = key_of(7, repetition);
            let (levels, _) = levels(level, effort, key_of(base, u64::MAX), &run);
            let told: Vec<Replication> = (0..seeds)
                .map(|seed| replicate(&levels, effort, key_of(base, seed), &run))
                .collect();
            let values: Vec<f64> = told.iter().map(|one| one.probability).collect();
            let estimate = mean_interval(&values, CONFIDENCE).unwrap();
            inside += u64::from(estimate.interval.contains(truth));
            all.extend(told);
        }
        let share = inside as f64 / repetitions() as f64;
        let values: Vec<f64> = all.iter().map(|one| one.probability).collect();
        let saved = gain(&all, &mean_interval(&values, CONFIDENCE).unwrap());
        println!(
            "load {load}, level {level}: {inside} of {} inside, {saved:.0} times less work",
            repetitions()
        );
        // A walk that is begun again repeats its way up, and those at 80% are long. With few runs a
        // level the estimates scatter more, and so does what they save.
        let least = if load < 0.6 { 40.0 } else { 5.0 };
        let least = if repetitions() < 300 { least / 4.0 } else { least };
        assert!(saved > least, "{saved}");
        match repetitions() {
            300.. => assert!((0.93..=0.97).contains(&share), "{share}"),
            // 1 of 4 would be 1 in 2,000 at 95%.
            _ => assert!(share > 0.25, "{share}"),
        }
    }
}

#[test]
fn plain_runs_agree_where_they_see_anything() {
    let (run, truth) = (queue(0.5), ruin(0.5, 10));
    let plain = |seed| run(&Lineage { seed, redraws: Vec::new() }, 10).reached(10).is_some();
    let seen = (0..60_000).filter(|&seed| plain(seed)).count() as f64 / 60_000.0;
    assert!((seen - truth).abs() < 4.0 * (truth / 60_000.0).sqrt(), "{seen}, not {truth}");
    let told: Vec<f64> =
        (0..30).map(|seed| replicate(&[4, 7, 10], 300, seed, &run).probability).collect();
    let estimate = mean_interval(&told, 0.999).unwrap();
    assert!(estimate.interval.contains(truth), "{estimate:?}, not {truth}");
}

#[test]
fn a_split_run_has_the_same_past_and_another_future() {
    let run = queue(0.8);
    let seed = (0..).find(|&seed| {
        let course = run(&Lineage { seed, redraws: Vec::new() }, 6);
        course.reached(6).is_some()
    });
    let whole = run(&Lineage { seed: seed.unwrap(), redraws: Vec::new() }, 6);
    let at = whole.reached(4).unwrap();
    let again = |key| run(&Lineage { seed: seed.unwrap(), redraws: vec![(at, key)] }, 30).records;
    let past = |records: &[(u64, Time)]| {
        records.iter().copied().filter(|(_, when)| *when <= at).collect::<Vec<_>>()
    };
    assert_eq!(past(&again(1)), past(&whole.records));
    assert!((2..20).any(|key| again(key) != again(1)));
    assert_eq!(again(5), again(5));
}
