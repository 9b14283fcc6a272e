//! Matrix products: which shapes chain, the messages for those that do not, and how areas multiply.
//!
//! `cargo run --release --example 04_matrix_product` shows
//! - the shapes of products, up to a layer applied to a hundred images at once,
//! - the messages for shapes that do not chain,
//! - det(AB) = det A · det B, and that the gradient of a determinant is its matrix of cofactors,
//! - the unit square under A, B and AB.

mod support {
    pub mod arrow;
    pub mod command;
    pub mod figure;
    pub mod number;
    pub mod path;
    pub mod plane;
    pub mod scale;
    pub mod stroke;
    pub mod style;
}

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::panic::{catch_unwind, set_hook, take_hook};
use support::command::start;
use support::figure::{Canvas, Outcome, figure, quick};
use support::plane::{Axes, plane, vector};
use support::stroke::stroke;
use support::style::{COLORS, FONT};
use wengert::prelude::*;

fn main() -> Outcome {
    start(include_str!("04_matrix_product.rs"), []);
    shapes_that_chain();
    shapes_that_do_not();
    order_matters();
    determinants(if quick() { 100 } else { 10_000 });

    let a = tensor![f64; [1.5, 0.5], [0.0, 1.0]];
    let b = tensor![f64; [1.0, -1.0], [1.0, 1.0]];
    let title = "The unit square under two matrices and their product: areas multiply. Arrows 1 and 2: the columns";
    figure("04_matrix_product", title, (960, 800), |area| {
        let panels = area.split_evenly((2, 2));
        draw_square(&panels[0], "the unit square", &Tensor::eye(2))?;
        draw_square(&panels[1], "under B", &b)?;
        draw_square(&panels[2], "under A", &a)?;
        draw_square(&panels[3], "under AB: first B, then A", &a.matmul(&b))
    })
}

fn shapes_that_chain() {
    println!("The left matrix must have as many columns as the right one has rows:");
    let pairs: [(&[usize], &[usize], &str); 6] = [
        (&[2, 3], &[3, 4], ""),
        (&[2, 3], &[3], "a vector on the right is a column"),
        (&[3], &[3, 4], "a vector on the left is a row"),
        (&[3], &[3], "two vectors give a number"),
        (&[100, 784], &[784, 50], "a layer with 784 inputs and 50 outputs, on 100 images"),
        (&[8, 2, 3], &[3, 4], "each of 8 matrices"),
    ];
    for (left, right, note) in pairs {
        let product = Tensor::<f32>::ones(left).matmul(&Tensor::ones(right));
        println!(
            "{:>12} · {:<10} -> {:<10} {note}",
            format!("{left:?}"),
            format!("{right:?}"),
            format!("{:?}", product.shape())
        );
    }
}

fn shapes_that_do_not() {
    println!("\nOther shapes are a bug in the program, so it panics and reports the line (caught here):");
    print_panic(|tape| tape.var(Tensor::ones([2, 3])).matmul(Tensor::ones([2, 3])));
    print_panic(|tape| tape.var(Tensor::ones([100, 784])).relu().matmul(Tensor::ones([50, 784])));
    print_panic(|tape| tape.var(Tensor::ones([2, 3])).matmul(2.0));
    print_panic(|tape| {
        let layer = Linear::new(784, 50, Init::He, &mut wengert::rng(0));
        layer.forward(&tape.var(Tensor::ones([100, 28, 28])))
    });
}

/// Prints the panic message of a shape mismatch.
fn print_panic(mismatch: fn(&Tape) -> Var) {
    let hook = take_hook();
    set_hook(Box::new(|info| {
        let line = info.location().map_or(0, |location| location.line());
        println!("  line {line}: {}", info.payload().downcast_ref::<String>().map_or("no message", |text| text));
    }));
    let outcome = catch_unwind(|| mismatch(&Tape::new()).shape().to_vec());
    set_hook(hook);
    assert!(outcome.is_err(), "the shapes chain");
}

fn order_matters() {
    let (a, b) = (tensor![[1.0, 2.0], [3.0, 4.0]], tensor![[5.0, 6.0], [7.0, 8.0]]);
    println!("\nThe order matters:\nAB =\n{}\nBA =\n{}", a.matmul(&b), b.matmul(&a));
}

