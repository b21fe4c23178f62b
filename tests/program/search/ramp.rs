//! A ramp: a server with retries collapses at another load than the one at which it comes back.

use super::{SERVER, folder, run, text};

const RAMP: &str = r#"
name = "ramp"
title = "A server with retries"
question = "Does it come back at the load at which it collapsed?"
model = "model.toml"
seeds = "1..3"
arrivals = "300s"

[ramp]
clients = "users"
from = "1/s"
to = "15/s"
steps = 3
dwell = "60s"
"#;

/// Of 1/s, 8/s and 15/s: at 15/s it has to collapse, at 8/s it is healthy on the way up and,
/// between the folds of the mean field, not on the way down, and at 1/s it has to come back.
#[test]
fn it_comes_back_at_another_load_than_it_collapsed_at() {
    let folder = folder(RAMP, SERVER);
    let said = text(&run(folder.path(), "out", "1"));
    assert!(said.contains("collapses going up") && said.contains("2 of 2"), "{said}");
    let read = |name: &str| std::fs::read_to_string(folder.path().join("out").join(name)).unwrap();
    let edges = "arm,point,seed,collapse_per_s,recovery_per_s\nmodel,,1,15,1\nmodel,,2,15,1\n";
    assert_eq!(read("edges.csv"), edges);
    let ramp = read("ramp.csv");
    assert_eq!(ramp.lines().count(), 1 + 2 * 5, "{ramp}");
    let step = |step: usize| -> Vec<f64> {
        let row = ramp.lines().nth(step).unwrap().split(',');
        row.skip(5).map(|field| field.parse().unwrap()).collect()
    };
    let (up, down) = (step(2), step(4));
    assert_eq!((up[0], down[0]), (8.0, 8.0), "{ramp}");
    assert!(up[2] > 0.9 * up[1] && down[2] < 0.1 * down[1], "{ramp}");
    assert!(roxmltree::Document::parse(&read("hysteresis.svg")).is_ok());
}
