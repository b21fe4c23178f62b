//! Imports of real configurations: every field is accounted for, what is printed is what was read,
//! and what cannot be read is refused with a place.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use stormglass::import::{self, Fate, Format, Import, leaves};
use stormglass::kernel::time::Span;
use stormglass::model::document::{Data, Sources, Value};
use stormglass::model::policy;
use stormglass::policy::Policy;

/// The samples: each is a file as people write it, with numbers of its own.
const SAMPLES: [(&str, Format); 8] = [
    ("aws_config.ini", Format::Aws),
    ("envoy_route_cluster.yaml", Format::Envoy),
    ("gateway_api.yaml", Format::GatewayApi),
    ("grpc_service_config.json", Format::Grpc),
    ("istio.yaml", Format::Istio),
    ("linkerd.yaml", Format::Linkerd),
    ("polly_appsettings.json", Format::Polly),
    ("resilience4j_application.yml", Format::Resilience4j),
];

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/policy-configs").join(name)
}

fn text_of(name: &str) -> String {
    std::fs::read_to_string(sample(name)).expect(name)
}

fn read(text: &str) -> Result<Import, String> {
    let mut sources = Sources::default();
    let source = sources.add("config", text);
    import::read(&sources, source, None)
        .map_err(|problems| problems.iter().map(|problem| format!("{problem}\n")).collect())
}

fn imported(name: &str) -> Import {
    read(&text_of(name)).unwrap_or_else(|problems| panic!("{name}: {problems}"))
}

/// The policies that a printed text means.
fn printed(text: &str) -> Vec<(String, Policy)> {
    let mut sources = Sources::default();
    let source = sources.add("printed.toml", text);
    let value = Value::parse(&sources, source).unwrap_or_else(|problems| panic!("{problems:?}"));
    let Data::Table(policies) = &value.find(&["policy".to_owned()]).expect("policies").data else {
        panic!("a table of policies");
    };
    let read = |value: &Value| -> Policy {
        policy::read(value).unwrap_or_else(|problem| panic!("{problem}")).policy
    };
    policies.iter().map(|(name, field)| (name.clone(), read(&field.value))).collect()
}

#[test]
fn every_sample_is_recognised_and_its_print_means_what_was_read() {
    for (name, format) in SAMPLES {
        let import = imported(name);
        assert_eq!(import.formats, [format], "{name}");
        for width in [80, 100] {
            let text = import::toml(&import, name, width).expect(name);
            let expected: Vec<_> =
                import.policies.iter().map(|each| (each.name.clone(), each.policy)).collect();
            assert_eq!(printed(&text), expected, "{name}\n{text}");
        }
    }
}

#[test]
fn the_samples_print_as_checked_by_hand() {
    for (name, _) in SAMPLES {
        let text = import::toml(&imported(name), name, 80).expect(name);
        insta::assert_snapshot!(name, text);
    }
}

