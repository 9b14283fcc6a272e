//! The quality of a classifier.

use wengert::data::ImageBatch;
use wengert::metrics::{Mean, accuracy};
use wengert::prelude::*;

/// The mean loss and the accuracy on a set of images, given the function that computes their class scores (logits) `[n, classes]`.
pub fn evaluate(images: &impl Dataset<Batch = ImageBatch>, scores: impl Fn(&Var) -> Var) -> (f64, f64) {
    let (mut loss, mut correct) = (Mean::new(), Mean::new());
    for batch in images.batches(1000) {
        let tape = Tape::inference();
        let scores = scores(&tape.constant(batch.images));
        let size = batch.labels.len() as f64;
        loss.add_weighted(scores.softmax_cross_entropy(&batch.labels).item(), size);
        correct.add_weighted(accuracy(scores.value(), &batch.labels), size);
    }
    (loss.value(), correct.value())
}
