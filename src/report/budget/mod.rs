//! What a budget comes to: the answer, a table for the terminal, a page, CSV, JSON and a picture.

mod answer;
mod figure;
mod tables;

use serde_json::{Map, Value, json};

use super::columns::{self, Column};
use super::escape;
use super::format::{FORMAT, pretty};
use super::number::{self, Unit};
use super::price::assumed_text;
use super::table::Table;
use crate::experiment::budget::Arm;
use crate::experiment::budget::found::{Asked, Found};
use crate::experiment::budget::language::BudgetText;
use crate::experiment::price::Prices;
use crate::kernel::digest::{Digest, digest_of};
use crate::kernel::time::Span;
use crate::metric::Objective;
use crate::statistics::CONFIDENCE;
use crate::statistics::interval::Estimate;
use crate::system::trace::TRACE;

/// Everything that is told of a budget.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The file.
    pub text: &'a BudgetText,
    pub asked: &'a Asked,
    pub objective: &'a Objective,
    /// The prices; `None` without.
    pub prices: Option<&'a Prices>,
    /// The arms, and what each comes to.
    pub arms: &'a [Arm],
    /// See `arms`.
    pub found: &'a [Found],
    /// How many runs that rests on.
    pub runs: u64,
    /// The digest of all of them.
    pub digest: Digest,
}

impl Report<'_> {
    /// What a window is called: a month, if it is one.
    fn window(&self) -> String {
        match self.asked.days {
            30 => "month".to_owned(),
            days => format!("window of {days} days"),
        }
    }

    /// "99.9% of orders over 30 days".
    fn promised(&self) -> String {
        let Objective { label, target, .. } = self.objective;
        let days = number::several(u64::from(self.asked.days), "day");
        format!("{} of {label} over {days}", number::number(*target, Unit::Percent))
    }

    /// Of an arm and a kind of incident, in how many of how many runs nothing had recovered.
    fn unrecovered(&self) -> Vec<(&str, &str, u64, usize)> {
        let mut found = Vec::new();
        for arm in self.arms {
            for (kind, count) in self.asked.kinds.iter().zip(&arm.unrecovered) {
                if *count > 0 {
                    let runs = arm.spent.calm.len();
                    found.push((arm.label.as_str(), kind.label.as_str(), *count, runs));
                }
            }
        }
        found
    }

    /// `budget.md`.
    pub fn markdown(&self) -> String {
        let mut parts = vec![format!("# {}\n", escape::markdown_note(self.text.called()))];
        parts.extend(self.answer().iter().map(|it| escape::markdown_note(it) + "\n"));
        parts.extend(self.tables().iter().map(Table::markdown));
        parts.extend(self.notes().iter().map(|it| escape::markdown_note(it) + "\n"));
        parts.join("\n")
    }

    /// `budget.csv`: a row for each arm and kind of incident, and for its calm days and all of it.
    pub fn csv(&self) -> String {
        struct Line<'l> {
            arm: &'l Arm,
            incident: &'l str,
            per_month: Option<f64>,
            each: Option<Estimate>,
            budget: Estimate,
            share: Option<Estimate>,
            unrecovered: u64,
            unfinished: u64,
        }
        let mut lines = Vec::new();
        for (arm, found) in self.arms.iter().zip(self.found) {
            for (place, kind) in self.asked.kinds.iter().enumerate() {
                lines.push(Line {
                    arm,
                    incident: &kind.name,
                    per_month: Some(kind.per_month),
                    each: Some(found.each[place]),
                    budget: found.kinds[place],
                    share: Some(found.shares[place]),
                    unrecovered: arm.unrecovered[place],
                    unfinished: arm.unfinished[place],
                });
            }
            let whole = |incident, budget, share| Line {
                arm,
                incident,
                per_month: None,
                each: None,
                budget,
                share,
                unrecovered: 0,
                unfinished: 0,
            };
            lines.push(whole("calm", found.calm, found.shares.last().copied()));
            lines.push(whole("all", found.all, None));
        }
        let number = |name: &str, of: &dyn Fn(&Line<'_>) -> Option<f64>| {
            Column::number(name, lines.iter().map(of))
        };
        let count =
            |name: &str, of: &dyn Fn(&Line<'_>) -> u64| Column::count(name, lines.iter().map(of));
        columns::csv(&[
            Column::text("arm", lines.iter().map(|line| line.arm.name.clone())),
            Column::text("incident", lines.iter().map(|line| line.incident.to_owned())),
            number("per_month", &|line| line.per_month),
            number("each", &|line| Some(line.each?.mean)),
            number("each_low", &|line| Some(line.each?.interval.low)),
            number("each_high", &|line| Some(line.each?.interval.high)),
            number("budget", &|line| Some(line.budget.mean)),
            number("budget_low", &|line| Some(line.budget.interval.low)),
            number("budget_high", &|line| Some(line.budget.interval.high)),
            number("share", &|line| Some(line.share?.mean)),
            number("share_low", &|line| Some(line.share?.interval.low)),
            number("share_high", &|line| Some(line.share?.interval.high)),
            count("unrecovered", &|line| line.unrecovered),
            count("unfinished", &|line| line.unfinished),
        ])
    }

    pub fn summary_json(&self) -> String {
        let arms = self.arms.iter().zip(self.found).map(|(arm, found)| self.arm_json(arm, found));
        let assumed = self.prices.map(Prices::assumed);
        pretty(&json!({
            "format": FORMAT,
            "budget": self.text.name,
            "question": self.text.question,
            "answer": self.answer(),
            "objective": self.objective.name,
            "target": self.objective.target,
            "window_s": self.objective.window.seconds(),
            "windows": self.asked.windows,
            "calendar_seed": self.asked.seed.to_string(),
            "confidence": CONFIDENCE,
            "runs": self.runs,
            "currency": self.prices.map(|prices| &prices.currency),
            "assumed": assumed,
            "arms": arms.collect::<Vec<_>>(),
            "notes": self.notes(),
        }))
    }

    fn arm_json(&self, arm: &Arm, found: &Found) -> Value {
        let incidents = self.asked.kinds.iter().enumerate().map(|(place, kind)| {
            json!({
                "incident": kind.name,
                "label": kind.label,
                "per_month": kind.per_month,
                "change": kind.is_change,
                "each": estimate(found.each[place]),
                "budget": estimate(found.kinds[place]),
                "share": estimate(found.shares[place]),
                "unrecovered": arm.unrecovered[place],
                "unfinished": arm.unfinished[place],
            })
        });
        let policy = found.policy.map(|[frozen, post_mortems]| {
            json!({ "frozen_days": estimate(frozen), "post_mortems": estimate(post_mortems) })
        });
        json!({
            "arm": arm.name,
            "label": arm.label,
            "incidents": incidents.collect::<Vec<_>>(),
            "calm": estimate(found.calm),
            "all": estimate(found.all),
            "over": estimate(found.over),
            "median": found.quantiles[0],
            "p95": found.quantiles[1],
            "bought_back": estimate(found.bought),
            "cost": found.cost.map(estimate),
            "dearer_by": found.dearer.map(estimate),
            "policy": policy,
        })
    }

    /// `manifest.json`: what it was made of.
    pub fn manifest_json(&self, files: &[(String, String)]) -> String {
        let digests = files
            .iter()
            .map(|(name, text)| json!({ "name": name, "digest": digest_of(text).to_string() }));
        let mut manifest = Map::new();
        manifest.insert("format".to_owned(), json!(FORMAT));
        manifest.insert("trace".to_owned(), json!(TRACE));
        manifest.insert("stormglass".to_owned(), json!(env!("CARGO_PKG_VERSION")));
        manifest.insert("budget".to_owned(), json!(self.text.name));
        manifest.insert("files".to_owned(), Value::Array(digests.collect()));
        manifest.insert("runs".to_owned(), json!(self.runs));
        manifest.insert("digest".to_owned(), json!(self.digest.to_string()));
        pretty(&Value::Object(manifest))
    }

    /// What stands below every answer: what it rests on, and what a coarse calendar cannot see.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = vec![format!(
            "A coarse calendar cannot see incidents that overlap or come one upon the other, nor \
             alerts that burn over days. Each {} is drawn from {} of single incidents, {} of \
             them, with 95% intervals over seeds and {}s.",
            self.window(),
            number::several(self.runs, "run"),
            number::count(u64::from(self.asked.windows)),
            self.window(),
        )];
        let never: Vec<String> = self
            .unrecovered()
            .iter()
            .map(|(arm, kind, count, of)| format!("\"{arm}\" after {kind} in {count} of {of}"))
            .collect();
        if !never.is_empty() {
            notes.push(format!(
                "Some runs had not recovered when they ended, so that such an incident costs more \
                 than is told: {}.",
                never.join(", ")
            ));
        }
        let seeds = self.arms.first().map_or(0, |arm| arm.spent.calm.len());
        if seeds < SEEDS_MIN {
            notes.push(format!(
                "Intervals over {} are too narrow: {SEEDS_MIN} seeds or more tell them.",
                number::several(seeds as u64, "seed"),
            ));
        }
        let unfinished: u64 = self.arms.iter().flat_map(|arm| &arm.unfinished).sum();
        if unfinished > 0 {
            let count = number::count(unfinished);
            notes.push(format!(
                "{count} events were neither good nor bad yet: a longer `drain` tells more."
            ));
        }
        let assumed = self.prices.map(assumed_text).unwrap_or_default();
        if !assumed.is_empty() {
            notes.push(capitalised(assumed.trim_end()) + ".");
        }
        notes
    }
}

