//! Caches: rows kept for a while; the least recently used leaves first.
//!
//! Leases are those of memcache (Nishtala et al.: "Scaling Memcache at Facebook", NSDI'13): a miss
//! gives one reader the right to fill the row, an invalidation takes it away, and the others wait.
//! Early expiry is XFetch (Vattani, Chierichetti, Lowenstein: "Optimal probabilistic cache stampede
//! prevention", VLDB'15).

use std::collections::BTreeMap;

use crate::kernel::draw::{Draw, Probability, Purpose};
use crate::kernel::slab::Handle;
use crate::kernel::time::{Span, Time};
use crate::model::program::{self, CacheStep, NodeId, TableId};
use crate::system::context::Context;
use crate::system::control::Action;
use crate::system::fact::{Caching, Deed, Fact};
use crate::system::job::{Progress, version};
use crate::system::node::flight::{ABSENT, REFRESH, row_word};
use crate::system::node::parked::Parked;
use crate::system::node::{Local, Nodes};

/// A row: its table and number.
type Row = (TableId, u64);

/// What a cache keeps.
#[derive(Clone, Debug, Default)]
pub(in crate::system) struct Cache {
    rows: BTreeMap<Row, Kept>,
    /// The rows by their last use, which is a number of its own for each use.
    by_use: BTreeMap<u64, Row>,
    uses: u64,
    /// Who was let to fetch a row last; only kept with leases or early expiry.
    fetching: BTreeMap<Row, Fetching>,
    /// Lookups that wait for the holder of a lease.
    waiting: Parked<Row>,
}

/// A row in a cache.
#[derive(Clone, Copy, Debug)]
struct Kept {
    /// The packed row; 0 if there is none.
    value: u64,
    expires: Time,
    /// When it leaves if nobody asks for it.
    idle: Time,
    used: u64,
    /// How long it took to fetch it.
    fetched_in: Span,
}

impl Kept {
    /// What a lookup is answered.
    fn shown(&self) -> u64 {
        if self.value == 0 { ABSENT } else { self.value }
    }
}

/// A reader that fetches a row.
#[derive(Clone, Copy, Debug)]
struct Fetching {
    /// What names the reader; 0 if it may not fill the row any more.
    token: u64,
    since: Time,
}

impl Cache {
    /// The row as it was, if it is there and may be shown; it is used now. A cache that is stuck
    /// shows it however old it is.
    fn get(&mut self, row: Row, now: Time, rules: &program::Cache, is_stuck: bool) -> Option<Kept> {
        let kept = self.rows.get_mut(&row)?;
        self.by_use.remove(&kept.used);
        let old = if kept.value == 0 { Span::ZERO } else { rules.stale_for };
        if !is_stuck && (kept.expires + old <= now || kept.idle <= now) {
            self.rows.remove(&row);
            return None;
        }
        let found = *kept;
        self.uses += 1;
        kept.used = self.uses;
        if found.value != 0 {
            kept.idle = rules.expire_after_access.map_or(Time::NEVER, |span| now + span);
        }
        self.by_use.insert(self.uses, row);
        Some(found)
    }

    fn put(&mut self, row: Row, kept: Kept, capacity: usize) {
        self.uses += 1;
        if let Some(before) = self.rows.insert(row, Kept { used: self.uses, ..kept }) {
            self.by_use.remove(&before.used);
        }
        self.by_use.insert(self.uses, row);
        if self.rows.len() > capacity
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.rows.remove(&oldest);
        }
    }

    fn remove(&mut self, row: Row) {
        if let Some(kept) = self.rows.remove(&row) {
            self.by_use.remove(&kept.used);
        }
        if let Some(fetching) = self.fetching.get_mut(&row) {
            fetching.token = 0;
        }
    }

    /// Lets a reader fetch a row, unless another one has the lease; then the answer is until when.
    fn let_fetch(
        &mut self,
        row: Row,
        token: u64,
        now: Time,
        rules: &program::Cache,
    ) -> Option<Time> {
        if let Some(lease) = rules.lease
            && let Some(before) = self.fetching.get(&row)
            && now < before.since + lease
            && before.token != token
        {
            return Some(before.since + lease);
        }
        if rules.lease.is_some() || rules.early_expiry.is_some() {
            self.fetching.insert(row, Fetching { token, since: now });
        }
        None
    }
}

/// Whether a row is fetched before it expires: the time until then is a random multiple of the
/// time that it took to fetch it.
fn expires_early(kept: &Kept, now: Time, beta: f64, draw: Draw) -> bool {
    let ahead = kept.fetched_in.0 as f64 * beta * -libm::log(draw.unit_open_zero());
    now.0 as f64 + ahead >= kept.expires.0 as f64
}

