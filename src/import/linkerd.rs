//! Linkerd: annotations of routes and services.

mod accrual;

use super::attach::{at, list, name_of, namespace_of, same_namespace, text_at};
use super::kubernetes::{group, of_kinds};
use super::note::{Notes, shown};
use super::object::{Object, Parse};
use super::outcome::{self, names};
use super::quantity::{count, find_text, linkerd_duration, text};
use super::{Document, Format, Imported, Reading, linkerd_profile, metadata_name, naming, preset};
use crate::kernel::time::Span;
use crate::model::document::{Data, Value};
use crate::model::problem::Problem;
use crate::policy::{Outcome, OutcomeSet, Policy};

/// Where the defaults of routes were read.
pub(super) const ROUTES: &str = "linkerd/linkerd2-proxy outbound";
/// The prefixes of the annotations that decide.
const DECIDING: [&str; 4] = [
    "retry.linkerd.io/",
    "timeout.linkerd.io/",
    "balancer.linkerd.io/",
    "balancer.alpha.linkerd.io/",
];

/// Reads annotated routes, then services that no route covers, then the routes of profiles.
pub(super) fn read(documents: &[Document<'_>]) -> Reading {
    let of_core = |document: &&Document<'_>| {
        find_text(document.value, "kind").is_some_and(|kind| kind == "Service")
            && group(document.value).is_empty()
    };
    let services: Vec<&Document<'_>> = documents.iter().filter(of_core).collect();
    let profiles = of_kinds(documents, Format::Linkerd, &["ServiceProfile"]);
    let mut reading = Reading::default();
    let mut covered: Vec<&str> = Vec::new();
    for route in of_kinds(documents, Format::Linkerd, &["HTTPRoute", "GRPCRoute"]) {
        let called = called(route);
        let service = called.iter().find_map(|wanted| wanted.among(&services));
        let service = service.or(match services.as_slice() {
            [only] if called.is_empty() => Some(*only),
            _ => None,
        });
        covered.extend(service.map(|service| service.path.as_str()));
        let name = service.map(Wanted::of).or_else(|| called.into_iter().next());
        let has_profile = has_profile(&profiles, name.as_ref());
        let rules = list(route.value, &["spec", "rules"]);
        let has_own = |rule: &&Value| at(rule, &["timeouts"]).is_some();
        let rules = if rules.iter().any(has_own) { rules.len() } else { 1 };
        reading
            .policies
            .extend((0..rules).map(|index| annotated(Some((route, index)), service, has_profile)));
    }
    for service in services.iter().filter(|service| is_annotated(service.value)) {
        if !covered.contains(&service.path.as_str()) {
            let has_profile = has_profile(&profiles, Some(&Wanted::of(service)));
            reading.policies.push(annotated(None, Some(service), has_profile));
        }
    }
    for profile in profiles {
        let routes = list(profile.value, &["spec", "routes"]).len();
        reading.policies.extend((0..routes).map(|index| linkerd_profile::route(profile, index)));
    }
    reading
}

/// Whether an object says anything to Linkerd.
pub(super) fn is_annotated(value: &Value) -> bool {
    let annotations = at(value, &["metadata", "annotations"]);
    let Some(Data::Table(annotations)) = annotations.map(|value| &value.data) else { return false };
    annotations.keys().any(|key| DECIDING.iter().any(|prefix| key.starts_with(prefix)))
}

/// Whether an object is a route that is attached to a service, as those of a mesh are.
pub(super) fn is_route_of_service(value: &Value) -> bool {
    let kind = find_text(value, "kind").unwrap_or_default();
    let is_of_service =
        |parent: &&Value| find_text(parent, "kind").is_some_and(|kind| kind == "Service");
    ["HTTPRoute", "GRPCRoute"].contains(&kind.as_str())
        && list(value, &["spec", "parentRefs"]).iter().any(is_of_service)
}

/// A service by its name and, if it is known, its namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    name: String,
    namespace: Option<String>,
}

