//! Transforms of functions: gradients, Jacobians, Hessians and their products.
//!
//! [`Var::backward`] and [`Var::grad`] start from a result. These start from a function and the [`Primal`] at which to
//! differentiate it: a tensor, several tensors, or a model. No tape is visible; the results are tensors.
//!
//! ```
//! use wengert::prelude::*;
//!
//! let x = tensor![f64; 1.0, 2.0];
//! let f = |x: &Var<f64>| x.powi(3).sum();
//! assert_eq!(functional::grad(f, &x), tensor![f64; 3.0, 12.0]);
//! assert_eq!(functional::hessian(f, &x), tensor![f64; [6.0, 0.0], [0.0, 12.0]]);
//!
//! // Several inputs, and a derivative for each.
//! let [gx, gy] = functional::grad(|[x, y]| (x * y.exp()).sum(), &[x.clone(), tensor![f64; 0.0, 0.0]]);
//! assert_eq!((gx, gy), (tensor![f64; 1.0, 1.0], x));
//!
//! // A model, as a function of its parameters.
//! let model = Linear::new(2, 1, Init::Constant(1.0), &mut wengert::rng(0));
//! let output = |tape: &Tape| model.forward(&tape.constant([[1.0, 2.0]])).sum();
//! let gradients = functional::grad(output, &model.parameters());
//! assert_eq!(gradients[&model.weight], tensor![[1.0, 2.0]]);
//! ```
//!
//! They nest. Given a [`Var`], as within a function that is being differentiated, they return a `Var`, so the Hessian is the
//! Jacobian of the gradient. The argument of an inner function is a new variable, even if its value is one of the outer's:
//!
//! ```
//! # use wengert::prelude::*;
//! let f = |x: &Var| x.sin().sum();
//! let x = tensor![0.5, -1.0];
//! assert_eq!(functional::jacobian(|x| functional::grad(f, x), &x), functional::hessian(f, &x));
//!
//! let confused = |x: &Var| x * functional::grad(|y| (x + y).sum(), x); // x · d(x + y)/dy = x
//! assert_eq!(functional::vjp(confused, &x, &Tensor::ones([2])).1, Tensor::<f32>::ones([2]));
//! ```
//!
//! The functions run on a tape that is not for training: without dropout, with the running statistics of batch normalization.
//! The derivative with respect to what a function does not depend on is zero.

mod parameters;
mod primal;
mod recording;

pub use primal::{Lifted, Primal, Value};

use crate::autograd::Var;
use crate::autograd::backward::Pass;
use crate::panics;
use crate::tensor::{Dims, Float, Tensor};
use crate::transform::parallel;
use recording::{Recording, pull_back, release, retain, rows, unflatten};
use std::panic::Location;

/// The gradient of a scalar function, `∂f/∂x`, with the shape of x.
///
/// # Panics
/// If the result does not have exactly one element.
///
/// ```
/// # use wengert::prelude::*;
/// assert_eq!(functional::grad(|x| x.square().sum(), &tensor![1.0, -2.0]), tensor![2.0, -4.0]);
/// ```
#[track_caller]
pub fn grad<T: Float, P: Primal<T> + ?Sized>(f: impl FnOnce(&P::Input) -> Var<T>, x: &P) -> P::Gradient {
    value_and_grad(f, x).1
}

/// The value of a scalar function and its gradient.
///
/// # Panics
/// If the result does not have exactly one element.
///
/// ```
/// # use wengert::prelude::*;
/// let (value, gradient) = functional::value_and_grad(|x| x.square().sum(), &tensor![1.0, -2.0]);
/// assert_eq!((value.item(), gradient), (5.0, tensor![2.0, -4.0]));
/// ```
#[doc(alias = "grad_and_value")]
#[track_caller]
pub fn value_and_grad<T: Float, P: Primal<T> + ?Sized>(
    f: impl FnOnce(&P::Input) -> Var<T>,
    x: &P,
) -> (P::Value, P::Gradient) {
    let recording = Recording::new("grad", f, x).scalar();
    let gradient = pull_back(&recording.y, &recording.one(), &recording.variables, release::<T, P>());
    (P::Value::of(&recording.y), unflatten(x, &gradient))
}

/// The value of a function and its vector-Jacobian product `uᵀJ` with a cotangent u, with the shape of x: reverse mode.
///
/// # Panics
/// If u does not have the shape of the result.
///
/// ```
/// # use wengert::prelude::*;
/// let (value, product) = functional::vjp(|x| x.square(), &tensor![1.0, 2.0], &tensor![1.0, 10.0]);
/// assert_eq!((value, product), (tensor![1.0, 4.0], tensor![2.0, 40.0]));
/// ```
#[track_caller]
pub fn vjp<T: Float, P: Primal<T> + ?Sized>(
    f: impl FnOnce(&P::Input) -> Var<T>,
    x: &P,
    u: &P::Value,
) -> (P::Value, P::Gradient) {
    let recording = Recording::new("vjp", f, x);
    let product = pull_back(&recording.y, &u.on(&recording.tape), &recording.variables, release::<T, P>());
    (P::Value::of(&recording.y), unflatten(x, &product))
}

