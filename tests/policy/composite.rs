//! Everything around a call as one machine, decision by decision.

use stormglass::kernel::draw::Draw;
use stormglass::kernel::time::{Span, Time};
use stormglass::model::presets;
use stormglass::policy::backoff::Backoff;
use stormglass::policy::breaker::{Breaker, BreakerState, Mode, Trip};
use stormglass::policy::budget::{Budget, Concurrent, Quota, Throttle};
use stormglass::policy::bulkhead::{Around, Bulkhead};
use stormglass::policy::rate_limit::{Debt, RateLimit, Rule};
use stormglass::policy::retry::{OnDenial, Retry};
use stormglass::policy::{
    Admission, AfterAttempt, Denial, GiveUp, Holdings, Outcome, OutcomeSet, Policy, Progress,
    Response, State,
};

const DRAW: Draw = Draw(1 << 63);

fn policy(name: &str) -> Policy {
    presets::find(name, None).expect("the preset exists").policy
}

/// One attempt of a call that began at zero and whose attempts take no time.
fn attempt(
    policy: &Policy,
    state: &mut State,
    progress: &mut Progress,
    now: Time,
    outcome: Outcome,
) -> AfterAttempt {
    assert_eq!(policy.admit(state, progress, now, DRAW), Admission::Go);
    policy.settle(state, progress, now, now, Time::ZERO, Response::new(outcome), DRAW)
}

#[test]
fn the_default_calls_once() {
    let policy = Policy::default();
    let (mut state, mut progress) = (policy.state(), policy.begin());
    let verdict = attempt(&policy, &mut state, &mut progress, Time::ZERO, Outcome::Failed);
    assert_eq!(verdict, AfterAttempt::GiveUp(GiveUp::NotRetryable));
}

#[test]
fn aws_retries_twice_and_pays_from_the_shared_quota() {
    let policy = &policy("aws-standard");
    let mut state = policy.state();
    for paid in [28.0, 56.0] {
        let mut progress = policy.begin();
        let mut verdicts = [AfterAttempt::Done; 3];
        for verdict in &mut verdicts {
            *verdict = attempt(policy, &mut state, &mut progress, Time::ZERO, Outcome::Failed);
        }
        let expected = [
            AfterAttempt::Retry { after: Span::from_millis(25) },
            AfterAttempt::Retry { after: Span::from_millis(50) },
            AfterAttempt::GiveUp(GiveUp::Attempts),
        ];
        assert_eq!(verdicts, expected);
        let (budget, held) = (policy.budget.expect("a quota"), state.budget.as_ref());
        assert_eq!(held.and_then(|state| budget.tokens(state)), Some(500.0 - paid));
    }
}

#[test]
fn a_polly_breaker_opens_rejects_probes_and_closes() {
    let policy = &policy("polly-http");
    let mut state = policy.state();
    for call in 0..100 {
        let outcome = if call < 90 { Outcome::Ok } else { Outcome::Failed };
        attempt(policy, &mut state, &mut policy.begin(), Time::ZERO, outcome);
    }
    let mut progress = policy.begin();
    let rejected = Admission::Reject(Denial::BreakerOpen);
    let early = Time::ZERO + Span::from_millis(4_999);
    assert_eq!(policy.admit(&mut state, &mut progress, early, DRAW), rejected);
    assert_eq!(
        policy.denied(&mut state, &mut progress, Denial::BreakerOpen, early, Time::ZERO, DRAW),
        AfterAttempt::GiveUp(GiveUp::Denied(Denial::BreakerOpen))
    );
    let later = Time::ZERO + Span::from_secs(5);
    let (mut probe, mut other) = (policy.begin(), policy.begin());
    assert_eq!(policy.admit(&mut state, &mut probe, later, DRAW), Admission::Go);
    assert_eq!(policy.admit(&mut state, &mut other, later, DRAW), rejected);
    let ok = Response::new(Outcome::Ok);
    policy.settle(&mut state, &mut probe, later, later, later, ok, DRAW);
    assert_eq!(policy.admit(&mut state, &mut other, later, DRAW), Admission::Go);
}

