//! A parsed file: values that know where they were written.
//!
//! Files are patched before they are read as a model, so a value must carry its place with it: an
//! error in an arm's patch points at the arm, not at the model.

use indexmap::IndexMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Problem;

pub use super::problem::Location;

/// The name and text of every file read.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<(String, String)>,
    warnings: Vec<Problem>,
}

impl Sources {
    /// Adds a file; `name` is what errors call it. Returns its index.
    pub fn add(&mut self, name: &str, text: &str) -> usize {
        self.files.push((name.to_owned(), text.to_owned()));
        self.files.len() - 1
    }

    /// Keeps what is suspicious in the files until somebody tells of it.
    pub fn warn(&mut self, warnings: Vec<Problem>) {
        self.warnings.extend(warnings);
    }

    /// What is suspicious in the files, once.
    pub fn take_warnings(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.warnings)
    }

    /// The name of a file.
    pub fn name(&self, source: usize) -> &str {
        &self.files[source].0
    }

    /// The text of a file.
    pub fn text(&self, source: usize) -> &str {
        &self.files[source].1
    }

    /// Every file: name and text, in the order in which they were read.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

/// One value of a document with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// What was written.
    pub data: Data,
    /// Where.
    pub at: Location,
}

/// The kinds of values that TOML and JSON share.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Named values, in the order of the file.
    Table(IndexMap<String, Field>),
    /// Values in order.
    List(Vec<Value>),
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// True or false.
    Boolean(bool),
}

/// A value in a table, with the place of its key.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Where the key was written.
    pub key_at: Location,
    /// The value.
    pub value: Value,
}

