//! Which inputs a number depends on: screening by elementary effects, and shares of variance.

use super::error::{Error, check_sample, require};
use super::interval::{Estimate, Interval};
use super::quantile::Sorted;
use crate::kernel::draw::{Draw, stream};
use rand::Rng;

/// How many levels a coordinate of Morris's design has. Morris (1991) and SALib use 4.
pub const LEVELS: u64 = 4;

/// A trajectory of Morris: points of the unit cube, one more than it has dimensions, each of which
/// differs from the one before in one coordinate.
#[derive(Clone, Debug, PartialEq)]
pub struct Trajectory {
    /// The points.
    pub points: Vec<Vec<f64>>,
    /// Which coordinate each step changes.
    pub order: Vec<usize>,
}

/// So many trajectories with steps of 2/3, of four levels each.
///
/// Morris, "Factorial sampling plans for preliminary computational experiments", Technometrics 33
/// (1991): delta = p / (2 (p - 1)).
pub fn trajectories(count: usize, dimensions: usize, seed: u64) -> Vec<Trajectory> {
    let mut random = stream(seed, MORRIS);
    let delta = LEVELS as f64 / (2.0 * (LEVELS - 1) as f64);
    let mut below = |bound: u64| Draw(random.next_u64()).below(bound);
    let mut trajectory = || {
        // Each coordinate begins at a level from which a step leads up or down inside of the cube.
        let mut point: Vec<f64> =
            (0..dimensions).map(|_| below(LEVELS) as f64 / (LEVELS - 1) as f64).collect();
        let mut order: Vec<usize> = (0..dimensions).collect();
        for last in (1..dimensions).rev() {
            order.swap(last, below(last as u64 + 1) as usize);
        }
        let mut points = vec![point.clone()];
        for &coordinate in &order {
            let at = point[coordinate];
            point[coordinate] = if at + delta <= 1.0 + 1e-9 { at + delta } else { at - delta };
            points.push(point.clone());
        }
        Trajectory { points, order }
    };
    (0..count).map(|_| trajectory()).collect()
}

/// The stream of a seed that trajectories are drawn from, and that of bootstraps.
const MORRIS: u64 = 0x3055;
const RESAMPLE: u64 = 0x5b01;

/// What one input does, by its elementary effects: changes of the output over a step of the input,
/// per whole range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// The mean of their sizes, mu*: how much it matters.
    pub size: Estimate,
    /// Their mean, mu: below 0 where more of the input means less of the output.
    pub mean: f64,
    /// Their standard deviation, sigma: large beside mu* where it bends or depends on others.
    pub spread: f64,
}

/// The effect of each input, of the outputs at all points of the trajectories; the interval of mu*
/// is a percentile bootstrap over trajectories.
///
/// mu*: Campolongo, Cariboni and Saltelli, Environmental Modelling & Software 22 (2007).
///
/// # Errors
/// [`Error::TooFew`] for fewer than two trajectories, [`Error::Unpaired`] if the outputs are not
/// one for each point, [`Error::NotFinite`].
pub fn effects(
    trajectories: &[Trajectory],
    outputs: &[f64],
    confidence: f64,
) -> Result<Vec<Effect>, Error> {
    let points: usize = trajectories.iter().map(|it| it.points.len()).sum();
    check_sample(outputs, 1)?;
    if points != outputs.len() {
        return Err(Error::Unpaired { first: points, second: outputs.len() });
    }
    if trajectories.len() < 2 {
        return Err(Error::TooFew { needed: 2, given: trajectories.len() as u64 });
    }
    let dimensions = trajectories[0].order.len();
    let mut of_input: Vec<Vec<f64>> = vec![Vec::new(); dimensions];
    let mut first = 0;
    for trajectory in trajectories {
        for (step, &input) in trajectory.order.iter().enumerate() {
            let [before, after] = [step, step + 1].map(|at| trajectory.points[at][input]);
            let change = outputs[first + step + 1] - outputs[first + step];
            of_input[input].push(change / (after - before));
        }
        first += trajectory.points.len();
    }
    of_input.iter().map(|effects| effect(effects, confidence)).collect()
}

fn effect(effects: &[f64], confidence: f64) -> Result<Effect, Error> {
    let moments = super::moments::moments(effects)?;
    let sizes: Vec<f64> = effects.iter().map(|effect| effect.abs()).collect();
    let mean_of =
        |rows: &[usize]| rows.iter().map(|&row| sizes[row]).sum::<f64>() / rows.len() as f64;
    let size = resampled(sizes.len(), confidence, mean_of)?;
    Ok(Effect { size, mean: moments.mean, spread: moments.sd })
}

/// The shares of variance of one input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares {
    /// First order: what is gone of the variance, on average, if the input is known.
    pub first: Estimate,
    /// Total: what is left of it, on average, if everything else is known.
    pub total: Estimate,
}

