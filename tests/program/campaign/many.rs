//! Campaigns of very many arms: what each costs does not grow with their number.

use std::fmt::Write;
use std::process::Command;

const MODEL: &str = r#"
[clients.c]
arrivals = { constant = "3/s" }
flow = [{ call = "s.o" }]

[service.s]
workers = 4
on.o.steps = [{ work = "exp 1ms" }, { reply = "ok" }]
"#;

/// Where each arm cost the square of their number, these took more than a day.
const ARMS: usize = 20_000;

#[test]
fn twenty_thousand_arms_are_no_more_than_twenty_thousand() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("model.toml"), MODEL).unwrap();
    let mut text = "name = \"arms\"\nmodel = \"model.toml\"\narrivals = \"1s\"\n\
                    [expect]\nsuccess_ratio = \">= 0%\"\n"
        .to_owned();
    for arm in 0..ARMS {
        writeln!(text, "[arms.a{arm}]").unwrap();
    }
    let file = folder.path().join("arms.toml");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    command.args(["check", "--seeds", "0..1"]).arg(&file);
    let output = command.output().unwrap();
    let (said, told) =
        (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    assert!(told.contains("20000 runs, seed 0"), "{told}{said}");
    assert!(output.status.success(), "{told}{said}");
    // Of so many each has one pilot, and of few ten.
    assert!(said.contains("in calm runs of seed 1 (MSER-5)"), "{said}");
}
