//! What came back from an attempt.
//!
//! Every outcome is of one [`OutcomeKind`]: what a caller makes of it that does not look closer.
//! Clients that do look closer tell apart what is told apart here: whether a connection was made,
//! whether the request was taken, and which status was answered.

mod names;
mod set;
mod text;

use crate::kernel::time::Span;
pub use set::OutcomeSet;
pub use text::Errors;

/// What came back from one attempt, as its caller sees it.
///
/// Whether the effect happened is another question. After `NotConnected`, `RefusedStream` and
/// `ResetBeforeRequest` it did not; after an answer of the server or silence the caller cannot
/// tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The answer that was asked for.
    Ok,
    /// The server failed: HTTP 500.
    Failed,
    /// Refused before any work because the server is overloaded: HTTP 503.
    Rejected,
    /// Refused because this caller asks too often: HTTP 429.
    Throttled,
    /// No answer within the attempt's timeout.
    TimedOut,
    /// The same work is in progress or in conflict: HTTP 409.
    Conflict,
    /// A permanent error of the request itself: HTTP 400.
    Invalid,
    /// No connection was made: refused, no route, no name.
    NotConnected,
    /// The server refused the request before it took it: HTTP/2 `REFUSED_STREAM`, or a stream above
    /// the last one that a `GOAWAY` names (RFC 9113, 8.7).
    RefusedStream,
    /// The connection broke before the request had been sent whole.
    ResetBeforeRequest,
    /// The connection broke after the request had been sent.
    Reset,
    /// No answer before the deadline of the call.
    Deadline,
    /// Another HTTP status than those above.
    Http(Status),
    /// A gRPC status.
    Grpc(Code),
}

/// An HTTP status that has no outcome of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Status(u16);

impl Status {
    /// Its number, from 401 to 599.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }
}

/// The gRPC status codes but `OK`, by their numbers (grpc/grpc, doc/statuscodes.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[expect(missing_docs, reason = "each is the status of the same name")]
pub enum Code {
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
}

impl Code {
    /// Every code, in the order of its number.
    pub const ALL: [Code; 16] = [
        Code::Cancelled,
        Code::Unknown,
        Code::InvalidArgument,
        Code::DeadlineExceeded,
        Code::NotFound,
        Code::AlreadyExists,
        Code::PermissionDenied,
        Code::ResourceExhausted,
        Code::FailedPrecondition,
        Code::Aborted,
        Code::OutOfRange,
        Code::Unimplemented,
        Code::Internal,
        Code::Unavailable,
        Code::DataLoss,
        Code::Unauthenticated,
    ];
}

/// What a caller makes of an outcome that does not look closer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OutcomeKind {
    /// The answer that was asked for.
    Ok,
    /// A transient error: a broken connection, a server that failed.
    Failed,
    /// Refused before any work.
    Rejected,
    /// Refused because this caller asks too often.
    Throttled,
    /// No answer within the time that the caller had.
    TimedOut,
    /// The same work is in progress or in conflict.
    Conflict,
    /// A permanent error of the request itself.
    Invalid,
}

impl OutcomeKind {
    /// Every kind.
    pub const ALL: [OutcomeKind; 7] = [
        OutcomeKind::Ok,
        OutcomeKind::Failed,
        OutcomeKind::Rejected,
        OutcomeKind::Throttled,
        OutcomeKind::TimedOut,
        OutcomeKind::Conflict,
        OutcomeKind::Invalid,
    ];
}

/// The number of the first gRPC code less one, and of the first HTTP status.
const GRPC: u16 = 15;
const HTTP: u16 = 32;
const FIRST_STATUS: u16 = 400;

/// How many numbers of outcomes there are.
pub(super) const NUMBERS: u16 = HTTP + 200;

impl Outcome {
    /// The outcomes that are neither a status of HTTP nor of gRPC beside the six of HTTP that have
    /// an outcome of their own.
    pub const PLAIN: [Outcome; 12] = [
        Outcome::Ok,
        Outcome::Failed,
        Outcome::Rejected,
        Outcome::Throttled,
        Outcome::TimedOut,
        Outcome::Conflict,
        Outcome::Invalid,
        Outcome::NotConnected,
        Outcome::RefusedStream,
        Outcome::ResetBeforeRequest,
        Outcome::Reset,
        Outcome::Deadline,
    ];

