//! The moments of an incident: a table, a picture, and a row for each run.

use super::name;
use crate::experiment::measure::spread::Reach;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::kernel::time::{Span, Time};
use crate::metric::{Incident, IncidentRule, Recovery};
use crate::report::arms::{column, plain};
use crate::report::chart::{Bar, BarGroup, BarRow, Bars, Caption, Estimate};
use crate::report::columns::{self, Column};
use crate::report::number::{Unit, number, several};
use crate::report::sizes::WIDTH;
use crate::report::table::{Align, Row, Table};

/// So many arms and points stand side by side.
const COLUMNS_MAX: usize = 6;

/// When something happened in the runs of a cell.
struct Moment {
    /// What it is called.
    label: String,
    /// How long after the first fault began, in the runs in which it did; `None` in none.
    after: Option<Reach>,
}

fn incidents<'a>(
    campaign: &'a Campaign,
    results: &'a [RunResult],
    cell: usize,
) -> Vec<(&'a RunResult, &'a Incident)> {
    let runs = campaign.runs_of(results, cell).iter();
    runs.filter_map(|run| Some((run, run.observed.as_ref()?.incident.as_ref()?))).collect()
}

/// The moments of a cell: users, signs, promises, and how it ended.
fn moments(cell: &Cell, rule: &IncidentRule, runs: &[(&RunResult, &Incident)]) -> Vec<Moment> {
    let moment = |label: String, of: &dyn Fn(&RunResult, &Incident) -> Option<Time>| {
        let since = |&(run, it): &(&RunResult, &Incident)| Some(of(run, it)?.since(it.began));
        Moment { label, after: Reach::of(runs.iter().filter_map(since).collect()) }
    };
    let mut moments = vec![moment("first user hit".to_owned(), &|_, it| it.first_hit)];
    if let Some(sign) = rule.sign {
        let sign = &cell.program.operation(sign).name;
        moments.push(moment(format!("first bad {sign}"), &|_, it| it.first_sign));
        let alarm = format!("alarm: {} in a row", rule.in_a_row);
        moments.push(moment(alarm, &|_, it| it.alarm));
    }
    for (place, promise) in cell.invariants.iter().enumerate() {
        let broken = |run: &RunResult, it: &Incident| {
            let first = run.invariants.get(place)?.first?;
            (first.at >= it.began).then_some(first.at)
        };
        moments.push(moment(format!("broken: {}", promise.label), &broken));
    }
    moments.push(moment("faults over".to_owned(), &|_, it| Some(it.healed)));
    moments.push(moment("last user hit".to_owned(), &|_, it| it.last_hit));
    moments.push(moment("fares as before".to_owned(), &|run, it| match run.recovery {
        Recovery::After(span) => Some(it.healed + span),
        _ => None,
    }));
    moments
}

/// How many users were hit in a run, and before the alarm: the middle run.
fn middle(mut counts: Vec<u64>) -> Option<u64> {
    counts.sort_unstable();
    counts.get(counts.len().checked_sub(1)? / 2).copied()
}

/// When what happened, in each of up to six cells; `None` unless the experiment asks.
pub(super) fn table(campaign: &Campaign, results: &[RunResult]) -> Option<Table> {
    let cells: Vec<usize> = (0..campaign.cells.len().min(COLUMNS_MAX)).collect();
    let mut columns = vec![column("since the first fault began", Align::Left, 0)];
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for &index in &cells {
        let cell = &campaign.cells[index];
        let rule = cell.observing.incident.as_ref()?;
        let runs = incidents(campaign, results, index);
        columns.push(column(&name(cell), Align::Right, 0));
        let told = moments(cell, rule, &runs);
        let mut texts: Vec<(String, String)> =
            told.into_iter().map(|it| (it.label.clone(), text(&it, runs.len()))).collect();
        if rule.sign.is_some() {
            let before = middle(runs.iter().map(|(_, it)| it.hits_before_alarm).collect());
            texts.push(("requests hit before the alarm".to_owned(), count(before)));
        }
        let all = middle(runs.iter().map(|(_, it)| it.hits).collect());
        texts.push(("requests hit in all".to_owned(), count(all)));
        for (place, (label, text)) in texts.into_iter().enumerate() {
            if lines.len() <= place {
                lines.push((label, Vec::new()));
            }
            lines[place].1.push(text);
        }
    }
    let rows = lines
        .into_iter()
        .map(|(label, texts)| Row::Cells(std::iter::once(label).chain(texts).map(plain).collect()));
    Some(Table { columns, rows: rows.collect() })
}

