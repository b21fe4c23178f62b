//! A policy as a tree of tables, before anything of it is read as what it means: that of the preset
//! without the parts that are left out, and what is written over it.
//!
//! Laid over means: key by key. A table that names its `kind` or `growth` starts anew, and where
//! keys say one thing in several ways, the one that is written sends those of the preset away.

use indexmap::IndexMap;

use super::text_of;
use crate::kernel::time::Span;
use crate::model::document::{Data, Field, Location, Value};
use crate::model::presets;
use crate::model::problem::Problem;
use crate::policy::backoff::{Backoff, BackoffKeys};
use crate::policy::{Policy, Scope};

type Fields = IndexMap<String, Field>;

/// Keys that say one thing in several ways: of each table, the keys of each way.
const WAYS: [(&str, &[&[&str]]); 5] = [
    ("budget", &[&["ratio", "per_second"], &["earn", "cost", "reserve"]]),
    ("rate_limit", &[&["rate"], &["interval"]]),
    ("breaker", &[&["window", "buckets", "rotation"], &["window_calls"]]),
    ("hedge", &[&["delay"], &["percentile", "minimum", "period", "min_delay"]]),
    ("throttling", &[&["k"], &["success_rate", "aggression"], &["average"]]),
];

/// The keys that make a breaker open by other rules.
const RULES: [&str; 3] = ["failure_ratio", "consecutive", "success_rate"];

/// These and the keys that belong to them.
const OF_RULES: [&str; 13] = [
    "failure_ratio",
    "consecutive",
    "success_rate",
    "window",
    "window_calls",
    "buckets",
    "rotation",
    "minimum",
    "comparison",
    "on_success",
    "slow_call",
    "slow_ratio",
    "every",
];

/// The tree of a policy with nothing left to look up, and the scope of its preset.
pub(super) fn resolved(written: &Value) -> Result<(Value, Option<Scope>), Problem> {
    let Data::Table(over) = &written.data else { return Ok((written.clone(), None)) };
    let mut over = over.clone();
    let (mut fields, scope) = match over.shift_remove("preset") {
        None => (Fields::new(), None),
        Some(named) => {
            let name: String = crate::model::read(&named.value)?;
            let preset = presets::named(&name).map_err(|problem| problem.at(named.value.at))?;
            (table_of(&preset.policy, named.value.at), Some(preset.scope))
        }
    };
    if let Some(without) = over.shift_remove("without") {
        leave_out(&mut fields, &without.value)?;
    }
    lay_over(&mut fields, &over, "policy");
    fill_in(&mut fields);
    Ok((Value { data: Data::Table(fields), at: written.at }, scope))
}

/// The tree of a policy, all of it at the place where its preset is named.
fn table_of(policy: &Policy, at: Location) -> Fields {
    match value_of(&text_of(policy), at).data {
        Data::Table(fields) => fields,
        other => unreachable!("a policy is a table, not {}", other.describe()),
    }
}

/// The value that is written for something, all of it at one place.
fn value_of(thing: &impl serde::Serialize, at: Location) -> Value {
    let json = serde_json::to_value(thing).expect("policies have text for every key");
    of_json(json, at)
}

fn of_json(json: serde_json::Value, at: Location) -> Value {
    use serde_json::Value as Json;
    let data = match json {
        Json::Null => unreachable!("a key without a value is left out"),
        Json::Bool(flag) => Data::Boolean(flag),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Data::Integer(whole),
            None => Data::Float(number.as_f64().expect("it was a float")),
        },
        Json::String(text) => Data::Text(text),
        Json::Array(list) => Data::List(list.into_iter().map(|json| of_json(json, at)).collect()),
        Json::Object(table) => Data::Table(
            table
                .into_iter()
                .map(|(key, json)| (key, Field { key_at: at, value: of_json(json, at) }))
                .collect(),
        ),
    };
    Value { data, at }
}

/// Takes parts of a preset away.
fn leave_out(fields: &mut Fields, without: &Value) -> Result<(), Problem> {
    // That each is the name of a part is said by the type.
    let _: Vec<super::Part> = crate::model::read(without)?;
    let Data::List(parts) = &without.data else { return Ok(()) };
    for part in parts {
        let Data::Text(key) = &part.data else { continue };
        let table = match key.as_str() {
            "budget" => fields.get_mut("retry").and_then(|retry| table(&mut retry.value)),
            _ => Some(&mut *fields),
        };
        if table.and_then(|table| table.shift_remove(key)).is_none() {
            return Err(Problem::new("there is no such part to leave out")
                .expected("a part that the preset has")
                .at(part.at));
        }
    }
    Ok(())
}

fn table(value: &mut Value) -> Option<&mut Fields> {
    match &mut value.data {
        Data::Table(fields) => Some(fields),
        _ => None,
    }
}

