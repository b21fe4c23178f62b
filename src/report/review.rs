//! What a review says: which failure each part of a model contains, which one it introduces, and
//! the check of it.

use serde_json::{Value as Json, json};

use super::arms::{called, column, plain, shown};
use super::number::{Unit, number, several};
use super::table::{Align, Row, Table, wrap};
use crate::experiment::judge::check::CheckVerdict;
use crate::experiment::measure::metrics::Of;
use crate::experiment::measure::summary::CellSummary;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::review::{
    AS_IT_IS, CALM, Check, FAILURE, Failure, REMEDIED, Reviewed, WITHOUT,
};
use crate::metric::MetricId;
use crate::statistics::bounded::Averaged;

/// What the runs of a part came to.
#[derive(Debug)]
pub struct PartRuns {
    /// The part.
    pub reviewed: Reviewed,
    /// Its experiment.
    pub campaign: Campaign,
    /// What each of its cells came to.
    pub summaries: Vec<CellSummary>,
    /// Its check, if there is one.
    pub check: Option<Checked>,
    /// Where the file of its experiment is.
    pub file: String,
}

/// A check and what it says of each arm.
#[derive(Debug)]
pub struct Checked {
    pub check: Check,
    /// What it says, by the name of the arm.
    pub verdicts: Vec<(String, CheckVerdict)>,
    pub file: String,
}

/// A number of runs under a failure, with the part and without it.
struct Number {
    name: &'static str,
    with: Option<String>,
    without: Option<String>,
}

impl PartRuns {
    fn summary(&self, arm: &str, level: &str) -> Option<&CellSummary> {
        let point = format!("{FAILURE}={level}");
        let mut cells = self.campaign.cells.iter();
        let place = cells.position(|cell| cell.arm == arm && cell.point == point)?;
        self.summaries.get(place)
    }

    fn mean(&self, arm: &str, level: &str, id: MetricId) -> Option<&Averaged> {
        let place = self.campaign.metrics().place(Of::Measured, id)?;
        self.summary(arm, level)?.metrics[place].as_ref()
    }

    /// The 99th percentile of answers of the model as it is, without a fault, in milliseconds.
    pub fn p99_ms(&self) -> Option<f64> {
        self.mean(AS_IT_IS, CALM, MetricId::LatencyP99Ms).map(|mean| mean.mean)
    }

    /// What tells how runs fare under a failure, and the promises that the part makes or breaks.
    fn numbers(&self, failure: &Failure) -> Vec<Number> {
        let measured = failure.metrics.iter().map(|&id| {
            let (name, scale, unit) = words(id);
            let text = |arm| {
                let level = level_of(failure, arm);
                self.mean(arm, level, id).map(|mean| shown(mean, scale, unit))
            };
            Number { name, with: text(AS_IT_IS), without: text(WITHOUT) }
        });
        measured.filter(|it| it.with.is_some() || it.without.is_some()).collect()
    }

    /// The promises that only one of both models breaks under a failure, or one more often.
    fn promises(&self, failure: &Failure) -> Vec<(String, u64, u64)> {
        let of = |arm| self.summary(arm, level_of(failure, arm));
        let (Some(with), Some(without)) = (of(AS_IT_IS), of(WITHOUT)) else { return Vec::new() };
        let both = with.invariants.iter().zip(&without.invariants);
        let both =
            both.map(|(with, without)| (with.name.clone(), with.violations, without.violations));
        both.filter(|(_, with, without)| with != without).collect()
    }

    /// A failure in words, with how runs fare under it.
    fn sentence(&self, failure: &Failure) -> String {
        let has_twin = self.reviewed.without.is_ok();
        let number = |it: &Number| {
            let with = it.with.as_deref().unwrap_or("not told");
            let without = it.without.as_deref().unwrap_or("not told");
            match has_twin {
                true => format!("{} {with}, without it {without}", it.name),
                false => format!("{} {with}", it.name),
            }
        };
        let numbers = self.numbers(failure);
        let promises = self.promises(failure);
        let promises = promises.iter().map(|(name, with, without)| {
            format!("`{name}` broken {with} times, without it {without}")
        });
        let told: Vec<String> = numbers.iter().map(number).chain(promises).collect();
        let told = match (told.is_empty(), has_twin) {
            (true, _) if !failure.metrics.is_empty() => "nothing of it was measured".to_owned(),
            (true, true) => "no promise is broken more often without it".to_owned(),
            (true, false) => "not told".to_owned(),
            _ => told.join("; "),
        };
        format!("{}: {told}", failure.label)
    }

