//! `hedge = { … }`: what sends a further copy of a slow attempt.

use super::budget::{self, BudgetText};
use super::keys::{Table, at_least, lasting, needed, table};
use super::outcomes::{OutcomeText, errors, list};
use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::model::quantity::Share;
use crate::policy::OutcomeSet;
use crate::policy::hedge::{After, Hedge, Quantile};

table! {
    /// `hedge = { … }`. The next copy is due after a fixed `delay`, or after the time that a
    /// `percentile` of the last calls took.
    pub struct HedgeText {
        /// How many copies may be sent beside the first one; 1 by default.
        pub extra: u32,
        /// After how long without an answer the next copy is sent.
        pub delay: Span,
        /// The share of the last calls that were answered by then, `"95%"`, instead of `delay`.
        pub percentile: Share,
        /// With fewer calls than this no copy is sent; 10 by default. With `percentile`.
        pub minimum: u32,
        /// How long one half of the calls is collected; 30s by default. With `percentile`.
        pub period: Span,
        /// No copy is sent earlier; 0s by default. With `percentile`.
        pub least: Span,
        /// After which outcomes the next copy is sent at once; any other error ends the call.
        /// `failed` and `rejected` by default (gRFC A6).
        pub at_once_on: Vec<OutcomeText>,
        /// What limits copies over many calls; nothing by default.
        pub budget: BudgetText,
    }
}

/// The most copies of one call.
const EXTRA_MAX: u32 = 100;

/// The hedging that a text means.
pub(super) fn compile(text: &HedgeText, base: Option<&Hedge>) -> Result<Hedge, Problem> {
    if text.delay.is_some() && text.percentile.is_some() {
        return Err(Problem::new("a copy is due by one rule, not two")
            .expected("either `delay` or `percentile`"));
    }
    let named = text.delay.is_some() || text.percentile.is_some();
    let base_text = base.map(text_of).map(|base| HedgeText {
        budget: None,
        delay: base.delay.filter(|_| text.percentile.is_none()),
        percentile: base.percentile.filter(|_| text.delay.is_none()),
        ..base
    });
    let keys = text.clone().over(base_text.unwrap_or_default());
    if !named && base.is_none() {
        return Err(Problem::new("hedging needs a time after which a copy is sent")
            .expected("either `delay` or `percentile`"));
    }
    let extra = at_least("extra", keys.extra.or(Some(1)), 1)?;
    if extra > EXTRA_MAX {
        return Err(Problem::new(format!("`extra` cannot be {extra}"))
            .expected(format!("at most {EXTRA_MAX}"))
            .inside("extra"));
    }
    let after = match (keys.delay, keys.percentile) {
        (Some(delay), _) => {
            text.only("a fixed delay", &[&["extra", "delay", "at_once_on", "budget"]])?;
            After::Fixed(delay)
        }
        (None, percentile) => After::Quantile(Quantile {
            rank: needed(percentile, "percentile")?.0,
            minimum: keys.minimum.unwrap_or(10),
            period: lasting("period", keys.period.or(Some(Span::from_secs(30))))?,
            least: keys.least.unwrap_or_default(),
        }),
    };
    let at_once_on = match &keys.at_once_on {
        Some(outcomes) => errors("at_once_on", outcomes)?,
        None => OutcomeSet::FAILED.or(OutcomeSet::REJECTED),
    };
    let base_budget = base.and_then(|base| base.budget);
    let budget = match &text.budget {
        Some(budget) => Some(
            budget::compile(budget, base_budget.as_ref())
                .map_err(|problem| problem.inside("budget"))?,
        ),
        None => base_budget,
    };
    Ok(Hedge { extra, after, at_once_on, budget })
}

/// The text that means this hedging.
pub(super) fn text_of(hedge: &Hedge) -> HedgeText {
    let (delay, quantile) = match hedge.after {
        After::Fixed(delay) => (Some(delay), None),
        After::Quantile(quantile) => (None, Some(quantile)),
    };
    HedgeText {
        extra: Some(hedge.extra),
        delay,
        percentile: quantile.map(|quantile| Share(quantile.rank)),
        minimum: quantile.map(|quantile| quantile.minimum),
        period: quantile.map(|quantile| quantile.period),
        least: quantile.map(|quantile| quantile.least),
        at_once_on: Some(list(hedge.at_once_on)),
        budget: hedge.budget.as_ref().map(budget::text_of),
    }
}
