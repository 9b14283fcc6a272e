//! Weights under other names, in other layouts and in part.

use super::Network;
use crate::support::allocator::largest_block;
use crate::support::files::{bits, directory, fixture, message, mismatches};
use std::fs;
use wengert::io::{self, Array, Integers, LoadOptions, Precision, SaveOptions, npz, safetensors};
use wengert::prelude::*;

/// A model whose weights are read from a file with these arrays.
fn loaded(options: &LoadOptions, arrays: &[(&str, Array)]) -> Result<(Linear, String), wengert::Error> {
    let directory = directory();
    let path = directory.path().join("file.safetensors");
    safetensors::write(arrays.iter().cloned(), &path).unwrap();
    let mut model: Linear = Linear::new(3, 2, Init::He, &mut wengert::rng(0));
    let before = bits(&model);
    let result = options.load(&mut model, &path);
    if result.is_err() {
        assert_eq!(bits(&model), before);
    }
    result.map(|report| (model, report.to_string()))
}

fn matrix() -> Tensor {
    tensor![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
}

#[test]
fn names_become_paths_by_steps_in_order() {
    let arrays = [("net.w", matrix().into()), ("net.b", tensor![7.0, 8.0].into()), ("head.w", tensor![9.0].into())];
    let options = LoadOptions::new()
        .strip_prefix("net.")
        .add_prefix("my_")
        .replace("my_w", "weight")
        .rename(|name| if name == "my_b" { "bias".to_string() } else { name.to_string() });
    let (model, report) = loaded(&options, &arrays).unwrap();
    assert_eq!(model.weight.value(), &matrix());
    assert_eq!(report, "2 of 2 parameters and buffers loaded");
    let both = mismatches(loaded(&LoadOptions::new().rename(|_| "weight".to_string()), &arrays));
    assert_eq!(
        both,
        [
            "weight: expected one array, found both head.w and net.b",
            "weight: expected one array, found both net.b and net.w"
        ]
    );
}

#[test]
fn what_is_extra_or_missing_is_an_error_unless_it_is_allowed() {
    let (weight, bias): (Array, Array) = (matrix().into(), tensor![7.0, 8.0].into());
    let extra = [("weight", weight.clone()), ("bias", bias.clone()), ("more", bias.clone())];
    assert_eq!(
        mismatches(loaded(&LoadOptions::new().allow_missing(), &extra)),
        ["more: expected nothing, found F32 [2]"]
    );
    let (_, report) = loaded(&LoadOptions::new().allow_extra(), &extra).unwrap();
    assert_eq!(report, "2 of 2 parameters and buffers loaded\nleft over (1): more");
    let missing = [("weight", weight)];
    assert_eq!(
        mismatches(loaded(&LoadOptions::new().allow_extra(), &missing)),
        ["bias: expected F32 [2], found nothing"]
    );
    let (model, report) = loaded(&LoadOptions::new().allow_missing(), &missing).unwrap();
    assert_eq!(report, "1 of 2 parameters and buffers loaded\nmissing in the file (1): bias");
    assert_eq!(model.bias.unwrap().value(), &tensor![0.0, 0.0]);
    // A wrong shape is never ignored.
    let wrong = [("weight", bias)];
    assert_eq!(
        mismatches(loaded(&LoadOptions::new().strict(false), &wrong)),
        ["weight: expected F32 [2, 3], found F32 [2]"]
    );
}

#[test]
fn layers_that_are_transposed_are_turned() {
    let options = LoadOptions::new().transpose(|path| path == "weight").allow_missing().allow_rounding();
    let turned = || matrix().permute([1, 0]);
    let weights = [
        Array::F16(turned()),
        Array::BF16(turned()),
        turned().into(),
        Array::F64(turned().cast()),
        Integers::new(vec![1, 4, 2, 5, 3, 6], [3, 2]).into(),
    ];
    for weight in weights {
        let arrays = [("weight", weight)];
        assert_eq!(loaded(&options, &arrays).unwrap().0.weight.value(), &matrix());
        // The elements of an archive are in memory already.
        let directory = directory();
        let path = directory.path().join("file.npz");
        npz::write(arrays, &path).unwrap();
        let mut model: Linear = Linear::new(3, 2, Init::He, &mut wengert::rng(0));
        options.load(&mut model, &path).unwrap();
        assert_eq!(model.weight.value(), &matrix());
    }
    let error = mismatches(loaded(&options, &[("weight", matrix().into())]));
    assert_eq!(error, ["weight: expected F32 [2, 3], found F32 [3, 2]"]);
}

#[test]
fn tied_weights_serve_under_either_name_and_must_be_equal() {
    let options = || LoadOptions::new().tie("weight", "other").allow_missing();
    let other = [("other", matrix().into())];
    assert_eq!(loaded(&options(), &other).unwrap().0.weight.value(), &matrix());
    let both = [("other", matrix().into()), ("weight", matrix().into())];
    assert_eq!(loaded(&options(), &both).unwrap().0.weight.value(), &matrix());
    let differ = [("other", (matrix() + 1.0).into()), ("weight", matrix().into())];
    let expected = ["other: expected the elements of weight, to which it is tied, found others"];
    assert_eq!(mismatches(loaded(&options(), &differ)), expected);

    // Two parameters of the model, one array in the file.
    let directory = directory();
    let path = directory.path().join("file.safetensors");
    safetensors::write([("0", tensor![3.0])], &path).unwrap();
    let mut pair: [Param; 2] = [Param::new([1.0]), Param::new([2.0])];
    LoadOptions::new().tie("1", "0").load(&mut pair, &path).unwrap();
    assert_eq!(pair.map(|param| param.value().item()), [3.0, 3.0]);
}

#[test]
fn double_precision_is_rounded_on_request() {
    let arrays = [("weight", Array::F64(Array::from(matrix()).tensor())), ("bias", tensor![f64; 0.1, 0.2].into())];
    assert_eq!(mismatches(loaded(&LoadOptions::new(), &arrays)).len(), 2);
    let (model, _) = loaded(&LoadOptions::new().allow_rounding(), &arrays).unwrap();
    assert_eq!(model.bias.unwrap().value(), &tensor![0.1, 0.2]);
}

#[test]
fn rounding_makes_no_number_infinite() {
    let load = |bias: Tensor<f64>| {
        loaded(&LoadOptions::new().allow_rounding(), &[("weight", matrix().into()), ("bias", bias.into())])
    };
    let error = mismatches(load(tensor![f64; 0.1, 1e39]));
    assert_eq!(error, ["bias: expected F32 [2], found F64 [2] with values that F32 cannot represent"]);
    let (model, _) = load(tensor![f64; f64::INFINITY, 1e-60]).unwrap();
    assert_eq!(model.bias.unwrap().value(), &tensor![f32::INFINITY, 0.0]);
}

#[test]
fn a_report_is_short_whatever_the_file_has() {
    let arrays: Vec<(String, Tensor)> =
        (0..1000).map(|k| (format!("{k:03}{}", "é".repeat(500)), tensor![0.0])).collect();
    let arrays: Vec<(&str, Array)> = arrays.iter().map(|(name, x)| (name.as_str(), x.into())).collect();
    let (_, report) = loaded(&LoadOptions::new().strict(false), &arrays).unwrap();
    assert!(report.ends_with(" and 990 more"), "{report}");
    assert!(report.chars().count() < 1200);
}

#[test]
fn half_precision_is_written_on_request_and_read_exactly() {
    let directory = directory();
    let path = directory.path().join("model.safetensors");
    let mut model: Network = Network::new(0);
    *model.norm.num_batches_tracked.value_mut() = Tensor::scalar(1001.0);
    for (precision, bound) in [(Precision::BF16, 2f32.powi(-8)), (Precision::F16, 2f32.powi(-11))] {
        SaveOptions::new().precision(precision).metadata("format", "pt").save(&model, &path).unwrap();
        let stored = safetensors::read(&path).unwrap();
        assert_eq!(
            stored["linear.weight"],
            Array::from(model.linear.weight.value()).with_precision(precision).rounded(&path)
        );
        let mut other: Network = Network::new(1);
        io::load(&mut other, &path).unwrap();
        let (a, b) = (model.linear.weight.value(), other.linear.weight.value());
        assert!(a.as_slice().iter().zip(b.as_slice()).all(|(a, b)| (a - b).abs() <= bound * a.abs()));
        assert_eq!(other.norm.num_batches_tracked.value().item(), 1001.0);
        let mut double: Network<f64> = Network::new(1);
        io::load(&mut double, &path).unwrap();
        assert_eq!(double.linear.weight.value(), &Array::from(b).tensor::<f64>());
    }
}

/// The numbers of an array after a round trip through a file.
trait Rounded {
    fn rounded(&self, path: &std::path::Path) -> Array;
}

impl Rounded for Array {
    fn rounded(&self, path: &std::path::Path) -> Array {
        let path = path.with_extension("rounded");
        safetensors::write([("x", self)], &path).unwrap();
        safetensors::read(&path).unwrap().remove("x").unwrap()
    }
}

#[test]
fn indices_list_files_beside_them_and_nothing_else() {
    let directory = directory();
    let index = directory.path().join("model.safetensors.index.json");
    safetensors::write([("weight", matrix())], directory.path().join("a.safetensors")).unwrap();
    let read = |text: &str| {
        fs::write(&index, text).unwrap();
        safetensors::read(&index)
    };
    let arrays = read(r#"{"weight_map": {"weight": "a.safetensors"}}"#).unwrap();
    assert_eq!(arrays["weight"], matrix().into());
    for file in ["../a.safetensors", "/a", "", ".", "b/c", "b\\\\c"] {
        let found = message(read(&format!(r#"{{"weight_map": {{"weight": "{file}"}}}}"#)));
        assert!(found.contains("in place of the name of a file beside it"), "{found}");
    }
    let missing = mismatches(read(r#"{"weight_map": {"bias": "a.safetensors"}}"#));
    assert_eq!(missing, ["bias: expected an array of its shard, found nothing"]);
    assert!(message(read("{}")).contains("no weight_map"));
    assert!(message(read("[")).contains("object expected"));
}

#[test]
fn files_of_other_kinds_are_recognized() {
    let mut model: Network = Network::new(0);
    assert!(message(io::load(&mut model, fixture("module.pt"))).contains("an object of torch.nn"));
    assert!(message(io::load(&mut model, fixture("legacy.pt"))).contains("as of PyTorch 1.6"));
    assert!(mismatches(io::load(&mut model, fixture("stored.npz"))).len() > 8);
}

#[test]
fn loading_holds_one_array_at_a_time() {
    let directory = directory();
    let path = directory.path().join("model.safetensors");
    let model: Vec<Param> = (0..8).map(|k| Param::new(Tensor::full([1 << 16], f64::from(k)))).collect();
    for precision in [Precision::F32, Precision::BF16, Precision::F16] {
        SaveOptions::new().precision(precision).save(&model, &path).unwrap();
        let mut other: Vec<Param> = (0..8).map(|_| Param::new(Tensor::zeros([1 << 16]))).collect();
        let (result, largest) = largest_block(|| io::load(&mut other, &path));
        result.unwrap();
        assert_eq!(bits(&other), bits(&model));
        // The values of one parameter, and a little for lists and names; never a whole file.
        assert!(largest < (4 << 16) + 4096, "a block of {largest} bytes");
    }
}
