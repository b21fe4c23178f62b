//! Work is finished when the customer has what was promised, not when somebody answered.

use stormglass::experiment::compare::compare;
use stormglass::experiment::compare::measured::Measured;
use stormglass::experiment::judge::metastability::Label;
use stormglass::experiment::measure::metrics::Of;
use stormglass::experiment::measure::summary::summarise;
use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::plan::documents::Documents;
use stormglass::experiment::run::result::RunResult;
use stormglass::metric::MetricId;
use stormglass::metric::Recovery;
use stormglass::model::document::{Sources, Value};
use stormglass::model::problem::Problem;
use stormglass::report::arms::arms_tables;
use stormglass::report::files;

use crate::common::{Changed, campaign, run_all};

/// A shop that accepts orders into a queue. Its worker can do 100 orders a second at the most.
const LATER: &str = r#"
[clients.shoppers]
arrivals = { constant = "50/s" }
flow = [{ call = "api.look" }, { call = "api.place_order" }]

[service.api]
workers = 100
on.look.steps = [{ work = "1ms" }, { reply = "ok" }]
on.place_order.steps = [{ publish = "orders" }, { reply = "ok" }]

[queue.orders]
visibility = "60s"

[service.consumer]
workers = 1
takes = "orders"
steps = [
  { work = "10ms" },
  { call = "bank.charge" },
  { transaction = "shop", write = ["order = paid"] },
  { ack = true },
]

[provider.bank]
concurrency = "unlimited"
latency = "0s"
effects = ["charge"]

[database.shop]
commit = "0s"
read = "0s"
tables = { order = {} }
"#;

/// The same shop, which charges and answers when the order is paid.
const AT_ONCE: &str = r#"
[clients.shoppers]
arrivals = { constant = "50/s" }
flow = [{ call = "api.look" }, { call = "api.place_order" }]

[service.api]
workers = 100
on.look.steps = [{ work = "1ms" }, { reply = "ok" }]
on.place_order.steps = [
  { work = "10ms" },
  { call = "bank.charge" },
  { transaction = "shop", write = ["order = paid"] },
  { reply = "ok" },
]

[provider.bank]
concurrency = "unlimited"
latency = "0s"
effects = ["charge"]

[database.shop]
commit = "0s"
read = "0s"
tables = { order = {} }
"#;

/// An experiment of 60 s with a milestone for each of the ways to be done with an order.
fn experiment(more: &str) -> String {
    format!(
        r#"
name = "milestones"
model = "inline"
seeds = "1..3"
arrivals = "60s"
drain = "10s"
{more}

[milestone.paid]
of = "api.place_order"
when = "shop.order = paid"
within = "5s"
label = "order paid"

[milestone.charged]
of = "api.place_order"
when = "effect charge"

[milestone.shown]
of = "api.look"
when = "answer ok"
within = "1s"
"#
    )
}

/// The consumer stands still for 20 s, and has little more than the load to catch up with.
const STALL: &str = r#"
[[faults]]
kind = "queue_stall"
target = "orders"
at = "20s"
for = "20s"
"#;

fn value(campaign: &Campaign, run: &RunResult, name: &str) -> Option<f64> {
    run.values[campaign.metrics().find(name).unwrap_or_else(|| panic!("no metric {name}"))]
}

fn values(campaign: &Campaign, run: &RunResult, names: &[&str]) -> Vec<Option<f64>> {
    names.iter().map(|name| value(campaign, run, name)).collect()
}

/// A campaign and its first run.
fn first(experiment: &str, model: &str) -> (Campaign, RunResult) {
    let campaign = campaign(experiment, model);
    let run = campaign.run(0);
    (campaign, run)
}

#[test]
fn where_the_answer_tells_of_the_payment_both_are_one() {
    let (campaign, run) = first(&experiment("measure.milestone = \"paid\""), AT_ONCE);
    let of = |names: &[&str]| values(&campaign, &run, names);
    assert_eq!(of(&["success_ratio", "reply.success_ratio"]), [Some(1.0); 2]);
    assert_eq!(of(&["paid.unfinished", "charged.unfinished"]), [Some(0.0); 2]);
    let times = of(&["latency_p99_ms", "reply.latency_p99_ms", "paid.latency_p99_ms"]);
    assert!(times.windows(2).all(|pair| pair[0] == pair[1]) && times[0].is_some(), "{times:?}");
    let shown = value(&campaign, &run, "shown.latency_p50_ms").expect("another operation");
    assert!((shown - 1.0).abs() < 0.01, "{shown} ms");
}

