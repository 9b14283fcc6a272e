//! Notebooks with evcxr, which calls `evcxr_display` of the value with which a cell ends.

use crate::autograd::{Tape, Var};
use crate::tensor::{Float, Tensor};

fn show(content: &str) {
    println!("EVCXR_BEGIN_CONTENT text/html\n{content}\nEVCXR_END_CONTENT");
}

fn table<T: Float>(tensor: &Tensor<T>) -> String {
    format!("<pre>{} {:?}\n{tensor}</pre>", T::NAME, tensor.shape())
}

impl<T: Float> Tensor<T> {
    /// Shows the type, the shape and the elements in a notebook of evcxr.
    pub fn evcxr_display(&self) {
        show(&table(self));
    }
}

impl<T: Float> Var<T> {
    /// Shows the value in a notebook of evcxr, and the graph that leads to it.
    pub fn evcxr_display(&self) {
        show(&(table(self.value()) + &self.tape().to_svg()));
    }
}

impl<T: Float> Tape<T> {
    /// Shows the [drawing](Tape::to_svg) of the graph in a notebook of evcxr.
    pub fn evcxr_display(&self) {
        show(&self.to_svg());
    }
}
