//! The graph as an SVG drawing.

use crate::inspect::layout::{Edge, Frame, Layout, Row, label_width};
use crate::inspect::layout::{LABEL_DISTANCE, LABEL_HEIGHT, LARGE, LEGEND_DISTANCE, PADDING, ROW_HEIGHT, SMALL};
use crate::inspect::{Graph, Kind, Vertex};
use std::fmt::{self, Display, Formatter};

/// The colors of a kind of node, from the color-blind-safe palette of Okabe and Ito 2008.
struct Style {
    name: &'static str,
    stroke: &'static str,
    fill: &'static str,
}

const OPERATION: Style = Style { name: "operation", stroke: "#0072b2", fill: "#ffffff" };
const BACKWARD: Style = Style { name: "backward", stroke: "#d55e00", fill: "#fff5ee" };
const RELEASED: Style = Style { name: "released", stroke: "#8a9099", fill: "#f4f5f6" };
const VARIABLE: Style = Style { name: "variable", stroke: "#009e73", fill: "#e6f5f0" };
const PARAMETER: Style = Style { name: "parameter", stroke: "#b97c00", fill: "#fdf3dc" };
const CONSTANT: Style = Style { name: "constant", stroke: "#8a9099", fill: "#ffffff" };

const INK: &str = "#1c1e21";
const FAINT: &str = "#5a6068";
/// The corner radius of edges.
const RADIUS: f64 = 6.0;

fn style(kind: Kind, backward: bool) -> Style {
    match kind {
        Kind::Operation if backward => BACKWARD,
        Kind::Operation => OPERATION,
        Kind::Released => RELEASED,
        Kind::Variable => VARIABLE,
        Kind::Parameter => PARAMETER,
        Kind::Constant => CONSTANT,
    }
}

/// The color of an edge; edges from the forward into the backward pass stand out.
fn edge_color(from: &Vertex, to: &Vertex) -> &'static str {
    if to.backward && !from.backward { "#e59a66" } else { "#6b727b" }
}

/// The maximum number of nodes and inputs that are drawn.
const MAX_ELEMENTS: usize = 10_000;

/// The drawing as text.
pub(crate) fn draw(graph: &Graph) -> String {
    let inputs: usize = graph.vertices.iter().map(|vertex| vertex.inputs.len()).sum();
    if graph.vertices.len() + inputs > MAX_ELEMENTS {
        return too_large(graph.vertices.len());
    }
    Drawing { layout: Layout::of(graph), graph }.to_string()
}

/// What is drawn in place of a large graph.
fn too_large(nodes: usize) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 640 48\" width=\"640\" height=\"48\" role=\"img\">\n\
         <text x=\"16\" y=\"29\" font-family=\"sans-serif\" font-size=\"{LARGE}\" fill=\"{INK}\">{nodes} nodes are too many for a \
         drawing: use to_dot(), or print the tape</text>\n</svg>\n"
    )
}

struct Drawing<'a> {
    layout: Layout<'a>,
    graph: &'a Graph,
}

impl Display for Drawing<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let Layout { rows, edges, frames, size: (width, height), .. } = &self.layout;
        writeln!(
            f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
             height=\"{height:.0}\" role=\"img\" font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">"
        )?;
        writeln!(f, "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>")?;
        frames.iter().try_for_each(|frame| draw_frame(f, frame))?;
        // Longest first, so that short edges are drawn on top.
        edges.iter().rev().try_for_each(|edge| self.draw_edge(f, edge))?;
        for (position, row) in rows.iter().enumerate() {
            self.draw_row(f, row, rows.get(position + 1).filter(|_| row.feeds_next))?;
        }
        self.draw_captions(f)?;
        writeln!(f, "</svg>")
    }
}

