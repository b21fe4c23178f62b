//! gRPC service config: retries, hedging, timeouts of methods, and the throttle that they share.

use super::note::{Notes, shown};
use super::object::Object;
use super::outcome::{self, names};
use super::quantity::{count, flag, number, protobuf_duration, text, wrong};
use super::{Document, Format, Imported, Reading, preset};
use crate::kernel::time::Span;
use crate::model::document::{Data, Value};
use crate::model::problem::Problem;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::budget::{Budget, Throttle};
use crate::policy::hedge::{After, Hedge};
use crate::policy::{OutcomeSet, Policy};

const A6: &str = "grpc/proposal A6-client-retries.md";
/// More attempts than this count as so many (gRFC A6).
const ATTEMPTS_MAX: u32 = 5;

/// Reads each entry of `methodConfig`, of each choice if there are several.
pub(super) fn read(documents: &[Document<'_>]) -> Reading {
    let mut reading = Reading::default();
    for document in documents.iter().filter(|each| each.format == Some(Format::Grpc)) {
        let choices: Vec<(String, &Value)> = match &document.value.data {
            Data::List(list) => {
                let path = |index| format!("{}[{index}]", document.path);
                list.iter().enumerate().map(|(index, value)| (path(index), value)).collect()
            }
            _ => vec![(document.path.clone(), document.value)],
        };
        for (path, value) in &choices {
            let mut scratch = Notes::default();
            let mut choice = Object::new(path, value, &mut scratch);
            let config = if choice.has("serviceConfig") {
                choice.object(&mut scratch, "serviceConfig")
            } else {
                choice
            };
            let count = config.clone().objects(&mut scratch, "methodConfig").len();
            if count == 0 {
                reading.leave(config.path.clone(), "it has no `methodConfig`");
            }
            reading.policies.extend((0..count).map(|index| method(path, value, index)));
            reading.problems.append(&mut scratch.problems);
        }
    }
    reading
}

/// One of several configurations, of which a client takes the first that is for it (gRPC, service
/// config in DNS): the configuration, and for whom it is.
fn read_choice<'a>(
    notes: &mut Notes,
    path: &str,
    value: &'a Value,
) -> (Object<'a>, Option<String>) {
    let mut choice = Object::new(path, value, notes);
    if !choice.has("serviceConfig") {
        return (choice, None);
    }
    let mut whom = Vec::new();
    for (key, what) in [
        ("clientLanguage", "clients in"),
        ("clientHostname", "the hosts"),
        ("percentage", "this percentage of clients:"),
    ] {
        if let Some((path, value)) = choice.value(key) {
            notes.given(&path, shown(value), "for whom the choice is");
            whom.push(format!("{what} {}", shown(value)));
        }
    }
    let config = choice.object(notes, "serviceConfig");
    choice.close(notes);
    let said = match whom.is_empty() {
        true => "for all clients".to_owned(),
        false => format!("for {}", whom.join(", ")),
    };
    (config, Some(said))
}

