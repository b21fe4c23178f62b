//! Outlier ejection: hosts that fail are left out of the balancing for a while, and panic: when too
//! few are left, all get traffic again.
//!
//! envoyproxy/envoy `source/common/upstream/outlier_detection_impl.cc`; gRFC A50.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outcome::{Errors, Outcome, OutcomeSet};
use crate::kernel::quantity::{AsShare, Lasting, Number};
use crate::kernel::time::{Span, Time};

/// The rule of ejection; the defaults are those of Envoy without its sweeps.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Outlier {
    /// What is a failure; `failed`, `rejected` and `timed_out` by default.
    #[serde(with = "Errors")]
    pub failures: OutcomeSet,
    /// So many failures in a row eject at once; 0 is never; 5 by default.
    pub consecutive: u32,
    /// An instance is ejected whose success rate is so many standard deviations below the mean;
    /// none is by default.
    #[serde(skip_serializing_if = "Option::is_none", with = "Number::<0, 1000>")]
    pub deviations: Option<f64>,
    /// With fewer instances of enough calls than this no deviation is judged; 5 by default.
    pub deviation_hosts: u32,
    /// The calls in an interval that are enough; 100 by default.
    pub deviation_calls: u32,
    /// An instance is ejected that fails in this share of its calls; none is by default.
    #[serde(skip_serializing_if = "Option::is_none", with = "AsShare")]
    pub failure_ratio: Option<f64>,
    /// With fewer instances of enough calls than this no share is judged; 5 by default.
    pub ratio_hosts: u32,
    /// The calls in an interval that are enough; 50 by default.
    pub ratio_calls: u32,
    /// How often instances are judged and come back; 10s by default.
    #[serde(with = "Lasting")]
    pub interval: Span,
    /// How long a first ejection lasts; the n-th lasts n times as long; 30s by default.
    pub base_ejection_time: Span,
    /// The longest ejection; 5min by default.
    pub max_ejection_time: Span,
    /// The largest share of the instances that may be ejected; 10 % by default.
    #[serde(with = "AsShare")]
    pub max_ejected: f64,
    /// Whether that share counts the instance that is about to go (Envoy since 1.31); true by
    /// default: then fewer than ten instances at 10 % never lose one.
    pub counts_itself: bool,
    /// Whether one instance may always be ejected (gRPC); false by default.
    pub always_one: bool,
    /// With a smaller share of healthy instances every one gets attempts; 0 is never, 50 % the
    /// default.
    #[serde(with = "AsShare")]
    pub panic: f64,
}

impl Default for Outlier {
    fn default() -> Outlier {
        let mut rule = Outlier::ENVOY;
        rule.deviations = None;
        rule
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Host {
    in_a_row: u32,
    calls: u32,
    failed: u32,
    ejected_since: Option<Time>,
    times: u32,
}

/// The hosts of one cluster, as one process sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutlierState {
    hosts: Box<[Host]>,
    ejected: u32,
}

/// What a rule has come to about a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is left out from now on.
    Ejected,
    /// It would be, but too many are out already.
    Refused,
    /// Its time is over: it gets traffic again.
    Returned,
}

/// Below which success rates a sweep ejects, of hosts with so many calls.
#[derive(Clone, Copy, Debug)]
struct Bars {
    deviation: Option<(f64, u32)>,
    share: Option<(f64, u32)>,
}

impl Outlier {
    /// Envoy's defaults.
    pub const ENVOY: Outlier = Outlier {
        failures: OutcomeSet::TRANSIENT.less(OutcomeSet::THROTTLED),
        consecutive: 5,
        deviations: Some(1.9),
        deviation_hosts: 5,
        deviation_calls: 100,
        failure_ratio: None,
        ratio_hosts: 5,
        ratio_calls: 50,
        interval: Span::from_secs(10),
        base_ejection_time: Span::from_secs(30),
        max_ejection_time: Span::from_secs(300),
        max_ejected: 0.1,
        counts_itself: true,
        always_one: false,
        panic: 0.5,
    };
    /// The defaults of gRFC A50; both sweeps are on in its example.
    pub const GRPC: Outlier = Outlier {
        consecutive: 0,
        failure_ratio: Some(0.85),
        counts_itself: false,
        always_one: true,
        panic: 0.0,
        ..Outlier::ENVOY
    };
    /// Envoy as Istio configures it: no panic, no sweeps.
    pub const ISTIO: Outlier = Outlier { deviations: None, panic: 0.0, ..Outlier::ENVOY };

    /// A cluster of `hosts` healthy hosts.
    #[must_use]
    pub fn state(&self, hosts: usize) -> OutlierState {
        OutlierState { hosts: vec![Host::default(); hosts].into_boxed_slice(), ejected: 0 }
    }

