//! Numbers as people read them: three significant digits, the unit attached, no false precision.
//!
//! A number below 10,000 keeps its digits (`1,234`), above it takes a prefix (`12.3k`). A
//! percentage is never rounded to 0% or 100% unless it is exactly that, because "100%" says that
//! nothing went wrong; and nothing is rounded to 0, because "0" says that it never happened.

/// How the numbers of a column or an axis are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// As they are, with k, M, G for thousands: `12.3k`.
    #[default]
    Plain,
    /// A fraction shown as a percentage: 0.987 is `98.7%`.
    Percent,
    /// A ratio: `1.25×`.
    Times,
    /// Seconds shown with the unit that suits: 0.0234 is `23.4 ms`.
    Seconds,
    /// Times a second: `10.3 /s`.
    PerSecond,
}

/// A unit as written: multiply by `factor`, then append `suffix`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Written {
    /// From the stored number to the written one.
    pub(crate) factor: f64,
    /// What follows the digits.
    pub(crate) suffix: &'static str,
}

/// Writes `value` with three significant digits in its unit.
pub fn number(value: f64, unit: Unit) -> String {
    if value.is_nan() {
        return "–".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞".to_owned() } else { "−∞".to_owned() };
    }
    if unit == Unit::Seconds && value.abs() >= 60.0 {
        return long_duration(value);
    }
    let written = written(value, unit);
    let scaled = value * written.factor;
    let digits =
        if unit == Unit::Percent { percent_digits(scaled) } else { significant(scaled, 3) };
    digits + written.suffix
}

/// A number of things with their noun: "1 seed", "30 seeds".
pub fn several(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Writes a count exactly, with a comma between thousands: `1,234,567`.
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// Writes a value with its interval: `3.52 ±0.02`, `3.52 (3.1–4.6)` or `0 (<0.3)`.
///
/// The half-width is rounded up to one digit (two if the first is a 1) and the value to the same
/// place. The bound beside a zero is rounded up too, and the one beside 100% down.
pub fn interval(value: f64, low: f64, high: f64, unit: Unit) -> String {
    if ![value, low, high].iter().all(|v| v.is_finite()) || (low == value && high == value) {
        return number(value, unit);
    }
    if value == 0.0 && low >= 0.0 {
        let w = written(high, unit);
        return format!("{} (<{}{})", number(0.0, unit), round_up(high * w.factor).0, w.suffix);
    }
    if unit == Unit::Percent && value == 1.0 && high == 1.0 {
        let (_, missing, decimals) = round_up((1.0 - low) * 100.0);
        return format!("100% (>{}%)", fixed(100.0 - missing, decimals));
    }
    let w = written_beside(value, unit);
    let (below, above) = ((value - low) * w.factor, (high - value) * w.factor);
    let wider = below.max(above);
    let (half, rounded, decimals) = round_up(wider);
    if significant_digits(value * w.factor, decimals) > 6 {
        return number(value, unit);
    }
    // "0.2 ±0.3" would tell of numbers below zero where there are none, "99.9 ±0.2%" of more than
    // all.
    let leaves = (low >= 0.0 && rounded > value * w.factor)
        || (unit == Unit::Percent && high <= 1.0 && value * w.factor + rounded > 100.0);
    let shown = decimals_that_tell(value * w.factor, decimals, unit);
    if (below - above).abs() <= 0.25 * wider && !leaves && shown == decimals {
        return format!("{} ±{half}{}", fixed(value * w.factor, decimals), w.suffix);
    }
    let [middle, low, high] = [value, low, high].map(|it| fixed(it * w.factor, shown));
    let between = if low.starts_with('−') { " to " } else { "–" };
    format!("{middle} ({low}{between}{high}){}", w.suffix)
}

/// Writes a mean with the least and the greatest value that it is of: `56 [52..60]`. The brackets
/// hold values that were seen, where no interval of the mean can be estimated.
pub fn spread(mean: f64, least: f64, greatest: f64, unit: Unit) -> String {
    if ![mean, least, greatest].iter().all(|v| v.is_finite()) || least == greatest {
        return number(mean, unit);
    }
    let w = written_beside(mean, unit);
    let (.., decimals) = round_up((greatest - least) * w.factor);
    let decimals = decimals_that_tell(mean * w.factor, decimals, unit);
    let [mean, least, greatest] = [mean, least, greatest].map(|it| fixed(it * w.factor, decimals));
    format!("{mean} [{least}..{greatest}]{}", w.suffix)
}

/// So many decimals, or as many more as tell a value, in its written unit, from 0 and from 100%.
fn decimals_that_tell(value: f64, decimals: usize, unit: Unit) -> usize {
    let from_zero = usize::try_from(-exponent(value, 1)).unwrap_or(0);
    let missing = 100.0 - value;
    let is_near = unit == Unit::Percent && missing > 0.0 && missing < 1.0;
    let from_all = if is_near { usize::try_from(-exponent(missing, 1)).unwrap_or(0) } else { 0 };
    decimals.max(if value == 0.0 { 0 } else { from_zero }).max(from_all).min(DECIMALS_MAX)
}

/// More decimals than this are not written.
const DECIMALS_MAX: usize = 12;

/// The same of a number with its interval. Below 100,000 counts have no prefix: beside `7,997 ±25`,
/// `10.74 ±0.03k` looks like less.
fn written_beside(value: f64, unit: Unit) -> Written {
    match unit {
        Unit::Plain if value.abs() < 99_999.5 => Written { factor: 1.0, suffix: "" },
        _ => written(value, unit),
    }
}

/// The prefix or unit that suits numbers as large as `value`.
pub(crate) fn written(value: f64, unit: Unit) -> Written {
    // The first row whose limit is above the number applies.
    type Rows = &'static [(f64, f64, &'static str)];
    const PLAIN: Rows = &[
        (9_999.5, 1.0, ""),
        (999_500.0, 1e-3, "k"),
        (999.5e6, 1e-6, "M"),
        (f64::INFINITY, 1e-9, "G"),
    ];
    const TIMES: Rows = &[
        (9_999.5, 1.0, "×"),
        (999_500.0, 1e-3, "k×"),
        (999.5e6, 1e-6, "M×"),
        (f64::INFINITY, 1e-9, "G×"),
    ];
    const PER_SECOND: Rows = &[
        (9_999.5, 1.0, " /s"),
        (999_500.0, 1e-3, "k /s"),
        (999.5e6, 1e-6, "M /s"),
        (f64::INFINITY, 1e-9, "G /s"),
    ];
    const PERCENT: Rows = &[(f64::INFINITY, 100.0, "%")];
    const SECONDS: Rows = &[
        (999.5e-9, 1e9, " ns"),
        (999.5e-6, 1e6, " µs"),
        (999.5e-3, 1e3, " ms"),
        (f64::INFINITY, 1.0, " s"),
    ];
    let rows = match unit {
        Unit::Plain => PLAIN,
        Unit::Times => TIMES,
        Unit::Percent => PERCENT,
        Unit::PerSecond => PER_SECOND,
        Unit::Seconds if value == 0.0 => &SECONDS[3..],
        Unit::Seconds => SECONDS,
    };
    let row = rows.iter().find(|(limit, ..)| value.abs() < *limit).unwrap_or(&rows[rows.len() - 1]);
    Written { factor: row.1, suffix: row.2 }
}

