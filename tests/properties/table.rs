//! The operations that the properties are checked on, each with a way to draw shapes and settings.

use crate::draw::{Draw, resolve};
use wengert::ops::Conv;
use wengert::prelude::*;

type Function = Box<dyn Fn(&[Var<f64>]) -> Var<f64>>;

/// One drawn use of an operation.
pub struct Case {
    /// The shapes of the inputs.
    pub shapes: Vec<Vec<usize>>,
    /// The operation with its settings.
    pub f: Function,
}

impl Case {
    /// The value at some inputs.
    pub fn value(&self, inputs: &[Tensor<f64>]) -> Tensor<f64> {
        let tape = Tape::<f64>::with_mode(Mode::Inference);
        let x: Vec<_> = inputs.iter().map(|x| tape.constant(x)).collect();
        (self.f)(&x).value().clone()
    }

    /// The products of a cotangent with the Jacobian by each input; zeros where there is none.
    pub fn vjp(&self, inputs: &[Tensor<f64>], cotangent: &Tensor<f64>) -> Vec<Tensor<f64>> {
        let tape = Tape::new_f64();
        let x: Vec<_> = inputs.iter().map(|x| tape.var(x)).collect();
        let flows = (self.f)(&x).vjp(&tape.constant(cotangent), &x.iter().collect::<Vec<_>>());
        let flow = |(flow, x): (Option<Var<f64>>, &Tensor<f64>)| {
            flow.map_or_else(|| Tensor::zeros(x.shape()), |flow| flow.value().clone())
        };
        flows.into_iter().zip(inputs).map(flow).collect()
    }
}

