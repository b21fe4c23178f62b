//! What each part of an experiment may be, but not together, or not here.

use super::{CELLS_MAX, Experiment, Parts};
use crate::experiment::plan::variant::same_labels;
use crate::kernel::time::Span;
use crate::model::problem::Problem;

/// The most windows of the time series of a run.
const WINDOWS_MAX: u64 = 100_000;
/// The most events, calls and jobs at once that a limit may allow: they are kept in memory.
const PENDING_MAX: u64 = 100_000_000;

/// Notes what does not go together.
pub(super) fn check(experiment: &Experiment, part: &mut Parts<'_>) {
    let Experiment { arrivals, drain, measure, limits, .. } = experiment;
    // Of a drain that nobody asked for nobody has to count the windows.
    let whole = if experiment.states_drain { *arrivals + *drain } else { *arrivals };
    if *arrivals == Span::ZERO {
        let problem = Problem::new("nobody ever arrives").expected("more than 0s");
        part.problem(&["arrivals"], problem);
    }
    if measure.window == Span::ZERO {
        part.problem(
            &["measure", "window"],
            Problem::new("a window has a length").expected("more than 0s"),
        );
    } else if whole.0 / measure.window.0 > WINDOWS_MAX {
        let window = measure.window;
        let problem = Problem::new(format!(
            "a run of {whole} has more than {WINDOWS_MAX} windows of {window}"
        ));
        let is_given = part.document.find(&["measure", "window"].map(str::to_owned)).is_some();
        let longer = if experiment.states_drain && arrivals < drain { "drain" } else { "arrivals" };
        let path = if is_given { vec!["measure", "window"] } else { vec![longer] };
        part.problem(&path, problem.expected("a shorter run, or a longer `window` in `measure`"));
    }
    if let Some(problem) = experiment.wrong_warm_up() {
        part.problem(&["measure", "warm_up"], problem);
    }
    if limits.events == 0 {
        let problem = Problem::new("a run without events cannot begin").expected("at least 1");
        part.problem(&["limits", "events"], problem);
    }
    if limits.pending == 0 || limits.pending > PENDING_MAX {
        let problem =
            Problem::new(format!("{} cannot be a limit of what is pending", limits.pending))
                .expected(format!("from 1 to {PENDING_MAX}: a run keeps all of it in memory"));
        part.problem(&["limits", "pending"], problem);
    }
    if experiment.arms.is_empty() {
        let problem = Problem::new("there are no arms, so nothing would run")
            .expected("an arm: [arms.NAME]; without `arms` the model itself is one");
        part.problem(&["arms"], problem);
    }
    for (name, problem) in same_labels("arm", &experiment.arms) {
        part.problem(&["arms", name, "label"], problem);
    }
    for factor in &experiment.factors {
        for (name, problem) in same_labels("level", &factor.levels) {
            part.problem(&["factors", &factor.name, name, "label"], problem);
        }
    }
    for factor in experiment.factors.iter().filter(|factor| factor.levels.is_empty()) {
        let problem = Problem::new(format!("the factor `{}` has no levels", factor.name))
            .expected(format!("a level: [factors.{}.NAME]", factor.name));
        part.problem(&["factors", &factor.name], problem);
    }
    if let Some(problem) = experiment.wrong_across() {
        part.problem(&["search", "across"], problem);
    }
    let levels = experiment.factors.iter().map(|factor| factor.levels.len());
    let values = experiment.varied().map_or(1, |varied| varied.levels.len());
    let cells = levels.fold(experiment.arms.len() * values, usize::saturating_mul);
    if cells > CELLS_MAX {
        let problem = Problem::new(format!("{cells} combinations of arms and levels are too many"))
            .expected(format!("at most {CELLS_MAX}"));
        let path = if experiment.factors.is_empty() { "arms" } else { "factors" };
        part.problem(&[path], problem);
    }
}
