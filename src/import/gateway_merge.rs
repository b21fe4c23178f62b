//! Two policies of Envoy Gateway as one, where the more specific one says that it is merged with
//! the other: what both say, its own word before that of the other (`mergeType`; JSON merge patch,
//! RFC 7396, from which a strategic merge does not differ in anything that is read here).

use super::Document;
use super::attach::{at, text_at};
use super::note::{Notes, joined, leaves};
use crate::model::document::{Data, Value};

/// Whether a policy is merged with the next one that is attached.
pub(super) fn is_merged(policy: &Document<'_>) -> bool {
    let how = text_at(policy.value, &["spec", "mergeType"]);
    how.is_some_and(|how| how == "StrategicMerge" || how == "JSONMerge")
}

/// The document of one policy with what only the other says.
pub(super) fn merged(own: &Document<'_>, other: &Document<'_>) -> Value {
    let mut value = own.value.clone();
    let spec = at(other.value, &["spec"]).cloned();
    let targets = ["targetRef", "targetRefs", "targetSelectors", "mergeType"];
    if let (Data::Table(fields), Some(mut spec)) = (&mut value.data, spec) {
        if let Data::Table(fields) = &mut spec.data {
            fields.retain(|key, _| !targets.contains(&key.as_str()));
        }
        if let Some(field) = fields.get_mut("spec") {
            merge(&mut field.value, &spec);
        }
    }
    value
}

fn merge(own: &mut Value, other: &Value) {
    let (Data::Table(own), Data::Table(other)) = (&mut own.data, &other.data) else { return };
    for (key, field) in other {
        match own.get_mut(key) {
            Some(own) => merge(&mut own.value, &field.value),
            None => {
                own.insert(key.clone(), field.clone());
            }
        }
    }
}

/// Notes that were read from the merged document, from `first` on, name the policy that says it;
/// what the other says in vain is noted too.
pub(super) fn tell(notes: &mut Notes, first: usize, own: &Document<'_>, other: &Document<'_>) {
    let fields = |document: &Document<'_>| {
        let mut fields = Vec::new();
        leaves("", document.value, &mut |field, _| fields.push(field.to_owned()));
        fields
    };
    let (of_own, of_other) = (fields(own), fields(other));
    let has = |fields: &[String], field: &str| {
        fields.iter().any(|each| {
            let rest = each.strip_prefix(field);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    };
    let prefix = joined(&own.path, "");
    for note in &mut notes.notes[first..] {
        let Some(field) = note.field.strip_prefix(prefix.as_str()) else { continue };
        if !has(&of_own, field) && has(&of_other, field) {
            note.field = joined(&other.path, field);
        }
    }
    let told = notes.notes[first..].to_vec();
    leaves(&other.path, other.value, &mut |field, value| {
        let is_told = told.iter().any(|note| {
            let rest = field.strip_prefix(note.field.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
        if !is_told && field.contains("spec.") {
            notes.ignored(field, value, "merged with a policy that says so itself");
        }
    });
}