impl Report<'_> {
    /// The same in a line each, for the terminal.
    pub fn short_notes(&self) -> Vec<String> {
        let assumed = match self.prices.map(|prices| (prices.assumed().len(), prices.list.len())) {
            None | Some((0, _)) => "",
            Some((some, all)) if some < all => "; some prices assumed",
            Some(_) => "; all prices assumed",
        };
        let mut notes =
            vec![format!("not seen: overlapping incidents, burn alerts over days{assumed}")];
        let never = self.unrecovered();
        let runs: u64 = never.iter().map(|(.., count, _)| count).sum();
        if let Some((arm, ..)) = never.iter().max_by_key(|(.., count, _)| *count) {
            let count = number::several(runs, "run");
            notes.push(format!(
                "warning: {count} ended unrecovered, most of \"{arm}\": these cost more"
            ));
        }
        notes
    }
}

/// A sentence with a capital letter.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// A bootstrap of fewer seeds than this is too sure of itself.
const SEEDS_MIN: usize = 10;

/// A number with its interval.
fn shown(estimate: Estimate, unit: Unit) -> String {
    number::interval(estimate.mean, estimate.interval.low, estimate.interval.high, unit)
}

/// A share as percentage points, with its interval.
fn points(estimate: Estimate) -> String {
    let Estimate { mean, interval, .. } = estimate;
    let [mean, low, high] = [mean, interval.low, interval.high].map(|it| it * 100.0);
    format!("{} points", number::interval(mean, low, high, Unit::Plain))
}

fn estimate(estimate: Estimate) -> Value {
    json!({
        "mean": estimate.mean,
        "low": estimate.interval.low,
        "high": estimate.interval.high,
    })
}

/// How long a window is in whole days.
pub fn days(window: Span) -> u32 {
    (window.seconds() / 86_400.0).round().clamp(1.0, 36_525.0) as u32
}
