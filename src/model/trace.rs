//! Recorded arrivals: columns of timestamps and sizes of a CSV file.

use jiff::civil::DateTime;

use super::column::{Columns, Row};
use super::language::Trace;
use super::problem::{Problem, number_text};
use super::program;
use crate::kernel::draw::Probability;
use crate::kernel::time::Time;

/// No trace has more arrivals: their times are kept in memory.
const ARRIVALS_MAX: usize = 10_000_000;

/// The largest size: a request a million times as large as the unit.
const SIZE_MAX: f64 = 1e6;

/// The arrivals of a trace, the first one at zero.
///
/// # Errors
/// If a column is missing, a field cannot be read, or time runs backwards.
pub(super) fn arrivals(trace: &Trace, text: &str) -> Result<program::Trace, Problem> {
    check(trace)?;
    let each = f64::from(trace.copies) * trace.rate;
    let mut columns = Columns::new(&trace.path, text);
    let column = columns.find("column", &trace.column)?;
    let size = match &trace.size {
        Some(size) => {
            let column = columns.find("column", &size.column);
            Some((column.map_err(|problem| problem.inside("size"))?, size.unit))
        }
        None => None,
    };
    let (mut nanos, mut sizes) = (Vec::new(), Vec::new());
    while let Some(row) = columns.next_row()? {
        let field = row.field(column);
        let stamp = parse_timestamp(field).ok_or_else(|| {
            row.wrong(&format!("`{field}` is not a timestamp"))
                .expected("seconds as a number, or `2023-11-16 18:15:46.68`")
        })?;
        if nanos.last().is_some_and(|&last| stamp < last) {
            return Err(row.wrong("time runs backwards here").expected("rows sorted by timestamp"));
        }
        nanos.push(stamp);
        if let Some((column, unit)) = size {
            sizes.push(parse_size(row, column, unit)?);
        }
        if nanos.len() as f64 * each > ARRIVALS_MAX as f64 || nanos.len() > ARRIVALS_MAX {
            return Err(Problem::new(format!("more than {ARRIVALS_MAX} users arrive"))
                .expected("fewer lines, `copies` or a lower `rate`"));
        }
    }
    let Some(&first) = nanos.first() else {
        return Err(Problem::new(format!("`{}` has no rows", trace.path))
            .expected("a row for each arrival")
            .inside("path"));
    };
    let scaled = |stamp: i128| Time(((stamp - first) as f64 / trace.speed) as u64);
    Ok(program::Trace {
        times: nanos.into_iter().map(scaled).collect(),
        sizes: sizes.into(),
        copies: each as u32,
        extra: Probability::new(each - libm::floor(each)),
    })
}

fn check(trace: &Trace) -> Result<(), Problem> {
    if !(trace.speed > 0.0 && trace.speed.is_finite()) {
        return Err(Problem::new(format!(
            "a trace cannot be played at speed {}",
            number_text(trace.speed)
        ))
        .expected("more than 0")
        .inside("speed"));
    }
    if !(trace.rate > 0.0 && trace.rate <= 1e6) {
        return Err(Problem::new(format!(
            "a trace cannot have {} times its users",
            number_text(trace.rate)
        ))
        .expected("more than 0 and at most 1e6")
        .inside("rate"));
    }
    if trace.copies == 0 {
        return Err(Problem::new("nobody ever arrives")
            .expected("at least 1; a share of the lines is a `rate` below 1")
            .inside("copies"));
    }
    match &trace.size {
        Some(size) if !(size.unit > 0.0 && size.unit.is_finite()) => Err(Problem::new(format!(
            "a request has no size in units of {}",
            number_text(size.unit)
        ))
        .expected("more than 0: the number in the column that is the size 1")
        .inside("unit")
        .inside("size")),
        _ => Ok(()),
    }
}

fn parse_size(row: Row<'_>, column: usize, unit: f64) -> Result<f32, Problem> {
    let field = row.field(column);
    let size = field.parse::<f64>().map(|size| size / unit);
    match size {
        Ok(size) if (0.0..=SIZE_MAX).contains(&size) => Ok(size as f32),
        _ => Err(row
            .wrong(&format!("`{field}` is not a size"))
            .expected(format!("a number from 0 to {SIZE_MAX} units"))),
    }
}

/// Nanoseconds since some fixed origin.
fn parse_timestamp(field: &str) -> Option<i128> {
    if let Ok(seconds) = field.parse::<f64>() {
        return (seconds.abs() <= 1e12).then_some((seconds * 1e9) as i128);
    }
    let origin = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    let stamp: DateTime = field.trim_end_matches('Z').parse().ok()?;
    Some(stamp.duration_since(origin).as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::language::Size;

    fn trace(column: &str) -> Trace {
        let (path, column) = ("t.csv".to_owned(), column.to_owned());
        Trace { path, column, size: None, speed: 1.0, copies: 1, rate: 1.0 }
    }

    fn read(column: &str, speed: f64, text: &str) -> Result<Vec<u64>, String> {
        arrivals(&Trace { speed, ..trace(column) }, text)
            .map(|trace| trace.times.iter().map(|time| time.0).collect())
            .map_err(|problem| problem.to_string())
    }

    #[test]
    fn sizes_are_in_units_and_rates_are_whole_copies_and_a_rest() {
        let text = "s,tokens\n1,500\n2,2000\n";
        let size = Some(Size { column: "tokens".to_owned(), unit: 1000.0 });
        let read = arrivals(&Trace { size, copies: 2, rate: 1.25, ..trace("s") }, text).unwrap();
        assert_eq!(*read.sizes, [0.5, 2.0]);
        assert_eq!((read.copies, read.extra), (2, Probability::new(0.5)));
        let size = Some(Size { column: "tokens".to_owned(), unit: 1e-9 });
        let problem = arrivals(&Trace { size, ..trace("s") }, text).unwrap_err();
        let shown = "t.csv:2: `500` is not a size: a number from 0 to 1000000 units";
        assert_eq!(problem.to_string(), shown);
    }

    #[test]
    fn dates_and_numbers_are_read_and_scaled() {
        let dates = "id,TIMESTAMP\n1,2023-11-16 18:15:46.6805900\n2,2023-11-16 18:15:47.6805901\n";
        assert_eq!(read("TIMESTAMP", 1.0, dates), Ok(vec![0, 1_000_000_100]));
        assert_eq!(read("TIMESTAMP", 2.0, dates), Ok(vec![0, 500_000_050]));
        assert_eq!(read("s", 1.0, "s\n1.5\n2\n"), Ok(vec![0, 500_000_000]));
    }

    #[test]
    fn errors_name_the_line() {
        let errors = [
            read("when", 1.0, "s\n1\n"),
            read("s", 1.0, "s\n1\nx\n"),
            read("s", 1.0, "s\n2\n1\n"),
            read("s", 0.0, "s\n2\n"),
            read("s", 1.0, "s\n"),
        ];
        let shown: Vec<String> = errors.into_iter().map(|error| error.unwrap_err()).collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        unknown column of `t.csv` `when`: known: `s`
        t.csv:3: `x` is not a timestamp: seconds as a number, or `2023-11-16 18:15:46.68`
        t.csv:3: time runs backwards here: rows sorted by timestamp
        a trace cannot be played at speed 0: more than 0
        `t.csv` has no rows: a row for each arrival
        ");
    }
}
