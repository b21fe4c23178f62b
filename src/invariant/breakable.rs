//! Promises that nothing in a model can break: no mistakes, but likely the sign of one.

use super::WatchList;
use super::names::{effect, operation, queue, table};
use crate::model::problem::Problem;
use crate::model::program::{
    CacheStep, Call, DataStep, LabelId, NodeId, NodeStep, Program, ProviderStep, Step, TableId,
};

/// Each promise that nothing in a program can break, by its name.
pub fn unbreakable(list: &WatchList, program: &Program) -> Vec<(String, Problem)> {
    let each = list.iter().flat_map(|one| {
        let mut asked = Breakable { program, found: Vec::new() };
        one.text.breakable(&mut asked);
        asked.found.into_iter().map(|problem| (one.name.clone(), problem))
    });
    each.collect()
}

fn calls(program: &Program) -> impl Iterator<Item = &Call> {
    program.steps.iter().filter_map(|step| match step {
        Step::Call(call) => Some(call),
        _ => None,
    })
}

/// Whether a step calls an operation that has this effect.
pub fn can_happen(effect: LabelId, program: &Program) -> bool {
    let has_effect = |call: &Call| {
        let start = program.operation(call.operation).start as usize;
        let starts = program.operations.iter().map(|other| other.start as usize);
        let end = starts.filter(|&other| other > start).min().unwrap_or(program.steps.len());
        let mut steps = program.steps[start..end].iter();
        steps.any(|step| match step {
            Step::Node(NodeStep::Provider(ProviderStep::Effect(label))) => *label == effect,
            _ => false,
        })
    };
    calls(program).any(has_effect)
}

/// Whether anything brings messages to a queue: a step, a relay, or another queue.
pub fn is_fed(queue: NodeId, program: &Program) -> bool {
    let name = &program.node(queue).name;
    let publishes = ["publish", "publish_batch"].map(|how| format!("{name}.{how}"));
    let is_one = |call: &Call| publishes.contains(&program.operation(call.operation).name);
    program.gets_dead_letters(queue) || calls(program).any(is_one)
}

/// What a promise asks about a program, and what was found. Names that the program does not have
/// are told elsewhere.
pub(super) struct Breakable<'p> {
    /// The program.
    pub(super) program: &'p Program,
    found: Vec<Problem>,
}

impl Breakable<'_> {
    /// Notes that the promise cannot be broken for what stands at a key.
    pub(super) fn note(&mut self, key: &str, why: &str, expected: &str) {
        let problem = Problem::new(format!("nothing can break this promise: {why}"));
        self.found.push(problem.expected(expected).inside(key));
    }

    /// An effect must happen.
    pub(super) fn effect(&mut self, key: &str, text: &str) {
        if effect(text, self.program).is_ok_and(|effect| !can_happen(effect, self.program)) {
            let why = format!("no step calls for the effect `{text}`");
            self.note(key, &why, "an effect that a step calls for");
        }
    }

    /// An operation must be called in such a way.
    pub(super) fn called(
        &mut self,
        key: &str,
        text: &str,
        (what, expected): (&str, &str),
        matters: impl Fn(&Call) -> bool,
    ) {
        let Ok(operation) = operation(text, self.program) else { return };
        if !calls(self.program).any(|call| call.operation == operation && matters(call)) {
            let why = format!("no {what} `{text}`");
            self.note(key, &why, expected);
        }
    }

    /// Users must call an operation.
    pub(super) fn told_users(&mut self, key: &str, text: &str) {
        let (program, users) = (self.program, ("user calls", "an operation that users call"));
        self.called(key, text, users, |call| program.edge(call.edge).is_entry);
    }

    /// Rows of one of these tables must be written.
    pub(super) fn written(&mut self, key: &str, texts: &[&str]) {
        let tables: Vec<_> = texts.iter().flat_map(|text| table(text, self.program)).collect();
        let mut writes = self.program.transactions.iter().flat_map(|one| &one.writes);
        let is_one = |written| tables.iter().any(|(wanted, _)| *wanted == written);
        if tables.len() == texts.len() && !writes.any(|(written, _)| is_one(*written)) {
            let why = format!("no step writes rows of `{}`", texts[0]);
            self.note(key, &why, "a table that a transaction writes");
        }
    }

    /// Something must bring messages to a queue.
    pub(super) fn fed(&mut self, key: &str, text: &str) {
        if queue(text, self.program).is_ok_and(|id| !is_fed(id, self.program)) {
            let why = format!("nothing publishes to `{text}`");
            self.note(key, &why, "a queue that something publishes to");
        }
    }
}

