//! Caches: rows kept for a while; the least recently used leaves first.

use std::collections::BTreeMap;

use super::fact::Observer;
use super::{Local, World};
use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::model::program::{Kind, NodeId, TableId};

/// What a cache keeps.
#[derive(Debug, Default)]
pub(super) struct Cache {
    rows: BTreeMap<(TableId, u64), Kept>,
    /// The rows by their last use, which is a number of its own for each use.
    by_use: BTreeMap<u64, (TableId, u64)>,
    uses: u64,
}

/// A row in a cache.
#[derive(Clone, Copy, Debug)]
struct Kept {
    value: u64,
    expires: Time,
    used: u64,
}

impl Cache {
    fn get(&mut self, row: (TableId, u64), now: Time) -> Option<u64> {
        let kept = self.rows.get_mut(&row)?;
        self.by_use.remove(&kept.used);
        if kept.expires <= now {
            self.rows.remove(&row);
            return None;
        }
        self.uses += 1;
        kept.used = self.uses;
        self.by_use.insert(self.uses, row);
        Some(kept.value)
    }

    fn put(&mut self, row: (TableId, u64), value: u64, expires: Time, capacity: usize) {
        self.uses += 1;
        let kept = Kept { value, expires, used: self.uses };
        if let Some(before) = self.rows.insert(row, kept) {
            self.by_use.remove(&before.used);
        }
        self.by_use.insert(self.uses, row);
        if self.rows.len() > capacity
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.rows.remove(&oldest);
        }
    }
}

impl<O: Observer> World<'_, O> {
    fn cache(&mut self, node: NodeId) -> &mut Cache {
        match &mut self.locals[node.0 as usize] {
            Local::Cache(cache) => cache,
            other => unreachable!("rows are looked up in caches, not in {other:?}"),
        }
    }

    /// Looks up the row that a job is about; 0 if it is not there.
    pub(super) fn look_up(&mut self, handle: Handle, table: TableId) {
        let Some(job) = self.jobs.get(handle) else { return };
        let (node, row) = (job.node, self.row_of_job(table, &job.subject));
        let now = self.clock_of(node);
        let value = self.cache(node).get((table, row), now).unwrap_or(0);
        self.set_value(handle, value);
    }

    /// Keeps the row that a job brings, unless there was none.
    pub(super) fn fill(&mut self, handle: Handle, table: TableId) {
        let Some(job) = self.jobs.get(handle) else { return };
        let (node, value) = (job.node, job.value);
        let row = self.row_of_job(table, &job.subject);
        let Kind::Cache(rules) = &self.program.node(node).kind else { return };
        let now = self.clock_of(node);
        let expires = rules.ttl.map_or(Time::NEVER, |ttl| now + ttl);
        if value != 0 {
            self.cache(node).put((table, row), value, expires, rules.capacity as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_row_leaves_first_and_rows_expire() {
        let mut cache = Cache::default();
        let row = |number| (TableId(0), number);
        for number in [1, 2] {
            cache.put(row(number), number * 10, Time(100), 2);
        }
        assert_eq!(cache.get(row(1), Time(0)), Some(10));
        cache.put(row(3), 30, Time(50), 2);
        assert_eq!(cache.get(row(2), Time(0)), None);
        assert_eq!(cache.get(row(3), Time(49)), Some(30));
        assert_eq!(cache.get(row(3), Time(50)), None);
        assert_eq!(cache.rows.len(), cache.by_use.len());
    }
}
