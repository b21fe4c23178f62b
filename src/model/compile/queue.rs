//! Queues.

use super::{Compiler, station};
use crate::kernel::time::Span;
use crate::model::check;
use crate::model::compile::Sections;
use crate::model::language::{PartitionBy, Queue};
use crate::model::problem::Problem;
use crate::model::program::{self, Group, Kind};
use crate::model::quantity::Count;

/// The most partitions of a queue: each has a waiting line of its own.
const PARTITIONS_MAX: u32 = 100_000;

impl Compiler<'_> {
    pub(super) fn queue(&mut self, name: &str, queue: &Queue) {
        let kind = Kind::Queue(program::Queue {
            visibility: queue.visibility,
            max_receives: queue.max_receives.limit(),
            redelivery: queue.redelivery,
            durable: queue.durable,
            partitions: queue.partitions.unwrap_or(0),
            partition_by: queue.partition_by,
            delay: queue.delay,
            retention: queue.retention,
            heartbeat: queue.heartbeat,
            limit: queue.limit.limit(),
            in_flight: queue.in_flight.limit(),
            dead_letters: None,
            groups: vec![Group::default()],
        });
        self.node("queue", name, kind, station(1, Count::Unlimited));
        if let Err(problem) = check::count("receives", queue.max_receives.limit(), 1, u32::MAX) {
            self.problem(&["queue", name, "max_receives"], problem);
        }
        if let Some(partitions) = queue.partitions
            && let Err(problem) = check::count("partitions", partitions, 1, PARTITIONS_MAX)
        {
            self.problem(&["queue", name, "partitions"], problem);
        }
        for (key, problem) in contradictions(queue) {
            self.problem(&["queue", name, key], problem);
        }
    }

    /// Finds the queues that get dead letters, when every queue is known.
    pub(super) fn dead_letters(&mut self, sections: &Sections) {
        for (name, queue) in &sections.queue {
            let Some(target) = &queue.dead_letters else { continue };
            let path = ["queue", name.as_str(), "dead_letters"];
            if target == name {
                let problem = Problem::new("dead letters would come back to their own queue");
                self.problem(&path, problem.expected("another queue"));
                continue;
            }
            let is_queue = |kind: &Kind| matches!(kind, Kind::Queue(_));
            let target = self.node_of(&path, target, "queue", is_queue);
            if let Some(source) = self.program.find_node(name)
                && let Kind::Queue(source) = &mut self.program.nodes[source.0 as usize].kind
            {
                source.dead_letters = target;
            }
        }
    }
}

/// Keys of a queue that make no sense, or none together.
fn contradictions(queue: &Queue) -> Vec<(&'static str, Problem)> {
    let mut problems = Vec::new();
    if queue.visibility == Span::ZERO {
        let problem = Problem::new("a delivered message would be delivered again at once")
            .expected("more than 0s: longer than its handler takes");
        problems.push(("visibility", problem));
    }
    if queue.partition_by != PartitionBy::default() && queue.partitions.is_none() {
        let problem = Problem::new("there are no partitions").expected("`partitions` as well");
        problems.push(("partition_by", problem));
    }
    if queue.retention.is_some_and(|span| span <= queue.delay) {
        let problem = Problem::new("every message would be forgotten before it is delivered")
            .expected(format!("more than the delay of {}", queue.delay));
        problems.push(("retention", problem));
    }
    if queue.heartbeat.is_some_and(|span| span == Span::ZERO || span >= queue.visibility) {
        let problem = Problem::new("a heartbeat would come too late, or without end")
            .expected(format!("more than 0s and less than the visibility of {}", queue.visibility));
        problems.push(("heartbeat", problem));
    }
    for (key, count) in [("limit", queue.limit), ("in_flight", queue.in_flight)] {
        if count.limit() == 0 {
            let problem = Problem::new("no message would ever be delivered");
            problems.push((key, problem.expected("at least 1, or \"unlimited\"")));
        }
    }
    problems
}
