//! Objects of Kubernetes: what they are, and lists of them.

use super::Document;
use super::format::Format;
use super::quantity::find_text;
use crate::model::document::{Data, Value};

/// The API group of an object of Kubernetes; empty for the core.
pub(super) fn group(value: &Value) -> String {
    let version = find_text(value, "apiVersion").unwrap_or_default();
    version.split_once('/').map_or(String::new(), |(group, _)| group.to_owned())
}

/// The objects of a list of Kubernetes (`kubectl get -o yaml`), or of lists of them by any name, or
/// the object itself.
pub(super) fn items(value: Value) -> Vec<Value> {
    let is_list = find_text(&value, "kind").is_some_and(|kind| kind.ends_with("List"));
    let is_object =
        |value: &Value| ["apiVersion", "kind"].iter().all(|key| find_text(value, key).is_some());
    let is_of_objects = |value: &Value| match &value.data {
        Data::List(list) => !list.is_empty() && list.iter().all(is_object),
        _ => false,
    };
    let is_plain = !is_object(&value);
    let Value { data, at } = value;
    let Data::Table(mut fields) = data else { return vec![Value { data, at }] };
    let keys: Vec<String> = fields
        .iter()
        .filter(|(key, field)| {
            let is_items = is_list && *key == "items" && matches!(field.value.data, Data::List(_));
            is_items || is_plain && is_of_objects(&field.value)
        })
        .map(|(key, _)| key.clone())
        .collect();
    let mut found = Vec::new();
    for key in &keys {
        if let Some(Value { data: Data::List(list), .. }) =
            fields.shift_remove(key).map(|field| field.value)
        {
            found.extend(list.into_iter().flat_map(items));
        }
    }
    if keys.is_empty() || is_plain && !fields.is_empty() {
        found.push(Value { data: Data::Table(fields), at });
    }
    found
}

/// The documents of one format and of one of these kinds.
pub(super) fn of_kinds<'a, 'b>(
    documents: &'b [Document<'a>],
    format: Format,
    kinds: &[&str],
) -> Vec<&'b Document<'a>> {
    let has = |document: &&Document<'_>| {
        document.format == Some(format)
            && find_text(document.value, "kind").is_some_and(|own| kinds.contains(&own.as_str()))
    };
    documents.iter().filter(has).collect()
}
