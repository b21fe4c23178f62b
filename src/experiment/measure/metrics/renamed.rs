//! Metrics that had another name: an experiment that still says the old one works for one version,
//! and is told of the new one.

use crate::model::document::{Data, Location, Value};
use crate::model::problem::Problem;

/// Old names, and what the field calls them.
const RENAMED: [(&str, &str); 3] = [
    ("stale_read_ratio", "read_your_writes_violation_ratio"),
    ("old_row_ratio", "stale_row_ratio"),
    ("older_read_ratio", "monotonic_reads_violation_ratio"),
];

/// What a metric of this old name is called now.
pub(in crate::experiment) fn now_called(name: &str) -> Option<&'static str> {
    RENAMED.iter().find(|(old, _)| *old == name).map(|(_, new)| *new)
}

/// The sections of an experiment in which metrics are named.
const SECTIONS: [&str; 8] =
    ["expect", "compare", "search", "choose", "sensitivity", "limit", "arms", "factors"];

/// A warning wherever an experiment names a metric by an old name.
pub(in crate::experiment) fn renamed(experiment: &Value) -> Vec<Problem> {
    let mut warnings = Vec::new();
    for section in SECTIONS {
        if let Some(value) = experiment.find(&[section.to_owned()]) {
            find(value, &mut warnings);
        }
    }
    warnings
}

fn find(value: &Value, warnings: &mut Vec<Problem>) {
    match &value.data {
        Data::Table(fields) => {
            for (key, field) in fields {
                warnings.extend(old_names(key, field.key_at));
                find(&field.value, warnings);
            }
        }
        Data::List(values) => values.iter().for_each(|value| find(value, warnings)),
        Data::Text(text) => warnings.extend(old_names(text, value.at)),
        Data::Integer(_) | Data::Float(_) | Data::Boolean(_) => {}
    }
}

fn old_names(text: &str, at: Location) -> Vec<Problem> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let named = words.filter_map(|word| Some((word, now_called(word)?)));
    let warning = |(old, new): (&str, &str)| {
        let problem = Problem::new(format!("`{old}` is called `{new}` now"));
        problem.expected("the new name; the old one works in this version only").at(at)
    };
    named.map(warning).collect()
}
