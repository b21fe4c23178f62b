//! Istio: limits and ejection of a DestinationRule, of a host, its subsets and its ports.

use super::Target;
use crate::import::Document;
use crate::import::attach::{at, list, name_of, namespace_of, text_at};
use crate::import::host::Host;
use crate::import::note::{Notes, joined};
use crate::import::object::Object;
use crate::import::proxy::{self, Ejection};
use crate::import::quantity::{count, find_text, go_duration, number, percent, text};
use crate::policy::budget::{Budget, Concurrent};
use crate::policy::outlier::Outlier;
use crate::policy::{OutcomeSet, Policy};

/// Where the fields of a rule and their defaults were read.
pub(super) const RULE: &str = "istio/api destination_rule.proto";

/// Reads what a rule says of a target.
pub(super) fn read(notes: &mut Notes, rule: &Document<'_>, target: &Target, policy: &mut Policy) {
    let mut object = Object::new(&rule.path, rule.value, notes);
    let mut spec = object.object(notes, "spec");
    spec.given(notes, "host", text, "the target");
    let mut layers = layers(notes, &mut spec, target);
    let pool = section(notes, &mut layers, "connectionPool");
    let has_pool = pool.is_there();
    read_pool(notes, pool, policy);
    let ejection = section(notes, &mut layers, "outlierDetection");
    read_ejection(notes, ejection, policy);
    let mut balancer = section(notes, &mut layers, "loadBalancer");
    if let Some((path, value)) = balancer.value("simple") {
        notes.ignored(&path, value, proxy::balance_hint(&text(value).unwrap_or_default()));
    }
    let keys = [
        "consistentHash",
        "localityLbSetting",
        "zoneAwareLbSetting",
        "warmup",
        "warmupDurationSecs",
    ];
    balancer.ignore(notes, &keys, "balancing is a key of the service, which has no such rule");
    balancer.close(notes);
    let mut budget = section(notes, &mut layers, "retryBudget");
    notes.of_budget(budget.path.clone());
    if budget.is_there() && has_pool {
        let means = "% of the active calls may be retries at once";
        let share = budget.read(notes, "percent", percent, (20.0, RULE), means);
        let min_retries =
            above_zero(notes, &mut budget, "minRetryConcurrency", "retries at once at least");
        let min_retries = min_retries.unwrap_or(3);
        budget.ignore(notes, &["budgetInterval"], "the calls that are active now count");
        policy.budget = Some(Budget::Concurrent(Concurrent { ratio: share / 100.0, min_retries }));
    } else {
        // `applyConnectionPool` returns before it is looked at.
        let why = "Istio takes a retryBudget beside a connectionPool only";
        budget.ignore(notes, &["percent", "minRetryConcurrency", "budgetInterval"], why);
    }
    budget.close(notes);
    let why = "connections are not modelled";
    for mut layer in Object::share_asked(layers) {
        layer.ignore(notes, &["tls", "tunnel", "proxyProtocol"], why);
        layer.close(notes);
    }
    spec.close_open(notes);
}

/// A number; 0 is as if it were not given (`applyConnectionPool` cannot tell them apart).
fn above_zero(
    notes: &mut Notes,
    object: &mut Object<'_>,
    key: &'static str,
    means: &str,
) -> Option<u32> {
    if object.is_zero(key) {
        object.ignore(notes, &[key], "0 is as if it were not given");
        return None;
    }
    object.limit(notes, key, count, ("2^32-1: no limit", RULE), means)
}

