//! The topology that random models begin with: the plainest nodes of each kind, whose calls go from
//! layer to layer.

use serde_json::{Map, Value, json};
use stormglass::model::policy::text_of;
use stormglass::model::presets;

use crate::random_models::generate::Generator;

impl Generator<'_> {
    /// Clients, layers of services, and one node of each other kind that the services use.
    pub(crate) fn skeleton(&mut self) -> Value {
        let layers = 1 + self.below(3);
        let mut services = Map::new();
        for layer in 0..layers {
            let mut steps = vec![json!({ "work": "1ms" })];
            for _ in 0..self.below(4) {
                steps.push(self.handler_step(layer, layers));
            }
            steps.push(json!({ "reply": "ok" }));
            let service = json!({ "workers": 1 + self.below(8), "instances": 1 + self.below(3), "on": { "ask": { "steps": steps } } });
            services.insert(format!("service{layer}"), service);
        }
        let worker = json!({ "workers": 2, "takes": "queue0", "steps": [
            { "call": "provider0.charge", "policy": "policy0", "ignore_failure": true },
            { "ack": true, "policy": "policy0" },
        ] });
        services.insert("worker0".to_owned(), worker);
        services.insert("shop".to_owned(), self.shop());
        let limits = [
            json!({ "aimd": { "initial": 20, "max": 100, "backoff": "90%" } }),
            json!({ "vegas": { "initial": 20, "max": 100 } }),
            json!({ "gradient2": {
                "initial": 20, "min": 5, "max": 100, "long_window": 100, "smoothing": 0.2,
            } }),
        ];
        services["service0"]["concurrency_limit"] = limits[self.below(3) as usize].clone();
        json!({
            "clients": self.clients(),
            "service": services,
            "database": { "database0": {
                "commit": "1ms", "read": "1ms",
                "tables": { "table0": {}, "table1": { "rows": "key" }, "stock0": some_stock() },
            } },
            "replica": { "replica0": { "of": "database0", "lag": "exp 20ms", "read": "1ms" } },
            "cache": { "cache0": { "capacity": 10 } },
            "queue": { "queue0": { "visibility": "1s" }, "queue1": { "visibility": "1s" } },
            "outbox": { "outbox0": {
                "database": "database0", "queue": "queue0", "poll": "50ms", "policy": "policy0",
            } },
            "provider": { "provider0": { "concurrency": 4, "latency": "exp 5ms" } },
            "link": {
                "default": { "latency": "1ms" },
                "clients1 -> service0": { "bandwidth": "10MB/s", "message_size": "1kB" },
            },
            "policy": {
                "policy0": { "timeout": "100ms" },
                "policy1": {
                    "timeout": "200ms", "retry": { "attempts": 3 },
                    "outlier": {
                        "consecutive": 1, "interval": "50ms", "base_ejection_time": "100ms",
                        "max_ejected": "100%",
                    },
                },
                "policy2": self.preset(),
                "policy3": { "preset": "aws-standard@2.1", "without": ["budget"] },
                "policy4": rare_keys(),
            },
        })
    }

    /// Users of every kind of arrivals.
    fn clients(&mut self) -> Value {
        json!({ "reader": self.reader(), "clients0": {
            "arrivals": { "poisson": "20/s" },
            "flow": [
                { "call": "service0.ask", "policy": "policy0", "ignore_failure": true },
                { "think": "10ms" },
                { "call": "service0.ask", "policy": "policy1" },
            ],
        }, "clients2": {
            "arrivals": { "daily": {
                "mean": "5/s", "amplitude": "50%", "period": "2s", "peak": "1s",
                "start": "500ms",
            } },
            "flow": [{ "call": "service0.ask", "policy": "policy3" }],
        }, "clients1": {
            "arrivals": { "profile": [
                { "at": "0s", "rate": "2/s" },
                { "at": "1s", "rate": "2/s", "until": "2s", "to": "8/s" },
            ] },
            "keys": { "uniform": 5 },
            "hot": { "share": "20%", "every": "1s" },
            "mix": [
                { "weight": 2, "flow": [{ "call": "service0.ask", "policy": "policy0" }] },
                { "weight": 1, "flow": [{ "call": "service0.ask", "policy": "policy1" }] },
            ],
        } })
    }

    /// A service that writes a row and shows it, perhaps late.
    fn shop(&mut self) -> Value {
        let read = self.pick(&["replica0.table0", "replica0.table0", "database0.table0"]);
        let policy = self.pick(&["policy0", "policy1", "policy2"]);
        let line = json!({ "limit": 50, "order": "adaptive_lifo", "backlog": 4 });
        json!({ "workers": 8, "instances": 1 + self.below(3), "queue": line, "on": {
            "put": { "steps": [
                { "transaction": "database0", "policy": policy, "write": ["table0 = new", "stock0 - 1"] },
                { "reply": "ok" },
            ] },
            "look": { "steps": [{ "read": read, "policy": policy }, { "reply": "ok" }] },
        } })
    }

    /// Users who write a row, and expect something of what they read of it.
    fn reader(&mut self) -> Value {
        let policy = self.pick(&["policy0", "policy1"]);
        let (put, look) = ("shop.put", "shop.look");
        json!({ "arrivals": { "poisson": "10/s" }, "flow": [
            { "call": put, "policy": policy, "ignore_failure": self.below(2) == 0 },
            { "call": look, "policy": policy, "expect": "own write", "ignore_failure": true },
            { "call": put, "policy": policy, "ignore_failure": true },
            { "call": look, "policy": policy, "expect": "not older", "ignore_failure": true },
            { "think": "20ms" },
            { "call": look, "policy": policy, "expect": "not older" },
        ] })
    }

    /// What a real client does, every number written out.
    fn preset(&mut self) -> Value {
        // By their own list: a preset that is added makes no other model of a number.
        let names: Vec<&str> = include_str!("presets.txt").lines().collect();
        let name = names[self.below(names.len() as u64) as usize];
        let chosen = presets::named(name).expect("it is one of them");
        serde_json::to_value(text_of(&chosen.policy)).expect("a policy")
    }

    /// A step of a handler in a layer; calls go to deeper layers only.
    fn handler_step(&mut self, layer: u64, layers: u64) -> Value {
        let deeper = layer + 1 + self.below(2);
        let policy = self.pick(&["policy0", "policy1", "policy2"]);
        match self.below(7) {
            0 if deeper < layers => {
                json!({ "call": format!("service{deeper}.ask"), "policy": policy })
            }
            1 => {
                json!({ "call": "provider0.charge", "policy": policy, "idempotency_key": "order" })
            }
            2 => json!({ "transaction": "database0", "policy": policy,
                         "write": ["table0 = new", "outbox = event"] }),
            3 => json!({ "read": "replica0.table0", "policy": policy, "cache": "cache0" }),
            4 => json!({ "read": "database0.table1", "policy": policy }),
            5 => json!({ "publish": "queue0", "policy": policy }),
            _ => json!({ "work": "exp 1ms" }),
        }
    }
}

fn some_stock() -> Value {
    json!({ "rows": "key", "stock": 30 })
}

/// A policy with keys that chance brings together too seldom.
fn rare_keys() -> Value {
    json!({
        "retry": { "backoff": {
            "growth": "linear", "base": "1ms", "step": "2ms", "min": "1ms", "floor": "1ms",
        } },
        "breaker": { "consecutive": 2, "half_open_for": "100ms" },
        "connections": {
            "limit": 2, "streams": 2, "queue": 5, "acquire_timeout": "50ms", "round_trips": 1,
            "accept": "1ms",
            "idle_timeout": "20ms", "max_idle": 1, "max_age": "200ms",
        },
    })
}
