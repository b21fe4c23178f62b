//! gRPC retries with throttling, as gRFC A6 says and grpc-go does.

use super::retried::{A6_NOT_FATAL, NO_ANSWER, UNAVAILABLE};
use super::{Label, Number, Preset, Retried, Scope, number};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::budget::{Budget, Concurrent, Throttle};
use crate::policy::hedge::{After, Hedge};
use crate::policy::retry::{HintRule, Retry};

const A6: &str = "grpc/proposal, A6-client-retries.md";
const A6_EXAMPLE: &str = "grpc/proposal, A6-client-retries.md, the example: gRPC has no default";

const A44: &str = "grpc/proposal, A44-xds-retry.md";
const HEDGING: &str = "npm @grpc/grpc-js, retrying-call.ts";
const CONNECTION: &str = "grpc/grpc, doc/connection-backoff.md";

/// The numbers of the example in gRFC A6, with the throttle looked at before or after the wait.
const fn example(jitter: Jitter, unit: Option<Span>, after_wait: bool) -> Policy {
    let backoff = Backoff::exponential(Span::from_millis(100), 2.0)
        .capped(Span::from_secs(1))
        .jittered(jitter);
    let backoff = match unit {
        Some(unit) => backoff.truncated_to(unit),
        None => backoff,
    };
    let retry = Retry { hint: HintRule::Restart, ..Retry::new(4, backoff) };
    Policy {
        retry: Some(retry.on(UNAVAILABLE)),
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
pub(super) static PRESETS: [Preset; 7] = [
    Preset {
        name: "grpc",
        version: "grpc-go",
        label: Label::SourceDerived,
        retried: Retried::Chosen(
            "retryableStatusCodes; here UNAVAILABLE, as in the example of gRFC A6",
        ),
        source: "grpc/grpc-go stream.go at commit 4793ad04 and grpc/proposal A6-client-retries.md",
        scope: Scope::ProcessAndTarget,
        numbers: EXAMPLE,
        note: "gRPC retries nothing without a service config. These are the numbers of the example \
               in gRFC A6; five net failures switch retries off.",
        policy: example(Jitter::Proportional(0.2), None, false),
    },
    Preset {
        name: "grpc",
        version: "grpc-js",
        label: Label::ConformanceTested,
        retried: Retried::Tested("grpc-js"),
        source: "@grpc/grpc-js 1.14.7",
        scope: Scope::ProcessAndTarget,
        numbers: EXAMPLE,
        note: "The throttle is looked at after the back-off: a denied call is held for all of it. \
               Delays are whole milliseconds.",
        policy: example(Jitter::Proportional(0.2), Some(Span::from_millis(1)), true),
    },
    Preset {
        name: "grpc-hedging",
        version: "grpc-js",
        label: Label::ConformanceTested,
        retried: Retried::Chosen("nonFatalStatusCodes; here those of the example of gRFC A6"),
        source: "@grpc/grpc-js 1.14.7",
        scope: Scope::Request,
        numbers: &[
            number("attempts", "4", A6_EXAMPLE),
            number("hedging delay", "500ms", A6_EXAMPLE),
            number("not fatal", "UNAVAILABLE, INTERNAL, ABORTED", A6_EXAMPLE),
            number("throttle", "never asked", HEDGING),
        ],
        note: "gRPC has no default; these are the numbers of the example in gRFC A6. grpc-go has no \
               hedging. grpc-js never asks the throttle, A6 says that it must.",
        policy: Policy {
            hedge: Some(Hedge {
                extra: 3,
                after: After::Fixed(Span::from_millis(500)),
                at_once_on: A6_NOT_FATAL,
                budget: None,
            }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "grpc-connection",
        version: "grpc-go",
        label: Label::SourceDerived,
        retried: Retried::Read("grpc/grpc, doc/connection-backoff.md: connections"),
        source: "grpc/grpc doc/connection-backoff.md; grpc/grpc-go internal/backoff",
        scope: Scope::Process,
        numbers: &[
            number("base", "1s", CONNECTION),
            number("multiplier", "1.6", CONNECTION),
            number("first delay", "1s exactly", "grpc/grpc-go, internal/backoff/backoff.go"),
            number("jitter", "0.8 to 1.2", CONNECTION),
            number("longest", "120s", CONNECTION),
            number("least connect timeout", "20s", CONNECTION),
        ],
        note: "For connections, not calls. The first delay is not jittered.",
        policy: Policy {
            attempt_timeout: Some(Span::from_secs(20)),
            retry: Some(
                Retry::new(
                    u32::MAX,
                    Backoff {
                        first_exact: true,
                        ..Backoff::exponential(Span::from_secs(1), 1.6)
                            .capped(Span::from_secs(120))
                            .jittered(Jitter::Proportional(0.2))
                    },
                )
                .on(NO_ANSWER),
            ),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "grpc",
        version: "grpc-go-full-jitter",
        label: Label::SourceDerived,
        retried: Retried::Chosen(
            "retryableStatusCodes; here UNAVAILABLE, as in the example of gRFC A6",
        ),
        source: "grpc/proposal A6-client-retries.md before its change; older grpc-go stream.go",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("attempts", "4", A6_EXAMPLE),
            number("initial back-off", "100ms", A6_EXAMPLE),
            number("longest back-off", "1s, before jitter", A6_EXAMPLE),
            number("multiplier", "2", A6_EXAMPLE),
            number("jitter", "full", "older grpc-go, stream.go"),
            number("retried", "UNAVAILABLE", A6_EXAMPLE),
            number("throttle", "10 tokens, 0.1 for a success", A6_EXAMPLE),
        ],
        note: "Older grpc-go drew from zero to the whole back-off.",
        policy: example(Jitter::Full, None, false),
    },
    Preset {
        name: "grpc-xds",
        version: "A44",
        label: Label::SourceDerived,
        retried: Retried::Chosen(
            "retryableStatusCodes; here UNAVAILABLE, as in the example of gRFC A6",
        ),
        source: "grpc/proposal A44-xds-retry.md",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("retries", "1: num_retries of Envoy, at most 4", A44),
            number("initial back-off", "25ms, doubling", A44),
            number("longest back-off", "250ms, before jitter", A44),
            number("jitter", "0.8 to 1.2", A6),
            number("concurrent retries", "3", "proxyless gRPC, max_retries of the cluster"),
        ],
        note: "num_retries above 4 counts as 4, for gRPC makes at most 5 attempts.",
        policy: Policy {
            retry: Some(
                Retry {
                    hint: HintRule::Restart,
                    ..Retry::new(
                        2,
                        Backoff::exponential(Span::from_millis(25), 2.0)
                            .capped(Span::from_millis(250))
                            .jittered(Jitter::Proportional(0.2)),
                    )
                }
                .on(UNAVAILABLE),
            ),
            budget: Some(Budget::Concurrent(Concurrent { ratio: 0.0, floor: 3 })),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "grpc-hedging",
        version: "A6",
        label: Label::SourceDerived,
        retried: Retried::Chosen("nonFatalStatusCodes; here those of the example of gRFC A6"),
        source: "grpc/proposal A6-client-retries.md",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("attempts", "4", A6_EXAMPLE),
            number("hedging delay", "500ms", A6_EXAMPLE),
            number("throttle", "10 tokens, 0.1 for a success: copies above half only", A6),
        ],
        note: "As the specification says: the throttle stops copies too. No implementation that was \
               read does so.",
        policy: Policy {
            hedge: Some(Hedge {
                extra: 3,
                after: After::Fixed(Span::from_millis(500)),
                at_once_on: A6_NOT_FATAL,
                budget: Some(Budget::Throttle(Throttle {
                    max_tokens: 10.0,
                    token_ratio: 0.1,
                    after_wait: false,
                })),
            }),
            ..Policy::ONCE
        },
    },
];
