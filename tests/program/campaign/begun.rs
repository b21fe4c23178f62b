//! `from`: an arm or a level that begins with what another one changes.

use std::fs;

use super::super::check::{path, stormglass};
use tempfile::TempDir;

const MODEL: &str = r#"
[clients.users]
arrivals = { poisson = "20/s" }
flow = [{ call = "bank.charge", policy = "twice" }]
[provider.bank]
concurrency = 3
latency = "exp 100ms"
[policy.twice]
timeout = "200ms"
retry = { attempts = 2 }
"#;

const EXPERIMENT: &str =
    "name = \"begun\"\nmodel = \"model.toml\"\nseeds = \"1..3\"\narrivals = \"10s\"\n";

/// What stands behind another one, and is written before it.
const FROM: &str = r#"
[arms.third]
from = "second"
set = { "policy.twice.timeout" = "400ms" }
[arms.second]
from = "first"
set = { "policy.twice.retry.attempts" = 4 }
[arms.first]
set = { "policy.twice.timeout" = "300ms", "provider.bank.concurrency" = 4 }
[factors.load.low]
set = { "clients.users.arrivals.poisson" = "10/s", "provider.bank.latency" = "exp 90ms" }
[factors.load.high]
from = "low"
set = { "clients.users.arrivals.poisson" = "30/s" }
"#;

const SPELT: &str = r#"
[arms.third]
set = { "policy.twice.timeout" = "400ms", "provider.bank.concurrency" = 4, "policy.twice.retry.attempts" = 4 }
[arms.second]
set = { "policy.twice.timeout" = "300ms", "provider.bank.concurrency" = 4, "policy.twice.retry.attempts" = 4 }
[arms.first]
set = { "policy.twice.timeout" = "300ms", "provider.bank.concurrency" = 4 }
[factors.load.low]
set = { "clients.users.arrivals.poisson" = "10/s", "provider.bank.latency" = "exp 90ms" }
[factors.load.high]
set = { "clients.users.arrivals.poisson" = "30/s", "provider.bank.latency" = "exp 90ms" }
"#;

#[test]
fn an_arm_begins_with_what_another_one_changes() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("model.toml"), MODEL).unwrap();
    let file = folder.path().join("begun.toml");
    let run = |more: &str| {
        fs::write(&file, format!("{EXPERIMENT}{more}")).unwrap();
        let out = folder.path().join("out");
        stormglass(&["run", path(&file), "--out", path(&out), "--quiet"])
    };
    let rows = |more: &str| {
        let ran = run(more);
        assert_eq!((ran.code, ran.error.as_str()), (Some(0), ""));
        fs::read_to_string(folder.path().join("out/runs.csv")).unwrap()
    };
    let begun = rows(FROM);
    assert_eq!(begun, rows(SPELT));
    assert_eq!(begun.lines().count(), 1 + 3 * 2 * 2);
    let error = |more: &str| {
        let ran = run(more);
        assert_eq!(ran.code, Some(2), "{}", ran.out);
        ran.error
    };
    let told = error("[arms.one]\nfrom = \"twoo\"\n[arms.two]\n");
    assert!(told.contains("did you mean `two`?") && told.contains("begun.toml:6:8"), "{told}");
    let told = error("[arms.one]\nfrom = \"two\"\n[arms.two]\nfrom = \"one\"\n");
    assert!(told.contains("begins with what begins with it"), "{told}");
}
