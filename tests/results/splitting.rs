//! Splitting where the probability is known: the queue M/M/1 as a walk.
//! `STORMGLASS_SPLITTING=300 cargo test --release --test results splitting -- --nocapture` makes
//! the repetitions that docs/experiment.md tells of.

#![expect(clippy::print_stdout, reason = "it says how often it was right")]

use stormglass::experiment::search::rare::gain;
use stormglass::experiment::search::rare::split::{
    Course, Leg, Replication, Roulette, levels, replicate,
};
use stormglass::kernel::draw::{Draws, Purpose, key_of};
use stormglass::statistics::CONFIDENCE;
use stormglass::statistics::interval::mean_interval;

/// M/M/1 from its first customer on, event by event: up with lambda / (lambda + mu). Where it is is
/// how many are there.
fn queue(load: f64) -> impl Fn(Option<&u64>, Leg<'_>) -> Course<u64> {
    let up = load / (1.0 + load);
    move |start, leg| {
        let mut draws = Draws::new(leg.key);
        let mut roulette = Roulette::new(leg);
        let mut there = start.copied().unwrap_or(1);
        let (mut most, mut events) = (there, 0);
        while there > 0 && there < leg.level && roulette.goes_on(there) {
            let draw = draws.draw(Purpose::Service, 0, events, 0);
            events += 1;
            there = if draw.unit() < up { there + 1 } else { there - 1 };
            most = most.max(there);
        }
        let is_reached = there >= leg.level;
        let there = is_reached.then_some(there);
        Course { there, most, weight: roulette.weight(), events }
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
        // With few chains a level the estimates scatter more, and so does what they save.
        let least = if repetitions() < 300 { 25.0 } else { 100.0 };
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
    let plain = |key| run(None, Leg { key, level: 10, floors: &[] }).there.is_some();
    let seen = (0..60_000).filter(|&seed| plain(seed)).count() as f64 / 60_000.0;
    assert!((seen - truth).abs() < 4.0 * (truth / 60_000.0).sqrt(), "{seen}, not {truth}");
    let told: Vec<f64> =
        (0..30).map(|seed| replicate(&[4, 7, 10], 300, seed, &run).probability).collect();
    let estimate = mean_interval(&told, 0.999).unwrap();
    assert!(estimate.interval.contains(truth), "{estimate:?}, not {truth}");
}

#[test]
fn a_chain_that_falls_back_counts_for_those_that_are_given_up() {
    // From 6, below 4 and below 2 a toss each: whoever comes to 9 counts 1, 2 or 4 times, and in
    // all as many as without tosses.
    let run = queue(0.8);
    let came = |floors: &[u64]| -> (u64, u64, u64) {
        let courses = (0..40_000).map(|key| run(Some(&6), Leg { key, level: 9, floors }));
        courses.fold((0, 0, 0), |sum, course| {
            let came = course.there.map_or(0, |_| course.weight);
            (sum.0 + came, sum.1.max(course.weight), sum.2 + course.events)
        })
    };
    let (plain, most, events) = came(&[]);
    assert_eq!(most, 1);
    let (with_tosses, most, fewer) = came(&[2, 4]);
    assert_eq!(most, 4);
    assert!(fewer < events, "{fewer}, not below {events}");
    let difference = (plain as f64 - with_tosses as f64).abs();
    // Some 40,000 chains of weights below 2 on average: four standard errors of the difference.
    assert!(difference < 4.0 * (3.0 * 40_000.0_f64).sqrt(), "{plain} {with_tosses}");
}
