//! The warm-up: from when on requests are measured, as pilots find it.

pub mod found;

use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::kernel::limit::{Ending, Limits};
use crate::kernel::time::{Span, Time};
use crate::metric::Presence;
use crate::model::program::{Arrivals, Kind};
use crate::statistics::interval::mean_interval;
use crate::statistics::moments::moments;
use crate::statistics::steady_state::mser5;
use crate::system::World;
use found::{CellName, FoundWarmUp};

/// The pieces of time in which a pilot is looked at: MSER-5 joins five of them.
const PIECES: u64 = 1_000;

/// How much was under way in the course of a pilot; `None` if a limit ended it.
pub type Series = Option<Vec<f64>>;

/// Runs a cell under a seed until something can go wrong in it or the last user arrives.
#[must_use]
pub fn pilot(cell: &Cell, seed: u64) -> Series {
    let end = calm_until(cell);
    let limits = Limits { horizon: end, ..cell.limits };
    let mut presence = Presence::new(piece(cell), end);
    let outcome = World::new(&cell.program, &[], seed, end, limits, &mut presence).run();
    (outcome.ending == Ending::Complete).then(|| presence.averages())
}

/// The width of a piece of time in which a pilot of a cell is looked at.
fn piece(cell: &Cell) -> Span {
    Span((calm_until(cell).0 / PIECES).max(1))
}

/// How long so many pieces of a pilot of a cell are.
fn span_of(pieces: usize, cell: &Cell) -> Span {
    Span(pieces as u64 * piece(cell).0)
}

/// What the pilots of one cell have shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settling {
    /// When it had settled, or half of its time if it had not; at once if nobody knows.
    after: Span,
    /// What is known of it.
    seen: Seen,
}

/// What is known of the start of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// It had settled.
    Settled,
    /// It was still filling.
    Filling,
    /// Nothing: a limit ended a pilot.
    Limited,
}

impl Settling {
    /// Finds with MSER-5 when what is under way had settled, in the first half of the pilots.
    ///
    /// One run may be far from the mean for longer than it takes to fill, so it is the mean of all
    /// (Welch: "The statistical analysis of simulation results", in *The Computer Performance
    /// Modeling Handbook*, 1983).
    #[must_use]
    pub fn of(cell: &Cell, pilots: &[Series]) -> Settling {
        let whole: Option<Vec<&[f64]>> = pilots.iter().map(Option::as_deref).collect();
        match whole.map(|whole| mser5(&mean(&whole))) {
            Some(Ok(found)) => {
                let after = span_of(found.truncate, cell);
                let seen = if found.unsettled { Seen::Filling } else { Seen::Settled };
                Settling { after, seen }
            }
            Some(Err(_)) => Settling { after: latest(cell), seen: Seen::Filling },
            None => Settling { after: Span::ZERO, seen: Seen::Limited },
        }
    }
}

/// The mean of series of equal length, piece by piece.
fn mean(series: &[&[f64]]) -> Vec<f64> {
    let pieces = series.first().map_or(0, |first| first.len());
    let at = |piece: usize| series.iter().map(|one| one[piece]).sum::<f64>() / series.len() as f64;
    (0..pieces).map(at).collect()
}

/// Until when nothing can go wrong in a cell while users arrive.
fn calm_until(cell: &Cell) -> Time {
    let end = cell.measure.arrivals_end;
    cell.faults_act().map_or(end, |(began, _)| began.min(end))
}

/// When a warm-up ends at the latest: something has to be left to measure.
fn latest(cell: &Cell) -> Span {
    Span(calm_until(cell).0 / 2)
}

/// Whether users come in the same way all the time. If not, the system never settles.
fn arrives_steadily(cell: &Cell) -> bool {
    cell.program.nodes.iter().all(|node| match &node.kind {
        Kind::Clients(clients) => match &clients.arrivals {
            Arrivals::Poisson(rates) => matches!(&rates.pieces[..], [one] if one.slope == 0.0),
            Arrivals::Constant(_) | Arrivals::Bursts(_) | Arrivals::Closed(_) => true,
            Arrivals::Trace(_) => false,
        },
        _ => true,
    })
}

/// The most pilots of a cell.
const PILOTS_MAX: usize = 10;
/// The most pilots of a campaign, but for the first one of each cell.
const PILOTS_IN_ALL: usize = 1_000;

/// A stated warm-up after which a cell still fills in calm runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TooSoon {
    /// The cell.
    pub cell: usize,
    /// Its warm-up.
    pub stated: Span,
    /// How much was under way on average from then on.
    pub present: f64,
    /// When it had settled, or half of the time if it had not.
    pub settled: Span,
    /// How much was under way on average from then on.
    pub present_then: f64,
}

/// By less than this share of what is under way a start does not matter.
const NEGLIGIBLE: f64 = 0.05;
/// How sure it is that pilots differ before and after they have settled: MSER-5 looks for the time
/// at which they do, and in so many cells one may differ by chance.
const SURE: f64 = 0.999;

