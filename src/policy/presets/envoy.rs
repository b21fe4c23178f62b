//! Envoy, and those that configure it: Istio, Envoy Gateway, Gateway API.

use super::retried::{ENVOY_5XX, ENVOY_SAFE, NO_ANSWER};
use super::{Label, Preset, Retried, Scope, number};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Growth, Jitter};
use crate::policy::budget::{Budget, Concurrent, Deposit, Window};
use crate::policy::outcome::OutcomeSet;
use crate::policy::retry::Retry;

const ROUTE: &str = "envoyproxy/data-plane-api, envoy/config/route/v3/route_components.proto";
const BACKOFF: &str = "envoyproxy/envoy, source/common/common/backoff_strategy.cc";
const CLUSTER: &str = "envoyproxy/data-plane-api, envoy/config/cluster/v3/circuit_breaker.proto";
const RETRY_GO: &str = "istio/istio, pilot/pkg/networking/core/route/retry/retry.go";
const GATEWAY: &str = "envoyproxy/gateway, api/v1alpha1/retry_types.go and circuitbreaker_types.go";
const CONSTRAINT: &str = "kubernetes-sigs/gateway-api, XBackendTrafficPolicy retryConstraint";

/// The back-off of the code: windows of 25, 50, 100, 200 and 250 ms.
pub(super) const CODE: Backoff = Backoff::exponential(Span::from_millis(25), 2.0)
    .capped(Span::from_millis(250))
    .jittered(Jitter::Full)
    .truncated_to(Span::from_millis(1));

/// The back-off of the documentation: windows of 25, 75, 175 and 250 ms.
const DOCUMENTED: Backoff =
    Backoff::growing(Growth::ExponentialLessOne { base: Span::from_millis(25), factor: 2.0 })
        .capped(Span::from_millis(250))
        .jittered(Jitter::Full)
        .truncated_to(Span::from_millis(1));

const fn envoy(backoff: Backoff, budget: Concurrent) -> Policy {
    Policy {
        attempt_timeout: Some(Span::from_secs(15)),
        deadline: Some(Span::from_secs(15)),
        retry: Some(Retry::new(2, backoff).on(ENVOY_5XX)),
        budget: Some(Budget::Concurrent(budget)),
        ..Policy::ONCE
    }
}

/// What every implementation of the Gateway API must be able to retry (GEP-1731).
const GATEWAY_API: OutcomeSet = NO_ANSWER.or(OutcomeSet::http(&[500, 502, 503, 504]));

