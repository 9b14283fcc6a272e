//! The vocabulary of the golden cases, a row for each operator that the crate has.
//!
//! A row reads its attributes before it computes, so that a panic is never taken for an attribute that nobody read.

use crate::Fault;
use crate::attributes::Attributes;
use crate::check::quietly;
use crate::json::{Map, Value};
use crate::shapes;
use crate::windows;
use wengert::ops::BatchStatistics;
use wengert::{CrossEntropy, Reduction, Tensor, Var, einsum};

/// The result of an operator; `None` if no row has it, or not with that many inputs.
pub type Row = Result<Option<Var<f64>>, Fault>;

/// Rows that belong together.
type Table = fn(&str, &[Var<f64>], &Attributes) -> Row;

const TABLES: &[Table] = &[
    elementwise,
    scalar,
    reduction,
    activation,
    class_loss,
    loss,
    product,
    linear_algebra,
    shapes::layout,
    shapes::selection,
    shapes::lookup,
    shapes::joining,
    shapes::running,
    normalization,
    windows::rows,
];

/// Applies the operator of that name.
pub fn apply(op: &str, inputs: &[Var<f64>], attributes: &Map<String, Value>) -> Result<Var<f64>, Fault> {
    let attributes = Attributes::new(op, attributes);
    let found = quietly(|| TABLES.iter().find_map(|table| table(op, inputs, &attributes).transpose()));
    match found {
        Ok(None) => Err(Fault::Unsupported(op.into())),
        Ok(Some(Err(fault))) => Err(fault),
        Ok(Some(Ok(y))) => attributes.all_read().map(|()| y),
        Err(message) => attributes.all_read().and(Err(Fault::Failed(message))),
    }
}

fn elementwise(op: &str, inputs: &[Var<f64>], _: &Attributes) -> Row {
    Ok(Some(match (op, inputs) {
        ("neg", [x]) => -x,
        ("abs", [x]) => x.abs(),
        ("sign", [x]) => x.sign(),
        ("exp", [x]) => x.exp(),
        ("exp2", [x]) => x.exp2(),
        ("expm1", [x]) => x.expm1(),
        ("log", [x]) => x.ln(),
        ("log1p", [x]) => x.log1p(),
        ("log2", [x]) => x.log2(),
        ("log10", [x]) => x.log10(),
        ("sqrt", [x]) => x.sqrt(),
        ("rsqrt", [x]) => x.rsqrt(),
        ("reciprocal", [x]) => x.reciprocal(),
        ("square", [x]) => x.square(),
        ("sin", [x]) => x.sin(),
        ("cos", [x]) => x.cos(),
        ("tan", [x]) => x.tan(),
        ("asin", [x]) => x.asin(),
        ("acos", [x]) => x.acos(),
        ("atan", [x]) => x.atan(),
        ("sinh", [x]) => x.sinh(),
        ("cosh", [x]) => x.cosh(),
        ("asinh", [x]) => x.asinh(),
        ("acosh", [x]) => x.acosh(),
        ("atanh", [x]) => x.atanh(),
        ("erf", [x]) => x.erf(),
        ("erfc", [x]) => x.erfc(),
        ("floor", [x]) => x.floor(),
        ("ceil", [x]) => x.ceil(),
        ("round", [x]) => x.round(),
        ("add", [x, y]) => x + y,
        ("sub", [x, y]) => x - y,
        ("mul", [x, y]) => x * y,
        ("div", [x, y]) => x / y,
        ("pow", [x, y]) => x.pow(y),
        ("maximum", [x, y]) => x.maximum(y),
        ("minimum", [x, y]) => x.minimum(y),
        ("atan2", [x, y]) => x.atan2(y),
        ("hypot", [x, y]) => x.hypot(y),
        ("logaddexp", [x, y]) => x.logaddexp(y),
        _ => return Ok(None),
    }))
}

fn scalar(op: &str, inputs: &[Var<f64>], a: &Attributes) -> Row {
    Ok(Some(match (op, inputs) {
        ("add_scalar", [x]) => x + a.real("value")?,
        ("sub_scalar", [x]) => x - a.real("value")?,
        ("rsub_scalar", [x]) => a.real("value")? - x,
        ("mul_scalar", [x]) => x * a.real("value")?,
        ("div_scalar", [x]) => x / a.real("value")?,
        ("rdiv_scalar", [x]) => a.real("value")? / x,
        ("pow_scalar", [x]) => x.powf(a.real("exponent")?),
        ("rpow_scalar", [x]) => x.constant(a.real("base")?).pow(x),
        _ => return Ok(None),
    }))
}

