//! Polly version 8 and the standard handler of Microsoft.Extensions.Http.Resilience.

use super::retried::MICROSOFT;
use super::{Label, Preset, Retried, Scope, number, retrying};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Growth, Jitter};
use crate::policy::breaker::{Breaker, Comparison, Rotation, Trip, Unheard, Window};
use crate::policy::bulkhead::{Around, Bulkhead};
use crate::policy::hedge::{After, Hedge};
use crate::policy::outcome::{Code, Outcome, OutcomeSet};
use crate::policy::retry::{HintRule, Retry};

const HANDLER: &str = "Microsoft.Extensions.Http.Resilience, HttpStandardResilienceOptions";
const BREAKER: &str = "App-vNext/Polly, CircuitBreakerStrategyOptions and AdvancedCircuitBehavior";

const CORE_HEDGING: &str = "App-vNext/Polly, HedgingStrategyOptions";
const CORE: &str = "App-vNext/Polly, RetryStrategyOptions and RetryHelper";
const HEDGING: &str = "Microsoft.Extensions.Http.Resilience, HttpStandardHedgingResilienceOptions";

/// Any error but a cancellation.
const ANY: OutcomeSet = OutcomeSet::ERRORS.without(Outcome::Grpc(Code::Cancelled));

const HTTP: Policy = Policy {
    attempt_timeout: Some(Span::from_secs(10)),
    deadline: Some(Span::from_secs(30)),
    retry: Some(Retry {
        hint: HintRule::Instead { limit: Span::MAX },
        ..Retry::new(
            4,
            Backoff::growing(Growth::DecorrelatedV2 { base: Span::from_secs(2), factor: 2.0 }),
        )
        .on(MICROSOFT)
    }),
    breaker: Some(Breaker {
        failures: MICROSOFT,
        unheard: Unheard::Closes,
        ..Breaker::new(
            Trip::Ratio {
                window: Window::Time {
                    span: Span::from_secs(30),
                    buckets: 10,
                    rotation: Rotation::WithTraffic,
                },
                minimum: 100,
                ratio: 0.1,
                comparison: Comparison::AtLeast,
                on_success: false,
                slow: None,
                every: None,
                consecutive: None,
            },
            Span::from_secs(5),
        )
    }),
    bulkhead: Some(Bulkhead { limit: 1000, queue: 0, max_wait: None, around: Around::Call }),
    ..Policy::ONCE
};

