//! The queue against the obvious one, at every scale.

use super::*;
use crate::kernel::draw::{Draws, Purpose};
use std::collections::BTreeMap;

/// The obvious queue: a map from (time, order of scheduling).
#[derive(Default)]
struct Reference {
    events: BTreeMap<(u64, u64), u64>,
    scheduled: u64,
}

impl Reference {
    fn schedule(&mut self, at: u64, event: u64) -> (u64, u64) {
        self.scheduled += 1;
        self.events.insert((at, self.scheduled), event);
        (at, self.scheduled)
    }
}

/// Random scheduling, cancelling and popping, with pending counts up to `pending`, gaps of
/// up to `gap` ns, and many ties when `gap` is small.
fn compare(seed: u64, pending: usize, gap: u64, steps: u64) {
    let mut draws = Draws::new(seed);
    let mut queue = EventQueue::new();
    let mut reference = Reference::default();
    let mut timers = Vec::new();
    let mut now = 0;
    for step in 0..steps {
        let draw = draws.draw(Purpose::Fault, 0, step, 0);
        let choice = draws.draw(Purpose::Fault, 1, step, 0).below(100);
        if choice < 45 || (queue.len() < pending && choice < 80) {
            let far = if draw.below(16) == 0 { gap.saturating_mul(1000) } else { gap };
            let at = now + draw.below(far);
            if draw.0.is_multiple_of(2) {
                queue.schedule(Time(at), step);
                reference.schedule(at, step);
            } else {
                let timer = queue.schedule_timer(Time(at), step);
                timers.push((timer, reference.schedule(at, step)));
            }
        } else if choice < 70 && !timers.is_empty() {
            let (timer, key) = timers.swap_remove(draw.below(timers.len() as u64) as usize);
            let was_pending = reference.events.remove(&key).is_some();
            assert_eq!(queue.cancel(timer), was_pending);
        } else {
            let expected = reference.events.pop_first().map(|((at, _), event)| (at, event));
            let popped = queue.pop(Time::NEVER).map(|(at, event)| (at.0, event));
            assert_eq!(popped, expected, "seed {seed} step {step}");
            now = expected.map_or(now, |(at, _)| at);
        }
        assert_eq!(queue.len(), reference.events.len());
    }
    while let Some((at, event)) = queue.pop(Time::NEVER) {
        let ((expected_at, _), expected) = reference.events.pop_first().unwrap();
        assert_eq!((at.0, event), (expected_at, expected));
    }
    assert!(reference.events.is_empty());
}

#[test]
fn equals_a_sorted_map_at_every_scale() {
    for (seed, (pending, gap)) in
        [(1, 1), (10, 5), (40, 1_000), (500, 3), (500, 1 << 40), (20_000, 1 << 22)]
            .into_iter()
            .enumerate()
    {
        compare(seed as u64, pending, gap, 60_000);
    }
}

#[test]
fn keeps_order_with_a_million_pending() {
    compare(99, 1_000_000, 1_000_000_000, 3_000_000);
}

/// Events that all fall into one tick, `gap` ns apart, and as many again that are scheduled
/// for the present one while they are popped; some are cancelled. Returns how many events made
/// room for another, per event.
fn crowd(count: u64, gap: u64) -> f64 {
    let mut queue = EventQueue::new();
    let mut reference = Reference::default();
    let mut timers = Vec::new();
    let start = 5 << TICK_BITS;
    queue.schedule(Time(start), 0);
    queue.pop(Time::NEVER);
    let at = |event: u64| start + (event * gap) % (1 << TICK_BITS);
    for event in 0..count {
        let timer = queue.schedule_timer(Time(at(event)), event);
        let key = reference.schedule(at(event), event);
        if event % 7 == 0 {
            timers.push((timer, key));
        }
    }
    let mut pops = 0;
    while let Some((now, event)) = queue.pop(Time::NEVER) {
        let ((expected_at, _), expected) = reference.events.pop_first().unwrap();
        assert_eq!((now.0, event), (expected_at, expected), "{count} events, {gap} ns apart");
        pops += 1;
        if pops <= count {
            queue.schedule(now, count + pops);
            reference.schedule(now.0, count + pops);
        }
        if pops % 5 == 0
            && let Some((timer, key)) = timers.pop()
        {
            assert_eq!(queue.cancel(timer), reference.events.remove(&key).is_some());
        }
    }
    assert!(reference.events.is_empty());
    queue.moved as f64 / pops as f64
}

#[test]
fn a_crowd_in_one_instant_or_tick_costs_each_event_the_same() {
    for gap in [0, 1, 7, 100_003] {
        for count in [1_000, 10_000, 100_000] {
            let moved = crowd(count, gap);
            assert!(moved <= MOVED_MAX as f64, "{moved} moved by each of {count}, {gap} ns");
        }
    }
    assert!(crowd(1_000_000, 0) <= MOVED_MAX as f64);
}

#[test]
fn cancelled_timers_do_not_accumulate() {
    let mut queue = EventQueue::new();
    for step in 0..1_000_000_u64 {
        let timer = queue.schedule_timer(Time(step + 3_600_000_000_000), step);
        assert!(queue.cancel(timer));
        assert!(!queue.cancel(timer));
    }
    assert_eq!(queue.len(), 0);
    assert!(queue.run.len() + queue.beside.len() + queue.bucketed <= 2 * SWEEP_MIN);
    assert!(queue.generations.len() <= 2);
}

#[test]
fn stops_at_the_horizon_and_goes_on() {
    let mut queue = EventQueue::new();
    for at in [5, 10, 1 << 50] {
        queue.schedule(Time(at), at);
    }
    assert_eq!(queue.pop(Time(9)), Some((Time(5), 5)));
    assert_eq!(queue.pop(Time(9)), None);
    assert_eq!(queue.len(), 2);
    assert_eq!(queue.pop(Time(10)), Some((Time(10), 10)));
    assert_eq!(queue.pop(Time::NEVER), Some((Time(1 << 50), 1 << 50)));
}

#[test]
fn the_last_nanosecond_is_a_time_like_any_other() {
    let mut queue = EventQueue::new();
    for order in 0..100_u64 {
        queue.schedule(Time(u64::MAX), order);
        queue.schedule(Time(order), order);
    }
    let popped: Vec<u64> =
        std::iter::from_fn(|| queue.pop(Time::NEVER)).map(|(_, event)| event).collect();
    let expected: Vec<u64> = (0..100).chain(0..100).collect();
    assert_eq!(popped, expected);
}
