//! Event files. `tests/python/tensorboard.py` sets `TENSORBOARD_DIRECTORY` and compares what TensorBoard reads.

use crate::support::files::directory;
use crate::support::panics::{Panic, messages};
use flate2::read::ZlibDecoder;
use std::fs;
use std::io::Read;
use std::path::PathBuf;
use wengert::io::{Array, npz};
use wengert::prelude::*;
use wengert::training::Fit;
use wengert::training::tensorboard::EventWriter;

fn image_of(shape: &[usize]) {
    let directory = directory();
    let mut events = EventWriter::create(directory.path()).unwrap();
    events.image("x", 0, &Tensor::<f32>::zeros(shape)).unwrap();
}

pub const PANICS: &[Panic] = &[("image_shape", || image_of(&[4, 2, 2])), ("image_shape", || image_of(&[0, 2]))];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

/// CRC-32C by polynomial division, bit by bit, and masked.
fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for bit in bytes.iter().flat_map(|byte| (0..8).map(move |bit| u32::from(byte >> bit & 1))) {
        crc = if (crc ^ bit) & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
    }
    (!crc).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The contents of the records of a file, whose checksums are verified.
fn records(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    let word = |bytes: &[u8]| u32::from_le_bytes(bytes[..4].try_into().unwrap());
    while !bytes.is_empty() {
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        assert_eq!(word(&bytes[8..]), checksum(&bytes[..8]));
        let content = &bytes[12..12 + length];
        assert_eq!(word(&bytes[12 + length..]), checksum(content));
        records.push(content.to_vec());
        bytes = &bytes[16 + length..];
    }
    records
}

/// A field of a protocol buffer: its number, and the bytes of its value.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let end = 1 + bytes.iter().position(|byte| byte & 0x80 == 0).unwrap();
        let (number, rest) = bytes.split_at(end);
        *bytes = rest;
        number.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f))
    }
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let length = match tag & 7 {
            0 => {
                fields.push((tag >> 3, varint(&mut bytes).to_le_bytes().to_vec()));
                continue;
            }
            1 => 8,
            2 => varint(&mut bytes) as usize,
            5 => 4,
            other => panic!("no such kind of field: {other}"),
        };
        fields.push((tag >> 3, bytes[..length].to_vec()));
        bytes = &bytes[length..];
    }
    fields
}

/// The value of a field, through messages inside one another.
fn field(bytes: &[u8], path: &[u64]) -> Vec<u8> {
    path.iter().fold(bytes.to_vec(), |bytes, number| {
        fields(&bytes).into_iter().find(|(other, _)| other == number).unwrap_or_else(|| panic!("no {number}")).1
    })
}

#[test]
fn scalars_and_images_are_written_as_the_formats_say() {
    let directory = directory();
    let mut events = EventWriter::create(directory.path().join("a/b")).unwrap();
    events.scalar("loss", 300, 0.25).unwrap();
    let image = Tensor::from_vec((0..18).map(|k| k as f32 * 15.0 / 255.0).collect(), [3, 2, 3]);
    events.image("x", 1, &image).unwrap();
    events.image("gray", 1, &tensor![[-1.0, f32::NAN, 7.0]]).unwrap();
    let [version, scalar, color, gray] = &records(&fs::read(events.path()).unwrap())[..] else { panic!("4 records") };
    assert_eq!(field(version, &[3]), b"brain.Event:2");
    assert_eq!(field(scalar, &[2]), 300u64.to_le_bytes());
    assert_eq!(field(scalar, &[5, 1, 1]), b"loss");
    assert_eq!(field(scalar, &[5, 1, 2]), 0.25f32.to_le_bytes());

    let rows = |record: &[u8]| {
        let png = field(record, &[5, 1, 4, 4]);
        let compressed = png.windows(4).position(|window| window == b"IDAT").unwrap() + 4;
        let mut rows = Vec::new();
        ZlibDecoder::new(&png[compressed..]).read_to_end(&mut rows).unwrap();
        rows
    };
    let pixel = |k: u8| [k, k + 6, k + 12].map(|k| 15 * k);
    let row = |first: u8| [&[0][..], &pixel(first), &pixel(first + 1), &pixel(first + 2)].concat();
    assert_eq!(rows(color), [row(0), row(3)].concat());
    assert_eq!(rows(gray), [0, 0, 0, 255]);
}

#[test]
fn a_second_writer_has_a_file_of_its_own() {
    let directory = directory();
    let writers = [(); 3].map(|()| EventWriter::create(directory.path()).unwrap());
    let paths = writers.each_ref().map(|writer| writer.path().to_path_buf());
    assert!(paths.is_sorted() && paths[0] != paths[1] && paths[1] != paths[2], "{paths:?}");
    assert!(EventWriter::create(&paths[0]).is_err(), "a file is no directory");
}

#[test]
fn a_run_for_tensorboard_is_written() {
    let temporary = directory();
    let place = std::env::var_os("TENSORBOARD_DIRECTORY").map_or(temporary.path().into(), PathBuf::from);
    let mut rng = wengert::rng(0);
    let mut model = (Linear::new(6, 8, Init::He, &mut rng), Linear::new(8, 2, Init::He, &mut rng));
    let (mut optimizer, mut fit, x) = (Sgd::new(0.1), Fit::new(3), Tensor::<f32>::randn([5, 6], &mut rng));
    let mut events = EventWriter::create(place.join("run")).unwrap();
    let mut expected: Vec<(String, Array)> = Vec::new();
    while fit.next_epoch() {
        let tape = Tape::training(&mut rng);
        tape.name_parameters(&model);
        let loss = model.1.forward(&model.0.forward(&tape.constant(&x)).relu()).square().mean();
        if fit.epoch() == 1 {
            events.graph(&tape).unwrap();
            events.text("settings", 0, "**rate** 0.1, größer").unwrap();
        }
        let (gradients, _) = fit.backward(loss, 1.0).unwrap();
        fit.update(&gradients, &mut model, &mut optimizer);
        let step = fit.steps();
        events.gradients(step, &model, &gradients).unwrap();
        events.parameters(step, &model).unwrap();
        events.epoch(fit.history().epochs().last().unwrap()).unwrap();
        expected.push((format!("loss_{step}"), Tensor::<f64>::scalar(fit.history().epochs()[step - 1].loss()).into()));
        for (path, param) in model.parameters() {
            expected.push((format!("parameters/{path}_{step}"), param.value().into()));
            expected.push((format!("gradients/{path}_{step}"), gradients.get(param).unwrap().into()));
        }
    }
    events.histogram("odd", 0, &tensor![f32::NAN, 1.0, 1.0, f32::INFINITY]).unwrap();
    events.histogram("none", 0, &Tensor::<f32>::zeros([0])).unwrap();
    for (name, shape) in [("gray", &[5, 7][..]), ("color", &[3, 6, 4])] {
        let image = Tensor::<f32>::uniform(shape, 0.0, 1.0, &mut rng);
        events.image(name, 2, &image).unwrap();
        expected.push((name.into(), image.into()));
    }
    npz::write(expected, place.join("expected.npz")).unwrap();
    assert!(records(&fs::read(events.path()).unwrap()).len() > 30);
}
