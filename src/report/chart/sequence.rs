//! Who told whom what, and when: lanes from left to right, time from top to bottom.
//!
//! A message is an arrow from the moment it was sent to the moment it arrived (Lamport: "Time,
//! clocks, and the ordering of events in a distributed system", CACM 21(7), 1978). Each row has the
//! same height, so time is stretched where much happens.

use plotters::prelude::*;

use super::Caption;
use super::font::Weight;
use super::frame::{self, HEADING, MARGIN, SMALL};
use super::palette::{AXIS, GREY, GRID, INK, SHADE, SHADE_TEXT, colour};
use super::plot::at;
use super::svg::{Anchor, Sheet, Style, style};

/// The height of a row.
const ROW: f64 = 26.0;
/// The least distance of two lanes.
const LANE: f64 = 150.0;
/// The room for times.
const TIMES: f64 = 88.0;
/// The length of an arrow's head.
const HEAD: f64 = 7.0;
/// The radius of the dot of a note.
const DOT: f64 = 4.0;

/// What is said of a message or a note.
const TEXT: Style = Style { halo: true, ..style(11.5, Weight::Regular, INK) };

/// A sequence diagram.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sequence {
    /// Title, subtitle and note.
    pub caption: Caption,
    /// The names of the lanes, from the left.
    pub lanes: Vec<String>,
    /// What happened, in the order of time.
    pub rows: Vec<SequenceRow>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum SequenceRow {
    /// A message from one lane to another.
    Message {
        /// When it was sent, in seconds.
        at: f64,
        /// The lane of the sender.
        from: usize,
        /// The lane of the receiver.
        to: usize,
        /// What it says.
        text: String,
        /// When it arrived, in seconds; `None` if it never did.
        arrives: Option<f64>,
        /// Whether it was lost.
        is_lost: bool,
        /// Whether it is an answer.
        is_answer: bool,
    },
    /// Something that happened in a lane, or in none.
    Note {
        /// When, in seconds.
        at: f64,
        lane: Option<usize>,
        text: String,
        /// What kind of thing.
        tone: Tone,
    },
}

/// What kind of thing a note tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    Plain,
    /// Something went wrong.
    Wrong,
    Fault,
    /// What cannot be undone.
    Effect,
}

impl Tone {
    fn mark(self) -> RGBColor {
        match self {
            Tone::Plain => INK,
            Tone::Wrong => colour(1).mark,
            Tone::Fault => SHADE_TEXT,
            Tone::Effect => colour(6).mark,
        }
    }

    fn style(self) -> Style {
        let weight = if self == Tone::Effect { Weight::SemiBold } else { Weight::Regular };
        let colour = match self {
            Tone::Plain => INK,
            Tone::Wrong => colour(1).text,
            Tone::Fault => SHADE_TEXT,
            Tone::Effect => colour(6).text,
        };
        Style { colour, weight, ..TEXT }
    }
}

impl SequenceRow {
    fn at(&self) -> f64 {
        match self {
            SequenceRow::Message { at, .. } | SequenceRow::Note { at, .. } => *at,
        }
    }
}

impl Sequence {
    /// Draws the diagram as an SVG document; it is as wide as its lanes need.
    pub fn svg(&self) -> String {
        let mut sheet = frame::sheet("sequence", &self.caption);
        let (gap, width) = self.widths(&sheet);
        let x = |lane: usize| MARGIN + TIMES + gap / 2.0 + gap * lane as f64;
        let y = frame::head(&mut sheet, &self.caption, width) + 30.0;
        let top = y + 14.0;
        let bottom = top + ROW * self.rows.len() as f64;
        for (lane, name) in self.lanes.iter().enumerate() {
            sheet.text(x(lane), y, Anchor::Middle, HEADING, name);
            sheet.line(&[(x(lane), top - 6.0), (x(lane), bottom)], AXIS, 1.0);
        }
        // Lines first, so that no arrow runs through a text.
        for (index, row) in self.rows.iter().enumerate() {
            let y = top + ROW * (index as f64 + 0.5);
            sheet.line(&[(MARGIN, y), (MARGIN + TIMES - 10.0, y)], GRID, 1.0);
            if let SequenceRow::Note { lane: None, .. } = row {
                sheet.line(&[(MARGIN + TIMES, y), (width - MARGIN, y)], SHADE, 16.0);
            }
        }
        for (index, row) in self.rows.iter().enumerate() {
            let y = top + ROW * (index as f64 + 0.5);
            self.arrow(&mut sheet, row, y, top, &x);
        }
        for (index, row) in self.rows.iter().enumerate() {
            let y = top + ROW * (index as f64 + 0.5);
            let time = format!("{:.6} s", row.at());
            let halo = Style { halo: true, ..SMALL };
            sheet.text(MARGIN, y + 4.0, Anchor::Start, halo, &time);
            Sequence::text(&mut sheet, row, y, &x);
        }
        frame::finish(sheet, &self.caption, &self.description(), bottom, width)
    }

    /// The distance of lanes, and the width of the whole: the longest text of the last lane fits.
    fn widths(&self, sheet: &Sheet) -> (f64, f64) {
        let names = self.lanes.iter().map(|name| sheet.width(name, HEADING) + 24.0);
        let messages = self.rows.iter().filter_map(|row| match row {
            SequenceRow::Message { from, to, text, .. } => {
                let lanes = from.abs_diff(*to).max(1) as f64;
                Some((sheet.width(text, TEXT) + 40.0) / lanes)
            }
            SequenceRow::Note { .. } => None,
        });
        let gap = names.chain(messages).fold(LANE, f64::max);
        let lanes = self.lanes.len().max(1) as f64;
        let notes = self.rows.iter().filter_map(|row| match row {
            SequenceRow::Note { lane, text, tone, .. } => {
                let from = lane.map_or(0.0, |lane| gap * (lane as f64 + 0.5));
                Some(from + sheet.width(text, tone.style()) + 2.0 * DOT + 12.0)
            }
            SequenceRow::Message { .. } => None,
        });
        let drawn = notes.fold(gap * lanes, f64::max);
        (gap, 2.0 * MARGIN + TIMES + drawn)
    }

