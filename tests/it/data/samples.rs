//! Sample data sets in memory.

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;
use wengert::data::{SampleBatch, Samples};
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("sample_count", || _ = Samples::new(matrix(), vec![0; 3])),
    ("sample_count", || _ = Samples::new((matrix(), vec![0; 3]), matrix())),
    ("axis_out_of_range", || _ = Samples::new(Tensor::<f32>::scalar(1.0), vec![0])),
    ("row_out_of_range", || _ = Samples::new((matrix(), vec![0; 2]), matrix()).batch(&[2])),
    ("row_out_of_range", || _ = Samples::new(vec![0; 2], vec![0; 2]).batch(&[0, 3])),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn one_interface_serves_single_samples_batches_and_the_whole_set() {
    let samples = Samples::new(Tensor::<f32>::arange(0.0, 24.0, 1.0).reshape([4, 3, 2]), vec![0, 1, 2, 3]);
    let shapes = |size| Vec::from_iter(samples.batches(size).map(|batch| batch.inputs.shape().to_vec()));
    assert_eq!(shapes(1), vec![vec![1, 3, 2]; 4]);
    assert_eq!(shapes(3), [[3, 3, 2], [1, 3, 2]]);
    assert_eq!(samples.batches(3).drop_last().count(), 1);
    assert_eq!(shapes(9), [[4, 3, 2]]);
    let whole: SampleBatch = samples.all();
    assert_eq!(whole.inputs.as_slice().as_ptr(), samples.inputs().as_slice().as_ptr(), "the whole set is not copied");
    assert_eq!((&whole.inputs, &whole.targets), (samples.inputs(), samples.targets()));
    let empty = Samples::new(Tensor::<f32>::zeros([0, 3]), vec![0; 0]);
    assert!(empty.is_empty() && empty.batches(2).next().is_none());
}
