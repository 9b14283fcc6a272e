//! Parses the item that the macro is applied to.

use crate::Error;
use proc_macro::{Delimiter, Ident, Span, TokenStream, TokenTree};
use std::iter::Peekable;

/// A struct or an enum.
pub struct Item {
    pub name: Ident,
    pub parameters: Vec<Parameter>,
    /// The predicates of the `where` clause.
    pub predicates: TokenStream,
    pub body: Body,
    /// The type given by `#[module(…)]`.
    pub precision: Option<TokenStream>,
}

/// A generic parameter.
pub struct Parameter {
    pub name: Ident,
    /// The declaration without a default.
    pub declaration: TokenStream,
    pub is_const: bool,
}

pub enum Body {
    Struct(Fields),
    Enum(Vec<(Ident, Fields)>),
}

/// The fields of a struct or a variant, including skipped ones.
pub struct Fields {
    pub fields: Vec<Field>,
    pub named: bool,
}

pub struct Field {
    /// `None` in a tuple struct or tuple variant.
    pub name: Option<Ident>,
    pub ty: TokenStream,
    pub skip: bool,
}

type Tokens = Peekable<proc_macro::token_stream::IntoIter>;

pub fn item(input: TokenStream) -> Result<Item, Error> {
    let mut tokens = input.into_iter().peekable();
    let precision = precision(&mut tokens)?;
    skip_visibility(&mut tokens);
    let keyword = ident(&mut tokens)?;
    let name = ident(&mut tokens)?;
    let parameters = parameters(&mut tokens)?;
    let mut predicates = predicates(&mut tokens);
    let body = match (keyword.to_string().as_str(), tokens.next()) {
        ("struct", Some(TokenTree::Group(group))) => {
            let fields = Body::Struct(fields(&group)?);
            // The `where` clause of a tuple struct comes after the fields.
            if group.delimiter() == Delimiter::Parenthesis {
                predicates = self::predicates(&mut tokens);
            }
            fields
        }
        ("struct", _) => Body::Struct(Fields { fields: Vec::new(), named: true }),
        ("enum", Some(TokenTree::Group(group))) => Body::Enum(variants(group.stream())?),
        _ => return Err(Error::new(keyword.span(), "Module can be derived for structs and enums")),
    };
    Ok(Item { name, parameters, predicates, body, precision })
}

/// The type in `#[module(…)]` on the item.
fn precision(tokens: &mut Tokens) -> Result<Option<TokenStream>, Error> {
    let options = attributes(tokens);
    match options.into_iter().next() {
        Some((span, options)) if options.to_string() == "skip" || options.is_empty() => {
            Err(Error::new(span, "#[module(…)] on an item names its precision, such as #[module(f64)]"))
        }
        options => Ok(options.map(|(_, options)| options)),
    }
}

/// Skips attributes; returns the arguments of each `#[module(…)]`.
fn attributes(tokens: &mut Tokens) -> Vec<(Span, TokenStream)> {
    let mut options = Vec::new();
    while punct(tokens, '#') {
        let Some(TokenTree::Group(group)) = tokens.next() else { break };
        let mut inside = group.stream().into_iter();
        let is_module = matches!(inside.next(), Some(TokenTree::Ident(name)) if name.to_string() == "module");
        if is_module {
            let arguments = match inside.next() {
                Some(TokenTree::Group(arguments)) => arguments.stream(),
                _ => TokenStream::new(),
            };
            options.push((group.span(), arguments));
        }
    }
    options
}

fn skip_visibility(tokens: &mut Tokens) {
    // A `$vis` forwarded by a macro is a group, which may be empty.
    let forwarded = |token: &TokenTree| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            group.stream().into_iter().next().is_none_or(|first| first.to_string() == "pub")
        }
        _ => false,
    };
    tokens.next_if(forwarded);
    if tokens.next_if(|token| matches!(token, TokenTree::Ident(name) if name.to_string() == "pub")).is_some() {
        // In `pub (A, B)` the parentheses belong to the type.
        let restricts = |token: &TokenTree| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
                let first = group.stream().into_iter().next().map(|first| first.to_string());
                first.is_some_and(|first| ["crate", "self", "super", "in"].contains(&first.as_str()))
            }
            _ => false,
        };
        tokens.next_if(restricts);
    }
}

