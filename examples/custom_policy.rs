//! A retry policy of one's own: it retries while this process has seen more successes than
//! failures lately, whoever's they were.
//!
//! `cargo run --example custom_policy`

use stormglass::kernel::draw::{Draw, Draws, Probability, Purpose, key_of};
use stormglass::kernel::time::{Span, Time};
use stormglass::policy::custom::{Custom, CustomState, Moment};
use stormglass::policy::{
    Admission, GiveUp, Outcome, OutcomeSet, Policy, Progress, Response, Verdict, presets,
};

/// Retries while the balance of the process is positive.
#[derive(Debug)]
struct Confident {
    attempts: u32,
    wait: Span,
}

/// One more for each success, one less for each failure, between -10 and 10.
#[derive(Debug)]
struct Balance {
    attempts: u32,
    wait: Span,
    balance: i32,
}

impl Custom for Confident {
    fn state(&self) -> Box<dyn CustomState> {
        Box::new(Balance { attempts: self.attempts, wait: self.wait, balance: 10 })
    }
}

impl CustomState for Balance {
    fn admit(&mut self, progress: &mut Progress, _now: Time, _draw: Draw) -> Admission {
        progress.count_attempt();
        Admission::Go
    }

    fn settle(&mut self, progress: &mut Progress, moment: Moment, response: Response) -> Verdict {
        let failed = OutcomeSet::TRANSIENT.contains(response.outcome);
        self.balance = (self.balance + if failed { -1 } else { 1 }).clamp(-10, 10);
        if response.outcome == Outcome::Ok {
            Verdict::Done
        } else if !failed {
            Verdict::GiveUp(GiveUp::NotRetryable)
        } else if progress.attempts() >= self.attempts {
            Verdict::GiveUp(GiveUp::Attempts)
        } else if self.balance <= 0 {
            Verdict::GiveUp(GiveUp::Budget)
        } else {
            // Full jitter: the draw of this moment is the only randomness there is.
            Verdict::Retry { after: self.wait.scaled(moment.draw.unit()) }
        }
    }
}

/// Ten thousand calls at a target that fails with this probability: attempts and successes of each.
fn measure(policy: &dyn Custom, failing: f64) -> (f64, f64) {
    let (mut state, mut draws) = (policy.state(), Draws::new(1));
    let failing = Probability::new(failing);
    let (mut attempts, mut succeeded) = (0_u32, 0_u32);
    let calls = 10_000;
    for call in 0..calls {
        let call_started = Time::ZERO + Span::from_millis(call);
        let (mut progress, mut now) = (Progress::default(), call_started);
        for attempt in 0.. {
            let draw = draws.draw(Purpose::Policy, 0, key_of(call, attempt), 0);
            if state.admit(&mut progress, now, draw) != Admission::Go {
                break;
            }
            attempts += 1;
            let fails = draws.draw(Purpose::Error, 0, key_of(call, attempt), 0);
            let outcome = if failing.happens(fails) { Outcome::Failed } else { Outcome::Ok };
            let moment = Moment { now, attempt_started: now, call_started, draw };
            match state.settle(&mut progress, moment, Response::new(outcome)) {
                Verdict::Retry { after } => now = now + after,
                verdict => {
                    succeeded += u32::from(verdict == Verdict::Done);
                    break;
                }
            }
        }
    }
    let per_call = |count: u32| f64::from(count) / calls as f64;
    (per_call(attempts), per_call(succeeded))
}

#[expect(clippy::print_stdout, reason = "an example shows its result")]
fn main() {
    let own = Confident { attempts: 3, wait: Span::from_millis(100) };
    let aws: Policy = presets::find("aws-standard", None).expect("the preset exists").policy;
    println!("{:>8} {:>22} {:>22}", "failing", "own: load, success", "aws: load, success");
    for failing in [0.01, 0.1, 0.3, 0.6, 1.0] {
        let ((own_load, own_success), (load, success)) =
            (measure(&own, failing), measure(&aws, failing));
        println!("{failing:>8} {own_load:>14.3} {own_success:>7.3} {load:>14.3} {success:>7.3}");
    }
}
