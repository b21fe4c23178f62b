//! AWS standard mode in three languages and two generations, through the presets.

use crate::vectors::{Case, Config, MILLISECOND, Mismatches, SECOND, Step, draws_beside, nanos};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use stormglass::kernel::draw::Draw;
use stormglass::kernel::time::{Span, Time};
use stormglass::model::presets;
use stormglass::policy::budget::{Budget, Quota, Refill, Refund};
use stormglass::policy::{
    Admission, AfterAttempt, GiveUp, Outcome, Policy, Progress, Response, State,
};

/// What a recorded kind of answer is: the outcome, and the cost of a retry where the vocabulary of
/// outcomes is coarser than the library's.
type Kind = (Outcome, Option<u32>);

/// How one library is replayed.
struct Replay {
    policy: Policy,
    kind: fn(&str, &Policy) -> Option<Kind>,
    delay: &'static str,
    unit: f64,
}

pub fn botocore_2_1(case: &Case<'_>, found: &mut Mismatches) -> Result<(), String> {
    let config = case.config();
    let name = match config.text("service", "s3") {
        "dynamodb" | "dynamodbstreams" => "aws-standard-dynamodb",
        _ => "aws-standard",
    };
    let policy = configured(name, "2.1", &config)?;
    replay(case, found, &Replay { policy, kind: botocore, delay: "delay_s", unit: SECOND })
}

pub fn botocore_2_0(case: &Case<'_>, found: &mut Mismatches) -> Result<(), String> {
    let config = case.config();
    config.text("service", "s3");
    let policy = configured("aws-standard", "2.0", &config)?;
    let kind = |kind: &str, policy: &Policy| match kind {
        "throttle_429" => Some((Outcome::Invalid, None)),
        _ => botocore(kind, policy),
    };
    replay(case, found, &Replay { policy, kind, delay: "delay_s", unit: SECOND })
}

pub fn smithy_js(case: &Case<'_>, found: &mut Mismatches) -> Result<(), String> {
    let config = case.config();
    let version: Vec<u32> =
        case.file.package.version.split('.').map(|part| part.parse().unwrap_or(0)).collect();
    let mut policy =
        configured("aws-standard-js", if version < vec![4, 6] { "2.0" } else { "2.1" }, &config)?;
    if version >= vec![4, 3, 8] {
        change_quota(&mut policy, |quota| quota.refill = Refill::AtMost);
    }
    let kind = |kind: &str, _: &Policy| match kind {
        "ok" => Some((Outcome::Ok, None)),
        "TRANSIENT" => Some((Outcome::Failed, None)),
        "THROTTLING" => Some((Outcome::Throttled, None)),
        "SERVER_ERROR" | "CLIENT_ERROR" => Some((Outcome::Invalid, None)),
        _ => None,
    };
    replay(case, found, &Replay { policy, kind, delay: "delay_ms", unit: MILLISECOND })
}

pub fn smithy_rs(case: &Case<'_>, found: &mut Mismatches) -> Result<(), String> {
    let config = case.config();
    let spec = config.text("spec", "2.0");
    let strategy = config.text("strategy", "shared");
    let mut policy = configured("aws-standard-rust", spec, &config)?;
    match strategy {
        "shared" => {}
        "per_request" => change_quota(&mut policy, |quota| quota.refund = Refund::RequestAlways),
        _ => return Err(format!("unknown strategy {strategy:?}")),
    }
    let kind = |kind: &str, policy: &Policy| match kind {
        "ok" => Some((Outcome::Ok, None)),
        "transient" => Some((Outcome::Failed, None)),
        "throttling" => Some((Outcome::Throttled, None)),
        "server" if quota(policy)?.cost == 10 => Some((Outcome::Failed, Some(5))),
        "server" => Some((Outcome::Failed, None)),
        "client" => Some((Outcome::Invalid, None)),
        _ => None,
    };
    replay(case, found, &Replay { policy, kind, delay: "delay_ms", unit: MILLISECOND })
}

fn botocore(kind: &str, _: &Policy) -> Option<Kind> {
    let outcome = match kind {
        "ok" => Outcome::Ok,
        "transient_500" | "conn" => Outcome::Failed,
        "transient_503" => Outcome::Rejected,
        "timeout" => Outcome::TimedOut,
        "throttle" | "throttle_429" => Outcome::Throttled,
        "client_400" => Outcome::Invalid,
        _ => return None,
    };
    Some((outcome, None))
}

