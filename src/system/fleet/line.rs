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
#[derive(Clone, Debug)]
pub(super) enum Line {
    /// In the order of arrival; nobody leaves but whose turn it is.
    Arrived(VecDeque<Waiting>),
    /// By rank, smallest first; equal ones in the order of arrival.
    Ranked(Ranked),
}

/// A line from which anybody may be taken in the time that it takes to find one of many.
#[derive(Clone, Debug)]
pub(super) struct Ranked {
    waiting: BTreeMap<(u64, u64), Waiting>,
    /// How many have come so far.
    arrivals: u64,
    /// Where each job stands, if jobs may leave before it is their turn.
    places: Option<BTreeMap<Handle, (u64, u64)>>,
}

impl Line {
    /// An empty line; `may_leave` says whether jobs leave before it is their turn.
    pub(super) fn new(order: Order, may_leave: bool) -> Line {
        if is_by_arrival(order) && !may_leave {
            return Line::Arrived(VecDeque::new());
        }
        let places = may_leave.then(BTreeMap::new);
        Line::Ranked(Ranked { waiting: BTreeMap::new(), arrivals: 0, places })
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        match self {
            Line::Arrived(waiting) => waiting.len(),
            Line::Ranked(ranked) => ranked.waiting.len(),
        }
    }

    /// Adds somebody; in lines by arrival all have one rank.
    #[inline]
    pub(super) fn push(&mut self, rank: u64, new: Waiting) {
        match self {
            Line::Arrived(waiting) => waiting.push_back(new),
            Line::Ranked(ranked) => {
                let place = (rank, ranked.arrivals);
                ranked.arrivals += 1;
                ranked.waiting.insert(place, new);
                if let Some(places) = &mut ranked.places {
                    places.insert(new.job, place);
                }
            }
        }
    }

    /// Takes the one whose turn it is.
    #[inline]
    pub(super) fn pop(&mut self, order: Order) -> Option<Waiting> {
        let takes_last = match order {
            Order::Lifo => true,
            Order::AdaptiveLifo { backlog } => self.len() > backlog as usize,
            Order::Fifo | Order::Deadline | Order::Priority => false,
        };
        match self {
            Line::Arrived(waiting) if takes_last => waiting.pop_back(),
            Line::Arrived(waiting) => waiting.pop_front(),
            Line::Ranked(ranked) => ranked.pop(takes_last),
        }
    }

    /// Takes a job out of the line, wherever it stands; says whether it was there.
    pub(super) fn remove(&mut self, job: Handle) -> bool {
        let Line::Ranked(ranked) = self else { return false };
        let place = ranked.places.as_mut().and_then(|places| places.remove(&job));
        place.is_some_and(|place| ranked.waiting.remove(&place).is_some())
    }

    /// Takes the one who came first if it has waited too long; in lines that are not by arrival
    /// nobody looks for that one.
    pub(super) fn pop_overdue(&mut self, order: Order, now: Time) -> Option<Waiting> {
        if !is_by_arrival(order) {
            return None;
        }
        let first = match self {
            Line::Arrived(waiting) => waiting.front(),
            Line::Ranked(ranked) => ranked.waiting.values().next(),
        };
        if first.is_none_or(|first| first.until > now) {
            return None;
        }
        match self {
            Line::Arrived(waiting) => waiting.pop_front(),
            Line::Ranked(ranked) => ranked.pop(false),
        }
    }
}

impl Ranked {
    /// Takes the last or the first.
    fn pop(&mut self, last: bool) -> Option<Waiting> {
        let (_, next) = match last {
            true => self.waiting.pop_last()?,
            false => self.waiting.pop_first()?,
        };
        if let Some(places) = &mut self.places {
            places.remove(&next.job);
        }
        Some(next)
    }
}

