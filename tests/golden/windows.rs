//! Convolution and pooling: operators whose windows slide over images.

use crate::Fault;
use crate::attributes::Attributes;
use crate::operators::Row;
use wengert::ops::{AvgPool, MaxPool};
use wengert::{Conv, Var};

/// The rows of the table.
pub fn rows(op: &str, inputs: &[Var<f64>], a: &Attributes) -> Row {
    let found = convolution(op, inputs, a)?;
    if found.is_some() { Ok(found) } else { pooling(op, inputs, a) }
}

fn convolution(op: &str, inputs: &[Var<f64>], a: &Attributes) -> Row {
    Ok(Some(match (op, inputs) {
        ("unfold2d", [x]) => x.unfold2d(a.per_axis("kernel_size", 1)?, sliding(a)?),
        ("conv1d", [x, weight]) => x.conv1d(weight, grouped(a)?),
        ("conv1d", [x, weight, bias]) => x.conv1d_bias(weight, bias, grouped(a)?),
        ("conv2d", [x, weight]) => x.conv2d(weight, grouped(a)?),
        ("conv2d", [x, weight, bias]) => x.conv2d_bias(weight, bias, grouped(a)?),
        ("conv_transpose1d", [x, weight]) => x.conv_transpose1d(weight, transposed(a)?),
        ("conv_transpose1d", [x, weight, bias]) => x.conv_transpose1d_bias(weight, bias, transposed(a)?),
        ("conv_transpose2d", [x, weight]) => x.conv_transpose2d(weight, transposed(a)?),
        ("conv_transpose2d", [x, weight, bias]) => x.conv_transpose2d_bias(weight, bias, transposed(a)?),
        _ => return Ok(None),
    }))
}

fn sliding<const D: usize>(a: &Attributes) -> Result<Conv<D>, Fault> {
    let (stride, padding, dilation) = (a.per_axis("stride", 1)?, a.per_axis("padding", 0)?, a.per_axis("dilation", 1)?);
    Ok(Conv::new().stride(stride).padding(padding).dilation(dilation))
}

fn grouped<const D: usize>(a: &Attributes) -> Result<Conv<D>, Fault> {
    Ok(sliding(a)?.groups(a.get_or("groups", 1)?))
}

fn transposed<const D: usize>(a: &Attributes) -> Result<Conv<D>, Fault> {
    Ok(grouped(a)?.output_padding(a.per_axis("output_padding", 0)?))
}

fn pooling(op: &str, inputs: &[Var<f64>], a: &Attributes) -> Row {
    let [x] = inputs else { return Ok(None) };
    Ok(Some(match op {
        "max_pool1d" => x.max_pool1d(max(a)?),
        "max_pool2d" => x.max_pool2d(max(a)?),
        "avg_pool1d" => x.avg_pool1d(average(a)?),
        "avg_pool2d" => x.avg_pool2d(average(a)?),
        "adaptive_avg_pool2d" => x.adaptive_avg_pool2d(a.per_axis("output_size", 1)?),
        _ => return Ok(None),
    }))
}

fn max<const D: usize>(a: &Attributes) -> Result<MaxPool<D>, Fault> {
    let kernel = a.per_axis("kernel_size", 1)?;
    let pool = MaxPool::new(kernel).padding(a.per_axis("padding", 0)?).dilation(a.per_axis("dilation", 1)?);
    Ok(pool.stride(stride(a, kernel)?).ceil_mode(a.get_or("ceil_mode", false)?))
}

fn average<const D: usize>(a: &Attributes) -> Result<AvgPool<D>, Fault> {
    let kernel = a.per_axis("kernel_size", 1)?;
    let pool = AvgPool::new(kernel).stride(stride(a, kernel)?).padding(a.per_axis("padding", 0)?);
    Ok(pool.ceil_mode(a.get_or("ceil_mode", false)?).count_include_pad(a.get_or("count_include_pad", true)?))
}

/// The stride of a pooling: the size of the windows, unless it is given.
fn stride<const D: usize>(a: &Attributes, kernel: [usize; D]) -> Result<[usize; D], Fault> {
    match a.get::<Option<Vec<usize>>>("stride")? {
        Some(_) => a.per_axis("stride", 1),
        None => Ok(kernel),
    }
}
