//! Gateway API routes and retry budgets, joined with the traffic policies of Envoy Gateway.

use super::attach::{at, list, namespace_of, shown as shown_object};
use super::gateway_attach::{Place, attached, budget_of, is_of, why_not};
use super::gateway_traffic::{self, Beside};
use super::note::{Notes, joined, shown};
use super::object::Object;
use super::outcome::SERVER_ERRORS;
use super::quantity::{count, find_text, go_duration, percent, text};
use super::{Document, Format, Imported, Reading, gateway_merge, metadata_name, naming, proxy};
use crate::kernel::time::Span;
use crate::model::document::{Data, Value};
use crate::policy::backoff::Backoff;
use crate::policy::budget::{Budget, Window};
use crate::policy::retry::Retry;
use crate::policy::{OutcomeSet, Policy};

const ROUTE: &str = "kubernetes-sigs/gateway-api httproute_types.go";
const BUDGET: &str = "kubernetes-sigs/gateway-api GEP-3388";

const STANDARD: [&str; 2] = ["gateway.networking.k8s.io", "gateway.networking.x-k8s.io"];
const ENVOY_GATEWAY: [&str; 1] = ["gateway.envoyproxy.io"];

/// The documents of one file by kind.
struct Kinds<'a> {
    routes: Vec<&'a Document<'a>>,
    gateways: Vec<&'a Document<'a>>,
    others: Vec<&'a Document<'a>>,
    budgets: Vec<&'a Document<'a>>,
    traffic: Vec<&'a Document<'a>>,
}

/// Reads every rule of every route with the policies that are attached to it; without routes, every
/// policy by itself.
pub(super) fn read(documents: &[Document<'_>]) -> Reading {
    let of = |groups: &[&str], kinds: &[&str]| -> Vec<&Document<'_>> {
        let is_own = |document: &&Document<'_>| document.format == Some(Format::GatewayApi);
        documents.iter().filter(is_own).filter(|each| is_of(each, groups, kinds)).collect()
    };
    let kinds = Kinds {
        routes: of(&STANDARD, &["HTTPRoute", "GRPCRoute"]),
        gateways: of(&STANDARD, &["Gateway"]),
        others: documents
            .iter()
            .filter(|each| is_of(each, &["", STANDARD[0]], &["Namespace", "ReferenceGrant"]))
            .collect(),
        // The one without an X is that of the proposal.
        budgets: of(&STANDARD, &["XBackendTrafficPolicy", "BackendTrafficPolicy"]),
        traffic: of(&ENVOY_GATEWAY, &["BackendTrafficPolicy"]),
    };
    let mut reading = Reading::default();
    let mut used: Vec<&str> = Vec::new();
    for document in &kinds.routes {
        for index in 0..list(document.value, &["spec", "rules"]).len() {
            let (policy, by) = rule(document, index, &kinds);
            used.extend(by);
            reading.policies.push(policy);
        }
    }
    let is_alone = reading.policies.is_empty();
    for policy in kinds.traffic.iter().chain(&kinds.budgets) {
        if used.contains(&policy.path.as_str()) {
            continue;
        }
        let read = alone(policy, is_of(policy, &ENVOY_GATEWAY, &["BackendTrafficPolicy"]));
        if is_alone {
            reading.policies.push(read);
        } else {
            // What is wrong in it is wrong all the same.
            reading.problems.extend(read.problems);
            reading.leave(joined(&policy.path, "spec"), why_not(policy, &kinds.routes));
        }
    }
    reading
}

/// A policy without a route.
fn alone(document: &Document<'_>, is_traffic: bool) -> Imported {
    let mut notes = Notes::default();
    let mut policy = Policy::ONCE;
    let mut caveats = Vec::new();
    let name = if is_traffic {
        let beside = Beside { retry: false, budget: false };
        gateway_traffic::read(&mut notes, document, &mut policy, beside)
    } else {
        let default = "1 retry of server errors, as in Envoy: the budget alone retries nothing";
        notes.defaulted("retry", default.to_owned(), ROUTE);
        policy.retry = Some(Retry::new(2, Backoff::NONE).on(SERVER_ERRORS));
        caveats.push(
            "the budget limits whatever retries there are and makes none: the one retry is there \
             to be limited; take that of your route"
                .to_owned(),
        );
        read_budget(&mut notes, document, &mut policy)
    };
    let name = name.unwrap_or_else(|| "gateway".to_owned());
    Imported::new(&name, policy, caveats, notes).apart(namespace_of(document))
}

