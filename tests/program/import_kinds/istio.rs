//! Istio: hosts, namespaces, subsets, what is TCP, what a zero means.

use super::*;

fn service(metadata: &str, host: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{ {metadata} \
        }}\nspec: {{ hosts: [{host}], \
         http: [{{ route: [{{ destination: {{ host: {host} }} }}] }}] }}\n---\n"
    )
}

fn rule(metadata: &str, host: &str, more: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{ {metadata} \
        }}\nspec: {{ host: '{host}', \
         {more} }}\n---\n"
    )
}

fn ejecting(failures: u32) -> String {
    format!("trafficPolicy: {{ outlierDetection: {{ consecutive5xxErrors: {failures} }} }}")
}

#[test]
fn a_rule_is_for_its_host_and_for_no_other() {
    let text = service("name: stock", "stock") + &rule("name: bank", "bank", &ejecting(2));
    let import = ok(&text);
    assert_eq!(names(&import), ["stock", "bank"]);
    assert_eq!(in_a_row(&import, "stock"), None);
    assert_eq!(
        in_a_row(&import, "bank"),
        Some(2),
        "a rule without a route has a policy of its own"
    );
    assert!(imported(&import, "bank").caveats.join(" ").contains("no route of this file"));
}

#[test]
fn the_closest_host_counts_in_whatever_order_and_wildcards_are_hosts() {
    let any = rule("name: any, namespace: shop", "*.shop.svc.cluster.local", &ejecting(8));
    let own = rule("name: own, namespace: shop", "stock.shop.svc.cluster.local", &ejecting(3));
    let far = rule("name: far, namespace: shop", "*.bank.svc.cluster.local", &ejecting(1));
    let call = service("name: stock, namespace: shop", "stock");
    for (rules, expected) in [
        ([&any, &far].map(String::as_str).concat(), 8),
        ([&any, &own, &far].map(String::as_str).concat(), 3),
        ([&own, &far, &any].map(String::as_str).concat(), 3),
    ] {
        let import = ok(&(call.clone() + &rules));
        assert_eq!(in_a_row(&import, "stock"), Some(expected), "{rules}");
    }
    let outside = service("name: api, namespace: shop", "api.example.com")
        + &rule("name: x, namespace: shop", "*.example.com", &ejecting(6));
    assert_eq!(in_a_row(&ok(&outside), "api"), Some(6));
}

#[test]
fn a_short_name_is_of_the_namespace_of_whoever_writes_it() {
    let rules = rule("name: stock, namespace: dev", "stock", &ejecting(50))
        + &rule("name: stock, namespace: prod", "stock", &ejecting(5));
    let both = service("name: stock, namespace: prod", "stock")
        + &service("name: stock, namespace: dev", "stock");
    let import = ok(&(both + &rules));
    assert_eq!(names(&import), ["stock-prod", "stock-dev"]);
    assert_eq!(in_a_row(&import, "stock-prod"), Some(5));
    assert_eq!(in_a_row(&import, "stock-dev"), Some(50));
    // A rule of a third namespace is nobody's; one of the root namespace is everybody's.
    let call = service("name: stock, namespace: prod", "stock");
    let third = rule("name: r, namespace: other", "stock.prod.svc.cluster.local", &ejecting(7));
    assert_eq!(in_a_row(&ok(&(call.clone() + &third)), "stock"), None);
    let root = rule("name: r, namespace: istio-system", "*.local", &ejecting(7));
    assert_eq!(in_a_row(&ok(&(call.clone() + &root)), "stock"), Some(7));
    let private = rule(
        "name: r, namespace: istio-system",
        "*.local",
        &format!("exportTo: ['.'], {}", ejecting(7)),
    );
    assert_eq!(in_a_row(&ok(&(call + &private)), "stock"), None);
}

