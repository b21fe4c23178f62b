//! Columns of CSV files, by their names.

use csv::StringRecord;

use super::problem::Problem;

/// A CSV file with a row of names, read row by row.
pub(super) struct Columns<'a> {
    path: &'a str,
    reader: csv::Reader<&'a [u8]>,
    record: StringRecord,
    line: usize,
}

/// A row of a CSV file.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    path: &'a str,
    record: &'a StringRecord,
    line: usize,
}

impl<'a> Columns<'a> {
    pub(super) fn new(path: &'a str, text: &'a str) -> Columns<'a> {
        let reader = csv::Reader::from_reader(text.as_bytes());
        Columns { path, reader, record: StringRecord::new(), line: 1 }
    }

    /// The index of the column of this name, which stands in a file under `key`.
    pub(super) fn find(&mut self, key: &str, name: &str) -> Result<usize, Problem> {
        let path = self.path;
        let headers =
            self.reader.headers().map_err(|error| Problem::new(format!("{path}: {error}")))?;
        let names: Vec<&str> = headers.iter().collect();
        names.iter().position(|&known| known == name).ok_or_else(|| {
            let kind = format!("column of `{path}`");
            Problem::unknown(&kind, name, &names).inside(key)
        })
    }

    /// The next row, if there is one.
    pub(super) fn next_row(&mut self) -> Result<Option<Row<'_>>, Problem> {
        let found = self.reader.read_record(&mut self.record);
        self.line += 1;
        let row = Row { path: self.path, record: &self.record, line: self.line };
        match found {
            Ok(true) => Ok(Some(row)),
            Ok(false) => Ok(None),
            Err(error) => Err(row.wrong(&error.to_string())),
        }
    }
}

impl<'a> Row<'a> {
    /// What stands in a column; nothing in one that this row does not have.
    pub(super) fn field(&self, column: usize) -> &'a str {
        self.record.get(column).unwrap_or("").trim()
    }

    /// A problem of this row.
    pub(super) fn wrong(&self, why: &str) -> Problem {
        Problem::new(format!("{}:{}: {why}", self.path, self.line))
    }
}
