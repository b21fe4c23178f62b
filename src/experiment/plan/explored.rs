//! Experiments that run round by round until they know something, instead of everything under all
//! seeds: what they have in common.

use crate::experiment::search::Search;
use crate::experiment::search::choose::Choose;
use crate::experiment::search::limit::Limit;
use crate::experiment::search::rare::Rare;
use crate::experiment::search::sensitivity::Sensitivity;
use crate::model::document::Value;
use crate::model::problem::Problem;

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
