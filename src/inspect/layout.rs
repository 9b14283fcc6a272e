//! Where everything is in the drawing.
//!
//! Each operation has a row of its own, in the order of the tape, which is a topological order: every arrow goes down. What
//! the next row reads comes straight from above. Everything else leaves on the right, runs down a lane and enters from the
//! right; short ways have the inner lanes, so that what a backward pass reads nests like brackets. Parameters and constants
//! stand on the left of what reads them, and an application of a module, a stretch of rows, is a box behind them.

use crate::inspect::{Graph, Group, Input, Kind, Vertex};

/// Lengths in pixels: the height of an operation, the way between two, the height of a parameter or constant.
pub(crate) const ROW: f64 = 28.0;
const GAP: f64 = 26.0;
pub(crate) const PILL: f64 = 18.0;
const PILL_GAP: f64 = 4.0;
/// The way from a parameter to its operation, and between two lanes.
const STEM: f64 = 22.0;
const LANE: f64 = 12.0;
const MARGIN: f64 = 18.0;
/// How far the legend is below the sums of the columns.
pub(crate) const LEGEND: f64 = 24.0;
/// What the edge of a box keeps from what is inside, and the height of its heading.
pub(crate) const PADDING: f64 = 9.0;
const HEADING: f64 = 22.0;
/// The sizes of the letters of operations, and of all others.
pub(crate) const LARGE: f64 = 13.0;
pub(crate) const SMALL: f64 = 11.0;
/// Longer settings than this are cut off.
const LONGEST: usize = 28;

/// A node that is not a parameter, with what stands beside it.
pub(crate) struct Row<'a> {
    pub(crate) index: usize,
    pub(crate) vertex: &'a Vertex,
    pub(crate) settings: String,
    /// The rows that it reads.
    sources: Vec<usize>,
    /// The parameters and constants that it reads.
    pub(crate) pills: Vec<(Kind, String)>,
    /// The middle of the row.
    pub(crate) y: f64,
    /// Where the shape of the value is written, and whether the way goes straight on to the next row.
    pub(crate) label: f64,
    pub(crate) straight: bool,
}

/// What goes from one row to others that are not the next.
pub(crate) struct Way {
    pub(crate) from: usize,
    /// The rows, and the height at which it enters each.
    pub(crate) to: Vec<(usize, f64)>,
    lane: usize,
    pub(crate) x: f64,
}

/// The box of a group.
pub(crate) struct Frame<'a> {
    pub(crate) group: &'a Group,
    pub(crate) x: (f64, f64),
    pub(crate) y: (f64, f64),
    /// The first and the last row inside.
    rows: (usize, usize),
}

/// Where everything is.
pub(crate) struct Layout<'a> {
    pub(crate) rows: Vec<Row<'a>>,
    pub(crate) ways: Vec<Way>,
    pub(crate) frames: Vec<Frame<'a>>,
    /// The left and right edges of the operations.
    pub(crate) left: f64,
    pub(crate) right: f64,
    /// Where the saved bytes end and the source lines begin.
    pub(crate) saved: f64,
    pub(crate) places: f64,
    /// Where the headings of these columns and their sums at the foot are.
    pub(crate) head: f64,
    pub(crate) foot: f64,
    pub(crate) margin: f64,
    pub(crate) size: (f64, f64),
}

