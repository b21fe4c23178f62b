//! The answer of a campaign: what to take, what to avoid and what is not decided, by the rule of
//! docs/results.md.

use crate::common::{Changed, campaign, run_all};
use std::process::Command;
use stormglass::experiment::compare::answer::Answer;
use stormglass::experiment::measure::summary::summarise;
use stormglass::report::answer::sentences;

/// A provider behind a service. Half of the errors come after the charge.
const SHOP: &str = r#"
[clients.users]
arrivals = { poisson = "50/s" }
flow = [{ call = "shop.buy", policy = "user" }]
[service.shop]
workers = 50
[service.shop.on.buy]
steps = [{ call = "bank.charge", policy = "again" }, { reply = "ok" }]
[provider.bank]
effects = ["charge"]
concurrency = 50
latency = "10ms"
errors_before = "10%"
errors_after = "10%"
[policy.user]
timeout = "5s"
[policy.again]
timeout = "1s"
"#;

/// Asking again buys success and charges twice; giving up does neither.
const ASK_AGAIN: &str = r#"
name = "ask-again"
model = "model.toml"
seeds = "1..6"
arrivals = "20s"
[measure]
load = "bank.charge"
[invariants]
one_charge = { effect = "charge" }
[arms.never]
label = "give up"
[arms.again]
label = "ask again"
set = { "policy.again.retry" = { attempts = 4 } }
"#;

/// What is said of an experiment.
fn said(experiment: &str, model: &str) -> (Answer, Vec<String>) {
    let campaign = campaign(experiment, model);
    let results = run_all(&campaign);
    let answer = Answer::new(&campaign, &results);
    let sentences = sentences(&campaign, &summarise(&campaign, &results), &answer);
    (answer, sentences)
}

#[test]
fn a_broken_promise_weighs_more_than_finished_work() {
    let (_, sentences) = said(ASK_AGAIN, SHOP);
    assert!(
        sentences[0].starts_with(
            "Keep give up: no promise was broken in 5 runs (<46%), success 79.7 ±1.4%"
        ),
        "{sentences:?}"
    );
    assert!(
        sentences[1].starts_with("Avoid ask again: it breaks double charges ("),
        "{sentences:?}"
    );
    assert_eq!(sentences.len(), 2, "nothing is open: {sentences:?}");
}

#[test]
fn finished_work_decides_where_promises_are_kept_alike() {
    let keyed = SHOP
        .changed("call = \"bank.charge\"", "call = \"bank.charge\", idempotency_key = \"order\"");
    let (_, sentences) = said(ASK_AGAIN, &keyed);
    assert!(
        sentences[0]
            .starts_with("Take ask again: no promise was broken in 5 runs (<46%), success 99."),
        "{sentences:?}"
    );
    assert!(sentences[1].starts_with("Avoid give up: success 79.7 ±1.4%"), "{sentences:?}");
}

#[test]
fn what_is_declared_primary_decides_instead_of_success() {
    let keyed = SHOP
        .changed("call = \"bank.charge\"", "call = \"bank.charge\", idempotency_key = \"order\"");
    let load = format!("{ASK_AGAIN}\n[compare]\nprimary = [\"amplification\"]\n");
    let (_, sentences) = said(&load, &keyed);
    assert!(sentences[0].starts_with("Keep give up: "), "no retry makes less load: {sentences:?}");
}

#[test]
fn arms_that_do_the_same_are_as_good_and_the_baseline_is_kept() {
    let same = ASK_AGAIN.changed("{ attempts = 4 }", "{ attempts = 1 }");
    let (answer, sentences) = said(&same, SHOP);
    assert_eq!((answer.equals.len(), answer.avoided, &answer.open), (1, None, &None));
    assert!(sentences[0].contains("; as good as these runs tell: ask again."), "{sentences:?}");
    assert_eq!(sentences.len(), 1);
}

