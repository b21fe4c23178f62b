//! AWS SDKs: adaptive and legacy mode.

use super::retried::AWS;
use super::{Label, Preset, Retried, Scope, aws, number, retrying};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::adaptive::Adaptive;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::outcome::OutcomeSet;
use crate::policy::retry::Retry;

const THROTTLING: &str = "PyPI botocore, retries/adaptive.py, bucket.py and throttling.py";
const LEGACY: &str = "PyPI botocore, data/_retry.json and retryhandler.py";
const SMITHY_JS: &str = "npm @smithy/util-retry, DefaultRateLimiter";

/// Legacy mode retries 509 as well: its bandwidth limit.
const LEGACY_RETRIED: OutcomeSet = AWS.or(OutcomeSet::http(&[509]));

/// The presets of this family.
pub(super) static PRESETS: [Preset; 4] = [
    Preset {
        name: "aws-adaptive",
        version: "2.1",
        label: Label::ConformanceTested,
        retried: Retried::Tested("botocore-standard"),
        source: "botocore 1.44.5",
        scope: Scope::Process,
        numbers: &[
            number("retry rule", "as aws-standard 2.1", THROTTLING),
            number("beta", "0.7", THROTTLING),
            number("scale", "0.4", THROTTLING),
            number("smoothing", "0.8", THROTTLING),
            number("least fill rate", "0.5/s", THROTTLING),
            number("first fill rate", "1/s", THROTTLING),
            number("largest growth", "2 times the measured rate", THROTTLING),
        ],
        note: "Delays first attempts too, once anything was throttled: one throttled table slows \
               every call of the client.",
        policy: Policy { adaptive: Some(Adaptive::BOTOCORE), ..aws::STANDARD_2_1 },
    },
    Preset {
        name: "aws-adaptive-js",
        version: "2.1",
        label: Label::ConformanceTested,
        retried: Retried::Tested("smithy-js"),
        source: "@smithy/util-retry 4.6.2",
        scope: Scope::Process,
        numbers: &[
            number("retry rule", "as aws-standard-js 2.1", SMITHY_JS),
            number("first fill rate", "0.5/s, from the first use", SMITHY_JS),
            number("rates", "rounded to eight decimals", SMITHY_JS),
        ],
        note: "The first waits differ from botocore's.",
        policy: Policy { adaptive: Some(Adaptive::JAVASCRIPT), ..aws::STANDARD_JS_2_1 },
    },
    Preset {
        name: "aws-legacy",
        version: "botocore",
        label: Label::ConformanceTested,
        retried: Retried::Tested("botocore-legacy"),
        source: "botocore 1.44.5, legacy mode: the default before 1.44.0",
        scope: Scope::Request,
        numbers: &[
            number("attempts", "5", LEGACY),
            number("delay", "u * 2^(n-1) s", LEGACY),
            number("cap", "none", LEGACY),
            number("quota", "none", LEGACY),
        ],
        note: "No cap and no quota.",
        policy: retrying(
            Retry::new(5, Backoff::exponential(Span::from_secs(1), 2.0).jittered(Jitter::Full))
                .on(LEGACY_RETRIED),
        ),
    },
    Preset {
        name: "aws-legacy-dynamodb",
        version: "botocore",
        label: Label::ConformanceTested,
        retried: Retried::Read("PyPI botocore 1.44.5, data/_retry.json"),
        source: "botocore 1.44.5, legacy mode: the default before 1.44.0",
        scope: Scope::Request,
        numbers: &[
            number("attempts", "10", LEGACY),
            number("delay", "50ms * 2^(n-1)", LEGACY),
            number("jitter", "none", LEGACY),
        ],
        note: "No jitter at all: clients retry in lock-step.",
        policy: retrying(
            Retry::new(10, Backoff::exponential(Span::from_millis(50), 2.0)).on(LEGACY_RETRIED),
        ),
    },
];
