//! Latencies: hedged requests, quorums, fan-out.
//!
//! Dean, Barroso: "The tail at scale", CACM 56, 2013.

use super::numeric::{fall_to, power};
use super::{Observable, Parameters, Quantity, Says};

/// A second request after the delay `d`; exponential service with a mean.
pub(super) fn hedged_exponential(parameters: &Parameters) -> Says {
    let (mean, delay) = (parameters.positive("mean")?, parameters.positive("d")?);
    let longer = |t: f64| libm::exp(-t / mean) * libm::exp(-(t - delay).max(0.0) / mean);
    let second = libm::exp(-delay / mean);
    let mut all: Vec<Quantity> = [0.5, 0.95, 0.99, 0.999].map(|p| latency(p, longer)).into();
    all.push(Quantity::shown(
        "extra_load_no_cancel",
        second,
        Observable::MoreThanOne("amplification"),
    ));
    let expected = mean * (1.0 - second) + mean * second / 2.0;
    all.push(Quantity::shown("E[latency]", expected, Observable::Metric("latency_mean_ms")));
    Ok(all)
}

/// The same with lognormal service, or without a second request if there is no `d`.
pub(super) fn hedged_lognormal(parameters: &Parameters) -> Says {
    let (middle, sigma) = (parameters.number("mu_log")?, parameters.positive("sigma")?);
    let delay = parameters.number("d").unwrap_or(f64::INFINITY);
    let tail = |t: f64| match t > 0.0 {
        true => libm::erfc((libm::log(t) - middle) / sigma / core::f64::consts::SQRT_2) / 2.0,
        false => 1.0,
    };
    let longer = |t: f64| tail(t) * tail(t - delay);
    Ok([0.99, 0.999].map(|p| latency(p, longer)).into())
}

fn latency(p: f64, longer: impl Fn(f64) -> f64) -> Quantity {
    Quantity::shown(format!("latency_q{p}"), fall_to(1.0 - p, longer), Observable::Latency(p))
}

/// The `k`-th of `n` exponential answers.
pub(super) fn quorum(parameters: &Parameters) -> Says {
    let all = parameters.whole("n", 1_000)?;
    let (need, mean) = (parameters.whole("k", all)?, parameters.positive("mean")?);
    let longer = |t: f64| {
        let (late, early) = (libm::exp(-t / mean), -libm::expm1(-t / mean));
        let mut ways = 1.0;
        let mut sum = 0.0;
        for answers in 0..need {
            sum += ways * power(early, answers) * power(late, all - answers);
            ways *= f64::from(all - answers) / f64::from(answers + 1);
        }
        sum
    };
    let expected: f64 = (all - need + 1..=all).map(|left| mean / f64::from(left)).sum();
    Ok(vec![
        latency(0.99, longer),
        Quantity::shown("E[latency]", expected, Observable::Metric("latency_mean_ms")),
    ])
}

/// The share of requests with a slow server among so many.
pub(super) fn fan_out(parameters: &Parameters) -> Says {
    let (servers, slow) = (parameters.whole("servers", u32::MAX)?, parameters.share("p_slow")?);
    let fast = power(1.0 - slow, servers);
    Ok(vec![Quantity::unseen("P(any slow)", 1.0 - fast)])
}
