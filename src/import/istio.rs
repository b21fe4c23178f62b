//! Istio: retries and timeouts of a VirtualService, with the rules of what it calls.

mod rule;

use super::attach::{at, list, namespace_of, seniority, shown as shown_object, text_at};
use super::host::Host;
use super::kubernetes::of_kinds;
use super::note::{Notes, joined, shown};
use super::object::Object;
use super::quantity::{count, find_text, go_duration, text, texts};
use super::{
    Document, Format, Imported, Reading, istio_merge, metadata_name, naming, outcome, preset, proxy,
};
use crate::kernel::time::Span;
use crate::model::document::Data;
use crate::policy::{OutcomeSet, Policy};

const RETRY: &str = "istio/istio retry.go";
const RULE: &str = rule::RULE;
const SERVICE: &str = "istio/api virtual_service.proto";
/// Rules of this namespace hold for all others (`meshConfig.rootNamespace` by default).
const ROOT_NAMESPACE: &str = "istio-system";

/// Reads every HTTP route with the rule of its host, then every rule that no route has.
pub(super) fn read(documents: &[Document<'_>]) -> Reading {
    let mut rules = of_kinds(documents, Format::Istio, &["DestinationRule"]);
    rules.sort_by_key(|rule| seniority(rule));
    let mut used = vec![false; rules.len()];
    let mut reading = Reading::default();
    for service in of_kinds(documents, Format::Istio, &["VirtualService"]) {
        let routes = list(service.value, &["spec", "http"]);
        for (index, value) in routes.iter().enumerate() {
            let answers = ["redirect", "directResponse", "delegate"];
            let path = joined(&service.path, &format!("spec.http[{index}]"));
            match answers.iter().find(|key| at(value, &[key]).is_some()) {
                Some(key) => reading.leave(path, format!("a `{key}` calls no destination")),
                None => {
                    let found = route(service, index, &rules);
                    found.1.iter().for_each(|&rule| used[rule] = true);
                    reading.policies.push(found.0);
                }
            }
        }
        if !routes.is_empty() || at(service.value, &["spec", "http"]).is_none() {
            continue;
        }
        let path = joined(&service.path, "spec.http");
        reading.leave(path, "it is no list of routes");
    }
    let alone = rules.iter().zip(used).filter(|(_, is_used)| !is_used);
    for (rule, _) in alone {
        if at(rule.value, &["spec", "workloadSelector"]).is_some() {
            let why = "it is for the callers that its workloadSelector selects";
            reading.leave(joined(&rule.path, "spec"), why);
        } else {
            reading.policies.extend(rule_alone(rule, documents));
        }
    }
    reading
}

/// What Istio retries if nobody says what, beside status codes of which it names none.
const CONDITIONS: [&str; 4] = ["connect-failure", "refused-stream", "unavailable", "cancelled"];

/// The policy that every call has of itself.
fn everybodys() -> Policy {
    let mut policy = preset("istio", "default");
    if let Some(rule) = &mut policy.retry {
        rule.on = outcome::of_conditions(&CONDITIONS);
    }
    policy
}

/// What a route calls: a host, or a part of it.
#[derive(Default)]
pub(super) struct Target {
    host: Option<Host>,
    pub(super) subset: Option<String>,
    pub(super) port: Option<u32>,
}

fn read_target(notes: &mut Notes, mut target: Object<'_>, namespace: Option<&str>) -> Target {
    let mut target = target.object(notes, "destination");
    let host = target.given(notes, "host", text, "finds its rule");
    let host = host.map(|host| Host::new(&host, namespace));
    let subset = target.given(notes, "subset", text, "finds its settings in the rule");
    let mut port = target.object(notes, "port");
    let port = port.given(notes, "number", count, "finds its settings in the rule");
    Target { host, subset, port }
}

/// The rules that count for a host that is called from a namespace: those of the caller's namespace
/// come before those of the host's, and these before those of the root; there the closest host
/// (istio/istio, `PushContext.destinationRule`). Rules are in the order of their age.
fn rules_of(rules: &[&Document<'_>], host: &Host, from: Option<&str>) -> Vec<usize> {
    let rank = |(index, rule): (usize, &&Document<'_>)| {
        let own = namespace_of(rule);
        let written = text_at(rule.value, &["spec", "host"])?;
        let covers = Host::new(&written, own.as_deref()).covers(host)?;
        let tier = match own.as_deref() {
            own if own.is_none() || own == from || from.is_none() => 3,
            own if own == host.namespace() => 2,
            Some(ROOT_NAMESPACE) => 1,
            _ => return None,
        };
        let exported = at(rule.value, &["spec", "exportTo"]).and_then(|list| texts(list).ok());
        let is_exported = exported.is_none_or(|list| {
            list.is_empty() || list.iter().any(|to| to == "*" || Some(to.as_str()) == from)
        });
        let is_selective = at(rule.value, &["spec", "workloadSelector"]).is_some();
        (!is_selective && (tier == 3 || is_exported)).then_some((
            tier,
            covers,
            std::cmp::Reverse(index),
        ))
    };
    let ranked: Vec<_> = rules.iter().enumerate().filter_map(rank).collect();
    let Some((tier, covers, _)) = ranked.iter().max().copied() else { return Vec::new() };
    let best = ranked.iter().filter(|(own, covered, _)| (*own, *covered) == (tier, covers));
    let mut best: Vec<usize> = best.map(|(.., index)| index.0).collect();
    best.sort_unstable();
    best
}

/// The policy of a route, and the rules that were read for it.
fn route(service: &Document<'_>, index: usize, rules: &[&Document<'_>]) -> (Imported, Vec<usize>) {
    let mut notes = Notes::default();
    let mut policy = everybodys();
    let namespace = namespace_of(service);
    let mut object = Object::new(&service.path, service.value, &mut notes);
    let name = metadata_name(&mut object, &mut notes);
    let mut spec = object.object(&mut notes, "spec");
    let mut route = spec.objects(&mut notes, "http").swap_remove(index);
    notes.at = route.place().or(notes.at);
    let own_name = route.given(&mut notes, "name", text, "names the policy");
    let matched = read_match(&mut notes, &mut route);
    let mut targets: Vec<Object<'_>> = route.objects(&mut notes, "route");
    // A destination without a share of the calls gets none.
    targets.sort_by_key(|target| target.is_zero("weight"));
    let mut targets = targets.into_iter();
    let target = targets.next().map(|target| read_target(&mut notes, target, namespace.as_deref()));
    let target = target.unwrap_or_default();
    let mut used = Vec::new();
    let find = |host: &Option<Host>| {
        host.as_ref().map_or(Vec::new(), |host| rules_of(rules, host, namespace.as_deref()))
    };
    for mut other in targets {
        let other = other.object(&mut notes, "destination");
        let host = other.entries().find(|(key, _)| *key == "host");
        let host = host.and_then(|(_, field)| text(&field.value).ok());
        used.extend(find(&host.map(|host| Host::new(&host, namespace.as_deref()))));
        let why = "a call has one policy: that of the first destination";
        for (key, field) in other.entries() {
            notes.ignored(&joined(&other.path, key), &field.value, why);
        }
    }
    read_route(&mut notes, &mut route, &mut policy);
    route.close_open(&mut notes);
    let own = find(&target.host);
    for other in used.iter().copied().filter(|other| !own.contains(other)) {
        let path = joined(&rules[other].path, "spec");
        if let Some(value) = at(rules[other].value, &["spec"]) {
            let why = "a call has one policy: that of the first destination";
            notes.ignored(&path, value, why);
        }
    }
    let own_rules: Vec<&Document<'_>> = own.iter().map(|&index| rules[index]).collect();
    used.extend(own);
    read_rules(&mut notes, &own_rules, &target, &mut policy);
    let name = name.unwrap_or_else(|| "istio".to_owned());
    let name = own_name.map_or(name.clone(), |own| format!("{name}-{own}"));
    let namespace = namespace.unwrap_or_default();
    let subset = target.subset.unwrap_or_default();
    let apart = [
        matched.clone(),
        subset.clone(),
        namespace.clone(),
        format!("{matched} {subset}"),
        format!("{namespace} {matched} {subset}"),
    ];
    (Imported::new(&name, policy, Vec::new(), notes).apart(apart), used)
}

/// Reads the rules of one host, which are one rule.
fn read_rules(notes: &mut Notes, rules: &[&Document<'_>], target: &Target, policy: &mut Policy) {
    match rules {
        [] => {
            let none = "none for this host: no limits, no ejection".to_owned();
            notes.defaulted("DestinationRule", none, RULE);
        }
        [only] => rule::read(notes, only, target, policy),
        [first, ..] => {
            let merged = istio_merge::merged(rules);
            let whole =
                Document { value: &merged.value, path: first.path.clone(), ..(*first).clone() };
            rule::read(notes, &whole, target, policy);
            merged.tell(notes, rules);
        }
    }
}

/// What the calls of a route look like: the first path that it matches.
fn read_match(notes: &mut Notes, route: &mut Object<'_>) -> String {
    let Some((path, value)) = route.value("match") else { return String::new() };
    notes.given(&path, shown(value), "which calls it is for");
    let Data::List(list) = &value.data else { return String::new() };
    let Some(first) = list.first() else { return String::new() };
    let path = at(first, &["uri"])
        .and_then(|uri| ["prefix", "exact", "regex"].iter().find_map(|key| find_text(uri, key)));
    naming::matched(path, &[at(first, &["method"]), at(first, &["headers"])])
}

/// A rule without a route has the retries that Istio gives every HTTP call; so has each of its
/// subsets.
fn rule_alone(rule: &Document<'_>, documents: &[Document<'_>]) -> Vec<Imported> {
    let subsets = list(rule.value, &["spec", "subsets"]);
    let names: Vec<String> = subsets.iter().filter_map(|each| find_text(each, "name")).collect();
    let host = text_at(rule.value, &["spec", "host"]).unwrap_or_default();
    let host = Host::new(&host, namespace_of(rule).as_deref());
    let speaks_http = rule::speaks_http(rule, &host, documents);
    let has_routes = !of_kinds(documents, Format::Istio, &["VirtualService"]).is_empty();
    let read = |subset: Option<String>| {
        let mut notes = Notes::default();
        let mut policy = everybodys();
        let mut object = Object::new(&rule.path, rule.value, &mut notes);
        let name = metadata_name(&mut object, &mut notes).unwrap_or_else(|| "istio".to_owned());
        let mut caveats = Vec::new();
        if has_routes {
            caveats.push(format!("no route of this file calls the host of {}", shown_object(rule)));
        }
        if speaks_http == Some(true) {
            let default = format!("2 retries: {}", CONDITIONS.join(","));
            notes.defaulted("http.retries", default, RETRY);
        } else {
            policy.retry = None;
            let none = "none: only calls of HTTP are retried".to_owned();
            notes.defaulted("http.retries", none, RETRY);
        }
        if speaks_http.is_none() {
            caveats.push(
                "the rule has settings of TCP alone, so no retries are printed; if the service \
                 speaks HTTP, Istio retries twice: preset = \"istio@default\""
                    .to_owned(),
            );
        }
        notes.defaulted("http.timeout", "none".to_owned(), SERVICE);
        let name = subset.as_ref().map_or(name.clone(), |subset| format!("{name}-{subset}"));
        let target = Target { subset, ..Target::default() };
        rule::read(&mut notes, rule, &target, &mut policy);
        Imported::new(&name, policy, caveats, notes).apart(namespace_of(rule))
    };
    std::iter::once(None).chain(names.into_iter().map(Some)).map(read).collect()
}

fn read_route(notes: &mut Notes, route: &mut Object<'_>, policy: &mut Policy) {
    route.ignore(notes, &["fault"], "faults are part of an experiment");
    let keys = ["mirror", "mirrors", "mirrorPercentage", "mirrorPercent", "mirror_percent"];
    route.ignore(notes, &keys, "mirrored calls are not modelled");
    let means = "the whole call, retries included; 0s is for ever";
    let whole = route.limit(notes, "timeout", go_duration, ("none", SERVICE), means);
    policy.deadline = whole.filter(|&span| span > Span::ZERO);
    let mut retries = route.object(notes, "retries");
    if !retries.is_there() {
        notes.defaulted(&retries.path, format!("2 retries: {}", CONDITIONS.join(",")), RETRY);
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
            notes.defaulted(&joined(&retries.path, "retryOn"), CONDITIONS.join(","), RETRY);
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
