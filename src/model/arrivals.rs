//! When users arrive and which keys they are about, in the form in which it runs.

use super::language::{self, Arrivals, Daily, Keys, ProfileStep};
use super::problem::Problem;
use super::program::{self, Piece, Rates};
use super::quantity::Rate;
use super::recording::ReadFile;
use super::{check, trace};
use crate::kernel::time::{Span, Time};

/// In how many linear pieces a cosine is cut: a rate is wrong by at most 0.06% of its amplitude,
/// (2 pi / pieces)^2 / 8, and its mean over a period is exact.
const DAILY_PIECES: u32 = 96;

/// Looking for the next user takes time for every period without one.
const USERS_EACH_PERIOD_MIN: f64 = 0.01;

pub(super) fn arrivals(
    text: &Arrivals,
    read_file: ReadFile<'_>,
) -> Result<program::Arrivals, Problem> {
    match text {
        Arrivals::Poisson(rate) => {
            let rate = check::rate(*rate).map_err(|problem| problem.inside("poisson"))?;
            let pieces = vec![Piece { from: Time::ZERO, rate, slope: 0.0 }];
            Ok(program::Arrivals::Poisson(Rates { pieces, period: None, start: Span::ZERO }))
        }
        Arrivals::Constant(rate) => {
            let rate = check::rate(*rate).map_err(|problem| problem.inside("constant"))?;
            Ok(program::Arrivals::Constant(Span::from_secs_f64(1.0 / rate)))
        }
        Arrivals::Profile(steps) => profile(steps)
            .map(program::Arrivals::Poisson)
            .map_err(|problem| problem.inside("profile")),
        Arrivals::Daily(text) => {
            daily(text).map(program::Arrivals::Poisson).map_err(|problem| problem.inside("daily"))
        }
        Arrivals::Bursts(text) => {
            bursts(text).map(program::Arrivals::Bursts).map_err(|problem| problem.inside("bursts"))
        }
        Arrivals::Trace(trace) => {
            let text = read_file(&trace.path).map_err(|problem| problem.inside("path"));
            text.and_then(|text| trace::arrivals(trace, &text))
                .map(program::Arrivals::Trace)
                .map_err(|problem| problem.inside("trace"))
        }
        Arrivals::Closed(text) => {
            check::count("users", text.users, 1, check::USERS_MAX)
                .map_err(|problem| problem.inside("users").inside("closed"))?;
            let think = text.think.clone();
            Ok(program::Arrivals::Closed(program::Closed { users: text.users, think }))
        }
    }
}

/// A rate that may be zero for a while.
fn rate_or_none(rate: Rate) -> Result<f64, Problem> {
    if rate.per_second == 0.0 { Ok(0.0) } else { check::rate(rate) }
}

fn profile(steps: &[ProfileStep]) -> Result<Rates, Problem> {
    let mut pieces: Vec<Piece> = Vec::new();
    // When the step before begins, and when its ramp or spike is over.
    let mut before = None;
    for (index, step) in steps.iter().enumerate() {
        let more = follows(step, before)
            .and_then(|()| profile_step(step, &pieces))
            .map_err(|problem| problem.inside(index.to_string()))?;
        before = Some((step.at, step.until.unwrap_or(step.at)));
        // A step where a ramp or spike ends is about the rate from there on.
        pieces.retain(|piece| piece.from < more[0].from);
        pieces.extend(more);
    }
    let is_rise = |piece: &Piece| piece.rate > 0.0 || piece.slope > 0.0;
    if !pieces.iter().any(is_rise) {
        return Err(Problem::new("nobody ever arrives").expected("a step with a rate above 0/s"));
    }
    Ok(Rates { pieces, period: None, start: Span::ZERO })
}

/// Whether a step comes after the one before.
fn follows(step: &ProfileStep, before: Option<(Span, Span)>) -> Result<(), Problem> {
    let problem = match before {
        None if step.at != Span::ZERO => Problem::new("nothing says who arrives before this step")
            .expected("the first step of a profile at \"0s\""),
        Some((at, _)) if step.at <= at => Problem::new("a profile goes forward in time")
            .expected("a time after that of the step before"),
        Some((_, over)) if step.at < over => {
            Problem::new("the ramp or spike before is not over at this time")
                .expected(format!("a time from {over} on"))
        }
        _ => return Ok(()),
    };
    Err(problem.inside("at"))
}

