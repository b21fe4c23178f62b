//! Who is told what happens in a run.

use super::fact::Fact;
use super::remembered::Remembered;
use crate::kernel::time::Time;

/// Somebody who is told every fact, in order.
pub trait Observer {
    /// Takes note of a fact.
    fn observe(&mut self, now: Time, fact: &Fact);

    /// Whether the run goes on, where it is run up to what is seen.
    fn sight(&self) -> Sight {
        Sight::More
    }

    /// When it wants to see next what policies remember: never, unless it says so. Only a look
    /// changes that, and time has to go on after each.
    fn looks_at(&self) -> Time {
        Time::NEVER
    }

    /// Sees what policies remember at the time for which it has asked.
    fn look(&mut self, _remembered: &Remembered<'_>) {}
}

/// Several are told, one after the other.
impl Observer for Vec<&mut (dyn Observer + '_)> {
    fn observe(&mut self, now: Time, fact: &Fact) {
        for one in self {
            one.observe(now, fact);
        }
    }

    fn looks_at(&self) -> Time {
        self.iter().map(|one| one.looks_at()).min().unwrap_or(Time::NEVER)
    }

    fn look(&mut self, remembered: &Remembered<'_>) {
        // Only who asked for this time sees it.
        let due = self.iter_mut().filter(|one| one.looks_at() <= remembered.now);
        due.for_each(|one| one.look(remembered));
    }
}

/// Nobody is told anything.
impl Observer for () {
    fn observe(&mut self, _now: Time, _fact: &Fact) {}
}

/// What an observer that a run is run up to says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// There is more to be seen.
    More,
    /// Enough was seen, and nobody needs the run any more.
    Enough,
    /// Enough was seen, and others go on from here.
    Keep,
}