/// The table of the row that a step reads, at a store or at a cache.
pub(super) fn row_read(step: &Step) -> Option<TableId> {
    match step {
        Step::Node(NodeStep::Data(DataStep::ReadRow(table)))
        | Step::Node(NodeStep::Cache(CacheStep::Lookup(table))) => Some(*table),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::example::{listed, program};

    fn found(texts: &str) -> Vec<String> {
        found_in(texts, &program())
    }

    /// The model, in which nobody does anything.
    fn idle() -> Program {
        let program = program();
        let steps = program
            .steps
            .iter()
            .filter(|step| matches!(step, Step::Node(NodeStep::Provider(ProviderStep::Effect(_)))));
        Program { steps: steps.cloned().collect(), transactions: Vec::new(), ..program }
    }

    fn found_in(texts: &str, program: &Program) -> Vec<String> {
        let list = listed(texts).unwrap();
        let found = unbreakable(&list, program).into_iter();
        found.map(|(name, problem)| format!("{name}.{}", problem.inside.join("."))).collect()
    }

    #[test]
    fn what_is_called_and_read_can_break_a_promise() {
        assert_eq!(found("one_charge = { effect = 'charge' }"), [""; 0]);
        assert_eq!(
            found("amount_kept = { order = 'db.order = paid', charge = 'charge' }"),
            [""; 0]
        );
        assert_eq!(found("bounded_staleness = { read = 'db.item', within = '1s' }"), [""; 0]);
        assert_eq!(found("retries_bounded = { operation = 'bank.charge', attempts = 2 }"), [""; 0]);
        let honest = "honest_answer = { answer = 'api.place', effect = 'charge', within = '1s' }";
        assert_eq!(found(honest), [""; 0]);
        assert_eq!(found("implies = { if = 'effect charge', then = ['db.order'] }"), [""; 0]);
    }

    #[test]
    fn what_nobody_asks_for_breaks_none() {
        assert_eq!(found("read_your_writes = { read = 'api.look' }"), ["read_your_writes.read"]);
        assert_eq!(found("monotonic_reads = { read = 'api.look' }"), ["monotonic_reads.read"]);
        assert_eq!(found("same_answer = { operation = 'bank.charge' }"), ["same_answer.operation"]);
        assert_eq!(found("no_lost_update = { table = 'db.debit' }"), ["no_lost_update.table"]);
        assert_eq!(found("fencing = { database = 'db' }"), ["fencing.database"]);
        assert_eq!(
            found("bounded_staleness = { read = 'db.debit', within = '1s' }"),
            ["bounded_staleness.read"]
        );
        let honest = "honest_answer = { answer = 'bank.charge', effect = 'charge', within = '1s' }";
        assert_eq!(found(honest), ["honest_answer.answer"]);
        let right = |protected: &str| {
            found(&format!(
                "no_stale_authorisation = {{ revoked = 'db.grant = revoked', protected = '{protected}' }}"
            ))
        };
        assert_eq!(right("bank.charge"), ["no_stale_authorisation.protected"]);
        assert_eq!((right("api.place"), right("charge")), (vec![], vec![]));
    }

    #[test]
    fn what_no_step_does_or_writes_breaks_none() {
        let program = idle();
        let found = |texts: &str| found_in(texts, &program);
        assert_eq!(found("one_charge = { effect = 'charge' }"), ["one_charge.effect"]);
        let amount = "amount_kept = { order = 'db.order = paid', charge = 'charge' }";
        assert_eq!(found(amount), ["amount_kept.charge"; 2]);
        assert_eq!(
            found("legal_states = { table = 'db.order', allowed = [] }"),
            ["legal_states.table"]
        );
        let ledger = "ledger_conserved = { debit = 'db.order', credit = 'db.order' }";
        assert_eq!(found(ledger), ["ledger_conserved.debit"]);
        let program = self::program();
        let transactions = program.transactions[2..].to_vec();
        let others = Program { transactions, ..program };
        let legal = "legal_states = { table = 'db.order', allowed = [] }";
        assert_eq!(found_in(legal, &others), ["legal_states.table"], "only others are written");
        assert_eq!(found_in(ledger, &self::program()), [""; 0]);
        let charged = "charge_has_order = { effect = 'charge', order = 'db.order', within = '1s' }";
        assert_eq!(found(charged), ["charge_has_order.effect"]);
        assert_eq!(found_in(charged, &self::program()), [""; 0]);
        let implies = "implies = { if = 'effect charge', then = ['db.order'] }";
        assert_eq!(found(implies), ["implies.if"]);
        let right =
            "no_stale_authorisation = { revoked = 'db.grant = revoked', protected = 'charge' }";
        assert_eq!(found(right), ["no_stale_authorisation.protected"]);
        let late = "deadline_honest = { operation = 'api.place', effect = 'charge', skew = '0s' }";
        assert_eq!(found(late), ["deadline_honest.effect", "deadline_honest.operation"]);
    }

    #[test]
    fn what_only_others_do_breaks_none() {
        let kept = |accepted: &str| {
            found(&format!(
                "accepted_order_kept = {{ accepted = '{accepted}', order = 'db.order', \
                 settled = 'db.order = paid' }}"
            ))
        };
        assert_eq!((kept("api.place"), kept("bank.charge").len()), (vec![], 1));
        let settled = |accepted: &str| {
            found(&format!(
                "settled_or_compensated = {{ accepted = '{accepted}', \
                 settled = 'db.order = paid', within = '1s' }}"
            ))
        };
        assert_eq!((settled("api.place"), settled("bank.charge").len()), (vec![], 1));
        let late = |operation: &str| {
            found(&format!(
                "deadline_honest = {{ operation = '{operation}', effect = 'charge', \
                 skew = '0s' }}"
            ))
        };
        assert_eq!((late("api.place"), late("bank.charge").len()), (vec![], 1));
        let idle = idle();
        let tried = "retries_bounded = { operation = 'bank.charge', attempts = 2 }";
        assert_eq!(found_in(tried, &idle), ["retries_bounded.operation"]);
    }
}
