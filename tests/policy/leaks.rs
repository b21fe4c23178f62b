//! What calls hold of a policy that all callers share is given back, however they end: by an
//! answer, by a timeout, at a deadline, or because whoever asked has died.
//!
//! In debug builds the books of every run are checked as it goes on, the permits of policies among
//! them; the end of each run says whether they agreed.

use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::run::result::RunResult;
use stormglass::kernel::time::{Span, Time};
use stormglass::model::presets;
use stormglass::policy::Outcome;
use stormglass::system::fact::Fact;
use stormglass::system::{Observer, World};

use crate::common::{Changed, campaign, run_all};

/// Two processes of a front share a policy for a provider that answers after 50 ms.
fn model(rate: u32, policy: &str) -> String {
    format!(
        r#"
[clients.users]
arrivals = {{ poisson = "{rate}/s" }}
patience = "5s"
flow = [{{ call = "front.get" }}]

[service.front]
instances = 2
workers = 1000
on.get.steps = [{{ call = "back.charge", policy = "p" }}, {{ reply = "ok" }}]

[provider.back]
concurrency = "unlimited"
latency = "50ms"

[policy.p]
{policy}
"#
    )
}

fn experiment(arrivals: u32, faults: &str) -> String {
    format!(
        "name = \"leaks\"\nmodel = \"inline\"\narrivals = \"{arrivals}s\"\ndrain = \"60s\"\n\
         seeds = \"1..4\"\n{faults}\n"
    )
}

fn crash(target: &str, at: &str, lasts: &str) -> String {
    format!(
        "[[faults]]\nkind = \"crash\"\ntarget = \"{target}\"\nat = \"{at}\"\nfor = \"{lasts}\"\n"
    )
}

/// Callers die again and again while every third answer is an error, and stand still once.
fn deaths() -> String {
    let mut faults = String::from(
        "[[faults]]\nkind = \"errors\"\ntarget = \"back\"\nshare = \"30%\"\nat = \"2s\"\n\
         for = \"12s\"\n[[faults]]\nkind = \"pause\"\ntarget = \"front\"\nat = \"13s\"\n\
         for = \"700ms\"\n",
    );
    for number in 0..16 {
        let target = ["front[0]", "front[1]", "front"][number % 3];
        faults += &crash(target, &format!("{}ms", 2_000 + 700 * number), "300ms");
    }
    faults
}

/// Counts what users are told who ask after a while.
struct Late {
    after: Time,
    ok: u32,
    failed: u32,
}

impl Observer for Late {
    fn observe(&mut self, _: Time, fact: &Fact) {
        if let Fact::Answered { request, outcome, .. } = fact
            && request.started >= self.after
        {
            match outcome {
                Outcome::Ok => self.ok += 1,
                _ => self.failed += 1,
            }
        }
    }
}

/// How many who ask after so many seconds are answered well and badly.
fn answers_after(campaign: &Campaign, seconds: u64) -> (u32, u32) {
    let cell = &campaign.cells[0];
    let after = Time::ZERO + Span::from_secs(seconds);
    let mut late = Late { after, ok: 0, failed: 0 };
    let end = cell.measure.arrivals_end;
    let world = World::new(&cell.program, &cell.plan.controls, 1, end, cell.limits, &mut late);
    let outcome = world.run();
    assert_eq!(outcome.ending.name(), "complete");
    (late.ok, late.failed)
}

#[test]
fn a_crash_of_a_caller_gives_back_what_its_calls_held_of_a_shared_bulkhead() {
    let success = |scope: &str, faults: &str| -> f64 {
        let policy = format!("scope = \"{scope}\"\nbulkhead = {{ limit = 10 }}");
        let runs = run_all(&campaign(&experiment(30, faults), &model(100, &policy)));
        let share = |run: &RunResult| run.metrics.ok as f64 / run.metrics.requests as f64;
        runs.iter().map(share).sum::<f64>() / runs.len() as f64
    };
    let once = crash("front", "5s", "1s");
    // One second of thirty: a thirtieth of the users find nobody.
    let (shared, own) = (success("shared", &once), success("target", &once));
    let calm = success("shared", "");
    assert!(shared > calm - 0.045, "shared {shared}, without a crash {calm}");
    assert!(own > calm - 0.045, "{own}");
}

/// Every way to hold something: permits of bulkheads and places in their lines, probes of breakers
/// that others wait for, slots of concurrent retries and copies, places under a learned limit.
const WAYS_TO_HOLD: [&str; 11] = [
    "bulkhead = { limit = 10, queue = 20, around = \"call\" }\n\
     retry = { attempts = 4, backoff = \"constant 400ms\" }\ndeadline = \"1s\"",
    "bulkhead = { limit = 10, queue = 20, around = \"attempt\", max_wait = \"60ms\" }\n\
     retry = { attempts = 4, backoff = \"constant 10ms\" }\nconcurrency_limit = { kind = \"vegas\" }",
    "concurrency_limit = { kind = \"aimd\", initial = 2.0, min = 2.0, max = 2.0 }",
    "breaker = { consecutive = 3, open_for = \"200ms\", probes = 2, probes_at_once = true, \
     probes_queue = true }\ndeadline = \"700ms\"",
    "breaker = { consecutive = 3, open_for = \"20ms\" }\nretry = { attempts = 5, \
     on_denial = \"retry\", backoff = \"constant 10ms\", budget = { kind = \"concurrent\", \
     ratio = 0.2, min_retries = 3 } }",
    "hedge = { delay = \"10ms\", extra = 2, budget = { kind = \"concurrent\", min_retries = 3 } }\n\
     bulkhead = { limit = 12, around = \"attempt\" }\nretry = { attempts = 3 }",
    "hedge = { delay = \"60ms\", budget = { kind = \"concurrent\", min_retries = 2 } }\n\
     timeout = \"45ms\"\ndeadline = \"900ms\"\nbreaker = { consecutive = 9, \
     open_for = \"20ms\", hears_replies_after_timeout = true }",
    "timeout = \"45ms\"\ndeadline = \"900ms\"\nbulkhead = { limit = 10, queue = 5 }\n\
     retry = { attempts = 5, backoff = \"constant 10ms\", keep_timed_out = true }",
    "breaker = { consecutive = 3, open_for = \"20ms\" }\nrate_limit = { rate = \"30/s\", \
     burst = 1, max_wait = \"1s\" }\nretry = { attempts = 5, budget = { kind = \"throttle\", \
     after_wait = true } }",
    "breaker = { consecutive = 3, open_for = \"200ms\", probes_queue = true, around = \"call\" }\n\
     retry = { attempts = 4, backoff = \"constant 400ms\" }\ndeadline = \"1s\"",
    "breaker = { consecutive = 2, open_for = \"100ms\", around = \"call\" }\n\
     hedge = { delay = \"10ms\" }\nretry = { attempts = 2, backoff = \"constant 300ms\" }",
];