    fn verification(&self) -> String {
        let Some(Checked { check, verdicts, .. }) = &self.check else {
            return "nothing to check".to_owned();
        };
        let arms = verdicts.iter().map(|(arm, verdict)| {
            let label = match arm.as_str() {
                AS_IT_IS => "as it is",
                REMEDIED => check.remedy.as_deref().unwrap_or_default(),
                _ => check.bare.as_deref().unwrap_or_default(),
            };
            format!("{label}: {}", said(*verdict))
        });
        let arms = arms.collect::<Vec<_>>().join("; ");
        let is_told = verdicts.iter().any(|(_, verdict)| *verdict != verdicts[0].1);
        let same = if is_told { "" } else { " (it does not tell them apart)" };
        format!("{}; {arms}{same}", check.expected)
    }

    /// What it is, with its name.
    fn title(&self) -> String {
        format!("{} `{}`", self.reviewed.kind.name(), self.reviewed.name)
    }

    fn how_without(&self) -> String {
        match &self.reviewed.without {
            Ok(how) => format!("without it {how}"),
            Err(why) => format!("not tried without it: {why}"),
        }
    }
}

/// The level at which an arm meets a failure.
fn level_of(failure: &Failure, arm: &str) -> &'static str {
    if arm == WITHOUT { failure.level_without } else { failure.level }
}

/// What a metric is called, as in the tables of arms, and its unit.
fn words(id: MetricId) -> (&'static str, f64, Unit) {
    let (name, unit) = called(id).unwrap_or(match id {
        MetricId::LatencyMeanMs => ("latency", Unit::Seconds),
        MetricId::StalenessP99Ms => ("p99 of how stale", Unit::Seconds),
        other => (other.name(), Unit::Plain),
    });
    (name, id.row().unit.to_base(), unit)
}

fn said(verdict: CheckVerdict) -> &'static str {
    match verdict {
        CheckVerdict::Pass => "passes",
        CheckVerdict::Violation => "FAILS",
        CheckVerdict::Unknown => "unknown, a run reached a limit",
        CheckVerdict::NotExercised => "not exercised",
        CheckVerdict::NotJudged => "not due by the end",
        CheckVerdict::Never => "never happened",
    }
}

/// The review for a terminal of this width.
pub fn text(parts: &[PartRuns], width: usize) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(&part.title());
        text.push('\n');
        let lines = [
            ("", part.how_without()),
            ("contains", part.sentence(&part.reviewed.contained)),
            ("introduces", part.sentence(&part.reviewed.introduced)),
            ("verify", part.verification()),
        ];
        for (head, line) in lines {
            let lines = wrap(&line, width.saturating_sub(INDENT));
            for (index, line) in lines.iter().enumerate() {
                let head = if index == 0 { head } else { "" };
                let padded = format!("  {head:<width$}{line}", width = INDENT - 2);
                text.push_str(padded.trim_end());
                text.push('\n');
            }
        }
        text.push('\n');
    }
    text + &questions(parts, width)
}

/// How far what is said of a part is moved to the right.
const INDENT: usize = 14;

/// The three questions that a review begins with, as far as these runs answer them.
fn questions(parts: &[PartRuns], width: usize) -> String {
    let answers = [
        ("What must never happen?", never(parts)),
        ("What will surely fail?", fails(parts)),
        ("How do we know that it is contained?", contained(parts)),
    ];
    let told = answers.map(|(question, answer)| {
        format!("{question}\n  {}\n", wrap(&answer, width.saturating_sub(2)).join("\n  "))
    });
    told.concat()
}

/// The promises of the model as it is, over every failure that was tried.
fn never(parts: &[PartRuns]) -> String {
    let Some(first) = parts.first() else { return "nothing was tried".to_owned() };
    let promises = first.campaign.cells[0].promises();
    if promises.is_empty() {
        return "No promise is declared: what is not written under [invariants] is not watched."
            .to_owned();
    }
    let told = promises.iter().enumerate().map(|(place, name)| {
        let mut broken: Vec<&str> = Vec::new();
        let mut exposure = 0;
        for part in parts {
            let cells = part.campaign.cells.iter().zip(&part.summaries);
            for (cell, summary) in cells.filter(|(cell, _)| cell.arm == AS_IT_IS) {
                let invariant = &summary.invariants[place];
                exposure += invariant.exposure;
                let is_new = !broken.contains(&cell.point_label.as_str());
                if invariant.violations > 0 && is_new {
                    broken.push(&cell.point_label);
                }
            }
        }
        match (broken.is_empty(), exposure) {
            (false, _) => format!("`{name}` is broken: {}", broken.join("; ")),
            (true, 0) => format!("`{name}` was not exercised"),
            (true, _) => format!("`{name}` was kept"),
        }
    });
    told.collect::<Vec<_>>().join(". ") + "."
}

