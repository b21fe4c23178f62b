//! Instances that are down or stand still.

use stormglass::experiment::run::result::RunVerdict;
use stormglass::kernel::draw::Purpose;
use stormglass::policy::{Outcome, OutcomeKind};
use stormglass::system::fact::Fact;

use crate::common::{Changed, runs};
use crate::crashes::{PROMISES, answers, experiment, facts, fault, ms, run};

/// One user a second, who waits up to ten seconds; work takes 300 ms, each way 10 ms.
const ONE: &str = r#"
[clients.users]
arrivals = { constant = "1/s" }
patience = "10s"
flow = [{ call = "api.get" }]

[service.api]
workers = 10
on.get.steps = [{ work = "300ms" }, { reply = "ok" }]

[link.default]
latency = "10ms"
"#;

#[test]
fn the_host_of_a_dead_node_breaks_its_connections_and_refuses_new_ones_at_once() {
    // Users come at 1s, 2s, ...; the third one is at work, the fourth and fifth find nobody.
    let crash = "kind = \"crash\"\ntarget = \"api\"\nat = \"3.1s\"\nfor = \"2.5s\"";
    let (_, told) = facts(ONE, 8, &fault(crash));
    let answers = answers(&told);
    let of = |order| *answers.iter().find(|answer| answer.0 == order).unwrap();
    assert_eq!((of(0).1, ms(of(0).2)), (Outcome::Ok, 320));
    assert_eq!((of(2).1, ms(of(2).2)), (Outcome::Reset, 110), "the news travels for 10 ms");
    for order in [3, 4] {
        assert_eq!(
            (of(order).1, ms(of(order).2)),
            (Outcome::NotConnected, 20),
            "one link, there and back"
        );
    }
    assert_eq!((of(5).1, ms(of(5).2)), (Outcome::Ok, 320), "it is up again");
    // The work that was done for the third user is lost, and only that much was done.
    let lost = told.iter().find_map(|&(_, fact)| match fact {
        Fact::Worked(work) if !work.awaited => Some(ms(work.span)),
        _ => None,
    });
    assert_eq!(lost, Some(90));
}

/// The third user's request is on its way when the instance dies: there was a connection.
#[test]
fn a_request_on_its_way_to_an_instance_that_dies_is_reset() {
    let crash = "kind = \"crash\"\ntarget = \"api\"\nat = \"3.005s\"\nfor = \"2.5s\"";
    let (_, told) = facts(ONE, 8, &fault(crash));
    let answers = answers(&told);
    let of = |order| answers.iter().find(|answer| answer.0 == order).map(|answer| answer.1);
    assert_eq!([of(2), of(3)], [Some(Outcome::Reset), Some(Outcome::NotConnected)]);
}

/// Everybody whose connection broke tries again at the same instant: the herd after a restart.
#[test]
fn all_who_were_in_the_hands_of_an_instance_come_back_together() {
    let model = ONE.changed("1/s", "100/s").changed(
        "patience = \"10s\"\nflow = [{ call = \"api.get\" }]",
        "flow = [{ call = \"api.get\", policy = \"again\" }]\n[policy.again]\ntimeout = \"10s\"\n\
         retry = { attempts = 5, backoff = \"constant 1s\" }",
    );
    let model = model.changed("workers = 10", "workers = 1000");
    let herd = |more: &str| {
        let restart =
            format!("kind = \"crash\"\ntarget = \"api\"\nat = \"3s\"\nfor = \"500ms\"{more}");
        let (_, told) = facts(&model, 6, &fault(&restart));
        let again = told.iter().filter(|(at, fact)| {
            matches!(fact, Fact::Attempted { attempt: 2, .. }) && at.0 / 100_000_000 == 40
        });
        again.count()
    };
    // 31 were in its hands or on their way there, and nine more came in the first 90 ms.
    assert!((38..=42).contains(&herd("")), "{}", herd(""));
    assert_eq!(herd("\nunreachable = true"), 0, "they wait for their own timeout");
}

#[test]
fn an_unreachable_host_says_nothing() {
    let crash =
        "kind = \"crash\"\ntarget = \"api\"\nat = \"3.1s\"\nfor = \"2.5s\"\nunreachable = true";
    let run = run(ONE, 8, &fault(crash));
    assert_eq!(run.metrics.failed.of_kind(OutcomeKind::TimedOut), 3);
    assert_eq!(run.metrics.failed.of_kind(OutcomeKind::Failed), 0);
    assert_eq!(run.metrics.nobody_there, [0, 2]);
}

