//! A ramp, again: its steps from `series.csv`, its edges, table and picture from `ramp.csv`.

use stormglass::report::{files, ramp};

use super::pictures::{Axis, Drawn, Point, drawn, x_axes, y_axis};
use super::statistics::number;
use super::tables::cells_of;
use super::{Row, SERVER, rows};
use crate::common::{self, run_all};

const DWELL_S: f64 = 40.0;
const STEPS: usize = 4;

const EXPERIMENT: &str = r#"
name = "ramp"
model = "inline"
seeds = "1..6"
arrivals = "280s"
[ramp]
clients = "users"
from = "1/s"
to = "13/s"
steps = 4
dwell = "40s"
"#;

/// What a ramp writes.
struct Written {
    series: Vec<Row>,
    steps: Vec<Row>,
    edges: Vec<Row>,
    table: String,
    figure: String,
}

#[test]
fn every_number_of_a_ramp_can_be_computed_again() {
    let campaign = common::campaign(EXPERIMENT, SERVER);
    let declared = campaign.experiment.ramp.as_ref().unwrap();
    let results = run_all(&campaign);
    let written = Written {
        series: rows(&files::series_csv(&campaign, &results)),
        steps: rows(&ramp::csv(&campaign, declared, &results)),
        edges: rows(&ramp::edges_csv(&campaign, declared, &results)),
        table: ramp::table(&campaign, declared, &results).markdown(),
        figure: ramp::figure(&campaign, declared, &results).svg(),
    };
    assert_eq!(written.steps.len(), 5 * (2 * STEPS - 1));
    written.steps.iter().for_each(|step| in_the_series(&written, step));
    written.edges.iter().for_each(|edge| from_the_steps(&written, edge));
    in_the_table(&written);
    in_the_picture(&written);
}

fn of(row: &Row, column: &str) -> f64 {
    number(&row[column]).unwrap_or_else(|| panic!("{row:?} has no {column}"))
}

/// Requests are those of the second half of a step, answers those of all of it.
fn in_the_series(written: &Written, step: &Row) {
    let begins = (of(step, "step") - 1.0) * DWELL_S;
    let sum = |column: &str, from: f64| {
        let is_inside = |row: &&Row| {
            let at = of(row, "from_s");
            row["seed"] == step["seed"] && at >= from && at < begins + DWELL_S
        };
        written.series.iter().filter(is_inside).map(|row| of(row, column)).sum::<f64>()
    };
    assert_eq!(of(step, "asked"), sum("asked", begins + DWELL_S / 2.0), "{step:?}");
    assert_eq!(of(step, "succeeded"), sum("succeeded", begins + DWELL_S / 2.0), "{step:?}");
    assert_eq!(of(step, "goodput_per_s"), sum("answered", begins) / DWELL_S, "{step:?}");
    let place = of(step, "step") as usize;
    assert_eq!(step["branch"], if place <= STEPS { "up" } else { "down" });
    let from_the_end = place.min(2 * STEPS - place);
    assert_eq!(of(step, "rate_per_s"), 1.0 + 4.0 * (from_the_end - 1) as f64);
}

fn from_the_steps(written: &Written, edge: &Row) {
    let own: Vec<&Row> = written.steps.iter().filter(|step| step["seed"] == edge["seed"]).collect();
    let is_down = |step: &&&Row| of(step, "succeeded") < 0.5 * of(step, "asked");
    let rate = |step: &&Row| of(step, "rate_per_s");
    let (up, down) = own.split_at(STEPS);
    let collapse = up.iter().find(is_down).map(rate);
    let is_back = |step: &&&Row| !is_down(step);
    let recovery = down.iter().find(is_back).map(rate).filter(|_| is_down(&&up[STEPS - 1]));
    assert_eq!(number(&edge["collapse_per_s"]), collapse, "{edge:?}");
    assert_eq!(number(&edge["recovery_per_s"]), recovery, "{edge:?}");
}