fn read_pool(notes: &mut Notes, mut pool: Object<'_>, policy: &mut Policy) {
    let why = "connections are not modelled";
    let mut http = pool.object(notes, "http");
    let pending = above_zero(notes, &mut http, "http1MaxPendingRequests", "attempts that wait");
    let means = "attempts at once, of HTTP/1.1 too; the smaller counts";
    let requests = above_zero(notes, &mut http, "http2MaxRequests", means);
    let retries = above_zero(notes, &mut http, "maxRetries", "retries at once");
    notes.of_budget(joined(&http.path, "maxRetries"));
    let is_upgraded = http
        .given(notes, "h2UpgradePolicy", text, "whether calls share connections, as in HTTP/2")
        .is_some_and(|policy| policy == "UPGRADE");
    let keys = [
        "maxRequestsPerConnection",
        "idleTimeout",
        "useClientProtocol",
        "maxConcurrentStreams",
        "http2KeepAlive",
    ];
    http.ignore(notes, &keys, why);
    http.close(notes);
    let mut tcp = pool.object(notes, "tcp");
    let connections = if is_upgraded {
        tcp.ignore(notes, &["maxConnections"], "calls of HTTP/2 share a connection");
        None
    } else {
        let means = "attempts at once: one on each connection";
        above_zero(notes, &mut tcp, "maxConnections", means)
    };
    let keys = ["connectTimeout", "tcpKeepalive", "maxConnectionDuration", "idleTimeout"];
    tcp.ignore(notes, &keys, why);
    tcp.close(notes);
    pool.close(notes);
    policy.bulkhead = proxy::bulkhead(notes, connections, pending, requests);
    policy.budget =
        retries.map(|min_retries| Budget::Concurrent(Concurrent { ratio: 0.0, min_retries }));
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
            zero_is_default: true,
        };
        let mut outlier = proxy::ejection(notes, &mut object, &keys);
        let key = "outlierDetectionHttpErrorCodes";
        if let Some(codes) = proxy::status_codes(notes, &mut object, key) {
            // What goes wrong on the way is counted all the same.
            outlier.failures = codes.or(OutcomeSet::NETWORK).or(OutcomeSet::TIMED_OUT);
        }
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

/// Whether calls of a host are of HTTP, by the ports of its Service or ServiceEntry, if they are in
/// the file, or else by the sections of its rule; `None` if a rule has settings of TCP alone, which
/// both may have.
pub(super) fn speaks_http(
    rule: &Document<'_>,
    host: &Host,
    documents: &[Document<'_>],
) -> Option<bool> {
    for document in documents {
        let namespace = namespace_of(document);
        let is_it = |name: &str| Host::new(name, namespace.as_deref()).covers(host).is_some();
        let routes = ["tcp", "tls"].map(|key| list(document.value, &["spec", key])).concat();
        let called = routes.iter().flat_map(|route| list(route, &["route"]));
        let mut called = called.filter_map(|to| text_at(to, &["destination", "host"]));
        if called.any(|host| is_it(&host)) {
            return Some(false);
        }
        let is_of_host = match find_text(document.value, "kind").as_deref() {
            Some("Service") => name_of(document).is_some_and(|name| is_it(&name)),
            Some("ServiceEntry") => list(document.value, &["spec", "hosts"])
                .iter()
                .any(|host| text(host).is_ok_and(|host| is_it(&host))),
            _ => false,
        };
        let ports = list(document.value, &["spec", "ports"]);
        let protocols: Vec<String> =
            ports.iter().filter(|_| is_of_host).filter_map(|port| protocol(port)).collect();
        if !protocols.is_empty() {
            let is_http = |name: &String| {
                name.starts_with("http") && name != "https" || name.starts_with("grpc")
            };
            return Some(protocols.iter().any(is_http));
        }
    }
    let sections = at(rule.value, &["spec", "trafficPolicy", "connectionPool"]);
    let has = |key| sections.is_some_and(|pool| at(pool, &[key]).is_some());
    if has("tcp") && !has("http") { None } else { Some(true) }
}

/// The protocol of a port: `appProtocol`, or `protocol` of a ServiceEntry, or the beginning of its
/// name (Istio, protocol selection).
fn protocol(port: &crate::model::document::Value) -> Option<String> {
    let said = text_at(port, &["appProtocol"]).or_else(|| {
        text_at(port, &["protocol"]).filter(|own| own != "TCP" && own != "UDP").or_else(|| {
            let name = text_at(port, &["name"])?;
            let first = name.split('-').next().unwrap_or_default().to_owned();
            let known = ["http", "http2", "https", "grpc", "tcp", "tls", "mongo", "mysql", "redis"];
            known.contains(&first.as_str()).then_some(first)
        })
    });
    said.or_else(|| {
        // A ServiceEntry says TCP in so many words.
        let is_entry = text_at(port, &["number"]).is_some();
        text_at(port, &["protocol"]).filter(|own| is_entry && own == "TCP")
    })
    .map(|name| name.to_lowercase())
}
