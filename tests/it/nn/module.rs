//! Models: layers one after another, derived modules, frozen parts, and what is put back after a panic.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::panic::{self, AssertUnwindSafe};
use wengert::autograd::MissingGradient;
use wengert::nn::recompute;
use wengert::prelude::*;

fn linear(inputs: usize, outputs: usize) -> Linear {
    Linear::new(inputs, outputs, Init::Xavier, &mut wengert::rng(7))
}

fn paths<T: Float>(model: &(impl Module<T> + ?Sized)) -> Vec<String> {
    model.parameters().into_iter().map(|(path, _)| path).collect()
}

/// What a piece of code panics with.
fn panic_of(code: impl FnOnce()) -> String {
    let payload = panic::catch_unwind(AssertUnwindSafe(code)).expect_err("it panics");
    payload.downcast_ref::<String>().cloned().unwrap_or_default()
}

mod layers {
    use super::*;

    #[test]
    fn a_tuple_applies_its_layers_in_turn() {
        let (first, last) = (linear(3, 4), linear(4, 2));
        let model = (first.clone(), Relu, Dropout::new(0.5), last.clone());
        let x = Tape::inference().constant(Tensor::randn([5, 3], &mut wengert::rng(1)));
        assert_eq!(model.forward(&x).value(), last.forward(&first.forward(&x).relu()).value());
        assert_eq!(paths(&model), ["0.weight", "0.bias", "3.weight", "3.bias"]);
    }

    #[test]
    fn a_tuple_may_have_twelve_elements() {
        let l = || linear(2, 2);
        let model = (l(), Relu, l(), Tanh, l(), Sigmoid, l(), Gelu, l(), Identity, l(), Softmax(-1));
        assert_eq!(model.forward(&Tape::new().constant([[1.0, 2.0]])).shape(), [1, 2]);
        assert_eq!(paths(&model)[11], "10.bias");
        assert!(model.summary().to_string().contains("\n10     Linear"), "{}", model.summary());
    }

    #[test]
    fn every_activation_is_the_method_of_its_name() {
        let x = Tape::new().constant([[-2.0, -0.5, 0.0, 1.5]]);
        let pairs: [(&dyn Layer, Var); 12] = [
            (&Relu, x.relu()),
            (&LeakyRelu(0.1), x.leaky_relu(0.1)),
            (&Elu(1.5), x.elu(1.5)),
            (&Gelu, x.gelu()),
            (&Silu, x.silu()),
            (&Sigmoid, x.sigmoid()),
            (&Tanh, x.tanh()),
            (&Softplus, x.softplus()),
            (&Softmax(1), x.softmax(1)),
            (&LogSoftmax(-1), x.log_softmax(-1)),
            (&Flatten, x.flatten(1, -1)),
            (&Identity, x.clone()),
        ];
        for (layer, expected) in pairs {
            assert_eq!(layer.forward(&x).value(), expected.value(), "{}", layer.kind());
            assert!(layer.parameters().is_empty());
        }
    }

    #[test]
    fn pooling_and_closures_are_layers() {
        let mut rng = wengert::rng(0);
        let model = (
            Conv2d::new(1, 2, 3, Init::He, &mut rng).padding(1),
            MaxPool2d::new(2),
            Lambda(|x: &Var| x * 2.0),
            Flatten,
            linear(8, 3),
        );
        assert_eq!(model.forward(&Tape::new().constant(Tensor::ones([5, 1, 4, 4]))).shape(), [5, 3]);
        assert_eq!(paths(&model), ["0.weight", "0.bias", "4.weight", "4.bias"]);
    }

