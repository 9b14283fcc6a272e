//! Parsing the equation of an Einstein summation, such as `bij,bjk->bik`.

use crate::panics;
use crate::tensor::Dims;
use std::collections::BTreeMap;

/// The label of an axis. The axes of an ellipsis sort before the letters, as they do in an implicit output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Label {
    /// An axis of the longest ellipsis, from the left.
    Ellipsis(usize),
    /// A subscript.
    Letter(char),
}

/// A symbol of a term.
#[derive(Clone, Copy, PartialEq)]
enum Symbol {
    Letter(char),
    Ellipsis,
}

/// An equation, resolved for operands of given shapes.
pub(crate) struct Equation {
    /// The labels of the axes of each operand.
    pub(crate) operands: Vec<Vec<Label>>,
    pub(crate) output: Vec<Label>,
    pub(crate) sizes: BTreeMap<Label, usize>,
}

impl Equation {
    /// Parses an equation and checks it against the shapes.
    #[track_caller]
    pub(crate) fn new(text: &str, shapes: &[&[usize]]) -> Self {
        let (terms, output) = parse(text);
        if terms.len() != shapes.len() {
            panics::einsum_operands(text, terms.len(), shapes.len());
        }
        // A loop, not a closure: a closure does not know the caller's line.
        let mut ellipsis = 0;
        for (k, (term, shape)) in terms.iter().zip(shapes).enumerate() {
            ellipsis = ellipsis.max(ellipsis_rank(text, k, term, shape));
        }
        let labeled = |term: &Vec<Symbol>, rank: usize| labels(term, ellipsis, rank);
        let ranks = terms.iter().zip(shapes).map(|(term, shape)| (shape.len() + 1).saturating_sub(term.len()));
        let operands: Vec<_> = terms.iter().zip(ranks).map(|(term, rank)| labeled(term, rank)).collect();
        let sizes = sizes(text, &operands, shapes);
        let output = match output {
            Some(symbols) => {
                check_output(text, &symbols, &sizes);
                labeled(&symbols, ellipsis)
            }
            None => {
                let count = |label: &Label| operands.iter().flatten().filter(|other| *other == label).count();
                let free = |label: &&Label| matches!(label, Label::Ellipsis(_)) || count(label) == 1;
                sizes.keys().filter(free).copied().collect()
            }
        };
        Equation { operands, output, sizes }
    }
}

/// The terms of the operands, and that of the output if it is explicit.
#[track_caller]
fn parse(text: &str) -> (Vec<Vec<Symbol>>, Option<Vec<Symbol>>) {
    let characters: Vec<char> = text.chars().collect();
    let (mut terms, mut term, mut arrow) = (Vec::new(), Vec::new(), false);
    let mut at = 0;
    while at < characters.len() {
        let mut length = 1;
        match characters[at..] {
            [c, ..] if c.is_whitespace() => {}
            [c, ..] if c.is_ascii_alphabetic() => term.push(Symbol::Letter(c)),
            [',', ..] if arrow => panics::einsum_second_output(text, at + 1),
            [',', ..] => terms.push(std::mem::take(&mut term)),
            ['-', '>', ..] if arrow => panics::einsum_second_arrow(text, at + 1),
            ['-', '>', ..] => {
                (arrow, length) = (true, 2);
                terms.push(std::mem::take(&mut term));
            }
            ['.', '.', '.', ..] if term.contains(&Symbol::Ellipsis) => panics::einsum_second_ellipsis(text, at + 1),
            ['.', '.', '.', ..] => {
                length = 3;
                term.push(Symbol::Ellipsis);
            }
            ['.', ..] => panics::einsum_dots(text, at + 1),
            [c @ ('-' | '>'), ..] => panics::einsum_half_arrow(text, c, at + 1),
            [c, ..] => panics::einsum_character(text, c, at + 1),
            [] => {}
        }
        at += length;
    }
    if arrow {
        return (terms, Some(term));
    }
    terms.push(term);
    (terms, None)
}

/// The number of axes that the ellipsis of a term stands for; 0 without one.
#[track_caller]
fn ellipsis_rank(text: &str, operand: usize, term: &[Symbol], shape: &[usize]) -> usize {
    if term.contains(&Symbol::Ellipsis) {
        let Some(rank) = (shape.len() + 1).checked_sub(term.len()) else {
            panics::einsum_too_many(text, operand, term.len() - 1, shape)
        };
        return rank;
    }
    if term.len() != shape.len() {
        panics::einsum_rank(text, operand, term.len(), shape);
    }
    0
}

/// The labels of a term whose ellipsis stands for the last `rank` of `longest` axes.
fn labels(term: &[Symbol], longest: usize, rank: usize) -> Vec<Label> {
    let label = |symbol: &Symbol| match *symbol {
        Symbol::Letter(c) => vec![Label::Letter(c)],
        Symbol::Ellipsis => (longest - rank..longest).map(Label::Ellipsis).collect(),
    };
    term.iter().flat_map(label).collect()
}

/// The size of each label; axes of size 1 broadcast.
#[track_caller]
fn sizes(text: &str, operands: &[Vec<Label>], shapes: &[&[usize]]) -> BTreeMap<Label, usize> {
    // The size, and an operand that has it.
    let mut sizes: BTreeMap<Label, (usize, usize)> = BTreeMap::new();
    for (k, (labels, shape)) in operands.iter().zip(shapes).enumerate() {
        for (&label, &size) in labels.iter().zip(*shape) {
            let (known, holder) = *sizes.entry(label).or_insert((size, k));
            let broadcasts = holder != k && (size == 1 || known == 1);
            if known != size && !broadcasts {
                let name = match label {
                    Label::Letter(c) => format!("subscript {c:?}"),
                    Label::Ellipsis(_) => "an axis of '...'".into(),
                };
                let place =
                    |size, operand: usize| format!("size {size} in operand {operand} of shape {:?}", shapes[operand]);
                panics::einsum_sizes(text, &name, &place(known, holder), &place(size, k));
            }
            if known == 1 {
                sizes.insert(label, (size, k));
            }
        }
    }
    sizes.into_iter().map(|(label, (size, _))| (label, size)).collect()
}

/// Panics if the output repeats a subscript, or has one that no operand has.
#[track_caller]
fn check_output(text: &str, output: &[Symbol], sizes: &BTreeMap<Label, usize>) {
    for (k, symbol) in output.iter().enumerate() {
        let Symbol::Letter(c) = *symbol else { continue };
        if output[..k].contains(symbol) {
            panics::einsum_repeated_output(text, c);
        }
        if !sizes.contains_key(&Label::Letter(c)) {
            panics::einsum_unknown_output(text, c);
        }
    }
}

/// The product of the sizes of some labels.
pub(crate) fn product(labels: &[Label], sizes: &BTreeMap<Label, usize>) -> usize {
    labels.iter().map(|label| sizes[label]).product()
}

/// The sizes of some labels.
pub(crate) fn shape(labels: &[Label], sizes: &BTreeMap<Label, usize>) -> Dims {
    labels.iter().map(|label| sizes[label]).collect()
}
