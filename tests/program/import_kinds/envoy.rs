//! Envoy: where resources stand, clusters and their protocol, weights, names, conditions.

use super::*;
use stormglass::kernel::time::Span;

/// One route to one cluster in the middle of a bootstrap, with something of its own.
fn bootstrap(action: &str, clusters: &str) -> String {
    format!(
        "static_resources:\n  listeners:\n  - filter_chains:\n    - filters:\n      - \
        typed_config:\n          \
         route_config:\n            virtual_hosts:\n            - name: all\n              \
         domains: ['*']\n              \
         routes:\n              - match: {{ prefix: / }}\n                route: {action}\n  \
         clusters:\n{clusters}"
    )
}

#[test]
fn resources_are_recognised_by_their_type_wherever_they_stand() {
    let cluster = "\"@type\": type.googleapis.com/envoy.config.cluster.v3.Cluster\n  name: \
    stock\n  \
                   circuit_breakers: { thresholds: [{ max_requests: 12, max_connections: 30 }] \
                   }\n  \
                   outlier_detection: { consecutive_5xx: 4 }\n";
    let import = ok(&format!("resources:\n- {cluster}"));
    assert_eq!((limit(&import, "stock"), in_a_row(&import, "stock")), (Some(12), Some(4)));
    let routes = "resources:\n- \"@type\": \
    type.googleapis.com/envoy.config.route.v3.RouteConfiguration\n  \
                  virtual_hosts: [{ name: v, domains: [a], routes: [{ match: { path: /x }, \
                  route: { cluster: stock, \
                  timeout: 2s } }] }]\n";
    assert_eq!(policy(&ok(routes), "stock").deadline.map(Span::seconds), Some(2.0));
    // In an object of another group, and as a list.
    let nested = cluster.replace('\n', "\n  ");
    let custom = format!(
        "apiVersion: cilium.io/v2\nkind: CiliumEnvoyConfig\nmetadata: {{ name: mesh }}\nspec:\n  \
        resources:\n  - {nested}"
    );
    assert_eq!(limit(&ok(&custom), "stock"), Some(12));
    let list = "- name: stock\n  connect_timeout: 1s\n  circuit_breakers: { thresholds: [{ \
    max_requests: 12 }] }\n";
    assert_eq!(limit(&ok(list), "stock"), Some(12));
    let camel = "- name: stock\n  connectTimeout: 1s\n  circuitBreakers: { thresholds: [{ \
    maxRequests: 12 }] }\n";
    assert_eq!(limit(&ok(camel), "stock"), Some(12));
    // One cluster where a list is meant.
    let single = "static_resources: { clusters: { name: stock, circuit_breakers: { thresholds: \
    [{ max_requests: 12 }] } } }";
    assert_eq!(limit(&ok(single), "stock"), Some(12));
}

#[test]
fn a_dump_joins_routes_with_clusters_and_tells_routes_of_one_name_apart() {
    let host = |name: &str, timeout: &str| {
        format!(
            r#"{{ "name": "{name}", "domains": ["{name}"], "routes": [
                {{ "name": "default", "match": {{ "prefix": "/" }}, "route": {{ "cluster":
                "{name}", "timeout": "{timeout}" }} }} ] }}"#
        )
    };
    let cluster = |name: &str, limit: u32| {
        format!(
            r#"{{ "cluster": {{ "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
            "name": "{name}",
                "circuit_breakers": {{ "thresholds": [{{ "max_requests": {limit} }}] }},
                "outlier_detection": {{}} }} }}"#
        )
    };
    let dump = format!(
        r#"{{ "configs": [ {{ "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump",
            "dynamic_active_clusters": [ {}, {}, {} ] }},
            {{ "@type": "type.googleapis.com/envoy.admin.v3.RoutesConfigDump",
            "dynamic_route_configs": [
            {{ "route_config": {{ "virtual_hosts": [ {}, {} ] }} }} ] }} ] }}"#,
        cluster("a.shop", 7),
        cluster("b.shop", 8),
        cluster("xds", 9),
        host("a.shop", "3s"),
        host("b.shop", "4s"),
    );
    let import = ok(&dump);
    assert_eq!(names(&import), ["default-a-shop", "default-b-shop"]);
    assert_eq!(limit(&import, "default-b-shop"), Some(8));
    assert_eq!(policy(&import, "default-b-shop").deadline.map(Span::seconds), Some(4.0));
    assert_eq!(
        why_not(&import, "clusters[2].cluster.circuit_breakers.thresholds[0].max_requests"),
        Some("no route of this file goes to the cluster `xds`")
    );
}

