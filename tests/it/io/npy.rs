//! npy files.

use super::npz::archive;
use super::within_bounds;
use crate::support::files::{directory, fixture, message};
use std::fs;
use wengert::io::{Array, npy, npz};
use wengert::prelude::*;

#[test]
fn half_precision_is_read_as_single() {
    let eighths = (0..6).map(|k| k as f32 / 8.0).collect();
    assert_eq!(npy::read(fixture("half.npy")).unwrap(), Array::F16(Tensor::from_vec(eighths, [2, 3])));
    assert_eq!(npz::read(fixture("half.npz")).unwrap()["x"], Array::F16(tensor![0.0, 0.0]));
    let float16 = Array::F16(tensor![[1.0, -2.0], [0.099975586, 5.9604645e-8]]);
    assert_eq!(npy::read(fixture("float16.npy")).unwrap(), float16);
    let bfloat16 = Array::BF16(tensor![[1.0, -2.0], [0.100097656, f32::INFINITY]]);
    assert_eq!(npy::read(fixture("bfloat16.npy")).unwrap(), bfloat16);
}

#[test]
fn records_are_refused() {
    assert!(message(npy::read(fixture("records.npy"))).starts_with("header at byte 10: expected"));
}

/// An npy file with this header, followed by the given number of bytes.
pub fn npy_bytes(header: &str, elements: usize) -> Vec<u8> {
    let length = (header.len() as u32).to_le_bytes();
    [b"\x93NUMPY\x02\0", &length[..], header.as_bytes(), &vec![0; elements]].concat()
}

#[test]
fn headers_of_numpy_that_lie_are_refused() {
    let directory = directory();
    let path = directory.path().join("file");
    let shapes = [
        ("4,", 15, "elements at byte"),
        ("4,", 17, "end of the data at byte"),
        ("1073741824,", 16, "elements at byte"),
        ("18446744073709551615,", 0, "shape at byte 12"),
        ("18446744073709551616,", 0, "shape at byte 12"),
        ("4294967296, 4294967296", 0, "shape at byte 12"),
        ("4294967296, 4294967296, 0", 0, "shape at byte 12"),
    ];
    for (shape, elements, expected) in shapes {
        let header = format!("{{'descr': '<f4', 'fortran_order': True, 'shape': ({shape})}}");
        let bytes = npy_bytes(&header, elements);
        for (bytes, prefix) in [(bytes.clone(), ""), (archive(&[("x.npy", &bytes)]), "array \"x\": ")] {
            fs::write(&path, bytes).unwrap();
            let read = || if prefix.is_empty() { message(npy::read(&path)) } else { message(npz::read(&path)) };
            let found = within_bounds(read);
            assert!(found.starts_with(&format!("{prefix}{expected}")), "{found}");
        }
    }
    // Many axes, each of size 1.
    let read = |axes: usize| {
        let header = format!("{{'descr': '<f4', 'fortran_order': True, 'shape': ({}10000)}}", "1,".repeat(axes - 1));
        fs::write(&path, npy_bytes(&header, 40_000)).unwrap();
        within_bounds(|| npy::read(&path))
    };
    assert_eq!(read(64).unwrap().shape().len(), 64);
    let found = message(read(30_001));
    assert!(found.ends_with("expected at most 64 axes and a size that fits in memory, found 30001 axes"), "{found}");
}

#[test]
fn numbers_of_either_byte_order_are_read_whole_and_by_rows() {
    let directory = directory();
    let path = directory.path().join("file.npy");
    let write = |kind: &str, elements: &[u8], count: usize| {
        let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({count},)}}");
        fs::write(&path, [&npy_bytes(&header, 0), elements].concat()).unwrap();
    };
    let cases: [(&str, &[u8], [f64; 2]); 4] = [
        ("<u2", &[1, 0, 255, 255], [1.0, 65_535.0]),
        (">u2", &[0, 1, 255, 254], [1.0, 65_534.0]),
        ("<u4", &[1, 0, 0, 0, 255, 255, 255, 255], [1.0, u32::MAX.into()]),
        (">f4", &[63, 128, 0, 0, 192, 0, 0, 0], [1.0, -2.0]),
    ];
    for (kind, elements, expected) in cases {
        write(kind, elements, 2);
        assert_eq!(npy::read(&path).unwrap().tensor::<f64>().as_slice(), expected, "{kind}");
        assert_eq!(npy::open::<f64>(&path).unwrap().read(0..2).unwrap().as_slice(), expected, "{kind}");
    }
    write("<u8", &[255; 8], 1);
    for found in [message(npy::read(&path)), message(npy::open::<f64>(&path).unwrap().read(0..1))] {
        assert!(found.ends_with("expected integers that fit in an i64, found 18446744073709551615"), "{found}");
    }
    fs::write(&path, npy_bytes("{'descr': '<f4', 'shape': (1,)}", 4)).unwrap();
    let found = message(npy::read(&path));
    assert!(found.ends_with("expected 'descr', 'fortran_order' and 'shape', found only some of them"), "{found}");
}
