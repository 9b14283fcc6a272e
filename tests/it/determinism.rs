//! Reproducibility: the same seed gives the same bits; also, which types are `Send` and which are not.

use std::sync::{Mutex, PoisonError};
use wengert::parallel;
use wengert::prelude::*;

/// Checks that a computation gives the same bits on one to eight threads.
///
/// The setting is global, so the tests that change it run one at a time; no other result depends on it.
fn same_on_any_number_of_threads(run: impl Fn() -> Vec<u32>) {
    static NUMBER: Mutex<()> = Mutex::new(());
    let _guard = NUMBER.lock().unwrap_or_else(PoisonError::into_inner);
    let before = wengert::num_threads();
    let [one, others @ ..] = [1, 2, 3, 4, 8].map(|threads| {
        wengert::set_num_threads(threads);
        run()
    });
    wengert::set_num_threads(before);
    assert!(others.iter().all(|other| *other == one));
}

/// Trains a small network with dropout and returns the bits of its losses and parameters.
fn train(seed: u64) -> Vec<u32> {
    let mut rng = wengert::rng(seed);
    let mut model = (Linear::new(20, 16, Init::He, &mut rng), Linear::new(16, 4, Init::Xavier, &mut rng));
    let mut optimizer = Adam::new(1e-2);
    let images: Tensor = Tensor::randn([64, 20], &mut rng);
    let labels: Vec<usize> = (0..64).map(|k| k % 4).collect();
    let mut bits = Vec::new();
    for _ in 0..20 {
        let tape = Tape::training(&mut rng);
        let h = model.0.forward(&tape.constant(&images)).tanh().dropout(0.3);
        let loss = model.1.forward(&h).softmax_cross_entropy(&labels);
        bits.push(loss.item().to_bits());
        optimizer.step(&mut model, &loss.backward());
    }
    let parameters = model.parameters().into_iter().flat_map(|(_, param)| param.value().to_vec());
    bits.extend(parameters.map(f32::to_bits));
    bits
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    assert_eq!(train(1), train(1));
    assert_ne!(train(1), train(2));
}

#[test]
fn threads_do_not_disturb_each_other() {
    let expected = train(1);
    let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(|| train(1))).collect();
    assert!(threads.into_iter().all(|thread| thread.join().expect("no panic") == expected));
}

#[test]
fn threads_train_at_once_with_workers_and_bounds_of_their_own() {
    // Large enough that products and elementwise passes are divided among threads.
    let train = || {
        let mut rng = wengert::rng(3);
        let mut model = (Linear::new(200, 256, Init::He, &mut rng), Linear::new(256, 10, Init::Xavier, &mut rng));
        let mut optimizer = Adam::new(1e-3);
        let images: Tensor = Tensor::randn([256, 200], &mut rng);
        let labels: Vec<usize> = (0..256).map(|k| k % 10).collect();
        for _ in 0..5 {
            let tape = Tape::training(&mut rng);
            let h = model.0.forward(&tape.constant(&images)).gelu().dropout(0.3);
            let loss = model.1.forward(&h).softmax_cross_entropy(&labels);
            optimizer.step(&mut model, &loss.backward());
        }
        let parameters = model.parameters().into_iter().flat_map(|(_, param)| param.value().to_vec());
        parameters.map(f32::to_bits).collect::<Vec<_>>()
    };
    let expected = wengert::with_threads(1, train);
    let bound = |k| move || if k == 0 { train() } else { wengert::with_threads(k, train) };
    let threads: Vec<_> = (0..8).map(|k| std::thread::spawn(bound(k))).collect();
    assert!(threads.into_iter().all(|thread| thread.join().expect("no panic") == expected));
}

#[test]
fn threads_share_a_model_and_bring_their_gradients_back() {
    let model = Linear::new(3, 2, Init::He, &mut wengert::rng(0));
    let gradients_of = |row: f64| {
        let tape = Tape::new();
        let x = tape.constant(Tensor::full([1, 3], row));
        model.forward(&x).sum().backward()
    };
    let mut total = std::thread::scope(|scope| {
        let threads = [1.0, 2.0].map(|row| scope.spawn(move || gradients_of(row)));
        let [first, second] = threads.map(|thread| thread.join().expect("no panic"));
        let mut total = first;
        total += second;
        total
    });
    total *= 0.5;
    assert_eq!(total[&model.weight], Tensor::full([2, 3], 1.5));
}

#[test]
fn values_travel_and_variables_stay() {
    fn travels<X: Send + Sync>() {}
    travels::<(Tensor, Param, Gradients, Linear, Adam, Sgd)>();
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let images: Tensor = Tensor::randn([64, 8], &mut wengert::rng(1));
    let shards: Vec<Tensor> = (0..16).map(|k| images.rows(&[4 * k, 4 * k + 1, 4 * k + 2, 4 * k + 3])).collect();
    let run = || {
        let mut rng = wengert::rng(0);
        let mut model = (Linear::new(8, 6, Init::He, &mut rng), BatchNorm::new(6));
        let mut optimizer = Sgd::new(0.1);
        for _ in 0..3 {
            let loss = |tape: &Tape, shard: &Tensor| {
                let h = model.0.forward(&tape.constant(shard));
                model.1.forward(&h).tanh().dropout(0.2).square().sum()
            };
            let (_, gradients) = parallel::gradients(&mut rng, &shards, loss).expect("there are shards");
            optimizer.step(&mut model, &gradients);
        }
        let values = model.parameters().into_iter().flat_map(|(_, param)| param.value().to_vec());
        values.map(f32::to_bits).collect::<Vec<u32>>()
    };
    same_on_any_number_of_threads(run);
}

