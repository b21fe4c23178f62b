//! Which format each document of a file has, by what is in it: API group and kind, `@type`, and
//! the keys that a format alone has.

use std::collections::BTreeMap;

use super::Document;
use super::quantity::text;
use super::source::Parts;
use super::{envoy_find, linkerd, polly, spring};
use crate::model::document::{Data, Value};
use crate::model::problem::Problem;

/// A format that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Envoy routes and clusters, version 3.
    Envoy,
    /// Istio VirtualService and DestinationRule.
    Istio,
    /// gRPC service config.
    Grpc,
    /// resilience4j in a Spring application.yml.
    Resilience4j,
    /// AWS config file or environment.
    Aws,
    /// Options of Polly and Microsoft.Extensions.Http.Resilience.
    Polly,
    /// Linkerd annotations and ServiceProfile.
    Linkerd,
    /// Gateway API and Envoy Gateway.
    GatewayApi,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 8] = [
        Format::Envoy,
        Format::Istio,
        Format::Grpc,
        Format::Resilience4j,
        Format::Aws,
        Format::Polly,
        Format::Linkerd,
        Format::GatewayApi,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Format::Envoy => "envoy",
            Format::Istio => "istio",
            Format::Grpc => "grpc",
            Format::Resilience4j => "resilience4j",
            Format::Aws => "aws",
            Format::Polly => "polly",
            Format::Linkerd => "linkerd",
            Format::GatewayApi => "gateway-api",
        }
    }

    /// What it is called in sentences.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Format::Envoy => "Envoy",
            Format::Istio => "Istio",
            Format::Grpc => "gRPC service config",
            Format::Resilience4j => "resilience4j",
            Format::Aws => "AWS SDK",
            Format::Polly => "Polly",
            Format::Linkerd => "Linkerd",
            Format::GatewayApi => "Gateway API",
        }
    }

    /// What the reader of it knows: version, or commit of its source.
    #[must_use]
    pub const fn knows(self) -> &'static str {
        match self {
            Format::Envoy => "version 3 of its API, 1.36",
            Format::Istio => "1.30, istio/api b8f8791d",
            Format::Grpc => "gRFC A6, A44",
            Format::Resilience4j => "2.4, af9e7c97",
            Format::Aws => "botocore 1.44.5",
            Format::Polly => "Polly 8, Microsoft.Extensions.Http.Resilience 10",
            Format::Linkerd => "2.19, linkerd2 b24cd405",
            Format::GatewayApi => "1.5, Envoy Gateway 1.9",
        }
    }

    /// What a file of it must have.
    #[must_use]
    pub const fn expects(self) -> &'static str {
        match self {
            Format::Envoy => "a `route` or a `cluster`",
            Format::Istio => "a VirtualService with `http` or a DestinationRule",
            Format::Grpc => "a `methodConfig` with entries",
            Format::Resilience4j => "`instances` below a module of `resilience4j`",
            Format::Aws => "a profile, or variables such as AWS_RETRY_MODE",
            Format::Polly => "a section with `Retry`, `CircuitBreaker`, `AttemptTimeout` …",
            Format::Linkerd => "annotations of *.linkerd.io or a ServiceProfile",
            Format::GatewayApi => "an HTTPRoute with rules or a policy of backend traffic",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.name() == name)
    }
}

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

/// The objects of a list of Kubernetes (`kubectl get -o yaml`), or of lists of them by any name, or
/// the object itself.
pub(super) fn items(value: Value) -> Vec<Value> {
    let is_list = find_text(&value, "kind").is_some_and(|kind| kind.ends_with("List"));
    let is_object =
        |value: &Value| ["apiVersion", "kind"].iter().all(|key| find_text(value, key).is_some());
    let is_of_objects = |value: &Value| match &value.data {
        Data::List(list) => !list.is_empty() && list.iter().all(is_object),
        _ => false,
    };
    let is_plain = !is_object(&value);
    let Value { data, at } = value;
    let Data::Table(mut fields) = data else { return vec![Value { data, at }] };
    let keys: Vec<String> = fields
        .iter()
        .filter(|(key, field)| {
            let is_items = is_list && *key == "items" && matches!(field.value.data, Data::List(_));
            is_items || is_plain && is_of_objects(&field.value)
        })
        .map(|(key, _)| key.clone())
        .collect();
    let mut found = Vec::new();
    for key in &keys {
        if let Some(Value { data: Data::List(list), .. }) =
            fields.shift_remove(key).map(|field| field.value)
        {
            found.extend(list.into_iter().flat_map(items));
        }
    }
    if keys.is_empty() || is_plain && !fields.is_empty() {
        found.push(Value { data: Data::Table(fields), at });
    }
    found
}

/// The text at a key.
pub(super) fn find_text(value: &Value, key: &str) -> Option<String> {
    value.find(&[key.to_owned()]).and_then(|value| text(value).ok())
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

/// The API group of an object of Kubernetes; empty for the core.
pub(super) fn group(value: &Value) -> String {
    let version = find_text(value, "apiVersion").unwrap_or_default();
    version.split_once('/').map_or(String::new(), |(group, _)| group.to_owned())
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

/// The documents of one format and of one of these kinds.
pub(super) fn of_kinds<'a, 'b>(
    documents: &'b [Document<'a>],
    format: Format,
    kinds: &[&str],
) -> Vec<&'b Document<'a>> {
    let has = |document: &&Document<'_>| {
        document.format == Some(format)
            && find_text(document.value, "kind").is_some_and(|own| kinds.contains(&own.as_str()))
    };
    documents.iter().filter(has).collect()
}
