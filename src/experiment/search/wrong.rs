//! What is wrong with the cells of a campaign, each thing said once, however many values a search
//! tries.

use super::Search;
use crate::experiment::plan::variant::Variant;
use crate::model::problem::Problem;

/// The problems of all cells so far.
pub(in crate::experiment) struct Wrong<'a> {
    search: Option<&'a Search>,
    /// Those beside the values of a search, with the place in its grid of the value that has them.
    beside: Vec<(usize, Problem)>,
    /// Those of the values themselves.
    of_values: Vec<(usize, Problem)>,
}

impl<'a> Wrong<'a> {
    /// None yet.
    pub(in crate::experiment) fn new(search: Option<&'a Search>) -> Wrong<'a> {
        Wrong { search, beside: Vec::new(), of_values: Vec::new() }
    }

    /// Adds the problems of a cell at a point with these levels.
    pub(in crate::experiment) fn add(&mut self, problems: Vec<Problem>, levels: &[&Variant]) {
        let value = self.search.zip(levels.last()).and_then(|(search, level)| {
            let place = search.factor.levels.iter().position(|own| own.name == level.name)?;
            Some((place, level.set.first()?.value.at))
        });
        for problem in problems {
            match value {
                None => push(&mut self.beside, 0, problem),
                Some((place, at)) if problem.at == Some(at) => {
                    push(&mut self.of_values, place, problem);
                }
                Some((place, _)) => self.add_beside(place, problem),
            }
        }
    }

    /// Of the values of a search, the last one says what all of them need.
    fn add_beside(&mut self, place: usize, problem: Problem) {
        let is_there = |(known, other): &(usize, Problem)| *known > place && other.at == problem.at;
        if !self.beside.iter().any(is_there) {
            self.beside.retain(|(known, other)| {
                !(other.is_about_the_same(&problem) || (*known < place && other.at == problem.at))
            });
            push(&mut self.beside, place, problem);
        }
    }

    /// All of them. What every value of a search has is wrong with the path; what only some have is
    /// wrong with the end of the range at which they are.
    pub(in crate::experiment) fn all(mut self) -> Vec<Problem> {
        let Some(search) = self.search else { return problems(self.beside) };
        let last = search.grid.len() - 1;
        let has = |place: usize| self.of_values.iter().any(|(own, _)| *own == place);
        let is_of_an_end = !(0..=last).all(has) && (has(0) || has(last));
        let told = match (is_of_an_end, self.of_values.first()) {
            (false, Some((first, _))) => vec![*first],
            _ => vec![0, last],
        };
        for (place, problem) in self.of_values.into_iter().filter(|(own, _)| told.contains(own)) {
            let problem = match is_of_an_end {
                true => problem,
                false => search.of_path(place, problem),
            };
            push(&mut self.beside, place, problem);
        }
        problems(self.beside)
    }
}

/// Adds a problem unless it is known.
fn push(known: &mut Vec<(usize, Problem)>, place: usize, problem: Problem) {
    if !known.iter().any(|(other, same)| *other == place && *same == problem) {
        known.push((place, problem));
    }
}

fn problems(placed: Vec<(usize, Problem)>) -> Vec<Problem> {
    placed.into_iter().map(|(_, problem)| problem).collect()
}

impl Search {
    /// A problem of one value as one of the path that is varied.
    fn of_path(&self, place: usize, problem: Problem) -> Problem {
        let level = &self.factor.levels[place];
        let message = format!("`{}` cannot be {}: {}", self.text.vary, level.name, problem.message);
        let at = level.set.first().map(|patch| patch.path_at);
        Problem { message, at, ..problem }
    }
}
