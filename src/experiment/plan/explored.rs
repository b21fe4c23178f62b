//! Experiments that run round by round until they know something, instead of everything under all
//! seeds: what they have in common.

use super::cell::Cell;
use super::language::{Experiment, Factor, Seeds};
use crate::experiment::search::Search;
use crate::experiment::search::choose::Choose;
use crate::experiment::search::limit::Limit;
use crate::experiment::search::rare::Rare;
use crate::experiment::search::sensitivity::Sensitivity;
use crate::model::document::Value;
use crate::model::problem::Problem;
use crate::model::recording::ReadFile;

/// What an experiment asks beside a search.
#[derive(Clone, Debug, Default)]
pub struct Explored {
    /// How much load is asked of the system until an objective fails; a search says how.
    pub limit: Option<Limit>,
    /// Which of several designs is best.
    pub choose: Option<Choose>,
    /// Which of several quantities matters.
    pub sensitivity: Option<Sensitivity>,
    /// How likely something is that is too rare to wait for.
    pub rare: Option<Rare>,
}

/// The sections, of which an experiment has one at the most.
const SECTIONS: [&str; 6] = ["search", "limit", "choose", "sensitivity", "rare", "ramp"];

impl Explored {
    /// Reads what an experiment asks, with its search.
    pub(in crate::experiment) fn read(
        experiment: &Value,
        problems: &mut Vec<Problem>,
    ) -> (Option<Search>, Explored) {
        let is_there = |section: &&str| experiment.find(&[(*section).to_owned()]).is_some();
        let there: Vec<&str> = SECTIONS.into_iter().filter(is_there).collect();
        // A ramp says itself that it is no search.
        if let [first, second, ..] = there[..]
            && there != ["search", "ramp"]
        {
            let problem = Problem::new(format!("[{first}] and [{second}] are two questions"));
            let expected = "one of both in an experiment";
            problems.push(problem.expected(expected).located(experiment, &[second]));
        }
        if let Some(section) = there.iter().find(|section| **section != "ramp") {
            problems.extend(unasked(experiment, section));
        }
        let (limit, of_limit) = Limit::read(experiment, problems).unzip();
        let search = of_limit.flatten().or_else(|| Search::read(experiment, problems));
        let explored = Explored {
            limit,
            choose: Choose::read(experiment, problems),
            sensitivity: Sensitivity::read(experiment, problems),
            rare: Rare::read(experiment, problems),
        };
        (search, explored)
    }
}

/// What a question that is looked for round by round leaves aside: it compares no arms, and judges
/// no single run.
fn unasked(experiment: &Value, section: &str) -> Vec<Problem> {
    let parts = [
        ("compare", format!("[{section}] compares no arms")),
        ("expect", format!("[{section}] checks no runs")),
        ("attribution", format!("[{section}] looks for no causes")),
    ];
    let refused = |(key, what): (&str, String)| {
        experiment.find(&[key.to_owned()])?;
        let expected = format!("[{key}] in an experiment of its own, without [{section}]");
        Some(Problem::new(what).expected(expected).located(experiment, &[key]))
    };
    parts.into_iter().filter_map(refused).collect()
}

impl Experiment {
    /// Whether one of its parts says from when until when it looks at a run. Then it has no drain
    /// that it does not state.
    #[must_use]
    pub fn has_times_of_its_own(&self) -> bool {
        let Experiment { ramp, theory, published, .. } = self;
        self.explores().is_some() || ramp.is_some() || theory.is_some() || published.is_some()
    }

    /// The section that makes it run round by round until it knows something, instead of everything
    /// under all seeds.
    #[must_use]
    pub fn explores(&self) -> Option<&'static str> {
        let Explored { choose, sensitivity, rare, .. } = &self.explored;
        let search = self.search.as_ref().map(|search| search.section);
        let choose = || choose.as_ref().map(|_| "choose");
        let sensitivity = || sensitivity.as_ref().map(|_| "sensitivity");
        let rare = || rare.as_ref().map(|_| "rare");
        search.or_else(choose).or_else(sensitivity).or_else(rare)
    }

    /// What is varied beside its arms and factors.
    #[must_use]
    pub fn varied(&self) -> Option<&Factor> {
        let Explored { choose, sensitivity, .. } = &self.explored;
        let search = self.search.as_ref().map(|search| &search.factor);
        let choose = || choose.as_ref()?.factor.as_ref();
        search.or_else(choose).or_else(|| sensitivity.as_ref().map(|it| &it.factor))
    }

    /// What is wrong with the factor across the picture of its search.
    pub(in crate::experiment) fn wrong_across(&self) -> Option<Problem> {
        let across = self.search.as_ref()?.text.across.as_deref()?;
        let known: Vec<&str> = self.factors.iter().map(|factor| factor.name.as_str()).collect();
        (!known.contains(&across)).then(|| Problem::unknown("factor", across, &known))
    }

    /// Its seeds: as many as it says, or as what it asks needs at the most.
    pub(in crate::experiment) fn seeds_at_most(&self) -> Seeds {
        let Seeds(seeds) = &self.seeds;
        let Explored { choose, sensitivity, .. } = &self.explored;
        let search = self.search.as_ref().map(|search| search.text.seeds);
        let choose = || choose.as_ref().map(|choose| choose.text.seeds);
        let most = search.or_else(choose);
        match most.or_else(|| sensitivity.as_ref().map(|it| it.text.seeds)) {
            None => Seeds(seeds.clone()),
            Some(most) => Seeds(seeds.start..seeds.start.saturating_add(most)),
        }
    }

    /// Adds the factor of what is lost, where it asks for a limit.
    pub(in crate::experiment) fn with_losses(
        mut self,
        document: &Value,
        model: &Value,
        read_file: ReadFile<'_>,
    ) -> Result<Experiment, Vec<Problem>> {
        let Some(limit) = self.explored.limit.clone() else { return Ok(self) };
        let added = limit.add_losses(&mut self, model, read_file);
        added.map_err(|problem| vec![problem.located(document, &["limit"])])?;
        Ok(self)
    }

    /// That runs of this cell have what it asks for.
    ///
    /// # Errors
    /// If they have nothing of a name.
    pub(in crate::experiment) fn asks_for_what_is_there(
        &self,
        cell: &Cell,
        document: &Value,
    ) -> Result<(), Vec<Problem>> {
        let Explored { choose, sensitivity, rare, .. } = &self.explored;
        let placed = |section: &'static str| {
            move |problem: Problem| vec![problem.located(document, &[section])]
        };
        if let Some(search) = &self.search {
            search.outcome(cell).map_err(placed(search.section))?;
        }
        if let Some(choose) = choose {
            choose.judge(cell).map_err(placed("choose"))?;
        }
        if let Some(sensitivity) = sensitivity {
            sensitivity.outcome(cell).map_err(placed("sensitivity"))?;
        }
        if let Some(rare) = rare {
            rare.grows(&cell.program).map_err(placed("rare"))?;
        }
        Ok(())
    }
}
