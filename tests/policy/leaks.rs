//! What calls hold is given back, however they end.

use stormglass::kernel::draw::{Draw, Draws, Purpose, key_of};
use stormglass::kernel::time::{Span, Time};
use stormglass::policy::budget::BudgetState;
use stormglass::policy::{Admission, Outcome, Policy, Progress, Response, State, Verdict, presets};

const CALLS: usize = 40;
const STEPS: u64 = 4_000;

/// One call of a process: it runs, waits, or has ended and begins anew.
struct Call {
    progress: Progress,
    started: Time,
    running: bool,
}

/// Lets one call do its next thing: ask, come back, or crash.
fn step(policy: &Policy, state: &mut State, call: &mut Call, now: Time, draw: Draw) {
    let outcome = Outcome::ALL[draw.below(7) as usize];
    let crashes = key_of(draw.0, 9).is_multiple_of(10);
    if crashes {
        policy.abandon(state, &mut call.progress);
    } else if call.running {
        let response = Response::new(outcome);
        let progress = &mut call.progress;
        let verdict =
            policy.settle(state, progress, now, call.started, call.started, response, draw);
        call.running = false;
        if matches!(verdict, Verdict::Retry { .. }) {
            return;
        }
    } else {
        match policy.admit(state, &mut call.progress, now, draw) {
            Admission::Go => call.running = true,
            Admission::Wait(_) | Admission::Queue => {}
            Admission::Reject(denial) => {
                let progress = &mut call.progress;
                let verdict = policy.denied(state, progress, denial, now, call.started, draw);
                if !matches!(verdict, Verdict::Retry { .. }) {
                    *call = Call { progress: policy.begin(), started: now, running: false };
                }
            }
        }
        return;
    }
    *call = Call { progress: policy.begin(), started: now, running: false };
}

#[test]
fn nothing_leaks_and_nothing_is_stuck() {
    for preset in presets::all() {
        let policy = &preset.policy;
        let (mut state, mut draws) = (policy.state(), Draws::new(99));
        let mut calls: Vec<Call> = (0..CALLS)
            .map(|_| Call { progress: policy.begin(), started: Time::ZERO, running: false })
            .collect();
        let mut now = Time::ZERO;
        for number in 0..STEPS {
            let draw = draws.draw(Purpose::Policy, 1, number, 0);
            now = now + Span::from_micros(key_of(draw.0, 3) % 50_000);
            let call = &mut calls[key_of(draw.0, 4) as usize % CALLS];
            step(policy, &mut state, call, now, draw);
        }
        for call in &mut calls {
            policy.abandon(&mut state, &mut call.progress);
        }
        let name = format!("{} {}", preset.name, preset.version);
        assert_eq!(state.in_flight, 0, "{name}");
        assert_eq!(state.bulkhead.map_or(0, |room| room.running()), 0, "{name}");
        if let Some(BudgetState::Concurrent(slots)) = &state.budget {
            assert_eq!(slots.retrying(), 0, "{name}");
        }
        // An hour later everybody is let in again, sooner or later.
        now = now + Span::from_secs(3_600);
        let admitted = (0..100).any(|again| {
            now = now + Span::from_secs(10);
            let draw = draws.draw(Purpose::Policy, 2, again, 0);
            policy.admit(&mut state, &mut policy.begin(), now, draw) == Admission::Go
        });
        assert!(admitted, "{name}");
    }
}
