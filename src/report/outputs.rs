//! The files of results, each listed once: its name, whether there is one, and what it holds. A new
//! format is a function and a line here.

use super::findings::Findings;
use super::violations::violations_jsonl;
use super::{attribution, blast_radius, columns, figures, files, page, phase, ramp, search};
use crate::experiment::closer_look::CloserLook;
use crate::experiment::comparison::Comparison;
use crate::experiment::run::RunResult;

/// The last file, which says of what the others are the results.
pub const MANIFEST: &str = "manifest.json";

/// What a campaign was read from.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Name and text of every file that was read: the experiment first, then the model.
    pub files: &'a [(String, String)],
    /// The overrides as they were given.
    pub overrides: &'a [String],
    /// The model with every default filled in, if it is one without the experiment.
    pub complete_model: Option<&'a str>,
}

/// What the files of a campaign are made of.
#[derive(Clone, Copy, Debug)]
pub struct CampaignSources<'a> {
    /// What it came to.
    pub findings: &'a Findings<'a>,
    /// How the arms compare, as a table: two files are made of it.
    pub pairs: &'a [columns::Column],
    /// Single runs.
    pub look: &'a CloserLook,
    /// What it was read from.
    pub inputs: Inputs<'a>,
}

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
pub const OUTPUTS: [Output<OfCampaign>; 20] = [
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
    picture("hysteresis", |of| figures::hysteresis(of.findings).map(String::into_bytes)),
    picture("spread", |of| {
        let Findings { campaign, summaries, .. } = of.findings;
        blast_radius::figure(campaign, summaries).map(String::into_bytes)
    }),
    picture("violations", |of| figures::violations(of.findings).map(String::into_bytes)),
    file(MANIFEST, |of| {
        let Findings { campaign, results, comparison, .. } = of.findings;
        let Inputs { files, overrides, .. } = of.inputs;
        text(files::manifest_json(campaign, results, comparison, files, overrides))
    }),
];

/// The files of a search, in the order in which they are written.
pub const SEARCH_OUTPUTS: [Output<OfSearch>; 9] = [
    file("search.csv", |of| text(search::csv(of.report))),
    file("runs.csv", |of| text(files::runs_csv(of.report.campaign, of.results))),
    file("runs.parquet", |of| Some(files::runs_parquet(of.report.campaign, of.results))),
    file("faults.csv", |of| text(files::faults_csv(of.report.campaign, of.results))),
    file("violations.jsonl", |of| {
        let Inputs { files, overrides, .. } = of.inputs;
        text(violations_jsonl(of.report.campaign, of.results, &files[0].0, overrides))
    }),
    file("tables.md", |of| {
        text(format!("{}\n{}", search::table(of.report).markdown(), search::remarks(of.report)))
    }),
    file("summary.json", |of| text(search::summary_json(of.report))),
    picture("phase-diagram", |of| text(phase::figure(of.report).svg())),
    file(MANIFEST, |of| {
        let nothing = Comparison { pairs: Vec::new(), front: Vec::new(), precision: None };
        let Inputs { files, overrides, .. } = of.inputs;
        text(files::manifest_json(of.report.campaign, of.results, &nothing, files, overrides))
    }),
];

/// Every file that a campaign or a search may write, each once.
#[must_use]
pub fn names() -> Vec<String> {
    let of_campaigns = OUTPUTS.iter().flat_map(Output::names);
    let mut names = Vec::new();
    for name in of_campaigns.chain(SEARCH_OUTPUTS.iter().flat_map(Output::names)) {
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
