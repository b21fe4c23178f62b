//! What spent the budget, in random models: parts add up, whatever the model and its faults are,
//! and a run without a cause is the run of an experiment that does not have it.

use serde_json::{Map, Value, json};
use stormglass::experiment::judge::attribution::harm::Harm;
use stormglass::experiment::run::result::RunResult;
use stormglass::model::show::MODEL_SCHEMA;

use crate::random_models::generate::{Generator, compile};
use crate::random_models::{Seen, Subject, subject};

/// How many models are tried.
const MODELS: u64 = 64;

/// The first run of a subject with other faults.
fn run(subject: &Subject, faults: Map<String, Value>) -> RunResult {
    let (model, mut promises) = (subject.model.clone(), subject.promises.clone());
    // It is judged beside a twin of its own, and not attributed.
    promises.remove("contained");
    let other = Subject { model, faults, promises, within: subject.within };
    let campaign = other.campaign(&other.promises);
    campaign.unwrap_or_else(|problems| panic!("{problems:?}")).run(0)
}

/// The faults of a subject with an objective and attribution beside them.
fn attributed(subject: &Subject) -> Map<String, Value> {
    let program = compile(&subject.model).expect("it was accepted before");
    let entry = program.edges.iter().find(|edge| edge.is_entry).expect("somebody asks");
    let operation = program.operations.iter().find(|own| own.node == entry.target);
    let mut faults = subject.faults.clone();
    faults.insert("attribution".to_owned(), json!({ "shapley": true }));
    if let Some(operation) = operation {
        let (good, window) = ("answer ok", "1d");
        let slo = json!({ "of": operation.name, "good": good, "target": "99%", "window": window });
        faults.insert("slo".to_owned(), json!({ "asked": slo }));
    }
    faults
}

/// What went wrong in a run, by what is counted; an objective's bad events come first.
fn counts(run: &RunResult, is_objective: bool) -> Vec<u64> {
    let bad = run.metrics.answers.iter().filter(|_| is_objective).map(|progress| progress.failed);
    bad.chain(run.invariants.iter().map(|verdict| verdict.violations)).collect()
}

fn column(harms: &[Harm], value: impl Fn(&Harm) -> u64) -> Vec<u64> {
    harms.iter().map(value).collect()
}

#[test]
fn parts_and_interactions_add_up_and_a_twin_is_an_experiment_without_the_cause() {
    let schema = serde_json::from_str(MODEL_SCHEMA).expect("a schema is JSON");
    let mut generator = Generator::new(&schema, 0);
    let mut seen = Seen::default();
    let (mut shares, mut singles, mut together) = (0, 0, 0);
    for seed in 0..MODELS {
        let subject = subject(seed, &mut generator, &mut seen);
        if subject.faults.is_empty() {
            continue;
        }
        let faults = attributed(&subject);
        let is_objective = faults.contains_key("slo");
        if !is_objective && subject.promises.is_empty() {
            continue;
        }
        let whole = run(&subject, faults.clone());
        let Some(attribution) = &whole.attribution else { continue };
        let harms = &attribution.harms;
        assert_eq!(column(harms, |harm| harm.all), counts(&whole, is_objective), "model {seed}");
        let without_faults =
            Map::from_iter(faults.get_key_value("slo").map(|(k, v)| (k.clone(), v.clone())));
        let calm = run(&subject, without_faults);
        assert_eq!(column(harms, |harm| harm.none), counts(&calm, is_objective), "model {seed}");
        // The last listed fault, and each drawn one, can be left out without a change of numbers.
        let listed = faults["faults"].as_array().map_or(0, Vec::len);
        for (index, drawn) in whole.drawn.iter().enumerate() {
            let mut fewer = faults.clone();
            fewer.remove("attribution");
            fewer["random_faults"]["without"] = json!([drawn.name]);
            let twin = counts(&run(&subject, fewer), is_objective);
            let place = listed + index;
            assert_eq!(column(harms, |harm| harm.without[place]), twin, "{seed} {}", drawn.name);
            shares += 1;
        }
        for harm in harms {
            let causes = harm.without.len();
            let parts: i64 = (0..causes).map(|cause| harm.part(cause)).sum();
            assert_eq!(parts + harm.interactions(), harm.whole(), "model {seed}");
            assert_eq!(harm.none as i64 + harm.whole(), harm.all as i64);
            if let Some(values) = &harm.shapley {
                let factorial: i64 = (1..=causes as i64).product();
                assert_eq!(values.iter().sum::<i64>(), factorial * harm.whole(), "model {seed}");
            }
            if causes == 1 {
                assert_eq!((harm.part(0), harm.interactions()), (harm.whole(), 0));
                singles += 1;
            }
            together += u64::from(harm.interactions() != 0);
        }
    }
    assert!(shares > MODELS && singles > 0 && together > 0, "{shares} {singles} {together}");
}
