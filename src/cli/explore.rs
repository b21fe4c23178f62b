//! `stormglass run` of an experiment that runs round by round until it knows something: which
//! design is best, which quantity matters, or how likely something rare is.

use std::path::PathBuf;

use super::journal::Journal;
use super::load::Loaded;
use super::search::{closing, rounds};
use super::write::Folder;
use super::{Failure, RunArguments, output, workers};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::run::result::RunResult;
use crate::experiment::search::choose::choosing::Choosing;
use crate::experiment::search::sensitivity::sensing::Sensing;
use crate::report::outputs::{EXPLORED_OUTPUTS, ExploredSources};
use crate::report::question::QuestionReport;
use crate::report::table::wrap;
use crate::report::{self, choose, sensitivity};

/// Runs an experiment round by round, writes what came of it, and tells it.
pub(super) fn explore(
    arguments: &RunArguments,
    loaded: &Loaded,
    folder: Folder,
    journal: &Journal,
) -> Result<(), Failure> {
    let campaign = &loaded.campaign;
    if arguments.talks() {
        output::print(&opening(campaign))?;
    }
    let (results, told) = explored(arguments, campaign, journal)?;
    let written = write_all(loaded, folder, &results, &told)?;
    journal.remove()?;
    if arguments.json {
        output::print_exactly(&told.summary)?;
    }
    if arguments.talks() {
        for sentence in &told.answer {
            output::print(&(wrap(sentence, output::width()).join("\n") + "\n"))?;
        }
        for table in &told.tables {
            output::print(&format!("\n{}", table.text(output::width(), output::colour_out())))?;
        }
        let notes = told.notes.lines().map(|line| wrap(line, output::width()).join("\n") + "\n");
        output::print(&format!("\n{}", notes.collect::<String>()))?;
        output::print(&closing(&results, &written))?;
    }
    Ok(())
}

/// Runs what decides anything, and says what came of it.
fn explored(
    arguments: &RunArguments,
    campaign: &Campaign,
    journal: &Journal,
) -> Result<(Vec<RunResult>, QuestionReport), Failure> {
    let explored = &campaign.experiment.explored;
    if let (Some(choose), Some(mut choosing)) = (&explored.choose, Choosing::new(campaign)) {
        let state = &mut choosing;
        let results =
            rounds(campaign, arguments, journal, state, (Choosing::next, Choosing::take))?;
        return Ok((results, choose::question_report(campaign, choose, &choosing)));
    }
    if let (Some(sensitivity), Some(mut sensing)) = (&explored.sensitivity, Sensing::new(campaign))
    {
        let state = &mut sensing;
        let results = rounds(campaign, arguments, journal, state, (Sensing::next, Sensing::take))?;
        let sensed = sensing.sensed(campaign);
        return Ok((results, sensitivity::question_report(campaign, sensitivity, &sensed)));
    }
    if let Some(rare) = &explored.rare {
        let found = workers::rare(campaign, rare, arguments.input.workers)?;
        return Ok((Vec::new(), report::rare::question_report(campaign, rare, &found)));
    }
    Err(Failure::Machine("error: nothing is asked of this experiment".to_owned()))
}

/// What is asked, and of how many combinations.
fn opening(campaign: &Campaign) -> String {
    format!(
        "{}\n{}\n",
        output::heading(&campaign.experiment),
        crate::report::number::several(campaign.cells.len() as u64, "combination"),
    )
}

fn write_all(
    loaded: &Loaded,
    mut folder: Folder,
    results: &[RunResult],
    question: &QuestionReport,
) -> Result<Vec<PathBuf>, Failure> {
    let made_of =
        ExploredSources { campaign: &loaded.campaign, question, results, inputs: loaded.inputs() };
    for output in &EXPLORED_OUTPUTS {
        if let Some(bytes) = (output.make)(&made_of) {
            folder.write(output, &bytes)?;
        }
    }
    folder.publish()
}
