//! How each kind of node fails in each way, and how strongly: the one table of it.
//!
//! The columns are the failure modes that a dependency has for those who depend on it; the term is
//! that of FMEA (IEC 60812). The strengths are conventional, and stand in every output: where harm
//! begins is looked for downwards from them.

use crate::fault::{FaultKind, FaultText};
use crate::kernel::time::Span;
use crate::model::program::{Kind, NodeId, Program};
use crate::model::quantity::Share;

/// A way in which a dependency fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureMode {
    /// It does what it should, later.
    Slow,
    /// It shows or brings what was so some time ago.
    Stale,
    /// It is asked, or does, twice.
    Duplicated,
    /// It is not there.
    Unavailable,
    /// It does or says what contradicts something else.
    Inconsistent,
}

impl FailureMode {
    /// Every mode, in the order of the map.
    pub const ALL: [FailureMode; 5] = [
        FailureMode::Slow,
        FailureMode::Stale,
        FailureMode::Duplicated,
        FailureMode::Unavailable,
        FailureMode::Inconsistent,
    ];

    /// The word for tables and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FailureMode::Slow => "slow",
            FailureMode::Stale => "stale",
            FailureMode::Duplicated => "duplicated",
            FailureMode::Unavailable => "unavailable",
            FailureMode::Inconsistent => "inconsistent",
        }
    }

    /// Whether it is the loss of the dependency.
    #[must_use]
    pub fn is_loss(self) -> bool {
        self == FailureMode::Unavailable
    }
}

/// What says how strong a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knob {
    /// How many times as long work takes.
    Factor,
    /// How much later.
    Added,
    /// The share that is struck.
    Share,
    /// How long it lasts.
    Lasts,
    /// How far back it reaches.
    Since,
}

/// A fault with its strengths.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Way {
    kind: FaultKind,
    knob: Knob,
    factor: Option<f64>,
    share: Option<f64>,
    added: Option<Span>,
    after_effect: Option<f64>,
    unreachable: Option<bool>,
    since: Option<Span>,
    step: Option<&'static str>,
}

const fn way(kind: FaultKind, knob: Knob) -> Way {
    Way {
        kind,
        knob,
        factor: None,
        share: None,
        added: None,
        after_effect: None,
        unreachable: None,
        since: None,
        step: None,
    }
}

const SLOWER: Way = Way { factor: Some(20.0), ..way(FaultKind::Slow, Knob::Factor) };
const LATER: Way =
    Way { added: Some(Span::from_millis(300)), ..way(FaultKind::Latency, Knob::Added) };
const TWICE: Way = Way { share: Some(0.5), ..way(FaultKind::Duplicate, Knob::Share) };
const GONE: Way = Way { unreachable: Some(true), ..way(FaultKind::Crash, Knob::Lasts) };
const UNSOUND: Way = Way { share: Some(0.5), ..way(FaultKind::ReadModelCorruption, Knob::Share) };
/// The callers that reach the old primary all the same.
const FAILOVER: Way = Way { share: Some(0.2), ..way(FaultKind::PrimaryFailover, Knob::Lasts) };
/// How long it takes until a replica leads, beside [`FAILOVER`].
const LEADS_AFTER: Span = Span::from_secs(5);

/// The ways of a kind, in the order of [`FailureMode::ALL`]; `None` has no meaning: what keeps
/// nothing is not stale, and no node runs another version of itself.
fn ways(kind: &Kind) -> [Option<Way>; 5] {
    match kind {
        Kind::Clients(_) => [None; 5],
        Kind::Database(_) => [Some(SLOWER), None, Some(TWICE), Some(GONE), Some(FAILOVER)],
        Kind::Replica(_) => [
            Some(SLOWER),
            Some(Way {
                added: Some(Span::from_secs(10)),
                ..way(FaultKind::ReplicaLag, Knob::Added)
            }),
            Some(TWICE),
            Some(GONE),
            Some(UNSOUND),
        ],
        Kind::Cache(_) => [
            Some(LATER),
            Some(way(FaultKind::CacheStale, Knob::Lasts)),
            Some(TWICE),
            Some(GONE),
            Some(UNSOUND),
        ],
        Kind::Queue(_) => [
            Some(LATER),
            Some(way(FaultKind::QueueStall, Knob::Lasts)),
            Some(Way {
                since: Some(Span::from_secs(20)),
                ..way(FaultKind::RedeliveryBurst, Knob::Since)
            }),
            Some(GONE),
            Some(Way {
                share: Some(0.5),
                added: Some(Span::from_secs(2)),
                ..way(FaultKind::Reorder, Knob::Share)
            }),
        ],
        Kind::Outbox(_) => [
            Some(way(FaultKind::Pause, Knob::Lasts)),
            None,
            Some(Way {
                step: Some("publish"),
                share: Some(0.5),
                ..way(FaultKind::RelayCrash, Knob::Share)
            }),
            Some(way(FaultKind::Crash, Knob::Lasts)),
            None,
        ],
        Kind::Provider(_) => [
            Some(SLOWER),
            None,
            Some(TWICE),
            Some(Way { share: Some(1.0), ..way(FaultKind::Errors, Knob::Share) }),
            Some(Way {
                share: Some(0.5),
                after_effect: Some(1.0),
                ..way(FaultKind::Errors, Knob::Share)
            }),
        ],
        // Whatever answers calls.
        _ => [Some(SLOWER), None, Some(TWICE), Some(GONE), None],
    }
}

