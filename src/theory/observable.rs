//! Numbers of a run that closed forms give the expectation of.

/// A number of a run. Times are in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Observable {
    /// One of the metrics by its name; those in milliseconds become seconds.
    Metric(&'static str),
    /// One less a metric.
    LessThanOne(&'static str),
    /// A metric less one.
    MoreThanOne(&'static str),
    /// This quantile of the latencies.
    Latency(f64),
    /// The variance of the latencies.
    LatencyVariance,
    /// The standard deviation of the latencies.
    LatencyDeviation,
    /// The share of latencies that are longer.
    LatencyAbove(f64),
    /// This quantile of the waits for a worker.
    Wait(f64),
    /// The variance of the waits.
    WaitVariance,
    /// The share of attempts that found at least so many at their node.
    Found(u32),
    /// Attempts at a node, at work or waiting, averaged over time.
    Present,
    /// Attempts that a worker took up, a second.
    Begun,
    /// Requests between two attempts, averaged over time.
    Orbit,
    /// How long a request was between attempts, by Little's law.
    OrbitTime,
    /// The variance of the attempts that users' clients made for a request.
    AttemptsVariance,
    /// Effects for each request.
    Effects,
    /// Effects beyond the first of their order, for each request.
    FurtherEffects,
    /// Orders for which the first invariant was broken, for each request.
    Violations,
    /// Rows read that were older than the newest, for so many rows read.
    OldRows(f64),
    /// Messages that queues accepted, for each event of the outbox.
    Published,
    /// Attempts of the load, a second.
    LoadRate,
    /// Calls that a caller's own policy denied.
    Denied,
}
