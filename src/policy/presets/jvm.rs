//! Libraries of the JVM: resilience4j, Hystrix, Failsafe, Spring Retry.

use super::{Label, Preset, Retried, Scope, breaking, number, retrying};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::breaker::{Breaker, Comparison, Probes, Proof, Rotation, Slow, Trip, Window};
use crate::policy::budget::{Budget, Concurrent};
use crate::policy::bulkhead::{Around, Bulkhead};
use crate::policy::outcome::OutcomeSet;
use crate::policy::retry::{OnDenial, Retry};

const R4J_RETRY: &str = "resilience4j/resilience4j, retry RetryConfig.java";
const R4J_BREAKER: &str = "resilience4j/resilience4j, circuitbreaker CircuitBreakerConfig.java";
const R4J_BULKHEAD: &str = "resilience4j/resilience4j, bulkhead BulkheadConfig.java";
const HYSTRIX: &str = "Netflix/Hystrix, HystrixCommandProperties.java";
const FAILSAFE: &str = "failsafe-lib/failsafe, RetryPolicy and CircuitBreaker";
const SPRING: &str = "spring-projects/spring-retry, annotation and policy packages";

/// The breaker of resilience4j.
pub(super) const R4J: Breaker = Breaker {
    failures: OutcomeSet::ERRORS,
    strictly_after: true,
    probes: Probes {
        limit: 10,
        at_once: false,
        queue: false,
        proof: Proof::Ratio { calls: 10, ratio: 0.5 },
    },
    ..Breaker::new(
        Trip::Ratio {
            window: Window::Calls(100),
            minimum: 100,
            ratio: 0.5,
            comparison: Comparison::AtLeast,
            on_success: true,
            slow: Some(Slow { longer_than: Span::from_secs(60), ratio: 1.0 }),
            every: None,
            consecutive: None,
        },
        Span::from_secs(60),
    )
};

