//! Pools: what handlers hold over several steps, who waits for it, and when a pool locks.

use crate::common::{Changed, campaign, run_all, runs};
use stormglass::experiment::run::result::RunResult;
use stormglass::kernel::time::Span;
use stormglass::metric::Recovery;
use stormglass::policy::Outcome;
use stormglass::system::fact::Refusal;

const EXPERIMENT: &str = r#"
name = "pools"
model = "inline"
arrivals = "49ms"
drain = "60s"
seeds = "1..2"
"#;

/// Requests come at 10, 20, 30 and 40 ms; who has the only place of the pool has it for 25 ms.
const LINE: &str = r#"
[clients.users]
arrivals = { constant = "100/s" }
flow = [{ call = "web.save" }]
[service.web]
workers = "unlimited"
pool.db = { size = 1, acquire_timeout = "21ms" }
on.save.steps = [{ hold = "db", steps = [{ work = "25ms" }] }, { reply = "ok" }]
"#;

const HELD: &str = "{ hold = \"db\", steps = [{ work = \"25ms\" }] }";

fn run(model: &str) -> RunResult {
    runs(EXPERIMENT, model).remove(0)
}

fn failed(run: &RunResult, outcome: Outcome) -> u64 {
    run.metrics.failed.of(outcome)
}

/// 10 to 35 ms, 35 to 60 ms; the third waits in vain from 30 to 51 ms; 60 to 85 ms.
#[test]
fn who_asks_first_is_served_first_and_waits_no_longer_than_the_timeout() {
    let run = run(LINE);
    assert_eq!((run.metrics.ok, failed(&run, Outcome::Failed)), (3, 1));
    assert_eq!(run.metrics.last_answer.seconds(), 0.085);
    assert_eq!((run.metrics.pool_timeouts, run.metrics.pool_waits.total()), (1, 4));
    assert_eq!(run.metrics.refused_by[Refusal::NoPlace as usize], 1);
    let longest = run.metrics.pool_waits.quantile(1.0).expect("four waits").millis();
    assert!((20.9..=21.1).contains(&longest), "{longest}");
}

#[test]
fn a_handler_can_tell_that_it_got_no_place() {
    let fallback = "{ hold = \"db\", steps = [{ work = \"25ms\" }, { reply = \"ok\" }], \
                    fallback = [{ reply = \"throttled\" }] }";
    let stands_in = LINE.changed(&format!("{HELD}, {{ reply = \"ok\" }}"), fallback);
    let goes_by_it = LINE.changed(
        "}] }, { reply = \"ok\" }",
        "}], ignore_failure = true }, \
        { when = { outcome = [\"rejected\"] }, then = [{ reply = \"throttled\" }], \
          otherwise = [{ reply = \"ok\" }] }",
    );
    for model in [stands_in, goes_by_it] {
        let run = run(&model);
        assert_eq!((run.metrics.ok, failed(&run, Outcome::Throttled)), (3, 1));
    }
}

/// Deadlines end at 40, 50 and 60 ms, when the first one still has the place, until 110 ms.
#[test]
fn nobody_waits_longer_than_a_propagated_deadline() {
    let model = LINE
        .changed("21ms", "1s")
        .changed("25ms", "100ms")
        .changed("web.save\"", "web.save\", policy = \"p\"")
        + "[policy.p]\ntimeout = \"20ms\"\n";
    let waits = run(&model);
    assert_eq!(waits.metrics.refused_by, [0; 7]);
    assert_eq!(
        waits.metrics.pool_waits.quantile(1.0).map(|span| span > Span::from_millis(200)),
        Some(true)
    );
    let model = model.changed("workers", "propagate_deadline = {}\nworkers");
    let gives_up = run(&model);
    assert_eq!(gives_up.metrics.refused_by[Refusal::Expired as usize], 3);
    assert_eq!(
        gives_up.metrics.pool_waits.quantile(1.0).map(Span::millis).map(f64::round),
        Some(20.0)
    );
}

/// One server with exponential times, 50 a second at 100 a second: the mean time in the system is
/// `1 / (mu - lambda)`, and `P(W > t) = rho exp(-(mu - lambda) t)`.
#[test]
fn waits_for_a_place_are_those_of_a_queue() {
    let model = LINE
        .changed("constant = \"100/s\"", "poisson = \"50/s\"")
        .changed("21ms", "60s")
        .changed("25ms", "exp 10ms");
    let run = runs(&EXPERIMENT.changed("49ms", "800s"), &model).remove(0);
    let mean = run.metrics.latency_total as f64 / run.metrics.measured_ok as f64 / 1e6;
    assert!((18.0..=22.0).contains(&mean), "{mean} ms, not 20");
    let p99 = run.metrics.pool_waits.quantile(0.99).expect("many waits").millis();
    let expected = 1000.0 * libm::log(0.5 / 0.01) / 50.0;
    assert!((p99 / expected - 1.0).abs() < 0.15, "{p99} ms, not {expected}");
}

