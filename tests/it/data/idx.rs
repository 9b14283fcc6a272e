//! The IDX reader on malformed files of every kind.

use crate::support::allocator::largest_block;
use crate::support::files::{gzip, overwrite};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wengert::Error;
use wengert::data::idx::{self, Elements};
use wengert::prelude::*;

/// An empty directory for one test, removed at its end.
pub struct Directory(pub PathBuf);

impl Directory {
    pub fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Directory(path)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        overwrite(&path, bytes);
        path
    }

    /// Writes four small files in the MNIST format.
    pub fn write_mnist(&self) {
        for part in ["train", "t10k"] {
            self.write(&format!("{part}-images-idx3-ubyte"), &idx_file(&[2, 28, 28], &[9; 2 * 784]));
            self.write(&format!("{part}-labels-idx1-ubyte"), &idx_file(&[2], &[1, 9]));
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn idx_file(shape: &[u32], elements: &[u8]) -> Vec<u8> {
    let sizes = shape.iter().flat_map(|size| size.to_be_bytes());
    [0, 0, 8, shape.len() as u8].into_iter().chain(sizes).chain(elements.iter().copied()).collect()
}

/// The error message for a file with these bytes, after its path.
fn message(directory: &Directory, bytes: &[u8]) -> String {
    let path = directory.write("broken", bytes);
    after_path(&idx::read(&path).expect_err("a broken file was accepted"), &path)
}

pub fn after_path(error: &Error, path: &Path) -> String {
    let text = error.to_string();
    assert!(!text.contains('\n'), "{text}");
    text.strip_prefix(&format!("{path:?}: ")).unwrap_or_else(|| panic!("{text} is not about {path:?}")).into()
}

#[test]
fn files_are_recognised_by_their_content() {
    let directory = Directory::new("files_are_recognised_by_their_content");
    let content = idx_file(&[2, 3], &[1, 2, 3, 4, 5, 6]);
    let halves = [gzip(&content[..7]), gzip(&content[7..])].concat();
    for (name, bytes) in [("raw.gz", content.clone()), ("compressed", gzip(&content)), ("members", halves)] {
        let idx = idx::read(directory.write(name, &bytes)).unwrap();
        assert_eq!((idx.shape, idx.elements), (vec![2, 3], vec![1, 2, 3, 4, 5, 6]));
    }
}

#[test]
fn messages_say_what_is_wrong() {
    let directory = Directory::new("messages_say_what_is_wrong");
    let good = idx_file(&[2, 2], &[1, 2, 3, 4]);
    let with = |position: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[position] = byte;
        bytes
    };
    let cases = [
        (vec![], "magic number at byte 0: expected 4 bytes, found the end of the file after 0"),
        (with(0, 1), "magic number at byte 0: expected two zeros, found 01 00"),
        (with(2, 0x0d), "element type at byte 2: expected 08 (unsigned bytes), found 0d"),
        (good[..9].to_vec(), "dimensions at byte 4: expected 8 bytes, found the end of the file after 5"),
        (
            good[..15].to_vec(),
            "elements of shape [2, 2] at byte 12: expected 4 bytes, found the end of the file after 3",
        ),
        ([&good[..], b"x"].concat(), "end of the data at byte 16: expected the end of the file, found more bytes"),
        (
            gzip(&[&good[..], b"x"].concat()),
            "end of the data at byte 16: expected the end of the file, found more bytes",
        ),
    ];
    for (bytes, expected) in cases {
        assert_eq!(message(&directory, &bytes), expected);
    }
    // Also without elements.
    for shape in [&[u32::MAX; 5][..], &[0, u32::MAX, u32::MAX], &[1; 65]] {
        let impossible = message(&directory, &idx_file(shape, &[0]));
        let expected = "dimensions at byte 4: expected at most 64 axes and a size that fits in memory, found [";
        assert!(impossible.starts_with(expected), "{impossible}");
    }
    let mut altered = gzip(&good);
    let checksum = altered.len() - 8;
    altered[checksum] ^= 1;
    let altered = message(&directory, &altered);
    assert!(altered.starts_with("end of the data at byte 16: expected intact data, found "), "{altered}");
}

#[test]
fn what_is_not_a_file_is_an_error_of_the_system() {
    let directory = Directory::new("what_is_not_a_file_is_an_error_of_the_system");
    for path in [directory.0.clone(), directory.0.join("missing"), PathBuf::new()] {
        let error = idx::read(&path).unwrap_err();
        assert!(matches!(error, Error::Io { .. }));
        assert!(!after_path(&error, &path).is_empty());
    }
}

#[test]
fn memory_is_bounded_by_what_the_file_holds() {
    let directory = Directory::new("memory_is_bounded_by_what_the_file_holds");
    let claims = idx_file(&[65_535, 65_535], &[1, 2, 3]);
    let bomb = gzip(&idx_file(&[10], &vec![0; 64 << 20]));
    for bytes in [gzip(&claims), claims, bomb] {
        let path = directory.write("broken", &bytes);
        let (_, largest) = largest_block(|| idx::read(&path).unwrap_err());
        assert!(largest < 1 << 20, "{largest} bytes at once");
    }
}

#[test]
fn a_truncated_file_is_refused_at_every_length() {
    let directory = Directory::new("a_truncated_file_is_refused_at_every_length");
    let elements: Vec<u8> = (0..60).collect();
    let raw = idx_file(&[5, 4, 3], &elements);
    for bytes in [gzip(&raw), raw] {
        for length in 0..bytes.len() {
            message(&directory, &bytes[..length]);
        }
    }
}

#[test]
fn a_changed_byte_is_never_a_panic() {
    let directory = Directory::new("a_changed_byte_is_never_a_panic");
    let mut rng = wengert::rng(7);
    let elements: Vec<u8> = (0..60).collect();
    let raw = idx_file(&[5, 4, 3], &elements);
    let compressed = gzip(&raw);
    for _ in 0..2000 {
        let is_raw = rng.next_u32().is_multiple_of(2);
        let mut bytes = if is_raw { raw.clone() } else { compressed.clone() };
        let position = rng.next_u32() as usize % bytes.len();
        bytes[position] ^= (rng.next_u32() % 255 + 1) as u8;
        let started = Instant::now();
        if let Ok(idx) = idx::read(directory.write("changed", &bytes)) {
            // Data covered by a checksum is read unchanged or not at all. The name and time in the header do not matter.
            assert!(is_raw || idx.elements == elements, "byte {position} of the compressed file");
            assert_eq!(idx.shape.iter().product::<usize>(), idx.elements.len());
        }
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn every_element_type_is_read() {
    let directory = Directory::new("every_element_type_is_read");
    let read = |code: u8, elements: Vec<u8>| {
        let header = [0, 0, code, 2, 0, 0, 0, 1, 0, 0, 0, 2];
        idx::read_any(directory.write("any", &gzip(&[&header[..], &elements].concat()))).unwrap()
    };
    let cases = [
        (0x08, vec![1, 255], Elements::U8(vec![1, 255])),
        (0x09, vec![1, 255], Elements::I8(vec![1, -1])),
        (0x0b, [300i16, -2].map(i16::to_be_bytes).concat(), Elements::I16(vec![300, -2])),
        (0x0c, [70_000i32, -2].map(i32::to_be_bytes).concat(), Elements::I32(vec![70_000, -2])),
        (0x0d, [0.5f32, -2.0].map(f32::to_be_bytes).concat(), Elements::F32(vec![0.5, -2.0])),
        (0x0e, [0.1f64, -2.0].map(f64::to_be_bytes).concat(), Elements::F64(vec![0.1, -2.0])),
    ];
    for (code, bytes, elements) in cases {
        let idx = read(code, bytes);
        assert_eq!((&idx.shape, &idx.elements), (&vec![1, 2], &elements));
        assert_eq!(idx.labels().is_some(), code == 8);
        assert_eq!(idx.tensor::<f64>().shape(), [1, 2]);
    }
    let labels = read(0x0c, [5i32, 16_777_217].map(i32::to_be_bytes).concat());
    assert_eq!(labels.labels(), Some(vec![5, 16_777_217]));
    assert_eq!(labels.tensor::<f64>(), tensor![f64; [5.0, 16777217.0]]);
    let error = idx::read_any(directory.write("unknown", &[0, 0, 0x0a, 0])).unwrap_err();
    assert!(error.to_string().ends_with("element type at byte 2: expected 08, 09, 0b, 0c, 0d or 0e, found 0a"));
}
