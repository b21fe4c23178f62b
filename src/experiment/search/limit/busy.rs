//! How busy each node was: the share of the time for which its workers were taken, as measured.

use crate::experiment::plan::cell::Cell;
use crate::experiment::run::case::Case;
use crate::experiment::run::run_case;
use crate::kernel::time::{Span, Time};
use crate::model::program::{NodeId, Program};
use crate::system::Observer;
use crate::system::fact::Fact;

/// A node and the share of the time of its workers that was taken; the busiest is full first.
#[derive(Clone, Debug, PartialEq)]
pub struct Busy {
    /// The node's name.
    pub node: String,
    /// The share, from the end of the warm-up to the last arrival.
    pub share: f64,
}

/// The nodes with a limit of workers in a run of a cell under a seed, the busiest first.
#[must_use]
pub fn busy(cell: &Cell, index: usize, seed: u64) -> Vec<Busy> {
    let (case, _) = Case::of(cell, seed);
    let from = cell.measure.warm_up;
    let mut taken = Taken::new(&cell.program, from, cell.measure.arrivals_end);
    drop(run_case(cell, index, &case, &mut taken));
    taken.busy()
}

/// The observer that counts for how long workers were taken.
struct Taken<'p> {
    program: &'p Program,
    from: Time,
    until: Time,
    /// By requests, from when a worker took one up until it left, its calls included.
    held: Vec<u64>,
    /// By work alone, which is all that is told of messages.
    worked: Vec<u64>,
}

impl<'p> Taken<'p> {
    fn new(program: &'p Program, from: Time, until: Time) -> Taken<'p> {
        let none = vec![0; program.nodes.len()];
        Taken { program, from, until, held: none.clone(), worked: none }
    }

    fn busy(&self) -> Vec<Busy> {
        let time = self.until.since(self.from).0 as f64;
        let share = |(index, node): (usize, &crate::model::program::Node)| {
            let station = &node.station;
            if station.workers == u32::MAX || time == 0.0 {
                return None;
            }
            let there = f64::from(station.workers) * f64::from(station.instances) * time;
            let taken = self.held[index].max(self.worked[index]) as f64;
            (taken > 0.0).then(|| Busy { node: node.name.clone(), share: taken / there })
        };
        let mut all: Vec<Busy> = self.program.nodes.iter().enumerate().filter_map(share).collect();
        all.sort_by(|a, b| b.share.total_cmp(&a.share));
        all
    }

    /// Counts a span of time that ends now, as far as it is measured.
    fn overlap(&self, span: Span, now: Time) -> u64 {
        let (begun, end) = (Time(now.0.saturating_sub(span.0)), now.min(self.until));
        end.0.saturating_sub(begun.max(self.from).0)
    }
}

impl Observer for Taken<'_> {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let place = |node: NodeId| node.0 as usize;
        match *fact {
            Fact::Left(stay) | Fact::Staying(stay) => {
                let Some(begun) = stay.begun else { return };
                let node = self.program.edge(stay.edge).target;
                self.held[place(node)] += self.overlap(now.since(begun), now);
            }
            Fact::Worked(work) | Fact::Working(work) => {
                self.worked[place(work.node)] += self.overlap(work.span, now);
            }
            _ => {}
        }
    }
}