/// The fault that makes a node fail in a way, from `at` on; `None` where that has no meaning.
#[must_use]
pub(super) fn fault_of(
    program: &Program,
    node: NodeId,
    mode: FailureMode,
    (at, lasts): (Span, Span),
) -> Option<(FaultText, Knob)> {
    let Way { kind, knob, factor, share, added, after_effect, unreachable, since, step } =
        ways(&program.node(node).kind)[mode as usize]?;
    let to = match (kind, &program.node(node).kind) {
        // A database alone has nobody to contradict it.
        (FaultKind::PrimaryFailover, Kind::Database(database)) => {
            Some(program.node(*database.replicas.first()?).name.clone())
        }
        _ => None,
    };
    let is_at_once = matches!(kind, FaultKind::ReadModelCorruption | FaultKind::RedeliveryBurst);
    let fault = FaultText {
        kind,
        target: program.node(node).name.clone(),
        at,
        lasts: if is_at_once { Span::ZERO } else { lasts },
        factor,
        share: share.map(Share),
        after_effect: after_effect.map(Share),
        status: None,
        added,
        after: to.is_some().then_some(LEADS_AFTER),
        to,
        one_way: None,
        unreachable,
        step: step.map(str::to_owned),
        when: None,
        down: None,
        times: None,
        by: None,
        since,
        rate: None,
    };
    Some((fault, knob))
}

impl Knob {
    /// The fault with its strength halved so many times.
    #[must_use]
    pub fn halved(self, fault: &FaultText, times: u32) -> FaultText {
        let part = 1.0 / f64::from(1 << times);
        let mut weaker = fault.clone();
        match self {
            // Once as long is no fault at all.
            Knob::Factor => weaker.factor = fault.factor.map(|by| 1.0 + (by - 1.0) * part),
            Knob::Added => weaker.added = fault.added.map(|added| added.scaled(part)),
            Knob::Share => weaker.share = fault.share.map(|Share(share)| Share(share * part)),
            Knob::Lasts => weaker.lasts = fault.lasts.scaled(part),
            Knob::Since => weaker.since = fault.since.map(|since| since.scaled(part)),
        }
        weaker
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault() -> FaultText {
        FaultText {
            kind: FaultKind::Slow,
            target: "api".to_owned(),
            at: Span::from_secs(20),
            lasts: Span::from_secs(20),
            factor: Some(21.0),
            share: Some(Share(0.5)),
            after_effect: None,
            status: None,
            added: Some(Span::from_secs(8)),
            to: None,
            after: None,
            one_way: None,
            unreachable: None,
            step: None,
            when: None,
            down: None,
            times: None,
            by: None,
            since: Some(Span::from_secs(4)),
            rate: None,
        }
    }

    #[test]
    fn half_a_strength_is_half_of_what_it_adds() {
        let whole = fault();
        assert_eq!(Knob::Factor.halved(&whole, 0), whole);
        assert_eq!(Knob::Factor.halved(&whole, 2).factor, Some(6.0));
        assert_eq!(Knob::Added.halved(&whole, 3).added, Some(Span::from_secs(1)));
        assert_eq!(Knob::Share.halved(&whole, 1).share, Some(Share(0.25)));
        assert_eq!(Knob::Lasts.halved(&whole, 2).lasts, Span::from_secs(5));
        assert_eq!(Knob::Since.halved(&whole, 2).since, Some(Span::from_secs(1)));
        let others = Knob::Factor.halved(&whole, 2);
        assert_eq!(FaultText { factor: whole.factor, ..others }, whole, "nothing else changes");
    }
}
