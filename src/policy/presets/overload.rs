//! Clients that limit themselves when the server is overloaded.

use super::{Label, Preset, Retried, Scope, number};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::backoff::Backoff;
use crate::policy::budget::{Budget, Deposit, TokenBucket};
use crate::policy::outcome::{Outcome, OutcomeSet};
use crate::policy::rate_limit::{Cycles, RateLimit, Rule, Smooth};
use crate::policy::retry::Retry;
use crate::policy::throttling::{Formula, Throttling};

const SRE: &str = "Google SRE book, chapter 21: Handling Overload";
const ADMISSION: &str = "envoyproxy/data-plane-api, admission_control.proto";
const FAILSAFE_GO: &str = "failsafe-go/failsafe-go, adaptivethrottler";
const GUAVA: &str = "google/guava, SmoothRateLimiter.java";
const LIMITER: &str = "resilience4j/resilience4j, ratelimiter RateLimiterConfig.java";

/// The presets of this family.
pub(super) static PRESETS: [Preset; 6] = [
    Preset {
        name: "google-sre-adaptive",
        version: "2016",
        label: Label::Published,
        retried: Retried::Nothing,
        source: "Google SRE book, chapter 21",
        scope: Scope::ProcessAndTarget,
        numbers: &[number("K", "2", SRE), number("window", "2min", SRE)],
        note: "Requests that were rejected locally are counted.",
        policy: Policy { throttling: Some(Throttling::GOOGLE_SRE), ..Policy::ONCE },
    },
    Preset {
        name: "google-sre-retry",
        version: "2016",
        label: Label::Published,
        retried: Retried::Read(
            "the book, chapter 21: what is not \"overloaded; don't retry\"; here what is transient",
        ),
        source: "Google SRE book, chapter 21",
        scope: Scope::Process,
        numbers: &[
            number("attempts", "3", SRE),
            number("retries of a client", "10%", SRE),
            number("burst", "10 retries: the book has no number", SRE),
        ],
        note: "The budget is modelled as tokens per first try.",
        policy: Policy {
            retry: Some(Retry::new(3, Backoff::NONE)),
            budget: Some(Budget::Tokens(TokenBucket {
                deposit: Deposit::FirstTry,
                ratio: 0.1,
                capacity: 10.0,
                per_second: 0.0,
                strictly_more: false,
            })),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "envoy-admission-control",
        version: "v3",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "envoyproxy/envoy admission_control",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("window", "30s", ADMISSION),
            number("success rate", "95%", ADMISSION),
            number("aggression", "1", ADMISSION),
            number("least rate", "0/s", ADMISSION),
            number("largest rejection", "80%", ADMISSION),
        ],
        note: "Only admitted requests are counted.",
        policy: Policy {
            throttling: Some(Throttling {
                formula: Formula::SuccessRate { rate: 0.95, aggression: 1.0 },
                accepted: OutcomeSet::of(&[Outcome::Ok])
                    .or(OutcomeSet::INVALID)
                    .or(OutcomeSet::CONFLICT)
                    .or(OutcomeSet::THROTTLED),
                window: Span::from_secs(30),
                buckets: 30,
                most: 0.8,
                least_rate: 0.0,
            }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "failsafe-go-adaptive-throttler",
        version: "5759a5e6",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "failsafe-go/failsafe-go at commit 5759a5e6",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("success rate", "0.9", FAILSAFE_GO),
            number("window", "1min in 20 buckets", FAILSAFE_GO),
            number("largest rejection", "0.9", FAILSAFE_GO),
        ],
        note: "Only admitted executions are counted.",
        policy: Policy {
            throttling: Some(Throttling {
                formula: Formula::SuccessRate { rate: 0.9, aggression: 1.0 },
                accepted: OutcomeSet::of(&[Outcome::Ok]),
                window: Span::from_secs(60),
                buckets: 20,
                most: 0.9,
                least_rate: 0.0,
            }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "guava-rate-limiter",
        version: "31.1",
        label: Label::ConformanceTested,
        retried: Retried::Nothing,
        source: "Guava 31.1",
        scope: Scope::Process,
        numbers: &[
            number("rate", "10/s: the caller chooses", GUAVA),
            number("stored", "1s of permits", GUAVA),
        ],
        note: "SmoothBursty: the next caller pays for a burst.",
        policy: Policy {
            rate_limit: Some(RateLimit {
                rule: Rule::Smooth(Smooth { rate: 10.0, warm_up: Span::ZERO }),
                patience: Span::MAX,
            }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "resilience4j-rate-limiter",
        version: "af9e7c97",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "resilience4j/resilience4j at commit af9e7c97",
        scope: Scope::Process,
        numbers: &[
            number("permits", "50", LIMITER),
            number("period", "500ns", LIMITER),
            number("wait", "5s", LIMITER),
        ],
        note: "The default period is 500 nanoseconds: no limit at all.",
        policy: Policy {
            rate_limit: Some(RateLimit {
                rule: Rule::Cycles(Cycles { permits: 50, period: Span::from_nanos(500) }),
                patience: Span::from_secs(5),
            }),
            ..Policy::ONCE
        },
    },
];
