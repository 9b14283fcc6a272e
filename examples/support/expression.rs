//! Arithmetic expressions of digits, calculated modulo a number.

use std::fmt::{self, Display, Formatter};
use wengert::prelude::*;
use wengert::rand::RngExt;

/// The numbers are 0 to `MODULUS − 1`.
pub const MODULUS: usize = 5;
pub const OPERATORS: [&str; 3] = ["+", "−", "×"];

/// A number, or an operator by its index with what it is applied to.
pub enum Expression {
    Number(usize),
    Operation(usize, Box<[Expression; 2]>),
}

impl Expression {
    /// Draws an expression of a depth: one side has the depth below, the other any smaller one.
    pub fn random(depth: usize, rng: &mut impl Rng) -> Self {
        if depth == 0 {
            return Expression::Number(rng.random_range(0..MODULUS));
        }
        let mut sides = [depth - 1, rng.random_range(0..depth)].map(|depth| Expression::random(depth, rng));
        if rng.random_bool(0.5) {
            sides.reverse();
        }
        Expression::Operation(rng.random_range(0..OPERATORS.len()), Box::new(sides))
    }

    pub fn value(&self) -> usize {
        match self {
            Expression::Number(number) => *number,
            Expression::Operation(operator, sides) => {
                let [a, b] = [sides[0].value(), sides[1].value()];
                [a + b, a + MODULUS - b, a * b][*operator] % MODULUS
            }
        }
    }
}

/// As it is written, with every operation in parentheses.
impl Display for Expression {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self {
            Expression::Number(number) => write!(f, "{number}"),
            Expression::Operation(operator, sides) => write!(f, "({}{}{})", sides[0], OPERATORS[*operator], sides[1]),
        }
    }
}