impl Wanted {
    fn of(document: &Document<'_>) -> Wanted {
        Wanted { name: name_of(document).unwrap_or_default(), namespace: namespace_of(document) }
    }

    fn same(&self, name: &str, namespace: Option<&str>) -> Option<u8> {
        let same = same_namespace(self.namespace.as_deref(), namespace)?;
        (self.name == name).then_some(same)
    }

    /// The service that is most surely this one.
    fn among<'a, 'b>(&self, services: &[&'b Document<'a>]) -> Option<&'b Document<'a>> {
        let sure = |service: &&'b Document<'a>| {
            let own = Wanted::of(service);
            Some((self.same(&own.name, own.namespace.as_deref())?, *service))
        };
        let found = services.iter().filter_map(sure).max_by_key(|(sure, _)| *sure);
        found.map(|(_, service)| service)
    }
}

/// The services that a route is attached to, and then those that it calls; without a namespace they
/// are in that of the route.
fn called(route: &Document<'_>) -> Vec<Wanted> {
    let mut targets = list(route.value, &["spec", "parentRefs"]);
    let is_parent =
        |parent: &&Value| find_text(parent, "kind").is_none_or(|kind| kind == "Service");
    targets.retain(is_parent);
    let rules = list(route.value, &["spec", "rules"]);
    targets.extend(rules.iter().flat_map(|rule| list(rule, &["backendRefs"])).filter(is_parent));
    let wanted = |target: &Value| {
        let namespace = find_text(target, "namespace").or_else(|| namespace_of(route));
        find_text(target, "name").map(|name| Wanted { name, namespace })
    };
    targets.into_iter().filter_map(wanted).collect()
}

