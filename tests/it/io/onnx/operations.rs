//! Exports of single operations.

use super::{Input, export, export_inputs, has, random};
use wengert::io::onnx::Inputs;
use wengert::nn::EmbeddingBag;
use wengert::prelude::*;

#[test]
fn values_of_one_element_are_told_apart() {
    let model: Linear = Linear::new(2, 1, Init::He, &mut wengert::rng(0));
    let forward = |inputs: &Inputs| {
        let h = model.forward(&inputs.values("x"));
        let class = inputs.tape().param(model.bias.as_ref().unwrap()).unsqueeze(0).broadcast_to([h.shape()[0], 1]);
        Var::concat(&[&h.relu() - &h.tanh() * &h, class + 1.0], 1)
    };
    export("scalar", &model, true, |n| random(&[n - 1, 2]), forward);
}

#[test]
fn functions_and_slices_are_exported() {
    let scale: Param = Param::new([1.0, 2.0, 3.0, 4.0]);
    let forward = |inputs: &Inputs| {
        let x = inputs.values("x");
        let positive = x.abs() + 1.5;
        let values = [
            positive.ln() - positive.sqrt() * positive.rsqrt(),
            x.sin() * x.cos() + x.tanh() / positive.exp(),
            x.sigmoid().maximum(&x).minimum(&positive),
            x.gelu() + x.mish() + x.leaky_relu(0.1) + x.square() + x.hardswish() + x.hardsigmoid(),
            x.elu(0.7) + x.selu() + x.celu(1.3) + x.softplus_with(2.0, f64::INFINITY) + x.log_sigmoid() + x.erf()
                - x.erfc(),
            x.exp2() + x.expm1() + positive.log2() - positive.log10() * x.abs().log1p() + x.logaddexp(&positive),
            x.hypot(&positive),
            x.clamp(-0.5, 0.5) + x.powi(3) + positive.powf(1.3) + x.softsign() + 1.0 / &positive + (1.0 - &x),
        ];
        let all = Var::concat(&values, 1) * inputs.tape().param(&scale);
        let part = all.slice_step(1, 1..9, 3).permute([0, 2, 1]);
        let rows = all.max_over(1) + all.amin_over(1) - all.sum_over(1) + all.select(1, 4);
        Var::concat(&[part.flatten(1, -1), rows], 1)
    };
    export("functions", &scale, true, |n| random(&[n, 2, 4]), forward);
}

#[test]
fn parts_of_values_are_exported() {
    let class: Param = Param::new([1.0, -2.0, 3.0, 0.5]);
    let forward = |inputs: &Inputs| {
        let x = inputs.values("x");
        let n = x.shape()[0];
        let class = inputs.tape().param(&class).reshape([1, 1, 4]).broadcast_to([n, 1, 4]);
        let steps = inputs.tape().constant(Tensor::arange(0.0, 4.0, 1.0).broadcast_to([n, 1, 4]));
        let mask = tensor![[0.0, 1.0, 0.0, 1.0]];
        let rows = [
            class,
            steps,
            x.flip([1, 2]).where_(&mask, &x * 2.0),
            x.slice_step(1, .., -1).pad(&[(0, 0), (1, 2)], PadMode::Constant(0.5)).slice(1, 1..),
            x.pad(&[(1, 1)], PadMode::Reflect).pad(&[(2, 0)], PadMode::Constant(0.0)).slice(2, 1..5),
            x.index_select(-1, &[3, 0, 0, 1]).cumsum(2).triu(-1),
            x.tril(1).masked_fill(&mask, -1.0),
            Var::stack(&[x.norm_over(2.0, 2), x.logsumexp_over(2)], 1).repeat_interleave(2, 2).slice(2, ..4),
        ];
        // The batch is the second axis here.
        let turned = Var::concat(&rows, 1).transpose(0, 1);
        Var::concat(&[turned.select(0, -1), turned.slice(0, 2..4).transpose(0, 1).flatten(1, -1)], 1)
            + Var::concat(&rows, 1).flatten(1, -1).slice(1, ..12)
    };
    export("parts", &class, true, |n| random(&[n, 3, 4]), forward);
}

