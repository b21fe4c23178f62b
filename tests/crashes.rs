//! What instances lose and keep: crashes, restarts, pauses, deaths at a step, full disks, clocks.

mod common;

use common::{campaign, run_all, runs};
use stormglass::experiment::run::{RunResult, RunVerdict};
use stormglass::kernel::draw::Purpose;
use stormglass::kernel::time::{Span, Time};
use stormglass::model::program::Program;
use stormglass::policy::Outcome;
use stormglass::system::World;
use stormglass::system::fact::{Fact, Observer};

/// An experiment of `seconds` of arrivals and as many to drain, with these faults.
fn experiment(seconds: u32, seeds: &str, faults: &str) -> String {
    format!(
        "name = \"crashes\"\nmodel = \"inline\"\narrivals = \"{seconds}s\"\ndrain = \"60s\"\n\
         seeds = \"{seeds}\"\n{faults}\n"
    )
}

/// One run of a model with these faults.
fn run(model: &str, seconds: u32, faults: &str) -> RunResult {
    runs(&experiment(seconds, "1..2", faults), model).remove(0)
}

fn fault(text: &str) -> String {
    format!("[[faults]]\n{text}\n")
}

/// Notes every fact.
#[derive(Default)]
struct Notes(Vec<(Time, Fact)>);

impl Observer for Notes {
    fn observe(&mut self, now: Time, fact: &Fact) {
        self.0.push((now, *fact));
    }
}

/// Every fact of one run.
fn facts(model: &str, seconds: u32, faults: &str) -> (Program, Vec<(Time, Fact)>) {
    let campaign = campaign(&experiment(seconds, "1..2", faults), model);
    let cell = &campaign.cells[0];
    let controls = &cell.plan.controls;
    let end = cell.measure.arrivals_end;
    let world = World::new(&cell.program, controls, 1, end, cell.limits, Notes::default());
    let (_, notes) = world.run();
    (cell.program.clone(), notes.0)
}

fn answers(facts: &[(Time, Fact)]) -> Vec<(u64, Outcome, Span)> {
    let answers = facts.iter().filter_map(|&(at, fact)| match fact {
        Fact::Answered { request, outcome, .. } => {
            Some((request.order, outcome, at.since(request.started)))
        }
        _ => None,
    });
    answers.collect()
}

fn ms(span: Span) -> u64 {
    span.0 / 1_000_000
}

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
fn nobody_is_answered_by_a_dead_node_and_its_host_refuses_at_once() {
    // Users come at 1s, 2s, ...; the third one is at work, the fourth and fifth find nobody.
    let crash = "kind = \"crash\"\ntarget = \"api\"\nat = \"3.1s\"\nfor = \"2.5s\"";
    let (_, told) = facts(ONE, 8, &fault(crash));
    let answers = answers(&told);
    let of = |order| *answers.iter().find(|answer| answer.0 == order).unwrap();
    assert_eq!((of(0).1, ms(of(0).2)), (Outcome::Ok, 320));
    assert_eq!((of(2).1, ms(of(2).2)), (Outcome::TimedOut, 10_000), "no answer from a dead node");
    for order in [3, 4] {
        assert_eq!(
            (of(order).1, ms(of(order).2)),
            (Outcome::Failed, 20),
            "one link, there and back"
        );
    }
    assert_eq!((of(5).1, ms(of(5).2)), (Outcome::Ok, 320), "it is up again");
    // The work that was done for the third user is lost, and only that much was done.
    let lost = told.iter().find_map(|&(_, fact)| match fact {
        Fact::Worked { awaited: false, span, .. } => Some(ms(span)),
        _ => None,
    });
    assert_eq!(lost, Some(90));
}

#[test]
fn an_unreachable_host_says_nothing() {
    let crash =
        "kind = \"crash\"\ntarget = \"api\"\nat = \"3.1s\"\nfor = \"2.5s\"\nunreachable = true";
    let run = run(ONE, 8, &fault(crash));
    assert_eq!(run.metrics.failed[Outcome::TimedOut as usize], 3);
    assert_eq!(run.metrics.failed[Outcome::Failed as usize], 0);
    assert_eq!(run.metrics.nobody_there, [0, 2]);
}

