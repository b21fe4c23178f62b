//! What the answer says of a choice, and which cells that concerns.

use serde::Serialize;

use crate::experiment::compare::answer::Answer;
use crate::experiment::measure::summary::CellSummary;
use crate::metric::MetricId;

/// What the answer says of a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::report) enum Role {
    Take,
    Avoid,
    /// The others are compared with it.
    Baseline,
    /// It is as good as the one to take, or nearly.
    Or,
}

impl Role {
    /// What stands before the name of the choice.
    pub(in crate::report) fn name(self) -> &'static str {
        match self {
            Role::Take => "take",
            Role::Avoid => "avoid",
            Role::Baseline => "baseline",
            Role::Or => "or",
        }
    }
}

/// The choices that the answer speaks of: the one to avoid, the baseline, the one to take, and one
/// that is as good. The baseline may be what is to be taken or avoided: that is what it is then.
pub(in crate::report) fn roles(answer: &Answer) -> Vec<(Role, usize)> {
    let baseline = answer.choices.iter().position(|choice| choice.is_baseline);
    let other = answer.open.as_ref().map(|open| open.other);
    let all = [
        (Role::Avoid, answer.avoided),
        (Role::Baseline, baseline),
        (Role::Take, answer.taken),
        (Role::Or, other.or(answer.equals.first().copied())),
    ];
    let mut roles: Vec<(Role, usize)> = Vec::new();
    for (role, choice) in all {
        let Some(choice) = choice else { continue };
        match roles.iter_mut().find(|(_, known)| *known == choice) {
            Some(known) if role == Role::Take => known.0 = role,
            Some(_) => {}
            None => roles.push((role, choice)),
        }
    }
    roles
}

/// The role of each cell of a campaign, if it has one.
pub(super) fn role_of_cells(answer: &Answer, cells: usize) -> Vec<Option<Role>> {
    let mut of_cells = vec![None; cells];
    if answer.choices.len() > 1 {
        for (role, choice) in roles(answer) {
            for &cell in &answer.choices[choice].cells {
                of_cells[cell] = Some(role);
            }
        }
    }
    of_cells
}

/// The cells in the order in which a reader wants to see them: what to take first, then what to
/// avoid, the baseline, what is as good, and all others.
///
/// Those that the answer does not tell apart stand in the order of what they finished, the least
/// first.
pub fn reading_order(answer: &Answer, summaries: &[CellSummary]) -> Vec<usize> {
    let cells = summaries.len();
    let of_cells = role_of_cells(answer, cells);
    let has_roles = of_cells.iter().any(Option::is_some);
    let finished = |cell: usize| {
        let success = summaries[cell].metrics[MetricId::SuccessRatio.place()].as_ref();
        let success = success.filter(|_| !has_roles);
        success.map_or(0.0, |success| success.mean)
    };
    let rank = |role: Option<Role>| match role {
        Some(Role::Take) => 0,
        Some(Role::Avoid) => 1,
        Some(Role::Baseline) => 2,
        Some(Role::Or) => 3,
        None => 4,
    };
    let mut order: Vec<usize> = (0..cells).collect();
    order.sort_by(|&a, &b| {
        let ranks = rank(of_cells[a]).cmp(&rank(of_cells[b]));
        ranks.then(finished(a).total_cmp(&finished(b))).then(a.cmp(&b))
    });
    order
}
