//! I18: a projection is what a rebuild from its source's log would be.
//!
//! Judged at the end of the run, row by row, where the projection is at rest: no event or message
//! about an order that wrote the row is on its way to a handler that writes the projection. There
//! the projection's row is in the state of the source's last commit that stands, and has none where
//! the source has none. The projection is a table with the same kind of rows and the same names of
//! states, or the source's table at a replica. Of a replica, what it has yet to apply is on its
//! way; what it applied and no longer shows is not. A row about which something is on its way is
//! not judged. One that is wrong is so since it was written for the last time, on either side, or
//! fell back.

use std::collections::BTreeMap;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::judge::{Invariant, Judgement, Tally};
use super::known::ByOrder;
use super::names::table;
use super::on_its_way::OnItsWay;
use super::promise::{Judged, Promise};
use super::standing::Standing;
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{Kind, NodeId, Program, TableId, Transaction};
use crate::system::fact::kind::hears;
use crate::system::fact::{Fact, Waiting};

/// `projection_matches = { source = "orders.order", projection = "views.summary" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ProjectionMatchesText {
    /// The table that is the truth.
    source: String,
    /// The table that follows it, with the same names of states, or the same table at a replica.
    projection: String,
}

impl Promise for ProjectionMatchesText {
    const NAME: &'static str = "projection_matches";
    const SENTENCE: &'static str = "A projection is what a rebuild from its source's log would be.";
    const LABEL: &'static str = "wrong projections";
    const JUDGED: Judged = Judged::AtEnd;

    type Judge = ProjectionMatches;

    fn judge(&self, program: &Program) -> Result<ProjectionMatches, Problem> {
        let source = table(&self.source, program).map_err(|problem| problem.inside("source"))?;
        let projection = projection(&self.projection, source, program)
            .map_err(|problem| problem.inside("projection"))?;
        // A replica shows what is written to its source.
        let shown = match &projection {
            Projection::Table(_) => table(&self.projection, program)?.0,
            Projection::Replica(..) => source.0,
        };
        let writes = |one: &Transaction| one.writes.iter().any(|write| write.0 == shown);
        Ok(ProjectionMatches::of(source, projection, OnItsWay::to(program, writes)))
    }
}

/// Compares the rows of a table with those of a projection. Exposure: rows at rest.
#[derive(Clone, Debug)]
pub(super) struct ProjectionMatches {
    table: TableId,
    source: Standing,
    projection: Projection,
    /// The row of each order that wrote one.
    rows: ByOrder<Option<u64>>,
    /// The order that wrote a row last.
    writers: ByOrder<Option<u64>>,
    /// Whether something about a row is on its way.
    is_moving: ByOrder<bool>,
    /// Where that is.
    way: OnItsWay,
}

/// Where the rows are shown.
#[derive(Clone, Debug)]
enum Projection {
    Table(Standing),
    /// At a replica: the newest version of each row that it applied and no longer shows, and since
    /// when.
    Replica(NodeId, BTreeMap<u64, (u64, Time)>),
}

impl ProjectionMatches {
    fn of(source: (TableId, NodeId), projection: Projection, way: OnItsWay) -> ProjectionMatches {
        ProjectionMatches {
            table: source.0,
            source: Standing::rows(source),
            projection,
            rows: ByOrder::default(),
            writers: ByOrder::default(),
            is_moving: ByOrder::default(),
            way,
        }
    }

    /// Whether the projection of a row is what a rebuild would be; `None` if neither has it.
    fn matches(&self, row: u64) -> Option<bool> {
        let last = self.source.of(row).last();
        match &self.projection {
            Projection::Table(shown) => {
                let (last, shown) = (last.map(|last| last.state), shown.of(row).last());
                let shown = shown.map(|shown| shown.state);
                (last.is_some() || shown.is_some()).then_some(last == shown)
            }
            Projection::Replica(_, fallen) => {
                let fallen = fallen.get(&row).map(|&(version, _)| version);
                last.map(|last| fallen != Some(last.version))
            }
        }
    }

    /// When a row was written for the last time, or fell back, on either side.
    fn changed(&self, row: u64) -> Time {
        let written = |rows: &Standing| rows.of(row).last().map_or(Time::ZERO, |last| last.at);
        let shown = match &self.projection {
            Projection::Table(shown) => written(shown),
            Projection::Replica(_, fallen) => fallen.get(&row).map_or(Time::ZERO, |&(_, at)| at),
        };
        written(&self.source).max(shown)
    }

