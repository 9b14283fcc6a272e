//! Byte-pair encoding.

use crate::support::draw::Draw;
use crate::support::files::{directory, message};
use crate::support::panics::{Panic, messages};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use wengert::prelude::*;
use wengert::text::BytePair;

pub const PANICS: &[Panic] = &[
    ("option", || _ = BytePair::train("text", 255)),
    ("token_out_of_range", || _ = BytePair::train("", 256).decode(&[256])),
    ("token_out_of_range", || _ = BytePair::train("", 256).decode_bytes(&[0, 300])),
    ("token_out_of_range", || _ = BytePair::train("", 256).bytes(256)),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

fn merges(tokenizer: &BytePair) -> Vec<String> {
    (256..tokenizer.len()).map(|token| String::from_utf8(tokenizer.bytes(token).to_vec()).unwrap()).collect()
}

#[test]
fn merges_of_a_small_text() {
    // The example of Sennrich et al. 2016, with spaces before words instead of marks after them.
    let text = [" low"; 5].concat() + &[" lower"; 2].concat() + &[" newest"; 6].concat() + &[" widest"; 3].concat();
    let tokenizer = BytePair::train(&text, 1000);
    assert_eq!(merges(&tokenizer)[..10], ["es", "est", "lo", " lo", " low", "ew", "new", " new", " newest", "dest"]);
    assert_eq!(tokenizer.encode(" newest").unwrap().len(), 1);
    assert_eq!(tokenizer.len(), 256 + merges(&tokenizer).len());
    // Pairs that occur once are not merged.
    assert_eq!(BytePair::train("abcdefg", 1000).len(), 256);
}

#[test]
fn pairs_that_overlap_are_merged_from_the_left() {
    let tokenizer = BytePair::train("aaaaa", 1000);
    assert_eq!(merges(&tokenizer), ["aa"]);
    let lengths = |text: &str| -> Vec<usize> {
        tokenizer.encode(text).unwrap().iter().map(|&token| tokenizer.bytes(token).len()).collect()
    };
    assert_eq!(lengths("aaaaa"), [2, 2, 1]);
}

/// A word over few letters, so that pairs overlap in many ways, with the space before it.
fn word(draw: &mut Draw, letters: usize) -> Vec<u8> {
    let count = draw.size(1, 30);
    [b' '].into_iter().chain((0..count).map(|_| b'a' + draw.size(0, letters - 1) as u8)).collect()
}

/// A word as a list of symbols.
type Symbols = Vec<Vec<u8>>;

fn bytes_of(words: &[Vec<u8>]) -> Vec<Symbols> {
    words.iter().map(|word| word.iter().map(|&byte| vec![byte]).collect()).collect()
}

/// Merges all occurrences of a pair, from the left.
fn merge_all(word: &Symbols, pair: &[Vec<u8>; 2]) -> Symbols {
    let (mut merged, mut rest) = (Vec::new(), &word[..]);
    while let Some(first) = rest.first() {
        let joins = rest.starts_with(pair);
        merged.push(if joins { pair.concat() } else { first.clone() });
        rest = &rest[if joins { 2 } else { 1 }..];
    }
    merged
}

#[test]
fn training_and_encoding_are_those_of_the_definition() {
    for seed in 0..100 {
        let mut draw = Draw::new(seed);
        let (count, letters) = (draw.size(0, 20), draw.size(1, 4));
        let text = Vec::from_iter((0..count).map(|_| word(&mut draw, letters)));
        let other = Vec::from_iter((0..20).map(|_| word(&mut draw, letters)));
        let tokenizer = BytePair::train(text.concat(), 256 + draw.size(0, 60));
        let mut tokens: BTreeMap<Vec<u8>, usize> =
            (0..256).map(|token| (tokenizer.bytes(token).into(), token)).collect();
        let [mut text, mut other] = [&text, &other].map(|words| bytes_of(words));
        for token in 256..tokenizer.len() {
            let mut counts: BTreeMap<[Vec<u8>; 2], usize> = BTreeMap::new();
            for pair in text.iter().flat_map(|word| word.windows(2)) {
                *counts.entry([pair[0].clone(), pair[1].clone()]).or_default() += 1;
            }
            let most = counts.values().copied().max().unwrap_or(0);
            let tied = counts.keys().filter(|pair| counts[*pair] == most);
            let pair = tied.min_by_key(|[left, right]| (tokens[left], tokens[right])).unwrap();
            assert!(most >= 2 && tokenizer.bytes(token) == pair.concat(), "draw {seed}, token {token}");
            let repeated = tokens.insert(pair.concat(), token);
            assert_eq!(repeated, None, "draw {seed}: a sequence of bytes results from one merge only");
            text.iter_mut().chain(&mut other).for_each(|word| *word = merge_all(word, pair));
        }
        for words in [text, other] {
            let symbols = words.concat();
            let expected = Vec::from_iter(symbols.iter().map(|symbol| tokens[symbol]));
            assert_eq!(tokenizer.encode_bytes(&symbols.concat()), expected, "draw {seed}");
        }
    }
}

#[test]
fn every_sequence_of_bytes_survives_encoding_and_saving() {
    let directory = directory();
    let path = directory.path().join("merges.txt");
    for seed in 0..100 {
        let mut draw = Draw::new(seed);
        let (count, high) = (draw.size(0, 300), draw.size(0, 255));
        let mut bytes = |count: usize| Vec::from_iter((0..count).map(|_| draw.size(0, high) as u8));
        let (text, other) = (bytes(count), bytes(count));
        let tokenizer = BytePair::train(&text, 320);
        for text in [&text, &other] {
            assert_eq!(&tokenizer.decode_bytes(&tokenizer.encode_bytes(text)), text, "draw {seed}");
        }
        tokenizer.save(&path).unwrap();
        assert_eq!(BytePair::load(&path).unwrap(), tokenizer, "draw {seed}");
    }
}

#[test]
fn the_bytes_are_numbered_as_in_gpt_2() {
    let tokenizer = BytePair::train("", 256);
    let distinct: BTreeSet<&[u8]> = (0..256).map(|token| tokenizer.bytes(token)).collect();
    assert_eq!(distinct.len(), 256);
    assert_eq!(tokenizer.encode("!~ \n").unwrap(), [0, 93, 220, 198]);
    assert_eq!(tokenizer.encode_bytes(&[0xa1, 0xff, 0, 0xad]), [94, 187, 188, 255]);
    assert_eq!(tokenizer.decode(&[94, 0]), "\u{fffd}!");
}

#[test]
fn merges_of_gpt_2_result_in_its_tokens() {
    let directory = directory();
    let path = directory.path().join("merges.txt");
    // The first seven.
    fs::write(&path, "#version: 0.2\nĠ t\nĠ a\nh e\ni n\nr e\no n\nĠt he\n").unwrap();
    let tokenizer = BytePair::load(&path).unwrap();
    assert_eq!(tokenizer.encode("the there in an\n").unwrap(), [83, 258, 262, 260, 220, 259, 257, 77, 198]);
}

#[test]
fn a_long_run_of_one_letter_takes_no_longer_than_other_text() {
    let text = "a".repeat(1 << 18);
    let tokenizer = BytePair::train(&text, 256 + 17);
    assert_eq!(tokenizer.bytes(272).len(), 1 << 17);
    assert_eq!(tokenizer.encode(&text).unwrap(), [272, 272]);
}

#[test]
fn faults_of_files_say_where() {
    let directory = directory();
    let path = directory.path().join("merges.txt");
    let fault = |content: &str| {
        fs::write(&path, content).unwrap();
        format!("{content:?}\n    {}\n", message(BytePair::load(&path)))
    };
    let contents = [
        "",
        "a b\n",
        "#version: 0.2\na\n",
        "#version: 0.2\na b c\n",
        "#version: 0.2\na b\nab d\nb ab\nabd xy\n",
        "#version: 0.2\na b\nb c\nab c\na bc\n",
        "#version: 0.2\na b\na b\n",
        "#version: 0.2\na b\nab c",
        "#version: 0.2 - 2 merges\na b\n",
        "#version: 0.2 - 2 merges\na b\nb",
        "#version: 0.2\na \u{2028}\n",
    ];
    insta::assert_snapshot!(contents.map(fault).concat());
    fs::write(&path, "#version: 0.2 - Trained by other programs\na b\n").unwrap();
    assert_eq!(BytePair::load(&path).unwrap().encode("ab").unwrap(), [256]);
}