fn draw_frame(f: &mut Formatter, frame: &Frame) -> fmt::Result {
    let ((left, right), (top, bottom)) = (frame.x, frame.y);
    let (width, height, x, y) = (right - left, bottom - top, left + PADDING, top + 15.0);
    writeln!(
        f,
        "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"8\" fill=\"#0072b2\" \
         fill-opacity=\"0.06\" stroke=\"#0072b2\" stroke-opacity=\"0.22\"/>"
    )?;
    let (path, kind) = (escaped(&frame.group.path), frame.group.kind);
    let kind = format!("<tspan dx=\"6\" font-weight=\"400\" fill=\"{FAINT}\">{kind}</tspan>");
    let attributes = "font-weight=\"600\"";
    text(f, (x, y), SMALL, INK, attributes, &format!("{path}{kind}"))
}

impl Drawing<'_> {
    /// Draws the edges of one track: a line to the last row that reads the value, with branches to the others.
    fn draw_edge(&self, f: &mut Formatter, edge: &Edge) -> fmt::Result {
        let Layout { rows, right, .. } = &self.layout;
        let (from, x) = (&rows[edge.from], edge.x);
        for (index, &(row, entry)) in edge.to.iter().enumerate().rev() {
            let color = edge_color(from.vertex, rows[row].vertex);
            let start = if index + 1 == edge.to.len() {
                let (exit, turn) = (from.exit(), x - RADIUS);
                format!("M{right:.1} {exit:.1}H{turn:.1}q{RADIUS} 0 {RADIUS} {RADIUS}")
            } else {
                format!("M{x:.1} {:.1}", entry - RADIUS)
            };
            let (turn, end) = (entry - RADIUS, right + 5.0);
            line(f, &format!("{start}V{turn:.1}q0 {RADIUS} -{RADIUS} {RADIUS}H{end:.1}"), color)?;
            arrow(f, &format!("M{right:.1} {entry:.1}l7 -3.5v7z"), color)?;
        }
        Ok(())
    }

    /// Draws an operation or variable with its labels, its shape and the arrow to the next row.
    fn draw_row(&self, f: &mut Formatter, row: &Row, next: Option<&Row>) -> fmt::Result {
        let Layout { left, right, saved, locations, .. } = self.layout;
        let (vertex, center) = (row.vertex, self.layout.center());
        let (top, bottom) = (row.y - ROW_HEIGHT / 2.0, row.y + ROW_HEIGHT / 2.0);
        if let Some(next) = next {
            let (end, color) = (next.y - ROW_HEIGHT / 2.0, edge_color(vertex, next.vertex));
            line(f, &format!("M{center:.1} {bottom:.1}V{:.1}", end - 5.0), color)?;
            arrow(f, &format!("M{center:.1} {end:.1}l-3.5 -7h7z"), color)?;
        }
        text(f, (center + 7.0, row.shape_y), SMALL, FAINT, "", &format!("{:?}", vertex.shape))?;
        for (k, label) in row.labels.iter().enumerate() {
            draw_label(f, left, row, row.label_y(k), label)?;
        }

        let Style { stroke, fill, .. } = style(vertex.kind, vertex.backward);
        let radius = if vertex.kind == Kind::Variable { ROW_HEIGHT / 2.0 } else { 5.0 };
        let dashes = if vertex.kind == Kind::Released { " stroke-dasharray=\"4 3\"" } else { "" };
        let width = right - left;
        let tooltip = format!("%{}  {} {}  {:?}", row.index, vertex.name, vertex.settings, vertex.shape);
        writeln!(
            f,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{ROW_HEIGHT}\" rx=\"{radius}\" fill=\"{fill}\" \
             stroke=\"{stroke}\" stroke-width=\"1.4\"{dashes}><title>{}</title></rect>",
            escaped(&tooltip)
        )?;
        let settings = match row.settings.as_str() {
            "" => String::new(),
            settings => format!("<tspan dx=\"6\" font-size=\"{SMALL}\" fill=\"{FAINT}\">{}</tspan>", escaped(settings)),
        };
        let name = format!("{}{settings}", escaped(&vertex.name));
        text(f, (center, row.y + 4.5), LARGE, INK, "text-anchor=\"middle\"", &name)?;
        if vertex.saved_bytes > 0 {
            text(f, (saved, row.y + 4.0), SMALL, FAINT, "text-anchor=\"end\"", &bytes(vertex.saved_bytes))?;
        }
        text(f, (locations, row.y + 4.0), SMALL, FAINT, "", &escaped(&row.location()))
    }

    /// Draws the headings and totals of the columns, and the legend of the colors.
    fn draw_captions(&self, f: &mut Formatter) -> fmt::Result {
        let Layout { rows, saved, locations, header, footer, margin, .. } = &self.layout;
        text(f, (*saved, *header), SMALL, FAINT, "text-anchor=\"end\" font-style=\"italic\"", "saved")?;
        text(f, (*locations, *header), SMALL, FAINT, "font-style=\"italic\"", "recorded at")?;
        let total = bytes(self.graph.saved_bytes);
        text(f, (*saved, *footer), SMALL, INK, "text-anchor=\"end\" font-weight=\"600\"", &total)?;
        let (all, live) = (self.graph.vertices.len(), self.graph.live_nodes());
        let count = if live < all { format!("{all} nodes, {live} live") } else { format!("{all} nodes") };
        text(f, (*locations, *footer), SMALL, INK, "font-weight=\"600\"", &count)?;

        let of_rows = rows.iter().map(|row| (row.vertex.kind, row.vertex.backward));
        let of_labels = rows.iter().flat_map(|row| &row.labels).map(|(kind, _)| (*kind, false));
        let mut kinds: Vec<(Kind, bool)> = of_rows.chain(of_labels).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let mut x = *margin;
        for Style { name, stroke, fill } in kinds.into_iter().map(|(kind, backward)| style(kind, backward)) {
            let y = footer + LEGEND_DISTANCE;
            writeln!(
                f,
                "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"14\" height=\"10\" rx=\"3\" fill=\"{fill}\" stroke=\"{stroke}\" \
                 stroke-width=\"1.4\"/>",
                y - 9.0
            )?;
            text(f, (x + 19.0, y), SMALL, FAINT, "", name)?;
            x += label_width(name) + 18.0;
        }
        Ok(())
    }
}

