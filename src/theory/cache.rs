//! Caches whose keys are asked for independently, by Zipf's law.

use super::numeric::fall_to;
use super::{Observable, Parameters, Quantity, Says};

/// How many keys a law is computed for.
const MOST_KEYS: u32 = 1_000_000;

/// How often each of `count` keys is asked for.
fn zipf(count: u32, exponent: f64) -> Vec<f64> {
    let weights = (1..=count).map(|rank| libm::pow(f64::from(rank), -exponent));
    let weights: Vec<f64> = weights.collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

/// Least recently used, exactly: the probability of each set of the most recent keys (King,
/// "Analysis of demand paging algorithms", 1971). The sets are counted one by one, so that there
/// can be few keys only.
pub(super) fn exact(parameters: &Parameters) -> Says {
    let count = parameters.whole("N", 20)?;
    let keys = zipf(count, parameters.number("zipf")?);
    let room = parameters.whole("C", count)?;
    let sets = 1_usize << keys.len();
    let share = |set: usize| -> f64 {
        keys.iter().enumerate().filter(|(key, _)| set >> key & 1 == 1).map(|(_, p)| p).sum()
    };
    let mut likely = vec![0.0; sets];
    likely[0] = 1.0;
    let mut hits = 0.0;
    for set in 0..sets {
        let size = set.count_ones();
        let of_set = share(set);
        if size == room {
            hits += likely[set] * of_set;
        }
        if size >= room {
            continue;
        }
        for (key, p) in keys.iter().enumerate().filter(|(key, _)| set >> key & 1 == 0) {
            likely[set | 1 << key] += likely[set] * p / (1.0 - of_set);
        }
    }
    Ok(vec![Quantity::shown("hit_ratio", hits, MISSES)])
}

/// The load of the experiment is the reads that the cache did not answer.
const MISSES: Observable = Observable::LessThanOne("amplification");

/// Least recently used, by the characteristic time (Che, Tung, Wang: "Hierarchical web caching
/// systems", JSAC 20, 2002). An approximation.
pub(super) fn characteristic(parameters: &Parameters) -> Says {
    let count = parameters.whole("N", MOST_KEYS)?;
    let keys = zipf(count, parameters.number("zipf")?);
    let room = f64::from(parameters.whole("C", count)?);
    let absent = |time: f64| keys.iter().map(|p| libm::exp(-p * time)).sum::<f64>();
    let time = fall_to(keys.len() as f64 - room, absent);
    let hits = keys.iter().map(|p| -p * libm::expm1(-p * time)).sum();
    Ok(vec![
        Quantity::shown("hit_ratio", hits, MISSES),
        Quantity::unseen("characteristic_time_requests", time),
    ])
}

/// Rows that are kept for a time after they were filled, or after they were asked for (`sliding`),
/// without a limit of room: a renewal for each key (Jung, Berger, Balakrishnan: "Modeling TTL-based
/// internet caches", INFOCOM 2003).
pub(super) fn expiring(parameters: &Parameters) -> Says {
    let keys = zipf(parameters.whole("N", MOST_KEYS)?, parameters.number("zipf")?);
    let (lambda, kept) = (parameters.positive("lambda")?, parameters.positive("ttl")?);
    if parameters.word("mode").is_some_and(|mode| mode.starts_with("sliding")) {
        let kept_on = |p: &f64| -p * libm::expm1(-p * lambda * kept);
        return Ok(vec![Quantity::shown("hit_ratio", keys.iter().map(kept_on).sum(), MISSES)]);
    }
    let hits: f64 = keys.iter().map(|p| p * p * lambda * kept / (1.0 + p * lambda * kept)).sum();
    let reads = Observable::LoadRate;
    Ok(vec![
        Quantity::shown("hit_ratio", hits, MISSES),
        Quantity::shown("origin_load", lambda * (1.0 - hits), reads),
    ])
}

/// Answers that are older than the newest change of their key, for each change: a key is asked for
/// at the rate `a` and changed at the rate `w`, each at random, and kept for the time `T` from when
/// it was filled or from when it was asked for last (`mode`).
///
/// An answer is old if it comes from a fill before the change. From filling on, hits come at the
/// rate `a` for the time `T`. From the last access on, the `n`-th hit after a fill comes at the sum
/// of `n` gaps that are each shorter than `T`: with `p` the probability of such a gap, and
/// `q = E[exp(-w gap); gap < T]`, `sum (p^n - q^n)` of those of one fill are old. If changes are
/// rare, this is `aT / (1 + aT) aT / 2`, and `exp(aT) - 1 - aT`.
pub(super) fn stale_after_change(parameters: &Parameters) -> Says {
    let (rate, kept) = (parameters.positive("a")?, parameters.positive("T")?);
    let asked = rate * kept;
    let is_sliding = parameters.says("mode", "from last access");
    let rare = match is_sliding {
        true => libm::expm1(asked) - asked,
        false => asked / (1.0 + asked) * asked / 2.0,
    };
    let mut all = vec![Quantity::unseen("stale answers per rare change", rare)];
    let Ok(changes) = parameters.positive("w") else { return Ok(all) };
    let old = match is_sliding {
        true => {
            let either = rate + changes;
            let gaps = [-libm::expm1(-asked), -rate / either * libm::expm1(-either * kept)];
            let [short, unchanged] = gaps.map(|gap| gap / (1.0 - gap));
            (short - unchanged) * libm::exp(-asked)
        }
        false => (asked + rate / changes * libm::expm1(-changes * kept)) / (1.0 + asked),
    };
    let reads = rate / changes;
    let name = "stale answers per change";
    all.push(Quantity::shown(name, old * reads, Observable::OldRows(reads)));
    Ok(all)
}
