//! The quantiles of the Erlang distribution: they have no closed form.

use super::draw::Draw;
use super::normal::normal_quantile;

/// The sum of so many exponential stages of mean 1 that belongs to this draw.
///
/// The tail of `k` stages is `exp(-x) (1 + x + ... + x^(k-1) / (k-1)!)`. Its logarithm falls and is
/// concave, so that Newton's method comes to the quantile from anywhere. It starts at the
/// approximation of Wilson and Hilferty ("The distribution of chi-square", PNAS 17, 1931).
pub(super) fn quantile(stages: u32, draw: Draw) -> f64 {
    /// Newton's method doubles the digits in each step: these are never all needed.
    const STEPS_MAX: u32 = 100;
    let tail = 1.0 - draw.unit();
    if tail == 1.0 {
        return 0.0;
    }
    let log_tail = libm::log(tail);
    let count = f64::from(stages);
    let root = 1.0 - 1.0 / (9.0 * count) + normal_quantile(1.0 - tail) / (3.0 * count.sqrt());
    let mut x = (count * root * root * root).max(0.05 * count);
    for _ in 0..STEPS_MAX {
        let (mut term, mut sum) = (1.0, 1.0);
        for stage in 1..stages {
            term *= x / f64::from(stage);
            sum += term;
        }
        let step = (libm::log(sum) - x - log_tail) * sum / term;
        x += step;
        if step.abs() <= 1e-13 * x {
            break;
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_have_their_tail() {
        for stages in [1, 2, 3, 10, 100] {
            let mut before = 0.0;
            for cell in 1..1_000 {
                let draw = Draw::from_unit(f64::from(cell) / 1_000.0);
                let x = quantile(stages, draw);
                let mut term = 1.0;
                let mut sum = 1.0;
                for stage in 1..stages {
                    term *= x / f64::from(stage);
                    sum += term;
                }
                let tail = libm::exp(-x) * sum;
                assert!((tail - (1.0 - draw.unit())).abs() < 1e-12, "{stages} stages at {cell}");
                assert!(x > before);
                before = x;
            }
        }
    }

    #[test]
    fn the_ends_are_finite() {
        for stages in [1, 3, 100] {
            assert_eq!(quantile(stages, Draw(0)), 0.0);
            let [smallest, largest] = [Draw(1 << 11), Draw(u64::MAX)].map(|d| quantile(stages, d));
            assert!(smallest > 0.0 && smallest < largest && largest < 300.0);
        }
    }
}
