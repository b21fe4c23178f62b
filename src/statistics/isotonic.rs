//! Isotonic regression: the rising curve that is nearest to shares.

/// The non-decreasing values nearest to `values` by weighted least squares, which are the maximum
/// likelihood estimate of rising probabilities where the values are shares and the weights trials.
///
/// Pool adjacent violators. Ayer, Brunk, Ewing, Reid and Silverman, Annals of Mathematical
/// Statistics 26 (1955); Robertson, Wright and Dykstra, "Order Restricted Statistical Inference"
/// (1988), section 1.2.
///
/// # Panics
/// If the lengths differ.
pub fn isotonic(values: &[f64], weights: &[f64]) -> Vec<f64> {
    assert_eq!(values.len(), weights.len(), "each value has a weight");
    // Blocks of pooled values: mean, weight, how many.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for (&value, &weight) in values.iter().zip(weights) {
        blocks.push((value, weight, 1));
        while let [.., (before, light, many), (after, heavy, more)] = blocks[..] {
            if before <= after {
                break;
            }
            let weight = light + heavy;
            let mean = (before * light + after * heavy) / weight;
            blocks.truncate(blocks.len() - 2);
            blocks.push((mean, weight, many + more));
        }
    }
    blocks.into_iter().flat_map(|(mean, _, many)| std::iter::repeat_n(mean, many)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violators_are_pooled_and_nothing_else_is_changed() {
        let even = |values: &[f64]| isotonic(values, &vec![1.0; values.len()]);
        assert_eq!(even(&[0.0, 0.25, 1.0]), [0.0, 0.25, 1.0]);
        assert_eq!(even(&[0.0, 0.75, 0.25, 1.0]), [0.0, 0.5, 0.5, 1.0]);
        assert_eq!(even(&[1.0, 0.5, 0.0]), [0.5, 0.5, 0.5]);
        assert_eq!(isotonic(&[1.0, 0.0], &[3.0, 1.0]), [0.75, 0.75]);
        assert!(even(&[]).is_empty());
    }

    /// The minimax formula of Robertson, Wright and Dykstra, equation 1.4.5.
    #[test]
    fn it_is_the_minimax_of_means() {
        let values = [0.3, 0.1, 0.4, 0.1, 0.5, 0.9, 0.2, 0.6, 0.5];
        let weights = [2.0, 7.0, 1.0, 8.0, 2.0, 8.0, 1.0, 8.0, 2.0];
        let mean = |from: usize, to: usize| {
            let total: f64 = weights[from..=to].iter().sum();
            (from..=to).map(|k| values[k] * weights[k]).sum::<f64>() / total
        };
        for (at, value) in isotonic(&values, &weights).into_iter().enumerate() {
            let least = |from| (at..9).map(|to| mean(from, to)).fold(f64::INFINITY, f64::min);
            let most = (0..=at).map(least).fold(f64::NEG_INFINITY, f64::max);
            assert!((value - most).abs() < 1e-12, "{value} is not {most}");
        }
    }
}
