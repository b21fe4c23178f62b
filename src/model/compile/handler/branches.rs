//! Steps with steps inside them: conditions, branches that run at once, what is held, fallbacks.

use super::steps::{FALLBACK, failure_target, with};
use super::{At, Handlers, Place, Role};
use crate::kernel::draw::{Probability, name_id};
use crate::model::language::{self, Quality};
use crate::model::problem::Problem;
use crate::model::program::{Call, ChanceOf, Condition, Fork, ForkId, Hold, Step};
use crate::model::quantity::Share;

/// The most lists of steps that are written down to run at once.
const LISTS_MAX: usize = 100;
/// The most that run at once, copies counted.
const BRANCHES_MAX: u32 = 10_000;

impl Handlers<'_, '_> {
    /// Compiles `when`: a jump over `then`, and over `otherwise` behind it.
    pub(super) fn when(&mut self, at: At<'_>, compiled: &mut Vec<Step>) -> Result<(), Problem> {
        let At { place, path, step } = at;
        if step.then.is_empty() && step.otherwise.is_empty() {
            return Err(Problem::new("nothing is done either way").expected("`then = [ … ]`"));
        }
        let Some(condition) = &step.when else { return Ok(()) };
        let condition = self.condition(condition, step.division.as_deref(), path)?;
        let branch = compiled.len();
        compiled.push(Step::JumpUnless(condition, 0));
        self.list(place, &with(path, "then"), &step.then, compiled);
        if step.otherwise.is_empty() {
            compiled[branch] = Step::JumpUnless(condition, compiled.len() as u32);
            return Ok(());
        }
        let leave = compiled.len();
        compiled.push(Step::Jump(0));
        compiled[branch] = Step::JumpUnless(condition, compiled.len() as u32);
        self.list(place, &with(path, "otherwise"), &step.otherwise, compiled);
        compiled[leave] = Step::Jump(compiled.len() as u32);
        Ok(())
    }

    pub(super) fn condition(
        &mut self,
        text: &language::Condition,
        division: Option<&str>,
        path: &[&str],
    ) -> Result<Condition, Problem> {
        let chance = |share: &Share, of, site: &str| Condition::Chance {
            share: Probability::new(share.0),
            of,
            site: name_id(site),
        };
        // The path is the step's name: a step that is added after it moves no draw.
        let own = path.join(".");
        // Which keys a share means depends on the key and the division alone.
        let named = |of: &str| format!("{of} {}", division.unwrap_or_default());
        let condition = match text {
            language::Condition::Found => Condition::Found,
            language::Condition::Missing => Condition::Missing,
            language::Condition::State(state) => Condition::State(self.label(state)),
            language::Condition::NotState(state) => Condition::NotState(self.label(state)),
            language::Condition::Event(event) => Condition::Event(self.event(event)?),
            language::Condition::Outcome(outcomes) => Condition::Heard(*outcomes),
            language::Condition::ShareOfKeys(share) => {
                return Ok(chance(share, ChanceOf::Key, &named("keys")));
            }
            language::Condition::ShareOfOrders(share) if division.is_some() => {
                return Ok(chance(share, ChanceOf::Order, &named("orders")));
            }
            language::Condition::ShareOfOrders(share) => chance(share, ChanceOf::Order, &own),
            language::Condition::ShareOfRequests(_) if path.first() == Some(&"clients") => {
                return Err(Problem::new("a flow is no request: it makes them")
                    .expected("`share_of_orders`, the same for the whole flow")
                    .inside("when"));
            }
            language::Condition::ShareOfRequests(share) => chance(share, ChanceOf::Request, &own),
            language::Condition::ShareOfAttempts(share) => chance(share, ChanceOf::Attempt, &own),
        };
        match division {
            None => Ok(condition),
            Some(_) => Err(Problem::new("only keys and orders are divided once for all steps")
                .expected("`division` with `share_of_keys` or `share_of_orders`")
                .inside("division")),
        }
    }

    /// Compiles `parallel`: a fork, then each list with its end.
    pub(super) fn parallel(&mut self, at: At<'_>, compiled: &mut Vec<Step>) -> Result<(), Problem> {
        let At { place, path, step } = at;
        let lists = step.parallel.as_deref().unwrap_or_default();
        let copies = step.copies.unwrap_or(1);
        let all = check_parallel(lists, step.copies, step.need)?;
        let forks = &mut self.compiler.program.forks;
        let id = ForkId(forks.len() as u16);
        let need = step.need.unwrap_or(all);
        forks.push(Fork { branches: Vec::new(), need, join: 0, on_failure: None });
        compiled.push(Step::Fork(id));
        let lists_path = with(path, "parallel");
        let mut branches = Vec::new();
        for (index, list) in lists.iter().enumerate() {
            branches.extend((0..copies).map(|_| compiled.len() as u32));
            self.list(place, &with(&lists_path, &index.to_string()), list, compiled);
            compiled.push(Step::Finish);
        }
        let join = compiled.len() as u32;
        let on_failure = match &step.fallback {
            None => failure_target(step, join),
            Some(fallback) => Some(self.stand_in(place, path, (fallback, step.quality), compiled)),
        };
        self.compiler.program.forks[id.0 as usize] = Fork { branches, need, join, on_failure };
        Ok(())
    }