fn reduction(op: &str, inputs: &[Var<f64>], a: &Attributes) -> Row {
    Ok(Some(match (op, inputs) {
        ("sum", [x]) => x.sum_over(a.axes()?),
        ("mean", [x]) => x.mean_over(a.axes()?),
        ("var", [x]) => x.var_over(a.axes()?, a.get_or("correction", 1.0)?),
        ("std", [x]) => x.std_over(a.axes()?, a.get_or("correction", 1.0)?),
        // Without an axis equal elements share the gradient; along an axis the first one gets it.
        ("max", [x]) if a.get::<Option<isize>>("dim")?.is_none() => x.amax_over(a.axes()?),
        ("min", [x]) if a.get::<Option<isize>>("dim")?.is_none() => x.amin_over(a.axes()?),
        ("max", [x]) => x.max_over(a.axes()?),
        ("min", [x]) => x.min_over(a.axes()?),
        ("amax", [x]) => x.amax_over(a.axes()?),
        ("amin", [x]) => x.amin_over(a.axes()?),
        ("prod", [x]) => x.prod_over(a.axes()?),
        ("logsumexp", [x]) => x.logsumexp_over(a.axes()?),
        ("norm", [x]) => x.norm_over(a.get_or("p", 2.0)?, a.axes()?),
        ("normalize", [x]) => x.normalize(a.get_or("p", 2.0)?, a.get_or("dim", 1isize)?, a.get_or("eps", 1e-12)?),
        _ => return Ok(None),
    }))
}

fn activation(op: &str, inputs: &[Var<f64>], a: &Attributes) -> Row {
    Ok(Some(match (op, inputs) {
        ("relu", [x]) => x.relu(),
        ("relu6", [x]) => x.relu6(),
        ("leaky_relu", [x]) => x.leaky_relu(a.get_or("negative_slope", 0.01)?),
        ("prelu", [x, weight]) => x.prelu(weight),
        ("elu", [x]) => x.elu(a.get_or("alpha", 1.0)?),
        ("selu", [x]) => x.selu(),
        ("celu", [x]) => x.celu(a.get_or("alpha", 1.0)?),
        ("gelu", [x]) => match a.get_or("approximate", "none".to_string())?.as_str() {
            "none" => x.gelu(),
            "tanh" => x.gelu_tanh(),
            _ => return Err(a.unknown("approximate")),
        },
        ("silu", [x]) => x.silu(),
        ("mish", [x]) => x.mish(),
        ("softplus", [x]) => x.softplus_with(a.get_or("beta", 1.0)?, a.get_or("threshold", 20.0)?),
        ("softsign", [x]) => x.softsign(),
        ("sigmoid", [x]) => x.sigmoid(),
        ("log_sigmoid", [x]) => x.log_sigmoid(),
        ("tanh", [x]) => x.tanh(),
        ("hardtanh", [x]) => x.clamp(a.get_or("min_val", -1.0)?, a.get_or("max_val", 1.0)?),
        ("clamp", [x]) => x.clamp(a.get_or("min", f64::NEG_INFINITY)?, a.get_or("max", f64::INFINITY)?),
        ("hardsigmoid", [x]) => x.hardsigmoid(),
        ("hardswish", [x]) => x.hardswish(),
        ("softmax", [x]) => x.softmax(a.int("dim")?),
        ("log_softmax", [x]) => x.log_softmax(a.int("dim")?),
        ("glu", [x]) => x.glu(a.get_or("dim", -1isize)?),
        _ => return Ok(None),
    }))
}

fn class_loss(op: &str, inputs: &[Var<f64>], a: &Attributes) -> Row {
    Ok(Some(match (op, inputs) {
        ("cross_entropy", [x]) => {
            let (options, labels) = (a.cross_entropy()?, a.labels()?);
            options.label_smoothing(a.get_or("label_smoothing", 0.0)?).loss(x, &labels)
        }
        ("cross_entropy_prob", [x, target]) => {
            let (reduction, smoothing) = (a.reduction()?, a.get_or("label_smoothing", 0.0)?);
            CrossEntropy::new().reduction(reduction).label_smoothing(smoothing).soft_target_loss(x, target)
        }
        ("nll_loss", [x]) => {
            let (options, labels) = (a.cross_entropy()?, a.labels()?);
            options.nll_loss(x, &labels)
        }
        _ => return Ok(None),
    }))
}

