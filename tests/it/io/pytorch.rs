//! Files of `torch.save`.

use super::npz::archive;
use super::within_bounds;
use crate::support::files::{bits, directory, fixture, message};
use crate::support::resnet::ResNet;
use std::fs;
use std::path::Path;
use wengert::io::{Array, Integers, LoadOptions, pytorch, safetensors};
use wengert::prelude::*;

#[test]
fn tensors_of_every_type_and_stride_are_read() {
    let arrays = pytorch::read(fixture("kinds.pt")).unwrap();
    let names: Vec<_> = arrays.keys().map(String::as_str).collect();
    let expected = [
        "grid",
        "kinds.bfloat16",
        "kinds.bool",
        "kinds.float16",
        "kinds.float64",
        "kinds.int16",
        "kinds.int32",
        "kinds.int64",
        "kinds.int8",
        "kinds.uint8",
        "model.bias",
        "model.weight",
        "negative",
        "optimizer.state.0.exp_avg",
        "optimizer.state.0.exp_avg_sq",
        "optimizer.state.0.step",
        "optimizer.state.1.exp_avg",
        "optimizer.state.1.exp_avg_sq",
        "optimizer.state.1.step",
        "parameter",
        "part",
        "row.0",
        "row.1.0",
        "row.1.1",
        "transposed",
    ];
    assert_eq!(names, expected);
    assert_eq!(arrays["kinds.float16"], Array::F16(tensor![0.0, 1.0, 1.0]));
    assert_eq!(arrays["kinds.bfloat16"], Array::BF16(tensor![0.0, 1.0, 1.0]));
    assert_eq!(arrays["kinds.float64"], Array::F64(tensor![f64; 0.0, 1.0, 1.0]));
    for kind in ["bool", "int8", "int16", "int32", "int64", "uint8"] {
        assert_eq!(arrays[&format!("kinds.{kind}")], Integers::new(vec![0, 1, 1], [3]).into(), "{kind}");
    }
    assert_eq!(arrays["negative"], Integers::new(vec![-5], [1]).into());
    let grid = Tensor::<f32>::arange(0.0, 24.0, 1.0).reshape([4, 6]) / 8.0;
    assert_eq!(arrays["grid"], grid.clone().into());
    assert_eq!(arrays["transposed"], grid.permute([1, 0]).into());
    assert_eq!(arrays["part"], tensor![[0.75, 1.0, 1.25], [1.5, 1.75, 2.0], [2.25, 2.5, 2.75]].into());
    assert_eq!(arrays["row.0"], tensor![1.5, 1.625, 1.75, 1.875, 2.0, 2.125].into());
    assert_eq!(arrays["row.1.0"], Tensor::<f32>::zeros([0, 6]).into());
    assert_eq!(arrays["row.1.1"], Tensor::<f32>::scalar(2.5).into());
    assert_eq!(arrays["parameter"], Array::BF16(tensor![-1.0, 2.0]));
}

#[test]
fn a_resnet_in_half_precision_loads_by_renaming_and_gives_its_logits() {
    let expected = safetensors::read(fixture("resnet20_logits.safetensors")).unwrap();
    let state = pytorch::read(fixture("resnet20_bf16.pt")).unwrap();
    assert!(matches!(state["fc.weight"], Array::BF16(_)));
    let mut model = ResNet::new(3, state["conv1.weight"].shape()[0], 10);
    // Three stages of three blocks each are one list.
    let of_block = |name: &str| match name.strip_prefix("layer").map(|rest| rest.split('.').collect::<Vec<_>>())?[..] {
        [stage, block, ref rest @ ..] => {
            let number = 3 * (stage.parse::<usize>().ok()? - 1) + block.parse::<usize>().ok()?;
            Some(format!("blocks.{number}.{}", rest.join(".")))
        }
        _ => None,
    };
    let parts = [("conv1", "first.0"), ("bn1", "first.1"), ("conv2", "second.0"), ("bn2", "second.1")];
    let options = LoadOptions::new().rename(|name| of_block(name).unwrap_or(format!("stem.{name}")));
    let options = parts.into_iter().fold(options, |options, (from, to)| options.replace(from, to));
    let options = options.replace("stem.first", "stem").replace("stem.fc", "output").replace("downsample", "skip");
    let report = options.load(&mut model, fixture("resnet20_bf16.pt")).unwrap();
    assert_eq!((report.loaded.len(), report.extra.len(), report.missing.len()), (128, 0, 0));
    let images: Tensor = expected["images"].tensor();
    let logits = model.forward(&Tape::inference().constant(images));
    let error = (logits.value() - expected["logits"].tensor()).abs().max().item();
    assert!(error < 1e-3, "{error}");
    // The same from memory.
    let mut other = ResNet::new(3, state["conv1.weight"].shape()[0], 10);
    options.load_arrays(&mut other, state).unwrap();
    assert_eq!(bits(&other), bits(&model));
}

