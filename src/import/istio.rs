//! Istio: retries and timeouts of a VirtualService, with the rules of what it calls.

use super::note::{Notes, joined};
use super::object::Object;
use super::quantity::{count, go_duration, text};
use super::recognise::find_text;
use super::{Document, Imported, istio_rule, metadata_name, preset, proxy};
use crate::kernel::time::Span;
use crate::model::document::Data;
use crate::policy::{OutcomeSet, Policy};

const RETRY: &str = "istio/istio retry.go";
const RULE: &str = istio_rule::RULE;
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
        policies = rules.iter().flat_map(|rule| rule_alone(rule)).collect();
    }
    policies
}

/// What a route calls: a host, or a part of it.
#[derive(Default)]
pub(super) struct Target {
    host: Option<String>,
    pub(super) subset: Option<String>,
    pub(super) port: Option<u32>,
}

impl Target {
    /// Whether a rule is for this host; a short name is the first part of a long one.
    fn is_of(&self, rule: &Document<'_>) -> bool {
        let spec = rule.value.find(&["spec".to_owned()]);
        let (Some(own), Some(host)) = (spec.and_then(|spec| find_text(spec, "host")), &self.host)
        else {
            return false;
        };
        let short = |name: &str| name.split('.').next().map(str::to_owned);
        own == *host || (!own.contains('.') || !host.contains('.')) && short(&own) == short(host)
    }
}

fn read_target(notes: &mut Notes, mut target: Object<'_>) -> Target {
    let mut target = target.object(notes, "destination");
    let host = target.given(notes, "host", text, "finds its rule");
    let subset = target.given(notes, "subset", text, "finds its settings in the rule");
    let mut port = target.object(notes, "port");
    let port = port.given(notes, "number", count, "finds its settings in the rule");
    Target { host, subset, port }
}

fn route(service: &Document<'_>, index: usize, rules: &[&Document<'_>]) -> Imported {
    let mut notes = Notes::default();
    let mut policy = preset("istio", "default");
    let mut object = Object::new(&service.path, service.value, &mut notes);
    let name = metadata_name(&mut object, &mut notes);
    let mut route =
        object.object(&mut notes, "spec").objects(&mut notes, "http").swap_remove(index);
    let own_name = route.given(&mut notes, "name", text, "names the policy");
    let mut targets = route.objects(&mut notes, "route").into_iter();
    let target = targets.next().map(|target| read_target(&mut notes, target)).unwrap_or_default();
    for mut other in targets {
        let mut other = other.object(&mut notes, "destination");
        let why = "a call has one policy: that of the first destination";
        other.ignore(&mut notes, &["host", "subset", "port"], why);
    }
    read_route(&mut notes, &mut route, &mut policy);
    route.close_open(&mut notes);
    let of_host = rules.iter().find(|rule| target.is_of(rule));
    if let Some(rule) = of_host.or(if let [only] = rules { Some(only) } else { None }) {
        istio_rule::read(&mut notes, rule, &target, &mut policy);
    } else {
        let none = "none: no limits, no ejection".to_owned();
        notes.defaulted("DestinationRule", none, RULE);
    }
    let name = name.unwrap_or_else(|| "istio".to_owned());
    let name = own_name.map_or(name.clone(), |own| format!("{name}-{own}"));
    Imported::new(&name, policy, Vec::new(), notes)
}

/// A rule without a route has the retries that Istio gives everybody; so has each of its subsets.
fn rule_alone(rule: &Document<'_>) -> Vec<Imported> {
    let subsets = rule.value.find(&["spec".to_owned(), "subsets".to_owned()]);
    let names: Vec<String> = match subsets.map(|list| &list.data) {
        Some(Data::List(list)) => list.iter().filter_map(|each| find_text(each, "name")).collect(),
        _ => Vec::new(),
    };
    let targets = std::iter::once(None).chain(names.into_iter().map(Some));
    let read = |subset: Option<String>| {
        let mut notes = Notes::default();
        let mut policy = preset("istio", "default");
        let mut object = Object::new(&rule.path, rule.value, &mut notes);
        let name = metadata_name(&mut object, &mut notes).unwrap_or_else(|| "istio".to_owned());
        notes.defaulted("http.retries", "2 retries".to_owned(), RETRY);
        notes.defaulted("http.timeout", "none".to_owned(), SERVICE);
        let name = subset.as_ref().map_or(name.clone(), |subset| format!("{name}-{subset}"));
        let target = Target { subset, ..Target::default() };
        istio_rule::read(&mut notes, rule, &target, &mut policy);
        Imported::new(&name, policy, Vec::new(), notes)
    };
    targets.map(read).collect()
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
