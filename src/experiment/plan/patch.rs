//! Patches: values of a model or an experiment that arms, levels and the command line set.

use super::top::TOP;
use crate::model::compile;
use crate::model::document::{Data, Patch, Value, parse_path};
use crate::model::problem::Problem;

/// The keys of an experiment that say what a run is, and that arms and levels can set.
pub(in crate::experiment) const OF_RUNS: [&str; 15] = [
    "arrivals",
    "drain",
    "measure",
    "milestone",
    "slo",
    "price",
    "faults",
    "random_faults",
    "metastability",
    "blast_radius",
    "observe",
    "invariants",
    "expect",
    "limits",
    "limit",
];

/// Whether a patch is one of the model; if its path cannot be read, it is not.
pub(in crate::experiment) fn is_of_model(patch: &Patch) -> bool {
    parse_path(&patch.path).is_ok_and(|path| compile::TOP.contains(&path[0].as_str()))
}

/// Sets values of the model, or of the experiment, of which these keys are `open`: the first key of
/// a path tells which.
pub(in crate::experiment) fn patch<'p>(
    experiment: &mut Value,
    model: &mut Value,
    set: impl IntoIterator<Item = &'p Patch>,
    open: &[&str],
) -> Result<(), Vec<Problem>> {
    let mut problems = Vec::new();
    for patch in set {
        let result = parse_path(&patch.path).and_then(|path| {
            let top = path[0].as_str();
            let document = match top {
                _ if compile::TOP.contains(&top) => &mut *model,
                _ if open.contains(&top) => &mut *experiment,
                _ if TOP.contains(&top) => {
                    return Err(Problem::new(format!("`{top}` is the same for all runs"))
                        .expected(format!("a path into the model, or {}", open.join(", "))));
                }
                _ => {
                    let known: Vec<&str> = compile::TOP.iter().chain(open).copied().collect();
                    return Err(Problem::unknown("key", top, &known));
                }
            };
            set_known(document, &path, patch.value.clone())
        });
        if let Err(problem) = result {
            problems.push(problem.at(patch.path_at));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Sets a value of a model or experiment.
///
/// # Errors
/// If the path leads into a named thing that is not there, or through a value that is no table.
pub fn set_known(document: &mut Value, path: &[String], value: Value) -> Result<(), Problem> {
    known_names(document, path)?;
    document.set(path, value)
}

/// A path into a named thing leads to one that is there: a name with a typing error would otherwise
/// be a new thing that nothing uses.
fn known_names(document: &Value, path: &[String]) -> Result<(), Problem> {
    let words: Vec<&str> = path.iter().map(String::as_str).collect();
    let depth = match words[..] {
        ["link" | "measure" | "faults" | "limits" | "invariants" | "set", ..]
        | ["random_faults", ..] => return Ok(()),
        ["price", "for", _, _, ..] => vec![2],
        ["service", _, "on", _, _, ..] => vec![1, 3],
        ["database", _, "tables", _, _, ..] => vec![1, 3],
        [_, _, _, ..] => vec![1],
        _ => return Ok(()),
    };
    for depth in depth {
        let (parent, name) = (&path[..depth], &path[depth]);
        let Some(Value { data: Data::Table(fields), .. }) = document.find(parent) else {
            if document.find(parent).is_some() {
                return Ok(());
            }
            let name = path[..=depth].join(".");
            return Err(Problem::new(format!("there is no `{name}` whose values could be set"))
                .expected("the name of something that is there"));
        };
        if !fields.contains_key(name) {
            let known: Vec<&str> = fields.keys().map(String::as_str).collect();
            let kind = match words[depth - 1] {
                "on" => "operation",
                "tables" => "table",
                "arms" => "arm",
                "factors" => "factor",
                "for" => "price",
                section => section,
            };
            return Err(Problem::unknown(kind, name, &known));
        }
    }
    Ok(())
}

/// Whether two paths are the same, or one of them is inside the other.
pub(in crate::experiment) fn meets(one: &str, other: &str) -> bool {
    let (Ok(one), Ok(other)) = (parse_path(one), parse_path(other)) else { return false };
    one.iter().zip(&other).all(|(one, other)| one == other)
}
