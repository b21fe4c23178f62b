//! A waiting line: jobs in the order in which they will be served.

use std::collections::{BTreeMap, VecDeque};

use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::model::program::Order;

/// A job that waits for a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) job: Handle,
    /// Since when it waits.
    pub(super) since: Time,
    /// When its caller stops waiting.
    pub(super) deadline: Time,
    /// When it has waited too long for this line.
    pub(super) until: Time,
}

/// Who waits.
#[derive(Debug)]
pub(super) enum Line {
    /// In the order of arrival.
    Arrived(VecDeque<Waiting>),
    /// By rank, smallest first; equal ones in the order of arrival.
    Ranked {
        waiting: BTreeMap<(u64, u64), Waiting>,
        /// How many have come so far.
        arrivals: u64,
    },
}

impl Line {
    pub(super) fn new(order: Order) -> Line {
        match order {
            Order::Fifo | Order::Lifo | Order::AdaptiveLifo { .. } => {
                Line::Arrived(VecDeque::new())
            }
            Order::Deadline | Order::Priority => {
                Line::Ranked { waiting: BTreeMap::new(), arrivals: 0 }
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Line::Arrived(waiting) => waiting.len(),
            Line::Ranked { waiting, .. } => waiting.len(),
        }
    }

    /// Adds somebody; lines in the order of arrival look at no rank.
    pub(super) fn push(&mut self, rank: u64, new: Waiting) {
        match self {
            Line::Arrived(waiting) => waiting.push_back(new),
            Line::Ranked { waiting, arrivals } => {
                waiting.insert((rank, *arrivals), new);
                *arrivals += 1;
            }
        }
    }

    /// Takes the one whose turn it is.
    pub(super) fn pop(&mut self, order: Order) -> Option<Waiting> {
        match self {
            Line::Ranked { waiting, .. } => waiting.pop_first().map(|(_, first)| first),
            Line::Arrived(waiting) => match order {
                Order::Lifo => waiting.pop_back(),
                Order::AdaptiveLifo { backlog } if waiting.len() > backlog as usize => {
                    waiting.pop_back()
                }
                _ => waiting.pop_front(),
            },
        }
    }

    /// Takes a job out of the line, wherever it stands; says whether it was there.
    pub(super) fn remove(&mut self, job: Handle) -> bool {
        let before = self.len();
        match self {
            Line::Arrived(waiting) => waiting.retain(|one| one.job != job),
            Line::Ranked { waiting, .. } => waiting.retain(|_, one| one.job != job),
        }
        self.len() < before
    }

    /// Takes the one who came first if it has waited too long.
    pub(super) fn pop_overdue(&mut self, now: Time) -> Option<Waiting> {
        match self {
            Line::Arrived(waiting) => {
                let is_overdue = waiting.front().is_some_and(|first| first.until <= now);
                is_overdue.then(|| waiting.pop_front()).flatten()
            }
            Line::Ranked { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The deadlines of those who are served, in the order of service.
    fn served(order: Order, ranks: &[u64]) -> Vec<u64> {
        let mut line = Line::new(order);
        for (arrival, &rank) in ranks.iter().enumerate() {
            let at = Time(arrival as u64);
            let new = Waiting { job: Handle::NONE, since: at, deadline: at, until: Time::NEVER };
            line.push(rank, new);
        }
        std::iter::from_fn(|| line.pop(order)).map(|waiting| waiting.since.0).collect()
    }

    #[test]
    fn lines_serve_in_their_order_and_equals_by_arrival() {
        let ranks = [2, 1, 2, 0, 1];
        assert_eq!(served(Order::Fifo, &ranks), [0, 1, 2, 3, 4]);
        assert_eq!(served(Order::Lifo, &ranks), [4, 3, 2, 1, 0]);
        assert_eq!(served(Order::AdaptiveLifo { backlog: 2 }, &ranks), [4, 3, 2, 0, 1]);
        assert_eq!(served(Order::Deadline, &ranks), [3, 1, 4, 0, 2]);
        assert_eq!(served(Order::Priority, &ranks), [3, 1, 4, 0, 2]);
    }
}
