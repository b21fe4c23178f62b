//! What must hold for every chart, on data shaped like the experiments'.

use super::font::{Fonts, Weight};
use super::place::Rect;
use super::plot::STEPS;
use super::*;
use crate::report::number::Unit;

const POLICIES: [&str; 6] =
    ["no retry", "immediate ×3", "exponential", "+ full jitter", "+ budget", "+ breaker"];
const HANDLINGS: [&str; 3] =
    ["synchronous, without key", "synchronous, with key", "transactional outbox"];

fn caption() -> Caption {
    Caption {
        title: "Retrying at once turns a brownout of 20 seconds into an outage without end".into(),
        subtitle: "100 orders per second are offered; one of three providers slows down".into(),
        note: "Bands: 95% intervals over 40 seeds.".into(),
    }
}

fn series(policy: usize, scale: f64, ends: [f64; 6]) -> Series {
    let x: Vec<f64> = (0..=110).map(f64::from).collect();
    let value = |t: &f64| match *t {
        t if t < 30.0 => scale,
        t if t < 50.0 => scale * (0.2 + 0.1 * policy as f64),
        _ => scale * ends[policy],
    };
    let middle: Vec<f64> = x.iter().map(value).collect();
    let low = middle.iter().map(|v| v * 0.95).collect();
    let high = middle.iter().map(|v| v * 1.05).collect();
    let label = POLICIES[policy].into();
    Series { label, colour: policy, x, middle, low, high, ..Series::default() }
}

fn lines(width: f64, ends: [f64; 6]) -> Lines {
    let panel =
        |scale: f64| Panel { series: (0..6).map(|policy| series(policy, scale, ends)).collect() };
    let row = |label: &str, scale| Row {
        label: label.into(),
        panels: (0..3).map(|_| panel(scale)).collect(),
    };
    Lines {
        caption: caption(),
        width,
        x_label: "seconds since the start".into(),
        columns: HANDLINGS.iter().map(|name| (*name).into()).collect(),
        rows: vec![row("goodput per second", 100.0), row("attempts per second", 13_000.0)],
        shaded: vec![
            Shaded { from: 30.0, to: 50.0, label: "provider brownout".into() },
            Shaded { from: 52.0, to: 60.0, label: "relay restarts".into() },
        ],
    }
}

fn scatter(width: f64) -> Scatter {
    let spread = |value: f64| Estimate { value, low: value * 0.99, high: value * 1.01 };
    let points = (0..18_usize).map(|k| {
        let (policy, handling) = (k / 3, k % 3);
        Point {
            x: spread([1.0, 2.9, 1.8, 1.6, 1.12, 0.93][policy] * (1.0 + 0.02 * handling as f64)),
            y: spread([0.90, 0.71, 0.93, 0.95, 0.96, 0.945][policy] + 0.01 * handling as f64),
            label: POLICIES[policy].into(),
            colour: policy,
            marker: handling,
            group: Some(policy),
        }
    });
    Scatter {
        caption: caption(),
        width,
        x: Axis { label: "attempts per order".into(), unit: Unit::Times, log: true },
        y: Axis { label: "orders that succeed".into(), unit: Unit::Percent, log: false },
        colours: Vec::new(),
        markers: HANDLINGS.iter().map(|name| (*name).into()).collect(),
        points: points.collect(),
        x_references: vec![Reference { at: 1.0, label: "no amplification".into() }],
        y_references: vec![Reference { at: 0.99, label: "objective".into() }],
    }
}

const KINDS: [&str; 4] =
    ["double charges", "paid without record", "charge without order", "accepted orders lost"];

fn bars(width: f64) -> Bars {
    let cell = |group: usize, policy: usize, kind: usize| match (group, kind) {
        (0, 3) => Bar::Missing("not exercised".into()),
        (0, _) if policy > 0 => {
            let value = 812.3 / (policy * (kind + 1)) as f64;
            Bar::with_interval(Estimate { value, low: value * 0.9, high: value * 1.1 })
        }
        _ => Bar::with_interval(Estimate { value: 0.0, low: 0.0, high: 0.27 }),
    };
    let row = |group, policy: usize| BarRow {
        label: POLICIES[policy].into(),
        colour: policy,
        cells: (0..4).map(|kind| cell(group, policy, kind)).collect(),
    };
    let group = |(index, heading): (usize, &&str)| BarGroup {
        heading: (*heading).into(),
        rows: (0..6).map(|policy| row(index, policy)).collect(),
    };
    Bars {
        caption: caption(),
        width,
        unit: "per 10,000 orders".into(),
        panels: KINDS.iter().map(|name| (*name).into()).collect(),
        groups: HANDLINGS.iter().enumerate().map(group).collect(),
    }
}

const SPREAD: [f64; 6] = [1.0, 0.1, 0.85, 0.7, 0.5, 0.3];
const TOGETHER: [f64; 6] = [1.0; 6];

