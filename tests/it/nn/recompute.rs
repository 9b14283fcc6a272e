//! Recomputed layers: bitwise equal gradients with less memory.

use crate::support::allocator::{held_bytes, most_bytes};
use wengert::nn::recompute;
use wengert::prelude::*;

/// A residual block with everything a second run could get wrong: random masks and running averages.
#[derive(Clone)]
struct Block<T: Float> {
    first: Linear<T>,
    norm: BatchNorm<T>,
    second: Linear<T>,
}
module!(Block<T> { first, norm, second });

impl<T: Float> Block<T> {
    fn new(width: usize, rng: &mut impl Rng) -> Self {
        let [first, second] = [(); 2].map(|()| Linear::new(width, width, Init::Xavier, rng));
        Block { first, norm: BatchNorm::new(width), second }
    }

    fn forward(&self, x: &Var<T>) -> Var<T> {
        let h = self.norm.forward(&self.first.forward(x)).tanh().dropout(0.25);
        x + self.second.forward(&h).tanh()
    }
}

/// The mean square of the output of a chain of blocks.
fn loss<T: Float>(blocks: &[Block<T>], x: &Var<T>, again: bool) -> Var<T> {
    let step = |x: Var<T>, block: &Block<T>| match again {
        true => recompute(block, &x, Block::forward),
        false => block.forward(&x),
    };
    blocks.iter().fold(x.clone(), step).square().mean()
}

fn blocks<T: Float>(count: usize, width: usize) -> Vec<Block<T>> {
    let mut rng = wengert::rng(0);
    (0..count).map(|_| Block::new(width, &mut rng)).collect()
}

#[test]
fn values_gradients_masks_and_running_averages_are_the_same_to_the_last_bit() {
    let blocks = blocks::<f32>(4, 6);
    let input: Tensor = Tensor::randn([5, 6], &mut wengert::rng(1));
    let run = |again: bool| {
        let tape = Tape::training(&mut wengert::rng(2));
        let x = tape.var(&input);
        let loss = loss(&blocks, &x, again);
        // Later draws are the same too.
        let after = tape.constant(Tensor::ones([50])).dropout(0.5).value().clone();
        let value = loss.item();
        (value, after, loss.backward(), x)
    };
    let (kept, recomputed) = (run(false), run(true));
    assert_eq!((kept.0, &kept.1), (recomputed.0, &recomputed.1));
    assert_eq!(kept.2[&kept.3], recomputed.2[&recomputed.3]);
    for (path, param) in blocks.parameters() {
        assert_eq!(kept.2.get(param), recomputed.2.get(param), "{path}");
        assert_eq!(kept.2.updated_buffer(param), recomputed.2.updated_buffer(param), "{path}");
    }
    let seen = recomputed.2.updated_buffer(&blocks[0].norm.num_batches_tracked);
    assert_eq!(seen, Some(Tensor::scalar(1.0)), "a second run is not a second batch");
}

#[test]
fn parameters_are_differentiated_to_any_order_wherever_else_they_are_read() {
    let layer = Linear::<f64>::new(3, 3, Init::Xavier, &mut wengert::rng(0));
    let input: Tensor<f64> = Tensor::randn([2, 3], &mut wengert::rng(1));
    // The shared layer is used before, within and after the recomputed part.
    let function = |tape: &Tape<f64>, again: bool| {
        let x = layer.forward(&tape.constant(&input)).tanh();
        let inner = |layer: &Linear<f64>, x: &Var<f64>| layer.forward(&layer.forward(x).sin());
        let h = if again { recompute(&layer, &x, inner) } else { inner(&layer, &x) };
        layer.forward(&h).square().sum()
    };
    let parameters = layer.parameters();
    let [kept, recomputed] = [false, true].map(|again| functional::hessian(|tape| function(tape, again), &parameters));
    assert!((&kept - &recomputed).map(f64::abs).max().item() < 1e-12 * kept.map(f64::abs).max().item());
    // Bound weights are read through their binding.
    let bound = |again: bool| {
        let tape = Tape::new_f64();
        let scale = tape.var(1.5);
        let weight = &scale * &layer.weight;
        let y = tape.with_bound([(&layer.weight, &weight)], || function(&tape, again));
        let (slope, gradients) = (y.grad(&scale), y.gradients());
        (slope.grad(&scale).item(), gradients[&layer.weight].clone())
    };
    let (kept, recomputed) = (bound(false), bound(true));
    assert!((kept.0 / recomputed.0 - 1.0).abs() < 1e-12);
    assert!((kept.1 - recomputed.1).map(f64::abs).max().item() < 1e-12);
}

