//! Style that a reader would otherwise have to ask for.

use super::source::{self, File, Token, tokens};

/// No file is longer, except those of [`LONG`].
const LINES_MAX: usize = 500;

/// Files that were longer when the rule was made, with their length: they may only shrink.
const LONG: [(&str, usize); 0] = [];

const COLUMNS_MAX: usize = 100;

/// Words that are not used here, and what is said instead.
const BANNED: [(&str, &str); 5] = [
    ("chaos", "fault"),
    ("magic", "what it does"),
    ("manager", "what it does"),
    ("helper", "what it does"),
    ("util", "what it does"),
];

/// Signs of work that was left, cut in two so that this file does not have them.
const UNFINISHED: [&str; 5] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), "todo", "unimplemented"];

/// Folders of somebody's machine, cut in two so that this file does not have them.
const MACHINE_PATHS: [&str; 5] = [
    concat!("/wo", "rk/"),
    concat!("/tm", "p/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
];

/// What may be at the top of the project.
const TOP: [&str; 22] = [
    ".cargo",
    ".ci",
    ".git",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "benches",
    "clippy.toml",
    "docs",
    "examples",
    "experiments",
    "models",
    "presets",
    "rustfmt.toml",
    "schema",
    "src",
    "tests",
    ".gitattributes",
];

/// What is wrong with the style of one Rust file.
fn check_rust(file: &File) -> Vec<String> {
    let mut wrong = Vec::new();
    let path = &file.path;
    if !file.text.starts_with("//! ") {
        wrong.push(format!("{path}:1: the file does not start with a `//!` that says what it is"));
    }
    let length = file.text.lines().count();
    let most = LONG.iter().find(|(long, _)| long == path).map_or(LINES_MAX, |&(_, most)| most);
    if length > most {
        wrong.push(format!("{path}: {length} lines, more than {most}: split it"));
    }
    for (index, line) in file.text.lines().enumerate() {
        // A literal is not broken only because it is long.
        let is_comment = line.trim_start().starts_with("//");
        let measured = line.split('"').next().filter(|_| !is_comment).unwrap_or(line);
        let columns = measured.chars().count();
        if columns > COLUMNS_MAX {
            let line = index + 1;
            wrong.push(format!("{path}:{line}: {columns} columns, more than {COLUMNS_MAX}"));
        }
    }
    for (line, token) in tokens(&file.text) {
        let text = match &token {
            Token::Name(name) => name.clone(),
            // Between backticks are names, often those of other projects.
            Token::Comment(text) => text.split('`').step_by(2).collect(),
            Token::Path | Token::Sign(_) => continue,
        };
        let all = words(&text);
        if let Some(word) = UNFINISHED.iter().find(|word| all.iter().any(|own| own == *word)) {
            wrong.push(format!("{path}:{line}: `{word}`: finish it, or say in prose what is not"));
        }
        if text == concat!("db", "g") {
            wrong.push(format!("{path}:{line}: `{text}!` is for debugging only"));
        }
        let lower: Vec<String> = all.iter().map(|word| word.to_lowercase()).collect();
        let banned = BANNED.iter().find(|(word, _)| lower.iter().any(|own| own == word));
        if let Some((word, instead)) = banned
            && path.starts_with("src/")
        {
            wrong.push(format!("{path}:{line}: `{word}`: say {instead}"));
        }
    }
    wrong
}

/// What is wrong with any text file, wherever it is.
fn check_text(file: &File) -> Vec<String> {
    let mut wrong = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let place = format!("{}:{}", file.path, index + 1);
        if line.contains('\t') {
            wrong.push(format!("{place}: a tab"));
        }
        // A snapshot is what was printed.
        if line.ends_with(' ') && !file.path.ends_with(".snap") {
            wrong.push(format!("{place}: spaces at the end of the line"));
        }
        // A path is a whole word: `a/tmp/b` and addresses are not meant.
        let begins = |at: usize| {
            let before = line[..at].chars().next_back();
            before.is_none_or(|c| !(c.is_alphanumeric() || "._-/}".contains(c)))
        };
        for path in MACHINE_PATHS {
            if line.match_indices(path).any(|(at, _)| begins(at)) {
                wrong.push(format!("{place}: `{path}` is a folder of one machine"));
            }
        }
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        wrong.push(format!("{}: no newline at the end", file.path));
    }
    wrong
}

/// Links of a Markdown file to files that do not exist.
fn check_links(file: &File, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut wrong = Vec::new();
    for (line, link) in links(&file.text) {
        let target = link.split('#').next().unwrap_or_default();
        if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        if !joined(folder, target).is_some_and(|path| exists(&path)) {
            wrong.push(format!("{}:{line}: there is no `{link}`", file.path));
        }
    }
    wrong
}

/// The targets of `[text](target)` and `src="target"` with their lines, outside of code.
fn links(text: &str) -> Vec<(usize, String)> {
    let (mut found, mut is_code) = (Vec::new(), false);
    for (index, line) in text.lines().enumerate() {
        is_code ^= line.trim_start().starts_with("```");
        // Every second part between backticks is code.
        let prose: String = line.split('`').step_by(2).collect();
        for (open, close) in [("](", ')'), ("src=\"", '"'), ("href=\"", '"')] {
            for part in prose.split(open).skip(1).filter(|_| !is_code) {
                let target = part.split(close).next().unwrap_or_default();
                let target = target.split_whitespace().next().unwrap_or_default();
                found.push((index + 1, target.to_owned()));
            }
        }
    }
    found
}

