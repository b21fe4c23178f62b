//! Gateway API routes and retry budgets, and the traffic policies of Envoy Gateway.

use super::note::{Notes, joined};
use super::object::Object;
use super::outcome::SERVER_ERRORS;
use super::proxy::{self, Ejection};
use super::quantity::{count, go_duration, percent, text};
use super::recognise::find_text;
use super::{Document, Imported, metadata_name, preset};
use crate::kernel::time::Span;
use crate::model::document::{Data, Value};
use crate::policy::backoff::Backoff;
use crate::policy::budget::{Budget, Concurrent, Window};
use crate::policy::outlier::Outlier;
use crate::policy::retry::Retry;
use crate::policy::{OutcomeSet, Policy};

const ROUTE: &str = "kubernetes-sigs/gateway-api httproute_types.go";
const BUDGET: &str = "kubernetes-sigs/gateway-api GEP-3388";
const RETRY: &str = "envoyproxy/gateway retry_types.go";
const BREAKER: &str = "envoyproxy/gateway circuitbreaker_types.go";
const HEALTH: &str = "envoyproxy/gateway healthcheck_types.go";
const TIMEOUT: &str = "Envoy route_components.proto: Envoy Gateway has none of its own";

/// The documents of one file by kind.
struct Kinds<'a> {
    routes: Vec<&'a Document<'a>>,
    budgets: Vec<&'a Document<'a>>,
    traffic: Vec<&'a Document<'a>>,
}

/// Reads every rule of every route with the policies that are attached to it; without routes, every
/// policy by itself.
pub(super) fn read(documents: &[Document<'_>]) -> Vec<Imported> {
    let of_kind = |kinds: &[&str]| -> Vec<&Document<'_>> {
        let has = |document: &&Document<'_>| {
            find_text(document.value, "kind").is_some_and(|own| kinds.contains(&own.as_str()))
        };
        documents.iter().filter(has).collect()
    };
    let kinds = Kinds {
        routes: of_kind(&["HTTPRoute", "GRPCRoute"]),
        budgets: of_kind(&["XBackendTrafficPolicy"]),
        traffic: of_kind(&["BackendTrafficPolicy"]),
    };
    let mut policies = Vec::new();
    for document in &kinds.routes {
        let mut scratch = Notes::default();
        let rules = Object::new(&document.path, document.value, &mut scratch)
            .object(&mut scratch, "spec")
            .objects(&mut scratch, "rules");
        for index in 0..rules.len() {
            policies.push(rule(document, index, &kinds));
        }
    }
    if policies.is_empty() {
        let alone = |budget: Option<&Document<'_>>, traffic: Option<&Document<'_>>| {
            let mut notes = Notes::default();
            let mut policy = Policy::ONCE;
            let mut name = None;
            if let Some(document) = traffic {
                name = read_traffic(&mut notes, document, &mut policy, false);
            }
            if let Some(document) = budget {
                name = read_budget(&mut notes, document, &mut policy).or(name);
            }
            let name = name.unwrap_or_else(|| "gateway".to_owned());
            Imported::new(&name, policy, Vec::new(), notes)
        };
        policies.extend(kinds.traffic.iter().map(|document| alone(None, Some(document))));
        policies.extend(kinds.budgets.iter().map(|document| alone(Some(document), None)));
    }
    policies
}

/// The policy among `documents` whose `targetRefs` name one of these.
fn attached<'a>(
    documents: &[&'a Document<'a>],
    names: &[(&str, String)],
) -> Option<&'a Document<'a>> {
    let targets = |document: &&&Document<'_>| {
        let spec = document.value.find(&["spec".to_owned()]);
        let list = spec.and_then(|spec| spec.find(&["targetRefs".to_owned()]));
        let single = spec.and_then(|spec| spec.find(&["targetRef".to_owned()]));
        let list = match list.map(|list| &list.data) {
            Some(Data::List(list)) => list.iter().collect(),
            _ => single.into_iter().collect::<Vec<&Value>>(),
        };
        list.iter().any(|target| {
            let kind = find_text(target, "kind").unwrap_or_default();
            let name = find_text(target, "name").unwrap_or_default();
            names.iter().any(|(own, wanted)| *own == kind && *wanted == name)
        })
    };
    documents.iter().find(targets).copied()
}

