//! Linkerd: namespaces, timeouts of rules, what is retried.

use super::*;
use stormglass::kernel::time::Span;

const ROUTE: &str = "apiVersion: policy.linkerd.io/v1beta3
kind: HTTPRoute
metadata: { name: read, namespace: shop }
spec:
  parentRefs: [{ name: stock, kind: Service, group: core, port: 1 }]
  rules:
  - { matches: [{ path: { value: /quick } }], timeouts: { request: 200ms } }
  - { matches: [{ path: { value: /slow } }], timeouts: { request: 5s } }
---
";

fn service(namespace: &str, failures: u32) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: stock\n  namespace: {namespace}\n  \
        annotations:\n    \
         balancer.linkerd.io/failure-accrual: consecutive\n    \
         balancer.linkerd.io/failure-accrual-consecutive-max-failures: '{failures}'\n---\n"
    )
}

#[test]
fn each_rule_has_its_timeout_unless_an_annotation_says_another() {
    let import = ok(ROUTE);
    assert_eq!(names(&import), ["read-quick", "read-slow"]);
    let deadline = |import: &Import, name: &str| policy(import, name).deadline.map(Span::millis);
    assert_eq!(deadline(&import, "read-quick"), Some(200.0));
    assert_eq!(deadline(&import, "read-slow"), Some(5000.0));
    let annotated = ROUTE.replace(
        "namespace: shop",
        "namespace: shop, annotations: { timeout.linkerd.io/request: 1s }",
    );
    let import = ok(&annotated);
    assert_eq!(deadline(&import, "read-quick"), Some(1000.0));
    assert_eq!(
        ignored(&import, "read-quick", "timeouts.request"),
        Some("the annotation comes before it")
    );
    // A route of the Gateway API that is attached to a service is one of the mesh.
    let standard = ROUTE.replace("policy.linkerd.io/v1beta3", "gateway.networking.k8s.io/v1")
        + &service("shop", 4);
    assert_eq!(deadline(&ok(&standard), "read-slow"), Some(5000.0));
}

#[test]
fn the_breaker_of_a_route_is_that_of_its_service_in_its_namespace() {
    let import = ok(&(service("other", 2) + &service("shop", 9) + ROUTE));
    let failures =
        |name: &str| format!("{:?}", policy(&import, name).breaker.expect("a breaker").trip);
    assert_eq!(names(&import), ["read-quick", "read-slow", "stock"]);
    assert!(
        failures("read-slow").contains("failures: 9") && failures("stock").contains("failures: 2")
    );
}

#[test]
fn statuses_are_answers_and_a_limit_or_a_timeout_alone_retries_what_no_status_stands_for() {
    let of = |annotation: &str| {
        let text = ROUTE.replace(
            "namespace: shop",
            &format!("namespace: shop, annotations: {{ {annotation} }}"),
        );
        ok(&text)
    };
    let import = of("retry.linkerd.io/http: '5xx,429'");
    for (outcome, expected) in [
        (Outcome::Failed, true),
        (Outcome::Throttled, true),
        (Outcome::RefusedStream, true),
        (Outcome::Reset, false),
        (Outcome::TimedOut, false),
    ] {
        assert_eq!(retries(&import, "read-slow", outcome), expected, "{outcome:?}");
    }
    let import = of("retry.linkerd.io/timeout: 50ms");
    assert_eq!(attempts(&import, "read-slow"), 2);
    assert!(
        retries(&import, "read-slow", Outcome::TimedOut)
            && !retries(&import, "read-slow", Outcome::Failed)
    );
    let text = ROUTE.replace(
        "namespace: shop",
        "namespace: shop, annotations: { timeout.linkerd.io/request: 1.5s }",
    );
    assert!(read(&text).is_err(), "Linkerd takes whole numbers only");
}
