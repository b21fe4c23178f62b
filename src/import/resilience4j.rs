//! resilience4j in a Spring `application.yml`: six modules, each with instances and what they
//! inherit.

use indexmap::IndexMap;

use super::note::{Notes, joined, shown};
use super::object::{Object, Parse};
use super::outcome::{self, Exception, names};
use super::quantity::{count, flag, number, percent, spring_duration, text, texts};
use super::{Document, Imported, preset};
use crate::kernel::time::Span;
use crate::model::document::{Data, Field, Value};
use crate::model::problem::Problem;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::breaker::{Comparison, Probes, Proof, Rotation, Slow, Trip, Window};
use crate::policy::bulkhead::{Around, Bulkhead};
use crate::policy::rate_limit::{Cycles, RateLimit, Rule};
use crate::policy::retry::{OnDenial, Retry};
use crate::policy::{OutcomeSet, Policy};

const RETRY: &str = "resilience4j RetryConfig.java";
const BREAKER: &str = "resilience4j CircuitBreakerConfig.java";
const BULKHEAD: &str = "resilience4j BulkheadConfig.java";
const POOL: &str = "resilience4j ThreadPoolBulkheadConfig.java";
const RATE: &str = "resilience4j RateLimiterConfig.java";
const TIME: &str = "resilience4j TimeLimiterConfig.java";

const MODULES: [&str; 6] =
    ["retry", "circuitbreaker", "bulkhead", "thread-pool-bulkhead", "ratelimiter", "timelimiter"];

/// Keys of every module that are for watching and wiring, not for deciding.
const OF_SPRING: [&str; 6] = [
    "registerHealthIndicator",
    "allowHealthIndicatorToFail",
    "eventConsumerBufferSize",
    "writableStackTraceEnabled",
    "subscribeForEvents",
    "instrumentationEnabled",
];

/// One instance of one module: its own keys and those that it inherits.
struct Layers<'a> {
    objects: Vec<Object<'a>>,
    path: String,
}

