//! The tables of the terminal and of `tables.md`, again: what is written is what the runs come to,
//! rounded at the last digit that is written.

use serde_json::Value;

use super::statistics::{bounded, exact, is_share, mean, number, wilson};
use super::{Row, Written, value};

/// Headers and the metrics below them.
const HEADERS: [(&str, &str); 15] = [
    ("attempts per request", "amplification"),
    ("attempts per call", "edge_amplification"),
    ("success", "success_ratio"),
    ("goodput /s", "goodput_per_s"),
    ("goodput in fault /s", "goodput_during_per_s"),
    ("goodput after /s", "goodput_after_per_s"),
    ("unfinished", "unfinished_ratio"),
    ("time to recovery", "recovery_s"),
    ("wasted work", "wasted_work"),
    ("oldest message", "oldest_message_s"),
    ("read-your-writes violations", "read_your_writes_violation_ratio"),
    ("stale reads", "stale_row_ratio"),
    ("commits lost", "commits_lost"),
    ("dead letters", "dead_letters"),
    ("messages unprocessed", "unprocessed"),
];
const LABELS: [&str; 4] = ["metastable", "slow recovery", "overload", "recovers"];

pub(super) fn check(written: &Written) {
    let mut numbers = 0;
    for table in written.tables.split("\n\n").filter(|part| part.starts_with('|')) {
        let mut lines = table.lines().map(cells_of);
        let header = lines.next().expect("a table has a header");
        let rows: Vec<Vec<&str>> = lines.skip(1).collect();
        numbers += match header[1..] {
            ["mean", ..] => pairs(written, &rows),
            [.., "front"] => front(written, &rows),
            _ => arms(written, &header, &rows),
        };
    }
    assert!(numbers > 30, "only {numbers}");
}

pub(super) fn cells_of(line: &str) -> Vec<&str> {
    let line = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")).expect(line);
    line.split(" | ").map(str::trim).collect()
}

/// What a text says: `0 (<0.3)`, `98.7 ±0.5%`, `7 (5–10)%`, `176.3 ±1.6 ms`; `56 [52..60]` of the
/// least and the greatest value.
pub(super) fn says(text: &str, mean: f64, (low, high): (f64, f64)) {
    const UNITS: [(&str, f64); 8] = [
        (" pp", 1e-2),
        ("%", 1e-2),
        ("×", 1.0),
        (" ms", 1e-3),
        (" µs", 1e-6),
        (" ns", 1e-9),
        (" s", 1.0),
        ("k", 1e3),
    ];
    let unit = UNITS.into_iter().find(|(unit, _)| text.contains(unit));
    let (unit, factor) = unit.unwrap_or(("", 1.0));
    // The unit may stand before the bracket and in it, or after it: `0% (<12%)`, `7 (5–10)%`.
    let text = text.replace("\\[", "[");
    let bare = if unit.is_empty() { text.clone() } else { text.replace(unit, "") };
    let rest = bare.replace(['(', ')', '[', ']'], " ").replace("..", "–").replace(',', "");
    let mut parts = rest.split_whitespace();
    let close = |part: &str, expected: f64, places: f64| {
        let digits = part.trim_start_matches(['>', '<', '±']).replace('−', "-");
        let found: f64 = digits.parse().unwrap_or_else(|_| panic!("`{text}` has `{part}`"));
        let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let step = factor / libm::pow(10.0, decimals as f64);
        let away = (found * factor - expected).abs();
        // Three digits at least, so a number above 100 may be rounded before the point.
        let most = (places * step).max(places * expected.abs() * 1e-3) * 1.001 + 1e-12;
        assert!(away <= most, "`{text}`: {part} is {found}, expected {expected}");
    };
    let middle = parts.next().expect("a text is not empty");
    close(middle, mean, 0.5);
    for part in parts {
        match (part.split_once('–'), part.chars().next()) {
            (Some((from, to)), _) => {
                close(from, low, 0.5);
                close(to, high, 0.5);
            }
            (None, Some('±')) => close(part, (mean - low).max(high - mean), 1.0),
            (None, Some('<')) => close(part, high, 1.0),
            (None, Some('>')) => close(part, low, 1.0),
            _ => panic!("`{text}` has `{part}`"),
        }
    }
}

fn says_mean(text: &str, runs: &[&Row], metric: &str) {
    let unit = if metric.ends_with("_ms") { 1e-3 } else { 1.0 };
    let sample: Vec<f64> = runs.iter().filter_map(|run| number(&run[metric])).collect();
    if sample.is_empty() {
        return assert_eq!(text, "–", "{metric}");
    }
    says_bounded(text, &sample, is_share(metric), (0.0, unit));
}

