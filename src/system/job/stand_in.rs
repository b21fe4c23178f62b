//! A user's request for which a fallback stands in, and what the fallback has come to.

use crate::policy::Outcome;
use crate::system::fact::Request;

/// A request that failed and for which a fallback stands in.
#[derive(Clone, Copy, Debug)]
pub(in crate::system) struct StoodInFor {
    pub(in crate::system) request: Request,
    /// What it came to without the fallback.
    pub(in crate::system) failed: Outcome,
    pub(in crate::system) attempts: u32,
    /// What the calls of the fallback came to, if any has come back: the first failure counts.
    pub(in crate::system) served: Option<Outcome>,
}

impl StoodInFor {
    /// A call of the fallback has come back.
    pub(in crate::system) fn hear(&mut self, outcome: Outcome) {
        if matches!(self.served, None | Some(Outcome::Ok)) {
            self.served = Some(outcome);
        }
    }
}
