//! How many ended how: a count for each outcome that happened.

use std::collections::BTreeMap;

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};

use crate::policy::{Outcome, OutcomeKind};

/// Counts by outcome, in the order of outcomes: equal counts are equal, whatever came first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutcomeCounts(Vec<(Outcome, u64)>);

impl OutcomeCounts {
    /// One more ended so.
    pub fn add(&mut self, outcome: Outcome) {
        // There are few, and looking through them is faster than halving.
        if let Some((_, count)) = self.0.iter_mut().find(|(known, _)| *known == outcome) {
            *count += 1;
            return;
        }
        let place = self.0.partition_point(|&(known, _)| known < outcome);
        self.0.insert(place, (outcome, 1));
    }

    /// How many ended exactly so.
    #[must_use]
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.iter().find(|(known, _)| *known == outcome).map_or(0, |(_, count)| count)
    }

    /// How many ended in any way of a kind.
    #[must_use]
    pub fn of_kind(&self, kind: OutcomeKind) -> u64 {
        self.iter().filter(|(outcome, _)| outcome.kind() == kind).map(|(_, count)| count).sum()
    }

    /// How many there were in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.iter().map(|(_, count)| count).sum()
    }

    /// Every outcome that happened and how often, in the order of outcomes.
    pub fn iter(&self) -> impl Iterator<Item = (Outcome, u64)> {
        self.0.iter().copied()
    }
}

impl Serialize for OutcomeCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = self.iter().map(|(outcome, count)| (outcome.to_string(), count));
        named.collect::<BTreeMap<String, u64>>().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for OutcomeCounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OutcomeCounts, D::Error> {
        let counts = BTreeMap::<String, u64>::deserialize(deserializer)?;
        let known = |(name, count): (String, u64)| {
            let outcome = Outcome::named(&name);
            let outcome =
                outcome.ok_or_else(|| D::Error::custom(format!("no outcome {name:?}")))?;
            Ok((outcome, count))
        };
        let mut counts: Vec<(Outcome, u64)> =
            counts.into_iter().map(known).collect::<Result<_, _>>()?;
        counts.sort_unstable();
        Ok(OutcomeCounts(counts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::OutcomeSet;

    #[test]
    fn a_tally_comes_back_from_its_text() {
        let mut tally = OutcomeCounts::default();
        for outcome in OutcomeSet::ERRORS.iter().chain([Outcome::Ok, Outcome::Reset]) {
            tally.add(outcome);
        }
        let text = serde_json::to_string(&tally).expect("it is plain data");
        let back: OutcomeCounts = serde_json::from_str(&text).expect("it was written so");
        assert_eq!(back, tally, "{text}");
        assert_eq!((back.of(Outcome::Reset), back.of_kind(OutcomeKind::Ok)), (2, 1));
    }
}
