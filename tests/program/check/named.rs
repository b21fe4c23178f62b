//! Promises under names and labels of the user's own.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Ran, path, stormglass};

/// Charges have a key and tickets have none; one answer in ten is lost. A mail follows the ticket.
const MODEL: &str = r#"
[clients.fans]
arrivals = { poisson = "20/s" }
flow = [{ call = "shop.buy", policy = "patient" }]

[service.shop]
workers = 1000
on.buy.steps = [
  { call = "bank.charge", policy = "again", idempotency_key = "order" },
  { call = "post.ticket", policy = "again" },
  { call = "mailer.mail", policy = "patient" },
  { reply = "ok" },
]

[provider.bank]
concurrency = 1000
latency = "10ms"
effects = ["charge"]

[provider.post]
concurrency = 1000
latency = "10ms"
effects = ["ticket"]

[provider.mailer]
concurrency = 1000
latency = "20ms"
effects = ["mail"]

[link.default]
latency = "1ms"
reply_loss = "10%"

[policy.again]
timeout = "100ms"
retry = { attempts = 3, backoff = "constant 10ms" }

[policy.patient]
timeout = "9s"
"#;

const EXPERIMENT: &str = r#"
name = "tickets"
model = "model.toml"
seeds = "1..3"
arrivals = "10s"
drain = "10s"

[invariants]
one_charge = { effect = "charge" }

[invariants.tickets_once]
promise = "one_charge"
effect = "ticket"
label = "tickets sent twice"

[arms.plain]
[arms.slow.set]
"provider.post.latency" = "20ms"
"#;

fn write(experiment: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tickets.toml");
    std::fs::write(&file, experiment).unwrap();
    std::fs::write(folder.path().join("model.toml"), MODEL).unwrap();
    (folder, file)
}

fn check(file: &Path, more: &[&str]) -> Ran {
    stormglass(&[&["check", path(file)], more].concat())
}

/// Runs an experiment; returns the folder of what it wrote.
fn run(file: &Path) -> PathBuf {
    let out = file.with_file_name("out");
    let ran = stormglass(&["run", path(file), "--quiet", "--out", path(&out)]);
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    out
}

/// A column of a table, as numbers.
fn column(file: &Path, name: &str) -> Vec<u64> {
    let mut rows = csv::Reader::from_path(file).unwrap();
    let place = rows.headers().unwrap().iter().position(|column| column == name).expect(name);
    rows.records().map(|row| row.unwrap()[place].parse().expect("a whole number")).collect()
}

fn json(file: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn a_promise_stands_twice_and_each_is_judged_for_itself() {
    let (_folder, file) = write(EXPERIMENT);
    let [report, junit] = ["report.json", "junit.xml"].map(|name| file.with_file_name(name));
    let more = ["--arm", "plain", "--json", path(&report), "--junit", path(&junit)];
    let ran = check(&file, &more);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.error);
    assert!(ran.out.contains("VIOLATION tickets_once in arm plain: "), "{}", ran.out);
    let words = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = "tickets sent twice (at most one charge per order). It is broken for order";
    assert!(words.contains(sentence), "{words}");
    assert!(words.contains("* post: ticket happens again: 2 times now"), "its story: {words}");
    assert!(words.contains("kept one_charge: "), "{words}");
    let report = json(&report);
    let standing = |place: usize| {
        let one = &report["promises"][place];
        [&one["name"], &one["label"], &one["standing"]].map(|it| it.as_str().unwrap().to_owned())
    };
    assert_eq!(standing(0), ["one_charge", "double charges", "kept"]);
    assert_eq!(standing(1), ["tickets_once", "tickets sent twice", "broken"]);
    assert_eq!(report["violations"][0]["name"], "tickets_once");
    let junit = std::fs::read_to_string(junit).unwrap();
    assert!(junit.contains("name=\"one_charge\"/>"), "{junit}");
    assert!(junit.contains("name=\"tickets_once\">\n      <failure"), "{junit}");
}

#[test]
fn results_have_its_name_and_tables_its_label() {
    let (_folder, file) = write(EXPERIMENT);
    let out = run(&file);
    let runs = out.join("runs.csv");
    let of = |name: &str| {
        let count = |what: &str| column(&runs, &format!("{name}_{what}"));
        count("violations").into_iter().zip(count("exposure"))
    };
    assert!(of("one_charge").all(|(violations, exposure)| violations == 0 && exposure > 100));
    assert!(of("tickets_once").all(|(violations, exposure)| violations > 5 && exposure > 100));
    let tables = std::fs::read_to_string(out.join("tables.md")).unwrap();
    assert!(tables.contains("tickets sent twice per 10,000"), "{tables}");
    let told = std::fs::read_to_string(out.join("violations.jsonl")).unwrap();
    for line in told.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(
            (&line["invariant"], &line["promise"]),
            (&"tickets_once".into(), &"one_charge".into())
        );
    }
    let summary = &json(&out.join("summary.json"))["cells"][0]["invariants"][1];
    let named = ["name", "label", "promise"].map(|key| summary[key].as_str().unwrap());
    assert_eq!(named, ["tickets_once", "tickets sent twice", "one_charge"]);
}

