//! Standard output that cannot be written is no success.

use std::fs::File;
use std::process::{Command, Stdio};

use super::{CANARY, path, root};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    command.current_dir(root()).args(arguments);
    command
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error_of_the_machine() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let check = ["check", CANARY, "--seeds", "1..2", "--arm", "queue_in_memory"];
    let run = ["run", CANARY, "--seeds", "1..2", "--json", "--out", path(&out)];
    let import = ["import", "tests/data/policy-configs/envoy_route_cluster.yaml"];
    let commands: [&[&str]; 8] = [
        &check,
        &run,
        &import,
        &["show", "models/checkout.toml"],
        &["schema", "model"],
        &["policy", "list"],
        &["replay", "experiments/regressions/charged-twice.toml"],
        &["--help"],
    ];
    for arguments in commands {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = command(arguments).stdout(full).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{arguments:?}: {said}");
        assert!(said.contains("cannot write to standard output"), "{arguments:?}: {said}");
    }
}

#[test]
#[cfg(unix)]
fn a_reader_that_has_gone_away_changes_nothing() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output =
        command(&["show", "models/checkout.toml"]).stdout(Stdio::from(writer)).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}
