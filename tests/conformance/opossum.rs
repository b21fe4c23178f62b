//! opossum: overlapping calls, so the replay has a small agenda of its own.

use crate::vectors::{Case, Config, MILLISECOND, Mismatches, nanos};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use stormglass::kernel::draw::Draw;
use stormglass::kernel::time::{Span, Time};
use stormglass::policy::breaker::{
    Breaker, BreakerState, Comparison, Gate, Mode, OnClose, Rotation, Ticket, Trip, Window,
};
use stormglass::policy::bulkhead::{Around, Bulkhead, BulkheadState, Permission};
use stormglass::policy::{Outcome, OutcomeSet};

const DRAW: Draw = Draw(0);

/// The parameters of one case.
pub struct Circuit {
    pub breaker: Breaker,
    bulkhead: Bulkhead,
    timeout: u64,
}

/// A call that is running.
struct Running {
    number: usize,
    ticket: Ticket,
    started: Time,
    ok: bool,
    timed_out: bool,
    before: Value,
}

/// The state of one case, and what is still to end, by time and order of start.
struct Replay {
    breaker: BreakerState,
    bulkhead: BulkheadState,
    agenda: BTreeMap<(Time, usize), Running>,
    results: BTreeMap<usize, Value>,
}

pub fn replay(case: &Case<'_>, found: &mut Mismatches) -> Result<(), String> {
    let circuit = circuit(&case.config())?;
    let mut replay = Replay {
        breaker: circuit.breaker.state(),
        bulkhead: BulkheadState::default(),
        agenda: BTreeMap::new(),
        results: BTreeMap::new(),
    };
    for (number, step) in case.steps() {
        let now = step.time("t_ms", MILLISECOND);
        replay.finish_until(&circuit, now);
        let took = nanos(step.number("dur_ms"), MILLISECOND);
        let ok = step.event["ok"].as_bool().ok_or("no ok")?;
        replay.fire(&circuit, number, now, took, ok);
    }
    replay.finish_until(&circuit, Time::NEVER);
    for (number, ours) in &replay.results {
        found.compare(case, *number, ours);
    }
    Ok(())
}

pub fn circuit(config: &Config<'_>) -> Result<Circuit, String> {
    let millis = |name, default: f64| Span(nanos(config.number(name, default), MILLISECOND));
    let buckets = config.count("rollingCountBuckets", 10);
    let width = (config.number("rollingCountTimeout", 10_000.0) / f64::from(buckets)).floor();
    let window = Window::Time {
        span: Span(nanos(width * f64::from(buckets), MILLISECOND)),
        buckets,
        rotation: Rotation::Aligned,
    };
    let trip = Trip::Ratio {
        window,
        minimum: config.count("volumeThreshold", 0),
        ratio: config.number("errorThresholdPercentage", 50.0) / 100.0,
        comparison: Comparison::AbovePercent,
        on_success: false,
        slow: None,
        every: None,
        consecutive: None,
    };
    let breaker = Breaker {
        failures: OutcomeSet::of(&[Outcome::Failed]),
        on_close: OnClose::KeepsAll,
        counts_at_start: true,
        by_timer: true,
        ..Breaker::new(trip, millis("resetTimeout", 30_000.0))
    };
    let bulkhead = Bulkhead {
        limit: config.count("capacity", u32::MAX),
        queue: 0,
        max_wait: None,
        around: Around::Attempt,
    };
    let timeout = match config.value("timeout") {
        Some(Value::Bool(false)) => u64::MAX,
        _ => nanos(config.number("timeout", 10_000.0), MILLISECOND),
    };
    config.finish()?;
    Ok(Circuit { breaker, bulkhead, timeout })
}

/// Where the circuit is at `now`: an opossum leaves open by a timer, not by the next call.
fn shown(breaker: &Breaker, state: &BreakerState, now: Time) -> Value {
    match breaker.mode_at(state, now) {
        Mode::Closed => json!("closed"),
        Mode::Open => json!("open"),
        Mode::HalfOpen => json!("halfOpen"),
    }
}

impl Replay {
    fn fire(&mut self, circuit: &Circuit, number: usize, now: Time, took: u64, ok: bool) {
        let breaker = &circuit.breaker;
        let before = shown(breaker, &self.breaker, now);
        let refused = |state: &BreakerState, result: &str| {
            json!({
                "admitted": false,
                "result": result,
                "end_ms": now.0 as f64 / MILLISECOND,
                "state_before": before,
                "state_after": shown(breaker, state, now),
            })
        };
        let Gate::Pass(ticket) = breaker.admit(&mut self.breaker, now, DRAW) else {
            let ours = refused(&self.breaker, "open");
            self.results.insert(number, ours);
            return;
        };
        if circuit.bulkhead.enter(&mut self.bulkhead, false) != Permission::Enter {
            breaker.record(&mut self.breaker, ticket, Outcome::Failed, Span::ZERO, now, DRAW);
            let ours = refused(&self.breaker, "sem");
            self.results.insert(number, ours);
            return;
        }
        let timed_out = took > circuit.timeout;
        let ends = now + Span(took.min(circuit.timeout));
        let running = Running { number, ticket, started: now, ok, timed_out, before };
        self.agenda.insert((ends, number), running);
    }

    fn finish_until(&mut self, circuit: &Circuit, until: Time) {
        while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= until) {
            let (now, running) = (entry.key().0, entry.remove());
            self.finish(circuit, now, &running);
        }
    }

    fn finish(&mut self, circuit: &Circuit, now: Time, running: &Running) {
        let (outcome, result) = match (running.timed_out, running.ok) {
            (true, _) => (Outcome::Failed, "timeout"),
            (false, true) => (Outcome::Ok, "ok"),
            (false, false) => (Outcome::Failed, "fail"),
        };
        let (breaker, took) = (&circuit.breaker, now.since(running.started));
        circuit.bulkhead.leave(&mut self.bulkhead);
        breaker.record(&mut self.breaker, running.ticket, outcome, took, now, DRAW);
        let ours = json!({
            "admitted": true,
            "result": result,
            "end_ms": now.0 as f64 / MILLISECOND,
            "state_before": running.before,
            "state_after": shown(breaker, &self.breaker, now),
        });
        self.results.insert(running.number, ours);
    }
}
