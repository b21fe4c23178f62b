//! W1, M/M/1: one server at 80% load, a line without a limit, nobody gives up.

use std::collections::VecDeque;

use crate::heap::Events;
use crate::source::Source;

const GAP: f64 = 1e9 / 0.8;
const SERVICE: f64 = 1e9;

#[derive(Clone, Copy)]
enum Event {
    Arrive,
    Done,
}

/// The mean time in the system of so many customers, in seconds.
pub(crate) fn run(customers: u64, seed: u64) -> f64 {
    let (mut arrivals, mut service) = (Source::new(seed, 1), Source::new(seed, 2));
    let mut events = Events::new();
    let mut there: VecDeque<u64> = VecDeque::new();
    let (mut arrived, mut total) = (0, 0_u128);
    events.push(arrivals.span(GAP), Event::Arrive);
    while let Some((now, event)) = events.pop() {
        match event {
            Event::Arrive => {
                arrived += 1;
                if arrived < customers {
                    events.push(now + arrivals.span(GAP), Event::Arrive);
                }
                there.push_back(now);
                if there.len() == 1 {
                    events.push(now + service.span(SERVICE), Event::Done);
                }
            }
            Event::Done => {
                let since = there.pop_front().expect("who is served is there");
                total += u128::from(now - since);
                if !there.is_empty() {
                    events.push(now + service.span(SERVICE), Event::Done);
                }
            }
        }
    }
    total as f64 / customers as f64 / 1e9
}
