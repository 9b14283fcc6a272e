//! Random changes of images.

use crate::support::panics::{Panic, messages};
use wengert::data::{Augment, mixup, one_hot};
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("image_shape", || _ = Augment::new([784])),
    ("image_shape", || _ = Augment::new([3, 0, 4])),
    ("feature_shape", || _ = Augment::new([3, 2, 2]).apply(&Tensor::zeros([5, 4]), &mut wengert::rng(0))),
    ("no_samples", || _ = Augment::new([2, 2]).apply(&Tensor::scalar(0.0), &mut wengert::rng(0))),
    ("option", || _ = Augment::new([2, 2]).shift(-1.0)),
    ("option", || _ = Augment::new([2, 2]).scale(1.1, 0.9)),
    ("option", || _ = Augment::new([2, 2]).flip(1.5)),
    ("option", || _ = mixup(&Tensor::zeros([2, 1]), &Tensor::zeros([2, 1]), 0.0, &mut wengert::rng(0))),
    ("sample_count", || _ = mixup(&Tensor::zeros([2, 1]), &Tensor::zeros([3, 1]), 1.0, &mut wengert::rng(0))),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

/// Images of two channels whose pixels all differ.
fn images(count: usize, height: usize, width: usize) -> Tensor {
    Tensor::arange(1.0, 1.0 + (count * 2 * height * width) as f64, 1.0).reshape([count, 2, height, width])
}

#[test]
fn a_shift_far_beyond_the_image_leaves_nothing_of_it() {
    let x = Augment::new([2, 4, 5]).shift(1e308).apply(&images(3, 4, 5), &mut wengert::rng(0));
    assert_eq!(x, Tensor::zeros([3, 2, 4, 5]));
}

#[test]
fn without_changes_images_stay() {
    let x = images(3, 4, 5);
    assert_eq!(Augment::new([2, 4, 5]).apply(&x, &mut wengert::rng(0)), x);
    let none = Tensor::zeros([0, 40]);
    assert_eq!(Augment::new([2, 4, 5]).shift(1.0).apply(&none, &mut wengert::rng(0)), none);
}

#[test]
fn flips_and_crops_copy_pixels() {
    let x = images(40, 3, 4);
    let flipped = Augment::new([2, 3, 4]).flip(1.0).apply(&x, &mut wengert::rng(0));
    assert_eq!(flipped, x.flip([3]));
    let some = Augment::new([2, 3, 4]).flip(0.5).apply(&x, &mut wengert::rng(0));
    let mirrored = (0..40).filter(|&k| some.rows(&[k]) == flipped.rows(&[k])).count();
    let kept = (0..40).filter(|&k| some.rows(&[k]) == x.rows(&[k])).count();
    assert!(mirrored + kept == 40 && mirrored.min(kept) > 5, "{mirrored} {kept}");

    // Each part of the padded image occurs, and nothing else.
    let x = images(1, 2, 2);
    let mut found = std::collections::BTreeSet::new();
    let mut rng = wengert::rng(1);
    for _ in 0..400 {
        let y = Augment::new([2, 2, 2]).crop(1).fill(-1.0).apply(&x, &mut rng);
        found.insert(y.to_vec().into_iter().map(|value| value as i64).collect::<Vec<_>>());
    }
    assert_eq!(found.len(), 9);
    assert!(found.contains(&vec![-1, -1, -1, 1, -1, -1, -1, 5]), "{found:?}");
    assert!(found.contains(&vec![4, -1, -1, -1, 8, -1, -1, -1]), "{found:?}");
}

#[test]
fn rotations_and_scales_move_a_dot_where_it_belongs() {
    // A dot to the right of the center of 21 × 21 pixels.
    let mut x = Tensor::zeros([200, 21, 21]);
    (0..200).for_each(|k| x.as_mut_slice()[(k * 21 + 10) * 21 + 16] = 1.0);
    let center = |y: &Tensor, k: usize| {
        let pixels = &y.as_slice()[k * 441..(k + 1) * 441];
        let mean = |place: fn(usize) -> usize| {
            let weighted = pixels.iter().enumerate().map(|(k, &w)| f64::from(w) * (place(k) as f64 - 10.0));
            weighted.sum::<f64>() / pixels.iter().map(|&w| f64::from(w)).sum::<f64>()
        };
        [mean(|k| k / 21), mean(|k| k % 21)]
    };
    let y = Augment::new([21, 21]).rotate(30.0).apply(&x, &mut wengert::rng(0));
    let angles: Vec<f64> =
        (0..200).map(|k| center(&y, k)).map(|[row, column]| row.atan2(column).to_degrees()).collect();
    assert!(angles.iter().all(|angle| angle.abs() < 32.0), "{angles:?}");
    assert!(angles.iter().any(|&angle| angle > 20.0) && angles.iter().any(|&angle| angle < -20.0));
    let y = Augment::new([21, 21]).scale(1.5, 1.5).apply(&x, &mut wengert::rng(0));
    let [row, column] = center(&y, 0);
    assert!(row.abs() < 1e-6 && (column - 9.0).abs() < 0.3, "{row} {column}");
    let y = Augment::new([21, 21]).shift(2.0).apply(&x, &mut wengert::rng(0));
    let shifts: Vec<[f64; 2]> = (0..200).map(|k| center(&y, k)).collect();
    assert!(shifts.iter().all(|[row, column]| row.abs() <= 2.0 + 1e-6 && (column - 6.0).abs() <= 2.0 + 1e-6));
    // Interpolation keeps the center and the sum.
    assert!((y.sum().item() - 200.0).abs() < 1e-3);
}

