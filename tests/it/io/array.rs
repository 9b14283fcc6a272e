//! Arrays: round trips in each format.

use super::eighths;
use crate::support::files::{directory, mismatches, names};
use flate2::Crc;
use std::fs;
use std::path::{Path, PathBuf};
use wengert::io::{self, Array, Integers, npy, npz, safetensors};
use wengert::prelude::*;

#[test]
fn what_is_written_is_read() {
    let directory = directory();
    let path = directory.path().join("arrays");
    let arrays: Vec<(&str, Array)> = vec![
        ("", Tensor::<f32>::zeros([0, 4]).into()),
        ("bf16", Array::BF16(tensor![1.0, -0.5, f32::INFINITY])),
        ("double", tensor![f64; 0.1, f64::NAN.copysign(-1.0), 5e-324].into()),
        ("f16", Array::F16(tensor![[65504.0], [5.9604645e-8]])),
        ("scalar", Tensor::<f32>::scalar(f32::MIN_POSITIVE).into()),
        ("single", eighths().into()),
        ("whole", Integers::new(vec![i64::MIN, -1, i64::MAX], [3, 1]).into()),
        ("重み/0", Tensor::<f32>::randn([20, 500], &mut wengert::rng(0)).into()),
    ];
    // Compared by bytes, because NaN is not equal to itself.
    let shown = |name: &str, array: &Array| {
        let numbers = array.tensor::<f64>().as_slice().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let half = matches!(array, Array::F16(_) | Array::BF16(_));
        format!("{name} {:?} {half} {numbers:?}", array.shape())
    };
    let expected: Vec<_> = arrays.iter().map(|(name, array)| shown(name, array)).collect();
    safetensors::write(arrays.clone(), &path).unwrap();
    let read = safetensors::read(&path).unwrap();
    assert!(read.iter().map(|(name, array)| shown(name, array)).eq(expected.iter().cloned()));
    npz::write(arrays.clone(), &path).unwrap();
    let read = npz::read(&path).unwrap();
    assert!(read.iter().map(|(name, array)| shown(name, array)).eq(expected.iter().cloned()));
    for (name, array) in &arrays {
        npy::write(array, &path).unwrap();
        assert_eq!(shown(name, &npy::read(&path).unwrap()), shown(name, array));
    }
}

