//! Numerical differentiation, and gradient checks.
//!
//! [`numerical_diff`] and [`numerical_gradient`] follow the definition of the derivative: slow and approximate, but good for learning
//! and for checking a single number. [`gradients`] tests the rule of a custom [`Op`](crate::Op), or any function composed of
//! operations, like PyTorch's `gradcheck` and `gradgradcheck`.

use crate::autograd::{Tape, Var};
use crate::generator::Generator;
use crate::panics::check_option;
use crate::tensor::Tensor;
use rand::SeedableRng;
use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::ops::Bound;

/// The step of the differences in [`gradients`], ∛ε: it balances the truncation error `h²f‴/6` and the rounding error `εf/h` of a
/// central difference, both about 10⁻¹⁰.
const STEP: f64 = 6e-6;
/// The tolerance of the derivatives in [`gradients`], relative to the larger of the two and 1.
const TOLERANCE: f64 = 1e-6;
/// The tolerance between recorded and unrecorded backward passes, which differ only by rounding.
const ROUNDING: f64 = 1e-12;

/// The derivative of `f` at `x` by a central difference, `(f(x + h) − f(x − h)) / 2h`.
///
/// The error is `h²f‴/6` plus cancellation in `f(x + h) − f(x − h)`; `h = 1e-4` is a good choice.
///
/// # Panics
/// If h is not positive or not finite.
///
/// ```
/// use wengert::check::numerical_diff;
///
/// assert_eq!(numerical_diff(|x| 0.01 * x * x + 0.1 * x, 5.0, 1e-4), 0.1999999999990898);
/// ```
#[track_caller]
pub fn numerical_diff(f: impl Fn(f64) -> f64, x: f64, h: f64) -> f64 {
    check_option("h", h, (Bound::Excluded(0.0), Bound::Unbounded));
    (f(x + h) - f(x - h)) / (2.0 * h)
}

/// The gradient of `f` at `x` by central differences, one element at a time: `∂f/∂xₖ ≈ (f(x + heₖ) − f(x − heₖ)) / 2h`.
///
/// # Panics
/// If h is not positive or not finite.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = |x: &Tensor<f64>| x[[0]] * x[[0]] + x[[1]] * x[[1]];
/// let gradient = check::numerical_gradient(f, &tensor![f64; 3.0, 4.0], 1e-4);
/// assert_eq!(gradient.to_vec(), [6.00000000000378, 7.999999999999119]);
/// ```
#[doc(alias = "finite_differences")]
#[track_caller]
pub fn numerical_gradient(f: impl Fn(&Tensor<f64>) -> f64, x: &Tensor<f64>, h: f64) -> Tensor<f64> {
    check_option("h", h, (Bound::Excluded(0.0), Bound::Unbounded));
    let partial = |k: usize| {
        let along = |value: f64| {
            let mut x = x.clone();
            x.as_mut_slice()[k] = value;
            f(&x)
        };
        numerical_diff(along, x.as_slice()[k], h)
    };
    Tensor::from_vec((0..x.len()).map(partial).collect(), x.shape())
}

/// Checks the first and second derivatives of `f` at `inputs`; see [`gradients_to_order`].
///
/// # Errors
/// The first mismatch found.
///
/// ```
/// use wengert::prelude::*;
///
/// let x = tensor![f64; [0.5, -1.0], [2.0, 0.1]];
/// assert!(check::gradients(|x| x[0].sin() * &x[1], &[x.clone(), x.clone()]).is_ok());
///
/// // A constant hides from the rules that the value depends on the input.
/// let cut_off = check::gradients(|x| x[0].square() * x[0].detach(), &[x]).unwrap_err();
/// assert_eq!((cut_off.order, cut_off.input), (1, 0));
/// ```
#[doc(alias = "gradcheck")]
#[doc(alias = "gradgradcheck")]
pub fn gradients(f: impl Fn(&[Var<f64>]) -> Var<f64>, inputs: &[Tensor<f64>]) -> Result<(), Mismatch> {
    gradients_to_order(2, f, inputs)
}

