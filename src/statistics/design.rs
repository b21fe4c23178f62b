//! Points of the unit cube that runs are planned at.

use rand::Rng;

use crate::kernel::draw::{Draw, stream};

/// So many points of the unit cube, of which every coordinate has one in each of `count` equal
/// slices: a Latin hypercube. McKay, Beckman and Conover, Technometrics 21 (1979).
pub fn latin(count: usize, dimensions: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut random = stream(seed, LATIN);
    let mut points = vec![Vec::with_capacity(dimensions); count];
    for _ in 0..dimensions {
        let mut slices: Vec<usize> = (0..count).collect();
        // Fisher and Yates, as Durstenfeld does it.
        for last in (1..count).rev() {
            slices.swap(last, Draw(random.next_u64()).below(last as u64 + 1) as usize);
        }
        for (point, slice) in points.iter_mut().zip(slices) {
            let inside = Draw(random.next_u64()).unit();
            point.push((slice as f64 + inside) / count as f64);
        }
    }
    points
}

/// The stream of a seed that a Latin hypercube is drawn from.
const LATIN: u64 = 0x1a71;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latin_hypercube_has_one_point_in_each_slice() {
        let points = latin(20, 3, 7);
        for dimension in 0..3 {
            let mut slices: Vec<usize> =
                points.iter().map(|point| (point[dimension] * 20.0) as usize).collect();
            slices.sort_unstable();
            assert_eq!(slices, (0..20).collect::<Vec<_>>());
        }
        assert_ne!(points, latin(20, 3, 8));
    }
}
