//! Ways through a handler: conditions, lists of steps that run at once, fallbacks, and messages
//! that are given back.

use crate::common::{Changed, runs};
use stormglass::experiment::run::result::RunResult;

const SHOP: &str = r#"
[clients.users]
arrivals = { constant = "100/s" }
flow = [{ call = "api.order" }]

[service.api]
workers = "unlimited"

[service.fast]
workers = "unlimited"
on.ask.steps = [{ work = "10ms" }, { reply = "ok" }]

[service.slow]
workers = "unlimited"
on.ask.steps = [{ work = "50ms" }, { reply = "ok" }]

[service.broken]
workers = "unlimited"
on.ask.steps = [{ work = "20ms" }, { reply = "failed" }]

[database.orders]
commit = "1ms"
read = "1ms"
tables = { order = {}, note = {} }
"#;

const EXPERIMENT: &str = r#"
name = "shop"
model = "inline"
arrivals = "10.005s"
drain = "5s"
seeds = "1..2"
"#;

/// Ten seconds of a shop whose handler has these steps.
fn shop(steps: &str) -> RunResult {
    let model = format!("{SHOP}\n[service.api.on.order]\nsteps = [{steps}]\n");
    runs(EXPERIMENT, &model).remove(0)
}

fn latency_ms(run: &RunResult) -> f64 {
    run.metrics.latency.quantile(0.5).expect("some request").seconds() * 1000.0
}

#[test]
fn lists_that_run_at_once_take_as_long_as_the_longest() {
    let steps = r#"
{ parallel = [[{ call = "fast.ask" }], [{ call = "slow.ask" }, { work = "5ms" }]] }, { reply = "ok" }"#;
    let run = shop(steps);
    assert_eq!(run.metrics.ok, 1000);
    assert!((54.0..=56.0).contains(&latency_ms(&run)), "{}", latency_ms(&run));
}

#[test]
fn the_first_list_is_enough_if_one_is_needed_and_the_other_is_wasted() {
    let steps = r#"
{ parallel = [[{ call = "fast.ask" }], [{ call = "slow.ask" }]], need = 1 }, { reply = "ok" }"#;
    let run = shop(steps);
    assert_eq!(run.metrics.ok, 1000);
    assert!((9.0..=11.0).contains(&latency_ms(&run)), "{}", latency_ms(&run));
    assert_eq!(run.metrics.wasted, 50_000_000_000, "nobody waited for the slow ones");
}

#[test]
fn lists_of_which_too_many_fail_fail_together() {
    let lists = r#"parallel = [[{ call = "broken.ask" }], [{ call = "fast.ask" }]]"#;
    assert_eq!(shop(&format!("{{ {lists} }}, {{ reply = \"ok\" }}")).metrics.ok, 0);
    assert_eq!(shop(&format!("{{ {lists}, need = 1 }}, {{ reply = \"ok\" }}")).metrics.ok, 1000);
    let ignored = format!("{{ {lists}, ignore_failure = true }}, {{ reply = \"ok\" }}");
    assert_eq!(shop(&ignored).metrics.ok, 1000);
    let fallback =
        format!("{{ {lists}, fallback = [{{ work = \"9ms\" }}] }}, {{ reply = \"ok\" }}");
    let run = shop(&fallback);
    assert_eq!(run.metrics.ok, 1000);
    assert!((28.0..=30.0).contains(&latency_ms(&run)), "{}", latency_ms(&run));
}

#[test]
fn a_fallback_stands_in_for_a_call_that_failed_and_only_then() {
    let with = |node: &str| {
        format!(
            "{{ call = \"{node}.ask\", fallback = [{{ work = \"100ms\" }}] }}, {{ reply = \"ok\" }}"
        )
    };
    let failed = shop(&with("broken"));
    assert_eq!(failed.metrics.ok, 1000);
    assert!((119.0..=121.0).contains(&latency_ms(&failed)));
    assert!((9.0..=11.0).contains(&latency_ms(&shop(&with("fast")))));
    let refusal = r#"
{ call = "broken.ask", fallback = [{ reply = "rejected" }] }, { reply = "ok" }"#;
    assert_eq!(shop(refusal).metrics.ok, 0);
}

