//! What a system can lose: one instance of a service, or a zone.

use std::fmt;

use serde_json::json;

use super::language::LimitText;
use crate::capacity::in_calm;
use crate::experiment::plan::language::Experiment;
use crate::experiment::plan::patch::{OF_RUNS, patch};

use crate::fault::{FaultText, Plan};
use crate::kernel::time::{Span, Time};
use crate::model::compile;
use crate::model::compile::NODES;
use crate::model::document::{Data, Patch, Value};
use crate::model::problem::Problem;
use crate::model::recording::ReadFile;

/// The factor of what is lost.
pub const LOST: &str = "lost";

/// Its level at which nothing is.
pub const NOTHING: &str = "nothing";

/// What is lost for the whole of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// One instance of this service; callers know, as after a deployment with one less.
    Instance(String),
    /// Every node of this zone that serves: it is down, and callers find out.
    Zone(String),
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lost::Instance(service) => write!(f, "one {service}"),
            Lost::Zone(zone) => write!(f, "zone {zone}"),
        }
    }
}

impl Lost {
    /// Reads `one NODE` or `zone NAME`; `None` for nothing.
    ///
    /// # Errors
    /// If the model has no such service or zone, or the service has one instance only.
    pub(super) fn read(text: &str, model: &Value) -> Result<Option<Lost>, Problem> {
        if text == NOTHING {
            return Ok(None);
        }
        let zones = zones(model);
        let services: Vec<&str> = names(model, "service");
        match text.split_once(' ') {
            Some(("zone", zone)) if zones.contains(&zone.to_owned()) => {
                Ok(Some(Lost::Zone(zone.to_owned())))
            }
            Some(("zone", zone)) => {
                let known: Vec<&str> = zones.iter().map(String::as_str).collect();
                Err(Problem::unknown("zone", zone, &known))
            }
            Some(("one", service)) if services.contains(&service) => {
                match instances(model, service) {
                    2.. => Ok(Some(Lost::Instance(service.to_owned()))),
                    _ => Err(Problem::new(format!(
                        "`{service}` has one instance: without it nothing is left"
                    ))
                    .expected("a service with more than one, or losses = []")),
                }
            }
            Some(("one", service)) => Err(Problem::unknown("service", service, &services)),
            _ => Err(Problem::new(format!("`{text}` is nothing that can be lost"))
                .expected("\"one instance\", \"one NODE\" or \"zone NAME\"")),
        }
    }

    /// Takes it away from a model, or has it down in an experiment for all of its time.
    pub(super) fn take(&self, experiment: &mut Experiment, model: &mut Value) {
        match self {
            Lost::Instance(service) => {
                let path = ["service", service, "instances"].map(str::to_owned);
                let at = model.locate(&path);
                let left = Data::Integer(instances(model, service) - 1);
                // A service is a table, of which every key can be set.
                model.set(&path, Value { data: left, at }).ok();
            }
            Lost::Zone(zone) => {
                let lasts = experiment.arrivals + experiment.drain;
                let down = nodes_of(model, zone).map(|node| crash(node, lasts));
                experiment.faults.extend(down);
            }
        }
    }
}

/// A node that is down from the beginning.
fn crash(node: &str, lasts: Span) -> FaultText {
    let text = json!({ "kind": "crash", "target": node, "at": "0s", "for": lasts.to_string() });
    serde_json::from_value(text).unwrap_or_else(|wrong| panic!("a crash is a fault: {wrong}"))
}

