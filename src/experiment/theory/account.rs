//! Error budgets: what an incident uses up of one, and what a backlog leaves late.
//!
//! Beyer, Murphy, Rensin, Kawahara, Thorne: *The Site Reliability Workbook*, 2018, chapters 2, 5.

use super::parameters::steady;
use super::{Measured, Parameters, Quantity, Says};

/// A share of all requests fails for a while: what that uses up of a budget of events, how fast it
/// burns over the whole run, and how long a budget lasts at that rate.
pub(super) fn error_budget(parameters: &Parameters) -> Says {
    let (target, window) = (parameters.share("target")?, parameters.positive("window")?);
    let (failing, lasts) = (parameters.share("failing")?, parameters.positive("for")?);
    let run = parameters.positive("run")?;
    let rate = failing * lasts / run / (1.0 - target);
    Ok(vec![
        Quantity::shown(
            "budget_consumed",
            rate * run / window,
            Measured::Metric("asked.budget_consumed"),
        ),
        Quantity::shown("burn_rate", rate, Measured::Metric("asked.burn_rate_max")),
        Quantity::shown(
            "time_to_exhaustion",
            window / rate,
            Measured::Metric("asked.time_to_exhaustion_s"),
        ),
    ])
}

/// An outage of whole slices of time at one rate of users, in a run with another mean rate: slices
/// weigh it by its length, and events by who came.
pub(super) fn slices(parameters: &Parameters) -> Says {
    let (target, window) = (parameters.share("target")?, parameters.positive("window")?);
    let lasts = parameters.positive("for")?;
    let (rate, mean) = (parameters.positive("rate")?, parameters.positive("mean_rate")?);
    let by_time = lasts / (1.0 - target) / window;
    let by_events = by_time * rate / mean;
    Ok(vec![
        Quantity::shown("by_slices", by_time, Measured::Metric("slices.budget_consumed")),
        Quantity::shown("by_events", by_events, Measured::Metric("events.budget_consumed")),
    ])
}

/// A line that stands still for a while and is then worked off in its order, with work of one
/// length. Who comes `t` into the stall waits for the rest of it and for those before him, on
/// average `D - t (1 - rho)` and his own work, so that the age falls by `1 - rho` a second, by when
/// one comes, and all is as before after `D / (1 - rho)`. All others wait as in M/D/1
/// (Pollaczek and Khinchine).
pub(super) fn backlog(parameters: &Parameters) -> Says {
    let (lambda, mu) = (parameters.positive("lambda")?, parameters.positive("mu")?);
    let (stall, run) = (parameters.positive("stall")?, parameters.positive("run")?);
    let rho = lambda / mu;
    steady(rho)?;
    let above = |bound: f64| lambda * (stall + 1.0 / mu - bound).max(0.0) / (1.0 - rho);
    let mut all = Vec::new();
    for (name, metric) in [("soon", "soon_enough.bad_events"), ("late", "late_enough.bad_events")] {
        let count = above(parameters.positive(name)?);
        all.push(Quantity::shown(format!("later_than_{name}"), count, Measured::Metric(metric)));
    }
    let waits = rho / (2.0 * mu * (1.0 - rho));
    let stalled = stall * stall / (2.0 * (1.0 - rho)) / run;
    let age = Measured::Metric("handled.latency_mean_ms");
    all.push(Quantity::shown("E[age]", stalled + waits + 1.0 / mu, age));
    Ok(all)
}

/// A component that is up and down in turn, each for an exponential time: the share of the time in
/// which it is down, MTTR / (MTBF + MTTR), less the last part of each repair, which callers wait
/// out for as long as `timeout`.
pub(super) fn renewal(parameters: &Parameters) -> Says {
    let (up, down) = (parameters.positive("mtbf")?, parameters.positive("mttr")?);
    let timeout = parameters.positive("timeout")?;
    let failing = down / (up + down) * libm::exp(-timeout / down);
    Ok(vec![Quantity::shown("unavailability", failing, Measured::LessThanOne("success_ratio"))])
}