    /// A call to a host came back; says what that does to the host.
    pub fn record(
        &self,
        state: &mut OutlierState,
        host: usize,
        outcome: Outcome,
        now: Time,
    ) -> Option<Change> {
        let failed = self.failures.contains(outcome);
        let entry = &mut state.hosts[host];
        entry.calls = entry.calls.saturating_add(1);
        entry.failed = entry.failed.saturating_add(u32::from(failed));
        entry.in_a_row = if failed { entry.in_a_row.saturating_add(1) } else { 0 };
        if self.consecutive == 0 || entry.in_a_row < self.consecutive {
            return None;
        }
        entry.in_a_row = 0;
        self.eject(state, host, now)
    }

    /// Whether sweeps eject, and not only let hosts come back.
    #[must_use]
    pub fn judges_in_sweeps(&self) -> bool {
        self.deviations.is_some() || self.failure_ratio.is_some()
    }

    /// The first sweep after a time: one every interval, the first of them at `phase`.
    #[must_use]
    pub fn sweep_after(&self, now: Time, phase: Span) -> Time {
        let sweeps = match now.since(Time(phase.0)) {
            Span::ZERO if now < Time(phase.0) => 0,
            since => since.0 / self.interval.0 + 1,
        };
        Time(phase.0.saturating_add(self.interval.0.saturating_mul(sweeps)))
    }

    /// Lets hosts come back whose time is over, then judges the interval that ends now. Tells what
    /// becomes of which host.
    pub fn sweep(&self, state: &mut OutlierState, now: Time, mut tell: impl FnMut(usize, Change)) {
        for host in 0..state.hosts.len() {
            if self.let_back(state, host, now) {
                tell(host, Change::Returned);
            }
        }
        let bars = self.bars(state);
        for host in 0..state.hosts.len() {
            if bars.catch(&state.hosts[host])
                && let Some(change) = self.eject(state, host, now)
            {
                tell(host, change);
            }
            state.hosts[host].calls = 0;
            state.hosts[host].failed = 0;
        }
    }

    /// How low a success rate may be in the interval that ends now.
    fn bars(&self, state: &OutlierState) -> Bars {
        let deviation = self.deviations.and_then(|deviations| {
            let (count, mean, variance) = state.success_rates(self.deviation_calls);
            let least = mean - deviations * libm::sqrt(variance);
            (count >= self.deviation_hosts).then_some((least, self.deviation_calls))
        });
        let share = self.failure_ratio.and_then(|share| {
            let (count, ..) = state.success_rates(self.ratio_calls);
            (count >= self.ratio_hosts).then_some((1.0 - share, self.ratio_calls))
        });
        Bars { deviation, share }
    }

    /// Whether one more host may be ejected when so many of all are.
    #[must_use]
    pub fn has_room(&self, ejected: u32, hosts: u32) -> bool {
        let most = self.max_ejected * f64::from(hosts);
        let fits = match self.counts_itself {
            true => f64::from(ejected + 1) <= most,
            false => f64::from(ejected) < most,
        };
        fits || self.always_one && ejected == 0
    }

    /// Whether a host may get traffic now.
    #[must_use]
    pub fn available(&self, state: &OutlierState, host: usize) -> bool {
        !state.is_ejected(host) || self.panics(state.hosts() - state.ejected, state.hosts())
    }

    /// Whether every host is ejected and none gets traffic all the same.
    #[must_use]
    pub fn leaves_nobody(&self, state: &OutlierState) -> bool {
        state.ejected == state.hosts() && !self.panics(0, state.hosts())
    }

    /// Whether so few hosts of all are healthy that all get traffic.
    #[must_use]
    pub fn panics(&self, healthy: u32, hosts: u32) -> bool {
        f64::from(healthy) < self.panic * f64::from(hosts)
    }

    /// Ejects a host unless too many are out already; nothing changes for one that is out.
    fn eject(&self, state: &mut OutlierState, host: usize, now: Time) -> Option<Change> {
        let has_room = self.has_room(state.ejected, state.hosts());
        let entry = &mut state.hosts[host];
        if entry.ejected_since.is_some() {
            return None;
        }
        if !has_room {
            return Some(Change::Refused);
        }
        entry.ejected_since = Some(now);
        entry.times = entry.times.saturating_add(1);
        state.ejected += 1;
        Some(Change::Ejected)
    }

    /// Takes back a host whose ejection is over, and says so; a healthy interval forgives one
    /// ejection.
    fn let_back(&self, state: &mut OutlierState, host: usize, now: Time) -> bool {
        let entry = &mut state.hosts[host];
        let Some(since) = entry.ejected_since else {
            entry.times = entry.times.saturating_sub(1);
            return false;
        };
        let length = Span(self.base_ejection_time.0.saturating_mul(u64::from(entry.times)));
        let is_over =
            now.since(since) >= length.min(self.max_ejection_time.max(self.base_ejection_time));
        if is_over {
            entry.ejected_since = None;
            entry.in_a_row = 0;
            state.ejected -= 1;
        }
        is_over
    }
}