/// Whether there is a profile of this service; of an unknown service, whether there is any. The
/// name of a profile is the full name of its service.
fn has_profile(profiles: &[&Document<'_>], service: Option<&Wanted>) -> bool {
    profiles.iter().any(|profile| match (name_of(profile), service) {
        (Some(name), Some(service)) => {
            let mut parts = name.split('.');
            let own = parts.next().unwrap_or_default();
            service.same(own, parts.next()).is_some()
        }
        _ => true,
    })
}

/// The policy of a rule of a route: its own annotations before those of the service.
fn annotated(
    route: Option<(&Document<'_>, usize)>,
    service: Option<&Document<'_>>,
    has_profile: bool,
) -> Imported {
    let mut notes = Notes::default();
    let mut own = annotations(&mut notes, route.map(|(route, _)| route));
    let mut everybodys = annotations(&mut notes, service);
    let mut rule = Object::absent("rule");
    if let Some((route, index)) = route {
        let mut object = Object::new(&route.path, route.value, &mut notes);
        let mut rules = object.object(&mut notes, "spec").objects(&mut notes, "rules");
        if index < rules.len() {
            rule = rules.swap_remove(index);
        }
    }
    let mut policy = Policy::ONCE;
    read_retry(&mut notes, &mut own.1, &mut everybodys.1, &mut policy);
    read_timeouts(&mut notes, &mut own.1, &mut everybodys.1, &mut rule, &mut policy);
    accrual::read(&mut notes, &mut everybodys.1, &mut policy);
    let why = "balancing is a key of the service";
    everybodys.1.ignore(&mut notes, &BIASER, why);
    own.1.ignore(&mut notes, &BIASER, why);
    let matched = read_match(&mut notes, &mut rule);
    rule.ignore(&mut notes, &["retry"], "Linkerd reads its annotations and not this");
    rule.close_open(&mut notes);
    own.1.close_prefixed(&mut notes, &DECIDING);
    everybodys.1.close_prefixed(&mut notes, &DECIDING);
    let name = own.0.or(everybodys.0).unwrap_or_else(|| "linkerd".to_owned());
    let mut caveats = Vec::new();
    if has_profile {
        caveats.push(
            "Linkerd ignores these annotations as long as the ServiceProfile of the service exists"
                .to_owned(),
        );
    }
    let namespace = route.map(|(route, _)| route).or(service).and_then(namespace_of);
    let namespace = namespace.unwrap_or_default();
    let apart = [matched.clone(), namespace.clone(), format!("{namespace} {matched}")];
    Imported::new(&name, policy, caveats, notes).apart(apart)
}

/// What the calls of a rule look like: the first path that it matches.
fn read_match(notes: &mut Notes, rule: &mut Object<'_>) -> String {
    let Some((path, value)) = rule.value("matches") else { return String::new() };
    notes.given(&path, shown(value), "which calls it is for");
    let Data::List(list) = &value.data else { return String::new() };
    let Some(first) = list.first() else { return String::new() };
    let path = text_at(first, &["path", "value"]);
    naming::matched(path, &[at(first, &["method"]), at(first, &["headers"])])
}

/// The name of an object and its annotations.
fn annotations<'a>(
    notes: &mut Notes,
    document: Option<&Document<'a>>,
) -> (Option<String>, Object<'a>) {
    let Some(document) = document else { return (None, Object::absent("annotations")) };
    let mut object = Object::new(&document.path, document.value, notes);
    let name = metadata_name(&mut object, notes);
    (name, object.object(notes, "metadata").object(notes, "annotations"))
}

/// The value of the route's annotation, or else of the service's.
fn either<T>(
    notes: &mut Notes,
    (own, everybodys): (&mut Object<'_>, &mut Object<'_>),
    key: &'static str,
    parse: Parse<T>,
    means: &str,
) -> Option<T> {
    // Both are asked, so that errors know the key.
    let of_route = own.given(notes, key, parse, means);
    if own.has(key) {
        everybodys.ignore(notes, &[key], "the route has its own");
        return of_route;
    }
    everybodys.given(notes, key, parse, means)
}

fn read_retry<'a>(
    notes: &mut Notes,
    own: &mut Object<'a>,
    everybodys: &mut Object<'a>,
    policy: &mut Policy,
) {
    let mut on = OutcomeSet::NONE;
    let mut is_retried = false;
    let readers: [(&'static str, Parse<OutcomeSet>); 2] =
        [("retry.linkerd.io/http", statuses), ("retry.linkerd.io/grpc", grpc_statuses)];
    for (key, parse) in readers {
        let of_route = own.value(key);
        let of_service = everybodys.value(key);
        if let (Some(_), Some((path, value))) = (&of_route, &of_service) {
            notes.ignored(path, value, "the route has its own");
        }
        let Some((path, value)) = of_route.or(of_service) else { continue };
        match parse(value) {
            Ok(set) => {
                notes.given(&path, shown(value), format!("retried: {}", names(set)));
                on = on.or(set);
                is_retried = true;
            }
            Err(problem) => notes.problems.push(problem.at(value.at)),
        }
    }
    let attempt = either(
        notes,
        (own, everybodys),
        "retry.linkerd.io/timeout",
        linkerd_duration,
        "one attempt; then it is retried",
    );
    let means = "retries: attempts less one; 0 is as if it were not given";
    let limit = either(notes, (own, everybodys), "retry.linkerd.io/limit", count, means);
    // The controller drops a limit of 0 (`parse_http_retry`).
    let limit = limit.filter(|&limit| limit > 0);
    // A limit or a timeout alone makes a retry too, of what no status stands for.
    let attempt = attempt.filter(|&span| span > Span::ZERO);
    if !is_retried && limit.is_none() && attempt.is_none() {
        notes.defaulted("retry.linkerd.io/http", "absent: no retries".to_owned(), ROUTES);
        return;
    }
    if limit.is_none() {
        notes.defaulted("retry.linkerd.io/limit", "1".to_owned(), ROUTES);
    }
    // `RetryPolicy::retryable_error`: what was refused before it was taken, and slow answers.
    on = on.with(Outcome::RefusedStream);
    if attempt.is_some() {
        on = on.or(OutcomeSet::TIMED_OUT);
    }
    policy.attempt_timeout = attempt;
    let mut rule = preset("linkerd", "routes").retry.expect("the preset retries");
    rule.attempts = limit.unwrap_or(1).saturating_add(1);
    rule.on = on;
    notes.defaulted("back-off", "25ms doubling to 250ms, jitter 100%".to_owned(), ROUTES);
    policy.retry = (rule.attempts > 1).then_some(rule);
}

/// `5xx,429,500-504,gateway-error`.
fn statuses(value: &Value) -> Result<OutcomeSet, Problem> {
    let mut set = OutcomeSet::NONE;
    for part in text(value)?.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let range = from.parse::<u32>().ok().zip(to.parse::<u32>().ok());
        let of_range = range.filter(|(from, to)| from <= to && *to <= 599).map(|(from, to)| {
            (from..=to).filter_map(outcome::http).fold(OutcomeSet::NONE, OutcomeSet::with)
        });
        // Of answers alone: what goes wrong on the way is no status (`parse_http_retry`).
        set = set.or(match (part.to_lowercase().as_str(), of_range) {
            ("5xx", _) => OutcomeSet::SERVER_ERRORS,
            ("gateway-error", _) => OutcomeSet::http_range(502, 504),
            (_, Some(range)) if range != OutcomeSet::NONE => range,
            _ => {
                return Err(Problem::unknown("status", part, &["5xx", "gateway-error", "429"]));
            }
        });
    }
    Ok(set)
}

fn grpc_statuses(value: &Value) -> Result<OutcomeSet, Problem> {
    let mut set = OutcomeSet::NONE;
    for part in text(value)?.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let known = outcome::grpc_names();
        let outcomes = outcome::grpc(part);
        set = set.or(outcomes.ok_or_else(|| Problem::unknown("status code", part, &known))?);
    }
    Ok(set)
}

