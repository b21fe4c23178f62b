//! What makes a promise an invariant of the catalogue: its name, its sentence, its text, and who
//! judges it.

use std::fmt;
use std::sync::Arc;

#[cfg(feature = "schema")]
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::breakable::Breakable;
use super::judge::Invariant;
use crate::model::document::Value;
use crate::model::problem::Problem;
use crate::model::program::Program;
use crate::model::read;
use crate::system::fact::kind::{FactKinds, Hears};

/// What stands in `[invariants]` about an invariant, with all that is said of it.
pub(super) trait Promise:
    DeserializeOwned + Serialize + JsonSchema + fmt::Debug + Send + Sync + 'static
{
    /// Its name in `[invariants]`, and in results where an experiment gives it no other.
    const NAME: &'static str;
    /// What it promises, in one sentence.
    const SENTENCE: &'static str;
    /// What people call what is counted when it breaks, where an experiment gives it no label.
    const LABEL: &'static str;
    /// When it is judged.
    const JUDGED: Judged;
    /// Whether each violation is work that is lost: what is lost waits nowhere and looks fast.
    const IS_LOSS: bool = false;
    /// Whether it compares the run with the same run without a cause.
    const COMPARES: bool = false;
    /// Its keys with states that excuse an order, or that are among those that a row may have: such
    /// a state need not occur in a model.
    const EXCUSES: &'static [&'static str] = &[];

    /// Who judges it.
    type Judge: Invariant + Hears + 'static;

    /// Finds what its keys name.
    ///
    /// # Errors
    /// Whatever the program does not have, with the key.
    fn judge(&self, program: &Program) -> Result<Self::Judge, Problem>;

    /// Notes why nothing in a program can break it, if so.
    fn breakable(&self, _asked: &mut Breakable<'_>) {}
}

/// When a promise is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// When the fact arrives that breaks it.
    AtOnce,
    /// When the run has come to its end: a run that did not says nothing of it.
    AtEnd,
}

/// What derives the schema of its keys, when tests run.
#[cfg(not(feature = "schema"))]
pub(super) trait JsonSchema {}
#[cfg(not(feature = "schema"))]
impl<T> JsonSchema for T {}

/// A promise, whichever it is.
pub(super) trait Text: fmt::Debug + Send + Sync {
    /// Who judges it, and what that one hears.
    fn judge(&self, program: &Program) -> Result<(FactKinds, Box<dyn Invariant>), Problem>;

    /// Notes why nothing in a program can break it, if so.
    fn breakable(&self, asked: &mut Breakable<'_>);

    /// What its keys say.
    fn keys(&self) -> serde_json::Value;
}

impl<P: Promise> Text for P {
    fn judge(&self, program: &Program) -> Result<(FactKinds, Box<dyn Invariant>), Problem> {
        let mut judge = Promise::judge(self, program)?;
        assert_eq!(judge.compares().is_some(), P::COMPARES, "whether `{}` compares runs", P::NAME);
        Ok((P::Judge::HEARS, Box::new(judge)))
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        Promise::breakable(self, asked);
    }

    fn keys(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("what was read from keys is keys again")
    }
}

/// An invariant that experiments can ask for.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its name in `[invariants]`, and in results where an experiment gives it no other.
    pub name: &'static str,
    /// What it promises, in one sentence.
    pub sentence: &'static str,
    /// What people call what is counted when it breaks, where an experiment gives it no label.
    pub label: &'static str,
    /// Whether each violation is work that is lost.
    pub is_loss: bool,
    /// Whether it compares the run with the same run without a cause.
    pub compares: bool,
    judged: Judged,
    /// Keys with states that need not occur in a model.
    pub(super) excuses: &'static [&'static str],
    /// Reads what stands there about it.
    pub(super) read: fn(&Value) -> Result<Arc<dyn Text>, Problem>,
    /// The schema of that.
    #[cfg(feature = "schema")]
    pub(super) schema: fn(&mut SchemaGenerator) -> Schema,
}

impl Entry {
    pub(super) const fn of<P: Promise>() -> Entry {
        Entry {
            name: P::NAME,
            sentence: P::SENTENCE,
            label: P::LABEL,
            is_loss: P::IS_LOSS,
            compares: P::COMPARES,
            judged: P::JUDGED,
            excuses: P::EXCUSES,
            read: |value| Ok(Arc::new(read::<P>(value)?)),
            #[cfg(feature = "schema")]
            schema: |schemas| schemas.subschema_for::<P>(),
        }
    }

    /// Whether it is judged at the end of a run: a run that did not come to it says nothing.
    pub fn is_judged_at_end(&self) -> bool {
        self.judged == Judged::AtEnd
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
