//! The parts of a model that contain a failure and introduce another one, each with what it takes
//! to leave it out.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::steps::{Edit, Handler, all, changed, handlers, rewritten, section, text};
use crate::model::compile::NODES;

/// What kind of design choice a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// A service that waits for another service, or for a provider.
    Call,
    /// Work that is done later, from a queue.
    Queue,
    /// Rows that are kept in front of a database.
    Cache,
    /// A copy of a database that is read.
    Replica,
    /// A table that is written from messages about another one.
    Projection,
    /// A second region.
    Region,
}

impl PartKind {
    /// The name used in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            PartKind::Call => "synchronous call",
            PartKind::Queue => "queue",
            PartKind::Cache => "cache",
            PartKind::Replica => "read replica",
            PartKind::Projection => "projection",
            PartKind::Region => "second region",
        }
    }
}

/// A part of a model.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) kind: PartKind,
    /// The node; of a call `SERVICE -> NODE.OPERATION`.
    pub(super) name: String,
    /// What fails when it shows what it is good for: the callee, the consumers, the store behind.
    pub(super) struck: Vec<String>,
    /// Of a cache the tables that are read through it, of a projection the queues whose messages
    /// write it, of a region what is in others.
    pub(super) beside: Vec<String>,
    /// Whether it is on the way of messages and not of answers.
    pub(super) is_behind_a_queue: bool,
    /// How the model does without it, in words, and what that sets; or why it cannot be said.
    pub(super) without: Result<(String, Vec<Edit>), String>,
}

/// The parts of a model; of its projections those that a promise names as `(projection, source)`.
pub(super) fn parts(model: &Table, projections: &[(String, String)]) -> Vec<Part> {
    let handlers = handlers(model);
    let mut parts = calls(&handlers);
    parts.extend(section(model, "queue").filter_map(|(name, _)| queue(model, &handlers, name)));
    parts.extend(section(model, "cache").filter_map(|(name, _)| cache(model, &handlers, name)));
    parts.extend(section(model, "replica").filter_map(|(name, it)| replica(&handlers, name, it)));
    let projections = projections.iter();
    parts.extend(projections.filter_map(|pair| projection(model, &handlers, pair)));
    parts.extend(region(model));
    parts
}

/// One part for each service and each operation of another node that it calls.
fn calls(handlers: &[Handler]) -> Vec<Part> {
    let mut seen = BTreeSet::new();
    let mut parts = Vec::new();
    for handler in handlers {
        for operation in all(&handler.steps).iter().filter_map(|step| text(step, "call")) {
            let Some((node, _)) = operation.split_once('.') else { continue };
            if node == handler.service || !seen.insert((&handler.service, operation.to_owned())) {
                continue;
            }
            let own = handlers.iter().filter(|other| other.service == handler.service);
            let is_this = |step: &Table| text(step, "call") == Some(operation);
            let leave_out = |step: Table| if is_this(&step) { vec![] } else { vec![step] };
            let edits = changed(own, &leave_out);
            parts.push(Part {
                kind: PartKind::Call,
                name: format!("{} -> {operation}", handler.service),
                struck: vec![node.to_owned()],
                beside: Vec::new(),
                is_behind_a_queue: handler.takes.is_some(),
                without: Ok((format!("`{operation}` is not called"), edits)),
            });
        }
    }
    parts
}

