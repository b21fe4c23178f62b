//! How long to wait before a retry: growth, jitter, cap, rounding. One draw per retry, inverted.
//!
//! The names full, equal and decorrelated are those of the
//! AWS Architecture Blog ("Exponential Backoff And Jitter", aws-samples/aws-arch-backoff-simulator,
//! `src/backoff_simulator.py`).

mod text;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keys::Wrong;
use crate::kernel::draw::Draw;
use crate::kernel::quantity::AsShare;
use crate::kernel::time::Span;

pub use text::{BackoffKeys, Capped, GrowthKey, RoundingKey};

/// How the delay before the n-th retry grows before jitter, n = 1 for the first retry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Growth {
    /// No delay.
    None,
    /// Always the same delay.
    Constant {
        /// The delay.
        delay: Span,
    },
    /// `base + (n - 1) * step`.
    Linear {
        /// The first delay.
        base: Span,
        /// What each further retry adds.
        step: Span,
    },
    /// `base * factor^(n - 1)`.
    Exponential {
        /// The first delay.
        base: Span,
        /// What each further retry multiplies by.
        factor: f64,
    },
    /// `base * (factor^n - 1)`: Envoy as it is documented, and as it was before 1.18.
    ExponentialLessOne {
        /// The scale.
        base: Span,
        /// What each further retry multiplies by.
        factor: f64,
    },
    /// `base + u * (3 * previous - base)` with previous = base at first; ignores n. Its randomness
    /// is its own: leave the jitter at `None`.
    Decorrelated {
        /// The smallest delay and the start of the walk.
        base: Span,
    },
    /// `(curve(t) - previous curve) / 1.4 * base`, `t = n - 1 + u`,
    /// `curve(t) = factor^t * tanh(sqrt(4 t))`: decorrelated jitter version 2 of Polly
    /// (App-vNext/Polly, `RetryHelper.cs`) and cockatiel (`generators.ts`). Leave the jitter at
    /// `None`.
    DecorrelatedV2 {
        /// The scale: the median of the first delay is about this long.
        base: Span,
        /// The base of the power; Polly has 2.
        factor: f64,
    },
    /// `previous * (1 - spread + 2 * spread * u) * factor`: each delay is drawn around the one
    /// before, so jitter compounds (tulios/kafkajs, `src/retry/index.js`). The first delay is
    /// `base` times the factor of no retry: exactly `base` jittered. Leave the jitter at `None`.
    RandomWalk {
        /// The centre of the first delay.
        base: Span,
        /// What each retry multiplies the previous delay by.
        factor: f64,
        /// The relative half-width of each step.
        spread: f64,
    },
    /// `(n - 1)^4 + 15 + rand(width * n)` seconds: Sidekiq (`lib/sidekiq/job_retry.rb`). Leave the
    /// jitter at `None`.
    FourthPower {
        /// How many seconds of randomness each retry adds.
        width: u32,
        /// Whether the randomness is `rand(width) * n` instead (Sidekiq 6).
        in_steps: bool,
    },
}

