//! How often messages are doubled, lost and invented, against closed forms: crashes at the steps
//! of a relay and of a dual write, and the lag of a poll. With the mechanism that prevents it,
//! never.
//!
//! Every interval is one of 99.9%, so of the checks below one in two hundred campaigns of new
//! seeds would fail somewhere. The seeds are fixed.

use std::collections::BTreeMap;

use crate::common::{Changed, campaign, runs};
use stormglass::kernel::time::Time;
use stormglass::statistics::interval::{Estimate, mean_interval};
use stormglass::statistics::proportion::wilson;
use stormglass::statistics::rare::zero_events_upper;
use stormglass::system::fact::Fact;
use stormglass::system::{Observer, World};

/// Orders that come one after the other, so that whoever dies takes one of them along.
fn model(steps: &str, relay: &str) -> String {
    format!(
        r#"
[clients.users]
arrivals = {{ constant = "50/s" }}
flow = [{{ call = "api.place" }}]

[service.api]
workers = "unlimited"
on.place.steps = [{steps}]

[database.orders]
commit = "1ms"
read = "0s"
tables = {{ order = {{}}, applied = {{}} }}

[outbox.relay]
database = "orders"
queue = "events"
policy = "internal"
{relay}

[queue.events]
visibility = "1s"
latency = "1ms"

[policy.internal]
timeout = "200ms"
"#
    )
}

/// Who takes the events, with or without an inbox.
fn worker(once: &str) -> String {
    format!(
        "[service.worker]\nworkers = \"unlimited\"\ntakes = \"events\"\nsteps = [\
         {{ transaction = \"orders\", write = [\"applied = done\"] {once} }}, \
         {{ ack = true }}]\n"
    )
}

/// An experiment with 50 orders a second for so long.
fn experiment(seconds: u64, more: &str) -> String {
    format!(
        "name = \"rates\"\nmodel = \"inline\"\narrivals = \"{seconds}s\"\ndrain = \"20s\"\n\
         seeds = \"1..2\"\n{more}"
    )
}

/// Everyone who comes to a step dies with this probability, and is there again at once.
fn deaths(kind: &str, target: &str, step: &str, share: f64) -> String {
    format!(
        "[[faults]]\nkind = \"{kind}\"\ntarget = \"{target}\"\nstep = \"{step}\"\n\
         share = {share}\ndown = \"1us\"\nat = \"0s\"\nfor = \"79s\"\n"
    )
}

/// How often the one invariant of an experiment was broken, and how often it could have been.
fn tally(experiment: &str, model: &str) -> (u64, u64) {
    let runs = runs(experiment, model);
    let verdicts = runs.iter().map(|run| &run.invariants[0]);
    verdicts.fold((0, 0), |(violations, exposure), verdict| {
        (violations + verdict.violations, exposure + verdict.exposure)
    })
}

/// A prediction lies in the interval of what was seen, which is narrow.
fn assert_within(seen: Estimate, width: f64, predicted: f64) {
    let (low, high) = (seen.interval.low, seen.interval.high);
    assert!(high - low < width, "{seen:?} says too little");
    assert!(low < predicted && predicted < high, "{predicted} is not in {seen:?}");
}

/// A predicted probability agrees with what was seen.
fn assert_share((violations, exposure): (u64, u64), predicted: f64) {
    assert_within(wilson(violations, exposure, 0.999).unwrap(), 0.06, predicted);
}

/// Nothing was seen, in so many trials that at a level of 95% its probability is below 0.1%: zero
/// in `n` trials bounds it by `1 - 0.05^(1/n)`, about `3/n` (the rule of three).
fn assert_never((violations, exposure): (u64, u64)) {
    let bound = zero_events_upper(exposure, 0.95).unwrap();
    assert_eq!(violations, 0);
    assert!(bound < 0.001, "{exposure} trials bound it by {bound} only");
}

// ---- duplicates of a relay ----------------------------------------------------------------------

/// Every message that reached the queue.
#[derive(Default)]
struct Published {
    events: u64,
    messages: u64,
    /// When each event was committed, by its place.
    committed: BTreeMap<u64, Time>,
    /// How long each waited for its first message, in seconds.
    lags: Vec<f64>,
}

impl Observer for Published {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Fact::Outboxed { place, .. } => {
                self.events += 1;
                self.committed.insert(place, now);
            }
            Fact::Enqueued { event, .. } => {
                self.messages += 1;
                if let Some(committed) = self.committed.remove(&event) {
                    self.lags.push(now.since(committed).seconds());
                }
            }
            _ => {}
        }
    }
}

fn published(seconds: u64, faults: &str, model: &str, seed: u64) -> Published {
    let campaign = campaign(&experiment(seconds, faults), model);
    let cell = &campaign.cells[0];
    let (controls, end) = (&cell.plan.controls, cell.measure.arrivals_end);
    let mut published = Published::default();
    World::new(&cell.program, controls, seed, end, cell.limits, &mut published).run();
    published
}

/// Messages for each event, by runs of 20 s.
fn messages_per_event(faults: &str, model: &str) -> Estimate {
    let ratio = |seed| {
        let run = published(20, faults, model, seed);
        assert_eq!(run.lags.len() as u64, run.events, "an event was lost");
        run.messages as f64 / run.events as f64
    };
    let ratios: Vec<f64> = (1..=8).map(ratio).collect();
    mean_interval(&ratios, 0.999).unwrap()
}

const OUTBOX: &str = "{ transaction = \"orders\", write = [\"order = placed\", \
                      \"outbox = placed\"] }, { reply = \"ok\" }";

