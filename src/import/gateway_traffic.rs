//! Envoy Gateway: what a BackendTrafficPolicy says of calls.

use super::note::{Notes, joined};
use super::object::Object;
use super::proxy::{self, Ejection};
use super::quantity::{count, flag, fraction, go_duration, percent};
use super::{Document, metadata_name, outcome};
use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::policy::budget::{Budget, Concurrent};
use crate::policy::outlier::Outlier;
use crate::policy::retry::Retry;
use crate::policy::{OutcomeSet, Policy};

const RETRY: &str = "envoyproxy/gateway retry_types.go";
const BREAKER: &str = "envoyproxy/gateway circuitbreaker_types.go";
const HEALTH: &str = "envoyproxy/gateway healthcheck_types.go";
const TIMEOUT: &str = "Envoy route_components.proto: Envoy Gateway has none of its own";

/// What stands beside a policy and counts before it.
#[derive(Clone, Copy)]
pub(super) struct Beside {
    /// The route has a retry of its own.
    pub(super) retry: bool,
    /// The service has a budget of its own.
    pub(super) budget: bool,
}

/// Reads a policy; the name of it.
pub(super) fn read(
    notes: &mut Notes,
    document: &Document<'_>,
    policy: &mut Policy,
    beside: Beside,
) -> Option<String> {
    let mut object = Object::new(&document.path, document.value, notes);
    let name = metadata_name(&mut object, notes);
    let mut spec = object.object(notes, "spec");
    read_timeout(notes, &mut spec, policy);
    let mut retry = spec.object(notes, "retry");
    if beside.retry {
        let why = "the route has a retry of its own, which counts";
        retry.ignore(notes, &["numRetries", "retryOn", "numAttemptsPerPriority"], why);
        // How delays grow and how long an attempt may take is not in the route.
        let mut each = retry.object(notes, "perRetry");
        each.ignore(notes, &["timeout", "backOff"], why);
        each.close(notes);
    } else if retry.is_there() {
        read_retry(notes, &mut retry, policy);
    }
    retry.close(notes);
    read_breaker(notes, &mut spec, policy, beside.budget);
    read_health(notes, &mut spec, policy);
    let why = "balancing is a key of the service";
    spec.ignore(notes, &["loadBalancer"], why);
    let why = "limits what the gateway lets in; say it at the service behind it";
    spec.ignore(notes, &["rateLimit", "bandwidthLimit", "admissionControl"], why);
    spec.ignore(notes, &["faultInjection"], "faults are part of an experiment");
    let why = "connections are not modelled";
    spec.ignore(notes, &["tcpKeepalive", "connection", "http2", "dns"], why);
    let why = "finds the calls that it is for";
    for key in ["targetRef", "targetRefs", "targetSelectors"] {
        if let Some((path, value)) = spec.value(key) {
            notes.given(&path, super::note::shown(value), why);
        }
    }
    let why = "is merged with the next one that is attached, if there is one";
    spec.ignore(notes, &["mergeType"], why);
    spec.close_open(notes);
    name
}

fn read_timeout(notes: &mut Notes, spec: &mut Object<'_>, policy: &mut Policy) {
    let mut timeout = spec.object(notes, "timeout");
    let mut http = timeout.object(notes, "http");
    let means = "the whole call, unless the route says otherwise; 0s is for ever";
    let or = (Span::from_secs(15), TIMEOUT);
    let whole = http.read(notes, "requestTimeout", go_duration, or, means);
    policy.deadline = (whole > Span::ZERO).then_some(whole);
    let why = "connections and streams are not modelled";
    let keys = ["connectionIdleTimeout", "maxConnectionDuration", "maxStreamDuration"];
    http.ignore(notes, &keys, why);
    http.ignore(notes, &["streamIdleTimeout", "streamTimeout"], why);
    http.close(notes);
    timeout.ignore(notes, &["tcp"], why);
    timeout.close(notes);
}

fn read_retry(notes: &mut Notes, retry: &mut Object<'_>, policy: &mut Policy) {
    let means = "retries: attempts less one";
    let retries = retry.read(notes, "numRetries", count, (2, RETRY), means);
    let mut on = retry.object(notes, "retryOn");
    let set = match on.has("triggers") {
        true => proxy::retried(notes, &mut on, "triggers", "httpStatusCodes").unwrap_or_default(),
        false => read_default_triggers(notes, &mut on),
    };
    on.close(notes);
    let mut each = retry.object(notes, "perRetry");
    let none = ("the request timeout", RETRY);
    let attempt = each.limit(notes, "timeout", go_duration, none, "one attempt");
    policy.attempt_timeout = attempt.filter(|&span| span > Span::ZERO).or(policy.deadline);
    let mut delays = each.object(notes, "backOff");
    let base = (Span::from_millis(25), proxy::BACKOFF);
    let base = delays.read(notes, "baseInterval", go_duration, base, "first window");
    proxy::positive(notes, &delays, base, "baseInterval");
    let longest = (base.scaled(10.0), proxy::BACKOFF);
    let longest = delays.read(notes, "maxInterval", go_duration, longest, "longest window");
    delays.close(notes);
    each.close(notes);
    retry.ignore(notes, &["numAttemptsPerPriority"], "hosts have no priorities");
    let rule = Retry::new(retries.saturating_add(1), proxy::backoff(base, longest)).on(set);
    policy.retry = (retries > 0 && set != OutcomeSet::NONE).then_some(rule);
}

