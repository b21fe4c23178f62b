//! Envoy: routes with their retries, timeouts and hedging, and clusters with their limits, outlier
//! detection and panic.

use super::note::{Notes, joined};
use super::object::Object;
use super::proxy::{self, Ejection};
use super::quantity::{count, flag, percent, protobuf_duration, text};
use super::{Document, Imported, preset};
use crate::kernel::time::Span;
use crate::model::document::{Data, Value};
use crate::policy::budget::{Budget, Concurrent};
use crate::policy::outlier::Outlier;
use crate::policy::retry::HintRule;
use crate::policy::{OutcomeSet, Policy};

const ROUTE: &str = "Envoy, route_components.proto";
const CLUSTER: &str = "Envoy, circuit_breaker.proto";
const LB: &str = "Envoy, cluster.proto";

/// A route action, the retries and hedging that it inherits, and its name.
struct Route<'a> {
    path: String,
    value: &'a Value,
    name: Option<String>,
    host: Option<(String, &'a Value)>,
}

/// Reads every route with its cluster; without routes, every cluster.
pub(super) fn read(documents: &[Document<'_>]) -> Vec<Imported> {
    let (mut routes, mut clusters) = (Vec::new(), Vec::new());
    for document in documents {
        find(&document.path, document.value, None, &mut routes, &mut clusters);
    }
    if routes.is_empty() {
        return clusters.iter().map(|(path, value)| one(None, Some((path, value)))).collect();
    }
    let target = |route: &Route<'_>| named(route.value, "cluster");
    let read = |route: &Route<'_>| {
        let wanted = target(route);
        let own = clusters.iter().find(|(_, value)| named(value, "name") == wanted);
        let cluster = own.filter(|_| wanted.is_some()).or(match clusters.as_slice() {
            [only] if wanted.is_none() || named(only.1, "name").is_none() => Some(only),
            _ => None,
        });
        one(Some(route), cluster.map(|(path, value)| (path, value)))
    };
    routes.iter().map(read).collect()
}

fn named(value: &Value, key: &str) -> Option<String> {
    value.find(&[key.to_owned()]).and_then(|value| text(value).ok())
}