/// Writes `value` with a fixed number of decimals, commas between thousands and a true minus.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let digits = format!("{:.decimals$}", value.abs());
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let negative = value < 0.0 && digits.bytes().any(|b| (b'1'..=b'9').contains(&b));
    format!("{}{}{rest}", if negative { "−" } else { "" }, grouped(whole))
}

/// The power of ten of the first digit of `value` once rounded to `digits` significant digits.
pub(crate) fn exponent(value: f64, digits: usize) -> i32 {
    let text = format!("{:.*e}", digits.saturating_sub(1), value);
    text.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0)
}

/// Whole numbers as they are, others with `digits` significant digits.
fn significant(value: f64, digits: usize) -> String {
    if (value - value.round()).abs() <= 1e-9 * value.abs() {
        return fixed(value, 0);
    }
    let exponent = exponent(value, digits);
    if exponent < -4 {
        return format!("{value:.*e}", digits - 1).replace('-', "−");
    }
    fixed(value, decimals_after(exponent, digits))
}

/// The decimals that leave `digits` significant digits for a number of that power of ten.
fn decimals_after(exponent: i32, digits: usize) -> usize {
    usize::try_from(i32::try_from(digits).unwrap_or(0) - 1 - exponent).unwrap_or(0)
}

/// How many significant digits `value` has when written with `decimals`.
fn significant_digits(value: f64, decimals: usize) -> i32 {
    exponent(value, 17) + 1 + i32::try_from(decimals).unwrap_or(i32::MAX / 2)
}

/// The digits of a percentage, already multiplied by 100: near 100 as many as tell it from 100.
fn percent_digits(percent: f64) -> String {
    let missing = 100.0 - percent;
    if percent > 99.0 && missing > 1e-9 {
        if missing < 0.000_05 {
            return ">99.9999".to_owned();
        }
        let decimals = decimals_after(exponent(missing, 2), 2).min(4);
        return fixed(percent, decimals).trim_end_matches('0').to_owned();
    }
    significant(percent, 3)
}

