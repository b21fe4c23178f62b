//! What is different between the policies of two configurations.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::import::{Import, Imported, text};

/// Every number of every policy that is not the same in both.
pub fn differences(old: &Import, new: &Import) -> String {
    let mut out = String::new();
    let mut same = 0;
    for one in &old.policies {
        match new.policies.iter().find(|other| other.name == one.name) {
            None => out += &format!("policy.{}: only in the old configuration\n", one.name),
            Some(other) => {
                let lines = between(&leaves(one), &leaves(other));
                same += u64::from(lines.is_empty());
                if !lines.is_empty() {
                    out += &format!("policy.{}\n{lines}", one.name);
                }
            }
        }
    }
    for other in &new.policies {
        if !old.policies.iter().any(|one| one.name == other.name) {
            out += &format!("policy.{}: only in the new configuration\n", other.name);
        }
    }
    match (out.is_empty(), same) {
        (true, _) => format!("nothing differs in any of {same}\n"),
        (false, 0) => out,
        (false, same) => format!("{out}nothing differs in {same} more\n"),
    }
}

fn between(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> String {
    let mut paths: Vec<&String> = old.keys().chain(new.keys()).collect();
    paths.sort_unstable();
    paths.dedup();
    let value = |of: &BTreeMap<String, String>, path: &str| {
        of.get(path).cloned().unwrap_or_else(|| "-".to_owned())
    };
    let lines = paths.iter().filter(|path| old.get(**path) != new.get(**path));
    lines.map(|path| format!("  {path}: {} → {}\n", value(old, path), value(new, path))).collect()
}

/// Every number of a policy by its path.
fn leaves(policy: &Imported) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let whole = serde_json::to_value(text(policy)).unwrap_or_default();
    collect("", &whole, &mut found);
    found
}

fn collect(path: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                collect(&path, value, found);
            }
        }
        Value::Null => {}
        Value::String(text) => _ = found.insert(path.to_owned(), text.clone()),
        other => _ = found.insert(path.to_owned(), other.to_string()),
    }
}
