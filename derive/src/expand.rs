//! Generates the implementation of `Module`.

use crate::parse::{Body, Field, Fields, Item};
use crate::with_span;
use proc_macro::{Span, TokenStream, TokenTree};

/// Instantiates a code template: replaces `$0`, `$1` and so on by tokens of the item, which keep their spans.
fn code(template: &str, parts: &[&TokenStream]) -> TokenStream {
    let tokens: TokenStream = template.replace('$', "__PART").parse().expect("the templates are Rust");
    fill(tokens, parts)
}

fn fill(tokens: TokenStream, parts: &[&TokenStream]) -> TokenStream {
    tokens
        .into_iter()
        .flat_map(|token| match &token {
            TokenTree::Ident(name) => match name.to_string().strip_prefix("__PART") {
                Some(number) => parts[number.parse::<usize>().expect("a part has a number")].clone(),
                None => token.into(),
            },
            TokenTree::Group(group) => {
                let mut filled = proc_macro::Group::new(group.delimiter(), fill(group.stream(), parts));
                filled.set_span(group.span());
                TokenTree::Group(filled).into()
            }
            _ => TokenStream::from(token),
        })
        .collect()
}

/// `impl Module<T> for Item { … }`.
pub fn implementation(item: &Item) -> TokenStream {
    let precision = Precision::of(item);
    let mut generics = TokenStream::new();
    if let Precision::Every = precision {
        generics.extend(code("__T: ::wengert::Float,", &[]));
    }
    let mut arguments = TokenStream::new();
    let mut predicates = item.predicates.clone();
    let ends_with_comma = predicates.clone().into_iter().last().is_none_or(|last| last.to_string() == ",");
    if !ends_with_comma {
        predicates.extend(code(",", &[]));
    }
    let t = precision.tokens();
    for parameter in &item.parameters {
        let name = TokenStream::from(TokenTree::Ident(parameter.name.clone()));
        generics.extend(code("$0,", &[&parameter.declaration]));
        arguments.extend(code("$0,", &[&name]));
        let is_precision = matches!(&precision, Precision::Type(t) if t.to_string() == name.to_string());
        let holds_module = item.modules().any(|field| mentions(&field.ty, &name.to_string()));
        if !parameter.is_const && !is_precision && holds_module {
            predicates.extend(code("$0: ::wengert::nn::Module<$1>,", &[&name, &t]));
        }
    }
    let name = TokenStream::from(TokenTree::Ident(item.name.clone()));
    let (kind, visit, visit_mut) = (item.kind(&t), item.visits("visit", &t), item.visits("visit_mut", &t));
    code(
        "#[automatically_derived]
        impl<$0> ::wengert::nn::Module<$1> for $2<$3> where $4 {
            fn kind(&self) -> &'static str {
                match self { $5 }
            }
            fn visit<'module>(
                &'module self,
                path: &mut ::wengert::nn::Path,
                f: &mut dyn ::core::ops::FnMut(&::wengert::nn::Path, &'module ::wengert::nn::Param<$1>),
            ) {
                match self { $6 }
            }
            fn visit_mut<'module>(
                &'module mut self,
                path: &mut ::wengert::nn::Path,
                f: &mut dyn ::core::ops::FnMut(&::wengert::nn::Path, &'module mut ::wengert::nn::Param<$1>),
            ) {
                match self { $7 }
            }
        }",
        &[&generics, &t, &name, &arguments, &predicates, &kind, &visit, &visit_mut],
    )
}

/// The element type of the module's parameters.
enum Precision {
    Type(TokenStream),
    /// Any element type, that of the modules the item is generic over.
    Every,
}

impl Precision {
    fn of(item: &Item) -> Self {
        if let Some(precision) = &item.precision {
            return Precision::Type(precision.clone());
        }
        let types = || item.parameters.iter().filter(|parameter| !parameter.is_const);
        let is_float = |name: &str| {
            let declared = types().find(|parameter| parameter.name.to_string() == name);
            declared.is_some_and(|parameter| mentions(&parameter.declaration, "Float"))
                || bounds(&item.predicates, name).any(|bound| mentions(&bound, "Float"))
        };
        if let Some(float) = types().find(|parameter| is_float(&parameter.name.to_string())) {
            return Precision::Type(TokenTree::Ident(float.name.clone()).into());
        }
        let is_generic = |field: &Field| types().any(|parameter| mentions(&field.ty, &parameter.name.to_string()));
        if item.modules().next().is_some() && item.modules().all(is_generic) {
            return Precision::Every;
        }
        Precision::Type(code("f32", &[]))
    }

    fn tokens(&self) -> TokenStream {
        match self {
            Precision::Type(tokens) => tokens.clone(),
            Precision::Every => code("__T", &[]),
        }
    }
}

