//! Steps that read and write data: cached reads and transactions.

use super::steps::{calls, failure_target, token, with};
use super::{Handlers, Place};
use crate::kernel::sample::Distribution;
use crate::model::language::{self, Flush};
use crate::model::problem::Problem;
use crate::model::program::{
    Call, Kind, NodeId, OperationId, Step, TableId, Token, Transaction, TransactionId,
};

impl Handlers<'_, '_> {
    /// A read by a policy, and around it the lookup and fill of a cache.
    pub(super) fn read(
        &mut self,
        place: &Place<'_>,
        path: &[&str],
        step: &language::Step,
        before: &[Step],
        policy: u16,
    ) -> Result<Vec<Step>, Problem> {
        let text = step.read.as_deref().unwrap_or_default();
        let Some((source, table)) = self.readable(&with(path, "read"), text) else {
            return Ok(Vec::new());
        };
        let name = self.compiler.program.node(source).name.clone();
        let work = match self.sections.replica.get(&name) {
            Some(replica) => replica.read.clone(),
            None => self.sections.database[&name].read.clone(),
        };
        let steps = [Step::Work(work), Step::ReadRow(table)];
        let read = self.built_in(source, "read", table.0, &steps);
        let site = calls(before);
        let first = before.len() as u32;
        let read = self.call(place.node, read, policy, site);
        let Some(cache) = &step.cache else {
            let on_failure = failure_target(step, first + 1);
            return Ok(vec![Step::Call(Call { on_failure, ..read })]);
        };
        let is_cache = |kind: &Kind| matches!(kind, Kind::Cache(_));
        let Some(cache) = self.compiler.node_of(&with(path, "cache"), cache, "cache", is_cache)
        else {
            return Ok(Vec::new());
        };
        let name = self.compiler.program.node(cache).name.clone();
        let work = Step::Work(self.sections.cache[&name].latency.clone());
        let lookup = self.built_in(cache, "lookup", table.0, &[work.clone(), Step::Lookup(table)]);
        let fill = self.built_in(cache, "fill", table.0, &[work, Step::Fill(table)]);
        let lookup = self.call(place.node, lookup, policy, site + 1);
        let fill = self.call(place.node, fill, policy, site + 2);
        let end = first + 4;
        // A cache that does not answer is a miss; a fill that fails is nobody's concern.
        Ok(vec![
            Step::Call(Call { on_failure: Some(first + 1), ..lookup }),
            Step::JumpIfFound(end),
            Step::Call(Call { on_failure: failure_target(step, end), ..read }),
            Step::Call(Call { on_failure: Some(end), ..fill }),
        ])
    }

    /// The database or replica and the table that `NODE.TABLE` names.
    pub(super) fn readable(&mut self, path: &[&str], text: &str) -> Option<(NodeId, TableId)> {
        let program = &self.compiler.program;
        let mut known = Vec::new();
        for node in &program.nodes {
            let owner = match node.kind {
                Kind::Database(_) => program.find_node(&node.name),
                Kind::Replica(ref replica) => Some(replica.of),
                _ => continue,
            };
            for (index, table) in program.tables.iter().enumerate() {
                if Some(table.database) == owner
                    && let Some((_, name)) = table.name.split_once('.')
                {
                    known.push((format!("{}.{name}", node.name), TableId(index as u16)));
                }
            }
        }
        if let Some((name, table)) = known.iter().find(|(name, _)| name == text) {
            let (node, _) = name.split_once('.')?;
            return Some((self.node(node), *table));
        }
        let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
        let problem = Problem::unknown("table", text, &names);
        self.compiler.problem(path, problem);
        None
    }

    pub(super) fn transaction(
        &mut self,
        path: &[&str],
        step: &language::Step,
    ) -> Result<Option<OperationId>, Problem> {
        let name = step.transaction.as_deref().unwrap_or_default();
        let is_database = |kind: &Kind| matches!(kind, Kind::Database(_));
        let path = with(path, "transaction");
        let Some(database) = self.compiler.node_of(&path, name, "database", is_database) else {
            return Ok(None);
        };
        let once = token(step.once);
        if once == Token::Attempt {
            return Err(Problem::new("once for each attempt is no protection at all")
                .expected("once = \"order\", once = \"key\" or once = \"request\"")
                .inside("once"));
        }
        let mut transaction =
            Transaction { writes: Vec::new(), events: Vec::new(), audits: Vec::new(), once };
        for (index, write) in step.write.iter().enumerate() {
            self.write(name, write, &mut transaction)
                .map_err(|problem| problem.inside(index.to_string()).inside("write"))?;
        }
        if step.write.is_empty() {
            return Err(Problem::new("this transaction writes nothing")
                .expected("write = [\"order = accepted\"]")
                .inside("write"));
        }
        let transactions = &mut self.compiler.program.transactions;
        transactions.push(transaction);
        let id = TransactionId((transactions.len() - 1) as u16);
        let text = &self.sections.database[name];
        let steps = durable(text.flush, text.commit.clone(), Step::Commit(id));
        Ok(Some(self.built_in(database, "transaction", id.0, &steps)))
    }

    pub(super) fn write(
        &mut self,
        database: &str,
        write: &str,
        transaction: &mut Transaction,
    ) -> Result<(), Problem> {
        let parts = write.split_once('=').map(|(table, state)| (table.trim(), state.trim()));
        let Some((table, state)) = parts.filter(|(_, state)| !state.is_empty()) else {
            return Err(Problem::new(format!("`{write}` is not a write"))
                .expected("\"TABLE = state\", \"outbox = event\" or \"audit = entry\""));
        };
        let label = self.label(state);
        match table {
            "outbox" => transaction.events.push(label),
            "audit" => transaction.audits.push(label),
            _ => {
                let program = &self.compiler.program;
                let Some(id) = program.find_table(&format!("{database}.{table}")) else {
                    let mut known: Vec<&str> = program
                        .tables
                        .iter()
                        .filter_map(|table| table.name.strip_prefix(database)?.strip_prefix('.'))
                        .collect();
                    known.extend(["outbox", "audit"]);
                    return Err(Problem::unknown("table", table, &known));
                };
                transaction.writes.push((id, label));
            }
        }
        Ok(())
    }
}

/// The steps of a transaction: in a group, it is applied when the log is flushed.
pub(super) fn durable(flush: Flush, commit: Distribution, write: Step) -> Vec<Step> {
    match flush {
        Flush::EachCommit | Flush::Every(_) => vec![Step::Work(commit), write],
        Flush::Group(_) => vec![Step::Work(commit), Step::AwaitFlush, write],
    }
}
