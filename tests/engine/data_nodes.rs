//! What databases, replicas and caches do: late copies, failover, and caches that are
//! stale, stampeded and protected. Statistical cases hold with probability 99.9% for any seed.

use crate::common::{Changed, campaign, runs};
use stormglass::experiment::run::result::RunResult;
use stormglass::policy::OutcomeKind;

fn experiment(seconds: u32, more: &str) -> String {
    format!(
        "name = \"data\"\nmodel = \"inline\"\narrivals = \"{seconds}s\"\ndrain = \"20s\"\n\
         seeds = \"1..2\"\nmeasure = {{ window = \"1s\" }}\n{more}"
    )
}

fn one(seconds: u32, more: &str, model: &str) -> RunResult {
    runs(&experiment(seconds, more), model).remove(0)
}

/// The run and the number of attempts at each edge whose name ends so.
fn attempts_at(seconds: u32, more: &str, model: &str, edge: &str) -> (RunResult, u64) {
    let campaign = campaign(&experiment(seconds, more), model);
    let run = campaign.run(0);
    let edges = campaign.cells[0].program.edges.iter().zip(&run.metrics.edges);
    let attempts = edges.filter(|(known, _)| known.name.ends_with(edge)).map(|(_, e)| e.attempts);
    let attempts = attempts.sum();
    (run, attempts)
}

/// Whether a share is within 3.29 standard deviations of its expectation.
fn is_about(count: u64, of: u64, expected: f64) -> bool {
    let deviation = (expected * (1.0 - expected) / of as f64).sqrt();
    (count as f64 / of as f64 - expected).abs() <= 3.29 * deviation
}

/// A user writes, waits for 100 ms, and reads at a replica that is late by 100 ms on average.
fn write_then_read(read: &str) -> RunResult {
    let model = r#"
[clients.users]
arrivals = { constant = "1/s" }
flow = [{ call = "api.write" }, { think = "100ms" }, { call = "api.look", expect = "own write" }]

[service.api]
workers = "unlimited"
on.write.steps = [{ transaction = "db", write = ["item = set"] }, { reply = "ok" }]
on.look.steps = [{ READ }, { reply = "ok" }]

[database.db]
commit = "0s"
read = "0s"
tables = { item = {} }

[replica.copy]
of = "db"
lag = "exp 100ms"
read = "0s"
"#;
    one(4000, "", &model.changed("READ", read))
}

#[test]
fn reads_of_a_late_replica_are_stale_as_often_as_theory_says() {
    // Lag Exp(θ): stale after t with probability e^(-θt), here e^-1.
    let metrics = write_then_read("read = \"copy.item\"").metrics;
    assert_eq!(metrics.reads_back, 3999);
    assert!(is_about(metrics.stale_reads, 3999, 0.367_879), "{}", metrics.stale_reads);
    assert_eq!(metrics.old_row_reads, metrics.stale_reads);
}

#[test]
fn a_read_that_waits_for_the_own_write_is_never_stale() {
    let wait = |more: &str| {
        write_then_read(&format!("read = \"copy.item\", wait = {{ for = \"own write\", {more} }}"))
    };
    let patient = wait("timeout = \"10s\"").metrics;
    assert_eq!((patient.stale_reads, patient.replica_waits[0]), (0, 0));
    assert!(is_about(patient.replica_waits[1], 3999, 0.367_879));

    // After 50 ms more it is stale with probability e^-1.5.
    let stale = wait("timeout = \"50ms\", otherwise = \"stale\"").metrics;
    assert!(is_about(stale.stale_reads, 3999, 0.223_130), "{}", stale.stale_reads);
    let primary = wait("timeout = \"50ms\"").metrics;
    assert_eq!(primary.stale_reads, 0);
    assert_eq!(primary.replica_waits[0], stale.stale_reads);
    let failed = wait("timeout = \"50ms\", otherwise = \"failed\"").metrics;
    assert_eq!(failed.failed.of_kind(OutcomeKind::Failed), stale.stale_reads);
}

#[test]
fn a_sticky_user_reads_at_the_primary_for_a_while() {
    let sticky = |span: &str| {
        write_then_read(&format!("read = \"copy.item\", sticky = \"{span}\"")).metrics.stale_reads
    };
    assert_eq!(sticky("101ms"), 0);
    assert!(is_about(sticky("100ms"), 3999, 0.367_879));
}

