//! The files of results, each listed once: its name, whether there is one, and what it holds. A new
//! format is a function and a line here.

use super::findings::Findings;
use super::question::QuestionReport;
use super::search::limit;
use super::table::Table;
use super::violations::violations_jsonl;
use super::{
    attribution, blast_radius, budget, columns, figures, files, observed, outage_map, page, phase,
    price, ramp, search,
};
use crate::experiment::compare::Comparison;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::run::result::RunResult;

pub use super::sources::{CampaignSources, Inputs};

/// The last file, which says of what the others are the results.
pub const MANIFEST: &str = "manifest.json";

/// What the files of a search are made of.
#[derive(Clone, Copy)]
pub struct SearchSources<'a> {
    /// What it found.
    pub report: &'a search::Report<'a>,
    /// Its results, ordered by their numbers.
    pub results: &'a [RunResult],
    /// What it was read from.
    pub inputs: Inputs<'a>,
}

/// What the files of an experiment are made of that runs round by round and is no search.
#[derive(Clone, Copy)]
pub struct ExploredSources<'a> {
    pub campaign: &'a Campaign,
    pub question: &'a QuestionReport,
    /// Its results, ordered by their numbers.
    pub results: &'a [RunResult],
    /// What it was read from.
    pub inputs: Inputs<'a>,
}

impl ExploredSources<'_> {
    fn csv(&self, name: &str) -> Option<Vec<u8>> {
        let (own, table) = &self.question.csv;
        (*own == name).then(|| columns::csv(table).into_bytes())
    }

    /// The picture of this name.
    fn figure(&self, name: &str) -> Option<Vec<u8>> {
        let (own, svg) = &self.question.figure;
        (*own == name).then(|| svg.clone().into_bytes())
    }
}

/// A file of results, or the two of a picture.
#[derive(Clone, Copy, Debug)]
pub struct Output<F> {
    /// The file's name; of a picture without its ending.
    pub name: &'static str,
    /// Whether it is a picture: `make` gives an SVG, and there is a PNG of it beside it.
    pub is_picture: bool,
    /// What it holds; `None` where the campaign has no such file.
    pub make: F,
}

/// What a file of a campaign holds.
pub type OfCampaign = for<'a, 'b> fn(&'a CampaignSources<'b>) -> Option<Vec<u8>>;

/// What a file of a search holds.
pub type OfSearch = for<'a, 'b> fn(&'a SearchSources<'b>) -> Option<Vec<u8>>;

const fn file<F>(name: &'static str, make: F) -> Output<F> {
    Output { name, is_picture: false, make }
}

const fn picture<F>(name: &'static str, make: F) -> Output<F> {
    Output { name, is_picture: true, make }
}