    /// How many rows there may be.
    fn rows(&self) -> usize {
        match &self.projection {
            Projection::Table(shown) => self.source.iter().count().max(shown.iter().count()),
            Projection::Replica(..) => self.source.iter().count(),
        }
    }
}

/// A table, or the source's table at a replica, by name.
fn projection(
    name: &str,
    source: (TableId, NodeId),
    program: &Program,
) -> Result<Projection, Problem> {
    let of_table = &program.tables[source.0.0 as usize];
    let at_replica = name.split_once('.').and_then(|(node, own)| {
        let id = program.find_node(node)?;
        let Kind::Replica(replica) = &program.node(id).kind else { return None };
        let is_source = replica.of == source.1 && of_table.name.ends_with(&format!(".{own}"));
        is_source.then_some(id)
    });
    if let Some(replica) = at_replica {
        return Ok(Projection::Replica(replica, BTreeMap::new()));
    }
    let shown = table(name, program)?;
    if program.tables[shown.0.0 as usize].rows != of_table.rows {
        let problem = Problem::new(format!("the rows of `{name}` are not those of its source"));
        return Err(problem.expected(format!("rows as `{}` has them", of_table.name)));
    }
    Ok(Projection::Table(Standing::rows(shown)))
}

hears!(ProjectionMatches: Committed, FellBack, Unprocessed; Standing);

