//! What may be said of a comparison, once it is corrected for how many there are.

use super::language::Family;
use super::losses::Lost;
use super::pair::{Idle, Method, Pair};
use crate::experiment::plan::campaign::Campaign;
use crate::statistics::CONFIDENCE;
use crate::statistics::multiplicity::holm;
use crate::statistics::verdict::{Conclusion, Direction, Region, verdict};

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

fn judge(pair: &Pair) -> Conclusion {
    match [pair.idle, pair.baseline_idle] {
        [None, None] => {}
        both if both.contains(&Some(Idle::NotExercised)) => return Conclusion::NotExercised,
        _ => return Conclusion::NotJudged,
    }
    if pair.missing > 0 {
        return Conclusion::Undecided;
    }
    if pair.is_promise() && pair.mean == Some(0.0) && pair.baseline_mean == Some(0.0) {
        return Conclusion::NoneSeen;
    }
    let said = match pair.method {
        Method::SignFlip => by_signs(pair),
        Method::PairedT | Method::McNemar => by_intervals(pair),
    };
    if pair.lost.iter().any(|lost| takes_away(lost, pair, said)) {
        return Conclusion::Confounded;
    }
    said
}

/// Whether what one arm lost more of takes away what is said. What was thrown away always does of
/// the arm that looks better; what is only open does if it could have made no difference of what
/// is said, or of no difference one.
fn takes_away(lost: &Lost, pair: &Pair, said: Conclusion) -> bool {
    let margin = pair.equivalent.map_or(0.0, |region| region.high);
    let difference = pair.difference.map_or(0.0, f64::abs);
    let is_enough = lost.outweighs(difference, margin);
    match said {
        Conclusion::Better => lost.is_more() && is_enough,
        Conclusion::Worse => !lost.is_more() && is_enough,
        Conclusion::Equivalent => lost.open.is_some_and(|open| open > margin),
        _ => false,
    }
}

/// Only what both intervals say and, of primary metrics, what is left after the correction.
fn by_intervals(pair: &Pair) -> Conclusion {
    let (Some(interval), Some(region)) = (pair.interval, region(pair)) else {
        return Conclusion::Undecided;
    };
    let said = verdict(interval, region, pair.better);
    let confirmed = pair.bootstrap.is_none_or(|other| verdict(other, region, pair.better) == said);
    let by_chance = |p: Option<f64>| p.is_some_and(|p| p > DECIDES);
    let p_equivalent = if pair.is_primary { pair.p_equivalent_holm } else { pair.p_equivalent };
    // What is doubted has no p-value of equivalence, or a larger one than its interval says.
    let is_doubted = p_equivalent.is_none_or(|p| p > DECIDES);
    match said {
        _ if !confirmed => Conclusion::Undecided,
        Conclusion::Better | Conclusion::Worse if by_chance(pair.p_holm) => Conclusion::Undecided,
        Conclusion::Equivalent if is_doubted => Conclusion::Undecided,
        said => said,
    }
}

/// Which arm breaks the promise more often, where too few runs break it to say by how much; that
/// they break it equally often cannot be said.
fn by_signs(pair: &Pair) -> Conclusion {
    let p = if pair.is_primary { pair.p_holm } else { pair.p };
    let (Some(p), Some(difference), Some(region)) = (p, pair.difference, region(pair)) else {
        return Conclusion::Undecided;
    };
    if p > DECIDES || region.interval().contains(difference) {
        return Conclusion::Undecided;
    }
    match (difference > 0.0, pair.better) {
        (true, Direction::Higher) | (false, Direction::Lower) => Conclusion::Better,
        (true, Direction::Lower) | (false, Direction::Higher) => Conclusion::Worse,
    }
}

