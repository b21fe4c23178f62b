//! Messages over links: they take their time, and some never arrive.

mod message;

use super::calls::connecting;
use super::control::Action;
use super::core::Core;
use super::event::Event;
use super::fact::Direction;
use super::ledger::Way;
use crate::kernel::draw::Purpose;
use crate::kernel::sample::Distribution;
use crate::kernel::slab::{Handle, Slab};
use crate::kernel::time::{Span, Time};
use crate::model::program::{NodeId, Program};

pub(super) use message::Message;

/// What is on its way.
#[derive(Clone, Debug)]
pub(super) struct Network {
    messages: Slab<Message>,
    /// When each link can send the next request and the next reply; empty without bandwidths.
    free_at: Vec<[Time; 2]>,
}

/// Draws of one message differ by what is drawn: a reply shares its attempt's key.
const REQUEST: u16 = 0;
const REPLY: u16 = 1;
/// Added for a second draw of the same purpose about the same message.
const SECOND: u16 = 2;

/// A message's way over a link.
#[derive(Clone, Copy)]
struct Passage {
    link: usize,
    direction: Direction,
    /// The site of its draws.
    site: u32,
    /// The work of its draws.
    work: u64,
    /// The order that the message is about, if it is about one and a fault acts: who else asks?
    order: Option<u64>,
}

impl Passage {
    /// The index of its draws.
    fn number(self) -> u16 {
        match self.direction {
            Direction::Request => REQUEST,
            Direction::Reply => REPLY,
        }
    }
}

impl Network {
    /// With nothing on its way.
    pub(super) fn new(program: &Program) -> Network {
        let is_limited = program.links.iter().any(|link| link.transmission > Span::ZERO);
        let links = if is_limited { program.links.len() } else { 0 };
        Network { messages: Slab::default(), free_at: vec![[Time::ZERO; 2]; links] }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Handle, &Message)> {
        self.messages.iter()
    }

    #[inline]
    pub(super) fn get(&self, handle: Handle) -> Option<&Message> {
        self.messages.get(handle)
    }

