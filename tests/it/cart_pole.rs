//! The environment of the example `23_policy`.

#[path = "../../examples/support/cart_pole.rs"]
mod environment;

use environment::{CartPole, End, MAX_STEPS};

fn at(position: f64, velocity: f64, angle: f64, angular_velocity: f64) -> CartPole {
    CartPole { position, velocity, angle, angular_velocity, steps: 0 }
}

/// The rate of change of the energy, kinetic and potential, is the force on the cart times its velocity.
#[test]
fn the_force_does_all_of_the_work() {
    const STEP: f64 = 0.02;
    for (action, force) in [(0, -10.0), (1, 10.0)] {
        for (v, angle, w) in [(0.0, 0.0, 0.0), (1.0, 0.1, -2.0), (-0.5, -0.2, 0.7), (0.3, 0.15, 3.0)] {
            let mut pole = at(0.0, v, angle, w);
            pole.step(action);
            let (a, b) = ((pole.velocity - v) / STEP, (pole.angular_velocity - w) / STEP);
            let (sine, cosine) = f64::sin_cos(angle);
            // A cart of 1 kg; a pole of 0.1 kg with its center at 0.5 m, whose moment of inertia about the hinge is 4/3 m l².
            let cart = 1.1 * v * a;
            let both = 0.1 * 0.5 * (a * w * cosine + v * b * cosine - v * w * w * sine);
            let pole = 4.0 / 3.0 * 0.1 * 0.25 * w * b - 0.1 * 9.8 * 0.5 * sine * w;
            assert!((cart + both + pole - force * v).abs() < 1e-10);
        }
    }
}

#[test]
fn left_mirrors_right() {
    let (mut one, mut other) = (at(0.1, -0.2, 0.03, 0.4), at(-0.1, 0.2, -0.03, -0.4));
    for action in [0, 1, 1, 0, 1] {
        assert_eq!(one.step(action), other.step(1 - action));
        assert_eq!(one.observation(), other.observation().map(|x| -x));
    }
}

#[test]
fn episodes_end() {
    let mut rng = wengert::rng(0);
    let mut pushed = CartPole::new(&mut rng);
    let end = (0..MAX_STEPS).find_map(|_| pushed.step(1));
    assert_eq!(end, Some(End::Failure));
    assert!((5..20).contains(&pushed.steps));

    let mut balanced = CartPole::new(&mut rng);
    let lean = |pole: &CartPole| pole.angle + 0.3 * pole.angular_velocity + 0.02 * pole.position + 0.05 * pole.velocity;
    let end = (0..).find_map(|_| balanced.step(usize::from(lean(&balanced) > 0.0)));
    assert_eq!((end, balanced.steps), (Some(End::TimeUp), MAX_STEPS));
}