#[test]
fn replies_come_back_at_once_and_orders_stay_unpaid() {
    let model = LATER.changed("work = \"10ms\"", "work = \"19ms\"");
    let (campaign, run) =
        first(&experiment(&format!("measure.milestone = \"paid\"\n{STALL}")), &model);
    assert_eq!(run.reply_recovery, Recovery::After(stormglass::kernel::time::Span::ZERO));
    assert_eq!(run.recovery, Recovery::Never, "1,000 orders wait, and 2.6 a second are caught up");
    assert_eq!(run.collapsed(), Some(true));
    let of = |names: &[&str]| values(&campaign, &run, names);
    assert_eq!(of(&["reply.recovery_s", "recovery_s", "paid.recovery_s"]), [Some(0.0), None, None]);
    assert_eq!(of(&["reply.success_ratio"]), [Some(1.0)]);
    let success = value(&campaign, &run, "success_ratio").expect("many are paid");
    assert!((0.2..0.45).contains(&success), "20 s of 60 s are paid in time, {success}");
    // Without a time by which an order has to be paid, who waits has neither success nor failure.
    assert_eq!(value(&campaign, &run, "charged.success_ratio"), Some(1.0));
    assert!(value(&campaign, &run, "charged.unfinished").is_some_and(|count| count > 100.0));
    let measured = Measured::all(&campaign.cells[0]);
    let never = |name: &str| {
        let measured = measured.iter().find(|measured| measured.name == name).expect(name);
        measured.value(&run)
    };
    let all = ["never_recovered", "paid.never_recovered", "reply.never_recovered"].map(never);
    assert_eq!(all, [Some(1.0), Some(1.0), Some(0.0)]);
}

#[test]
fn an_overload_without_any_fault_is_one() {
    let model = LATER.changed("work = \"10ms\"", "work = \"25ms\"");
    let (campaign, run) = first(&experiment(""), &model);
    let of = |names: &[&str]| values(&campaign, &run, names);
    assert_eq!(of(&["success_ratio", "shown.success_ratio"]), [Some(1.0); 2], "it answers");
    let goodput = value(&campaign, &run, "charged.goodput_per_s").expect("40/s are paid");
    assert!((39.5..=40.0).contains(&goodput), "{goodput}");
    // Who comes after t seconds waits for t / 4: of 60 s the first 20 are in time.
    let paid = value(&campaign, &run, "paid.success_ratio").expect("it is known of all");
    assert!((0.33..0.34).contains(&paid), "{paid}");
    assert_eq!(value(&campaign, &run, "paid.unfinished"), Some(0.0), "the drain is longer");
    // 3,000 came, and 40/s were done in 70 s.
    let unfinished = value(&campaign, &run, "charged.unfinished").expect("some are");
    assert!((195.0..=205.0).contains(&unfinished), "{unfinished}");
    assert_eq!(value(&campaign, &run, "charged.latency_p99_ms"), None, "7% are unfinished");
    assert!(value(&campaign, &run, "charged.latency_p50_ms").is_some());
}

#[test]
fn a_label_is_that_of_the_milestone_that_is_measured() {
    let model = LATER.changed("work = \"10ms\"", "work = \"19ms\"");
    let label = |milestone: &str| {
        let label = "metastability = { window = \"5s\", for = \"5s\" }";
        first(&experiment(&format!("{milestone}\n{label}\n{STALL}")), &model).1.label
    };
    assert_eq!(label(""), Some(Label::Recovers));
    assert_eq!(label("measure.milestone = \"paid\""), Some(Label::Metastable));
}

