//! Linkerd: annotations of routes, service profiles, failure accrual.

use super::{Label, Preset, Scope, breaking, number, retrying};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::breaker::{Breaker, Trip};
use crate::policy::budget::{Budget, Deposit, Window};
use crate::policy::outcome::{Outcome, OutcomeSet};
use crate::policy::retry::Retry;

const ROUTES: &str = "linkerd/linkerd2-proxy, linkerd/app/outbound, and its control plane";
const BACKOFF: &str = "linkerd/linkerd2-proxy, linkerd/exp-backoff/src/lib.rs";
const PROFILES: &str = "linkerd/linkerd2-proxy, service profiles, tower TpsBudget";

/// The presets of this family.
pub(super) static PRESETS: [Preset; 3] = [
    Preset {
        name: "linkerd",
        version: "routes",
        label: Label::SourceDerived,
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
            .on(OutcomeSet::of(&[Outcome::Failed, Outcome::TimedOut])),
        ),
    },
    Preset {
        name: "linkerd",
        version: "service-profile",
        label: Label::SourceDerived,
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
                    .on(OutcomeSet::of(&[Outcome::Failed, Outcome::Rejected])),
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
            failures: OutcomeSet::TRANSIENT.without(Outcome::Throttled),
            open_for: Backoff::exponential(Span::from_secs(1), 2.0)
                .jittered(Jitter::Up(0.5))
                .capped_after_jitter(Span::from_secs(60)),
            ..Breaker::new(Trip::Consecutive { failures: 7 }, Span::ZERO)
        }),
    },
];