impl<'a> Layout<'a> {
    pub(crate) fn of(graph: &'a Graph) -> Self {
        let mut rows = rows(graph);
        let mut frames = frames(graph, &rows);
        let foot = set_heights(&mut rows, &mut frames);
        let mut ways = ways(&rows);
        set_entries(&rows, &mut ways);

        let depth = frames.iter().map(|frame| frame.group.depth + 1).max().unwrap_or(0) as f64;
        let widest = |widths: &mut dyn Iterator<Item = f64>| widths.fold(0.0, f64::max);
        let pills = widest(&mut rows.iter().flat_map(|row| &row.pills).map(|(_, text)| pill_width(text) + STEM));
        let operation = widest(&mut rows.iter().map(|row| row.label_width() + 28.0)).max(96.0);
        let left = MARGIN + depth * PADDING + pills;
        let right = left + operation;
        for frame in &mut frames {
            let outside = frame.group.depth as f64;
            frame.x = (MARGIN + outside * PADDING, right + (depth - outside) * PADDING);
        }
        let lanes = ways.iter().map(|way| way.lane + 1).max().unwrap_or(0) as f64;
        let first_lane = right + depth * PADDING + 14.0;
        ways.iter_mut().for_each(|way| way.x = first_lane + way.lane as f64 * LANE);
        let saved = first_lane + lanes * LANE + 62.0;
        let places = saved + 18.0;
        let place = widest(&mut rows.iter().map(|row| text_width(&row.place(), SMALL))).max(72.0);
        let size = (places + place + MARGIN, foot + LEGEND + MARGIN);
        Layout { rows, ways, frames, left, right, saved, places, head: MARGIN + 8.0, foot, margin: MARGIN, size }
    }

    /// The middle of the operations.
    pub(crate) fn middle(&self) -> f64 {
        (self.left + self.right) / 2.0
    }
}

impl Row<'_> {
    fn label_width(&self) -> f64 {
        let settings = if self.settings.is_empty() { 0.0 } else { text_width(&self.settings, SMALL) + 6.0 };
        text_width(&self.vertex.name, LARGE) + settings
    }

    /// The source line with the last two names of the path.
    pub(crate) fn place(&self) -> String {
        let location = self.vertex.location;
        let names: Vec<&str> = location.file().split(['/', '\\']).collect();
        format!("{}:{}", names[names.len().saturating_sub(2)..].join("/"), location.line())
    }

    /// How much room it takes from top to bottom.
    fn height(&self) -> f64 {
        ROW.max(self.pills.len() as f64 * (PILL + PILL_GAP) - PILL_GAP)
    }

    /// The middle of a parameter or constant on its left.
    pub(crate) fn pill_y(&self, k: usize) -> f64 {
        self.y + (k as f64 - (self.pills.len() as f64 - 1.0) / 2.0) * (PILL + PILL_GAP)
    }

    /// The height at which a way leaves on the right.
    pub(crate) fn exit(&self) -> f64 {
        self.y + 9.0
    }
}

/// About how wide a text is: the letters of sans-serif faces are a little more than half as wide as the font is high.
fn text_width(text: &str, font: f64) -> f64 {
    text.chars().count() as f64 * font * 0.56
}

pub(crate) fn pill_width(text: &str) -> f64 {
    text_width(text, SMALL) + 16.0
}

fn rows(graph: &Graph) -> Vec<Row<'_>> {
    let mut row_of = vec![None; graph.vertices.len()];
    let mut rows: Vec<Row> = Vec::new();
    for (index, vertex) in graph.vertices.iter().enumerate().filter(|(_, vertex)| vertex.kind != Kind::Parameter) {
        row_of[index] = Some(rows.len());
        let sources: Vec<usize> = vertex.sources().into_iter().filter_map(|source| row_of[source]).collect();
        if let Some(before) = rows.len().checked_sub(1).filter(|before| sources.contains(before)) {
            rows[before].straight = true;
        }
        let (settings, pills) = (settings(vertex), pills(graph, vertex));
        rows.push(Row { index, vertex, settings, sources, pills, y: 0.0, label: 0.0, straight: false });
    }
    rows
}

/// The settings of an operation without what is not set, and without seeds, which say nothing to a reader.
fn settings(vertex: &Vertex) -> String {
    let fields = vertex.settings.fields().iter().filter(|(name, value)| *name != "seed" && value != "false");
    let settings = fields.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(", ");
    let cut = settings.chars().count() > LONGEST;
    settings.chars().take(LONGEST).chain(cut.then_some('…')).collect()
}

