//! Envoy: routes with their retries, timeouts and hedging, joined with the clusters that they go
//! to.

use std::collections::BTreeMap;

use super::attach::at;
use super::envoy_find::{At, Found, Route, collect};
use super::note::{Notes, joined, shown};
use super::object::Object;
use super::quantity::{count, find_text, flag, protobuf_duration, text};
use super::{Document, Imported, Reading, envoy_cluster, naming, preset, proxy};
use crate::kernel::time::Span;
use crate::model::document::Data;
use crate::policy::retry::HintRule;
use crate::policy::{OutcomeSet, Policy};

const ROUTE: &str = "Envoy, route_components.proto";

/// Reads every route with its cluster; without routes, every cluster.
pub(super) fn read(documents: &[Document<'_>]) -> Reading {
    let Found { routes, clusters, filters } = collect(documents);
    let mut reading = Reading::default();
    for (path, why) in filters {
        reading.leave(path, why);
    }
    if routes.is_empty() {
        reading.policies = clusters.iter().map(|cluster| one(None, &[Some(cluster)])).collect();
        return reading;
    }
    let mut used = vec![false; clusters.len()];
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for (index, cluster) in clusters.iter().enumerate() {
        known.entry(find_text(cluster.value, "name").unwrap_or_default()).or_insert(index);
    }
    for route in &routes {
        let by_name = |name: &String| known.get(name).copied();
        let mut found: Vec<Option<usize>> = route.targets().iter().map(by_name).collect();
        if let [only] = clusters.as_slice()
            && found.is_empty()
            && (!route.names_its_target() || find_text(only.value, "name").is_none())
        {
            found.push(Some(0));
        }
        found.iter().flatten().for_each(|&index| used[index] = true);
        let found: Vec<_> = found.iter().map(|index| index.map(|index| &clusters[index])).collect();
        reading.policies.push(one(Some(route), &found));
    }
    for (cluster, _) in clusters.iter().zip(used).filter(|(_, is_used)| !is_used) {
        let name = find_text(cluster.value, "name").unwrap_or_default();
        reading.leave(&cluster.path, format!("no route of this file goes to the cluster `{name}`"));
    }
    reading
}

/// One policy: a route, a cluster, or both. Of several clusters the first one counts.
fn one(route: Option<&Route<'_>>, clusters: &[Option<&At<'_, String>>]) -> Imported {
    let mut notes = Notes::default();
    notes.at = route.map(|route| route.action.at);
    let mut policy = preset("envoy", "code");
    let mut cluster = match clusters.first().copied().flatten() {
        Some(At { path, value }) => Object::new(path, value, &mut notes).relaxed(),
        None => Object::absent("cluster").relaxed(),
    };
    let cluster_name = cluster.given(&mut notes, "name", text, "names the policy");
    let mut name = cluster_name.clone();
    if let Some(route) = route {
        let own = find_text(route.whole.value, "name");
        name = own.or_else(|| route.targets().into_iter().next()).or(name);
        read_whole(&mut notes, route);
        read_route(&mut notes, route, &mut policy);
    } else {
        policy.retry = None;
        (policy.deadline, policy.attempt_timeout) = (None, None);
    }
    envoy_cluster::read(&mut notes, &mut cluster, &mut policy);
    cluster.close_open(&mut notes);
    let mut caveats = match (route, policy.retry) {
        (None, _) => vec!["without a route there are no retries and no timeouts".to_owned()],
        (Some(_), None) => vec!["nothing is retried: `retry_on` names no condition".to_owned()],
        _ => Vec::new(),
    };
    caveats.extend(others(&mut notes, clusters));
    let imported = Imported::new(name.as_deref().unwrap_or("envoy"), policy, caveats, notes);
    imported.apart(route.map(apart).unwrap_or_default())
}