/// No leaf of a document is without a note, and none is noted that is not there.
#[test]
fn every_field_of_every_sample_is_accounted_for() {
    for (name, _) in SAMPLES {
        let import = imported(name);
        let all: Vec<_> =
            import.policies.iter().flat_map(|policy| &policy.notes).chain(&import.rest).collect();
        let mut fields = 0;
        each_leaf(name, &mut |field| {
            fields += 1;
            let told = all.iter().any(|note| {
                let rest = field.strip_prefix(note.field.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
                    && !matches!(note.fate, Fate::Defaulted(_))
            });
            assert!(told, "{name}: nothing is said of `{field}`");
        });
        assert!(fields > 3, "{name}: the document was not read");
        let told = all.iter().filter(|note| matches!(note.fate, Fate::Given(_))).count();
        assert!(told >= 2, "{name}: only {told} fields were used");
    }
}

/// The leaves of a sample, read here by another path than the importer's for JSON and INI, and by
/// the same parser for YAML.
fn each_leaf(name: &str, each: &mut impl FnMut(&str)) {
    let mut sources = Sources::default();
    let source = sources.add(name, &text_of(name));
    for (path, value) in import::documents(&sources, source).expect(name) {
        leaves(&path, &value, &mut |field, _| each(field));
    }
}

fn stormglass(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stormglass"))
        .args(arguments)
        .env_clear()
        .output()
        .expect("the command starts")
}

#[test]
fn the_command_prints_toml_or_json_and_exits_with_0() {
    for (name, _) in SAMPLES {
        let path = sample(name).display().to_string();
        let ran = stormglass(&["import", &path]);
        assert_eq!(ran.status.code(), Some(0), "{name}");
        printed(&String::from_utf8(ran.stdout).expect("UTF-8"));
        let ran = stormglass(&["import", &path, "--json"]);
        let json: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("JSON");
        assert!(json["policies"][0]["fields"][0]["fate"].is_string(), "{name}");
    }
}

/// A sample in which one text is replaced by another.
fn changed(name: &str, old: &str, new: &str) -> Result<Import, String> {
    let text = text_of(name);
    assert!(text.contains(old), "{name}: `{old}`");
    read(&text.replacen(old, new, 1))
}

#[test]
fn an_unknown_field_that_decides_is_refused_with_the_nearest_name() {
    let cases = [
        ("envoy_route_cluster.yaml", "num_retries", "num_retry", "num_retries"),
        ("envoy_route_cluster.yaml", "retry_policy:", "retry_polic:", "retry_policy"),
        ("envoy_route_cluster.yaml", "consecutive_5xx", "consecutive_5x", "consecutive_5xx"),
        ("envoy_route_cluster.yaml", "budget_percent", "budget_percents", "budget_percent"),
        ("istio.yaml", "perTryTimeout", "perTryTimeouts", "perTryTimeout"),
        ("istio.yaml", "http2MaxRequests", "http2MaxRequest", "http2MaxRequests"),
        ("istio.yaml", "baseEjectionTime", "baseEjectionTimes", "baseEjectionTime"),
        ("grpc_service_config.json", "maxBackoff", "maximumBackoff", "maxBackoff"),
        ("grpc_service_config.json", "hedgingDelay", "hedgeDelay", "hedgingDelay"),
        ("grpc_service_config.json", "tokenRatio", "tokensRatio", "tokenRatio"),
        ("resilience4j_application.yml", "waitDuration:", "waitDurations:", "waitDuration"),
        ("resilience4j_application.yml", "ratelimiter:", "ratelimit:", "ratelimiter"),
        ("polly_appsettings.json", "MaxRetryAttempts", "MaxRetryAttempt", "MaxRetryAttempts"),
        ("polly_appsettings.json", "AttemptTimeout", "AttemptTimeouts", "AttemptTimeout"),
        (
            "linkerd.yaml",
            "retry.linkerd.io/limit",
            "retry.linkerd.io/limits",
            "retry.linkerd.io/limit",
        ),
        ("linkerd.yaml", "minRetriesPerSecond", "minRetryPerSecond", "minRetriesPerSecond"),
        ("gateway_api.yaml", "numRetries", "numRetry", "numRetries"),
        ("gateway_api.yaml", "backendRequest:", "backendRequests:", "backendRequest"),
        ("gateway_api.yaml", "minRetryRate", "minRetriesRate", "minRetryRate"),
        ("aws_config.ini", "retry_mode =", "retry_modes =", "retry_mode"),
        ("aws_config.ini", "max_attempts =", "max_attempt =", "max_attempts"),
    ];
    for (name, old, new, nearest) in cases {
        let problems = changed(name, old, new).expect_err(new);
        assert!(problems.contains(&format!("did you mean `{nearest}`")), "{new}: {problems}");
    }
}

/// The values of other people's files, not of the samples.
#[test]
fn other_numbers_and_other_spellings_are_read() {
    let one = |text: &str| read(text).unwrap_or_else(|e| panic!("{text}\n{e}")).policies.remove(0);
    let envoy = one(r#"{"route": {"cluster": "a", "timeout": "0s", "retryPolicy":
        {"retryOn": "5xx", "numRetries": 7, "perTryTimeout": "0.2s"}}}"#);
    let retry = envoy.policy.retry.expect("retries");
    assert_eq!((retry.attempts, envoy.policy.deadline), (8, None));
    assert_eq!(envoy.policy.attempt_timeout.map(Span::millis), Some(200.0));
    let none = one("route: { cluster: a, retry_policy: { num_retries: 3 } }");
    assert!(none.policy.retry.is_none(), "without retry_on nothing is retried");
    let istio = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: a }\n\
                 spec: { http: [ { retries: { attempts: 0 } }, { route: [] } ] }";
    let both = read(istio).expect(istio).policies;
    assert!(both[0].policy.retry.is_none(), "attempts 0 is no retry");
    assert_eq!(both[1].policy.retry.map(|retry| retry.attempts), Some(3));
    assert_eq!([&both[0].name, &both[1].name], ["a", "a-2"]);
    let aws = one("export AWS_RETRY_MODE=legacy\nAWS_MAX_ATTEMPTS=2\n");
    assert_eq!(aws.policy.retry.map(|retry| retry.attempts), Some(2));
    assert!(aws.policy.budget.is_none(), "legacy has no quota");
    let grpc = one(r#"{"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 9,
        "initialBackoff": "1s", "maxBackoff": "3s", "backoffMultiplier": 1.5,
        "retryableStatusCodes": [14]}}]}"#);
    assert_eq!(grpc.policy.retry.map(|retry| retry.attempts), Some(5));
    assert!(grpc.policy.budget.is_none(), "without retryThrottling there is no throttle");
    let polly = one(r#"{"Retry": {"maxretryattempts": "2", "BackoffType": "Constant"}}"#);
    assert_eq!(polly.policy.retry.map(|retry| retry.attempts), Some(3));
    let spring =
        one("resilience4j.retry:\n  instances:\n    a: { max-attempts: 6, wait-duration: PT1.5S }");
    let retry = spring.policy.retry.expect("retries");
    assert_eq!(retry.attempts, 6);
    assert!(format!("{:?}", retry.backoff.growth).contains("1500000000"), "{:?}", retry.backoff);
    assert!(spring.policy.breaker.is_none() && spring.policy.bulkhead.is_none());
}

