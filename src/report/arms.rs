//! The table of arms: what each came to, in the terminal and in Markdown.

use super::number::{self, Unit};
use super::promises;
use super::table::{Align, Cell, Column, Row, Table, Tone};
use crate::experiment::judge::metastability::Label;
use crate::experiment::measure::metrics::Of;
use crate::experiment::measure::summary::{CellSummary, InvariantSummary, Share};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::run::cohorts::ByChance;
use crate::experiment::run::result::RunResult;
use crate::metric::MetricId;
use crate::statistics::bounded::Averaged;

/// A column: a metric, its header, its unit, and how soon it is dropped where space is short.
type Shown = (MetricId, &'static str, Unit, u8);

/// A column of a table: the place of a metric among those of the campaign, and as above.
struct Drawn {
    place: usize,
    header: String,
    unit: Unit,
    soon: u8,
}

/// What the load came to, and what came of the requests.
const LOAD: [Shown; 6] = [
    (MetricId::Amplification, "attempts per request", Unit::Times, 0),
    (MetricId::EdgeAmplification, "attempts per call", Unit::Times, 3),
    (MetricId::SuccessRatio, "success", Unit::Percent, 0),
    (MetricId::UnfinishedRatio, "unfinished", Unit::Percent, 0),
    (MetricId::GoodputDuringPerS, "goodput in fault /s", Unit::Plain, 2),
    (MetricId::GoodputAfterPerS, "goodput after /s", Unit::Plain, 1),
];

/// How long it took, and at which cost.
const TIME: [Shown; 5] = [
    (MetricId::LatencyP50Ms, "p50", Unit::Seconds, 3),
    (MetricId::LatencyP99Ms, "p99", Unit::Seconds, 2),
    (MetricId::RecoveryS, "time to recovery", Unit::Seconds, 1),
    (MetricId::WastedWork, "wasted work", Unit::Percent, 1),
    (MetricId::OldestMessageS, "oldest message", Unit::Seconds, 3),
];

/// What became of requests by what stands beside what is measured: milestones, or replies.
const BESIDE: [Shown; 8] = [
    (MetricId::SuccessRatio, "success", Unit::Percent, 0),
    (MetricId::UnfinishedRatio, "unfinished", Unit::Percent, 0),
    (MetricId::GoodputPerS, "goodput /s", Unit::Plain, 3),
    (MetricId::GoodputDuringPerS, "goodput in fault /s", Unit::Plain, 4),
    (MetricId::GoodputAfterPerS, "goodput after /s", Unit::Plain, 4),
    (MetricId::LatencyP50Ms, "p50", Unit::Seconds, 2),
    (MetricId::LatencyP99Ms, "p99", Unit::Seconds, 0),
    (MetricId::RecoveryS, "time to recovery", Unit::Seconds, 1),
];

/// How good the events of an objective were, and what of its budget is gone.
const OBJECTIVE: [Shown; 7] = [
    (MetricId::GoodRatio, "good", Unit::Percent, 0),
    (MetricId::BadEvents, "bad", Unit::Plain, 2),
    (MetricId::DegradedRatio, "degraded", Unit::Percent, 2),
    (MetricId::UnfinishedRatio, "unfinished", Unit::Percent, 3),
    (MetricId::BudgetConsumed, "budget consumed", Unit::Percent, 0),
    (MetricId::BurnRateMax, "greatest burn rate", Unit::Times, 1),
    (MetricId::TimeToExhaustionS, "budget lasts at that rate", Unit::Seconds, 1),
];

/// What became of data and messages.
const DATA: [Shown; 6] = [
    (MetricId::ReadYourWritesViolationRatio, "read-your-writes violations", Unit::Percent, 0),
    (MetricId::StaleRowRatio, "stale reads", Unit::Percent, 1),
    (MetricId::CommitsLost, "commits lost", Unit::Plain, 2),
    (MetricId::DeadLetters, "dead letters", Unit::Plain, 2),
    (MetricId::Unprocessed, "messages unprocessed", Unit::Plain, 1),
    (MetricId::Unhandled, "messages not handled", Unit::Plain, 0),
];

/// What tables call a metric of the load, of time or of data and messages, and its unit.
pub(super) fn called(id: MetricId) -> Option<(&'static str, Unit)> {
    let mut all = LOAD.iter().chain(&TIME).chain(&DATA);
    all.find(|(known, ..)| *known == id).map(|(_, header, unit, _)| (*header, *unit))
}

/// What a metric of data and messages is called, and its unit.
pub(super) fn of_data(metric: &str) -> Option<(&'static str, Unit)> {
    let shown = DATA.iter().find(|(id, ..)| id.name() == metric)?;
    Some((shown.1, shown.2))
}

/// The tables of a campaign's arms: load and success, time and waste, data, broken promises. One
/// that has nothing to show is left out.
pub fn arms_tables(campaign: &Campaign, summaries: &[CellSummary]) -> Vec<Table> {
    let has_faults = summaries.iter().any(|summary| summary.never_recovered.is_some());
    let names = summaries.first().map_or(&[][..], |summary| &summary.invariants);
    let promise = |invariant: &InvariantSummary| column(&invariant.label, Align::Right, 0);
    let never = has_faults.then(|| column("never recovered", Align::Right, 0));
    let came_back = |summary: &CellSummary| match has_faults {
        true => vec![never_recovered(summary.never_recovered)],
        false => Vec::new(),
    };
    let broken = |summary: &CellSummary| summary.invariants.iter().map(violations).collect();
    let is_zero = |mean: &Averaged| mean.mean == 0.0;
    let happens = |(id, ..): &Shown| {
        summaries
            .iter()
            .any(|summary| metric(&summary.metrics, id.place()).is_some_and(|it| !is_zero(it)))
    };
    let happened: Vec<Shown> = DATA.into_iter().filter(happens).collect();
    // A milestone that is measured always has its unfinished requests beside its success.
    let is_milestone = campaign.cells[0].measured.is_some();
    let is_needed =
        |shown: &Shown| shown.0 != MetricId::UnfinishedRatio || is_milestone || happens(shown);
    let load: Vec<Shown> = LOAD.into_iter().filter(is_needed).collect();
    let labelled = summaries.iter().any(|summary| !summary.labels.is_empty());
    let labels: Vec<Column> = match labelled {
        true => Label::ALL.iter().map(|label| column(label.name(), Align::Right, 0)).collect(),
        false => Vec::new(),
    };
    let modes = summaries.iter().any(|summary| summary.modes.is_some());
    let collapsed: Vec<Column> =
        modes.then(|| column("collapsed, 95% interval", Align::Right, 0)).into_iter().collect();
    let own = |shown: &[Shown]| columns_of(campaign, shown, Of::Measured);
    let mut tables = vec![
        table(campaign, summaries, &[], collapsed, |summary| vec![collapse(summary)]),
        table(campaign, summaries, &[], labels, label_shares),
        table(campaign, summaries, &own(&load), Vec::new(), |_| Vec::new()),
        table(campaign, summaries, &own(&TIME), never.into_iter().collect(), came_back),
    ];
    tables.extend(beside(campaign, summaries));
    tables.extend((0..campaign.cells[0].objectives.list.len()).map(|place| {
        let shown = columns_of(campaign, &OBJECTIVE, Of::Objective(place));
        table(campaign, summaries, &shown, Vec::new(), |_| Vec::new())
    }));
    tables.extend([
        table(campaign, summaries, &own(&happened), Vec::new(), |_| Vec::new()),
        table(campaign, summaries, &[], names.iter().map(promise).collect(), broken),
    ]);
    tables.into_iter().filter(|table| table.columns.len() > 1).collect()
}

/// A table for each milestone that is not measured, and for replies where one is.
fn beside(campaign: &Campaign, summaries: &[CellSummary]) -> Vec<Table> {
    let measured = campaign.cells[0].measured.map(Of::Milestone);
    let all = campaign.cells[0].beside().into_iter().enumerate();
    let others = all.filter(|(_, (_, of))| Some(*of) != measured);
    let table = |(place, (_, of)): (usize, (&str, Of))| {
        let never = |summary: &CellSummary| summary.beside_never_recovered[place];
        let has_faults = summaries.iter().any(|summary| never(summary).is_some());
        let header = named(campaign, of, "never recovered");
        let columns = has_faults.then(|| column(&header, Align::Right, 0));
        table(
            campaign,
            summaries,
            &columns_of(campaign, &BESIDE, of),
            columns.into_iter().collect(),
            |summary| has_faults.then(|| never_recovered(never(summary))).into_iter().collect(),
        )
    };
    others.map(table).collect()
}

/// A header that says whose number it is, where that is not plain.
pub(super) fn named(campaign: &Campaign, of: Of, header: &str) -> String {
    let cell = &campaign.cells[0];
    let milestone = match of {
        Of::Measured => cell.measured,
        Of::Milestone(place) => Some(place),
        Of::Replies => return format!("reply: {header}"),
        Of::Objective(place) => {
            return format!("{}: {header}", cell.objectives.list[place].label);
        }
        Of::Price(_) => return header.to_owned(),
    };
    milestone
        .map_or(header.to_owned(), |place| format!("{}: {header}", cell.milestones[place].label))
}

/// The columns of what there is of these metrics.
fn columns_of(campaign: &Campaign, shown: &[Shown], of: Of) -> Vec<Drawn> {
    let metrics = campaign.metrics();
    let mut columns = Vec::new();
    for &(id, header, unit, soon) in shown {
        let Some(place) = metrics.place(of, id) else { continue };
        let is_replaced = metrics.place(Of::Replies, id).is_some();
        let own = campaign.experiment.compare.label.get(&*metrics[place].name);
        let header = match of {
            _ if own.is_some() => own.cloned().unwrap_or_default(),
            Of::Measured if !is_replaced => header.to_owned(),
            _ => named(campaign, of, header),
        };
        columns.push(Drawn { place, header, unit, soon });
    }
    columns
}

/// A table of these metrics and of further columns, a row for each arm.
fn table(
    campaign: &Campaign,
    summaries: &[CellSummary],
    shown: &[Drawn],
    more: Vec<Column>,
    further: impl Fn(&CellSummary) -> Vec<Cell>,
) -> Table {
    let has = |place| summaries.iter().any(|summary| metric(&summary.metrics, place).is_some());
    let shown: Vec<&Drawn> = shown.iter().filter(|drawn| has(drawn.place)).collect();
    let mut columns = vec![column("arm", Align::Left, 0)];
    columns.extend(shown.iter().map(|drawn| column(&drawn.header, Align::Right, drawn.soon)));
    columns.extend(more);
    let mut rows = Vec::new();
    let arms = campaign.experiment.arms.len();
    for (index, (cell, summary)) in campaign.cells.iter().zip(summaries).enumerate() {
        if index % arms == 0 && !cell.point_label.is_empty() {
            rows.push(Row::Group(cell.point_label.clone()));
        }
        let row = |label: String, metrics: Option<&[Option<Averaged>]>| {
            let value = |drawn: &&Drawn| {
                let scale = campaign.metrics()[drawn.place].unit.to_base();
                estimate(metrics.unwrap_or(&[]), drawn.place, scale, drawn.unit)
            };
            std::iter::once(plain(label)).chain(shown.iter().map(value)).collect::<Vec<Cell>>()
        };
        // A mean of runs that collapsed and runs that did not describes neither.
        let apart = summary.modes.as_ref().filter(|_| !shown.is_empty());
        let whole = if apart.is_some() { None } else { Some(summary.metrics.as_slice()) };
        let mut cells = row(cell.arm_label.clone(), whole);
        cells.extend(further(summary));
        rows.push(Row::Cells(cells));
        if let Some(modes) = apart {
            let (count, of) = summary.collapsed.map_or((0, 0), |share| (share.count, share.of));
            let names = mode_names(count, of - count).map(|name| format!("· {name}"));
            for (name, metrics) in names.into_iter().zip([&modes.if_collapsed, &modes.if_not]) {
                rows.push(Row::Cells(row(name, Some(metrics))));
            }
        }
    }
    Table { columns, rows }
}

/// What runs that collapsed and runs that did not are called.
pub(super) fn mode_names(collapsed: u64, others: u64) -> [String; 2] {
    [format!("{collapsed} of {} collapsed", collapsed + others), format!("{others} did not")]
}

pub(super) fn column(header: &str, align: Align, priority: u8) -> Column {
    Column { header: header.to_owned(), align, priority }
}

/// The arm, if there are several or nothing else names it, and the point.
pub(super) fn arm_and_point(campaign: &Campaign, arm: &str, point: &str) -> String {
    let several = campaign.experiment.arms.len() > 1 || point.is_empty();
    let names = [if several { arm } else { "" }, point];
    names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", ")
}

