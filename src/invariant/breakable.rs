//! Promises that nothing in a model can break: no mistakes, but likely the sign of one.

use super::language::{database, effect, operation, queue, table};
use super::{InvariantTexts, WatchList};
use crate::model::problem::Problem;
use crate::model::program::{
    CacheStep, Call, DataStep, Kind, LabelId, Memory, NodeId, NodeStep, Program, ProviderStep,
    Step, TableId, Token,
};

/// Each promise that nothing in a program can break, by its name.
pub(crate) fn unbreakable(list: &WatchList, program: &Program) -> Vec<(String, Problem)> {
    let each = list.iter().flat_map(|one| {
        let found = of_texts(&one.texts, program).into_iter();
        found.map(|(_, problem)| (one.name.clone(), problem))
    });
    each.collect()
}

/// The same of what stands in the texts, by what is promised.
fn of_texts(texts: &InvariantTexts, program: &Program) -> Vec<(&'static str, Problem)> {
    let asked = Asked { program, found: Vec::new() };
    asked.effects(texts).answers(texts).reads_and_writes(texts).messages(texts).found
}

fn calls(program: &Program) -> impl Iterator<Item = &Call> {
    program.steps.iter().filter_map(|step| match step {
        Step::Call(call) => Some(call),
        _ => None,
    })
}

