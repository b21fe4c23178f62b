//! The same configuration, written otherwise, is the same policy.

use super::*;
use stormglass::model::document::{Data, Value};

const FILES: [(&str, &str); 7] = [
    (
        "envoy_route_cluster.yaml",
        include_str!("../../data/policy-configs/envoy_route_cluster.yaml"),
    ),
    ("gateway_api.yaml", include_str!("../../data/policy-configs/gateway_api.yaml")),
    (
        "grpc_service_config.json",
        include_str!("../../data/policy-configs/grpc_service_config.json"),
    ),
    ("istio.yaml", include_str!("../../data/policy-configs/istio.yaml")),
    ("linkerd.yaml", include_str!("../../data/policy-configs/linkerd.yaml")),
    ("polly_appsettings.json", include_str!("../../data/policy-configs/polly_appsettings.json")),
    (
        "resilience4j_application.yml",
        include_str!("../../data/policy-configs/resilience4j_application.yml"),
    ),
];

/// The policies of a text in the order of their names.
fn policies(text: &str) -> Vec<(String, Policy)> {
    let import = ok(text);
    let mut policies: Vec<_> =
        import.policies.into_iter().map(|each| (each.name, each.policy)).collect();
    policies.sort_by(|one, other| one.0.cmp(&other.0));
    policies
}

fn documents(text: &str) -> Vec<Value> {
    let mut sources = Sources::default();
    let source = sources.add("config", text);
    let documents = import::documents(&sources, source).expect(text);
    documents.into_iter().map(|(_, value)| value).collect()
}

/// A value as JSON, its keys as `key` has them, the last one first if wanted.
fn json(value: &Value, is_reversed: bool, key: &dyn Fn(&str) -> String) -> serde_json::Value {
    match &value.data {
        Data::Table(fields) => {
            let field = |(name, field): (&String, &stormglass::model::document::Field)| {
                (key(name), json(&field.value, is_reversed, key))
            };
            match is_reversed {
                true => fields.iter().rev().map(field).collect(),
                false => fields.iter().map(field).collect(),
            }
        }
        Data::List(values) => values.iter().map(|value| json(value, is_reversed, key)).collect(),
        Data::Text(text) => text.clone().into(),
        Data::Integer(integer) => (*integer).into(),
        Data::Float(number) => (*number).into(),
        Data::Boolean(flag) => (*flag).into(),
    }
}

/// Documents as one text of YAML, which JSON is.
fn yaml(documents: &[serde_json::Value]) -> String {
    documents.iter().map(|document| format!("---\n{document:#}\n")).collect()
}

fn plain(key: &str) -> String {
    key.to_owned()
}

#[test]
fn order_of_keys_and_of_documents_json_and_lists_change_nothing() {
    for (name, text) in FILES {
        let expected = policies(text);
        let documents = documents(text);
        for is_reversed in [false, true] {
            let mut values: Vec<_> =
                documents.iter().map(|value| json(value, is_reversed, &plain)).collect();
            assert_eq!(policies(&yaml(&values)), expected, "{name}, reversed: {is_reversed}");
            if let [only] = values.as_slice() {
                assert_eq!(policies(&format!("{only:#}")), expected, "{name} as JSON");
                continue;
            }
            values.reverse();
            assert_eq!(policies(&yaml(&values)), expected, "{name}, documents reversed");
            let list = serde_json::json!({ "apiVersion": "v1", "kind": "List", "items": values });
            assert_eq!(policies(&format!("{list:#}")), expected, "{name} as a list");
        }
    }
}

