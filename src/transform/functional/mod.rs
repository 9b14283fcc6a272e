//! Calculus of functions: what turns a function into its derivative.
//!
//! Where [`Var::backward`] and [`Var::grad`] start from a result, these start from a function and the [`Point`] to differentiate
//! it at: a tensor, several tensors, or a model. Tapes stay out of sight; what comes out are tensors.
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
//! They nest. Given a [`Var`], as inside of a function that is being differentiated, they give a `Var`, so that the Hessian is
//! the Jacobian of the gradient. An inner function's argument is a variable of its own, even where its value is one of the outer's:
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
//! The functions run on a tape that is not for training: without dropout, with the running statistics of batch normalisation.
//! What a function does not depend on has a derivative of zeros.

mod graph;
mod parameters;
mod point;

pub use point::{Entered, Point, Value};

use crate::autograd::Var;
use crate::autograd::backward::Pass;
use crate::panics;
use crate::tensor::{Dims, Float, Tensor};
use crate::transform::parallel;
use graph::{Graph, gather, kept, last, pull_back, rows};
use std::panic::Location;

/// The gradient of a function of one result: `∂f/∂x`, in the shape of x.
///
/// # Panics
/// If the result does not have exactly one element.
///
/// ```
/// # use wengert::prelude::*;
/// assert_eq!(functional::grad(|x| x.square().sum(), &tensor![1.0, -2.0]), tensor![2.0, -4.0]);
/// ```
#[track_caller]
pub fn grad<T: Float, P: Point<T> + ?Sized>(f: impl FnOnce(&P::Input) -> Var<T>, x: &P) -> P::Gradient {
    value_and_grad(f, x).1
}

/// The value of a function of one result, and its gradient.
///
/// # Panics
/// If the result does not have exactly one element.
///
/// ```
/// # use wengert::prelude::*;
/// let (value, gradient) = functional::value_and_grad(|x| x.square().sum(), &tensor![1.0, -2.0]);
/// assert_eq!((value.item(), gradient), (5.0, tensor![2.0, -4.0]));
/// ```
#[track_caller]
pub fn value_and_grad<T: Float, P: Point<T> + ?Sized>(
    f: impl FnOnce(&P::Input) -> Var<T>,
    x: &P,
) -> (P::Value, P::Gradient) {
    let graph = Graph::new("grad", f, x).scalar();
    let gradient = pull_back(&graph.y, &graph.one(), &graph.variables, last::<T, P>());
    (P::Value::of(&graph.y), gather(x, &gradient))
}

/// The value of a function, and the product of a cotangent u with its Jacobian J, `uᵀJ`, in the shape of x: reverse mode.
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
pub fn vjp<T: Float, P: Point<T> + ?Sized>(
    f: impl FnOnce(&P::Input) -> Var<T>,
    x: &P,
    u: &P::Value,
) -> (P::Value, P::Gradient) {
    let graph = Graph::new("vjp", f, x);
    let product = pull_back(&graph.y, &u.on(&graph.tape), &graph.variables, last::<T, P>());
    (P::Value::of(&graph.y), gather(x, &product))
}

/// The value of a function, and the product of its Jacobian J with a direction v, `Jv`, in the shape of the result: the derivative
/// of f along v.
///
/// Forward mode by reverse mode twice (J. Townsend 2017): `uᵀJ` is linear in u, so its derivative with respect to u along v is `Jv`.
/// It costs a recorded backward pass and a pass over that, whatever the sizes of x and of the result.
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
pub fn jvp<T: Float, P: Point<T> + ?Sized>(
    f: impl FnOnce(&P::Input) -> Var<T>,
    x: &P,
    v: &P::Gradient,
) -> (P::Value, P::Value) {
    let graph = Graph::new("jvp", f, x);
    let (u, products) = graph.transposed();
    let along = graph.inner_product(&products, &x.parts(v));
    let product = pull_back(&along, &along.constant(1.0), &[u], last::<T, P>());
    (P::Value::of(&graph.y), P::Value::of(&product[0]))
}

/// The matrix of all first derivatives: `J[i…, j…] = ∂f[i…]/∂x[j…]`, of the shape of the result followed by that of x.
///
/// Takes as many backward passes as the result or x has elements, whichever is fewer: rows of J in reverse mode, columns
/// by passes over a recorded one.
///
/// ```
/// # use wengert::prelude::*;
/// let rotated = |x: &Var| x.matmul(tensor![[0.0, 1.0], [-1.0, 0.0]]);
/// assert_eq!(functional::jacobian(rotated, &tensor![3.0, 4.0]), tensor![[0.0, -1.0], [1.0, 0.0]]);
/// ```
#[track_caller]
pub fn jacobian<T: Float, P: Point<T> + ?Sized>(f: impl FnOnce(&P::Input) -> Var<T>, x: &P) -> P::Gradient {
    let graph = Graph::new("jacobian", f, x);
    let inputs: usize = graph.variables.iter().map(|x| x.value().len()).sum();
    let by_columns = inputs < graph.y.value().len();
    let pass = kept::<T, P>();
    gather(x, &if by_columns { graph.columns(pass) } else { rows(&graph.y, &graph.variables, pass) })
}

/// The matrix of all second derivatives of a function of one result: `H[i…, j…] = ∂²f/∂x[i…]∂x[j…]`, of the shape of x twice.
///
/// Of several inputs, a block for each pair; of parameters, one matrix, whose rows and columns are the elements of all
/// that are trainable, in their order. Takes as many backward passes as x has elements; for
/// products with single directions [`hvp`] takes one.
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
pub fn hessian<T: Float, P: Point<T> + ?Sized>(f: impl FnOnce(&P::Input) -> Var<T>, x: &P) -> P::Hessian {
    let graph = Graph::new("hessian", f, x).scalar();
    let mut blocks = Vec::new();
    for part in graph.gradient() {
        let row = rows(&part, &graph.variables, kept::<T, P>());
        blocks.push(row.iter().map(P::Value::of).collect());
    }
    x.gather_pairs(blocks)
}

