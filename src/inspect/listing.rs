//! Printing a tape as the Wengert list.

use crate::autograd::Tape;
use crate::error::shortened;
use crate::inspect::{Graph, Input, Kind, Vertex};
use crate::tensor::Float;
use std::fmt::{self, Display, Formatter};

/// Lists the recorded operations, one per line: the inputs (`_` is a constant), the settings, the shape, the bytes saved for the
/// backward pass, and the source line.
///
/// A saved value that several operations share counts in each of their lines, but only once in the total on the last line, as in
/// [`Tape::saved_bytes`]. After [`name_parameters`](Tape::name_parameters) the list also has the paths and modules of parameters.
///
/// ```
/// use wengert::prelude::*;
///
/// let tape = Tape::new();
/// let x = tape.var(2.0);
/// let y = x.powi(3) - 4.0 * &x;
/// let list = tape.to_string();
/// assert!(list.contains("%1  powi(%0) { n: 3 }"), "{list}");
/// ```
impl<T: Float> Display for Tape<T> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let graph = Graph::of(self);
        let mut lines = vec![["", "operation", "shape", "saved", "module", "at"].map(String::from)];
        lines.extend(graph.vertices.iter().enumerate().map(|(index, vertex)| line(&graph, index, vertex)));
        let (all, live) = (graph.vertices.len(), graph.live_nodes());
        let count = if live < all { format!("{all} nodes, {live} live") } else { format!("{all} nodes") };
        lines.push(["".into(), count, "".into(), format!("{} B", graph.saved_bytes), "".into(), "".into()]);
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let [number, operation, shape, saved, module] = [0, 1, 2, 3, 4].map(width);
        for [a, b, c, d, e, at] in &lines {
            let start = format!("{a:<number$}  {b:<operation$}  {c:<shape$}  {d:>saved$}");
            let text =
                if graph.groups.is_empty() { format!("{start}  {at}") } else { format!("{start}  {e:<module$}  {at}") };
            writeln!(f, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

/// The maximum width of a column. Every line is as wide as the widest.
const MAX_WIDTH: usize = 200;

/// The columns of one line.
fn line(graph: &Graph, index: usize, vertex: &Vertex) -> [String; 6] {
    let input = |input: &Input| match input {
        Input::Node(source) => format!("%{source}"),
        Input::Constant(_) => "_".into(),
    };
    let inputs: Vec<String> = vertex.inputs.iter().map(input).collect();
    let call = format!("{}({})", vertex.name, inputs.join(", "));
    let operation = match vertex.kind {
        Kind::Variable | Kind::Parameter | Kind::Constant => vertex.name.clone(),
        Kind::Operation => format!("{call} {}", vertex.settings).trim_end().into(),
        Kind::Released => format!("{call}, released"),
    };
    let saved = if vertex.saved_bytes > 0 { format!("{} B", vertex.saved_bytes) } else { String::new() };
    let module = vertex.group.map_or(String::new(), |group| graph.groups[group].path.clone());
    let at = format!("{}:{}", vertex.location.file(), vertex.location.line());
    [format!("%{index}"), operation, format!("{:?}", vertex.shape), saved, module, at]
        .map(|text| shortened(&text, MAX_WIDTH).into_owned())
}