/// An operation: its name, and how a use is drawn.
pub type Row = (&'static str, fn(&mut Draw) -> Case);

fn case(shapes: impl Into<Vec<Vec<usize>>>, f: impl Fn(&[Var<f64>]) -> Var<f64> + 'static) -> Case {
    Case { shapes: shapes.into(), f: Box::new(f) }
}

/// A use of a function of one input of any shape.
fn any(draw: &mut Draw, f: fn(&Var<f64>) -> Var<f64>) -> Case {
    case([draw.shape(0)], move |x| f(&x[0]))
}

/// A use of a function of one input along an axis.
fn along(draw: &mut Draw, f: fn(&Var<f64>, isize) -> Var<f64>) -> Case {
    let shape = draw.full_shape(1);
    let axis = draw.axis(&shape);
    case([shape], move |x| f(&x[0], axis))
}

/// A use of a function of two inputs that broadcast.
fn pair(draw: &mut Draw, f: fn(&Var<f64>, &Var<f64>) -> Var<f64>) -> Case {
    let shape = draw.shape(0);
    let mut narrow = |shape: &[usize]| {
        let from = draw.size(0, shape.len());
        shape[from..].iter().map(|&n| if draw.size(0, 2) == 0 { 1 } else { n }).collect::<Vec<_>>()
    };
    let (a, b) = (narrow(&shape), shape);
    case([a, b], move |x| f(&x[0], &x[1]))
}

/// Operations that are linear in each input by itself.
pub const LINEAR: &[Row] = &[
    ("neg", |draw| any(draw, |x| -x)),
    ("add", |draw| pair(draw, |a, b| a + b)),
    ("sub", |draw| pair(draw, |a, b| a - b)),
    ("sum_over", |draw| {
        let shape = draw.shape(0);
        let axes = draw.axes(&shape);
        case([shape], move |x| x[0].sum_over(axes.as_slice()))
    }),
    ("mean_over", |draw| along(draw, |x, axis| x.mean_over(keepdim(axis)))),
    ("broadcast_to", |draw| {
        let (front, back) = (draw.shape(0), draw.shape(0));
        let own = back.iter().map(|&n| if draw.coin() { 1 } else { n }).collect::<Vec<_>>();
        let target: Vec<usize> = front[..front.len().min(2)].iter().chain(&back).copied().collect();
        case([own], move |x| x[0].broadcast_to(target.as_slice()))
    }),
    ("permute", |draw| {
        let shape = draw.shape(0);
        let mut axes: Vec<usize> = (0..shape.len()).collect();
        axes.rotate_left(shape.len().min(1));
        case([shape], move |x| x[0].permute(axes.as_slice()))
    }),
    ("flatten", |draw| any(draw, |x| x.flatten(0, -1))),
    ("slice_step", |draw| {
        let shape = draw.shape(1);
        let axis = draw.axis(&shape);
        let (a, b, step) = (draw.int(-5, 5), draw.int(-5, 5), draw.int(1, 3) * if draw.coin() { 1 } else { -1 });
        case([shape], move |x| x[0].slice_step(axis, a..b, step))
    }),
    ("select", |draw| {
        let shape = draw.full_shape(1);
        let axis = draw.axis(&shape);
        let n = shape[resolve(axis, &shape)] as isize;
        let index = draw.int(-n, n - 1);
        case([shape], move |x| x[0].select(axis, index))
    }),
    ("flip", |draw| {
        let shape = draw.shape(0);
        let axes = draw.axes(&shape);
        case([shape], move |x| x[0].flip(axes.as_slice()))
    }),
    ("roll", |draw| {
        let shape = draw.shape(1);
        let (axis, shift) = (draw.axis(&shape), draw.int(-7, 7));
        case([shape], move |x| x[0].roll(shift, axis))
    }),
    ("pad", |draw| {
        let shape = draw.full_shape(1);
        let pairs: Vec<_> = shape.iter().rev().take(2).map(|_| (draw.size(0, 2), draw.size(0, 2))).collect();
        case([shape], move |x| x[0].pad(&pairs, PadMode::Constant(0.0)))
    }),
    ("pad, repeating elements", |draw| {
        let shape = draw.full_shape(1);
        let mode = [PadMode::Reflect, PadMode::Replicate, PadMode::Circular][draw.size(0, 2)];
        let most = |n: usize| if mode == PadMode::Reflect { n - 1 } else { n };
        let pairs: Vec<_> = shape.iter().rev().map(|&n| (draw.size(0, most(n)), draw.size(0, most(n)))).collect();
        case([shape], move |x| x[0].pad(&pairs, mode))
    }),
    ("repeat", |draw| {
        let shape = draw.shape(0);
        let new = draw.size(0, 4 - shape.len());
        let repeats: Vec<usize> = (0..shape.len() + new).map(|_| draw.size(0, 2)).collect();
        case([shape], move |x| x[0].repeat(repeats.as_slice()))
    }),
    ("repeat_interleave", |draw| along(draw, |x, axis| x.repeat_interleave(3, axis))),
    ("concat", |draw| {
        let shape = draw.shape(1);
        let axis = draw.axis(&shape);
        let at = resolve(axis, &shape);
        let mut piece = || {
            let mut piece = shape.clone();
            piece[at] = draw.size(0, 3);
            piece
        };
        let pieces: Vec<_> = (0..3).map(|_| piece()).collect();
        case(pieces, move |x| Var::concat(x, axis))
    }),
    ("stack", |draw| {
        let shape = draw.shape(0);
        let axis = draw.int(0, shape.len() as isize);
        case(vec![shape; draw.size(1, 3)], move |x| Var::stack(x, axis))
    }),
    ("index_select", |draw| {
        let shape = draw.shape(1);
        let axis = draw.axis(&shape);
        let positions = draw.positions(shape[resolve(axis, &shape)], 5);
        case([shape], move |x| x[0].index_select(axis, &positions))
    }),
    ("index_add", |draw| {
        let shape = draw.shape(1);
        let axis = draw.axis(&shape);
        let at = resolve(axis, &shape);
        let positions = draw.positions(shape[at], 5);
        let mut source = shape.clone();
        source[at] = positions.len();
        case([shape, source], move |x| x[0].index_add(axis, &positions, &x[1]))
    }),
    ("gather", |draw| {
        let (shape, axis, own) = elements(draw);
        let indices = draw.indices(shape[resolve(axis, &shape)], &own);
        case([shape], move |x| x[0].gather(axis, &indices))
    }),
    ("scatter_add", |draw| {
        let (shape, axis, own) = elements(draw);
        let indices = draw.indices(shape[resolve(axis, &shape)], &own);
        case([shape, own], move |x| x[0].scatter_add(axis, &indices, &x[1]))
    }),
    ("index", |draw| {
        let shape = draw.full_shape(1);
        let leading = draw.size(1, shape.len().min(2));
        let own: [&[usize]; 2] = [&[2, 1], &[3]];
        let arrays: Vec<_> = (0..leading).map(|axis| draw.indices(shape[axis], own[axis])).collect();
        case([shape], move |x| x[0].index(&arrays))
    }),
    ("embedding", |draw| {
        let shape = draw.full_shape(1);
        let indices = draw.indices(shape[0], &[2, 3]);
        case([shape], move |x| x[0].embedding(&indices, None))
    }),
    ("tril", |draw| triangle(draw, Var::tril)),
    ("triu", |draw| triangle(draw, Var::triu)),
    ("diagonal", |draw| {
        let shape = draw.shape(2);
        let (rows, columns) = (draw.size(0, shape.len() - 1), draw.size(1, shape.len() - 1));
        let (columns, offset) = ((rows + columns) % shape.len(), draw.int(-3, 3));
        case([shape], move |x| x[0].diagonal(offset, rows, columns))
    }),
    ("diag_embed", |draw| {
        let (shape, offset) = (draw.shape(1), draw.int(-2, 2));
        case([shape[..shape.len().min(3)].to_vec()], move |x| x[0].diag_embed(offset))
    }),
    ("cumsum", |draw| along(draw, |x, axis| x.cumsum(axis))),
    ("avg_pool2d", |draw| case([vec![draw.size(1, 2), 2, 4, draw.size(3, 5)]], |x| x[0].avg_pool2d(2))),
];

/// Operations that are not linear.
pub const CURVED: &[Row] = &[
    ("mul", |draw| pair(draw, |a, b| a * b)),
    ("div", |draw| pair(draw, |a, b| a / (b.square() + 1.0))),
    ("exp", |draw| any(draw, |x| x.exp())),
    ("tanh", |draw| any(draw, |x| x.tanh())),
    ("sin", |draw| any(draw, |x| x.sin())),
    ("gelu", |draw| any(draw, |x| x.gelu())),
    ("prod_over", |draw| along(draw, |x, axis| x.prod_over(axis))),
    ("var_over", |draw| along(draw, |x, axis| x.var_over(axis, 0.0))),
    ("logsumexp_over", |draw| along(draw, |x, axis| x.logsumexp_over(axis))),
    ("softmax", |draw| along(draw, |x, axis| x.softmax(axis))),
    ("log_softmax", |draw| along(draw, |x, axis| x.log_softmax(axis))),
    ("cumprod", |draw| along(draw, |x, axis| x.cumprod(axis))),
    ("logcumsumexp", |draw| along(draw, |x, axis| x.logcumsumexp(axis))),
    ("matmul", |draw| {
        let (m, k, n, batch) = (draw.size(1, 4), draw.size(1, 4), draw.size(1, 4), draw.size(1, 3));
        let left = if draw.coin() { vec![batch, m, k] } else { vec![m, k] };
        case([left, vec![batch, k, n]], |x| x[0].matmul(&x[1]))
    }),
    ("conv2d", |draw| {
        let (stride, padding, groups) = (draw.size(1, 2), draw.size(0, 1), draw.size(1, 2));
        let options = Conv::new().stride(stride).padding(padding).groups(groups);
        let shapes = [vec![draw.size(1, 2), 2 * groups, draw.size(3, 6), 4], vec![3 * groups, 2, 2, 3]];
        case(shapes, move |x| x[0].conv2d(&x[1], options))
    }),
];

/// A shape, an axis of it, and the shape of indices along it.
fn elements(draw: &mut Draw) -> (Vec<usize>, isize, Vec<usize>) {
    let shape = draw.full_shape(1);
    let axis = draw.axis(&shape);
    let mut own: Vec<usize> = shape.iter().map(|&n| draw.size(1, n)).collect();
    own[resolve(axis, &shape)] = draw.size(0, 5);
    (shape, axis, own)
}

fn triangle(draw: &mut Draw, f: fn(&Var<f64>, isize) -> Var<f64>) -> Case {
    let (shape, diagonal) = (draw.shape(2), draw.int(-3, 3));
    case([shape], move |x| f(&x[0], diagonal))
}
