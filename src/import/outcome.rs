//! What other systems retry and count, as outcomes: status codes, conditions, exceptions.

use crate::policy::{Code, Outcome, OutcomeSet};

/// What Envoy's `5xx` means: such an answer, a broken connection, or an attempt out of time.
pub(super) const SERVER_ERRORS: OutcomeSet =
    OutcomeSet::SERVER_ERRORS.or(OutcomeSet::NETWORK).or(OutcomeSet::TIMED_OUT);

/// What Envoy's `gateway-error` means: as `5xx`, but of the answers only 502, 503 and 504.
const GATEWAY_ERRORS: OutcomeSet =
    OutcomeSet::http(&[502, 503, 504]).or(OutcomeSet::NETWORK).or(OutcomeSet::TIMED_OUT);

pub(super) fn http(status: u32) -> Option<Outcome> {
    u16::try_from(status).ok().and_then(Outcome::http)
}

/// What a client of gRPC calls by a code: that code, what stands for it where a server says only
/// what kind of error it is, broken connections, and what a proxy answers in HTTP
/// (grpc/grpc, doc/statuscodes.md and doc/http-grpc-status-mapping.md).
fn to_client(code: Code) -> OutcomeSet {
    let beside = match code {
        Code::Unavailable => OutcomeSet::http(&[502, 503, 504]).or(OutcomeSet::NETWORK),
        Code::ResourceExhausted => OutcomeSet::http(&[429]),
        Code::Aborted => OutcomeSet::http(&[409]),
        Code::DeadlineExceeded => OutcomeSet::TIMED_OUT,
        Code::Internal | Code::Unknown => OutcomeSet::http(&[500]),
        Code::InvalidArgument | Code::FailedPrecondition => OutcomeSet::http(&[400]),
        Code::Unauthenticated => OutcomeSet::http(&[401]),
        Code::PermissionDenied => OutcomeSet::http(&[403]),
        Code::NotFound | Code::Unimplemented => OutcomeSet::http(&[404]),
        Code::Cancelled | Code::AlreadyExists | Code::OutOfRange | Code::DataLoss => {
            OutcomeSet::NONE
        }
    };
    beside.with(Outcome::Grpc(code))
}

/// The outcomes of a gRPC status, by name or by number; `None` if there is no such status.
pub(super) fn grpc(code: &str) -> Option<OutcomeSet> {
    let name = code.trim().to_uppercase().replace('-', "_");
    if name == "OK" || name == "0" {
        return Some(OutcomeSet::NONE);
    }
    let number = name.parse::<u8>().ok();
    let known = |&code: &Code| Some(code as u8) == number || code.name() == name;
    Code::ALL.into_iter().find(known).map(to_client)
}

/// The names of the gRPC status codes.
pub(super) fn grpc_names() -> Vec<&'static str> {
    std::iter::once("OK").chain(Code::ALL.map(Code::name)).collect()
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

/// One outcome as a condition.
const fn only(outcome: Outcome) -> Condition {
    Condition::Outcomes(OutcomeSet::of(&[outcome]))
}

/// The conditions of Envoy (documentation of the router filter, `x-envoy-retry-on` and
/// `x-envoy-retry-grpc-on`). Every reset counts as a 5xx, an attempt out of time too
/// (`retry_state_impl.cc`, `wouldRetryFromReset`); `reset-before-request` asks whether the request
/// had been sent, which it had not without a connection.
const CONDITIONS: [(&str, Condition); 16] = [
    ("5xx", Condition::Outcomes(SERVER_ERRORS)),
    ("gateway-error", Condition::Outcomes(GATEWAY_ERRORS)),
    ("reset", Condition::Outcomes(OutcomeSet::NETWORK.or(OutcomeSet::TIMED_OUT))),
    (
        "reset-before-request",
        Condition::Outcomes(OutcomeSet::of(&[Outcome::NotConnected, Outcome::ResetBeforeRequest])),
    ),
    ("connect-failure", only(Outcome::NotConnected)),
    ("refused-stream", only(Outcome::RefusedStream)),
    ("envoy-ratelimited", only(Outcome::Throttled)),
    ("retriable-4xx", only(Outcome::Conflict)),
    ("retriable-status-codes", Condition::StatusCodes),
    ("retriable-headers", Condition::Nothing),
    ("http3-post-connect-failure", Condition::Nothing),
    ("cancelled", only(Outcome::Grpc(Code::Cancelled))),
    ("deadline-exceeded", only(Outcome::Grpc(Code::DeadlineExceeded))),
    ("internal", only(Outcome::Grpc(Code::Internal))),
    ("resource-exhausted", only(Outcome::Grpc(Code::ResourceExhausted))),
    ("unavailable", only(Outcome::Grpc(Code::Unavailable))),
];