    #[test]
    fn a_sequence_is_cloned_shared_and_trained() {
        let mut model = Sequential::new().append(linear(2, 8)).append(Tanh).append_fn(|x| x * 2.0).append(linear(8, 1));
        assert_eq!(format!("{model:?}"), r#"Sequential ["Linear", "Tanh", "Lambda", "Linear"]"#);
        assert_eq!(paths(&model), ["0.weight", "0.bias", "3.weight", "3.bias"]);
        assert_eq!((model.len(), model.iter().count()), (4, 4));
        let before = model.clone();
        let x = [[0.1, 0.2], [0.3, -0.4]];
        let mut optimizer = Sgd::new(0.01);
        let loss = |model: &Sequential| {
            let tape = Tape::training(&mut wengert::rng(0));
            (model.forward(&tape.constant(x)) - 1.0).square().sum()
        };
        let first = loss(&model).item();
        for _ in 0..20 {
            let gradients = loss(&model).backward();
            optimizer.step(&mut model, &gradients);
        }
        assert!(loss(&model).item() < first / 2.0);
        assert_eq!(loss(&before).item(), first);
        let shared = std::sync::Arc::new(before);
        let there = shared.clone();
        let value = std::thread::spawn(move || there.forward(&Tape::inference().constant(x)).value().clone());
        assert_eq!(value.join().unwrap(), *shared.forward(&Tape::inference().constant(x)).value());
    }

    #[test]
    fn layers_nest_and_are_recomputed() {
        let block = (linear(3, 3), Relu, Some(linear(3, 3)), None::<Linear>, vec![linear(3, 3)], [Identity; 2]);
        let model = Sequential::new().append(block.clone()).append(block);
        let x = Tensor::randn([2, 3], &mut wengert::rng(5));
        let gradients = |tape: &Tape, again: bool| {
            let x = tape.constant(&x);
            let y = if again { recompute(&model, &x, Sequential::forward) } else { model.forward(&x) };
            y.square().sum().backward()
        };
        let (kept, again) = (gradients(&Tape::new(), false), gradients(&Tape::new(), true));
        assert_eq!(paths(&model)[5], "0.4.0.bias");
        for (_, param) in model.parameters() {
            assert_eq!(kept[param], again[param]);
        }
    }

    /// A layer of another crate.
    #[derive(Clone, Debug)]
    struct Scale {
        factor: Param,
    }
    module!(Scale { factor });

    impl Layer for Scale {
        fn forward(&self, x: &Var) -> Var {
            x * &self.factor
        }
    }

    #[test]
    fn boxed_layers_are_modules() {
        let mut model: Vec<Box<dyn Layer>> = vec![Box::new(Scale { factor: Param::new(2.0) }), Box::new(Relu)];
        let gradients = model.forward(&Tape::new().constant([3.0])).sum().backward();
        Sgd::new(1.0).step(&mut model, &gradients);
        assert_eq!(model.parameters()[0].1.value().item(), -1.0);
        assert_eq!(paths(&model), ["0.factor"]);
    }

    #[test]
    fn both_precisions() {
        let model = (Linear::<f64>::new(2, 2, Init::He, &mut wengert::rng(0)), Relu, MaxPool1d::new(2));
        assert_eq!(model.forward(&Tape::new_f64().constant([[[1.0, 2.0]]])).shape(), [1, 1, 1]);
    }
}

#[cfg(feature = "derive")]
mod derived {
    use super::*;

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
        #[allow(dead_code)]
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
}

mod modules {
    use super::*;

