//! Waiting lines, and what services do against overload.

use super::Compiler;
use crate::kernel::time::Span;
use crate::model::compile::Sections;
use crate::model::language::{self, Allowance, Line, Order, PropagateDeadline, RateLimit};
use crate::model::problem::Problem;
use crate::model::program;
use crate::model::program::{Bulkhead, ConcurrencyCost, Shedding, Station};
use crate::model::quantity::{Count, Rate};
use crate::policy::bulkhead::{self, Around};
use crate::policy::codel::{Codel, Law};
use crate::policy::deadline::Propagation;
use crate::policy::limit::{Aimd, Gradient2, Limit, Vegas};
use crate::policy::rate_limit::{self, Debt, Gcra, Rule};

/// A node without overload control: workers and a line in front of them.
pub(super) fn station_with(instances: u32, workers: Count, line: &Line) -> Station {
    Station {
        instances,
        workers: workers.limit(),
        queue_limit: line.limit.limit(),
        order: order(line, workers),
        shedding: shedding(line),
        discard: line.discard_expired.map(|discard| discard.slack),
        discards_silently: line.discard_expired.is_some_and(|discard| discard.silently),
        max_wait: line.max_wait.clone(),
        ..Station::default()
    }
}

fn order(line: &Line, workers: Count) -> program::Order {
    match line.order {
        Order::Fifo | Order::Codel | Order::FollyCodel => program::Order::Fifo,
        Order::Lifo => program::Order::Lifo,
        Order::AdaptiveLifo => {
            program::Order::AdaptiveLifo { backlog: line.backlog.unwrap_or(workers).limit() }
        }
        Order::Deadline => program::Order::Deadline,
        Order::Priority => program::Order::Priority,
    }
}

fn shedding(line: &Line) -> Option<Shedding> {
    let (target, interval) = (line.target(), line.interval());
    match line.order {
        Order::Codel => Some(Shedding::Codel(Codel { target, interval, law: Law::Control })),
        Order::FollyCodel => Some(Shedding::Codel(Codel { target, interval, law: Law::SloughOff })),
        Order::AdaptiveLifo if line.target.is_some() => {
            Some(Shedding::Timeout { target, interval })
        }
        _ => None,
    }
}

/// What is wrong with a waiting line.
fn check_line(line: &Line) -> Result<(), Problem> {
    let delays = matches!(line.order, Order::Codel | Order::FollyCodel | Order::AdaptiveLifo);
    let rules = [
        ("backlog", line.backlog.is_some(), line.order == Order::AdaptiveLifo, "\"adaptive_lifo\""),
        (
            "target",
            line.target.is_some(),
            delays,
            "\"codel\", \"folly_codel\" or \"adaptive_lifo\"",
        ),
        (
            "interval",
            line.interval.is_some(),
            delays,
            "\"codel\", \"folly_codel\" or \"adaptive_lifo\"",
        ),
    ];
    for (key, is_given, fits, orders) in rules {
        if is_given && !fits {
            return Err(Problem::new(format!("`{key}` says nothing about this order"))
                .expected(format!("`{key}` with `order` {orders}"))
                .inside(key));
        }
    }
    if line.order == Order::AdaptiveLifo && line.interval.is_some() && line.target.is_none() {
        return Err(Problem::new("an `interval` without a `target` limits nothing")
            .expected("`target` beside it")
            .inside("interval"));
    }
    for (key, span) in [("target", line.target), ("interval", line.interval)] {
        if span == Some(Span::ZERO) {
            return Err(Problem::new(format!("a `{key}` of 0s would refuse whoever waits"))
                .expected("more than 0s")
                .inside(key));
        }
    }
    Ok(())
}

