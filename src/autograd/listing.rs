//! Printing a tape: the Wengert list.

use super::Tape;
use super::tape::{Content, Node, NodeId};
use crate::kernel::small_box::AsDyn;
use crate::tensor::{Float, element_count};
use std::fmt::{self, Display, Formatter};

/// The list of what was recorded: a line an operation with its inputs (`_` is a constant), its settings, shape, the bytes it
/// saved for its rule, and the source line. What a saved value shares with a parameter or another value counts too.
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
        let header = ["", "operation", "shape", "saved", "at"].map(String::from);
        let mut lines = vec![header];
        lines.extend(self.list().nodes().map(|(id, node)| line(self, id, node)));
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let [number, operation, shape, saved] = [0, 1, 2, 3].map(width);
        for [a, b, c, d, e] in &lines {
            let text = format!("{a:<number$}  {b:<operation$}  {c:<shape$}  {d:>saved$}  {e}");
            writeln!(f, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

/// The columns of one line.
fn line<T: Float>(tape: &Tape<T>, id: NodeId, node: &Node<T>) -> [String; 5] {
    let list = tape.list();
    let input = |input: &Option<NodeId>| input.map_or("_".into(), |id| format!("%{}", id.index()));
    let inputs: Vec<String> = list.inputs(id).iter().map(input).collect();
    let operation = match &node.content {
        Content::Variable => node.name.to_string(),
        Content::Parameter(id) => tape.path(*id).unwrap_or(node.name.into()),
        Content::Operation(op) => {
            let text = format!("{:?}", op.as_dyn().debug());
            let settings = text.find(['{', '(']).map_or("", |at| text[at..].trim_matches(['(', ')']));
            let settings = if settings.is_empty() { String::new() } else { format!(" {settings}") };
            format!("{}({}){settings}", node.name, inputs.join(", "))
        }
        Content::Running => format!("{}({}), running", node.name, inputs.join(", ")),
        Content::Released(_) => format!("{}({}), released", node.name, inputs.join(", ")),
    };
    let saved: usize = list.saved(id).iter().flatten().map(|value| element_count(value.shape()) * size_of::<T>()).sum();
    let saved = if saved > 0 { format!("{saved} B") } else { String::new() };
    let at = format!("{}:{}", node.location.file(), node.location.line());
    [format!("%{}", id.index()), operation, format!("{:?}", node.shape.as_slice()), saved, at]
}
