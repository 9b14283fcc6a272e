//! Convolutions and pooling.

use crate::row::{Row, row};
use wengert::ops::{AvgPool, MaxPool};
use wengert::prelude::*;

/// Convolutions, with every option; they are linear in each input, so that the third order is about their rules' rules' rules.
pub fn convolutions() -> Vec<Row> {
    let line: [&[&[usize]]; 2] = [&[&[2, 4, 6], &[2, 4, 3], &[2]], &[&[1, 4, 3], &[4, 4, 2], &[4]]];
    let groups: [&[&[usize]]; 2] = [&[&[2, 4, 5], &[2, 2, 3], &[2]], &[&[0, 4, 4], &[2, 2, 2], &[2]]];
    let image: [&[&[usize]]; 2] = [&[&[2, 2, 4, 5], &[3, 2, 2, 3], &[3]], &[&[1, 2, 3, 3], &[1, 2, 3, 1], &[1]]];
    let depthwise: [&[&[usize]]; 1] = [&[&[1, 2, 4, 4], &[4, 1, 2, 2], &[4]]];
    let onto_line: [&[&[usize]]; 1] = [&[&[2, 2, 3], &[2, 1, 3], &[2]]];
    let onto_image: [&[&[usize]]; 1] = [&[&[2, 2, 2, 3], &[2, 3, 2, 2], &[3]]];
    let without_bias =
        |cases: &[&'static [&'static [usize]]]| -> Vec<&[&[usize]]> { cases.iter().map(|case| &case[..2]).collect() };
    vec![
        row("conv1d", &without_bias(&line), |x| x[0].conv1d(&x[1], Conv::new())),
        row("conv1d_bias", &line, |x| x[0].conv1d_bias(&x[1], &x[2], Conv::new())),
        row("conv1d_bias", &groups, |x| x[0].conv1d_bias(&x[1], &x[2], Conv::new().groups(2).stride(2).padding(1))),
        row("conv2d", &without_bias(&image), |x| x[0].conv2d(&x[1], Conv::new().stride([1, 2]))),
        row("conv2d_bias", &image, |x| x[0].conv2d_bias(&x[1], &x[2], Conv::new().padding([1, 0]))),
        row("conv2d_bias", &depthwise, |x| x[0].conv2d_bias(&x[1], &x[2], Conv::new().groups(2).dilation([2, 1]))),
        row("conv_transpose1d", &without_bias(&onto_line), |x| x[0].conv_transpose1d(&x[1], Conv::new())),
        row("conv_transpose1d_bias", &onto_line, |x| {
            x[0].conv_transpose1d_bias(&x[1], &x[2], Conv::new().groups(2).stride(2).output_padding(1))
        }),
        row("conv_transpose2d", &without_bias(&onto_image), |x| x[0].conv_transpose2d(&x[1], Conv::new())),
        row("conv_transpose2d_bias", &onto_image, |x| {
            x[0].conv_transpose2d_bias(&x[1], &x[2], Conv::new().stride(2).padding([1, 0]).dilation([1, 2]))
        }),
        row("unfold2d", &[&[&[2, 2, 4, 3]]], |x| x[0].unfold2d([3, 2], Conv::new().stride(2).padding(1))),
    ]
}

/// Pooling with windows that overlap, leave gaps and stand out; the elements of the inputs are apart.
pub fn pooling() -> Vec<Row> {
    let line: [&[&[usize]]; 2] = [&[&[2, 7]], &[&[1, 2, 5]]];
    let image: [&[&[usize]]; 2] = [&[&[1, 2, 5, 6]], &[&[4, 5]]];
    vec![
        row("max_pool1d", &line, |x| x[0].max_pool1d(3)),
        row("max_pool1d", &line, |x| x[0].max_pool1d(MaxPool::new(2).stride(3).padding(1).ceil_mode(true))),
        row("max_pool2d", &image, |x| x[0].max_pool2d([2, 3])),
        row("max_pool2d", &image, |x| x[0].max_pool2d(MaxPool::new(3).stride([1, 2]).padding([0, 1]))),
        row("max_pool2d", &image, |x| x[0].max_pool2d(MaxPool::new(2).dilation([2, 3]).stride(1))),
        row("max_pool2d", &[&[&[2, 3, 4], &[2, 2, 3]]], |x| {
            let y = x[0].max_pool2d(MaxPool::new(2).stride(1));
            y.vjp(&x[1], &[&x[0]])[0].clone().expect("the gradient by the input, as a function of the cotangent")
        }),
        row("avg_pool1d", &line, |x| x[0].avg_pool1d(AvgPool::new(3).stride(1).padding(1))),
        row("avg_pool2d", &image, |x| {
            x[0].avg_pool2d(AvgPool::new([3, 2]).stride(2).padding([1, 0]).ceil_mode(true).count_include_pad(false))
        }),
        row("adaptive_avg_pool1d", &line, |x| x[0].adaptive_avg_pool1d(3)),
        row("adaptive_avg_pool2d", &image, |x| x[0].adaptive_avg_pool2d([3, 4])),
    ]
}
