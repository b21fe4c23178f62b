//! The points of an experiment: every combination of the factors' levels, or those that are listed.

use std::collections::BTreeSet;

use super::variant::{Factor, Variant};
use crate::model::problem::Problem;

/// A combination of levels: the index of each factor's level, in the order of the factors.
pub type Point = Vec<usize>;

/// Every combination of levels; the last factor changes fastest. One empty point without factors.
#[must_use]
pub fn every(factors: &[Factor]) -> Vec<Point> {
    factors.iter().fold(vec![Vec::new()], |points, factor| {
        let longer = |point: &Point, level| point.iter().copied().chain([level]).collect();
        points
            .iter()
            .flat_map(|point| (0..factor.levels.len()).map(move |level| longer(point, level)))
            .collect()
    })
}

/// The level of each factor at a point.
///
/// # Panics
/// If the point is not one of these factors.
#[must_use]
pub fn levels<'a>(factors: &'a [Factor], point: &[usize]) -> Vec<&'a Variant> {
    factors.iter().zip(point).map(|(factor, &level)| &factor.levels[level]).collect()
}

/// The points that an experiment lists, in its order: each as in the results, `load=3 outage=4`.
///
/// # Errors
/// What does not name one level of each factor, or stands twice, inside of its place in the list.
pub fn listed(texts: &[String], factors: &[Factor]) -> Result<Vec<Point>, Vec<Problem>> {
    if factors.is_empty() {
        let problem = Problem::new("there are no factors, so there are no points to choose from");
        return Err(vec![problem.expected("[factors.NAME.LEVEL] for each level")]);
    }
    if texts.is_empty() {
        let problem = Problem::new("no points are listed, so nothing would run");
        return Err(vec![problem.expected(format!("such as \"{}\"", example(factors)))]);
    }
    let (mut points, mut problems) = (Vec::new(), Vec::new());
    let mut known = BTreeSet::new();
    for (index, text) in texts.iter().enumerate() {
        match point(text, factors) {
            Ok(point) if !known.insert(point.clone()) => {
                let problem = Problem::new(format!("the point `{text}` is listed twice"));
                problems.push(problem.expected("each point once").inside(index.to_string()));
            }
            Ok(point) => points.push(point),
            Err(problem) => problems.push(problem.inside(index.to_string())),
        }
    }
    if problems.is_empty() { Ok(points) } else { Err(problems) }
}

fn point(text: &str, factors: &[Factor]) -> Result<Point, Problem> {
    let mut levels: Vec<Option<usize>> = vec![None; factors.len()];
    for part in text.split_whitespace() {
        let Some((factor, level)) = part.split_once('=') else {
            return Err(Problem::new(format!("`{part}` is not FACTOR=LEVEL"))
                .expected(format!("such as \"{}\"", example(factors))));
        };
        let known: Vec<&str> = factors.iter().map(|factor| factor.name.as_str()).collect();
        let Some(at) = known.iter().position(|name| *name == factor) else {
            return Err(Problem::unknown("factor", factor, &known));
        };
        let known: Vec<&str> = factors[at].levels.iter().map(|level| level.name.as_str()).collect();
        let Some(level) = known.iter().position(|name| *name == level) else {
            return Err(Problem::unknown("level", level, &known));
        };
        if levels[at].replace(level).is_some() {
            return Err(Problem::new(format!("`{text}` has two levels of `{factor}`"))
                .expected("one level of each factor"));
        }
    }
    let missing = levels.iter().position(Option::is_none);
    match missing {
        Some(at) => Err(Problem::new(format!("`{text}` has no level of `{}`", factors[at].name))
            .expected(format!("such as \"{}\"", example(factors)))),
        None => Ok(levels.into_iter().flatten().collect()),
    }
}

/// The first point of all, as it is written.
fn example(factors: &[Factor]) -> String {
    let first = |factor: &Factor| {
        let level = factor.levels.first().map_or("LEVEL", |level| level.name.as_str());
        format!("{}={level}", factor.name)
    };
    factors.iter().map(first).collect::<Vec<_>>().join(" ")
}
