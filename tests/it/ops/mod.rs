//! Operations: gradients, properties on random inputs, and panics.
//!
//! Each file has a gradient row for every method of the source file of the same name, and several rows for a method with several
//! code paths. `registry` fails if an operation has no row.

mod attention;
mod by_subject;
mod dropout;
mod einsum;
mod elementwise;
mod instruction_sets;
mod linalg;
mod loss;
mod matmul;
mod norm;
mod recurrent;
mod reduce;
mod registry;
mod shape;
mod softmax;
mod window;

use crate::support::gradients::Row;
use crate::support::panics::Panic;
use wengert::prelude::*;

/// The gradient rows of all operations, by topic.
fn rows_by_topic() -> [(&'static str, Vec<Row>); 13] {
    [
        ("attention", attention::rows()),
        ("dropout", dropout::rows()),
        ("einsum", einsum::rows()),
        ("elementwise", elementwise::rows()),
        ("linalg", linalg::rows()),
        ("loss", loss::rows()),
        ("matmul", matmul::rows()),
        ("norm", norm::rows()),
        ("recurrent", recurrent::rows()),
        ("reduce", reduce::rows()),
        ("shape", shape::rows()),
        ("softmax", softmax::rows()),
        ("window", window::rows()),
    ]
}

/// The gradient rows of all operations.
fn rows() -> Vec<Row> {
    rows_by_topic().into_iter().flat_map(|(_, rows)| rows).collect()
}

/// The panics of all operations.
pub fn panics() -> Vec<Panic> {
    [
        attention::PANICS,
        dropout::PANICS,
        einsum::PANICS,
        &elementwise::panics(),
        instruction_sets::PANICS,
        &linalg::panics(),
        &loss::panics(),
        matmul::PANICS,
        &norm::panics(),
        &reduce::panics(),
        &shape::panics(),
        softmax::PANICS,
        &window::panics(),
    ]
    .concat()
}

#[test]
fn gradients_flow_through_the_gradients_of_fused_operations() {
    type Function = fn(&Var<f64>) -> Var<f64>;
    let fused: [Function; 6] = [
        |x| x.softmax(-1),
        |x| x.log_softmax(-1),
        |x| x.softmax_cross_entropy(&[2, 0]),
        |x| x.layer_norm([3], 1.0, 0.0, 1e-5),
        |x| x.rms_norm([3], 1.0, 1e-5),
        |x| x.batch_norm(1.0, 0.0, wengert::ops::BatchStatistics::OfBatch, 0.1).y,
    ];
    let x = tensor![f64; [0.3, -1.2, 2.0], [1.0, 0.0, -0.5]];
    for f in fused {
        // The square of a gradient, as in a gradient penalty.
        let penalty = |x: &[Var<f64>]| (f(&x[0]) * &x[1]).sum().grad(&x[0]).square().sum();
        assert_eq!(check::gradients(penalty, &[x.clone(), &x * 2.0 - 1.0]), Ok(()));
    }
}
