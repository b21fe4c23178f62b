//! Delivery: what is done twice or not at all when messages and answers are lost.

use super::numeric::power;
use super::{Observable, Parameters, Quantity, Says};

/// Requests are lost with the probability `a`, answers with `b`; at most `n` attempts, and nothing
/// tells repetitions from new orders.
pub(super) fn duplicates(parameters: &Parameters) -> Says {
    let (a, b) = (parameters.share("p_request_lost")?, parameters.share("p_response_lost")?);
    let most = parameters.whole("max_attempts", u32::MAX)?;
    let count = f64::from(most);
    let fails = 1.0 - (1.0 - a) * (1.0 - b);
    let attempts = if fails < 1.0 { (1.0 - power(fails, most)) / (1.0 - fails) } else { count };
    let executions = (1.0 - a) * attempts;
    let never = power(a, most);
    // Once: answered the first time that it was executed, or executed only once among lost answers.
    let once = (1.0 - b) * (1.0 - never) + count * power(a, most - 1) * (1.0 - a) * b;
    let unanswered = power(fails, most);
    let twice = "P(>=2 executions)=double charge w/o idempotency key";
    let success = Observable::LessThanOne("success_ratio");
    let further = executions - (1.0 - never);
    Ok(vec![
        Quantity::shown("E[attempts]", attempts, Observable::Metric("amplification")),
        Quantity::shown("E[executions] (no dedup)", executions, Observable::Effects),
        Quantity::unseen("P(never executed)", never),
        Quantity::shown(twice, 1.0 - never - once, Observable::Violations),
        Quantity::share("P(client sees failure)", unanswered, success),
        Quantity::unseen("P(executed but client sees failure)", unanswered - never),
        Quantity::shown("E[duplicate executions]", further, Observable::FurtherEffects),
    ])
}

/// A relay that may crash after each event that it has published, and marks `batch` of them at
/// once: the trials until so many successes in a row (Feller, volume 1, section XIII.7).
pub(super) fn outbox(parameters: &Parameters) -> Says {
    let each = "crash_after_each_publish";
    let (crash, batch) = match parameters.number(each) {
        Ok(_) => (parameters.share(each)?, parameters.whole("batch", u32::MAX)?),
        Err(_) => (parameters.share("crash_between_publish_and_mark")?, 1),
    };
    let stays = power(1.0 - crash, batch);
    let publishes = (1.0 - stays) / (crash * stays * f64::from(batch));
    let name = if batch == 1 { "E[publishes per event]" } else { "publishes per event" };
    let again = if batch == 1 { "P(event duplicated)" } else { "P(batch has a redelivery)" };
    let seen = Observable::Published;
    Ok(vec![Quantity::shown(name, publishes, seen), Quantity::unseen(again, 1.0 - stays)])
}

/// A database and a queue that are written one after the other, with a crash between them.
pub(super) fn dual_write(parameters: &Parameters) -> Says {
    match parameters.share("crash_between_commit_and_publish") {
        Ok(crash) => Ok(vec![Quantity::unseen("P(lost event)", crash)]),
        Err(_) => {
            let crash = parameters.share("crash_between_publish_and_commit")?;
            let phantom = 1.0 - (1.0 - crash) * (1.0 - parameters.share("abort_prob")?);
            Ok(vec![Quantity::unseen("P(phantom event)", phantom)])
        }
    }
}

/// How often a read at a replica shows an older row than the newest: one written at the rate `w`
/// and read at random times, or by its writer after an exponential time.
pub(super) fn lag(parameters: &Parameters) -> Says {
    let theta = parameters.positive("rate")?;
    let stale = "P(stale)";
    let own = "P(read-your-writes violated)";
    let metric = Observable::Metric;
    if let Ok(read) = parameters.number("read_rate") {
        return Ok(vec![Quantity::shown(
            own,
            read / (read + theta),
            metric("read_your_writes_violation_ratio"),
        )]);
    }
    if let Ok(delay) = parameters.number("read_delay_after_write") {
        let value = libm::exp(-theta * delay);
        return Ok(vec![Quantity::shown(stale, value, metric("read_your_writes_violation_ratio"))]);
    }
    let writes = parameters.positive("writes_per_key")?;
    let value = match parameters.says("lag", "const 1/rate") {
        true => -libm::expm1(-writes / theta),
        false => writes / (writes + theta),
    };
    Ok(vec![Quantity::shown(stale, value, metric("stale_row_ratio"))])
}