/// Every chart at every width it is made for.
fn charts() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for width in [820.0, 960.0, 1100.0] {
        all.push((format!("lines, {width}"), lines(width, SPREAD).svg()));
        all.push((format!("lines that end together, {width}"), lines(width, TOGETHER).svg()));
        all.push((format!("scatter, {width}"), scatter(width).svg()));
        all.push((format!("bars, {width}"), bars(width).svg()));
    }
    all
}

/// Every text of a chart with the area its letters take.
fn texts(svg: &str) -> Vec<(String, Rect)> {
    let fonts = Fonts::new();
    let attribute = |line: &str, name: &str, end: char| {
        let (_, rest) = line.split_once(name)?;
        rest.split_once(end).map(|(value, _)| value.to_owned())
    };
    let mut out = Vec::new();
    let all: Vec<&str> = svg.lines().collect();
    for (index, line) in all.iter().enumerate() {
        let Some(label) = attribute(line, "aria-label=\"", '"') else { continue };
        let text = label.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let place = attribute(line, "translate(", ')').unwrap();
        let (x, y) = place.split_once(' ').unwrap();
        let number = |text: &str| text.parse::<f64>().unwrap() / STEPS;
        let (x, y) = (number(x), number(y));
        let scale = number(&attribute(line, ")scale(", ')').unwrap());
        let bold = all[index + 1].split_once("href=\"#").unwrap().1.as_bytes()[9] == b's';
        let weight = if bold { Weight::SemiBold } else { Weight::Regular };
        let size = scale * fonts.units(weight);
        let right = x + fonts.width(&text, size, weight);
        out.push((text, Rect { left: x, top: y - 0.72 * size, right, bottom: y }));
    }
    out
}

#[test]
fn the_same_data_give_the_same_bytes() {
    assert_eq!(charts(), charts());
}

#[test]
fn shapes_are_whole_steps_of_a_fine_grid_and_texts_are_outlines() {
    for (name, svg) in charts() {
        let (head, body) = svg.split_once("</defs>").unwrap();
        let (_, width) = head.split_once(" width=\"").unwrap();
        let (width, _) = width.split_once('"').unwrap();
        assert!(head.contains(&format!("viewBox=\"0 0 {width}0 ")), "{name}: ten steps a pixel");
        assert!(!body.contains("<text") && !body.contains("<path"), "{name}");
        let shapes = ["<polyline", "<polygon", "<rect", "<circle"];
        let drawn = body.lines().filter(|line| shapes.iter().any(|tag| line.starts_with(tag)));
        let values = drawn.flat_map(|line| line.split('"').skip(1).step_by(2));
        for value in values.filter(|value| !value.starts_with('#') && *value != "0.16") {
            assert!(!value.contains('.'), "{name}: {value}");
        }
        assert!(svg.len() < 400_000, "{name}: {} bytes", svg.len());
    }
}

#[test]
fn no_text_covers_another_or_leaves_the_sheet() {
    for (name, svg) in charts() {
        let number = |key: &str| -> f64 {
            svg.split_once(key).unwrap().1.split_once('"').unwrap().0.parse().unwrap()
        };
        let (right, bottom) = (number(" width=\"") - 12.0, number(" height=\"") - 8.0);
        let sheet = Rect { left: 12.0, top: 8.0, right, bottom };
        let texts = texts(&svg);
        assert!(texts.len() > 30, "{name}: only {} texts", texts.len());
        for (index, (text, area)) in texts.iter().enumerate() {
            assert!(sheet.holds(area), "{name}: {text:?} leaves the sheet: {area:?}");
            for (other, taken) in &texts[..index] {
                assert!(area.overlap(taken) == 0.0, "{name}: {text:?} covers {other:?}");
            }
        }
    }
}

#[test]
fn every_label_is_in_the_picture() {
    for (name, svg) in charts() {
        let all = texts(&svg);
        let common = POLICIES.iter().chain(&HANDLINGS);
        let needed: Vec<&str> = if name.starts_with("lines") {
            let own = ["provider brownout", "relay restarts", "goodput per second", "10k"];
            common.chain(&own).copied().collect()
        } else if name.starts_with("scatter") {
            common.chain(&["no amplification", "objective", "95%"]).copied().collect()
        } else {
            common.chain(&KINDS).copied().collect()
        };
        let whole: Vec<&str> = all.iter().map(|(text, _)| text.as_str()).collect();
        let joined = whole.join(" ");
        for label in needed {
            assert!(joined.contains(label), "{name}: {label:?} is missing from {joined}");
        }
        let times = |label: &str| whole.iter().filter(|text| **text == label).count();
        if name.starts_with("scatter") {
            assert_eq!(times("no retry"), 3, "{name}");
        }
    }
}

