//! Presets for people: the list of them, and one with every number and where it comes from.

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::number::{Unit, number};
use super::table::{Cell, Column, Row, Table, Tone};
use crate::kernel::draw::{Draw, key_of};
use crate::kernel::time::Span;
use crate::model::policy::text_of;
use crate::model::presets::{self, Label, Preset, Retried};
use crate::policy::backoff::{Backoff, Growth, Memory};
use crate::policy::{Policy, Scope};

/// Every preset as a table for a terminal of `width` columns.
pub fn list(width: usize, colour: bool) -> String {
    let all: Vec<Preset> = presets::all().collect();
    let names: Vec<String> = all.iter().map(full_name).collect();
    let longest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or_default();
    let name_width = longest(&mut names.iter().map(|name| name.chars().count()));
    let label_width = longest(&mut all.iter().map(|preset| label(preset.label).len()));
    let how_width = "retried".len();
    let left = width.saturating_sub(name_width + label_width + how_width + 9).max(12);
    let rows = all.iter().zip(names).map(|(preset, name)| {
        let tone = if preset.label == Label::ConformanceTested { Tone::Good } else { Tone::Plain };
        let source = Cell { text: cut(&preset.source, left), tone: Tone::Faint };
        let label = Cell { text: label(preset.label).to_owned(), tone };
        Row::Cells(vec![plain(name), label, plain(how(&preset.retried).to_owned()), source])
    });
    table(&["preset", "numbers", "retried", "source"], rows.collect()).text(width, colour)
}

/// Every preset as JSON.
pub fn list_json() -> Value {
    presets::all().map(|preset| brief(&preset)).collect()
}

/// One preset as JSON: its numbers with their sources, and its text in the language of models.
pub fn show_json(preset: &Preset) -> Value {
    let mut value = brief(preset);
    let numbers: Value = preset
        .numbers
        .iter()
        .map(
            |number| json!({ "name": number.name, "value": number.value, "source": number.source }),
        )
        .collect();
    value["note"] = json!(preset.note);
    value["numbers"] = numbers;
    value["policy"] = serde_json::to_value(text_of(&preset.policy)).unwrap_or_default();
    value
}

fn brief(preset: &Preset) -> Value {
    json!({
        "name": preset.name,
        "version": preset.version,
        "label": label(preset.label),
        "labelled": preset.parts(),
        "retried": how(&preset.retried),
        "retried_where": whence(&preset.retried),
        "source": preset.source,
        "scope": scope(preset.scope),
    })
}

/// One preset for a terminal of `width` columns; `asked` is the name that was asked for.
pub fn show(preset: &Preset, asked: &str, width: usize, colour: bool) -> String {
    let mut out = format!("{}\n", full_name(preset));
    out += &wrapped(&preset.source, width);
    out += &wrapped(&numbers_are(preset), width);
    if let Some(sentence) = retried_is(&preset.retried) {
        out += &wrapped(&sentence, width);
    }
    if !asked.contains('@') {
        let of_name = presets::names().filter(|(name, _)| *name == preset.name);
        let others: Vec<&str> =
            of_name.map(|(_, version)| version).filter(|own| *own != preset.version).collect();
        if !others.is_empty() {
            let line = format!("The newest version; there is also {}.", others.join(", "));
            out += &wrapped(&line, width);
        }
    }
    out += &wrapped(&preset.note, width);
    out.push('\n');
    let rows = preset.numbers.iter().map(|number| {
        let source = Cell { text: number.source.clone(), tone: Tone::Faint };
        Row::Cells(vec![plain(number.name.clone()), plain(number.value.clone()), source])
    });
    out += &table(&["number", "value", "where it was read"], rows.collect()).text(width, colour);
    out.push('\n');
    let states = states(&preset.policy).into_iter().map(|(state, shared)| {
        let scope = if shared { scope(preset.scope) } else { "each request" };
        Row::Cells(vec![plain(state.to_owned()), plain(scope.to_owned())])
    });
    out += &table(&["state", "belongs to"], states.collect()).text(width, colour);
    out += &delays(&preset.policy, width);
    out += "\nIn a model, every number written out; what is not listed above is a default:\n\n";
    let policy = IndexMap::from([(preset.name, text_of(&preset.policy))]);
    out += &toml::to_string(&IndexMap::from([("policy", policy)])).unwrap_or_default();
    out
}

