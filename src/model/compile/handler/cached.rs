//! Reads through a cache: look there first, fetch the row after a miss, keep it there.

use super::steps::{failure_target, with};
use super::{Handlers, Place};
use crate::model::language;
use crate::model::program::{
    CacheStep, CachedRead, Call, Kind, NodeId, NodeStep, OperationId, Step, TableId, Token,
};

/// Where in a handler a cached read stands.
pub(super) struct CachedPlace<'a> {
    /// The path of its step in the file.
    pub(super) path: &'a [&'a str],
    /// Its first step, counted from the first one of the handler.
    pub(super) first: u32,
    /// The number of its first call.
    pub(super) site: u32,
    /// The policy of its calls.
    pub(super) policy: u16,
}

impl Handlers<'_, '_> {
    /// The lookup and the fill of a cache around a read.
    pub(super) fn cached(
        &mut self,
        place: &Place<'_>,
        at: &CachedPlace<'_>,
        step: &language::Step,
        read: Call,
        table: TableId,
    ) -> Vec<Step> {
        let is_cache = |kind: &Kind| matches!(kind, Kind::Cache(_));
        let name = step.cache.as_deref().unwrap_or_default();
        let path = with(at.path, "cache");
        let Some(cache) = self.compiler.node_of(&path, name, "cache", is_cache) else {
            return Vec::new();
        };
        let text = &self.sections.cache[name];
        let work = Step::Work(text.latency.clone());
        let lookup = self.built_in(
            cache,
            "lookup",
            table.0,
            &[work.clone(), Step::Node(NodeStep::Cache(CacheStep::Lookup(table)))],
        );
        let fill = self.built_in(
            cache,
            "fill",
            table.0,
            &[work, Step::Node(NodeStep::Cache(CacheStep::Fill(table)))],
        );
        let lookup = self.call(place.node, lookup, at.policy, at.site + 1);
        let lookup = Call { token: Token::Caller, ..lookup };
        let fill = self.call(place.node, fill, at.policy, at.site + 2);
        let fill = Call { token: Token::Caller, keeps_value: true, ..fill };

        // A cache that does not answer is a miss; a fill that fails is nobody's concern.
        let next = |steps: &Vec<Step>| at.first + steps.len() as u32 + 1;
        let refreshes = text.stale_for.is_some();
        let is_negative = text.negative_ttl.is_some();
        let own = u32::from(refreshes) + u32::from(is_negative);
        let count = 4 + own + 4 * u32::from(text.single_flight);
        let end = at.first + count;
        let shared = CachedRead { cache, table, end, failed: end - 1 };
        let mut steps = vec![Step::Call(Call { on_failure: Some(at.first + 1), ..lookup })];
        if refreshes {
            let refresh = self.refresh(place.node, cache, table, read, fill);
            steps.push(Step::Node(NodeStep::Cache(CacheStep::Refresh(shared, refresh))));
        }
        if is_negative {
            steps.push(Step::Node(NodeStep::Cache(CacheStep::Skip(shared))));
        }
        steps.push(Step::JumpIfFound(end));
        if !text.single_flight {
            let on_failure = failure_target(step, end);
            steps.push(Step::Call(Call { on_failure, ..read }));
            steps.push(Step::Call(Call { on_failure: Some(end), ..fill }));
            return steps;
        }
        steps.push(Step::Node(NodeStep::Cache(CacheStep::Join(shared))));
        steps.push(Step::Call(Call { on_failure: Some(end - 2), ..read }));
        steps.push(Step::Call(Call { on_failure: Some(next(&steps)), ..fill }));
        steps.push(Step::Node(NodeStep::Cache(CacheStep::Land(shared))));
        steps.push(Step::Node(NodeStep::Cache(CacheStep::Abort(shared))));
        steps.push(match (&step.fallback, step.ignore_failure) {
            // The fallback comes behind a jump over it.
            (Some(_), _) => Step::Jump(end + 1),
            (None, true) => Step::Jump(end),
            (None, false) => Step::Fail,
        });
        steps
    }

    /// The operation that fetches a row in the background and fills the cache with it.
    fn refresh(
        &mut self,
        node: NodeId,
        cache: NodeId,
        table: TableId,
        read: Call,
        fill: Call,
    ) -> OperationId {
        // No operation of a file has such a name.
        let name = format!("refresh#{}", self.compiler.program.operations.len());
        let operation = self.declare(node, &name);
        self.start(operation);
        let first = self.compiler.program.steps.len() as u32;
        let end = first + 4;
        let shared = CachedRead { cache, table, end, failed: end };
        self.push(Step::Call(Call { on_failure: Some(first + 3), ..read }));
        self.push(Step::Call(Call { on_failure: Some(first + 2), ..fill }));
        self.push(Step::Node(NodeStep::Cache(CacheStep::Land(shared))));
        self.push(Step::Node(NodeStep::Cache(CacheStep::Abort(shared))));
        self.push(Step::Finish);
        operation
    }
}
