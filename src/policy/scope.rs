//! Whom the state of a policy belongs to.

/// To what one piece of a policy's state belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Each request has its own.
    Request,
    /// A process has one for all its targets.
    Process,
    /// A process has one for each target.
    ProcessAndTarget,
    /// Everybody shares one.
    Shared,
}
