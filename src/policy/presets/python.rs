//! General libraries of Python.

use super::retried::NO_ANSWER;
use super::{Label, Preset, Retried, Scope, breaking, number, retrying};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::breaker::{Breaker, Trip};
use crate::policy::outcome::OutcomeSet;
use crate::policy::retry::{HintRule, Retry};

const TENACITY: &str = "PyPI tenacity, wait.py";
const STAMINA: &str = "PyPI stamina, _core.py";
const BACKOFF: &str = "PyPI backoff, _wait_gen.py and _jitter.py";
const URLLIB3: &str = "PyPI urllib3, util/retry.py";
const PYBREAKER: &str = "PyPI pybreaker";

/// What urllib3 retries of an idempotent method without a `status_forcelist`, and a Retry-After of
/// up to six hours.
const fn urllib3(attempts: u32, backoff: Backoff) -> Retry {
    Retry {
        on_hint: OutcomeSet::http(&[413, 429, 503]),
        hint: HintRule::Instead { limit: Span::from_secs(21_600) },
        ..Retry::new(attempts, backoff).on(NO_ANSWER)
    }
}

/// The presets of this family.
pub(super) static PRESETS: [Preset; 11] = [
    Preset {
        name: "tenacity",
        version: "9.2",
        label: Label::ConformanceTested,
        retried: Retried::Read("any exception: PyPI tenacity, retry.py"),
        source: "tenacity 9.2.1",
        scope: Scope::Request,
        numbers: &[number("attempts", "no limit", TENACITY), number("wait", "none", TENACITY)],
        note: "The bare decorator retries for ever without a wait.",
        policy: retrying(Retry::new(u32::MAX, Backoff::NONE).on(OutcomeSet::ERRORS)),
    },
    Preset {
        name: "tenacity-exponential",
        version: "9.2",
        label: Label::ConformanceTested,
        retried: Retried::Read("any exception: PyPI tenacity, retry.py"),
        source: "tenacity 9.2.1",
        scope: Scope::Request,
        numbers: &[
            number("delay", "1s * 2^(n-1)", TENACITY),
            number("jitter", "none", TENACITY),
            number("cap", "none", TENACITY),
            number("attempts", "no limit", TENACITY),
        ],
        note: "wait_exponential().",
        policy: retrying(
            Retry::new(u32::MAX, Backoff::exponential(Span::from_secs(1), 2.0))
                .on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "tenacity-random-exponential",
        version: "9.2",
        label: Label::ConformanceTested,
        retried: Retried::Read("any exception: PyPI tenacity, retry.py"),
        source: "tenacity 9.2.1",
        scope: Scope::Request,
        numbers: &[
            number("delay", "up to 0.5s * 2^(n-1)", TENACITY),
            number("longest", "60s, before jitter", TENACITY),
            number("attempts", "no limit", TENACITY),
        ],
        note: "wait_random_exponential(multiplier=0.5, max=60), the example of its documentation.",
        policy: retrying(
            Retry::new(
                u32::MAX,
                Backoff::exponential(Span::from_millis(500), 2.0)
                    .capped(Span::from_secs(60))
                    .jittered(Jitter::From(Span::ZERO)),
            )
            .on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "tenacity-exponential-jitter",
        version: "9.2",
        label: Label::ConformanceTested,
        retried: Retried::Read("any exception: PyPI tenacity, retry.py"),
        source: "tenacity 9.2.1",
        scope: Scope::Request,
        numbers: &[
            number("delay", "1s * 2^(n-1) + up to 1s", TENACITY),
            number("longest", "30s, after jitter: an example", TENACITY),
            number("attempts", "no limit", TENACITY),
        ],
        note: "wait_exponential_jitter(max=30).",
        policy: retrying(
            Retry::new(
                u32::MAX,
                Backoff::exponential(Span::from_secs(1), 2.0)
                    .jittered(Jitter::Plus(Span::from_secs(1)))
                    .capped_after_jitter(Span::from_secs(30)),
            )
            .on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "stamina",
        version: "26.1",
        label: Label::ConformanceTested,
        retried: Retried::Chosen("the argument `on`; here every error"),
        source: "stamina 26.1.0",
        scope: Scope::Request,
        numbers: &[
            number("attempts", "10", STAMINA),
            number("timeout", "45s", STAMINA),
            number("delay", "100ms * 2^(n-1) + up to 1s", STAMINA),
            number("longest", "5s, after jitter", STAMINA),
        ],
        note: "No retry starts that would begin after the timeout.",
        policy: Policy {
            deadline: Some(Span::from_secs(45)),
            retry: Some(Retry {
                stop_before_deadline: true,
                ..Retry::new(
                    10,
                    Backoff::exponential(Span::from_millis(100), 2.0)
                        .jittered(Jitter::Plus(Span::from_secs(1)))
                        .capped_after_jitter(Span::from_secs(5)),
                )
                .on(OutcomeSet::ERRORS)
            }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "backoff",
        version: "2.2",
        label: Label::ConformanceTested,
        retried: Retried::Chosen("the argument `exception`; here every error"),
        source: "backoff 2.2.1",
        scope: Scope::Request,
        numbers: &[
            number("delay", "up to 1s * 2^(n-1)", BACKOFF),
            number("jitter", "full", BACKOFF),
            number("attempts", "no limit", BACKOFF),
        ],
        note: "expo with full_jitter. max_time shortens the last sleep instead of stopping before it.",
        policy: retrying(
            Retry::new(
                u32::MAX,
                Backoff::exponential(Span::from_secs(1), 2.0).jittered(Jitter::Full),
            )
            .on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "urllib3",
        version: "2.8",
        label: Label::ConformanceTested,
        retried: Retried::Tested("urllib3"),
        source: "urllib3 2.8.0",
        scope: Scope::Request,
        numbers: &[
            number("retries", "10", URLLIB3),
            number("first retry", "at once", URLLIB3),
            number("factor", "0: no delay", URLLIB3),
            number("longest", "120s", URLLIB3),
        ],
        note: "Retry() as it is: its status_forcelist is empty, so no answer is retried but 413, \
               429 and 503 with a Retry-After. The pool has Retry(3), requests none; of POST only \
               what never reached the server is retried.",
        policy: retrying(urllib3(
            11,
            Backoff {
                first_at_once: true,
                ..Backoff::exponential(Span::ZERO, 2.0).capped_after_jitter(Span::from_secs(120))
            },
        )),
    },
    Preset {
        name: "urllib3-factor",
        version: "2.8",
        label: Label::ConformanceTested,
        retried: Retried::Tested("urllib3"),
        source: "urllib3 2.8.0",
        scope: Scope::Request,
        numbers: &[
            number("retries", "10", URLLIB3),
            number("first retry", "at once", URLLIB3),
            number("delay", "500ms * 2^(n-1) + up to 1s: an example", URLLIB3),
            number("longest", "20s, after jitter: an example", URLLIB3),
        ],
        note: "Retry(backoff_factor=0.5, backoff_jitter=1, backoff_max=20).",
        policy: retrying(urllib3(
            11,
            Backoff {
                first_at_once: true,
                ..Backoff::exponential(Span::from_millis(500), 2.0)
                    .jittered(Jitter::Plus(Span::from_secs(1)))
                    .capped_after_jitter(Span::from_secs(20))
            },
        )),
    },
    Preset {
        name: "urllib3-pool",
        version: "2.8",
        label: Label::SourceDerived,
        retried: Retried::Tested("urllib3-pool"),
        source: "urllib3 2.8.0",
        scope: Scope::Request,
        numbers: &[
            number("retries", "3: that of a pool", URLLIB3),
            number("factor", "0: no delay", URLLIB3),
            number("retried status codes", "none: status_forcelist is empty", URLLIB3),
        ],
        note: "PoolManager as it is. Broken connections and silence are retried; POST is not.",
        policy: retrying(urllib3(4, Backoff::NONE)),
    },
    Preset {
        name: "requests",
        version: "default",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "requests adapters.py on urllib3 2.8.0",
        scope: Scope::Request,
        numbers: &[
            number("retries", "0", "PyPI requests, adapters.py DEFAULT_RETRIES"),
            number("timeout", "none", "PyPI requests, api.py"),
        ],
        note: "One attempt that waits for ever.",
        policy: Policy::ONCE,
    },
    Preset {
        name: "pybreaker",
        version: "1.4",
        label: Label::ConformanceTested,
        retried: Retried::Nothing,
        source: "pybreaker 1.4.1",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("failures in a row", "5", PYBREAKER),
            number("open for", "60s", PYBREAKER),
            number("successes that close", "1", PYBREAKER),
        ],
        note: "The call that trips it raises the error of the breaker, not its own.",
        policy: breaking(Breaker::new(Trip::Consecutive { failures: 5 }, Span::from_secs(60))),
    },
];
