//! Reads for update: a row lock around a list of steps.

use super::steps::with;
use super::{At, Handlers};
use crate::model::problem::Problem;
use crate::model::program::{Call, DataStep, Kind, LockStep, NodeId, NodeStep, Step, TableId};

impl Handlers<'_, '_> {
    /// Compiles a read with `for_update`: the read, the list under the lock, and the end of the
    /// lock, whichever way the list ends.
    pub(super) fn read_for_update(
        &mut self,
        at: At<'_>,
        compiled: &mut Vec<Step>,
    ) -> Result<(), Problem> {
        let At { place, path, step } = at;
        let policy = self.policy(&with(path, "policy"), step.policy.as_deref()).unwrap_or(0);
        let text = step.read.as_deref().unwrap_or_default();
        let Some((source, table)) = self.readable(&with(path, "read"), text) else { return Ok(()) };
        if !matches!(self.compiler.program.node(source).kind, Kind::Database(_)) {
            return Err(Problem::new("only a database locks its rows")
                .expected("the database in place of its replica")
                .inside("read"));
        }
        let others = [
            ("cache", step.cache.is_some()),
            ("wait", step.wait.is_some()),
            ("sticky", step.sticky.is_some()),
        ];
        if let Some((key, _)) = others.into_iter().find(|&(_, is_given)| is_given) {
            return Err(Problem::new(format!("`{key}` is about copies, which nobody locks"))
                .expected(format!("`for_update` without `{key}`"))
                .inside(key));
        }
        let lock = Step::Node(NodeStep::Data(DataStep::AwaitLock(table)));
        let (read, row) = (
            Step::Work(self.read_time(source)),
            Step::Node(NodeStep::Data(DataStep::ReadRow(table))),
        );
        let read = self.built_in(source, "read_for_update", table.0, &[lock, read, row]);
        let read = self.call(place.node, read, policy, super::steps::calls(compiled));
        compiled.push(Step::Lock(LockStep::Begin));
        let first = compiled.len();
        compiled.push(Step::Call(Call { on_failure: None, ..read }));
        compiled.extend(step.amount.then_some(Step::TakeAmount));
        self.locked.push(table);
        let list = step.for_update.as_deref().unwrap_or_default();
        self.list(place, &with(path, "for_update"), list, compiled);
        self.locked.pop();
        // Behind the list: its end; leave; the end of a list that failed; what then.
        let end = compiled.len() as u32;
        self.fail_to(end + 2, &mut compiled[first..], first as u32);
        let leave = end + 4;
        compiled.push(Step::Lock(LockStep::End));
        compiled.push(Step::Jump(leave));
        compiled.push(Step::Lock(LockStep::End));
        compiled.push(if step.ignore_failure { Step::Jump(leave) } else { Step::Fail });
        if let Some(fallback) = &step.fallback {
            let start = self.stand_in(place, path, (fallback, step.quality), compiled);
            compiled[end as usize + 3] = Step::Jump(start);
        }
        Ok(())
    }

    /// The tables of a database whose rows are locked here.
    pub(super) fn locked_in(&self, database: NodeId) -> Vec<TableId> {
        let tables = &self.compiler.program.tables;
        let own = |table: &TableId| tables[table.0 as usize].database == database;
        self.locked.iter().copied().filter(own).collect()
    }
}
