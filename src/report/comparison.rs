//! The comparison of arms: `pairs.csv`, its part of `summary.json`, and the table people read.

pub mod front;

use serde_json::{Value, json};

use super::arms::{mode_names, of_data, plain};
use super::columns;
use super::number::{self, Unit};
use super::table::{Align, Cell, Column, Row, Table, Tone};
use crate::experiment::compare::language::Margin;
use crate::experiment::compare::measured::{Measured, Source};
use crate::experiment::compare::{Comparison, Faults, Idle, Lost, Missed, Modes, Pair};
use crate::experiment::plan::campaign::Campaign;
use crate::metric::{self, MetricId};
use crate::statistics::verdict::{Conclusion, Direction};
use crate::statistics::{CONFIDENCE, Interval};

/// `pairs.csv` and `pairs.parquet`: a row for each point, arm other than the baseline, and metric.
pub fn pairs(campaign: &Campaign, pairs: &[Pair]) -> Vec<columns::Column> {
    let text = |name: &str, of: &dyn Fn(&Pair) -> String| {
        columns::Column::text(name, pairs.iter().map(of))
    };
    let count =
        |name: &str, of: &dyn Fn(&Pair) -> u64| columns::Column::count(name, pairs.iter().map(of));
    let number = |name: &str, of: &dyn Fn(&Pair) -> Option<f64>| {
        columns::Column::number(name, pairs.iter().map(of))
    };
    let family = campaign.declared.family.name();
    vec![
        text("point", &|pair| campaign.cells[pair.cell].point.clone()),
        text("arm", &|pair| campaign.cells[pair.cell].arm.clone()),
        text("baseline", &|pair| campaign.cells[pair.baseline].arm.clone()),
        text("metric", &|pair| pair.metric.clone()),
        text("role", &|pair| role(pair).to_owned()),
        text("method", &|pair| pair.method.name().to_owned()),
        text("better", &|pair| pair.better.name().to_owned()),
        count("pairs", &|pair| pair.pairs),
        count("missing", &|pair| pair.missing),
        number("mean", &|pair| pair.mean),
        number("baseline_mean", &|pair| pair.baseline_mean),
        number("difference", &|pair| pair.difference),
        number("low", &|pair| low(pair.interval)),
        number("high", &|pair| high(pair.interval)),
        number("bootstrap_low", &|pair| low(pair.bootstrap)),
        number("bootstrap_high", &|pair| high(pair.bootstrap)),
        number("p", &|pair| pair.p),
        number("p_holm", &|pair| pair.p_holm),
        number("p_equivalent", &|pair| pair.p_equivalent),
        number("p_equivalent_holm", &|pair| pair.p_equivalent_holm),
        number("effect_size", &|pair| pair.effect_size),
        number("ratio", &|pair| pair.ratio),
        number("ratio_low", &|pair| low(pair.ratio_interval)),
        number("ratio_high", &|pair| high(pair.ratio_interval)),
        number("equivalent_low", &|pair| low(pair.equivalent)),
        number("equivalent_high", &|pair| high(pair.equivalent)),
        number("confidence", &|_| Some(CONFIDENCE)),
        text("family", &|pair| if pair.is_primary { family.to_owned() } else { String::new() }),
        text("lost_more", &|pair| lost_names(pair, true)),
        text("lost_less", &|pair| lost_names(pair, false)),
        text("untested", &|pair| {
            pair.untested.iter().map(|faults| faults.name()).collect::<Vec<_>>().join(" ")
        }),
        text("verdict", &|pair| pair.verdict.name().to_owned()),
    ]
}

/// What was lost, each with both means.
pub(super) fn lost_json(lost: &[Lost]) -> Vec<Value> {
    let one = |lost: &Lost| {
        json!({
            "metric": lost.metric,
            "mean": lost.mean,
            "baseline_mean": lost.baseline_mean,
        })
    };
    lost.iter().map(one).collect()
}

/// The metrics that count what the arm lost more, or less, of than the baseline.
fn lost_names(pair: &Pair, more: bool) -> String {
    let lost = pair.lost.iter().filter(|lost| lost.is_more() == more);
    lost.map(|lost| lost.metric.as_str()).collect::<Vec<_>>().join(" ")
}

fn low(interval: Option<Interval>) -> Option<f64> {
    interval.map(|interval| interval.low)
}

