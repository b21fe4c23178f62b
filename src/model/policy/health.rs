//! What a client learns of the health of its servers: `throttling`, `adaptive`, `outlier`.

use super::keys::{Table, at_least, lasting, needed, table, within};
use super::outcomes::{OutcomeText, errors, list, outcomes};
use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::model::quantity::{Rate, Share};
use crate::policy::adaptive::Adaptive;
use crate::policy::outlier::{Outlier, Sweep};
use crate::policy::throttling::{Formula, Throttling};

table! {
    /// `throttling = { … }`: the client rejects attempts itself when the server rejects many. By
    /// `k` (Google SRE book), `success_rate` (Envoy admission control) or `average` (Finagle).
    pub struct ThrottlingText {
        /// How many requests may go to the server for each that it accepts; 2 by default.
        pub k: f64,
        /// The success rate below which rejection begins, instead of `k`.
        pub success_rate: Share,
        /// The exponent of rejection; 1 by default. With `success_rate`.
        pub aggression: f64,
        /// The moving average of acceptance below which rejection begins, instead of `k`.
        pub average: Share,
        /// What counts as accepted; all but `rejected`, `throttled` and `timed_out` by default.
        pub accepted: Vec<OutcomeText>,
        /// How far back requests are counted, and the time constant of `average`; 2min by default.
        pub window: Span,
        /// In how many parts; 120 by default.
        pub buckets: u32,
        /// The largest probability of a rejection; 1 by default.
        pub most: Share,
        /// With fewer requests nothing is rejected; 0/s by default.
        pub least_rate: Rate,
    }
}

/// The throttling that a text means.
pub(super) fn throttling(
    text: &ThrottlingText,
    base: Option<&Throttling>,
) -> Result<Throttling, Problem> {
    let base = throttling_text(base.unwrap_or(&Throttling::GOOGLE_SRE));
    let by_rate = text.success_rate.is_some() || text.aggression.is_some();
    if [text.k.is_some(), by_rate, text.average.is_some()].iter().filter(|named| **named).count()
        > 1
    {
        return Err(Problem::new("throttling has one formula, not two")
            .expected("one of `k`, `success_rate` and `average`"));
    }
    let other = text.k.is_some() || text.average.is_some();
    let by_rate = by_rate || !other && base.success_rate.is_some();
    let by_average = text.average.is_some() || !by_rate && text.k.is_none() && base.k.is_none();
    let keys = text.clone().over(base);
    let formula = if by_rate {
        Formula::SuccessRate {
            rate: within("success_rate", keys.success_rate.map(|rate| rate.0), 1e-6, 1.0)?,
            aggression: within("aggression", keys.aggression.or(Some(1.0)), 1e-3, 1e3)?,
        }
    } else if by_average {
        let threshold = keys.average.map(|average| average.0);
        Formula::Average { threshold: within("average", threshold, 1e-6, 1.0)? }
    } else {
        text.only(
            "throttling by `k`",
            &[&["k", "accepted", "window", "buckets", "most", "least_rate"]],
        )?;
        Formula::Multiplier { k: within("k", keys.k, 1.0, 1e6)? }
    };
    let window = lasting("window", keys.window)?;
    let buckets = at_least("buckets", keys.buckets, 1)?;
    if buckets > 100_000 || window.0 < u64::from(buckets) {
        return Err(Problem::new(format!("`buckets` cannot be {buckets}"))
            .expected("at most 100000, and no more than the window has nanoseconds")
            .inside("buckets"));
    }
    Ok(Throttling {
        formula,
        accepted: outcomes(&needed(keys.accepted, "accepted")?),
        window,
        buckets,
        most: needed(keys.most, "most")?.0,
        least_rate: needed(keys.least_rate, "least_rate")?.per_second,
    })
}

/// The text that means this throttling.
pub(super) fn throttling_text(rule: &Throttling) -> ThrottlingText {
    let nothing = ThrottlingText::default();
    let formula = match rule.formula {
        Formula::Multiplier { k } => ThrottlingText { k: Some(k), ..nothing },
        Formula::SuccessRate { rate, aggression } => ThrottlingText {
            success_rate: Some(Share(rate)),
            aggression: Some(aggression),
            ..nothing
        },
        Formula::Average { threshold } => {
            ThrottlingText { average: Some(Share(threshold)), ..nothing }
        }
    };
    ThrottlingText {
        accepted: Some(list(rule.accepted)),
        window: Some(rule.window),
        buckets: Some(rule.buckets),
        most: Some(Share(rule.most)),
        least_rate: Some(Rate { per_second: rule.least_rate }),
        ..formula
    }
}

table! {
    /// `adaptive = { … }`: the rate limiter of AWS adaptive mode, which delays attempts after
    /// throttling. Defaults are those of botocore.
    pub struct AdaptiveText {
        /// The rate before the first answer; 1/s by default.
        pub initial_rate: Rate,
        /// Whether the bucket fills from its first use instead of from the start; false by default.
        pub clock_starts_at_first_use: bool,
        /// Whether rates are rounded to eight decimals (JavaScript); false by default.
        pub rounds: bool,
    }
}

