//! The graph as a drawing.

use crate::inspect::layout::{Frame, LARGE, LEGEND, Layout, PADDING, PILL, ROW, Row, SMALL, Way, pill_width};
use crate::inspect::{Graph, Kind, Vertex};
use std::fmt::{self, Display, Formatter};

/// The lines and the fillings of a kind of node: Okabe and Ito's colours, 2008, which stay apart for the colour-blind.
struct Look {
    name: &'static str,
    line: &'static str,
    fill: &'static str,
}

const OPERATION: Look = Look { name: "operation", line: "#0072b2", fill: "#ffffff" };
const BACKWARD: Look = Look { name: "backward", line: "#d55e00", fill: "#fff5ee" };
const RELEASED: Look = Look { name: "released", line: "#8a9099", fill: "#f4f5f6" };
const VARIABLE: Look = Look { name: "variable", line: "#009e73", fill: "#e6f5f0" };
const PARAMETER: Look = Look { name: "parameter", line: "#b97c00", fill: "#fdf3dc" };
const CONSTANT: Look = Look { name: "constant", line: "#8a9099", fill: "#ffffff" };

const INK: &str = "#1c1e21";
const FAINT: &str = "#5a6068";
/// The radius of a bend.
const BEND: f64 = 6.0;

fn look(kind: Kind, backward: bool) -> Look {
    match kind {
        Kind::Operation if backward => BACKWARD,
        Kind::Operation => OPERATION,
        Kind::Released => RELEASED,
        Kind::Variable => VARIABLE,
        Kind::Parameter => PARAMETER,
        Kind::Constant => CONSTANT,
    }
}

/// The colour of a way: what a backward pass reads of the forward pass has that of the backward pass.
fn way_colour(from: &Vertex, to: &Vertex) -> &'static str {
    if to.backward && !from.backward { "#e59a66" } else { "#6b727b" }
}

/// The text of the drawing.
pub(crate) fn draw(graph: &Graph) -> String {
    Drawing { layout: Layout::of(graph), graph }.to_string()
}

struct Drawing<'a> {
    layout: Layout<'a>,
    graph: &'a Graph,
}

impl Display for Drawing<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let Layout { rows, ways, frames, size: (width, height), .. } = &self.layout;
        writeln!(
            f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
             height=\"{height:.0}\" role=\"img\" font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">"
        )?;
        writeln!(f, "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>")?;
        frames.iter().try_for_each(|frame| draw_frame(f, frame))?;
        // The longest ways first, so that a short one, which is easy to follow, lies above them.
        ways.iter().rev().try_for_each(|way| self.draw_way(f, way))?;
        for (place, row) in rows.iter().enumerate() {
            self.draw_row(f, row, rows.get(place + 1).filter(|_| row.straight))?;
        }
        self.draw_notes(f)?;
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
    /// Draws what goes down a lane: the way to the last row that reads it, and from that to the others.
    fn draw_way(&self, f: &mut Formatter, way: &Way) -> fmt::Result {
        let Layout { rows, right, .. } = &self.layout;
        let (from, x) = (&rows[way.from], way.x);
        for (index, &(row, entry)) in way.to.iter().enumerate().rev() {
            let colour = way_colour(from.vertex, rows[row].vertex);
            let start = if index + 1 == way.to.len() {
                let (exit, turn) = (from.exit(), x - BEND);
                format!("M{right:.1} {exit:.1}H{turn:.1}q{BEND} 0 {BEND} {BEND}")
            } else {
                format!("M{x:.1} {:.1}", entry - BEND)
            };
            let (turn, end) = (entry - BEND, right + 5.0);
            line(f, &format!("{start}V{turn:.1}q0 {BEND} -{BEND} {BEND}H{end:.1}"), colour)?;
            arrow(f, &format!("M{right:.1} {entry:.1}l7 -3.5v7z"), colour)?;
        }
        Ok(())
    }

    /// Draws an operation or variable with what stands on its left, the shape of its value, and the way to the next row.
    fn draw_row(&self, f: &mut Formatter, row: &Row, next: Option<&Row>) -> fmt::Result {
        let Layout { left, right, saved, places, .. } = self.layout;
        let (vertex, middle, top, bottom) = (row.vertex, self.layout.middle(), row.y - ROW / 2.0, row.y + ROW / 2.0);
        if let Some(next) = next {
            let (end, colour) = (next.y - ROW / 2.0, way_colour(vertex, next.vertex));
            line(f, &format!("M{middle:.1} {bottom:.1}V{:.1}", end - 5.0), colour)?;
            arrow(f, &format!("M{middle:.1} {end:.1}l-3.5 -7h7z"), colour)?;
        }
        text(f, (middle + 7.0, row.label), SMALL, FAINT, "", &format!("{:?}", vertex.shape))?;
        for (k, pill) in row.pills.iter().enumerate() {
            draw_pill(f, left, row, row.pill_y(k), pill)?;
        }

        let look = look(vertex.kind, vertex.backward);
        let radius = if vertex.kind == Kind::Variable { ROW / 2.0 } else { 5.0 };
        let dashes = if vertex.kind == Kind::Released { " stroke-dasharray=\"4 3\"" } else { "" };
        let (line, fill, width) = (look.line, look.fill, right - left);
        let tip = format!("%{}  {} {}  {:?}", row.index, vertex.name, vertex.settings, vertex.shape);
        writeln!(
            f,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{ROW}\" rx=\"{radius}\" fill=\"{fill}\" \
             stroke=\"{line}\" stroke-width=\"1.4\"{dashes}><title>{}</title></rect>",
            escaped(&tip)
        )?;
        let settings = match row.settings.as_str() {
            "" => String::new(),
            settings => format!("<tspan dx=\"6\" font-size=\"{SMALL}\" fill=\"{FAINT}\">{}</tspan>", escaped(settings)),
        };
        let name = format!("{}{settings}", escaped(&vertex.name));
        text(f, (middle, row.y + 4.5), LARGE, INK, "text-anchor=\"middle\"", &name)?;
        if vertex.saved_bytes > 0 {
            text(f, (saved, row.y + 4.0), SMALL, FAINT, "text-anchor=\"end\"", &bytes(vertex.saved_bytes))?;
        }
        text(f, (places, row.y + 4.0), SMALL, FAINT, "", &escaped(&row.place()))
    }

    /// Writes the headings of the columns, and at the foot what the colours say and how much there is.
    fn draw_notes(&self, f: &mut Formatter) -> fmt::Result {
        let Layout { rows, saved, places, head, foot, margin, .. } = &self.layout;
        text(f, (*saved, *head), SMALL, FAINT, "text-anchor=\"end\" font-style=\"italic\"", "saved")?;
        text(f, (*places, *head), SMALL, FAINT, "font-style=\"italic\"", "recorded at")?;
        let total = bytes(self.graph.saved_bytes);
        text(f, (*saved, *foot), SMALL, INK, "text-anchor=\"end\" font-weight=\"600\"", &total)?;
        let (all, live) = (self.graph.vertices.len(), self.graph.live_nodes());
        let count = if live < all { format!("{all} nodes, {live} live") } else { format!("{all} nodes") };
        text(f, (*places, *foot), SMALL, INK, "font-weight=\"600\"", &count)?;

        let of_rows = rows.iter().map(|row| (row.vertex.kind, row.vertex.backward));
        let of_pills = rows.iter().flat_map(|row| &row.pills).map(|(kind, _)| (*kind, false));
        let mut kinds: Vec<(Kind, bool)> = of_rows.chain(of_pills).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let mut x = *margin;
        for Look { name, line, fill } in kinds.into_iter().map(|(kind, backward)| look(kind, backward)) {
            let y = foot + LEGEND;
            writeln!(
                f,
                "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"14\" height=\"10\" rx=\"3\" fill=\"{fill}\" stroke=\"{line}\" \
                 stroke-width=\"1.4\"/>",
                y - 9.0
            )?;
            text(f, (x + 19.0, y), SMALL, FAINT, "", name)?;
            x += pill_width(name) + 18.0;
        }
        Ok(())
    }
}

