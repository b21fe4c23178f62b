//! The mean field of a queue whose customers give up and come again: where a healthy state and a
//! collapsed one stand side by side.
//!
//! Attempts come at the rate x = load (1 - p^n) / (1 - p), where p is the probability that one
//! fails at that rate: it is refused, or is not done in time, and its work is done all the same.
//! The load as a function of x rises, falls, and rises again; between its two folds there are two
//! stable states, and a trigger moves the system from one to the other. Bronson, Aghayev, Charapko
//! and Zhu, "Metastable Failures in Distributed Systems", HotOS 2021; the retrial queues of Falin
//! and Templeton (1997) with the M/M/1/K queue in place of the blocked server.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parameters::Parameter;
use super::text::parameter;
use crate::model::document::Value;
use crate::model::problem::Problem;

/// Where the parameters of the mean field stand in the model, as in `from` of `[theory]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MeanFieldText {
    /// The rate of service of all workers together, such as
    /// `"rate of service.api.on.get.steps.0.work"`.
    pub rate: String,
    /// How many may wait, such as `"service.api.queue.limit"`.
    pub line: String,
    /// After how long an attempt fails, such as `"policy.user.timeout"`.
    pub timeout: String,
    /// How many attempts there are, such as `"policy.user.retry.attempts"`.
    pub attempts: String,
}

/// A single server with a bounded line, and attempts that follow on each other at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanField {
    /// Services a second.
    pub rate: f64,
    /// How many may be in the system, the one that is served among them; `None` for any number.
    pub room: Option<u32>,
    /// After how many seconds an attempt fails.
    pub timeout: f64,
    /// How many attempts there are.
    pub attempts: f64,
}

/// The loads between which there are two stable states.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Folds {
    /// Below this load the collapsed state is not stable.
    pub lower: f64,
    /// The rate of attempts there.
    pub lower_attempts: f64,
    /// Above this load the healthy state is not stable.
    pub upper: f64,
    /// The rate of attempts there.
    pub upper_attempts: f64,
}

/// Points for each multiple of the service rate among which folds are looked for.
const POINTS: u32 = 500;
/// Terms smaller than this part of the largest one are left out of a sum.
const NEGLIGIBLE: f64 = 1e-18;
/// A probability nearer to 1 than this is 1.
const CERTAIN: f64 = 1e-15;
/// The most attempts.
const ATTEMPTS_MAX: f64 = 1000.0;

/// The load as a function of the rate of attempts.
struct Curve {
    field: MeanField,
    /// The probability that an attempt fails which finds 0, 1, ... in the system: so many and
    /// itself are not served within the timeout. It is 1 for all that find more.
    late: Vec<f64>,
}

impl MeanFieldText {
    /// The mean field of this model and experiment.
    ///
    /// # Errors
    /// If a parameter is not in the model, or is no number.
    pub fn of(&self, model: &Value, experiment: &Value) -> Result<MeanField, Problem> {
        let read = |key: &str, expression: &str| {
            let read = parameter([model, experiment], expression);
            read.map_err(|problem| problem.inside(key.to_owned()))
        };
        let number = |key: &str, expression: &str| match read(key, expression)? {
            Parameter::Number(number) if number > 0.0 && number.is_finite() => Ok(number),
            _ => Err(Problem::new(format!("`{expression}` is no number above 0"))
                .expected("a path to one")
                .inside(key.to_owned())),
        };
        let room = match read("line", &self.line)? {
            Parameter::Number(waiting) if waiting < 1e6 => Some(waiting as u32 + 1),
            _ => None,
        };
        let (rate, timeout) = (number("rate", &self.rate)?, number("timeout", &self.timeout)?);
        let attempts = number("attempts", &self.attempts)?;
        if attempts > ATTEMPTS_MAX {
            let problem = Problem::new(format!("{attempts} attempts are more than are summed up"));
            return Err(problem.expected(format!("at most {ATTEMPTS_MAX}")).inside("attempts"));
        }
        Ok(MeanField { rate, room, timeout, attempts })
    }
}

impl MeanField {
    /// The load that is enough to keep the server busy once every attempt fails.
    pub fn saturation(&self) -> f64 {
        self.rate / self.attempts
    }

    /// The folds; `None` if there is one state at every load.
    pub fn folds(&self) -> Option<Folds> {
        let curve = Curve::new(*self);
        let step = self.rate / f64::from(POINTS);
        let last = libm::ceil(f64::from(POINTS) * self.attempts.max(2.0)) as u32;
        // Where the load after a point is `sign` times less, in pairs of neighbours.
        let turn = |from: u32, sign: f64| {
            let mut load = curve.load(f64::from(from) * step);
            (from..last).find(|&k| {
                let before = load;
                load = curve.load(f64::from(k + 1) * step);
                sign * before > sign * load
            })
        };
        let top = turn(1, 1.0)?;
        let bottom = turn(top + 1, -1.0)?;
        let at = |k: u32, sign: f64| curve.extremum((f64::from(k) - 1.0) * step, 2.0 * step, sign);
        let (upper_attempts, lower_attempts) = (at(top, 1.0), at(bottom, -1.0));
        Some(Folds {
            lower: curve.load(lower_attempts),
            lower_attempts,
            upper: curve.load(upper_attempts),
            upper_attempts,
        })
    }
}