fn region(pair: &Pair) -> Option<Region> {
    Region::absolute(pair.equivalent?.high).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::compare::measured::Source;
    use crate::statistics::Interval;

    /// An arm with a lower, that is better, metric than the baseline's by 0.2, where 0.05 makes no
    /// difference.
    fn better() -> Pair {
        Pair {
            cell: 1,
            baseline: 0,
            metric: "waits".to_owned(),
            source: Source::Metric(0),
            is_primary: true,
            method: Method::PairedT,
            better: Direction::Lower,
            pairs: 30,
            missing: 0,
            mean: Some(0.8),
            baseline_mean: Some(1.0),
            modes: None,
            baseline_modes: None,
            difference: Some(-0.2),
            interval: Some(Interval { low: -0.3, high: -0.1 }),
            bootstrap: None,
            p: Some(0.01),
            p_holm: Some(0.04),
            p_equivalent: Some(1.0),
            p_equivalent_holm: Some(1.0),
            effect_size: None,
            ratio: None,
            ratio_interval: None,
            equivalent: Some(Interval::around(0.0, 0.05)),
            lost: Vec::new(),
            untested: Vec::new(),
            idle: None,
            baseline_idle: None,
            verdict: Conclusion::Undecided,
        }
    }

    fn worse() -> Pair {
        let interval = Some(Interval { low: 0.1, high: 0.3 });
        Pair { difference: Some(0.2), interval, ..better() }
    }

    fn equal() -> Pair {
        let interval = Some(Interval { low: -0.01, high: 0.01 });
        let p = Some(0.01);
        Pair { difference: Some(0.0), interval, p_equivalent: p, p_equivalent_holm: p, ..better() }
    }

    fn lost(mean: f64, baseline_mean: f64, open: Option<f64>) -> Vec<Lost> {
        let (metric, better) = ("dead_letters".to_owned(), Direction::Lower);
        vec![Lost { metric, label: None, own_label: None, mean, baseline_mean, better, open }]
    }

    #[test]
    fn an_interval_decides_unless_the_correction_or_the_bootstrap_doubts_it() {
        assert_eq!(judge(&better()), Conclusion::Better);
        assert_eq!(judge(&worse()), Conclusion::Worse);
        assert_eq!(judge(&equal()), Conclusion::Equivalent);
        let undecided = [
            Pair { p_holm: Some(0.06), ..better() },
            Pair { p_holm: Some(0.06), ..worse() },
            Pair { p_equivalent_holm: Some(0.06), ..equal() },
            Pair { bootstrap: Some(Interval { low: -0.3, high: 0.1 }), ..better() },
            Pair { interval: None, ..better() },
            Pair { missing: 1, ..better() },
        ];
        for pair in &undecided {
            assert_eq!(judge(pair), Conclusion::Undecided, "{pair:?}");
        }
        let exploratory =
            Pair { is_primary: false, p_holm: None, p_equivalent_holm: None, ..equal() };
        assert_eq!(judge(&exploratory), Conclusion::Equivalent, "by its own p-value");
        let confirmed = Pair { bootstrap: Some(Interval { low: -0.3, high: -0.1 }), ..better() };
        assert_eq!(judge(&confirmed), Conclusion::Better);
    }

    #[test]
    fn a_promise_that_neither_breaks_or_that_nothing_could_break_is_no_difference() {
        let rate = Pair { source: Source::Rate(0), mean: Some(0.0), ..better() };
        assert_eq!(judge(&rate), Conclusion::Better);
        let one = Pair { mean: Some(0.8), baseline_mean: Some(0.0), ..rate.clone() };
        assert_ne!(judge(&one), Conclusion::NoneSeen, "the arm breaks it");
        let none = Pair { baseline_mean: Some(0.0), ..rate.clone() };
        assert_eq!(judge(&none), Conclusion::NoneSeen);
        let metric = Pair { source: Source::Metric(0), ..none };
        assert_eq!(judge(&metric), Conclusion::Better, "no promise");
        let idle = Pair { idle: Some(Idle::NotJudged), ..rate };
        assert_eq!(judge(&idle), Conclusion::NotJudged);
        let both = Pair { baseline_idle: Some(Idle::NotExercised), ..idle };
        assert_eq!(judge(&both), Conclusion::NotExercised);
    }

    #[test]
    fn what_was_thrown_away_takes_away_that_its_arm_looks_better() {
        let (more, less) = (lost(5.0, 1.0, None), lost(1.0, 5.0, None));
        let with = |pair: Pair, lost: &Vec<Lost>| judge(&Pair { lost: lost.clone(), ..pair });
        assert_eq!(with(better(), &more), Conclusion::Confounded);
        assert_eq!(with(better(), &less), Conclusion::Better);
        assert_eq!(with(worse(), &more), Conclusion::Worse);
        assert_eq!(with(worse(), &less), Conclusion::Confounded);
        assert_eq!(with(equal(), &more), Conclusion::Equivalent);
        let doubted = Pair { p_holm: Some(0.06), ..better() };
        assert_eq!(with(doubted, &more), Conclusion::Undecided);
    }

    #[test]
    fn what_is_only_open_does_so_if_it_could_turn_what_is_said() {
        let with =
            |pair: Pair, open: f64| judge(&Pair { lost: lost(5.0, 1.0, Some(open)), ..pair });
        assert_eq!(with(better(), 0.16), Conclusion::Confounded, "0.04 would be left");
        assert_eq!(with(better(), 0.14), Conclusion::Better, "0.06 would be left");
        assert_eq!(with(equal(), 0.06), Conclusion::Confounded);
        assert_eq!(with(equal(), 0.05), Conclusion::Equivalent);
    }
}
