//! No function is longer than a screen, and every module of the tests is told of.

use super::source::{File, Token, read, root, rust_files, tokens};

/// Lines from the name of a function to the end of its body.
const LINES_MAX: usize = 70;

/// The functions of a file that have a body: name, first line, and how many lines.
fn functions(file: &File) -> Vec<(String, usize, usize)> {
    let tokens = tokens(&file.text);
    let mut found = Vec::new();
    for (index, pair) in tokens.windows(2).enumerate() {
        let (line, Token::Name(keyword)) = &pair[0] else { continue };
        let (_, Token::Name(name)) = &pair[1] else { continue };
        if keyword == "fn"
            && let Some(last) = last_line(&tokens[index + 2..])
        {
            found.push((name.clone(), *line, last + 1 - line));
        }
    }
    found
}

/// The line of the bracket that closes a body, from behind the name of its function; none where
/// there is no body.
fn last_line(rest: &[(usize, Token)]) -> Option<usize> {
    let (mut braces, mut others) = (0, 0);
    for (line, token) in rest {
        match token {
            Token::Sign('(' | '[') => others += 1,
            Token::Sign(')' | ']') => others -= 1,
            Token::Sign(';') if braces == 0 && others == 0 => return None,
            Token::Sign('{') => braces += 1,
            Token::Sign('}') if braces == 1 => return Some(*line),
            Token::Sign('}') => braces -= 1,
            _ => {}
        }
    }
    None
}

fn too_long(files: &[File]) -> Vec<String> {
    let of = |file: &File| {
        let long = functions(file).into_iter().filter(|(_, _, lines)| *lines > LINES_MAX);
        let told = long
            .map(|(name, line, lines)| format!("{}:{line}: `{name}` has {lines} lines", file.path));
        told.collect::<Vec<_>>()
    };
    files.iter().flat_map(of).collect()
}

#[test]
fn no_function_is_longer_than_a_screen() {
    let wrong = too_long(&rust_files());
    assert!(wrong.is_empty(), "at most {LINES_MAX}:\n{}", wrong.join("\n"));
}

#[test]
fn a_long_function_is_found() {
    let body = |lines: usize| {
        format!("//! A.\nfn a(x: [u8; 2]) -> u8 {{\n{}}}\n", "  if b {}\n".repeat(lines))
    };
    let file = |lines| File { path: "src/a.rs".to_owned(), text: body(lines) };
    assert_eq!(too_long(&[file(LINES_MAX - 2)]), Vec::<String>::new());
    assert_eq!(too_long(&[file(LINES_MAX - 1)]), ["src/a.rs:2: `a` has 71 lines"]);
}

#[test]
fn every_module_of_the_tests_is_told_of() {
    let told = read("tests/README.md");
    for binary in ["engine", "policy", "invariants", "results", "program", "project"] {
        assert!(told.contains(&format!("## `{binary}`: ")), "tests/README.md: no `{binary}`");
        for entry in std::fs::read_dir(root().join("tests").join(binary)).expect("a folder") {
            let name = entry.expect("an entry").file_name().into_string().expect("a name");
            let module = name.trim_end_matches(".rs");
            let known = ["main", "snapshots"].contains(&module);
            assert!(
                known || told.contains(&format!("| `{module}` |")),
                "tests/README.md: no `{module}` of {binary}"
            );
        }
    }
}