impl Value {
    /// Parses the file `source`: JSON if its name ends in `.json`, else TOML.
    ///
    /// # Errors
    /// Every syntax error that the parser could name.
    pub fn parse(sources: &Sources, source: usize) -> Result<Value, Vec<Problem>> {
        let text = sources.text(source);
        if sources.name(source).ends_with(".json") {
            return Value::parse_json(sources, source)?.without_hidden_characters();
        }
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            // What the parser makes of the rest after an error of syntax misleads.
            let is_duplicate = |error: &toml::de::Error| error.message() == "duplicate key";
            let count = errors.iter().position(|error| !is_duplicate(error));
            let errors = errors.iter().take(count.map_or(errors.len(), |first| first + 1));
            return Err(errors.map(|error| syntax_problem(error, text, source)).collect());
        }
        let (span, table) = (table.span(), table.into_inner());
        let value = from_table(&table, Location { source, start: span.start, end: span.end })
            .map_err(|problem| vec![problem])?;
        value.without_hidden_characters()
    }

    fn without_hidden_characters(self) -> Result<Value, Vec<Problem>> {
        let problems = self.hidden_characters();
        if problems.is_empty() { Ok(self) } else { Err(problems) }
    }

    /// Reads what follows `start` in the text of a source as one TOML value; anything else is taken
    /// as plain text.
    pub fn parse_argument(sources: &Sources, source: usize, start: usize) -> Value {
        let text = &sources.text(source)[start..];
        let at = Location { source, start: 0, end: text.len() };
        let mut value = DeValue::parse(text)
            .ok()
            .and_then(|value| from_value(&value, source).ok())
            .unwrap_or_else(|| Value { data: Data::Text(text.to_owned()), at });
        value.move_by(start);
        value
    }

    /// Moves the place of this value and of all inside it to later bytes.
    pub fn move_by(&mut self, bytes: usize) {
        let forward = |at: &mut Location| (at.start, at.end) = (at.start + bytes, at.end + bytes);
        forward(&mut self.at);
        match &mut self.data {
            Data::Table(fields) => fields.values_mut().for_each(|field| {
                forward(&mut field.key_at);
                field.value.move_by(bytes);
            }),
            Data::List(values) => values.iter_mut().for_each(|value| value.move_by(bytes)),
            _ => {}
        }
    }

    /// The value at a path of keys and list positions.
    pub fn find(&self, path: &[String]) -> Option<&Value> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        match &self.data {
            Data::Table(fields) => fields.get(first)?.value.find(rest),
            Data::List(values) => values.get(first.parse::<usize>().ok()?)?.find(rest),
            _ => None,
        }
    }

    /// The path to the value at a place, or to that whose key is there.
    pub fn path_to(&self, at: Location) -> Option<Vec<String>> {
        if self.at == at {
            return Some(Vec::new());
        }
        let inside = |key: String, value: &Value| {
            let path = value.path_to(at)?;
            Some([vec![key], path].concat())
        };
        match &self.data {
            Data::Table(fields) => fields.iter().find_map(|(key, field)| {
                if field.key_at == at {
                    Some(vec![key.clone()])
                } else {
                    inside(key.clone(), &field.value)
                }
            }),
            Data::List(values) => values
                .iter()
                .enumerate()
                .find_map(|(index, value)| inside(index.to_string(), value)),
            _ => None,
        }
    }

    /// The place of the deepest value that exists along a path.
    pub fn locate(&self, path: &[String]) -> Location {
        let mut place = self;
        for depth in 1..=path.len() {
            match self.find(&path[..depth]) {
                Some(value) => place = value,
                None => break,
            }
        }
        place.at
    }

    /// Sets the value at a path; tables on the way are made where they are missing.
    ///
    /// # Errors
    /// If the path leads through a value that is no table, or to a list position that is not there.
    pub fn set(&mut self, path: &[String], value: Value) -> Result<(), Problem> {
        let Some((first, rest)) = path.split_first() else {
            *self = value;
            return Ok(());
        };
        let at = value.at;
        match &mut self.data {
            Data::Table(fields) => fields
                .entry(first.clone())
                .or_insert_with(|| Field {
                    key_at: at,
                    value: Value { data: Data::Table(IndexMap::new()), at },
                })
                .value
                .set(rest, value),
            Data::List(values) => {
                let length = values.len();
                match first.parse::<usize>().ok().and_then(|index| values.get_mut(index)) {
                    Some(element) => element.set(rest, value),
                    None => Err(Problem::new(format!(
                        "there is no element `{first}` in this list of {length}"
                    ))
                    .expected(match length {
                        0 => "the whole list".to_owned(),
                        _ => format!("a position from 0 to {}", length - 1),
                    })),
                }
            }
            other => Err(Problem::new(format!("cannot set `{first}` inside {}", other.describe()))
                .expected("a path through tables and lists")),
        }
    }

    /// The value as TOML has it, without its place.
    pub fn toml(&self) -> toml::Value {
        match &self.data {
            Data::Table(fields) => {
                let fields = fields.iter().map(|(key, field)| (key.clone(), field.value.toml()));
                toml::Value::Table(fields.collect())
            }
            Data::List(values) => toml::Value::Array(values.iter().map(Value::toml).collect()),
            Data::Text(text) => toml::Value::String(text.clone()),
            Data::Integer(number) => toml::Value::Integer(*number),
            Data::Float(number) => toml::Value::Float(*number),
            Data::Boolean(flag) => toml::Value::Boolean(*flag),
        }
    }
}

impl Problem {
    /// The problem at its own place, or else where a path and then its own path lead in a document.
    pub fn located(self, document: &Value, path: &[&str]) -> Problem {
        let path: Vec<String> =
            path.iter().map(|&part| part.to_owned()).chain(self.inside.iter().cloned()).collect();
        Problem { inside: Vec::new(), ..self.at(document.locate(&path)) }
    }

    /// The problem where its own path leads in a value, unless it already has a more exact place.
    pub fn placed(self, value: &Value) -> Problem {
        if self.at.is_some() { self } else { self.located(value, &[]) }
    }
}

impl Data {
    /// The kind of value with its article, for errors.
    pub fn describe(&self) -> &'static str {
        match self {
            Data::Table(_) => "a table",
            Data::List(_) => "a list",
            Data::Text(_) => "text",
            Data::Integer(_) => "a whole number",
            Data::Float(_) => "a number",
            Data::Boolean(_) => "true or false",
        }
    }
}

