//! Freezing parts of a model.

use super::Module;
use crate::autograd::Tape;
use crate::tensor::Float;

impl<T: Float> Tape<T> {
    /// Treats the parameters of a module as constants on this tape, so that their gradients are not computed: for
    /// fine-tuning, or for the network of an adversarial pair that is not being trained.
    ///
    /// Gradients still flow through the module to whatever precedes it; if nothing there is differentiable, they are not
    /// computed at all. Optimizers leave frozen parameters unchanged, and [`missing`](crate::Gradients::missing) lists them
    /// as [`Frozen`](crate::autograd::MissingGradient::Frozen). [`Group::frozen`](crate::optim::Group) has the same effect on
    /// the model, but the gradients are still computed. Dropout and batch statistics of the module still depend on the mode
    /// of the tape.
    ///
    /// # Panics
    /// If one of the parameters has already been read or bound on this tape.
    ///
    /// ```
    /// use wengert::nn::Relu;
    /// use wengert::prelude::*;
    ///
    /// # let mut rng = wengert::rng(0);
    /// let body = (Linear::new(3, 3, Init::He, &mut rng), Relu);
    /// let mut model = (body, Linear::new(3, 1, Init::Xavier, &mut rng));
    /// let tape = Tape::training(&mut rng);
    /// tape.freeze(&model.0);
    /// let gradients = model.forward(&tape.constant([[1.0, 2.0, 3.0]])).sum().backward();
    /// assert!(gradients.get(&model.1.weight).is_some());
    /// assert_eq!(gradients.missing(&model).len(), 2);
    /// Sgd::new(0.1).step(&mut model, &gradients); // the body does not change
    /// ```
    #[doc(alias = "requires_grad")]
    #[track_caller]
    pub fn freeze(&self, module: &(impl Module<T> + ?Sized)) {
        for (_, param) in module.parameters() {
            if param.is_trainable() {
                self.freeze_parameter(param);
            }
        }
    }
}
