//! From numbers to pixels, and the numbers worth a tick.

use crate::report::number::{Unit, exponent, fixed, written};

/// An axis: the interval of numbers it covers and where on the sheet it lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    /// The smallest number.
    pub(super) low: f64,
    /// The largest number.
    pub(super) high: f64,
    /// The pixel of the smallest number.
    pub(super) start: f64,
    /// The pixel of the largest number.
    pub(super) end: f64,
    /// Whether equal distances are equal ratios.
    pub(super) log: bool,
}

impl Scale {
    /// The pixel of `value`, which is moved into the axis where it lies outside.
    pub(super) fn at(&self, value: f64) -> f64 {
        self.start + (self.end - self.start) * self.part(value)
    }

    /// How far along the axis `value` lies: 0 at its start, 1 at its end.
    pub(super) fn part(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        if self.log {
            libm::log(value / self.low) / libm::log(self.high / self.low)
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }

    /// The pixel in its middle.
    pub(super) fn middle(&self) -> f64 {
        f64::midpoint(self.start, self.end)
    }

    /// Whether `value` lies on the axis.
    pub(super) fn covers(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// A tick: where, and what is written there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    /// The number.
    pub(super) at: f64,
    pub(super) text: String,
}

/// The smallest and the largest of the finite numbers, if there is any.
pub(super) fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|v| v.is_finite()).fold(None, |range, v| match range {
        None => Some((v, v)),
        Some((low, high)) => Some((low.min(v), high.max(v))),
    })
}

/// About `count` round numbers a constant step apart that enclose `low..=high`.
pub(super) fn enclosing(low: f64, high: f64, count: usize, unit: Unit) -> Vec<Tick> {
    let high = if high > low { high } else { low + 1.0 };
    let step = step(high - low, count);
    let first = (low / step + 1e-9).floor();
    let last = (high / step - 1e-9).ceil().max(first + 1.0);
    linear(first, last, step, unit)
}

/// About `count` round numbers a constant step apart within `low..=high`.
pub(super) fn within(low: f64, high: f64, count: usize, unit: Unit) -> Vec<Tick> {
    let high = if high > low { high } else { low + 1.0 };
    let step = step(high - low, count);
    linear((low / step - 1e-9).ceil(), (high / step + 1e-9).floor(), step, unit)
}

/// At most `count` round numbers within `low..=high`, for an axis of equal ratios; where `count` is
/// below five, it may take up to five to have three.
pub(super) fn ratios(low: f64, high: f64, count: usize, unit: Unit) -> Vec<Tick> {
    const SETS: [&[f64]; 5] = [
        &[1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0],
        &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
        &[1.0, 2.0, 5.0],
        &[1.0, 3.0],
        &[1.0],
    ];
    let decades = exponent(low, 17)..=exponent(high, 17);
    let every = |set: &[f64], decade: usize| -> Vec<Tick> {
        let decades = decades.clone().filter(|e| e.rem_euclid(decade as i32) == 0);
        decades
            .flat_map(|e| set.iter().map(move |m| m * libm::pow(10.0, f64::from(e))))
            .filter(|v| (low * (1.0 - 1e-9)..=high * (1.0 + 1e-9)).contains(v))
            .map(|at| Tick { at, text: shortest(at, unit) })
            .collect()
    };
    let sparser = (2..=decades.clone().count()).map(|decade| every(&[1.0], decade));
    let all = SETS.iter().map(|set| every(set, 1)).chain(sparser);
    let mut sparsest = None;
    for ticks in all.filter(|ticks| ticks.len() >= 3) {
        if ticks.len() <= count {
            return ticks;
        }
        sparsest = Some(ticks);
    }
    // Over a short range ratios are nearly differences, and a constant step gives enough ticks.
    sparsest.unwrap_or_else(|| within(low, high, count.min(6), unit))
}

/// A round number without trailing zeros: `1.5×`.
fn shortest(value: f64, unit: Unit) -> String {
    let written = written(value, unit);
    let digits = fixed(value * written.factor, 6);
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    format!("{digits}{}", written.suffix)
}

