//! Who and what each fact is about, said once: its kind, the node that it befell, and the order.

mod hears;

use super::ejection::Ejection;
use super::{Caching, Fact, Pooling, Stay, Transit, Waiting, Work};
use crate::model::program::{EdgeId, NodeId, Program, TableId};

pub use hears::FactKinds;
pub(crate) use hears::{Hears, hears};

/// Whom a fact befell, as the fact names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// A node.
    Node(NodeId),
    /// Who calls over an edge.
    Caller(EdgeId),
    /// Who is called over an edge.
    Target(EdgeId),
    /// The database of a table.
    Of(TableId),
    /// A user, a fault, or nobody in particular.
    Nobody,
}

use Who::{Caller, Nobody, Node, Of, Target};

/// Declares the kinds of facts: of each, what it names, whom it befell, and the order that it is
/// about, if it is about one.
macro_rules! facts {
    ($($kind:ident $names:tt => $who:expr, $order:expr;)*) => {
        /// The kinds of facts, by the names of [`Fact`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FactKind {
            $(#[doc = concat!("Of [`Fact::", stringify!($kind), "`].")] $kind,)*
        }

        /// Every kind, in the order of its number.
        const ALL: &[FactKind] = &[$(FactKind::$kind,)*];

        impl Fact {
            /// What kind of fact it is.
            #[must_use]
            #[inline]
            pub fn kind(&self) -> FactKind {
                match self {
                    $(Fact::$kind { .. } => FactKind::$kind,)*
                }
            }

            /// The order that it is about, if it is about one.
            #[must_use]
            #[inline]
            pub fn order(&self) -> Option<u64> {
                #[expect(unused_variables, reason = "a row names what either column needs")]
                match *self {
                    $(Fact::$kind $names => $order,)*
                }
            }

            fn who(&self) -> Who {
                #[expect(unused_variables, reason = "a row names what either column needs")]
                match *self {
                    $(Fact::$kind $names => $who,)*
                }
            }
        }
    };
}

