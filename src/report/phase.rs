//! The phase diagram of a search.

use super::chart::{Axis, Caption, Estimate, Phase, PhaseColumn, PhasePanel, Reference};
use super::number::{self, Unit};
use super::search::{Report, name, unit};
use crate::experiment::campaign::Campaign;
use crate::experiment::language::Factor;
use crate::experiment::search::found::Found;
use crate::experiment::search::language::GridScale;
use crate::experiment::search::track::{Boundary, Reached};

/// How wide the chart is, in pixels.
const WIDTH: f64 = 1040.0;

/// The phase diagram: the factor across, what is varied upwards, the share as colour.
#[must_use]
pub fn figure(report: &Report<'_>) -> Phase {
    let Report { campaign, search, searching, .. } = report;
    let across = across(campaign, search.text.across.as_deref());
    let varied = search.text.label.as_ref().unwrap_or(&search.text.vary);
    let x_label = across.map_or("", |index| campaign.experiment.factors[index].name.as_str());
    let bold = searching.rule.levels.iter().position(|level| *level == 0.5).unwrap_or(0);
    let panels = panels(report, across);
    let happens = happens(&search.text.outcome);
    Phase {
        caption: Caption {
            title: title(report, &panels, bold, &happens, x_label),
            subtitle: match x_label {
                "" => format!("Share of runs that {happens}, by {varied}."),
                x_label => format!("Share of runs that {happens}, by {x_label} and {varied}."),
            },
            note: format!(
                "{}: {} seeds a value at the most. White: where the bold line lies, between the \
                 nearest values whose shares are clearly below and above ({} Wilson intervals).",
                campaign.experiment.title,
                searching.rule.seeds,
                number::number(searching.rule.confidence(), Unit::Percent),
            ),
        },
        width: WIDTH,
        x: Axis { label: x_label.to_owned(), unit: Unit::Plain, log: false },
        y: Axis {
            label: varied.clone(),
            unit: unit(search),
            log: search.text.scale == GridScale::Log,
        },
        share: format!("of the runs {happens}"),
        contours: searching.rule.levels.iter().map(|level| name(*level)).collect(),
        bold,
        panels,
    }
}

/// What happens to a run, as a predicate of many.
fn happens(outcome: &str) -> String {
    match outcome {
        "metastable" => "stay down after the fault".to_owned(),
        "never_recovered" => "never recover".to_owned(),
        broken => format!("break {}", broken.trim_end_matches("_violated")),
    }
}

/// The factor across the picture: the one that is asked for, or the first whose levels are numbers.
fn across(campaign: &Campaign, asked: Option<&str>) -> Option<usize> {
    let factors = &campaign.experiment.factors;
    match asked {
        Some(asked) => factors.iter().position(|factor| factor.name == asked),
        None => factors.iter().position(|factor| numbers(factor).is_some()),
    }
}

/// The levels of a factor as numbers, if all their names begin with one.
fn numbers(factor: &Factor) -> Option<Vec<f64>> {
    factor.levels.iter().map(|level| level.name.parse().ok()).collect()
}

/// A panel for each arm and combination of the other factors, or, where no factor is across, one
/// with a column for each of them.
fn panels(report: &Report<'_>, across: Option<usize>) -> Vec<PhasePanel> {
    let factors = &report.campaign.experiment.factors;
    let Some(across) = across else {
        let columns = report.found.iter().enumerate();
        let columns =
            columns.map(|(index, found)| column(report, found, index as f64, label(report, found)));
        return vec![PhasePanel { columns: columns.collect(), ..PhasePanel::default() }];
    };
    let arms = report.campaign.experiment.arms.len();
    let levels = &factors[across].levels;
    let numbers = numbers(&factors[across]);
    let point_of = |found: &Found| &report.campaign.experiment.points[found.track / arms];
    // Tracks that differ only by the level across are of one panel.
    let panel_of = |found: &Found| {
        let mut others = point_of(found).clone();
        others[across] = 0;
        (others, found.track % arms)
    };
    let mut panels: Vec<((Vec<usize>, usize), PhasePanel)> = Vec::new();
    for found in report.found {
        let (key, level) = (panel_of(found), point_of(found)[across]);
        let x = numbers.as_ref().map_or(level as f64, |numbers| numbers[level]);
        let column = column(report, found, x, levels[level].label.clone());
        match panels.iter_mut().find(|(known, _)| *known == key) {
            Some((_, panel)) => panel.columns.push(column),
            None => {
                let title = panel_title(report, found, &factors[across], level);
                let lines = lines(report, found);
                panels.push((key, PhasePanel { title, columns: vec![column], lines }));
            }
        }
    }
    let sorted = panels.into_iter().map(|(_, mut panel)| {
        panel.columns.sort_by(|a, b| a.x.total_cmp(&b.x));
        panel
    });
    sorted.collect()
}