/// Collects route actions and clusters, wherever they stand.
fn find<'a>(
    path: &str,
    value: &'a Value,
    host: Option<(String, &'a Value)>,
    routes: &mut Vec<Route<'a>>,
    clusters: &mut Vec<(String, &'a Value)>,
) {
    match &value.data {
        Data::Table(fields) => {
            let is_host = fields.contains_key("domains") && fields.contains_key("routes");
            let host = if is_host { Some((path.to_owned(), value)) } else { host };
            for (key, field) in fields {
                let path = joined(path, key);
                match (key.as_str(), &field.value.data) {
                    ("route", Data::Table(_)) => routes.push(Route {
                        path,
                        value: &field.value,
                        name: named(value, "name"),
                        host: host.clone(),
                    }),
                    ("cluster", Data::Table(_)) => clusters.push((path, &field.value)),
                    ("clusters", Data::List(list)) => {
                        let list = list.iter().enumerate();
                        clusters.extend(list.map(|(n, value)| (format!("{path}[{n}]"), value)));
                    }
                    _ => find(&path, &field.value, host.clone(), routes, clusters),
                }
            }
        }
        Data::List(values) => {
            for (index, value) in values.iter().enumerate() {
                let path = format!("{path}[{index}]");
                find(&path, value, host.clone(), routes, clusters);
            }
        }
        _ => {}
    }
}

/// One policy: a route, a cluster, or both.
fn one(route: Option<&Route<'_>>, cluster: Option<(&String, &&Value)>) -> Imported {
    let mut notes = Notes::default();
    let mut policy = preset("envoy", "code");
    let mut cluster = match cluster {
        Some((path, value)) => Object::new(path, value, &mut notes).relaxed(),
        None => Object::absent("cluster").relaxed(),
    };
    let cluster_name = cluster.given(&mut notes, "name", text, "names the policy");
    let mut name = cluster_name.clone();
    if let Some(route) = route {
        name = route.name.clone().or_else(|| named(route.value, "cluster")).or(name);
        read_route(&mut notes, route, &mut policy);
    } else {
        policy.retry = None;
        (policy.deadline, policy.attempt_timeout) = (None, None);
    }
    read_cluster(&mut notes, &mut cluster, &mut policy);
    cluster.close_open(&mut notes);
    let caveats = match (route, policy.retry) {
        (None, _) => vec!["without a route there are no retries and no timeouts".to_owned()],
        (Some(_), None) => vec!["nothing is retried: `retry_on` names no condition".to_owned()],
        _ => Vec::new(),
    };
    Imported::new(name.as_deref().unwrap_or("envoy"), policy, caveats, notes)
}

fn read_route(notes: &mut Notes, route: &Route<'_>, policy: &mut Policy) {
    let mut object = Object::new(&route.path, route.value, notes).relaxed();
    object.given(notes, "cluster", text, "names the policy");
    let whole = "the whole call, retries included; 0s is for ever";
    let whole =
        object.read(notes, "timeout", protobuf_duration, (Span::from_secs(15), ROUTE), whole);
    policy.deadline = (whole > Span::ZERO).then_some(whole);
    let host = route.host.as_ref().map(|(path, value)| Object::new(path, value, notes).relaxed());
    let mut hedge = inherited(notes, &mut object, host.as_ref(), "hedge_policy");
    let keeps = "a timed-out attempt runs on beside its retry";
    let keep_timed_out = hedge.read(notes, "hedge_on_per_try_timeout", flag, (false, ROUTE), keeps);
    let why = "Envoy reads it and does nothing with it";
    hedge.ignore(notes, &["initial_requests", "additional_request_chance"], why);
    hedge.close(notes);
    let mut retry = inherited(notes, &mut object, host.as_ref(), "retry_policy");
    read_retry(notes, &mut retry, policy);
    retry.close(notes);
    if let Some(rule) = &mut policy.retry {
        rule.keep_timed_out = keep_timed_out;
    }
    let why = "streams and idle connections are not modelled";
    let keys = ["idle_timeout", "max_stream_duration", "flush_timeout", "early_data_policy"];
    object.ignore(notes, &keys, why);
    object.ignore(notes, &["retry_policy_typed_config"], "an extension of Envoy");
    let why = "a deadline that the caller sends along is not modelled";
    object.ignore(notes, &["max_grpc_timeout", "grpc_timeout_offset"], why);
    object.close_open(notes);
}

/// The object of a route, or else that of its virtual host.
fn inherited<'a>(
    notes: &mut Notes,
    route: &mut Object<'a>,
    host: Option<&Object<'a>>,
    key: &'static str,
) -> Object<'a> {
    match host {
        Some(host) if !route.has(key) && host.has(key) => host.clone().object(notes, key),
        _ => route.object(notes, key),
    }
}

fn read_retry(notes: &mut Notes, object: &mut Object<'_>, policy: &mut Policy) {
    let codes = proxy::status_codes(notes, object, "retriable_status_codes");
    let on = match object.value("retry_on") {
        Some((path, value)) => {
            proxy::conditions(notes, &path, value, codes.unwrap_or(OutcomeSet::NONE), false)
        }
        None => {
            let path = joined(&object.path, "retry_on");
            notes.defaulted(&path, "empty: no retries".to_owned(), ROUTE);
            OutcomeSet::NONE
        }
    };
    let means = "retries: attempts less one";
    let retries = object.read(notes, "num_retries", count, (1, ROUTE), means);
    let attempt = object.given(notes, "per_try_timeout", protobuf_duration, "one attempt");
    if attempt.is_none() {
        let path = joined(&object.path, "per_try_timeout");
        let whole = policy.deadline.map_or("none".to_owned(), |whole| whole.to_string());
        notes.defaulted(&path, format!("the route timeout, {whole}"), ROUTE);
    }
    policy.attempt_timeout = attempt.filter(|&span| span > Span::ZERO).or(policy.deadline);
    let mut delays = object.object(notes, "retry_back_off");
    let base = (Span::from_millis(25), proxy::BACKOFF);
    let base = delays.read(notes, "base_interval", protobuf_duration, base, "first window");
    let longest = (base.scaled(10.0), proxy::BACKOFF);
    let longest = delays.read(notes, "max_interval", protobuf_duration, longest, "longest window");
    proxy::positive(notes, &delays, base, "base_interval");
    delays.close(notes);
    if let Some(rule) = &mut policy.retry {
        rule.attempts = retries.saturating_add(1);
        rule.backoff = proxy::backoff(base, longest);
        rule.on = on;
        rule.hint = read_hint(notes, object);
    }
    let why = "a retry goes wherever the service balances it to";
    let keys = ["retry_host_predicate", "host_selection_retry_max_attempts", "retry_priority"];
    object.ignore(notes, &keys, why);
    let why = "calls have no headers";
    object.ignore(notes, &["retriable_headers", "retriable_request_headers"], why);
    object.ignore(notes, &["retry_options_predicates"], "an extension of Envoy");
    object.ignore(notes, &["per_try_idle_timeout"], "an attempt is one message each way");
    if on == OutcomeSet::NONE || retries == 0 {
        policy.retry = None;
    }
}