fn ident(tokens: &mut Tokens) -> Result<Ident, Error> {
    match tokens.next() {
        Some(TokenTree::Ident(ident)) => Ok(ident),
        Some(other) => Err(Error::new(other.span(), "expected a name")),
        None => Err(Error::new(Span::call_site(), "expected a name")),
    }
}

/// Consumes a punctuation mark if it is next; returns whether it was.
fn punct(tokens: &mut Tokens, mark: char) -> bool {
    tokens.next_if(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)).is_some()
}

/// Consumes the tokens up to one of the given marks outside angle brackets, or up to the end.
fn until(tokens: &mut Tokens, marks: &[char]) -> TokenStream {
    let (mut taken, mut depth, mut after_minus) = (Vec::new(), 0, false);
    while let Some(token) = tokens.peek() {
        let mark = match token {
            // The `>` of an arrow is not a bracket.
            TokenTree::Punct(punct) if !(after_minus && punct.as_char() == '>') => punct.as_char(),
            _ => ' ',
        };
        match mark {
            _ if depth == 0 && marks.contains(&mark) => break,
            '<' => depth += 1,
            '>' => depth -= 1,
            _ => {}
        }
        after_minus = mark == '-';
        taken.extend(tokens.next());
    }
    taken.into_iter().collect()
}

/// The generic parameters, if there are any.
fn parameters(tokens: &mut Tokens) -> Result<Vec<Parameter>, Error> {
    let mut parameters = Vec::new();
    if !punct(tokens, '<') {
        return Ok(parameters);
    }
    while !punct(tokens, '>') {
        attributes(tokens);
        if let Some(TokenTree::Punct(mark)) = tokens.peek()
            && mark.as_char() == '\''
        {
            return Err(Error::new(
                mark.span(),
                "Module cannot be derived for a type with a lifetime: a module owns its parameters, which an optimizer changes",
            ));
        }
        let declaration: Vec<TokenTree> = until(tokens, &['=', ',', '>']).into_iter().collect();
        if punct(tokens, '=') {
            until(tokens, &[',', '>']);
        }
        punct(tokens, ',');
        let is_const = matches!(&declaration[..], [TokenTree::Ident(word), ..] if word.to_string() == "const");
        let Some(TokenTree::Ident(name)) = declaration.get(usize::from(is_const)).cloned() else {
            return Err(Error::new(Span::call_site(), "expected a generic parameter"));
        };
        parameters.push(Parameter { name, declaration: declaration.into_iter().collect(), is_const });
    }
    Ok(parameters)
}

/// The predicates of the `where` clause, if there is one.
fn predicates(tokens: &mut Tokens) -> TokenStream {
    if tokens.next_if(|token| matches!(token, TokenTree::Ident(name) if name.to_string() == "where")).is_none() {
        return TokenStream::new();
    }
    let mut predicates = Vec::new();
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    };
    while let Some(token) = tokens.next_if(|token| !ends(token)) {
        predicates.push(token);
    }
    predicates.into_iter().collect()
}

fn fields(group: &proc_macro::Group) -> Result<Fields, Error> {
    let named = group.delimiter() == Delimiter::Brace;
    let mut tokens = group.stream().into_iter().peekable();
    let mut fields = Vec::new();
    while tokens.peek().is_some() {
        let mut skip = false;
        for (span, options) in attributes(&mut tokens) {
            if options.to_string() != "skip" {
                return Err(Error::new(span, "the one option of a field is #[module(skip)]"));
            }
            skip = true;
        }
        skip_visibility(&mut tokens);
        let name = if named { Some(ident(&mut tokens)?) } else { None };
        if named {
            punct(&mut tokens, ':');
        }
        let ty = until(&mut tokens, &[',']);
        punct(&mut tokens, ',');
        fields.push(Field { name, ty, skip });
    }
    Ok(Fields { fields, named })
}

fn variants(stream: TokenStream) -> Result<Vec<(Ident, Fields)>, Error> {
    let mut tokens = stream.into_iter().peekable();
    let mut variants = Vec::new();
    while tokens.peek().is_some() {
        attributes(&mut tokens);
        let name = ident(&mut tokens)?;
        let fields = match tokens.peek() {
            Some(TokenTree::Group(group)) => fields(group)?,
            _ => Fields { fields: Vec::new(), named: true },
        };
        // The rest is a discriminant.
        until(&mut tokens, &[',']);
        punct(&mut tokens, ',');
        variants.push((name, fields));
    }
    Ok(variants)
}
