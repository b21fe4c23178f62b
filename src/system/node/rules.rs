//! What the model says of a node, by its kind.

use crate::model::program::{self, Kind, NodeId};
use crate::system::context::Context;

/// One function for each kind: what the model says of a node that is known to be of it.
macro_rules! rules {
    ($($name:ident: $kind:ident -> $rules:ty,)*) => {
        impl<'p> Context<'p> {
            $(
                /// # Panics
                /// If the node is of another kind.
                #[track_caller]
                pub(in crate::system) fn $name(&self, node: NodeId) -> &'p $rules {
                    match &self.core.program().node(node).kind {
                        Kind::$kind(rules) => rules,
                        other => unreachable!("{other:?} has no {}", stringify!($name)),
                    }
                }
            )*
        }
    };
}

rules! {
    clients_rules: Clients -> program::Clients,
    database_rules: Database -> program::Database,
    replica_rules: Replica -> program::Replica,
    cache_rules: Cache -> program::Cache,
    queue_rules: Queue -> program::Queue,
    relay_rules: Outbox -> program::Outbox,
    provider_rules: Provider -> program::Provider,
}
