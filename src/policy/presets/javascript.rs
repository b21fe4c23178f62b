//! Libraries of JavaScript.

use super::{Label, Preset, Retried, Scope, breaking, number, retrying};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Growth, Jitter, Rounding};
use crate::policy::breaker::{
    Breaker, Comparison, OnClose, Probes, Rotation, Trip, Unheard, Window,
};
use crate::policy::bulkhead::{Around, Bulkhead};
use crate::policy::outcome::OutcomeSet;
use crate::policy::retry::{HintRule, Retry};

const COCKATIEL: &str = "npm cockatiel";
const OPOSSUM: &str = "npm opossum";
const P_RETRY: &str = "npm p-retry and retry";
const ASYNC_RETRY: &str = "npm async-retry";
const AXIOS: &str = "npm axios-retry";
const BULLMQ: &str = "npm bullmq";
const KAFKAJS: &str = "tulios/kafkajs, src/retry";

/// `isNetworkOrIdempotentRequestError` of an idempotent method: no timeout, which axios reports as
/// `ECONNABORTED`.
pub(super) const AXIOS_RETRIED: OutcomeSet =
    OutcomeSet::NETWORK.or(OutcomeSet::SERVER_ERRORS).or(OutcomeSet::http(&[429]));

/// The presets of this family.
pub(super) static PRESETS: [Preset; 8] = [
    Preset {
        name: "cockatiel",
        version: "3.2",
        label: Label::ConformanceTested,
        retried: Retried::Chosen("the policy, such as handleAll; here every error"),
        source: "cockatiel 3.2.1",
        scope: Scope::Request,
        numbers: &[
            number("initial delay", "128ms", COCKATIEL),
            number("exponent", "2", COCKATIEL),
            number("longest", "30s, after jitter", COCKATIEL),
            number("jitter", "decorrelated, version 2", COCKATIEL),
            number("attempts", "the caller chooses; here 3 retries", COCKATIEL),
        ],
        note: "maxAttempts counts retries. Without a back-off the delay is 0.",
        policy: retrying(
            Retry::new(
                4,
                Backoff::growing(Growth::DecorrelatedV2 {
                    base: Span::from_millis(128),
                    factor: 2.0,
                })
                .capped_after_jitter(Span::from_secs(30)),
            )
            .on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "cockatiel-consecutive-breaker",
        version: "3.2",
        label: Label::ConformanceTested,
        retried: Retried::Nothing,
        source: "cockatiel 3.2.1",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("failures in a row", "5: the caller chooses", COCKATIEL),
            number("open for", "10s: the caller chooses", COCKATIEL),
            number("probes", "1, others wait for it", COCKATIEL),
        ],
        note: "An unhandled error in half-open closes the circuit.",
        policy: breaking(Breaker {
            unheard: Unheard::Closes,
            on_close: OnClose::KeepsProbe,
            probes: Probes { queue: true, ..Probes::ONE },
            ..Breaker::new(Trip::Consecutive { failures: 5 }, Span::from_secs(10))
        }),
    },
    Preset {
        name: "opossum",
        version: "9",
        label: Label::ConformanceTested,
        retried: Retried::Nothing,
        source: "opossum 9.0.0",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("timeout", "10s", OPOSSUM),
            number("errors", "above 50%", OPOSSUM),
            number("minimum", "0: the first failure opens", OPOSSUM),
            number("window", "10s in 10 buckets", OPOSSUM),
            number("open for", "30s", OPOSSUM),
            number("probes", "1", OPOSSUM),
            number("calls at once", "no limit", OPOSSUM),
        ],
        note: "Rejected calls count among the calls. Counts survive closing.",
        policy: Policy {
            attempt_timeout: Some(Span::from_secs(10)),
            breaker: Some(Breaker {
                failures: OutcomeSet::ERRORS,
                on_close: OnClose::KeepsAll,
                counts_at_start: true,
                by_timer: true,
                ..Breaker::new(
                    Trip::Ratio {
                        window: Window::Time {
                            span: Span::from_secs(10),
                            buckets: 10,
                            rotation: Rotation::Aligned,
                        },
                        minimum: 0,
                        ratio: 0.5,
                        comparison: Comparison::AbovePercent,
                        on_success: false,
                        slow: None,
                        every: None,
                        consecutive: None,
                    },
                    Span::from_secs(30),
                )
            }),
            bulkhead: Some(Bulkhead {
                limit: u32::MAX,
                queue: 0,
                max_wait: None,
                around: Around::Attempt,
            }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "p-retry",
        version: "7",
        label: Label::ConformanceTested,
        retried: Retried::Read(
            "any exception: but an AbortError or bail: npm p-retry, async-retry",
        ),
        source: "p-retry 7.1.1 on retry 0.13.1",
        scope: Scope::Request,
        numbers: &[
            number("retries", "10", P_RETRY),
            number("delay", "1s * 2^(n-1), rounded to 1ms", P_RETRY),
            number("jitter", "none", P_RETRY),
            number("cap", "none", P_RETRY),
        ],
        note: "The tenth delay is 512 s.",
        policy: retrying(
            Retry::new(
                11,
                Backoff {
                    rounding: Rounding::Nearest(Span::from_millis(1)),
                    ..Backoff::exponential(Span::from_secs(1), 2.0)
                },
            )
            .on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "async-retry",
        version: "1.3",
        label: Label::SourceDerived,
        retried: Retried::Read(
            "any exception: but an AbortError or bail: npm p-retry, async-retry",
        ),
        source: "async-retry 1.3",
        scope: Scope::Request,
        numbers: &[
            number("retries", "10", ASYNC_RETRY),
            number("delay", "1s * 2^(n-1) * (1 + u)", ASYNC_RETRY),
        ],
        note: "As p-retry, but randomised by default.",
        policy: retrying(
            Retry::new(
                11,
                Backoff {
                    rounding: Rounding::Nearest(Span::from_millis(1)),
                    ..Backoff::exponential(Span::from_secs(1), 2.0).jittered(Jitter::Up(1.0))
                },
            )
            .on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "axios-retry",
        version: "4.5",
        label: Label::ConformanceTested,
        retried: Retried::Tested("axios-retry"),
        source: "axios-retry 4.5.0",
        scope: Scope::Request,
        numbers: &[
            number("retries", "3", AXIOS),
            number("delay", "100ms * 2^n * (1 + 0.2u)", AXIOS),
        ],
        note: "This is exponentialDelay, whose first delay is 200 ms; the default delay is 0. A \
               request that timed out is never repeated. GET, PUT and DELETE; of POST only broken \
               connections are retried: retry.on = [\"network\"].",
        policy: retrying(Retry {
            hint: HintRule::AtLeast { limit: Span::MAX },
            ..Retry::new(
                4,
                Backoff::exponential(Span::from_millis(200), 2.0).jittered(Jitter::Up(0.2)),
            )
            .on(AXIOS_RETRIED)
        }),
    },
    Preset {
        name: "bullmq",
        version: "6.7",
        label: Label::ConformanceTested,
        retried: Retried::Read("any exception: but UnrecoverableError: npm bullmq"),
        source: "bullmq 6.7.0",
        scope: Scope::Request,
        numbers: &[
            number("delay", "1s * 2^(n-1), whole milliseconds", BULLMQ),
            number("jitter", "half of the delay downwards", BULLMQ),
            number("attempts", "the job chooses; here 5", BULLMQ),
        ],
        note: "No retries unless a job sets attempts; jitter 0.5 is an example.",
        policy: retrying(
            Retry::new(
                5,
                Backoff::exponential(Span::from_secs(1), 2.0)
                    .jittered(Jitter::Down(0.5))
                    .truncated_to(Span::from_millis(1)),
            )
            .on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "kafkajs",
        version: "2.2",
        label: Label::SourceDerived,
        retried: Retried::Chosen("the error says whether it is retriable; here what is transient"),
        source: "tulios/kafkajs 2.2",
        scope: Scope::Request,
        numbers: &[
            number("retries", "5", KAFKAJS),
            number("first delay", "300ms", KAFKAJS),
            number("step", "times 2, plus or minus 20%", KAFKAJS),
            number("longest", "30s", KAFKAJS),
        ],
        note: "Each delay is drawn around the last one: jitter compounds.",
        policy: retrying(Retry::new(
            6,
            Backoff::growing(Growth::RandomWalk {
                base: Span::from_millis(300),
                factor: 2.0,
                spread: 0.2,
            })
            .capped_after_jitter(Span::from_secs(30)),
        )),
    },
];
