//! What belongs to a program that is installed: help, completions, manual pages, and `open`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;

/// Runs the program in a folder, with `path` as the only place in which it finds others.
fn stormglass(folder: &Path, path: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    command.current_dir(folder).args(arguments).env("PATH", path);
    command.output().expect("the program starts")
}

fn told(arguments: &[&str]) -> String {
    let folder = TempDir::new().unwrap();
    let ran = stormglass(folder.path(), folder.path(), arguments);
    assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).expect("text")
}

#[test]
fn the_help_has_its_commands_in_groups_and_no_codes_in_a_file() {
    let help = told(&["--help"]);
    for line in
        ["Ask a question:", "Hold promises:", "  run           Runs an experiment", "Options:"]
    {
        assert!(help.contains(&format!("\n{line}")), "{line} in {help}");
    }
    assert!(!help.contains('\x1b') && help.lines().all(|line| line.chars().count() <= 100));
    assert_eq!(help, told(&["help"]));
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let help = told(&["--help"]);
    let commands = help.lines().filter_map(|line| line.strip_prefix("  ")?.split_once("  "));
    let commands = commands.filter(|(name, _)| !name.is_empty() && !name.starts_with('-'));
    let commands: Vec<&str> = commands.map(|(name, _)| name.trim()).collect();
    assert!(commands.len() > 15, "{commands:?}");
    let folder = TempDir::new().unwrap();
    let pages = folder.path().join("man/man1");
    told(&["man", "--out", pages.to_str().unwrap()]);
    let manual = told(&["man"]);
    let shells = ["bash", "zsh", "fish", "powershell", "elvish"];
    let completions = shells.map(|shell| told(&["completions", shell]));
    for command in commands.into_iter().filter(|name| *name != "help") {
        for (shell, text) in shells.iter().zip(&completions) {
            assert!(text.contains(command), "{command} in {shell}");
        }
        assert!(manual.contains(&command.replace('-', "\\-")), "{command}");
        let page = fs::read_to_string(pages.join(format!("stormglass-{command}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{page}");
    }
}

/// A folder of results with a page, written so many seconds ago.
fn results(folder: &Path, name: &str, ago: u64) {
    let page = folder.join("out").join(name).join("report.html");
    fs::create_dir_all(page.parent().unwrap()).unwrap();
    let file = fs::File::create(&page).unwrap();
    let now = file.metadata().unwrap().modified().unwrap();
    file.set_modified(now - Duration::from_secs(ago)).unwrap();
}

#[test]
fn a_page_that_nothing_here_opens_is_named() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    results(folder, "older", 60);
    results(folder, "newer", 5);
    results(folder, "oldest", 600);
    let open = |arguments: &[&str]| {
        let nothing = folder.join("nothing");
        let ran = stormglass(folder, &nothing, &[&["open"], arguments].concat());
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (ran.status.code(), text(&ran.stdout), text(&ran.stderr))
    };
    let (code, out, error) = open(&["out/older"]);
    assert_eq!(code, Some(0), "{error}");
    assert!(out.ends_with("out/older/report.html\n") && Path::new(out.trim()).is_file(), "{out}");
    assert!(error.contains("open it in a browser yourself"), "{error}");
    let (_, out, _) = open(&[]);
    assert!(out.ends_with("out/newer/report.html\n"), "the last one: {out}");
    let (code, out, error) = open(&["out"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(error.contains("there is no `out/report.html`"), "{error}");
    let elsewhere = TempDir::new().unwrap();
    let ran = stormglass(elsewhere.path(), elsewhere.path(), &["open"]);
    assert_eq!(ran.status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn a_page_is_given_to_the_opener_of_the_platform() {
    use std::os::unix::fs::PermissionsExt;

    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    results(folder, "one", 5);
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let install = |script: &str| {
        let path = folder.join(opener);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    install("echo \"$1\" > given");
    let ran = stormglass(folder, folder, &["open", "out/one"]);
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "");
    let given = fs::read_to_string(folder.join("given")).unwrap();
    assert_eq!(given, String::from_utf8_lossy(&ran.stdout));
    install("exit 3");
    let ran = stormglass(folder, folder, &["open", "out/one"]);
    assert!(String::from_utf8_lossy(&ran.stderr).contains("yourself"), "it could not");
}
