//! Libraries of the JVM: what is chosen apart from the defaults, and gax.

use super::jvm::R4J;
use super::python_services::GAX_RETRIED;
use super::{Label, Preset, Retried, Scope, breaking, number, retrying};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::breaker::{Breaker, Comparison, Rotation, Slow, Trip, Window};
use crate::policy::bulkhead::{Around, Bulkhead};
use crate::policy::outcome::OutcomeSet;
use crate::policy::retry::Retry;

const R4J_RETRY: &str = "resilience4j/resilience4j, core IntervalFunction.java";
const R4J_BREAKER: &str = "resilience4j/resilience4j, circuitbreaker CircuitBreakerConfig.java";
const R4J_TIME: &str = "resilience4j/resilience4j, timelimiter TimeLimiterConfig.java";
const R4J_POOL: &str = "resilience4j/resilience4j, bulkhead ThreadPoolBulkheadConfig.java";
const FAILSAFE: &str = "failsafe-lib/failsafe, RetryPolicy and CircuitBreaker";
const SPRING: &str = "spring-projects/spring-retry, SimpleRetryPolicy and FixedBackOffPolicy";
const GAX: &str = "googleapis/sdk-platform-java, gax ExponentialRetryAlgorithm.java";
const GENERATED: &str = "settings of generated clients, documentation of Pub/Sub";

/// The presets of this family.
pub(super) static PRESETS: [Preset; 7] = [
    Preset {
        name: "resilience4j-exponential",
        version: "af9e7c97",
        label: Label::SourceDerived,
        retried: Retried::Read("any exception: resilience4j/resilience4j, retry RetryConfig.java"),
        source: "resilience4j/resilience4j at commit af9e7c97",
        scope: Scope::Request,
        numbers: &[
            number("attempts", "3", R4J_RETRY),
            number("base", "500ms", R4J_RETRY),
            number("multiplier", "1.5", R4J_RETRY),
            number("unit of delays", "1ms, truncated", R4J_RETRY),
        ],
        note: "ofExponentialBackoff(): without jitter. The library truncates after each step, here \
               the delay is truncated: from the fifth retry on it may be 1 ms longer.",
        policy: retrying(
            Retry::new(
                3,
                Backoff::exponential(Span::from_millis(500), 1.5)
                    .truncated_to(Span::from_millis(1)),
            )
            .on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "resilience4j-time-based",
        version: "af9e7c97",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "resilience4j/resilience4j at commit af9e7c97",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("failure rate", "50%, reached", R4J_BREAKER),
            number("slow calls", "100% longer than 60s", R4J_BREAKER),
            number("window", "100s in buckets of 1s", R4J_BREAKER),
            number("minimum", "100 calls", R4J_BREAKER),
            number("open for", "60s, strictly", R4J_BREAKER),
            number("probes", "10, judged together", R4J_BREAKER),
        ],
        note: "slidingWindowType TIME_BASED: slidingWindowSize is in seconds.",
        policy: breaking(Breaker {
            trip: Trip::Ratio {
                window: Window::Time {
                    span: Span::from_secs(100),
                    buckets: 100,
                    rotation: Rotation::Aligned,
                },
                minimum: 100,
                ratio: 0.5,
                comparison: Comparison::AtLeast,
                on_success: true,
                slow: Some(Slow { longer_than: Span::from_secs(60), ratio: 1.0 }),
                every: None,
                consecutive: None,
            },
            ..R4J
        }),
    },
    Preset {
        name: "resilience4j-time-limiter",
        version: "af9e7c97",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "resilience4j/resilience4j at commit af9e7c97",
        scope: Scope::Request,
        numbers: &[number("timeout", "1s", R4J_TIME)],
        note: "cancelRunningFuture stops the client's thread, not the server.",
        policy: Policy { attempt_timeout: Some(Span::from_secs(1)), ..Policy::ONCE },
    },
    Preset {
        name: "resilience4j-thread-pool",
        version: "af9e7c97",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "resilience4j/resilience4j at commit af9e7c97",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("threads", "8: as many as processors", R4J_POOL),
            number("queue", "100", R4J_POOL),
        ],
        note: "ThreadPoolBulkhead. Its core is one thread less and the queue is filled before the \
               pool grows; here it may grow at once.",
        policy: Policy {
            bulkhead: Some(Bulkhead {
                limit: 8,
                queue: 100,
                max_wait: None,
                around: Around::Attempt,
            }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "failsafe",
        version: "java",
        label: Label::SourceDerived,
        retried: Retried::Read("any exception: failsafe-lib/failsafe, FailurePolicyConfig"),
        source: "failsafe-lib/failsafe",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("retries", "2", FAILSAFE),
            number("delay", "none", FAILSAFE),
            number("failures that open", "1", FAILSAFE),
            number("open for", "60s", FAILSAFE),
        ],
        note: "Java has no budget of retries; failsafe-go has.",
        policy: Policy {
            retry: Some(Retry::new(3, Backoff::NONE).on(OutcomeSet::ERRORS)),
            breaker: Some(Breaker {
                failures: OutcomeSet::ERRORS,
                ..Breaker::new(Trip::Consecutive { failures: 1 }, Span::from_secs(60))
            }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "spring-retry",
        version: "fixed",
        label: Label::SourceDerived,
        retried: Retried::Read("any exception: spring-projects/spring-retry, SimpleRetryPolicy"),
        source: "spring-projects/spring-retry at commit c8977dda",
        scope: Scope::Request,
        numbers: &[number("attempts", "3", SPRING), number("delay", "1s", SPRING)],
        note: "SimpleRetryPolicy with FixedBackOffPolicy, the template as it is.",
        policy: retrying(
            Retry::new(3, Backoff::constant(Span::from_secs(1))).on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "gax-java",
        version: "generated",
        label: Label::SourceDerived,
        retried: Retried::Chosen(
            "each generated client; here UNAVAILABLE and DEADLINE_EXCEEDED, as most of them have",
        ),
        source: "googleapis/sdk-platform-java gax-java",
        scope: Scope::Request,
        numbers: &[
            number("delay", "up to 100ms * 1.3^(n-1), whole milliseconds", GAX),
            number("initial, multiplier", "100ms, 1.3", GENERATED),
            number("longest", "60s, before jitter", GENERATED),
            number("deadline", "600s", GENERATED),
            number("attempts", "no limit", GAX),
        ],
        note: "RetrySettings itself has no numbers: each generated client sets its own. Stops when \
               the next attempt would start at the deadline or later.",
        policy: Policy {
            deadline: Some(Span::from_secs(600)),
            retry: Some(Retry {
                stop_before_deadline: true,
                ..Retry::new(
                    u32::MAX,
                    Backoff::exponential(Span::from_millis(100), 1.3)
                        .capped(Span::from_secs(60))
                        .jittered(Jitter::Full)
                        .truncated_to(Span::from_millis(1)),
                )
                .on(GAX_RETRIED)
            }),
            ..Policy::ONCE
        },
    },
];