#[test]
fn zero_is_what_istio_makes_of_it() {
    let pool = "trafficPolicy: { connectionPool: { tcp: { maxConnections: 0 }, http: { \
    http2MaxRequests: 40, maxRetries: 0 } }, \
                outlierDetection: { consecutive5xxErrors: 0, consecutiveGatewayErrors: 3, \
                maxEjectionPercent: 0 } }";
    let import = ok(&(service("name: a", "a") + &rule("name: a", "a", pool)));
    let outlier = policy(&import, "a").outlier.expect("it ejects");
    assert_eq!((outlier.consecutive, outlier.max_ejected), (3, 0.1));
    assert_eq!(limit(&import, "a"), Some(40));
    assert!(policy(&import, "a").budget.is_none());
    assert_eq!(ignored(&import, "a", "maxConnections"), Some("0 is as if it were not given"));
}

#[test]
fn only_http_is_retried_and_http2_shares_connections() {
    let tcp = "trafficPolicy: { connectionPool: { tcp: { maxConnections: 9 } } }";
    let alone = ok(&rule("name: db", "db", tcp));
    assert_eq!(attempts(&alone, "db"), 1);
    assert!(imported(&alone, "db").caveats.join(" ").contains("TCP"));
    let both = "trafficPolicy: { connectionPool: { tcp: { maxConnections: 9 }, http: { \
    h2UpgradePolicy: UPGRADE, \
                http2MaxRequests: 80 } } }";
    let import = ok(&rule("name: a", "a", both));
    assert_eq!((attempts(&import, "a"), limit(&import, "a")), (3, Some(80)));
    let kind = |port: &str| {
        let service = format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{ name: a }}\nspec: {{ ports: [{port}] \
            }}\n---\n"
        );
        attempts(&ok(&(service + &rule("name: a", "a", &ejecting(3)))), "a")
    };
    assert_eq!([kind("{ name: tcp-db, port: 1 }"), kind("{ name: http, port: 1 }")], [1, 3]);
    assert_eq!(kind("{ name: x, port: 1, appProtocol: mongo }"), 1);
}

#[test]
fn faults_and_mirrors_change_calls_and_are_told_of() {
    let text = service("name: a", "a").replace(
        "http: [{ ",
        "http: [{ fault: { delay: { fixedDelay: 2s } }, mirror: { host: b }, ",
    );
    let import = ok(&text);
    assert_eq!(ignored(&import, "a", "fixedDelay"), Some("faults are part of an experiment"));
    assert_eq!(ignored(&import, "a", "mirror.host"), Some("mirrored calls are not modelled"));
}

#[test]
fn what_istio_retries_of_itself_never_repeats_what_was_answered_in_http() {
    let import = ok(&service("name: a", "a"));
    for outcome in [Outcome::Failed, Outcome::Rejected, Outcome::TimedOut, Outcome::Reset] {
        assert!(!retries(&import, "a", outcome), "{outcome:?}");
    }
    assert!(retries(&import, "a", Outcome::NotConnected));
}

#[test]
fn the_other_destinations_of_a_route_are_told_of_with_their_rules() {
    let call = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: a \
    }\nspec: { http: [{ match: [{ uri: { \
                prefix: /pay } }], route: [{ destination: { host: zero }, weight: 0 }, { \
                destination: { host: one }, weight: 80 }, \
                { destination: { host: two }, weight: 20 }] }, { route: [{ destination: { host: \
                two } }] }, { redirect: { uri: /x } }] }\n---\n";
    let rules = [("zero", 9), ("one", 3), ("two", 4)]
        .map(|(host, failures)| rule(&format!("name: {host}"), host, &ejecting(failures)));
    let import = ok(&(call.to_owned() + &rules.concat()));
    assert_eq!(names(&import), ["a-pay", "a"]);
    assert_eq!((in_a_row(&import, "a-pay"), in_a_row(&import, "a")), (Some(3), Some(4)));
    assert!(
        imported(&import, "a-pay")
            .notes
            .iter()
            .any(|note| note.field.ends_with("destination.host") && note.value == "two")
    );
    assert_eq!(why_not(&import, "redirect.uri"), Some("a `redirect` calls no destination"));
}

