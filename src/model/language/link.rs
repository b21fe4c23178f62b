//! `[link.…]`: messages on their way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::sample::Distribution;
use crate::model::quantity::Share;

/// `[link.default]` or `[link."A -> B"]`: what happens to messages on their way.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Link {
    /// How long a message travels, each way drawn anew.
    pub latency: Option<Distribution>,
    /// Requests that never arrive.
    pub request_loss: Option<Share>,
    /// Replies that never arrive, although the work was done.
    pub reply_loss: Option<Share>,
}
