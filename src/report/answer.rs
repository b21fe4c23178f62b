//! The answer of a campaign in a few sentences, and the few numbers that decide it.

use serde_json::{Value, json};

use super::arms::{column, metric, named, plain, shown, violations};
use super::comparison::called;
use super::number::{self, Unit, several};
use super::promises;
use super::roles::{Role, roles};
use super::table::{Align, Cell, Column, Row, Table, Tone};
use crate::experiment::compare::answer::{ABOUT, Answer, Choice, Open};
use crate::experiment::compare::language::Margin;
use crate::experiment::compare::measured::{Measured, Source};
use crate::experiment::judge::metastability::Label;
use crate::experiment::measure::metrics::Of;
use crate::experiment::measure::summary::{CellSummary, InvariantSummary, Share};
use crate::experiment::plan::campaign::Campaign;
use crate::statistics::CONFIDENCE;
use crate::statistics::proportion::runs_with_event;

/// With more promises than this, those that all choices keep are one row.
const PROMISES_MAX: usize = 8;

/// Of so many choices at most, those that the sentences do not name stand in the table too, where
/// there is room for them.
const CHOICES_MAX: usize = 8;

/// At most three sentences: what to take, what to avoid, and what these runs do not decide.
pub fn sentences(campaign: &Campaign, summaries: &[CellSummary], answer: &Answer) -> Vec<String> {
    let of = AnswerSources { campaign, summaries, answer };
    let Some(taken) = answer.taken else {
        let limit = "a run of each reached a limit, so nothing can be said of it";
        return vec![format!("Nothing is chosen: {limit}.")];
    };
    if answer.choices.len() == 1 {
        return vec![of.only()];
    }
    let mut sentences = vec![of.take(taken)];
    sentences.extend(answer.avoided.map(|avoided| of.avoid(avoided)));
    sentences.extend(of.undecided(taken));
    sentences
}

/// The promises and the criteria by the choices that the sentences name, what to avoid first, and
/// by the others where they are few: those are left out first where the table is too wide.
pub fn table(campaign: &Campaign, summaries: &[CellSummary], answer: &Answer) -> Table {
    let of = AnswerSources { campaign, summaries, answer };
    let mut shown = of.named_choices();
    let named = shown.len();
    shown.extend(of.other_choices().map(|choice| ("", choice)));
    let mut columns = vec![column("", Align::Left, 0)];
    columns.extend(shown.iter().enumerate().map(|(place, &(role, choice))| Column {
        header: format!("{role}{}", of.name(choice)),
        align: Align::Right,
        priority: u8::from(place >= named),
    }));
    let cells = |index: usize| -> Vec<Cell> {
        shown.iter().map(|&(_, choice)| of.promise(choice, index)).collect()
    };
    let all: Vec<Vec<Cell>> = (0..of.promises().len()).map(cells).collect();
    let is_kept = |cells: &[Cell]| cells.iter().all(|cell| cell.tone == Tone::Good);
    let kept = all.iter().filter(|cells| is_kept(cells)).count();
    let folds = all.len() > PROMISES_MAX && kept > 1;
    let mut rows = Vec::new();
    for (promise, cells) in of.promises().iter().zip(all) {
        if !folds || !is_kept(&cells) {
            rows.push(Row::Cells(
                std::iter::once(plain(promise.label.clone())).chain(cells).collect(),
            ));
        }
    }
    if folds {
        let kept_cell = Cell { text: "kept".to_owned(), tone: Tone::Good };
        let label = plain(format!("{kept} other promises"));
        let cells = std::iter::repeat_n(kept_cell, shown.len());
        rows.push(Row::Cells(std::iter::once(label).chain(cells).collect()));
    }
    rows.extend(of.expectations().into_iter().map(|text| {
        let met = |&(_, choice): &(&str, usize)| match of.missed_one(choice, text) {
            Some(missed) => {
                let text =
                    missed.trim_start_matches(text).trim_start().replace("in ", "missed in ");
                Cell { text, tone: Tone::Bad }
            }
            None => Cell { text: "met".to_owned(), tone: Tone::Good },
        };
        Row::Cells(std::iter::once(plain(text.to_owned())).chain(shown.iter().map(met)).collect())
    }));
    let criteria = answer.criteria.iter().map(|criterion| {
        let cells = shown.iter().map(|&(_, choice)| plain(of.value(choice, criterion)));
        Row::Cells(std::iter::once(plain(of.called(criterion))).chain(cells).collect())
    });
    rows.extend(criteria);
    Table { columns, rows }
}