#[test]
fn a_stopped_replica_catches_up_afterwards() {
    let model = r#"
[clients.users]
arrivals = { constant = "10/s" }
flow = [{ call = "api.write" }, { think = "50ms" }, { call = "api.look", expect = "own write" }]

[service.api]
workers = "unlimited"
on.write.steps = [{ transaction = "db", write = ["item = set"] }, { reply = "ok" }]
on.look.steps = [{ read = "copy.item" }, { reply = "ok" }]

[database.db]
commit = "0s"
read = "0s"
tables = { item = {} }

[replica.copy]
of = "db"
lag = "1ms"
read = "0s"
"#;
    let faults = |kind: &str| {
        let fault = format!(
            "[[faults]]\nkind = {kind}\ntarget = \"copy\"\nat = \"10020ms\"\nfor = \"10s\"\n"
        );
        one(30, &fault, model).metrics.stale_reads
    };
    assert_eq!(faults("\"replica_stop\""), 99);
    assert_eq!(faults("\"replica_lag\"\nadded = \"100ms\""), 100);
    assert_eq!(faults("\"replica_lag\"\nadded = \"10ms\""), 0);
}

#[test]
fn a_corrupted_replica_shows_older_versions() {
    let model = r#"
[clients.users]
arrivals = { constant = "10/s" }
keys = { uniform = 10 }
flow = [{ call = "api.write" }, { think = "50ms" }, { call = "api.look" }]

[service.api]
workers = "unlimited"
on.write.steps = [{ transaction = "db", write = ["item = set"] }, { reply = "ok" }]
on.look.steps = [{ read = "copy.item" }, { reply = "ok" }]

[database.db]
commit = "0s"
read = "0s"
tables = { item = { rows = "key" } }

[replica.copy]
of = "db"
lag = "0s"
read = "0s"
"#;
    let fault = "[[faults]]\nkind = \"read_model_corruption\"\ntarget = \"copy\"\nat = \"20020ms\"\n\
                 share = 1.0\n";
    // Whoever had written before it and reads after it: one user; the others write again first.
    assert_eq!(one(30, "", model).metrics.old_row_reads, 0);
    assert_eq!(one(30, fault, model).metrics.old_row_reads, 1);
}

#[test]
fn a_request_waits_for_a_connection_only_so_long() {
    let model = r#"
[clients.users]
arrivals = { constant = "20/s" }
flow = [{ call = "api.write" }]

[service.api]
workers = "unlimited"
on.write.steps = [{ transaction = "db", write = ["item = set"] }, { reply = "ok" }]

[database.db]
connections = 1
commit = "95ms"
read = "0s"
tables = { item = {} }
"#;
    let patient = one(10, "", model).metrics;
    assert_eq!((patient.requests, patient.ok, patient.refused), (199, 199, 0));
    // One commits for 95 ms, the next one comes after 50 ms and gives up after 40 ms.
    let model = model.changed("commit", "acquire_timeout = \"40ms\"\ncommit");
    let hasty = one(10, "", &model).metrics;
    assert_eq!((hasty.requests, hasty.ok, hasty.refused), (199, 100, 99));
    assert_eq!(hasty.failed.of_kind(OutcomeKind::Failed), 99);
}

/// Orders are accepted every 10 ms; the primary is gone at 10 s and replaced at 12 s.
fn failover(database: &str, share: &str) -> RunResult {
    let model = r#"
[clients.users]
arrivals = { constant = "100/s" }
flow = [{ call = "api.write", policy = "users" }]

[service.api]
instances = 20
workers = "unlimited"
on.write.steps = [{ transaction = "db", write = ["item = set"] }, { reply = "ok" }]

[database.db]
commit = "0s"
read = "0s"
tables = { item = {} }
DATABASE

[replica.copy]
of = "db"
lag = "100ms"
read = "0s"

[policy.users]
timeout = "500ms"
"#;
    let more = format!(
        "[invariants]\n\
         accepted_order_kept = {{ accepted = \"api.write\", order = \"db.item\", settled = \"db.item = set\" }}\n\
         [[faults]]\nkind = \"primary_failover\"\ntarget = \"db\"\nto = \"copy\"\nafter = \"2s\"\n\
         at = \"9995ms\"\nfor = \"10s\"\nshare = {share}\n"
    );
    one(30, &more, &model.changed("DATABASE", database))
}

fn accepted_and_lost(run: &RunResult) -> u64 {
    run.invariants[0].violations
}

#[test]
fn a_failover_loses_what_the_replica_had_not_applied() {
    // Ten were committed within the last 100 ms. Nobody is served for two seconds.
    let run = failover("", "0.0");
    assert_eq!((run.metrics.commits_lost, accepted_and_lost(&run)), (10, 10));
    assert_eq!(run.metrics.requests - run.metrics.ok, 200);
    // Who waits for the replica was not told that these are accepted.
    let run = failover("replication = { semi_sync = { timeout = \"1s\" } }", "0.0");
    assert_eq!((run.metrics.commits_lost, accepted_and_lost(&run)), (10, 0));
    assert_eq!(run.metrics.requests - run.metrics.ok, 210);
}

