//! Intervals of the time to a milestone cover the truth as often as those of replies do.
//!
//! Two single servers with a queue between them: what leaves M/M/1 is a Poisson process again
//! (Burke: "The output of a queuing system", Operations Research 4, 1956), and the times at both
//! are independent of each other (Reich: "Waiting times when queues are in tandem", Annals of
//! Mathematical Statistics 28, 1957). With load 0.5/s and rates of 1/s, both together are an Erlang
//! time of two steps with 0.5/s each.

use super::coverage::check;

const MODEL: &str = r#"
[clients.customers]
arrivals = { poisson = "0.5/s" }
flow = [{ call = "server.serve" }]

[service.server]
workers = 1
on.serve.steps = [{ work = "exp 1s" }, { publish = "jobs" }, { reply = "ok" }]

[queue.jobs]
visibility = "1h"

[service.worker]
workers = 1
takes = "jobs"
steps = [{ work = "exp 1s" }, { ack = true }]
"#;

fn experiment(drain: &str) -> String {
    format!(
        r#"
name = "coverage"
model = "inline"
arrivals = "1000s"
drain = "{drain}"
measure = {{ warm_up = "60s", window = "1000s" }}
milestone.done = {{ of = "server.serve", when = "acknowledged jobs" }}
"#
    )
}

/// The mean of an Erlang time of two steps with 0.5/s each: 2 / 0.5.
#[test]
fn of_the_mean_time_to_a_milestone() {
    check(&experiment("200s"), MODEL, 4.0, |run| run.metrics.milestones[0].mean_latency().unwrap());
}

/// Its median, where (1 + x) exp(-x) = 1 / 2 with x = 0.5/s times the median. Nothing is drained:
/// who is unfinished at the end counts as what it is.
#[test]
fn of_the_median_time_to_a_milestone_that_some_have_not_reached() {
    check(&experiment("0s"), MODEL, 2.0 * 1.678_346_990_016_661, |run| {
        run.metrics.milestones[0].quantile(0.5).unwrap().seconds()
    });
}
