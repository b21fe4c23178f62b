//! A complete model as TOML that a person reads: a section for each node, a line for each key, a
//! line for each step.

use toml::{Table, Value};

/// The widest line that is not broken at its commas.
const WIDTH: usize = 100;

/// The sections of a model as TOML; reading it gives the same model again.
pub fn model_text(model: &Table) -> String {
    let mut text = String::new();
    for (key, value) in model {
        match value {
            Value::Table(nodes) => {
                for (name, node) in nodes {
                    section(&mut text, &[key, name], node);
                }
            }
            value => text.push_str(&line(key, value)),
        }
    }
    text
}

/// A section with its keys; keys that hold sections of their own follow.
fn section(text: &mut String, path: &[&str], value: &Value) {
    let Value::Table(keys) = value else {
        return text.push_str(&line(path[path.len() - 1], value));
    };
    let name: Vec<String> = path.iter().map(|part| key_text(part)).collect();
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&format!("[{}]\n", name.join(".")));
    let (sections, lines): (Vec<_>, Vec<_>) =
        keys.iter().partition(|(key, value)| is_section(key, value));
    for (key, value) in lines {
        text.push_str(&line(key, value));
    }
    for (key, value) in sections {
        let Value::Table(parts) = value else { continue };
        for (name, part) in parts {
            section(text, &[path, &[key, name]].concat(), part);
        }
    }
}

/// Handlers have a section each.
fn is_section(key: &str, value: &Value) -> bool {
    key == "on" && value.is_table()
}

fn line(key: &str, value: &Value) -> String {
    format!("{} = {}\n", key_text(key), value_text(value, 0))
}

/// A value on one line, or, if that would be too wide, a list with a line for each of its parts.
fn value_text(value: &Value, indent: usize) -> String {
    let text = inline(value);
    match value {
        Value::Array(parts) if !parts.is_empty() && too_wide(&text, indent, parts) => {
            let pad = " ".repeat(indent);
            let lines =
                parts.iter().map(|part| format!("{pad}  {},\n", value_text(part, indent + 2)));
            format!("[\n{}{pad}]", lines.collect::<String>())
        }
        _ => text,
    }
}

/// Lists of steps have a line for each, however short.
fn too_wide(text: &str, indent: usize, parts: &[Value]) -> bool {
    text.chars().count() + indent > WIDTH || (parts.len() > 1 && parts.iter().all(Value::is_table))
}

fn inline(value: &Value) -> String {
    match value {
        Value::Table(table) if table.is_empty() => "{}".to_owned(),
        Value::Table(table) => {
            let keys =
                table.iter().map(|(key, value)| format!("{} = {}", key_text(key), inline(value)));
            format!("{{ {} }}", keys.collect::<Vec<_>>().join(", "))
        }
        Value::Array(parts) => {
            format!("[{}]", parts.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// A key as it is written: quoted unless it is plain.
fn key_text(key: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match !key.is_empty() && key.chars().all(is_plain) {
        true => key.to_owned(),
        false => Value::String(key.to_owned()).to_string(),
    }
}
