//! The panels of the timeline: for each cell what was finished, what failed where and why, what
//! waited, and what the caller's own policy did not let through, second by second.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::closer_look::Seen;
use crate::experiment::run::result::RunResult;
use crate::kernel::limit::Ending;
use crate::kernel::time::{Span, Time};
use crate::metric::Counts;
use crate::policy::Policy;
use crate::report::figures::{BAND_RUNS, load_name};
use crate::report::story::{denied, described, outcome};
use crate::statistics::CONFIDENCE;
use crate::statistics::interval::mean_interval;
use crate::system::remembered::Breakers;

/// The most points of a line: further windows are put together.
const POINTS_MAX: usize = 240;

/// The most reasons that are told apart in one panel.
const REASONS_MAX: usize = 6;

/// What becomes of the reasons beyond that.
pub(super) const OTHERS: &str = "others";

/// Everything that is drawn over time, as the script of the page reads it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Timeline {
    /// The time of day at the start of the run, in seconds since midnight.
    pub(super) clock_s: Option<f64>,
    /// The middle of each point, in seconds.
    pub(super) x: Vec<f64>,
    pub(super) cells: Vec<Column>,
}

/// The panels of one cell, one below the other.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) role: &'static str,
    pub(super) faults: Vec<Lane>,
    pub(super) panels: Vec<Panel>,
}

/// When a fault acts.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Lane {
    pub(super) label: String,
    pub(super) from: f64,
    pub(super) to: f64,
}

/// One chart.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) unit: &'static str,
    pub(super) kind: Kind,
    /// Of which runs it is.
    pub(super) source: String,
    /// In which section of the page it stands.
    pub(super) place: &'static str,
    pub(super) series: Vec<Series>,
}

/// How the series of a panel are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Line,
    /// As areas, one upon the other.
    Stacked,
}

/// One line or area.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Series {
    pub(super) label: String,
    pub(super) values: Vec<Option<f64>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) low: Vec<Option<f64>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) high: Vec<Option<f64>>,
}

impl Panel {
    /// Nothing is known of what would have been after the end of the runs.
    fn cut_off(&mut self, axis: Axis, end: Time) {
        let is_after = |point: usize| axis.windows(point).start as u64 * axis.window.0 >= end.0;
        for series in &mut self.series {
            for values in [&mut series.values, &mut series.low, &mut series.high] {
                let after = values.iter_mut().enumerate().filter(|(point, _)| is_after(*point));
                after.for_each(|(_, value)| *value = None);
            }
        }
    }
}

/// How the windows of a run become the points of a line.
#[derive(Clone, Copy)]
struct Axis {
    /// The width of a window.
    window: Span,
    /// How many windows one point stands for.
    group: usize,
    points: usize,
}

impl Axis {
    fn new(window: Span, windows: usize) -> Axis {
        let group = windows.div_ceil(POINTS_MAX).max(1);
        Axis { window, group, points: windows.div_ceil(group) }
    }

    /// The middle of a point, in seconds.
    fn x(self, point: usize) -> f64 {
        rounded((point as f64 + 0.5) * self.group as f64 * self.window.seconds())
    }

    fn windows(self, point: usize) -> std::ops::Range<usize> {
        point * self.group..(point + 1) * self.group
    }

    /// Counts per second.
    fn rates(self, count: impl Fn(usize) -> u64) -> Vec<f64> {
        let seconds = self.group as f64 * self.window.seconds();
        let rate = |point| self.windows(point).map(&count).sum::<u64>() as f64 / seconds;
        (0..self.points).map(rate).collect()
    }

    /// What is at the end of each point.
    fn last<T: Copy>(self, values: &[T], nothing: T) -> Vec<T> {
        let at = |point| {
            let last = self.windows(point).end - 1;
            values.get(last).copied().unwrap_or(nothing)
        };
        (0..self.points).map(at).collect()
    }

    /// The greatest of each point.
    fn most(self, values: &[Span]) -> Vec<f64> {
        let of = |index: usize| values.get(index).map_or(0.0, |span| span.seconds());
        (0..self.points).map(|point| self.windows(point).map(of).fold(0.0, f64::max)).collect()
    }
}

/// What a chart needs of a campaign.
struct Charts<'a> {
    campaign: &'a Campaign,
    results: &'a [RunResult],
    seed: u64,
    axis: Axis,
    /// Of attempts that failed and of those that were not made, the reasons that are told apart.
    reasons: [Vec<String>; 2],
}