/// Checks the derivatives of `f` at `inputs` up to an order against central differences, in random directions from a fixed seed.
///
/// `f` may return a value of any shape. Order 1 checks the scalar `f₁(x, u) = ⟨u, f(x)⟩` with a random cotangent u, which is treated
/// as another input; order k + 1 checks `fₖ₊₁ = Σᵢ ⟨wᵢ, ∂fₖ/∂xᵢ⟩` with random weights w, where the derivatives come from the rules.
/// So every order takes a single central difference, of a function that the previous order has verified, and is as accurate as
/// order 1. Because u is an input, order 2 also checks the forward-mode product `∂f₂/∂u = f + J w`.
///
/// At each order, and for each input xᵢ with a random direction vᵢ:
/// - `⟨vᵢ, ∂fₖ/∂xᵢ⟩` equals `(fₖ(xᵢ + h vᵢ) − fₖ(xᵢ − h vᵢ)) / 2h` with h = 6·10⁻⁶, up to 10⁻⁶ times the larger of the two and 1
///   (the expected error is about 10⁻¹⁰ for values and derivatives of order 1);
/// - the gradient has the shape of xᵢ (no gradient counts as zero);
/// - the unrecorded pass ([`Var::gradients`]) agrees with the recorded one ([`Var::vjp`]) up to 10⁻¹² of the largest element.
///
/// The inputs must be at least about 10⁻⁴ away from kinks and from the boundary of the domain, and `f` must be deterministic.
///
/// # Errors
/// The first mismatch found.
///
/// # Panics
/// If `f` panics, or a rule returns a gradient that does not fit its input.
pub fn gradients_to_order(
    order: usize,
    f: impl Fn(&[Var<f64>]) -> Var<f64>,
    inputs: &[Tensor<f64>],
) -> Result<(), Mismatch> {
    let mut rng = Generator::seed_from_u64(0);
    let cotangent = Tensor::randn(f(&variables(inputs)).shape(), &mut rng);
    let scalar = |x: &[Var<f64>]| {
        let (u, x) = x.split_last().expect("the cotangent is the last input");
        (f(x) * u).sum()
    };
    let inputs: Vec<_> = inputs.iter().cloned().chain([cotangent]).collect();
    (Check { inputs: &inputs, last: order, rng: &mut rng }).check_from(1, &scalar)
}

/// A mismatch found by [`gradients`].
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// The order of the wrong derivative, from 1.
    pub order: usize,
    /// The index of the input; the one after the last is the cotangent u.
    pub input: usize,
    /// The shape of that input.
    pub shape: Vec<usize>,
    /// What differs.
    pub finding: Finding,
}

/// The kind of a [`Mismatch`].
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// The derivatives in a random direction.
    Derivative {
        /// By the rules.
        analytic: f64,
        /// By a central difference.
        numerical: f64,
    },
    /// The gradient has this shape instead of that of the input.
    Shape(Vec<usize>),
    /// The largest difference between the gradients of an unrecorded and a recorded backward pass.
    Passes(f64),
}

impl Display for Mismatch {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(
            f,
            "derivative of order {} with respect to input {} of shape {:?}: ",
            self.order, self.input, self.shape
        )?;
        match &self.finding {
            Finding::Derivative { analytic, numerical } => {
                let error = relative(*analytic, *numerical);
                write!(f, "{analytic} by the rules, {numerical} by differences, a relative error of {error:.1e}")
            }
            Finding::Shape(shape) => write!(f, "the gradient has shape {shape:?}"),
            Finding::Passes(error) => {
                write!(f, "the unrecorded and the recorded backward pass differ by {error:.1e}")
            }
        }
    }
}

impl Error for Mismatch {}

/// The difference of two numbers relative to the larger one, or to 1.
fn relative(a: f64, b: f64) -> f64 {
    (a - b).abs() / a.abs().max(b.abs()).max(1.0)
}

