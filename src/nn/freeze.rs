//! Parts of a model that are not trained.

use super::Module;
use crate::autograd::Tape;
use crate::tensor::Float;

impl<T: Float> Tape<T> {
    /// Makes the parameters of a part of a model constants of this tape, so that their gradients are not computed: for
    /// fine-tuning, and for the part of an adversarial network whose turn it is not.
    ///
    /// A gradient still flows through the part to what is before it, and is not computed at all where nothing before it is
    /// differentiable. An optimizer leaves frozen parameters as they are, and [`missing`](crate::Gradients::missing) lists them as
    /// [`Frozen`](crate::autograd::MissingGradient::Frozen). [`Group::frozen`](crate::optim::Group) has the same effect on the model, but the
    /// gradients are computed all the same. Dropout and batch statistics of the part depend on the mode of the tape as before.
    ///
    /// # Panics
    /// If a parameter was read or bound on this tape before.
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
    /// Sgd::new(0.1).step(&mut model, &gradients); // the body stays as it is
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