/// Fifty handlers begin within 5 ms, and each takes its places one after the other, 100 ms apart;
/// who has the last one is done at once.
fn fifty(at_once: u32, size: u32) -> RunResult {
    let mut steps = "{ hold = \"db\", steps = [{ work = \"0s\" }] }".to_owned();
    for _ in 1..at_once {
        steps = format!("{{ hold = \"db\", steps = [{{ work = \"100ms\" }}, {steps}] }}");
    }
    let model = LINE
        .changed("100/s", "10000/s")
        .changed("\"unlimited\"", "50")
        .changed(
            "size = 1, acquire_timeout = \"21ms\"",
            &format!("size = {size}, acquire_timeout = \"1s\""),
        )
        .changed(HELD, &steps);
    runs(&EXPERIMENT.changed("49ms", "5.05ms"), &model).remove(0)
}

/// HikariCP, "About Pool Sizing": threads × (places at once - 1) + 1. One place less, and the pool
/// is locked until one of them gives up; that frees all others.
#[test]
fn a_pool_of_the_size_of_the_formula_never_locks_and_one_less_does() {
    for at_once in [2, 3] {
        let free = 50 * (at_once - 1) + 1;
        let [locked, open] = [free - 1, free].map(|size| fifty(at_once, size));
        assert_eq!((locked.metrics.ok, locked.metrics.pool_timeouts), (49, 1), "{at_once}");
        assert_eq!((open.metrics.ok, open.metrics.pool_timeouts), (50, 0), "{at_once}");
        let slowest = open.metrics.last_answer.seconds();
        let expected = 0.1 * f64::from(at_once - 1) + 0.005;
        assert!(locked.metrics.last_answer.seconds() > 1.0);
        assert!((slowest - expected).abs() < 1e-6, "{slowest} s");
    }
}

/// brettwooldridge/HikariCP 442, with 50 threads: a burst locks a pool of 10, from which users who
/// go on coming never let it recover.
#[test]
fn a_burst_locks_a_pool_whose_users_take_two_connections() {
    let experiment = r#"
name = "burst"
model = "inline"
arrivals = "100s"
drain = "60s"
seeds = "1..3"
[[faults]]
kind = "traffic_spike"
target = "users"
rate = "3000/s"
at = "20s"
for = "200ms"
[arms.pool_10]
[arms.pool_51]
set = { "service.web.pool.db.size" = 51 }
"#;
    let model = r#"
[clients.users]
arrivals = { poisson = "100/s" }
flow = [{ call = "web.save", policy = "u" }]
[service.web]
workers = 50
queue = { limit = 100 }
pool.db = {}
on.save.steps = [
  { hold = "db", steps = [
    { work = "exp 5ms" },
    { hold = "db", steps = [{ transaction = "db", write = ["audit = entry"] }] },
  ] },
  { reply = "ok" },
]
[database.db]
commit = "exp 5ms"
read = "exp 1ms"
[policy.u]
timeout = "60s"
"#;
    let campaign = campaign(experiment, model);
    for run in run_all(&campaign) {
        match campaign.cells[run.cell].arm.as_str() {
            "pool_10" => {
                assert_eq!(run.recovery, Recovery::Never);
                assert!(run.metrics.pool_timeouts > 100, "{}", run.metrics.pool_timeouts);
            }
            _ => {
                assert_eq!(run.recovery.came_back(), Some(true), "{:?}", run.recovery);
                assert_eq!(run.metrics.pool_timeouts, 0);
            }
        }
    }
}

/// The other common form: five connections that are held over a call of 50 ms serve 100 a second.
#[test]
fn a_call_inside_a_transaction_holds_its_connection() {
    let inside = r#"
[clients.users]
arrivals = { constant = "200/s" }
flow = [{ call = "web.save" }]
[service.web]
workers = "unlimited"
pool.db = { size = 5, acquire_timeout = "1s" }
on.save.steps = [
  { hold = "db", steps = [{ call = "other.ask" }, { transaction = "db", write = ["audit = entry"] }] },
  { reply = "ok" },
]
[service.other]
workers = "unlimited"
on.ask.steps = [{ work = "50ms" }, { reply = "ok" }]
[database.db]
commit = "0s"
read = "1ms"
"#;
    let outside = inside
        .changed("{ call = \"other.ask\" }, ", "")
        .changed("{ hold", "{ call = \"other.ask\" },\n  { hold");
    let experiment = EXPERIMENT.changed("49ms", "10.001s");
    let [held, free] = [inside, &outside].map(|model| runs(&experiment, model).remove(0));
    // Who came in the first ten seconds, and those who still waited for a second when they ended.
    let served = held.metrics.ok;
    assert!((1000..=1105).contains(&served), "{served}");
    assert_eq!(held.metrics.pool_timeouts, 2000 - served);
    assert_eq!((free.metrics.ok, free.metrics.pool_timeouts), (2000, 0));
}

