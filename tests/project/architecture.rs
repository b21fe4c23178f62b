//! The rooms and who may know whom, read from the source: `docs/architecture.md` gives the reasons.

use std::fmt;

use super::source::{self, Token, tokens};

/// The rooms, from the bottom up: each imports only from itself and from those before it.
const ROOMS: [&str; 16] = [
    "kernel",
    "statistics",
    "policy",
    "model",
    "theory",
    "published",
    "import",
    "system",
    "fault",
    "twin",
    "invariant",
    "metric",
    "capacity",
    "experiment",
    "report",
    "cli",
];

/// What of a room may be known, where it is not all of it: who, of whom, and which modules.
const ONLY: [(&str, &str, &[&str]); 3] = [
    ("statistics", "kernel", &["draw"]),
    ("policy", "kernel", &["time", "draw", "quantity"]),
    ("fault", "system", &["control"]),
];

/// Rooms that know only some of those below them: who, and whom.
const NARROW: [(&str, &[&str]); 4] = [
    ("statistics", &["statistics", "kernel"]),
    ("policy", &["policy", "kernel"]),
    ("theory", &["theory", "kernel", "model"]),
    ("published", &["published", "statistics", "model"]),
];

/// The part of the report that knows nothing of the simulator.
const PLAIN: [&str; 5] = ["chart", "escape", "number", "table", "fonts"];

/// What only the command line may use: files, threads, clock, environment, processes, network.
const MACHINE: [&[&str]; 10] = [
    &["std", "fs"],
    &["std", "thread"],
    &["std", "env"],
    &["std", "process"],
    &["std", "net"],
    &["std", "time", "Instant"],
    &["std", "time", "SystemTime"],
    &["rayon"],
    &["indicatif"],
    &["clap"],
];

/// State that outlives a run or is shared between threads.
const GLOBAL: [&str; 13] = [
    "thread_local",
    "Cell",
    "RefCell",
    "OnceCell",
    "LazyCell",
    "UnsafeCell",
    "OnceLock",
    "LazyLock",
    "Mutex",
    "RwLock",
    "AtomicU64",
    "AtomicUsize",
    "AtomicBool",
];

/// Nouns of the systems that are simulated. The kernel knows none of them.
const DOMAIN: [&str; 17] = [
    "client", "clients", "service", "database", "replica", "cache", "outbox", "provider", "worker",
    "payment", "charge", "retry", "breaker", "fault", "policy", "balance", "process",
];

/// The one list of domain nouns in the kernel: what draws are for. It is part of the trace format.
const PURPOSES: [&str; 5] = ["Service", "Fault", "Policy", "Balance", "Process"];

#[derive(Debug, PartialEq)]
struct Violation {
    file: String,
    line: usize,
    room: String,
    /// What is imported or named.
    what: String,
    rule: &'static str,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation { file, line, room, what, rule } = self;
        write!(f, "{file}:{line}: `{room}` imports or names `{what}`: {rule}")
    }
}

/// A path in the source: its line and its parts, from the crate's root if it leads there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Named {
    line: usize,
    pub(crate) parts: Vec<String>,
}

/// The module of a file below `src/`: `policy::breaker` for `src/policy/breaker/mod.rs`.
pub(crate) fn module_of(file: &str) -> Vec<String> {
    let inner = file.trim_start_matches("src/").trim_end_matches(".rs");
    let inner = inner.trim_end_matches("/mod");
    match inner {
        "engine" | "lib" | "main" => Vec::new(),
        inner => inner.split('/').map(str::to_owned).collect(),
    }
}

/// Every path that a file names, in `use` declarations and elsewhere, resolved to the crate's root.
pub(crate) fn paths(file: &str, text: &str) -> Vec<Named> {
    let tokens: Vec<(usize, Token)> =
        tokens(text).into_iter().filter(|(_, token)| !matches!(token, Token::Comment(_))).collect();
    let mut found = Vec::new();
    // The modules that are open here, each with the depth of braces inside it.
    let (mut modules, mut depth) = (Vec::<(String, usize)>::new(), 0);
    let mut at = 0;
    while at < tokens.len() {
        let from = found.len();
        match &tokens[at].1 {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') => {
                modules.retain(|(_, inside)| *inside < depth);
                depth -= 1;
            }
            Token::Name(word) if word == "mod" => {
                if let [(_, Token::Name(name)), (_, Token::Sign('{'))] = &tokens[at + 1..][..2] {
                    modules.push((name.clone(), depth + 1));
                }
            }
            Token::Name(word) if word == "use" => {
                at = use_tree(&tokens, at + 1, &[], &mut found);
            }
            Token::Name(_) => at = plain_path(&tokens, at, &mut found),
            _ => {}
        }
        let mut module = module_of(file);
        module.extend(modules.iter().map(|(name, _)| name.clone()));
        for named in &mut found[from..] {
            named.parts = resolve(&named.parts, &module);
        }
        at += 1;
    }
    found
}

