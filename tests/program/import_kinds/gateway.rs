//! Gateway API and Envoy Gateway: which policy is attached to which rule.

use super::*;

const ROUTE: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: shop, namespace: front, labels: { tier: gold, team: a } }
spec:
  parentRefs: [{ name: edge, namespace: infra, sectionName: https }]
  rules:
  - { name: pay, matches: [{ path: { value: /pay } }], backendRefs: [{ name: bank, port: 80 }] }
  - { matches: [{ path: { value: /look } }], backendRefs: [{ name: stock, port: 80, weight: 0 }, \
  { name: cart, port: 80 }] }
---
";

fn traffic(metadata: &str, target: &str, limit: u32) -> String {
    format!(
        "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: BackendTrafficPolicy\nmetadata: {{ \
        {metadata} }}\nspec:\n  {target}\n  \
         circuitBreaker: {{ maxConnections: {limit} }}\n---\n"
    )
}

fn reference(kind: &str, name: &str, more: &str) -> String {
    format!(
        "targetRefs: [{{ group: gateway.networking.k8s.io, kind: {kind}, name: {name}{more} }}]"
    )
}

/// The limits of both rules.
fn limits(policies: &[String]) -> [Option<u32>; 2] {
    let import = ok(&(ROUTE.to_owned() + &policies.concat()));
    [limit(&import, "shop-pay"), limit(&import, "shop")]
}

#[test]
fn the_most_specific_policy_counts_in_whatever_order() {
    let gateway = traffic("name: a, namespace: infra", &reference("Gateway", "edge", ""), 100);
    let listener = traffic(
        "name: b, namespace: infra",
        &reference("Gateway", "edge", ", sectionName: https"),
        90,
    );
    let route = traffic("name: c, namespace: front", &reference("HTTPRoute", "shop", ""), 80);
    let rule = traffic(
        "name: d, namespace: front",
        &reference("HTTPRoute", "shop", ", sectionName: pay"),
        70,
    );
    let all = [&gateway, &listener, &route, &rule].map(Clone::clone);
    let expected = [(1, [100, 100]), (2, [90, 90]), (3, [80, 80]), (4, [70, 80])];
    for (count, limits_of) in expected {
        let mut policies = all[..count].to_vec();
        assert_eq!(limits(&policies), limits_of.map(Some), "{count}");
        policies.reverse();
        assert_eq!(limits(&policies), limits_of.map(Some), "{count} backwards");
    }
    let import = ok(&(ROUTE.to_owned() + &gateway + &route));
    let why = ignored(&import, "shop", "BackendTrafficPolicy.spec.circuitBreaker.maxConnections");
    assert!(why.is_some_and(|why| why.contains("covered by BackendTrafficPolicy `c`")), "{why:?}");
}

#[test]
fn a_policy_of_another_namespace_name_section_or_label_is_attached_to_nothing() {
    for (policy, reason) in [
        (
            traffic("name: a, namespace: back", &reference("HTTPRoute", "shop", ""), 7),
            "of namespace `back`",
        ),
        (traffic("name: a, namespace: front", &reference("HTTPRoute", "shops", ""), 7), "`shops`"),
        (
            traffic("name: a, namespace: front", &reference("GRPCRoute", "shop", ""), 7),
            "GRPCRoute `shop`",
        ),
        (
            traffic(
                "name: a, namespace: infra",
                &reference("Gateway", "edge", ", sectionName: http"),
                7,
            ),
            "`http`",
        ),
        (
            traffic(
                "name: a, namespace: front",
                "targetSelectors: [{ kind: HTTPRoute, matchLabels: { tier: tin } }]",
                7,
            ),
            "labels",
        ),
        (
            traffic(
                "name: a, namespace: back",
                "targetSelectors: [{ kind: HTTPRoute, matchLabels: { tier: gold } }]",
                7,
            ),
            "labels",
        ),
    ] {
        let import = ok(&(ROUTE.to_owned() + &policy));
        assert_eq!([limit(&import, "shop-pay"), limit(&import, "shop")], [None, None], "{policy}");
        let why = why_not(&import, "circuitBreaker.maxConnections").expect(&policy);
        assert!(why.contains(reason), "{why}");
        let typo = policy.replace("maxConnections", "maxConnection");
        assert!(read(&(ROUTE.to_owned() + &typo)).expect_err("a typo").contains("maxConnections"));
    }
}

#[test]
fn labels_select_routes_and_gateways() {
    let gateway = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: { name: \
    edge, namespace: infra, labels: { on: 'yes' } }\n---\n";
    for (namespace, selector) in [
        ("front", "{ kind: HTTPRoute, matchLabels: { tier: gold } }"),
        (
            "front",
            "{ kind: HTTPRoute, matchExpressions: [{ key: team, operator: In, values: [a, b] }] }",
        ),
        ("back", "{ kind: HTTPRoute, namespaces: { from: All }, matchLabels: { tier: gold } }"),
        ("infra", "{ kind: Gateway, matchLabels: { on: 'yes' } }"),
    ] {
        let policy = traffic(
            &format!("name: a, namespace: {namespace}"),
            &format!("targetSelectors: [{selector}]"),
            7,
        );
        let import = ok(&(ROUTE.to_owned() + gateway + &policy));
        assert_eq!(limit(&import, "shop"), Some(7), "{selector}");
    }
}

