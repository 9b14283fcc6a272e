//! Attention: the function, multi-head attention, and the encoder layer of a transformer.

use crate::Fault;
use crate::check::{Nan, Tolerance};
use crate::json::{Map, Value, field};
use crate::training::load;
use wengert::prelude::*;

/// The outputs by name.
type Outputs = Vec<(&'static str, Var<f64>)>;

/// The differentiable inputs of a case.
struct Inputs(Vec<(String, Var<f64>)>);

impl Inputs {
    fn new(case: &Value, tape: &Tape<f64>) -> Result<Self, Fault> {
        let mut inputs = Vec::new();
        for (name, value) in field::<Map<String, Value>>(case, "inputs")? {
            let x = <Tensor<f64> as crate::json::Read>::read(&value);
            let x = x.ok_or_else(|| Fault::Failed(format!("input {name} is malformed")))?;
            inputs.push((name, tape.var(x)));
        }
        Ok(Inputs(inputs))
    }

    fn find(&self, name: &str) -> Option<&Var<f64>> {
        self.0.iter().find(|(input, _)| input == name).map(|(_, x)| x)
    }

    fn get(&self, name: &str) -> Result<&Var<f64>, Fault> {
        self.find(name).ok_or_else(|| Fault::Failed(format!("no input {name}")))
    }
}

/// Checks the outputs of a module, and the gradients of its inputs and weights.
pub fn case(case: &Value, tolerance: &Tolerance) -> Result<(), Fault> {
    let tape = Tape::new_f64();
    let inputs = Inputs::new(case, &tape)?;
    let (state, attrs): (Value, Value) = (field(case, "state")?, field(case, "attrs")?);
    match field::<String>(case, "module")?.as_str() {
        "scaled_dot_product_attention" => {
            known(&attrs, &["attn_mask", "is_causal", "scale"])?;
            let options = options(&attrs, false)?;
            let (q, k, v) = (inputs.get("query")?, inputs.get("key")?, inputs.get("value")?);
            let y = q.scaled_dot_product_attention(k, v, &options);
            check(case, &inputs, &None::<Param<f64>>, vec![("output", y)], tolerance)
        }
        "MultiheadAttention" => {
            known(&attrs, &["embed_dim", "num_heads", "bias", "attn_mask", "key_padding_mask"])?;
            let (size, heads) = (field(&attrs, "embed_dim")?, field(&attrs, "num_heads")?);
            let new = if field(&attrs, "bias")? { MultiHeadAttention::new } else { MultiHeadAttention::without_bias };
            let mut layer = new(size, heads, &mut wengert::rng(0));
            load(&mut layer, &state)?;
            let options = options(&attrs, true)?;
            let query = inputs.get("query")?;
            let key = inputs.find("key").unwrap_or(query);
            let output = match inputs.find("value") {
                Some(value) => layer.cross(query, key, value, &options),
                None => layer.forward(query, &options),
            };
            let weights = layer.weights(query, key, &options);
            check(case, &inputs, &layer, vec![("output", output), ("weights", weights)], tolerance)
        }
        "TransformerEncoderLayer" => {
            known(&attrs, &["d_model", "nhead", "dim_feedforward", "activation", "norm_first", "layer_norm_eps"])?;
            let mut layer = encoder_layer(&attrs)?;
            load(&mut layer, &state)?;
            let y = layer.forward(inputs.get("x")?, &Attention::new());
            check(case, &inputs, &layer, vec![("output", y)], tolerance)
        }
        module => Err(Fault::Unsupported(format!("module {module}"))),
    }
}

/// Checks that no attribute is unknown.
fn known(attrs: &Value, names: &[&str]) -> Result<(), Fault> {
    let unknown = attrs.as_object().into_iter().flatten().find(|(name, _)| !names.contains(&name.as_str()));
    unknown.map_or(Ok(()), |(name, _)| Err(Fault::Unsupported(format!("attribute {name}"))))
}

/// The options of attention; a boolean mask marks the keys that are hidden, or those that are not.
fn options(attrs: &Value, marks_hidden: bool) -> Result<Attention<f64>, Fault> {
    let mut options = Attention::new();
    if field::<Option<bool>>(attrs, "is_causal")?.unwrap_or(false) {
        options = options.causal();
    }
    if let Some(scale) = field::<Option<f64>>(attrs, "scale")? {
        options = options.scale(scale);
    }
    for name in ["attn_mask", "key_padding_mask"] {
        let Some(value) = field::<Option<Value>>(attrs, name)?.filter(|value| !value.is_null()) else { continue };
        let mask: Tensor<f64> = field(attrs, name)?;
        options = match (name, field::<String>(&value, "kind")?.as_str()) {
            ("key_padding_mask", "boolean") => options.key_padding_mask(&mask),
            ("attn_mask", "boolean") if marks_hidden => options.mask(&mask.mask(|x| x == 0.0)),
            ("attn_mask", "boolean") => options.mask(&mask),
            ("attn_mask", "additive") => options.bias(mask),
            ("key_padding_mask", "additive") => {
                let &[n, keys] = mask.shape() else { return Err(Fault::Failed("a padding mask has two axes".into())) };
                options.bias(mask.reshape([n, 1, 1, keys]))
            }
            (_, kind) => return Err(Fault::Unsupported(format!("a mask of the kind {kind}"))),
        };
    }
    Ok(options)
}

fn encoder_layer(attrs: &Value) -> Result<TransformerEncoderLayer<f64>, Fault> {
    let [size, heads, hidden] = [field(attrs, "d_model")?, field(attrs, "nhead")?, field(attrs, "dim_feedforward")?];
    let layer = TransformerEncoderLayer::new(size, heads, hidden, &mut wengert::rng(0));
    let mut layer = match field::<String>(attrs, "activation")?.as_str() {
        "relu" => layer,
        "gelu" => layer.activation(Var::gelu),
        activation => return Err(Fault::Unsupported(format!("activation {activation}"))),
    };
    let epsilon = field(attrs, "layer_norm_eps")?;
    for norm in [&mut layer.norm1, &mut layer.norm2] {
        *norm = norm.clone().epsilon(epsilon);
    }
    Ok(if field(attrs, "norm_first")? { layer.norm_first() } else { layer })
}

/// Checks the outputs, and the gradients of the sum of their products with the cotangents.
fn check(
    case: &Value,
    inputs: &Inputs,
    module: &dyn Module<f64>,
    outputs: Outputs,
    tolerance: &Tolerance,
) -> Result<(), Fault> {
    let expected: Value = field(case, "outputs")?;
    let cotangents: Value = field(case, "grad_outputs")?;
    let mut total = None;
    for (name, y) in outputs {
        tolerance.compare(name, y.value(), &field(&expected, name)?, Nan::Required)?;
        let term = (&y * field::<Tensor<f64>>(&cotangents, name)?).sum();
        total = Some(total.map_or(term.clone(), |total: Var<f64>| total + &term));
    }
    let gradients = total.ok_or_else(|| Fault::Failed("no outputs".into()))?.backward();
    let expected: Value = field(case, "grads")?;
    for (name, x) in &inputs.0 {
        tolerance.compare(&format!("gradient of {name}"), &gradients[x], &field(&expected, name)?, Nan::Required)?;
    }
    let expected: Value = field(case, "state_grads")?;
    for (path, param) in module.parameters() {
        tolerance.compare(
            &format!("gradient of {path}"),
            &gradients[param],
            &field(&expected, &path)?,
            Nan::Required,
        )?;
    }
    Ok(())
}
