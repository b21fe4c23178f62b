//! Why work is refused.

/// Why a node refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// There is no room in the waiting line.
    Full = 0,
    /// The request waited in vain: the line was shortened.
    Shed = 1,
    /// The caller would have gone before it were answered.
    Expired = 2,
    /// The rate limit of the instance is used up.
    RateLimit = 3,
    /// As many requests are at the instance as its learned limit allows.
    Limit = 4,
    /// It waited for a worker as long as it may.
    TooLong = 5,
    /// It waited for a place of a pool as long as it may.
    NoPlace = 6,
}

/// How many kinds of refusal there are.
pub const REFUSALS: usize = 7;
