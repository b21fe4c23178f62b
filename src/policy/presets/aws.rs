//! AWS SDKs: standard mode, generations 2.1 and 2.0, as botocore, JavaScript and Rust have it.

use super::retried::AWS;
use super::{Label, Number, Preset, Retried, Scope, number};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::budget::{Budget, Quota, Refill, Refund};
use crate::policy::retry::{HintRule, Retry};

const BOTOCORE: &str = "PyPI botocore, retries/standard.py";
const QUOTA: &str = "PyPI botocore, retries/quota.py and retries/standard.py";
const SMITHY_JS: &str = "npm @smithy/util-retry";
const SMITHY_RS: &str = "crate aws-smithy-runtime, client/retries";

/// Full jitter under an exponential of 2, capped at 20 s before the jitter.
pub(super) const fn full_jitter(base: Span) -> Backoff {
    Backoff::exponential(base, 2.0).capped(Span::from_secs(20)).jittered(Jitter::Full)
}

/// The quota of retries 2.1.
pub(super) const QUOTA_2_1: Quota = Quota {
    capacity: 500,
    cost: 14,
    throttled: 5,
    timed_out: 14,
    refund: Refund::Request,
    refill: Refill::AtMost,
    after_wait: false,
};

/// The quota of retries 2.0 in botocore, Go and .NET.
pub(super) const QUOTA_2_0: Quota = Quota { cost: 5, throttled: 5, timed_out: 10, ..QUOTA_2_1 };

/// The retries 2.1 of any language: 50 ms (25 ms for DynamoDB) and 1 s after throttling.
pub(super) const fn standard_2_1(
    attempts: u32,
    base: Span,
    unit: Option<Span>,
    quota: Quota,
) -> Policy {
    let (series, throttled) = (full_jitter(base), full_jitter(Span::from_secs(1)));
    let (series, throttled) = match unit {
        Some(unit) => (series.truncated_to(unit), throttled.truncated_to(unit)),
        None => (series, throttled),
    };
    let retry = Retry {
        throttled: Some(throttled),
        hint: HintRule::Within(Span::from_secs(5)),
        ..Retry::new(attempts, series).on(AWS)
    };
    Policy { retry: Some(retry), budget: Some(Budget::Quota(quota)), ..Policy::ONCE }
}

/// A retry rule of retries 2.0 with its quota.
pub(super) const fn standard_2_0(retry: Retry, quota: Quota) -> Policy {
    Policy { retry: Some(retry.on(AWS)), budget: Some(Budget::Quota(quota)), ..Policy::ONCE }
}

const NUMBERS_2_1: &[Number] = &[
    number("attempts", "3", BOTOCORE),
    number("base delay, transient", "50ms", BOTOCORE),
    number("base delay, throttling", "1s", BOTOCORE),
    number("cap, before full jitter", "20s", BOTOCORE),
    number("quota capacity", "500", QUOTA),
    number("cost of a retry", "14", QUOTA),
    number("cost of a retry after throttling", "5", QUOTA),
    number("refund of a success", "the last cost, or 1", QUOTA),
    number("server hint", "x-amz-retry-after, within [t, t + 5s]", BOTOCORE),
];

const NUMBERS_DYNAMODB: &[Number] = &[
    number("attempts", "4", BOTOCORE),
    number("base delay, transient", "25ms", BOTOCORE),
    number("base delay, throttling", "1s", BOTOCORE),
    number("cap, before full jitter", "20s", BOTOCORE),
    number("quota capacity", "500", QUOTA),
    number("cost of a retry", "14", QUOTA),
    number("cost of a retry after throttling", "5", QUOTA),
    number("refund of a success", "the last cost, or 1", QUOTA),
    number("server hint", "x-amz-retry-after, within [t, t + 5s]", BOTOCORE),
];