#[test]
fn policies_are_merged_where_they_say_so() {
    let gateway = traffic("name: a, namespace: infra", &reference("Gateway", "edge", ""), 100)
        .replace("maxConnections: 100", "maxConnections: 100, maxPendingRequests: 5");
    let own = format!(
        "mergeType: StrategicMerge\n  {}\n  retry: {{ numRetries: 4 }}",
        reference("HTTPRoute", "shop", "")
    );
    let route = traffic("name: c, namespace: front", &own, 80);
    let import = ok(&(ROUTE.to_owned() + &gateway + &route));
    let bulkhead = policy(&import, "shop").bulkhead.expect("limits");
    assert_eq!((bulkhead.limit, bulkhead.queue, attempts(&import, "shop")), (80, 5, 5));
    assert!(
        ignored(&import, "shop", "BackendTrafficPolicy.spec.circuitBreaker.maxConnections")
            .is_some()
    );
    let given = &imported(&import, "shop").notes;
    let field = "BackendTrafficPolicy.spec.circuitBreaker.maxPendingRequests";
    assert!(given.iter().any(|note| note.field == field));
}

#[test]
fn a_budget_is_that_of_the_first_service_that_gets_calls() {
    let budget = |namespace: &str, name: &str| {
        format!(
            "apiVersion: gateway.networking.x-k8s.io/v1alpha1\nkind: \
            XBackendTrafficPolicy\nmetadata: {{ name: b, namespace: {namespace} }}\n\
             spec: {{ targetRefs: [{{ group: '', kind: Service, name: {name} }}], \
             retryConstraint: {{ budget: {{ percent: 50 }} }} }}\n---\n"
        )
    };
    let route = ROUTE.replace(
        "rules:",
        "rules:\n  - { name: r, retry: { attempts: 2 }, backendRefs: [{ name: cart, port: 1 }] }",
    );
    let import = ok(&(route.clone() + &budget("front", "cart")));
    assert!(policy(&import, "shop-r").budget.is_some());
    assert!(policy(&import, "shop").budget.is_none(), "nothing is retried");
    let why = ignored(&import, "shop", "budget.percent").expect("told of");
    assert!(why.contains("nothing is retried"), "{why}");
    let import = ok(&(route + &budget("back", "cart")));
    assert!(policy(&import, "shop-r").budget.is_none() && why_not(&import, "percent").is_some());
    // Alone it has a retry that it can limit; the kind of the proposal has no X.
    for alone in [budget("a", "cart"), budget("a", "cart").replace("XBackend", "Backend")] {
        let import = ok(&alone);
        assert_eq!((attempts(&import, "b"), policy(&import, "b").budget.is_some()), (2, true));
        assert!(printed(&import).contains("kind = \"window\""));
    }
}

#[test]
fn fields_of_current_versions_are_read() {
    let target = reference("HTTPRoute", "shop", "");
    let more = "retry: { numRetries: 1 }\n  healthCheck: { passive: { \
    failurePercentageThreshold: 40, alwaysEjectOneEndpoint: true } }\n  \
                circuitBreaker: { retryBudget: { percent: { numerator: 1, denominator: 4 }, \
                minRetryConcurrency: 2 } }";
    let text = format!(
        "{ROUTE}apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: \
        BackendTrafficPolicy\nmetadata: {{ name: a }}\nspec:\n  {target}\n  {more}\n"
    );
    let import = ok(&text);
    let outlier = policy(&import, "shop").outlier.expect("it ejects");
    assert_eq!(outlier.failure_ratio, Some(0.4));
    assert!(outlier.always_one && printed(&import).contains("ratio = 0.25, min_retries = 2"));
    let plain = text.replace("percent: { numerator: 1, denominator: 4 }", "percent: 25");
    assert!(read(&plain).expect_err("refused").contains("numerator"));
    let zero =
        text.replace("percent: { numerator: 1, denominator: 4 }", "percent: { numerator: 0 }");
    assert!(printed(&ok(&zero)).contains("ratio = 0.0, min_retries = 2"));
}

#[test]
fn codes_beside_no_triggers_are_retried_and_take_the_place_of_503() {
    let of = |on: &str| {
        let target = reference("HTTPRoute", "shop", "");
        let policy = traffic("name: a, namespace: front", &format!("{target}\n  retry: {on}"), 9);
        let import = ok(&(ROUTE.to_owned() + &policy));
        [Outcome::Failed, Outcome::Rejected, Outcome::NotConnected, Outcome::TimedOut]
            .map(|outcome| retries(&import, "shop", outcome))
    };
    assert_eq!(of("{}"), [false, true, true, false], "503 and what never was taken");
    assert_eq!(of("{ retryOn: { httpStatusCodes: [500] } }"), [true, false, true, false]);
    assert_eq!(of("{ retryOn: { triggers: [reset] } }"), [false, false, true, true]);
    let asked = "{ retryOn: { triggers: [retriable-status-codes], httpStatusCodes: [500] } }";
    assert_eq!(of(asked), [true, false, false, false]);
    let unasked = "{ retryOn: { triggers: [connect-failure], httpStatusCodes: [500] } }";
    assert_eq!(of(unasked), [false, false, true, false]);
}