#[test]
fn a_balancer_goes_around_an_instance_that_it_knows_to_be_down() {
    let model = |detection: &str| {
        ONE.replace("1/s", "100/s")
            .replace("workers = 10", &format!("workers = 10\ninstances = 4\n{detection}"))
            .replace("300ms", "1ms")
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
    let all = crash.replace("api[2]", "api");
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
        let (_, told) = facts(&model.replace("WORK", work), 2, &pause);
        let answer = answers(&told)[0];
        (answer.1, ms(answer.2))
    };
    assert_eq!(outcomes("400ms"), (Outcome::Ok, 2000), "the answer came before the timeout");
    assert_eq!(outcomes("900ms"), (Outcome::Failed, 2000), "the timeout came before the answer");
}

#[test]
fn pauses_of_a_model_come_by_themselves_and_hold_up_only_their_instance() {
    let model = ONE
        .replace("1/s", "50/s")
        .replace("300ms", "1ms")
        .replace("workers = 10", "workers = 100\ninstances = 2\nPAUSES");
    let with = |text: &str| model.replace("PAUSES", text);
    let pauses = "pauses = { every = \"exp 5s\", for = \"lognormal 200ms sigma 0.5\" }";
    let paused = run(&with(pauses), 100, "");
    // Two instances, 160s each, a pause every 5s: 64 expected, sd 8.
    assert!((32..96).contains(&paused.metrics.pauses), "{}", paused.metrics.pauses);
    assert_eq!(paused.metrics.ok, paused.metrics.requests);
    let calm = run(&with(""), 100, "");
    assert_eq!(calm.metrics.pauses, 0);
    assert!(calm.metrics.latency_total < paused.metrics.latency_total);
    // They are no business of the load: the same pauses under another one.
    let busier = run(&with(pauses).replace("50/s", "80/s"), 100, "");
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
    let model = ONE.replace("workers = 10", "workers = 10\ninstances = 4").replace("1/s", "20/s");
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
    let lost = answers(&told).iter().filter(|answer| answer.1 == Outcome::TimedOut).count();
    assert!((4..=8).contains(&lost), "{lost}");
}

#[test]
fn users_of_a_dead_process_have_given_up() {
    let model =
        ONE.replace("1/s", "10/s").replace("[clients.users]", "[clients.users]\nprocesses = 2");
    let crash = fault("kind = \"crash\"\ntarget = \"users[1]\"\nat = \"2.05s\"\nfor = \"3s\"");
    let run = run(&model, 10, &crash);
    let given_up = run.metrics.failed[Outcome::TimedOut as usize];
    assert!((1..=4).contains(&given_up), "{given_up} of about 1.6 in flight");
    // Half of 30 users, sd 2.7.
    assert!((5..=25).contains(&run.metrics.turned_away), "{}", run.metrics.turned_away);
    assert_eq!(run.metrics.ok + given_up, run.metrics.requests);
    assert_eq!(run.metrics.requests + run.metrics.turned_away, 99);
}

/// What must hold of the shop, whatever happens to its parts.
const PROMISES: &str = r#"
[invariants]
one_charge = { effect = "charge" }
paid_has_payment = { paid = "orders.order = paid", payment = "orders.payment = recorded" }
charge_has_order = { effect = "charge", order = "orders.order" }
accepted_order_kept = { accepted = "api.place_order", order = "orders.order", settled = "orders.order = paid" }
"#;

/// The shop, without its crowd.
fn shop() -> String {
    let model = std::fs::read_to_string("models/checkout.toml").unwrap();
    model.replace("200/s", "50/s")
}

#[test]
fn a_crash_loses_memory_and_keeps_what_is_durable() {
    for target in
        ["api", "payer", "relay", "payments", "orders", "orders_replica", "status", "payment"]
    {
        let crash =
            fault(&format!("kind = \"crash\"\ntarget = \"{target}\"\nat = \"4s\"\nfor = \"2s\""));
        for run in runs(&experiment(10, "1..4", &format!("{PROMISES}{crash}")), &shop()) {
            assert_eq!(run.verdict(), RunVerdict::Pass, "{target}");
            assert_eq!(run.metrics.unprocessed, 0, "{target}: everything is done with in the end");
            assert_eq!(run.metrics.lost_transactions + run.metrics.lost_messages, 0, "{target}");
        }
    }
}