#[test]
fn a_server_hint_restarts_the_grpc_series() {
    let policy = &policy("grpc");
    let (mut state, mut progress) = (policy.state(), policy.begin());
    attempt(policy, &mut state, &mut progress, Time::ZERO, Outcome::Rejected);
    assert_eq!(policy.admit(&mut state, &mut progress, Time::ZERO, DRAW), Admission::Go);
    let hinted = Response::new(Outcome::Rejected).after(Span::from_secs(7));
    let zero = Time::ZERO;
    let verdict = policy.settle(&mut state, &mut progress, zero, zero, zero, hinted, Draw(1 << 63));
    assert_eq!(verdict, AfterAttempt::Retry { after: Span::from_secs(7) });
    let verdict = attempt(policy, &mut state, &mut progress, zero, Outcome::Rejected);
    assert_eq!(verdict, AfterAttempt::Retry { after: Span::from_millis(100) });
}

#[test]
fn a_call_keeps_its_room_through_its_retries() {
    let policy = &policy("polly-http");
    let policy =
        Policy { bulkhead: policy.bulkhead.map(|rule| Bulkhead { limit: 1, ..rule }), ..*policy };
    let mut state = policy.state();
    let (mut first, mut second) = (policy.begin(), policy.begin());
    attempt(&policy, &mut state, &mut first, Time::ZERO, Outcome::Failed);
    let full = Admission::Reject(Denial::Bulkhead);
    assert_eq!(policy.admit(&mut state, &mut second, Time::ZERO, DRAW), full);
    policy.abandon(&mut state, &mut first);
    assert_eq!(policy.admit(&mut state, &mut second, Time::ZERO, DRAW), Admission::Go);
}

#[test]
fn an_abandoned_retry_gives_its_slot_back() {
    let policy = Policy {
        retry: policy("envoy").retry,
        budget: Some(Budget::Concurrent(Concurrent { ratio: 0.0, min_retries: 1 })),
        ..Policy::ONCE
    };
    let mut state = policy.state();
    let (mut first, mut second) = (policy.begin(), policy.begin());
    let retried = attempt(&policy, &mut state, &mut first, Time::ZERO, Outcome::Failed);
    assert!(matches!(retried, AfterAttempt::Retry { .. }));
    let denied = attempt(&policy, &mut state, &mut second, Time::ZERO, Outcome::Failed);
    assert_eq!(denied, AfterAttempt::GiveUp(GiveUp::Budget));
    policy.abandon(&mut state, &mut first);
    let retried = attempt(&policy, &mut state, &mut policy.begin(), Time::ZERO, Outcome::Failed);
    assert!(matches!(retried, AfterAttempt::Retry { .. }));
}

#[test]
fn a_retry_that_would_come_too_late_costs_nothing() {
    let aws = &policy("aws-standard");
    let policy = Policy {
        deadline: Some(Span::from_millis(20)),
        retry: aws.retry.map(|retry| Retry { stop_before_deadline: true, ..retry }),
        ..*aws
    };
    let (mut state, mut progress) = (policy.state(), policy.begin());
    let verdict = attempt(&policy, &mut state, &mut progress, Time::ZERO, Outcome::Failed);
    assert_eq!(verdict, AfterAttempt::GiveUp(GiveUp::Deadline));
    assert_eq!(state.budget, policy.state().budget);
}

#[test]
fn an_adaptive_limit_rejects_what_is_above_it_and_learns() {
    let policy = policy("concurrency-limits-aimd");
    let mut state = policy.state();
    let mut calls = [policy.begin(); 21];
    let admitted = calls
        .iter_mut()
        .map(|call| policy.admit(&mut state, call, Time::ZERO, DRAW))
        .filter(|&admission| admission == Admission::Go)
        .count();
    assert_eq!((admitted, state.in_flight), (20, 20));
    let ok = Response::new(Outcome::Ok);
    policy.settle(&mut state, &mut calls[19], Time(1), Time::ZERO, Time::ZERO, ok, DRAW);
    assert_eq!(state.limit.map(|limit| limit.limit()), Some(21));
    assert_eq!(state.in_flight, 19);
}