#[test]
fn no_way_to_hold_something_outlives_the_call() {
    let mut differ = Vec::new();
    for policy in WAYS_TO_HOLD {
        let policy = format!("scope = \"shared\"\n{policy}");
        let [struck, calm] = [&deaths()[..], ""].map(|faults| {
            answers_after(&campaign(&experiment(60, faults), &model(20, &policy)), 30)
        });
        if struck != calm {
            differ.push(format!("{policy}: {struck:?} and not {calm:?}"));
        }
    }
    assert!(differ.is_empty(), "{differ:#?}");
}

/// One place. The first call fails and waits for a retry that would come after its deadline; when
/// it is over, the second call, which waits for the place, has it.
#[test]
fn whoever_waits_for_a_place_is_told_when_a_call_ends_at_its_deadline() {
    let policy = "scope = \"shared\"\nbulkhead = { limit = 1, queue = 9, around = \"call\" }\n\
                  deadline = \"1500ms\"\n\
                  retry = { attempts = 2, backoff = \"constant 10s\", stop_before_deadline = false }";
    let model = model(1, policy).changed("poisson", "constant");
    let errors = "[[faults]]\nkind = \"errors\"\ntarget = \"back\"\nshare = \"100%\"\n\
                  at = \"1s\"\nfor = \"500ms\"\n";
    // Nobody comes after the second one, whose own answer would wake it.
    let run = run_all(&campaign(&experiment(3, errors), &model)).remove(0);
    assert_eq!((run.metrics.requests, run.metrics.ok), (2, 1), "only the first has failed");
}

/// Whatever a call waits for before its first attempt, and however that ends, it is a call: it is
/// counted once, attempted or not.
#[test]
fn a_call_that_is_never_attempted_is_counted() {
    let waits = [
        ("bulkhead = { limit = 1, queue = 100 }", ""),
        ("bulkhead = { limit = 1, queue = 100, max_wait = \"100ms\" }", ""),
        ("bulkhead = { limit = 1, queue = 2 }", ""),
        ("rate_limit = { rate = \"5/s\", burst = 1, max_wait = \"1h\" }", ""),
        ("breaker = { consecutive = 1, open_for = \"100ms\", probes_queue = true }", "errors"),
        ("bulkhead = { limit = 1, queue = 100 }", "crash"),
    ];
    for (policy, fault) in waits {
        let faults = match fault {
            "errors" => {
                "[[faults]]\nkind = \"errors\"\ntarget = \"back\"\nshare = \"50%\"\nat = \"0s\"\n\
                 for = \"8s\"\n"
                    .to_owned()
            }
            "crash" => crash("front", "5s", "10ms"),
            _ => String::new(),
        };
        // Those who have little time wait for those who have more, and take long.
        let text = format!("scope = \"shared\"\n{policy}");
        let hasty = "[clients.hasty]\narrivals = { poisson = \"50/s\" }\npatience = \"100ms\"\n\
                     flow = [{ call = \"front.get\" }]\n";
        let model = model(5, &text)
            .changed("instances = 2", "instances = 2\npropagate_deadline = {}")
            .changed("50ms", "300ms");
        let measured = "[measure]\nload = \"back.charge\"\n";
        let experiment = experiment(10, &format!("{measured}{faults}"));
        let run = run_all(&campaign(&experiment, &(model + hasty))).remove(0);
        let (calls, turned_away) = (run.metrics.calls, run.metrics.nobody_there[0]);
        assert_eq!(calls + turned_away, run.metrics.requests, "{policy} {fault}");
        let attempts = run.metrics.attempts;
        assert!(attempts < calls, "{policy} {fault}: {attempts} attempts of {calls} calls");
    }
}

/// Under every preset, with a state that all share, callers die again and again while every third
/// answer is an error. Minutes later it is as if they had not.
#[test]
fn no_preset_keeps_what_dead_callers_held() {
    let faults = deaths();
    let mut differ = Vec::new();
    for preset in presets::all() {
        let name = format!("{}@{}", preset.name, preset.version);
        let policy = format!("preset = \"{name}\"\nscope = \"shared\"");
        let [struck, calm] = [&faults[..], ""].map(|faults| {
            answers_after(&campaign(&experiment(200, faults), &model(20, &policy)), 150)
        });
        if struck != calm {
            differ.push(format!("{name}: {struck:?} and not {calm:?}"));
        }
    }
    assert!(differ.is_empty(), "{differ:#?}");
}