const NUMBERS_2_0: &[Number] = &[
    number("attempts", "3", BOTOCORE),
    number("base delay", "1s", BOTOCORE),
    number("cap, before full jitter", "20s", BOTOCORE),
    number("quota capacity", "500", QUOTA),
    number("cost of a retry", "5", QUOTA),
    number("cost of a retry after a timeout", "10", QUOTA),
    number("refund of a success", "the last cost, or 1", QUOTA),
];

const NUMBERS_JS_2_1: &[Number] = &[
    number("attempts", "3", SMITHY_JS),
    number("base delay, transient", "50ms", SMITHY_JS),
    number("base delay, throttling", "1s", SMITHY_JS),
    number("cap, before full jitter", "20s", SMITHY_JS),
    number("unit of delays", "1ms, truncated", SMITHY_JS),
    number("quota capacity", "500", SMITHY_JS),
    number("cost of a retry", "14", SMITHY_JS),
    number("cost of a retry after throttling", "5", SMITHY_JS),
    number("server hint", "x-amz-retry-after, within [t, t + 5s]", SMITHY_JS),
];

const NUMBERS_JS_2_0: &[Number] = &[
    number("attempts", "3", SMITHY_JS),
    number("base delay, transient", "100ms", SMITHY_JS),
    number("base delay, throttling", "500ms", SMITHY_JS),
    number("cap, after full jitter", "20s", SMITHY_JS),
    number("unit of delays", "1ms, truncated", SMITHY_JS),
    number("quota capacity", "500", SMITHY_JS),
    number("cost of a retry, throttling", "5", SMITHY_JS),
    number("cost of a retry, transient", "10", SMITHY_JS),
    number("server hint", "the longer of both, at most 20s", SMITHY_JS),
];

const NUMBERS_RUST_2_1: &[Number] = &[
    number("attempts", "3", SMITHY_RS),
    number("base delay, transient", "50ms", SMITHY_RS),
    number("base delay, throttling", "1s", SMITHY_RS),
    number("cap, before full jitter", "20s", SMITHY_RS),
    number("quota capacity", "500", SMITHY_RS),
    number("cost of a retry", "14", SMITHY_RS),
    number("cost of a retry after throttling", "5", SMITHY_RS),
    number("refund of a success", "what the one slot of the client holds, or 1", SMITHY_RS),
    number("server hint", "x-amz-retry-after, within [t, t + 5s]", SMITHY_RS),
];

const NUMBERS_RUST_2_0: &[Number] = &[
    number("attempts", "3", SMITHY_RS),
    number("base delay", "1s", SMITHY_RS),
    number("cap, before full jitter", "20s", SMITHY_RS),
    number("quota capacity", "500", SMITHY_RS),
    number("cost of a retry, throttling and server errors", "5", SMITHY_RS),
    number("cost of a retry, transient", "10", SMITHY_RS),
    number("refund of a success", "what the one slot of the client holds, or 1", SMITHY_RS),
    number("server hint", "exactly, at most 20s", SMITHY_RS),
];

const BASE_2_1: Span = Span::from_millis(50);
const MILLISECOND: Span = Span::from_millis(1);

/// The retry rule of JavaScript 2.0.
pub(super) const JS_2_0: Retry = Retry {
    throttled: Some(
        Backoff::exponential(Span::from_millis(500), 2.0)
            .jittered(Jitter::Full)
            .truncated_to(MILLISECOND)
            .capped_after_jitter(Span::from_secs(20)),
    ),
    hint: HintRule::AtLeast { limit: Span::from_secs(20) },
    ..Retry::new(
        3,
        Backoff::exponential(Span::from_millis(100), 2.0)
            .jittered(Jitter::Full)
            .truncated_to(MILLISECOND)
            .capped_after_jitter(Span::from_secs(20)),
    )
};

/// botocore 2.1, to which adaptive mode adds its limiter.
pub(super) const STANDARD_2_1: Policy = standard_2_1(3, BASE_2_1, None, QUOTA_2_1);
/// botocore 2.0, to which adaptive mode adds its limiter.
pub(super) const STANDARD_2_0: Policy =
    standard_2_0(Retry::new(3, full_jitter(Span::from_secs(1))), QUOTA_2_0);
