//! `extends` of an experiment: another one, of which it says only what is different.

use crate::model::document::{Data, Location, Value};
use crate::model::problem::Problem;

/// The key that names the other experiment.
const KEY: &str = "extends";
/// What is of an experiment alone: results of two would be written to one folder.
const OF_ITS_OWN: &str = "name";
/// The table whose values are values of the model, each of which is replaced as a whole.
const SET: &str = "set";

/// The experiment that this one extends, and where it is named; `None` if it extends none.
///
/// # Errors
/// If something else stands there than a text.
pub fn named(experiment: &Value) -> Result<Option<(&str, Location)>, Problem> {
    match experiment.find(&[KEY.to_owned()]) {
        None => Ok(None),
        Some(Value { data: Data::Text(name), at }) => Ok(Some((name, *at))),
        Some(value) => {
            let found = value.data.describe();
            let problem =
                Problem::new(format!("expected the path of an experiment, found {found}"));
            Err(problem.at(value.at).expected("a path such as \"incident.toml\""))
        }
    }
}

/// An experiment with all that the one has which it extends: tables are merged key by key,
/// everything else, lists too, is what the experiment says itself. A value under `set` is replaced
/// as a whole. The name is not taken over.
#[must_use]
pub fn over(mut base: Value, mut own: Value) -> Value {
    let without = |value: &mut Value, key: &str| {
        if let Data::Table(fields) = &mut value.data {
            fields.shift_remove(key);
        }
    };
    without(&mut base, OF_ITS_OWN);
    without(&mut own, KEY);
    merge(&mut base, own, false);
    base
}

fn merge(base: &mut Value, own: Value, is_set: bool) {
    match (&mut base.data, own.data) {
        (Data::Table(there), Data::Table(fields)) => {
            for (name, field) in fields {
                match there.get_mut(&name) {
                    Some(known) if !is_set => {
                        known.key_at = field.key_at;
                        merge(&mut known.value, field.value, name == SET);
                    }
                    _ => _ = there.insert(name, field),
                }
            }
        }
        (_, data) => base.data = data,
    }
    base.at = own.at;
}
