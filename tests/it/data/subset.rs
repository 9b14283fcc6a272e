//! Subsets of data sets: properties on random cases.

use super::{images, numbered_samples as numbered};
use crate::support::panics::{Panic, messages};
use std::collections::BTreeSet;
use wengert::data::{Images, Subset};
use wengert::prelude::*;
use wengert::rand::RngExt;

pub const PANICS: &[Panic] = &[
    ("row_out_of_range", || _ = images().subset([0, 2])),
    ("row_out_of_range", || _ = images().subset([1]).batch(&[1])),
    ("portion", || _ = images().split(1.5, &mut wengert::rng(0))),
    ("portion", || _ = images().split(f64::NAN, &mut wengert::rng(0))),
    ("portion", || _ = images().split(3, &mut wengert::rng(0))),
    ("sample_count", || _ = images().split_stratified(1, &[0], &mut wengert::rng(0))),
    ("portion", || _ = images().split_stratified(3, &[0, 1], &mut wengert::rng(0))),
    ("folds", || _ = images().k_fold(1, &mut wengert::rng(0))),
    ("folds", || _ = images().k_fold(3, &mut wengert::rng(0))),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

/// The union of disjoint parts; panics if they are not disjoint.
fn union<'a, D: Dataset + 'a>(parts: impl IntoIterator<Item = &'a Subset<'a, D>>) -> BTreeSet<usize> {
    let mut union = BTreeSet::new();
    for index in parts.into_iter().flat_map(|part| part.indices()) {
        assert!(union.insert(*index), "sample {index} is twice there");
    }
    union
}

#[test]
fn parts_of_a_split_are_disjoint_and_cover_everything() {
    let mut rng = wengert::rng(0);
    for _ in 0..200 {
        let count = rng.random_range(0..50);
        let samples = numbered(count);
        let first = rng.random_range(0..=count);
        let (train, validation) = samples.split(first, &mut rng);
        assert_eq!((train.len(), validation.len()), (first, count - first));
        assert_eq!(union([&train, &validation]), BTreeSet::from_iter(0..count));
        let fraction = rng.random_range(0.0..=1.0);
        let (train, _) = samples.split(fraction, &mut rng);
        assert_eq!(train.len(), (fraction * count as f64).round() as usize);
    }
}

#[test]
fn stratified_parts_have_each_class_in_proportion() {
    let mut rng = wengert::rng(2);
    for _ in 0..200 {
        let (count, classes) = (rng.random_range(1..60), rng.random_range(1..6));
        let labels: Vec<i64> = (0..count).map(|_| rng.random_range(0..classes) - 2).collect();
        let samples = numbered(count);
        let wanted = rng.random_range(0..=count);
        let (train, validation) = samples.split_stratified(wanted, &labels, &mut rng);
        assert_eq!(train.len(), wanted);
        assert_eq!(union([&train, &validation]), BTreeSet::from_iter(0..count));
        for class in -2..4 {
            let size = |indices: &[usize]| indices.iter().filter(|&&row| labels[row] == class).count();
            let exact = (size(train.indices()) + size(validation.indices())) * wanted;
            let found = size(train.indices());
            assert!(found * count + count > exact && found * count < exact + count, "{found} of {exact} / {count}");
        }
    }
    // In random order, and not class by class.
    let labels: Vec<usize> = (0..100).map(|k| k / 50).collect();
    let samples = numbered(100);
    let (train, _) = samples.split_stratified(0.5, &labels, &mut rng);
    assert!(!train.indices().is_sorted_by_key(|&row| labels[row]));
}

#[test]
fn folds_validate_each_sample_once() {
    let mut rng = wengert::rng(1);
    for _ in 0..200 {
        let count = rng.random_range(2..40);
        let (samples, k) = (numbered(count), rng.random_range(2..=count));
        let folds = samples.k_fold(k, &mut rng);
        assert_eq!(folds.len(), k);
        let folds = Vec::from_iter(folds);
        let all = BTreeSet::from_iter(0..count);
        assert_eq!(union(folds.iter().map(|(_, validation)| validation)), all);
        for (train, validation) in &folds {
            assert_eq!(union([train, validation]), all);
            assert!((count / k..=count.div_ceil(k)).contains(&validation.len()));
        }
    }
}

#[test]
fn splits_follow_the_seed() {
    let samples = numbered(100);
    let split = |seed| samples.split(0.5, &mut wengert::rng(seed)).0.indices().to_vec();
    let fold = |seed| samples.k_fold(3, &mut wengert::rng(seed)).next().unwrap().1.indices().to_vec();
    assert_eq!((split(7), fold(7)), (split(7), fold(7)));
    assert!(split(7) != split(8) && fold(7) != fold(8));
    assert!(!split(7).is_sorted());
}

#[test]
fn a_subset_gathers_its_samples_and_subsets_nest() {
    let samples = numbered(20);
    let even = samples.subset((0..20).step_by(2));
    let some = even.subset([3, 0, 3]);
    assert_eq!(some.all().targets, [6, 0, 6]);
    assert_eq!(some.all().inputs, tensor![6.0, 0.0, 6.0]);
    let mut rng = wengert::rng(0);
    let mut seen = Vec::from_iter(even.batches(3).shuffled(&mut rng).flat_map(|batch| batch.targets));
    assert!(!seen.is_sorted());
    seen.sort();
    assert_eq!(seen, Vec::from_iter((0..20).step_by(2)));
    let images = Images::new(vec![0, 255, 0, 255], vec![4, 5], [1, 2]);
    assert_eq!(images.subset([1]).all().labels, [5]);
}
