//! The tables of a budget: a short one for the terminal, and all numbers with their intervals.

use super::{Report, points, shown};
use crate::experiment::budget::found::Found;
use crate::report::arms::{column, plain};
use crate::report::number::{Unit, number};
use crate::report::table::{Align, Cell, Row, Table, Tone};

impl Report<'_> {
    /// The table for the terminal: what each kind spends in each arm, on average.
    pub fn short(&self) -> Table {
        let mut columns = vec![column("", Align::Left, 0), column("a month", Align::Right, 0)];
        columns.extend(self.arms.iter().map(|arm| column(&arm.label, Align::Right, 0)));
        let mut rows: Vec<Row> = Vec::new();
        for (place, kind) in self.asked.kinds.iter().enumerate() {
            let often = number(kind.per_month, Unit::Plain);
            rows.push(self.row(&kind.label, &often, |found| percent(found.kinds[place].mean)));
        }
        if self.found.iter().any(|found| found.calm.mean > 0.0) {
            rows.push(self.row("calm days", "", |found| percent(found.calm.mean)));
        }
        rows.push(self.row("all", "", |found| Cell {
            tone: if found.all.mean > 1.0 { Tone::Bad } else { Tone::Plain },
            ..percent(found.all.mean)
        }));
        rows.push(
            self.row(&format!("{}s over", self.window()), "", |found| percent(found.over.mean)),
        );
        if let Some(prices) = self.prices {
            rows.push(self.row(&format!("costs, {}", prices.currency), "", |found| {
                plain(found.cost.map_or("–".to_owned(), |it| number(it.mean, Unit::Plain)))
            }));
        }
        if self.asked.policy.is_some() {
            rows.push(self.row("days frozen", "", |found| {
                let own = found.policy.map(|[frozen, _]| number(frozen.mean, Unit::Plain));
                plain(own.unwrap_or_default())
            }));
        }
        Table { columns, rows }
    }

    fn row(&self, name: &str, often: &str, cell: impl Fn(&Found) -> Cell) -> Row {
        let head = [plain(name.to_owned()), plain(often.to_owned())].into_iter();
        Row::Cells(head.chain(self.found.iter().map(cell)).collect())
    }

    /// All numbers with their intervals: by arm and kind of incident, and by arm.
    pub fn tables(&self) -> Vec<Table> {
        vec![self.by_kind(), self.by_arm()]
    }

    fn by_kind(&self) -> Table {
        let columns = vec![
            column("what spends it", Align::Left, 0),
            column("a month", Align::Right, 0),
            column("one spends", Align::Right, 0),
            column("of the budget", Align::Right, 0),
            column("of what is spent", Align::Right, 0),
            column("not recovered", Align::Right, 0),
        ];
        let mut rows = Vec::new();
        for (arm, found) in self.arms.iter().zip(self.found) {
            rows.push(Row::Group(arm.label.clone()));
            let runs = arm.spent.calm.len();
            for (place, kind) in self.asked.kinds.iter().enumerate() {
                let change = if kind.is_change { " (a change)" } else { "" };
                let texts = [
                    format!("{}{change}", kind.label),
                    number(kind.per_month, Unit::Plain),
                    shown(found.each[place], Unit::Percent),
                    shown(found.kinds[place], Unit::Percent),
                    shown(found.shares[place], Unit::Percent),
                    format!("{} of {runs}", arm.unrecovered[place]),
                ];
                rows.push(Row::Cells(texts.into_iter().map(plain).collect()));
            }
            let share = found.shares.last().map_or(String::new(), |it| shown(*it, Unit::Percent));
            let empty = String::new;
            let calm = shown(found.calm, Unit::Percent);
            let texts = ["calm days".to_owned(), empty(), empty(), calm, share, empty()];
            rows.push(Row::Cells(texts.into_iter().map(plain).collect()));
        }
        Table { columns, rows }
    }

    fn by_arm(&self) -> Table {
        let window = self.window();
        let mut columns = vec![
            column("arm", Align::Left, 0),
            column("spent in all", Align::Right, 0),
            column(&format!("{window}s over"), Align::Right, 0),
            column("median", Align::Right, 0),
            column("one in twenty", Align::Right, 0),
            column("bought back", Align::Right, 0),
        ];
        if let Some(prices) = self.prices {
            columns.push(column(
                &format!("a {window} costs, {}", prices.currency),
                Align::Right,
                0,
            ));
            columns.push(column("dearer by", Align::Right, 0));
        }
        if self.asked.policy.is_some() {
            columns.push(column("days frozen", Align::Right, 0));
            columns.push(column("post-mortems", Align::Right, 0));
        }
        let mut rows = Vec::new();
        for (arm, found) in self.arms.iter().zip(self.found) {
            let mut texts = vec![
                arm.label.clone(),
                shown(found.all, Unit::Percent),
                shown(found.over, Unit::Percent),
                number(found.quantiles[0], Unit::Percent),
                number(found.quantiles[1], Unit::Percent),
                points(found.bought),
            ];
            texts.extend(
                [found.cost, found.dearer].into_iter().flatten().map(|it| shown(it, Unit::Plain)),
            );
            texts.extend(found.policy.into_iter().flatten().map(|it| shown(it, Unit::Plain)));
            rows.push(Row::Cells(texts.into_iter().map(plain).collect()));
        }
        Table { columns, rows }
    }
}

fn percent(share: f64) -> Cell {
    plain(number(share, Unit::Percent))
}
