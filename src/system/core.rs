//! The core of a run: the time, what is going to happen, draws, the digest, the books, what
//! disturbs the run, and who is told what happened.

use super::control::{Control, Disturbances};
use super::event::Event;
use super::fact::{Direction, Fact, Transit};
use super::ledger::{Ledger, Way};
use super::remembered::Remembered;
use super::trace::TraceKind;
use super::{Audience, Observer, Sight};
use crate::kernel::digest::Digester;
use crate::kernel::draw::{Draw, Draws, Purpose};
use crate::kernel::limit::{Ending, Limits, Meter};
use crate::kernel::queue::{EventQueue, TimerId};
use crate::kernel::time::Time;
use crate::model::program::{NodeId, Program};

/// The run around a part of it.
pub(super) struct Core<'p> {
    program: &'p Program,
    now: Time,
    arrivals_end: Time,
    events: EventQueue<Event>,
    draws: Draws,
    digester: Digester,
    meter: Meter,
    ledger: Ledger,
    disturbances: Disturbances<'p>,
    audience: Audience<'p>,
    /// When the audience wants to look next: nothing but a look changes that, and it is asked for
    /// with every event.
    looks_at: Time,
}

impl<'p> Core<'p> {
    /// At time zero.
    pub(super) fn new(
        program: &'p Program,
        controls: &'p [Control],
        seed: u64,
        arrivals_end: Time,
        limits: Limits,
        observer: &'p mut (dyn Observer + 'p),
    ) -> Core<'p> {
        Core {
            program,
            now: Time::ZERO,
            arrivals_end,
            events: EventQueue::new(),
            draws: Draws::new(seed),
            digester: Digester::default(),
            meter: Meter::new(limits),
            ledger: Ledger::new(program),
            disturbances: Disturbances::new(program, controls),
            looks_at: observer.looks_at(),
            audience: Audience::of(observer),
        }
    }

    /// The same between two events, with somebody else who is told what happens.
    pub(super) fn copied<'n>(
        &self,
        program: &'n Program,
        controls: &'n [Control],
        observer: &'n mut (dyn Observer + 'n),
    ) -> Core<'n> {
        Core {
            program,
            now: self.now,
            arrivals_end: self.arrivals_end,
            events: self.events.clone(),
            draws: self.draws.clone(),
            digester: self.digester.clone(),
            meter: self.meter,
            ledger: self.ledger.clone(),
            disturbances: self.disturbances.copied(controls),
            looks_at: observer.looks_at(),
            audience: Audience::of(observer),
        }
    }

    /// What runs.
    #[inline]
    pub(super) fn program(&self) -> &'p Program {
        self.program
    }

    /// The virtual time.
    #[inline]
    pub(super) fn now(&self) -> Time {
        self.now
    }

    /// Until when users arrive.
    #[inline]
    pub(super) fn arrivals_end(&self) -> Time {
        self.arrivals_end
    }

    /// Lets something happen, after everything that is scheduled for this time already.
    #[inline]
    pub(super) fn schedule(&mut self, at: Time, event: Event) {
        self.events.schedule(at, event);
    }

    /// The same, for what may be called off.
    #[inline]
    pub(super) fn schedule_timer(&mut self, at: Time, event: Event) -> TimerId {
        self.events.schedule_timer(at, event)
    }

    /// Calls off what was to happen.
    #[inline]
    pub(super) fn cancel(&mut self, timer: TimerId) {
        self.events.cancel(timer);
    }

    /// Lets time pass until the next event, which is returned; `None` at the horizon.
    #[inline]
    pub(super) fn next(&mut self) -> Option<(Time, Event)> {
        let next = self.events.pop(self.meter.horizon());
        debug_assert!(next.is_none_or(|(at, _)| at >= self.now), "time runs backwards");
        next
    }

    /// Lets time pass until then.
    #[inline]
    pub(super) fn pass_until(&mut self, at: Time) {
        self.now = at;
    }

    /// Lets time pass until the horizon, if it has not come so far.
    pub(super) fn pass_until_horizon(&mut self) {
        self.now = self.now.max(self.meter.horizon());
    }

    /// A draw with this name: see `docs/determinism.md`.
    #[inline]
    pub(super) fn draw(&mut self, purpose: Purpose, site: u32, work: u64, index: u16) -> Draw {
        self.draws.draw(purpose, site, work, index)
    }

    /// All draws, for what draws more than once at a time.
    pub(super) fn draws(&mut self) -> &mut Draws {
        &mut self.draws
    }

    /// Folds an event into the digest: its kind, the node's stable id, and the work's stable key.
    #[inline]
    pub(super) fn fold(&mut self, kind: TraceKind, node: NodeId, work: u64) {
        self.fold_number(kind.number(), node, work);
    }

    /// The same for a kind that has several numbers.
    #[inline]
    pub(super) fn fold_number(&mut self, kind: u64, node: NodeId, work: u64) {
        let site = kind << 32 | u64::from(self.program.node(node).id);
        self.digester.fold(self.now, site, work);
    }

    /// Folds that a control is switched on or off, which is about no node.
    pub(super) fn fold_switch(&mut self, control: u32, on: bool) {
        let site = TraceKind::Switch.number() << 32 | u64::from(on);
        self.digester.fold(self.now, site, u64::from(control));
    }

    /// Books what happened, and tells who hears of it. Inlined where the fact is known, so that the
    /// books are opened for few, and what nobody hears is not put into words.
    #[inline(always)]
    pub(super) fn tell(&mut self, fact: Fact) {
        self.ledger.book(&fact);
        self.audience.tell(self.now, &fact);
    }

    /// Books what becomes of a message, and tells it. There are many of them and nobody hears of
    /// them, as a rule: so nothing is put into words before somebody does.
    #[inline]
    pub(super) fn tell_way(
        &mut self,
        way: Way,
        direction: Direction,
        transit: impl FnOnce(&Program) -> Transit,
    ) {
        self.ledger.carry(direction, way);
        if self.audience.is_told(way.kind()) {
            self.audience.tell(self.now, &way.fact(transit(self.program)));
        }
    }

    /// The books of the run.
    pub(super) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The same, to book what no fact says.
    #[inline]
    pub(super) fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// What disturbs the run.
    #[inline]
    pub(super) fn disturbances(&self) -> &Disturbances<'p> {
        &self.disturbances
    }

    /// The same, to change it.
    pub(super) fn disturbances_mut(&mut self) -> &mut Disturbances<'p> {
        &mut self.disturbances
    }

    /// Whether the run goes on, where it is run up to what is seen.
    pub(super) fn sight(&self) -> Sight {
        self.audience.sight()
    }

    /// When the observer wants to see what policies remember.
    #[inline]
    pub(super) fn looks_at(&self) -> Time {
        self.looks_at
    }

    /// Shows the observer what policies remember.
    pub(super) fn show(&mut self, remembered: &Remembered<'_>) {
        self.audience.look(remembered);
        self.looks_at = self.audience.looks_at();
    }

    /// Counts an event, with so many things pending besides those that are scheduled; the limit
    /// that was reached, if one was.
    #[inline]
    pub(super) fn count(&mut self, waiting: usize) -> Option<Ending> {
        self.meter.count(self.now, self.events.len() + waiting)
    }

    /// How many events there were.
    #[inline]
    pub(super) fn events(&self) -> u64 {
        self.meter.events()
    }

    /// The digest so far, to keep more of it.
    pub(super) fn digester(&mut self) -> &mut Digester {
        &mut self.digester
    }

    /// The digests that are left when the run has ended.
    pub(super) fn into_digests(self) -> (Digester, Draws) {
        (self.digester, self.draws)
    }
}
