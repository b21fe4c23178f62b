//! Configurations as other people write them: lists, comments, several services, other units, parts
//! left out. Each is read or refused with a place, says what it did, and what is read runs.

use crate::common::Changed;
use stormglass::import::{self, Fate, Import};
use stormglass::kernel::time::Span;
use stormglass::model::document::Sources;
use stormglass::model::problem::Problem;
use stormglass::policy::backoff::Growth;
use stormglass::policy::breaker::Trip;
use stormglass::policy::{Outcome, Policy};

fn read(text: &str) -> Result<Import, String> {
    let mut sources = Sources::default();
    let source = sources.add("config", text);
    import::read(&sources, source, None).map_err(|problems| {
        let place = |start: usize| {
            let before = &text[..start];
            let column = before.len() - before.rfind('\n').map_or(0, |end| end + 1) + 1;
            format!("{}:{column}", before.matches('\n').count() + 1)
        };
        let at = |problem: &Problem| problem.at.map(|at| place(at.start)).unwrap_or_default();
        problems.iter().map(|problem| format!("config:{}: {problem}\n", at(problem))).collect()
    })
}

fn ok(text: &str) -> Import {
    read(text).unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}

fn policy(import: &Import, name: &str) -> Policy {
    let found = import.policies.iter().find(|policy| policy.name == name);
    let names: Vec<&str> = import.policies.iter().map(|policy| policy.name.as_str()).collect();
    found.unwrap_or_else(|| panic!("no {name} among {names:?}")).policy
}

/// What became of the field that ends like this.
fn fate<'a>(import: &'a Import, policy: &str, field: &str) -> &'a Fate {
    let found = import.policies.iter().find(|each| each.name == policy).expect(policy);
    let note = found.notes.iter().find(|note| note.field.ends_with(field));
    &note.unwrap_or_else(|| panic!("{policy}: nothing of {field}")).fate
}

const SUBSETS: &str = "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  http:
  - name: canary
    route: [ { destination: { host: reviews, subset: v2 } } ]
  - name: admin
    route: [ { destination: { host: reviews, subset: v2, port: { number: 9090 } } } ]
  - name: main
    route:
    - { destination: { host: reviews, port: { number: 80 } }, weight: 90 }
    - { destination: { host: reviews, subset: v2 }, weight: 10 }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews }
spec:
  host: reviews.shop.svc.cluster.local
  trafficPolicy:
    connectionPool: { http: { http2MaxRequests: 100, maxRetries: 7 } }
    portLevelSettings:
    - port: { number: 80 }
      connectionPool: { http: { http2MaxRequests: 80 } }
  subsets:
  - name: v1
    labels: { version: v1 }
  - name: v2
    labels: { version: v2 }
    trafficPolicy:
      connectionPool: { http: { http2MaxRequests: 20 } }
      portLevelSettings:
      - port: { number: 9090 }
        connectionPool: { tcp: { maxConnections: 3 } }
---
";

#[test]
fn a_subset_and_a_port_have_settings_of_their_own() {
    let import = ok(SUBSETS);
    let limit = |name| policy(&import, name).bulkhead.map(|rule| rule.limit);
    assert_eq!(limit("reviews-canary"), Some(20), "the section of the subset");
    assert!(policy(&import, "reviews-canary").budget.is_none(), "and all of that section");
    assert_eq!(limit("reviews-admin"), Some(3), "a port inherits nothing");
    assert_eq!(limit("reviews-main"), Some(80), "the port of the host");
    assert!(matches!(fate(&import, "reviews-canary", "maxRetries"), Fate::Ignored(_)));
    let rule = SUBSETS.split("---").nth(1).expect("the rule");
    let alone = ok(rule);
    let limit = |name| policy(&alone, name).bulkhead.map(|rule| rule.limit);
    assert_eq!([limit("reviews"), limit("reviews-v1")], [Some(100), Some(100)]);
    assert_eq!(limit("reviews-v2"), Some(20));
    let typo = SUBSETS.changed("http2MaxRequests: 20", "http2MaxRequest: 20");
    assert!(read(&typo).expect_err("a typo").contains("http2MaxRequests"));
}

const SPRING: &str = "
resilience4j:
  circuitbreaker:
    instances:
      growing:
        wait-duration-in-open-state: 2s
        enable-exponential-backoff: true
        exponential-backoff-multiplier: 2
        exponential-max-wait-duration-in-open-state: 1m
      spread: { waitDurationInOpenState: 10000, enableRandomizedWait: true }
      steady: { sliding-window-type: time_based, sliding-window-size: 30 }
  bulkhead:
    configs: { default: { max-concurrent-calls: 4, max-wait-duration: 50ms } }
    instances:
      growing: ~
      spread: { maxWaitDuration: 0 }
      steady: {}
";

#[test]
fn the_time_open_of_resilience4j_grows_and_its_bulkhead_waits() {
    let import = ok(SPRING);
    let open = |name| policy(&import, name).breaker.expect("it breaks").open_for;
    let growing = open("growing");
    assert_eq!(growing.growth, Growth::Exponential { base: Span::from_secs(2), factor: 2.0 });
    assert_eq!(growing.cap, stormglass::policy::backoff::Cap::BeforeJitter(Span::from_secs(60)));
    assert!(open("spread").is_jittered() && !open("steady").is_jittered());
    let room = |name| policy(&import, name).bulkhead;
    assert_eq!(room("growing"), None, "an instance without a value is not there");
    assert_eq!(room("spread").map(|rule| (rule.queue, rule.max_wait)), Some((0, None)));
    let steady = room("steady").expect("inherited");
    assert_eq!((steady.limit, steady.max_wait), (4, Some(Span::from_millis(50))));
    let zero = SPRING.changed("sliding-window-size: 30", "sliding-window-size: 0");
    let problem = read(&zero).expect_err("no window");
    assert!(problem.contains("config:11"), "at the field itself: {problem}");
}

