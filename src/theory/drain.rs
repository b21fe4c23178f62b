//! Backlogs over time: how old the oldest of one is, and how fast one may be drained.
//!
//! Work of one length that comes at random, in the order of its coming: M/D/1 (Pollaczek and
//! Khinchine), and what flows in and out where that is all that matters.

use super::parameters::steady;
use super::{Observable, Parameters, Quantity, Says};

/// A line that stands still for a while: the age of its oldest grows by a second a second, and then
/// falls by `(mu - lambda) / lambda` a second, until it is gone after `lambda D / (mu - lambda)`.
///
/// The oldest of all is the one that is first in line when it stops, or the next one to come: by
/// `E[Nq] = P(somebody waits) + lambda E[age of the first]` it is `E[Wq] - 1 / lambda` older than
/// the stall on average. One behind it may be older by chance, since they do not come evenly, by
/// the supremum of a walk, which is distributed as `Wq` (Lindley, "The theory of queues with a
/// single server", 1952). Who comes `t` after the beginning of the stall waits for `D - t (1 -
/// rho)`, so those come for `(D + 1 / mu - age) / (1 - rho)` who are older than an age.
pub(super) fn oldest(parameters: &Parameters) -> Says {
    let (lambda, mu) = (parameters.positive("lambda")?, parameters.positive("mu")?);
    let stall = parameters.positive("stall")?;
    let rho = lambda / mu;
    steady(rho)?;
    let waits = rho / (2.0 * mu * (1.0 - rho));
    let oldest = stall + 1.0 / mu + 2.0 * waits - 1.0 / lambda;
    let mut all = vec![Quantity::shown("oldest", oldest, Observable::Metric("oldest_message_s"))];
    // Slices of a second: as many are bad as the time is long, but for a part of one at its end.
    for (name, metric) in [("young", "young_enough.bad_events"), ("old", "old_enough.bad_events")] {
        let age = parameters.positive(name)?;
        let lasts = (stall + waits + 1.0 / mu - age).max(0.0) / (1.0 - rho);
        let quantity = format!("seconds_older_than_{name}");
        all.push(Quantity::shown(quantity, lasts, Observable::Metric(metric)));
    }
    Ok(all)
}

/// A backlog that has come for a while and is then handed to a sink at a pace, beside live load:
/// it takes `backlog / pace` to hand over. The sink keeps up as long as live load and pace are no
/// more than it serves. Otherwise the work in front of it grows by `(lambda + r) / mu - 1` a
/// second for as long as that takes, which the last of the backlog waits for too, and falls
/// by `1 - rho` afterwards: what live requests wait is the area below that, over the run.
pub(super) fn paced(parameters: &Parameters) -> Says {
    let (lambda, mu) = (parameters.positive("lambda")?, parameters.positive("mu")?);
    let (came, comes_for) = (parameters.positive("came")?, parameters.positive("comes_for")?);
    let (pace, run) = (parameters.positive("pace")?, parameters.positive("run")?);
    let rho = lambda / mu;
    steady(rho)?;
    let takes = came * comes_for / pace;
    let last = takes * ((lambda + pace) / mu).max(1.0);
    let mut all = vec![
        Quantity::shown("last_done_after", last, Observable::Metric("oldest_message_s")),
        Quantity::shown(
            "E[age]",
            (comes_for + takes + 1.0 / pace) / 2.0,
            Observable::Metric("replayed.latency_mean_ms"),
        ),
    ];
    if lambda + pace > mu {
        let highest = takes * ((lambda + pace) / mu - 1.0);
        let area = highest * takes / 2.0 + highest * highest / (2.0 * (1.0 - rho));
        let waits = rho / (2.0 * mu * (1.0 - rho));
        let latency = area / run + waits + 1.0 / mu;
        all.push(Quantity::shown("E[live]", latency, Observable::Metric("latency_mean_ms")));
    }
    Ok(all)
}