#[test]
fn istio_and_the_gateway_api_in_one_file_are_both_read() {
    let route = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: { name: a \
    }\nspec: { rules: [{ timeouts: { \
                 request: 3s }, backendRefs: [{ name: a, port: 1 }] }] }\n---\n";
    let import = ok(&(route.to_owned() + &service("name: a", "a")));
    assert_eq!(names(&import), ["a", "a-2"]);
    assert_eq!((attempts(&import, "a"), policy(&import, "a-2").deadline.is_some()), (3, true));
    assert!(
        printed(&import).starts_with("# Istio (")
            && printed(&import).contains(" and Gateway API (")
    );
}

#[test]
fn routes_are_told_apart_by_what_they_match_and_where_they_go() {
    let text = "apiVersion: networking.istio.io/v1\nkind: VirtualService\n\
                metadata: { name: a }\nspec:\n  hosts: [a]\n  http:\n  \
                - match: [{ headers: { agent: { exact: Fox } } }]\n    \
                route: [{ destination: { host: a, subset: v2 } }]\n  \
                - route: [{ destination: { host: a, subset: v1 } }]\n";
    assert_eq!(names(&ok(text)), ["a-Fox", "a"]);
    let plain = text.replace("match: [{ headers: { agent: { exact: Fox } } }]\n    ", "");
    assert_eq!(names(&ok(&plain)), ["a-v2", "a-v1"]);
}

#[test]
fn what_is_patched_or_of_another_format_is_told_of() {
    let patch = "apiVersion: networking.istio.io/v1\nkind: EnvoyFilter\nspec:\n  configPatches:\n  \
                 - patch: { value: { route: { retry_policy: { num_retries: 3 } } } }\n";
    let import = ok(&(service("name: a", "a") + patch));
    let why = why_not(&import, "num_retries");
    assert_eq!(why, Some("what an `EnvoyFilter` patches in Envoy is not read"));
    let route = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nspec: { rules: [{ \
                 timeouts: { request: 3s } }] }\n";
    let text = service("name: a", "a") + route;
    let mut sources = Sources::default();
    let source = sources.add("config", &text);
    let import = import::read(&sources, source, Some(import::Format::Istio)).expect("Istio");
    let why = why_not(&import, "timeouts.request");
    assert_eq!(why, Some("it is of Gateway API, which was not asked for"));
}

#[test]
fn rules_of_one_host_are_one_rule_of_which_the_oldest_comes_first() {
    let subset = |name: &str, limit: u32| {
        format!(
            "subsets: [{{ name: {name}, trafficPolicy: {{ connectionPool: {{ http: {{ \
             http2MaxRequests: {limit} }} }} }} }}]"
        )
    };
    let call = service("name: a", "a").replace("host: a }", "host: a, subset: v2 }");
    let young = format!("{}, {}", ejecting(9), subset("v2", 20));
    let young = rule("name: young, creationTimestamp: '2026-02-01'", "a", &young);
    let old = format!("{}, {}", ejecting(3), subset("v1", 10));
    let old = rule("name: old, creationTimestamp: '2026-01-01'", "a", &old);
    let import = ok(&(call + &young + &old));
    assert_eq!(names(&import), ["a"]);
    assert_eq!((in_a_row(&import, "a"), limit(&import, "a")), (Some(3), Some(20)));
    let why = ignored(
        &import,
        "a",
        "DestinationRule.spec.trafficPolicy.outlierDetection.\
                                     consecutive5xxErrors",
    );
    assert_eq!(why, Some("DestinationRule `old` is older and of the same host"));
    let notes = &imported(&import, "a").notes;
    let field =
        "DestinationRule.spec.subsets[0].trafficPolicy.connectionPool.http.http2MaxRequests";
    assert!(notes.iter().any(|note| note.field == field && note.value == "20"));
}
