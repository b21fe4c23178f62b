//! What limits how many attempts run at once and how often they start: `bulkhead`, `rate_limit`,
//! `limit`.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keys::{Table, at_least, lasting, needed, table, within};
use super::outcomes::Patience;
use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::model::quantity::{Count, Rate, Share};
use crate::policy::bulkhead::{Around, Bulkhead};
use crate::policy::limit::Limit;
use crate::policy::rate_limit::{Cycles, Debt, Gcra, RateLimit, Rule, Smooth};

table! {
    /// `bulkhead = { … }`.
    pub struct BulkheadText {
        /// How many may run at once, or `"unlimited"`; 0 lets nobody in.
        pub limit: Count,
        /// How many more may wait for room; 0 by default.
        pub queue: Count,
        /// How long one may wait for room; as long as the call may take by default.
        pub max_wait: Span,
        /// Around what the limit is; `attempt` by default (resilience4j, Envoy).
        pub around: AroundText,
    }
}

/// Around what a part of a policy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AroundText {
    /// The whole call with its waits and retries: outside of the retry.
    Call,
    /// Each attempt: inside of the retry.
    Attempt,
}

/// The bulkhead that a text means.
pub(super) fn bulkhead(text: &BulkheadText, base: Option<&Bulkhead>) -> Result<Bulkhead, Problem> {
    let keys = text.clone().over(base.map(bulkhead_text).unwrap_or_default());
    let limit = needed(keys.limit.map(Count::limit), "limit")?;
    let queue = keys.queue.map_or(0, Count::limit);
    if limit == 0 && queue > 0 && keys.max_wait.is_none() {
        return Err(Problem::new(
            "whoever queues would wait for ever: a limit of 0 lets nobody in",
        )
        .expected("no `queue`, or a `max_wait`")
        .inside("queue"));
    }
    Ok(Bulkhead {
        limit,
        queue,
        max_wait: match keys.max_wait {
            None => None,
            wait => Some(lasting("max_wait", wait)?),
        },
        around: around(keys.around),
    })
}

/// Around what a part stands; around each attempt, if nothing is said.
pub(super) fn around(text: Option<AroundText>) -> Around {
    match text {
        Some(AroundText::Call) => Around::Call,
        None | Some(AroundText::Attempt) => Around::Attempt,
    }
}

/// The text of that.
pub(super) fn around_text(around: Around) -> AroundText {
    match around {
        Around::Call => AroundText::Call,
        Around::Attempt => AroundText::Attempt,
    }
}

/// The text that means this bulkhead.
pub(super) fn bulkhead_text(bulkhead: &Bulkhead) -> BulkheadText {
    BulkheadText {
        limit: Some(super::keys::count_text(bulkhead.limit)),
        queue: Some(super::keys::count_text(bulkhead.queue)),
        max_wait: bulkhead.max_wait,
        around: Some(around_text(bulkhead.around)),
    }
}

table! {
    /// `rate_limit = { … }`. With `kind` it starts from the defaults of that kind.
    pub struct RateLimitText {
        /// Which machine; `gcra` by default.
        pub kind: RateKind,
        /// How often attempts may start (`gcra`, `debt`, `guava`).
        pub rate: Rate,
        /// The time between attempts (`gcra`), instead of `rate`.
        pub interval: Span,
        /// How many may start at once (`gcra`, `debt`); 1 by default.
        pub burst: u32,
        /// How long a cold limiter takes to reach its rate (`guava`); 0s by default: never cold.
        pub warm_up: Span,
        /// How many may start in each period (`cycles`).
        pub permits: u32,
        /// The length of a period (`cycles`).
        pub period: Span,
        /// An attempt that would have to wait longer is denied; 0s by default.
        pub patience: Patience,
    }
}

/// Which machine limits a rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RateKind {
    /// The generic cell rate algorithm (governor).
    #[default]
    Gcra,
    /// A token bucket that may go into debt (golang.org/x/time/rate).
    Debt,
    /// Guava: the next caller pays for a burst.
    Guava,
    /// Permits in each period, borrowed from periods to come (resilience4j).
    Cycles,
}

