//! RMSProp.

use wengert::optim::RmsProp;
use wengert::prelude::*;

#[test]
fn the_variance_of_constant_gradients_is_not_negative() {
    for optimizer in [RmsProp::new(0.01).centered(), RmsProp::new(0.01).centered().momentum(0.5)] {
        let (mut model, mut optimizer) = (Param::new(Tensor::zeros([100])), optimizer);
        let slopes: Tensor = Tensor::linspace(0.01, 1.0, 100);
        for _ in 0..3000 {
            let gradients = (Tape::new().param(&model) * &slopes).sum().backward();
            optimizer.step(&mut model, &gradients);
        }
        assert!(model.value().as_slice().iter().all(|p| p.is_finite()));
    }
}