#[test]
fn milestones_are_expected_compared_searched_and_written_by_their_names() {
    let more = "[expect]\n\"paid.success_ratio\" = \">= 99%\"\npaid.latency_p99_ms = \"< 5s\"\n\
                [compare]\nprimary = [\"paid.success_ratio\", \"charged.latency_mean_ms\"]\n\
                [arms.slow.set]\n\"service.consumer.steps.0.work\" = \"25ms\"\n\
                [arms.quick.set]\n\"service.consumer.steps.0.work\" = \"10ms\"\n";
    // Two pairs have no interval, so there are three seeds.
    let three = experiment(more).changed("seeds = \"1..3\"", "seeds = \"1..4\"");
    let campaign = campaign(&three, LATER);
    let results = run_all(&campaign);
    let met: Vec<Vec<Option<bool>>> = results
        .iter()
        .map(|run| run.expectations.iter().map(|judged| judged.met).collect())
        .collect();
    assert_eq!(met[0], [Some(false); 2]);
    assert_eq!(met[3], [Some(true); 2]);
    let pairs = compare(&campaign, &results).pairs;
    let pair = pairs.iter().find(|pair| pair.metric == "paid.success_ratio").expect("a pair");
    assert_eq!((pair.is_primary, pair.verdict.name()), (true, "better"));
    let summaries = summarise(&campaign, &results);
    let tables = arms_tables(&campaign, &summaries);
    let text: String = tables.iter().map(|table| table.text(140, false)).collect();
    for header in ["order paid: success", "order paid: unfinished", "shown: p99"] {
        assert!(text.contains(header), "no {header} in\n{text}");
    }
    let runs = files::runs_csv(&campaign, &results);
    let series = files::series_csv(&campaign, &results);
    let column = |text: &str, name: &str| {
        let at = text.lines().next().and_then(|line| line.split(',').position(|own| own == name));
        let at = at.unwrap_or_else(|| panic!("no column {name}"));
        let rows =
            text.lines().skip(1).map(move |line| line.split(',').nth(at).unwrap_or_default());
        rows.map(str::to_owned).collect::<Vec<_>>()
    };
    let count = |name: &str| column(&runs, name)[0].parse::<u64>().expect(name);
    assert_eq!(count("paid.asked"), count("paid.reached") + count("paid.failed"));
    let unpaid = count("paid.failed") - count("paid.late");
    assert!((195..=205).contains(&unpaid), "{unpaid} have no time left, and are not paid");
    let reached: u64 = column(&series, "paid.reached")
        .iter()
        .zip(column(&series, "arm").iter().zip(column(&series, "seed")))
        .filter(|(_, (arm, seed))| *arm == "slow" && seed == "1")
        .map(|(count, _)| count.parse::<u64>().expect("a count"))
        .sum();
    assert_eq!(reached, count("paid.reached"));
}

#[test]
fn what_a_crash_undoes_is_not_paid() {
    let model = LATER.changed("commit = \"0s\"", "commit = \"0s\"\nflush = { every = \"10s\" }");
    let crash = "[[faults]]\nkind = \"crash\"\ntarget = \"shop\"\nat = \"19s\"\nfor = \"100ms\"\n";
    let (campaign, run) = first(&experiment(crash), &model);
    let paid = &run.metrics.milestones[0];
    assert!(run.metrics.lost_transactions > 400, "{}", run.metrics.lost_transactions);
    assert!(paid.failed >= run.metrics.lost_transactions, "{} failed", paid.failed);
    assert_eq!(value(&campaign, &run, "charged.success_ratio"), Some(1.0), "no crash undoes that");
}

#[test]
fn the_metrics_of_replies_are_as_they_were_beside_a_milestone() {
    let (beside, with) = first(&experiment(""), LATER);
    let text = experiment("");
    let without = &text[..text.find("[milestone.paid]").expect("a milestone")];
    let (alone, none) = first(without, LATER);
    assert_eq!(with.digest, none.digest, "nothing that is watched changes what happens");
    for metric in alone.metrics().iter() {
        let place = beside.metrics().place(Of::Measured, metric.id).expect("it is there too");
        assert_eq!(with.values[place], none.values[metric.id.place()], "{}", metric.name);
    }
    assert!(alone.metrics().place(Of::Measured, MetricId::SuccessRatio).is_some());
}