fn method(path: &str, value: &Value, index: usize) -> Imported {
    let mut notes = Notes::default();
    let (mut config, whom) = read_choice(&mut notes, path, value);
    let mut method = config.objects(&mut notes, "methodConfig").swap_remove(index);
    notes.at = method.place().or(notes.at);
    let (name, methods) = read_names(&mut notes, &mut method);
    let means = "the whole call, retries included";
    let none = ("none", A6);
    let deadline = method.limit(&mut notes, "timeout", protobuf_duration, none, means);
    let mut retry = method.object(&mut notes, "retryPolicy");
    let mut hedging = method.object(&mut notes, "hedgingPolicy");
    let mut throttling = config.object(&mut notes, "retryThrottling");
    notes.of_budget(throttling.path.clone());
    let mut caveats = Vec::new();
    caveats.extend(whom);
    if methods.len() > 1 {
        caveats.push(format!("this is the policy of {}", methods.join(", ")));
    }
    let mut policy = match (retry.is_there(), hedging.is_there()) {
        (true, true) => {
            let problem = Problem::new("a method has a retry policy or a hedging policy, not both");
            let (_, at) = method.value("hedgingPolicy").expect("it is there");
            notes.problems.push(problem.at(at.at).expected("one of the two"));
            Policy::ONCE
        }
        (true, false) => read_retry(&mut notes, &mut retry, &mut throttling),
        (false, true) => {
            let caveat = "hedging with the throttle of gRFC A6, as grpc-java has it; grpc-js never \
                          asks the throttle before a hedge, and grpc-go has no hedging";
            caveats.push(caveat.to_owned());
            read_hedging(&mut notes, &mut hedging, &mut throttling)
        }
        (false, false) => {
            let keys = ["maxTokens", "tokenRatio"];
            throttling.ignore(&mut notes, &keys, "this method is not retried");
            notes.defaulted(&retry.path, "none: no retries".to_owned(), A6);
            Policy::ONCE
        }
    };
    policy.deadline = deadline;
    for object in [retry, hedging, throttling] {
        object.close(&mut notes);
    }
    if let Some((path, value)) = method.value("waitForReady") {
        match flag(value) {
            Ok(true) => notes.ignored(&path, value, "waiting for a connection is not modelled"),
            Ok(false) => notes.given(&path, shown(value), "a call without a connection fails"),
            Err(problem) => notes.problems.push(problem),
        }
    }
    let why = "messages have no size";
    method.ignore(&mut notes, &["maxRequestMessageBytes", "maxResponseMessageBytes"], why);
    method.close(&mut notes);
    config.ignore(
        &mut notes,
        &["loadBalancingConfig", "loadBalancingPolicy"],
        "balancing is a key of the service",
    );
    config.ignore(&mut notes, &["healthCheckConfig"], "there are no probes");
    config.close_open(&mut notes);
    Imported::new(&name, policy, caveats, notes)
}

/// The name of a policy, that of the first method, and all methods that it is for; without one it
/// is everybody's.
fn read_names(notes: &mut Notes, method: &mut Object<'_>) -> (String, Vec<String>) {
    let (mut name, mut methods) = (None, Vec::new());
    for mut entry in method.objects(notes, "name") {
        let means = if name.is_none() { "names the policy" } else { "has this policy too" };
        let service = entry.given(notes, "service", text, means);
        let own = entry.given(notes, "method", text, means);
        let parts: Vec<String> = service.into_iter().chain(own).collect();
        if !parts.is_empty() {
            methods.push(parts.join("/"));
            name.get_or_insert(parts.join("-"));
        }
        entry.close(notes);
    }
    (name.unwrap_or_else(|| "default".to_owned()), methods)
}

/// gRPC refuses a policy in which one of these is missing.
fn required<T>(notes: &mut Notes, object: &Object<'_>, key: &str, read: Option<T>) -> Option<T> {
    if read.is_none() && !object.has(key) {
        let message = format!("`{}` has no `{key}`: gRPC refuses it", object.path);
        let problem = Problem::new(message).expected(format!("`{key}`"));
        notes.problems.push(object.problem(key, problem));
    }
    read
}

fn attempts(notes: &mut Notes, object: &mut Object<'_>) -> u32 {
    let means = "attempts, the first one included; more than 5 are 5";
    let attempts = object.given(notes, "maxAttempts", count, means);
    let attempts = required(notes, object, "maxAttempts", attempts).unwrap_or(2);
    if attempts < 2 {
        let message = format!("`{}.maxAttempts` of {attempts} is no retry", object.path);
        let problem = Problem::new(message).expected("at least 2");
        notes.problems.push(object.problem("maxAttempts", problem));
    }
    attempts.min(ATTEMPTS_MAX)
}

