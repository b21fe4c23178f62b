//! What Envoy does, however it is configured: by itself, by Istio, by a gateway.

use super::note::{Notes, shown};
use super::object::{Object, Parse};
use super::outcome::{self, Condition, names};
use super::quantity::{count, flag, number, percent, texts, wrong};
use crate::kernel::time::Span;
use crate::model::document::{Data, Value};
use crate::model::problem::Problem;
use crate::policy::OutcomeSet;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::bulkhead::{Around, Bulkhead};
use crate::policy::outlier::Outlier;

pub(super) const BACKOFF: &str = "envoyproxy/envoy backoff_strategy.cc";
pub(super) const OUTLIER: &str = "Envoy, outlier_detection.proto";

/// Windows of `base`, 2 `base`, 4 `base` and so on up to `longest`, anything of each, in whole
/// milliseconds (`backoff_strategy.cc`).
pub(super) fn backoff(base: Span, longest: Span) -> Backoff {
    Backoff::exponential(base, 2.0)
        .capped(longest)
        .jittered(Jitter::Full)
        .truncated_to(Span::from_millis(1))
}

/// A window of no time is refused by Envoy too.
pub(super) fn positive(notes: &mut Notes, object: &Object<'_>, span: Span, what: &str) {
    if span == Span::ZERO {
        let problem = Problem::new(format!("`{what}` of {} is no time", object.path));
        notes.problems.push(object.problem(what, problem.expected("more than 0s")));
    }
}

/// Reads conditions, and the status codes that count if the conditions name
/// `retriable-status-codes`; `None` if no conditions are given.
pub(super) fn retried(
    notes: &mut Notes,
    object: &mut Object<'_>,
    on: &'static str,
    codes: &'static str,
) -> Option<OutcomeSet> {
    let list = object.value(codes).map(|(path, value)| (path, value, codes_of(notes, value)));
    let given = object.value(on);
    let names = given.as_ref().and_then(|(_, value)| texts(value).ok()).unwrap_or_default();
    let counts = names.iter().any(|name| name == CODES);
    let set = list.as_ref().map_or(OutcomeSet::NONE, |(.., (set, _))| *set);
    if let Some((path, value, (set, foreign))) = &list {
        let mut means = match *set {
            OutcomeSet::NONE => "none is an outcome".to_owned(),
            set => format!("are the outcomes {}", outcome::names(set)),
        };
        for code in foreign {
            let of_grpc = *code <= 16;
            let kind = if of_grpc {
                "a status of gRPC, which never is one of HTTP"
            } else {
                "no failure of HTTP"
            };
            means += &format!("; {code} is {kind}");
        }
        match counts {
            true => notes.given(path, shown(value), means),
            false => {
                let why =
                    format!("`{on}` does not name `{CODES}`, so they are never asked; {means}");
                notes.ignored(path, value, &why);
            }
        }
    }
    given.map(|(path, value)| conditions(notes, &path, value, set, false))
}

const CODES: &str = "retriable-status-codes";

/// The outcomes of a list of codes, and those that are no failures of HTTP.
fn codes_of(notes: &mut Notes, value: &Value) -> (OutcomeSet, Vec<u32>) {
    let (mut set, mut foreign) = (OutcomeSet::NONE, Vec::new());
    let Data::List(codes) = &value.data else {
        notes.problems.push(wrong(value, "a list of HTTP status codes"));
        return (set, foreign);
    };
    for code in codes {
        match count(code) {
            Ok(number) => match outcome::http(number) {
                Some(outcome) => set = set.with(outcome),
                None => foreign.push(number),
            },
            Err(problem) => notes.problems.push(problem.at(code.at)),
        }
    }
    (set, foreign)
}

