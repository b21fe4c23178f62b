//! Retrial queues: who finds every server taken comes back after an exponential time.
//!
//! Falin, Templeton: "Retrial Queues", 1997: chapter 1 for one server, chapter 2 for several. What
//! has no closed form is computed from the Markov chain.

use super::numeric::Matrix;
use super::parameters::steady;
use super::{Observable, Parameters, Quantity, Says, at_load};
use crate::model::problem::Problem;

/// One server, each customer in orbit comes back on its own.
pub(super) fn single(parameters: &Parameters) -> Says {
    let (lambda, mu) = (parameters.positive("lambda")?, parameters.positive("mu")?);
    let nu = parameters.positive("nu_per_customer")?;
    let rho = lambda / mu;
    steady(rho)?;
    let orbit = rho * (lambda + rho * nu) / (nu * (1.0 - rho));
    let retries = nu * orbit / lambda;
    let amplification = "amplification";
    let all = vec![
        Quantity::shown("P(busy)", rho, Observable::Metric("working_mean")),
        Quantity::shown("E[orbit]", orbit, Observable::Orbit),
        Quantity::shown("E[wait in orbit]", orbit / lambda, Observable::OrbitTime),
        Quantity::shown(
            "E[retrials per customer]",
            retries,
            Observable::MoreThanOne(amplification),
        ),
        Quantity::shown("attempt_amplification", 1.0 + retries, Observable::Metric(amplification)),
        Quantity::unseen("P(empty orbit & idle)", libm::pow(1.0 - rho, 1.0 + lambda / nu)),
    ];
    Ok(at_load(rho, all))
}

/// One server, and one customer of the orbit at a time comes back.
pub(super) fn single_constant(parameters: &Parameters) -> Says {
    let (lambda, mu) = (parameters.positive("lambda")?, parameters.positive("mu")?);
    let nu = parameters.positive("nu_total")?;
    let load = lambda * (lambda + nu) / nu / mu;
    steady(load)?;
    let chain = Chain { lambda, mu, servers: 1, persistence: 1.0, retries: |_| 1.0, nu };
    let states = chain.states()?;
    Ok(vec![
        Quantity::unseen("stability_lambda(lambda+nu)/(nu mu) <1", load),
        Quantity::shown("P(busy)", states.busy, Observable::Metric("working_mean")),
        Quantity::shown("E[orbit]", states.orbit, Observable::Orbit),
    ])
}

/// Several servers, each customer in orbit comes back on its own.
pub(super) fn several(parameters: &Parameters) -> Says {
    let chain = each_alone(parameters, 1.0)?;
    let states = chain.states()?;
    let metric = Observable::Metric;
    let again = states.orbit_blocked / states.orbit;
    let all = vec![
        Quantity::shown("E[orbit]", states.orbit, Observable::Orbit),
        Quantity::shown("P_blocked_first", states.blocked, metric("refused_first_ratio")),
        Quantity::shown("P_blocked_retry", again, metric("refused_again_ratio")),
        Quantity::shown("attempt_amplification", states.attempts, metric("amplification")),
    ];
    Ok(at_load(chain.load(), all))
}

/// The same, where a customer comes back with the probability `persistence_H` only.
pub(super) fn impatient(parameters: &Parameters) -> Says {
    let states = each_alone(parameters, parameters.share("persistence_H")?)?.states()?;
    let metric = Observable::Metric;
    Ok(vec![
        Quantity::shown("E[orbit]", states.orbit, Observable::Orbit),
        Quantity::shown("served_rate(goodput)", states.served, metric("goodput_per_s")),
        Quantity::shown("attempt_amplification", states.attempts, metric("amplification")),
    ])
}

fn each_alone(parameters: &Parameters, persistence: f64) -> Result<Chain, Problem> {
    let chain = Chain {
        lambda: parameters.positive("lambda")?,
        mu: parameters.positive("mu")?,
        servers: parameters.whole("c", MOST_SERVERS)? as usize,
        persistence,
        retries: |orbit| orbit as f64,
        nu: parameters.positive("nu_per_customer")?,
    };
    if persistence == 1.0 {
        steady(chain.load())?;
    }
    Ok(chain)
}

/// How many servers the chain is solved for: the work grows with their third power.
const MOST_SERVERS: u32 = 32;

/// The Markov chain of busy servers and customers in orbit.
struct Chain {
    lambda: f64,
    mu: f64,
    servers: usize,
    persistence: f64,
    /// How many customers come back at the rate `nu` each, of so many in orbit.
    retries: fn(usize) -> f64,
    nu: f64,
}

/// Averages over its stationary distribution.
#[derive(Default)]
struct States {
    /// Customers in orbit.
    orbit: f64,
    /// The same, where every server is taken.
    orbit_blocked: f64,
    /// How often every server is taken.
    blocked: f64,
    /// Servers that are taken.
    busy: f64,
    /// Customers served a second.
    served: f64,
    /// Attempts per customer.
    attempts: f64,
}