#[test]
fn the_number_of_threads_does_not_change_an_order() {
    let x: Tensor = Tensor::randn([70, 500, 2], &mut wengert::rng(1));
    let run = || {
        let orders = [x.argsort(1, false), x.topk(3, 1).1, x.argsort(-1, true)];
        orders.iter().flat_map(|order| order.as_slice().iter().map(|&k| k as u32)).collect()
    };
    same_on_any_number_of_threads(run);
}

#[test]
fn the_number_of_threads_does_not_change_a_convolutional_network() {
    let images: Tensor = Tensor::randn([24, 2, 17, 16], &mut wengert::rng(1));
    let labels: Vec<usize> = (0..24).map(|k| k % 5).collect();
    let run = || {
        let mut rng = wengert::rng(0);
        let first = Conv2d::new(2, 16, 3, Init::He, &mut rng).padding(1);
        let second = Conv2d::new(16, 16, 3, Init::He, &mut rng).padding(1);
        let third = Conv2d::grouped(16, 12, 3, 2, Init::He, &mut rng).stride(2);
        let mut model = (first, second, third, Linear::new(12 * 9, 5, Init::He, &mut rng));
        let mut optimizer = Adam::new(1e-2);
        for _ in 0..3 {
            let h = model.0.forward(&Tape::new().var(&images)).relu().max_pool2d(2);
            let h = model.2.forward(&model.1.forward(&h)).relu().avg_pool2d(1).flatten(1, -1);
            let gradients = model.3.forward(&h).softmax_cross_entropy(&labels).backward();
            optimizer.step(&mut model, &gradients);
        }
        let values = model.parameters().into_iter().flat_map(|(_, param)| param.value().to_vec());
        values.map(f32::to_bits).collect::<Vec<u32>>()
    };
    same_on_any_number_of_threads(run);
}

#[test]
fn the_number_of_threads_does_not_change_an_attention() {
    // Several blocks of queries, parts of keys that are summed, and many small heads.
    for [batch, heads, positions, size] in [[1, 1, 1100, 16], [2, 3, 130, 24], [40, 4, 20, 8]] {
        let x: Tensor = Tensor::randn([batch, positions, 3 * heads * size], &mut wengert::rng(1));
        let run = || {
            let tape = Tape::training(&mut wengert::rng(0));
            let batch = tape.var(&x);
            let y = batch.self_attention(&Attention::new().heads(heads).causal().dropout(0.2));
            let value = y.value().clone();
            let gradients = y.square().sum().backward();
            [value, gradients[&batch].clone()].iter().flat_map(|x| x.to_vec()).map(f32::to_bits).collect()
        };
        same_on_any_number_of_threads(run);
    }
}

#[test]
fn the_number_of_threads_does_not_change_a_normalisation() {
    for shape in [&[1100, 133][..], &[48, 24, 13, 11], &[300, 70, 2, 2]] {
        let x: Tensor = Tensor::randn(shape, &mut wengert::rng(1));
        let run = || {
            let mut layer = BatchNorm::new(shape[1]);
            let tape = Tape::training(&mut wengert::rng(0));
            let batch = tape.var(&x);
            let y = layer.forward(&batch);
            let gradients = (y.square() * &y).sum().backward();
            Sgd::new(0.1).step(&mut layer, &gradients);
            let parameters = layer.parameters().into_iter().flat_map(|(_, param)| param.value().to_vec());
            let bits = gradients[&batch].to_vec().into_iter().chain(y.value().to_vec()).chain(parameters);
            bits.map(f32::to_bits).collect::<Vec<u32>>()
        };
        same_on_any_number_of_threads(run);
    }
}

#[test]
fn the_number_of_threads_does_not_change_an_update_of_rows() {
    let values: Tensor = Tensor::randn([9000, 50], &mut wengert::rng(0));
    let rows: Vec<usize> = (0..8000).map(|k| k * 7919 % 9000).collect();
    let run = || {
        let (mut model, mut optimizer) = (Param::new(values.clone()), Adam::new(0.1).amsgrad());
        for _ in 0..3 {
            let gradients = Tape::new().param(&model).embedding(&rows, None).square().sum().backward();
            assert_eq!(gradients.rows(&model).map(|rows| rows.indices().len()), Some(8000));
            optimizer.step(&mut model, &gradients);
        }
        model.value().to_vec().into_iter().map(f32::to_bits).collect::<Vec<u32>>()
    };
    same_on_any_number_of_threads(run);
}

