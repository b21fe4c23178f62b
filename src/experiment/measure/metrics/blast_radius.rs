//! The numbers of a run beside its twin without the cause.

use super::{MetricId, Row};
use crate::kernel::time::Span;
use crate::statistics::verdict::Direction;

const fn row(
    id: MetricId,
    name: &'static str,
    meaning: &'static str,
    is_share: bool,
    measure: super::Measured,
) -> Row {
    Row { id, name, meaning, better: Direction::Lower, is_share, measure }
}

/// The metrics of runs that are compared with their twins, in the order of the columns.
pub(super) const BLAST_ROWS: [Row; 7] = [
    row(
        MetricId::WorseRatio,
        "worse_ratio",
        "requests that fared worse than without the cause, of all that were good without it",
        true,
        |_, run| run.blast_radius.as_ref()?.requests.share(),
    ),
    row(
        MetricId::WorseInFaultRatio,
        "worse_in_fault_ratio",
        "the same of the requests that were asked while the cause acted",
        true,
        |_, run| run.blast_radius.as_ref()?.during.share(),
    ),
    row(
        MetricId::WorseUsersRatio,
        "worse_users_ratio",
        "users with a request that fared worse, of all with one that was good without the cause",
        true,
        |_, run| run.blast_radius.as_ref()?.users.share(),
    ),
    row(
        MetricId::WorseKeysRatio,
        "worse_keys_ratio",
        "keys with a request that fared worse, of all with one that was good without the cause",
        true,
        |_, run| run.blast_radius.as_ref()?.keys.share(),
    ),
    row(
        MetricId::WorseForS,
        "worse_for_s",
        "for how long after the cause was over requests were asked that fared worse",
        false,
        |_, run| run.blast_radius.as_ref().map(|it| it.worse_for().seconds()),
    ),
    row(
        MetricId::NodesReached,
        "nodes_reached",
        "nodes that did something else than without the cause, or at another time",
        false,
        |_, run| run.blast_radius.as_ref().map(|it| it.nodes_reached() as f64),
    ),
    row(
        MetricId::SpreadS,
        "spread_s",
        "time from the beginning of the cause until the last of these nodes did",
        false,
        |_, run| run.blast_radius.as_ref()?.spread().map(Span::seconds),
    ),
];
