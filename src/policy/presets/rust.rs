//! Libraries of Rust.

use super::{Label, Preset, Retried, Scope, breaking, number, retrying};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::breaker::{Breaker, OnClose, Probes, Trip};
use crate::policy::budget::{Budget, Deposit, Window};
use crate::policy::outcome::OutcomeSet;
use crate::policy::rate_limit::{Gcra, RateLimit, Rule};
use crate::policy::retry::Retry;

const TOWER: &str = "crate tower, retry/backoff.rs and retry/budget";
const BACKON: &str = "crate backon, exponential.rs";
const BACKOFF: &str = "crate backoff, default.rs";
const FAILSAFE: &str = "crate failsafe, failure_policy.rs and state_machine.rs";
const GOVERNOR: &str = "crate governor, gcra.rs";

/// The presets of this family.
pub(super) static PRESETS: [Preset; 6] = [
    Preset {
        name: "tower",
        version: "0.5",
        label: Label::ConformanceTested,
        retried: Retried::Chosen("the Policy of the caller; here what is transient"),
        source: "tower 0.5.3",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("first delay", "50ms", TOWER),
            number("jitter", "up to 0.99 more", TOWER),
            number("cap", "none: 2^64-1 ms", TOWER),
            number("budget", "0.2 of calls over 10s", TOWER),
            number("reserve", "100 retries: 10/s over 10s", TOWER),
            number("retries", "no limit but the budget", TOWER),
        ],
        note: "A ratio of 0.7 behaves as 1.0 and 0.3 as 0.33, because the cost is truncated.",
        policy: Policy {
            retry: Some(Retry::new(
                u32::MAX,
                Backoff::exponential(Span::from_millis(50), 2.0).jittered(Jitter::UpInParts(0.99)),
            )),
            budget: Some(Budget::Window(Window::tower(
                Deposit::Success,
                0.2,
                10,
                Span::from_secs(10),
            ))),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "backon",
        version: "1.6",
        label: Label::ConformanceTested,
        retried: Retried::Chosen("the condition of the caller; here every error"),
        source: "backon 1.6.0",
        scope: Scope::Request,
        numbers: &[
            number("retries", "3", BACKON),
            number("delay", "1s * 2^(n-1)", BACKON),
            number("longest", "60s", BACKON),
            number("jitter", "off", BACKON),
        ],
        note: "With jitter a delay is up to twice as long, beyond the cap too.",
        policy: retrying(
            Retry::new(
                4,
                Backoff::exponential(Span::from_secs(1), 2.0).capped(Span::from_secs(60)),
            )
            .on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "backon-jitter",
        version: "1.6",
        label: Label::ConformanceTested,
        retried: Retried::Chosen("the condition of the caller; here every error"),
        source: "backon 1.6.0",
        scope: Scope::Request,
        numbers: &[
            number("retries", "3", BACKON),
            number("delay", "1s * 2^(n-1), up to the double", BACKON),
            number("longest", "60s, before jitter", BACKON),
        ],
        note: "The jitter is outside the cap.",
        policy: retrying(
            Retry::new(
                4,
                Backoff::exponential(Span::from_secs(1), 2.0)
                    .capped(Span::from_secs(60))
                    .jittered(Jitter::Up(1.0)),
            )
            .on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "backoff-rs",
        version: "0.4",
        label: Label::SourceDerived,
        retried: Retried::Chosen("the condition of the caller; here every error"),
        source: "crate backoff 0.4",
        scope: Scope::Request,
        numbers: &[
            number("first delay", "500ms", BACKOFF),
            number("multiplier", "1.5", BACKOFF),
            number("jitter", "0.5 to 1.5", BACKOFF),
            number("longest", "60s, before jitter", BACKOFF),
            number("elapsed time", "15min", BACKOFF),
        ],
        note: "Stops when 15 minutes have passed.",
        policy: Policy {
            deadline: Some(Span::from_secs(900)),
            retry: Some(Retry {
                stop_before_deadline: true,
                ..Retry::new(
                    u32::MAX,
                    Backoff::exponential(Span::from_millis(500), 1.5)
                        .capped(Span::from_secs(60))
                        .jittered(Jitter::Proportional(0.5)),
                )
                .on(OutcomeSet::ERRORS)
            }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "failsafe-rs",
        version: "1.3",
        label: Label::ConformanceTested,
        retried: Retried::Nothing,
        source: "failsafe 1.3.0",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("failures in a row", "5", FAILSAFE),
            number("success rate", "below 0.8 over 30s, at least 5 calls", FAILSAFE),
            number("open for", "equal jitter, 10s doubling to 300s", FAILSAFE),
            number("probes", "no limit", FAILSAFE),
        ],
        note: "In half-open everybody is admitted.",
        policy: breaking(Breaker {
            failures: OutcomeSet::ERRORS,
            strictly_after: true,
            open_for: Backoff::exponential(Span::from_secs(10), 2.0)
                .capped(Span::from_secs(300))
                .jittered(Jitter::Equal),
            probes: Probes { limit: u32::MAX, ..Probes::ONE },
            on_close: OnClose::KeepsProbe,
            ..Breaker::new(
                Trip::Either { failures: 5, least: 0.8, minimum: 5, window: Span::from_secs(30) },
                Span::ZERO,
            )
        }),
    },
    Preset {
        name: "governor",
        version: "0.10",
        label: Label::ConformanceTested,
        retried: Retried::Nothing,
        source: "governor 0.10.4",
        scope: Scope::Process,
        numbers: &[
            number("rate", "100/s: the caller chooses", GOVERNOR),
            number("burst", "5: the caller chooses", GOVERNOR),
        ],
        note: "A refused request takes nothing.",
        policy: Policy {
            rate_limit: Some(RateLimit {
                rule: Rule::Gcra(Gcra { interval: Span::from_millis(10), burst: 5 }),
                patience: Span::ZERO,
            }),
            ..Policy::ONCE
        },
    },
];
