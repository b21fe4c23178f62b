//! Providers, by what they do to money: rate limits and what they tell, and idempotency keys that
//! expire, are reused, come twice at once, and remember errors.

use crate::common::{Changed, runs};
use stormglass::experiment::run::result::RunResult;
use stormglass::policy::{Outcome, OutcomeKind};

/// Users who charge by themselves, through a client with a policy.
fn model(arrivals: &str, key: &str, provider: &str, policy: &str) -> String {
    format!(
        r#"
[clients.users]
arrivals = {{ constant = "{arrivals}" }}
keys = {{ uniform = 10 }}
flow = [{{ call = "payment.charge", policy = "client", idempotency_key = "{key}" }}]

[provider.payment]
concurrency = "unlimited"
{provider}

[policy.client]
{policy}
"#
    )
}

fn run(faults: &str, model: &str) -> RunResult {
    let experiment = format!(
        "name = \"provider\"\nmodel = \"inline\"\narrivals = \"10005ms\"\ndrain = \"60s\"\n\
         seeds = \"1..2\"\n{faults}"
    );
    runs(&experiment, model).swap_remove(0)
}

/// How many requests ended so.
fn failed(run: &RunResult, outcome: Outcome) -> u64 {
    run.metrics.failed.of(outcome)
}

// ---- rate limits --------------------------------------------------------------------------------

#[test]
fn at_twice_the_rate_half_of_the_calls_is_throttled_before_they_cost_anything() {
    let limit = "latency = \"10ms\"\nrate_limit = { rate = \"50/s\", burst = 1 }";
    let at_twice = run("", &model("100/s", "order", limit, "timeout = \"1s\""));
    let requests = at_twice.metrics.requests;
    assert_eq!(at_twice.metrics.throttled, requests / 2);
    assert_eq!(at_twice.metrics.effects, requests - requests / 2);
    assert_eq!(failed(&at_twice, Outcome::Throttled), at_twice.metrics.throttled);
    let at_half = run("", &model("25/s", "order", limit, "timeout = \"1s\""));
    assert_eq!(at_half.metrics.throttled, 0);
    // A burst goes through at once, and is missing from then on.
    let burst = limit.changed("burst = 1", "burst = 21");
    let at_twice = run("", &model("100/s", "order", &burst, "timeout = \"1s\""));
    assert!(at_twice.metrics.throttled.abs_diff(requests / 2 - 20) <= 1);
}

#[test]
fn a_client_that_honours_retry_after_sends_fewer_attempts() {
    let limit = |hint: &str| {
        format!("latency = \"10ms\"\nrate_limit = {{ rate = \"50/s\", burst = 10{hint} }}")
    };
    // Left to itself it retries at once, then after 800 ms.
    let policy = "preset = \"azure-core@1.41\"";
    let attempts = |hint: &str| {
        let run = run("", &model("100/s", "order", &limit(hint), policy));
        (run.metrics.edges[0].attempts, run.metrics.effects)
    };
    let (deaf, charged) = attempts("");
    let (told, charged_too) = attempts(", retry_after = \"15s\"");
    // Those who are told come back once, when the rush is over: five hundred more attempts.
    assert!((1450..=1510).contains(&told) && told + 400 < deaf, "{told} {deaf}");
    assert!(charged <= charged_too, "{charged} {charged_too}");
    let (exact, _) = attempts(", retry_after = \"exact\"");
    assert_ne!(exact, told, "what is told is what is waited");
}

// ---- idempotency keys ---------------------------------------------------------------------------

/// Replies are lost for the first two seconds: a retry after 5 s finds its key, or not.
fn retried_later(provider: &str) -> RunResult {
    let faults = r#"
[[faults]]
kind = "reply_loss"
target = "users -> payment"
share = 1.0
at = "0s"
for = "2s"
"#;
    let policy = "timeout = \"100ms\"\nretry = { attempts = 2, backoff = \"constant 5s\" }";
    let provider = format!("latency = \"10ms\"\n{provider}");
    run(faults, &model("10/s", "order", &provider, policy))
}

#[test]
fn a_retry_after_the_key_expired_charges_twice() {
    let known = retried_later("");
    assert_eq!(known.metrics.effects, known.metrics.requests);
    assert!(known.metrics.replayed[0] >= 19);
    let forgotten = retried_later("keys_expire = \"3s\"");
    assert_eq!(forgotten.metrics.replayed[0], 0);
    assert_eq!(forgotten.metrics.effects, known.metrics.effects + known.metrics.replayed[0]);
}

#[test]
fn a_key_that_was_used_for_another_order_is_invalid_or_silently_wrong() {
    let policy = "timeout = \"1s\"";
    let compared = run("", &model("10/s", "key", "latency = \"10ms\"", policy));
    // Ten keys, each of which pays for one order.
    assert_eq!(compared.metrics.effects, 10);
    assert_eq!(compared.metrics.mismatched, compared.metrics.requests - 10);
    assert_eq!(failed(&compared, Outcome::Invalid), compared.metrics.mismatched);
    let provider = "latency = \"10ms\"\non_mismatch = \"replay\"";
    let trusted = run("", &model("10/s", "key", provider, policy));
    assert_eq!((trusted.metrics.effects, trusted.metrics.ok), (10, trusted.metrics.requests));
    assert_eq!(trusted.metrics.replayed[0], trusted.metrics.requests - 10, "told ok, not paid");
}

