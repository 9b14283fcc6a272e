//! What a step allocates, and what stays: nothing may grow, and a long tape may not use the stack.
//!
//! A separate binary: its allocator counts all requests, and one of its tests sets the number of threads.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use wengert::prelude::*;

thread_local! {
    /// Bytes that this thread has not given back.
    static LIVE: Cell<isize> = const { Cell::new(0) };
    /// Bytes that this thread has asked for.
    static REQUESTED: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, counting by thread.
struct Counting;

// SAFETY: every call is passed on unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.set(LIVE.get() + layout.size() as isize);
        REQUESTED.set(REQUESTED.get() + layout.size());
        // SAFETY: the caller keeps the contract of this method, which is that of the system allocator.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get() - layout.size() as isize);
        // SAFETY: the caller keeps the contract of this method, which is that of the system allocator.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A network of two layers with an optimizer and a batch.
struct Training {
    model: (Linear, Linear),
    optimizer: Adam,
    images: Tensor,
    labels: Vec<usize>,
}

impl Training {
    fn new() -> Self {
        let mut rng = wengert::rng(0);
        let model = (Linear::new(64, 32, Init::He, &mut rng), Linear::new(32, 10, Init::He, &mut rng));
        let labels = (0..16).map(|k| k % 10).collect();
        Training { model, optimizer: Adam::new(1e-3), images: Tensor::randn([16, 64], &mut rng), labels }
    }

    fn loss(&self, tape: &Tape) -> Var {
        let h = self.model.0.forward(&tape.constant(&self.images)).relu().dropout(0.1);
        self.model.1.forward(&h).softmax_cross_entropy(&self.labels)
    }

    fn step(&mut self, rng: &mut impl Rng) {
        let tape = Tape::training(rng);
        let loss = self.loss(&tape);
        assert!(loss.item().is_finite());
        let gradients = loss.backward();
        self.optimizer.step(&mut self.model, &gradients);
    }

    /// A step with everything that a tape notes for an observer.
    fn observed_step(&mut self, rng: &mut impl Rng) {
        let tape = Tape::training(rng).detect_anomaly();
        tape.name_parameters(&self.model);
        let loss = self.loss(&tape).hook(|gradient| gradient * 0.5);
        let half = &loss * 0.5;
        half.retain_grad();
        let gradients = (half + loss.detach()).backward();
        assert_eq!(gradients.missing(&self.model).len(), 0);
        self.optimizer.step(&mut self.model, &gradients);
    }
}

#[test]
fn a_chain_of_a_million_operations_needs_no_stack() {
    let chain = || {
        let tape = Tape::new_f64();
        let x = tape.var(1.0);
        let mut y = x.clone();
        for _ in 0..500_000 {
            y = y * 0.999_999 + 1e-6;
        }
        assert_eq!(tape.len(), 1_000_001);
        let gradient = y.grad(&x).item();
        assert!((gradient - 0.999_999f64.powi(500_000)).abs() < 1e-9);
        assert!((y.backward()[&x].item() - gradient).abs() < 1e-15);
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(chain).expect("a thread");
    thread.join().expect("neither forward, nor backward, nor the drop overflows");
}

#[test]
fn ten_thousand_steps_leave_memory_flat() {
    let mut training = Training::new();
    let mut rng = wengert::rng(1);
    let mut run = |steps: usize, kind: &str| {
        for _ in 0..steps {
            match kind {
                "training" => training.step(&mut rng),
                "forward" => _ = (training.loss(&Tape::new()), training.loss(&Tape::inference())),
                _ => training.observed_step(&mut rng),
            }
        }
        LIVE.get()
    };
    for kind in ["training", "forward", "observed"] {
        let before = run(100, kind);
        assert_eq!(run(10_000, kind), before, "live bytes, {kind}");
    }
}

#[test]
fn a_step_updates_the_parameters_in_place() {
    let mut training = Training::new();
    let address = |training: &Training| training.model.0.weight.value().as_slice().as_ptr();
    let (before, value) = (address(&training), training.model.0.weight.value().to_vec());
    training.step(&mut wengert::rng(1));
    assert_eq!(address(&training), before);
    assert_ne!(training.model.0.weight.value().to_vec(), value);
}

#[test]
fn from_the_second_step_on_tensors_are_recycled() {
    let mut training = Training::new();
    let mut rng = wengert::rng(1);
    training.step(&mut rng);
    let mut requested = || {
        let before = REQUESTED.get();
        training.step(&mut rng);
        REQUESTED.get() - before
    };
    let second = requested();
    // The batch alone is 4 KiB and the parameters 9 KiB; what is left is the list of nodes and its like.
    assert!(second < 8 << 10, "{second} bytes");
    assert!((0..10).all(|_| requested() == second));
}

#[test]
fn a_step_of_a_convolutional_network_recycles_its_tensors() {
    wengert::set_num_threads(1);
    let mut rng = wengert::rng(0);
    let mut model = (Conv2d::new(1, 8, 3, Init::He, &mut rng), Linear::new(8 * 25, 10, Init::He, &mut rng));
    let mut optimizer = Adam::new(1e-3);
    let images: Tensor = Tensor::randn([16, 1, 12, 12], &mut rng);
    let mut requested = || {
        let before = REQUESTED.get();
        let h = model.0.forward(&Tape::new().constant(&images)).relu().max_pool2d(2);
        let loss = model.1.forward(&h.flatten(1, -1)).softmax_cross_entropy(&[3; 16]);
        optimizer.step(&mut model, &loss.backward());
        REQUESTED.get() - before
    };
    requested();
    let second = requested();
    // The convolution alone makes 50 KiB; what is left is the list of nodes, the layout of the windows, and the like.
    assert!(second < 10 << 10, "{second} bytes");
    assert!((0..10).all(|_| requested() == second));
}

#[test]
fn a_step_of_a_large_table_costs_what_its_rows_cost() {
    let requested = |rows: usize| {
        let mut table = Param::new(Tensor::ones([rows, 16]));
        let mut optimizer = Adam::new(1e-3);
        let mut step = || {
            let before = REQUESTED.get();
            let loss = Tape::new().param(&table).embedding([1, 5, 1, 7], None).square().sum();
            let mut gradients = loss.backward();
            gradients.clip_norm(1.0);
            optimizer.step(&mut table, &gradients);
            REQUESTED.get() - before
        };
        step();
        step()
    };
    // The table is 64 MB; finding the rows takes 12 bytes for 64 of them.
    assert!(requested(1_000_000) < requested(1000) + 1_000_000 / 64 * 12 + 1024);
}

#[test]
fn rows_are_shared_and_copied_when_written() {
    let mut x = Tensor::<f32>::arange(0.0, 24.0, 1.0).reshape([4, 3, 2]);
    let address = |x: &Tensor, at: usize| x.as_slice()[at..].as_ptr();
    let mut rows = x.slice(0, 1..3);
    assert_eq!(address(&rows, 0), address(&x, 6));
    assert_eq!(address(&rows.select(0, 1), 0), address(&x, 12), "a part of a part");
    assert_eq!(address(&x.chunk(2, 0)[1], 0), address(&x, 12));
    assert_eq!(address(&x.slice(0, 3..).slice(1, ..2), 0), address(&x, 18), "axes of size 1 in front");
    let columns = x.slice(1, 1..);
    assert_ne!(address(&columns, 0), address(&x, 2), "not in one piece");

    rows.as_mut_slice()[0] = -1.0;
    assert_eq!((rows[[0, 0, 0]], rows[[1, 2, 1]], x[[1, 0, 0]]), (-1.0, 17.0, 6.0));
    let last = x.select(0, -1);
    x.as_mut_slice().fill(0.0);
    assert_eq!(last, tensor![[18.0, 19.0], [20.0, 21.0], [22.0, 23.0]]);
    drop(x);
    let (address_of_last, mut alone) = (address(&last, 0), last);
    alone.as_mut_slice()[0] = 1.0;
    assert_eq!(address(&alone, 0), address_of_last, "written in place by its only holder");
    assert!(alone.slice(0, 1..1).is_empty());
}
