//! What README and docs tell people to type can be typed, and the tutorial prints what it shows.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README and every page of docs: path and text.
fn pages() -> Vec<(PathBuf, String)> {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let is_page = |path: &PathBuf| path.extension().is_some_and(|end| end == "md");
    let mut paths: Vec<PathBuf> = docs.filter(is_page).collect();
    paths.push(root().join("README.md"));
    paths.sort_unstable();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

/// The fenced blocks of a page: the language and the lines.
fn blocks(page: &str) -> Vec<(&str, Vec<&str>)> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, Vec<&str>)> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some((language, Vec::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => {}
        }
    }
    blocks
}

/// Lines of which one ends with a backslash where it goes on in the next.
fn joined(lines: &[&str]) -> Vec<String> {
    let mut whole = vec![String::new()];
    for line in lines {
        let last = whole.last_mut().expect("one at least");
        match line.strip_suffix('\\') {
            Some(start) => last.push_str(start.trim_start()),
            None => {
                last.push_str(if last.is_empty() { line } else { line.trim_start() });
                whole.push(String::new());
            }
        }
    }
    whole
}

/// The words of a command as a shell reads them, up to what explains it; `None` if it is none of
/// this program.
fn words(line: &str) -> Option<Vec<String>> {
    let line = line.strip_prefix("$ ").unwrap_or(line);
    let rest = line
        .strip_prefix("stormglass ")
        .or_else(|| line.strip_prefix("cargo run --release -- "))?;
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    let mut letters = rest.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\'' | '"', None) => quote = Some(letter),
            (_, Some(open)) if letter == open => quote = None,
            // The rest is the shell's, or stands behind two blanks and explains.
            ('>' | '|', None) => break,
            (' ', None) if letters.peek() == Some(&' ') => break,
            (' ', None) => words.push(std::mem::take(&mut word)),
            _ => word.push(letter),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    Some(words)
}

/// What a command printed, standard output first, and its exit code.
fn run(folder: &Path, words: &[String]) -> (String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    for name in ["GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "TF_BUILD", "TEAMCITY_VERSION"] {
        command.env_remove(name);
    }
    let ran = command.current_dir(folder).args(words).output().expect("the program starts");
    let text = String::from_utf8(ran.stdout).unwrap() + &String::from_utf8(ran.stderr).unwrap();
    (text, ran.status.code())
}

#[test]
fn every_command_can_be_typed() {
    let mut count = 0;
    for (path, page) in pages() {
        let lines = blocks(&page).into_iter().flat_map(|(_, lines)| joined(&lines));
        for line in lines.collect::<Vec<String>>() {
            let Some(mut words) = words(&line) else { continue };
            let page = path.display();
            for file in words.iter().filter(|word| word.ends_with(".toml")) {
                let is_shipped = ["experiments/", "models/"].iter().any(|it| file.starts_with(it));
                assert!(!is_shipped || root().join(file).exists(), "{page}: {line}: no {file}");
            }
            // With this it says what it would do and checks all that stands before.
            words.push("--help".to_owned());
            let (text, code) = run(root(), &words);
            assert_eq!(code, Some(0), "{page}: {line}\n{text}");
            count += 1;
        }
    }
    assert!(count > 30, "{count} commands");
}

/// What the README tells to type and takes no time.
const QUICK: [&str; 6] = [
    "demo",
    "new",
    "check experiments/canary.toml",
    "minimize experiments/canary.toml",
    "replay",
    "explain",
];

#[test]
fn quick_commands_of_the_readme_run() {
    let folder = TempDir::new().unwrap();
    for (from, file) in [("experiments", "canary.toml"), ("models", "checkout.toml")] {
        fs::create_dir(folder.path().join(from)).unwrap();
        fs::copy(root().join(from).join(file), folder.path().join(from).join(file)).unwrap();
    }
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let lines = blocks(&readme).into_iter().flat_map(|(_, lines)| lines);
    let commands = lines.filter_map(words);
    let is_quick = |words: &Vec<String>| {
        QUICK.iter().any(|quick| format!("{} ", words.join(" ")).starts_with(&format!("{quick} ")))
    };
    let mut done = Vec::new();
    for command in commands.filter(is_quick) {
        // The canary is there to be broken.
        let expected = if command[0] == "check" { Some(1) } else { Some(0) };
        let (text, code) = run(folder.path(), &command);
        assert_eq!(code, expected, "{command:?}: {text}");
        done.push(command[0].clone());
    }
    assert_eq!(done, ["demo", "new", "check", "minimize", "replay", "explain"]);
}

/// That an output has the shown lines, in their order; `…` stands for any lines between.
fn assert_shown(command: &str, shown: &[&str], printed: &str) {
    let lines: Vec<&str> = printed.lines().map(str::trim_end).collect();
    let mut rest: VecDeque<&str> = lines.iter().copied().collect();
    let parts: Vec<&[&str]> = shown.split(|line| *line == "…").collect();
    for (index, part) in parts.iter().enumerate() {
        let is_anywhere = index > 0;
        let fits = |rest: &VecDeque<&str>| {
            part.len() <= rest.len() && part.iter().zip(rest).all(|(one, other)| one == other)
        };
        while is_anywhere && !part.is_empty() && !fits(&rest) && !rest.is_empty() {
            rest.pop_front();
        }
        assert!(fits(&rest), "{command} prints something else than\n{part:#?}\n{printed}");
        rest.drain(..part.len());
    }
    let is_open = parts.last().is_some_and(|part| part.is_empty());
    assert!(is_open || rest.is_empty(), "{command} prints more: {rest:?}");
}

#[test]
fn the_tutorial_prints_what_it_shows() {
    prints_what_it_shows("tutorial");
}

#[test]
fn the_pages_for_researchers_teams_and_ci_print_what_they_show() {
    for page in ["researcher", "team", "ci"] {
        prints_what_it_shows(page);
    }
}

/// Runs the commands of a page in an empty folder, one after the other. Files that it shows begin
/// with their names.
fn prints_what_it_shows(page: &str) {
    let folder = TempDir::new().unwrap();
    let page = fs::read_to_string(root().join(format!("docs/{page}.md"))).unwrap();
    let mut count = 0;
    for (language, lines) in blocks(&page) {
        match language {
            "toml" | "yaml" => {
                let name = lines[0].strip_prefix("# ").expect("the name of the file");
                fs::write(folder.path().join(name), lines.join("\n")).unwrap();
            }
            "console" => {
                let commands = lines.split_inclusive(|line| line.starts_with("$ "));
                // Each part ends with the next command.
                let parts: Vec<&[&str]> = commands.collect();
                for pair in parts.windows(2) {
                    let command = pair[0].last().expect("a command");
                    let shown: Vec<&str> =
                        pair[1].iter().copied().filter(|line| !line.starts_with("$ ")).collect();
                    let expected = command.split_once("# ends with ").map_or("0", |(_, code)| code);
                    let (text, code) = run(folder.path(), &words(command).expect("a command"));
                    assert_eq!(code, expected.parse().ok(), "{command}: {text}");
                    assert_shown(command, &shown, &text);
                    count += 1;
                }
            }
            other => panic!("a block of {other}"),
        }
    }
    assert_eq!(count, page.matches("\n$ stormglass ").count());
}
