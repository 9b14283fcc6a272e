//! The errors of elementwise functions and their derivatives in single precision, against double precision.
//!
//! `docs/accuracy.md` has the largest ones, and the commands that measure them.

use std::fmt::Write;
use wengert::prelude::*;

/// The distance of the inputs unless the environment variable `STEP` sets it; those of the table are every 1000th.
const COARSE: usize = 250_000;
/// Elements that are computed at once.
const CHUNK: usize = 1 << 16;

/// A function in both precisions.
struct Function {
    name: &'static str,
    single: fn(&Var<f32>) -> Var<f32>,
    double: fn(&Var<f64>) -> Var<f64>,
}

macro_rules! functions {
    ($($name:ident $(($($argument:expr),*))?;)*) => {
        [$(Function {
            name: concat!(stringify!($name) $(, "(", stringify!($($argument),*), ")")?),
            single: |x| x.$name($($($argument),*)?),
            double: |x| x.$name($($($argument),*)?),
        }),*]
    };
}

fn functions() -> impl Iterator<Item = Function> {
    functions! {
        exp; exp2; expm1; ln; log1p; log2; log10; sin; cos; tan; asin; acos; atan; sinh; cosh; tanh;
        asinh; acosh; atanh; erf; erfc; square; sqrt; rsqrt; reciprocal; powi(3); powi(-2); powf(2.5); abs; sign; floor; ceil; round; sigmoid;
        log_sigmoid; softplus; softplus_with(2.0, 20.0); softsign; relu; leaky_relu(0.01); relu6; elu(1.0); selu; celu(2.0);
        hardsigmoid; hardswish; gelu; gelu_tanh; silu; mish;
    }
    .into_iter()
}

impl Function {
    /// The least magnitudes of a value and a derivative whose unit errors are measured in: products with an underflowing exponential, and
    /// a derivative that is a small difference, have fewer digits.
    fn least(&self, x: f32) -> [f32; 2] {
        let underflow = match self.name {
            "gelu_tanh" => -10.0,
            "silu" | "mish" => -87.0,
            _ => return [0.0; 2],
        };
        let least_slope = if (-2.0..0.0).contains(&x) { 0.06 } else { 0.0 };
        if x < underflow { [1e-36; 2] } else { [0.0, least_slope] }
    }
}

/// The largest error of a function in units in the last place, and where it is.
#[derive(Clone, Copy, Default)]
struct Largest {
    error: f64,
    at: f32,
}

impl Largest {
    /// The unit is that of the result, and at least that of `least`.
    fn observe(&mut self, x: f32, computed: f32, exact: f64, least: f32) {
        // Beyond the largest number the unit is that below it.
        const BEYOND: f64 = 2.0 * (1u128 << 127) as f64;
        let rounded = (exact as f32).abs().clamp(least, f32::MAX.next_down());
        let unit = f64::from(rounded.next_up()) - f64::from(rounded);
        let error = (f64::from(computed).clamp(-BEYOND, BEYOND) - exact.clamp(-BEYOND, BEYOND)).abs() / unit;
        let error = if computed.is_nan() && exact.is_nan() { 0.0 } else { error };
        if error > self.error || error.is_nan() {
            *self = Largest { error: if error.is_nan() { f64::INFINITY } else { error }, at: x };
        }
    }
}

/// The largest errors of a function and its derivative over every `step`-th of all inputs.
fn largest_errors(function: &Function, step: usize) -> [Largest; 2] {
    let mut largest = [Largest::default(); 2];
    let numbers: Vec<u32> = (0..=u32::MAX).step_by(step).collect();
    for chunk in numbers.chunks(CHUNK) {
        let x: Vec<f32> = chunk.iter().map(|&bits| f32::from_bits(bits)).collect();
        let single = Tape::new().var(Tensor::from(x.as_slice()));
        let double = Tape::new_f64().var(single.value().cast());
        let (y, exact) = ((function.single)(&single), (function.double)(&double));
        let (slope, exact_slope) = (y.sum().backward(), exact.sum().backward());
        for (k, &x) in x.iter().enumerate() {
            let [least, least_slope] = function.least(x);
            largest[0].observe(x, y.value().as_slice()[k], exact.value().as_slice()[k], least);
            largest[1].observe(x, slope[&single].as_slice()[k], exact_slope[&double].as_slice()[k], least_slope);
        }
    }
    largest
}

/// The two largest errors of each function in the document.
fn documented() -> Vec<(String, [f64; 2])> {
    let document = include_str!("../docs/accuracy.md");
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        (cells[0].trim_end_matches('`').to_string(), [1, 3].map(|k| cells[k].parse().expect("a number")))
    };
    rows.map(row).collect()
}

#[test]
#[cfg_attr(not(all(target_os = "linux", target_env = "gnu")), ignore = "some functions are those of the platform")]
fn errors_are_at_most_those_of_the_document() {
    let step = std::env::var("STEP").map_or(COARSE, |step| step.parse().expect("STEP is a number"));
    let largest: Vec<[Largest; 2]> = functions().map(|function| largest_errors(&function, step)).collect();
    println!("{}", table(&largest));
    let documented = documented();
    assert_eq!(documented.len(), functions().count());
    for ((function, largest), (name, bounds)) in functions().zip(largest).zip(documented) {
        assert_eq!(function.name, name);
        for (largest, bound) in largest.iter().zip(bounds) {
            assert!(largest.error <= bound, "{name} at {:e}: {} units", largest.at, largest.error);
        }
    }
}

/// The table of `docs/accuracy.md`.
fn table(largest: &[[Largest; 2]]) -> String {
    let mut table = String::from("| function | value | at | derivative | at |\n|---|---|---|---|---|\n");
    for (function, largest) in functions().zip(largest) {
        // Rounded up, so that the table is a bound.
        let cells = largest.map(|largest| match largest.error {
            0.0 => "0 | ".to_string(),
            error => format!("{:.2} | {:e}", (error * 100.0).ceil() / 100.0, largest.at),
        });
        writeln!(table, "| `{}` | {} |", function.name, cells.join(" | ")).unwrap();
    }
    table
}
