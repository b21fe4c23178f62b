//! `map`: each dependency fails in each way, beside the same seed without; harms come back by the
//! command that stands beside them, and nobody is harmed by what no path reaches.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::common::Changed;

/// Two features of a shop, each with a store of its own. Nobody calls `idle`, and nobody asks for
/// what would look into the archive.
const SHOP: &str = r#"
[clients.readers]
arrivals = { constant = "50/s" }
flow = [{ call = "shop.read", policy = "once" }]

[clients.buyers]
arrivals = { constant = "20/s" }
flow = [{ call = "shop.buy", policy = "once" }]

[service.shop]
workers = 1000
on.read.steps = [{ call = "pages.get", policy = "once" }, { reply = "ok" }]
on.buy.steps = [{ call = "bank.charge", policy = "once" }, { reply = "ok" }]
on.audit.steps = [{ call = "archive.get", policy = "once" }, { reply = "ok" }]

[service.pages]
workers = 1000
on.get.steps = [{ work = "10ms" }, { reply = "ok" }]

[service.archive]
workers = 1
on.get.steps = [{ work = "10ms" }, { reply = "ok" }]

[service.idle]
workers = 1
on.get.steps = [{ work = "10ms" }, { reply = "ok" }]

[provider.bank]
concurrency = "unlimited"
latency = "10ms"
effects = ["charge"]

[link.default]
latency = "1ms"

[policy.once]
timeout = "5s"
"#;

/// What the map of the shop takes promises from, and three ways to have its pages.
const EXPERIMENT: &str = r#"
name = "features"
model = "model.toml"
arrivals = "24s"
drain = "10s"
seeds = "5..30"

[measure]
warm_up = "2s"

[[faults]]
kind = "slow"
target = "pages"
factor = 2
at = "3s"
for = "1s"

[invariants.charged_once]
promise = "one_charge"
effect = "charge"

[arms.waits]
[arms.hurries.set]
"policy.once.timeout" = "100ms"
"#;

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("model.toml"), SHOP).unwrap();
    std::fs::write(folder.path().join("experiment.toml"), EXPERIMENT).unwrap();
    folder
}

fn stormglass(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    command.args(arguments).current_dir(folder).output().unwrap()
}

