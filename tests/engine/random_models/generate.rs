//! Random valid models: a random topology of the plainest nodes, and then many random changes that
//! the schema allows, of which those stay that the language accepts.

use std::collections::BTreeSet;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};
use stormglass::kernel::draw::stream;
use stormglass::model::document::{Sources, Value as Document};
use stormglass::model::problem::Problem;
use stormglass::model::program::Program;

/// Makes models from a schema.
pub(crate) struct Generator<'s> {
    schema: &'s Value,
    random: ChaCha8Rng,
    /// `Definition.property` of every value that some model had.
    pub(crate) covered: BTreeSet<String>,
}

/// How many changes are tried on each model.
const CHANGES: u64 = 50;
/// How deep a fresh value may be.
const DEPTH: u32 = 6;

/// What a step can do, and what can be said about how.
const ACTIONS: [(&str, &[&str]); 16] = [
    ("work", &["per_size"]),
    ("think", &[]),
    ("call", &["policy", "ignore_failure", "idempotency_key", "fallback", "quality", "expect"]),
    (
        "transaction",
        &[
            "policy",
            "ignore_failure",
            "once",
            "fallback",
            "quality",
            "write",
            "invalidate",
            "order",
            "if_unchanged",
        ],
    ),
    (
        "transaction",
        &[
            "policy",
            "ignore_failure",
            "once",
            "fallback",
            "quality",
            "write",
            "invalidate",
            "order",
            "if_unchanged",
        ],
    ),
    (
        "read",
        &["policy", "ignore_failure", "cache", "wait", "sticky", "amount", "fallback", "quality"],
    ),
    (
        "read",
        &["policy", "ignore_failure", "for_update", "for_update", "amount", "fallback", "quality"],
    ),
    (
        "read",
        &["policy", "ignore_failure", "cache", "wait", "sticky", "amount", "fallback", "quality"],
    ),
    ("publish", &["policy", "ignore_failure", "fallback", "quality", "event"]),
    ("reply", &[]),
    ("ack", &["policy", "ignore_failure", "fallback", "quality"]),
    ("nack", &[]),
    ("when", &["then", "otherwise", "then", "otherwise", "division"]),
    ("parallel", &["need", "ignore_failure", "fallback", "quality"]),
    ("parallel", &["need", "copies", "ignore_failure", "fallback", "quality"]),
    (
        "repeat",
        &[
            "times",
            "times",
            "times",
            "until",
            "between",
            "on",
            "patience",
            "persistence",
            "ignore_failure",
            "fallback",
            "quality",
        ],
    ),
];

/// Compiles a model given as JSON.
pub(crate) fn compile(model: &Value) -> Result<Program, Vec<Problem>> {
    let mut sources = Sources::default();
    let source = sources.add("model.json", &model.to_string());
    let document = Document::parse(&sources, source)?;
    let no_files = |name: &str| Err(Problem::new(format!("no file {name} in this test")));
    stormglass::model::compile(&document, &no_files)
}

