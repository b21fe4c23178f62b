//! A retry policy of one's own, compared with one of a real library in an experiment: it retries
//! while its process has seen more successes than failures lately, whoever's they were.
//!
//! `cargo run --example custom_policy`

use std::sync::Arc;

use stormglass::experiment::campaign::{Campaign, Documents};
use stormglass::experiment::summary::summarise;
use stormglass::kernel::draw::Draw;
use stormglass::kernel::time::{Span, Time};
use stormglass::model::document::{Sources, Value};
use stormglass::model::problem::Problem;
use stormglass::policy::custom::{Custom, CustomState, Moment};
use stormglass::policy::{Admission, GiveUp, Outcome, OutcomeSet, Progress, Response, Verdict};
use stormglass::report::arms::arms_tables;

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

/// The experiment, with the own policy in its arm `own`.
fn campaign() -> Result<Campaign, Vec<Problem>> {
    let mut sources = Sources::default();
    let mut parse = |name: &str, text: &str| {
        let source = sources.add(name, text);
        Value::parse(&sources, source)
    };
    let documents = Documents {
        experiment: parse("experiment.toml", EXPERIMENT)?,
        model: parse("model.toml", MODEL)?,
        overrides: Vec::new(),
    };
    let no_files = |name: &str| Err(Problem::new(format!("there is no file {name}")));
    let mut campaign = Campaign::new(&documents, &no_files)?;
    let own: Arc<dyn Custom> = Arc::new(Confident { attempts: 4, wait: Span::from_millis(100) });
    campaign.replace_policy("own", "to_payment", &own).map_err(|problem| vec![problem])?;
    Ok(campaign)
}

/// Runs the experiment and returns its table of results.
///
/// # Panics
/// If the texts above are wrong.
#[must_use]
pub(crate) fn table(seeds: usize) -> String {
    let mut campaign = campaign().unwrap_or_else(|problems| panic!("{problems:?}"));
    campaign.seeds.truncate(seeds);
    let results: Vec<_> = (0..campaign.runs()).map(|number| campaign.run(number)).collect();
    let summaries = summarise(&campaign, &results);
    let tables = arms_tables(&campaign, &summaries);
    let texts: Vec<String> = tables.iter().map(|table| table.text(80, false)).collect();
    texts.join("\n")
}

#[expect(clippy::print_stdout, reason = "an example shows its result")]
fn main() {
    print!("{}", table(10));
}
