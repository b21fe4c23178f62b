//! resilience4j as Spring reads it: keys with dots, properties, placeholders, profiles, ConfigMaps,
//! what is inherited, exceptions, the order of aspects.

use super::*;
use stormglass::policy::breaker::Initial;
use stormglass::policy::bulkhead::Around;
use stormglass::policy::retry::OnDenial;

#[test]
fn keys_with_dots_at_any_level_are_the_same_as_tables() {
    let nested =
        "resilience4j: { retry: { instances: { a: { maxAttempts: 7, waitDuration: 30ms } } } }";
    for text in [
        "resilience4j.retry.instances.a.maxAttempts: \
        7\nresilience4j.retry.instances.a.waitDuration: 30ms",
        "resilience4j.retry: { instances.a: { maxAttempts: 7 } }\nresilience4j: { \
        retry.instances: { a.wait-duration: 30ms } }",
        "resilience4j: { retry.instances.a: { max-attempts: 7, wait_duration: PT0.03S } }",
        "resilience4j: { retry: { instances: { '[a]': { maxAttempts: 7, waitDuration: 30 } } } }",
        "resilience4j: { retry: { backends: { a: { maxAttempts: 7, waitDuration: 30 } } } }",
    ] {
        assert_eq!(policy(&ok(text), "a"), policy(&ok(nested), "a"), "{text}");
    }
    let twice = "resilience4j.retry.instances.a.maxAttempts: 7\nresilience4j: { retry: { \
    instances: { a: { maxAttempts: 8 } } } }";
    assert!(read(twice).expect_err("twice").contains("written twice"));
}

#[test]
fn properties_are_read_as_yaml_is() {
    let text = "#\n! orders\nresilience4j.retry.instances.a.max-attempts = \
    7\nresilience4j.retry.instances.a.retry-exceptions[0]=java.io.IOException\n\
                resilience4j.retry.instances.a.retry-exceptions[1]=\\\n  \
                java.util.concurrent.TimeoutException\n\
                resilience4j.ratelimiter.limiters.a.limitForPeriod: 3\nserver.port=1\n";
    let import = ok(text);
    assert_eq!(attempts(&import, "a"), 7);
    assert!(retries(&import, "a", Outcome::TimedOut) && policy(&import, "a").rate_limit.is_some());
    let typo = text.replace("max-attempts = 7", "max-attempts = seven");
    let problem = read(&typo).expect_err("no number");
    assert!(problem.starts_with("3:47: "), "at the value: {problem}");
    let named = read_as("application.properties", "resilience4j.retry.instances.a.max-attempts: 7");
    assert_eq!(attempts(&named.expect("by its name"), "a"), 7);
}

#[test]
fn placeholders_have_their_defaults_or_what_the_file_says() {
    let of = |value: &str| {
        let text = format!(
            "my: {{ tries: 9 }}\nresilience4j: {{ retry: {{ instances: {{ a: {{ maxAttempts: \
            '{value}' }} }} }} }}"
        );
        read(&text)
    };
    let import = of("${TRIES:6}").expect("a default");
    assert_eq!(attempts(&import, "a"), 6);
    assert!(printed(&import).contains("the default of `${TRIES:6}`"));
    assert_eq!(attempts(&of("${A:${B:4}}").expect("a default"), "a"), 4);
    assert_eq!(attempts(&of("${my.tries:2}").expect("a setting"), "a"), 9);
    let problem = of("${TRIES}").expect_err("no value");
    assert!(
        problem.contains("the variable `TRIES` has no value") && problem.starts_with("2:"),
        "{problem}"
    );
    // Elsewhere in the file it is nobody's business.
    ok("db: { password: '${SECRET}' }\nresilience4j: { retry: { instances: { a: { maxAttempts: \
        2 } } } }");
}

#[test]
fn documents_count_together_and_those_of_a_profile_when_it_is_active() {
    let text = "resilience4j.retry: { configs: { default: { waitDuration: 10ms } }, instances: { \
    a: { maxAttempts: 2 }, b: {} } }\n---\n\
                resilience4j.retry: { instances: { a: { waitDuration: 20ms } } }\n---\n\
                spring: { config: { activate: { on-profile: 'prod | eu' } } \
                }\nresilience4j.retry: { instances: { a: { maxAttempts: 5 } } }\n---\n\
                spring.profiles: eu\nresilience4j.retry: { configs: { default: { maxAttempts: 8 \
                } } }\n";
    let import = ok(text);
    assert_eq!(names(&import), ["a", "b", "a-prod", "a-eu", "b-eu"]);
    assert_eq!(
        ["a", "b", "a-prod", "a-eu", "b-eu"].map(|name| attempts(&import, name)),
        [2, 3, 5, 5, 8]
    );
    assert!(printed(&import).contains("when the profile `prod` is active"));
    assert!(format!("{:?}", policy(&import, "a").retry).contains("20000000"), "the later document");
}