fn high(interval: Option<Interval>) -> Option<f64> {
    interval.map(|interval| interval.high)
}

fn role(pair: &Pair) -> &'static str {
    if pair.is_primary { "primary" } else { "exploratory" }
}

/// The comparison in `summary.json`: what was declared, and its primary pairs.
pub(super) fn json(campaign: &Campaign, comparison: &Comparison) -> Value {
    let declared = &campaign.declared;
    let names = declared.primary.iter().map(|measured| measured.name.as_str());
    let ends = |interval: Option<Interval>| interval.map(|it| json!([it.low, it.high]));
    let pairs = comparison.pairs.iter().filter(|pair| pair.is_primary).map(|pair| {
        let cell = &campaign.cells[pair.cell];
        json!({
            "point": cell.point,
            "arm": cell.arm,
            "metric": pair.metric,
            "method": pair.method.name(),
            "better": pair.better.name(),
            "pairs": pair.pairs,
            "missing": pair.missing,
            "mean": pair.mean,
            "baseline_mean": pair.baseline_mean,
            "difference": pair.difference,
            "interval": ends(pair.interval),
            "bootstrap_interval": ends(pair.bootstrap),
            "p": pair.p,
            "p_holm": pair.p_holm,
            "p_equivalent_holm": pair.p_equivalent_holm,
            "effect_size": pair.effect_size,
            "ratio": pair.ratio,
            "ratio_interval": ends(pair.ratio_interval),
            "equivalent": ends(pair.equivalent),
            "lost": lost_json(&pair.lost),
            "untested": pair.untested.iter().map(|faults| faults.name()).collect::<Vec<_>>(),
            "verdict": pair.verdict.name(),
        })
    });
    json!({
        "baseline": campaign.experiment.arms[declared.baseline].name,
        "family": declared.family.name(),
        "primary": names.collect::<Vec<_>>(),
        "pairs": pairs.collect::<Vec<_>>(),
        "precision": precision_json(campaign, comparison),
        "front": front::json(campaign, &comparison.front),
    })
}

/// The warning that the arm that others are to be compared with does not run; empty if it does, or
/// if nobody asked for it and no arm is left to be compared.
pub fn baseline_text(campaign: &Campaign) -> String {
    let Some(missing) = &campaign.chosen.without_baseline else { return String::new() };
    let arms = campaign.arms();
    match arms[..] {
        [_] if campaign.experiment.compare.baseline.is_none() => String::new(),
        [_] => format!("warning: the baseline `{missing}` does not run: nothing is compared\n"),
        _ => format!(
            "warning: the baseline `{missing}` does not run: `{}` is in its place\n",
            arms[campaign.declared.baseline]
        ),
    }
}

/// Whether the declared precision was reached, and where it was not.
pub(super) fn precision_json(campaign: &Campaign, comparison: &Comparison) -> Value {
    let (Some(precision), Some(text)) = (&comparison.precision, campaign.declared.precision) else {
        return Value::Null;
    };
    let missed = precision.missed.iter().map(|missed| {
        let cell = &campaign.cells[missed.cell];
        let finite = missed.half_width.is_finite().then_some(missed.half_width);
        json!({
            "point": cell.point,
            "arm": cell.arm,
            "against": missed.baseline.map(|baseline| &campaign.cells[baseline].arm),
            "metric": missed.metric,
            "half_width": finite,
        })
    });
    json!({
        "amounts": text.amounts.0,
        "shares": text.shares.0,
        "seeds": precision.seeds,
        "reached": precision.is_known && precision.missed.is_empty(),
        "missed": missed.collect::<Vec<_>>(),
    })
}

/// The most comparisons that a warning names.
const NAMED_MAX: usize = 3;

