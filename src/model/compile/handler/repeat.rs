//! Lists of steps that are done again until they succeed.

use super::steps::with;
use super::{At, Handlers, Role};
use crate::kernel::draw::{Probability, name_id};
use crate::model::language;
use crate::model::problem::Problem;
use crate::model::program::{Call, Hold, Repeat, RepeatId, RepeatStep, Step};
use crate::policy::OutcomeSet;

/// The most rounds of a list.
const TIMES_MAX: u32 = 10_000;
/// The most rounds of a list in all rounds of those around it.
const ROUNDS_MAX: u32 = 1_000_000;

impl Handlers<'_, '_> {
    /// Compiles `repeat`: the list, a step to which all go whose round has not succeeded, and what
    /// is done when there is no further round.
    pub(super) fn repeat(&mut self, at: At<'_>, compiled: &mut Vec<Step>) -> Result<(), Problem> {
        let At { place, path, step } = at;
        let list = step.repeat.as_deref().unwrap_or_default();
        let times = check_repeat(list, step.times)?;
        let outside = self.rounds;
        let rounds = outside.saturating_mul(times);
        if rounds > ROUNDS_MAX {
            return Err(Problem::new(format!(
                "{rounds} rounds are too many, lists around it counted"
            ))
            .expected(format!("at most {ROUNDS_MAX}"))
            .inside("times"));
        }
        let on = step.on.unwrap_or(OutcomeSet::ERRORS.less(OutcomeSet::INVALID));
        let until = step.until.as_ref();
        let until = until.map(|until| self.condition(until, None, &with(path, "until")));
        let until = until.transpose().map_err(|problem| problem.inside("until"))?;
        let repeats = &mut self.compiler.program.repeats;
        let id = RepeatId(repeats.len() as u16);
        repeats.push(Repeat {
            first: compiled.len() as u32 + 1,
            times,
            on,
            between: step.between.clone().unwrap_or_else(language::instantly),
            patience: step.patience,
            persistence: step.persistence.map(|share| Probability::new(share.0)),
            // The path is the step's name: a step that is added after it moves no draw.
            site: name_id(&path.join(".")),
        });
        compiled.push(Step::Repeat(RepeatStep::Begin(id)));
        let first = compiled.len();
        self.rounds = rounds;
        self.list(place, &with(path, "repeat"), list, compiled);
        self.rounds = outside;
        let asks = until.is_some();
        // The steps behind the list: whether it is done; leave; the end of a request that failed;
        // whether another round may follow; another round; no further round; what then.
        let end = compiled.len() as u32 + u32::from(asks);
        let answers = place.role == Role::User && !path.contains(&"fallback");
        let failed = end + 1;
        let again = failed + 1 + u32::from(answers);
        let done = again + 3;
        compiled.extend(until.map(|until| Step::JumpUnless(until, again)));
        self.fail_to(failed, &mut compiled[first..], first as u32);
        compiled.push(Step::Jump(done));
        compiled.extend(answers.then_some(Step::AnswerUser));
        compiled.push(Step::Repeat(RepeatStep::Failed(id)));
        compiled.push(Step::Repeat(RepeatStep::Again(id)));
        compiled.push(Step::Repeat(RepeatStep::End));
        let leaves = step.fallback.is_some() || step.ignore_failure;
        compiled.push(if leaves { Step::Jump(done + 1) } else { Step::Fail });
        compiled.push(Step::Repeat(RepeatStep::End));
        if let Some(fallback) = &step.fallback {
            let start = self.stand_in(place, path, (fallback, step.quality), compiled);
            compiled[done as usize - 1] = Step::Jump(start);
        }
        Ok(())
    }

    /// Lets the steps of a list, of which the first has this number, go on at `failed` where they
    /// would end their job. What runs at once beside others ends for itself.
    pub(super) fn fail_to(&mut self, failed: u32, steps: &mut [Step], first: u32) {
        let mut index = 0;
        while let Some(step) = steps.get_mut(index) {
            index += 1;
            match step {
                Step::Call(Call { on_failure: on_failure @ None, .. }) => {
                    *on_failure = Some(failed);
                }
                Step::Hold(Hold { on_failure: on_failure @ None, .. }) => {
                    *on_failure = Some(failed);
                }
                Step::Fail => *step = Step::Jump(failed),
                Step::Fork(fork) => {
                    let fork = &mut self.compiler.program.forks[fork.0 as usize];
                    fork.on_failure.get_or_insert(failed);
                    index = (fork.join - first) as usize;
                }
                _ => {}
            }
        }
    }
}

/// Returns how many rounds there are at most.
fn check_repeat(list: &[language::Step], times: Option<u32>) -> Result<u32, Problem> {
    if list.is_empty() {
        return Err(Problem::new("there are no steps")
            .expected("at least one step")
            .inside("repeat"));
    }
    let expected = format!("from 1 to {TIMES_MAX}, such as `times = 5`");
    match times {
        None => Err(Problem::new("nothing says how often this is done at most")
            .expected(expected)
            .inside("repeat")),
        Some(times) if !(1..=TIMES_MAX).contains(&times) => {
            Err(Problem::new(format!("no list of steps is done {times} times"))
                .expected(expected)
                .inside("times"))
        }
        Some(times) => Ok(times),
    }
}
