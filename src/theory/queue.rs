//! Queues with exponential service: M/M/1, M/M/c, priorities, deadlines, breakdowns.
//!
//! Formulas: Gross, Shortle, Thompson, Harris: "Fundamentals of Queueing Theory", 4th edition,
//! chapters 2 and 3, unless said otherwise. Service times have the mean `1 / mu`.

use super::loss::erlang_c;
use super::numeric::{fall_to, power};
use super::parameters::{MOST_SERVERS, steady};
use super::{Observable, Parameters, Quantity, Says, at_load};

/// The quantiles that are compared.
pub(super) const QUANTILES: [f64; 5] = [0.5, 0.9, 0.95, 0.99, 0.999];

/// M/M/1, first come first served: sojourns are exponential with the rate `mu - lambda`.
pub(super) fn single(parameters: &Parameters) -> Says {
    let (lambda, mu) = (parameters.positive("lambda")?, parameters.positive("mu")?);
    let (rho, spare) = (lambda / mu, mu - lambda);
    steady(rho)?;
    let mut all = vec![
        Quantity::shown("L", rho / (1.0 - rho), Observable::Present),
        Quantity::shown("Lq", rho * rho / (1.0 - rho), Observable::Metric("waiting_mean")),
        Quantity::shown("W", 1.0 / spare, Observable::Metric("latency_mean_ms")),
        Quantity::shown("Wq", rho / spare, Observable::Metric("wait_mean_ms")),
        Quantity::shown("sd_sojourn", 1.0 / spare, Observable::LatencyDeviation),
        Quantity::share("P(N>=10)", power(rho, 10), Observable::Found(10)),
        Quantity::unseen("busy_period_mean", 1.0 / spare),
        Quantity::unseen("busy_period_var", (1.0 + rho) / (mu * mu * power(1.0 - rho, 3))),
        Quantity::unseen("drain_time_mean_from_100", 100.0 / spare),
        Quantity::unseen(
            "drain_time_sd_from_100",
            (100.0 * (mu + lambda) / power(spare, 3)).sqrt(),
        ),
        // Whitt: "Planning queueing simulations", Management Science 35, 1989.
        Quantity::unseen(
            "asymptotic_var_of_time_avg_N",
            2.0 * rho * (1.0 + rho) / (mu * power(1.0 - rho, 4)),
        ),
        Quantity::unseen(
            "run_length_for_1pct_CI_halfwidth_on_L",
            NORMAL_95 * NORMAL_95 * 2.0 * (1.0 + rho) / (rho * power(1.0 - rho, 2) * 1e-4 * mu),
        ),
    ];
    for p in QUANTILES {
        let wait = (libm::log(rho / (1.0 - p)) / spare).max(0.0);
        all.push(sojourn(p, -libm::log(1.0 - p) / spare));
        all.push(waits(p, wait));
    }
    Ok(at_load(rho, all))
}

/// The two-sided 95% quantile of the normal distribution.
const NORMAL_95: f64 = 1.959_963_984_540_054;

pub(super) fn sojourn(p: f64, value: f64) -> Quantity {
    Quantity::shown(format!("sojourn_q{p}"), value, Observable::Latency(p))
}

/// A quantile of the wait. Where it is 0, the share that does not wait may be just as large: then
/// the quantile of a sample is 0 or not by chance.
pub(super) fn waits(p: f64, value: f64) -> Quantity {
    let name = format!("wait_q{p}");
    match value > 0.0 {
        true => Quantity::shown(name, value, Observable::Wait(p)),
        false => Quantity::unseen(name, value),
    }
}

/// M/M/1 of a client who thinks in means: the mean service time and the load.
pub(super) fn single_by_load(parameters: &Parameters) -> Says {
    let (mean, rho) = (parameters.positive("mean")?, parameters.positive("rho")?);
    steady(rho)?;
    let quantile = |p| sojourn(p, -libm::log(1.0 - p) * mean / (1.0 - rho));
    Ok(at_load(rho, [0.5, 0.9, 0.99, 0.999].map(quantile).into()))
}