    /// The outcome of an HTTP status from 400 to 599; `None` of any other.
    #[must_use]
    pub const fn http(status: u16) -> Option<Outcome> {
        match status {
            400 => Some(Outcome::Invalid),
            409 => Some(Outcome::Conflict),
            429 => Some(Outcome::Throttled),
            500 => Some(Outcome::Failed),
            503 => Some(Outcome::Rejected),
            _ if FIRST_STATUS <= status && status < 600 => Some(Outcome::Http(Status(status))),
            _ => None,
        }
    }

    /// The HTTP status that it is, if it is one.
    #[must_use]
    pub const fn status(self) -> Option<u16> {
        match self {
            Outcome::Invalid => Some(400),
            Outcome::Conflict => Some(409),
            Outcome::Throttled => Some(429),
            Outcome::Failed => Some(500),
            Outcome::Rejected => Some(503),
            Outcome::Http(status) => Some(status.0),
            _ => None,
        }
    }

    /// What it is to a caller that does not look closer.
    #[inline]
    #[must_use]
    pub const fn kind(self) -> OutcomeKind {
        match self {
            Outcome::Ok => OutcomeKind::Ok,
            Outcome::Failed
            | Outcome::NotConnected
            | Outcome::ResetBeforeRequest
            | Outcome::Reset => OutcomeKind::Failed,
            Outcome::Rejected | Outcome::RefusedStream => OutcomeKind::Rejected,
            Outcome::Throttled => OutcomeKind::Throttled,
            Outcome::TimedOut | Outcome::Deadline => OutcomeKind::TimedOut,
            Outcome::Conflict => OutcomeKind::Conflict,
            Outcome::Invalid => OutcomeKind::Invalid,
            // 408 says that the request came too slowly, not that it is wrong.
            Outcome::Http(Status(408 | 500..)) => OutcomeKind::Failed,
            Outcome::Http(_) => OutcomeKind::Invalid,
            Outcome::Grpc(code) => match code {
                Code::Cancelled
                | Code::Unknown
                | Code::DeadlineExceeded
                | Code::Internal
                | Code::DataLoss => OutcomeKind::Failed,
                Code::Unavailable => OutcomeKind::Rejected,
                Code::ResourceExhausted => OutcomeKind::Throttled,
                Code::Aborted => OutcomeKind::Conflict,
                Code::InvalidArgument
                | Code::NotFound
                | Code::AlreadyExists
                | Code::PermissionDenied
                | Code::FailedPrecondition
                | Code::OutOfRange
                | Code::Unimplemented
                | Code::Unauthenticated => OutcomeKind::Invalid,
            },
        }
    }

    /// Whether the caller stopped waiting before it heard anything.
    #[inline]
    #[must_use]
    pub const fn is_silence(self) -> bool {
        matches!(self.kind(), OutcomeKind::TimedOut)
    }

    /// Whether no answer came because of the connection.
    #[must_use]
    pub const fn is_of_network(self) -> bool {
        matches!(
            self,
            Outcome::NotConnected
                | Outcome::RefusedStream
                | Outcome::ResetBeforeRequest
                | Outcome::Reset
        )
    }

    /// What a server of gRPC answers where one of HTTP answers this (google.rpc.Code, and
    /// grpc/grpc, doc/http-grpc-status-mapping.md); what is no status of HTTP stays.
    #[must_use]
    pub const fn in_grpc(self) -> Outcome {
        Outcome::Grpc(match self {
            Outcome::Failed => Code::Internal,
            Outcome::Rejected | Outcome::Http(Status(502 | 504)) => Code::Unavailable,
            Outcome::Throttled => Code::ResourceExhausted,
            Outcome::Conflict => Code::Aborted,
            Outcome::Invalid => Code::InvalidArgument,
            Outcome::Http(Status(401)) => Code::Unauthenticated,
            Outcome::Http(Status(403)) => Code::PermissionDenied,
            Outcome::Http(Status(404)) => Code::NotFound,
            Outcome::Http(_) => Code::Unknown,
            other => return other,
        })
    }

