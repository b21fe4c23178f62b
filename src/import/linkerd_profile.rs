//! Linkerd: routes of a ServiceProfile, with the budget that they share.

use super::note::{Notes, shown};
use super::object::Object;
use super::quantity::{count, flag, go_duration, number, text};
use super::{Document, Imported, metadata_name, preset};
use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::policy::Policy;
use crate::policy::budget::{Budget, Deposit, Window};

const PROFILES: &str = "linkerd/linkerd2-proxy, tower TpsBudget";
const REFERENCE: &str = "Linkerd reference, service profiles";

/// The policy of one route of a profile.
pub(super) fn route(profile: &Document<'_>, index: usize) -> Imported {
    let mut notes = Notes::default();
    let mut object = Object::new(&profile.path, profile.value, &mut notes);
    let name = metadata_name(&mut object, &mut notes).unwrap_or_else(|| "profile".to_owned());
    let mut spec = object.object(&mut notes, "spec");
    let mut route = spec.objects(&mut notes, "routes").swap_remove(index);
    notes.at = route.place().or(notes.at);
    let own = route.given(&mut notes, "name", text, "names the policy").unwrap_or_default();
    let mut policy = preset("linkerd", "service-profile");
    let or = (Span::from_secs(10), REFERENCE);
    let means = "the whole call, retries included";
    policy.deadline = Some(route.read(&mut notes, "timeout", go_duration, or, means));
    let means = "retried as long as the budget allows";
    let is_retryable = route.read(&mut notes, "isRetryable", flag, (false, REFERENCE), means);
    let mut budget = spec.object(&mut notes, "retryBudget");
    notes.of_budget(budget.path.clone());
    read_budget(&mut notes, &mut budget, &mut policy);
    budget.close(&mut notes);
    if !is_retryable {
        policy.retry = None;
    }
    if let Some((path, value)) = route.value("condition") {
        notes.given(&path, shown(value), "which calls it is for");
    }
    let why = "which answers are failures is said by the answers of the model";
    route.ignore(&mut notes, &["responseClasses"], why);
    route.close_open(&mut notes);
    spec.close_open(&mut notes);
    let host = name.split('.').next().unwrap_or_default();
    let namespace = name.split('.').nth(1).map(str::to_owned);
    Imported::new(&format!("{host}-{own}"), policy, Vec::new(), notes).apart(namespace)
}

fn read_budget(notes: &mut Notes, budget: &mut Object<'_>, policy: &mut Policy) {
    let means = "retries for each call; tower rounds one over it down";
    let ratio = budget.read(notes, "retryRatio", number, (0.2, PROFILES), means);
    let means = "retries besides, all of which may go at once";
    let least = budget.read(notes, "minRetriesPerSecond", count, (10, PROFILES), means);
    let span = (Span::from_secs(10), PROFILES);
    let span = budget.read(notes, "ttl", go_duration, span, "over which both are counted");
    if !(Span::from_secs(1)..=Span::from_secs(60)).contains(&span) {
        let message = format!("`{}.ttl` of {span} is refused by Linkerd", budget.path);
        let problem = Problem::new(message).expected("from 1s to 60s");
        notes.problems.push(budget.problem("ttl", problem));
    }
    let window = Window::tower(Deposit::Answer, ratio as f32, least, span);
    policy.budget = Some(Budget::Window(window));
}
