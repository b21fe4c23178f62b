//! Systems that turn customers away, and those who lose patience.

use super::numeric::{fall_to, poisson, power};
use super::{Measured, Parameters, Quantity, Says};

/// Erlang's B formula by its recursion: the share of customers that find every server taken.
/// Erlang, "Solution of some problems in the theory of probabilities of significance in automatic
/// telephone exchanges", 1917.
pub(super) fn erlang_b(servers: u32, load: f64) -> f64 {
    let next = |blocked: f64, server: u32| load * blocked / (f64::from(server) + load * blocked);
    (1..=servers).fold(1.0, next)
}

/// Erlang's C formula: the share of customers that have to wait, by that of the B formula.
pub(super) fn erlang_c(servers: u32, load: f64) -> f64 {
    let blocked = erlang_b(servers, load);
    blocked / (1.0 - load / f64::from(servers) * (1.0 - blocked))
}

/// A loss system: no room to wait, any law of service.
pub(super) fn loss(parameters: &Parameters) -> Says {
    let (servers, load) = (parameters.whole("c")?, parameters.number("a")?);
    let blocked = erlang_b(servers, load);
    Ok(vec![
        Quantity::shown("blocking", blocked, Measured::Metric("refused_first_ratio")),
        Quantity::shown("mean_busy", load * (1.0 - blocked), Measured::Metric("working_mean")),
    ])
}

/// A thousand threads and requests that hold theirs until a deadline (Google SRE book, chapter 22,
/// "bimodal latency"): a loss system.
pub(super) fn bimodal_threads(parameters: &Parameters) -> Says {
    let (threads, load) = (parameters.whole("threads")?, parameters.number("erlangs")?);
    let name = "error_ratio_exact_loss_system (Erlang B)";
    let blocked = Measured::Metric("refused_first_ratio");
    Ok(vec![
        Quantity::shown(name, erlang_b(threads, load), blocked),
        Quantity::unseen("error_ratio_fluid", 1.0 - f64::from(threads) / load),
    ])
}

/// M/M/c/K: at most `K` customers, those in service included.
pub(super) fn finite(parameters: &Parameters) -> Says {
    let (lambda, mu) = (parameters.number("lambda")?, parameters.number("mu")?);
    let (servers, room) = (parameters.whole("c")?, parameters.whole("K")?);
    let states = finite_states(lambda, mu, servers, room);
    let blocked = states[room as usize];
    let present: f64 = states.iter().enumerate().map(|(count, share)| count as f64 * share).sum();
    let taken = lambda * (1.0 - blocked);
    let mut all = vec![
        Quantity::share("blocking", blocked, Measured::Metric("refused_first_ratio")),
        Quantity::shown("L", present, Measured::Present),
        Quantity::shown("throughput", taken, Measured::Metric("goodput_per_s")),
        Quantity::shown("W_accepted", present / taken, Measured::Metric("latency_mean_ms")),
    ];
    if servers == 1 {
        // Who finds n customers stays for n + 1 services.
        let longer = |t: f64| {
            let counts = poisson(mu * t, room as usize);
            let mut at_most = 0.0;
            let mut longer = 0.0;
            for found in 0..room as usize {
                at_most += counts[found];
                longer += states[found] / (1.0 - blocked) * at_most;
            }
            longer
        };
        for p in [0.5, 0.99] {
            let name = format!("sojourn_accepted_q{p}");
            all.push(Quantity::shown(name, fall_to(1.0 - p, longer), Measured::Latency(p)));
        }
    }
    Ok(all)
}

/// The stationary distribution of the number of customers of M/M/c/K.
fn finite_states(lambda: f64, mu: f64, servers: u32, room: u32) -> Vec<f64> {
    let mut weights = vec![1.0];
    for count in 1..=room {
        let before = weights[weights.len() - 1];
        weights.push(before * lambda / (mu * f64::from(count.min(servers))));
    }
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

/// Erlang-A: M/M/n whose customers leave the line after an exponential patience of rate `theta`
/// (Garnett, Mandelbaum, Reiman: "Designing a call center with impatient customers", M&SOM 4,
/// 2002).
pub(super) fn impatient(parameters: &Parameters) -> Says {
    let (lambda, mu) = (parameters.number("lambda")?, parameters.number("mu")?);
    let (servers, theta) = (parameters.whole("n")?, parameters.number("theta")?);
    let mut weights = vec![1.0];
    while weights.len() < 1_000_000 {
        let count = weights.len() as u32;
        let waiting = f64::from(count.saturating_sub(servers));
        let leave = mu * f64::from(count.min(servers)) + theta * waiting;
        let next = weights[weights.len() - 1] * lambda / leave;
        if leave > lambda && next < 1e-30 * weights[0].max(1e-200) {
            break;
        }
        weights.push(next);
    }
    let total: f64 = weights.iter().sum();
    let (mut delayed, mut waiting) = (0.0, 0.0);
    for (count, weight) in weights.iter().enumerate().skip(servers as usize) {
        delayed += weight / total;
        waiting += (count - servers as usize) as f64 * weight / total;
    }
    let leaves = theta * waiting / lambda;
    Ok(vec![
        Quantity::shown("P(wait)", delayed, Measured::Metric("queued_ratio")),
        Quantity::shown("P(abandon)", leaves, Measured::Metric("refused_first_ratio")),
        Quantity::shown("E[wait]", waiting / lambda, Measured::Metric("wait_mean_ms")),
        Quantity::shown("E[Q]", waiting, Measured::Metric("waiting_mean")),
        Quantity::shown("goodput", lambda * (1.0 - leaves), Measured::Metric("goodput_per_s")),
    ])
}

/// From one customer, the probability that a queue of M/M/1 comes to a level before it is empty
/// (gambler's ruin).
pub(super) fn rare(parameters: &Parameters) -> Says {
    let (rho, level) = (parameters.number("rho")?, parameters.whole("level")?);
    let value = (1.0 / rho - 1.0) / (power(1.0 / rho, level) - 1.0);
    Ok(vec![Quantity::unseen("P(reach level before empty)", value)])
}
