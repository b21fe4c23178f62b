//! The INI of AWS configuration files, and lists of environment variables, with places.
//!
//! No crate: those that read INI keep no places, and the nested settings of AWS (`s3 =` with
//! indented lines below it) are a dialect of their own.

use indexmap::IndexMap;

use crate::model::document::{Data, Field, Location, Value};
use crate::model::problem::{Problem, shortened};

/// Whether a text is INI or a list of assignments, by its first line that is no comment.
pub(super) fn looks_like_it(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !is_comment(line));
    first.is_some_and(|line| match line.strip_prefix('[') {
        Some(rest) => {
            let name = rest.split(']').next().unwrap_or_default();
            rest.contains(']') && !name.contains(['"', '{', ',', ':', '['])
        }
        None => assignment(line).is_some_and(|(key, _)| {
            key.trim_start_matches("export ")
                .trim()
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        }),
    })
}

/// Reads sections with their settings; settings before the first section stand at the top.
pub(super) fn parse(text: &str, source: usize) -> Result<Value, Vec<Problem>> {
    let whole = Location { source, start: 0, end: text.len().min(1) };
    let (mut top, mut section) = (IndexMap::new(), None::<String>);
    let (mut problems, mut start) = (Vec::new(), 0);
    for line in text.split_inclusive('\n') {
        let from = start;
        start += line.len();
        let trimmed = line.trim();
        let at = from + (line.len() - line.trim_start().len());
        let place = |start: usize, length: usize| Location { source, start, end: start + length };
        // Indented lines belong to the setting above them; none of those is about retries.
        let is_nested = line.starts_with([' ', '\t']) && section.is_some();
        if trimmed.is_empty() || is_comment(trimmed) || is_nested {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            let name = name.0.trim().to_owned();
            let at = place(at, trimmed.len());
            let table = Value { data: Data::Table(IndexMap::new()), at };
            top.entry(name.clone()).or_insert(Field { key_at: at, value: table });
            section = Some(name);
            continue;
        }
        let Some((key, value)) = assignment(trimmed) else {
            problems.push(
                Problem::new(format!("`{}` is no setting", shortened(trimmed)))
                    .at(place(at, trimmed.len()))
                    .expected("`name = value` or `[section]`"),
            );
            continue;
        };
        let key_at = place(at, key.len());
        let value_at =
            place(at + (value.as_ptr() as usize - trimmed.as_ptr() as usize), value.len());
        let name = key.trim_start_matches("export ").trim().to_owned();
        let value = value.trim_matches('"').to_owned();
        let field = Field { key_at, value: Value { data: Data::Text(value), at: value_at } };
        let fields = match section.as_ref().and_then(|name| top.get_mut(name)) {
            Some(Field { value: Value { data: Data::Table(fields), .. }, .. }) => fields,
            _ => &mut top,
        };
        if fields.insert(name, field).is_some() {
            let problem = Problem::new("this name is written twice").at(key_at);
            problems.push(problem.expected("one place for each name"));
        }
    }
    match problems.is_empty() {
        true => Ok(Value { data: Data::Table(top), at: whole }),
        false => Err(problems),
    }
}

fn is_comment(line: &str) -> bool {
    line.starts_with(['#', ';'])
}

/// Name and value of `name = value`, without a comment after it.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once('=')?;
    let end = [" #", " ;", "\t#", "\t;"].iter().filter_map(|mark| value.find(mark)).min();
    let value = &value[..end.unwrap_or(value.len())];
    (!key.trim().is_empty()).then_some((key.trim_end(), value.trim()))
}
