//! Availability of what is made of parts that fail independently of each other.
//!
//! Treynor, Dahlin, Rau, Beyer: "The calculus of service availability", ACM Queue 15, 2017. The
//! beta factor of common causes is of Fleming, "A reliability model for common mode failure in
//! redundant safety systems", 1975.

use super::numeric::power;
use super::{Observable, Parameters, Quantity, Says};

/// Parts of which all are needed, beside what a service fails by itself.
pub(super) fn serial(parameters: &Parameters) -> Says {
    let parts = parameters.whole("parts", 1_000)?;
    let available = 1.0 - parameters.share("part_fails")?;
    let own = 1.0 - parameters.share("own_fails").unwrap_or(0.0);
    Ok(vec![success(own * power(available, parts))])
}

/// Parts of which some are enough: the upper tail of a binomial distribution.
pub(super) fn redundant(parameters: &Parameters) -> Says {
    let all = parameters.whole("parts", 100)?;
    let need = parameters.whole("need", all)?;
    let fails = parameters.share("part_fails")?;
    let (mut ways, mut fewer) = (1.0, 0.0);
    for good in 0..need {
        fewer += ways * power(1.0 - fails, good) * power(fails, all - good);
        ways *= f64::from(all - good) / f64::from(good + 1);
    }
    Ok(vec![Quantity::shown("unavailability", fewer, Observable::LessThanOne("success_ratio"))])
}

/// Two parts of which one is enough, and what takes both at once.
pub(super) fn common_cause(parameters: &Parameters) -> Says {
    let (common, apart) = (parameters.share("common")?, parameters.share("apart")?);
    let both = common + (1.0 - common) * apart * apart;
    Ok(vec![Quantity::shown("unavailability", both, Observable::LessThanOne("success_ratio"))])
}

/// Work that is split over services in a row: means add up, and each adds its chance to be slow.
pub(super) fn hops(parameters: &Parameters) -> Says {
    let hops = parameters.whole("hops", 1_000)?;
    let (mean, slow) = (parameters.positive("mean")?, parameters.share("slow")?);
    let bound = parameters.positive("bound")?;
    Ok(vec![
        Quantity::shown(
            "E[latency]",
            f64::from(hops) * mean,
            Observable::Metric("latency_mean_ms"),
        ),
        Quantity::shown("P(slow)", 1.0 - power(1.0 - slow, hops), Observable::LatencyAbove(bound)),
    ])
}

/// Parts some of which have a fallback: answers need the others, and are degraded where any of
/// those with a fallback fails.
pub(super) fn fallbacks(parameters: &Parameters) -> Says {
    let (hard, soft) = (parameters.whole("hard", 1_000)?, parameters.whole("soft", 1_000)?);
    let available = 1.0 - parameters.share("part_fails")?;
    let core = power(available, hard);
    let degraded = core * (1.0 - power(available, soft));
    Ok(vec![
        success(core),
        Quantity::shown("degraded", degraded, Observable::Metric("asked.degraded_ratio")),
    ])
}

fn success(share: f64) -> Quantity {
    Quantity::shown("availability", share, Observable::Metric("success_ratio"))
}
