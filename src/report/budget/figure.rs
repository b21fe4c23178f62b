//! The pictures of a budget: what spends it in each arm, and what reliability costs as a front.

use super::{Report, shown};
use crate::experiment::budget::Arm;
use crate::experiment::budget::found::Found;
use crate::report::chart::{
    Axis, Caption, Estimate as Whiskers, Point, Reference, Scatter, Stack, StackRow,
};
use crate::report::number::Unit;
use crate::statistics::interval::Estimate;

/// The width of both.
const WIDTH: f64 = 960.0;

impl Report<'_> {
    /// The stacked bars: what spends the budget in each arm.
    pub fn figure(&self) -> String {
        let is_calm = self.found.iter().all(|found| found.calm.mean <= 0.0);
        let calm = (!is_calm).then(|| "calm days".to_owned());
        let kinds = self.asked.kinds.iter().map(|kind| kind.label.clone());
        let row = |(arm, found): (&Arm, &Found)| {
            let parts = found.kinds.iter().chain([&found.calm]);
            let over = shown(found.over, Unit::Percent);
            StackRow {
                label: arm.label.clone(),
                parts: parts.map(|part| part.mean.max(0.0)).collect(),
                whole: Some(whiskers(found.all)),
                text: format!("{}; {over} over", shown(found.all, Unit::Percent)),
            }
        };
        Stack {
            caption: Caption {
                title: format!("{}: what spends the error budget", self.text.called()),
                subtitle: format!(
                    "{}, on average; beside each bar how many {}s go over.",
                    self.promised(),
                    self.window()
                ),
                note: self.notes().join(" "),
            },
            width: WIDTH,
            axis: format!("of the error budget of a {}", self.window()),
            unit: Unit::Percent,
            parts: kinds.chain(calm).collect(),
            rows: self.arms.iter().zip(self.found).map(row).collect(),
            references: vec![Reference { at: 1.0, label: "all of it".to_owned() }],
        }
        .svg()
    }

    /// Cost against the budget that is spent, the arms on the front marked; `None` without prices.
    pub fn front(&self) -> Option<String> {
        let prices = self.prices?;
        let costs: Option<Vec<Estimate>> = self.found.iter().map(|found| found.cost).collect();
        let costs = costs?;
        let places = (0..self.arms.len()).map(|arm| (costs[arm].mean, self.found[arm].all.mean));
        let places: Vec<(f64, f64)> = places.collect();
        let point = |(place, arm): (usize, &Arm)| Point {
            x: whiskers(costs[place]),
            y: whiskers(self.found[place].all),
            label: arm.label.clone(),
            colour: place,
            marker: usize::from(is_beaten(place, &places)),
            group: None,
        };
        let window = self.window();
        let scatter = Scatter {
            caption: Caption {
                title: format!("{}: what reliability costs", self.text.called()),
                subtitle: format!(
                    "What a {window} costs against what it spends of the budget; down and left is \
                     better."
                ),
                note: format!(
                    "Means with 95% intervals. Beaten is who costs more than another that spends \
                     less, on average. {}",
                    self.notes().join(" ")
                ),
            },
            width: WIDTH * 0.8,
            x: Axis {
                label: format!("{} a {window}, with what is lost", prices.currency),
                unit: Unit::Plain,
                log: places.iter().all(|(cost, _)| *cost > 0.0),
            },
            y: Axis {
                label: format!("of the error budget of a {window}"),
                unit: Unit::Percent,
                log: false,
            },
            markers: ["on the front", "beaten"].map(str::to_owned).to_vec(),
            points: self.arms.iter().enumerate().map(point).collect(),
            ..Scatter::default()
        };
        Some(scatter.svg())
    }
}

/// Whether another arm is at least as good in both, and in one better.
fn is_beaten(arm: usize, places: &[(f64, f64)]) -> bool {
    let (cost, spent) = places[arm];
    places
        .iter()
        .any(|&(other, less)| other <= cost && less <= spent && (other < cost || less < spent))
}

fn whiskers(estimate: Estimate) -> Whiskers {
    let Estimate { mean, interval, .. } = estimate;
    Whiskers { value: mean, low: interval.low, high: interval.high }
}
