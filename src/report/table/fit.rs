//! Which columns are shown where, and how wide each is.

use unicode_width::UnicodeWidthStr;

use super::Table;

/// The space between two columns.
pub(super) const GAP: usize = 2;
/// How far rows stand in under the heading of their group.
pub(super) const INDENT: usize = 2;
/// The most lines of a header.
const HEADER_LINES: usize = 3;
/// The first column keeps at least this width when it has to give way.
const LEAST: usize = 8;

/// A table as it will be shown: one or more blocks under one another.
pub(super) struct Fit {
    /// Each block is a list of columns, the table's first column always among them.
    pub(super) blocks: Vec<Vec<Shown>>,
    /// The columns left out.
    pub(super) omitted: Vec<usize>,
}

/// A column as it will be shown.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    /// Which column of the table.
    pub(super) index: usize,
    pub(super) width: usize,
    /// Its header, one text for each line.
    pub(super) header: Vec<String>,
}

/// Applies the rules of the module to a table and a terminal of `width` columns.
pub(super) fn fit(table: &Table, width: usize) -> Fit {
    if table.columns.is_empty() {
        return Fit { blocks: Vec::new(), omitted: Vec::new() };
    }
    let all: Vec<usize> = (0..table.columns.len()).collect();
    let on_one_line: Vec<Shown> = all.iter().map(|&index| shown(table, index, false)).collect();
    if total(&on_one_line) <= width {
        return Fit { blocks: vec![on_one_line], omitted: Vec::new() };
    }
    let mut kept: Vec<Shown> = all.iter().map(|&index| shown(table, index, true)).collect();
    let mut omitted = Vec::new();
    while total(&kept) > width {
        let last = (1..kept.len()).max_by_key(|&at| (table.columns[kept[at].index].priority, at));
        match last {
            Some(at) if table.columns[kept[at].index].priority > 0 => {
                omitted.push(kept.remove(at).index);
            }
            _ => break,
        }
    }
    omitted.sort_unstable();
    Fit { blocks: stack(kept, width), omitted }
}

/// Distributes the columns over as many blocks as needed, each at most `width` wide.
fn stack(columns: Vec<Shown>, width: usize) -> Vec<Vec<Shown>> {
    let mut columns = columns.into_iter();
    let Some(mut first) = columns.next() else { return Vec::new() };
    let rest: Vec<Shown> = columns.collect();
    let widest = rest.iter().map(|column| column.width + GAP).max().unwrap_or(0);
    if first.width + widest > width {
        first.width = width.saturating_sub(widest).max(LEAST).min(first.width);
    }
    let room = width - first.width.min(width);
    let mut blocks = vec![vec![first.clone()]];
    for mut column in rest {
        column.width = column.width.min(room.saturating_sub(GAP));
        let block = blocks.last().map_or(&[][..], Vec::as_slice);
        if block.len() > 1 && total(block) + GAP + column.width > width {
            blocks.push(vec![first.clone()]);
        }
        if let Some(block) = blocks.last_mut() {
            block.push(column);
        }
    }
    for column in blocks.iter_mut().flatten() {
        column.width = column.width.min(width);
    }
    blocks
}

fn shown(table: &Table, index: usize, wrapped: bool) -> Shown {
    let header = clean(&table.columns[index].header);
    let texts = table.cells().filter_map(|cells| cells.get(index));
    let cells = texts.map(|cell| clean(&cell.text).width()).max().unwrap_or(0);
    let indent = if index == 0 && table.grouped() { INDENT } else { 0 };
    let cells = cells + indent;
    if !wrapped {
        return Shown { index, width: cells.max(header.width()), header: vec![header] };
    }
    let longest = header.split_whitespace().map(UnicodeWidthStr::width).max().unwrap_or(0);
    let mut width = cells.max(longest);
    while wrap(&header, width).len() > HEADER_LINES {
        width += 1;
    }
    Shown { index, width, header: wrap(&header, width) }
}

/// The width of columns side by side.
pub(super) fn total(columns: &[Shown]) -> usize {
    columns.iter().map(|column| column.width).sum::<usize>() + GAP * columns.len().saturating_sub(1)
}

/// Breaks a text between words into lines of at most `width`; a longer word has its own line.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A text on one line, without characters that would move the cursor.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A text cut to `width` columns, with `…` where something is missing.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    for letter in text.chars() {
        let mut longer = out.clone();
        longer.push(letter);
        if longer.width() + 1 > width {
            break;
        }
        out = longer;
    }
    if width > 0 {
        out.push('…');
    }
    out
}
