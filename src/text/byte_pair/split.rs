//! The division of text into pieces within which bytes are merged.

use std::iter;

/// Endings that GPT-2 splits off.
const CONTRACTIONS: [&[u8]; 7] = [b"'s", b"'t", b"'re", b"'ve", b"'m", b"'ll", b"'d"];

/// What characters a run consists of.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    Letter,
    Number,
    Space,
    Other,
}

/// The pieces of a text as in GPT-2: runs of letters, of numbers, and of other characters, each with the space before it;
/// contractions; and whitespace.
///
/// This is the regular expression `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`, except that
/// characters of Unicode's property Alphabetic that are not letters, such as the vowel signs of Devanagari, count as letters and do
/// not divide words.
pub(super) fn pieces(mut text: &[u8]) -> impl Iterator<Item = &[u8]> {
    iter::from_fn(move || {
        let (piece, rest) = (!text.is_empty()).then(|| text.split_at(piece_length(text)))?;
        text = rest;
        Some(piece)
    })
}

/// The length of the first piece of a text that is not empty.
fn piece_length(text: &[u8]) -> usize {
    if let Some(contraction) = CONTRACTIONS.iter().find(|&contraction| text.starts_with(contraction)) {
        return contraction.len();
    }
    let skip = usize::from(text[0] == b' ');
    match first(&text[skip..]) {
        Some((class, _)) if class != Class::Space => skip + run(&text[skip..], class).0,
        _ => {
            let (length, last) = run(text, Class::Space);
            // The last space is part of the next piece, or else a piece of its own.
            if length < text.len() && last < length { length - last } else { length }
        }
    }
}

/// The length of the run of a class at the start of a text, and of the last character in it.
fn run(text: &[u8], class: Class) -> (usize, usize) {
    let (mut length, mut last) = (0, 0);
    while let Some((other, width)) = first(&text[length..])
        && other == class
    {
        (length, last) = (length + width, width);
    }
    (length, last)
}

/// The class and the length of the first character; a byte that is not part of one is a character of its own.
fn first(text: &[u8]) -> Option<(Class, usize)> {
    let start = &text[..text.len().min(4)];
    let character = start.utf8_chunks().next()?.valid().chars().next();
    let class = match character {
        Some(c) if c.is_numeric() => Class::Number,
        Some(c) if c.is_alphabetic() => Class::Letter,
        Some(c) if c.is_whitespace() => Class::Space,
        _ => Class::Other,
    };
    Some((class, character.map_or(1, char::len_utf8)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        pieces(text.as_bytes()).map(|piece| str::from_utf8(piece).unwrap()).collect()
    }

    #[test]
    fn text_is_divided_as_by_gpt_2() {
        assert_eq!(split("Hello world, it's 3pm."), ["Hello", " world", ",", " it", "'s", " 3", "pm", "."]);
        assert_eq!(split("we'll  go\n\n  home  "), ["we", "'ll", " ", " go", "\n\n ", " home", "  "]);
        assert_eq!(split("a\tb\n c"), ["a", "\t", "b", "\n", " c"]);
        assert_eq!(
            split(" 'tis '70s!?\u{3000}\u{3000}了"),
            [" '", "tis", " '", "70", "s", "!?", "\u{3000}", "\u{3000}", "了"]
        );
        assert_eq!(split(""), [""; 0]);
        let broken = Vec::from_iter(pieces(b"ab\xff\xfe\xe2\x82 c\xe2"));
        assert_eq!(broken, [&b"ab"[..], b"\xff\xfe\xe2\x82", b" c", b"\xe2"]);
    }
}