/// The outputs of a design of Saltelli: two samples of the inputs, and for each input the first
/// sample with the values of that input from the second.
#[derive(Clone, Debug, PartialEq)]
pub struct SobolOutputs {
    /// Of the first sample, A.
    pub first: Vec<f64>,
    /// Of the second, B.
    pub second: Vec<f64>,
    /// Of A with column i from B, for each input i.
    pub crossed: Vec<Vec<f64>>,
}

/// The Sobol indices of each input, with percentile bootstrap intervals over the rows.
///
/// First order by Saltelli and others, "Variance based sensitivity analysis of model output",
/// Computer Physics Communications 181 (2010), table 2 (b): mean of f_B (f_ABi - f_A), over the
/// variance of A and B together; total by Jansen (1999), table 2 (f): mean of (f_A - f_ABi)^2 / 2.
/// Outputs are centred first, which changes no index and makes the first order more precise.
///
/// # Errors
/// [`Error::TooFew`] for fewer than four rows, [`Error::Unpaired`] for lists of unequal length,
/// [`Error::NotFinite`], [`Error::OutOfRange`] if the output does not vary.
pub fn sobol(outputs: &SobolOutputs, confidence: f64) -> Result<Vec<Shares>, Error> {
    let SobolOutputs { first, second, crossed } = outputs;
    let rows = first.len();
    for list in [second].into_iter().chain(crossed) {
        if list.len() != rows {
            return Err(Error::Unpaired { first: rows, second: list.len() });
        }
        check_sample(list, 4)?;
    }
    check_sample(first, 4)?;
    let all: Vec<f64> = first.iter().chain(second).copied().collect();
    let moments = super::moments::moments(&all)?;
    require(moments.sd > 0.0, "variance", moments.sd, "more than 0")?;
    let centre = moments.mean;
    let variance_of = |chosen: &[usize]| {
        let values = || chosen.iter().flat_map(|&row| [first[row], second[row]]);
        let count = 2.0 * chosen.len() as f64;
        let mean = values().sum::<f64>() / count;
        values().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count
    };
    let shares = |crossed: &Vec<f64>| {
        let mean = |chosen: &[usize], of: &dyn Fn(usize) -> f64| {
            chosen.iter().map(|&row| of(row)).sum::<f64>() / chosen.len() as f64
        };
        let of_first = |row: usize| (second[row] - centre) * (crossed[row] - first[row]);
        let of_total = |row: usize| 0.5 * (first[row] - crossed[row]) * (first[row] - crossed[row]);
        let share = |chosen: &[usize], of: &dyn Fn(usize) -> f64| {
            mean(chosen, of) / variance_of(chosen).max(f64::MIN_POSITIVE)
        };
        Ok(Shares {
            first: resampled(rows, confidence, |chosen| share(chosen, &of_first))?,
            total: resampled(rows, confidence, |chosen| share(chosen, &of_total))?,
        })
    };
    crossed.iter().map(shares).collect()
}

/// How often rows are drawn again. SALib draws 100 times; the ends of a 95% interval are then the
/// second and third of them, and 1,000 make them steady.
const RESAMPLES: usize = 1_000;