/// A queue from which services take: without it whoever puts something into it does the work.
fn queue(model: &Table, handlers: &[Handler], name: &str) -> Option<Part> {
    let takes = |handler: &&Handler| handler.takes.as_deref() == Some(name);
    let consumers: Vec<&Handler> = handlers.iter().filter(takes).collect();
    if consumers.is_empty() {
        return None;
    }
    let relays = section(model, "outbox").map(|(_, relay)| relay);
    let relays: Vec<&Table> = relays.filter(|relay| text(relay, "queue") == Some(name)).collect();
    let fed: Vec<&str> = relays.iter().filter_map(|relay| text(relay, "database")).collect();
    let calls: Vec<Table> =
        consumers.iter().map(|it| step("call", &format!("{}.{WORK}", it.service))).collect();
    let change = |mut step: Table| {
        if text(&step, "publish") == Some(name) {
            return calls.clone();
        }
        let is_fed = text(&step, "transaction").is_some_and(|database| fed.contains(&database));
        if !is_fed || !takes_events_out(&mut step) {
            return vec![step];
        }
        [vec![step], calls.clone()].concat()
    };
    let routes = relays.iter().any(|relay| relay.contains_key("routes"));
    let mut edits = changed(handlers.iter().filter(|it| !takes(it)), &change);
    let is_fed = !edits.is_empty();
    edits.extend(consumers.iter().map(|it| (format!("service.{}.on", it.service), on(it, model))));
    let services: BTreeSet<String> = consumers.iter().map(|it| it.service.clone()).collect();
    let services: Vec<String> = services.into_iter().collect();
    let without = match (routes, is_fed) {
        (true, _) => Err("its relay brings events to several queues".to_owned()),
        (_, false) => Err("only other messages bring work to it".to_owned()),
        _ => {
            let who = services.join("`, `");
            Ok((format!("`{who}` is called, and the answer waits for it"), edits))
        }
    };
    Some(Part {
        kind: PartKind::Queue,
        name: name.to_owned(),
        struck: services,
        beside: Vec::new(),
        is_behind_a_queue: true,
        without,
    })
}

/// The operation that does what a consumer does with a message.
const WORK: &str = "review_work";

/// The operations of a consumer, and the one that does the work of a message.
fn on(consumer: &Handler, model: &Table) -> Value {
    let mut services = section(model, "service");
    let service = services.find(|(name, _)| **name == consumer.service).map(|(_, it)| it);
    let own = service.and_then(|it| it.get("on")?.as_table()).cloned();
    let mut on = own.unwrap_or_default();
    let mut steps = work(&consumer.steps);
    steps.push(Value::Table(step("reply", "ok")));
    let handler = Table::from_iter([("steps".to_owned(), Value::Array(steps))]);
    on.insert(WORK.to_owned(), Value::Table(handler));
    Value::Table(on)
}

fn step(key: &str, value: &str) -> Table {
    Table::from_iter([(key.to_owned(), value.into())])
}

/// What a consumer does with a message, but for what it tells the queue.
fn work(steps: &[Value]) -> Vec<Value> {
    let told = |it: Table| match (it.contains_key("ack"), it.contains_key("nack")) {
        (true, _) => vec![],
        (_, true) => vec![step("reply", "failed")],
        _ => vec![it],
    };
    rewritten(steps, &told)
}

/// Takes the events out of what a transaction writes; whether there were any.
fn takes_events_out(step: &mut Table) -> bool {
    let Some(Value::Array(written)) = step.get_mut("write") else { return false };
    let before = written.len();
    written.retain(|entry| !entry.as_str().is_some_and(|it| it.trim_start().starts_with("outbox")));
    written.len() < before
}

/// A cache that is read through: without it readers ask what is behind it.
fn cache(model: &Table, handlers: &[Handler], name: &str) -> Option<Part> {
    let is_read = |step: &&&Table| text(step, "cache") == Some(name);
    let steps: Vec<&Table> = handlers.iter().flat_map(|handler| all(&handler.steps)).collect();
    let read: BTreeSet<(String, String)> =
        steps.iter().filter(is_read).filter_map(|step| read_of(step)).collect();
    let behind: BTreeSet<String> = read.iter().map(|(node, _)| node.clone()).collect();
    if behind.is_empty() {
        return None;
    }
    let change = |mut step: Table| {
        for key in ["cache", "invalidate"] {
            if text(&step, key) != Some(name) {
                continue;
            }
            if step.len() == 1 {
                return vec![];
            }
            step.remove(key);
            step.remove("order");
        }
        vec![step]
    };
    let places = behind.iter().cloned().collect::<Vec<_>>().join("`, `");
    let without = Ok((format!("all reads go to `{places}`"), changed(handlers.iter(), &change)));
    let struck = behind.into_iter().collect();
    let name = name.to_owned();
    let tables = read.iter().map(|(node, table)| {
        let replica = section(model, "replica").find(|(name, _)| *name == node);
        let primary = replica.and_then(|(_, it)| text(it, "of")).unwrap_or(node);
        format!("{primary}.{table}")
    });
    let beside: BTreeSet<String> = tables.collect();
    let (kind, beside) = (PartKind::Cache, beside.into_iter().collect());
    Some(Part { kind, name, struck, beside, is_behind_a_queue: false, without })
}

