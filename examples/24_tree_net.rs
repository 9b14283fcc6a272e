//! Tree network: a network whose graph has the shape of the expression that it calculates.
//!
//! `cargo run --release --example 24_tree_net` trains
//! - a recursive network (Goller and Küchler 1996; Socher et al. 2011), with a small network for each operator, which is applied wherever the
//!   operator occurs: the program is a recursive function, and each expression has a graph of its own,
//! - a recurrent network, which reads the expression character by character,
//!
//! on the values, modulo 5, of expressions up to a depth of 4, and tests both on deeper ones. Nobody says what the value of a part of an
//! expression is; the figure shows what the first network makes of the parts.

mod support {
    pub mod command;
    pub mod expression;
    pub mod figure;
    pub mod lines;
    pub mod number;
    pub mod path;
    pub mod scale;
    pub mod stroke;
    pub mod style;
}

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::time::Instant;
use support::command::start;
use support::expression::{Expression, MODULUS, OPERATORS};
use support::figure::{Canvas, Outcome, figure, quick};
use support::lines::{Line, lines};
use support::style::{COLORS, FONT};
use wengert::Generator;
use wengert::metrics::{Mean, accuracy};
use wengert::nn::Relu;
use wengert::optim::schedule::LinearRamp;
use wengert::parallel;
use wengert::prelude::*;
use wengert::rand::RngExt;
use wengert::text::{Characters, Tokenizer};

/// Depth of the expressions for training, and of those for tests.
const TRAINED: usize = 4;
const TESTED: usize = 10;
/// Expressions per shard. A batch has [`SHARDS`] shards, whose gradients are computed in parallel.
const SHARD: usize = 32;
const SHARDS: usize = 2;
/// Number of lines that report on training.
const REPORTS: usize = 10;
/// Initial learning rate; it falls linearly to 0.
const LEARNING_RATE: f64 = 3e-3;
/// Size of the state of a part of an expression, and of the layer between.
const STATE: usize = 32;
const HIDDEN: usize = 64;
/// Size of the vectors of characters, and of the state of the recurrent network.
const EMBEDDING: usize = 16;
const RECURRENT: usize = 128;

/// A network that gives scores `[n, MODULUS]` to the possible values of expressions.
trait Network: Module + Sync {
    const NAME: &str;
    fn scores(&self, tape: &Tape, expressions: &[&Expression]) -> Var;
}

/// What an operator does with the states of both sides.
type Cell = (Linear, Relu, Linear, LayerNorm);

struct TreeNet {
    numbers: Embedding,
    operators: [Cell; 3],
    output: Linear,
}
module!(TreeNet { numbers, operators, output });

impl TreeNet {
    fn new(rng: &mut impl Rng) -> Self {
        let mut cell = || {
            let linear = Linear::new(2 * STATE, HIDDEN, Init::He, rng);
            (linear, Relu, Linear::new(HIDDEN, STATE, Init::Xavier, rng), LayerNorm::new([STATE]))
        };
        let operators = OPERATORS.map(|_| cell());
        TreeNet {
            numbers: Embedding::new(MODULUS, STATE, Init::Normal(1.0), rng),
            operators,
            output: Linear::new(STATE, MODULUS, Init::Xavier, rng),
        }
    }

    /// The state of an expression: `[1, STATE]`.
    fn state(&self, tape: &Tape, expression: &Expression) -> Var {
        match expression {
            Expression::Number(number) => self.numbers.forward(tape, [*number]),
            Expression::Operation(operator, sides) => {
                let states = [&sides[0], &sides[1]].map(|side| self.state(tape, side));
                self.operators[*operator].forward(&Var::concat(&states, 1))
            }
        }
    }
}

impl Network for TreeNet {
    const NAME: &str = "tree network";

    fn scores(&self, tape: &Tape, expressions: &[&Expression]) -> Var {
        let states: Vec<Var> = expressions.iter().map(|expression| self.state(tape, expression)).collect();
        self.output.forward(&Var::concat(&states, 0))
    }
}

struct Reader {
    characters: Characters,
    embedding: Embedding,
    recurrent: Lstm,
    output: Linear,
}
module!(Reader { embedding, recurrent, output; characters });