impl<'a> Layers<'a> {
    /// The nearest layer that has the key; what it hides is noted.
    fn layer(&mut self, notes: &mut Notes, key: &'static str) -> &mut Object<'a> {
        // Where no layer has it, the instance is asked, so that errors know the key.
        let nearest = self.objects.iter().position(|object| object.has(key)).unwrap_or(0);
        for hidden in &mut self.objects[nearest + 1..] {
            hidden.ignore(notes, &[key], "the instance has its own");
        }
        &mut self.objects[nearest]
    }

    fn value(&mut self, notes: &mut Notes, key: &'static str) -> Option<(String, &'a Value)> {
        self.layer(notes, key).value(key)
    }

    fn given<T>(
        &mut self,
        notes: &mut Notes,
        key: &'static str,
        parse: Parse<T>,
        means: &str,
    ) -> Option<T> {
        self.layer(notes, key).given(notes, key, parse, means)
    }

    fn read<T: std::fmt::Display>(
        &mut self,
        notes: &mut Notes,
        key: &'static str,
        parse: Parse<T>,
        (default, source): (T, &'static str),
        means: &str,
    ) -> T {
        self.given(notes, key, parse, means).unwrap_or_else(|| {
            notes.defaulted(&joined(&self.path, key), default.to_string(), source);
            default
        })
    }

    fn ignore(&mut self, notes: &mut Notes, keys: &[&'static str], why: &str) {
        for object in &mut self.objects {
            object.ignore(notes, keys, why);
        }
    }

    /// A value that is read but cannot be, at its place.
    fn refuse(&mut self, notes: &mut Notes, key: &'static str, how: &str, expected: &str) {
        let problem = Problem::new(format!("`{key}` {how}")).expected(expected);
        let problem = self.layer(notes, key).problem(key, problem);
        notes.problems.push(problem);
    }

    fn close(self, notes: &mut Notes) {
        // What one layer was asked for, all of them may have.
        for object in Object::share_asked(self.objects) {
            object.close(notes);
        }
    }
}

/// Reads every instance that any module has.
pub(super) fn read(documents: &[Document<'_>]) -> Vec<Imported> {
    let mut policies = Vec::new();
    for document in documents {
        let mut scratch = Notes::default();
        let modules = modules(document, &mut scratch);
        let mut instances: IndexMap<String, ()> = IndexMap::new();
        for module in modules.values() {
            for key in ["instances", "backends"] {
                let mut module = module.clone();
                let object = module.object(&mut scratch, key);
                instances.extend(object.entries().map(|(name, _)| (name.to_owned(), ())));
            }
        }
        for name in instances.keys() {
            policies.push(instance(document, name));
        }
    }
    policies
}

/// The modules of a document, whether nested or with dots in their names.
fn modules<'a>(document: &Document<'a>, notes: &mut Notes) -> IndexMap<&'static str, Object<'a>> {
    let mut found = IndexMap::new();
    let Data::Table(fields) = &document.value.data else { return found };
    let mut add = |path: &str, key: &str, field: &'a Field, notes: &mut Notes| {
        let folded = key.replace(['-', '_'], "").to_lowercase();
        let known = MODULES.iter().find(|name| name.replace('-', "") == folded);
        match known {
            Some(name) => {
                found.insert(*name, Object::new(path, &field.value, notes).relaxed());
            }
            None if OTHER_MODULES.contains(&folded.as_str()) => {
                let why = "switches a part of the framework, not how calls are made";
                notes.ignored(path, &field.value, why);
            }
            None => {
                let problem = Problem::unknown("module", key, &MODULES);
                notes.problems.push(problem.at(field.key_at));
            }
        }
    };
    for (key, field) in fields {
        let path = joined(&document.path, key);
        match (key.strip_prefix("resilience4j"), &field.value.data) {
            (Some(""), Data::Table(inner)) => {
                for (key, field) in inner {
                    add(&joined(&path, key), key, field, notes);
                }
            }
            (Some(rest), _) if rest.starts_with('.') => add(&path, &rest[1..], field, notes),
            _ => {}
        }
    }
    found
}

const OTHER_MODULES: [&str; 4] = ["scheduled", "micrometer", "metrics", "tags"];

fn instance(document: &Document<'_>, name: &str) -> Imported {
    let mut notes = Notes::default();
    let mut modules = modules(document, &mut notes);
    let mut policy = Policy::ONCE;
    let all = preset("resilience4j", "af9e7c97");
    for module in MODULES {
        let Some(mut object) = modules.swap_remove(module) else { continue };
        let layers = layers(&mut notes, &mut object, name);
        let orders = [
            "retryAspectOrder",
            "circuitBreakerAspectOrder",
            "bulkheadAspectOrder",
            "rateLimiterAspectOrder",
            "timeLimiterAspectOrder",
        ];
        let why = "the order is fixed: retry, breaker, rate limiter, time limiter, bulkhead";
        object.ignore(&mut notes, &orders, why);
        object.ignore(&mut notes, &["metrics", "tags"], "for watching");
        object.close(&mut notes);
        let Some(mut layers) = layers else { continue };
        match module {
            "retry" => policy.retry = read_retry(&mut notes, &mut layers, all.retry),
            "circuitbreaker" => read_breaker(&mut notes, &mut layers, &mut policy, &all),
            "bulkhead" => read_bulkhead(&mut notes, &mut layers, &mut policy),
            "thread-pool-bulkhead" => read_pool(&mut notes, &mut layers, &mut policy),
            "ratelimiter" => read_rate(&mut notes, &mut layers, &mut policy),
            _ => read_time(&mut notes, &mut layers, &mut policy),
        }
        layers.ignore(&mut notes, &OF_SPRING, "for watching and wiring");
        layers.close(&mut notes);
    }
    Imported::new(name, policy, Vec::new(), notes)
}

/// The instance of a module with what it inherits: its `baseConfig`, or the config of its name, or
/// `default` (`CommonRetryConfigurationProperties.java` and its like).
fn layers<'a>(notes: &mut Notes, module: &mut Object<'a>, name: &str) -> Option<Layers<'a>> {
    let configs = module.object(notes, "configs");
    let instances = [module.object(notes, "instances"), module.object(notes, "backends")];
    let entry = |object: &Object<'a>, name: &str| {
        let found = object.entries().find(|(key, _)| *key == name);
        found.map(|(key, field)| (joined(&object.path, key), &field.value))
    };
    let (path, value) = instances.iter().find_map(|object| entry(object, name))?;
    let mut objects = vec![Object::new(&path, value, notes).relaxed()];
    let mut seen = Vec::new();
    loop {
        let last = objects.last_mut().expect("at least the instance");
        let base = last.given(notes, "baseConfig", text, "what is inherited");
        let wanted = match (&base, objects.len()) {
            (Some(base), _) => Some(base.clone()),
            (None, 1) if entry(&configs, name).is_some() => Some(name.to_owned()),
            (None, 1) => Some("default".to_owned()),
            _ => None,
        };
        let Some(wanted) = wanted.filter(|wanted| !seen.contains(wanted)) else { break };
        match entry(&configs, &wanted) {
            Some((path, value)) => objects.push(Object::new(&path, value, notes).relaxed()),
            None if base.is_some() => {
                let known: Vec<&str> = configs.entries().map(|(key, _)| key).collect();
                notes.problems.push(Problem::unknown("config", &wanted, &known).at(value.at));
                break;
            }
            None => break,
        }
        seen.push(wanted);
    }
    Some(Layers { objects, path })
}

