//! Searches where the share at every value is known.

use super::amount::Amount;
use super::grid::Grid;
use super::language::GridScale;
use super::track::{Boundary, Direction, Reached, Rule, Track};
use crate::kernel::draw::{Draws, Purpose};
use crate::kernel::time::Span;
use crate::statistics::distribution::{normal_cdf, normal_quantile};
use crate::statistics::proportion::wilson;

/// From half a second to a minute, as in the reference system R2.
fn rule(seeds: u64) -> Rule {
    let (from, until) = (Amount::Time(Span::from_millis(500)), Amount::Time(Span::from_secs(60)));
    let grid = Grid::new(from, until, GridScale::Log, 64);
    Rule { grid, sweep: 13, seeds, levels: vec![0.05, 0.5, 0.95] }
}

/// Searches where the share at each value is known; returns how many runs it took, too.
fn search(rule: &Rule, trial: u64, share: impl Fn(f64) -> f64) -> (Track, u64) {
    let mut draws = Draws::new(trial);
    let (mut track, mut runs) = (Track::default(), 0);
    loop {
        let wanted = track.next(rule);
        if wanted.is_empty() {
            return (track, runs);
        }
        for (place, seeds) in wanted {
            let share = share(rule.grid.values[place].number());
            let outcomes = &mut track.probes.entry(place).or_default().outcomes;
            for seed in outcomes.len() as u64..seeds {
                let draw = draws.draw(Purpose::Service, place as u32, seed, 0);
                outcomes.push(Some(draw.unit() < share));
                runs += 1;
            }
        }
    }
}

fn boundaries(track: &Track, rule: &Rule) -> Vec<Boundary> {
    let part = track.part(rule);
    rule.levels.iter().map(|&level| track.boundary(level, &part, rule)).collect()
}

/// A share that rises as a probit curve from 50% at `middle`.
fn probit(middle: f64, slope: f64) -> impl Fn(f64) -> f64 {
    move |value| normal_cdf(slope * libm::log(value / middle))
}

/// In how many of so many trials each interval holds the value at which the share is at the level,
/// and how many runs a trial took on average.
fn coverage(rule: &Rule, trials: u64, middle: f64, slope: f64) -> (Vec<u64>, u64) {
    let mut covered = vec![0; rule.levels.len()];
    let mut all = 0;
    for trial in 0..trials {
        let (track, runs) = search(rule, trial, probit(middle, slope));
        all += runs;
        for (covered, found) in covered.iter_mut().zip(boundaries(&track, rule)) {
            let true_value = middle * libm::exp(normal_quantile(found.level).unwrap() / slope);
            let (low, high) = (found.low.unwrap_or(0.0), found.high.unwrap_or(f64::INFINITY));
            *covered += u64::from((low..=high).contains(&true_value));
        }
    }
    (covered, all / trials)
}

/// 95% intervals: 51 or fewer of 60 would be 1 in 400 if they held in exactly 95%.
#[test]
fn intervals_hold_the_boundary() {
    for (middle, slope) in [(5.9, 5.6), (2.6, 2.0), (9.0, 20.0)] {
        let (covered, runs) = coverage(&rule(200), 60, middle, slope);
        assert!(covered.iter().all(|&covered| covered > 51), "{middle} {slope}: {covered:?}");
        assert!(runs < 64 * 200 / 3, "{runs} runs are no better than trying everything");
    }
}

#[test]
fn a_boundary_without_chance_is_found_between_neighbours() {
    let rule = rule(200);
    let (track, runs) = search(&rule, 1, |value| f64::from(u8::from(value >= 7.3)));
    let step = libm::pow(120.0, 1.0 / 64.0);
    for found in boundaries(&track, &rule) {
        let (low, high, at) = (found.low.unwrap(), found.high.unwrap(), found.at.unwrap());
        assert!(low < 7.3 && 7.3 <= high && (low..=high).contains(&at), "{found:?}");
        assert!(high / low < step * 1.01, "{found:?}");
        assert_eq!(found.reached, Reached::Between);
    }
    assert!(runs < 1_400, "{runs}");
    assert_eq!(track.turn(&rule), None);
}

#[test]
fn what_is_never_or_always_so_is_said() {
    let rule = rule(200);
    let (track, _) = search(&rule, 1, |_| 0.0);
    assert!(boundaries(&track, &rule).iter().all(|found| found.reached == Reached::Never
        && found.at.is_none()
        && found.low == Some(60.0)
        && found.high.is_none()));
    let (track, _) = search(&rule, 1, |_| 1.0);
    assert!(boundaries(&track, &rule).iter().all(|found| found.reached == Reached::Already
        && found.at.is_none()
        && found.low.is_none()
        && found.high == Some(0.5)));
    let (track, _) = search(&rule, 1, |_| 0.6);
    let reached: Vec<Reached> = boundaries(&track, &rule).iter().map(|b| b.reached).collect();
    assert_eq!(reached, [Reached::Already, Reached::Already, Reached::Never]);
}

