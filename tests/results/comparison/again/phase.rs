//! The phase diagram, again: its colours, contours, band and lines, read back from the SVG.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Row;
use super::pictures::{AXIS, Axis, Drawn, Point, drawn, is_level, is_upright, tick};
use super::search::{Written, said};
use super::statistics::number;

const WHITE: &str = "#FFFFFF";
/// How many colours there are.
const SHADES: usize = 40;
/// Into how many shades a column is cut.
const SLICES: usize = 120;
/// Places are rounded to a tenth of a pixel, and two ticks are.
const TOLERANCE: f64 = 3.0;

pub(super) fn check(written: &Written) {
    let all = drawn(&written.figure);
    let found = written.summary["boundaries"].as_array().unwrap();
    let (x, y) = axes(&all);
    let columns: Vec<(usize, &String)> = all
        .iter()
        .enumerate()
        .filter_map(|(at, it)| match it {
            Drawn::Named(text) => Some((at, text)),
            _ => None,
        })
        .collect();
    assert_eq!(columns.len(), found.len(), "a column for each load");
    let colours = colours(&all);
    for ((at, text), found) in columns.into_iter().zip(found) {
        said(text, found);
        shades(written, found, &all[at + 1..], &colours, y);
    }
    contours(&all, found, x, y);
    band(&all, found, x, y);
    lines(&all, &found[0]["mean_field"], x);
}

/// The axes, the upright one of logarithms: short lines with their texts.
fn axes(all: &[Drawn]) -> (Axis, Axis) {
    let ticks = |is: fn(&[Point]) -> bool, of: fn(&Point) -> f64, scale: fn(f64) -> f64| {
        let tick = |pair: &[Drawn]| match pair {
            [Drawn::Line(colour, points), Drawn::Text(text, _)] if colour == AXIS && is(points) => {
                Some((scale(tick(text)?), of(&points[0])))
            }
            _ => None,
        };
        Axis::new(&all.windows(2).filter_map(tick).collect::<Vec<_>>())
    };
    (ticks(is_upright, |it| it.0, |x| x), ticks(is_level, |it| it.1, libm::log))
}

/// The key: which share each colour is, from the first to the last.
fn colours(all: &[Drawn]) -> BTreeMap<&str, usize> {
    let rectangles = all.iter().filter_map(|it| match it {
        Drawn::Rectangle(_, _, colour) => Some(colour.as_str()),
        _ => None,
    });
    // The first one is the ground.
    let colours: BTreeMap<&str, usize> = rectangles
        .skip(1)
        .take(SHADES)
        .enumerate()
        .map(|(shade, colour)| (colour, shade))
        .collect();
    assert_eq!(colours.len(), SHADES);
    colours
}

/// Each slice of a column has the colour of the curve at its middle: straight lines between what
/// was tried, level beyond.
fn shades(
    written: &Written,
    found: &Value,
    after: &[Drawn],
    colours: &BTreeMap<&str, usize>,
    y: Axis,
) {
    let share_of = |shade: usize| shade as f64 / (SHADES - 1) as f64;
    let shades: Vec<(f64, f64, f64)> = after
        .iter()
        .map_while(|it| match it {
            Drawn::Rectangle(from, to, colour) => {
                Some((from.1, to.1, share_of(colours[colour.as_str()])))
            }
            _ => None,
        })
        .collect();
    let tried = written.tried(found);
    let at =
        |row: &&Row| Some((y.place(libm::log(number(&row["number"])?)), number(&row["fitted"])?));
    let curve: Vec<(f64, f64)> = tried.iter().filter_map(at).collect();
    let (top, bottom, _) = shades[0];
    let slice = (bottom - top) / SLICES as f64;
    for index in 0..SLICES {
        let place = bottom - (index as f64 + 0.5) * slice;
        // Each shade reaches from where it begins to the top: the last one over a place is seen.
        let seen = shades.iter().rfind(|shade| place <= shade.1).unwrap_or(&shades[0]).2;
        let (least, most) = (on(&curve, place + TOLERANCE), on(&curve, place - TOLERANCE));
        let half = share_of(1) / 2.0 + 1e-9;
        assert!(
            (least - half..=most + half).contains(&seen),
            "{}, slice {index}: the colour of {seen}, not of {least} to {most}",
            found["point"]
        );
    }
}

