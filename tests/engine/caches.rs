//! When rows leave a cache, by when they were filled and by when they were asked for, and how long
//! it is kept that there is no row.

use crate::common::{Changed, campaign};
use stormglass::experiment::run::result::RunResult;

/// A reader each second, from 1 s to 19 s, and a change of the row at 12.5 s.
const READS: &str = r#"
[clients.readers]
arrivals = { constant = "1/s" }
flow = [{ call = "api.look" }]

[clients.writers]
arrivals = { constant = "0.08/s" }
flow = [{ call = "api.change" }]

[service.api]
workers = "unlimited"
on.look.steps = [
  { read = "db.item", cache = "near" },
  { when = "missing", then = [{ call = "log.missing" }] },
  { reply = "ok" },
]
on.change.steps = [{ transaction = "db", write = ["item = changed"] }, { reply = "ok" }]

[provider.log]
concurrency = "unlimited"
latency = "0s"
effects = ["missing"]

[database.db]
commit = "0s"
read = "0s"
tables = { item = { rows = "key", initial = "known" } }

[cache.near]
capacity = 10
CACHE
"#;

/// The same of a row that is not there before it is changed.
fn nothing_first(model: &str) -> String {
    model.changed(", initial = \"known\"", "")
}

/// A run, and how often the row was read at the database.
fn run(faults: &str, model: &str) -> (RunResult, u64) {
    let experiment = format!(
        "name = \"caches\"\nmodel = \"inline\"\narrivals = \"20s\"\ndrain = \"5s\"\n\
         seeds = \"1..2\"\n{faults}"
    );
    let campaign = campaign(&experiment, model);
    let run = campaign.run(0);
    let edges = campaign.cells[0].program.edges.iter().zip(&run.metrics.edges);
    let reads = edges.filter(|(edge, _)| edge.name == "api -> db.read");
    let loads = reads.map(|(_, counts)| counts.attempts).sum();
    (run, loads)
}

fn with(cache: &str) -> String {
    READS.changed("CACHE", cache)
}

/// How often the row was read at the database, and how often an older one was shown.
fn loads_and_old(model: &str) -> (u64, u64) {
    let (run, loads) = run("", model);
    assert_eq!((run.metrics.requests, run.metrics.ok), (20, 20));
    (loads, run.metrics.old_row_reads)
}

#[test]
fn a_row_that_is_asked_for_often_enough_never_leaves_by_its_last_access() {
    // From filling: at 1 s, 3 s, 5 s and so on; the change is seen at 13 s.
    assert_eq!(loads_and_old(&with("ttl = \"1500ms\"")), (10, 0));
    // From the last access: never again, and the change is not seen.
    assert_eq!(loads_and_old(&with("expire_after_access = \"1500ms\"")), (1, 7));
    assert_eq!(loads_and_old(&with("expire_after_access = \"900ms\"")), (19, 0));
    // Both: whichever ends first. It is filled at 1 s, 6 s, 11 s and 16 s.
    let both = with("expire_after_access = \"1500ms\"\nttl = \"4500ms\"");
    assert_eq!(loads_and_old(&both), (4, 3));
}

#[test]
fn a_stuck_cache_shows_what_nobody_has_asked_for_in_time() {
    let stuck =
        "[[faults]]\nkind = \"cache_stale\"\ntarget = \"near\"\nat = \"3500ms\"\nfor = \"5s\"\n";
    let model = with("expire_after_access = \"900ms\"");
    let (run, loads) = run(stuck, &model);
    // Five reads fall into the fault; what is asked for in it is there a second later no more.
    assert_eq!((loads, run.metrics.fired[0]), (19 - 5, 5));
}

#[test]
fn it_is_kept_for_a_while_that_there_is_no_row() {
    let found = |cache: &str| {
        let (run, loads) = run("", &nothing_first(&with(cache)));
        assert_eq!((run.metrics.requests, run.metrics.ok), (20, 20));
        // The effects are those of reads that found nothing.
        (loads, run.metrics.old_row_reads, run.metrics.effects)
    };
    // Asked for each time until it is there, and kept from then on.
    assert_eq!(found(""), (13, 0, 12));
    // Asked for at 1 s, 6 s, 11 s and 16 s; between 12.5 s and 15.5 s it is there and not found.
    assert_eq!(found("negative_ttl = \"4500ms\""), (4, 3, 15));
    for more in [
        // Whoever asks does not keep it for longer.
        "expire_after_access = \"1500ms\"",
        "single_flight = true",
        "lease = \"100ms\"",
        "early_expiry = 1.0\nttl = \"1h\"",
        "stale_for = \"10s\"\nttl = \"1h\"",
    ] {
        assert_eq!(found(&format!("negative_ttl = \"4500ms\"\n{more}")), (4, 3, 15), "{more}");
    }
}

#[test]
fn an_invalidation_ends_that_there_is_no_row() {
    let model = nothing_first(&with("negative_ttl = \"4500ms\""));
    let told = model.changed(
        "write = [\"item = changed\"]",
        "write = [\"item = changed\"], invalidate = \"near\"",
    );
    let (run, loads) = run("", &told);
    assert_eq!((loads, run.metrics.old_row_reads, run.metrics.effects), (4, 0, 12));
}