/// A number of all rows with its percentile bootstrap interval.
fn resampled(
    rows: usize,
    confidence: f64,
    of: impl Fn(&[usize]) -> f64,
) -> Result<Estimate, Error> {
    let all: Vec<usize> = (0..rows).collect();
    let mut random = stream(rows as u64, RESAMPLE);
    let mut again = || {
        let row = |_| Draw(random.next_u64()).below(rows as u64) as usize;
        of(&(0..rows).map(row).collect::<Vec<usize>>())
    };
    let values: Vec<f64> = (0..RESAMPLES).map(|_| again()).collect();
    let sorted = Sorted::new(&values)?;
    let end = (1.0 - confidence) / 2.0;
    let interval = Interval { low: sorted.type7(end)?, high: sorted.type7(1.0 - end)? };
    Ok(Estimate { mean: of(&all), interval, n: rows as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::design::latin;
    use std::f64::consts::PI;

    /// A Saltelli design over the unit cube, with the outputs of a function.
    fn outputs(rows: usize, dimensions: usize, of: impl Fn(&[f64]) -> f64) -> SobolOutputs {
        let both = latin(rows, 2 * dimensions, 11);
        let part = |from: usize| -> Vec<Vec<f64>> {
            both.iter().map(|row| row[from..from + dimensions].to_vec()).collect()
        };
        let (first, second) = (part(0), part(dimensions));
        let crossed = (0..dimensions).map(|input| {
            let rows = first.iter().zip(&second).map(|(a, b)| {
                let mut row = a.clone();
                row[input] = b[input];
                of(&row)
            });
            rows.collect()
        });
        SobolOutputs {
            crossed: crossed.collect(),
            first: first.iter().map(|row| of(row)).collect(),
            second: second.iter().map(|row| of(row)).collect(),
        }
    }

    fn holds(estimate: Estimate, truth: f64, within: f64) {
        let Estimate { mean, interval, .. } = estimate;
        assert!((mean - truth).abs() < within, "{mean} is not {truth}");
        let slack = 0.25 * interval.half_width().max(0.002);
        let (low, high) = (interval.low - slack, interval.high + slack);
        assert!(low <= truth && truth <= high, "{truth} is not in {interval:?}");
    }

    /// Ishigami and Homma (1990), a = 7, b = 0.1: S = 0.3139, 0.4424, 0; ST = 0.5576, 0.4424,
    /// 0.2437 (Saltelli and others, *Global Sensitivity Analysis: The Primer*, 2008).
    #[test]
    fn the_ishigami_function_has_its_published_indices() {
        let of = |point: &[f64]| {
            let x: Vec<f64> = point.iter().map(|part| (2.0 * part - 1.0) * PI).collect();
            let sine = [x[0], x[1]].map(libm::sin);
            sine[0] + 7.0 * sine[1] * sine[1] + 0.1 * x[2] * x[2] * x[2] * x[2] * sine[0]
        };
        let shares = sobol(&outputs(4_096, 3, of), 0.95).unwrap();
        for (share, (first, total)) in
            shares.iter().zip([(0.3139, 0.5576), (0.4424, 0.4424), (0.0, 0.2437)])
        {
            holds(share.first, first, 0.05);
            holds(share.total, total, 0.03);
        }
    }

    /// The sojourn 1 / (mu - lambda) of M/M/1 with mu from 1 to 1.2 and lambda from 0.5 to 0.8,
    /// against its indices by quadrature.
    #[test]
    fn a_queue_depends_on_its_load_more_than_on_its_speed() {
        let sojourn = |lambda: f64, mu: f64| 1.0 / (mu - lambda);
        let range = |low: f64, high: f64, part: f64| low + (high - low) * part;
        let of = |point: &[f64]| sojourn(range(0.5, 0.8, point[0]), range(1.0, 1.2, point[1]));
        let truth = grid_indices(of);
        let shares = sobol(&outputs(4_096, 2, of), 0.95).unwrap();
        for (share, (first, total)) in shares.iter().zip(truth) {
            holds(share.first, first, 0.04);
            holds(share.total, total, 0.03);
        }
    }

    /// First order and total indices of two inputs by the midpoint rule.
    fn grid_indices(of: impl Fn(&[f64]) -> f64) -> [(f64, f64); 2] {
        const CELLS: usize = 400;
        let middle = |place: usize| (place as f64 + 0.5) / CELLS as f64;
        let (mut sum, mut squares) = (0.0, 0.0);
        let mut means = [vec![0.0; CELLS], vec![0.0; CELLS]];
        for first in 0..CELLS {
            for second in 0..CELLS {
                let value = of(&[middle(first), middle(second)]);
                sum += value;
                squares += value * value;
                means[0][first] += value / CELLS as f64;
                means[1][second] += value / CELLS as f64;
            }
        }
        let count = (CELLS * CELLS) as f64;
        let (mean, variance) = (sum / count, squares / count - sum / count * (sum / count));
        let share = means.map(|means| {
            means.iter().map(|at| (at - mean) * (at - mean)).sum::<f64>() / CELLS as f64 / variance
        });
        [(share[0], 1.0 - share[1]), (share[1], 1.0 - share[0])]
    }

    #[test]
    fn effects_of_a_plane_are_its_slopes_and_do_not_spread() {
        let lines = trajectories(6, 3, 1);
        let points = lines.iter().flat_map(|it| &it.points);
        let outputs: Vec<f64> =
            points.map(|point| 3.0 * point[0] - 2.0 * point[1] + 0.0 * point[2]).collect();
        let effects = effects(&lines, &outputs, 0.95).unwrap();
        for (effect, slope) in effects.iter().zip([3.0, -2.0, 0.0_f64]) {
            assert!((effect.mean - slope).abs() < 1e-9 && effect.spread < 1e-9, "{effect:?}");
            assert!((effect.size.mean - slope.abs()).abs() < 1e-9);
        }
        for trajectory in &lines {
            assert!(trajectory.points.iter().flatten().all(|at| (0.0..=1.0).contains(at)));
        }
    }

    #[test]
    fn what_does_not_vary_or_fit_is_refused() {
        let flat = outputs(16, 2, |_| 1.0);
        assert!(matches!(sobol(&flat, 0.95), Err(Error::OutOfRange { .. })));
        let mut short = outputs(16, 2, |point| point[0]);
        short.second.pop();
        assert!(sobol(&short, 0.95).is_err());
        let lines = trajectories(1, 2, 1);
        assert!(effects(&lines, &[0.0; 3], 0.95).is_err());
        assert!(effects(&trajectories(2, 2, 1), &[0.0; 3], 0.95).is_err());
    }
}