/// The triggers of Envoy Gateway, of which one asks for the codes: 503, or those that are given
/// beside no triggers (`route.go`, `buildRetryPolicy`).
fn read_default_triggers(notes: &mut Notes, on: &mut Object<'_>) -> OutcomeSet {
    const TRIGGERS: [&str; 4] = ["connect-failure", "refused-stream", "unavailable", "cancelled"];
    on.value("triggers");
    let path = joined(&on.path, "triggers");
    let default = format!("{}, retriable-status-codes", TRIGGERS.join(", "));
    notes.defaulted(&path, default, RETRY);
    let codes = proxy::status_codes(notes, on, "httpStatusCodes");
    if codes.is_none() && !on.is_there() {
        notes.defaulted(&joined(&on.path, "httpStatusCodes"), "503".to_owned(), RETRY);
    }
    let set = outcome::of_conditions(&TRIGGERS);
    // Where there is a `retryOn`, its codes took the place of 503, even if it has none.
    let is_there = on.is_there();
    let codes = codes.or((!is_there).then(|| OutcomeSet::http(&[503])));
    set.or(codes.unwrap_or_default())
}

fn read_breaker(notes: &mut Notes, spec: &mut Object<'_>, policy: &mut Policy, has_budget: bool) {
    let mut breaker = spec.object(notes, "circuitBreaker");
    for key in ["maxParallelRetries", "retryBudget"] {
        notes.of_budget(joined(&breaker.path, key));
    }
    let mut limit = |key, means| breaker.read(notes, key, count, (1024, BREAKER), means);
    let connections = limit("maxConnections", "attempts at once: one on each connection");
    let pending = limit("maxPendingRequests", "attempts that wait");
    let requests = limit("maxParallelRequests", "attempts at once; the smaller counts");
    policy.bulkhead = proxy::bulkhead(notes, Some(connections), Some(pending), Some(requests));
    if has_budget {
        let why = "there is one budget: retryConstraint is taken";
        breaker.ignore(notes, &["maxParallelRetries", "retryBudget"], why);
    } else {
        policy.budget = Some(read_limit_of_retries(notes, &mut breaker));
    }
    let why = "connections are not modelled";
    breaker.ignore(notes, &["maxRequestsPerConnection"], why);
    breaker.ignore(notes, &["perEndpoint"], "one limit for the whole target is taken");
    breaker.close(notes);
}

/// As in Envoy, a share counts before a number.
fn read_limit_of_retries(notes: &mut Notes, breaker: &mut Object<'_>) -> Budget {
    let mut budget = breaker.object(notes, "retryBudget");
    let rule = if budget.is_there() {
        breaker.ignore(notes, &["maxParallelRetries"], "retryBudget is there and counts alone");
        let means = "% of the active calls may be retries at once";
        let share = budget.given(notes, "percent", fraction, means);
        if share.is_none() && !budget.has("percent") {
            let problem = Problem::new("a retryBudget without `percent` is refused");
            let problem = problem.expected("percent: { numerator: 20 }");
            notes.problems.push(budget.problem("percent", problem));
        }
        let share = share.unwrap_or(20.0);
        let least = "retries at once at least";
        let min_retries = budget.read(notes, "minRetryConcurrency", count, (3, BREAKER), least);
        Concurrent { ratio: share / 100.0, min_retries }
    } else {
        let key = "maxParallelRetries";
        let min_retries = breaker.read(notes, key, count, (1024, BREAKER), "retries at once");
        Concurrent { ratio: 0.0, min_retries }
    };
    budget.close(notes);
    Budget::Concurrent(rule)
}

fn read_health(notes: &mut Notes, spec: &mut Object<'_>, policy: &mut Policy) {
    let mut health = spec.object(notes, "healthCheck");
    let mut passive = health.object(notes, "passive");
    let why = "health is seen in calls alone: there are no probes";
    health.ignore(notes, &["active"], why);
    if passive.is_there() {
        let keys = Ejection {
            duration: go_duration,
            start: Outlier { interval: Span::from_secs(3), ..Outlier::ISTIO },
            source: HEALTH,
            in_a_row: "consecutive5XxErrors",
            gateway: Some("consecutiveGatewayErrors"),
            interval: "interval",
            base: "baseEjectionTime",
            most: "maxEjectionPercent",
            zero_is_default: true,
        };
        let mut outlier = proxy::ejection(notes, &mut passive, &keys);
        let means = "% healthy, below which all hosts get traffic";
        let panic = health.read(notes, "panicThreshold", percent, (50.0, HEALTH), means);
        outlier.panic = panic / 100.0;
        let means = "% of failed calls; enforced where it is given";
        if let Some(share) = passive.given(notes, "failurePercentageThreshold", percent, means) {
            // Hosts and volume are Envoy's (`outlier_detection.proto`), as is the default.
            outlier.failure_ratio = Some(share / 100.0);
        }
        let one = "one host may always be ejected";
        let one = passive.given(notes, "alwaysEjectOneEndpoint", flag, one);
        outlier.always_one = one.unwrap_or(outlier.always_one);
        let keys = ["splitExternalLocalOriginErrors", "consecutiveLocalOriginFailures"];
        let why = "errors on the way and errors of the host are counted together";
        passive.ignore(notes, &keys, why);
        policy.outlier = Some(outlier);
    } else {
        notes.defaulted(&passive.path, "none: no ejection".to_owned(), HEALTH);
        health.ignore(notes, &["panicThreshold"], "nothing is ejected");
    }
    passive.close(notes);
    health.close(notes);
}
