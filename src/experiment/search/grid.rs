//! The values that a search can try.

use super::amount::Amount;
use super::language::GridScale;

/// The values of a search, ascending.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// The values as they are written.
    pub values: Vec<Amount>,
    /// How they follow each other.
    pub scale: GridScale,
}

impl Grid {
    /// The grid from one value to another. Values that rounding makes equal are there once.
    #[must_use]
    pub fn new(from: Amount, until: Amount, scale: GridScale, steps: u64) -> Grid {
        let (low, high) = (from.number(), until.number());
        let value = |step: u64| {
            let part = step as f64 / steps as f64;
            match (step, scale) {
                (0, _) => from,
                (step, _) if step == steps => until,
                (_, GridScale::Log) => from.with(low * libm::pow(high / low, part)),
                (_, GridScale::Linear) => from.with(low + (high - low) * part),
            }
        };
        let mut values: Vec<Amount> = (0..=steps).map(value).collect();
        values.dedup_by(|later, before| later.number() <= before.number());
        // The end is the end, even where rounding has gone as far.
        if let Some(last) = values.last_mut() {
            *last = until;
        }
        Grid { values, scale }
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// `count` places spread evenly over the grid, both ends among them.
    #[must_use]
    pub fn spread(&self, count: u64) -> Vec<usize> {
        let last = self.len() as u64 - 1;
        let gaps = count.min(self.len() as u64).max(2) - 1;
        let mut places: Vec<usize> =
            (0..=gaps).map(|k| ((k * last * 2 + gaps) / (gaps * 2)) as usize).collect();
        places.dedup();
        places
    }

    /// The number a part of the way from one place to another, along the scale.
    #[must_use]
    pub fn between(&self, from: usize, to: usize, part: f64) -> f64 {
        let (low, high) = (self.values[from].number(), self.values[to].number());
        match self.scale {
            GridScale::Log => low * libm::pow(high / low, part),
            GridScale::Linear => low + (high - low) * part,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::Span;

    #[test]
    fn the_ends_are_exact_and_the_steps_are_even() {
        let (from, until) =
            (Amount::Time(Span::from_millis(500)), Amount::Time(Span::from_secs(8)));
        let grid = Grid::new(from, until, GridScale::Log, 4);
        let written: Vec<String> = grid.values.iter().map(Amount::to_string).collect();
        assert_eq!(written, ["500ms", "1s", "2s", "4s", "8s"]);
        assert!((grid.between(1, 2, 0.5) - 2.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(grid.spread(3), [0, 2, 4]);
        assert_eq!(grid.spread(99), [0, 1, 2, 3, 4]);
        let linear = Grid::new(from, until, GridScale::Linear, 3);
        assert_eq!(linear.between(0, 3, 1.0 / 3.0), 3.0);
    }

    #[test]
    fn whole_numbers_are_there_once() {
        let grid = Grid::new(Amount::Whole(1), Amount::Whole(6), GridScale::Log, 64);
        let written: Vec<String> = grid.values.iter().map(Amount::to_string).collect();
        assert_eq!(written, ["1", "2", "3", "4", "5", "6"]);
    }
}
