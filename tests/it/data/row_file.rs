//! Rows of files that are read by position.

use crate::support::files::{directory, gzip, message};
use crate::support::panics::{Panic, messages};
use std::fs;
use wengert::data::{RowFile, idx};
use wengert::io::{Array, Integers, npy};
use wengert::prelude::*;

/// A file of bytes whose value is the number of their row.
fn rows(count: u8, width: u8) -> (tempfile::TempDir, RowFile) {
    let directory = directory();
    let path = directory.path().join("rows.idx");
    let elements = (0..count).flat_map(|row| std::iter::repeat_n(row, width.into()));
    fs::write(&path, [0, 0, 8, 2, 0, 0, 0, count, 0, 0, 0, width].into_iter().chain(elements).collect::<Vec<_>>())
        .unwrap();
    let file = idx::open(path).unwrap();
    (directory, file)
}

pub const PANICS: &[Panic] = &[
    ("row_out_of_range", || _ = rows(3, 1).1.batch(&[1, 3])),
    ("row_out_of_range", || _ = rows(3, 1).1.read(2..4)),
    ("batch_size", || _ = rows(3, 1).1.stream(0)),
    ("option", || _ = rows(3, 1).1.stream(1).block(0)),
    ("option", || _ = rows(3, 1).1.stream(1).shuffled(0, &mut wengert::rng(0))),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn a_file_by_position_has_what_it_has_as_a_whole() {
    let directory = directory();
    let path = directory.path().join("array.npy");
    let values: Tensor = Tensor::randn([7, 2, 3], &mut wengert::rng(0));
    let arrays = [
        Array::from(&values),
        Array::from(Tensor::<f64>::randn([7, 2, 3], &mut wengert::rng(1))),
        Array::BF16(values.clone()),
        Integers::new((-21..21).collect(), [7, 2, 3]).into(),
    ];
    for array in arrays {
        npy::write(array, &path).unwrap();
        let whole = npy::read(&path).unwrap().tensor::<f64>();
        let file = npy::open::<f64>(&path).unwrap();
        assert_eq!((file.len(), file.row_shape()), (7, &[2, 3][..]));
        assert_eq!(file.all().unwrap(), whole);
        assert_eq!(file.read(2..5).unwrap(), whole.rows(&[2, 3, 4]));
        assert_eq!(file.batch(&[6, 0, 1, 2, 0]).unwrap(), whole.rows(&[6, 0, 1, 2, 0]));
        assert_eq!(file.batch(&[]).unwrap().shape(), [0, 2, 3]);
    }
}

#[test]
fn a_stream_yields_every_row_once_in_blocks() {
    for (count, size, block, window) in
        [(100, 7, 10, 3), (100, 32, 33, 1), (5, 10, 2, 9), (100, 100, 1, 100), (0, 3, 2, 2)]
    {
        let (_directory, file) = rows(count, 3);
        let order = |seed: Option<u64>, size| {
            let stream = file.stream(size).block(block);
            let stream = match seed {
                Some(seed) => stream.shuffled(window, &mut wengert::rng(seed)),
                None => stream,
            };
            let mut order = Vec::new();
            for batch in stream {
                let batch = batch.unwrap();
                assert_eq!(batch.rows.shape(), [batch.indices.len(), 3]);
                let found = batch.rows.as_slice().chunks(3);
                assert!(found.zip(&batch.indices).all(|(row, &index)| row.iter().all(|&x| x == index as f32)));
                assert!(batch.indices.len() == size || order.len() + batch.indices.len() == usize::from(count));
                order.extend(batch.indices);
            }
            order
        };
        let sorted = Vec::from_iter(0..usize::from(count));
        assert_eq!(order(None, size), sorted);
        let shuffled = order(Some(1), size);
        assert_eq!(order(Some(1), size + 1), shuffled, "the size of the batches does not matter");
        if count == 100 {
            assert_ne!(shuffled, sorted);
            assert_ne!(order(Some(2), size), shuffled);
            // Rows of a window come from that many blocks at most.
            let mut blocks: Vec<usize> = shuffled[..(block * window).min(67)].iter().map(|row| row / block).collect();
            blocks.sort();
            blocks.dedup();
            assert!(blocks.len() <= window + 1, "{blocks:?}");
        }
        let mut all = shuffled;
        all.sort();
        assert_eq!(all, sorted);
    }
}

#[test]
fn a_file_that_becomes_shorter_is_an_error_and_ends_the_stream() {
    let (directory, file) = rows(100, 3);
    let path = directory.path().join("rows.idx");
    let mut stream = file.stream(10).block(10);
    assert!(stream.next().unwrap().is_ok());
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(12 + 45).unwrap();
    assert_eq!(message(stream.next().unwrap()), "rows at byte 42: expected 30 bytes, found the end of the file");
    assert!(stream.next().is_none());
    assert_eq!(message(file.read(90..100)), "rows at byte 282: expected 30 bytes, found the end of the file");
}

#[test]
fn unfit_files_are_refused() {
    let directory = directory();
    let path = directory.path().join("file");
    let refused = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        [message(idx::open::<f32>(&path)), message(npy::open::<f32>(&path))]
    };
    let idx = [0, 0, 8, 1, 0, 0, 0, 3, 7, 7];
    assert_eq!(refused(&idx)[0], "elements at byte 8: expected 3 bytes, of shape [3], found 2");
    assert_eq!(refused(&gzip(&idx))[0], "magic number at byte 0: expected two zeros, found 1f 8b");
    let scalar = [0, 0, 8, 0, 1];
    assert_eq!(refused(&scalar)[0], "shape at byte 0: expected rows along a first axis, found a scalar");
    npy::write(Tensor::<f32>::zeros([4]), &path).unwrap();
    let bytes = fs::read(&path).unwrap();
    assert_eq!(
        refused(&bytes[..bytes.len() - 1])[1],
        "elements at byte 128: expected 16 bytes, of shape [4], found 15"
    );
    let header = b"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }\n";
    let bytes = [b"\x93NUMPY\x01\0".as_slice(), &[header.len() as u8, 0], header, &[0; 16]].concat();
    let expected = "order at byte 10: expected rows in C order, as of numpy.ascontiguousarray, found Fortran order";
    assert_eq!(refused(&bytes)[1], expected);
}
