//! Istio: retries and timeouts of a VirtualService, limits and ejection of a DestinationRule.

use super::note::{Notes, joined};
use super::object::Object;
use super::proxy::{self, Ejection};
use super::quantity::{count, go_duration, number, percent, text};
use super::recognise::find_text;
use super::{Document, Imported, metadata_name, preset};
use crate::kernel::time::Span;
use crate::policy::budget::{Budget, Concurrent};
use crate::policy::outlier::Outlier;
use crate::policy::{OutcomeSet, Policy};

const RETRY: &str = "istio/istio retry.go";
const RULE: &str = "istio/api destination_rule.proto";
const SERVICE: &str = "istio/api virtual_service.proto";

/// Reads every HTTP route with the rule of its host; without routes, every rule.
pub(super) fn read(documents: &[Document<'_>]) -> Vec<Imported> {
    let of_kind = |kind: &'static str| {
        documents.iter().filter(move |document| {
            find_text(document.value, "kind").is_some_and(|own| own == kind)
        })
    };
    let rules: Vec<&Document<'_>> = of_kind("DestinationRule").collect();
    let mut policies = Vec::new();
    for service in of_kind("VirtualService") {
        let mut scratch = Notes::default();
        let routes = Object::new(&service.path, service.value, &mut scratch)
            .object(&mut scratch, "spec")
            .objects(&mut scratch, "http");
        for index in 0..routes.len() {
            policies.push(route(service, index, &rules));
        }
    }
    if policies.is_empty() {
        policies = rules.iter().map(|rule| rule_alone(rule)).collect();
    }
    policies
}

fn host(rule: &Document<'_>) -> Option<String> {
    find_text(rule.value.find(&["spec".to_owned()])?, "host")
}

fn route(service: &Document<'_>, index: usize, rules: &[&Document<'_>]) -> Imported {
    let mut notes = Notes::default();
    let mut policy = preset("istio", "default");
    let mut object = Object::new(&service.path, service.value, &mut notes);
    let name = metadata_name(&mut object, &mut notes);
    let mut route =
        object.object(&mut notes, "spec").objects(&mut notes, "http").swap_remove(index);
    let own_name = route.given(&mut notes, "name", text, "names the policy");
    let mut destination = None;
    for mut target in route.objects(&mut notes, "route") {
        let mut target = target.object(&mut notes, "destination");
        destination = destination.or(target.given(&mut notes, "host", text, "finds its rule"));
        let why = "the settings of a subset are not read, those of its host are";
        target.ignore(&mut notes, &["subset"], why);
    }
    read_route(&mut notes, &mut route, &mut policy);
    route.close_open(&mut notes);
    let of_host = rules.iter().find(|rule| destination.is_some() && host(rule) == destination);
    if let Some(rule) = of_host.or(if let [only] = rules { Some(only) } else { None }) {
        read_rule(&mut notes, rule, &mut policy);
    } else {
        let none = "none: no limits, no ejection".to_owned();
        notes.defaulted("DestinationRule", none, RULE);
    }
    let name = name.unwrap_or_else(|| "istio".to_owned());
    let name = own_name.map_or(name.clone(), |own| format!("{name}-{own}"));
    Imported::new(&name, policy, Vec::new(), notes)
}

/// A rule without a route has the retries that Istio gives everybody.
fn rule_alone(rule: &Document<'_>) -> Imported {
    let mut notes = Notes::default();
    let mut policy = preset("istio", "default");
    let mut object = Object::new(&rule.path, rule.value, &mut notes);
    let name = metadata_name(&mut object, &mut notes).unwrap_or_else(|| "istio".to_owned());
    notes.defaulted("http.retries", "2 retries".to_owned(), RETRY);
    notes.defaulted("http.timeout", "none".to_owned(), SERVICE);
    read_rule(&mut notes, rule, &mut policy);
    Imported::new(&name, policy, Vec::new(), notes)
}

fn read_route(notes: &mut Notes, route: &mut Object<'_>, policy: &mut Policy) {
    let means = "the whole call, retries included; 0s is for ever";
    let whole = route.limit(notes, "timeout", go_duration, ("none", SERVICE), means);
    policy.deadline = whole.filter(|&span| span > Span::ZERO);
    let mut retries = route.object(notes, "retries");
    if !retries.is_there() {
        notes.defaulted(&retries.path, "2 retries, of what Istio retries".to_owned(), RETRY);
        policy.attempt_timeout = policy.deadline;
        return;
    }
    let means = "retries: attempts less one";
    let count = retries.read(notes, "attempts", count, (0, RETRY), means);
    let attempt = retries.given(notes, "perTryTimeout", go_duration, "one attempt");
    if attempt.is_none() {
        let path = joined(&retries.path, "perTryTimeout");
        notes.defaulted(&path, "the timeout of the route".to_owned(), SERVICE);
    }
    policy.attempt_timeout = attempt.filter(|&span| span > Span::ZERO).or(policy.deadline);
    let base = (Span::from_millis(25), proxy::BACKOFF);
    let means = "first window; the longest is ten times as long";
    let base = retries.read(notes, "backoff", go_duration, base, means);
    proxy::positive(notes, &retries, base, "backoff");
    let rule = policy.retry.as_mut().expect("the preset retries");
    rule.attempts = count.saturating_add(1);
    rule.backoff = proxy::backoff(base, base.scaled(10.0));
    match retries.value("retryOn") {
        Some((path, value)) => {
            rule.on = proxy::conditions(notes, &path, value, OutcomeSet::NONE, true);
        }
        None => {
            let default = "connect-failure,refused-stream,unavailable,cancelled".to_owned();
            notes.defaulted(&joined(&retries.path, "retryOn"), default, RETRY);
        }
    }
    let is_empty = rule.on == OutcomeSet::NONE;
    if count == 0 || is_empty {
        policy.retry = None;
    }
    let why = "a retry goes wherever the service balances it to";
    retries.ignore(notes, &["retryRemoteLocalities", "retryIgnorePreviousHosts"], why);
    retries.close(notes);
}

