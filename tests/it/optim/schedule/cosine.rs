//! Cosine schedules.

use super::assert_near;
use wengert::optim::schedule::*;

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
