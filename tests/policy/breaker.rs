//! What the breakers whose decisions nobody has recorded do, by their source.

use stormglass::kernel::draw::Draw;
use stormglass::kernel::time::{Span, Time};
use stormglass::model::presets;
use stormglass::policy::Outcome;
use stormglass::policy::breaker::{Breaker, BreakerState, Gate, Initial, Mode, Trip, Unheard};

const DRAW: Draw = Draw(0);

fn breaker(name: &str) -> Breaker {
    let policy = presets::find(name, None).expect("the preset exists").policy;
    policy.breaker.expect("it has a breaker")
}

fn at(millis: u64) -> Time {
    Time::ZERO + Span::from_millis(millis)
}

/// One call that takes no time; whether it was admitted.
fn call(breaker: &Breaker, state: &mut BreakerState, now: Time, failed: bool) -> bool {
    let Gate::Pass(ticket) = breaker.admit(state, now, DRAW) else { return false };
    let outcome = if failed { Outcome::Failed } else { Outcome::Ok };
    breaker.record(state, ticket, outcome, Span::ZERO, now, DRAW);
    true
}

/// resilience4j after 50 failures and 50 successes, the last of which opens it.
fn opened_resilience4j() -> (Breaker, BreakerState) {
    let rule = breaker("resilience4j");
    let mut state = rule.state();
    for number in 0..100 {
        assert_eq!(state.mode(), Mode::Closed);
        assert!(call(&rule, &mut state, at(0), number < 50));
    }
    assert_eq!(state.mode(), Mode::Open);
    (rule, state)
}

#[test]
fn resilience4j_opens_strictly_after_its_time() {
    let (rule, mut state) = opened_resilience4j();
    assert_eq!(rule.admit(&mut state, at(60_000), DRAW), Gate::Reject);
    assert!(matches!(rule.admit(&mut state, at(60_001), DRAW), Gate::Pass(_)));
}

#[test]
fn resilience4j_judges_ten_probes_together() {
    for (failures, then) in [(4, Mode::Closed), (5, Mode::Open)] {
        let (rule, mut state) = opened_resilience4j();
        let later = at(60_001);
        let tickets: Vec<Gate> = (0..10).map(|_| rule.admit(&mut state, later, DRAW)).collect();
        assert_eq!(rule.admit(&mut state, later, DRAW), Gate::Reject);
        for (number, gate) in tickets.into_iter().enumerate() {
            assert_eq!(state.mode(), Mode::HalfOpen);
            let Gate::Pass(ticket) = gate else { panic!("ten probes are admitted") };
            let outcome = if number < failures { Outcome::Failed } else { Outcome::Ok };
            rule.record(&mut state, ticket, outcome, Span::ZERO, later, DRAW);
        }
        assert_eq!(state.mode(), then);
    }
}

#[test]
fn a_released_probe_frees_its_place() {
    let (rule, mut state) = opened_resilience4j();
    let later = at(60_001);
    let Gate::Pass(ticket) = rule.admit(&mut state, later, DRAW) else { panic!("it is a probe") };
    (0..9).for_each(|_| assert!(matches!(rule.admit(&mut state, later, DRAW), Gate::Pass(_))));
    assert_eq!(rule.admit(&mut state, later, DRAW), Gate::Reject);
    rule.release(&mut state, ticket);
    assert!(matches!(rule.admit(&mut state, later, DRAW), Gate::Pass(_)));
}

#[test]
fn slow_calls_open_resilience4j() {
    let rule = breaker("resilience4j");
    let mut state = rule.state();
    for _ in 0..100 {
        let Gate::Pass(ticket) = rule.admit(&mut state, at(0), DRAW) else { panic!("closed") };
        rule.record(&mut state, ticket, Outcome::Ok, Span::from_secs(61), at(61_000), DRAW);
    }
    assert_eq!(state.mode(), Mode::Open);
}

