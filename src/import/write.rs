//! What was imported, as tables of the language with a comment on every field, or as JSON.

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::note::{Fate, Note};
use super::{Format, Import, Imported};
use crate::model::policy::{PolicyText, text_of};
use crate::model::problem::Problem;

/// The policies as TOML that a model takes; comments are at most `width` columns wide.
///
/// # Errors
/// If a policy cannot be written in the language.
pub fn toml(import: &Import, file: &str, width: usize) -> Result<String, Problem> {
    let heading = |policy: &Imported| format!("[policy.{}]\n", policy.name);
    written(import, file, width, &heading)
}

/// The policies as what an arm of an experiment sets, instead of those of the same names.
///
/// # Errors
/// If a policy cannot be written in the language.
pub fn arm(import: &Import, file: &str, width: usize, name: &str) -> Result<String, Problem> {
    let heading = |policy: &Imported| format!("[arms.{name}.set.\"policy.{}\"]\n", policy.name);
    written(import, file, width, &heading)
}

fn written(
    import: &Import,
    file: &str,
    width: usize,
    heading: &dyn Fn(&Imported) -> String,
) -> Result<String, Problem> {
    let mut out = String::new();
    wrapped(&mut out, "# ", "# ", &format!("{}, from {file}.", titles(import)), width);
    for policy in &import.policies {
        out.push('\n');
        out += &heading(policy);
        out += &table(policy)?;
        for caveat in &policy.caveats {
            wrapped(&mut out, "# Note: ", "#   ", caveat, width);
        }
        comments(&mut out, &policy.notes, width);
    }
    for (why, fields) in unattached(import) {
        out += "\n";
        let text = format!("Attached to nothing here, because {why}: {}.", fields.join(", "));
        wrapped(&mut out, "# ", "#   ", &text, width);
    }
    let fields = elsewhere(import);
    if !fields.is_empty() {
        out += "\n";
        let text = format!("Not about calls: {}.", fields.join(", "));
        wrapped(&mut out, "# ", "#   ", &text, width);
    }
    Ok(out)
}

/// The formats of a file, each with what is known of it.
fn titles(import: &Import) -> String {
    let title = |format: &Format| format!("{} ({})", format.title(), format.knows());
    import.formats.iter().map(title).collect::<Vec<_>>().join(" and ")
}

/// The fields that are attached to nothing, by the reason why.
fn unattached(import: &Import) -> IndexMap<&str, Vec<&str>> {
    let mut found: IndexMap<&str, Vec<&str>> = IndexMap::new();
    for note in &import.rest {
        if let Fate::Unattached(why) = &note.fate {
            found.entry(why).or_default().push(&note.field);
        }
    }
    found
}

fn elsewhere(import: &Import) -> Vec<&str> {
    let notes = import.rest.iter().filter(|note| note.fate == Fate::Elsewhere);
    notes.map(|note| note.field.as_str()).collect()
}

/// The policies and notes for a program.
///
/// # Errors
/// If a policy cannot be written in the language.
pub fn json(import: &Import, file: &str) -> Result<String, Problem> {
    let mut policies = Vec::new();
    for policy in &import.policies {
        policies.push(json!({
            "name": policy.name,
            "policy": text(policy),
            "notes": policy.caveats,
            "fields": policy.notes.iter().map(note).collect::<Vec<_>>(),
        }));
    }
    let whole = json!({
        "file": file,
        "format": import.formats.iter().map(|format| format.name()).collect::<Vec<_>>().join(", "),
        "knows": titles(import),
        "policies": policies,
        "attached_to_nothing": unattached(import)
            .into_iter()
            .map(|(why, fields)| json!({ "because": why, "fields": fields }))
            .collect::<Vec<_>>(),
        "not_about_calls": elsewhere(import),
    });
    let text = serde_json::to_string_pretty(&whole);
    text.map_err(|error| Problem::new(error.to_string()))
}

fn note(note: &Note) -> Json {
    let (fate, key, why) = match &note.fate {
        Fate::Given(means) => ("given", "means", means.as_str()),
        Fate::Defaulted(source) => ("defaulted", "source", *source),
        Fate::Ignored(why) => ("ignored", "reason", why.as_str()),
        Fate::Unattached(why) => ("unattached", "reason", why.as_str()),
        Fate::Elsewhere => ("ignored", "reason", "says nothing about calls"),
    };
    json!({ "field": note.field, "value": note.value, "fate": fate, key: why })
}

/// The policy in the language, every number written out.
pub fn text(imported: &Imported) -> PolicyText {
    PolicyText { scope: imported.scope, ..text_of(&imported.policy) }
}

/// The keys of a policy.
fn table(imported: &Imported) -> Result<String, Problem> {
    let failed = |error: toml::ser::Error| Problem::new(error.to_string());
    let table = toml::Table::try_from(text(imported)).map_err(failed)?;
    let mut out = String::new();
    for (key, value) in &table {
        out += &format!("{key} = {value}\n");
    }
    Ok(out)
}

/// What is told of a field of one kind; nothing of those of another.
type Wording = fn(&Fate) -> Option<&str>;

fn comments(out: &mut String, notes: &[Note], width: usize) {
    let kinds: [(&str, Wording); 3] = [
        ("given", |fate| match fate {
            Fate::Given(means) => Some(means),
            _ => None,
        }),
        ("not given: the default", |fate| match fate {
            Fate::Defaulted(source) => Some(source),
            _ => None,
        }),
        ("given, but ignored", |fate| match fate {
            Fate::Ignored(why) => Some(why),
            _ => None,
        }),
    ];
    for (title, of_kind) in kinds {
        let mut notes =
            notes.iter().filter_map(|note| Some((note, of_kind(&note.fate)?))).peekable();
        if notes.peek().is_some() {
            *out += &format!("# {title}\n");
        }
        for (note, text) in notes {
            let text = format!("{} = {}: {text}", note.field, note.value);
            wrapped(out, "#   ", "#       ", &text, width);
        }
    }
}

/// Adds a text broken between words; a word that is too long stands alone. No control character of
/// a document gets out of its comment.
fn wrapped(out: &mut String, first: &str, others: &str, text: &str, width: usize) {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in plain.split_whitespace() {
        let columns = unicode_width::UnicodeWidthStr::width(line.as_str())
            + unicode_width::UnicodeWidthStr::width(word);
        if !is_empty && columns >= width {
            *out += line.trim_end();
            out.push('\n');
            line = others.to_owned();
        }
        line += word;
        line.push(' ');
        is_empty = false;
    }
    *out += line.trim_end();
    out.push('\n');
}