/// Reads a `use` tree at a place; returns the place of its last token.
fn use_tree(
    tokens: &[(usize, Token)],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<Named>,
) -> usize {
    let mut parts = prefix.to_vec();
    let line = tokens[at].0;
    loop {
        match &tokens[at].1 {
            Token::Name(word) if word == "as" => at += 1,
            Token::Name(word) => parts.push(word.clone()),
            Token::Sign('*') => parts.push("*".to_owned()),
            Token::Path => {}
            Token::Sign('{') => {
                at += 1;
                while tokens[at].1 != Token::Sign('}') {
                    if tokens[at].1 == Token::Sign(',') {
                        at += 1;
                    } else {
                        at = use_tree(tokens, at, &parts, found) + 1;
                    }
                }
                return at;
            }
            _ => break,
        }
        at += 1;
    }
    parts.retain(|part| part != "self" || prefix.is_empty());
    found.push(Named { line, parts });
    at - 1
}

/// Reads a path outside a `use` declaration; returns the place of its last token.
fn plain_path(tokens: &[(usize, Token)], mut at: usize, found: &mut Vec<Named>) -> usize {
    let (line, mut parts) = (tokens[at].0, Vec::new());
    while let Token::Name(word) = &tokens[at].1 {
        parts.push(word.clone());
        match tokens.get(at + 1..at + 3) {
            Some([(_, Token::Path), (_, Token::Name(_))]) => at += 2,
            _ => break,
        }
    }
    // Within `pub(crate)` and `pub(super)` nothing is named.
    if parts.len() > 1 {
        found.push(Named { line, parts });
    }
    at
}

/// A path with `self` and `super` replaced by the module that they mean, from `crate` on.
fn resolve(parts: &[String], module: &[String]) -> Vec<String> {
    let mut from = module.to_vec();
    let mut rest = parts;
    match parts.first().map(String::as_str) {
        Some("self") => rest = &parts[1..],
        Some("super") => {
            while let Some((first, others)) = rest.split_first()
                && first == "super"
            {
                from.pop();
                rest = others;
            }
        }
        Some("stormglass") => (from, rest) = (Vec::new(), &parts[1..]),
        _ => return parts.to_vec(),
    }
    ["crate".to_owned()].into_iter().chain(from).chain(rest.iter().cloned()).collect()
}

/// What is wrong with the imports of one file below `src/`.
fn check(file: &str, text: &str) -> Vec<Violation> {
    let module = module_of(file);
    let Some(room) = module.first() else { return Vec::new() };
    let Some(height) = ROOMS.iter().position(|known| known == room) else {
        let rule = "it is none of the rooms";
        return vec![Violation {
            file: file.to_owned(),
            line: 1,
            room: room.clone(),
            what: file.to_owned(),
            rule,
        }];
    };
    let is_plain = room == "report" && module.get(1).is_some_and(|m| PLAIN.contains(&m.as_str()));
    let rule_broken = |parts: &[String]| -> Option<&'static str> {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let machine = |banned: &&&[&str]| {
            let short = parts.last() == Some(&"*") && banned.starts_with(&parts[..parts.len() - 1]);
            // `use std::time;` would open the way to `time::Instant`.
            parts.starts_with(banned) || short || parts == ["std", "time"]
        };
        if room != "cli" && MACHINE.iter().any(|banned| machine(&banned)) {
            return Some("only `cli` has files, threads, a clock and an environment");
        }
        if parts.first() != Some(&"crate") {
            return None;
        }
        let target = parts.get(1).copied().unwrap_or("*");
        let Some(other) = ROOMS.iter().position(|known| *known == target) else {
            return Some("what is imported is in none of the rooms");
        };
        if other > height {
            return Some("a room imports only from those below it");
        }
        let narrow = NARROW.iter().find(|(who, _)| who == room);
        if narrow.is_some_and(|(_, known)| !known.contains(&target)) {
            return Some("this room is a matter of its own, and knows only some of those below it");
        }
        let inner = parts.get(2).copied().unwrap_or("*");
        let only = ONLY.iter().find(|(who, whom, _)| who == room && *whom == target);
        if only.is_some_and(|(_, _, modules)| !modules.contains(&inner)) {
            return Some("this room may know only a part of that one");
        }
        if is_plain && (target != "report" || !PLAIN.contains(&inner)) {
            return Some("charts, numbers and tables know nothing of the simulator");
        }
        None
    };
    let broken = |named: Named| {
        let rule = rule_broken(&named.parts)?;
        let (file, what) = (file.to_owned(), named.parts.join("::"));
        Some(Violation { file, line: named.line, room: room.clone(), what, rule })
    };
    paths(file, text).into_iter().filter_map(broken).collect()
}

