//! Categorical distributions.

use crate::support::draw::Draw;
use crate::support::panics::{Panic, messages};
use wengert::prelude::*;
use wengert::text::Categorical;

pub const PANICS: &[Panic] = &[
    ("no_class_axis", || _ = Categorical::<f32>::new(&Tensor::scalar(1.0))),
    ("nothing_to_choose", || _ = Categorical::<f32>::new(&Tensor::zeros([2, 0]))),
    ("not_a_logarithm", || _ = Categorical::new(&tensor![[0.0, 1.0], [f32::NAN, 0.0]])),
    ("not_a_logarithm", || _ = Categorical::new(&tensor![f32::INFINITY, 0.0])),
    ("impossible", || _ = Categorical::new(&tensor![[0.0, 1.0], [f32::NEG_INFINITY, f32::NEG_INFINITY]])),
    ("option", || _ = logits().temperature(-1.0)),
    ("option", || _ = logits().temperature(f64::INFINITY)),
    ("option", || _ = logits().top_k(0)),
    ("option", || _ = logits().top_p(1.5)),
    ("option", || _ = logits().top_p(f64::NAN)),
    ("category_shape", || _ = logits().log_prob([0])),
    ("selection_out_of_range", || _ = logits().log_prob([0, 3])),
];

/// Two distributions over three categories.
fn logits() -> Categorical {
    Categorical::new(&tensor![[0.0, 1.0, 2.0], [3.0, 0.0, 3.0]])
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

/// The categories of a single distribution that are possible.
fn possible(distribution: &Categorical) -> Vec<usize> {
    let probabilities = distribution.probabilities();
    (0..probabilities.len()).filter(|&k| probabilities.as_slice()[k] > 0.0).collect()
}

#[test]
fn frequencies_are_the_probabilities() {
    let logits = tensor![f64; [0.0, 1.0, -1.0, 2.0, 0.5], [1.0, f64::NEG_INFINITY, 0.0, 0.0, -2.0]];
    // χ² with 4 degrees of freedom exceeds 18.5 with probability 0.001; fewer categories have less.
    let distributions = [
        Categorical::new(&logits),
        Categorical::new(&logits).temperature(0.5),
        Categorical::new(&logits).temperature(3.0).top_k(3),
        Categorical::new(&logits).top_p(0.9),
    ];
    for (k, distribution) in distributions.iter().enumerate() {
        let probabilities = distribution.probabilities();
        let mut rng = wengert::rng(k as u64);
        let mut counts = [[0.0; 5]; 2];
        let draws = 20_000;
        for _ in 0..draws {
            let sample = distribution.sample(&mut rng);
            assert_eq!(sample.shape(), [2]);
            sample.as_slice().iter().zip(&mut counts).for_each(|(&category, counts)| counts[category] += 1.0);
        }
        for (counts, probabilities) in counts.iter().zip(probabilities.as_slice().chunks(5)) {
            let term = |(count, p): (&f64, &f64)| match p * f64::from(draws) {
                0.0 => {
                    if *count == 0.0 {
                        0.0
                    } else {
                        f64::INFINITY
                    }
                }
                expected => (count - expected).powi(2) / expected,
            };
            let statistic: f64 = counts.iter().zip(probabilities).map(term).sum();
            assert!(statistic < 18.5, "distribution {k}: {counts:?} for {probabilities:?}");
        }
    }
}

#[test]
fn samples_have_the_shape_of_the_leading_axes() {
    let mut rng = wengert::rng(0);
    for shape in [vec![7], vec![3, 7], vec![2, 3, 7], vec![0, 7], vec![2, 1]] {
        let logits: Tensor = Tensor::randn(&shape[..], &mut rng);
        let distribution = Categorical::new(&logits);
        let sample = distribution.sample(&mut rng);
        assert_eq!(sample.shape(), &shape[..shape.len() - 1]);
        assert_eq!(distribution.log_prob(&sample).shape(), sample.shape());
        assert_eq!(distribution.entropy().shape(), sample.shape());
        assert_eq!(distribution.probabilities().shape(), shape);
        let greedy = distribution.temperature(0.0).sample(&mut rng);
        assert_eq!(greedy.as_slice(), logits.argmax(-1));
    }
}

#[test]
fn the_same_generator_gives_the_same_samples() {
    let logits: Tensor = Tensor::randn([50, 10], &mut wengert::rng(0));
    let distribution = Categorical::new(&logits);
    let sample = |seed| distribution.sample(&mut wengert::rng(seed));
    assert_eq!(sample(1), sample(1));
    assert_ne!(sample(1), sample(2));
}

#[test]
fn top_k_keeps_exactly_k_and_the_first_of_equals() {
    let distribution = |x: Tensor| Categorical::new(&x);
    let tied = || distribution(tensor![1.0, 2.0, 1.0, 2.0, 1.0]);
    let kept = (1..=6).map(|k| possible(&tied().top_k(k))).collect::<Vec<_>>();
    assert_eq!(kept, [vec![1], vec![1, 3], vec![0, 1, 3], vec![0, 1, 2, 3], vec![0, 1, 2, 3, 4], vec![0, 1, 2, 3, 4]]);
    assert_eq!(possible(&tied().top_k(usize::MAX)).len(), 5);
    assert_eq!(possible(&tied().temperature(0.0)), [1]);
    // Impossible categories do not become possible.
    assert_eq!(possible(&distribution(tensor![f32::NEG_INFINITY, 0.0, f32::NEG_INFINITY]).top_k(2)), [1]);
}

#[test]
fn top_p_keeps_the_smallest_set_with_that_probability() {
    let distribution = || Categorical::new(&tensor![0.1, 0.4, 0.1, 0.4].ln());
    assert_eq!(possible(&distribution().top_p(0.0)), [1]);
    assert_eq!(possible(&distribution().top_p(0.39)), [1]);
    assert_eq!(possible(&distribution().top_p(0.41)), [1, 3]);
    assert_eq!(possible(&distribution().top_p(0.85)), [0, 1, 3]);
    assert_eq!(possible(&distribution().top_p(0.95)), [0, 1, 2, 3]);
    let tiny = Categorical::new(&tensor![0.0, -60.0]);
    assert_eq!(possible(&tiny.clone().top_p(1.0)), [0, 1]);
    assert_eq!(possible(&tiny.top_p(0.999)), [0]);
    // The options apply one after the other: of the two that are left, each has one half.
    assert_eq!(possible(&distribution().top_k(2).top_p(0.45)), [1]);
    for seed in 0..100 {
        let mut draw = Draw::new(seed);
        let logits = draw.normal(&[20]) * 3.0;
        let p = draw.size(0, 99) as f64 / 100.0;
        let whole = Categorical::new(&logits).probabilities();
        let kept = Categorical::new(&logits).top_p(p).probabilities();
        let kept = Vec::from_iter((0..20).filter(|&k| kept.as_slice()[k] > 0.0).map(|k| whole.as_slice()[k]));
        let (sum, least) = (kept.iter().sum::<f64>(), kept.iter().copied().fold(1.0, f64::min));
        assert!(sum >= p - 1e-12 && (sum - least < p || kept.len() == 1), "draw {seed}: {kept:?} for {p}");
        assert!(whole.iter().filter(|&&x| x > least).count() < kept.len(), "draw {seed}: the most probable ones");
    }
}

#[test]
fn log_probabilities_and_entropies_by_hand() {
    let distribution = Categorical::new(&tensor![f64; [0.5, 0.25, 0.25], [1.0, 0.0, 0.0]].ln());
    let expected = tensor![f64; 0.25f64.ln(), f64::NEG_INFINITY];
    assert_eq!(distribution.log_prob([2, 1]), expected);
    let entropy = distribution.entropy().to_vec();
    assert!((entropy[0] - 1.5 * 2f64.ln()).abs() < 1e-15 && entropy[1] == 0.0, "{entropy:?}");
    let uniform: Tensor = Tensor::full([8], 1e30);
    assert!((Categorical::new(&uniform).entropy().item() - 8f32.ln()).abs() < 1e-6);
}

#[test]
fn extreme_logits_do_not_overflow() {
    let distribution = || Categorical::new(&tensor![3e38, -3e38, 3e38]);
    assert_eq!(distribution().probabilities(), tensor![0.5, 0.0, 0.5]);
    assert_eq!(distribution().temperature(1e-30).probabilities(), tensor![0.5, 0.0, 0.5]);
}