/// Whether a step calls an operation that has this effect.
pub(crate) fn can_happen(effect: LabelId, program: &Program) -> bool {
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
pub(crate) fn is_fed(queue: NodeId, program: &Program) -> bool {
    let name = &program.node(queue).name;
    let publishes = ["publish", "publish_batch"].map(|how| format!("{name}.{how}"));
    let is_one = |call: &Call| publishes.contains(&program.operation(call.operation).name);
    program.gets_dead_letters(queue) || calls(program).any(is_one)
}

/// What is asked about a program, and what was found. Names that it does not have are told
/// elsewhere.
struct Asked<'p> {
    program: &'p Program,
    found: Vec<(&'static str, Problem)>,
}

impl Asked<'_> {
    /// Notes that a promise cannot be broken for what stands at a key.
    fn note(&mut self, name: &'static str, key: &str, why: &str, expected: &str) {
        let problem = Problem::new(format!("nothing can break this promise: {why}"));
        self.found.push((name, problem.expected(expected).inside(key)));
    }

    /// An effect that must happen for a promise to be broken.
    fn effect(&mut self, name: &'static str, key: &str, text: Option<&String>) {
        let Some(text) = text else { return };
        if effect(text, self.program).is_ok_and(|effect| !can_happen(effect, self.program)) {
            let why = format!("no step calls for the effect `{text}`");
            self.note(name, key, &why, "an effect that a step calls for");
        }
    }

    /// An operation whose answers a promise is about, of which some calls matter.
    fn answer(
        &mut self,
        name: &'static str,
        (key, text): (&str, Option<&String>),
        (what, expected): (&str, &str),
        matters: impl Fn(&Program, &Call) -> bool,
    ) {
        let Some(text) = text else { return };
        let Ok(operation) = operation(text, self.program) else { return };
        let is_it = |call: &Call| call.operation == operation && matters(self.program, call);
        if !calls(self.program).any(is_it) {
            let why = format!("no {what} `{text}`");
            self.note(name, key, &why, expected);
        }
    }

    fn effects(mut self, texts: &InvariantTexts) -> Self {
        let of = |text: Option<&str>| text.map(str::to_owned);
        let one = texts.one_charge.as_ref().map(|text| &text.effect);
        self.effect("one_charge", "effect", one);
        let charge = texts.charge_has_order.as_ref().map(|text| &text.effect);
        self.effect("charge_has_order", "effect", charge);
        let late = texts.deadline_honest.as_ref().map(|text| &text.effect);
        self.effect("deadline_honest", "effect", late);
        let cause = texts.implies.as_ref().and_then(|text| text.cause.strip_prefix("effect "));
        self.effect("implies", "if", of(cause.map(str::trim)).as_ref());
        let right = texts.no_stale_authorisation.as_ref().map(|text| &text.protected);
        self.effect("no_stale_authorisation", "protected", right);
        let charged = texts.amount_kept.as_ref().map(|text| &text.charge);
        self.effect("amount_kept", "charge", charged);
        let carries = |step: &Step| matches!(step, Step::TakeAmount);
        if texts.amount_kept.is_some() && !self.program.steps.iter().any(carries) {
            let why = "no step reads an amount";
            self.note("amount_kept", "charge", why, "a step `read` with `amount = true`");
        }
        self
    }

    fn answers(mut self, texts: &InvariantTexts) -> Self {
        let is_users = |program: &Program, call: &Call| program.edge(call.edge).is_entry;
        let users = ("user calls", "an operation that users call");
        let accepted = texts.accepted_order_kept.as_ref().map(|text| &text.accepted);
        self.answer("accepted_order_kept", ("accepted", accepted), users, is_users);
        let accepted = texts.settled_or_compensated.as_ref().map(|text| &text.accepted);
        self.answer("settled_or_compensated", ("accepted", accepted), users, is_users);
        let told = texts.honest_answer.as_ref().map(|text| &text.answer);
        self.answer("honest_answer", ("answer", told), users, is_users);
        let waiting = texts.deadline_honest.as_ref().map(|text| &text.operation);
        self.answer("deadline_honest", ("operation", waiting), users, is_users);
        let own = texts.read_your_writes.as_ref().map(|text| &text.read);
        let expects =
            ("call expects its user's own write of", "a call with `expect = \"own write\"`");
        self.answer("read_your_writes", ("read", own), expects, |_, call| call.expects_own_write);
        let again = texts.monotonic_reads.as_ref().map(|text| &text.read);
        let expects = ("call expects nothing older of", "a call with `expect = \"not older\"`");
        let compares = |_: &Program, call: &Call| call.memory == Memory::Compared;
        self.answer("monotonic_reads", ("read", again), expects, compares);
        let keyed = texts.same_answer.as_ref().map(|text| &text.operation);
        let expects = ("call has an idempotency key at", "a call with an `idempotency_key`");
        let has_key = |_: &Program, call: &Call| call.token != Token::None;
        self.answer("same_answer", ("operation", keyed), expects, has_key);
        let tried = texts.retries_bounded.as_ref().map(|text| &text.operation);
        let called = ("step calls", "an operation that is called");
        self.answer("retries_bounded", ("operation", tried), called, |_, _| true);
        let right = texts.no_stale_authorisation.as_ref().map(|text| &text.protected);
        self.answer("no_stale_authorisation", ("protected", right), users, is_users);
        self
    }

    /// Tables of which rows must be written for a promise to be broken, those of one at least.
    fn tables(&mut self, name: &'static str, key: &str, texts: &[&String]) {
        let tables: Vec<_> = texts.iter().flat_map(|text| table(text, self.program)).collect();
        let mut writes = self.program.transactions.iter().flat_map(|one| &one.writes);
        let is_one = |written| tables.iter().any(|(wanted, _)| *wanted == written);
        if tables.len() == texts.len() && !writes.any(|(written, _)| is_one(*written)) {
            let why = format!("no step writes rows of `{}`", texts[0]);
            self.note(name, key, &why, "a table that a transaction writes");
        }
    }

    fn reads_and_writes(mut self, texts: &InvariantTexts) -> Self {
        let program = self.program;
        if let Some(text) = &texts.legal_states {
            self.tables("legal_states", "table", &[&text.table]);
        }
        if let Some(text) = &texts.ledger_conserved {
            self.tables("ledger_conserved", "debit", &[&text.debit, &text.credit]);
        }
        if let Some(text) = &texts.no_oversell {
            let sold = text.sold.split('=').next().unwrap_or_default().trim().to_owned();
            self.tables("no_oversell", "sold", &[&sold]);
        }
        if let Some(text) = &texts.bounded_staleness
            && let Ok((read, _)) = table(&text.read, program)
            && !program.steps.iter().any(|step| row_read(step) == Some(read))
        {
            let why = format!("no step reads `{}`", text.read);
            self.note("bounded_staleness", "read", &why, "a table that a step reads");
        }
        if let Some(text) = &texts.no_lost_update
            && let Ok((wanted, _)) = table(&text.table, program)
            && !program.transactions.iter().any(|one| one.overwrites.contains(&wanted))
        {
            let why = format!("no handler reads a row of `{}` and then writes it", text.table);
            self.note("no_lost_update", "table", &why, "a `read` and a `transaction` of one table");
        }
        if let Some(text) = &texts.fencing
            && let Ok(id) = database(&text.database, program)
            && let Kind::Database(database) = &program.node(id).kind
            && database.replicas.is_empty()
        {
            let why = format!("no replica can take the place of `{}`", text.database);
            self.note("fencing", "database", &why, "a database with a replica");
        }
        self
    }

    fn messages(mut self, texts: &InvariantTexts) -> Self {
        let phantom = texts.no_phantom_event.as_ref().map(|text| &text.queue);
        let ordered = texts.event_order.as_ref().map(|text| &text.queue);
        for (name, text) in [("no_phantom_event", phantom), ("event_order", ordered)] {
            let Some(text) = text else { continue };
            let Ok(id) = queue(text, self.program) else { continue };
            if !is_fed(id, self.program) {
                let why = format!("nothing publishes to `{text}`");
                self.note(name, "queue", &why, "a queue that something publishes to");
            }
        }
        self
    }
}

/// The table of the row that a step reads, at a store or at a cache.
fn row_read(step: &Step) -> Option<TableId> {
    match step {
        Step::Node(NodeStep::Data(DataStep::ReadRow(table)))
        | Step::Node(NodeStep::Cache(CacheStep::Lookup(table))) => Some(*table),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::example::program;

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
        let texts: InvariantTexts = toml::from_str(texts).unwrap();
        let found = of_texts(&texts, program).into_iter();
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
