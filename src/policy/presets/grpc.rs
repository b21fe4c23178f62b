//! gRPC retries with throttling, as gRFC A6 says and grpc-go does.

use super::{Label, Preset, Scope, number};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::budget::{Budget, Throttle};
use crate::policy::outcome::{Outcome, OutcomeSet};
use crate::policy::retry::{HintRule, Retry};

const A6: &str = "grpc/proposal, A6-client-retries.md";
const A6_EXAMPLE: &str = "grpc/proposal, A6-client-retries.md, the example: gRPC has no default";

/// The presets of this family.
pub(super) static PRESETS: [Preset; 1] = [Preset {
    name: "grpc",
    version: "grpc-go",
    label: Label::SourceDerived,
    source: "grpc/grpc-go stream.go and grpc/proposal A6-client-retries.md",
    scope: Scope::ProcessAndTarget,
    numbers: &[
        number("attempts", "4", A6_EXAMPLE),
        number("initial back-off", "100ms", A6_EXAMPLE),
        number("longest back-off", "1s, before jitter", A6_EXAMPLE),
        number("multiplier", "2", A6_EXAMPLE),
        number("jitter", "0.8 to 1.2", A6),
        number("retried", "UNAVAILABLE", A6_EXAMPLE),
        number("throttle tokens", "10", A6_EXAMPLE),
        number("throttle ratio", "0.1", A6_EXAMPLE),
        number("server pushback", "exactly, and the series starts again", A6),
    ],
    note: "gRPC retries nothing without a service config. These are the numbers of the example in \
           gRFC A6; five net failures switch retries off.",
    policy: Policy {
        retry: Some(Retry {
            hint: HintRule::Restart,
            ..Retry::new(
                4,
                Backoff::exponential(Span::from_millis(100), 2.0)
                    .capped(Span::from_secs(1))
                    .jittered(Jitter::Proportional(0.2)),
            )
            .on(OutcomeSet::of(&[Outcome::Failed, Outcome::Rejected]))
        }),
        budget: Some(Budget::Throttle(Throttle {
            max_tokens: 10.0,
            token_ratio: 0.1,
            after_wait: false,
        })),
        ..Policy::ONCE
    },
}];