/// The names in one file that its room must not have.
fn check_names(file: &str, text: &str) -> Vec<Violation> {
    let module = module_of(file);
    let Some(room) = module.first() else { return Vec::new() };
    let runs = ["kernel", "policy", "model", "import", "system", "fault", "invariant", "metric"];
    let broken = |name: &str| {
        if runs.contains(&room.as_str()) && GLOBAL.contains(&name) {
            return Some("no state is shared between runs or threads");
        }
        let named = || words(name).any(|word| DOMAIN.contains(&word.as_str()));
        if room == "kernel" && !PURPOSES.contains(&name) && named() {
            return Some("the kernel names no domain noun");
        }
        None
    };
    let violation = |(line, token)| match token {
        Token::Name(what) => {
            let rule = broken(&what)?;
            Some(Violation { file: file.to_owned(), line, room: room.clone(), what, rule })
        }
        _ => None,
    };
    tokens(text).into_iter().filter_map(violation).collect()
}

/// The words of `a_name` and of `AName`, in lower case.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut spaced = String::new();
    for c in name.chars() {
        if c.is_uppercase() || c == '_' {
            spaced.push(' ');
        }
        if c != '_' {
            spaced.extend(c.to_lowercase());
        }
    }
    spaced.split_whitespace().map(str::to_owned).collect::<Vec<_>>().into_iter()
}

fn assert_none(violations: &[Violation]) {
    let shown: Vec<String> = violations.iter().map(Violation::to_string).collect();
    assert!(shown.is_empty(), "\n{}\n", shown.join("\n"));
}

#[test]
fn rooms_import_only_from_those_below_them() {
    let files = source::files("src");
    let files: Vec<_> = files.iter().filter(|file| file.path.ends_with(".rs")).collect();
    assert!(files.len() > 50, "the source was not found");
    let imports: usize = files.iter().map(|file| paths(&file.path, &file.text).len()).sum();
    assert!(imports > 500, "only {imports} paths were read");
    let broken: Vec<_> = files.iter().flat_map(|file| check(&file.path, &file.text)).collect();
    assert_none(&broken);
}

#[test]
fn the_kernel_has_no_domain_noun_and_no_run_has_shared_state() {
    let files = source::files("src");
    let broken: Vec<_> =
        files.iter().flat_map(|file| check_names(&file.path, &file.text)).collect();
    assert_none(&broken);
}

/// Every room has a folder, and every folder below `src/` is a room.
/// The rooms of the crate `stormglass-engine`: the others are in the crate `stormglass`.
pub(crate) fn rooms_of_the_engine() -> Vec<String> {
    let text = source::read("src/engine.rs");
    let room = |line: &str| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned());
    text.lines().filter_map(room).collect()
}

