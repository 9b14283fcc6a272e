//! Derivatives of functions: each transform compared with another that computes the same result in a different way.

use crate::support::panics::{Panic, messages};
use crate::support::samples::{matrix, variable};
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("not_scalar", || _ = functional::grad(|x| x.exp(), &matrix())),
    ("not_scalar", || _ = functional::per_sample_gradients(|x, _| x.exp(), &matrix(), &[0])),
    ("two_tapes", || _ = functional::jacobian(|_| variable(), &matrix())),
    ("cotangent_shape", || _ = functional::vjp(|x| x.sum(), &matrix(), &matrix())),
    ("direction_shape", || _ = functional::jvp(|x| x.sum(), &matrix(), &Tensor::ones([2]))),
    ("direction_shape", || {
        let weight = Param::new([1.0, 2.0]);
        let direction = Gradients::from_iter([(&weight, matrix())]);
        _ = functional::hvp(|tape| tape.param(&weight).square().sum(), &weight, &direction);
    }),
    ("direction_count", || _ = functional::quadratic_model(|x| x[0].sum(), &vec![matrix()]).product(&vec![])),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

/// A function with several results, whose Jacobian has no repeated entries.
fn curved(x: &Var<f64>) -> Var<f64> {
    let mixed = x.matmul(tensor![f64; [0.3, -1.1, 0.7, 0.2], [1.3, 0.4, -0.6, 0.9], [-0.2, 0.8, 0.5, -1.4]]);
    mixed.tanh() * mixed.square() + mixed.exp()
}

/// A function with one result, whose third derivatives do not vanish.
fn hilly(x: &Var<f64>) -> Var<f64> {
    (curved(x).square() + 1.0).ln().sum()
}

fn normal(shape: &[usize], seed: u64) -> Tensor<f64> {
    Tensor::randn(shape, &mut wengert::rng(seed))
}

fn dot(a: &Tensor<f64>, b: &Tensor<f64>) -> f64 {
    (a * b).sum().item()
}

fn assert_near(a: &Tensor<f64>, b: &Tensor<f64>) {
    assert_eq!(a.shape(), b.shape());
    let scale = a.map(f64::abs).max().item().max(1.0);
    let error = (a - b).map(f64::abs).max().item();
    assert!(error <= 1e-12 * scale, "{a}\n{b}\ndiffer by {error}");
}

#[test]
fn the_two_products_with_a_jacobian_are_adjoint() {
    for seed in 0..5 {
        let (x, v, u) = (normal(&[2, 3], seed), normal(&[2, 3], seed + 10), normal(&[2, 4], seed + 20));
        let along = functional::jvp(curved, &x, &v).1;
        let back = functional::vjp(curved, &x, &u).1;
        assert!((dot(&u, &along) - dot(&back, &v)).abs() < 1e-12);
        // The two are independent: the difference quotient uses no backward rules.
        let moved = |h: f64| curved(&Tape::new_f64().var(&x + &(&v * h))).value().clone();
        let quotient = (moved(1e-5) - moved(-1e-5)) * 5e4;
        assert!((along - quotient).map(f64::abs).max().item() < 1e-7);
    }
}

#[test]
fn a_jacobian_by_rows_is_one_by_columns() {
    let x = normal(&[3], 0);
    let w = normal(&[3, 4], 1);
    // Four results of three elements: by columns. Two results: by rows.
    let f = |x: &Var<f64>| x.matmul(&w).sin();
    let by_columns = functional::jacobian(f, &x);
    assert_eq!(by_columns.shape(), [4, 3]);
    let by_rows = [0, 2].map(|start| functional::jacobian(|x| f(x).slice(0, start..start + 2), &x));
    for (k, row) in by_rows.iter().flat_map(|half| half.as_slice().chunks(3)).enumerate() {
        assert_near(&Tensor::from_slice(row, [3]), &by_columns.reshape([4, 3]).rows(&[k]).reshape([3]));
    }
    for (seed, shape) in [(2, [2, 3]), (3, [1, 3])] {
        let (x, v) = (normal(&shape, seed), normal(&shape, seed + 1));
        let jacobian = functional::jacobian(curved, &x);
        assert_eq!(jacobian.shape(), [shape[0], 4, shape[0], 3]);
        let product = jacobian.reshape([-1, x.len() as isize]).matmul(&v.reshape([x.len() as isize, 1]));
        assert_near(&product.reshape([shape[0] as isize, 4]), &functional::jvp(curved, &x, &v).1);
    }
}

