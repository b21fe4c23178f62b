//! Who is told what happens in a run.

use super::fact::Fact;
use super::fact::kind::{FactKind, FactKinds, KINDS};
use super::remembered::Remembered;
use crate::kernel::time::Time;

/// Somebody who is told facts, in order.
pub trait Observer {
    /// Takes note of a fact.
    fn observe(&mut self, now: Time, fact: &Fact);

    /// The kinds of facts that it is told at least: all, unless it says otherwise. It is asked
    /// before the run. Facts that nobody hears are not told at all, and there are many of them.
    fn hears(&self) -> FactKinds {
        FactKinds::ALL
    }

    /// Those who are told in its place, one after the other; nobody, if it is told itself.
    fn members(&mut self) -> Vec<&mut (dyn Observer + '_)> {
        Vec::new()
    }

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

/// Several observers, who are told one after the other, each of them what it hears.
pub struct Audience<'a> {
    members: Vec<&'a mut (dyn Observer + 'a)>,
    /// By kind of fact, a bit for each member that hears it.
    hearers: [u32; KINDS],
}

impl<'a> Audience<'a> {
    /// Those, in the order in which they are told.
    ///
    /// # Panics
    /// If there are more than 32.
    #[must_use]
    pub fn new(members: Vec<&'a mut (dyn Observer + 'a)>) -> Audience<'a> {
        assert!(members.len() <= u32::BITS as usize, "an audience has room for 32");
        let mut hearers = [0; KINDS];
        for (place, member) in members.iter().enumerate() {
            let hears = member.hears();
            for kind in FactKind::all().filter(|&kind| hears.has(kind)) {
                hearers[kind as usize] |= 1 << place;
            }
        }
        Audience { members, hearers }
    }

    /// Whom a run tells that has this observer.
    pub(super) fn of(observer: &'a mut (dyn Observer + 'a)) -> Audience<'a> {
        let is_alone = observer.members().is_empty();
        Audience::new(if is_alone { vec![observer] } else { observer.members() })
    }

    /// Whether anybody hears of this kind.
    #[inline]
    pub(super) fn is_told(&self, kind: FactKind) -> bool {
        self.hearers[kind as usize] != 0
    }

    /// Tells a fact to those who hear of its kind.
    #[inline]
    pub(super) fn tell(&mut self, now: Time, fact: &Fact) {
        let mut hearers = self.hearers[fact.kind() as usize];
        while hearers != 0 {
            self.members[hearers.trailing_zeros() as usize].observe(now, fact);
            hearers &= hearers - 1;
        }
    }
}

impl Observer for Audience<'_> {
    fn observe(&mut self, now: Time, fact: &Fact) {
        self.tell(now, fact);
    }

    fn members(&mut self) -> Vec<&mut (dyn Observer + '_)> {
        self.members.iter_mut().map(|member| &mut **member as &mut dyn Observer).collect()
    }

    fn sight(&self) -> Sight {
        let mut sights = self.members.iter().map(|member| member.sight());
        sights.find(|&sight| sight != Sight::More).unwrap_or(Sight::More)
    }

    fn hears(&self) -> FactKinds {
        let hears = self.members.iter().map(|member| member.hears());
        hears.fold(FactKinds::NONE, FactKinds::and)
    }

    fn looks_at(&self) -> Time {
        self.members.iter().map(|one| one.looks_at()).min().unwrap_or(Time::NEVER)
    }

    fn look(&mut self, remembered: &Remembered<'_>) {
        // Only who asked for this time sees it.
        let due = self.members.iter_mut().filter(|one| one.looks_at() <= remembered.now);
        due.for_each(|one| one.look(remembered));
    }
}

/// Nobody is told anything.
impl Observer for () {
    fn observe(&mut self, _now: Time, _fact: &Fact) {}

    fn hears(&self) -> FactKinds {
        FactKinds::NONE
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::program::NodeId;

    /// Notes whatever it is told.
    struct Listener {
        hears: FactKinds,
        told: Vec<FactKind>,
    }

    impl Observer for Listener {
        fn observe(&mut self, _now: Time, fact: &Fact) {
            self.told.push(fact.kind());
        }

        fn hears(&self) -> FactKinds {
            self.hears
        }
    }

    #[test]
    fn each_is_told_what_it_hears_and_nothing_else() {
        let [flushed, under_way] = [FactKind::Flushed, FactKind::UnderWay];
        let listener = |hears| Listener { hears, told: Vec::new() };
        let mut some = listener(FactKinds::of(&[flushed]));
        let (mut every, mut none) = (listener(FactKinds::ALL), listener(FactKinds::NONE));
        let mut inner = Audience::new(vec![&mut every, &mut none]);
        let mut all = Audience::new(vec![&mut some, &mut inner]);
        assert_eq!(Observer::hears(&all), FactKinds::ALL);
        let mut told = Audience::of(&mut all);
        told.tell(Time::ZERO, &Fact::UnderWay(0));
        told.tell(Time::ZERO, &Fact::Flushed { database: NodeId(0), position: 0 });
        assert_eq!(some.told, [flushed]);
        assert_eq!((every.told, none.told), (vec![under_way, flushed], vec![]));
    }
}
