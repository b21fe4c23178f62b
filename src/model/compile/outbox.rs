//! Relays.

use super::{Compiler, station};
use crate::kernel::time::Span;
use crate::model::check;
use crate::model::language::Outbox;
use crate::model::problem::Problem;
use crate::model::program::{self, Kind, OperationId};
use crate::model::quantity::Count;

impl Compiler<'_> {
    pub(super) fn outbox(&mut self, name: &str, outbox: &Outbox) {
        let is_database = |kind: &Kind| matches!(kind, Kind::Database(_));
        let path = ["outbox", name, "database"];
        let Some(database) = self.node_of(&path, &outbox.database, "database", is_database) else {
            return;
        };
        let kind = Kind::Outbox(program::Outbox {
            database,
            batch: outbox.batch,
            operation: OperationId(0),
        });
        self.node("outbox", name, kind, station(1, Count::Unlimited));
        if let Err(problem) = check::count("rows", outbox.batch, 1, u32::from(u16::MAX)) {
            self.problem(&["outbox", name, "batch"], problem);
        }
        if outbox.poll == Span::ZERO {
            let problem = Problem::new("a relay that never waits would let no time pass")
                .expected("more than 0s");
            self.problem(&["outbox", name, "poll"], problem);
        }
    }
}
