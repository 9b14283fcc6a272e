//! A pole on a cart, to be balanced by pushing the cart (Barto, Sutton and Anderson 1983, "Neuronlike Adaptive Elements That Can Solve
//! Difficult Learning Control Problems").

use wengert::rand::{Rng, RngExt};

const GRAVITY: f64 = 9.8;
const CART_MASS: f64 = 1.0;
const POLE_MASS: f64 = 0.1;
/// Half the length of the pole: the distance of its center of mass from the hinge, in meters.
const HALF_LENGTH: f64 = 0.5;
const FORCE: f64 = 10.0;
/// Seconds.
const TIME_STEP: f64 = 0.02;
/// Distance from the center, and angle of 12°, beyond which an episode ends.
const MAX_DISTANCE: f64 = 2.4;
const MAX_ANGLE: f64 = 12.0 * std::f64::consts::PI / 180.0;
/// Number of steps after which an episode is stopped.
pub const MAX_STEPS: usize = 500;

/// How an episode ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum End {
    /// The pole or the cart is out of bounds.
    Failure,
    /// The pole has been balanced to the last step, and could be further.
    TimeUp,
}

/// The state of an episode. Each step has a reward of 1.
#[derive(Clone, Debug)]
pub struct CartPole {
    /// Of the cart, in meters, and its velocity.
    pub position: f64,
    pub velocity: f64,
    /// Of the pole, in radians, and its velocity.
    pub angle: f64,
    pub angular_velocity: f64,
    /// Steps taken.
    pub steps: usize,
}

impl CartPole {
    /// Starts an episode almost upright and at rest: all numbers are between −0.05 and 0.05.
    pub fn new(rng: &mut impl Rng) -> Self {
        let [position, velocity, angle, angular_velocity] = [(); 4].map(|()| rng.random_range(-0.05..0.05));
        CartPole { position, velocity, angle, angular_velocity, steps: 0 }
    }

    /// The state as the four numbers that an agent sees.
    pub fn observation(&self) -> [f32; 4] {
        [self.position, self.velocity, self.angle, self.angular_velocity].map(|x| x as f32)
    }

    /// Pushes the cart to the left (0) or to the right (1) for the time of a step, by Euler's method.
    pub fn step(&mut self, action: usize) -> Option<End> {
        let force = if action == 1 { FORCE } else { -FORCE };
        let (sine, cosine) = self.angle.sin_cos();
        let mass = CART_MASS + POLE_MASS;
        let push = (force + POLE_MASS * HALF_LENGTH * self.angular_velocity.powi(2) * sine) / mass;
        let angular_acceleration =
            (GRAVITY * sine - push * cosine) / (HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * cosine.powi(2) / mass));
        let acceleration = push - POLE_MASS * HALF_LENGTH * angular_acceleration * cosine / mass;
        self.position += TIME_STEP * self.velocity;
        self.velocity += TIME_STEP * acceleration;
        self.angle += TIME_STEP * self.angular_velocity;
        self.angular_velocity += TIME_STEP * angular_acceleration;
        self.steps += 1;
        if self.position.abs() > MAX_DISTANCE || self.angle.abs() > MAX_ANGLE {
            Some(End::Failure)
        } else {
            (self.steps == MAX_STEPS).then_some(End::TimeUp)
        }
    }
}