/// A width rounded up to one digit (two if the first is a 1): its text, its value, its decimals.
fn round_up(width: f64) -> (String, f64, usize) {
    let first = exponent(width, 17);
    let leading = width / libm::pow(10.0, f64::from(first));
    let place = if leading < 1.95 { first - 1 } else { first }.min(0);
    let step = libm::pow(10.0, f64::from(place));
    let rounded = (width / step - 1e-6).ceil().max(1.0) * step;
    let decimals = usize::try_from(-place).unwrap_or(0);
    // 0.096 is rounded up to 0.10: one decimal says as much.
    let carried = exponent(rounded, 3) > first && decimals > 0;
    let decimals = if carried && leading >= 1.95 { decimals - 1 } else { decimals };
    (fixed(rounded, decimals), rounded, decimals)
}

/// A minute and more, in the two largest units: `2 min 5 s`.
fn long_duration(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "−" } else { "" };
    let seconds = seconds.abs();
    let (large, small, ratio, whole) = if seconds < 3_600.0 {
        ("min", "s", 60.0, seconds.round())
    } else if seconds < 86_400.0 {
        ("h", "min", 60.0, (seconds / 60.0).round())
    } else {
        ("d", "h", 24.0, (seconds / 3_600.0).round())
    };
    let first = (whole / ratio).floor();
    let rest = whole - first * ratio;
    let first = fixed(first, 0);
    if rest == 0.0 {
        format!("{sign}{first} {large}")
    } else {
        format!("{sign}{first} {large} {rest} {small}")
    }
}

