//! A retry policy of one's own, compared with one of a real library in an experiment: it retries
//! while its process has seen more successes than failures lately, whoever's they were.
//!
//! `cargo run --example custom_policy`

use std::sync::Arc;

use stormglass::kernel::draw::Draw;
use stormglass::kernel::time::{Span, Time};
use stormglass::policy::custom::{Custom, CustomState, Moment};
use stormglass::policy::{
    Admission, AfterAttempt, GiveUp, Outcome, OutcomeSet, Progress, Response,
};
use stormglass::{Error, Experiment};

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
    fn admit(&mut self, _progress: &mut Progress, _now: Time, _draw: Draw) -> Admission {
        Admission::Go
    }

    fn settle(
        &mut self,
        progress: &mut Progress,
        moment: Moment,
        response: Response,
    ) -> AfterAttempt {
        let failed = OutcomeSet::TRANSIENT.contains(response.outcome);
        self.balance = (self.balance + if failed { -1 } else { 1 }).clamp(-10, 10);
        if response.outcome == Outcome::Ok {
            AfterAttempt::Done
        } else if !failed {
            AfterAttempt::GiveUp(GiveUp::NotRetryable)
        } else if progress.attempts() >= self.attempts {
            AfterAttempt::GiveUp(GiveUp::Attempts)
        } else if self.balance <= 0 {
            AfterAttempt::GiveUp(GiveUp::Budget)
        } else {
            // Full jitter: the draw of this moment is the only randomness there is.
            AfterAttempt::Retry { after: self.wait.scaled(moment.draw.unit()) }
        }
    }
}

/// Shops that ask a provider of payments, each by what the policy of its arm says.
const MODEL: &str = r#"
[clients.shops]
processes = 10
arrivals = { poisson = "200/s" }
flow = [{ call = "payment.charge", policy = "to_payment", ignore_failure = true }]

[provider.payment]
concurrency = 20
latency = "exp 20ms"

[policy.to_payment]
timeout = "300ms"
retry = { attempts = 4, backoff = "exponential 50ms x2 cap 1s", jitter = "full" }
"#;

/// For 30 s a good half of the calls fails.
const EXPERIMENT: &str = r#"
name = "own-policy"
model = "inline"
arrivals = "60s"
drain = "5s"
seeds = "1..11"

[[faults]]
kind = "errors"
target = "payment"
share = "60%"
at = "15s"
for = "30s"

[arms.none]
set."policy.to_payment.retry.attempts" = 1

[arms.plain]

[arms.aws]
set."policy.to_payment" = { preset = "aws-standard@2.1", timeout = "300ms" }

[arms.own]
"#;

/// Runs the experiment with the own policy in its arm `own`; a line for each arm, and the answer.
///
/// # Errors
/// If something is wrong with the texts above.
pub(crate) fn compared(seeds: u64) -> Result<String, Error> {
    let own: Arc<dyn Custom> = Arc::new(Confident { attempts: 4, wait: Span::from_millis(100) });
    let results = Experiment::from_texts(EXPERIMENT, MODEL)?
        .with_seeds(1..1 + seeds)?
        .with_policy(("own", "confident"), "to_payment", &own)?
        .run()?;
    let mut text = String::new();
    for arm in results.arms() {
        let mean = |name: &str| arm.metric(name).map_or(f64::NAN, |estimate| estimate.mean);
        let (attempts, success) = (mean("amplification"), mean("success_ratio") * 100.0);
        let name = &arm.label;
        text.push_str(&format!("{name:>10}: {attempts:.2} attempts a request, {success:.1}% ok\n"));
    }
    Ok(text + &results.answer().join("\n"))
}

#[expect(clippy::print_stdout, reason = "an example shows its result")]
fn main() -> Result<(), Error> {
    println!("{}", compared(10)?);
    Ok(())
}