impl Bars {
    /// Whether a host did worse than it may.
    fn catch(&self, host: &Host) -> bool {
        let below = |(least, volume)| host.rate(volume).is_some_and(|rate| rate < least);
        let failing = |(most, volume)| host.rate(volume).is_some_and(|rate| rate <= most);
        self.deviation.is_some_and(below) || self.share.is_some_and(failing)
    }
}

impl Host {
    /// The success rate of the interval, if there was enough of it.
    fn rate(&self, volume: u32) -> Option<f64> {
        (self.ejected_since.is_none() && self.calls >= volume && self.calls > 0)
            .then(|| 1.0 - f64::from(self.failed) / f64::from(self.calls))
    }
}

impl OutlierState {
    /// How many hosts there are.
    #[must_use]
    pub fn hosts(&self) -> u32 {
        self.hosts.len() as u32
    }

    /// How many hosts are ejected.
    #[must_use]
    pub fn ejected(&self) -> u32 {
        self.ejected
    }

    /// Whether a host is ejected.
    #[must_use]
    pub fn is_ejected(&self, host: usize) -> bool {
        self.hosts[host].ejected_since.is_some()
    }

    /// Whether a sweep would find nothing to do until there are calls again: nobody is ejected, and
    /// every earlier ejection is forgiven.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        self.ejected == 0 && self.hosts.iter().all(|host| host.times == 0)
    }

    /// How many hosts had enough volume, and the mean and variance of their success rates.
    fn success_rates(&self, volume: u32) -> (u32, f64, f64) {
        let rates = || self.hosts.iter().filter_map(|host| host.rate(volume));
        let count = rates().count() as f64;
        let mean = rates().sum::<f64>() / count.max(1.0);
        let variance =
            rates().map(|rate| (rate - mean) * (rate - mean)).sum::<f64>() / count.max(1.0);
        (count as u32, mean, variance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(rule: &Outlier, state: &mut OutlierState, host: usize, times: u32, now: Time) {
        for _ in 0..times {
            rule.record(state, host, Outcome::Failed, now);
        }
    }

    #[test]
    fn ten_percent_ejects_nothing_under_ten_hosts() {
        for (hosts, ejected) in [(9, 0), (10, 1), (19, 1), (20, 2)] {
            let mut state = Outlier::ENVOY.state(hosts);
            for host in 0..hosts {
                fail(&Outlier::ENVOY, &mut state, host, 5, Time::ZERO);
            }
            assert_eq!(state.ejected(), ejected, "{hosts} hosts");
        }
        let older = Outlier { counts_itself: false, ..Outlier::ENVOY };
        let mut state = older.state(3);
        fail(&older, &mut state, 0, 5, Time::ZERO);
        assert_eq!(state.ejected(), 1);
    }

    #[test]
    fn a_host_comes_back_at_a_sweep_and_stays_out_longer_the_next_time() {
        let rule = Outlier { max_ejected: 1.0, ..Outlier::ENVOY };
        let mut state = rule.state(4);
        let mut now = Time::ZERO;
        for seconds in [30, 60] {
            fail(&rule, &mut state, 0, 5, now);
            let mut waited = 0;
            while !rule.available(&state, 0) {
                waited += 10;
                now = now + Span::from_secs(10);
                rule.sweep(&mut state, now, |_, _| {});
            }
            assert_eq!(waited, seconds);
        }
    }

    #[test]
    fn a_low_success_rate_is_ejected_by_a_sweep() {
        let rule = Outlier { consecutive: 0, max_ejected: 0.5, ..Outlier::ENVOY };
        let mut state = rule.state(6);
        for host in 0..6 {
            for call in 0..100 {
                let bad = host == 5 && call % 2 == 0;
                let outcome = if bad { Outcome::Failed } else { Outcome::Ok };
                rule.record(&mut state, host, outcome, Time::ZERO);
            }
        }
        let due = rule.sweep_after(Time::ZERO, Span::from_secs(3));
        assert_eq!(due, Time::ZERO + Span::from_secs(3));
        assert_eq!(rule.sweep_after(due, Span::from_secs(3)), due + rule.interval);
        let mut told = Vec::new();
        rule.sweep(&mut state, due, |host, change| told.push((host, change)));
        assert_eq!(told, [(5, Change::Ejected)]);
        let out: Vec<usize> = (0..6).filter(|&host| !rule.available(&state, host)).collect();
        assert_eq!(out, [5]);
    }

    #[test]
    fn panic_gives_everybody_traffic() {
        let rule = Outlier { max_ejected: 1.0, ..Outlier::ENVOY };
        let mut state = rule.state(4);
        for host in 0..2 {
            fail(&rule, &mut state, host, 5, Time::ZERO);
        }
        assert!(!rule.available(&state, 0));
        fail(&rule, &mut state, 2, 5, Time::ZERO);
        assert!(rule.available(&state, 0));
        fail(&rule, &mut state, 3, 5, Time::ZERO);
        assert!(!rule.leaves_nobody(&state));
        let calm = Outlier { panic: 0.0, ..rule };
        assert!(calm.leaves_nobody(&state));
    }
}