/// The longest interval or period: arithmetic on bursts of it stays exact.
const LONGEST: Span = Span::from_secs(86_400);

/// The rate limiter that a text means.
pub(super) fn rate_limit(
    text: &RateLimitText,
    base: Option<&RateLimit>,
) -> Result<RateLimit, Problem> {
    let keys = match (text.kind, base) {
        (None, Some(base)) => {
            let base = rate_limit_text(base);
            let interval = base.interval.filter(|_| text.rate.is_none());
            text.clone().over(RateLimitText { interval, ..base })
        }
        _ => text.clone(),
    };
    let only = |kind: &str, own: &[&str]| {
        keys.only(&format!("a rate limit of kind `{kind}`"), &[&["kind", "patience"], own])
    };
    let rate = || within("rate", keys.rate.map(|rate| rate.per_second), 1e-4, 1e9);
    let burst = at_least("burst", keys.burst.or(Some(1)), 1)?.min(1_000_000);
    let rule = match keys.kind.unwrap_or_default() {
        RateKind::Gcra => {
            only("gcra", &["rate", "interval", "burst"])?;
            let interval = match keys.interval {
                Some(interval) => interval,
                None => Span::from_secs_f64(1.0 / rate()?),
            };
            Rule::Gcra(Gcra { interval: short("interval", Some(interval))?, burst })
        }
        RateKind::Debt => {
            only("debt", &["rate", "burst"])?;
            Rule::Debt(Debt { rate: rate()?, burst })
        }
        RateKind::Guava => {
            only("guava", &["rate", "warm_up"])?;
            Rule::Smooth(Smooth { rate: rate()?, warm_up: keys.warm_up.unwrap_or_default() })
        }
        RateKind::Cycles => {
            only("cycles", &["permits", "period"])?;
            Rule::Cycles(Cycles {
                permits: at_least("permits", keys.permits, 1)?,
                period: short("period", keys.period)?,
            })
        }
    };
    Ok(RateLimit { rule, patience: keys.patience.map_or(Span::ZERO, |patience| patience.0) })
}

fn short(key: &'static str, span: Option<Span>) -> Result<Span, Problem> {
    let span = lasting(key, span)?;
    if span <= LONGEST {
        return Ok(span);
    }
    Err(Problem::new(format!("`{key}` cannot be {span}")).expected("at most a day").inside(key))
}

/// The text that means this rate limiter.
pub(super) fn rate_limit_text(limit: &RateLimit) -> RateLimitText {
    let nothing =
        RateLimitText { patience: Some(Patience(limit.patience)), ..RateLimitText::default() };
    let rate = |per_second| Some(Rate { per_second });
    match limit.rule {
        Rule::Gcra(rule) => RateLimitText {
            kind: Some(RateKind::Gcra),
            interval: Some(rule.interval),
            burst: Some(rule.burst),
            ..nothing
        },
        Rule::Debt(rule) => RateLimitText {
            kind: Some(RateKind::Debt),
            rate: rate(rule.rate),
            burst: Some(rule.burst),
            ..nothing
        },
        Rule::Smooth(rule) => RateLimitText {
            kind: Some(RateKind::Guava),
            rate: rate(rule.rate),
            warm_up: Some(rule.warm_up),
            ..nothing
        },
        Rule::Cycles(rule) => RateLimitText {
            kind: Some(RateKind::Cycles),
            permits: Some(rule.permits),
            period: Some(rule.period),
            ..nothing
        },
    }
}

