//! Mistakes with data and metrics.

use super::{Case, matrix};
use wengert::data::{Images, MinMax, Samples, Standardizer, csv, one_hot};
use wengert::metrics::{ConfusionMatrix, Mean, accuracy, top_k};
use wengert::optim::EarlyStopping;
use wengert::prelude::*;

/// Reading and preparing data.
pub const DATA: &[Case] = &[
    ("element_count", || _ = Images::new(vec![0; 5], vec![0, 1], [2, 2])),
    ("option", || _ = images().normalize(0.0, 0.0)),
    ("row_out_of_range", || _ = images().batch(&[2])),
    ("batch_size", || _ = images().batches(0)),
    ("sample_count", || _ = Samples::new(matrix(), vec![0; 3])),
    ("sample_count", || _ = Samples::new((matrix(), vec![0; 3]), matrix())),
    ("axis_out_of_range", || _ = Samples::new(Tensor::<f32>::scalar(1.0), vec![0])),
    ("row_out_of_range", || _ = Samples::new((matrix(), vec![0; 2]), matrix()).batch(&[2])),
    ("row_out_of_range", || _ = Samples::new(vec![0; 2], vec![0; 2]).batch(&[0, 3])),
    ("row_out_of_range", || _ = images().subset([0, 2])),
    ("row_out_of_range", || _ = images().subset([1]).batch(&[1])),
    ("portion", || _ = images().split(1.5, &mut wengert::rng(0))),
    ("portion", || _ = images().split(f64::NAN, &mut wengert::rng(0))),
    ("portion", || _ = images().split(3, &mut wengert::rng(0))),
    ("folds", || _ = images().k_fold(1, &mut wengert::rng(0))),
    ("folds", || _ = images().k_fold(3, &mut wengert::rng(0))),
    ("no_samples", || _ = Standardizer::fit(&Tensor::<f32>::zeros([0, 3]))),
    ("no_samples", || _ = MinMax::fit(&Tensor::<f32>::scalar(1.0))),
    ("feature_shape", || _ = Standardizer::fit(&matrix()).apply(&Tensor::<f32>::ones([3]))),
    ("feature_shape", || _ = MinMax::fit(&matrix()).invert(&Tensor::<f32>::ones([2, 3, 1]))),
    ("label_out_of_range", || _ = one_hot(&[0, 3], 3)),
    ("delimiter", || _ = csv::Reader::new().delimiter('，')),
    ("delimiter", || _ = csv::Reader::new().delimiter('"')),
];

/// Measuring models.
pub const METRICS: &[Case] = &[
    ("label_count", || _ = accuracy(&matrix(), &[0])),
    ("label_count", || _ = accuracy(&Tensor::<f32>::ones([2, 3, 4]), &[0; 4])),
    ("label_out_of_range", || _ = top_k(&matrix(), &[0, 3], 2)),
    ("no_class_axis", || _ = accuracy(&Tensor::<f32>::scalar(1.0), &[0])),
    ("class_count", || ConfusionMatrix::new(2).add(&matrix(), &[0, 1])),
    ("predictions", || ConfusionMatrix::new(2).add_predictions(&[0], &[0, 1])),
    ("label_out_of_range", || ConfusionMatrix::new(2).add_predictions(&[2], &[0])),
    ("label_out_of_range", || _ = ConfusionMatrix::new(2).class(2)),
    ("option", || Mean::new().add_weighted(1.0, -1.0)),
    ("option", || _ = EarlyStopping::new(1).min_delta(-0.1)),
];

fn images() -> Images {
    Images::new(vec![0; 8], vec![0, 1], [2, 2])
}
