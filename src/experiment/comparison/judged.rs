//! What may be said of a comparison, once it is corrected for how many there are.

use super::language::Family;
use super::losses::Lost;
use super::pairs::{Idle, Method, Pair};
use crate::experiment::campaign::Campaign;
use crate::experiment::statistics::CONFIDENCE;
use crate::experiment::statistics::multiplicity::holm;
use crate::experiment::statistics::verdict::{Direction, Region, Verdict, verdict};

/// The largest p-value that decides.
const DECIDES: f64 = 1.0 - CONFIDENCE;

/// Corrects the primary comparisons of each declared family, and gives every pair its verdict.
pub(super) fn judge_all(campaign: &Campaign, pairs: &mut [Pair]) {
    let arms = campaign.experiment.arms.len();
    let mut families: Vec<Vec<usize>> = vec![Vec::new(); campaign.cells.len().div_ceil(arms)];
    for (index, pair) in pairs.iter().enumerate().filter(|(_, pair)| pair.is_primary) {
        let family = match campaign.declared.family {
            Family::Campaign => 0,
            Family::Point => pair.cell / arms,
        };
        families[family].push(index);
    }
    for members in families {
        let of = |p: fn(&Pair) -> Option<f64>| corrected(members.iter().map(|&at| p(&pairs[at])));
        let (differs, equals) = (of(|pair| pair.p), of(|pair| pair.p_equivalent));
        for ((index, differs), equals) in members.into_iter().zip(differs).zip(equals) {
            pairs[index].p_holm = differs;
            pairs[index].p_equivalent_holm = equals;
        }
    }
    for pair in pairs {
        pair.verdict = judge(pair);
    }
}

/// Holm's correction over a family; a comparison without a p-value counts as one that shows
/// nothing.
fn corrected(p_values: impl Iterator<Item = Option<f64>>) -> Vec<Option<f64>> {
    let p_values: Vec<Option<f64>> = p_values.collect();
    let raw: Vec<f64> = p_values.iter().map(|p| p.unwrap_or(1.0)).collect();
    let corrected = holm(&raw).expect("p-values are between 0 and 1");
    p_values.iter().zip(corrected).map(|(p, corrected)| p.map(|_| corrected)).collect()
}

fn judge(pair: &Pair) -> Verdict {
    match [pair.idle, pair.baseline_idle] {
        [None, None] => {}
        both if both.contains(&Some(Idle::NotExercised)) => return Verdict::NotExercised,
        _ => return Verdict::NotJudged,
    }
    if pair.missing > 0 {
        return Verdict::Undecided;
    }
    if pair.is_promise() && pair.mean == Some(0.0) && pair.baseline_mean == Some(0.0) {
        return Verdict::NoneSeen;
    }
    let said = match pair.method {
        Method::SignFlip => by_signs(pair),
        Method::PairedT | Method::McNemar => by_intervals(pair),
    };
    if pair.lost.iter().any(|lost| takes_away(lost, pair, said)) {
        return Verdict::Confounded;
    }
    said
}

/// Whether what one arm lost more of takes away what is said. What was thrown away always does of
/// the arm that looks better; what is only open does if it could have made no difference of what
/// is said, or of no difference one.
fn takes_away(lost: &Lost, pair: &Pair, said: Verdict) -> bool {
    let margin = pair.equivalent.map_or(0.0, |region| region.high);
    let difference = pair.difference.map_or(0.0, f64::abs);
    let is_enough = lost.outweighs(difference, margin);
    match said {
        Verdict::Better => lost.is_more() && is_enough,
        Verdict::Worse => !lost.is_more() && is_enough,
        Verdict::Equivalent => lost.open.is_some_and(|open| open > margin),
        _ => false,
    }
}

/// Only what both intervals say and, of primary metrics, what is left after the correction.
fn by_intervals(pair: &Pair) -> Verdict {
    let (Some(interval), Some(region)) = (pair.interval, region(pair)) else {
        return Verdict::Undecided;
    };
    let said = verdict(interval, region, pair.better);
    let confirmed = pair.bootstrap.is_none_or(|other| verdict(other, region, pair.better) == said);
    let by_chance = |p: Option<f64>| p.is_some_and(|p| p > DECIDES);
    let p_equivalent = if pair.is_primary { pair.p_equivalent_holm } else { pair.p_equivalent };
    // What is doubted has no p-value of equivalence, or a larger one than its interval says.
    let is_doubted = p_equivalent.is_none_or(|p| p > DECIDES);
    match said {
        _ if !confirmed => Verdict::Undecided,
        Verdict::Better | Verdict::Worse if by_chance(pair.p_holm) => Verdict::Undecided,
        Verdict::Equivalent if is_doubted => Verdict::Undecided,
        said => said,
    }
}

/// Which arm breaks the promise more often, where too few runs break it to say by how much; that
/// they break it equally often cannot be said.
fn by_signs(pair: &Pair) -> Verdict {
    let p = if pair.is_primary { pair.p_holm } else { pair.p };
    let (Some(p), Some(difference), Some(region)) = (p, pair.difference, region(pair)) else {
        return Verdict::Undecided;
    };
    if p > DECIDES || region.interval().contains(difference) {
        return Verdict::Undecided;
    }
    match (difference > 0.0, pair.better) {
        (true, Direction::Higher) | (false, Direction::Lower) => Verdict::Better,
        (true, Direction::Lower) | (false, Direction::Higher) => Verdict::Worse,
    }
}

fn region(pair: &Pair) -> Option<Region> {
    Region::absolute(pair.equivalent?.high).ok()
}
