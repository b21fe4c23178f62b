//! What users are told, what follows from a charge, and promises that nothing can break.

use std::fs;

use tempfile::TempDir;

use super::{Ran, path, stormglass};

/// Every user is told `failed` after 2 s; every one is charged and has a ticket after 3 s.
const SHOP: &str = r#"
[clients.fans]
arrivals = { poisson = "5/s" }
patience = "10s"
flow = [{ call = "gateway.buy" }]

[service.gateway]
workers = 1000
on.buy.steps = [{ call = "shop.buy", policy = "to_shop" }, { reply = "ok" }]

[service.shop]
workers = 1000
on.buy.steps = [
  { call = "payment.charge", idempotency_key = "order" },
  { transaction = "orders", write = ["order = ticketed"] },
  { reply = "ok" },
]

[database.orders]
commit = "1ms"
read = "1ms"
tables = { order = {} }

[provider.payment]
concurrency = "unlimited"
latency = "3s"
effects = ["charge", "refund"]

[policy.to_shop]
timeout = "2s"
"#;

/// The five promises that hold all the same.
const FIVE: &str = r#"
one_charge = { effect = "charge" }
charge_has_order = { effect = "charge", order = "orders.order" }
accepted_order_kept = { accepted = "gateway.buy", order = "orders.order", settled = "orders.order = ticketed" }
settled_or_compensated = { accepted = "gateway.buy", settled = "orders.order = ticketed", cancelled = "orders.order = cancelled", effect = "charge", refund = "refund", within = "1s" }
deadline_honest = { effect = "charge", operation = "gateway.buy", skew = "0s" }
"#;

const HONEST: &str = r#"
honest_answer = { answer = "gateway.buy", done = "orders.order = ticketed", effect = "charge", refund = "refund", within = "1s" }
"#;

/// Checks a model under three seeds, 20 s and a drain of 20 s.
fn check(model: &str, promises: &str, arguments: &[&str]) -> Ran {
    let folder = TempDir::new().unwrap();
    let experiment = folder.path().join("shop.toml");
    let head = "name = 'shop'\nmodel = 'model.toml'\narrivals = '20s'\ndrain = '20s'\n\
                seeds = '1..4'\n[invariants]";
    fs::write(folder.path().join("model.toml"), model).unwrap();
    fs::write(&experiment, format!("{head}{promises}")).unwrap();
    stormglass(&[&["check", path(&experiment)], arguments].concat())
}

#[test]
fn users_who_are_told_failed_and_charged_break_honest_answer_and_nothing_else() {
    let five = check(SHOP, FIVE, &[]);
    assert!(!five.out.contains("VIOLATION"), "{}{}", five.out, five.error);
    let honest = check(SHOP, &format!("{FIVE}{HONEST}"), &["--keep-going"]);
    assert_eq!(honest.code, Some(1), "{}{}", honest.out, honest.error);
    assert!(honest.out.contains("VIOLATION honest_answer: 3 of 3 seeds"), "{}", honest.out);
    assert!(honest.out.contains("violation: 1 promise broken"), "{}", honest.out);
    // The call to the shop is given more time than it takes: users are told the truth.
    let patient = ["--set", "policy.to_shop.timeout=5s"];
    let honest = check(SHOP, HONEST, &patient);
    assert_eq!(honest.code, Some(0), "{}{}", honest.out, honest.error);
    // Who gives up first is told nothing, unless silence is meant as a failure.
    let silent = ["--set", "policy.to_shop.timeout=5s", "--set", "clients.fans.patience=2500ms"];
    let none = check(SHOP, HONEST, &silent);
    assert!(!none.out.contains("VIOLATION"), "{}{}", none.out, none.error);
    let failed = HONEST.replace("within", "silence = \"failed\", within");
    let told = check(SHOP, &failed, &silent);
    assert_eq!(told.code, Some(1), "{}{}", told.out, told.error);
}

