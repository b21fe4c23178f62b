//! Replicas.

use super::{Compiler, station_with};
use crate::kernel::sample::Distribution;
use crate::model::language::Replica;
use crate::model::program::{self, Kind, Station};

impl Compiler<'_> {
    pub(super) fn replica(&mut self, name: &str, replica: &Replica) {
        let is_database = |kind: &Kind| matches!(kind, Kind::Database(_));
        let path = ["replica", name, "of"];
        let Some(of) = self.node_of(&path, &replica.of, "database", is_database) else { return };
        let kind = Kind::Replica(program::Replica {
            of,
            lag: replica.lag.clone(),
            preserves_commit_order: replica.preserve_commit_order,
        });
        let station = Station {
            max_wait: replica
                .acquire_timeout
                .map(Distribution::Constant)
                .or_else(|| replica.queue.max_wait.clone()),
            ..station_with(1, replica.connections, &replica.queue)
        };
        if let Some(id) = self.node("replica", name, kind, station)
            && let Kind::Database(database) = &mut self.program.nodes[of.0 as usize].kind
        {
            database.replicas.push(id);
        }
    }
}
