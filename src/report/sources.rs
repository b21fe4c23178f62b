//! What the files and the page of a campaign are made of.

use super::columns;
use super::findings::Findings;
use crate::experiment::run::closer_look::CloserLook;

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