#[test]
fn losses_are_exported_with_labels_as_indices() {
    let model: Linear = Linear::new(4, 3, Init::He, &mut wengert::rng(0));
    let labels = |n: usize| Input::Indices(Indices::new((0..n).map(|k| k % 3).collect::<Vec<_>>(), [n]));
    let forward = |inputs: &Inputs| {
        let scores = model.forward(&inputs.values("x"));
        let loss = CrossEntropy::new().reduction(Reduction::None).loss(&scores, inputs.indices("labels").as_slice());
        loss + scores.mse_loss(&(&scores * 0.5), Reduction::None).sum_over(1)
    };
    export_inputs("loss", &model, true, |n| vec![("x", random(&[n, 4])), ("labels", labels(n))], forward);
    let mean = |inputs: &Inputs| {
        let x = model.forward(&inputs.values("x"));
        x.softmax_cross_entropy(&[2, 0]) + x.mse_loss(Tensor::ones([2, 3]), Reduction::Mean)
    };
    export("mean_loss", &model, false, |n| random(&[n, 4]), mean);
}

#[test]
fn lookups_and_additions_at_indices_are_exported() {
    let scale: Param = Param::new([1.0, 2.0, 3.0, 4.0]);
    let samples = |n: usize| {
        let indices: Vec<usize> = (0..2 * n).map(|k| (3 * k + 1) % 4).collect();
        vec![("x", random(&[n, 4])), ("k", Input::Indices(Indices::new(indices, [n, 2])))]
    };
    let forward = |inputs: &Inputs| {
        let x = inputs.values("x") * inputs.tape().param(&scale);
        let k = inputs.indices("k");
        let taken = x.gather(1, &k);
        let flat = Indices::new(k.as_slice().to_vec(), [k.as_slice().len()]);
        let rows = inputs.tape().param(&scale).index_select(0, flat.as_slice()).reshape(k.shape());
        let added = inputs.tape().constant(Tensor::zeros(x.shape())).scatter_add(1, &k, &taken * 2.0);
        Var::concat(&[&taken + rows, added], 1)
    };
    let file = export_inputs("gather", &scale, true, samples, forward);
    assert!(has(&file, &["GatherElements", "ScatterElements"]));
    let forward = |inputs: &Inputs| {
        let x = inputs.values("x") * inputs.tape().param(&scale);
        let chosen = x.transpose(0, 1).index(&[[3, 0, 3].into()]).transpose(0, 1);
        let pairs = x.reshape([-1, 2, 2]).permute([1, 2, 0]).index(&[[0, 1].into(), [1, 0].into()]).transpose(0, 1);
        let added = (&x * 0.5).index_add(1, &[2, 0, 2], &chosen);
        Var::concat(&[chosen, pairs, added, x.roll(-3, 1), x.roll(9, 1), x.roll(1, 0), x.roll(-5, 0)], 1)
    };
    let file = export("index", &scale, true, |n| random(&[n, 4]), forward);
    assert!(has(&file, &["Range", "Mod", "ScatterElements"]));
    let log_probabilities = |inputs: &Inputs| {
        let scores = (inputs.values("x") * inputs.tape().param(&scale)).log_softmax(1);
        let labels = inputs.indices("labels");
        CrossEntropy::new().reduction(Reduction::None).nll_loss(&scores, labels.as_slice())
    };
    let labels = |n: usize| Input::Indices(Indices::new((0..n).map(|k| (k + 1) % 4).collect::<Vec<_>>(), [n]));
    export_inputs(
        "nll_loss",
        &scale,
        false,
        |n| vec![("x", random(&[n, 4])), ("labels", labels(n))],
        log_probabilities,
    );
}

#[test]
fn bags_of_one_size_are_exported() {
    let model: EmbeddingBag = EmbeddingBag::new(5, 3, Init::Normal(1.0), &mut wengert::rng(0));
    let forward = |inputs: &Inputs| {
        let bags = inputs.indices("x");
        model.forward(inputs.tape(), &bags.as_slice().chunks(3).collect::<Vec<_>>())
    };
    let sample = |_| Input::Indices([[0, 4, 2], [2, 3, 3]].into());
    export("bags", &model, false, sample, forward);
}

