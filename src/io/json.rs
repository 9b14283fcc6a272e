//! The subset of JSON in safetensors headers: an object of objects whose values are strings or lists of integers.

use hifijson::num::LexWrite as _;
use hifijson::str::LexAlloc as _;
use hifijson::token::Lex as _;
use hifijson::{Expect, SliceLexer};
use std::fmt::Write;

/// A value of an inner object.
#[derive(Debug, PartialEq)]
pub(super) enum Field {
    String(String),
    Numbers(Vec<u64>),
}

/// The entries of an object in order, duplicates included.
pub(super) type Object<V> = Vec<(String, V)>;

/// The message of a parse error.
#[derive(Debug)]
struct ParseError(String);

impl<E: Into<hifijson::Error>> From<E> for ParseError {
    fn from(error: E) -> Self {
        ParseError(error.into().to_string())
    }
}

/// Parses a header; `Err` is the offset and the reason.
pub(super) fn parse(bytes: &[u8]) -> Result<Object<Object<Field>>, (usize, String)> {
    let mut lexer = SliceLexer::new(bytes);
    let whole = lexer.exactly_one(SliceLexer::ws_peek, |_, lexer| object(lexer, |lexer| object(lexer, value)));
    whole.map_err(|ParseError(reason)| (bytes.len() - lexer.as_slice().len(), reason))
}

fn object<'a, V>(
    lexer: &mut SliceLexer<'a>,
    value: impl Fn(&mut SliceLexer<'a>) -> Result<V, ParseError>,
) -> Result<Object<V>, ParseError> {
    lexer.expect(SliceLexer::ws_peek, b'{').ok_or_else(|| ParseError("object expected".into()))?;
    let mut entries = Vec::new();
    lexer.seq(b'}', SliceLexer::ws_peek, |next, lexer| {
        lexer.expect(|_| Some(next), b'"').ok_or(Expect::String)?;
        let name = lexer.str_string()?.into_owned();
        lexer.expect(SliceLexer::ws_peek, b':').ok_or(Expect::Colon)?;
        entries.push((name, value(lexer)?));
        Ok::<_, ParseError>(())
    })?;
    Ok(entries)
}

fn value(lexer: &mut SliceLexer) -> Result<Field, ParseError> {
    match lexer.ws_peek() {
        Some(b'"') => Ok(Field::String(lexer.discarded().str_string()?.into_owned())),
        Some(b'[') => {
            let mut numbers = Vec::new();
            lexer.discarded().seq(b']', SliceLexer::ws_peek, |_, lexer| {
                let (number, _) = lexer.num_string().validated()?;
                numbers.push(number.parse::<u64>().map_err(|error| ParseError(format!("{number}: {error}")))?);
                Ok::<_, ParseError>(())
            })?;
            Ok(Field::Numbers(numbers))
        }
        _ => Err(ParseError("string or list of integers expected".into())),
    }
}

/// A JSON string literal.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\0'..' ' => write!(quoted, "\\u{:04x}", u32::from(c)).expect("writing to a string does not fail"),
            _ => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_survive_a_round_trip() {
        let all: String = ('\0'..'\u{100}').chain(['あ', '😀', '\u{2028}', '"', '\\']).collect();
        let text = format!("{{ {}: {{\"a\": {0}, \"a\": [ 1, 18446744073709551615 ]}}}} ", quoted(&all));
        let numbers = Field::Numbers(vec![1, u64::MAX]);
        let inside = vec![("a".into(), Field::String(all.clone())), ("a".into(), numbers)];
        assert_eq!(parse(text.as_bytes()), Ok(vec![(all, inside)]));
        assert_eq!(parse(br#"{"\u00e9\n": {}}"#), Ok(vec![("é\n".into(), vec![])]));
    }

    #[test]
    fn errors_have_the_offset_and_the_reason() {
        let error = |text: &str| parse(text.as_bytes()).map_err(|(at, why)| format!("{at}: {why}")).unwrap_err();
        assert_eq!(error(""), "0: value expected");
        assert_eq!(error("[]"), "0: object expected");
        assert_eq!(error("{} {}"), "3: end of file expected");
        assert_eq!(error(r#"{"a": 1}"#), "6: object expected");
        assert_eq!(error(r#"{"a": {"b": null}}"#), "12: string or list of integers expected");
        assert_eq!(error(r#"{"a": {"b": [1.5]}}"#), "16: 1.5: invalid digit found in string");
        assert_eq!(error(r#"{"a": {"b": [[1]]}}"#), "13: expected digit");
        assert!(error(&format!("{{\"a\": {{\"b\": {}", "[".repeat(1_000_000))).starts_with("13: "));
    }
}