#[test]
fn a_hessian_is_symmetric_and_multiplies_as_the_products_do() {
    let (x, v) = (normal(&[2, 3], 0), normal(&[2, 3], 1));
    let hessian = functional::hessian(hilly, &x);
    assert_eq!(hessian.shape(), [2, 3, 2, 3]);
    let matrix = hessian.reshape([6, 6]);
    assert_near(&matrix, &matrix.transpose(0, 1));
    let product = functional::hvp(hilly, &x, &v);
    assert_near(&matrix.matmul(&v.reshape([6])), &product.reshape([6]));
    let near = functional::quadratic_model(hilly, &x);
    assert_near(&near.product(&v), &product);
    assert_near(&near.product(&x), &functional::hvp(hilly, &x, &x));
    assert_eq!(near.gradient, functional::grad(hilly, &x));
    assert_near(&hessian, &functional::jacobian(|x| functional::grad(hilly, x), &x));
}

#[test]
fn transforms_nest_to_any_order() {
    // d⁴/dx⁴ of x⁵ by four nested gradients.
    let derivative = functional::grad(
        |x| functional::grad(|x| functional::grad(|x| functional::grad(|x: &Var<f64>| x.powi(5), x), x), x),
        &Tensor::scalar(2.0),
    );
    assert_eq!(derivative.item(), 240.0);
    // Forward over reverse, and reverse over forward.
    let (x, v) = (normal(&[2, 3], 0), normal(&[2, 3], 1));
    let product = functional::hvp(hilly, &x, &v);
    assert_near(&functional::jvp(|x| functional::grad(hilly, x), &x, &v).1, &product);
    assert_near(&functional::grad(|x| functional::jvp(hilly, x, &x.constant(&v)).1, &x), &product);
    // All third derivatives, computed in two ways; they are symmetric in the axes.
    let thirds = functional::jacobian(|x| functional::hessian(hilly, x), &x);
    let other = functional::jacobian(|x| functional::jacobian(|x| functional::grad(hilly, x), x), &x);
    assert_near(&thirds, &other);
    let cube = thirds.reshape([6, 6, 6]);
    assert_near(&cube, &cube.permute([2, 0, 1]));
    let by_columns = functional::jacobian(
        |x| functional::jacobian(|x| x.matmul(tensor![f64; [1.0, 2.0]]).exp(), x),
        &tensor![f64; [0.5]],
    );
    assert_near(&by_columns.reshape([2]), &(tensor![f64; 0.5, 1.0].map(f64::exp) * tensor![f64; 1.0, 4.0]));
    // The third derivative applied to v twice, as the gradient of ⟨v, Hv⟩.
    let third = functional::grad(|x| (functional::hvp(hilly, x, &x.constant(&v)) * &v).sum(), &x);
    let curvature = |h: f64| dot(&functional::hvp(hilly, &(&x + &(&v * h)), &v), &v);
    let quotient = (curvature(1e-5) - curvature(-1e-5)) * 5e4;
    assert!((dot(&third, &v) / quotient - 1.0).abs() < 1e-8, "{} {quotient}", dot(&third, &v));
}

#[test]
fn an_inner_argument_is_not_the_outer_variable_of_the_same_value() {
    // d/dx (x · d(x + y)/dy) = 1; perturbation confusion of x and y gives 2 (Siskind and Pearlmutter 2005).
    let f = |x: &Var<f64>| x * functional::grad(|y| x + y, x);
    assert_eq!(functional::grad(f, &Tensor::scalar(3.0)).item(), 1.0);
    let several = |x: &Var<f64>| {
        let [dy, dz] = functional::grad(|[y, z]| x * y * z.square(), &[x.clone(), x.clone()]);
        dy + dz // x³ + 2x³
    };
    assert_eq!(functional::grad(several, &Tensor::scalar(2.0)).item(), 36.0);
    // A constant may be the argument of an inner function.
    let of_constant = |x: &Var<f64>| functional::grad(|y| y.square() * x, &x.constant(5.0));
    assert_eq!(functional::grad(of_constant, &Tensor::scalar(2.0)).item(), 10.0);
}

