//! Choices and sensitivities of whole runs whose truth is known.

use serde_json::Value;

use super::{command, folder, run, summary, text};

/// Work of 10 ms or 20 ms at one worker or two, for 20 a second: 0.2 or 0.4 workers are busy, and
/// one worker lets wait for 1.25 ms of 10 (Pollaczek and Khinchine).
const SERVER: &str = r#"
[clients.users]
arrivals = { poisson = "20/s" }
flow = [{ call = "server.serve" }]
[service.server]
workers = 1
on.serve.steps = [{ work = "10ms" }, { reply = "ok" }]
"#;

const CHOICE: &str = r#"
name = "choice"
model = "model.toml"
arrivals = "20s"

[choose]
objective = "latency_mean_ms"
indifference = 0.5
constraints = ["working_mean <= 0.3", "success_ratio >= 99%"]
seeds = 60
[choose.over]
"service.server.on.serve.steps.0.work" = ["10ms", "20ms", "5ms"]
"service.server.workers" = [1, 2]
"#;

#[test]
fn the_best_of_a_grid_is_chosen_and_who_misses_a_bound_is_not() {
    let experiment = CHOICE.replace(", \"5ms\"", "");
    let folder = folder(&experiment, SERVER);
    let said = text(&run(folder.path(), "out", "2"));
    assert!(said.contains("Take 0.work 10ms, server.workers 2"), "{said}");
    assert!(said.contains("misses working_mean <= 0.3"), "{said}");
    assert!(said.contains("behind 0.work 10ms, server.workers 2"), "{said}");
    let told = summary(folder.path(), "out");
    let best: Vec<&Value> = told["alternatives"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["is_best"] == true)
        .collect();
    assert_eq!((best.len(), &best[0]["point"]), (1, &Value::from("choice=10ms,2")));
    assert_eq!(told["is_sure"][0], true);
    let csv = std::fs::read_to_string(folder.path().join("out/choice.csv")).unwrap();
    assert!(csv.starts_with("arm,point,runs,mean,low,high,standing,working_mean,"), "{csv}");
    assert_eq!(csv.lines().count(), 5);
    let svg = std::fs::read_to_string(folder.path().join("out/choice.svg")).unwrap();
    assert!(roxmltree::Document::parse(&svg).is_ok());
    run(folder.path(), "one", "1");
    super::same(folder.path(), "out", "one");
}

#[test]
fn a_budget_is_spent_and_nobody_is_taken_who_misses_all() {
    let budget = CHOICE.replace("seeds = 60", "budget = 90");
    let folder = folder(&budget, SERVER);
    let said = text(&run(folder.path(), "out", "2"));
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("90 runs)"), "{said}");
    assert!(said.contains("Take 0.work 5ms, server.workers"), "{said}");
    assert!(said.contains("with a probability of about"), "{said}");
    let none = CHOICE.replace("working_mean <= 0.3", "working_mean <= 0.01");
    std::fs::write(folder.path().join("experiment.toml"), none).unwrap();
    let said = text(&run(folder.path(), "none", "2"));
    assert!(said.contains("Take none of the 6: nobody meets every constraint"), "{said}");
}

#[test]
fn what_cannot_be_chosen_is_refused_with_its_place() {
    let broken = [
        ("indifference = 0.5", "indifference = 0", "the difference that does not matter"),
        ("latency_mean_ms", "latency_mean", "did you mean `latency_mean_ms`"),
        ("working_mean <= 0.3", "recovers within 3s", "a bound of a metric, or NAME_kept"),
        ("[1, 2]", "{ from = 2, until = 1 }", "is no range"),
        ("service.server.workers", "service.sever.workers", "did you mean `server`"),
        ("seeds = 60", "seeds = 3", "at least `first`"),
    ];
    for (what, by, said) in broken {
        let folder = folder(&CHOICE.replace(what, by), SERVER);
        let output = command(folder.path(), "out", "1").output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{by}: {error}");
        assert!(error.contains(said), "{by}: {error}");
        assert!(error.contains("experiment.toml:"), "{by}: {error}");
    }
}