#[test]
fn a_handler_goes_the_way_of_what_it_read() {
    let way = |condition: &str, before: &str| {
        let steps = format!(
            r#"{before} {{ read = "orders.order" }},
            {{ when = {condition}, then = [{{ reply = "ok" }}], otherwise = [{{ reply = "failed" }}] }}"#
        );
        shop(&steps).metrics.ok
    };
    let paid = r#"{ transaction = "orders", write = ["order = paid"] },"#;
    assert_eq!(way("\"found\"", paid), 1000);
    assert_eq!(way("\"missing\"", paid), 0);
    assert_eq!(way("{ state = \"paid\" }", paid), 1000);
    assert_eq!(way("{ state = \"shipped\" }", paid), 0);
    assert_eq!(way("{ not_state = \"shipped\" }", paid), 1000);
    assert_eq!(way("\"found\"", ""), 0);
    assert_eq!(way("\"missing\"", ""), 1000);
    assert_eq!(way("{ state = \"paid\" }", ""), 0);
    assert_eq!(way("{ not_state = \"paid\" }", ""), 1000);
}

#[test]
fn chances_are_of_orders_keys_requests_or_attempts() {
    let model = |of: &str| {
        format!(
            r#"
[clients.users]
arrivals = {{ constant = "100/s" }}
keys = {{ uniform = 20 }}
flow = [
  {{ call = "api.order", policy = "retries", ignore_failure = true }},
  {{ call = "api.order", policy = "retries" }},
]
[service.api]
workers = "unlimited"
[service.api.on.order]
steps = [
  {{ when = {{ {of} = "50%" }}, then = [{{ reply = "failed" }}] }},
  {{ reply = "ok" }},
]
[policy.retries]
timeout = "1s"
retry = {{ attempts = 3 }}
"#
        )
    };
    let experiment = "name = \"chance\"\nmodel = \"inline\"\narrivals = \"20.005s\"\ndrain = \"1s\"\n\
                      seeds = \"1..2\"";
    let requests_ok = |of: &str| {
        let run = runs(experiment, &model(of)).remove(0);
        (run.metrics.ok as f64 / run.metrics.requests as f64, run.metrics.attempts)
    };
    // 4,000 requests of 2,000 orders. Six standard deviations: false alarm 2e-9 each.
    let (orders, attempts) = requests_ok("share_of_orders");
    assert!((orders - 0.5).abs() < 6.0 * 0.5 / 2000_f64.sqrt(), "{orders}");
    let failed = ((1.0 - orders) * 4000.0).round() as u64;
    assert_eq!(attempts, 4000 + 2 * failed, "an order that fails fails every time");
    let (requests, _) = requests_ok("share_of_requests");
    assert!((requests - 0.5).abs() < 6.0 * 0.5 / 4000_f64.sqrt(), "{requests}");
    let (independent, _) = requests_ok("share_of_attempts");
    assert!((independent - 0.875).abs() < 6.0 * 0.331 / 4000_f64.sqrt(), "{independent}");
    let (keys, _) = requests_ok("share_of_keys");
    assert!((0.05..0.95).contains(&keys), "some of the 20 keys: {keys}");
}

#[test]
fn a_poison_message_is_given_back_until_it_is_a_dead_letter() {
    let model = r#"
[clients.users]
arrivals = { constant = "100/s" }
flow = [{ call = "api.order" }]
[service.api]
workers = "unlimited"
on.order.steps = [{ publish = "mail" }, { reply = "ok" }]
[queue.mail]
visibility = "60s"
max_receives = 3
redelivery = "100ms"
[service.mailer]
workers = 10
takes = "mail"
steps = [
  { when = { share_of_orders = "5%" }, then = [{ nack = true }] },
  { ack = true },
]
"#;
    let experiment = "name = \"poison\"\nmodel = \"inline\"\narrivals = \"20.005s\"\ndrain = \"5s\"\n\
                      seeds = \"1..2\"";
    let run = runs(experiment, model).remove(0);
    // 2,000 messages, 100 +- 10 of them poison. Six standard deviations: false alarm 2e-9.
    assert!((40..=160).contains(&run.metrics.dead_letters), "{}", run.metrics.dead_letters);
    assert_eq!(run.metrics.unprocessed, 0);
}

