//! Batches of data sets.

use super::{images, numbered_images as numbered};
use crate::support::panics::{Panic, messages};
use wengert::data::{Images, balanced_weights};
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("batch_size", || _ = images().batches(0)),
    ("sample_weights", || _ = images().batches(1).weighted(&[1.0], &mut wengert::rng(0))),
    ("option", || _ = images().batches(1).weighted(&[1.0, -1.0], &mut wengert::rng(0))),
    ("option", || _ = images().batches(1).weighted(&[0.0, 0.0], &mut wengert::rng(0))),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn batches_hold_every_sample_once() {
    let images = numbered(10);
    let labels = |size: usize| images.batches(size).map(|batch| batch.labels).collect::<Vec<_>>();
    assert_eq!(labels(4), [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9]]);
    assert_eq!(labels(usize::MAX), [Vec::from_iter(0..10)]);

    for batch in images.batches(3).shuffled(&mut wengert::rng(1)) {
        assert_eq!(batch.images.shape(), [batch.labels.len(), 1]);
        let pixels = batch.images.as_slice().iter().map(|&pixel| (pixel * 255.0).round() as usize);
        assert_eq!(pixels.collect::<Vec<_>>(), batch.labels);
    }
    let mut shuffled =
        images.batches(3).shuffled(&mut wengert::rng(1)).flat_map(|batch| batch.labels).collect::<Vec<_>>();
    assert_ne!(shuffled, images.labels());
    shuffled.sort();
    assert_eq!(shuffled, images.labels());
}

#[test]
fn the_same_seed_gives_the_same_order() {
    let images = numbered(100);
    let order =
        |seed| images.batches(7).shuffled(&mut wengert::rng(seed)).flat_map(|batch| batch.labels).collect::<Vec<_>>();
    assert_eq!(order(3), order(3));
    assert_ne!(order(3), order(4));
    // The generator continues from one epoch to the next.
    let mut rng = wengert::rng(3);
    let epochs =
        [0; 2].map(|_| images.batches(7).shuffled(&mut rng).flat_map(|batch| batch.labels).collect::<Vec<_>>());
    assert_eq!(epochs[0], order(3));
    assert_ne!(epochs[0], epochs[1]);
    // The order for a given seed is stable.
    let few = numbered(8);
    let labels: Vec<usize> = few.batches(8).shuffled(&mut wengert::rng(0)).flat_map(|batch| batch.labels).collect();
    assert_eq!(labels, [3, 0, 5, 4, 6, 1, 2, 7]);
}

/// Batches that list the indices of their samples; if `unlucky`, making the batch with sample 13 fails.
struct Indices {
    unlucky: bool,
}

impl Dataset for Indices {
    type Batch = Vec<usize>;

    fn len(&self) -> usize {
        50
    }
    fn batch(&self, indices: &[usize]) -> Vec<usize> {
        assert!(!self.unlucky || !indices.contains(&13), "bad luck");
        indices.to_vec()
    }
}

#[test]
fn prefetched_batches_are_the_same_in_the_same_order() {
    let data = Indices { unlucky: false };
    let batches = || data.batches(8).shuffled(&mut wengert::rng(3));
    for count in 0..9 {
        assert_eq!(batches().prefetch(count, Vec::from_iter), Vec::from_iter(batches()));
    }
    // Consumption may stop early, and failures on the thread are reported.
    assert_eq!(batches().prefetch(2, |mut batches| batches.next()), batches().next());
    let failed = std::panic::catch_unwind(|| Indices { unlucky: true }.batches(8).prefetch(2, Iterator::count));
    assert_eq!(failed.unwrap_err().downcast_ref(), Some(&"bad luck"));
}

#[test]
fn batches_know_how_many_are_left() {
    let images = numbered(10);
    let check = |batches: wengert::data::Batches<Images>, expected: usize| {
        let mut batches = batches;
        for left in (0..=expected).rev() {
            assert_eq!(batches.len(), left);
            assert_eq!(batches.next().is_some(), left > 0);
        }
        assert!(batches.next().is_none());
    };
    for size in [1, 2, 3, 5, 9, 10, 11] {
        check(images.batches(size), 10usize.div_ceil(size));
        check(images.batches(size).drop_last(), 10 / size);
        check(images.batches(size).drop_last().shuffled(&mut wengert::rng(0)), 10 / size);
    }
    let none = numbered(0);
    assert!(none.is_empty() && none.batches(3).next().is_none());
}

#[test]
#[should_panic(expected = "batches: a batch needs at least one sample")]
fn a_batch_has_samples() {
    let _ = numbered(10).batches(0);
}

#[test]
fn weights_are_frequencies() {
    let images = numbered(5);
    let weights = [0.0, 1.0, 3.0, 0.0, 0.0];
    let mut counts = [0usize; 5];
    let mut rng = wengert::rng(0);
    for _ in 0..2000 {
        let drawn: Vec<usize> = images.batches(2).weighted(&weights, &mut rng).flat_map(|batch| batch.labels).collect();
        assert_eq!(drawn.len(), 5);
        drawn.into_iter().for_each(|label| counts[label] += 1);
    }
    // 10 000 draws with probability 1/4: five standard deviations are 217.
    assert!(counts[0] + counts[3] + counts[4] == 0 && counts[1].abs_diff(2500) < 217, "{counts:?}");
    assert_eq!(balanced_weights(&[7u8, 3, 7, 7]), [1.0 / 3.0, 1.0, 1.0 / 3.0, 1.0 / 3.0]);
    let none = images.subset([]);
    assert_eq!(none.batches(2).weighted(&[], &mut rng).count(), 0);
}
