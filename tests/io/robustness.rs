//! Files that are broken in every way: an error, no panic, no hang, and no more memory than the file warrants.

use crate::{directory, fixture, message};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use rand::RngExt;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use wengert::io::{self, Checkpoint, Resume, npy, npz, safetensors};
use wengert::prelude::*;

thread_local! {
    /// The largest block that this thread asked for.
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, watched.
struct Watched;

// SAFETY: every call is passed on unchanged.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.set(LARGEST.get().max(layout.size()));
        // SAFETY: the caller keeps the contract of this method, which is that of the system allocator.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of this method, which is that of the system allocator.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;

/// Does something without hanging and with blocks of at most 1 MiB: that is more than any file here warrants, because a buffer
/// for files is some 64 KiB.
fn within_bounds<X>(what: impl FnOnce() -> X) -> X {
    let start = Instant::now();
    LARGEST.set(0);
    let result = what();
    assert!(LARGEST.get() < 1 << 20, "a block of {} bytes", LARGEST.get());
    assert!(start.elapsed() < Duration::from_secs(20));
    result
}

/// Reads a file in every way, and says in how many of them that went well.
fn readings(path: &Path) -> usize {
    let (mut layer, mut optimizer) = (Linear::new(3, 2, Init::He, &mut wengert::rng(0)), Adam::new(0.1));
    let (mut rng, mut epoch) = (wengert::rng(0), 0);
    within_bounds(|| {
        let resume = Resume::new().model(&mut layer).optimizer(&mut optimizer).generator(&mut rng);
        let outcomes = [
            resume.counter("epoch", &mut epoch).load(path),
            io::load(&mut layer, path),
            safetensors::read(path).map(|_| ()),
            npz::read(path).map(|_| ()),
            npy::read(path).map(|_| ()),
        ];
        // Whatever was loaded, training goes on.
        let loss = layer.forward(&Tape::new().constant(Tensor::ones([4, 3]))).sum();
        optimizer.step(&mut layer, &loss.backward());
        outcomes.iter().filter(|outcome| outcome.is_ok()).count()
    })
}

/// Intact files of every kind.
fn intact() -> Vec<Vec<u8>> {
    let directory = directory();
    let path = directory.path().join("run.safetensors");
    let mut rng = wengert::rng(0);
    let mut model = Linear::new(3, 2, Init::He, &mut rng);
    let mut optimizer = Adam::new(0.1);
    let loss = model.forward(&Tape::new().constant([1.0, 2.0, 3.0])).sum();
    optimizer.step(&mut model, &loss.backward());
    Checkpoint::new().model(&model).optimizer(&optimizer).generator(&rng).counter("epoch", 1).save(&path).unwrap();
    let names = ["arrays.safetensors", "model.safetensors", "stored.npz", "deflated.npz", "single.npy"];
    let fixtures = names.map(|name| fs::read(fixture(name)).unwrap());
    fixtures.into_iter().chain([fs::read(path).unwrap()]).collect()
}

#[test]
fn every_truncation_is_an_error() {
    let directory = directory();
    let path = directory.path().join("file");
    for bytes in intact() {
        fs::write(&path, &bytes).unwrap();
        assert!(readings(&path) >= 1);
        for length in 0..bytes.len() {
            fs::write(&path, &bytes[..length]).unwrap();
            assert_eq!(readings(&path), 0, "the first {length} bytes");
        }
        let longer = [&bytes[..], b"x"].concat();
        fs::write(&path, longer).unwrap();
        // Behind a zip archive there may be anything.
        assert_eq!(readings(&path), usize::from(bytes.starts_with(b"PK")));
    }
}

#[test]
fn changed_bytes_do_no_harm() {
    let directory = directory();
    let path = directory.path().join("file");
    let mut rng = wengert::rng(7);
    for bytes in intact() {
        let archive = bytes.starts_with(b"PK");
        let mut noticed = 0;
        for _ in 0..500 {
            let mut bytes = bytes.clone();
            for _ in 0..rng.random_range(1..4) {
                let at = rng.random_range(0..bytes.len());
                bytes[at] ^= rng.random_range(1..=255u8);
            }
            fs::write(&path, &bytes).unwrap();
            noticed += usize::from(readings(&path) == 0);
        }
        // A checksum covers the contents of an archive; elsewhere a number may be another one.
        assert!(noticed > if archive { 150 } else { 30 }, "{noticed} noticed");
    }
}

/// A safetensors file with this header and so many bytes behind it.
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

/// An npy file with this header and so many bytes behind it.
fn npy_bytes(header: &str, elements: usize) -> Vec<u8> {
    let length = (header.len() as u32).to_le_bytes();
    [b"\x93NUMPY\x02\0", &length[..], header.as_bytes(), &vec![0; elements]].concat()
}

/// The bytes of a zip archive of deflated entries.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = rawzip::ZipArchiveWriter::new(Vec::new());
    for (name, bytes) in entries {
        let file = archive.new_file(name).compression_method(rawzip::CompressionMethod::DEFLATE);
        let (mut entry, config) = file.start().unwrap();
        let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::best()));
        writer.write_all(bytes).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap()
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
    // Many axes, of which each is of size 1.
    let axes = "1,".repeat(30_000);
    let header = format!("{{'descr': '<f4', 'fortran_order': True, 'shape': ({axes}10000)}}");
    fs::write(&path, npy_bytes(&header, 40_000)).unwrap();
    assert_eq!(within_bounds(|| npy::read(&path)).unwrap().shape().len(), 30_001);
}