pub(super) fn plain(text: String) -> Cell {
    Cell { text, tone: Tone::Plain }
}

pub(super) fn metric(metrics: &[Option<Averaged>], place: usize) -> Option<&Averaged> {
    metrics.get(place)?.as_ref()
}

/// The estimate of a metric, or a dash where there is none.
pub(super) fn estimate(metrics: &[Option<Averaged>], place: usize, scale: f64, unit: Unit) -> Cell {
    match metric(metrics, place) {
        Some(mean) => plain(shown(mean, scale, unit)),
        None => Cell { text: "–".to_owned(), tone: Tone::Faint },
    }
}

/// A mean with its interval or, where it has none, with the values that it is of.
pub(super) fn shown(mean: &Averaged, scale: f64, unit: Unit) -> String {
    let value = mean.mean * scale;
    match mean.interval {
        Some(it) => number::interval(value, it.low * scale, it.high * scale, unit),
        None => number::spread(value, mean.least * scale, mean.greatest * scale, unit),
    }
}

/// The probability that a run collapses.
fn collapse(summary: &CellSummary) -> Cell {
    let Some(share) = summary.collapsed else { return plain("–".to_owned()) };
    let tone = if summary.modes.is_some() { Tone::Warning } else { Tone::Plain };
    Cell { text: format!("{} of {}: {}", share.count, share.of, probability(share)), tone }
}

