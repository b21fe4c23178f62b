//! What a transaction is told of the rows that its handler has read: the version of the row that
//! its condition compares, and those of the rows that it writes.
//!
//! A call carries one word. Where that is not enough, it is the number of a list.

use crate::kernel::slab::Handle;
use crate::model::program::{self, LabelId, TableId, Transaction};
use crate::system::context::Context;
use crate::system::job::{UNREAD, is_of_table, pack, state, version};
use crate::system::node::Nodes;
use crate::system::node::database::row_of;

/// Rows that a handler has read, of its own order or key: their tables and versions.
pub(in crate::system) type Known = Vec<(TableId, u64)>;

impl Nodes {
    /// The word that goes with a job's call, see [`pack`].
    pub(in crate::system) fn bring(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        call: &program::Call,
    ) -> u64 {
        let job = cx.jobs.at(handle);
        let Some(id) = call.brings else { return job.value };
        let transaction = &cx.core.program().transactions[id.0 as usize];
        let read = |table: TableId| job.notes.as_ref().and_then(|notes| notes.read(table));
        if let Some(table) = transaction.only_watched() {
            let number = if is_of_table(job.value, table) { state(job.value) } else { LabelId(0) };
            return read(table).map_or(UNREAD, |version| pack(version, table, number));
        }
        let compared = transaction.if_unchanged;
        let compared = compared.map(|table| (table, version(job.value)));
        let others = transaction.overwrites.iter().filter(|&&own| transaction.watches_beside(own));
        let others = others.filter_map(|&table| Some((table, read(table)?)));
        self.brought.push(compared.into_iter().chain(others).collect());
        self.brought.len() as u64 - 1
    }

    /// The rows that the job of a transaction was told of, with the versions that were read.
    pub(in crate::system) fn known_rows(
        &self,
        cx: &Context<'_>,
        handle: Handle,
        transaction: &Transaction,
    ) -> Known {
        let job = cx.jobs.at(handle);
        let word = job.value;
        if transaction.brings_list() {
            return self.brought[word as usize].clone();
        }
        let known = transaction.only_watched().or(transaction.if_unchanged);
        let known = known.filter(|_| word != UNREAD);
        known.map(|table| (table, version(word))).into_iter().collect()
    }

    /// Whether a row that a job is about has another version now.
    pub(in crate::system) fn has_changed(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        table: TableId,
        read: u64,
    ) -> bool {
        let job = cx.jobs.at(handle);
        let (node, row) = (job.node, row_of(cx.core.program(), table, &job.subject));
        version(self.store(node).tables.get(table, row).value) != read
    }
}