#[test]
fn an_attempt_that_the_limit_rejects_leaves_the_bulkhead() {
    let policy = Policy {
        bulkhead: Some(Bulkhead { limit: 30, queue: 0, max_wait: None, around: Around::Attempt }),
        ..policy("concurrency-limits-aimd")
    };
    let mut state = policy.state();
    let mut calls = [policy.begin(); 25];
    for call in &mut calls {
        policy.admit(&mut state, call, Time::ZERO, DRAW);
    }
    assert_eq!(state.bulkhead.map(|room| room.running()), Some(20));
}

#[test]
fn one_who_has_waited_long_enough_for_room_is_rejected() {
    let max_wait = Some(Span::from_millis(20));
    let around = Around::Attempt;
    let policy = Policy {
        bulkhead: Some(Bulkhead { limit: 1, queue: u32::MAX, max_wait, around }),
        ..Policy::ONCE
    };
    let mut state = policy.state();
    let (mut inside, mut waiting) = (policy.begin(), policy.begin());
    let at = |millis| Time::ZERO + Span::from_millis(millis);
    assert_eq!(policy.admit(&mut state, &mut inside, at(0), DRAW), Admission::Go);
    assert_eq!(policy.admit(&mut state, &mut waiting, at(5), DRAW), Admission::Queue);
    assert_eq!(policy.patience(&waiting, at(10)), Span::from_millis(15));
    assert_eq!(policy.admit(&mut state, &mut waiting, at(24), DRAW), Admission::Queue);
    let rejected = Admission::Reject(Denial::Bulkhead);
    assert_eq!(policy.admit(&mut state, &mut waiting, at(25), DRAW), rejected);
    assert_eq!(policy.patience(&waiting, at(25)), Span::MAX);
}

/// With an empty quota a long poll waits its back-off, then fails; other calls fail at once.
#[test]
fn a_long_poll_without_quota_waits_before_it_fails() {
    let long_poll = &policy("aws-standard-long-poll");
    for (after_wait, waits) in [(true, true), (false, false)] {
        let Some(Budget::Quota(quota)) = long_poll.budget else { panic!("a quota") };
        let quota = Quota { capacity: 13, after_wait, ..quota };
        let policy = Policy { budget: Some(Budget::Quota(quota)), ..*long_poll };
        let (mut state, mut progress) = (policy.state(), policy.begin());
        let verdict = attempt(&policy, &mut state, &mut progress, Time::ZERO, Outcome::Failed);
        if !waits {
            assert_eq!(verdict, AfterAttempt::GiveUp(GiveUp::Budget));
            continue;
        }
        assert_eq!(verdict, AfterAttempt::Retry { after: Span::from_millis(25) });
        let denied = Admission::Reject(Denial::Budget);
        assert_eq!(policy.admit(&mut state, &mut progress, Time::ZERO, DRAW), denied);
        let held = state.budget.as_ref().and_then(|state| policy.budget?.tokens(state));
        assert_eq!(held, Some(13.0), "nothing was paid");
    }
}

/// Of the 100, 80 and 64 retries that are left the calls may have 20, 16 and 13.
#[test]
fn one_call_may_have_a_fifth_of_finagles_retries() {
    let policy = &policy("finagle");
    let mut state = policy.state();
    for expected in [21, 17, 14] {
        let mut progress = policy.begin();
        let mut attempts = 1;
        while attempt(policy, &mut state, &mut progress, Time::ZERO, Outcome::Rejected)
            == (AfterAttempt::Retry { after: Span::ZERO })
        {
            attempts += 1;
        }
        assert_eq!(attempts, expected);
    }
}

/// `I + u * I / 2`, and nothing of a hint beyond 300 s.
#[test]
fn envoy_waits_up_to_half_more_than_it_is_told() {
    let policy = &policy("envoy-rate-limited");
    let after = |seconds, unit| {
        let (mut state, mut progress) = (policy.state(), policy.begin());
        let zero = Time::ZERO;
        assert_eq!(policy.admit(&mut state, &mut progress, zero, DRAW), Admission::Go);
        let response = Response::new(Outcome::Throttled).after(Span::from_secs(seconds));
        let draw = Draw::from_unit(unit);
        policy.settle(&mut state, &mut progress, zero, zero, zero, response, draw)
    };
    let waits = |millis| AfterAttempt::Retry { after: Span::from_millis(millis) };
    assert_eq!(after(4, 0.0), waits(4_000));
    assert_eq!(after(4, 0.5), waits(5_000));
    assert_eq!(after(301, 0.5), waits(12), "its own delay of 0 to 25 ms");
}

