//! Users: they arrive, and go through their flow.

use super::fact::{Fact, Observer};
use super::job::Subject;
use super::{Event, Local, World};
use crate::kernel::draw::{Purpose, key_of};
use crate::kernel::sample::unit_exponential;
use crate::kernel::time::{Span, Time};
use crate::model::program::{Arrivals, Kind, NodeId};

/// What clients keep.
#[derive(Debug, Default)]
pub(super) struct Clients {
    /// How many users have arrived.
    arrived: u64,
    /// Other rates than the model's, if it is not empty.
    pub(super) rates: Vec<(Time, f64)>,
}

impl<O: Observer> World<'_, O> {
    pub(super) fn clients(&mut self, node: NodeId) -> &mut Clients {
        match &mut self.locals[node.0 as usize] {
            Local::Clients(clients) => clients,
            other => unreachable!("users arrive at clients, not at {other:?}"),
        }
    }

    /// A user arrives and starts its flow.
    pub(super) fn arrive(&mut self, node: NodeId) {
        let description = self.program.node(node);
        let Kind::Clients(clients) = &description.kind else { return };
        let site = description.id;
        let index = self.clients(node).arrived;
        let order = self.orders;
        self.orders += 1;
        self.clients(node).arrived += 1;
        let key = if clients.keys.is_empty() {
            0
        } else {
            let draw = self.draws.draw(Purpose::Key, site, index, 0);
            let last = clients.keys.len() - 1;
            clients.keys.partition_point(|&end| end < draw.0).min(last) as u64
        };
        let process = if clients.processes == 1 {
            0
        } else {
            let draw = self.draws.draw(Purpose::Process, site, index, 0);
            draw.below(u64::from(clients.processes)) as u32
        };
        let subject = Subject { order, key, request: 0, since: self.now };
        if self.is_down(node, process) {
            self.tell(Fact::TurnedAway { clients: node });
        } else {
            self.start_own(clients.flow, key_of(u64::from(site), index), process, subject);
        }
        self.schedule_arrival(node);
    }

    /// Schedules the next arrival, unless it would be after the last time of arrivals.
    pub(super) fn schedule_arrival(&mut self, node: NodeId) {
        let description = self.program.node(node);
        let Kind::Clients(clients) = &description.kind else { return };
        let index = self.clients(node).arrived;
        let at = match &clients.arrivals {
            Arrivals::Constant(gap) => self.now + *gap,
            Arrivals::Trace(times) => times.get(index as usize).copied().unwrap_or(Time::NEVER),
            Arrivals::Poisson(rates) => {
                let draw = self.draws.draw(Purpose::Arrival, description.id, index, 0);
                let now = self.now;
                let own = &self.clients(node).rates;
                let rates = if own.is_empty() { rates } else { own };
                next_arrival(rates, now, unit_exponential(draw))
            }
        };
        if at < self.arrivals_end {
            self.events.schedule(at, Event::Arrive(node));
        }
    }
}

/// The time at which the integral of the rate since `now` reaches `area`.
fn next_arrival(rates: &[(Time, f64)], now: Time, mut area: f64) -> Time {
    let mut segment = rates.partition_point(|&(from, _)| from <= now).saturating_sub(1);
    let mut at = now;
    loop {
        let rate = rates[segment].1;
        let end = rates.get(segment + 1).map_or(Time::NEVER, |&(from, _)| from);
        if rate > 0.0 {
            let reached = at + Span::from_secs_f64(area / rate);
            if reached < end {
                return reached;
            }
            area -= rate * end.since(at).seconds();
        }
        if end == Time::NEVER {
            return Time::NEVER;
        }
        (segment, at) = (segment + 1, end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_follow_a_rate_that_changes() {
        let second = |at: u64| Time(at * 1_000_000_000);
        let rates = [(Time::ZERO, 2.0), (second(10), 0.0), (second(20), 4.0)];
        let at = |now, area| next_arrival(&rates, now, area).seconds();
        assert_eq!(at(Time::ZERO, 1.0), 0.5);
        assert_eq!(at(second(9), 3.0), 20.25);
        assert_eq!(at(second(15), 4.0), 21.0);
        assert_eq!(next_arrival(&[(Time::ZERO, 0.0)], Time::ZERO, 1.0), Time::NEVER);
    }
}
