//! Hedging as it is written: `hedge = { … }`.

use super::{After, Hedge, Quantile};
use crate::kernel::quantity::{AsShare, Lasting, Whole};
use crate::kernel::time::Span;
use crate::policy::budget::Budget;
use crate::policy::keys::{Wrong, keys};
use crate::policy::outcome::{Errors, OutcomeSet};

/// The most copies of one call.
const EXTRA_MAX: u32 = 100;

keys! {
    /// `hedge = { … }`. The next copy is due after a fixed `delay`, or after the time that a
    /// `percentile` of the last calls took.
    pub struct HedgeKeys {
        /// How many copies may be sent beside the first one; 1 by default.
        extra: u32 as "Whole::<1, EXTRA_MAX>",
        /// After how long without an answer the next copy is sent.
        delay: Span,
        /// The share of the last calls that were answered by then, `"95%"`, instead of `delay`.
        percentile: f64 as "AsShare",
        /// With fewer calls than this no copy is sent; 10 by default. With `percentile`.
        minimum: u32,
        /// How long one half of the calls is collected; 30s by default. With `percentile`.
        period: Span as "Lasting",
        /// No copy is sent earlier; 0s by default. With `percentile`.
        min_delay: Span,
        /// After which outcomes the next copy is sent at once; any other error ends the call.
        /// `failed` and `rejected` by default (gRFC A6).
        at_once_on: OutcomeSet as "Errors",
        /// What limits copies over many calls; nothing by default.
        budget: Budget,
    }
}

impl TryFrom<HedgeKeys> for Hedge {
    type Error = Wrong;

    fn try_from(keys: HedgeKeys) -> Result<Hedge, Wrong> {
        let after = match (keys.delay, keys.percentile) {
            (Some(_), Some(_)) => {
                let what = "a copy is due by one rule, not two";
                return Err(Wrong::new(what, "either `delay` or `percentile`"));
            }
            (Some(delay), None) => {
                keys.only("a fixed delay", &[&["extra", "delay", "at_once_on", "budget"]])?;
                After::Fixed(delay)
            }
            (None, Some(rank)) => After::Quantile(Quantile {
                rank,
                minimum: keys.minimum.unwrap_or(10),
                period: keys.period.unwrap_or(Span::from_secs(30)),
                least: keys.min_delay.unwrap_or_default(),
            }),
            (None, None) => {
                let what = "hedging needs a time after which a copy is sent";
                return Err(Wrong::new(what, "either `delay` or `percentile`"));
            }
        };
        Ok(Hedge {
            extra: keys.extra.unwrap_or(1),
            after,
            at_once_on: keys.at_once_on.unwrap_or(OutcomeSet::FAILED.or(OutcomeSet::REJECTED)),
            budget: keys.budget,
        })
    }
}

impl From<Hedge> for HedgeKeys {
    fn from(hedge: Hedge) -> HedgeKeys {
        let after = match hedge.after {
            After::Fixed(delay) => HedgeKeys { delay: Some(delay), ..HedgeKeys::default() },
            After::Quantile(Quantile { rank, minimum, period, least }) => HedgeKeys {
                percentile: Some(rank),
                minimum: Some(minimum),
                period: Some(period),
                min_delay: Some(least),
                ..HedgeKeys::default()
            },
        };
        HedgeKeys {
            extra: Some(hedge.extra),
            at_once_on: Some(hedge.at_once_on),
            budget: hedge.budget,
            ..after
        }
    }
}