#[test]
fn polly_forgets_what_is_older_than_its_sampling_duration() {
    let rule = breaker("polly-circuit-breaker");
    for (gap, mode) in [(29_000, Mode::Open), (31_000, Mode::Closed)] {
        let mut state = rule.state();
        (0..99).for_each(|_| assert!(call(&rule, &mut state, at(1), false)));
        (0..20).for_each(|_| assert!(call(&rule, &mut state, at(gap), true) || gap == 29_000));
        assert_eq!(state.mode(), mode);
    }
}

/// A result of a call that began before the breaker opened is its probe's result.
#[test]
fn polly_hears_late_results_in_half_open() {
    let rule = breaker("polly-circuit-breaker");
    let mut state = rule.state();
    let Gate::Pass(late) = rule.admit(&mut state, at(0), DRAW) else { panic!("closed") };
    while state.mode() == Mode::Closed {
        call(&rule, &mut state, at(0), true);
    }
    assert!(matches!(rule.admit(&mut state, at(5_000), DRAW), Gate::Pass(_)));
    rule.record(&mut state, late, Outcome::Ok, Span::from_secs(5), at(5_000), DRAW);
    assert_eq!(state.mode(), Mode::Closed);
    let deaf = Breaker { hears_late: false, ..rule };
    let mut state = deaf.state();
    while state.mode() == Mode::Closed {
        call(&deaf, &mut state, at(0), true);
    }
    deaf.admit(&mut state, at(5_000), DRAW);
    deaf.record(&mut state, late, Outcome::Ok, Span::from_secs(5), at(5_000), DRAW);
    assert_eq!(state.mode(), Mode::HalfOpen);
}

#[test]
fn hystrix_admits_a_whole_burst_and_opens_when_it_looks() {
    let rule = breaker("hystrix");
    let mut state = rule.state();
    (0..1_000).for_each(|_| assert!(call(&rule, &mut state, at(100), true)));
    assert!(call(&rule, &mut state, at(499), true));
    assert!(!call(&rule, &mut state, at(700), true));
    // It opened when it looked, at 500 ms, not when the next call asked.
    assert_eq!(rule.admit(&mut state, at(5_500), DRAW), Gate::Reject);
    assert!(matches!(rule.admit(&mut state, at(5_501), DRAW), Gate::Pass(_)));
}

#[test]
fn linkerd_opens_longer_each_time_and_from_the_start_after_closing() {
    let rule = breaker("linkerd-failure-accrual");
    let mut state = rule.state();
    let mut now = at(0);
    (0..7).for_each(|_| assert!(call(&rule, &mut state, now, true)));
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(
            rule.admit(&mut state, now + Span(seconds * 1_000_000_000 - 1), DRAW),
            Gate::Reject
        );
        now = now + Span::from_secs(seconds);
        assert!(call(&rule, &mut state, now, true));
    }
    now = now + Span::from_secs(60);
    assert!(call(&rule, &mut state, now, false));
    (0..7).for_each(|_| assert!(call(&rule, &mut state, now, true)));
    assert!(call(&rule, &mut state, now + Span::from_secs(1), false));
}

#[test]
fn spring_retry_closes_when_its_time_is_over() {
    let rule = breaker("spring-retry-circuit-breaker");
    let mut state = rule.state();
    (0..3).for_each(|_| assert!(call(&rule, &mut state, at(0), true)));
    assert!(!call(&rule, &mut state, at(19_999), true));
    assert!(call(&rule, &mut state, at(20_000), true));
    assert_eq!(state.mode(), Mode::Closed);
}