#[test]
fn spellings_that_a_format_takes_are_one() {
    let camel = |key: &str| -> String {
        let mut words = key.split('_');
        let first = words.next().unwrap_or_default().to_owned();
        words.fold(first, |all, word| {
            let mut letters = word.chars();
            let first = letters.next().map(|c| c.to_ascii_uppercase());
            all + &first.into_iter().chain(letters).collect::<String>()
        })
    };
    let dashed = |key: &str| -> String {
        key.chars()
            .flat_map(|c| match c.is_ascii_uppercase() {
                true => vec!['-', c.to_ascii_lowercase()],
                false => vec![c],
            })
            .collect()
    };
    let lower = |key: &str| key.to_ascii_lowercase();
    type Spelling<'a> = &'a dyn Fn(&str) -> String;
    let cases: [(usize, Spelling<'_>); 3] = [(0, &camel), (6, &dashed), (5, &lower)];
    for (file, spelling) in cases {
        let (name, text) = FILES[file];
        let values: Vec<_> =
            documents(text).iter().map(|value| json(value, false, spelling)).collect();
        let lowered = |name: &str| name.to_ascii_lowercase();
        let found =
            policies(&yaml(&values)).into_iter().map(|(name, policy)| (lowered(&name), policy));
        let expected = policies(text).into_iter().map(|(name, policy)| (lowered(&name), policy));
        assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{name}");
    }
}

/// Every default that the notes of a policy tell, written out, gives the same policy.
#[test]
fn explicit_defaults_change_nothing() {
    for (without, with) in [
        (
            "route: { cluster: a, retry_policy: { retry_on: 5xx } }",
            "route: { cluster: a, timeout: 15s, hedge_policy: { hedge_on_per_try_timeout: false \
            }, retry_policy: { retry_on: 5xx, num_retries: 1, \
          per_try_timeout: 15s, retry_back_off: { base_interval: 0.025s, max_interval: 0.25s } } }",
        ),
        (
            "cluster: { name: a, outlier_detection: {} }",
            "cluster: { name: a, circuit_breakers: { thresholds: [{ priority: DEFAULT, \
            max_connections: 1024, max_pending_requests: 1024, \
          max_requests: 1024, max_retries: 3 }] }, outlier_detection: { consecutive_5xx: 5, \
          interval: 10s, base_ejection_time: 30s, \
          max_ejection_percent: 10, max_ejection_time: 300s, enforcing_success_rate: 100 }, \
          common_lb_config: { healthy_panic_threshold: \
          { value: 50 } } }",
        ),
        (
            "resilience4j: { retry: { instances: { a: {} } }, circuitbreaker: { instances: { a: \
            {} } }, timelimiter: { instances: { a: {} } } }",
            "resilience4j: { retry: { instances: { a: { maxAttempts: 3, waitDuration: 500ms, \
            enableExponentialBackoff: false } } }, \
          circuitbreaker: { instances: { a: { slidingWindowSize: 100, slidingWindowType: \
          COUNT_BASED, minimumNumberOfCalls: 100, \
          failureRateThreshold: 50, waitDurationInOpenState: 60s, \
          permittedNumberOfCallsInHalfOpenState: 10 } } }, timelimiter: { \
          instances: { a: { timeoutDuration: 1s } } } }",
        ),
        (
            r#"{ "a": { "Retry": { "MaxRetryAttempts": 3 } } }"#,
            r#"{ "a": { "Retry": { "MaxRetryAttempts": 3, "Delay": "00:00:02", "UseJitter": true,
            "BackoffType": "Exponential" },
             "AttemptTimeout": { "Timeout": "00:00:10" },
             "TotalRequestTimeout": { "Timeout": "00:00:30" },
             "CircuitBreaker": { "FailureRatio": 0.1, "MinimumThroughput": 100,
             "SamplingDuration": "00:00:30" } } }"#,
        ),
    ] {
        assert_eq!(policies(without), policies(with), "{with}");
    }
}

#[test]
fn anchors_and_merge_keys_are_what_they_stand_for() {
    let (_, text) = FILES[6];
    let values: Vec<_> = documents(text).iter().map(|value| json(value, false, &plain)).collect();
    let shared = "resilience4j:\n  retry:\n    configs:\n      base: &base { maxAttempts: 4, \
    waitDuration: 10ms }\n    instances:\n      \
                  a: { <<: *base, maxAttempts: 6 }\n      b: *base\n";
    let written = "resilience4j: { retry: { configs: { base: { maxAttempts: 4, waitDuration: \
    10ms } }, instances: { a: { maxAttempts: 6, \
                   waitDuration: 10ms }, b: { maxAttempts: 4, waitDuration: 10ms } } } }";
    assert_eq!(policies(shared), policies(written));
    assert_eq!(policies(&yaml(&values)), policies(text));
}