/// JavaScript 2.1, to which adaptive mode adds its limiter.
pub(super) const STANDARD_JS_2_1: Policy = standard_2_1(3, BASE_2_1, Some(MILLISECOND), QUOTA_2_1);

/// The presets of this family.
pub(super) static PRESETS: [Preset; 7] = [
    Preset {
        name: "aws-standard",
        version: "2.1",
        label: Label::ConformanceTested,
        retried: Retried::Tested("botocore-standard"),
        source: "botocore 1.44.5",
        scope: Scope::Process,
        numbers: NUMBERS_2_1,
        note: "The quota belongs to a client object; a process with many clients has many quotas.",
        policy: STANDARD_2_1,
    },
    Preset {
        name: "aws-standard",
        version: "2.0",
        label: Label::ConformanceTested,
        retried: Retried::Tested("botocore-standard-2.0"),
        source: "botocore 1.35.0",
        scope: Scope::Process,
        numbers: NUMBERS_2_0,
        note: "Only a connect or read timeout costs 10. A bare HTTP 429 is not retried; `throttled` \
               stands for one with an error code of AWS, which is.",
        policy: STANDARD_2_0,
    },
    Preset {
        name: "aws-standard-dynamodb",
        version: "2.1",
        label: Label::ConformanceTested,
        retried: Retried::Tested("botocore-standard"),
        source: "botocore 1.44.5",
        scope: Scope::Process,
        numbers: NUMBERS_DYNAMODB,
        note: "DynamoDB and DynamoDB Streams have one attempt more and half the base delay.",
        policy: standard_2_1(4, Span::from_millis(25), None, QUOTA_2_1),
    },
    Preset {
        name: "aws-standard-js",
        version: "2.1",
        label: Label::ConformanceTested,
        retried: Retried::Tested("smithy-js"),
        source: "@smithy/util-retry 4.6.2",
        scope: Scope::Process,
        numbers: NUMBERS_JS_2_1,
        note: "Delays are whole milliseconds.",
        policy: STANDARD_JS_2_1,
    },
    Preset {
        name: "aws-standard-js",
        version: "2.0",
        label: Label::ConformanceTested,
        retried: Retried::Read("npm @smithy/service-error-classification, constants"),
        source: "@smithy/util-retry 4.2.0",
        scope: Scope::Process,
        numbers: NUMBERS_JS_2_0,
        note: "Any success refills the quota and it grows past its capacity: there is no working \
               quota. Every transient error costs 10, not only timeouts.",
        policy: standard_2_0(JS_2_0, Quota { cost: 10, refill: Refill::AtLeast, ..QUOTA_2_0 }),
    },
    Preset {
        name: "aws-standard-rust",
        version: "2.1",
        label: Label::ConformanceTested,
        retried: Retried::Read("crate aws-smithy-runtime 1.16.2, client/retries/classifiers.rs"),
        source: "aws-smithy-runtime 1.16.2",
        scope: Scope::Process,
        numbers: NUMBERS_RUST_2_1,
        note: "One permit slot for the whole client: concurrent retries lose permits for good.",
        policy: standard_2_1(3, BASE_2_1, None, Quota { refund: Refund::SharedSlot, ..QUOTA_2_1 }),
    },
    Preset {
        name: "aws-standard-rust",
        version: "2.0",
        label: Label::ConformanceTested,
        retried: Retried::Read("crate aws-smithy-runtime 1.16.2, client/retries/classifiers.rs"),
        source: "aws-smithy-runtime 1.16.2",
        scope: Scope::Process,
        numbers: NUMBERS_RUST_2_0,
        note: "One permit slot for the whole client. Every transient error costs 10, not only \
               timeouts.",
        policy: standard_2_0(
            Retry {
                hint: HintRule::Instead { limit: Span::from_secs(20) },
                ..Retry::new(3, full_jitter(Span::from_secs(1)))
            },
            Quota { cost: 10, refund: Refund::SharedSlot, ..QUOTA_2_0 },
        ),
    },
];
