//! gRPC, Polly and AWS: choices, methods, throttles, other libraries' sections.

use super::*;
use stormglass::policy::budget::Budget;

const METHOD: &str = r#"{ "name": [{ "service": "s.A", "method": "Get" }, { "service": "s.A",
"method": "List" }], "timeout": "2s",
  "retryPolicy": { "maxAttempts": 3, "initialBackoff": "0.1s", "maxBackoff": "1s",
  "backoffMultiplier": 2,
  "retryableStatusCodes": ["UNAVAILABLE"] } }"#;

#[test]
fn each_choice_of_a_service_config_is_read_for_whom_it_is() {
    let choice = |who: &str, tries: u32| {
        let method = METHOD.replace("\"maxAttempts\": 3", &format!("\"maxAttempts\": {tries}"));
        format!(r#"{{ {who} "serviceConfig": {{ "methodConfig": [{method}] }} }}"#)
    };
    let list = format!(
        "[{}, {}]",
        choice("\"clientLanguage\": [\"go\"], \"percentage\": 20,", 2),
        choice("", 4)
    );
    for text in [list.clone(), format!("grpc_config={list}")] {
        let import = ok(&text);
        assert_eq!(names(&import), ["s-A-Get", "s-A-Get-2"]);
        assert_eq!([attempts(&import, "s-A-Get"), attempts(&import, "s-A-Get-2")], [2, 4]);
        let said = imported(&import, "s-A-Get").caveats.join(" ");
        assert!(said.contains("[go]") && said.contains("20"), "{said}");
    }
}

#[test]
fn a_policy_says_all_methods_that_it_is_for_and_errors_stand_in_their_entry() {
    let text = format!("{{ \"methodConfig\": [{METHOD},\n{METHOD}] }}");
    let import = ok(&text);
    assert!(imported(&import, "s-A-Get").caveats.join(" ").contains("s.A/Get, s.A/List"));
    let broken = text.replacen("\"maxAttempts\": 3, ", "", 2);
    let problems = read(&broken).expect_err("gRPC refuses it");
    assert!(problems.lines().any(|line| line.starts_with("3:18: ")), "{problems}");
    assert!(problems.lines().any(|line| line.starts_with("8:18: ")), "{problems}");
}

#[test]
fn the_throttle_holds_for_hedges_too() {
    let text = r#"{ "retryThrottling": { "maxTokens": 20, "tokenRatio": 0.5 }, "methodConfig":
    [{ "name": [{}],
      "hedgingPolicy": { "maxAttempts": 4, "hedgingDelay": "1s" } }] }"#;
    let import = ok(text);
    let hedge = policy(&import, "default").hedge.expect("it hedges");
    assert!(
        matches!(hedge.budget, Some(Budget::Throttle(throttle)) if throttle.max_tokens == 20.0)
    );
    assert!(printed(&import).contains("max_tokens"));
}

#[test]
fn a_section_is_of_polly_by_its_keys_and_not_by_its_name() {
    let foreign = r#""Sdk": { "Retry": { "MaxRetries": 5, "Delay": "00:00:01", "Mode": "Fixed"
    }, "Endpoint": { "Url": "x" } }"#;
    let own = r#""Api": { "BaseUrl": "x", "Retry": { "MaxRetryAttempts": 1 } }"#;
    let import = ok(&format!("{{ {foreign}, {own} }}"));
    assert_eq!(names(&import), ["Api"]);
    assert!(
        why_not(&import, "Sdk.Retry.MaxRetries")
            .is_some_and(|why| why.contains("another library's"))
    );
    assert!(read(&format!("{{ {foreign} }}")).expect_err("none").contains("no configuration"));
}

#[test]
fn what_the_library_does_not_start_with_is_told() {
    let of = |inside: &str| {
        let import = ok(&format!(r#"{{ "Api": {{ {inside} }} }}"#));
        imported(&import, "Api").caveats.join(" ")
    };
    let attempt = r#""AttemptTimeout": { "Timeout": "00:00:16" }, "TotalRequestTimeout": {
    "Timeout": "00:01:00" }"#;
    assert!(of(attempt).contains("DOES NOT START") && of(attempt).contains("SamplingDuration"));
    let sampled = format!(r#"{attempt}, "CircuitBreaker": {{ "SamplingDuration": "00:00:32" }}"#);
    assert!(!of(&sampled).contains("DOES NOT START"));
    assert!(of(r#""TotalRequestTimeout": { "Timeout": "00:00:05" }"#).contains("DOES NOT START"));
    let hedging = r#""Hedging": { "MaxHedgedAttempts": 1 }, "Endpoint": { "Timeout": {
    "Timeout": "00:00:16" } }"#;
    assert!(of(hedging).contains("SamplingDuration"));
}