#[test]
fn windows_are_exported_as_columns() {
    let weight: Param = Param::new(Tensor::randn([5, 3 * 3 * 2], &mut wengert::rng(0)));
    let forward = |inputs: &Inputs| {
        let options = Conv::new().stride([2, 1]).padding([1, 2]).dilation([1, 3]);
        inputs.tape().param(&weight).matmul(inputs.values("x").unfold2d([3, 2], options))
    };
    export("unfold", &weight, true, |n| random(&[n, 3, 6, 5]), forward);
}

#[test]
fn angles_are_exported_in_all_quadrants() {
    let scale: Param = Param::new(1.0);
    let forward = |inputs: &Inputs| {
        let y = inputs.values("x") * inputs.tape().param(&scale);
        let x = inputs.tape().constant(tensor![[1.0], [-2.0], [0.0], [1e30], [-1e-30]]);
        y.atan2(&x)
    };
    let sample = |_| Input::Values(tensor![0.0, 1.0, -3.0, 1e30, -1e-20, f32::INFINITY]);
    export("atan2", &scale, false, sample, forward);
}

#[test]
fn scans_and_determinants_are_exported() {
    let scale: Param = Param::new(1.5);
    let forward = |inputs: &Inputs| {
        let x = inputs.values("x") * inputs.tape().param(&scale);
        let rows = [x.cumsum(1), x.cumprod(2), x.logcumsumexp(1), (&x * 40.0).logcumsumexp(-1), x.flip([1]).cumprod(1)];
        Var::concat(&[Var::concat(&rows, 1).flatten(1, -1), x.det().unsqueeze(1)], 1)
    };
    let file = export("scans", &scale, true, |n| random(&[n, 3, 3]), forward);
    assert!(has(&file, &["CumSum", "Split", "ReduceLogSumExp", "Det"]));
}

#[test]
fn losses_between_numbers_and_probabilities_are_exported() {
    let scale: Param = Param::new(0.8);
    let none = Reduction::None;
    let forward = |inputs: &Inputs| {
        let (x, t) = (inputs.values("x") * inputs.tape().param(&scale), inputs.values("t"));
        let logarithms = x.log_softmax(1);
        let losses = [
            x.sigmoid().bce_loss(&t, none),
            x.bce_with_logits_loss(&t, none),
            x.bce_with_logits_pos_weight(&t, 3.0, none),
            logarithms.kl_div_loss(&t, none),
            logarithms.kl_div_log_loss(t.ln(), none),
            x.huber_loss(&t, 0.7, none),
            x.smooth_l1_loss(&t, 0.3, none),
            CrossEntropy::new().reduction(none).soft_target_loss(&x, &t).unsqueeze(1),
        ];
        Var::concat(&losses, 1)
    };
    let targets = |n: usize| (0..4 * n).map(|k| [0.25, 0.0, 1.0, 0.75][k % 4]).collect::<Vec<f32>>();
    let samples = |n: usize| vec![("x", random(&[n, 4])), ("t", Input::Values(Tensor::from_vec(targets(n), [n, 4])))];
    export_inputs("losses", &scale, true, samples, forward);
}

#[test]
fn means_and_variances_over_the_batch_are_exported_for_any_size() {
    let scale: Param = Param::new([1.0, 2.0, 3.0, 4.0]);
    let samples = |n: usize| {
        let labels: Vec<usize> = (0..3 * n).map(|k| (k + 1) % 4).collect();
        vec![("x", random(&[n, 4, 3])), ("labels", Input::Indices(Indices::new(labels, [n, 3])))]
    };
    let forward = |inputs: &Inputs| {
        let x = inputs.values("x") * inputs.tape().param(&scale).unsqueeze(1);
        let labels = inputs.indices("labels");
        let values = [
            x.mean(),
            x.var(),
            x.var_over(.., 0.0),
            x.mean_over([0, 2]).sum(),
            x.var_over(0, 0.0).mean(),
            x.mse_loss(x.tanh(), Reduction::Mean),
            x.l1_loss(x.tanh(), Reduction::BatchMean),
            x.softmax_cross_entropy(labels.as_slice()),
        ];
        Var::stack(&values, 0)
    };
    let file = export_inputs("mean_of_batch", &scale, true, samples, forward);
    assert!(has(&file, &["Cast", "SoftmaxCrossEntropyLoss"]));
}