/// The failures under which the model as it is fares worst.
fn fails(parts: &[PartRuns]) -> String {
    let mut tried: Vec<(f64, String)> = Vec::new();
    for part in parts {
        for failure in [&part.reviewed.contained, &part.reviewed.introduced] {
            let mean = part.mean(AS_IT_IS, failure.level, MetricId::SuccessRatio);
            let Some(mean) = mean.filter(|_| failure.level != CALM) else { continue };
            let told = format!("{}: success {}", failure.label, shown(mean, 1.0, Unit::Percent));
            if !tried.iter().any(|(_, known)| *known == told) {
                tried.push((mean.mean, told));
            }
        }
    }
    let all = several(tried.len() as u64, "failure");
    tried.retain(|(success, _)| *success < 1.0 - HARMLESS);
    tried.sort_by(|a, b| a.0.total_cmp(&b.0));
    if tried.is_empty() {
        let share = number(HARMLESS, Unit::Percent);
        return format!("Of {all} tried here none lets more than {share} of requests fail.");
    }
    let worst: Vec<String> = tried.into_iter().take(WORST).map(|(_, told)| told).collect();
    format!("Of {all} tried here the worst is {}.", worst.join("; "))
}

/// So many of the worst failures are named.
const WORST: usize = 3;
/// The share of requests below which a failure harms nobody.
const HARMLESS: f64 = 0.001;

/// How the checks stand for the model as it is.
fn contained(parts: &[PartRuns]) -> String {
    let checks: Vec<(&PartRuns, CheckVerdict)> = parts
        .iter()
        .filter_map(|part| {
            let verdicts = &part.check.as_ref()?.verdicts;
            let own = verdicts.iter().find(|(arm, _)| arm == AS_IT_IS)?;
            Some((part, own.1))
        })
        .collect();
    let pass = checks.iter().filter(|(_, verdict)| *verdict == CheckVerdict::Pass).count();
    let others = checks.iter().filter(|(_, verdict)| *verdict != CheckVerdict::Pass);
    let others: Vec<String> = others.map(|(part, _)| part.title()).collect();
    let rest = match others.is_empty() {
        true => String::new(),
        false => format!("; not those of {}", others.join(", ")),
    };
    format!(
        "Of {} the model as it is passes {pass}{rest}. `contained` is a promise of its own, and \
         [blast_radius] counts whom a failure reaches.",
        several(checks.len() as u64, "check"),
    )
}

/// The table of a review, a row for each part.
pub fn table(parts: &[PartRuns]) -> Table {
    let headers =
        ["design choice", "failure it contains", "new failure it introduces", "verification"];
    let columns = headers.map(|header| column(header, Align::Left, 0));
    let row = |part: &PartRuns| {
        let cells = [
            format!("{} ({})", part.title(), part.how_without()),
            part.sentence(&part.reviewed.contained),
            part.sentence(&part.reviewed.introduced),
            part.verification(),
        ];
        Row::Cells(cells.map(plain).into())
    };
    Table { columns: columns.into(), rows: parts.iter().map(row).collect() }
}

/// The review as a page of Markdown; `commands` are those that repeat it.
pub fn markdown(title: &str, parts: &[PartRuns], width: usize) -> String {
    let commands = parts.iter().map(|part| {
        let check = part.check.as_ref();
        let check = check.map_or(String::new(), |it| format!("stormglass check {}\n", it.file));
        format!("stormglass run {}\n{check}", part.file)
    });
    format!(
        "# {title}\n\n{}\n{}\n```\n{}```\n",
        table(parts).markdown(),
        questions(parts, width),
        commands.collect::<String>(),
    )
}

/// The review as JSON: a list of parts.
pub fn json(parts: &[PartRuns]) -> Json {
    let number = |part: &PartRuns, failure: &Failure, id: MetricId| {
        let of = |arm| part.mean(arm, level_of(failure, arm), id).map(|mean| mean.mean);
        json!({ "metric": id.name(), "as_it_is": of(AS_IT_IS), "without": of(WITHOUT) })
    };
    let failure = |part: &PartRuns, failure: &Failure| {
        let numbers = failure.metrics.iter().map(|&id| number(part, failure, id));
        let promises = part.promises(failure).into_iter().map(|(name, with, without)| {
            json!({ "promise": name, "as_it_is": with, "without": without })
        });
        json!({
            "level": failure.level,
            "failure": failure.label,
            "metrics": numbers.collect::<Vec<_>>(),
            "promises": promises.collect::<Vec<_>>(),
        })
    };
    let list = parts.iter().map(|part| {
        let check = part.check.as_ref().map(|checked| {
            let verdicts = checked.verdicts.iter();
            let verdicts = verdicts.map(|(arm, verdict)| (arm.clone(), json!(verdict.name())));
            json!({
                "file": checked.file,
                "expected": checked.check.expected,
                "remedy": checked.check.remedy,
                "bare": checked.check.bare,
                "verdicts": Json::Object(verdicts.collect()),
            })
        });
        json!({
            "kind": part.reviewed.kind.name(),
            "name": part.reviewed.name,
            "file": part.file,
            "without": part.reviewed.without.as_ref().ok(),
            "not_tried": part.reviewed.without.as_ref().err(),
            "contains": failure(part, &part.reviewed.contained),
            "introduces": failure(part, &part.reviewed.introduced),
            "check": check,
        })
    });
    Json::Array(list.collect())
}
