//! Which format a file has, by what is in it.

use super::Document;
use super::quantity::text;
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

/// The documents of a file, each with a name for its fields.
pub(super) fn documents(values: &[Value]) -> Vec<Document<'_>> {
    let mut documents: Vec<Document<'_>> = Vec::new();
    for value in values {
        let kind = find_text(value, "kind").unwrap_or_else(|| "document".to_owned());
        let twins =
            documents.iter().filter(|other| other.path.split('#').next() == Some(kind.as_str()));
        let path = match (values.len(), twins.count()) {
            (1, _) => String::new(),
            (_, 0) => kind,
            (_, twins) => format!("{kind}#{}", twins + 1),
        };
        documents.push(Document { path, value });
    }
    documents
}

/// The objects of a list of Kubernetes (`kubectl get -o yaml`), or the object itself.
pub(super) fn items(value: Value) -> Vec<Value> {
    let is_list = find_text(&value, "kind").is_some_and(|kind| kind.ends_with("List"));
    match value.data {
        Data::Table(mut fields) if is_list && fields.contains_key("items") => {
            match fields.swap_remove("items").map(|field| field.value) {
                Some(Value { data: Data::List(list), .. }) => {
                    list.into_iter().flat_map(items).collect()
                }
                other => other.into_iter().collect(),
            }
        }
        data => vec![Value { data, at: value.at }],
    }
}

/// The text at a key.
pub(super) fn find_text(value: &Value, key: &str) -> Option<String> {
    value.find(&[key.to_owned()]).and_then(|value| text(value).ok())
}

/// The one format that the documents have.
pub(super) fn recognise(values: &[Value]) -> Result<Format, Problem> {
    let mut found: Vec<Format> = Vec::new();
    for format in values.iter().filter_map(of_one) {
        if !found.contains(&format) {
            found.push(format);
        }
    }
    // Linkerd reads the routes of the Gateway API.
    if found.contains(&Format::Linkerd) {
        found.retain(|&format| format != Format::GatewayApi);
    }
    match *found.as_slice() {
        [format] => Ok(format),
        [] => Err(unrecognised(values)),
        [one, other, ..] => {
            let message = format!("this file has both {} and {}", one.title(), other.title());
            Err(Problem::new(message).expected("one format in a file, or --format to choose"))
        }
    }
}

fn unrecognised(values: &[Value]) -> Problem {
    let version = values.iter().find_map(|value| find_text(value, "apiVersion"));
    let names = Format::ALL.map(Format::name).join(", ");
    let expected = format!("one of: {names}; --format names it");
    match version {
        Some(version) if version.starts_with("autoscaling/") || version.starts_with("keda.") => {
            Problem::new("this sets how many instances run, not how they are called")
                .expected(expected)
        }
        _ => Problem::new("this is no configuration that can be read").expected(expected),
    }
}

fn of_one(value: &Value) -> Option<Format> {
    let Data::Table(fields) = &value.data else { return None };
    let has = |key: &str| fields.contains_key(key);
    if has("apiVersion") && has("kind") {
        return of_kubernetes(value);
    }
    if fields.keys().any(|key| key == "resilience4j" || key.starts_with("resilience4j.")) {
        return Some(Format::Resilience4j);
    }
    if ["methodConfig", "retryThrottling", "loadBalancingConfig"].into_iter().any(has) {
        return Some(Format::Grpc);
    }
    let is_profile = |key: &str| key == "default" || key.starts_with("profile ");
    let is_aws = |key: &String| {
        is_profile(key) || key.starts_with("AWS_") || key == "retry_mode" || key == "max_attempts"
    };
    if fields.keys().any(is_aws) {
        return Some(Format::Aws);
    }
    let mut is_envoy =
        ["static_resources", "virtual_hosts", "virtualHosts", "clusters"].into_iter().any(has);
    is_envoy |= ["route", "cluster", "routes"].into_iter().any(|key| {
        matches!(
            fields.get(key).map(|field| &field.value.data),
            Some(Data::Table(_) | Data::List(_))
        )
    });
    if is_envoy {
        return Some(Format::Envoy);
    }
    super::polly::has_section(value).then_some(Format::Polly)
}

fn of_kubernetes(value: &Value) -> Option<Format> {
    let version = find_text(value, "apiVersion").unwrap_or_default();
    let annotations = value.find(&["metadata".to_owned(), "annotations".to_owned()]);
    let is_linkerd = |key: &String| key.contains(".linkerd.io/");
    let annotated = match annotations.map(|value| &value.data) {
        Some(Data::Table(annotations)) => annotations.keys().any(is_linkerd),
        _ => false,
    };
    let group = version.split('/').next().unwrap_or_default();
    if annotated || group == "linkerd.io" || group == "policy.linkerd.io" {
        return Some(Format::Linkerd);
    }
    match group {
        "networking.istio.io" => Some(Format::Istio),
        "gateway.networking.k8s.io" | "gateway.networking.x-k8s.io" | "gateway.envoyproxy.io" => {
            Some(Format::GatewayApi)
        }
        _ => None,
    }
}