/// Draws the label of a parameter or constant to the left of the operation that reads it.
fn draw_label(f: &mut Formatter, left: f64, row: &Row, y: f64, (kind, label): &(Kind, String)) -> fmt::Result {
    let Style { stroke, fill, .. } = style(*kind, false);
    let width = label_width(label);
    let (right, reach) = (left - LABEL_DISTANCE, ROW_HEIGHT / 2.0 - 5.0);
    let (x, top, entry) = (right - width, y - LABEL_HEIGHT / 2.0, y.clamp(row.y - reach, row.y + reach));
    let (bend, end) = (left - 14.0, left - 5.0);
    line(f, &format!("M{right:.1} {y:.1}C{bend:.1} {y:.1} {bend:.1} {entry:.1} {end:.1} {entry:.1}"), stroke)?;
    arrow(f, &format!("M{left:.1} {entry:.1}l-6 -3v6z"), stroke)?;
    writeln!(
        f,
        "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{LABEL_HEIGHT}\" rx=\"9\" fill=\"{fill}\" stroke=\"{stroke}\"/>"
    )?;
    text(f, (x + width / 2.0, y + 4.0), SMALL, INK, "text-anchor=\"middle\"", &escaped(label))
}

fn text(f: &mut Formatter, (x, y): (f64, f64), size: f64, color: &str, attributes: &str, text: &str) -> fmt::Result {
    let space = if attributes.is_empty() { "" } else { " " };
    writeln!(
        f,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" fill=\"{color}\"{space}{attributes}>{text}</text>"
    )
}

fn line(f: &mut Formatter, path: &str, color: &str) -> fmt::Result {
    writeln!(f, "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.3\"/>")
}

fn arrow(f: &mut Formatter, path: &str, color: &str) -> fmt::Result {
    writeln!(f, "<path d=\"{path}\" fill=\"{color}\"/>")
}

/// Text with its markup characters escaped.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A number of bytes with a suitable unit.
fn bytes(count: usize) -> String {
    match count as f64 {
        count if count < 1024.0 => format!("{count} B"),
        count if count < 1024.0 * 1024.0 => format!("{:.1} KiB", count / 1024.0),
        count => format!("{:.1} MiB", count / 1024.0 / 1024.0),
    }
}
