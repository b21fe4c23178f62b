//! Istio: Envoy's back-off with Istio's own defaults.

use super::{Label, Preset, Scope, number};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::outcome::{Outcome, OutcomeSet};
use crate::policy::retry::Retry;

const RETRY_GO: &str = "istio/istio, pilot/pkg/networking/core/route/retry/retry.go";
const BACKOFF: &str = "envoyproxy/envoy, source/common/common/backoff_strategy.cc";

/// The presets of this family.
pub(super) static PRESETS: [Preset; 1] = [Preset {
    name: "istio",
    version: "default",
    label: Label::SourceDerived,
    source: "istio/istio retry.go; istio/api destination_rule.proto",
    scope: Scope::ProcessAndTarget,
    numbers: &[
        number("retries", "2", RETRY_GO),
        number("base interval", "25ms", BACKOFF),
        number("longest interval", "250ms: ten times the base", BACKOFF),
        number("jitter", "full, whole milliseconds", BACKOFF),
        number("per-try timeout", "none", RETRY_GO),
        number(
            "concurrent retries",
            "2^32-1: no limit",
            "istio/api, networking/v1alpha3/destination_rule.proto",
        ),
        number("retried", "connect-failure, refused-stream, unavailable, cancelled", RETRY_GO),
    ],
    note: "Applies without any configuration. Istio lifts Envoy's limit of 3 concurrent retries.",
    policy: Policy {
        retry: Some(
            Retry::new(
                3,
                Backoff::exponential(Span::from_millis(25), 2.0)
                    .capped(Span::from_millis(250))
                    .jittered(Jitter::Full)
                    .truncated_to(Span::from_millis(1)),
            )
            .on(OutcomeSet::of(&[Outcome::Failed, Outcome::Rejected])),
        ),
        ..Policy::ONCE
    },
}];