impl Compiler<'_> {
    /// Checks every waiting line of the model.
    pub(super) fn lines(&mut self, sections: &Sections) {
        let services = sections.service.iter().map(|(name, node)| ("service", name, &node.queue));
        let databases =
            sections.database.iter().map(|(name, node)| ("database", name, &node.queue));
        let replicas = sections.replica.iter().map(|(name, node)| ("replica", name, &node.queue));
        let providers =
            sections.provider.iter().map(|(name, node)| ("provider", name, &node.queue));
        for (section, name, line) in services.chain(databases).chain(replicas).chain(providers) {
            if let Err(problem) = check_line(line) {
                self.problem(&[section, name, "queue"], problem);
            }
        }
    }

    /// The bulkheads of every service, once every node has its id.
    pub(super) fn bulkheads(&mut self, sections: &Sections) {
        for (name, service) in &sections.service {
            let Some(id) = self.program.find_node(name) else { continue };
            for (target, text) in &service.bulkhead {
                let path = ["service", name, "bulkhead", target];
                if let Some(bulkhead) = self.bulkhead(&path, target, text) {
                    self.program.nodes[id.0 as usize].station.bulkheads.push(bulkhead);
                }
            }
        }
    }

    fn bulkhead(
        &mut self,
        path: &[&str],
        target: &str,
        text: &language::Bulkhead,
    ) -> Option<Bulkhead> {
        let is_callable = |kind: &program::Kind| {
            !matches!(kind, program::Kind::Clients(_) | program::Kind::Outbox(_))
        };
        let id = self.node_of(path, target, "node to call", is_callable)?;
        if text.limit == 0 {
            let problem = Problem::new(format!("`{target}` could never be called"));
            self.problem(path, problem.expected("at least 1").inside("limit"));
            return None;
        }
        let (limit, queue) = (text.limit, text.queue);
        let rule = bulkhead::Bulkhead { limit, queue, max_wait: None, around: Around::Call };
        Some(Bulkhead { target: id, rule, max_wait: text.max_wait })
    }
}

/// What of a service's text slows down its work.
pub(super) fn cost(service: &language::Service) -> Result<Option<ConcurrencyCost>, Problem> {
    let cost = ConcurrencyCost {
        contention: service.concurrency_cost.contention.0,
        coherency: service.concurrency_cost.coherency.0,
        cores: service.cores.limit(),
    };
    if cost.cores == 0 {
        return Err(Problem::new("without a core nothing is ever done")
            .expected("at least 1, or \"unlimited\""));
    }
    let is_free = cost.contention == 0.0 && cost.coherency == 0.0 && cost.cores == u32::MAX;
    Ok((!is_free).then_some(cost))
}

pub(super) fn propagation(text: PropagateDeadline) -> Propagation {
    Propagation { margin: text.margin }
}

/// The rate limiter at a door: it refuses and lets nobody wait.
pub(super) fn rate_limit(text: &RateLimit) -> Result<rate_limit::RateLimit, Problem> {
    let (key, Allowance { rate, burst }) = match *text {
        RateLimit::TokenBucket(allowance) => ("token_bucket", allowance),
        RateLimit::Gcra(allowance) => ("gcra", allowance),
    };
    let refused = |part: &str, problem: Problem| Err(problem.inside(part).inside(key));
    if burst == 0 {
        let problem = Problem::new("a burst of 0 lets nobody in");
        return refused("burst", problem.expected("at least 1"));
    }
    if !is_possible(rate) {
        let problem = Problem::new("this is no rate at which requests can be taken");
        return refused("rate", problem.expected("more than 1e-6/s and at most 1e9/s"));
    }
    let rule = match text {
        RateLimit::TokenBucket(_) => Rule::Debt(Debt { rate: rate.per_second, burst }),
        RateLimit::Gcra(_) => {
            Rule::Gcra(Gcra { interval: Span::from_secs_f64(1.0 / rate.per_second), burst })
        }
    };
    Ok(rate_limit::RateLimit { rule, max_wait: Span::ZERO })
}

fn is_possible(rate: Rate) -> bool {
    rate.per_second > 1e-6 && rate.per_second <= 1e9
}

/// The learned limit at a door, which starts within its bounds.
pub(super) fn limit(rule: &Limit) -> Result<Limit, Problem> {
    let (initial, min, max) = match *rule {
        Limit::Aimd(Aimd { initial, min, max, .. })
        | Limit::Gradient2(Gradient2 { initial, min, max, .. }) => (initial, min, max),
        Limit::Vegas(Vegas { initial, max, .. }) => (initial, 1.0, max),
    };
    if min <= initial && initial <= max {
        return Ok(*rule);
    }
    Err(Problem::new(format!("a limit cannot start at {initial} between {min} and {max}"))
        .expected("`initial` from `min` to `max`")
        .inside("initial"))
}
