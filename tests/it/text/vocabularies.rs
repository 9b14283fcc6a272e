//! Vocabularies of characters and of words, and their files.

use crate::support::draw::Draw;
use crate::support::files::{directory, message};
use crate::support::panics::{Panic, messages};
use std::fs;
use std::path::PathBuf;
use wengert::Error;
use wengert::prelude::*;
use wengert::text::{Characters, Words};

pub const PANICS: &[Panic] = &[
    ("token_out_of_range", || _ = Characters::new("ab").decode(&[0, 1, 2])),
    ("token_out_of_range", || _ = Words::new("a b", 1).decode(&[3])),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

/// A text of random characters from all planes, with line breaks of every kind.
fn random_text(draw: &mut Draw) -> String {
    let count = draw.size(0, 200);
    let special = ['\n', '\r', '\t', ' ', '\u{feff}', '\0', '"', '\u{85}', '\u{2028}'];
    let character = |_| match draw.size(0, 3) {
        0 => special[draw.size(0, special.len() - 1)],
        1 => char::from(draw.size(32, 126) as u8),
        _ => char::from_u32(draw.size(0, 0x10ffff) as u32).unwrap_or('\u{fffd}'),
    };
    (0..count).map(character).collect()
}

#[test]
fn characters_survive_encoding_and_saving() {
    let path = directory();
    let path = path.path().join("characters");
    for seed in 0..50 {
        let text = random_text(&mut Draw::new(seed));
        let vocabulary = Characters::new(&text);
        let tokens = vocabulary.encode(&text).unwrap();
        assert_eq!(vocabulary.decode(&tokens), text, "draw {seed}");
        assert!(vocabulary.characters().is_sorted() && vocabulary.is_empty() == text.is_empty());
        vocabulary.save(&path).unwrap();
        assert_eq!(Characters::load(&path).unwrap(), vocabulary, "draw {seed}");
    }
}

#[test]
fn an_unknown_character_is_named_with_its_position() {
    let error = Characters::new("日本語").encode("日本の").unwrap_err();
    assert!(matches!(error, Error::UnknownCharacter { character: 'の', position: 2, count: 3 }));
    assert_eq!(error.to_string(), "text: 'の' at character 2 is not one of the 3 characters of the vocabulary");
}

#[test]
fn words_are_ordered_by_frequency_and_then_by_the_alphabet() {
    let text = "b a\tc\n\nc <unk> b\u{3000}rare once d d d";
    let vocabulary = Words::new(text, 2);
    assert_eq!(vocabulary.words(), ["<unk>", "d", "b", "c"]);
    assert_eq!(vocabulary.counts(), [4, 3, 2, 2]);
    assert_eq!(vocabulary.counts().iter().sum::<u64>(), text.split_whitespace().count() as u64);
    assert_eq!(vocabulary.encode("c a <unk> d").unwrap(), [3, 0, 0, 1]);
    assert_eq!((vocabulary.token("b"), vocabulary.token("a")), (Some(2), None));
    assert_eq!(Words::new("", 1).words(), ["<unk>"]);
    assert_eq!(Words::new("a a b", 0), Words::new("a a b", 1));
}

#[test]
fn words_survive_saving() {
    let path = directory();
    let path = path.path().join("words");
    for seed in 0..50 {
        let text = random_text(&mut Draw::new(seed));
        let vocabulary = Words::new(&text, 1);
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(vocabulary.decode(&vocabulary.encode(&text).unwrap()), words, "draw {seed}");
        vocabulary.save(&path).unwrap();
        assert_eq!(Words::load(&path).unwrap(), vocabulary, "draw {seed}");
    }
}

/// The error messages for files with the given contents.
fn faults<X>(load: fn(PathBuf) -> Result<X, Error>, contents: &[&[u8]]) -> String {
    let directory = directory();
    let path = directory.path().join("vocabulary");
    let fault = |content: &&[u8]| {
        fs::write(&path, content).unwrap();
        format!("{}\n    {}\n", content.escape_ascii(), message(load(path.clone())))
    };
    contents.iter().map(fault).collect()
}

#[test]
fn faults_of_files_say_where() {
    let characters: &[&[u8]] = &[
        b"",
        b"words 2\n<unk> 0\na 1\n",
        b"characters\nab",
        b"characters 3\nab",
        b"characters 2\nba",
        b"characters 2\naa",
        b"characters 2\na\xff",
    ];
    let words: &[&[u8]] = &[
        b"characters 2\nab",
        b"words 2",
        b"words 2\n<unk> 0\na 1",
        b"words 2\n<unk> 0\n",
        b"words 2\na 1\n<unk> 0\n",
        b"words 3\n<unk> 0\na 1\na 1\n",
        b"words 2\n<unk> 0\na\n",
        b"words 2\n<unk> 0\na b 1\n",
        b"words 2\n<unk> 0\n\n",
        b"words 2\n<unk> 0\na -1\n",
    ];
    insta::assert_snapshot!(faults(Characters::load, characters) + &faults(Words::load, words));
}
