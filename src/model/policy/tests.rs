//! Policies are read as they were written, and presets are changed in single numbers.

use super::text_of;
use crate::kernel::time::Span;
use crate::model::document::{Sources, Value};
use crate::model::presets;
use crate::model::problem::Problem;
use crate::policy::{Policy, Scope};

fn named(toml: &str) -> Result<super::Named, Problem> {
    let mut sources = Sources::default();
    let source = sources.add("policy.toml", toml);
    super::read(&Value::parse(&sources, source).expect(toml))
}

fn read(toml: &str) -> Result<Policy, Problem> {
    named(toml).map(|named| named.policy)
}

#[test]
fn every_preset_is_the_same_after_being_written_and_read() {
    for preset in presets::all() {
        let name = format!("{}@{}", preset.name, preset.version);
        let toml = toml::to_string(&text_of(&preset.policy)).expect("it can be written");
        assert_eq!(read(&toml), Ok(preset.policy), "{name}:\n{toml}");
        let by_name = format!("preset = \"{name}\"");
        assert_eq!(read(&by_name), Ok(preset.policy), "{name} by its name");
    }
}

/// Each key of each part of a preset, written with the value that it has, changes nothing: so it is
/// the number of the preset that a key reaches, and no other number goes back to a default.
#[test]
fn every_number_of_a_preset_is_reached_alone() {
    for preset in presets::all() {
        let name = format!("{}@{}", preset.name, preset.version);
        let written = serde_json::to_value(text_of(&preset.policy)).expect("it can be written");
        for (part, keys) in written.as_object().expect("a table") {
            // To name a kind or a growth is to start anew.
            let numbers = keys.as_object().into_iter().flatten();
            let numbers = numbers.filter(|(key, _)| !["backoff", "kind"].contains(&key.as_str()));
            for (key, value) in numbers {
                let alone = serde_json::json!({ "preset": name, part: { key: value } });
                let text = toml::to_string(&alone).expect("it can be written");
                assert_eq!(read(&text), Ok(preset.policy), "{name}: {part}.{key} = {value}");
            }
        }
    }
}

#[test]
fn one_number_of_a_preset_changes_and_the_others_stay() {
    type Change = fn(&mut Policy);
    let cases: [(&str, &str, Change); 6] = [
        ("aws-standard@2.1", "retry = { attempts = 5 }", |policy| {
            policy.retry.as_mut().expect("it retries").attempts = 5;
        }),
        ("aws-standard@2.1", "retry = { budget = { capacity = 100 } }", |policy| {
            use crate::policy::budget::Budget;
            if let Some(Budget::Quota(quota)) = &mut policy.budget {
                quota.capacity = 100;
            }
        }),
        ("aws-standard@2.1", "retry = { backoff = { cap = \"7s\" } }", |policy| {
            use crate::policy::backoff::Cap;
            let retry = policy.retry.as_mut().expect("it retries");
            retry.backoff.cap = Cap::BeforeJitter(Span::from_secs(7));
        }),
        ("polly-http@8", "breaker = { minimum = 7 }", |policy| {
            use crate::policy::breaker::Trip;
            let breaker = policy.breaker.as_mut().expect("it breaks");
            if let Trip::Ratio { minimum, .. } = &mut breaker.trip {
                *minimum = 7;
            }
        }),
        ("grpc-hedging@grpc-js", "hedge = { extra = 2 }", |policy| {
            policy.hedge.as_mut().expect("it hedges").extra = 2;
        }),
        ("envoy-admission-control@v3", "throttling = { max_rejection = \"50%\" }", |policy| {
            policy.throttling.as_mut().expect("it throttles").max_rejection = 0.5;
        }),
    ];
    for (preset, change, expected) in cases {
        let found = presets::named(preset).expect("the preset exists").policy;
        let mut changed = found;
        expected(&mut changed);
        assert_ne!(changed, found, "{preset}: {change} is a change");
        let text = format!("preset = \"{preset}\"\n{change}");
        assert_eq!(read(&text), Ok(changed), "{preset}: {change}");
    }
}

#[test]
fn a_part_of_a_preset_can_be_left_out() {
    let policy = read("preset = \"aws-standard@2.1\"\nwithout = [\"budget\"]");
    let policy = policy.expect("it has a budget");
    assert!(policy.budget.is_none() && policy.retry.is_some());
    let policy = read("preset = \"aws-standard@2.1\"\nwithout = [\"hedge\"]");
    assert!(policy.is_err(), "it has no hedging");
}

#[test]
fn a_scope_is_that_of_the_preset_unless_it_is_written() {
    let scopes = [
        ("timeout = \"1s\"", Scope::ProcessAndTarget),
        ("preset = \"google-sre-retry@2016\"", Scope::Process),
        ("preset = \"istio@default\"", Scope::ProcessAndTarget),
        ("preset = \"google-sre-retry@2016\"\nscope = \"shared\"", Scope::Shared),
        ("scope = \"request\"", Scope::Request),
    ];
    for (toml, expected) in scopes {
        assert_eq!(named(toml).map(|named| named.scope), Ok(expected), "{toml}");
    }
}
