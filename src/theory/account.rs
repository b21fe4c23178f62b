//! Error budgets: what an incident uses up of one, and what a backlog leaves late.
//!
//! Beyer, Murphy, Rensin, Kawahara, Thorne: *The Site Reliability Workbook*, 2018, chapters 2, 5.

use super::parameters::steady;
use super::{Observable, Parameters, Quantity, Says};

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
            Observable::Metric("asked.budget_consumed"),
        ),
        Quantity::shown("burn_rate", rate, Observable::Metric("asked.burn_rate_max")),
        Quantity::shown(
            "time_to_exhaustion",
            window / rate,
            Observable::Metric("asked.time_to_exhaustion_s"),
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
        Quantity::shown("by_slices", by_time, Observable::Metric("slices.budget_consumed")),
        Quantity::shown("by_events", by_events, Observable::Metric("events.budget_consumed")),
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
        all.push(Quantity::shown(format!("later_than_{name}"), count, Observable::Metric(metric)));
    }
    let waits = rho / (2.0 * mu * (1.0 - rho));
    let stalled = stall * stall / (2.0 * (1.0 - rho)) / run;
    let age = Observable::Metric("handled.latency_mean_ms");
    all.push(Quantity::shown("E[age]", stalled + waits + 1.0 / mu, age));
    Ok(all)
}

/// Bad releases that a part of the users see, of whom a part fails, until they are found out and
/// taken back: p x e (D + R) / window, as a share of what may fail.
pub(super) fn releases(parameters: &Parameters) -> Says {
    let (target, window) = (parameters.share("target")?, parameters.positive("window")?);
    let releases = parameters.whole("releases", 1_000_000)?;
    let failing = parameters.share("exposed")? * parameters.share("failing")?;
    let lasts = parameters.positive("found_after")? + parameters.positive("back_after")?;
    let spent = f64::from(releases) * failing * lasts / window / (1.0 - target);
    Ok(vec![Quantity::shown("budget_spent", spent, Observable::Metric("asked.budget_consumed"))])
}

/// What a run costs in which the load is above what the instances can do for as long as others take
/// to come: instances, what is lost, and those who look after it. Of the load above capacity all is
/// lost but what finds room to wait.
pub(super) fn capacity(parameters: &Parameters) -> Says {
    let instances = parameters.positive("instances")?;
    let (load, each) = (parameters.positive("load")?, parameters.positive("of_each")?);
    let (lag, run) = (parameters.positive("lag")?, parameters.positive("run")?);
    let hours = run / parameters.positive("per")?;
    let room = parameters.number("room")?;
    let lost = ((load - instances * each) * lag - room).max(0.0);
    let paid = (instances * parameters.number("host")? + parameters.number("engineering")?) * hours;
    let value = lost * parameters.number("value")?;
    let mut all = vec![Quantity::shown("cost", paid + value, Observable::Metric("cost"))];
    if value > 0.0 {
        all.push(Quantity::shown("of_that_lost", value, Observable::Metric("cost.lost")));
    }
    Ok(all)
}

/// A component that is up and down in turn, each for an exponential time: the share of the time in
/// which it is down, MTTR / (MTBF + MTTR), less the last part of each repair, which callers wait
/// out for as long as `timeout`.
pub(super) fn renewal(parameters: &Parameters) -> Says {
    let (up, down) = (parameters.positive("mtbf")?, parameters.positive("mttr")?);
    let timeout = parameters.positive("timeout")?;
    let failing = down / (up + down) * libm::exp(-timeout / down);
    Ok(vec![Quantity::shown("unavailability", failing, Observable::LessThanOne("success_ratio"))])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(instances: f64, engineering: f64, value: f64) -> f64 {
        let mut parameters = Parameters::default();
        for (name, number) in [
            ("instances", instances),
            ("of_each", 10.0),
            ("room", 4.0 * instances),
            ("load", 140.0),
            ("lag", 100.0),
            ("run", 400.0),
            ("host", 36.0),
            ("value", value),
            ("engineering", engineering),
            ("per", 3600.0),
        ] {
            parameters.set(name, number);
        }
        capacity(&parameters).expect("it is about these")[0].value
    }

    /// Eight hosts more for 400 s are 32 and scaling is 2, so that 60 a second for 100 s, less the
    /// 32 that find room, are worth 30 where both cost the same.
    #[test]
    fn hosts_that_stand_ready_pay_from_the_crossing_point_on() {
        let crossing = 30.0 / (60.0 * 100.0 - 32.0);
        let (late, ready) = (cost(8.0, 18.0, crossing), cost(16.0, 0.0, crossing));
        assert!((late - 64.0).abs() < 1e-9 && (ready - 64.0).abs() < 1e-9, "{late} {ready}");
        assert!(cost(8.0, 18.0, crossing / 2.0) < ready && cost(8.0, 18.0, crossing * 2.0) > ready);
    }
}
