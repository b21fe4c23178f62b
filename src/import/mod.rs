//! Configurations of other systems as policies of the language: a reader for each format, from a
//! document to a [`Policy`] and a note on every field.
//!
//! A policy starts from the preset of its library or proxy, so what a document does not say comes
//! from there. What a run cannot express is noted as ignored with its reason; an unknown field
//! among those that decide is an error.

mod aws;
mod envoy;
mod gateway;
mod grpc;
mod ini;
mod istio;
mod istio_rule;
mod linkerd;
mod note;
mod object;
mod outcome;
mod polly;
mod proxy;
mod quantity;
mod recognise;
mod resilience4j;
mod write;
mod yaml;

pub use note::{Fate, Note, leaves};
pub use recognise::Format;
pub use write::{json, text, toml};

use self::note::Notes;
use self::object::Object;
use crate::model::document::{Location, Sources, Value};
use crate::model::policy::{ScopeText, compile};
use crate::model::problem::Problem;
use crate::policy::{Policy, presets};

/// One document of a file.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// What its fields are called after: the kind of the object, if there are several documents.
    pub path: String,
    /// What is in it.
    pub value: &'a Value,
}

/// A policy that was read.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The name of its table.
    pub name: String,
    /// The policy.
    pub policy: Policy,
    /// To whom its state belongs, where that is not each process and target.
    pub scope: Option<ScopeText>,
    /// What one must know to use it.
    pub caveats: Vec<String>,
    /// What became of each field that it was read from.
    pub notes: Vec<Note>,
    problems: Vec<Problem>,
}

/// All that a file says.
#[derive(Clone, Debug)]
pub struct Import {
    /// Its format.
    pub format: Format,
    /// The policies, at least one.
    pub policies: Vec<Imported>,
    /// The fields that none of them was read from.
    pub rest: Vec<Note>,
}

impl Imported {
    fn new(name: &str, policy: Policy, caveats: Vec<String>, notes: Notes) -> Imported {
        let Notes { notes, problems } = notes;
        Imported { name: table_name(name), policy, scope: None, caveats, notes, problems }
    }
}

