//! Arms that import, and `diff` of two configurations: through the command line, in a folder.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const OLD: &str =
    "resilience4j.retry.instances: { checkout: { maxAttempts: 2 }, orders: { maxAttempts: 5 } }\n";

const MODEL: &str = r#"
[clients.users]
arrivals = { poisson = "40/s" }
flow = [{ call = "shop.pay" }]

[service.shop]
workers = 100
on.pay.steps = [{ call = "bank.charge", policy = "checkout" }, { reply = "ok" }]

[provider.bank]
concurrency = 100
latency = "exp 20ms"
effects = ["charge"]
errors_before = "20%"

[policy.checkout]
timeout = "1s"
"#;

const EXPERIMENT: &str = r#"
name = "x"
model = "model.toml"
arrivals = "10s"
seeds = "1..3"
[arms.today]
import = "old.yml"
"#;

/// A folder with these files, beside the model and the old configuration.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    for (name, text) in [("model.toml", MODEL), ("old.yml", OLD)].iter().chain(files) {
        std::fs::write(folder.path().join(name), text).expect(name);
    }
    folder
}

fn stormglass(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stormglass"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .expect("the command starts")
}

fn ok(folder: &Path, arguments: &[&str]) -> String {
    let ran = stormglass(folder, arguments);
    let error = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(0), "{arguments:?}: {error}");
    String::from_utf8(ran.stdout).expect("UTF-8") + &error
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let ran = stormglass(folder, arguments);
    assert_eq!(ran.status.code(), Some(2), "{arguments:?}");
    String::from_utf8(ran.stderr).expect("UTF-8")
}

/// The digests of the runs of an arm, by seed.
fn digests(folder: &Path, arm: &str) -> Vec<String> {
    let runs = std::fs::read_to_string(folder.join("out/x/runs.csv")).expect("the runs");
    let rows = runs.lines().filter(|row| row.starts_with(&format!("{arm},")));
    rows.map(|row| row.split(',').nth(3).expect("a digest").to_owned()).collect()
}

#[test]
fn what_is_printed_for_an_arm_is_what_an_arm_imports() {
    let folder = folder(&[]);
    let path = folder.path();
    let printed = ok(path, &["import", "old.yml", "--arm", "printed"]);
    assert!(printed.contains("[arms.printed.set.\"policy.checkout\"]\nretry = {"), "{printed}");
    // The model has no policy of the other name.
    let own = printed.split("[arms.printed.set.\"policy.orders\"]").next().expect("the first");
    let more = "[arms.named]\nimport = { file = \"old.yml\", policies = { checkout = \"orders\" } }\n\
                [arms.changed]\nimport = \"old.yml\"\n\
                set = { \"policy.checkout.retry.attempts\" = 5 }\n[arms.model]\n";
    let experiment = format!("{EXPERIMENT}{more}{own}");
    std::fs::write(path.join("x.toml"), experiment).expect("the experiment");
    ok(path, &["run", "x.toml", "--quiet"]);
    let today = digests(path, "today");
    assert_eq!(today.len(), 2);
    assert_eq!(digests(path, "printed"), today);
    assert_eq!(digests(path, "named"), digests(path, "changed"), "5 attempts, by either way");
    assert_ne!(digests(path, "named"), today);
    assert_ne!(digests(path, "model"), today);
}

#[test]
fn it_is_said_which_policy_takes_the_place_of_which_one() {
    let arm = |import: &str| format!("{EXPERIMENT}[arms.b]\nimport = {import}\n");
    let one = "resilience4j.retry.instances: { pay: { maxAttempts: 2 } }\n";
    let two = "resilience4j.retry.instances: { pay: {}, look: {} }\n";
    let broken = "resilience4j.retry.instances:\n  pay: { maxAttempts: two }\n";
    let files = [("one.yml", one), ("two.yml", two), ("broken.yml", broken)];
    let folder = folder(&files);
    let path = folder.path();
    let run = |import: &str| {
        std::fs::write(path.join("x.toml"), arm(import)).expect("the experiment");
        ["run", "x.toml", "--quiet"]
    };
    ok(path, &run("\"one.yml\""));
    for (import, told) in [
        ("\"two.yml\"", "policies = { checkout = \"NAME\" }, where NAME is one of: pay, look"),
        ("{ file = \"two.yml\", policies = { checkout = \"lok\" } }", "did you mean `look`?"),
        ("{ file = \"two.yml\", policies = { checkot = \"look\" } }", "did you mean `checkout`?"),
        ("{ file = \"two.yml\", instance = \"look\" }", "known: `file`, `format`, `policies`"),
        ("{ format = \"istio\" }", "`file` is missing"),
        ("{ file = \"two.yml\", format = \"istoi\" }", "did you mean `istio`?"),
        ("\"three.yml\"", "x.toml:9:10"),
        ("\"broken.yml\"", "broken.yml:2:23"),
        ("7", "expected a configuration"),
    ] {
        let error = refused(path, &run(import));
        assert!(error.contains(told), "{import}: {error}");
    }
    let warned = run("{ file = \"loud.yml\" }");
    let loud = "resilience4j.retry.instances: { pay: { retryExceptions: [a.Oops] } }\n";
    std::fs::write(path.join("loud.yml"), loud).expect("the file");
    let text = ok(path, &warned[..2]);
    assert!(text.contains("warning") && text.contains("`Oops` is ASSUMED"), "{text}");
}