#[test]
fn files_in_a_config_map_are_read_at_their_places() {
    let inner =
        "    resilience4j:\n      retry:\n        instances:\n          a: { maxAttempts: 4 }\n";
    let map = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: orders }}\ndata:\n  other: x\n  \
        application.yml: |\n{inner}  \
         application-prod.properties: |\n    resilience4j.retry.instances.a.max-attempts=6\n"
    );
    let import = ok(&map);
    assert_eq!(names(&import), ["a", "a-prod"]);
    assert_eq!([attempts(&import, "a"), attempts(&import, "a-prod")], [4, 6]);
    let problem = read(&map.replace("maxAttempts: 4", "maxAttempts: four")).expect_err("no number");
    assert!(problem.starts_with("10:29: "), "{problem}");
    let parted = map.replace(
        "  application-prod",
        "    ---\n    resilience4j.retry.instances.b: 7\n  \
                                                    application-prod",
    );
    assert!(read(&parted).expect_err("no table").starts_with("12:37: "));
    let envoy = "kind: ConfigMap\napiVersion: v1\ndata:\n  envoy.yaml: |\n    \
    static_resources:\n      clusters:\n      - name: a\n        \
                 circuit_breakers: { thresholds: [{ max_requests: 5 }] }\n";
    assert_eq!(limit(&ok(envoy), "a"), Some(5));
    // Of two applications, each has its own.
    let two = map.replace("name: orders", "name: stock") + "---\n" + &map;
    assert_eq!(names(&ok(&two)), ["a-stock", "a-prod-stock", "a-orders", "a-prod-orders"]);
}

#[test]
fn configs_without_instances_are_what_code_gets_and_other_modules_are_passed_over() {
    let text = "resilience4j:\n  retry: { configs: { default: { maxAttempts: 9 } } }\n  \
    circuitbreaker: { instances: { a: { slidingWindowSize: 5 } } }\n\
                resilience4j.scheduled.executor: { corePoolSize: 1 \
                }\nresilience4j.micrometer.timer.configs.shared.metricNames: x\n";
    let import = ok(text);
    assert_eq!(names(&import), ["a", "default"]);
    assert_eq!([attempts(&import, "a"), attempts(&import, "default")], [1, 9]);
    assert!(imported(&import, "default").caveats.join(" ").contains("named in code only"));
    assert!(
        read(&text.replace("retry:", "retries:"))
            .expect_err("a typo")
            .contains("did you mean `retry`")
    );
    let unused =
        "resilience4j: { retry: { configs: { other: { maxAttempts: 9 } }, instances: { a: {} } } }";
    let why = "no instance of this file takes it; code may name one that does";
    assert_eq!(why_not(&ok(unused), "other.maxAttempts"), Some(why));
}

#[test]
fn a_breaker_begins_as_the_file_says() {
    let of = |state: &str| {
        format!(
            "resilience4j.circuitbreaker.instances.a: {{ initialState: {state}, \
             maxWaitDurationInHalfOpenState: 1s, transitionToStateAfterWaitDuration: OPEN, \
             ignoreClassBindingExceptions: true }}"
        )
    };
    let initial = |state: &str| {
        let import = ok(&of(state));
        assert_eq!(imported(&import, "a").caveats, [""; 0], "{state}");
        policy(&import, "a").breaker.map(|breaker| breaker.initial)
    };
    assert_eq!(initial("CLOSED"), Some(Initial::Closed));
    assert_eq!(initial("open"), Some(Initial::Open));
    assert_eq!(initial("HALF_OPEN"), Some(Initial::HalfOpen));
    assert_eq!(initial("FORCED_OPEN"), Some(Initial::ForcedOpen));
    assert_eq!(initial("METRICS_ONLY"), None, "it lets every call through");
    assert_eq!(initial("DISABLED"), None);
    assert!(read(&of("AJAR")).expect_err("no such state").contains("FORCED_OPEN"));
}

/// `BulkheadConfig` takes a limit of 0; those of thread pools and rate limiters refuse it.
#[test]
fn a_bulkhead_of_no_calls_lets_nobody_in_and_a_pool_of_no_threads_is_refused() {
    let text = "resilience4j.bulkhead.instances.a.maxConcurrentCalls: 0";
    let bulkhead = policy(&ok(text), "a").bulkhead.expect("a limit");
    assert_eq!((bulkhead.limit, bulkhead.queue), (0, 0));
    let pool = "resilience4j.thread-pool-bulkhead.instances.a.maxThreadPoolSize: 0";
    assert!(read(pool).expect_err("no thread").contains("at least 1 thread"));
    let rate = "resilience4j.ratelimiter.instances.a.limitForPeriod: 0";
    assert!(read(rate).expect_err("no permit").contains("at least 1 permit"));
}

