//! Learning rate schedules: end points and combinations not covered by the golden cases.

mod cosine;
mod plateau;

use wengert::optim::schedule::*;

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
