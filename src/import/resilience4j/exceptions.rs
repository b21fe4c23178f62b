//! resilience4j: lists of exception classes as outcomes.

use super::layers::Layers;
use crate::import::note::{Notes, shown};
use crate::import::outcome::{self, Exception, names};
use crate::import::quantity::texts;
use crate::policy::OutcomeSet;

/// What a list of exception classes means here.
#[derive(Default)]
pub(super) struct Classes {
    pub(super) outcomes: OutcomeSet,
    pub(super) denials: bool,
}

/// Reads a list.
pub(super) fn classes(
    notes: &mut Notes,
    layers: &mut Layers<'_>,
    key: &'static str,
) -> Option<Classes> {
    let (path, value) = layers.value(notes, key)?;
    let list = match texts(value) {
        Ok(list) => list,
        Err(problem) => {
            notes.problems.push(problem.at(value.at));
            return None;
        }
    };
    let (mut found, mut unknown) =
        (Classes { outcomes: OutcomeSet::NONE, denials: false }, Vec::new());
    for class in &list {
        match outcome::exception(class) {
            Some(Exception::Everything) => {
                found = Classes { outcomes: OutcomeSet::ERRORS, denials: true };
            }
            Some(Exception::Outcomes(set)) => found.outcomes = found.outcomes.or(set),
            Some(Exception::Denial) => found.denials = true,
            None => unknown.push(class.rsplit('.').next().unwrap_or(class)),
        }
    }
    let is_foreign = !list.is_empty() && unknown.len() == list.len();
    if is_foreign {
        found.outcomes = ASSUMED;
    }
    let mut means = format!("are the outcomes {}", names(found.outcomes));
    if found.denials {
        means += " and denials of the client's own breaker and limits";
    }
    if !unknown.is_empty() {
        means += &format!("; `{}` is of the application", unknown.join("`, `"));
    }
    notes.given(&path, shown(value), means);
    if !unknown.is_empty() {
        let what = match is_foreign {
            true => format!("`{}` is ASSUMED to be {}", unknown.join("`, `"), names(ASSUMED)),
            false => format!("`{}` is left out", unknown.join("`, `")),
        };
        notes.caveats.push(format!(
            "which outcomes a class of the application is cannot be told: of {key}, {what}; name \
             the outcomes that it stands for"
        ));
    }
    Some(found)
}

/// What classes of an application are taken for where a list has no others: what goes wrong on the
/// way or at the server, and not what is wrong with the call.
const ASSUMED: OutcomeSet = OutcomeSet::FAILED.or(OutcomeSet::REJECTED).or(OutcomeSet::TIMED_OUT);

/// Reads a list of what is not counted: classes of the application take nothing away.
pub(super) fn exempt(notes: &mut Notes, layers: &mut Layers<'_>, key: &'static str) -> Classes {
    let caveats = notes.caveats.len();
    let is_foreign = |value: &crate::model::document::Value| {
        texts(value).is_ok_and(|list| {
            !list.is_empty() && list.iter().all(|class| outcome::exception(class).is_none())
        })
    };
    if let Some((path, value)) = layers.value(notes, key).filter(|(_, value)| is_foreign(value)) {
        let why = "classes of the application, which no outcome stands for";
        notes.ignored(&path, value, why);
        return Classes::default();
    }
    let found = classes(notes, layers, key).unwrap_or_default();
    notes.caveats.truncate(caveats);
    found
}
