//! The layout of the drawing.
//!
//! Each operation has a row, in the order of the tape, which is topological: every edge goes down. An edge to the next row is a
//! straight arrow. Every other edge leaves on the right, runs down a vertical track, and enters from the right; short edges have the
//! inner tracks, so the edges into a backward pass nest like brackets. Parameters and constants are labels to the left of the
//! operation that reads them, and an application of a module, a contiguous range of rows, is a box behind them.

use crate::inspect::{Graph, Group, Input, Kind, Vertex};

// Lengths in pixels.
pub(crate) const ROW_HEIGHT: f64 = 28.0;
const ROW_GAP: f64 = 26.0;
pub(crate) const LABEL_HEIGHT: f64 = 18.0;
const LABEL_GAP: f64 = 4.0;
/// From the label of a parameter or constant to its operation.
pub(crate) const LABEL_DISTANCE: f64 = 22.0;
const TRACK_WIDTH: f64 = 12.0;
const MARGIN: f64 = 18.0;
/// From the totals of the columns down to the legend.
pub(crate) const LEGEND_DISTANCE: f64 = 24.0;
/// Inside a box.
pub(crate) const PADDING: f64 = 9.0;
const HEADING_HEIGHT: f64 = 22.0;
/// Font sizes: of the names of operations, and of other text.
pub(crate) const LARGE: f64 = 13.0;
pub(crate) const SMALL: f64 = 11.0;
/// Longer settings are truncated, in characters.
const MAX_SETTINGS: usize = 28;

/// A node that is not a parameter, with its labels.
pub(crate) struct Row<'a> {
    pub(crate) index: usize,
    pub(crate) vertex: &'a Vertex,
    pub(crate) settings: String,
    /// The rows that it reads.
    sources: Vec<usize>,
    /// The parameters and constants that it reads.
    pub(crate) labels: Vec<(Kind, String)>,
    /// The vertical center.
    pub(crate) y: f64,
    /// The baseline of the shape below the row.
    pub(crate) shape_y: f64,
    /// Whether the next row reads it.
    pub(crate) feeds_next: bool,
}

/// The edges from one row to rows other than the next; they share a track.
pub(crate) struct Edge {
    pub(crate) from: usize,
    /// The rows that read it, and the height at which the edge enters each.
    pub(crate) to: Vec<(usize, f64)>,
    track: usize,
    pub(crate) x: f64,
}

/// The box of a group.
pub(crate) struct Frame<'a> {
    pub(crate) group: &'a Group,
    pub(crate) x: (f64, f64),
    pub(crate) y: (f64, f64),
    /// The first and last row inside.
    rows: (usize, usize),
}

/// The positions of all elements.
pub(crate) struct Layout<'a> {
    pub(crate) rows: Vec<Row<'a>>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) frames: Vec<Frame<'a>>,
    /// The left and right edges of the operations.
    pub(crate) left: f64,
    pub(crate) right: f64,
    /// The right edge of the column of saved bytes, and the left edge of that of source lines.
    pub(crate) saved: f64,
    pub(crate) locations: f64,
    /// The baselines of the headings and totals of these columns.
    pub(crate) header: f64,
    pub(crate) footer: f64,
    pub(crate) margin: f64,
    pub(crate) size: (f64, f64),
}

