//! gRPC retries with throttling, as gRFC A6 says and grpc-go does.

use super::{Label, Number, Preset, Scope, number};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::budget::{Budget, Throttle};
use crate::policy::hedge::{After, Hedge};
use crate::policy::outcome::{Outcome, OutcomeSet};
use crate::policy::retry::{HintRule, Retry};

const A6: &str = "grpc/proposal, A6-client-retries.md";
const A6_EXAMPLE: &str = "grpc/proposal, A6-client-retries.md, the example: gRPC has no default";

const HEDGING: &str = "npm @grpc/grpc-js, retrying-call.ts";
const CONNECTION: &str = "grpc/grpc, doc/connection-backoff.md";

/// The numbers of the example in gRFC A6, with the throttle looked at before or after the wait.
const fn example(unit: Option<Span>, after_wait: bool) -> Policy {
    let backoff = Backoff::exponential(Span::from_millis(100), 2.0)
        .capped(Span::from_secs(1))
        .jittered(Jitter::Proportional(0.2));
    let backoff = match unit {
        Some(unit) => backoff.truncated_to(unit),
        None => backoff,
    };
    let retry = Retry { hint: HintRule::Restart, ..Retry::new(4, backoff) };
    Policy {
        retry: Some(retry.on(OutcomeSet::of(&[Outcome::Failed, Outcome::Rejected]))),
        budget: Some(Budget::Throttle(Throttle { max_tokens: 10.0, token_ratio: 0.1, after_wait })),
        ..Policy::ONCE
    }
}

const EXAMPLE: &[Number] = &[
    number("attempts", "4", A6_EXAMPLE),
    number("initial back-off", "100ms", A6_EXAMPLE),
    number("longest back-off", "1s, before jitter", A6_EXAMPLE),
    number("multiplier", "2", A6_EXAMPLE),
    number("jitter", "0.8 to 1.2", A6),
    number("retried", "UNAVAILABLE", A6_EXAMPLE),
    number("throttle tokens", "10", A6_EXAMPLE),
    number("throttle ratio", "0.1", A6_EXAMPLE),
    number("server pushback", "exactly, and the series starts again", A6),
];

/// The presets of this family.
pub(super) static PRESETS: [Preset; 4] = [
    Preset {
        name: "grpc",
        version: "grpc-go",
        label: Label::SourceDerived,
        source: "grpc/grpc-go stream.go at commit 4793ad04 and grpc/proposal A6-client-retries.md",
        scope: Scope::ProcessAndTarget,
        numbers: EXAMPLE,
        note: "gRPC retries nothing without a service config. These are the numbers of the example \
               in gRFC A6; five net failures switch retries off.",
        policy: example(None, false),
    },
    Preset {
        name: "grpc",
        version: "grpc-js",
        label: Label::ConformanceTested,
        source: "@grpc/grpc-js 1.14.7",
        scope: Scope::ProcessAndTarget,
        numbers: EXAMPLE,
        note: "The throttle is looked at after the back-off: a denied call is held for all of it. \
               Delays are whole milliseconds.",
        policy: example(Some(Span::from_millis(1)), true),
    },
    Preset {
        name: "grpc-hedging",
        version: "grpc-js",
        label: Label::ConformanceTested,
        source: "@grpc/grpc-js 1.14.7",
        scope: Scope::Request,
        numbers: &[
            number("attempts", "4", A6_EXAMPLE),
            number("hedging delay", "500ms", A6_EXAMPLE),
            number("throttle", "never asked", HEDGING),
        ],
        note: "gRPC has no default; these are the numbers of the example in gRFC A6. grpc-go has no \
               hedging. grpc-js never asks the throttle, A6 says that it must.",
        policy: Policy {
            hedge: Some(Hedge {
                extra: 3,
                after: After::Fixed(Span::from_millis(500)),
                at_once_on: OutcomeSet::of(&[Outcome::Failed, Outcome::Rejected]),
                budget: None,
            }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "grpc-connection",
        version: "grpc-go",
        label: Label::SourceDerived,
        source: "grpc/grpc doc/connection-backoff.md; grpc/grpc-go internal/backoff",
        scope: Scope::Process,
        numbers: &[
            number("base", "1s", CONNECTION),
            number("multiplier", "1.6", CONNECTION),
            number("jitter", "0.8 to 1.2", CONNECTION),
            number("longest", "120s", CONNECTION),
            number("least connect timeout", "20s", CONNECTION),
        ],
        note: "For connections, not calls. In grpc-go the first delay is exactly 1 s; here it is \
               jittered like the others.",
        policy: Policy {
            attempt_timeout: Some(Span::from_secs(20)),
            retry: Some(Retry::new(
                u32::MAX,
                Backoff::exponential(Span::from_secs(1), 1.6)
                    .capped(Span::from_secs(120))
                    .jittered(Jitter::Proportional(0.2)),
            )),
            ..Policy::ONCE
        },
    },
];