/// A warning where arms are compared though faults of theirs struck in none of their runs; empty
/// elsewhere.
pub fn untested_text(campaign: &Campaign, pairs: &[Pair]) -> String {
    let mut found: Vec<(&Pair, Faults)> = Vec::new();
    for pair in pairs {
        let is_new = found.last().is_none_or(|(last, _)| last.cell != pair.cell);
        found.extend(pair.untested.iter().filter(|_| is_new).map(|&faults| (pair, faults)));
    }
    let mut text = String::new();
    for (pair, faults) in found.iter().take(NAMED_MAX) {
        let (cell, baseline) = (&campaign.cells[pair.cell], &campaign.cells[pair.baseline]);
        let point = match cell.point_label.as_str() {
            "" => String::new(),
            point => format!(" at {point}"),
        };
        let which = match faults {
            Faults::Listed => "the faults that are listed",
            Faults::Random => "the faults that are drawn at random",
        };
        text.push_str(&format!(
            "warning: {which} had an effect in no run of {} and {}{point}:\n         \
             what is said of the two is said without them, and nothing is called equivalent\n",
            cell.arm_label, baseline.arm_label,
        ));
    }
    if found.len() > NAMED_MAX {
        let more = number::several((found.len() - NAMED_MAX) as u64, "comparison");
        text.push_str(&format!("         and so it is in {more} more\n"));
    }
    text
}

/// Whether the declared precision was reached, for the terminal; nothing if none is declared.
pub fn precision_text(campaign: &Campaign, comparison: &Comparison) -> String {
    let Some(precision) = &comparison.precision else { return String::new() };
    let seeds = number::several(precision.seeds, "seed");
    match precision.missed.as_slice() {
        [] if !precision.is_known => {
            format!("precision not reached with {seeds}: no run has a value of what is compared\n")
        }
        [] => format!("precision reached with {seeds}\n"),
        missed => {
            let name = |missed: &Missed| {
                let cell = &campaign.cells[missed.cell];
                let point = if cell.point.is_empty() { "" } else { " at " };
                let against = missed.baseline.map(|baseline| &campaign.cells[baseline].arm);
                let against = against.map(|arm| format!(" against {arm}")).unwrap_or_default();
                format!("  {} of {}{against}{point}{}\n", missed.metric, cell.arm, cell.point)
            };
            let shown: String = missed.iter().take(MISSED_SHOWN).map(name).collect();
            let rest = missed.len().saturating_sub(MISSED_SHOWN);
            let rest = if rest > 0 { format!("  and {rest} more\n") } else { String::new() };
            format!("precision not reached with {seeds}:\n{shown}{rest}")
        }
    }
}

/// How many metrics that are not precise are named on the terminal.
const MISSED_SHOWN: usize = 5;

/// The primary comparisons, a table of all points; `None` if there is one arm only.
pub fn pairs_table(campaign: &Campaign, pairs: &[Pair]) -> Option<Table> {
    pairs_table_of(campaign, pairs, &|_| true)
}

/// The same of those primary comparisons that are meant; `None` if there is none.
pub(super) fn pairs_table_of(
    campaign: &Campaign,
    pairs: &[Pair],
    is_meant: &dyn Fn(&Pair) -> bool,
) -> Option<Table> {
    let column = |header: &str, align: Align, priority: u8| Column {
        header: header.to_owned(),
        align,
        priority,
    };
    let columns = vec![
        column("arm", Align::Left, 0),
        column("mean", Align::Right, 1),
        column("difference, 95% interval", Align::Right, 0),
        column("d_z", Align::Right, 3),
        column("p (Holm)", Align::Right, 2),
        column("verdict", Align::Left, 0),
    ];
    let arms = campaign.experiment.arms.len();
    let points = campaign.cells.len() / arms;
    let mut rows = Vec::new();
    for (point, measured) in
        (0..points).flat_map(|point| campaign.declared.primary.iter().map(move |it| (point, it)))
    {
        let of_group = |pair: &&Pair| {
            pair.is_primary
                && pair.cell / arms == point
                && pair.source == measured.source
                && is_meant(pair)
        };
        let group: Vec<&Pair> = pairs.iter().filter(of_group).collect();
        let Some(first) = group.first() else { continue };
        let cell = &campaign.cells[first.baseline];
        rows.push(Row::Group(heading(&cell.point_label, measured)));
        rows.push(baseline_row(&cell.arm_label, first));
        rows.extend(apart(first.baseline_modes.as_ref(), &first.metric));
        for pair in group {
            rows.push(shown(&campaign.cells[pair.cell].arm_label, pair));
            rows.extend(apart(pair.modes.as_ref(), &pair.metric));
            rows.extend(runs_broken(pair, pairs));
            rows.extend(pair.lost.iter().map(lost_row));
        }
    }
    (!rows.is_empty()).then_some(Table { columns, rows })
}

