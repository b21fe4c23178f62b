//! Nodes in columns with who is linked to whom, and how something spread among them.

use plotters::prelude::*;

use super::Caption;
use super::font::Weight;
use super::frame::{self, HEADING, MARGIN, SMALL};
use super::palette::{AXIS, INK, SHADE, colour, ramp};
use super::plot::at;
use super::svg::{Anchor, Sheet, Style, style};

const BOX_WIDTH: f64 = 138.0;
const BOX_HEIGHT: f64 = 54.0;
/// The distance of two columns and of two rows.
const COLUMN: f64 = 200.0;
const ROW: f64 = 74.0;
/// The length of an arrow's head.
const HEAD: f64 = 8.0;

const NAME: Style = style(13.0, Weight::SemiBold, INK);
const LINE: Style = style(11.0, Weight::Regular, INK);

/// Pictures of nodes and links, one below the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// Title, subtitle and note.
    pub caption: Caption,
    /// The pictures, from the top.
    pub panels: Vec<GraphPanel>,
}

/// One picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GraphPanel {
    /// What stands above it; may be empty.
    pub title: String,
    pub nodes: Vec<GraphNode>,
    /// The links, by the indices of their nodes; those by which something spread last.
    pub links: Vec<GraphLink>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct GraphNode {
    /// In which column, and in which row of it, from 0.
    pub place: (usize, usize),
    pub name: String,
    /// What is said below the name, at most two lines.
    pub lines: Vec<String>,
    /// How it fares.
    pub tone: GraphTone,
}

/// How a node fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphTone {
    /// As ever.
    Plain,
    /// Otherwise, which nobody notices.
    Touched,
    /// Worse.
    Hurt,
    /// It is what fails.
    Struck,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GraphLink {
    /// From which node.
    pub from: usize,
    pub to: usize,
    /// Whether something spread by it, this way.
    pub is_spread: bool,
}

impl Graph {
    /// Draws the pictures as an SVG document; it is as wide as its columns need.
    pub fn svg(&self) -> String {
        let mut sheet = Sheet::new(&format!("graph {} {}", self.caption.title, self.panels.len()));
        let nodes = || self.panels.iter().flat_map(|panel| &panel.nodes);
        let columns = nodes().map(|node| node.place.0 + 1).max().unwrap_or(1);
        let width = 2.0 * MARGIN + (columns - 1) as f64 * COLUMN + BOX_WIDTH;
        let width = width.max(640.0);
        let mut y = frame::head(&mut sheet, &self.caption, width) + 10.0;
        for panel in &self.panels {
            if !panel.title.is_empty() {
                y += 22.0;
                sheet.text(MARGIN, y, Anchor::Start, HEADING, &panel.title);
            }
            y = panel.draw(&mut sheet, y + 14.0);
        }
        frame::finish(sheet, &self.caption, &self.description(), y, width)
    }

    fn description(&self) -> String {
        let panel = |panel: &GraphPanel| {
            let node = |node: &GraphNode| format!("{}: {}", node.name, node.lines.join(", "));
            let nodes: Vec<String> = panel.nodes.iter().map(node).collect();
            format!("{} {}", panel.title, nodes.join("; "))
        };
        self.panels.iter().map(panel).collect::<Vec<_>>().join(". ")
    }
}

impl GraphPanel {
    /// Draws it from `top` on; returns the y below it.
    fn draw(&self, sheet: &mut Sheet, top: f64) -> f64 {
        let corner = |node: &GraphNode| {
            let (column, row) = node.place;
            (MARGIN + column as f64 * COLUMN, top + row as f64 * ROW)
        };
        for link in &self.links {
            let ends = [link.from, link.to].map(|index| corner(&self.nodes[index]));
            let (colour, width) = if link.is_spread { (colour(1).mark, 2.6) } else { (AXIS, 1.0) };
            arrow(sheet, ends, colour, width);
        }
        for node in &self.nodes {
            node.draw(sheet, corner(node));
        }
        let rows = self.nodes.iter().map(|node| node.place.1 + 1).max().unwrap_or(0);
        top + rows as f64 * ROW
    }
}

impl GraphNode {
    fn draw(&self, sheet: &mut Sheet, (x, y): (f64, f64)) {
        let (fill, edge, width) = match self.tone {
            GraphTone::Plain => (WHITE, AXIS, 1.0),
            GraphTone::Touched => (SHADE, AXIS, 1.0),
            GraphTone::Hurt => (ramp(0.25), colour(1).mark, 1.6),
            GraphTone::Struck => (ramp(0.45), colour(1).text, 3.0),
        };
        let corners = [at((x, y)), at((x + BOX_WIDTH, y + BOX_HEIGHT))];
        sheet.open(&format!("{}: {}", self.name, self.lines.join(", ")));
        sheet.ground(|ground| ground.draw(&Rectangle::new(corners, fill.filled())));
        let (right, below) = (x + BOX_WIDTH, y + BOX_HEIGHT);
        let around = [(x, y), (right, y), (right, below), (x, below), (x, y)];
        sheet.line(&around, edge, width);
        sheet.close();
        let middle = x + BOX_WIDTH / 2.0;
        let first = if self.lines.len() > 1 { y + 17.0 } else { y + 23.0 };
        sheet.text(middle, first, Anchor::Middle, NAME, &self.name);
        for (index, line) in self.lines.iter().enumerate() {
            let style = if self.tone == GraphTone::Plain { SMALL } else { LINE };
            let baseline = first + 16.0 * (index + 1) as f64 - 1.0;
            sheet.text(middle, baseline, Anchor::Middle, style, line);
        }
    }
}

/// An arrow from the edge of one box to that of the other, by their upper left corners.
fn arrow(sheet: &mut Sheet, [from, to]: [(f64, f64); 2], ink: RGBColor, width: f64) {
    let middle = |(_, y): (f64, f64)| y + BOX_HEIGHT / 2.0;
    let side = |(x, _): (f64, f64), is_right: bool| if is_right { x + BOX_WIDTH } else { x };
    let (start, end) = if (from.0 - to.0).abs() < 1.0 {
        let down = from.1 < to.1;
        let edge = |(_, y): (f64, f64), below: bool| if below { y + BOX_HEIGHT } else { y };
        let x = from.0 + BOX_WIDTH / 2.0;
        ((x, edge(from, down)), (x, edge(to, !down)))
    } else {
        let right = from.0 < to.0;
        ((side(from, right), middle(from)), (side(to, !right), middle(to)))
    };
    let (dx, dy) = (end.0 - start.0, end.1 - start.1);
    let length = libm::sqrt(dx * dx + dy * dy).max(1.0);
    let (dx, dy) = (dx / length, dy / length);
    let neck = (end.0 - HEAD * dx, end.1 - HEAD * dy);
    sheet.line(&[start, neck], ink, width);
    let half = 3.0 + width / 2.0;
    let points = vec![
        at(end),
        at((neck.0 - half * dy, neck.1 + half * dx)),
        at((neck.0 + half * dy, neck.1 - half * dx)),
    ];
    sheet.ground(|ground| ground.draw(&Polygon::new(points, ink.filled())));
}
