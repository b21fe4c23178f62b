//! `breaker = { … }`: what stops attempts at a failing target.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::backoff::{self, BackoffText};
use super::breaker_text::{rest_of, rule_of};
use super::keys::{Table, needed, table};
use super::limits::{self, AroundText};
use super::outcomes::{OutcomeText, Patience, errors};
use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::model::quantity::{Count, Share};
use crate::policy::breaker::{
    Breaker, Comparison, Initial, OnClose, Probes, Proof, Rotation, Slow, Trip, Unheard, Window,
};
use crate::policy::bulkhead::Around;

table! {
    /// `breaker = { … }`. It opens by `failure_ratio`, by `consecutive`, by `success_rate`, or by
    /// `consecutive` and one of the others, whichever is first.
    pub struct BreakerText {
        /// It opens at this share of failures in the window.
        pub failure_ratio: Share,
        /// It opens after so many failures in a row.
        pub consecutive: u32,
        /// It opens when the exponentially weighted success rate is below this (Finagle).
        pub success_rate: Share,
        /// How far back results are counted, or the time constant of the weights; 10s by default.
        pub window: Span,
        /// Over how many calls results are counted, instead of over a time (resilience4j).
        pub window_calls: u32,
        /// In how many parts a window over time is counted; 10 by default.
        pub buckets: u32,
        /// How the parts of a window move on; `with_traffic` by default.
        pub rotation: RotationText,
        /// Not before so many results in the window; 20 by default.
        pub minimum: u32,
        /// How the share is compared; `at_least` by default.
        pub comparison: ComparisonText,
        /// Whether a success can open it too, by completing the minimum (resilience4j); false by
        /// default.
        pub on_success: bool,
        /// A call that takes longer is slow; none is by default.
        pub slow_call: Span,
        /// It opens at this share of slow calls; with `slow_call`.
        pub slow_ratio: Share,
        /// How often the counts are looked at (Hystrix); after every call by default.
        pub every: Span,
        /// What counts as a failure; all but `conflict` and `invalid` by default.
        pub failures: Vec<OutcomeText>,
        /// Failures that count in the share or rate only, not in a row (Linkerd: HTTP 429); none by
        /// default.
        pub soft: Vec<OutcomeText>,
        /// What counts neither as a failure nor as a success; nothing by default.
        pub ignored: Vec<OutcomeText>,
        /// How long it stays open, `"5s"`; or how that grows with each opening in a row,
        /// `"exponential 1s x2 cap 60s"`; 5s by default.
        pub open_for: BackoffText,
        /// Whether the first probe passes only strictly after that time; false by default.
        pub strictly_after: bool,
        /// Whether a timer makes it half-open instead of the next call; false by default.
        pub by_timer: bool,
        /// How many probes it lets through, or `"unlimited"`; 1 by default.
        pub probes: Count,
        /// Whether `probes` is how many run at once, not all of a half-open time; false by default.
        pub probes_at_once: bool,
        /// Whether callers beyond the probes wait for the decision instead of being rejected
        /// (cockatiel); false by default.
        pub probes_queue: bool,
        /// How long it stays half-open before it opens again, if the probes have not decided by
        /// then (resilience4j); as long as it takes by default.
        pub half_open_for: Patience,
        /// What the probes must show; as many successes as there are probes by default.
        pub proof: ProofText,
        /// What becomes of the place of a probe that is never recorded, because its outcome does
        /// not count or its caller is gone; it is free again by default.
        pub unheard: UnheardText,
        /// Whether results count of calls that began before the last change; true by default.
        pub hears_late: bool,
        /// Whether a reply after its timeout is a result of its own; false by default.
        pub hears_replies_after_timeout: bool,
        /// What a closing breaker does with its counts; it forgets them by default.
        pub on_close: OnCloseText,
        /// Whether calls are counted when they ask, rejected ones too (opossum); false by default.
        pub counts_at_start: bool,
        /// Around what it stands; `attempt` by default: inside of the retry. With `call` it is
        /// around the retry: asked once for a call, and told once what came of it (resilience4j
        /// `circuitBreakerAspectOrder` below `retryAspectOrder`, Polly with the breaker added
        /// first).
        pub around: AroundText,
        /// How it is before its first call (resilience4j `initialState`); closed by default.
        pub initial: InitialText,
    }
}

