//! When the next user of a Poisson process arrives whose rate changes.
//!
//! By inversion: the integral of the rate from one user to the next is exponential with mean 1.
//! Nothing is thinned, so that each user costs one draw whatever the rates are.

use crate::kernel::draw::{Draws, Purpose};
use crate::kernel::sample::unit_exponential;
use crate::kernel::time::{Span, Time};
use crate::model::program::{Bursts, Rates, Spike};

/// A rate that changes by the same amount each second, until it changes otherwise.
#[derive(Clone, Copy, Debug)]
pub(in crate::system) struct Stretch {
    rate: f64,
    slope: f64,
    until: Time,
}

/// Which state a process with two states is in.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::system) struct State {
    /// How many states there were before this one.
    changes: u64,
    is_burst: bool,
    /// Until when; zero before the first one.
    until: Time,
}

/// The time at which the integral of the rate since `now` reaches `area`, if it is before `end`.
///
/// A spike wins over the rate `otherwise`, and a later one in the list over those before it.
pub(in crate::system) fn next_arrival(
    mut otherwise: impl FnMut(Time) -> Stretch,
    spikes: &[Spike],
    now: Time,
    end: Time,
    mut area: f64,
) -> Time {
    let mut at = now;
    while at < end {
        let spike = spikes.iter().rposition(|spike| spike.from <= at && at < spike.until);
        let (mut stretch, rivals) = match spike {
            Some(index) => {
                let Spike { rate, until, .. } = spikes[index];
                (Stretch { rate, slope: 0.0, until }, &spikes[index + 1..])
            }
            None => (otherwise(at), spikes),
        };
        for rival in rivals.iter().filter(|rival| rival.from > at) {
            stretch.until = stretch.until.min(rival.from);
        }
        if let Some(seconds) = stretch.reach(area) {
            let reached = at + Span::from_secs_f64(seconds);
            if reached < stretch.until {
                return reached;
            }
        }
        area = (area - stretch.area(at)).max(0.0);
        at = stretch.until;
    }
    Time::NEVER
}

impl Stretch {
    /// After how many seconds the integral of the rate is so large, if this ever is.
    fn reach(&self, area: f64) -> Option<f64> {
        if self.slope == 0.0 {
            return (self.rate > 0.0).then(|| area / self.rate);
        }
        // The smaller root of slope / 2 x^2 + rate x = area, in the form that does not cancel.
        let square = self.rate * self.rate + 2.0 * self.slope * area;
        let bottom = self.rate + square.max(0.0).sqrt();
        if bottom == 0.0 {
            // Nothing is asked for, where the rate begins to rise from zero.
            return (self.slope > 0.0).then_some(0.0);
        }
        (square >= 0.0).then(|| 2.0 * area / bottom)
    }

    /// The integral of the rate from a time to the end.
    fn area(&self, from: Time) -> f64 {
        let seconds = self.until.since(from).seconds();
        (self.rate + self.slope * seconds / 2.0) * seconds
    }
}

/// The rate at a time.
pub(in crate::system) fn stretch_of(rates: &Rates, at: Time) -> Stretch {
    let phase = match rates.period {
        Some(period) => Time(at.0.saturating_add(rates.start.0) % period.0),
        None => at,
    };
    let index = rates.pieces.partition_point(|piece| piece.from <= phase).saturating_sub(1);
    let piece = &rates.pieces[index];
    let end = match rates.pieces.get(index + 1) {
        Some(next) => next.from,
        None => rates.period.map_or(Time::NEVER, |period| Time(period.0)),
    };
    let rate = match piece.slope {
        0.0 => piece.rate,
        slope => (piece.rate + slope * phase.since(piece.from).seconds()).max(0.0),
    };
    Stretch { rate, slope: piece.slope, until: at + end.since(phase) }
}

/// The rate at a time of a process with two states, which has come so far.
///
/// It starts in either state in proportion to the time that it spends in it. Every state has a draw
/// of its own, so that the states do not depend on who arrives.
pub(in crate::system) fn stretch_of_bursts(
    bursts: &Bursts,
    state: &mut State,
    draws: &mut Draws,
    site: u32,
    at: Time,
) -> Stretch {
    if state.until == Time::ZERO {
        let [calm, burst] = bursts.means.map(Span::seconds);
        let first = draws.draw(Purpose::Burst, site, 0, 1);
        state.is_burst = first.unit() < burst / (calm + burst);
        state.last(bursts, draws, site);
    }
    while state.until <= at {
        state.changes += 1;
        state.is_burst = !state.is_burst;
        state.last(bursts, draws, site);
    }
    let rate = bursts.rates[usize::from(state.is_burst)];
    Stretch { rate, slope: 0.0, until: state.until }
}

