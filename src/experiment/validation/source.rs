//! What of a run a published figure is of.

use crate::experiment::compare::measured::Measured;
use crate::experiment::judge::metastability::Label;
use crate::experiment::measure::count::COUNTS;
use crate::experiment::measure::metrics::now_called;
use crate::experiment::measure::value;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::kernel::limit::Ending;
use crate::metric::Unit;
use crate::model::problem::Problem;
use crate::published::{Reading, Statistic};

/// A number of a run that figures are of.
#[derive(Clone, Debug, PartialEq)]
pub struct What {
    /// Its name in results.
    pub name: String,
    source: Source,
}

#[derive(Clone, Debug, PartialEq)]
enum Source {
    /// One of [`COUNTS`], by its position.
    Count(usize),
    /// One of them over another one.
    Ratio(usize, usize),
    /// What arms can be compared by.
    Measured(Measured),
    /// Whether a run has this label.
    Label(Label),
}

impl What {
    /// Everything that a figure of this cell can be of.
    fn all(cell: &Cell) -> Vec<What> {
        let counts = COUNTS.iter().enumerate();
        let counts = counts.map(|(index, count)| (count.name.to_owned(), Source::Count(index)));
        let measured = Measured::all(cell).into_iter();
        let measured = measured.map(|measured| (measured.name.clone(), Source::Measured(measured)));
        let labels = Label::ALL.into_iter().filter(|_| cell.metastability.is_some());
        // `metastable` is also what arms are compared by, and stands there.
        let labels = labels.filter(|label| *label != Label::Metastable);
        let labels = labels.map(|label| (label.name().to_owned(), Source::Label(label)));
        let all = counts.chain(measured).chain(labels);
        all.map(|(name, source)| What { name, source }).collect()
    }

    /// Reads a metric of the file: a name, `COUNT / COUNT` for the quotient of two whole numbers of
    /// each run, or `median of` or `p95 of` before it for a quantile over the runs.
    pub(super) fn read(text: &str, cell: &Cell) -> Result<(What, Statistic), Problem> {
        let (quantile, name) = match text.split_once(" of ") {
            Some((words, name)) => (Some(read_quantile(words)?), name.trim()),
            None => (None, text),
        };
        if let Some((part, whole)) = name.split_once('/') {
            let what = What { name: name.to_owned(), source: ratio(part.trim(), whole.trim())? };
            return Ok((what, quantile.map_or(Statistic::Mean, Statistic::Quantile)));
        }
        let all = What::all(cell);
        let name = now_called(name).unwrap_or(name);
        let Some(what) = all.iter().find(|what| what.name == name) else {
            if Label::ALL.iter().any(|label| label.name() == name) {
                return Err(Problem::new(format!("no run is labelled `{name}` here"))
                    .expected("a metric, or [metastability] in the experiment"));
            }
            let known: Vec<&str> = all.iter().map(|what| what.name.as_str()).collect();
            return Err(Problem::unknown("metric", name, &known));
        };
        match (quantile, what.is_event()) {
            (None, true) => Ok((what.clone(), Statistic::Share)),
            (None, false) => Ok((what.clone(), Statistic::Mean)),
            (Some(p), false) => Ok((what.clone(), Statistic::Quantile(p))),
            (Some(_), true) => Err(Problem::new(format!("`{name}` happens in a run or does not"))
                .expected(format!("`{name}` alone: the share of the runs in which it does"))),
        }
    }

    /// Whether it says of a run that something happened or did not.
    #[must_use]
    pub fn is_event(&self) -> bool {
        match &self.source {
            Source::Count(_) | Source::Ratio(..) => false,
            Source::Measured(measured) => measured.is_event(),
            Source::Label(_) => true,
        }
    }

    /// Whether it is a share of something in each run, from 0 to 1.
    #[must_use]
    pub fn is_share(&self) -> bool {
        match &self.source {
            Source::Count(_) | Source::Ratio(..) => false,
            Source::Measured(measured) => measured.unit == Unit::Share,
            Source::Label(_) => true,
        }
    }

    /// Its number in a run.
    #[must_use]
    pub fn reading(&self, run: &RunResult) -> Reading {
        if run.ending != Ending::Complete {
            return Reading::CutOff;
        }
        let number = match &self.source {
            Source::Count(index) => Some((COUNTS[*index].value)(run) as f64),
            Source::Ratio(part, whole) => {
                value::ratio((COUNTS[*part].value)(run), (COUNTS[*whole].value)(run))
            }
            Source::Measured(measured) => measured.value(run),
            Source::Label(label) => run.label.map(|own| f64::from(u8::from(own == *label))),
        };
        number.map_or(Reading::Nothing, Reading::Number)
    }
}

/// A quotient of two of [`COUNTS`].
fn ratio(part: &str, whole: &str) -> Result<Source, Problem> {
    let place = |name: &str| {
        let found = COUNTS.iter().position(|count| count.name == name);
        let known: Vec<&str> = COUNTS.iter().map(|count| count.name).collect();
        found.ok_or_else(|| Problem::unknown("whole number of a run", name, &known))
    };
    Ok(Source::Ratio(place(part)?, place(whole)?))
}

/// `median`, or `p` and a percentage.
fn read_quantile(words: &str) -> Result<f64, Problem> {
    let words = words.trim();
    let percent = words.strip_prefix('p').and_then(|percent| percent.parse::<f64>().ok());
    match (words, percent) {
        ("median", _) => Ok(0.5),
        (_, Some(percent)) if percent > 0.0 && percent < 100.0 => Ok(percent / 100.0),
        _ => Err(Problem::new(format!("`{words}` is no quantile"))
            .expected("`median of`, or `p95 of` with any percentage above 0 and below 100")),
    }
}
