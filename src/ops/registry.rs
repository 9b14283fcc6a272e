//! Registry of all operations.
//!
//! An unregistered operation does not compile. The registry instantiates the operations for both element types, so that
//! programs link them instead of compiling them, and gives the tests the names of the operations to cover.

use crate::autograd::apply::{apply_any, apply_to_tensors};
use crate::autograd::{Op, Var, apply};
use crate::ops::*;
use crate::tensor::{Float, Tensor};
use std::hint::black_box;

/// A registered operation of `N` inputs.
pub(crate) trait Registered<T: Float, const N: usize>: Op<T, N> + Sized {
    /// Applies the operation to variables, recording it, or to plain tensors.
    #[track_caller]
    fn of<X: Argument<T>>(self, inputs: [&X; N]) -> X {
        X::apply(self, inputs)
    }
}

/// A type that operations apply to: variables or plain tensors.
pub(crate) trait Argument<T: Float>: Sized {
    /// Applies an operation.
    fn apply<O: Op<T, N>, const N: usize>(op: O, inputs: [&Self; N]) -> Self;
}

impl<T: Float> Argument<T> for Var<T> {
    #[track_caller]
    fn apply<O: Op<T, N>, const N: usize>(op: O, inputs: [&Self; N]) -> Self {
        apply(op, inputs)
    }
}

impl<T: Float> Argument<T> for Tensor<T> {
    #[track_caller]
    fn apply<O: Op<T, N>, const N: usize>(op: O, inputs: [&Self; N]) -> Self {
        apply_to_tensors(op, inputs)
    }
}

macro_rules! registry {
    ($($op:ty: $($inputs:literal),+;)*) => {
        $($(impl<T: Float> Registered<T, $inputs> for $op {})+)*

        /// Instantiates every operation for an element type.
        pub(crate) fn instantiate<T: Float>() {
            $($(black_box(apply::<T, $op, $inputs> as fn($op, [&Var<T>; $inputs]) -> Var<T>);)+)*
            black_box(apply_any::<T, attention::AttentionOp<T>> as fn(attention::AttentionOp<T>, &[&Var<T>]) -> Var<T>);
            black_box(apply_any::<T, shape::concat::Concat> as fn(shape::concat::Concat, &[&Var<T>]) -> Var<T>);
            black_box(apply_any::<T, shape::concat::Stack> as fn(shape::concat::Stack, &[&Var<T>]) -> Var<T>);
            black_box(apply_any::<T, shape::slice::Slice> as fn(shape::slice::Slice, &[&Var<T>]) -> Var<T>);
            black_box(apply_any::<T, recurrent::Recurrent<T>> as fn(recurrent::Recurrent<T>, &[&Var<T>]) -> Var<T>);
        }

        /// The names of all operations, as shown in listings.
        pub(crate) fn names() -> Vec<&'static str> {
            fn collect<T: Float>() -> Vec<&'static str> {
                let others = ["attention", "concat", "gru", "input", "lstm", "rnn", "slice", "stack"];
                [others.as_slice(), &[$($(<$op as Op<T, $inputs>>::NAME,)+)*]].concat()
            }
            collect::<f64>()
        }
    };
}

