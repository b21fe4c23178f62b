//! What answers show: the rows that were read and written for a call, wherever that happened.
//!
//! An answer carries one word: what its handler has read or written last. A failure that is
//! ignored, a call that reads nothing, the second row of a transaction and lists of steps that run
//! at once come between or beside it, and none of them makes a user forget what it was told. So
//! rows are noted at everybody who compares answers and waits for the work that reads or writes
//! them, at that time: what a caller no longer waits for is not in the answer that it gets.

use crate::kernel::slab::Handle;
use crate::model::program::{self, Kind, Memory, TableId};
use crate::system::context::Context;
use crate::system::fact::Fact;
use crate::system::job::{Origin, Shown, of_answer};
use crate::system::node::Nodes;
use crate::system::node::flight::row_word;

impl Nodes {
    /// Notes a row that a job has come upon at everybody who compares answers and waits for it.
    pub(in crate::system) fn note_row(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        table: TableId,
        version: u64,
        is_written: bool,
    ) {
        if !self.notes_rows {
            return;
        }
        let mut origin = cx.jobs.get(handle).map(|job| job.origin);
        while let Some(from) = origin {
            let (owner, is_caller) = match from {
                Origin::Nobody
                | Origin::User(_)
                | Origin::Delivery { .. }
                | Origin::Publish { .. } => return,
                Origin::Fork { parent, round } => {
                    let parents = cx.jobs.get(parent);
                    if !parents.is_some_and(|parent| parent.waits_for_branches(round)) {
                        return;
                    }
                    (parent, false)
                }
                Origin::Call { call, attempt, .. } => {
                    let owner = cx.calls.get(call).map(|call| call.owner);
                    match owner.filter(|_| cx.calls.expects(call, attempt)) {
                        Some(owner) => (owner, true),
                        None => return,
                    }
                }
            };
            let job = cx.jobs.get_mut(owner);
            origin = job.map(|job| {
                if let Some(notes) = job.notes.as_mut().filter(|_| is_caller) {
                    notes.show(table, version, is_written);
                }
                job.origin
            });
        }
    }

    /// A call of a job was answered `ok`, with these rows and the word of the answer: the job is
    /// told of what was written and of what it is shown, or it compares that with what it knows.
    pub(in crate::system) fn note_answer(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        call: &program::Call,
        shown: &[Shown],
        value: u64,
    ) {
        let Some(job) = cx.jobs.get_mut(handle) else { return };
        let (order, asked) = (job.subject.order, job.subject.asked);
        let Some(notes) = &mut job.notes else { return };
        let value = row_word(value);
        let target = cx.core.program().node(cx.core.program().operation(call.operation).node);
        if matches!(target.kind, Kind::Database(_) | Kind::Replica(_) | Kind::Cache(_)) {
            // What it has read it knows after its own write too.
            for row in shown {
                if row.written == 0 || notes.read(row.table).is_some() {
                    notes.note_read(row.table, row.last);
                }
            }
        }
        if call.expects_own_write {
            let Some((seen, own)) = notes.compared(shown, value) else { return };
            let operation = call.operation;
            return cx.core.tell(Fact::ReadBack { operation, order, asked, seen, own });
        }
        let mut known = of_answer(shown, value);
        if cx.core.program().has_sessions && cx.core.program().edge(call.edge).is_entry {
            for &(table, version) in &known {
                self.note_told(cx, order, table, version);
            }
        }
        if call.memory == Memory::Compared {
            // What is compared with what was shown before tells nothing of the user's own.
            known.retain(|&(table, version)| {
                shown.iter().any(|row| (row.table, row.written) == (table, version))
            });
        }
        let notes = cx.jobs.get_mut(handle).and_then(|job| job.notes.as_mut());
        if let Some(notes) = notes {
            known.into_iter().for_each(|(table, version)| notes.tell(table, version));
        }
    }
}

impl Context<'_> {
    /// The rows of the call that a job has made, which has ended.
    pub(in crate::system) fn take_shown(&mut self, handle: Handle) -> Vec<Shown> {
        let notes = self.jobs.get_mut(handle).and_then(|job| job.notes.as_mut());
        notes.map(|notes| notes.take_shown()).unwrap_or_default()
    }
}
