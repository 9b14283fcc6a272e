//! Define-by-run automatic differentiation in plain Rust, to any order, with layers, optimizers and data tools for training
//! neural networks.
//!
//! A model is a struct of layers and an ordinary function. Operations are recorded on a [`Tape`]; replaying it backwards
//! yields the gradients, which are values that an optimizer takes.
//!
//! ```
//! use wengert::prelude::*;
//!
//! struct Mlp { hidden: Linear, output: Linear }
//! module!(Mlp { hidden, output });
//!
//! impl Mlp {
//!     fn new(rng: &mut impl Rng) -> Self {
//!         let hidden = Linear::new(784, 256, Init::He, rng);
//!         Mlp { hidden, output: Linear::new(256, 10, Init::Xavier, rng) }
//!     }
//!     fn forward(&self, x: &Var) -> Var {
//!         self.output.forward(&self.hidden.forward(x).relu())
//!     }
//! }
//!
//! fn main() -> Result<(), wengert::Error> {
//!     let mut rng = wengert::rng(0);
//!     let (train, _test) = wengert::data::mnist::load("data/mnist")?;
//!     # let train = train.take(1024);
//!     let mut model = Mlp::new(&mut rng);
//!     let mut optimizer = Adam::new(1e-3);
//!     for batch in train.batches(128).shuffled(&mut rng) {
//!         let tape = Tape::training(&mut rng);
//!         let x = tape.constant(batch.images);
//!         let scores = model.forward(&x);
//!         let loss = scores.softmax_cross_entropy(&batch.labels);
//!         println!("{}", loss.item());
//!         optimizer.step(&mut model, &loss.backward());
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Other data takes the place of the images (`use wengert::{data::Samples, io, metrics};`), with one row per sample and classes numbered
//! from 0:
//!
//! ```
//! # use wengert::prelude::*;
//! # use wengert::{data::Samples, io, metrics};
//! # let folder = std::env::temp_dir().join(format!("wengert-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).unwrap();
//! # std::env::set_current_dir(&folder).unwrap();
//! # let mut model = Linear::new(784, 10, Init::He, &mut wengert::rng(0));
//! let inputs = Tensor::from_vec(vec![0.5; 20 * 784], [20, 784]);
//! let samples = Samples::new(inputs, vec![3; 20]);
//! for batch in samples.batches(10) {
//!     println!("{:?} {:?}", batch.inputs.shape(), batch.targets);
//! }
//! let scores = model.forward(&Tape::inference().constant(samples.inputs()));
//! println!("accuracy {}", metrics::accuracy(scores.value(), samples.targets()));
//! io::save(&model, "model.safetensors")?;
//! io::load(&mut model, "model.safetensors")?;
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok::<(), wengert::Error>(())
//! ```
//!
//! Derivatives of any order:
//!
//! ```
//! # use wengert::prelude::*;
//! let tape = Tape::new();
//! let x = tape.var(2.0);
//! let y = x.powi(3) - 4.0 * &x + 5.0;
//! let dy = y.grad(&x);        // a Var on the same tape: 3x² - 4
//! let d2y = dy.grad(&x);      // 6x
//! println!("{tape}");         // the Wengert list, with shapes and source lines
//! # assert_eq!((y.item(), dy.item(), d2y.item()), (5.0, 8.0, 12.0));
//! ```
//!
//! # Where things are
//!
//! | module | what it has |
//! |---|---|
//! | [`mod@tensor`] | [`Tensor`]: n-dimensional values without gradients, [`macro@tensor`], reductions, matrix products |
//! | [`autograd`] | [`Tape`], [`Var`], [`Gradients`], and [`Op`] for custom operations; [drawings](Tape::to_svg) of a tape, and the [search](Tape::detect_anomaly) for a NaN |
//! | [`ops`] | every differentiable operation: methods of [`Var`], [by subject, with their derivatives](ops#operations-by-subject) |
//! | [`functional`], [`check`], [`parallel`] | derivatives of functions, gradient checks, gradients over shards of data on threads |
//! | [`nn`] | [`Module`] and [`Layer`], [`Linear`], [`Conv2d`], [`Lstm`], [`MultiHeadAttention`], pooling, [`Init`] |
//! | [`optim`] | [`Optimizer`], [`Sgd`], [`Adam`], [schedules](optim::schedule) of the learning rate |
//! | [`data`] | data sets and batches, splitting and scaling; MNIST, IDX and CSV files |
//! | [`text`] | tokenizers, windows of long texts, sampling and beam search for language models |
//! | [`io`] | saving and loading models, [checkpoints](io::Checkpoint), and files of numpy, PyTorch and ONNX |
//! | [`metrics`] | accuracy, the confusion matrix, ranking, calibration, errors of regression, perplexity, running means |
//! | [`training`] | bookkeeping for a training loop: the best model, early stopping, the history; [event files](training::tensorboard) for TensorBoard |
//! | [`distributed`] | gradients over shards of data on several machines |
//! | [`guide`] | a page for each topic ([日本語](guide::ja)), and for readers who come [from PyTorch](guide::from_pytorch), [numpy](guide::from_numpy) or [the book](guide::from_the_book) |
//!
//! A mistake in the program, such as shapes that do not fit, panics at the caller's line and names the operation and the
//! shapes. An external failure, such as a truncated file, is an [`Error`].
//!
//! # Features
//!
//! `derive`, on by default, is `#[derive(Module)]`. Off by default are `ndarray`, conversions from and into arrays of that crate, and
//! `serde`, `Serialize` and `Deserialize` for tensors, parameters, generators, and the settings and the state of optimizers.
//!
//! # Debug builds
//!
//! The library is compiled once, for both element types; a program only links it. With
//!
//! ```toml
//! [profile.dev.package."*"]
//! opt-level = 3
//! ```
//!
//! in the `Cargo.toml` of the program, its debug builds run nearly as fast as its release builds.
//!
//! # Conventions
//!
//! Broadcasting follows numpy; names and numerical conventions follow PyTorch. Where libraries differ, the documentation of a
//! function states its convention. Everything is deterministic: the same seed gives the same bits, with any number of threads, and
//! with AVX2 as with AVX-512. Matrix products on processors without fused multiply-add, and on architectures other than x86-64, round
//! differently.
//!
//! # Versions
//!
//! Versions follow [SemVer](https://semver.org) as cargo reads it: below 1.0 a change that may break a program raises the second number,
//! anything else the third.
//!
//! - Breaking is what stops a program that uses public items from compiling, changes what a function computes beyond rounding, or makes
//!   a file of an earlier version unreadable. The wording of messages, listings and drawings, bits that a faster kernel rounds
//!   differently, speed, and items hidden from the documentation may change with the third number; the changelog says when bits do.
//! - A replaced item is `#[deprecated]`, with the name of its replacement, until the second number has been raised once more.
//! - [`Float`] and [`Number`](tensor::Number) are sealed. Enumerations and errors that will grow are `#[non_exhaustive]`. Traits that
//!   accept several kinds of arguments, such as [`IntoShape`](tensor::IntoShape), [`Axes`](tensor::Axes), [`Operand`]
//!   and [`PerAxis`](ops::PerAxis), are meant to be called, not implemented: they may gain methods with the third number. Those that
//!   are meant to be implemented, such as [`Op`], [`Module`], [`Layer`], [`Rule`](optim::Rule), [`Dataset`] and
//!   [`Communicator`](distributed::Communicator), only gain methods with a default implementation.
//! - The minimum supported version of Rust is 1.89. Raising it raises the second number.
//!
//! # Environment
//!
//! - `WENGERT_NUM_THREADS` sets [`num_threads`], which is the number of processors otherwise.
//! - `WENGERT_SIMD` limits the vector instructions that kernels use on x86-64: `baseline` (SSE2), `avx2` (with FMA) or `avx512`, as
//!   if the processor had no others. This is for comparisons, for reproducing the results of another machine, and for tools that do
//!   not support newer instructions. At the baseline, matrix products are those of the `matrixmultiply` crate, which detects the
//!   features of the processor itself.

