//! Envoy: clusters with their limits, outlier detection and panic.

use super::note::Notes;
use super::object::{Object, folded};
use super::proxy::{self, Ejection};
use super::quantity::{count, find_text, percent, protobuf_duration, text};
use crate::kernel::time::Span;
use crate::model::document::Data;
use crate::policy::Policy;
use crate::policy::budget::{Budget, Concurrent};
use crate::policy::outlier::Outlier;

const CLUSTER: &str = "Envoy, circuit_breaker.proto";
const LB: &str = "Envoy, cluster.proto";

/// Reads what a cluster says of calls.
pub(super) fn read(notes: &mut Notes, cluster: &mut Object<'_>, policy: &mut Policy) {
    let protocol = read_protocol(notes, cluster);
    read_thresholds(notes, cluster, policy, protocol);
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

/// What a cluster speaks: calls of HTTP/2 and HTTP/3 share connections.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Http1,
    Shared,
    /// What the server or the caller speaks.
    Negotiated,
}

fn read_protocol(notes: &mut Notes, cluster: &mut Object<'_>) -> Protocol {
    let mut protocol = Protocol::Http1;
    let mut say = |notes: &mut Notes, path: &str, found: Protocol| {
        let means = match found {
            Protocol::Shared => "calls share connections, so max_requests alone limits them",
            _ => "which protocol is not said here; HTTP/1.1 is assumed",
        };
        notes.given(path, "…".to_owned(), means);
        protocol = found;
    };
    for key in ["http2_protocol_options", "http3_protocol_options"] {
        if let Some((path, _)) = cluster.value(key) {
            say(notes, &path, Protocol::Shared);
        }
    }
    let options = cluster.object(notes, "typed_extension_protocol_options");
    for (name, field) in options.entries() {
        let path = format!("{}.{name}", options.path);
        let Data::Table(fields) = &field.value.data else { continue };
        for (key, field) in fields {
            let path = format!("{path}.{key}");
            let is_shared = |(key, _): (&String, _)| {
                matches!(folded(key).as_str(), "http2protocoloptions" | "http3protocoloptions")
            };
            match (folded(key).as_str(), &field.value.data) {
                ("explicithttpconfig", Data::Table(inner)) if inner.iter().any(is_shared) => {
                    say(notes, &path, Protocol::Shared);
                }
                ("autoconfig" | "usedownstreamprotocolconfig", _) => {
                    say(notes, &path, Protocol::Negotiated);
                }
                ("outlierdetection", _) => {
                    let why = "which answers count as failures of a host is fixed here";
                    notes.ignored(&path, &field.value, why);
                }
                _ => {}
            }
        }
    }
    protocol
}

/// The first threshold of the default priority counts (`circuit_breaker.proto`).
fn read_thresholds(
    notes: &mut Notes,
    cluster: &mut Object<'_>,
    policy: &mut Policy,
    protocol: Protocol,
) {
    let mut breakers = cluster.object(notes, "circuit_breakers");
    let mut taken = None;
    if let Some((path, value)) = breakers.value("thresholds") {
        let list = match &value.data {
            Data::List(list) => list.as_slice(),
            _ => std::slice::from_ref(value),
        };
        for (index, value) in list.iter().enumerate() {
            let path = format!("{path}[{index}]");
            let is_default = find_text(value, "priority").is_none_or(|name| name == "DEFAULT");
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
    let pending = limit("max_pending_requests", "attempts that wait");
    let requests = limit("max_requests", "attempts at once; the smaller counts");
    let connections = if protocol == Protocol::Shared {
        limits.ignore(notes, &["max_connections"], "calls of HTTP/2 share a connection");
        None
    } else {
        let means = "attempts at once: one on each connection";
        Some(limits.read(notes, "max_connections", count, (1024, CLUSTER), means))
    };
    if protocol == Protocol::Negotiated && connections.is_some_and(|most| most < requests) {
        notes.caveats.push(
            "calls of HTTP/1.1 are assumed, one on each connection; if both sides speak HTTP/2, \
             max_requests alone limits them"
                .to_owned(),
        );
    }
    policy.bulkhead = proxy::bulkhead(notes, connections, Some(pending), Some(requests));
    for key in ["retry_budget", "max_retries"] {
        notes.of_budget(format!("{}.{key}", limits.path));
    }
    let mut budget = limits.object(notes, "retry_budget");
    let rule = if budget.is_there() {
        limits.ignore(notes, &["max_retries"], "retry_budget is there and counts alone");
        let means = "% of the active calls may be retries at once";
        let share = budget.read(notes, "budget_percent", percent, (20.0, CLUSTER), means);
        let means = "retries at once at least";
        let min_retries = budget.read(notes, "min_retry_concurrency", count, (3, CLUSTER), means);
        budget.ignore(notes, &["budget_interval"], "the calls that are active now count");
        Concurrent { ratio: share / 100.0, min_retries }
    } else {
        let min_retries = limits.read(notes, "max_retries", count, (3, CLUSTER), "retries at once");
        Concurrent { ratio: 0.0, min_retries }
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
        zero_is_default: false,
    };
    let mut outlier = proxy::ejection(notes, object, &keys);
    let longest = (Span::from_secs(300).max(outlier.base_ejection_time), proxy::OUTLIER);
    let means = "longest ejection";
    outlier.max_ejection_time =
        object.read(notes, "max_ejection_time", protobuf_duration, longest, means);
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
    object.ignore(notes, &["detect_degraded_hosts"], "hosts have no priorities");
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