#[test]
fn what_is_held_is_given_back_however_a_handler_ends() {
    let ends = [
        "{ hold = \"db\", steps = [{ call = \"broken.ask\" }] }, { reply = \"ok\" }",
        "{ hold = \"db\", steps = [{ work = \"5ms\" }, { reply = \"failed\" }] }",
        "{ hold = \"db\", steps = [{ hold = \"other\", steps = [{ work = \"5ms\" }, \
         { reply = \"failed\" }] }] }",
        "{ hold = \"db\", steps = [{ parallel = [[{ call = \"broken.ask\" }], \
         [{ hold = \"other\", steps = [{ call = \"broken.ask\" }] }]] }] }, { reply = \"ok\" }",
    ];
    for steps in ends {
        let model = LINE
            .changed(&format!("{HELD}, {{ reply = \"ok\" }}"), steps)
            .changed("pool.db", "pool.other = { size = 1 }\npool.db")
            + "[service.broken]\nworkers = 9\non.ask.steps = [{ work = \"5ms\" }, \
               { reply = \"failed\" }]\n";
        let run = run(&model);
        assert_eq!(failed(&run, Outcome::Failed), 4, "{steps}");
        assert_eq!(run.metrics.pool_waits.quantile(1.0), Some(Span::ZERO), "{steps}");
    }
}

/// The one who holds the place dies at 25 ms with the one who waits for it; at 35 ms nobody is
/// there, and the last one finds the pool as new.
#[test]
fn a_crash_gives_everything_back() {
    let fault = "[[faults]]\nkind = \"crash\"\ntarget = \"web\"\nat = \"25ms\"\nfor = \"10ms\"\n";
    let run = runs(&format!("{EXPERIMENT}{fault}"), LINE).remove(0);
    assert_eq!(failed(&run, Outcome::Reset), 2);
    assert_eq!(failed(&run, Outcome::NotConnected), 1);
    assert_eq!((run.metrics.ok, run.metrics.pool_timeouts), (1, 0));
}

#[test]
fn pools_that_can_lock_or_that_nobody_uses_are_warned_of() {
    let warned = |model: &str| -> Vec<String> {
        let warnings = campaign(EXPERIMENT, model).warnings;
        warnings.into_iter().map(|warning| warning.message).collect()
    };
    let twice = LINE
        .changed("{ work = \"25ms\" }", "{ hold = \"db\", steps = [{ work = \"25ms\" }] }")
        .changed("\"unlimited\"", "50");
    assert_eq!(warned(LINE), Vec::<String>::new());
    let of_size = |size: u32| warned(&twice.changed("size = 1,", &format!("size = {size},")));
    assert!(of_size(1)[0].contains("waits for 2 places of `db`, which has 1"), "{:?}", of_size(1));
    assert!(of_size(50)[0].contains("`db` can lock"), "{:?}", of_size(50));
    assert_eq!(of_size(51), Vec::<String>::new());
    let idle = LINE.changed(HELD, "{ work = \"1ms\" }");
    assert!(warned(&idle)[0].contains("nothing holds a place of `db`"));
}

/// The call fails in each of three rounds of 5 ms, in which it holds the only place: a round that
/// did not give it back would wait for itself.
#[test]
fn a_round_that_failed_gives_its_place_back() {
    let steps = "{ repeat = [{ hold = \"db\", steps = [{ call = \"broken.ask\" }] }], times = 3, \
                 ignore_failure = true }";
    let model = LINE.changed(HELD, steps).changed("100/s", "50/s")
        + "[service.broken]\nworkers = 9\non.ask.steps = [{ work = \"5ms\" }, \
           { reply = \"failed\" }]\n";
    let run = run(&model);
    assert_eq!((run.metrics.ok, run.metrics.pool_timeouts), (2, 0));
    assert_eq!(run.metrics.pool_waits.total(), 6);
    assert_eq!(run.metrics.pool_waits.quantile(1.0), Some(Span::ZERO));
}
