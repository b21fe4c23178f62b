//! An objective says how many events may be bad, and what of that a run uses up.

use stormglass::experiment::compare::compare;
use stormglass::experiment::measure::summary::summarise;
use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::plan::documents::Documents;
use stormglass::experiment::run::result::RunResult;
use stormglass::model::document::{Sources, Value};
use stormglass::model::problem::Problem;
use stormglass::report::arms::arms_tables;
use stormglass::report::files;
use stormglass::report::table::Table;

use crate::common::{Changed, campaign, run_all};

/// Ten orders a second for 100 s; the shop is gone from the 20th second to the 30th, and refuses.
const MODEL: &str = r#"
[clients.shoppers]
arrivals = { constant = "10/s" }
flow = [{ call = "api.order" }]

[service.api]
workers = "unlimited"
on.order.steps = [{ work = "1ms" }, { reply = "ok" }]
"#;

fn experiment(slo: &str) -> String {
    let head = "name = \"slo\"\nmodel = \"m.toml\"\nseeds = \"1..2\"\narrivals = \"100s\"\n\
                measure = { warm_up = \"0s\" }\n\
                faults = [{ kind = \"crash\", target = \"api\", at = \"20s\", for = \"10s\" }]\n";
    format!("{head}\n[slo.orders]\n{slo}")
}

const OCCURRENCES: &str = "of = \"api.order\"\ngood = \"answer ok\"\ntarget = \"99%\"\n\
                           window = \"10000s\"\nburn_window = \"20s\"\n";

fn value(campaign: &Campaign, run: &RunResult, name: &str) -> f64 {
    let place = campaign.metrics().find(name).unwrap_or_else(|| panic!("there is a {name}"));
    run.values[place].unwrap_or_else(|| panic!("{name} has a value"))
}

/// To 0.2%: the first order comes after a tenth of a second, so that there are 999.
fn assert_is(campaign: &Campaign, run: &RunResult, expected: &[(&str, f64)]) {
    for (name, expected) in expected {
        let value = value(campaign, run, name);
        assert!((value - expected).abs() <= 2e-3 * expected, "{name}: {value}");
    }
}

#[test]
fn an_outage_uses_up_its_share_of_the_window_at_the_load_of_the_run() {
    let campaign = campaign(&experiment(OCCURRENCES), MODEL);
    let runs = run_all(&campaign);
    // 1,000 orders in 100 s are 100,000 in the window, of which 1,000 may be bad.
    assert_is(
        &campaign,
        &runs[0],
        &[
            ("orders.good_ratio", 0.9),
            ("orders.bad_events", 100.0),
            ("orders.budget_consumed", 0.1),
            // Half of the orders of 20 s are bad, and one in a hundred may be.
            ("orders.burn_rate_max", 50.0),
            ("orders.time_to_exhaustion_s", 200.0),
            ("orders.unfinished_ratio", 0.0),
        ],
    );
}

#[test]
fn slices_weigh_time_and_events_weigh_users() {
    let slices = "budgeting_method = \"timeslices\"\ntime_slice_window = \"10s\"\n\
                  time_slice_target = \"95%\"\n";
    let by_slices = campaign(&experiment(&(OCCURRENCES.to_owned() + slices)), MODEL);
    let expected = [
        ("orders.good_ratio", 0.9),
        ("orders.bad_events", 1.0),
        // 1,000 slices in the window, of which 10 may be bad.
        ("orders.budget_consumed", 0.1),
        ("orders.burn_rate_max", 50.0),
    ];
    assert_is(&by_slices, &run_all(&by_slices)[0], &expected);
    // At night a tenth of the users come: events weigh the outage by a tenth, slices as before.
    let night = MODEL.changed(
        "{ constant = \"10/s\" }",
        "{ profile = [{ at = \"0s\", rate = \"100/s\" }, { at = \"15s\", rate = \"1/s\" }, { at = \"40s\", rate = \"100/s\" }] }",
    );
    let by_slices = campaign(&experiment(&(OCCURRENCES.to_owned() + slices)), &night);
    assert_is(&by_slices, &run_all(&by_slices)[0], &[("orders.budget_consumed", 0.1)]);
    let by_events = campaign(&experiment(OCCURRENCES), &night);
    let consumed = value(&by_events, &run_all(&by_events)[0], "orders.budget_consumed");
    assert!(consumed < 0.005, "{consumed}");
}

