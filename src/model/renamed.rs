//! Keys that had another name: a file, a patch or an argument that still says the old one works for
//! one version, and is told of the new one.

use indexmap::IndexMap;

use super::document::{Data, Field, Location, Sources, Value, parse_path};
use super::problem::Problem;

/// Where a key was called otherwise: the path to its table, in which `*` is any name or position,
/// the old name, and what the same thing is called elsewhere or by the field.
const KEYS: [(&str, &str, &str); 22] = [
    ("service.*.bulkhead.*", "concurrent", "limit"),
    ("policy.*", "limit", "concurrency_limit"),
    ("policy.*.concurrency_limit", "least", "min"),
    ("policy.*.concurrency_limit", "most", "max"),
    ("policy.*.concurrency_limit", "multiplier", "probe_multiplier"),
    ("policy.*.concurrency_limit", "window", "long_window"),
    ("policy.*.connections", "max_wait", "acquire_timeout"),
    ("policy.*.rate_limit", "patience", "max_wait"),
    ("policy.*.throttling", "most", "max_rejection"),
    ("policy.*.throttling", "least_rate", "min_rate"),
    ("policy.*.outlier", "base", "base_ejection_time"),
    ("policy.*.outlier", "longest", "max_ejection_time"),
    ("policy.*.outlier", "most_ejected", "max_ejected"),
    ("policy.*.outlier", "failure_share", "failure_ratio"),
    ("policy.*.outlier", "share_hosts", "ratio_hosts"),
    ("policy.*.outlier", "share_calls", "ratio_calls"),
    ("policy.*.hedge", "least", "min_delay"),
    ("policy.*.retry.backoff", "least", "min"),
    ("policy.*.retry.throttled", "least", "min"),
    ("policy.*.breaker.open_for", "least", "min"),
    ("policy.*.retry.budget", "floor", "min_retries"),
    ("policy.*.hedge.budget", "floor", "min_retries"),
];

/// The list of parts of a preset that are left out, of which one was called otherwise.
const WITHOUT: (&str, &str, &str) = ("policy.*.without", "limit", "concurrency_limit");

/// Parses a source, and gives old keys their new names; [`Sources`] keeps a warning of each.
///
/// # Errors
/// Every syntax error that the parser could name.
pub fn parse(sources: &mut Sources, source: usize) -> Result<Value, Vec<Problem>> {
    let mut document = Value::parse(sources, source)?;
    let mut warnings = Vec::new();
    in_table(&mut document, &[], &mut warnings);
    in_paths(&mut document, false, &mut warnings);
    sources.warn(warnings);
    Ok(document)
}

/// A path to a value, and the value that is set there, with new names.
pub fn patched(path: &str, path_at: Location, value: &mut Value) -> (String, Vec<Problem>) {
    let mut warnings = Vec::new();
    let Ok(parts) = parse_path(path) else { return (path.to_owned(), warnings) };
    let (parts, path) = match in_path(parts.clone(), path_at, &mut warnings) {
        Some(parts) => (parts.clone(), joined(&parts)),
        None => (parts, path.to_owned()),
    };
    in_table(value, &parts, &mut warnings);
    (path, warnings)
}

/// Renames keys in a value that stands at a path of a model.
fn in_table(value: &mut Value, at: &[String], warnings: &mut Vec<Problem>) {
    for (table, old, new) in KEYS {
        if let Some(rest) = inside(table, at) {
            each(value, &rest, &mut |value| rename(value, old, new, warnings));
        }
    }
    let (list, old, new) = WITHOUT;
    if let Some(rest) = inside(list, at) {
        each(value, &rest, &mut |value| {
            let Data::List(names) = &mut value.data else { return };
            for name in names {
                if matches!(&name.data, Data::Text(text) if text == old) {
                    name.data = Data::Text(new.to_owned());
                    warnings.push(warning(old, new, name.at));
                }
            }
        });
    }
}

/// What of a pattern is below a path, if it goes there.
fn inside<'p>(pattern: &'p str, at: &[String]) -> Option<Vec<&'p str>> {
    let parts: Vec<&str> = pattern.split('.').collect();
    let is_there = at.len() <= parts.len()
        && parts.iter().zip(at).all(|(part, own)| *part == "*" || part == own);
    is_there.then(|| parts[at.len()..].to_vec())
}

/// Does something with every value that a pattern leads to.
fn each(value: &mut Value, pattern: &[&str], then: &mut dyn FnMut(&mut Value)) {
    let Some((first, rest)) = pattern.split_first() else { return then(value) };
    match &mut value.data {
        Data::Table(fields) if *first == "*" => {
            fields.values_mut().for_each(|field| each(&mut field.value, rest, then));
        }
        Data::Table(fields) => {
            if let Some(field) = fields.get_mut(*first) {
                each(&mut field.value, rest, then);
            }
        }
        _ => {}
    }
}

fn rename(value: &mut Value, old: &str, new: &str, warnings: &mut Vec<Problem>) {
    let Data::Table(fields) = &mut value.data else { return };
    let Some(field) = fields.get(old) else { return };
    warnings.push(warning(old, new, field.key_at));
    rename_key(fields, old, new.to_owned());
}

/// Gives a key another name in its place. If the new one is there too, that is told where the table
/// is read.
fn rename_key(fields: &mut IndexMap<String, Field>, old: &str, new: String) {
    if fields.contains_key(&new) {
        return;
    }
    if let Some((place, _, field)) = fields.shift_remove_full(old) {
        fields.shift_insert(place, new, field);
    }
}

fn warning(old: &str, new: &str, at: Location) -> Problem {
    Problem::new(format!("`{old}` is called `{new}` now"))
        .expected("the new name; the old one works in this version only")
        .at(at)
}

/// The path with new names, if it has an old one.
fn in_path(
    mut path: Vec<String>,
    at: Location,
    warnings: &mut Vec<Problem>,
) -> Option<Vec<String>> {
    let mut is_renamed = false;
    for (table, old, new) in KEYS {
        let depth = table.split('.').count();
        let leads_there = path.get(depth).is_some_and(|key| key == old)
            && inside(table, &path[..depth]).is_some();
        if leads_there {
            new.clone_into(&mut path[depth]);
            warnings.push(warning(old, new, at));
            is_renamed = true;
        }
    }
    is_renamed.then_some(path)
}

/// Renames keys in the paths that an experiment names: those that it sets, and any others.
fn in_paths(value: &mut Value, sets: bool, warnings: &mut Vec<Problem>) {
    match &mut value.data {
        Data::Table(fields) => {
            let mut renamed = Vec::new();
            for (key, field) in fields.iter_mut() {
                if sets || key.contains('.') {
                    let (path, more) = patched(key, field.key_at, &mut field.value);
                    warnings.extend(more);
                    renamed.extend((path != *key).then(|| (key.clone(), path)));
                }
                in_paths(&mut field.value, key == "set", warnings);
            }
            renamed.into_iter().for_each(|(old, new)| rename_key(fields, &old, new));
        }
        Data::List(values) => {
            values.iter_mut().for_each(|value| in_paths(value, false, warnings));
        }
        Data::Text(text) if text.contains('.') => {
            let path = parse_path(text).ok().and_then(|path| in_path(path, value.at, warnings));
            if let Some(path) = path {
                *text = joined(&path);
            }
        }
        _ => {}
    }
}

/// The text of a path.
fn joined(path: &[String]) -> String {
    let is_plain =
        |part: &String| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let part = |part: &String| if is_plain(part) { part.clone() } else { format!("\"{part}\"") };
    path.iter().map(part).collect::<Vec<_>>().join(".")
}