impl<'s> Generator<'s> {
    pub(crate) fn new(schema: &'s Value, seed: u64) -> Generator<'s> {
        let random = stream(seed, 1);
        Generator { schema, random, covered: BTreeSet::new() }
    }

    /// Starts anew from a seed; what was covered stays.
    pub(crate) fn restart(&mut self, seed: u64) {
        self.random = stream(seed, 1);
    }

    /// A valid model.
    pub(crate) fn model(&mut self) -> Value {
        let mut model = self.skeleton();
        if let Err(problems) = compile(&model) {
            panic!("the plainest model is refused: {problems:?}\n{model:#}");
        }
        for _ in 0..CHANGES {
            let before = model.clone();
            self.change(&mut model);
            if compile(&model).is_err() {
                model = before;
            }
        }
        model
    }

    /// Notes every property that a model has.
    pub(crate) fn note_covered(&mut self, model: &Value) {
        let schema = self.schema;
        self.cover(model, schema, "Model");
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.random.next_u64() % bound
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    /// Changes one value somewhere.
    fn change(&mut self, model: &mut Value) {
        let schema = self.schema;
        if self.below(2) == 0 {
            return self.change_at(model, schema, "Model", 0);
        }
        let list = self.pick(&[
            "/clients/clients0/flow",
            "/service/service0/on/ask/steps",
            "/service/service0/on/ask/steps",
            "/service/worker0/steps",
            "/service/shop/on/look/steps",
        ]);
        // An earlier change may have taken the list away.
        if let Some(Value::Array(steps)) = model.pointer_mut(list) {
            let index = self.below(1 + steps.len() as u64) as usize;
            steps.insert(index, self.step(0));
        }
    }

    fn change_at(&mut self, value: &mut Value, schema: &'s Value, name: &str, depth: u32) {
        let (schema, name) = self.resolve(schema, name);
        let deeper = depth < 2 || self.below(3) > 0;
        match value {
            Value::Object(fields) if deeper && schema.get("properties").is_some() => {
                let properties = schema["properties"].as_object().expect("properties");
                let names: Vec<&String> = properties.keys().collect();
                let key = names[self.below(names.len() as u64) as usize].clone();
                let inner = &properties[&key];
                let path = format!("{name}.{key}");
                match fields.get_mut(&key) {
                    Some(field) if self.below(2) == 0 || depth == 0 => {
                        self.change_at(field, inner, &path, depth + 1);
                    }
                    _ if depth > 0 => {
                        let fresh = self.fresh(inner, &path, &key, 0);
                        fields.insert(key, fresh);
                    }
                    _ => {}
                }
            }
            Value::Object(fields) if deeper && schema.get("additionalProperties").is_some() => {
                let names: Vec<String> = fields.keys().cloned().collect();
                if !names.is_empty() {
                    let key = &names[self.below(names.len() as u64) as usize];
                    let inner = &schema["additionalProperties"];
                    if let Some(field) = fields.get_mut(key) {
                        self.change_at(field, inner, &name, depth + 1);
                    }
                }
            }
            Value::Array(parts) if deeper && !parts.is_empty() => {
                let index = self.below(parts.len() as u64) as usize;
                self.change_at(&mut parts[index], &schema["items"], &name, depth + 1);
            }
            _ => {
                let key = name.rsplit('.').next().unwrap_or_default().to_owned();
                *value = self.fresh(schema, &name, &key, 0);
            }
        }
    }

    /// The schema behind a reference, without the choice of nothing, and its name.
    fn resolve(&self, schema: &'s Value, name: &str) -> (&'s Value, String) {
        let mut schema = schema;
        let mut name = name.to_owned();
        loop {
            if let Some(Value::String(reference)) = schema.get("$ref") {
                let definition = reference.trim_start_matches("#/$defs/");
                name = definition.to_owned();
                schema = &self.schema["$defs"][definition];
            } else if let Some(choice) = only_choice(schema) {
                schema = choice;
            } else {
                return (schema, name);
            }
        }
    }

    /// A value as the schema says.
    fn fresh(&mut self, schema: &'s Value, name: &str, key: &str, depth: u32) -> Value {
        let (schema, name) = self.resolve(schema, name);
        if name == "Step" {
            return self.step(depth);
        }
        if let Some(text) = self.quantity(&name) {
            return text;
        }
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(Value::Array(values)) = schema.get("enum") {
            return values[self.below(values.len() as u64) as usize].clone();
        }
        for choice in ["oneOf", "anyOf"] {
            if let Some(Value::Array(choices)) = schema.get(choice) {
                let number = self.below(choices.len() as u64);
                return self.fresh(&choices[number as usize], &name, key, depth);
            }
        }
        match type_of(schema) {
            "object" => self.object(schema, &name, depth),
            "array" => {
                let count = 1 + self.below(3);
                let parts = (0..count).map(|_| self.fresh(&schema["items"], &name, key, depth + 1));
                Value::Array(parts.collect())
            }
            "integer" => json!(self.pick(&[0_u64, 1, 1, 2, 2, 3, 5, 10, 50])),
            "number" => json!(self.pick(&[0.0, 0.1, 0.5, 1.0, 1.5, 2.0, 10.0])),
            "boolean" => json!(self.below(2) == 0),
            "string" => self.word(key),
            _ => Value::Null,
        }
    }

    fn object(&mut self, schema: &'s Value, name: &str, depth: u32) -> Value {
        let mut fields = Map::new();
        let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (key, inner) in properties {
                let is_required = required.iter().any(|name| name == key);
                if is_required || (depth < DEPTH && self.below(4) == 0) {
                    let path = format!("{name}.{key}");
                    fields.insert(key.clone(), self.fresh(inner, &path, key, depth + 1));
                }
            }
        } else if let Some(inner) =
            schema.get("additionalProperties").filter(|inner| inner.is_object())
        {
            let key = self.pick(&["provider0", "service1", "database0", "extra"]);
            fields.insert(key.to_owned(), self.fresh(inner, name, key, depth + 1));
        }
        Value::Object(fields)
    }

    /// A step that does one thing, in some way.
    fn step(&mut self, depth: u32) -> Value {
        let properties = self.schema["$defs"]["Step"]["properties"].as_object().expect("steps");
        let plainest: (&str, &[&str]) = ("work", &[]);
        let (action, modifiers) = if depth < DEPTH { self.pick(&ACTIONS) } else { plainest };
        let mut fields = Map::new();
        let mut put = |generator: &mut Self, key: &str| {
            let name = format!("Step.{key}");
            let value = generator.fresh(&properties[key], &name, key, depth + 2);
            fields.insert(key.to_owned(), value);
        };
        put(self, action);
        for modifier in modifiers {
            if self.below(3) == 0 {
                put(self, modifier);
            }
        }
        if !fields.contains_key("fallback") {
            // A quality is that of a fallback.
            fields.remove("quality");
        }
        Value::Object(fields)
    }

    /// Notes every property that a part of a model has.
    fn cover(&mut self, value: &Value, schema: &'s Value, name: &str) {
        let (schema, name) = self.resolve(schema, name);
        for several in [&schema["anyOf"], &schema["oneOf"]] {
            let named = |choice: &&Value| choice["$ref"].is_string();
            for choice in several.as_array().into_iter().flatten().filter(named) {
                self.cover(value, choice, &name);
            }
        }
        let choices = schema["oneOf"].as_array().into_iter().flatten();
        let choices: Vec<&'s Value> = choices.chain([schema]).collect();
        match value {
            Value::Object(fields) => {
                for (key, inner) in fields {
                    let known = choices.iter().find_map(|choice| choice["properties"].get(key));
                    if let Some(known) = known {
                        self.covered.insert(format!("{name}.{key}"));
                        self.cover(inner, known, &format!("{name}.{key}"));
                    } else if schema["additionalProperties"].is_object() {
                        self.cover(inner, &schema["additionalProperties"], &name);
                    }
                }
            }
            Value::Array(parts) => {
                for part in parts {
                    self.cover(part, &schema["items"], &name);
                }
            }
            _ => {}
        }
    }

    /// The quantities of the language, by the names of their definitions.
    fn quantity(&mut self, name: &str) -> Option<Value> {
        Some(match name {
            "Duration" => json!(self.pick(&["0s", "1ms", "10ms", "100ms", "500ms", "1s", "5s"])),
            "Rate" => json!(self.pick(&["0/s", "1/s", "20/s", "50/s", "600/min"])),
            "Bandwidth" => json!(self.pick(&["1/s", "200/s", "10MB/s", "1Mbit/s"])),
            "Size" => json!(self.pick(&["0B", "1kB", "2MB"])),
            "RetryAfter" => json!(self.pick(&["exact", "10ms", "1s"])),
            "Share" => json!(self.pick(&["0%", "5%", "50%", "100%"])),
            "Count" => json!(self.pick(&["1", "3", "20", "unlimited"]))
                .as_str()
                .map(|text| text.parse::<u32>().map_or(json!(text), |count| json!(count)))?,
            "Distribution" if self.below(10) == 0 => json!({ "empirical": ["1ms", "5ms", "5ms"] }),
            "Distribution" => json!(self.pick(&[
                "0s",
                "2ms",
                "exp 5ms",
                "uniform 1ms..9ms",
                "normal 3ms sigma 1ms",
                "lognormal 3ms sigma 1",
                "pareto 1ms shape 1.5",
                "weibull 3ms shape 0.5",
                "erlang 3 5ms",
                "mix 90% exp 1ms, 10% exp 20ms",
            ])),
            _ => return None,
        })
    }

    /// Text that may name something.
    fn word(&mut self, key: &str) -> Value {
        let words: &[&str] = match key {
            "call" => &["service1.ask", "service2.ask", "provider0.charge"],
            "transaction" | "database" | "of" => &["database0"],
            "read" => {
                &["replica0.table0", "database0.table0", "database0.table1", "database0.stock0"]
            }
            "publish" | "queue" | "takes" => &["queue0"],
            "dead_letters" => &["queue1"],
            "cache" | "invalidate" => &["cache0"],
            "event" => &["event"],
            "policy" => &["policy0", "policy1", "policy2"],
            "write" => &[
                "table0 = new",
                "table1 = old",
                "outbox = event",
                "audit = entry",
                "stock0 - 1",
                "stock0 + 2",
                "stock0 = read - 1",
            ],
            "backoff" => &["none", "constant 10ms", "linear 10ms", "exponential 10ms x2 cap 1s"],
            "preset" => &["grpc", "istio", "aws-standard@2.1", "envoy"],
            "state" | "not_state" => &["new", "old", "lost"],
            "effects" => &["charge", "refund"],
            _ => &["one", "two", "service0", "replica0"],
        };
        json!(self.pick(words))
    }
}

/// The one choice of several that is something.
fn only_choice(schema: &Value) -> Option<&Value> {
    let choices = schema.get("anyOf")?.as_array()?;
    let mut something = choices.iter().filter(|choice| choice["type"] != "null");
    something.next().filter(|_| something.next().is_none())
}

/// The type that is not nothing.
fn type_of(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(name) => name,
        Value::Array(names) => {
            names.iter().filter_map(Value::as_str).find(|&name| name != "null").unwrap_or("null")
        }
        _ => "null",
    }
}

/// `Definition.property` of everything that the schema has.
pub(crate) fn everything(schema: &Value) -> BTreeSet<String> {
    let definitions = schema["$defs"].as_object().expect("definitions");
    // What a choice by `kind` has is drawn as a part of the choice, which has no name of its own.
    let kinds = definitions.values().filter_map(|definition| definition["anyOf"].as_array());
    let kinds = kinds.flatten().filter_map(|kind| kind["properties"].as_object());
    let kinds: BTreeSet<&str> = kinds
        .flat_map(|kind| kind.values())
        .filter_map(|kind| kind["$ref"].as_str()?.strip_prefix("#/$defs/"))
        .collect();
    let mut all = BTreeSet::new();
    for (name, definition) in definitions.iter().filter(|(name, _)| !kinds.contains(name.as_str()))
    {
        let choices = definition["oneOf"].as_array().into_iter().flatten();
        for object in choices.chain([definition]) {
            let properties = object["properties"].as_object().into_iter().flatten();
            all.extend(properties.map(|(key, _)| format!("{name}.{key}")));
        }
    }
    all
}
