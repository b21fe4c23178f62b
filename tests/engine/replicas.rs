//! Replicas that apply commits in their order, and out of it: what users see of their own writes,
//! what waits for what, and what a failover finds.

use crate::common::{Changed, campaign, runs};
use stormglass::experiment::run::result::RunResult;
use stormglass::kernel::time::Time;
use stormglass::system::fact::Fact;
use stormglass::system::{Observer, World};

/// Users who save something and look at it a moment later, at a late copy.
const OWN_WRITE: &str = r#"
[clients.users]
arrivals = { poisson = "50/s" }
keys = { uniform = 1000 }
flow = [{ call = "api.save" }, { think = "exp 100ms" }, { call = "api.view", expect = "own write" }]

[service.api]
workers = "unlimited"
on.save.steps = [{ transaction = "db", write = ["profile = saved"] }, { reply = "ok" }]
on.view.steps = [{ read = "standby.profile" }, { reply = "ok" }]

[database.db]
commit = "0s"
read = "0s"
tables = { profile = { rows = "order" } }

[replica.standby]
of = "db"
lag = "exp 200ms"
read = "0s"
"#;

/// The share of the reads that miss the own write.
fn missed(seconds: u32, model: &str) -> f64 {
    let experiment = format!(
        "name = \"own\"\nmodel = \"inline\"\narrivals = \"{seconds}s\"\ndrain = \"10s\"\n\
         seeds = \"1..2\""
    );
    let metrics = &runs(&experiment, model)[0].metrics;
    assert!(metrics.reads_back > 1_000, "{}", metrics.reads_back);
    metrics.stale_reads as f64 / metrics.reads_back as f64
}

/// The same by the formula of docs/model.md: `P(L <= x) exp(-λ ∫ P(L > u) du)` of the commits are
/// applied within `x`, and a read comes after an exponential time. With `s = exp(-x / m)` it is an
/// integral over `s` from 0 to 1, here of a thousand pieces.
fn missed_in_order(rate: f64, lag: f64, think: f64) -> f64 {
    let seen = |s: f64| (1.0 - s) * libm::exp(-rate * lag * s) * libm::pow(s, lag / think - 1.0);
    let middle = |piece: u32| (f64::from(piece) + 0.5) / 1000.0;
    1.0 - (0..1000).map(|piece| seen(middle(piece)) * lag / think / 1000.0).sum::<f64>()
}

#[test]
fn out_of_order_a_lag_is_what_it_says_at_any_rate() {
    let own = OWN_WRITE.changed("of = \"db\"", "of = \"db\"\npreserve_commit_order = false");
    let often = missed(120, &own);
    let seldom = missed(3_000, &own.changed("50/s", "1/s"));
    for missed in [often, seldom] {
        assert!((missed - 200.0 / 300.0).abs() < 0.03, "{missed}");
    }
}

#[test]
fn in_order_a_lag_is_stretched_as_the_formula_says() {
    let often = missed(120, OWN_WRITE);
    assert!((often - missed_in_order(50.0, 0.2, 0.1)).abs() < 0.01, "{often}");
    assert!(often > 0.97, "nearly nobody sees what was just written");
    let seldom = missed(3_000, &OWN_WRITE.changed("50/s", "1/s"));
    assert!((seldom - missed_in_order(1.0, 0.2, 0.1)).abs() < 0.03, "{seldom}");
    // Nobody waits for anybody if all are equally late.
    let constant = missed(120, &OWN_WRITE.changed("exp 200ms", "200ms"));
    assert!((constant - (1.0 - libm::exp(-2.0))).abs() < 0.02, "{constant}");
}

/// The versions of a row in the order in which a replica showed them.
struct Seen(Vec<u64>);

impl Observer for Seen {
    fn observe(&mut self, _: Time, fact: &Fact) {
        if let Fact::Read { seen, .. } = *fact {
            self.0.push(seen);
        }
    }
}

