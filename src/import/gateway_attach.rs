//! Which policies of the Gateway API are attached to which rule: by name or label of the route, its
//! rule, its gateway or a listener, in the namespace of the policy; the most specific one counts.

use super::Document;
use super::attach::{
    at, is_selected, list, name_of, namespace_of, same_namespace, seniority, text_at,
};
use super::kubernetes::group;
use super::quantity::find_text;
use crate::model::document::Value;

/// One rule of a route, as policies may name it.
pub(super) struct Place<'a> {
    pub(super) route: &'a Document<'a>,
    /// The name of the rule.
    pub(super) rule: Option<String>,
    /// The gateways of the file.
    pub(super) gateways: &'a [&'a Document<'a>],
    /// The namespaces of the file, and what may be named from one in another.
    pub(super) others: &'a [&'a Document<'a>],
}

/// How closely a policy is attached (Envoy Gateway, precedence of a BackendTrafficPolicy): the
/// order is that of the variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Closeness {
    Gateway,
    Listener,
    Route,
    Rule,
}

/// The policies that are attached to a rule, the one that counts first.
pub(super) fn attached<'a>(
    policies: &[&'a Document<'a>],
    place: &Place<'_>,
) -> Vec<(Closeness, &'a Document<'a>)> {
    let closest = |policy: &&'a Document<'a>| {
        let named =
            references(policy).into_iter().filter_map(|target| named(policy, target, place));
        let selected = list(policy.value, &["spec", "targetSelectors"]);
        let selected = selected.into_iter().filter_map(|target| selected_by(policy, target, place));
        Some((named.chain(selected).max()?, *policy))
    };
    let mut found: Vec<_> = policies.iter().filter_map(closest).collect();
    found.sort_by_key(|(closeness, policy)| (std::cmp::Reverse(*closeness), seniority(policy)));
    found
}

/// `targetRefs`, or the `targetRef` of older versions.
pub(super) fn references<'a>(policy: &Document<'a>) -> Vec<&'a Value> {
    let mut targets = list(policy.value, &["spec", "targetRefs"]);
    targets.extend(at(policy.value, &["spec", "targetRef"]));
    targets
}

/// How a target that is named is part of a rule's way.
fn named(policy: &Document<'_>, target: &Value, place: &Place<'_>) -> Option<Closeness> {
    let kind = find_text(target, "kind")?;
    let name = find_text(target, "name")?;
    let section = find_text(target, "sectionName");
    let own = namespace_of(policy);
    let of_route = namespace_of(place.route);
    if kind == find_text(place.route.value, "kind")? {
        // A policy can name what is in its own namespace only.
        same_namespace(own.as_deref(), of_route.as_deref())?;
        let is_route = name_of(place.route).as_ref() == Some(&name);
        return match section {
            None => is_route.then_some(Closeness::Route),
            Some(section) => {
                (is_route && place.rule.as_ref() == Some(&section)).then_some(Closeness::Rule)
            }
        };
    }
    let of_kind =
        |parent: &&Value| find_text(parent, "kind").unwrap_or_else(|| "Gateway".to_owned()) == kind;
    parents(place.route)
        .into_iter()
        .filter(of_kind)
        .filter(|parent| find_text(parent, "name").as_ref() == Some(&name))
        .filter_map(|parent| {
            let of_gateway = find_text(parent, "namespace").or_else(|| of_route.clone());
            same_namespace(own.as_deref(), of_gateway.as_deref())?;
            let Some(section) = &section else {
                return Some(match kind.as_str() {
                    "Gateway" => Closeness::Gateway,
                    _ => Closeness::Listener,
                });
            };
            let is_only = || {
                let gateways = place.gateways.iter();
                let mut gateways =
                    gateways.filter(|gateway| name_of(gateway).as_ref() == Some(&name));
                gateways
                    .next()
                    .is_some_and(|gateway| list(gateway.value, &["spec", "listeners"]).len() == 1)
            };
            match find_text(parent, "sectionName") {
                Some(own) => (own == *section).then_some(Closeness::Listener),
                // The route is attached to every listener.
                None => is_only().then_some(Closeness::Listener),
            }
        })
        .max()
}

/// How a target that is selected by labels is part of a rule's way.
fn selected_by(policy: &Document<'_>, target: &Value, place: &Place<'_>) -> Option<Closeness> {
    let kind = find_text(target, "kind")?;
    let is_near = |document: &Document<'_>| is_near(policy, target, document, place.others);
    if kind == find_text(place.route.value, "kind")? {
        let is_it = is_near(place.route) && is_selected(target, place.route);
        return is_it.then_some(Closeness::Route);
    }
    let of_route = namespace_of(place.route);
    let is_parent = |gateway: &&&Document<'_>| {
        parents(place.route).into_iter().any(|parent| {
            let of_parent = find_text(parent, "namespace").or_else(|| of_route.clone());
            find_text(parent, "name") == name_of(gateway)
                && same_namespace(of_parent.as_deref(), namespace_of(gateway).as_deref()).is_some()
        })
    };
    let mut gateways = place.gateways.iter().filter(is_parent);
    (kind == "Gateway" && gateways.any(|gateway| is_near(gateway) && is_selected(target, gateway)))
        .then_some(Closeness::Gateway)
}