#[test]
fn what_is_too_slow_is_bad_and_what_is_unfinished_is_neither() {
    // Work takes longer than a good answer may.
    let slow = OCCURRENCES.to_owned() + "within = \"500us\"\n";
    let campaign_ = campaign(&experiment(&slow), MODEL);
    assert_is(&campaign_, &run_all(&campaign_)[0], &[("orders.good_ratio", 0.0)]);
    // Who came in the last second waits when the run ends.
    let model = MODEL.changed("work = \"1ms\"", "work = \"1s\"");
    let campaign_ = campaign(&experiment(OCCURRENCES), &model);
    let run = &run_all(&campaign_)[0];
    let text = files::runs_csv(&campaign_, std::slice::from_ref(run));
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let (header, row) = (lines.next().expect("a header"), lines.next().expect("a row"));
    let column = |name: &str| {
        let place = header.iter().position(|own| *own == name).expect(name);
        row[place].parse::<u64>().expect("a count")
    };
    let counts = ["good", "bad", "unfinished"].map(|name| column(&format!("orders.{name}")));
    assert_eq!(counts.iter().sum::<u64>(), 999, "{counts:?}");
    assert!((9..=10).contains(&counts[2]), "{counts:?}");
    let good = value(&campaign_, run, "orders.good_ratio");
    assert!((good - counts[0] as f64 / (counts[0] + counts[1]) as f64).abs() < 1e-12);
}

#[test]
fn a_milestone_can_be_the_good_event() {
    let text = experiment("good = \"served\"\ntarget = \"99%\"\nwindow = \"30d\"\n")
        + "[milestone.served]\nof = \"api.order\"\nwhen = \"answer ok\"\nwithin = \"1s\"\n";
    let campaign = campaign(&text, MODEL);
    let run = &run_all(&campaign)[0];
    let both = ["orders.good_ratio", "served.success_ratio"].map(|it| value(&campaign, run, it));
    assert_eq!(both, [899.0 / 999.0; 2]);
}

#[test]
fn tables_series_comparisons_and_expectations_know_objectives() {
    let text = experiment(OCCURRENCES).changed("seeds = \"1..2\"", "seeds = \"1..4\"")
        + "label = \"Orders\"\n[expect]\n\"orders.budget_consumed\" = \"< 5%\"\n\
           [arms.as_it_is]\n[arms.spared]\nset.\"faults.0.for\" = \"2s\"\n";
    let campaign = campaign(&text, MODEL);
    let results = run_all(&campaign);
    let summaries = summarise(&campaign, &results);
    let tables: Vec<String> =
        arms_tables(&campaign, &summaries).iter().map(Table::markdown).collect();
    let own = tables.iter().find(|table| table.contains("Orders: budget consumed"));
    let own = own.expect("a table of the objective");
    assert!(own.contains("| as_it_is | 90.0% | 100 |") && own.contains("10.0%"), "{own}");
    let met: Vec<Option<bool>> = results.iter().map(|run| run.expectations[0].met).collect();
    assert_eq!(met, [[Some(false); 3], [Some(true); 3]].concat());
    let pairs = compare(&campaign, &results).pairs;
    let own = pairs.iter().find(|pair| pair.metric == "orders.budget_consumed" && pair.is_primary);
    assert!(own.is_some_and(|pair| pair.difference.is_some_and(|it| it < -0.07)), "{own:?}");
    let series = files::series_csv(&campaign, &results);
    let header: Vec<&str> = series.lines().next().expect("a header").split(',').collect();
    assert!(header.ends_with(&["orders.good", "orders.bad", "orders.burn_rate"]), "{header:?}");
    let row = series.lines().find(|row| row.starts_with("as_it_is,,1,25,")).expect("a row");
    assert!(row.contains(",0,10,99.99999") || row.ends_with(",0,10,100"), "{row}");
}

/// Between the shop and the user stands another service. What the shop would like to show with an
/// order is gone from the 20th second to the 30th.
const SHOWN: &str = r#"
[clients.shoppers]
arrivals = { constant = "10/s" }
flow = [{ call = "door.order" }]

[service.door]
workers = "unlimited"
on.order.steps = [
  { parallel = [[{ call = "api.order" }], [{ work = "1us" }]] },
  { reply = "ok" },
]

[service.api]
workers = "unlimited"
on.order.steps = [
  { call = "hints.show", quality = "degraded", fallback = [{ work = "1ms" }] },
  { reply = "ok" },
]

[service.hints]
workers = "unlimited"
on.show.steps = [{ work = "1ms" }, { reply = "ok" }]
"#;

