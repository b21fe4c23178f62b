//! States and entries that promises name and that no step writes: most likely misspelt.
//!
//! One arm may write what another does not, so this is asked of all programs of an experiment
//! together. A promise that waits for such a state can never be broken, or never be kept: that is
//! refused. A state that would only excuse an order need not occur in a model: that is refused if
//! it looks like a misspelt one, and else it is warned about.

use std::collections::BTreeSet;

use serde_json::Value;

use super::WatchList;
use crate::model::problem::{Problem, shortened};
use crate::model::program::Program;

/// Something that a transaction writes: a state of a table's rows, or an entry of an audit log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Written {
    State(String, String),
    Entry(String),
}

/// Everything that the transactions of some programs write.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    written: BTreeSet<Written>,
    tables: BTreeSet<String>,
}

/// What promises name and no step writes: the keys that lead there from `[invariants]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Unwritten {
    /// The keys and list positions.
    pub path: Vec<String>,
    /// What is wrong.
    pub problem: Problem,
    /// Whether it is no mistake for sure.
    pub may_be_meant: bool,
}

impl Vocabulary {
    /// Adds what the steps of a program write.
    pub fn add(&mut self, program: &Program) {
        self.tables.extend(program.tables.iter().map(|table| table.name.clone()));
        let label = |label: u16| program.labels[label as usize].clone();
        // Rows that nobody has written are in some state from the start.
        self.written.extend(
            program.tables.iter().filter_map(|table| {
                Some(Written::State(table.name.clone(), label(table.initial?.0)))
            }),
        );
        for table in &program.tables {
            let numbers = (0..=table.stock.unwrap_or(0)).filter(|_| table.stock.is_some());
            let number = |number| Written::State(table.name.clone(), label(number));
            self.written.extend(numbers.map(number));
        }
        for transaction in &program.transactions {
            self.written.extend(transaction.writes.iter().map(|(table, state)| {
                Written::State(program.tables[table.0 as usize].name.clone(), label(state.0))
            }));
            self.written
                .extend(transaction.audits.iter().map(|entry| Written::Entry(label(entry.0))));
        }
    }

    /// What promises name and is not in it.
    pub fn lacks(&self, list: &WatchList) -> Vec<Unwritten> {
        let each = list.iter().flat_map(|one| {
            let mut named = Vec::new();
            self.collect(&one.text.keys(), &mut vec![one.name.clone()], &mut named);
            named.retain(|(_, written)| !self.written.contains(written));
            named.into_iter().map(|(path, written)| {
                let may_excuse = path.iter().any(|key| one.kind.excuses.contains(&key.as_str()));
                self.unwritten(path, &written, may_excuse)
            })
        });
        each.collect()
    }

    /// What is wrong with a state, if it is written like one and no step writes it.
    pub fn lacks_state(&self, text: &str) -> Option<Problem> {
        let written = self.written_of("", text)?;
        let is_known = self.written.contains(&written);
        (!is_known).then(|| self.unwritten(Vec::new(), &written, false).problem)
    }

