//! Quantities that are varied together: each a path with values or a range, and the designs that
//! are made of them.

use std::collections::BTreeSet;

use indexmap::IndexMap;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::variant::{Factor, Variant};
use crate::experiment::search::amount::Amount;
use crate::experiment::search::grid::Grid;
use crate::experiment::search::language::GridScale;
use crate::model::document::{Location, Patch, Value};
use crate::model::problem::Problem;

/// The quantities of a section, by their paths.
pub type Quantities = IndexMap<String, QuantityText>;

/// What a quantity can be: values, or a range.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(untagged)]
pub enum QuantityText {
    /// These values.
    Values(Vec<Amount>),
    /// Everything from one value to another.
    Range(RangeText),
}

/// A range of a quantity.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RangeText {
    /// The least value.
    pub from: Amount,
    /// The largest value.
    pub until: Amount,
    /// Whether it is even in ratios or in differences.
    #[serde(default = "RangeText::scale")]
    pub scale: GridScale,
    /// Into how many steps a grid cuts it.
    #[serde(default = "RangeText::steps")]
    pub steps: u64,
}

impl RangeText {
    fn scale() -> GridScale {
        GridScale::Linear
    }

    /// Five values: enough to see a curve, and few enough to be crossed with others.
    fn steps() -> u64 {
        4
    }

    /// The value a part of the way along.
    #[must_use]
    pub fn at(&self, part: f64) -> Amount {
        let (low, high) = (self.from.number(), self.until.number());
        self.from.with(match self.scale {
            GridScale::Log => low * libm::pow(high / low, part),
            GridScale::Linear => low + (high - low) * part,
        })
    }

    fn wrong(&self) -> Option<Problem> {
        let (from, until) = (self.from, self.until);
        if !from.is_like(until) || from.number() >= until.number() {
            let problem = Problem::new(format!("from {from} to {until} is no range"));
            let expected = format!("two amounts in units of one kind, the second above {from}");
            return Some(problem.expected(expected).inside("until"));
        }
        if self.scale == GridScale::Log && from.number() <= 0.0 {
            let problem = Problem::new("no ratio leads away from 0").inside("from");
            return Some(problem.expected("more than 0, or scale = \"linear\""));
        }
        if !(1..=STEPS_MAX).contains(&self.steps) {
            let problem = Problem::new(format!("{} is not possible here", self.steps));
            return Some(problem.expected(format!("from 1 to {STEPS_MAX}")).inside("steps"));
        }
        None
    }
}

/// The most steps of a range.
const STEPS_MAX: u64 = 1024;

impl QuantityText {
    /// Its ends as they are written.
    #[must_use]
    pub fn ends(&self) -> [String; 2] {
        [self.at(0.0), self.at(1.0)].map(|end| end.to_string())
    }

    /// What is wrong with it.
    pub(in crate::experiment) fn wrong(&self) -> Option<Problem> {
        match self {
            QuantityText::Values(values) if values.is_empty() => {
                Some(Problem::new("a quantity without values").expected("one or more"))
            }
            QuantityText::Values(_) => None,
            QuantityText::Range(range) => range.wrong(),
        }
    }

    /// Its values in a grid.
    fn values(&self) -> Vec<Amount> {
        match self {
            QuantityText::Values(values) => values.clone(),
            QuantityText::Range(range) => {
                Grid::new(range.from, range.until, range.scale, range.steps).values
            }
        }
    }

    /// The value a part of the way along its range, or its list.
    fn at(&self, part: f64) -> Amount {
        match self {
            QuantityText::Range(range) => range.at(part),
            QuantityText::Values(values) => {
                let place = (part * values.len() as f64) as usize;
                values[place.min(values.len() - 1)]
            }
        }
    }
}

/// A value for each quantity, in their order.
pub type Design = Vec<Amount>;

/// Every combination of the values; the last quantity changes fastest.
#[must_use]
pub fn grid(quantities: &Quantities) -> Vec<Design> {
    quantities.values().fold(vec![Vec::new()], |designs, quantity| {
        let values = quantity.values();
        let longer = |design: &Design| {
            let with = |value: &Amount| design.iter().copied().chain([*value]).collect::<Design>();
            values.iter().map(with).collect::<Vec<_>>()
        };
        designs.iter().flat_map(longer).collect()
    })
}

/// A design for each point of the unit cube.
#[must_use]
pub fn designs(quantities: &Quantities, points: &[Vec<f64>]) -> Vec<Design> {
    let design = |point: &Vec<f64>| {
        quantities.values().zip(point).map(|(quantity, part)| quantity.at(*part)).collect()
    };
    points.iter().map(design).collect()
}

/// What a quantity is called where its path would be too long: the last words of it.
#[must_use]
pub fn short(path: &str) -> String {
    let words: Vec<&str> = path.split('.').collect();
    words[words.len().saturating_sub(2)..].join(".").replace('"', "")
}

/// The name of a design: its values.
#[must_use]
pub fn name(design: &Design) -> String {
    design.iter().map(Amount::to_string).collect::<Vec<_>>().join(",")
}

/// Designs as the levels of a factor, each once; `at` is where the values of a quantity stand.
#[must_use]
pub fn factor(
    called: &str,
    quantities: &Quantities,
    designs: &[Design],
    at: impl Fn(&str) -> Location,
) -> Factor {
    let (mut levels, mut known): (Vec<Variant>, BTreeSet<String>) = Default::default();
    for design in designs {
        let written: Vec<String> = design.iter().map(Amount::to_string).collect();
        let label = |(path, value): (&String, &String)| format!("{} {value}", short(path));
        let labels: Vec<String> = quantities.keys().zip(&written).map(label).collect();
        let patch = |(path, amount): (&String, &Amount)| Patch {
            path: path.clone(),
            path_at: at(path),
            value: Value { data: amount.data(), at: at(path) },
        };
        let name = name(design);
        if known.insert(name.clone()) {
            let set = quantities.keys().zip(design).map(patch).collect();
            levels.push(Variant { name, label: labels.join(", "), set });
        }
    }
    Factor { name: called.to_owned(), levels }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_crosses_all_values_and_keeps_each_once() {
        let text = "{\"a.b.c\": [1, 2], \"d\": {\"from\": 1, \"until\": 2, \"steps\": 4}}";
        let quantities: Quantities = serde_json::from_str(text).unwrap();
        let designs = grid(&quantities);
        assert_eq!(designs.len(), 4, "whole numbers between 1 and 2 are two");
        let at = Location { source: 0, start: 0, end: 0 };
        let factor = factor("choice", &quantities, &designs, |_| at);
        let names: Vec<&str> = factor.levels.iter().map(|level| level.name.as_str()).collect();
        assert_eq!(names, ["1,1", "1,2", "2,1", "2,2"]);
        assert_eq!(factor.levels[1].label, "b.c 1, d 2");
    }
}
