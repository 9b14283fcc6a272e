//! The rows of operators that move elements and change none.

use crate::attributes::Attributes;
use crate::compose;
use crate::json::{Read, Value};
use crate::operators::Row;
use wengert::Var;

/// Operators that change the shape or the order of the axes.
pub fn layout(op: &str, inputs: &[Var<f64>], a: &Attributes) -> Row {
    let [x] = inputs else { return Ok(None) };
    Ok(Some(match op {
        "reshape" => x.reshape(a.get::<Vec<isize>>("shape")?),
        "flatten" => x.flatten(a.get_or("start_dim", 0isize)?, a.get_or("end_dim", -1isize)?),
        "permute" => x.permute(a.get::<Vec<isize>>("dims")?),
        "transpose" => x.transpose(a.int("dim0")?, a.int("dim1")?),
        "expand" => x.broadcast_to(a.get::<Vec<isize>>("shape")?),
        "squeeze" => match a.get::<Option<Vec<isize>>>("dim")? {
            Some(axes) => compose::squeeze(x, &axes),
            None => x.squeeze(),
        },
        "unsqueeze" => x.unsqueeze(a.int("dim")?),
        "repeat" => compose::repeat(x, &a.get::<Vec<usize>>("repeats")?),
        "repeat_interleave" => compose::repeat_interleave(x, a.get("repeats")?, a.int("dim")?),
        _ => return Ok(None),
    }))
}

/// Operators that take a part.
pub fn selection(op: &str, inputs: &[Var<f64>], a: &Attributes) -> Row {
    Ok(Some(match (op, inputs) {
        ("slice", [x]) => {
            let slices = a.get::<Vec<Vec<Option<isize>>>>("slices")?;
            let part = |x: Var<f64>, (axis, slice): (usize, &Vec<Option<isize>>)| match slice[..] {
                [start, stop, step] => Ok(compose::slice(&x, axis, start, stop, step.unwrap_or(1))),
                _ => Err(a.unknown("slices")),
            };
            slices.iter().enumerate().try_fold(x.clone(), part)?
        }
        ("select", [x]) => {
            let (axis, index) = (a.int("dim")?, a.int("index")?);
            x.select(axis, index)
        }
        ("split", [x]) => {
            let (sizes, axis, pick) = (a.get::<Value>("sizes")?, a.get_or("dim", 0isize)?, a.get::<usize>("pick")?);
            match usize::read(&sizes) {
                Some(size) => x.split(size, axis).swap_remove(pick),
                None => x.split_with_sizes(&a.get::<Vec<usize>>("sizes")?, axis).swap_remove(pick),
            }
        }
        ("chunk", [x]) => {
            let (chunks, axis, pick) = (a.get("chunks")?, a.get_or("dim", 0isize)?, a.get::<usize>("pick")?);
            x.chunk(chunks, axis).swap_remove(pick)
        }
        ("flip", [x]) => {
            let axes = a.get::<Vec<isize>>("dims")?;
            x.flip(axes.as_slice())
        }
        ("where", [x, y]) => x.where_mask(&a.get("condition")?, y),
        ("masked_fill", [x]) => {
            let (mask, value) = (a.get("mask")?, a.real("value")?);
            x.masked_fill(&mask, value)
        }
        ("tril", [x]) => {
            let diagonal = a.get_or("diagonal", 0)?;
            x.masked_fill(&compose::band(x, |offset| offset > diagonal), 0.0)
        }
        ("triu", [x]) => {
            let diagonal = a.get_or("diagonal", 0)?;
            x.masked_fill(&compose::band(x, |offset| offset < diagonal), 0.0)
        }
        ("diagonal", [x]) => {
            let (offset, rows, columns) = (a.get_or("offset", 0)?, a.get_or("dim1", 0)?, a.get_or("dim2", 1)?);
            compose::diagonal(x, offset, rows, columns)
        }
        _ => return Ok(None),
    }))
}

/// Operators of any number of inputs.
pub fn joining(op: &str, inputs: &[Var<f64>], a: &Attributes) -> Row {
    Ok(Some(match op {
        "concat" => Var::concat(inputs, a.get_or("dim", 0isize)?),
        "stack" => Var::stack(inputs, a.get_or("dim", 0isize)?),
        _ => return Ok(None),
    }))
}
