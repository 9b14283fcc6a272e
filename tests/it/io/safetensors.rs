//! Safetensors files, written by Python and malformed.

use super::{eighths, within_bounds};
use crate::support::files::{directory, fixture, message};
use std::fs;
use std::path::Path;
use wengert::io::{Array, Integers, safetensors};
use wengert::prelude::*;

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
fn half_precision_is_read_as_single() {
    let read = |name| safetensors::read(fixture(name)).unwrap().remove("x").unwrap();
    // The bytes 0x3c00 and 0x4000 in either format.
    assert_eq!(read("f16.safetensors"), Array::F16(tensor![1.0, 2.0]));
    assert_eq!(read("bf16.safetensors"), Array::BF16(tensor![0.0078125, 2.0]));
}

#[test]
fn types_that_are_unknown_are_refused_by_name() {
    let directory = directory();
    let path = directory.path().join("file");
    with_header(&path, r#"{"x": {"dtype": "F8_E4M3", "shape": [1], "data_offsets": [0, 1]}}"#, 1);
    let types = "F16, BF16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64, BOOL";
    let expected = format!("dtype of \"x\" in the header at byte 8: expected one of {types}, found F8_E4M3");
    assert_eq!(message(safetensors::read(&path)), expected);
}

/// A safetensors file with this header, followed by the given number of bytes.
fn with_header(path: &Path, header: &str, elements: usize) {
    let length = (header.len() as u64).to_le_bytes();
    fs::write(path, [&length[..], header.as_bytes(), &vec![0; elements]].concat()).unwrap();
}

#[test]
fn headers_of_safetensors_that_lie_are_refused() {
    let directory = directory();
    let path = directory.path().join("file");
    let entry = |dtype: &str, shape: &str, offsets: &str| {
        format!(r#""dtype": "{dtype}", "shape": [{shape}], "data_offsets": [{offsets}]"#)
    };
    let one = |entry: String| format!(r#"{{"x": {{{entry}}}}}"#);
    let two = |a: &str, x: &str, b: &str, y: &str| {
        let (x, y) = (entry("F32", "1", x), entry("F32", "1", y));
        format!(r#"{{"{a}": {{{x}}}, "{b}": {{{y}}}}}"#)
    };
    let max = u64::MAX;
    let cases = [
        (one(entry("F32", "2", "0, 4")), 8, "data_offsets of \"x\" in the header at byte 8: expected two offsets 8"),
        (one(entry("F32", "1", "4, 0")), 8, "data_offsets of \"x\""),
        (one(entry("F32", "1", "0, 4, 8")), 8, "data_offsets of \"x\""),
        (one(entry("F32", "1", "4, 8")), 8, "begin of \"x\" in the header at byte 8: expected 0, found 4"),
        (one(entry("F32", "1", "0, 4")), 3, "end of \"x\" in the header at byte 8: expected 3"),
        (one(entry("F32", "1", "0, 4")), 5, "end of \"x\" in the header at byte 8: expected 5"),
        (one(entry("F32", "1", &format!("{}, {max}", max - 4))), 8, "begin of \"x\""),
        (one(entry("F32", "1073741824", "0, 4294967296")), 8, "end of \"x\""),
        (one(entry("F32", &max.to_string(), "0, 4")), 8, "shape of \"x\""),
        (one(entry("F32", "4294967296, 4294967296", "0, 4")), 8, "shape of \"x\""),
        (one(entry("F32", "4294967296, 4294967296, 0", "0, 0")), 0, "shape of \"x\""),
        (one(entry("F32", "0, 9223372036854775807", "0, 0")), 0, "shape of \"x\""),
        (one(entry("I8", "9223372036854775808", "0, 4")), 8, "shape of \"x\""),
        (
            one(entry("F32", "-1", "0, 4")),
            8,
            "header at byte 43: expected tensor descriptions, found a parse error: -1:",
        ),
        (one(entry("F32", "1e9", "0, 4")), 8, "header at byte 44: expected tensor descriptions"),
        (two("x", "0, 4", "y", "0, 4"), 4, "begin of \"y\" in the header at byte 8: expected 4, found 0"),
        (two("x", "0, 4", "y", "2, 6"), 6, "begin of \"y\""),
        (two("x", "0, 4", "y", "8, 12"), 12, "begin of \"y\""),
        (two("x", "0, 4", "x", "4, 8"), 8, "number of entries of \"x\" in the header at byte 8: expected 1"),
        (two("x", "0, 4", "\\u0078", "4, 8"), 8, "number of entries of \"x\""),
        (one(r#""dtype": "F32", "shape": [1]"#.into()), 4, "description of \"x\""),
        (one(r#""dtype": "F32", "dtype": "F32""#.into()), 4, "description of \"x\""),
        (one(r#""dtype": [1]"#.into()), 4, "description of \"x\""),
        (r#"{"__metadata__": {"a": [1]}}"#.into(), 0, "metadata of \"a\""),
        ("{}".into(), 4, "header at byte 8: expected tensors of 4 bytes, found none"),
        (
            "[".repeat(100_000),
            0,
            "header at byte 8: expected tensor descriptions, found a parse error: object expected",
        ),
        (r#"{"a":"#.repeat(100_000), 0, "header at byte 18"),
    ];
    for (header, elements, expected) in cases {
        with_header(&path, &header, elements);
        let found = within_bounds(|| message(safetensors::read(&path)));
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
    for length in [100, 50_000_000, 200_000_000, 1 << 40, max] {
        fs::write(&path, [&length.to_le_bytes()[..], b"{}"].concat()).unwrap();
        let found = within_bounds(|| message(safetensors::read(&path)));
        assert!(found.contains("header at byte"), "{found}");
    }
}

#[test]
fn a_number_that_changed_on_the_disk_is_noticed() {
    let directory = directory();
    let path = directory.path().join("file");
    safetensors::write([("x", tensor![1.0, 2.0]), ("y", tensor![3.0, 4.0])], &path).unwrap();
    let intact = fs::read(&path).unwrap();
    for at in intact.len() - 16..intact.len() {
        let mut bytes = intact.clone();
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let found = message(safetensors::read(&path));
        assert!(
            found.starts_with("CRC-32 of the elements at byte ") && found.ends_with(": the file is damaged"),
            "{found}"
        );
    }
    fs::write(&path, intact).unwrap();
    assert_eq!(safetensors::read(&path).unwrap()["y"], tensor![3.0, 4.0].into());
}