impl Nodes {
    fn cache(&mut self, node: NodeId) -> &mut Cache {
        match &mut self.locals[node.0 as usize] {
            Local::Cache(cache) => cache,
            other => unreachable!("rows are looked up in caches, not in {other:?}"),
        }
    }

    pub(in crate::system) fn take_cache_step(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        step: CacheStep,
    ) -> Progress {
        match step {
            CacheStep::Lookup(table) => return self.look_up(cx, handle, table),
            CacheStep::Fill(table) => self.fill(cx, handle, table),
            CacheStep::Invalidate(table) => self.invalidate(cx, handle, table),
            CacheStep::Refresh(read, operation) => self.refresh(cx, handle, read, operation),
            CacheStep::Skip(read) => cx.skip_absent(handle, read),
            CacheStep::Join(read) => return self.join_flight(cx, handle, read),
            CacheStep::Land(read) => self.land(cx, handle, read),
            CacheStep::Abort(read) => self.abort(cx, handle, read),
        }
        Progress::GoesOn
    }

    /// Looks up the row that a job is about; 0 if the job is to fetch it.
    fn look_up(&mut self, cx: &mut Context<'_>, handle: Handle, table: TableId) -> Progress {
        let job = cx.jobs.at(handle);
        let (node, key, token, subject) = (job.node, job.key, job.token, job.subject);
        let row = (table, cx.row_of_job(table, &subject));
        let description = cx.core.program().node(node);
        let rules = cx.cache_rules(node);
        let now = cx.core.clock_of(node, subject.order);
        let is_stale = cx.core.data_condition(node).is_stale;
        let cache = self.cache(node);
        cache.waiting.leave(handle);
        let found = cache.get(row, now, rules, is_stale);
        let value = match found {
            None => match cache.let_fetch(row, token, now, rules) {
                None => 0,
                Some(until) => {
                    cache.waiting.wait(handle, row);
                    cx.jobs.park(&mut cx.core, handle, until.since(now));
                    return Progress::Repeats;
                }
            },
            Some(kept) if is_stale => {
                if kept.expires.min(kept.idle) <= now {
                    cx.fired_by_staleness(node, subject.order);
                }
                kept.shown()
            }
            Some(kept) if kept.expires <= now => match cache.let_fetch(row, token, now, rules) {
                None => kept.value | REFRESH,
                Some(_) => kept.value,
            },
            Some(kept) => {
                let can_be_early = kept.value != 0 && kept.fetched_in > Span::ZERO;
                let beta = rules.early_expiry.filter(|_| can_be_early);
                let is_early = beta.is_some_and(|beta| {
                    let draw = cx.core.draw(Purpose::Refresh, description.id, key, 0);
                    expires_early(&kept, now, beta, draw)
                });
                let fetches =
                    is_early && self.cache(node).let_fetch(row, token, now, rules).is_none();
                if fetches { 0 } else { kept.shown() }
            }
        };
        cx.jobs.at_mut(handle).value = value;
        if value != 0 {
            let seen = row_word(value);
            self.note_row(cx, handle, table, version(seen), false);
            self.tell_read(cx, node, (table, row.1), &subject, seen);
        }
        Progress::GoesOn
    }

    /// Keeps the row that a job brings, unless there was none or its lease has ended.
    fn fill(&mut self, cx: &mut Context<'_>, handle: Handle, table: TableId) {
        let job = cx.jobs.at(handle);
        let (node, value, token, order) = (job.node, job.value, job.token, job.subject.order);
        let row = (table, cx.row_of_job(table, &job.subject));
        let did = |deed| Fact::Caching(Caching { cache: node, order, table, row: row.1, deed });
        let rules = cx.cache_rules(node);
        let (ttl, deed) = match (value, rules.negative_ttl) {
            (0, None) => return cx.core.tell(did(Deed::FindsNothing)),
            (0, Some(span)) => (Some(span), Deed::KeepsNothing),
            _ => (rules.ttl, Deed::Keeps(version(value))),
        };
        let now = cx.core.clock_of(node, order);
        let cache = self.cache(node);
        let own = cache.fetching.get_mut(&row).filter(|fetching| fetching.token == token);
        if rules.lease.is_some() && own.is_none() {
            return cx.core.tell(did(Deed::Refuses));
        }
        let fetched_in = own.map(|fetching| {
            fetching.token = 0;
            now.since(fetching.since)
        });
        let before = cache.rows.get(&row).map_or(Span::ZERO, |kept| kept.fetched_in);
        let until = |span: Option<Span>| span.map_or(Time::NEVER, |span| now + span);
        let idle = until(rules.expire_after_access.filter(|_| value != 0));
        let fetched_in = fetched_in.unwrap_or(before);
        let kept = Kept { value, expires: until(ttl), idle, used: 0, fetched_in };
        cache.put(row, kept, rules.capacity as usize);
        cx.core.tell(did(deed));
        let ready = self.cache(node).waiting.waiting_for([row..=row]);
        ready.into_iter().for_each(|job| cx.jobs.wake(&mut cx.core, job));
    }

