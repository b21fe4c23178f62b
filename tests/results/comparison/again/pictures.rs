//! The pictures, again: every line, band, bar and point is read back from the SVG with the axes
//! that it shows.

use serde_json::Value;

use super::statistics::{bounded, is_share, mean, mean_interval, number};
use super::{Row, Written};

/// A grid step is a tenth of a pixel; two ticks and the point itself are rounded to one.
const TOLERANCE: f64 = 2.0;
/// A band needs so many runs.
const BAND_RUNS: usize = 5;
/// How many points stand side by side.
const COLUMNS: usize = 4;

pub(super) type Point = (f64, f64);

/// What is drawn, in drawing order.
#[derive(Debug)]
pub(super) enum Drawn {
    /// A line with its colour.
    Line(String, Vec<Point>),
    Polygon(Vec<Point>),
    Circle(Point),
    /// The corners, and the colour.
    Rectangle(Point, Point, String),
    Text(String, Point),
    /// A group begins, which a browser names.
    Named(String),
    /// A group of dashed lines begins.
    Dashed,
}

pub(super) const AXIS: &str = "#9A9DA5";
const GRID: &str = "#E4E5E8";
/// The colours of axes, grid and reference lines.
const PLOT: [&str; 3] = [AXIS, GRID, "#5C5F66"];

fn attribute<'a>(line: &'a str, name: &str) -> &'a str {
    let (_, rest) = line.split_once(&format!(" {name}=\"")).unwrap_or_else(|| panic!("{line}"));
    rest.split('"').next().unwrap()
}

fn figure(line: &str, name: &str) -> f64 {
    attribute(line, name).parse().unwrap()
}

pub(super) fn drawn(svg: &str) -> Vec<Drawn> {
    let (_, body) = svg.split_once("</defs>").unwrap();
    let points = |line: &str| {
        let pairs = attribute(line, "points").split_whitespace();
        let pair = |pair: &str| {
            let (x, y) = pair.split_once(',').unwrap();
            (x.parse().unwrap(), y.parse().unwrap())
        };
        pairs.map(pair).collect::<Vec<Point>>()
    };
    let read = |line: &str| {
        if line.starts_with("<polyline") {
            return Some(Drawn::Line(attribute(line, "stroke").to_owned(), points(line)));
        }
        if line.starts_with("<polygon") {
            return Some(Drawn::Polygon(points(line)));
        }
        if line.starts_with("<circle") {
            return Some(Drawn::Circle((figure(line, "cx"), figure(line, "cy"))));
        }
        if line.starts_with("<rect") {
            let (x, y) = (figure(line, "x"), figure(line, "y"));
            let end = (x + figure(line, "width"), y + figure(line, "height"));
            return Some(Drawn::Rectangle((x, y), end, attribute(line, "fill").to_owned()));
        }
        if let Some(rest) = line.strip_prefix("<g role=\"img\"><title>") {
            return Some(Drawn::Named(rest.strip_suffix("</title>").unwrap().to_owned()));
        }
        if line.starts_with("<g stroke-dasharray") {
            return Some(Drawn::Dashed);
        }
        line.starts_with("<g role=\"img\" aria-label").then(|| {
            let place = attribute(line, "transform");
            let inside = place.strip_prefix("translate(").unwrap().split(')').next().unwrap();
            let (x, y) = inside.split_once(' ').unwrap();
            let text = attribute(line, "aria-label").to_owned();
            Drawn::Text(text, (x.parse().unwrap(), y.parse().unwrap()))
        })
    };
    body.lines().filter_map(read).collect()
}

/// An axis: where its smallest and its largest tick are, and what they say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    from: (f64, f64),
    to: (f64, f64),
}

impl Axis {
    /// From ticks: what is written, and where it stands.
    pub(super) fn new(ticks: &[(f64, f64)]) -> Axis {
        assert!(ticks.len() > 1, "an axis has two ticks or more: {ticks:?}");
        Axis { from: ticks[0], to: ticks[ticks.len() - 1] }
    }

    pub(super) fn place(&self, value: f64) -> f64 {
        let ((low, start), (high, end)) = (self.from, self.to);
        start + (value - low) / (high - low) * (end - start)
    }

