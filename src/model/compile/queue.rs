//! Queues.

use super::{Compiler, station};
use crate::kernel::time::Span;
use crate::model::check;
use crate::model::language::Queue;
use crate::model::problem::Problem;
use crate::model::program::{self, Kind};
use crate::model::quantity::Count;

impl Compiler<'_> {
    pub(super) fn queue(&mut self, name: &str, queue: &Queue) {
        let kind = Kind::Queue(program::Queue {
            visibility: queue.visibility,
            max_receives: queue.max_receives,
            redelivery: queue.redelivery,
            durable: queue.durable,
            consumers: Vec::new(),
        });
        self.node("queue", name, kind, station(1, Count::Unlimited));
        if queue.visibility == Span::ZERO {
            let problem = Problem::new("a delivered message would be delivered again at once")
                .expected("more than 0s: longer than its handler takes");
            self.problem(&["queue", name, "visibility"], problem);
        }
        if let Err(problem) = check::count("receives", queue.max_receives, 1, u32::MAX) {
            self.problem(&["queue", name, "max_receives"], problem);
        }
    }
}