/// Whether a line is in the order of arrival, from either end.
fn is_by_arrival(order: Order) -> bool {
    matches!(order, Order::Fifo | Order::Lifo | Order::AdaptiveLifo { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::slab::Slab;

    /// One who comes at this time.
    fn arrival(job: Handle, at: u64) -> Waiting {
        Waiting { job, since: Time(at), deadline: Time(at), until: Time(at + 10) }
    }

    /// When those came who are served, in the order of service.
    fn served(order: Order, may_leave: bool, ranks: &[u64]) -> Vec<u64> {
        let (mut line, mut jobs) = (Line::new(order, may_leave), Slab::default());
        for (at, &rank) in ranks.iter().enumerate() {
            line.push(rank, arrival(jobs.insert(()), at as u64));
        }
        std::iter::from_fn(|| line.pop(order)).map(|waiting| waiting.since.0).collect()
    }

    #[test]
    fn lines_serve_in_their_order_and_equals_by_arrival() {
        let (ranks, equal) = ([2, 1, 2, 0, 1], [0; 5]);
        for may_leave in [false, true] {
            let served = |order, ranks: &[u64]| served(order, may_leave, ranks);
            assert_eq!(served(Order::Fifo, &equal), [0, 1, 2, 3, 4]);
            assert_eq!(served(Order::Lifo, &equal), [4, 3, 2, 1, 0]);
            assert_eq!(served(Order::AdaptiveLifo { backlog: 2 }, &equal), [4, 3, 2, 0, 1]);
            assert_eq!(served(Order::Deadline, &ranks), [3, 1, 4, 0, 2]);
            assert_eq!(served(Order::Priority, &ranks), [3, 1, 4, 0, 2]);
        }
    }

    #[test]
    fn who_leaves_is_not_served_and_the_others_keep_their_order() {
        for (order, expected) in [(Order::Fifo, [1, 3, 4]), (Order::Lifo, [4, 3, 1])] {
            let (mut line, mut jobs) = (Line::new(order, true), Slab::default());
            let handles: Vec<Handle> = (0..5).map(|_| jobs.insert(())).collect();
            for (at, &job) in handles.iter().enumerate() {
                line.push(0, arrival(job, at as u64));
            }
            assert!(line.remove(handles[0]) && line.remove(handles[2]));
            assert!(!line.remove(handles[0]), "it has left");
            assert_eq!(line.len(), 3);
            let rest = std::iter::from_fn(|| line.pop(order)).map(|waiting| waiting.since.0);
            assert_eq!(rest.collect::<Vec<u64>>(), expected);
            assert!(!line.remove(handles[1]), "it was served");
        }
    }

    #[test]
    fn the_overdue_are_those_who_came_first_whoever_is_served_next() {
        for may_leave in [false, true] {
            for order in [Order::Fifo, Order::Lifo] {
                let (mut line, mut jobs) = (Line::new(order, may_leave), Slab::default());
                for at in 0..3 {
                    line.push(0, arrival(jobs.insert(()), at));
                }
                let overdue = std::iter::from_fn(|| line.pop_overdue(order, Time(11)));
                assert_eq!(overdue.map(|one| one.since.0).collect::<Vec<u64>>(), [0, 1]);
                assert_eq!(line.len(), 1);
            }
        }
    }

    /// With a look at the whole line for each who leaves, this would take hours.
    #[test]
    fn a_million_leave_a_line_one_after_the_other() {
        for order in [Order::Fifo, Order::Lifo, Order::Priority] {
            let (mut line, mut jobs) = (Line::new(order, true), Slab::default());
            let handles: Vec<Handle> = (0..1_000_000).map(|_| jobs.insert(())).collect();
            for (at, &job) in handles.iter().enumerate() {
                line.push(0, arrival(job, at as u64));
            }
            assert!(handles.iter().rev().step_by(2).all(|&job| line.remove(job)));
            assert!(handles.iter().step_by(2).all(|&job| line.remove(job)));
            assert_eq!(line.len(), 0);
        }
    }
}
