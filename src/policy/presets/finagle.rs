//! Finagle.

use super::{Label, Preset, Scope, breaking, number};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::breaker::{Breaker, OnClose, Trip};
use crate::policy::budget::{Budget, Window};
use crate::policy::hedge::{After, Hedge, Quantile};
use crate::policy::outcome::OutcomeSet;
use crate::policy::retry::Retry;

const BUDGET: &str = "twitter/finagle, finagle-core service/RetryBudget.scala";
const ACCRUAL: &str = "twitter/finagle, finagle-core liveness/FailureAccrualFactory.scala";
const BACKUP: &str = "twitter/finagle, finagle-core client/BackupRequestFilter.scala";

/// The presets of this family.
pub(super) static PRESETS: [Preset; 3] = [
    Preset {
        name: "finagle",
        version: "RetryBudget",
        label: Label::SourceDerived,
        source: "twitter/finagle at commit 4feb34cb",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("retries of calls", "20%", BUDGET),
            number("reserve", "100 retries: 10/s over 10s", BUDGET),
            number("window", "10s in 10 slots", BUDGET),
            number("back-off of requeues", "none", BUDGET),
            number("requeues of one request", "at most 25", BUDGET),
        ],
        note: "The reserve is a pool that may go in one burst, not an allowance per second.",
        policy: Policy {
            retry: Some(Retry::new(26, Backoff::NONE)),
            budget: Some(Budget::Window(Window::finagle(0.2, 10, Span::from_secs(10)))),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "finagle-failure-accrual",
        version: "default",
        label: Label::SourceDerived,
        source: "twitter/finagle at commit 4feb34cb",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("failures in a row", "5", ACCRUAL),
            number("success rate", "below 0.8 over 30s, at least 5 calls", ACCRUAL),
            number("open for", "equal jitter, 5s doubling to 300s", ACCRUAL),
            number("probes", "1", ACCRUAL),
        ],
        note: "Each node of a cluster has a breaker of its own.",
        policy: breaking(Breaker {
            open_for: Backoff::exponential(Span::from_secs(5), 2.0)
                .capped(Span::from_secs(300))
                .jittered(Jitter::Equal),
            on_close: OnClose::KeepsProbe,
            ..Breaker::new(
                Trip::Either { failures: 5, least: 0.8, minimum: 5, window: Span::from_secs(30) },
                Span::ZERO,
            )
        }),
    },
    Preset {
        name: "finagle-backup-requests",
        version: "1%",
        label: Label::SourceDerived,
        source: "twitter/finagle at commit 4feb34cb",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("copies", "1 extra", BACKUP),
            number("delay", "the 99th percentile, at least 1ms", BACKUP),
            number("budget", "1% of calls over 10s, no reserve", BACKUP),
        ],
        note: "The caller chooses the extra load; 1% is the example of its documentation.",
        policy: Policy {
            hedge: Some(Hedge {
                extra: 1,
                after: After::Quantile(Quantile {
                    rank: 0.99,
                    minimum: 1,
                    period: Span::from_secs(30),
                    least: Span::from_millis(1),
                }),
                at_once_on: OutcomeSet::NONE,
                budget: Some(Budget::Window(Window::finagle(0.01, 0, Span::from_secs(10)))),
            }),
            ..Policy::ONCE
        },
    },
];