/// Warnings where windows are so small that chance alone lets runs never recover, or recover late;
/// empty elsewhere.
pub fn unsteady_text(campaign: &Campaign, results: &[RunResult]) -> String {
    unsteady_of(campaign, results.iter().map(|run| run.by_chance(&campaign.cells[run.cell])))
}

/// The same of what is kept of runs.
pub fn unsteady_of(campaign: &Campaign, runs: impl Iterator<Item = ByChance>) -> String {
    let windows = campaign.cells.iter().map(|cell| cell.measure.window).max();
    let Some(window) = windows else { return String::new() };
    let (mut back, mut late, mut never) = (0, 0, 0);
    for run in runs {
        back += u64::from(run.came_back);
        late += u64::from(run.late);
        never += u64::from(run.never);
    }
    let mut text = String::new();
    if never > 0 {
        text.push_str(&format!(
            "warning: {never} runs never recovered for as long as `hold`, but fared as before\n         \
             over all of the time after the fault: in windows of {window} chance hides\n         \
             a recovery, and a larger `window` under [measure] shows it\n"
        ));
    }
    if late > 0 {
        text.push_str(&format!(
            "warning: in {late} of {back} runs that came back chance explains\n         \
             how long it took: in windows of {window} some are below `band`, and all\n         \
             until it came back are together as before; a larger `window` under\n         \
             [measure] shows how long it takes\n"
        ));
    }
    text
}