/// What a list of exception classes means here.
struct Classes {
    outcomes: OutcomeSet,
    denials: bool,
}

fn classes(notes: &mut Notes, layers: &mut Layers<'_>, key: &'static str) -> Option<Classes> {
    let (path, value) = layers.value(notes, key)?;
    let list = match texts(value) {
        Ok(list) => list,
        Err(problem) => {
            notes.problems.push(problem.at(value.at));
            return None;
        }
    };
    let (mut found, mut unknown) =
        (Classes { outcomes: OutcomeSet::NONE, denials: false }, Vec::new());
    for class in &list {
        match outcome::exception(class) {
            Some(Exception::Everything) => {
                found = Classes { outcomes: OutcomeSet::ERRORS, denials: true };
            }
            Some(Exception::Outcomes(set)) => found.outcomes = found.outcomes.or(set),
            Some(Exception::Denial) => found.denials = true,
            None => unknown.push(class.rsplit('.').next().unwrap_or(class)),
        }
    }
    let mut means = format!("are the outcomes {}", names(found.outcomes));
    if found.denials {
        means += " and denials of the client's own breaker and limits";
    }
    if !unknown.is_empty() {
        means += &format!("; `{}` has no outcome here", unknown.join("`, `"));
    }
    notes.given(&path, shown(value), means);
    let has_any = found.denials || found.outcomes != OutcomeSet::NONE;
    has_any.then_some(found)
}

fn read_retry(notes: &mut Notes, layers: &mut Layers<'_>, start: Option<Retry>) -> Option<Retry> {
    let mut rule = start?;
    let means = "attempts, the first one included";
    rule.attempts = layers.read(notes, "maxAttempts", count, (3, RETRY), means);
    let wait = (Span::from_millis(500), RETRY);
    let wait = layers.read(notes, "waitDuration", spring_duration, wait, "first delay");
    let (exponential, random) = ("enableExponentialBackoff", "enableRandomizedWait");
    let grows = layers.read(notes, exponential, flag, (false, RETRY), "delays grow");
    let is_random = layers.read(notes, random, flag, (false, RETRY), "delays are spread");
    let mut backoff = Backoff::constant(wait);
    if grows {
        let factor = (1.5, RETRY);
        let factor = layers.read(notes, "exponentialBackoffMultiplier", number, factor, "growth");
        backoff = Backoff::exponential(wait, factor);
    } else {
        let why = "enableExponentialBackoff is false";
        layers.ignore(notes, &["exponentialBackoffMultiplier"], why);
    }
    if is_random {
        let spread = (0.5, RETRY);
        let means = "of the delay either way";
        let spread = layers.read(notes, "randomizedWaitFactor", number, spread, means);
        backoff = backoff.jittered(Jitter::Proportional(spread.min(1.0)));
    } else {
        layers.ignore(notes, &["randomizedWaitFactor"], "enableRandomizedWait is false");
    }
    let key = "exponentialMaxWaitDuration";
    if let Some(most) = layers.given(notes, key, spring_duration, "longest, after the jitter") {
        backoff = backoff.capped_after_jitter(most);
    }
    if grows || is_random {
        backoff = backoff.truncated_to(Span::from_millis(1));
    }
    rule.backoff = backoff;
    let retried = classes(notes, layers, "retryExceptions");
    let ignored = classes(notes, layers, "ignoreExceptions");
    rule.on = retried.as_ref().map_or(OutcomeSet::ERRORS, |classes| classes.outcomes);
    let mut denials = retried.is_none_or(|classes| classes.denials);
    if let Some(ignored) = ignored {
        rule.on = rule.on.less(ignored.outcomes);
        denials &= !ignored.denials;
    }
    rule.on_denial = if denials { OnDenial::Retry } else { OnDenial::GiveUp };
    let keys = ["resultPredicate", "retryExceptionPredicate", "intervalBiFunction"];
    layers.ignore(notes, &keys, "is code of the application");
    layers.ignore(notes, &["failAfterMaxAttempts"], "a call that fails, fails");
    Some(rule)
}

