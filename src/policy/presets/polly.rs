//! Polly version 8 and the standard handler of Microsoft.Extensions.Http.Resilience.

use super::{Label, Preset, Scope, number};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Growth};
use crate::policy::breaker::{Breaker, Rotation, Trip, Unheard, Window};
use crate::policy::bulkhead::{Around, Bulkhead};
use crate::policy::outcome::OutcomeSet;
use crate::policy::retry::{HintRule, Retry};

const HANDLER: &str = "Microsoft.Extensions.Http.Resilience, HttpStandardResilienceOptions";
const BREAKER: &str = "App-vNext/Polly, CircuitBreakerStrategyOptions and AdvancedCircuitBehavior";

/// The presets of this family.
pub(super) static PRESETS: [Preset; 1] = [Preset {
    name: "polly-http",
    version: "8",
    label: Label::SourceDerived,
    source: "App-vNext/Polly v8; Microsoft.Extensions.Http.Resilience standard handler",
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
    policy: Policy {
        attempt_timeout: Some(Span::from_secs(10)),
        deadline: Some(Span::from_secs(30)),
        retry: Some(Retry {
            hint: HintRule::Instead { limit: Span::MAX },
            ..Retry::new(
                4,
                Backoff::growing(Growth::DecorrelatedV2 { base: Span::from_secs(2), factor: 2.0 }),
            )
            .on(OutcomeSet::TRANSIENT)
        }),
        breaker: Some(Breaker {
            failures: OutcomeSet::TRANSIENT,
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
                    above: false,
                    on_success: false,
                    slow: None,
                    every: None,
                },
                Span::from_secs(5),
            )
        }),
        bulkhead: Some(Bulkhead { limit: 1000, queue: 0, around: Around::Call }),
        ..Policy::ONCE
    },
}];