#[test]
fn the_number_of_threads_does_not_change_a_recurrent_network() {
    let x: Tensor = Tensor::randn([30, 45, 9], &mut wengert::rng(1));
    let lengths: Vec<usize> = (0..45).map(|k| 1 + k * 11 % 30).collect();
    let run = || {
        let mut rng = wengert::rng(0);
        let options = Recurrent::new().layers(2).bidirectional().dropout(0.2);
        let mut model = (Lstm::with_options(9, 33, options, &mut rng), Gru::new(66, 40, &mut rng));
        let mut optimizer = Sgd::new(0.1);
        for _ in 0..2 {
            let tape = Tape::training(&mut rng);
            let (h, _) = model.0.forward_padded(&tape.constant(&x), &lengths, None);
            let gradients = model.1.forward(&h).square().mean().backward();
            optimizer.step(&mut model, &gradients);
        }
        let values = model.parameters().into_iter().flat_map(|(_, param)| param.value().to_vec());
        values.map(f32::to_bits).collect::<Vec<u32>>()
    };
    same_on_any_number_of_threads(run);
}

#[test]
fn the_number_of_threads_does_not_change_an_optimizer() {
    let values: Tensor = Tensor::randn([300_007], &mut wengert::rng(0));
    let run = || {
        let (mut model, mut optimizer) = (Param::new(values.clone()), Adam::new(0.1).amsgrad().weight_decay(0.1));
        for _ in 0..3 {
            let gradients = Tape::new().param(&model).square().sum().backward();
            optimizer.step(&mut model, &gradients);
        }
        model.value().to_vec().into_iter().map(f32::to_bits).collect::<Vec<u32>>()
    };
    same_on_any_number_of_threads(run);
}

#[test]
fn the_number_of_threads_does_not_change_copies_reductions_and_scans() {
    // Sizes that no number of threads divides, and a first axis that is shorter than the number of threads.
    for shape in [[61, 47, 29], [3, 173, 171], [1, 1, 90_001]] {
        let x: Tensor = Tensor::uniform(shape, 0.9, 1.1, &mut wengert::rng(5));
        let compute = || {
            let tape = Tape::new();
            let x = tape.var(&x);
            let n = shape[2];
            let mut parts = vec![
                x.permute([2, 1, 0]),
                x.permute([1, 0, 2]),
                x.flip([0, 2]),
                x.flip(0),
                x.slice_step(2, .., 2),
                x.slice_step(2, .., -3),
                x.slice(2, 1..n / 2),
                x.roll(5, 2),
                x.triu(1),
                x.pad(&[(3, 2), (1, 0)], PadMode::Constant(0.5)),
                x.pad(&[(3, 2)], PadMode::Reflect),
                x.repeat([2, 1, 3]),
                x.repeat_interleave(3, 2),
                Var::concat(&[&x, &x.flip(2)], 2),
                Var::stack(&[&x, &(&x * 2.0)], 3),
                Var::stack(&[&x, &(&x * 2.0)], 0),
                x.cumsum(2),
                x.index_add(0, &[0; 40], x.index_select(0, &[0; 40])),
                x.index_add(0, &[0, 0, 0], x.index_select(0, &[0, 0, 0])),
                x.cumprod(1),
                x.logcumsumexp(2),
                x.index_select(2, &(0..n).map(|k| k * 7 % n).collect::<Vec<_>>()),
            ];
            for axes in [vec![0], vec![1], vec![2], vec![0, 2], vec![1, 2], vec![0, 1, 2]] {
                parts.extend([
                    x.sum_over(&axes[..]),
                    x.var_over(&axes[..], 0.0),
                    x.prod_over(&axes[..]),
                    x.max_over(&axes[..]),
                ]);
            }
            let loss = parts.iter().map(|part| part.square().mean()).sum::<Var>();
            let gradient = loss.backward()[&x].to_vec();
            let values = parts.iter().flat_map(|part| part.value().to_vec());
            values.chain(gradient).map(f32::to_bits).collect::<Vec<_>>()
        };
        same_on_any_number_of_threads(compute);
    }
}

#[test]
fn the_number_of_threads_does_not_change_rows_and_lookups() {
    for n in [10, 130, 1024] {
        let x: Tensor = Tensor::randn([131_072 / n, n], &mut wengert::rng(0));
        let indices = Indices::new((0..x.len()).map(|k| k * 37 % n).collect::<Vec<_>>(), [131_072 / n, n]);
        let run = || {
            let x = Tape::new().var(&x);
            let rows = x.softmax(1) * x.log_softmax(1) + x.logsumexp_over(keepdim(1));
            let y = (rows + x.gelu() * x.silu()).gather(1, &indices).scatter_add(1, &indices, &x);
            let gradient = (&y * y.matmul(Tensor::ones([n])).unsqueeze(1)).sum().grad(&x);
            y.value().iter().chain(gradient.value()).map(|x| x.to_bits()).collect::<Vec<u32>>()
        };
        same_on_any_number_of_threads(run);
    }
}