fn read_retry(notes: &mut Notes, object: &mut Object<'_>, throttling: &mut Object<'_>) -> Policy {
    let mut policy = preset("grpc", "grpc-go");
    let attempts = attempts(notes, object);
    let base = object.given(notes, "initialBackoff", protobuf_duration, "first delay");
    let base = required(notes, object, "initialBackoff", base).unwrap_or(Span::ZERO);
    let means = "longest delay, before the jitter of 20%";
    let cap = object.given(notes, "maxBackoff", protobuf_duration, means);
    let cap = required(notes, object, "maxBackoff", cap).unwrap_or(Span::MAX);
    let factor = object.given(notes, "backoffMultiplier", number, "growth of the delay");
    let factor = required(notes, object, "backoffMultiplier", factor).unwrap_or(1.0);
    let on = codes(notes, object, "retryableStatusCodes", "retried");
    let on = required(notes, object, "retryableStatusCodes", on).unwrap_or_default();
    if factor <= 0.0 || on == OutcomeSet::NONE {
        let what = if factor <= 0.0 { "backoffMultiplier" } else { "retryableStatusCodes" };
        let message = format!("`{}.{what}` leaves nothing to retry", object.path);
        let problem = Problem::new(message).expected("a multiplier and codes above nothing");
        notes.problems.push(object.problem(what, problem));
    }
    let rule = policy.retry.as_mut().expect("the preset retries");
    rule.attempts = attempts;
    rule.backoff =
        Backoff::exponential(base, factor).capped(cap).jittered(Jitter::Proportional(0.2));
    rule.on = on;
    policy.budget = read_throttle(notes, throttling);
    policy
}

fn read_throttle(notes: &mut Notes, object: &mut Object<'_>) -> Option<Budget> {
    if !object.is_there() {
        notes.defaulted(&object.path, "none: no throttle".to_owned(), A6);
        return None;
    }
    let means = "tokens; retries only above half of them; each failure takes one";
    let max_tokens = object.given(notes, "maxTokens", number, means);
    let max_tokens = required(notes, object, "maxTokens", max_tokens).unwrap_or(1.0);
    let means = "tokens that a success adds, in thousandths";
    let ratio = object.given(notes, "tokenRatio", number, means);
    let ratio = required(notes, object, "tokenRatio", ratio).unwrap_or(1.0);
    if !(max_tokens > 0.0 && max_tokens <= 1000.0) || ratio <= 0.0 {
        let message = format!("`{}` is out of bounds", object.path);
        let expected = "maxTokens above 0 and at most 1000, tokenRatio above 0";
        notes.problems.push(object.problem("maxTokens", Problem::new(message).expected(expected)));
    }
    let token_ratio = libm::floor(ratio * 1000.0 + 1e-6) / 1000.0;
    Some(Budget::Throttle(Throttle { max_tokens, token_ratio, after_wait: false }))
}

fn read_hedging(notes: &mut Notes, object: &mut Object<'_>, throttling: &mut Object<'_>) -> Policy {
    let attempts = attempts(notes, object);
    let means = "before each further copy";
    let after = object.read(notes, "hedgingDelay", protobuf_duration, (Span::ZERO, A6), means);
    let at_once = codes(notes, object, "nonFatalStatusCodes", "after these the next copy at once");
    if at_once.is_none() {
        let path = format!("{}.nonFatalStatusCodes", object.path);
        notes.defaulted(&path, "none: any error ends the call".to_owned(), A6);
    }
    let hedge = Hedge {
        extra: attempts.saturating_sub(1),
        after: After::Fixed(after),
        at_once_on: at_once.unwrap_or_default(),
        budget: read_throttle(notes, throttling),
    };
    Policy { hedge: Some(hedge), ..preset("grpc-hedging", "grpc-js") }
}

/// A list of status codes by name or number.
fn codes(
    notes: &mut Notes,
    object: &mut Object<'_>,
    key: &'static str,
    means: &str,
) -> Option<OutcomeSet> {
    let (path, value) = object.value(key)?;
    let Data::List(list) = &value.data else {
        notes.problems.push(wrong(value, "a list of status codes"));
        return None;
    };
    let mut set = OutcomeSet::NONE;
    for code in list {
        let name = text(code).unwrap_or_default();
        match outcome::grpc(&name) {
            Some(outcomes) => set = set.or(outcomes),
            None => {
                let problem = Problem::unknown("status code", &name, &outcome::grpc_names());
                notes.problems.push(problem.at(code.at));
            }
        }
    }
    notes.given(&path, shown(value), format!("{means}: {}", names(set)));
    Some(set)
}