    /// How far off one rounded tick puts a point that lies far outside of both.
    fn tolerance(&self, place: f64) -> f64 {
        let span = (self.to.1 - self.from.1).abs();
        TOLERANCE * (1.0 + (place - self.from.1).abs() / span)
    }

    #[track_caller]
    pub(super) fn check(&self, found: f64, value: f64, what: &str) {
        let expected = self.place(value);
        let away = (found - expected).abs();
        assert!(away <= self.tolerance(expected), "{what} {value}: at {found}, not {expected}");
    }
}

/// The number of a tick: `20%`, `1.5×`, `12.3k`.
pub(super) fn tick(text: &str) -> Option<f64> {
    let units = [("%", 0.01), ("×", 1.0), ("k", 1e3), ("M", 1e6), (" ms", 1e-3), (" s", 1.0)];
    let found = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)));
    let (digits, factor) = found.unwrap_or((text, 1.0));
    Some(digits.replace(',', "").replace('−', "-").parse::<f64>().ok()? * factor)
}

pub(super) fn is_level(points: &[Point]) -> bool {
    points.len() == 2 && points[0].1 == points[1].1
}

pub(super) fn is_upright(points: &[Point]) -> bool {
    points.len() == 2 && points[0].0 == points[1].0
}

pub(super) fn check(written: &Written) {
    over_time(written);
    amplification(written);
    if written.figures.contains_key("pareto") {
        pareto(written);
    }
    if written.figures.contains_key("violations") {
        violations(written);
    }
}

/// What one line of the figure over time is made of: its runs and its column of `series.csv`.
struct Series<'a> {
    name: String,
    runs: Vec<&'a Row>,
    column: String,
    dashed: bool,
}

/// The lines of one panel, in drawing order: an arm that is split in one has its modes in all.
fn lines_of<'a>(written: &'a Written, point: &str, column: &str) -> Vec<Series<'a>> {
    let cells = written.cells().iter().filter(|cell| cell["point"] == point);
    let lines = cells.flat_map(|cell| {
        let arm = cell["arm_label"].as_str().unwrap();
        let mut cells = written.cells().iter().filter(|other| other["arm"] == cell["arm"]);
        let parts = match cells.any(|cell| written.modes(cell).is_some()) {
            false => vec![(arm.to_owned(), written.of(cell), false)],
            true => {
                let [yes, no] = written.apart(cell);
                let modes = [("collapsed", yes, true), ("not collapsed", no, false)];
                let modes = modes.into_iter().filter(|(_, runs, _)| !runs.is_empty());
                modes.map(|(mode, runs, dashed)| (format!("{arm}, {mode}"), runs, dashed)).collect()
            }
        };
        let series = |(name, runs, dashed)| Series { name, runs, column: column.into(), dashed };
        parts.into_iter().map(series).collect::<Vec<_>>()
    });
    lines.collect()
}

/// For each whole second after the warm-up in which users arrived: its middle, the mean and the
/// ends of its interval.
fn windows(written: &Written, series: &Series<'_>) -> Vec<(f64, (f64, f64, f64))> {
    let key = |row: &Row| (row["arm"].clone(), row["point"].clone(), row["seed"].clone());
    let runs: Vec<_> = series.runs.iter().map(|run| key(run)).collect();
    let mut samples: Vec<Vec<f64>> = Vec::new();
    for row in written.series.iter().filter(|row| runs.contains(&key(row))) {
        let index = row["from_s"].parse::<f64>().unwrap() as usize;
        if index >= samples.len() {
            samples.resize_with(index + 1, Vec::new);
        }
        samples[index].push(row[&series.column].parse().unwrap());
    }
    samples.truncate(written.arrivals_s as usize);
    // A run without a row for a window had nothing in it.
    samples.iter_mut().for_each(|sample| sample.resize(runs.len(), 0.0));
    let measured = samples.iter().enumerate().skip(written.warm_up_s.ceil() as usize);
    measured.map(|(second, sample)| (second as f64 + 0.5, mean_interval(sample))).collect()
}

