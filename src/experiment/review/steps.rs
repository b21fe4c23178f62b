//! Lists of steps in the text of a model.

use toml::{Table, Value};

/// A value that is set in a model, by its path.
pub(super) type Edit = (String, Value);

/// What a service does when it is asked, or with a message.
pub(super) struct Handler {
    pub(super) service: String,
    /// The queue whose messages it takes; `None` of an operation that others call.
    pub(super) takes: Option<String>,
    /// Where its steps stand in the model: `service.api.on.order.steps`.
    pub(super) path: String,
    pub(super) steps: Vec<Value>,
}

/// Every handler of every service, in the order of the model.
pub(super) fn handlers(model: &Table) -> Vec<Handler> {
    let mut handlers = Vec::new();
    for (service, text) in section(model, "service") {
        let takes = text.get("takes").and_then(Value::as_str).map(str::to_owned);
        if let Some(steps) = list(text, "steps") {
            let path = format!("service.{service}.steps");
            handlers.push(Handler { service: service.clone(), takes, path, steps });
        }
        for (operation, on) in text.get("on").and_then(Value::as_table).into_iter().flatten() {
            let Some(steps) = on.as_table().and_then(|on| list(on, "steps")) else { continue };
            let path = format!("service.{service}.on.{operation}.steps");
            handlers.push(Handler { service: service.clone(), takes: None, path, steps });
        }
    }
    handlers
}

/// The steps of handlers where a change makes others of them.
pub(super) fn changed<'h>(
    handlers: impl Iterator<Item = &'h Handler>,
    change: &dyn Fn(Table) -> Vec<Table>,
) -> Vec<Edit> {
    let edits = handlers.filter_map(|handler| {
        let steps = rewritten(&handler.steps, change);
        (steps != handler.steps).then(|| (handler.path.clone(), Value::Array(steps)))
    });
    edits.collect()
}

/// The named things of a section of a model, such as its services.
pub(super) fn section<'m>(
    model: &'m Table,
    name: &str,
) -> impl Iterator<Item = (&'m String, &'m Table)> {
    let section = model.get(name).and_then(Value::as_table);
    section.into_iter().flatten().filter_map(|(name, value)| Some((name, value.as_table()?)))
}

fn list(of: &Table, key: &str) -> Option<Vec<Value>> {
    Some(of.get(key)?.as_array()?.clone())
}

/// The keys of a step that hold steps.
const INNER: [&str; 6] = ["repeat", "steps", "then", "otherwise", "fallback", "for_update"];

/// Steps with others in the place of each, those inside them first. A list that is left without a
/// step is left out with its key.
pub(super) fn rewritten(steps: &[Value], change: &dyn Fn(Table) -> Vec<Table>) -> Vec<Value> {
    let tables = steps.iter().filter_map(Value::as_table);
    let changed = tables.flat_map(|step| {
        let mut step = step.clone();
        for key in INNER {
            let Some(inner) = list(&step, key) else { continue };
            match rewritten(&inner, change) {
                inner if inner.is_empty() => drop(step.remove(key)),
                inner => drop(step.insert(key.to_owned(), Value::Array(inner))),
            }
        }
        if let Some(parts) = list(&step, "parallel") {
            let parts = parts.iter().filter_map(Value::as_array);
            let parts = parts.map(|part| rewritten(part, change)).filter(|part| !part.is_empty());
            let parts = parts.map(Value::Array).collect();
            step.insert("parallel".to_owned(), Value::Array(parts));
        }
        change(step)
    });
    changed.map(Value::Table).collect()
}

/// Every step of a list, those inside others too.
pub(super) fn all(steps: &[Value]) -> Vec<&Table> {
    let mut found = Vec::new();
    for step in steps.iter().filter_map(Value::as_table) {
        found.push(step);
        let inner = INNER.iter().filter_map(|key| step.get(*key)?.as_array());
        let parallel = step.get("parallel").and_then(Value::as_array).into_iter().flatten();
        for list in inner.chain(parallel.filter_map(Value::as_array)) {
            found.extend(all(list));
        }
    }
    found
}

/// A text of a step.
pub(super) fn text<'s>(step: &'s Table, key: &str) -> Option<&'s str> {
    step.get(key)?.as_str()
}