#[test]
fn without_fencing_two_primaries_write() {
    let fenced = failover("", "0.5");
    let unfenced = failover("fencing = false", "0.5");
    assert_eq!(fenced.metrics.stale_epochs[1], 0);
    assert!(fenced.metrics.stale_epochs[0] > 100);
    assert_eq!(unfenced.metrics.stale_epochs, [0, fenced.metrics.stale_epochs[0]]);
    let split = unfenced.metrics.stale_epochs[1];
    assert_eq!(unfenced.metrics.commits_lost, fenced.metrics.commits_lost + split);
    assert_eq!(accepted_and_lost(&unfenced), accepted_and_lost(&fenced) + split);
}

/// A reader misses, reads, and fills 20 ms later; meanwhile a writer commits and deletes.
fn stale_set(cache: &str) -> RunResult {
    let model = r#"
[clients.readers]
arrivals = { constant = "1/s" }
flow = [{ call = "reader.look" }]

[clients.writers]
arrivals = { constant = "1/s" }
flow = [{ think = "45ms" }, { call = "writer.change" }]

[service.reader]
workers = "unlimited"
on.look.steps = [{ read = "db.item", cache = "near" }, { reply = "ok" }]

[service.writer]
workers = "unlimited"
on.change.steps = [
  { transaction = "db", write = ["item = set"], invalidate = "near" },
  { reply = "ok" },
]

[database.db]
commit = "0s"
read = "0s"
tables = { item = { rows = "key" } }

[cache.near]
capacity = 10
CACHE

[link."reader -> near"]
latency = "20ms"
"#;
    one(21, "", &model.changed("CACHE", cache))
}

#[test]
fn a_lease_closes_the_race_between_a_fill_and_an_invalidation() {
    // The row is there from the first second on. In the second one the old row is filled after the
    // deletion, in the third it is found, and so on: 3, 5, …, 19.
    let open = stale_set("").metrics;
    assert_eq!((open.old_row_reads, open.fills_refused), (9, 0));
    let leased = stale_set("lease = \"500ms\"").metrics;
    assert_eq!((leased.old_row_reads, leased.fills_refused), (0, 19));
}

#[test]
fn who_deletes_before_writing_lets_readers_keep_the_old_row() {
    let model = r#"
[clients.readers]
arrivals = { constant = "1/s" }
flow = [{ think = "50ms" }, { call = "api.look" }, { think = "450ms" }, { call = "api.look" }]

[clients.writers]
arrivals = { constant = "1/s" }
flow = [{ think = "45ms" }, { call = "api.change" }]

[service.api]
workers = "unlimited"
on.look.steps = [{ read = "db.item", cache = "near" }, { reply = "ok" }]
on.change.steps = [
  { transaction = "db", write = ["item = set"], invalidate = "near", order = "ORDER" },
  { reply = "ok" },
]

[database.db]
commit = "10ms"
read = "0s"
tables = { item = { rows = "key" } }

[cache.near]
capacity = 10
"#;
    let stale = |order: &str, more: &str| {
        one(21, more, &model.changed("ORDER", order)).metrics.old_row_reads
    };
    // From the second second on the row exists when it is read between deletion and commit.
    assert_eq!(stale("before", ""), 19);
    assert_eq!(stale("after", ""), 0);
    // Five invalidations are not heard: what was found at 9.5 s is shown until 15.05 s.
    let deaf =
        "[[faults]]\nkind = \"cache_stale\"\ntarget = \"near\"\nat = \"10s\"\nfor = \"5s\"\n";
    assert_eq!(stale("after", deaf), 10);
}

/// A thousand readers a second of one row that takes 100 ms to read.
fn crowd(cache: &str, more: &str) -> (RunResult, u64) {
    let model = r#"
[clients.writers]
arrivals = { constant = "0.5/s" }
flow = [{ call = "api.change" }]

[clients.readers]
arrivals = { constant = "1000/s" }
flow = [{ think = "2500ms" }, { call = "api.look" }]

[service.api]
workers = "unlimited"
on.change.steps = [{ transaction = "db", write = ["item = set"] }, { reply = "ok" }]
on.look.steps = [{ read = "db.item", cache = "near", policy = "quick" }, { reply = "ok" }]

[policy.quick]
timeout = "500ms"

[database.db]
commit = "0s"
read = "100ms"
tables = { item = { rows = "key" } }

[cache.near]
capacity = 10
CACHE
"#;
    let more = format!("{more}\n[measure]\noperation = \"api.look\"\nwindow = \"1s\"\n");
    let experiment = experiment(20, "").changed("measure = { window = \"1s\" }\n", &more);
    let campaign = campaign(&experiment, &model.changed("CACHE", cache));
    let run = campaign.run(0);
    let edges = campaign.cells[0].program.edges.iter().zip(&run.metrics.edges);
    let reads = edges.filter(|(edge, _)| edge.name == "api -> db.read");
    let loads = reads.map(|(_, counts)| counts.attempts).sum();
    (run, loads)
}

