//! The workers and waiting lines of a node, and what it does against overload.

use super::NodeId;
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::model::language::Balance;
use crate::policy::bulkhead;
use crate::policy::codel::Codel;
use crate::policy::deadline::Propagation;
use crate::policy::limit::Limit;
use crate::policy::rate_limit::RateLimit;

/// The workers and waiting lines of a node.
#[derive(Clone, Debug, Default)]
pub struct Station {
    /// How many instances.
    pub instances: u32,
    /// Workers of each instance.
    pub workers: u32,
    /// How many may wait at each instance.
    pub queue_limit: u32,
    /// Who is served first.
    pub order: Order,
    /// Who waits in vain.
    pub shedding: Option<Shedding>,
    /// Work is discarded, when its turn comes, if its caller waits no longer than this.
    pub discard: Option<Span>,
    /// Whether nobody is told of it.
    pub discards_silently: bool,
    /// How long a job waits for a worker before it is refused.
    pub max_wait: Option<Distribution>,
    /// How an instance is chosen.
    pub balance: Balance,
    /// How callers' deadlines hold for what is done for them.
    pub propagation: Option<Propagation>,
    /// How work slows down when there is much of it.
    pub cost: Option<ConcurrencyCost>,
    /// How many requests each instance takes.
    pub rate_limit: Option<RateLimit>,
    /// How many requests may be at an instance at once.
    pub limit: Option<Limit>,
    /// Whether its answers are statuses of gRPC.
    pub speaks_grpc: bool,
    /// Limits of calls at once, by the node that is called.
    pub bulkheads: Vec<Bulkhead>,
    /// What its handlers hold over several steps.
    pub pools: Vec<Pool>,
}

/// Who is served first. Among equals, the one who came first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The one who came first.
    #[default]
    Fifo,
    /// The one who came last.
    Lifo,
    /// The one who came first, or the one who came last if more than `backlog` wait.
    AdaptiveLifo {
        /// How many may wait before there is a backlog.
        backlog: u32,
    },
    /// The one whose caller stops waiting first.
    Deadline,
    /// The one whose operation has the largest priority.
    Priority,
}

/// Who waits in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shedding {
    /// Those that controlled delay refuses when their turn comes.
    Codel(Codel),
    /// Those who wait longer than `target` if the line has not been empty for `interval` when they
    /// come, and those who wait longer than `interval` in any case (Maurer: "Fail at Scale", ACM
    /// Queue 2015).
    Timeout {
        /// How long one may wait in a standing line.
        target: Span,
        /// How long one may wait otherwise.
        interval: Span,
    },
}

/// How many times as long work takes when there is much of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConcurrencyCost {
    /// Sigma of the Universal Scalability Law.
    pub contention: f64,
    /// Kappa of the Universal Scalability Law.
    pub coherency: f64,
    /// How many jobs can be at work at full speed; more share the cores.
    pub cores: u32,
}

impl ConcurrencyCost {
    /// How many times as long work takes with `working` jobs at work, itself included: `N / C(N)`
    /// of the Universal Scalability Law (Gunther: "Guerrilla Capacity Planning", 2007, chapter 6),
    /// and once more by the jobs that share a core.
    pub fn factor(&self, working: u32) -> f64 {
        let jobs = f64::from(working);
        let others = jobs - 1.0;
        let law = 1.0 + self.contention * others + self.coherency * jobs * others;
        law * (jobs / f64::from(self.cores)).max(1.0)
    }
}

/// A limit of calls at once to one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bulkhead {
    /// The node.
    pub target: NodeId,
    /// How many calls of an instance, and how many wait for room.
    pub rule: bulkhead::Bulkhead,
    /// How long one may wait for room.
    pub max_wait: Option<Span>,
}

/// Places of which handlers hold one over several steps, such as connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its name in the file.
    pub name: String,
    /// How many each instance has.
    pub size: u32,
    /// How long a handler waits for one.
    pub acquire_timeout: Span,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_slows_down_by_the_universal_scalability_law() {
        let law = ConcurrencyCost { contention: 0.02, coherency: 0.0005, cores: u32::MAX };
        assert_eq!(law.factor(1), 1.0);
        assert!((law.factor(32) - (1.0 + 0.02 * 31.0 + 0.0005 * 32.0 * 31.0)).abs() < 1e-12);
        let shared = ConcurrencyCost { contention: 0.0, coherency: 0.0, cores: 8 };
        assert_eq!((shared.factor(8), shared.factor(12)), (1.0, 1.5));
    }
}
