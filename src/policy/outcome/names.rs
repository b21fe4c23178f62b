//! Outcomes and sets of them by name: kinds, causes, statuses of HTTP and of gRPC.

use std::fmt;

use super::{Code, Outcome, OutcomeKind, OutcomeSet};

/// Kinds by name.
const KINDS: [(&str, OutcomeKind); 7] = [
    ("ok", OutcomeKind::Ok),
    ("failed", OutcomeKind::Failed),
    ("rejected", OutcomeKind::Rejected),
    ("throttled", OutcomeKind::Throttled),
    ("timed_out", OutcomeKind::TimedOut),
    ("conflict", OutcomeKind::Conflict),
    ("invalid", OutcomeKind::Invalid),
];

/// Other sets by name, larger ones first.
const CLASSES: [(&str, OutcomeSet); 3] = [
    ("5xx", OutcomeSet::SERVER_ERRORS),
    ("4xx", OutcomeSet::http_range(400, 499)),
    ("network", OutcomeSet::NETWORK),
];

/// Outcomes that no status stands for, by name.
const CAUSES: [(&str, Outcome); 6] = [
    ("not_connected", Outcome::NotConnected),
    ("refused_stream", Outcome::RefusedStream),
    ("reset_before_request", Outcome::ResetBeforeRequest),
    ("reset", Outcome::Reset),
    ("attempt_timeout", Outcome::TimedOut),
    ("deadline", Outcome::Deadline),
];

impl Code {
    /// Its name as gRPC writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Code::Cancelled => "CANCELLED",
            Code::Unknown => "UNKNOWN",
            Code::InvalidArgument => "INVALID_ARGUMENT",
            Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Code::NotFound => "NOT_FOUND",
            Code::AlreadyExists => "ALREADY_EXISTS",
            Code::PermissionDenied => "PERMISSION_DENIED",
            Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Code::FailedPrecondition => "FAILED_PRECONDITION",
            Code::Aborted => "ABORTED",
            Code::OutOfRange => "OUT_OF_RANGE",
            Code::Unimplemented => "UNIMPLEMENTED",
            Code::Internal => "INTERNAL",
            Code::Unavailable => "UNAVAILABLE",
            Code::DataLoss => "DATA_LOSS",
            Code::Unauthenticated => "UNAUTHENTICATED",
        }
    }
}

impl Outcome {
    /// The outcome of this name: an HTTP status from 400 to 599, a gRPC status, or a cause such as
    /// `reset`; a kind stands for the HTTP status that is named after it. `None` if there is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Outcome> {
        if let Ok(status) = name.parse() {
            return Outcome::http(status);
        }
        let all = Outcome::PLAIN.into_iter().chain(Code::ALL.map(Outcome::Grpc));
        let cause = CAUSES.iter().find(|(known, _)| *known == name).map(|&(_, outcome)| outcome);
        cause.or_else(|| all.into_iter().find(|outcome| outcome.to_string() == name))
    }
}

/// In reports: the kind where HTTP has one status for it, else the name.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Ok => f.write_str("ok"),
            Outcome::Failed => f.write_str("failed"),
            Outcome::Rejected => f.write_str("rejected"),
            Outcome::Throttled => f.write_str("throttled"),
            Outcome::TimedOut => f.write_str("timed_out"),
            Outcome::Conflict => f.write_str("conflict"),
            Outcome::Invalid => f.write_str("invalid"),
            Outcome::NotConnected => f.write_str("not_connected"),
            Outcome::RefusedStream => f.write_str("refused_stream"),
            Outcome::ResetBeforeRequest => f.write_str("reset_before_request"),
            Outcome::Reset => f.write_str("reset"),
            Outcome::Deadline => f.write_str("deadline"),
            Outcome::Http(status) => write!(f, "{}", status.0),
            Outcome::Grpc(code) => f.write_str(code.name()),
        }
    }
}

impl OutcomeSet {
    /// The set of this name: a kind, which is all that is of it; `network`, `4xx` or `5xx`; or one
    /// outcome by its cause or status. `None` if there is none.
    #[must_use]
    pub fn named(name: &str) -> Option<OutcomeSet> {
        let kind = KINDS.iter().find(|(known, _)| *known == name);
        let kind = kind.map(|&(_, kind)| OutcomeSet::kinds(&[kind]));
        let class = || CLASSES.iter().find(|(known, _)| *known == name).map(|&(_, set)| set);
        let one = || Outcome::named(name).map(|outcome| OutcomeSet::of(&[outcome]));
        kind.or_else(class).or_else(one)
    }

    /// The names that make up the set, as few as there are: kinds, then classes, then causes, then
    /// statuses.
    #[must_use]
    pub fn names(self) -> Vec<String> {
        let mut left = self;
        let mut names = Vec::new();
        let kinds = KINDS.iter().map(|&(name, kind)| (name, OutcomeSet::kinds(&[kind])));
        for (name, set) in kinds.chain(CLASSES) {
            if self.includes(set) && !set.less(left).includes(set) {
                names.push(name.to_owned());
                left = left.less(set);
            }
        }
        for (name, outcome) in CAUSES {
            if left.contains(outcome) {
                names.push(name.to_owned());
                left = left.without(outcome);
            }
        }
        let statuses = (400..600).filter_map(Outcome::http).filter(|&status| left.contains(status));
        names.extend(statuses.filter_map(|outcome| Some(outcome.status()?.to_string())));
        let codes = Code::ALL.into_iter().filter(|&code| left.contains(Outcome::Grpc(code)));
        names.extend(codes.map(|code| code.name().to_owned()));
        names
    }

    /// Every name but those of HTTP statuses.
    pub const NAMES: [&'static str; 32] = {
        let mut names = [""; 32];
        let mut index = 0;
        while index < names.len() {
            names[index] = match index {
                0..7 => KINDS[index].0,
                7..13 => CAUSES[index - 7].0,
                13..16 => CLASSES[index - 13].0,
                _ => Code::ALL[index - 16].name(),
            };
            index += 1;
        }
        names
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_the_union_of_its_names() {
        let sets = [
            OutcomeSet::ERRORS,
            OutcomeSet::TRANSIENT,
            OutcomeSet::NETWORK.or(OutcomeSet::SERVER_ERRORS),
            OutcomeSet::of(&[Outcome::Failed, Outcome::TimedOut, Outcome::Grpc(Code::Unavailable)]),
            OutcomeSet::FAILED.without(Outcome::Reset),
        ];
        for set in sets {
            let named = set.names().iter().fold(OutcomeSet::NONE, |named, name| {
                named.or(OutcomeSet::named(name).expect("it names a set"))
            });
            assert_eq!(named, set, "{:?}", set.names());
        }
    }

    #[test]
    fn names_are_as_few_as_there_are() {
        assert_eq!(OutcomeSet::TRANSIENT.names(), ["failed", "rejected", "throttled", "timed_out"]);
        let gateway = OutcomeSet::http(&[502, 503, 504]).or(OutcomeSet::NETWORK);
        assert_eq!(gateway.names(), ["network", "502", "503", "504"]);
        let first = OutcomeSet::of(&[Outcome::TimedOut]);
        assert_eq!(first.names(), ["attempt_timeout"]);
        assert!(OutcomeSet::NAMES.iter().all(|name| OutcomeSet::named(name).is_some()));
    }
}