/// The timeline of the cells that were looked at, in this order.
pub(super) fn timeline(
    campaign: &Campaign,
    results: &[RunResult],
    (seed, seen): (u64, &[&Seen]),
    named: impl Fn(usize) -> (String, &'static str),
) -> Timeline {
    let windows = |cell: usize| {
        let runs = campaign.runs_of(results, cell);
        runs.iter().map(|run| run.metrics.windows.len()).max().unwrap_or(0)
    };
    let most = seen.iter().map(|one| windows(one.cell)).max().unwrap_or(0);
    let window = campaign.cells[0].measure.window;
    let axis = Axis::new(window, most);
    let of = |count: fn(&Seen, &Cell) -> BTreeMap<String, Counts>| {
        let all = seen.iter().map(|one| count(one, &campaign.cells[one.cell]));
        greatest(all)
    };
    let charts = Charts { campaign, results, seed, axis, reasons: [of(failed), of(not_made)] };
    let column = |one: &&Seen| {
        let (name, role) = named(one.cell);
        Column { name, role, faults: lanes(one), panels: charts.panels(one) }
    };
    let cells = seen.iter().map(column).collect();
    let clock_s = campaign.experiment.starts_at.map(|time| f64::from(time.0));
    Timeline { clock_s, x: (0..axis.points).map(|point| axis.x(point)).collect(), cells }
}

/// When each fault of a run acts.
fn lanes(seen: &Seen) -> Vec<Lane> {
    let lane = |fault: &crate::fault::FaultText| Lane {
        label: described(fault),
        from: rounded(fault.at.seconds()),
        to: rounded((fault.at + fault.lasts).seconds()),
    };
    seen.faults.iter().map(lane).collect()
}

/// The reasons that count most in all cells together, and whether there are others.
fn greatest(all: impl Iterator<Item = BTreeMap<String, Counts>>) -> Vec<String> {
    let mut totals: BTreeMap<String, u64> = BTreeMap::new();
    for (reason, counts) in all.flatten() {
        *totals.entry(reason).or_default() += counts.iter().sum::<u64>();
    }
    let mut reasons: Vec<(String, u64)> = totals.into_iter().collect();
    reasons.sort_by_key(|(_, total)| std::cmp::Reverse(*total));
    reasons.into_iter().take(REASONS_MAX).map(|(reason, _)| reason).collect()
}

/// Attempts that failed, by where and how.
fn failed(seen: &Seen, cell: &Cell) -> BTreeMap<String, Counts> {
    let name = |edge| cell.program.edge(edge).name.replace("->", "→");
    let failed = seen.timeline.failed.iter();
    failed
        .map(|(&(edge, how), counts)| (format!("{}: {}", name(edge), outcome(how)), counts.clone()))
        .collect()
}

/// Attempts that the caller's own policy did not make, by where and why.
fn not_made(seen: &Seen, cell: &Cell) -> BTreeMap<String, Counts> {
    let name = |edge| cell.program.edge(edge).name.replace("->", "→");
    let denials = seen.timeline.denied.iter();
    denials
        .map(|(&(edge, why), counts)| (format!("{}: {}", name(edge), denied(why)), counts.clone()))
        .collect()
}

impl Charts<'_> {
    fn panels(&self, seen: &Seen) -> Vec<Panel> {
        let cell = &self.campaign.cells[seen.cell];
        let mut panels = self.finished(seen.cell, cell);
        let window = "per second";
        panels.push(self.single(
            "attempts that failed, by hop and reason",
            window,
            Kind::Stacked,
            self.told_apart(&failed(seen, cell), 0),
        ));
        let attempts = self.mean(seen.cell, |run, index| {
            run.metrics.windows.get(index).map_or(0, |window| window.attempts)
        });
        let title = format!("attempts at {}", load_name(self.campaign));
        panels.push(self.averaged(title, "attempts", attempts));
        panels.extend(self.backlogs(seen, cell));
        panels.push(self.single(
            "attempts that policies did not make",
            window,
            Kind::Stacked,
            self.told_apart(&not_made(seen, cell), 1),
        ));
        panels.extend(self.remembered(seen, cell));
        panels.extend(self.late(seen.cell, cell));
        let runs = self.campaign.runs_of(self.results, seen.cell);
        let end = runs.iter().map(|run| self.end_of(run, cell)).max().unwrap_or_default();
        panels.iter_mut().for_each(|panel| panel.cut_off(self.axis, end));
        panels
    }

    /// When a run has ended: its horizon, or where a limit was reached.
    fn end_of(&self, run: &RunResult, cell: &Cell) -> Time {
        match run.ending {
            Ending::Complete => cell.limits.horizon,
            _ => Time(run.metrics.windows.len() as u64 * self.axis.window.0),
        }
    }

    /// Finished work: what reached the milestone in time where one is measured, and replies.
    fn finished(&self, index: usize, cell: &Cell) -> Vec<Panel> {
        let reached = cell.measured.map(|place| {
            let label = cell.milestones[place].label.clone();
            let series = self.mean(index, |run, window| {
                let windows = &run.metrics.milestones[place].windows;
                windows.get(window).map_or(0, |window| window.reached)
            });
            self.averaged(format!("{label}, in time"), "finished", series)
        });
        let answered = self.mean(index, |run, window| {
            run.metrics.windows.get(window).map_or(0, |window| window.answered)
        });
        let answered = self.averaged("answered ok".to_owned(), "answered", answered);
        reached.into_iter().chain([answered]).collect()
    }

    fn averaged(&self, title: String, label: &str, series: Series) -> Panel {
        let runs = self.campaign.seeds.len();
        let source = match runs {
            1 => format!("seed {}", self.seed),
            few if few < BAND_RUNS => format!("mean of {few} seeds"),
            runs => format!("mean of {runs} seeds, 95% band"),
        };
        let series = vec![Series { label: label.to_owned(), ..series }];
        let (unit, kind, place) = ("per second", Kind::Line, "timeline");
        Panel { title, unit, kind, source, place, series }
    }

    /// A panel of the one run that was looked at.
    fn single(&self, title: &str, unit: &'static str, kind: Kind, series: Vec<Series>) -> Panel {
        let source = format!("seed {}", self.seed);
        Panel { title: title.to_owned(), unit, kind, source, place: "timeline", series }
    }

    /// The mean over seeds of counts per second; nothing is counted before the warm-up has ended.
    fn mean(&self, cell: usize, count: impl Fn(&RunResult, usize) -> u64) -> Series {
        let runs = self.campaign.runs_of(self.results, cell);
        let warm_up = self.campaign.cells[cell].measure.warm_up;
        let rates: Vec<Vec<f64>> =
            runs.iter().map(|run| self.axis.rates(|window| count(run, window))).collect();
        let mut series = line("", Vec::new());
        for point in 0..self.axis.points {
            let sample: Vec<f64> = rates.iter().map(|rates| rates[point]).collect();
            let starts = Time(self.axis.windows(point).start as u64 * self.axis.window.0);
            let is_counted = starts >= warm_up;
            let estimate = mean_interval(&sample, CONFIDENCE).ok().filter(|_| is_counted);
            series.values.push(estimate.map(|it| rounded(it.mean)));
            if runs.len() >= BAND_RUNS {
                series.low.push(estimate.map(|it| rounded(it.interval.low.max(0.0))));
                series.high.push(estimate.map(|it| rounded(it.interval.high)));
            }
        }
        series
    }

    /// The series of the reasons that are told apart, and of all others together.
    fn told_apart(&self, counts: &BTreeMap<String, Counts>, which: usize) -> Vec<Series> {
        let known = &self.reasons[which];
        let rate = |counts: &[&Counts]| {
            let at = |index: usize| counts.iter().filter_map(|it| it.get(index)).sum();
            self.axis.rates(at)
        };
        let own = known.iter().filter_map(|reason| Some((reason.as_str(), counts.get(reason)?)));
        let mut series: Vec<Series> =
            own.map(|(reason, counts)| line(reason, rate(&[counts]))).collect();
        let others = counts.iter().filter(|(reason, _)| !known.contains(reason));
        let others: Vec<&Counts> = others.map(|(_, counts)| counts).collect();
        if !others.is_empty() {
            series.push(line(OTHERS, rate(&others)));
        }
        series
    }

    /// What waits, and for how long the oldest has; nothing in a model without queues.
    fn backlogs(&self, seen: &Seen, cell: &Cell) -> Vec<Panel> {
        let has_queue = |kind: &crate::model::program::Kind| {
            matches!(kind, crate::model::program::Kind::Queue(_))
        };
        let any = self.campaign.cells.iter().flat_map(|cell| &cell.program.nodes);
        if !any.into_iter().any(|node| has_queue(&node.kind)) {
            return Vec::new();
        }
        let all = || seen.timeline.backlogs.iter();
        let name = |node| cell.program.node(node).name.as_str();
        let waiting = all().map(|(&node, backlog)| {
            let counts = self.axis.last(&backlog.waiting, 0);
            line(name(node), counts.into_iter().map(|count| count as f64).collect())
        });
        let oldest =
            all().map(|(&node, backlog)| line(name(node), self.axis.most(&backlog.oldest)));
        vec![
            self.single(
                "messages waiting",
                "at the end of a second",
                Kind::Line,
                waiting.collect(),
            ),
            self.single("age of the oldest message", "seconds", Kind::Line, oldest.collect()),
        ]
    }

    /// What policies remember: breakers that are not closed, and tokens of retry budgets; nothing
    /// of what no cell has.
    fn remembered(&self, seen: &Seen, cell: &Cell) -> Vec<Panel> {
        let name = |edge| cell.program.edge(edge).name.replace("->", "→");
        let count = |states: &[Breakers], of: fn(&Breakers) -> u32| {
            let counts: Vec<u32> = states.iter().map(of).collect();
            let after = counts.last().copied().unwrap_or_default();
            self.axis.last(&counts, after).into_iter().map(f64::from).collect()
        };
        let breakers = seen.timeline.breakers.iter().flat_map(|(&edge, states)| {
            let open = line(&format!("{}: open", name(edge)), count(states, |it| it.open));
            let half_open =
                line(&format!("{}: half-open", name(edge)), count(states, |it| it.half_open));
            [open, half_open]
        });
        let tokens = seen.timeline.tokens.iter().map(|(&edge, tokens)| {
            let after = tokens.last().copied().unwrap_or_default();
            line(&name(edge), self.axis.last(tokens, after))
        });
        let mut panels = Vec::new();
        let has = |part: fn(&Policy) -> bool| {
            self.campaign
                .cells
                .iter()
                .any(|cell| cell.program.policies.iter().any(|(_, it)| part(it)))
        };
        if has(|policy| policy.breaker.is_some()) {
            let title = "circuit breakers that are not closed";
            panels.push(self.single(title, "processes", Kind::Line, breakers.collect()));
        }
        if has(|policy| policy.budget.is_some()) {
            let title = "tokens left in retry budgets";
            panels.push(self.single(title, "for each process", Kind::Line, tokens.collect()));
        }
        panels
    }

    /// The share of requests that did not reach the milestone in time, by when they were asked.
    fn late(&self, index: usize, cell: &Cell) -> Option<Panel> {
        let place = cell.measured?;
        let runs = self.campaign.runs_of(self.results, index);
        let share = |point: usize| {
            let windows = self.axis.windows(point);
            let of = runs.iter().flat_map(|run| {
                let all = &run.metrics.milestones[place].windows;
                windows.clone().filter_map(|index| all.get(index))
            });
            let (asked, good) = of.fold((0, 0), |(asked, good), window| {
                (asked + window.asked, good + window.succeeded + window.unfinished)
            });
            (asked > 0).then(|| rounded((asked - good) as f64 * 100.0 / asked as f64))
        };
        let values = (0..self.axis.points).map(share).collect();
        let series = Series { values, ..line("too late", Vec::new()) };
        let milestone = &cell.milestones[place];
        let within = milestone.within.map_or(String::new(), |within| format!(" within {within}"));
        Some(Panel {
            title: format!("not {}{within}", milestone.label),
            unit: "% of requests, by when they were asked",
            kind: Kind::Line,
            source: format!("{} seeds together", runs.len()),
            place: "waits",
            series: vec![series],
        })
    }
}

fn line(label: &str, values: Vec<f64>) -> Series {
    let values = values.into_iter().map(|value| Some(rounded(value))).collect();
    Series { label: label.to_owned(), values, low: Vec::new(), high: Vec::new() }
}

/// A number as it is drawn: three decimals at most, four digits are enough for a pixel.
fn rounded(value: f64) -> f64 {
    let scale = if value.abs() >= 100.0 { 10.0 } else { 1000.0 };
    (value * scale).round() / scale
}