/// How the parts of a window move on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the breaker::Rotation of the same name")]
pub enum RotationText {
    WithTraffic,
    Aligned,
    OnePerCall,
    Shifting,
}

/// How a share of failures is compared with its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the breaker::Comparison of the same name")]
pub enum ComparisonText {
    AtLeast,
    Above,
    AboveProduct,
    AbovePercent,
}

/// What the probes of a half-open breaker must show.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ProofText {
    /// Nothing: it closes when its time is over.
    Nothing,
    /// So many successes close it; the first failure opens it again.
    Successes(u32),
    /// When so many results are in, it opens again at this share of failures (resilience4j).
    Ratio {
        /// How many results are waited for.
        calls: u32,
        /// The share of failures that opens it again.
        ratio: Share,
    },
}

/// What an outcome that does not count does to its probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum UnheardText {
    /// The place is free for another probe (resilience4j).
    Frees,
    /// The breaker closes: nothing bad was seen (Polly, cockatiel).
    Closes,
    /// The place stays taken.
    Holds,
}

/// What a closing breaker does with its counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the breaker::OnClose of the same name")]
pub enum OnCloseText {
    Forgets,
    KeepsProbe,
    KeepsAll,
}

/// How a breaker is before its first call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum InitialText {
    /// Calls pass.
    Closed,
    /// It is open for as long as its first opening lasts.
    Open,
    /// The first calls are probes.
    HalfOpen,
    /// It denies every call for ever.
    ForcedOpen,
}

/// The keys of a rule for opening.
const RULES: [&str; 3] = ["failure_ratio", "consecutive", "success_rate"];
const RATIO: &[&str] = &[
    "failure_ratio",
    "window",
    "window_calls",
    "buckets",
    "rotation",
    "minimum",
    "comparison",
    "on_success",
    "slow_call",
    "slow_ratio",
    "every",
    "consecutive",
];
const CONSECUTIVE: &[&str] = &["consecutive"];
const SUCCESS_RATE: &[&str] = &["success_rate", "window", "minimum"];
const EITHER: &[&str] = &["consecutive", "success_rate", "window", "minimum"];
const ANY: &[&str] = &[
    "failures",
    "soft",
    "ignored",
    "open_for",
    "strictly_after",
    "by_timer",
    "probes",
    "probes_at_once",
    "probes_queue",
    "half_open_for",
    "proof",
    "unheard",
    "hears_late",
    "hears_replies_after_timeout",
    "on_close",
    "counts_at_start",
    "around",
    "initial",
];

/// A window of more calls or parts than this is refused: each of them takes memory.
const WINDOW_MAX: u32 = 100_000;

