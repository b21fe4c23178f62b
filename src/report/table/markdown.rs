//! The table as GitHub-flavoured Markdown.

use super::super::escape::markdown as escape;
use super::{Align, Row, Table};

/// Writes the table with all its columns; headings of groups are rows in bold.
pub(super) fn write(table: &Table) -> String {
    let mut out = String::new();
    line(&mut out, table.columns.iter().map(|column| escape(&column.header)));
    line(
        &mut out,
        table.columns.iter().map(|column| match column.align {
            Align::Left => ":--".to_owned(),
            Align::Right => "--:".to_owned(),
        }),
    );
    for row in &table.rows {
        match row {
            Row::Group(heading) => {
                let bold = (!heading.is_empty()).then(|| format!("**{}**", escape(heading)));
                let rest =
                    std::iter::repeat_n(String::new(), table.columns.len().saturating_sub(1));
                line(&mut out, std::iter::once(bold.unwrap_or_default()).chain(rest));
            }
            Row::Cells(cells) => {
                let text = |index: usize| cells.get(index).map_or("", |cell| cell.text.as_str());
                line(&mut out, (0..table.columns.len()).map(|index| escape(text(index))));
            }
        }
    }
    out
}

fn line(out: &mut String, cells: impl Iterator<Item = String>) {
    for cell in cells {
        out.push_str("| ");
        out.push_str(&cell);
        out.push(' ');
    }
    out.push_str("|\n");
}
