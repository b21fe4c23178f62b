//! Configurations with something broken in them: read or refused, each problem at a place, and what
//! is read can be written and is taken by the language.
//!
//! `STORMGLASS_MUTATIONS=100000 cargo test --test program import_kinds::mutations` tries as many as
//! one likes.

use super::*;
use stormglass::kernel::draw::stream;
use stormglass::model::document::{Sources, Value};
use stormglass::model::policy;

/// What is broken: files as people write them, and some in which things stand elsewhere.
const FILES: [&str; 12] = [
    include_str!("../../data/policy-configs/aws_config.ini"),
    include_str!("../../data/policy-configs/envoy_route_cluster.yaml"),
    include_str!("../../data/policy-configs/gateway_api.yaml"),
    include_str!("../../data/policy-configs/grpc_service_config.json"),
    include_str!("../../data/policy-configs/istio.yaml"),
    include_str!("../../data/policy-configs/linkerd.yaml"),
    include_str!("../../data/policy-configs/polly_appsettings.json"),
    include_str!("../../data/policy-configs/resilience4j_application.yml"),
    "resilience4j.retry.instances.a.max-attempts=${A:3}\n\
     resilience4j.retry.instances.a.retry-exceptions[0]=x.Y\n#---\n\
     spring.config.activate.on-profile=prod\nresilience4j.retry.configs.default.wait-duration=1s\n",
    "kind: ConfigMap\napiVersion: v1\nmetadata: { name: c }\ndata:\n  application.yml: |\n    \
    resilience4j.circuitbreaker:\n      \
     configs: { default: { slidingWindowSize: 4 } }\n",
    "{\"configs\": [{\"dynamic_active_clusters\": [{\"cluster\": {\"@type\": \
    \"type.googleapis.com/envoy.config.cluster.v3.Cluster\", \
     \"name\": \"a\", \"circuit_breakers\": {\"thresholds\": [{\"max_requests\": 9}]}}}]}, \
     {\"virtual_hosts\": [{\"name\": \"v\", \
     \"domains\": [\"*\"], \"routes\": [{\"match\": {\"prefix\": \"/\"}, \"route\": \
     {\"weighted_clusters\": {\"clusters\": [{\"name\": \
     \"a\", \"weight\": 1}]}}}]}]}]}",
    "[{\"clientLanguage\": [\"go\"], \"serviceConfig\": {\"methodConfig\": [{\"name\": [{}], \
    \"hedgingPolicy\": {\"maxAttempts\": 3}}]}}]",
];

/// Pieces that mean something to one format or another.
const PIECES: [&str; 24] = [
    "0",
    "-1",
    "1e400",
    "99999999999999999999",
    "null",
    "~",
    "''",
    "[]",
    "{}",
    "{{ x }}",
    "${X}",
    "${X:1}",
    "- ",
    ": ",
    "\n---\n",
    "\n",
    "*a",
    "&a ",
    "!t ",
    "1.5s",
    "true",
    "\u{e9}",
    "\"",
    "  ",
];

/// A text with one to three of: a piece put in, a part taken out, a line doubled, a word replaced.
fn broken(text: &str, seed: u64) -> String {
    let mut random = stream(seed, 0);
    let mut text = text.to_owned();
    for _ in 0..1 + below(&mut random, 3) {
        let mut at = below(&mut random, text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let piece = PIECES[below(&mut random, PIECES.len())];
        let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let end = text[at..].find('\n').map_or(text.len(), |end| at + end + 1);
        match below(&mut random, 5) {
            0 => text.insert_str(at, piece),
            1 => drop(text.drain(line..end)),
            2 => {
                let copy = text[line..end].to_owned();
                text.insert_str(line, &copy);
            }
            3 => {
                let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let length = text[at..].find(|c: char| !is_word(c)).unwrap_or(text.len() - at);
                text.replace_range(at..at + length, piece);
            }
            _ => text.truncate(at),
        }
    }
    text
}

fn below(random: &mut impl rand::Rng, bound: usize) -> usize {
    (random.next_u64() % bound.max(1) as u64) as usize
}

/// How many are tried.
#[expect(clippy::disallowed_methods, reason = "how much is tried, not what comes out")]
fn count() -> u64 {
    match std::env::var("STORMGLASS_MUTATIONS") {
        Ok(count) => count.parse().expect("STORMGLASS_MUTATIONS is a number"),
        Err(_) => 3_000,
    }
}

#[test]
fn broken_configurations_are_read_or_refused_at_a_place() {
    let mut refused = 0;
    for seed in 0..count() {
        let text = broken(FILES[seed as usize % FILES.len()], seed);
        let Ok(import) = read(&text) else {
            refused += 1;
            continue;
        };
        import::json(&import, "config").expect("it can be written");
        import::arm(&import, "config", 80, "today").expect("it can be written");
        let mut sources = Sources::default();
        let source = sources.add("printed.toml", &printed(&import));
        let written = Value::parse(&sources, source).unwrap_or_else(|e| panic!("{text}\n{e:?}"));
        for each in &import.policies {
            let path = ["policy".to_owned(), each.name.clone()];
            let found = policy::read(written.find(&path).expect("it was printed"));
            let found = found.unwrap_or_else(|e| panic!("{text}\n{e}"));
            assert_eq!(found.policy, each.policy, "{text}");
        }
    }
    assert!(refused * 10 > count() && refused < count(), "{refused} of {} refused", count());
}
