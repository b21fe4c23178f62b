//! Who is told what happens in a run.

use super::fact::Fact;
use crate::kernel::time::Time;

/// Somebody who is told every fact, in order.
pub trait Observer {
    /// Takes note of a fact.
    fn observe(&mut self, now: Time, fact: &Fact);
}

impl<A: Observer, B: Observer> Observer for (A, B) {
    fn observe(&mut self, now: Time, fact: &Fact) {
        self.0.observe(now, fact);
        self.1.observe(now, fact);
    }
}

/// Nobody is told anything.
impl Observer for () {
    fn observe(&mut self, _now: Time, _fact: &Fact) {}
}

impl<O: Observer + ?Sized> Observer for &mut O {
    fn observe(&mut self, now: Time, fact: &Fact) {
        (**self).observe(now, fact);
    }
}