/// Reads a file. Without a format it is recognised by what is in it.
///
/// # Errors
/// What cannot be parsed, a format that is not recognised, values that cannot be read, and unknown
/// fields among those that decide.
pub fn read(
    sources: &Sources,
    source: usize,
    format: Option<Format>,
) -> Result<Import, Vec<Problem>> {
    let values = parse(sources, source, format)?;
    let top = Location { source, start: 0, end: 0 };
    if values.is_empty() {
        let problem = Problem::new("there is nothing in this file").at(top);
        return Err(vec![problem.expected("a configuration")]);
    }
    let format = match format {
        Some(format) => format,
        None => recognise::recognise(&values).map_err(|problem| vec![problem.at(top)])?,
    };
    let documents = recognise::documents(&values);
    let mut policies = match format {
        Format::Envoy => envoy::read(&documents),
        Format::Istio => istio::read(&documents),
        Format::Grpc => grpc::read(&documents),
        Format::Resilience4j => resilience4j::read(&documents),
        Format::Aws => aws::read(&documents),
        Format::Polly => polly::read(&documents),
        Format::Linkerd => linkerd::read(&documents),
        Format::GatewayApi => gateway::read(&documents),
    };
    let mut problems: Vec<Problem> = Vec::new();
    for problem in policies.iter_mut().flat_map(|policy| std::mem::take(&mut policy.problems)) {
        // What several policies were read from is wrong once.
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    if policies.is_empty() {
        let problem = Problem::new(format!("this file sets no policy of {}", format.title()));
        problems.push(problem.at(top).expected(format.expects()));
    }
    if !problems.is_empty() {
        return Err(problems.into_iter().map(|problem| problem.at(top)).collect());
    }
    let refused: Vec<Problem> = policies.iter().filter_map(refusal).collect();
    if !refused.is_empty() {
        return Err(refused.into_iter().map(|problem| problem.at(top)).collect());
    }
    rename_twins(&mut policies);
    let mut rest = Vec::new();
    for document in &documents {
        leaves(&document.path, document.value, &mut |field, value| {
            if !policies.iter().any(|policy| Notes::covers(&policy.notes, field)) {
                let (field, value) = (field.to_owned(), note::shown(value));
                rest.push(Note { field, value, fate: Fate::Elsewhere });
            }
        });
    }
    Ok(Import { format, policies, rest })
}

/// Every document of a file, with the path that its fields begin with.
///
/// # Errors
/// What cannot be parsed.
pub fn documents(sources: &Sources, source: usize) -> Result<Vec<(String, Value)>, Vec<Problem>> {
    let values = parse(sources, source, None)?;
    let paths: Vec<String> =
        recognise::documents(&values).into_iter().map(|document| document.path).collect();
    Ok(paths.into_iter().zip(values).collect())
}

fn parse(
    sources: &Sources,
    source: usize,
    format: Option<Format>,
) -> Result<Vec<Value>, Vec<Problem>> {
    let text = sources.text(source);
    if is_json(text) {
        let value = Value::parse_configuration(sources, source)?;
        return Ok(recognise::items(value));
    }
    if format == Some(Format::Aws) || (format.is_none() && ini::looks_like_it(text)) {
        return ini::parse(text, source).map(|value| vec![value]);
    }
    let values = yaml::parse(sources, source).map_err(|problem| vec![problem])?;
    Ok(values.into_iter().flat_map(recognise::items).collect())
}

/// Whether a text begins with a bracket, comments of JSON aside.
fn is_json(text: &str) -> bool {
    let mut rest = text.trim_start();
    loop {
        let after = if let Some(line) = rest.strip_prefix("//") {
            line.split_once('\n').map(|(_, after)| after)
        } else if let Some(block) = rest.strip_prefix("/*") {
            block.split_once("*/").map(|(_, after)| after)
        } else {
            return rest.starts_with('{');
        };
        let Some(after) = after else { return false };
        rest = after.trim_start();
    }
}

/// The policy of a preset that is known to exist.
fn preset(name: &str, version: &str) -> Policy {
    presets::find(name, Some(version)).expect("the preset exists").policy
}

/// A name that can stand in a model: letters, digits, `-` and `_`.
fn table_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = name.chars().map(plain).take(80).collect();
    let words: Vec<&str> = name.split('-').filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "imported".to_owned() } else { words.join("-") }
}

/// Why the language does not take a policy: numbers that no run could have, such as no time at all.
fn refusal(imported: &Imported) -> Option<Problem> {
    let written = serde_json::to_value(text(imported)).and_then(serde_json::from_value);
    let problem = match written {
        Ok(text) => compile(&text).err()?,
        Err(error) => Problem::new(error.to_string()),
    };
    let place: Vec<&str> = problem.inside.iter().map(String::as_str).collect();
    let Imported { name, .. } = imported;
    let place = place.iter().map(|part| format!(".{part}")).collect::<String>();
    let message = format!("`policy.{name}{place}` cannot be run: {}", problem.message);
    Some(Problem { message, inside: Vec::new(), ..problem })
}

/// Policies of the same name are numbered.
fn rename_twins(policies: &mut [Imported]) {
    for index in 1..policies.len() {
        let wanted = policies[index].name.clone();
        let mut number = 2;
        while policies[..index].iter().any(|other| other.name == policies[index].name) {
            policies[index].name = format!("{wanted}-{number}");
            number += 1;
        }
    }
}

/// The `metadata.name` of an object of Kubernetes, noted as what names the policy.
fn metadata_name(object: &mut Object<'_>, notes: &mut Notes) -> Option<String> {
    let mut metadata = object.object(notes, "metadata");
    metadata.given(notes, "name", quantity::text, "names the policy")
}