/// A mean with its interval or, where it has none, with its values.
fn says_bounded(text: &str, sample: &[f64], is_share: bool, (least, unit): (f64, f64)) {
    let interval = bounded(sample, is_share, least);
    let end = |of: fn(f64, f64) -> f64| sample.iter().copied().reduce(of).unwrap();
    assert_eq!(text.contains('['), interval.is_none() && end(f64::min) < end(f64::max), "{text}");
    let (low, high) = interval.unwrap_or((end(f64::min), end(f64::max)));
    says(text, mean(sample) * unit, (low * unit, high * unit));
}

fn says_share(text: &str, count: usize, of: usize) {
    let (low, high) = wilson(count as f64, of as f64);
    says(text, count as f64 / of as f64, (low.max(0.0), high.min(1.0)));
}

/// Tables with a row for each arm, and for each of its modes.
fn arms(written: &Written, header: &[&str], rows: &[Vec<&str>]) -> usize {
    let mut cells = written.cells().iter();
    let mut modes = None;
    let mut numbers = 0;
    for row in rows.iter().filter(|row| !row[0].starts_with("**")) {
        let (cell, runs) = match row[0].strip_prefix("· ") {
            None => {
                let cell = cells.next().expect("a row for each cell");
                assert_eq!(cell["arm_label"], row[0]);
                modes = written.modes(cell).map(Vec::from).map(Vec::into_iter);
                (Some(cell), written.of(cell))
            }
            Some(name) => {
                let runs: Vec<&Row> = modes.as_mut().and_then(Iterator::next).expect(name);
                assert!(name.starts_with(&runs.len().to_string()), "{name}");
                (None, runs)
            }
        };
        // Percentiles are those of all runs together, which no file has.
        let columns = header.iter().zip(row).skip(1);
        for (name, text) in columns.filter(|(name, _)| !["p50", "p99"].contains(&parts(name).1)) {
            let is_mixed = cell.is_some() && modes.is_some();
            match (metric_of(name), cell) {
                (Some(_), _) if is_mixed => assert_eq!(*text, "–"),
                (Some(metric), _) => says_mean(text, &runs, &metric),
                (None, Some(cell)) => further(name, text, cell, &runs),
                (None, None) => assert_eq!(*text, ""),
            }
            numbers += 1;
        }
    }
    assert!(cells.next().is_none(), "every arm has a row in {header:?}");
    numbers
}

/// What a header is about, the milestone or `reply` before its colon, and the rest.
fn parts(header: &str) -> (&str, &str) {
    header.split_once(": ").unwrap_or(("", header))
}

/// The column of `runs.csv` whose mean stands under a header.
fn metric_of(header: &str) -> Option<String> {
    let (of, rest) = parts(header);
    let (_, metric) = HEADERS.iter().find(|(header, _)| *header == rest)?;
    Some(if of.is_empty() { (*metric).to_owned() } else { format!("{of}.{metric}") })
}

/// A column that is no mean of a metric.
fn further(name: &str, text: &str, cell: &Value, runs: &[&Row]) {
    if let (of, "never recovered") = parts(name) {
        let column = if of.is_empty() { "recovered" } else { &format!("{of}.recovered") };
        let never = runs.iter().filter(|run| run[column] == "false").count();
        let judged = runs.iter().filter(|run| !run[column].is_empty()).count();
        assert_eq!(text, format!("{never} of {judged}"));
    } else if name.starts_with("collapsed") {
        let is = |is: bool| runs.iter().filter(|run| super::collapsed(run) == Some(is)).count();
        let (counts, share) = text.split_once(": ").unwrap();
        assert_eq!(counts, format!("{} of {}", is(true), is(true) + is(false)));
        says_share(share, is(true), is(true) + is(false));
    } else if LABELS.contains(&name) {
        let labelled = runs.iter().filter(|run| !run["label"].is_empty()).count();
        says_share(text, runs.iter().filter(|run| run["label"] == name).count(), labelled);
    } else {
        let mut invariants = cell["invariants"].as_array().unwrap().iter();
        let invariant = invariants.find(|invariant| invariant["label"] == name);
        let invariant = invariant.unwrap_or_else(|| panic!("no column is called {name}"));
        broken(text, runs, invariant["name"].as_str().unwrap());
    }
}