#[test]
fn bad_input_is_refused_and_nothing_panics() {
    let bomb: String = (1..12).fold("a0: &a0 [x, x]\n".to_owned(), |text, n| {
        let last = n - 1;
        text + &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{last}"); 9].join(", "))
    });
    let route = |inside: &str| format!("route: {{ cluster: a, retry_policy: {{ {inside} }} }}");
    let cases = [
        String::new(),
        "---\n---\n".to_owned(),
        "just words".to_owned(),
        "a: [1, 2".to_owned(),
        "\u{0}\u{1}".to_owned(),
        "{\"a\": ".to_owned(),
        "[profile a]\nno setting\n".to_owned(),
        "[".repeat(10 << 20),
        "{".repeat(10 << 20),
        "- ".repeat(100_000),
        bomb,
        "route: { timeout: 1s, timeout: 2s }".to_owned(),
        "route: 5".to_owned(),
        text_of("autoscaling.yaml"),
        route("num_retries: -1"),
        route("num_retries: many"),
        route("num_retries: [1]"),
        route("per_try_timeout: -1s, retry_on: 5xx"),
        route("per_try_timeout: 1, retry_on: 5xx"),
        route("retry_on: 6xx"),
        route("retry_on: 5xx, retry_back_off: { base_interval: 0s }"),
        route("retry_on: 5xx, retriable_status_codes: [x]"),
        "kind: ConfigMap\ndata: { a: \"{\\n\" }".to_owned(),
    ];
    for text in cases {
        let shown: String = text.chars().take(100).collect();
        let problems = read(&text).expect_err(&shown);
        assert!(!problems.is_empty() && problems.len() < 4_000, "{shown}: {problems}");
    }
}

/// Whatever is missing or mistyped in a real file, it is read or refused; what is read can be run.
#[test]
fn damaged_samples_are_read_or_refused() {
    for (name, _) in SAMPLES {
        let text = text_of(name);
        let mut damaged: Vec<String> = Vec::new();
        for (start, line) in lines(&text) {
            let (before, after) = (&text[..start], &text[start + line.len()..]);
            damaged.push(format!("{before}{after}"));
            damaged.push(before.to_owned());
            for (digit, new) in [("1", "-1"), ("0", "x"), ("2", "99999999999999999999"), (":", "")]
            {
                damaged.push(format!("{before}{}{after}", line.replace(digit, new)));
            }
        }
        for text in damaged {
            if let Ok(import) = read(&text) {
                let toml = import::toml(&import, name, 80).expect("it can be written");
                assert_eq!(printed(&toml).len(), import.policies.len());
            }
        }
    }
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        start += line.len();
        (start - line.len(), line)
    })
}

#[test]
fn errors_of_the_command_show_file_line_and_excerpt() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("it can be written");
        path.display().to_string()
    };
    let typo = text_of("istio.yaml").replace("perTryTimeout", "perTryTimeuot");
    let typo = write("typo.yaml", typo.as_bytes());
    let binary = write("binary.yaml", &[0xff, 0xfe, 0x00]);
    let directory = folder.path().display().to_string();
    let missing = folder.path().join("none").display().to_string();
    for (path, expected) in [
        (&typo, "typo.yaml:11:7"),
        (&binary, "not a text in UTF-8"),
        (&directory, "is a directory"),
        (&missing, "there is no such file"),
    ] {
        let ran = stormglass(&["import", path]);
        let error = String::from_utf8(ran.stderr).expect("UTF-8");
        assert_eq!(ran.status.code(), Some(2), "{error}");
        assert!(ran.stdout.is_empty() && error.starts_with("error: "), "{error}");
        assert!(error.contains(expected), "{error}");
    }
    let ran = stormglass(&["import", &typo, "--format", "istoi"]);
    assert_eq!(ran.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("did you mean `istio`?"));
}