/// Reads `retry_on`: conditions, and in Istio status codes among them. `codes` are those of
/// `retriable-status-codes`.
pub(super) fn conditions(
    notes: &mut Notes,
    path: &str,
    value: &Value,
    codes: OutcomeSet,
    takes_codes: bool,
) -> OutcomeSet {
    let (mut set, mut unmodelled) = (OutcomeSet::NONE, Vec::new());
    let list = match texts(value) {
        Ok(list) => list,
        Err(problem) => {
            notes.problems.push(problem);
            return set;
        }
    };
    for name in list.iter().filter(|name| !name.is_empty()) {
        let code = name.parse().ok().filter(|_| takes_codes).and_then(outcome::http);
        match (code, outcome::condition(name)) {
            (Some(outcome), _) => set = set.with(outcome),
            (None, Some(Condition::Outcomes(outcomes))) => set = set.or(*outcomes),
            (None, Some(Condition::StatusCodes)) => set = set.or(codes),
            (None, Some(Condition::Nothing)) => unmodelled.push(name.as_str()),
            (None, None) => {
                let known = outcome::conditions();
                let problem = Problem::unknown("retry condition", name, &known);
                notes.problems.push(problem.at(value.at));
            }
        }
    }
    let mut means = format!("retried: {}", names(set));
    if !unmodelled.is_empty() {
        means += &format!("; nothing in a run is `{}`", unmodelled.join("`, `"));
    }
    notes.given(path, shown(value), means);
    set
}

/// Reads a list of HTTP status codes.
pub(super) fn status_codes(
    notes: &mut Notes,
    object: &mut Object<'_>,
    key: &'static str,
) -> Option<OutcomeSet> {
    let (path, value) = object.value(key)?;
    let Data::List(codes) = &value.data else {
        notes.problems.push(wrong(value, "a list of HTTP status codes"));
        return None;
    };
    let mut set = OutcomeSet::NONE;
    for code in codes {
        match count(code).ok().and_then(outcome::http) {
            Some(outcome) => set = set.with(outcome),
            None => notes.problems.push(wrong(code, "an HTTP status code from 400 to 599")),
        }
    }
    notes.given(&path, shown(value), format!("are the outcomes {}", names(set)));
    Some(set)
}

/// The limits of connections, of waiting calls and of calls: each call of HTTP/1.1 takes a
/// connection, those of HTTP/2 share one (`resource_manager_impl.h`, `http1/conn_pool.cc`). Where
/// no connection may be made, one is made all the same; a call waits for its first connection, so
/// none gets through where none may wait (`conn_pool_base.cc`, `tryCreateNewConnection` and
/// `newStreamImpl`).
pub(super) fn bulkhead(
    notes: &mut Notes,
    connections: Option<u32>,
    pending: Option<u32>,
    requests: Option<u32>,
) -> Option<Bulkhead> {
    if connections.is_none() && pending.is_none() && requests.is_none() {
        return None;
    }
    let unlimited = u32::MAX;
    if connections == Some(0) {
        let one = "a limit of 0 connections is as one of 1: the proxy makes the first all the same";
        notes.caveats.push(one.to_owned());
    }
    let connections = connections.map_or(unlimited, |most| most.max(1));
    let mut limit = connections.min(requests.unwrap_or(unlimited));
    if requests == Some(0) || pending == Some(0) {
        notes.caveats.push(
            "no call gets through: none may run, or none may wait for its first connection"
                .to_owned(),
        );
        limit = 0;
    }
    Some(Bulkhead {
        limit,
        queue: if limit == 0 { 0 } else { pending.unwrap_or(unlimited) },
        max_wait: None,
        around: Around::Attempt,
    })
}

/// The keys of outlier detection of one configurator, and its defaults.
pub(super) struct Ejection {
    pub(super) duration: Parse<Span>,
    pub(super) start: Outlier,
    pub(super) source: &'static str,
    pub(super) in_a_row: &'static str,
    /// The key of gateway errors in a row, where naming it enforces it.
    pub(super) gateway: Option<&'static str>,
    pub(super) interval: &'static str,
    pub(super) base: &'static str,
    pub(super) most: &'static str,
    /// Whether a share of 0 is as if it were not given (istio/istio, `applyOutlierDetection`;
    /// envoyproxy/gateway, `buildXdsOutlierDetection`).
    pub(super) zero_is_default: bool,
}