impl TooSoon {
    /// What the pilots of a cell say of the warm-up that it states: that it is too short where it
    /// ends before the mean of all has settled, what is under way differs, and does so in the
    /// pilots by more than chance.
    #[must_use]
    pub fn of(cell: &Cell, index: usize, pilots: &[Series]) -> Option<TooSoon> {
        let whole: Vec<&[f64]> = pilots.iter().map(Option::as_deref).collect::<Option<_>>()?;
        let all = mean(&whole);
        let found = mser5(&all).ok()?;
        let stated = cell.measure.warm_up.since(Time::ZERO);
        let first = (stated.0 / piece(cell).0) as usize;
        if first >= found.truncate {
            return None;
        }
        let average = |pieces: &[f64]| Some(moments(pieces).ok()?.mean);
        let (present, present_then) = (average(&all[first..])?, found.mean_after);
        let differs = |pilot: &&[f64]| {
            Some(average(&pilot[first..found.truncate])? - average(&pilot[found.truncate..])?)
        };
        let differences: Vec<f64> = whole.iter().map(differs).collect::<Option<_>>()?;
        let by_chance = mean_interval(&differences, SURE).ok()?.interval.contains(0.0);
        let is_other = (present - present_then).abs() > NEGLIGIBLE * present_then;
        (is_other && !by_chance).then_some(TooSoon {
            cell: index,
            stated,
            present,
            settled: span_of(found.truncate, cell),
            present_then,
        })
    }
}

impl Campaign {
    /// The cells that state a warm-up which may be too short for pilots to show it. Nobody is asked
    /// where there is no steady calm to look at.
    #[must_use]
    pub fn stated_to_be_piloted(&self) -> Vec<usize> {
        if self.experiment.has_times_of_its_own() {
            return Vec::new();
        }
        let is_one = |cell: &Cell| {
            let stated = cell.measure.warm_up.since(Time::ZERO);
            !cell.finds_warm_up && arrives_steadily(cell) && stated < latest(cell)
        };
        (0..self.cells.len()).filter(|&cell| is_one(&self.cells[cell])).collect()
    }

    /// The cells whose warm-up pilots are to find: those that do not state it, in which users come
    /// in the same way all the time, and none if one of them is never calm.
    #[must_use]
    pub fn to_be_piloted(&self) -> Vec<usize> {
        if self.latest_warm_up() == Some(Span::ZERO) {
            return Vec::new();
        }
        let is_one = |cell: &Cell| cell.finds_warm_up && arrives_steadily(cell);
        (0..self.cells.len()).filter(|&cell| is_one(&self.cells[cell])).collect()
    }

    /// The seeds of pilots: the first ones of the experiment, whichever are run, so that the same
    /// experiment has the same warm-up in every command.
    #[must_use]
    pub fn pilot_seeds(&self) -> Vec<u64> {
        self.experiment.seeds.0.clone().take(self.pilots_of_each()).collect()
    }

    /// The seeds of the pilots that look at a stated warm-up: as many from the same one on, whether
    /// the experiment has them or not, for a few pilots may differ by chance.
    #[must_use]
    pub fn stated_pilot_seeds(&self) -> Vec<u64> {
        (self.experiment.seeds.0.start..u64::MAX).take(self.pilots_of_each()).collect()
    }

    /// How many pilots a cell may have.
    fn pilots_of_each(&self) -> usize {
        (PILOTS_IN_ALL / self.cells.len().max(1)).clamp(1, PILOTS_MAX)
    }

    /// When the warm-up that all cells share ends at the latest; `None` if each states its own.
    fn latest_warm_up(&self) -> Option<Span> {
        self.cells.iter().filter(|cell| cell.finds_warm_up).map(latest).min()
    }

    /// Lets all cells that do not state a warm-up have the longest that pilots have shown, so that
    /// arms stay comparable.
    pub fn settle_warm_up(&mut self, shown: &[(usize, Settling)]) {
        let Some(cap) = self.latest_warm_up() else { return };
        // Of equal ones the first.
        let longest = shown.iter().rev().max_by_key(|(_, settling)| settling.after);
        let span = longest.map_or(Span::ZERO, |(_, settling)| settling.after.min(cap));
        let is_filling = |it: &Settling| it.seen == Seen::Filling || it.after > cap;
        let those = |are: &dyn Fn(&Settling) -> bool| {
            let cells = shown.iter().filter(|(_, settling)| are(settling));
            cells.map(|&(cell, _)| CellName::of(&self.cells[cell])).collect()
        };
        let (unsettled, limited) =
            (those(&is_filling), those(&|settling| settling.seen == Seen::Limited));
        for cell in self.cells.iter_mut().filter(|cell| cell.finds_warm_up) {
            cell.measure.warm_up = Time::ZERO + span;
        }
        self.warm_up = Some(FoundWarmUp {
            span,
            seeds: self.pilot_seeds(),
            cell: longest
                .filter(|_| span > Span::ZERO)
                .map(|&(cell, _)| CellName::of(&self.cells[cell])),
            piloted: shown.len(),
            unsettled,
            limited,
        });
    }
}