/// What becomes of the 999 orders: good, bad, degraded.
fn parts(good: &str, model: &str) -> [u64; 3] {
    let slo = OCCURRENCES.changed("api.order", "door.order").changed("answer ok", good);
    let text = experiment(&slo).changed("target = \"api\"", "target = \"hints\"");
    let campaign = campaign(&text, model);
    let run = &run_all(&campaign)[0];
    let own =
        campaign.cells[0].objectives.list[0].account(&run.metrics, &campaign.cells[0].measure);
    let own = own.expect("it is counted");
    [own.good, own.bad, own.degraded]
}

#[test]
fn an_answer_by_a_degraded_fallback_is_degraded_up_to_the_user() {
    assert_eq!(parts("answer ok", SHOWN), [999, 0, 100]);
    assert_eq!(parts("answer undegraded", SHOWN), [899, 100, 100]);
    // A fallback that serves as well as what it stands in for degrades nothing.
    let as_good = SHOWN.changed(" quality = \"degraded\",", "");
    assert_eq!(parts("answer undegraded", &as_good), [999, 0, 0]);
    // A handler that fails after it has not answered at all.
    let fails = SHOWN.changed("{ reply = \"ok\" },\n]", "{ reply = \"failed\" },\n]");
    assert_eq!(parts("answer ok", &fails), [0, 999, 0]);
}

#[test]
fn what_a_user_falls_back_to_is_degraded_and_the_next_order_is_not() {
    let flow = "[{ call = \"door.order\" }]";
    let twice = "[{ call = \"hints.show\", quality = \"degraded\", fallback = [{ call = \"api.order\" }] }, \
                 { call = \"door.order\" }]";
    let model = SHOWN
        .changed(flow, twice)
        .changed(" quality = \"degraded\", fallback = [{ work", " fallback = [{ work");
    assert_eq!(parts("answer undegraded", &model), [999, 0, 0], "of what is ordered at the door");
    let slo =
        OCCURRENCES.changed("api.order", "hints.show").changed("answer ok", "answer undegraded");
    let text = experiment(&slo).changed("target = \"api\"", "target = \"hints\"");
    let campaign = campaign(&text, &model);
    let run = &run_all(&campaign)[0];
    assert_eq!(value(&campaign, run, "orders.bad_events"), 100.0);
    let degraded = value(&campaign, run, "orders.degraded_ratio");
    assert!((degraded - 100.0 / 999.0).abs() < 1e-12, "{degraded}");
}

/// What is said of a wrong objective.
fn refusal(slo: &str) -> String {
    let mut sources = Sources::default();
    let mut parse = |name: &str, text: &str| {
        let source = sources.add(name, text);
        Value::parse(&sources, source).expect("it can be parsed")
    };
    let documents = Documents {
        experiment: parse("experiment.toml", &experiment(slo)),
        model: parse("model.toml", MODEL),
        overrides: Vec::new(),
    };
    let no_files = |_: &str| Err(Problem::new("no files"));
    let problems = Campaign::new(&documents, &no_files).expect_err("it is refused");
    let line = |problem: &Problem| {
        let expected = problem.expected.as_deref().unwrap_or_default();
        format!("{}; {expected}", problem.message)
    };
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_no_objective_is_refused_with_what_would_be_one() {
    let all = "good = \"answer ok\"\ntarget = \"99%\"\nwindow = \"30d\"\nof = \"api.order\"\n";
    let (slices, slice) = ("budgeting_method = \"timeslices\"\n", "time_slice_window = \"1s\"\n");
    for (text, expected) in [
        (all.changed("99%", "100%"), "less than 100%"),
        (all.changed("99%", "0%"), "more than 0%"),
        (all.changed("answer ok", "answers"), "answer ok"),
        (all.changed("of = \"api.order\"\n", ""), "operation` in [measure]"),
        (all.changed("api.order", "api.orders"), "api.order"),
        (all.to_owned() + slices, "`time_slice_window` and `time_slice_target`"),
        (all.to_owned() + slice, "budgeting_method"),
        (
            all.to_owned()
                + slices
                + "time_slice_window = \"1500ms\"\ntime_slice_target = \"9%\"\n",
            "a multiple of 1s",
        ),
        (all.to_owned() + "within = \"0s\"\n", "more than 0s"),
        (all.to_owned() + "[slo.reply]\n" + all, "reply"),
    ] {
        let said = refusal(&text);
        assert!(said.contains(expected), "{text}: {said}");
    }
}