/// The breaker that a text means.
pub(super) fn compile(text: &BreakerText, base: Option<&Breaker>) -> Result<Breaker, Problem> {
    let default = Breaker::new(Trip::Consecutive { failures: 1 }, Span::from_secs(5));
    let machine = *base.unwrap_or(&default);
    // Numbers of the preset's own rule change it; another rule replaces it.
    let rule = base.map(|base| rule_of(&base.trip).written()).unwrap_or_default();
    let mut named = text.written().into_iter().filter(|key| RULES.contains(key));
    let same_rule = base.is_some() && named.all(|key| rule.contains(&key));
    let keys = BreakerText { open_for: None, probes: None, proof: None, ..text.clone() };
    let mut base_rule = rule_of(&machine.trip);
    if text.window.is_some() {
        base_rule.window_calls = None;
    }
    let keys = if same_rule { keys.over(base_rule) } else { keys };
    zeros(text)?;
    let trip = compile_trip(&keys)?;
    let keys = keys.over(rest_of(&machine));
    let around = limits::around(keys.around);
    let hears_replies = keys.hears_replies_after_timeout.unwrap_or_default();
    if around == Around::Call && hears_replies {
        return Err(Problem::new("a breaker around the call hears of no attempt")
            .expected("`around = \"attempt\"`, or `hears_replies_after_timeout = false`")
            .inside("around"));
    }
    Ok(Breaker {
        trip,
        around,
        initial: match needed(keys.initial, "initial")? {
            InitialText::Closed => Initial::Closed,
            InitialText::Open => Initial::Open,
            InitialText::HalfOpen => Initial::HalfOpen,
            InitialText::ForcedOpen => Initial::ForcedOpen,
        },
        failures: errors("failures", &needed(keys.failures, "failures")?)?,
        soft: errors("soft", &needed(keys.soft, "soft")?)?,
        ignored: errors("ignored", &needed(keys.ignored, "ignored")?)?,
        open_for: match &text.open_for {
            Some(open_for) => backoff::compile(open_for, Some(&machine.open_for))
                .map_err(|problem| problem.inside("open_for"))?,
            None => machine.open_for,
        },
        strictly_after: needed(keys.strictly_after, "strictly_after")?,
        by_timer: needed(keys.by_timer, "by_timer")?,
        probes: compile_probes(text, &machine.probes)?,
        half_open_for: keys.half_open_for.map(|limit| limit.0).filter(|&span| span < Span::MAX),
        unheard: match needed(keys.unheard, "unheard")? {
            UnheardText::Frees => Unheard::Frees,
            UnheardText::Closes => Unheard::Closes,
            UnheardText::Holds => Unheard::Holds,
        },
        hears_late: needed(keys.hears_late, "hears_late")?,
        hears_replies_after_timeout: hears_replies,
        on_close: match needed(keys.on_close, "on_close")? {
            OnCloseText::Forgets => OnClose::Forgets,
            OnCloseText::KeepsProbe => OnClose::KeepsProbe,
            OnCloseText::KeepsAll => OnClose::KeepsAll,
        },
        counts_at_start: needed(keys.counts_at_start, "counts_at_start")?,
    })
}

/// Refuses numbers with which no breaker works.
fn zeros(text: &BreakerText) -> Result<(), Problem> {
    if text.consecutive == Some(0) {
        return Err(Problem::new("the breaker would open without a failure")
            .expected("at least 1 failure in a row")
            .inside("consecutive"));
    }
    let zero_calls = text.window_calls.is_some_and(|calls| calls == 0 || calls > WINDOW_MAX);
    let buckets = text.buckets.is_some_and(|buckets| buckets == 0 || buckets > WINDOW_MAX);
    if zero_calls || buckets {
        let key = if zero_calls { "window_calls" } else { "buckets" };
        return Err(Problem::new(format!("`{key}` is no size of a window"))
            .expected(format!("from 1 to {WINDOW_MAX}"))
            .inside(key));
    }
    let never_open = text.open_for.as_ref().is_some_and(|text| text.0.base == Some(Span::ZERO));
    let rules = [
        (text.failure_ratio == Some(Share(0.0)), "failure_ratio", "more than 0"),
        (text.window == Some(Span::ZERO), "window", "more than 0s"),
        (text.every == Some(Span::ZERO), "every", "more than 0s"),
        (never_open, "open_for", "more than 0s"),
        (text.half_open_for == Some(Patience(Span::ZERO)), "half_open_for", "more than 0s"),
        (text.probes == Some(Count::Limited(0)), "probes", "at least 1 probe"),
        (text.proof == Some(ProofText::Successes(0)), "proof", "at least 1 success"),
    ];
    match rules.into_iter().find(|(is_broken, ..)| *is_broken) {
        None => Ok(()),
        Some((_, key, expected)) => {
            Err(Problem::new(format!("a breaker with a `{key}` of 0 does not work"))
                .expected(expected)
                .inside(key))
        }
    }
}