/// What a policy remembers, and whether it does so across requests.
fn states(policy: &Policy) -> Vec<(&'static str, bool)> {
    let states = [
        (policy.retry.is_some(), "attempts made, delays", false),
        (policy.budget.is_some(), "retry budget", true),
        (policy.breaker.is_some(), "breaker", true),
        (policy.bulkhead.is_some() && policy.connections.is_none(), "bulkhead", true),
        (policy.connections.is_some(), "connections", true),
        (policy.rate_limit.is_some(), "rate limiter", true),
        (policy.throttling.is_some(), "counts of throttling", true),
        (policy.adaptive.is_some(), "adaptive rate", true),
        (policy.hedge.is_some(), "copies running", false),
        (policy.hedge.is_some_and(|hedge| hedge.budget.is_some()), "budget of copies", true),
        (policy.limit.is_some(), "adaptive limit", true),
        (policy.outlier.is_some(), "ejected instances", true),
    ];
    states.into_iter().filter(|state| state.0).map(|(_, name, shared)| (name, shared)).collect()
}

/// How many delays of a series are shown.
const SHOWN: u32 = 6;
/// How many draws a strip is of.
const DRAWS: u64 = 1001;

/// A strip for each delay of each series: from the shortest to the longest, and the median.
fn delays(policy: &Policy, width: usize) -> String {
    let Some(retry) = policy.retry else { return String::new() };
    let count = retry.attempts.saturating_sub(1).min(SHOWN);
    let mut out = String::new();
    for (what, series) in
        [("retry", Some(retry.backoff)), ("retry after throttling", retry.throttled)]
    {
        let Some(series) = series else { continue };
        if count == 0 {
            continue;
        }
        let ranges = ranges(&series, count);
        let longest = ranges.iter().map(|range| range[2]).max().unwrap_or_default();
        if longest == Span::ZERO {
            out += &format!("\nThere is no delay before a {what}.\n");
            continue;
        }
        out += &format!("\nDelays before each {what} (shortest … median ● … longest):\n");
        let legend =
            |range: &[Span; 3]| range.map(|span| number(span.seconds(), Unit::Seconds)).join(" … ");
        let widest = ranges.iter().map(|range| legend(range).chars().count()).max().unwrap_or(0);
        let room = width.saturating_sub(widest + 5).clamp(10, 44);
        for (index, range) in ranges.iter().enumerate() {
            let strip = strip(*range, longest, room);
            out += &format!("{:>3} {strip} {}\n", index + 1, legend(range));
        }
    }
    out
}

/// The shortest, the median and the longest of each delay of a series.
fn ranges(series: &Backoff, count: u32) -> Vec<[Span; 3]> {
    let walks = matches!(
        series.growth,
        Growth::Decorrelated { .. } | Growth::DecorrelatedV2 { .. } | Growth::RandomWalk { .. }
    );
    let mut memories = vec![Memory::default(); DRAWS as usize];
    let of_retry = |retry: u32| {
        let mut delays: Vec<Span> = Vec::with_capacity(memories.len());
        for (index, memory) in memories.iter_mut().enumerate() {
            // A walk needs draws that differ from step to step; else one draw runs over its values.
            let draw = match walks {
                true => key_of(index as u64, u64::from(retry)),
                false => (u64::MAX / (DRAWS - 1)).saturating_mul(index as u64),
            };
            delays.push(series.delay(retry, memory, Draw(draw)));
        }
        delays.sort_unstable();
        [delays[0], delays[delays.len() / 2], delays[delays.len() - 1]]
    };
    (1..=count).map(of_retry).collect()
}

fn strip([low, median, high]: [Span; 3], longest: Span, room: usize) -> String {
    let place = |span: Span| {
        let share = span.seconds() / longest.seconds();
        ((share * (room - 1) as f64) as usize).min(room - 1)
    };
    let mark = |column: usize| match column {
        _ if column == place(median) => '●',
        _ if (place(low)..=place(high)).contains(&column) => '━',
        _ => '·',
    };
    (0..room).map(mark).collect()
}

