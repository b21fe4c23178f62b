//! What other systems retry and count, as outcomes: status codes, conditions, exceptions.

use crate::policy::{Outcome, OutcomeSet};

/// What Envoy's `5xx` and the like mean: broken, refused, or out of time.
pub(super) const SERVER_ERRORS: OutcomeSet =
    OutcomeSet::of(&[Outcome::Failed, Outcome::Rejected, Outcome::TimedOut]);

/// The outcome of an HTTP status (`policy::Outcome` says which stands for what).
pub(super) fn http(status: u32) -> Option<Outcome> {
    match status {
        408 => Some(Outcome::TimedOut),
        409 => Some(Outcome::Conflict),
        429 => Some(Outcome::Throttled),
        503 => Some(Outcome::Rejected),
        400..=499 => Some(Outcome::Invalid),
        500..=599 => Some(Outcome::Failed),
        _ => None,
    }
}

/// The gRPC status codes by name, in the order of their numbers
/// (grpc/grpc, doc/statuscodes.md), and what each means here.
const GRPC: [(&str, OutcomeSet); 17] = [
    ("OK", OutcomeSet::NONE),
    ("CANCELLED", OutcomeSet::NONE),
    ("UNKNOWN", OutcomeSet::of(&[Outcome::Failed])),
    ("INVALID_ARGUMENT", OutcomeSet::of(&[Outcome::Invalid])),
    ("DEADLINE_EXCEEDED", OutcomeSet::of(&[Outcome::TimedOut])),
    ("NOT_FOUND", OutcomeSet::of(&[Outcome::Invalid])),
    ("ALREADY_EXISTS", OutcomeSet::of(&[Outcome::Invalid])),
    ("PERMISSION_DENIED", OutcomeSet::of(&[Outcome::Invalid])),
    ("RESOURCE_EXHAUSTED", OutcomeSet::of(&[Outcome::Throttled])),
    ("FAILED_PRECONDITION", OutcomeSet::of(&[Outcome::Invalid])),
    ("ABORTED", OutcomeSet::of(&[Outcome::Conflict])),
    ("OUT_OF_RANGE", OutcomeSet::of(&[Outcome::Invalid])),
    ("UNIMPLEMENTED", OutcomeSet::of(&[Outcome::Invalid])),
    ("INTERNAL", OutcomeSet::of(&[Outcome::Failed])),
    // A broken connection is UNAVAILABLE too.
    ("UNAVAILABLE", OutcomeSet::of(&[Outcome::Failed, Outcome::Rejected])),
    ("DATA_LOSS", OutcomeSet::of(&[Outcome::Failed])),
    ("UNAUTHENTICATED", OutcomeSet::of(&[Outcome::Invalid])),
];

/// The outcomes of a gRPC status, by name or by number; `None` if there is no such status.
pub(super) fn grpc(code: &str) -> Option<OutcomeSet> {
    let name = code.trim().to_uppercase().replace('-', "_");
    let by_number = name.parse::<usize>().ok().and_then(|number| GRPC.get(number));
    let found = by_number.or_else(|| GRPC.iter().find(|(known, _)| *known == name));
    found.map(|(_, outcomes)| *outcomes)
}

/// The names of the gRPC status codes.
pub(super) fn grpc_names() -> Vec<&'static str> {
    GRPC.iter().map(|(name, _)| *name).collect()
}

/// What a condition of Envoy's `retry_on` becomes.
pub(super) enum Condition {
    /// These outcomes.
    Outcomes(OutcomeSet),
    /// Those of the status codes that are listed elsewhere.
    StatusCodes,
    /// Nothing that happens in a run.
    Nothing,
}

