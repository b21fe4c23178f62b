//! Limiters, throttles and hedging of which the caller chooses the numbers.

use super::{Label, Preset, Retried, Scope, number};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::hedge::{After, Hedge, Quantile};
use crate::policy::outcome::{Outcome, OutcomeSet};
use crate::policy::rate_limit::{Debt, RateLimit, Rule, Smooth};
use crate::policy::throttling::{Formula, Throttling};

const GO_ZERO: &str = "zeromicro/go-zero, core/breaker/googlebreaker.go; issue 5011";
const TIME_RATE: &str = "golang.org/x/time/rate";
const GUAVA: &str = "google/guava, SmoothRateLimiter.java";
const TOWER: &str = "crate tower, hedge/mod.rs and hedge/rotating_histogram.rs";
const TAIL: &str = "Dean and Barroso: The Tail at Scale, CACM 56(2), 2013";
const CHOSEN: &str = "the caller chooses: an example";

/// The presets of this family.
pub(super) static PRESETS: [Preset; 5] = [
    Preset {
        name: "go-zero-breaker",
        version: "issue-5011",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "zeromicro/go-zero googlebreaker.go",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("K", "1.5", GO_ZERO),
            number("window", "10s in 40 buckets", GO_ZERO),
            number("protection", "5 requests", GO_ZERO),
        ],
        note: "Requests are counted when they end, so that it reacts late to a server that hangs. \
               The five requests are taken as a least rate of 0.5/s here.",
        policy: Policy {
            throttling: Some(Throttling {
                formula: Formula::Multiplier { k: 1.5 },
                accepted: OutcomeSet::of(&[Outcome::Ok]),
                window: Span::from_secs(10),
                buckets: 40,
                most: 1.0,
                least_rate: 0.5,
            }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "x-time-rate",
        version: "0.3",
        label: Label::ConformanceTested,
        retried: Retried::Nothing,
        source: "golang.org/x/time 0.3.0",
        scope: Scope::Process,
        numbers: &[
            number("rate", "10/s", CHOSEN),
            number("burst", "10", CHOSEN),
            number("wait", "as long as needed", TIME_RATE),
        ],
        note: "Reserve and Wait: the bucket goes into debt and the caller waits.",
        policy: Policy {
            rate_limit: Some(RateLimit {
                rule: Rule::Debt(Debt { rate: 10.0, burst: 10 }),
                patience: Span::MAX,
            }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "guava-rate-limiter-warming-up",
        version: "31.1",
        label: Label::ConformanceTested,
        retried: Retried::Nothing,
        source: "Guava 31.1",
        scope: Scope::Process,
        numbers: &[
            number("rate", "10/s", CHOSEN),
            number("warm-up", "5s", CHOSEN),
            number("cold interval", "three times the stable one", GUAVA),
        ],
        note: "SmoothWarmingUp: it starts cold, and is cold again after a time of rest.",
        policy: Policy {
            rate_limit: Some(RateLimit {
                rule: Rule::Smooth(Smooth { rate: 10.0, warm_up: Span::from_secs(5) }),
                patience: Span::MAX,
            }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "tower-hedge",
        version: "0.5",
        label: Label::SourceDerived,
        retried: Retried::Read("crate tower, hedge/mod.rs: an error ends the call"),
        source: "tower 0.5.3",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("copies", "1 extra", TOWER),
            number("percentile", "0.95", CHOSEN),
            number("least data points", "10", CHOSEN),
            number("period", "30s, in two halves that are exchanged", CHOSEN),
            number("budget", "none", TOWER),
        ],
        note: "No copies before there are enough latencies, and no budget: when everything is slow, \
               all is sent twice until the histogram has turned.",
        policy: Policy {
            hedge: Some(Hedge {
                extra: 1,
                after: After::Quantile(Quantile {
                    rank: 0.95,
                    minimum: 10,
                    period: Span::from_secs(30),
                    least: Span::ZERO,
                }),
                at_once_on: OutcomeSet::NONE,
                budget: None,
            }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "tail-at-scale",
        version: "2013",
        label: Label::Published,
        retried: Retried::Read("the article: copies only after silence"),
        source: "The Tail at Scale, CACM 56(2), 2013",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("copies", "1 extra", TAIL),
            number("delay", "the 95th percentile of the class of request", TAIL),
            number("least data points, period", "100, 60s: not in the paper", CHOSEN),
        ],
        note: "About 5 % more load while most of the servers are well.",
        policy: Policy {
            hedge: Some(Hedge {
                extra: 1,
                after: After::Quantile(Quantile {
                    rank: 0.95,
                    minimum: 100,
                    period: Span::from_secs(60),
                    least: Span::ZERO,
                }),
                at_once_on: OutcomeSet::NONE,
                budget: None,
            }),
            ..Policy::ONCE
        },
    },
];
