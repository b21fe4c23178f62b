//! `backoff = …`: a series of delays, as a line of text or as a table of its numbers.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keys::{Table, at_least, lasting, needed, table, within};
use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::model::quantity::Share;
use crate::policy::backoff::{Backoff, Cap, Growth, Jitter, Rounding};

/// A series of delays: `"exponential 100ms x2 cap 5s"`, or `{ growth = "exponential", … }`. A table
/// without `growth` changes single numbers of the preset's series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BackoffText(pub BackoffKeys);

table! {
    /// The numbers of a series of delays.
    pub struct BackoffKeys {
        /// How the delays grow, before jitter.
        pub growth: GrowthText,
        /// The first delay, or the scale.
        pub base: Span,
        /// What each further delay adds under linear growth; the base by default.
        pub step: Span,
        /// What each further delay is multiplied by; 2 by default.
        pub factor: f64,
        /// The relative half-width of each step of a random walk; 0.2 by default (kafkajs).
        pub spread: Share,
        /// Seconds of randomness that each retry adds under growth by the fourth power; 10 by
        /// default (Sidekiq).
        pub width: u32,
        /// Whether that randomness is one number times the retry (Sidekiq 6); false by default.
        pub in_steps: bool,
        /// How delays are spread; none by default.
        pub jitter: JitterText,
        /// The longest delay; none by default.
        pub cap: Span,
        /// On which side of the jitter the cap is; before it by default.
        pub capped: CappedText,
        /// No delay before jitter is shorter; 0s by default.
        pub least: Span,
        /// No delay after jitter is shorter; 0s by default.
        pub floor: Span,
        /// Whether the first retry does not wait at all; false by default.
        pub first_at_once: bool,
        /// Whether the first delay is not spread (connections of grpc-go); false by default.
        pub first_exact: bool,
        /// In which unit delays are counted; exact by default.
        pub unit: Span,
        /// How delays are brought to whole units; down by default.
        pub rounding: RoundingText,
    }
}

/// How delays grow; formulas at `policy::backoff::Growth`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GrowthText {
    /// No delay.
    None,
    /// Always the base.
    Constant,
    /// The base, and a step more for each further retry.
    Linear,
    /// The base times a power of the factor.
    Exponential,
    /// The base times a power of the factor less one (Envoy as documented).
    ExponentialLessOne,
    /// A random walk from the base (AWS Architecture Blog).
    Decorrelated,
    /// Decorrelated jitter of the second kind (Polly, cockatiel).
    DecorrelatedV2,
    /// Each delay is drawn around the one before (kafkajs).
    RandomWalk,
    /// The fourth power of the retry, in seconds (Sidekiq).
    FourthPower,
}

/// How delays are spread.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum JitterText {
    /// Not at all.
    None,
    /// Anything up to the delay.
    Full,
    /// Half the delay, and anything up to the other half.
    Equal,
    /// A random walk from the base delay.
    Decorrelated,
    /// The delay plus or minus this share of it.
    Proportional(Share),
    /// The delay, or up to this share of it less.
    Down(Share),
    /// The delay, or up to this share of it more.
    Up(Share),
    /// As `up`, with whole seconds and what is below them scaled apart (tower).
    UpInParts(Share),
    /// The delay and anything up to this length.
    Plus(Span),
    /// Anything from this length to the delay (tenacity).
    From(Span),
    /// Anything up to and including the delay, in whole units.
    FullInclusive,
    /// Memoryless, with the delay as its mean.
    Exponential,
}

/// On which side of the jitter a cap is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CappedText {
    /// The delay is capped, then spread.
    BeforeJitter,
    /// The delay is spread, then capped.
    AfterJitter,
}

/// How delays are brought to whole units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RoundingText {
    /// Truncated.
    Down,
    /// To the nearest, halves up.
    Nearest,
}

/// The largest factor of a growth.
pub(super) const FACTOR_MAX: f64 = 1000.0;

const ANY: &[&str] = &[
    "growth",
    "jitter",
    "cap",
    "capped",
    "least",
    "floor",
    "first_at_once",
    "first_exact",
    "unit",
    "rounding",
];