fn broken(text: &str, runs: &[&Row], invariant: &str) {
    let of = |run: &Row, what: &str| number(&run[&format!("{invariant}_{what}")]).unwrap();
    let exposed = runs.iter().filter(|run| of(run, "exposure") > 0.0);
    let all = runs;
    let exposed: Vec<(f64, f64)> =
        exposed.map(|run| (of(run, "violations"), of(run, "exposure"))).collect();
    let counts: Vec<f64> = exposed.iter().map(|(count, _)| *count).collect();
    let broken = counts.iter().filter(|count| **count > 0.0).count();
    let runs = format!("{} run{}", counts.len(), if counts.len() == 1 { "" } else { "s" });
    if counts.is_empty() {
        return assert!(["not exercised", "not judged"].contains(&text), "{text}");
    }
    if broken == 0 {
        let open: f64 = all
            .iter()
            .map(|run| {
                run.get(&format!("{invariant}_unjudged"))
                    .and_then(|text| number(text))
                    .unwrap_or(0.0)
            })
            .sum();
        let cases = open + exposed.iter().map(|(_, of)| of).sum::<f64>();
        let kept = text.strip_suffix(" not judged").and_then(|text| text.split_once("), "));
        assert_eq!(kept.is_some(), open > 1e-3 * cases, "{text}");
        let kept = kept.map(|(kept, count)| {
            assert_eq!(count.replace(',', ""), open.to_string());
            format!("{kept})")
        });
        let kept = kept.unwrap_or_else(|| text.to_owned());
        let bound = kept.strip_prefix(&format!("0 of {runs} (<")).expect(text);
        let (_, high) = exact(0, counts.len());
        return says(&format!("0% (<{bound}"), 0.0, (0.0, high));
    }
    let variance = |(count, of): &(f64, f64)| count * (1.0 - count / (of + 1.0)).max(0.0);
    let least = exposed.iter().map(variance).sum::<f64>().sqrt() / counts.len() as f64;
    if bounded(&counts, false, least).is_none() {
        let all: f64 = counts.iter().sum();
        return assert_eq!(text.replace(',', ""), format!("{all} in {broken} of {runs}"));
    }
    says_bounded(text, &counts, false, (least, 1.0));
}

/// The factor from the unit of a metric to the one in which it is written.
fn unit_of(metric: &str) -> f64 {
    if metric.ends_with("_ms") { 1e-3 } else { 1.0 }
}

/// The table of the primary comparisons: for each point and metric the baseline and the others.
fn pairs(written: &Written, rows: &[Vec<&str>]) -> usize {
    let primary: Vec<&Row> =
        written.pairs.iter().filter(|pair| pair["role"] == "primary").collect();
    let metrics = written.summary["comparison"]["primary"].as_array().unwrap();
    let points: Vec<&str> = {
        let all = primary.iter().map(|pair| pair["point"].as_str());
        let mut points: Vec<&str> = Vec::new();
        all.for_each(|point| {
            if !points.contains(&point) {
                points.push(point);
            }
        });
        points
    };
    let groups = points.iter().flat_map(|point| metrics.iter().map(move |metric| (point, metric)));
    let mut rows = rows.iter();
    let mut numbers = 0;
    for (point, metric) in groups {
        let metric = metric.as_str().unwrap();
        let of_group = |pair: &&&Row| pair["point"] == **point && pair["metric"] == metric;
        let group: Vec<&&Row> = primary.iter().filter(of_group).collect();
        assert!(rows.next().unwrap()[0].starts_with("**"));
        let (first, unit) = (group[0], unit_of(metric));
        let says_number = |text: &str, column: &str, pair: &Row| match number(&pair[column]) {
            None if metric.ends_with("_per_10000") || metric.ends_with("_violated") => {
                assert!(["not exercised", "not judged"].contains(&text), "{text}");
            }
            None => assert_eq!(text, "–"),
            Some(expected) => says(text, expected * unit, (0.0, 0.0)),
        };
        let baseline = rows.next().unwrap();
        assert_eq!(baseline[5], "baseline");
        says_number(baseline[1], "baseline_mean", first);
        let means = |rows: &mut std::slice::Iter<'_, Vec<&str>>, arm: &str| {
            while rows.as_slice().first().is_some_and(|row| row[0].starts_with("· ")) {
                mode_mean(written, rows.next().unwrap(), (arm, point), metric);
            }
            while rows.as_slice().first().is_some_and(|row| row[0].starts_with("‥ ")) {
                beside(written, rows.next().unwrap(), (arm, point), metric);
            }
        };
        means(&mut rows, &first["baseline"]);
        for pair in group {
            let row = rows.next().unwrap();
            says_number(row[1], "mean", pair);
            let ends = ["low", "high"].map(|end| number(&pair[end]));
            if let (Some(difference), [Some(low), Some(high)]) = (number(&pair["difference"]), ends)
            {
                says(&row[2].replace(" to ", "–"), difference * unit, (low * unit, high * unit));
            }
            if let (Some(p), false) = (number(&pair["p_holm"]), row[4] == "<0.001") {
                says(row[4], p, (0.0, 0.0));
            }
            match number(&pair["effect_size"]) {
                None => assert_eq!(row[3], "–"),
                Some(size) => says(row[3], size, (0.0, 0.0)),
            }
            assert_eq!(row[5], pair["verdict"]);
            means(&mut rows, &pair["arm"]);
            numbers += 4;
        }
    }
    assert!(rows.next().is_none());
    numbers
}

