//! Configurations of other systems as policies of the language: a reader for each format, from
//! documents to [`Policy`]s and a note on every field.
//!
//! A policy starts from the preset of its library or proxy, so what a document does not say comes
//! from there. What a run cannot express is noted as ignored with its reason; an unknown field
//! among those that decide is an error, and one that nothing was read from is told of
//! (`deciding`).

mod attach;
mod aws;
mod continuation;
mod deciding;
mod envoy;
mod envoy_cluster;
mod envoy_find;
mod format;
mod gateway;
mod gateway_attach;
mod gateway_merge;
mod gateway_traffic;
mod grpc;
mod host;
mod ini;
mod istio;
mod istio_merge;
mod kubernetes;
mod linkerd;
mod linkerd_profile;
mod naming;
mod note;
mod object;
mod outcome;
mod parts;
mod polly;
mod properties;
mod proxy;
mod quantity;
mod recognise;
mod resilience4j;
mod source;
mod spring;
mod write;
mod yaml;

pub use format::Format;
pub use note::{Fate, Note, leaves};
pub use write::{arm, json, text, toml};

use self::deciding::Unattached;
use self::note::Notes;
use self::object::Object;
use self::parts::Parts;
use crate::model::document::{Location, Sources, Value};
use crate::model::policy;
use crate::model::presets;
use crate::model::problem::Problem;
use crate::policy::{Policy, Scope};

/// One document of a file.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// What its fields are called after: the kind of the object, if there are several documents.
    pub path: String,
    pub value: &'a Value,
    /// What it was recognised as.
    pub format: Option<Format>,
    /// Which of the texts in the file it is from.
    part: usize,
    /// The name of its text, if that is not the file itself.
    name: Option<&'a str>,
    /// Whose text that is.
    owner: Option<&'a str>,
}

/// A policy that was read.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The name of its table.
    pub name: String,
    pub policy: Policy,
    /// To whom its state belongs, where that is not each process and target.
    pub scope: Option<Scope>,
    /// What one must know to use it.
    pub caveats: Vec<String>,
    /// What became of each field that it was read from.
    pub notes: Vec<Note>,
    /// What tells it from others of its name: each more than the one before.
    apart: Vec<String>,
    at: Option<Location>,
    problems: Vec<Problem>,
}

/// All that a file says.
#[derive(Clone, Debug)]
pub struct Import {
    /// Its formats, at least one.
    pub formats: Vec<Format>,
    /// The policies, at least one.
    pub policies: Vec<Imported>,
    /// The fields that none of them was read from.
    pub rest: Vec<Note>,
}

/// What a reader makes of the documents of its format.
#[derive(Debug, Default)]
struct Reading {
    policies: Vec<Imported>,
    unattached: Vec<Unattached>,
    problems: Vec<Problem>,
}

impl Reading {
    /// Says why a part of a document is in no policy.
    fn leave(&mut self, path: impl Into<String>, why: impl Into<String>) {
        self.unattached.push(Unattached { path: path.into(), why: why.into() });
    }
}

impl Imported {
    fn new(name: &str, policy: Policy, caveats: Vec<String>, mut notes: Notes) -> Imported {
        let mut policy = policy;
        if policy.retry.is_none() && policy.budget.is_some() {
            policy.budget = None;
            notes.drop_budget();
        }
        let Notes { notes, problems, at, caveats: more, .. } = notes;
        let caveats = [caveats, more].concat();
        let (name, apart) = (naming::table_name(name), Vec::new());
        Imported { name, policy, scope: None, caveats, notes, apart, at, problems }
    }

