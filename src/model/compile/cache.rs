//! Caches.

use super::{Compiler, station};
use crate::model::check;
use crate::model::language::Cache;
use crate::model::program::{self, Kind};
use crate::model::quantity::Count;

impl Compiler<'_> {
    pub(super) fn cache(&mut self, name: &str, cache: &Cache) {
        let kind = Kind::Cache(program::Cache { capacity: cache.capacity, ttl: cache.ttl });
        self.node("cache", name, kind, station(1, Count::Unlimited));
        if let Err(problem) = check::count("rows", cache.capacity, 1, u32::MAX) {
            self.problem(&["cache", name, "capacity"], problem);
        }
    }
}