/// The map that a command prints as JSON.
fn map(folder: &Path, arguments: &[&str]) -> Value {
    let output = stormglass(folder, &[&["map", "model.toml", "--json"], arguments].concat());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The fields of a map, by dependency and failure.
fn fields(map: &Value) -> BTreeMap<(String, String), Value> {
    let fields = map["fields"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let key = |field: &Value| (text(&field["dependency"]), text(&field["failure"]));
    fields.iter().map(|field| (key(field), field.clone())).collect()
}

/// How the requests for an operation fared while a failure lasted.
fn asked(field: &Value, operation: &str) -> Value {
    let operations = field["harm"]["operations_while_it_lasts"].as_array().unwrap();
    operations.iter().find(|one| one["operation"] == operation).unwrap()["requests"].clone()
}

#[test]
fn a_map_says_who_notices_what_and_what_exists_once() {
    let folder = folder();
    let map = map(folder.path(), &["--set", "arrivals=24s"]);
    let fields = fields(&map);
    let field = |node: &str, mode: &str| &fields[&(node.to_owned(), mode.to_owned())];
    assert_eq!(fields.len(), 25, "five dependencies by five ways");

    // 16 s of 24 s: from the 8th to the 16th second, 50 readers and 20 buyers a second.
    assert_eq!((map["at_s"].as_f64(), map["for_s"].as_f64()), (Some(8.0), Some(8.0)));
    let slow = field("pages", "slow");
    let read = asked(slow, "shop.read");
    assert_eq!((&read["of"], &read["slower"]), (&800.into(), &800.into()), "2 seeds of 8 s");
    assert_eq!(asked(slow, "shop.buy")["worse"], 0);
    // Slower is more than 100 ms longer: 10 ms take that from 11 times as long on. 20 do, 10.5 not.
    let begins = &slow["harm_begins"];
    assert_eq!(
        (&begins["harms"]["factor"], &begins["harmless"]["factor"]),
        (&20.0.into(), &10.5.into())
    );

    let gone = field("bank", "unavailable");
    assert_eq!(asked(gone, "shop.buy")["failed"], 320, "all, and no reader");
    assert_eq!(asked(gone, "shop.read")["worse"], 0);
    let single = |node: &str, operations: &[&str]| serde_json::json!({ "dependency": node, "operations": operations });
    let found = map["single_points"].as_array().unwrap();
    let mut found = found.clone();
    found.sort_by_key(Value::to_string);
    let shop = single("shop", &["shop.read", "shop.buy"]);
    let mut expected = vec![single("bank", &["shop.buy"]), single("pages", &["shop.read"]), shop];
    expected.sort_by_key(Value::to_string);
    assert_eq!(found, expected);

    assert_eq!(field("bank", "stale")["mark"], "no_meaning");
    assert_eq!(field("shop", "slow")["mark"], "no_effect", "it does no work of its own");
    let twice = &field("bank", "duplicated")["harm"]["promises"];
    let charged = twice.as_array().unwrap().iter().find(|one| one["name"] == "one_charge").unwrap();
    assert!(charged["violations_more"].as_u64().unwrap() > 50, "of 320 calls half: {twice}");
    assert_eq!(map["promises_are_declared"], false);

    let output = stormglass(folder.path(), &["map", "model.toml", "--set", "arrivals=24s"]);
    let said = String::from_utf8(output.stdout).unwrap();
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.starts_with("Single points of failure: `shop` takes shop.read and shop.buy with it;"),
        "{said}"
    );
    assert!(words.contains("bank duplicated: double charges 72 a run"), "{said}");
    assert!(
        words.contains(
            "stormglass run out/map-model/bank-duplicated.toml --set arrivals=24s shop unavailable"
        ),
        "{said}"
    );
}

#[test]
fn what_no_path_reaches_is_hatched_and_harms_nobody() {
    let folder = folder();
    let fields = fields(&map(folder.path(), &["--set", "arrivals=24s"]));
    let mut hatched = 0;
    for ((node, mode), field) in &fields {
        let is_beside = node == "idle" || node == "archive";
        let has_meaning = !field["fault"].is_null();
        assert_eq!(field["mark"] == "not_reached", is_beside && has_meaning, "{node} {mode}");
        if field["mark"] != "not_reached" {
            continue;
        }
        hatched += 1;
        assert!(field["replay"].is_null() && field["harm"].is_null());
        // The fault itself: nothing is asked of it, and nobody fares worse.
        let fault: toml::Value = serde_json::from_value(field["fault"].clone()).unwrap();
        let mut experiment = toml::Table::new();
        experiment.insert("extends".to_owned(), "calm.toml".into());
        experiment.insert("name".to_owned(), "beside".into());
        experiment.insert("faults".to_owned(), toml::Value::Array(vec![fault]));
        let file = folder.path().join("out/map-model/beside.toml");
        std::fs::write(&file, experiment.to_string()).unwrap();
        let run = ["run", "out/map-model/beside.toml", "--set", "arrivals=24s", "--quiet"];
        assert!(stormglass(folder.path(), &run).status.success(), "{node} {mode}");
        let summary = read(&folder.path().join("out/beside/summary.json"));
        let radius = &summary["cells"][0]["blast_radius"];
        assert_eq!(radius["requests"]["worse"], 0, "{node} {mode}");
        assert!(radius["requests"]["of"].as_u64().unwrap() > 2_000);
    }
    assert_eq!(hatched, 6, "slow, duplicated and unavailable, of two services");
}

#[test]
fn each_harm_comes_back_by_its_command() {
    let folder = folder();
    let map = map(folder.path(), &["--set", "arrivals=24s"]);
    let mut harms = 0;
    for ((node, mode), field) in fields(&map) {
        let Some(replay) = field["replay"].as_str() else {
            assert_ne!(field["mark"], "harm", "{node} {mode}");
            continue;
        };
        harms += 1;
        let words: Vec<&str> = replay.split(' ').skip(1).chain(["--quiet"]).collect();
        let output = stormglass(folder.path(), &words);
        assert!(output.status.success(), "{replay}: {}", String::from_utf8_lossy(&output.stderr));
        let name = format!("out/map-model-{node}-{mode}/summary.json");
        let summary = read(&folder.path().join(name));
        let (radius, harm) = (&summary["cells"][0]["blast_radius"], &field["harm"]);
        assert_eq!(radius["requests"], harm["requests"], "{node} {mode}");
        assert_eq!(radius["requests_in_fault"], harm["requests_while_it_lasts"], "{node} {mode}");
        assert_eq!(radius["promises"], harm["promises"], "{node} {mode}");
    }
    assert_eq!(harms, 8, "what `a_map_says_who_notices_what` tells of");
}

#[test]
fn the_map_is_the_same_with_one_worker_and_with_two() {
    let folder = folder();
    let files = |workers: &str| {
        let out = folder.path().join(workers);
        let options = ["--set", "arrivals=12s", "--workers", workers, "--out", "same"];
        map(folder.path(), &options);
        std::fs::rename(folder.path().join("same"), &out).unwrap();
        let each = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path());
        let named =
            each.map(|path| (path.file_name().unwrap().to_owned(), std::fs::read(&path).unwrap()));
        named.collect::<BTreeMap<_, _>>()
    };
    let (one, two) = (files("1"), files("2"));
    assert!(one.contains_key(std::ffi::OsStr::new("map.svg")));
    assert!(one == two, "other files, or other bytes");
}