fn compile_trip(keys: &BreakerText) -> Result<Trip, Problem> {
    let only = |rule: &str, own: &[&str]| {
        keys.only(&format!("a breaker that opens by {rule}"), &[own, ANY])
    };
    let window = keys.window.unwrap_or(Span::from_secs(10));
    let minimum = keys.minimum.unwrap_or(20);
    match (keys.failure_ratio, keys.consecutive, keys.success_rate) {
        (Some(ratio), _, None) => {
            only("`failure_ratio`", RATIO)?;
            compile_ratio(keys, ratio.0, window, minimum)
        }
        (None, Some(failures), None) => {
            only("`consecutive`", CONSECUTIVE)?;
            Ok(Trip::Consecutive { failures })
        }
        (None, None, Some(least)) => {
            only("`success_rate`", SUCCESS_RATE)?;
            smooth_window(window)?;
            Ok(Trip::SuccessRate { least: least.0, minimum, window })
        }
        (None, Some(failures), Some(least)) => {
            only("`consecutive` or `success_rate`", EITHER)?;
            smooth_window(window)?;
            Ok(Trip::Either { failures, least: least.0, minimum, window })
        }
        (Some(_), ..) => Err(Problem::new("a breaker has one rule for opening, not two")
            .expected("either `failure_ratio` or `success_rate`")),
        (None, None, None) => Err(Problem::new("a breaker needs a rule for opening")
            .expected("`failure_ratio`, `consecutive` or `success_rate`")),
    }
}

/// Weights decay by whole milliseconds.
fn smooth_window(window: Span) -> Result<(), Problem> {
    if window >= Span::from_millis(5) {
        return Ok(());
    }
    Err(Problem::new("the weights would decay at once").expected("at least 5ms").inside("window"))
}

fn compile_ratio(
    keys: &BreakerText,
    ratio: f64,
    span: Span,
    minimum: u32,
) -> Result<Trip, Problem> {
    let window = match keys.window_calls {
        Some(calls) => Window::Calls(calls),
        None => {
            let buckets = keys.buckets.unwrap_or(10);
            if span.0 < u64::from(buckets) {
                return Err(Problem::new("the window has more parts than nanoseconds")
                    .expected("a longer window")
                    .inside("window"));
            }
            Window::Time { span, buckets, rotation: compile_rotation(keys.rotation) }
        }
    };
    let slow = match (keys.slow_call, keys.slow_ratio) {
        (None, None) => None,
        (longer_than, ratio) => Some(Slow {
            longer_than: needed(longer_than, "slow_call")?,
            ratio: needed(ratio, "slow_ratio")?.0,
        }),
    };
    Ok(Trip::Ratio {
        window,
        minimum,
        ratio,
        comparison: match keys.comparison {
            None | Some(ComparisonText::AtLeast) => Comparison::AtLeast,
            Some(ComparisonText::Above) => Comparison::Above,
            Some(ComparisonText::AboveProduct) => Comparison::AboveProduct,
            Some(ComparisonText::AbovePercent) => Comparison::AbovePercent,
        },
        on_success: keys.on_success.unwrap_or_default(),
        slow,
        every: keys.every,
        consecutive: keys.consecutive,
    })
}

fn compile_rotation(text: Option<RotationText>) -> Rotation {
    match text {
        None | Some(RotationText::WithTraffic) => Rotation::WithTraffic,
        Some(RotationText::Aligned) => Rotation::Aligned,
        Some(RotationText::OnePerCall) => Rotation::OnePerCall,
        Some(RotationText::Shifting) => Rotation::Shifting,
    }
}

/// The probes; a new number of them asks for as many successes, unless the text says otherwise.
fn compile_probes(text: &BreakerText, base: &Probes) -> Result<Probes, Problem> {
    let limit = text.probes.map_or(base.limit, Count::limit);
    let proof = match (text.proof, text.probes) {
        (Some(ProofText::Nothing), _) => Proof::Nothing,
        (Some(ProofText::Successes(successes)), _) => Proof::Successes(successes),
        (Some(ProofText::Ratio { calls, ratio }), _) => Proof::Ratio { calls, ratio: ratio.0 },
        (None, Some(Count::Limited(probes)))
            if probes != base.limit && matches!(base.proof, Proof::Successes(_)) =>
        {
            Proof::Successes(probes)
        }
        (None, _) => base.proof,
    };
    if let Proof::Ratio { calls: 0, .. } = proof {
        return Err(Problem::new("a proof by no call").expected("at least 1").inside("proof"));
    }
    Ok(Probes {
        limit,
        at_once: text.probes_at_once.unwrap_or(base.at_once),
        queue: text.probes_queue.unwrap_or(base.queue),
        proof,
    })
}