/// The share at a place, on a curve whose places go up the picture.
fn on(curve: &[(f64, f64)], place: f64) -> f64 {
    match curve.iter().position(|(at, _)| *at <= place) {
        Some(0) => curve[0].1,
        None => curve[curve.len() - 1].1,
        Some(after) => {
            let ((from, low), (to, high)) = (curve[after - 1], curve[after]);
            low + (high - low) * (place - from) / (to - from)
        }
    }
}

/// The levels of one name that are drawn, with the load of each.
fn crossings<'a>(found: &'a [Value], name: &str) -> Vec<(f64, &'a Value)> {
    let level = |found: &'a Value| {
        let load = found["point_label"].as_str().unwrap().parse().unwrap();
        let levels = found["levels"].as_array().unwrap();
        Some((load, levels.iter().find(|level| level["name"] == name)?))
    };
    let is_drawn = |level: &Value| level["reached"] == "between" && !level["at"].is_null();
    found.iter().filter_map(level).filter(|(_, level)| is_drawn(level)).collect()
}

/// A dot for each crossing, contour after contour; hollow if an end of its interval is unknown.
fn contours(all: &[Drawn], found: &[Value], x: Axis, y: Axis) {
    let dots: Vec<Point> = all
        .iter()
        .filter_map(|it| match it {
            Drawn::Circle(at) => Some(*at),
            _ => None,
        })
        .collect();
    let expected: Vec<_> =
        ["D05", "D50", "D95"].into_iter().flat_map(|name| crossings(found, name)).collect();
    let dots: Vec<&[Point]> = dots.chunk_by(|one, next| one == next).collect();
    assert_eq!(dots.len(), expected.len());
    for (discs, (load, level)) in dots.into_iter().zip(&expected) {
        // Each is drawn on white, and a hole in it.
        assert_eq!(discs.len(), if is_open(level) { 3 } else { 2 }, "{level}");
        x.check(discs[0].0, *load, "load");
        y.check(discs[0].1, libm::log(level["at"].as_f64().unwrap()), "boundary");
    }
    let open = expected.iter().filter(|(_, level)| is_open(level)).count();
    assert!((1..expected.len()).contains(&open), "some ends are unknown, and some are not");
    let says = |it: &Drawn| matches!(it, Drawn::Text(text, _) if text.contains("Hollow"));
    assert!(all.iter().any(says));
}

fn is_open(level: &Value) -> bool {
    level["low"].is_null() || level["high"].is_null()
}

/// The white band ends where D50 is clearly not there yet, and clearly past.
fn band(all: &[Drawn], found: &[Value], x: Axis, y: Axis) {
    let bands: Vec<(&Vec<Point>, [&Vec<Point>; 2])> = all
        .windows(3)
        .filter_map(|it| match it {
            [Drawn::Polygon(points), Drawn::Line(_, upper), Drawn::Line(_, lower)] => {
                Some((points, [upper, lower]))
            }
            _ => None,
        })
        .collect();
    assert_eq!(bands.len(), 1);
    let ((band, edges), halves) = (bands[0], crossings(found, "D50"));
    assert_eq!(edges.map(Vec::as_slice).concat(), *band, "its edges are drawn");
    assert_eq!(band.len(), 2 * halves.len());
    for (index, (load, level)) in halves.iter().enumerate() {
        let ends = [("high", band[index]), ("low", band[2 * halves.len() - 1 - index])];
        for (end, point) in ends {
            x.check(point.0, *load, "load");
            if let Some(at) = level[end].as_f64() {
                y.check(point.1, libm::log(at), end);
            }
        }
    }
}

/// The loads of the mean field are upright lines, if they are between the first and the last load.
fn lines(all: &[Drawn], mean_field: &Value, x: Axis) {
    let drawn: Vec<f64> = all
        .iter()
        .filter_map(|it| match it {
            Drawn::Line(colour, points) if colour == WHITE && is_upright(points) => {
                Some(points[0].0)
            }
            _ => None,
        })
        .collect();
    let keys = ["saturation", "lower_fold", "upper_fold"];
    let mut loads: Vec<f64> = keys.iter().filter_map(|key| mean_field[key].as_f64()).collect();
    assert_eq!(loads.len(), keys.len(), "four attempts have two folds");
    // Half a gap before 3/s and after 9.5/s.
    loads.retain(|load| (1.5..=11.25).contains(load));
    assert_eq!(drawn.len(), loads.len());
    for (at, load) in drawn.into_iter().zip(loads) {
        x.check(at, load, "a load of the mean field");
    }
}