#[test]
fn several_inputs_have_a_derivative_each() {
    let (a, b) = (normal(&[2, 3], 0), normal(&[3, 2], 1));
    let f = |[a, b]: &[Var<f64>; 2]| a.matmul(b).square().sum();
    let (value, [ga, gb]) = functional::value_and_grad(f, &[a.clone(), b.clone()]);
    let ab = a.matmul(&b);
    assert_near(&value, &(&ab * &ab).sum());
    assert_near(&ga, &(ab.matmul(&b.transpose(0, 1)) * 2.0));
    assert_near(&gb, &(a.transpose(0, 1).matmul(&ab) * 2.0));
    let [[aa, ab], [ba, bb]] = functional::hessian(f, &[a.clone(), b.clone()]);
    assert_eq!(
        [&aa, &ab, &ba, &bb].map(|block| block.shape().to_vec()),
        [[2, 3, 2, 3], [2, 3, 3, 2], [3, 2, 2, 3], [3, 2, 3, 2]]
    );
    assert_near(&ab.reshape([6, 6]), &ba.reshape([6, 6]).transpose(0, 1));
    assert_near(&aa.reshape([6, 6]), &functional::hessian(|a| a.matmul(&b).square().sum(), &a).reshape([6, 6]));
    // A list of a length known only at run time.
    let list = vec![a.clone(), b.clone()];
    let of_list = functional::grad(|x| x[0].matmul(&x[1]).square().sum(), &list);
    assert_eq!(of_list, [ga, gb]);
    assert_eq!(functional::grad(|x| x[0].matmul(&x[1]).square().sum(), &list[..]), of_list);
    let (_, along) = functional::jvp(|x| x[0].matmul(&x[1]), &list, &vec![a.clone(), Tensor::zeros([3, 2])]);
    assert_near(&along, &a.matmul(&b));
}

#[test]
fn what_does_not_matter_has_a_derivative_of_zeros() {
    let x = normal(&[2], 0);
    let constant = |x: &Var<f64>| x.constant([1.0, 2.0]);
    assert_eq!(functional::jacobian(constant, &x), Tensor::<f64>::zeros([2, 2]));
    assert_eq!(functional::jvp(constant, &x, &x).1, Tensor::<f64>::zeros([2]));
    assert_eq!(functional::hessian(|x| x.sum(), &x), Tensor::<f64>::zeros([2, 2]));
    assert_eq!(functional::hvp(|x| x.sum(), &x, &x), Tensor::<f64>::zeros([2]));
    let [gx, gy] = functional::grad(|[x, _]| x.sum(), &[x.clone(), normal(&[0, 3], 1)]);
    assert_eq!((gx, gy), (Tensor::ones([2]), Tensor::zeros([0, 3])));
    let empty = Tensor::<f64>::zeros([0]);
    assert_eq!(functional::jacobian(|x| x.square(), &empty).shape(), [0, 0]);
    assert_eq!(functional::jacobian(|x| x.sum(), &empty).shape(), [0]);
    assert_eq!(functional::jacobian(|x| x.broadcast_to([0, 2]), &x).shape(), [0, 2, 2]);
    let no_parameters: Vec<&Param<f64>> = Vec::new();
    let along = Gradients::from_iter([] as [(&Param<f64>, Tensor<f64>); 0]);
    let (value, product) = functional::jvp(|tape| tape.constant(3.0), &no_parameters, &along);
    assert_eq!((value.item(), product.item()), (3.0, 0.0));
}

/// A two-layer network and its training data.
struct Problem {
    model: (Linear<f64>, Linear<f64>),
    x: Tensor<f64>,
    labels: Vec<usize>,
}

impl Problem {
    fn new() -> Self {
        let rng = &mut wengert::rng(3);
        let model = (Linear::new(4, 3, Init::He, rng), Linear::new(3, 3, Init::Xavier, rng));
        Problem { model, x: Tensor::randn([5, 4], rng), labels: vec![0, 2, 1, 1, 0] }
    }