    /// Every state and entry that is named in a text, with the keys that lead there.
    fn collect(
        &self,
        value: &Value,
        path: &mut Vec<String>,
        named: &mut Vec<(Vec<String>, Written)>,
    ) {
        let text_of = |key: &str| value.get(key).and_then(Value::as_str);
        let mut enter = |key: String, inner: &Value| {
            path.push(key);
            self.collect(inner, path, named);
            path.pop();
        };
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(key, inner)| enter(key.clone(), inner));
                if let (Some(table), Some(Value::Array(ways))) =
                    (text_of("table"), value.get("allowed"))
                {
                    let ways = ways.iter().enumerate();
                    for (index, way) in ways.filter_map(|(i, way)| Some((i, way.as_str()?))) {
                        for state in way.split("->").map(str::trim).filter(|it| !it.is_empty()) {
                            let path = path.iter().cloned();
                            let path = path.chain(["allowed".to_owned(), index.to_string()]);
                            let state = Written::State(table.to_owned(), state.to_owned());
                            named.push((path.collect(), state));
                        }
                    }
                }
            }
            Value::Array(values) => {
                values
                    .iter()
                    .enumerate()
                    .for_each(|(index, inner)| enter(index.to_string(), inner));
            }
            Value::String(text) => {
                let key = path.last().map_or("", String::as_str);
                named.extend(self.written_of(key, text).map(|written| (path.clone(), written)));
            }
            _ => {}
        }
    }

    /// What a text under a key names, if it is a state or an entry.
    fn written_of(&self, key: &str, text: &str) -> Option<Written> {
        if key == "entry" {
            return Some(Written::Entry(text.to_owned()));
        }
        if let Some(entry) = text.strip_prefix("audit ") {
            return Some(Written::Entry(entry.trim().to_owned()));
        }
        let (table, state) = text.split_once('=')?;
        let table = table.trim();
        self.tables
            .contains(table)
            .then(|| Written::State(table.to_owned(), state.trim().to_owned()))
    }

    fn unwritten(&self, path: Vec<String>, written: &Written, may_excuse: bool) -> Unwritten {
        let (what, kind, name) = match written {
            Written::State(table, state) => {
                (format!("the state `{}` of `{table}`", shortened(state)), "state", state)
            }
            Written::Entry(entry) => {
                (format!("the audit entry `{}`", shortened(entry)), "entry", entry)
            }
        };
        let known = self.written.iter().filter_map(|other| match (other, written) {
            (Written::State(of, state), Written::State(table, _)) if of == table => Some(state),
            (Written::Entry(entry), Written::Entry(_)) => Some(entry),
            _ => None,
        });
        let known: Vec<&str> = known.map(String::as_str).collect();
        let expected = match known.is_empty() {
            true => Some("a transaction that writes it".to_owned()),
            false => Problem::unknown(kind, name, &known).expected,
        };
        let is_near = expected.as_ref().is_some_and(|text| text.starts_with("did you mean"));
        let may_be_meant = may_excuse && !is_near;
        let expected = match may_be_meant {
            true => expected
                .map(|expected| format!("{expected}; leave it out if no order can come to it")),
            false => expected,
        };
        let problem = Problem { expected, ..Problem::new(format!("no step writes {what}")) };
        Unwritten { path, problem, may_be_meant }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::example::{compiled, listed, program};

    fn lacking(texts: &str) -> Vec<(String, String, bool)> {
        let mut vocabulary = Vocabulary::default();
        vocabulary.add(&program());
        let lacking = vocabulary.lacks(&listed(texts).unwrap()).into_iter();
        lacking.map(|it| (it.path.join("."), it.problem.to_string(), it.may_be_meant)).collect()
    }

    #[test]
    fn a_state_that_no_step_writes_is_named_with_the_nearest_one() {
        let texts =
            "paid_has_payment = { paid = 'db.order = payd', payment = 'db.debit = posted' }";
        let path = "paid_has_payment.paid".to_owned();
        let message = "no step writes the state `payd` of `db.order`: did you mean `paid`? known: \
                       `accepted`, `paid`";
        assert_eq!(lacking(texts), [(path, message.to_owned(), false)]);
        let fine = "paid_has_payment = { paid = 'db.order = paid', payment = 'db.debit=posted' }";
        assert_eq!(lacking(fine), []);
        assert_eq!(lacking("applied_once = { applied = 'db.order = posted' }").len(), 1);
    }

    #[test]
    fn a_state_that_only_excuses_may_be_missing_but_not_misspelt() {
        let of = |undone: &str| {
            lacking(&format!(
                "[honest_answer]\nanswer = 'api.place'\ndone = 'db.order = paid'\n\
                 undone = 'db.order = {undone}'\nwithin = '1s'"
            ))
        };
        assert!(matches!(&of("revoked")[..], [(path, _, true)] if path == "honest_answer.undone"));
        assert!(matches!(&of("acepted")[..], [(_, _, false)]));
    }

    #[test]
    fn lists_of_states_and_entries_are_looked_at_too() {
        let of = |allowed: &str| {
            lacking(&format!("legal_states = {{ table = 'db.order', allowed = ['{allowed}'] }}"))
        };
        assert_eq!(of("-> accepted"), []);
        assert_eq!(of("accepted -> payd")[0].0, "legal_states.allowed.0");
        assert_eq!(lacking("audit_complete = { of = 'charge', entry = 'charged' }").len(), 1);
        let then = "implies = { if = 'effect charge', then = ['db.order = payd', 'audit x'] }";
        let then: Vec<String> = lacking(then).into_iter().map(|(path, ..)| path).collect();
        assert_eq!(then, ["implies.then.0", "implies.then.1"]);
    }

    #[test]
    fn rows_that_are_there_and_entries_of_an_audit_are_written() {
        let mut vocabulary = Vocabulary::default();
        vocabulary.add(&compiled(
            "[clients.users]\narrivals = { poisson = '1/s' }\nkeys = { uniform = 10 }\n\
             flow = [{ call = 'api.place' }]\n\
             [service.api]\nworkers = 1\non.place.steps = [{ read = 'db.item' },\n\
             { transaction = 'db', write = ['order = accepted', 'audit = taken'] },\n\
             { reply = 'ok' }]\n\
             [database.db]\ncommit = '0s'\nread = '0s'\n\
             tables = { order = {}, item = { rows = 'key', initial = 'known' } }\n",
        ));
        let texts = "paid_has_payment = { paid = 'db.item = known', payment = 'db.order' }\n\
                     audit_complete = { of = 'db.order = accepted', entry = 'taken' }";
        assert_eq!(vocabulary.lacks(&listed(texts).unwrap()).len(), 0);
    }
}