/// Whether the window of a breaker is of seconds, and not of calls.
fn read_is_timed(notes: &mut Notes, layers: &mut Layers<'_>) -> bool {
    let kind = ("COUNT_BASED".to_owned(), BREAKER);
    let means = "whether the window is of calls or of seconds";
    let kind = layers.read(notes, "slidingWindowType", text, kind, means);
    let is_timed = kind.replace('-', "_").eq_ignore_ascii_case("TIME_BASED");
    if !is_timed && !kind.replace('-', "_").eq_ignore_ascii_case("COUNT_BASED") {
        let problem = Problem::unknown("window", &kind, &["COUNT_BASED", "TIME_BASED"]);
        let at = layers.value(notes, "slidingWindowType").map(|(_, value)| value.at);
        notes.problems.extend(at.map(|at| problem.at(at)));
    }
    is_timed
}

fn read_breaker(notes: &mut Notes, layers: &mut Layers<'_>, policy: &mut Policy, all: &Policy) {
    let is_timed = read_is_timed(notes, layers);
    let means = if is_timed { "seconds" } else { "calls" };
    let size = layers.read(notes, "slidingWindowSize", count, (100, BREAKER), means);
    let least = (100, BREAKER);
    let minimum = layers.read(notes, "minimumNumberOfCalls", count, least, "in the window");
    let failing = "% of failures that opens it";
    let ratio = layers.read(notes, "failureRateThreshold", percent, (50.0, BREAKER), failing);
    let means = "% of slow calls that opens it";
    let slow = layers.read(notes, "slowCallRateThreshold", percent, (100.0, BREAKER), means);
    let longer = (Span::from_secs(60), BREAKER);
    let key = "slowCallDurationThreshold";
    let longer = layers.read(notes, key, spring_duration, longer, "longer is slow");
    let open = (Span::from_secs(60), BREAKER);
    let open = layers.read(notes, "waitDurationInOpenState", spring_duration, open, "open for");
    let key = "permittedNumberOfCallsInHalfOpenState";
    let probes = layers.read(notes, key, count, (10, BREAKER), "probes, judged together");
    let by_timer = layers.read(
        notes,
        "automaticTransitionFromOpenToHalfOpenEnabled",
        flag,
        (false, BREAKER),
        "a timer makes it half-open, not the next call",
    );
    let sizes = [("slidingWindowSize", size), ("minimumNumberOfCalls", minimum), (key, probes)];
    for (key, _) in sizes.into_iter().filter(|(_, size)| *size == 0) {
        layers.refuse(notes, key, "is 0", "at least 1");
    }
    let window = match is_timed {
        true => Window::Time {
            span: Span::from_secs(u64::from(size)),
            buckets: size,
            rotation: Rotation::Aligned,
        },
        false => Window::Calls(size),
    };
    let Some(mut rule) = all.breaker else { return };
    rule.trip = Trip::Ratio {
        window,
        minimum: if is_timed { minimum } else { minimum.min(size) },
        ratio: ratio / 100.0,
        comparison: Comparison::AtLeast,
        on_success: true,
        slow: Some(Slow { longer_than: longer, ratio: slow / 100.0 }),
        every: None,
        consecutive: None,
    };
    let proof = Proof::Ratio { calls: probes, ratio: ratio / 100.0 };
    rule.probes = Probes { limit: probes, proof, ..rule.probes };
    rule.open_for = read_open_for(notes, layers, open);
    rule.by_timer = by_timer;
    if let Some(recorded) = classes(notes, layers, "recordExceptions") {
        rule.failures = recorded.outcomes;
    }
    if let Some(ignored) = classes(notes, layers, "ignoreExceptions") {
        rule.ignored = ignored.outcomes;
        rule.failures = rule.failures.less(ignored.outcomes);
    }
    let why = "probes have no time limit";
    layers.ignore(notes, &["maxWaitDurationInHalfOpenState"], why);
    let keys = ["recordFailurePredicate", "recordResultPredicate", "ignoreExceptionPredicate"];
    layers.ignore(notes, &keys, "is code of the application");
    policy.breaker = Some(rule);
}