/// Puts a comma between groups of three digits, where there are more than three.
fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_significant_digits() {
        let cases = [
            (0.0, Unit::Plain, "0"),
            (1.0, Unit::Plain, "1"),
            (3.5, Unit::Plain, "3.50"),
            (0.012_345, Unit::Plain, "0.0123"),
            (0.000_012_345, Unit::Plain, "1.23e−5"),
            (999.6, Unit::Plain, "1,000"),
            (1_234.4, Unit::Plain, "1,234"),
            (9_999.4, Unit::Plain, "9,999"),
            (9_999.5, Unit::Plain, "10.0k"),
            (12_345.0, Unit::Plain, "12.3k"),
            (999_600.0, Unit::Plain, "1.00M"),
            (1_000_000.0, Unit::Plain, "1M"),
            (2.5e9, Unit::Plain, "2.50G"),
            (-0.25, Unit::Plain, "−0.250"),
            (-0.0, Unit::Plain, "0"),
            (f64::NAN, Unit::Plain, "–"),
            (f64::INFINITY, Unit::Seconds, "∞"),
            (1.25, Unit::Times, "1.25×"),
            (1.0, Unit::Times, "1×"),
            (12_345.0, Unit::Times, "12.3k×"),
            (2.5, Unit::PerSecond, "2.50 /s"),
            (12_345.0, Unit::PerSecond, "12.3k /s"),
            (0.987, Unit::Percent, "98.7%"),
            (0.07, Unit::Percent, "7%"),
            (0.5, Unit::Percent, "50%"),
            (0.001_234, Unit::Percent, "0.123%"),
            (1.0, Unit::Percent, "100%"),
            (0.999_5, Unit::Percent, "99.95%"),
            (0.999_987, Unit::Percent, "99.9987%"),
            (0.999_999_9, Unit::Percent, ">99.9999%"),
            (0.0, Unit::Seconds, "0 s"),
            (0.023_4, Unit::Seconds, "23.4 ms"),
            (0.000_001_5, Unit::Seconds, "1.50 µs"),
            (0.999_6, Unit::Seconds, "1.00 s"),
            (59.94, Unit::Seconds, "59.9 s"),
            (125.0, Unit::Seconds, "2 min 5 s"),
            (3_600.0, Unit::Seconds, "1 h"),
            (200_000.0, Unit::Seconds, "2 d 8 h"),
        ];
        for (value, unit, expected) in cases {
            assert_eq!(number(value, unit), expected, "{value} as {unit:?}");
        }
    }

    #[test]
    fn counts_are_exact() {
        for (value, expected) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(count(value), expected);
        }
    }

    #[test]
    fn intervals_share_their_place_with_the_value() {
        let cases = [
            (3.521, 3.501, 3.541, Unit::Plain, "3.52 ±0.02"),
            (3.521, 3.409, 3.633, Unit::Plain, "3.52 ±0.12"),
            (3.52, 3.1, 4.6, Unit::Plain, "3.5 (3.1–4.6)"),
            (35.2, 34.9, 36.9, Unit::Plain, "35.2 (34.9–36.9)"),
            (0.2, 0.0, 0.42, Unit::Plain, "0.2 (0.0–0.4)"),
            (1_234.0, 1_199.0, 1_269.0, Unit::Plain, "1,234 ±35"),
            (12_345.0, 12_145.0, 12_545.0, Unit::Plain, "12,345 ±200"),
            (0.0, 0.0, 0.3, Unit::Plain, "0 (<0.3)"),
            (0.0, 0.0, 0.2501, Unit::Plain, "0 (<0.3)"),
            (0.0, 0.0, 0.0, Unit::Plain, "0"),
            (0.0, 0.0, 0.003, Unit::Percent, "0% (<0.3%)"),
            (1.0, 0.996, 1.0, Unit::Percent, "100% (>99.6%)"),
            (0.987, 0.984, 0.990, Unit::Percent, "98.7 ±0.3%"),
            (0.023_4, 0.023_2, 0.023_6, Unit::Seconds, "23.4 ±0.2 ms"),
            (1.25, 1.23, 1.27, Unit::Times, "1.25 ±0.02×"),
            (10.3, 8.5, 12.1, Unit::PerSecond, "10.3 ±1.8 /s"),
            (0.5, -0.2, 0.6, Unit::Plain, "0.5 (−0.2 to 0.6)"),
            (2.0, 2.0, 2.0, Unit::Times, "2×"),
            (3.0, 3.0 - 1e-9, 3.0 + 1e-9, Unit::Plain, "3"),
            (2.0, f64::NAN, 3.0, Unit::Plain, "2"),
            (0.5, 0.0, 6.4, Unit::Plain, "0.5 (0.0–6.4)"),
            (0.03, 0.004, 7.1, Unit::Plain, "0.03 (0.00–7.10)"),
            (0.000_3, 0.0, 0.2, Unit::Percent, "0.03 (0.00–20.00)%"),
            (0.999_6, 0.992, 0.999_9, Unit::Percent, "99.96 (99.20–99.99)%"),
            (0.999, 0.997_5, 1.0, Unit::Percent, "99.90 (99.75–100.00)%"),
        ];
        for (value, low, high, unit, expected) in cases {
            assert_eq!(interval(value, low, high, unit), expected, "{value} ({low} to {high})");
        }
    }

    #[test]
    fn values_stand_in_square_brackets() {
        let cases = [
            (56.0, 52.0, 60.0, Unit::Plain, "56 [52..60]"),
            (0.67, 0.42, 0.92, Unit::Percent, "67 [42..92]%"),
            (0.033, 0.0, 1.0, Unit::Plain, "0.03 [0.00..1.00]"),
            (0.999_97, 0.999, 1.0, Unit::Percent, "99.997 [99.900..100.000]%"),
            (12_345.0, 12_045.0, 12_645.0, Unit::Plain, "12,345 [12,045..12,645]"),
            (4.0, 4.0, 4.0, Unit::Times, "4×"),
        ];
        for (mean, least, greatest, unit, expected) in cases {
            assert_eq!(spread(mean, least, greatest, unit), expected, "{mean}");
        }
    }

    #[test]
    fn what_happened_is_never_written_as_zero_and_what_failed_never_as_all() {
        let is_none = |text: &str| {
            let middle = text.split(' ').next().unwrap_or_default();
            middle.chars().all(|c| "0.%×".contains(c))
        };
        for step in 1..400 {
            let value = libm::pow(10.0, -f64::from(step % 100) / 10.0);
            let high = value * libm::pow(10.0, f64::from(step / 100));
            for unit in [Unit::Plain, Unit::Percent, Unit::Times] {
                let texts = [interval(value, 0.0, high, unit), spread(value, 0.0, high, unit)];
                assert!(!texts.iter().any(|text| is_none(text)), "{texts:?} of {value}");
            }
            let all = interval(1.0 - value / 2.0, 0.4, 1.0, Unit::Percent);
            assert!(!all.starts_with("100"), "{all} of {value}");
        }
    }

    #[test]
    fn a_bound_is_never_rounded_towards_the_claim() {
        for thousandths in 1..3_000_u32 {
            let high = f64::from(thousandths) / 1_000.0;
            let text = interval(0.0, 0.0, high, Unit::Plain);
            let bound: f64 = text[4..text.len() - 1].parse().unwrap();
            assert!(bound >= high - 1e-9, "{text} for {high}");
        }
    }
}
