//! The answer of a budget in a few sentences: what spends it, what buys it back, what spends more.

use super::{Report, points, shown};
use crate::experiment::budget::Arm;
use crate::experiment::budget::found::Found;
use crate::report::number::{self, Unit};
use crate::statistics::interval::Estimate;

impl Report<'_> {
    /// The sentences.
    pub fn answer(&self) -> Vec<String> {
        let mut sentences: Vec<String> = self.spends().into_iter().collect();
        sentences.extend(self.buys_back());
        sentences.extend(self.buys_most_for_its_money());
        sentences.extend(self.spends_more());
        sentences
    }

    /// What spends the budget of the first arm.
    fn spends(&self) -> Option<String> {
        let (arm, found) = (self.arms.first()?, self.found.first()?);
        let parts = found.shares.iter().enumerate();
        let (most, share) = parts.max_by(|a, b| a.1.mean.total_cmp(&b.1.mean))?;
        let what = self.asked.kinds.get(most).map_or("calm days", |kind| kind.label.as_str());
        let window = self.window();
        Some(format!(
            "Most of the budget goes to {what}: {} of what is spent. \"{}\" spends {} of it a \
             {window}; {} of {window}s go over.",
            shown(*share, Unit::Percent),
            arm.label,
            shown(found.all, Unit::Percent),
            shown(found.over, Unit::Percent),
        ))
    }

    /// The other arms whose part bought back lies clearly on this side of nothing.
    fn clear(&self, is_meant: impl Fn(&Estimate) -> bool) -> Vec<(&Arm, &Found)> {
        let others = self.arms.iter().zip(self.found).skip(1);
        others.filter(|(_, found)| is_meant(&found.bought)).collect()
    }

    fn savers(&self) -> Vec<(&Arm, &Found)> {
        self.clear(|bought| bought.interval.low > 0.0)
    }

    fn buys_back(&self) -> Option<String> {
        if self.arms.len() < 2 {
            return None;
        }
        let savers = self.savers();
        let best = savers.into_iter().max_by(|a, b| a.1.bought.mean.total_cmp(&b.1.bought.mean));
        let Some((arm, found)) = best else {
            return Some("No arm clearly buys any of it back.".to_owned());
        };
        Some(format!(
            "\"{}\" buys back most: {}, and {} go over{}.",
            arm.label,
            points(found.bought),
            shown(found.over, Unit::Percent),
            self.price_of(found),
        ))
    }

    /// What an arm costs more or less than the first one, for how much of the budget.
    fn price_of(&self, found: &Found) -> String {
        let (Some(dearer), Some(prices)) = (found.dearer, self.prices) else {
            return String::new();
        };
        let Estimate { mean, interval, .. } = dearer;
        let (window, currency) = (self.window(), &prices.currency);
        if interval.high < 0.0 {
            let less = number::interval(-mean, -interval.high, -interval.low, Unit::Plain);
            return format!("; {less} {currency} a {window} cheaper");
        }
        let more = shown(dearer, Unit::Plain);
        match for_a_thousand(found) {
            Some(rate) => format!(
                "; {more} {currency} a {window} dearer: {} points for 1,000",
                number::number(rate, Unit::Plain)
            ),
            None => format!("; for about the same money ({more} {currency} a {window} dearer)"),
        }
    }

    /// By how much an arm that buys nothing is dearer.
    fn dearer_by(&self, found: &Found) -> String {
        match (found.dearer.filter(|it| it.interval.low > 0.0), self.prices) {
            (Some(dearer), Some(prices)) => {
                let (more, window) = (shown(dearer, Unit::Plain), self.window());
                format!("; {more} {} a {window} dearer", prices.currency)
            }
            _ => String::new(),
        }
    }

    /// Which dearer arm buys most for its money, if it is not the one that buys most.
    fn buys_most_for_its_money(&self) -> Option<String> {
        let savers = self.savers();
        let most = savers.iter().max_by(|a, b| a.1.bought.mean.total_cmp(&b.1.bought.mean))?;
        for_a_thousand(most.1)?;
        let worth = |found: &Found| match found.dearer {
            Some(dearer) if dearer.interval.low <= 0.0 => f64::INFINITY,
            _ => for_a_thousand(found).unwrap_or(f64::NEG_INFINITY),
        };
        let best = savers.iter().max_by(|a, b| worth(a.1).total_cmp(&worth(b.1)))?;
        if best.0.name == most.0.name {
            return None;
        }
        Some(format!(
            "For its money \"{}\" buys most: {}{}.",
            best.0.label,
            points(best.1.bought),
            self.price_of(best.1)
        ))
    }

    fn spends_more(&self) -> Option<String> {
        let wasters = self.clear(|bought| bought.interval.high < 0.0);
        let (arm, found) =
            wasters.into_iter().min_by(|a, b| a.1.bought.mean.total_cmp(&b.1.bought.mean))?;
        Some(format!(
            "\"{}\" spends more: {}, and {} go over{}.",
            arm.label,
            shown(found.all, Unit::Percent),
            shown(found.over, Unit::Percent),
            self.dearer_by(found),
        ))
    }
}

/// How many points of the budget an arm buys back for a thousand more of money; `None` if it is not
/// clearly dearer than the first one.
fn for_a_thousand(found: &Found) -> Option<f64> {
    let dearer = found.dearer.filter(|dearer| dearer.interval.low > 0.0)?;
    Some(100.0 * found.bought.mean / dearer.mean * 1_000.0)
}