/// A round step that cuts `range` into at most about `count` pieces.
fn step(range: f64, count: usize) -> f64 {
    let least = range / count.max(1) as f64;
    let decade = libm::pow(10.0, f64::from(exponent(least, 17)));
    let factor = [1.0, 2.0, 5.0].into_iter().find(|f| f * decade >= least * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * decade
}

fn linear(first: f64, last: f64, step: f64, unit: Unit) -> Vec<Tick> {
    let written = written((last * step).abs().max((first * step).abs()), unit);
    let decimals = usize::try_from(-exponent(step * written.factor, 3)).unwrap_or(0);
    let count = (last - first).max(-1.0) as usize + 1;
    (0..count)
        .map(|index| {
            let at = (first + index as f64) * step;
            let digits = fixed(at * written.factor, if at == 0.0 { 0 } else { decimals });
            // "0k" says no more than "0".
            let bare = at == 0.0 && matches!(unit, Unit::Plain);
            Tick { at, text: if bare { digits } else { digits + written.suffix } }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(ticks: &[Tick]) -> String {
        ticks.iter().map(|tick| tick.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ticks_are_round_and_short() {
        let cases = [
            (enclosing(0.0, 131.0, 4, Unit::Plain), "0 50 100 150"),
            (enclosing(0.0, 1_000.0, 4, Unit::Plain), "0 500 1,000"),
            (enclosing(0.0, 31_000.0, 4, Unit::Plain), "0 10k 20k 30k 40k"),
            (enclosing(0.0, 1.4e6, 4, Unit::Plain), "0 0.5M 1.0M 1.5M"),
            (enclosing(0.0, 0.6, 4, Unit::Plain), "0 0.2 0.4 0.6"),
            (enclosing(0.83, 1.0, 5, Unit::Percent), "80% 85% 90% 95% 100%"),
            (enclosing(0.0, 0.0, 4, Unit::Plain), "0 0.5 1.0"),
            (within(0.0, 110.0, 6, Unit::Plain), "0 20 40 60 80 100"),
            (within(1.0, 3.0, 4, Unit::Times), "1.0× 1.5× 2.0× 2.5× 3.0×"),
            (ratios(0.8, 3.4, 8, Unit::Times), "0.8× 1× 1.2× 1.5× 2× 2.5× 3×"),
            (ratios(0.97, 1.12, 8, Unit::Times), "1.00× 1.05× 1.10×"),
            (ratios(1.0, 5_000.0, 6, Unit::Plain), "1 10 100 1,000"),
            (ratios(1.0, 60.0, 6, Unit::Seconds), "1 s 2 s 5 s 10 s 20 s 50 s"),
            (ratios(1.0, 60.0, 5, Unit::Seconds), "1 s 3 s 10 s 30 s"),
            (ratios(2.0, 3e6, 3, Unit::Plain), "100 10k 1M"),
        ];
        for (ticks, expected) in cases {
            assert_eq!(texts(&ticks), expected);
            assert!(ticks.windows(2).all(|pair| pair[0].at < pair[1].at));
        }
    }

    #[test]
    fn ratios_can_be_read_at_both_ends_of_every_range() {
        let ranges = [4.0, 5.0, 10.0, 16.0, 60.0, 120.0, 1e3, 1e5, 1e9];
        let lows = (0..40).map(|step| libm::pow(10.0, f64::from(step) / 20.0 - 1.0));
        for (low, range) in lows.flat_map(|low| ranges.map(|range| (low, range))) {
            let high = low * range;
            for count in 3..=10 {
                let ticks = ratios(low, high, count, Unit::Plain);
                let said = format!("{low} to {high}, {count}: {}", texts(&ticks));
                assert!((3..=count.max(5)).contains(&ticks.len()), "{said}");
                let part = |from: f64, to: f64| libm::log(to / from) / libm::log(range);
                let (first, last) = (ticks[0].at, ticks[ticks.len() - 1].at);
                let far = if count < 6 { 0.4 } else { 0.34 };
                assert!(part(low, first) < far && part(last, high) < far, "{said}");
            }
        }
    }

    #[test]
    fn enclosing_ticks_enclose() {
        for (low, high) in [(0.0, 1.0), (0.3, 0.31), (-5.0, 7.0), (1e-9, 3e-9), (2e12, 3e12)] {
            let ticks = enclosing(low, high, 5, Unit::Plain);
            let (first, last) = (ticks[0].at, ticks[ticks.len() - 1].at);
            assert!(first <= low * 1.0 + 1e-15 && last >= high * (1.0 - 1e-9), "{low} to {high}");
            assert!(ticks.len() <= 8, "{} ticks", ticks.len());
        }
    }

    #[test]
    fn a_value_outside_stays_on_the_edge() {
        let scale = Scale { low: 1.0, high: 100.0, start: 0.0, end: 200.0, log: true };
        for (value, pixel) in [(1.0, 0.0), (10.0, 100.0), (100.0, 200.0), (0.0, 0.0), (1e9, 200.0)]
        {
            assert!((scale.at(value) - pixel).abs() < 1e-9, "{value}");
        }
    }
}
