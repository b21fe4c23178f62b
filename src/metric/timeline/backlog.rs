//! How many messages waited at the end of each window, and for how long the oldest of them had.

use super::Counts;
use crate::kernel::time::{Span, Time};

/// Messages and outbox events that were due and not done with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Backlog {
    /// How many, at the end of each window.
    pub waiting: Counts,
    /// How long the oldest of them had been due then; zero where nothing waited.
    pub oldest: Vec<Span>,
}

impl Backlog {
    /// The backlog of messages that waited over these spans of time: a message waits at the end of
    /// a window if it was due by then and was not done with.
    pub(super) fn new(window: Span, mut spans: Vec<(Time, Time)>) -> Backlog {
        spans.sort_unstable();
        let ends = spans.iter().flat_map(|&(since, until)| [Some(since), is_known(until)]);
        let last = ends.flatten().max().map_or(0, |at| at.0 / window.0 + 1);
        let mut backlog = Backlog::default();
        let (mut due, mut done, mut oldest) = (0, 0, 0);
        let mut untils: Vec<Time> = spans.iter().map(|&(_, until)| until).collect();
        untils.sort_unstable();
        for index in 1..=last {
            let end = Time(index * window.0);
            while due < spans.len() && spans[due].0 <= end {
                due += 1;
            }
            while done < untils.len() && untils[done] <= end {
                done += 1;
            }
            // What is done with stays so, and those before it in the order of time are no younger.
            while oldest < due && spans[oldest].1 <= end {
                oldest += 1;
            }
            backlog.waiting.push((due - done) as u64);
            let age = if oldest < due { end.since(spans[oldest].0) } else { Span::ZERO };
            backlog.oldest.push(age);
        }
        backlog
    }
}

fn is_known(until: Time) -> Option<Time> {
    Some(until).filter(|&until| until < Time::NEVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(tenths: u64) -> Time {
        Time::ZERO + Span::from_millis(tenths * 100)
    }

    #[test]
    fn what_is_due_and_not_done_with_waits_and_the_oldest_of_it_has_an_age() {
        let spans = vec![(at(5), at(35)), (at(7), at(8)), (at(12), Time::NEVER), (at(21), at(22))];
        let backlog = Backlog::new(Span::from_secs(1), spans);
        assert_eq!(backlog.waiting, [1, 2, 2, 1]);
        let oldest: Vec<f64> = backlog.oldest.iter().map(|age| age.seconds()).collect();
        assert_eq!(oldest, [0.5, 1.5, 2.5, 2.8]);
        assert_eq!(Backlog::new(Span::from_secs(1), Vec::new()), Backlog::default());
    }
}
