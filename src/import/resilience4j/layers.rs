//! One instance of one module: its own keys and those that it inherits, in every document that
//! counts.

use crate::import::note::{Notes, joined};
use crate::import::object::{Object, Parse};
use crate::import::quantity::text;
use crate::model::document::Value;
use crate::model::problem::Problem;

/// What an instance says, the nearest first.
pub(super) struct Layers<'a> {
    pub(super) objects: Vec<Object<'a>>,
    pub(super) path: String,
}

impl<'a> Layers<'a> {
    /// The nearest layer that has the key; what it hides is noted.
    fn layer(&mut self, notes: &mut Notes, key: &'static str) -> &mut Object<'a> {
        // Where no layer has it, the instance is asked, so that errors know the key.
        let nearest = self.objects.iter().position(|object| object.has(key)).unwrap_or(0);
        for hidden in &mut self.objects[nearest + 1..] {
            hidden.ignore(notes, &[key], "something nearer to the instance says it too");
        }
        &mut self.objects[nearest]
    }

    pub(super) fn value(
        &mut self,
        notes: &mut Notes,
        key: &'static str,
    ) -> Option<(String, &'a Value)> {
        self.layer(notes, key).value(key)
    }

    pub(super) fn given<T>(
        &mut self,
        notes: &mut Notes,
        key: &'static str,
        parse: Parse<T>,
        means: &str,
    ) -> Option<T> {
        self.layer(notes, key).given(notes, key, parse, means)
    }

    pub(super) fn read<T: std::fmt::Display>(
        &mut self,
        notes: &mut Notes,
        key: &'static str,
        parse: Parse<T>,
        (default, source): (T, &'static str),
        means: &str,
    ) -> T {
        self.given(notes, key, parse, means).unwrap_or_else(|| {
            notes.defaulted(&joined(&self.path, key), default.to_string(), source);
            default
        })
    }

    pub(super) fn ignore(&mut self, notes: &mut Notes, keys: &[&'static str], why: &str) {
        for object in &mut self.objects {
            object.ignore(notes, keys, why);
        }
    }

    /// A value that is read but cannot be, at its place.
    pub(super) fn refuse(
        &mut self,
        notes: &mut Notes,
        key: &'static str,
        how: &str,
        expected: &str,
    ) {
        let problem = Problem::new(format!("`{key}` {how}")).expected(expected);
        let problem = self.layer(notes, key).problem(key, problem);
        notes.problems.push(problem);
    }

    pub(super) fn close(self, notes: &mut Notes) {
        // What one layer was asked for, all of them may have.
        for object in Object::share_asked(self.objects) {
            object.close(notes);
        }
    }
}

/// One module in every document that counts, the one that counts most first.
pub(super) struct Module<'a> {
    pub(super) objects: Vec<Object<'a>>,
}

impl<'a> Module<'a> {
    /// The names below one of these keys.
    pub(super) fn names(&self, keys: &[&'static str]) -> Vec<String> {
        let mut scratch = Notes::default();
        let mut names = Vec::new();
        // As the files have them: the last document is the first of the objects.
        for object in self.objects.iter().rev() {
            for key in keys {
                let entries = object.clone().object(&mut scratch, key);
                names.extend(entries.entries().map(|(name, _)| name.to_owned()));
            }
        }
        names
    }

    /// What stands at a name below one of these keys.
    fn entries(&mut self, notes: &mut Notes, keys: &[&'static str], name: &str) -> Vec<Object<'a>> {
        let mut found = Vec::new();
        for object in &mut self.objects {
            for key in keys {
                let inner = object.object(notes, key);
                let entry = inner.entries().find(|(own, _)| *own == name);
                found.extend(entry.map(|(own, field)| {
                    Object::new(&joined(&inner.path, own), &field.value, notes).relaxed()
                }));
            }
        }
        found
    }

    /// The instance with what it inherits: its `baseConfig`, or the config of its name, and then
    /// `default` (`CommonRetryConfigurationProperties.java` and its like).
    pub(super) fn layers(&mut self, notes: &mut Notes, name: &str) -> Option<Layers<'a>> {
        let mut objects = self.entries(notes, &INSTANCES, name);
        let is_default = objects.is_empty() && name == DEFAULT;
        if is_default {
            objects = self.entries(notes, &["configs"], DEFAULT);
        }
        let path = objects.first()?.path.clone();
        let mut seen = vec![if is_default { DEFAULT.to_owned() } else { String::new() }];
        let mut from = 0;
        loop {
            let base = objects[from..].iter_mut().find_map(|object| {
                let at = object.value("baseConfig").map(|(_, value)| value.at);
                object.given(notes, "baseConfig", text, "what is inherited").zip(at)
            });
            let has_own = self.names(&["configs"]).iter().any(|own| own == name);
            let wanted = match (&base, from) {
                (Some((base, _)), _) => base.clone(),
                (None, 0) if has_own => name.to_owned(),
                (None, 0) => DEFAULT.to_owned(),
                _ => break,
            };
            if seen.contains(&wanted) {
                break;
            }
            let inherited = self.entries(notes, &["configs"], &wanted);
            if let (true, Some((_, at))) = (inherited.is_empty(), base) {
                let known = self.names(&["configs"]);
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                notes.problems.push(Problem::unknown("config", &wanted, &known).at(at));
            }
            if inherited.is_empty() {
                break;
            }
            from = objects.len();
            objects.extend(inherited);
            seen.push(wanted);
        }
        Some(Layers { objects, path })
    }
}

/// The config that everybody inherits who names none.
pub(super) const DEFAULT: &str = "default";
/// Under which keys instances stand, older ones last.
pub(super) const INSTANCES: [&str; 3] = ["instances", "backends", "limiters"];