/// The node and the table that a step reads.
fn read_of(step: &Table) -> Option<(String, String)> {
    let (node, table) = text(step, "read")?.split_once('.')?;
    Some((node.to_owned(), table.to_owned()))
}

/// A replica that is read: without it reads go to the primary.
fn replica(handlers: &[Handler], name: &str, replica: &Table) -> Option<Part> {
    let primary = text(replica, "of")?;
    let change = |mut step: Table| {
        if let Some((_, table)) = read_of(&step).filter(|(node, _)| node == name) {
            step.insert("read".to_owned(), format!("{primary}.{table}").into());
            step.remove("sticky");
            step.remove("wait");
        }
        vec![step]
    };
    let edits = changed(handlers.iter(), &change);
    if edits.is_empty() {
        return None;
    }
    Some(Part {
        kind: PartKind::Replica,
        name: name.to_owned(),
        struck: vec![primary.to_owned()],
        beside: Vec::new(),
        is_behind_a_queue: false,
        without: Ok((format!("its reads go to `{primary}`"), edits)),
    })
}

/// A table that is written from messages: without it its readers read the source.
fn projection(
    model: &Table,
    handlers: &[Handler],
    (projection, source): &(String, String),
) -> Option<Part> {
    let (database, _) = source.split_once('.')?;
    let change = |mut step: Table| {
        if text(&step, "read") == Some(projection) {
            step.insert("read".to_owned(), source.clone().into());
        }
        vec![step]
    };
    let edits = changed(handlers.iter(), &change);
    let without = match edits.is_empty() {
        true => Err("no handler reads it".to_owned()),
        false => Ok((format!("its readers read `{source}`"), edits)),
    };
    let is_there = section(model, "database").any(|(name, _)| name == database);
    is_there.then(|| Part {
        kind: PartKind::Projection,
        name: projection.clone(),
        struck: vec![database.to_owned()],
        beside: feeding(handlers, projection),
        is_behind_a_queue: false,
        without,
    })
}

/// The queues whose consumers write a table.
fn feeding(handlers: &[Handler], projection: &str) -> Vec<String> {
    let Some((database, table)) = projection.split_once('.') else { return Vec::new() };
    let writes = |step: &&Table| {
        let written = step.get("write").and_then(Value::as_array).into_iter().flatten();
        let mut rows = written.filter_map(|entry| entry.as_str()?.split('=').next());
        text(step, "transaction") == Some(database) && rows.any(|row| row.trim() == table)
    };
    let consumers = handlers.iter().filter(|handler| all(&handler.steps).iter().any(writes));
    consumers.filter_map(|handler| handler.takes.clone()).collect()
}

/// The region that is named last, if there are two: without it all is in the first one.
fn region(model: &Table) -> Option<Part> {
    let placed = NODES.iter().flat_map(|kind| {
        let nodes = section(model, kind);
        nodes.filter_map(move |(name, it)| Some((*kind, name.clone(), text(it, "region")?)))
    });
    let placed: Vec<(&str, String, &str)> = placed.collect();
    let first = placed.first()?.2;
    let last = placed.iter().map(|(.., region)| *region).rfind(|it| *it != first)?;
    let inside = || placed.iter().filter(|(_, _, region)| *region == last);
    let changed = inside().map(|(kind, name, _)| (format!("{kind}.{name}.region"), first.into()));
    let nodes = |is_last: bool| {
        let nodes = placed.iter().filter(|(kind, ..)| *kind != "clients");
        let nodes = nodes.filter(move |(_, _, region)| (*region == last) == is_last);
        nodes.map(|(_, name, _)| name.clone()).collect::<Vec<_>>()
    };
    Some(Part {
        kind: PartKind::Region,
        name: last.to_owned(),
        struck: nodes(true),
        beside: nodes(false),
        is_behind_a_queue: false,
        without: Ok((format!("all of `{last}` is in `{first}`"), changed.collect())),
    })
}