/// Whether an error is NaN or larger than its bound.
fn exceeds(error: f64, bound: f64) -> bool {
    error.is_nan() || error > bound
}

/// The largest absolute value; 0 without elements, NaN if one is NaN.
fn largest(x: &Tensor<f64>) -> f64 {
    if x.is_empty() { 0.0 } else { x.map(f64::abs).max().item() }
}

/// The inputs as variables on a new tape.
fn variables(inputs: &[Tensor<f64>]) -> Vec<Var<f64>> {
    let tape = Tape::new_f64();
    inputs.iter().map(|x| tape.var(x)).collect()
}

/// The dot product of all elements.
fn dot(a: &Tensor<f64>, b: &Tensor<f64>) -> f64 {
    (a * b).sum().item()
}

/// The derivatives of a scalar result, by a recorded pass.
fn derivatives(y: &Var<f64>, x: &[Var<f64>]) -> Vec<Option<Var<f64>>> {
    y.vjp(&y.constant(1.0), &x.iter().collect::<Vec<_>>())
}

/// The state of a check, shared by all orders.
struct Check<'a> {
    inputs: &'a [Tensor<f64>],
    last: usize,
    rng: &'a mut Generator,
}

impl Check<'_> {
    /// Checks the derivative of `f`, which is of the given order, and then the higher ones.
    fn check_from(&mut self, order: usize, f: &dyn Fn(&[Var<f64>]) -> Var<f64>) -> Result<(), Mismatch> {
        if order > self.last {
            return Ok(());
        }
        self.derivative(f).map_err(|(input, finding)| {
            let shape = self.inputs[input].shape().to_vec();
            Mismatch { order, input, shape, finding }
        })?;
        let weights: Vec<_> = self.inputs.iter().map(|x| self.direction(x)).collect();
        let next = |x: &[Var<f64>]| {
            let products = derivatives(&f(x), x).into_iter().zip(&weights);
            let products = products.filter_map(|(gradient, weight)| Some((gradient? * weight).sum()));
            products.reduce(|sum, product| sum + product).unwrap_or_else(|| x[0].constant(0.0))
        };
        self.check_from(order + 1, &next)
    }

    /// Checks the first derivative of `f`; on a mismatch returns the input.
    fn derivative(&mut self, f: &dyn Fn(&[Var<f64>]) -> Var<f64>) -> Result<(), (usize, Finding)> {
        let x = variables(self.inputs);
        let y = f(&x);
        let recorded = derivatives(&y, &x);
        let unrecorded = y.node().map(|_| y.gradients());
        for (k, input) in self.inputs.iter().enumerate() {
            let zeros = Tensor::zeros(input.shape());
            let gradient = recorded[k].as_ref().map_or(&zeros, Var::value);
            if gradient.shape() != input.shape() {
                return Err((k, Finding::Shape(gradient.shape().to_vec())));
            }
            let direction = self.direction(input);
            let analytic = dot(gradient, &direction);
            let numerical = numerical_diff(|step| self.value(f, k, &direction, step), 0.0, STEP);
            if exceeds(relative(analytic, numerical), TOLERANCE) {
                return Err((k, Finding::Derivative { analytic, numerical }));
            }
            let other = unrecorded.as_ref().and_then(|gradients| gradients.get(&x[k])).unwrap_or(&zeros);
            let error = largest(&(other - gradient));
            if exceeds(error, ROUNDING * largest(gradient).max(1.0)) {
                return Err((k, Finding::Passes(error)));
            }
        }
        Ok(())
    }

    /// The value of `f` with input k moved by `step` in a direction.
    fn value(&self, f: &dyn Fn(&[Var<f64>]) -> Var<f64>, k: usize, direction: &Tensor<f64>, step: f64) -> f64 {
        let mut inputs = self.inputs.to_vec();
        inputs[k] += &(direction * step);
        f(&variables(&inputs)).item()
    }

    fn direction(&mut self, x: &Tensor<f64>) -> Tensor<f64> {
        Tensor::randn(x.shape(), self.rng)
    }
}