/// A retry that waits for the rate limiter holds the probe of a half-open breaker. When the budget
/// is used up while it waits, the probe is free again.
#[test]
fn a_retry_that_its_budget_denies_after_a_wait_gives_its_probe_back() {
    let retry = policy("grpc").retry.expect("it retries");
    let throttle = Throttle { max_tokens: 4.0, token_ratio: 0.1, after_wait: true };
    let second = Span::from_secs(1);
    let debt = Debt { rate: 1.0, burst: 1 };
    let policy = Policy {
        retry: Some(Retry {
            backoff: Backoff::constant(Span::ZERO),
            on: OutcomeSet::TRANSIENT,
            ..retry
        }),
        budget: Some(Budget::Throttle(throttle)),
        breaker: Some(Breaker::new(Trip::Consecutive { failures: 1 }, Span::ZERO)),
        rate_limit: Some(RateLimit { rule: Rule::Debt(debt), max_wait: Span::MAX }),
        ..Policy::ONCE
    };
    let (mut state, mut first, mut other) = (policy.state(), policy.begin(), policy.begin());
    let zero = Time::ZERO;
    assert_eq!(policy.admit(&mut state, &mut first, zero, DRAW), Admission::Go);
    let unlimited = Policy { breaker: None, rate_limit: None, ..policy };
    assert_eq!(unlimited.admit(&mut state, &mut other, zero, DRAW), Admission::Go);
    let failed = Response::new(Outcome::Failed);
    policy.settle(&mut state, &mut first, zero, zero, zero, failed, DRAW);
    let waits = policy.admit(&mut state, &mut first, zero, DRAW);
    assert!(matches!(waits, Admission::Wait(_)), "{waits:?}");
    assert_eq!(state.held_by(&first).probes, 1);
    policy.settle(&mut state, &mut other, zero, zero, zero, failed, DRAW);
    let denied = policy.admit(&mut state, &mut first, zero + second, DRAW);
    assert_eq!(denied, Admission::Reject(Denial::Budget));
    assert!(policy.agrees(&state, Holdings::default()), "{state:?}");
}

/// Three attempts of each call, a second apart, and a breaker that two failures in a row open.
fn three_attempts(around: Around) -> Policy {
    let rule = Breaker::new(Trip::Consecutive { failures: 2 }, Span::from_secs(10));
    let retry = Retry::new(3, Backoff::constant(Span::from_secs(1)));
    Policy {
        retry: Some(Retry { on_denial: OnDenial::Retry, ..retry }),
        breaker: Some(Breaker { around, ..rule }),
        ..Policy::ONCE
    }
}

/// A call with these outcomes, each a second after the one before; how many attempts it made.
fn call(policy: &Policy, state: &mut State, at: Time, outcomes: &[Outcome]) -> usize {
    let (mut progress, mut now) = (policy.begin(), at);
    for (index, outcome) in outcomes.iter().enumerate() {
        if policy.admit(state, &mut progress, now, DRAW) != Admission::Go {
            policy.denied(state, &mut progress, Denial::BreakerOpen, now, at, DRAW);
            policy.abandon(state, &mut progress);
            return index;
        }
        let response = Response::new(*outcome);
        let verdict = policy.settle(state, &mut progress, now, now, at, response, DRAW);
        assert_eq!(matches!(verdict, AfterAttempt::Retry { .. }), index + 1 < outcomes.len());
        now = now + Span::from_secs(1);
    }
    outcomes.len()
}