/// Lays what is written in the table of this name over what is there.
fn lay_over(base: &mut Fields, over: &Fields, name: &str) {
    send_away(base, over, name);
    for (key, written) in over {
        let Some(there) = base.get_mut(key) else {
            base.insert(key.clone(), written.clone());
            continue;
        };
        there.key_at = written.key_at;
        let Data::Table(own) = &written.value.data else {
            there.value = written.value.clone();
            continue;
        };
        if let Data::Text(line) = &there.value.data
            && let Some(keys) = BackoffKeys::of_line(line)
        {
            there.value = value_of(&keys, there.value.at);
        }
        match table(&mut there.value) {
            Some(base) if !starts_anew(key, own) => {
                lay_over(base, own, key);
                there.value.at = written.value.at;
            }
            _ => there.value = written.value.clone(),
        }
    }
}

/// Whether what is written replaces what the preset has.
fn starts_anew(key: &str, written: &Fields) -> bool {
    let is_choice = ["hint", "jitter", "proof"].contains(&key);
    is_choice || written.contains_key("kind") || written.contains_key("growth")
}

/// Removes what is said in another way by what is written.
fn send_away(base: &mut Fields, over: &Fields, name: &str) {
    if let Some((_, ways)) = WAYS.iter().find(|(table, _)| *table == name) {
        let is_written = |way: &&[&str]| way.iter().any(|key| over.contains_key(*key));
        let written: Vec<usize> = (0..ways.len()).filter(|&way| is_written(&ways[way])).collect();
        if let [way] = written[..] {
            let others = (0..ways.len()).filter(|&other| other != way).flat_map(|way| ways[way]);
            others.for_each(|key| drop(base.shift_remove(*key)));
        }
    }
    match name {
        // Another rule replaces that of the preset; its own numbers change it.
        "breaker" => {
            let mut named = RULES.iter().filter(|key| over.contains_key(**key));
            if !named.all(|key| base.contains_key(*key)) {
                base.retain(|key, _| !OF_RULES.contains(&key.as_str()));
            }
            // Another number of probes asks for as many successes.
            let value =
                |fields: &Fields| fields.get("probes").map(|field| field.value.data.clone());
            let probes = value(over).filter(|probes| matches!(probes, Data::Integer(_)));
            let proof = base.get("proof").map(|field| &field.value);
            let by_successes =
                proof.is_some_and(|proof| proof.find(&["successes".to_owned()]).is_some());
            if probes.is_some() && probes != value(base) && by_successes {
                base.shift_remove("proof");
            }
        }
        // The jitter of the preset is that of its own delays.
        "retry" => {
            let anew = over.get("backoff").is_some_and(|backoff| match &backoff.value.data {
                Data::Table(fields) => {
                    fields.contains_key("growth") || fields.contains_key("jitter")
                }
                _ => true,
            });
            if anew {
                base.shift_remove("jitter");
            }
        }
        _ => {}
    }
}

/// Names what a table means by default: the kind of a machine, the series under single numbers.
fn fill_in(fields: &mut Fields) {
    if let Some(limit) = fields.get_mut("concurrency_limit") {
        set_kind(&mut limit.value, "aimd");
    }
    for part in ["retry", "hedge"] {
        let table = fields.get_mut(part).and_then(|part| table(&mut part.value));
        if let Some(budget) = table.and_then(|table| table.get_mut("budget")) {
            set_kind(&mut budget.value, "tokens");
        }
    }
    if let Some(breaker) = fields.get_mut("breaker").and_then(|part| table(&mut part.value)) {
        lay_under(breaker, "open_for", &Backoff::constant(Span::from_secs(5)));
    }
    if let Some(retry) = fields.get_mut("retry").and_then(|part| table(&mut part.value)) {
        lay_under(retry, "backoff", &Backoff::NONE);
        // Single numbers of the delays after throttling change those after other errors, which are
        // read for it; if they cannot be, that is told where they stand.
        let usual = retry.get("backoff").map(|field| crate::model::read(&field.value));
        let usual: Backoff = usual.and_then(Result::ok).unwrap_or(Backoff::NONE);
        let jitter = retry.get("jitter").and_then(|field| crate::model::read(&field.value).ok());
        let usual = jitter.and_then(|jitter| usual.spread_by(jitter).ok()).unwrap_or(usual);
        lay_under(retry, "throttled", &usual);
    }
}

/// Lays a series under single numbers of one, a table without a growth.
fn lay_under(fields: &mut Fields, key: &str, series: &Backoff) {
    let Some(written) = fields.get(key).cloned() else { return };
    let Data::Table(own) = &written.value.data else { return };
    if own.contains_key("growth") {
        return;
    }
    let mut value = value_of(&BackoffKeys::from(series), written.value.at);
    if let Some(under) = table(&mut value) {
        lay_over(under, own, key);
    }
    fields.insert(key.to_owned(), Field { value, ..written });
}

/// Names the kind that a table without one means.
fn set_kind(value: &mut Value, kind: &str) {
    let at = value.at;
    if let Some(fields) = table(value)
        && !fields.contains_key("kind")
    {
        let value = Value { data: Data::Text(kind.to_owned()), at };
        fields.insert("kind".to_owned(), Field { key_at: at, value });
    }
}
