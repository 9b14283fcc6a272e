//! The learning rate finder.

use wengert::optim::LearningRateFinder;

/// A run of the finder on a loss given as a function of log₁₀ of the learning rate.
fn find(loss: impl Fn(f64) -> f64) -> LearningRateFinder {
    let mut finder = LearningRateFinder::new(1e-6, 1.0, 121);
    while let Some(learning_rate) = finder.learning_rate() {
        finder.record(loss(learning_rate.log10()));
    }
    finder
}

#[test]
fn the_finder_suggests_the_steepest_slope_in_spite_of_noise() {
    // Steepest descent at 1e-3, divergence at 1e-1.
    let clean = |x: f64| 1.0 - (2.0 * (x + 3.0)).tanh() / 2.0 + (20.0 * (x + 1.0)).exp();
    let noise = |x: f64| 0.02 * (1e4 * x).sin();
    for finder in [find(clean), find(|x| clean(x) + noise(x))] {
        let suggestion = finder.suggestion().unwrap();
        assert!((suggestion.log10() + 3.0).abs() < 0.25, "{suggestion}");
        let last = finder.curve().last().unwrap().0;
        assert!((0.05..0.5).contains(&last), "ended at {last}");
    }
}

#[test]
fn the_finder_ends_at_a_loss_that_is_not_finite_and_only_there() {
    let finder = find(|x| if x < -2.02 { -x } else { f64::NAN });
    assert!((finder.curve().last().unwrap().0.log10() + 2.05).abs() < 1e-6);
    assert_eq!(find(|x| -10.0 - x).curve().len(), 121); // a negative loss is not a diverging one
}

#[test]
fn the_finder_has_no_suggestion_where_nothing_falls() {
    assert_eq!(find(|_| 1.0).suggestion(), None);
    assert_eq!(find(|x| x + 10.0).suggestion(), None);
    assert_eq!(LearningRateFinder::new(1e-3, 1.0, 10).suggestion(), None);
    assert_eq!(find(|_| f64::NAN).suggestion(), None);
}
