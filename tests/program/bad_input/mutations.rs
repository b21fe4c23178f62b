//! Random mutations of good files: they are refused with a reason or they run, and never panic.

use std::fs;
use std::path::Path;

use annotate_snippets::Level;
use proptest::prelude::{any, prop};
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::plan::documents::Documents;
use stormglass::model::document::{Sources, Value};
use stormglass::model::problem::Problem;

use super::base;

/// Reads an experiment and its model as the command line does, and runs what is accepted for a
/// few thousand events. Says whether it was accepted.
fn read_and_run(experiment: &str, model: &str) -> bool {
    let mut sources = Sources::default();
    let mut parse = |name: &str, text: &str| {
        let source = sources.add(name, text);
        Value::parse(&sources, source)
    };
    let (experiment, model) = (parse("experiment.toml", experiment), parse("model.toml", model));
    let problems = match (experiment, model) {
        (Ok(experiment), Ok(model)) => {
            let documents = Documents { experiment, model, overrides: Vec::new() };
            match Campaign::new(&documents, &|_| Err(Problem::new("there is no such file"))) {
                Ok(mut campaign) => {
                    campaign.cells[0].limits.events = 5_000;
                    let result = campaign.run(0);
                    assert!(result.events <= 5_001, "{} events", result.events);
                    return true;
                }
                Err(problems) => problems,
            }
        }
        (Err(problems), _) | (_, Err(problems)) => problems,
    };
    assert!(!problems.is_empty(), "what is refused has a reason");
    for problem in problems {
        let shown = problem.render(&sources, &Level::ERROR, false);
        assert!(shown.starts_with("error: ") && shown.len() < 20_000, "{shown}");
    }
    false
}

/// What the language gives a meaning, beside single bytes.
const TOKENS: [&str; 24] = [
    "0",
    "-1",
    "1e400",
    "nan",
    "4294967295",
    "9223372036854775807",
    "\"0s\"",
    "\"1ns\"",
    "\"100d\"",
    "\"1e9/s\"",
    "\"0.000001/s\"",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "=",
    ".",
    ",",
    "\n",
    "true",
    "\"unlimited\"",
    "\"pareto 1ns shape 0.001\"",
    "\u{feff}",
];

/// Breaks a text in one to four places.
fn mutate(text: &str, changes: &[(u8, Index, Index, u8)]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for (kind, at, other, byte) in changes {
        if bytes.is_empty() {
            break;
        }
        let (at, other) = (at.index(bytes.len()), other.index(bytes.len()));
        let token = TOKENS[usize::from(*byte) % TOKENS.len()].bytes();
        match kind % 12 {
            0 => bytes.truncate(at),
            1 => bytes[at] = *byte,
            2 => drop(bytes.drain(at.min(other)..at.max(other).min(at.min(other) + 40))),
            3 => drop(bytes.splice(at..at, token)),
            4 => {
                let end =
                    at + bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
                bytes.splice(at..end, token);
            }
            5 => bytes.swap(at, other),
            6..10 => {
                // Another number where there is one.
                let digit = bytes[at..].iter().position(u8::is_ascii_digit);
                if let Some(digit) = digit.map(|gap| at + gap) {
                    bytes[digit] = b'0' + byte % 10;
                }
            }
            10 => {
                // A line that is missing.
                let from = bytes[..at].iter().rposition(|&byte| byte == b'\n').unwrap_or(0);
                let end = bytes[at..].iter().position(|&byte| byte == b'\n').unwrap_or(0);
                bytes.drain(from..(at + end).max(from));
            }
            _ => {
                // A value in place of another: what follows `=` up to the end of the line or list.
                let from = bytes[at..]
                    .iter()
                    .position(|&byte| byte == b'=')
                    .map_or(at, |gap| at + gap + 1);
                let ends = |byte: &u8| matches!(byte, b'\n' | b',' | b'}');
                let end = bytes[from..].iter().position(ends).map_or(bytes.len(), |gap| from + gap);
                bytes.splice(from..end, token);
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn mutations_of_good_files_never_panic() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).expect("the file is shipped");
    let pairs = [
        (base("experiment.toml"), base("model.toml")),
        (read("experiments/r1.toml"), read("models/single-server.toml")),
        (read("experiments/payment-brownout.toml"), read("models/checkout.toml")),
    ];
    for (experiment, model) in &pairs {
        assert!(read_and_run(experiment, model));
    }
    let change = (any::<u8>(), any::<Index>(), any::<Index>(), any::<u8>());
    let cases = (0..pairs.len(), any::<bool>(), prop::collection::vec(change, 1..5));
    let config = Config { cases: 3_000, failure_persistence: None, ..Config::default() };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
    let accepted = std::cell::Cell::new(0);
    runner
        .run(&cases, |(pair, in_model, changes)| {
            let (experiment, model) = &pairs[pair];
            let good = match in_model {
                true => read_and_run(experiment, &mutate(model, &changes)),
                false => read_and_run(&mutate(experiment, &changes), model),
            };
            accepted.set(accepted.get() + i32::from(good));
            Ok(())
        })
        .expect("no mutation panics");
    // Both ends of the language are reached: what is refused and what runs.
    assert!((300..2_700).contains(&accepted.get()), "{accepted:?} of 3000 accepted");
}
