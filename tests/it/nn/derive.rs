//! Modules with `#[derive(Module)]`.

use super::{linear, paths};
use std::marker::PhantomData;
use wengert::prelude::*;

#[derive(Module)]
struct Gan {
    r#gen: Linear,
    disc: Option<Linear>,
    #[module(skip)]
    pub(crate) rate: f64,
}

#[derive(Module)]
struct Pair<T: Float>(Linear<T>, pub Param<T>, #[module(skip)] usize)
where
    T: Copy;

#[derive(Clone, Copy, Module)]
pub struct Nothing;

#[derive(Module)]
enum Part<M, const N: usize = 2> {
    Nothing,
    Whole(M),
    Two(M, M),
    Many {
        parts: [M; N],
        #[module(skip)]
        names: [&'static str; N],
    },
}

#[derive(Clone, Module)]
struct Residual<L> {
    inner: L,
}

#[derive(Module)]
struct Net<T, M: Module<T>, F: Fn(&Var<T>) -> Var<T>>
where
    T: Float,
{
    body: M,
    head: Vec<Linear<T>>,
    #[module(skip)]
    activation: F,
    #[module(skip)]
    marker: PhantomData<fn() -> T>,
}

#[derive(Module)]
#[module(f64)]
struct Double {
    weight: Param<f64>,
}

macro_rules! declare {
    ($vis:vis $name:ident $field:ident $type:ty) => {
        #[derive(Module)]
        $vis struct $name {
            $vis $field: $type,
        }
    };
}
declare!(pub Public inner (Linear, Nothing));
declare!(Private inner Linear);

#[test]
fn paths_are_the_names_of_the_fields() {
    let gan = Gan { r#gen: linear(1, 1), disc: Some(linear(1, 1)), rate: 0.1 };
    assert_eq!(paths(&gan), ["gen.weight", "gen.bias", "disc.weight", "disc.bias"]);
    assert_eq!((gan.kind(), gan.rate), ("Gan", 0.1));
    let pair = Pair(Linear::<f64>::without_bias(1, 1, Init::He, &mut wengert::rng(0)), Param::new(1.0), 3);
    assert_eq!((paths(&pair), pair.2), (vec!["0.weight".to_string(), "1".into()], 3));
    assert_eq!(paths::<f32>(&Nothing).len() + paths::<f64>(&Double { weight: Param::new(1.0) }).len(), 1);
    assert_eq!(paths(&Public { inner: (linear(1, 1), Nothing) })[0], "inner.0.weight");
    assert_eq!(paths(&Private { inner: linear(1, 1) })[0], "inner.weight");
}

#[test]
fn an_enum_is_its_variant() {
    let parts: Vec<Part<Param>> = vec![
        Part::Nothing,
        Part::Whole(Param::new(1.0)),
        Part::Two(Param::new(1.0), Param::new(2.0)),
        Part::Many { parts: [Param::new(1.0), Param::new(2.0)], names: ["a", "b"] },
    ];
    assert!(matches!(parts[3], Part::Many { names: ["a", "b"], .. }));
    assert_eq!(paths(&parts), ["1", "2.0", "2.1", "3.parts.0", "3.parts.1"]);
    assert_eq!(parts.iter().map(Module::kind).collect::<Vec<_>>(), ["Part", "Param", "Part", "Part"]);
}

#[test]
fn generic_over_modules() {
    let net = Net {
        body: Residual { inner: linear(2, 2) },
        head: vec![linear(2, 1)],
        activation: |x: &Var| x.tanh(),
        marker: PhantomData,
    };
    let h = (net.activation)(&net.body.inner.forward(&Tape::new().constant([[1.0, 2.0]])));
    assert_eq!(h.shape(), [1, 2]);
    assert_eq!(paths(&net), ["body.inner.weight", "body.inner.bias", "head.0.weight", "head.0.bias"]);
    let residual = Residual { inner: Linear::<f64>::new(1, 1, Init::He, &mut wengert::rng(0)) };
    assert_eq!(paths(&residual).len(), 2);
}

#[test]
fn a_derived_model_is_trained() {
    let mut model = Residual { inner: linear(1, 1) };
    let before = model.inner.weight.value().clone();
    let gradients = model.inner.forward(&Tape::new().constant([[1.0]])).sum().backward();
    Sgd::new(1.0).step(&mut model, &gradients);
    assert_eq!(model.inner.weight.value(), &(&before - 1.0));
}
