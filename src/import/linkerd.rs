//! Linkerd: annotations of routes and services, and service profiles.

use super::note::{Notes, shown};
use super::object::{Object, Parse};
use super::outcome::{self, SERVER_ERRORS, names};
use super::quantity::{count, flag, go_duration, number, share, text};
use super::recognise::find_text;
use super::{Document, Imported, metadata_name, preset};
use crate::kernel::time::Span;
use crate::model::document::{Data, Value};
use crate::model::problem::Problem;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::breaker::{Breaker, Trip, Window as Counted};
use crate::policy::budget::{Budget, Deposit, Window};
use crate::policy::{OutcomeSet, Policy};

const ROUTES: &str = "linkerd/linkerd2-proxy outbound";
const PROFILES: &str = "linkerd/linkerd2-proxy, tower TpsBudget";
const REFERENCE: &str = "Linkerd reference, service profiles";
/// The prefixes of the annotations that decide.
const DECIDING: [&str; 4] = [
    "retry.linkerd.io/",
    "timeout.linkerd.io/",
    "balancer.linkerd.io/",
    "balancer.alpha.linkerd.io/",
];

/// Reads annotated routes, then services that no route covers, then the routes of profiles.
pub(super) fn read(documents: &[Document<'_>]) -> Vec<Imported> {
    let of_kind = |kinds: &[&str]| -> Vec<&Document<'_>> {
        let has = |document: &&Document<'_>| {
            find_text(document.value, "kind").is_some_and(|own| kinds.contains(&own.as_str()))
        };
        documents.iter().filter(has).collect()
    };
    let services = of_kind(&["Service"]);
    let profiles = of_kind(&["ServiceProfile"]);
    let mut policies = Vec::new();
    let mut covered: Vec<Option<String>> = Vec::new();
    for route in of_kind(&["HTTPRoute", "GRPCRoute"]) {
        let service = service_of(route, &services);
        let name = service.and_then(name_of).or_else(|| called(route).into_iter().next());
        covered.push(name.clone());
        policies.push(annotated(Some(route), service, has_profile(&profiles, name.as_deref())));
    }
    for service in services.iter().filter(|service| is_annotated(service)) {
        let name = name_of(service);
        if !covered.contains(&name) {
            let has_profile = has_profile(&profiles, name.as_deref());
            policies.push(annotated(None, Some(service), has_profile));
        }
    }
    for profile in profiles {
        let mut scratch = Notes::default();
        let routes = Object::new(&profile.path, profile.value, &mut scratch)
            .object(&mut scratch, "spec")
            .objects(&mut scratch, "routes");
        policies.extend((0..routes.len()).map(|index| profile_route(profile, index)));
    }
    policies
}

fn name_of(document: &Document<'_>) -> Option<String> {
    find_text(document.value.find(&["metadata".to_owned()])?, "name")
}

/// Whether an object says anything to Linkerd.
fn is_annotated(document: &Document<'_>) -> bool {
    let annotations = document.value.find(&["metadata".to_owned(), "annotations".to_owned()]);
    let Some(Data::Table(annotations)) = annotations.map(|value| &value.data) else { return false };
    annotations.keys().any(|key| DECIDING.iter().any(|prefix| key.starts_with(prefix)))
}

/// The services that a route is attached to, and then those that it calls.
fn called(route: &Document<'_>) -> Vec<String> {
    let list = |value: &Value, key: &str| match value.find(&[key.to_owned()]).map(|v| &v.data) {
        Some(Data::List(list)) => list.clone(),
        _ => Vec::new(),
    };
    let Some(spec) = route.value.find(&["spec".to_owned()]) else { return Vec::new() };
    let mut targets = list(spec, "parentRefs");
    targets.extend(list(spec, "rules").iter().flat_map(|rule| list(rule, "backendRefs")));
    let is_service =
        |target: &&Value| find_text(target, "kind").is_none_or(|kind| kind == "Service");
    targets.iter().filter(is_service).filter_map(|target| find_text(target, "name")).collect()
}

/// The service of a route; the only one of the file, if the route names none of them.
fn service_of<'a, 'b>(
    route: &Document<'_>,
    services: &[&'b Document<'a>],
) -> Option<&'b Document<'a>> {
    let called = called(route);
    let by_name = called.iter().find_map(|wanted| {
        services.iter().find(|service| name_of(service).as_ref() == Some(wanted)).copied()
    });
    match services {
        [only] if called.is_empty() => Some(only),
        _ => by_name,
    }
}

