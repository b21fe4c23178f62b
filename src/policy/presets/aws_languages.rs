//! AWS SDKs: what other languages, other versions and long polls do.

use super::aws::{JS_2_0, QUOTA_2_0, QUOTA_2_1, full_jitter, standard_2_0, standard_2_1};
use super::retried::AWS;
use super::{Label, Number, Preset, Retried, Scope, aws, number, retrying};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::adaptive::Adaptive;
use crate::policy::backoff::Backoff;
use crate::policy::budget::Quota;
use crate::policy::retry::Retry;

const TABLES: &str = "announcement \"updated retry behavior\": aws/aws-sdk-java-v2#6987, \
                      aws-sdk-net#4411, aws-sdk-go-v2#3416";
const SMITHY_JS: &str = "npm @smithy/util-retry 4.3.8";
const BOTOCORE: &str = "PyPI botocore, retries/standard.py";
const CPP: &str = "aws/aws-sdk-cpp, client/DefaultRetryStrategy.cpp; aws-sdk-cpp#3832";
const ADAPTIVE: &str = "PyPI botocore, retries/adaptive.py, bucket.py and throttling.py";
const GUESS: &str = "not in the tables: as in botocore";

/// The numbers of standard mode 2.0 with this base delay.
const NUMBERS_2_0: &[Number] = &[
    number("attempts", "3", TABLES),
    number("base delay", "1s", TABLES),
    number("cap, before full jitter", "20s", TABLES),
    number("quota capacity", "500", TABLES),
    number("cost of a retry", "5", TABLES),
    number("cost of a retry after a timeout", "10", TABLES),
    number("refund of a success", "the last cost, or 1", GUESS),
];

