//! Closed forms beside what runs show: a table for each experiment, and the page of all of them.

use super::detail::{Detail, digits};
use super::number::{Unit, number};
use super::published::{self as figures, Published};
use super::table::{Align, Cell, Column, Row, Table, Tone};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::validation::laws::{Fit, LawComparison, compare_all};
use crate::model::problem::Problem;
use crate::theory::published;

/// What one cell of an experiment came to.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The experiment's name.
    pub experiment: String,
    /// What the cell is called: its arm and levels.
    pub cell: String,
    /// How many runs it had.
    pub runs: usize,
    /// Each quantity, with the names of the published rows that it is.
    pub quantities: Vec<(Vec<String>, LawComparison)>,
}

/// What the cells of a campaign came to, from their values in each run, ordered by number.
pub fn compared(
    campaign: &Campaign,
    values: &[Vec<Option<f64>>],
    rows: &[published::Row],
) -> Vec<Compared> {
    let cells = campaign.cells.iter().zip(values.chunks(campaign.seeds.len()));
    let compared = cells.filter_map(|(cell, values)| {
        let theory = cell.theory.as_ref()?;
        let quantities = compare_all(theory, values).into_iter().map(|comparison| {
            let own = rows.iter().filter(|row| row.is_of(theory, &comparison.quantity));
            (own.map(|row| row.id.clone()).collect(), comparison)
        });
        Some(Compared {
            experiment: campaign.experiment.title.clone(),
            cell: match cell.point_label.is_empty() {
                true => cell.arm_label.clone(),
                false => cell.point_label.clone(),
            },
            runs: values.len(),
            quantities: quantities.collect(),
        })
    });
    compared.collect()
}

/// How many comparisons ended in each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// In the interval, which is narrow enough.
    pub inside: usize,
    /// In the interval, which is wide.
    pub imprecise: usize,
    /// Not in the interval.
    pub outside: usize,
}

impl Tally {
    /// The tally of these cells.
    pub fn of(cells: &[Compared]) -> Tally {
        let mut tally = Tally::default();
        for (_, comparison) in cells.iter().flat_map(|cell| &cell.quantities) {
            match comparison.verdict {
                Fit::Inside => tally.inside += 1,
                Fit::Imprecise => tally.imprecise += 1,
                Fit::Outside => tally.outside += 1,
            }
        }
        tally
    }

    /// The tally in words.
    pub fn text(&self) -> String {
        format!(
            "{} inside and precise, {} inside but imprecise, {} outside",
            self.inside, self.imprecise, self.outside
        )
    }
}

/// The table of one experiment's cells.
pub fn table(cells: &[Compared], detail: Detail) -> Table {
    let column =
        |header: &str, align, priority| Column { header: header.to_owned(), align, priority };
    let columns = vec![
        column("quantity", Align::Left, 0),
        column("theory", Align::Right, 0),
        column("simulated", Align::Right, 0),
        column("99.9% interval", Align::Right, 1),
        column("half-width", Align::Right, 0),
        column("verdict", Align::Left, 0),
        column("row", Align::Left, 2),
    ];
    let mut rows = Vec::new();
    for cell in cells {
        rows.push(Row::Group(format!("{}, {} runs", cell.cell, cell.runs)));
        rows.extend(
            cell.quantities.iter().map(|(ids, one)| Row::Cells(cells_of(ids, one, detail))),
        );
    }
    Table { columns, rows }
}

fn cells_of(ids: &[String], comparison: &LawComparison, detail: Detail) -> Vec<Cell> {
    let plain = |text: String| Cell { text, tone: Tone::Plain };
    let tone = match comparison.verdict {
        Fit::Inside => Tone::Good,
        Fit::Imprecise => Tone::Warning,
        Fit::Outside => Tone::Bad,
    };
    let shown = |value: f64| digits(value, if detail == Detail::Page { 6 } else { 5 });
    let name = &comparison.quantity.name;
    let name = match detail {
        Detail::Terminal if name.chars().count() > NAME_MOST => {
            name.chars().take(NAME_MOST - 1).chain(['…']).collect()
        }
        _ => name.clone(),
    };
    let none = || "–".to_owned();
    let simulated = comparison.simulated.as_ref();
    let between = |low: f64, high: f64| format!("{} to {}", shown(low), shown(high));
    let interval = simulated.map(|it| between(it.interval.low, it.interval.high));
    vec![
        plain(name),
        plain(shown(comparison.quantity.value)),
        plain(simulated.map_or_else(none, |estimate| shown(estimate.mean))),
        plain(interval.unwrap_or_else(none)),
        plain(match comparison.half_width.is_finite() {
            true => number(comparison.half_width, Unit::Percent),
            false => none(),
        }),
        Cell { text: comparison.verdict.name().to_owned(), tone },
        plain(ids.join(" ")),
    ]
}