pub(super) fn condition(name: &str) -> Option<&'static Condition> {
    CONDITIONS.iter().find(|(known, _)| *known == name).map(|(_, condition)| condition)
}

/// The outcomes of conditions that have any by themselves.
pub(super) fn of_conditions(names: &[&str]) -> OutcomeSet {
    let of_one = |name: &&str| match condition(name) {
        Some(Condition::Outcomes(outcomes)) => *outcomes,
        _ => OutcomeSet::NONE,
    };
    names.iter().map(of_one).fold(OutcomeSet::NONE, OutcomeSet::or)
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

/// Exceptions by the last part of their class name. A class matches with its subclasses, and what
/// wraps others with what it wraps: a timeout of a socket is an IOException, and a
/// ResourceAccessException of Spring is whatever went wrong on the way.
pub(super) fn exception(class: &str) -> Option<Exception> {
    const ON_THE_WAY: OutcomeSet = OutcomeSet::NETWORK.or(OutcomeSet::TIMED_OUT);
    const ANSWERS: OutcomeSet = OutcomeSet::http_range(400, 599);
    let of = |outcomes: OutcomeSet| Some(Exception::Outcomes(outcomes));
    match class.rsplit(['.', '$']).next().unwrap_or(class) {
        "Throwable" | "Exception" | "RuntimeException" => Some(Exception::Everything),
        "CallNotPermittedException" | "BulkheadFullException" | "RequestNotPermitted" => {
            Some(Exception::Denial)
        }
        "TimeoutException"
        | "SocketTimeoutException"
        | "HttpTimeoutException"
        | "InterruptedIOException"
        | "ReadTimeoutException" => of(OutcomeSet::TIMED_OUT),
        "ConnectException"
        | "UnknownHostException"
        | "NoRouteToHostException"
        | "HttpHostConnectException"
        | "ConnectTimeoutException"
        | "HttpConnectTimeoutException" => of(OutcomeSet::of(&[Outcome::NotConnected])),
        "IOException"
        | "UncheckedIOException"
        | "ResourceAccessException"
        | "WebClientRequestException"
        | "RetryableException" => of(ON_THE_WAY),
        "SocketException" => of(OutcomeSet::NETWORK),
        "RestClientException" | "WebClientException" | "FeignException" => {
            of(ANSWERS.or(ON_THE_WAY))
        }
        "HttpStatusCodeException"
        | "RestClientResponseException"
        | "WebClientResponseException" => of(ANSWERS),
        "HttpServerErrorException"
        | "WebServerException"
        | "FeignServerException"
        | "ServerErrorException" => of(OutcomeSet::SERVER_ERRORS),
        "HttpClientErrorException" | "FeignClientException" => of(OutcomeSet::http_range(400, 499)),
        "InternalServerError" => of(OutcomeSet::http(&[500])),
        "BadGateway" => of(OutcomeSet::http(&[502])),
        "ServiceUnavailable" => of(OutcomeSet::http(&[503])),
        "GatewayTimeout" => of(OutcomeSet::http(&[504])),
        "TooManyRequests" => of(OutcomeSet::http(&[429])),
        "Conflict" => of(OutcomeSet::http(&[409])),
        "NotFound" => of(OutcomeSet::http(&[404])),
        "BadRequest" | "IllegalArgumentException" => of(OutcomeSet::http(&[400])),
        _ => None,
    }
}

/// Outcomes as the language names them.
pub(super) fn names(outcomes: OutcomeSet) -> String {
    match outcomes.names() {
        names if names.is_empty() => "no outcome".to_owned(),
        names => names.join(", "),
    }
}