/// The presets of this family.
pub(super) static PRESETS: [Preset; 7] = [
    Preset {
        name: "envoy",
        version: "code",
        label: Label::SourceDerived,
        retried: Retried::Chosen(
            "retry_on, empty by default; here `5xx`, as retry_state_impl.cc reads it",
        ),
        source: "envoyproxy/envoy retry_state_impl.cc, backoff_strategy.cc, resource_manager_impl.h",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("retries", "1", ROUTE),
            number("base interval", "25ms", BACKOFF),
            number("longest interval", "250ms: ten times the base", BACKOFF),
            number("jitter", "full, whole milliseconds", BACKOFF),
            number("route timeout", "15s", ROUTE),
            number("per-try timeout", "15s: the route timeout", ROUTE),
            number("concurrent retries", "3", CLUSTER),
        ],
        note: "retry_on is empty by default: no retries. These are the numbers once it is set. A \
               timed-out request is never retried unless a shorter per-try timeout is given.",
        policy: envoy(CODE, Concurrent { ratio: 0.0, floor: 3 }),
    },
    Preset {
        name: "envoy",
        version: "documentation",
        label: Label::SourceDerived,
        retried: Retried::Chosen(
            "retry_on, empty by default; here `5xx`, as retry_state_impl.cc reads it",
        ),
        source: "Envoy documentation of x-envoy-max-retries; the code before 1.18",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("retries", "1", ROUTE),
            number("windows", "25, 75, 175, 250ms", "Envoy documentation, router filter"),
            number("route timeout", "15s", ROUTE),
            number("concurrent retries", "3", CLUSTER),
        ],
        note: "The documented windows are (2^n - 1) * 25 ms; the code has 2^(n-1) * 25 ms.",
        policy: envoy(DOCUMENTED, Concurrent { ratio: 0.0, floor: 3 }),
    },
    Preset {
        name: "envoy-retry-budget",
        version: "code",
        label: Label::SourceDerived,
        retried: Retried::Chosen(
            "retry_on, empty by default; here `5xx`, as retry_state_impl.cc reads it",
        ),
        source: "envoyproxy/envoy resource_manager_impl.h",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("retries", "1", ROUTE),
            number("budget", "20% of the active and pending requests", CLUSTER),
            number("floor", "3", CLUSTER),
            number("base interval", "25ms", BACKOFF),
            number("longest interval", "250ms", BACKOFF),
        ],
        note: "With retry_budget set, max_retries is ignored. Each process has its own budget.",
        policy: envoy(CODE, Concurrent { ratio: 0.2, floor: 3 }),
    },
    Preset {
        name: "istio",
        version: "default",
        label: Label::SourceDerived,
        retried: Retried::Read("istio/istio 1.24, pilot/pkg/networking/core/route/retry/retry.go"),
        source: "istio/istio retry.go; istio/api destination_rule.proto",
        scope: Scope::Request,
        numbers: &[
            number("retries", "2", RETRY_GO),
            number("base interval", "25ms", BACKOFF),
            number("longest interval", "250ms: ten times the base", BACKOFF),
            number("jitter", "full, whole milliseconds", BACKOFF),
            number("per-try timeout", "none", RETRY_GO),
            number("concurrent retries", "2^32-1: no limit", "istio/api, destination_rule.proto"),
            number("retried", "connect-failure, refused-stream, unavailable, cancelled", RETRY_GO),
        ],
        note: "Applies without any configuration, since 1.24 without 503: nothing that a server of \
               HTTP has answered is repeated. Istio lifts Envoy's limit of 3 concurrent retries.",
        policy: Policy { retry: Some(Retry::new(3, CODE).on(ENVOY_SAFE)), ..Policy::ONCE },
    },
    Preset {
        name: "istio",
        version: "before-1.24",
        label: Label::SourceDerived,
        retried: Retried::Read("istio/istio 1.23, pilot/pkg/networking/core/route/retry/retry.go"),
        source: "istio/istio retry.go, EXCLUDE_UNSAFE_503_FROM_DEFAULT_RETRY=false; issue 50506",
        scope: Scope::Request,
        numbers: &[
            number("retries", "2", RETRY_GO),
            number("base interval", "25ms", BACKOFF),
            number("longest interval", "250ms: ten times the base", BACKOFF),
            number("jitter", "full, whole milliseconds", BACKOFF),
            number("per-try timeout", "none", RETRY_GO),
            number("concurrent retries", "2^32-1: no limit", "istio/api, destination_rule.proto"),
            number(
                "retried",
                "connect-failure, refused-stream, unavailable, cancelled, 503",
                RETRY_GO,
            ),
        ],
        note: "The default before 1.24 repeats an HTTP 503 that the application answered, perhaps \
               after its effect.",
        policy: Policy {
            retry: Some(Retry::new(3, CODE).on(ENVOY_SAFE.or(OutcomeSet::http(&[503])))),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "envoy-gateway",
        version: "v1alpha1",
        label: Label::SourceDerived,
        retried: Retried::Read("envoyproxy/gateway, api/v1alpha1/retry_types.go, retryOn"),
        source: "envoyproxy/gateway api/v1alpha1",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("retries", "2", GATEWAY),
            number("concurrent retries", "1024", GATEWAY),
            number("base interval", "25ms", BACKOFF),
            number("longest interval", "250ms", BACKOFF),
        ],
        note: "maxParallelRetries is 1024 where Envoy itself has 3.",
        policy: Policy {
            retry: Some(Retry::new(3, CODE).on(ENVOY_SAFE.or(OutcomeSet::http(&[503])))),
            budget: Some(Budget::Concurrent(Concurrent { ratio: 0.0, floor: 1024 })),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "gateway-api-budget",
        version: "XBackendTrafficPolicy",
        label: Label::SourceDerived,
        retried: Retried::Chosen(
            "HTTPRoute retry.codes; here those that every implementation must take, and connection errors (GEP-1731)",
        ),
        source: "kubernetes-sigs/gateway-api",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("budget", "20% over 10s", CONSTRAINT),
            number("floor", "10/s", CONSTRAINT),
            number("retries", "1: the standard has no number", CONSTRAINT),
        ],
        note: "The standard says nothing of jitter or growth; here a retry is immediate, and the \
               budget is a window over 10 s with a reserve of the floor.",
        policy: Policy {
            retry: Some(Retry::new(2, Backoff::NONE).on(GATEWAY_API)),
            budget: Some(Budget::Window(Window::tower(
                Deposit::FirstTry,
                0.2,
                10,
                Span::from_secs(10),
            ))),
            ..Policy::ONCE
        },
    },
];