fn rule(document: &Document<'_>, index: usize, kinds: &Kinds<'_>) -> Imported {
    let mut notes = Notes::default();
    let mut object = Object::new(&document.path, document.value, &mut notes);
    let name = metadata_name(&mut object, &mut notes).unwrap_or_else(|| "route".to_owned());
    let mut spec = object.object(&mut notes, "spec");
    let mut targets = vec![("HTTPRoute", name.clone()), ("GRPCRoute", name.clone())];
    for mut parent in spec.objects(&mut notes, "parentRefs") {
        let name = parent.given(&mut notes, "name", text, "finds the policies of the gateway");
        targets.extend(name.map(|name| ("Gateway", name)));
    }
    let mut rule = spec.objects(&mut notes, "rules").swap_remove(index);
    let own = rule.given(&mut notes, "name", text, "names the policy");
    let mut services = Vec::new();
    for mut target in rule.objects(&mut notes, "backendRefs") {
        let name = target.given(&mut notes, "name", text, "finds the budget of the service");
        services.extend(name.map(|name| ("Service", name)));
    }
    let traffic = attached(&kinds.traffic, &targets);
    let budget = attached(&kinds.budgets, &services);
    let mut policy = Policy::ONCE;
    let has_retry = rule.has("retry");
    // The budget first: a gateway's own limit of retries gives way to it.
    if let Some(document) = budget {
        read_budget(&mut notes, document, &mut policy);
    }
    if let Some(document) = traffic {
        read_traffic(&mut notes, document, &mut policy, has_retry);
    }
    read_rule(&mut notes, &mut rule, &mut policy, traffic.is_some());
    rule.close_open(&mut notes);
    let caveats = match (has_retry, traffic) {
        (true, None) => vec![
            "the standard leaves growth and jitter of the delays to the implementation: here they \
             are constant. Envoy Gateway: preset = \"envoy-gateway@v1alpha1\""
                .to_owned(),
        ],
        _ => Vec::new(),
    };
    let name = own.map_or(name.clone(), |own| format!("{name}-{own}"));
    Imported::new(&name, policy, caveats, notes)
}

/// What a route says counts before what a policy says (`ir/xds.go`, `HTTPRoute.GetRetry`).
fn read_rule(notes: &mut Notes, rule: &mut Object<'_>, policy: &mut Policy, is_envoy: bool) {
    let mut timeouts = rule.object(notes, "timeouts");
    let means = "the whole call, retries included; 0s is for ever";
    if let Some(whole) = timeouts.given(notes, "request", go_duration, means) {
        policy.deadline = (whole > Span::ZERO).then_some(whole);
    } else if policy.deadline.is_none() {
        notes.defaulted(&joined(&timeouts.path, "request"), "none".to_owned(), ROUTE);
    }
    let attempt = timeouts.given(notes, "backendRequest", go_duration, "one attempt");
    match attempt {
        Some(span) => policy.attempt_timeout = (span > Span::ZERO).then_some(span),
        None if policy.attempt_timeout.is_none() => {
            let path = joined(&timeouts.path, "backendRequest");
            notes.defaulted(&path, "the timeout of the request".to_owned(), ROUTE);
            policy.attempt_timeout = policy.deadline;
        }
        None => {}
    }
    timeouts.close(notes);
    let mut retry = rule.object(notes, "retry");
    if !retry.is_there() {
        return;
    }
    let means = "retries: attempts less one";
    let default = "the implementation's; here 1 as in Envoy";
    let retries = retry.read(notes, "attempts", count, (1, default), means);
    let codes = proxy::status_codes(notes, &mut retry, "codes");
    if codes.is_none() {
        let path = joined(&retry.path, "codes");
        notes.defaulted(&path, "the implementation's: server errors".to_owned(), ROUTE);
    }
    let means = if is_envoy { "first window of Envoy's delays" } else { "between attempts" };
    let delay = retry.given(notes, "backoff", go_duration, means);
    if delay.is_none() {
        notes.defaulted(&joined(&retry.path, "backoff"), "the implementation's".to_owned(), ROUTE);
    }
    let backoff = match (delay, is_envoy) {
        (Some(base), true) => proxy::backoff(base, base.scaled(10.0)),
        (None, true) => proxy::backoff(Span::from_millis(25), Span::from_millis(250)),
        (Some(delay), false) => Backoff::constant(delay),
        (None, false) => Backoff::NONE,
    };
    // Broken and timed-out attempts are retried whatever the codes are (GEP-1731).
    let connection = OutcomeSet::NETWORK.or(OutcomeSet::TIMED_OUT);
    let on = codes.map_or(SERVER_ERRORS, |codes| codes.or(connection));
    policy.retry = (retries > 0).then(|| Retry::new(retries.saturating_add(1), backoff).on(on));
    retry.close(notes);
}

