//! Where routes and clusters of Envoy stand: in a bootstrap, in files of resources, in dumps of a
//! running proxy, in lists, inside objects of others.

use super::note::joined;
use super::object::folded;
use super::quantity::find_text;
use super::{Document, deciding};
use crate::model::document::{Data, Field, Value};

/// What the `@type` of an object of Envoy begins with.
const TYPE: &str = "type.googleapis.com/envoy.";

/// An object of Envoy and its path.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'a, P> {
    pub(super) path: P,
    pub(super) value: &'a Value,
}

/// A route action and what it stands in.
#[derive(Clone, Debug)]
pub(super) struct Route<'a> {
    pub(super) path: String,
    pub(super) action: &'a Value,
    /// The route with its name and what it matches.
    pub(super) whole: At<'a, String>,
    /// The virtual host, whose retries and hedging it inherits.
    pub(super) host: Option<At<'a, String>>,
}

/// All that decides in the documents of one file.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    pub(super) routes: Vec<Route<'a>>,
    pub(super) clusters: Vec<At<'a, String>>,
    /// Paths of filters that change calls and are in no policy, each with the reason.
    pub(super) filters: Vec<(String, &'static str)>,
}

/// Filters that change calls, by the last part of their type.
const FILTERS: [(&str, &str); 6] = [
    ("HTTPFault", deciding::FAULTS),
    ("FaultDelay", deciding::FAULTS),
    ("RateLimit", deciding::LIMITS),
    ("LocalRateLimit", deciding::LIMITS),
    ("AdmissionControl", deciding::LIMITS),
    ("AdaptiveConcurrency", deciding::LIMITS),
];

/// Whether resources with an `@type` of Envoy stand anywhere below a value.
pub(super) fn is_typed(value: &Value) -> bool {
    match &value.data {
        Data::Table(fields) => {
            let is_type = find_text(value, "@type").is_some_and(|name| name.starts_with(TYPE));
            is_type || fields.values().any(|field| is_typed(&field.value))
        }
        Data::List(values) => values.iter().any(is_typed),
        _ => false,
    }
}

/// Whether a document is of Envoy: by its types, or by keys that Envoy alone has together.
pub(super) fn is_of_envoy(value: &Value) -> bool {
    let fields = match &value.data {
        Data::Table(fields) => fields,
        Data::List(values) => {
            return values.iter().any(|value| is_cluster(value) || is_of_envoy(value));
        }
        _ => return false,
    };
    let is_found = |(key, field): (&String, &Field)| match folded(key).as_str() {
        "staticresources" | "dynamicactiveclusters" | "dynamicrouteconfigs" => true,
        "virtualhosts" | "routes" => any(&field.value, |value| {
            is_host(value) || has(value, &["route"]) && has(value, &["match"])
        }),
        "clusters" => any(&field.value, is_cluster),
        "cluster" => is_cluster(&field.value),
        "route" => is_action(&field.value),
        _ => false,
    };
    fields.iter().any(is_found) || is_host(value) || is_typed(value)
}

fn any(value: &Value, is: impl Fn(&Value) -> bool) -> bool {
    match &value.data {
        Data::List(values) => values.iter().any(is),
        _ => is(value),
    }
}

/// Whether an object has one of these keys, however they are spelt.
fn has(value: &Value, keys: &[&str]) -> bool {
    let Data::Table(fields) = &value.data else { return false };
    fields.keys().any(|key| keys.contains(&folded(key).as_str()))
}

fn is_host(value: &Value) -> bool {
    has(value, &["domains"]) && has(value, &["routes"])
}

fn is_action(value: &Value) -> bool {
    let keys = ["cluster", "weightedclusters", "clusterheader", "retrypolicy", "timeout"];
    has(value, &keys) || matches!(&value.data, Data::Table(fields) if fields.is_empty())
}