fn full_name(preset: &Preset) -> String {
    format!("{}@{}", preset.name, preset.version)
}

fn label(label: Label) -> &'static str {
    match label {
        Label::ConformanceTested => "conformance-tested",
        Label::SourceDerived => "source-derived",
        Label::Published => "published",
    }
}

/// What the label says of which parts.
fn numbers_are(preset: &Preset) -> String {
    let how = match preset.label {
        Label::ConformanceTested => "conformance-tested: recorded decisions are replayed",
        Label::SourceDerived => "source-derived",
        Label::Published => "published",
    };
    let parts = preset.parts().join(", ");
    let (first, rest) = parts.split_at(1);
    format!("{}{rest}: {how}.", first.to_uppercase())
}

/// How it is known what a preset retries, in one word.
fn how(retried: &Retried) -> &'static str {
    match retried {
        Retried::Nothing => "–",
        Retried::Tested(_) => "tested",
        Retried::Read(_) => "read",
        Retried::Chosen(_) => "chosen",
    }
}

fn whence(retried: &Retried) -> Option<&str> {
    match retried {
        Retried::Nothing => None,
        Retried::Tested(text) | Retried::Read(text) | Retried::Chosen(text) => Some(text),
    }
}

fn retried_is(retried: &Retried) -> Option<String> {
    Some(match retried {
        Retried::Nothing => return None,
        Retried::Tested(file) => format!(
            "What is retried: tested, the library was run after each outcome \
             (tests/data/retried/{file}.json)."
        ),
        Retried::Read(source) => format!("What is retried: read, {source}."),
        Retried::Chosen(what) => format!("What is retried: chosen by the caller, {what}."),
    })
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Request => "each request",
        Scope::Process => "a process",
        Scope::ProcessAndTarget => "a process and target",
        Scope::Shared => "all callers",
    }
}

fn plain(text: String) -> Cell {
    Cell { text, tone: Tone::Plain }
}

fn table(headers: &[&str], rows: Vec<Row>) -> Table {
    let column = |header: &&str| Column { header: (*header).to_owned(), ..Column::default() };
    Table { columns: headers.iter().map(column).collect(), rows }
}

/// A text of at most `most` characters.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most.saturating_sub(1)) {
        Some((end, _)) if text.chars().count() > most => format!("{}…", &text[..end]),
        _ => text.to_owned(),
    }
}

/// A text in lines of at most `width` columns, broken between words.
fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push('\n');
            column = 0;
        }
        if column > 0 {
            out.push(' ');
            column += 1;
        }
        out += word;
        column += length;
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{self, document::Sources};

    #[test]
    fn nothing_is_wider_than_a_terminal() {
        let lines = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        assert!(lines(&list(80, false)) <= 80, "{}", list(80, false));
        for preset in presets::all() {
            let text = show(&preset, preset.name, 80, false);
            let (shown, _) = text.split_once("\nIn a model").expect("the text ends with TOML");
            assert!(lines(shown) <= 80, "{shown}");
        }
    }

    #[test]
    fn a_preset_is_shown_with_its_numbers_their_sources_and_its_delays() {
        let preset = presets::named("aws-standard").expect("the preset exists");
        insta::assert_snapshot!(show(&preset, "aws-standard", 80, false));
    }

    #[test]
    fn the_text_of_a_preset_is_a_policy_of_a_model() {
        for preset in presets::all() {
            let text = show(&preset, preset.name, 80, false);
            let (_, toml) = text.split_once("a default:\n\n").expect("the text ends with TOML");
            let mut sources = Sources::default();
            let source = sources.add("shown.toml", toml);
            let document = model::document::Value::parse(&sources, source).expect(toml);
            let path = ["policy".to_owned(), preset.name.to_owned()];
            let read = model::policy::read(document.find(&path).expect(toml));
            assert_eq!(read.map(|named| named.policy), Ok(preset.policy), "{toml}");
        }
    }
}