impl<'a> Layout<'a> {
    pub(crate) fn of(graph: &'a Graph) -> Self {
        let mut rows = rows(graph);
        let mut frames = frames(graph, &rows);
        let footer = set_heights(&mut rows, &mut frames);
        let mut edges = edges(&rows);
        set_entries(&rows, &mut edges);

        let depth = frames.iter().map(|frame| frame.group.depth + 1).max().unwrap_or(0) as f64;
        let widest = |widths: &mut dyn Iterator<Item = f64>| widths.fold(0.0, f64::max);
        let label = |(_, text): &(Kind, String)| label_width(text) + LABEL_DISTANCE;
        let labels = widest(&mut rows.iter().flat_map(|row| &row.labels).map(label));
        let operation = widest(&mut rows.iter().map(|row| row.text_width() + 28.0)).max(96.0);
        let left = MARGIN + depth * PADDING + labels;
        let right = left + operation;
        for frame in &mut frames {
            let outside = frame.group.depth as f64;
            frame.x = (MARGIN + outside * PADDING, right + (depth - outside) * PADDING);
        }
        let tracks = edges.iter().map(|edge| edge.track + 1).max().unwrap_or(0) as f64;
        let first_track = right + depth * PADDING + 14.0;
        edges.iter_mut().for_each(|edge| edge.x = first_track + edge.track as f64 * TRACK_WIDTH);
        let saved = first_track + tracks * TRACK_WIDTH + 62.0;
        let locations = saved + 18.0;
        let location = widest(&mut rows.iter().map(|row| text_width(&row.location(), SMALL))).max(72.0);
        let size = (locations + location + MARGIN, footer + LEGEND_DISTANCE + MARGIN);
        Layout {
            rows,
            edges,
            frames,
            left,
            right,
            saved,
            locations,
            header: MARGIN + 8.0,
            footer,
            margin: MARGIN,
            size,
        }
    }

    /// The horizontal center of the operations.
    pub(crate) fn center(&self) -> f64 {
        (self.left + self.right) / 2.0
    }
}

impl Row<'_> {
    fn text_width(&self) -> f64 {
        let settings = if self.settings.is_empty() { 0.0 } else { text_width(&self.settings, SMALL) + 6.0 };
        text_width(&self.vertex.name, LARGE) + settings
    }

    /// The source line, with the last two components of the path.
    pub(crate) fn location(&self) -> String {
        let location = self.vertex.location;
        let names: Vec<&str> = location.file().split(['/', '\\']).collect();
        format!("{}:{}", names[names.len().saturating_sub(2)..].join("/"), location.line())
    }

    fn height(&self) -> f64 {
        ROW_HEIGHT.max(self.labels.len() as f64 * (LABEL_HEIGHT + LABEL_GAP) - LABEL_GAP)
    }

    /// The vertical center of a label.
    pub(crate) fn label_y(&self, k: usize) -> f64 {
        self.y + (k as f64 - (self.labels.len() as f64 - 1.0) / 2.0) * (LABEL_HEIGHT + LABEL_GAP)
    }

    /// The height at which edges leave on the right.
    pub(crate) fn exit(&self) -> f64 {
        self.y + 9.0
    }
}

/// The approximate width of a text: sans-serif characters are a little more than half as wide as the font size.
fn text_width(text: &str, font: f64) -> f64 {
    text.chars().count() as f64 * font * 0.56
}

pub(crate) fn label_width(text: &str) -> f64 {
    text_width(text, SMALL) + 16.0
}

fn rows(graph: &Graph) -> Vec<Row<'_>> {
    let mut row_of = vec![None; graph.vertices.len()];
    let mut rows: Vec<Row> = Vec::new();
    for (index, vertex) in graph.vertices.iter().enumerate().filter(|(_, vertex)| vertex.kind != Kind::Parameter) {
        row_of[index] = Some(rows.len());
        let sources: Vec<usize> = vertex.sources().into_iter().filter_map(|source| row_of[source]).collect();
        if let Some(before) = rows.len().checked_sub(1).filter(|before| sources.contains(before)) {
            rows[before].feeds_next = true;
        }
        let (settings, labels) = (settings(vertex), labels(graph, vertex));
        rows.push(Row { index, vertex, settings, sources, labels, y: 0.0, shape_y: 0.0, feeds_next: false });
    }
    rows
}

/// The settings of an operation, without flags that are off and without seeds.
fn settings(vertex: &Vertex) -> String {
    let fields = vertex.settings.fields().iter().filter(|(name, value)| *name != "seed" && value != "false");
    let settings = fields.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(", ");
    let truncated = settings.chars().count() > MAX_SETTINGS;
    settings.chars().take(MAX_SETTINGS).chain(truncated.then_some('…')).collect()
}

