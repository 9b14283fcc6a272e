//! Image data sets in memory.

use super::{images, numbered_images as numbered};
use crate::support::panics::{Panic, messages};
use wengert::data::Images;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("element_count", || _ = Images::new(vec![0; 5], vec![0, 1], [2, 2])),
    ("option", || _ = images().normalize(0.0, 0.0)),
    ("channel_scale", || _ = images().normalize_channels(&[0.5], &[0.5])),
    ("channel_scale", || _ = images().normalize_channels(&[0.5; 2], &[0.5])),
    ("option", || _ = images().normalize_channels(&[0.5; 2], &[0.5, 0.0])),
    ("row_out_of_range", || _ = images().batch(&[2])),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn pixels_are_converted_as_documented() {
    let images = Images::new((0..=255).collect(), vec![0], [16, 16]);
    let expected: Vec<f32> = (0..=255u8).map(|pixel| f32::from(pixel) / 255.0).collect();
    assert_eq!(images.all().images.as_slice(), expected);
    let normalized = images.normalize(0.1307, 0.3081).all().images;
    for (pixel, &value) in normalized.as_slice().iter().enumerate() {
        assert_eq!(value, ((pixel as f64 / 255.0 - 0.1307) / 0.3081) as f32);
    }
}

#[test]
fn a_limit_keeps_the_first_samples() {
    assert_eq!(numbered(10).take(3).all().labels, [0, 1, 2]);
    assert_eq!(numbered(10).take(3).all().images.shape(), [3, 1]);
    assert_eq!(numbered(10).take(usize::MAX).len(), 10);
}

#[test]
#[should_panic(expected = "Images: [3] has 3 elements, which do not fit shape [2, 2, 1]")]
fn pixels_fill_the_images() {
    let _ = Images::new(vec![0; 3], vec![0; 2], [2, 1]);
}