#[test]
fn calls_of_http2_share_connections_and_those_of_http1_do_not() {
    let limits = "circuit_breakers: { thresholds: [{ max_connections: 3, max_requests: 500 }] }";
    let of = |more: &str| {
        let clusters = format!("  - name: a\n    {limits}\n{more}");
        let import = ok(&bootstrap("{ cluster: a }", &clusters));
        (limit(&import, "a"), !imported(&import, "a").caveats.join(" ").contains("HTTP/2"))
    };
    let options = |inside: &str| {
        format!("    typed_extension_protocol_options:\n      envoy.x:\n        {inside}\n")
    };
    assert_eq!(of(""), (Some(3), true));
    assert_eq!(of("    http2_protocol_options: {}\n"), (Some(500), true));
    assert_eq!(
        of(&options("explicit_http_config: { http2_protocol_options: {} }")),
        (Some(500), true)
    );
    assert_eq!(of(&options("explicitHttpConfig: { http3ProtocolOptions: {} }")), (Some(500), true));
    assert_eq!(
        of(&options("explicit_http_config: { http_protocol_options: {} }")),
        (Some(3), true)
    );
    assert_eq!(of(&options("auto_config: {}")), (Some(3), false), "a note says what is assumed");
}

#[test]
fn of_weighted_clusters_the_first_that_gets_calls_counts_and_the_others_are_told_of() {
    let action = "{ weighted_clusters: { clusters: [{ name: off, weight: 0 }, { name: old, \
    weight: 90 }, { name: new, \
                  weight: 10 }] } }";
    let cluster = |name: &str, limit: u32| {
        format!(
            "  - {{ name: {name}, circuit_breakers: {{ thresholds: [{{ max_requests: {limit} }}] \
            }} }}\n"
        )
    };
    let clusters = [cluster("new", 6), cluster("old", 40), cluster("off", 1)].concat();
    let import = ok(&bootstrap(action, &clusters));
    assert_eq!(names(&import), ["old"]);
    assert_eq!(limit(&import, "old"), Some(40));
    assert!(imported(&import, "old").caveats.join(" ").contains("`new` has a limit of 6"));
    assert!(
        ignored(&import, "old", "clusters[0].circuit_breakers.thresholds[0].max_requests")
            .is_some()
    );
    let typo = clusters.replace("max_requests: 6", "max_request: 6");
    assert!(read(&bootstrap(action, &typo)).expect_err("a typo").contains("max_requests"));
}

#[test]
fn routes_without_a_name_are_called_after_what_they_match() {
    let text = "virtual_hosts:\n- name: v\n  domains: ['*']\n  routes:\n  - { match: { prefix: \
    /v1/pay }, route: { cluster: bank } }\n  \
                - { match: { safe_regex: { regex: '^/v1/refund$' } }, route: { cluster: bank } \
                }\n  \
                - { match: { prefix: / }, route: { cluster: bank } }\n  - { match: { prefix: / \
                }, route: { cluster: mail } }\n  \
                - { match: { prefix: /old }, redirect: { path_redirect: /new } }\n";
    let import = ok(text);
    assert_eq!(names(&import), ["bank-v1-pay", "bank-v1-refund", "bank", "mail"]);
}