/// M/M/c by Erlang's C formula.
pub(super) fn several(parameters: &Parameters) -> Says {
    let (lambda, mu) = (parameters.positive("lambda")?, parameters.positive("mu")?);
    let servers = parameters.whole("c", MOST_SERVERS)?;
    let (count, load) = (f64::from(servers), lambda / mu);
    steady(load / count)?;
    let delayed = erlang_c(servers, load);
    let rate = count * mu - lambda;
    let mut all = vec![
        Quantity::shown("ErlangC_P(wait)", delayed, Observable::Metric("queued_ratio")),
        Quantity::shown("Wq", delayed / rate, Observable::Metric("wait_mean_ms")),
        Quantity::shown("W", delayed / rate + 1.0 / mu, Observable::Metric("latency_mean_ms")),
        Quantity::shown("Lq", lambda * delayed / rate, Observable::Metric("waiting_mean")),
        Quantity::shown("L", lambda * delayed / rate + load, Observable::Present),
    ];
    let spare = count - 1.0 - load;
    let longer = |t: f64| {
        let waits = if spare.abs() < 1e-9 { mu * t } else { -libm::expm1(-mu * spare * t) / spare };
        libm::exp(-mu * t) * (1.0 + delayed * waits)
    };
    for p in [0.95, 0.99] {
        all.push(waits(p, (libm::log(delayed / (1.0 - p)) / rate).max(0.0)));
        all.push(sojourn(p, fall_to(1.0 - p, longer)));
    }
    Ok(at_load(load / count, all))
}

/// Two classes, one server, no interruption: Cobham, "Priority assignment in waiting line
/// problems", Operations Research 2, 1954. A run shows the class whose operation is the load.
pub(super) fn priority(parameters: &Parameters) -> Says {
    let (high, low) = (parameters.positive("lambda_hi")?, parameters.positive("lambda_lo")?);
    let mu = parameters.positive("mu")?;
    steady((high + low) / mu)?;
    let left = (high + low) / (mu * mu);
    let first = 1.0 - high / mu;
    let wait = Observable::Metric("wait_mean_ms");
    let one = |name, value, class| match parameters.says("class", class) {
        true => Quantity::shown(name, value, wait),
        false => Quantity::unseen(name, value),
    };
    Ok(vec![
        one("Wq_hi", left / first, "high"),
        one("Wq_lo", left / (first * (first - low / mu)), "low"),
    ])
}

/// M/M/1 where work is discarded, when its turn comes, if it has waited longer than `tau`
/// (Gnedenko, Kovalenko: "Introduction to Queueing Theory", 2nd edition, section 1.7).
pub(super) fn deadline(parameters: &Parameters) -> Says {
    let (lambda, mu) = (parameters.positive("lambda")?, parameters.positive("mu")?);
    let tau = parameters.positive("tau")?;
    // The wait has the density idle * lambda * exp(-spare x) up to tau. Both are told as multiples
    // of `scale`, which keeps them finite where far more comes in than can be done.
    let spare = mu - lambda;
    let scale = libm::exp((spare * tau).min(0.0));
    let edge = libm::exp(-(spare * tau).max(0.0));
    let waits = match (spare * tau).abs() < 1e-9 {
        true => lambda * tau,
        false => lambda * (scale - edge) / spare,
    };
    let total = scale + waits + lambda * edge / mu;
    let idle = scale / total;
    let dropped = lambda * edge / mu / total;
    let begun = lambda * (1.0 - dropped);
    let started = 1.0 - dropped;
    let late = edge / total;
    let in_time = started - late;
    Ok(vec![
        Quantity::shown("P(idle)", idle, Observable::LessThanOne("working_mean")),
        Quantity::shown("P(drop_expired)", dropped, Observable::Metric("refused_first_ratio")),
        Quantity::shown("goodput(start<=tau)", begun, Observable::Begun),
        Quantity::shown("identity_mu(1-P0)", mu * (1.0 - idle), Observable::Begun),
        Quantity::shown("P(completed within tau)", in_time, Observable::Metric("success_ratio")),
        Quantity::shown("in_time_goodput", lambda * in_time, Observable::Metric("goodput_per_s")),
    ])
}

/// M/M/1 whose server breaks down at any time and goes on after its repair (Avi-Itzhak, Naor:
/// "Some queuing problems with the service station subject to breakdown", Operations Research 11,
/// 1963).
pub(super) fn breakdown(parameters: &Parameters) -> Says {
    let (lambda, mu) = (parameters.positive("lambda")?, parameters.positive("mu")?);
    let (fail, repair) = (parameters.positive("fail_rate")?, parameters.positive("repair_rate")?);
    let both = fail + repair;
    let available = repair / both;
    steady(lambda / (mu * available))?;
    let present = lambda / mu * (1.0 + fail * mu / (both * both)) / (available - lambda / mu);
    Ok(vec![
        Quantity::shown("L (QBD numeric)", present, Observable::Present),
        Quantity::shown("L (closed form)", present, Observable::Present),
        Quantity::shown("W", present / lambda, Observable::Metric("latency_mean_ms")),
        Quantity::unseen("max_stable_lambda", mu * available),
    ])
}
