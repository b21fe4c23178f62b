//! What Spring makes of a document before anybody reads it: keys with dots are tables, keys with
//! numbers are lists, and `${NAME:default}` is a value.

use indexmap::IndexMap;

use super::parts::Replaced;
use super::quantity::{find_text, text};
use crate::model::document::{Data, Field, Value};
use crate::model::problem::Problem;

/// The table of the library that is read.
pub(super) const ROOT: &str = "resilience4j";

/// Whether a document has settings of the library.
pub(super) fn is_application(value: &Value) -> bool {
    let Data::Table(fields) = &value.data else { return false };
    let is_root = |key: &String| {
        key.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    fields.keys().any(is_root)
}

/// The document with its keys taken apart and its placeholders replaced.
///
/// # Errors
/// A key whose table is also a value.
pub(super) fn expanded(value: Value, replaced: &mut Vec<Replaced>) -> Result<Value, Problem> {
    let Data::Table(fields) = value.data else { return Ok(value) };
    let original = Value { data: Data::Table(fields.clone()), at: value.at };
    let mut all = IndexMap::new();
    for (key, field) in fields {
        let first = key.split('.').next().unwrap_or_default();
        if first == ROOT || first == "spring" {
            let parts = parts(&key);
            insert(&mut all, &parts, taken_apart(field)?)?;
        } else {
            all.insert(key, field);
        }
    }
    if let Some(root) = all.get_mut(ROOT) {
        fill(&mut root.value, &original, replaced);
    }
    Ok(Value { data: Data::Table(all), at: value.at })
}

/// `a.b[0]."[c.d]"` as `a`, `b`, `0`, `c.d`; what stands in brackets is one part.
fn parts(key: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut is_bracketed = false;
    for character in key.chars() {
        match character {
            '[' if !is_bracketed => {
                is_bracketed = true;
                if parts.last().is_some_and(|last| !last.is_empty()) {
                    parts.push(String::new());
                }
            }
            ']' if is_bracketed => is_bracketed = false,
            '.' if !is_bracketed => parts.push(String::new()),
            _ => parts.last_mut().expect("one at least").push(character),
        }
    }
    parts
}

fn taken_apart(field: Field) -> Result<Field, Problem> {
    let Field { key_at, value: Value { data, at } } = field;
    let data = match data {
        Data::Table(fields) => {
            let mut all = IndexMap::new();
            for (key, field) in fields {
                insert(&mut all, &parts(&key), taken_apart(field)?)?;
            }
            listed(all)
        }
        data => data,
    };
    Ok(Field { key_at, value: Value { data, at } })
}

/// A table whose keys count from 0 is a list.
fn listed(fields: IndexMap<String, Field>) -> Data {
    let counts = |(index, key): (usize, &String)| *key == index.to_string();
    match !fields.is_empty() && fields.keys().enumerate().all(counts) {
        true => Data::List(fields.into_values().map(|field| field.value).collect()),
        false => Data::Table(fields),
    }
}

/// Puts a value at a path of keys, into tables that may be there already.
fn insert(
    into: &mut IndexMap<String, Field>,
    parts: &[String],
    field: Field,
) -> Result<(), Problem> {
    let Some((first, rest)) = parts.split_first() else { return Ok(()) };
    let key_at = field.key_at;
    let field = if rest.is_empty() {
        field
    } else {
        let mut inner = IndexMap::new();
        insert(&mut inner, rest, field)?;
        Field { key_at, value: Value { data: Data::Table(inner), at: key_at } }
    };
    match into.get_mut(first) {
        None => {
            into.insert(first.clone(), field);
            Ok(())
        }
        Some(old) => merge(&mut old.value, field),
    }
}

fn merge(old: &mut Value, new: Field) -> Result<(), Problem> {
    match (&mut old.data, new.value.data) {
        (Data::Table(old), Data::Table(fields)) => {
            for (key, field) in fields {
                insert(old, &[key], field)?;
            }
            Ok(())
        }
        _ => {
            let problem = Problem::new("this is written twice").at(new.key_at);
            Err(problem.expected("one place for each setting"))
        }
    }
}

/// Puts values in the place of placeholders, as far as the file knows them.
fn fill(value: &mut Value, document: &Value, replaced: &mut Vec<Replaced>) {
    match &mut value.data {
        Data::Table(fields) => {
            for field in fields.values_mut() {
                fill(&mut field.value, document, replaced);
            }
            let fields = std::mem::take(fields);
            value.data = listed(fields);
        }
        Data::List(values) => {
            values.iter_mut().for_each(|value| fill(value, document, replaced));
        }
        Data::Text(written) if written.contains("${") => {
            if let Some(filled) = filled(written, document, 0) {
                replaced.push((value.at, std::mem::replace(written, filled)));
            }
        }
        _ => {}
    }
}

/// Placeholders inside placeholders end somewhere.
const DEPTH_MAX: usize = 8;

/// The text with every placeholder replaced; `None` if one of them has no value here.
fn filled(written: &str, document: &Value, depth: usize) -> Option<String> {
    let Some(start) = written.find("${") else { return Some(written.to_owned()) };
    if depth > DEPTH_MAX {
        return None;
    }
    let inside = &written[start + 2..];
    let end = closing(inside)?;
    let (name, default) = match inside[..end].split_once(':') {
        Some((name, default)) => (name, Some(default)),
        None => (&inside[..end], None),
    };
    let value = match property(document, name.trim()) {
        Some(value) => filled(&value, document, depth + 1)?,
        None => filled(default?, document, depth + 1)?,
    };
    let rest = filled(&inside[end + 1..], document, depth + 1)?;
    Some(format!("{}{value}{rest}", &written[..start]))
}

/// The bracket that closes what `${` opened.
fn closing(inside: &str) -> Option<usize> {
    let mut depth = 0;
    for (place, character) in inside.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(place),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// A setting of the same file, whether its keys have dots or not.
fn property(document: &Value, name: &str) -> Option<String> {
    let Data::Table(fields) = &document.data else { return None };
    for (key, field) in fields {
        let rest = name.strip_prefix(key.as_str());
        let found = match rest.map(|rest| (rest, rest.strip_prefix('.'))) {
            Some(("", _)) => text(&field.value).ok(),
            Some((_, Some(rest))) => property(&field.value, rest),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// The profiles for which a document counts; none if it always does.
pub(super) fn profiles(value: &Value) -> Vec<String> {
    let find =
        |path: &[&str]| value.find(&path.iter().map(|&key| key.to_owned()).collect::<Vec<_>>());
    let named = find(&["spring", "config", "activate", "on-profile"])
        .or_else(|| find(&["spring", "config", "activate", "onProfile"]))
        .or_else(|| {
            find(&["spring", "profiles"]).filter(|found| !matches!(found.data, Data::Table(_)))
        });
    let Some(named) = named else { return Vec::new() };
    let expressions = super::quantity::texts(named).unwrap_or_default();
    let split = |expression: String| -> Vec<String> {
        match expression.contains(['&', '!', '(']) {
            true => vec![expression],
            false => expression.split('|').map(|name| name.trim().to_owned()).collect(),
        }
    };
    expressions.into_iter().flat_map(split).filter(|name| !name.is_empty()).collect()
}

/// The profile in the name of a file: `application-prod.yml`.
pub(super) fn profile_of_name(name: &str) -> Option<String> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    stem.strip_prefix("application-").or_else(|| stem.strip_prefix("bootstrap-")).map(str::to_owned)
}

/// The name of the application that a document is of.
pub(super) fn application(value: &Value) -> Option<String> {
    let spring = value.find(&["spring".to_owned(), "application".to_owned()])?;
    find_text(spring, "name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_parted_at_dots_that_are_in_no_brackets() {
        assert_eq!(parts("a.b-c.d[0]"), ["a", "b-c", "d", "0"]);
        assert_eq!(parts("a.[b.c].d"), ["a", "b.c", "d"]);
    }

    #[test]
    fn a_placeholder_is_its_setting_or_its_default_or_nothing() {
        let documents = super::super::yaml::parse("a.b: 7\nc: { d: \"${a.b}\" }", 0);
        let document = documents.expect("YAML").remove(0);
        let cases = [
            ("${X:4}ms", Some("4ms")),
            ("${X:${Y:5}}", Some("5")),
            ("${a.b}", Some("7")),
            ("${c.d:1}", Some("7")),
            ("${X}", None),
            ("${X:4", None),
            ("plain", Some("plain")),
        ];
        for (written, expected) in cases {
            assert_eq!(filled(written, &document, 0).as_deref(), expected, "{written}");
        }
    }
}