/// The limiter that a text means.
pub(super) fn adaptive(text: &AdaptiveText, base: Option<&Adaptive>) -> Result<Adaptive, Problem> {
    let keys = text.clone().over(adaptive_text(base.unwrap_or(&Adaptive::BOTOCORE)));
    let rate = keys.initial_rate.map(|rate| rate.per_second);
    Ok(Adaptive {
        initial_rate: within("initial_rate", rate, 1e-4, 1e9)?,
        clock_starts_at_first_use: keys.clock_starts_at_first_use.unwrap_or_default(),
        rounds: keys.rounds.unwrap_or_default(),
    })
}

/// The text that means this limiter.
pub(super) fn adaptive_text(rule: &Adaptive) -> AdaptiveText {
    AdaptiveText {
        initial_rate: Some(Rate { per_second: rule.initial_rate }),
        clock_starts_at_first_use: Some(rule.clock_starts_at_first_use),
        rounds: Some(rule.rounds),
    }
}

table! {
    /// `outlier = { … }`: instances that fail get no attempts for a while. Defaults are those of
    /// Envoy without its sweeps.
    pub struct OutlierText {
        /// What is a failure; `failed`, `rejected` and `timed_out` by default.
        pub failures: Vec<OutcomeText>,
        /// So many failures in a row eject at once; 0 is never; 5 by default.
        pub consecutive: u32,
        /// An instance is ejected whose success rate is so many standard deviations below the mean;
        /// none is by default.
        pub deviations: f64,
        /// With fewer instances of enough calls than this no deviation is judged; 5 by default.
        pub deviation_hosts: u32,
        /// The calls in an interval that are enough; 100 by default.
        pub deviation_calls: u32,
        /// An instance is ejected that fails in this share of its calls; none is by default.
        pub failure_share: Share,
        /// With fewer instances of enough calls than this no share is judged; 5 by default.
        pub share_hosts: u32,
        /// The calls in an interval that are enough; 50 by default.
        pub share_calls: u32,
        /// How often instances are judged and come back; 10s by default.
        pub interval: Span,
        /// How long a first ejection lasts; the n-th lasts n times as long; 30s by default.
        pub base: Span,
        /// The longest ejection; 5min by default.
        pub longest: Span,
        /// The largest share of the instances that may be ejected; 10 % by default.
        pub most_ejected: Share,
        /// Whether that share counts the instance that is about to go (Envoy since 1.31); true by
        /// default: then fewer than ten instances at 10 % never lose one.
        pub counts_itself: bool,
        /// Whether one instance may always be ejected (gRPC); false by default.
        pub always_one: bool,
        /// With a smaller share of healthy instances every one gets attempts; 50 % by default.
        pub panic: Share,
    }
}

/// The ejection that a text means.
pub(super) fn outlier(text: &OutlierText, base: Option<&Outlier>) -> Result<Outlier, Problem> {
    let default = Outlier { deviations: None, ..Outlier::ENVOY };
    let keys = text.clone().over(outlier_text(base.unwrap_or(&default)));
    let deviations = match keys.deviations {
        None => None,
        Some(_) => Some(within("deviations", keys.deviations, 0.0, 1e3)?),
    };
    let sweep = |hosts: Option<u32>, volume: Option<u32>, enough| Sweep {
        hosts: hosts.unwrap_or(5),
        volume: volume.unwrap_or(enough),
    };
    Ok(Outlier {
        failures: errors("failures", &needed(keys.failures, "failures")?)?,
        consecutive: needed(keys.consecutive, "consecutive")?,
        deviations: deviations
            .map(|deviations| (deviations, sweep(keys.deviation_hosts, keys.deviation_calls, 100))),
        failure_share: keys
            .failure_share
            .map(|share| (share.0, sweep(keys.share_hosts, keys.share_calls, 50))),
        interval: lasting("interval", keys.interval)?,
        base: needed(keys.base, "base")?,
        longest: needed(keys.longest, "longest")?,
        most_ejected: needed(keys.most_ejected, "most_ejected")?.0,
        counts_itself: needed(keys.counts_itself, "counts_itself")?,
        always_one: needed(keys.always_one, "always_one")?,
        panic: needed(keys.panic, "panic")?.0,
    })
}

/// The text that means this ejection.
pub(super) fn outlier_text(rule: &Outlier) -> OutlierText {
    OutlierText {
        failures: Some(list(rule.failures)),
        consecutive: Some(rule.consecutive),
        deviations: rule.deviations.map(|(deviations, _)| deviations),
        deviation_hosts: rule.deviations.map(|(_, sweep)| sweep.hosts),
        deviation_calls: rule.deviations.map(|(_, sweep)| sweep.volume),
        failure_share: rule.failure_share.map(|(share, _)| Share(share)),
        share_hosts: rule.failure_share.map(|(_, sweep)| sweep.hosts),
        share_calls: rule.failure_share.map(|(_, sweep)| sweep.volume),
        interval: Some(rule.interval),
        base: Some(rule.base),
        longest: Some(rule.longest),
        most_ejected: Some(Share(rule.most_ejected)),
        counts_itself: Some(rule.counts_itself),
        always_one: Some(rule.always_one),
        panic: Some(Share(rule.panic)),
    }
}
