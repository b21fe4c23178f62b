//! What is true of every run, sentence by sentence: docs/model.md, "What is true of every run".
//!
//! What is true of crashes and pauses is in `tests/engine/crashes`:
//! `a_crash_loses_memory_and_keeps_what_is_durable`, `a_pause_keeps_everything_and_answers_late`,
//! `a_relay_that_dies_between_two_steps_leaves_exactly_what_those_steps_had_made_durable`.

use crate::common::runs;
use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::run::result::RunResult;
use stormglass::kernel::time::Time;
use stormglass::system::fact::Fact;
use stormglass::system::{Observer, World};

/// Runs a model for `arrivals`, and time for what is going on to end.
fn run(model: &str, arrivals: &str) -> RunResult {
    runs(&experiment(arrivals), model).remove(0)
}

fn experiment(arrivals: &str) -> String {
    format!(
        "name = \"sentence\"\nmodel = \"inline\"\narrivals = \"{arrivals}\"\ndrain = \"30s\"\n\
         seeds = \"1..2\"\n"
    )
}

/// Ten users, one a second, and a payment that takes `latency` while they wait for `timeout`.
fn payment(latency: &str, timeout: &str, more: &str) -> RunResult {
    let model = format!(
        r#"
[clients.users]
arrivals = {{ constant = "1/s" }}
flow = [{{ call = "payment.charge", policy = "hasty" }}]

[provider.payment]
concurrency = 10
latency = "{latency}"

[policy.hasty]
timeout = "{timeout}"
{more}
"#
    );
    run(&model, "10500ms")
}

#[test]
fn a_timed_out_attempt_is_not_cancelled_its_work_goes_on_its_reply_is_stale_its_effect_stands() {
    let metrics = payment("1s", "100ms", "").metrics;
    assert_eq!((metrics.requests, metrics.ok), (10, 0));
    assert_eq!(metrics.effects, 10, "every charge happened");
    assert_eq!(metrics.worked, 10_000_000_000, "all of the work was done");
    assert_eq!(metrics.edges[0].stale, 10, "the answers came too late");
}

#[test]
fn a_reply_to_an_abandoned_attempt_never_counts() {
    // Each reply comes 50 ms after its attempt was given up, while the next one is running.
    let metrics = payment("150ms", "100ms", "retry = { attempts = 3 }").metrics;
    assert_eq!((metrics.requests, metrics.ok, metrics.attempts), (10, 0, 30));
    assert_eq!((metrics.effects, metrics.edges[0].stale), (30, 30));
}

/// A thousand payments over a network that loses messages.
fn lossy(requests: &str, replies: &str) -> RunResult {
    let model = format!(
        r#"
[clients.users]
arrivals = {{ constant = "100/s" }}
flow = [{{ call = "payment.charge", policy = "once" }}]

[provider.payment]
concurrency = "unlimited"
latency = "1ms"

[link.default]
latency = "1ms"
request_loss = "{requests}"
reply_loss = "{replies}"

[policy.once]
timeout = "10ms"
"#
    );
    run(&model, "100s")
}

#[test]
fn a_lost_reply_leaves_the_effect_and_the_caller_sees_a_timeout() {
    let metrics = lossy("0%", "5%").metrics;
    assert_eq!(metrics.effects, metrics.requests, "what was answered in vain was done");
    assert_eq!(metrics.requests - metrics.ok, metrics.lost[1], "and nobody knows");
    let timed_out = stormglass::policy::OutcomeKind::TimedOut;
    assert_eq!(metrics.failed.of_kind(timed_out), metrics.lost[1]);
}

#[test]
fn a_lost_request_leaves_nothing_and_the_caller_sees_the_same() {
    let metrics = lossy("5%", "0%").metrics;
    assert_eq!(metrics.effects, metrics.requests - metrics.lost[0], "what was lost never happened");
    let timed_out = stormglass::policy::OutcomeKind::TimedOut;
    assert_eq!(metrics.failed.of_kind(timed_out), metrics.lost[0]);
}

#[test]
fn loss_of_requests_and_loss_of_replies_are_two_counters() {
    // 10,000 messages each way. Six standard deviations of 500 +- 22: false alarm 2e-9.
    let (requests, replies) = (lossy("5%", "0%").metrics.lost, lossy("0%", "5%").metrics.lost);
    assert!(requests[0].abs_diff(500) < 132 && requests[1] == 0, "{requests:?}");
    assert!(replies[1].abs_diff(500) < 132 && replies[0] == 0, "{replies:?}");
}

