//! Job queues, workflows and brokers.

use super::{Label, Preset, Retried, Scope, number, retrying};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Growth, Jitter};
use crate::policy::outcome::OutcomeSet;
use crate::policy::rate_limit::{Debt, RateLimit, Rule};
use crate::policy::retry::Retry;

const CELERY: &str = "PyPI celery, utils/time.py and app/autoretry.py";
const DRAMATIQ: &str = "PyPI dramatiq, middleware/retries.py";
const SIDEKIQ: &str = "sidekiq/sidekiq, lib/sidekiq/job_retry.rb";
const TEMPORAL: &str = "temporalio/temporal, retry policy";
const KAFKA: &str = "apache/kafka, KIP-580 and ProducerConfig";
const CLIENT_GO: &str = "kubernetes/client-go, util/workqueue/default_rate_limiters.go";

/// The presets of this family.
pub(super) static PRESETS: [Preset; 8] = [
    Preset {
        name: "celery",
        version: "5.7",
        label: Label::ConformanceTested,
        retried: Retried::Chosen("autoretry_for; here every error"),
        source: "celery 5.7.0",
        scope: Scope::Request,
        numbers: &[
            number("retries", "3", CELERY),
            number("delay", "0 to 1s * 2^(n-1), whole seconds", CELERY),
            number("longest", "600s, before jitter", CELERY),
        ],
        note: "autoretry with retry_backoff; without it the delay is 180 s. A delay may be 0.",
        policy: retrying(
            Retry::new(
                4,
                Backoff::exponential(Span::from_secs(1), 2.0)
                    .capped(Span::from_secs(600))
                    .jittered(Jitter::FullInclusive)
                    .truncated_to(Span::from_secs(1)),
            )
            .on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "celery-fixed",
        version: "5.7",
        label: Label::SourceDerived,
        retried: Retried::Chosen("autoretry_for; here every error"),
        source: "celery 5.7.0",
        scope: Scope::Request,
        numbers: &[
            number("retries", "3", CELERY),
            number("delay", "180s: default_retry_delay", CELERY),
        ],
        note: "Task.retry() and autoretry without retry_backoff.",
        policy: retrying(
            Retry::new(4, Backoff::constant(Span::from_secs(180))).on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "dramatiq",
        version: "2.2",
        label: Label::ConformanceTested,
        retried: Retried::Read("any exception: PyPI dramatiq, middleware/retries.py"),
        source: "dramatiq 2.2.0",
        scope: Scope::Request,
        numbers: &[
            number("retries", "20", DRAMATIQ),
            number("delay", "15s * 2^(n-1) to its double", DRAMATIQ),
            number("longest", "7 days, before jitter", DRAMATIQ),
        ],
        note: "At the cap a delay is 3.5 to 7 days.",
        policy: retrying(
            Retry::new(
                21,
                Backoff::exponential(Span::from_secs(30), 2.0)
                    .capped(Span::from_secs(604800))
                    .jittered(Jitter::Equal)
                    .truncated_to(Span::from_millis(1)),
            )
            .on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "sidekiq",
        version: "8",
        label: Label::SourceDerived,
        retried: Retried::Read("any exception: sidekiq/sidekiq, lib/sidekiq/job_retry.rb"),
        source: "sidekiq/sidekiq at commit 1bb4aa06",
        scope: Scope::Request,
        numbers: &[
            number("retries", "25", SIDEKIQ),
            number("delay", "(n-1)^4 + 15 + rand(10 n) s", SIDEKIQ),
        ],
        note: "About 20 days, then the dead set.",
        policy: retrying(
            Retry::new(26, Backoff::growing(Growth::FourthPower { width: 10, in_steps: false }))
                .on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "sidekiq",
        version: "6",
        label: Label::SourceDerived,
        retried: Retried::Read("any exception: sidekiq/sidekiq, lib/sidekiq/job_retry.rb"),
        source: "sidekiq/sidekiq 6",
        scope: Scope::Request,
        numbers: &[
            number("retries", "25", SIDEKIQ),
            number("delay", "(n-1)^4 + 15 + rand(10) n s", SIDEKIQ),
        ],
        note: "The randomness comes in steps of n seconds: jobs of one failure meet again.",
        policy: retrying(
            Retry::new(26, Backoff::growing(Growth::FourthPower { width: 10, in_steps: true }))
                .on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "temporal",
        version: "default",
        label: Label::SourceDerived,
        retried: Retried::Read(
            "any error but those of nonRetryableErrorTypes: temporalio/temporal",
        ),
        source: "temporalio/temporal",
        scope: Scope::Request,
        numbers: &[
            number("delay", "1s * 2^(n-1)", TEMPORAL),
            number("longest", "100s", TEMPORAL),
            number("jitter", "none", TEMPORAL),
            number("attempts", "no limit", TEMPORAL),
        ],
        note: "Only a schedule-to-close timeout stops it.",
        policy: retrying(
            Retry::new(
                u32::MAX,
                Backoff::exponential(Span::from_secs(1), 2.0).capped(Span::from_secs(100)),
            )
            .on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "kafka-producer",
        version: "KIP-580",
        label: Label::SourceDerived,
        retried: Retried::Read("apache/kafka: every RetriableException; here what is transient"),
        source: "apache/kafka, KIP-580",
        scope: Scope::Request,
        numbers: &[
            number("delay", "100ms * 2^(n-1), 0.8 to 1.2", KAFKA),
            number("longest", "1s, after jitter", KAFKA),
            number("delivery timeout", "120s", KAFKA),
            number("request timeout", "30s", KAFKA),
            number("retries", "2^31-1", KAFKA),
        ],
        note: "Idempotence and acks=all are on; five requests may be in flight.",
        policy: Policy {
            attempt_timeout: Some(Span::from_secs(30)),
            deadline: Some(Span::from_secs(120)),
            retry: Some(Retry {
                stop_before_deadline: true,
                ..Retry::new(
                    1 << 31,
                    Backoff::exponential(Span::from_millis(100), 2.0)
                        .jittered(Jitter::Proportional(0.2))
                        .capped_after_jitter(Span::from_secs(1)),
                )
            }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "client-go",
        version: "32ce75a7",
        label: Label::SourceDerived,
        retried: Retried::Chosen("the worker that puts an item back; here every error"),
        source: "kubernetes/client-go at commit 32ce75a7; golang.org/x/time 0.3.0",
        scope: Scope::Process,
        numbers: &[
            number("delay of an item", "5ms * 2^(n-1)", CLIENT_GO),
            number("longest", "1000s", CLIENT_GO),
            number("jitter", "none", CLIENT_GO),
            number("rate", "10/s, burst 100", CLIENT_GO),
        ],
        note: "The bucket goes into debt and is recorded; the library waits the longer of both, here the waits follow each other.",
        policy: Policy {
            retry: Some(
                Retry::new(
                    u32::MAX,
                    Backoff::exponential(Span::from_millis(5), 2.0).capped(Span::from_secs(1000)),
                )
                .on(OutcomeSet::ERRORS),
            ),
            rate_limit: Some(RateLimit {
                rule: Rule::Debt(Debt { rate: 10.0, burst: 100 }),
                patience: Span::MAX,
            }),
            ..Policy::ONCE
        },
    },
];