#[test]
fn a_balancer_goes_around_an_instance_that_it_knows_to_be_down() {
    let model = |detection: &str| {
        ONE.changed("1/s", "100/s")
            .changed("workers = 10", &format!("workers = 10\ninstances = 4\n{detection}"))
            .changed("300ms", "1ms")
    };
    let crash = fault("kind = \"crash\"\ntarget = \"api[2]\"\nat = \"2.005s\"\nfor = \"4s\"");
    for balance in ["round_robin", "random", "two_choices", "least_outstanding"] {
        let at_once = model(&format!("balance = \"{balance}\""));
        assert_eq!(run(&at_once, 8, &crash).metrics.nobody_there[0], 0, "{balance}");
    }
    // For one second a quarter of the requests goes to the dead instance.
    let slowly = run(&model("detection = \"1s\""), 8, &crash);
    assert_eq!(slowly.metrics.nobody_there[0], 25);
    assert_eq!(slowly.metrics.crashes, 1);
    let all = crash.changed("api[2]", "api");
    assert_eq!(run(&model(""), 8, &all).metrics.nobody_there[0], 400);
}

#[test]
fn a_pause_keeps_everything_and_answers_late() {
    // The third user's work takes as much longer as the pause, the fourth waits for its end.
    let pause = "kind = \"pause\"\ntarget = \"api\"\nat = \"3.1s\"\nfor = \"1.5s\"";
    let (_, told) = facts(ONE, 8, &fault(pause));
    let answers = answers(&told);
    let took: Vec<u64> = answers.iter().map(|answer| ms(answer.2)).collect();
    assert!(answers.iter().all(|answer| answer.1 == Outcome::Ok));
    let mut sorted = took.clone();
    sorted.sort_unstable();
    // User 4 arrives at 4.01s, starts at 4.6s, ends at 4.9s.
    assert_eq!(sorted, [320, 320, 320, 320, 320, 910, 1820]);
    // Nothing is lost, whatever the seed and the time of the pause.
    let shop = std::fs::read_to_string("models/checkout.toml").unwrap();
    let faults: String = ["api", "orders", "payments", "payer", "relay", "payment", "shoppers"]
        .iter()
        .enumerate()
        .map(|(index, target)| {
            let at = 2 + index;
            fault(&format!(
                "kind = \"pause\"\ntarget = \"{target}\"\nat = \"{at}s\"\nfor = \"700ms\""
            ))
        })
        .collect();
    for run in runs(&experiment(12, "1..4", &format!("{PROMISES}{faults}")), &shop) {
        assert_eq!(run.verdict(), RunVerdict::Pass);
        assert_eq!(run.metrics.unprocessed, 0);
        assert_eq!(run.metrics.pauses, 50 + 4 + 5);
    }
}

#[test]
fn timers_that_fall_into_a_pause_are_handled_at_its_end_in_their_order() {
    // The api's call times out at 2.5s of a pause from 2.2s to 4s, and its answer comes at 3s: in
    // the pause both wait, and the timeout is first.
    let model = r#"
[clients.users]
arrivals = { constant = "1/s" }
flow = [{ call = "api.get" }]
[service.api]
workers = 10
on.get.steps = [{ call = "back.get", policy = "quick" }, { reply = "ok" }]
[service.back]
workers = 10
on.get.steps = [{ work = "WORK" }, { reply = "ok" }]
[policy.quick]
timeout = "500ms"
"#;
    let pause = fault("kind = \"pause\"\ntarget = \"api\"\nat = \"1.2s\"\nfor = \"1.8s\"");
    let outcomes = |work: &str| {
        let (_, told) = facts(&model.changed("WORK", work), 2, &pause);
        let answer = answers(&told)[0];
        (answer.1, ms(answer.2))
    };
    assert_eq!(outcomes("400ms"), (Outcome::Ok, 2000), "the answer came before the timeout");
    assert_eq!(outcomes("900ms"), (Outcome::Failed, 2000), "the timeout came before the answer");
}

#[test]
fn pauses_of_a_model_come_by_themselves_and_hold_up_only_their_instance() {
    let model = ONE
        .changed("1/s", "50/s")
        .changed("300ms", "1ms")
        .changed("workers = 10", "workers = 100\ninstances = 2\nPAUSES");
    let with = |text: &str| model.changed("PAUSES", text);
    let pauses = "pauses = { every = \"exp 5s\", for = \"lognormal 200ms sigma 0.5\" }";
    let paused = run(&with(pauses), 100, "");
    // Two instances, 160s each, a pause every 5s: 64 expected, sd 8.
    assert!((32..96).contains(&paused.metrics.pauses), "{}", paused.metrics.pauses);
    assert_eq!(paused.metrics.ok, paused.metrics.requests);
    let calm = run(&with(""), 100, "");
    assert_eq!(calm.metrics.pauses, 0);
    assert!(calm.metrics.latency_total < paused.metrics.latency_total);
    // Who stands still begins no other pause: 2s without one and 3s in one, 32 times in 160s.
    let half = run(&with("pauses = { every = \"2s\", for = \"3s\" }"), 100, "");
    assert_eq!(half.metrics.pauses, 2 * 32);
    // They are no business of the load: the same pauses under another one.
    let busier = run(&with(pauses).changed("50/s", "80/s"), 100, "");
    let purpose = Purpose::Pause as usize;
    assert_eq!(paused.draws[purpose], busier.draws[purpose]);
}