    struct Raw {
        r#type: Linear,
        rate: f64,
    }
    module!(Raw { r#type; rate });

    #[test]
    fn raw_identifiers_and_maps() {
        let raw = Raw { r#type: linear(1, 1), rate: 1.0 };
        assert_eq!((paths(&raw)[0].as_str(), raw.rate), ("type.weight", 1.0));
        let heads: BTreeMap<String, Linear> = ["b", "a"].map(|key| (key.to_string(), linear(1, 1))).into();
        assert_eq!(paths(&heads), ["a.weight", "a.bias", "b.weight", "b.bias"]);
        let slices = &[linear(1, 1), linear(1, 1)][..];
        assert_eq!(paths(slices).len(), 4);
    }

    #[test]
    fn parameters_are_changed_by_name() {
        let mut model: Box<dyn Module> = Box::new((linear(2, 2), BatchNorm::new(2)));
        for (path, param) in model.parameters_mut() {
            if path.ends_with("weight") {
                *param.value_mut() = param.value().map(|w| w.clamp(-0.1, 0.1));
            }
        }
        assert!(model.parameters()[0].1.value().as_slice().iter().all(|w| w.abs() <= 0.1));
        assert_eq!(model.parameters_mut().len(), 7);
    }
}

mod frozen {
    use super::*;

    #[test]
    fn no_gradient_is_computed() {
        let mut model = (linear(2, 3), Relu, linear(3, 1));
        let tape = Tape::training(&mut wengert::rng(0));
        tape.freeze(&model.0);
        tape.freeze(&model.0);
        let y = model.forward(&tape.constant([[1.0, 2.0]]));
        assert_eq!(tape.len(), 3, "the head and its two parameters, and nothing of the body:\n{tape}");
        let gradients = y.sum().backward();
        assert_eq!(gradients.len(), 2);
        assert_eq!(gradients.why_missing(&model.0.weight), Some(MissingGradient::Frozen));
        assert_eq!(
            gradients.missing(&model).to_string().lines().next(),
            Some("0.weight  frozen on this tape, so that no gradient is computed")
        );
        let before = model.0.weight.value().clone();
        Adam::new(0.1).step(&mut model, &gradients);
        assert_eq!(model.0.weight.value(), &before);
    }

    #[test]
    fn a_gradient_flows_through() {
        let model = (linear(2, 2), linear(2, 1));
        let gradient = |freeze: bool| {
            let tape = Tape::new();
            if freeze {
                tape.freeze(&model.1);
            }
            model.forward(&tape.constant([[1.0, 2.0]])).sum().backward()
        };
        assert_eq!(gradient(true)[&model.0.weight], gradient(false)[&model.0.weight]);
        assert!(gradient(true).get(&model.1.weight).is_none());
    }

    #[test]
    fn too_late() {
        let layer = linear(1, 1);
        let tape = Tape::new();
        _ = tape.param(&layer.weight);
        assert_eq!(
            panic_of(|| tape.freeze(&layer)),
            "freeze: the parameter of shape [1, 1] was read or bound on this tape before: freeze it once, before its first use"
        );
    }
}

mod after_a_panic {
    use super::*;

    #[test]
    fn bindings_are_what_they_were() {
        let weight = Param::new(3.0);
        let tape = Tape::new();
        let bound = tape.var(5.0);
        let message = panic_of(|| tape.with_bound([(&weight, &bound)], || panic!("{}", tape.param(&weight).item())));
        assert_eq!(message, "5");
        assert_eq!(tape.param(&weight).item(), 3.0);
    }

    #[test]
    fn the_generator_is_what_it_was() {
        let x = Tensor::ones([100]);
        let dropped = |fail: bool| {
            let tape = Tape::training(&mut wengert::rng(0));
            let fails = std::rc::Rc::new(std::cell::Cell::new(false));
            let inner = fails.clone();
            let y = tape.var(&x).recompute(move |x| if inner.get() { panic!("{}", 1) } else { x.dropout(0.5) });
            fails.set(fail);
            if fail {
                panic_of(|| _ = y.sum().gradients());
            }
            tape.constant(&x).dropout(0.5).value().clone()
        };
        assert_eq!(dropped(true), dropped(false));
    }
}

mod statistics {
    use super::*;

    fn step(model: &mut (Linear, BatchNorm), tape: &Tape) {
        let gradients = model.forward(&tape.constant([[1.0, 2.0], [3.0, -1.0]])).square().sum().backward();
        Sgd::new(0.1).step(model, &gradients);
    }

    #[test]
    fn a_step_without_a_training_tape_panics_for_a_new_layer() {
        let mut model = (linear(2, 2), BatchNorm::new(2));
        let before = model.0.weight.value().clone();
        let message = panic_of(|| step(&mut model, &Tape::new()));
        assert!(message.contains("\"1.running_mean\"") && message.contains("tests/it_nn_new.rs"), "{message}");
        assert_eq!(model.0.weight.value(), &before);
    }

    #[test]
    fn learned_statistics_may_stay_fixed() {
        let mut model = (linear(2, 2), BatchNorm::new(2));
        step(&mut model, &Tape::training(&mut wengert::rng(0)));
        let mean = model.1.running_mean.value().clone();
        step(&mut model, &Tape::new());
        assert_eq!(model.1.running_mean.value(), &mean);
    }

    #[test]
    fn gradients_of_a_new_model_are_no_mistake() {
        let model = BatchNorm::new(2);
        let mut other = linear(2, 2);
        let gradients = model.forward(&other.forward(&Tape::new().constant([[1.0, 2.0]]))).sum().backward();
        Sgd::new(0.1).step(&mut other, &gradients);
    }
}