/// The cross product of two vectors of three elements.
fn cross(u: &Var<f64>, v: &Var<f64>) -> Var<f64> {
    let permuted = |x: &Var<f64>, order| x.index_select(0, order);
    permuted(u, &[1, 2, 0]) * permuted(v, &[2, 0, 1]) - permuted(u, &[2, 0, 1]) * permuted(v, &[1, 2, 0])
}

/// The determinant of a 3 × 3 matrix: the volume spanned by its rows, r0 · (r1 × r2).
fn determinant(matrix: &Var<f64>) -> Var<f64> {
    let [r0, r1, r2] = [0, 1, 2].map(|k| matrix.index_select(0, &[k]).reshape([3]));
    (r0 * cross(&r1, &r2)).sum()
}

fn determinants(count: usize) {
    let tape = Tape::new_f64();
    let a = tape.var([[2.0, -1.0, 0.0], [1.0, 3.0, 2.0], [0.0, 1.0, 1.0]]);
    let b = tape.var([[1.0, 0.0, 2.0], [-1.0, 1.0, 1.0], [0.0, 2.0, 3.0]]);
    let [det_a, det_b, det_ab] = [&a, &b, &a.matmul(&b)].map(determinant);
    println!("\ndet A = {det_a}   det B = {det_b}   det A · det B = {}   det(AB) = {det_ab}", &det_a * &det_b);

    let mut rng = wengert::rng(0);
    let mut worst = 0.0f64;
    for _ in 0..count {
        let tape = Tape::<f64>::with_mode(Mode::Inference);
        let [a, b] = [(); 2].map(|()| tape.constant(Tensor::randn([3, 3], &mut rng)));
        let (product, separate) = (determinant(&a.matmul(&b)).item(), (determinant(&a) * determinant(&b)).item());
        worst = worst.max((product - separate).abs() / separate.abs().max(1.0));
    }
    println!("{count} random pairs: the largest relative difference is {worst:.1e}");
    assert!(worst < 1e-10);

    let cofactors = det_a.grad(&a);
    println!("\nThe determinant is differentiable like any function. Its gradient, the cofactors of A:\n{cofactors}");
    let product = a.matmul(cofactors.transpose(0, 1));
    println!("A times their transpose has det A on the diagonal, which is why they give the inverse:\n{product}\n");
}

/// The signed area spanned by the columns of a 2 × 2 matrix: negative if it flips the square.
fn area_of(matrix: &Tensor<f64>) -> f64 {
    matrix[[0, 0]] * matrix[[1, 1]] - matrix[[0, 1]] * matrix[[1, 0]]
}

/// Draws the image of the unit square: the basis vectors are mapped to the columns.
fn draw_square(area: &Canvas, caption: &str, matrix: &Tensor<f64>) -> Outcome {
    let axes = Axes { ranges: [-2.0..3.0, -0.8..2.7], names: ["x", "y"] };
    let mut chart = plane(area, &format!("{caption}: area {:.2}", area_of(matrix)), &axes)?;
    let image = |x: f64, y: f64| {
        let point = matrix.matmul(&Tensor::from([x, y]));
        (point[[0]], point[[1]])
    };
    let corners = [image(0.0, 0.0), image(1.0, 0.0), image(1.0, 1.0), image(0.0, 1.0)];
    chart.draw_series([Polygon::new(corners, COLORS[5].mix(0.35))])?;
    stroke(&chart, [corners[1], corners[2], corners[3]], BLACK.stroke_width(1))?;
    for (tip, color, column) in [(corners[1], COLORS[0], 1), (corners[3], COLORS[1], 2)] {
        vector(&chart, [(0.0, 0.0), tip], color, 3)?;
        let style = (FONT, 17).into_font().color(&color).pos(Pos::new(HPos::Center, VPos::Center));
        let beyond = 1.0 + 0.5 / tip.0.hypot(tip.1);
        let text = format!("{column}: ({}, {})", tip.0, tip.1);
        chart.draw_series([Text::new(text, (tip.0 * beyond, tip.1 * beyond), style)])?;
    }
    Ok(())
}
