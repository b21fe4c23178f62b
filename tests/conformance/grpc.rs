//! grpc-js: the throttle, and whole calls with retries or hedges.

use crate::vectors::{
    Case, Config, MILLISECOND, Mismatches, SECOND, Step, draws_beside, nanos, span,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use stormglass::kernel::draw::Draw;
use stormglass::kernel::time::{Span, Time};
use stormglass::policy::backoff::{Backoff, Jitter};
use stormglass::policy::budget::{Budget, Share, Throttle};
use stormglass::policy::hedge::{After, AfterCopy as Hedged, Copies, Hedge, Next};
use stormglass::policy::retry::{HintRule, Retry};
use stormglass::policy::{
    Admission, AfterAttempt, Outcome, OutcomeSet, Policy, Progress, Response, State,
};

pub fn throttler(case: &Case<'_>, found: &mut Mismatches) -> Result<(), String> {
    let config = case.config();
    let rule = throttle(&config).ok_or("no maxTokens")?;
    config.finish()?;
    let mut state = rule.state();
    for (number, step) in case.steps() {
        match step.text("op") {
            "success" => rule.succeed(&mut state),
            "fail" => rule.fail(&mut state),
            "check" => {}
            op => return Err(format!("unknown op {op:?}")),
        }
        let ours = json!({ "tokens": state.tokens(), "can_retry": rule.allows(&state) });
        found.compare(case, number, &ours);
    }
    Ok(())
}

fn throttle(config: &Config<'_>) -> Option<Throttle> {
    let max_tokens = config.number("maxTokens", 0.0);
    let token_ratio = config.number("tokenRatio", 0.0);
    (max_tokens > 0.0).then_some(Throttle { max_tokens, token_ratio, after_wait: true })
}

/// A number of seconds, as in "0.1s".
fn seconds(config: &Config<'_>, name: &'static str, default: &'static str) -> Result<Span, String> {
    let text = config.text(name, default);
    let number = text.strip_suffix('s').and_then(|number| number.parse().ok());
    number.map(|number| span(number, SECOND)).ok_or(format!("{name} is {text:?}"))
}

/// The names of the status codes, by number.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// A list of status codes, by number or name.
fn codes(config: &Config<'_>, name: &'static str) -> Result<Option<Vec<i64>>, String> {
    let code = |value: &Value| {
        let named = || {
            let name = value.as_str()?.to_uppercase();
            CODES.iter().position(|&code| code == name).map(|code| code as i64)
        };
        value.as_i64().or_else(named).ok_or(format!("unknown status code {value}"))
    };
    let list = config.value(name).and_then(Value::as_array);
    list.map(|list| list.iter().map(code).collect()).transpose()
}

/// What the caller of one case is configured to do.
struct Caller {
    policy: Policy,
    hedge: Option<Hedge>,
    codes: Vec<i64>,
}

pub fn calls(case: &Case<'_>, found: &mut Mismatches) -> Result<(), String> {
    let caller = caller(&case.config())?;
    let mut replay = Replay {
        state: caller.policy.state(),
        caller,
        agenda: BTreeMap::new(),
        scheduled: 0,
        calls: Vec::new(),
    };
    for (_, step) in case.steps() {
        let now = step.time("t0_ms", MILLISECOND);
        replay.run_until(now);
        replay.start(step, now)?;
    }
    replay.run_until(Time::NEVER);
    for (number, call) in replay.calls.iter().enumerate() {
        found.compare(case, number, &call.result);
    }
    Ok(())
}

fn caller(config: &Config<'_>) -> Result<Caller, String> {
    let attempts = config.count("maxAttempts", 1).min(5);
    let budget = throttle(config).map(Budget::Throttle);
    let (fatal, retryable) =
        (codes(config, "nonFatalStatusCodes")?, codes(config, "retryableStatusCodes")?);
    let transient = OutcomeSet::of(&[Outcome::Rejected]);
    let caller = if let Some(codes) = retryable {
        let series = Backoff::exponential(
            seconds(config, "initialBackoff", "0s")?,
            config.number("backoffMultiplier", 1.0),
        )
        .capped(seconds(config, "maxBackoff", "0s")?)
        .jittered(Jitter::Proportional(0.2))
        .truncated_to(Span::from_millis(1));
        let retry = Retry { hint: HintRule::Restart, ..Retry::new(attempts, series).on(transient) };
        Caller {
            policy: Policy { retry: Some(retry), budget, ..Policy::default() },
            hedge: None,
            codes,
        }
    } else {
        let hedge = Hedge {
            extra: attempts - 1,
            after: After::Fixed(seconds(config, "hedgingDelay", "0s")?),
            at_once_on: transient,
            budget: None,
        };
        let policy = Policy { budget, ..Policy::default() };
        Caller { policy, hedge: Some(hedge), codes: fatal.unwrap_or_default() }
    };
    config.finish()?;
    Ok(caller)
}

/// What the caller sees of a status code and a pushback.
fn response(caller: &Caller, attempt: &Value) -> (i64, Response) {
    let code = attempt["code"].as_i64().unwrap_or(0);
    let outcome = match code {
        0 => Outcome::Ok,
        code if caller.codes.contains(&code) => Outcome::Rejected,
        _ => Outcome::Invalid,
    };
    let mut response = Response::new(outcome);
    if let Some(text) = attempt["pushback"].as_str() {
        match text.parse::<f64>() {
            Ok(millis) if millis >= 0.0 => response = response.after(span(millis, MILLISECOND)),
            Ok(_) => response.forbids_retry = true,
            // `setTimeout(NaN)` is a retry at once.
            Err(_) => response = response.after(Span::ZERO),
        }
    }
    (code, response)
}

fn took(attempt: &Value) -> Span {
    Span(nanos(attempt["dur_ms"].as_f64().unwrap_or(0.0), MILLISECOND))
}

fn millis(times: &[Time]) -> Vec<f64> {
    times.iter().map(|time| time.0 as f64 / MILLISECOND).collect()
}

/// What happens at a point in time.
enum Event {
    /// An attempt of a call comes back.
    Back { call: usize, attempt: usize },
    /// The wait before a retry, after an attempt with this code, is over.
    Retry { call: usize },
    /// The hedging delay is over, unless a newer one began.
    Hedge { call: usize, armed: usize },
    /// The wait after a failed hedge with this code is over.
    Next { call: usize, code: i64 },
}

/// One call.
struct Call {
    attempts: Vec<Value>,
    draws: Vec<f64>,
    drawn: usize,
    progress: Progress,
    copies: Option<Copies>,
    armed: usize,
    starts: Vec<Time>,
    back: Vec<bool>,
    code: i64,
    result: Value,
}

/// Calls that overlap and share one throttle; events of one time are in the order of their making.
struct Replay {
    caller: Caller,
    state: State,
    agenda: BTreeMap<(Time, usize), Event>,
    scheduled: usize,
    calls: Vec<Call>,
}

/// A Node timer is never shorter than a millisecond.
const TIMER: Span = Span::from_millis(1);

impl Replay {
    fn schedule(&mut self, at: Time, event: Event) {
        self.scheduled += 1;
        self.agenda.insert((at, self.scheduled), event);
    }

    fn run_until(&mut self, until: Time) {
        while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= until) {
            let (now, event) = (entry.key().0, entry.remove());
            let (Event::Back { call, .. }
            | Event::Retry { call }
            | Event::Hedge { call, .. }
            | Event::Next { call, .. }) = event;
            if !self.calls[call].result.is_null() {
                continue;
            }
            match event {
                Event::Back { call, attempt } => self.back(call, attempt, now),
                Event::Retry { call } => self.retry(call, now),
                Event::Hedge { call, armed } if armed == self.calls[call].armed => {
                    self.hedge(call, now);
                }
                Event::Hedge { .. } => {}
                Event::Next { call, code } => self.next(call, code, now),
            }
        }
    }

    fn start(&mut self, step: &Step, now: Time) -> Result<(), String> {
        let list = |name: &str| step.event[name].as_array().ok_or(format!("no {name}"));
        let hedge = self.caller.hedge;
        self.calls.push(Call {
            attempts: list("attempts")?.clone(),
            draws: list("u")?.iter().filter_map(Value::as_f64).collect(),
            drawn: 0,
            progress: self.caller.policy.begin(),
            copies: hedge.map(|hedge| hedge.begin(&mut hedge.state(), now)),
            armed: 0,
            starts: Vec::new(),
            back: Vec::new(),
            code: 0,
            result: Value::Null,
        });
        let call = self.calls.len() - 1;
        if hedge.is_some() {
            self.attempt(call, now);
            self.arm(call, now);
        } else {
            self.retry(call, now);
        }
        Ok(())
    }

    fn attempt(&mut self, call: usize, now: Time) {
        let this = &mut self.calls[call];
        let attempt = this.starts.len();
        this.starts.push(now);
        this.back.push(false);
        let ends = now + took(&this.attempts[attempt % this.attempts.len()]);
        self.schedule(ends, Event::Back { call, attempt });
    }

    /// Starts the hedging delay for the next copy, if there may be one.
    fn arm(&mut self, call: usize, now: Time) {
        let this = &mut self.calls[call];
        this.armed += 1;
        let armed = this.armed;
        let Some((hedge, copies)) = self.caller.hedge.zip(this.copies) else { return };
        if let Some(after) = hedge.due(&hedge.state(), &copies) {
            self.schedule(now + after.max(TIMER), Event::Hedge { call, armed });
        }
    }

    fn hedge(&mut self, call: usize, now: Time) {
        let this = &mut self.calls[call];
        let Some((hedge, copies)) = self.caller.hedge.zip(this.copies.as_mut()) else { return };
        if hedge.send(&mut hedge.state(), copies, now) {
            self.attempt(call, now);
            self.arm(call, now);
        }
    }

    fn next(&mut self, call: usize, code: i64, now: Time) {
        let this = &mut self.calls[call];
        let Some((hedge, copies)) = self.caller.hedge.zip(this.copies.as_mut()) else { return };
        match hedge.next(&mut hedge.state(), copies, now) {
            Next::Send => {
                self.attempt(call, now);
                self.arm(call, now);
            }
            Next::Wait => {}
            Next::Fail => self.end(call, code, now),
        }
    }

    fn retry(&mut self, call: usize, now: Time) {
        let (policy, this) = (&self.caller.policy, &mut self.calls[call]);
        let started = this.starts.first().copied().unwrap_or(now);
        match policy.admit(&mut self.state, &mut this.progress, now, Draw(0)) {
            Admission::Reject(denial) => {
                let (state, progress) = (&mut self.state, &mut this.progress);
                policy.denied(state, progress, denial, now, started, Draw(0));
                let code = this.code;
                self.end(call, code, now);
            }
            _ => self.attempt(call, now),
        }
    }

    fn back(&mut self, call: usize, attempt: usize, now: Time) {
        let this = &mut self.calls[call];
        this.back[attempt] = true;
        let answer = &this.attempts[attempt % this.attempts.len()];
        let (code, response) = response(&self.caller, answer);
        this.code = code;
        if let Some((hedge, copies)) = self.caller.hedge.zip(this.copies.as_mut()) {
            if let (Some(rule), Some(state)) = (&self.caller.policy.budget, &mut self.state.budget)
            {
                let retryable = hedge.at_once_on.contains(response.outcome);
                rule.observe(state, &mut Share::default(), response.outcome, retryable, now);
            }
            match hedge.back(&mut hedge.state(), copies, response, took(answer), now) {
                Hedged::Win | Hedged::Fail => self.end(call, code, now),
                Hedged::Next { after } => {
                    self.schedule(now + after.max(TIMER), Event::Next { call, code });
                }
            }
            return;
        }
        let [draw, _] = draws_beside(this.draws[this.drawn % this.draws.len()]);
        let (started, first) = (this.starts[attempt], this.starts[0]);
        let policy = &self.caller.policy;
        let verdict =
            policy.settle(&mut self.state, &mut this.progress, now, started, first, response, draw);
        match verdict {
            AfterAttempt::Retry { after } => {
                this.drawn += usize::from(response.hint.is_none());
                self.schedule(now + after.max(TIMER), Event::Retry { call });
            }
            AfterAttempt::Done | AfterAttempt::GiveUp(_) => self.end(call, code, now),
        }
    }

    fn end(&mut self, call: usize, code: i64, now: Time) {
        let held = self.caller.policy.budget.zip(self.state.budget.as_ref());
        let this = &mut self.calls[call];
        let cancelled: Vec<usize> =
            (0..this.back.len()).filter(|&attempt| !this.back[attempt]).collect();
        this.result = json!({
            "starts_ms": millis(&this.starts),
            "end_ms": now.0 as f64 / MILLISECOND,
            "code": code,
            "cancelled": cancelled,
            "tokens_at_end": held.and_then(|(budget, state)| budget.tokens(state)),
        });
    }
}