#[test]
fn a_breaker_is_lost_with_its_process() {
    // The provider fails for good; the breaker of the api opens after three failures and stays
    // open for an hour, unless its process dies.
    let model = r#"
[clients.users]
arrivals = { constant = "10/s" }
flow = [{ call = "api.pay" }]
[service.api]
workers = 10
instances = 1
on.pay.steps = [{ call = "payment.charge", policy = "careful" }, { reply = "ok" }]
[provider.payment]
concurrency = "unlimited"
latency = "1ms"
errors_before = "100%"
[policy.careful]
breaker = { consecutive = 3, open_for = "1h" }
"#;
    let attempts = |faults: &str| {
        let run = run(model, 10, faults);
        run.metrics.edges.iter().map(|edge| edge.attempts).min().unwrap()
    };
    assert_eq!(attempts(""), 3);
    let restart = "kind = \"restart\"\ntarget = \"api\"\nat = \"5.05s\"\nfor = \"1s\"";
    assert_eq!(attempts(&fault(restart)), 6);
    let pause = "kind = \"pause\"\ntarget = \"api\"\nat = \"5.05s\"\nfor = \"1s\"";
    assert_eq!(attempts(&fault(pause)), 3, "a pause keeps it");
}

#[test]
fn a_rolling_restart_takes_one_instance_after_the_other_and_loses_its_memory() {
    let model = ONE.changed("workers = 10", "workers = 10\ninstances = 4").changed("1/s", "20/s");
    let restart = "kind = \"restart\"\ntarget = \"api\"\nat = \"2s\"\nfor = \"4s\"";
    let (_, told) = facts(&model, 10, &fault(restart));
    let times = |wanted: fn(&Fact) -> Option<u32>| -> Vec<(u64, u32)> {
        let found = told.iter().filter_map(|(at, fact)| Some((at.0 / 1_000_000, wanted(fact)?)));
        found.collect()
    };
    let crashed = |fact: &Fact| match *fact {
        Fact::Crashed { instance, .. } => Some(instance),
        _ => None,
    };
    let restarted = |fact: &Fact| match *fact {
        Fact::Restarted { instance, .. } => Some(instance),
        _ => None,
    };
    let expected = [(2000, 0), (3000, 1), (4000, 2), (5000, 3)];
    assert_eq!(times(crashed), expected);
    assert_eq!(times(restarted), expected);
    // 300 ms of work at 5/s for each instance: one or two requests die with each.
    let lost = answers(&told).iter().filter(|answer| answer.1 == Outcome::Reset).count();
    assert!((4..=8).contains(&lost), "{lost}");
}

#[test]
fn users_of_a_dead_process_have_given_up() {
    let model =
        ONE.changed("1/s", "10/s").changed("[clients.users]", "[clients.users]\nprocesses = 2");
    let crash = fault("kind = \"crash\"\ntarget = \"users[1]\"\nat = \"2.05s\"\nfor = \"3s\"");
    let run = run(&model, 10, &crash);
    let given_up = run.metrics.failed.of_kind(OutcomeKind::TimedOut);
    assert!((1..=4).contains(&given_up), "{given_up} of about 1.6 in flight");
    // Half of 30 users, sd 2.7.
    assert!((5..=25).contains(&run.metrics.turned_away), "{}", run.metrics.turned_away);
    assert_eq!(run.metrics.ok + given_up, run.metrics.requests);
    assert_eq!(run.metrics.requests + run.metrics.turned_away, 99);
}

/// Three instances take turns with messages, also when all of them have workers to spare: whichever
/// dies has as many in hand as the others.
#[test]
fn it_does_not_matter_which_instance_of_idle_workers_dies() {
    let model = r#"
[clients.users]
arrivals = { poisson = "30/s" }
flow = [{ call = "api.order" }]
[service.api]
workers = 100
on.order.steps = [{ publish = "work" }, { reply = "ok" }]
[queue.work]
visibility = "15s"
[service.payer]
instances = 3
workers = 50
takes = "work"
steps = [{ work = "300ms" }, { ack = true }]
"#;
    let again = |instance: u32| -> u64 {
        let crash =
            format!("kind = \"crash\"\ntarget = \"payer[{instance}]\"\nat = \"5s\"\nfor = \"1s\"");
        let runs = runs(&experiment(10, "1..21", &fault(&crash)), model);
        runs.iter().map(|run| run.metrics.redelivered).sum()
    };
    // Each has a third of nine in hand: 20 runs lose 60 messages, sd 8.
    let lost = [0, 1, 2].map(again);
    assert!(lost.iter().all(|lost| (30..=90).contains(lost)), "{lost:?}");
}
