//! When users arrive and which keys they are about, in the form in which it runs.

use super::compile::ReadFile;
use super::language::{Arrivals, Keys, ProfileStep};
use super::problem::Problem;
use super::{check, program, trace};
use crate::kernel::time::{Span, Time};

pub(super) fn arrivals(
    text: &Arrivals,
    read_file: ReadFile<'_>,
) -> Result<program::Arrivals, Problem> {
    match text {
        Arrivals::Poisson(rate) => {
            let rate = check::rate(*rate).map_err(|problem| problem.inside("poisson"))?;
            Ok(program::Arrivals::Poisson(vec![(Time::ZERO, rate)]))
        }
        Arrivals::Constant(rate) => {
            let rate = check::rate(*rate).map_err(|problem| problem.inside("constant"))?;
            Ok(program::Arrivals::Constant(Span::from_secs_f64(1.0 / rate)))
        }
        Arrivals::Profile(steps) => profile(steps).map_err(|problem| problem.inside("profile")),
        Arrivals::Trace(trace) => {
            let text = read_file(&trace.path).map_err(|problem| problem.inside("path"));
            text.and_then(|text| trace::arrivals(trace, &text))
                .map(|times| program::Arrivals::Trace(times.into()))
                .map_err(|problem| problem.inside("trace"))
        }
    }
}

fn profile(steps: &[ProfileStep]) -> Result<program::Arrivals, Problem> {
    let mut rates: Vec<(Time, f64)> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let (at, rate) = (Time(step.at.0), step.rate);
        let problem = match rates.last() {
            None if at != Time::ZERO => Problem::new("nothing says who arrives before this step")
                .expected("the first step of a profile at \"0s\""),
            Some(&(before, _)) if at <= before => Problem::new("a profile goes forward in time")
                .expected("a time after that of the step before"),
            _ if rate.per_second == 0.0 => {
                rates.push((at, 0.0));
                continue;
            }
            _ => match check::rate(rate) {
                Ok(rate) => {
                    rates.push((at, rate));
                    continue;
                }
                Err(problem) => return Err(problem.inside("rate").inside(index.to_string())),
            },
        };
        return Err(problem.inside("at").inside(index.to_string()));
    }
    if rates.iter().all(|&(_, rate)| rate == 0.0) {
        return Err(Problem::new("nobody ever arrives").expected("a step with a rate above 0/s"));
    }
    Ok(program::Arrivals::Poisson(rates))
}

/// The upper end of each key's part of `0..2^64`.
pub(super) fn key_table(keys: Keys) -> Result<Vec<u64>, Problem> {
    let (of, weight): (u32, Box<dyn Fn(f64) -> f64>) = match keys {
        Keys::Uniform(of) => {
            check::count("keys", of, 1, check::KEYS_MAX)
                .map_err(|problem| problem.inside("uniform"))?;
            (of, Box::new(|_| 1.0))
        }
        Keys::Zipf { exponent, of } => {
            if !(0.0..=10.0).contains(&exponent) {
                return Err(Problem::new(format!("no Zipf law has the exponent {exponent}"))
                    .expected("a number from 0 to 10")
                    .inside("exponent")
                    .inside("zipf"));
            }
            check::count("keys", of, 1, check::KEYS_MAX)
                .map_err(|problem| problem.inside("of").inside("zipf"))?;
            (of, Box::new(move |key| libm::pow(key, -exponent)))
        }
    };
    if of == 1 {
        return Ok(Vec::new());
    }
    let weights: Vec<f64> = (1..=of).map(|key| weight(f64::from(key))).collect();
    let total: f64 = weights.iter().sum();
    let mut sum = 0.0;
    let scale = u64::MAX as f64 / total;
    Ok(weights
        .iter()
        .map(|weight| {
            sum += weight;
            (sum * scale) as u64
        })
        .collect())
}
