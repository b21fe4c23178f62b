//! Systems that turn customers away, and those who lose patience.

use super::numeric::{fall_to, poisson, power};
use super::parameters::{MOST_SERVERS, steady};
use super::{Observable, Parameters, Quantity, Says, at_load};

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
    let (servers, load) = (parameters.whole("c", MOST_SERVERS)?, parameters.positive("a")?);
    let blocked = erlang_b(servers, load);
    Ok(vec![
        Quantity::shown("blocking", blocked, Observable::Metric("refused_first_ratio")),
        Quantity::shown("mean_busy", load * (1.0 - blocked), Observable::Metric("working_mean")),
    ])
}

/// A thousand threads and requests that hold theirs until a deadline (Google SRE book, chapter 22,
/// "bimodal latency"): a loss system.
pub(super) fn bimodal_threads(parameters: &Parameters) -> Says {
    let (threads, load) =
        (parameters.whole("threads", MOST_SERVERS)?, parameters.positive("erlangs")?);
    let name = "error_ratio_exact_loss_system (Erlang B)";
    let blocked = Observable::Metric("refused_first_ratio");
    Ok(vec![
        Quantity::shown(name, erlang_b(threads, load), blocked),
        Quantity::unseen("error_ratio_fluid", 1.0 - f64::from(threads) / load),
    ])
}

/// M/M/c/K: at most `K` customers, those in service included.
pub(super) fn finite(parameters: &Parameters) -> Says {
    let (lambda, mu) = (parameters.positive("lambda")?, parameters.positive("mu")?);
    let room = parameters.whole("K", MOST_SERVERS)?;
    let servers = parameters.whole("c", room)?;
    let states = finite_states(lambda, mu, servers, room);
    let blocked = states[room as usize];
    let present: f64 = states.iter().enumerate().map(|(count, share)| count as f64 * share).sum();
    let taken = lambda * (1.0 - blocked);
    let mut all = vec![
        Quantity::share("blocking", blocked, Observable::Metric("refused_first_ratio")),
        Quantity::shown("L", present, Observable::Present),
        Quantity::shown("throughput", taken, Observable::Metric("goodput_per_s")),
        Quantity::shown("W_accepted", present / taken, Observable::Metric("latency_mean_ms")),
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
            all.push(Quantity::shown(name, fall_to(1.0 - p, longer), Observable::Latency(p)));
        }
    }
    Ok(at_load(lambda / (mu * f64::from(servers)), all))
}

/// The stationary distribution of the number of customers of M/M/c/K.
fn finite_states(lambda: f64, mu: f64, servers: u32, room: u32) -> Vec<f64> {
    let leave = |count: u32| mu * f64::from(count.min(servers));
    birth_and_death(lambda, leave, |count, _| count == room)
}

/// The stationary distribution of a number that grows at the rate `lambda` and falls at the rate
/// `leave`, up to the count that is the last one. Weights are told by their logarithm, as those of
/// a thousand servers are beyond any number.
fn birth_and_death(
    lambda: f64,
    leave: impl Fn(u32) -> f64,
    is_last: impl Fn(u32, f64) -> bool,
) -> Vec<f64> {
    let mut logs = vec![0.0];
    let (mut count, mut log, mut largest) = (0, 0.0_f64, 0.0_f64);
    while !is_last(count, log - largest) {
        count += 1;
        log += libm::log(lambda / leave(count));
        largest = largest.max(log);
        logs.push(log);
    }
    let weights: Vec<f64> = logs.into_iter().map(|log| libm::exp(log - largest)).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

/// The logarithm of a weight beside which the next ones do not count.
const NEGLIGIBLE: f64 = -69.0;
/// How many states are looked at.
const MOST_STATES: u32 = 1_000_000;

/// Erlang-A: M/M/n whose customers leave the line after an exponential patience of rate `theta`
/// (Garnett, Mandelbaum, Reiman: "Designing a call center with impatient customers", M&SOM 4,
/// 2002).
pub(super) fn impatient(parameters: &Parameters) -> Says {
    let (lambda, mu) = (parameters.positive("lambda")?, parameters.positive("mu")?);
    let servers = parameters.whole("n", MOST_SERVERS)?;
    let theta = parameters.positive("theta")?;
    let leave = |count: u32| {
        mu * f64::from(count.min(servers)) + theta * f64::from(count.saturating_sub(servers))
    };
    // Once more leave than come, all further states together are about as likely as the last.
    let is_last = |count, log| (leave(count) > lambda && log < NEGLIGIBLE) || count == MOST_STATES;
    let states = birth_and_death(lambda, leave, is_last);
    let (mut delayed, mut waiting) = (0.0, 0.0);
    for (count, share) in states.iter().enumerate().skip(servers as usize) {
        delayed += share;
        waiting += (count - servers as usize) as f64 * share;
    }
    let leaves = theta * waiting / lambda;
    Ok(vec![
        Quantity::shown("P(wait)", delayed, Observable::Metric("queued_ratio")),
        Quantity::shown("P(abandon)", leaves, Observable::Metric("refused_first_ratio")),
        Quantity::shown("E[wait]", waiting / lambda, Observable::Metric("wait_mean_ms")),
        Quantity::shown("E[Q]", waiting, Observable::Metric("waiting_mean")),
        Quantity::shown("goodput", lambda * (1.0 - leaves), Observable::Metric("goodput_per_s")),
    ])
}

/// From one customer, the probability that a queue of M/M/1 comes to a level before it is empty
/// (gambler's ruin).
pub(super) fn rare(parameters: &Parameters) -> Says {
    let (rho, level) = (parameters.positive("rho")?, parameters.whole("level", MOST_SERVERS)?);
    steady(rho)?;
    let value = (1.0 / rho - 1.0) / (power(1.0 / rho, level) - 1.0);
    Ok(vec![Quantity::unseen("P(reach level before empty)", value)])
}
