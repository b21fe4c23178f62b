//! What W3 simulates, as tables, and the books that it keeps.

use std::hint::black_box;

const US: u64 = 1_000;
const MS: u64 = 1_000 * US;
const SECOND: u64 = 1_000 * MS;

/// A distribution of nanoseconds.
#[derive(Clone, Copy)]
pub(crate) enum Span {
    /// With this mean.
    Exponential(f64),
    /// With this median and standard deviation of the logarithm.
    Lognormal(f64, f64),
}

/// Workers, a line, and what is asked of others when the work is done.
pub(crate) struct Node {
    pub(crate) workers: u32,
    pub(crate) line: usize,
    pub(crate) service: Span,
    /// Share of the requests, and which edge.
    pub(crate) steps: Vec<(f64, u8)>,
}

#[derive(Clone, Copy)]
pub(crate) struct Edge {
    pub(crate) target: usize,
    pub(crate) latency: Span,
    pub(crate) loss: f64,
    pub(crate) timeout: u64,
    pub(crate) attempts: u8,
    pub(crate) base: u64,
    pub(crate) cap: u64,
    pub(crate) retries_denied: bool,
    pub(crate) breaker: Option<Rule>,
}

/// When a breaker opens, and for how long.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    ratio: f64,
    window: u64,
    minimum: u32,
    open_for: u64,
}

/// A fault that begins or ends.
#[derive(Clone, Copy)]
pub(crate) struct Switch {
    pub(crate) at: u64,
    pub(crate) slow: Option<(usize, u64)>,
    pub(crate) cut: Option<(usize, bool)>,
}

pub(crate) struct System {
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) switches: Vec<Switch>,
    /// From when, and how many a second.
    pub(crate) rates: Vec<(u64, f64)>,
    pub(crate) arrivals_end: u64,
}

pub(crate) struct Breaker {
    rule: Rule,
    opened_until: u64,
    since: u64,
    total: u32,
    failed: u32,
}

impl Breaker {
    pub(crate) fn new(rule: Rule) -> Breaker {
        Breaker { rule, opened_until: 0, since: 0, total: 0, failed: 0 }
    }

    pub(crate) fn admits(&self, now: u64) -> bool {
        now >= self.opened_until
    }

    pub(crate) fn record(&mut self, now: u64, is_ok: bool) {
        if now - self.since >= self.rule.window {
            (self.since, self.total, self.failed) = (now, 0, 0);
        }
        self.total += 1;
        self.failed += u32::from(!is_ok);
        let is_bad = f64::from(self.failed) >= self.rule.ratio * f64::from(self.total);
        if self.total >= self.rule.minimum && is_bad {
            self.opened_until = now + self.rule.open_for;
            (self.since, self.total, self.failed) = (now, 0, 0);
        }
    }
}

/// Times of faults and spikes are shares of these seconds of arrivals.
pub(crate) fn tables(seconds: u64) -> System {
    let part = |of_200: u64| of_200 * seconds * SECOND / 200;
    let exponential = |us: u64| Span::Exponential((us * US) as f64);
    let lognormal = |us: u64| Span::Lognormal((us * US) as f64, 0.4);
    let node = |workers, line, service| Node { workers, line, service, steps: Vec::new() };
    let api = Node {
        steps: vec![(1.0, 1), (0.2, 2), (0.1, 3), (0.05, 4), (0.3, 5)],
        ..node(64, usize::MAX, exponential(200))
    };
    let nodes = vec![
        api,
        node(16, 5_000, exponential(50)),
        node(16, 1_000, exponential(1_000)),
        node(16, 1_000, lognormal(2_000)),
        node(200, 1_000, lognormal(20_000)),
        node(8, 20_000, exponential(100)),
    ];
    let rule = Rule { ratio: 0.5, window: SECOND, minimum: 50, open_for: 5 * SECOND };
    let edge = |target, latency, timeout, (attempts, base, cap): (u8, u64, u64)| Edge {
        target,
        latency,
        loss: if target == 0 { 0.0 } else { 0.0005 },
        timeout: timeout * MS,
        attempts,
        base: base * MS,
        cap: cap * MS,
        retries_denied: attempts > 1,
        breaker: (target != 0).then_some(rule),
    };
    let edges = vec![
        edge(0, lognormal(400), 500, (3, 50, 1000)),
        edge(1, exponential(100), 10, (1, 0, 0)),
        edge(2, exponential(150), 50, (2, 5, 100)),
        edge(3, exponential(150), 100, (2, 10, 100)),
        edge(4, lognormal(5_000), 300, (2, 50, 1000)),
        edge(5, exponential(100), 20, (1, 0, 0)),
    ];
    let slow = |at, factor| Switch { at: part(at), slow: Some((3, factor)), cut: None };
    let cut = |at, is_cut| Switch { at: part(at), slow: None, cut: Some((2, is_cut)) };
    black_box(System {
        nodes,
        edges,
        switches: vec![slow(40, 5), slow(48, 1), cut(140, true), cut(144, false)],
        rates: vec![(0, 8_000.0), (part(96), 12_000.0), (part(106), 8_000.0)],
        arrivals_end: seconds * SECOND,
    })
}