/// The conditions of Envoy (documentation of the router filter, `x-envoy-retry-on` and
/// `x-envoy-retry-grpc-on`). Every reset counts as a 5xx, an attempt out of time too
/// (`retry_state_impl.cc`, `wouldRetryFromReset`).
const CONDITIONS: [(&str, Condition); 16] = [
    ("5xx", Condition::Outcomes(SERVER_ERRORS)),
    ("gateway-error", Condition::Outcomes(SERVER_ERRORS)),
    ("reset", Condition::Outcomes(OutcomeSet::of(&[Outcome::Failed, Outcome::TimedOut]))),
    ("reset-before-request", Condition::Outcomes(OutcomeSet::of(&[Outcome::Failed]))),
    ("connect-failure", Condition::Outcomes(OutcomeSet::of(&[Outcome::Failed]))),
    ("refused-stream", Condition::Outcomes(OutcomeSet::of(&[Outcome::Rejected]))),
    ("envoy-ratelimited", Condition::Outcomes(OutcomeSet::of(&[Outcome::Throttled]))),
    ("retriable-4xx", Condition::Outcomes(OutcomeSet::of(&[Outcome::Conflict]))),
    ("retriable-status-codes", Condition::StatusCodes),
    ("retriable-headers", Condition::Nothing),
    ("http3-post-connect-failure", Condition::Nothing),
    ("cancelled", Condition::Nothing),
    ("deadline-exceeded", Condition::Outcomes(OutcomeSet::of(&[Outcome::TimedOut]))),
    ("internal", Condition::Outcomes(OutcomeSet::of(&[Outcome::Failed]))),
    ("resource-exhausted", Condition::Outcomes(OutcomeSet::of(&[Outcome::Throttled]))),
    ("unavailable", Condition::Outcomes(OutcomeSet::of(&[Outcome::Failed, Outcome::Rejected]))),
];

/// A condition by its name.
pub(super) fn condition(name: &str) -> Option<&'static Condition> {
    CONDITIONS.iter().find(|(known, _)| *known == name).map(|(_, condition)| condition)
}

/// The names of the conditions.
pub(super) fn conditions() -> Vec<&'static str> {
    CONDITIONS.iter().map(|(name, _)| *name).collect()
}

/// What an exception of Java means.
pub(super) enum Exception {
    /// Whatever goes wrong, denials of the client's own machinery included.
    Everything,
    /// These outcomes.
    Outcomes(OutcomeSet),
    /// A breaker, bulkhead or rate limiter that denied the call.
    Denial,
}

/// Exceptions by the last part of their class name.
pub(super) fn exception(class: &str) -> Option<Exception> {
    let of = |outcomes: &[Outcome]| Some(Exception::Outcomes(OutcomeSet::of(outcomes)));
    match class.rsplit(['.', '$']).next().unwrap_or(class) {
        "Throwable" | "Exception" | "RuntimeException" => Some(Exception::Everything),
        "CallNotPermittedException" | "BulkheadFullException" | "RequestNotPermitted" => {
            Some(Exception::Denial)
        }
        "TimeoutException"
        | "SocketTimeoutException"
        | "HttpTimeoutException"
        | "GatewayTimeout" => of(&[Outcome::TimedOut]),
        "IOException"
        | "UncheckedIOException"
        | "ConnectException"
        | "SocketException"
        | "ResourceAccessException"
        | "InternalServerError"
        | "BadGateway" => of(&[Outcome::Failed]),
        "HttpServerErrorException" | "WebServerException" | "FeignServerException" => {
            of(&[Outcome::Failed, Outcome::Rejected])
        }
        "ServiceUnavailable" => of(&[Outcome::Rejected]),
        "TooManyRequests" => of(&[Outcome::Throttled]),
        "Conflict" => of(&[Outcome::Conflict]),
        "HttpClientErrorException" | "BadRequest" | "IllegalArgumentException" => {
            of(&[Outcome::Invalid])
        }
        _ => None,
    }
}

/// Outcomes as the language names them.
pub(super) fn names(outcomes: OutcomeSet) -> String {
    let name = |outcome| match outcome {
        Outcome::Ok => "ok",
        Outcome::Failed => "failed",
        Outcome::Rejected => "rejected",
        Outcome::Throttled => "throttled",
        Outcome::TimedOut => "timed_out",
        Outcome::Conflict => "conflict",
        Outcome::Invalid => "invalid",
    };
    match outcomes.iter().map(name).collect::<Vec<_>>() {
        names if names.is_empty() => "no outcome".to_owned(),
        names => names.join(", "),
    }
}

/// All that is in one set or in the other.
pub(super) fn both(one: OutcomeSet, other: OutcomeSet) -> OutcomeSet {
    other.iter().fold(one, OutcomeSet::with)
}