#[test]
fn conditions_retry_what_they_name_and_codes_count_only_where_they_are_asked_for() {
    let route = |retry: &str| ok(&format!("route: {{ cluster: a, retry_policy: {{ {retry} }} }}"));
    let safe = route("retry_on: 'connect-failure,refused-stream,reset-before-request'");
    for outcome in [Outcome::Failed, Outcome::Rejected, Outcome::TimedOut, Outcome::Reset] {
        assert!(!retries(&safe, "a", outcome), "{outcome:?} may have had its effect");
    }
    for outcome in [Outcome::NotConnected, Outcome::RefusedStream, Outcome::ResetBeforeRequest] {
        assert!(retries(&safe, "a", outcome), "{outcome:?}");
    }
    let unasked = route("retry_on: connect-failure, retriable_status_codes: [503, 14]");
    assert!(!retries(&unasked, "a", Outcome::Rejected));
    let why = ignored(&unasked, "a", "retriable_status_codes[1]").expect("it counts for nothing");
    assert!(why.contains("does not name") && why.contains("14 is a status of gRPC"), "{why}");
    let asked = route("retry_on: retriable-status-codes, retriable_status_codes: [503]");
    assert!(retries(&asked, "a", Outcome::Rejected) && !retries(&asked, "a", Outcome::Failed));
}

#[test]
fn what_proxies_write_of_nothing_is_read_as_zero_or_as_the_defaults() {
    let cluster = "cluster: { name: a, outlier_detection: {}, common_lb_config: { \
    healthy_panic_threshold: {} } }";
    let outlier = policy(&ok(cluster), "a").outlier.expect("it ejects");
    assert_eq!((outlier.panic, outlier.consecutive), (0.0, 5));
}

/// `conn_pool_base.cc`: no call starts where none may run, or where none may wait for the first
/// connection; where no connection may be made, one is made.
#[test]
fn limits_of_zero_do_what_they_do_there() {
    let import = |limits: &str| {
        ok(&format!("cluster: {{ name: a, circuit_breakers: {{ thresholds: [{{ {limits} }}] }} }}"))
    };
    for limits in ["max_requests: 0", "max_pending_requests: 0"] {
        let import = import(limits);
        let bulkhead = policy(&import, "a").bulkhead.expect("a limit");
        assert_eq!((bulkhead.limit, bulkhead.queue), (0, 0), "{limits}");
        assert!(imported(&import, "a").caveats.join(" ").contains("no call gets through"));
        assert!(printed(&import).contains("limit = 0"), "{}", printed(&import));
    }
    let import = import("max_connections: 0");
    assert_eq!(limit(&import, "a"), Some(1));
    assert!(imported(&import, "a").caveats.join(" ").contains("as one of 1"));
}

#[test]
fn what_no_policy_was_read_from_is_told_with_its_reason() {
    let text = bootstrap("{ cluster: a }", "  - name: a\n").replace(
        "          route_config:",
        "          stream_idle_timeout: 60s\n          http_filters: [{ typed_config: { fault: { \
        delay: { fixed_delay: 1s } } } }]\n          route_config:",
    );
    let import = ok(&text);
    assert_eq!(
        why_not(&import, "stream_idle_timeout"),
        Some("connections and streams are not modelled")
    );
    assert_eq!(why_not(&import, "fixed_delay"), Some("faults are part of an experiment"));
    let text = printed(&import);
    let rest = text.split("# Not about calls").nth(1).expect("the rest");
    assert!(
        !rest.contains("fault") && !rest.contains("timeout") && rest.contains("domains"),
        "{rest}"
    );
}

#[test]
fn filters_that_change_calls_are_told_of_by_their_type() {
    let of = |name: &str| {
        let text = format!(
            "resources:\n- filters:\n  - \"@type\": type.googleapis.com/envoy.x.v3.{name}\n    \
             abort: {{ http_status: 503 }}\n\
             - {{ match: {{ prefix: / }}, route: {{ cluster: a }} }}\n"
        );
        why_not(&ok(&text), "abort.http_status").map(str::to_owned)
    };
    assert_eq!(of("HTTPFault").as_deref(), Some("faults are part of an experiment"));
    assert!(of("AdmissionControl").is_some_and(|why| why.contains("let in")));
    assert_eq!(of("Router"), None);
}