/// The pieces of one step after those before it.
fn profile_step(step: &ProfileStep, pieces: &[Piece]) -> Result<Vec<Piece>, Problem> {
    let at = Time(step.at.0);
    let rate = rate_or_none(step.rate).map_err(|problem| problem.inside("rate"))?;
    let Some(until) = step.until else {
        if step.to.is_some() {
            return Err(Problem::new("nothing says when this ramp ends")
                .expected("`until` with a time after `at`")
                .inside("to"));
        }
        return Ok(vec![Piece { from: at, rate, slope: 0.0 }]);
    };
    if until <= step.at {
        return Err(Problem::new("this ends before it begins")
            .expected("a time after `at`")
            .inside("until"));
    }
    let until = Time(until.0);
    let after = match (step.to, pieces.last()) {
        (Some(to), _) => rate_or_none(to).map_err(|problem| problem.inside("to"))?,
        (None, Some(before)) => before.rate,
        (None, None) => {
            return Err(Problem::new("nothing says what the rate is after this spike")
                .expected("a step before it, or `to` for a ramp")
                .inside("until"));
        }
    };
    let slope = match step.to {
        Some(_) => (after - rate) / until.since(at).seconds(),
        None => 0.0,
    };
    let then = Piece { from: until, rate: after, slope: 0.0 };
    Ok(vec![Piece { from: at, rate, slope }, then])
}

fn daily(text: &Daily) -> Result<Rates, Problem> {
    let mean = check::rate(text.mean).map_err(|problem| problem.inside("mean"))?;
    let period = text.period;
    if period < Span::from_secs(1) {
        return Err(Problem::new("this period is too short")
            .expected("at least 1s")
            .inside("period"));
    }
    check_frequency(mean, period).map_err(|problem| problem.inside("mean"))?;
    for (name, span) in [("peak", text.peak), ("start", text.start)] {
        if span >= period {
            return Err(Problem::new("this is after the end of the period")
                .expected(format!("less than {period}"))
                .inside(name));
        }
    }
    let from = |index: u32| {
        Time((u128::from(period.0) * u128::from(index) / u128::from(DAILY_PIECES)) as u64)
    };
    let peak = text.peak.seconds() / period.seconds();
    let rate = |index: u32| {
        let phase = f64::from(index % DAILY_PIECES) / f64::from(DAILY_PIECES) - peak;
        let wave = libm::cos(2.0 * std::f64::consts::PI * phase);
        (mean * (1.0 + text.amplitude.0 * wave)).max(0.0)
    };
    let piece = |index: u32| {
        let length = from(index + 1).since(from(index)).seconds();
        let slope = (rate(index + 1) - rate(index)) / length;
        Piece { from: from(index), rate: rate(index), slope }
    };
    let pieces = (0..DAILY_PIECES).map(piece).collect();
    Ok(Rates { pieces, period: Some(period), start: text.start })
}

fn bursts(text: &language::Bursts) -> Result<program::Bursts, Problem> {
    let rates = [("calm", text.calm), ("burst", text.burst)];
    let [calm, burst] =
        rates.map(|(name, rate)| rate_or_none(rate).map_err(|problem| problem.inside(name)));
    let rates = [calm?, burst?];
    for (name, span) in [("calm_for", text.calm_for), ("burst_for", text.burst_for)] {
        if span == Span::ZERO {
            return Err(Problem::new("this state never lasts")
                .expected("more than 0s")
                .inside(name));
        }
    }
    let means = [text.calm_for, text.burst_for];
    let [calm, burst] = means.map(Span::seconds);
    let mean = (rates[0] * calm + rates[1] * burst) / (calm + burst);
    check_frequency(mean, text.calm_for + text.burst_for)?;
    Ok(program::Bursts { rates, means })
}

/// A pattern that comes round so often that hardly anybody arrives meanwhile.
fn check_frequency(mean: f64, period: Span) -> Result<(), Problem> {
    if mean * period.seconds() >= USERS_EACH_PERIOD_MIN {
        return Ok(());
    }
    Err(Problem::new("hardly anybody arrives before this pattern begins again")
        .expected(format!("at least {USERS_EACH_PERIOD_MIN} users each time on average")))
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