table! {
    /// `limit = { … }`: how many attempts may run at once, learned. Defaults are those of
    /// Netflix/concurrency-limits. With `kind` it starts from the defaults of that kind.
    pub struct LimitText {
        /// Which rule; `aimd` by default.
        pub kind: LimitKind,
        /// The limit at the start; 20 by default.
        pub initial: f64,
        /// The smallest limit (`aimd`, `gradient2`); 20 by default.
        pub least: f64,
        /// The largest limit; 200 by default, 1000 of `vegas`.
        pub most: f64,
        /// What a drop multiplies the limit by (`aimd`); 0.9 by default.
        pub backoff: Share,
        /// A call that takes longer is a drop (`aimd`); 5s by default.
        pub timeout: Span,
        /// The weight of a new estimate (`vegas`: 1 by default, `gradient2`: 0.2).
        pub smoothing: Share,
        /// After so many times the limit of calls, the least latency is measured anew (`vegas`); 30
        /// by default.
        pub multiplier: f64,
        /// How much longer than the average a call may take (`gradient2`); 1.5 by default.
        pub tolerance: f64,
        /// How many calls may queue (`gradient2`); 4 by default.
        pub queue: f64,
        /// Over how many samples the long average is (`gradient2`); 600 by default.
        pub window: f64,
    }
}

/// Which rule learns the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// Additive increase, multiplicative decrease.
    #[default]
    Aimd,
    /// By the queue that the smallest latency shows.
    Vegas,
    /// By the latency against its own long average.
    Gradient2,
}

/// The adaptive limit that a text means.
pub(super) fn limit(text: &LimitText, base: Option<&Limit>) -> Result<Limit, Problem> {
    let default = match (text.kind, base) {
        (None, Some(base)) => base,
        (None | Some(LimitKind::Aimd), _) => &Limit::AIMD,
        (Some(LimitKind::Vegas), _) => &Limit::VEGAS,
        (Some(LimitKind::Gradient2), _) => &Limit::GRADIENT2,
    };
    let base = limit_text(default);
    let own = base.written();
    text.only("this kind of limit", &[&own])?;
    let keys = text.clone().over(base);
    let bound = |key, value| within(key, value, 1.0, 1e9);
    let initial = bound("initial", keys.initial)?;
    let most = bound("most", keys.most)?;
    let least = within("least", keys.least.or(Some(1.0)), 1.0, most)?;
    let smoothing = keys.smoothing.map_or(0.0, |share| share.0);
    Ok(match keys.kind.unwrap_or_default() {
        LimitKind::Aimd => Limit::Aimd {
            initial,
            least,
            most,
            backoff: needed(keys.backoff, "backoff")?.0,
            timeout: needed(keys.timeout, "timeout")?,
        },
        LimitKind::Vegas => {
            let multiplier = bound("multiplier", keys.multiplier)?;
            Limit::Vegas { initial, most, smoothing, multiplier }
        }
        LimitKind::Gradient2 => Limit::Gradient2 {
            initial,
            least,
            most,
            smoothing,
            tolerance: bound("tolerance", keys.tolerance)?,
            queue: within("queue", keys.queue, 0.0, 1e9)?,
            window: bound("window", keys.window)?,
        },
    })
}

/// The text that means this limit.
pub(super) fn limit_text(limit: &Limit) -> LimitText {
    let nothing = LimitText::default();
    match *limit {
        Limit::Aimd { initial, least, most, backoff, timeout } => LimitText {
            kind: Some(LimitKind::Aimd),
            initial: Some(initial),
            least: Some(least),
            most: Some(most),
            backoff: Some(Share(backoff)),
            timeout: Some(timeout),
            ..nothing
        },
        Limit::Vegas { initial, most, smoothing, multiplier } => LimitText {
            kind: Some(LimitKind::Vegas),
            initial: Some(initial),
            most: Some(most),
            smoothing: Some(Share(smoothing)),
            multiplier: Some(multiplier),
            ..nothing
        },
        Limit::Gradient2 { initial, least, most, smoothing, tolerance, queue, window } => {
            LimitText {
                kind: Some(LimitKind::Gradient2),
                initial: Some(initial),
                least: Some(least),
                most: Some(most),
                smoothing: Some(Share(smoothing)),
                tolerance: Some(tolerance),
                queue: Some(queue),
                window: Some(window),
                ..nothing
            }
        }
    }
}