#[test]
fn archives_that_swell_are_refused() {
    let directory = directory();
    let path = directory.path().join("bomb.npz");
    // As many zeros as deflate can make of 16 KiB, behind the header of a small array: they are not looked at.
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (4,)}";
    fs::write(&path, archive(&[("x.npy", &npy_bytes(header, 16 << 20))])).unwrap();
    let found = within_bounds(|| message(npz::read(&path)));
    assert!(found.contains("end of the data"), "{found}");
    // A header that is as long.
    let bytes = archive(&[("x.npy", &npy_bytes(&" ".repeat(1 << 20), 0))]);
    fs::write(&path, bytes).unwrap();
    assert!(message(npz::read(&path)).starts_with("array \"x\": header"));
    // An array that claims more than the whole archive can hold, and one that holds less than it claims.
    for count in [1u64 << 40, 1 << 16] {
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({count},)}}");
        fs::write(&path, archive(&[("x.npy", &npy_bytes(&header, 1000))])).unwrap();
        let found = within_bounds(|| message(npz::read(&path)));
        assert!(found.starts_with("array \"x\": elements at byte"), "{found}");
    }
}

#[test]
fn entries_that_share_their_bytes_do_not_multiply_them() {
    let directory = directory();
    let path = directory.path().join("bomb.npz");
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (262144,)}";
    let names: Vec<String> = (0..64).map(|k| format!("{k:02}.npy")).collect();
    let whole = npy_bytes(header, 1 << 20);
    let mut entries: Vec<(&str, &[u8])> = vec![(&names[0], &whole)];
    entries.extend(names[1..].iter().map(|name| (name.as_str(), &[][..])));
    let bytes = archive(&entries);
    // In the directory every entry is made to be the first one.
    let starts: Vec<usize> = (0..bytes.len() - 4).filter(|&at| bytes[at..].starts_with(b"PK\x01\x02")).collect();
    let mut forged = bytes.clone();
    for &at in &starts {
        forged.copy_within(starts[0] + 16..starts[0] + 28, at + 16);
        forged.copy_within(starts[0] + 42..starts[0] + 46, at + 42);
    }
    fs::write(&path, &forged).unwrap();
    let found = message(npz::read(&path));
    assert!(found.contains("elements at byte") && found.contains("the end of the file after"), "{found}");
}

#[test]
fn files_that_are_none_are_errors_of_the_system() {
    let directory = directory();
    assert_eq!(message(safetensors::read(directory.path())), "not a regular file");
    assert_eq!(message(npz::read(directory.path())), "not a regular file");
    assert_eq!(message(npy::read(directory.path())), "not a regular file");
    let missing = directory.path().join("missing");
    assert_eq!(readings(&missing), 0);
    assert!(message(npz::read(&missing)).contains("No such file"));
}