/// What stands on the left of an operation: parameters by what their paths add to that of the group, and constants.
fn pills(graph: &Graph, vertex: &Vertex) -> Vec<(Kind, String)> {
    let group = vertex.group.map_or(String::new(), |group| format!("{}.", graph.groups[group].path));
    let pill = |input: &Input| match input {
        Input::Node(source) => {
            let Vertex { kind: Kind::Parameter, name, shape, .. } = &graph.vertices[*source] else { return None };
            Some((Kind::Parameter, format!("{} {shape:?}", name.strip_prefix(&group).unwrap_or(name))))
        }
        Input::Constant(Some(shape)) => Some((Kind::Constant, format!("constant {shape:?}"))),
        Input::Constant(None) => Some((Kind::Constant, "constant".into())),
    };
    vertex.inputs.iter().filter_map(pill).collect()
}

/// The box of each group with its first and last row.
fn frames<'a>(graph: &'a Graph, rows: &[Row]) -> Vec<Frame<'a>> {
    let empty = |group| Frame { group, x: (0.0, 0.0), y: (0.0, 0.0), rows: (usize::MAX, 0) };
    let mut frames: Vec<Frame> = graph.groups.iter().map(empty).collect();
    for (place, row) in rows.iter().enumerate() {
        let mut around = row.vertex.group;
        while let Some(group) = around {
            let (first, last) = frames[group].rows;
            frames[group].rows = (first.min(place), last.max(place));
            around = graph.groups[group].parent;
        }
    }
    frames
}

/// Sets the heights of rows and boxes, from top to bottom; returns that of the foot.
fn set_heights(rows: &mut [Row], frames: &mut [Frame]) -> f64 {
    let mut y = MARGIN + 24.0;
    for (place, row) in rows.iter_mut().enumerate() {
        // An outer box comes before those inside: it begins first, and ends last.
        for frame in frames.iter_mut().filter(|frame| frame.rows.0 == place) {
            frame.y.0 = y;
            y += HEADING;
        }
        row.y = y + row.height() / 2.0;
        y += row.height();
        for frame in frames.iter_mut().rev().filter(|frame| frame.rows.1 == place) {
            y += PADDING;
            frame.y.1 = y;
        }
        row.label = y + 15.0;
        y += GAP;
    }
    y + 14.0
}

/// What does not go straight down, on the innermost lanes that are free, the short ways first.
fn ways(rows: &[Row]) -> Vec<Way> {
    let mut ways: Vec<Way> = (0..rows.len()).map(|from| Way { from, to: Vec::new(), lane: 0, x: 0.0 }).collect();
    for (place, row) in rows.iter().enumerate() {
        for &source in row.sources.iter().filter(|&source| source + 1 != place) {
            ways[source].to.push((place, 0.0));
        }
    }
    ways.retain(|way| !way.to.is_empty());
    ways.sort_by_key(|way| (way.end() - way.from, way.from));
    let mut lanes: Vec<Vec<(usize, usize)>> = Vec::new();
    for way in &mut ways {
        let (from, end) = (way.from, way.end());
        let is_free = |lane: &Vec<(usize, usize)>| lane.iter().all(|&(first, last)| end <= first || last <= from);
        way.lane = lanes.iter().position(is_free).unwrap_or(lanes.len());
        lanes.resize_with(lanes.len().max(way.lane + 1), Vec::new);
        lanes[way.lane].push((from, end));
    }
    ways
}

impl Way {
    fn end(&self) -> usize {
        self.to.last().map_or(self.from, |&(row, _)| row)
    }
}

/// Sets the heights at which ways enter: where several enter a row the outer ones are lower, so that they do not cross.
fn set_entries(rows: &[Row], ways: &mut [Way]) {
    let mut entering = vec![Vec::new(); rows.len()];
    ways.iter().for_each(|way| way.to.iter().for_each(|&(row, _)| entering[row].push(way.lane)));
    entering.iter_mut().for_each(|lanes| lanes.sort_unstable());
    for way in ways {
        let lane = way.lane;
        for (row, y) in &mut way.to {
            let lanes = &entering[*row];
            let step = (12.0 / lanes.len() as f64).min(5.0);
            *y = rows[*row].y - 8.0 + step * lanes.partition_point(|&other| other < lane) as f64;
        }
    }
}
