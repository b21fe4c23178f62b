//! Every number of `summary.json`, `pairs.csv`, `search.csv`, `ramp.csv`, the tables and pictures,
//! computed again from the rows of `runs.csv`, `series.csv` and `faults.csv` by code that shares
//! nothing with the crate's.

mod pairs;
mod phase;
mod pictures;
mod ramp;
mod search;
mod statistics;
mod summary;
mod tables;

use std::collections::BTreeMap;

use serde_json::Value;
use stormglass::experiment::compare::compare;
use stormglass::experiment::measure::summary::summarise;
use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::run::closer_look::CloserLook;
use stormglass::kernel::time::Time;
use stormglass::report::comparison::front;
use stormglass::report::findings::Findings;
use stormglass::report::outputs::{CampaignSources, Inputs, OUTPUTS, OfCampaign, Output};
use stormglass::report::table::Table;
use stormglass::report::{arms, columns, comparison, files};

use crate::common::{self, Changed, run_all, shipped};
use statistics::{number, z_of};

/// R2 of the ground truth: one server with a waiting line, and users who try again.
const SERVER: &str = include_str!("../../../../models/published/server-r.toml");

/// A row of a CSV, by column.
type Row = BTreeMap<String, String>;

fn rows(text: &str) -> Vec<Row> {
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let header = table.headers().unwrap().clone();
    let row = |record: csv::StringRecord| {
        header.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect()
    };
    table.records().map(|record| row(record.unwrap())).collect()
}

/// The value of a metric in a run, as `docs/results.md` says.
fn value(run: &Row, metric: &str) -> Option<f64> {
    if run["ending"] != "complete" {
        return None;
    }
    let count = |name: String| run[&name].parse::<f64>().unwrap();
    if let Some(name) = metric.strip_suffix("_violated") {
        let is_told = count(format!("{name}_exposure")) > 0.0;
        return is_told.then(|| f64::from(u8::from(count(format!("{name}_violations")) > 0.0)));
    }
    if let Some(name) = metric.strip_suffix("_per_10000") {
        let exposure = count(format!("{name}_exposure"));
        return (exposure > 0.0).then(|| count(format!("{name}_violations")) / exposure * 1e4);
    }
    if let Some(name) = metric.strip_suffix(".never_recovered") {
        return match run[&format!("{name}.recovered")].as_str() {
            "" => None,
            text => Some(f64::from(u8::from(text == "false"))),
        };
    }
    match (metric, run["recovered"].as_str(), run["label"].as_str()) {
        ("never_recovered", "true", _) => Some(0.0),
        ("never_recovered", "false", _) => Some(1.0),
        ("never_recovered", _, _) | ("metastable", _, "") => None,
        ("metastable", _, label) => Some(f64::from(u8::from(label == "metastable"))),
        _ => number(&run[metric]),
    }
}

/// Whether a run collapsed.
fn collapsed(run: &Row) -> Option<bool> {
    match run["collapsed"].as_str() {
        "" => None,
        text => Some(text == "true"),
    }
}

/// What a campaign writes.
struct Written {
    runs: Vec<Row>,
    series: Vec<Row>,
    faults: Vec<Row>,
    pairs: Vec<Row>,
    summary: Value,
    tables: String,
    figures: BTreeMap<&'static str, String>,
    arrivals_s: f64,
    warm_up_s: f64,
    /// Of each run, when its first fault began and its last one ended.
    acts: Vec<Option<(Time, Time)>>,
}

impl Written {
    fn new(campaign: &Campaign) -> Written {
        let results = run_all(campaign);
        let (summaries, compared) = (summarise(campaign, &results), compare(campaign, &results));
        let mut tables = arms::arms_tables(campaign, &summaries);
        tables.extend(comparison::pairs_table(campaign, &compared.pairs));
        tables.extend(front::table(campaign, &compared));
        let findings = Findings::new(campaign, &results, &summaries, &compared);
        let look = &CloserLook::new(campaign, &results, &[]);
        let inputs = Inputs { files: &[], overrides: &[], complete_model: None };
        let made_of = CampaignSources { findings: &findings, pairs: &[], look, inputs };
        let pictures = OUTPUTS.iter().filter(|output| output.is_picture);
        let svg = |output: &Output<OfCampaign>| {
            let bytes = (output.make)(&made_of)?;
            Some((output.name, String::from_utf8(bytes).expect("a picture is text")))
        };
        let summary = findings.summary_json();
        Written {
            runs: rows(&files::runs_csv(campaign, &results)),
            series: rows(&files::series_csv(campaign, &results)),
            faults: rows(&files::faults_csv(campaign, &results)),
            pairs: rows(&columns::csv(&comparison::pairs(campaign, &compared.pairs))),
            summary: serde_json::from_str(&summary).unwrap(),
            tables: tables.iter().map(Table::markdown).collect::<Vec<_>>().join("\n"),
            figures: pictures.filter_map(svg).collect(),
            arrivals_s: campaign.experiment.arrivals.seconds(),
            warm_up_s: campaign.cells[0].measure.warm_up.seconds(),
            acts: results.iter().map(|run| run.faults_act).collect(),
        }
    }

