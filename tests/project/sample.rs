//! A small campaign in memory, with every kind of node, of fault and of invariant.

use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::plan::documents::Documents;
use stormglass::experiment::run::result::RunResult;
use stormglass::model::document::{Patch, Sources, Value};
use stormglass::model::problem::Problem;

const MODEL: &str = r#"
[clients.shoppers]
processes = 5
arrivals = { poisson = "40/s" }
keys = { zipf = { exponent = 1.1, of = 100 } }
patience = "5s"
flow = [
  { call = "api.place_order", policy = "resilience" },
  { think = "exp 100ms" },
  { call = "api.order_status", policy = "resilience", expect = "own write" },
]

[service.api]
instances = 2
workers = 8
queue = { limit = 50 }

[service.api.on.place_order]
steps = [
  { work = "exp 2ms" },
  { transaction = "orders", policy = "internal", once = "request", write = [
      "order = accepted", "outbox = payment requested", "audit = accepted" ] },
  { reply = "ok" },
]

[service.api.on.order_status]
steps = [
  { work = "exp 1ms" },
  { read = "orders_replica.order", cache = "status", policy = "internal" },
  { reply = "ok" },
]

[database.orders]
connections = 8
commit = "exp 2ms"
read = "exp 500us"
flush = "each_commit"
tables = { order = {}, payment = {}, stock = { rows = "key", stock = 9 } }

[replica.orders_replica]
of = "orders"
lag = "exp 100ms"
read = "exp 500us"

[cache.status]
capacity = 50
ttl = "2s"
latency = "exp 200us"

[outbox.relay]
database = "orders"
queue = "payments"
poll = "50ms"
batch = 10
policy = "internal"

[queue.payments]
visibility = "3s"
max_receives = 3
redelivery = "500ms"
latency = "exp 500us"

[service.payer]
workers = 10
takes = "payments"
steps = [
  { call = "payment.charge", policy = "resilience" },
  { transaction = "orders", policy = "internal", once = "order", write = [
      "payment = recorded", "order = paid" ] },
  { ack = true, policy = "internal" },
]

[provider.payment]
concurrency = 10
queue = { limit = 20 }
latency = "lognormal 80ms sigma 0.5"
effects = ["charge", "refund"]

[link.default]
latency = "exp 500us"
reply_loss = "2%"

[policy.resilience]
timeout = "300ms"

[policy.internal]
timeout = "100ms"
"#;

const EXPERIMENT: &str = r#"
name = "sample"
title = "A sample"
question = "Does the code do what the documents say?"
model = "sample-model.toml"
seeds = "1..4"
arrivals = "6s"
drain = "6s"

[measure]
operation = "api.place_order"
load = "payment.charge"

[metastability]
window = "1s"
level = "50%"
for = "1s"

[blast_radius]
of = ["payment"]
slower = 2
at_least = "100ms"

[milestone.NAME]
of = "api.place_order"
when = "orders.order = paid"
within = "5s"

[slo.SLO]
of = "api.place_order"
good = "answer ok"
target = "99.9%"
window = "30d"

[compare]
precision = {}
pareto = ["amplification", "success_ratio"]

[[faults]]
kind = "slow"
target = "payment"
factor = 5
at = "2s"
for = "2s"

[[faults]]
kind = "errors"
target = "payment"
share = "20%"
after_effect = "50%"
at = "2s"
for = "2s"

[[faults]]
kind = "request_loss"
target = "shoppers -> api"
share = "5%"
at = "2s"
for = "1s"

[[faults]]
kind = "reply_loss"
target = "all"
share = "5%"
at = "2s"
for = "1s"

[[faults]]
kind = "latency"
target = "payer -> payment"
added = "5ms"
at = "2s"
for = "1s"

[[faults]]
kind = "traffic_spike"
target = "shoppers"
rate = "60/s"
at = "3s"
for = "1s"

