//! Linkerd: annotations of routes, service profiles, failure accrual.

use super::{Label, Preset, Retried, Scope, breaking, number, retrying};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::breaker::{Breaker, Comparison, Rotation, Trip, Window as Counted};
use crate::policy::budget::{Budget, Deposit, Window};
use crate::policy::outcome::{Outcome, OutcomeSet};
use crate::policy::retry::Retry;

const ROUTES: &str = "linkerd/linkerd2-proxy, linkerd/app/outbound, and its control plane";
const BACKOFF: &str = "linkerd/linkerd2-proxy, linkerd/exp-backoff/src/lib.rs";
const UNIFIED: &str = "linkerd/linkerd2-proxy, linkerd/app/outbound http/breaker/unified.rs";
const REFERENCE: &str = "Linkerd reference, circuit breaking: unified failure accrual";
const PROFILES: &str = "linkerd/linkerd2-proxy, service profiles, tower TpsBudget";

/// The penalties of a failing endpoint.
const OPEN_FOR: Backoff = Backoff::exponential(Span::from_secs(1), 2.0)
    .jittered(Jitter::Up(0.5))
    .capped_after_jitter(Span::from_secs(60));

/// The annotation `5xx`, and without any answer what the proxy retries whatever the annotation
/// says: a stream that was refused, a try out of time, and no backend to send it to.
const ROUTE: OutcomeSet = OutcomeSet::SERVER_ERRORS
    .or(OutcomeSet::TIMED_OUT)
    .with(Outcome::NotConnected)
    .with(Outcome::RefusedStream);

/// The presets of this family.
pub(super) static PRESETS: [Preset; 4] = [
    Preset {
        name: "linkerd",
        version: "routes",
        label: Label::SourceDerived,
        retried: Retried::Read(
            "linkerd/linkerd2-proxy, http/logical/policy/route/retry.rs; the annotation 5xx is an example",
        ),
        source: "linkerd/linkerd2-proxy at commit 29637b64",
        scope: Scope::Request,
        numbers: &[
            number("retries", "1", ROUTES),
            number("back-off", "25ms doubling to 250ms", BACKOFF),
            number("jitter", "up to the double, at most 250ms", BACKOFF),
        ],
        note: "No retry budget on this path, only the limit. Load-shed errors are not retried.",
        policy: retrying(
            Retry::new(
                2,
                Backoff::exponential(Span::from_millis(25), 2.0)
                    .jittered(Jitter::Up(1.0))
                    .capped_after_jitter(Span::from_millis(250)),
            )
            .on(ROUTE),
        ),
    },
    Preset {
        name: "linkerd",
        version: "service-profile",
        label: Label::SourceDerived,
        retried: Retried::Read(
            "linkerd/linkerd2-proxy, http/retry.rs: whatever its classifier calls a failure",
        ),
        source: "linkerd/linkerd2-proxy at commit 29637b64",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("retry ratio", "0.2", PROFILES),
            number("least retries", "10/s", PROFILES),
            number("window", "10s", PROFILES),
            number("delay", "none", PROFILES),
            number("retries", "no limit but the budget", PROFILES),
        ],
        note: "Each answer that is not retried is a deposit.",
        policy: Policy {
            retry: Some(
                Retry::new(u32::MAX, Backoff::NONE)
                    .on(OutcomeSet::SERVER_ERRORS.or(OutcomeSet::NETWORK)),
            ),
            budget: Some(Budget::Window(Window::tower(
                Deposit::Answer,
                0.2,
                10,
                Span::from_secs(10),
            ))),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "linkerd-failure-accrual",
        version: "consecutive",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "linkerd/linkerd2-proxy at commit 29637b64",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("failures in a row", "7", ROUTES),
            number("open for", "1s doubling to 60s", BACKOFF),
            number("jitter", "up to one half more, at most 60s", BACKOFF),
            number("probes", "1", ROUTES),
        ],
        note: "Opt-in, for each endpoint. HTTP 429 does not count.",
        policy: breaking(Breaker {
            failures: OutcomeSet::TRANSIENT.less(OutcomeSet::THROTTLED),
            open_for: OPEN_FOR,
            ..Breaker::new(Trip::Consecutive { failures: 7 }, Span::ZERO)
        }),
    },
    Preset {
        name: "linkerd-failure-accrual",
        version: "unified",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "linkerd/linkerd2-proxy http/breaker/unified.rs and success_rate.rs; Linkerd reference",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("failures in a row", "7, HTTP 429 is none", UNIFIED),
            number("success rate", "below 0.8, HTTP 429 is a failure", REFERENCE),
            number("window", "10s in 10 buckets", REFERENCE),
            number("minimum", "5 calls", REFERENCE),
            number("open for", "1s doubling to 60s", BACKOFF),
            number("jitter", "up to one half more, at most 60s", BACKOFF),
            number("probes", "1, whose HTTP 429 is a failure", UNIFIED),
        ],
        note: "Opt-in since 2026, for each endpoint. A Retry-After does not lengthen the time open \
               here.",
        policy: breaking(Breaker {
            failures: OutcomeSet::TRANSIENT,
            soft: OutcomeSet::THROTTLED,
            open_for: OPEN_FOR,
            ..Breaker::new(
                Trip::Ratio {
                    window: Counted::Time {
                        span: Span::from_secs(10),
                        buckets: 10,
                        rotation: Rotation::Aligned,
                    },
                    minimum: 5,
                    ratio: 0.2,
                    comparison: Comparison::Above,
                    on_success: true,
                    slow: None,
                    every: None,
                    consecutive: Some(7),
                },
                Span::ZERO,
            )
        }),
    },
];
