//! The derive macro for the `Module` trait of [wengert](https://docs.rs/wengert), which re-exports it.

mod expand;
mod parse;

use proc_macro::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

/// Implements `wengert::nn::Module`; see its documentation in `wengert`.
#[proc_macro_derive(Module, attributes(module))]
pub fn module(input: TokenStream) -> TokenStream {
    match parse::item(input) {
        Ok(item) => expand::implementation(&item),
        Err(error) => error.into_compile_error(),
    }
}

/// An error in the input, with its location.
struct Error {
    span: Span,
    message: String,
}

impl Error {
    fn new(span: Span, message: impl Into<String>) -> Self {
        Error { span, message: message.into() }
    }

    /// `::core::compile_error!("message");` with the span of the error.
    fn into_compile_error(self) -> TokenStream {
        let Error { span, message } = self;
        let punct = |c, spacing| TokenTree::Punct(Punct::new(c, spacing));
        let ident = |name| TokenTree::Ident(Ident::new(name, span));
        let message = TokenStream::from(TokenTree::Literal(Literal::string(&message)));
        let tokens = [
            punct(':', Spacing::Joint),
            punct(':', Spacing::Alone),
            ident("core"),
            punct(':', Spacing::Joint),
            punct(':', Spacing::Alone),
            ident("compile_error"),
            punct('!', Spacing::Alone),
            TokenTree::Group(Group::new(Delimiter::Brace, message)),
        ];
        tokens.into_iter().map(|token| with_span(token, span)).collect()
    }
}

/// The token with another span, which determines the location of error messages.
fn with_span(mut token: TokenTree, span: Span) -> TokenTree {
    token.set_span(span);
    token
}