#[test]
fn a_gradient_by_the_input_can_be_differentiated_by_a_weight() {
    let layer = Linear::<f64>::new(2, 3, Init::Xavier, &mut wengert::rng(0));
    let gradient = |again: bool| {
        let x = Tape::new_f64().var([[0.5, -1.0]]);
        let inner = |layer: &Linear<f64>, x: &Var<f64>| layer.forward(x).tanh();
        let y = if again { recompute(&layer, &x, inner) } else { inner(&layer, &x) };
        y.sum().grad(&x).square().sum().backward()[&layer.weight].clone()
    };
    assert_eq!(gradient(true), gradient(false));
}

#[test]
fn the_step_after_it_is_in_place_and_inference_records_nothing() {
    let mut block = Block::<f32>::new(4, &mut wengert::rng(0));
    let input: Tensor = Tensor::ones([3, 4]);
    let address = |block: &Block<f32>| block.first.weight.value().as_slice().as_ptr();
    let before = address(&block);
    let tape = Tape::training(&mut wengert::rng(1));
    let gradients = recompute(&block, &tape.constant(&input), Block::forward).sum().backward();
    Sgd::new(0.1).step(&mut block, &gradients);
    assert_eq!(address(&block), before);
    let tape = Tape::inference();
    let y = recompute(&block, &tape.constant(&input), Block::forward);
    assert_eq!(y.value(), block.forward(&tape.constant(&input)).value());
    assert!(tape.is_empty());
}

#[test]
fn a_deep_network_needs_a_fraction_of_the_memory() {
    const BLOCKS: usize = 64;
    const ROWS: usize = 256;
    const WIDTH: usize = 64;
    // A new thread has no memory to recycle, so its peak is the memory required by the pass.
    let needs = |again: bool| {
        let run = move || {
            let blocks = blocks::<f32>(BLOCKS, WIDTH);
            let before = held_bytes();
            let pass = || {
                let tape = Tape::training(&mut wengert::rng(1));
                let x = tape.constant(Tensor::ones([ROWS, WIDTH]));
                let loss = loss(&blocks, &x, again);
                let (saved, forward) = (tape.saved_bytes(), held_bytes() - before);
                _ = loss.backward();
                (saved, forward)
            };
            let ((saved, forward), most) = most_bytes(pass);
            (saved, forward, most - before)
        };
        std::thread::spawn(run).join().expect("it runs")
    };
    let (kept, recomputed) = (needs(false), needs(true));
    for (name, (saved, forward, most)) in [("kept", kept), ("recomputed", recomputed)] {
        let [saved, forward, most] = [saved as isize, forward, most].map(|bytes| bytes >> 10);
        println!(
            "{name}: the tape saved {saved} KiB, {forward} KiB are held after the forward pass, {most} KiB at most"
        );
    }
    // A stored block needs about six values of this size, a recomputed one needs one; the peak adds the gradients of all parameters.
    let values = (BLOCKS * ROWS * WIDTH * size_of::<f32>()) as isize;
    assert!(kept.1 > 5 * values && recomputed.1 < 2 * values, "{kept:?} and {recomputed:?} for {values}");
    assert!(recomputed.2 * 3 < kept.2, "{kept:?} and {recomputed:?}");
}