#[test]
fn users_who_are_told_ok_and_then_cancelled_break_honest_answer() {
    let cancels = SHOP.replace(
        "{ call = \"payment.charge\", idempotency_key = \"order\" },\n  \
         { transaction = \"orders\", write = [\"order = ticketed\"] },",
        "{ transaction = \"orders\", write = [\"order = ticketed\"] },\n  \
         { call = \"payment.charge\", policy = \"to_shop\", fallback = [\n    \
         { transaction = \"orders\", write = [\"order = cancelled\"] } ] },",
    );
    assert_ne!(cancels, SHOP);
    let patient = ["--set", "policy.to_shop.timeout=2500ms"];
    let honest = HONEST.replace("effect", "undone = \"orders.order = cancelled\", effect");
    let told = check(&cancels, &honest, &patient);
    assert_eq!(told.code, Some(1), "{}{}", told.out, told.error);
    assert!(told.out.contains("VIOLATION honest_answer"), "{}", told.out);
}

#[test]
fn a_charge_that_never_becomes_a_paid_order_breaks_a_promise() {
    let forgets = SHOP.replace("order = ticketed", "order = accepted").replace(
        "{ reply = \"ok\" },\n]\n\n[database",
        "{ when = { share_of_orders = \"50%\" }, then = [\n    \
         { transaction = \"orders\", write = [\"order = ticketed\"] } ] },\n  \
         { reply = \"ok\" },\n]\n\n[database",
    );
    let row = "\ncharge_has_order = { effect = \"charge\", order = \"orders.order\" }\n";
    let ran = check(&forgets, row, &[]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.error);
    let paid = row.replace("\"orders.order\"", "\"orders.order = ticketed\", within = \"5s\"");
    let ran = check(&forgets, &paid, &[]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.error);
    assert!(ran.out.contains("VIOLATION charge_has_order"), "{}", ran.out);
    let implies = "\n[invariants.implies]\nif = \"effect charge\"\n\
                   then = [\"orders.order = ticketed\"]\nwithin = \"5s\"\n";
    let ran = check(&forgets, implies, &[]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.error);
}

#[test]
fn an_experiment_that_promises_nothing_is_not_checked() {
    let ran = check(SHOP, "\n", &[]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{}", ran.error);
    assert!(ran.error.contains("this experiment promises nothing"), "{}", ran.error);
    assert!(ran.error.contains("[invariants], [expect] or `sometimes`"), "{}", ran.error);
    // Nor is an arm of which nothing is expected, beside another.
    let arms = "\n[arms.vague]\n[arms.exact.set]\n\"expect.success_ratio\" = \"<= 1\"\n";
    let of = |arm| check(SHOP, arms, &["--arm", arm]);
    assert_eq!((of("vague").code, of("exact").code), (Some(2), Some(0)), "{}", of("exact").error);
}

#[test]
fn a_search_has_no_verdict() {
    let ran = stormglass(&["check", "experiments/published/phase-boundary.toml"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{}", ran.error);
    assert!(ran.error.contains("a search has no verdict"), "{}", ran.error);
    assert!(ran.error.contains("stormglass run, or an experiment without [search]"));
}

#[test]
fn a_promise_that_nothing_can_break_is_said_before_the_run() {
    let promises = "\none_charge = { effect = \"refund\" }\n\
                    amount_kept = { order = \"orders.order = ticketed\", charge = \"charge\" }\n\
                    read_your_writes = { read = \"gateway.buy\" }\n\
                    event_order = { queue = \"idle\" }\n\
                    paid_has_payment = { paid = \"orders.order = ticketed\", payment = \"orders.order = ticketed\" }\n";
    let idle = "[queue.idle]\nvisibility = \"1s\"\n[service.idler]\nworkers = 1\n\
                takes = \"idle\"\nsteps = [{ ack = true }]\n";
    let model = format!("{SHOP}{idle}");
    let ran = check(&model, promises, &[]);
    for reason in [
        "no step calls for the effect `refund`",
        "no step reads an amount",
        "no call expects its user's own write of `gateway.buy`",
        "nothing publishes to `idle`",
    ] {
        let warning = format!("warning: nothing can break this promise: {reason}");
        assert!(ran.error.contains(&warning), "{warning}\n{}", ran.error);
    }
    assert_eq!(ran.error.matches("nothing can break this promise").count(), 4, "{}", ran.error);
    let misspelt =
        promises.replace("paid = \"orders.order = ticketed\"", "paid = \"orders.order = tickted\"");
    let ran = check(&model, &misspelt, &[]);
    assert_eq!(ran.code, Some(2), "{}{}", ran.out, ran.error);
    let error = "no step writes the state `tickted` of `orders.order`";
    assert!(
        ran.error.contains(error) && ran.error.contains("did you mean `ticketed`?"),
        "{}",
        ran.error
    );
}
