//! Polly and Microsoft.Extensions.Http.Resilience: the options of the standard handlers as JSON.

use super::note::{Notes, joined, shown};
use super::object::Object;
use super::quantity::{count, flag, share, text, timespan};
use super::{Document, Format, Imported, Reading, preset};
use crate::kernel::time::Span;
use crate::model::document::{Data, Field, Value};
use crate::model::problem::Problem;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Growth, Jitter};
use crate::policy::breaker::{Breaker, Comparison, Rotation, Trip, Window};
use crate::policy::bulkhead::{Around, Bulkhead};
use crate::policy::hedge::After;
use crate::policy::retry::{HintRule, Retry};

const HANDLER: &str = "Microsoft.Extensions.Http.Resilience";
/// The options of each section, and of those inside of it (the class of its name in
/// Microsoft.Extensions.Http.Resilience, and the strategies of Polly that it is made of).
const OPTIONS: [(&str, &[&str]); 7] = [
    ("RateLimiter", &["DefaultRateLimiterOptions"]),
    ("TotalRequestTimeout", &["Timeout"]),
    (
        "Retry",
        &[
            "MaxRetryAttempts",
            "Delay",
            "BackoffType",
            "UseJitter",
            "MaxDelay",
            "ShouldRetryAfterHeader",
        ],
    ),
    ("CircuitBreaker", &["FailureRatio", "MinimumThroughput", "SamplingDuration", "BreakDuration"]),
    ("AttemptTimeout", &["Timeout"]),
    ("Hedging", &["MaxHedgedAttempts", "Delay"]),
    ("Endpoint", &["RateLimiter", "CircuitBreaker", "Timeout"]),
];

/// Whether options stand anywhere below a value.
pub(super) fn has_section(value: &Value) -> bool {
    let mut found = Vec::new();
    find("", value, &mut found, &mut Vec::new());
    !found.is_empty()
}