/// Level, seeds with which it is clear of 0% and 100%: the Wilson interval of none of n says so.
#[test]
fn a_level_that_too_few_seeds_tell_is_unclear() {
    for (level, needed) in [(0.05, 119), (0.5, 7), (0.95, 119), (0.01, 618)] {
        let rule = rule(200);
        assert_eq!(rule.seeds_to_tell(level), needed, "{level}");
        let nearer = f64::min(level, 1.0 - level);
        let high = |n| wilson(0, n, rule.confidence()).unwrap().interval.high;
        assert!(high(needed) < nearer && high(needed - 1) >= nearer, "{level}");
    }
    let reached = |seeds: u64, share: f64| {
        let rule = rule(seeds);
        let (track, _) = search(&rule, 1, |_| share);
        boundaries(&track, &rule).iter().map(|found| found.reached).collect::<Vec<_>>()
    };
    assert_eq!(reached(118, 0.0), [Reached::Unclear, Reached::Never, Reached::Never]);
    assert_eq!(reached(119, 0.0), [Reached::Never; 3]);
    assert_eq!(reached(118, 1.0), [Reached::Already, Reached::Already, Reached::Unclear]);
    assert_eq!(reached(119, 1.0), [Reached::Already; 3]);
}

#[test]
fn a_share_that_falls_is_searched_from_the_other_end() {
    let rule = rule(200);
    let (track, _) = search(&rule, 1, |value| 1.0 - probit(5.9, 5.6)(value));
    assert_eq!(track.direction(&rule), Direction::Falls);
    assert_eq!(track.turn(&rule), None);
    let found = boundaries(&track, &rule);
    let at = |index: usize| found[index].at.expect("it is reached");
    assert!(at(0) > at(1) && at(1) > at(2), "{found:?}");
    assert!(found.iter().all(|found| found.low < found.high));
    assert!((at(1) / 5.9 - 1.0).abs() < 0.1, "{found:?}");
}

/// The reference system R2 at 3/s: 60% at 13 s, and less again from there on.
fn hill(value: f64) -> f64 {
    let past = 0.3 * normal_cdf(4.0 * libm::log(value / 22.0));
    0.6 * normal_cdf(6.0 * libm::log(value / 9.0)) - past
}

#[test]
fn a_share_that_turns_is_said_to_and_searched_up_to_there() {
    let rule = rule(200);
    for trial in 0..10 {
        let (track, _) = search(&rule, trial, hill);
        let turn = track.turn(&rule).expect("it falls from 60% to 30%");
        let number = |place: usize| rule.grid.values[place].number();
        assert!(number(turn.from) > 7.0 && number(turn.to) > 15.0, "{turn:?}");
        let found = boundaries(&track, &rule);
        assert!(found[0].high.is_some_and(|high| high < 10.0), "{found:?}");
        assert_eq!(found[2].reached, Reached::Never, "{found:?}");
    }
}

/// At most one in twenty: 7 or more of 40 would be 1 in 300 if it were exactly that.
#[test]
fn a_share_that_rises_is_rarely_said_to_turn() {
    let rule = rule(100);
    let says = |trial: u64| {
        let flat = |value: f64| 0.4 + 0.001 * value;
        u64::from(search(&rule, trial, flat).0.turn(&rule).is_some())
    };
    assert!((0..40).map(says).sum::<u64>() < 7);
}

#[test]
fn no_share_is_looked_at_with_fewer_than_ten_seeds() {
    for (seeds, first) in [(10, 10), (40, 10), (200, 20)] {
        let wanted = Track::default().next(&rule(seeds));
        assert!(wanted.iter().all(|(_, seeds)| *seeds == first), "{seeds}: {wanted:?}");
        assert_eq!(wanted.len(), 13);
    }
}

#[test]
fn runs_of_which_nothing_can_be_said_end_a_search_all_the_same() {
    let rule = rule(20);
    let mut track = Track::default();
    for _ in 0..10_000 {
        let wanted = track.next(&rule);
        for (place, seeds) in &wanted {
            let outcomes = &mut track.probes.entry(*place).or_default().outcomes;
            outcomes.resize(*seeds as usize, None);
        }
        if wanted.is_empty() {
            let found = boundaries(&track, &rule);
            assert!(found.iter().all(|found| found.at.is_none() && found.low.is_none()));
            assert!(found.iter().all(|found| found.reached == Reached::Unclear));
            return;
        }
    }
    panic!("it never ends");
}
