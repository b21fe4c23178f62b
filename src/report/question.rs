//! The report of an experiment that runs round by round until it knows something: a table of
//! everything as CSV, an answer, tables, a summary and a picture.

use super::columns::Column;
use super::table::Table;

/// What is written of it.
#[derive(Clone, Debug)]
pub struct QuestionReport {
    /// The name of the CSV file, and its columns.
    pub csv: (&'static str, Vec<Column>),
    /// The answer, in sentences.
    pub answer: Vec<String>,
    /// The tables that people read.
    pub tables: Vec<Table>,
    /// What a table cannot say.
    pub notes: String,
    /// `summary.json`.
    pub summary: String,
    /// The name of the picture, and its SVG.
    pub figure: (&'static str, String),
}

impl QuestionReport {
    /// `tables.md`.
    pub fn markdown(&self) -> String {
        let tables: Vec<String> = self.tables.iter().map(Table::markdown).collect();
        format!("{}\n\n{}\n{}", self.answer.join("\n\n"), tables.join("\n"), self.notes)
    }
}
