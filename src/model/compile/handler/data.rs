//! Steps that read and write data: cached reads and transactions.

use std::collections::BTreeSet;

use super::cached::CachedPlace;
use super::steps::{calls, failure_target, token, with};
use super::{At, Handlers};
use crate::kernel::sample::Distribution;
use crate::model::language::{self, Flush, Invalidation, Otherwise};
use crate::model::problem::Problem;
use crate::model::program::{
    self, CacheStep, Call, Change, DataStep, Kind, NodeId, NodeStep, OperationId, Step, TableId,
    Token, Transaction, TransactionId, Wait,
};

impl Handlers<'_, '_> {
    /// A read by a policy, at a database or replica, with or without a cache.
    pub(super) fn read(
        &mut self,
        at: At<'_>,
        before: &[Step],
        policy: u16,
    ) -> Result<Vec<Step>, Problem> {
        let At { place, path, step } = at;
        let text = step.read.as_deref().unwrap_or_default();
        let Some((source, table)) = self.readable(&with(path, "read"), text) else {
            return Ok(Vec::new());
        };
        let site = calls(before);
        let first = before.len() as u32;
        if step.wait.is_some() || step.sticky.is_some() {
            return self.read_after(at, (source, table), (first, site), policy);
        }
        let read = self.read_operation(source, table);
        let read = self.call(place.node, read, policy, site);
        if step.cache.is_some() {
            let at = CachedPlace { path, first, site, policy };
            return Ok(self.cached(place, &at, step, read, table));
        }
        let on_failure = failure_target(step, first + 1);
        Ok(vec![Step::Call(Call { on_failure, ..read })])
    }

    /// The operation that reads a row at a database or replica.
    fn read_operation(&mut self, source: NodeId, table: TableId) -> OperationId {
        let steps = [
            Step::Work(self.read_time(source)),
            Step::Node(NodeStep::Data(DataStep::ReadRow(table))),
        ];
        self.built_in(source, "read", table.0, &steps)
    }

    pub(super) fn read_time(&self, source: NodeId) -> Distribution {
        let name = &self.compiler.program.node(source).name;
        match self.sections.replica.get(name) {
            Some(replica) => replica.read.clone(),
            None => self.sections.database[name].read.clone(),
        }
    }

