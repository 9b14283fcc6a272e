//! Conversions that are features of the crate: arrays of ndarray, and serde.

use ndarray::{Array, ArrayD, ArrayView2, ArrayViewD, ArrayViewMutD, array, s};
use serde_json::{Value, from_str, from_value, json, to_string, to_value};
use std::collections::BTreeMap;
use wengert::Generator;
use wengert::optim::{EarlyStopping, Settings, State, StoppingState};
use wengert::prelude::*;
use wengert::rand::RngExt;

/// A view of an array.
type View = fn(&Array<f32, ndarray::Ix2>) -> ArrayView2<f32>;

/// A matrix of different numbers, with a row and a column that are cut off in some tests.
fn grid() -> Array<f32, ndarray::Ix2> {
    Array::from_shape_fn((4, 5), |(i, j)| (10 * i + j) as f32)
}

/// The elements of an array in the order of its indices, one at a time.
fn in_order(view: ArrayView2<f32>) -> Vec<f32> {
    let (rows, columns) = view.dim();
    (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))).map(|(i, j)| view[[i, j]]).collect()
}

#[test]
fn arrays_become_tensors_without_a_copy_where_they_are_contiguous() {
    let a = grid();
    let at = a.as_ptr();
    let x = Tensor::from(a);
    assert_eq!((x.shape(), x.as_slice().as_ptr()), (&[4, 5][..], at));
    // The end of the vector is taken over too, not what is before it.
    let tail = grid().slice_move(s![2.., ..]);
    assert_eq!(Tensor::from(tail.clone()).as_slice(), in_order(tail.view()));
}

#[test]
fn arrays_in_another_order_are_put_in_order() {
    let views: [View; 5] =
        [|a| a.t(), |a| a.slice(s![.., 1..3]), |a| a.slice(s![..;-1, ..;2]), |a| a.slice(s![1..1, ..]), |a| a.view()];
    for view in views {
        let array = grid();
        let view = view(&array);
        for x in [Tensor::from(view), Tensor::from(view.to_owned()), Tensor::from(&view.to_owned())] {
            assert_eq!((x.shape(), x.as_slice()), (view.shape(), &in_order(view)[..]));
        }
    }
    let columns = Array::from_shape_vec(ndarray::ShapeBuilder::f((2, 3)), vec![1.0f64, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(Tensor::from(columns.unwrap()), tensor![f64; [1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]);
    assert_eq!(Tensor::from(ndarray::arr0(2.5f64)), Tensor::scalar(2.5));
}

#[test]
fn tensors_are_seen_as_arrays() {
    let mut x = tensor![[1.0, 2.0], [3.0, 4.0]];
    let view = ArrayViewD::from(&x);
    assert_eq!((view.as_ptr(), view[[0, 1]]), (x.as_slice().as_ptr(), 2.0));
    let shared = x.clone();
    ArrayViewMutD::from(&mut x)[[0, 1]] = 9.0;
    assert_eq!((x[[0, 1]], shared[[0, 1]]), (9.0, 2.0));
    assert_eq!(ArrayD::from(&x), array![[1.0, 9.0], [3.0, 4.0]].into_dyn());
    assert_eq!(Tensor::from(ArrayD::from(x.clone())), x);
    let empty = Tensor::<f64>::zeros([2, 0, 3]);
    assert_eq!(Tensor::from(ArrayD::from(&empty)).shape(), [2, 0, 3]);
}

#[test]
fn tensors_and_parameters_keep_every_bit() {
    let rng = &mut wengert::rng(3);
    let (x, y) = (Tensor::<f32>::randn([3, 4], rng), Tensor::<f64>::randn([5], rng));
    assert_eq!(from_str::<Tensor>(&to_string(&x).unwrap()).unwrap(), x);
    assert_eq!(from_str::<Tensor<f64>>(&to_string(&y).unwrap()).unwrap(), y);
    assert_eq!(to_value(tensor![[1.0, 2.5]]).unwrap(), json!({ "shape": [1, 2], "elements": [1.0, 2.5] }));
    let model = (Linear::new(3, 2, Init::He, rng), BatchNorm::new(2));
    let saved = to_string(&BTreeMap::from_iter(model.parameters())).unwrap();
    let restored: BTreeMap<String, Param> = from_str(&saved).unwrap();
    for (path, param) in model.parameters() {
        assert_eq!(restored[&path].value(), param.value());
        assert_eq!(restored[&path].is_trainable(), param.is_trainable());
    }
    assert!(!restored["1.running_mean"].is_trainable());
}

#[test]
fn values_that_do_not_fit_are_refused() {
    let refused = [
        json!({ "shape": [2, 2], "elements": [1.0] }),
        json!({ "shape": [1u64 << 62, 8], "elements": [] }),
        json!({ "shape": [0, 1u64 << 62, 8], "elements": [] }),
        json!({ "shape": [1], "elements": [null] }),
        json!({ "elements": [1.0] }),
    ];
    for value in refused {
        assert!(from_value::<Tensor>(value.clone()).is_err(), "{value}");
    }
    assert!(from_value::<Generator>(json!([0, 0, 0, 0])).is_err());
}

#[test]
fn a_run_goes_on_to_the_same_bits() {
    let train = |model: &mut Linear, optimizer: &mut Adam, rng: &mut Generator| {
        for _ in 0..3 {
            let x = Tensor::randn([4, 3], rng);
            let loss = model.forward(&Tape::training(rng).constant(x)).dropout(0.2).square().sum();
            optimizer.step(model, &loss.backward());
        }
    };
    let mut rng = wengert::rng(0);
    let (mut model, mut optimizer) = (Linear::new(3, 2, Init::He, &mut rng), Adam::new(0.1));
    train(&mut model, &mut optimizer, &mut rng);
    let saved: [Value; 3] =
        [to_value(optimizer.settings()).unwrap(), to_value(optimizer.state()).unwrap(), to_value(&rng).unwrap()];
    let (mut resumed, mut other) = (model.clone(), Adam::new(9.0));
    train(&mut model, &mut optimizer, &mut rng);
    let [settings, state, generator] = saved;
    *other.settings_mut() = from_value::<Settings>(settings).unwrap();
    *other.state_mut() = from_value::<State>(state).unwrap();
    let mut again: Generator = from_value(generator).unwrap();
    train(&mut resumed, &mut other, &mut again);
    assert_eq!(resumed.weight.value(), model.weight.value());
    assert_eq!(again.random::<u64>(), rng.random::<u64>());

    let mut stopping = EarlyStopping::new(2);
    _ = stopping.update(0.5);
    let state: StoppingState = from_value(to_value(stopping.state()).unwrap()).unwrap();
    assert_eq!(&state, stopping.state());
}
