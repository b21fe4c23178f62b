//! Ejection of hosts, and limits of concurrency that are learned.

use super::{Label, Preset, Retried, Scope, number};
use crate::policy::Policy;
use crate::policy::limit::Limit;
use crate::policy::outlier::Outlier;

const OUTLIER: &str = "envoyproxy/data-plane-api, envoy/config/cluster/v3/outlier_detection.proto";
const PANIC: &str = "envoyproxy/data-plane-api, cluster.proto healthy_panic_threshold";
const ISTIO: &str = "istio/api, networking/v1alpha3/destination_rule.proto";
const A50: &str = "grpc/proposal, A50-xds-outlier-detection.md";
const NETFLIX: &str = "Netflix/concurrency-limits, builders of the limits";

/// The presets of this family.
pub(super) static PRESETS: [Preset; 7] = [
    Preset {
        name: "envoy-outlier-detection",
        version: "since-1.31",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "envoyproxy/envoy outlier_detection_impl.cc",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("failures in a row", "5", OUTLIER),
            number(
                "success rate",
                "below the mean less 1.9 deviations, 5 hosts with 100 calls",
                OUTLIER,
            ),
            number("interval", "10s", OUTLIER),
            number("ejection", "30s times the number of ejections, at most 300s", OUTLIER),
            number("ejected at most", "10%", OUTLIER),
            number("panic", "below 50% healthy", PANIC),
        ],
        note: "The share counts the host that is about to go: clusters of fewer than ten hosts never eject.",
        policy: Policy { outlier: Some(Outlier::ENVOY), ..Policy::ONCE },
    },
    Preset {
        name: "envoy-outlier-detection",
        version: "before-1.31",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "envoyproxy/envoy outlier_detection_impl.cc",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("failures in a row", "5", OUTLIER),
            number(
                "success rate",
                "below the mean less 1.9 deviations, 5 hosts with 100 calls",
                OUTLIER,
            ),
            number("interval", "10s", OUTLIER),
            number("ejection", "30s times the number of ejections, at most 300s", OUTLIER),
            number("ejected at most", "10%", OUTLIER),
            number("panic", "below 50% healthy", PANIC),
        ],
        note: "The first host always goes.",
        policy: Policy {
            outlier: Some(Outlier { counts_itself: false, ..Outlier::ENVOY }),
            ..Policy::ONCE
        },
    },
    Preset {
        name: "istio-outlier-detection",
        version: "default",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "istio/api destination_rule.proto",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("failures in a row", "5", ISTIO),
            number("interval", "10s", ISTIO),
            number("ejection", "30s times the number of ejections", ISTIO),
            number("ejected at most", "10%", ISTIO),
            number("panic", "off", ISTIO),
        ],
        note: "minHealthPercent is 0: there is no panic.",
        policy: Policy { outlier: Some(Outlier::ISTIO), ..Policy::ONCE },
    },
    Preset {
        name: "grpc-outlier-detection",
        version: "A50",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "grpc/proposal A50-xds-outlier-detection.md",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number(
                "success rate",
                "below the mean less 1.9 deviations, 5 hosts with 100 calls",
                A50,
            ),
            number("failure share", "85%, 5 hosts with 50 calls", A50),
            number("interval", "10s", A50),
            number("ejected at most", "10%, but always one", A50),
        ],
        note: "At least one host may always be ejected.",
        policy: Policy { outlier: Some(Outlier::GRPC), ..Policy::ONCE },
    },
    Preset {
        name: "concurrency-limits-aimd",
        version: "78a74b98",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "Netflix/concurrency-limits AIMDLimit.java at commit 78a74b98",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("first limit", "20", NETFLIX),
            number("limits", "20 to 200", NETFLIX),
            number("back-off", "0.9", NETFLIX),
            number("timeout", "5s", NETFLIX),
        ],
        note: "Grows by one while at least half of it is used.",
        policy: Policy { limit: Some(Limit::AIMD), ..Policy::ONCE },
    },
    Preset {
        name: "concurrency-limits-vegas",
        version: "78a74b98",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "Netflix/concurrency-limits VegasLimit.java at commit 78a74b98",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("first limit", "20", NETFLIX),
            number("largest limit", "1000", NETFLIX),
            number("alpha, beta, threshold", "3, 6 and 1 times log10 of the limit", NETFLIX),
            number("probe", "after 30 times the limit, times 0.5 to 1", NETFLIX),
        ],
        note: "Under a load that never lets up each probe takes the queue for the least latency, and the limit creeps up.",
        policy: Policy { limit: Some(Limit::VEGAS), ..Policy::ONCE },
    },
    Preset {
        name: "concurrency-limits-gradient2",
        version: "78a74b98",
        label: Label::SourceDerived,
        retried: Retried::Nothing,
        source: "Netflix/concurrency-limits Gradient2Limit.java at commit 78a74b98",
        scope: Scope::ProcessAndTarget,
        numbers: &[
            number("first limit", "20", NETFLIX),
            number("limits", "20 to 200", NETFLIX),
            number("smoothing", "0.2", NETFLIX),
            number("tolerance", "1.5", NETFLIX),
            number("queue", "4", NETFLIX),
            number("long window", "600 samples", NETFLIX),
        ],
        note: "Drifts up slowly behind a backend that stays slow.",
        policy: Policy { limit: Some(Limit::GRADIENT2), ..Policy::ONCE },
    },
];