    /// A read at a replica that shows what the user was told of, or else at the database.
    fn read_after(
        &mut self,
        At { place, step, .. }: At<'_>,
        (source, table): (NodeId, TableId),
        (first, site): (u32, u32),
        policy: u16,
    ) -> Result<Vec<Step>, Problem> {
        let key = if step.wait.is_some() { "wait" } else { "sticky" };
        let Kind::Replica(program::Replica { of, .. }) = self.compiler.program.node(source).kind
        else {
            return Err(Problem::new(format!("`{key}` is about replicas, which are late"))
                .expected("a read of a replica, or the read without it")
                .inside(key));
        };
        if step.cache.is_some() {
            return Err(Problem::new(format!("a cache does not know of `{key}`"))
                .expected("the read without `cache`")
                .inside(key));
        }
        self.compiler.program.has_sessions = true;
        let takes_stale = step.wait.is_some_and(|wait| wait.otherwise == Otherwise::Stale);
        let falls_back = step.wait.is_some_and(|wait| wait.otherwise == Otherwise::Primary);
        let replica = match step.wait {
            None => self.read_operation(source, table),
            Some(wait) => {
                let wait = Wait { table, timeout: wait.timeout, takes_stale };
                let work = Step::Work(self.read_time(source));
                let steps = [
                    Step::Node(NodeStep::Data(DataStep::AwaitApplied(wait))),
                    work,
                    Step::Node(NodeStep::Data(DataStep::ReadRow(table))),
                ];
                let about = self.compiler.program.operations.len() as u16;
                self.built_in(source, "read_after", about, &steps)
            }
        };
        let replica = self.call(place.node, replica, policy, site);
        if step.sticky.is_none() && !falls_back {
            let on_failure = failure_target(step, first + 1);
            return Ok(vec![Step::Call(Call { on_failure, ..replica })]);
        }
        let primary = self.read_operation(of, table);
        let primary = self.call(place.node, primary, policy, site + 1);
        let sticky = u32::from(step.sticky.is_some());
        let (primary_at, end) = (first + sticky + 2, first + sticky + 3);
        let ignored = failure_target(step, end);
        let on_failure = if falls_back { Some(primary_at) } else { ignored };
        let jump = step.sticky.map(|span| Step::JumpIfToldWithin(span, primary_at));
        let steps = [
            Step::Call(Call { on_failure, ..replica }),
            Step::Jump(end),
            Step::Call(Call { on_failure: ignored, ..primary }),
        ];
        Ok(jump.into_iter().chain(steps).collect())
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

    /// A transaction by a policy, and before or after it the invalidation of a cache.
    pub(super) fn transaction_with_cache(
        &mut self,
        at: At<'_>,
        before: &[Step],
        policy: u16,
    ) -> Result<Vec<Step>, Problem> {
        let At { place, path, step } = at;
        let Some(id) = self.transaction(path, step, before)? else { return Ok(Vec::new()) };
        let database = self.node(step.transaction.as_deref().unwrap_or_default());
        let operation = self.transaction_operation(database, id);
        let (first, site) = (before.len() as u32, calls(before));
        let call = self.call(place.node, operation, policy, site);
        let transaction = &self.compiler.program.transactions[id.0 as usize];
        let watches = transaction.only_watched().is_some() || transaction.brings_list();
        let brings = watches.then_some(id);
        let call = Call { token: token(step.once), brings, ..call };
        let Some(cache) = &step.invalidate else {
            if step.order.is_some() {
                return Err(Problem::new("there is nothing to invalidate in any order")
                    .expected("`invalidate` with the name of a cache")
                    .inside("order"));
            }
            let on_failure = failure_target(step, first + 1);
            return Ok(vec![Step::Call(Call { on_failure, ..call })]);
        };
        let is_cache = |kind: &Kind| matches!(kind, Kind::Cache(_));
        let path = with(path, "invalidate");
        let Some(cache) = self.compiler.node_of(&path, cache, "cache", is_cache) else {
            return Ok(Vec::new());
        };
        let name = self.compiler.program.node(cache).name.clone();
        let mut steps = vec![Step::Work(self.sections.cache[&name].latency.clone())];
        let writes = &self.compiler.program.transactions[id.0 as usize].writes;
        steps.extend(
            writes
                .iter()
                .map(|&(table, _)| Step::Node(NodeStep::Cache(CacheStep::Invalidate(table)))),
        );
        let invalidate = self.built_in(cache, "invalidate", id.0, &steps);
        let invalidate = self.call(place.node, invalidate, policy, site + 1);
        // Nobody fails because a cache did not hear: its rows are stale until they expire.
        let quiet =
            |next| Step::Call(Call { keeps_value: true, on_failure: Some(next), ..invalidate });
        let write = Step::Call(Call { on_failure: failure_target(step, first + 2), ..call });
        Ok(match step.order.unwrap_or_default() {
            Invalidation::Before => vec![quiet(first + 1), write],
            Invalidation::After => vec![write, quiet(first + 2)],
        })
    }

    fn transaction_operation(&mut self, database: NodeId, id: TransactionId) -> OperationId {
        let name = &self.compiler.program.node(database).name;
        let text = &self.sections.database[name];
        let mut steps = durable(
            text.flush,
            text.commit.clone(),
            Step::Node(NodeStep::Data(DataStep::Commit(id))),
        );
        if let Kind::Database(program::Database { semi_sync: Some(timeout), .. }) =
            self.compiler.program.node(database).kind
        {
            steps.push(Step::Node(NodeStep::Data(DataStep::AwaitReplica(timeout))));
        }
        self.built_in(database, "transaction", id.0, &steps)
    }

    /// The table of this database whose row the last call before a step read.
    fn read_before(&self, database: NodeId, before: &[Step]) -> Option<TableId> {
        let program = &self.compiler.program;
        // What a list beside this one has read ends with it.
        let last = before.iter().rev().find_map(|step| match step {
            Step::Call(call) => Some(Some(program.operation(call.operation))),
            Step::Finish => Some(None),
            _ => None,
        });
        let last = last.flatten()?;
        let table = self.read_by(last)?;
        (program.tables[table.0 as usize].database == database).then_some(table)
    }

    /// The table whose row an operation reads, at a database, a replica or a cache.
    fn read_by(&self, operation: &program::Operation) -> Option<TableId> {
        let program = &self.compiler.program;
        // The operations of services have no steps yet.
        if matches!(program.node(operation.node).kind, Kind::Service(_) | Kind::Provider(_)) {
            return None;
        }
        let steps = &program.steps[operation.start as usize..];
        let mut own = steps.iter().take_while(|step| !matches!(step, Step::Reply(_)));
        own.find_map(|step| match step {
            Step::Node(NodeStep::Data(DataStep::ReadRow(table)))
            | Step::Node(NodeStep::Cache(CacheStep::Fill(table))) => Some(*table),
            _ => None,
        })
    }

    /// The tables of the rows that were read before a step and are written by it.
    fn overwrites(&self, transaction: &Transaction, before: &[Step]) -> Vec<TableId> {
        let read_by_step = |step: &Step| {
            let Step::Call(call) = step else { return None };
            self.read_by(self.compiler.program.operation(call.operation))
        };
        let read: BTreeSet<TableId> = before.iter().filter_map(read_by_step).collect();
        // What is taken from what is there overwrites nothing.
        let is_blind = |table: TableId| {
            transaction.changes.iter().all(|change| change.table != table || change.to_read)
        };
        let written = transaction.writes.iter().map(|&(own, _)| own);
        let written: BTreeSet<TableId> = written.filter(|&own| is_blind(own)).collect();
        read.intersection(&written).copied().collect()
    }

    fn transaction(
        &mut self,
        path: &[&str],
        step: &language::Step,
        before: &[Step],
    ) -> Result<Option<TransactionId>, Problem> {
        let name = step.transaction.as_deref().unwrap_or_default();
        let is_database = |kind: &Kind| matches!(kind, Kind::Database(_));
        let path = with(path, "transaction");
        let Some(database) = self.compiler.node_of(&path, name, "database", is_database) else {
            return Ok(None);
        };
        if token(step.once) == Token::Attempt {
            return Err(Problem::new("once for each attempt is no protection at all")
                .expected("once = \"order\", once = \"key\" or once = \"request\"")
                .inside("once"));
        }
        let compared = step.if_unchanged.then(|| self.read_before(database, before)).flatten();
        if step.if_unchanged && compared.is_none() {
            return Err(Problem::new("nothing was read that could have changed")
                .expected(format!("a `read` of `{name}` as the last call before"))
                .inside("if_unchanged"));
        }
        let mut transaction = Transaction {
            writes: Vec::new(),
            changes: Vec::new(),
            events: Vec::new(),
            audits: Vec::new(),
            if_unchanged: compared,
            overwrites: Vec::new(),
            locked: self.locked_in(database),
        };
        for (index, write) in step.write.iter().enumerate() {
            self.write(name, write, &mut transaction)
                .map_err(|problem| problem.inside(index.to_string()).inside("write"))?;
        }
        if step.write.is_empty() {
            return Err(Problem::new("this transaction writes nothing")
                .expected("write = [\"order = accepted\"]")
                .inside("write"));
        }
        // An update is lost whatever the handler has done since it read the row; what was read of
        // rows that it does not write makes it none.
        transaction.overwrites = self.overwrites(&transaction, before);
        self.check_changes(&transaction, database, before)?;
        let transactions = &mut self.compiler.program.transactions;
        transactions.push(transaction);
        Ok(Some(TransactionId((transactions.len() - 1) as u16)))
    }

    /// A number that a handler has read is that of the row which its last call has read.
    fn check_changes(
        &self,
        transaction: &Transaction,
        database: NodeId,
        before: &[Step],
    ) -> Result<(), Problem> {
        let read = transaction.changes.iter().filter(|change| change.to_read);
        for change in read {
            let is_last = self.read_before(database, before) == Some(change.table);
            if !is_last || transaction.brings_list() {
                let name = &self.compiler.program.tables[change.table.0 as usize].name;
                return Err(Problem::new(format!("it is not known what was read of `{name}`"))
                    .expected(format!(
                        "a `read` of `{name}` as the last call before, and no other row that was \
                         read and is written"
                    ))
                    .inside("write"));
            }
        }
        Ok(())
    }

    pub(super) fn write(
        &mut self,
        database: &str,
        write: &str,
        transaction: &mut Transaction,
    ) -> Result<(), Problem> {
        if let Some((table, by, to_read)) = change_of(write) {
            let name = format!("{database}.{table}");
            let program = &self.compiler.program;
            let id = program.find_table(&name);
            let Some(id) = id.filter(|id| program.tables[id.0 as usize].stock.is_some()) else {
                let stocks = program.tables.iter().filter(|table| table.stock.is_some());
                let own = stocks.filter_map(|it| it.name.strip_prefix(database)?.strip_prefix('.'));
                return Err(Problem::unknown("stock", table, &own.collect::<Vec<_>>()));
            };
            // Which number it comes to is known when it is written.
            transaction.writes.extend(program.tables[id.0 as usize].initial.map(|it| (id, it)));
            transaction.changes.push(Change { table: id, by, to_read });
            return Ok(());
        }
        let parts = write.split_once('=').map(|(table, state)| (table.trim(), state.trim()));
        let Some((table, state)) = parts.filter(|(_, state)| !state.is_empty()) else {
            return Err(Problem::new(format!("`{write}` is not a write")).expected(
                "\"TABLE = state\", \"TABLE - 1\", \"outbox = event\" or \"audit = entry\"",
            ));
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
                if program.tables[id.0 as usize].stock.is_some() {
                    return Err(Problem::new(format!("a row of `{table}` is a number")).expected(
                        format!("\"{table} - 1\", \"{table} + 1\" or \"{table} = read - 1\""),
                    ));
                }
                transaction.writes.push((id, label));
            }
        }
        Ok(())
    }
}

/// What a text such as `tickets - 1` or `tickets = read - 1` adds to which table, and whether to
/// what was read.
fn change_of(write: &str) -> Option<(&str, i32, bool)> {
    let place = write.rfind(['+', '-'])?;
    let (left, right) = write.split_at(place);
    let count: i32 = right[1..].trim().parse().ok().filter(|count| *count > 0)?;
    let by = if right.starts_with('-') { -count } else { count };
    let (table, to_read) = match left.split_once('=') {
        Some((table, read)) if read.trim() == "read" => (table, true),
        Some(_) => return None,
        None => (left, false),
    };
    // A state may have a hyphen, a name of a table may too.
    left.ends_with(char::is_whitespace).then(|| (table.trim(), by, to_read))
}

/// The steps of a transaction: in a group, it is applied when the log is flushed.
pub(super) fn durable(flush: Flush, commit: Distribution, write: Step) -> Vec<Step> {
    match flush {
        Flush::EachCommit | Flush::Every(_) => vec![Step::Work(commit), write],
        Flush::Group(_) => {
            vec![Step::Work(commit), Step::Node(NodeStep::Data(DataStep::AwaitFlush)), write]
        }
    }
}