#[test]
fn a_stored_error_is_replayed_for_ever() {
    let faults = r#"
[[faults]]
kind = "errors"
target = "payment"
share = 1.0
at = "0s"
for = "2s"
"#;
    let policy = "timeout = \"1s\"\nretry = { attempts = 6, backoff = \"constant 1s\" }";
    let with = |provider: &str| run(faults, &model("10/s", "order", provider, policy));
    let forgets = with("latency = \"10ms\"");
    assert_eq!(forgets.metrics.ok, forgets.metrics.requests, "tried again after the outage");
    let stores = with("latency = \"10ms\"\nreplay_errors = true");
    let unlucky = failed(&stores, Outcome::Failed);
    assert!((19..=20).contains(&unlucky), "{unlucky} orders came during the outage");
    assert_eq!(stores.metrics.effects, stores.metrics.requests - unlucky);
    assert_eq!(stores.metrics.replayed, [0, 5 * unlucky], "every retry gets the stored error");
    // A new key for each retry is the way out, and the way to two charges.
    let provider = "latency = \"10ms\"\nreplay_errors = true";
    let new_keys = run(faults, &model("10/s", "attempt", provider, policy));
    assert_eq!(new_keys.metrics.ok, new_keys.metrics.requests);
}

/// The provider takes longer than the client waits: the second attempt meets the first.
fn meets_itself(provider: &str) -> RunResult {
    let policy = "timeout = \"1s\"\nretry = { attempts = 4, backoff = \"none\" }";
    let provider = format!("latency = \"1500ms\"\n{provider}");
    run("", &model("10/s", "order", &provider, policy))
}

#[test]
fn a_second_call_with_a_key_in_progress_conflicts_waits_or_executes() {
    let conflicts = meets_itself("");
    let requests = conflicts.metrics.requests;
    assert_eq!(conflicts.metrics.effects, requests);
    let at_edge = &conflicts.metrics.edges[0];
    assert!(at_edge.outcomes.of_kind(OutcomeKind::Conflict) >= requests);

    let waits = meets_itself("concurrent_key = \"wait\"");
    assert_eq!((waits.metrics.effects, waits.metrics.ok), (requests, requests));
    assert_eq!(waits.metrics.edges[0].attempts, 2 * requests, "the second one is answered");
    assert_eq!(waits.metrics.edges[0].outcomes.of_kind(OutcomeKind::Conflict), 0);

    let executes = meets_itself("concurrent_key = \"execute\"");
    assert_eq!(executes.metrics.effects, 2 * requests, "two at once are charged twice");

    // A lease that ends before the work does is no protection.
    let short = meets_itself("concurrent_key = \"wait\"\nkey_lease = \"900ms\"");
    assert_eq!(short.metrics.effects, 2 * requests);
    let long = meets_itself("concurrent_key = \"wait\"\nkey_lease = \"10s\"");
    assert_eq!(long.metrics.effects, requests);
}

#[test]
fn one_of_those_who_wait_takes_over_when_the_first_call_fails() {
    let faults = r#"
[[faults]]
kind = "errors"
target = "payment"
share = 1.0
at = "0s"
for = "1650ms"
"#;
    let policy = "timeout = \"1s\"\nretry = { attempts = 4, backoff = \"none\" }";
    let provider = "latency = \"1500ms\"\nconcurrent_key = \"wait\"";
    let run = run(faults, &model("10/s", "order", provider, policy));
    // The call of 0.1 s fails without an effect at 1.6 s, when its second attempt waits.
    assert_eq!(run.metrics.made_to_fail[0], 1);
    assert_eq!(run.metrics.effects, run.metrics.requests);
    assert_eq!(run.metrics.ok, run.metrics.requests);
}

/// Errors before the effect and after it are other calls: each has its share.
#[test]
fn errors_before_and_after_the_effect_hit_different_calls() {
    for (before, after) in [(10, 10), (5, 20), (60, 40)] {
        let errors = format!(
            "latency = \"1ms\"\nerrors_before = \"{before}%\"\nerrors_after = \"{after}%\""
        );
        let run = run("", &model("100/s", "attempt", &errors, "timeout = \"1s\""));
        let (metrics, calls) = (&run.metrics, run.metrics.requests);
        let [none, done] = metrics.made_to_fail;
        // Of 1,000 calls; six standard deviations of 50%.
        assert!(none.abs_diff(calls * before / 100) < 95, "{before}%: {none}");
        assert!(done.abs_diff(calls * after / 100) < 95, "{after}%: {done}");
        assert_eq!(metrics.ok, calls - none - done);
        assert_eq!(metrics.effects, calls - none, "what failed after the effect has had it");
    }
}