/// What happened at one edge in one second.
#[derive(Clone, Copy, Default)]
struct Row {
    attempts: u32,
    denied: u32,
    succeeded: u32,
    failed: u32,
}

/// Everything that is kept of a run: counts, series by second and edge, histograms, a digest.
pub(crate) struct Books {
    pub(crate) requests: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) timeouts: u64,
    pub(crate) attempts: u64,
    pub(crate) denied: u64,
    pub(crate) refused: u64,
    pub(crate) stale: u64,
    pub(crate) sent: u64,
    pub(crate) lost: u64,
    pub(crate) events: u64,
    digest: u64,
    edges: usize,
    series: Vec<Row>,
    /// By edge, and last the requests of users.
    histograms: Vec<Vec<u64>>,
}

impl Books {
    pub(crate) fn new(edges: usize) -> Books {
        Books {
            requests: 0,
            succeeded: 0,
            failed: 0,
            timeouts: 0,
            attempts: 0,
            denied: 0,
            refused: 0,
            stale: 0,
            sent: 0,
            lost: 0,
            events: 0,
            digest: 0,
            edges,
            series: Vec::new(),
            histograms: vec![vec![0; 64 << SUB]; edges + 1],
        }
    }

    pub(crate) fn fold(&mut self, now: u64, kind: u64, work: u64) {
        self.events += 1;
        let mixed = (self.digest ^ now).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.digest =
            (mixed ^ work ^ kind << 56).rotate_left(27).wrapping_mul(0x94D0_49BB_1331_11EB);
    }

    /// Counts a user; says what its work is called.
    pub(crate) fn arrive(&mut self, now: u64) -> u64 {
        self.requests += 1;
        let work = self.requests << 4;
        self.fold(now, 0, work);
        work
    }

    fn row(&mut self, now: u64, edge: u8) -> &mut Row {
        let index = (now / SECOND) as usize * self.edges + edge as usize;
        if self.series.len() <= index {
            self.series.resize(index + self.edges, Row::default());
        }
        &mut self.series[index]
    }

    pub(crate) fn attempt(&mut self, now: u64, edge: u8) {
        self.attempts += 1;
        self.row(now, edge).attempts += 1;
    }

    pub(crate) fn deny(&mut self, now: u64, edge: u8) {
        self.denied += 1;
        self.row(now, edge).denied += 1;
    }

    pub(crate) fn settle(&mut self, now: u64, edge: u8, is_ok: bool, took: u64) {
        let row = self.row(now, edge);
        row.succeeded += u32::from(is_ok);
        row.failed += u32::from(!is_ok);
        self.histograms[edge as usize][bucket(took)] += 1;
    }

    pub(crate) fn answer(&mut self, since: u64, now: u64) {
        self.succeeded += 1;
        let last = self.histograms.len() - 1;
        self.histograms[last][bucket(now - since)] += 1;
    }

    /// The median time until a user's success, in milliseconds, as the histogram has it.
    pub(crate) fn median(&self) -> f64 {
        let all = &self.histograms[self.histograms.len() - 1];
        let (mut seen, half) = (0, self.succeeded / 2);
        let index = all.iter().position(|&count| {
            seen += count;
            seen > half
        });
        lower_bound(index.unwrap_or(0)) / MS as f64
    }

    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }
}

/// Buckets per power of two: 2^5.
const SUB: u32 = 5;

fn bucket(value: u64) -> usize {
    let value = value | 1 << SUB;
    let power = 63 - value.leading_zeros();
    ((power - SUB) as usize) << SUB | (value >> (power - SUB)) as usize & ((1 << SUB) - 1)
}

fn lower_bound(bucket: usize) -> f64 {
    let power = bucket >> SUB;
    let within = bucket & ((1 << SUB) - 1) | 1 << SUB;
    (within as f64) * (1_u64 << power) as f64
}