/// The value of a function and its Jacobian-vector product `Jv`, the derivative along a direction v, with the shape of the
/// result.
///
/// Forward mode by reverse mode twice (J. Townsend 2017): `uᵀJ` is linear in u, so its derivative with respect to u along v is `Jv`.
/// It costs a recorded backward pass and a pass over that, regardless of the sizes of x and the result.
///
/// # Panics
/// If v does not have the shape of x.
///
/// ```
/// # use wengert::prelude::*;
/// let (value, product) = functional::jvp(|x| x.square().sum(), &tensor![1.0, 2.0], &tensor![1.0, 10.0]);
/// assert_eq!((value, product), (tensor![5.0].reshape(()), tensor![42.0].reshape(())));
/// ```
#[track_caller]
pub fn jvp<T: Float, P: Primal<T> + ?Sized>(
    f: impl FnOnce(&P::Input) -> Var<T>,
    x: &P,
    v: &P::Gradient,
) -> (P::Value, P::Value) {
    let recording = Recording::new("jvp", f, x);
    let (u, products) = recording.transposed();
    let along = recording.inner_product(&products, &x.flatten(v));
    let product = pull_back(&along, &along.constant(1.0), &[u], release::<T, P>());
    (P::Value::of(&recording.y), P::Value::of(&product[0]))
}

/// The matrix of first derivatives, `J[i…, j…] = ∂f[i…]/∂x[j…]`, with the shape of the result followed by that of x.
///
/// Takes one backward pass for each element of the result or of x, whichever has fewer: rows of J in reverse mode, or columns
/// by passes over a recorded pass.
///
/// ```
/// # use wengert::prelude::*;
/// let rotated = |x: &Var| x.matmul(tensor![[0.0, 1.0], [-1.0, 0.0]]);
/// assert_eq!(functional::jacobian(rotated, &tensor![3.0, 4.0]), tensor![[0.0, -1.0], [1.0, 0.0]]);
/// ```
#[doc(alias("jacrev", "jacfwd"))]
#[track_caller]
pub fn jacobian<T: Float, P: Primal<T> + ?Sized>(f: impl FnOnce(&P::Input) -> Var<T>, x: &P) -> P::Gradient {
    let recording = Recording::new("jacobian", f, x);
    let inputs: usize = recording.variables.iter().map(|x| x.value().len()).sum();
    let by_columns = inputs < recording.y.value().len();
    let pass = retain::<T, P>();
    unflatten(x, &if by_columns { recording.columns(pass) } else { rows(&recording.y, &recording.variables, pass) })
}

/// The matrix of second derivatives of a scalar function, `H[i…, j…] = ∂²f/∂x[i…]∂x[j…]`, with the shape of x twice.
///
/// For several inputs, one block for each pair; for parameters, one matrix whose rows and columns are the elements of all
/// trainable parameters in order. Takes one backward pass for each element of x; a product with a single direction takes
/// one pass by [`hvp`].
///
/// # Panics
/// If the result does not have exactly one element.
///
/// ```
/// # use wengert::prelude::*;
/// let area = |[a, b]: &[Var; 2]| a * b;
/// let [[aa, ab], [ba, bb]] = functional::hessian(area, &[Tensor::scalar(2.0), Tensor::scalar(3.0)]);
/// assert_eq!([aa, ab, ba, bb].map(|d| d.item()), [0.0, 1.0, 1.0, 0.0]);
/// ```
#[track_caller]
pub fn hessian<T: Float, P: Primal<T> + ?Sized>(f: impl FnOnce(&P::Input) -> Var<T>, x: &P) -> P::Hessian {
    let recording = Recording::new("hessian", f, x).scalar();
    let mut blocks = Vec::new();
    for part in recording.gradient() {
        let row = rows(&part, &recording.variables, retain::<T, P>());
        blocks.push(row.iter().map(P::Value::of).collect());
    }
    x.unflatten_pairs(blocks)
}

/// The Hessian-vector product `Hv` of a scalar function, with the shape of x (Pearlmutter 1994).
///
/// The gradient of `⟨∂f/∂x, v⟩`. It costs about two gradients; H itself is never formed. For several directions at one
/// point see [`quadratic_model`].
///
/// # Panics
/// If the result does not have exactly one element, or v not the shape of x.
///
/// ```
/// # use wengert::prelude::*;
/// let product = functional::hvp(|x| x.powi(3).sum(), &tensor![1.0, 2.0], &tensor![1.0, 10.0]);
/// assert_eq!(product, tensor![6.0, 120.0]);
/// ```
#[doc(alias = "hessian_vector_product")]
#[track_caller]
pub fn hvp<T: Float, P: Primal<T> + ?Sized>(
    f: impl FnOnce(&P::Input) -> Var<T>,
    x: &P,
    v: &P::Gradient,
) -> P::Gradient {
    let recording = Recording::new("hvp", f, x).scalar();
    let along = recording.inner_product(&recording.gradient(), &x.flatten(v));
    unflatten(x, &pull_back(&along, &along.constant(1.0), &recording.variables, release::<T, P>()))
}