/// Mails that go through a queue.
const MAILS: &str = r#"
[clients.users]
arrivals = { poisson = "20/s" }
flow = [{ call = "api.write" }]
[service.api]
workers = 10
[service.api.on.write]
steps = [{ publish = "mails", policy = "within" }, { reply = "ok" }]
[queue.mails]
visibility = "10s"
redelivery = "1s"
max_receives = 3
[service.mailer]
workers = 20
takes = "mails"
steps = [{ work = "80ms" }, { ack = true, policy = "within" }]
[policy.within]
timeout = "1s"
"#;

/// Behind a queue, what users are answered says nothing of whether the work was done.
#[test]
fn messages_that_nobody_handles_are_work_that_is_not_finished() {
    let experiment = r#"
name = "mails"
model = "model.toml"
seeds = "1..6"
arrivals = "20s"
drain = "10s"
[arms.one]
label = "one mailer"
set = { "service.mailer.workers" = 1 }
[arms.twenty]
label = "twenty mailers"
"#;
    let (answer, sentences) = said(experiment, MAILS);
    let names: Vec<&str> = answer.criteria.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["success_ratio", "unhandled", "amplification"]);
    assert!(sentences[0].starts_with("Take twenty mailers: "), "{sentences:?}");
    assert!(sentences[0].contains("messages not handled"), "{sentences:?}");
    assert!(sentences[1].starts_with("Avoid one mailer: "), "{sentences:?}");

    let milestone = "[milestone.mailed]\nof = \"api.write\"\nwhen = \"acknowledged mails\"\n\
                     [measure]\nmilestone = \"mailed\"\n";
    let (answer, _) = said(&format!("{experiment}{milestone}"), MAILS);
    let names: Vec<&str> = answer.criteria.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["success_ratio", "amplification"], "the milestone says it better");
}

/// Where all finish the same, who makes the most load is to be avoided, not who comes last.
#[test]
fn what_to_avoid_is_the_worst_by_what_tells_it_apart() {
    let experiment = r#"
name = "layers"
model = "model.toml"
seeds = "1..6"
arrivals = "20s"
[measure]
load = "bank.charge"
[arms.eight]
set = { "policy.again.hedge" = { delay = "1ms", extra = 1 } }
[arms.none]
[arms.seldom]
set = { "policy.again.hedge" = { delay = "9900us", extra = 1 } }
"#;
    let slow = SHOP
        .changed("latency = \"10ms\"", "latency = \"uniform 9ms..11ms\"")
        .changed("errors_before = \"10%\"\nerrors_after = \"10%\"\n", "");
    let (answer, sentences) = said(experiment, &slow);
    let avoided = answer.avoided.map(|choice| answer.choices[choice].name.as_str());
    assert_eq!(avoided, Some("eight"), "{sentences:?}");
}

/// The two arms differ in one attempt of the few that fail.
const CLOSE: &str = r#"
name = "close"
model = "model.toml"
seeds = "1..6"
arrivals = "4s"
[arms.twice]
set = { "policy.again.retry" = { attempts = 2 } }
[arms.thrice]
set = { "policy.again.retry" = { attempts = 3 } }
"#;

#[test]
fn what_few_runs_do_not_tell_is_said_with_the_seeds_that_would() {
    let rarely = SHOP.changed("\"10%\"", "\"6%\"");
    let (answer, sentences) = said(CLOSE, &rarely);
    let open = answer.open.expect("1.4% of requests are not told from none in five short runs");
    let seeds = open.seeds.expect("both have a success");
    assert!((6..200).contains(&seeds), "{open:?}");
    let last = sentences.last().expect("it says something");
    assert!(last.starts_with("Not decided by these runs: twice or thrice by success ("), "{last}");
    assert!(last.contains(&format!("about {seeds} seeds tell a difference of 1%.")), "{last}");

    let (answer, _) = said(&CLOSE.changed("1..6", "1..61"), &rarely);
    assert_eq!(answer.open, None, "sixty runs tell");
}