fn is_cluster(value: &Value) -> bool {
    if find_text(value, "@type").is_some() {
        return is_of_type(value, "Cluster");
    }
    let keys = [
        "loadassignment",
        "circuitbreakers",
        "outlierdetection",
        "edsclusterconfig",
        "typedextensionprotocoloptions",
        "http2protocoloptions",
        "lbpolicy",
        "connecttimeout",
        "clustertype",
        "dnslookupfamily",
    ];
    has(value, &keys)
        && (has(value, &["name"]) || has(value, &["circuitbreakers", "outlierdetection"]))
}

fn is_of_type(value: &Value, name: &str) -> bool {
    let own = find_text(value, "@type").unwrap_or_default();
    own.starts_with(TYPE) && own.rsplit('.').next() == Some(name)
}

/// Collects route actions and clusters, wherever they stand.
pub(super) fn collect<'a>(documents: &[Document<'a>]) -> Found<'a> {
    let mut found = Found::default();
    for document in documents {
        if document.format == Some(super::Format::Envoy) {
            find(&document.path, document.value, None, &mut found);
        }
    }
    found
}

fn find<'a>(path: &str, value: &'a Value, host: Option<&At<'a, String>>, found: &mut Found<'a>) {
    let fields = match &value.data {
        Data::Table(fields) => fields,
        Data::List(values) => {
            for (index, value) in values.iter().enumerate() {
                find(&format!("{path}[{index}]"), value, host, found);
            }
            return;
        }
        _ => return,
    };
    // Both have a name of their own here: a list of clusters needs no key before it.
    if is_cluster(value) {
        found.clusters.push(At { path: path.to_owned(), value });
        return;
    }
    if let Some((_, why)) = FILTERS.iter().find(|(name, _)| is_of_type(value, name)) {
        found.filters.push((path.to_owned(), why));
    }
    let own = is_host(value).then(|| At { path: path.to_owned(), value });
    let host = own.as_ref().or(host);
    for (key, field) in fields {
        let inner = joined(path, key);
        match (folded(key).as_str(), &field.value.data) {
            // What is in it names clusters, and is none.
            ("route", Data::Table(_)) if is_action(&field.value) => found.routes.push(Route {
                path: inner,
                action: &field.value,
                whole: At { path: path.to_owned(), value },
                host: host.cloned(),
            }),
            ("cluster", Data::Table(_)) => {
                found.clusters.push(At { path: inner, value: &field.value });
            }
            ("clusters", Data::Table(_)) if has(&field.value, &["name"]) => {
                found.clusters.push(At { path: inner, value: &field.value });
            }
            ("clusters", Data::List(list)) => {
                for (index, value) in list.iter().enumerate() {
                    found.clusters.push(At { path: format!("{inner}[{index}]"), value });
                }
            }
            _ => find(&inner, &field.value, host, found),
        }
    }
}

impl Route<'_> {
    /// The clusters that it goes to, the first one that gets calls first.
    pub(super) fn targets(&self) -> Vec<String> {
        let Data::Table(fields) = &self.action.data else { return Vec::new() };
        let of =
            |key: &str| fields.iter().find(|(own, _)| folded(own) == key).map(|(_, f)| &f.value);
        if let Some(name) = of("cluster").and_then(|value| super::quantity::text(value).ok()) {
            return vec![name];
        }
        let weighted =
            of("weightedclusters").and_then(|value| value.find(&["clusters".to_owned()]));
        let Some(Value { data: Data::List(list), .. }) = weighted else { return Vec::new() };
        let (mut some, none): (Vec<&Value>, Vec<&Value>) =
            list.iter().partition(|each| find_text(each, "weight").as_deref() != Some("0"));
        some.extend(none);
        some.into_iter().filter_map(|each| find_text(each, "name")).collect()
    }

    /// Whether it says by itself where it goes.
    pub(super) fn names_its_target(&self) -> bool {
        has(self.action, &["cluster", "weightedclusters", "clusterheader"])
    }
}
