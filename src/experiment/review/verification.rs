//! The check of a part: what passes with a remedy and fails without it.

use toml::{Table, Value};

use super::failure::{When, all_down};
use super::part::{Part, PartKind};
use super::steps::{Edit, Handler, changed, handlers, text};
use crate::kernel::time::Span;

/// What is expected of a part when it meets the failure that it introduces.
pub(super) struct Verification {
    pub(super) expected: Expected,
    /// The model with what makes it pass; `None` if the model as it is has it.
    pub(super) with: Option<Remedy>,
    /// The model without that; `None` if the model as it is does without.
    pub(super) without: Option<Remedy>,
}

/// What a check expects.
pub(super) enum Expected {
    /// A bound of a metric.
    Metric(&'static str, String),
    /// Reads of each of these tables that miss nothing older than [`FRESH`].
    Fresh(Vec<String>),
    /// A projection that is what its source is, as the experiment promises.
    Projection,
}

/// What a model is given or loses, in words, and what that sets.
pub(super) struct Remedy {
    pub(super) label: String,
    pub(super) edits: Vec<Edit>,
}

/// Whatever was committed longer ago is seen by whoever reads through a cache.
pub(super) const FRESH: &str = "10s";
/// How long a cache keeps a row that is to be so fresh; the rest is for what was late when it was
/// put in.
const TTL: &str = "1s";
/// Longer than any run: a time to live that is none.
const FOR_EVER: &str = "1000h";
/// How often a message is received before it is put aside.
const RECEIVES: i64 = 5;
/// For how long a message whose worker has died is hidden.
const VISIBILITY: &str = "5s";
/// How often a worker that lives says so.
const HEARTBEAT: &str = "1s";
/// By how much a backlog may outlast the failure that it is from.
const BACKLOG_OUTLASTS: Span = Span(10_000_000_000);
/// The tail of the latency under a failure, at most so many times that without it.
const LATENCY_FACTOR: f64 = 3.0;
/// The policy of a call that gets a budget.
const BUDGET: &str = "review_budget";

/// The check of a part; `p99` is that of answers without any fault, in milliseconds.
pub(super) fn verification(
    model: &Table,
    part: &Part,
    when: When,
    p99_ms: Option<f64>,
) -> Option<Verification> {
    match part.kind {
        PartKind::Call => call(model, part, when, p99_ms),
        PartKind::Queue => Some(queue(part, when)),
        PartKind::Cache => Some(cache(model, part)),
        PartKind::Replica => Some(Verification {
            expected: Expected::Metric("stale_row_ratio", "<= 0%".to_owned()),
            with: Some(as_left_out(part)?),
            without: None,
        }),
        PartKind::Projection => Some(projection(model, part)),
        PartKind::Region => Some(Verification {
            expected: Expected::Metric("success_ratio", ">= 99%".to_owned()),
            with: None,
            without: Some(in_one_region(part, when)?),
        }),
    }
}

/// All in one region, which is lost.
fn in_one_region(part: &Part, when: When) -> Option<Remedy> {
    let mut all = as_left_out(part)?;
    let faults = all_down(part, when).into_iter().map(Value::Table);
    all.edits.push(("faults".to_owned(), Value::Array(faults.collect())));
    Some(all)
}

fn as_left_out(part: &Part) -> Option<Remedy> {
    let (label, edits) = part.without.as_ref().ok()?;
    Some(Remedy { label: label.clone(), edits: edits.clone() })
}

/// A budget of time for the call, after which the caller goes on without it.
fn call(model: &Table, part: &Part, when: When, p99_ms: Option<f64>) -> Option<Verification> {
    let (service, operation) = part.name.split_once(" -> ")?;
    let (expected, budget) = if part.is_behind_a_queue {
        (backlog(when), Span(1_000_000_000))
    } else {
        let bound = round_up(LATENCY_FACTOR * p99_ms?);
        let expected = Expected::Metric("latency_p99_ms", format!("<= {}", millis(bound)));
        (expected, millis(round_up(bound / LATENCY_FACTOR)))
    };
    let own = handlers(model);
    let own = || own.iter().filter(|handler| handler.service == service);
    let is_this = |step: &Table| text(step, "call") == Some(operation);
    let with = |mut step: Table| {
        if is_this(&step) {
            step.insert("policy".to_owned(), BUDGET.into());
            if !step.contains_key("fallback") {
                step.insert("ignore_failure".to_owned(), true.into());
            }
        }
        vec![step]
    };
    let without = |mut step: Table| {
        if is_this(&step) {
            step.remove("policy");
        }
        vec![step]
    };
    let policy = Table::from_iter([("timeout".to_owned(), Value::String(budget.to_string()))]);
    let mut edits = changed(own(), &with);
    edits.push((format!("policy.{BUDGET}"), Value::Table(policy)));
    let label = format!("{budget} for the call, once, and on without an answer");
    Some(Verification {
        expected,
        with: Some(Remedy { label, edits }),
        without: Some(Remedy {
            label: "no timeout for the call".to_owned(),
            edits: changed(own(), &without),
        }),
    })
}

/// Messages of workers that died are delivered again soon, and such that nobody can handle are put
/// aside.
fn queue(part: &Part, when: When) -> Verification {
    let set = |key: &str, value: Value| (format!("queue.{}.{key}", part.name), value);
    let edits = vec![
        set("visibility", VISIBILITY.into()),
        set("heartbeat", HEARTBEAT.into()),
        set("max_receives", RECEIVES.into()),
    ];
    let label =
        format!("visibility {VISIBILITY}, heartbeat {HEARTBEAT}, {RECEIVES} receives at most");
    Verification { expected: backlog(when), with: Some(Remedy { label, edits }), without: None }
}

fn backlog(when: When) -> Expected {
    Expected::Metric("oldest_message_s", format!("<= {}", when.lasts + BACKLOG_OUTLASTS))
}

/// A short time to live, against none and nobody who invalidates.
fn cache(model: &Table, part: &Part) -> Verification {
    let name = &part.name;
    let deaf = |mut step: Table| {
        let is_told = text(&step, "invalidate") == Some(name);
        if is_told && step.len() == 1 {
            return vec![];
        }
        if is_told {
            step.remove("invalidate");
            step.remove("order");
        }
        vec![step]
    };
    let ttl = |ttl: &str| (format!("cache.{name}.ttl"), ttl.into());
    let handlers = handlers(model);
    let mut edits = changed(handlers.iter(), &deaf);
    edits.push(ttl(FOR_EVER));
    Verification {
        expected: Expected::Fresh(part.beside.clone()),
        with: Some(Remedy { label: format!("ttl of {TTL}"), edits: vec![ttl(TTL)] }),
        without: Some(Remedy { label: "no ttl, no invalidation".to_owned(), edits }),
    }
}

/// Consumers that know what they have done, against such that do not.
fn projection(model: &Table, part: &Part) -> Verification {
    let handlers = handlers(model);
    let is_fed = |it: &&Handler| it.takes.as_ref().is_some_and(|queue| part.beside.contains(queue));
    let once = |mut step: Table| {
        if step.contains_key("transaction") && !step.contains_key("once") {
            step.insert("once".to_owned(), "order".into());
        }
        vec![step]
    };
    let naive = |mut step: Table| {
        step.remove("once");
        vec![step]
    };
    Verification {
        expected: Expected::Projection,
        with: Some(Remedy {
            label: "each event applied once".to_owned(),
            edits: changed(handlers.iter().filter(is_fed), &once),
        }),
        without: Some(Remedy {
            label: "each delivery applied".to_owned(),
            edits: changed(handlers.iter().filter(is_fed), &naive),
        }),
    }
}

/// A number of milliseconds with two digits, not less than it is.
fn round_up(ms: f64) -> f64 {
    let mut step = 1.0;
    while ms / step >= 100.0 {
        step *= 10.0;
    }
    (ms / step).ceil() * step
}

fn millis(ms: f64) -> Span {
    Span((ms * 1e6) as u64)
}
