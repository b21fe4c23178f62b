//! Breakers whose calls are recorded one after another.

use crate::vectors::{Case, Config, MILLISECOND, Mismatches, SECOND, span};
use serde_json::{Value, json};
use stormglass::kernel::draw::Draw;
use stormglass::kernel::time::{Span, Time};
use stormglass::policy::backoff::Backoff;
use stormglass::policy::breaker::{
    Breaker, BreakerState, Comparison, Gate, Mode, OnClose, Probes, Proof, Rotation, Ticket, Trip,
    Unheard, Window,
};
use stormglass::policy::{Outcome, OutcomeSet};

const DRAW: Draw = Draw(0);

fn name(mode: Mode, half_open: &str) -> Value {
    match mode {
        Mode::Closed => json!("closed"),
        Mode::Open => json!("open"),
        Mode::HalfOpen => json!(half_open),
    }
}

/// One call that takes no time; returns whether it was admitted.
fn call(breaker: &Breaker, state: &mut BreakerState, now: Time, outcome: Outcome) -> bool {
    match breaker.admit(state, now, DRAW) {
        Gate::Pass(ticket) => {
            breaker.record(state, ticket, outcome, Span::ZERO, now, DRAW);
            true
        }
        Gate::Reject | Gate::Queue => false,
    }
}

/// pybreaker with the parameters of a case.
pub fn pybreaker_rule(config: &Config<'_>) -> Result<Breaker, String> {
    let trip = Trip::Consecutive { failures: config.count("fail_max", 5) };
    let reset = span(config.number("reset_timeout", 60.0), SECOND);
    let successes = config.count("success_threshold", 1);
    config.finish()?;
    let probes = Probes { at_once: true, proof: Proof::Successes(successes), ..Probes::ONE };
    Ok(Breaker { probes, ..Breaker::new(trip, reset) })
}

pub fn pybreaker(case: &Case<'_>, found: &mut Mismatches) -> Result<(), String> {
    let breaker = pybreaker_rule(&case.config())?;
    let mut state = breaker.state();
    for (number, step) in case.steps() {
        // An excluded exception is a success to pybreaker.
        let (outcome, own) = match step.text("outcome") {
            "ok" => (Outcome::Ok, Value::Null),
            "excluded" => (Outcome::Invalid, json!("own")),
            "fail" => (Outcome::Failed, json!("own")),
            outcome => return Err(format!("unknown outcome {outcome:?}")),
        };
        let allowed = call(&breaker, &mut state, step.time("t", SECOND), outcome);
        let tripped = outcome == Outcome::Failed && state.mode() == Mode::Open;
        let ours = json!({
            "allowed": allowed,
            "state": name(state.mode(), "half-open"),
            "fail_counter": state.consecutive_failures(),
            "raised": if !allowed || tripped { json!("breaker") } else { own },
        });
        found.compare(case, number, &ours);
    }
    Ok(())
}

/// A cockatiel breaker with the parameters of a case.
pub fn cockatiel_rule(config: &Config<'_>) -> Result<Breaker, String> {
    let trip = cockatiel_trip(config)?;
    let open_for = span(config.number("halfOpenAfter_ms", 0.0), MILLISECOND);
    config.finish()?;
    Ok(Breaker {
        failures: OutcomeSet::of(&[Outcome::Failed]),
        ignored: OutcomeSet::of(&[Outcome::Invalid]),
        probes: Probes { queue: true, ..Probes::ONE },
        unheard: Unheard::Closes,
        on_close: OnClose::KeepsProbe,
        ..Breaker::new(trip, open_for)
    })
}

pub fn cockatiel(case: &Case<'_>, found: &mut Mismatches) -> Result<(), String> {
    let breaker = cockatiel_rule(&case.config())?;
    let mut state = breaker.state();
    for (number, step) in case.steps() {
        let outcome = match step.text("outcome") {
            "ok" => Outcome::Ok,
            "fail" => Outcome::Failed,
            "unhandled" => Outcome::Invalid,
            outcome => return Err(format!("unknown outcome {outcome:?}")),
        };
        let admitted = call(&breaker, &mut state, step.time("t_ms", MILLISECOND), outcome);
        let ours = json!({ "admitted": admitted, "state": name(state.mode(), "halfOpen") });
        found.compare(case, number, &ours);
    }
    Ok(())
}

