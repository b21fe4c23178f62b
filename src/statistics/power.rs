//! How many pairs a comparison takes, before there are that many.

use super::distribution::normal_critical;
use super::error::{Error, ceiling, check_open_unit, check_positive, require};

/// How many pairs it takes until two arms that are equal come out equivalent with this power: the
/// interval of their difference lies within `margin` of 0.
///
/// ((z_confidence + z_(1 + power) / 2) sd / margin)^2, and half of z_confidence^2 more since the
/// standard deviation is estimated (Guenther, The American Statistician 35, 1981). Of a difference
/// of twice the margin it is told with more than this power that it is one. `sd` is the standard
/// deviation of the differences.
///
/// # Errors
/// [`Error::OutOfRange`] unless `sd` is at least 0, `margin` positive, and both probabilities
/// strictly between 0 and 1.
pub fn pairs_for_margin(sd: f64, margin: f64, confidence: f64, power: f64) -> Result<u64, Error> {
    require(sd >= 0.0 && sd.is_finite(), "sd", sd, "a finite number from 0")?;
    check_positive("margin", margin)?;
    check_open_unit("power", power)?;
    let (sure, told) = (normal_critical(confidence)?, normal_critical(power)?);
    let units = (sure + told) * sd / margin;
    Ok(ceiling(units * units + sure * sure / 2.0).max(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two one-sided tests at 2.5% each, power 80%, differences of one standard deviation and a
    /// margin of 0.5: 42.03 by the normal formula of Julious, Statistics in Medicine 23 (2004), and
    /// 1.92 for what is not known of the deviation.
    #[test]
    fn a_published_number_of_pairs_comes_out() {
        assert_eq!(pairs_for_margin(1.0, 0.5, 0.95, 0.8).unwrap(), 44);
        assert_eq!(pairs_for_margin(0.0, 0.5, 0.95, 0.8).unwrap(), 2);
        assert!(pairs_for_margin(1.0, 0.0, 0.95, 0.8).is_err());
        assert!(pairs_for_margin(1.0, 1.0, 0.95, 1.0).is_err());
    }

    /// By counting: of many comparisons of equal arms with so many pairs four of five at least are
    /// told to be equivalent.
    #[test]
    fn equal_arms_are_told_to_be_as_often_as_is_said() {
        use crate::kernel::draw::{Draws, Purpose};
        use crate::statistics::distribution::normal_quantile;
        use crate::statistics::interval::mean_interval;
        let pairs = pairs_for_margin(1.0, 0.5, 0.95, 0.8).unwrap();
        let mut draws = Draws::new(5);
        let mut equivalent = 0;
        for trial in 0..400 {
            let differences: Vec<f64> = (0..pairs)
                .map(|pair| {
                    let draw = draws.draw(Purpose::Service, trial, pair, 0);
                    normal_quantile(draw.unit().clamp(1e-12, 1.0 - 1e-12)).unwrap()
                })
                .collect();
            let interval = mean_interval(&differences, 0.95).unwrap().interval;
            equivalent += u64::from(interval.low >= -0.5 && interval.high <= 0.5);
        }
        // Three standard deviations of 2% around 80%.
        assert!((296..=344).contains(&equivalent), "{equivalent} of 400");
    }
}