    /// Whether the server never took the request, so that nothing was done.
    #[must_use]
    pub const fn is_never_taken(self) -> bool {
        self.is_of_network() && !matches!(self, Outcome::Reset)
    }

    /// Whether a server answered, whatever it said.
    #[must_use]
    pub const fn is_answer(self) -> bool {
        !self.is_of_network() && !self.is_silence()
    }

    /// What the caller of a handler or proxy is answered that passes this outcome of its own call
    /// on: an answer as it is, a broken connection as HTTP 503 and silence as HTTP 504 (Envoy, the
    /// response flags `UF`, `UC` and `UT`).
    #[must_use]
    pub const fn passed_on(self) -> Outcome {
        match self {
            _ if self.is_of_network() => Outcome::Rejected,
            _ if self.is_silence() => Outcome::Http(Status(504)),
            answer => answer,
        }
    }

    /// Its number: no two outcomes have the same, and it stays for ever.
    #[must_use]
    #[inline]
    pub const fn number(self) -> u16 {
        match self {
            Outcome::Ok => 0,
            Outcome::Failed => 1,
            Outcome::Rejected => 2,
            Outcome::Throttled => 3,
            Outcome::TimedOut => 4,
            Outcome::Conflict => 5,
            Outcome::Invalid => 6,
            Outcome::NotConnected => 7,
            Outcome::RefusedStream => 8,
            Outcome::ResetBeforeRequest => 9,
            Outcome::Reset => 10,
            Outcome::Deadline => 11,
            Outcome::Grpc(code) => GRPC + code as u16,
            Outcome::Http(status) => HTTP + status.0 - FIRST_STATUS,
        }
    }

    /// The outcome of a number; `None` of numbers that no outcome has.
    pub(super) const fn of_number(number: u16) -> Option<Outcome> {
        match number {
            0..12 => Some(Outcome::PLAIN[number as usize]),
            12..16 => None,
            16..HTTP => Some(Outcome::Grpc(Code::ALL[(number - GRPC - 1) as usize])),
            _ => match Outcome::http(number - HTTP + FIRST_STATUS) {
                Some(Outcome::Http(status)) => Some(Outcome::Http(status)),
                _ => None,
            },
        }
    }
}

/// An outcome with what the server said about retrying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response {
    /// What came back.
    pub outcome: Outcome,
    /// How long the server asks to wait: Retry-After, `grpc-retry-pushback-ms`.
    pub hint: Option<Span>,
    /// Whether the server forbids a retry: negative pushback, `Stripe-Should-Retry: false`.
    pub forbids_retry: bool,
}

impl Response {
    /// An outcome about which the server said nothing more.
    #[must_use]
    pub const fn new(outcome: Outcome) -> Response {
        Response { outcome, hint: None, forbids_retry: false }
    }

    /// The response with a server hint to wait for `hint`.
    #[must_use]
    pub const fn after(self, hint: Span) -> Response {
        Response { hint: Some(hint), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_outcomes_are_one_to_one() {
        for number in 0..NUMBERS {
            if let Some(outcome) = Outcome::of_number(number) {
                assert_eq!(outcome.number(), number, "{outcome:?}");
            }
        }
        for status in 400..600 {
            let outcome = Outcome::http(status).expect("it is an error of HTTP");
            assert_eq!(outcome.status(), Some(status));
            assert_eq!(Outcome::of_number(outcome.number()), Some(outcome));
        }
        assert_eq!([Outcome::http(399), Outcome::http(600)], [None, None]);
    }

    #[test]
    fn what_is_passed_on_is_an_answer() {
        for outcome in OutcomeSet::ERRORS.iter() {
            let answer = outcome.passed_on();
            assert!(!answer.is_of_network() && !answer.is_silence(), "{outcome:?}: {answer:?}");
        }
        assert_eq!(Outcome::Reset.passed_on(), Outcome::Rejected);
        assert_eq!(Outcome::Deadline.passed_on().status(), Some(504));
    }
}