/// How a delay `e` is spread by one uniform draw `u` in [0, 1).
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Jitter {
    /// Not at all: `e`.
    None,
    /// Anything up to the delay: `u * e`.
    Full,
    /// Half the delay, and anything up to the other half: `e/2 + u * e/2`.
    Equal,
    /// A random walk from the base delay, instead of exponential growth: a series that is read has
    /// [`Growth::Decorrelated`] for it.
    Decorrelated,
    /// The delay plus or minus this share of it: `e * (1 - j + 2 * j * u)`.
    Proportional(#[serde(with = "AsShare")] f64),
    /// The delay, or up to this share of it less: `e * (1 - j) + u * e * j`.
    Down(#[serde(with = "AsShare")] f64),
    /// The delay, or up to this share of it more: `e * (1 + j * u)`.
    Up(#[serde(with = "AsShare")] f64),
    /// As `up`, with whole seconds and the nanoseconds below them scaled and truncated apart
    /// (tower, `src/retry/backoff.rs`).
    UpInParts(#[serde(with = "AsShare")] f64),
    /// The delay and anything up to this length: `e + u * J`.
    Plus(Span),
    /// Anything from this length to the delay: `low + u * (e - low)` (tenacity
    /// `wait_random_exponential`).
    From(Span),
    /// Anything up to and including the delay, in whole units: `u * (e + one unit)`, truncated.
    FullInclusive,
    /// Memoryless, with the delay as its mean: `-ln(1 - u) * e`, as in the theory of retrial queues
    /// (Falin, Templeton: "Retrial Queues", 1997, section 1.2).
    Exponential,
}

/// The longest delay, and on which side of the jitter it is applied.
///
/// Cap then jitter keeps the spread at the cap; with a jitter that makes longer (`Proportional`,
/// `Up`, `Plus`) the jitter is then outside the cap and a delay may exceed it. Jitter then cap
/// piles the mass up on the cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cap {
    /// Never capped.
    None,
    /// `jitter(min(e, cap))`.
    BeforeJitter(Span),
    /// `min(jitter(e), cap)`.
    AfterJitter(Span),
}

/// To which whole multiple of a unit a jittered delay is brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Whole nanoseconds, truncated.
    Exact,
    /// Truncated to whole units.
    Down(Span),
    /// Rounded to the nearest whole unit, halves up.
    Nearest(Span),
}

/// A series of delays: what a client waits before its first, second, n-th retry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// How it grows.
    pub growth: Growth,
    /// How it is spread.
    pub jitter: Jitter,
    /// Its longest delay.
    pub cap: Cap,
    /// No delay before jitter is shorter than this (tenacity `min`).
    pub min: Span,
    /// No delay after jitter is shorter than this (Stripe).
    pub floor: Span,
    /// Whether the first retry does not wait at all (urllib3, azure-core).
    pub first_at_once: bool,
    /// Whether the first delay is not jittered (the connections of grpc-go).
    pub first_exact: bool,
    /// In which unit delays are counted.
    pub rounding: Rounding,
}

/// What a series remembers between the retries of one request.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Memory(f64);

impl Backoff {
    /// No delay at all.
    pub const NONE: Backoff = Backoff::growing(Growth::None);

    /// A series with this growth, without jitter, cap and rounding.
    #[must_use]
    pub const fn growing(growth: Growth) -> Backoff {
        Backoff {
            growth,
            jitter: Jitter::None,
            cap: Cap::None,
            min: Span::ZERO,
            floor: Span::ZERO,
            first_at_once: false,
            first_exact: false,
            rounding: Rounding::Exact,
        }
    }

    /// Always the same delay.
    #[must_use]
    pub const fn constant(delay: Span) -> Backoff {
        Backoff::growing(Growth::Constant { delay })
    }

    /// `base * factor^(n - 1)`.
    #[must_use]
    pub const fn exponential(base: Span, factor: f64) -> Backoff {
        Backoff::growing(Growth::Exponential { base, factor })
    }

    /// The series with this jitter.
    #[must_use]
    pub const fn jittered(self, jitter: Jitter) -> Backoff {
        Backoff { jitter, ..self }
    }

    /// The series spread by a jitter as it is written.
    ///
    /// # Errors
    /// If the jitter is decorrelated and the growth is not exponential.
    pub fn spread_by(self, jitter: Jitter) -> Result<Backoff, Wrong> {
        match (jitter, self.growth) {
            (Jitter::Decorrelated, Growth::Exponential { base, .. }) => {
                let growth = Growth::Decorrelated { base };
                Ok(Backoff { growth, jitter: Jitter::None, ..self })
            }
            (Jitter::Decorrelated, _) => Err(Wrong::new(
                "decorrelated jitter needs an exponential backoff",
                "backoff = \"exponential 100ms cap 5s\" gives its base and cap",
            )),
            _ => Ok(Backoff { jitter, ..self }),
        }
    }

    /// The series capped before jitter.
    #[must_use]
    pub const fn capped(self, cap: Span) -> Backoff {
        Backoff { cap: Cap::BeforeJitter(cap), ..self }
    }

    /// The series capped after jitter.
    #[must_use]
    pub const fn capped_after_jitter(self, cap: Span) -> Backoff {
        Backoff { cap: Cap::AfterJitter(cap), ..self }
    }

    /// The series counted in whole `unit`s, truncated.
    #[must_use]
    pub const fn truncated_to(self, unit: Span) -> Backoff {
        Backoff { rounding: Rounding::Down(unit), ..self }
    }

    /// Whether two requests may wait differently before the same retry.
    #[must_use]
    pub const fn is_jittered(&self) -> bool {
        let random_growth = matches!(
            self.growth,
            Growth::Decorrelated { .. }
                | Growth::DecorrelatedV2 { .. }
                | Growth::RandomWalk { .. }
                | Growth::FourthPower { .. }
        );
        random_growth || !matches!(self.jitter, Jitter::None)
    }

    /// The first delay, or the scale, of a growth that has one.
    #[must_use]
    pub const fn base(&self) -> Option<Span> {
        match self.growth {
            Growth::None | Growth::FourthPower { .. } => None,
            Growth::Constant { delay: base }
            | Growth::Linear { base, .. }
            | Growth::Exponential { base, .. }
            | Growth::ExponentialLessOne { base, .. }
            | Growth::Decorrelated { base }
            | Growth::DecorrelatedV2 { base, .. }
            | Growth::RandomWalk { base, .. } => Some(base),
        }
    }

    /// The delay before retry `retry` (1 is the first); 0 counts as 1.
    ///
    /// `memory` starts at its default for each request and is what the walks keep. A delay beyond
    /// 2^64 nanoseconds (584 years) is [`Span::MAX`].
    pub fn delay(&self, retry: u32, memory: &mut Memory, draw: Draw) -> Span {
        let unit = self.unit();
        let u = draw.unit();
        let cap = match self.cap {
            Cap::None => f64::INFINITY,
            Cap::BeforeJitter(cap) | Cap::AfterJitter(cap) => count(cap, unit),
        };
        let grown = self.grown(retry.max(1), memory, u, cap, unit).max(count(self.min, unit));
        let before = matches!(self.cap, Cap::BeforeJitter(_));
        let bounded = if before { grown.min(cap) } else { grown };
        let exact = self.first_exact && retry <= 1;
        let jittered = if exact { bounded } else { self.jitter.apply(bounded, u, unit) };
        let rounded = match self.rounding {
            Rounding::Exact => jittered,
            Rounding::Down(_) => libm::floor(jittered),
            Rounding::Nearest(_) => libm::floor(jittered + 0.5),
        };
        let capped = if before { rounded } else { rounded.min(cap) };
        if self.first_at_once && retry <= 1 {
            return Span::ZERO;
        }
        Span::from_nanos_f64(capped.max(count(self.floor, unit)) * unit)
    }

    /// The nanoseconds in which this series counts.
    fn unit(&self) -> f64 {
        match self.rounding {
            Rounding::Exact => 1.0,
            Rounding::Down(unit) | Rounding::Nearest(unit) => unit.0 as f64,
        }
    }

    /// The delay before jitter and cap, in units.
    fn grown(&self, retry: u32, memory: &mut Memory, u: f64, cap: f64, unit: f64) -> f64 {
        let step = f64::from(retry - 1);
        match self.growth {
            Growth::None => 0.0,
            Growth::Constant { delay } => count(delay, unit),
            Growth::Linear { base, step: each } => count(base, unit) + step * count(each, unit),
            Growth::Exponential { base, factor } => count(base, unit) * libm::pow(factor, step),
            Growth::ExponentialLessOne { base, factor } => {
                count(base, unit) * (libm::pow(factor, step + 1.0) - 1.0)
            }
            Growth::Decorrelated { base } => {
                let base = count(base, unit);
                let previous = if memory.0 == 0.0 { base } else { memory.0 };
                memory.0 = (base + u * (3.0 * previous - base)).min(cap);
                memory.0
            }
            Growth::DecorrelatedV2 { base, factor } => {
                let next = curve(factor, step + u);
                let rise = (next - memory.0).max(0.0);
                memory.0 = next;
                rise / 1.4 * count(base, unit)
            }
            Growth::RandomWalk { base, factor, spread } => {
                let centre = if memory.0 == 0.0 { count(base, unit) } else { memory.0 * factor };
                memory.0 = (centre * (1.0 - spread + 2.0 * spread * u)).min(cap);
                memory.0
            }
            Growth::FourthPower { width, in_steps } => {
                let second = 1e9 / unit;
                let (width, retry) = (f64::from(width), step + 1.0);
                let random = if in_steps {
                    libm::floor(u * width) * retry
                } else {
                    libm::floor(u * (width * retry))
                };
                (step * step * step * step + 15.0 + random) * second
            }
        }
    }
}

impl Jitter {
    /// The delay `e` spread by `u`; all in units of `unit` nanoseconds.
    fn apply(self, e: f64, u: f64, unit: f64) -> f64 {
        match self {
            // The walk is a growth of its own.
            Jitter::None | Jitter::Decorrelated => e,
            Jitter::Full => u * e,
            Jitter::Equal => e / 2.0 + u * (e / 2.0),
            Jitter::Down(j) => u * e * j + e * (1.0 - j),
            Jitter::Proportional(j) => e * (1.0 - j + 2.0 * j * u),
            Jitter::Up(j) => e * (1.0 + j * u),
            Jitter::UpInParts(j) => {
                let second = 1e9 / unit;
                let whole = libm::floor(e / second);
                let below = e - whole * second;
                e + libm::floor(whole * (u * j)) * second + libm::floor(below * (u * j))
            }
            Jitter::Plus(most) => e + u * count(most, unit),
            Jitter::From(low) => count(low, unit) + u * (e - count(low, unit)),
            Jitter::FullInclusive => u * (e + 1.0),
            Jitter::Exponential => -libm::log(1.0 - u) * e,
        }
    }
}

/// How many units of `unit` nanoseconds `span` is; no limit stays no limit.
fn count(span: Span, unit: f64) -> f64 {
    if span == Span::MAX { f64::INFINITY } else { span.0 as f64 / unit }
}

/// The curve of decorrelated jitter version 2.
fn curve(factor: f64, t: f64) -> f64 {
    libm::pow(factor, t) * libm::tanh(libm::sqrt(4.0 * t))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(backoff: &Backoff, unit: f64, retries: u32) -> Vec<f64> {
        let mut memory = Memory::default();
        (1..=retries)
            .map(|n| backoff.delay(n, &mut memory, Draw::from_unit(unit)).millis())
            .collect()
    }

    #[test]
    fn growth_follows_its_formula() {
        let base = Span::from_millis(100);
        assert_eq!(delays(&Backoff::NONE, 0.5, 2), [0.0, 0.0]);
        assert_eq!(delays(&Backoff::constant(base), 0.5, 2), [100.0, 100.0]);
        let linear = Backoff::growing(Growth::Linear { base, step: Span::from_millis(50) });
        assert_eq!(delays(&linear, 0.5, 3), [100.0, 150.0, 200.0]);
        assert_eq!(delays(&Backoff::exponential(base, 3.0), 0.5, 3), [100.0, 300.0, 900.0]);
        let walk = Backoff::growing(Growth::Decorrelated { base }).capped(Span::from_secs(1));
        assert_eq!(delays(&walk, 0.5, 3), [200.0, 350.0, 575.0]);
    }

    #[test]
    fn sidekiq_waits_by_the_fourth_power() {
        let series = |in_steps| Backoff::growing(Growth::FourthPower { width: 10, in_steps });
        let seconds: Vec<f64> =
            delays(&series(false), 0.55, 3).iter().map(|millis| millis / 1e3).collect();
        assert_eq!(seconds, [20.0, 27.0, 47.0]);
        let seconds: Vec<f64> =
            delays(&series(true), 0.55, 3).iter().map(|millis| millis / 1e3).collect();
        assert_eq!(seconds, [20.0, 26.0, 46.0]);
    }

    #[test]
    fn the_cap_is_before_or_after_the_jitter() {
        let series = Backoff::exponential(Span::from_millis(100), 2.0).jittered(Jitter::Up(1.0));
        assert_eq!(delays(&series.capped(Span::from_millis(150)), 0.5, 2), [150.0, 225.0]);
        assert_eq!(
            delays(&series.capped_after_jitter(Span::from_millis(150)), 0.5, 2),
            [150.0, 150.0]
        );
    }

    #[test]
    fn the_first_delay_may_be_exact() {
        let series = Backoff::exponential(Span::from_secs(1), 1.6).jittered(Jitter::Full);
        let series = Backoff { first_exact: true, ..series };
        assert_eq!(delays(&series, 0.5, 2), [1_000.0, 800.0]);
    }

    #[test]
    fn no_delay_is_infinite() {
        let series = Backoff::exponential(Span::from_secs(1), 2.0).jittered(Jitter::Full);
        assert_eq!(series.delay(5_000, &mut Memory::default(), Draw::from_unit(0.5)), Span::MAX);
    }
}