/// The annotation, or else the timeout of the rule (`outbound/index/http.rs`).
fn read_timeouts(
    notes: &mut Notes,
    own: &mut Object<'_>,
    everybodys: &mut Object<'_>,
    rule: &mut Object<'_>,
    policy: &mut Policy,
) {
    let means = "the whole call, retries included";
    let key = "timeout.linkerd.io/request";
    let whole = either(notes, (own, everybodys), key, linkerd_duration, means);
    let whole = whole.filter(|&span| span > Span::ZERO);
    let mut timeouts = rule.object(notes, "timeouts");
    let why = "Linkerd does not look at it";
    timeouts.ignore(notes, &["backendRequest"], why);
    policy.deadline = match whole {
        Some(whole) => {
            timeouts.ignore(notes, &["request"], "the annotation comes before it");
            Some(whole)
        }
        None => {
            let of_rule = timeouts.given(notes, "request", linkerd_duration, means);
            if of_rule.is_none() {
                notes.defaulted(key, "none".to_owned(), ROUTES);
            }
            of_rule.filter(|&span| span > Span::ZERO)
        }
    };
    timeouts.close(notes);
    let means = "one attempt, if retry.linkerd.io/timeout is not shorter";
    let key = "timeout.linkerd.io/response";
    let response = either(notes, (own, everybodys), key, linkerd_duration, means);
    let response = response.filter(|&span| span > Span::ZERO);
    policy.attempt_timeout = policy.attempt_timeout.into_iter().chain(response).min();
    let why = "streams are not modelled";
    own.ignore(notes, &["timeout.linkerd.io/idle"], why);
    everybodys.ignore(notes, &["timeout.linkerd.io/idle"], why);
}

/// Balancing away from what throttles.
const BIASER: [&str; 5] = [
    "balancer.alpha.linkerd.io/penalize-failures",
    "balancer.alpha.linkerd.io/failure-accrual-honor-retry-after",
    "balancer.alpha.linkerd.io/load-biaser",
    "balancer.alpha.linkerd.io/load-biaser-penalty",
    "balancer.alpha.linkerd.io/load-biaser-max-retry-after",
];
