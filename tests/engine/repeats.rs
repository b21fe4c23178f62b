//! Lists of steps that are done again: compare-and-set, polls, users who click again or come back.

use stormglass::capacity::capacity;

use crate::common::{Changed, campaign, run_all, runs};
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

[service.broken]
workers = "unlimited"
on.ask.steps = [{ work = "20ms" }, { reply = "failed" }]

[service.wrong]
workers = "unlimited"
on.ask.steps = [{ work = "20ms" }, { reply = 404 }]
"#;

/// Ten seconds of a shop whose handler has these steps, and then its answer.
fn shop(steps: &str) -> RunResult {
    shop_with("", steps)
}

fn shop_with(service: &str, steps: &str) -> RunResult {
    let model = SHOP.changed("[service.api]", &format!("[service.api]\n{service}"));
    let model =
        format!("{model}\n[service.api.on.order]\nsteps = [{steps}, {{ reply = \"ok\" }}]\n");
    let experiment = "name = \"shop\"\nmodel = \"inline\"\narrivals = \"10.005s\"\ndrain = \"9s\"\n\
                      seeds = \"1..2\"\nmeasure = { warm_up = \"0s\" }\n";
    runs(experiment, &model).remove(0)
}

/// How many users were served, and how long that took on average.
fn served(run: &RunResult) -> (u64, f64) {
    let metrics = &run.metrics;
    (metrics.ok, metrics.latency_total as f64 / 1e6 / metrics.ok as f64)
}

#[test]
fn a_list_is_done_again_until_no_step_of_it_fails() {
    let fails = |more: &str| {
        format!("{{ repeat = [{{ call = \"broken.ask\" }}, {{ work = \"1s\" }}]{more} }}")
    };
    assert_eq!(shop(&fails(", times = 3")).metrics.ok, 0, "the step fails with its last round");
    let ignored = shop(&fails(", times = 3, between = \"10ms\", ignore_failure = true"));
    assert_eq!(served(&ignored), (1000, 80.0), "three rounds, two waits, no second step");
    let fallback = shop(&fails(", times = 2, fallback = [{ work = \"5ms\" }]"));
    assert_eq!(served(&fallback), (1000, 45.0));
    let once = shop("{ repeat = [{ call = \"fast.ask\" }], times = 3, between = \"1s\" }");
    assert_eq!(served(&once), (1000, 10.0), "the first round succeeds");
    let inner = "{ repeat = [{ call = \"broken.ask\" }], times = 2 }";
    let nested = shop(&format!("{{ repeat = [{inner}], times = 3, ignore_failure = true }}"));
    assert_eq!(served(&nested), (1000, 120.0));
    let lists = "{ parallel = [[{ call = \"broken.ask\" }], [{ call = \"fast.ask\" }]] }";
    let at_once = shop(&format!("{{ repeat = [{lists}], times = 3, ignore_failure = true }}"));
    assert_eq!(served(&at_once), (1000, 60.0), "a list beside others ends for itself");
}

#[test]
fn it_goes_on_only_after_the_failures_that_are_named() {
    let tried = |node: &str, on: &str| {
        let list = format!("repeat = [{{ call = \"{node}.ask\" }}]");
        served(&shop(&format!("{{ {list}, times = 3{on}, ignore_failure = true }}"))).1
    };
    assert_eq!(tried("broken", ""), 60.0);
    assert_eq!(tried("broken", ", on = [\"conflict\"]"), 20.0);
    assert_eq!(tried("broken", ", on = [\"conflict\", 500]"), 60.0);
    assert_eq!(tried("wrong", ""), 20.0, "what is wrong stays wrong");
    assert_eq!(tried("wrong", ", on = [404]"), 60.0);
    let answer = |list: &str| {
        let run = shop(&format!(
            "{{ repeat = [{list}], times = 2, fallback = [{{ when = {{ outcome = [\"invalid\"] }}, \
             then = [{{ reply = 404 }}], otherwise = [{{ reply = 503 }}] }}] }}"
        ));
        run.metrics.failed.iter().map(|(outcome, _)| outcome.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(answer("{ call = \"wrong.ask\" }"), ["404"], "the last failure is heard");
    assert_eq!(answer("{ call = \"broken.ask\" }"), ["rejected"]);
}

#[test]
fn each_round_has_draws_of_its_own_and_what_follows_has_the_same() {
    let lucky = r#"{ repeat = [{ when = { share_of_attempts = "50%" },
        then = [{ call = "fast.ask" }], otherwise = [{ call = "broken.ask" }] }], times = 3 }"#;
    let ok = shop(lucky).metrics.ok as f64 / 1000.0;
    // Six standard deviations of the mean of 1,000: false alarm 2e-9.
    assert!((ok - 0.875).abs() < 6.0 * 0.331 / 1000_f64.sqrt(), "{ok}");
    let rounds = |times: u32| {
        let list = "repeat = [{ work = \"uniform 1ns..2ns\" }, { call = \"broken.ask\" }]";
        shop(&format!(
            "{{ {list}, times = {times}, ignore_failure = true }}, {{ work = \"exp 50ms\" }}"
        ))
        .metrics
        .latency_total
    };
    let longer = rounds(5) - rounds(1);
    assert!((80_000_000_000..80_000_010_000).contains(&longer), "four rounds more: {longer}");
}