/// The presets of this family.
pub(super) static PRESETS: [Preset; 6] = [
    Preset {
        name: "resilience4j",
        version: "af9e7c97",
        label: Label::SourceDerived,
        retried: Retried::Read("any exception: resilience4j/resilience4j, retry RetryConfig.java"),
        source: "resilience4j/resilience4j at commit af9e7c97",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("attempts", "3", R4J_RETRY),
            number("wait", "500ms, no jitter", R4J_RETRY),
            number("failure rate", "50%, reached", R4J_BREAKER),
            number("slow calls", "100% longer than 60s", R4J_BREAKER),
            number("window", "100 calls, all of them needed", R4J_BREAKER),
            number("open for", "60s, strictly", R4J_BREAKER),
            number("probes", "10, judged together", R4J_BREAKER),
            number("calls at once", "25, no wait", R4J_BULKHEAD),
        ],
        note: "The retry is outside the breaker: a call that the breaker denied is retried too.",
        policy: Policy {
            retry: Some(Retry {
                on_denial: OnDenial::Retry,
                ..Retry::new(3, Backoff::constant(Span::from_millis(500))).on(OutcomeSet::ERRORS)
            }),
            breaker: Some(R4J),
            bulkhead: Some(Bulkhead {
                limit: 25,
                queue: 0,
                max_wait: None,
                around: Around::Attempt,
            }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "resilience4j-exponential-random",
        version: "af9e7c97",
        label: Label::SourceDerived,
        retried: Retried::Read("any exception: resilience4j/resilience4j, retry RetryConfig.java"),
        source: "resilience4j/resilience4j at commit af9e7c97",
        scope: Scope::Request,
        numbers: &[
            number("attempts", "3", R4J_RETRY),
            number("base", "500ms", R4J_RETRY),
            number("multiplier", "1.5", R4J_RETRY),
            number("jitter", "0.5 to 1.5", R4J_RETRY),
        ],
        note: "A maximum, if given, is applied after the jitter.",
        policy: retrying(
            Retry::new(
                3,
                Backoff::exponential(Span::from_millis(500), 1.5)
                    .jittered(Jitter::Proportional(0.5))
                    .truncated_to(Span::from_millis(1)),
            )
            .on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "hystrix",
        version: "1.5",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "Netflix/Hystrix",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("timeout", "1s", HYSTRIX),
            number("error share", "50%, reached", HYSTRIX),
            number("minimum", "20 calls", HYSTRIX),
            number("window", "10s in 10 buckets, looked at every 500ms", HYSTRIX),
            number("open for", "5s, strictly", HYSTRIX),
            number("probes", "1", HYSTRIX),
            number("threads", "10, no queue", HYSTRIX),
        ],
        note: "A burst shorter than 500 ms is admitted entirely.",
        policy: Policy {
            attempt_timeout: Some(Span::from_secs(1)),
            breaker: Some(Breaker {
                strictly_after: true,
                ..Breaker::new(
                    Trip::Ratio {
                        window: Window::Time {
                            span: Span::from_secs(10),
                            buckets: 10,
                            rotation: Rotation::Aligned,
                        },
                        minimum: 20,
                        ratio: 0.5,
                        comparison: Comparison::AtLeast,
                        on_success: false,
                        slow: None,
                        every: Some(Span::from_millis(500)),
                        consecutive: None,
                    },
                    Span::from_secs(5),
                )
            }),
            bulkhead: Some(Bulkhead {
                limit: 10,
                queue: 0,
                max_wait: None,
                around: Around::Attempt,
            }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "failsafe",
        version: "5759a5e6",
        label: Label::SourceDerived,
        retried: Retried::Read("any exception: failsafe-lib/failsafe, FailurePolicyConfig"),
        source: "failsafe-lib/failsafe; failsafe-go/failsafe-go at commit 5759a5e6",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("retries", "2", FAILSAFE),
            number("delay", "none", FAILSAFE),
            number("failures that open", "1", FAILSAFE),
            number("open for", "60s", FAILSAFE),
            number("budget", "20% of calls in flight, at least 3", "failsafe-go/failsafe, budget"),
        ],
        note: "The breaker opens on the first failure. The budget is failsafe-go's.",
        policy: Policy {
            retry: Some(Retry::new(3, Backoff::NONE).on(OutcomeSet::ERRORS)),
            budget: Some(Budget::Concurrent(Concurrent { ratio: 0.2, floor: 3 })),
            breaker: Some(Breaker {
                failures: OutcomeSet::ERRORS,
                ..Breaker::new(Trip::Consecutive { failures: 1 }, Span::from_secs(60))
            }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "spring-retry",
        version: "c8977dda",
        label: Label::SourceDerived,
        retried: Retried::Read("any exception: spring-projects/spring-retry, SimpleRetryPolicy"),
        source: "spring-projects/spring-retry at commit c8977dda",
        scope: Scope::Request,
        numbers: &[
            number("attempts", "3", SPRING),
            number("initial", "100ms", SPRING),
            number("multiplier", "2", SPRING),
            number("longest", "30s", SPRING),
            number("jitter", "up to the multiplier less one", SPRING),
        ],
        note: "ExponentialRandomBackOffPolicy. SimpleRetryPolicy with FixedBackOffPolicy waits 1 s.",
        policy: retrying(
            Retry::new(
                3,
                Backoff::exponential(Span::from_millis(100), 2.0)
                    .capped(Span::from_secs(30))
                    .jittered(Jitter::Up(1.0))
                    .truncated_to(Span::from_millis(1)),
            )
            .on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "spring-retry-circuit-breaker",
        version: "c8977dda",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "spring-projects/spring-retry at commit c8977dda",
        scope: Scope::Process,
        numbers: &[
            number("failures", "3 within 5s", SPRING),
            number("open for", "20s", SPRING),
            number("probes", "none: it closes", SPRING),
        ],
        note: "There is no half-open state: after the reset time everybody is let in.",
        policy: breaking(Breaker {
            failures: OutcomeSet::ERRORS,
            probes: Probes { proof: Proof::Nothing, ..Probes::ONE },
            ..Breaker::new(Trip::Consecutive { failures: 3 }, Span::from_secs(20))
        }),
    },
];
