//! Providers.

use super::{Compiler, station_with};
use crate::kernel::draw::Probability;
use crate::kernel::time::Span;
use crate::model::check;
use crate::model::language::{Protocol, Provider, ProviderRateLimit};
use crate::model::problem::Problem;
use crate::model::program::{self, Kind};
use crate::policy::rate_limit::Gcra;

/// The most calls that a rate limit lets through at once.
const BURST_MAX: u32 = 10_000;

impl Compiler<'_> {
    pub(super) fn provider(&mut self, name: &str, provider: &Provider) {
        let kind = Kind::Provider(program::Provider {
            rate_limit: provider.rate_limit.map(|limit| self.rate_limit(name, limit)),
            concurrent_key: provider.concurrent_key,
            on_mismatch: provider.on_mismatch,
            replay_errors: provider.replay_errors,
            key_lease: provider.key_lease,
            errors_before: Probability::new(provider.errors_before.0),
            errors_after: Probability::new(provider.errors_after.0),
            error_status: provider.error_status.0,
            keys_expire: provider.keys_expire,
        });
        if provider.errors_before.0 + provider.errors_after.0 > 1.0 {
            let problem = Problem::new("more calls would fail than there are")
                .expected("`errors_before` and `errors_after` together at most 1");
            self.problem(&["provider", name, "errors_after"], problem);
        }
        if provider.errors_after.0 > 0.0 && provider.error_status.0.is_never_taken() {
            let problem = Problem::new("a call that was never taken has no effect")
                .expected("another status such as 500 or \"reset\", or no `errors_after`");
            self.problem(&["provider", name, "error_status"], problem);
        }
        if provider.key_lease == Some(Span::ZERO) {
            let problem = Problem::new("no call would ever hold its key")
                .expected("more than 0s: longer than a call takes");
            self.problem(&["provider", name, "key_lease"], problem);
        }
        let mut station = station_with(1, provider.concurrency, &provider.queue);
        station.speaks_grpc = provider.protocol == Protocol::Grpc;
        self.node("provider", name, kind, station);
    }

    fn rate_limit(&mut self, name: &str, limit: ProviderRateLimit) -> program::RateLimit {
        let path = ["provider", name, "rate_limit"];
        let rate = limit.rate.per_second;
        if !(1e-6..=1e9).contains(&rate) {
            let problem = Problem::new("no limiter counts so slowly or so fast")
                .expected("from 1e-6/s to 1e9/s");
            self.problem(&path, problem.inside("rate"));
        }
        if let Err(problem) = check::count("calls at once", limit.burst, 1, BURST_MAX) {
            self.problem(&path, problem.inside("burst"));
        }
        let interval = Span::from_secs_f64(1.0 / rate.clamp(1e-6, 1e9));
        let rule = Gcra { interval, burst: limit.burst };
        program::RateLimit { rule, retry_after: limit.retry_after }
    }
}
