//! The laws, by the names under which their numbers are published.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Parameters, Says, account, cache, composition, delivery, drain, latency, loss, queue, retrial,
    retry, single_server,
};

macro_rules! laws {
    ($($(#[$doc:meta])* $law:ident = $name:literal / $group:literal => $says:path,)*) => {
        /// A closed form.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
        #[cfg_attr(feature = "schema", derive(JsonSchema))]
        pub enum Law {
            $($(#[$doc])* #[serde(rename = $name)] $law,)*
        }

        impl Law {
            /// Every law.
            pub const ALL: &[Law] = &[$(Law::$law),*];

            /// The name under which its numbers are published.
            pub fn group(self) -> &'static str {
                match self { $(Law::$law => $group,)* }
            }

            /// What the law says under these parameters.
            ///
            /// # Errors
            /// If a parameter is missing.
            pub fn says(self, parameters: &Parameters) -> Says {
                match self { $(Law::$law => $says(parameters),)* }
            }
        }
    };
}

laws! {
    /// One server, exponential service.
    Single = "MM1" / "MM1" => queue::single,
    /// One server, exponential service, by mean service time and load.
    SingleByLoad = "MM1_brooker_exp" / "MM1_brooker_exp" => queue::single_by_load,
    /// Several servers.
    Several = "MMc" / "MMc" => queue::several,
    /// Several servers and no room to wait.
    Loss = "ErlangB" / "ErlangB" => loss::loss,
    /// The threads of a server that are held until a deadline.
    BimodalThreads = "SRE_bimodal" / "SRE_bimodal" => loss::bimodal_threads,
    /// Several servers and little room to wait.
    Finite = "MMcK" / "MMcK" => loss::finite,
    /// One server, constant service.
    Constant = "MD1" / "MD1" => single_server::constant,
    /// One server, Erlang service.
    Stages = "MEk1" / "MEk1" => single_server::stages,
    /// One server, lognormal service.
    Lognormal = "MLogN1" / "MLogN1" => single_server::lognormal,
    /// One server, a mixture of two exponential services.
    Bimodal = "MH21_brooker_bimodal" / "MH21_brooker_bimodal" => single_server::bimodal,
    /// The same with one client in a closed loop.
    BimodalClosed = "MH21_closed" / "MH21_brooker_bimodal" => single_server::bimodal_closed,
    /// One server and two classes.
    Priority = "MM1prio_nonpreemptive" / "MM1prio_nonpreemptive" => queue::priority,
    /// One server that discards what has waited too long.
    Deadline = "MM1+D" / "MM1+D" => queue::deadline,
    /// One server that breaks down.
    Breakdown = "MM1_breakdown" / "MM1_breakdown" => queue::breakdown,
    /// Several servers and impatient customers.
    Impatient = "ErlangA" / "ErlangA" => loss::impatient,
    /// A rare event of one server.
    Rare = "RareEvent_MM1" / "RareEvent_MM1" => loss::rare,
    /// Retrials at one server.
    Retrial = "MM11_retrial_linear" / "MM11_retrial_linear" => retrial::single,
    /// Retrials at one server, one at a time.
    RetrialConstant = "MM11_retrial_constant" / "MM11_retrial_constant" => retrial::single_constant,
    /// Retrials at several servers.
    RetrialSeveral = "MMcc_retrial" / "MMcc_retrial" => retrial::several,
    /// Retrials of customers who may not come back.
    RetrialImpatient = "MMcc_retrial_nonpersistent" / "MMcc_retrial_nonpersistent"
        => retrial::impatient,
    /// Attempts until one succeeds.
    Attempts = "RetryN" / "RetryN" => retry::attempts,
    /// Layers that each retry.
    Layers = "RetryLayers" / "RetryLayers" => retry::layers,
    /// Layers with a budget of retries.
    Budget = "RetryBudget" / "RetryBudget" => retry::budget,
    /// A bucket of retry tokens.
    TokenBucket = "TokenBucketRetry" / "TokenBucketRetry" => retry::token_bucket,
    /// How soon a breaker trips.
    Trip = "CB_consecutive" / "CB_consecutive" => retry::trip,
    /// A breaker in the long run.
    Breaker = "CB_renewal" / "CB_renewal" => retry::breaker,
    /// Deliveries that are lost and repeated.
    Duplicates = "DupDelivery" / "DupDelivery" => delivery::duplicates,
    /// A relay that crashes.
    Outbox = "Outbox" / "Outbox" => delivery::outbox,
    /// Two writes with a crash between them.
    DualWrite = "DualWrite" / "DualWrite" => delivery::dual_write,
    /// A replica that lags.
    ReplicaLag = "ReplicaLag" / "ReplicaLag" => delivery::lag,
    /// Hedged requests, exponential service.
    HedgedExponential = "HedgeExp" / "HedgeExp" => latency::hedged_exponential,
    /// Hedged requests, lognormal service.
    HedgedLognormal = "HedgeLognormal" / "HedgeLognormal" => latency::hedged_lognormal,
    /// The slowest of a quorum.
    Quorum = "Quorum" / "Quorum" => latency::quorum,
    /// One slow server of many.
    FanOut = "FanOut" / "FanOut" => latency::fan_out,
    /// The least recently used key leaves; few keys.
    LeastRecentExact = "LRU_exact" / "LRU_exact" => cache::exact,
    /// The least recently used key leaves; many keys.
    LeastRecent = "LRU_che" / "LRU_che" => cache::characteristic,
    /// Rows expire.
    Expiring = "TTL_cache" / "TTL_cache" => cache::expiring,
    /// Rows change while they are kept.
    StaleAfterChange = "StaleAfterChange" / "StaleAfterChange" => cache::stale_after_change,
    /// An incident and an error budget.
    ErrorBudget = "ErrorBudget" / "ErrorBudget" => account::error_budget,
    /// An outage by slices of time and by events.
    TimeSlices = "TimeSlices" / "TimeSlices" => account::slices,
    /// A line that stands still and is worked off.
    Backlog = "Backlog" / "Backlog" => account::backlog,
    /// Bad releases and an error budget.
    Releases = "Releases" / "Releases" => account::releases,
    /// What capacity costs, and what its lack does.
    Capacity = "Capacity" / "Capacity" => account::capacity,
    /// The age of the oldest in a line that stands still.
    Oldest = "OldestMessage" / "OldestMessage" => drain::oldest,
    /// A backlog that is drained at a pace beside live load.
    Paced = "PacedDrain" / "PacedDrain" => drain::paced,
    /// A component that is up and down in turn.
    Renewal = "Renewal" / "Renewal" => account::renewal,
    /// Parts of which all are needed.
    Serial = "Serial" / "Serial" => composition::serial,
    /// Parts of which some are enough.
    Redundant = "Redundant" / "Redundant" => composition::redundant,
    /// Redundant parts with a common cause.
    CommonCause = "CommonCause" / "CommonCause" => composition::common_cause,
    /// Parts some of which have a fallback.
    Fallbacks = "Fallbacks" / "Fallbacks" => composition::fallbacks,
    /// Work over several hops.
    Hops = "Hops" / "Hops" => composition::hops,
}
