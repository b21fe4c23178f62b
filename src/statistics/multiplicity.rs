//! P-values corrected for the number of comparisons in the declared family.

use super::error::{Error, check_unit};

/// Holm's adjusted p-values, in the order given.
///
/// Never below the raw ones, never above 1, and in the same order. An empty family stays empty.
/// Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
/// Statistics 6 (1979).
///
/// # Errors
/// [`Error::OutOfRange`] for a p-value outside [0, 1].
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>, Error> {
    p_values.iter().try_for_each(|p| check_unit("p-value", *p))?;
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (rank, position) in order.into_iter().enumerate() {
        let remaining = (p_values.len() - rank) as f64;
        largest = largest.max((remaining * p_values[position]).min(1.0));
        adjusted[position] = largest;
    }
    Ok(adjusted)
}

/// The confidence of each of `comparisons` intervals that hold together with `confidence`.
///
/// 1 - (1 - confidence) / comparisons, Bonferroni's inequality. No comparison counts as one.
pub fn simultaneous_confidence(confidence: f64, comparisons: u64) -> f64 {
    1.0 - (1.0 - confidence) / comparisons.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_of_none_and_one_are_left_alone() {
        assert_eq!(holm(&[]).unwrap(), Vec::<f64>::new());
        assert_eq!(holm(&[0.3]).unwrap(), vec![0.3]);
        assert_eq!(simultaneous_confidence(0.95, 0), simultaneous_confidence(0.95, 1));
    }

    #[test]
    fn each_of_five_intervals_misses_in_a_fifth_of_the_cases() {
        assert!((simultaneous_confidence(0.95, 5) - 0.99).abs() < 1e-12);
    }

    #[test]
    fn what_is_no_p_value_is_refused() {
        assert!(holm(&[f64::NAN]).is_err());
        assert!(holm(&[1.5]).is_err());
    }
}