/// The files of a campaign, in the order in which they are written.
pub const OUTPUTS: [Output<OfCampaign>; 28] = [
    file("runs.csv", |of| text(files::runs_csv(of.findings.campaign, of.findings.results))),
    file("runs.parquet", |of| Some(files::runs_parquet(of.findings.campaign, of.findings.results))),
    file("series.csv", |of| text(files::series_csv(of.findings.campaign, of.findings.results))),
    file("faults.csv", |of| text(files::faults_csv(of.findings.campaign, of.findings.results))),
    file("attribution.csv", |of| {
        text(attribution::csv(of.findings.campaign, of.findings.results)?)
    }),
    file("pairs.csv", |of| text(columns::csv(of.pairs))),
    file("pairs.parquet", |of| Some(files::parquet_of(of.pairs))),
    file("ramp.csv", |of| {
        let Findings { campaign, results, .. } = of.findings;
        text(ramp::csv(campaign, campaign.experiment.ramp.as_ref()?, results))
    }),
    file("edges.csv", |of| {
        let Findings { campaign, results, .. } = of.findings;
        text(ramp::edges_csv(campaign, campaign.experiment.ramp.as_ref()?, results))
    }),
    file("nodes.csv", |of| text(observed::nodes_csv(of.findings.campaign, of.look)?)),
    file("operations.csv", |of| text(observed::operations_csv(of.findings.campaign, of.look)?)),
    file("incident.csv", |of| {
        text(observed::incident_csv(of.findings.campaign, of.findings.results)?)
    }),
    file("paths.csv", |of| text(observed::paths_csv(of.findings.campaign, of.findings.results)?)),
    file("violations.jsonl", |of| {
        let (Findings { campaign, results, .. }, inputs) = (of.findings, &of.inputs);
        text(violations_jsonl(campaign, results, &inputs.files[0].0, inputs.overrides))
    }),
    file("tables.md", |of| text(of.findings.markdown())),
    file("report.html", |of| text(page::page(of))),
    file("summary.json", |of| text(of.findings.summary_json())),
    picture("over-time", |of| text(figures::over_time(of.findings))),
    picture("amplification", |of| text(figures::amplification(of.findings))),
    picture("pareto", |of| figures::pareto(of.findings).map(String::into_bytes)),
    picture("cost", |of| {
        let Findings { campaign, summaries, .. } = of.findings;
        price::figure(campaign, summaries).map(String::into_bytes)
    }),
    picture("hysteresis", |of| figures::hysteresis(of.findings).map(String::into_bytes)),
    picture("spread", |of| {
        let Findings { campaign, summaries, .. } = of.findings;
        blast_radius::figure(campaign, summaries).map(String::into_bytes)
    }),
    picture("nodes", |of| text(observed::nodes_figure(of.findings.campaign, of.look)?)),
    picture("incident", |of| {
        text(observed::incident_figure(of.findings.campaign, of.findings.results)?)
    }),
    picture("paths", |of| text(observed::paths_figure(of.findings.campaign, of.findings.results)?)),
    picture("violations", |of| figures::violations(of.findings).map(String::into_bytes)),
    file(MANIFEST, |of| {
        let Findings { campaign, results, comparison, .. } = of.findings;
        let Inputs { files, overrides, .. } = of.inputs;
        text(files::manifest_json(campaign, results, comparison, files, overrides))
    }),
];

/// The files of a search, in the order in which they are written.
pub const SEARCH_OUTPUTS: [Output<OfSearch>; 10] = [
    file("search.csv", |of| text(search::csv(of.report))),
    file("limit.csv", |of| {
        let limited = of.report.limited;
        (!limited.is_empty()).then(|| limit::csv(of.report, limited).into_bytes())
    }),
    file("runs.csv", |of| text(files::runs_csv(of.report.campaign, of.results))),
    file("runs.parquet", |of| Some(files::runs_parquet(of.report.campaign, of.results))),
    file("faults.csv", |of| text(files::faults_csv(of.report.campaign, of.results))),
    file("violations.jsonl", |of| {
        let Inputs { files, overrides, .. } = of.inputs;
        text(violations_jsonl(of.report.campaign, of.results, &files[0].0, overrides))
    }),
    file("tables.md", |of| {
        let answer = of.report.answer().join("\n\n");
        let tables: Vec<String> = of.report.tables().iter().map(Table::markdown).collect();
        text(format!("{answer}\n\n{}\n{}", tables.join("\n"), search::remarks(of.report)))
    }),
    file("summary.json", |of| text(search::summary_json(of.report))),
    picture("phase-diagram", |of| text(phase::figure(of.report).svg())),
    file(MANIFEST, |of| {
        let nothing = Comparison { pairs: Vec::new(), front: Vec::new(), precision: None };
        let Inputs { files, overrides, .. } = of.inputs;
        text(files::manifest_json(of.report.campaign, of.results, &nothing, files, overrides))
    }),
];

/// What a file of an experiment holds that runs round by round and is no search.
pub type OfExplored = for<'a, 'b> fn(&'a ExploredSources<'b>) -> Option<Vec<u8>>;