/// The arm, if there are several, and the levels of the factors that are not across.
fn panel_title(report: &Report<'_>, found: &Found, across: &Factor, level: usize) -> String {
    let arms = &report.campaign.experiment.arms;
    let arm = (arms.len() > 1).then(|| report.campaign.cells[found.cell].arm_label.clone());
    let own = &across.levels[level].label;
    let others = found.point_label.split(", ").filter(|label| !label.is_empty() && *label != own);
    arm.into_iter().chain(others.map(str::to_owned)).collect::<Vec<_>>().join(", ")
}

fn label(report: &Report<'_>, found: &Found) -> String {
    let cell = &report.campaign.cells[found.cell];
    let several = report.campaign.experiment.arms.len() > 1 || found.point_label.is_empty();
    let names = [if several { cell.arm_label.as_str() } else { "" }, found.point_label.as_str()];
    names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", ")
}

fn column(report: &Report<'_>, found: &Found, x: f64, label: String) -> PhaseColumn {
    // What rises is drawn as it was fitted, and beyond that as it was seen.
    let share = |tried: &crate::experiment::search::found::Tried| {
        tried.fitted.or_else(|| tried.share.map(|share| share.mean))
    };
    let shares = found.tried.iter().filter_map(|tried| Some((tried.number, share(tried)?)));
    let mut shares: Vec<(f64, f64)> = shares.collect();
    if shares.is_empty() {
        shares.push((report.searching.rule.grid.values[0].number(), 0.0));
    }
    PhaseColumn { x, label, shares, crossings: found.boundaries.iter().map(crossing).collect() }
}

fn crossing(boundary: &Boundary) -> Option<Estimate> {
    let value = boundary.at.filter(|_| boundary.reached == Reached::Between)?;
    Some(Estimate {
        value,
        low: boundary.low.unwrap_or(f64::NEG_INFINITY),
        high: boundary.high.unwrap_or(f64::INFINITY),
    })
}

/// The vertical lines of a panel: those that are declared, and those of the mean field.
fn lines(report: &Report<'_>, found: &Found) -> Vec<Reference> {
    let declared = report.search.text.lines.iter();
    let mut lines: Vec<Reference> =
        declared.map(|(label, at)| Reference { at: *at, label: label.clone() }).collect();
    if let Some(mean_field) = report.campaign.cells[found.cell].mean_field {
        let mut line = |at: f64, what: &str| {
            let label = format!("{what} ({})", number::number(at, Unit::Plain));
            lines.push(Reference { at, label });
        };
        line(mean_field.saturation(), "retries alone fill the server: rate / attempts");
        if let Some(folds) = mean_field.folds() {
            line(folds.lower, "mean field: a collapsed state from here on");
            line(folds.upper, "mean field: no healthy state from here on");
        }
    }
    lines
}

/// What is seen: the ends of the bold contour.
fn title(
    report: &Report<'_>,
    panels: &[PhasePanel],
    bold: usize,
    happens: &str,
    x_label: &str,
) -> String {
    let unit = unit(report.search);
    let share = match report.searching.rule.levels[bold] {
        0.5 => "Half of the runs".to_owned(),
        level => format!("{} of the runs", number::number(level, Unit::Percent)),
    };
    let crossings: Vec<(&str, f64)> = panels
        .first()
        .into_iter()
        .flat_map(|panel| &panel.columns)
        .filter_map(|column| {
            Some((column.label.as_str(), column.crossings.get(bold)?.as_ref()?.value))
        })
        .collect();
    let written = |value: f64| number::number(value, unit);
    match (crossings.first(), crossings.last(), crossings.len()) {
        (Some((_, at)), _, 1) if panels[0].columns.len() == 1 => {
            format!("{share} {happens} from {} on", written(*at))
        }
        (Some((label, at)), _, 1) => {
            format!("{share} {happens} from {} on at {label}, and nowhere else", written(*at))
        }
        (Some((label, at)), Some((other, last)), _) => format!(
            "{share} {happens} from {} on at {} {label}, from {} on at {other}",
            written(*at),
            x_label,
            written(*last)
        ),
        _ => format!("{}: {share} never {happens}, or always", report.campaign.experiment.title),
    }
}