#[test]
fn retry_state_is_of_a_process_and_a_target_and_never_of_a_request() {
    let retries = |processes: u32, targets: &str| {
        let model = format!(
            r#"
[clients.users]
processes = {processes}
arrivals = {{ constant = "100/s" }}
flow = [{targets}]

[service.one]
workers = "unlimited"
on.fail.steps = [{{ reply = "failed" }}]

[service.two]
workers = "unlimited"
on.fail.steps = [{{ reply = "failed" }}]

[policy.two_retries]
retry = {{ attempts = 4, budget = {{ ratio = 0, capacity = 2 }} }}
"#
        );
        let metrics = run(&model, "10s").metrics;
        metrics.user_attempts - metrics.requests
    };
    let call = |node: &str| {
        format!("{{ call = \"{node}.fail\", policy = \"two_retries\", ignore_failure = true }}")
    };
    assert_eq!(retries(1, &call("one")), 2, "two retries for a thousand requests");
    assert_eq!(retries(3, &call("one")), 6, "two for each process");
    assert_eq!(retries(1, &format!("{}, {}", call("one"), call("two"))), 4, "and each target");
}

/// When each attempt of each order was made.
#[derive(Default)]
struct Attempts(Vec<(Time, u32)>);

impl Observer for Attempts {
    fn observe(&mut self, now: Time, fact: &Fact) {
        if let Fact::Attempted { attempt, .. } = fact {
            self.0.push((now, *attempt));
        }
    }
}

/// The attempts of the first run of an experiment.
fn attempts(campaign: &Campaign) -> Vec<(Time, u32)> {
    let cell = &campaign.cells[0];
    let end = cell.measure.arrivals_end;
    let mut observer = Attempts::default();
    World::new(&cell.program, &cell.plan.controls, 1, end, cell.limits, &mut observer).run();
    observer.0
}

#[test]
fn jitter_differs_between_requests_and_between_clients() {
    let delays = |processes: u32| {
        // All fail at once, so that a retry's time is its delay. One request in ten seconds: the
        // first retry of each comes before the next.
        let model = format!(
            r#"
[clients.users]
processes = {processes}
arrivals = {{ constant = "1/s" }}
flow = [{{ call = "api.fail", policy = "jittered" }}]

[service.api]
workers = "unlimited"
on.fail.steps = [{{ reply = "failed" }}]

[policy.jittered]
retry = {{ attempts = 2, backoff = "exponential 999ms", jitter = "full" }}
"#
        );
        let attempts = attempts(&crate::common::campaign(&experiment("2000s"), &model));
        let pairs = attempts.chunks_exact(2);
        pairs.map(|pair| pair[1].0.since(pair[0].0).seconds() / 0.999).collect::<Vec<f64>>()
    };
    for processes in [1, 2000] {
        let delays = delays(processes);
        let count = delays.len() as f64;
        assert!(count > 1990.0);
        let mean = delays.iter().sum::<f64>() / count;
        let deviation = |delay: f64| delay - mean;
        let variance =
            delays.iter().map(|&delay| deviation(delay) * deviation(delay)).sum::<f64>() / count;
        // Uniform on [0, 1]: mean 1/2, variance 1/12. Six standard errors, false alarm 2e-9 each.
        assert!((mean - 0.5).abs() < 6.0 * (1.0_f64 / 12.0 / count).sqrt(), "{mean}");
        assert!((variance - 1.0 / 12.0).abs() < 6.0 * (1.0_f64 / 180.0 / count).sqrt());
        let neighbours = delays.windows(2).map(|pair| deviation(pair[0]) * deviation(pair[1]));
        let correlation = neighbours.sum::<f64>() / count / variance;
        assert!(correlation.abs() < 6.0 / count.sqrt(), "{correlation}");
    }
}

#[test]
fn queue_time_counts_against_the_timeout() {
    // Two at once, one worker, 100 ms each: the second is done after 200 ms.
    let model = |timeout: &str| {
        format!(
            r#"
[clients.users]
arrivals = {{ constant = "1/s" }}
flow = [{{ parallel = [
  [{{ call = "api.ask", policy = "hasty", ignore_failure = true }}],
  [{{ call = "api.ask", policy = "hasty", ignore_failure = true }}],
] }}]

[service.api]
workers = 1
on.ask.steps = [{{ work = "100ms" }}, {{ reply = "ok" }}]

[policy.hasty]
timeout = "{timeout}"
"#
        )
    };
    let patient = run(&model("250ms"), "10500ms").metrics;
    assert_eq!((patient.requests, patient.ok), (20, 20));
    let hasty = run(&model("150ms"), "10500ms").metrics;
    assert_eq!((hasty.requests, hasty.ok), (20, 10), "its work took 100 ms, its wait the rest");
}