/// A path from the top of the project; `None` if it leads out of it.
fn joined(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The words of a text and of the names in it: `a_name`, `AName` and `a name` have the same two.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in text.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && before.is_lowercase()) {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().expect("there is at least one").push(c);
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// Text files that the project wrote: not typefaces, recordings of others and the lock file.
fn own_files() -> Vec<File> {
    let folders = [
        ".cargo",
        ".ci",
        "src",
        "tests",
        "docs",
        "models",
        "presets",
        "experiments",
        "benches",
        "examples",
    ];
    let mut files: Vec<File> = folders.into_iter().flat_map(source::files).collect();
    let top = TOP.iter().filter(|name| source::root().join(name).is_file());
    files.extend(top.map(|name| file(name, &source::read(name))));
    let foreign = |file: &File| {
        let name = file.path.as_str();
        let is_recorded = name.starts_with("tests/data/");
        let ends = [".svg", ".csv", ".txt", ".otf", ".lock", ".json"];
        is_recorded || ends.iter().any(|end| name.ends_with(end))
    };
    files.retain(|file| !foreign(file));
    files
}

#[test]
fn every_rust_file_is_tidy() {
    let files = source::rust_files();
    assert!(files.len() > 50, "the source was not found");
    assert_none(&files.iter().flat_map(check_rust).collect::<Vec<_>>());
}

#[test]
fn the_ratchet_is_tight() {
    for (path, most) in LONG {
        let length = source::read(path).lines().count();
        assert!(length > LINES_MAX, "{path} is short enough now: take it off the list");
        assert!(length <= most, "{path} has grown from {most} to {length} lines");
    }
}

#[test]
fn every_text_file_is_tidy() {
    let files = own_files();
    assert!(files.iter().any(|file| file.path == ".ci/run"), "the files were not found");
    assert_none(&files.iter().flat_map(check_text).collect::<Vec<_>>());
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let files = own_files();
    let documents = files.iter().filter(|file| file.path.ends_with(".md"));
    let exists = |path: &str| source::root().join(path).exists();
    assert_none(&documents.flat_map(|file| check_links(file, exists)).collect::<Vec<_>>());
}

/// The top level is fixed. What a user's runs and builds leave there is ignored by git.
#[test]
fn the_top_level_is_as_fixed() {
    let ignored = source::read(".gitignore");
    let wrong: Vec<String> = std::fs::read_dir(source::root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !TOP.contains(&name.as_str()))
        .filter(|name| !ignored.lines().any(|line| line.trim_matches('/') == name))
        .collect();
    assert!(wrong.is_empty(), "not part of the top level: {wrong:?}");
}

#[test]
fn planted_untidiness_is_found() {
    let long = format!("//! A.\n{}", "\n".repeat(LINES_MAX));
    let wide = format!("//! A.\n// {}", "é".repeat(COLUMNS_MAX - 2));
    let rust = [
        ("src/a.rs", "use b;"),
        ("src/a.rs", long.as_str()),
        ("src/a.rs", wide.as_str()),
        ("src/a.rs", concat!("//! A.\n// TO", "DO: b")),
        ("src/a.rs", concat!("//! A.\nfn a() { to", "do!() }")),
        ("src/a.rs", concat!("//! A.\nfn a() { db", "g!(b) }")),
        ("src/a.rs", "//! A.\nstruct RunManager;"),
        ("src/a.rs", "//! A.\nfn retry_helper() {}"),
        ("src/a.rs", "//! Chaos comes."),
    ];
    for (path, text) in rust {
        assert_eq!(check_rust(&file(path, text)).len(), 1, "{text}");
    }
    let wide = "é".repeat(COLUMNS_MAX);
    let right = format!("//! A.\nconst A: &str = \"chaos {wide}\"; // utilisation");
    assert_none(&check_rust(&file("src/a.rs", &right)));

    let texts = ["a\tb\n", "a \n", "a", concat!("see /wo", "rk/b\n"), concat!("(/tm", "p/b)\n")];
    for text in texts {
        assert_eq!(check_text(&file("docs/a.md", text)).len(), 1, "{text}");
    }
    let right = concat!("https://a.b/wo", "rk/c and $a/tm", "p/d\n");
    assert_none(&check_text(&file("docs/a.md", right)));

    let exists = |path: &str| path == "docs/b.md";
    for text in ["[b](c.md)", "![b](b.svg)", "[b](../../b.md)", "<img src=\"b.svg\">"] {
        assert_eq!(check_links(&file("docs/a.md", text), exists).len(), 1, "{text}");
    }
    let right = "[b](b.md#c) [b](../docs/b.md) [b](https://b) [b](#c) `[b](c)`\n```\n[b](c)\n```";
    assert_none(&check_links(&file("docs/a.md", right), exists));
}
