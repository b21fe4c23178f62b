//! Files of delays alone: the back-off of each library from the parameters of the case.

use crate::vectors::{Case, Config, MILLISECOND, Mismatches, SECOND, draws_beside, span};
use serde_json::{Value, json};
use stormglass::kernel::draw::Draw;
use stormglass::kernel::time::Span;
use stormglass::policy::backoff::{Backoff, Cap, Growth, Jitter, Memory, Rounding};

/// How the cases of one oracle are replayed.
pub type ReplayCase = fn(&Case<'_>, &mut Mismatches) -> Result<(), String>;

type Build = fn(&Config<'_>) -> Result<Backoff, String>;

/// The replay of a delay oracle, if it is one.
pub fn oracle(name: &str) -> Option<ReplayCase> {
    if name == "backon-exponential" {
        return Some(backon);
    }
    build(name).map(|_| replay as ReplayCase)
}

fn build(oracle: &str) -> Option<Build> {
    Some(match oracle {
        "backoff-axios-retry" => axios_retry,
        "backoff-bullmq" => bullmq,
        "backoff-cockatiel" => cockatiel,
        "backoff-p-retry" | "backoff-retry" => retry,
        "backoff-azure_core" => azure_core,
        "backoff-backoff" => backoff,
        "backoff-botocore_legacy" => botocore_legacy,
        "backoff-celery" => celery,
        "backoff-dramatiq" => dramatiq,
        "backoff-google_api_core" => google_api_core,
        "backoff-stamina" => stamina,
        "backoff-stripe" => stripe,
        "backoff-tenacity" => tenacity,
        "backoff-urllib3" => urllib3,
        "tower-exponential-backoff" => tower,
        _ => return None,
    })
}

fn seconds(config: &Config<'_>, name: &'static str, default: f64) -> Span {
    span(config.number(name, default), SECOND)
}

fn millis(config: &Config<'_>, name: &'static str, default: f64) -> Span {
    span(config.number(name, default), MILLISECOND)
}

/// The series that the oracle's parameters make.
pub fn series(oracle: &str, config: &Config<'_>) -> Result<Backoff, String> {
    build(oracle).ok_or("no such back-off")?(config)
}

/// Replays the delays of one case; a step with n = 1 begins a new series.
fn replay(case: &Case<'_>, found: &mut Mismatches) -> Result<(), String> {
    let config = case.config();
    let series = series(&case.file.oracle, &config)?;
    config.finish()?;
    let mut memory = Memory::default();
    for (number, step) in case.steps() {
        let retry = step.number("n") as u32;
        if retry == 1 {
            memory = Memory::default();
        }
        let (name, unit) = if step.out.get("delay_s").is_some() {
            ("delay_s", SECOND)
        } else {
            ("delay_ms", MILLISECOND)
        };
        let recorded = step.out[name].as_f64();
        let before = memory;
        let mut ours = Value::Null;
        for draw in draws_beside(step.number("u")) {
            memory = before;
            let delay = series.delay(retry, &mut memory, draw);
            ours = delay_in(delay, unit, recorded);
            if recorded.is_some_and(|recorded| near(&ours, recorded)) {
                break;
            }
        }
        found.compare(case, number, &json!({ name: ours }));
    }
    Ok(())
}

/// The delay as it was recorded; beyond the longest span every delay is the same.
fn delay_in(delay: Span, unit: f64, recorded: Option<f64>) -> Value {
    match recorded {
        Some(recorded) if delay == Span::MAX && recorded * unit >= u64::MAX as f64 => {
            json!(recorded)
        }
        _ => json!(delay.0 as f64 / unit),
    }
}

fn near(ours: &Value, recorded: f64) -> bool {
    ours.as_f64().is_some_and(|ours| (ours - recorded).abs() <= 2e-6 * recorded.abs() + 5.1e-7)
}

fn axios_retry(config: &Config<'_>) -> Result<Backoff, String> {
    let factor = millis(config, "delayFactor", config.number("factor", 100.0));
    let first = Span(factor.0.saturating_mul(2));
    Ok(Backoff::exponential(first, 2.0).jittered(Jitter::Up(0.2)))
}

fn bullmq(config: &Config<'_>) -> Result<Backoff, String> {
    let delay = millis(config, "delay", 0.0);
    let growth = match config.text("type", "fixed") {
        "exponential" => Growth::Exponential { base: delay, factor: 2.0 },
        "fixed" => Growth::Constant { delay },
        kind => return Err(format!("unknown type {kind:?}")),
    };
    let jitter = config.number("jitter", 0.0);
    let spread = if jitter == 0.0 { Jitter::None } else { Jitter::Down(jitter) };
    Ok(Backoff::growing(growth).jittered(spread).truncated_to(Span::from_millis(1)))
}

fn cockatiel(config: &Config<'_>) -> Result<Backoff, String> {
    let base = millis(config, "initialDelay", 128.0);
    let factor = config.number("exponent", 2.0);
    let cap = millis(config, "maxDelay", 30_000.0);
    let whole = |jitter| {
        Backoff::exponential(base, factor)
            .capped(cap)
            .jittered(jitter)
            .truncated_to(Span::from_millis(1))
    };
    Ok(match config.text("generator", "decorrelated") {
        "decorrelated" => {
            Backoff::growing(Growth::DecorrelatedV2 { base, factor }).capped_after_jitter(cap)
        }
        "full" => whole(Jitter::Full),
        "half" => whole(Jitter::Equal),
        "none" => Backoff::exponential(base, factor).capped(cap),
        kind => return Err(format!("unknown generator {kind:?}")),
    })
}

fn retry(config: &Config<'_>) -> Result<Backoff, String> {
    config.value("retries");
    let base = Span(millis(config, "minTimeout", 1_000.0).0.max(1_000_000));
    let series = Backoff::exponential(base, config.number("factor", 2.0));
    let cap = Cap::AfterJitter(millis(config, "maxTimeout", f64::INFINITY));
    let jitter = if config.flag("randomize", false) { Jitter::Up(1.0) } else { Jitter::None };
    Ok(Backoff { cap, jitter, rounding: Rounding::Nearest(Span::from_millis(1)), ..series })
}

fn azure_core(config: &Config<'_>) -> Result<Backoff, String> {
    let base = seconds(config, "retry_backoff_factor", 0.8);
    let cap = seconds(config, "retry_backoff_max", 120.0);
    let growth = match config.text("retry_mode", "exponential") {
        "exponential" => Growth::Exponential { base, factor: 2.0 },
        "fixed" => return Ok(Backoff::constant(base).capped(cap)),
        kind => return Err(format!("unknown mode {kind:?}")),
    };
    Ok(Backoff { first_at_once: true, ..Backoff::growing(growth).capped(cap) })
}

fn backoff(config: &Config<'_>) -> Result<Backoff, String> {
    let base = seconds(config, "factor", 1.0);
    let series = Backoff::exponential(base, config.number("base", 2.0));
    let jitter = match config.text("jitter", "full") {
        "full" | "full_jitter" => Jitter::Full,
        "none" => Jitter::None,
        "random" | "random_jitter" => Jitter::Plus(Span::from_secs(1)),
        kind => return Err(format!("unknown jitter {kind:?}")),
    };
    Ok(series.capped(seconds(config, "max_value", f64::INFINITY)).jittered(jitter))
}

fn botocore_legacy(config: &Config<'_>) -> Result<Backoff, String> {
    let factor = config.number("growth_factor", 2.0);
    let fixed = config.value("base").and_then(Value::as_f64);
    Ok(match fixed {
        Some(base) => Backoff::exponential(span(base, SECOND), factor),
        None => Backoff::exponential(Span::from_secs(1), factor).jittered(Jitter::Full),
    })
}

fn celery(config: &Config<'_>) -> Result<Backoff, String> {
    let factor = config.number("factor", config.number("retry_backoff", 1.0));
    let maximum = config.number("maximum", config.number("retry_backoff_max", 600.0));
    let jitter = config.flag("full_jitter", config.flag("retry_jitter", true));
    let jitter = if jitter { Jitter::FullInclusive } else { Jitter::None };
    Ok(Backoff::exponential(span(factor, SECOND), 2.0)
        .capped(span(maximum, SECOND))
        .jittered(jitter)
        .truncated_to(Span::from_secs(1)))
}

fn dramatiq(config: &Config<'_>) -> Result<Backoff, String> {
    let base = Span(millis(config, "min_backoff", 15_000.0).0.saturating_mul(2));
    let cap = millis(config, "max_backoff", 604_800_000.0);
    Ok(Backoff::exponential(base, 2.0)
        .capped(cap)
        .jittered(Jitter::Equal)
        .truncated_to(Span::from_millis(1)))
}

pub fn google_api_core(config: &Config<'_>) -> Result<Backoff, String> {
    let base = seconds(config, "initial", 1.0);
    Ok(Backoff::exponential(base, config.number("multiplier", 2.0))
        .capped(seconds(config, "maximum", 60.0))
        .jittered(Jitter::Full))
}

fn stamina(config: &Config<'_>) -> Result<Backoff, String> {
    let base = seconds(config, "wait_initial", 0.1);
    Ok(Backoff::exponential(base, config.number("wait_exp_base", 2.0))
        .jittered(Jitter::Plus(seconds(config, "wait_jitter", 1.0)))
        .capped_after_jitter(seconds(config, "wait_max", 5.0)))
}

fn stripe(config: &Config<'_>) -> Result<Backoff, String> {
    let base = seconds(config, "initial_delay", 0.5);
    let series = Backoff::exponential(base, 2.0)
        .capped(seconds(config, "max_delay", 5.0))
        .jittered(Jitter::Equal);
    Ok(Backoff { floor: base, ..series })
}

fn tenacity(config: &Config<'_>) -> Result<Backoff, String> {
    let most = f64::INFINITY;
    let least = seconds(config, "min", 0.0);
    let factor = config.number("exp_base", 2.0);
    Ok(match config.text("strategy", "none") {
        "none" => Backoff::NONE,
        "fixed" => Backoff::constant(seconds(config, "wait", 0.0)),
        "exponential" => {
            let series = Backoff::exponential(seconds(config, "multiplier", 1.0), factor);
            Backoff { floor: least, ..series.capped(seconds(config, "max", most)) }
        }
        "random_exponential" => {
            let series = Backoff::exponential(seconds(config, "multiplier", 1.0), factor)
                .capped(seconds(config, "max", most))
                .jittered(Jitter::From(least));
            Backoff { min: least, ..series }
        }
        "exponential_jitter" => {
            let series = Backoff::exponential(seconds(config, "initial", 1.0), factor)
                .jittered(Jitter::Plus(seconds(config, "jitter", 1.0)))
                .capped_after_jitter(seconds(config, "max", most));
            Backoff { floor: least, ..series }
        }
        kind => return Err(format!("unknown strategy {kind:?}")),
    })
}

fn urllib3(config: &Config<'_>) -> Result<Backoff, String> {
    let base = seconds(config, "backoff_factor", 0.0);
    let jitter = match seconds(config, "backoff_jitter", 0.0) {
        Span::ZERO => Jitter::None,
        most => Jitter::Plus(most),
    };
    let series = Backoff::exponential(base, 2.0).jittered(jitter);
    let cap = seconds(config, "backoff_max", 120.0);
    Ok(Backoff { first_at_once: true, ..series.capped_after_jitter(cap) })
}

fn tower(config: &Config<'_>) -> Result<Backoff, String> {
    let jitter = match config.number("jitter", 0.99) {
        0.0 => Jitter::None,
        jitter => Jitter::UpInParts(jitter),
    };
    Ok(Backoff::exponential(millis(config, "min_ms", 50.0), 2.0)
        .jittered(jitter)
        .capped_after_jitter(millis(config, "max_ms", f64::INFINITY)))
}

/// backon: an iterator that ends, by number of delays or by their sum.
fn backon(case: &Case<'_>, found: &mut Mismatches) -> Result<(), String> {
    let config = case.config();
    let base = millis(&config, "min_ms", 1_000.0);
    let series = Backoff::exponential(base, config.number("factor", 2.0))
        .capped(millis(&config, "max_ms", 60_000.0))
        .jittered(if config.flag("jitter", false) { Jitter::Up(1.0) } else { Jitter::None });
    let (times, total) = (config.count("max_times", 3), millis(&config, "total_ms", f64::INFINITY));
    config.value("seed");
    config.finish()?;
    let mut spent = Span::ZERO;
    let mut ended = false;
    for (number, step) in case.steps() {
        let draw = Draw::from_unit(step.out["u"].as_f64().unwrap_or(0.0));
        let retry = number as u32 + 1;
        let delay = series.delay(retry, &mut Memory::default(), draw);
        ended = ended || retry > times || spent + delay > total;
        // Recorded in whole microseconds.
        let ours = if ended { Value::Null } else { json!((delay.millis() * 1e3).round() / 1e3) };
        spent += delay;
        found.compare(case, number, &json!({ "delay_ms": ours, "u": step.out["u"] }));
    }
    Ok(())
}
