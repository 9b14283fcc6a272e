//! Notebooks with evcxr, which calls `evcxr_display` of the value with which a cell ends, and its command line, which shows text.

use crate::autograd::{Tape, Var};
use crate::tensor::{Float, Tensor};

fn show(text: &str, html: &str) {
    for (kind, content) in [("text/plain", text), ("text/html", html)] {
        println!("EVCXR_BEGIN_CONTENT {kind}\n{content}\nEVCXR_END_CONTENT");
    }
}

fn table<T: Float>(tensor: &Tensor<T>) -> [String; 2] {
    let text = format!("{} {:?}\n{tensor}", T::NAME, tensor.shape());
    let html = format!("<pre>{text}</pre>");
    [text, html]
}

impl<T: Float> Tensor<T> {
    /// Shows the type, the shape and the elements in a notebook of evcxr.
    pub fn evcxr_display(&self) {
        let [text, html] = table(self);
        show(&text, &html);
    }
}

impl<T: Float> Var<T> {
    /// Shows the value in a notebook of evcxr, and the graph that leads to it.
    pub fn evcxr_display(&self) {
        let [text, html] = table(self.value());
        show(&text, &(html + &self.tape().to_svg()));
    }
}

impl<T: Float> Tape<T> {
    /// Shows the [drawing](Tape::to_svg) of the graph in a notebook of evcxr, and its list on the command line.
    pub fn evcxr_display(&self) {
        show(&self.to_string(), &self.to_svg());
    }
}