#[test]
fn contrast_brightness_and_cutout_change_values() {
    let x = images(50, 4, 4);
    let mean = |t: &Tensor, k: usize| t.rows(&[k]).mean().item();
    let y = Augment::new([2, 4, 4]).brightness(2.0).apply(&x, &mut wengert::rng(0));
    let added: Vec<f32> = (0..50).map(|k| mean(&y, k) - mean(&x, k)).collect();
    assert!(added.iter().all(|by| by.abs() < 2.001) && added.iter().any(|by| by.abs() > 1.0), "{added:?}");
    let y = Augment::new([2, 4, 4]).contrast(0.5).apply(&x, &mut wengert::rng(0));
    for k in 0..50 {
        assert!((mean(&y, k) / mean(&x, k) - 1.0).abs() < 1e-5);
        let slope = (y[[k, 0, 0, 1]] - y[[k, 0, 0, 0]]) / (x[[k, 0, 0, 1]] - x[[k, 0, 0, 0]]);
        assert!((0.499..1.501).contains(&slope), "{slope}");
    }
    let y = Augment::new([2, 4, 4]).cutout(2).fill(-7.0).apply(&x, &mut wengert::rng(0));
    for k in 0..50 {
        let image = y.rows(&[k]).to_vec();
        let cut = |channel: usize| (0..16).filter(|j| image[channel * 16 + j] == -7.0).collect::<Vec<_>>();
        assert!([1, 2, 4].contains(&cut(0).len()) && cut(0) == cut(1), "{image:?}");
    }
}

#[test]
fn crops_and_cutouts_of_any_size_beyond_the_image_leave_nothing() {
    let x = images(2, 3, 5);
    let augment = || Augment::new([2, 3, 5]).fill(-1.0);
    for size in [10, usize::MAX / 2 + 1, usize::MAX] {
        let y = augment().cutout(size).apply(&x, &mut wengert::rng(1));
        assert_eq!(y, Tensor::full([2, 2, 3, 5], -1.0), "cutout {size}");
    }
    let y = augment().crop(usize::MAX).apply(&x, &mut wengert::rng(1));
    assert_eq!(y, Tensor::full([2, 2, 3, 5], -1.0));
}

#[test]
fn each_image_follows_its_own_seed() {
    let augment = Augment::new([2, 6, 6]).shift(1.0).rotate(20.0).flip(0.5).contrast(0.3).cutout(3);
    let x = images(9, 6, 6);
    let y = augment.apply(&x, &mut wengert::rng(5));
    assert_eq!(augment.apply(&x, &mut wengert::rng(5)), y);
    assert_ne!(augment.apply(&x, &mut wengert::rng(6)), y);
    // The first images of a smaller batch are the same.
    assert_eq!(augment.apply(&x.rows(&[0, 1, 2]), &mut wengert::rng(5)), y.rows(&[0, 1, 2]));
    for threads in 1..5 {
        assert_eq!(wengert::with_threads(threads, || augment.apply(&x, &mut wengert::rng(5))), y);
    }
}

#[test]
fn mixup_mixes_inputs_and_targets_alike() {
    let labels: Vec<usize> = (0..30).collect();
    let targets = one_hot(&labels, 30);
    // The input says which sample it was.
    let inputs = &targets * 10.0;
    let (x, y) = mixup(&inputs, &targets, 1.0, &mut wengert::rng(0));
    assert!((&x - &y * 10.0).map(f32::abs).max().item() < 1e-5);
    assert!(y.sum_over(1).as_slice().iter().all(|sum| (sum - 1.0).abs() < 1e-6));
    let own: Vec<f32> = (0..30).map(|k| y[[k, k]]).collect();
    assert!(own.iter().any(|&part| part < 0.3) && own.iter().any(|&part| part > 0.7), "{own:?}");
}
