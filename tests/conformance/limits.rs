//! Rate limiters and windowed budgets.

use crate::vectors::{Case, MICROSECOND, MILLISECOND, Mismatches, Step, nanos, span};
use serde_json::{Value, json};
use stormglass::kernel::time::{Span, Time};
use stormglass::policy::budget::{Deposit, Window};
use stormglass::policy::rate_limit::{Debt, Gcra, GcraState, Smooth};

pub fn tower_budget(case: &Case<'_>, found: &mut Mismatches) -> Result<(), String> {
    let config = case.config();
    let rule = Window::tower(
        Deposit::FirstTry,
        config.number("retry_percent", 0.2) as f32,
        config.count("min_per_sec", 10),
        span(config.number("ttl_ms", 10_000.0), MILLISECOND),
    );
    config.finish()?;
    let mut state = rule.state();
    for (number, step) in case.steps() {
        let now = step.time("t_ms", MILLISECOND);
        let allowed = match step.text("op") {
            "deposit" => {
                rule.deposit(&mut state, Deposit::FirstTry, now);
                Value::Null
            }
            "withdraw" => json!(rule.withdraw(&mut state, now)),
            op => return Err(format!("unknown op {op:?}")),
        };
        found.compare(case, number, &json!({ "allowed": allowed, "balance": state.balance() }));
    }
    Ok(())
}

pub fn gcra(case: &Case<'_>, found: &mut Mismatches) -> Result<(), String> {
    let config = case.config();
    let interval = Span(1_000_000_000 / u64::from(config.count("per_second", 1)));
    let rule = Gcra { interval, burst: config.count("burst", 1) };
    config.finish()?;
    let mut state = GcraState::default();
    for (number, step) in case.steps() {
        let (now, permits) = (step.time("t_us", MICROSECOND), step.number("n") as u32);
        let wait = rule.wait(&state, permits, now);
        let allowed = rule.reserve(&mut state, permits, now, Span::ZERO).is_some();
        let wait = wait.map_or(Value::Null, |wait| json!(wait.0 as f64 / MICROSECOND));
        found.compare(case, number, &json!({ "allowed": allowed, "wait_us": wait }));
    }
    Ok(())
}

pub fn debt(case: &Case<'_>, found: &mut Mismatches) -> Result<(), String> {
    let config = case.config();
    let rule = Debt { rate: config.number("rate", 0.0), burst: config.count("burst", 0) };
    config.finish()?;
    let mut state = rule.state();
    for (number, step) in case.steps() {
        let (now, permits) = (step.time("t_ms", MILLISECOND), step.number("n") as u32);
        let ours = match step.text("op") {
            "allow" => {
                let taken = rule.reserve(&mut state, permits, now, Span::ZERO);
                json!({ "allowed": taken.is_some() })
            }
            "reserve" => {
                let taken = rule.reserve(&mut state, permits, now, Span::MAX);
                json!({ "ok": taken.is_some(), "delay_ms": taken.map(Span::millis) })
            }
            op => return Err(format!("unknown op {op:?}")),
        };
        found.compare(case, number, &ours);
    }
    Ok(())
}

pub fn guava(case: &Case<'_>, found: &mut Mismatches) -> Result<(), String> {
    let config = case.config();
    let rule = Smooth {
        rate: config.number("permits_per_second", 1.0),
        warm_up: span(config.number("warmup_ms", 0.0), MILLISECOND),
    };
    config.finish()?;
    let mut state = rule.state();
    for (number, step) in case.steps() {
        let (now, permits) = (step.time("t_us", MICROSECOND), step.number("n") as u32);
        let patience = patience(step)?;
        let wait = rule.reserve(&mut state, permits, now, patience);
        let ours = if step.text("op") == "try" {
            json!({ "allowed": wait.is_some() })
        } else {
            json!({ "wait_us": wait.map(|wait| wait.0 as f64 / MICROSECOND) })
        };
        found.compare(case, number, &ours);
    }
    Ok(())
}

fn patience(step: &Step) -> Result<Span, String> {
    match step.text("op") {
        "acquire" => Ok(Span::MAX),
        "try" => Ok(Span(nanos(step.number("timeout_us"), MICROSECOND))),
        op => Err(format!("unknown op {op:?}")),
    }
}

/// The time at which a case that names its start begins.
pub fn start(value: f64, unit: f64) -> Time {
    Time(nanos(value, unit))
}