/// The files of such an experiment, in the order in which they are written.
pub const EXPLORED_OUTPUTS: [Output<OfExplored>; 13] = [
    file("choice.csv", |of| of.csv("choice.csv")),
    file("sensitivity.csv", |of| of.csv("sensitivity.csv")),
    file("rare.csv", |of| of.csv("rare.csv")),
    file("runs.csv", |of| text(files::runs_csv(of.campaign, of.results))),
    file("runs.parquet", |of| Some(files::runs_parquet(of.campaign, of.results))),
    file("faults.csv", |of| text(files::faults_csv(of.campaign, of.results))),
    file("violations.jsonl", |of| {
        let Inputs { files, overrides, .. } = of.inputs;
        text(violations_jsonl(of.campaign, of.results, &files[0].0, overrides))
    }),
    file("tables.md", |of| text(of.question.markdown())),
    file("summary.json", |of| text(of.question.summary.clone())),
    picture("choice", |of| of.figure("choice")),
    picture("tornado", |of| of.figure("tornado")),
    picture("rare", |of| of.figure("rare")),
    file(MANIFEST, |of| {
        let nothing = Comparison { pairs: Vec::new(), front: Vec::new(), precision: None };
        let Inputs { files, overrides, .. } = of.inputs;
        text(files::manifest_json(of.campaign, of.results, &nothing, files, overrides))
    }),
];

/// What a file of an outage map holds.
pub type OfMap = for<'a, 'b> fn(&'a outage_map::Report<'b>) -> Option<Vec<u8>>;

/// The files of an outage map, beside the experiments that show its harms.
pub const MAP_OUTPUTS: [Output<OfMap>; 4] = [
    file("map.md", |of| text(of.markdown())),
    file("map.csv", |of| text(of.csv())),
    file("map.json", |of| text(of.json())),
    picture("map", |of| text(of.figure())),
];

/// What the files of a budget are made of.
#[derive(Clone, Copy, Debug)]
pub struct BudgetSources<'a> {
    /// What it came to.
    pub report: &'a budget::Report<'a>,
    /// Name and text of every file that was read.
    pub files: &'a [(String, String)],
}

/// What a file of a budget holds.
pub type OfBudget = for<'a, 'b> fn(&'a BudgetSources<'b>) -> Option<Vec<u8>>;

/// The files of a budget, in the order in which they are written.
pub const BUDGET_OUTPUTS: [Output<OfBudget>; 6] = [
    file("budget.csv", |of| text(of.report.csv())),
    file("budget.md", |of| text(of.report.markdown())),
    file("summary.json", |of| text(of.report.summary_json())),
    picture("budget", |of| text(of.report.figure())),
    picture("front", |of| of.report.front().map(String::into_bytes)),
    file(MANIFEST, |of| text(of.report.manifest_json(of.files))),
];

/// Every file that an experiment, a map or a budget may write, each once.
pub fn names() -> Vec<String> {
    let of_campaigns = OUTPUTS.iter().flat_map(Output::names);
    let mut names = Vec::new();
    let of_searches = SEARCH_OUTPUTS.iter().flat_map(Output::names);
    let of_others = EXPLORED_OUTPUTS.iter().flat_map(Output::names);
    let of_maps = MAP_OUTPUTS.iter().flat_map(Output::names);
    let of_budgets = BUDGET_OUTPUTS.iter().flat_map(Output::names);
    let of_commands = of_maps.chain(of_budgets);
    for name in of_campaigns.chain(of_searches).chain(of_others).chain(of_commands) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

impl<F> Output<F> {
    /// The names of its files.
    fn names(&self) -> Vec<String> {
        match self.is_picture {
            true => ["svg", "png"].map(|ending| format!("{}.{ending}", self.name)).to_vec(),
            false => vec![self.name.to_owned()],
        }
    }
}

fn text(text: String) -> Option<Vec<u8>> {
    Some(text.into_bytes())
}