/// HTTP 429 counts for the rate and not for the row; below 0.8 of at least 5 calls it opens.
#[test]
fn linkerd_unified_counts_throttling_for_the_rate_alone() {
    let breaker = presets::find("linkerd-failure-accrual", Some("unified"))
        .and_then(|preset| preset.policy.breaker)
        .expect("it breaks");
    let opens_after = |outcomes: &[Outcome]| {
        let mut state = breaker.state();
        outcomes.iter().position(|&outcome| {
            let Gate::Pass(ticket) = breaker.admit(&mut state, Time::ZERO, Draw(0)) else {
                return true;
            };
            breaker.record(&mut state, ticket, outcome, Span::ZERO, Time::ZERO, Draw(0));
            state.mode() == Mode::Open
        })
    };
    let (ok, failed, throttled) = (Outcome::Ok, Outcome::Failed, Outcome::Throttled);
    assert_eq!(opens_after(&[failed, failed, failed, failed, failed]), Some(4));
    assert_eq!(opens_after(&[throttled; 6]), Some(4));
    assert_eq!(opens_after(&[ok, ok, ok, ok, failed]), None, "0.8 is not below 0.8");
    assert_eq!(opens_after(&[ok, ok, ok, failed, ok, throttled]), Some(5));
    let many = [vec![ok; 100], vec![failed; 6], vec![throttled], vec![failed; 7]].concat();
    assert_eq!(opens_after(&many), Some(113), "seven in a row, and no row goes through a 429");
}

/// resilience4j, issues 903, 935 and 2172: probes that never come back keep it half-open for ever,
/// unless `maxWaitDurationInHalfOpenState` says how long.
#[test]
fn a_half_open_breaker_does_not_wait_for_its_probes_for_ever() {
    let rule = |half_open_for| Breaker {
        unheard: Unheard::Holds,
        half_open_for,
        ..Breaker::new(Trip::Consecutive { failures: 1 }, Span::from_secs(10))
    };
    let admitted = |rule: Breaker, seconds: u64| {
        let mut state = rule.state();
        let Gate::Pass(ticket) = rule.admit(&mut state, at(0), DRAW) else { panic!("closed") };
        rule.record(&mut state, ticket, Outcome::Failed, Span::ZERO, at(0), DRAW);
        // The probe of second 10 is never heard of again.
        let asks = (1..=seconds).filter(|&second| {
            matches!(rule.admit(&mut state, at(second * 1000), DRAW), Gate::Pass(_))
        });
        asks.collect::<Vec<u64>>()
    };
    assert_eq!(admitted(rule(None), 100), [10]);
    // Half-open from 10 to 15, open until 25, and so on.
    assert_eq!(admitted(rule(Some(Span::from_secs(5))), 60), [10, 25, 40, 55]);
}

/// Two probes of a breaker that begins half-open decide; one that begins open is open from its
/// first call on.
#[test]
fn a_breaker_begins_as_its_rule_says() {
    let rule = Breaker::new(Trip::Consecutive { failures: 3 }, Span::from_secs(5));
    let of = |initial| Breaker { initial, ..rule };
    let open = of(Initial::Open);
    let mut state = open.state();
    assert_eq!(open.admit(&mut state, at(2_000), DRAW), Gate::Reject);
    assert_eq!(open.admit(&mut state, at(6_999), DRAW), Gate::Reject);
    assert!(matches!(open.admit(&mut state, at(7_000), DRAW), Gate::Pass(_)));
    let half = of(Initial::HalfOpen);
    let mut state = half.state();
    let Gate::Pass(probe) = half.admit(&mut state, at(9), DRAW) else { panic!("a probe") };
    assert_eq!(half.admit(&mut state, at(9), DRAW), Gate::Reject);
    half.record(&mut state, probe, Outcome::Failed, Span::ZERO, at(10), DRAW);
    assert_eq!(half.admit(&mut state, at(5_009), DRAW), Gate::Reject);
    assert!(matches!(half.admit(&mut state, at(5_010), DRAW), Gate::Pass(_)));
    let forced = of(Initial::ForcedOpen);
    let mut state = forced.state();
    let later = at(3_600_000_000);
    assert!([at(0), later].iter().all(|&now| forced.admit(&mut state, now, DRAW) == Gate::Reject));
}
