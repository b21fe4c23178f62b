//! Rules of Istio for one host in one namespace, which are one rule: the oldest says what holds for
//! the host, and each adds the subsets that none before it has (istio/istio,
//! `mergeDestinationRule`).

use super::Document;
use super::attach::{at, list, shown};
use super::note::{Notes, joined, leaves};
use super::quantity::find_text;
use crate::model::document::{Data, Field, Value};

/// Several rules as one, and where its parts stand.
pub(super) struct Merged {
    pub(super) value: Value,
    /// Paths in the whole, and what they are in the rule that says it.
    moved: Vec<(String, String)>,
}

/// One rule of several, the oldest first.
pub(super) fn merged(rules: &[&Document<'_>]) -> Merged {
    let mut value = rules[0].value.clone();
    let mut moved = Vec::new();
    let mut names: Vec<Option<String>> = subsets(rules[0]).map(|(name, _)| name).collect();
    let Some(Field { value: Value { data: Data::Table(spec), .. }, .. }) = (match &mut value.data {
        Data::Table(fields) => fields.get_mut("spec"),
        _ => None,
    }) else {
        return Merged { value, moved };
    };
    for rule in &rules[1..] {
        let Some(Data::Table(other)) = at(rule.value, &["spec"]).map(|spec| &spec.data) else {
            continue;
        };
        if let (false, Some(policy)) =
            (spec.contains_key("trafficPolicy"), other.get("trafficPolicy"))
        {
            spec.insert("trafficPolicy".to_owned(), policy.clone());
            moved.push(path_of(rules[0], rule, "spec.trafficPolicy", "spec.trafficPolicy"));
        }
        for (index, (name, subset)) in subsets(rule).enumerate() {
            if names.contains(&name) {
                continue;
            }
            let list = spec.entry("subsets".to_owned()).or_insert_with(|| Field {
                key_at: subset.at,
                value: Value { data: Data::List(Vec::new()), at: subset.at },
            });
            if let Data::List(list) = &mut list.value.data {
                let [whole, own] =
                    [list.len(), index].map(|index| format!("spec.subsets[{index}]"));
                moved.push(path_of(rules[0], rule, &whole, &own));
                list.push(subset.clone());
                names.push(name);
            }
        }
    }
    Merged { value, moved }
}

fn subsets<'a>(rule: &Document<'a>) -> impl Iterator<Item = (Option<String>, &'a Value)> {
    list(rule.value, &["spec", "subsets"]).into_iter().map(|each| (find_text(each, "name"), each))
}

fn path_of(first: &Document<'_>, rule: &Document<'_>, whole: &str, own: &str) -> (String, String) {
    (joined(&first.path, whole), joined(&rule.path, own))
}

impl Merged {
    /// Notes that were read from the whole name the rule that says it; what is in none of them is
    /// told of too.
    pub(super) fn tell(&self, notes: &mut Notes, rules: &[&Document<'_>]) {
        let rest = |field: &str, path: &str| {
            let rest = field.strip_prefix(path)?;
            (rest.is_empty() || rest.starts_with(['.', '['])).then(|| rest.to_owned())
        };
        for note in &mut notes.notes {
            let moved = self.moved.iter().find_map(|(whole, own)| {
                rest(&note.field, whole).map(|rest| format!("{own}{rest}"))
            });
            note.field = moved.unwrap_or_else(|| note.field.clone());
        }
        let why = format!("{} is older and of the same host", shown(rules[0]));
        let told: Vec<String> = notes.notes.iter().map(|note| note.field.clone()).collect();
        for rule in &rules[1..] {
            let Some(spec) = at(rule.value, &["spec"]) else { continue };
            leaves(&joined(&rule.path, "spec"), spec, &mut |field, value| {
                if !told.iter().any(|path| rest(field, path).is_some()) {
                    notes.ignored(field, value, &why);
                }
            });
        }
    }
}