/// What looks worse is not taken, and what is not known to be worse is not to be avoided either.
#[test]
fn what_is_not_decided_is_neither_taken_nor_avoided() {
    let rarely = SHOP.changed("\"10%\"", "\"6%\"");
    let (answer, sentences) = said(&format!("{CLOSE}[compare]\nbaseline = \"thrice\"\n"), &rarely);
    let taken = answer.taken.map(|choice| answer.choices[choice].name.as_str());
    assert_eq!(taken, Some("thrice"), "{sentences:?}");
    assert_eq!((answer.avoided, answer.equals), (None, vec![]), "{sentences:?}");
    let other = answer.open.map(|open| answer.choices[open.other].name.as_str());
    assert_eq!(other, Some("twice"), "{sentences:?}");
}

/// Where every choice breaks a promise, how often for a request decides, and not how often in all;
/// and of the others it is not success that names the worst.
#[test]
fn of_broken_promises_the_share_of_requests_counts() {
    let experiment = r#"
name = "errors"
model = "model.toml"
seeds = "1..6"
arrivals = "20s"
[invariants]
one_charge = { effect = "charge" }
[compare]
baseline = "often"
[arms.rare]
set = { "provider.bank.errors_after" = "8%" }
[arms.few_users]
set = { "provider.bank.errors_after" = "16%", "clients.users.arrivals" = { poisson = "20/s" } }
[arms.often]
set = { "provider.bank.errors_after" = "30%", "policy.again.retry" = { attempts = 4 } }
"#;
    let model = SHOP.changed("[policy.again]", "[policy.again]\nretry = { attempts = 2 }");
    let (answer, sentences) = said(experiment, &model);
    let name = |choice: Option<usize>| choice.map(|it| answer.choices[it].name.as_str());
    assert_eq!(name(answer.taken), Some("rare"), "{sentences:?}");
    assert_eq!(name(answer.avoided), Some("often"), "{sentences:?}");
    assert_eq!((&answer.equals, &answer.open), (&vec![], &None), "{sentences:?}");
}

#[test]
fn a_choice_has_to_do_well_under_every_condition() {
    let loads = format!(
        "{ASK_AGAIN}\n[factors.load.low]\n[factors.load.high]\n\
         set = {{ \"clients.users.arrivals\" = {{ poisson = \"80/s\" }} }}\n"
    );
    let (answer, sentences) = said(&loads, SHOP);
    let names: Vec<&str> = answer.choices.iter().map(|choice| choice.name.as_str()).collect();
    assert_eq!(names, ["give up", "ask again"], "how many users come is nobody's choice");
    assert!(sentences[0].contains("in 10 runs (<46%)"), "{sentences:?}");

    let workers = format!(
        "{ASK_AGAIN}\n[factors.size.small]\n[factors.size.large]\n\
         set = {{ \"service.shop.workers\" = 100 }}\n"
    );
    let names = |experiment: &str| -> Vec<(String, bool)> {
        let choices = said(experiment, SHOP).0.choices.into_iter();
        choices.map(|choice| (choice.name, choice.is_baseline)).collect()
    };
    let four = ["small, give up", "small, ask again", "large, give up", "large, ask again"];
    let named = |names: &[&str]| -> Vec<(String, bool)> {
        names.iter().enumerate().map(|(place, name)| ((*name).to_owned(), place == 0)).collect()
    };
    assert_eq!(names(&workers), named(&four), "how many workers there are is a choice");
    let (before, rest) = workers.split_once("[arms.never]").expect("two arms");
    let (_, factors) = rest.split_once("\n[factors").expect("a factor");
    let alone = format!("{before}[factors{factors}");
    assert_eq!(names(&alone), named(&["small", "large"]), "of one arm nobody has to be told");
}