/// Reads what every configurator has: counts in a row, times, and the largest share.
pub(super) fn ejection(notes: &mut Notes, object: &mut Object<'_>, keys: &Ejection) -> Outlier {
    let Ejection { start, source, duration, .. } = *keys;
    let in_a_row =
        object.read(notes, keys.in_a_row, count, (start.consecutive, source), "failures in a row");
    let means = "502, 503, 504 in a row: nearly all failures of a run are, the smaller count \
                 decides; 0 is off";
    let gateway =
        keys.gateway.and_then(|key| object.limit(notes, key, count, ("off", source), means));
    let interval =
        object.read(notes, keys.interval, duration, (start.interval, source), "between sweeps");
    let base = object.read(
        notes,
        keys.base,
        duration,
        (start.base_ejection_time, source),
        "first ejection",
    );
    positive(notes, object, interval, keys.interval);
    let default = start.max_ejected * 100.0;
    let most = object.read(notes, keys.most, percent, (default, source), "% of the hosts");
    // What takes the settings of others to Envoy leaves out a zero.
    let most = match keys.zero_is_default && most == 0.0 {
        true => {
            let path = super::note::joined(&object.path, keys.most);
            notes.defaulted(&path, format!("{default}, as 0 is taken for nothing"), source);
            default
        }
        false => most,
    };
    let consecutive = match gateway {
        Some(gateway) if gateway > 0 && (in_a_row == 0 || gateway < in_a_row) => gateway,
        _ => in_a_row,
    };
    Outlier {
        consecutive,
        interval,
        base_ejection_time: base,
        max_ejection_time: start.max_ejection_time.max(base),
        max_ejected: most / 100.0,
        ..start
    }
}

/// Reads what only Envoy itself has: which rules are enforced, and the sweeps.
pub(super) fn enforcement(notes: &mut Notes, object: &mut Object<'_>, outlier: &mut Outlier) {
    let on = |percent: f64| percent > 0.0;
    let source = OUTLIER;
    let mut enforced =
        |key, default, means| object.read(notes, key, percent, (default, source), means);
    let means = "0 is off; any other share counts as 100";
    if !on(enforced("enforcing_consecutive_5xx", 100.0, means)) {
        outlier.consecutive = 0;
    }
    let by_rate = on(enforced("enforcing_success_rate", 100.0, means));
    let by_share = on(enforced("enforcing_failure_percentage", 0.0, means));
    if by_rate {
        let hosts = ("success_rate_minimum_hosts", 5);
        let volume = ("success_rate_request_volume", 100);
        let factor = object.read(
            notes,
            "success_rate_stdev_factor",
            number,
            (1900.0, source),
            "thousandths of a standard deviation below the mean",
        );
        outlier.deviations = Some(factor / 1000.0);
        (outlier.deviation_hosts, outlier.deviation_calls) = sweep(notes, object, hosts, volume);
    } else {
        outlier.deviations = None;
        let keys = [
            "success_rate_minimum_hosts",
            "success_rate_request_volume",
            "success_rate_stdev_factor",
        ];
        object.ignore(notes, &keys, "enforcing_success_rate is 0");
    }
    if by_share {
        let hosts = ("failure_percentage_minimum_hosts", 5);
        let volume = ("failure_percentage_request_volume", 50);
        let share = object.read(
            notes,
            "failure_percentage_threshold",
            percent,
            (85.0, source),
            "% of failed calls",
        );
        outlier.failure_ratio = Some(share / 100.0);
        (outlier.ratio_hosts, outlier.ratio_calls) = sweep(notes, object, hosts, volume);
    } else {
        let keys = [
            "failure_percentage_minimum_hosts",
            "failure_percentage_request_volume",
            "failure_percentage_threshold",
        ];
        object.ignore(notes, &keys, "enforcing_failure_percentage is 0");
    }
    let one = "one host may always be ejected";
    outlier.always_one = object.read(notes, "always_eject_one_host", flag, (false, source), one);
}

fn sweep(
    notes: &mut Notes,
    object: &mut Object<'_>,
    (hosts, least_hosts): (&'static str, u32),
    (volume, least_volume): (&'static str, u32),
) -> (u32, u32) {
    let hosts = object.read(notes, hosts, count, (least_hosts, OUTLIER), "hosts, else no verdict");
    (hosts, object.read(notes, volume, count, (least_volume, OUTLIER), "calls of a host"))
}

/// What balances at a service, in the words of the language.
pub(super) fn balance_hint(policy: &str) -> &'static str {
    match policy.to_uppercase().as_str() {
        "ROUND_ROBIN" | "ROUNDROBIN" => "say balance = \"round_robin\" at the service",
        "LEAST_REQUEST" | "LEASTREQUEST" | "LEAST_CONN" => {
            "say balance = \"two_choices\" at the service"
        }
        "RANDOM" => "say balance = \"random\" at the service",
        _ => "balancing is a key of the service, which has no such rule",
    }
}
