//! A text as documents: in which syntax it is, what lies inside of others, and what to say of a
//! template.

use super::format::Format;
use super::kubernetes::items;
use super::parts::{Parsed, Parts};
use super::quantity::find_text;
use super::{ini, properties, recognise, spring, yaml};
use crate::model::document::{Data, Field, Location, Sources, Value};
use crate::model::problem::Problem;

/// Reads a file.
///
/// # Errors
/// What cannot be parsed, each with its place.
pub(super) fn parse(
    sources: &Sources,
    source: usize,
    format: Option<Format>,
) -> Result<Parts, Vec<Problem>> {
    let text = sources.text(source);
    let values = values(text, source, sources.name(source), format)
        .map_err(|problems| template(text, source).map_or(problems, |problem| vec![problem]))?;
    let mut parts = Parts::default();
    for value in values.into_iter().flat_map(items) {
        add(&mut parts, Entry { name: None, part: 0, owner: None, value }, text)
            .map_err(|problem| vec![problem])?;
    }
    Ok(parts)
}

type Entry = Parsed;

/// Adds a document, and after a ConfigMap or a Secret the files in it.
fn add(parts: &mut Parts, mut entry: Entry, text: &str) -> Result<(), Problem> {
    if spring::is_application(&entry.value) {
        entry.value = spring::expanded(entry.value, &mut parts.replaced)?;
    }
    let key = match find_text(&entry.value, "kind").as_deref() {
        Some("ConfigMap") => "data",
        Some("Secret") => "stringData",
        _ => "",
    };
    if key.is_empty() || entry.name.is_some() {
        parts.documents.push(entry);
        return Ok(());
    }
    let owner = entry.value.find(&["metadata".to_owned()]);
    let owner = owner.and_then(|metadata| find_text(metadata, "name"));
    let part = parts.documents.len() + 1;
    let inner = files(&mut entry.value, key, text)?;
    parts.documents.push(entry);
    for (name, value) in inner {
        let owner = owner.clone();
        add(parts, Entry { name: Some(name), part, owner, value }, text)?;
    }
    Ok(())
}

/// Takes the files out of an object of files that have a format which can be read.
fn files(map: &mut Value, key: &str, text: &str) -> Result<Vec<(String, Value)>, Problem> {
    let mut found = Vec::new();
    let Data::Table(fields) = &mut map.data else { return Ok(found) };
    let Some(Field { value: Value { data: Data::Table(entries), .. }, .. }) = fields.get_mut(key)
    else {
        return Ok(found);
    };
    let mut taken = Vec::new();
    for (name, field) in entries.iter() {
        let Data::Text(inner) = &field.value.data else { continue };
        // A setting of one word is no file.
        if !name.contains('.') && !inner.trim().contains('\n') {
            continue;
        }
        match inside(name, inner, field.value.at, text) {
            Ok(values) if values.iter().any(|value| recognise::of_one(value).is_some()) => {
                taken.push(name.clone());
                found.extend(values.into_iter().map(|value| (name.clone(), value)));
            }
            Err(problem) if spring::ROOT.len() < inner.len() && inner.contains(spring::ROOT) => {
                return Err(problem);
            }
            _ => {}
        }
    }
    entries.retain(|name, _| !taken.contains(name));
    Ok(found)
}

/// The documents of a text inside a text, at their places if its lines stand there as they are.
fn inside(name: &str, inner: &str, at: Location, text: &str) -> Result<Vec<Value>, Problem> {
    let lines = lines_of(inner, at, text);
    let place = |own: Location| match &lines {
        Some(lines) => Location { start: lines.byte(own.start), end: lines.byte(own.end), ..own },
        None => at,
    };
    let read = values(inner, at.source, name, None).map_err(|mut problems| {
        let problem = problems.swap_remove(0);
        Problem { at: Some(problem.at.map_or(at, place)), ..problem }
    })?;
    let mut read: Vec<Value> = read.into_iter().flat_map(items).collect();
    read.iter_mut().for_each(|value| put(value, &place));
    Ok(read)
}

/// Where lines of a text begin that stand indented in another one.
struct Lines {
    /// The first byte of each in the text itself, and in the other one after the indentation.
    starts: Vec<(usize, usize)>,
}

impl Lines {
    fn byte(&self, own: usize) -> usize {
        let line = self.starts.partition_point(|(start, _)| *start <= own).saturating_sub(1);
        let (start, there) = self.starts[line];
        there + (own - start)
    }
}

/// The lines of a block at `at`, if they are those of `inner`, indented.
fn lines_of(inner: &str, at: Location, text: &str) -> Option<Lines> {
    let first = inner.lines().find(|line| !line.trim().is_empty())?.trim_end();
    let mut there = match text.get(at.start..)? {
        // The place of a block is its first line, or the mark before it.
        here if here.starts_with(first) => text[..at.start].rfind('\n').map_or(0, |end| end + 1),
        here => at.start + here.find('\n')? + 1,
    };
    let filled = |line: &&str| !line.trim().is_empty();
    let indent = text[there..].lines().find(filled)?;
    let indent = indent.len() - indent.trim_start_matches(' ').len();
    let (mut own, mut starts) = (0, Vec::new());
    for (line, wanted) in text[there..].split_inclusive('\n').zip(inner.split_inclusive('\n')) {
        let written = line.get(indent..).unwrap_or_default();
        if written.trim_end() != wanted.trim_end() {
            return None;
        }
        starts.push((own, there + indent.min(line.trim_end_matches(['\r', '\n']).len())));
        there += line.len();
        own += wanted.len();
    }
    Some(Lines { starts })
}