impl State {
    /// Lets the state last, from when the one before it ended.
    fn last(&mut self, bursts: &Bursts, draws: &mut Draws, site: u32) {
        let draw = draws.draw(Purpose::Burst, site, self.changes, 0);
        let span = bursts.means[usize::from(self.is_burst)].scaled(unit_exponential(draw));
        self.until = self.until + span.max(Span(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::program::Piece;

    fn second(at: f64) -> Time {
        Time::ZERO + Span::from_secs_f64(at)
    }

    fn rates(pieces: &[(f64, f64, f64)]) -> Rates {
        let piece =
            |&(from, rate, slope): &(f64, f64, f64)| Piece { from: second(from), rate, slope };
        Rates { pieces: pieces.iter().map(piece).collect(), period: None, start: Span::ZERO }
    }

    fn next(rates: &Rates, spikes: &[Spike], now: f64, area: f64) -> f64 {
        let otherwise = |at| stretch_of(rates, at);
        next_arrival(otherwise, spikes, second(now), Time::NEVER, area).seconds()
    }

    #[test]
    fn arrivals_follow_a_rate_that_changes() {
        let rates = rates(&[(0.0, 2.0, 0.0), (10.0, 0.0, 0.0), (20.0, 4.0, 0.0)]);
        assert_eq!(next(&rates, &[], 0.0, 1.0), 0.5);
        assert_eq!(next(&rates, &[], 9.0, 3.0), 20.25);
        assert_eq!(next(&rates, &[], 15.0, 4.0), 21.0);
        let otherwise = |at| stretch_of(&rates, at);
        assert_eq!(next_arrival(otherwise, &[], second(10.0), second(20.0), 1.0), Time::NEVER);
    }

    #[test]
    fn a_ramp_is_inverted_exactly() {
        // From 0 to 100 a second in 10 seconds, and down again: t seconds have 5 t^2 users.
        let rates = rates(&[(0.0, 0.0, 10.0), (10.0, 100.0, -10.0), (20.0, 0.0, 0.0)]);
        assert_eq!(next(&rates, &[], 0.0, 0.0), 0.0);
        assert_eq!(next(&rates, &[], 0.0, 20.0), 2.0);
        assert_eq!(next(&rates, &[], 2.0, 25.0), 3.0);
        assert_eq!(next(&rates, &[], 0.0, 980.0), 18.0);
        assert_eq!(next(&rates, &[], 0.0, 1_001.0), Time::NEVER.seconds());
    }

    #[test]
    fn a_period_comes_round() {
        let mut rates = rates(&[(0.0, 1.0, 0.0), (5.0, 3.0, 0.0)]);
        rates.period = Some(Span::from_secs(10));
        assert_eq!(next(&rates, &[], 0.0, 2.0 * 20.0 + 6.5), 25.5);
        rates.start = Span::from_secs(5);
        assert_eq!(next(&rates, &[], 0.0, 16.0), 6.0);
    }

    #[test]
    fn a_spike_leaves_the_rates_around_it_alone() {
        let rates = rates(&[(0.0, 1.0, 0.0), (10.0, 2.0, 0.0), (20.0, 3.0, 0.0)]);
        let spike = |from, until, rate| Spike { from: second(from), until: second(until), rate };
        let at = |spikes: &[Spike], area| next(&rates, spikes, 0.0, area);
        let one = [spike(5.0, 15.0, 9.0)];
        assert_eq!(at(&one, 4.0), 4.0);
        assert_eq!(at(&one, 5.0 + 9.0), 6.0);
        assert_eq!(at(&one, 5.0 + 90.0 + 2.0), 16.0);
        assert_eq!(at(&one, 5.0 + 90.0 + 10.0 + 3.0), 21.0);
        let two = [one[0], spike(6.0, 7.0, 0.0)];
        assert_eq!(at(&two, 5.0 + 9.0 + 18.0), 9.0);
    }
}