    /// A message that is on its way.
    ///
    /// # Panics
    /// If it has arrived.
    #[inline]
    pub(super) fn at(&self, handle: Handle) -> &Message {
        self.messages.get(handle).expect("a message arrives once")
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// A message has arrived.
    #[inline]
    pub(super) fn end(&mut self, handle: Handle) {
        self.messages.discard(handle);
    }

    /// A message goes nowhere: its target is cut off.
    pub(super) fn lose(&mut self, core: &mut Core<'_>, target: NodeId, message: &Message) {
        let order = message.order(core.program());
        core.fired(order, |act| matches!(*act, Action::CutOff { node, .. } if node == target));
        message.tell(core, Way::Sent);
        message.tell(core, Way::Lost);
    }

    /// Sends a message over the link between a caller and whom it calls, in either direction; says
    /// whether it is on its way.
    pub(in crate::system) fn send(
        &mut self,
        core: &mut Core<'_>,
        caller: NodeId,
        target: NodeId,
        direction: Direction,
        message: &Message,
    ) -> bool {
        let link = core.program().link_index(caller, target);
        let (site, work) = (core.program().node(target).id, message.key());
        let order = if core.is_calm() { None } else { message.order(core.program()) };
        let passage = Passage { link, direction, site, work, order };
        message.tell(core, Way::Sent);
        let is_wide = core.program().links[link].transmission == Span::ZERO;
        if is_wide && core.link_condition(link).is_calm(core.now()) {
            let departure = core.now() + connecting(core, link, site, message);
            let travels = self.latency(core, passage, Purpose::Latency, passage.number());
            self.arrive_at(core, departure + travels, message);
            return true;
        }
        let departure = match core.program().links[link].transmission {
            Span::ZERO => Some(core.now()),
            _ => self.depart(core, passage),
        };
        let Some(departure) = departure.filter(|_| !self.loses(core, passage)) else {
            message.tell(core, Way::Lost);
            return false;
        };
        let departure = departure + connecting(core, link, site, message);
        let latency = self.latency(core, passage, Purpose::Latency, passage.number());
        let late = self.lateness(core, passage);
        self.carry(core, passage, departure, latency + late, message);
        if self.duplicates(core, passage) {
            let second = message.second();
            second.tell(core, Way::Duplicated);
            let latency =
                self.latency(core, passage, Purpose::Duplicate, passage.number() + SECOND);
            self.carry(core, passage, departure, latency, &second);
        }
        true
    }

    /// Waits for the link's bandwidth: messages go one after the other. `None` if too many wait.
    fn depart(&mut self, core: &mut Core<'_>, passage: Passage) -> Option<Time> {
        let link = &core.program().links[passage.link];
        let free = &mut self.free_at[passage.link][passage.number() as usize];
        let start = core.now().max(*free);
        if start.since(core.now()) > link.backlog {
            return None;
        }
        *free = start + link.transmission;
        Some(*free)
    }

    /// Whether a message is lost on its way.
    fn loses(&mut self, core: &mut Core<'_>, passage: Passage) -> bool {
        let condition = core.link_condition(passage.link);
        let (is_cut, loss) = match passage.direction {
            Direction::Request => (condition.requests_cut, condition.request_loss),
            Direction::Reply => (condition.replies_cut, condition.reply_loss),
        };
        if is_cut {
            core.fired(passage.order, |action| match (action, passage.direction) {
                (Action::Partition { requests: cut, .. }, Direction::Request)
                | (Action::Partition { replies: cut, .. }, Direction::Reply) => {
                    cut.contains(&passage.link)
                }
                _ => false,
            });
            return true;
        }
        if loss.is_never() {
            return false;
        }
        let draw = core.draw(Purpose::Loss, passage.site, passage.work, passage.number());
        if !loss.happens(draw) {
            return false;
        }
        let own = &core.program().links[passage.link];
        let own = match passage.direction {
            Direction::Request => own.request_loss,
            Direction::Reply => own.reply_loss,
        };
        core.fired_by_chance(passage.order, draw, own, |action| {
            match (action, passage.direction) {
                (Action::RequestLoss { links, share }, Direction::Request)
                | (Action::ReplyLoss { links, share }, Direction::Reply)
                    if links.contains(&passage.link) =>
                {
                    Some(*share)
                }
                _ => None,
            }
        });
        true
    }

    /// How long a message travels.
    #[inline]
    fn latency(
        &mut self,
        core: &mut Core<'_>,
        passage: Passage,
        purpose: Purpose,
        index: u16,
    ) -> Span {
        match &core.program().links[passage.link].latency {
            Distribution::Constant(span) => *span,
            random => random.sample(core.draw(purpose, passage.site, passage.work, index)),
        }
    }

    /// By how much a message is late, so that others overtake it.
    fn lateness(&mut self, core: &mut Core<'_>, passage: Passage) -> Span {
        let share = core.link_condition(passage.link).reordering;
        if share.is_never() {
            return Span::ZERO;
        }
        let Passage { link, site, work, .. } = passage;
        let draw = core.draw(Purpose::Reorder, site, work, passage.number());
        if !share.happens(draw) {
            return Span::ZERO;
        }
        let own = &core.program().links[link];
        let cause =
            core.fired_by_chance(passage.order, draw, own.reordering, |action| match action {
                Action::Reorder { links, share, .. } if links.contains(&link) => Some(*share),
                _ => None,
            });
        let by = core.draw(Purpose::Reorder, site, work, passage.number() + SECOND);
        match cause.map(|control| &control.action) {
            Some(&Action::Reorder { added, .. }) => {
                Distribution::Uniform { low: Span::ZERO, high: added }.sample(by)
            }
            _ => own.lateness.sample(by),
        }
    }

    /// Whether a message arrives twice.
    fn duplicates(&mut self, core: &mut Core<'_>, passage: Passage) -> bool {
        let share = core.link_condition(passage.link).duplication;
        if share.is_never() {
            return false;
        }
        let Passage { link, site, work, .. } = passage;
        let draw = core.draw(Purpose::Duplicate, site, work, passage.number());
        if !share.happens(draw) {
            return false;
        }
        let own = core.program().links[link].duplication;
        core.fired_by_chance(passage.order, draw, own, |action| match action {
            Action::Duplicate { links, share } if links.contains(&link) => Some(*share),
            _ => None,
        });
        true
    }

    /// Puts a message on its way: it arrives when it has travelled, and later if the link is slow
    /// or clogged.
    fn carry(
        &mut self,
        core: &mut Core<'_>,
        passage: Passage,
        departure: Time,
        travels: Span,
        message: &Message,
    ) {
        let link = passage.link;
        let condition = core.link_condition(link);
        let (added, clogged_until) = (condition.added_latency, condition.clogged_until);
        if added > Span::ZERO {
            core.fired(
                passage.order,
                |action| matches!(action, Action::Latency { links, .. } if links.contains(&link)),
            );
        }
        if clogged_until > departure {
            core.fired(
                passage.order,
                |action| matches!(action, Action::Clog { links } if links.contains(&link)),
            );
        }
        self.arrive_at(core, departure.max(clogged_until) + travels + added, message);
    }

    #[inline]
    fn arrive_at(&mut self, core: &mut Core<'_>, at: Time, message: &Message) {
        let handle = self.messages.insert(*message);
        core.schedule(at, Event::Deliver(handle));
    }
}
