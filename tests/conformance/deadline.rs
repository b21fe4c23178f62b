//! google-api-core: whole calls that stop at a deadline.

use crate::delays::google_api_core;
use crate::vectors::{Case, Mismatches, SECOND, Step, draws_beside, nanos, span};
use serde_json::{Value, json};
use stormglass::kernel::time::{Span, Time};
use stormglass::policy::retry::Retry;
use stormglass::policy::{Admission, AfterAttempt, Outcome, Policy, Response};

pub fn replay(case: &Case<'_>, found: &mut Mismatches) -> Result<(), String> {
    let config = case.config();
    let series = google_api_core(&config)?;
    let policy = Policy {
        deadline: Some(span(config.number("timeout", config.number("deadline", 120.0)), SECOND)),
        retry: Some(Retry { stop_before_deadline: true, ..Retry::new(u32::MAX, series) }),
        ..Policy::default()
    };
    config.finish()?;
    for (number, step) in case.steps() {
        found.compare(case, number, &call(&policy, step)?);
    }
    Ok(())
}

/// One whole call that begins at time zero. Durations and draws are used in a cycle.
fn call(policy: &Policy, step: &Step) -> Result<Value, String> {
    let list = |name: &str| -> Result<Vec<f64>, String> {
        let values = step.event[name].as_array().ok_or(format!("no {name}"))?;
        Ok(values.iter().filter_map(Value::as_f64).collect())
    };
    let (durations, us) = (list("durations")?, list("us")?);
    let ok_at = step.event["ok_at"].as_u64();
    let (mut state, mut progress) = (policy.state(), policy.begin());
    let mut now = Time::ZERO;
    let mut sleeps = Vec::new();
    for index in 0_usize.. {
        let [draw, _] = draws_beside(us[index % us.len()]);
        if policy.admit(&mut state, &mut progress, now, draw) != Admission::Go {
            return Err("an attempt was not admitted".to_owned());
        }
        let started = now;
        now = now + Span(nanos(durations[index % durations.len()], SECOND));
        let outcome = if ok_at == Some(index as u64) { Outcome::Ok } else { Outcome::Failed };
        let response = Response::new(outcome);
        let verdict =
            policy.settle(&mut state, &mut progress, now, started, Time::ZERO, response, draw);
        let result = match verdict {
            AfterAttempt::Retry { after } => {
                sleeps.push(after.seconds());
                now = now + after;
                continue;
            }
            AfterAttempt::Done => "ok",
            AfterAttempt::GiveUp(_) => "RetryError",
        };
        return Ok(json!({
            "attempts": progress.attempts(),
            "sleeps_s": sleeps,
            "end_s": now.seconds(),
            "result": result,
        }));
    }
    Err("the call never ended".to_owned())
}
