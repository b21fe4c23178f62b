//! Recorded arrivals: one column of timestamps of a CSV file.

use jiff::civil::DateTime;

use super::language::Trace;
use super::problem::Problem;
use crate::kernel::time::Time;

/// No trace has more arrivals: they are kept in memory.
const ARRIVALS_MAX: usize = 10_000_000;

/// The arrival times of a trace, the first one at zero.
///
/// # Errors
/// If the column is missing, a timestamp cannot be read, or time runs backwards.
pub(super) fn arrivals(trace: &Trace, text: &str) -> Result<Vec<Time>, Problem> {
    if !(trace.speed > 0.0 && trace.speed.is_finite()) {
        return Err(Problem::new(format!("a trace cannot be played at speed {}", trace.speed))
            .expected("more than 0")
            .inside("speed"));
    }
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let column = find_column(&mut reader, trace)?;
    let mut nanos = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let line = index + 2;
        let wrong = |why: &str| Problem::new(format!("{}:{line}: {why}", trace.path));
        let record = record.map_err(|error| wrong(&error.to_string()))?;
        let field = record.get(column).unwrap_or("");
        let stamp = parse_timestamp(field).ok_or_else(|| {
            wrong(&format!("`{field}` is not a timestamp"))
                .expected("seconds as a number, or `2023-11-16 18:15:46.68`")
        })?;
        if nanos.last().is_some_and(|&last| stamp < last) {
            return Err(wrong("time runs backwards here").expected("rows sorted by timestamp"));
        }
        nanos.push(stamp);
        if nanos.len().saturating_mul(trace.copies as usize) > ARRIVALS_MAX {
            return Err(Problem::new(format!("more than {ARRIVALS_MAX} users arrive"))
                .expected("fewer lines or `copies`"));
        }
    }
    let Some(&first) = nanos.first() else {
        return Err(Problem::new(format!("`{}` has no rows", trace.path))
            .expected("a row for each arrival")
            .inside("path"));
    };
    let scaled = |stamp: i128| Time(((stamp - first) as f64 / trace.speed) as u64);
    let copies = trace.copies as usize;
    Ok(nanos.into_iter().flat_map(|stamp| std::iter::repeat_n(scaled(stamp), copies)).collect())
}

fn find_column(reader: &mut csv::Reader<&[u8]>, trace: &Trace) -> Result<usize, Problem> {
    let headers =
        reader.headers().map_err(|error| Problem::new(format!("{}: {error}", trace.path)))?;
    let names: Vec<&str> = headers.iter().collect();
    names.iter().position(|&name| name == trace.column).ok_or_else(|| {
        let kind = format!("column of `{}`", trace.path);
        Problem::unknown(&kind, &trace.column, &names).inside("column")
    })
}

/// Nanoseconds since some fixed origin.
fn parse_timestamp(field: &str) -> Option<i128> {
    let field = field.trim();
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

    fn read(column: &str, speed: f64, copies: u32, text: &str) -> Result<Vec<u64>, String> {
        let trace = Trace { path: "t.csv".to_owned(), column: column.to_owned(), speed, copies };
        arrivals(&trace, text)
            .map(|times| times.into_iter().map(|time| time.0).collect())
            .map_err(|problem| problem.to_string())
    }

    #[test]
    fn dates_and_numbers_are_read_and_scaled() {
        let dates = "id,TIMESTAMP\n1,2023-11-16 18:15:46.6805900\n2,2023-11-16 18:15:47.6805901\n";
        assert_eq!(read("TIMESTAMP", 1.0, 1, dates), Ok(vec![0, 1_000_000_100]));
        assert_eq!(read("TIMESTAMP", 2.0, 2, dates), Ok(vec![0, 0, 500_000_050, 500_000_050]));
        assert_eq!(read("s", 1.0, 1, "s\n1.5\n2\n"), Ok(vec![0, 500_000_000]));
    }

    #[test]
    fn errors_name_the_line() {
        let errors = [
            read("when", 1.0, 1, "s\n1\n"),
            read("s", 1.0, 1, "s\n1\nx\n"),
            read("s", 1.0, 1, "s\n2\n1\n"),
            read("s", 0.0, 1, "s\n2\n"),
            read("s", 1.0, 1, "s\n"),
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