/// What is said of the clusters that get the rest of the calls.
fn others(notes: &mut Notes, clusters: &[Option<&At<'_, String>>]) -> Option<String> {
    let others: Vec<&At<'_, String>> = clusters.iter().skip(1).flatten().copied().collect();
    let mut limits = Vec::new();
    for At { path, value } in &others {
        let name = find_text(value, "name").unwrap_or_default();
        notes.ignored(path, value, "a call has one policy: that of the first cluster");
        let mut scratch = Notes::default();
        let mut policy = preset("envoy", "code");
        let mut cluster = Object::new(path, value, &mut scratch).relaxed();
        envoy_cluster::read(&mut scratch, &mut cluster, &mut policy);
        notes.problems.append(&mut scratch.problems);
        let limit = policy.bulkhead.map_or(u32::MAX, |rule| rule.limit);
        limits.push(format!("`{name}` has a limit of {limit}"));
    }
    let said = "the calls of this route are shared out: here all go to the first cluster";
    (!limits.is_empty()).then(|| format!("{said}; {}", limits.join(", ")))
}

/// What tells a route from others to the same cluster: what it matches, and whose calls.
fn apart(route: &Route<'_>) -> Vec<String> {
    let matched = matched(route);
    let host = route.host.as_ref().and_then(|host| find_text(host.value, "name"));
    let host = host.unwrap_or_default();
    vec![matched.clone(), host.clone(), format!("{host} {matched}")]
}

/// What a route matches, in words that a name can have.
fn matched(route: &Route<'_>) -> String {
    let rule = at(route.whole.value, &["match"]);
    let key = |keys: &[&str]| rule.and_then(|rule| keys.iter().find_map(|key| at(rule, &[key])));
    let plain = key(&["prefix", "path", "path_separated_prefix", "pathSeparatedPrefix"]);
    let regex = key(&["safe_regex", "safeRegex"]).and_then(|regex| at(regex, &["regex"]));
    let path = plain.or(regex).and_then(|path| text(path).ok());
    naming::matched(path, &[key(&["headers"])])
}

/// Name and match of a route, which tell it from others.
fn read_whole(notes: &mut Notes, route: &Route<'_>) {
    let At { path, value } = &route.whole;
    let Data::Table(fields) = &value.data else { return };
    for (key, means) in [("name", "names the policy"), ("match", "which calls it is for")] {
        if let Some(field) = fields.get(key) {
            notes.given(&joined(path, key), shown(&field.value), means);
        }
    }
}

fn read_route(notes: &mut Notes, route: &Route<'_>, policy: &mut Policy) {
    let mut object = Object::new(&route.path, route.action, notes).relaxed();
    object.given(notes, "cluster", text, "where the calls go");
    if let Some((path, value)) = object.value("weighted_clusters") {
        notes.given(&path, shown(value), "where the calls go: the first one that gets any counts");
    }
    let whole = "the whole call, retries included; 0s is for ever";
    let whole =
        object.read(notes, "timeout", protobuf_duration, (Span::from_secs(15), ROUTE), whole);
    policy.deadline = (whole > Span::ZERO).then_some(whole);
    let host = route.host.as_ref();
    let host = host.map(|At { path, value }| Object::new(path, value, notes).relaxed());
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
    object.ignore(notes, &["request_mirror_policies"], "mirrored calls are not modelled");
    let why = "limits what the proxy lets in; say it at the service behind it";
    object.ignore(notes, &["rate_limits"], why);
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
    let on = proxy::retried(notes, object, "retry_on", "retriable_status_codes");
    let on = on.unwrap_or_else(|| {
        let path = joined(&object.path, "retry_on");
        notes.defaulted(&path, "empty: no retries".to_owned(), ROUTE);
        OutcomeSet::NONE
    });
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
        notes.given(&path, shown(value), "a retry waits as long as the server asks");
    }
    let most = (Span::from_secs(300), ROUTE);
    let means = "at most so long; up to a half of it more at random";
    let limit = limited.read(notes, "max_interval", protobuf_duration, most, means);
    limited.close(notes);
    HintRule::Spread(limit)
}