/// Puts a value and all inside it at other places.
fn put(value: &mut Value, place: &dyn Fn(Location) -> Location) {
    value.at = place(value.at);
    match &mut value.data {
        Data::Table(fields) => fields.values_mut().for_each(|field| {
            field.key_at = place(field.key_at);
            put(&mut field.value, place);
        }),
        Data::List(values) => values.iter_mut().for_each(|value| put(value, place)),
        _ => {}
    }
}

/// The documents of a text in whatever syntax it is.
fn values(
    text: &str,
    source: usize,
    name: &str,
    format: Option<Format>,
) -> Result<Vec<Value>, Vec<Problem>> {
    // What a DNS record of gRPC begins with.
    let prefix = "grpc_config=";
    if let Some(start) = text.find(prefix).filter(|&start| text[..start].trim().is_empty()) {
        let mut values = values(&text[start + prefix.len()..], source, name, format)?;
        values.iter_mut().for_each(|value| value.move_by(start + prefix.len()));
        return Ok(values);
    }
    if name.ends_with(".properties") || (format.is_none() && properties::looks_like_it(text)) {
        return Ok(properties::parse(text, source));
    }
    if format == Some(Format::Aws) || (format.is_none() && ini::looks_like_it(text)) {
        return ini::parse(text, source).map(|value| vec![value]);
    }
    if is_json(text) {
        return match Value::parse_configuration(text, source) {
            Ok(value) => Ok(vec![value]),
            // YAML may begin with a bracket too, though not with thousands.
            Err(problem) if is_deep(text) => Err(vec![in_our_words(problem)]),
            Err(problem) => yaml::parse(text, source).map_err(|_| vec![in_our_words(problem)]),
        };
    }
    yaml::parse(text, source).map_err(|problem| vec![problem])
}

/// What a parser of JSON says, by what it says it of.
fn in_our_words(problem: Problem) -> Problem {
    if problem.expected.as_deref() != Some("valid JSON") {
        return problem;
    }
    const SAID: [(&str, &str, &str); 5] = [
        ("unterminated", "this is not closed", "the quote or bracket that closes it"),
        ("comma", "a comma is missing here, or one too many", "`,` between two"),
        ("colon", "a name is followed by its value", "`\"name\": value`"),
        ("property", "a name stands in quotes before its value", "`\"name\": value`"),
        ("number", "this is no number", "a number"),
    ];
    let found = SAID.iter().find(|(word, ..)| problem.message.contains(word));
    let (message, how) = found.map_or(
        ("this cannot be read as JSON", "a value, or a name with a value"),
        |(_, message, how)| (*message, *how),
    );
    Problem { message: message.to_owned(), expected: Some(how.to_owned()), ..problem }
}

/// Whether a text begins with more brackets than any document has.
fn is_deep(text: &str) -> bool {
    text.trim_start_matches(|c: char| "[{".contains(c) || c.is_whitespace()).len() + 1_000
        < text.len()
}

/// Whether a text begins with a bracket, comments of JSON aside.
fn is_json(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let after = if let Some(line) = rest.strip_prefix("//") {
            line.split_once('\n').map(|(_, after)| after)
        } else if let Some(block) = rest.strip_prefix("/*") {
            block.split_once("*/").map(|(_, after)| after)
        } else {
            let is_list = rest
                .strip_prefix('[')
                .is_some_and(|rest| rest.trim_start().starts_with(['{', '"', ']']));
            return rest.starts_with('{') || is_list;
        };
        let Some(after) = after else { return false };
        rest = after.trim_start();
    }
}

/// What to say of a text that could not be parsed because it is no configuration yet.
fn template(text: &str, source: usize) -> Option<Problem> {
    let mut start = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let mark = ["{{", "{%"].into_iter().filter_map(|mark| Some((line.find(mark)?, mark))).min();
        if let Some((column, mark)) = mark
            && !is_quoted(&line[..column])
        {
            let at = Location { source, start: start + column, end: start + column + mark.len() };
            let message = format!("this is a template (line {}: `{mark}`)", number + 1);
            let how =
                "render it first, for example with `helm template`, and import what it prints";
            return Some(Problem::new(message).at(at).expected(how));
        }
        start += line.len();
    }
    None
}

/// Whether a comment or a quote is open after this part of a line.
fn is_quoted(before: &str) -> bool {
    let is_open = |quote: char| before.matches(quote).count() % 2 == 1;
    before.trim_start().starts_with('#') || is_open('"') || is_open('\'')
}
