//! The command line that gives the same results again.

use crate::experiment::plan::campaign::Chosen;

/// The command that runs these seeds, which follow on each other. What changes no result is left
/// out: the folder, the number of workers, how much is said.
pub fn command_line(
    experiment: &str,
    seeds: &[u64],
    overrides: &[String],
    chosen: &Chosen,
) -> String {
    let mut command = format!("stormglass run {}", quoted(experiment));
    if let (Some(first), Some(last)) = (seeds.first(), seeds.last()) {
        command.push_str(&format!(" --seeds {first}..{}", last.saturating_add(1)));
    }
    choose(&mut command, overrides, chosen);
    command
}

/// The command that writes the smallest run that breaks a promise under a seed to a file.
pub fn minimize_line(
    experiment: &str,
    (seed, promise): (u64, &str),
    overrides: &[String],
    chosen: &Chosen,
) -> String {
    let mut command = format!("stormglass minimize {} --seed {seed}", quoted(experiment));
    command.push_str(&format!(" --invariant {}", quoted(promise)));
    choose(&mut command, overrides, chosen);
    command
}

fn choose(command: &mut String, overrides: &[String], chosen: &Chosen) {
    for (option, names) in [("--arm", &chosen.arms), ("--point", &chosen.points)] {
        for name in names {
            command.push_str(&format!(" {option} {}", quoted(name)));
        }
    }
    for text in overrides {
        command.push_str(&format!(" --set {}", quoted(text)));
    }
}

/// A word as a POSIX shell reads it.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:@%+".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_split_them() {
        let set = ["faults.0.at=1s".to_owned(), "clients.a.arrivals={ poisson = \"9/s\" }".into()];
        let chosen = Chosen {
            arms: vec!["two".to_owned()],
            points: vec!["load=9 outage=2".to_owned()],
            ..Chosen::default()
        };
        let command = command_line("experiments/it's.toml", &[4, 5], &set, &chosen);
        insta::assert_snapshot!(command, @r#"stormglass run 'experiments/it'\''s.toml' --seeds 4..6 --arm two --point 'load=9 outage=2' --set faults.0.at=1s --set 'clients.a.arrivals={ poisson = "9/s" }'"#);
    }
}
