//! Columns as a Parquet file, which keeps their types.
//!
//! This is the smallest part of the format that every reader knows: one page for each column of a
//! row group, plain values, no compression, no statistics. Equal columns give equal bytes.
//! Format: <https://github.com/apache/parquet-format> 2.9 (`README.md`, `Encodings.md`,
//! `LogicalTypes.md` and `src/main/thrift/parquet.thrift`, which has the numbers of fields and
//! types).

mod thrift;

use super::columns::{Column, Values};
use thrift::Struct;

/// What a file begins and ends with.
const MARK: &[u8] = b"PAR1";
/// The rows of a group: a page of texts stays far below the 2 GiB that its length can say.
const GROUP_ROWS: usize = 65_536;

/// Numbers of `parquet.thrift`.
mod number {
    /// `Type`.
    pub(super) const BOOLEAN: i64 = 0;
    pub(super) const INT64: i64 = 2;
    pub(super) const DOUBLE: i64 = 5;
    pub(super) const BYTE_ARRAY: i64 = 6;
    /// `FieldRepetitionType`.
    pub(super) const REQUIRED: i64 = 0;
    pub(super) const OPTIONAL: i64 = 1;
    /// `ConvertedType`.
    pub(super) const UTF8: i64 = 0;
    pub(super) const UINT_64: i64 = 14;
    /// `Encoding`.
    pub(super) const PLAIN: i64 = 0;
    pub(super) const RLE: i64 = 3;
    /// `CompressionCodec`.
    pub(super) const UNCOMPRESSED: i64 = 0;
    /// `PageType`.
    pub(super) const DATA_PAGE: i64 = 0;
}

/// A Parquet file with these columns, and with notes for who looks at the file itself.
///
/// # Panics
/// If the columns differ in length.
pub fn file(columns: &[Column], notes: &[(&str, String)]) -> Vec<u8> {
    let rows = columns.first().map_or(0, Column::rows);
    assert!(columns.iter().all(|column| column.rows() == rows), "every column has every row");
    let mut bytes = MARK.to_vec();
    let mut groups = Vec::new();
    for first in (0..rows).step_by(GROUP_ROWS) {
        let rows = first..rows.min(first + GROUP_ROWS);
        let start = bytes.len();
        let chunks: Vec<Struct> =
            columns.iter().map(|column| write_chunk(column, rows.clone(), &mut bytes)).collect();
        let mut group = Struct::default();
        group.structs(1, chunks);
        group.i64(2, (bytes.len() - start) as i64);
        group.i64(3, rows.len() as i64);
        groups.push(group);
    }
    let mut root = Struct::default();
    root.text(4, "schema");
    root.i32(5, columns.len() as i64);
    let schema = std::iter::once(root).chain(columns.iter().map(schema_of)).collect();
    let note = |(key, value): &(&str, String)| {
        let mut note = Struct::default();
        note.text(1, key);
        note.text(2, value);
        note
    };
    let mut footer = Struct::default();
    footer.i32(1, 1);
    footer.structs(2, schema);
    footer.i64(3, rows as i64);
    footer.structs(4, groups);
    footer.structs(5, notes.iter().map(note).collect());
    footer.text(6, "stormglass");
    let footer = footer.into_bytes();
    bytes.extend_from_slice(&footer);
    bytes.extend_from_slice(&(footer.len() as u32).to_le_bytes());
    bytes.extend_from_slice(MARK);
    bytes
}

fn type_of(column: &Column) -> i64 {
    match column.values {
        Values::Text(_) => number::BYTE_ARRAY,
        Values::Count(_) => number::INT64,
        Values::Number(_) => number::DOUBLE,
        Values::Flag(_) => number::BOOLEAN,
    }
}

fn schema_of(column: &Column) -> Struct {
    let repetition = match column.values {
        Values::Text(_) | Values::Count(_) => number::REQUIRED,
        Values::Number(_) | Values::Flag(_) => number::OPTIONAL,
    };
    let mut logical = Struct::default();
    let converted = match column.values {
        Values::Text(_) => {
            logical.structure(1, Struct::default());
            Some(number::UTF8)
        }
        Values::Count(_) => {
            let mut integer = Struct::default();
            integer.i8(1, 64);
            integer.bool(2, false);
            logical.structure(10, integer);
            Some(number::UINT_64)
        }
        Values::Number(_) | Values::Flag(_) => None,
    };
    let mut element = Struct::default();
    element.i32(1, type_of(column));
    element.i32(3, repetition);
    element.text(4, &column.name);
    if let Some(converted) = converted {
        element.i32(6, converted);
        element.structure(10, logical);
    }
    element
}