/// Reads every set of options, wherever it stands: the name of its section is the user's.
pub(super) fn read(documents: &[Document<'_>]) -> Reading {
    let mut reading = Reading::default();
    let (mut found, mut foreign) = (Vec::new(), Vec::new());
    for document in documents.iter().filter(|each| each.format == Some(Format::Polly)) {
        find(&document.path, document.value, &mut found, &mut foreign);
    }
    reading.policies = found.iter().map(|(path, value)| options(path, value)).collect();
    for path in foreign {
        reading.leave(path, "none of its keys is an option of the handler: another library's");
    }
    reading
}

/// Collects sets of options; and sections of a name that the handler has too, but of other keys.
fn find<'a>(
    path: &str,
    value: &'a Value,
    found: &mut Vec<(String, &'a Value)>,
    foreign: &mut Vec<String>,
) {
    let Data::Table(fields) = &value.data else { return };
    let sections = fields.iter().filter(|(_, field)| matches!(field.value.data, Data::Table(_)));
    let named: Vec<(&String, &Field, bool)> = sections
        .filter_map(|(key, field)| {
            let options = OPTIONS.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
            options.map(|(_, options)| (key, field, is_of(&field.value, options)))
        })
        .collect();
    // One that is surely the handler's makes the others of its set the handler's.
    if named.iter().any(|(.., is_own)| *is_own) {
        found.push((path.to_owned(), value));
        return;
    }
    foreign.extend(named.iter().map(|(key, ..)| joined(path, key)));
    for (key, field) in fields {
        find(&joined(path, key), &field.value, found, foreign);
    }
}

/// Whether more keys of a section are options than not: other libraries have a `Delay` too.
fn is_of(section: &Value, options: &[&str]) -> bool {
    let Data::Table(fields) = &section.data else { return false };
    let is_option = |key: &&String| {
        options.iter().any(|option| option.eq_ignore_ascii_case(key)) || *key == "Name"
    };
    let known = fields.keys().filter(is_option).count();
    known > fields.len() - known
}

fn options(path: &str, value: &Value) -> Imported {
    let mut notes = Notes::default();
    let mut object = Object::new(path, value, &mut notes).relaxed();
    let is_hedging = object.has("Hedging") || object.has("Endpoint");
    let mut policy = preset(if is_hedging { "polly-http-hedging" } else { "polly-http" }, "8");
    let means = "the whole call, retries included";
    policy.deadline = Some(timeout(&mut notes, &mut object, "TotalRequestTimeout", 30, means));
    if is_hedging {
        read_hedging(&mut notes, &mut object, &mut policy);
        let mut endpoint = object.object(&mut notes, "Endpoint");
        read_attempt(&mut notes, &mut endpoint, &mut policy, "Timeout");
        endpoint.close(&mut notes);
    } else {
        let mut retry = object.object(&mut notes, "Retry");
        policy.retry = policy.retry.map(|rule| read_retry(&mut notes, &mut retry, rule));
        retry.close(&mut notes);
        read_attempt(&mut notes, &mut object, &mut policy, "AttemptTimeout");
    }
    object.close_open(&mut notes);
    let name = path.rsplit('.').next().filter(|name| !name.is_empty()).unwrap_or("polly");
    let mut caveats = Vec::new();
    if policy.deadline < policy.attempt_timeout {
        caveats.push(format!(
            "{NO_START}: the total timeout of {} is below that of an attempt",
            policy.deadline.unwrap_or_default()
        ));
    }
    caveats.extend(sampled_too_short(&policy));
    Imported::new(name, policy, caveats, notes)
}

const NO_START: &str = "THE LIBRARY DOES NOT START with this";

/// A breaker must see two attempts one after the other in its window
/// (`HttpStandardResilienceOptionsCustomValidator` and that of the hedging handler).
fn sampled_too_short(policy: &Policy) -> Option<String> {
    let attempt = policy.attempt_timeout?;
    let Trip::Ratio { window: Window::Time { span, .. }, .. } = policy.breaker?.trip else {
        return None;
    };
    (span < attempt.scaled(2.0)).then(|| {
        format!(
            "{NO_START}: SamplingDuration of {span} must be at least twice the {attempt} that an \
             attempt may take"
        )
    })
}

/// What stands around each attempt; the limiter of the standard handler stands around the call.
fn read_attempt(
    notes: &mut Notes,
    object: &mut Object<'_>,
    policy: &mut Policy,
    timeout_key: &'static str,
) {
    let around = if timeout_key == "Timeout" { Around::Attempt } else { Around::Call };
    let mut limiter = object.object(notes, "RateLimiter");
    let mut limits = limiter.object(notes, "DefaultRateLimiterOptions");
    let means = "at once: it limits concurrency, not a rate";
    let limit = limits.read(notes, "PermitLimit", count, (1000, HANDLER), means);
    let queue = limits.read(notes, "QueueLimit", count, (0, HANDLER), "wait for room");
    limits.ignore(notes, &["QueueProcessingOrder"], "the one who waits longest is first");
    limits.close(notes);
    limiter.ignore(notes, &["Name"], "a name for telemetry");
    limiter.close(notes);
    policy.bulkhead = Some(Bulkhead { limit, queue, max_wait: None, around });
    let mut breaker = object.object(notes, "CircuitBreaker");
    policy.breaker = policy.breaker.map(|rule| read_breaker(notes, &mut breaker, rule));
    breaker.close(notes);
    policy.attempt_timeout = Some(timeout(notes, object, timeout_key, 10, "one attempt"));
}

fn timeout(
    notes: &mut Notes,
    object: &mut Object<'_>,
    key: &'static str,
    seconds: u64,
    means: &str,
) -> Span {
    let mut options = object.object(notes, key);
    let or = (Span::from_secs(seconds), HANDLER);
    let span = options.read(notes, "Timeout", timespan, or, means);
    super::proxy::positive(notes, &options, span, "Timeout");
    options.ignore(notes, &["Name"], "a name for telemetry");
    options.close(notes);
    span
}

fn read_retry(notes: &mut Notes, object: &mut Object<'_>, rule: Retry) -> Retry {
    let means = "retries: attempts less one";
    let retries = object.read(notes, "MaxRetryAttempts", count, (3, HANDLER), means);
    let delay = (Span::from_secs(2), HANDLER);
    let delay = object.read(notes, "Delay", timespan, delay, "base of the delays");
    let jitter = (true, HANDLER);
    let means = "decorrelated version 2 if exponential, else 25% either way";
    let jitter = object.read(notes, "UseJitter", flag, jitter, means);
    let means = "growth of the delays";
    let kind = object.read(notes, "BackoffType", text, ("Exponential".to_owned(), HANDLER), means);
    let most = object.limit(notes, "MaxDelay", timespan, ("none", HANDLER), "after the jitter");
    let growth = match (kind.to_lowercase().as_str(), jitter) {
        ("exponential" | "2", true) => Growth::DecorrelatedV2 { base: delay, factor: 2.0 },
        ("exponential" | "2", false) => Growth::Exponential { base: delay, factor: 2.0 },
        ("linear" | "1", _) => Growth::Linear { base: delay, step: delay },
        ("constant" | "0", _) => Growth::Constant { delay },
        _ => {
            let known = ["Constant", "Linear", "Exponential"];
            let problem = Problem::unknown("kind of backoff", &kind, &known);
            let at = object.value("BackoffType").map(|(_, value)| value.at);
            notes.problems.extend(at.map(|at| problem.at(at)));
            Growth::None
        }
    };
    let mut backoff = Backoff::growing(growth);
    if jitter && !matches!(growth, Growth::DecorrelatedV2 { .. }) {
        backoff = backoff.jittered(Jitter::Proportional(0.25));
    }
    if let Some(most) = most {
        backoff = backoff.capped_after_jitter(most);
    }
    let means = "a retry waits as long as the server asks";
    let heeds = object.read(notes, "ShouldRetryAfterHeader", flag, (true, HANDLER), means);
    let hint = if heeds { rule.hint } else { HintRule::Ignore };
    object.ignore(notes, &["Name"], "a name for telemetry");
    Retry { attempts: retries.saturating_add(1), backoff, hint, ..rule }
}

fn read_breaker(notes: &mut Notes, object: &mut Object<'_>, rule: Breaker) -> Breaker {
    let ratio = object.read(notes, "FailureRatio", share, (0.1, HANDLER), "share that opens it");
    let minimum = (100, HANDLER);
    let minimum = object.read(notes, "MinimumThroughput", count, minimum, "calls in the window");
    let span = (Span::from_secs(30), HANDLER);
    let span = object.read(notes, "SamplingDuration", timespan, span, "the window");
    let open = (Span::from_secs(5), HANDLER);
    let open = object.read(notes, "BreakDuration", timespan, open, "open for");
    super::proxy::positive(notes, object, span, "SamplingDuration");
    super::proxy::positive(notes, object, open, "BreakDuration");
    object.ignore(notes, &["Name"], "a name for telemetry");
    // Below 200 ms the library keeps one window instead of ten (`HealthMetrics.cs`).
    let buckets = if span < Span::from_millis(200) { 1 } else { 10 };
    Breaker {
        trip: Trip::Ratio {
            window: Window::Time { span, buckets, rotation: Rotation::WithTraffic },
            minimum,
            ratio,
            comparison: Comparison::AtLeast,
            on_success: false,
            slow: None,
            every: None,
            consecutive: None,
        },
        open_for: Backoff::constant(open),
        ..rule
    }
}

fn read_hedging(notes: &mut Notes, object: &mut Object<'_>, policy: &mut Policy) {
    let mut hedging = object.object(notes, "Hedging");
    let extra = hedging.read(notes, "MaxHedgedAttempts", count, (1, HANDLER), "further copies");
    if !(1..=10).contains(&extra)
        && let Some((_, value)) = hedging.value("MaxHedgedAttempts")
    {
        let message = format!("`{}` copies are refused by the library", shown(value));
        notes.problems.push(Problem::new(message).at(value.at).expected("from 1 to 10"));
    }
    let delay = (Span::from_secs(2), HANDLER);
    let delay = hedging.read(notes, "Delay", timespan, delay, "before the next copy");
    hedging.ignore(notes, &["Name"], "a name for telemetry");
    hedging.close(notes);
    if let Some(hedge) = &mut policy.hedge {
        hedge.extra = extra;
        hedge.after = After::Fixed(delay);
    }
}