/// The presets of this family.
pub(super) static PRESETS: [Preset; 9] = [
    Preset {
        name: "aws-standard-js",
        version: "2.0-4.3.8",
        label: Label::SourceDerived,
        retried: Retried::Read("npm @smithy/service-error-classification, constants"),
        source: "@smithy/util-retry 4.3.8",
        scope: Scope::Process,
        numbers: &[
            number("attempts", "3", SMITHY_JS),
            number("base delay, transient", "100ms", SMITHY_JS),
            number("base delay, throttling", "500ms", SMITHY_JS),
            number("cap, after full jitter", "20s", SMITHY_JS),
            number("quota capacity", "500, never more", SMITHY_JS),
            number("cost of a retry, throttling", "5", SMITHY_JS),
            number("cost of a retry, transient", "10", SMITHY_JS),
        ],
        note: "As 2.0 with its defect mended: a success refills the quota up to its capacity.",
        policy: standard_2_0(JS_2_0, Quota { cost: 10, ..QUOTA_2_0 }),
    },
    Preset {
        name: "aws-standard-js-dynamodb",
        version: "2.1",
        label: Label::SourceDerived,
        retried: Retried::Tested("smithy-js"),
        source: "@smithy/util-retry 4.6.2 and the table of retries 2.1",
        scope: Scope::Process,
        numbers: &[
            number("attempts", "4", "AWS retries 2.1, table of settings"),
            number("base delay, transient", "25ms", "AWS retries 2.1, table of settings"),
            number("base delay, throttling", "1s", "npm @smithy/util-retry"),
            number("cap, before full jitter", "20s", "npm @smithy/util-retry"),
            number("unit of delays", "1ms, truncated", "npm @smithy/util-retry"),
            number("quota", "500; 14 a retry, 5 after throttling", "npm @smithy/util-retry"),
        ],
        note: "DynamoDB and DynamoDB Streams from JavaScript.",
        policy: standard_2_1(4, Span::from_millis(25), Some(Span::from_millis(1)), QUOTA_2_1),
    },
    Preset {
        name: "aws-standard-long-poll",
        version: "2.1",
        label: Label::SourceDerived,
        retried: Retried::Tested("botocore-standard"),
        source: "AWS retries 2.1, table of settings",
        scope: Scope::Process,
        numbers: &[
            number("retry rule and quota", "as aws-standard 2.1", BOTOCORE),
            number(
                "empty quota",
                "sleeps the back-off, then fails",
                "AWS retries 2.1, table of settings",
            ),
        ],
        note: "SQS ReceiveMessage, SFN GetActivityTask, SWF Poll*: whoever polls in a loop would \
               ask again at once. In 2.0 they fail at once, as everything else.",
        policy: standard_2_1(
            3,
            Span::from_millis(50),
            None,
            Quota { after_wait: true, ..QUOTA_2_1 },
        ),
    },
    Preset {
        name: "aws-standard-go",
        version: "2.0",
        label: Label::SourceDerived,
        retried: Retried::Read(
            "AWS SDKs and Tools Reference Guide, retry behavior: the same errors in all SDKs",
        ),
        source: "aws-sdk-go-v2 before retries 2.1",
        scope: Scope::Process,
        numbers: NUMBERS_2_0,
        note: "Only timeouts cost 10.",
        policy: standard_2_0(Retry::new(3, full_jitter(Span::from_secs(1))), QUOTA_2_0),
    },
    Preset {
        name: "aws-standard-dotnet",
        version: "2.0",
        label: Label::SourceDerived,
        retried: Retried::Read(
            "AWS SDKs and Tools Reference Guide, retry behavior: the same errors in all SDKs",
        ),
        source: "aws-sdk-net before retries 2.1",
        scope: Scope::Process,
        numbers: NUMBERS_2_0,
        note: "Only timeouts cost 10.",
        policy: standard_2_0(Retry::new(3, full_jitter(Span::from_secs(1))), QUOTA_2_0),
    },
    Preset {
        name: "aws-standard-java",
        version: "2.0",
        label: Label::SourceDerived,
        retried: Retried::Read(
            "AWS SDKs and Tools Reference Guide, retry behavior: the same errors in all SDKs",
        ),
        source: "aws-sdk-java-v2 before retries 2.1",
        scope: Scope::Process,
        numbers: &[
            number("attempts", "3", TABLES),
            number("base delay, transient", "100ms", TABLES),
            number("base delay, throttling", "500ms", TABLES),
            number("cap, before full jitter", "20s", TABLES),
            number("quota capacity", "500", TABLES),
            number("cost of a retry", "5", TABLES),
            number("cost of a retry after a timeout", "10", GUESS),
        ],
        note: "The delays are those of JavaScript, ten times shorter than botocore's.",
        policy: standard_2_0(
            Retry {
                throttled: Some(full_jitter(Span::from_millis(500))),
                ..Retry::new(3, full_jitter(Span::from_millis(100)))
            },
            QUOTA_2_0,
        ),
    },
    Preset {
        name: "aws-adaptive",
        version: "2.0",
        label: Label::ConformanceTested,
        retried: Retried::Tested("botocore-standard-2.0"),
        source: "botocore 1.35.0",
        scope: Scope::Process,
        numbers: &[
            number("retry rule", "as aws-standard 2.0", BOTOCORE),
            number("beta", "0.7", ADAPTIVE),
            number("scale", "0.4", ADAPTIVE),
            number("smoothing", "0.8", ADAPTIVE),
            number("least fill rate", "0.5/s", ADAPTIVE),
            number("first fill rate", "1/s", ADAPTIVE),
            number("largest growth", "2 times the measured rate", ADAPTIVE),
        ],
        note: "Standard mode 2.0 with the same limiter as 2.1.",
        policy: Policy { adaptive: Some(Adaptive::BOTOCORE), ..aws::STANDARD_2_0 },
    },
    Preset {
        name: "aws-legacy",
        version: "java",
        label: Label::SourceDerived,
        retried: Retried::Read(
            "AWS SDKs and Tools Reference Guide, retry behavior: the same errors in all SDKs",
        ),
        source: "aws-sdk-java-v2, legacy mode",
        scope: Scope::Request,
        numbers: &[
            number("attempts", "4", TABLES),
            number("base delay, transient", "100ms", TABLES),
            number("base delay, throttling", "500ms", TABLES),
            number("cap", "20s", GUESS),
            number("jitter", "full", GUESS),
        ],
        note: "Java has a quota in legacy mode too; its costs are not published, so there is none \
               here.",
        policy: retrying(Retry {
            throttled: Some(full_jitter(Span::from_millis(500))),
            ..Retry::new(4, full_jitter(Span::from_millis(100))).on(AWS)
        }),
    },
    Preset {
        name: "aws-legacy",
        version: "cpp",
        label: Label::SourceDerived,
        retried: Retried::Read(
            "AWS SDKs and Tools Reference Guide, retry behavior: the same errors in all SDKs",
        ),
        source: "aws-sdk-cpp, DefaultRetryStrategy",
        scope: Scope::Request,
        numbers: &[
            number("attempts", "11", CPP),
            number("first retry", "at once", CPP),
            number("delay", "25ms * 2^(n-1)", CPP),
            number("jitter", "none", CPP),
            number("quota", "none", CPP),
        ],
        note: "No jitter, no cap and no quota: clients retry in lock-step, the tenth after 12.8 s.",
        policy: retrying(
            Retry::new(
                11,
                Backoff { first_at_once: true, ..Backoff::exponential(Span::from_millis(25), 2.0) },
            )
            .on(AWS),
        ),
    },
];
