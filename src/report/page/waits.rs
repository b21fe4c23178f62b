//! How long users wait for what they are to have in the end.

use serde::Serialize;

use super::Page;
use super::grid::{Grid, GridCell, GridRow, Head, Strip};
use crate::experiment::measure::metrics::Of;
use crate::kernel::time::Span;
use crate::metric::MetricId;
use crate::report::arms;
use crate::report::number::{Unit, number};

/// How wide a strip is, in pixels.
const WIDTH: f64 = 240.0;

/// Times of one kind: to a milestone, or to a reply.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Waits {
    pub(super) grid: Grid,
    /// The rows of cells that the answer does not speak of.
    pub(super) others: Option<Grid>,
    /// The ticks of the axis: where, and what is written there.
    pub(super) ticks: Vec<(f64, String)>,
}

/// The columns: a metric, its header and its unit.
const COLUMNS: [(MetricId, &str, Unit); 5] = [
    (MetricId::LatencyP50Ms, "p50", Unit::Seconds),
    (MetricId::LatencyP99Ms, "p99", Unit::Seconds),
    (MetricId::LatencyP999Ms, "p99.9", Unit::Seconds),
    (MetricId::SuccessRatio, "success", Unit::Percent),
    (MetricId::UnfinishedRatio, "unfinished", Unit::Percent),
];

/// A table for what is measured, and one for each thing that stands beside it.
pub(super) fn waits(page: &Page<'_>) -> Vec<Waits> {
    let first = &page.campaign.cells[0];
    let own = first.measured.map(Of::Milestone);
    let beside = first.beside().into_iter().map(|(_, of)| of).filter(|of| Some(*of) != own);
    std::iter::once(Of::Measured).chain(beside).map(|of| waits_of(page, of)).collect()
}

fn waits_of(page: &Page<'_>, of: Of) -> Waits {
    let cell = &page.campaign.cells[0];
    let milestone = match of {
        Of::Measured => cell.measured,
        Of::Milestone(place) => Some(place),
        Of::Replies | Of::Objective(_) | Of::Price(_) => None,
    };
    let milestone = milestone.map(|place| &cell.milestones[place]);
    let within = milestone.and_then(|milestone| milestone.within);
    let title = milestone.map_or("Until the reply".to_owned(), |it| format!("Until {}", it.label));
    let axis = Axis::new(page, of, within);
    let mut columns = vec![Head::left("arm")];
    columns.extend(COLUMNS.iter().map(|(_, header, _)| Head::right(header)));
    columns.insert(4, Head::left("distribution"));
    let row = |cell: usize| {
        let mut cells = vec![GridCell::plain(&page.names[cell])];
        cells.extend(COLUMNS.iter().map(|&(id, _, unit)| value(page, cell, of, id, unit)));
        cells.insert(4, GridCell { strip: axis.strip(page, cell), ..GridCell::default() });
        GridRow { group: None, role: page.roles[cell], cells }
    };
    let grid = |cells: Vec<usize>| Grid {
        title: title.clone(),
        note: "From the first attempt on, of those that got there; the mark is the half, the bar \
               ends at 99 of 100, the line at 999 of 1,000."
            .to_owned(),
        columns: columns.clone(),
        rows: cells.into_iter().map(row).collect(),
    };
    let (named, others) = page.apart();
    Waits {
        grid: grid(named),
        others: (!others.is_empty()).then(|| grid(others)),
        ticks: axis.ticks(),
    }
}

fn value(page: &Page<'_>, cell: usize, of: Of, id: MetricId, unit: Unit) -> GridCell {
    let known = page.campaign.metrics().place(of, id);
    let mean = known.and_then(|place| arms::metric(&page.summaries[cell].metrics, place));
    let Some(mean) = mean else {
        return GridCell { class: "idle", ..GridCell::plain("–") };
    };
    let scale = if unit == Unit::Seconds { 1e-3 } else { 1.0 };
    GridCell::plain(&arms::shown(mean, scale, unit))
}

/// A logarithmic axis of times, in seconds.
struct Axis {
    of: Of,
    from: f64,
    to: f64,
    within: Option<f64>,
}

impl Axis {
    /// An axis that holds all percentiles of all cells, and what is promised.
    fn new(page: &Page<'_>, of: Of, within: Option<Span>) -> Axis {
        let within = within.map(Span::seconds);
        let ids = [MetricId::LatencyP50Ms, MetricId::LatencyP99Ms, MetricId::LatencyP999Ms];
        let cells = 0..page.campaign.cells.len();
        let all = cells.flat_map(|cell| ids.map(|id| seconds(page, cell, of, id)));
        let known = all.flatten().chain(within).filter(|&value| value > 0.0);
        let (least, most) = known
            .fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        let (from, to) = if most > 0.0 { (least / 1.5, most * 1.5) } else { (0.001, 1.0) };
        Axis { of, from, to, within }
    }

    fn place(&self, seconds: f64) -> f64 {
        let share = libm::log(seconds.max(self.from) / self.from) / libm::log(self.to / self.from);
        (share * WIDTH * 10.0).round() / 10.0
    }

    /// The powers of ten on the axis.
    fn ticks(&self) -> Vec<(f64, String)> {
        let powers = (-9..9).map(|power| libm::pow(10.0, f64::from(power)));
        let shown = powers.filter(|&at| at > self.from && at < self.to);
        shown.map(|at| (self.place(at), number(at, Unit::Seconds))).collect()
    }

    fn strip(&self, page: &Page<'_>, cell: usize) -> Option<Strip> {
        let of = |id| seconds(page, cell, self.of, id);
        let (p50, p99) = (of(MetricId::LatencyP50Ms)?, of(MetricId::LatencyP99Ms)?);
        let text = |seconds| number(seconds, Unit::Seconds);
        let promised =
            self.within.map_or(String::new(), |it| format!("; promised within {}", text(it)));
        Some(Strip {
            label: format!("half within {}, 99% within {}{promised}", text(p50), text(p99)),
            p50: self.place(p50),
            p99: self.place(p99),
            p999: of(MetricId::LatencyP999Ms).map(|it| self.place(it)),
            within: self.within.map(|it| self.place(it)),
        })
    }
}

fn seconds(page: &Page<'_>, cell: usize, of: Of, id: MetricId) -> Option<f64> {
    let place = page.campaign.metrics().place(of, id)?;
    Some(arms::metric(&page.summaries[cell].metrics, place)?.mean * 1e-3)
}