#[test]
fn a_class_stands_for_its_subclasses_and_one_of_the_application_for_what_is_assumed() {
    let of = |list: &str| {
        ok(&format!("resilience4j.retry.instances.a: {{ retryExceptions: [{list}] }}"))
    };
    for class in [
        "java.io.IOException",
        "org.springframework.web.client.ResourceAccessException",
        "java.io.UncheckedIOException",
    ] {
        let import = of(class);
        assert!(
            retries(&import, "a", Outcome::TimedOut) && retries(&import, "a", Outcome::Reset),
            "{class}"
        );
        assert!(
            !retries(&import, "a", Outcome::Invalid) && !retries(&import, "a", Outcome::Failed),
            "{class}"
        );
    }
    assert!(!retries(&of("java.util.concurrent.TimeoutException"), "a", Outcome::Reset));
    let foreign = of("com.example.Oops");
    let rule = policy(&foreign, "a").retry.expect("it retries");
    assert_eq!(rule.on_denial, OnDenial::GiveUp, "a denial is none of these classes");
    assert!(
        rule.on.contains(Outcome::Failed)
            && !rule.on.contains(Outcome::Invalid)
            && !rule.on.contains(Outcome::Conflict)
    );
    assert!(imported(&foreign, "a").caveats.join(" ").contains("`Oops` is ASSUMED"));
    let mixed = of("com.example.Oops, java.net.ConnectException");
    assert!(retries(&mixed, "a", Outcome::NotConnected) && !retries(&mixed, "a", Outcome::Failed));
    assert!(imported(&mixed, "a").caveats.join(" ").contains("`Oops` is left out"));
    let ignoring =
        ok("resilience4j.retry.instances.a: { ignoreExceptions: [com.example.Business] }");
    assert!(retries(&ignoring, "a", Outcome::Failed), "nothing is taken away");
}

#[test]
fn the_order_of_aspects_is_that_of_the_file_or_is_told_of() {
    let text = |breaker: &str, retry: &str, time: &str| {
        ok(&format!(
            "resilience4j: {{ circuitbreaker: {{ {breaker} instances: {{ a: {{}} }} }}, retry: \
            {{ {retry} instances: {{ a: {{}} }} }}, \
             timelimiter: {{ {time} instances: {{ a: {{ timeoutDuration: 2s }} }} }} }}"
        ))
    };
    let told =
        |import: &Import| imported(import, "a").caveats.join(" ").contains("NOT AS IN THE FILE");
    let around = |import: &Import| policy(import, "a").breaker.expect("it breaks").around;
    let usual = text("", "", "");
    assert!(!told(&usual) && policy(&usual, "a").attempt_timeout.is_some());
    let outside = text("circuitBreakerAspectOrder: 1,", "retryAspectOrder: 2,", "");
    assert!(!told(&outside) && around(&outside) == Around::Call);
    assert!(printed(&outside).contains("around = \"call\""));
    assert_eq!(around(&usual), Around::Attempt);
    assert!(!told(&text("circuitBreakerAspectOrder: 2,", "retry-aspect-order: 1,", "")));
    let whole = text("", "retryAspectOrder: 5,", "timeLimiterAspectOrder: 1,");
    assert!(!told(&whole), "it is around all");
    let between = text("circuitBreakerAspectOrder: 1,", "", "timeLimiterAspectOrder: 2,");
    assert!(!told(&between), "a breaker, a time limit and a retry");
    assert!(around(&between) == Around::Call && policy(&between, "a").deadline.is_some());
    assert!(
        policy(&whole, "a").attempt_timeout.is_none() && policy(&whole, "a").deadline.is_some()
    );
}

#[test]
fn a_bulkhead_that_an_order_puts_around_the_retry_is_around_the_call() {
    let text = |breaker: u32, bulkhead: u32| {
        ok(&format!(
            "resilience4j: {{ circuitbreaker: {{ circuitBreakerAspectOrder: {breaker}, instances: \
             {{ a: {{}} }} }}, retry: {{ retryAspectOrder: 3, instances: {{ a: {{}} }} }}, \
             bulkhead: {{ bulkheadAspectOrder: {bulkhead}, instances: {{ a: {{}} }} }} }}"
        ))
    };
    let of = |import: &Import| policy(import, "a").bulkhead.expect("a limit").around;
    let said = |import: &Import| imported(import, "a").caveats.join(" ");
    let [outermost, between, inside] = [text(2, 1), text(1, 2), text(1, 4)];
    assert_eq!(
        [&outermost, &between, &inside].map(of),
        [Around::Call, Around::Call, Around::Attempt]
    );
    assert!(said(&outermost).is_empty() && said(&inside).is_empty());
    let order = "put circuitbreaker around bulkhead; here the order is bulkhead, circuitbreaker, \
                 retry, ratelimiter, timelimiter, from outside to inside";
    assert!(said(&between).contains(order), "{}", said(&between));
}