#[test]
fn an_experiment_gives_arrivals_promises_and_what_its_arm_sets() {
    let folder = folder();
    let of_arm = |arm: &str| map(folder.path(), &["--experiment", "experiment.toml", "--arm", arm]);
    let (waits, hurries) = (of_arm("waits"), of_arm("hurries"));
    for map in [&waits, &hurries] {
        assert_eq!(map["of"], "features");
        assert_eq!(map["promises"], serde_json::json!(["charged_once"]));
        assert_eq!(map["seeds"], serde_json::json!(["5", "6"]), "the first two");
        assert_eq!((map["at_s"].as_f64(), map["for_s"].as_f64()), (Some(8.0), Some(8.0)));
    }
    let slow = |map: &Value| fields(map)[&("pages".to_owned(), "slow".to_owned())].clone();
    assert_eq!(asked(&slow(&waits), "shop.read")["slower"], 800);
    assert_eq!(asked(&slow(&hurries), "shop.read")["failed"], 800, "200 ms are too long for it");
    // The experiment's own fault is not in the world in which nothing goes wrong.
    let calm = std::fs::read_to_string(folder.path().join("out/map-features/calm.toml")).unwrap();
    assert!(!calm.contains("faults") && calm.contains("policy.once.timeout"), "{calm}");
    let run = ["run", "out/map-features/pages-slow.toml", "--quiet"];
    assert!(stormglass(folder.path(), &run).status.success());
    let summary = read(&folder.path().join("out/map-features-pages-slow/summary.json"));
    let harm = &slow(&hurries)["harm"];
    assert_eq!(summary["cells"][0]["blast_radius"]["requests"], harm["requests"]);
}

#[test]
fn what_cannot_be_mapped_says_why() {
    let folder = folder();
    let said = |arguments: &[&str]| {
        let output = stormglass(folder.path(), &[&["map", "model.toml"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let several = said(&["--experiment", "experiment.toml"]);
    assert!(several.contains("--arm with one of: waits, hurries"), "{several}");
    let searching = EXPERIMENT.changed("[arms.waits]", "[rare]\nwhen = \"x\"\n[arms.waits]");
    std::fs::write(folder.path().join("searching.toml"), searching).unwrap();
    said(&["--experiment", "searching.toml"]);
    let short = said(&["--set", "arrivals=1ns"]);
    assert!(short.contains("--set arrivals=60s"), "{short}");
    let nobody = said(&["--experiment", "nowhere.toml"]);
    assert!(nobody.contains("there is no such file"), "{nobody}");
}

#[test]
fn paths_lead_through_caches_replicas_outboxes_and_queues() {
    let folder = tempfile::tempdir().unwrap();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/checkout.toml");
    std::fs::copy(model, folder.path().join("model.toml")).unwrap();
    let rate = "clients.shoppers.arrivals.poisson=20/s";
    let elsewhere = tempfile::tempdir().unwrap();
    let out = elsewhere.path().join("deep/map");
    let out = ["--out", out.to_str().unwrap()];
    let options = ["--set", rate, "--set", "arrivals=30s", "--seeds", "1..2"];
    let map = map(folder.path(), &[options.as_slice(), &out].concat());
    let fields = fields(&map);
    assert!(fields.values().all(|field| field["mark"] != "not_reached"));
    let field = |node: &str, mode: &str| &fields[&(node.to_owned(), mode.to_owned())];
    let takes = |node: &str| field(node, "unavailable")["harm"]["takes_away"].clone();
    assert_eq!(takes("orders"), serde_json::json!(["api.place_order"]));
    assert_eq!(takes("orders_replica"), serde_json::json!(["api.order_status"]));
    // Users do not notice who carries messages: the work is late.
    let relay = &field("relay", "unavailable")["harm"];
    // Late is 5 s: no message is so old if the relay is gone for half of ten seconds.
    let begins = &field("relay", "unavailable")["harm_begins"];
    assert_eq!(
        (&begins["harms"]["for"], &begins["harmless"]["for"]),
        (&"10s".into(), &"5s".into())
    );
    assert!(relay["late_s"].as_f64().unwrap() > 9.0 && takes("relay") == serde_json::json!([]));
    assert_eq!(field("orders", "inconsistent")["fault"]["to"], "orders_replica");
    // The command finds the model from another folder too, and says how late the work is.
    let replay = field("relay", "unavailable")["replay"].as_str().unwrap();
    let words: Vec<&str> = replay.split(' ').skip(1).collect();
    let said = stormglass(folder.path(), &words);
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("oldest message"), "{replay}: {said}");
    assert_eq!(field("orders", "stale")["mark"], "no_meaning");
}
