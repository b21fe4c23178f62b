//! Rare events of whole runs whose probability is known: a queue from its first customer on comes
//! to L before it is empty with ((mu/lambda) - 1) / ((mu/lambda)^L - 1) (gambler's ruin).

use serde_json::Value;

use super::{command, folder, run, same, summary, text};

const QUEUE: &str = r#"
[clients.users]
arrivals = { poisson = "50/s" }
flow = [{ call = "server.serve" }]
[service.server]
workers = 1
queue = { limit = "unlimited" }
on.serve.steps = [{ work = "exp 10ms" }, { reply = "ok" }]
"#;

const RARE: &str = r#"
name = "rare"
model = "model.toml"
arrivals = "100s"
seeds = "1..21"

[rare]
of = "in server"
reaches = 20
before = "empty"
effort = 60
"#;

/// The one thing that was found, which has to be near this probability.
fn found(experiment: &str, truth: f64) -> (Value, String) {
    let folder = folder(experiment, QUEUE);
    let said = text(&run(folder.path(), "out", "2"));
    let told = summary(folder.path(), "out")["rare"][0].clone();
    let number = |name: &str| told[name].as_f64().unwrap_or_else(|| panic!("{told}"));
    let (low, high, at) = (number("low"), number("high"), number("probability"));
    // Twice the interval is that of 99.97% of the replications.
    let (low, high) = (at - 2.0 * (at - low), at + 2.0 * (high - at));
    assert!(low < truth && truth < high, "{truth}: {told} {said}");
    (told, said)
}

#[test]
fn a_line_of_twenty_is_one_in_a_million_and_a_hundred_times_cheaper() {
    let (told, said) = found(RARE, 9.536_752_259e-7);
    assert!(told["work_saved"].as_f64() > Some(100.0), "{told}");
    assert!(said.contains("the probability that in server reaches 20"), "{said}");
    let levels: Vec<u64> =
        told["levels"].as_array().unwrap().iter().map(|level| level.as_u64().unwrap()).collect();
    assert!(levels.len() > 3 && levels.last() == Some(&20), "{levels:?}");
}

/// A share of 1 in 1,023: what plain runs see, and what the levels make of it.
#[test]
fn plain_runs_and_levels_agree() {
    let truth = 1.0 / 1_023.0;
    let at_ten = RARE.replace("reaches = 20", "reaches = 10");
    let plain = at_ten.replace("effort = 60", "effort = 1500\nlevels = []");
    let (plain, _) = found(&plain, truth);
    assert_eq!(plain["levels"], serde_json::json!([10]));
    let (split, _) = found(&at_ten.replace("effort = 60", "effort = 60\nlevels = [4, 7]"), truth);
    assert_eq!(split["levels"], serde_json::json!([4, 7, 10]));
    assert!(split["events"].as_u64() < plain["events"].as_u64());
}

#[test]
fn workers_change_nothing_and_what_cannot_grow_is_refused() {
    let small = RARE.replace("1..21", "1..4").replace("effort = 60", "effort = 20");
    let folder = folder(&small, QUEUE);
    run(folder.path(), "one", "1");
    run(folder.path(), "two", "2");
    same(folder.path(), "one", "two");
    let oldest =
        small.replace("in server", "oldest in server").replace("reaches = 20", "reaches = 80");
    std::fs::write(folder.path().join("experiment.toml"), oldest).unwrap();
    let said = text(&run(folder.path(), "old", "2"));
    assert!(said.contains("oldest in server reaches 80 ms"), "{said}");
    for (what, by, said) in [
        ("in server", "in sever", "did you mean `server`"),
        ("in server", "server", "\"in NODE\" or \"oldest in NODE\""),
        ("reaches = 20", "reaches = 1", "at least 2"),
        ("effort = 20", "levels = [4, 3]", "numbers below 20, ascending"),
        ("[rare]", "[ramp]\n[rare]", "two questions"),
    ] {
        std::fs::write(folder.path().join("experiment.toml"), small.replace(what, by)).unwrap();
        let output = command(folder.path(), "out", "1").output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{by}: {error}");
        assert!(error.contains(said), "{by}: {error}");
    }
}