#[test]
fn work_whose_caller_gave_up_is_wasted_work_and_is_counted() {
    let awaited = payment("1s", "2s", "").metrics;
    assert_eq!((awaited.worked, awaited.wasted), (10_000_000_000, 0));
    let abandoned = payment("1s", "100ms", "").metrics;
    assert_eq!((abandoned.worked, abandoned.wasted), (10_000_000_000, 10_000_000_000));
}

#[test]
fn a_provider_that_answers_an_error_may_have_charged() {
    let failing = |errors: &str| {
        let model = format!(
            r#"
[clients.users]
arrivals = {{ constant = "1/s" }}
flow = [{{ call = "payment.charge" }}]

[provider.payment]
concurrency = 10
latency = "10ms"
{errors} = 1.0
"#
        );
        let metrics = run(&model, "10500ms").metrics;
        (metrics.ok, metrics.effects)
    };
    assert_eq!(failing("errors_before"), (0, 0));
    assert_eq!(failing("errors_after"), (0, 10), "every answer is an error, every charge stands");
}

#[test]
fn an_idempotency_key_expires() {
    let charged_twice = |pause: &str| {
        let charge = "{ call = \"payment.charge\", idempotency_key = \"order\" }";
        let model = format!(
            r#"
[clients.users]
arrivals = {{ constant = "1/s" }}
flow = [{charge}, {{ think = "{pause}" }}, {charge}]

[provider.payment]
concurrency = 10
latency = "10ms"
keys_expire = "5s"
"#
        );
        let watched = experiment("10500ms") + "invariants.one_charge = { effect = \"charge\" }";
        runs(&watched, &model)[0].invariants[0].violations
    };
    assert_eq!(charged_twice("4s"), 0);
    assert_eq!(charged_twice("6s"), 10);
}

/// A hundred orders whose mails are published, delivered, given back by some and acknowledged, over
/// one link with these properties.
fn mails(link: &str, properties: &str) -> RunResult {
    let model = format!(
        r#"
[clients.users]
arrivals = {{ constant = "10/s" }}
flow = [{{ call = "api.order" }}]

[service.api]
workers = "unlimited"
on.order.steps = [{{ publish = "mails" }}, {{ reply = "ok" }}]

[queue.mails]
visibility = "5s"
redelivery = "1s"

[service.mailer]
workers = 100
takes = "mails"
steps = [
  {{ when = {{ share_of_attempts = "50%" }}, then = [{{ nack = true }}] }},
  {{ ack = true }},
]

[link.default]
latency = "1ms"

[link."{link}"]
{properties}
"#
    );
    run(&model, "10s")
}

#[test]
fn duplicates_and_reordering_happen_to_messages_acknowledgements_and_redeliveries_alike() {
    let links = ["api -> mails", "mails -> mailer", "mailer -> mails"];
    let plain = mails(links[0], "");
    assert_eq!(plain.metrics.duplicated, [0, 0]);
    let sent = |link: &str| {
        let all = mails(link, "duplication = 1.0");
        assert_eq!(
            all.metrics.unprocessed, 0,
            "{link}: what comes twice is done with all the same"
        );
        all.metrics.duplicated
    };
    // Published once each; delivered at least as often; acknowledged or given back each time.
    let (published, delivered, answered) = (sent(links[0]), sent(links[1]), sent(links[2]));
    assert_eq!(published, [99, 198], "a request that comes twice is answered twice");
    assert!(delivered[0] > 110, "redeliveries are duplicated too: {delivered:?}");
    assert!(answered[0] > 150, "acknowledgements and what is given back: {answered:?}");
    for link in links {
        let late = mails(link, "reordering = { share = 1.0, by = \"uniform 0ms..2s\" }");
        assert_ne!(late.digest, plain.digest, "{link}");
        assert_eq!(late.metrics.unprocessed, 0, "{link}");
    }
}

#[test]
fn load_is_open_loop_unless_the_model_says_closed_loop_and_a_closed_loop_hides_overload() {
    let requests = |arrivals: &str, work: &str| {
        let model = format!(
            r#"
[clients.users]
arrivals = {arrivals}
flow = [{{ call = "api.ask" }}]

[service.api]
workers = 1
on.ask.steps = [{{ work = "{work}" }}, {{ reply = "ok" }}]
"#
        );
        run(&model, "10s").metrics.requests
    };
    let (open, closed) =
        ("{ constant = \"50/s\" }", "{ closed = { users = 5, think = \"100ms\" } }");
    // The server becomes ten times slower than the load that it is asked.
    assert_eq!(requests(open, "1ms"), 499);
    assert_eq!(requests(open, "200ms"), 499, "users come whatever they meet");
    assert!(requests(closed, "1ms") > 450);
    assert!(requests(closed, "200ms") < 60, "users who wait do not ask: the load fits the server");
}
