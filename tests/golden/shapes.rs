//! The rows of operators that move elements, add up runs of them, and change none.

use crate::attributes::Attributes;
use crate::compose;
use crate::json::{Read, Value};
use crate::operators::Row;
use wengert::{Indices, PadMode, Tensor, Var};

/// Operators that change the shape or the order of the elements.
pub fn layout(op: &str, inputs: &[Var<f64>], a: &Attributes) -> Row {
    let [x] = inputs else { return Ok(None) };
    Ok(Some(match op {
        "reshape" => x.reshape(a.get::<Vec<isize>>("shape")?),
        "flatten" => x.flatten(a.get_or("start_dim", 0isize)?, a.get_or("end_dim", -1isize)?),
        "permute" => x.permute(a.get::<Vec<isize>>("dims")?),
        "transpose" => x.transpose(a.int("dim0")?, a.int("dim1")?),
        "expand" => x.broadcast_to(a.get::<Vec<isize>>("shape")?),
        "squeeze" => match a.get::<Option<Vec<isize>>>("dim")? {
            Some(axes) => x.squeeze_axis(compose::of_size_1(x, &axes).as_slice()),
            None => x.squeeze(),
        },
        "unsqueeze" => x.unsqueeze(a.int("dim")?),
        "repeat" => x.repeat(a.get::<Vec<usize>>("repeats")?),
        "repeat_interleave" => {
            let (times, axis) = (a.get("repeats")?, a.int("dim")?);
            x.repeat_interleave(times, axis)
        }
        "flip" => x.flip(a.get::<Vec<isize>>("dims")?.as_slice()),
        "roll" => {
            let (shifts, axes) = (a.get::<Vec<isize>>("shifts")?, a.get::<Vec<isize>>("dims")?);
            shifts.iter().zip(axes).fold(x.clone(), |x, (&shift, axis)| x.roll(shift, axis))
        }
        "pad" => x.pad(&a.pairs("pad")?, pad_mode(a)?),
        _ => return Ok(None),
    }))
}

fn pad_mode(a: &Attributes) -> Result<PadMode, crate::Fault> {
    let value = a.get_or("value", 0.0)?;
    match a.get_or("mode", "constant".to_string())?.as_str() {
        "constant" => Ok(PadMode::Constant(value)),
        "reflect" => Ok(PadMode::Reflect),
        "replicate" => Ok(PadMode::Replicate),
        "circular" => Ok(PadMode::Circular),
        _ => Err(a.unknown("mode")),
    }
}

/// Operators that take a part.
pub fn selection(op: &str, inputs: &[Var<f64>], a: &Attributes) -> Row {
    let [x] = inputs else { return Ok(None) };
    Ok(Some(match op {
        "slice" => {
            let slices = a.get::<Vec<Vec<Option<isize>>>>("slices")?;
            let part = |x: Var<f64>, (axis, slice): (usize, &Vec<Option<isize>>)| match slice[..] {
                [start, stop, step] => Ok(compose::slice(&x, axis, start, stop, step.unwrap_or(1))),
                _ => Err(a.unknown("slices")),
            };
            slices.iter().enumerate().try_fold(x.clone(), part)?
        }
        "select" => {
            let (axis, index) = (a.int("dim")?, a.int("index")?);
            x.select(axis, index)
        }
        "split" => {
            let (sizes, axis, pick) = (a.get::<Value>("sizes")?, a.get_or("dim", 0isize)?, a.get::<usize>("pick")?);
            match usize::read(&sizes) {
                Some(size) => x.split(size, axis).swap_remove(pick),
                None => x.split_with_sizes(&a.get::<Vec<usize>>("sizes")?, axis).swap_remove(pick),
            }
        }
        "chunk" => {
            let (chunks, axis, pick) = (a.get("chunks")?, a.get_or("dim", 0isize)?, a.get::<usize>("pick")?);
            x.chunk(chunks, axis).swap_remove(pick)
        }
        "masked_fill" => {
            let (mask, value) = (a.get("mask")?, a.real("value")?);
            x.masked_fill(&mask, value)
        }
        "tril" => x.tril(a.get_or("diagonal", 0)?),
        "triu" => x.triu(a.get_or("diagonal", 0)?),
        "diagonal" => {
            let (offset, rows, columns) =
                (a.get_or("offset", 0)?, a.get_or("dim1", 0isize)?, a.get_or("dim2", 1isize)?);
            x.diagonal(offset, rows, columns)
        }
        "diag_embed" => x.diag_embed(a.get_or("offset", 0)?),
        _ => return Ok(None),
    }))
}

/// Operators that take elements by position, or add them.
pub fn lookup(op: &str, inputs: &[Var<f64>], a: &Attributes) -> Row {
    Ok(Some(match (op, inputs) {
        ("index_select", [x]) => {
            let (axis, indices) = (a.int("dim")?, a.get::<Indices>("index")?);
            x.index_select(axis, indices.as_slice())
        }
        ("index_add", [x, source]) => {
            let (axis, indices) = (a.int("dim")?, a.get::<Indices>("index")?);
            x.index_add(axis, indices.as_slice(), source)
        }
        ("gather", [x]) => {
            let (axis, indices) = (a.int("dim")?, a.get::<Indices>("index")?);
            x.gather(axis, indices)
        }
        ("scatter_add", [x, source]) => {
            let (axis, indices) = (a.int("dim")?, a.get::<Indices>("index")?);
            x.scatter_add(axis, indices, source)
        }
        ("index", [x]) => x.index(&a.get::<Vec<Indices>>("indices")?),
        ("embedding", [weight]) => {
            let (indices, padding_idx) = (a.get::<Indices>("index")?, a.get("padding_idx")?);
            weight.embedding(indices, padding_idx)
        }
        _ => return Ok(None),
    }))
}

/// Operators of several inputs, some of any number.
pub fn joining(op: &str, inputs: &[Var<f64>], a: &Attributes) -> Row {
    Ok(Some(match (op, inputs) {
        ("concat", _) => Var::concat(inputs, a.get_or("dim", 0isize)?),
        ("stack", _) => Var::stack(inputs, a.get_or("dim", 0isize)?),
        ("where", [x, y]) => x.where_(&a.get::<Tensor<f64>>("condition")?, y),
        _ => return Ok(None),
    }))
}

/// Running results along an axis.
pub fn running(op: &str, inputs: &[Var<f64>], a: &Attributes) -> Row {
    let [x] = inputs else { return Ok(None) };
    Ok(Some(match op {
        "cumsum" => x.cumsum(a.int("dim")?),
        "cumprod" => x.cumprod(a.int("dim")?),
        "logcumsumexp" => x.logcumsumexp(a.int("dim")?),
        _ => return Ok(None),
    }))
}
