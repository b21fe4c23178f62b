//! The schema of the vector files, reading of their values, and comparison.

use serde::Deserialize;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use stormglass::kernel::draw::Draw;
use stormglass::kernel::time::{Span, Time};

/// One vector file.
#[derive(Deserialize)]
pub struct File {
    pub oracle: String,
    pub package: Package,
    #[serde(skip)]
    pub name: String,
    pub cases: Vec<RawCase>,
}

/// What was recorded.
#[derive(Deserialize)]
pub struct Package {
    pub version: String,
}

/// One fresh policy object.
#[derive(Deserialize)]
pub struct RawCase {
    pub name: String,
    pub config: Map<String, Value>,
    pub steps: Vec<Step>,
}

/// One event and the recorded decision.
#[derive(Deserialize)]
pub struct Step {
    #[serde(rename = "in")]
    pub event: Value,
    pub out: Value,
}

/// One case with its file.
pub struct Case<'a> {
    pub file: &'a File,
    pub case: &'a RawCase,
}

/// The parameters of a case; each must be read by somebody.
pub struct Config<'a> {
    maps: Vec<&'a Map<String, Value>>,
    used: RefCell<Vec<&'a str>>,
}

/// The decisions that differ.
#[derive(Default)]
pub struct Mismatches {
    steps: usize,
    found: Vec<String>,
}

/// Parses one vector file.
pub fn parse(text: &str) -> Result<File, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Every vector file of a folder, by name.
pub fn load(folder: &Path) -> Result<Vec<(String, File)>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
            let file = parse(&text).map_err(|error| format!("{name}: {error}"))?;
            Ok((name.clone(), File { name, ..file }))
        })
        .collect()
}

impl<'a> Case<'a> {
    /// The steps, each with its number.
    pub fn steps(&self) -> impl Iterator<Item = (usize, &'a Step)> {
        self.case.steps.iter().enumerate()
    }

    /// The parameters, those of an inner `args` or `breaker` object among them.
    pub fn config(&self) -> Config<'a> {
        let mut maps = vec![&self.case.config];
        let mut next = 0;
        while next < maps.len() {
            let inner: Vec<_> = maps[next].values().filter_map(Value::as_object).collect();
            maps.extend(inner);
            next += 1;
        }
        Config { maps, used: RefCell::default() }
    }
}

impl<'a> Config<'a> {
    /// The value of a parameter, if it is given and not null.
    pub fn value(&self, name: &'a str) -> Option<&'a Value> {
        self.used.borrow_mut().push(name);
        self.maps.iter().find_map(|map| map.get(name)).filter(|value| !value.is_null())
    }

    /// A number, or its default.
    pub fn number(&self, name: &'a str, default: f64) -> f64 {
        self.value(name).map_or(default, |value| value.as_f64().expect("it is a number"))
    }

    /// A whole number, or its default.
    pub fn count(&self, name: &'a str, default: u32) -> u32 {
        self.number(name, f64::from(default)) as u32
    }

    /// A switch, or its default.
    pub fn flag(&self, name: &'a str, default: bool) -> bool {
        self.value(name).map_or(default, |value| value.as_bool().expect("it is a switch"))
    }

    /// A name, or its default.
    pub fn text(&self, name: &'a str, default: &'a str) -> &'a str {
        self.value(name).map_or(default, |value| value.as_str().expect("it is a name"))
    }

    /// Fails if a parameter was not read.
    pub fn finish(&self) -> Result<(), String> {
        let used = self.used.borrow();
        let unread: Vec<_> = self
            .maps
            .iter()
            .flat_map(|map| map.iter())
            .filter(|(name, value)| !value.is_object() && !used.contains(&name.as_str()))
            .map(|(name, _)| name.as_str())
            .collect();
        if unread.is_empty() {
            Ok(())
        } else {
            Err(format!("unknown parameters: {}", unread.join(", ")))
        }
    }
}

impl Step {
    /// A number of the event.
    pub fn number(&self, name: &str) -> f64 {
        self.event[name].as_f64().unwrap_or_else(|| panic!("{name} in {}", self.event))
    }

    /// A name of the event.
    pub fn text(&self, name: &str) -> &str {
        self.event[name].as_str().unwrap_or_else(|| panic!("{name} in {}", self.event))
    }

    /// A point in time, given in units of `unit` nanoseconds.
    pub fn time(&self, name: &str, unit: f64) -> Time {
        Time(nanos(self.number(name), unit))
    }
}

impl Mismatches {
    /// Compares one decision with the recorded one, field by field.
    pub fn compare(&mut self, case: &Case<'_>, number: usize, ours: &Value) {
        self.steps += 1;
        let step = &case.case.steps[number];
        let same = match (&step.out, ours) {
            (Value::Object(theirs), Value::Object(ours)) => theirs
                .iter()
                .all(|(name, value)| equal(value, ours.get(name).unwrap_or(&Value::Null))),
            (theirs, ours) => equal(theirs, ours),
        };
        if !same {
            self.found.push(format!(
                "{} case {:?} step {number}: {} gave {}, recorded {}",
                case.file.name, case.case.name, step.event, ours, step.out
            ));
        }
    }

    /// How many decisions were compared.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// How many differ.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Whether none differs.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }
}

impl fmt::Display for Mismatches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} of {} decisions differ:", self.found.len(), self.steps)?;
        self.found.iter().take(20).try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// Equal, numbers to a relative 2e-6 and to one of the sixth decimal in which they were recorded:
/// of milliseconds that is a nanosecond, and times are whole ones here, cut off where libraries
/// round.
fn equal(theirs: &Value, ours: &Value) -> bool {
    match (theirs, ours) {
        (Value::Number(theirs), Value::Number(ours)) => {
            let (a, b) = (theirs.as_f64().unwrap_or(0.0), ours.as_f64().unwrap_or(0.0));
            (a - b).abs() <= 2e-6 * a.abs().max(b.abs()) + 1.01e-6
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            theirs.len() == ours.len() && theirs.iter().zip(ours).all(|(a, b)| equal(a, b))
        }
        _ => theirs == ours,
    }
}

/// The two draws beside a recorded uniform number, which need not be one of ours.
pub fn draws_beside(u: f64) -> [Draw; 2] {
    let below = Draw::from_unit(u);
    let above = if below.unit() < u { Draw(below.0.saturating_add(1 << 11)) } else { below };
    [below, above]
}

/// Whole nanoseconds of `value` units of `unit` nanoseconds, rounded.
pub fn nanos(value: f64, unit: f64) -> u64 {
    (value * unit).round() as u64
}

/// A span of `value` units of `unit` nanoseconds; too long is for ever.
pub fn span(value: f64, unit: f64) -> Span {
    Span::from_nanos_f64((value * unit).round())
}

/// Nanoseconds in a second.
pub const SECOND: f64 = 1e9;
/// Nanoseconds in a millisecond.
pub const MILLISECOND: f64 = 1e6;
/// Nanoseconds in a microsecond.
pub const MICROSECOND: f64 = 1e3;
