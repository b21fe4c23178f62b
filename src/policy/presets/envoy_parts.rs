//! Envoy: what is switched on apart from retries.

use super::envoy::CODE;
use super::retried::{ENVOY_5XX, ENVOY_SAFE};
use super::{Label, Preset, Retried, Scope, number};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::budget::{Budget, Concurrent};
use crate::policy::bulkhead::{Around, Bulkhead};
use crate::policy::outcome::OutcomeSet;
use crate::policy::retry::{HintRule, Retry};

const ROUTE: &str = "envoyproxy/data-plane-api, envoy/config/route/v3/route_components.proto";
const CLUSTER: &str = "envoyproxy/data-plane-api, envoy/config/cluster/v3/circuit_breaker.proto";
const CODE_OF_RETRIES: &str = "envoyproxy/envoy, source/common/router/retry_state_impl.cc";
const GATEWAY: &str = "envoyproxy/gateway, api/v1alpha1/circuitbreaker_types.go";

/// The limits of a cluster, an attempt for a connection and a waiting one for a pending request.
const LIMITS: Bulkhead =
    Bulkhead { limit: 1024, queue: 1024, max_wait: None, around: Around::Attempt };

/// The presets of this family.
pub(super) static PRESETS: [Preset; 4] = [
    Preset {
        name: "envoy-rate-limited",
        version: "v3",
        label: Label::SourceDerived,
        retried: Retried::Chosen(
            "retry_on, empty by default; here `5xx` and 429, as retry_state_impl.cc reads it",
        ),
        source: "envoyproxy/envoy retry_state_impl.cc, rate_limited_retry_back_off",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("retries", "1", ROUTE),
            number("delay after a hint", "the hint and up to half of it more", CODE_OF_RETRIES),
            number("longest hint", "300s; a longer one is ignored", ROUTE),
            number("delay without a hint", "windows of 25 to 250ms", CODE_OF_RETRIES),
            number("concurrent retries", "3", CLUSTER),
        ],
        note: "With rate_limited_retry_back_off, and 429 among the retriable status codes. The \
               headers that it reads are Retry-After or X-RateLimit-Reset.",
        policy: Policy {
            attempt_timeout: Some(Span::from_secs(15)),
            deadline: Some(Span::from_secs(15)),
            retry: Some(Retry {
                hint: HintRule::Spread { limit: Span::from_secs(300) },
                ..Retry::new(2, CODE).on(ENVOY_5XX.or(OutcomeSet::http(&[429])))
            }),
            budget: Some(Budget::Concurrent(Concurrent { ratio: 0.0, floor: 3 })),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "envoy-hedging",
        version: "v3",
        label: Label::SourceDerived,
        retried: Retried::Chosen(
            "retry_on, empty by default; here `5xx`, as retry_state_impl.cc reads it",
        ),
        source: "envoyproxy/envoy, hedge_policy.hedge_on_per_try_timeout",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("retries", "1", ROUTE),
            number("per-try timeout", "1s: an example, the default is that of the route", ROUTE),
            number("route timeout", "15s", ROUTE),
            number("concurrent retries", "3", CLUSTER),
        ],
        note: "The try that timed out keeps running and one more is sent, which counts as a retry.",
        policy: Policy {
            attempt_timeout: Some(Span::from_secs(1)),
            deadline: Some(Span::from_secs(15)),
            retry: Some(Retry { keep_timed_out: true, ..Retry::new(2, CODE).on(ENVOY_5XX) }),
            budget: Some(Budget::Concurrent(Concurrent { ratio: 0.0, floor: 3 })),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "envoy-circuit-breakers",
        version: "v3",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "envoyproxy/data-plane-api circuit_breaker.proto",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("connections, requests", "1024 at once", CLUSTER),
            number("pending requests", "1024", CLUSTER),
            number("concurrent retries", "3: nothing retries here", CLUSTER),
        ],
        note: "Limits of concurrency for each priority, not breakers on errors. HTTP/1.1: an \
               attempt takes a connection.",
        policy: Policy { bulkhead: Some(LIMITS), ..Policy::ONCE },
    },
    Preset {
        name: "envoy-gateway-circuit-breaker",
        version: "v1alpha1",
        label: Label::SourceDerived,
        retried: Retried::Read("envoyproxy/gateway, api/v1alpha1/retry_types.go, retryOn"),
        source: "envoyproxy/gateway api/v1alpha1",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("connections, requests", "1024 at once", GATEWAY),
            number("pending requests", "1024", GATEWAY),
            number("concurrent retries", "1024", GATEWAY),
            number("retries", "2", "envoyproxy/gateway, api/v1alpha1/retry_types.go"),
        ],
        note: "maxParallelRetries is 1024 where Envoy itself has 3.",
        policy: Policy {
            retry: Some(Retry::new(3, CODE).on(ENVOY_SAFE.or(OutcomeSet::http(&[503])))),
            budget: Some(Budget::Concurrent(Concurrent { ratio: 0.0, floor: 1024 })),
            bulkhead: Some(LIMITS),
            ..Policy::ONCE
        },
    },
];
