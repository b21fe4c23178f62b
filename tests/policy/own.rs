//! Policies of the user's own decide in runs.

use std::sync::Arc;

use stormglass::experiment::plan::campaign::Campaign;
use stormglass::kernel::draw::Draw;
use stormglass::kernel::time::{Span, Time};
use stormglass::model::presets;
use stormglass::policy::custom::{Custom, CustomState, Moment};
use stormglass::policy::{Admission, AfterAttempt, GiveUp, Outcome, Progress, Response};

use crate::common::{campaign, run_all};

/// Nine in ten requests fail at once; three processes.
fn lossy(policy: &str) -> Campaign {
    let model = format!(
        r#"
[clients.users]
processes = 3
arrivals = {{ poisson = "100/s" }}
patience = "2s"
flow = [{{ call = "target.charge", policy = "p", ignore_failure = true }}]

[provider.target]
concurrency = "unlimited"
latency = "1ms"

[policy.p]
{policy}
"#
    );
    let experiment = "name = \"own\"\nmodel = \"inline\"\narrivals = \"20s\"\ndrain = \"5s\"\n\
                      seeds = \"1..4\"\n[[faults]]\nkind = \"errors\"\ntarget = \"target\"\n\
                      share = \"90%\"\nat = \"0s\"\nfor = \"20s\"\n";
    campaign(experiment, &model)
}

fn attempts(campaign: &Campaign) -> Vec<u64> {
    run_all(campaign).iter().map(|run| run.metrics.attempts).collect()
}

/// A built-in policy behind the trait decides as it does without: every draw and every event is the
/// same.
#[test]
fn a_stock_policy_behind_the_trait_runs_the_same() {
    // None that hedges, hears late replies or keeps timed-out attempts: the trait has no such.
    for name in ["aws-standard", "grpc", "polly-http", "finagle", "resilience4j", "hystrix"] {
        let preset = presets::find(name, None).unwrap_or_else(|| panic!("no preset {name}"));
        let file = format!("preset = \"{name}@{}\"\nscope = \"target\"", preset.version);
        let plain = lossy(&file);
        let mut behind = plain.clone();
        let own: Arc<dyn Custom> = Arc::new(preset.policy);
        behind.replace_policy("model", "p", &own).expect("the policy is there");
        for (one, other) in run_all(&plain).iter().zip(run_all(&behind)) {
            assert_eq!(one.digest, other.digest, "{name}");
            assert_eq!(one.metrics, other.metrics, "{name}");
        }
    }
}

/// Lets so many retries happen in all, and notes nothing else.
#[derive(Debug)]
struct Allowance(u32);

#[derive(Debug)]
struct Left(u32);

impl Custom for Allowance {
    fn state(&self) -> Box<dyn CustomState> {
        Box::new(Left(self.0))
    }
}

impl CustomState for Left {
    fn admit(&mut self, _: &mut Progress, _: Time, _: Draw) -> Admission {
        Admission::Go
    }

    fn settle(&mut self, _: &mut Progress, moment: Moment, response: Response) -> AfterAttempt {
        if response.outcome == Outcome::Ok {
            return AfterAttempt::Done;
        }
        if self.0 == 0 {
            return AfterAttempt::GiveUp(GiveUp::Budget);
        }
        self.0 -= 1;
        AfterAttempt::Retry { after: Span::from_millis(10).scaled(moment.draw.unit()) }
    }
}

/// Its state is that of the scope: each of three processes has ten retries, or all have, or each
/// call.
#[test]
fn the_state_of_an_own_policy_is_that_of_its_scope() {
    let retries = |scope: &str| {
        let mut campaign = lossy(&format!("scope = \"{scope}\""));
        let own: Arc<dyn Custom> = Arc::new(Allowance(10));
        campaign.replace_policy("model", "p", &own).expect("the policy is there");
        let run = run_all(&campaign).remove(0);
        run.metrics.attempts - run.metrics.requests
    };
    assert_eq!(retries("target"), 30);
    assert_eq!(retries("process"), 30);
    assert_eq!(retries("shared"), 10);
    assert!(retries("request") > 5_000);
}

/// What the own policy leaves open is as before: the timeout of the policy that it replaces and the
/// patience of the users.
#[test]
fn patience_and_timeout_stay() {
    let mut campaign = lossy("timeout = \"100us\"\ndeadline = \"1s\"");
    let own: Arc<dyn Custom> = Arc::new(Allowance(u32::MAX));
    campaign.replace_policy("model", "p", &own).expect("the policy is there");
    let program = &campaign.cells[0].program;
    let (_, policy) = program.policies.iter().find(|(name, _)| name == "p").expect("it is there");
    assert_eq!(policy.attempt_timeout, Some(Span::from_micros(100)));
    assert_eq!(policy.deadline, Some(Span::from_secs(1)));
    assert!(run_all(&campaign).iter().all(|run| run.metrics.ok == 0), "no attempt is in time");
    // Without a deadline of its own, the users' patience of 2 s is one.
    let mut campaign = lossy("");
    let before = attempts(&campaign);
    campaign.replace_policy("model", "p", &own).expect("the policy is there");
    assert!(campaign.cells[0].program.policies.iter().any(|(name, policy)| {
        name != "p" && policy.deadline == Some(Span::from_secs(2)) && policy.retry.is_none()
    }));
    assert!(attempts(&campaign)[0] > 5 * before[0]);
}

#[test]
fn what_is_not_there_cannot_be_replaced() {
    let mut campaign = lossy("");
    let own: Arc<dyn Custom> = Arc::new(Allowance(1));
    let no_policy = campaign.replace_policy("model", "q", &own).expect_err("there is no `q`");
    assert!(no_policy.message.contains("`q`"), "{no_policy:?}");
    let no_arm = campaign.replace_policy("other", "p", &own).expect_err("there is no such arm");
    assert!(no_arm.message.contains("other"), "{no_arm:?}");
}

/// The example runs: its own policy costs less load than plain retries and helps more than none.
#[test]
fn the_example_compares_its_own_policy_with_real_ones() {
    let text = crate::example::compared(2).unwrap_or_else(|error| panic!("{error}"));
    for arm in ["none", "plain", "aws", "confident"] {
        assert!(text.lines().any(|line| line.trim_start().starts_with(arm)), "{arm}: {text}");
    }
    assert!(text.contains("Take ") || text.contains("Keep "), "{text}");
}

#[test]
fn a_built_in_policy_decides_the_same_behind_the_trait() {
    let policy = &presets::named("aws-standard").expect("the preset exists").policy;
    let (mut plain, mut behind) = (policy.state(), Custom::state(policy));
    for call in 0..60_u64 {
        let (mut one, mut other) = (policy.begin(), Progress::default());
        loop {
            let (now, draw) = (Time(call), Draw(call << 57));
            assert_eq!(
                policy.admit(&mut plain, &mut one, now, draw),
                behind.admit(&mut other, now, draw)
            );
            let moment = Moment { now, attempt_started: now, call_started: now, draw };
            let failed = Response::new(Outcome::Failed);
            let verdict = policy.settle(&mut plain, &mut one, now, now, now, failed, draw);
            assert_eq!(verdict, behind.settle(&mut other, moment, failed));
            if !matches!(verdict, AfterAttempt::Retry { .. }) {
                break;
            }
        }
    }
}