/// What is lost in an experiment with this model, each for itself.
pub(super) fn losses(
    text: &LimitText,
    experiment: &Experiment,
    model: &Value,
    read_file: ReadFile<'_>,
) -> Result<Vec<Lost>, Problem> {
    let one_instance = || busiest(text, experiment, model, read_file).map(Lost::Instance);
    let Some(named) = &text.losses else {
        let zones = Some(zones(model)).filter(|zones| zones.len() > 1).unwrap_or_default();
        return Ok(one_instance().into_iter().chain(zones.into_iter().map(Lost::Zone)).collect());
    };
    let lost = |(index, name): (usize, &String)| match name.as_str() {
        "one instance" => one_instance().ok_or_else(|| {
            Problem::new("no service has more than one instance")
                .expected("a service with `instances`, or losses = []")
                .inside(index.to_string())
                .inside("losses")
        }),
        name => match Lost::read(name, model) {
            Ok(Some(lost)) => Ok(lost),
            Ok(None) => Err(Problem::new("to lose nothing is tried anyway").inside("losses")),
            Err(problem) => Err(problem.inside(index.to_string()).inside("losses")),
        },
    };
    named.iter().enumerate().map(lost).collect()
}

/// The service with several instances of which most is asked, by visit counts; `None` if there is
/// none, or the model is wrong.
fn busiest(
    text: &LimitText,
    experiment: &Experiment,
    model: &Value,
    read_file: ReadFile<'_>,
) -> Option<String> {
    let mut model = model.clone();
    let path = format!("clients.\"{}\".arrivals", text.clients);
    let at = model.at;
    let load = Patch {
        path,
        path_at: at,
        value: super::poisson(crate::experiment::search::amount::Amount::Rate(text.from), at),
    };
    let load = text.vary.is_none().then_some(load);
    patch(
        &mut Value { data: Data::Table(indexmap::IndexMap::new()), at },
        &mut model,
        &load,
        &OF_RUNS,
    )
    .ok()?;
    let program = compile::compile(&model, read_file).ok()?;
    let end = Time::ZERO + experiment.arrivals;
    let capacity = in_calm(&program, &Plan::default(), end);
    let nodes = capacity.phases.into_iter().next()?.nodes;
    let several = nodes.into_iter().filter(|node| instances(&model, &node.node) > 1);
    let busiest = several.max_by(|a, b| {
        let asked = [a, b].map(|node| node.utilisation().unwrap_or(0.0));
        asked[0].total_cmp(&asked[1])
    });
    busiest.map(|node| node.node)
}

/// How many instances a service has; one where it does not say.
fn instances(model: &Value, service: &str) -> i64 {
    match model.find(&["service", service, "instances"].map(str::to_owned)).map(|it| &it.data) {
        Some(Data::Integer(instances)) => *instances,
        _ => 1,
    }
}

/// The names of the nodes of a kind.
fn names<'m>(model: &'m Value, kind: &str) -> Vec<&'m str> {
    match model.find(&[kind.to_owned()]).map(|nodes| &nodes.data) {
        Some(Data::Table(nodes)) => nodes.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The kinds of nodes that a zone takes with it: not users, nor relays, which are beside theirs.
fn in_zones() -> impl Iterator<Item = &'static str> {
    NODES.iter().copied().filter(|kind| !matches!(*kind, "clients" | "outbox"))
}

/// The nodes in a zone, in the order of the model.
fn nodes_of<'m>(model: &'m Value, zone: &str) -> impl Iterator<Item = &'m str> {
    let is_there =
        move |kind: &str, node: &str| zone_of(model, kind, node).is_some_and(|own| own == zone);
    let all =
        in_zones().flat_map(|kind| names(model, kind).into_iter().map(move |node| (kind, node)));
    let nodes: Vec<&str> =
        all.filter(|(kind, node)| is_there(kind, node)).map(|(_, node)| node).collect();
    nodes.into_iter()
}

fn zone_of<'m>(model: &'m Value, kind: &str, node: &str) -> Option<&'m str> {
    match &model.find(&[kind, node, "zone"].map(str::to_owned))?.data {
        Data::Text(zone) => Some(zone),
        _ => None,
    }
}

/// The zones of the nodes that serve, each once.
fn zones(model: &Value) -> Vec<String> {
    let mut zones: Vec<String> = Vec::new();
    for kind in in_zones() {
        for node in names(model, kind) {
            if let Some(zone) =
                zone_of(model, kind, node).filter(|own| !zones.iter().any(|known| known == own))
            {
                zones.push(zone.to_owned());
            }
        }
    }
    zones
}
