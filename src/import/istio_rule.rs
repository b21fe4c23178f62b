//! Istio: limits and ejection of a DestinationRule, of a host, its subsets and its ports.

use super::Document;
use super::istio::Target;
use super::note::{Notes, joined};
use super::object::Object;
use super::proxy::{self, Ejection};
use super::quantity::{count, go_duration, number, percent, text};
use crate::policy::Policy;
use crate::policy::budget::{Budget, Concurrent};
use crate::policy::outlier::Outlier;

/// Where the fields of a rule and their defaults were read.
pub(super) const RULE: &str = "istio/api destination_rule.proto";

/// Reads what a rule says of a target.
pub(super) fn read(notes: &mut Notes, rule: &Document<'_>, target: &Target, policy: &mut Policy) {
    let mut object = Object::new(&rule.path, rule.value, notes);
    let mut spec = object.object(notes, "spec");
    spec.given(notes, "host", text, "the target");
    let mut layers = layers(notes, &mut spec, target);
    let pool = section(notes, &mut layers, "connectionPool");
    read_pool(notes, pool, policy);
    let ejection = section(notes, &mut layers, "outlierDetection");
    read_ejection(notes, ejection, policy);
    let mut balancer = section(notes, &mut layers, "loadBalancer");
    if let Some((path, value)) = balancer.value("simple") {
        notes.ignored(&path, value, proxy::balance_hint(&text(value).unwrap_or_default()));
    }
    let keys = ["consistentHash", "localityLbSetting", "warmup", "warmupDurationSecs"];
    balancer.ignore(notes, &keys, "balancing is a key of the service, which has no such rule");
    balancer.close(notes);
    let mut budget = section(notes, &mut layers, "retryBudget");
    if budget.is_there() {
        let means = "% of the active calls may be retries at once";
        let share = budget.read(notes, "percent", percent, (20.0, RULE), means);
        let floor = "retries at once at least";
        let floor = budget.read(notes, "minRetryConcurrency", count, (3, RULE), floor);
        policy.budget = Some(Budget::Concurrent(Concurrent { ratio: share / 100.0, floor }));
    }
    budget.close(notes);
    let why = "connections are not modelled";
    for mut layer in Object::share_asked(layers) {
        layer.ignore(notes, &["tls", "tunnel", "proxyProtocol"], why);
        layer.close(notes);
    }
    spec.close_open(notes);
}

fn read_pool(notes: &mut Notes, mut pool: Object<'_>, policy: &mut Policy) {
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

fn read_ejection(notes: &mut Notes, mut object: Object<'_>, policy: &mut Policy) {
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

/// The traffic policies that hold for a target, the nearest first. What a subset has takes the
/// place of what its host has, section by section; a port inherits nothing (istio/istio,
/// `MergeTrafficPolicy`).
fn layers<'a>(notes: &mut Notes, spec: &mut Object<'a>, target: &Target) -> Vec<Object<'a>> {
    let mut host = spec.object(notes, "trafficPolicy");
    let mut port_of_host = port(notes, &mut host, target);
    let mut layers = Vec::new();
    let mut is_found = target.subset.is_none();
    for mut subset in spec.objects(notes, "subsets") {
        let name = subset.value("name").and_then(|(_, value)| text(value).ok());
        if name.is_none() || name != target.subset {
            let why = "the settings of another subset; a route that calls it has them";
            subset.ignore(notes, &["name", "labels", "trafficPolicy"], why);
            subset.close(notes);
            continue;
        }
        is_found = true;
        subset.given(notes, "name", text, "the subset that is called");
        subset.ignore(notes, &["labels"], "which instances are in a subset is not modelled");
        let mut own = subset.object(notes, "trafficPolicy");
        subset.close(notes);
        match port(notes, &mut own, target) {
            Some(port) => {
                hide(notes, &own, PORT);
                for hidden in [Some(&host), port_of_host.as_ref()].into_iter().flatten() {
                    hide(notes, hidden, PORT);
                }
                return vec![port];
            }
            None => layers.push(own),
        }
    }
    if let (false, Some(subset)) = (is_found, &target.subset) {
        let path = joined(&spec.path, "subsets");
        notes.defaulted(&path, format!("`{subset}` has no settings: those of the host"), RULE);
    }
    match port_of_host.take() {
        Some(port) => {
            hide(notes, &host, PORT);
            layers.push(port);
        }
        None => layers.push(host),
    }
    layers
}

const PORT: &str = "the port has settings of its own, and inherits nothing";

/// The settings of the port that is called.
fn port<'a>(notes: &mut Notes, traffic: &mut Object<'a>, target: &Target) -> Option<Object<'a>> {
    let mut found = None;
    for mut settings in traffic.objects(notes, "portLevelSettings") {
        let mut port = settings.object(notes, "port");
        let number = port.value("number").and_then(|(_, value)| count(value).ok());
        if number.is_some() && number == target.port {
            port.given(notes, "number", count, "the port that is called");
            found = Some(settings);
        } else {
            let why = match target.port {
                Some(_) => "the settings of another port",
                None => "the route names no port, so it has the settings of the host",
            };
            hide(notes, &settings, why);
        }
    }
    found
}

/// Notes that nothing of an object is used.
fn hide(notes: &mut Notes, object: &Object<'_>, why: &str) {
    for (key, field) in object.entries().filter(|(key, _)| *key != "portLevelSettings") {
        notes.ignored(&joined(&object.path, key), &field.value, why);
    }
}

/// The nearest section of this name.
fn section<'a>(notes: &mut Notes, layers: &mut [Object<'a>], key: &'static str) -> Object<'a> {
    let nearest = layers.iter().position(|layer| layer.has(key)).unwrap_or(0);
    for hidden in &mut layers[nearest + 1..] {
        hidden.ignore(notes, &[key], "the subset has its own");
    }
    layers[nearest].object(notes, key)
}
