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

impl<A: Observer, B: Observer> Observer for (A, B) {
    #[inline]
    fn observe(&mut self, now: Time, fact: &Fact) {
        self.0.observe(now, fact);
        self.1.observe(now, fact);
    }

    fn looks_at(&self) -> Time {
        self.0.looks_at().min(self.1.looks_at())
    }

    fn look(&mut self, remembered: &Remembered<'_>) {
        // Only who asked for this time sees it.
        if self.0.looks_at() <= remembered.now {
            self.0.look(remembered);
        }
        if self.1.looks_at() <= remembered.now {
            self.1.look(remembered);
        }
    }
}

/// Nobody is told anything.
impl Observer for () {
    fn observe(&mut self, _now: Time, _fact: &Fact) {}
}

/// Somebody, if anybody watches.
impl<O: Observer> Observer for Option<O> {
    #[inline]
    fn observe(&mut self, now: Time, fact: &Fact) {
        if let Some(watch) = self {
            watch.observe(now, fact);
        }
    }

    fn looks_at(&self) -> Time {
        self.as_ref().map_or(Time::NEVER, Observer::looks_at)
    }

    fn look(&mut self, remembered: &Remembered<'_>) {
        self.iter_mut().for_each(|watch| watch.look(remembered));
    }
}

impl<O: Observer + ?Sized> Observer for &mut O {
    #[inline]
    fn observe(&mut self, now: Time, fact: &Fact) {
        (**self).observe(now, fact);
    }

    fn sight(&self) -> Sight {
        (**self).sight()
    }

    fn looks_at(&self) -> Time {
        (**self).looks_at()
    }

    fn look(&mut self, remembered: &Remembered<'_>) {
        (**self).look(remembered);
    }
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
