//! Good files that explode: a run ends with the name of a limit instead of using up the machine.

use std::fs;

use super::{folder, stormglass};

/// Runs the base with a model or settings that explode, under the default limits but for the
/// number of events, and says how its runs ended.
fn endings(model: &str, arguments: &[&str]) -> Vec<String> {
    let folder = folder();
    fs::write(folder.path().join("model.toml"), model).expect("the case can be written");
    let experiment = "name = \"explosion\"\nmodel = \"model.toml\"\nseeds = \"1..2\"\n\
                      arrivals = \"60s\"\n[limits]\nevents = 3_000_000\n";
    fs::write(folder.path().join("experiment.toml"), experiment).expect("it can be written");
    let ran =
        stormglass(folder.path(), &[&["run", "experiment.toml", "--quiet"], arguments].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    let runs = fs::read_to_string(folder.path().join("out/explosion/runs.csv")).expect("runs");
    let mut rows = runs.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = rows.next().expect("a header");
    let column = header.iter().position(|&name| name == "ending").expect("a column");
    rows.map(|row| row[column].to_owned()).collect()
}

#[test]
fn explosions_end_with_the_name_of_a_limit() {
    let server = "[clients.users]\narrivals = { constant = \"RATE\" }\n\
                  flow = [{ call = \"server.serve\", policy = \"client\" }]\n\
                  [service.server]\nworkers = WORKERS\nqueue = { limit = LIMIT }\n\
                  [service.server.on.serve]\nsteps = [STEP{ reply = \"REPLY\" }]\n\
                  [policy.client]\nretry = { attempts = \"unlimited\", backoff = \"none\", \
                  on = [\"failed\", \"rejected\"] }\n";
    let model = |rate: &str, workers: &str, limit: &str, step: &str, reply: &str| {
        server
            .replace("RATE", rate)
            .replace("WORKERS", workers)
            .replace("LIMIT", limit)
            .replace("STEP", step)
            .replace("REPLY", reply)
    };
    let work = "{ work = \"1s\" }, ";
    // Retries at once, for ever, of what fails at once.
    let retries = model("1/s", "1", "\"unlimited\"", "", "failed");
    assert_eq!(endings(&retries, &[]), ["livelock"]);
    // Users who come faster than anything can serve, and wait.
    let crowd = model("1_000_000_000/s", "1", "\"unlimited\"", work, "ok");
    assert_eq!(endings(&crowd, &["--set", "limits.pending=2_000_000"]), ["queue-limit"]);
    // Users who are turned away at once, and come back at once.
    let turned_away = model("1_000_000/s", "1", "0", work, "ok");
    assert_eq!(endings(&turned_away, &[]), ["livelock"]);
    // A crowd that is served at once uses up nothing but events.
    let served = model("1_000_000/s", "\"unlimited\"", "0", "", "ok");
    assert_eq!(endings(&served, &[]), ["event-limit"]);
    // The limits can be set.
    assert_eq!(endings(&crowd, &["--set", "limits.pending=1000"]), ["queue-limit"]);
    assert_eq!(endings(&crowd, &["--set", "limits.events=1000"]), ["event-limit"]);
}

#[test]
fn the_longest_spans_and_rarest_users_are_no_trouble() {
    let model = "[clients.users]\narrivals = { poisson = \"0.1/h\" }\n\
                 flow = [{ call = \"server.serve\" }, { think = \"36525d\" }]\n\
                 [service.server]\nworkers = 1\n[service.server.on.serve]\n\
                 steps = [{ work = \"pareto 36525d shape 0.0001\" }, { reply = \"ok\" }]\n\
                 [link.default]\nlatency = \"lognormal 36525d sigma 1000\"\n";
    let long =
        ["--set", "arrivals=36525d", "--set", "drain=36525d", "--set", "measure.window=365d"];
    assert_eq!(endings(model, &long), ["complete"]);
}
