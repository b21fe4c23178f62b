//! `[service.NAME.pool.POOL]`: what handlers hold over several steps.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::time::Span;

/// `[service.NAME.pool.POOL]`: places of which handlers hold one over several steps, such as the
/// connections of a pool. The defaults are those of HikariCP (brettwooldridge/HikariCP,
/// `HikariConfig.java`).
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Pool {
    /// How many places each instance has (`maximumPoolSize`).
    pub size: u32,
    /// How long a handler waits for a place (`connectionTimeout`).
    pub acquire_timeout: Span,
}

impl Default for Pool {
    fn default() -> Pool {
        Pool { size: 10, acquire_timeout: Span::from_secs(30) }
    }
}