#[test]
fn what_is_more_than_tensors_is_refused_with_the_way_out() {
    let path = fixture("module.pt");
    let found = message(pytorch::read(&path));
    let lines: Vec<_> = found.lines().collect();
    assert!(lines[0].contains("expected tensors in dictionaries and lists, found an object of torch.nn"), "{found}");
    assert!(lines[0].ends_with("; to convert the file in Python:"));
    assert_eq!(lines[1], "  import torch, safetensors.torch");
    assert_eq!(lines[2], format!("  state = torch.load({path:?}, map_location=\"cpu\")"));
    assert!(lines[3].starts_with("  safetensors.torch.save_file({") && lines.len() == 4);
    let expanded = message(pytorch::read(fixture("expanded.pt")));
    assert!(expanded.contains("expected distinct places within 1 elements, found offset 0, shape [1000], strides [0]"));
}

/// A file with this pickle and one storage of zeros.
fn with_pickle(path: &Path, pickle: &[u8], storage: usize) {
    let mut archive = rawzip::ZipArchiveWriter::new(Vec::new());
    for (name, bytes) in [("a/data.pkl", pickle), ("a/data/0", &vec![0; storage])] {
        let (mut entry, config) = archive.new_file(name).start().unwrap();
        let mut writer = config.wrap(&mut entry);
        std::io::Write::write_all(&mut writer, bytes).unwrap();
        let (_, descriptor) = writer.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    fs::write(path, archive.finish().unwrap()).unwrap();
}

/// The pickle of a tensor of single precision in storage `entry`.
fn tensor(entry: &str, length: &str, offset: &str, shape: &str, strides: &str) -> Vec<u8> {
    let text = |text: &str| [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    let begin = b"ctorch._utils\n_rebuild_tensor_v2\n((";
    let storage =
        [&text("storage")[..], b"ctorch\nFloatStorage\n", &text(entry), &text("cpu"), length.as_bytes(), b"tQ"];
    let numbers = format!("{offset}({shape}t({strides}t");
    [begin, &storage.concat()[..], numbers.as_bytes(), b"\x89NtR"].concat()
}

#[test]
fn tensors_that_claim_more_than_their_storage_are_refused() {
    let directory = directory();
    let path = directory.path().join("file.pt");
    let read = |pickle: Vec<u8>| {
        with_pickle(&path, &[&pickle[..], b"."].concat(), 8);
        within_bounds(|| pytorch::read(&path))
    };
    let large = "J\u{7f}\u{7f}\u{7f}\u{7f}";
    assert_eq!(read(tensor("0", "K\x02", "K\0", "K\x02", "K\x01")).unwrap()[""], tensor![0.0, 0.0].into());
    for (pickle, expected) in [
        (tensor("0", "K\x03", "K\0", "K\x02", "K\x01"), "tensor \"\" at byte"),
        (tensor("0", "K\x02", "K\x01", "K\x02", "K\x01"), "tensor \"\" at byte"),
        (tensor("0", "K\x02", "K\0", "K\x02", "K\x02"), "tensor \"\" at byte"),
        (tensor("0", "K\x02", "K\0", large, "K\0"), "tensor \"\" at byte"),
        (tensor("0", "K\x02", "K\0", &large.repeat(4), &large.repeat(4)), "tensor \"\" at byte"),
        (tensor("0", "K\x02", "K\0", "K\x02", ""), "tensor \"\" at byte"),
        (tensor("0", "K\x02", "K\0", &"K\x01".repeat(100), &"K\x01".repeat(100)), "tensor \"\" at byte"),
        (tensor("1", "K\x02", "K\0", "K\x02", "K\x01"), "entry \"data/1\" at byte 0: expected an entry of this name"),
        (tensor("../data.pkl", "K\x02", "K\0", "K\x02", "K\x01"), "entry \"data/../data.pkl\""),
    ] {
        let found = message(read(pickle));
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn containers_that_multiply_themselves_are_refused() {
    let directory = directory();
    let path = directory.path().join("file.pt");
    let read = |pickle: &[u8]| {
        with_pickle(&path, pickle, 4096);
        within_bounds(|| message(pytorch::read(&path)))
    };
    // A list that contains itself, one in very many, and lists each of which holds the one before twice.
    assert!(read(b"]q\0h\0a.").contains("found containers that are shared many times"));
    assert!(read(&[b")", &[0x85; 100][..], b"."].concat()).contains("found more levels"));
    let doubled: Vec<u8> = (0..30u8).flat_map(|k| [b'(', b'h', k, b'h', k, b't', b'q', k + 1]).collect();
    let found = read(&[b"]q\0", &doubled[..], b"."].concat());
    assert!(found.contains("found containers that are shared many times"), "{found}");
    // One tensor under very many names.
    let tensor = [&tensor("0", "M\0\x04", "K\0", "M\0\x04", "K\x01")[..], b"q\x01"].concat();
    let found = read(&[&tensor[..], b"(", &b"h\x01".repeat(1000), b"t."].concat());
    assert!(found.contains("expected tensors of 16 times the size of the file at most"), "{found}");
    assert!(read(&[b"(", &b"(".repeat(50_000)[..], b"."].concat()).contains("an empty stack"));
}

#[test]
fn compressed_archives_are_refused() {
    let directory = directory();
    let path = directory.path().join("file.pt");
    fs::write(&path, archive(&[("a/data.pkl", b"}.")])).unwrap();
    let found = message(pytorch::read(&path));
    assert!(found.ends_with("expected no compression (0), found 8"), "{found}");
    fs::write(&path, archive(&[("x.npy", b"")])).unwrap();
    assert!(message(pytorch::read(&path)).ends_with("expected an entry data.pkl, found 1 others"));
}
