//! Gradient clipping.

use wengert::prelude::*;

/// The given vectors as gradients of parameters and of a variable.
fn gradients(of_param: &[f32], of_var: &[f32]) -> (Gradients, Param, Var) {
    let tape = Tape::new();
    let (param, x) = (Param::new(Tensor::zeros([of_param.len()])), tape.var(Tensor::zeros([of_var.len()])));
    let constant = |values: &[f32]| tape.constant(Tensor::from_slice(values, [values.len()]));
    let loss = (constant(of_param) * &param).sum() + (constant(of_var) * &x).sum();
    (loss.backward(), param, x)
}

#[test]
fn clipping_takes_all_gradients_together() {
    let (mut clipped, param, x) = gradients(&[2.0, -4.0], &[4.0]);
    assert_eq!(clipped.norm(), 6.0);
    assert_eq!(clipped.norm_p(1.0), 10.0);
    assert_eq!(clipped.norm_p(f64::INFINITY), 4.0);
    assert_eq!(clipped.clip_norm(7.0), 6.0);
    assert_eq!(clipped[&param], tensor![2.0, -4.0]); // short enough: the same bits
    assert_eq!(clipped.clip_norm(3.0), 6.0);
    assert!((clipped.norm() - 3.0).abs() < 1e-5);
    assert!((clipped[&x].item() - 2.0).abs() < 1e-5);
    assert_eq!(clipped.clip_norm(f64::INFINITY), clipped.norm());
}

#[test]
fn a_norm_that_is_not_finite_shows_in_all_gradients() {
    let (mut by_norm, param, _) = gradients(&[1.0, f32::NAN], &[2.0]);
    assert!(by_norm.clip_norm(1.0).is_nan());
    assert!(by_norm[&param].as_slice().iter().all(|g| g.is_nan()));
    let (mut by_value, param, _) = gradients(&[f32::INFINITY, f32::NAN], &[2.0]);
    by_value.clip_value(1.5);
    assert_eq!(by_value[&param].as_slice()[0], 1.5);
    assert!(by_value[&param].as_slice()[1].is_nan());
    assert!(by_value.norm_p(f64::INFINITY).is_nan());
}

#[test]
fn the_norm_of_large_gradients_does_not_overflow() {
    let (gradients, ..) = gradients(&[3e30, 4e30], &[0.0]);
    assert!((gradients.norm() / 5e30 - 1.0).abs() < 1e-6);
}

#[test]
fn the_norm_is_scaled_where_its_squares_are_out_of_range() {
    let param = Param::<f64>::new([0.0, 0.0]);
    for unit in [1e200, 1e-200, 1e-307] {
        let mut gradients: Gradients<f64> = [(&param, tensor![f64; 3.0, 4.0] * unit)].into_iter().collect();
        for (p, norm) in [(2.0, 5.0), (1.0, 7.0), (3.0, 91f64.cbrt())] {
            assert!((gradients.norm_p(p) / unit - norm).abs() < norm * 1e-12);
        }
        if unit > 1.0 {
            assert!((gradients.clip_norm(1.0) / unit - 5.0).abs() < 1e-12);
            assert!((gradients[&param].clone() - tensor![f64; 0.6, 0.8]).map(f64::abs).max().item() < 1e-12);
        }
    }
    let zeros: Gradients<f64> = [(&param, Tensor::zeros([2]))].into_iter().collect();
    assert_eq!((zeros.norm(), zeros.norm_p(3.0)), (0.0, 0.0));
}