impl GrowthText {
    /// Its name and the keys that it has.
    pub(super) const fn keys(self) -> (&'static str, &'static [&'static str]) {
        match self {
            GrowthText::None => ("none", &[]),
            GrowthText::Constant => ("constant", &["base"]),
            GrowthText::Linear => ("linear", &["base", "step"]),
            GrowthText::Exponential => ("exponential", &["base", "factor"]),
            GrowthText::ExponentialLessOne => ("exponential_less_one", &["base", "factor"]),
            GrowthText::Decorrelated => ("decorrelated", &["base"]),
            GrowthText::DecorrelatedV2 => ("decorrelated_v2", &["base", "factor"]),
            GrowthText::RandomWalk => ("random_walk", &["base", "factor", "spread"]),
            GrowthText::FourthPower => ("fourth_power", &["width", "in_steps"]),
        }
    }
}

/// The series that a text means; what it leaves out is that of `base`, unless it names a growth.
pub(super) fn compile(text: &BackoffText, base: Option<&Backoff>) -> Result<Backoff, Problem> {
    let keys = match (text.0.growth, base) {
        (None, Some(base)) => text.0.clone().over(text_of(base).0),
        _ => text.0.clone(),
    };
    let growth = needed(keys.growth, "growth")?;
    let (name, own) = growth.keys();
    keys.only(&format!("growth `{name}`"), &[own, ANY])?;
    let cap = match (keys.cap, keys.capped) {
        (None, None) => Cap::None,
        (None, Some(_)) => return needed(None, "cap"),
        (Some(cap), Some(CappedText::AfterJitter)) => Cap::AfterJitter(cap),
        (Some(cap), _) => Cap::BeforeJitter(cap),
    };
    let rounding = match (keys.unit, keys.rounding) {
        (None, None) => Rounding::Exact,
        (unit, Some(RoundingText::Nearest)) => Rounding::Nearest(lasting("unit", unit)?),
        (unit, _) => Rounding::Down(lasting("unit", unit)?),
    };
    let backoff = Backoff {
        growth: compile_growth(growth, &keys)?,
        jitter: Jitter::None,
        cap,
        least: keys.least.unwrap_or_default(),
        floor: keys.floor.unwrap_or_default(),
        first_at_once: keys.first_at_once.unwrap_or_default(),
        first_exact: keys.first_exact.unwrap_or_default(),
        rounding,
    };
    jittered(backoff, keys.jitter.unwrap_or(JitterText::None))
        .map_err(|problem| problem.inside("jitter"))
}

fn compile_growth(growth: GrowthText, keys: &BackoffKeys) -> Result<Growth, Problem> {
    let base = || needed(keys.base, "base");
    let factor = || within("factor", keys.factor.or(Some(2.0)), 1.0, FACTOR_MAX);
    Ok(match growth {
        GrowthText::None => Growth::None,
        GrowthText::Constant => Growth::Constant { delay: base()? },
        GrowthText::Linear => {
            Growth::Linear { base: base()?, step: keys.step.map_or_else(base, Ok)? }
        }
        GrowthText::Exponential => Growth::Exponential { base: base()?, factor: factor()? },
        GrowthText::ExponentialLessOne => {
            Growth::ExponentialLessOne { base: base()?, factor: factor()? }
        }
        GrowthText::Decorrelated => Growth::Decorrelated { base: base()? },
        GrowthText::DecorrelatedV2 => Growth::DecorrelatedV2 { base: base()?, factor: factor()? },
        GrowthText::RandomWalk => Growth::RandomWalk {
            base: base()?,
            factor: factor()?,
            spread: keys.spread.map_or(0.2, |spread| spread.0),
        },
        GrowthText::FourthPower => Growth::FourthPower {
            width: at_least("width", keys.width.or(Some(10)), 1)?,
            in_steps: keys.in_steps.unwrap_or_default(),
        },
    })
}

/// The series spread by this jitter.
pub(super) fn jittered(backoff: Backoff, text: JitterText) -> Result<Backoff, Problem> {
    let jitter = match text {
        JitterText::None => Jitter::None,
        JitterText::Full => Jitter::Full,
        JitterText::Equal => Jitter::Equal,
        JitterText::Proportional(share) => Jitter::Proportional(share.0),
        JitterText::Down(share) => Jitter::Down(share.0),
        JitterText::Up(share) => Jitter::Up(share.0),
        JitterText::UpInParts(share) => Jitter::UpInParts(share.0),
        JitterText::Plus(span) => Jitter::Plus(span),
        JitterText::From(span) => Jitter::From(span),
        JitterText::FullInclusive => Jitter::FullInclusive,
        JitterText::Exponential => Jitter::Exponential,
        JitterText::Decorrelated => {
            let Growth::Exponential { base, .. } = backoff.growth else {
                return Err(Problem::new("decorrelated jitter needs an exponential backoff")
                    .expected("backoff = \"exponential 100ms cap 5s\" gives its base and cap"));
            };
            let growth = Growth::Decorrelated { base };
            return Ok(Backoff { growth, jitter: Jitter::None, ..backoff });
        }
    };
    Ok(Backoff { jitter, ..backoff })
}

/// The text that means this series: every number that it has, and only those.
pub(super) fn text_of(backoff: &Backoff) -> BackoffText {
    let mut keys = BackoffKeys::default();
    let (growth, base, factor) = match backoff.growth {
        Growth::None => (GrowthText::None, None, None),
        Growth::Constant { delay } => (GrowthText::Constant, Some(delay), None),
        Growth::Linear { base, step } => {
            keys.step = (step != base).then_some(step);
            (GrowthText::Linear, Some(base), None)
        }
        Growth::Exponential { base, factor } => (GrowthText::Exponential, Some(base), Some(factor)),
        Growth::ExponentialLessOne { base, factor } => {
            (GrowthText::ExponentialLessOne, Some(base), Some(factor))
        }
        Growth::Decorrelated { base } => (GrowthText::Decorrelated, Some(base), None),
        Growth::DecorrelatedV2 { base, factor } => {
            (GrowthText::DecorrelatedV2, Some(base), Some(factor))
        }
        Growth::RandomWalk { base, factor, spread } => {
            keys.spread = Some(Share(spread));
            (GrowthText::RandomWalk, Some(base), Some(factor))
        }
        Growth::FourthPower { width, in_steps } => {
            keys.width = Some(width);
            keys.in_steps = Some(in_steps);
            (GrowthText::FourthPower, None, None)
        }
    };
    (keys.growth, keys.base, keys.factor) = (Some(growth), base, factor);
    keys.jitter = jitter_of(backoff.jitter);
    (keys.cap, keys.capped) = match backoff.cap {
        Cap::None => (None, None),
        Cap::BeforeJitter(cap) => (Some(cap), None),
        Cap::AfterJitter(cap) => (Some(cap), Some(CappedText::AfterJitter)),
    };
    keys.least = (backoff.least > Span::ZERO).then_some(backoff.least);
    keys.floor = (backoff.floor > Span::ZERO).then_some(backoff.floor);
    keys.first_at_once = backoff.first_at_once.then_some(true);
    keys.first_exact = backoff.first_exact.then_some(true);
    (keys.unit, keys.rounding) = match backoff.rounding {
        Rounding::Exact => (None, None),
        Rounding::Down(unit) => (Some(unit), None),
        Rounding::Nearest(unit) => (Some(unit), Some(RoundingText::Nearest)),
    };
    BackoffText(keys)
}

/// The text of a jitter; nothing for none.
fn jitter_of(jitter: Jitter) -> Option<JitterText> {
    Some(match jitter {
        Jitter::None => return None,
        Jitter::Full => JitterText::Full,
        Jitter::Equal => JitterText::Equal,
        Jitter::Down(share) => JitterText::Down(Share(share)),
        Jitter::Proportional(share) => JitterText::Proportional(Share(share)),
        Jitter::Up(share) => JitterText::Up(Share(share)),
        Jitter::UpInParts(share) => JitterText::UpInParts(Share(share)),
        Jitter::Plus(span) => JitterText::Plus(span),
        Jitter::From(span) => JitterText::From(span),
        Jitter::FullInclusive => JitterText::FullInclusive,
        Jitter::Exponential => JitterText::Exponential,
    })
}