/// Writes the page of some rows of a column; returns its `ColumnChunk`.
fn write_chunk(column: &Column, rows: std::ops::Range<usize>, bytes: &mut Vec<u8>) -> Struct {
    let start = bytes.len();
    let page = page_of(column, rows.clone());
    let mut data = Struct::default();
    data.i32(1, rows.len() as i64);
    data.i32(2, number::PLAIN);
    data.i32(3, number::RLE);
    data.i32(4, number::RLE);
    let mut header = Struct::default();
    header.i32(1, number::DATA_PAGE);
    header.i32(2, page.len() as i64);
    header.i32(3, page.len() as i64);
    header.structure(5, data);
    bytes.extend_from_slice(&header.into_bytes());
    bytes.extend_from_slice(&page);

    let length = (bytes.len() - start) as i64;
    let mut metadata = Struct::default();
    metadata.i32(1, type_of(column));
    metadata.i32s(2, &[number::PLAIN, number::RLE]);
    metadata.texts(3, &[&column.name]);
    metadata.i32(4, number::UNCOMPRESSED);
    metadata.i64(5, rows.len() as i64);
    metadata.i64(6, length);
    metadata.i64(7, length);
    metadata.i64(9, start as i64);
    let mut chunk = Struct::default();
    chunk.i64(2, start as i64);
    chunk.structure(3, metadata);
    chunk
}

/// Which values are there, if any can be missing, and the values that are, plainly encoded.
fn page_of(column: &Column, rows: std::ops::Range<usize>) -> Vec<u8> {
    let mut page = Vec::new();
    match &column.values {
        Values::Text(values) => {
            for text in &values[rows] {
                page.extend_from_slice(&(text.len() as u32).to_le_bytes());
                page.extend_from_slice(text.as_bytes());
            }
        }
        Values::Count(values) => {
            page.extend(values[rows].iter().flat_map(|count| count.to_le_bytes()));
        }
        Values::Number(values) => {
            let values = &values[rows];
            write_presence(values.iter().map(Option::is_some), &mut page);
            page.extend(values.iter().flatten().flat_map(|number| number.to_le_bytes()));
        }
        Values::Flag(values) => {
            let values = &values[rows];
            write_presence(values.iter().map(Option::is_some), &mut page);
            let flags: Vec<bool> = values.iter().flatten().copied().collect();
            let packed = |flags: &[bool]| {
                flags.iter().rev().fold(0, |byte: u8, &flag| byte << 1 | u8::from(flag))
            };
            page.extend(flags.chunks(8).map(packed));
        }
    }
    page
}

/// Definition levels: 1 where there is a value, 0 where it is missing, as runs of equal levels
/// (`Encodings.md`, RLE), after their length.
fn write_presence(present: impl Iterator<Item = bool>, page: &mut Vec<u8>) {
    let mut runs: Vec<(bool, u64)> = Vec::new();
    for is_present in present {
        match runs.last_mut() {
            Some((same, count)) if *same == is_present => *count += 1,
            _ => runs.push((is_present, 1)),
        }
    }
    let mut levels = Vec::new();
    for (is_present, count) in runs {
        thrift::varint(count << 1, &mut levels);
        levels.push(u8::from(is_present));
    }
    page.extend_from_slice(&(levels.len() as u32).to_le_bytes());
    page.extend_from_slice(&levels);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        let words = ["a", "", "größer"].map(str::to_owned);
        vec![
            Column::text("arm", words.into_iter()),
            Column::count("seed", [1, u64::MAX, 3].into_iter()),
            Column::number("ratio", [None, Some(0.5), None].into_iter()),
            Column::flag("recovered", [Some(true), None, Some(false)].into_iter()),
        ]
    }

    #[test]
    fn missing_values_are_runs_of_levels() {
        let page = page_of(&columns()[3], 0..3);
        // Six bytes of levels: one there, one missing, one there; then the two flags, lowest first.
        assert_eq!(page, [6, 0, 0, 0, 2, 1, 2, 0, 2, 1, 0b01]);
        assert_eq!(page_of(&columns()[2], 0..1), [2, 0, 0, 0, 2, 0]);
        assert_eq!(page_of(&columns()[0], 1..2), [0, 0, 0, 0]);
    }

    #[test]
    fn a_file_says_where_its_footer_is() {
        let bytes = file(&columns(), &[("format", "1".to_owned())]);
        assert!(bytes.starts_with(MARK) && bytes.ends_with(MARK));
        let at = bytes.len() - 8;
        let length = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        // The first field of the footer: an i32, zigzag 1.
        assert_eq!(bytes[at - length..][..2], [0x15, 2]);
        assert_eq!(bytes[at - 1], 0, "and its end");
        assert_eq!(bytes, file(&columns(), &[("format", "1".to_owned())]));
    }
}
