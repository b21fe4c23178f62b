//! Clients of services, in Python and JavaScript.

use super::retried::{NO_ANSWER, UNAVAILABLE};
use super::{Label, Preset, Retried, Scope, number, retrying};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::outcome::{Code, Outcome, OutcomeSet};
use crate::policy::retry::{HintRule, Retry};

const GOOGLE: &str = "PyPI google-api-core, retry";
const GAX_NODE: &str = "npm google-gax; settings as in the documentation of Pub/Sub";
const STRIPE: &str = "PyPI stripe, _http_client.py";
const AZURE: &str = "PyPI azure-core, policies/_retry.py";
const AZURE_JS: &str = "npm @azure/core-rest-pipeline, exponentialRetryStrategy";

/// `if_transient_error`: a read timeout is none.
const GOOGLE_RETRIED: OutcomeSet =
    OutcomeSet::NETWORK.or(OutcomeSet::http(&[429, 500, 503])).or(OutcomeSet::of(&[
        Outcome::Grpc(Code::ResourceExhausted),
        Outcome::Grpc(Code::Internal),
        Outcome::Grpc(Code::Unavailable),
    ]));

/// `UNAVAILABLE` and `DEADLINE_EXCEEDED`.
pub(super) const GAX_RETRIED: OutcomeSet =
    UNAVAILABLE.or(OutcomeSet::TIMED_OUT).with(Outcome::Grpc(Code::DeadlineExceeded));

/// `_should_retry`: no 429.
const STRIPE_RETRIED: OutcomeSet =
    NO_ANSWER.or(OutcomeSet::SERVER_ERRORS).or(OutcomeSet::http(&[409]));

/// `_RETRY_CODES`, which are open upwards.
const AZURE_RETRIED: OutcomeSet = NO_ANSWER
    .or(OutcomeSet::http(&[408, 429, 500, 502, 503, 504]))
    .or(OutcomeSet::http_range(506, 599));

/// `isExponentialRetryResponse` and `isSystemError`.
const AZURE_JS_RETRIED: OutcomeSet = OutcomeSet::NETWORK
    .or(OutcomeSet::SERVER_ERRORS.less(OutcomeSet::http(&[501, 505])))
    .or(OutcomeSet::http(&[408]));

/// The presets of this family.
pub(super) static PRESETS: [Preset; 5] = [
    Preset {
        name: "google-api-core",
        version: "2.44",
        label: Label::ConformanceTested,
        retried: Retried::Tested("google-api-core"),
        source: "google-api-core 2.44.0",
        scope: Scope::Request,
        numbers: &[
            number("delay", "up to 1s * 2^(n-1)", GOOGLE),
            number("longest", "60s, before jitter", GOOGLE),
            number("deadline", "120s", GOOGLE),
            number("attempts", "no limit", GOOGLE),
        ],
        note: "Stops when the next attempt would start after the deadline.",
        policy: Policy {
            deadline: Some(Span::from_secs(120)),
            retry: Some(Retry {
                stop_before_deadline: true,
                ..Retry::new(
                    u32::MAX,
                    Backoff::exponential(Span::from_secs(1), 2.0)
                        .capped(Span::from_secs(60))
                        .jittered(Jitter::Full),
                )
                .on(GOOGLE_RETRIED)
            }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "gax-node",
        version: "default",
        label: Label::SourceDerived,
        retried: Retried::Chosen(
            "each generated client; here UNAVAILABLE and DEADLINE_EXCEEDED, as most of them have",
        ),
        source: "google-gax, createDefaultBackoffSettings",
        scope: Scope::Request,
        numbers: &[
            number("delay", "up to 100ms * 1.3^(n-1)", GAX_NODE),
            number("longest", "60s, before jitter", GAX_NODE),
            number("deadline", "600s", GAX_NODE),
            number("attempts", "no limit", GAX_NODE),
        ],
        note: "The shape of google-api-core with the settings of generated clients.",
        policy: Policy {
            deadline: Some(Span::from_secs(600)),
            retry: Some(Retry {
                stop_before_deadline: true,
                ..Retry::new(
                    u32::MAX,
                    Backoff::exponential(Span::from_millis(100), 1.3)
                        .capped(Span::from_secs(60))
                        .jittered(Jitter::Full),
                )
                .on(GAX_RETRIED)
            }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "stripe",
        version: "16.1",
        label: Label::ConformanceTested,
        retried: Retried::Tested("stripe"),
        source: "stripe 16.1.0",
        scope: Scope::Request,
        numbers: &[
            number("retries", "2", STRIPE),
            number("delay", "500ms * 2^(n-1), equal jitter", STRIPE),
            number("longest", "5s, before jitter", STRIPE),
            number("least", "500ms", STRIPE),
        ],
        note: "The first delay is always 0.5 s. The header Stripe-Should-Retry overrides; without it 409 \
               is retried and 429 is not. A Retry-After is not read.",
        policy: retrying(
            Retry::new(
                3,
                Backoff {
                    floor: Span::from_millis(500),
                    ..Backoff::exponential(Span::from_millis(500), 2.0)
                        .capped(Span::from_secs(5))
                        .jittered(Jitter::Equal)
                },
            )
            .on(STRIPE_RETRIED),
        ),
    },
    Preset {
        name: "azure-core",
        version: "1.41",
        label: Label::ConformanceTested,
        retried: Retried::Tested("azure-core"),
        source: "azure-core 1.41.0",
        scope: Scope::Request,
        numbers: &[
            number("retries", "10", AZURE),
            number("first retry", "at once", AZURE),
            number("delay", "800ms * 2^(n-1)", AZURE),
            number("longest", "120s", AZURE),
            number("jitter", "none", AZURE),
        ],
        note: "Python. No jitter. Whatever has a Retry-After is retried, a 400 too.",
        policy: retrying(Retry {
            hint: HintRule::Instead { limit: Span::MAX },
            on_hint: OutcomeSet::http_range(400, 599),
            ..Retry::new(
                11,
                Backoff {
                    first_at_once: true,
                    ..Backoff::exponential(Span::from_millis(800), 2.0).capped(Span::from_secs(120))
                },
            )
            .on(AZURE_RETRIED)
        }),
    },
    Preset {
        name: "azure-core-js",
        version: "default",
        label: Label::SourceDerived,
        retried: Retried::Tested("azure-core-js"),
        source: "@azure/core-rest-pipeline",
        scope: Scope::Request,
        numbers: &[
            number("retries", "3", AZURE_JS),
            number("delay", "1s * 2^n, equal jitter", AZURE_JS),
            number("longest", "64s, before jitter", AZURE_JS),
        ],
        note: "JavaScript, with the delays of .NET. A request that the client aborts for its timeout is \
               not retried.",
        policy: retrying(Retry {
            hint: HintRule::Instead { limit: Span::MAX },
            on_hint: OutcomeSet::http(&[429, 503]),
            ..Retry::new(
                4,
                Backoff::exponential(Span::from_secs(2), 2.0)
                    .capped(Span::from_secs(64))
                    .jittered(Jitter::Equal),
            )
            .on(AZURE_JS_RETRIED)
        }),
    },
];
