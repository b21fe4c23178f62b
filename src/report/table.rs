//! A table for terminals, and the same table in Markdown.
//!
//! A terminal is narrow, so a table is fitted by the first of these rules that suffices:
//!
//! 1. every column, with its header on one line;
//! 2. headers are broken between words, on up to three lines;
//! 3. columns with a priority above 0 are left out, the highest number first and among equals the
//!    rightmost first; a last line names them;
//! 4. the columns that are left are laid out as several tables, one under the other, each with the
//!    first column at its left.
//!
//! No word is ever broken over two lines. Only where a single column is too wide for the terminal,
//! or the first column leaves no room beside it, a text is cut, and ends in `…`.

mod fit;
mod markdown;
mod terminal;

pub use fit::wrap;

/// A table: columns, and rows that may be grouped under headings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The columns, from the left; the first names the row.
    pub columns: Vec<Column>,
    /// The rows, from the top.
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// The heading.
    pub header: String,
    /// Where the cells stand in the column.
    pub align: Align,
    /// 0 is always shown; where the table is too wide, the highest number is left out first.
    pub priority: u8,
}

/// Where text stands in its column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Align {
    /// At the left: for names.
    #[default]
    Left,
    /// At the right: for numbers.
    Right,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A heading over the rows that follow.
    Group(String),
    /// One cell for each column; missing ones are empty.
    Cells(Vec<Cell>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// The text, on one line.
    pub text: String,
    /// What it tells the reader beside the text.
    pub tone: Tone,
}

/// The meaning of a cell's colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing in particular.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Worth a look.
    Warning,
    /// A broken promise.
    Bad,
    /// Not important.
    Faint,
}

impl Table {
    /// Writes the table for a terminal of `width` columns, with ANSI colours if `colour`.
    ///
    /// No line is wider than `width`, which counts as 20 if it is less.
    pub fn text(&self, width: usize, colour: bool) -> String {
        terminal::write(self, width.max(20), colour)
    }

    /// Writes the table as GitHub-flavoured Markdown, all columns kept.
    pub fn markdown(&self) -> String {
        markdown::write(self)
    }

    /// The cells of the rows that are not headings.
    fn cells(&self) -> impl Iterator<Item = &[Cell]> {
        self.rows.iter().filter_map(|row| match row {
            Row::Cells(cells) => Some(cells.as_slice()),
            Row::Group(_) => None,
        })
    }

    /// Whether rows are indented under headings.
    fn grouped(&self) -> bool {
        self.rows.iter().any(|row| matches!(row, Row::Group(_)))
    }
}

#[cfg(test)]
mod tests;