/// The parameters of cockatiel's three breakers, with the arithmetic of its constructors.
fn cockatiel_trip(config: &Config<'_>) -> Result<Trip, String> {
    let ratio = config.number("threshold", 0.0);
    let (window, minimum) = match config.text("kind", "") {
        "consecutive" => return Ok(Trip::Consecutive { failures: ratio as u32 }),
        "count" => {
            let size = config.count("size", 100);
            (Window::Calls(size), config.count("minimumNumberOfCalls", size))
        }
        "sampling" => {
            let duration = config.number("duration", 0.0);
            let buckets = (duration / 1_000.0).ceil().max(5.0);
            let width = (duration / buckets).round();
            let given = config.value("minimumRps").and_then(Value::as_f64);
            let per_millisecond =
                given.map_or(5.0 / (ratio * 1_000.0), |per_second| per_second / 1_000.0);
            let minimum = (width * buckets * per_millisecond).ceil();
            let window = Window::Time {
                span: span(width * buckets, MILLISECOND),
                buckets: buckets as u32,
                rotation: Rotation::OnePerCall,
            };
            (window, minimum as u32)
        }
        kind => return Err(format!("unknown breaker {kind:?}")),
    };
    let (comparison, on_success, slow, every) = (Comparison::AboveProduct, false, None, None);
    Ok(Trip::Ratio {
        window,
        minimum,
        ratio,
        comparison,
        on_success,
        slow,
        every,
        consecutive: None,
    })
}

/// A breaker of the crate failsafe with the parameters of a case.
pub fn failsafe_rule(config: &Config<'_>) -> Result<Breaker, String> {
    let failures = config.count("failures", 5);
    let least = config.number("rate", 0.8);
    let minimum = config.count("min_requests", 5);
    let window = span(config.number("window_s", 30.0), SECOND);
    let trip = match config.text("policy", "") {
        "consecutive" => Trip::Consecutive { failures },
        "success_rate" => Trip::SuccessRate { least, minimum, window },
        "default_or" => Trip::Either { failures, least, minimum, window },
        policy => return Err(format!("unknown policy {policy:?}")),
    };
    let open_for = Backoff::constant(span(config.number("backoff_s", 0.0), SECOND));
    config.finish()?;
    Ok(Breaker {
        failures: OutcomeSet::of(&[Outcome::Failed]),
        strictly_after: true,
        open_for,
        probes: Probes { limit: u32::MAX, ..Probes::ONE },
        on_close: OnClose::KeepsProbe,
        ..Breaker::new(trip, Span::ZERO)
    })
}

pub fn failsafe(case: &Case<'_>, found: &mut Mismatches) -> Result<(), String> {
    let breaker = failsafe_rule(&case.config())?;
    let mut state = breaker.state();
    let mut ticket = Ticket::default();
    for (number, step) in case.steps() {
        let now = step.time("t_ms", MILLISECOND);
        let mut permitted = Value::Null;
        match step.text("op") {
            "permit" => {
                let gate = breaker.admit(&mut state, now, DRAW);
                if let Gate::Pass(given) = gate {
                    ticket = given;
                }
                permitted = json!(matches!(gate, Gate::Pass(_)));
            }
            "ok" => breaker.record(&mut state, ticket, Outcome::Ok, Span::ZERO, now, DRAW),
            "err" => breaker.record(&mut state, ticket, Outcome::Failed, Span::ZERO, now, DRAW),
            op => return Err(format!("unknown op {op:?}")),
        }
        let ours = json!({ "permitted": permitted, "state": name(state.mode(), "half_open") });
        found.compare(case, number, &ours);
    }
    Ok(())
}