/// A share of the requests of the last interval, and so many more each second. Unlike tower, the
/// standard does not round the share, so the finer scale of Finagle is used.
fn read_budget(notes: &mut Notes, document: &Document<'_>, policy: &mut Policy) -> Option<String> {
    let mut object = Object::new(&document.path, document.value, notes);
    let name = metadata_name(&mut object, notes);
    let mut spec = object.object(notes, "spec");
    let mut constraint = spec.object(notes, "retryConstraint");
    let mut budget = constraint.object(notes, "budget");
    let means = "% of the calls of the interval may be retried";
    let share = budget.read(notes, "percent", percent, (20.0, BUDGET), means);
    let span = (Span::from_secs(10), BUDGET);
    let span = budget.read(notes, "interval", go_duration, span, "over which both are counted");
    proxy::positive(notes, &budget, span, "interval");
    budget.close(notes);
    let mut least = constraint.object(notes, "minRetryRate");
    let means = "retries that are allowed besides";
    let count = least.read(notes, "count", count, (10, BUDGET), means);
    let each = (Span::from_secs(1), BUDGET);
    let each = least.read(notes, "interval", go_duration, each, "in which they are");
    proxy::positive(notes, &least, each, "interval");
    least.close(notes);
    constraint.close(notes);
    spec.ignore(notes, &["sessionPersistence"], "calls have no sessions");
    spec.close_open(notes);
    let mut window = Window::finagle(share / 100.0, 1, span);
    let retries = f64::from(count) * span.seconds() / each.seconds().max(1e-9);
    window.reserve = (retries * window.cost as f64) as i64;
    policy.budget = Some(Budget::Window(window));
    name
}

fn read_traffic(
    notes: &mut Notes,
    document: &Document<'_>,
    policy: &mut Policy,
    route_retries: bool,
) -> Option<String> {
    let mut object = Object::new(&document.path, document.value, notes);
    let name = metadata_name(&mut object, notes);
    let mut spec = object.object(notes, "spec");
    read_timeout(notes, &mut spec, policy);
    let mut retry = spec.object(notes, "retry");
    if route_retries {
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
    read_breaker(notes, &mut spec, policy);
    read_health(notes, &mut spec, policy);
    let why = "balancing is a key of the service";
    spec.ignore(notes, &["loadBalancer"], why);
    let why = "limits what the gateway lets in; say it at the service behind it";
    spec.ignore(notes, &["rateLimit", "bandwidthLimit"], why);
    spec.ignore(notes, &["faultInjection"], "faults are part of an experiment");
    let why = "connections are not modelled";
    spec.ignore(notes, &["tcpKeepalive", "connection", "http2", "dns"], why);
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
    let codes = proxy::status_codes(notes, &mut on, "httpStatusCodes");
    let set = match on.value("triggers") {
        Some((path, value)) => {
            proxy::conditions(notes, &path, value, codes.unwrap_or_default(), false)
        }
        None => {
            let path = joined(&on.path, "triggers");
            let default = "connect-failure, refused-stream, unavailable, cancelled, 503";
            notes.defaulted(&path, default.to_owned(), RETRY);
            let rule = preset("envoy-gateway", "v1alpha1").retry.expect("the preset retries");
            rule.on.or(codes.unwrap_or_default())
        }
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

fn read_breaker(notes: &mut Notes, spec: &mut Object<'_>, policy: &mut Policy) {
    let mut breaker = spec.object(notes, "circuitBreaker");
    let mut limit = |key, means| breaker.read(notes, key, count, (1024, BREAKER), means);
    let connections = limit("maxConnections", "attempts at once: one on each connection");
    let pending = limit("maxPendingRequests", "attempts that wait");
    let requests = limit("maxParallelRequests", "attempts at once; the smaller counts");
    policy.bulkhead = proxy::bulkhead(Some(connections), Some(pending), Some(requests));
    if policy.budget.is_some() {
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
        let share = budget.read(notes, "percent", percent, (20.0, BREAKER), means);
        let least = "retries at once at least";
        let floor = budget.read(notes, "minRetryConcurrency", count, (3, BREAKER), least);
        Concurrent { ratio: share / 100.0, floor }
    } else {
        let key = "maxParallelRetries";
        let floor = breaker.read(notes, key, count, (1024, BREAKER), "retries at once");
        Concurrent { ratio: 0.0, floor }
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
        };
        let mut outlier = proxy::ejection(notes, &mut passive, &keys);
        let means = "% healthy, below which all hosts get traffic";
        let panic = health.read(notes, "panicThreshold", percent, (50.0, HEALTH), means);
        outlier.panic = panic / 100.0;
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
