//! The phase diagram of a search.

use super::chart::{Axis, Caption, Estimate, Phase, PhaseColumn, PhasePanel, Reference};
use super::number::{self, Unit};
use super::search::{Report, boundary_text, name, named, unit};
use super::sizes::WIDTH;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::variant::{Factor, Variant};
use crate::experiment::search::found::Found;
use crate::experiment::search::language::GridScale;
use crate::experiment::search::outcome::of_many;
use crate::experiment::search::track::{Boundary, Reached};

/// The phase diagram: the factor across, what is varied upwards, the share as colour.
pub fn figure(report: &Report<'_>) -> Phase {
    let Report { campaign, search, searching, .. } = report;
    let across = across(campaign, search.text.across.as_deref());
    let varied = search.text.label.as_ref().unwrap_or(&search.text.vary);
    let x_label = across.map_or("", |index| campaign.experiment.factors[index].name.as_str());
    let bold = searching.rule.levels.iter().position(|level| *level == 0.5).unwrap_or(0);
    let panels = panels(report, across);
    let happens = of_many(&search.text.outcome);
    let drawn: Vec<PhasePanel> =
        panels.iter().map(|panel| drawn(report, panel, across, bold)).collect();
    Phase {
        caption: Caption {
            title: headline(report, &panels, bold, &happens, x_label),
            subtitle: match x_label {
                "" => format!("Share of runs that {happens}, by {varied}."),
                x_label => format!("Share of runs that {happens}, by {x_label} and {varied}."),
            },
            note: format!(
                "{}: {} seeds a value at the most. White: where the bold line lies, between the \
                 nearest values whose shares are clearly below and above ({} Wilson intervals).{}",
                campaign.experiment.title,
                searching.rule.seeds,
                number::number(searching.rule.confidence(), Unit::Percent),
                if has_open(&drawn) { " Hollow: one end of the interval is unknown." } else { "" },
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
        panels: drawn,
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

/// The levels of a factor as numbers, if all their names are finite ones.
fn numbers(factor: &Factor) -> Option<Vec<f64>> {
    let number = |level: &Variant| level.name.parse().ok().filter(|at: &f64| at.is_finite());
    factor.levels.iter().map(number).collect()
}

/// What was found in one panel, by x.
struct Panel<'r> {
    title: String,
    columns: Vec<Place<'r>>,
}

/// What was found in one column of a panel.
struct Place<'r> {
    x: f64,
    label: String,
    found: &'r Found,
}

/// A panel for each arm and combination of the other factors, or, where no factor is across, one
/// with a column for each of them.
fn panels<'r>(report: &Report<'r>, across: Option<usize>) -> Vec<Panel<'r>> {
    let factors = &report.campaign.experiment.factors;
    let Some(across) = across else {
        let places = report.found.iter().enumerate();
        let place = |(index, found)| Place { x: index as f64, label: named(report, found), found };
        return vec![Panel { title: String::new(), columns: places.map(place).collect() }];
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
    let mut panels: Vec<((Vec<usize>, usize), Panel<'r>)> = Vec::new();
    for found in report.found {
        let (key, level) = (panel_of(found), point_of(found)[across]);
        let x = numbers.as_ref().map_or(level as f64, |numbers| numbers[level]);
        let place = Place { x, label: levels[level].label.clone(), found };
        match panels.iter_mut().find(|(known, _)| *known == key) {
            Some((_, panel)) => panel.columns.push(place),
            None => {
                let title = panel_title(report, found, &factors[across], level);
                panels.push((key, Panel { title, columns: vec![place] }));
            }
        }
    }
    let sorted = panels.into_iter().map(|(_, mut panel)| {
        panel.columns.sort_by(|a, b| a.x.total_cmp(&b.x));
        panel
    });
    sorted.collect()
}

/// Whether an end of an interval is unknown.
fn has_open(panels: &[PhasePanel]) -> bool {
    let columns = panels.iter().flat_map(|panel| &panel.columns);
    columns.flat_map(|column| &column.crossings).flatten().any(Estimate::is_open)
}

fn drawn(report: &Report<'_>, panel: &Panel<'_>, across: Option<usize>, bold: usize) -> PhasePanel {
    let across = across.map(|across| &report.campaign.experiment.factors[across]);
    let columns: Vec<PhaseColumn> =
        panel.columns.iter().map(|place| column(report, place)).collect();
    let crosses = columns.iter().flat_map(|column| &column.crossings).any(Option::is_some);
    PhasePanel {
        title: panel.title.clone(),
        columns,
        remark: if crosses { String::new() } else { remark(report, panel, bold) },
        // Between levels that are no numbers no line has a place.
        lines: match across.is_some_and(|across| numbers(across).is_some()) {
            true => lines(report, panel),
            false => Vec::new(),
        },
    }
}

/// Why a panel has no contour, as the table says it of the bold one.
fn remark(report: &Report<'_>, panel: &Panel<'_>, bold: usize) -> String {
    let mut texts = panel.columns.iter().filter_map(|place| {
        let boundary = place.found.boundaries.get(bold)?;
        Some(format!("{}: {}", name(boundary.level), boundary_text(report, place.found, boundary)))
    });
    // Where columns say different things, the table tells them apart.
    let first = texts.next().filter(|first| texts.all(|text| text == *first));
    first.unwrap_or_else(|| "no boundary".to_owned())
}

/// The arm, if there are several, and the levels of the factors that are not across.
fn panel_title(report: &Report<'_>, found: &Found, across: &Factor, level: usize) -> String {
    let arms = &report.campaign.experiment.arms;
    let arm = (arms.len() > 1).then(|| report.campaign.cells[found.cell].arm_label.clone());
    let own = &across.levels[level].label;
    let others = found.point_label.split(", ").filter(|label| !label.is_empty() && *label != own);
    arm.into_iter().chain(others.map(str::to_owned)).collect::<Vec<_>>().join(", ")
}

fn column(report: &Report<'_>, place: &Place<'_>) -> PhaseColumn {
    let found = place.found;
    // What rises is drawn as it was fitted, and beyond that as it was seen.
    let share = |tried: &crate::experiment::search::found::Tried| {
        tried.fitted.or_else(|| tried.share.map(|share| share.mean))
    };
    let shares = found.tried.iter().filter_map(|tried| Some((tried.number, share(tried)?)));
    let mut shares: Vec<(f64, f64)> = shares.collect();
    if shares.is_empty() {
        shares.push((report.searching.rule.grid.values[0].number(), 0.0));
    }
    PhaseColumn {
        x: place.x,
        label: place.label.clone(),
        shares,
        crossings: found.boundaries.iter().map(crossing).collect(),
    }
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
fn lines(report: &Report<'_>, panel: &Panel<'_>) -> Vec<Reference> {
    let declared = report.search.text.lines.iter();
    let mut lines: Vec<Reference> =
        declared.map(|(label, at)| Reference { at: *at, label: label.clone() }).collect();
    let mut fields =
        panel.columns.iter().map(|place| report.campaign.cells[place.found.cell].mean_field);
    // Where a level changes the server itself, no line is that of all columns.
    let first = fields.next().flatten();
    if let Some(mean_field) = first.filter(|_| fields.all(|field| field == first)) {
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

/// Where the bold contour crosses a column.
#[derive(Debug, PartialEq)]
struct Crossing {
    /// What the panel is called; empty if it is the only one.
    panel: String,
    /// What the column is called; empty if it is the only one.
    column: String,
    at: f64,
    rises: bool,
}

/// The crossings of the bold contour, panel by panel.
fn crossings(panels: &[Panel<'_>], bold: usize) -> Vec<Crossing> {
    let places = panels.iter().flat_map(|panel| panel.columns.iter().map(move |at| (panel, at)));
    let seen = places.filter_map(|(panel, place)| {
        let at = crossing(place.found.boundaries.get(bold)?)?.value;
        let named =
            |several: bool, name: &str| if several { name.to_owned() } else { String::new() };
        Some(Crossing {
            panel: named(panels.len() > 1, &panel.title),
            column: named(panel.columns.len() > 1, &place.label),
            at,
            rises: place.found.rises(),
        })
    });
    seen.collect()
}

/// The ends of the bold contour over all panels; `None` if it crosses no column.
fn title(
    share: &str,
    crossings: &[Crossing],
    x_label: &str,
    unit: Unit,
    columns: usize,
) -> Option<String> {
    let part = |crossing: &Crossing, x_label: &str| {
        let at = number::number(crossing.at, unit);
        let mut text = if crossing.rises { format!("from {at} on") } else { format!("up to {at}") };
        if !crossing.column.is_empty() {
            let names = [x_label, &crossing.column].into_iter().filter(|name| !name.is_empty());
            text.push_str(&format!(" at {}", names.collect::<Vec<_>>().join(" ")));
        }
        if !crossing.panel.is_empty() {
            text.push_str(&format!(" ({})", crossing.panel));
        }
        text
    };
    Some(match crossings {
        [] => return None,
        [only] if columns == 1 => format!("{share} {}", part(only, x_label)),
        [only] => format!("{share} {}, and nowhere else", part(only, x_label)),
        [first, .., last] => format!("{share} {}, {}", part(first, x_label), part(last, "")),
    })
}

/// What is seen, or that there is nothing to see between the ends of the range.
fn headline(
    report: &Report<'_>,
    panels: &[Panel<'_>],
    bold: usize,
    happens: &str,
    x_label: &str,
) -> String {
    let unit = unit(report.search);
    let (share, no_share) = match report.searching.rule.levels[bold] {
        0.5 => ("Half of the runs".to_owned(), "half the runs".to_owned()),
        level => {
            let share = format!("{} of the runs", number::number(level, Unit::Percent));
            (share.clone(), share)
        }
    };
    let (crossings, share) = (crossings(panels, bold), format!("{share} {happens}"));
    title(&share, &crossings, x_label, unit, report.found.len()).unwrap_or_else(|| {
        let ends = [report.search.text.from, report.search.text.until];
        let [from, until] = ends.map(|end| number::number(end.number(), unit));
        format!("No boundary of {no_share} between {from} and {until}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crossing(panel: &str, column: &str, at: f64, rises: bool) -> Crossing {
        Crossing { panel: panel.to_owned(), column: column.to_owned(), at, rises }
    }

    #[test]
    fn levels_without_a_place_are_no_numbers() {
        let factor = |names: [&str; 2]| {
            let level = |name: &str| Variant {
                name: name.to_owned(),
                label: name.to_owned(),
                set: Vec::new(),
            };
            Factor { name: "load".to_owned(), levels: names.map(level).to_vec() }
        };
        assert_eq!(numbers(&factor(["1", "2.5"])), Some(vec![1.0, 2.5]));
        for name in ["inf", "nan", "-infinity", "many"] {
            assert_eq!(numbers(&factor(["1", name])), None, "{name}");
        }
    }

    #[test]
    fn the_ends_of_the_boundary_are_named_over_all_panels() {
        let said = |crossings: &[Crossing], columns: usize| {
            let share = "Half of the runs fail";
            title(share, crossings, "load", Unit::Seconds, columns).unwrap_or_default()
        };
        assert_eq!(title("", &[], "load", Unit::Seconds, 3), None);
        assert_eq!(said(&[crossing("", "", 2.0, true)], 1), "Half of the runs fail from 2 s on");
        assert_eq!(
            said(&[crossing("", "5/s", 2.0, false)], 3),
            "Half of the runs fail up to 2 s at load 5/s, and nowhere else"
        );
        let two = [crossing("retries", "5/s", 4.0, true), crossing("none", "9/s", 3.0, false)];
        assert_eq!(
            said(&two, 4),
            "Half of the runs fail from 4 s on at load 5/s (retries), up to 3 s at 9/s (none)"
        );
    }
}
