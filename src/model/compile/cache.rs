//! Caches.

use super::{Compiler, station};
use crate::kernel::time::Span;
use crate::model::check;
use crate::model::language::Cache;
use crate::model::problem::Problem;
use crate::model::program::{self, Kind};
use crate::model::quantity::Count;

impl Compiler<'_> {
    pub(super) fn cache(&mut self, name: &str, cache: &Cache) {
        let kind = Kind::Cache(program::Cache {
            capacity: cache.capacity,
            ttl: cache.ttl,
            expire_after_access: cache.expire_after_access,
            negative_ttl: cache.negative_ttl,
            stale_for: cache.stale_for.unwrap_or(Span::ZERO),
            lease: cache.lease,
            early_expiry: cache.early_expiry,
        });
        self.node("cache", name, kind, station(1, Count::Unlimited));
        if let Err(problem) = check::count("rows", cache.capacity, 1, u32::MAX) {
            self.problem(&["cache", name, "capacity"], problem);
        }
        self.cache_times(name, cache);
    }

    fn cache_times(&mut self, name: &str, cache: &Cache) {
        for (key, is_given) in [
            ("stale_for", cache.stale_for.is_some()),
            ("early_expiry", cache.early_expiry.is_some()),
        ] {
            if is_given && cache.ttl.is_none() {
                let problem = Problem::new(format!("`{key}` is about rows that expire"))
                    .expected("a `ttl` beside it");
                self.problem(&["cache", name, key], problem);
            }
        }
        for (key, span) in [
            ("expire_after_access", cache.expire_after_access),
            ("negative_ttl", cache.negative_ttl),
        ] {
            if span == Some(Span::ZERO) {
                let problem = Problem::new(format!("`{key}` of 0s keeps nothing"))
                    .expected("more than 0s, or no such key");
                self.problem(&["cache", name, key], problem);
            }
        }
        if let Some(beta) = cache.early_expiry
            && !(beta > 0.0 && beta <= 1e6)
        {
            let problem = Problem::new(format!("rows cannot expire {beta} times as eagerly"))
                .expected("more than 0 and at most 1e6");
            self.problem(&["cache", name, "early_expiry"], problem);
        }
        if cache.lease == Some(Span::ZERO) {
            let problem = Problem::new("a lease that ends when it is given protects from nothing")
                .expected("more than 0s, such as \"10s\"");
            self.problem(&["cache", name, "lease"], problem);
        }
    }
}
