//! Reading the file of figures: each row's arm, point and metric have to be there.

use std::ops::Range;

use csv::StringRecord;

use super::figure::{Figure, Tolerance};
use super::source::{Statistic, What};
use crate::experiment::campaign::Campaign;
use crate::model::document::Location;
use crate::model::problem::Problem;

/// The columns of the file.
const COLUMNS: [&str; 8] =
    ["arm", "point", "metric", "value", "standard_error", "runs", "tolerance", "remark"];
/// Those that have to be there.
const NEEDED: [&str; 4] = ["arm", "point", "metric", "value"];

impl Figure {
    /// Reads a CSV file of figures of this campaign; `source` is its number among the files that
    /// were read. Lines that begin with `#` say where the figures are from.
    ///
    /// # Errors
    /// Everything that is wrong in it, with its place.
    pub fn read_all(
        text: &str,
        source: usize,
        campaign: &Campaign,
    ) -> Result<Vec<Figure>, Vec<Problem>> {
        let file = File { text, source, campaign };
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let header = reader.headers().cloned().unwrap_or_default();
        let columns = file.columns(&header).map_err(|problem| vec![problem])?;
        let (mut figures, mut problems) = (Vec::new(), Vec::new());
        for record in reader.records() {
            let read = record.map_err(|error| {
                Problem::new(format!("this is no CSV: {error}")).at(file.at(0..0))
            });
            match read.and_then(|record| file.figure(&columns, &record)) {
                Ok(figure) => figures.extend(figure),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() && figures.is_empty() {
            let problem = Problem::new("there is no figure in this file").at(file.at(0..0));
            problems.push(problem.expected("a row for each figure below the names of the columns"));
        }
        if problems.is_empty() { Ok(figures) } else { Err(problems) }
    }
}

/// The file, and what its rows are about.
struct File<'a> {
    text: &'a str,
    source: usize,
    campaign: &'a Campaign,
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

    /// The figure of a row; none if it is of an arm or a point that the command line has left out.
    fn figure(&self, columns: &Columns, record: &StringRecord) -> Result<Option<Figure>, Problem> {
        let field = |name: &str| {
            let place = COLUMNS.iter().position(|column| *column == name);
            match place.and_then(|place| columns[place]) {
                Some(place) => {
                    (record.get(place).unwrap_or_default(), self.field_at(record, place))
                }
                None => ("", self.at(0..0)),
            }
        };
        let cells = &self.campaign.cells;
        let ((arm, arm_at), (point, point_at)) = (field("arm"), field("point"));
        let is_cell = |arm: &str, point: &str| {
            cells.iter().position(|cell| cell.arm == arm && cell.point == point)
        };
        let arms = self.campaign.arms();
        if self.campaign.chosen.is_part && is_cell(arm, point).is_none() {
            return Ok(None);
        }
        if !arms.contains(&arm) {
            return Err(Problem::unknown("arm", arm, &arms).at(arm_at));
        }
        let Some(cell) = is_cell(arm, point) else {
            return Err(Problem::unknown("point", point, &self.campaign.points()).at(point_at));
        };
        let (metric, metric_at) = field("metric");
        let (what, statistic) =
            What::read(metric, &cells[cell]).map_err(|problem| problem.at(metric_at))?;
        let (value, value_at) = field("value");
        let is_share = statistic == Statistic::Share || what.is_share();
        let value = read_number(value, is_share).map_err(|problem| problem.at(value_at))?;
        let (error, error_at) = field("standard_error");
        let standard_error = given(error, |text| read_number(text, false).and_then(not_below_zero))
            .map_err(|problem| problem.at(error_at))?;
        let (runs, runs_at) = field("runs");
        let runs = given(runs, read_runs).map_err(|problem| problem.at(runs_at))?;
        let (tolerance, tolerance_at) = field("tolerance");
        let tolerance =
            given(tolerance, read_tolerance).map_err(|problem| problem.at(tolerance_at))?;
        let tolerance = tolerance.unwrap_or(Tolerance::Absolute(0.0));
        let remark = field("remark").0.to_owned();
        Ok(Some(Figure { cell, what, statistic, value, standard_error, runs, tolerance, remark }))
    }
}

/// What a field holds, if it holds anything.
fn given<T>(text: &str, read: impl Fn(&str) -> Result<T, Problem>) -> Result<Option<T>, Problem> {
    if text.is_empty() { Ok(None) } else { read(text).map(Some) }
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