impl Invariant for ProjectionMatches {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Committed { table, row, order, .. } if table == self.table => {
                *self.rows.of(order) = Some(row);
                *self.writers.of(row) = Some(order);
            }
            FellBack { node, table, row, version } if table == self.table => {
                if let Projection::Replica(replica, fallen) = &mut self.projection
                    && *replica == node
                {
                    let newest = fallen.entry(row).or_insert((version, now));
                    if version > newest.0 {
                        *newest = (version, now);
                    }
                }
            }
            Unprocessed(Waiting { node, order, .. }) if self.way.leads_from(node) => {
                if let Some(&Some(row)) = self.rows.get(order) {
                    *self.is_moving.of(row) = true;
                }
            }
            _ => {}
        }
        self.source.observe::<Self>(now, fact);
        if let Projection::Table(shown) = &mut self.projection {
            shown.observe::<Self>(now, fact);
        }
    }

    fn tally(&self, _: Judgement) -> Tally {
        let mut tally = Tally::default();
        for row in 0..self.rows() as u64 {
            let Some(matches) = self.matches(row) else { continue };
            if self.is_moving.get(row) == Some(&true) {
                tally.not_judged();
                continue;
            }
            tally.exposed();
            if !matches {
                tally.broken(self.changed(row), self.writers.get(row).copied().flatten());
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::fixture::*;
    use crate::model::program::LabelId;

    const VIEWS: (TableId, NodeId) = (TableId(1), NodeId(2));
    const REPLICA: NodeId = NodeId(3);

    fn invariant(projection: Projection) -> ProjectionMatches {
        ProjectionMatches::of((ORDERS, DATABASE), projection, OnItsWay::from(QUEUE))
    }

    fn of(projection: Projection, facts: &[Fact]) -> (u64, u64) {
        let facts: Vec<(u64, Fact)> = facts.iter().map(|&fact| (1, fact)).collect();
        counts(judge(invariant(projection), &facts, 0, 9))
    }

    fn of_table(facts: &[Fact]) -> (u64, u64) {
        of(Projection::Table(Standing::rows(VIEWS)), facts)
    }

    fn shown(row: u64, state: LabelId, position: u64) -> Fact {
        Fact::Committed {
            table: VIEWS.0,
            row,
            order: row,
            state,
            before: None,
            version: 1,
            position,
            amount: 0,
        }
    }

    fn with_order(fact: Fact, order: u64) -> Fact {
        match fact {
            Fact::Committed { table, row, state, before, version, position, amount, .. } => {
                Fact::Committed { table, row, order, state, before, version, position, amount }
            }
            other => other,
        }
    }

    #[test]
    fn a_row_that_shows_another_state_than_its_source_breaks_it() {
        let source = [committed(0, PLACED, 1), committed(0, PAID, 2)];
        let with = |facts: &[Fact]| of_table(&[&source[..], facts].concat());
        assert_eq!(with(&[shown(0, PLACED, 1), shown(0, PAID, 2)]), (0, 1));
        assert_eq!(with(&[shown(0, PAID, 1), shown(0, PLACED, 2)]), (1, 1));
        assert_eq!(with(&[]), (1, 1), "it shows nothing");
        assert_eq!(with(&[shown(0, PAID, 1), shown(1, PAID, 2)]), (1, 2), "a row too many");
    }

    #[test]
    fn what_is_on_its_way_is_not_judged() {
        let waits_at = |node| Fact::Unprocessed(Waiting { node, order: 0, since: Time::ZERO });
        assert_eq!(of_table(&[committed(0, PLACED, 1), waits_at(QUEUE)]), (0, 0));
        let elsewhere = [committed(0, PLACED, 1), waits_at(NodeId(9))];
        assert_eq!(of_table(&elsewhere), (1, 1), "that does not lead to the projection");
    }

    #[test]
    fn it_is_broken_since_a_side_was_written_for_the_last_time() {
        let of = |facts: &[(u64, Fact)]| {
            let projection = Projection::Table(Standing::rows(VIEWS));
            judge(invariant(projection), facts, 0, 9)
        };
        let source = [(1, committed(0, PLACED, 1)), (2, committed(0, PAID, 2))];
        assert_eq!(of(&source).first.unwrap().at, at(2));
        let late = [&source[..], &[(5, shown(0, PLACED, 1))]].concat();
        assert_eq!(of(&late).first.unwrap().at, at(5));
        let by_another = (5, with_order(shown(0, PLACED, 1), 3));
        let found = of(&[&source[..], &[by_another]].concat()).first.unwrap();
        assert_eq!(found.order, Some(0), "the order is the one that wrote the source");
        let moving = [
            source[0],
            (9, Fact::Unprocessed(Waiting { node: QUEUE, order: 0, since: Time::ZERO })),
        ];
        assert_eq!((of(&moving).exposure, of(&moving).unjudged), (0, 1));
    }

    #[test]
    fn what_a_crash_undid_is_in_no_rebuild() {
        let facts = [committed(0, PLACED, 1), flushed(1), committed(0, PAID, 2), log_lost(1)];
        assert_eq!(of_table(&[&facts[..], &[shown(0, PLACED, 1)]].concat()), (0, 1));
        assert_eq!(of_table(&[&facts[..], &[shown(0, PAID, 1)]].concat()), (1, 1));
    }

    #[test]
    fn a_replica_that_fell_back_breaks_it_until_the_row_is_written_again() {
        let of_replica = |facts: &[Fact]| of(Projection::Replica(REPLICA, BTreeMap::new()), facts);
        let write = |version, position| Fact::Committed {
            table: ORDERS,
            row: 0,
            order: 0,
            state: PLACED,
            before: None,
            version,
            position,
            amount: 0,
        };
        let fell = |node, version| Fact::FellBack { node, table: ORDERS, row: 0, version };
        assert_eq!(of_replica(&[write(1, 1), write(2, 2)]), (0, 1));
        assert_eq!(of_replica(&[write(1, 1), write(2, 2), fell(REPLICA, 2)]), (1, 1));
        for falls in [[1, 2], [2, 1]] {
            let falls = falls.map(|version| fell(REPLICA, version));
            assert_eq!(of_replica(&[&[write(1, 1), write(2, 2)], &falls[..]].concat()), (1, 1));
        }
        assert_eq!(of_replica(&[write(1, 1), write(2, 2), fell(QUEUE, 2)]), (0, 1));
        let other = Fact::FellBack { node: REPLICA, table: VIEWS.0, row: 0, version: 2 };
        assert_eq!(of_replica(&[write(1, 1), write(2, 2), other]), (0, 1), "another table");
        let twice = [(1, write(1, 1)), (3, fell(REPLICA, 1)), (5, fell(REPLICA, 1))];
        let replica = Projection::Replica(REPLICA, BTreeMap::new());
        let tally = judge(invariant(replica), &twice, 0, 9);
        let first = tally.first.unwrap();
        assert_eq!((first.at, first.order), (at(3), Some(0)), "since it first fell back");
        assert_eq!(of_replica(&[write(1, 1), write(2, 2), fell(REPLICA, 2), write(3, 3)]), (0, 1));
    }
}