#![warn(missing_docs)]

mod error;
mod file;
mod generator;
#[doc(hidden)]
pub mod instances;
mod panics;

mod inspect;
mod kernel;
mod transform;

pub mod autograd;
pub mod data;
pub mod distributed;
#[doc(alias("to_device", "cuda", "device"))]
pub mod guide;
pub mod io;
pub mod metrics;
pub mod nn;
pub mod ops;
pub mod optim;
pub mod tensor;
pub mod text;
pub mod training;

#[doc(inline)]
pub use autograd::{TapeConstructors, apply};
pub use error::Error;
pub use generator::Generator;
pub use kernel::{num_threads, set_num_threads, with_threads};
#[doc(inline)]
pub use prelude::*;
pub use rand;
pub use transform::parallel;

/// A random generator with a fixed algorithm, xoshiro256++: the same seed gives the same numbers on every machine and in every
/// version.
#[doc(alias("manual_seed", "default_rng", "seed"))]
pub fn rng(seed: u64) -> Generator {
    rand::SeedableRng::seed_from_u64(seed)
}

/// The items that most programs use, `use wengert::prelude::*;`. The root of the crate has the same names.
pub mod prelude {
    pub use crate::autograd::TapeConstructors as _;
    #[doc(inline)]
    pub use crate::{
        autograd::{Description, Gradients, Mode, Op, Operand, Param, Save, Saved, Tape, Var},
        data::Dataset,
        module,
        nn::{AdaptiveAvgPool1d, AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d},
        nn::{BatchNorm, GroupNorm, InstanceNorm, LayerNorm, RmsNorm},
        nn::{Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, Dropout, Embedding, Linear},
        nn::{Elu, Gelu, LeakyRelu, LogSoftmax, Relu, Relu6, Selu, Sigmoid, Silu, Softmax, Softplus, Tanh},
        nn::{Fan, Init, Nonlinearity},
        nn::{Flatten, Identity, Lambda, Layer, Module, Sequential},
        nn::{Gru, GruCell, Lstm, LstmCell, LstmState, Recurrent, Rnn, RnnCell},
        nn::{Hardsigmoid, Hardswish, LogSigmoid, Mish},
        nn::{MultiHeadAttention, TransformerDecoderLayer, TransformerEncoderLayer},
        ops::einsum,
        ops::{Attention, Conv, CrossEntropy, Reduction},
        optim::{Adam, AdamW, Optimizer, Schedule, Sgd},
        tensor,
        tensor::{Float, Indices, Labels, PadMode, SparseRows, Tensor, keepdim},
        text::Tokenizer,
        transform::{check, functional},
    };
    pub use rand::Rng;
    pub use rand::RngExt as _;
}