#[test]
fn who_does_not_persist_leaves() {
    let rounds = shop(
        r#"{ repeat = [{ call = "broken.ask" }], times = 4, persistence = "60%",
             ignore_failure = true }"#,
    );
    // A geometric number of rounds, cut off at four: 2.176 of 20 ms each. The variance of one is
    // 1.4; six standard deviations of the mean of 1,000.
    let (_, mean) = served(&rounds);
    assert!((mean / 20.0 - 2.176).abs() < 6.0 * (1.4_f64 / 1000.0).sqrt(), "{mean}");
    let list = "repeat = [{ call = \"broken.ask\" }], times = 9, ignore_failure = true";
    let patient = shop(&format!("{{ {list}, between = \"10ms\", patience = \"60ms\" }}"));
    assert_eq!(served(&patient), (1000, 80.0), "rounds at 0, 30 and 60 ms");
}

#[test]
fn no_round_begins_when_the_caller_leaves_no_time() {
    let steps = "{ repeat = [{ call = \"broken.ask\" }], times = 99, between = \"10ms\" }";
    let model = |service: &str| {
        let model = SHOP.changed("call = \"api.order\"", "call = \"api.order\", policy = \"user\"");
        let model = model.changed("[service.api]", &format!("[service.api]\n{service}"));
        format!(
            "{model}\n[service.api.on.order]\nsteps = [{steps}, {{ reply = \"ok\" }}]\n\
             [policy.user]\ntimeout = \"50ms\"\n"
        )
    };
    let experiment = "name = \"shop\"\nmodel = \"inline\"\narrivals = \"10.005s\"\ndrain = \"9s\"\n\
                      seeds = \"1..2\"\nmeasure = { warm_up = \"0s\", load = \"broken.ask\" }\n";
    let attempts = |service| runs(experiment, &model(service))[0].metrics.attempts;
    assert_eq!(attempts(""), 99_000, "work goes on whoever waits");
    assert_eq!(attempts("propagate_deadline = {}"), 2000, "the third would begin at 60 ms");
}

/// Users change one row about every 50 ms: read it, work for 15 ms, write it if it is unchanged.
const HOT_ROW: &str = r#"
[clients.users]
arrivals = { poisson = "20/s" }
flow = [{ call = "api.change" }]

[service.api]
workers = "unlimited"
on.change.steps = [
  { repeat = [
    { read = "db.seat" },
    { work = "15ms" },
    { transaction = "db", write = ["seat = taken"], if_unchanged = true },
  ], times = 20, on = ["conflict"], between = "exp 20ms" },
  { reply = "ok" },
]

[database.db]
commit = "0s"
read = "0s"
tables = { seat = { rows = "key" } }
"#;

#[test]
fn a_compare_and_set_that_is_repeated_loses_no_update_and_gives_up_on_none() {
    let run = |model: &str| {
        let experiment = "name = \"cas\"\nmodel = \"inline\"\narrivals = \"60s\"\ndrain = \"9s\"\n\
                          seeds = \"1..2\"\n";
        runs(experiment, model).remove(0).metrics
    };
    let once = run(&HOT_ROW.changed("times = 20", "times = 1"));
    assert!(once.conflicts > 200 && once.ok + once.conflicts == once.requests, "{once:?}");
    let again = run(HOT_ROW);
    assert_eq!((again.ok, again.updates_lost), (again.requests, 0));
    assert!(again.conflicts > once.conflicts, "each of them was tried again");
    let blind = run(&HOT_ROW.changed(", if_unchanged = true", ""));
    assert!(blind.updates_lost > 200 && blind.conflicts == 0, "{}", blind.updates_lost);
}

