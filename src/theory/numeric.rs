//! The little numerical mathematics that closed forms need.

/// Where a falling function comes down to `level`, by bisection from 0 upwards.
pub(super) fn fall_to(level: f64, mut falls: impl FnMut(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    if falls(0.0) <= level {
        return 0.0;
    }
    while falls(high) > level && high < 1e18 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if falls(middle) > level { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// A whole power.
pub(super) fn power(base: f64, exponent: u32) -> f64 {
    libm::pow(base, f64::from(exponent))
}

/// The probability that a Poisson variate of this mean is each of 0, 1, ... up to `most`.
pub(super) fn poisson(mean: f64, most: usize) -> Vec<f64> {
    // By logarithms, as exp(-mean) alone may be too small for a float.
    let mut log = -mean;
    let next = |count: usize| {
        let this = libm::exp(log);
        log += libm::log(mean / (count + 1) as f64);
        this
    };
    (0..=most).map(next).collect()
}

/// A square matrix, row by row.
#[derive(Clone, Debug)]
pub(super) struct Matrix {
    size: usize,
    values: Vec<f64>,
}

impl Matrix {
    pub(super) fn zero(size: usize) -> Matrix {
        Matrix { size, values: vec![0.0; size * size] }
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn at(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.size + column]
    }

    pub(super) fn add(&mut self, row: usize, column: usize, value: f64) {
        self.values[row * self.size + column] += value;
    }

    /// The row vector that this one becomes: `vector * self`.
    pub(super) fn after(&self, vector: &[f64]) -> Vec<f64> {
        let column = |column| {
            vector.iter().enumerate().map(|(row, value)| value * self.at(row, column)).sum()
        };
        (0..self.size).map(column).collect()
    }

    pub(super) fn times(&self, other: &Matrix) -> Matrix {
        let rows = self.values.chunks(self.size);
        Matrix { size: self.size, values: rows.flat_map(|row| other.after(row)).collect() }
    }

    pub(super) fn plus(&self, other: &Matrix) -> Matrix {
        let values = self.values.iter().zip(&other.values).map(|(a, b)| a + b);
        Matrix { size: self.size, values: values.collect() }
    }

    /// The inverse of the negative, by Gauss-Jordan elimination with pivots.
    pub(super) fn negative_inverse(&self) -> Matrix {
        let size = self.size;
        let mut left: Vec<f64> = self.values.iter().map(|value| -value).collect();
        let mut right = Matrix::zero(size);
        (0..size).for_each(|index| right.add(index, index, 1.0));
        for column in 0..size {
            let is_larger = |&a: &usize, &b: &usize| {
                left[a * size + column].abs().total_cmp(&left[b * size + column].abs())
            };
            let pivot = (column..size).max_by(is_larger).unwrap_or(column);
            for index in 0..size {
                left.swap(pivot * size + index, column * size + index);
                right.values.swap(pivot * size + index, column * size + index);
            }
            let scale = left[column * size + column];
            for index in 0..size {
                left[column * size + index] /= scale;
                right.values[column * size + index] /= scale;
            }
            for row in (0..size).filter(|&row| row != column) {
                let times = left[row * size + column];
                for index in 0..size {
                    left[row * size + index] -= times * left[column * size + index];
                    right.values[row * size + index] -= times * right.values[column * size + index];
                }
            }
        }
        right
    }
}
