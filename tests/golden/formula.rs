//! Functions that a case gives in words: `(1 - x0)^2 + 100 sin(x1)`.

use crate::Fault;
use wengert::Var;

/// The value of a formula; `variable` gives that of a name. Numbers become constants of the tape of `like`.
///
/// `^` and `**` are powers, and what stands side by side is multiplied.
pub fn evaluate(text: &str, like: &Var<f64>, variable: &dyn Fn(&str) -> Option<Var<f64>>) -> Result<Var<f64>, Fault> {
    let mut parser = Parser { rest: text, like, variable };
    let value = parser.sum();
    match value {
        Some(value) if parser.next().is_none() => Ok(value),
        _ => Err(Fault::Unsupported(format!("formula {text}"))),
    }
}

/// The text that is left to read.
struct Parser<'a> {
    rest: &'a str,
    like: &'a Var<f64>,
    variable: &'a dyn Fn(&str) -> Option<Var<f64>>,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    /// Whether the text continues with a symbol, which is then read.
    fn takes(&mut self, symbol: &str) -> bool {
        self.next();
        let rest = self.rest.strip_prefix(symbol);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// The longest beginning of such characters, which may be empty.
    fn word(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.into()
    }

    fn sum(&mut self) -> Option<Var<f64>> {
        let mut sum = self.product()?;
        loop {
            if self.takes("+") {
                sum += self.product()?;
            } else if self.takes("-") {
                sum -= self.product()?;
            } else {
                return Some(sum);
            }
        }
    }

    fn product(&mut self) -> Option<Var<f64>> {
        let mut product = self.signed()?;
        loop {
            if self.takes("*") || self.next().is_some_and(|c| c.is_alphanumeric() || c == '(') {
                product *= self.signed()?;
            } else if self.takes("/") {
                product /= self.signed()?;
            } else {
                return Some(product);
            }
        }
    }

    fn signed(&mut self) -> Option<Var<f64>> {
        if self.takes("-") {
            return Some(-self.signed()?);
        }
        let base = self.atom()?;
        if !self.takes("^") && !self.takes("**") {
            return Some(base);
        }
        let exponent = self.signed()?;
        match exponent.item() {
            n if n.fract() == 0.0 => Some(base.powi(n as i32)),
            _ => Some(base.pow(&exponent)),
        }
    }

    fn atom(&mut self) -> Option<Var<f64>> {
        if self.takes("(") {
            let value = self.sum()?;
            return self.takes(")").then_some(value);
        }
        if self.next()?.is_ascii_digit() {
            let number: f64 = self.word(|c| c.is_ascii_digit() || c == '.').parse().ok()?;
            return Some(self.like.constant(number));
        }
        let name = self.word(|c| c.is_alphanumeric() || c == '_');
        let function: fn(&Var<f64>) -> Var<f64> = match name.as_str() {
            "sin" => Var::sin,
            "cos" => Var::cos,
            "exp" => Var::exp,
            "log" => Var::ln,
            "sqrt" => Var::sqrt,
            "abs" => Var::abs,
            "pi" => return Some(self.like.constant(std::f64::consts::PI)),
            _ => return (self.variable)(&name),
        };
        Some(function(&self.atom()?))
    }
}