/// "payment at 10x: success, more is better, ±1% is equivalent".
fn heading(point: &str, measured: &Measured) -> String {
    let (name, unit, scale) = called(measured);
    let which = match measured.better {
        Direction::Higher => "more is better",
        Direction::Lower => "less is better",
    };
    let margin = match measured.equivalent {
        Margin::Relative(share) => number::number(share, Unit::Percent),
        Margin::Absolute(margin) => points(number::number(margin * scale, unit), unit),
    };
    let point = if point.is_empty() { String::new() } else { format!("{point}: ") };
    format!("{point}{name}, {which}, ±{margin} is equivalent")
}

/// The row of the baseline, with which the others are compared.
fn baseline_row(arm: &str, first: &Pair) -> Row {
    let mean = mean_or_why(&first.metric, first.baseline_mean, first.baseline_idle);
    let texts = [arm.to_owned(), mean];
    let empty = std::iter::repeat_n(String::new(), 3);
    let texts = texts.into_iter().chain(empty).chain(["baseline".to_owned()]);
    Row::Cells(texts.map(plain).collect())
}

/// Rows of the runs that collapsed and of those that did not: a mean of both describes neither.
fn apart(modes: Option<&Modes>, metric: &str) -> Vec<Row> {
    let Some(modes) = modes else { return Vec::new() };
    let names = mode_names(modes.collapsed, modes.others).map(|name| format!("· {name}"));
    let means = [modes.if_collapsed, modes.if_not];
    let row = |(name, mean): (String, Option<f64>)| {
        let empty = std::iter::repeat_n(String::new(), 4);
        Row::Cells([name, mean_text(metric, mean)].into_iter().chain(empty).map(plain).collect())
    };
    names.into_iter().zip(means).map(row).collect()
}

/// In how many runs a promise was broken beside how often: whether it happens at all is another
/// question than how many it strikes.
fn runs_broken(pair: &Pair, pairs: &[Pair]) -> Option<Row> {
    let Source::Rate(promise) = pair.source else { return None };
    if pair.mean? == 0.0 && pair.baseline_mean? == 0.0 {
        return None;
    }
    let violated = Source::Violated(promise);
    let is_it = |other: &&Pair| other.cell == pair.cell && other.source == violated;
    let other = pairs.iter().find(is_it).filter(|other| other.pairs > 0)?;
    let runs =
        |share: Option<f64>| Some(number::count((share? * other.pairs as f64).round() as u64));
    let of = number::several(other.pairs, "run");
    Some(beside(
        "in runs",
        runs(other.mean)?,
        format!("baseline {} of {of}", runs(other.baseline_mean)?),
    ))
}

/// What was thrown away, beside a metric that looks better for it.
fn lost_row(lost: &Lost) -> Row {
    let [name, mean, baseline] = lost_texts(lost);
    beside(&name, mean, format!("baseline {baseline}"))
}

/// What was thrown away, the arm's mean of it, and that of the other arm.
pub(super) fn lost_texts(lost: &Lost) -> [String; 3] {
    let of_promise = || lost.label.as_ref().map(|label| rate(label));
    let name = lost.own_label.clone().or_else(of_promise);
    let name = name.unwrap_or_else(|| written(&lost.metric).0);
    let mean = |mean: f64| mean_text(&lost.metric, Some(mean));
    [format!("lost: {name}"), mean(lost.mean), mean(lost.baseline_mean)]
}

/// A row below an arm's.
fn beside(name: &str, mean: String, baseline: String) -> Row {
    let empty = std::iter::repeat_n(String::new(), 3);
    let texts = [format!("‥ {name}"), mean, baseline].into_iter().chain(empty);
    Row::Cells(texts.map(plain).collect())
}

/// A mean in its unit, or why there is none.
fn mean_or_why(metric: &str, mean: Option<f64>, idle: Option<Idle>) -> String {
    idle.map_or_else(|| mean_text(metric, mean), |idle| idle.name().to_owned())
}

/// A mean in its unit, or a dash.
pub(super) fn mean_text(metric: &str, mean: Option<f64>) -> String {
    let (_, unit, scale) = written(metric);
    mean.map_or_else(|| "–".to_owned(), |mean| number::number(mean * scale, unit))
}