#[test]
fn writes_of_one_row_are_applied_in_their_order_all_the_same() {
    let model = OWN_WRITE
        .changed("uniform = 1000", "uniform = 1")
        .changed("rows = \"order\"", "rows = \"key\"")
        .changed("of = \"db\"", "of = \"db\"\npreserve_commit_order = false");
    let experiment = "name = \"row\"\nmodel = \"inline\"\narrivals = \"60s\"\ndrain = \"10s\"\n\
                      seeds = \"1..2\"";
    let campaign = campaign(experiment, &model);
    let cell = &campaign.cells[0];
    let end = cell.measure.arrivals_end;
    let mut seen = Seen(Vec::new());
    World::new(&cell.program, &[], 1, end, cell.limits, &mut seen).run();
    let Seen(versions) = seen;
    assert!(versions.len() > 2_000);
    assert!(versions.is_sorted(), "no older version after a newer one");
    assert!(versions.iter().max() > Some(&2_000));
}

/// A hundred commits a second, of which every other one is five seconds late; the primary is gone
/// at 10 s and the replica leads at 12 s.
fn failover(replica: &str) -> RunResult {
    let experiment = r#"
name = "failover"
model = "inline"
arrivals = "10s"
drain = "20s"
seeds = "1..2"

[invariants]
accepted_order_kept = { accepted = "api.write", order = "db.item", settled = "db.item = set" }

[[faults]]
kind = "primary_failover"
target = "db"
to = "copy"
after = "2s"
at = "9995ms"
for = "10s"
"#;
    let model = r#"
[clients.users]
arrivals = { constant = "100/s" }
flow = [{ call = "api.write", policy = "users" }]

[service.api]
workers = "unlimited"
on.write.steps = [{ transaction = "db", write = ["item = set"] }, { reply = "ok" }]

[database.db]
commit = "0s"
read = "0s"
tables = { item = {} }

[replica.copy]
of = "db"
lag = "mix 50% 10ms, 50% 5s"
read = "0s"
REPLICA

[policy.users]
timeout = "500ms"
"#;
    runs(experiment, &model.changed("REPLICA", replica)).swap_remove(0)
}

#[test]
fn who_is_promoted_fills_the_gaps_before_what_it_has_applied() {
    let lost = |replica: &str| {
        let run = failover(replica);
        assert_eq!(run.invariants[0].violations, run.metrics.commits_lost);
        run.metrics.commits_lost
    };
    // A replica that is cut off hears of nothing. In order it has nothing of the last five seconds.
    assert!((490..=502).contains(&lost("")), "{}", lost(""));
    // Out of order only those are lost behind the last that was quick.
    let few = lost("preserve_commit_order = false");
    assert!(few < 15, "{few}");
}

#[test]
fn semi_synchronous_commits_wait_for_the_first_gap() {
    let waits = |replica: &str| {
        let model = OWN_WRITE
            .changed(
                "commit = \"0s\"",
                "commit = \"0s\"\nreplication = { semi_sync = { timeout = \"1min\" } }",
            )
            .changed("of = \"db\"", replica);
        let experiment = "name = \"own\"\nmodel = \"inline\"\narrivals = \"120s\"\n\
                          drain = \"10s\"\nseeds = \"1..2\"\n\
                          measure = { operation = \"api.save\" }";
        let metrics = &runs(experiment, &model)[0].metrics;
        metrics.latency_total as f64 / metrics.measured_ok as f64 / 1e9
    };
    // The acknowledgement is a position in the log, so order matters for both.
    let [in_order, out_of_order] =
        ["of = \"db\"", "of = \"db\"\npreserve_commit_order = false"].map(waits);
    // Ein(10) + (1 - exp(-10)) / 10 = 2.98; what waits for the same commit is no independent case.
    assert!((in_order / (2.98 * 0.2) - 1.0).abs() < 0.15, "{in_order}");
    assert!((out_of_order / in_order - 1.0).abs() < 0.01, "{out_of_order} {in_order}");
}