impl Curve {
    fn new(field: MeanField) -> Curve {
        let mean = field.rate * field.timeout;
        let mut below = 0.0;
        let mut late = Vec::new();
        for found in 0..field.room.unwrap_or(0) {
            let count = f64::from(found);
            let exactly = count * libm::log(mean) - mean - libm::lgamma(count + 1.0);
            below += libm::exp(exactly);
            if below > 1.0 - CERTAIN {
                break;
            }
            late.push(below);
        }
        Curve { field, late }
    }

    /// The load of users under which attempts come at this rate.
    fn load(&self, attempts_per_second: f64) -> f64 {
        let fails = self.fails(attempts_per_second);
        let attempts = self.field.attempts;
        let each = match fails < 1.0 {
            true => (1.0 - libm::pow(fails, attempts)) / (1.0 - fails),
            false => attempts,
        };
        attempts_per_second / each
    }

    /// The probability that an attempt is refused or is not done in time. Who finds the system full
    /// is refused.
    fn fails(&self, attempts_per_second: f64) -> f64 {
        let MeanField { rate, room, timeout, .. } = self.field;
        let load = attempts_per_second / rate;
        let Some(room) = room else {
            let fails = libm::exp((attempts_per_second - rate) * timeout);
            return fails.min(1.0);
        };
        // From the more probable end, so that what is left out is small.
        let (mut sum, mut failing, mut term) = (0.0, 0.0, 1.0);
        for step in 0..=room {
            let found = if load < 1.0 { step } else { room - step };
            sum += term;
            failing += term * self.late.get(found as usize).copied().unwrap_or(1.0);
            term *= if load < 1.0 { load } else { 1.0 / load };
            if term < NEGLIGIBLE {
                break;
            }
        }
        failing / sum
    }

    /// Where `sign` times the load is largest, by thirds.
    fn extremum(&self, from: f64, width: f64, sign: f64) -> f64 {
        let (mut low, mut high) = (from, from + width);
        for _ in 0..100 {
            let third = (high - low) / 3.0;
            match sign * self.load(low + third) < sign * self.load(high - third) {
                true => low += third,
                false => high -= third,
            }
        }
        f64::midpoint(low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folds(rate: f64, room: Option<u32>, timeout: f64, attempts: f64) -> Option<Folds> {
        MeanField { rate, room, timeout, attempts }.folds()
    }

    /// Every row of a table that was computed independently.
    #[test]
    fn bounded_lines_fold_where_others_found_it() {
        let text = include_str!("../../tests/data/published/meanfield_folds.csv");
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        let mut seen = 0;
        for row in rows.records() {
            let row = row.unwrap();
            let number = |column: usize| row[column].parse::<f64>();
            let known = |column: usize| number(column).expect("a number");
            let found = folds(known(0), Some(known(1) as u32), known(2), known(3));
            seen += 1;
            let Ok(lower) = number(4) else {
                assert_eq!(found, None, "no fold in so short a line: {row:?}");
                continue;
            };
            let found = found.expect("two folds");
            assert!((found.lower - lower).abs() < 1e-6, "{row:?}: {found:?}");
            assert!((found.upper - known(6)).abs() < 1e-6, "{row:?}: {found:?}");
            assert!((found.lower_attempts - known(5)).abs() < 2e-3, "{row:?}: {found:?}");
            assert!((found.upper_attempts - known(7)).abs() < 2e-3, "{row:?}: {found:?}");
        }
        assert_eq!(seen, 13);
    }

    #[test]
    fn a_line_without_end_falls_back_to_the_saturation() {
        for (rate, timeout, attempts, lower, upper) in [
            (10.0, 4.0, 4.0, 2.5, 8.851_416_2),
            (10.0, 1.0, 4.0, 2.5, 6.937_173_7),
            (10.0, 9.0, 4.0, 2.5, 9.394_550_8),
            (300.0, 1.0, 2.0, 150.0, 293.318_740_1),
        ] {
            let found = folds(rate, None, timeout, attempts).expect("two folds");
            assert!((found.lower / lower - 1.0).abs() < 1e-6, "{found:?}");
            let mean_field = MeanField { rate, room: None, timeout, attempts };
            assert_eq!(mean_field.saturation(), lower);
            assert!((found.upper - upper).abs() < 1e-6, "{found:?}");
        }
    }

    /// Who is late is told once, not at every point anew.
    #[test]
    fn a_long_line_folds_as_one_without_end_does() {
        let long = folds(10.0, Some(20_000), 4.0, 4.0).expect("two folds");
        let endless = folds(10.0, None, 4.0, 4.0).expect("two folds");
        assert!((long.lower - endless.lower).abs() < 1e-3, "{long:?}");
        assert!((long.upper - endless.upper).abs() < 1e-6, "{long:?}");
    }
}
