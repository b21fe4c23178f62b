//! What a campaign came to, as its files and the terminal tell it: the answer, the tables behind it
//! and what is doubtful about them.

use super::comparison::{baseline_text, front, pairs_table, precision_text, untested_text};
use super::table::Table;
use super::{
    answer, arms, attribution, blast_radius, caches, escape, files, observed, price, promises,
    ramp, unsure, warm_up,
};
use crate::experiment::compare::Comparison;
use crate::experiment::compare::answer::Answer;
use crate::experiment::measure::summary::CellSummary;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::run::result::RunResult;
use crate::kernel::limit::Ending;

/// Everything that a campaign came to.
#[derive(Debug)]
pub struct Findings<'a> {
    pub campaign: &'a Campaign,
    /// Its results, ordered by their numbers.
    pub results: &'a [RunResult],
    /// What each cell came to.
    pub summaries: &'a [CellSummary],
    /// How the arms compare.
    pub comparison: &'a Comparison,
    pub answer: Answer,
    /// The same in at most three sentences: what to take, what to avoid, what is not decided.
    pub sentences: Vec<String>,
    /// The numbers that decide.
    pub deciding: Table,
    /// What has to be known beside the tables, and what is doubtful about them.
    pub notes: String,
}

impl<'a> Findings<'a> {
    /// Weighs the results of a campaign.
    pub fn new(
        campaign: &'a Campaign,
        results: &'a [RunResult],
        summaries: &'a [CellSummary],
        comparison: &'a Comparison,
    ) -> Findings<'a> {
        let answer = Answer::new(campaign, results);
        Findings {
            campaign,
            results,
            summaries,
            comparison,
            sentences: answer::sentences(campaign, summaries, &answer),
            deciding: answer::table(campaign, summaries, &answer),
            notes: notes(campaign, results, summaries, comparison),
            answer,
        }
    }

    /// The tables of arms, and of their comparison.
    pub fn tables(&self) -> Vec<Table> {
        let mut tables = arms::arms_tables(self.campaign, self.summaries);
        tables.extend(pairs_table(self.campaign, &self.comparison.pairs));
        tables.extend(self.asked_for());
        tables
    }

    /// The tables of what an experiment asks for by a section of its own: a blast radius, what
    /// was observed, prices, a front, a ramp, causes.
    pub fn asked_for(&self) -> Vec<Table> {
        let campaign = self.campaign;
        let ramp = campaign.experiment.ramp.as_ref();
        let ramp = ramp.map(|ramp| ramp::table(campaign, ramp, self.results));
        let mut tables = blast_radius::tables(campaign, self.summaries);
        tables.extend(observed::tables(campaign, self.results));
        tables.extend(price::table(campaign, self.summaries));
        tables.extend(front::table(campaign, self.comparison));
        tables.extend(ramp);
        tables.extend(attribution::tables(campaign, self.results));
        tables
    }

    /// `tables.md`: the answer, the tables, the notes.
    pub fn markdown(&self) -> String {
        let mut parts: Vec<String> =
            self.sentences.iter().map(|it| escape::markdown_note(it)).collect();
        parts.push(self.deciding.markdown());
        parts.extend(self.tables().iter().map(Table::markdown));
        let notes = warm_up::text(self.campaign) + &self.notes;
        parts.extend(Some(escape::markdown_note(&notes)).filter(|notes| !notes.is_empty()));
        parts.join("\n")
    }

    pub fn summary_json(&self) -> String {
        let answer = (&self.answer, self.sentences.as_slice());
        let runs = (self.results, self.summaries);
        files::summary_json(self.campaign, runs, self.comparison, answer)
    }
}

/// What has to be known beside the tables, and what is doubtful about them.
fn notes(
    campaign: &Campaign,
    results: &[RunResult],
    summaries: &[CellSummary],
    comparison: &Comparison,
) -> String {
    let mut text = baseline_text(campaign) + &precision_text(campaign, comparison);
    text.push_str(&arms::unsteady_text(campaign, results));
    text.push_str(&arms::horizon_text(campaign, summaries));
    text.push_str(&blast_radius::notes(campaign, summaries));
    text.push_str(&price::notes(campaign));
    text.push_str(&unsure::notes(campaign, results, summaries));
    text.push_str(&untested_text(campaign, &comparison.pairs));
    let fills = results.iter().map(|run| (run.cell, run.metrics.fills.as_slice()));
    text.push_str(&caches::empty_text(campaign, fills));
    text.push_str(&promises::unwatched_text(campaign, summaries));
    text.push_str(&promises::unjudged_text(campaign, summaries));
    text.push_str(&promises::broken_text(campaign, summaries));
    text.push_str(&promises::kept_text(campaign, results, summaries));
    let unknown = results.iter().filter(|run| run.ending != Ending::Complete).count();
    if unknown > 0 {
        text.push_str(&format!(
            "{unknown} of {} runs reached a limit: see the column `ending` of runs.csv\n",
            results.len()
        ));
    }
    text
}
