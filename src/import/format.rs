//! The formats that can be read.

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
    pub fn find(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.name() == name)
    }
}