    /// Whether each run collapsed, as `docs/results.md` says.
    fn check_collapsed(&self) {
        for (run, acts) in self.runs.iter().zip(&self.acts) {
            let expected = match (run["label"].as_str(), run["recovered"].as_str()) {
                ("metastable", _) => Some(true),
                ("slow recovery" | "recovers", _) => Some(false),
                (_, "false") => Some(self.is_down_after(run, acts.expect("it has a fault"))),
                (_, "true") => Some(false),
                _ => None,
            };
            assert_eq!(collapsed(run), expected, "{run:?}");
        }
    }

    /// Whether fewer requests succeed after the faults than 95% of the share before them, in a way
    /// that chance explains in one of a hundred cases only.
    fn is_down_after(&self, run: &Row, (began, healed): (Time, Time)) -> bool {
        let share = |from: f64, until: f64| {
            let own = self.series.iter().filter(|row| {
                let at = number(&row["from_s"]).unwrap();
                let is_own = ["arm", "point", "seed"].iter().all(|key| row[*key] == run[*key]);
                is_own && at >= from && at < until
            });
            let sums = own.fold((0.0, 0.0), |(asked, succeeded), row| {
                let of = |column: &str| number(&row[column]).unwrap();
                (asked + of("asked"), succeeded + of("succeeded"))
            });
            let share = if sums.0 > 0.0 { sums.1 / sums.0 } else { 1.0 };
            (share, share * (1.0 - share) / sums.0.max(1.0))
        };
        let (before, before_variance) = share(0.0, began.seconds().floor());
        let (after, after_variance) = share(healed.seconds().ceil(), f64::MAX);
        let error = (after_variance + 0.95 * 0.95 * before_variance).sqrt();
        after < 0.95 * before - z_of(0.98) * error
    }

    fn cells(&self) -> &[Value] {
        self.summary["cells"].as_array().unwrap()
    }

    fn of_cell<'a>(&'a self, arm: &str, point: &str) -> Vec<&'a Row> {
        self.runs.iter().filter(|run| run["arm"] == arm && run["point"] == point).collect()
    }

    fn of<'a>(&'a self, cell: &Value) -> Vec<&'a Row> {
        self.of_cell(cell["arm"].as_str().unwrap(), cell["point"].as_str().unwrap())
    }

    /// The runs that collapsed and those that did not.
    fn apart<'a>(&'a self, cell: &Value) -> [Vec<&'a Row>; 2] {
        let is = |is: bool| self.of(cell).into_iter().filter(move |run| collapsed(run) == Some(is));
        [true, false].map(|it| is(it).collect())
    }

    /// The same, where there are both.
    fn modes<'a>(&'a self, cell: &Value) -> Option<[Vec<&'a Row>; 2]> {
        let [yes, no] = self.apart(cell);
        (!yes.is_empty() && !no.is_empty()).then_some([yes, no])
    }

    fn check(&self) {
        self.check_collapsed();
        summary::check(self);
        pairs::check(self);
        tables::check(self);
        pictures::check(self);
    }
}

#[test]
fn every_number_of_a_campaign_can_be_computed_again() {
    let campaign = shipped("payment-brownout", |text| {
        let short = text
            .changed("arrivals = \"103s\"", "arrivals = \"8s\"")
            .changed("at = \"30s\"", "at = \"2s\"")
            .changed("for = \"20s\"", "for = \"3s\"")
            .changed("seeds = \"1..31\"", "seeds = \"1..6\"");
        format!(
            r#"{short}
[random_faults]
until = "6s"
[random_faults.kinds.reply_loss]
strikes = "10/min"
for = "1s"
share = ["1%", "50%"]
[expect]
amplification = "<= 1.3"
success_ratio = ">= 50%"
recovers = "within 2s"
"#
        )
    });
    assert_eq!(campaign.seeds.len(), 5);
    let written = Written::new(&campaign);
    assert!(written.pairs.iter().filter(|pair| pair["method"] == "paired t").count() > 100);
    assert!(written.pairs.iter().filter(|pair| pair["method"] == "mcnemar").count() > 20);
    written.check();
}

/// R2 of the ground truth: of the runs at 5/s and 6 s half do not come back.
#[test]
fn every_number_of_two_modes_can_be_computed_again() {
    let experiment = r#"
name = "two-modes"
model = "inline"
arrivals = "150s"
drain = "20s"
seeds = "1..17"
[measure]
warm_up = "4500ms"
[metastability]
capacity = "10/s"
[compare]
primary = ["amplification", "success_ratio", "metastable", "latency_p99_ms"]
precision = { amounts = "5%", shares = "30%" }
pareto = ["amplification", "success_ratio"]
[[faults]]
kind = "pause"
target = "server"
at = "30s"
for = "6s"
[arms.fifo]
[arms.same]
[arms.lifo.set]
"service.server.queue.order" = "lifo"
"#;
    let written = Written::new(&common::campaign(experiment, SERVER));
    assert!(written.cells()[0]["modes"].is_object(), "some collapse and some do not");
    written.check();
}

/// What of `series.csv` a row of panels shows by its heading: a milestone has its own name.
fn column_of(heading: &str) -> String {
    match heading {
        "goodput" | "answered ok" => "answered".to_owned(),
        milestone if !heading.contains("attempts") => format!("{milestone}.reached"),
        _ => "attempts".to_owned(),
    }
}
