//! resilience4j as Spring reads it: six modules, each with instances and what they inherit, over
//! all documents of a file and each of its profiles.

mod breaker;
mod exceptions;
mod layers;
mod limits;
mod retry;

use indexmap::IndexMap;

use self::layers::{DEFAULT, INSTANCES, Module};
use super::note::{Notes, joined};
use super::object::{Object, folded};
use super::quantity::count;
use super::{Document, Format, Imported, Reading, preset, spring};
use crate::model::document::{Data, Field};
use crate::model::problem::Problem;
use crate::policy::Policy;
use crate::policy::bulkhead::Around;

const MODULES: [&str; 6] =
    ["retry", "circuitbreaker", "bulkhead", "thread-pool-bulkhead", "ratelimiter", "timelimiter"];

/// Modules that have nothing to do with how calls are made.
const OTHER_MODULES: [&str; 6] =
    ["scheduled", "scheduledthreadpool", "micrometer", "metrics", "tags", "contextpropagator"];

/// Keys of every module that are for watching and wiring, not for deciding.
const OF_SPRING: [&str; 8] = [
    "registerHealthIndicator",
    "allowHealthIndicatorToFail",
    "eventConsumerBufferSize",
    "writableStackTraceEnabled",
    "subscribeForEvents",
    "instrumentationEnabled",
    "ignoreClassBindingExceptions",
    "tags",
];

/// Reads every instance that any module has, and once more for each profile that changes it.
pub(super) fn read(documents: &[Document<'_>]) -> Reading {
    let mut parts: IndexMap<usize, Vec<&Document<'_>>> = IndexMap::new();
    for document in documents.iter().filter(|each| each.format == Some(Format::Resilience4j)) {
        parts.entry(document.part).or_default().push(document);
    }
    let mut reading = Reading::default();
    for documents in parts.values() {
        let of_profile = |document: &&Document<'_>| {
            let named = document.name.and_then(spring::profile_of_name);
            let mut profiles = spring::profiles(document.value);
            profiles.extend(named);
            profiles
        };
        let mut profiles: Vec<String> = documents.iter().flat_map(of_profile).collect();
        profiles.dedup();
        let always: Vec<&Document<'_>> =
            documents.iter().copied().filter(|each| of_profile(each).is_empty()).collect();
        let first = reading.policies.len();
        reading.policies.extend(of_documents(&always, None));
        let known = reading.policies[first..].to_vec();
        let mut seen: Vec<&String> = Vec::new();
        for profile in &profiles {
            if seen.contains(&profile) {
                continue;
            }
            seen.push(profile);
            let counts = |each: &&Document<'_>| {
                let own = of_profile(each);
                own.is_empty() || own.contains(profile)
            };
            let those: Vec<&Document<'_>> = documents.iter().copied().filter(counts).collect();
            let read = of_documents(&those, Some(profile));
            reading.policies.extend(read.into_iter().filter(|policy| is_new(policy, &known)));
        }
        for document in documents {
            let why = "no instance of this file takes it; code may name one that does";
            reading.leave(joined(&document.path, spring::ROOT), why);
        }
    }
    reading
}

/// Whether a profile makes an instance another one, or has a mistake of its own.
fn is_new(policy: &Imported, known: &[Imported]) -> bool {
    let same = known.iter().any(|other| {
        other.policy == policy.policy && policy.name.starts_with(&format!("{}-", other.name))
    });
    !same || !policy.problems.is_empty()
}