#[test]
fn a_queue_that_is_not_durable_loses_its_messages() {
    // Two workers are too few: there is a backlog.
    let model = shop()
        .replace("max_receives = 5", "max_receives = 5\ndurable = false")
        .replace("workers = 100\ntakes", "workers = 2\ntakes");
    let crash = fault("kind = \"crash\"\ntarget = \"payments\"\nat = \"4s\"\nfor = \"2s\"");
    let run = runs(&experiment(10, "1..2", &format!("{PROMISES}{crash}")), &model).remove(0);
    assert!(run.metrics.lost_messages > 0);
    let kept = run.invariants.iter().find(|v| v.invariant == "accepted_order_kept").unwrap();
    // A message whose payment was recorded, but not yet acknowledged, is no loss.
    assert!(kept.violations > 0 && kept.violations <= run.metrics.lost_messages);
}

#[test]
fn messages_in_the_hands_of_a_dead_worker_come_back_after_their_visibility() {
    let model = shop().replace("visibility = \"30s\"", "visibility = \"7s\"");
    let crash = fault("kind = \"crash\"\ntarget = \"payer\"\nat = \"4s\"\nfor = \"500ms\"");
    let (_, told) = facts(&model, 8, &crash);
    let again: Vec<u64> = told
        .iter()
        .filter(|(_, fact)| matches!(fact, Fact::Delivered { receives: 2, .. }))
        .map(|(at, _)| at.0 / 1_000_000_000)
        .collect();
    assert!(!again.is_empty());
    assert!(again.iter().all(|&second| (10..=11).contains(&second)), "{again:?}");
    let while_down = told.iter().any(|&(at, fact)| {
        matches!(fact, Fact::Delivered { .. }) && ms(Span(at.0)) > 4000 && ms(Span(at.0)) < 4500
    });
    assert!(!while_down, "nothing is handed to a worker that is down");
}

/// A shop whose relay publishes three orders, one after the other, with time between all steps.
const RELAY: &str = r#"
[clients.users]
arrivals = { constant = "10/s" }
flow = [{ call = "api.order" }]

[service.api]
workers = 10
on.order.steps = [
  { transaction = "orders", write = ["order = accepted", "outbox = order placed"] },
  { reply = "ok" },
]

[database.orders]
commit = "1ms"
read = "1ms"
tables = { order = {} }

[outbox.relay]
database = "orders"
queue = "work"
poll = "1s"

[queue.work]
visibility = "10s"
latency = "1ms"

[service.worker]
workers = 10
takes = "work"
steps = [{ call = "payment.charge", idempotency_key = "order" },
         { transaction = "orders", write = ["order = paid"] }, { ack = true }]

[provider.payment]
concurrency = "unlimited"
latency = "1ms"
"#;

#[test]
fn a_relay_that_dies_between_two_steps_leaves_exactly_what_those_steps_had_made_durable() {
    let published = |step: &str, when: &str| {
        let kill = fault(&format!(
            "kind = \"relay_crash\"\ntarget = \"relay\"\nstep = \"{step}\"\nwhen = \"{when}\"\n\
             at = \"500ms\"\nfor = \"20s\"\ndown = \"100ms\""
        ));
        // Orders at 100, ..., 900 ms; the round at 1s takes all nine.
        let (_, told) = facts(RELAY, 1, &kill);
        let mut copies = [0; 9];
        for (_, fact) in &told {
            if let Fact::Enqueued { order, .. } = fact {
                copies[*order as usize] += 1;
            }
        }
        let count = |wanted: fn(&Fact) -> bool| told.iter().filter(|(_, f)| wanted(f)).count();
        assert_eq!(count(|fact| matches!(fact, Fact::Killed { .. })), 1, "{step} {when}");
        assert_eq!(count(|fact| matches!(fact, Fact::Restarted { .. })), 1, "{step} {when}");
        assert_eq!(count(|fact| matches!(fact, Fact::Unprocessed { .. })), 0, "{step} {when}");
        assert_eq!(count(|fact| matches!(fact, Fact::Effect { .. })), 9, "one charge an order");
        copies
    };
    // Until the first event is published, nothing has happened.
    assert_eq!(published("take", "before"), [1; 9]);
    assert_eq!(published("take", "after"), [1; 9]);
    assert_eq!(published("publish", "before"), [1; 9]);
    // Published, but not marked: once more.
    assert_eq!(published("publish", "after"), [2, 1, 1, 1, 1, 1, 1, 1, 1]);
    assert_eq!(published("mark", "before"), [2; 9]);
    // Marked: never again.
    assert_eq!(published("mark", "after"), [1; 9]);
}

