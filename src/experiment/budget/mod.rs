//! Error budgets over windows that no campaign can simulate: each kind of incident is simulated
//! finely, in every arm and under every seed, and windows are drawn coarsely from what that costs.
//!
//! The cost of an incident is what a run with it has of bad events more than the run of the same
//! seed without it: exact, because draws are keyed. What goes wrong without any incident is told as
//! calm days.

pub mod calendar;
pub mod found;
pub mod language;
pub mod policy;

use crate::experiment::measure::metrics::Of;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::kernel::limit::Ending;
use crate::kernel::time::Time;
use crate::metric::MetricId;
use crate::metric::{Account, Objective, Recovery};
use crate::model::problem::Problem;
use policy::WHOLE;

/// A kind of incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    /// Its name in results.
    pub name: String,
    /// What tables and pictures call it.
    pub label: String,
    /// How many come in 30 days, on average.
    pub per_month: f64,
    /// Whether a change of the team's own brings it.
    pub is_change: bool,
}

/// What one arm spends of the budget of a window, of which all is [`WHOLE`], by simulated run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// A window without any incident.
    pub calm: Vec<i64>,
    /// One incident of each kind.
    pub kinds: Vec<Vec<i64>>,
}

/// What one arm costs in money, by simulated run.
#[derive(Clone, Debug, PartialEq)]
pub struct Money {
    /// A window without any incident.
    pub calm: Vec<f64>,
    /// One incident of each kind.
    pub kinds: Vec<Vec<f64>>,
}

/// One arm.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// Its name in results.
    pub name: String,
    /// What tables and pictures call it.
    pub label: String,
    /// What it spends of the budget.
    pub spent: Spent,
    /// What it costs; `None` without prices.
    pub money: Option<Money>,
    /// Of each kind, in how many runs nothing had recovered when the run ended: such an incident
    /// costs more than its run shows.
    pub unrecovered: Vec<u64>,
    /// Of each kind, how many events were neither good nor bad when the run ended.
    pub unfinished: Vec<u64>,
}

/// What one run comes to by the objective.
#[derive(Clone, Copy, Debug)]
struct RunAccount {
    account: Account,
    /// How many times as long as the measured time, and as the whole time of arrivals, the window
    /// of the objective is: costs are those of the whole run.
    longer: [f64; 2],
    /// What the run costs.
    money: Option<f64>,
    has_recovered: bool,
}

/// Runs of one kind of incident, or of none, in every arm and under every seed.
#[derive(Clone, Copy, Debug)]
pub struct Simulated<'a> {
    /// The campaign; it has one point.
    pub campaign: &'a Campaign,
    /// Its results, ordered by their numbers.
    pub results: &'a [RunResult],
}

impl Simulated<'_> {
    /// The runs of an arm by seed; `None` where a limit ended one.
    fn told(&self, arm: usize, objective: &str) -> Option<Vec<RunAccount>> {
        let cell = &self.campaign.cells[arm];
        let objective = cell.objectives.list.iter().find(|own| own.name == objective)?;
        let cost = cell.metrics.place(Of::Measured, MetricId::Cost);
        let tell = |run: &RunResult| told(cell, objective, run, cost);
        self.campaign.runs_of(self.results, arm).iter().map(tell).collect()
    }
}

fn told(cell: &Cell, own: &Objective, run: &RunResult, cost: Option<usize>) -> Option<RunAccount> {
    if run.ending != Ending::Complete {
        return None;
    }
    Some(RunAccount {
        account: own.account(&run.metrics, &cell.measure)?,
        longer: [cell.measure.measured_for(), cell.measure.arrivals_end.since(Time::ZERO)]
            .map(|time| own.window.seconds() / time.seconds()),
        money: cost.and_then(|place| run.values[place]),
        has_recovered: !matches!(run.recovery, Recovery::Never | Recovery::Unsteady),
    })
}

/// What each arm spends, by runs without an incident: of each kind the runs with it, and those of
/// the same seeds and experiment without it.
///
/// # Errors
/// If a limit ended a run, or nothing was asked in one.
pub fn arms(
    objective: &str,
    calm: Simulated<'_>,
    kinds: &[(&Kind, Simulated<'_>, Simulated<'_>)],
) -> Result<Vec<Arm>, Problem> {
    let count = calm.campaign.experiment.arms.len();
    (0..count).map(|arm| one_arm(arm, objective, kinds, &calm)).collect()
}

fn one_arm(
    arm: usize,
    objective: &str,
    kinds: &[(&Kind, Simulated<'_>, Simulated<'_>)],
    base: &Simulated<'_>,
) -> Result<Arm, Problem> {
    let cell = &base.campaign.cells[arm];
    let label = &cell.arm_label;
    let unknown = |of: &str| {
        Problem::new(format!("{of} of `{label}` reached a limit, or nobody asked for anything"))
            .expected("[limits] that no run reaches, and users")
    };
    let calm = base.told(arm, objective).ok_or_else(|| unknown("a calm run"))?;
    let mut made = Arm {
        name: cell.arm.clone(),
        label: label.clone(),
        spent: Spent { calm: Vec::new(), kinds: Vec::new() },
        money: Some(Money { calm: Vec::new(), kinds: Vec::new() }),
        unrecovered: Vec::new(),
        unfinished: Vec::new(),
    };
    for told in &calm {
        let share = told.account.budget_consumed().ok_or_else(|| unknown("a calm run"))?;
        made.spent.calm.push(part(share * told.longer[0]));
        add_calm(&mut made.money, told.money.map(|money| money * told.longer[1]));
    }
    for (kind, with, without) in kinds {
        let with = with.told(arm, objective).ok_or_else(|| unknown(&kind.label))?;
        let without = without.told(arm, objective).ok_or_else(|| unknown(&kind.label))?;
        let (mut spent, mut money) = (Vec::new(), Vec::new());
        for (with, without) in with.iter().zip(&without) {
            let more = with.account.bad as f64 - without.account.bad as f64;
            let share = without.account.consumed_by(more).ok_or_else(|| unknown(&kind.label))?;
            spent.push(part(share));
            money.extend(with.money.zip(without.money).map(|(with, without)| with - without));
        }
        made.unrecovered.push(with.iter().filter(|told| !told.has_recovered).count() as u64);
        made.unfinished.push(with.iter().map(|told| told.account.unfinished).sum());
        made.spent.kinds.push(spent);
        match &mut made.money {
            Some(all) if money.len() == with.len() => all.kinds.push(money),
            _ => made.money = None,
        }
    }
    Ok(made)
}

/// Notes what a calm window costs; without a price there is no money.
fn add_calm(money: &mut Option<Money>, value: Option<f64>) {
    match (money.as_mut(), value) {
        (Some(money), Some(value)) => money.calm.push(value),
        _ => *money = None,
    }
}

/// A share of the budget as a whole number.
fn part(share: f64) -> i64 {
    (share * WHOLE as f64).round() as i64
}
