//! The language of `models/*.toml`, as it is written. Every default stands here, once.

use indexmap::IndexMap;
use serde::Deserialize;

use super::quantity::{Count, Rate, Share};
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;

/// `[clients.NAME]`: users who send requests.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clients {
    /// How many client processes: each has its own retry budgets and breakers.
    #[serde(default = "one")]
    pub processes: u32,
    /// When users arrive.
    pub arrivals: Arrivals,
    /// Which key a user is about.
    #[serde(default)]
    pub keys: Keys,
    /// How long a user waits for one request, retries included.
    #[serde(default)]
    pub patience: Option<Span>,
    /// What a user does: calls and pauses.
    pub flow: Vec<Step>,
}

/// When users arrive: an open loop, so that a slow system does not slow its load.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Arrivals {
    /// A Poisson process of this rate.
    Poisson(Rate),
    /// Equal gaps at this rate.
    Constant(Rate),
    /// A Poisson process whose rate changes in steps.
    Profile(Vec<ProfileStep>),
    /// Recorded arrivals.
    Trace(Trace),
}

/// From `at` on, this rate.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileStep {
    /// Since the start of the run.
    pub at: Span,
    /// The rate from then on.
    pub rate: Rate,
}

/// Arrivals recorded in a CSV file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// The file, relative to the file that names it.
    pub path: String,
    /// The column that holds the timestamps: seconds as a number, or date and time.
    pub column: String,
    /// How many times faster the trace is played: 2 halves every gap.
    #[serde(default = "one_f64")]
    pub speed: f64,
    /// How many users arrive for each line, at its time.
    #[serde(default = "one")]
    pub copies: u32,
}

/// Which key a user is about.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Keys {
    /// Each of so many keys is equally likely.
    Uniform(u32),
    /// Key `k` of `of` has weight `1 / k^exponent`.
    Zipf {
        /// The exponent.
        exponent: f64,
        /// How many keys.
        of: u32,
    },
}

impl Default for Keys {
    fn default() -> Keys {
        Keys::Uniform(1)
    }
}

/// The waiting line in front of workers.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Line {
    /// How many may wait; more are rejected.
    pub limit: Count,
    /// Who is served first.
    pub order: Order,
}

impl Default for Line {
    fn default() -> Line {
        Line { limit: Count::Unlimited, order: Order::Fifo }
    }
}

/// Who is served first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The one who came first.
    Fifo,
    /// The one who came last.
    Lifo,
}

/// How an instance is chosen for a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// One after the other.
    #[default]
    RoundRobin,
    /// Any, with equal probability.
    Random,
    /// The less loaded of two drawn at random.
    TwoChoices,
    /// The least loaded.
    LeastOutstanding,
}

/// `[service.NAME]`: instances with workers that run handlers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// How many instances.
    #[serde(default = "one")]
    pub instances: u32,
    /// Workers of each instance: how many requests it handles at once.
    pub workers: Count,
    /// The waiting line of each instance.
    #[serde(default)]
    pub queue: Line,
    /// How an instance is chosen.
    #[serde(default)]
    pub balance: Balance,
    /// The queue whose messages this service handles, if it is a worker.
    #[serde(default)]
    pub takes: Option<String>,
    /// What a worker does with a message.
    #[serde(default)]
    pub steps: Option<Vec<Step>>,
    /// What an operation does.
    #[serde(default)]
    pub on: IndexMap<String, Handler>,
}

/// `[service.NAME.on.OPERATION]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handler {
    /// The steps, one after the other.
    pub steps: Vec<Step>,
}

/// `[database.NAME]`: transactions over versioned rows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// How many transactions and reads run at once.
    #[serde(default = "unlimited")]
    pub connections: Count,
    /// The waiting line for a connection.
    #[serde(default)]
    pub queue: Line,
    /// How long a transaction takes, flush included if it waits for one.
    pub commit: Distribution,
    /// How long a read takes.
    pub read: Distribution,
    /// When the write-ahead log reaches the disk.
    #[serde(default)]
    pub flush: Flush,
    /// The tables.
    #[serde(default)]
    pub tables: IndexMap<String, Table>,
}

/// When the write-ahead log reaches the disk.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Flush {
    /// Before a transaction is answered.
    #[default]
    EachCommit,
    /// Each so often; a crash loses what was answered since.
    Every(Span),
}

/// A table: a state and a version for each row.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// What a row is for.
    #[serde(default)]
    pub rows: Rows,
}

/// What a row is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rows {
    /// An order: one user's flow.
    #[default]
    Order,
    /// A key of the clients' `keys`.
    Key,
}

/// `[replica.NAME]`: a copy of a database that follows it late.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replica {
    /// The database that it follows.
    pub of: String,
    /// How long after its commit a transaction is applied here; the order of commits is kept.
    pub lag: Distribution,
    /// How long a read takes.
    pub read: Distribution,
    /// How many reads run at once.
    #[serde(default = "unlimited")]
    pub connections: Count,
    /// The waiting line for a connection.
    #[serde(default)]
    pub queue: Line,
}

