//! The text that means a breaker.

use super::backoff;
use super::breaker::{
    BreakerText, ComparisonText, InitialText, OnCloseText, ProofText, RotationText, UnheardText,
};
use super::keys::{Table, count_text};
use super::limits;
use super::outcomes::{Patience, list};
use crate::model::quantity::Share;
use crate::policy::breaker::{
    Breaker, Comparison, Initial, OnClose, Proof, Rotation, Slow, Trip, Unheard, Window,
};

/// The text that means this breaker.
pub(super) fn text_of(breaker: &Breaker) -> BreakerText {
    rule_of(&breaker.trip).over(rest_of(breaker))
}

/// The text of a rule for opening.
pub(super) fn rule_of(trip: &Trip) -> BreakerText {
    let nothing = BreakerText::default();
    match *trip {
        Trip::Consecutive { failures } => BreakerText { consecutive: Some(failures), ..nothing },
        Trip::SuccessRate { least, minimum, window } => BreakerText {
            success_rate: Some(Share(least)),
            minimum: Some(minimum),
            window: Some(window),
            ..nothing
        },
        Trip::Either { failures, least, minimum, window } => BreakerText {
            consecutive: Some(failures),
            success_rate: Some(Share(least)),
            minimum: Some(minimum),
            window: Some(window),
            ..nothing
        },
        Trip::Ratio {
            window,
            minimum,
            ratio,
            comparison,
            on_success,
            slow,
            every,
            consecutive,
        } => {
            let (span, calls, buckets, rotation) = match window {
                Window::Calls(calls) => (None, Some(calls), None, None),
                Window::Time { span, buckets, rotation } => {
                    (Some(span), None, Some(buckets), Some(rotation_of(rotation)))
                }
            };
            BreakerText {
                failure_ratio: Some(Share(ratio)),
                window: span,
                window_calls: calls,
                buckets,
                rotation,
                minimum: Some(minimum),
                comparison: Some(match comparison {
                    Comparison::AtLeast => ComparisonText::AtLeast,
                    Comparison::Above => ComparisonText::Above,
                    Comparison::AboveProduct => ComparisonText::AboveProduct,
                    Comparison::AbovePercent => ComparisonText::AbovePercent,
                }),
                on_success: Some(on_success),
                slow_call: slow.map(|Slow { longer_than, .. }| longer_than),
                slow_ratio: slow.map(|Slow { ratio, .. }| Share(ratio)),
                every,
                consecutive,
                ..nothing
            }
        }
    }
}

fn rotation_of(rotation: Rotation) -> RotationText {
    match rotation {
        Rotation::WithTraffic => RotationText::WithTraffic,
        Rotation::Aligned => RotationText::Aligned,
        Rotation::OnePerCall => RotationText::OnePerCall,
        Rotation::Shifting => RotationText::Shifting,
    }
}

/// The text of everything but the rule for opening.
pub(super) fn rest_of(breaker: &Breaker) -> BreakerText {
    BreakerText {
        failures: Some(list(breaker.failures)),
        soft: Some(list(breaker.soft)),
        ignored: Some(list(breaker.ignored)),
        open_for: Some(backoff::text_of(&breaker.open_for)),
        strictly_after: Some(breaker.strictly_after),
        by_timer: Some(breaker.by_timer),
        probes: Some(count_text(breaker.probes.limit)),
        probes_at_once: Some(breaker.probes.at_once),
        probes_queue: Some(breaker.probes.queue),
        half_open_for: breaker.half_open_for.map(Patience),
        proof: Some(match breaker.probes.proof {
            Proof::Nothing => ProofText::Nothing,
            Proof::Successes(successes) => ProofText::Successes(successes),
            Proof::Ratio { calls, ratio } => ProofText::Ratio { calls, ratio: Share(ratio) },
        }),
        unheard: Some(match breaker.unheard {
            Unheard::Frees => UnheardText::Frees,
            Unheard::Closes => UnheardText::Closes,
            Unheard::Holds => UnheardText::Holds,
        }),
        hears_late: Some(breaker.hears_late),
        hears_replies_after_timeout: Some(breaker.hears_replies_after_timeout),
        on_close: Some(match breaker.on_close {
            OnClose::Forgets => OnCloseText::Forgets,
            OnClose::KeepsProbe => OnCloseText::KeepsProbe,
            OnClose::KeepsAll => OnCloseText::KeepsAll,
        }),
        counts_at_start: Some(breaker.counts_at_start),
        around: Some(limits::around_text(breaker.around)),
        initial: Some(match breaker.initial {
            Initial::Closed => InitialText::Closed,
            Initial::Open => InitialText::Open,
            Initial::HalfOpen => InitialText::HalfOpen,
            Initial::ForcedOpen => InitialText::ForcedOpen,
        }),
        ..BreakerText::default()
    }
}
