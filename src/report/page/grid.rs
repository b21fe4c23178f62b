//! Tables of the page.

use serde::Serialize;

use crate::report::roles::Role;
use crate::report::table::{Align, Cell, Row, Table, Tone};

/// A table.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Grid {
    /// What it is, in a few words.
    pub(super) title: String,
    /// How to read it.
    pub(super) note: String,
    pub(super) columns: Vec<Head>,
    pub(super) rows: Vec<GridRow>,
}

/// The heading of a column.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Head {
    pub(super) text: String,
    pub(super) role: Option<Role>,
    pub(super) is_left: bool,
}

/// A row, or the heading of those that follow.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct GridRow {
    pub(super) group: Option<String>,
    pub(super) role: Option<Role>,
    pub(super) cells: Vec<GridCell>,
}

/// A cell: a text, and in smaller letters its interval.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct GridCell {
    pub(super) text: String,
    pub(super) small: String,
    pub(super) class: &'static str,
    /// What to read on about it, on this page.
    pub(super) href: Option<String>,
    /// A share from 0 to 1 that is drawn as a bar.
    pub(super) share: Option<f64>,
    /// How times are spread.
    pub(super) strip: Option<Strip>,
}

impl Grid {
    /// A table as it stands in the terminal, all of its columns.
    pub(super) fn of(table: &Table, title: &str) -> Grid {
        let column = |column: &crate::report::table::Column| Head {
            text: column.header.clone(),
            role: None,
            is_left: column.align == Align::Left,
        };
        let row = |row: &Row| match row {
            Row::Group(heading) => GridRow { group: Some(heading.clone()), ..GridRow::default() },
            Row::Cells(cells) => {
                GridRow { cells: cells.iter().map(GridCell::of).collect(), ..GridRow::default() }
            }
        };
        Grid {
            title: title.to_owned(),
            note: String::new(),
            columns: table.columns.iter().map(column).collect(),
            rows: table.rows.iter().map(row).collect(),
        }
    }
}

impl Head {
    pub(super) fn left(text: &str) -> Head {
        Head { text: text.to_owned(), role: None, is_left: true }
    }

    pub(super) fn right(text: &str) -> Head {
        Head { text: text.to_owned(), role: None, is_left: false }
    }
}

impl GridRow {
    pub(super) fn cells(cells: Vec<GridCell>) -> GridRow {
        GridRow { group: None, role: None, cells }
    }
}

impl GridCell {
    /// A cell of a table as it stands in the terminal.
    pub(super) fn of(cell: &Cell) -> GridCell {
        let class = match cell.tone {
            Tone::Plain => "",
            Tone::Good => "kept",
            Tone::Warning => "warn",
            Tone::Bad => "broken",
            Tone::Faint => "idle",
        };
        GridCell { class, ..GridCell::plain(&cell.text) }
    }

    /// A text, its interval apart.
    pub(super) fn plain(text: &str) -> GridCell {
        let at = [" ±", " ("].iter().filter_map(|mark| text.find(mark)).min();
        let (text, small) = at.map_or((text, ""), |at| (&text[..at], &text[at + 1..]));
        GridCell { text: text.to_owned(), small: small.to_owned(), ..GridCell::default() }
    }
}

/// How times are spread, drawn on a logarithmic axis; all places from 0 to [`WIDTH`].
#[derive(Clone, Debug, Serialize)]
pub(in crate::report::page) struct Strip {
    /// What it says in words.
    pub(super) label: String,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) p999: Option<f64>,
    /// What is promised.
    pub(super) within: Option<f64>,
}