/// The median, the least and the most.
fn spread(sample: &[f64]) -> [f64; 3] {
    let mut sample = sample.to_vec();
    sample.sort_unstable_by(f64::total_cmp);
    [sample[sample.len() / 2], sample[0], sample[sample.len() - 1]]
}

fn in_the_table(written: &Written) {
    let row = cells_of(written.table.lines().nth(2).unwrap());
    for (index, column) in [(1, "collapse_per_s"), (3, "recovery_per_s")] {
        let rates = rates(written, column);
        assert!(rates.len() > 1, "{:?}", written.edges);
        let [median, least, most] = spread(&rates);
        let ends = if least < most { format!(" ({least}–{most})") } else { String::new() };
        assert_eq!(row[index], format!("{median}{ends}"));
        assert_eq!(row[index + 1], format!("{} of {}", rates.len(), written.edges.len()));
    }
}

fn rates(written: &Written, column: &str) -> Vec<f64> {
    written.edges.iter().filter_map(|edge| number(&edge[column])).collect()
}

/// Two rows of panels, each with the medians going up and going down in a band of all runs.
fn in_the_picture(written: &Written) {
    let all = drawn(&written.figure);
    let [up, down] = ["collapse_per_s", "recovery_per_s"].map(|column| rates(written, column));
    let count = |rates: &[f64]| format!(" in {} of {} runs", rates.len(), written.edges.len());
    let title = format!(
        "Going up it collapses at {}/s{}, going down it comes back at {}/s{}",
        spread(&up)[0],
        count(&up),
        spread(&down)[0],
        count(&down)
    );
    let title = title.replace(" in 5 of 5 runs", "");
    assert!(written.figure.contains(&format!(">{title}</title>")), "{title}");
    let row_of = |label: &str| {
        all.iter().position(|it| matches!(it, Drawn::Text(text, _) if text == label)).expect(label)
    };
    let success = "share of requests that succeed";
    let (first, second) = (row_of("goodput per second"), row_of(success));
    let x = x_axes(&all, 1)[0];
    panel(written, &all[first..second], x, |step| of(step, "goodput_per_s"));
    panel(written, &all[second..], x, |step| of(step, "succeeded") / of(step, "asked").max(1.0));
}

fn panel(written: &Written, row: &[Drawn], x: Axis, value: fn(&Row) -> f64) {
    let y = y_axis(row);
    let lines: Vec<(&str, &Vec<Point>)> = row
        .windows(2)
        .filter_map(|pair| match pair {
            [Drawn::Named(name), Drawn::Line(_, points)] => Some((name.as_str(), points)),
            _ => None,
        })
        .collect();
    let bands = row.iter().filter_map(|it| match it {
        Drawn::Polygon(points) => Some(points),
        _ => None,
    });
    // The highest rate belongs to both ways.
    let ways = [("going up", 1..=STEPS), ("going down", STEPS..=2 * STEPS - 1)];
    assert_eq!(lines.iter().map(|line| line.0).collect::<Vec<_>>(), ways.clone().map(|way| way.0));
    let bands: Vec<&Vec<Point>> = bands.collect();
    assert_eq!(bands.len(), ways.len());
    for (((_, line), band), (name, steps)) in lines.into_iter().zip(bands).zip(ways) {
        // Going down, lines begin at the lowest rate as well.
        let mut steps: Vec<usize> = steps.collect();
        if name == "going down" {
            steps.reverse();
        }
        assert_eq!((line.len(), band.len()), (STEPS, 2 * STEPS));
        for (place, step) in steps.into_iter().enumerate() {
            let here = written.steps.iter().filter(|row| of(row, "step") == step as f64);
            let here: Vec<&Row> = here.collect();
            let [median, least, most] =
                spread(&here.iter().map(|row| value(row)).collect::<Vec<_>>());
            x.check(line[place].0, of(here[0], "rate_per_s"), name);
            y.check(line[place].1, median, name);
            let ends = [band[place].1, band[2 * STEPS - 1 - place].1];
            y.check(ends[0].max(ends[1]), least, name);
            y.check(ends[0].min(ends[1]), most, name);
        }
    }
}
