//! The printable summary of a model.

use super::Path;
use crate::autograd::Param;
use crate::tensor::Float;
use std::fmt::{self, Display, Formatter};

/// The layers of a model with their parameters, returned by [`Module::summary`](super::Module::summary); `Display` prints a
/// table.
#[derive(Clone, Debug)]
pub struct Summary {
    layers: Vec<Layer>,
}

/// A module that directly contains parameters.
#[derive(Clone, Debug)]
struct Layer {
    path: String,
    kind: &'static str,
    parameters: Vec<String>,
    count: usize,
}

impl Summary {
    /// Collects the parameters of a traversal, one row per module.
    pub(super) fn of<T: Float>(visit: impl FnOnce(&mut Path, &mut dyn FnMut(&Path, &Param<T>))) -> Self {
        let mut layers: Vec<Layer> = Vec::new();
        visit(&mut Path::new(), &mut |path, param| {
            let (module, kind, name) = path.split();
            if layers.last().is_none_or(|layer| layer.path != module) {
                layers.push(Layer { path: module.into(), kind, parameters: Vec::new(), count: 0 });
            }
            let layer = layers.last_mut().expect("just pushed");
            layer.parameters.push(format!("{name} {:?}", param.shape()));
            layer.count += usize::from(param.is_trainable()) * param.value().len();
        });
        Summary { layers }
    }
}

impl Display for Summary {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let mut rows = vec![["layer", "type", "parameters", "count"].map(String::from)];
        rows.extend(
            self.layers.iter().map(|layer| {
                [layer.path.clone(), layer.kind.into(), layer.parameters.join(", "), grouped(layer.count)]
            }),
        );
        let total = self.layers.iter().map(|layer| layer.count).sum();
        rows.push(["total".into(), String::new(), String::new(), grouped(total)]);
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let [path, kind, parameters, count] = [0, 1, 2, 3].map(width);
        for [a, b, c, d] in &rows {
            writeln!(f, "{a:<path$}  {b:<kind$}  {c:<parameters$}  {d:>count$}")?;
        }
        Ok(())
    }
}

/// Formats a number with a space between groups of three digits.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(" ")
}