impl Reader {
    fn new(rng: &mut impl Rng) -> Self {
        let numbers: String = (0..MODULUS).map(|number| number.to_string()).collect();
        let characters = Characters::new(&format!("(){}{numbers}", OPERATORS.concat()));
        Reader {
            embedding: Embedding::new(characters.len(), EMBEDDING, Init::Normal(1.0), rng),
            recurrent: Lstm::with_options(EMBEDDING, RECURRENT, Recurrent::new().batch_first(), rng),
            output: Linear::new(RECURRENT, MODULUS, Init::Xavier, rng),
            characters,
        }
    }
}

impl Network for Reader {
    const NAME: &str = "LSTM";

    fn scores(&self, tape: &Tape, expressions: &[&Expression]) -> Var {
        let encode =
            |expression: &&Expression| self.characters.encode(&expression.to_string()).expect("known characters");
        let mut texts: Vec<Vec<usize>> = expressions.iter().map(encode).collect();
        let lengths: Vec<usize> = texts.iter().map(Vec::len).collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        texts.iter_mut().for_each(|text| text.resize(longest, 0));
        let x = self.embedding.forward(tape, Indices::new(texts.concat(), [texts.len(), longest]));
        let (_, last) = self.recurrent.forward_padded(&x, &lengths, None);
        self.output.forward(&last.h.select(0, 0))
    }
}

/// Expressions and their values.
fn batch(count: usize, rng: &mut impl Rng) -> (Vec<Expression>, Vec<usize>) {
    let expressions: Vec<_> = (0..count).map(|_| Expression::random(rng.random_range(1..=TRAINED), rng)).collect();
    let values = expressions.iter().map(Expression::value).collect();
    (expressions, values)
}

fn train<N: Network>(model: &mut N, steps: usize, rng: &mut Generator) {
    println!("\n{}, {} parameters", N::NAME, model.parameter_count());
    println!("{:>11}  {:>6}  {:>7}", "expressions", "loss", "seconds");
    let mut optimizer = Adam::new(LEARNING_RATE);
    let schedule = LinearRamp::new(LEARNING_RATE, steps).start_factor(1.0).end_factor(0.0);
    let (start, mut mean) = (Instant::now(), Mean::new());
    for step in 1..=steps {
        optimizer.set_learning_rate(schedule.at(step - 1));
        let shards = [(); SHARDS].map(|()| batch(SHARD, rng));
        let loss = |tape: &Tape, (expressions, values): &(Vec<Expression>, Vec<usize>)| {
            model.scores(tape, &Vec::from_iter(expressions)).softmax_cross_entropy(values) / SHARDS as f64
        };
        let (loss, mut gradients) = parallel::gradients(rng, &shards, loss).expect("there are shards");
        mean.add(loss);
        gradients.clip_norm(1.0);
        optimizer.step(model, &gradients);
        if step.is_multiple_of(steps / REPORTS) {
            let (loss, seconds) = (std::mem::take(&mut mean).value(), start.elapsed().as_secs_f64());
            println!("{:>11}  {loss:>6.4}  {seconds:>7.1}", step * SHARD * SHARDS);
        }
    }
}

/// The accuracy on expressions of each depth.
fn evaluate<N: Network>(model: &N, tests: &[Vec<Expression>]) -> Line {
    let accuracy = |expressions: &Vec<Expression>| {
        let values: Vec<usize> = expressions.iter().map(Expression::value).collect();
        accuracy(model.scores(&Tape::inference(), &Vec::from_iter(expressions)).value(), &values)
    };
    Line { label: N::NAME.into(), points: (1..).map(f64::from).zip(tests.iter().map(accuracy)).collect() }
}

/// The accuracy of always saying 0, the most frequent value.
fn zeros(tests: &[Vec<Expression>]) -> Line {
    let zero = |tests: &Vec<Expression>| {
        tests.iter().filter(|expression| expression.value() == 0).count() as f64 / tests.len() as f64
    };
    Line { label: "always 0".into(), points: (1..).map(f64::from).zip(tests.iter().map(zero)).collect() }
}

