//! The text of the project: which files there are, and Rust source as tokens.

use std::path::{Path, PathBuf};

/// A file of the project.
pub(crate) struct File {
    /// Its path from the top of the project, with `/` between its parts.
    pub(crate) path: String,
    pub(crate) text: String,
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file below a folder of the project, by path; folders of builds are left out.
pub(crate) fn files(folder: &str) -> Vec<File> {
    let mut paths = Vec::new();
    collect(&root().join(folder), &mut paths);
    paths.sort();
    let file = |path: PathBuf| {
        let text = String::from_utf8(std::fs::read(&path).ok()?).ok()?;
        let parts = path.strip_prefix(root()).ok()?.iter();
        let parts: Vec<_> = parts.map(|part| part.to_string_lossy()).collect();
        Some(File { path: parts.join("/"), text })
    };
    paths.into_iter().filter_map(file).collect()
}

/// Every Rust file of the package.
pub(crate) fn rust_files() -> Vec<File> {
    let folders = ["src", "tests", "benches", "examples"];
    let all = folders.into_iter().flat_map(files);
    all.filter(|file| file.path.ends_with(".rs")).collect()
}

/// One file of the project.
pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match path.is_dir() {
            true if ["target", "out", ".git"].contains(&name.as_str()) => {}
            true => collect(&path, paths),
            false => paths.push(path),
        }
    }
}

/// A piece of Rust source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// A name or keyword; raw names without their `r#`.
    Name(String),
    /// `::`
    Path,
    /// Any other sign.
    Sign(char),
    /// A comment, with its slashes; literals are left out.
    Comment(String),
}

/// The tokens of Rust source with their line numbers, from 1.
pub(crate) fn tokens(text: &str) -> Vec<(usize, Token)> {
    let chars: Vec<char> = text.chars().collect();
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    while at < chars.len() {
        let (end, token) = next_token(&chars, at);
        tokens.extend(token.map(|token| (line, token)));
        line += chars[at..end].iter().filter(|&&c| c == '\n').count();
        at = end;
    }
    tokens
}

/// The token at a place, if there is one, and where the next one starts.
fn next_token(chars: &[char], at: usize) -> (usize, Option<Token>) {
    let is = |offset: usize, wanted: char| chars.get(at + offset) == Some(&wanted);
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let until = |from: usize, stop: &dyn Fn(char) -> bool| {
        (from..chars.len()).find(|&index| stop(chars[index])).unwrap_or(chars.len())
    };
    let first = chars[at];
    if first == '/' && is(1, '/') {
        let end = until(at, &|c| c == '\n');
        return (end, Some(Token::Comment(chars[at..end].iter().collect())));
    }
    if first == '/' && is(1, '*') {
        let end = block_comment_end(chars, at);
        return (end, Some(Token::Comment(chars[at..end].iter().collect())));
    }
    if first == '"' {
        return (string_end(chars, at + 1), None);
    }
    if first == '\'' {
        // A character or a lifetime: only the character has a quote behind it.
        return match chars.get(at + 1) {
            Some('\\') => (until(at + 3, &|c| c == '\'') + 1, None),
            _ if is(2, '\'') => (at + 3, None),
            _ => (until(at + 1, &|c| !is_name(c)), None),
        };
    }
    if first.is_alphabetic() || first == '_' {
        let end = until(at, &|c| !is_name(c));
        let name: String = chars[at..end].iter().collect();
        let next = chars.get(end);
        return match name.as_str() {
            "r" | "br" | "cr" if matches!(next, Some('"' | '#')) => raw(chars, end),
            "b" | "c" if next == Some(&'"') => (string_end(chars, end + 1), None),
            _ => (end, Some(Token::Name(name))),
        };
    }
    if first.is_ascii_digit() {
        return (until(at, &|c| !is_name(c)), None);
    }
    match first {
        ':' if is(1, ':') => (at + 2, Some(Token::Path)),
        _ if first.is_whitespace() => (at + 1, None),
        sign => (at + 1, Some(Token::Sign(sign))),
    }
}

/// What follows an `r`: a raw string, or a raw name.
fn raw(chars: &[char], at: usize) -> (usize, Option<Token>) {
    let hashes = chars[at..].iter().take_while(|&&c| c == '#').count();
    if chars.get(at + hashes) != Some(&'"') {
        return next_token(chars, (at + hashes).min(chars.len() - 1));
    }
    let mut close = vec!['"'];
    close.resize(hashes + 1, '#');
    let body = &chars[at + hashes + 1..];
    let length = body.windows(close.len()).position(|part| part == close).unwrap_or(body.len());
    ((at + hashes + 1 + length + close.len()).min(chars.len()), None)
}

fn string_end(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

fn block_comment_end(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at.min(chars.len())
}

#[test]
fn literals_and_comments_are_told_from_code() {
    let text =
        "a::b // use c\n\"use d \\\" e\" r#\"use \"f\"\"# 'g' '\\'' &'h r#i /* /* j */ k */ l";
    let names: Vec<(usize, String)> = tokens(text)
        .into_iter()
        .filter_map(|(line, token)| match token {
            Token::Name(name) => Some((line, name)),
            _ => None,
        })
        .collect();
    let expected = [(1, "a"), (1, "b"), (2, "i"), (2, "l")];
    assert_eq!(names, expected.map(|(line, name)| (line, name.to_owned())));
}