#[test]
fn a_single_flight_makes_one_fetch_of_a_crowd() {
    let flush = "[[faults]]\nkind = \"cache_flush\"\ntarget = \"near\"\nat = \"10s\"\n";
    let (alone, loads) = crowd("", flush);
    // Who comes within the 100 ms of the first fetch fetches too: λD = 100, twice.
    assert!((200..=202).contains(&loads), "{loads}");
    let (shared, one_each) = crowd("single_flight = true", flush);
    assert_eq!(one_each, 2);
    assert_eq!(alone.metrics.ok, alone.metrics.requests);
    assert_eq!(shared.metrics.ok, shared.metrics.requests);
    // A lease does the same for all processes.
    let (leased, one_each) = crowd("lease = \"2s\"", flush);
    assert_eq!((one_each, leased.metrics.ok), (2, leased.metrics.requests));
}

#[test]
fn a_failed_fetch_fails_everybody_who_waited_for_it() {
    let stop = "[[faults]]\nkind = \"request_loss\"\ntarget = \"api -> db\"\nat = \"10s\"\n\
                for = \"10s\"\nshare = 1.0\n\
                [[faults]]\nkind = \"cache_flush\"\ntarget = \"near\"\nat = \"10s\"\nfor = \"1s\"\n";
    let (run, loads) = crowd("single_flight = true", stop);
    // Each half second one fetch times out, and so does everybody who came meanwhile.
    assert!((21..=24).contains(&loads), "{loads}");
    let failed = run.metrics.failed.of_kind(OutcomeKind::Failed);
    assert!((9_900..10_600).contains(&failed), "{failed}");
    // Writers that the fault cut off have no timeout.
    assert_eq!(run.metrics.unanswered, 5);
    assert_eq!(run.metrics.ok + failed + 5, run.metrics.requests);
}

#[test]
fn stale_rows_are_refreshed_in_the_background() {
    let slow = |run: &RunResult| run.metrics.latency.quantile(0.95).unwrap().millis();
    let (plain, loads) = crowd("ttl = \"1s\"", "");
    assert!(slow(&plain) > 50.0 && loads > 1500, "{} {loads}", slow(&plain));
    let (stale, refreshes) = crowd("ttl = \"1s\"\nstale_for = \"1s\"", "");
    // The first hundred miss; then every 1.1 s one row is fetched, and nobody waits for it.
    assert!(slow(&stale) < 1.0, "{}", slow(&stale));
    assert!((115..=120).contains(&refreshes), "{refreshes}");
}

#[test]
fn early_expiry_seldom_lets_a_crowd_through() {
    let (_, plain) = crowd("ttl = \"1s\"", "");
    let (run, early) = crowd("ttl = \"1s\"\nearly_expiry = 1.0", "");
    // A few fetches for each second instead of a hundred, beside the first hundred.
    assert!(early < 100 + (plain - 100) / 10, "{early} of {plain}");
    assert_eq!(run.metrics.ok, run.metrics.requests);
}

#[test]
fn the_least_recently_used_row_leaves_as_often_as_theory_says() {
    let model = r#"
[clients.writers]
arrivals = { constant = "100/s" }
keys = { uniform = 10 }
flow = [{ call = "api.change" }]

[clients.readers]
arrivals = { constant = "200/s" }
keys = { zipf = { exponent = 1.0, of = 10 } }
flow = [{ think = "20s" }, { call = "api.look" }]

[service.api]
workers = "unlimited"
on.change.steps = [{ transaction = "db", write = ["item = set"] }, { reply = "ok" }]
on.look.steps = [{ read = "db.item", cache = "near" }, { reply = "ok" }]

[database.db]
commit = "0s"
read = "0s"
tables = { item = { rows = "key" } }

[cache.near]
capacity = 5
"#;
    let (run, loads) = attempts_at(300, "", model, "api -> db.read");
    let reads = run.metrics.row_reads;
    // Independent references, ten keys Zipf(1), five places: exactly 0.6813641 are hits.
    let hits = 1.0 - loads as f64 / reads as f64;
    assert!(reads > 59_000 && (hits - 0.681_364).abs() < 0.01, "{hits} of {reads}");
}