#[test]
fn what_the_experiment_expects_weighs_more_than_finished_work() {
    let keyed = SHOP
        .changed("call = \"bank.charge\"", "call = \"bank.charge\", idempotency_key = \"order\"");
    let expects = format!("{ASK_AGAIN}[expect]\namplification = \"<= 1.1\"\n");
    let (_, sentences) = said(&expects, &keyed);
    assert!(sentences[0].starts_with("Keep give up: no promise was broken"), "{sentences:?}");
    assert!(
        sentences[1].starts_with("Avoid ask again: it misses amplification <= 1.1 in 5 of 5 runs"),
        "{sentences:?}"
    );
}

#[test]
fn a_run_that_reached_a_limit_is_no_reason_to_take_anything() {
    let (answer, sentences) = said(&format!("{ASK_AGAIN}\n[limits]\nevents = 100\n"), SHOP);
    assert_eq!(answer.taken, None);
    assert_eq!(
        sentences,
        ["Nothing is chosen: a run of each reached a limit, so nothing can be said of it."]
    );
}

#[test]
fn a_promise_that_nothing_could_break_is_not_called_kept() {
    let idle = ASK_AGAIN.changed(
        "one_charge = { effect = \"charge\" }",
        "one_charge = { effect = \"charge\" }\nevent_order = { queue = \"mail\" }",
    );
    let model = format!(
        "{SHOP}\n[queue.mail]\nvisibility = \"10s\"\n[service.mailer]\nworkers = 1\ntakes = \"mail\"\nsteps = [{{ ack = true }}]\n"
    );
    let (_, sentences) = said(&idle, &model);
    assert!(
        sentences[0].contains("no promise was broken in 5 runs (<46%; 1 not exercised)"),
        "{sentences:?}"
    );
}

#[test]
fn the_terminal_says_it_in_25_lines_and_tables_md_has_all_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("model.toml"), SHOP).expect("the model");
    std::fs::write(folder.path().join("ask-again.toml"), ASK_AGAIN).expect("the experiment");
    let run = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
        command.current_dir(folder.path()).env("COLUMNS", "80").args(["run", "ask-again.toml"]);
        let output = command.args(more).output().expect("it starts");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let short = run(&[]);
    assert!(short.lines().count() <= 25, "{short}");
    assert!(short.contains("Keep give up: no promise was broken"), "{short}");
    assert!(short.contains("kept") && short.contains("tables.md"), "{short}");
    let full = run(&["--full"]);
    let tables =
        std::fs::read_to_string(folder.path().join("out/ask-again/tables.md")).expect("it");
    for text in [&full, &tables] {
        assert!(text.contains("Keep give up: no promise was broken"), "{text}");
        assert!(text.contains("attempts per request") && text.contains("verdict"), "{text}");
    }
    assert!(!short.contains("verdict"), "{short}");
}

#[test]
fn one_arm_is_told_of_with_whether_it_came_back() {
    let experiment = "name = \"storm\"\nmodel = \"model.toml\"\nseeds = \"1..4\"\narrivals = \"40s\"\n\
                      [measure]\nwarm_up = \"0s\"\n[[faults]]\nkind = \"slow\"\ntarget = \"shop\"\n\
                      factor = 50\nat = \"10s\"\nfor = \"5s\"\n";
    let model = "[clients.users]\narrivals = { poisson = \"90/s\" }\n\
                 flow = [{ call = \"shop.buy\", policy = \"again\" }]\n\
                 [service.shop]\nworkers = 1\n[service.shop.on.buy]\n\
                 steps = [{ work = \"10ms\" }, { reply = \"ok\" }]\n\
                 [policy.again]\ntimeout = \"200ms\"\nretry = { attempts = 4 }\n";
    let (answer, sentences) = said(experiment, model);
    let names: Vec<&str> = answer.criteria.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["success_ratio", "never_recovered", "amplification"]);
    assert_eq!(sentences.len(), 1, "{sentences:?}");
    assert!(sentences[0].starts_with("model: no promise is watched, success "), "{sentences:?}");
    assert!(sentences[0].ends_with(", never recovered in 3 of 3 runs."), "{sentences:?}");
}
