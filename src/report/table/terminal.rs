//! The table as lines of a terminal.

use unicode_width::UnicodeWidthStr;

use super::fit::{GAP, INDENT, Shown, clean, cut, fit, total, wrap};
use super::{Align, Cell, Row, Table, Tone};

const BOLD: &str = "1";
const FAINT: &str = "2";

/// Writes the table; every line ends with a line break and none with a space.
pub(super) fn write(table: &Table, width: usize, colour: bool) -> String {
    let fit = fit(table, width);
    let mut out = Writer { out: String::new(), colour };
    for (index, block) in fit.blocks.iter().enumerate() {
        if index > 0 {
            out.end_line();
        }
        write_block(&mut out, table, block, width);
    }
    if !fit.omitted.is_empty() {
        let mut names: Vec<String> = Vec::new();
        for &index in &fit.omitted {
            let name = clean(&table.columns[index].header);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        for line in wrap(&format!("not shown at this width: {}", names.join(", ")), width) {
            out.put(&cut(&line, width), Some(FAINT));
            out.end_line();
        }
    }
    out.out
}

fn write_block(out: &mut Writer, table: &Table, block: &[Shown], width: usize) {
    let lines = block.iter().map(|column| column.header.len()).max().unwrap_or(0);
    for line in 0..lines {
        let texts = block.iter().map(|column| {
            // Headers stand on their last line, next to the cells.
            let above = lines - column.header.len();
            line.checked_sub(above).map_or("", |at| column.header[at].as_str())
        });
        out.cells(table, block, texts.map(|text| (text.to_owned(), Some(BOLD))));
    }
    out.put(&"─".repeat(total(block).min(width)), Some(FAINT));
    out.end_line();
    let indent = if table.grouped() { " ".repeat(INDENT) } else { String::new() };
    for row in &table.rows {
        match row {
            Row::Group(heading) => {
                out.put(&cut(&clean(heading), width), Some(BOLD));
                out.end_line();
            }
            Row::Cells(cells) => {
                let empty = Cell::default();
                let texts = block.iter().map(|column| {
                    let cell = cells.get(column.index).unwrap_or(&empty);
                    let indent = if column.index == 0 { indent.as_str() } else { "" };
                    (format!("{indent}{}", clean(&cell.text)), code(cell.tone))
                });
                out.cells(table, block, texts);
            }
        }
    }
}

/// The ANSI code of a tone.
fn code(tone: Tone) -> Option<&'static str> {
    match tone {
        Tone::Plain => None,
        Tone::Good => Some("32"),
        Tone::Warning => Some("33"),
        Tone::Bad => Some("31"),
        Tone::Faint => Some(FAINT),
    }
}

struct Writer {
    out: String,
    colour: bool,
}

impl Writer {
    /// One line of cells, each filled up to the width of its column.
    fn cells(
        &mut self,
        table: &Table,
        block: &[Shown],
        texts: impl Iterator<Item = (String, Option<&'static str>)>,
    ) {
        let mut pending = 0;
        for (column, (text, code)) in block.iter().zip(texts) {
            let text = cut(&text, column.width);
            let free = column.width - text.width();
            let (before, after) = match table.columns[column.index].align {
                Align::Left => (0, free),
                Align::Right => (free, 0),
            };
            if text.is_empty() {
                pending += free + GAP;
                continue;
            }
            self.out.push_str(&" ".repeat(pending + before));
            self.put(&text, code);
            pending = after + GAP;
        }
        self.end_line();
    }

    fn put(&mut self, text: &str, code: Option<&'static str>) {
        match code {
            Some(code) if self.colour => {
                self.out.push_str(&format!("\u{1b}[{code}m{text}\u{1b}[0m"));
            }
            _ => self.out.push_str(text),
        }
    }

    fn end_line(&mut self) {
        self.out.push('\n');
    }
}
