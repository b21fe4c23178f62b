//! The client-side rate limiter of AWS adaptive mode.

use crate::limits::start;
use crate::vectors::{Case, MILLISECOND, Mismatches, SECOND, Step};
use serde_json::{Value, json};
use stormglass::kernel::time::{Span, Time};
use stormglass::policy::adaptive::{Adaptive, AdaptiveState};

pub fn botocore(case: &Case<'_>, found: &mut Mismatches) -> Result<(), String> {
    let names = Names { time: "t", unit: SECOND, wait: "wait_s", start: "start", tick: Span(1) };
    replay(case, found, Adaptive::BOTOCORE, &names)
}

pub fn smithy_js(case: &Case<'_>, found: &mut Mismatches) -> Result<(), String> {
    let names = Names {
        time: "t_ms",
        unit: MILLISECOND,
        wait: "wait_ms",
        start: "start_ms",
        tick: Span(1_000),
    };
    replay(case, found, Adaptive::JAVASCRIPT, &names)
}

/// How the fields of one recording are called.
struct Names {
    time: &'static str,
    unit: f64,
    wait: &'static str,
    start: &'static str,
    /// The tick of the recorded clock.
    tick: Span,
}

fn replay(
    case: &Case<'_>,
    found: &mut Mismatches,
    rule: Adaptive,
    names: &Names,
) -> Result<(), String> {
    let config = case.config();
    let mut state = rule.state(start(config.number(names.start, 0.0), names.unit));
    config.finish()?;
    for (number, step) in case.steps() {
        let now = step.time(names.time, names.unit);
        let wait = match step.text("op") {
            "send" => {
                let waited = send(rule, &mut state, now, names, step);
                let ticks = (waited.0 as f64 / names.tick.0 as f64).round();
                json!(ticks * names.tick.0 as f64 / names.unit)
            }
            "recv" => {
                let throttled = step.event["throttle"].as_bool().ok_or("no throttle")?;
                rule.respond(&mut state, throttled, now);
                Value::Null
            }
            op => return Err(format!("unknown op {op:?}")),
        };
        let ours = json!({
            names.wait: wait,
            "enabled": state.enabled(),
            "fill_rate": state.fill_rate(),
            "capacity": state.capacity(),
            "tokens": state.capacity(),
            "max_capacity": state.max_capacity(),
            "measured_rate": state.measured_rate(),
            "w_max": state.last_max_rate(),
            "last_max_rate": state.last_max_rate(),
            "k": state.time_window(),
            "time_window": state.time_window(),
        });
        found.compare(case, number, &ours);
    }
    Ok(())
}

/// Asks until the token is there, as a caller would; returns how long that took.
///
/// The floating-point clock of a recording ends a wait exactly or one tick later, as its rounding
/// falls; whichever is nearer to what was recorded is taken.
fn send(
    rule: Adaptive,
    state: &mut AdaptiveState,
    start: Time,
    names: &Names,
    step: &Step,
) -> Span {
    let Some(wait) = rule.acquire(state, start) else { return Span::ZERO };
    let recorded = |name: &str| step.out.get(name).and_then(Value::as_f64);
    let tokens = recorded("tokens").or(recorded("capacity"));
    let ends = [wait, wait + names.tick].map(|wait| {
        let (mut held, mut waited) = (*state, wait);
        while let Some(more) = rule.acquire(&mut held, start + waited) {
            waited += more;
        }
        let ticks = |nanos: f64| nanos / names.tick.0 as f64;
        let late = recorded(names.wait)
            .map_or(0.0, |recorded| ticks(recorded * names.unit - waited.0 as f64).abs());
        let apart = tokens.map_or(0.0, |tokens| (held.capacity() - tokens).abs() * 1e6);
        (late + apart, held, waited)
    });
    let [exact, ticked] = ends;
    let (_, held, waited) = if ticked.0 < exact.0 { ticked } else { exact };
    *state = held;
    waited
}