    /// The y of a time: rows are stretched between the moments that they show.
    fn y(&self, time: f64, top: f64) -> f64 {
        let after = self.rows.partition_point(|row| row.at() < time);
        let middle = |index: usize| top + ROW * (index as f64 + 0.5);
        let Some(next) = self.rows.get(after) else {
            return middle(self.rows.len().saturating_sub(1)) + ROW * 0.4;
        };
        let Some(before) = after.checked_sub(1).filter(|_| next.at() > time) else {
            return middle(after);
        };
        let from = self.rows[before].at();
        middle(before) + ROW * (time - from) / (next.at() - from)
    }

    fn arrow(
        &self,
        sheet: &mut Sheet,
        row: &SequenceRow,
        y: f64,
        top: f64,
        x: &impl Fn(usize) -> f64,
    ) {
        let &SequenceRow::Message { from, to, arrives, is_lost, is_answer, .. } = row else {
            return;
        };
        let start = (x(from), y);
        // A message to oneself, or one that arrives at once, still needs a length to be seen.
        let end_y = arrives.map_or(y + ROW * 0.5, |time| self.y(time, top)).max(y + 3.0);
        let whole = (x(to), end_y);
        let ink = match (is_lost, is_answer) {
            (true, _) => colour(1).mark,
            (false, true) => GREY,
            (false, false) => INK,
        };
        let part = if arrives.is_some() { 1.0 } else { 0.6 };
        let end = (start.0 + (whole.0 - start.0) * part, start.1 + (whole.1 - start.1) * part);
        sheet.line(&[start, end], ink, 1.4);
        let length = libm::sqrt(
            (end.0 - start.0) * (end.0 - start.0) + (end.1 - start.1) * (end.1 - start.1),
        );
        let (dx, dy) = ((end.0 - start.0) / length.max(1.0), (end.1 - start.1) / length.max(1.0));
        if is_lost {
            for sign in [-1.0, 1.0] {
                let (cx, cy) = (5.0, 5.0 * sign);
                sheet.line(&[(end.0 - cx, end.1 - cy), (end.0 + cx, end.1 + cy)], ink, 2.2);
            }
            return;
        }
        let corner = |side: f64| {
            at((end.0 - HEAD * dx - side * 3.2 * dy, end.1 - HEAD * dy + side * 3.2 * dx))
        };
        let points = vec![at(end), corner(1.0), corner(-1.0)];
        sheet.ground(|ground| ground.draw(&Polygon::new(points, ink.filled())));
    }

    fn text(sheet: &mut Sheet, row: &SequenceRow, y: f64, x: &impl Fn(usize) -> f64) {
        match row {
            SequenceRow::Message { from, to, text, is_lost, .. } => {
                let tone = if *is_lost { Tone::Wrong } else { Tone::Plain };
                let (anchor, beside) =
                    if to >= from { (Anchor::Start, 9.0) } else { (Anchor::End, -9.0) };
                let lost = if *is_lost { ": lost" } else { "" };
                let said = format!("{text}{lost}");
                sheet.text(x(*from) + beside, y - 4.0, anchor, tone.style(), &said);
            }
            SequenceRow::Note { lane, text, tone, .. } => {
                let from = match lane {
                    Some(lane) => x(*lane),
                    None => MARGIN + TIMES - DOT,
                };
                if lane.is_some() {
                    let (centre, radius) = (at((from, y)), super::plot::steps(DOT));
                    let mark = tone.mark();
                    sheet.ground(|ground| ground.draw(&Circle::new(centre, radius, mark.filled())));
                }
                sheet.text(from + DOT + 6.0, y + 4.0, Anchor::Start, tone.style(), text);
            }
        }
    }

    fn description(&self) -> String {
        let name = |lane: &usize| self.lanes.get(*lane).map_or("?", String::as_str);
        let rows = self.rows.iter().map(|row| match row {
            SequenceRow::Message { at, from, to, text, is_lost, .. } => {
                let lost = if *is_lost { ", lost" } else { "" };
                format!("{at:.6} s, {} to {}: {text}{lost}.", name(from), name(to))
            }
            SequenceRow::Note { at, lane, text, .. } => {
                let lane = lane.as_ref().map(|lane| format!("{}: ", name(lane)));
                format!("{at:.6} s, {}{text}.", lane.unwrap_or_default())
            }
        });
        rows.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_story_is_still_a_picture() {
        let message = |arrives, is_lost| SequenceRow::Message {
            at: 1.0,
            from: 1,
            to: 0,
            text: "<a> & \"b\"".to_owned(),
            arrives,
            is_lost,
            is_answer: false,
        };
        let note =
            |lane| SequenceRow::Note { at: 1.0, lane, text: "x".repeat(200), tone: Tone::Fault };
        let rows = vec![message(Some(1.0), false), message(None, true), note(Some(1)), note(None)];
        let lanes = vec!["api".to_owned(), "payment".to_owned()];
        for rows in [rows, Vec::new()] {
            let svg = Sequence { caption: Caption::default(), lanes: lanes.clone(), rows }.svg();
            assert!(super::super::png(&svg, 1.0).is_ok(), "{svg}");
        }
    }
}
