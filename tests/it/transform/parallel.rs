//! Work on several threads: panics.

use crate::support::panics::payload_of;
use std::any::Any;
use std::panic::panic_any;
use wengert::parallel;
use wengert::prelude::*;

/// A payload of the caller's own, which panics once more when it is dropped.
struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

/// Checks that the payload arrives, several times: the pool goes on.
fn arrives(mistake: impl Fn()) {
    wengert::set_num_threads(3);
    for _ in 0..20 {
        let payload: Box<dyn Any + Send> = payload_of(&mistake).expect("it panics");
        assert!(payload.is::<Payload>());
        std::mem::forget(payload);
        assert_eq!(parallel::map(&[1, 2, 3], |k| k * k), [1, 4, 9]);
    }
}

#[test]
fn a_payload_that_panics_when_dropped_arrives_at_the_caller() {
    arrives(|| _ = parallel::map(&[(); 8], |()| panic_any(Payload)));
    arrives(|| _ = Tensor::<f32>::ones([1 << 18]).map(|_| panic_any(Payload)));
    arrives(|| _ = parallel::gradients(&mut wengert::rng(0), &[(); 8], |_: &Tape, ()| panic_any(Payload)));
}
