//! Resident memory of the process over ten thousand steps; alone in its binary, so that no other test disturbs it.
#![cfg(target_os = "linux")]

use wengert::prelude::*;

/// Resident memory in KiB, as the system counts it.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it has the line");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("it is a number")
}

#[test]
fn ten_thousand_steps_leave_resident_memory_flat() {
    let mut rng = wengert::rng(0);
    let mut layer = Linear::new(256, 64, Init::He, &mut rng);
    let mut optimizer = Sgd::new(1e-3).momentum(0.9);
    let images: Tensor = Tensor::randn([32, 256], &mut rng);
    let labels: Vec<usize> = (0..32).collect();
    let mut run = |steps: usize| {
        for _ in 0..steps {
            // A forward pass that nobody differentiates, then a step.
            _ = layer.forward(&Tape::new().constant(&images)).softmax_cross_entropy(&labels);
            let tape = Tape::training(&mut rng);
            let loss = layer.forward(&tape.constant(&images)).softmax_cross_entropy(&labels);
            optimizer.step(&mut layer, &loss.backward());
        }
        resident()
    };
    let before = run(100);
    let after = run(10_000);
    assert!(after < before + 256, "{before} KiB before, {after} KiB after");
}
