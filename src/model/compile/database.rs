//! Databases and their tables.

use super::{Compiler, station_with};
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::model::check;
use crate::model::language::{Database, Flush, Replication, Rows, Table};
use crate::model::problem::Problem;
use crate::model::program::{self, Kind, LabelId, Station};

/// The most that a stock can hold: numbers up to twice as many are labels.
pub(super) const STOCK_MAX: u32 = 30_000;

impl Compiler<'_> {
    pub(super) fn database(&mut self, name: &str, database: &Database) {
        let (span, key) = match database.flush {
            Flush::EachCommit => (None, ""),
            Flush::Every(span) => (Some(span), "every"),
            Flush::Group(span) => (Some(span), "group"),
        };
        if span == Some(Span::ZERO) {
            let problem = Problem::new("a log that is always flushed would let no time pass")
                .expected("more than 0s, or \"each_commit\"");
            self.problem(&["database", name, "flush", key], problem);
        }
        if database.lock_timeout == Span::ZERO {
            let problem = Problem::new("nobody waits for a row for no time at all")
                .expected("more than 0s; 50s without this key");
            self.problem(&["database", name, "lock_timeout"], problem);
        }
        let semi_sync = match database.replication {
            Replication::Async => None,
            Replication::SemiSync(semi_sync) => Some(semi_sync.timeout),
        };
        if semi_sync == Some(Span::ZERO) {
            let problem = Problem::new("a transaction that does not wait is asynchronous")
                .expected("more than 0s, or replication = \"async\"");
            self.problem(&["database", name, "replication", "semi_sync", "timeout"], problem);
        }
        let kind = Kind::Database(program::Database {
            flush: database.flush,
            semi_sync,
            fencing: database.fencing,
            lock_timeout: database.lock_timeout,
            replicas: Vec::new(),
            tailed_by: Vec::new(),
        });
        let station = Station {
            max_wait: database
                .acquire_timeout
                .map(Distribution::Constant)
                .or_else(|| database.queue.max_wait.clone()),
            ..station_with(1, database.connections, &database.queue)
        };
        self.node("database", name, kind, station);
        self.tables(name, database);
    }

    fn tables(&mut self, name: &str, database: &Database) {
        let Some(id) = self.program.find_node(name) else { return };
        for (table, text) in &database.tables {
            if table == "outbox" || table == "audit" {
                let problem = Problem::new(format!("every database has its own `{table}`"))
                    .expected("another name");
                self.problem(&["database", name, "tables", table], problem);
            }
            if let Err(problem) = check::name("a table", table) {
                self.problem(&["database", name, "tables", table], problem);
            }
            let initial = text.initial.as_deref().map(|state| {
                if let Err(problem) = check::name("a state", state) {
                    self.problem(&["database", name, "tables", table, "initial"], problem);
                }
                self.program.label(state)
            });
            if let Err(problem) = check_stock(text) {
                self.problem(&["database", name, "tables", table], problem);
            }
            let stock = text.stock.map(|stock| stock.min(STOCK_MAX) as u16);
            self.program.tables.push(program::Table {
                database: id,
                name: format!("{name}.{table}"),
                rows: text.rows,
                initial: stock.map(LabelId).or(initial),
                stock,
            });
        }
    }
}

/// A table of numbers has a row for each key, from the start.
fn check_stock(table: &Table) -> Result<(), Problem> {
    let Some(stock) = table.stock else { return Ok(()) };
    check::count("pieces in stock", stock, 0, STOCK_MAX).map_err(|it| it.inside("stock"))?;
    if table.rows == Rows::Order {
        return Err(Problem::new("nobody shares the stock of an order")
            .expected("`rows = \"key\"` beside `stock`")
            .inside("stock"));
    }
    match table.initial {
        None => Ok(()),
        Some(_) => Err(Problem::new("a row is a state or a number")
            .expected("`initial` or `stock`")
            .inside("initial")),
    }
}
