//! Who waited for a place of a pool.

use crate::kernel::time::Span;
use crate::model::program::NodeId;
use crate::system::request::Asked;

/// The wait of a handler for a place of a pool; it may be no time at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pooling {
    /// Whose pool.
    pub node: NodeId,
    /// The order on whose behalf.
    pub order: u64,
    /// The request on whose behalf.
    pub asked: Asked,
    /// For how long.
    pub waited: Span,
    /// Whether it got the place.
    pub got: bool,
}
