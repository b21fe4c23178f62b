//! No promise goes silent: each planted bug is found whatever stands around it in its handlers.
//!
//! What a handler does beside its work is no reason to see less of it: a step whose failure is
//! ignored, steps that are done instead of one that failed, a second row in a transaction, lists of
//! steps at once, an answer that comes too late. Each bug is planted again with each of these
//! around every step of the handlers that it is about.

use stormglass::experiment::plan::campaign::Campaign;
use toml::{Table, Value};

use super::campaigns::{arm, compile, texts};

/// A variant of a planted bug is found in so many seeds.
const SEEDS_MAX: u64 = 200;
/// Under so many seeds the arm without a bug keeps the promise, with the same around its steps.
const SEEDS_OF_TWIN: u64 = 5;

/// What stands around the steps of a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    /// A step that fails and is ignored, before each step and behind the last one.
    IgnoredFailure,
    /// Each step is done instead of one that failed.
    Fallback,
    /// Each transaction writes another row first.
    SecondRow,
    /// Each step runs beside another list of steps.
    ParallelList,
    /// The handler takes longer before it answers than its caller waits.
    LateAnswer,
}
use Around::{Fallback, IgnoredFailure, LateAnswer, ParallelList, SecondRow};

const ALL: [Around; 5] = [IgnoredFailure, Fallback, SecondRow, ParallelList, LateAnswer];

/// The handlers of each planted bug: file, arm, and services with their operations.
const PLANTED: &[(&str, &str, &[&str])] = &[
    ("payments", "one_charge", &["payer"]),
    ("payments", "one_charge-keys_expire", &["payer"]),
    ("payments", "paid_has_payment", &["payer"]),
    ("payments", "charge_has_order", &["api.on.place_order"]),
    ("payments", "accepted_order_kept", &["api.on.place_order"]),
    ("settlement", "charge_has_order", &["api.on.place_order"]),
    ("settlement", "accepted_order_kept", &["api.on.place_order"]),
    ("settlement", "applied_once", &["payer"]),
    ("settlement", "audit_complete", &["payer"]),
    ("saga", "settled_or_compensated", &["payer"]),
    ("messages", "no_phantom_event", &["api.on.place"]),
    ("messages", "no_lost_event", &["api.on.place"]),
    ("messages", "event_order", &["api.on.place", "api.on.confirm"]),
    ("messages", "projection_matches", &["projector"]),
    ("reads", "read_your_writes", &["api.on.write", "api.on.read"]),
    ("reads", "monotonic_reads", &["api.on.watch"]),
    ("reads", "bounded_staleness", &["api.on.rename", "api.on.visit"]),
    ("access", "no_stale_authorisation", &["api.on.enter"]),
    ("access", "no_stale_authorisation-open", &["api.on.enter"]),
    ("ledger", "ledger_conserved", &["bank.on.transfer"]),
    ("ledger", "ledger_conserved-twice", &["bank.on.transfer"]),
    ("amounts", "amount_kept", &["payer"]),
    ("answers", "same_answer", &["api.on.pay"]),
    ("answers", "same_answer-two_orders", &["api.on.pay"]),
    ("versions", "no_lost_update", &["shop.on.take"]),
    ("versions", "legal_states", &["shop.on.sell"]),
    ("deadlines", "deadline_honest", &["api.on.pay"]),
    ("primaries", "fencing", &["api.on.order"]),
    ("retries", "retries_bounded", &["api.on.pay"]),
    ("outcomes", "honest_answer", &["api.on.place_order"]),
    ("outcomes", "honest_answer-not_kept", &["api.on.place_order"]),
    ("outcomes", "honest_answer-cancelled", &["payer"]),
    ("outcomes", "implies", &["payer"]),
    ("outcomes", "charge_has_order", &["payer"]),
    ("containment", "contained", &["shop.on.page"]),
    ("stock", "no_oversell", &["api.on.buy"]),
    ("stock", "no_oversell-returned", &["api.on.cancel"]),
];

const WRITES_NOTHING: &str = "these handlers write nothing";

/// What makes no sense, and why.
const SENSELESS: &[(&str, &str, Around, &str)] = &[
    ("reads", "monotonic_reads", SecondRow, WRITES_NOTHING),
    ("access", "no_stale_authorisation", SecondRow, WRITES_NOTHING),
    ("access", "no_stale_authorisation-open", SecondRow, WRITES_NOTHING),
    ("amounts", "amount_kept", SecondRow, WRITES_NOTHING),
    ("answers", "same_answer", SecondRow, WRITES_NOTHING),
    ("answers", "same_answer-two_orders", SecondRow, WRITES_NOTHING),
    ("deadlines", "deadline_honest", SecondRow, WRITES_NOTHING),
    ("containment", "contained", SecondRow, WRITES_NOTHING),
    ("retries", "retries_bounded", SecondRow, WRITES_NOTHING),
    (
        "messages",
        "projection_matches",
        LateAnswer,
        "who acknowledges late gets the message again, and what is written then is right",
    ),
    (
        "amounts",
        "amount_kept",
        ParallelList,
        "a list of steps of its own keeps the amount that it reads to itself: the charge is right",
    ),
];

