//! Relays.

use super::{Compiler, station};
use crate::kernel::time::Span;
use crate::model::check;
use crate::model::language::{Claim, Outbox};
use crate::model::problem::Problem;
use crate::model::program::{self, Kind, OperationId, Tail};
use crate::model::quantity::Count;

/// The most relays of an outbox.
const RELAYS_MAX: u32 = 100;

impl Compiler<'_> {
    pub(super) fn outbox(&mut self, name: &str, outbox: &Outbox) {
        let is_database = |kind: &Kind| matches!(kind, Kind::Database(_));
        let path = ["outbox", name, "database"];
        let Some(database) = self.node_of(&path, &outbox.database, "database", is_database) else {
            return;
        };
        let tail =
            outbox.tail.map(|tail| Tail { latency: tail.latency, checkpoint: tail.checkpoint });
        let kind = Kind::Outbox(program::Outbox {
            database,
            targets: Vec::new(),
            batch: outbox.batch,
            relays: outbox.relays,
            claim: outbox.claim,
            mark_first: outbox.mark_first,
            publish: outbox.publish.map(|publish| program::Publish {
                in_flight: publish.in_flight,
                batch: publish.batch,
                ordering_key: publish.ordering_key,
                operation: OperationId(0),
            }),
            tail,
            operation: OperationId(0),
        });
        // Each relay is a process with policy states of its own.
        let relay = self.node("outbox", name, kind, station(outbox.relays, Count::Unlimited));
        if let (Some(relay), Some(_)) = (relay, tail)
            && let Kind::Database(database) = &mut self.program.nodes[database.0 as usize].kind
        {
            database.tailed_by.push(relay);
        }
        for (key, problem) in contradictions(outbox) {
            self.problem(&["outbox", name, key], problem);
        }
    }
}

/// The most publish requests of a relay that are under way at once.
const IN_FLIGHT_MAX: u32 = 1_000;

/// Keys of an outbox that make no sense, or none together.
fn contradictions(outbox: &Outbox) -> Vec<(&'static str, Problem)> {
    let mut problems = Vec::new();
    if let Err(problem) = check::count("rows", outbox.batch, 1, u32::from(u16::MAX)) {
        problems.push(("batch", problem));
    }
    if let Err(problem) = check::count("relays", outbox.relays, 1, RELAYS_MAX) {
        problems.push(("relays", problem));
    }
    if let (Some(_), [_, ..]) = (outbox.publish, &outbox.routes[..]) {
        let problem = Problem::new("a request carries events to one queue")
            .expected("`routes` without `publish`, or an outbox relay with one queue");
        problems.push(("routes", problem));
    }
    if let Some(publish) = outbox.publish {
        let counts = [
            ("in_flight", "requests", publish.in_flight, IN_FLIGHT_MAX),
            ("batch", "events", publish.batch, u32::from(u16::MAX)),
        ];
        for (key, what, count, most) in counts {
            if let Err(problem) = check::count(what, count, 1, most) {
                problems.push(("publish", problem.inside(key)));
            }
        }
    }
    if outbox.poll == Span::ZERO {
        let problem = Problem::new("a relay that never waits would let no time pass")
            .expected("more than 0s");
        problems.push(("poll", problem));
    }
    if let Some(tail) = outbox.tail {
        if tail.checkpoint == Span::ZERO {
            let problem = Problem::new("a relay would do nothing but store how far it is")
                .expected("more than 0s")
                .inside("checkpoint");
            problems.push(("tail", problem));
        }
        let table_only = [
            ("mark_first", outbox.mark_first, "a log is followed, not marked"),
            ("relays", outbox.relays > 1, "a log has one follower, who keeps its order"),
            ("claim", outbox.claim != Claim::None, "a log has one follower and no locks"),
        ];
        for (key, is_given, wrong) in table_only {
            if is_given {
                let problem = Problem::new(wrong).expected(format!("`{key}` without `tail`"));
                problems.push((key, problem));
            }
        }
    }
    problems
}
