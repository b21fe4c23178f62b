//! Policies are read as they were written, and presets are changed in single numbers.

use super::*;
use crate::kernel::time::Span;
use crate::model::presets;

fn read(toml: &str) -> PolicyText {
    toml::from_str(toml).expect(toml)
}

#[test]
fn every_preset_is_the_same_after_being_written_and_read() {
    for preset in presets::all() {
        let name = format!("{}@{}", preset.name, preset.version);
        let text = text_of(&preset.policy);
        assert_eq!(compile(&text), Ok(preset.policy), "{name}");
        let json = serde_json::to_value(&text).expect("it can be written");
        let from_json: PolicyText = serde_json::from_value(json).expect("it can be read");
        assert_eq!(compile(&from_json), Ok(preset.policy), "{name} by JSON");
        let toml = toml::to_string(&text).expect("it can be written");
        assert_eq!(compile(&read(&toml)), Ok(preset.policy), "{name} by TOML:\n{toml}");
        let by_name = PolicyText { preset: Some(name.clone()), ..PolicyText::default() };
        assert_eq!(compile(&by_name), Ok(preset.policy), "{name} by its name");
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
                let text: PolicyText = serde_json::from_value(alone).expect("it can be read");
                assert_eq!(compile(&text), Ok(preset.policy), "{name}: {part}.{key} = {value}");
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
        ("envoy-admission-control@v3", "throttling = { most = \"50%\" }", |policy| {
            policy.throttling.as_mut().expect("it throttles").most = 0.5;
        }),
    ];
    for (preset, change, expected) in cases {
        let found = presets::named(preset).expect("the preset exists").policy;
        let mut changed = found;
        expected(&mut changed);
        assert_ne!(changed, found, "{preset}: {change} is a change");
        let text = read(&format!("preset = \"{preset}\"\n{change}"));
        assert_eq!(compile(&text), Ok(changed), "{preset}: {change}");
    }
}

#[test]
fn a_part_of_a_preset_can_be_left_out() {
    let text = read("preset = \"aws-standard@2.1\"\nwithout = [\"budget\"]");
    let policy = compile(&text).expect("it has a budget");
    assert!(policy.budget.is_none() && policy.retry.is_some());
    let text = read("preset = \"aws-standard@2.1\"\nwithout = [\"hedge\"]");
    assert!(compile(&text).is_err(), "it has no hedging");
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
        assert_eq!(scope(&read(toml)), expected, "{toml}");
    }
}
