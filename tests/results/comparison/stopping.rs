//! Seeds are added at checkpoints only, the same ones whoever runs them; the front is what it says.

use stormglass::experiment::compare::{compare, next_seeds};
use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::plan::seeds::Seeds;
use stormglass::report::comparison::front;
use stormglass::report::comparison::precision_text;

use crate::common;
use crate::common::run_all;
use crate::comparison::single_server;

fn light(declared: &str) -> Campaign {
    let experiment = format!(
        "name = \"light\"\nmodel = \"inline\"\narrivals = \"2s\"\ndrain = \"1s\"\n{declared}"
    );
    let model = r#"
[clients.users]
arrivals = { poisson = "50/s" }
flow = [{ call = "server.serve", policy = "client" }]
[service.server]
workers = 1
[service.server.on.serve]
steps = [{ work = "exp 10ms" }, { reply = "ok" }]
[policy.client]
timeout = "10s"
"#;
    common::campaign(&experiment, model)
}

#[test]
fn a_campaign_goes_on_to_the_next_checkpoint_and_keeps_what_it_has() {
    let mut campaign =
        light("[compare]\nprimary = [\"latency_mean_ms\"]\nprecision = { amounts = \"1%\" }\n");
    let results = run_all(&campaign);
    assert_eq!(results.len(), 30);
    assert_eq!(next_seeds(&campaign, &results), Some(60));
    let missed = compare(&campaign, &results).precision.expect("one is declared").missed;
    assert_eq!(missed[0].metric, "latency_mean_ms");
    let known = campaign.grow(60, results);
    assert_eq!(known.iter().filter(|run| run.is_some()).count(), 30);
    let numbered = known.into_iter().enumerate();
    let grown: Vec<_> =
        numbered.map(|(number, run)| run.unwrap_or_else(|| campaign.run(number))).collect();
    let mut whole = campaign.clone();
    whole.set_seeds(&Seeds(1..61)).unwrap();
    assert_eq!(grown, run_all(&whole), "no seed is run twice, left out or out of place");
    assert_eq!(next_seeds(&whole, &grown), None, "given seeds stay as they are");
    let text = precision_text(&whole, &compare(&whole, &grown));
    assert!(text.starts_with("precision not reached with 60 seeds"), "{text}");
}

#[test]
fn what_is_precise_stops_at_the_first_checkpoint() {
    let campaign =
        light("[compare]\nprimary = [\"success_ratio\", \"amplification\"]\nprecision = {}\n");
    let results = run_all(&campaign);
    assert_eq!(next_seeds(&campaign, &results), None);
    let text = precision_text(&campaign, &compare(&campaign, &results));
    assert_eq!(text, "precision reached with 30 seeds\n");
    assert_eq!(precision_text(&light(""), &compare(&light(""), &results)), "");
}

#[test]
fn the_front_has_every_arm_that_no_other_clearly_beats() {
    let campaign = single_server("[compare]\npareto = [\"amplification\", \"success_ratio\"]");
    let compared = compare(&campaign, &run_all(&campaign));
    let most = &compared.front[3..];
    let [at_once, no_retry, same] = [0, 1, 2].map(|arm| &most[arm]);
    assert_eq!(no_retry.dominated_by, None, "nothing asks less often");
    assert_eq!(no_retry.ranks[0], Some(1));
    assert_eq!(at_once.ranks, same.ranks);
    assert_eq!(at_once.dominated_by, same.dominated_by, "equal arms do not beat each other");
    let table = front::table(&campaign, &compared).expect("a front is declared");
    assert!(table.text(80, false).contains("on the front"));
}