fn count(count: Option<u64>) -> String {
    count.map_or("–".to_owned(), |count| number(count as f64, Unit::Plain))
}

/// The middle run, with the shortest and the longest, and in how many it happened if not in all.
fn text(moment: &Moment, runs: usize) -> String {
    let Some(Reach { runs: seen, least, median, greatest }) = moment.after else {
        return "never".to_owned();
    };
    let seconds = |span: Span| number(span.seconds(), Unit::Seconds);
    let mut text = seconds(median);
    let (least, greatest) = (seconds(least), seconds(greatest));
    if least != greatest {
        text.push_str(&format!(" ({least}–{greatest})"));
    }
    if (seen as usize) < runs {
        text.push_str(&format!(" in {seen} of {runs}"));
    }
    text
}

/// The moments of up to six cells as SVG; `None` unless the experiment asks.
pub fn figure(campaign: &Campaign, results: &[RunResult]) -> Option<String> {
    let mut groups = Vec::new();
    for index in 0..campaign.cells.len().min(COLUMNS_MAX) {
        let cell = &campaign.cells[index];
        let rule = cell.observing.incident.as_ref()?;
        let runs = incidents(campaign, results, index);
        let bar = |moment: Moment| {
            let written = text(&moment, runs.len());
            let bar = match moment.after {
                None => Bar::Missing(written),
                Some(Reach { least, median, greatest, .. }) => {
                    let [low, value, high] = [least, median, greatest].map(Span::seconds);
                    Bar::Rate(Estimate { value, low, high }, written)
                }
            };
            let colour = index % campaign.experiment.arms.len();
            BarRow { label: moment.label, colour, cells: vec![bar] }
        };
        let rows = moments(cell, rule, &runs).into_iter().map(bar).collect();
        groups.push(BarGroup { heading: name(cell), rows });
    }
    let left_out = campaign.cells.len().saturating_sub(groups.len());
    let more = match left_out {
        0 => String::new(),
        _ => format!(" {} more in incident.csv.", several(left_out as u64, "combination")),
    };
    let figure = Bars {
        caption: Caption {
            title: campaign.experiment.title.clone(),
            subtitle: "Who sees it first, what breaks, and when is it over?".to_owned(),
            note: format!("The middle run, with the shortest and the longest.{more}"),
        },
        width: WIDTH,
        unit: "seconds".to_owned(),
        panels: vec!["since the first fault began".to_owned()],
        groups,
    };
    Some(figure.svg())
}

/// `incident.csv`: a row for each run; `None` unless the experiment asks.
pub fn csv(campaign: &Campaign, results: &[RunResult]) -> Option<String> {
    campaign.cells[0].observing.incident.as_ref()?;
    let seen = |run: &RunResult| Some((run.clone(), run.observed.as_ref()?.incident.clone()?));
    let lines: Vec<(RunResult, Incident)> = results.iter().filter_map(seen).collect();
    let cell = |run: &RunResult| &campaign.cells[run.cell];
    let number = |column: &str, of: &dyn Fn(&Incident) -> Option<Time>| {
        let since = |(_, it): &(RunResult, Incident)| Some(of(it)?.since(it.began).seconds());
        Column::number(column, lines.iter().map(since))
    };
    Some(columns::csv(&[
        Column::text("arm", lines.iter().map(|(run, _)| cell(run).arm.clone())),
        Column::text("point", lines.iter().map(|(run, _)| cell(run).point.clone())),
        Column::count("seed", lines.iter().map(|(run, _)| run.seed)),
        Column::number("began_s", lines.iter().map(|(_, it)| Some(it.began.seconds()))),
        number("first_hit_s", &|it| it.first_hit),
        number("first_sign_s", &|it| it.first_sign),
        number("alarm_s", &|it| it.alarm),
        number("healed_s", &|it| Some(it.healed)),
        number("last_hit_s", &|it| it.last_hit),
        Column::count("hits", lines.iter().map(|(_, it)| it.hits)),
        Column::count("hits_before_alarm", lines.iter().map(|(_, it)| it.hits_before_alarm)),
    ]))
}