facts! {
    Came(came) => Node(came.clients), Some(came.order);
    Requested(request) => Nobody, Some(request.order);
    Answered { request, .. } => Nobody, Some(request.order);
    Degraded(request) => Nobody, Some(request.order);
    Attempted { edge, order, .. } => Caller(edge), Some(order);
    Denied { edge, order, .. } => Caller(edge), Some(order);
    Settled { edge, order, .. } => Caller(edge), Some(order);
    Forgotten(edge) => Caller(edge), None;
    Ejected(Ejection { caller, .. }) => Node(caller), None;
    EjectionRefused(Ejection { caller, .. }) => Node(caller), None;
    Returned(Ejection { caller, .. }) => Node(caller), None;
    Panicked(target) => Node(target), None;
    Sent(Transit { from, order, .. }) => Node(from), Some(order);
    Duplicated(Transit { from, order, .. }) => Node(from), Some(order);
    Lost(Transit { from, order, .. }) => Node(from), Some(order);
    Arrived(Transit { to, order, .. }) => Node(to), Some(order);
    Stale { edge, order, .. } => Caller(edge), Some(order);
    Refused { node, order, .. } => Node(node), Some(order);
    Connected(edge) => Caller(edge), None;
    Pooled(Pooling { node, order, .. }) => Node(node), Some(order);
    Left(Stay { edge, .. }) => Target(edge), None;
    Worked(Work { node, order, .. }) => Node(node), Some(order);
    Committed { table, order, .. } => Of(table), Some(order);
    Flushed { database, .. } => Node(database), None;
    Repeated { database, order } => Node(database), Some(order);
    Conflict { database, order } => Node(database), Some(order);
    Overwrote { table, order, .. } => Of(table), Some(order);
    Read { node, order, .. } => Node(node), Some(order);
    WaitedForReplica { replica, .. } => Node(replica), None;
    AnsweredAlone(database) => Node(database), None;
    StaleEpoch { database, order, .. } => Node(database), Some(order);
    CommitLost { database, order, .. } => Node(database), Some(order);
    WriteLost { table, order, .. } => Of(table), Some(order);
    Caching(Caching { cache, order, .. }) => Node(cache), Some(order);
    CacheFlushed { cache, .. } => Node(cache), None;
    Corrupted { node, .. } => Node(node), None;
    FellBack { node, .. } => Node(node), None;
    Outboxed { database, order, .. } => Node(database), Some(order);
    Audited { database, order, .. } => Node(database), Some(order);
    Enqueued { queue, order, .. } => Node(queue), Some(order);
    Delivered { queue, order, .. } => Node(queue), Some(order);
    Acknowledged { queue, order, .. } => Node(queue), Some(order);
    DeadLettered { queue, order, .. } => Node(queue), Some(order);
    Expired { queue, order, .. } => Node(queue), Some(order);
    Effect { order, .. } => Nobody, Some(order);
    KeyAnswered { order, .. } => Nobody, Some(order);
    Replayed { provider, order, .. } => Node(provider), Some(order);
    Throttled { provider, order } => Node(provider), Some(order);
    Mismatched { provider, order } => Node(provider), Some(order);
    Failed { node, order, .. } => Node(node), Some(order);
    ReadBack { order, .. } => Nobody, Some(order);
    Crashed { node, .. } => Node(node), None;
    Restarted { node, .. } => Node(node), None;
    Paused { node, .. } => Node(node), None;
    Killed { node, .. } => Node(node), None;
    NobodyThere { node, order, .. } => Node(node), Some(order);
    TurnedAway { clients, order } => Node(clients), Some(order);
    LogLost { database, .. } => Node(database), None;
    MessageLost { queue, order, .. } => Node(queue), Some(order);
    ReadAgain { order, .. } => Nobody, Some(order);
    Diverted { clients, order } => Node(clients), Some(order);
    FaultBegan(_) => Nobody, None;
    FaultFired(_, order) => Nobody, order;
    FaultEnded(_) => Nobody, None;
    Unanswered(request) => Nobody, Some(request.order);
    Staying(Stay { edge, .. }) => Target(edge), None;
    Working(Work { node, order, .. }) => Node(node), Some(order);
    UnderWay(order) => Nobody, Some(order);
    Unprocessed(Waiting { node, order, .. }) => Node(node), Some(order);
}

/// How many kinds there are.
pub(in crate::system) const KINDS: usize = ALL.len();

impl FactKind {
    /// Every kind, in the order of its number.
    pub(in crate::system) fn all() -> impl Iterator<Item = FactKind> {
        ALL.iter().copied()
    }
}

impl Fact {
    /// The node that it befell, if it befell one in particular.
    #[must_use]
    pub fn node(&self, program: &Program) -> Option<NodeId> {
        match self.who() {
            Node(node) => Some(node),
            Caller(edge) => Some(program.edge(edge).caller),
            Target(edge) => Some(program.edge(edge).target),
            Of(table) => Some(program.tables[usize::from(table.0)].database),
            Nobody => None,
        }
    }

    /// Whether it is about what a relay asks of its own database: that is about a batch and no
    /// order.
    #[must_use]
    pub fn is_upkeep(&self, program: &Program) -> bool {
        let between = |a: NodeId, b: NodeId| program.is_upkeep(a, b) || program.is_upkeep(b, a);
        match *self {
            Fact::Sent(Transit { from, to, .. })
            | Fact::Duplicated(Transit { from, to, .. })
            | Fact::Lost(Transit { from, to, .. })
            | Fact::Arrived(Transit { from, to, .. }) => between(from, to),
            Fact::Attempted { edge, .. }
            | Fact::Denied { edge, .. }
            | Fact::Settled { edge, .. }
            | Fact::Stale { edge, .. } => {
                let edge = program.edge(edge);
                between(edge.caller, edge.target)
            }
            _ => false,
        }
    }
}
