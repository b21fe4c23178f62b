//! A preset that calls itself conformance-tested is the machine that is replayed.

use crate::vectors::{Case, parse};
use crate::{breakers, delays, opossum};
use stormglass::model::presets;
use stormglass::policy::OutcomeSet;
use stormglass::policy::breaker::Breaker;

/// Which preset is which oracle with which parameters.
const DELAYS: [(&str, &str, &str); 25] = [
    ("aws-legacy", "backoff-botocore_legacy", "{}"),
    ("aws-legacy-dynamodb", "backoff-botocore_legacy", r#"{"base": 0.05}"#),
    ("axios-retry", "backoff-axios-retry", "{}"),
    ("azure-core", "backoff-azure_core", "{}"),
    ("backoff", "backoff-backoff", "{}"),
    ("bullmq", "backoff-bullmq", r#"{"type": "exponential", "delay": 1000, "jitter": 0.5}"#),
    ("celery", "backoff-celery", "{}"),
    ("cockatiel", "backoff-cockatiel", "{}"),
    ("cockatiel-full-jitter", "backoff-cockatiel", r#"{"generator": "full"}"#),
    ("cockatiel-half-jitter", "backoff-cockatiel", r#"{"generator": "half"}"#),
    ("cockatiel-no-jitter", "backoff-cockatiel", r#"{"generator": "none"}"#),
    ("dramatiq", "backoff-dramatiq", "{}"),
    ("google-api-core", "backoff-google_api_core", "{}"),
    ("p-retry", "backoff-p-retry", "{}"),
    ("retry", "backoff-retry", "{}"),
    ("retry-randomize", "backoff-retry", r#"{"randomize": true}"#),
    ("stamina", "backoff-stamina", "{}"),
    ("stripe", "backoff-stripe", "{}"),
    ("tenacity", "backoff-tenacity", "{}"),
    ("tenacity-exponential", "backoff-tenacity", r#"{"strategy": "exponential"}"#),
    (
        "tenacity-random-exponential",
        "backoff-tenacity",
        r#"{"strategy": "random_exponential", "args": {"multiplier": 0.5, "max": 60}}"#,
    ),
    (
        "tenacity-exponential-jitter",
        "backoff-tenacity",
        r#"{"strategy": "exponential_jitter", "args": {"max": 30}}"#,
    ),
    ("tower", "tower-exponential-backoff", "{}"),
    ("urllib3", "backoff-urllib3", "{}"),
    (
        "urllib3-factor",
        "backoff-urllib3",
        r#"{"args": {"backoff_factor": 0.5, "backoff_jitter": 1.0, "backoff_max": 20}}"#,
    ),
];

/// What `read` makes of a case with these parameters.
fn with<T>(config: &str, read: impl FnOnce(&Case<'_>) -> Result<T, String>) -> T {
    let text = format!(
        r#"{{"oracle": "", "package": {{"version": "1"}}, "cases":
            [{{"name": "", "config": {config}, "steps": []}}]}}"#
    );
    let file = parse(&text).expect("it is a vector file");
    read(&Case { file: &file, case: &file.cases[0] }).expect("the parameters are known")
}

/// No cap is the same wherever it would be applied, and so is a cap without jitter.
fn shape(backoff: stormglass::policy::backoff::Backoff) -> Vec<stormglass::kernel::time::Span> {
    let mut memory = stormglass::policy::backoff::Memory::default();
    (1..=40)
        .map(|retry| {
            let draw =
                stormglass::kernel::draw::Draw(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(retry));
            backoff.delay(retry as u32, &mut memory, draw)
        })
        .collect()
}

#[test]
fn delays_of_presets_are_those_replayed() {
    for (name, oracle, config) in DELAYS {
        let preset = presets::find(name, None).unwrap_or_else(|| panic!("no preset {name}"));
        let own = preset.policy.retry.expect("it retries").backoff;
        let replayed = with(config, |case| delays::series(oracle, &case.config()));
        assert_eq!(shape(own), shape(replayed), "{name}");
    }
}

#[test]
fn breakers_of_presets_are_those_replayed() {
    let consecutive = r#"{"kind": "consecutive", "threshold": 5, "halfOpenAfter_ms": 10000}"#;
    let count = r#"{"kind": "count", "threshold": 0.5, "halfOpenAfter_ms": 10000}"#;
    let sampling = r#"{"kind": "sampling", "threshold": 0.2, "duration": 30000,
        "halfOpenAfter_ms": 10000}"#;
    let either = r#"{"policy": "default_or", "backoff_s": 10}"#;
    let replayed = [
        ("pybreaker", with("{}", |case| breakers::pybreaker_rule(&case.config()))),
        (
            "cockatiel-consecutive-breaker",
            with(consecutive, |case| breakers::cockatiel_rule(&case.config())),
        ),
        ("cockatiel-count-breaker", with(count, |case| breakers::cockatiel_rule(&case.config()))),
        (
            "cockatiel-sampling-breaker",
            with(sampling, |case| breakers::cockatiel_rule(&case.config())),
        ),
        ("failsafe-rs", with(either, |case| breakers::failsafe_rule(&case.config()))),
        ("opossum", with("{}", |case| opossum::circuit(&case.config())).breaker),
    ];
    for (name, replayed) in replayed {
        let preset = presets::find(name, None).unwrap_or_else(|| panic!("no preset {name}"));
        let own = preset.policy.breaker.expect("it breaks");
        // What counts as a failure is the recording's vocabulary; the failsafe recording has a
        // fixed open time, and one probe after the other is the same whether they are counted at
        // once.
        let plain = |breaker: Breaker| Breaker {
            failures: OutcomeSet::NONE,
            ignored: OutcomeSet::NONE,
            open_for: own.open_for,
            probes: own.probes,
            ..breaker
        };
        assert_eq!(plain(own), plain(replayed), "{name}");
        assert_eq!(own.probes.proof, replayed.probes.proof, "{name}");
        assert_eq!(own.probes.limit, replayed.probes.limit, "{name}");
    }
}

#[test]
fn every_conformance_tested_preset_is_compared_or_replayed() {
    // Replayed as presets (AWS standard), or machines whose numbers the caller chooses.
    let otherwise = [
        "aws-standard",
        "aws-standard-dynamodb",
        "aws-standard-js",
        "aws-standard-rust",
        "aws-adaptive",
        "aws-adaptive-js",
        "grpc",
        "grpc-hedging",
        "backon",
        "backon-jitter",
        "governor",
        "guava-rate-limiter",
        "guava-rate-limiter-warming-up",
        "x-time-rate",
        "pybreaker",
        "cockatiel-consecutive-breaker",
        "cockatiel-count-breaker",
        "cockatiel-sampling-breaker",
        "failsafe-rs",
        "opossum",
    ];
    for preset in presets::all().filter(|preset| preset.label == presets::Label::ConformanceTested)
    {
        let compared = DELAYS.iter().any(|(name, ..)| *name == preset.name);
        assert!(compared || otherwise.contains(&preset.name), "{}", preset.name);
    }
}
