//! CIFAR-10.

use crate::support::files::{directory, message};
use std::fs;
use wengert::data::cifar10;
use wengert::prelude::*;

/// Images whose label and pixels are a number.
fn file(numbers: &[u8]) -> Vec<u8> {
    let image = |&number: &u8| {
        std::iter::once(number).chain([number, 10 * number, 20 * number].into_iter().flat_map(|x| [x; 1024]))
    };
    numbers.iter().flat_map(image).collect()
}

#[test]
fn files_are_read_in_order() {
    let directory = directory();
    let write = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).unwrap();
    for number in 1..=5 {
        write(&format!("data_batch_{number}.bin"), &file(&[number, 0]));
    }
    assert!(cifar10::load(directory.path()).unwrap_err().to_string().contains("test_batch.bin"));
    write("test_batch.bin", &file(&[9]));
    let (train, test) = cifar10::load(directory.path()).unwrap();
    assert_eq!(train.labels(), [1, 0, 2, 0, 3, 0, 4, 0, 5, 0]);
    assert_eq!((train.image_shape(), test.labels()), (&[3, 32, 32][..], &[9][..]));
    let images = train.normalize_channels(&[0.0, 0.0, 1.0], &[1.0, 0.5, 1.0]).batch(&[2]).images.reshape([3, 1024]);
    let expected = [2.0 / 255.0, 20.0 / 255.0 / 0.5, 40.0 / 255.0 - 1.0];
    for (channel, expected) in expected.into_iter().enumerate() {
        assert!(images.rows(&[channel]).as_slice().iter().all(|x| (x - expected).abs() < 1e-6));
    }

    write("test_batch.bin", &file(&[9])[1..]);
    let expected = "end of the images at byte 3072: expected a multiple of 3073 bytes";
    assert!(message(cifar10::load(directory.path())).starts_with(expected));
    write("test_batch.bin", &file(&[3, 10]));
    assert_eq!(message(cifar10::load(directory.path())), "label at byte 3073: expected 0 to 9, found 10");
}
