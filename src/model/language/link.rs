//! `[link.…]`: messages on their way.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::sample::Distribution;
use crate::model::quantity::{Bandwidth, Count, Share, Size};

/// `[link.default]`, `[link."A -> B"]`, `[link."zone A -> zone B"]` and their like: what happens to
/// messages on their way. A link takes from more general ones what it does not say itself.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Link {
    /// How long a message travels, each way drawn anew; none if nothing says it.
    pub latency: Option<Distribution>,
    /// Requests that never arrive; none if nothing says it.
    pub request_loss: Option<Share>,
    /// Replies that never arrive, although the work was done; none if nothing says it.
    pub reply_loss: Option<Share>,
    /// Messages that arrive twice, each way; the second copy has a latency of its own. None if
    /// nothing says it.
    pub duplication: Option<Share>,
    /// Messages that are late, each way, so that later ones overtake them; none if nothing says it.
    pub reordering: Option<Reordering>,
    /// How much passes in a second, each way: messages go one after the other. Unlimited if nothing
    /// says it.
    pub bandwidth: Option<Bandwidth>,
    /// How large a message is, for a bandwidth in bytes; 1 kB if nothing says it.
    pub message_size: Option<Size>,
    /// How many messages wait for the bandwidth, each way; more are lost. 1000 if nothing says it.
    pub buffer: Option<Count>,
}

/// A share of messages that is late.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reordering {
    /// How many of the messages are late.
    pub share: Share,
    /// By how much.
    pub by: Distribution,
}

impl Link {
    /// What this link says, and what a more general one says where this one says nothing.
    pub fn or(self, general: Link) -> Link {
        Link {
            latency: self.latency.or(general.latency),
            request_loss: self.request_loss.or(general.request_loss),
            reply_loss: self.reply_loss.or(general.reply_loss),
            duplication: self.duplication.or(general.duplication),
            reordering: self.reordering.or(general.reordering),
            bandwidth: self.bandwidth.or(general.bandwidth),
            message_size: self.message_size.or(general.message_size),
            buffer: self.buffer.or(general.buffer),
        }
    }

    /// The size of a message, with its default.
    pub fn size(&self) -> Size {
        self.message_size.unwrap_or(Size(1e3))
    }

    /// How many messages wait, with its default.
    pub fn room(&self) -> u32 {
        self.buffer.unwrap_or(Count::Limited(1000)).limit()
    }
}