    fn loss(&self, tape: &Tape<f64>) -> Var<f64> {
        let h = self.model.0.forward(&tape.constant(&self.x)).tanh();
        self.model.1.forward(&h).softmax_cross_entropy(&self.labels)
    }

    fn sample(&self, tape: &Tape<f64>, k: usize) -> Var<f64> {
        let h = self.model.0.forward(&tape.constant(self.x.rows(&[k]))).tanh();
        self.model.1.forward(&h).softmax_cross_entropy(&self.labels[k..=k])
    }
}

#[test]
fn a_model_is_a_function_of_its_parameters() {
    let problem = Problem::new();
    let loss = |tape: &Tape<f64>| problem.loss(tape);
    let parameters = problem.model.parameters();
    let (value, gradients) = functional::value_and_grad(loss, &parameters);
    let expected = problem.loss(&Tape::new_f64());
    assert_eq!(value, *expected.value());
    let expected = expected.backward();
    assert!(parameters.iter().all(|(_, param)| gradients[*param] == expected[*param]));

    // The Hessian in parameter order, compared with Hessian-vector products.
    let hessian = functional::hessian(loss, &parameters);
    let count = problem.model.parameter_count();
    assert_eq!(hessian.shape(), [count, count]);
    let directions = parameters.iter().enumerate().map(|(k, (_, param))| (*param, normal(param.shape(), k as u64)));
    let directions: Gradients<f64> = directions.collect();
    let flat = |gradients: &Gradients<f64>| {
        let elements: Vec<f64> = parameters.iter().flat_map(|(_, param)| gradients[*param].to_vec()).collect();
        Tensor::from_vec(elements, [count])
    };
    let product = functional::hvp(loss, &parameters, &directions);
    assert_near(&hessian.matmul(&flat(&directions)), &flat(&product));
    assert_near(&flat(&functional::quadratic_model(loss, &parameters).product(&directions)), &flat(&product));

    // The weight of a single layer gives a block of it, and so does a binding.
    let weight = &problem.model.1.weight;
    let block = functional::hessian(loss, weight);
    let start = 4 * 3 + 3;
    let rows: Vec<f64> =
        (start..start + 9).flat_map(|row| hessian.rows(&[row]).to_vec()[start..start + 9].to_vec()).collect();
    assert_near(&block, &Tensor::from_vec(rows, [9, 9]));
    assert_eq!(functional::hessian(loss, &[weight]), block);
    let bound = |value: &Var<f64>| {
        value.tape().bind(weight, value);
        problem.loss(value.tape())
    };
    assert_near(&functional::hessian(bound, weight.value()).reshape([9, 9]), &block);
}

#[test]
fn gradients_of_samples_sum_to_the_gradient_of_the_sum() {
    let problem = Problem::new();
    let parameters = problem.model.parameters();
    let samples: Vec<usize> = (0..5).collect();
    let each = functional::per_sample_gradients(|tape, &k| problem.sample(tape, k), &parameters, &samples);
    let all = functional::grad(|tape| problem.loss(tape), &parameters);
    for (_, param) in &parameters {
        assert_eq!(each[*param].shape(), [&[5], param.shape()].concat());
        assert_near(&each[*param].mean_over(0), &all[*param]);
    }
    let of_values = functional::per_sample_gradients(|x, k: &f64| x.square().sum() * *k, &normal(&[2], 0), &[1.0, 3.0]);
    assert_near(&(of_values.rows(&[0]) * 3.0), &of_values.rows(&[1]));
    let none = functional::per_sample_gradients(|x, (): &()| x.sum(), &normal(&[2], 0), &[]);
    assert_eq!(none.shape(), [0, 2]);
}

#[test]
fn batch_norm_is_differentiated_with_its_running_statistics() {
    let layer = BatchNorm::<f64>::new(3);
    let f = |x: &Var<f64>| layer.forward(x).square().sum();
    let x = normal(&[1, 3], 0);
    let hessian = functional::hessian(f, &x).reshape([3, 3]);
    assert_near(&hessian, &(Tensor::eye(3) * (2.0 / (1.0 + 1e-5))));
    // Running averages are not parameters; the scale and the shift are.
    let of_layer = functional::hessian(|tape| layer.forward(&tape.constant(&x)).square().sum(), &layer.parameters());
    assert_eq!(of_layer.shape(), [6, 6]);
}