#[test]
fn its_violation_is_made_small_seen_again_and_explained_by_its_name() {
    let (_folder, file) = write(EXPERIMENT);
    let small = file.with_file_name("small.toml");
    let minimize = |name: &str| {
        let choice = ["--seed", "1", "--arm", "plain", "--invariant", name];
        stormglass(&[&["minimize", path(&file)], &choice[..], &["--out", path(&small)]].concat())
    };
    let ran = minimize("tickets_onc");
    assert_eq!(ran.code, Some(2), "{}", ran.out);
    assert!(ran.error.contains("did you mean `tickets_once`?"), "{}", ran.error);
    let ran = minimize("tickets_once");
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.error);
    let sentence = "tickets_once: tickets sent twice (at most one charge per order).\n";
    assert!(ran.out.starts_with(sentence), "{}", ran.out);
    let ran = stormglass(&["replay", path(&small)]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.error);
    let ran = stormglass(&["explain", path(&small)]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.error);
    assert!(ran.out.contains("tickets_once: order "), "{}", ran.out);
    let wrong = std::fs::read_to_string(&small).unwrap();
    let wrong = wrong.replace("invariant = \"tickets_once\"", "invariant = \"mails_once\"");
    std::fs::write(&small, wrong).unwrap();
    let ran = stormglass(&["replay", path(&small)]);
    assert_eq!(ran.code, Some(2), "{}", ran.out);
    assert!(ran.error.contains("unknown promise `mails_once`"), "{}", ran.error);
}

#[test]
fn two_times_of_one_promise_have_their_own_cases_and_their_own_first() {
    let mail = |name: &str, effect: &str, within: &str| {
        format!(
            "[invariants.{name}]\npromise = \"implies\"\nif = \"effect charge\"\n\
             then = [\"effect {effect}\"]\nwithin = \"{within}\"\n"
        )
    };
    let promises = mail("mail_soon", "mail", "1s")
        + &mail("mail_ever", "mail", "16s")
        + &mail("mail_next", "mail", "3s")
        + &mail("ticket_soon", "ticket", "9s");
    let experiment = EXPERIMENT.replace("[arms.plain]", &format!("{promises}[arms.plain]"));
    let experiment = experiment.split("[arms.slow").next().unwrap();
    let (folder, file) = write(experiment);
    // A mail comes 5 s after its ticket; no answer is lost.
    let model = MODEL.replace("20ms", "5s").replace("reply_loss = \"10%\"\n", "");
    std::fs::write(folder.path().join("model.toml"), model).unwrap();
    let out = run(&file);
    let runs = out.join("runs.csv");
    let of = |name: &str| {
        ["violations", "exposure", "unjudged"]
            .map(|what| column(&runs, &format!("{name}_{what}"))[0])
    };
    let [late, cases, 0] = of("mail_soon") else { panic!("all are due: {:?}", of("mail_soon")) };
    assert!(late == cases && cases > 100, "every mail is later: {late} of {cases}");
    assert_eq!(of("mail_next"), [cases, cases, 0]);
    assert_eq!(of("ticket_soon"), [0, cases, 0]);
    let [late, due, unjudged] = of("mail_ever");
    assert!(late == 0 && due > 10 && unjudged > 10 && due + unjudged == cases, "{due} {unjudged}");
    let told = std::fs::read_to_string(out.join("violations.jsonl")).unwrap();
    let first = |name: &str| {
        let mut lines = told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let line = lines.find(|line| line["invariant"] == name).expect("it is broken");
        line["first_at_s"].as_f64().expect("a time")
    };
    let apart = first("mail_next") - first("mail_soon");
    assert!((apart - 2.0).abs() < 1e-6, "{apart}");
}

