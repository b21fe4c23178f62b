//! Providers.

use super::{Compiler, station_with};
use crate::kernel::draw::Probability;
use crate::model::language::Provider;
use crate::model::problem::Problem;
use crate::model::program::{self, Kind};

impl Compiler<'_> {
    pub(super) fn provider(&mut self, name: &str, provider: &Provider) {
        let kind = Kind::Provider(program::Provider {
            errors_before: Probability::new(provider.errors_before.0),
            errors_after: Probability::new(provider.errors_after.0),
            keys_expire: provider.keys_expire,
        });
        if provider.errors_before.0 + provider.errors_after.0 > 1.0 {
            let problem = Problem::new("more calls would fail than there are")
                .expected("`errors_before` and `errors_after` together at most 1");
            self.problem(&["provider", name, "errors_after"], problem);
        }
        self.node("provider", name, kind, station_with(1, provider.concurrency, provider.queue));
    }
}