/// Whether an object is in a namespace from which a policy selects: its own, all, or those with
/// labels. Into another one it needs a ReferenceGrant, where the file has any.
fn is_near(
    policy: &Document<'_>,
    target: &Value,
    object: &Document<'_>,
    others: &[&Document<'_>],
) -> bool {
    let (own, of_object) = (namespace_of(policy), namespace_of(object));
    if same_namespace(own.as_deref(), of_object.as_deref()).is_some() {
        return true;
    }
    let of_kind = |kind: &'static str| {
        others.iter().filter(move |other| find_text(other.value, "kind").as_deref() == Some(kind))
    };
    let is_selected = match text_at(target, &["namespaces", "from"]).as_deref() {
        Some("All") => true,
        Some("Selector") => at(target, &["namespaces", "selector"]).is_some_and(|selector| {
            of_kind("Namespace")
                .any(|other| name_of(other) == of_object && is_selected(selector, other))
        }),
        _ => false,
    };
    let is_granted = of_kind("ReferenceGrant").any(|grant| {
        let froms = list(grant.value, &["spec", "from"]);
        namespace_of(grant) == of_object
            && froms.iter().any(|from| find_text(from, "namespace") == own)
    });
    is_selected && (is_granted || of_kind("ReferenceGrant").next().is_none())
}

/// The gateways that a route is attached to.
fn parents<'a>(route: &Document<'a>) -> Vec<&'a Value> {
    let mut parents = list(route.value, &["spec", "parentRefs"]);
    let is_of_gateway =
        |kind: &String| ["Gateway", "ListenerSet", "XListenerSet"].contains(&kind.as_str());
    parents.retain(|parent| find_text(parent, "kind").as_ref().is_none_or(is_of_gateway));
    parents
}

/// The budget of a service that is called from a route: its policy is in the namespace of the
/// service, which is that of the route unless the route says otherwise.
pub(super) fn budget_of<'a>(
    budgets: &[&'a Document<'a>],
    route: &Document<'_>,
    backend: &Value,
) -> Option<&'a Document<'a>> {
    let name = find_text(backend, "name")?;
    let is_service = find_text(backend, "kind").is_none_or(|kind| kind == "Service");
    let namespace = find_text(backend, "namespace").or_else(|| namespace_of(route));
    let mut found: Vec<&Document<'_>> = budgets
        .iter()
        .copied()
        .filter(|policy| {
            let own = namespace_of(policy);
            let is_near = same_namespace(own.as_deref(), namespace.as_deref()).is_some();
            let is_named = |target: &&Value| {
                find_text(target, "kind").is_some_and(|kind| kind == "Service")
                    && find_text(target, "name").as_ref() == Some(&name)
            };
            is_service && is_near && references(policy).iter().any(is_named)
        })
        .collect();
    found.sort_by_key(|policy| seniority(policy));
    found.first().copied()
}

/// Why a policy of this file is attached to nothing in it.
pub(super) fn why_not(policy: &Document<'_>, routes: &[&Document<'_>]) -> String {
    let namespace = namespace_of(policy);
    let place = namespace.as_ref().map_or(String::new(), |own| format!(" of namespace `{own}`"));
    let targets = references(policy);
    let Some(target) = targets.first() else {
        let selectors = list(policy.value, &["spec", "targetSelectors"]);
        return match selectors.is_empty() {
            true => "it names no target".to_owned(),
            false => format!("no route{place} has the labels that it selects"),
        };
    };
    let kind = find_text(target, "kind").unwrap_or_default();
    let name = find_text(target, "name").unwrap_or_default();
    let is_there = |route: &&&Document<'_>| {
        name_of(route).as_ref() == Some(&name)
            && find_text(route.value, "kind").as_ref() == Some(&kind)
    };
    match (find_text(target, "sectionName"), routes.iter().find(is_there)) {
        (Some(section), _) => {
            format!("it is for `{section}` of {kind} `{name}`{place}, which no rule is")
        }
        (None, Some(route)) => format!(
            "it is for {kind} `{name}`{place}, and the one in this file is of `{}`",
            namespace_of(route).unwrap_or_default()
        ),
        (None, None) => format!("it is for {kind} `{name}`{place}, to which no rule leads"),
    }
}

/// Whether an object has this group and one of these kinds.
pub(super) fn is_of(document: &Document<'_>, groups: &[&str], kinds: &[&str]) -> bool {
    let kind = find_text(document.value, "kind").unwrap_or_default();
    groups.contains(&group(document.value).as_str()) && kinds.contains(&kind.as_str())
}