/// A warning where the horizon of the labels is shorter than ten drain times; empty elsewhere.
pub fn horizon_text(campaign: &Campaign, summaries: &[CellSummary]) -> String {
    let drains = || summaries.iter().filter_map(|summary| summary.drains);
    let unseen: u64 = drains().map(|drains| drains.unseen).sum();
    let rules = campaign.cells.iter().filter_map(|cell| cell.metastability);
    let shortest = rules.map(|rule| rule.horizon).min();
    match (shortest, drains().map(|drains| drains.longest).max()) {
        (Some(horizon), Some(longest)) if unseen > 0 => format!(
            "warning: ten drain times are longer than the horizon of {horizon} in {unseen} runs\n         \
             (one is up to {:.1} s): what is called metastable may come back later\n",
            longest.seconds()
        ),
        _ => String::new(),
    }
}

/// The share of runs with each label.
fn label_shares(summary: &CellSummary) -> Vec<Cell> {
    let shown = |(label, share): &(Label, Share)| {
        let tone = match (label, share.count) {
            (_, 0) => Tone::Faint,
            (Label::Recovers, _) => Tone::Good,
            (Label::SlowRecovery, _) => Tone::Warning,
            (Label::Metastable | Label::Overload, _) => Tone::Bad,
        };
        Cell { text: probability(*share), tone }
    };
    summary.labels.iter().map(shown).collect()
}

/// A share of runs with its Wilson interval.
fn probability(share: Share) -> String {
    let mean = share.count as f64 / share.of as f64;
    number::interval(mean, share.interval.low, share.interval.high, Unit::Percent)
}

fn never_recovered(share: Option<Share>) -> Cell {
    let Some(share) = share else { return plain("–".to_owned()) };
    let tone = match share.count {
        0 => Tone::Good,
        count if count * 2 > share.of => Tone::Bad,
        _ => Tone::Warning,
    };
    Cell { text: format!("{} of {}", share.count, share.of), tone }
}

/// The violations of a run or, where no mean can be estimated, in how many runs there were any.
pub(super) fn violations(invariant: &InvariantSummary) -> Cell {
    let (Some(per_run), Some(runs)) = (&invariant.per_run, invariant.runs) else {
        return Cell { text: promises::absent(invariant).to_owned(), tone: Tone::Faint };
    };
    let of = number::several(runs.of, "run");
    let (text, tone) = match (runs.count, per_run.interval) {
        (0, _) => {
            let bound = number::interval(0.0, 0.0, runs.interval.high, Unit::Percent);
            let (_, bound) = bound.split_once(' ').unwrap_or_default();
            let kept = format!("0 of {of} {bound}");
            match promises::is_open(invariant) {
                true => {
                    let unjudged = number::count(invariant.unjudged);
                    (format!("{kept}, {unjudged} not judged"), Tone::Warning)
                }
                false => (kept, Tone::Good),
            }
        }
        (_, Some(_)) => (shown(per_run, 1.0, Unit::Plain), Tone::Bad),
        (count, None) => {
            (format!("{} in {count} of {of}", number::count(invariant.violations)), Tone::Bad)
        }
    };
    Cell { text, tone }
}