/// Envoy adds up to a half at random to what the server asks for, and does not look at more than
/// the longest (`retry_state_impl.cc`).
fn read_hint(notes: &mut Notes, object: &mut Object<'_>) -> HintRule {
    let mut limited = object.object(notes, "rate_limited_retry_back_off");
    if !limited.is_there() {
        return HintRule::Ignore;
    }
    if let Some((path, value)) = limited.value("reset_headers") {
        notes.given(&path, super::note::shown(value), "a retry waits as long as the server asks");
    }
    let most = (Span::from_secs(300), ROUTE);
    let means = "at most so long; Envoy's extra half at random is left out";
    let limit = limited.read(notes, "max_interval", protobuf_duration, most, means);
    limited.close(notes);
    HintRule::Instead { limit }
}

fn read_cluster(notes: &mut Notes, cluster: &mut Object<'_>, policy: &mut Policy) {
    read_thresholds(notes, cluster, policy);
    let mut object = cluster.object(notes, "outlier_detection");
    let is_there = object.is_there();
    if is_there {
        policy.outlier = Some(read_outlier(notes, &mut object));
    } else {
        notes.defaulted(&object.path, "none: no ejection".to_owned(), proxy::OUTLIER);
    }
    object.close(notes);
    let mut common = cluster.object(notes, "common_lb_config");
    match &mut policy.outlier {
        Some(outlier) => {
            let means = "% healthy, below which all hosts get traffic";
            let panic = common.read(notes, "healthy_panic_threshold", percent, (50.0, LB), means);
            outlier.panic = panic / 100.0;
        }
        None => common.ignore(notes, &["healthy_panic_threshold"], "nothing is ejected"),
    }
    common.close_open(notes);
    if let Some((path, value)) = cluster.value("lb_policy") {
        let hint = proxy::balance_hint(&text(value).unwrap_or_default());
        notes.ignored(&path, value, hint);
    }
    let keys = ["least_request_lb_config", "ring_hash_lb_config", "round_robin_lb_config"];
    cluster.ignore(notes, &keys, "balancing is a key of the service");
    let why = "health is seen in calls alone: there are no probes";
    cluster.ignore(notes, &["health_checks"], why);
    cluster.ignore(notes, &["connect_timeout"], "connections are not modelled");
}