/// A user buys a ticket, which is printed five seconds later, and asks for it every two seconds.
const TICKETS: &str = r#"
[clients.fans]
arrivals = { constant = "10/s" }
flow = [
  { call = "shop.buy" },
  { repeat = [{ call = "shop.state", policy = "browser" }], until = { state = "ticketed" }, times = 30, between = "2s" },
]

[service.shop]
workers = "unlimited"
on.buy.steps = [
  { transaction = "orders", write = ["order = accepted"] },
  { publish = "tickets" },
  { reply = "ok" },
]
on.state.steps = [{ read = "orders.order" }, { reply = "ok" }]

[database.orders]
commit = "1ms"
read = "1ms"
tables = { order = {} }

[queue.tickets]
visibility = "60s"

[service.printer]
workers = "unlimited"
takes = "tickets"
steps = [{ work = "5s" }, { transaction = "orders", write = ["order = ticketed"] }, { ack = true }]

[policy.browser]
timeout = "1s"
"#;

const SALE: &str = r#"
name = "sale"
model = "inline"
arrivals = "10.05s"
drain = "90s"
seeds = "1..2"
measure = { warm_up = "0s" }
[milestone.ticketed]
of = "shop.buy"
when = "orders.order = ticketed"
within = "30s"
[invariants]
honest_answer = { answer = "shop.buy", done = "orders.order = ticketed", within = "10s" }
retries_bounded = { operation = "shop.buy", attempts = 1 }
"#;

#[test]
fn a_user_polls_until_it_is_done_or_has_no_patience_left() {
    let run = |model: &str| runs(SALE, model).remove(0).metrics;
    let polls = |model: &str| {
        let metrics = run(model);
        assert_eq!(metrics.milestones[0].reached, 100, "whoever still asks");
        metrics.requests - 100
    };
    assert_eq!(polls(TICKETS), 400, "at 0, 2, 4 and 6 s");
    assert_eq!(polls(&TICKETS.changed("times = 30", "times = 2")), 200);
    let patience = TICKETS.changed("times = 30", "times = 30, patience = \"4s\"");
    assert_eq!(polls(&patience), 200, "the third would begin 4 s and the times of two polls on");
    // Polls that get no answer are rounds that have failed, and are made again.
    let silent = TICKETS.changed("on.state.steps = [", "on.state.steps = [{ work = \"3s\" }, ");
    assert_eq!(polls(&silent), 3000, "one second each and two between them, thirty times");
}

#[test]
fn polls_are_requests_of_their_own_and_no_retries_of_what_they_ask_about() {
    let buying = SALE.changed("warm_up = \"0s\"", "warm_up = \"0s\", operation = \"shop.buy\"");
    let run = runs(&buying, TICKETS).remove(0);
    let metrics = &run.metrics;
    assert_eq!((metrics.measured, metrics.measured_ok, metrics.attempts), (100, 100, 100));
    assert!(run.invariants.iter().all(|promise| promise.violations == 0), "{:?}", run.invariants);
    let honest = |run: &RunResult| run.invariants.last().map(|it| (it.exposure, it.violations));
    assert_eq!(honest(&run), Some((100, 0)), "what polls are told is not what buyers are told");
    let polling = SALE.changed("warm_up = \"0s\"", "warm_up = \"0s\", operation = \"shop.state\"");
    let metrics = &runs(&polling, TICKETS)[0].metrics;
    assert_eq!((metrics.measured, metrics.attempts), (400, 400), "each is asked once");
}

/// A user pays for something that takes eight seconds; what comes back is always an error.
const IMPATIENT: &str = r#"
[clients.fans]
arrivals = { constant = "1/s" }
flow = [FLOW]

[service.shop]
workers = "unlimited"
on.buy.steps = [
  { call = "bank.charge", idempotency_key = "KEY" },
  { reply = "ANSWER" },
]

[provider.bank]
concurrency = "unlimited"
latency = "8s"
concurrent_key = "wait"

[policy.second_click]
hedge = { delay = "5s" }

[policy.reload]
timeout = "5s"
"#;