registry! {
    attention::RotaryOp<T>: 1;
    dropout::Dropout: 1;
    elementwise::activation::ExponentialLinear: 1;
    elementwise::activation::ExponentialLinearGradient: 2;
    elementwise::activation::HardSigmoid: 1;
    elementwise::activation::HardSwish: 1;
    elementwise::activation::HardSwishGradient: 2;
    elementwise::activation::LeakyRelu: 1;
    elementwise::activation::LeakyReluGradient: 2;
    elementwise::activation::LogSigmoid: 1;
    elementwise::activation::LogSigmoidGradient: 2;
    elementwise::activation::Relu: 1;
    elementwise::activation::Sigmoid: 1;
    elementwise::activation::SigmoidGradient: 2;
    elementwise::activation::Softplus: 1;
    elementwise::activation::SoftplusGradient: 2;
    elementwise::activation::Softsign: 1;
    elementwise::activation::SoftsignGradient: 2;
    elementwise::arithmetic::AddOp: 2;
    elementwise::arithmetic::DivOp: 2;
    elementwise::arithmetic::MulOp: 2;
    elementwise::arithmetic::NegOp: 1;
    elementwise::arithmetic::SubOp: 2;
    elementwise::error_function::Erf: 1;
    elementwise::error_function::ErfGradient: 2;
    elementwise::error_function::Erfc: 1;
    elementwise::exponential::Exp2: 1;
    elementwise::exponential::Exp2Gradient: 2;
    elementwise::exponential::Exp: 1;
    elementwise::exponential::Expm1: 1;
    elementwise::exponential::Ln: 1;
    elementwise::exponential::Log10: 1;
    elementwise::exponential::Log1p: 1;
    elementwise::exponential::Log2: 1;
    elementwise::exponential::LogAddExp: 2;
    elementwise::gated::Gelu: 1;
    elementwise::gated::GeluGradient: 2;
    elementwise::gated::GeluTanh: 1;
    elementwise::gated::GeluTanhGradient: 2;
    elementwise::gated::Mish: 1;
    elementwise::gated::MishGradient: 2;
    elementwise::gated::TimesNormalDensity: 2;
    elementwise::gated::Silu: 1;
    elementwise::gated::SiluGradient: 2;
    elementwise::hyperbolic::Acosh: 1;
    elementwise::hyperbolic::AcoshGradient: 2;
    elementwise::hyperbolic::Asinh: 1;
    elementwise::hyperbolic::Atanh: 1;
    elementwise::hyperbolic::AtanhGradient: 2;
    elementwise::hyperbolic::Cosh: 1;
    elementwise::hyperbolic::Sinh: 1;
    elementwise::hyperbolic::Tanh: 1;
    elementwise::hyperbolic::TanhGradient: 2;
    elementwise::mask::MaskedFill<T>: 1;
    elementwise::mask::Where<T>: 2;
    elementwise::minmax::Clamp: 1;
    elementwise::minmax::Maximum: 2;
    elementwise::minmax::Minimum: 2;
    elementwise::minmax::WhereBetween: 2;
    elementwise::power::Hypot: 2;
    elementwise::power::Pow: 2;
    elementwise::power::Powf: 1;
    elementwise::power::Powi: 1;
    elementwise::power::Reciprocal: 1;
    elementwise::power::Rsqrt: 1;
    elementwise::power::Sqrt: 1;
    elementwise::power::Square: 1;
    elementwise::power::SquareGradient: 2;
    elementwise::rounding::Ceil: 1;
    elementwise::rounding::Floor: 1;
    elementwise::rounding::Round: 1;
    elementwise::scalar::AddScalar: 1;
    elementwise::scalar::DivScalar: 1;
    elementwise::scalar::MulScalar: 1;
    elementwise::scalar::RdivScalar: 1;
    elementwise::scalar::RsubScalar: 1;
    elementwise::sign::Abs: 1;
    elementwise::sign::Sign: 1;
    elementwise::trigonometric::Acos: 1;
    elementwise::trigonometric::Asin: 1;
    elementwise::trigonometric::AsinGradient: 2;
    elementwise::trigonometric::Atan2: 2;
    elementwise::trigonometric::Atan2Slope: 2;
    elementwise::trigonometric::Atan: 1;
    elementwise::trigonometric::AtanGradient: 2;
    elementwise::trigonometric::Cos: 1;
    elementwise::trigonometric::Sin: 1;
    elementwise::trigonometric::Tan: 1;
    elementwise::trigonometric::TanGradient: 2;
    elementwise::trigonometric::TimesCos: 2;
    elementwise::trigonometric::TimesSin: 2;
    linalg::cholesky::Cholesky: 1;
    linalg::determinant::Determinant<T>: 1;
    linalg::determinant::LogDeterminant<T>: 1;
    linalg::inverse::Inverse<T>: 1;
    linalg::solve::Solve<T>: 2;
    linalg::triangular::SolveTriangular: 2;
    loss::classification::SoftmaxCrossEntropy<T>: 1;
    loss::classification::SoftmaxCrossEntropyGradient<T>: 2;
    loss::Weighted: 2;
    loss::probability::BinaryCrossEntropy: 2;
    loss::probability::BinaryCrossEntropyWithLogits: 2;
    loss::probability::KlDivergence: 2;
    loss::probability::KlDivergenceOfLogarithms: 2;
    loss::probability::LogitSlope: 2;
    loss::regression::Huber: 1;
    matmul::Linear: 3;
    matmul::Matmul: 2;
    norm::batch_norm::BatchNorm: 4;
    norm::batch_norm::BatchNormGradient: 5;
    norm::batch_norm::BatchNormSums: 3;
    norm::row_norm::RowNorm: 3;
    norm::row_norm::RowNormGradient: 3;
    norm::row_norm::RowNormWeightGradient: 2;
    reduce::minmax::FirstExtremum: 1;
    reduce::minmax::Extremum: 1;
    reduce::scan::Cumsum: 1;
    reduce::scan::LogCumSumExp: 1;
    reduce::scan::Recurrence: 2;
    reduce::sum::BroadcastTo: 1;
    reduce::sum::Sum: 1;
    reduce::sum::SumTo: 1;
    reduce::vector_norm::Norm: 1;
    shape::diagonal::Tril: 1;
    shape::diagonal::Triu: 1;
    shape::embedding::Embedding: 1;
    shape::gather::IndexAdd: 1;
    shape::gather::IndexSelect: 1;
    shape::gather::Put: 1;
    shape::gather::Take: 1;
    shape::layout::Permute: 1;
    shape::layout::Reshape: 1;
    shape::layout::Roll: 1;
    shape::slice::Pad: 1;
    softmax::LogSoftmax: 1;
    softmax::LogSoftmaxGradient: 2;
    softmax::LogSumExp: 1;
    softmax::LogSumExpGradient: 2;
    softmax::Softmax: 1;
    softmax::SoftmaxGradient: 2;
    window::conv::Convolve: 2, 3;
    window::conv::Transpose: 2, 3;
    window::conv::WeightGradient: 2;
    window::conv::unfold::Fold: 1;
    window::conv::unfold::Unfold: 1;
    window::pool::average::AvgPoolGradient: 1;
    window::pool::average::AvgPoolOp: 1;
    window::pool::max::MaxPoolGather: 1;
    window::pool::max::MaxPoolGradient: 1;
    window::pool::max::MaxPoolOp: 1;
}