fn loss(op: &str, inputs: &[Var<f64>], a: &Attributes) -> Row {
    let [x, target] = inputs else { return Ok(None) };
    Ok(Some(match op {
        "mse_loss" => x.mse_loss(target, a.reduction()?),
        "l1_loss" => x.l1_loss(target, a.reduction()?),
        "smooth_l1_loss" => x.smooth_l1_loss(target, a.get_or("beta", 1.0)?, a.reduction()?),
        "huber_loss" => x.huber_loss(target, a.get_or("delta", 1.0)?, a.reduction()?),
        "binary_cross_entropy" => weighted(a, |reduction| x.bce_loss(target, reduction))?,
        "binary_cross_entropy_with_logits" => match a.get::<Option<Tensor<f64>>>("pos_weight")? {
            Some(positive) => weighted(a, |reduction| x.bce_with_logits_pos_weight(target, &positive, reduction))?,
            None => weighted(a, |reduction| x.bce_with_logits_loss(target, reduction))?,
        },
        "kl_div" if a.get_or("log_target", false)? => x.kl_div_log_loss(target, a.reduction()?),
        "kl_div" => x.kl_div_loss(target, a.reduction()?),
        _ => return Ok(None),
    }))
}

/// A loss whose elements may have a weight.
fn weighted(a: &Attributes, loss: impl Fn(Reduction) -> Var<f64>) -> Result<Var<f64>, Fault> {
    let reduction = a.reduction()?;
    let Some(weight) = a.get::<Option<Tensor<f64>>>("weight")? else { return Ok(loss(reduction)) };
    let losses = || loss(Reduction::None) * &weight;
    match reduction {
        Reduction::None => Ok(losses()),
        Reduction::Sum => Ok(losses().sum()),
        Reduction::Mean => Ok(losses().mean()),
        Reduction::BatchMean => Err(a.unknown("reduction")),
    }
}

fn product(op: &str, inputs: &[Var<f64>], a: &Attributes) -> Row {
    Ok(Some(match (op, inputs) {
        ("matmul", [x, y]) => x.matmul(y),
        ("dot", [x, y]) => x.dot(y),
        ("outer", [x, y]) => x.outer(y),
        ("linear", [x, weight]) => x.linear(weight),
        ("linear", [x, weight, bias]) => x.linear_bias(weight, bias),
        ("addmm", [c, x, y]) => {
            let (alpha, beta) = (a.get_or("alpha", 1.0)?, a.get_or("beta", 1.0)?);
            c.addmm(x, y, beta, alpha)
        }
        ("einsum", xs) => einsum(&a.get::<String>("equation")?, &xs.iter().collect::<Vec<_>>()),
        _ => return Ok(None),
    }))
}

fn linear_algebra(op: &str, inputs: &[Var<f64>], a: &Attributes) -> Row {
    Ok(Some(match (op, inputs) {
        ("det", [x]) => x.det(),
        ("slogdet", [x]) => x.slogdet().1,
        ("inverse", [x]) => x.inverse(),
        ("solve", [x, y]) => x.solve(y),
        ("trace", [x]) => x.trace(),
        ("matrix_power", [x]) => x.matrix_power(a.int("n")? as i32),
        ("cholesky", [x]) => x.cholesky(),
        _ => return Ok(None),
    }))
}

fn normalization(op: &str, inputs: &[Var<f64>], a: &Attributes) -> Row {
    let [x, parameters @ ..] = inputs else { return Ok(None) };
    // A weight and a bias that are not given are the numbers that change nothing.
    let (one, zero) = (x.constant(1.0), x.constant(0.0));
    let (weight, bias) = match parameters {
        [] => (&one, &zero),
        [weight] => (weight, &zero),
        [weight, bias] => (weight, bias),
        _ => return Ok(None),
    };
    let epsilon = || a.get_or("eps", 1e-5);
    let shape = || a.get::<Vec<isize>>("normalized_shape");
    Ok(Some(match op {
        "batch_norm" => batch_norm(x, weight, bias, epsilon()?, a)?,
        "layer_norm" => x.layer_norm(shape()?, weight, bias, epsilon()?),
        "group_norm" => x.group_norm(a.get("num_groups")?, weight, bias, epsilon()?),
        "instance_norm" => x.instance_norm(weight, bias, epsilon()?),
        "rms_norm" if parameters.len() < 2 => x.rms_norm(shape()?, weight, epsilon()?),
        _ => return Ok(None),
    }))
}

fn batch_norm(
    x: &Var<f64>,
    weight: &Var<f64>,
    bias: &Var<f64>,
    epsilon: f64,
    a: &Attributes,
) -> Result<Var<f64>, Fault> {
    let [mean, variance] = [a.get::<Option<Tensor<f64>>>("running_mean")?, a.get("running_var")?];
    let statistics = match (a.get::<bool>("training")?, &mean, &variance) {
        (true, None, None) => BatchStatistics::OfBatch,
        (false, Some(mean), Some(variance)) => BatchStatistics::Given { mean, variance },
        _ => return Err(Fault::Unsupported("batch_norm with such statistics".into())),
    };
    Ok(x.batch_norm(weight, bias, statistics, epsilon).y)
}