#[test]
fn a_worker_that_dies_between_two_steps_does_the_rest_again() {
    let counts = |step: &str, when: &str, keys: bool| {
        let kill = fault(&format!(
            "kind = \"worker_kill\"\ntarget = \"worker\"\nstep = \"{step}\"\nwhen = \"{when}\"\n\
             at = \"500ms\"\nfor = \"5s\"\ndown = \"2s\""
        ));
        let key = ", idempotency_key = \"order\"";
        let model = if keys { RELAY.to_owned() } else { RELAY.replace(key, "") };
        let (_, told) = facts(&model, 1, &kill);
        let count = |wanted: fn(&Fact) -> bool| told.iter().filter(|(_, f)| wanted(f)).count();
        assert_eq!(count(|fact| matches!(fact, Fact::Killed { .. })), 1, "{step} {when}");
        assert_eq!(count(|fact| matches!(fact, Fact::Unprocessed { .. })), 0, "{step} {when}");
        count(|fact| matches!(fact, Fact::Effect { .. }))
    };
    assert_eq!(counts("payment.charge", "before", false), 9, "nothing had happened");
    for (step, when) in [
        ("payment.charge", "after"),
        ("orders.transaction", "before"),
        ("orders.transaction", "after"),
        ("work.ack", "before"),
    ] {
        assert!(counts(step, when, false) > 9, "charged again after {when} {step}");
        assert_eq!(counts(step, when, true), 9, "a key makes it one charge: {when} {step}");
    }
}

#[test]
fn a_share_of_those_who_come_to_a_step_dies_and_times_limits_how_many() {
    let kills = |strength: &str| {
        let kill = fault(&format!(
            "kind = \"worker_kill\"\ntarget = \"api\"\nstep = \"orders.transaction\"\n\
             at = \"0s\"\nfor = \"100s\"\ndown = \"1ms\"\n{strength}"
        ));
        run(RELAY, 100, &kill).metrics.kills
    };
    assert_eq!(kills(""), 1);
    assert_eq!(kills("times = 3"), 3);
    // A fifth of 1000, sd 12.6: outside of 150..250 once in 15,000.
    let share = kills("share = \"20%\"");
    assert!((150..250).contains(&share), "{share}");
    assert_eq!(kills("share = \"20%\"\ntimes = 4"), 4);
}

#[test]
fn a_database_that_flushes_now_and_then_loses_what_it_had_answered() {
    let crash = fault("kind = \"crash\"\ntarget = \"orders\"\nat = \"4.9s\"\nfor = \"1s\"");
    let with = |flush: &str| {
        let model = shop().replace("\"each_commit\"", flush);
        runs(&experiment(10, "1..2", &format!("{PROMISES}{crash}")), &model).remove(0)
    };
    let kept = |run: &RunResult| {
        run.invariants.iter().find(|v| v.invariant == "accepted_order_kept").unwrap().violations
    };
    for safe in ["\"each_commit\"", "{ group = \"5ms\" }"] {
        let run = with(safe);
        assert_eq!((run.metrics.lost_transactions, kept(&run)), (0, 0), "{safe}");
        assert_eq!(run.verdict(), RunVerdict::Pass, "{safe}");
    }
    let run = with("{ every = \"1s\" }");
    assert!(run.metrics.lost_transactions > 10);
    assert!(kept(&run) > 0, "orders that were accepted are gone");
}