#[test]
fn a_relay_that_dies_before_it_marks_publishes_as_often_as_the_closed_form_says() {
    // Each publication is the last with probability 1 - c.
    let c = 0.2;
    let one = model(OUTBOX, "poll = \"1ms\"\nbatch = 1");
    let seen = messages_per_event(&deaths("relay_crash", "relay", "publish", c), &one);
    assert_within(seen, 0.1, 1.0 / (1.0 - c));
    // Without deaths every event is published once.
    assert_eq!(messages_per_event("", &one).mean, 1.0);
}

#[test]
fn a_batch_that_is_marked_at_once_is_published_again_as_a_whole() {
    // A batch is done with after as many successes in a row as it has events. A relay that is away
    // while orders arrive finds full batches.
    let (c, batch) = (0.05, 10);
    let away = "[[faults]]\nkind = \"crash\"\ntarget = \"relay\"\nat = \"0s\"\nfor = \"20s\"\n";
    let faults = format!("{away}{}", deaths("relay_crash", "relay", "publish", c));
    let model = model(OUTBOX, &format!("poll = \"1ms\"\nbatch = {batch}"));
    let q = libm::pow(1.0 - c, f64::from(batch));
    let predicted = (1.0 - q) / (f64::from(batch) * c * q);
    assert_within(messages_per_event(&faults, &model), 0.2, predicted);
}

#[test]
fn a_worker_without_an_inbox_applies_what_is_published_twice() {
    let c = 0.1;
    let invariant = "[invariants]\napplied_once = { applied = \"orders.applied = done\" }\n";
    let deaths = deaths("relay_crash", "relay", "publish", c);
    let experiment = experiment(61, &format!("{invariant}{deaths}"));
    let outbox = model(OUTBOX, "poll = \"1ms\"\nbatch = 1");
    assert_share(tally(&experiment, &format!("{outbox}{}", worker(""))), c);
    assert_never(tally(&experiment, &format!("{outbox}{}", worker(", once = \"order\""))));
}

// ---- dual writes --------------------------------------------------------------------------------

const LOST: &str = "[invariants]\nno_lost_event = { committed = \"orders.order = placed\", \
                    queue = \"events\", within = \"1s\" }\n";
const PHANTOM: &str = "[invariants]\nno_phantom_event = { queue = \"events\", \
                       committed = \"orders.order\" }\n";
/// A relay that has nothing to do.
const IDLE: &str = "poll = \"10s\"";

#[test]
fn commit_then_publish_loses_the_share_that_dies_between() {
    let c = 0.1;
    let deaths = deaths("worker_kill", "api", "orders.transaction", c);
    let experiment = experiment(61, &format!("{LOST}{deaths}"));
    let dual = "{ transaction = \"orders\", write = [\"order = placed\"] }, \
                { publish = \"events\" }, { reply = \"ok\" }";
    assert_share(tally(&experiment, &model(dual, IDLE)), c);
    // The events of the same transactions go through an outbox.
    assert_never(tally(&experiment, &model(OUTBOX, "poll = \"100ms\"")));
}

#[test]
fn publish_then_commit_invents_what_dies_or_is_aborted_between() {
    let (c, a) = (0.1, 0.2);
    let deaths = deaths("worker_kill", "api", "events.publish", c);
    let experiment = experiment(61, &format!("{PHANTOM}{deaths}"));
    let abort = "{ when = { share_of_requests = 0.2 }, then = [{ reply = \"failed\" }], \
                 otherwise = [TRANSACTION] }";
    let transaction = "{ transaction = \"orders\", write = [\"order = placed\" EVENT] }, \
                       { reply = \"ok\" }";
    let abort = abort.changed("TRANSACTION", transaction);
    let dual = format!("{{ publish = \"events\" }}, {}", abort.changed(" EVENT", ""));
    assert_share(tally(&experiment, &model(&dual, IDLE)), 1.0 - (1.0 - c) * (1.0 - a));
    // The same aborts, and deaths right after the commit; for longer, as some are aborted.
    let experiment = experiment
        .changed("events.publish", "orders.transaction")
        .changed("arrivals = \"61s\"", "arrivals = \"79s\"");
    let outbox = abort.changed(" EVENT", ", \"outbox = placed\"");
    assert_never(tally(&experiment, &model(&outbox, "poll = \"100ms\"")));
}

// ---- the lag of a poll --------------------------------------------------------------------------

#[test]
fn an_event_waits_for_the_next_poll_which_comes_at_any_time_until_then() {
    let poll = 1.0;
    let instant = model(OUTBOX, "poll = \"1s\"\nbatch = 1000")
        .changed("constant = \"50/s\"", "poisson = \"50/s\"")
        .changed("commit = \"1ms\"", "commit = \"0s\"")
        .changed("latency = \"1ms\"", "latency = \"0s\"");
    let mut lags = published(61, "", &instant, 1).lags;
    lags.sort_by(f64::total_cmp);
    let n = lags.len() as f64;
    assert!(n > 2_500.0, "{n}");
    // The greatest distance of the empirical distribution from the uniform one (Kolmogorov, 1933):
    // above 1.95 / sqrt(n) with probability 0.1%.
    let ranks = lags.iter().enumerate();
    let distances = ranks.map(|(index, lag)| {
        let (below, at) = (index as f64 / n, (index + 1) as f64 / n);
        (lag / poll - below).abs().max((lag / poll - at).abs())
    });
    let distance = distances.fold(0.0, f64::max);
    assert!(distance < 1.95 / n.sqrt(), "{distance} with {n} lags");
}
