//! Reading a file of figures: its columns, its rows, and the numbers in them.

use std::ops::Range;

use csv::StringRecord;

use super::figure::{Figure, Statistic, Tolerance};
use crate::model::document::Location;
use crate::model::problem::Problem;

/// The columns of the file.
const COLUMNS: [&str; 8] =
    ["arm", "point", "metric", "value", "standard_error", "runs", "tolerance", "remark"];
/// Those that have to be there.
const NEEDED: [&str; 4] = ["arm", "point", "metric", "value"];

/// A row of the file, as it stands there.
pub(crate) struct Row {
    /// The name of an arm.
    pub(crate) arm: Field,
    /// The name of a point.
    pub(crate) point: Field,
    /// What of a run, and what over runs, the figure is.
    pub(crate) metric: Field,
    value: Field,
    standard_error: Field,
    runs: Field,
    tolerance: Field,
    remark: Field,
}

/// A field of a row; empty where its column is not there.
pub(crate) struct Field {
    pub(crate) text: String,
    pub(crate) at: Location,
}

/// Reads a CSV file of figures; `source` is its number among the files that were read. Lines that
/// begin with `#` say where the figures are from.
///
/// # Errors
/// If its columns are wrong; and for each row, if it is no row.
pub(crate) fn rows(text: &str, source: usize) -> Result<Vec<Result<Row, Problem>>, Problem> {
    let file = File { text, source };
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = reader.headers().cloned().unwrap_or_default();
    let columns = file.columns(&header)?;
    let row = |record: Result<StringRecord, csv::Error>| match record {
        Ok(record) => Ok(file.row(&columns, &record)),
        Err(error) => Err(Problem::new(format!("this is no CSV: {error}")).at(file.at(0..0))),
    };
    Ok(reader.records().map(row).collect())
}

impl Row {
    /// The figure of the row, of a metric that is called so, and that may be a share.
    ///
    /// # Errors
    /// The first of its numbers that is none.
    pub(crate) fn figure(
        &self,
        metric: String,
        statistic: Statistic,
        is_share: bool,
    ) -> Result<Figure, Problem> {
        let is_share = is_share || statistic == Statistic::Share;
        let error = |text: &str| read_number(text, false).and_then(not_below_zero);
        Ok(Figure {
            metric,
            statistic,
            value: self.value.read(|text| read_number(text, is_share))?,
            standard_error: self.standard_error.given(error)?,
            runs: self.runs.given(read_runs)?,
            tolerance: self.tolerance.given(read_tolerance)?.unwrap_or(Tolerance::Absolute(0.0)),
            remark: self.remark.text.clone(),
        })
    }
}

impl Field {
    fn read<T>(&self, read: impl Fn(&str) -> Result<T, Problem>) -> Result<T, Problem> {
        read(&self.text).map_err(|problem| problem.at(self.at))
    }

    /// What it holds, if it holds anything.
    fn given<T>(&self, read: impl Fn(&str) -> Result<T, Problem>) -> Result<Option<T>, Problem> {
        if self.text.is_empty() { Ok(None) } else { self.read(read).map(Some) }
    }
}

struct File<'a> {
    text: &'a str,
    source: usize,
}

/// The position of each of [`COLUMNS`] in a row.
type Columns = [Option<usize>; COLUMNS.len()];

impl File<'_> {
    fn at(&self, range: Range<usize>) -> Location {
        Location { source: self.source, start: range.start, end: range.end }
    }

    /// The place of a field of a row.
    fn field_at(&self, record: &StringRecord, field: usize) -> Location {
        let start = record.position().map_or(0, |position| position.byte() as usize);
        // The position is that of what comes after the row before: blank lines and remarks.
        let mut rest = start.min(self.text.len());
        while let Some((line, _)) = self.text[rest..].split_once('\n')
            && (line.trim().is_empty() || line.starts_with('#'))
        {
            rest += line.len() + 1;
        }
        let row = rest;
        let mut found = row..row;
        for value in record.iter().take(field + 1) {
            let Some(place) = self.text[rest..].find(value) else { return self.at(row..row) };
            found = rest + place..rest + place + value.len();
            rest = found.end;
        }
        self.at(found)
    }

    fn columns(&self, header: &StringRecord) -> Result<Columns, Problem> {
        let unknown = header.iter().position(|name| !COLUMNS.contains(&name));
        if let Some((field, name)) = unknown.and_then(|field| Some((field, header.get(field)?))) {
            return Err(Problem::unknown("column", name, &COLUMNS).at(self.field_at(header, field)));
        }
        let place = |name: &str| header.iter().position(|column| column == name);
        if let Some(missing) = NEEDED.iter().find(|name| place(name).is_none()) {
            let expected = format!("the columns {}", COLUMNS.join(","));
            let problem = Problem::new(format!("the column `{missing}` is missing"));
            return Err(problem.expected(expected).at(self.field_at(header, 0)));
        }
        Ok(COLUMNS.map(place))
    }

    fn row(&self, columns: &Columns, record: &StringRecord) -> Row {
        let [arm, point, metric, value, standard_error, runs, tolerance, remark] =
            columns.map(|column| match column {
                Some(place) => Field {
                    text: record.get(place).unwrap_or_default().to_owned(),
                    at: self.field_at(record, place),
                },
                None => Field { text: String::new(), at: self.at(0..0) },
            });
        Row { arm, point, metric, value, standard_error, runs, tolerance, remark }
    }
}

fn read_number(text: &str, is_share: bool) -> Result<f64, Problem> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    let number = number.ok_or_else(|| {
        Problem::new(format!("`{text}` is no number")).expected("a number, such as 0.25")
    })?;
    match is_share && !(0.0..=1.0).contains(&number) {
        true => Err(Problem::new(format!("{number} is no share")).expected("from 0 to 1")),
        false => Ok(number),
    }
}

fn not_below_zero(number: f64) -> Result<f64, Problem> {
    match number < 0.0 {
        true => Err(Problem::new(format!("{number} is no error")).expected("at least 0")),
        false => Ok(number),
    }
}

fn read_runs(text: &str) -> Result<u64, Problem> {
    let runs = text.parse::<u64>().ok().filter(|runs| *runs > 0);
    runs.ok_or_else(|| {
        Problem::new(format!("`{text}` is no number of runs")).expected("a whole number above 0")
    })
}

fn read_tolerance(text: &str) -> Result<Tolerance, Problem> {
    match text.strip_suffix('%') {
        Some(percent) => {
            let percent = read_number(percent, false).and_then(not_below_zero)?;
            Ok(Tolerance::Relative(percent / 100.0))
        }
        None => read_number(text, false).and_then(not_below_zero).map(Tolerance::Absolute),
    }
}