/// The presets of this family.
pub(super) static PRESETS: [Preset; 7] = [
    Preset {
        name: "polly-http",
        version: "8",
        label: Label::SourceDerived,
        retried: Retried::Read("dotnet/extensions, HttpClientResiliencePredicates"),
        source: "App-vNext/Polly 8 at commit 173d6d1d; Microsoft.Extensions.Http.Resilience standard handler",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("calls at once", "1000, no queue", HANDLER),
            number("total timeout", "30s", HANDLER),
            number("retries", "3", HANDLER),
            number("base delay", "2s, exponential, decorrelated jitter version 2", HANDLER),
            number("failure ratio", "0.1, reached", BREAKER),
            number("minimum throughput", "100", BREAKER),
            number("sampling duration", "30s in 10 windows", BREAKER),
            number("break duration", "5s", BREAKER),
            number("probes", "1, others rejected", BREAKER),
            number("attempt timeout", "10s", HANDLER),
        ],
        note: "Three retries of 10 s do not fit in 30 s: the total timeout usually decides.",
        policy: HTTP,
    },
    Preset {
        name: "polly-http-hedging",
        version: "8",
        label: Label::SourceDerived,
        retried: Retried::Read("dotnet/extensions, HttpClientResiliencePredicates"),
        source: "App-vNext/Polly 8 at commit 173d6d1d; Microsoft.Extensions.Http.Resilience hedging handler",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("total timeout", "30s", HEDGING),
            number("copies", "1 extra", HEDGING),
            number("delay", "2s", HEDGING),
            number("breaker", "0.1 of at least 100 in 30s, open 5s", BREAKER),
            number("attempt timeout", "10s", HEDGING),
        ],
        note: "A handled failure sends the copy at once. Limiter, breaker and attempt timeout are for \
               each endpoint.",
        policy: Policy {
            retry: None,
            hedge: Some(Hedge {
                extra: 1,
                after: After::Fixed(Span::from_secs(2)),
                at_once_on: MICROSOFT,
                budget: None,
            }),
            ..HTTP
        },
    },
    Preset {
        name: "polly-retry",
        version: "8",
        label: Label::SourceDerived,
        retried: Retried::Read(
            "any exception but a cancellation: App-vNext/Polly, PredicateBuilder and RetryStrategyOptions",
        ),
        source: "App-vNext/Polly 8 at commit 173d6d1d",
        scope: Scope::Request,
        numbers: &[
            number("retries", "3", CORE),
            number("delay", "2s, constant", CORE),
            number("jitter", "none", CORE),
        ],
        note: "The core's default: constant, without jitter. Exponential with jitter must be chosen.",
        policy: retrying(Retry::new(4, Backoff::constant(Span::from_secs(2))).on(ANY)),
    },
    Preset {
        name: "polly-circuit-breaker",
        version: "8",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "App-vNext/Polly 8 at commit 173d6d1d",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("failure ratio", "0.1, reached", BREAKER),
            number("minimum throughput", "100", BREAKER),
            number("sampling duration", "30s in 10 windows", BREAKER),
            number("break duration", "5s", BREAKER),
        ],
        note: "An outcome that is not handled, a cancellation too, closes a half-open breaker.",
        policy: Policy { breaker: HTTP.breaker, ..Policy::ONCE },
    },
    Preset {
        name: "polly-retry-exponential",
        version: "8",
        label: Label::SourceDerived,
        retried: Retried::Read(
            "any exception but a cancellation: App-vNext/Polly, PredicateBuilder and RetryStrategyOptions",
        ),
        source: "App-vNext/Polly 8 at commit 173d6d1d",
        scope: Scope::Request,
        numbers: &[
            number("retries", "3", CORE),
            number("delay", "2s, decorrelated jitter version 2", CORE),
            number("longest", "none", CORE),
        ],
        note: "BackoffType Exponential with UseJitter. The same formula is replayed for cockatiel.",
        policy: retrying(
            Retry::new(
                4,
                Backoff::growing(Growth::DecorrelatedV2 { base: Span::from_secs(2), factor: 2.0 }),
            )
            .on(ANY),
        ),
    },
    Preset {
        name: "polly-retry-linear",
        version: "8",
        label: Label::SourceDerived,
        retried: Retried::Read(
            "any exception but a cancellation: App-vNext/Polly, PredicateBuilder and RetryStrategyOptions",
        ),
        source: "App-vNext/Polly 8 at commit 173d6d1d",
        scope: Scope::Request,
        numbers: &[
            number("retries", "3", CORE),
            number("delay", "2s, 4s, 6s", CORE),
            number("jitter", "0.75 to 1.25", CORE),
        ],
        note: "BackoffType Linear with UseJitter.",
        policy: retrying(
            Retry::new(
                4,
                Backoff::growing(Growth::Linear {
                    base: Span::from_secs(2),
                    step: Span::from_secs(2),
                })
                .jittered(Jitter::Proportional(0.25)),
            )
            .on(ANY),
        ),
    },
    Preset {
        name: "polly-hedging",
        version: "8",
        label: Label::SourceDerived,
        retried: Retried::Read(
            "any exception but a cancellation: App-vNext/Polly, PredicateBuilder and RetryStrategyOptions",
        ),
        source: "App-vNext/Polly 8 at commit 173d6d1d",
        scope: Scope::Request,
        numbers: &[
            number("copies", "1 extra, from 1 to 10", CORE_HEDGING),
            number("delay", "2s; 0 sends all at once", CORE_HEDGING),
            number("after a handled failure", "at once", CORE_HEDGING),
        ],
        note: "HedgingStrategyOptions of the core, without limiter, breaker and timeouts.",
        policy: Policy {
            hedge: Some(Hedge {
                extra: 1,
                after: After::Fixed(Span::from_secs(2)),
                at_once_on: ANY,
                budget: None,
            }),
            ..Policy::ONCE
        },
    },
];