/// The policy of a rule, and the paths of the policies that it was read from or that gave way.
fn rule<'a>(document: &Document<'_>, index: usize, kinds: &Kinds<'a>) -> (Imported, Vec<&'a str>) {
    let mut notes = Notes::default();
    let mut object = Object::new(&document.path, document.value, &mut notes);
    let name = metadata_name(&mut object, &mut notes).unwrap_or_else(|| "route".to_owned());
    let mut spec = object.object(&mut notes, "spec");
    for mut parent in spec.objects(&mut notes, "parentRefs") {
        for key in ["name", "namespace", "sectionName"] {
            parent.given(&mut notes, key, text, "finds the policies of the gateway");
        }
    }
    let mut rule = spec.objects(&mut notes, "rules").swap_remove(index);
    notes.at = rule.place().or(notes.at);
    let own = rule.given(&mut notes, "name", text, "names the policy");
    let matched = read_match(&mut notes, &mut rule);
    let backend = read_backends(&mut notes, &mut rule);
    let place = Place {
        route: document,
        rule: own.clone(),
        gateways: &kinds.gateways,
        others: &kinds.others,
    };
    let found = attached(&kinds.traffic, &place);
    let budget = backend.and_then(|backend| budget_of(&kinds.budgets, document, backend));
    let mut policy = Policy::ONCE;
    let has_retry = rule.has("retry");
    let mut used: Vec<&str> = found.iter().map(|(_, policy)| policy.path.as_str()).collect();
    let traffic = found.first().map(|(_, policy)| *policy);
    if let Some(first) = traffic {
        let others: Vec<&Document<'_>> = found[1..].iter().map(|(_, each)| *each).collect();
        let beside = Beside { retry: has_retry, budget: budget.is_some() };
        read_traffic(&mut notes, first, &others, &mut policy, beside);
    }
    read_rule(&mut notes, &mut rule, &mut policy, traffic.is_some());
    if let Some(document) = budget {
        read_budget(&mut notes, document, &mut policy);
        used.push(document.path.as_str());
    }
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
    let namespace = namespace_of(document).unwrap_or_default();
    let apart = [matched.clone(), namespace.clone(), format!("{namespace} {matched}")];
    (Imported::new(&name, policy, caveats, notes).apart(apart), used)
}

/// Reads the policy that counts, with the next one if they are merged, and notes what it covers.
fn read_traffic(
    notes: &mut Notes,
    first: &Document<'_>,
    others: &[&Document<'_>],
    policy: &mut Policy,
    beside: Beside,
) {
    let mut covered = others;
    match others.split_first() {
        Some((next, rest)) if gateway_merge::is_merged(first) => {
            let value = gateway_merge::merged(first, next);
            let merged = Document { value: &value, path: first.path.clone(), ..(*first).clone() };
            let from = notes.notes.len();
            gateway_traffic::read(notes, &merged, policy, beside);
            gateway_merge::tell(notes, from, first, next);
            covered = rest;
        }
        _ => {
            gateway_traffic::read(notes, first, policy, beside);
        }
    }
    let why = format!("covered by {}, which is more specific or older", shown_object(first));
    for other in covered {
        if let Some(value) = at(other.value, &["spec"]) {
            notes.ignored(&joined(&other.path, "spec"), value, &why);
        }
    }
}

/// What the calls of a rule look like: the first path or method that it matches.
fn read_match(notes: &mut Notes, rule: &mut Object<'_>) -> String {
    let Some((path, value)) = rule.value("matches") else { return String::new() };
    notes.given(&path, shown(value), "which calls it is for");
    let Data::List(list) = &value.data else { return String::new() };
    let Some(first) = list.first() else { return String::new() };
    let path = at(first, &["path"]).and_then(|path| find_text(path, "value"));
    naming::matched(path, &[at(first, &["method"]), at(first, &["headers"])])
}

/// The backend whose budget counts: the first one that gets any calls.
fn read_backends<'a>(notes: &mut Notes, rule: &mut Object<'a>) -> Option<&'a Value> {
    let (path, value) = rule.value("backendRefs")?;
    let Data::List(backends) = &value.data else {
        notes.problems.push(super::quantity::wrong(value, "a list of objects"));
        return None;
    };
    let gets_calls = |backend: &&Value| find_text(backend, "weight").as_deref() != Some("0");
    let first = backends.iter().find(gets_calls).or(backends.first());
    for (index, backend) in backends.iter().enumerate() {
        let Data::Table(fields) = &backend.data else { continue };
        let is_first = first.is_some_and(|first| std::ptr::eq(first, backend));
        let means = match is_first {
            true => "finds the budget of the service",
            false => "the first service that gets calls counts",
        };
        for key in ["name", "namespace"] {
            if let Some(field) = fields.get(key) {
                notes.given(&format!("{path}[{index}].{key}"), shown(&field.value), means);
            }
        }
    }
    first
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
    notes.of_budget(constraint.path.clone());
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
    if let Some((path, value)) = spec.value("targetRefs") {
        notes.given(&path, shown(value), "finds the calls that it is for");
    }
    spec.ignore(notes, &["sessionPersistence"], "calls have no sessions");
    spec.close_open(notes);
    let mut window = Window::finagle(share / 100.0, 1, span);
    let retries = f64::from(count) * span.seconds() / each.seconds().max(1e-9);
    window.reserve = (retries * window.cost as f64) as i64;
    policy.budget = Some(Budget::Window(window));
    name
}
