//! Finagle.

use super::retried::FINAGLE;
use super::{Label, Preset, Retried, Scope, breaking, number, retrying};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Growth, Jitter};
use crate::policy::breaker::{Breaker, Comparison, OnClose, Rotation, Trip, Window as Counted};
use crate::policy::budget::{Budget, Window};
use crate::policy::hedge::{After, Hedge, Quantile};
use crate::policy::outcome::OutcomeSet;
use crate::policy::retry::Retry;
use crate::policy::throttling::Throttling;

const BUDGET: &str = "twitter/finagle, finagle-core service/RetryBudget.scala";
const REQUEUE: &str = "twitter/finagle, finagle-core service/RequeueFilter.scala";
const NACK: &str = "twitter/finagle, finagle-core filter/NackAdmissionFilter.scala";
const BACKOFFS: &str = "twitter/finagle, finagle-core Backoff.scala";
const CHOSEN: &str = "the caller chooses: an example";
const ACCRUAL: &str = "twitter/finagle, finagle-core liveness/FailureAccrualFactory.scala";
const BACKUP: &str = "twitter/finagle, finagle-core client/BackupRequestFilter.scala";

/// Back-offs of which the caller chooses the numbers.
const EXAMPLE: Backoff =
    Backoff::exponential(Span::from_millis(100), 2.0).capped(Span::from_secs(10));

/// The presets of this family.
pub(super) static PRESETS: [Preset; 8] = [
    Preset {
        name: "finagle",
        version: "RetryBudget",
        label: Label::SourceDerived,
        retried: Retried::Read(
            "twitter/finagle, RequeueFilter and RetryPolicy.RetryableWriteException: requests that \
             were not written, and nacks",
        ),
        source: "twitter/finagle at commit 4feb34cb",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("retries of calls", "20%", BUDGET),
            number("reserve", "100 retries: 10/s over 10s", BUDGET),
            number("window", "10s in 10 slots", BUDGET),
            number("back-off of requeues", "none", BUDGET),
            number("requeues of one request", "at most 20% of the retries left", REQUEUE),
        ],
        note: "The reserve is a pool that may go in one burst, not an allowance per second. Getting \
               a connection has 25 tries of its own, which are not modelled.",
        policy: Policy {
            retry: Some(Retry::new(u32::MAX, Backoff::NONE).on(FINAGLE)),
            budget: Some(Budget::Window(Window {
                per_call: Some(0.2),
                ..Window::finagle(0.2, 10, Span::from_secs(10))
            })),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "finagle-failure-accrual",
        version: "default",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
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
        retried: Retried::Read("twitter/finagle, BackupRequestFilter: copies only after silence"),
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
    Preset {
        name: "finagle-failure-accrual",
        version: "windowed",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "twitter/finagle at commit 4feb34cb",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("failures in a row", "5", ACCRUAL),
            number("success rate", "below 0.8 in 30s of 5 slots, at least 5 calls", ACCRUAL),
            number("open for", "equal jitter, 5s doubling to 300s", ACCRUAL),
            number("probes", "1", ACCRUAL),
        ],
        note: "By the calls of a window instead of a weighted average.",
        policy: breaking(Breaker {
            open_for: Backoff::exponential(Span::from_secs(5), 2.0)
                .capped(Span::from_secs(300))
                .jittered(Jitter::Equal),
            on_close: OnClose::KeepsProbe,
            ..Breaker::new(
                Trip::Ratio {
                    window: Counted::Time {
                        span: Span::from_secs(30),
                        buckets: 5,
                        rotation: Rotation::Aligned,
                    },
                    minimum: 5,
                    ratio: 0.2,
                    comparison: Comparison::Above,
                    on_success: false,
                    slow: None,
                    every: None,
                    consecutive: Some(5),
                },
                Span::ZERO,
            )
        }),
    },
    Preset {
        name: "finagle-nack-admission",
        version: "default",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "twitter/finagle NackAdmissionFilter.scala",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("rejects", "1 - 2 * average, below an average of 0.5", NACK),
            number("at most", "0.75", NACK),
            number("window of the average", "2min", NACK),
            number("only above", "5/s", "twitter/finagle at commit 4feb34cb; older: always"),
        ],
        note: "The average is of answers that are no nack; it starts at 1. The rate is that of the \
               same two minutes here.",
        policy: Policy { throttling: Some(Throttling::FINAGLE), ..Policy::ONCE },
    },
    Preset {
        name: "finagle-backoff",
        version: "equal-jittered",
        label: Label::SourceDerived,
        retried: Retried::Chosen("the RetryPolicy of the caller; here what is transient"),
        source: "twitter/finagle Backoff.scala",
        scope: Scope::Request,
        numbers: &[
            number("delay", "half of it and up to the other half", BACKOFFS),
            number("start", "100ms, doubling", CHOSEN),
            number("longest", "10s", CHOSEN),
            number("attempts", "5", CHOSEN),
        ],
        note: "Backoff.equalJittered(start, maximum). Requeues have no delay by default.",
        policy: retrying(Retry::new(5, EXAMPLE.jittered(Jitter::Equal))),
    },
    Preset {
        name: "finagle-backoff",
        version: "decorrelated-jittered",
        label: Label::SourceDerived,
        retried: Retried::Chosen("the RetryPolicy of the caller; here what is transient"),
        source: "twitter/finagle Backoff.scala",
        scope: Scope::Request,
        numbers: &[
            number("delay", "from the start to three times the last", BACKOFFS),
            number("start", "100ms", CHOSEN),
            number("longest", "10s", CHOSEN),
            number("attempts", "5", CHOSEN),
        ],
        note: "Backoff.decorrelatedJittered(start, maximum).",
        policy: retrying(Retry::new(
            5,
            Backoff::growing(Growth::Decorrelated { base: Span::from_millis(100) })
                .capped(Span::from_secs(10)),
        )),
    },
    Preset {
        name: "finagle-backoff",
        version: "exponential-jittered",
        label: Label::SourceDerived,
        retried: Retried::Chosen("the RetryPolicy of the caller; here what is transient"),
        source: "twitter/finagle Backoff.scala",
        scope: Scope::Request,
        numbers: &[
            number("delay", "anything up to it", BACKOFFS),
            number("start", "100ms, doubling", CHOSEN),
            number("longest", "10s", CHOSEN),
            number("attempts", "5", CHOSEN),
        ],
        note: "Backoff.exponentialJittered(start, maximum).",
        policy: retrying(Retry::new(5, EXAMPLE.jittered(Jitter::Full))),
    },
];