    /// Forgets the row that a job is about.
    fn invalidate(&mut self, cx: &mut Context<'_>, handle: Handle, table: TableId) {
        let job = cx.jobs.at(handle);
        let (node, order) = (job.node, job.subject.order);
        let row = (table, cx.row_of_job(table, &job.subject));
        match cx.core.data_condition(node).is_stale {
            true => cx.fired_by_staleness(node, order),
            false => {
                self.cache(node).remove(row);
                let (cache, deed) = (node, Deed::Forgets);
                cx.core.tell(Fact::Caching(Caching { cache, order, table, row: row.1, deed }));
            }
        }
    }

    /// A fault empties a cache.
    pub(in crate::system) fn flush_cache(&mut self, cx: &mut Context<'_>, node: NodeId) {
        let cache = self.cache(node);
        let rows = cache.rows.len() as u64;
        cache.rows.clear();
        cache.by_use.clear();
        cache.fetching.clear();
        cx.core.tell(Fact::CacheFlushed { cache: node, rows });
        let ready = self.cache(node).waiting.those(|_| true);
        ready.into_iter().for_each(|job| cx.jobs.wake(&mut cx.core, job));
    }

    /// A fault lets a share of the rows of a cache fall back by one version; says how many.
    pub(in crate::system) fn corrupt_cache(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        share: Probability,
    ) -> u64 {
        let site = cx.core.program().node(node).id;
        let mut kept = std::mem::take(&mut self.cache(node).rows);
        let mut count = 0;
        for (&(table, number), row) in &mut kept {
            let draw = cx.core.draw(Purpose::Fault, site, number, table.0);
            if version(row.value) > 1 && share.happens(draw) {
                row.value -= 1 << 32;
                count += 1;
            }
        }
        self.cache(node).rows = kept;
        count
    }
}

impl Context<'_> {
    /// Tells which fault lets a cache keep a row.
    fn fired_by_staleness(&mut self, cache: NodeId, order: u64) {
        self.core
            .fired(Some(order), |act| matches!(*act, Action::StaleCache { node } if node == cache));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(value: u64, expires: u64) -> Kept {
        let (expires, idle) = (Time(expires), Time::NEVER);
        Kept { value, expires, idle, used: 0, fetched_in: Span(10) }
    }

    /// A cache of rows that are shown for so long after their time.
    fn rules(stale_for: u64) -> program::Cache {
        program::Cache {
            capacity: 2,
            ttl: None,
            expire_after_access: None,
            negative_ttl: None,
            stale_for: Span(stale_for),
            lease: None,
            early_expiry: None,
        }
    }

    #[test]
    fn the_least_recently_used_row_leaves_first_and_rows_expire() {
        let mut cache = Cache::default();
        let row = |number| (TableId(0), number);
        let get = |cache: &mut Cache, number, now, old| {
            cache.get(row(number), Time(now), &rules(old), false).map(|kept| kept.value)
        };
        for number in [1, 2] {
            cache.put(row(number), kept(number * 10, 100), 2);
        }
        assert_eq!(get(&mut cache, 1, 0, 0), Some(10));
        cache.put(row(3), kept(30, 50), 2);
        assert_eq!(get(&mut cache, 2, 0, 0), None);
        assert_eq!(get(&mut cache, 3, 49, 0), Some(30));
        assert_eq!(get(&mut cache, 3, 54, 5), Some(30));
        assert_eq!(get(&mut cache, 3, 55, 5), None);
        assert_eq!(cache.rows.len(), cache.by_use.len());
    }

    #[test]
    fn rows_expire_early_in_proportion_to_the_time_of_a_fetch() {
        // -ln(u) >= 2 for u <= 0.1353: a row fetched in 10 that expires in 20.
        let row = kept(1, 100);
        assert!(expires_early(&row, Time(80), 1.0, Draw::from_unit(0.135)));
        assert!(!expires_early(&row, Time(80), 1.0, Draw::from_unit(0.136)));
        assert!(expires_early(&row, Time(80), 2.0, Draw::from_unit(0.36)));
        assert!(expires_early(&row, Time(100), 1.0, Draw(u64::MAX)));
    }
}