fn main() -> Outcome {
    start(include_str!("24_tree_net.rs"), []);
    let mut rng = wengert::rng(0);
    let (steps, count) = if quick() { (50, 20) } else { (2000, 200) };
    let tests: Vec<Vec<Expression>> =
        (1..=TESTED).map(|depth| (0..count).map(|_| Expression::random(depth, &mut rng)).collect()).collect();
    println!("expressions such as {} = {}", tests[TRAINED - 1][0], tests[TRAINED - 1][0].value());
    let (mut tree, mut reader) = (TreeNet::new(&mut rng), Reader::new(&mut rng));
    train(&mut tree, steps, &mut rng);
    train(&mut reader, steps, &mut rng);
    let results = [evaluate(&tree, &tests), evaluate(&reader, &tests), zeros(&tests)];
    println!("\naccuracy on {count} expressions of each depth; up to {TRAINED} as in training");
    println!("{:>5}  {:>12}  {:>12}  {:>12}", "depth", results[0].label, results[1].label, results[2].label);
    for depth in 1..=TESTED {
        let [a, b, c] = [0, 1, 2].map(|k: usize| results[k].points[depth - 1].1);
        println!("{depth:>5}  {a:>12.3}  {b:>12.3}  {c:>12.3}");
    }
    println!();
    // Of those that are deeper than in training.
    let longest = tests[TRAINED].iter().max_by_key(|expression| expression.to_string().len());
    figure("24_tree_net", &format!("Expressions modulo {MODULUS}"), (1300, 520), |area| {
        let (left, right) = area.split_horizontally(400);
        lines(&left, "accuracy on unseen expressions", ("depth", "accuracy"), Some(0.0..1.02), &results)?;
        draw_tree(&right, &tree, longest.expect("there are tests"))
    })
}

/// A part of an expression, where it is drawn, and where its sides are.
struct Part<'a> {
    expression: &'a Expression,
    at: (i32, i32),
    sides: Vec<(i32, i32)>,
}

/// Arranges the parts of an expression: numbers side by side in columns, operators above the middle of their sides.
fn arrange<'a>(expression: &'a Expression, level: i32, column: &mut i32, parts: &mut Vec<Part<'a>>) -> (i32, i32) {
    const WIDTH: i32 = 28;
    const HEIGHT: i32 = 74;
    let mut sides = Vec::new();
    if let Expression::Operation(_, below) = expression {
        sides = below.iter().map(|side| arrange(side, level + 1, column, parts)).collect();
    } else {
        *column += 1;
    }
    let x = if sides.is_empty() { *column * WIDTH } else { sides.iter().map(|side| side.0).sum::<i32>() / 2 };
    let at = (x, 40 + HEIGHT * level);
    parts.push(Part { expression, at, sides });
    at
}

/// Draws an expression with the value that the network gives to each operation in it.
fn draw_tree(area: &Canvas, model: &TreeNet, expression: &Expression) -> Outcome {
    let area = area.titled("values of the parts of an expression, by the tree network", (FONT, 18))?;
    let (mut column, mut parts) = (0, Vec::new());
    arrange(expression, 0, &mut column, &mut parts);
    for part in &parts {
        for &side in &part.sides {
            area.draw(&PathElement::new([part.at, side], BLACK.mix(0.4)))?;
        }
    }
    let style = (FONT, 18).into_text_style(&area).pos(Pos::new(HPos::Center, VPos::Center));
    for Part { expression, at, .. } in parts {
        area.draw(&Circle::new(at, 14, WHITE.filled()))?;
        let symbol = match expression {
            Expression::Number(number) => number.to_string(),
            Expression::Operation(operator, _) => {
                let found = model.scores(&Tape::inference(), &[expression]).value().argmax(1)[0];
                let color = if found == expression.value() { COLORS[2] } else { COLORS[1] };
                area.draw(&Circle::new(at, 14, color.stroke_width(2)))?;
                area.draw(&Text::new(found.to_string(), (at.0 + 20, at.1 - 13), style.color(&color)))?;
                OPERATORS[*operator].into()
            }
        };
        area.draw(&Text::new(symbol, at, style.clone()))?;
    }
    Ok(())
}