/// The second-order model of a scalar function near a point: `f(x + v) ≈ value + ⟨gradient, v⟩ + ½⟨v, Hv⟩`.
///
/// Returned by [`quadratic_model`].
pub struct QuadraticModel<'a, T: Float, P: Primal<T> + ?Sized> {
    /// The value at the point.
    pub value: P::Value,
    /// The gradient at the point.
    pub gradient: P::Gradient,
    x: &'a P,
    recording: Recording<T>,
    /// The gradient as variables of the recording.
    gradients: Vec<Var<T>>,
}

/// The value and gradient of a scalar function, and [products](QuadraticModel::product) with its Hessian that do not run the
/// function again: for conjugate gradients and other matrix-free methods.
///
/// # Panics
/// If the result does not have exactly one element.
///
/// ```
/// # use wengert::prelude::*;
/// let x = tensor![1.0, 2.0];
/// let near = functional::quadratic_model(|x| x.powi(3).sum(), &x);
/// assert_eq!((near.value.item(), &near.gradient), (9.0, &tensor![3.0, 12.0]));
/// assert_eq!(near.product(&tensor![1.0, 0.0]), tensor![6.0, 0.0]);
/// assert_eq!(near.product(&tensor![0.0, 1.0]), tensor![0.0, 12.0]);
/// ```
#[track_caller]
pub fn quadratic_model<T: Float, P: Primal<T> + ?Sized>(
    f: impl FnOnce(&P::Input) -> Var<T>,
    x: &P,
) -> QuadraticModel<'_, T, P> {
    let recording = Recording::new("quadratic_model", f, x).scalar();
    let gradients = recording.gradient();
    let (value, gradient) = (P::Value::of(&recording.y), unflatten(x, &gradients));
    QuadraticModel { value, gradient, x, recording, gradients }
}

impl<T: Float, P: Primal<T> + ?Sized> QuadraticModel<'_, T, P> {
    /// The product of the Hessian with a direction, `Hv`.
    ///
    /// # Panics
    /// If v does not have the shape of the point.
    #[track_caller]
    pub fn product(&self, v: &P::Gradient) -> P::Gradient {
        let along = self.recording.inner_product(&self.gradients, &self.x.flatten(v));
        unflatten(self.x, &pull_back(&along, &along.constant(1.0), &self.recording.variables, retain::<T, P>()))
    }
}

/// The gradient of each sample rather than of their sum, with the samples along a new first axis.
///
/// For gradient noise, influence functions, and differential privacy (Abadi et al. 2016). Each sample takes one pass; the
/// passes run on [`num_threads`](crate::num_threads) threads, whose number does not change the result.
///
/// # Panics
/// If a result does not have exactly one element.
///
/// ```
/// # use wengert::prelude::*;
/// let model = Linear::new(2, 1, Init::Constant(1.0), &mut wengert::rng(0));
/// let samples = [tensor![[1.0, 2.0]], tensor![[3.0, 4.0]], tensor![[5.0, 6.0]]];
/// let output = |tape: &Tape, sample: &Tensor| model.forward(&tape.constant(sample)).sum();
/// let gradients = functional::per_sample_gradients(output, &model.parameters(), &samples);
/// assert_eq!(gradients[&model.weight], tensor![[[1.0, 2.0]], [[3.0, 4.0]], [[5.0, 6.0]]]);
/// ```
#[doc(alias = "vmap")]
#[track_caller]
pub fn per_sample_gradients<T: Float, P, S: Sync>(
    f: impl Fn(&P::Input, &S) -> Var<T> + Sync,
    x: &P,
    samples: &[S],
) -> P::Gradient
where
    P: Primal<T, Value = Tensor<T>> + Sync + ?Sized,
{
    let at = Location::caller();
    // A result of the wrong shape is reported after the threads have ended, at the caller's line.
    let one = |sample: &S| {
        let recording = Recording::new("per_sample_gradients", |x: &P::Input| f(x, sample), x);
        if recording.y.value().len() != 1 {
            return Err((recording.y.shape().to_vec(), recording.y.place()));
        }
        let gradient = pull_back(&recording.y, &recording.one(), &recording.variables, Pass::Values(Some(at)));
        Ok(gradient.iter().map(Tensor::of).collect::<Vec<_>>())
    };
    let gradients: Result<Vec<_>, _> = parallel::map(samples, one).into_iter().collect();
    let gradients = match gradients {
        Ok(gradients) => gradients,
        Err((shape, place)) => panics::not_scalar("per_sample_gradients", &shape, &place),
    };
    let shapes = x.lift().variables.into_iter().map(|x| x.value().dims());
    let of_all = |(k, shape): (usize, Dims)| match samples {
        [] => Tensor::zeros([&[0], shape.as_slice()].concat()),
        _ => Tensor::stack(&gradients.iter().map(|parts| &parts[k]).collect::<Vec<_>>(), 0),
    };
    x.unflatten(shapes.enumerate().map(of_all).collect())
}