/// How long it opens: growing counts before random (`CommonCircuitBreakerConfigurationProperties`,
/// `buildConfigFromProperties`).
fn read_open_for(notes: &mut Notes, layers: &mut Layers<'_>, open: Span) -> Backoff {
    let means = "each opening in a row lasts longer";
    let key = "enableExponentialBackoff";
    let grows = layers.read(notes, key, flag, (false, BREAKER), means);
    let mut open_for = Backoff::constant(open);
    let keys = ["exponentialBackoffMultiplier", "exponentialMaxWaitDurationInOpenState"];
    if grows {
        let factor = layers.read(notes, keys[0], number, (1.5, BREAKER), "growth");
        open_for = Backoff::exponential(open, factor);
        if let Some(most) = layers.given(notes, keys[1], spring_duration, "longest time open") {
            open_for = open_for.capped(most);
        }
        open_for = open_for.truncated_to(Span::from_millis(1));
    } else {
        layers.ignore(notes, &keys, "enableExponentialBackoff is false");
    }
    let keys = ["enableRandomizedWait", "randomizedWaitFactor"];
    if grows {
        layers.ignore(notes, &keys, "enableExponentialBackoff counts before it");
        return open_for;
    }
    let means = "the time open is spread";
    if layers.read(notes, keys[0], flag, (false, BREAKER), means) {
        let spread = (0.5, BREAKER);
        let spread = layers.read(notes, keys[1], number, spread, "of the time either way");
        let jitter = Jitter::Proportional(spread.min(1.0));
        return open_for.jittered(jitter).truncated_to(Span::from_millis(1));
    }
    layers.ignore(notes, &keys[1..], "enableRandomizedWait is false");
    open_for
}

fn read_bulkhead(notes: &mut Notes, layers: &mut Layers<'_>, policy: &mut Policy) {
    let means = "attempts at once";
    let limit = layers.read(notes, "maxConcurrentCalls", count, (25, BULKHEAD), means);
    let wait = (Span::ZERO, BULKHEAD);
    let means = "longest wait for room";
    let wait = layers.read(notes, "maxWaitDuration", spring_duration, wait, means);
    let why = "the one who waits longest is first";
    layers.ignore(notes, &["fairCallHandlingEnabled"], why);
    let around = Around::Attempt;
    policy.bulkhead = Some(match wait > Span::ZERO {
        true => Bulkhead { limit, queue: u32::MAX, max_wait: Some(wait), around },
        false => Bulkhead { limit, queue: 0, max_wait: None, around },
    });
}

/// A pool runs its core, then fills its queue, then grows; here it may grow at once.
fn read_pool(notes: &mut Notes, layers: &mut Layers<'_>, policy: &mut Policy) {
    let keys = ["maxThreadPoolSize", "queueCapacity", "coreThreadPoolSize"];
    if policy.bulkhead.is_some() {
        layers.ignore(notes, &keys, "a call passes one bulkhead: the other one is taken");
    } else {
        let means = "attempts at once";
        let limit = layers.given(notes, keys[0], count, means);
        let limit = limit.unwrap_or_else(|| {
            let default = "as many as processors: taken as 8".to_owned();
            notes.defaulted(&joined(&layers.path, keys[0]), default, POOL);
            8
        });
        let queue = layers.read(notes, keys[1], count, (100, POOL), "wait for a thread");
        let why = "the queue is filled before the pool grows, which is not modelled";
        layers.ignore(notes, &[keys[2]], why);
        policy.bulkhead = Some(Bulkhead { limit, queue, max_wait: None, around: Around::Attempt });
    }
    let keys = ["keepAliveDuration", "contextPropagators"];
    layers.ignore(notes, &keys, "threads cost nothing here");
}

fn read_rate(notes: &mut Notes, layers: &mut Layers<'_>, policy: &mut Policy) {
    let permits = (50, RATE);
    let permits = layers.read(notes, "limitForPeriod", count, permits, "attempts in a period");
    let period = (Span::from_nanos(500), RATE);
    let key = "limitRefreshPeriod";
    let period = layers.read(notes, key, spring_duration, period, "the period");
    let patience = (Span::from_secs(5), RATE);
    let key = "timeoutDuration";
    let patience = layers.read(notes, key, spring_duration, patience, "longest wait");
    if permits == 0 {
        layers.refuse(notes, "limitForPeriod", "lets nothing through", "at least 1 permit");
    }
    if period == Span::ZERO {
        layers.refuse(notes, "limitRefreshPeriod", "is no time", "more than 0");
    }
    policy.rate_limit =
        Some(RateLimit { rule: Rule::Cycles(Cycles { permits, period }), patience });
    layers.ignore(notes, &["drainPermissionsOnResult"], "is code of the application");
}

fn read_time(notes: &mut Notes, layers: &mut Layers<'_>, policy: &mut Policy) {
    let or = (Span::from_secs(1), TIME);
    let span = layers.read(notes, "timeoutDuration", spring_duration, or, "one attempt");
    policy.attempt_timeout = Some(span);
    let why = "the server goes on with an attempt that timed out";
    layers.ignore(notes, &["cancelRunningFuture"], why);
}