    /// Compiles `hold`: a place is taken, the steps are done, and it is given back. What fails
    /// inside fails by itself; the step fails if there is no place in time.
    pub(super) fn hold(&mut self, at: At<'_>, compiled: &mut Vec<Step>) -> Result<(), Problem> {
        let At { place, path, step } = at;
        let name = step.hold.as_deref().unwrap_or_default();
        let pools = &self.compiler.program.node(place.node).station.pools;
        let Some(pool) = pools.iter().position(|pool| pool.name == name) else {
            let known: Vec<&str> = pools.iter().map(|pool| pool.name.as_str()).collect();
            return Err(Problem::unknown("pool", name, &known).inside("hold"));
        };
        if step.steps.is_empty() {
            return Err(Problem::new("nothing is done while the place is held")
                .expected("`steps = [ … ]` beside `hold`"));
        }
        let at = compiled.len();
        let hold = Hold { pool: pool as u16, end: 0, on_failure: None };
        compiled.push(Step::Hold(hold));
        self.list(place, &with(path, "steps"), &step.steps, compiled);
        // Behind the list: the place is given back, also where a step of it has failed.
        let end = compiled.len() as u32;
        self.fail_to(end + 2, &mut compiled[at + 1..], at as u32 + 1);
        compiled.extend([Step::GiveBack, Step::Jump(end + 4), Step::GiveBack, Step::Fail]);
        let on_failure = match &step.fallback {
            None => failure_target(step, end + 4),
            Some(fallback) => Some(self.stand_in(place, path, (fallback, step.quality), compiled)),
        };
        compiled[at] = Step::Hold(Hold { end, on_failure, ..hold });
        Ok(())
    }

    /// Compiles what a step does when it has failed, behind the step, which begins at `first`.
    pub(super) fn fallback(&mut self, at: At<'_>, compiled: &mut Vec<Step>, first: usize) {
        let At { place, path, step } = at;
        let Some(fallback) = &step.fallback else { return };
        let last = compiled.len();
        let start = self.stand_in(place, path, (fallback, step.quality), compiled);
        for step in &mut compiled[first..last] {
            if let Step::Call(Call { on_failure: Some(to), .. }) = step
                && *to == FALLBACK
            {
                *to = start;
            }
        }
    }

    /// Compiles the steps of a fallback and a jump over them; returns where they start.
    pub(super) fn stand_in(
        &mut self,
        place: &Place<'_>,
        path: &[&str],
        (fallback, quality): (&[language::Step], Option<Quality>),
        compiled: &mut Vec<Step>,
    ) -> u32 {
        let leave = compiled.len();
        compiled.push(Step::Jump(0));
        compiled.extend(quality.map(|Quality::Degraded| Step::Degrade));
        self.list(place, &with(path, "fallback"), fallback, compiled);
        // A fallback inside another one is a part of what that one comes to.
        if place.role == Role::User && !path.contains(&"fallback") {
            compiled.push(Step::AnswerUser);
        }
        compiled[leave] = Step::Jump(compiled.len() as u32);
        leave as u32 + 1
    }
}

/// Returns how many lists run at once, copies counted.
fn check_parallel(
    lists: &[Vec<language::Step>],
    copies: Option<u32>,
    need: Option<u32>,
) -> Result<u32, Problem> {
    let all = (lists.len() as u32).saturating_mul(copies.unwrap_or(1));
    // One list that says how often it is done may be done once: a fan-out is varied from 1.
    let least = if copies.is_some() { 1 } else { 2 };
    if !(least..=LISTS_MAX).contains(&lists.len()) {
        return Err(Problem::new(format!("{} lists of steps cannot run at once", lists.len()))
            .expected(format!("from 2 to {LISTS_MAX} lists: [[ … ], [ … ]], or one with `copies`"))
            .inside("parallel"));
    }
    if !(1..=BRANCHES_MAX).contains(&all) {
        return Err(Problem::new(format!("{all} lists of steps cannot run at once"))
            .expected(format!("from 1 to {BRANCHES_MAX}, copies counted"))
            .inside("copies"));
    }
    if let Some(index) = lists.iter().position(Vec::is_empty) {
        return Err(Problem::new("there are no steps")
            .expected("at least one step")
            .inside(index.to_string())
            .inside("parallel"));
    }
    if need.is_some_and(|need| need == 0 || need > all) {
        return Err(Problem::new(format!("not so many of {all} lists can succeed"))
            .expected(format!("from 1 to {all}"))
            .inside("need"));
    }
    Ok(all)
}
