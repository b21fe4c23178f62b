//! AWS SDKs: profiles of the config file, or variables of the environment.

use super::note::{Notes, joined};
use super::object::Object;
use super::quantity::{count, flag, text};
use super::{Document, Format, Imported, Reading, preset};
use crate::model::document::{Data, Value};
use crate::model::problem::Problem;
use crate::policy::{Policy, Scope};

const DEFAULT: &str = "botocore 1.44.5 configprovider.py";

/// The names of the settings in a file and in the environment.
struct Names {
    mode: &'static str,
    attempts: &'static str,
    defaults: &'static str,
}

const IN_FILE: Names =
    Names { mode: "retry_mode", attempts: "max_attempts", defaults: "defaults_mode" };
const IN_ENVIRONMENT: Names =
    Names { mode: "AWS_RETRY_MODE", attempts: "AWS_MAX_ATTEMPTS", defaults: "AWS_DEFAULTS_MODE" };

/// Reads every profile that says something of retries; if none does, the first one.
pub(super) fn read(documents: &[Document<'_>]) -> Reading {
    let mut policies = Vec::new();
    for document in documents.iter().filter(|each| each.format == Some(Format::Aws)) {
        let Data::Table(fields) = &document.value.data else { continue };
        let sections =
            fields.iter().filter(|(_, field)| matches!(field.value.data, Data::Table(_)));
        let sections: Vec<_> = sections
            .map(|(key, field)| (joined(&document.path, key), &field.value))
            .filter(|(path, _)| path == "default" || path.starts_with("profile "))
            .collect();
        let mut scratch = Notes::default();
        let mut says = |path: &str, value| {
            let object = Object::new(path, value, &mut scratch);
            [IN_FILE.mode, IN_FILE.attempts, IN_FILE.defaults].iter().any(|key| object.has(key))
                || object.entries().any(|(key, _)| key.contains("retr") || key.contains("attempt"))
        };
        let saying: Vec<_> = sections.iter().filter(|(path, value)| says(path, value)).collect();
        let read = |(path, value): &&(String, &_)| {
            let name = path.trim_start_matches("profile ").trim_matches(['"', '\'']).to_owned();
            profile(&format!("aws-{name}"), path, value, &IN_FILE)
        };
        if sections.is_empty() {
            policies.push(profile("aws", &document.path, document.value, &IN_ENVIRONMENT));
        } else if saying.is_empty() {
            policies.extend(sections.iter().take(1).map(|section| read(&section)));
        } else {
            policies.extend(saying.iter().map(read));
        }
    }
    Reading { policies, ..Reading::default() }
}

fn profile(name: &str, path: &str, value: &Value, names: &Names) -> Imported {
    let mut notes = Notes::default();
    let mut object = Object::new(path, value, &mut notes);
    let new = object.given(&mut notes, "AWS_NEW_RETRIES_2026", flag, "false: retries 2.0");
    let generation = if new == Some(false) { "2.0" } else { "2.1" };
    let means = "chooses the preset";
    let mode = object.read(&mut notes, names.mode, text, ("standard".to_owned(), DEFAULT), means);
    let mut policy = match mode.to_lowercase().as_str() {
        "standard" => preset("aws-standard", generation),
        "adaptive" => preset("aws-adaptive", "2.1"),
        "legacy" => preset("aws-legacy", "botocore"),
        _ => {
            let known = ["standard", "adaptive", "legacy"];
            let at = object.value(names.mode).map(|(_, value)| value.at);
            let problem = Problem::unknown("retry mode", &mode, &known);
            notes.problems.extend(at.map(|at| problem.at(at)));
            Policy::ONCE
        }
    };
    if let Some(rule) = &mut policy.retry {
        let means = "attempts, the first one included";
        let or = (rule.attempts, DEFAULT);
        rule.attempts = object.read(&mut notes, names.attempts, count, or, means);
        if rule.attempts == 0 {
            let problem = Problem::new("without an attempt nothing is ever sent");
            let at = object.value(names.attempts).map(|(_, value)| value.at);
            notes.problems.extend(at.map(|at| problem.at(at).expected("at least 1")));
        }
    }
    let why = "sets how long connecting may take, which is not modelled";
    object.ignore(&mut notes, &[names.defaults], why);
    let why = "for the credentials of a machine, not for calls";
    object.ignore(&mut notes, &["metadata_service_timeout", "metadata_service_num_attempts"], why);
    let why = "for the command line of AWS alone";
    object.ignore(&mut notes, &["cli_read_timeout", "cli_connect_timeout"], why);
    if names.mode == IN_ENVIRONMENT.mode {
        let keys = ["AWS_METADATA_SERVICE_TIMEOUT", "AWS_METADATA_SERVICE_NUM_ATTEMPTS"];
        object.ignore(&mut notes, &keys, "for the credentials of a machine, not for calls");
    }
    refuse_attempts(&mut notes, &object);
    object.close_open(&mut notes);
    let caveat = format!(
        "the numbers of Python's botocore, generation {generation}; the file does not say which \
         SDK reads it. Others: preset = \"aws-standard-js@2.1\", \"aws-standard-rust@2.0\" …"
    );
    let imported = Imported::new(name, policy, vec![caveat], notes);
    Imported { scope: Some(Scope::Process), ..imported }
}

/// A key about attempts that nobody knows would change nothing without a word.
fn refuse_attempts(notes: &mut Notes, object: &Object<'_>) {
    let known = ["max_attempts", "metadata_service_num_attempts", "AWS_MAX_ATTEMPTS"];
    for (key, field) in object.entries() {
        let lower = key.to_lowercase();
        if lower.contains("attempt")
            && !lower.ends_with("max_attempts")
            && !known.contains(&key)
            && !lower.ends_with("num_attempts")
        {
            notes.problems.push(Problem::unknown("field", key, &known).at(field.key_at));
        }
    }
}
