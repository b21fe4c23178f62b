//! Objects of Kubernetes by name, namespace and labels: what is attached to what.

use super::Document;
use super::quantity::{find_text, text, texts};
use crate::model::document::{Data, Value};

/// The value at a path of keys.
pub(super) fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| match &value.data {
        Data::Table(fields) => fields.get(*key).map(|field| &field.value),
        _ => None,
    })
}

/// The elements of the list at a path.
pub(super) fn list<'a>(value: &'a Value, path: &[&str]) -> Vec<&'a Value> {
    match at(value, path).map(|list| &list.data) {
        Some(Data::List(values)) => values.iter().collect(),
        _ => Vec::new(),
    }
}

pub(super) fn text_at(value: &Value, path: &[&str]) -> Option<String> {
    at(value, path).and_then(|value| text(value).ok())
}

/// The name of an object.
pub(super) fn name_of(document: &Document<'_>) -> Option<String> {
    text_at(document.value, &["metadata", "name"])
}

/// The namespace of an object, if the file says it.
pub(super) fn namespace_of(document: &Document<'_>) -> Option<String> {
    text_at(document.value, &["metadata", "namespace"])
}

/// The kind of an object and its name, for sentences.
pub(super) fn shown(document: &Document<'_>) -> String {
    let kind = find_text(document.value, "kind").unwrap_or_default();
    format!("{kind} `{}`", name_of(document).unwrap_or_default())
}

/// The place of an object in the order in which the oldest and then the first by name counts.
pub(super) fn seniority(document: &Document<'_>) -> (String, String, String) {
    let created = text_at(document.value, &["metadata", "creationTimestamp"]);
    // Without a time, an object is younger than all that have one.
    let created = created.unwrap_or_else(|| "~".to_owned());
    let namespace = namespace_of(document).unwrap_or_default();
    (created, namespace, name_of(document).unwrap_or_default())
}

/// How sure it is that two namespaces are the same: surely, or as one of them is not said; `None`
/// if they are not.
pub(super) fn same_namespace(one: Option<&str>, other: Option<&str>) -> Option<u8> {
    match (one, other) {
        (Some(one), Some(other)) => (one == other).then_some(2),
        (None, None) => Some(2),
        _ => Some(1),
    }
}

/// Whether labels are those that a selector wants: `matchLabels` and `matchExpressions`.
pub(super) fn is_selected(selector: &Value, document: &Document<'_>) -> bool {
    let label = |key: &str| text_at(document.value, &["metadata", "labels", key]);
    let labels = match at(selector, &["matchLabels"]).map(|value| &value.data) {
        Some(Data::Table(wanted)) => {
            wanted.iter().all(|(key, field)| label(key) == text(&field.value).ok())
        }
        _ => true,
    };
    labels
        && list(selector, &["matchExpressions"]).iter().all(|expression| {
            let own = find_text(expression, "key").and_then(|key| label(&key));
            let values = at(expression, &["values"]).and_then(|values| texts(values).ok());
            let is_among = |own: &String| values.as_ref().is_some_and(|list| list.contains(own));
            match find_text(expression, "operator").as_deref() {
                Some("In") => own.as_ref().is_some_and(is_among),
                Some("NotIn") => !own.as_ref().is_some_and(is_among),
                Some("Exists") => own.is_some(),
                Some("DoesNotExist") => own.is_none(),
                _ => false,
            }
        })
}
