//! The little of JSON that the header of a safetensors file has: an object of objects of texts and lists of numbers.

use hifijson::num::LexWrite as _;
use hifijson::str::LexAlloc as _;
use hifijson::token::Lex as _;
use hifijson::{Expect, SliceLexer};
use std::fmt::Write;

/// What an entry is.
#[derive(Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Numbers(Vec<u64>),
}

/// The entries of an object in their order; names that occur twice are there twice.
pub(super) type Object<V> = Vec<(String, V)>;

/// What is wrong.
#[derive(Debug)]
struct Fault(String);

impl<E: Into<hifijson::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Fault(error.into().to_string())
    }
}

/// The entries of a text, or where it is not of this form and why.
pub(super) fn parse(bytes: &[u8]) -> Result<Object<Object<Value>>, (usize, String)> {
    let mut lexer = SliceLexer::new(bytes);
    let whole = lexer.exactly_one(SliceLexer::ws_peek, |_, lexer| object(lexer, |lexer| object(lexer, value)));
    whole.map_err(|Fault(reason)| (bytes.len() - lexer.as_slice().len(), reason))
}

fn object<'a, V>(
    lexer: &mut SliceLexer<'a>,
    value: impl Fn(&mut SliceLexer<'a>) -> Result<V, Fault>,
) -> Result<Object<V>, Fault> {
    lexer.expect(SliceLexer::ws_peek, b'{').ok_or_else(|| Fault("object expected".into()))?;
    let mut entries = Vec::new();
    lexer.seq(b'}', SliceLexer::ws_peek, |next, lexer| {
        lexer.expect(|_| Some(next), b'"').ok_or(Expect::String)?;
        let name = lexer.str_string()?.into_owned();
        lexer.expect(SliceLexer::ws_peek, b':').ok_or(Expect::Colon)?;
        entries.push((name, value(lexer)?));
        Ok::<_, Fault>(())
    })?;
    Ok(entries)
}

fn value(lexer: &mut SliceLexer) -> Result<Value, Fault> {
    match lexer.ws_peek() {
        Some(b'"') => Ok(Value::Text(lexer.discarded().str_string()?.into_owned())),
        Some(b'[') => {
            let mut numbers = Vec::new();
            lexer.discarded().seq(b']', SliceLexer::ws_peek, |_, lexer| {
                let (number, _) = lexer.num_string().validated()?;
                numbers.push(number.parse::<u64>().map_err(|error| Fault(format!("{number}: {error}")))?);
                Ok::<_, Fault>(())
            })?;
            Ok(Value::Numbers(numbers))
        }
        _ => Err(Fault("text or list of whole numbers expected".into())),
    }
}

/// A text as it stands in JSON.
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
    fn names_come_back_as_they_were() {
        let all: String = ('\0'..'\u{100}').chain(['あ', '😀', '\u{2028}', '"', '\\']).collect();
        let text = format!("{{ {}: {{\"a\": {0}, \"a\": [ 1, 18446744073709551615 ]}}}} ", quoted(&all));
        let numbers = Value::Numbers(vec![1, u64::MAX]);
        let inside = vec![("a".into(), Value::Text(all.clone())), ("a".into(), numbers)];
        assert_eq!(parse(text.as_bytes()), Ok(vec![(all, inside)]));
        assert_eq!(parse(br#"{"\u00e9\n": {}}"#), Ok(vec![("é\n".into(), vec![])]));
    }

    #[test]
    fn what_is_not_of_this_form_is_named_with_its_place() {
        let fault = |text: &str| parse(text.as_bytes()).map_err(|(at, why)| format!("{at}: {why}")).unwrap_err();
        assert_eq!(fault(""), "0: value expected");
        assert_eq!(fault("[]"), "0: object expected");
        assert_eq!(fault("{} {}"), "3: end of file expected");
        assert_eq!(fault(r#"{"a": 1}"#), "6: object expected");
        assert_eq!(fault(r#"{"a": {"b": null}}"#), "12: text or list of whole numbers expected");
        assert_eq!(fault(r#"{"a": {"b": [1.5]}}"#), "16: 1.5: invalid digit found in string");
        assert_eq!(fault(r#"{"a": {"b": [[1]]}}"#), "13: expected digit");
        assert!(fault(&format!("{{\"a\": {{\"b\": {}", "[".repeat(1_000_000))).starts_with("13: "));
    }
}