/// `[cache.NAME]`: row versions, kept for a while.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// How many rows it holds; the least recently used leaves first.
    pub capacity: u32,
    /// How long a row is kept after it was filled.
    #[serde(default)]
    pub ttl: Option<Span>,
    /// How long a lookup or a fill takes.
    #[serde(default = "instantly")]
    pub latency: Distribution,
}

/// `[queue.NAME]`: messages between services, delivered at least once.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// How long a delivered message is hidden from others while nobody acknowledges it.
    pub visibility: Span,
    /// A message that was received so often without acknowledgement becomes a dead letter.
    #[serde(default = "ten")]
    pub max_receives: u32,
    /// How long a message waits after its handler failed before it is delivered again; without it,
    /// the rest of its visibility.
    #[serde(default)]
    pub redelivery: Option<Span>,
    /// How long the queue takes to accept a message or an acknowledgement.
    #[serde(default = "instantly")]
    pub latency: Distribution,
}

/// `[outbox.NAME]`: a relay that publishes what transactions wrote to the outbox table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbox {
    /// Whose outbox table it reads.
    pub database: String,
    /// Where it publishes.
    pub queue: String,
    /// How long it waits after an empty or failed round.
    pub poll: Span,
    /// How many rows it takes at once.
    #[serde(default = "hundred")]
    pub batch: u32,
    /// How it calls the database and the queue.
    #[serde(default)]
    pub policy: Option<String>,
}

/// `[provider.NAME]`: somebody else's service whose effects cannot be undone.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// How many calls it handles at once.
    pub concurrency: Count,
    /// The waiting line in front of it.
    #[serde(default)]
    pub queue: Line,
    /// How long a call takes.
    pub latency: Distribution,
    /// The effects it can be asked for.
    #[serde(default = "charge")]
    pub effects: Vec<String>,
    /// Calls that fail without an effect.
    #[serde(default)]
    pub errors_before: Share,
    /// Calls that fail although the effect happened.
    #[serde(default)]
    pub errors_after: Share,
    /// How long an idempotency key is remembered.
    #[serde(default = "a_day")]
    pub keys_expire: Span,
}

/// `[link.default]` or `[link."A -> B"]`: what happens to messages on their way.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Link {
    /// How long a message travels, each way drawn anew.
    pub latency: Option<Distribution>,
    /// Requests that never arrive.
    pub request_loss: Option<Share>,
    /// Replies that never arrive, although the work was done.
    pub reply_loss: Option<Share>,
}

/// One step of a flow or handler. Exactly one of the first group says what it does.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Step {
    /// Occupies the worker for a time.
    pub work: Option<Distribution>,
    /// Waits without occupying anybody: users only.
    pub think: Option<Distribution>,
    /// Calls `NODE.OPERATION` and waits for the answer.
    pub call: Option<String>,
    /// Runs a transaction on this database.
    pub transaction: Option<String>,
    /// Reads the row of `NODE.TABLE`, from a database or replica.
    pub read: Option<String>,
    /// Publishes a message to this queue.
    pub publish: Option<String>,
    /// Answers the caller: `"ok"`, or an outcome such as `"rejected"`.
    pub reply: Option<Reply>,
    /// Tells the queue that the message is done with.
    pub ack: Option<bool>,

    /// With `call`, `transaction`, `read`, `publish`: how, by the name of a policy.
    pub policy: Option<String>,
    /// With `call`: what makes repetitions of an effect one effect.
    pub idempotency_key: Option<KeyOf>,
    /// With `call` in a flow: what the answer must show.
    pub expect: Option<Expectation>,
    /// With `read`: the cache to look in first, and to fill after a miss.
    pub cache: Option<String>,
    /// With `transaction`: the rows and events it writes, `"TABLE = state"`, `"outbox = event"`,
    /// `"audit = entry"`.
    pub write: Vec<String>,
    /// With `transaction`: at most one such transaction per order or key; a repetition changes
    /// nothing and is answered like the first.
    pub once: Option<KeyOf>,
    /// With anything that can fail: go on with the next step instead of failing.
    pub ignore_failure: bool,
}

/// How a handler answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Done as asked.
    Ok,
    /// A transient error.
    Failed,
    /// Overloaded.
    Rejected,
    /// Too many requests.
    Throttled,
    /// A request that can never succeed.
    Invalid,
}

/// What makes two calls the same work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyOf {
    /// The order: every call for one order is one effect.
    Order,
    /// The request: a user's second request is new work, its retries are not.
    Request,
    /// The attempt: a new key for each retry, which protects from nothing.
    Attempt,
}

/// What the answer of a read must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Expectation {
    /// What this user wrote earlier in the flow.
    #[serde(rename = "own write")]
    OwnWrite,
}

fn one() -> u32 {
    1
}

fn one_f64() -> f64 {
    1.0
}

fn ten() -> u32 {
    10
}

fn hundred() -> u32 {
    100
}

fn unlimited() -> Count {
    Count::Unlimited
}

fn instantly() -> Distribution {
    Distribution::Constant(Span::ZERO)
}

fn charge() -> Vec<String> {
    vec!["charge".to_owned()]
}

fn a_day() -> Span {
    Span::from_secs(86_400)
}