/// What the variants need beside the model: a service that always fails, and another table.
const BESIDE: &str = r#"
[service.void]
workers = 1000
on.fail.steps = [{ reply = "failed" }]

[policy.void]
timeout = "50ms"
"#;

fn step(text: &str) -> Value {
    let table: Table = toml::from_str(&format!("step = {text}")).unwrap();
    table["step"].clone()
}

fn list(table: &Table, key: &str) -> Vec<Value> {
    table.get(key).and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Whether a step, or one inside it, answers or acknowledges.
fn ends(step: &Value) -> bool {
    let Some(table) = step.as_table() else { return false };
    let inside = ["then", "otherwise", "fallback"].map(|key| list(table, key));
    ["reply", "ack", "nack"].iter().any(|key| table.contains_key(*key))
        || inside.iter().flatten().any(ends)
}

/// Whether a step is about what was read right before.
fn is_about_what_was_read(step: &Table) -> bool {
    let writes = list(step, "write");
    step.contains_key("if_unchanged")
        || writes.iter().any(|write| write.as_str().is_some_and(|it| it.contains("= read")))
}

/// The steps that belong together: a condition is about what the step before it has found, and a
/// write that is conditional about what was read right before.
fn groups(steps: &[Value]) -> Vec<Vec<Value>> {
    let mut groups: Vec<Vec<Value>> = Vec::new();
    for step in steps {
        let table = step.as_table().unwrap();
        let continues = table.contains_key("when") || is_about_what_was_read(table);
        match groups.last_mut().filter(|_| continues) {
            Some(group) => group.push(step.clone()),
            None => groups.push(vec![step.clone()]),
        }
    }
    groups
}

/// A list of steps with something around each of them.
fn wrapped(steps: &[Value], around: Around) -> Vec<Value> {
    let mut all = Vec::new();
    for group in groups(steps) {
        let group: Vec<Value> = group.iter().map(|step| inside(step, around)).collect();
        let is_whole = !group.iter().any(ends);
        if is_about_what_was_read(group[0].as_table().unwrap()) {
            // What it is conditional about was read right before this list.
            all.extend(group);
            continue;
        }
        match around {
            IgnoredFailure => {
                all.push(step(
                    "{ call = \"void.fail\", policy = \"void\", ignore_failure = true }",
                ));
                all.extend(group);
            }
            Fallback if is_whole => {
                let mut failing = step("{ call = \"void.fail\", policy = \"void\" }");
                let table = failing.as_table_mut().unwrap();
                table.insert("fallback".to_owned(), Value::Array(group));
                all.push(failing);
            }
            ParallelList if is_whole => {
                let beside = vec![step("{ work = \"exp 1ms\" }")];
                let lists = [group, beside].map(Value::Array).to_vec();
                let lists = Table::from_iter([("parallel".to_owned(), Value::Array(lists))]);
                all.push(Value::Table(lists));
            }
            LateAnswer if !is_whole && group[0].as_table().unwrap().get("when").is_none() => {
                let is_answer = group[0].as_table().unwrap().contains_key("reply");
                let late = if is_answer { "700ms" } else { "2500ms" };
                all.push(step(&format!(
                    "{{ when = {{ share_of_attempts = \"30%\" }}, then = [{{ work = \"{late}\" }}] }}"
                )));
                all.extend(group);
            }
            _ => all.extend(group),
        }
    }
    if around == IgnoredFailure && !steps.iter().any(ends) {
        all.push(step("{ call = \"void.fail\", policy = \"void\", ignore_failure = true }"));
    }
    all
}

/// A step with something around the steps inside it, or with a second row.
fn inside(step: &Value, around: Around) -> Value {
    let mut table = step.as_table().unwrap().clone();
    for key in ["then", "otherwise"] {
        if table.contains_key(key) {
            let steps = wrapped(&list(&table, key), around);
            table.insert(key.to_owned(), Value::Array(steps));
        }
    }
    if around == SecondRow && table.contains_key("transaction") {
        let mut writes = vec![Value::from("beside = noted")];
        writes.extend(list(&table, "write"));
        table.insert("write".to_owned(), Value::Array(writes));
    }
    Value::Table(table)
}

fn dig<'a>(mut table: &'a Table, path: &str) -> Option<&'a Value> {
    let (before, last) = path.rsplit_once('.').unwrap_or(("", path));
    for key in before.split('.').filter(|key| !key.is_empty()) {
        table = table.get(key)?.as_table()?;
    }
    table.get(last)
}