/// Users of 20 keys. The first handler asks the second one about some keys, and the second one
/// answers `ok` about some: how many ask, and how many are told `ok`.
fn asked_twice(first: &str, second: &str) -> (u64, u64) {
    let model = format!(
        r#"
[clients.users]
arrivals = {{ constant = "100/s" }}
keys = {{ uniform = 20 }}
flow = [{{ call = "api.order" }}]
[service.api]
workers = "unlimited"
[service.api.on.order]
steps = [{{ {first}, then = [{{ call = "near.ask" }}] }}, {{ reply = "ok" }}]
[service.near]
workers = "unlimited"
[service.near.on.ask]
steps = [{{ {second}, then = [{{ reply = "ok" }}], otherwise = [{{ reply = "failed" }}] }}]
"#
    );
    let metrics = &runs(EXPERIMENT, &model)[0].metrics;
    (metrics.requests, metrics.ok)
}

#[test]
fn a_share_of_keys_means_the_same_keys_everywhere_and_a_part_of_a_larger_share() {
    let share = |percent: u32| format!("when = {{ share_of_keys = \"{percent}%\" }}");
    let named = |percent, name: &str| format!("{}, division = \"{name}\"", share(percent));
    for (first, second) in [(50, 50), (20, 50), (40, 41)] {
        let (asked, ok) = asked_twice(&share(first), &share(second));
        assert_eq!(asked, ok, "{first}% is a part of {second}%");
        let (asked, ok) = asked_twice(&named(first, "home"), &named(second, "home"));
        assert_eq!(asked, ok, "{first}% is a part of {second}% of the same division");
    }
    for (first, second) in [(share(80), share(20)), (named(50, "home"), named(50, "gold"))] {
        let (asked, ok) = asked_twice(&first, &second);
        assert!(ok < asked && ok > 0, "{first}, {second}: {ok} of {asked}");
    }
}

/// A user whose fallback serves it has asked once and was served once, from the first attempt on.
#[test]
fn a_fallback_of_a_user_is_a_part_of_its_request() {
    let flow = |fallback: &str| {
        let flow = format!(
            "flow = [{{ call = \"broken.ask\", fallback = [{fallback}] }}, {{ call = \"fast.ask\" }}]"
        );
        let model = SHOP.changed("flow = [{ call = \"api.order\" }]", &flow);
        let run = runs(
            EXPERIMENT,
            &format!("{model}\n[service.api.on.order]\nsteps = [{{ reply = \"ok\" }}]\n"),
        );
        let metrics = run[0].metrics.clone();
        assert_eq!(metrics.requests, metrics.ok + metrics.failed.total());
        (metrics.requests, metrics.ok, metrics.user_attempts)
    };
    let served = flow("{ call = \"fast.ask\" }");
    assert_eq!(served, (2000, 2000, 3000), "two requests of each user, one of them by two calls");
    let twice = flow("{ call = \"broken.ask\", fallback = [{ call = \"fast.ask\" }] }");
    assert_eq!(twice, (2000, 2000, 4000), "a fallback of the fallback is a part of it too");
    let half = flow("{ call = \"fast.ask\" }, { call = \"broken.ask\", ignore_failure = true }");
    assert_eq!(half, (2000, 1000, 4000), "every call of the fallback must be answered well");
    let unserved = flow("{ call = \"broken.ask\" }");
    assert_eq!(unserved, (1000, 0, 2000), "the user leaves");
    let idle = flow("{ think = \"1ms\" }");
    assert_eq!(idle, (2000, 1000, 2000), "nobody serves who only waits");
    let at_once = flow("{ parallel = [[{ call = \"fast.ask\" }], [{ call = \"slow.ask\" }]] }");
    assert_eq!(at_once, (2000, 2000, 4000));
}

#[test]
fn one_list_may_be_done_once_where_it_says_how_often() {
    let once = shop(r#"{ parallel = [[{ call = "fast.ask" }]], copies = 1 }, { reply = "ok" }"#);
    assert_eq!(once.metrics.ok, 1000);
    assert!((9.0..=11.0).contains(&latency_ms(&once)), "{}", latency_ms(&once));
}