impl Chain {
    /// More customers in orbit are not looked at.
    const MOST: usize = 4_000;

    /// What the servers are asked for, as a share of what they can do.
    fn load(&self) -> f64 {
        self.lambda / (self.mu * self.servers as f64)
    }

    /// Solved level by level from the largest orbit down (Bright, Taylor: "Calculating the
    /// equilibrium distribution in level dependent quasi-birth-and-death processes", Stochastic
    /// Models 11, 1995), with a finite orbit.
    ///
    /// # Errors
    /// If the orbit is often larger.
    fn states(&self) -> Result<States, Problem> {
        let phases = self.servers + 1;
        let up = self.up();
        let mut ratios = Vec::with_capacity(Chain::MOST);
        let mut below = Matrix::zero(phases);
        for orbit in (1..=Chain::MOST).rev() {
            let ratio = up.times(&self.within(orbit).plus(&below).negative_inverse());
            below = ratio.times(&self.down(orbit));
            ratios.push(ratio);
        }
        let mut level = empty_orbit(&self.within(0).plus(&below));
        let mut states = States::default();
        let mut total = 0.0;
        self.count(&mut states, &mut total, 0, &level);
        for (orbit, ratio) in (1..).zip(ratios.iter().rev()) {
            level = ratio.after(&level);
            self.count(&mut states, &mut total, orbit, &level);
        }
        if level.iter().sum::<f64>() > 1e-12 * total {
            return Err(Problem::new(format!(
                "more than {} customers are in orbit at times, and the law is not computed for them",
                Chain::MOST
            ))
            .expected("a smaller load, or an experiment without `[theory]`"));
        }
        states.orbit /= total;
        states.orbit_blocked /= total;
        states.blocked /= total;
        states.busy /= total;
        states.served = self.mu * states.busy;
        states.attempts = 1.0 + self.nu * states.orbit / self.lambda;
        Ok(states)
    }

    fn count(&self, states: &mut States, total: &mut f64, orbit: usize, level: &[f64]) {
        for (busy, share) in level.iter().enumerate() {
            *total += share;
            states.busy += busy as f64 * share;
            states.orbit += orbit as f64 * share;
            if busy == self.servers {
                states.blocked += share;
                states.orbit_blocked += orbit as f64 * share;
            }
        }
    }

    /// One more in orbit.
    fn up(&self) -> Matrix {
        let mut up = Matrix::zero(self.servers + 1);
        up.add(self.servers, self.servers, self.lambda * self.persistence);
        up
    }

    /// One less in orbit.
    fn down(&self, orbit: usize) -> Matrix {
        let rate = self.nu * (self.retries)(orbit);
        let mut down = Matrix::zero(self.servers + 1);
        for busy in 0..self.servers {
            down.add(busy, busy + 1, rate);
        }
        down.add(self.servers, self.servers, rate * (1.0 - self.persistence));
        down
    }

    /// As many in orbit as before; the diagonal has the rates at which states are left.
    fn within(&self, orbit: usize) -> Matrix {
        let mut within = Matrix::zero(self.servers + 1);
        for busy in 0..=self.servers {
            if busy < self.servers {
                within.add(busy, busy + 1, self.lambda);
                within.add(busy, busy, -self.lambda);
            } else {
                within.add(busy, busy, -self.lambda * self.persistence);
            }
            if busy > 0 {
                let ends = self.mu * busy as f64;
                within.add(busy, busy - 1, ends);
                within.add(busy, busy, -ends);
            }
            if orbit > 0 {
                let gone = if busy < self.servers { 1.0 } else { 1.0 - self.persistence };
                within.add(busy, busy, -self.nu * (self.retries)(orbit) * gone);
            }
        }
        // Beyond the largest orbit nobody comes back later: who finds it full is lost.
        if orbit == Chain::MOST {
            within.add(self.servers, self.servers, self.lambda * self.persistence);
        }
        within
    }
}

/// The vector that a singular rate matrix leaves as it is, up to a factor.
fn empty_orbit(rates: &Matrix) -> Vec<f64> {
    // One equation follows from the others: it makes room for the sum, which is 1.
    let size = rates.size();
    let mut changed = rates.clone();
    for row in 0..size {
        changed.add(row, 0, 1.0 - rates.at(row, 0));
    }
    let inverse = changed.negative_inverse();
    (0..size).map(|column| -inverse.at(0, column)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_has_the_closed_form_of_one_server() {
        for (lambda, nu) in [(0.5, 1.0), (0.8, 10.0)] {
            let chain =
                Chain { lambda, mu: 1.0, servers: 1, persistence: 1.0, retries: |n| n as f64, nu };
            let orbit = lambda * (lambda + lambda * nu) / (nu * (1.0 - lambda));
            let states = chain.states().unwrap();
            assert!((states.orbit / orbit - 1.0).abs() < 1e-9);
            assert!((states.busy - lambda).abs() < 1e-12);
        }
    }
}