/// The preset with the parameters of the case.
fn configured(name: &str, version: &str, config: &Config<'_>) -> Result<Policy, String> {
    let preset = presets::find(name, Some(version)).ok_or(format!("no preset {name} {version}"))?;
    let mut policy = preset.policy;
    if let Some(retry) = &mut policy.retry {
        retry.attempts = config.count("max_attempts", retry.attempts);
    }
    change_quota(&mut policy, |quota| {
        quota.capacity = config.count("quota", config.count("capacity", quota.capacity));
    });
    config.finish()?;
    Ok(policy)
}

fn quota(policy: &Policy) -> Option<Quota> {
    match policy.budget {
        Some(Budget::Quota(quota)) => Some(quota),
        _ => None,
    }
}

fn change_quota(policy: &mut Policy, change: impl FnOnce(&mut Quota)) {
    if let Some(Budget::Quota(quota)) = &mut policy.budget {
        change(quota);
    }
}

/// Replays one case: one state, and a progress for each request.
fn replay(case: &Case<'_>, found: &mut Mismatches, replay: &Replay) -> Result<(), String> {
    let mut state = replay.policy.state();
    let mut requests: BTreeMap<u64, Option<Progress>> = BTreeMap::new();
    for (number, step) in case.steps() {
        let request = step.number("req") as u64;
        let progress = requests.entry(request).or_insert(Some(replay.policy.begin()));
        let Some(current) = *progress else {
            found.compare(case, number, &json!({ "skip": true }));
            continue;
        };
        let u = step.event["u"].as_f64().or(step.out["u"].as_f64()).unwrap_or(0.0);
        let mut chosen = None;
        for draw in draws_beside(u) {
            let (mut held, mut own) = (state.clone(), current);
            let (mut ours, ended) = settle(replay, &mut held, &mut own, step, draw)?;
            ours["u"] = json!(u);
            let exact = ours[replay.delay].as_f64() == step.out[replay.delay].as_f64();
            if chosen.is_none() || exact {
                chosen = Some((held, (!ended).then_some(own), ours));
            }
            if exact {
                break;
            }
        }
        let (held, own, ours) = chosen.ok_or("no draw")?;
        (state, *progress) = (held, own);
        found.compare(case, number, &ours);
    }
    Ok(())
}

/// One attempt of a request, and whether the request ended with it.
fn settle(
    replay: &Replay,
    state: &mut State,
    progress: &mut Progress,
    step: &Step,
    draw: Draw,
) -> Result<(Value, bool), String> {
    let mut policy = replay.policy;
    let kind = step.text("kind");
    let (outcome, cost) =
        (replay.kind)(kind, &policy).ok_or_else(|| format!("unknown kind {kind:?}"))?;
    change_quota(&mut policy, |quota| quota.cost = cost.unwrap_or(quota.cost));
    let now = Time::ZERO;
    if policy.admit(state, progress, now, draw) != Admission::Go {
        return Err("an attempt was not admitted".to_owned());
    }
    let hint = step.event["retry_after_ms"].as_f64().map(|hint| Span(nanos(hint, MILLISECOND)));
    let response = Response { hint, ..Response::new(outcome) };
    let verdict = policy.settle(state, progress, now, now, now, response, draw);
    let attempts = policy.retry.map_or(1, |retry| retry.attempts);
    let (delay, why) = match verdict {
        AfterAttempt::Done => (Value::Null, "ok"),
        AfterAttempt::Retry { after } => (json!(after.0 as f64 / replay.unit), "retry"),
        // botocore looks at the number of attempts first, which changes the word only.
        AfterAttempt::GiveUp(_) if progress.attempts() >= attempts => (Value::Null, "max_attempts"),
        AfterAttempt::GiveUp(GiveUp::Budget) => (Value::Null, "quota"),
        AfterAttempt::GiveUp(_) => (Value::Null, "not_retryable"),
    };
    let held = policy.budget.zip(state.budget.as_ref());
    let tokens = held.and_then(|(budget, state)| budget.tokens(state));
    let ours = json!({
        "retry": why == "retry",
        replay.delay: delay,
        "tokens": tokens,
        "capacity": tokens,
        "why": why,
    });
    Ok((ours, why != "retry"))
}
