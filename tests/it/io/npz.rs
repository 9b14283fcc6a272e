//! npz archives.

use super::npy::npy_bytes;
use super::{eighths, within_bounds};
use crate::support::files::{directory, fixture, message};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::fs;
use std::io::Write;
use wengert::io::{Integers, npy, npz};
use wengert::prelude::*;

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

/// The bytes of a zip archive with deflated entries.
pub fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
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
fn archives_that_swell_are_refused() {
    let directory = directory();
    let path = directory.path().join("bomb.npz");
    // The zeros that deflate packs into 16 KiB, after the header of a small array: they are not read.
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (4,)}";
    fs::write(&path, archive(&[("x.npy", &npy_bytes(header, 16 << 20))])).unwrap();
    let found = within_bounds(|| message(npz::read(&path)));
    assert!(found.contains("end of the data"), "{found}");
    // A header of the same length.
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
    // Every entry of the directory is made to point to the first.
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