#[test]
fn a_diff_tells_what_differs_and_exactly_nothing_where_nothing_does() {
    let new = OLD.replace("maxAttempts: 2", "maxAttempts: 4");
    // The same, otherwise written.
    let same = "{\"resilience4j\": {\"retry\": {\"instances\": {\"orders\": {\"max-attempts\": 5},\n\
                \"checkout\": {\"maxAttempts\": \"${N:2}\", \"waitDuration\": \"PT0.5S\"}}}}}\n";
    let folder = folder(&[("new.yml", &new), ("same.json", same), ("x.toml", EXPERIMENT)]);
    let path = folder.path();
    let text = ok(path, &["diff", "old.yml", "new.yml"]);
    assert_eq!(text, "policy.checkout\n  retry.attempts: 2 → 4\nnothing differs in 1 more\n");
    for within in ["x.toml", "model.toml"] {
        let text = ok(path, &["diff", "old.yml", "same.json", "--in", within, "--seeds", "1..3"]);
        assert!(text.starts_with("nothing differs in any of 2\n"), "{text}");
        let runs = std::fs::read_to_string(path.join("out/diff/runs.csv")).expect("the runs");
        let digest = |arm: &str| -> Vec<&str> {
            let rows = runs.lines().filter(|row| row.starts_with(arm));
            rows.map(|row| row.split_once(',').expect("an arm").1).collect()
        };
        assert_eq!(digest("old").len(), 2);
        assert_eq!(digest("old"), digest("new"), "{within}: the same in every number");
        let told =
            "2 of 2 pairs of runs are the same, event by event: every difference is exactly 0";
        assert!(text.contains(told), "{text}");
    }
    let text = ok(path, &["diff", "old.yml", "new.yml", "--in", "x.toml"]);
    assert!(text.contains("0 of 2 pairs of runs are the same, event by event\n"), "{text}");
    assert!(text.contains("out/diff.toml") && text.contains("retry.attempts: 2 → 4"), "{text}");
    // Laid on an arm, both begin with what it sets.
    let quick =
        format!("{EXPERIMENT}[arms.fast]\nset = {{ \"policy.checkout.timeout\" = \"7ms\" }}\n");
    std::fs::write(path.join("arms.toml"), quick).expect("the experiment");
    let args = ["diff", "old.yml", "new.yml", "--in", "arms.toml", "--arm", "fast"];
    ok(path, &args);
    let both = std::fs::read_to_string(path.join("out/diff.toml")).expect("the experiment of both");
    assert_eq!(both.matches("from = \"fast\"").count(), 2, "{both}");
    ok(path, &["run", "out/diff.toml", "--quiet", "--arm", "new", "--out", "out/again"]);
    // The experiment of both can be run again.
    ok(path, &["run", "out/diff.toml", "--quiet", "--arm", "new", "--out", "out/again"]);
    let text =
        ok(path, &["diff", "old.yml", "new.yml", "--in", "x.toml", "--policy", "checkout=orders"]);
    assert!(text.contains("2 of 2 pairs"), "orders is the same in both: {text}");
}

#[test]
fn a_reproduction_holds_what_its_arm_imports() {
    let promise = "[invariants]\none_charge = { effect = \"charge\" }\n";
    let experiment = format!("{EXPERIMENT}{promise}");
    let model = MODEL.replace("errors_before", "errors_after");
    let folder = folder(&[("x.toml", &experiment), ("model.toml", &model)]);
    let path = folder.path();
    let small = ["minimize", "x.toml", "--arm", "today", "--seed", "1", "--out", "small.toml"];
    let ran = stormglass(path, &small);
    assert!(path.join("small.toml").exists(), "{}", String::from_utf8_lossy(&ran.stderr));
    for gone in ["old.yml", "x.toml", "model.toml"] {
        std::fs::remove_file(path.join(gone)).expect(gone);
    }
    let text = ok(path, &["replay", "small.toml"]);
    assert!(text.contains("same violation") && text.contains("same digest"), "{text}");
}