fn over_time(written: &Written) {
    let all = drawn(&written.figures["over-time"]);
    let mut points: Vec<&str> = Vec::new();
    for cell in written.cells() {
        let point = cell["point"].as_str().unwrap();
        if !points.contains(&point) {
            points.push(point);
        }
    }
    points.truncate(COLUMNS);
    let x_axes = x_axes(&all, points.len());
    let rows: Vec<(usize, String)> = (0..all.len())
        .filter_map(|at| match &all[at] {
            Drawn::Text(text, _) => Some((at, super::column_of(text.split_once(" per second")?.0))),
            _ => None,
        })
        .collect();
    assert!([2, 3].contains(&rows.len()));
    for (row, column) in &rows {
        let rest = &all[*row..];
        let end = rest[1..]
            .iter()
            .position(|it| matches!(it, Drawn::Text(text, _) if text.contains("per second")));
        let rest = &rest[..end.map_or(rest.len(), |end| end + 1)];
        let y = y_axis(rest);
        let expected: Vec<(usize, Series<'_>)> = points
            .iter()
            .enumerate()
            .flat_map(|(at, point)| {
                lines_of(written, point, column).into_iter().map(move |series| (at, series))
            })
            .collect();
        lines(written, rest, &expected, &x_axes, y);
        bands(written, rest, &expected, &x_axes, y);
    }
}

/// One axis for each column of panels, from the short lines below the lowest panels.
pub(super) fn x_axes(all: &[Drawn], columns: usize) -> Vec<Axis> {
    let ticks: Vec<(f64, f64)> = all
        .windows(2)
        .filter_map(|pair| match pair {
            [Drawn::Line(colour, points), Drawn::Text(text, _)]
                if colour == AXIS && is_upright(points) =>
            {
                Some((tick(text)?, points[0].0))
            }
            _ => None,
        })
        .collect();
    assert_eq!(ticks.len() % columns, 0);
    ticks.chunks(ticks.len() / columns).map(Axis::new).collect()
}

/// The axis that the panels of a row share: level lines of the first panel, and the texts that
/// stand on them, from zero up.
pub(super) fn y_axis(row: &[Drawn]) -> Axis {
    let first = row.iter().skip_while(|it| !matches!(it, Drawn::Line(..)));
    let levels: Vec<f64> = first
        .map_while(|it| match it {
            Drawn::Line(_, points) if is_level(points) => Some(points[0].1),
            _ => None,
        })
        .collect();
    let on_level = |it: &Drawn| match it {
        // Texts stand four pixels below their line.
        Drawn::Text(text, (_, y)) => {
            let level = levels.iter().find(|level| (**level + 40.0 - y).abs() < 2.0)?;
            Some((tick(text)?, *level))
        }
        _ => None,
    };
    let mut ticks: Vec<(f64, f64)> = row.iter().filter_map(on_level).collect();
    ticks.sort_by(|a, b| a.0.total_cmp(&b.0));
    ticks.dedup();
    Axis::new(&ticks)
}

fn lines(written: &Written, row: &[Drawn], expected: &[(usize, Series<'_>)], x: &[Axis], y: Axis) {
    let found: Vec<(&String, bool, &Vec<Point>)> = (0..row.len())
        .filter_map(|at| match &row[at..] {
            [Drawn::Named(name), Drawn::Line(_, points), ..] => Some((name, false, points)),
            [Drawn::Named(name), Drawn::Dashed, Drawn::Line(_, points), ..] => {
                Some((name, true, points))
            }
            _ => None,
        })
        .collect();
    assert_eq!(found.len(), expected.len(), "a line for each arm, mode and point");
    for ((name, dashed, points), (panel, series)) in found.into_iter().zip(expected) {
        assert_eq!((name, dashed), (&series.name, series.dashed));
        let windows = windows(written, series);
        assert_eq!(points.len(), windows.len(), "{name}");
        for (point, (middle, (mean, _, _))) in points.iter().zip(&windows) {
            x[*panel].check(point.0, *middle, name);
            y.check(point.1, *mean, name);
        }
    }
}

fn bands(written: &Written, row: &[Drawn], expected: &[(usize, Series<'_>)], x: &[Axis], y: Axis) {
    let found: Vec<&Vec<Point>> = row
        .iter()
        .filter_map(|it| match it {
            Drawn::Polygon(points) => Some(points),
            _ => None,
        })
        .collect();
    let expected: Vec<_> =
        expected.iter().filter(|(_, series)| series.runs.len() >= BAND_RUNS).collect();
    assert_eq!(found.len(), expected.len(), "a band for each line of {BAND_RUNS} runs or more");
    let top = y.place(y.to.0);
    for (points, (panel, series)) in found.into_iter().zip(expected) {
        let windows = windows(written, series);
        assert_eq!(points.len(), 2 * windows.len(), "{}", series.name);
        for (place, (middle, (_, low, high))) in windows.iter().enumerate() {
            let ends = [points[place], points[2 * windows.len() - 1 - place]];
            x[*panel].check(ends[0].0, *middle, &series.name);
            let (upper, lower) = (ends[0].1.min(ends[1].1), ends[0].1.max(ends[1].1));
            y.check(lower, low.max(0.0), &series.name);
            if upper > top + TOLERANCE {
                y.check(upper, *high, &series.name);
            }
        }
    }
}

/// The axes of a plot of points: each line of the grid is followed by its text.
fn plot_axes(all: &[Drawn]) -> (Axis, Axis) {
    let ticks = |is: fn(&[Point]) -> bool, of: fn(&Point) -> f64| {
        let tick = |pair: &[Drawn]| match pair {
            [Drawn::Line(colour, points), Drawn::Text(text, _)] if colour == GRID && is(points) => {
                Some((tick(text)?, of(&points[0])))
            }
            _ => None,
        };
        Axis::new(&all.windows(2).filter_map(tick).collect::<Vec<_>>())
    };
    (ticks(is_upright, |point| point.0), ticks(is_level, |point| point.1))
}

/// The names of the points and their marks, the last shape of each.
fn marks(all: &[Drawn]) -> Vec<(String, Point)> {
    let mut out: Vec<(String, Point)> = Vec::new();
    let mut open = false;
    for it in all {
        match it {
            Drawn::Named(name) => {
                open = true;
                out.push((name.clone(), (0.0, 0.0)));
            }
            Drawn::Text(..) => open = false,
            Drawn::Circle(at) if open => out.last_mut().unwrap().1 = *at,
            Drawn::Polygon(corners) if open => {
                let middle = |of: fn(&Point) -> f64| {
                    let all = || corners.iter().map(of);
                    (all().fold(f64::MAX, f64::min) + all().fold(f64::MIN, f64::max)) / 2.0
                };
                out.last_mut().unwrap().1 = (middle(|it| it.0), middle(|it| it.1));
            }
            Drawn::Rectangle(from, to, _) if open => {
                out.last_mut().unwrap().1 =
                    (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
            }
            _ => {}
        }
    }
    out
}

fn amplification(written: &Written) {
    let all = drawn(&written.figures["amplification"]);
    let (x, y) = plot_axes(&all);
    // Whiskers come in pairs, a level one and an upright one, between the grid and the points.
    let first = all.iter().position(|it| matches!(it, Drawn::Named(_))).unwrap();
    let is_plot = |it: &Drawn| matches!(it, Drawn::Line(colour, _) if PLOT.contains(&&**colour));
    let grid = all[..first].iter().rposition(is_plot).expect("there is a grid");
    let whiskers: Vec<&Vec<Point>> = all[grid + 1..first]
        .iter()
        .filter_map(|it| match it {
            Drawn::Line(_, points) => Some(points),
            _ => None,
        })
        .collect();
    let mut expected = Vec::new();
    for cell in written.cells() {
        match written.modes(cell) {
            None => expected.push(written.of(cell)),
            Some(modes) => expected.extend(modes),
        }
    }
    assert_eq!(whiskers.len(), 2 * expected.len());
    assert_eq!(marks(&all).len(), expected.len());
    for (pair, runs) in whiskers.chunks(2).zip(expected) {
        let interval = |column: &str| {
            let sample: Vec<f64> = runs.iter().filter_map(|run| number(&run[column])).collect();
            let middle = mean(&sample);
            let (low, high) = bounded(&sample, is_share(column), 0.0).unwrap_or((middle, middle));
            (middle, low, high)
        };
        let (ax, ay) = (interval("amplification"), interval("success_ratio"));
        let (level, upright) = (pair[0], pair[1]);
        x.check(level[0].0, ax.1, "amplification, low");
        x.check(level[1].0, ax.2, "amplification, high");
        y.check(level[0].1, ay.0, "success");
        x.check(upright[0].0, ax.0, "amplification");
        y.check(upright[0].1.max(upright[1].1), ay.1.max(0.0), "success, low");
        y.check(upright[0].1.min(upright[1].1), ay.2.min(1.0), "success, high");
    }
}

fn pareto(written: &Written) {
    let all = drawn(&written.figures["pareto"]);
    let (x, y) = plot_axes(&all);
    let mut expected = Vec::new();
    for cell in written.cells() {
        let all_of = |runs: &[&Row]| {
            let of = |column: &str| {
                mean(&runs.iter().map(|run| number(&run[column]).unwrap()).collect::<Vec<_>>())
            };
            (of("amplification"), of("success_ratio"))
        };
        match written.modes(cell) {
            None => expected.push(all_of(&written.of(cell))),
            Some(modes) => expected.extend(modes.iter().map(|runs| all_of(runs))),
        }
    }
    let found = marks(&all);
    assert_eq!(found.len(), expected.len());
    for ((name, at), (amplification, success)) in found.into_iter().zip(expected) {
        x.check(at.0, amplification, &name);
        y.check(at.1, success, &name);
    }
}

/// The bars: from zero to the rate, and its whisker to the ends of the interval.
fn violations(written: &Written) {
    let all = drawn(&written.figures["violations"]);
    let names: Vec<&Value> =
        written.cells()[0]["invariants"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    let axes = bar_axes(&all, names.len());
    let mut bars = all.split(|it| matches!(it, Drawn::Named(_))).skip(1);
    for cell in written.cells() {
        for (axis, invariant) in axes.iter().zip(cell["invariants"].as_array().unwrap()) {
            let rate = &invariant["per_10000"];
            if rate.is_null() {
                continue;
            }
            let value = rate["mean"].as_f64().unwrap();
            let [low, high] = ["low", "high"].map(|key| rate[key].as_f64().unwrap_or(value));
            let shapes = bars.next().expect("a bar for each arm and promise");
            let rectangle = shapes.iter().find_map(|it| match it {
                Drawn::Rectangle(from, to, _) => Some((from.0, to.0)),
                _ => None,
            });
            let whisker = shapes.iter().find_map(|it| match it {
                Drawn::Line(_, points) if is_level(points) => Some((points[0].0, points[1].0)),
                _ => None,
            });
            match rectangle {
                Some((from, to)) => {
                    axis.check(from, 0.0, "a bar");
                    // What is not zero is at least one pixel long.
                    axis.check(
                        to,
                        value.max((axis.to.0 / (axis.to.1 - axis.from.1)) * 10.0),
                        "bar",
                    );
                }
                None => assert_eq!(value, 0.0),
            }
            if high > low {
                let (from, to) = whisker.expect("an interval has a whisker");
                axis.check(from, if value > 0.0 { low } else { 0.0 }, "low");
                axis.check(to, high, "high");
            }
        }
    }
}

/// The axis of each panel of bars: upright lines of the grid, and the texts above them.
fn bar_axes(all: &[Drawn], panels: usize) -> Vec<Axis> {
    let first = all.iter().position(|it| matches!(it, Drawn::Named(_))).unwrap();
    let mut lines: Vec<f64> = all[..first]
        .iter()
        .filter_map(|it| match it {
            Drawn::Line(_, points) if is_upright(points) => Some(points[0].0),
            _ => None,
        })
        .collect();
    lines.dedup();
    let mut texts = all.iter().filter_map(|it| match it {
        Drawn::Text(text, _) => tick(text),
        _ => None,
    });
    let ticks: Vec<(f64, f64)> =
        lines.iter().map(|at| (texts.next().expect("each line has its text"), *at)).collect();
    let starts: Vec<usize> =
        (0..ticks.len()).filter(|index| ticks[*index].0 == 0.0).take(panels).collect();
    let ends = starts.iter().skip(1).copied().chain([ticks.len()]);
    starts.iter().zip(ends).map(|(from, to)| Axis::new(&ticks[*from..to])).collect()
}