const APPSETTINGS: &str = r#"// appsettings.json
{
  /* everything else */ "Logging": { "LogLevel": { "Default": "Information" } },
  "AllowedHosts": "*",
  "Http": {
    "Retry": {
      "MaxRetryAttempts": 5, // was 3
      "BackoffType": "Linear",
      "UseJitter": false,
      "MaxDelay": null,
      "Delay": "00:00:00.250",
    },
    "CircuitBreaker": null,
    "TotalRequestTimeout": { "Timeout": "1.00:00:00" },
  },
}
"#;

#[test]
fn settings_of_dotnet_have_comments_commas_and_nulls() {
    let import = ok(APPSETTINGS);
    let retry = policy(&import, "Http").retry.expect("it retries");
    assert_eq!(retry.attempts, 6);
    let quarter = Span::from_millis(250);
    assert_eq!(retry.backoff.growth, Growth::Linear { base: quarter, step: quarter });
    assert_eq!(policy(&import, "Http").deadline, Some(Span::from_secs(86_400)));
    assert!(matches!(fate(&import, "Http", "MaxDelay"), Fate::Defaulted(_)));
    let typo = APPSETTINGS.changed("MaxRetryAttempts", "MaxRetriesAttempts");
    let problem = read(&typo).expect_err("a typo");
    assert!(problem.contains("config:7:7"), "comments move no place: {problem}");
    assert!(read("{ \"a\": [1, null] }").is_err());
    assert!(read("// only a comment").is_err() && read("/* open { ").is_err());
}

const SERVICES: &str = "
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata:
    name: orders
    annotations:
      balancer.linkerd.io/failure-accrual: unified
      balancer.alpha.linkerd.io/failure-accrual-success-rate-threshold: \"0.9\"
      timeout.linkerd.io/request: 2s
- apiVersion: v1
  kind: Service
  metadata:
    name: stock
    annotations: { balancer.linkerd.io/failure-accrual: consecutive }
- apiVersion: v1
  kind: Service
  metadata: { name: plain }
- apiVersion: gateway.networking.k8s.io/v1
  kind: HTTPRoute
  metadata:
    name: read-orders
    annotations: { retry.linkerd.io/http: 5xx }
  spec:
    parentRefs: [ { kind: Service, name: orders } ]
    rules: [ { backendRefs: [ { name: orders } ] } ]
- apiVersion: linkerd.io/v1alpha2
  kind: ServiceProfile
  metadata: { name: stock.shop.svc.cluster.local }
  spec: { routes: [ { name: GET /, isRetryable: true } ] }
";

#[test]
fn each_route_of_linkerd_has_the_annotations_of_its_own_service() {
    let import = ok(SERVICES);
    let names: Vec<&str> = import.policies.iter().map(|policy| policy.name.as_str()).collect();
    assert_eq!(names, ["read-orders", "stock", "stock-GET"]);
    let orders = policy(&import, "read-orders");
    assert_eq!(orders.deadline, Some(Span::from_secs(2)));
    let breaker = orders.breaker.expect("unified");
    let Trip::Ratio { ratio, consecutive, minimum, .. } = breaker.trip else { panic!("a ratio") };
    assert_eq!((ratio, consecutive, minimum), (0.1, Some(7), 5));
    assert!(breaker.soft.contains(Outcome::Throttled));
    let stock = policy(&import, "stock").breaker.expect("consecutive");
    assert_eq!(stock.trip, Trip::Consecutive { failures: 7 });
    let caveats = |index: usize| import.policies[index].caveats.len();
    assert_eq!([caveats(0), caveats(1)], [0, 1], "the profile is that of stock");
    let zero = SERVICES.changed("\"0.9\"", "\"1.9\"");
    assert!(read(&zero).expect_err("no rate").contains("config:11"));
}

/// What is read from samples and variants.
#[test]
fn what_is_imported_runs() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/policy-configs");
    let mut texts: Vec<String> =
        [SUBSETS, SPRING, APPSETTINGS, SERVICES].map(str::to_owned).to_vec();
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the samples")
        .map(|entry| entry.expect("a sample").path())
        .filter(|path| !path.ends_with("autoscaling.yaml"))
        .collect();
    files.sort();
    texts.extend(files.iter().map(|path| std::fs::read_to_string(path).expect("a text")));
    let mut ran = 0;
    for text in &texts {
        for imported in &ok(text).policies {
            let written = import::text(imported);
            let toml = toml::to_string(&written).expect("it can be written");
            let table: toml::Table = toml.parse().expect(&toml);
            let mut document: toml::Table = MODEL.parse().expect("the model");
            document["policy"]
                .as_table_mut()
                .expect("a table")
                .insert("p".to_owned(), table.into());
            let model = toml::to_string(&document).expect("it can be written");
            let experiment = "name = \"t\"\nmodel = \"inline\"\narrivals = \"2s\"\n\
                              drain = \"10s\"\nseeds = \"1..2\"\n";
            let results = crate::common::runs(experiment, &model);
            let attempts: u64 = results
                .iter()
                .flat_map(|result| &result.metrics.edges)
                .map(|edge| edge.attempts)
                .sum();
            assert!(attempts > 0, "{}: {toml}", imported.name);
            ran += 1;
        }
    }
    assert!(ran >= 20, "only {ran} policies ran");
}

const MODEL: &str = r#"
[clients.users]
arrivals = { constant = "20/s" }
flow = [{ call = "server.serve", policy = "p", ignore_failure = true }]

[service.server]
workers = 4
on.serve.steps = [{ work = "100ms" }, { reply = "ok" }]

[policy.p]
"#;
