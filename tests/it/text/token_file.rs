//! Files of tokens.

use crate::support::allocator::most_bytes;
use crate::support::files::{directory, message, names};
use crate::support::panics::{Panic, messages, panic_of};
use std::fs::{self, OpenOptions};
use wengert::text::{TokenFile, Windows, write_tokens};

pub const PANICS: &[Panic] = &[
    ("token_out_of_range", || _ = write_tokens(directory().path().join("tokens"), 3, [0, 2, 3])),
    ("option", || _ = write_tokens(directory().path().join("tokens"), 1 << 33, [0; 0])),
    ("option", || _ = TokenFile::open_raw("tokens", 1 << 33)),
    ("token_range", || {
        let directory = directory();
        let path = directory.path().join("tokens");
        write_tokens(&path, 3, [0, 1, 2]).unwrap();
        _ = TokenFile::open(&path).unwrap().read(1, 3);
    }),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn tokens_survive_a_round_trip() {
    let directory = directory();
    let path = directory.path().join("tokens");
    for (vocabulary, width) in [(1, 2), (65_536, 2), (65_537, 4), (1 << 32, 4)] {
        let tokens = Vec::from_iter((0..1000).map(|k| k * 1_000_003 % vocabulary).chain([vocabulary - 1]));
        write_tokens(&path, vocabulary, &tokens).unwrap();
        let file = TokenFile::open(&path).unwrap();
        assert_eq!((file.len(), file.vocabulary(), file.is_empty()), (1001, vocabulary, false));
        assert_eq!(file.read(0, 1001).unwrap(), tokens);
        assert_eq!(file.read(998, 3).unwrap(), tokens[998..]);
        assert_eq!(fs::metadata(&path).unwrap().len(), 24 + 1001 * width);
        fs::write(&path, &fs::read(&path).unwrap()[24..]).unwrap();
        assert_eq!(TokenFile::open_raw(&path, vocabulary).unwrap().read(0, 1001).unwrap(), tokens);
    }
    write_tokens(&path, 7, [0usize; 0]).unwrap();
    assert!(TokenFile::open(&path).unwrap().is_empty());
}

#[test]
fn windows_of_a_file_are_those_of_its_tokens() {
    let directory = directory();
    let path = directory.path().join("tokens");
    let tokens = Vec::from_iter((0..1000).map(|k| k * k % 701));
    write_tokens(&path, 701, &tokens).unwrap();
    let (file, memory) = (Windows::new(TokenFile::open(&path).unwrap(), 9), Windows::new(&tokens, 9));
    let [a, b] = [0; 2].map(wengert::rng);
    for (mut a, mut b) in [(a, b)] {
        for _ in 0..20 {
            assert_eq!(file.sample(6, &mut a).unwrap(), memory.sample(6, &mut b));
        }
    }
    let read = Vec::from_iter(file.streams(7).map(Result::unwrap));
    assert_eq!(read, Vec::from_iter(memory.streams(7)));
}

#[test]
fn a_token_outside_the_vocabulary_leaves_the_old_file() {
    let directory = directory();
    let path = directory.path().join("tokens");
    write_tokens(&path, 10, [1, 2, 3]).unwrap();
    assert!(panic_of(|| _ = write_tokens(&path, 10, [1, 10])).is_some());
    assert_eq!(TokenFile::open(&path).unwrap().read(0, 3).unwrap(), [1, 2, 3]);
    assert_eq!(names(directory.path()), ["tokens"]);
}

#[test]
fn faults_of_files_say_where() {
    let directory = directory();
    let path = directory.path().join("tokens");
    write_tokens(&path, 300, [7, 256, 299]).unwrap();
    let good = fs::read(&path).unwrap();
    let with = |position: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[position] = byte;
        bytes
    };
    let open = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        message(TokenFile::open(&path).and_then(|file| file.read(0, 3)))
    };
    let cases = [
        (vec![], "magic number at byte 0: expected 8 bytes, found the end of the file after 0"),
        (with(0, b'x'), r"magic number at byte 0: expected \x89TOKENS\n, found xTOKENS\n"),
        (good[..15].to_vec(), "size of the vocabulary at byte 8: expected 8 bytes, found the end of the file after 7"),
        (with(15, 1), "size of the vocabulary at byte 8: expected at most 4294967296, found 72057594037928236"),
        (good[..16].to_vec(), "number of tokens at byte 16: expected 8 bytes, found the end of the file after 0"),
        (good[..29].to_vec(), "tokens at byte 24: expected 3 tokens of 2 bytes, found 5 bytes"),
        ([&good[..], b"xy"].concat(), "tokens at byte 24: expected 3 tokens of 2 bytes, found 8 bytes"),
        (with(23, 255), "tokens at byte 24: expected 18374686479671623683 tokens of 2 bytes, found 6 bytes"),
        (with(27, 2), "token at byte 26: expected less than 300, found 512"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(open(&bytes), expected);
    }
    for length in 0..good.len() {
        open(&good[..length]);
    }
    fs::write(&path, [1, 0, 2]).unwrap();
    let odd = message(TokenFile::open_raw(&path, 300));
    assert_eq!(odd, "end of the tokens at byte 3: expected a multiple of 2 bytes, found 3");
    assert_eq!(message(TokenFile::open(directory.path())), "not a regular file");
}

#[test]
fn a_file_that_becomes_shorter_is_an_error() {
    let directory = directory();
    let path = directory.path().join("tokens");
    write_tokens(&path, 100, 0..100).unwrap();
    let windows = Windows::new(TokenFile::open(&path).unwrap(), 10);
    OpenOptions::new().write(true).open(&path).unwrap().set_len(60).unwrap();
    let outcomes = Vec::from_iter(windows.streams(1).map(|batch| batch.map(|batch| batch.targets[0])));
    assert_eq!(outcomes.iter().map(|outcome| outcome.as_ref().ok().copied()).collect::<Vec<_>>()[..2], [Some(1), None]);
    let error = outcomes.into_iter().nth(1).unwrap();
    assert_eq!(message(error), "tokens at byte 44: expected 22 bytes, found the end of the file");
}

#[test]
fn memory_does_not_grow_with_the_file() {
    let directory = directory();
    let path = directory.path().join("tokens");
    let (_, written) = most_bytes(|| write_tokens(&path, 1000, (0..1_000_000).map(|k| k % 1000)).unwrap());
    let (_, read) = most_bytes(|| {
        let windows = Windows::new(TokenFile::open(&path).unwrap(), 64);
        windows.streams(4).for_each(|batch| _ = batch.unwrap());
    });
    assert!(written < 200_000 && read < 200_000, "{written} and {read} bytes");
}
