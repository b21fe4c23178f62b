//! What happens to a run or not: something that results count, a promise that is kept, or a metric
//! on one side of a bound.

use crate::experiment::compare::measured::{Measured, Source, unknown};
use crate::experiment::judge::expect::Expectation;
use crate::experiment::judge::metastability::Label;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::kernel::limit::Ending;
use crate::model::problem::Problem;

/// What happens to a run or not.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Something that results count.
    Event(Measured),
    /// A promise is kept: what results count does not happen.
    Kept(Measured),
    /// A metric is as it is expected.
    Bound(Expectation),
}

/// The ending of the name of an event that is a broken promise, and of one that is kept.
const VIOLATED: &str = "_violated";
const KEPT: &str = "_kept";
/// What stands before objectives that are not met.
pub(in crate::experiment) const NOT: &str = "not ";

impl Outcome {
    /// Reads `metastable`, `NAME_violated`, `NAME_kept` or `METRIC RELATION BOUND`, of what runs of
    /// this cell have.
    ///
    /// # Errors
    /// If runs have nothing of this name, or the bound does not fit its metric.
    pub fn read(text: &str, cell: &Cell) -> Result<Outcome, Problem> {
        if let Some((name, bound)) = bound(text) {
            return Expectation::read(name, bound, &cell.metrics).map(Outcome::Bound);
        }
        let events = Measured::all(cell).into_iter().filter(Measured::is_event);
        let events: Vec<Measured> = events.collect();
        let find = |name: &str| events.iter().find(|event| event.name == name).cloned();
        if let Some(event) = find(text) {
            return Ok(Outcome::Event(event));
        }
        let promise = text.strip_suffix(KEPT).map(|promise| format!("{promise}{VIOLATED}"));
        if let Some(event) = promise.as_deref().and_then(find) {
            return Ok(Outcome::Kept(event));
        }
        Err(match (text, promise) {
            ("metastable", _) => Problem::new("no run is labelled, so none is metastable")
                .expected("[metastability] beside it, or another `outcome`"),
            ("never_recovered", _) => {
                Problem::new("nothing goes wrong, so every run has recovered")
                    .expected("[[faults]] beside it, or another `outcome`")
            }
            (_, Some(violated)) => unknown("outcome", &violated, &events),
            _ if cell.metrics.find(text).is_some() => {
                Problem::new(format!("`{text}` is a number, and no run has it or has it not"))
                    .expected(format!("a bound, such as \"{text} <= 1.3\""))
            }
            _ => unknown("outcome", text, &events),
        })
    }

    /// Whether it happened in a run; `None` where nothing can be said. A run that is not healthy
    /// without its fault says nothing about what the fault does.
    #[must_use]
    pub fn happened(&self, run: &RunResult) -> Option<bool> {
        match self {
            Outcome::Event(event) | Outcome::Kept(event) => {
                if event.source == Source::Metastable && run.label == Some(Label::Overload) {
                    return None;
                }
                let happened = event.value(run)? > 0.5;
                Some(happened == matches!(self, Outcome::Event(_)))
            }
            Outcome::Bound(expectation) => expectation.judge(run).met,
        }
    }

    /// Whether a run has met it. One that a limit ended, or that has no such number, has not.
    #[must_use]
    pub fn is_met(&self, run: &RunResult) -> bool {
        run.ending == Ending::Complete && self.happened(run) == Some(true)
    }
}

/// The name of a metric, and what it is to be.
fn bound(text: &str) -> Option<(&str, &str)> {
    let at = text.find(['<', '>']).or_else(|| text.find(" within "))?;
    let (name, bound) = text.split_at(at);
    Some((name.trim(), bound.trim()))
}

/// What is true of runs to which it happens, as a predicate of many: "break one_charge".
#[must_use]
pub fn of_many(text: &str) -> String {
    // A promise may have a name that ends so itself.
    let ends = |ending: &str| text.strip_suffix(ending);
    if let Some(objectives) = text.strip_prefix(NOT) {
        return format!("miss {objectives}");
    }
    match text {
        "metastable" => "stay down after the fault".to_owned(),
        "never_recovered" => "never recover".to_owned(),
        _ if bound(text).is_some() => format!("have {text}"),
        _ => match (ends(".never_recovered"), ends(KEPT)) {
            (Some(milestone), _) => format!("never recover, by {milestone}"),
            (_, Some(promise)) => format!("keep {promise}"),
            _ => format!("break {}", ends(VIOLATED).unwrap_or(text)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_keeps_its_name_whatever_that_ends_with() {
        for (text, said) in [
            ("one_charge_violated", "break one_charge"),
            ("never_violated_violated", "break never_violated"),
            ("one_charge_kept", "keep one_charge"),
            ("paid.never_recovered", "never recover, by paid"),
            ("latency_p99_ms > 300ms", "have latency_p99_ms > 300ms"),
            ("recovers within 30s", "have recovers within 30s"),
            ("not success_ratio >= 99%", "miss success_ratio >= 99%"),
        ] {
            assert_eq!(of_many(text), said);
        }
    }

    #[test]
    fn a_bound_has_a_name_before_its_relation() {
        assert_eq!(bound("paid.latency_p99_ms<=2s"), Some(("paid.latency_p99_ms", "<=2s")));
        assert_eq!(bound("recovers within 30s"), Some(("recovers", "within 30s")));
        assert_eq!(bound("one_charge_kept"), None);
    }
}