/// The first threshold of the default priority counts (`circuit_breaker.proto`).
fn read_thresholds(notes: &mut Notes, cluster: &mut Object<'_>, policy: &mut Policy) {
    let mut breakers = cluster.object(notes, "circuit_breakers");
    let mut taken = None;
    if let Some((path, value)) = breakers.value("thresholds") {
        let list = match &value.data {
            Data::List(list) => list.as_slice(),
            _ => std::slice::from_ref(value),
        };
        for (index, value) in list.iter().enumerate() {
            let path = format!("{path}[{index}]");
            let is_default = named(value, "priority").is_none_or(|name| name == "DEFAULT");
            match taken {
                None if is_default => {
                    taken = Some(Object::new(&path, value, notes).relaxed());
                }
                _ => notes.ignored(&path, value, "the first of priority DEFAULT counts"),
            }
        }
    }
    let absent = format!("{}.circuit_breakers.thresholds[0]", cluster.path);
    let mut limits = taken.unwrap_or_else(|| Object::absent(&absent).relaxed());
    limits.given(notes, "priority", text, "the one that counts");
    let mut limit = |key, means| limits.read(notes, key, count, (1024, CLUSTER), means);
    let connections = limit("max_connections", "attempts at once: one on each connection");
    let pending = limit("max_pending_requests", "attempts that wait");
    let requests = limit("max_requests", "attempts at once; the smaller counts");
    policy.bulkhead = proxy::bulkhead(Some(connections), Some(pending), Some(requests));
    let mut budget = limits.object(notes, "retry_budget");
    let rule = if budget.is_there() {
        limits.ignore(notes, &["max_retries"], "retry_budget is there and counts alone");
        let means = "% of the active calls may be retries at once";
        let share = budget.read(notes, "budget_percent", percent, (20.0, CLUSTER), means);
        let floor = "retries at once at least";
        let floor = budget.read(notes, "min_retry_concurrency", count, (3, CLUSTER), floor);
        Concurrent { ratio: share / 100.0, floor }
    } else {
        let floor = limits.read(notes, "max_retries", count, (3, CLUSTER), "retries at once");
        Concurrent { ratio: 0.0, floor }
    };
    policy.budget = Some(Budget::Concurrent(rule));
    budget.close(notes);
    let why = "counted, and limits nothing";
    limits.ignore(notes, &["track_remaining"], why);
    limits.ignore(notes, &["max_connection_pools"], "connections are not modelled");
    limits.close(notes);
    breakers.ignore(notes, &["per_host_thresholds"], "one limit for the whole target is taken");
    breakers.close(notes);
}

fn read_outlier(notes: &mut Notes, object: &mut Object<'_>) -> Outlier {
    let keys = Ejection {
        duration: protobuf_duration,
        start: Outlier::ENVOY,
        source: proxy::OUTLIER,
        in_a_row: "consecutive_5xx",
        gateway: None,
        interval: "interval",
        base: "base_ejection_time",
        most: "max_ejection_percent",
    };
    let mut outlier = proxy::ejection(notes, object, &keys);
    let longest = (Span::from_secs(300).max(outlier.base), proxy::OUTLIER);
    let means = "longest ejection";
    outlier.longest = object.read(notes, "max_ejection_time", protobuf_duration, longest, means);
    proxy::enforcement(notes, object, &mut outlier);
    read_gateway(notes, object, &mut outlier);
    let keys = [
        "split_external_local_origin_errors",
        "consecutive_local_origin_failure",
        "enforcing_consecutive_local_origin_failure",
        "enforcing_local_origin_success_rate",
    ];
    object.ignore(notes, &keys, "errors on the way and errors of the host are counted together");
    object.ignore(notes, &["max_ejection_time_jitter"], "hosts come back without jitter");
    object.ignore(notes, &["successful_active_health_check_uneject_host"], "there are no probes");
    object.ignore(notes, &["monitors"], "an extension of Envoy");
    outlier
}

/// Gateway errors in a row are counted by default and not enforced.
fn read_gateway(notes: &mut Notes, object: &mut Object<'_>, outlier: &mut Outlier) {
    let means = "0 is off; any other share counts as 100";
    let source = proxy::OUTLIER;
    let key = "enforcing_consecutive_gateway_failure";
    let is_enforced = object.read(notes, key, percent, (0.0, source), means) > 0.0;
    if !is_enforced {
        object.ignore(notes, &["consecutive_gateway_failure"], "it is not enforced");
        return;
    }
    let means =
        "502, 503, 504 in a row: nearly all failures of a run are, the smaller count decides";
    let key = "consecutive_gateway_failure";
    let gateway = object.read(notes, key, count, (5, source), means);
    if outlier.consecutive == 0 || gateway < outlier.consecutive {
        outlier.consecutive = gateway;
    }
}