/// A value of a document that is set to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// Where the value is, such as `policy.checkout.timeout`.
    pub path: String,
    /// Where that was written.
    pub path_at: Location,
    /// The new value.
    pub value: Value,
}

/// Splits `a.b."c d".0` into its parts; quoted parts may hold dots and spaces.
///
/// # Errors
/// If a part is empty or a quote is not closed.
pub fn parse_path(path: &str) -> Result<Vec<String>, Problem> {
    let mut parts = Vec::new();
    let mut rest = path;
    loop {
        let (part, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or_else(|| {
                Problem::new("a quote in this path is not closed")
                    .expected("a path such as `link.\"api -> payment\".latency`")
            })?,
            None => rest.split_at(rest.find('.').unwrap_or(rest.len())),
        };
        if part.is_empty() {
            return Err(Problem::new("this path has an empty part")
                .expected("a path such as `policy.checkout.timeout`"));
        }
        parts.push(part.to_owned());
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(parts),
            None => {
                return Err(Problem::new("something follows a quoted part of this path")
                    .expected("`.` after a quoted part"));
            }
        }
    }
}

fn syntax_problem(error: &toml::de::Error, text: &str, source: usize) -> Problem {
    // The parser's words, where they would mislead, in ours.
    let (message, expected) = match error.message() {
        "duplicate key" => ("this name is written twice", "one place for each name".to_owned()),
        "recursion limit" | "cannot recurse further; max recursion depth met" => {
            ("nested too deeply", "at most 80 levels".to_owned())
        }
        "string values must be quoted, expected literal string" => {
            let values = "a number, text in quotes, true, false, [ … ] or { … }";
            ("this is no value", values.to_owned())
        }
        message => match message.split_once(", expected ") {
            Some((message, expected)) => {
                (message, format!("expected {}", expected.replace("`, `", "` or `")))
            }
            None => (message, "expected valid TOML".to_owned()),
        },
    };
    let problem = Problem::new(message).expected(expected);
    match error.span() {
        Some(span) => {
            // An error at the very end still needs a line to show.
            let start = span.start.min(text.len());
            problem.at(Location { source, start, end: span.end.clamp(start, text.len()) })
        }
        // Too deep a nesting has no place: the parser gave up.
        None => problem.at(Location { source, start: 0, end: 0 }),
    }
}

fn from_table(table: &DeTable<'_>, at: Location) -> Result<Value, Problem> {
    let mut fields = IndexMap::new();
    for (key, value) in table {
        let span = key.span();
        let key_at = Location { source: at.source, start: span.start, end: span.end };
        let value = from_value(value, at.source)?;
        fields.insert(key.get_ref().to_string(), Field { key_at, value });
    }
    Ok(Value { data: Data::Table(fields), at })
}

fn from_value(value: &Spanned<DeValue<'_>>, source: usize) -> Result<Value, Problem> {
    let at = Location { source, start: value.span().start, end: value.span().end };
    let data = match value.get_ref() {
        DeValue::String(text) => Data::Text(text.to_string()),
        DeValue::Integer(integer) => Data::Integer(
            i64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).map_err(
                |_| {
                    Problem::new("this number is too large")
                        .at(at)
                        .expected("a whole number of at most 9223372036854775807")
                },
            )?,
        ),
        DeValue::Float(float) => {
            let number: f64 = float.as_str().replace('_', "").parse().unwrap_or(f64::NAN);
            if !number.is_finite() {
                return Err(Problem::new(format!("`{}` is not a finite number", float.as_str()))
                    .at(at)
                    .expected("a finite number"));
            }
            Data::Float(number)
        }
        DeValue::Boolean(boolean) => Data::Boolean(*boolean),
        DeValue::Datetime(_) => {
            return Err(Problem::new("a date has no meaning in virtual time".to_owned())
                .at(at)
                .expected("a duration such as \"90s\""));
        }
        DeValue::Array(values) => Data::List(
            values.iter().map(|value| from_value(value, source)).collect::<Result<_, _>>()?,
        ),
        DeValue::Table(table) => return from_table(table, at),
    };
    Ok(Value { data, at })
}
