//! Gradients compared with central differences, to the third order.

use wengert::prelude::*;
use wengert::rand::RngExt;

/// Intervals from which elements are drawn in turn, so that each interval is covered.
pub type Domain = &'static [(f64, f64)];

/// Domain of a function that is smooth everywhere.
pub const PLAIN: Domain = &[(-2.0, 2.0)];
/// Domain of a function that is not differentiable at 0.
pub const BOTH_SIDES: Domain = &[(-2.0, -0.1), (0.1, 2.0)];
/// Domain of a function that is defined above 0.
pub const POSITIVE: Domain = &[(0.3, 2.0)];

/// The shapes of the inputs for each case.
pub type Shapes<'a> = &'a [&'a [&'a [usize]]];

/// A matrix, a vector and a scalar.
pub const ANY_RANK: Shapes = &[&[&[2, 3]], &[&[4]], &[&[]]];
/// Shapes of three axes.
pub const THREE_AXES: Shapes = &[&[&[2, 3, 2]], &[&[2, 2, 3]]];

/// The highest order of derivatives that rows are checked to.
const ORDER: usize = 3;

type Function = Box<dyn Fn(&[Var<f64>]) -> Var<f64>>;

/// A method or operator and the inputs it is checked on.
pub struct Row {
    pub name: &'static str,
    f: Function,
    /// The shapes of the inputs for each case.
    cases: Vec<Vec<Vec<usize>>>,
    /// The domain of each input; the last one also applies to any further inputs.
    domains: Vec<Domain>,
}

/// A row for unrestricted inputs of the given shapes, one list per case.
pub fn row(name: &'static str, cases: Shapes, f: impl Fn(&[Var<f64>]) -> Var<f64> + 'static) -> Row {
    Row::new(name, cases, Box::new(f))
}

/// An elementwise function of one input.
pub fn unary(name: &'static str, domain: Domain, f: fn(&Var<f64>) -> Var<f64>) -> Row {
    row(name, &[&[&[]], &[&[3]], &[&[2, 3]], &[&[0, 2]]], move |x| f(&x[0])).on(&[domain])
}

/// A function of two inputs that broadcast.
pub fn binary(name: &'static str, domains: [Domain; 2], f: fn(&Var<f64>, &Var<f64>) -> Var<f64>) -> Row {
    let cases: [&[&[usize]]; 8] = [
        &[&[], &[]],
        &[&[3], &[3]],
        &[&[2, 3], &[3]],
        &[&[3], &[2, 3]],
        &[&[2, 1], &[1, 3]],
        &[&[], &[2, 2]],
        &[&[2, 2], &[]],
        &[&[0, 3], &[3]],
    ];
    row(name, &cases, move |x| f(&x[0], &x[1])).on(&domains)
}

impl Row {
    /// Draws the elements from the given domains.
    fn new(name: &'static str, cases: Shapes, f: Function) -> Row {
        let shapes = |case: &&[&[usize]]| case.iter().map(|shape| shape.to_vec()).collect();
        Row { name, f, cases: cases.iter().map(shapes).collect(), domains: vec![PLAIN] }
    }

    pub fn on(self, domains: &[Domain]) -> Row {
        Row { domains: domains.to_vec(), ..self }
    }

    /// Checks each case, once with the plain function and once with the function and its value used several times.
    pub fn check(&self) -> Result<(), String> {
        let again = |x: &[Var<f64>]| {
            let y = (self.f)(x);
            &y * &y + (self.f)(x)
        };
        for inputs in self.inputs() {
            let alone = check::gradients_to_order(ORDER, &self.f, &inputs);
            alone.map_err(|mismatch| format!("{}: {mismatch}", self.name))?;
            check::gradients(again, &inputs).map_err(|mismatch| format!("{}, used twice: {mismatch}", self.name))?;
        }
        Ok(())
    }

    /// The operations recorded by the cases and their backward rules: the name and the source line of each.
    pub fn operations(&self) -> Vec<(String, String)> {
        self.inputs().iter().flat_map(|inputs| self.recorded(inputs)).collect()
    }

    /// The number of cases.
    pub fn count(&self) -> usize {
        self.cases.len()
    }

    /// The value of each case, and the gradient of each of its inputs.
    pub fn values(&self) -> Vec<Tensor<f64>> {
        let values = |inputs: Vec<Tensor<f64>>| {
            let tape = Tape::new_f64();
            let x: Vec<_> = inputs.iter().map(|x| tape.var(x)).collect();
            let y = (self.f)(&x);
            let gradients = y.vjp(&tape.constant(y.value()), &x.iter().collect::<Vec<_>>());
            let gradients = gradients.into_iter().flatten().map(|gradient| gradient.value().clone());
            gradients.chain([y.value().clone()]).collect::<Vec<_>>()
        };
        self.inputs().into_iter().flat_map(values).collect()
    }

    fn recorded(&self, inputs: &[Tensor<f64>]) -> Vec<(String, String)> {
        let tape = Tape::new_f64();
        let x: Vec<_> = inputs.iter().map(|x| tape.var(x)).collect();
        let y = (self.f)(&x);
        y.vjp(&tape.var(y.value()), &x.iter().collect::<Vec<_>>());
        // `%2  mul(%0, %1)  …  tests/it/ops/matmul.rs:3:4`; a leaf has no parentheses.
        let operation = |line: &str| {
            let (name, _) = line.split_whitespace().nth(1)?.split_once('(')?;
            Some((name.to_string(), line.split_whitespace().last()?.to_string()))
        };
        tape.to_string().lines().filter(|line| line.starts_with('%')).filter_map(operation).collect()
    }

    fn inputs(&self) -> Vec<Vec<Tensor<f64>>> {
        let mut rng = wengert::rng(0);
        let mut draw = |shape: &[usize], domain: Domain| {
            let elements = (0..shape.iter().product()).map(|k: usize| {
                let (low, high) = domain[k % domain.len()];
                rng.random_range(low..high)
            });
            Tensor::from_vec(elements.collect(), shape)
        };
        let domain = |k: usize| self.domains[k.min(self.domains.len() - 1)];
        let mut case =
            |shapes: &Vec<Vec<usize>>| shapes.iter().enumerate().map(|(k, shape)| draw(shape, domain(k))).collect();
        self.cases.iter().map(&mut case).collect()
    }
}

/// Checks all rows and reports all failures.
pub fn check_gradients(rows: &[Row]) {
    let failures: Vec<String> = rows.iter().filter_map(|row| row.check().err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
