//! What clients retry, as sets that several presets share. `tests/data/retried` has what the
//! libraries did that were run.

use crate::policy::outcome::{Code, Outcome, OutcomeSet};

/// Without an answer: broken connections and silence.
pub(super) const NO_ANSWER: OutcomeSet = OutcomeSet::NETWORK.or(OutcomeSet::TIMED_OUT);

/// The AWS SDKs: transient statuses, and throttling by its error code.
pub(super) const AWS: OutcomeSet = NO_ANSWER.or(OutcomeSet::http(&[429, 500, 502, 503, 504]));

/// Statuses and exceptions of HTTP in Microsoft.Extensions.Http.Resilience
/// (`HttpClientResiliencePredicates`).
pub(super) const MICROSOFT: OutcomeSet =
    NO_ANSWER.or(OutcomeSet::SERVER_ERRORS).or(OutcomeSet::http(&[408, 429]));

/// `UNAVAILABLE` to a client of gRPC: the status, connections that are refused or break, and what a
/// proxy answers in HTTP (grpc/grpc, doc/http-grpc-status-mapping.md).
pub(super) const UNAVAILABLE: OutcomeSet = OutcomeSet::NETWORK
    .or(OutcomeSet::http(&[502, 503, 504]))
    .with(Outcome::Grpc(Code::Unavailable));

/// The codes after which the hedging of gRFC A6's example goes on: `UNAVAILABLE`, `INTERNAL` and
/// `ABORTED`.
pub(super) const A6_NOT_FATAL: OutcomeSet = UNAVAILABLE
    .or(OutcomeSet::http(&[500, 409]))
    .with(Outcome::Grpc(Code::Internal))
    .with(Outcome::Grpc(Code::Aborted));

/// `5xx` of Envoy: such an answer, a reset, or a try out of time.
pub(super) const ENVOY_5XX: OutcomeSet = OutcomeSet::SERVER_ERRORS.or(NO_ANSWER);

/// `connect-failure`, `refused-stream`, `unavailable` and `cancelled` of Envoy: nothing that a
/// server of HTTP has answered.
pub(super) const ENVOY_SAFE: OutcomeSet = OutcomeSet::of(&[
    Outcome::NotConnected,
    Outcome::RefusedStream,
    Outcome::Grpc(Code::Unavailable),
    Outcome::Grpc(Code::Cancelled),
]);

/// What Finagle requeues: a request that was not written, and a nack.
pub(super) const FINAGLE: OutcomeSet = OutcomeSet::of(&[
    Outcome::NotConnected,
    Outcome::RefusedStream,
    Outcome::ResetBeforeRequest,
    Outcome::Rejected,
]);