/// Draws a parameter or constant on the left of the operation that reads it.
fn draw_pill(f: &mut Formatter, left: f64, row: &Row, y: f64, (kind, label): &(Kind, String)) -> fmt::Result {
    let Look { line: colour, fill, .. } = look(*kind, false);
    let width = pill_width(label);
    let (right, reach) = (left - 22.0, ROW / 2.0 - 5.0);
    let (x, top, entry) = (right - width, y - PILL / 2.0, y.clamp(row.y - reach, row.y + reach));
    let (bend, end) = (left - 14.0, left - 5.0);
    line(f, &format!("M{right:.1} {y:.1}C{bend:.1} {y:.1} {bend:.1} {entry:.1} {end:.1} {entry:.1}"), colour)?;
    arrow(f, &format!("M{left:.1} {entry:.1}l-6 -3v6z"), colour)?;
    writeln!(
        f,
        "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{PILL}\" rx=\"9\" fill=\"{fill}\" stroke=\"{colour}\"/>"
    )?;
    text(f, (x + width / 2.0, y + 4.0), SMALL, INK, "text-anchor=\"middle\"", &escaped(label))
}

fn text(f: &mut Formatter, (x, y): (f64, f64), size: f64, colour: &str, attributes: &str, text: &str) -> fmt::Result {
    let space = if attributes.is_empty() { "" } else { " " };
    writeln!(
        f,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" fill=\"{colour}\"{space}{attributes}>{text}</text>"
    )
}

fn line(f: &mut Formatter, path: &str, colour: &str) -> fmt::Result {
    writeln!(f, "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.3\"/>")
}

fn arrow(f: &mut Formatter, path: &str, colour: &str) -> fmt::Result {
    writeln!(f, "<path d=\"{path}\" fill=\"{colour}\"/>")
}

/// Text in which nothing is markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A number of bytes in the unit that suits it.
fn bytes(count: usize) -> String {
    match count as f64 {
        count if count < 1024.0 => format!("{count} B"),
        count if count < 1024.0 * 1024.0 => format!("{:.1} KiB", count / 1024.0),
        count => format!("{:.1} MiB", count / 1024.0 / 1024.0),
    }
}