/// The answer in `summary.json`.
pub fn json(answer: &Answer, sentences: &[String]) -> Value {
    let name = |choice: usize| answer.choices[choice].name.as_str();
    let criterion = |index: usize| answer.criteria[index].name.as_str();
    json!({
        "sentences": sentences,
        "taken": answer.taken.map(name),
        "avoided": answer.avoided.map(name),
        "as_good": answer.equals.iter().map(|&choice| name(choice)).collect::<Vec<_>>(),
        "criteria": (0..answer.criteria.len()).map(criterion).collect::<Vec<_>>(),
        "not_decided": answer.open.as_ref().map(|open| json!({
            "other": name(open.other),
            "criterion": open.criterion.map_or("promises", criterion),
            "seeds_needed": open.seeds,
        })),
    })
}

/// By what two choices are not told apart.
struct ToldBy {
    what: String,
    values: [String; 2],
    margin: String,
}

/// What is needed to tell of an answer.
struct AnswerSources<'a> {
    campaign: &'a Campaign,
    summaries: &'a [CellSummary],
    answer: &'a Answer,
}

impl AnswerSources<'_> {
    fn choice(&self, choice: usize) -> &Choice {
        &self.answer.choices[choice]
    }

    fn name(&self, choice: usize) -> &str {
        &self.choice(choice).name
    }

    fn promises(&self) -> &[InvariantSummary] {
        self.summaries.first().map_or(&[], |summary| &summary.invariants)
    }

    /// What was seen of a promise in each cell of a choice.
    fn seen(&self, choice: usize, promise: usize) -> impl Iterator<Item = &InvariantSummary> {
        self.choice(choice).cells.iter().map(move |&cell| &self.summaries[cell].invariants[promise])
    }

    /// The choices that are told of, with what they are.
    fn named_choices(&self) -> Vec<(&'static str, usize)> {
        if self.answer.choices.len() == 1 {
            return vec![("", 0)];
        }
        let prefix = |role: Role| match role {
            Role::Take => "take: ",
            Role::Avoid => "avoid: ",
            Role::Baseline => "baseline: ",
            Role::Or => "or: ",
        };
        roles(self.answer).into_iter().map(|(role, choice)| (prefix(role), choice)).collect()
    }

    /// The choices that nothing is said of, if they are few.
    fn other_choices(&self) -> impl Iterator<Item = usize> {
        let named = self.named_choices();
        let all = self.answer.choices.len();
        let few = if all <= CHOICES_MAX { 0..all } else { 0..0 };
        few.filter(move |choice| !named.iter().any(|(_, known)| known == choice))
    }

    /// "no retry: no promise was broken in 30 runs, and success is 99%."
    fn only(&self) -> String {
        format!("{}: {}{}.", self.name(0), self.held(0, "no promise is watched"), self.numbers(0))
    }

    /// How a choice keeps the promises, or `unwatched`, and what of the expected it misses.
    fn held(&self, choice: usize, unwatched: &str) -> String {
        let kept = self.kept(choice).unwrap_or_else(|| unwatched.to_owned());
        match self.missed(choice).as_slice() {
            [] => kept,
            missed => format!("{kept}, it misses {}", missed.join(", ")),
        }
    }

    fn take(&self, taken: usize) -> String {
        let verb = if self.choice(taken).is_baseline { "Keep" } else { "Take" };
        let held = self.held(taken, "no promise is watched, so numbers decide");
        let equals: Vec<&str> = self.answer.equals.iter().map(|&it| self.name(it)).collect();
        let equals = match equals.as_slice() {
            [] => String::new(),
            [one] => format!("; as good as these runs tell: {one}"),
            [one, rest @ ..] => {
                format!("; as good as these runs tell: {one} and {} more", rest.len())
            }
        };
        format!("{verb} {}: {held}{}{equals}.", self.name(taken), self.numbers(taken))
    }

    fn avoid(&self, avoided: usize) -> String {
        let broken = self.broken(avoided);
        let mut why = match broken.is_empty() {
            true => String::new(),
            false => format!(" it breaks {}", broken.join(", ")),
        };
        let missed = self.missed(avoided);
        if !missed.is_empty() {
            let comma = if why.is_empty() { " it" } else { "," };
            why.push_str(&format!("{comma} misses {}", missed.join(", ")));
        }
        let numbers = self.numbers(avoided);
        let numbers = if why.is_empty() { numbers.trim_start_matches(',') } else { &numbers };
        format!("Avoid {}:{why}{numbers}.", self.name(avoided))
    }

    fn undecided(&self, taken: usize) -> Option<String> {
        let open = self.answer.open.as_ref()?;
        let (names, told) = ((self.name(taken), self.name(open.other)), self.told_by(open, taken));
        let ToldBy { what, values, margin } = told;
        let until = match open.seeds {
            Some(seeds) => {
                format!("about {} tell a difference of {margin}", several(seeds, "seed"))
            }
            None => "without a number of each nothing is compared".to_owned(),
        };
        Some(format!(
            "Not decided by these runs: {} or {} by {what} ({} against {}); {until}.",
            names.0, names.1, values[0], values[1],
        ))
    }

    /// By what two choices are not told apart, with their values and what makes no difference.
    fn told_by(&self, open: &Open, taken: usize) -> ToldBy {
        let both = [taken, open.other];
        let Some(criterion) = open.criterion.map(|index| &self.answer.criteria[index]) else {
            let broken = both.map(|choice| self.broken(choice).join(", "));
            let what = "what they break".to_owned();
            return ToldBy { what, values: broken, margin: number::number(ABOUT, Unit::Percent) };
        };
        let (_, unit, scale) = called(criterion);
        let margin = match criterion.equivalent {
            Margin::Relative(share) => number::number(share, Unit::Percent),
            Margin::Absolute(margin) => {
                number::number(margin * scale, unit).replace('%', " points")
            }
        };
        let values = both.map(|choice| self.value(choice, criterion));
        ToldBy { what: self.called(criterion), values, margin }
    }

    /// What the experiment expects of a choice and did not get, and in how many runs.
    fn missed(&self, choice: usize) -> Vec<String> {
        self.expectations().into_iter().filter_map(|text| self.missed_one(choice, text)).collect()
    }

    fn missed_one(&self, choice: usize, text: &str) -> Option<String> {
        let cells = self.choice(choice).cells.iter();
        let own = cells.flat_map(|&cell| &self.summaries[cell].expectations);
        let own = own.filter(|it| it.text == text);
        let (unmet, of) =
            own.fold((0, 0), |(unmet, of), it| (unmet + it.unmet, of + it.unmet + it.met));
        (unmet > 0).then(|| format!("{text} in {unmet} of {}", several(of, "run")))
    }

    /// Everything that is expected of any choice, in the order of the experiment.
    fn expectations(&self) -> Vec<&str> {
        let mut texts: Vec<&str> = Vec::new();
        for one in self.summaries.iter().flat_map(|summary| &summary.expectations) {
            if !texts.contains(&one.text.as_str()) {
                texts.push(&one.text);
            }
        }
        texts
    }

    /// How a choice keeps the promises; `None` if none is watched.
    fn kept(&self, choice: usize) -> Option<String> {
        if self.promises().is_empty() {
            return None;
        }
        let broken = self.broken(choice);
        if !broken.is_empty() {
            return Some(format!("it breaks {}", broken.join(", ")));
        }
        let is_idle = |&promise: &usize| self.seen(choice, promise).all(|it| it.exposure == 0);
        let idle: Vec<usize> = (0..self.promises().len()).filter(is_idle).collect();
        let runs: u64 = self.choice(choice).cells.iter().map(|&it| self.summaries[it].runs).sum();
        let kept = format!("no promise was broken in {}", several(runs, "run"));
        Some(match idle.len() {
            0 => format!("{kept} ({})", self.at_most(choice)),
            all if all == self.promises().len() => "no promise was exercised".to_owned(),
            some => format!("{kept} ({}; {some} not exercised)", self.at_most(choice)),
        })
    }

    /// In how many runs a promise may be broken that none of these broke: "<10%". Runs of one seed
    /// under several conditions count once.
    fn at_most(&self, choice: usize) -> String {
        let seeds = self.summaries[self.choice(choice).cells[0]].runs;
        let share = runs_with_event(0, seeds, CONFIDENCE).expect("there is a run");
        let bound = number::interval(0.0, 0.0, share.interval.high, Unit::Percent);
        bound.split_once(" (").map_or("", |(_, bound)| bound.trim_end_matches(')')).to_owned()
    }

    /// The promises that a choice broke, and how often: the most frequent first.
    fn broken(&self, choice: usize) -> Vec<String> {
        let total =
            |promise: usize| -> u64 { self.seen(choice, promise).map(|it| it.violations).sum() };
        let mut broken: Vec<usize> =
            (0..self.promises().len()).filter(|&promise| total(promise) > 0).collect();
        broken.sort_by_key(|&promise| std::cmp::Reverse(total(promise)));
        let text = |promise: usize| {
            format!("{} ({})", self.promises()[promise].label, self.count(choice, promise))
        };
        broken.into_iter().map(text).collect()
    }

    /// How often a promise was broken: a run, or in all where single runs do not tell.
    fn count(&self, choice: usize, promise: usize) -> String {
        let seen: Vec<&InvariantSummary> = self.seen(choice, promise).collect();
        match seen.as_slice() {
            [one] if one.per_run.as_ref().is_some_and(|it| it.interval.is_some()) => {
                format!("{} a run", violations(one).text)
            }
            [one] => violations(one).text,
            all => {
                let runs: u64 = all.iter().filter_map(|it| it.runs).map(|runs| runs.of).sum();
                let total: u64 = all.iter().map(|it| it.violations).sum();
                format!("{} in {}", number::count(total), several(runs, "run"))
            }
        }
    }

    fn promise(&self, choice: usize, promise: usize) -> Cell {
        let mut seen = self.seen(choice, promise);
        if seen.any(|it| it.violations > 0) {
            return Cell { text: self.count(choice, promise), tone: Tone::Bad };
        }
        if self.choice(choice).cells.iter().any(|&cell| self.summaries[cell].unknown > 0) {
            return Cell { text: "unknown".to_owned(), tone: Tone::Warning };
        }
        let first = self.seen(choice, promise).next().expect("a choice has a cell");
        match self.seen(choice, promise).any(|it| it.exposure > 0) {
            false => Cell { text: promises::absent(first).to_owned(), tone: Tone::Faint },
            true if self.seen(choice, promise).any(promises::is_open) => {
                Cell { text: "kept, as far as judged".to_owned(), tone: Tone::Warning }
            }
            true => Cell { text: "kept".to_owned(), tone: Tone::Good },
        }
    }

    /// ", success 99%, amplification 1.1×, never recovered in 2 of 3 runs": the first two criteria
    /// that there are, and whether it came back if it did not always.
    fn numbers(&self, choice: usize) -> String {
        let cells = self.choice(choice).cells.iter();
        let shares = cells.filter_map(|&cell| self.summaries[cell].never_recovered);
        let (count, of) = shares.fold((0, 0), |sum, it| (sum.0 + it.count, sum.1 + it.of));
        let never = match count {
            0 => String::new(),
            some => format!(", never recovered in {some} of {}", several(of, "run")),
        };
        let metrics = self.answer.criteria.iter();
        let metrics = metrics.filter(|it| matches!(it.source, Source::Metric(_)));
        let known = metrics.filter(|it| self.value(choice, it) != NONE).take(2);
        let worst = match self.choice(choice).cells.len() {
            1 => String::new(),
            many => format!(" in the worst of {many} conditions"),
        };
        let numbers =
            known.map(|it| format!(", {} {}{worst}", self.called(it), self.value(choice, it)));
        numbers.chain([never]).collect()
    }

    /// What a criterion is called, and of what it is where that is not plain.
    fn called(&self, criterion: &Measured) -> String {
        let (name, ..) = called(criterion);
        let Source::Metric(place) = criterion.source else { return name };
        let metric = &self.campaign.metrics()[place];
        let is_replaced = self.campaign.metrics().place(Of::Replies, metric.id).is_some();
        match metric.of {
            Of::Measured if is_replaced && criterion.own_label.is_none() => {
                named(self.campaign, Of::Measured, &name)
            }
            _ => name,
        }
    }

    /// The value of a choice, the worst of its cells.
    fn value(&self, choice: usize, criterion: &Measured) -> String {
        let (_, unit, scale) = called(criterion);
        let cells = self.choice(choice).cells.iter().map(|&cell| &self.summaries[cell]);
        let badness = |value: f64| criterion.better.badness(value);
        match criterion.source {
            Source::Metric(place) => {
                let known = cells.filter_map(|it| metric(&it.metrics, place));
                let worst = known.max_by(|a, b| badness(a.mean).total_cmp(&badness(b.mean)));
                worst.map_or(NONE.to_owned(), |it| shown(it, scale, unit))
            }
            _ => {
                let share = |it: &CellSummary| share_of(it, &criterion.source);
                let known: Vec<Share> = cells.filter_map(share).collect();
                let worst = known.iter().max_by(|a, b| {
                    (a.count as f64 / a.of as f64).total_cmp(&(b.count as f64 / b.of as f64))
                });
                worst.map_or(NONE.to_owned(), |it| format!("{} of {}", it.count, it.of))
            }
        }
    }
}

/// What stands where there is no number.
const NONE: &str = "–";

/// In how many runs something happened.
fn share_of(summary: &CellSummary, source: &Source) -> Option<Share> {
    match source {
        Source::NeverRecovered(Of::Measured) => summary.never_recovered,
        Source::Metastable => {
            let is_metastable = |(label, _): &&(Label, Share)| *label == Label::Metastable;
            summary.labels.iter().find(is_metastable).map(|(_, share)| *share)
        }
        _ => None,
    }
}
