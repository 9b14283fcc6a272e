//! The gradients returned by a backward pass.

use crate::support::compare::assert_close;
use crate::support::panics::{Panic, messages};
use crate::support::samples::{Net, gradients_of, variable};
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("no_gradient", || {
        let x = variable();
        let unused = x.tape().var(1.0);
        _ = x.sum().backward()[&unused];
    }),
    ("no_gradient", || _ = variable().sum().backward()[&Param::new(1.0)]),
    ("gradient_of_a_constant", || {
        let x = variable();
        _ = (&x * &x.constant(2.0)).sum().backward()[&x.constant(2.0)];
    }),
    ("not_retained", || {
        let h = variable().exp();
        _ = h.sum().backward()[&h];
    }),
    ("does_not_broadcast_to", || {
        let mut weight = Param::new([1.0, 2.0]);
        let mut gradients = gradients_of(&weight);
        *weight.value_mut() = Tensor::ones([3]);
        gradients += gradients_of(&weight);
    }),
    ("direction_shape", || {
        let weight = Param::new([1.0, 2.0]);
        let other: Gradients = [(&weight, Tensor::ones([3]))].into_iter().collect();
        _ = gradients_of(&weight).dot(&other);
    }),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn gradients_of_a_small_network() {
    let net = Net::new();
    let loss = net.loss(&Tape::new());
    let mut text = format!("loss {:.6}\n", loss.item());
    let gradients = loss.backward();
    for (path, param) in net.parameters() {
        text += &format!("\n{path}\n{:.6}\n", gradients[param]);
    }
    insta::assert_snapshot!(text);
}

#[test]
fn gradients_of_several_batches_add_up() {
    let weight = Param::<f64>::new([1.0, 2.0]);
    let batch = |x: [f64; 2]| (Tape::new_f64().constant(x) * &weight).sum().backward();
    let mut gradients = batch([1.0, 10.0]);
    gradients += batch([2.0, 20.0]);
    assert_eq!(gradients[&weight], tensor![f64; 3.0, 30.0]);
}

#[test]
fn a_gradient_of_one_batch_only_is_taken_over() {
    let (a, b) = (Param::<f64>::new(1.0), Param::<f64>::new(2.0));
    let mut gradients = (Tape::new_f64().constant(3.0) * &a).backward();
    gradients += (Tape::new_f64().constant(5.0) * &b).backward();
    assert_eq!((gradients[&a].item(), gradients[&b].item()), (3.0, 5.0));
}

type Loss = fn(&Var<f64>) -> Var<f64>;

/// Lookups in a table with five rows of two, and what else reads it; each loss has a gradient for some rows only.
fn losses() -> [Loss; 4] {
    [
        |table| table.embedding([[3, 1], [3, 3]], None).square().sum(),
        |table| (table.embedding([0, 3], Some(0)) * 3.0).sum() + table.embedding([[3, 4]], None).exp().sum(),
        |table| table.embedding([2, 2], None).sin().sum() + table.square().sum(),
        |table| (table * 2.0).embedding([1, 4], None).square().sum(),
    ]
}

#[test]
fn the_gradient_of_a_lookup_is_a_list_of_the_rows_that_were_read() {
    let table = Param::<f64>::new(Tensor::randn([5, 2], &mut wengert::rng(0)));
    let rows = losses().map(|loss| {
        let tape = Tape::new_f64();
        let leaf = tape.param(&table);
        let recorded = loss(&leaf).grad(&leaf);
        let gradients = loss(&leaf).backward();
        assert_close(&gradients[&table], recorded.value());
        assert_close(&gradients.clone().into_dense()[&table], recorded.value());
        gradients.rows(&table).map(|rows| rows.indices().to_vec())
    });
    assert_eq!(rows, [Some(vec![1, 3]), Some(vec![3, 4]), None, None]);
}

#[test]
fn lists_of_rows_are_gradients_like_others() {
    let table = Param::<f64>::new(Tensor::randn([5, 2], &mut wengert::rng(0)));
    let all: Vec<Gradients<f64>> =
        losses().into_iter().map(|loss| loss(&Tape::new_f64().param(&table)).backward()).collect();
    for a in &all {
        let dense = a.clone().into_dense();
        assert!((a.norm() - dense.norm()).abs() < 1e-12 && (a.norm_p(1.0) - dense.norm_p(1.0)).abs() < 1e-12);
        let (mut clipped, mut expected) = (a.clone() * 2.0, dense.clone() * 2.0);
        assert!((clipped.clip_norm(1.5) - expected.clip_norm(1.5)).abs() < 1e-12);
        assert_close(&clipped[&table], &expected[&table]);
        clipped.clip_value(0.1);
        expected.clip_value(0.1);
        assert_close(&clipped[&table], &expected[&table]);
        let mut changed = a.clone();
        *changed.get_mut(&table).unwrap() += 1.0;
        assert_close(&changed[&table], &(&dense[&table] + 1.0));
        assert!(changed.rows(&table).is_none());
        for b in &all {
            let mut sum = a.clone();
            sum += b.clone();
            assert_close(&sum[&table], &(&a[&table] + &b[&table]));
            assert_eq!(sum.rows(&table).is_some(), a.rows(&table).is_some() && b.rows(&table).is_some());
            assert!((a.dot(b) - dense.dot(&b.clone().into_dense())).abs() < 1e-12);
        }
    }
    let one = |tape: &Tape<f64>, row: &usize| tape.param(&table).embedding([*row, 4], None).sum();
    let (_, sum) = wengert::parallel::gradients(&mut wengert::rng(0), &[1usize, 2], one).unwrap();
    let rows = sum.rows(&table).unwrap();
    assert_eq!((rows.indices(), rows.shape()), (&[1, 2, 4][..], &[5, 2][..]));
    assert_eq!(rows.values(), &tensor![f64; [1.0, 1.0], [1.0, 1.0], [2.0, 2.0]]);
}

#[test]
fn retained_gradients_are_those_of_every_use_and_count_for_nothing_else() {
    let weight = Param::new([1.0, 2.0]);
    let tape = Tape::new();
    let h = tape.param(&weight).exp();
    let (twice, elsewhere) = (&h * 2.0, h.square());
    [&h, &elsewhere, &h].into_iter().for_each(Var::retain_grad);
    let loss = (twice.sin() + &h).sum();
    let gradients = loss.gradients();
    assert_eq!(gradients[&h], (tape.constant(h.value() * 2.0).cos() * 2.0 + 1.0).value().clone());
    assert!(gradients.get(&elsewhere).is_none() && gradients.get(&twice).is_none());
    let mut without = tape_free_gradients(&weight);
    assert_eq!(gradients.norm(), without.norm());
    assert_eq!(gradients[&weight], without[&weight]);
    without += gradients;
    assert_eq!(without.len(), 2);
}

/// The gradients of the same loss without retained variables.
fn tape_free_gradients(weight: &Param) -> Gradients {
    let h = Tape::new().param(weight).exp();
    ((&h * 2.0).sin() + &h).sum().backward()
}
