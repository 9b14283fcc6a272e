//! The JSON of safetensors: headers, which are objects of objects whose values are strings or lists of integers, and the
//! indices of models in several files.

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

/// The entries of the object `weight_map` of an index; `Err` is the offset and the reason.
pub(super) fn weight_map(bytes: &[u8]) -> Result<Object<String>, (usize, String)> {
    let mut lexer = SliceLexer::new(bytes);
    let parsed = lexer.exactly_one(SliceLexer::ws_peek, |_, lexer| {
        let members = named_members(lexer, |name, lexer| match name {
            "weight_map" => object(lexer, string).map(Some),
            // What else there is, such as the total size, is flat.
            _ => skip(lexer, 8).map(|()| None),
        })?;
        members.into_iter().find_map(|(_, map)| map).ok_or_else(|| ParseError("no weight_map".into()))
    });
    parsed.map_err(|ParseError(reason)| (bytes.len() - lexer.as_slice().len(), reason))
}

fn string(lexer: &mut SliceLexer) -> Result<String, ParseError> {
    lexer.expect(SliceLexer::ws_peek, b'"').ok_or(Expect::String)?;
    Ok(lexer.str_string()?.into_owned())
}

/// Skips a value of at most `depth` levels.
fn skip(lexer: &mut SliceLexer, depth: usize) -> Result<(), ParseError> {
    let deeper = || depth.checked_sub(1).ok_or_else(|| ParseError("fewer levels expected".into()));
    match lexer.ws_peek() {
        Some(b'{') => object(lexer, |lexer| skip(lexer, deeper()?)).map(|_| ()),
        Some(b'[') => lexer.discarded().seq(b']', SliceLexer::ws_peek, |_, lexer| skip(lexer, deeper()?)),
        Some(next) => Ok(hifijson::ignore::parse(next, lexer)?),
        None => Err(Expect::Value.into()),
    }
}

fn object<'a, V>(
    lexer: &mut SliceLexer<'a>,
    value: impl Fn(&mut SliceLexer<'a>) -> Result<V, ParseError>,
) -> Result<Object<V>, ParseError> {
    named_members(lexer, |_, lexer| value(lexer))
}

fn named_members<'a, V>(
    lexer: &mut SliceLexer<'a>,
    value: impl Fn(&str, &mut SliceLexer<'a>) -> Result<V, ParseError>,
) -> Result<Object<V>, ParseError> {
    lexer.expect(SliceLexer::ws_peek, b'{').ok_or_else(|| ParseError("object expected".into()))?;
    let mut entries = Vec::new();
    lexer.seq(b'}', SliceLexer::ws_peek, |next, lexer| {
        lexer.expect(|_| Some(next), b'"').ok_or(Expect::String)?;
        let name = lexer.str_string()?.into_owned();
        lexer.expect(SliceLexer::ws_peek, b':').ok_or(Expect::Colon)?;
        let value = value(&name, lexer)?;
        entries.push((name, value));
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
pub(crate) fn quoted(text: &str) -> String {
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
    fn an_index_is_read_past_what_else_it_has() {
        let map = |text: &str| weight_map(text.as_bytes());
        let text = r#"{"metadata": {"total_size": 1e3, "x": [1, null, {"a": "b"}]}, "weight_map": {"a.b": "c"}}"#;
        assert_eq!(map(text), Ok(vec![("a.b".into(), "c".into())]));
        assert_eq!(map("{}").unwrap_err().1, "no weight_map");
        assert_eq!(map(r#"{"weight_map": {"a": 1}}"#).unwrap_err().1, "string expected");
        assert_eq!(map(&format!(r#"{{"a": {}"#, "[".repeat(1_000_000))).unwrap_err().1, "fewer levels expected");
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