/// The predicates of a `where` clause that start with the given name.
fn bounds(predicates: &TokenStream, name: &str) -> impl Iterator<Item = TokenStream> {
    let tokens: Vec<TokenTree> = predicates.clone().into_iter().collect();
    let predicates = tokens.split(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ','));
    let of_name = predicates.filter(|bound| bound.first().is_some_and(|first| first.to_string() == name));
    of_name.map(|bound| bound.iter().cloned().collect()).collect::<Vec<_>>().into_iter()
}

/// Whether an identifier occurs in the tokens.
fn mentions(tokens: &TokenStream, word: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident.to_string() == word,
        TokenTree::Group(group) => mentions(&group.stream(), word),
        _ => false,
    })
}

impl Item {
    /// The fields that are modules.
    fn modules(&self) -> impl Iterator<Item = &Field> {
        let fields: Vec<&Fields> = match &self.body {
            Body::Struct(fields) => vec![fields],
            Body::Enum(variants) => variants.iter().map(|(_, fields)| fields).collect(),
        };
        fields.into_iter().flat_map(|fields| &fields.fields).filter(|field| !field.skip)
    }

    /// The arms of a match, one per variant: a pattern, and the code that `body` generates for its fields.
    fn arms(&self, body: impl Fn(&Fields, bool) -> TokenStream) -> TokenStream {
        let this = code("Self", &[]);
        match &self.body {
            Body::Struct(fields) => code("$0 { $1 } => { $2 }", &[&this, &pattern(fields), &body(fields, false)]),
            Body::Enum(variants) if variants.is_empty() => code("_ => ::core::unreachable!(),", &[]),
            Body::Enum(variants) => {
                let arm = |(name, fields): &(_, _)| {
                    let name = TokenStream::from(TokenTree::Ident(proc_macro::Ident::clone(name)));
                    code(
                        "Self::$0 { $1 } => { $2 }",
                        &[&name, &pattern(fields), &body(fields, fields.is_transparent())],
                    )
                };
                variants.iter().flat_map(arm).collect()
            }
        }
    }

    /// The arms of `kind`: the name of the type, or the kind of the field of a transparent variant.
    fn kind(&self, t: &TokenStream) -> TokenStream {
        let name = self.text();
        self.arms(|fields, transparent| match transparent {
            true => code("<$0 as ::wengert::nn::Module<$1>>::kind(__0)", &[&fields.fields[0].ty, t]),
            false => name.clone(),
        })
    }

    /// The name of the type as a string.
    fn text(&self) -> TokenStream {
        let name = self.name.to_string();
        TokenTree::Literal(proc_macro::Literal::string(name.trim_start_matches("r#"))).into()
    }

    /// The arms of `visit` or `visit_mut`, which visit each field that is a module.
    fn visits(&self, method: &str, t: &TokenStream) -> TokenStream {
        let (method, kind) = (code(method, &[]), self.text());
        self.arms(|fields, transparent| {
            let mut visits = code("let _ = (&path, &f);", &[]);
            for (position, field) in fields.fields.iter().enumerate().filter(|(_, field)| !field.skip) {
                // With the span of the type, so that an error about a field that is not a module points to it.
                let span = field.ty.clone().into_iter().next().map_or_else(Span::call_site, |first| first.span());
                let at_type =
                    |code: TokenStream| -> TokenStream { code.into_iter().map(|t| with_span(t, span)).collect() };
                let module_trait = at_type(code("::wengert::nn::Module", &[]));
                let visit = code("<$0 as $1<$2>>::$3", &[&field.ty, &module_trait, t, &method]);
                let variable = code(&format!("__{position}"), &[]);
                visits.extend(match transparent {
                    true => code("$0($1, path, f);", &[&visit, &variable]),
                    false => {
                        let step = code(&field.step(position), &[]);
                        code("path.step($0, $1, |path| $2($3, path, f));", &[&step, &kind, &visit, &variable])
                    }
                });
            }
            visits
        })
    }
}

/// The pattern `name: __0, …`, without skipped fields.
fn pattern(fields: &Fields) -> TokenStream {
    let mut pattern = TokenStream::new();
    for (position, field) in fields.fields.iter().enumerate().filter(|(_, field)| !field.skip) {
        let name = match &field.name {
            Some(name) => TokenTree::Ident(name.clone()).into(),
            None => code(&position.to_string(), &[]),
        };
        pattern.extend(code(&format!("$0: __{position},"), &[&name]));
    }
    pattern.extend(code("..", &[]));
    pattern
}

impl Fields {
    /// Whether a variant behaves like its only field.
    fn is_transparent(&self) -> bool {
        !self.named && matches!(&self.fields[..], [field] if !field.skip)
    }
}

impl Field {
    /// The path component of the field: its name as a string, or its position.
    fn step(&self, position: usize) -> String {
        match &self.name {
            Some(name) => format!("{:?}", name.to_string().trim_start_matches("r#")),
            None => format!("{position}usize"),
        }
    }
}