#[test]
fn lines_are_labelled_where_they_end_or_in_a_legend() {
    let place = |ends| {
        let svg = lines(1100.0, ends).svg();
        texts(&svg).into_iter().find(|(text, _)| text == "+ budget").unwrap().1
    };
    assert!(place(SPREAD).left > 900.0);
    let mut many = lines(1100.0, TOGETHER);
    for panel in many.rows.iter_mut().flat_map(|row| &mut row.panels) {
        for copy in 0..6 {
            let mut series = panel.series[copy].clone();
            series.label.push_str(", again");
            panel.series.push(series);
        }
    }
    let all = texts(&many.svg());
    let (_, first) = all.iter().find(|(text, _)| text == "no retry").unwrap();
    assert!(first.left < 100.0 && first.bottom < 130.0, "{first:?}");
    assert_eq!(all.iter().filter(|(text, _)| text == "no retry").count(), 1);
}

#[test]
fn lines_of_one_colour_are_told_apart_in_panels_and_legend() {
    let mut chart = lines(1100.0, TOGETHER);
    chart.rows.truncate(1);
    for panel in &mut chart.rows[0].panels {
        panel.series.truncate(3);
        let strokes = [Stroke::Solid, Stroke::Dashed, Stroke::Dotted];
        for (series, stroke) in panel.series.iter_mut().zip(strokes) {
            (series.colour, series.stroke) = (1, stroke);
        }
        panel.series[1].thin = true;
    }
    let svg = chart.svg();
    assert_eq!(svg.matches("stroke-dasharray=\"50 30\"").count(), 1 + 3, "dashes");
    assert_eq!(svg.matches("stroke-dasharray=\"15 25\"").count(), 1 + 3, "dots");
    assert_eq!(svg.matches("stroke-width=\"19\"").count(), 3 + 3, "all but the thin ones");
    let without = svg.replace("stroke-dasharray", "class");
    assert!(png(&svg, 1.0).unwrap() != png(&without, 1.0).unwrap(), "a picture shows the gaps");
}

#[test]
fn a_zero_shows_its_bound_as_a_number_and_as_a_whisker() {
    let mut chart = bars(1100.0);
    chart.groups.truncate(1);
    chart.groups[0].rows.truncate(1);
    let svg = chart.svg();
    assert_eq!(texts(&svg).iter().filter(|(text, _)| text == "0 (<0.3)").count(), 3);
    assert_eq!(svg.matches("<circle").count(), 6, "a disc and its hole for each zero");
    let (_, mark) = svg.split_once("<title>no retry: 0 (&lt;0.3) per 10,000 orders").unwrap();
    let (mark, _) = mark.split_once("<circle").unwrap();
    // Two passes, each of the whisker and its cap.
    assert_eq!(mark.matches("<polyline").count(), 4, "{mark}");
    assert!(texts(&svg).iter().any(|(text, _)| text == "not exercised"), "it is said why");
}

#[test]
fn bars_are_as_long_as_their_values_say() {
    let estimate = |value| Bar::with_interval(Estimate { value, low: value, high: value });
    let row = |value| BarRow { label: "a".into(), colour: 1, cells: vec![estimate(value)] };
    let groups = vec![BarGroup { heading: String::new(), rows: vec![row(40.0), row(10.0)] }];
    let chart = Bars { width: 820.0, panels: vec!["p".into()], groups, ..Bars::default() };
    let svg = chart.svg();
    let lengths: Vec<f64> = svg
        .lines()
        .filter(|line| line.starts_with("<rect") && line.contains("#D55E00"))
        .map(|line| line.split_once(" width=\"").unwrap().1.split_once('"').unwrap().0)
        .map(|length| length.parse().unwrap())
        .collect();
    assert_eq!(lengths.len(), 2);
    assert!((lengths[0] / lengths[1] - 4.0).abs() < 0.01, "{lengths:?}");
}

#[test]
fn what_is_not_a_number_leaves_a_gap() {
    let mut chart = lines(1100.0, SPREAD);
    chart.rows.truncate(1);
    chart.rows[0].panels.truncate(1);
    chart.columns.clear();
    let series = &mut chart.rows[0].panels[0].series;
    series.truncate(1);
    series[0].middle[40] = f64::NAN;
    series[0].high[40] = f64::INFINITY;
    let svg = chart.svg();
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
    assert_eq!(svg.matches("stroke-width=\"19\"").count(), 2, "two pieces of line");
    assert_eq!(svg.matches("opacity=\"0.16\"").count(), 2, "two pieces of band");
}

#[test]
fn charts_without_data_are_still_documents() {
    let empty = [
        Lines { width: 820.0, ..Lines::default() }.svg(),
        Lines { width: 820.0, rows: vec![Row::default()], ..Lines::default() }.svg(),
        Scatter { width: 820.0, ..Scatter::default() }.svg(),
        Bars { width: 820.0, ..Bars::default() }.svg(),
        Bars { width: 820.0, groups: vec![BarGroup::default()], ..Bars::default() }.svg(),
    ];
    for svg in empty {
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        png(&svg, 1.0).unwrap();
    }
}

#[test]
fn every_chart_becomes_a_png() {
    for (name, svg) in charts() {
        let bytes = png(&svg, 0.5).unwrap();
        assert!(bytes.len() > 5_000, "{name}: {} bytes", bytes.len());
    }
}