/// The instances of documents that count together, the last of them most.
fn of_documents(documents: &[&Document<'_>], profile: Option<&String>) -> Vec<Imported> {
    let mut scratch = Notes::default();
    let all = modules(documents, &mut scratch);
    let mut instances: IndexMap<String, ()> = IndexMap::new();
    let mut has_default = false;
    for module in all.values() {
        let names = module.names(&INSTANCES);
        has_default |= names.is_empty() && module.names(&["configs"]).iter().any(|c| c == DEFAULT);
        instances.extend(names.into_iter().map(|name| (name, ())));
    }
    if has_default {
        instances.insert(DEFAULT.to_owned(), ());
    }
    instances.keys().map(|name| instance(documents, name, profile)).collect()
}

/// The modules of documents, the last of which counts most.
fn modules<'a>(
    documents: &[&Document<'a>],
    notes: &mut Notes,
) -> IndexMap<&'static str, Module<'a>> {
    let mut found: IndexMap<&'static str, Module<'a>> = IndexMap::new();
    for document in documents.iter().rev() {
        let Data::Table(fields) = &document.value.data else { continue };
        let Some(Field { value, .. }) = fields.get(spring::ROOT) else { continue };
        let root = joined(&document.path, spring::ROOT);
        let Data::Table(inner) = &value.data else {
            notes.problems.push(super::quantity::wrong(value, "a table of modules"));
            continue;
        };
        for (key, field) in inner {
            let path = joined(&root, key);
            let own = folded(key);
            let known = MODULES.iter().find(|name| folded(name) == own);
            if let Some(name) = known {
                let object = Object::new(&path, &field.value, notes).relaxed();
                found.entry(*name).or_insert(Module { objects: Vec::new() }).objects.push(object);
            } else if OTHER_MODULES.contains(&own.as_str()) {
                let why = "switches a part of the framework, not how calls are made";
                notes.ignored(&path, &field.value, why);
            } else {
                notes.problems.push(Problem::unknown("module", key, &MODULES).at(field.key_at));
            }
        }
    }
    found
}

fn instance(documents: &[&Document<'_>], name: &str, profile: Option<&String>) -> Imported {
    let mut notes = Notes::default();
    let mut modules = modules(documents, &mut notes);
    notes.at = None;
    let mut policy = Policy::ONCE;
    let all = preset("resilience4j", "af9e7c97");
    let mut orders = Vec::new();
    for module in MODULES {
        let Some(mut module_of) = modules.swap_remove(module) else { continue };
        let order = read_order(&mut notes, &mut module_of, module);
        let layers = module_of.layers(&mut notes, name);
        for mut object in Object::share_asked(module_of.objects) {
            object.ignore(&mut notes, &["metrics", "tags"], "for watching");
            for key in INSTANCES.into_iter().chain(["configs"]) {
                object.object(&mut notes, key);
            }
            object.close(&mut notes);
        }
        let Some(mut layers) = layers else { continue };
        notes.at = notes.at.or(layers.objects[0].place());
        orders.push((module, order));
        // Read last, so that all others are known.
        let is_outside =
            is_outside(&orders, "timelimiter", "retry") || is_outermost(&orders, "timelimiter");
        match module {
            "retry" => policy.retry = retry::read(&mut notes, &mut layers, all.retry),
            "circuitbreaker" => breaker::read(&mut notes, &mut layers, &mut policy, &all),
            "bulkhead" => limits::read_bulkhead(&mut notes, &mut layers, &mut policy),
            "thread-pool-bulkhead" => limits::read_pool(&mut notes, &mut layers, &mut policy),
            "ratelimiter" => limits::read_rate(&mut notes, &mut layers, &mut policy),
            _ => limits::read_time(&mut notes, &mut layers, &mut policy, is_outside),
        }
        layers.ignore(&mut notes, &OF_SPRING, "for watching and wiring");
        layers.close(&mut notes);
    }
    place(&orders, &mut policy);
    let mut caveats: Vec<String> = said_of_order(&orders).into_iter().collect();
    if name == DEFAULT {
        caveats.push(
            "what every instance has that is named in code only, and in no `instances`".to_owned(),
        );
    }
    if let Some(profile) = profile {
        caveats.push(format!("when the profile `{profile}` is active"));
    }
    let name = profile.map_or(name.to_owned(), |profile| format!("{name}-{profile}"));
    let owner = documents.first().and_then(|document| document.owner.map(str::to_owned));
    let application = documents.iter().find_map(|document| spring::application(document.value));
    Imported::new(&name, policy, caveats, notes).apart(application.or(owner))
}

/// The order of the aspect of a module, of which a smaller one is outside (`Ordered`); by default
/// a distance from the last one, which is the largest number of all (resilience4j, Spring Boot,
/// aspect order).
fn read_order(notes: &mut Notes, module: &mut Module<'_>, name: &str) -> i64 {
    let (key, default) = match name {
        "retry" => ("retryAspectOrder", 5),
        "circuitbreaker" => ("circuitBreakerAspectOrder", 4),
        "ratelimiter" => ("rateLimiterAspectOrder", 3),
        "timelimiter" => ("timeLimiterAspectOrder", 2),
        _ => ("bulkheadAspectOrder", 1),
    };
    let mut order = None;
    for object in &mut module.objects {
        let own = object.given(notes, key, count, "where the module stands, smaller outside");
        order = order.or(own);
    }
    order.map_or(i64::from(i32::MAX) - default, i64::from)
}

/// Whether one module is outside of another, if an instance has both.
fn is_outside(orders: &[(&str, i64)], one: &str, other: &str) -> bool {
    let of = |name: &str| orders.iter().find(|(own, _)| *own == name).map(|(_, order)| *order);
    of(one).zip(of(other)).is_some_and(|(one, other)| one < other)
}

/// Whether a module is outside of all others of an instance, which by themselves is only the retry.
fn is_outermost(orders: &[(&str, i64)], name: &str) -> bool {
    let others = orders.iter().filter(|(own, _)| *own != name);
    let is_moved = orders.iter().any(|(_, order)| *order < i64::from(i32::MAX) - 5);
    is_moved
        && others.clone().count() > 0
        && others.into_iter().all(|(own, _)| is_outside(orders, name, own))
}

/// Puts what the file has around the retry around the call.
fn place(orders: &[(&str, i64)], policy: &mut Policy) {
    let around = |names: &[&str]| match names.iter().any(|name| is_outside(orders, name, "retry")) {
        true => Around::Call,
        false => Around::Attempt,
    };
    if let Some(breaker) = &mut policy.breaker {
        breaker.around = around(&["circuitbreaker"]);
    }
    if let Some(bulkhead) = &mut policy.bulkhead {
        bulkhead.around = around(&["bulkhead", "thread-pool-bulkhead"]);
    }
}

/// What to say where the order of a file is one that policies do not have.
fn said_of_order(orders: &[(&str, i64)]) -> Option<String> {
    // From outside to inside, as policies have it. Around the call stand, if at all, the time
    // limit, the bulkhead and the breaker, in this order.
    let mut fixed = vec!["retry", "circuitbreaker", "ratelimiter", "timelimiter", "bulkhead"];
    for name in ["circuitbreaker", "bulkhead"] {
        if is_outside(orders, name, "retry") {
            fixed.retain(|other| *other != name);
            fixed.insert(0, name);
        }
    }
    let mut swapped = Vec::new();
    for (index, outer) in fixed.iter().enumerate() {
        for inner in &fixed[index + 1..] {
            let is_known =
                *inner == "timelimiter" && (*outer == "retry" || is_outermost(orders, inner));
            if is_outside(orders, inner, outer) && !is_known {
                swapped.push(format!("{inner} around {outer}"));
            }
        }
    }
    (!swapped.is_empty()).then(|| {
        format!(
            "NOT AS IN THE FILE: its aspect orders put {}; here the order is {}, from outside to \
             inside",
            swapped.join(", "),
            fixed.join(", ")
        )
    })
}