/// The steps of a handler in an arm, or else in the model.
fn steps_of(set: &Table, model: &Table, path: &str) -> Vec<Value> {
    let of_arm = set.iter().find_map(|(key, value)| match path.strip_prefix(key.as_str())? {
        "" => Some(value),
        rest => dig(value.as_table()?, rest.strip_prefix('.')?),
    });
    let steps = of_arm.or_else(|| dig(model, path)).and_then(Value::as_array);
    steps.unwrap_or_else(|| panic!("no {path}")).clone()
}

/// The campaign of one arm with something around the steps of its handlers; `None` if there is
/// nothing that it could stand around.
fn variant(name: &str, arm: &str, handlers: &[&str], around: Around) -> Option<Campaign> {
    let (experiment, model) = texts(name);
    let (mut experiment, mut model): (Table, Table) =
        (toml::from_str(&experiment).unwrap(), toml::from_str(&model).unwrap());
    let arms = experiment["arms"].as_table_mut().unwrap();
    arms.retain(|known, _| known == arm);
    let chosen = arms[arm].as_table_mut().unwrap();
    let set = chosen.entry("set").or_insert_with(|| Value::Table(Table::new()));
    let set = set.as_table_mut().unwrap();
    let mut is_changed = false;
    for handler in handlers {
        let path = format!("service.{handler}.steps");
        let steps = steps_of(set, &model, &path);
        let around = wrapped(&steps, around);
        is_changed |= around != steps;
        set.insert(path, Value::Array(around));
    }
    let beside: Table = toml::from_str(BESIDE).unwrap();
    for (section, added) in beside {
        let known = model.entry(section).or_insert_with(|| Value::Table(Table::new()));
        known.as_table_mut().unwrap().extend(added.as_table().unwrap().clone());
    }
    for (_, database) in
        model.get_mut("database").and_then(Value::as_table_mut).into_iter().flatten()
    {
        let tables = database["tables"].as_table_mut().unwrap();
        tables.insert("beside".to_owned(), Value::Table(Table::new()));
    }
    let [experiment, model] = [experiment, model].map(|table| toml::to_string(&table).unwrap());
    is_changed.then(|| compile(&format!("{name}, {arm}, {around:?}"), &experiment, &model))
}

/// Whether a run of a seed breaks a promise, and how often that could have been.
fn judged(campaign: &Campaign, promise: &str, seed: u64) -> (u64, u64) {
    let run = arm(campaign, 0, seed);
    let verdict = &run.invariants[campaign.cells[0].invariants.place(promise).unwrap()];
    (verdict.violations, verdict.exposure)
}

/// What is wrong with one combination, if anything is.
fn silent(name: &str, arm: &str, handlers: &[&str], around: Around) -> Option<String> {
    let promise = arm.split('-').next().unwrap_or_default();
    let is_it = |row: &&(&str, &str, Around, &str)| (row.0, row.1, row.2) == (name, arm, around);
    let is_senseless = SENSELESS.iter().any(|row| is_it(&row));
    let what = format!("{name}, {arm}, {around:?}");
    let Some(campaign) = variant(name, arm, handlers, around) else {
        return (!is_senseless).then(|| format!("{what}: nothing to stand around"));
    };
    let mut exposure = 0;
    let mut is_found = false;
    for seed in 1..=if is_senseless { 1 } else { SEEDS_MAX } {
        let (violations, exposed) = judged(&campaign, promise, seed);
        exposure += exposed;
        is_found = violations > 0;
        if is_found {
            break;
        }
    }
    if is_senseless {
        return None;
    }
    if !is_found {
        return Some(format!("{what}: not found, exposure {exposure}"));
    }
    let twin = variant(name, "correct", handlers, around)?;
    let broken = (1..=SEEDS_OF_TWIN).find(|&seed| judged(&twin, promise, seed).0 > 0);
    broken.map(|seed| format!("{what}: the arm `correct` breaks it under seed {seed}"))
}

#[test]
fn every_planted_bug_is_found_whatever_stands_around_it() {
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let check = |&(name, arm, handlers): &(&'static str, &'static str, &'static [&str])| {
            let all = move |around| silent(name, arm, handlers, around);
            scope.spawn(move || ALL.into_iter().filter_map(all).collect::<Vec<String>>())
        };
        let running: Vec<_> = PLANTED.iter().map(check).collect();
        running.into_iter().flat_map(|one| one.join().expect("see above")).collect()
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whoever adds a planted bug adds its variants.
#[test]
fn every_arm_has_its_variants() {
    for name in super::campaigns::names() {
        let campaign = super::campaigns::read(&name);
        for arm in campaign.arms().into_iter().filter(|arm| *arm != "correct") {
            let is_listed = PLANTED.iter().any(|row| (row.0, row.1) == (&name, arm));
            assert!(is_listed, "{name}, {arm}: not in PLANTED");
        }
    }
}