/// What is wrong with an experiment beside the model, or suspicious about it.
fn problems(experiment: &str, model: &str) -> Vec<String> {
    let mut sources = Sources::default();
    let mut parse = |name: &str, text: &str| {
        let source = sources.add(name, text);
        Value::parse(&sources, source).expect("TOML")
    };
    let documents = Documents {
        experiment: parse("experiment.toml", experiment),
        model: parse("model.toml", model),
        overrides: Vec::new(),
    };
    let no_files = |name: &str| Err(Problem::new(format!("no file {name}")));
    match Campaign::new(&documents, &no_files) {
        Ok(campaign) => campaign.warnings.into_iter().map(|warning| warning.message).collect(),
        Err(problems) => problems.into_iter().map(|problem| problem.message).collect(),
    }
}

#[test]
fn what_cannot_be_followed_is_refused_or_said() {
    let base = "name = \"x\"\nmodel = \"inline\"\narrivals = \"9s\"\n";
    let milestone = |keys: &str| format!("{base}[milestone.paid]\n{keys}\n");
    let of = "of = \"api.place_order\"\n";
    for (text, expected) in [
        (milestone(&format!("{of}when = \"shop.order = paid\"")), None),
        (
            milestone(&format!("{of}when = \"shop.order = payd\"")),
            Some("no step writes the state `payd` of `shop.order`"),
        ),
        (milestone(&format!("{of}when = \"delivered order\"")), Some("unknown queue")),
        (milestone(&format!("{of}when = \"effect\"")), Some("unknown effect")),
        (milestone(&format!("{of}when = \"paid\"")), Some("is nothing that is reached")),
        (milestone("of = \"api.place\"\nwhen = \"answer\""), Some("unknown operation")),
        (milestone(&format!("{of}when = \"answer\"\nwithin = \"0s\"")), Some("at once")),
        (format!("{base}[measure]\nmilestone = \"paid\""), Some("unknown milestone")),
        (format!("{base}[milestone.reply]\n{of}when = \"answer\""), Some("cannot name")),
        (
            milestone(&format!(
                "{of}when = \"answer\"\n[measure]\nmilestone = \"paid\"\noperation = \"api.look\""
            )),
            Some("is not what the milestone `paid` is of"),
        ),
        (
            milestone(&format!(
                "{of}when = \"answer\"\n[arms.a]\n[arms.b.set]\n\"measure.milestone\" = \"paid\""
            )),
            Some("follows other milestones"),
        ),
    ] {
        let problems = problems(&text, LATER);
        match expected {
            None => assert_eq!(problems, [""; 0], "{text}"),
            Some(expected) => assert!(
                problems.iter().any(|problem| problem.contains(expected)),
                "{problems:?} instead of `{expected}` of\n{text}"
            ),
        }
    }
}

#[test]
fn what_nothing_reaches_in_any_arm_is_refused() {
    let model = LATER
        .replace("effects = [\"charge\"]", "effects = [\"charge\", \"refund\"]")
        .replace("[{ work = \"1ms\" }, ", "[{ publish = \"void\" }, ")
        + "[queue.idle]\nvisibility = \"1s\"\n[queue.void]\nvisibility = \"1s\"\n\
           [service.idler]\nworkers = 1\ntakes = \"idle\"\nsteps = [{ ack = true }]\n";
    let refused = |when: &str, more: &str| {
        let text = format!(
            "name = \"x\"\nmodel = \"inline\"\narrivals = \"9s\"\n[milestone.done]\n\
             of = \"api.look\"\nwhen = \"{when}\"\n[arms.a]\n[arms.b.set]\n{more}"
        );
        problems(&text, &model)
    };
    for (when, step, why) in [
        ("effect refund", "{ call = \"bank.refund\" }", "no step calls for `effect refund`"),
        ("delivered idle", "{ publish = \"idle\" }", "nothing publishes to `idle`"),
        ("acknowledged void", "", "nobody takes messages from `void`"),
        (
            "shop.order = payd",
            "{ transaction = \"shop\", write = [\"order = payd\"] }",
            "no step writes the state `payd` of `shop.order`",
        ),
    ] {
        let nowhere = refused(when, "");
        assert!(nowhere.len() == 1 && nowhere[0].starts_with(why), "{nowhere:?}");
        let steps = format!("\"service.api.on.look.steps\" = [{step}, {{ reply = \"ok\" }}]");
        let in_one = if step.is_empty() { Vec::new() } else { refused(when, &steps) };
        assert!(!in_one.iter().any(|problem| problem.starts_with(why)), "{in_one:?}");
    }
}
