//! Promises about a random model, by the names that every random model has, and what must hold of
//! each verdict.
//!
//! What could have broken a promise is a case. A case is judged (exposure) or it is not (unjudged),
//! and never both. Promises that have a time to come true show whether that is so: a time decides
//! which cases are judged and nothing else, so whatever it is, both together are as many.

use serde_json::{Map, Value, json};
use stormglass::experiment::run::result::RunResult;
use stormglass::invariant::{CATALOGUE, Invariants, Verdict, WatchList};
use stormglass::kernel::limit::Ending;
use stormglass::model::document::{Sources, Value as Document};
use stormglass::model::program::Program;

/// Promises that must have come true `within` a time.
pub(crate) const TIMED: [&str; 5] =
    ["charge_has_order", "settled_or_compensated", "no_lost_event", "honest_answer", "implies"];

/// How much time they have: none, some, and more than a run has.
pub(crate) const NO_TIME: &str = "0s";
pub(crate) const SOME_TIME: [&str; 3] = ["1ms", "200ms", "2s"];
pub(crate) const TOO_MUCH_TIME: &str = "20s";

/// Every promise, with names that a model may have.
fn every() -> Value {
    let (row, new) = ("database0.table0", "database0.table0 = new");
    let ask = "service0.ask";
    json!({
        "one_charge": { "effect": "charge" },
        "paid_has_payment": { "paid": new, "payment": "database0.table1 = old" },
        "charge_has_order": { "effect": "charge", "order": row, "refund": "refund" },
        "settled_or_compensated": { "accepted": ask, "settled": new, "effect": "charge" },
        "accepted_order_kept": { "accepted": ask, "order": row, "settled": new },
        "no_phantom_event": { "queue": "queue0", "committed": row },
        "no_lost_event": { "committed": new, "queue": "queue0" },
        "event_order": { "queue": "queue0", "per": "order" },
        "applied_once": { "applied": new },
        "read_your_writes": { "read": "shop.look" },
        "monotonic_reads": { "read": "shop.look" },
        "bounded_staleness": { "read": row, "within": "50ms" },
        "no_stale_authorisation": { "revoked": new, "protected": "charge" },
        "ledger_conserved": { "debit": row, "credit": "database0.table1" },
        "amount_kept": { "order": new, "charge": "charge" },
        "same_answer": { "operation": "provider0.charge" },
        "audit_complete": { "of": new, "entry": "entry" },
        "projection_matches": { "source": row, "projection": "replica0.table0" },
        "no_lost_update": { "table": row },
        "legal_states": { "table": row, "allowed": ["-> new", "new -> old"] },
        "deadline_honest": { "effect": "charge", "operation": ask, "skew": "10ms" },
        "fencing": { "database": "database0" },
        "retries_bounded": { "operation": ask, "attempts": 2, "ratio": 0.2, "per": "1s" },
        "honest_answer": { "answer": ask, "done": new },
        "implies": { "if": "message queue0", "then": [row] },
        "contained": { "in": ["shop"] },
        "no_oversell": { "stock": "database0.stock0", "sold": new },
    })
}

/// Those promises that a model has names for.
pub(crate) fn fitting(program: &Program) -> Map<String, Value> {
    let Value::Object(mut promises) = every() else { return Map::new() };
    promises.retain(|name, promise| {
        if TIMED.contains(&name.as_str()) {
            promise["within"] = json!(NO_TIME);
        }
        let mut sources = Sources::default();
        let source = sources.add("promise.json", &json!({ name: promise }).to_string());
        let (one, mut problems) = (Document::parse(&sources, source).unwrap(), Vec::new());
        let list = WatchList::read(Some(&one), &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        Invariants::new(&list, program).is_ok()
    });
    promises
}

/// The same promises with another time, perhaps from the end of all faults on.
pub(crate) fn within(
    promises: &Map<String, Value>,
    within: &str,
    after_faults: bool,
) -> Map<String, Value> {
    let mut promises = promises.clone();
    for name in TIMED {
        if let Some(promise) = promises.get_mut(name) {
            promise["within"] = json!(within);
            promise["after_faults"] = json!(after_faults);
        }
    }
    promises
}

/// What is wrong with the verdicts of two runs on the promises of these names. They differ in
/// nothing but the time that promises have: none in the first, and this much in the second.
pub(crate) fn misjudged(
    names: &[&str],
    one: &RunResult,
    other: &RunResult,
    within: &str,
) -> Option<String> {
    let pairs = names.iter().zip(one.invariants.iter().zip(&other.invariants));
    pairs.into_iter().find_map(|(name, (one_verdict, other_verdict))| {
        let is_timed = TIMED.contains(name);
        let wrong = [(one, one_verdict), (other, other_verdict)]
            .into_iter()
            .find_map(|(run, verdict)| contradiction(run, verdict))
            .or_else(|| match is_timed {
                true => counted_twice(one_verdict, other_verdict)
                    .or_else(|| judged_early(one.ending, one_verdict, other_verdict, within)),
                false => (one_verdict != other_verdict).then_some("differs from itself"),
            })?;
        Some(format!("{name} {wrong}: {one_verdict:?} {other_verdict:?}"))
    })
}

/// What cannot be true of any verdict.
fn contradiction(run: &RunResult, verdict: &Verdict) -> Option<&'static str> {
    let &Verdict { violations, exposure, unjudged, first, at_end, .. } = verdict;
    let is_complete = run.ending == Ending::Complete;
    let wrong = [
        (violations > exposure, "was broken more often than it could have been"),
        (first.is_some() != (violations > 0), "was broken and never for the first time"),
        (!at_end && unjudged > 0, "is judged at once and was not judged"),
        (at_end && !is_complete && exposure > 0, "was judged at an end that was not reached"),
    ];
    wrong.into_iter().find_map(|(is_so, what)| is_so.then_some(what))
}

/// A case is judged or not, whatever the time is.
fn counted_twice(one: &Verdict, other: &Verdict) -> Option<&'static str> {
    let cases = |verdict: &Verdict| verdict.exposure + verdict.unjudged;
    (cases(one) != cases(other)).then_some("has more or fewer cases with another time")
}

/// What has no time to lose is judged at the end of a run, all of it. What has more than a run has
/// is not judged, none of it.
fn judged_early(
    ending: Ending,
    one: &Verdict,
    other: &Verdict,
    within: &str,
) -> Option<&'static str> {
    if ending == Ending::Complete && one.unjudged > 0 {
        return Some("is due at once and was not judged");
    }
    (within == TOO_MUCH_TIME && other.exposure > 0).then_some("was judged before its time was up")
}

/// The names of those of these promises, in the order of results.
pub(crate) fn watched(promises: &Map<String, Value>) -> Vec<&'static str> {
    names().filter(|name| promises.contains_key(*name)).collect()
}

/// The names of all promises.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    CATALOGUE.iter().map(|entry| entry.name)
}
