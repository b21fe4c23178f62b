//! Which requests fared worse with a cause than without it.

use super::fates::Fate;
use crate::kernel::time::{Span, Time};

/// When a request fared worse: without the cause it was answered `ok`, and with it was not, or its
/// user was shown what was old and was not without, or it took so much longer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// A request is slower if it takes more than so many times as long as without the cause,
    pub slower: f64,
    /// and more than so much longer.
    pub at_least: Span,
}

/// In which way a request fared worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It was not answered `ok`.
    Failed,
    /// It was never made: what would have led to it had failed.
    Never,
    /// Its user was shown what was older.
    Older,
    /// It took longer.
    Slower,
}

/// A request, or a call, that was good without the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Harm<Which> {
    /// Which, by what is the same in both runs.
    pub which: Which,
    /// What became of it without the cause.
    pub without: Fate,
    /// The order that it is about, as the run with the cause numbers orders.
    pub order: u64,
    /// In which way it fared worse with it; `None` if it fared no worse.
    pub way: Option<Way>,
    /// When that was to be seen: the earlier one of its two ends.
    pub at: Time,
}

/// Every request that was good without the cause and asked from `since` on, and whether it fared
/// worse with it. Both lists are in the order of what is the same in both runs.
pub fn compare<Which: Ord + Copy>(
    rule: &Rule,
    since: Time,
    with: &[(Which, Fate)],
    without: &[(Which, Fate)],
) -> Vec<Harm<Which>> {
    let mut with = with.iter().peekable();
    let mut found = Vec::new();
    for &(which, without) in without {
        while with.next_if(|(other, _)| *other < which).is_some() {}
        let own = with.next_if(|(other, _)| *other == which).map(|(_, fate)| *fate);
        if !without.is_ok || without.started < since {
            continue;
        }
        let ended = own.map_or(Time::NEVER, |own| own.ended);
        let way = rule.way(&without, own.as_ref());
        let (order, at) = (own.unwrap_or(without).order, without.ended.min(ended));
        found.push(Harm { which, without, order, way, at });
    }
    found
}

impl Rule {
    fn way(&self, without: &Fate, with: Option<&Fate>) -> Option<Way> {
        let Some(with) = with else { return Some(Way::Never) };
        if !with.is_ok {
            return Some(Way::Failed);
        }
        if with.is_old && !without.is_old {
            return Some(Way::Older);
        }
        let (took, usual) = (with.ended.since(with.started), without.ended.since(without.started));
        self.is_slower(took, usual).then_some(Way::Slower)
    }

    /// Whether what took so long took much longer than `usual`.
    pub fn is_slower(&self, took: Span, usual: Span) -> bool {
        took > usual.scaled(self.slower) && took > usual + self.at_least
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::program::{NodeId, OperationId};
    use crate::twin::Asking;

    const RULE: Rule = Rule { slower: 2.0, at_least: Span::from_millis(100) };

    fn asking(work: u64) -> Asking {
        Asking { clients: NodeId(0), work, operation: OperationId(0), nth: 0 }
    }

    fn fate(millis: u64, is_ok: bool, is_old: bool) -> Fate {
        let started = Time::ZERO + Span::from_secs(1);
        let ended = started + Span::from_millis(millis);
        Fate { order: 0, key: 0, started, ended, is_ok, is_old }
    }

    fn ways(with: &[(Asking, Fate)], without: &[(Asking, Fate)]) -> Vec<Option<Way>> {
        compare(&RULE, Time::ZERO, with, without).iter().map(|harm| harm.way).collect()
    }

    #[test]
    fn a_request_fares_worse_if_it_was_good_and_is_not_or_takes_much_longer() {
        let way = |with: Fate, without: Fate| ways(&[(asking(1), with)], &[(asking(1), without)]);
        let good = fate(100, true, false);
        assert_eq!(way(good, good), [None]);
        assert_eq!(way(fate(100, false, false), good), [Some(Way::Failed)]);
        assert_eq!(way(fate(100, true, true), good), [Some(Way::Older)]);
        assert_eq!(way(fate(200, true, false), good), [None], "twice is not more than twice");
        assert_eq!(way(fate(201, true, false), good), [Some(Way::Slower)]);
        assert_eq!(way(fate(109, true, false), fate(10, true, false)), [None], "nobody notices");
        assert_eq!(way(fate(111, true, false), fate(10, true, false)), [Some(Way::Slower)]);
        assert_eq!(way(fate(100, true, true), fate(100, true, true)), [None], "old in both");
        assert_eq!(way(good, fate(100, false, false)), [], "it was not good before");
    }

    #[test]
    fn who_never_came_to_ask_fared_worse_and_who_came_only_here_did_not() {
        let good = fate(100, true, false);
        let both = [(asking(1), good), (asking(2), good), (asking(4), good)];
        let with = [(asking(0), good), (asking(1), good), (asking(3), good), (asking(4), good)];
        assert_eq!(ways(&with, &both), [None, Some(Way::Never), None]);
        let since = Time::ZERO + Span::from_secs(2);
        assert_eq!(compare(&RULE, since, &with, &both), [], "asked before it counts");
    }
}
