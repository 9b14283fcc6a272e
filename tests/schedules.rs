//! Schedules beyond what the golden cases say: their ends, their combinations, resuming; the learning-rate finder; clipping.

use wengert::optim::LearningRateFinder;
use wengert::optim::schedule::*;
use wengert::prelude::*;

fn assert_near(got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-12 * want.abs().max(1e-3), "got {got}, want {want}");
}

#[test]
fn schedules_end_and_do_not_break_down_at_large_steps() {
    let late = usize::MAX / 2;
    assert_eq!(OneCycle::new(0.5, 50).at(late), OneCycle::new(0.5, 50).at(49));
    assert_eq!(LinearRamp::new(0.5, 50).at(late), 0.5);
    assert_eq!(Polynomial::new(0.5, 50).at(late), 0.0);
    assert_eq!(StepDecay::new(0.5, 50).at(late), 0.0);
    assert!((0.0..=0.5).contains(&Cosine::new(0.5, 50).at(late)));
    assert!((0.0..=0.5).contains(&CosineWarmRestarts::new(0.5, 50).at(late)));
    assert!((0.0..=0.5).contains(&CosineWarmRestarts::new(0.5, 50).growth(3).at(late)));
}

#[test]
fn one_cycle_of_any_length_is_finite_and_ends_at_the_end() {
    for steps in 1..12 {
        for rise in [0.0, 0.1, 0.3, 0.5, 0.99] {
            for cycle in [OneCycle::new(1.0, steps).rise(rise), OneCycle::new(1.0, steps).rise(rise).linear()] {
                assert!((0..steps + 3).all(|step| (0.0..=1.0).contains(&cycle.at(step))), "{cycle:?}");
                assert_near(cycle.at(steps - 1), 4e-6);
            }
        }
    }
}

#[test]
fn schedules_combine() {
    let schedule = LinearRamp::new(0.1, 5).start_factor(0.2).then(5, Cosine::new(0.1, 20).then(20, |_: usize| 0.001));
    for (step, want) in [(0, 0.02), (4, 0.084), (5, 0.1), (15, 0.05), (25, 0.001), (1000, 0.001)] {
        assert_near(schedule.at(step), want);
    }
    let product = MultiStep::new(0.1, [2]).gamma(0.5).times(Constant::new(1.0, 0.25, 3));
    for (step, want) in [(0, 0.025), (2, 0.0125), (3, 0.05)] {
        assert_near(product.at(step), want);
    }
}

#[test]
fn a_plateau_is_resumed_from_its_state() {
    let plateau = || ReduceOnPlateau::new(0.1).maximize().factor(0.5).patience(1).cooldown(2);
    let accuracies = [0.5, 0.6, 0.6, f64::NAN, 0.6, 0.6, 0.6, 0.6, 0.7, 0.7, 0.7, 0.7];
    let mut whole = plateau();
    let rates: Vec<f64> = accuracies.iter().map(|&accuracy| whole.observe(accuracy)).collect();
    assert_eq!(rates, [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.025, 0.0125]);
    for stop in 0..accuracies.len() {
        let (mut first, mut second) = (plateau(), plateau());
        accuracies[..stop].iter().for_each(|&accuracy| _ = first.observe(accuracy));
        *second.state_mut() = *first.state();
        accuracies[stop..].iter().for_each(|&accuracy| _ = second.observe(accuracy));
        assert_eq!(second, whole);
    }
}

/// A run of the finder on a loss that is a function of the decimal logarithm of the learning rate.
fn find(loss: impl Fn(f64) -> f64) -> LearningRateFinder {
    let mut finder = LearningRateFinder::new(1e-6, 1.0, 121);
    while let Some(learning_rate) = finder.learning_rate() {
        finder.record(loss(learning_rate.log10()));
    }
    finder
}

#[test]
fn the_finder_suggests_the_steepest_slope_in_spite_of_noise() {
    // Falls most steeply at 1e-3, and explodes at 1e-1.
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

/// Gradients that are the given vectors, of parameters and of a variable.
fn gradients(of_param: &[f32], of_var: &[f32]) -> (Gradients, Param, Var) {
    let tape = Tape::new();
    let (param, x) = (Param::new(Tensor::zeros([of_param.len()])), tape.var(Tensor::zeros([of_var.len()])));
    let constant = |values: &[f32]| tape.constant(Tensor::from_slice(values, [values.len()]));
    let loss = (constant(of_param) * &param).sum() + (constant(of_var) * &x).sum();
    (loss.backward(), param, x)
}

#[test]
fn clipping_takes_all_gradients_together() {
    let (mut clipped, param, x) = gradients(&[2.0, -4.0], &[4.0]);
    assert_eq!(clipped.norm(), 6.0);
    assert_eq!(clipped.norm_p(1.0), 10.0);
    assert_eq!(clipped.norm_p(f64::INFINITY), 4.0);
    assert_eq!(clipped.clip_norm(7.0), 6.0);
    assert_eq!(clipped[&param], tensor![2.0, -4.0]); // short enough: the same bits
    assert_eq!(clipped.clip_norm(3.0), 6.0);
    assert!((clipped.norm() - 3.0).abs() < 1e-5);
    assert!((clipped[&x].item() - 2.0).abs() < 1e-5);
    assert_eq!(clipped.clip_norm(f64::INFINITY), clipped.norm());
}

#[test]
fn a_norm_that_is_not_finite_shows_in_all_gradients() {
    let (mut by_norm, param, _) = gradients(&[1.0, f32::NAN], &[2.0]);
    assert!(by_norm.clip_norm(1.0).is_nan());
    assert!(by_norm[&param].as_slice().iter().all(|g| g.is_nan()));
    let (mut by_value, param, _) = gradients(&[f32::INFINITY, f32::NAN], &[2.0]);
    by_value.clip_value(1.5);
    assert_eq!(by_value[&param].as_slice()[0], 1.5);
    assert!(by_value[&param].as_slice()[1].is_nan());
    assert!(by_value.norm_p(f64::INFINITY).is_nan());
}

#[test]
fn the_norm_of_large_gradients_does_not_overflow() {
    let (gradients, ..) = gradients(&[3e30, 4e30], &[0.0]);
    assert!((gradients.norm() / 5e30 - 1.0).abs() < 1e-6);
}