fn shown(arm: &str, pair: &Pair) -> Row {
    let (_, unit, scale) = written(&pair.metric);
    let or_dash = |text: Option<String>| plain(text.unwrap_or_else(|| "–".to_owned()));
    let tone = match pair.verdict {
        Conclusion::Better => Tone::Good,
        Conclusion::Worse => Tone::Bad,
        Conclusion::Equivalent => Tone::Plain,
        Conclusion::Confounded => Tone::Warning,
        Conclusion::Undecided
        | Conclusion::NoneSeen
        | Conclusion::NotExercised
        | Conclusion::NotJudged => Tone::Faint,
    };
    let difference = pair.difference.map(|value| difference(value * scale, pair, scale, unit));
    Row::Cells(vec![
        plain(arm.to_owned()),
        plain(mean_or_why(&pair.metric, pair.mean, pair.idle)),
        or_dash(difference),
        or_dash(pair.effect_size.map(|size| number::number(size, Unit::Plain))),
        or_dash(pair.p_holm.map(p_value)),
        Cell { text: pair.verdict.name().to_owned(), tone },
    ])
}

/// A difference always with its interval, unless it has none.
fn difference(value: f64, pair: &Pair, scale: f64, unit: Unit) -> String {
    let Some(interval) = pair.interval else { return points(number::number(value, unit), unit) };
    let (low, high) = (interval.low * scale, interval.high * scale);
    let text = number::interval(value, low, high, unit);
    let has_interval = text.contains('±') || text.contains('(') || low == high;
    let text = match has_interval {
        true => text,
        false => {
            let [value, low, high] = [value, low, high].map(|it| number::number(it, unit));
            format!("{value} ({low} to {high})")
        }
    };
    points(text, unit)
}

/// Differences of percentages are percentage points.
fn points(text: String, unit: Unit) -> String {
    if unit == Unit::Percent { text.replace('%', " pp") } else { text }
}

fn p_value(p: f64) -> String {
    if p < 0.001 { "<0.001".to_owned() } else { format!("{p:.3}") }
}

/// What something that is measured is called, its unit, and the factor to that unit.
pub(super) fn called(measured: &Measured) -> (String, Unit, f64) {
    let (name, unit, scale) = written(&measured.name);
    let name = match (&measured.own_label, &measured.label, measured.is_event()) {
        (Some(own), ..) => own.clone(),
        (None, Some(label), true) => format!("runs with {label}"),
        (None, Some(label), false) => rate(label),
        (None, None, _) => name,
    };
    (name, unit, scale)
}

/// What tables call how often a promise is broken.
fn rate(label: &str) -> String {
    format!("{label} per 10,000")
}

/// What a metric is called, its unit, and the factor to that unit.
pub(super) fn written(metric: &str) -> (String, Unit, f64) {
    if let Some((milestone, metric)) = metric.split_once('.') {
        let (name, unit, scale) = written(metric);
        return (format!("{milestone} {name}"), unit, scale);
    }
    if metric.ends_with("_violated") || metric.ends_with("_unjudged") {
        return (metric.replace('_', " "), Unit::Percent, 1.0);
    }
    if metric.ends_with("_per_10000") {
        return (metric.replace('_', " "), Unit::Plain, 1.0);
    }
    let in_table = MetricId::named(metric).map(|id| id.row().unit);
    let without = |unit: &str| metric.strip_suffix(unit).unwrap_or(metric);
    let (name, unit, scale) = if metric.ends_with("amplification") || metric == "burn_rate_max" {
        (metric, Unit::Times, 1.0)
    } else if metric == "budget_consumed" {
        (metric, Unit::Percent, 1.0)
    } else if let Some((name, unit)) = of_data(metric) {
        (name, unit, 1.0)
    } else {
        match in_table {
            Some(metric::Unit::Share) => (without("_ratio"), Unit::Percent, 1.0),
            Some(metric::Unit::PerSecond) => {
                return (format!("{} /s", without("_per_s").replace('_', " ")), Unit::Plain, 1.0);
            }
            Some(metric::Unit::Milliseconds) => {
                (without("_ms"), Unit::Seconds, metric::Unit::Milliseconds.to_base())
            }
            Some(metric::Unit::Seconds) => (without("_s"), Unit::Seconds, 1.0),
            None if ["never_recovered", "metastable"].contains(&metric) => {
                (metric, Unit::Percent, 1.0)
            }
            Some(metric::Unit::Number) | None => (metric, Unit::Plain, 1.0),
        }
    };
    (name.replace('_', " "), unit, scale)
}