#[test]
fn a_group_of_transactions_is_answered_at_one_flush() {
    let model = RELAY.replace("read = \"1ms\"", "read = \"1ms\"\nflush = { group = \"250ms\" }");
    let (_, told) = facts(&model, 2, "");
    let flushes: Vec<u64> = told
        .iter()
        .filter(|(at, fact)| matches!(fact, Fact::Flushed { .. }) && at.0 < 500_000_000)
        .map(|(at, _)| at.0 / 1_000_000)
        .collect();
    // Orders at 100, 200 and 300 ms wait for one flush, 250 ms after the first had come.
    assert_eq!(flushes, [351, 351, 351]);
}

#[test]
fn a_full_disk_fails_transactions_and_lets_reads_through() {
    let full = fault("kind = \"disk_full\"\ntarget = \"orders\"\nat = \"3s\"\nfor = \"2s\"");
    let (program, told) = facts(&shop().replace("orders_replica.order", "orders.order"), 8, &full);
    let inside = |at: Time| (3_000..5_000).contains(&ms(Span(at.0)));
    let place = program.find_operation("api.place_order").unwrap();
    let (mut read, mut placed, mut refused) = (0, 0, 0);
    for &(at, fact) in told.iter().filter(|&&(at, _)| inside(at)) {
        match fact {
            Fact::Committed { .. } => panic!("a row was written at {at}"),
            Fact::Failed { .. } => refused += 1,
            Fact::Answered { request, outcome, .. } if inside(request.started) => {
                let ok = u64::from(outcome == Outcome::Ok);
                if request.operation == place { placed += ok } else { read += ok }
            }
            _ => {}
        }
    }
    assert!(read > 20 && refused > 20, "{read} {refused}");
    assert_eq!(placed, 0);
    let last = told.iter().filter(|(_, fact)| matches!(fact, Fact::Committed { .. }));
    assert!(last.last().unwrap().0 > Time(5_000_000_000), "it goes on when there is room again");
}

#[test]
fn a_clock_that_jumps_ahead_lets_rows_and_keys_expire() {
    // One order is charged every second by two calls, 100 ms apart, with one key for an hour.
    let model = r#"
[clients.users]
arrivals = { constant = "1/s" }
flow = [
  { call = "payment.charge", idempotency_key = "order" },
  { think = "100ms" },
  { call = "payment.charge", idempotency_key = "order" },
]
[provider.payment]
concurrency = "unlimited"
latency = "1ms"
keys_expire = "1h"
"#;
    let effects = |by: &str| {
        let skew = format!(
            "kind = \"clock_skew\"\ntarget = \"payment\"\nat = \"3.05s\"\nfor = \"10s\"\nby = \"{by}\""
        );
        run(model, 8, &fault(&skew)).metrics.effects
    };
    assert_eq!(effects("59min"), 7);
    assert_eq!(effects("2h"), 8, "the key that was given before is forgotten");
    assert_eq!(effects("-2h"), 7);
}

#[test]
fn the_same_seed_gives_the_same_digest_with_crashes() {
    let faults = format!(
        "{}{}{}",
        fault("kind = \"crash\"\ntarget = \"api[1]\"\nat = \"3s\"\nfor = \"2s\""),
        fault("kind = \"pause\"\ntarget = \"payer\"\nat = \"4s\"\nfor = \"1s\""),
        fault(
            "kind = \"worker_kill\"\ntarget = \"payer\"\nstep = \"payment.charge\"\nat = \"5s\"\n\
             for = \"3s\"\nshare = 0.05"
        ),
    );
    let campaign = campaign(&experiment(10, "1..4", &faults), &shop());
    let digests = || run_all(&campaign).iter().map(|run| run.digest).collect::<Vec<_>>();
    let first = digests();
    assert_eq!(first, digests());
    assert_ne!(first[0], first[1]);
}

#[test]
fn without_a_crash_all_exogenous_draws_are_as_they_were() {
    let crash = fault("kind = \"crash\"\ntarget = \"api\"\nat = \"3s\"\nfor = \"2s\"");
    let calm = run(&shop(), 10, "");
    let struck = run(&shop(), 10, &crash);
    assert_ne!(calm.digest, struck.digest);
    for purpose in [Purpose::Arrival, Purpose::Key, Purpose::Process] {
        let index = purpose as usize;
        assert_eq!(calm.draws[index], struck.draws[index], "{purpose:?}");
    }
}