fn read_rule(notes: &mut Notes, rule: &Document<'_>, policy: &mut Policy) {
    let mut object = Object::new(&rule.path, rule.value, notes);
    let mut spec = object.object(notes, "spec");
    spec.given(notes, "host", text, "the target");
    let mut traffic = spec.object(notes, "trafficPolicy");
    let why = "only what holds for the whole host is read; write a policy for these by hand";
    spec.ignore(notes, &["subsets"], why);
    traffic.ignore(notes, &["portLevelSettings"], why);
    read_pool(notes, &mut traffic, policy);
    read_ejection(notes, &mut traffic, policy);
    let mut balancer = traffic.object(notes, "loadBalancer");
    if let Some((path, value)) = balancer.value("simple") {
        notes.ignored(&path, value, proxy::balance_hint(&text(value).unwrap_or_default()));
    }
    let keys = ["consistentHash", "localityLbSetting", "warmup", "warmupDurationSecs"];
    balancer.ignore(notes, &keys, "balancing is a key of the service, which has no such rule");
    balancer.close(notes);
    let mut budget = traffic.object(notes, "retryBudget");
    if budget.is_there() {
        let means = "% of the active calls may be retries at once";
        let share = budget.read(notes, "percent", percent, (20.0, RULE), means);
        let floor = "retries at once at least";
        let floor = budget.read(notes, "minRetryConcurrency", count, (3, RULE), floor);
        policy.budget = Some(Budget::Concurrent(Concurrent { ratio: share / 100.0, floor }));
    }
    budget.close(notes);
    let why = "connections are not modelled";
    traffic.ignore(notes, &["tls", "tunnel", "proxyProtocol"], why);
    traffic.close(notes);
    spec.close_open(notes);
}

fn read_pool(notes: &mut Notes, traffic: &mut Object<'_>, policy: &mut Policy) {
    let mut pool = traffic.object(notes, "connectionPool");
    let mut tcp = pool.object(notes, "tcp");
    let none = ("2^32-1: no limit", RULE);
    let means = "attempts at once: one on each connection";
    let connections = tcp.limit(notes, "maxConnections", count, none, means);
    let why = "connections are not modelled";
    let keys = ["connectTimeout", "tcpKeepalive", "maxConnectionDuration", "idleTimeout"];
    tcp.ignore(notes, &keys, why);
    tcp.close(notes);
    let mut http = pool.object(notes, "http");
    let means = "attempts that wait";
    let pending = http.limit(notes, "http1MaxPendingRequests", count, none, means);
    let means = "attempts at once, of HTTP/1.1 too; the smaller counts";
    let requests = http.limit(notes, "http2MaxRequests", count, none, means);
    let retries = http.limit(notes, "maxRetries", count, none, "retries at once");
    let keys = [
        "maxRequestsPerConnection",
        "idleTimeout",
        "h2UpgradePolicy",
        "useClientProtocol",
        "maxConcurrentStreams",
    ];
    http.ignore(notes, &keys, why);
    http.close(notes);
    pool.close(notes);
    policy.bulkhead = proxy::bulkhead(connections, pending, requests);
    policy.budget = retries.map(|floor| Budget::Concurrent(Concurrent { ratio: 0.0, floor }));
}

fn read_ejection(notes: &mut Notes, traffic: &mut Object<'_>, policy: &mut Policy) {
    let mut object = traffic.object(notes, "outlierDetection");
    if object.is_there() {
        let keys = Ejection {
            duration: go_duration,
            start: Outlier::ISTIO,
            source: RULE,
            in_a_row: "consecutive5xxErrors",
            gateway: Some("consecutiveGatewayErrors"),
            interval: "interval",
            base: "baseEjectionTime",
            most: "maxEjectionPercent",
        };
        let mut outlier = proxy::ejection(notes, &mut object, &keys);
        let means = "% healthy, below which all hosts get traffic";
        let panic = object.read(notes, "minHealthPercent", number, (0.0, RULE), means);
        outlier.panic = (panic / 100.0).min(1.0);
        let why = "errors on the way and errors of the host are counted together";
        let keys = ["splitExternalLocalOriginErrors", "consecutiveLocalOriginFailures"];
        object.ignore(notes, &keys, why);
        object.ignore(notes, &["consecutiveErrors"], "consecutive5xxErrors took its place");
        policy.outlier = Some(outlier);
    } else {
        notes.defaulted(&object.path, "none: no ejection".to_owned(), RULE);
    }
    object.close(notes);
}
