//! What becomes of the fields that no policy was read from: one rule for all formats.
//!
//! A field that says how calls are made is never passed over in silence: either a reader asked for
//! it, or it is told of with the reason why it is attached to nothing. Only what is about something
//! else than calls may be left out as such.

use std::collections::{BTreeMap, BTreeSet};

use super::note::{self, Fate, Note, leaves};
use super::quantity::find_text;
use super::{Document, Format, Imported};

/// A part of a document that says how calls are made, and to which no call was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unattached {
    /// The path that its fields begin with.
    pub(super) path: String,
    /// Why; ends the sentence "attached to nothing here, because".
    pub(super) why: String,
}

/// Words of fields that say how calls are made, each with the reason why such a field may have no
/// place in a policy; without a reason of its own, that of the document is told. Names are compared
/// without dashes, underscores and capitals; `.` is the beginning of a name.
const WORDS: [(&str, Option<&str>); 34] = [
    (".fault", Some(FAULTS)),
    ("faultinjection", Some(FAULTS)),
    ("mirror", Some("mirrored calls are not modelled")),
    ("shadow", Some("mirrored calls are not modelled")),
    ("healthcheck", Some(PROBES)),
    ("livenessprobe", Some(PROBES)),
    ("readinessprobe", Some(PROBES)),
    ("startupprobe", Some(PROBES)),
    ("idletimeout", Some(CONNECTIONS)),
    ("connecttimeout", Some(CONNECTIONS)),
    ("connectiontimeout", Some(CONNECTIONS)),
    ("handshaketimeout", Some(CONNECTIONS)),
    ("draintimeout", Some(CONNECTIONS)),
    ("headerstimeout", Some(CONNECTIONS)),
    ("delayedclosetimeout", Some(CONNECTIONS)),
    ("listenerfilterstimeout", Some(CONNECTIONS)),
    ("fetchtimeout", Some("how a proxy is configured is not modelled")),
    ("maxconnectionduration", Some(CONNECTIONS)),
    ("maxstreamduration", Some(CONNECTIONS)),
    ("ratelimit", Some(LIMITS)),
    ("admissioncontrol", Some(LIMITS)),
    ("adaptiveconcurrency", Some(LIMITS)),
    ("timeout", None),
    (".retry", None),
    ("retries", None),
    ("numretr", None),
    ("retriable", None),
    ("hedg", None),
    ("circuitbreaker", None),
    ("outlier", None),
    ("budget", None),
    ("backoff", None),
    ("ejection", None),
    ("connectionpool", None),
];

/// Why faults are in no policy.
pub(super) const FAULTS: &str = "faults are part of an experiment";
const PROBES: &str = "health is seen in calls alone: there are no probes";
const CONNECTIONS: &str = "connections and streams are not modelled";
/// Why limits of what comes in are in no policy.
pub(super) const LIMITS: &str = "it limits what is let in: say it at the service behind it";

/// A note on every field that none of the policies was read from.
pub(super) fn rest(
    documents: &[Document<'_>],
    formats: &[Format],
    policies: &[Imported],
    unattached: &[Unattached],
) -> Vec<Note> {
    let fields = policies.iter().flat_map(|policy| &policy.notes);
    let noted: BTreeSet<&str> = fields.map(|note| note.field.as_str()).collect();
    let reasons: BTreeMap<&str, &str> =
        unattached.iter().rev().map(|each| (each.path.as_str(), each.why.as_str())).collect();
    let mut rest = Vec::new();
    for document in documents {
        leaves(&document.path, document.value, &mut |field, value| {
            if !parents(field).any(|parent| noted.contains(parent)) {
                let fate = fate(field, document, formats, &reasons);
                let (field, value) = (field.to_owned(), note::shown(value));
                rest.push(Note { field, value, fate });
            }
        });
    }
    rest
}

/// A path, and every path that it is inside of.
fn parents(field: &str) -> impl Iterator<Item = &str> {
    let ends = field.match_indices(['.', '[']).map(|(end, _)| end);
    ends.chain([field.len()]).map(|end| &field[..end])
}

fn fate(
    field: &str,
    document: &Document<'_>,
    formats: &[Format],
    reasons: &BTreeMap<&str, &str>,
) -> Fate {
    if let Some(why) = parents(field).find_map(|parent| reasons.get(parent)) {
        return Fate::Unattached((*why).to_owned());
    }
    let within = field.strip_prefix(document.path.as_str()).unwrap_or(field);
    match decides(within) {
        None => Fate::Elsewhere,
        Some(Some(why)) => Fate::Unattached(why.to_owned()),
        Some(None) => Fate::Unattached(of_document(document, formats)),
    }
}

/// Whether a path is that of a field that decides, and the reason that its name alone gives.
pub(super) fn decides(path: &str) -> Option<Option<&'static str>> {
    let mut folded = String::from(".");
    folded.extend(path.chars().filter(|c| !"-_".contains(*c)).flat_map(char::to_lowercase));
    // What the writer of the file named is about anything.
    let named = [".metadata.labels", ".metadata.name", "lastappliedconfiguration", ".status."];
    if named.iter().any(|name| folded.contains(name)) {
        return None;
    }
    WORDS.iter().find(|(word, _)| folded.contains(word)).map(|(_, why)| *why)
}

fn of_document(document: &Document<'_>, formats: &[Format]) -> String {
    let kind = find_text(document.value, "kind");
    match (document.format, kind) {
        (Some(other), _) if !formats.contains(&other) => {
            format!("it is of {}, which was not asked for", other.title())
        }
        (_, Some(kind)) if ["EnvoyFilter", "EnvoyPatchPolicy"].contains(&kind.as_str()) => {
            format!("what an `{kind}` patches in Envoy is not read")
        }
        (None, Some(kind)) => format!("`{kind}` is of no format that is read"),
        (None, None) => "it is of no format that is read".to_owned(),
        (Some(Format::Envoy), _) => "no route and no cluster of a route has it".to_owned(),
        (Some(_), Some(kind)) => format!("no call was found that has this of `{kind}`"),
        (Some(format), None) => format!("nothing of {} that was read has it", format.title()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_decides() {
        for path in [
            "spec.rules[0].timeouts.request",
            "http.retryPolicy.num",
            "x.circuit_breakers.thresholds[0].max_requests",
            "a.outlier-detection.interval",
        ] {
            assert_eq!(decides(path), Some(None), "{path}");
        }
        for path in ["spec.default", "metadata.labels.retry", "spec.retrieve", "data.host"] {
            assert_eq!(decides(path), None, "{path}");
        }
        assert_eq!(decides("spec.http[0].fault.abort.httpStatus"), Some(Some(FAULTS)));
        assert_eq!(decides("connectTimeout"), Some(Some(CONNECTIONS)));
    }
}