/// The most characters of a name on a terminal.
const NAME_MOST: usize = 20;

/// Published rows that are not simulated, and why.
#[derive(Clone, Debug)]
pub struct NotSimulated {
    /// The names of the rows.
    pub ids: Vec<String>,
    /// Why.
    pub reason: String,
}

impl NotSimulated {
    /// Reads a CSV file with the columns `rows,reason`: names, or `FIRST..LAST` for a range.
    ///
    /// # Errors
    /// A row that is not published, or published after the last one of its range.
    pub fn read_all(text: &str, rows: &[published::Row]) -> Result<Vec<NotSimulated>, Problem> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let place = |id: &str| {
            rows.iter().position(|row| row.id == id).ok_or_else(|| {
                Problem::new(format!("no published row is called `{id}`"))
                    .expected("the name of a row, such as `MM1-017`")
            })
        };
        let mut all = Vec::new();
        for record in reader.records().flatten() {
            let mut ids = Vec::new();
            for name in record.get(0).unwrap_or_default().split_whitespace() {
                let (first, last) = name.split_once("..").unwrap_or((name, name));
                let range = place(first)?..=place(last)?;
                ids.extend(rows[range].iter().map(|row| row.id.clone()));
            }
            all.push(NotSimulated { ids, reason: record.get(1).unwrap_or_default().to_owned() });
        }
        Ok(all)
    }
}

/// What was run, for the page.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// The day, such as `2026-11-22`.
    pub date: String,
    /// How long it took, in words.
    pub took: String,
    pub command: String,
    /// Every cell, in the order of the experiments.
    pub cells: &'a [Compared],
    /// What others published about experiments.
    pub figures: &'a [Published],
    /// What was not simulated.
    pub not_simulated: &'a [NotSimulated],
    /// How many rows are published.
    pub published: usize,
}

/// The page of a whole validation, in Markdown.
pub fn page(page: &Page<'_>) -> String {
    let tally = Tally::of(page.cells);
    let simulated: usize =
        page.cells.iter().flat_map(|cell| &cell.quantities).map(|(ids, _)| ids.len()).sum();
    let left: usize = page.not_simulated.iter().map(|one| one.ids.len()).sum();
    let mut text = format!(
        "# Validation\n\n\
         What theory says beside what runs show. This page is written by `{}`; the last time on \
         {}, in {}.\n\n\
         Of {} published numbers, {simulated} are simulated {} {left} are not, for the\n\
         reasons below. {}.\n\n\
         A number is *inside* if it lies in the 99.9% interval of the runs (Student's, over\n\
         independent runs) and half of the interval is at most 1% of it: 3% for variances and\n\
         99.9th percentiles, twice as much where servers are busy 90% of the time or more, 5% for\n\
         service times whose squared coefficient of variation is 16 or more. Of a thousand right\n\
         numbers, one is expected outside by chance. Times are in seconds.\n\n\
         `stormglass validate FILE --set PATH=VALUE` tells the same for other parameters: the\n\
         theory is computed from the model as it is run.\n",
        page.command,
        page.date,
        page.took,
        page.published,
        if simulated + left == page.published { "here and" } else { "in these experiments, and" },
        tally.text(),
    );
    let mut rest = page.cells;
    while let Some(first) = rest.first() {
        let count = rest.iter().take_while(|cell| cell.experiment == first.experiment).count();
        let (own, others) = rest.split_at(count);
        text.push_str(&format!(
            "\n## {}\n\n{}",
            first.experiment,
            table(own, Detail::Page).markdown()
        ));
        rest = others;
    }
    if !page.figures.is_empty() {
        text.push_str(&published_part(page.figures));
    }
    text.push_str("\n## Not simulated\n\n| rows | how many | why |\n| --- | --- | --- |\n");
    for one in page.not_simulated {
        let names = one.ids.join(", ");
        text.push_str(&format!("| {names} | {} | {} |\n", one.ids.len(), one.reason));
    }
    text
}

/// What the runs say of published figures.
fn published_part(all: &[Published]) -> String {
    let mut text = format!(
        "\n## Published figures\n\n\
         Experiments of others, or of an independent simulator, from their files in\n\
         `experiments/published`. {}.\n\n\
         A figure *agrees* if it lies where it is expected: in the interval that chance in the\n\
         runs and in the figure itself leave it with 99.9%, widened by its tolerance where it was\n\
         published rounded. It is *imprecise* if it agrees, but the interval of the runs alone is\n\
         wide: half of it is more than 5% (0.05 of a share of runs), and more than twice the\n\
         figure's own. Of a thousand equal figures, one is expected to differ by chance.\n",
        figures::Tally::of(all).text()
    );
    text.extend(all.iter().map(Published::markdown));
    text
}
