//! Reasons for missing gradients.

use wengert::autograd::MissingGradient;
use wengert::ops::BatchStatistics;
use wengert::prelude::*;

struct Net {
    stem: Linear,
    branches: Vec<Linear>,
    norm: BatchNorm,
    head: Linear,
}
module!(Net { stem, branches, norm, head });

impl Net {
    fn new() -> Self {
        let mut rng = wengert::rng(0);
        let mut layer = || Linear::new(3, 3, Init::Xavier, &mut rng);
        Net {
            stem: layer(),
            branches: vec![layer(), layer(), layer(), layer()],
            norm: BatchNorm::new(3),
            head: layer(),
        }
    }
}

fn batch() -> Tensor {
    Tensor::randn([4, 3], &mut wengert::rng(1))
}

#[test]
fn the_table_of_missing_gradients_says_why() {
    let net = Net::new();
    let tape = Tape::training(&mut wengert::rng(0));
    let [used, detached, unused, bound] = [0, 1, 2, 3].map(|k| &net.branches[k]);
    let weight = tape.var(Tensor::ones([3, 3]));
    tape.bind(&bound.weight, &weight);
    let h = net.stem.forward(&tape.constant(batch()));
    let cut = detached.forward(&h).relu().detach();
    _ = unused.forward(&h).tanh();
    _ = tape.param(&net.head.weight);
    let gradients = (used.forward(&h) + cut + bound.forward(&h)).square().sum().backward();
    assert!(gradients.get(&weight).is_some());
    insta::assert_snapshot!(gradients.missing(&net).to_string());

    let only_of_it = gradients.missing(used);
    assert!(only_of_it.is_empty());
    assert_eq!(only_of_it.to_string(), "every parameter has a gradient\n");
    assert_eq!(gradients.why_missing(&net.norm.running_mean), Some(MissingGradient::Buffer));
}

#[test]
fn accumulated_gradients_miss_what_both_miss() {
    let (a, b, c) = (Param::new(1.0), Param::new(2.0), Param::new(3.0));
    let gradients_of = |used: &Param, unused: &[&Param]| {
        let tape = Tape::new();
        unused.iter().for_each(|param| _ = tape.param(param).exp());
        tape.param(used).exp().backward()
    };
    let mut gradients = gradients_of(&a, &[&b, &c]);
    gradients += gradients_of(&b, &[&a, &c]);
    assert_eq!((gradients.why_missing(&a), gradients.why_missing(&b)), (None, None));
    assert!(matches!(gradients.why_missing(&c), Some(MissingGradient::Unused { operation: "exp", .. })));
}

#[test]
fn a_rule_that_passes_nothing_on_is_told_from_an_unused_parameter() {
    #[derive(Debug)]
    struct Opaque;
    impl Op<f32, 1> for Opaque {
        const NAME: &'static str = "opaque";
        const SAVE: Save = Save::Nothing;
        fn forward(&mut self, [x]: [&Tensor; 1]) -> Tensor {
            x.clone()
        }
        fn backward(&self, _: &Saved<f32, 1>, _: &Var) -> [Option<Var>; 1] {
            [None]
        }
    }
    let weight = Param::new(1.0);
    let gradients = Tape::new().param(&weight).exp().apply(Opaque).backward();
    assert_eq!(gradients.why_missing(&weight), Some(MissingGradient::NotPropagated));
}

#[test]
fn the_gradient_of_a_batch_norm_is_not_a_detach() {
    let weight = Param::new(tensor![f64; 1.0, -2.0]);
    let tape = Tape::new_f64();
    let x = tape.var(tensor![f64; [1.0, 4.0], [3.0, 0.0], [2.0, 1.0]]);
    let y = (&x * &weight).batch_norm(1.0, 0.0, BatchStatistics::OfBatch, 1e-5).y;
    _ = y.square().sum().grad(&x);
    let gradients = x.square().sum().backward();
    assert!(matches!(gradients.why_missing(&weight), Some(MissingGradient::Unused { .. })));
}