/// A row below an arm's: in how many runs a promise was broken, and what was thrown away.
fn beside(written: &Written, row: &[&str], (arm, point): (&str, &str), metric: &str) {
    let of = |name: &str| {
        let is_it =
            |pair: &&Row| pair["arm"] == arm && pair["point"] == point && pair["metric"] == name;
        written.pairs.iter().find(is_it).unwrap_or_else(|| panic!("no {name} of {arm}"))
    };
    let baseline = row[2].strip_prefix("baseline ").expect(row[2]);
    if row[0] == "‥ in runs" {
        let runs = of(&metric.replace("_per_10000", "_violated"));
        let count = |column: &str| {
            (number(&runs[column]).unwrap() * number(&runs["pairs"]).unwrap()).round()
        };
        assert_eq!(row[1], count("mean").to_string());
        let of = format!("{} of {} runs", count("baseline_mean"), runs["pairs"]);
        return assert_eq!(baseline, of);
    }
    let pair = of(metric);
    let names = format!("{} {}", pair["lost_more"], pair["lost_less"]);
    let is_said = |name: &&str| {
        if let Some(promise) = name.strip_suffix("_unjudged") {
            for (text, arm) in [(row[1], arm), (baseline, &pair["baseline"])] {
                says(text, unjudged(written, (arm, point), promise), (0.0, 0.0));
            }
            return true;
        }
        let lost = of(name);
        let unit = unit_of(name);
        let close = |text: &str, column: &str| {
            says(text, number(&lost[column]).unwrap() * unit, (0.0, 0.0));
        };
        close(row[1], "mean");
        close(baseline, "baseline_mean");
        true
    };
    assert_eq!(names.split_whitespace().filter(is_said).count(), 1, "{names}: {row:?}");
}

/// The mean share of a promise's cases that is not judged in the runs of an arm that have any.
fn unjudged(written: &Written, (arm, point): (&str, &str), promise: &str) -> f64 {
    let is_it = |run: &&Row| run["arm"] == arm && run["point"] == point;
    let count = |run: &Row, what: &str| number(&run[&format!("{promise}_{what}")]).unwrap();
    let share = |run: &Row| {
        let (open, exposure) = (count(run, "unjudged"), count(run, "exposure"));
        (open + exposure > 0.0).then(|| open / (open + exposure))
    };
    mean(&written.runs.iter().filter(is_it).filter_map(share).collect::<Vec<_>>())
}

/// The mean of the runs of one arm that collapsed, or of those that did not.
fn mode_mean(written: &Written, row: &[&str], (arm, point): (&str, &str), metric: &str) {
    let is_it = |cell: &&Value| cell["arm"] == arm && cell["point"] == point;
    let cell = written.cells().iter().find(is_it).unwrap();
    let [yes, no] = written.modes(cell).expect("both are there");
    let runs = if row[0].ends_with("collapsed") { yes } else { no };
    let sample: Vec<f64> = runs.iter().filter_map(|run| value(run, metric)).collect();
    match sample.is_empty() {
        true => assert_eq!(row[1], "–"),
        false => says(row[1], mean(&sample) * unit_of(metric), (0.0, 0.0)),
    }
}

fn front(written: &Written, rows: &[Vec<&str>]) -> usize {
    let front = &written.summary["comparison"]["front"];
    let order = front["order"].as_array().unwrap();
    let places = front["places"].as_array().unwrap();
    let mut place = None;
    let mut next = places.iter();
    for row in rows.iter().filter(|row| !row[0].starts_with("**")) {
        let is_mode = row[0].starts_with("· ");
        if !is_mode {
            place = next.next();
        }
        let place = place.expect("a row for each place");
        for (index, metric) in order.iter().enumerate() {
            let metric = metric.as_str().unwrap();
            let (mean, rank) = (row[1 + 2 * index], row[2 + 2 * index]);
            if is_mode {
                let at = (place["arm"].as_str().unwrap(), place["point"].as_str().unwrap());
                mode_mean(written, &[row[0], mean], at, metric);
            } else {
                let expected = place["means"][index].as_f64().unwrap();
                says(mean, expected * unit_of(metric), (0.0, 0.0));
                assert_eq!(rank, place["ranks"][index].to_string());
            }
        }
    }
    assert!(next.next().is_none());
    places.len() * order.len()
}