/// An M/M/1 whose work takes `factor` times 10 ms.
const QUEUE: &str = r#"
[clients.users]
arrivals = { poisson = "60/s" }
flow = [{ call = "server.serve" }]
[service.server]
workers = 1
on.serve.steps = [{ work = "exp 10ms" }, { reply = "ok" }]
[service.other]
workers = 1
on.serve.steps = [{ reply = "ok" }]
"#;

const GUESSES: &str = r#"
name = "guesses"
model = "model.toml"
arrivals = "40s"
measure = { warm_up = "2s" }

[[faults]]
kind = "slow"
target = "server"
at = "0s"
for = "40s"
factor = 1

[sensitivity]
outcome = "latency_mean_ms"
method = "sobol"
rows = 48
seeds = 1
[sensitivity.over]
"clients.users.arrivals.poisson" = { from = "30/s", until = "70/s" }
"faults.0.factor" = { from = 1.0, until = 1.25 }
"service.other.workers" = { from = 1, until = 9 }
"#;

/// The total indices of the sojourn 1 / (100 / factor - rate), by the midpoint rule.
fn totals() -> [f64; 2] {
    const CELLS: usize = 200;
    let middle = |place: usize| (place as f64 + 0.5) / CELLS as f64;
    let (mut sum, mut squares) = (0.0, 0.0);
    let mut means = [vec![0.0; CELLS], vec![0.0; CELLS]];
    for rate in 0..CELLS {
        for factor in 0..CELLS {
            let speed = 100.0 / (1.0 + 0.25 * middle(factor));
            let value = 1.0 / (speed - 30.0 - 40.0 * middle(rate));
            sum += value;
            squares += value * value;
            means[0][rate] += value / CELLS as f64;
            means[1][factor] += value / CELLS as f64;
        }
    }
    let count = (CELLS * CELLS) as f64;
    let (mean, variance) = (sum / count, squares / count - sum / count * (sum / count));
    let known = means.map(|means| {
        means.iter().map(|at| (at - mean) * (at - mean)).sum::<f64>() / CELLS as f64 / variance
    });
    [1.0 - known[1], 1.0 - known[0]]
}

#[test]
fn a_queue_depends_on_its_load_as_quadrature_says_and_on_nothing_that_is_not_asked() {
    let folder = folder(GUESSES, QUEUE);
    let said = text(&run(folder.path(), "out", "2"));
    let told = summary(folder.path(), "out");
    let quantities = told["sensitivity"][0]["quantities"].as_array().unwrap();
    for (quantity, truth) in quantities.iter().zip(totals()) {
        let end = |place: usize| quantity["size"][place].as_f64().unwrap();
        let slack = 0.5 * (end(2) - end(1)) + 0.02;
        assert!(end(1) - slack < truth && truth < end(2) + slack, "{truth}: {quantity} {said}");
    }
    assert_eq!(quantities[2]["size"][0], 0.0, "draws are named: nothing changes");
    assert!(said.contains("depends most on clients.users.arrivals.poisson"), "{said}");
    assert!(said.contains("may stay a guess"), "{said}");

    let morris =
        GUESSES.replace("\"sobol\"", "\"morris\"").replace("rows = 48", "trajectories = 6");
    std::fs::write(folder.path().join("experiment.toml"), morris).unwrap();
    let said = text(&run(folder.path(), "out", "2"));
    let told = summary(folder.path(), "out");
    let quantities = told["sensitivity"][0]["quantities"].as_array().unwrap();
    assert!(quantities[0]["effect"][0].as_f64() > Some(0.0), "{said}");
    assert_eq!(quantities[2]["effect"][1], 0.0, "{said}");
    let csv = std::fs::read_to_string(folder.path().join("out/sensitivity.csv")).unwrap();
    assert!(csv.contains("clients.users.arrivals.poisson,30/s,70/s,"), "{csv}");
    assert!(folder.path().join("out/tornado.png").exists());
}
