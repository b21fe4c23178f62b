//! The arms and points of an experiment that a command chooses to run.

use super::campaign::{Campaign, Chosen};
use super::point::{Point, levels};
use crate::model::problem::Problem;

impl Campaign {
    /// The names of the points that the experiment lists or crosses, without what a search varies.
    fn own_points(&self) -> Vec<String> {
        let factors = &self.experiment.factors;
        let name = |point: &Point| {
            let levels = factors.iter().zip(levels(factors, point));
            let named = levels.map(|(factor, level)| format!("{}={}", factor.name, level.name));
            named.collect::<Vec<_>>().join(" ")
        };
        self.experiment.points.iter().map(name).collect()
    }

    /// What is wrong with a name that is no arm's, but the label of one.
    #[must_use]
    pub fn of_label(&self, name: &str) -> Option<Problem> {
        let arms = &self.experiment.arms;
        if arms.iter().any(|arm| arm.name == name) {
            return None;
        }
        let arm = arms.iter().find(|arm| arm.label == name)?;
        let problem = Problem::new(format!("`{name}` is the label of an arm"));
        Some(problem.expected(format!("its name, `{}`", arm.name)))
    }

    /// That the experiment has arms and points of these names.
    ///
    /// # Errors
    /// If there is no arm or point of one of them.
    pub fn has(&self, arms: &[String], points: &[String]) -> Result<(), Problem> {
        let own_points = self.own_points();
        let known_points: Vec<&str> =
            own_points.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
        let unknown = |kind: &str, names: &[String], known: &[&str]| {
            let name = names.iter().find(|name| !known.contains(&name.as_str()))?;
            Some(Problem::unknown(kind, name, known))
        };
        let labelled = arms.iter().find_map(|name| self.of_label(name));
        let problem = labelled.or_else(|| unknown("arm", arms, &self.arms()));
        problem.or_else(|| unknown("point", points, &known_points)).map_or(Ok(()), Err)
    }

    /// Leaves only these arms at these points, as if the experiment had no others; all of them
    /// where none is named. What was found of the warm-up before stays as it is.
    ///
    /// # Errors
    /// If there is no arm or point of that name.
    pub fn choose(&mut self, arms: &[String], points: &[String]) -> Result<(), Problem> {
        self.has(arms, points)?;
        let own_points = self.own_points();
        let is_kept = |chosen: &[String], name: &str| {
            chosen.is_empty() || chosen.iter().any(|one| one == name)
        };
        let kept_arms: Vec<bool> = self.arms().iter().map(|name| is_kept(arms, name)).collect();
        let kept_points: Vec<bool> = own_points.iter().map(|name| is_kept(points, name)).collect();
        // Every arm at the first value of a search, then at the second, then at the next point.
        let of_a_point = self.cells.len() / own_points.len();
        let mut index = 0..;
        self.cells.retain(|_| {
            let index = index.next().unwrap_or_default();
            kept_points[index / of_a_point] && kept_arms[index % kept_arms.len()]
        });
        let baseline = self.experiment.arms[self.declared.baseline].name.clone();
        let mut kept = kept_arms.into_iter();
        self.experiment.arms.retain(|_| kept.next().unwrap_or_default());
        let mut kept = kept_points.into_iter();
        self.experiment.points.retain(|_| kept.next().unwrap_or_default());
        let place = self.experiment.arms.iter().position(|arm| arm.name == baseline);
        self.declared.baseline = place.unwrap_or(0);
        self.chosen = Chosen {
            arms: arms.to_vec(),
            points: points.to_vec(),
            without_baseline: place.is_none().then_some(baseline),
            is_part: self.chosen.is_part || !arms.is_empty() || !points.is_empty(),
        };
        Ok(())
    }
}
