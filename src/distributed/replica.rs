//! Equal models on all ranks.

use crate::distributed::Communicator;
use crate::error::{Error, Mismatch};
use crate::nn::{Module, Path};
use crate::tensor::{Float, Tensor};
use std::collections::BTreeMap;

/// Gives the model of every rank the parameters and buffers of rank 0.
///
/// # Errors
/// If the paths or shapes of a model differ from those of rank 0: [`Error::Replica`] lists every difference, on every rank for the
/// first such rank. Nothing is changed then.
///
/// ```
/// use wengert::distributed::{self, Communicator, on_threads};
/// use wengert::prelude::*;
///
/// let values = on_threads(2, |ranks| {
///     let mut model: Param = Param::new(ranks.rank() as f32);
///     distributed::broadcast_parameters(ranks, &mut model).unwrap();
///     model.value().item()
/// });
/// assert_eq!(values, [0.0, 0.0]);
/// ```
pub fn broadcast_parameters<T: Float, M: Module<T> + ?Sized>(
    communicator: &dyn Communicator,
    model: &mut M,
) -> Result<(), Error> {
    let mut own = String::new();
    model.visit(&mut Path::new(), &mut |path, param| own += &format!("{path}\t{} {:?}\n", T::NAME, param.shape()));
    let all = communicator.all_gather(own.as_bytes());
    let all: Vec<_> = all.iter().map(|message| entries(message)).collect();
    for (rank, found) in all.iter().enumerate() {
        let mismatches = mismatches(&all[0], found);
        if !mismatches.is_empty() {
            return Err(Error::Replica { rank, mismatches });
        }
    }

    let mut bytes = Vec::new();
    if communicator.rank() == 0 {
        model.visit(&mut Path::new(), &mut |_, param| T::write_bytes(param.value().as_slice(), &mut bytes));
    }
    let bytes = communicator.broadcast(&bytes);
    let mut rest = &bytes[..];
    model.visit_mut(&mut Path::new(), &mut |_, param| {
        let (value, others) = rest.split_at(param.value().len() * size_of::<T>());
        rest = others;
        *param.value_mut() = Tensor::from_vec(T::read_bytes(value), param.shape());
    });
    Ok(())
}

/// The shapes by path of a model that described itself.
fn entries(message: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(message);
    let entry = |line: &str| line.split_once('\t').map(|(path, shape)| (path.to_string(), shape.to_string()));
    let mut entries = BTreeMap::new();
    entries.extend(text.lines().filter_map(entry));
    entries
}

fn mismatches(expected: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> Vec<Mismatch> {
    let mut paths: Vec<&String> = expected.keys().chain(found.keys()).collect();
    paths.sort_unstable();
    paths.dedup();
    let of =
        |shapes: &BTreeMap<String, String>, path: &String| shapes.get(path).map_or("nothing".into(), String::clone);
    let differs = paths.into_iter().filter(|path| expected.get(*path) != found.get(*path));
    differs.map(|path| Mismatch::new(path, of(expected, path), of(found, path))).collect()
}
