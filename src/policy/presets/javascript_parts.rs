//! Libraries of JavaScript: other generators of delays, and the breakers of cockatiel.

use super::javascript::AXIOS_RETRIED;
use super::{Label, Preset, Retried, Scope, breaking, number, retrying};
use crate::kernel::time::Span;
use crate::policy::backoff::{Backoff, Jitter, Rounding};
use crate::policy::breaker::{
    Breaker, Comparison, OnClose, Probes, Rotation, Trip, Unheard, Window,
};
use crate::policy::outcome::OutcomeSet;
use crate::policy::retry::{HintRule, Retry};

const COCKATIEL: &str = "npm cockatiel";
const CHOSEN: &str = "the caller chooses: an example";
const RETRY: &str = "npm retry";
const AXIOS: &str = "npm axios-retry";

/// The delays of cockatiel's generators that grow by two, capped before their jitter.
const COCKATIEL_DELAYS: Backoff =
    Backoff::exponential(Span::from_millis(128), 2.0).capped(Span::from_secs(30));

const MILLISECOND: Span = Span::from_millis(1);

/// A breaker of cockatiel: callers beyond the one probe wait for it.
const fn cockatiel(trip: Trip) -> Breaker {
    Breaker {
        unheard: Unheard::Closes,
        on_close: OnClose::KeepsProbe,
        probes: Probes { queue: true, ..Probes::ONE },
        ..Breaker::new(trip, Span::from_secs(10))
    }
}

/// The presets of this family.
pub(super) static PRESETS: [Preset; 8] = [
    Preset {
        name: "cockatiel-full-jitter",
        version: "3.2",
        label: Label::ConformanceTested,
        retried: Retried::Chosen("the policy, such as handleAll; here every error"),
        source: "cockatiel 3.2.1",
        scope: Scope::Request,
        numbers: &[
            number("initial delay", "128ms", COCKATIEL),
            number("exponent", "2", COCKATIEL),
            number("longest", "30s, before jitter", COCKATIEL),
            number("jitter", "full", COCKATIEL),
            number("attempts", "4", CHOSEN),
        ],
        note: "fullJitterGenerator.",
        policy: retrying(
            Retry::new(4, COCKATIEL_DELAYS.jittered(Jitter::Full).truncated_to(MILLISECOND))
                .on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "cockatiel-half-jitter",
        version: "3.2",
        label: Label::ConformanceTested,
        retried: Retried::Chosen("the policy, such as handleAll; here every error"),
        source: "cockatiel 3.2.1",
        scope: Scope::Request,
        numbers: &[
            number("initial delay", "128ms", COCKATIEL),
            number("exponent", "2", COCKATIEL),
            number("longest", "30s, before jitter", COCKATIEL),
            number("jitter", "equal", COCKATIEL),
            number("attempts", "4", CHOSEN),
        ],
        note: "halfJitterGenerator.",
        policy: retrying(
            Retry::new(4, COCKATIEL_DELAYS.jittered(Jitter::Equal).truncated_to(MILLISECOND))
                .on(OutcomeSet::ERRORS),
        ),
    },
    Preset {
        name: "cockatiel-no-jitter",
        version: "3.2",
        label: Label::ConformanceTested,
        retried: Retried::Chosen("the policy, such as handleAll; here every error"),
        source: "cockatiel 3.2.1",
        scope: Scope::Request,
        numbers: &[
            number("initial delay", "128ms", COCKATIEL),
            number("exponent", "2", COCKATIEL),
            number("longest", "30s", COCKATIEL),
            number("attempts", "4", CHOSEN),
        ],
        note: "noJitterGenerator.",
        policy: retrying(Retry::new(4, COCKATIEL_DELAYS).on(OutcomeSet::ERRORS)),
    },
    Preset {
        name: "cockatiel-count-breaker",
        version: "3.2",
        label: Label::ConformanceTested,
        retried: Retried::Nothing,
        source: "cockatiel 3.2.1",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("failures", "above 50%", CHOSEN),
            number("window", "100 calls, all of them needed", COCKATIEL),
            number("open for", "10s", CHOSEN),
            number("probes", "1, others wait for it", COCKATIEL),
        ],
        note: "CountBreaker. The share must be above the threshold, not at it.",
        policy: breaking(cockatiel(Trip::Ratio {
            window: Window::Calls(100),
            minimum: 100,
            ratio: 0.5,
            comparison: Comparison::AboveProduct,
            on_success: false,
            slow: None,
            every: None,
            consecutive: None,
        })),
    },
    Preset {
        name: "cockatiel-sampling-breaker",
        version: "3.2",
        label: Label::ConformanceTested,
        retried: Retried::Nothing,
        source: "cockatiel 3.2.1",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("failures", "above 20%", CHOSEN),
            number("window", "30s in 30 parts of 1s", CHOSEN),
            number("minimum", "750 calls: 5 / threshold a second", COCKATIEL),
            number("open for", "10s", CHOSEN),
            number("probes", "1, others wait for it", COCKATIEL),
        ],
        note: "SamplingBreaker. One part is left behind with each call, so after an idle time old \
               results still count.",
        policy: breaking(cockatiel(Trip::Ratio {
            window: Window::Time {
                span: Span::from_secs(30),
                buckets: 30,
                rotation: Rotation::OnePerCall,
            },
            minimum: 750,
            ratio: 0.2,
            comparison: Comparison::AboveProduct,
            on_success: false,
            slow: None,
            every: None,
            consecutive: None,
        })),
    },
    Preset {
        name: "retry",
        version: "0.13",
        label: Label::ConformanceTested,
        retried: Retried::Read(
            "any exception: but an AbortError or bail: npm p-retry, async-retry",
        ),
        source: "retry 0.13.1",
        scope: Scope::Request,
        numbers: &[
            number("retries", "10", RETRY),
            number("delay", "1s * 2^(n-1), rounded to 1ms", RETRY),
            number("jitter", "none", RETRY),
            number("cap", "none", RETRY),
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
        name: "retry-randomize",
        version: "0.13",
        label: Label::ConformanceTested,
        retried: Retried::Read(
            "any exception: but an AbortError or bail: npm p-retry, async-retry",
        ),
        source: "retry 0.13.1",
        scope: Scope::Request,
        numbers: &[
            number("retries", "10", RETRY),
            number("delay", "1s * 2^(n-1) * (1 + u), rounded to 1ms", RETRY),
            number("cap", "none", RETRY),
        ],
        note: "randomize: true.",
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
        name: "axios-retry-default",
        version: "4.5",
        label: Label::SourceDerived,
        retried: Retried::Tested("axios-retry"),
        source: "axios-retry 4.5.0",
        scope: Scope::Request,
        numbers: &[number("retries", "3", AXIOS), number("delay", "none", AXIOS)],
        note: "axios-retry as it is, without retryDelay: three retries at once.",
        policy: retrying(Retry {
            hint: HintRule::AtLeast { limit: Span::MAX },
            ..Retry::new(4, Backoff::NONE).on(AXIOS_RETRIED)
        }),
    },
];
