//! Every instruction set gives the same bits, in processes that `WENGERT_SIMD` holds to one.

use super::rows;
use crate::support::panics::{Panic, messages};
use std::collections::BTreeMap;
use std::env;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::process::{Command, Output};
use wengert::prelude::*;

const VARIABLE: &str = "WENGERT_SIMD";

/// Operations that multiply matrices, with another library at the baseline, whose products may round differently.
const PRODUCTS: [&str; 13] = [
    "attention",
    "cholesky",
    "conv2d",
    "conv_transpose2d",
    "det",
    "gru",
    "inverse",
    "lstm",
    "matmul",
    "rnn",
    "slogdet",
    "solve",
    "solve_triangular",
];

pub const PANICS: &[Panic] = &[("instruction_set", || {
    let output = process("ops::instruction_sets::bits_of_every_operation", "mmx");
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    panic!("{}", text.lines().find(|line| line.starts_with(VARIABLE)).unwrap_or(&text))
})];

fn process(test: &str, set: &str) -> Output {
    let arguments = ["--exact", "--nocapture", test];
    Command::new(env::current_exe().unwrap()).args(arguments).env(VARIABLE, set).output().unwrap()
}

type Function<T> = fn(&Var<T>) -> Var<T>;

/// Functions of a tensor `[4, 6, 17, 13]`, whose rows and matrices leave remainders of vectors.
fn functions<T: Float>() -> Vec<(&'static str, Function<T>)> {
    macro_rules! methods {
        ($($name:ident $(($($argument:expr),*))?;)*) => {
            vec![$((stringify!($name), |x| x.$name($($($argument),*)?))),*]
        };
    }
    let mut functions: Vec<(&'static str, Function<T>)> = methods! {
        exp; exp2; expm1; sin; cos; tan; atan; sinh; cosh; tanh; asinh; erf; erfc; square; powi(3); abs; sigmoid; log_sigmoid; softplus;
        softsign; leaky_relu(0.01); elu(1.0); selu; hardswish; gelu; gelu_tanh; silu; mish; sum; mean; var; cumsum(-1); cumsum(1);
        softmax(-1); softmax(1); log_softmax(-1); logsumexp_over(2); max_over(-1); sum_over(-1); sum_over(0); max_pool2d(3);
        avg_pool2d(2); transpose(2, 3); flip(3);
    };
    let others: [(&str, Function<T>); 15] = [
        ("ln", |x| (x.square() + 0.1).ln()),
        ("log1p", |x| x.square().log1p()),
        ("acosh", |x| (x.square() + 1.1).acosh()),
        ("asin", |x| (x.tanh() * 0.9).asin() + (x.tanh() * 0.9).acos() + (x.tanh() * 0.9).atanh()),
        ("atan2", |x| x.atan2(x.flip(3))),
        ("rsqrt", |x| (x.square() + 0.1).rsqrt()),
        ("powf", |x| (x.abs() + 0.1).powf(2.5)),
        ("layer_norm", |x| x.layer_norm([13], Tensor::ones([13]), Tensor::zeros([13]), 1e-5)),
        ("group_norm", |x| x.group_norm(3, Tensor::ones([6]), Tensor::zeros([6]), 1e-5)),
        ("matmul", |x| x.matmul(x.transpose(2, 3))),
        ("products of vectors", |x| x.matmul(Tensor::ones([13]))),
        ("conv2d", |x| x.conv2d(weight([5, 6, 3, 3]), Conv::new().padding(1))),
        ("conv2d by groups", |x| x.conv2d(weight([6, 1, 5, 5]), Conv::new().groups(6).stride(2))),
        ("conv_transpose2d", |x| x.conv_transpose2d(weight([6, 5, 3, 3]), Conv::new().stride(2))),
        ("self_attention", |x| x.reshape([4, 221, 6]).self_attention(&Attention::new().heads(2))),
    ];
    functions.extend(others);
    functions
}

fn weight<T: Float>(shape: [usize; 4]) -> Tensor<T> {
    Tensor::randn(shape, &mut wengert::rng(1))
}

fn hash(bits: impl Iterator<Item = u64>) -> u64 {
    let mut hasher = DefaultHasher::new();
    bits.for_each(|bits| bits.hash(&mut hasher));
    hasher.finish()
}

/// The operations and the bits of each function, of its value and of its gradient.
fn print_functions<T: Float>(bits: fn(T) -> u64) {
    let x: Tensor<T> = Tensor::randn([4, 6, 17, 13], &mut wengert::rng(0));
    for (name, function) in functions::<T>() {
        let tape = Tape::<T>::default();
        let x = tape.var(&x);
        let y = function(&x);
        let gradient = y.square().sum().grad(&x);
        let hash = hash(y.value().iter().chain(gradient.value()).map(|&x| bits(x)));
        let listing = tape.to_string();
        let operations: Vec<&str> =
            listing.lines().filter_map(|line| Some(line.split_whitespace().nth(1)?.split_once('(')?.0)).collect();
        println!("bits\t{name} of {}\t{}\t{hash:x}", std::any::type_name::<T>(), operations.join(" "));
    }
}

#[test]
fn bits_of_every_operation() {
    for (number, row) in rows().iter().enumerate() {
        let operations: Vec<String> = row.operations().into_iter().map(|(name, _)| name).collect();
        let hash = hash(row.values().iter().flat_map(Tensor::to_vec).map(f64::to_bits));
        println!("bits\t{number} {}\t{}\t{hash:x}", row.name, operations.join(" "));
    }
    print_functions::<f32>(|x| x.to_bits().into());
    print_functions::<f64>(f64::to_bits);
}

/// What the test above prints for an instruction set: the operations and the bits, by name.
fn bits_with(set: &str) -> BTreeMap<String, (String, String)> {
    let output = process("ops::instruction_sets::bits_of_every_operation", set);
    assert!(output.status.success(), "{set}: {}", String::from_utf8_lossy(&output.stderr));
    let fields = |line: &str| {
        let (_, line) = line.split_once("bits\t")?;
        let [name, operations, hash] = line.split('\t').collect::<Vec<_>>()[..] else { return None };
        Some((name.into(), (operations.into(), hash.into())))
    };
    String::from_utf8(output.stdout).unwrap().lines().filter_map(fields).collect()
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    let [baseline, avx2, avx512] = ["baseline", "avx2", "avx512"].map(bits_with);
    assert!(avx2.len() > 2 * functions::<f32>().len() + 100, "{} rows", avx2.len());
    assert_eq!(avx2, avx512);
    for (name, (operations, hash)) in &baseline {
        let multiplies = operations.split(' ').any(|name| PRODUCTS.contains(&name));
        assert!(multiplies || avx2[name].1 == *hash, "{name}: {operations}");
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn an_unknown_instruction_set_is_explained() {
    insta::assert_snapshot!(messages(PANICS));
}
