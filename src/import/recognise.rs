//! Which format each document of a file has, by what is in it: API group and kind, `@type`, and
//! the keys that a format alone has.

use std::collections::BTreeMap;

use super::Document;
use super::format::Format;
use super::kubernetes::group;
use super::parts::Parts;
use super::quantity::find_text;
use super::{envoy_find, linkerd, polly, spring};
use crate::model::document::{Data, Value};
use crate::model::problem::Problem;

/// The documents of a file, each with a name for its fields and what it is.
pub(super) fn documents(parts: &Parts) -> Vec<Document<'_>> {
    let mut twins: BTreeMap<String, usize> = BTreeMap::new();
    let mut documents: Vec<Document<'_>> = Vec::new();
    for parsed in &parts.documents {
        let value = &parsed.value;
        let kind = parsed.name.clone().or_else(|| find_text(value, "kind"));
        let kind = kind.unwrap_or_else(|| "document".to_owned());
        let number = twins.entry(kind.clone()).and_modify(|number| *number += 1).or_insert(1);
        let path = match (parts.documents.len(), *number) {
            (1, _) => String::new(),
            (_, 1) => kind,
            (_, number) => format!("{kind}#{number}"),
        };
        documents.push(Document {
            path,
            value,
            format: of_one(value),
            part: parsed.part,
            name: parsed.name.as_deref(),
            owner: parsed.owner.as_deref(),
        });
    }
    documents
}

/// The documents and the formats that they have. A format that is named
/// is that of every document which is not plainly of another one.
pub(super) fn recognise<'a>(
    parts: &'a Parts,
    named: Option<Format>,
) -> Result<(Vec<Document<'a>>, Vec<Format>), Problem> {
    let mut documents = documents(parts);
    let is_of_linkerd = named == Some(Format::Linkerd)
        || named.is_none() && documents.iter().any(|each| each.format == Some(Format::Linkerd));
    for document in &mut documents {
        // Routes of the Gateway API are read by whoever implements them.
        if is_of_linkerd && linkerd::is_route_of_service(document.value) {
            document.format = Some(Format::Linkerd);
        }
        if let Some(named) = named {
            let routes = [Some(Format::Linkerd), Some(Format::GatewayApi)];
            let is_route = routes.contains(&document.format) && routes.contains(&Some(named));
            if document.format.is_none() || is_route {
                document.format = Some(named);
            }
        }
    }
    let is_there = |format: &Format| documents.iter().any(|each| each.format == Some(*format));
    let is_wanted = |format: &Format| named.is_none_or(|named| named == *format);
    let found: Vec<Format> = Format::ALL.into_iter().filter(is_wanted).filter(is_there).collect();
    match (named, found.is_empty()) {
        (Some(named), true) => Ok((documents, vec![named])),
        (None, true) => Err(unrecognised(parts)),
        _ => Ok((documents, found)),
    }
}

fn unrecognised(parts: &Parts) -> Problem {
    let values = || parts.documents.iter().map(|parsed| &parsed.value);
    let version = values().find_map(|value| find_text(value, "apiVersion"));
    let kind = values().find_map(|value| find_text(value, "kind"));
    let names = Format::ALL.map(Format::name).join(", ");
    let expected = format!("one of: {names}; --format names it");
    match version {
        Some(version) if version.starts_with("autoscaling/") || version.starts_with("keda.") => {
            Problem::new("this sets how many instances run, not how they are called")
                .expected(expected)
        }
        _ if kind.as_deref() == Some("CustomResourceDefinition") => {
            Problem::new("this says which fields an object may have, and sets none")
                .expected(expected)
        }
        _ => Problem::new("this is no configuration that can be read").expected(expected),
    }
}

/// The format of one document.
pub(super) fn of_one(value: &Value) -> Option<Format> {
    let fields = match &value.data {
        Data::Table(fields) => fields,
        Data::List(values) => {
            return match values
                .iter()
                .any(|value| value.find(&["serviceConfig".to_owned()]).is_some())
            {
                true => Some(Format::Grpc),
                false => envoy_find::is_of_envoy(value).then_some(Format::Envoy),
            };
        }
        _ => return None,
    };
    let has = |key: &str| fields.contains_key(key);
    if has("apiVersion") && has("kind") {
        return of_kubernetes(value);
    }
    if spring::is_application(value) {
        return Some(Format::Resilience4j);
    }
    if ["methodConfig", "retryThrottling", "loadBalancingConfig", "serviceConfig"]
        .into_iter()
        .any(has)
    {
        return Some(Format::Grpc);
    }
    if envoy_find::is_of_envoy(value) {
        return Some(Format::Envoy);
    }
    let is_profile = |key: &str| key == "default" || key.starts_with("profile ");
    let is_aws = |(key, field): (&String, &crate::model::document::Field)| {
        let is_section = matches!(field.value.data, Data::Table(_));
        is_profile(key) && is_section
            || !is_section
                && (key.starts_with("AWS_") || key == "retry_mode" || key == "max_attempts")
    };
    if fields.iter().any(is_aws) {
        return Some(Format::Aws);
    }
    polly::has_section(value).then_some(Format::Polly)
}

fn of_kubernetes(value: &Value) -> Option<Format> {
    let group = group(value);
    if linkerd::is_annotated(value) || group == "linkerd.io" || group == "policy.linkerd.io" {
        return Some(Format::Linkerd);
    }
    match group.as_str() {
        "networking.istio.io" => Some(Format::Istio),
        "gateway.networking.k8s.io" | "gateway.networking.x-k8s.io" | "gateway.envoyproxy.io" => {
            Some(Format::GatewayApi)
        }
        // Resources of Envoy may stand inside objects of others, as in a CiliumEnvoyConfig.
        _ => envoy_find::is_typed(value).then_some(Format::Envoy),
    }
}
