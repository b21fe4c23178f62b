//! What was imported, as tables of the language with a comment on every field, or as JSON.

use serde_json::{Value as Json, json};

use super::note::{Fate, Note};
use super::{Import, Imported};
use crate::model::policy::{PolicyText, text_of};
use crate::model::problem::Problem;

/// The policies as TOML; comments are at most `width` columns wide.
///
/// # Errors
/// If a policy cannot be written in the language.
pub fn toml(import: &Import, file: &str, width: usize) -> Result<String, Problem> {
    let mut out = String::new();
    wrapped(&mut out, "# ", "# ", &format!("{}, from {file}.", import.format.title()), width);
    for policy in &import.policies {
        out.push('\n');
        out += &table(policy)?;
        for caveat in &policy.caveats {
            wrapped(&mut out, "# Note: ", "#   ", caveat, width);
        }
        comments(&mut out, &policy.notes, width);
    }
    if !import.rest.is_empty() {
        out += "\n";
        let fields: Vec<&str> = import.rest.iter().map(|note| note.field.as_str()).collect();
        let text = format!("Not about calls: {}.", fields.join(", "));
        wrapped(&mut out, "# ", "#   ", &text, width);
    }
    Ok(out)
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
        "format": import.format.name(),
        "policies": policies,
        "not_about_calls": import.rest.iter().map(|note| &note.field).collect::<Vec<_>>(),
    });
    let text = serde_json::to_string_pretty(&whole);
    text.map_err(|error| Problem::new(error.to_string()))
}

fn note(note: &Note) -> Json {
    let (fate, key, why) = match &note.fate {
        Fate::Given(means) => ("given", "means", means.as_str()),
        Fate::Defaulted(source) => ("defaulted", "source", *source),
        Fate::Ignored(why) => ("ignored", "reason", why.as_str()),
        Fate::Elsewhere => ("ignored", "reason", "says nothing about calls"),
    };
    json!({ "field": note.field, "value": note.value, "fate": fate, key: why })
}

/// The policy in the language, every number written out.
#[must_use]
pub fn text(imported: &Imported) -> PolicyText {
    PolicyText { scope: imported.scope, ..text_of(&imported.policy) }
}

/// `[policy.NAME]`.
fn table(imported: &Imported) -> Result<String, Problem> {
    let failed = |error: toml::ser::Error| Problem::new(error.to_string());
    let table = toml::Table::try_from(text(imported)).map_err(failed)?;
    let mut out = format!("[policy.{}]\n", imported.name);
    for (key, value) in &table {
        out += &format!("{key} = {value}\n");
    }
    Ok(out)
}

/// What is told of a field of one kind; nothing of those of another.
type Told = fn(&Fate) -> Option<&str>;

fn comments(out: &mut String, notes: &[Note], width: usize) {
    let kinds: [(&str, Told); 3] = [
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