/// Around the retry a call with three failed attempts is one failure, and one with a failed and a
/// good attempt a success; inside of it the second attempt opens the breaker.
#[test]
fn a_breaker_around_the_call_hears_once_what_came_of_it() {
    let at = |seconds| Time::ZERO + Span::from_secs(seconds);
    let failed = [Outcome::Failed; 3];
    let inside = three_attempts(Around::Attempt);
    assert_eq!(call(&inside, &mut inside.state(), at(0), &failed), 2);
    let policy = three_attempts(Around::Call);
    let mut state = policy.state();
    let strikes = |state: &State| {
        let breaker = state.breaker.as_ref().expect("it breaks");
        (breaker.consecutive_failures(), breaker.mode())
    };
    assert_eq!(call(&policy, &mut state, at(0), &failed), 3);
    assert_eq!(strikes(&state), (1, Mode::Closed));
    assert_eq!(call(&policy, &mut state, at(3), &[Outcome::Failed, Outcome::Ok]), 2);
    assert_eq!(strikes(&state), (0, Mode::Closed));
    assert_eq!(call(&policy, &mut state, at(5), &failed), 3);
    assert_eq!(call(&policy, &mut state, at(8), &failed), 3);
    assert_eq!(strikes(&state).1, Mode::Open);
    let mut refused = policy.begin();
    let open = Admission::Reject(Denial::BreakerOpen);
    assert_eq!(policy.admit(&mut state, &mut refused, at(11), DRAW), open);
    assert_eq!(
        policy.denied(&mut state, &mut refused, Denial::BreakerOpen, at(11), at(11), DRAW),
        AfterAttempt::GiveUp(GiveUp::Denied(Denial::BreakerOpen)),
        "the retry is inside and never sees it"
    );
    // It was opened at 10 s. The probe is one call: it stays out while it waits for its retry.
    let (mut probe, mut other) = (policy.begin(), policy.begin());
    let failed = attempt(&policy, &mut state, &mut probe, at(20), Outcome::Failed);
    assert!(matches!(failed, AfterAttempt::Retry { .. }));
    assert_eq!(policy.admit(&mut state, &mut other, at(20), DRAW), open);
    assert_eq!(attempt(&policy, &mut state, &mut probe, at(21), Outcome::Ok), AfterAttempt::Done);
    assert_eq!(strikes(&state), (0, Mode::Closed));
    assert!(policy.agrees(&state, Holdings::default()), "{state:?}");
}

/// A call that ends at its deadline while it waits is a failure to the breaker around it; one whose
/// caller has died is nothing, and its probe is free again.
#[test]
fn a_breaker_around_the_call_hears_of_deadlines_and_not_of_deaths() {
    let policy = three_attempts(Around::Call);
    let mut state = policy.state();
    let at = |seconds| Time::ZERO + Span::from_secs(seconds);
    for end in 1..=2 {
        let mut progress = policy.begin();
        attempt(&policy, &mut state, &mut progress, at(0), Outcome::Failed);
        let (now, late) = (at(end), Outcome::Deadline);
        policy.cut_short(&mut state, &mut progress, late, now, at(0), DRAW);
    }
    assert_eq!(state.breaker.as_ref().map(BreakerState::mode), Some(Mode::Open));
    let mut probe = policy.begin();
    attempt(&policy, &mut state, &mut probe, at(12), Outcome::Failed);
    policy.abandon(&mut state, &mut probe);
    assert_eq!(state.breaker.as_ref().map(BreakerState::mode), Some(Mode::HalfOpen));
    assert_eq!(policy.admit(&mut state, &mut policy.begin(), at(12), DRAW), Admission::Go);
}

/// What stands around the call denies the call: no retry repeats what it was never part of.
#[test]
fn a_denial_of_a_bulkhead_around_the_call_is_not_retried() {
    for (around, is_retried) in [(Around::Call, false), (Around::Attempt, true)] {
        let bulkhead = Bulkhead { limit: 0, queue: 0, max_wait: None, around };
        let policy =
            Policy { bulkhead: Some(bulkhead), breaker: None, ..three_attempts(Around::Call) };
        let (mut state, mut progress) = (policy.state(), policy.begin());
        let full = Admission::Reject(Denial::Bulkhead);
        let zero = Time::ZERO;
        assert_eq!(policy.admit(&mut state, &mut progress, zero, DRAW), full);
        let verdict = policy.denied(&mut state, &mut progress, Denial::Bulkhead, zero, zero, DRAW);
        assert_eq!(matches!(verdict, AfterAttempt::Retry { .. }), is_retried, "{around:?}");
    }
}
