//! Files of Python, and the form of ours.

use crate::{directory, fixture, message};
use std::fs;
use wengert::io::{Array, Integers, npy, npz, safetensors};
use wengert::prelude::*;

fn eighths() -> Tensor {
    Tensor::arange(0.0, 6.0, 1.0).reshape([2, 3]) / 8.0
}

#[test]
fn safetensors_of_python_are_read() {
    let arrays = safetensors::read(fixture("arrays.safetensors")).unwrap();
    let names: Vec<_> = arrays.keys().map(String::as_str).collect();
    assert_eq!(names, ["bytes", "double", "empty", "scalar", "single", "truths", "重み \"0\""]);
    assert_eq!(arrays["single"], eighths().into());
    assert_eq!(arrays["double"], tensor![f64; 0.1, f64::NEG_INFINITY, 1e300].into());
    assert_eq!(arrays["scalar"], Tensor::<f32>::scalar(2.5).into());
    assert_eq!(arrays["empty"], Tensor::<f32>::zeros([0, 3]).into());
    assert_eq!(arrays["重み \"0\""], Integers::new(vec![1 << 40, -1], [2]).into());
    assert_eq!(arrays["bytes"].indices(), Some(vec![0, 255]));
    assert_eq!(arrays["truths"].indices(), Some(vec![1, 0]));
}

#[test]
fn half_precision_is_refused_by_name() {
    let types = "F32, F64, I8, I16, I32, I64, U8, U16, U32, U64, BOOL";
    for name in ["BF16", "F16"] {
        let refused = message(safetensors::read(fixture(&format!("{}.safetensors", name.to_lowercase()))));
        let expected = format!("dtype of \"x\" in the header at byte 8: expected one of {types}, found {name}");
        assert_eq!(refused, expected);
    }
    let types = "f4, f8, i1 to i8, u1 to u8 or b1, after '<', '>' or '|'";
    let expected = format!("dtype at byte 10: expected {types}, found \\'<f2\\'");
    assert_eq!(message(npy::read(fixture("half.npy"))), expected);
    assert_eq!(message(npz::read(fixture("half.npz"))), format!("array \"x\": {expected}"));
    assert!(message(npy::read(fixture("records.npy"))).starts_with("header at byte 10: expected"));
}

#[test]
fn archives_of_numpy_are_read() {
    for name in ["stored.npz", "deflated.npz"] {
        let arrays = npz::read(fixture(name)).unwrap();
        assert_eq!(arrays.len(), 8);
        assert_eq!(arrays["single"], eighths().into());
        assert_eq!(arrays["fortran"], Tensor::<f64>::arange(0.0, 6.0, 1.0).reshape([2, 3]).into());
        assert_eq!(arrays["big_endian"], Integers::new((0..24).collect(), [2, 3, 4]).into());
        assert_eq!(arrays["labels"].indices(), Some(vec![7, 2, 1]));
        assert_eq!(arrays["scalar"], Tensor::<f64>::scalar(2.5).into());
        assert_eq!(arrays["empty"], Tensor::<f64>::zeros([0, 3]).into());
        assert_eq!(arrays["wide"], Integers::new(vec![1 << 62], [1]).into());
        assert_eq!(arrays["truths"].indices(), Some(vec![1, 0]));
    }
    assert_eq!(npy::read(fixture("single.npy")).unwrap(), eighths().into());
}

#[test]
fn archives_that_are_not_of_numpy_are_refused() {
    let compression = message(npz::read(fixture("bzip2.npz")));
    assert!(compression.ends_with("expected none (0) or deflate (8), found 12"), "{compression}");
    let twice = message(npz::read(fixture("twice.npz")));
    assert!(twice.ends_with("expected a unique name, found x.npy"), "{twice}");
    let text = message(npz::read(fixture("text.npz")));
    assert!(text.ends_with("expected a name ending in .npy, found readme.txt"), "{text}");
}

#[test]
fn what_is_written_is_read() {
    let directory = directory();
    let path = directory.path().join("arrays");
    let arrays: Vec<(&str, Array)> = vec![
        ("", Tensor::<f32>::zeros([0, 4]).into()),
        ("double", tensor![f64; 0.1, f64::NAN.copysign(-1.0), 5e-324].into()),
        ("scalar", Tensor::<f32>::scalar(f32::MIN_POSITIVE).into()),
        ("single", eighths().into()),
        ("whole", Integers::new(vec![i64::MIN, -1, i64::MAX], [3, 1]).into()),
        ("重み/0", Tensor::<f32>::randn([20, 500], &mut wengert::rng(0)).into()),
    ];
    // By bytes, because NaN is not equal to itself.
    let shown = |name: &str, array: &Array| {
        let numbers = array.tensor::<f64>().as_slice().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        format!("{name} {:?} {numbers:?}", array.shape())
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
    let header = r#"{"x":{"dtype":"F32","shape":[2, 3],"data_offsets":[0,24]}}      "#;
    assert_eq!(&bytes[..8], (header.len() as u64).to_le_bytes());
    assert_eq!(&bytes[8..8 + header.len()], header.as_bytes());
    assert_eq!(bytes.len(), 8 + header.len() + 24);
}