#[test]
fn arms_are_compared_and_searched_by_its_name() {
    let compare = "[compare]\nprimary = [\"tickets_once_per_10000\"]\n[arms.plain]";
    let (_folder, file) = write(&EXPERIMENT.replace("[arms.plain]", compare));
    let pairs = std::fs::read_to_string(run(&file).join("pairs.csv")).unwrap();
    assert!(pairs.contains("tickets_once_per_10000") && pairs.contains("tickets_once_violated"));
    let wrong = EXPERIMENT.replace("[arms.plain]", &compare.replace("tickets_", "ticket_"));
    let (_folder, file) = write(&wrong);
    let ran = check(&file, &[]);
    assert_eq!(ran.code, Some(2), "{}", ran.out);
    assert!(ran.error.contains("did you mean `tickets_once_per_10000`?"), "{}", ran.error);
    let compare = compare.replace("tickets_once", "fencing");
    let (_folder, file) = write(&EXPERIMENT.replace("[arms.plain]", &compare));
    let ran = check(&file, &[]);
    assert_eq!(ran.code, Some(2), "{}", ran.out);
    assert!(ran.error.contains("; names of your own here: `tickets_once`"), "{}", ran.error);
    let search = "[search]\nvary = \"link.default.reply_loss\"\nfrom = \"0.01%\"\n\
                  until = \"50%\"\nsteps = 9\nseeds = 10\n\
                  outcome = \"tickets_once_violated\"\n[arms.plain]";
    let (_folder, file) = write(&EXPERIMENT.replace("[arms.plain]", search));
    let level = &json(&run(&file).join("summary.json"))["boundaries"][0]["levels"][1];
    assert!(level["name"] == "D50" && level["reached"] == "between", "{level}");
    assert!(level["high"].as_f64().expect("a share of answers") < 0.1, "{level}");
}

#[test]
fn a_label_shows_what_it_says_and_acts_on_nobody() {
    let label = "<img src=x> | =cmd() twice";
    let (_folder, file) = write(&EXPERIMENT.replace("tickets sent twice", label));
    let out = run(&file);
    for name in ["tables.md", "violations.svg"] {
        let text = std::fs::read_to_string(out.join(name)).unwrap();
        assert!(text.contains("&lt;img src=x") && !text.contains("<img"), "{name}: {text}");
    }
}

#[test]
fn what_is_wrong_with_it_is_said_at_its_place() {
    for (from, to, expected) in [
        ("tickets_once]", "\"a b\"]", "`a b` cannot name a promise"),
        ("promise = \"one_charge\"\n", "", "unknown promise `tickets_once`"),
        ("promise = \"one_charge\"", "promise = \"once_charge\"", "did you mean `one_charge`?"),
        ("promise = \"one_charge\"", "promise = 7", "expected"),
        ("tickets_once]", "fencing]", "`fencing` is the name of another promise"),
        ("tickets sent twice", "double charges", "`tickets_once` has the label of `one_charge`"),
        ("\"tickets sent twice\"", "7", "expected"),
        ("\"tickets sent twice\"", "\"two\\nlines\"", "control character U+000A"),
        ("effect = \"ticket\"", "effect = \"tickets\"", "did you mean `ticket`?"),
        ("effect = \"ticket\"", "effects = \"ticket\"", "did you mean `effect`?"),
        (
            "promise = \"one_charge\"\neffect = \"ticket\"",
            "promise = \"implies\"\nif = \"effect ticket\"\nthen = [\"audit sent\"]",
            "no step writes the audit entry `sent`",
        ),
    ] {
        let (_folder, file) = write(&EXPERIMENT.replace(from, to));
        let ran = check(&file, &[]);
        assert_eq!(ran.code, Some(2), "{from}: {}", ran.out);
        assert!(ran.error.contains(expected), "{}", ran.error);
        let lines = [
            "tickets.toml:11:",
            "tickets.toml:12:",
            "tickets.toml:13:",
            "tickets.toml:14:",
            "tickets.toml:15:",
        ];
        assert!(lines.iter().any(|line| ran.error.contains(line)), "{}", ran.error);
    }
    let idle = "promise = \"retries_bounded\"\noperation = \"mailer.mail\"\nattempts = 2";
    let idle = EXPERIMENT.replace("promise = \"one_charge\"\neffect = \"ticket\"", idle);
    let (folder, file) = write(&idle);
    let model = MODEL.replace("  { call = \"mailer.mail\", policy = \"patient\" },\n", "");
    std::fs::write(folder.path().join("model.toml"), model).unwrap();
    let ran = check(&file, &[]);
    assert!(
        ran.error.contains("warning") && ran.error.contains("tickets.toml:13:"),
        "{}",
        ran.error
    );
}

#[test]
fn arms_that_promise_something_else_by_the_same_name_are_refused() {
    for (path, value) in [("promise", "deadline_honest"), ("label", "tickets doubled")] {
        let set = format!("\n\"invariants.tickets_once.{path}\" = \"{value}\"");
        let more = "\n\"invariants.tickets_once.operation\" = \"shop.buy\"\n\
                    \"invariants.tickets_once.skew\" = \"1s\"";
        let more = if path == "promise" { more } else { "" };
        let (_folder, file) = write(&format!("{}{set}{more}\n", EXPERIMENT.trim_end()));
        let ran = check(&file, &[]);
        assert_eq!(ran.code, Some(2), "{path}: {}", ran.out);
        assert!(
            ran.error.contains("`slow` watches other invariants than `plain`"),
            "{}",
            ran.error
        );
    }
}