/// Requests, attempts of users, and charges of ten users.
fn clicks(flow: &str, key: &str, answer: &str) -> (u64, u64, u64) {
    let model = IMPATIENT.changed("FLOW", flow).changed("KEY", key).changed("ANSWER", answer);
    let experiment = "name = \"clicks\"\nmodel = \"inline\"\narrivals = \"10.5s\"\ndrain = \"999s\"\n\
                      seeds = \"1..2\"\nmeasure = { warm_up = \"0s\" }\n";
    let metrics = runs(experiment, &model).remove(0).metrics;
    (metrics.requests, metrics.user_attempts, metrics.effects)
}

#[test]
fn a_user_clicks_again_while_the_first_click_is_in_flight() {
    let second_click = "{ call = \"shop.buy\", policy = \"second_click\" }";
    assert_eq!(clicks(second_click, "order", "ok"), (10, 20, 10), "one request, one key");
    assert_eq!(clicks(second_click, "request", "ok"), (10, 20, 10));
    assert_eq!(clicks(second_click, "attempt", "ok"), (10, 20, 20), "each click pays");
    let reload = "{ repeat = [{ call = \"shop.buy\", policy = \"reload\" }], times = 2 }";
    assert_eq!(clicks(reload, "order", "ok"), (20, 20, 10));
    assert_eq!(clicks(reload, "request", "ok"), (20, 20, 20), "each page has a key of its own");
}

#[test]
fn a_user_comes_back_after_an_error() {
    let comes_back = "{ repeat = [{ call = \"shop.buy\" }], times = 3, between = \"exp 30s\" }";
    assert_eq!(clicks(comes_back, "order", "failed"), (30, 30, 10));
    assert_eq!(clicks(comes_back, "request", "failed"), (30, 30, 30));
    assert_eq!(clicks(comes_back, "request", "ok"), (10, 10, 10));
    assert_eq!(clicks(comes_back, "order", "invalid"), (10, 10, 10), "what is wrong stays wrong");
}

#[test]
fn a_fallback_inside_a_round_of_a_user_is_a_part_of_its_request() {
    let flow = |fallback: &str| {
        let call = format!("{{ call = \"broken.ask\", fallback = [{fallback}] }}");
        let model = SHOP.changed(
            "flow = [{ call = \"api.order\" }]",
            &format!("flow = [{{ repeat = [{call}, {{ call = \"fast.ask\" }}], times = 2 }}]"),
        );
        let model = model.changed("[service.api]\nworkers = \"unlimited\"", "");
        let experiment = "name = \"shop\"\nmodel = \"inline\"\narrivals = \"10.005s\"\n\
                          drain = \"9s\"\nseeds = \"1..2\"\n";
        let metrics = runs(experiment, &model).remove(0).metrics;
        assert_eq!(metrics.requests, metrics.ok + metrics.failed.total());
        (metrics.requests, metrics.ok, metrics.user_attempts)
    };
    assert_eq!(flow("{ call = \"fast.ask\" }"), (2000, 2000, 3000));
    assert_eq!(flow("{ call = \"broken.ask\" }"), (2000, 0, 4000), "each round is a request");
}

#[test]
fn a_plan_counts_the_rounds() {
    let model = format!(
        "{SHOP}\n[service.api.on.order]\nsteps = [{{ repeat = [{{ when = {{ share_of_attempts = \
         \"50%\" }}, then = [{{ call = \"fast.ask\" }}], otherwise = [{{ call = \"broken.ask\" }}] \
         }}], times = 3, between = \"1ms\" }}, {{ reply = \"ok\" }}]\n"
    );
    let experiment = "name = \"shop\"\nmodel = \"inline\"\narrivals = \"10s\"\nseeds = \"1..2\"\n\
                      measure = { warm_up = \"0s\", load = \"broken.ask\" }\n";
    let campaign = campaign(experiment, &model);
    let cell = &campaign.cells[0];
    let planned = capacity(&cell.program, &cell.plan, cell.measure.arrivals_end);
    let offered = |name: &str| {
        planned.phases[0].nodes.iter().find(|load| load.node == name).expect(name).offered_per_s
    };
    // A half, a quarter and an eighth of 100 a second, and as many that succeed.
    assert!((offered("broken") - 87.5).abs() < 1e-6, "{}", offered("broken"));
    assert!((offered("fast") - 87.5).abs() < 1e-6, "{}", offered("fast"));
    let run = run_all(&campaign).remove(0);
    let found = run.metrics.attempts as f64 / run.metrics.measured as f64;
    assert!((found - 0.875).abs() < 6.0 * 1.1 / 1000_f64.sqrt(), "{found}");
}