    /// The policy with what tells it from others of its name.
    fn apart(self, apart: impl IntoIterator<Item = String>) -> Imported {
        Imported { apart: apart.into_iter().collect(), ..self }
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
    let parts = source::parse(sources, source, format)?;
    let top = Location { source, start: 0, end: 0 };
    if parts.documents.is_empty() {
        let problem = Problem::new("there is nothing in this file").at(top);
        return Err(vec![problem.expected("a configuration")]);
    }
    let (documents, formats) = recognise::recognise(&parts, format)
        .map_err(|problem| vec![problem.at(parts.documents[0].value.at)])?;
    let mut reading = Reading::default();
    for &format in &formats {
        let read = reader(format)(&documents);
        reading.policies.extend(read.policies);
        reading.unattached.extend(read.unattached);
        reading.problems.extend(read.problems);
    }
    let Reading { mut policies, unattached, problems } = reading;
    refuse(&mut policies, problems, &formats, top)?;
    naming::tell_apart(&mut policies);
    let rest = deciding::rest(&documents, &formats, &policies, &unattached);
    say_placeholders(&mut policies, &documents, &parts);
    Ok(Import { formats, policies, rest })
}

fn reader(format: Format) -> fn(&[Document<'_>]) -> Reading {
    match format {
        Format::Envoy => envoy::read,
        Format::Istio => istio::read,
        Format::Grpc => grpc::read,
        Format::Resilience4j => resilience4j::read,
        Format::Aws => aws::read,
        Format::Polly => polly::read,
        Format::Linkerd => linkerd::read,
        Format::GatewayApi => gateway::read,
    }
}

/// Every document of a file, with the path that its fields begin with.
///
/// # Errors
/// What cannot be parsed.
pub fn documents(sources: &Sources, source: usize) -> Result<Vec<(String, Value)>, Vec<Problem>> {
    let parts = source::parse(sources, source, None)?;
    let paths: Vec<String> =
        recognise::documents(&parts).into_iter().map(|document| document.path).collect();
    Ok(paths.into_iter().zip(parts.documents.into_iter().map(|parsed| parsed.value)).collect())
}

/// Every problem once, each at its place or that of the policy; none is as good as no policy.
fn refuse(
    policies: &mut [Imported],
    mut problems: Vec<Problem>,
    formats: &[Format],
    top: Location,
) -> Result<(), Vec<Problem>> {
    for policy in policies.iter_mut() {
        let at = policy.at.unwrap_or(top);
        problems.extend(policy.problems.drain(..).map(|problem| problem.at(at)));
    }
    if problems.is_empty() {
        problems.extend(policies.iter().filter_map(refusal));
    }
    let mut told: Vec<Problem> = Vec::new();
    for problem in problems {
        let problem = problem.at(top);
        // What several policies were read from is wrong once.
        if !told.contains(&problem) {
            told.push(problem);
        }
        if told.len() >= PROBLEMS_MAX {
            break;
        }
    }
    if told.is_empty() && policies.is_empty() {
        let titles: Vec<&str> = formats.iter().map(|format| format.title()).collect();
        let problem = Problem::new(format!("this file sets no policy of {}", titles.join(" or ")));
        let expects: Vec<&str> = formats.iter().map(|format| format.expects()).collect();
        told.push(problem.at(top).expected(expects.join(", or ")));
    }
    if told.is_empty() { Ok(()) } else { Err(told) }
}

/// Nobody reads more of them.
const PROBLEMS_MAX: usize = 50;

/// Why the language does not take a policy: numbers that no run could have, such as no time at all.
fn refusal(imported: &Imported) -> Option<Problem> {
    let text = toml::to_string(&text(imported)).expect("every policy has a text");
    let mut sources = Sources::default();
    let source = sources.add("policy", &text);
    let written = Value::parse(&sources, source).expect("that is TOML");
    let problem = policy::read(&written).err()?;
    let place = problem.at.and_then(|at| written.path_to(at)).unwrap_or_default();
    let Imported { name, .. } = imported;
    let place = place.iter().map(|part| format!(".{part}")).collect::<String>();
    let message = format!("`policy.{name}{place}` cannot be run: {}", problem.message);
    let problem = Problem { message, at: None, ..problem };
    Some(imported.at.map_or(problem.clone(), |at| problem.at(at)))
}

/// Notes on fields that were given with a placeholder say so.
fn say_placeholders(policies: &mut [Imported], documents: &[Document<'_>], parts: &Parts) {
    if parts.replaced.is_empty() {
        return;
    }
    let mut written: Vec<(String, &str)> = Vec::new();
    for document in documents {
        leaves(&document.path, document.value, &mut |field, value| {
            let replaced = parts.replaced.iter().find(|(at, _)| *at == value.at);
            written.extend(replaced.map(|(_, text)| (field.to_owned(), text.as_str())));
        });
    }
    for note in policies.iter_mut().flat_map(|policy| &mut policy.notes) {
        let found = written.iter().find(|(field, _)| *field == note.field);
        if let (Some((_, text)), Fate::Given(means)) = (found, &mut note.fate) {
            *means += &format!("; the default of `{text}`");
        }
    }
}

/// The policy of a preset that is known to exist.
fn preset(name: &str, version: &str) -> Policy {
    presets::find(name, Some(version)).expect("the preset exists").policy
}

/// The `metadata.name` of an object of Kubernetes, noted as what names the policy.
fn metadata_name(object: &mut Object<'_>, notes: &mut Notes) -> Option<String> {
    let mut metadata = object.object(notes, "metadata");
    if let Some((path, value)) = metadata.value("namespace") {
        notes.given(&path, note::shown(value), "whose names are meant");
    }
    metadata.given(notes, "name", quantity::text, "names the policy")
}