/// The product of the Hessian H of a function of one result with a direction v, `Hv`, in the shape of x (Pearlmutter 1994).
///
/// The gradient of `⟨∂f/∂x, v⟩`, about as dear as two gradients; H itself is never formed. For several directions at one
/// point see [`quadratic`].
///
/// # Panics
/// If the result does not have exactly one element, or v not the shape of x.
///
/// ```
/// # use wengert::prelude::*;
/// let product = functional::hvp(|x| x.powi(3).sum(), &tensor![1.0, 2.0], &tensor![1.0, 10.0]);
/// assert_eq!(product, tensor![6.0, 120.0]);
/// ```
#[track_caller]
pub fn hvp<T: Float, P: Point<T> + ?Sized>(f: impl FnOnce(&P::Input) -> Var<T>, x: &P, v: &P::Gradient) -> P::Gradient {
    let graph = Graph::new("hvp", f, x).scalar();
    let along = graph.inner_product(&graph.gradient(), &x.parts(v));
    gather(x, &pull_back(&along, &along.constant(1.0), &graph.variables, last::<T, P>()))
}

/// A function of one result near a point, to second order: `f(x + v) ≈ value + ⟨gradient, v⟩ + ½⟨v, Hv⟩`.
///
/// Made by [`quadratic`].
pub struct Quadratic<'a, T: Float, P: Point<T> + ?Sized> {
    /// The value at the point.
    pub value: P::Value,
    /// The gradient at the point.
    pub gradient: P::Gradient,
    x: &'a P,
    graph: Graph<T>,
    recorded: Vec<Var<T>>,
}

/// What [`hvp`] needs, kept for many directions: the value, the gradient, and a [product](Quadratic::product) with the Hessian that
/// does not run the function again. For conjugate gradients and other methods that only multiply.
///
/// # Panics
/// If the result does not have exactly one element.
///
/// ```
/// # use wengert::prelude::*;
/// let x = tensor![1.0, 2.0];
/// let near = functional::quadratic(|x| x.powi(3).sum(), &x);
/// assert_eq!((near.value.item(), &near.gradient), (9.0, &tensor![3.0, 12.0]));
/// assert_eq!(near.product(&tensor![1.0, 0.0]), tensor![6.0, 0.0]);
/// assert_eq!(near.product(&tensor![0.0, 1.0]), tensor![0.0, 12.0]);
/// ```
#[track_caller]
pub fn quadratic<T: Float, P: Point<T> + ?Sized>(f: impl FnOnce(&P::Input) -> Var<T>, x: &P) -> Quadratic<'_, T, P> {
    let graph = Graph::new("quadratic", f, x).scalar();
    let recorded = graph.gradient();
    let (value, gradient) = (P::Value::of(&graph.y), gather(x, &recorded));
    Quadratic { value, gradient, x, graph, recorded }
}

impl<T: Float, P: Point<T> + ?Sized> Quadratic<'_, T, P> {
    /// The product of the Hessian with a direction, `Hv`.
    ///
    /// # Panics
    /// If v does not have the shape of the point.
    #[track_caller]
    pub fn product(&self, v: &P::Gradient) -> P::Gradient {
        let along = self.graph.inner_product(&self.recorded, &self.x.parts(v));
        gather(self.x, &pull_back(&along, &along.constant(1.0), &self.graph.variables, kept::<T, P>()))
    }
}

/// The gradient of each sample's result by itself, rather than of their sum: what comes out has an axis for the samples in front.
///
/// For gradient noise, influence functions, and clipping for privacy (Abadi et al. 2016). Each sample takes a pass of its own;
/// they are spread over [`num_threads`](crate::num_threads) threads, whose number changes nothing.
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
#[track_caller]
pub fn per_sample_gradients<T: Float, P, S: Sync>(
    f: impl Fn(&P::Input, &S) -> Var<T> + Sync,
    x: &P,
    samples: &[S],
) -> P::Gradient
where
    P: Point<T, Value = Tensor<T>> + Sync + ?Sized,
{
    let at = Location::caller();
    // A result of the wrong shape is reported when the threads have ended, at the caller's line.
    let one = |sample: &S| {
        let graph = Graph::new("per_sample_gradients", |x: &P::Input| f(x, sample), x);
        if graph.y.value().len() != 1 {
            return Err((graph.y.shape().to_vec(), graph.y.place()));
        }
        let gradient = pull_back(&graph.y, &graph.one(), &graph.variables, Pass::Values(Some(at)));
        Ok(gradient.iter().map(Tensor::of).collect::<Vec<_>>())
    };
    let gradients: Result<Vec<_>, _> = parallel::map(samples, one).into_iter().collect();
    let gradients = match gradients {
        Ok(gradients) => gradients,
        Err((shape, place)) => panics::not_scalar("per_sample_gradients", &shape, &place),
    };
    let shapes = x.enter().variables.into_iter().map(|x| x.value().dims());
    let of_all = |(k, shape): (usize, Dims)| match samples {
        [] => Tensor::zeros([&[0], shape.as_slice()].concat()),
        _ => Tensor::stack(&gradients.iter().map(|parts| &parts[k]).collect::<Vec<_>>(), 0),
    };
    x.gather(shapes.enumerate().map(of_all).collect())
}
