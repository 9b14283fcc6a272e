//! The MNIST loader.

use super::idx::{Directory, after_path, idx_file};
use crate::support::files::gzip;
use std::fs;
use wengert::data::{Images, mnist};
use wengert::prelude::*;

const MNIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/mnist");

#[test]
fn mnist_is_what_it_should_be() {
    let (train, test) = mnist::load(MNIST).unwrap();
    assert_eq!((train.len(), test.len()), (60_000, 10_000));
    assert_eq!((train.image_shape(), test.image_shape()), (&[28, 28][..], &[28, 28][..]));
    let histogram = |set: &Images| {
        let mut counts = [0; 10];
        set.labels().iter().for_each(|&label| counts[label] += 1);
        counts
    };
    assert_eq!(histogram(&train), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    assert_eq!(histogram(&test), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);

    let (mut sum, mut squares) = (0.0, 0.0);
    for batch in train.batches(1000) {
        for &pixel in batch.images.as_slice() {
            sum += f64::from(pixel);
            squares += f64::from(pixel) * f64::from(pixel);
        }
    }
    let count = 60_000.0 * 784.0;
    let mean = sum / count;
    let std = (squares / count - mean * mean).sqrt();
    assert!((mean - 0.1307).abs() < 5e-5 && (std - 0.3081).abs() < 5e-5, "mean {mean}, std {std}");
}

#[test]
fn mnist_files_may_be_compressed_or_not() {
    let directory = Directory::new("mnist_files_may_be_compressed_or_not");
    directory.write_mnist();
    let labels = gzip(&fs::read(directory.0.join("t10k-labels-idx1-ubyte")).unwrap());
    fs::remove_file(directory.0.join("t10k-labels-idx1-ubyte")).unwrap();
    directory.write("t10k-labels-idx1-ubyte.gz", &labels);
    let (train, test) = mnist::load(&directory.0).unwrap();
    assert_eq!((train.labels(), test.labels()), (&[1, 9][..], &[1, 9][..]));
}

#[test]
fn mnist_files_must_fit_together() {
    let directory = Directory::new("mnist_files_must_fit_together");
    let [images, labels] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];
    let cases = [
        (
            images,
            idx_file(&[2, 28, 27], &[0; 2 * 28 * 27]),
            "dimensions at byte 4: expected [n, 28, 28], found [2, 28, 27]",
        ),
        (images, idx_file(&[2, 784], &[0; 2 * 784]), "dimensions at byte 4: expected [n, 28, 28], found [2, 784]"),
        (images, idx_file(&[0, 28, 28], &[]), "dimensions at byte 4: expected [n, 28, 28], found [0, 28, 28]"),
        (labels, idx_file(&[3], &[0; 3]), "dimensions at byte 4: expected [2], one label per image, found [3]"),
        (labels, idx_file(&[2], &[9, 10]), "label at byte 9: expected 0 to 9, found 10"),
    ];
    for (name, bytes, expected) in cases {
        directory.write_mnist();
        let path = directory.write(name, &bytes);
        assert_eq!(after_path(&mnist::load(&directory.0).unwrap_err(), &path), expected);
    }
    directory.write_mnist();
    fs::remove_file(directory.0.join(labels)).unwrap();
    let expected = "found neither t10k-labels-idx1-ubyte.gz nor t10k-labels-idx1-ubyte";
    assert_eq!(after_path(&mnist::load(&directory.0).unwrap_err(), &directory.0), expected);
}
