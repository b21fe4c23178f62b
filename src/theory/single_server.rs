//! One server, any law of service: the Pollaczek-Khinchine formulas and what follows from them.
//!
//! Formulas: Kleinrock, "Queueing Systems", volume 1, sections 5.6 and 5.7; Takács, "Delay
//! distributions for one line with Poisson input, general holding times, and various orders of
//! service", Bell System Technical Journal 42, 1963, for the order last come first served.

use super::numeric::{fall_to, poisson};
use super::parameters::steady;
use super::queue::{sojourn, waits};
use super::{Observable, Parameters, Quantity, Says, at_load};
use crate::model::problem::Problem;

/// The first three moments of a service time.
struct Service {
    first: f64,
    second: f64,
    third: f64,
}

/// M/D/1.
pub(super) fn constant(parameters: &Parameters) -> Says {
    let (lambda, time) = (parameters.positive("lambda")?, parameters.positive("D")?);
    let rho = lambda * time;
    let service = Service { first: time, second: time * time, third: time * time * time };
    let mut all = moments(parameters, &service)?;
    // Next to a load of 100% the series is too long to be added up.
    if !parameters.says("order", "lifo") && rho < 0.999 {
        let quantile = |p| waits(p, constant_wait(lambda, time, rho, p));
        all.extend(at_load(rho, [0.5, 0.9, 0.99].map(quantile).into()));
    }
    Ok(all)
}

/// A quantile of the wait in M/D/1 by the form of Erlang's series whose terms are all positive
/// (Franx: "A simple solution for the M/D/c waiting time distribution", Operations Research Letters
/// 29, 2001, formula 3 with one server).
fn constant_wait(lambda: f64, time: f64, rho: f64, p: f64) -> f64 {
    let arrivals = poisson(rho, MOST_ARRIVALS);
    let mut tails = vec![1.0 - arrivals[0]];
    for count in &arrivals[1..] {
        tails.push((tails[tails.len() - 1] - count).max(0.0));
    }
    let tail = |count: usize| tails.get(count).copied().unwrap_or(0.0);
    // The number of customers after a departure, by the balance of flow between n and n + 1.
    let mut states = vec![1.0 - rho];
    let longer = |t: f64| {
        let steps = (t / time) as usize + 1;
        while states.len() <= steps {
            let n = states.len() - 1;
            let first = (n + 1).saturating_sub(MOST_ARRIVALS).max(1);
            let across: f64 = (first..=n).map(|i| states[i] * tail(n - i + 1)).sum();
            states.push((states[0] * tail(n) + across) / arrivals[0]);
        }
        // The share with at most m waiting is that with at most m + 1 customers.
        let left = lambda * (steps as f64 * time - t);
        let counts = poisson(left, steps - 1);
        let mut shares: f64 = states[0];
        let mut at_most = Vec::with_capacity(steps);
        for state in states.iter().skip(1).take(steps) {
            shares += state;
            at_most.push(shares);
        }
        let within: f64 = counts.iter().zip(at_most.iter().rev()).map(|(a, b)| a * b).sum();
        1.0 - within
    };
    fall_to(1.0 - p, longer)
}

/// How many customers come during one service at most: more than that have a probability that a
/// float does not tell from 0.
const MOST_ARRIVALS: usize = 64;

/// M/E_k/1.
pub(super) fn stages(parameters: &Parameters) -> Says {
    let (mean, k) = (parameters.positive("E[S]")?, parameters.positive("k")?);
    let second = mean * mean * (k + 1.0) / k;
    moments(parameters, &Service { first: mean, second, third: second * mean * (k + 2.0) / k })
}

/// M/G/1 with lognormal service.
pub(super) fn lognormal(parameters: &Parameters) -> Says {
    let (mean, grown) = (parameters.positive("E[S]")?, 1.0 + parameters.positive("cv2")?);
    let (second, third) = (mean * mean * grown, mean * mean * mean * grown * grown * grown);
    let mut all = moments(parameters, &Service { first: mean, second, third })?;
    if grown >= 5.0 {
        // Service times that come up once in a hundred million decide the third moment.
        let variances = all.iter_mut().filter(|quantity| quantity.name.starts_with("var"));
        variances.for_each(|quantity| quantity.measured = None);
    }
    Ok(of_erratic(grown - 1.0, all))
}

/// Where the squared coefficient of variation of service is 16 or more, the longest of many service
/// times decide what comes out, so that it comes about slowly: 5% is narrow enough.
fn of_erratic(cv2: f64, mut all: Vec<Quantity>) -> Vec<Quantity> {
    if cv2 > 16.0 - 1e-3 {
        all.iter_mut().for_each(|quantity| quantity.precision = quantity.precision.max(0.05));
    }
    all
}

