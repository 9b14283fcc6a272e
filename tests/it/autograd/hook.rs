//! Gradient hooks.

use crate::support::gradients::{check_gradients, row};
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use wengert::prelude::*;

#[test]
fn gradients() {
    check_gradients(&[row("hook", &[&[&[2, 3]]], |x| x[0].square().hook(|gradient| gradient * 1.0))]);
}

#[test]
fn a_hook_sees_and_replaces_gradients_of_any_order() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let x = Tape::new_f64().var(0.5);
    let notes = Rc::clone(&seen);
    let y = x.sin().hook(move |gradient| {
        notes.borrow_mut().push(gradient.value().item());
        &gradient * &gradient
    });
    // The hook squares the gradient: with g = y², dy/dx = (2y)² cos x for y = sin x.
    let dy = y.square().grad(&x);
    let (sin, cos) = 0.5f64.sin_cos();
    assert!((dy.item() - 4.0 * sin * sin * cos).abs() < 1e-15);
    let d2y = dy.grad(&x).item();
    // d/dx of 4y² cos x, where the gradient through y passes the hook again: 8y cos x is squared.
    let through_y = (8.0 * sin * cos).powi(2) * cos;
    assert!((d2y - (through_y - 4.0 * sin * sin * sin)).abs() < 1e-14, "{d2y}");
    assert_eq!(seen.borrow().len(), 2);

    let reversed = x.exp().hook(|gradient| -gradient);
    assert_eq!(reversed.grad(&x).item(), -0.5f64.exp());
}

#[test]
fn hooks_and_retained_gradients_end_with_the_tape() {
    let hooked = |released: bool| -> Weak<()> {
        let token = Rc::new(());
        let (inside, weak) = (Rc::clone(&token), Rc::downgrade(&token));
        let x = Tape::new().var(1.0);
        let h = x.exp().hook(move |gradient| {
            let _ = &inside;
            gradient
        });
        h.retain_grad();
        if released {
            _ = h.clone().backward();
        }
        weak
    };
    assert!([true, false].map(hooked).iter().all(|hook| hook.upgrade().is_none()));
}
