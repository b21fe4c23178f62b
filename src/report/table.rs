//! A table for terminals, and the same table in Markdown.

/// A table: columns, and rows that may be grouped under headings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The columns, from the left; the first names the row.
    pub columns: Vec<Column>,
    /// The rows, from the top.
    pub rows: Vec<Row>,
}

/// One column.
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

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A heading over the rows that follow.
    Group(String),
    /// One cell for each column; missing ones are empty.
    Cells(Vec<Cell>),
}

/// One cell.
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
    #[must_use]
    pub fn text(&self, width: usize, colour: bool) -> String {
        let _ = (width, colour);
        String::new()
    }

    /// Writes the table as GitHub-flavoured Markdown, all columns kept.
    #[must_use]
    pub fn markdown(&self) -> String {
        String::new()
    }
}
