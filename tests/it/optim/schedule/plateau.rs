//! Reducing the learning rate when a metric stops improving.

use wengert::optim::schedule::*;

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

#[test]
fn negative_metrics_improve_downwards() {
    let observe = |mut plateau: ReduceOnPlateau, metrics: &[f64]| {
        metrics.iter().for_each(|&metric| _ = plateau.observe(metric));
        (plateau.learning_rate(), plateau.state().best)
    };
    let plateau = || ReduceOnPlateau::new(1.0).factor(0.5).patience(2);
    assert_eq!(observe(plateau(), &[-1.0; 4]), (0.5, -1.0));
    assert_eq!(observe(plateau(), &[-1.0, -0.95, -0.9025, -0.8]), (0.5, -1.0));
    assert_eq!(observe(plateau().threshold(0.1), &[-1.0, -1.05, -1.11, -1.2]), (1.0, -1.11));
    assert_eq!(observe(plateau().maximize().threshold(0.1), &[-1.0, -0.95, -0.89]), (1.0, -0.89));
    assert_eq!(observe(plateau().maximize(), &[-1.0, -1.0001, -1.1, -1.0]), (0.5, -1.0));
    assert_eq!(observe(plateau(), &[0.0, 0.0, 0.0, 0.0]), (0.5, 0.0));
}