#[test]
fn the_same_arrays_give_the_same_bytes() {
    let directory = directory();
    let [first, second] = ["a", "b"].map(|name| directory.path().join(name));
    for path in [&first, &second] {
        npz::write([("x", eighths())], path).unwrap();
    }
    assert_eq!(fs::read(&first).unwrap(), fs::read(&second).unwrap());
    safetensors::write([("x", eighths())], &first).unwrap();
    let bytes = fs::read(&first).unwrap();
    let mut checksum = Crc::new();
    checksum.update(&bytes[bytes.len() - 24..]);
    let metadata = format!(r#""__metadata__":{{"crc32":"{:08x}"}}"#, checksum.sum());
    let header = format!(r#"{{{metadata},"x":{{"dtype":"F32","shape":[2, 3],"data_offsets":[0,24]}}}}  "#);
    assert_eq!(&bytes[..8], (header.len() as u64).to_le_bytes());
    assert_eq!(&bytes[8..8 + header.len()], header.as_bytes());
    assert_eq!(bytes.len(), 8 + header.len() + 24);
}

#[test]
fn names_that_cannot_be_written_leave_the_file_alone() {
    let directory = directory();
    let path = directory.path().join("arrays");
    for write in [safetensors::write::<&str, Tensor>, io::npz::write::<&str, Tensor>] as [fn(_, _) -> _; 2] {
        write(vec![("x", tensor![1.0])], path.clone()).unwrap();
        let before = fs::read(&path).unwrap();
        let result = write(vec![("x", tensor![1.0]), ("x", tensor![2.0])], path.clone());
        assert_eq!(mismatches(result).len(), 1);
        assert_eq!(fs::read(&path).unwrap(), before);
    }
    let reserved = mismatches(safetensors::write([("__metadata__", tensor![1.0])], &path));
    assert_eq!(reserved, ["__metadata__: expected the name of a tensor, found a name reserved by the format"]);
    for name in ["../x", "/x", "a//b", "c:x", "a\\b", &"x".repeat(70_000)] {
        assert_eq!(mismatches(io::npz::write([(name, tensor![1.0])], &path)).len(), 1);
    }
    assert_eq!(names(directory.path()), ["arrays"]);
}

/// `tests/python/files.py` sets `FILES_DIRECTORY` and reads the files with numpy, ml_dtypes, safetensors and PyTorch.
#[test]
fn files_for_python_are_written() {
    let temporary = directory();
    let place = std::env::var_os("FILES_DIRECTORY").map_or(temporary.path().into(), PathBuf::from);
    // Numbers between two of half precision, ties, and the smallest and largest of single precision.
    let numbers: Vec<f32> =
        (0..64).map(|k| (1.0 + k as f32 / 4096.0) * 0.1).chain([1e-8, 6e-8, 65519.0, 1e30, -0.0]).collect();
    let single = Tensor::from_vec(numbers, [3, 23]);
    let arrays: Vec<(&str, Array)> = vec![
        ("f16", Array::F16(single.clone())),
        ("bf16", Array::BF16(single.clone())),
        ("f32", single.clone().into()),
        ("i64", Integers::new(vec![i64::MIN, 7], [2]).into()),
    ];
    safetensors::write(arrays.clone(), place.join("arrays.safetensors")).unwrap();
    npz::write(arrays.clone(), place.join("arrays.npz")).unwrap();
    for (name, array) in &arrays {
        npy::write(array, place.join(format!("{name}.npy"))).unwrap();
        let read = npy::read(place.join(format!("{name}.npy"))).unwrap();
        assert_eq!(read, safetensors::read(place.join("arrays.safetensors")).unwrap()[*name]);
        assert_eq!(read, npz::read(place.join("arrays.npz")).unwrap()[*name]);
    }
}

/// Writes a layer, and beside it `x`, `memory` and its output `y`.
fn write_layer(place: &Path, name: &str, layer: &dyn Module, x: &Tensor, memory: &Tensor, y: &Var) {
    wengert::io::save(layer, place.join(format!("{name}.safetensors"))).unwrap();
    let arrays =
        [("x", x), ("memory", memory), ("y", y.value())].map(|(name, array)| (name, Array::from(array.clone())));
    npz::write(arrays, place.join(format!("{name}.npz"))).unwrap();
}

/// `tests/python/files.py` loads the layers into those of PyTorch, and compares their outputs.
#[test]
fn layers_for_python_are_written() {
    let temporary = directory();
    let place = std::env::var_os("FILES_DIRECTORY").map_or(temporary.path().into(), PathBuf::from);
    let mut rng = wengert::rng(0);
    let (x, memory) = (Tensor::randn([2, 5, 16], &mut rng), Tensor::randn([2, 7, 16], &mut rng));
    let tape = Tape::inference();
    let (input, other) = (tape.constant(&x), tape.constant(&memory));
    let write = |name, layer: &dyn Module, y: Var| write_layer(&place, name, layer, &x, &memory, &y);
    let options = Recurrent::new().layers(2).bidirectional().batch_first();
    let lstm = Lstm::with_options(16, 12, options, &mut rng);
    write("lstm", &lstm, lstm.forward(&input));
    let gru = Gru::with_options(16, 12, options, &mut rng);
    write("gru", &gru, gru.forward(&input));
    let attention = MultiHeadAttention::new(16, 4, &mut rng);
    write("attention", &attention, attention.forward(&input, &Attention::new().causal()));
    let encoder = TransformerEncoderLayer::new(16, 4, 32, &mut rng).norm_first().activation(Var::gelu);
    write("encoder", &encoder, encoder.forward(&input, &Attention::new()));
    let decoder = TransformerDecoderLayer::new(16, 4, 32, &mut rng);
    write("decoder", &decoder, decoder.forward(&input, &other, &Attention::new().causal(), &Attention::new()));
}