#[test]
fn every_folder_is_a_room() {
    let mut folders: Vec<String> = std::fs::read_dir(source::root().join("src"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    // It holds no source: the manifest of the crate whose rooms `src/engine.rs` lists.
    folders.retain(|folder| folder != "engine");
    folders.sort();
    let mut rooms = ROOMS.map(str::to_owned);
    rooms.sort();
    assert_eq!(folders, rooms);
}

/// Violations that are planted, one in each sample: what the checker must say of it.
#[test]
fn planted_imports_are_found() {
    let upward = "a room imports only from those below it";
    let part = "this room may know only a part of that one";
    let machine = "only `cli` has files, threads, a clock and an environment";
    let plain = "charts, numbers and tables know nothing of the simulator";
    let narrow = "this room is a matter of its own, and knows only some of those below it";
    let samples = [
        (
            "kernel/time",
            "//! Time.\n\nuse crate::system::World;",
            3,
            "crate::system::World",
            upward,
        ),
        ("kernel/time", "fn f() {\n  crate::cli::main();\n}", 2, "crate::cli::main", upward),
        ("model/mod", "use crate::{\n  kernel::time,\n  fault,\n};", 3, "crate::fault", upward),
        ("model/mod", "use super::fault::Plan;", 1, "crate::fault::Plan", upward),
        ("model/a", "mod t {\n use super::super::super::cli::B;\n}", 2, "crate::cli::B", upward),
        (
            "metric/mod",
            "fn f(x: &crate::report::files::A) {}",
            1,
            "crate::report::files::A",
            upward,
        ),
        ("fault/a", "use crate::{metric::{self as m}};", 1, "crate::metric", upward),
        (
            "policy/a",
            "use crate::kernel::queue::EventQueue;",
            1,
            "crate::kernel::queue::EventQueue",
            part,
        ),
        ("policy/a", "use crate::kernel::{time, sample};", 1, "crate::kernel::sample", part),
        ("policy/a", "use crate::kernel;", 1, "crate::kernel", part),
        ("fault/a", "use crate::system::World;", 1, "crate::system::World", part),
        ("system/a", "use std::{io, fs};", 1, "std::fs", machine),
        ("system/a", "fn f() { std::thread::sleep(x); }", 1, "std::thread::sleep", machine),
        ("report/a", "use std::time::{Duration, Instant};", 1, "std::time::Instant", machine),
        ("report/a", "use std::time;", 1, "std::time", machine),
        ("experiment/a", "use rayon::prelude::*;", 1, "rayon::prelude::*", machine),
        ("metric/a", "use std::*;", 1, "std::*", machine),
        ("report/chart/a", "use crate::metric::Window;", 1, "crate::metric::Window", plain),
        ("report/table", "use super::arms;", 1, "crate::report::arms", plain),
        ("theory/law", "use crate::experiment::run::A;", 1, "crate::experiment::run::A", upward),
        ("theory/law", "use crate::policy::A;", 1, "crate::policy::A", narrow),
        ("published/a", "use crate::theory::Law;", 1, "crate::theory::Law", narrow),
        ("statistics/a", "use crate::kernel::time;", 1, "crate::kernel::time", part),
        ("kernel/a", "use crate::*;", 1, "crate::*", "what is imported is in none of the rooms"),
    ];
    for (file, text, line, what, rule) in samples {
        let file = format!("src/{file}.rs");
        let room = module_of(&file)[0].clone();
        let expected = Violation { file: file.clone(), line, room, what: what.to_owned(), rule };
        assert_eq!(check(&file, text), [expected], "{text}");
    }
    assert_eq!(check("src/helpers/a.rs", "").len(), 1);
}

/// What is right, or only looks wrong, is let through.
#[test]
fn right_imports_are_let_through() {
    let samples = [
        (
            "kernel/queue",
            "use super::time::Time; // use crate::cli;\nconst A: &str = \"crate::cli::b\";",
        ),
        ("policy/a", "use crate::kernel::{draw::Draw, time::Span};\nuse crate::policy::budget;"),
        ("policy/breaker/mod", "mod tests { use super::super::outcome::Outcome; }"),
        ("report/chart/lines", "use crate::report::number::Unit;\nuse super::frame;"),
        ("report/arms", "pub(crate) fn f() { crate::experiment::run::run() }"),
        ("cli/run", "use rayon::prelude::*;\nfn f() { std::fs::read(p) }"),
        ("model/a", "use std::time::Duration;"),
    ];
    for (file, text) in samples {
        assert_none(&check(&format!("src/{file}.rs"), text));
    }
}

#[test]
fn planted_names_are_found() {
    let samples = [
        ("kernel/slab", "struct OutboxSlab;"),
        ("kernel/slab", "fn retry_later() {}"),
        ("system/job", "thread_local! {}"),
        ("policy/retry", "static N: AtomicU64 = x;"),
    ];
    for (file, text) in samples {
        assert_eq!(check_names(&format!("src/{file}.rs"), text).len(), 1, "{text}");
    }
    assert_none(&check_names("src/kernel/draw.rs", "// a retry\nenum Purpose { Service }"));
}