fn moments(parameters: &Parameters, service: &Service) -> Says {
    let lambda = parameters.positive("lambda")?;
    let rho = lambda * service.first;
    steady(rho)?;
    let mean = lambda * service.second / (2.0 * (1.0 - rho));
    let square = lambda * service.third / (3.0 * (1.0 - rho)) + 2.0 * mean * mean;
    let (first, last) = (square - mean * mean, square / (1.0 - rho) - mean * mean);
    let is_first_come = !parameters.says("order", "lifo");
    let one = |name, value, measured, seen| match seen {
        true => Quantity::shown(name, value, measured),
        false => Quantity::unseen(name, value),
    };
    let metric = Observable::Metric;
    let all = vec![
        one("rho", rho, metric("working_mean"), is_first_come),
        one("Wq", mean, metric("wait_mean_ms"), is_first_come),
        one("W", mean + service.first, metric("latency_mean_ms"), is_first_come),
        one("L", lambda * (mean + service.first), Observable::Present, is_first_come),
        one("var_wait_FCFS", first, Observable::WaitVariance, is_first_come),
        one("var_wait_LCFS_nonpreemptive", last, Observable::WaitVariance, !is_first_come),
    ];
    Ok(at_load(rho, all))
}

/// Service times that are a mixture of two exponential ones.
struct Mixture {
    rates: [f64; 2],
    shares: [f64; 2],
}

impl Mixture {
    fn read(parameters: &Parameters) -> Result<Mixture, Problem> {
        let second = parameters.share("p2")?;
        let rates = [1.0 / parameters.positive("mean1")?, 1.0 / parameters.positive("mean2")?];
        Ok(Mixture { rates, shares: [1.0 - second, second] })
    }

    /// The squared coefficient of variation.
    fn cv2(&self) -> f64 {
        let sum = |moment: fn(f64) -> f64| -> f64 {
            (0..2).map(|part| self.shares[part] * moment(1.0 / self.rates[part])).sum()
        };
        let (mean, square) = (sum(|mean| mean), sum(|mean| 2.0 * mean * mean));
        square / (mean * mean) - 1.0
    }

    fn longer(&self, t: f64) -> f64 {
        (0..2).map(|part| self.shares[part] * libm::exp(-self.rates[part] * t)).sum()
    }
}

/// M/H2/1 by partial fractions of the transform of the sojourn time. Brooker: "Open and closed,
/// omission and collapse", 2023, has such service times.
pub(super) fn bimodal(parameters: &Parameters) -> Says {
    let mixture = Mixture::read(parameters)?;
    let rho = parameters.positive("rho")?;
    steady(rho)?;
    let ([m1, m2], [p1, p2]) = (mixture.rates, mixture.shares);
    let lambda = rho / (p1 / m1 + p2 / m2);
    // The transform is (1 - rho)(a s + b) / (s^2 + c s + d).
    let (a, b) = (p1 * m1 + p2 * m2, m1 * m2);
    let (c, d) = (m1 + m2 - lambda, m1 * m2 - lambda * (p1 * m2 + p2 * m1));
    let root = (c * c - 4.0 * d).sqrt();
    let fast = (c + root) / 2.0;
    let slow = d / fast;
    let weight = |own: f64, other: f64| (1.0 - rho) * (b - a * own) / (other - own) / own;
    let longer = |t: f64| {
        weight(slow, fast) * libm::exp(-slow * t) + weight(fast, slow) * libm::exp(-fast * t)
    };
    let mut all: Vec<Quantity> =
        [0.5, 0.9, 0.99, 0.999].map(|p| sojourn(p, fall_to(1.0 - p, longer))).into();
    all.push(Quantity::share("P(sojourn>15)", longer(15.0), Observable::LatencyAbove(15.0)));
    Ok(of_erratic(mixture.cv2(), all))
}

/// The same server with one client that waits for each answer: no queue can form.
pub(super) fn bimodal_closed(parameters: &Parameters) -> Says {
    let mixture = Mixture::read(parameters)?;
    let quantile = |p: f64| {
        let name = format!("service_q{p} (=closed loop, 1 client)");
        let value = fall_to(1.0 - p, |t| mixture.longer(t));
        Quantity::shown(name, value, Observable::Latency(p))
    };
    Ok([0.5, 0.99, 0.999].map(quantile).into())
}