[invariants]
one_charge = { effect = "charge" }
paid_has_payment = { paid = "orders.order = paid", payment = "orders.payment = recorded" }
charge_has_order = { effect = "charge", order = "orders.order" }
read_your_writes = { read = "api.order_status" }
monotonic_reads = { read = "api.order_status" }
bounded_staleness = { read = "orders.order", within = "1s" }
no_stale_authorisation = { revoked = "orders.order = paid", protected = "charge" }
ledger_conserved = { debit = "orders.order", credit = "orders.payment" }
amount_kept = { order = "orders.order = accepted", charge = "charge" }
same_answer = { operation = "payment.charge" }
no_lost_update = { table = "orders.order" }
legal_states = { table = "orders.order", allowed = ["-> accepted", "accepted -> paid"] }
deadline_honest = { effect = "charge", operation = "api.place_order", skew = "1s" }
fencing = { database = "orders" }
contained = { in = ["payer"], but = ["api.order_status"], slower = 2, at_least = "100ms" }
no_oversell = { stock = "orders.stock", sold = "orders.order = paid" }

[invariants.accepted_order_kept]
accepted = "api.place_order"
order = "orders.order"
settled = "orders.order = paid"

[invariants.settled_or_compensated]
accepted = "api.place_order"
settled = "orders.order = paid"
cancelled = "orders.order = cancelled"
effect = "charge"
refund = "refund"
within = "2s"

[invariants.no_phantom_event]
queue = "payments"
committed = "orders.order"

[invariants.no_lost_event]
committed = "orders.order = accepted"
queue = "payments"
within = "2s"

[invariants.event_order]
queue = "payments"
per = "key"

[invariants.applied_once]
applied = "orders.payment = recorded"

[invariants.audit_complete]
of = "orders.order = accepted"
entry = "accepted"

[invariants.projection_matches]
source = "orders.order"
projection = "orders_replica.order"

[invariants.honest_answer]
answer = "api.place_order"
done = "orders.order = paid"
effect = "charge"
within = "2s"

[invariants.implies]
if = "orders.order = paid"
then = ["effect charge"]

[invariants.retries_bounded]
operation = "payment.charge"
attempts = 4
attempts_per_order = 4
ratio = "20%"
reserve = 10
per = "2s"
[expect]
amplification = "<= 1.3"
recovers = "within 1s"

[arms.no_retry]

[arms.full_jitter.set."policy.resilience.retry"]
attempts = 4
backoff = "exponential 50ms x2 cap 1s"
jitter = "full"

[arms.breaker.set."policy.resilience.retry"]
attempts = 4
backoff = "exponential 50ms x2 cap 1s"
jitter = "full"
budget = { ratio = 0.1 }

[arms.breaker.set."policy.resilience.breaker"]
failure_ratio = 0.5
window = "5s"
minimum = 10
open_for = "1s"
probes = 3

[factors.workers.few]
[factors.workers.few.set]
"service.payer.workers" = 2

[factors.workers.many]
"#;

/// What a search has no use for, and refuses.
const OF_CAMPAIGNS: [&str; 2] = [
    "[compare]\nprecision = {}\npareto = [\"amplification\", \"success_ratio\"]\n",
    "[expect]\namplification = \"<= 1.3\"\nrecovers = \"within 1s\"\n",
];

/// The campaign, with paths and values that are set as the command line would.
pub(crate) fn campaign(set: &[(&str, &str)]) -> Campaign {
    compiled(EXPERIMENT, set)
}

/// The campaign of a question that is looked for round by round, such as `search`.
pub(crate) fn exploring(section: &str, question: &str) -> Campaign {
    let without = OF_CAMPAIGNS.iter().fold(EXPERIMENT.to_owned(), |text, part| {
        assert!(text.contains(part), "the sample has {part}");
        text.replace(part, "")
    });
    compiled(&without, &[(section, question)])
}

fn compiled(experiment: &str, set: &[(&str, &str)]) -> Campaign {
    let mut sources = Sources::default();
    let mut parse = |name: &str, text: &str| {
        let source = sources.add(name, text);
        Value::parse(&sources, source)
    };
    let experiment = parse("experiments/sample.toml", experiment).unwrap();
    let model = parse("models/sample-model.toml", MODEL).unwrap();
    let overrides = set
        .iter()
        .map(|&(path, value)| {
            let source = sources.add(path, value);
            let value = Value::parse_argument(&sources, source, 0);
            Patch { path: path.to_owned(), path_at: value.at, value }
        })
        .collect();
    let documents = Documents { experiment, model, overrides };
    let no_file = |name: &str| Err(Problem::new(format!("the sample names a file: {name}")));
    Campaign::new(&documents, &no_file).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// All its runs, in the order of their numbers.
pub(crate) fn run_all(campaign: &Campaign) -> Vec<RunResult> {
    (0..campaign.runs()).map(|number| campaign.run(number)).collect()
}