/// The labels of an operation: parameters, by their paths within the group, and constants.
fn labels(graph: &Graph, vertex: &Vertex) -> Vec<(Kind, String)> {
    let group = vertex.group.map_or(String::new(), |group| format!("{}.", graph.groups[group].path));
    let label = |input: &Input| match input {
        Input::Node(source) => {
            let Vertex { kind: Kind::Parameter, name, shape, .. } = &graph.vertices[*source] else { return None };
            Some((Kind::Parameter, format!("{} {shape:?}", name.strip_prefix(&group).unwrap_or(name))))
        }
        Input::Constant(Some(shape)) => Some((Kind::Constant, format!("constant {shape:?}"))),
        Input::Constant(None) => Some((Kind::Constant, "constant".into())),
    };
    vertex.inputs.iter().filter_map(label).collect()
}

/// The box of each group, with its first and last row.
fn frames<'a>(graph: &'a Graph, rows: &[Row]) -> Vec<Frame<'a>> {
    let empty = |group| Frame { group, x: (0.0, 0.0), y: (0.0, 0.0), rows: (usize::MAX, 0) };
    let mut frames: Vec<Frame> = graph.groups.iter().map(empty).collect();
    for (position, row) in rows.iter().enumerate() {
        let mut enclosing = row.vertex.group;
        while let Some(group) = enclosing {
            let (first, last) = frames[group].rows;
            frames[group].rows = (first.min(position), last.max(position));
            enclosing = graph.groups[group].parent;
        }
    }
    frames
}

/// Sets the vertical positions of rows and boxes, from top to bottom; returns that of the footer.
fn set_heights(rows: &mut [Row], frames: &mut [Frame]) -> f64 {
    let mut y = MARGIN + 24.0;
    for (position, row) in rows.iter_mut().enumerate() {
        // Outer boxes come first in the list: they begin first and end last.
        for frame in frames.iter_mut().filter(|frame| frame.rows.0 == position) {
            frame.y.0 = y;
            y += HEADING_HEIGHT;
        }
        row.y = y + row.height() / 2.0;
        y += row.height();
        for frame in frames.iter_mut().rev().filter(|frame| frame.rows.1 == position) {
            y += PADDING;
            frame.y.1 = y;
        }
        row.shape_y = y + 15.0;
        y += ROW_GAP;
    }
    y + 14.0
}

/// The edges to rows other than the next, shortest first, each on the innermost track that is free.
fn edges(rows: &[Row]) -> Vec<Edge> {
    let mut edges: Vec<Edge> = (0..rows.len()).map(|from| Edge { from, to: Vec::new(), track: 0, x: 0.0 }).collect();
    for (position, row) in rows.iter().enumerate() {
        for &source in row.sources.iter().filter(|&source| source + 1 != position) {
            edges[source].to.push((position, 0.0));
        }
    }
    edges.retain(|edge| !edge.to.is_empty());
    edges.sort_by_key(|edge| (edge.end() - edge.from, edge.from));
    let mut tracks: Vec<Vec<(usize, usize)>> = Vec::new();
    for edge in &mut edges {
        let (from, end) = (edge.from, edge.end());
        let is_free = |track: &Vec<(usize, usize)>| track.iter().all(|&(first, last)| end <= first || last <= from);
        edge.track = tracks.iter().position(is_free).unwrap_or(tracks.len());
        tracks.resize_with(tracks.len().max(edge.track + 1), Vec::new);
        tracks[edge.track].push((from, end));
    }
    edges
}

impl Edge {
    fn end(&self) -> usize {
        self.to.last().map_or(self.from, |&(row, _)| row)
    }
}

/// Sets the heights at which edges enter a row: outer edges enter lower, so that they do not cross.
fn set_entries(rows: &[Row], edges: &mut [Edge]) {
    let mut entering = vec![Vec::new(); rows.len()];
    edges.iter().for_each(|edge| edge.to.iter().for_each(|&(row, _)| entering[row].push(edge.track)));
    entering.iter_mut().for_each(|tracks| tracks.sort_unstable());
    for edge in edges {
        let track = edge.track;
        for (row, y) in &mut edge.to {
            let tracks = &entering[*row];
            let step = (12.0 / tracks.len() as f64).min(5.0);
            *y = rows[*row].y - 8.0 + step * tracks.partition_point(|&other| other < track) as f64;
        }
    }
}