/// Whether there is a profile of this service; of an unknown service, whether there is any.
fn has_profile(profiles: &[&Document<'_>], service: Option<&str>) -> bool {
    profiles.iter().any(|profile| match (name_of(profile), service) {
        (Some(name), Some(service)) => name.split('.').next() == Some(service),
        _ => true,
    })
}

/// The policy of a route: its own annotations before those of the service.
fn annotated(
    route: Option<&Document<'_>>,
    service: Option<&Document<'_>>,
    has_profile: bool,
) -> Imported {
    let mut notes = Notes::default();
    let mut own = annotations(&mut notes, route);
    let mut everybodys = annotations(&mut notes, service);
    let mut policy = Policy::ONCE;
    read_retry(&mut notes, &mut own.1, &mut everybodys.1, &mut policy);
    read_timeouts(&mut notes, &mut own.1, &mut everybodys.1, &mut policy);
    read_accrual(&mut notes, &mut everybodys.1, &mut policy);
    let why = "balancing is a key of the service";
    everybodys.1.ignore(&mut notes, &BIASER, why);
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
    Imported::new(&name, policy, caveats, notes)
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
        go_duration,
        "one attempt; then it is retried",
    );
    let means = "retries: attempts less one";
    let limit = either(notes, (own, everybodys), "retry.linkerd.io/limit", count, means);
    if !is_retried {
        notes.defaulted("retry.linkerd.io/http", "absent: no retries".to_owned(), ROUTES);
        return;
    }
    if limit.is_none() {
        notes.defaulted("retry.linkerd.io/limit", "1".to_owned(), ROUTES);
    }
    if attempt.is_some() {
        on = on.or(OutcomeSet::TIMED_OUT);
    }
    policy.attempt_timeout = attempt.filter(|&span| span > Span::ZERO);
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
        set = set.or(match (part, of_range) {
            ("5xx" | "gateway-error", _) => SERVER_ERRORS,
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

fn read_timeouts(
    notes: &mut Notes,
    own: &mut Object<'_>,
    everybodys: &mut Object<'_>,
    policy: &mut Policy,
) {
    let means = "the whole call, retries included";
    let key = "timeout.linkerd.io/request";
    let whole = either(notes, (own, everybodys), key, go_duration, means);
    if whole.is_none() {
        notes.defaulted(key, "none".to_owned(), ROUTES);
    }
    policy.deadline = whole.filter(|&span| span > Span::ZERO);
    let means = "one attempt, if retry.linkerd.io/timeout is not shorter";
    let key = "timeout.linkerd.io/response";
    let response = either(notes, (own, everybodys), key, go_duration, means);
    let response = response.filter(|&span| span > Span::ZERO);
    policy.attempt_timeout = policy.attempt_timeout.into_iter().chain(response).min();
    let why = "streams are not modelled";
    own.ignore(notes, &["timeout.linkerd.io/idle"], why);
    everybodys.ignore(notes, &["timeout.linkerd.io/idle"], why);
}

/// Failure accrual of each endpoint, off unless it is asked for.
fn read_accrual(notes: &mut Notes, object: &mut Object<'_>, policy: &mut Policy) {
    let key = "balancer.linkerd.io/failure-accrual";
    let Some((path, value)) = object.value(key) else {
        notes.defaulted(key, "none: no breaker".to_owned(), ROUTES);
        let why = "failure accrual is not switched on";
        object.ignore(notes, &ACCRUAL, why);
        object.ignore(notes, &UNIFIED, why);
        return;
    };
    let mode = text(value).unwrap_or_default();
    let is_unified = mode == "unified";
    if !is_unified && mode != "consecutive" {
        let problem = Problem::unknown("failure accrual", &mode, &["consecutive", "unified"]);
        notes.problems.push(problem.at(value.at));
        return;
    }
    let means = match is_unified {
        true => "a breaker on failures in a row and on the success rate",
        false => "a breaker on failures in a row",
    };
    notes.given(&path, mode, means);
    let [failures, least, most, jitter] = ACCRUAL;
    let failures = object.read(notes, failures, count, (7, ROUTES), "failures in a row");
    let shortest = (Span::from_secs(1), ROUTES);
    let least = object.read(notes, least, go_duration, shortest, "first time open");
    let longest = (Span::from_secs(60), ROUTES);
    let longest = object.read(notes, most, go_duration, longest, "longest time open");
    let means = "of the time at random on top";
    let jitter = object.read(notes, jitter, number, (0.5, ROUTES), means);
    // Zero switches the count off in unified mode (`unified.rs`, `should_trip`).
    if failures == 0 && !is_unified {
        let problem = Problem::new("the breaker would open without a failure");
        notes.problems.push(object.problem(ACCRUAL[0], problem.expected("at least 1")));
    }
    let version = if is_unified { "unified" } else { "consecutive" };
    let start = preset("linkerd-failure-accrual", version).breaker;
    let trip = match start.map(|breaker| breaker.trip) {
        Some(trip) if is_unified => read_rate(notes, object, trip, failures),
        _ => {
            object.ignore(notes, &UNIFIED, "the mode is consecutive");
            Trip::Consecutive { failures }
        }
    };
    policy.breaker = start.map(|breaker| Breaker {
        trip,
        open_for: Backoff::exponential(least, 2.0)
            .jittered(Jitter::Up(jitter))
            .capped_after_jitter(longest),
        ..breaker
    });
}

/// Balancing away from what throttles.
const BIASER: [&str; 3] = [
    "balancer.alpha.linkerd.io/load-biaser",
    "balancer.alpha.linkerd.io/load-biaser-penalty",
    "balancer.alpha.linkerd.io/load-biaser-max-retry-after",
];

/// The success rate of unified mode.
fn read_rate(notes: &mut Notes, object: &mut Object<'_>, start: Trip, failures: u32) -> Trip {
    let [least, span, requests] = UNIFIED;
    let rate = object.read(notes, least, share, (0.8, UNIFIED_MODE), "below it opens");
    let window = (Span::from_secs(10), UNIFIED_MODE);
    let window = object.read(notes, span, go_duration, window, "in ten buckets");
    if window < Span::from_millis(10) {
        let problem = Problem::new(format!("a window of {window} is no window"));
        notes.problems.push(object.problem(span, problem.expected("at least 10ms")));
    }
    let minimum = (5, UNIFIED_MODE);
    let minimum = object.read(notes, requests, count, minimum, "calls in the window");
    match start {
        Trip::Ratio { window: Counted::Time { buckets, rotation, .. }, comparison, .. } => {
            Trip::Ratio {
                window: Counted::Time { span: window, buckets, rotation },
                minimum,
                // Rounded, or 1 - 0.8 would be a little below 0.2 and a share of 0.2 above it.
                ratio: libm::round((1.0 - rate) * 1e9) / 1e9,
                comparison,
                on_success: true,
                slow: None,
                every: None,
                consecutive: (failures > 0).then_some(failures),
            }
        }
        other => other,
    }
}

const UNIFIED_MODE: &str = "Linkerd reference, unified circuit breaker";
/// What unified mode can be told besides.
const UNIFIED: [&str; 3] = [
    "balancer.alpha.linkerd.io/failure-accrual-success-rate-threshold",
    "balancer.alpha.linkerd.io/failure-accrual-success-rate-window",
    "balancer.alpha.linkerd.io/failure-accrual-success-rate-min-requests",
];

/// What failure accrual can be told.
const ACCRUAL: [&str; 4] = [
    "balancer.linkerd.io/failure-accrual-consecutive-max-failures",
    "balancer.linkerd.io/failure-accrual-consecutive-min-penalty",
    "balancer.linkerd.io/failure-accrual-consecutive-max-penalty",
    "balancer.linkerd.io/failure-accrual-consecutive-jitter-ratio",
];

fn profile_route(profile: &Document<'_>, index: usize) -> Imported {
    let mut notes = Notes::default();
    let mut object = Object::new(&profile.path, profile.value, &mut notes);
    let name = metadata_name(&mut object, &mut notes).unwrap_or_else(|| "profile".to_owned());
    let mut spec = object.object(&mut notes, "spec");
    let mut route = spec.objects(&mut notes, "routes").swap_remove(index);
    let own = route.given(&mut notes, "name", text, "names the policy").unwrap_or_default();
    let mut policy = preset("linkerd", "service-profile");
    let or = (Span::from_secs(10), REFERENCE);
    let means = "the whole call, retries included";
    policy.deadline = Some(route.read(&mut notes, "timeout", go_duration, or, means));
    let means = "retried as long as the budget allows";
    let is_retryable = route.read(&mut notes, "isRetryable", flag, (false, REFERENCE), means);
    let mut budget = spec.object(&mut notes, "retryBudget");
    read_budget(&mut notes, &mut budget, &mut policy);
    budget.close(&mut notes);
    if !is_retryable {
        (policy.retry, policy.budget) = (None, None);
    }
    let why = "which answers are failures is said by the answers of the model";
    route.ignore(&mut notes, &["responseClasses"], why);
    route.close_open(&mut notes);
    spec.close_open(&mut notes);
    let host = name.split('.').next().unwrap_or_default();
    Imported::new(&format!("{host}-{own}"), policy, Vec::new(), notes)
}

fn read_budget(notes: &mut Notes, budget: &mut Object<'_>, policy: &mut Policy) {
    let means = "retries for each call; tower rounds one over it down";
    let ratio = budget.read(notes, "retryRatio", number, (0.2, PROFILES), means);
    let means = "retries besides, all of which may go at once";
    let least = budget.read(notes, "minRetriesPerSecond", count, (10, PROFILES), means);
    let span = (Span::from_secs(10), PROFILES);
    let span = budget.read(notes, "ttl", go_duration, span, "over which both are counted");
    if !(Span::from_secs(1)..=Span::from_secs(60)).contains(&span) {
        let message = format!("`{}.ttl` of {span} is refused by Linkerd", budget.path);
        let problem = Problem::new(message).expected("from 1s to 60s");
        notes.problems.push(budget.problem("ttl", problem));
    }
    let window = Window::tower(Deposit::Answer, ratio as f32, least, span);
    policy.budget = Some(Budget::Window(window));
}
